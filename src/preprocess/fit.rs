//! How a picture is fitted to an input: which part of the picture the input shows, which part of the input it fills, and
//! where each pixel of the input lies in the picture.

use super::{contained, half_to_even, resized_by_shorter_side};
use crate::geometry::Affine;
use crate::manifest::{Input, ResizePolicy};

/// How a picture is fitted to an input: resized, and then cropped or centred between bars.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// The width and height of the resized picture, in pixels.
    pub(super) resized: (u32, u32),
    /// The column and row of the resized picture at which the crop starts; 0 where nothing is cropped.
    pub(super) crop: (u32, u32),
    /// The width of the left bar and the height of the top one; 0 where there are no bars.
    pub(super) bars: (u32, u32),
}

impl Fit {
    /// The fit of a picture of `size` (width, height). `shorter_side` is at least the larger side of the crop, which the
    /// check of the manifest ensures.
    pub(super) fn of(size: (u32, u32), input: &Input) -> Fit {
        let (wanted, none) = ((input.width, input.height), (0, 0));
        match input.resize.policy {
            ResizePolicy::Stretch => Fit { resized: wanted, crop: none, bars: none },
            ResizePolicy::Crop => {
                let shorter_side = input.resize.shorter_side.unwrap_or(wanted.0.max(wanted.1));
                let resized = resized_by_shorter_side(size, shorter_side);
                let crop = (half_to_even(resized.0 - wanted.0), half_to_even(resized.1 - wanted.1));
                Fit { resized, crop, bars: none }
            }
            ResizePolicy::Letterbox => {
                let resized = contained(size, wanted);
                let bars = (half_to_even(wanted.0 - resized.0), half_to_even(wanted.1 - resized.1));
                Fit { resized, crop: none, bars }
            }
        }
    }
}

/// The map from the pixels of an input to those of the picture of `size` (width, height) that it was made of by
/// [`preprocess`]. The bars of a letterbox lie outside of the picture.
pub(crate) fn to_picture(size: (u32, u32), input: &Input) -> Affine {
    let Fit { resized, crop, bars } = Fit::of(size, input);
    let scale = |length: u32, resized: u32| f64::from(length) / f64::from(resized);
    let (x, y) = (scale(size.0, resized.0), scale(size.1, resized.1));
    let start = |crop: u32, bar: u32| f64::from(crop) - f64::from(bar);
    Affine::scaled((x, y), (start(crop.0, bars.0) * x, start(crop.1, bars.1) * y))
}

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
    match input.resize.policy {
        ResizePolicy::Stretch | ResizePolicy::Crop => Area::whole((input.width, input.height)),
        ResizePolicy::Letterbox => {
            let Fit { resized: (width, height), bars: (left, top), .. } = Fit::of(size, input);
            Area { left, top, width, height }
        }
    }
}

/// The part of a picture of `size` (width, height) that the input shows, in whole pixels of the picture, each edge
/// rounded outwards: all of it, but for what the policy `crop` leaves out.
pub(crate) fn shown(size: (u32, u32), input: &Input) -> Area {
    match input.resize.policy {
        ResizePolicy::Stretch | ResizePolicy::Letterbox => Area::whole(size),
        ResizePolicy::Crop => {
            let Fit { resized, crop, .. } = Fit::of(size, input);
            let (left, width) = span(size.0, resized.0, crop.0, input.width);
            let (top, height) = span(size.1, resized.1, crop.1, input.height);
            Area { left, top, width, height }
        }
    }
}

/// The first pixel and the number of pixels of an axis of `length`, of which `size` of `resized` pixels are kept from
/// `start` on.
fn span(length: u32, resized: u32, start: u32, size: u32) -> (u32, u32) {
    let (length, resized, start) = (u64::from(length), u64::from(resized), u64::from(start));
    let first = start * length / resized;
    let end = ((start + u64::from(size)) * length).div_ceil(resized);
    (first as u32, (end - first) as u32)
}
