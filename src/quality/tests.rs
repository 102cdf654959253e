//! Tests of the measures: by hand, against numpy (`tests/golden/quality`), and of what must not change them.

mod gate;
mod stability;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;

use super::{Quality, QualityBuffers, measure};
use crate::image::tests::golden;
use crate::image::{Image, Picture, Region, Rotation, decode};
use crate::manifest::{Color, ColorMeant, Input, Resize, ResizePolicy};
use crate::preprocess::preprocessed;
use crate::{Limits, Result};

/// A size of the model's input that is too large for any reduced scale: JPEGs are decoded at full size.
const FULL: (u32, u32) = (60_000, 60_000);

fn input(policy: ResizePolicy, color: Color, size: (u32, u32)) -> Input {
    Input::new(color, size, Resize::new(policy), vec![0.5; color.channels()], vec![0.5; color.channels()])
}

fn measured(picture: &Picture, input: &Input, meant: Option<ColorMeant>) -> Quality {
    measure(picture, &preprocessed(picture, input), input, meant, &mut QualityBuffers::default())
}

/// The measures of a picture of `size` (width, height) at that size, whose pixels follow from their column and row.
fn of(size: (u32, u32), color: Color, meant: Option<ColorMeant>, at: impl Fn(u32, u32) -> [u8; 3]) -> Quality {
    let (width, height) = size;
    let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| at(x, y)).collect();
    measured(&Picture::at_full_size(width, height, rgb), &input(ResizePolicy::Stretch, color, size), meant)
}

fn assert_near(found: f32, wanted: f64) {
    assert!((f64::from(found) - wanted).abs() < 1e-6, "{found} is not {wanted}");
}

#[test]
fn measures_of_one_grey_are_those_of_its_level() {
    for color in [Color::Rgb, Color::Bgr, Color::Gray] {
        let quality = of((16, 16), color, None, |_, _| [51; 3]);
        assert_near(quality.dark, 0.8);
        let others = (quality.focus, quality.bright, quality.contrast, quality.color, quality.size);
        assert_eq!(others, (0.0, 0.0, 0.0, 0.0, 1.0));
    }
}

#[test]
fn measures_of_an_edge_are_those_computed_by_hand() {
    let quality = of((16, 16), Color::Rgb, None, |x, _| if x < 8 { [0; 3] } else { [255; 3] });
    assert_eq!((quality.dark, quality.bright, quality.contrast), (0.0, 0.5, 1.0));
    // The middle has 4×4 cells. Each row is 0, 0, 1020, 1020: two triples, whose second and central differences are
    // 1020. Each column is flat, and has two triples. So the sum is 4·2·1020 over 4·2·1020 + 8·(4·2 + 4·2).
    assert_near(quality.focus, 8160.0 / 8288.0);
    let turned = of((16, 16), Color::Rgb, None, |_, y| if y < 8 { [0; 3] } else { [255; 3] });
    assert_eq!(turned.focus.to_bits(), quality.focus.to_bits());
}

#[test]
fn focus_leaves_out_what_is_not_in_the_middle() {
    let edges = |x: u32, y: u32| if x.min(y) < 4 || x.max(y) >= 12 { [(x * 16) as u8; 3] } else { [90; 3] };
    assert_eq!(of((16, 16), Color::Rgb, None, edges).focus, 0.0);
}

#[test]
fn dark_takes_the_lowest_level_that_95_of_100_pixels_do_not_exceed() {
    let of_20 = |lit: u32| of((5, 4), Color::Rgb, None, |x, y| if y * 5 + x < lit { [204; 3] } else { [51; 3] });
    assert_near(of_20(1).dark, 0.8);
    assert_near(of_20(2).dark, 0.2);
}

#[test]
fn bright_counts_luma_from_250_on() {
    let quality = of((4, 1), Color::Rgb, None, |x, _| [[249; 3], [250; 3], [255, 255, 0], [255; 3]][x as usize]);
    // Yellow has 226.
    assert_near(quality.bright, 0.5);
}

#[test]
fn luma_of_bgr_is_that_of_rgb() {
    // Pillow: a red pixel converted to L is 76.
    for color in [Color::Rgb, Color::Bgr, Color::Gray] {
        assert_near(of((4, 4), color, None, |_, _| [255, 0, 0]).dark, 1.0 - 76.0 / 255.0);
    }
}

#[test]
fn color_counts_chroma_from_24_on_or_from_8_on_where_grey_is_meant() {
    let pixels = [[100, 107, 100], [108, 100, 100], [100, 100, 123], [100, 124, 110]];
    let share = |meant| of((4, 1), Color::Rgb, meant, |x, _| pixels[x as usize]).color;
    assert_near(share(None), 0.25);
    assert_near(share(Some(ColorMeant::Rgb)), 0.25);
    assert_near(share(Some(ColorMeant::Gray)), 0.75);
}

#[test]
fn color_of_a_grey_input_is_that_of_the_picture_it_shows() {
    // Of 96×48 pixels, the left quarter is red. A crop shows the columns 24 to 72: all grey.
    let rgb = (0..96 * 48).flat_map(|at| if at % 96 < 24 { [200, 0, 0] } else { [80; 3] }).collect();
    let picture = Picture::at_full_size(96, 48, rgb);
    let color = |policy| measured(&picture, &input(policy, Color::Gray, (16, 16)), Some(ColorMeant::Gray)).color;
    assert_near(color(ResizePolicy::Stretch), 0.25);
    assert_near(color(ResizePolicy::Letterbox), 0.25);
    assert_near(color(ResizePolicy::Crop), 0.0);
}

#[test]
fn size_is_that_of_the_region_in_the_files_own_pixels() {
    // The JPEG has 253×189 pixels. For an input of 16×12 it is decoded at 1/8.
    let bytes = golden("scaled/420.jpg");
    let upright = Image::from_bytes(bytes.as_slice());
    let turned = upright.borrowed().rotated(Rotation::Clockwise90);
    let part = Region::new(64.0 / 253.0, 48.0 / 189.0, 128.0 / 253.0, 72.0 / 189.0).expect("inside");
    for (image, region, size, wanted) in [
        (&upright, None, (16, 12), 189.0 / 12.0),
        (&turned, None, (12, 16), 189.0 / 12.0),
        (&upright, Some(part), (8, 4), 128.0 / 8.0),
        (&upright, Some(part), (8, 6), 72.0 / 6.0),
        (&upright, None, (506, 100), 0.5),
    ] {
        let picture = decode(image, region, size, &Limits::default()).expect("a sound JPEG");
        let quality = measured(&picture, &input(ResizePolicy::Stretch, Color::Rgb, size), None);
        assert_near(quality.size, wanted);
    }
}

#[test]
fn letterbox_bars_change_no_measure() {
    let bytes = fs::read(sample("ISIC_0012258.jpg")).expect("committed");
    let image = Image::from_bytes(bytes);
    let wide = Region::new(0.0, 0.25, 1.0, 0.5).expect("inside");
    let picture = decode(&image, Some(wide), FULL, &Limits::default()).expect("a sound JPEG");
    for color in [Color::Rgb, Color::Bgr, Color::Gray] {
        let wanted = measured(&picture, &input(ResizePolicy::Stretch, color, (64, 32)), None);
        for fill in [0, 128, 255] {
            let mut letterbox = input(ResizePolicy::Letterbox, color, (64, 64));
            letterbox.resize.fill = Some(fill);
            let found = measured(&picture, &letterbox, None);
            assert_eq!(Quality { size: wanted.size, ..found }, wanted, "{color:?}, {fill}");
        }
    }
}

fn sample(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/samples").join(name)
}

/// One element of `cases.json`.
#[derive(Deserialize)]
struct Case {
    picture: String,
    input: Input,
    meant: Option<ColorMeant>,
    quality: Measures,
}

#[derive(Deserialize)]
struct Measures {
    focus: f64,
    dark: f64,
    bright: f64,
    contrast: f64,
    color: f64,
    size: f64,
}

/// A picture of the repository, decoded at full size. A PPM has one line of header.
fn decoded(name: &str) -> Result<Picture> {
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("committed");
    if let Some(name) = name.strip_prefix("tests/golden/image/").filter(|_| bytes.starts_with(b"P6")) {
        return Ok(crate::image::tests::reference(name));
    }
    decode(&Image::from_bytes(bytes), None, FULL, &Limits::default())
}

#[test]
fn measures_equal_numpys() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/quality/cases.json");
    let cases: Vec<Case> = serde_json::from_slice(&fs::read(file).expect("committed")).expect("make.py writes JSON");
    assert!(cases.len() > 15);
    for case in cases {
        let quality = measured(&decoded(&case.picture).expect("a sound picture"), &case.input, case.meant);
        let wanted = &case.quality;
        for (name, found, wanted) in [
            ("focus", quality.focus, wanted.focus),
            ("dark", quality.dark, wanted.dark),
            ("bright", quality.bright, wanted.bright),
            ("contrast", quality.contrast, wanted.contrast),
            ("color", quality.color, wanted.color),
            ("size", quality.size, wanted.size),
        ] {
            // The difference is that between f32 and f64.
            assert!(
                (f64::from(found) - wanted).abs() <= 1e-7 * wanted.max(1.0),
                "{}, {:?}: {name} is {found}, not {wanted}",
                case.picture,
                case.input
            );
        }
    }
}

proptest! {
    #[test]
    fn measures_of_any_size_are_finite_ratios(
        (width, height) in (1u32..40, 1u32..40),
        size in (1u32..20, 1u32..20),
        policy in prop_oneof![
            Just(ResizePolicy::Stretch), Just(ResizePolicy::Crop), Just(ResizePolicy::Letterbox)
        ],
        color in prop_oneof![Just(Color::Rgb), Just(Color::Bgr), Just(Color::Gray)],
        meant in prop_oneof![Just(None), Just(Some(ColorMeant::Rgb)), Just(Some(ColorMeant::Gray))],
        seed: u32,
    ) {
        let mut state = seed | 1;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let rgb = (0..width * height * 3).map(|_| random()).collect();
        let quality = measured(&Picture::at_full_size(width, height, rgb), &input(policy, color, size), meant);
        for share in [quality.dark, quality.bright, quality.contrast, quality.color] {
            prop_assert!((0.0..=1.0).contains(&share), "{quality:?}");
        }
        prop_assert!(quality.focus.is_finite() && quality.focus >= 0.0, "{quality:?}");
        prop_assert!(quality.size.is_finite() && quality.size > 0.0, "{quality:?}");
    }
}
