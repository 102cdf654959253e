//! A picture that the library keeps.

use std::sync::Arc;

use bedside::Window;

use crate::guard::guarded;
use crate::picture::Picture;

use super::{BedsideError, FrameFormat, Heatmap, Rotation};

/// A picture that the library keeps: the bytes of a file, or a copy of a frame.
///
/// It is decoded inside `classify`, at the scale that the model needs, and rotated upright by its EXIF orientation.
/// Many threads may classify one picture at once, any number of times.
#[derive(Debug, uniffi::Object)]
pub struct Image(pub(super) Picture);

#[uniffi::export]
impl Image {
    /// Reads a file of at most 256 MiB: JPEG, PNG, WebP, BMP or TIFF; a DICOM file may have more, and is read when the
    /// picture is classified. The format is recognised by the content, which is checked then. Fails with `Io` or `TooLarge`.
    #[uniffi::constructor]
    pub fn open(path: String) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(Picture::open(&path)?))))?)
    }

    /// Takes the bytes of such a file, which are checked when the picture is classified. Does not fail.
    #[uniffi::constructor]
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(Picture::from_bytes(bytes)))))?)
    }

    /// Copies a frame. Use `fromFrame` and `fromYuv420`, which call this. Fails with `MalformedImage` where the planes
    /// do not fit the format, and with `TooLarge` where they have more than 256 MiB.
    ///
    /// The hash of the fields of all types that are passed by value is ab530777.
    // UniFFI's checksum of a function covers its documentation, and with this sentence the fields: see `layout.rs`.
    #[uniffi::constructor]
    pub fn from_planes(
        first: &[u8],
        second: &[u8],
        third: &[u8],
        format: FrameFormat,
    ) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(Picture::copied([first, second, third], format.into())?))))?)
    }

    /// The same picture with this rotation, which brings it upright, instead of an earlier one. A rotation that is
    /// stored in the file is applied first.
    pub fn rotated(&self, rotation: Rotation) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.rotated(rotation.into())))))?)
    }

    /// Draws a heatmap over the picture, upright and in grey, with a legend in English below: the bytes of a PNG of at most
    /// 1024 pixels a side. The picture must be the one that was classified, with the same rotation and mirroring.
    ///
    /// Decodes the picture on the caller's thread. Fails with `InvalidQuery` where the picture has another size than the
    /// classified one, or the fields are not those of a heatmap, and as `classify` does where it can't be decoded.
    pub fn overlay(&self, heatmap: Heatmap) -> Result<Vec<u8>, BedsideError> {
        Ok(guarded(|| bedside::Heatmap::try_from(heatmap)?.overlay(&self.0.image()?))?)
    }

    /// The same picture with left and right exchanged after the rotation.
    pub fn mirrored(&self) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.mirrored()))))?)
    }

    /// The same picture with this frame of a DICOM file, from 0, instead of the first. Does not fail; `classify` fails with
    /// `InvalidQuery` where there is no such frame.
    pub fn frame(&self, number: u32) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.frame(number)))))?)
    }

    /// The number of frames of a DICOM file; 1 of any other picture. Fails as `classify` does where the file can't be read.
    pub fn frames(&self) -> Result<u32, BedsideError> {
        Ok(guarded(|| self.0.frames())?)
    }

    /// The same picture with a DICOM file's window or table of this number, from 0, its tables first, instead of the first.
    /// Does not fail; `classify` fails with `InvalidQuery` where there is none.
    pub fn numbered_window(&self, number: u32) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.window(Window::Number(number))))))?)
    }

    /// The same picture, of which an ultrasound frame of a DICOM file is looked at as a whole, with what its scanner draws
    /// around the tissue. Does not fail.
    pub fn whole(&self) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.whole()))))?)
    }

    /// The picture as it is looked at, upright, as a PNG of at most `max_side` pixels a side: of a DICOM file the chosen frame
    /// as it is shown, and of an ultrasound frame the part that is looked at. Fails with `InvalidQuery` where `max_side` is 0,
    /// and as `classify` does where the picture can't be decoded. Do not call it on a thread that draws a screen.
    pub fn shown(&self, max_side: u32) -> Result<Vec<u8>, BedsideError> {
        Ok(guarded(|| self.0.shown(max_side))?)
    }

    /// The same picture with a window of this center and width, in the units of a DICOM file's values, instead of its own
    /// windows. Does not fail; `classify` fails with `InvalidQuery` where the width is less than 1.
    pub fn window(&self, center: f64, width: f64) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.window(Window::Values { center, width })))))?)
    }
}
