//! The parameters of a decoder.

use super::orientation::{Orientation, Rotation};
use super::region::Region;
use super::window::Window;
use crate::Limits;

/// The parameters of a decoder.
pub(super) struct DecodeRequest {
    /// The part of the upright picture to decode; the whole picture where `None`.
    pub(super) region: Option<Region>,
    /// The width and height of the model's input, in pixels.
    pub(super) model_size: (u32, u32),
    pub(super) rotation: Rotation,
    pub(super) mirrored: bool,
    pub(super) window: Window,
    pub(super) limits: Limits,
}

impl DecodeRequest {
    /// The transformation from stored to upright pixels: that of the file, then that of the caller.
    pub(super) fn orientation(&self, stored: Orientation) -> Orientation {
        let rotated = stored.rotated(self.rotation);
        if self.mirrored { rotated.mirrored() } else { rotated }
    }
}
