//! A picture that the library keeps for another language.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bedside::{Error, ErrorKind, Image, Result, Rotation, Window};

use crate::frame::{Frame, Layout};

/// The maximum size of a frame that is kept, in bytes: 256 MiB, which is also that of a file that `Image::open` reads.
const MAX_BYTES: u64 = 256 << 20;

/// The bytes of a file or the planes of a frame, the rotation and the mirroring that bring the picture upright, and which
/// frame and window of a DICOM file is looked at.
/// Clones and rotated pictures share the bytes.
#[derive(Clone)]
pub(crate) struct Picture {
    kept: Kept,
    rotation: Rotation,
    mirrored: bool,
    frame: u32,
    window: Window,
    is_whole: bool,
}

#[derive(Clone)]
enum Kept {
    Encoded(Arc<Image<'static>>),
    Frame(Arc<[Vec<u8>; 3]>, Layout),
}

// The debug text leaves out the bytes, because pictures must never enter a log.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture").field("rotation", &self.rotation).finish_non_exhaustive()
    }
}

impl Picture {
    /// Reads an encoded picture from a file. Fails as [`Image::open`] does.
    pub(crate) fn open(path: impl AsRef<Path>) -> Result<Picture> {
        Ok(Picture::encoded(Image::open(path)?))
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Picture {
        Picture::encoded(Image::from_bytes(bytes))
    }

    /// A picture with a copy of the bytes that the frame uses.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] over [`MAX_BYTES`]; [`ErrorKind::MalformedImage`] where the planes do not fit the
    /// layout.
    pub(crate) fn copied(planes: [&[u8]; 3], frame: Frame) -> Result<Picture> {
        let used = frame.used(planes);
        let bytes: u64 = used.iter().map(|plane| plane.len() as u64).sum();
        if bytes > MAX_BYTES {
            let message = "bytes, more than the 268435456 that are kept; classify it where it lies, or scale it down";
            return Err(Error::new(ErrorKind::TooLarge, format!("the frame has {bytes} {message}")));
        }
        frame.image(planes)?;
        let kept = match frame.layout {
            Layout::Encoded => Kept::Encoded(Arc::new(Image::from_bytes(used[0].to_vec()))),
            layout => Kept::Frame(Arc::new(used.map(<[u8]>::to_vec)), layout),
        };
        Ok(Picture { rotation: frame.rotation, mirrored: frame.mirrored, ..Picture::upright(kept) })
    }

    /// The picture with this rotation instead of its own.
    pub(crate) fn rotated(&self, rotation: Rotation) -> Picture {
        Picture { rotation, ..self.clone() }
    }

    /// The picture with left and right exchanged once more.
    pub(crate) fn mirrored(&self) -> Picture {
        Picture { mirrored: !self.mirrored, ..self.clone() }
    }

    /// The picture with this frame of a DICOM file, from 0, instead of its own.
    pub(crate) fn frame(&self, frame: u32) -> Picture {
        Picture { frame, ..self.clone() }
    }

    /// The picture as a whole, where it is an ultrasound frame.
    pub(crate) fn whole(&self) -> Picture {
        Picture { is_whole: true, ..self.clone() }
    }

    /// The picture as it is looked at, a PNG. Fails as [`Image::shown`] does.
    pub(crate) fn shown(&self, max_side: u32) -> Result<Vec<u8>> {
        self.image()?.shown(max_side)
    }

    /// The number of frames. Fails as [`Image::frames`] does.
    pub(crate) fn frames(&self) -> Result<u32> {
        self.image()?.frames()
    }

    /// The picture with this choice of a DICOM file's values instead of its own.
    pub(crate) fn window(&self, window: Window) -> Picture {
        Picture { window, ..self.clone() }
    }

    /// The picture as an [`Image`] that borrows the bytes.
    pub(crate) fn image(&self) -> Result<Image<'_>> {
        let image = match &self.kept {
            Kept::Encoded(image) => {
                let image = image.borrowed().rotated(self.rotation);
                if self.mirrored { image.mirrored() } else { image }
            }
            Kept::Frame(planes, layout) => {
                let frame = Frame { layout: *layout, rotation: self.rotation, mirrored: self.mirrored };
                frame.image(planes.each_ref().map(Vec::as_slice))?
            }
        };
        let image = image.frame(self.frame).window(self.window);
        Ok(if self.is_whole { image.whole() } else { image })
    }

    fn encoded(image: Image<'static>) -> Picture {
        Picture::upright(Kept::Encoded(Arc::new(image)))
    }

    fn upright(kept: Kept) -> Picture {
        Picture { kept, rotation: Rotation::Upright, mirrored: false, frame: 0, window: Window::First, is_whole: false }
    }
}
