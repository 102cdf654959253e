//! The decoded picture.

use std::fmt;

use crate::geometry::Affine;

/// The upright pixels of the query's region: rows from the top, without padding, of red, green and blue, 8 bits each.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// In pixels, at least 1.
    pub(crate) width: u32,
    /// In pixels, at least 1.
    pub(crate) height: u32,
    /// `height` × `width` × 3 bytes.
    pub(crate) rgb: Vec<u8>,
    /// The width and height of the region in the source's own pixels, each at least 1. They are larger than `width` and
    /// `height` where a JPEG was decoded at a reduced scale.
    pub(crate) source_size: (u32, u32),
}

impl Picture {
    /// A picture that has the pixels of its source.
    pub(crate) fn at_full_size(width: u32, height: u32, rgb: Vec<u8>) -> Picture {
        Picture { width, height, rgb, source_size: (width, height) }
    }
}

// Pictures never enter a log: only sizes are shown.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture").field("width", &self.width).field("height", &self.height).finish_non_exhaustive()
    }
}

/// Where a [`Picture`] lies in the picture as it is stored: before any rotation, mirroring, cropping and reduction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// The stored width and height, in pixels.
    pub(crate) stored: (u32, u32),
    /// From the picture's pixels to the stored ones.
    pub(crate) to_stored: Affine,
    pub(crate) facts: Facts,
}

/// What a file says of its picture beside the pixels. Only DICOM files say anything.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Facts {
    /// Millimetres from column to column and from row to row of the stored picture, each above 0.
    pub(crate) spacing: Option<[f64; 2]>,
    /// Whether that is measured at the detector, and so larger than in the body.
    pub(crate) is_spacing_of_detector: bool,
    /// Whether something that tells who a person is may be burned into the pixels.
    pub(crate) is_burned_in: bool,
    /// Whether there are overlays, which are not shown.
    pub(crate) has_overlay: bool,
    /// Whether the frame has tissue beside the part that is looked at.
    pub(crate) has_other_region: bool,
}
