//! JPEG, by the crate `jpeg-decoder`, at the smallest scale that leaves the model enough.
//!
//! A decoder can give an eighth, a quarter or half of each side straight from the coefficients, for a fraction of the
//! work and the memory.

use std::borrow::Cow;
use std::io::ErrorKind;

use jpeg_decoder::{CodingProcess, ColorTransform, Decoder, ImageInfo, PixelFormat};

use super::Picture;
use super::Wanted;
use super::encoded::ends_early;
use super::jpeg_header::Header;
use super::orientation::Orientation;
use super::pixels::{Layout, Packed};
use super::region::Rectangle;
use super::size::{check_declared, check_decoded};
use crate::{Error, Result};

/// A picture is resized from at least this many times the model's size: less would let the coarse filter of a scaled
/// decoder show.
const OVERSAMPLING: u64 = 2;

pub(super) fn decode(bytes: &[u8], wanted: &Wanted) -> Result<Picture> {
    let mut decoder = Decoder::new(bytes);
    let declared = read_header(&mut decoder)?;
    let size = (u32::from(declared.width), u32::from(declared.height));
    check_declared(size, &wanted.limits)?;
    let layout = layout(declared)?;

    let header = Header::read(bytes).ok_or_else(|| ends_early("JPEG"))?;
    let eighths = scale(size, wanted.orientation(stored(&decoder)), wanted);
    check_decoded(size, header.working_bytes(size, eighths), &wanted.limits)?;
    if header.is_plain_rgb() {
        decoder.set_color_transform(ColorTransform::RGB);
    }
    decoder.set_max_decoding_buffer_size(usize::try_from(wanted.limits.max_decoded_bytes).unwrap_or(usize::MAX));
    let size = set_scale(&mut decoder, size, eighths)?;
    let data = decoder.decode().map_err(undecoded)?;

    let orientation = wanted.orientation(stored(&decoder));
    let rectangle = Rectangle::of(wanted.region, orientation.size(size));
    let row_stride = size.0 as usize * layout.bytes_per_pixel();
    Ok(Packed::new(layout, size, row_stride, Cow::Owned(data))?.into_upright(orientation, rectangle))
}

fn read_header(decoder: &mut Decoder<&[u8]>) -> Result<ImageInfo> {
    decoder.read_info().map_err(undecoded)?;
    decoder.info().ok_or_else(|| ends_early("JPEG"))
}

fn layout(info: ImageInfo) -> Result<Layout> {
    match (info.coding_process, info.pixel_format) {
        (CodingProcess::Lossless, _) | (_, PixelFormat::L16) => Err(Error::UnsupportedImage(
            "JPEG: the lossless variant is not read; export the picture as PNG or as ordinary JPEG".into(),
        )),
        (_, PixelFormat::L8) => Ok(Layout::Gray8),
        (_, PixelFormat::RGB24) => Ok(Layout::Rgb8),
        // The decoder inverts the samples, as Adobe's files store them and as every other reader takes them to be.
        (_, PixelFormat::CMYK32) => Ok(Layout::Cmyk8),
    }
}

/// How the camera says it was held. The EXIF segment stands before the frame header (EXIF 2.32, 4.5.4); one that
/// comes late is still heeded once all is read.
fn stored(decoder: &Decoder<&[u8]>) -> Orientation {
    let value = decoder.exif_data().and_then(::image::metadata::Orientation::from_exif_chunk);
    value.map_or_else(Orientation::default, |value| Orientation::from_exif(value.to_exif()))
}

/// The smallest scale, in eighths of each side, that leaves [`OVERSAMPLING`] times the model's size in the region.
fn scale(size: (u32, u32), orientation: Orientation, wanted: &Wanted) -> u32 {
    let enough = |eighths: u32| {
        let upright = orientation.size(scaled(size, eighths));
        let region = Rectangle::of(wanted.region, upright);
        u64::from(region.width) >= OVERSAMPLING * u64::from(wanted.least.0)
            && u64::from(region.height) >= OVERSAMPLING * u64::from(wanted.least.1)
    };
    [1, 2, 4].into_iter().find(|&eighths| enough(eighths)).unwrap_or(8)
}

fn scaled((width, height): (u32, u32), eighths: u32) -> (u32, u32) {
    ((width * eighths).div_ceil(8), (height * eighths).div_ceil(8))
}

/// Asks the decoder for a scale; gives the size that it will decode to.
///
/// The decoder takes the first scale at which *either* side is as long as asked. Asked for exactly the scaled size, it
/// takes the wanted one, for no smaller scale gives a side as long: a scale below 8 is chosen only where both sides come
/// out at 2 pixels or more.
fn set_scale(decoder: &mut Decoder<&[u8]>, size: (u32, u32), eighths: u32) -> Result<(u32, u32)> {
    if eighths == 8 {
        return Ok(size);
    }
    let (width, height) = scaled(size, eighths);
    let (width, height) = decoder.scale(width as u16, height as u16).map_err(undecoded)?;
    Ok((u32::from(width), u32::from(height)))
}

fn undecoded(error: jpeg_decoder::Error) -> Error {
    match error {
        jpeg_decoder::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => ends_early("JPEG"),
        jpeg_decoder::Error::Unsupported(feature) => Error::UnsupportedImage(format!(
            "JPEG: {feature:?} is not supported; export the picture as PNG or as ordinary JPEG"
        )),
        error => Error::MalformedImage(format!("JPEG: the picture is damaged ({error}); copy or export it again")),
    }
}
