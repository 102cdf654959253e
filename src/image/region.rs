//! A part of a picture, in coordinates that do not depend on the scale at which it is decoded.

use crate::{Error, Result};

/// How far a region may reach over the edge through rounding in the caller's arithmetic.
const TOLERANCE: f32 = 1e-4;

/// A rectangle in the upright picture, in shares of its width and height: 0…1 from the left and from the top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl Region {
    /// A rectangle by its left and top edge, width and height.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] where a value is not a finite number, the width or the height is not above 0, or the
    /// rectangle reaches out of 0…1 by more than 0.0001.
    pub fn new(left: f32, top: f32, width: f32, height: f32) -> Result<Region> {
        let sound = |start: f32, length: f32| start >= -TOLERANCE && length > 0.0 && start + length <= 1.0 + TOLERANCE;
        // A comparison with NaN is false, and infinity is out of bounds.
        if !sound(left, width) || !sound(top, height) {
            return Err(Error::InvalidQuery(format!(
                "region: left {left}, top {top}, width {width}, height {height} is not a rectangle inside the picture; \
                 give shares of its width and height, 0 to 1"
            )));
        }
        Ok(Region { left, top, width, height })
    }

    /// The left edge, 0…1.
    #[must_use]
    pub fn left(&self) -> f32 {
        self.left
    }

    /// The top edge, 0…1.
    #[must_use]
    pub fn top(&self) -> f32 {
        self.top
    }

    /// The width, above 0, to 1.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.width
    }

    /// The height, above 0, to 1.
    #[must_use]
    pub fn height(&self) -> f32 {
        self.height
    }

    /// The pixels of an upright picture of `size` that this covers: edges to the nearest pixel border, one pixel at
    /// least.
    pub(super) fn rectangle(&self, size: (u32, u32)) -> Rectangle {
        let (x, width) = span(self.left, self.width, size.0);
        let (y, height) = span(self.top, self.height, size.1);
        Rectangle { x, y, width, height }
    }
}

/// Whole pixels of an upright picture; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Rectangle {
    /// What is asked for of an upright picture of `size`.
    pub(super) fn of(region: Option<Region>, size: (u32, u32)) -> Rectangle {
        match region {
            Some(region) => region.rectangle(size),
            None => Rectangle { x: 0, y: 0, width: size.0, height: size.1 },
        }
    }

    /// How many pixels.
    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// First pixel and count of a stretch of an axis that is `size` pixels long, at least 1.
fn span(start: f32, length: f32, size: u32) -> (u32, u32) {
    // In f64 a share of an axis of 65,535 pixels is exact enough to meet the pixel border that it was computed from.
    let edge = |share: f64| (share * f64::from(size)).round().clamp(0.0, f64::from(size)) as u32;
    let first = edge(f64::from(start)).min(size - 1);
    let last = edge(f64::from(start) + f64::from(length)).max(first + 1);
    (first, last - first)
}
