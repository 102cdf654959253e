//! A picture, from the bytes or the camera frame that the caller has to upright RGB pixels.
//!
//! Decoding knows how large the model's input is, and decodes no larger than needed; what it does not do is bring the
//! picture to that size: that is the next stage's, `preprocess`. Nothing here logs: pictures never enter a log.

mod encoded;
mod exif;
mod format;
mod jpeg;
mod metadata;
mod orientation;
mod picture;
mod pixels;
mod region;
mod request;
mod size;
mod yuv;

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;

use bedside_engine::read_bounded;

use crate::{Error, Limits, Result};

use format::Format;
use orientation::Orientation;
use pixels::{Layout, Packed, upright};
use region::Rectangle;
use request::DecodeRequest;
use size::{check_declared, check_decoded};

pub use orientation::Rotation;
pub(crate) use picture::Picture;
pub use region::Region;
pub use yuv::{Plane, Yuv420, YuvMatrix, YuvRange};

/// The longest file that [`Image::open`] reads, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// A picture to look at: encoded bytes, or pixels.
///
/// Encoded pictures are JPEG, PNG, WebP, BMP or TIFF, told by their first bytes. They are decoded inside
/// [`Classifier::classify`](crate::Classifier::classify), at the scale that the model needs, and brought upright by their
/// EXIF orientation. What they hold becomes 8-bit RGB:
///
/// - 16-bit samples are rounded to the nearest of 256 levels;
/// - transparent pixels are laid over white;
/// - grey becomes equal red, green and blue; CMYK is taken as Adobe stores it, and converted without a profile;
/// - colours are taken as sRGB: an embedded profile, such as Display P3, is not applied;
/// - of an animation the first frame is taken, of a TIFF the first page.
///
/// Pixels given directly are upright unless [`rotated`](Image::rotated) says otherwise, and borrowed where that is what
/// the caller hands over.
#[derive(Clone)]
pub struct Image<'a> {
    source: Source<'a>,
    name: Option<String>,
    rotation: Rotation,
    mirrored: bool,
}

#[derive(Clone)]
enum Source<'a> {
    Encoded(Cow<'a, [u8]>),
    Packed(Packed<'a>),
    Yuv(Yuv420<'a>),
}

// Pictures never enter a log: the kind and the name only.
impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Encoded(bytes) => format!("{} encoded bytes", bytes.len()),
            Source::Packed(pixels) => format!("pixels {:?}", pixels.size()),
            Source::Yuv(frame) => format!("YUV 4:2:0 {:?}", (frame.width, frame.height)),
        };
        f.debug_struct("Image")
            .field("source", &source)
            .field("name", &self.name)
            .field("rotation", &self.rotation)
            .field("mirrored", &self.mirrored)
            .finish()
    }
}

impl Image<'static> {
    /// Reads an encoded picture from a file, or from a pipe to its end. It is named after the path, as given.
    ///
    /// # Errors
    /// [`Error::Io`] where the file is missing, may not be read, or is a folder; [`Error::TooLarge`] where it is longer than
    /// 256 MiB.
    pub fn open(path: impl AsRef<Path>) -> Result<Image<'static>> {
        let path = path.as_ref();
        let bytes = read_bounded(path, MAX_FILE_BYTES).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => {
                Error::TooLarge(format!("{}: the picture has {error}; export a smaller one", path.display()))
            }
            _ => Error::io(path, error),
        })?;
        Ok(Image { name: Some(path.display().to_string()), ..Image::from_bytes(bytes) })
    }
}

impl<'a> Image<'a> {
    /// An encoded picture in memory. Nothing is checked before it is decoded.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Cow<'a, [u8]>>) -> Image<'a> {
        Image::new(Source::Encoded(bytes.into()))
    }

    /// Red, green and blue, 8 bits each. `row_stride` is the bytes from one row to the next, at least 3 × `width`; the
    /// last row may end with its last pixel.
    ///
    /// # Errors
    /// [`Error::MalformedImage`] where a side is 0, the stride is less than a row, or `pixels` is too short.
    pub fn rgb8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(Layout::Rgb8, (width, height), row_stride, pixels.into())
    }

    /// Red, green, blue and alpha, 8 bits each, not premultiplied; laid over white. `row_stride` is the bytes from one
    /// row to the next, at least 4 × `width`; the last row may end with its last pixel.
    ///
    /// # Errors
    /// As [`rgb8`](Image::rgb8).
    pub fn rgba8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(Layout::Rgba8, (width, height), row_stride, pixels.into())
    }

    /// As [`rgba8`](Image::rgba8), with blue first: what Apple's cameras and bitmaps have.
    ///
    /// # Errors
    /// As [`rgb8`](Image::rgb8).
    pub fn bgra8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(Layout::Bgra8, (width, height), row_stride, pixels.into())
    }

    /// Grey, 8 bits. `row_stride` is the bytes from one row to the next, at least `width`; the last row may end with its
    /// last pixel.
    ///
    /// # Errors
    /// As [`rgb8`](Image::rgb8).
    pub fn gray8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(Layout::Gray8, (width, height), row_stride, pixels.into())
    }

    /// A camera frame.
    ///
    /// # Errors
    /// [`Error::MalformedImage`] where a side or a pixel stride is 0, a row stride is less than a row, or a plane is too
    /// short.
    pub fn yuv420(frame: Yuv420<'a>) -> Result<Image<'a>> {
        Ok(Image::new(Source::Yuv(frame.checked()?)))
    }

    /// The turn that brings the picture upright. An encoded picture is turned by its EXIF orientation first, then by
    /// this. The last call counts.
    #[must_use]
    pub fn rotated(self, rotation: Rotation) -> Image<'a> {
        Image { rotation, ..self }
    }

    /// Exchanges left and right, after any rotation: for a front camera that shows a mirror image. A second call undoes
    /// the first.
    #[must_use]
    pub fn mirrored(self) -> Image<'a> {
        Image { mirrored: !self.mirrored, ..self }
    }

    /// The same picture, borrowed: costs nothing, and may be turned on its own.
    #[must_use]
    pub fn borrowed(&self) -> Image<'_> {
        let source = match &self.source {
            Source::Encoded(bytes) => Source::Encoded(Cow::Borrowed(bytes)),
            Source::Packed(pixels) => Source::Packed(pixels.borrowed()),
            Source::Yuv(frame) => Source::Yuv(*frame),
        };
        Image { source, name: self.name.clone(), ..*self }
    }

    /// The path that it was opened from, for messages.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn packed(layout: Layout, size: (u32, u32), row_stride: usize, data: Cow<'a, [u8]>) -> Result<Image<'a>> {
        Ok(Image::new(Source::Packed(Packed::new(layout, size, row_stride, data)?)))
    }

    fn new(source: Source<'a>) -> Image<'a> {
        Image { source, name: None, rotation: Rotation::Upright, mirrored: false }
    }
}

/// The orientation of an encoded picture, as its file states it: the value of the EXIF tag, 1…8. `None` where it is of no
/// format that is decoded here.
#[cfg(fuzzing)]
pub(crate) fn stored_orientation(bytes: &[u8]) -> Option<u8> {
    let stored = metadata::orientation(Format::of(bytes).ok()?, bytes);
    (1..=8).find(|&value| Orientation::from_exif(value) == stored)
}

/// Decodes, turns upright and cuts out the region.
///
/// `model_size` is the model's width and height: a JPEG is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 that leaves the
/// region at least twice as wide and twice as high. Everything else is decoded in full; of pixels, only the region is
/// converted.
///
/// # Errors
/// [`Error::UnsupportedImage`], [`Error::MalformedImage`], [`Error::TooLarge`].
pub(crate) fn decode(
    image: &Image<'_>,
    region: Option<Region>,
    model_size: (u32, u32),
    limits: &Limits,
) -> Result<Picture> {
    let Image { rotation, mirrored, .. } = *image;
    let request = DecodeRequest { region, model_size, rotation, mirrored, limits: *limits };
    match &image.source {
        Source::Encoded(bytes) => match Format::of(bytes)? {
            Format::Jpeg => jpeg::decode(bytes, &request),
            Format::Other(format) => encoded::decode(format, bytes, &request),
        },
        Source::Packed(pixels) => {
            let (orientation, rectangle) = frame(pixels.size(), &request)?;
            Ok(pixels.upright(orientation, rectangle))
        }
        Source::Yuv(yuv) => {
            let size = (yuv.width, yuv.height);
            let (orientation, rectangle) = frame(size, &request)?;
            Ok(upright(&yuv.pixels(), size, orientation, rectangle))
        }
    }
}

/// The way upright and the pixels to visit of a frame of `size`, once both are within the limits.
fn frame(size: (u32, u32), request: &DecodeRequest) -> Result<(Orientation, Rectangle)> {
    check_declared(size, &request.limits)?;
    let orientation = request.orientation(Orientation::default());
    let rectangle = Rectangle::of(request.region, orientation.size(size));
    check_decoded(size, rectangle.pixels() * 3, &request.limits)?;
    Ok((orientation, rectangle))
}
