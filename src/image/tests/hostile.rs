//! Tests of damaged and hostile bytes, which must give errors and no panics. The fuzz target `picture` tests random
//! damage to the same samples.

use std::fs;

use proptest::prelude::*;

use super::{decoded, golden, reference};
use crate::image::{Image, Region, decode};
use crate::{ErrorKind, Limits};

/// A small file for each format and each path through a decoder.
const SAMPLES: [&str; 14] = [
    "jpeg/420.jpg",
    "jpeg/progressive.jpg",
    "jpeg/restart.jpg",
    "jpeg/cmyk.jpg",
    "exif/6.jpg",
    "scaled/420.jpg",
    "exif/6.png",
    "png/palette-alpha.png",
    "exif/6.webp",
    "webp/lossy.webp",
    "bmp/palette.bmp",
    "exif/6.tif",
    "tiff/deflate.tif",
    "tiff/rgba.tif",
];

/// The message of the error that decoding gives.
fn message(bytes: &[u8]) -> String {
    decoded(bytes).expect_err("no picture").to_string()
}

#[test]
fn empty_file_error_says_empty() {
    assert!(message(b"").contains("empty"));
}

#[test]
fn unsupported_format_error_names_the_format() {
    let at_128 = |tail: &[u8]| [vec![0; 128], tail.to_vec()].concat();
    for (bytes, wanted) in [
        (b"\0\0\0\x18ftypheic\0\0\0\0".to_vec(), "Most Compatible"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0".to_vec(), "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0".to_vec(), "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0".to_vec(), "video"),
        (b"\0\0\0\x18ftyp".to_vec(), "video"),
        (b"GIF89a".to_vec(), "GIF"),
        (b"%PDF-1.7".to_vec(), "PDF"),
        (at_128(b"DICM"), "DICOM"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "SVG"),
        (b"\xEF\xBB\xBF <?xml version='1.0'?>".to_vec(), "SVG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n".to_vec(), "JPEG 2000"),
        (b"\xFF\x0A".to_vec(), "JPEG XL"),
        (b"patient,age\n1,44\n".to_vec(), "JPEG, PNG, WebP, BMP, TIFF or DICOM"),
        (b"\x89".to_vec(), "JPEG, PNG, WebP, BMP, TIFF or DICOM"),
    ] {
        let error = decoded(&bytes).expect_err(wanted);
        assert_eq!(error.kind(), ErrorKind::UnsupportedImage, "{wanted}: {error}");
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn dicom_is_told_whatever_its_preamble() {
    let beginning = |start: &[u8]| patched("dicom/plain.dcm", 0, start);
    let plain = decoded(&golden("dicom/plain.dcm"));
    for (what, bytes) in [
        ("nothing", golden("dicom/plain.dcm")),
        ("a TIFF's header, II", beginning(b"II*\0\x08\0\0\0")),
        ("a TIFF's header, MM", beginning(b"MM\0*\0\0\0\x08")),
        ("a BigTIFF's header", beginning(b"II+\0\x08\0\0\0")),
        ("a bitmap's header", beginning(b"BM")),
        ("a TIFF's header, cut off", beginning(b"II*\0\x08\0\0\0")[..150].to_vec()),
        ("a whole TIFF, II", golden("dicom/tiff-ii.dcm")),
        ("a whole TIFF, MM", golden("dicom/tiff-mm.dcm")),
    ] {
        match decoded(&bytes) {
            Ok(picture) if cfg!(feature = "dicom") && bytes.len() == golden("dicom/plain.dcm").len() => {
                assert_eq!(Some(picture), plain.clone().ok(), "{what}");
            }
            Ok(_) => assert!(cfg!(feature = "dicom") && what.starts_with("a whole TIFF"), "{what}"),
            Err(error) => {
                assert!(!cfg!(feature = "dicom") || what.ends_with("cut off"), "{what}: {error}");
                assert!(error.to_string().contains("DICOM"), "{what}: {error}");
            }
        }
    }
}

#[test]
fn tiff_with_dicm_among_its_pixels_is_decoded() {
    let found = decoded(&golden("dicom/by-chance.tif")).expect("a sound TIFF");
    assert_eq!(found, reference("dicom/by-chance.ppm"));
}

#[test]
fn truncated_file_is_malformed_or_unsupported() {
    for sample in SAMPLES {
        let bytes = golden(sample);
        for part in [4, 12, 30, 60, bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10] {
            match decoded(&bytes[..part]) {
                Err(error) if matches!(error.kind(), ErrorKind::MalformedImage | ErrorKind::UnsupportedImage) => {}
                other => panic!("{sample} cut off at {part} of {}: {other:?}", bytes.len()),
            }
        }
    }
}

#[test]
fn truncated_jpeg_error_says_that_the_file_ends_early() {
    for sample in ["jpeg/420.jpg", "jpeg/progressive.jpg", "jpeg/grey.jpg", "scaled/444.jpg"] {
        let bytes = golden(sample);
        for missing in [4, 50, 200, bytes.len() / 4] {
            let message = message(&bytes[..bytes.len() - missing]);
            assert!(message.contains("ends before the picture does"), "{sample} without {missing}: {message}");
        }
    }
}

#[test]
fn jpeg_without_end_of_image_marker_is_decoded() {
    let bytes = golden("jpeg/420.jpg");
    assert_eq!(decoded(&bytes[..bytes.len() - 2]).expect("all pixels are there"), decoded(&bytes).expect("sound"));
}

/// The beginning of a PNG that declares a size, with valid checksums.
fn png_head(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8], body: &[u8]| {
        let named = [kind, body].concat();
        [&(body.len() as u32).to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
    };
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &head), chunk(b"IDAT", &[0x78, 0x9c])].concat()
}

/// The checksum of PNG chunks (ISO/IEC 15948, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// The bytes of a file with others at an offset.
fn patched(name: &str, at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = golden(name);
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// The offset of height and width in a JPEG's frame header.
fn jpeg_size_at(name: &str) -> usize {
    golden(name).windows(2).position(|w| w == [0xFF, 0xC0] || w == [0xFF, 0xC2]).expect("a frame header") + 5
}

/// The offset of a tag's value in the first directory of a little-endian TIFF.
fn tiff_value_at(name: &str, tag: u16) -> usize {
    let bytes = golden(name);
    let directory = u32::from_le_bytes(bytes[4..8].try_into().expect("4 bytes")) as usize;
    let entries = u16::from_le_bytes([bytes[directory], bytes[directory + 1]]);
    let at = |entry: u16| directory + 2 + usize::from(entry) * 12;
    let entry = (0..entries).find(|&e| bytes[at(e)..at(e) + 2] == tag.to_le_bytes()).expect("the tag is there");
    at(entry) + 8
}

#[test]
fn decode_refuses_a_large_declared_size_before_it_allocates() {
    let sides = [60_000u16.to_be_bytes(), 60_000u16.to_be_bytes()].concat();
    let long = 60_000u32.to_le_bytes();
    let mut tiff = patched("tiff/rgb.tif", tiff_value_at("tiff/rgb.tif", 256), &long);
    // The height, and the rows of a strip, so that the number of strips stays valid.
    for tag in [257, 278] {
        let at = tiff_value_at("tiff/rgb.tif", tag);
        tiff[at..at + 4].copy_from_slice(&long);
    }
    // The sides of a lossless WebP, each less 1 in 14 bits, follow the chunk's type, length and signature.
    let webp_at = golden("webp/lossless.webp").windows(4).position(|w| w == b"VP8L").expect("a lossless chunk") + 9;
    for (name, bytes) in [
        ("PNG 60000×60000", png_head(60_000, 60_000)),
        ("PNG 2³¹-1 × 2³¹-1", png_head(i32::MAX as u32, i32::MAX as u32)),
        ("PNG 100000×1", png_head(100_000, 1)),
        ("JPEG", patched("jpeg/420.jpg", jpeg_size_at("jpeg/420.jpg"), &sides)),
        ("progressive JPEG", patched("jpeg/progressive.jpg", jpeg_size_at("jpeg/progressive.jpg"), &sides)),
        ("BMP", patched("bmp/rgb.bmp", 18, &[long, long].concat())),
        ("TIFF", tiff),
        ("WebP", patched("webp/lossless.webp", webp_at, &[0xFE, 0xBF, 0xFF, 0x0F])),
    ] {
        let error = decoded(&bytes).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{name}: {error}");
    }
    assert!(message(&png_head(60_000, 60_000)).contains("60000×60000"));
}

#[test]
fn unsupported_jpeg_error_says_what_to_do() {
    let size = jpeg_size_at("jpeg/cmyk.jpg");
    // After height, width and the number of components, each component has an identifier, its sampling, and its table.
    let sampled = |component: usize, factors: u8| patched("jpeg/cmyk.jpg", size + 6 + 3 * component, &[factors]);
    for (what, bytes) in [
        ("arithmetic coding", patched("jpeg/420.jpg", jpeg_size_at("jpeg/420.jpg") - 4, &[0xC9])),
        ("12 bits", patched("jpeg/420.jpg", jpeg_size_at("jpeg/420.jpg") - 1, &[12])),
        ("black at half the height", sampled(3, 0x12)),
        ("yellow at thrice the width", sampled(2, 0x31)),
    ] {
        let error = decoded(&bytes).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::UnsupportedImage, "{what}: {error}");
        assert!(error.to_string().contains("export"), "{error}");
    }
}

#[test]
fn picture_without_pixels_is_malformed() {
    let error = decoded(&png_head(0, 5)).expect_err("no pixels");
    assert_eq!(error.kind(), ErrorKind::MalformedImage, "{error}");
    decoded(&patched("bmp/rgb.bmp", 18, &[0; 4])).expect_err("no pixels");
}

#[test]
fn open_error_names_a_file_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for path in [folder.path().join("missing.jpg"), folder.path().to_owned()] {
        let error = Image::open(&path).expect_err("no file");
        assert!(error.kind() == ErrorKind::Io, "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn open_refuses_a_file_over_the_maximum_size() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("long.jpg");
    // A sparse file takes no space on the disk.
    fs::File::create(&path).expect("a new file").set_len((256 << 20) + 1).expect("a sparse file");
    let error = Image::open(&path).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[test]
fn open_keeps_the_path_as_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("photo.heic");
    fs::write(&path, golden("png/rgb.png")).expect("a new file");
    let image = Image::open(&path).expect("a file");
    assert_eq!(image.name(), path.to_str());
    decode(&image, None, (1, 1), &Limits::default()).expect("a PNG, whatever its name says");
}

#[test]
fn region_new_refuses_rectangles_outside_the_picture() {
    for (left, top, width, height) in [
        (0.0, 0.0, 0.0, 1.0),
        (0.0, 0.0, 1.0, -0.5),
        (0.5, 0.0, 0.6, 1.0),
        (-0.1, 0.0, 0.5, 1.0),
        (f32::NAN, 0.0, 0.5, 0.5),
        (0.0, 0.0, f32::INFINITY, 1.0),
        (0.0, f32::NEG_INFINITY, 1.0, f32::INFINITY),
    ] {
        let error = Region::new(left, top, width, height).expect_err("outside");
        assert_eq!(error.kind(), ErrorKind::InvalidQuery, "{error}");
    }
    Region::new(0.1, 0.7, 0.9, 0.3).expect("inside, except for rounding");
}

/// Widths and heights of regions, many of which are less than a pixel.
fn extents() -> impl Strategy<Value = f32> {
    prop_oneof![0.0f32..1.0, 0.0f32..1e-5]
}

proptest! {
    #[test]
    fn region_rectangle_is_inside_and_not_empty(
        (left, top) in (0.0f32..1.0, 0.0f32..1.0),
        (width, height) in (extents(), extents()),
        size in (1u32..70_000, 1u32..70_000),
    ) {
        if let Ok(region) = Region::new(left, top, width, height) {
            let rectangle = region.rectangle(size);
            prop_assert!(rectangle.width >= 1 && rectangle.height >= 1);
            prop_assert!(rectangle.x + rectangle.width <= size.0 && rectangle.y + rectangle.height <= size.1);
        }
    }
}
