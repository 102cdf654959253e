//! The orientation in an EXIF block: a tag in the first directory of a TIFF structure (TIFF 6.0, section 2; `BigTIFF`).
//!
//! A TIFF file is such a structure itself. What damage leaves readable counts exactly as it does for Pillow, which most
//! models were trained behind: `ImageOps.exif_transpose` and this turn the same pictures.

use std::collections::BTreeSet;
use std::ops::Range;

/// Some writers put this before the structure where a container has no need of it; Pillow takes it away twice.
const PREFIX: &[u8] = b"Exif\0\0";

const ORIENTATION: u16 = 0x0112;
const XMP: u16 = 700;

/// What a block says of the orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// Nothing: another block may.
    Silent,
    /// A value of the tag, 1…8, or 0 for one without a meaning and for a block that is none. No other block counts.
    Value(u8),
}

/// The orientation in an EXIF block.
pub(super) fn orientation(block: &[u8]) -> Stored {
    let block = block.strip_prefix(PREFIX).unwrap_or(block);
    let block = block.strip_prefix(PREFIX).unwrap_or(block);
    if block.is_empty() {
        return Stored::Silent;
    }
    match Directory::first(block) {
        Some(directory) => {
            directory.field(ORIENTATION).map_or(Stored::Silent, |field| Stored::Value(field.orientation()))
        }
        None => Stored::Value(0),
    }
}

/// The XMP packet of a TIFF file.
pub(super) fn xmp(file: &[u8]) -> Option<&[u8]> {
    let field = Directory::first(file)?.field(XMP)?;
    matches!(field.kind, BYTE | UNDEFINED).then_some(field.data)
}

const BYTE: u16 = 1;
const UNDEFINED: u16 = 7;

/// The bytes of one value of a type (TIFF 6.0, section 2; 13 is IFD, 16 `BigTIFF`'s LONG8); none for an unknown one.
fn size(kind: u16) -> Option<u64> {
    Some(match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 => 8,
        _ => return None,
    })
}

/// A directory of a TIFF structure.
#[derive(Clone, Copy)]
struct Directory<'a> {
    /// The structure from its header on: places are counted from there.
    bytes: &'a [u8],
    big_endian: bool,
    /// `BigTIFF`: places and counts have 64 bits.
    wide: bool,
    /// Where it begins.
    at: u64,
}

impl<'a> Directory<'a> {
    /// The first one, wherever the header says that it is. `None` where the bytes have no such header.
    fn first(bytes: &'a [u8]) -> Option<Directory<'a>> {
        let (big_endian, wide) = match bytes.get(..4)? {
            // Where 42 is in the other order, the letters count, as for Pillow.
            b"II*\0" | b"II\0*" => (false, false),
            b"MM\0*" | b"MM*\0" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return None,
        };
        let header = Directory { bytes, big_endian, wide, at: 0 };
        let at = if wide { header.number(8, 8)? } else { header.number(4, 4)? };
        Some(Directory { at, ..header })
    }

    /// The first sound entry of a tag. Entries are read up to one whose data lie beyond the end; one is passed over that
    /// is larger than what the structure can hold beside those before it, or whose tag was there already.
    fn field(&self, wanted: u16) -> Option<Field<'a>> {
        let (count_size, entry_size, inline) = if self.wide { (8, 20, 8) } else { (2, 12, 4) };
        // No BigTIFF has more either, though it might.
        let entries = self.number(self.at, count_size)?.min(u64::from(u16::MAX));
        let mut at = self.at + count_size;
        let mut far = 0u64;
        let mut seen = BTreeSet::new();
        for _ in 0..entries {
            self.slice(at, entry_size)?;
            let tag = self.number(at, 2)? as u16;
            let kind = self.number(at + 2, 2)? as u16;
            let count = self.number(at + 4, inline)?;
            let value = at + 4 + inline;
            at += entry_size;

            if seen.contains(&tag) {
                continue;
            }
            let Some(length) = size(kind).map(|size| size.saturating_mul(count)) else { continue };
            let data = if length <= inline {
                self.slice(value, length)?
            } else {
                far = far.saturating_add(length);
                if far > self.bytes.len() as u64 {
                    continue;
                }
                self.slice(self.number(value, inline)?, length)?
            };
            if data.is_empty() {
                continue;
            }
            if tag == wanted {
                return Some(Field { kind, data, big_endian: self.big_endian });
            }
            seen.insert(tag);
        }
        None
    }

    fn slice(&self, at: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(at).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes.get(start..end)
    }

    /// The unsigned number in so many bytes, at most 8.
    fn number(&self, at: u64, length: u64) -> Option<u64> {
        self.slice(at, length).map(|bytes| unsigned(bytes, self.big_endian))
    }
}

fn unsigned(bytes: &[u8], big_endian: bool) -> u64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

/// The values of an entry: one at least.
struct Field<'a> {
    kind: u16,
    data: &'a [u8],
    big_endian: bool,
}

impl Field<'_> {
    /// The first value where it is a number of 1…8, of whatever type; 0 otherwise. Bytes and text are no numbers.
    fn orientation(&self) -> u8 {
        let bits = |range: Range<usize>| unsigned(&self.data[range], self.big_endian);
        let value = match self.kind {
            3 => bits(0..2) as f64,                                            // SHORT
            4 | 13 => bits(0..4) as f64,                                       // LONG, IFD
            5 => bits(0..4) as f64 / bits(4..8) as f64,                        // RATIONAL
            6 => f64::from(bits(0..1) as i8),                                  // SBYTE
            8 => f64::from(bits(0..2) as i16),                                 // SSHORT
            9 => f64::from(bits(0..4) as i32),                                 // SLONG
            10 => f64::from(bits(0..4) as i32) / f64::from(bits(4..8) as i32), // SRATIONAL
            11 => f64::from(f32::from_bits(bits(0..4) as u32)),                // FLOAT
            12 => f64::from_bits(bits(0..8)),                                  // DOUBLE
            16 => bits(0..8) as f64,                                           // LONG8
            _ => return 0,
        };
        (1..=8).find(|&orientation| value.total_cmp(&f64::from(orientation)).is_eq()).unwrap_or(0)
    }
}
