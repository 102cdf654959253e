//! The eight ways in which stored rows can lie, and the way back to upright.

/// A turn that brings a picture upright. See [`Image::rotated`](crate::Image::rotated).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// It is upright already.
    #[default]
    Upright,
    /// A quarter turn clockwise.
    Clockwise90,
    /// Half a turn.
    Clockwise180,
    /// A quarter turn counter-clockwise.
    Clockwise270,
}

/// What is done to stored pixels to show them upright: rows and columns swapped first, flips after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Orientation {
    /// Rows become columns.
    transposed: bool,
    /// Left becomes right.
    flipped_across: bool,
    /// Top becomes bottom.
    flipped_down: bool,
}

impl Orientation {
    /// From the value of the EXIF tag 0x0112 (EXIF 2.32, 4.6.4 A); anything but 1…8 means upright, as viewers have it.
    pub(super) fn from_exif(value: u8) -> Orientation {
        let (transposed, flipped_across, flipped_down) = match value {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Orientation { transposed, flipped_across, flipped_down }
    }

    /// This, and then a turn.
    pub(super) fn rotated(self, rotation: Rotation) -> Orientation {
        match rotation {
            Rotation::Upright => self,
            Rotation::Clockwise90 => self.quarter_turned(),
            Rotation::Clockwise180 => self.quarter_turned().quarter_turned(),
            Rotation::Clockwise270 => self.quarter_turned().quarter_turned().quarter_turned(),
        }
    }

    /// This, and then left and right exchanged.
    pub(super) fn mirrored(self) -> Orientation {
        Orientation { flipped_across: !self.flipped_across, ..self }
    }

    /// A quarter turn clockwise is a transposition, under which the flips change places, and a flip across.
    fn quarter_turned(self) -> Orientation {
        Orientation {
            transposed: !self.transposed,
            flipped_across: !self.flipped_down,
            flipped_down: self.flipped_across,
        }
    }

    /// The upright size of a picture stored at `size`, as (width, height); and the other way round.
    pub(super) fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.transposed { (height, width) } else { (width, height) }
    }

    /// Where the upright pixel (x, y) is stored, in a picture of the upright size `size`.
    pub(super) fn stored(self, x: u32, y: u32, size: (u32, u32)) -> (u32, u32) {
        let x = if self.flipped_across { size.0 - 1 - x } else { x };
        let y = if self.flipped_down { size.1 - 1 - y } else { y };
        if self.transposed { (y, x) } else { (x, y) }
    }
}
