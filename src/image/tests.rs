//! Tests: decoding compared with the references of other programs (`tests/golden/image`), and decoding of hostile
//! bytes.

mod deep;
#[cfg(feature = "dicom")]
mod dicom;
mod frames;
mod golden;
mod hostile;
mod orientation;

use std::path::PathBuf;

use super::{Image, Picture, Region, decode};
use crate::{Limits, Result};

/// A size of the model's input that is too large for any reduced scale: JPEGs are decoded at full size.
const FULL: (u32, u32) = (60_000, 60_000);

/// The bytes of a file in `tests/golden/image`.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A reference picture, read from a PPM (P6) with 8 bits for each channel.
pub(crate) fn reference(name: &str) -> Picture {
    let bytes = golden(name);
    let line = bytes.iter().position(|&byte| byte == b'\n').expect("a PPM has a header line");
    let header = std::str::from_utf8(&bytes[..line]).expect("a PPM's header is text");
    let fields: Vec<&str> = header.split(' ').collect();
    let ["P6", width, height, "255"] = fields[..] else { panic!("{name}: header {header}") };
    let side = |text: &str| text.parse().expect("a PPM's sides are numbers");
    Picture::at_full_size(side(width), side(height), bytes[line + 1..].to_vec())
}

/// The maximum and the mean absolute difference of two slices of levels of equal length.
pub(crate) fn differences(found: &[u8], wanted: &[u8]) -> (u8, f64) {
    assert_eq!(found.len(), wanted.len());
    let differences = || found.iter().zip(wanted).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences().map(u64::from).sum();
    (differences().max().unwrap_or(0), sum as f64 / found.len() as f64)
}

/// An encoded picture, decoded at full size with the default limits.
fn decoded(bytes: &[u8]) -> Result<Picture> {
    decode(&Image::from_bytes(bytes), None, FULL, &Limits::default())
}

/// The rectangle (x, y, width, height) of a picture, by plain indexing.
fn cropped(picture: &Picture, (x, y, width, height): (u32, u32, u32, u32)) -> Picture {
    let rows = y..y + height;
    let row = |row: u32| {
        let start = (row * picture.width + x) as usize * 3;
        picture.rgb[start..start + width as usize * 3].to_vec()
    };
    Picture::at_full_size(width, height, rows.flat_map(row).collect())
}

/// The region that covers the pixels (x, y, width, height) of a picture of a size (width, height).
fn region((x, y, width, height): (u32, u32, u32, u32), size: (u32, u32)) -> Region {
    let fraction = |part: u32, whole: u32| (f64::from(part) / f64::from(whole)) as f32;
    Region::new(fraction(x, size.0), fraction(y, size.1), fraction(width, size.0), fraction(height, size.1))
        .expect("the rectangle is inside the picture")
}
