//! What a data set says of its pixels, checked: their number, their bits and their colour.

use super::display::Color;
use super::error::{malformed, not_read};
use super::header::Header;
use super::lut::Palette;
use super::tags;
use crate::Result;

/// The bits of a stored value in its cell (PS3.5 section 8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cells {
    /// 1, 8 or 16.
    pub(super) allocated: u16,
    /// 1 to `allocated`.
    pub(super) stored: u16,
    /// The bits below them.
    pub(super) shift: u16,
    pub(super) is_signed: bool,
}

impl Cells {
    fn of(header: &Header) -> Result<Cells> {
        let allocated = header.bits_allocated.ok_or_else(|| malformed(tags::BITS_ALLOCATED, "is missing"))?;
        if !matches!(allocated, 1 | 8 | 16) {
            return Err(not_read(format!("{}: pixels of {allocated} bits are", tags::BITS_ALLOCATED)));
        }
        let stored = header.bits_stored.unwrap_or(allocated);
        if stored == 0 || stored > allocated {
            return Err(malformed(tags::BITS_STORED, format!("is {stored} of {allocated} bits allocated")));
        }
        let high = header.high_bit.unwrap_or(stored - 1);
        if high >= allocated || high + 1 < stored {
            return Err(malformed(tags::HIGH_BIT, format!("is {high}, with {stored} of {allocated} bits stored")));
        }
        let is_signed = header.is_signed && allocated > 1;
        Ok(Cells { allocated, stored, shift: high + 1 - stored, is_signed })
    }

    /// All bits of a stored value.
    pub(super) fn mask(self) -> u16 {
        u16::MAX >> (16 - self.stored)
    }

    /// The bits of a stored value, of those of its cell.
    pub(super) fn bits(self, cell: u16) -> u16 {
        (cell >> self.shift) & self.mask()
    }

    /// The number that the bits of a stored value are.
    pub(super) fn value(self, bits: u16) -> i32 {
        let unused = 16 - self.stored;
        if self.is_signed { i32::from((bits << unused).cast_signed() >> unused) } else { i32::from(bits) }
    }

    /// The least and the largest number that can be stored.
    pub(super) fn range(self) -> (i32, i32) {
        let count = 1 << self.stored;
        if self.is_signed { (-count / 2, count / 2 - 1) } else { (0, count - 1) }
    }
}

/// The stored bits of samples, pixel by pixel.
#[derive(Clone, Copy)]
pub(super) enum Samples<'a> {
    /// Of cells of 8 bits that are all stored.
    Bytes(&'a [u8]),
    Words(&'a [u16]),
}

/// What a data set says of its pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// In pixels, each at least 1.
    pub(super) size: (u32, u32),
    /// At least 1.
    pub(super) frames: u64,
    /// The samples of a pixel: 1 or 3.
    pub(super) channels: u32,
    /// Whether all samples of a colour lie together.
    pub(super) is_planar: bool,
    /// Whether two pixels have one sample of each difference of colour. Of pixels that are not compressed.
    pub(super) is_halved: bool,
    pub(super) cells: Cells,
    pub(super) color: Color,
}

impl Layout {
    pub(super) fn of(header: &Header) -> Result<Layout> {
        let checked = |side: Option<u16>, tag| match side {
            None => Err(malformed(tag, "is missing")),
            Some(0) => Err(malformed(tag, "is 0")),
            Some(side) => Ok(u32::from(side)),
        };
        let size = (checked(header.columns, tags::COLUMNS)?, checked(header.rows, tags::ROWS)?);
        let frames = match header.frames.unwrap_or(1.0) {
            // Some writers give 0 for one frame.
            0.0 => 1,
            frames if frames >= 1.0 && frames <= f64::from(i32::MAX) && frames.fract() == 0.0 => frames as u64,
            frames => return Err(malformed(tags::FRAMES, format!("is {frames}"))),
        };
        let cells = Cells::of(header)?;
        let channels = header.samples_per_pixel.ok_or_else(|| malformed(tags::SAMPLES_PER_PIXEL, "is missing"))?;
        let Some(photometric) = header.photometric.as_deref() else {
            return Err(malformed(tags::PHOTOMETRIC, "is missing"));
        };
        let color = match (photometric, channels) {
            ("MONOCHROME1", 1) => Color::Grey { is_inverted: true },
            ("MONOCHROME2", 1) => Color::Grey { is_inverted: false },
            ("PALETTE COLOR", 1) => Color::Palette(Palette::of(&header.palette, cells.is_signed)?),
            ("RGB" | "YBR_RCT" | "YBR_ICT", 3) => Color::Rgb,
            ("YBR_FULL" | "YBR_FULL_422", 3) => Color::Ybr { is_partial: false },
            ("YBR_PARTIAL_422" | "YBR_PARTIAL_420", 3) => Color::Ybr { is_partial: true },
            _ => {
                let known =
                    "MONOCHROME1 MONOCHROME2 PALETTE COLOR RGB YBR_RCT YBR_ICT YBR_FULL YBR_FULL_422 HSV ARGB CMYK XYB";
                let name = if known.contains(photometric) { photometric } else { "an unknown interpretation" };
                return Err(not_read(format!("{}: {name} with {channels} samples is", tags::PHOTOMETRIC)));
            }
        };
        if channels == 3 && (cells.allocated == 1 || cells.is_signed) {
            return Err(not_read("colours of one bit, or signed ones, are"));
        }
        if matches!(color, Color::Ybr { .. }) && cells.allocated != 8 {
            return Err(not_read(format!("{photometric} of {} bits is", cells.allocated)));
        }
        let is_halved = matches!(photometric, "YBR_FULL_422" | "YBR_PARTIAL_422");
        let (channels, is_planar) = (u32::from(channels), header.planar == 1 && channels == 3);
        Ok(Layout { size, frames, channels, is_planar, is_halved, cells, color })
    }

    /// Whether a cell is a byte, and all of it is stored.
    pub(super) fn is_of_bytes(&self) -> bool {
        (self.cells.allocated, self.cells.stored) == (8, 8)
    }

    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.size.0) * u64::from(self.size.1)
    }

    /// The bits of a frame that is not compressed.
    pub(super) fn native_bits(&self) -> u64 {
        let samples = if self.is_halved { 2 } else { u64::from(self.channels) };
        self.pixels() * samples * u64::from(self.cells.allocated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_bit_outside_of_the_cell_is_refused() {
        let cells = |high_bit| {
            let mut header = Header::default();
            (header.bits_allocated, header.bits_stored, header.high_bit) = (Some(16), Some(12), high_bit);
            Cells::of(&header).map(|cells| cells.shift)
        };
        assert_eq!([cells(None), cells(Some(11)), cells(Some(15))].map(Result::ok), [Some(0), Some(0), Some(4)]);
        for high in [10, 16, u16::MAX] {
            assert!(cells(Some(high)).is_err(), "{high}");
        }
    }
}
