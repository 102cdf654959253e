//! The stage decode: from an encoded picture, pixels or a camera frame to upright RGB pixels of the query's region.
//!
//! A JPEG is decoded at the smallest scale that is large enough for the model's input. Resizing to the input's exact
//! size is the next stage, `preprocess`. Nothing here logs: pictures never enter a log.

mod deep;
#[cfg(feature = "dicom")]
mod dicom;
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
mod window;
mod yuv;

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;

use bedside_engine::read_bounded;

use crate::{Error, ErrorKind, Limits, Result};

use format::Format;
use orientation::Orientation;
use pixels::{PackedPixels, PixelLayout, upright};
use region::Rectangle;
use request::DecodeRequest;
use size::{check_declared, check_decoded};

#[cfg(feature = "dicom")]
pub(crate) use jpeg::MAX_SCANS;
pub use orientation::Rotation;
pub(crate) use picture::{Facts, Picture, Placement};
pub use region::Region;
pub use window::Window;
#[cfg(feature = "dicom")]
pub(crate) use window::{linear, valid};
pub use yuv::{Plane, Yuv420, YuvMatrix, YuvRange};

/// The maximum size of a file that [`Image::open`] reads, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// A picture to classify: an encoded picture, or pixels.
///
/// Encoded pictures are JPEG, PNG, WebP, BMP, TIFF or DICOM; the first bytes decide which, not a name. They are decoded inside
/// [`Classifier::classify`](crate::Classifier::classify), a JPEG at the smallest scale that is large enough for the
/// model, and rotated upright by their EXIF orientation. They become 8-bit RGB:
///
/// - 16-bit samples are rounded to the nearest of 256 levels. Grey ones that use less than half of their range are refused
///   where neither the file nor a [`window`](Image::window) says which value is white;
/// - transparent pixels are blended over white;
/// - grey becomes equal red, green and blue; CMYK is read as Adobe stores it, inverted, and converted without a
///   profile;
/// - colours are read as sRGB: an embedded profile, such as Display P3, is not applied;
/// - of an animation the first frame is decoded, of a TIFF the first page;
/// - of DICOM one frame is decoded ([`frame`](Image::frame)), and shown as a viewer shows it ([`window`](Image::window)).
///
/// Pixels are upright unless [`rotated`](Image::rotated) says otherwise. The constructors borrow a slice of bytes and
/// keep a `Vec`, without a copy of either.
///
/// ```
/// use bedside::{Image, Rotation};
///
/// let frame = vec![0u8; 640 * 480 * 4];
/// let image = Image::bgra8(640, 480, 640 * 4, &frame[..])?.rotated(Rotation::Clockwise90);
/// # assert_eq!(image.name(), None);
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Clone)]
pub struct Image<'a> {
    source: Source<'a>,
    name: Option<String>,
    rotation: Rotation,
    mirrored: bool,
    /// The frame and the window that were chosen of a DICOM file.
    frame: u32,
    window: Window,
    /// Whether an ultrasound frame is not cropped.
    is_whole: bool,
}

#[derive(Clone)]
enum Source<'a> {
    Encoded(Cow<'a, [u8]>),
    /// A DICOM file, of which a frame is read at a time.
    #[cfg(feature = "dicom")]
    File(std::sync::Arc<crate::dicom::OpenFile>),
    Packed(PackedPixels<'a>),
    Yuv(Yuv420<'a>),
}

// Pictures never enter a log: only sizes, the name and the rotation are shown.
impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Encoded(bytes) => format!("{} encoded bytes", bytes.len()),
            #[cfg(feature = "dicom")]
            Source::File(file) => format!("a file of {} bytes", file.length),
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
    /// Reads an encoded picture from a file, or from a pipe to its end. It is not decoded yet. Its name is the path,
    /// which error messages contain.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let image = Image::open("models/samples/ISIC_0012258.jpg")?;
    /// assert_eq!(image.name(), Some("models/samples/ISIC_0012258.jpg"));
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file is missing, can't be read, or is a folder; [`ErrorKind::TooLarge`] where it has
    /// more than 256 MiB, and is no DICOM file. Of such a file a frame is read at a time, when it is classified: the file must
    /// stay as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Image<'static>> {
        let path = path.as_ref();
        #[cfg(feature = "dicom")]
        if let Some(file) = dicom::open(path).map_err(|error| Error::io(path, error))? {
            return Ok(Image { name: Some(path.display().to_string()), ..Image::new(Source::File(file.into())) });
        }
        let bytes = read_bounded(path, MAX_FILE_BYTES).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => {
                Error::new(ErrorKind::TooLarge, format!("the picture has {error}; export a smaller one")).in_file(path)
            }
            _ => Error::io(path, error),
        })?;
        Ok(Image { name: Some(path.display().to_string()), ..Image::from_bytes(bytes) })
    }
}

impl<'a> Image<'a> {
    /// An encoded picture in memory. The bytes are not checked before they are decoded.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let bytes = std::fs::read("models/samples/ISIC_0012258.jpg").expect("a file");
    /// let image = Image::from_bytes(bytes);
    /// assert_eq!(image.name(), None);
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Cow<'a, [u8]>>) -> Image<'a> {
        Image::new(Source::Encoded(bytes.into()))
    }

    /// Pixels of red, green and blue, 8 bits each: `height` rows of `width` pixels, from the top.
    ///
    /// `row_stride` is the number of bytes from the start of a row to that of the next, at least 3 × `width`. The last
    /// row may end with its last pixel, so that `pixels` has at least (`height` - 1) × `row_stride` + 3 × `width`
    /// bytes.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// // Two rows of two pixels, with two bytes of padding between the rows.
    /// let pixels = [255u8, 0, 0, 0, 255, 0, 0, 0, 0, 0, 255, 255, 255, 255];
    /// let image = Image::rgb8(2, 2, 8, pixels.as_slice())?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`] where a side is 0, the stride is less than a row, or `pixels` is too short.
    pub fn rgb8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(PixelLayout::Rgb8, (width, height), row_stride, pixels.into())
    }

    /// Pixels of red, green, blue and alpha, 8 bits each, not premultiplied; they are blended over white. As
    /// [`rgb8`](Image::rgb8), with 4 bytes for each pixel.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let image = Image::rgba8(640, 480, 640 * 4, vec![255u8; 640 * 480 * 4])?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`rgb8`](Image::rgb8).
    pub fn rgba8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(PixelLayout::Rgba8, (width, height), row_stride, pixels.into())
    }

    /// Pixels of blue, green, red and alpha, in the order of Apple's cameras and bitmaps. As [`rgba8`](Image::rgba8)
    /// otherwise.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let image = Image::bgra8(640, 480, 640 * 4, vec![255u8; 640 * 480 * 4])?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`rgb8`](Image::rgb8).
    pub fn bgra8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(PixelLayout::Bgra8, (width, height), row_stride, pixels.into())
    }

    /// Grey pixels of 8 bits. As [`rgb8`](Image::rgb8), with 1 byte for each pixel.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let image = Image::gray8(640, 480, 640, vec![128u8; 640 * 480])?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`rgb8`](Image::rgb8).
    pub fn gray8(width: u32, height: u32, row_stride: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Image<'a>> {
        Image::packed(PixelLayout::Gray8, (width, height), row_stride, pixels.into())
    }

    /// A camera frame in YUV 4:2:0.
    ///
    /// ```
    /// use bedside::{Image, Yuv420, YuvMatrix, YuvRange};
    ///
    /// // Y for 640×480 pixels, then V and U alternating for 320×240.
    /// let buffer = vec![128u8; 640 * 480 * 3 / 2];
    /// let frame = Yuv420::nv21(640, 480, &buffer, YuvMatrix::Bt601, YuvRange::Full)?;
    /// let image = Image::yuv420(frame)?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`] where a side or a pixel stride is 0, a row stride is less than a row, or a plane
    /// is too short.
    pub fn yuv420(frame: Yuv420<'a>) -> Result<Image<'a>> {
        Ok(Image::new(Source::Yuv(frame.checked()?)))
    }

    /// Sets the rotation that brings the picture upright. For an encoded picture it is applied after the EXIF
    /// orientation. A later call replaces the rotation of an earlier one.
    ///
    /// ```
    /// use bedside::{Image, Rotation};
    ///
    /// // A camera that is mounted sideways.
    /// let image = Image::gray8(640, 480, 640, vec![0u8; 640 * 480])?.rotated(Rotation::Clockwise270);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn rotated(self, rotation: Rotation) -> Image<'a> {
        Image { rotation, ..self }
    }

    /// Exchanges left and right, after any rotation, for a front camera that gives a mirror image. A second call undoes
    /// the first.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let image = Image::gray8(640, 480, 640, vec![0u8; 640 * 480])?.mirrored();
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn mirrored(self) -> Image<'a> {
        Image { mirrored: !self.mirrored, ..self }
    }

    /// Chooses a frame of a DICOM file, from 0; the first one without a choice.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let image = Image::from_bytes(Vec::new()).frame(11);
    /// ```
    #[must_use]
    pub fn frame(self, number: u32) -> Image<'a> {
        Image { frame: number, ..self }
    }

    /// Looks at whole frames of a DICOM file of ultrasound, or of one that states ultrasound regions, with what its scanner draws
    /// around the tissue. Without this, the picture is the largest region of tissue that the file states, or else, of
    /// ultrasound, the part of the frame that pixels fill. It changes no other picture.
    ///
    /// ```
    /// use bedside::Image;
    ///
    /// let image = Image::from_bytes(Vec::new()).whole();
    /// ```
    #[must_use]
    pub fn whole(self) -> Image<'a> {
        Image { is_whole: true, ..self }
    }

    /// Chooses what is shown of deep values: of a DICOM file the first window or table that it has without a choice, and of a
    /// 16-bit grey PNG or TIFF the range that it states, or the whole one.
    ///
    /// ```
    /// use bedside::{Image, Window};
    ///
    /// // A window for the lungs, in the Hounsfield units of computed tomography.
    /// let image = Image::from_bytes(Vec::new()).window(Window::Values { center: -600.0, width: 1500.0 });
    /// ```
    #[must_use]
    pub fn window(self, window: Window) -> Image<'a> {
        Image { window, ..self }
    }

    /// The number of frames of a DICOM file; 1 of any other picture.
    ///
    /// ```
    /// let image = bedside::Image::open("models/samples/ISIC_0012258.jpg")?;
    /// assert_eq!(image.frames()?, 1);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedImage`], [`ErrorKind::MalformedImage`] or [`ErrorKind::TooLarge`] where a DICOM file can't be
    /// read.
    pub fn frames(&self) -> Result<u32> {
        #[cfg(feature = "dicom")]
        if let Some(source) = self.dicom() {
            let frames = crate::dicom::frames(source, &Limits::new());
            return frames.map(|frames| frames as u32).map_err(|error| self.named(error));
        }
        Ok(1)
    }

    /// The error of this picture, with its name.
    #[cfg(feature = "dicom")]
    fn named(&self, error: Error) -> Error {
        self.name.as_deref().map_or_else(|| error.clone(), |name| error.clone().in_file(Path::new(name)))
    }

    /// The DICOM file that this is, if it is one.
    #[cfg(feature = "dicom")]
    fn dicom(&self) -> Option<crate::dicom::Source<'_>> {
        match &self.source {
            Source::File(file) => Some(crate::dicom::Source::File(file)),
            Source::Encoded(bytes) if crate::dicom::is_dicom(bytes) => {
                Some(crate::dicom::Source::Bytes(Cow::Borrowed(bytes)))
            }
            _ => None,
        }
    }

    /// Checks that only a DICOM file has a frame, and only a file a window, that was chosen.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`].
    fn check_choices(&self) -> Result<()> {
        #[cfg(feature = "dicom")]
        let is_dicom = self.dicom().is_some();
        #[cfg(not(feature = "dicom"))]
        let is_dicom = false;
        if self.frame > 0 && !is_dicom {
            let message = format!("frame {}: the picture has one; choose a frame of DICOM files alone", self.frame);
            return Err(Error::new(ErrorKind::InvalidQuery, message));
        }
        match &self.source {
            Source::Packed(_) | Source::Yuv(_) if self.window != Window::First => Err(window::none()),
            _ => Ok(()),
        }
    }

    /// The same picture, borrowed without a copy of its bytes. Its rotation and mirroring can be set on their own.
    ///
    /// ```
    /// use bedside::{Image, Rotation};
    ///
    /// let image = Image::gray8(640, 480, 640, vec![0u8; 640 * 480])?;
    /// let upside_down = image.borrowed().rotated(Rotation::Clockwise180);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn borrowed(&self) -> Image<'_> {
        let source = match &self.source {
            Source::Encoded(bytes) => Source::Encoded(Cow::Borrowed(bytes)),
            #[cfg(feature = "dicom")]
            Source::File(file) => Source::File(file.clone()),
            Source::Packed(pixels) => Source::Packed(pixels.borrowed()),
            Source::Yuv(frame) => Source::Yuv(*frame),
        };
        Image { source, name: self.name.clone(), ..*self }
    }

    /// The path that the picture was opened from; `None` for a picture that was made in memory.
    ///
    /// ```
    /// assert_eq!(bedside::Image::from_bytes(Vec::new()).name(), None);
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn packed(layout: PixelLayout, size: (u32, u32), row_stride: usize, data: Cow<'a, [u8]>) -> Result<Image<'a>> {
        Ok(Image::new(Source::Packed(PackedPixels::new(layout, size, row_stride, data)?)))
    }

    fn new(source: Source<'a>) -> Image<'a> {
        Image {
            source,
            name: None,
            rotation: Rotation::Upright,
            mirrored: false,
            frame: 0,
            window: Window::First,
            is_whole: false,
        }
    }
}

/// The orientation in the metadata of an encoded picture, as a value of the EXIF tag, 1…8. `None` where the format is
/// not decoded.
#[cfg(fuzzing)]
pub(crate) fn stored_orientation(bytes: &[u8]) -> Option<u8> {
    let stored = metadata::orientation(Format::of(bytes).ok()?, bytes);
    (1..=8).find(|&value| Orientation::from_exif(value) == stored)
}

/// Decodes a picture, rotates it upright and crops it to the region.
///
/// `model_size` is the width and height of the model's input in pixels. A JPEG is decoded at the smallest of the scales
/// 1/8, 1/4, 1/2 and 1 at which the region is at least twice as wide and twice as high as that, or else at 1. Other
/// formats are decoded at full size. Of pixels and frames, only the region is converted.
///
/// # Errors
/// [`ErrorKind::UnsupportedImage`], [`ErrorKind::MalformedImage`], [`ErrorKind::TooLarge`].
#[cfg(any(test, fuzzing))]
pub(crate) fn decode(
    image: &Image<'_>,
    region: Option<Region>,
    model_size: (u32, u32),
    limits: &Limits,
) -> Result<Picture> {
    decode_placed(image, region, model_size, limits, Vec::new()).map(|(picture, _)| picture)
}

/// As [`decode`]; tells where the picture lies in the stored one, too. A picture of pixels, of a camera's frame or of
/// DICOM uses the memory of `rgb`.
pub(crate) fn decode_placed(
    image: &Image<'_>,
    region: Option<Region>,
    model_size: (u32, u32),
    limits: &Limits,
    rgb: Vec<u8>,
) -> Result<(Picture, Placement)> {
    let Image { rotation, mirrored, .. } = *image;
    image.check_choices()?;
    let request = DecodeRequest { region, model_size, rotation, mirrored, window: image.window, limits: *limits };
    match &image.source {
        Source::Encoded(bytes) => match Format::of(bytes)? {
            Format::Jpeg => jpeg::decode(bytes, &request),
            #[cfg(feature = "dicom")]
            Format::Dicom => dicom::decode(crate::dicom::Source::Bytes(Cow::Borrowed(bytes)), image, &request, rgb),
            Format::Other(format) => encoded::decode(format, bytes, &request),
        },
        #[cfg(feature = "dicom")]
        Source::File(file) => dicom::decode(crate::dicom::Source::File(file), image, &request, rgb),
        Source::Packed(pixels) => {
            let (orientation, rectangle) = frame(pixels.size(), &request)?;
            let placement = rectangle.placement(orientation, pixels.size(), pixels.size(), 1.0);
            Ok((pixels.upright(orientation, rectangle, rgb), placement))
        }
        Source::Yuv(yuv) => {
            let size = (yuv.width, yuv.height);
            let (orientation, rectangle) = frame(size, &request)?;
            let placement = rectangle.placement(orientation, size, size, 1.0);
            Ok((upright(&yuv.pixels(), size, orientation, rectangle, rgb), placement))
        }
    }
}

/// The orientation of a frame of `size` (width, height), and the rectangle of the upright frame to convert. Checks both
/// against the limits.
fn frame(size: (u32, u32), request: &DecodeRequest) -> Result<(Orientation, Rectangle)> {
    check_declared(size, &request.limits)?;
    let orientation = request.orientation(Orientation::default());
    let rectangle = Rectangle::of(request.region, orientation.size(size));
    check_decoded(size, rectangle.pixels() * 3, &request.limits)?;
    Ok((orientation, rectangle))
}
