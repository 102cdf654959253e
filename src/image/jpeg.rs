//! Decoding of JPEG, with the crate `libjpeg-turbo-rs`, at the smallest scale that is large enough for the model's
//! input.
//!
//! A JPEG decoder can scale each side by 1/8, 1/4 or 1/2 in the inverse DCT, which takes a fraction of the time and the
//! memory of decoding at full size. The pixels are those of libjpeg-turbo to the bit at each scale, and so those of
//! Pillow, with `draft` for the reduced scales.

use std::borrow::Cow;

use libjpeg_turbo_rs::{
    ColorSpace, ComponentInfo, DecodeLimits, Decoder, FrameHeader, JpegError, PixelFormat, ScalingFactor,
};

use super::encoded::ends_early;
use super::format::Format;
use super::metadata;
use super::orientation::Orientation;
use super::picture::{Picture, Placement};
use super::pixels::{PackedPixels, PixelLayout};
use super::region::Rectangle;
use super::request::DecodeRequest;
use super::size::{check_declared, check_decoded};
use super::window::{self, Window};
use crate::{Error, ErrorKind, Result};

/// A reduced scale must leave at least this many times the width and the height of the model's input. Below that, the
/// coarse filter of the scaled inverse DCT would dominate the result of resizing.
const OVERSAMPLING: u64 = 2;

/// The maximum number of scans, far above the about ten of a progressive file. It bounds the time, since each scan can
/// visit all coefficients.
pub(crate) const MAX_SCANS: usize = 100;

/// Decodes a JPEG, upright and cropped as the request says, and tells where the picture lies in the stored one.
pub(super) fn decode(bytes: &[u8], request: &DecodeRequest) -> Result<(Picture, Placement)> {
    // `check_declared` and `check_decoded` below check the sizes, with this crate's messages.
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
    if request.window != Window::First {
        return Err(window::none());
    }
    let orientation = request.orientation(metadata::orientation(Format::Jpeg, bytes));
    let eighths = scale(declared, orientation, request);
    check_decoded(declared, working_bytes(frame, eighths), &request.limits)?;

    decoder.set_output_format(format);
    decoder.set_scale(ScalingFactor::try_new(1, 8 / eighths).map_err(undecoded)?);
    let mut pixels = decoder.decode_image().map_err(undecoded)?;
    if layout == PixelLayout::Cmyk8 {
        // Adobe stores CMYK inverted (255 is no ink), and other decoders assume so for all files.
        pixels.data.iter_mut().for_each(|sample| *sample = 255 - *sample);
    }
    let size = (pixels.width as u32, pixels.height as u32);
    let row_stride = pixels.width * layout.bytes_per_pixel();
    let rectangle = Rectangle::of(request.region, orientation.size(size));
    let source = Rectangle::of(request.region, orientation.size(declared));
    // Each block of 8×8 pixels is decoded to a block of `eighths` a side, also where the last one is incomplete.
    let placement = rectangle.placement(orientation, size, declared, 8.0 / f64::from(eighths));
    let pixels = PackedPixels::new(layout, size, row_stride, Cow::Owned(pixels.data))?;
    let picture = pixels.into_upright(orientation, rectangle);
    Ok((Picture { source_size: (source.width, source.height), ..picture }, placement))
}

/// The layout that a file is decoded to, and its name in the decoder.
fn layout(decoder: &Decoder<'_>) -> Result<(PixelLayout, PixelFormat)> {
    let frame = decoder.header();
    if frame.is_lossless || frame.precision != 8 || decoder.is_arithmetic() {
        return Err(not_read("the lossless, the 12-bit and the arithmetic-coded variant are"));
    }
    match decoder.jpeg_color_space() {
        ColorSpace::Grayscale => Ok((PixelLayout::Gray8, PixelFormat::Grayscale)),
        ColorSpace::YCbCr | ColorSpace::Rgb => Ok((PixelLayout::Rgb8, PixelFormat::Rgb)),
        ColorSpace::Cmyk | ColorSpace::Ycck if is_printed(&frame.components) => {
            Ok((PixelLayout::Cmyk8, PixelFormat::Cmyk))
        }
        ColorSpace::Cmyk | ColorSpace::Ycck => Err(not_read("four components of such sampling are")),
        ColorSpace::Unknown => Err(not_read("a picture of two components is")),
    }
}

/// The error of a variant that is not decoded. `what` is the subject of the message, with its verb.
fn not_read(what: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedImage,
        format!("JPEG: {what} not read; export the picture as PNG or as ordinary JPEG"),
    )
}

/// Whether four components have the sampling that printing programs write: the first and the black one at full size,
/// the two others alike. The decoder gives wrong pixels for other sampling.
fn is_printed(components: &[ComponentInfo]) -> bool {
    let factors: Vec<(u8, u8)> = components.iter().map(|c| (c.horizontal_sampling, c.vertical_sampling)).collect();
    let [first, second, third, black] = factors[..] else { return false };
    let divides = |part: u8, whole: u8| part > 0 && part <= whole && whole.is_multiple_of(part);
    first == black && second == third && divides(second.0, first.0) && divides(second.1, first.1)
}

/// The smallest scale, in eighths of each side (1, 2, 4), at which the region has [`OVERSAMPLING`] times the model's
/// width and height; 8, full size, where there is none. `size` is the stored width and height.
fn scale(size: (u32, u32), orientation: Orientation, request: &DecodeRequest) -> u32 {
    let enough = |eighths: u32| {
        let upright = orientation.size(scaled(size, eighths));
        let region = Rectangle::of(request.region, upright);
        u64::from(region.width) >= OVERSAMPLING * u64::from(request.model_size.0)
            && u64::from(region.height) >= OVERSAMPLING * u64::from(request.model_size.1)
    };
    [1, 2, 4].into_iter().find(|&eighths| enough(eighths)).unwrap_or(8)
}

/// The size of a picture decoded at a scale, rounded up as in libjpeg.
fn scaled((width, height): (u32, u32), eighths: u32) -> (u32, u32) {
    ((width * eighths).div_ceil(8), (height * eighths).div_ceil(8))
}

/// The bytes that decoding takes: the samples of each component, the pixels made from them, a copy of the pixels for
/// rotating or cropping, and a progressive file's coefficients, 16 bits each, at full size.
pub(super) fn working_bytes(frame: &FrameHeader, eighths: u32) -> u64 {
    let factors =
        || frame.components.iter().map(|c| (u64::from(c.horizontal_sampling), u64::from(c.vertical_sampling)));
    let max_h = factors().map(|(h, _)| h).max().unwrap_or(1).max(1);
    let max_v = factors().map(|(_, v)| v).max().unwrap_or(1).max(1);
    let units = u64::from(frame.width).div_ceil(8 * max_h) * u64::from(frame.height).div_ceil(8 * max_v);
    let blocks: u64 = factors().map(|(h, v)| units * h * v).sum();

    // A subsampled component is scaled to the size of the scaled picture, or to its own full size where that is
    // smaller.
    let side = u64::from(eighths);
    let largest = units * max_h * max_v * side * side;
    let samples: u64 = factors().map(|(h, v)| largest.min(units * h * v * 64)).sum();
    let (width, height) = scaled((u32::from(frame.width), u32::from(frame.height)), eighths);
    let pixels = u64::from(width) * u64::from(height);
    let coefficients = if frame.is_progressive { blocks * 64 * 2 } else { 0 };
    samples + pixels * frame.components.len() as u64 + pixels * 3 + coefficients
}

/// An error of the decoder as an error of this crate.
fn undecoded(error: JpegError) -> Error {
    match error {
        JpegError::UnexpectedEof => ends_early("JPEG"),
        JpegError::Unsupported(feature) => not_read(&format!("this one's feature ({feature}) is")),
        error @ (JpegError::LimitExceeded { .. } | JpegError::AllocationFailed { .. }) => {
            Error::new(ErrorKind::TooLarge, format!("JPEG: {error}; export the picture again, smaller"))
        }
        error => Error::new(
            ErrorKind::MalformedImage,
            format!("JPEG: the picture is damaged ({error}); copy or export it again"),
        ),
    }
}
