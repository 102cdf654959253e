//! Pictures that the library keeps.

use std::sync::Arc;

use crate::guard::guarded;
use crate::picture::Picture;

use super::{BedsideError, FrameFormat, Rotation};

/// A picture to look at, kept by the library: the bytes of a file, or a copy of a frame.
///
/// It is decoded inside `classify`, at the scale that the model needs, and brought upright by its EXIF orientation. One
/// picture may be looked at by many threads, and as often as you like.
#[derive(Debug, uniffi::Object)]
pub struct Image(pub(super) Picture);

#[uniffi::export]
impl Image {
    /// Reads a file: JPEG, PNG, WebP, BMP or TIFF, told by its content, of at most 256 MiB.
    /// Fails with `Io` or `TooLarge`; what is in it is looked at when it is classified.
    #[uniffi::constructor]
    pub fn open(path: String) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(Picture::open(&path)?))))?)
    }

    /// Takes the bytes of such a file. They are looked at when it is classified; this does not fail.
    #[uniffi::constructor]
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(Picture::from_bytes(bytes)))))?)
    }

    /// Copies a frame. What `fromFrame` and `fromYuv420` call: use those. Fails with `MalformedImage` where the planes
    /// do not fit the format, and with `TooLarge` where they have more than 256 MiB.
    ///
    /// The fields of all types that go over have the hash 8ea0a293.
    // UniFFI's checksum of a function covers these words, and so what the hash is of: see `layout.rs`.
    #[uniffi::constructor]
    pub fn from_planes(
        first: &[u8],
        second: &[u8],
        third: &[u8],
        format: FrameFormat,
    ) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(Picture::copied([first, second, third], format.into())?))))?)
    }

    /// The same picture with another turn that brings it upright; a turn stored in the file is done first.
    pub fn rotated(&self, rotation: Rotation) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.rotated(rotation.into())))))?)
    }

    /// The same picture with left and right exchanged, once it is upright.
    pub fn mirrored(&self) -> Result<Arc<Image>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Image(self.0.mirrored()))))?)
    }
}
