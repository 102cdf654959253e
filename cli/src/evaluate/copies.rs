//! Copies of a picture that show the same: saved again, cropped a little, and enlarged so that it is decoded at a reduced
//! scale. A model that says something else of them is not steady.

use bedside::{Image, Result, tools};
use bedside_tools::evaluate::{Copied, Level};
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};
use libjpeg_turbo_rs::{Decoder, Encoder, PixelFormat, Subsampling};

use crate::classes::level;
use crate::labelled::Net;

/// The quality of the copy that is saved again, and of the enlarged one.
const QUALITY: u8 = 75;
const FINE: u8 = 95;

/// Each of how many pixels of a side the crop takes, from either end: a fortieth, so that a twentieth is lost.
const EDGE: u32 = 40;

/// How many times the input's side the enlarged copy has at least: of one this large a quarter is decoded, or less.
const ENLARGED: u32 = 8;

/// The pixels that an enlarged copy may have: those of a picture far longer than wide would not fit into memory.
const MAX_ENLARGED: u64 = 40_000_000;

/// The triage of a picture's copies, beside its own. A copy that a JPEG can't hold, or that would be too large, is left out.
///
/// # Errors
/// Those of [`bedside::Classifier::classify`].
pub(super) fn of(net: &Net, image: &Image<'_>, triage: Level) -> Result<Vec<Copied>> {
    let (width, height, rgb) = tools::pixels(&net.classifier, image)?;
    let picture = RgbImage::from_raw(width, height, rgb).expect("three bytes a pixel");
    let said = |image: Image<'_>| Ok::<_, bedside::Error>(level(net.of(&image)?.triage));
    let of = |how: &str, from: Level, to: Level| Copied { how: how.to_owned(), from, to };

    let mut copies = Vec::new();
    if let Some(again) = jpeg(&picture, QUALITY) {
        copies.push(of("saved again as a JPEG of quality 75", triage, said(Image::from_bytes(again))?));
    }
    let cropped = cropped(&picture);
    copies.push(of("a twentieth of each side cut off", triage, said(of_pixels(&cropped)?)?));
    let input = net.classifier.manifest().input();
    let enlarged = enlarged(&picture, (input.width, input.height)).and_then(|picture| jpeg(&picture, FINE));
    if let Some(enlarged) = enlarged {
        let in_full = said(of_pixels(&decoded(&enlarged))?)?;
        let reduced = said(Image::from_bytes(enlarged))?;
        copies.push(of("enlarged, and decoded at a reduced scale", in_full, reduced));
    }
    Ok(copies)
}

fn of_pixels(picture: &RgbImage) -> Result<Image<'_>> {
    Image::rgb8(picture.width(), picture.height(), picture.width() as usize * 3, picture.as_raw().as_slice())
}

fn cropped(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    // At least one pixel, where that leaves one.
    let edge = |side: u32| side.div_ceil(EDGE).min((side - 1) / 2);
    let (left, top) = (edge(width), edge(height));
    crop_imm(picture, left, top, width - 2 * left, height - 2 * top).to_image()
}

/// The picture with both sides a whole number of times as long, and at least [`ENLARGED`] times those of the input; none
/// where that is more than [`MAX_ENLARGED`].
fn enlarged(picture: &RgbImage, input: (u32, u32)) -> Option<RgbImage> {
    let (width, height) = picture.dimensions();
    let times = (input.0 * ENLARGED).div_ceil(width).max((input.1 * ENLARGED).div_ceil(height));
    let (wide, high) = (width.checked_mul(times)?, height.checked_mul(times)?);
    let is_small = u64::from(wide) * u64::from(high) <= MAX_ENLARGED;
    is_small.then(|| resize(picture, wide, high, FilterType::Triangle))
}

/// None where a side is longer than a JPEG's may be.
fn jpeg(picture: &RgbImage, quality: u8) -> Option<Vec<u8>> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let encoder = Encoder::new(picture.as_raw(), width, height, PixelFormat::Rgb);
    encoder.quality(quality).subsampling(Subsampling::S420).encode().ok()
}

/// All pixels of a JPEG that was encoded here.
fn decoded(jpeg: &[u8]) -> RgbImage {
    let mut decoder = Decoder::new(jpeg).expect("it was encoded here");
    decoder.set_output_format(PixelFormat::Rgb);
    let image = decoder.decode_image().expect("it was encoded here");
    RgbImage::from_raw(image.width as u32, image.height as u32, image.data).expect("three bytes a pixel")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bedside::manifest::METADATA_KEY;
    use bedside::{Classifier, Options};
    use bedside_engine::Graph;
    use serde_json::json;

    use super::*;

    /// A classifier of an input of 32×32 pixels.
    fn classifier() -> Classifier {
        let manifest = json!({
            "bedside": "1.0", "kind": "scores", "name": "tiny", "version": "0.0.1", "license": "CC0-1.0",
            "input": {"color": "rgb", "width": 32, "height": 32, "resize": {"policy": "stretch"},
                      "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
            "output": {"activation": "softmax", "labels": [
                {"id": "a", "name": {"en": "A"}}, {"id": "b", "name": {"en": "B"}}, {"id": "c", "name": {"en": "C"}}]},
        });
        let graph = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/graphs/torchscript-17.onnx");
        let mut graph = Graph::open(&graph, 1 << 20).expect("a sound graph");
        graph.set_metadata(METADATA_KEY, manifest.to_string());
        Classifier::from_bytes(graph.to_bytes(), Options::default()).expect("a sound model")
    }

    #[test]
    fn crop_takes_a_fortieth_of_a_side_from_either_end() {
        for ((width, height), expected) in
            [((200, 100), (190, 94)), ((40, 39), (38, 37)), ((3, 2), (1, 2)), ((1, 1), (1, 1))]
        {
            assert_eq!(cropped(&RgbImage::new(width, height)).dimensions(), expected, "{width}×{height}");
        }
        let mut picture = RgbImage::new(80, 80);
        picture.put_pixel(2, 2, image::Rgb([255; 3]));
        assert_eq!(cropped(&picture).get_pixel(0, 0).0, [255; 3]);
    }

    #[test]
    fn enlarged_copy_is_decoded_at_a_quarter_of_its_sides() {
        let found = enlarged(&RgbImage::new(40, 32), (32, 32)).expect("small enough");
        // 8 · 32 = 256 = 6.4 · 40 = 8 · 32.
        assert_eq!(found.dimensions(), (8 * 40, 8 * 32));
        let jpeg = jpeg(&found, FINE).expect("short enough");
        assert_eq!(decoded(&jpeg).dimensions(), (320, 256));
        let (width, height, _) = tools::pixels(&classifier(), &Image::from_bytes(jpeg)).expect("a picture");
        // Of a quarter each side is at least twice the input's, and of an eighth it is not.
        assert_eq!((width, height), (80, 64));
    }

    #[test]
    fn enlarged_copy_has_eight_times_the_sides_of_the_input_unless_it_is_too_large() {
        let found = enlarged(&RgbImage::new(256, 200), (224, 224)).expect("small enough");
        // 8 · 224 = 1792 = 8.96 · 200.
        assert_eq!(found.dimensions(), (9 * 256, 9 * 200));
        // 4·10⁷ pixels hold 1792 × 22,000 and no more.
        assert!(enlarged(&RgbImage::new(100, 1_000), (224, 224)).is_some());
        assert!(enlarged(&RgbImage::new(100, 4_000), (224, 224)).is_none());
        assert!(enlarged(&RgbImage::new(1, 65_535), (224, 224)).is_none());
        assert!(jpeg(&RgbImage::new(1, 70_000), QUALITY).is_none());
    }
}
