//! Tests: heatmaps lie where their evidence lies in the stored picture, whatever was done to it, and overlays of anything
//! are pictures.

use proptest::prelude::*;

use super::overlay::LEGEND;
use super::{ExplainMethod, Grid, Heatmap, View, heatmap_thumbnail, png, thumbnail};
use crate::geometry::Affine;
use crate::image::{Facts, Placement, decode_placed};
use crate::manifest::{Color, Input, Resize, ResizePolicy};
use crate::preprocess::{preprocessed, to_picture};
use crate::{ErrorKind, Image, Limits, Region, Rotation};

/// The size of the stored pictures here.
const STORED: (u32, u32) = (150, 100);

/// A PNG of the size [`STORED`] with this EXIF orientation: black, with a bright blob around the stored point.
fn blob(orientation: u8, center: (f64, f64)) -> Vec<u8> {
    let level = |x: u32, y: u32| {
        let (x, y) = (f64::from(x) + 0.5 - center.0, f64::from(y) + 0.5 - center.1);
        (255.0 * (-(x * x + y * y) / (2.0 * 3.0 * 3.0)).exp()).round() as u8
    };
    let rgb: Vec<u8> = (0..STORED.1).flat_map(|y| (0..STORED.0).flat_map(move |x| [level(x, y); 3])).collect();
    with_orientation(&png::encoded(STORED.0, &rgb), orientation)
}

/// A PNG with a chunk eXIf behind its header, which holds an orientation.
fn with_orientation(png: &[u8], orientation: u8) -> Vec<u8> {
    // A TIFF header, and a directory of one entry: tag 0x0112, of one 16-bit number.
    let exif = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
    let named = [&b"eXIf"[..], &exif].concat();
    let chunk = [&(exif.len() as u32).to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat();
    // The signature of 8 bytes, and the header's chunk of 25.
    [&png[..33], &chunk, &png[33..]].concat()
}

/// The upright size of a picture of the size [`STORED`] and an orientation.
fn upright_size(orientation: u8) -> (f64, f64) {
    let (width, height) = (f64::from(STORED.0), f64::from(STORED.1));
    if orientation >= 5 { (height, width) } else { (width, height) }
}

/// The stored point of an upright one, by the definition of the orientations in EXIF 2.32, 4.6.4 A.
fn stored(orientation: u8, (u, v): (f64, f64)) -> (f64, f64) {
    let (width, height) = (f64::from(STORED.0), f64::from(STORED.1));
    match orientation {
        1 => (u, v),
        2 => (width - u, v),
        3 => (width - u, height - v),
        4 => (u, height - v),
        5 => (v, u),
        6 => (v, height - u),
        7 => (width - v, height - u),
        8 => (width - v, u),
        _ => panic!("no orientation"),
    }
}

fn input(policy: ResizePolicy) -> Input {
    Input::new(Color::Gray, (48, 32), Resize::new(policy), vec![0.0], vec![1.0])
}

/// The heatmap whose evidence is the brightness of the input that a picture gives.
fn brightness(image: &Image<'_>, region: Option<Region>, input: &Input) -> Heatmap {
    let size = (input.width, input.height);
    let (picture, placement) = decode_placed(image, region, size, &Limits::default(), Vec::new()).expect("sound");
    let values = preprocessed(&picture, input).pixels.iter().map(|&level| f64::from(level)).collect();
    let picture = (picture.width, picture.height);
    let view = View { input: size, picture, to_picture: to_picture(picture, input), placement };
    let grid = Grid { width: size.0, height: size.1, values };
    Heatmap::of("a".into(), ExplainMethod::ClassActivation, &grid, &view)
}

/// The mean of the stored points of all cells, weighted by their values.
fn centroid(heatmap: &Heatmap) -> (f64, f64) {
    let frame = Affine(heatmap.frame);
    let (mut x_sum, mut y_sum, mut sum) = (0.0, 0.0, 0.0);
    for (&value, index) in heatmap.values.iter().zip(0u32..) {
        let cell = (f64::from(index % heatmap.width) + 0.5, f64::from(index / heatmap.width) + 0.5);
        let ((x, y), value) = (frame.apply(cell), f64::from(value));
        (x_sum, y_sum, sum) = (x_sum + x * value, y_sum + y * value, sum + value);
    }
    (x_sum / sum, y_sum / sum)
}

/// Checks blobs at nine places of a region's middle, for all orientations and resize policies.
fn check_blobs(region: Option<Region>) {
    for orientation in 1..=8 {
        let (width, height) = upright_size(orientation);
        let [left, top, across, down] =
            region.map_or([0.0, 0.0, 1.0, 1.0], |r| [r.left(), r.top(), r.width(), r.height()].map(f64::from));
        let middle = ((left + across / 2.0) * width, (top + down / 2.0) * height);
        // The crop of 48×32 leaves out some of the longer side.
        let reach = 0.2 * (across * width).min(down * height);
        for place in 0..9 {
            let offset = (f64::from(place % 3 - 1) * reach, f64::from(place / 3 - 1) * reach);
            let wanted = stored(orientation, (middle.0 + offset.0, middle.1 + offset.1));
            let image = Image::from_bytes(blob(orientation, wanted));
            for policy in [ResizePolicy::Stretch, ResizePolicy::Crop, ResizePolicy::Letterbox] {
                let heatmap = brightness(&image, region, &input(policy));
                let found = centroid(&heatmap);
                let case = format!("orientation {orientation}, place {place}, {policy:?}: {found:?}, not {wanted:?}");
                assert!((found.0 - wanted.0).abs() < 0.5 && (found.1 - wanted.1).abs() < 0.5, "{case}");
                let [left, top, right, bottom] = heatmap.seen;
                assert!((left..right).contains(&wanted.0) && (top..bottom).contains(&wanted.1), "{case}");
            }
        }
    }
}

#[test]
fn heatmap_lies_on_blobs_in_the_stored_picture() {
    check_blobs(None);
}

#[test]
fn heatmap_lies_on_blobs_in_the_stored_picture_of_a_region() {
    // The edges are those of pixels, upright and stored: 30 and 135 of 150, 10 and 90 of 100, and the reverse.
    check_blobs(Some(Region::new(0.2, 0.1, 0.7, 0.8).expect("inside")));
}

#[test]
fn heatmap_undoes_rotation_and_mirroring_by_the_caller() {
    // Orientations 6, 3 and 8 are clockwise rotations by 90°, 180° and 270°; 2, 7, 4 and 5 the same, mirrored after it.
    let cases = [
        (Rotation::Upright, [1, 2]),
        (Rotation::Clockwise90, [6, 5]),
        (Rotation::Clockwise180, [3, 4]),
        (Rotation::Clockwise270, [8, 7]),
    ];
    for (rotation, [plain, mirrored]) in cases {
        let image = Image::from_bytes(blob(1, (40.0, 30.0))).rotated(rotation);
        for (image, orientation) in [(image.clone(), plain), (image.mirrored(), mirrored)] {
            let same = Image::from_bytes(blob(orientation, (40.0, 30.0)));
            let input = input(ResizePolicy::Letterbox);
            assert_eq!(brightness(&image, None, &input), brightness(&same, None, &input), "{rotation:?} {orientation}");
        }
    }
}

#[test]
fn heatmap_undoes_the_scale_at_which_a_jpeg_is_decoded() {
    // 256×256 pixels, decoded at one half for an input of 48×32.
    let image = Image::open("models/samples/ISIC_0012258.jpg").expect("a sample");
    let size = (48, 32);
    let (picture, _) = decode_placed(&image, None, size, &Limits::default(), Vec::new()).expect("sound");
    assert_eq!((picture.width, picture.height), (128, 128));
    let found = brightness(&image, None, &input(ResizePolicy::Stretch));
    assert_eq!((found.frame, found.seen), ([[256.0 / 48.0, 0.0, 0.0], [0.0, 8.0, 0.0]], [0.0, 0.0, 256.0, 256.0]));
}

/// A heatmap of one grid over a whole upright picture of a size.
fn whole(size: (u32, u32), grid: (u32, u32), values: Vec<f64>) -> Heatmap {
    let same = Affine::scaled((1.0, 1.0), (0.0, 0.0));
    let view = View {
        input: size,
        picture: size,
        to_picture: same,
        placement: Placement { stored: size, to_stored: same, facts: Facts::default() },
    };
    Heatmap::of("melanoma".into(), ExplainMethod::Occlusion, &Grid { width: grid.0, height: grid.1, values }, &view)
}

/// The width, the height and the RGB bytes of an overlay.
fn drawn(heatmap: &Heatmap, image: &Image<'_>) -> (u32, u32, Vec<u8>) {
    let png = heatmap.overlay(image).expect("a sound picture");
    let decoded = ::image::load_from_memory_with_format(&png, ::image::ImageFormat::Png).expect("a PNG").into_rgb8();
    (decoded.width(), decoded.height(), decoded.into_raw())
}

/// The mean position of the pixels that are not grey, in the first `rows` rows, and their number.
fn colored(width: u32, rgb: &[u8], rows: u32) -> (f64, f64, usize) {
    let pixels = rgb.chunks_exact(3).take((rows * width) as usize).zip(0u32..);
    let places: Vec<(f64, f64)> = pixels
        .filter(|(pixel, _)| pixel[0] != pixel[1] || pixel[1] != pixel[2])
        .map(|(_, index)| (f64::from(index % width) + 0.5, f64::from(index / width) + 0.5))
        .collect();
    let mean = |axis: fn(&(f64, f64)) -> f64| places.iter().map(axis).sum::<f64>() / places.len().max(1) as f64;
    (mean(|place| place.0), mean(|place| place.1), places.len())
}

#[test]
fn overlay_colors_the_cell_with_evidence_upright() {
    // The cell in column 3 and row 1 of 4×4 over 200×120 pixels: its centre is (175, 45), and rotated by 90° clockwise
    // (120 - 45, 175) of 120×200 pixels.
    let mut values = vec![0.0; 16];
    values[4 + 3] = 5.0;
    let heatmap = whole((200, 120), (4, 4), values);
    let pixels = vec![128u8; 200 * 120];
    let image = Image::gray8(200, 120, 200, pixels).expect("sound");
    for (image, (width, height), center) in
        [(image.clone(), (200, 120), (175.0, 45.0)), (image.rotated(Rotation::Clockwise90), (120, 200), (75.0, 175.0))]
    {
        let (found_width, found_height, rgb) = drawn(&heatmap, &image);
        // Enlarged four times; the narrower one is centred over a legend of 640 pixels.
        assert_eq!((found_width, found_height), ((width * 4).max(640), height * 4 + LEGEND));
        let (x, y, count) = colored(found_width, &rgb, height * 4);
        let x = x - f64::from(found_width - width * 4) / 2.0;
        assert!(count > 1000);
        // Bilinear between centres, the colour reaches one cell around, and is cut off at the picture's edge.
        assert!((x / 4.0 - center.0).abs() < 15.0 && (y / 4.0 - center.1).abs() < 15.0, "{x} {y} {center:?}");
    }
}

#[test]
fn overlay_without_evidence_is_grey_and_says_so() {
    let image = Image::gray8(100, 80, 100, vec![90u8; 8000]).expect("sound");
    let none = whole((100, 80), (2, 2), vec![-1.0, 0.0, -5.0, f64::NAN]);
    assert!(!none.evidence);
    let (width, height, rgb) = drawn(&none, &image);
    assert_eq!(colored(width, &rgb, height).2, 0);
    // The legend is written: not all of it is background.
    let legend = &rgb[(width * (height - LEGEND) * 3) as usize..];
    assert!(legend.iter().any(|value| *value > 200) && legend.iter().any(|value| *value < 50));
}

#[test]
fn overlay_draws_little_evidence_as_little() {
    let image = Image::gray8(100, 80, 100, vec![90u8; 8000]).expect("sound");
    let brightest = |values: Vec<f64>| {
        let (width, _, rgb) = drawn(&whole((100, 80), (1, 1), values), &image);
        rgb.chunks_exact(3).take((width * 320) as usize).map(|pixel| pixel[0]).max().expect("pixels")
    };
    // 0.05 logits are nearly nothing, and 5 are the end of the scale.
    assert!(brightest(vec![0.05]) < 110 && brightest(vec![5.0]) > 150);
}

#[test]
fn overlay_is_at_most_1024_pixels_a_side() {
    for (width, height) in [(1, 1), (3000, 7), (7, 3000), (1600, 1600), (4000, 900)] {
        let image = Image::gray8(width, height, width as usize, vec![60u8; (width * height) as usize]).expect("sound");
        let (found_width, found_height, _) = drawn(&whole((width, height), (3, 3), vec![1.0; 9]), &image);
        assert!(found_width <= 1024 && found_height <= 1024, "{width}×{height}: {found_width}×{found_height}");
    }
}

/// The width, the height and the RGB bytes of a thumbnail.
fn small(jpeg: &[u8]) -> (u32, u32, Vec<u8>) {
    let (picture, _) =
        decode_placed(&Image::from_bytes(jpeg), None, (1024, 1024), &Limits::default(), Vec::new()).expect("a JPEG");
    (picture.width, picture.height, picture.rgb)
}

#[test]
fn thumbnail_is_upright_and_at_most_128_pixels_a_side() {
    for orientation in 1..=8 {
        // The upright blob is at three quarters of the width and a quarter of the height.
        let (width, height) = upright_size(orientation);
        let blob = blob(orientation, stored(orientation, (0.75 * width, 0.25 * height)));
        let (found_width, found_height, rgb) = small(&thumbnail(&Image::from_bytes(blob)).expect("sound"));
        // 128 · 100/150 = 85.3.
        let size = if orientation >= 5 { (85, 128) } else { (128, 85) };
        assert_eq!((found_width, found_height), size, "{orientation}");
        let (brightest, _) = rgb.chunks_exact(3).enumerate().max_by_key(|(_, pixel)| pixel[0]).expect("pixels");
        let found = (brightest % found_width as usize, brightest / found_width as usize);
        let near = |found: usize, wanted: f64| (found as f64 + 0.5 - wanted).abs() < 2.0;
        assert!(near(found.0, 0.75 * f64::from(size.0)) && near(found.1, 0.25 * f64::from(size.1)), "{found:?}");
    }
}

#[test]
fn thumbnail_of_a_small_picture_is_as_small() {
    for (size, wanted) in [((5, 3), (5, 3)), ((128, 128), (128, 128)), ((3000, 7), (128, 1)), ((256, 64), (128, 32))] {
        let pixels = [200u8, 40, 40].repeat((size.0 * size.1) as usize);
        let image = Image::rgb8(size.0, size.1, size.0 as usize * 3, pixels).expect("sound");
        let (width, height, rgb) = small(&thumbnail(&image).expect("sound"));
        assert_eq!((width, height), wanted);
        assert!(
            rgb.chunks_exact(3).all(|pixel| pixel[0] > 190 && pixel[1] < 50 && pixel[2] < 50),
            "it keeps its colour"
        );
    }
}

#[test]
fn heatmap_thumbnail_has_the_size_of_the_thumbnail_and_colors_the_cell_with_evidence() {
    // The cell in column 3 and row 1 of 4×4 over 200×120 pixels: its centre is (175, 45), which is (112, 28.8) of 128×77.
    let mut values = vec![0.0; 16];
    values[4 + 3] = 5.0;
    let heatmap = whole((200, 120), (4, 4), values);
    let image = Image::gray8(200, 120, 200, vec![128u8; 200 * 120]).expect("sound");
    let (width, height, _) = small(&thumbnail(&image).expect("sound"));
    assert_eq!((width, height), (128, 77));
    let (width, height, rgb) = small(&heatmap_thumbnail(&heatmap, &image).expect("sound"));
    assert_eq!((width, height), (128, 77));
    let far = rgb.chunks_exact(3).enumerate().filter(|(_, pixel)| pixel.iter().any(|value| value.abs_diff(128) > 20));
    let places: Vec<(usize, usize)> = far.map(|(index, _)| (index % 128, index / 128)).collect();
    // The colour reaches one cell of 32×19 around its centre.
    assert!(places.len() > 200 && places.iter().all(|&(x, y)| x >= 76 && (8..50).contains(&y)), "{places:?}");
    let other = Image::gray8(120, 200, 120, vec![128u8; 200 * 120]).expect("sound");
    assert_eq!(heatmap_thumbnail(&heatmap, &other).expect_err("refused").kind(), ErrorKind::InvalidQuery);
}

#[test]
fn overlay_darkens_what_the_network_did_not_see() {
    let image = Image::gray8(100, 80, 100, vec![90u8; 8000]).expect("sound");
    let mut heatmap = whole((100, 80), (1, 1), vec![3.0]);
    heatmap.seen = [0.0, 0.0, 50.0, 80.0];
    let (width, _, rgb) = drawn(&heatmap, &image);
    let start = (width as usize - 400) / 2;
    let pixel = |x: usize, y: usize| &rgb[(y * width as usize + start + x) * 3..][..3];
    assert_eq!(pixel(300, 100), [30; 3]);
    assert_ne!(pixel(100, 100)[0], pixel(100, 100)[1]);
}

#[test]
fn overlay_refuses_another_picture() {
    let heatmap = whole((100, 80), (1, 1), vec![3.0]);
    let other = Image::gray8(80, 100, 80, vec![90u8; 8000]).expect("sound");
    let error = heatmap.overlay(&other).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert!(error.to_string().contains("100×80") && error.to_string().contains("80×100"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn heatmap_and_overlay_of_hostile_numbers_are_finite(
        bits in prop::collection::vec(any::<u64>(), 6),
        frame in prop::collection::vec(any::<u64>(), 6),
        seen in prop::collection::vec(any::<u64>(), 4),
        max in any::<u32>(),
        evidence in any::<bool>(),
    ) {
        let image = Image::gray8(6, 5, 6, vec![77u8; 30]).expect("sound");
        let mut heatmap = whole((6, 5), (3, 2), bits.iter().map(|&bits| f64::from_bits(bits)).collect());
        prop_assert!(heatmap.values.iter().all(|value| value.is_finite()) && heatmap.max.is_finite());
        prop_assert!(!heatmap.evidence || heatmap.max > 0.0);
        drawn(&heatmap, &image);

        // As somebody may have changed it.
        heatmap.values.iter_mut().zip(&bits).for_each(|(value, &bits)| *value = f32::from_bits(bits as u32));
        (heatmap.max, heatmap.evidence) = (f32::from_bits(max), evidence);
        drawn(&heatmap, &image);
        heatmap.seen = std::array::from_fn(|i| f64::from_bits(seen[i]));
        drawn(&heatmap, &image);
        heatmap.frame = std::array::from_fn(|row| std::array::from_fn(|i| f64::from_bits(frame[row * 3 + i])));
        if let Err(error) = heatmap.overlay(&image) {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        }
    }
}
