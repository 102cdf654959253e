//! Copies of sound pictures that are resized and saved again, as pictures are that were sent or exported: novelty is fitted
//! on them too where asked for, so that it does not take another encoding for another thing.

use bedside::{Classifier, Image, Result, tools};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};
use sha2::{Digest, Sha256};

/// The sides of copies over the input's, in hundredths, and their qualities on the scale of libjpeg.
const SIDES: (u32, u32) = (64, 114);
const QUALITIES: (u32, u32) = (60, 95);

/// A JPEG of 4:2:0 of a picture, stretched to the input's shape: its size and its quality are drawn by the file's name.
pub(super) fn resaved(classifier: &Classifier, image: &Image<'_>, file: &str) -> Result<Vec<u8>> {
    let (width, height, rgb) = tools::pixels(classifier, image)?;
    let picture = RgbImage::from_raw(width, height, rgb).expect("three bytes a pixel");
    let (hundredths, quality) = drawn(file);
    let input = classifier.manifest().input();
    let side = |side: u32| (side * hundredths / 100).max(1);
    let copy = resize(&picture, side(input.width), side(input.height), FilterType::Triangle);
    let (width, height) = (copy.width() as usize, copy.height() as usize);
    let encoder = Encoder::new(copy.as_raw(), width, height, PixelFormat::Rgb);
    let jpeg = encoder.quality(quality).subsampling(Subsampling::S420).encode();
    Ok(jpeg.expect("a JPEG has at most 65,535 pixels a side, and an input has 4,096"))
}

/// A size and a quality, each as likely as any other.
fn drawn(file: &str) -> (u32, u8) {
    let hash = Sha256::digest(file);
    let at = |byte: usize, (from, to): (u32, u32)| {
        let number = u32::from_be_bytes([hash[byte], hash[byte + 1], hash[byte + 2], hash[byte + 3]]);
        from + number % (to - from + 1)
    };
    (at(0, SIDES), at(4, QUALITIES) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_are_all_sizes_and_qualities() {
        let all: Vec<(u32, u8)> = (0..2_000).map(|i| drawn(&format!("{i}.jpg"))).collect();
        for hundredths in SIDES.0..=SIDES.1 {
            assert!(all.iter().any(|(found, _)| *found == hundredths), "{hundredths}");
        }
        for quality in QUALITIES.0..=QUALITIES.1 {
            assert!(all.iter().any(|(_, found)| u32::from(*found) == quality), "{quality}");
        }
        assert!(all.iter().all(|(side, quality)| (64..=114).contains(side) && (60..=95).contains(quality)));
        assert_eq!(drawn("a"), drawn("a"));
    }
}
