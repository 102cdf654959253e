//! The stated tolerance: the same photo, however it arrives, gives the same measures.
//!
//! The photos are samples of 256 and 224 pixels, enlarged. `benches/quality/measure.py` does the same with Pillow on many.

use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};

use super::{FULL, Quality, decoded, input, measured};
use crate::Limits;
use crate::image::{Image, Picture, Region, Yuv420, YuvMatrix, YuvRange, decode};
use crate::manifest::{Color, ColorMeant, ResizePolicy};
use crate::preprocess::preprocessed;

/// The side of the enlarged photos. For inputs of 224 pixels, 1/4 is the smallest scale of decoding, for 112 it is 1/8.
const SIDE: u32 = 1792;

/// A sample, enlarged to `SIDE`, with noise of up to `noise` levels on all channels alike.
fn photo(name: &str, noise: i32) -> Picture {
    let small = decoded(&format!("models/samples/{name}")).expect("a sound picture");
    let large = preprocessed(&small, &input(ResizePolicy::Stretch, Color::Rgb, (SIDE, SIDE)));
    let mut state = 1u32;
    let (pixels, _) = large.pixels.as_chunks::<3>();
    let changed = pixels.iter().flat_map(|pixel| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let added = (state >> 16) as i32 % (2 * noise + 1) - noise;
        pixel.map(|level| (i32::from(level) + added).clamp(0, 255) as u8)
    });
    Picture::at_full_size(SIDE, SIDE, changed.collect())
}

fn jpeg(picture: &Picture, quality: u8) -> Vec<u8> {
    let encoder = Encoder::new(&picture.rgb, picture.width as usize, picture.height as usize, PixelFormat::Rgb);
    encoder.quality(quality).subsampling(Subsampling::S420).encode().expect("pixels of this size")
}

/// The picture as planes of Y, U and V by BT.601, each square of 2×2 pixels with the mean of its U and V.
fn frame(picture: &Picture, range: YuvRange) -> Vec<u8> {
    let (black, luma, chroma) = match range {
        YuvRange::Full => (0.0, 1.0, 1.0),
        YuvRange::Limited => (16.0, 219.0 / 255.0, 224.0 / 255.0),
    };
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    let y = |at: usize| {
        let [r, g, b] = pixels[at].map(f64::from);
        0.299 * r + 0.587 * g + 0.114 * b
    };
    let rounded = |value: f64| value.round().clamp(0.0, 255.0) as u8;
    let mut planes: Vec<u8> = (0..pixels.len()).map(|at| rounded(y(at) * luma + black)).collect();
    for (channel, divisor) in [(2, 1.772), (0, 1.402)] {
        let side = SIDE as usize;
        for (row, column) in (0..side / 2).flat_map(|row| (0..side / 2).map(move |column| (row, column))) {
            let first = 2 * row * side + 2 * column;
            let square = [first, first + 1, first + side, first + side + 1];
            let sum: f64 = square.iter().map(|&at| (f64::from(pixels[at][channel]) - y(at)) / divisor).sum();
            planes.push(rounded(sum / 4.0 * chroma + 128.0));
        }
    }
    planes
}

/// The picture inside a larger one, at (307, 211) of 2400×2400 pixels, and its region there.
fn surrounded(picture: &Picture) -> (Picture, Region) {
    let (side, left, top) = (2400, 307, 211);
    let mut rgb = [90, 120, 60].repeat((side * side) as usize);
    for (row, pixels) in picture.rgb.chunks_exact(SIDE as usize * 3).enumerate() {
        let start = ((top as usize + row) * side as usize + left as usize) * 3;
        rgb[start..start + pixels.len()].copy_from_slice(pixels);
    }
    let fraction = |pixels: u32| (f64::from(pixels) / f64::from(side)) as f32;
    let region = Region::new(fraction(left), fraction(top), fraction(SIDE), fraction(SIDE)).expect("inside");
    (Picture::at_full_size(side, side, rgb), region)
}

/// The same photo as it may arrive: what it comes as, and what is decoded. The first is the reference.
fn arrivals(photo: &Picture) -> Vec<(String, Picture)> {
    let decoded = |image: &Image<'_>, region, model_size, width| {
        let picture = decode(image, region, model_size, &Limits::default()).expect("a sound picture");
        assert_eq!(picture.width, width);
        picture
    };
    let (fine, coarse) = (jpeg(photo, 90), jpeg(photo, 60));
    let fine = Image::from_bytes(fine);
    let mut pictures = vec![("1/1".into(), decoded(&fine, None, FULL, SIDE))];
    for part in [2, 4, 8] {
        let model_side = SIDE / part / 2;
        pictures.push((format!("1/{part}"), decoded(&fine, None, (model_side, model_side), SIDE / part)));
    }
    pictures.push(("quality 60".into(), decoded(&Image::from_bytes(coarse), None, FULL, SIDE)));
    for range in [YuvRange::Full, YuvRange::Limited] {
        let planes = frame(photo, range);
        let frame = Yuv420::i420(SIDE, SIDE, &planes, YuvMatrix::Bt601, range).and_then(Image::yuv420);
        pictures.push((format!("frame, {range:?}"), decoded(&frame.expect("planes of this size"), None, FULL, SIDE)));
    }
    let (larger, region) = surrounded(photo);
    let larger = Image::from_bytes(jpeg(&larger, 90));
    pictures.push(("region".into(), decoded(&larger, Some(region), FULL, SIDE)));
    pictures.push(("region, 1/4".into(), decoded(&larger, Some(region), (SIDE / 8, SIDE / 8), SIDE / 4)));
    pictures
}

/// Asserts that each measure is within 10 % of the value wanted, or within 0.02 where that is more.
fn assert_within_tolerance(found: Quality, wanted: Quality, what: &str) {
    for (name, found, wanted) in [
        ("focus", found.focus, wanted.focus),
        ("dark", found.dark, wanted.dark),
        ("bright", found.bright, wanted.bright),
        ("contrast", found.contrast, wanted.contrast),
        ("color", found.color, wanted.color),
        ("size", found.size, wanted.size),
    ] {
        let change = (found - wanted).abs();
        println!("{what}: {name} {found} for {wanted}");
        assert!(change <= (0.1 * wanted).max(0.02), "{what}: {name} is {found}, not {wanted}");
    }
}

/// Asserts that all arrivals of a sample give the same measures, to each of the models: the colour and the side of the
/// input, and the colours that are meant.
fn assert_stable(name: &str, noise: i32, models: &[(Color, u32, Option<ColorMeant>)]) {
    let arrivals = arrivals(&photo(name, noise));
    for &(color, side, meant) in models {
        let input = input(ResizePolicy::Stretch, color, (side, side));
        let wanted = measured(&arrivals[0].1, &input, meant);
        // The decoder leaves at least twice the input.
        for (what, picture) in arrivals.iter().filter(|(_, picture)| picture.width >= 2 * side) {
            let what = format!("{name}, {what}, to a model of {side} pixels in {color:?}");
            assert_within_tolerance(measured(picture, &input, meant), wanted, &what);
        }
    }
}

#[test]
fn photo_in_colour_with_noise_gives_the_same_measures_however_it_arrives() {
    let meant = Some(ColorMeant::Rgb);
    let models = [(Color::Rgb, 224, meant), (Color::Rgb, 112, meant), (Color::Gray, 224, None)];
    assert_stable("ISIC_0012258.jpg", 10, &models);
}

#[test]
fn film_gives_the_same_measures_however_it_arrives() {
    let meant = Some(ColorMeant::Gray);
    assert_stable("IM-0001-0001.jpeg", 0, &[(Color::Gray, 224, meant), (Color::Rgb, 112, meant)]);
}
