//! The decoded picture.

use std::fmt;

/// The upright pixels of the query's region: rows from the top, without padding, of red, green and blue, 8 bits each.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// In pixels, at least 1.
    pub(crate) width: u32,
    /// In pixels, at least 1.
    pub(crate) height: u32,
    /// `height` × `width` × 3 bytes.
    pub(crate) rgb: Vec<u8>,
}

// Pictures never enter a log: only sizes are shown.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture").field("width", &self.width).field("height", &self.height).finish_non_exhaustive()
    }
}
