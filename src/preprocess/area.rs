//! Which part of a picture an input shows, and which part of the input it fills.

use super::{contained, half_to_even, resized_by_shorter_side, shorter_side};
use crate::manifest::{Input, ResizePolicy};

/// A rectangle of pixels. It is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Area {
    fn whole((width, height): (u32, u32)) -> Area {
        Area { left: 0, top: 0, width, height }
    }
}

/// The part of the input that a picture of `size` (width, height) fills: all of it, but for the bars of the policy
/// `letterbox`.
pub(crate) fn filled(size: (u32, u32), input: &Input) -> Area {
    let whole = (input.width, input.height);
    match input.resize.policy {
        ResizePolicy::Stretch | ResizePolicy::Crop => Area::whole(whole),
        ResizePolicy::Letterbox => {
            let (width, height) = contained(size, whole);
            Area { left: half_to_even(whole.0 - width), top: half_to_even(whole.1 - height), width, height }
        }
    }
}

/// The part of a picture of `size` (width, height) that the input shows, in whole pixels of the picture, each edge
/// rounded outwards: all of it, but for what the policy `crop` leaves out.
pub(crate) fn shown(size: (u32, u32), input: &Input) -> Area {
    match input.resize.policy {
        ResizePolicy::Stretch | ResizePolicy::Letterbox => Area::whole(size),
        ResizePolicy::Crop => {
            let resized = resized_by_shorter_side(size, shorter_side(input));
            let (left, width) = span(size.0, resized.0, input.width);
            let (top, height) = span(size.1, resized.1, input.height);
            Area { left, top, width, height }
        }
    }
}

/// The first pixel and the number of pixels of an axis of `length`, of which `size` of `resized` pixels are kept in the
/// middle.
fn span(length: u32, resized: u32, size: u32) -> (u32, u32) {
    let start = u64::from(half_to_even(resized - size));
    let (length, resized) = (u64::from(length), u64::from(resized));
    let first = start * length / resized;
    let end = ((start + u64::from(size)) * length).div_ceil(resized);
    (first as u32, (end - first) as u32)
}
