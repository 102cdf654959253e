//! Decoding of PNG, WebP, BMP and TIFF, with the crate `image`.
//!
//! Of a TIFF the first page is decoded, of an animation the first frame.

use std::borrow::Cow;
use std::io::{self, Cursor};

use ::image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::deep;
use super::format::Format;
use super::metadata;
use super::picture::{Picture, Placement};
use super::pixels::{PackedPixels, PixelLayout};
use super::region::Rectangle;
use super::request::DecodeRequest;
use super::size::{check_declared, check_decoded};
use super::window::{self, Window};
use crate::{Error, ErrorKind, Result};

/// Decodes an encoded picture of a format, upright and cropped as the request says, and tells where the picture lies in
/// the stored one.
pub(super) fn decode(format: ImageFormat, bytes: &[u8], request: &DecodeRequest) -> Result<(Picture, Placement)> {
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
    let scratch = scratch_bytes(format, size, total).saturating_add(copied);
    let working = total.saturating_add(scratch).saturating_add(rectangle.pixels() * 3);
    check_decoded(size, working, &request.limits)?;
    let mut data = vec![0; total as usize];
    decoder.read_image(&mut data).map_err(|error| undecoded(name, error))?;
    match layout {
        PixelLayout::Gray16 => deep::scale((format, name), &bytes, &mut data, 1, request.window)?,
        PixelLayout::GrayAlpha16 => deep::scale((format, name), &bytes, &mut data, 2, request.window)?,
        _ if request.window != Window::First => return Err(window::none()),
        _ => {}
    }
    let row_stride = size.0 as usize * layout.bytes_per_pixel();
    let placement = rectangle.placement(orientation, size, size, 1.0);
    let pixels = PackedPixels::new(layout, size, row_stride, Cow::Owned(data))?;
    Ok((pixels.into_upright(orientation, rectangle), placement))
}

/// The bytes that a decoder allocates besides its result of `total` bytes, as far as they grow with the picture. `tiff`
/// decodes into a buffer of its own, which has four channels for CMYK; `image-webp` decodes into planes or into RGBA.
fn scratch_bytes(format: ImageFormat, (width, height): (u32, u32), total: u64) -> u64 {
    match format {
        ImageFormat::Tiff => total.saturating_add(total / 3),
        ImageFormat::WebP => u64::from(width) * u64::from(height) * 4,
        _ => 0,
    }
}

/// The layout of the pixels that a decoder gives.
fn layout(name: &str, color: ColorType) -> Result<PixelLayout> {
    Ok(match color {
        ColorType::L8 => PixelLayout::Gray8,
        ColorType::La8 => PixelLayout::GrayAlpha8,
        ColorType::Rgb8 => PixelLayout::Rgb8,
        ColorType::Rgba8 => PixelLayout::Rgba8,
        ColorType::L16 => PixelLayout::Gray16,
        ColorType::La16 => PixelLayout::GrayAlpha16,
        ColorType::Rgb16 => PixelLayout::Rgb16,
        ColorType::Rgba16 => PixelLayout::Rgba16,
        _ => {
            return Err(Error::new(
                ErrorKind::UnsupportedImage,
                format!("{name}: floating-point samples are not read; export the picture with 8 or 16 bits a channel"),
            ));
        }
    })
}

/// The name of a format in error messages.
fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => "TIFF",
    }
}

/// An error of the decoder of the format `name` as an error of this crate.
fn undecoded(name: &str, error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::new(
            ErrorKind::TooLarge,
            format!(
                "{name}: decoding takes more memory than is allowed; reduce the picture or raise the limit max_decoded_bytes"
            ),
        ),
        ImageError::Unsupported(problem) => Error::new(
            ErrorKind::UnsupportedImage,
            format!("{name}: {problem}; export the picture as an ordinary PNG or JPEG"),
        ),
        ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => ends_early(name),
        error => Error::new(
            ErrorKind::MalformedImage,
            format!("{name}: the picture is damaged ({error}); copy or export it again"),
        ),
    }
}

/// The error of a file of the format `name` that is truncated.
pub(super) fn ends_early(name: &str) -> Error {
    Error::new(
        ErrorKind::MalformedImage,
        format!("{name}: the file ends before the picture does; copy or export it again"),
    )
}
