//! Rotations, and the eight orientations of stored pixels.

use crate::geometry::Affine;

/// The rotation that brings a picture upright. See [`Image::rotated`](crate::Image::rotated).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// None: the picture is upright.
    #[default]
    Upright,
    /// 90° clockwise.
    Clockwise90,
    /// 180°.
    Clockwise180,
    /// 270° clockwise, which is 90° counter-clockwise.
    Clockwise270,
}

/// The transformation from stored to upright pixels: a transposition first, then flips.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Orientation {
    /// Rows and columns are exchanged.
    transposed: bool,
    /// Left and right are exchanged.
    flipped_horizontally: bool,
    /// Top and bottom are exchanged.
    flipped_vertically: bool,
}

impl Orientation {
    /// The orientation for a value of the EXIF tag 0x0112 (EXIF 2.32, 4.6.4 A). A value outside of 1…8 means upright,
    /// as in common viewers.
    pub(super) fn from_exif(value: u8) -> Orientation {
        let (transposed, flipped_horizontally, flipped_vertically) = match value {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Orientation { transposed, flipped_horizontally, flipped_vertically }
    }

    /// This orientation followed by a rotation.
    pub(super) fn rotated(self, rotation: Rotation) -> Orientation {
        match rotation {
            Rotation::Upright => self,
            Rotation::Clockwise90 => self.rotated_clockwise(),
            Rotation::Clockwise180 => self.rotated_clockwise().rotated_clockwise(),
            Rotation::Clockwise270 => self.rotated_clockwise().rotated_clockwise().rotated_clockwise(),
        }
    }

    /// This orientation followed by an exchange of left and right.
    pub(super) fn mirrored(self) -> Orientation {
        Orientation { flipped_horizontally: !self.flipped_horizontally, ..self }
    }

    /// This orientation followed by a rotation of 90° clockwise: a transposition, which exchanges the two flips, and
    /// then a horizontal flip.
    fn rotated_clockwise(self) -> Orientation {
        Orientation {
            transposed: !self.transposed,
            flipped_horizontally: !self.flipped_vertically,
            flipped_vertically: self.flipped_horizontally,
        }
    }

    /// The upright size (width, height) of a picture that is stored at a size, and also the stored size of an upright
    /// one.
    pub(super) fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.transposed { (height, width) } else { (width, height) }
    }

    /// The stored position of the upright pixel (x, y), which is inside the upright size `size` (width, height).
    pub(super) fn stored(self, x: u32, y: u32, size: (u32, u32)) -> (u32, u32) {
        let x = if self.flipped_horizontally { size.0 - 1 - x } else { x };
        let y = if self.flipped_vertically { size.1 - 1 - y } else { y };
        if self.transposed { (y, x) } else { (x, y) }
    }

    /// The map from the pixels of the upright picture of `size` (width, height) to the stored ones.
    pub(super) fn to_stored(self, size: (u32, u32)) -> Affine {
        let axis = |flipped, length: u32| if flipped { (-1.0, f64::from(length)) } else { (1.0, 0.0) };
        let (x, y) = (axis(self.flipped_horizontally, size.0), axis(self.flipped_vertically, size.1));
        if self.transposed {
            Affine([[0.0, y.0, y.1], [x.0, 0.0, x.1]])
        } else {
            Affine([[x.0, 0.0, x.1], [0.0, y.0, y.1]])
        }
    }
}
