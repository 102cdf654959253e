//! Tests of a cropped ultrasound frame: where its pixels lie in the stored frame, and how it is shown.

use super::FULL;
use crate::image::{Image, Rotation, decode_placed};
use crate::report::Geometry;
use crate::{ErrorKind, Limits, Region};

/// The loop of `tests/golden/dicom/twins.py`, whose region begins at column 40 and row 30.
fn frame() -> Image<'static> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/loop.dcm");
    Image::open(path).expect("committed").frame(1)
}

#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn pixels_of_a_turned_part_of_a_region_are_those_of_the_stored_frame() {
    let decoded = |image: &Image<'_>, part: Option<Region>| {
        decode_placed(image, part, FULL, &Limits::default(), Vec::new()).expect("sound")
    };
    let (stored, _) = decoded(&frame().whole(), None);
    let rotations = [Rotation::Upright, Rotation::Clockwise90, Rotation::Clockwise180, Rotation::Clockwise270];
    for rotation in rotations {
        for image in [frame().rotated(rotation), frame().rotated(rotation).mirrored()] {
            for part in [None, Some(Region::new(0.25, 0.125, 0.5, 0.625).expect("inside"))] {
                let (picture, placement) = decoded(&image, part);
                assert_eq!(placement.stored, (stored.width, stored.height));
                for (index, rgb) in picture.rgb.chunks_exact(3).enumerate() {
                    let (x, y) = (index as u32 % picture.width, index as u32 / picture.width);
                    let (column, row) = placement.to_stored.apply((f64::from(x) + 0.5, f64::from(y) + 0.5));
                    let at = (row as usize * stored.width as usize + column as usize) * 3;
                    assert_eq!(rgb, &stored.rgb[at..at + 3], "{image:?} {part:?}: {x}, {y}");
                }
                let Geometry { region: [left, top, right, bottom], .. } =
                    Geometry::of((picture.width, picture.height), &placement);
                let area = (right - left) * (bottom - top);
                assert_eq!(area as usize * 3, picture.rgb.len());
                assert!(left >= 40.0 && top >= 30.0 && right <= 40.0 + 205.0 && bottom <= 30.0 + 288.0);
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn shown_picture_has_the_longer_side_that_is_asked_for_and_is_not_enlarged() {
    let size = |png: Vec<u8>| {
        let side = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
        // The width and the height in a PNG's header.
        (side(16), side(20))
    };
    assert_eq!(size(frame().shown(10_000).expect("sound")), (205, 288));
    assert_eq!(size(frame().shown(288).expect("sound")), (205, 288));
    assert_eq!(size(frame().shown(144).expect("sound")), (103, 144));
    assert_eq!(size(frame().whole().shown(10_000).expect("sound")), (295, 348));
    assert_eq!(frame().shown(0).expect_err("no side").kind(), ErrorKind::InvalidQuery);
}
