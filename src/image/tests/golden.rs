//! Tests of encoded pictures, which are compared with the references of other decoders.

use libjpeg_turbo_rs::Decoder;

use super::{FULL, cropped, decoded, differences, golden, reference, region};
use crate::image::jpeg::working_bytes;
use crate::image::{Image, Picture, Rotation, decode};
use crate::{ErrorKind, Limits};

/// Asserts that a file decodes to a reference.
fn assert_decodes_to(file: &str, wanted: &str) {
    let found = decoded(&golden(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_same(file, &found, &reference(wanted));
}

/// Asserts that two pictures are equal. `what` begins the message.
fn assert_same(what: &str, found: &Picture, wanted: &Picture) {
    assert_eq!((found.width, found.height), (wanted.width, wanted.height), "{what}");
    let (max, mean) = differences(&found.rgb, &wanted.rgb);
    assert_eq!(max, 0, "{what}: differs by {max} levels, by {mean} in the mean");
}

#[test]
fn jpeg_equals_libjpeg_turbo() {
    for name in ["444", "422", "420", "progressive", "restart", "grey", "cmyk", "ycck", "rgb"] {
        assert_decodes_to(&format!("jpeg/{name}.jpg"), &format!("jpeg/{name}.ppm"));
    }
}

#[test]
fn jpeg_with_components_1_2_3_is_rgb_by_the_adobe_segment() {
    assert_decodes_to("jpeg/rgb-numbered.jpg", "jpeg/rgb.ppm");
}

#[test]
fn scaled_jpeg_equals_libjpeg_turbo() {
    for (name, part) in [("444", 2), ("444", 4), ("444", 8), ("420", 2), ("420", 4), ("420", 8)] {
        let bytes = golden(&format!("scaled/{name}.jpg"));
        let wanted = reference(&format!("scaled/{name}-{part}.ppm"));
        let model_size = (wanted.width / 2, wanted.height / 2);
        let found = decode(&Image::from_bytes(bytes), None, model_size, &Limits::default()).expect("a sound JPEG");
        assert_same(&format!("{name} at 1/{part}"), &found, &wanted);
    }
}

/// The size to which the JPEG of 253×189 pixels is decoded for a model's input size and a region in pixels.
fn size_for(image: &Image<'_>, part: Option<(u32, u32, u32, u32)>, model_size: (u32, u32)) -> (u32, u32) {
    let region = part.map(|part| region(part, (253, 189)));
    let picture = decode(image, region, model_size, &Limits::default()).expect("a sound JPEG");
    (picture.width, picture.height)
}

#[test]
fn jpeg_scale_leaves_twice_the_models_size_in_both_dimensions() {
    let bytes = golden("scaled/420.jpg");
    let image = Image::from_bytes(bytes.as_slice());
    assert_eq!(size_for(&image, None, (16, 12)), (32, 24));
    assert_eq!(size_for(&image, None, (16, 13)), (64, 48));
    assert_eq!(size_for(&image, None, (17, 12)), (64, 48));
    assert_eq!(size_for(&image, None, (32, 24)), (64, 48));
    assert_eq!(size_for(&image, None, (63, 47)), (127, 95));
    assert_eq!(size_for(&image, None, (64, 47)), (253, 189));
    assert_eq!(size_for(&image, None, (224, 224)), (253, 189));
}

#[test]
fn jpeg_scale_is_chosen_by_upright_sides() {
    let bytes = golden("scaled/420.jpg");
    let image = Image::from_bytes(bytes.as_slice()).rotated(Rotation::Clockwise90);
    assert_eq!(size_for(&image, None, (12, 16)), (24, 32));
    assert_eq!(size_for(&image, None, (16, 12)), (48, 64));
}

#[test]
fn jpeg_scale_is_chosen_by_the_region() {
    let bytes = golden("scaled/420.jpg");
    let image = Image::from_bytes(bytes.as_slice());
    // The region has half of each side: at 1/8 it has 16×12 pixels.
    assert_eq!(size_for(&image, Some((64, 48, 128, 96)), (8, 6)), (16, 12));
    assert_eq!(size_for(&image, Some((64, 48, 128, 96)), (9, 6)), (33, 25));
    assert_eq!(size_for(&image, Some((64, 48, 128, 96)), (17, 6)), (64, 48));
}

#[test]
fn lossless_formats_decode_exactly() {
    for (file, wanted) in [
        ("png/rgb.png", "photo.ppm"),
        ("png/interlaced.png", "photo.ppm"),
        ("png/rgba.png", "alpha.ppm"),
        ("png/grey.png", "grey.ppm"),
        ("png/grey-alpha.png", "grey-alpha.ppm"),
        ("png/palette.png", "palette.ppm"),
        ("png/palette-alpha.png", "palette-alpha.ppm"),
        ("png/bits.png", "bits.ppm"),
        ("png/rgb16.png", "rgb16.ppm"),
        ("png/rgba16.png", "rgba16.ppm"),
        ("png/grey16.png", "grey16.ppm"),
        ("webp/lossless.webp", "photo.ppm"),
        ("webp/lossless-alpha.webp", "alpha.ppm"),
        ("bmp/rgb.bmp", "photo.ppm"),
        ("bmp/palette.bmp", "palette.ppm"),
        ("bmp/grey.bmp", "grey.ppm"),
        ("bmp/bits.bmp", "bits.ppm"),
        ("tiff/rgb.tif", "photo.ppm"),
        ("tiff/lzw.tif", "photo.ppm"),
        ("tiff/deflate.tif", "photo.ppm"),
        ("tiff/packbits.tif", "photo.ppm"),
        ("tiff/rgba.tif", "alpha.ppm"),
        ("tiff/grey.tif", "grey.ppm"),
        ("tiff/grey16.tif", "grey16.ppm"),
        ("tiff/bits.tif", "bits.ppm"),
    ] {
        assert_decodes_to(file, wanted);
    }
}

#[test]
fn lossy_webp_equals_libwebp() {
    assert_decodes_to("webp/lossy.webp", "webp/lossy.ppm");
}

#[test]
fn unsupported_tiff_error_says_what_to_do() {
    for file in ["tiff/palette.tif", "tiff/float.tif"] {
        let error = decoded(&golden(file)).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::UnsupportedImage, "{file}: {error}");
        assert!(error.to_string().contains("export"), "{error}");
    }
}

#[test]
fn decode_applies_all_eight_exif_orientations() {
    for value in 1..=8 {
        for form in ["png", "webp", "tif"] {
            assert_decodes_to(&format!("exif/{value}.{form}"), &format!("exif/{value}.ppm"));
        }
        assert_decodes_to(&format!("exif/{value}.jpg"), &format!("exif/{value}-jpeg.ppm"));
    }
}

#[test]
fn rotation_and_mirroring_follow_exif() {
    // The EXIF value 6 is a rotation of 90° clockwise.
    let upright = decoded(&golden("exif/6.png")).expect("a sound PNG");
    let rotated = Image::from_bytes(golden("exif/6.png")).rotated(Rotation::Clockwise90).mirrored();
    let found = decode(&rotated, None, FULL, &Limits::default()).expect("a sound PNG");
    assert_eq!((found.width, found.height), (upright.height, upright.width));
    for y in 0..found.height {
        for x in 0..found.width {
            // A rotation of 90° clockwise moves (x, y) to (height - 1 - y, x); mirroring makes that (y, x).
            assert_eq!(pixel(&found, x, y), pixel(&upright, y, x), "at {x}, {y}");
        }
    }
}

fn pixel(picture: &Picture, x: u32, y: u32) -> &[u8] {
    let start = (y * picture.width + x) as usize * 3;
    &picture.rgb[start..start + 3]
}

#[test]
fn decode_crops_a_region_from_the_upright_picture() {
    for file in ["exif/1.png", "exif/6.png", "exif/7.tif", "exif/4.webp", "exif/5.jpg"] {
        let whole = decoded(&golden(file)).expect("a sound picture");
        let part = (3, 5, 11, 7);
        let wanted = region(part, (whole.width, whole.height));
        let found =
            decode(&Image::from_bytes(golden(file)), Some(wanted), FULL, &Limits::default()).expect("as before");
        assert_eq!(found, cropped(&whole, part), "{file}");
    }
}

#[test]
fn decode_refuses_pictures_over_the_limits() {
    let tight = Limits::new().max_decoded_bytes(20_000);
    for file in ["jpeg/420.jpg", "png/rgb.png", "webp/lossy.webp", "bmp/rgb.bmp", "tiff/rgb.tif"] {
        let error = decode(&Image::from_bytes(golden(file)), None, FULL, &tight).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{file}: {error}");
    }
    let few = Limits::new().max_declared_pixels(97 * 71 - 1);
    for file in ["jpeg/420.jpg", "png/rgb.png", "webp/lossy.webp", "bmp/rgb.bmp", "tiff/rgb.tif"] {
        let error = decode(&Image::from_bytes(golden(file)), None, FULL, &few).expect_err(file);
        assert!(error.to_string().contains("97×71"), "{file}: {error}");
    }
}

#[test]
fn working_bytes_counts_coefficients_of_progressive_jpeg() {
    let bytes = |file: &str, eighths: u32| {
        let file = golden(file);
        working_bytes(Decoder::new(&file).expect("a sound JPEG").header(), eighths)
    };
    // 97×71 pixels are 7 × 5 MCUs of 16×16 pixels, with 4 + 1 + 1 blocks of 64 coefficients of 2 bytes.
    let difference = bytes("jpeg/progressive.jpg", 1) - bytes("jpeg/420.jpg", 1);
    assert_eq!(difference, 7 * 5 * 6 * 64 * 2);
    // At 1/8: 2×2 samples of each component in an MCU, 13 × 9 pixels of three components, and a copy of them.
    assert_eq!(bytes("jpeg/420.jpg", 1), 7 * 5 * 4 * 3 + 13 * 9 * 3 + 13 * 9 * 3);
    // At full size: 16×16 samples of the first component in an MCU, 8×8 of the others.
    assert_eq!(bytes("jpeg/420.jpg", 8), 7 * 5 * (256 + 64 + 64) + 97 * 71 * 3 + 97 * 71 * 3);
}
