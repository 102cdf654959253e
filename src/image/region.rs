//! Regions of a picture: in fractions of its sides, which do not depend on the scale of decoding, and in pixels.

use super::orientation::Orientation;
use super::picture::{Facts, Placement};
use crate::geometry::Affine;
use crate::{Error, ErrorKind, Result};

/// The maximum length, in fractions of a side, that a region may extend over an edge, for rounding in the caller's
/// arithmetic.
const TOLERANCE: f32 = 1e-4;

/// A rectangle in the upright picture, in fractions of its width and height: 0…1 from the left and from the top.
///
/// It covers whole pixels: its edges are rounded to the nearest pixel border, and it has at least one pixel.
///
/// ```
/// let region = bedside::Region::new(0.25, 0.5, 0.75, 0.5)?;
/// assert_eq!((region.left(), region.top()), (0.25, 0.5));
/// assert_eq!((region.width(), region.height()), (0.75, 0.5));
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl Region {
    /// A rectangle with this left and top edge, width and height, in fractions of the upright picture's width and
    /// height.
    ///
    /// ```
    /// use bedside::{Query, Region};
    ///
    /// // The lower half of the picture.
    /// let region = Region::new(0.0, 0.5, 1.0, 0.5)?;
    /// let query = Query::new().region(region);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`] where a value is not a finite number, the width or the height is not above 0, or the
    /// rectangle extends beyond 0…1 by more than 0.0001.
    pub fn new(left: f32, top: f32, width: f32, height: f32) -> Result<Region> {
        let sound = |start: f32, length: f32| start >= -TOLERANCE && length > 0.0 && start + length <= 1.0 + TOLERANCE;
        // A comparison with NaN is false, and infinity is out of range.
        if !sound(left, width) || !sound(top, height) {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                format!(
                    "region: left {left}, top {top}, width {width}, height {height} is not a rectangle inside the picture; \
                 give fractions of its width and height, 0 to 1"
                ),
            ));
        }
        Ok(Region { left, top, width, height })
    }

    /// The left edge, 0…1 within 0.0001, as given.
    #[must_use]
    pub fn left(&self) -> f32 {
        self.left
    }

    /// The top edge, 0…1 within 0.0001, as given.
    #[must_use]
    pub fn top(&self) -> f32 {
        self.top
    }

    /// The width, above 0 and at most 1 within 0.0002, as given.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.width
    }

    /// The height, above 0 and at most 1 within 0.0002, as given.
    #[must_use]
    pub fn height(&self) -> f32 {
        self.height
    }

    /// The pixels that this covers in an upright picture of `size` (width, height): edges are rounded to the nearest
    /// pixel border, and there is at least one pixel.
    pub(super) fn rectangle(&self, size: (u32, u32)) -> Rectangle {
        let (x, width) = span(self.left, self.width, size.0);
        let (y, height) = span(self.top, self.height, size.1);
        Rectangle { x, y, width, height }
    }
}

/// A rectangle of pixels of an upright picture. It is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Rectangle {
    /// The pixels of a region in an upright picture of `size` (width, height); all pixels where there is no region.
    pub(super) fn of(region: Option<Region>, size: (u32, u32)) -> Rectangle {
        match region {
            Some(region) => region.rectangle(size),
            None => Rectangle { x: 0, y: 0, width: size.0, height: size.1 },
        }
    }

    /// Where the picture of this rectangle lies in a picture of the stored size `stored` (width, height), which was
    /// decoded at `decoded`, one of its pixels for `scale` stored ones along each axis.
    pub(super) fn placement(
        &self,
        orientation: Orientation,
        decoded: (u32, u32),
        stored: (u32, u32),
        scale: f64,
    ) -> Placement {
        let in_upright = Affine::scaled((1.0, 1.0), (f64::from(self.x), f64::from(self.y)));
        let in_decoded = in_upright.then(&orientation.to_stored(orientation.size(decoded)));
        let to_stored = in_decoded.then(&Affine::scaled((scale, scale), (0.0, 0.0)));
        Placement { stored, to_stored, facts: Facts::default() }
    }

    /// The number of pixels.
    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The first pixel and the number of pixels, at least 1, of an interval on an axis of `size` pixels, at least 1.
/// `start` and `length` are fractions of the axis.
fn span(start: f32, length: f32, size: u32) -> (u32, u32) {
    // In f64, a fraction that was computed from a pixel border on an axis of 65,535 pixels rounds to that border.
    let edge = |fraction: f64| (fraction * f64::from(size)).round().clamp(0.0, f64::from(size)) as u32;
    let first = edge(f64::from(start)).min(size - 1);
    let last = edge(f64::from(start) + f64::from(length)).max(first + 1);
    (first, last - first)
}
