//! Copies of a picture that show the same: saved again, cropped a little, and enlarged so that it is decoded at a reduced
//! scale. A model that says something else of them is not steady.

use bedside::{Classifier, Image, Result, tools};
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

/// How many times the input's side the enlarged copy has at least: of one this large a quarter is decoded.
const ENLARGED: u32 = 8;

/// The triage of a picture's copies, beside its own.
///
/// # Errors
/// Those of [`Classifier::classify`].
pub(super) fn of(net: &Net, image: &Image<'_>, triage: Level) -> Result<Vec<Copied>> {
    let (width, height, rgb) = tools::pixels(&net.classifier, image)?;
    let picture = RgbImage::from_raw(width, height, rgb).expect("three bytes a pixel");
    let said = |image: Image<'_>| Ok::<_, bedside::Error>(level(net.of(&image)?.triage));
    let copied = |how: &str, from: Level, to: Level| Copied { how: how.to_owned(), from, to };

    let again = said(Image::from_bytes(jpeg(&picture, QUALITY)))?;
    let cropped = said(of_pixels(&cropped(&picture))?)?;
    let enlarged = jpeg(&enlarged(&net.classifier, &picture), FINE);
    let in_full = said(of_pixels(&decoded(&enlarged))?)?;
    let reduced = said(Image::from_bytes(enlarged))?;
    Ok(vec![
        copied("saved again as a JPEG of quality 75", triage, again),
        copied("a twentieth of each side cut off", triage, cropped),
        copied("enlarged, and decoded at a quarter of the scale", in_full, reduced),
    ])
}

fn of_pixels(picture: &RgbImage) -> Result<Image<'_>> {
    Image::rgb8(picture.width(), picture.height(), picture.width() as usize * 3, picture.as_raw().as_slice())
}

fn cropped(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (left, top) = (width / EDGE, height / EDGE);
    crop_imm(picture, left, top, width - 2 * left, height - 2 * top).to_image()
}

/// The picture with both sides a whole number of times as long, and at least [`ENLARGED`] times the input's.
fn enlarged(classifier: &Classifier, picture: &RgbImage) -> RgbImage {
    let input = classifier.manifest().input();
    let (width, height) = picture.dimensions();
    let times = (input.width * ENLARGED).div_ceil(width).max((input.height * ENLARGED).div_ceil(height));
    resize(picture, width * times, height * times, FilterType::Triangle)
}

fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let encoder = Encoder::new(picture.as_raw(), width, height, PixelFormat::Rgb);
    encoder.quality(quality).subsampling(Subsampling::S420).encode().expect("a JPEG has at most 65,535 pixels a side")
}

/// All pixels of a JPEG that was encoded here.
fn decoded(jpeg: &[u8]) -> RgbImage {
    let mut decoder = Decoder::new(jpeg).expect("it was encoded here");
    decoder.set_output_format(PixelFormat::Rgb);
    let image = decoder.decode_image().expect("it was encoded here");
    RgbImage::from_raw(image.width as u32, image.height as u32, image.data).expect("three bytes a pixel")
}
