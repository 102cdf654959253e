//! PNG, WebP, BMP and TIFF, by the crate `image`.
//!
//! The first page of a TIFF and the first frame of an animation are taken.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};

use ::image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::format::Format;
use super::metadata;
use super::picture::Picture;
use super::pixels::{Layout, Packed};
use super::region::Rectangle;
use super::request::DecodeRequest;
use super::size::{check_declared, check_decoded};
use crate::{Error, Result};

pub(super) fn decode(format: ImageFormat, bytes: &[u8], request: &DecodeRequest) -> Result<Picture> {
    let name = name(format);
    let bytes = if format == ImageFormat::WebP { metadata::webp_as_announced(bytes) } else { bytes.into() };
    let copied = if let Cow::Owned(copy) = &bytes { copy.len() as u64 } else { 0 };
    let mut reader = ImageReader::with_format(Cursor::new(&*bytes), format);
    let mut bounds = ::image::Limits::no_limits();
    bounds.max_alloc = Some(request.limits.max_decoded_bytes);
    reader.limits(bounds);
    let decoder = reader.into_decoder().map_err(|error| undecoded(name, error))?;
    let size = decoder.dimensions();
    check_declared(size, &request.limits)?;
    let layout = layout(name, decoder.color_type())?;
    let orientation = request.orientation(metadata::orientation(Format::Other(format), &bytes));
    let rectangle = Rectangle::of(request.region, orientation.size(size));

    let total = decoder.total_bytes();
    let beside = beside(format, size, total).saturating_add(copied);
    let working = total.saturating_add(beside).saturating_add(rectangle.pixels() * 3);
    check_decoded(size, working, &request.limits)?;
    let mut data = vec![0; total as usize];
    decoder.read_image(&mut data).map_err(|error| undecoded(name, error))?;
    let row_stride = size.0 as usize * layout.bytes_per_pixel();
    Ok(Packed::new(layout, size, row_stride, Cow::Owned(data))?.into_upright(orientation, rectangle))
}

/// What a decoder takes beside its result, in bytes, where that grows with the picture: `tiff` decodes into a buffer of
/// its own, of four channels for CMYK; `image-webp` into planes, or into RGBA.
fn beside(format: ImageFormat, (width, height): (u32, u32), total: u64) -> u64 {
    match format {
        ImageFormat::Tiff => total.saturating_add(total / 3),
        ImageFormat::WebP => u64::from(width) * u64::from(height) * 4,
        _ => 0,
    }
}

fn layout(name: &str, color: ColorType) -> Result<Layout> {
    Ok(match color {
        ColorType::L8 => Layout::Gray8,
        ColorType::La8 => Layout::GrayAlpha8,
        ColorType::Rgb8 => Layout::Rgb8,
        ColorType::Rgba8 => Layout::Rgba8,
        ColorType::L16 => Layout::Gray16,
        ColorType::La16 => Layout::GrayAlpha16,
        ColorType::Rgb16 => Layout::Rgb16,
        ColorType::Rgba16 => Layout::Rgba16,
        _ => {
            return Err(Error::UnsupportedImage(format!(
                "{name}: floating-point samples are not read; export the picture with 8 or 16 bits a channel"
            )));
        }
    })
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => "TIFF",
    }
}

fn undecoded(name: &str, error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::TooLarge(format!(
            "{name}: decoding takes more memory than is allowed; reduce the picture or raise the limit max_decoded_bytes"
        )),
        ImageError::Unsupported(problem) => {
            Error::UnsupportedImage(format!("{name}: {problem}; export the picture as an ordinary PNG or JPEG"))
        }
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => ends_early(name),
        error => Error::MalformedImage(format!("{name}: the picture is damaged ({error}); copy or export it again")),
    }
}

/// A file that was cut off.
pub(super) fn ends_early(name: &str) -> Error {
    Error::MalformedImage(format!("{name}: the file ends before the picture does; copy or export it again"))
}
