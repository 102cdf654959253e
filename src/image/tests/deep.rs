//! Twins: one film as DICOM, and as 16-bit PNG and TIFF.

use std::io::Cursor;

use ::image::{ImageBuffer, ImageFormat, Luma};

use super::*;
use crate::{ErrorKind, Image, Window};

/// All values of 12 bits, in a film of 64×64.
const SIDE: u16 = 64;

fn film() -> Vec<u16> {
    // In an order of which each row has dark and bright values.
    (0..SIDE * SIDE).map(|index| index.wrapping_mul(1787) % (SIDE * SIDE)).collect()
}

/// A 16-bit grey picture in a format.
fn encoded(format: ImageFormat, values: Vec<u16>) -> Vec<u8> {
    let picture: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_raw(u32::from(SIDE), u32::from(SIDE), values).expect("it fits");
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("written");
    bytes.into_inner()
}

/// A PNG with the chunk that states its significant bits, behind its header.
fn with_significant_bits(png: &[u8], bits: u8) -> Vec<u8> {
    let named = [b's', b'B', b'I', b'T', bits];
    let chunk = [&1u32.to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat();
    [&png[..33], &chunk, &png[33..]].concat()
}

/// What a picture shows, or why it shows nothing.
fn shown(image: &Image<'_>) -> Result<Picture> {
    decode(image, None, (64, 64), &Limits::new())
}

/// A DICOM film of 12 bits in 16, implicit little endian without a preamble.
#[cfg(feature = "dicom")]
fn dicom(photometric: &[u8], values: &[u16]) -> Vec<u8> {
    let number = |number: u16| number.to_le_bytes().to_vec();
    let pixels = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let elements: [(u32, Vec<u8>); 10] = [
        (0x0008_0016, b"1.2.840.10008.5.1.4.1.1.1\0".to_vec()),
        (0x0028_0002, number(1)),
        (0x0028_0004, photometric.to_vec()),
        (0x0028_0010, number(SIDE)),
        (0x0028_0011, number(SIDE)),
        (0x0028_0100, number(16)),
        (0x0028_0101, number(12)),
        (0x0028_0102, number(11)),
        (0x0028_0103, number(0)),
        (0x7FE0_0010, pixels),
    ];
    let element = |(tag, value): &(u32, Vec<u8>)| {
        let tag = [(tag >> 16) as u16, *tag as u16].map(u16::to_le_bytes).concat();
        [tag, (value.len() as u32).to_le_bytes().to_vec(), value.clone()].concat()
    };
    elements.iter().flat_map(element).collect()
}

#[test]
fn twins_show_the_same() {
    let white = |value: u16| f64::from(value) / 4095.0;
    let wanted: Vec<u8> = film().iter().flat_map(|&value| [(white(value) * 255.0 + 0.5).floor() as u8; 3]).collect();
    let scaled = |value: u16| (white(value) * 65535.0).round() as u16;
    let window = Window::Values { center: 2048.0, width: 4096.0 };
    let twelve = encoded(ImageFormat::Png, film());
    let whole = encoded(ImageFormat::Png, film().into_iter().map(scaled).collect());
    let twins = [
        ("12 bits in 16, stated by the caller", Image::from_bytes(twelve.clone()).window(window)),
        ("12 bits in 16, stated by the file", Image::from_bytes(with_significant_bits(&twelve, 12))),
        #[cfg(feature = "tiff")]
        ("a TIFF", Image::from_bytes(encoded(ImageFormat::Tiff, film())).window(window)),
        #[cfg(feature = "dicom")]
        ("DICOM", Image::from_bytes(dicom(b"MONOCHROME2 ", &film()))),
        #[cfg(feature = "dicom")]
        (
            "its negative",
            Image::from_bytes(dicom(b"MONOCHROME1 ", &film().iter().map(|value| 4095 - value).collect::<Vec<_>>())),
        ),
    ];
    for (what, image) in twins {
        assert_eq!(shown(&image).expect(what).rgb, wanted, "{what}");
    }
    // Scaled to 16 bits, values are rounded once more.
    for image in [whole.clone(), with_significant_bits(&whole, 12)] {
        let found = shown(&Image::from_bytes(image)).expect("the whole range").rgb;
        assert!(found.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= 1));
    }
}

#[test]
fn picture_of_unknown_range_is_refused() {
    let error = shown(&Image::from_bytes(encoded(ImageFormat::Png, film()))).expect_err("12 bits in 16");
    assert_eq!(error.kind(), ErrorKind::UnsupportedImage);
    assert!(error.message().contains("4095"), "{error}");
    // Black all over, and bright somewhere: nothing is unknown.
    let mut bright = vec![0; usize::from(SIDE * SIDE)];
    assert!(shown(&Image::from_bytes(encoded(ImageFormat::Png, bright.clone()))).is_ok());
    bright[7] = 40_000;
    assert!(shown(&Image::from_bytes(encoded(ImageFormat::Png, bright))).is_ok());
}

#[test]
fn window_of_a_picture_without_deep_values_is_an_error() {
    let window = Window::Values { center: 100.0, width: 50.0 };
    let pixels = Image::gray8(2, 2, 2, vec![0; 4]).expect("they fit").window(window);
    for image in [Image::from_bytes(golden("png/rgb16.png")).window(window), pixels] {
        assert_eq!(shown(&image).expect_err("no window").kind(), ErrorKind::InvalidQuery);
    }
    let second = Image::from_bytes(golden("png/grey16.png")).frame(1);
    assert_eq!(shown(&second).expect_err("one frame").kind(), ErrorKind::InvalidQuery);
    let narrow = Image::from_bytes(golden("png/grey16.png")).window(Window::Values { center: 0.0, width: 0.5 });
    assert_eq!(shown(&narrow).expect_err("too narrow").kind(), ErrorKind::InvalidQuery);
}
