//! Tests: resizing compared with Pillow's (`tests/golden/image/resize`), and the arithmetic of normalisation.

use serde::Deserialize;

use super::{ModelInput, PreprocessBuffers, normalised, preprocess, preprocessed};
use crate::image::Picture;
use crate::image::tests::{differences, golden, reference};
use crate::manifest::{Color, Filter, Input, Resize, ResizePolicy};

/// One element of `cases.json`. The reference of element n is the file `n.ppm`, with two digits.
#[derive(Deserialize)]
struct Case {
    pattern: String,
    width: u32,
    height: u32,
    input: Input,
}

/// A test picture by its name, computed by the formulas of `make.py`.
fn pattern(name: &str, width: u32, height: u32) -> Picture {
    let at = |x: u32, y: u32| -> [u8; 3] {
        match name {
            "checkerboard" => [((x + y) % 2 * 255) as u8; 3],
            "lines" => {
                let (column, row) = (x % 7 == 3, y % 11 == 5);
                [column, row, column || row].map(|on| u8::from(on) * 255)
            }
            "gradient" => [(x * 255 / (width - 1).max(1)) as u8, (y * 255 / (height - 1).max(1)) as u8, (x + y) as u8],
            "noise" => [0, 1, 2].map(|c| noise(x.into(), y.into(), c)),
            _ => panic!("no pattern {name}"),
        }
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| at(x, y))).collect();
    Picture::at_full_size(width, height, rgb)
}

fn noise(x: u64, y: u64, channel: u64) -> u8 {
    let mixed = (x * 2_654_435_761 + y * 2_246_822_519 + channel * 3_266_489_917) ^ (x * y * 668_265_263);
    let mixed = (mixed & 0xFFFF_FFFF) * 374_761_393;
    ((mixed & 0xFFFF_FFFF) >> 24) as u8
}

/// The picture of a case.
fn source(case: &Case) -> Picture {
    if case.pattern == "photo" {
        reference("resize/photo.ppm")
    } else {
        pattern(&case.pattern, case.width, case.height)
    }
}

#[test]
fn preprocess_equals_pillow_to_the_bit_for_every_policy() {
    let cases: Vec<Case> = serde_json::from_slice(&golden("resize/cases.json")).expect("make.py writes JSON");
    assert!(cases.len() > 100);
    assert!(cases.iter().any(|case| case.input.resize.filter == Filter::Bicubic));
    // All cases use the same memory.
    let (mut buffers, mut found) = (PreprocessBuffers::default(), ModelInput::default());
    for (number, case) in cases.iter().enumerate() {
        let wanted = reference(&format!("resize/{number:02}.ppm"));
        preprocess(&source(case), &case.input, &mut buffers, &mut found);
        assert_eq!((found.width, found.height), (wanted.width, wanted.height));
        assert_eq!(found.channels, case.input.color.channels());
        let wanted: Vec<u8> = match case.input.color {
            Color::Gray => wanted.rgb.iter().step_by(3).copied().collect(),
            Color::Rgb | Color::Bgr => wanted.rgb,
        };
        let (max, _) = differences(&found.pixels, &wanted);
        assert_eq!(max, 0, "case {number}, {} {:?}: differs", case.pattern, case.input.resize);
    }
}

fn input(policy: ResizePolicy, color: Color, (width, height): (u32, u32)) -> Input {
    let channels = color.channels();
    Input {
        tensor: None,
        color,
        width,
        height,
        resize: Resize { policy, shorter_side: None, filter: Filter::Bilinear, fill: None },
        sources: Vec::new(),
        mean: vec![0.5; channels],
        std: vec![0.25; channels],
    }
}

#[test]
fn preprocess_keeps_a_picture_of_the_inputs_size() {
    let picture = pattern("noise", 31, 31);
    for policy in [ResizePolicy::Stretch, ResizePolicy::Crop, ResizePolicy::Letterbox] {
        let found = preprocessed(&picture, &input(policy, Color::Rgb, (31, 31)));
        assert_eq!(found.pixels, picture.rgb, "{policy:?}");
    }
}

#[test]
fn crop_rounds_half_a_margin_to_even() {
    // Python: round(0.5) is 0, round(1.5) is 2, round(2.5) is 2.
    for (width, left) in [(4, 0), (5, 0), (6, 1), (7, 2), (8, 2), (9, 2)] {
        let picture = pattern("gradient", width, 4);
        let found = preprocessed(&picture, &input(ResizePolicy::Crop, Color::Rgb, (4, 4)));
        let wanted = pattern("gradient", width, 4).rgb[left * 3..(left + 4) * 3].to_vec();
        assert_eq!(found.pixels[..12], wanted, "{width} pixels wide");
    }
}

#[test]
fn letterbox_fills_bars_with_the_level() {
    let picture = Picture::at_full_size(2, 1, vec![200; 6]);
    let mut input = input(ResizePolicy::Letterbox, Color::Gray, (4, 4));
    assert_eq!(preprocessed(&picture, &input).pixels, [[0; 4], [200; 4], [200; 4], [0; 4]].concat());
    input.resize.fill = Some(9);
    assert_eq!(preprocessed(&picture, &input).pixels, [[9; 4], [200; 4], [200; 4], [9; 4]].concat());
}

#[test]
fn letterbox_keeps_at_least_one_pixel() {
    let picture = pattern("checkerboard", 60_000, 1);
    let found = preprocessed(&picture, &input(ResizePolicy::Letterbox, Color::Gray, (8, 8)));
    let rows: Vec<&[u8]> = found.pixels.chunks_exact(8).collect();
    // Half of the margin of 7 is 3.5, which rounds to 4.
    assert!(rows[4].iter().all(|&level| level.abs_diff(128) <= 1), "{rows:?}");
    assert!(rows.iter().enumerate().all(|(i, row)| i == 4 || row.iter().all(|&level| level == 0)), "{rows:?}");
}

#[test]
fn grey_rounds_as_pillow() {
    let picture = Picture::at_full_size(3, 1, vec![255, 0, 0, 0, 255, 0, 0, 0, 255]);
    let found = preprocessed(&picture, &input(ResizePolicy::Stretch, Color::Gray, (3, 1)));
    // Pillow: Image.new("RGB", (1, 1), "red").convert("L") is 76; lime 150, blue 29.
    assert_eq!(found.pixels, [76, 150, 29]);
}

#[test]
fn normalised_has_the_bits_of_numpys_float32() {
    // numpy: (np.float32([124, 116, 104]) / np.float32(255) - mean) / std, as torchvision orders it.
    let tables = normalised(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]);
    assert_eq!([tables[0][124], tables[1][116], tables[2][104]].map(f32::to_bits), NUMPY);
}

const NUMPY: [u32; 3] = [1_001_807_534, 3_147_866_249, 1_007_040_228];

#[test]
fn normalised_scales_subtracts_mean_and_divides_by_std() {
    let tables = normalised(&[0.0, 0.2, 0.5], &[1.0, 0.5, 0.25]);
    let found = [tables[0][0], tables[1][51], tables[2][255], tables[0][102], tables[1][153], tables[2][204]];
    for (found, wanted) in found.iter().zip([0.0, 0.0, 2.0, 0.4, 0.8, 1.2]) {
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }
}
