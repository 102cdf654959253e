//! JPEG, by the crate `libjpeg-turbo-rs`, at the smallest scale that leaves the model enough.
//!
//! A decoder can give an eighth, a quarter or half of each side straight from the coefficients, for a fraction of the
//! work and the memory. This one gives libjpeg-turbo's own pixels, to the bit, at every scale: what Pillow gives, with
//! `draft` where it is scaled.

use std::borrow::Cow;

use libjpeg_turbo_rs::{
    ColorSpace, ComponentInfo, DecodeLimits, Decoder, FrameHeader, JpegError, PixelFormat, ScalingFactor,
};

use super::encoded::ends_early;
use super::format::Format;
use super::metadata;
use super::orientation::Orientation;
use super::picture::Picture;
use super::pixels::{Layout, Packed};
use super::region::Rectangle;
use super::request::DecodeRequest;
use super::size::{check_declared, check_decoded};
use crate::{Error, Result};

/// A picture is resized from at least this many times the model's size: less would let the coarse filter of a scaled
/// decoder show.
const OVERSAMPLING: u64 = 2;

/// More scans than any encoder writes: a progressive file has about ten. Each costs a walk over all coefficients.
const MAX_SCANS: usize = 100;

pub(super) fn decode(bytes: &[u8], request: &DecodeRequest) -> Result<Picture> {
    // The sizes are checked below, in the words of this library.
    let longest = usize::from(u16::MAX);
    let limits = DecodeLimits {
        max_width: longest,
        max_height: longest,
        max_pixels: u64::MAX,
        max_scans: MAX_SCANS,
        max_memory: None,
    };
    let mut decoder = Decoder::new_with_limits(bytes, limits).map_err(undecoded)?;
    let frame = decoder.header();
    let declared = (u32::from(frame.width), u32::from(frame.height));
    check_declared(declared, &request.limits)?;
    let (layout, format) = layout(&decoder)?;
    let orientation = request.orientation(metadata::orientation(Format::Jpeg, bytes));
    let eighths = scale(declared, orientation, request);
    check_decoded(declared, working_bytes(frame, eighths), &request.limits)?;

    decoder.set_output_format(format);
    decoder.set_scale(ScalingFactor::try_new(1, 8 / eighths).map_err(undecoded)?);
    let mut pixels = decoder.decode_image().map_err(undecoded)?;
    if layout == Layout::Cmyk8 {
        // Adobe's files store paper, not ink, and every other reader takes them to.
        pixels.data.iter_mut().for_each(|sample| *sample = 255 - *sample);
    }
    let size = (pixels.width as u32, pixels.height as u32);
    let row_stride = pixels.width * layout.bytes_per_pixel();
    let rectangle = Rectangle::of(request.region, orientation.size(size));
    Ok(Packed::new(layout, size, row_stride, Cow::Owned(pixels.data))?.into_upright(orientation, rectangle))
}

/// What a file's pixels are decoded to.
fn layout(decoder: &Decoder<'_>) -> Result<(Layout, PixelFormat)> {
    let frame = decoder.header();
    if frame.is_lossless || frame.precision != 8 || decoder.is_arithmetic() {
        return Err(not_read("the lossless, the 12-bit and the arithmetic-coded variant are"));
    }
    match decoder.jpeg_color_space() {
        ColorSpace::Grayscale => Ok((Layout::Gray8, PixelFormat::Grayscale)),
        ColorSpace::YCbCr | ColorSpace::Rgb => Ok((Layout::Rgb8, PixelFormat::Rgb)),
        ColorSpace::Cmyk | ColorSpace::Ycck if is_printed(&frame.components) => Ok((Layout::Cmyk8, PixelFormat::Cmyk)),
        ColorSpace::Cmyk | ColorSpace::Ycck => Err(not_read("four components of such sampling are")),
        ColorSpace::Unknown => Err(not_read("a picture of two components is")),
    }
}

fn not_read(what: &str) -> Error {
    Error::UnsupportedImage(format!("JPEG: {what} not read; export the picture as PNG or as ordinary JPEG"))
}

/// Whether four components are sampled as printing programs write them: the first and the black one in full, the two
/// between alike. Of others the decoder makes nothing sound.
fn is_printed(components: &[ComponentInfo]) -> bool {
    let factors: Vec<(u8, u8)> = components.iter().map(|c| (c.horizontal_sampling, c.vertical_sampling)).collect();
    let [first, second, third, black] = factors[..] else { return false };
    let divides = |part: u8, whole: u8| part > 0 && part <= whole && whole.is_multiple_of(part);
    first == black && second == third && divides(second.0, first.0) && divides(second.1, first.1)
}

/// The smallest scale, in eighths of each side, that leaves [`OVERSAMPLING`] times the model's size in the region.
fn scale(size: (u32, u32), orientation: Orientation, request: &DecodeRequest) -> u32 {
    let enough = |eighths: u32| {
        let upright = orientation.size(scaled(size, eighths));
        let region = Rectangle::of(request.region, upright);
        u64::from(region.width) >= OVERSAMPLING * u64::from(request.model_size.0)
            && u64::from(region.height) >= OVERSAMPLING * u64::from(request.model_size.1)
    };
    [1, 2, 4].into_iter().find(|&eighths| enough(eighths)).unwrap_or(8)
}

fn scaled((width, height): (u32, u32), eighths: u32) -> (u32, u32) {
    ((width * eighths).div_ceil(8), (height * eighths).div_ceil(8))
}

/// What decoding takes, in bytes: each component's samples, the picture made of them, a copy of it for turning or
/// cropping, and a progressive file's coefficients, 16 bits each, at full size.
pub(super) fn working_bytes(frame: &FrameHeader, eighths: u32) -> u64 {
    let factors =
        || frame.components.iter().map(|c| (u64::from(c.horizontal_sampling), u64::from(c.vertical_sampling)));
    let across = factors().map(|(across, _)| across).max().unwrap_or(1).max(1);
    let down = factors().map(|(_, down)| down).max().unwrap_or(1).max(1);
    let units = u64::from(frame.width).div_ceil(8 * across) * u64::from(frame.height).div_ceil(8 * down);
    let blocks: u64 = factors().map(|(across, down)| units * across * down).sum();

    // A subsampled component is scaled less than the others, up to the picture's own size.
    let side = u64::from(eighths);
    let largest = units * across * down * side * side;
    let samples: u64 = factors().map(|(across, down)| largest.min(units * across * down * 64)).sum();
    let (width, height) = scaled((u32::from(frame.width), u32::from(frame.height)), eighths);
    let pixels = u64::from(width) * u64::from(height);
    let coefficients = if frame.is_progressive { blocks * 64 * 2 } else { 0 };
    samples + pixels * frame.components.len() as u64 + pixels * 3 + coefficients
}

fn undecoded(error: JpegError) -> Error {
    match error {
        JpegError::UnexpectedEof => ends_early("JPEG"),
        JpegError::Unsupported(feature) => not_read(&format!("this one's feature ({feature}) is")),
        error @ (JpegError::LimitExceeded { .. } | JpegError::AllocationFailed { .. }) => {
            Error::TooLarge(format!("JPEG: {error}; export the picture again, smaller"))
        }
        error => Error::MalformedImage(format!("JPEG: the picture is damaged ({error}); copy or export it again")),
    }
}
