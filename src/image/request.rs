//! What a decoder is asked for.

use super::orientation::{Orientation, Rotation};
use super::region::Region;
use crate::Limits;

/// What a decoder is asked for.
pub(super) struct DecodeRequest {
    /// The part of the upright picture to decode; all of it where `None`.
    pub(super) region: Option<Region>,
    /// The model's width and height in pixels.
    pub(super) model_size: (u32, u32),
    pub(super) rotation: Rotation,
    pub(super) mirrored: bool,
    pub(super) limits: Limits,
}

impl DecodeRequest {
    /// The turn from stored to upright pixels: that of the file, then that of the caller.
    pub(super) fn orientation(&self, stored: Orientation) -> Orientation {
        let rotated = stored.rotated(self.rotation);
        if self.mirrored { rotated.mirrored() } else { rotated }
    }
}
