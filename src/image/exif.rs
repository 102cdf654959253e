//! The orientation in an EXIF block: a tag in the first directory of a TIFF structure (TIFF 6.0, section 2; `BigTIFF`).
//! A TIFF file is itself such a structure.
//!
//! A damaged block gives the orientation that Pillow's `ImageOps.exif_transpose` applies, since models are trained on
//! pictures that Pillow has read.

use std::collections::BTreeSet;
use std::ops::Range;

/// The prefix of an EXIF block in JPEG. Some writers put it into other containers too; Pillow strips it up to two
/// times.
const PREFIX: &[u8] = b"Exif\0\0";

/// The tag `Orientation` (EXIF 2.32, 4.6.4 A).
const ORIENTATION: u16 = 0x0112;
/// The tags of the largest sample (TIFF 6.0, sections 8 and 19).
const MAX_SAMPLE: u16 = 281;
const S_MAX_SAMPLE: u16 = 341;
/// The tag of an XMP packet in TIFF (XMP specification, part 3).
const XMP: u16 = 700;

/// The orientation that an EXIF block states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// None: the orientation of another block, XMP, is used.
    Absent,
    /// A value of the tag, 1…8; 0 for a value without a meaning, and for a block that is no TIFF structure. Other
    /// blocks are ignored.
    Value(u8),
}

/// The orientation in an EXIF block, with or without [`PREFIX`].
pub(super) fn orientation(block: &[u8]) -> Stored {
    let block = block.strip_prefix(PREFIX).unwrap_or(block);
    let block = block.strip_prefix(PREFIX).unwrap_or(block);
    if block.is_empty() {
        return Stored::Absent;
    }
    match Directory::first(block) {
        Some(directory) => {
            directory.field(ORIENTATION).map_or(Stored::Absent, |field| Stored::Value(field.orientation()))
        }
        None => Stored::Value(0),
    }
}

/// The XMP packet of a TIFF file.
pub(super) fn xmp(file: &[u8]) -> Option<&[u8]> {
    let field = Directory::first(file)?.field(XMP)?;
    matches!(field.kind, BYTE | UNDEFINED).then_some(field.data)
}

/// The maximum that a TIFF file states of its samples, in 16 bits and not 0.
pub(super) fn max_sample(file: &[u8]) -> Option<u16> {
    let directory = Directory::first(file)?;
    let max = directory.field(MAX_SAMPLE).or_else(|| directory.field(S_MAX_SAMPLE))?;
    if !matches!(max.kind, SHORT | LONG) {
        return None;
    }
    let length = if max.kind == SHORT { 2 } else { 4 };
    u16::try_from(unsigned(&max.data[..length], max.big_endian)).ok().filter(|&max| max > 0)
}

/// Field types of TIFF 6.0, section 2.
const BYTE: u16 = 1;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;

/// The size in bytes of one value of a field type (TIFF 6.0, section 2; 13 is IFD, 16 `BigTIFF`'s LONG8); `None` for an
/// unknown type.
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
    /// The structure from its header on. Offsets count from its start.
    bytes: &'a [u8],
    big_endian: bool,
    /// `BigTIFF`: offsets and counts have 64 bits.
    is_big_tiff: bool,
    /// The offset of the directory.
    offset: u64,
}

impl<'a> Directory<'a> {
    /// The first directory, at the offset in the header. `None` where the bytes have no TIFF header.
    fn first(bytes: &'a [u8]) -> Option<Directory<'a>> {
        let (big_endian, is_big_tiff) = match bytes.get(..4)? {
            // Where the 42 has the other byte order, the letters decide, as in Pillow.
            b"II*\0" | b"II\0*" => (false, false),
            b"MM\0*" | b"MM*\0" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return None,
        };
        let header = Directory { bytes, big_endian, is_big_tiff, offset: 0 };
        let offset = if is_big_tiff { header.number(8, 8)? } else { header.number(4, 4)? };
        Some(Directory { offset, ..header })
    }

    /// The first valid entry of a tag.
    ///
    /// Reading stops at the first entry that, or whose data, is beyond the end of the structure. An entry is skipped
    /// where its type is unknown, it has no data, its tag was read before, or its data and those of the entries before
    /// it, as far as they are outside of the entries, are together larger than the structure.
    fn field(&self, wanted: u16) -> Option<Field<'a>> {
        // In bytes: the number of entries, an entry, and each of two fields in it, which are the count of its values,
        // and their offset or, where they fit, the values themselves.
        let (count_size, entry_size, inline) = if self.is_big_tiff { (8, 20, 8) } else { (2, 12, 4) };
        // The maximum of classic TIFF bounds the time for BigTIFF too.
        let entries = self.number(self.offset, count_size)?.min(u64::from(u16::MAX));
        let mut offset = self.offset + count_size;
        let mut external_bytes = 0u64;
        let mut seen = BTreeSet::new();
        for _ in 0..entries {
            self.slice(offset, entry_size)?;
            let tag = self.number(offset, 2)? as u16;
            let kind = self.number(offset + 2, 2)? as u16;
            let count = self.number(offset + 4, inline)?;
            let value = offset + 4 + inline;
            offset += entry_size;

            if seen.contains(&tag) {
                continue;
            }
            let Some(length) = size(kind).map(|size| size.saturating_mul(count)) else { continue };
            let data = if length <= inline {
                self.slice(value, length)?
            } else {
                external_bytes = external_bytes.saturating_add(length);
                if external_bytes > self.bytes.len() as u64 {
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

    /// `length` bytes at `offset`. `None` where they are not all inside the structure.
    fn slice(&self, offset: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes.get(start..end)
    }

    /// The unsigned number in `length` bytes, at most 8, at `offset`.
    fn number(&self, offset: u64, length: u64) -> Option<u64> {
        self.slice(offset, length).map(|bytes| unsigned(bytes, self.big_endian))
    }
}

/// The unsigned number in at most 8 bytes.
fn unsigned(bytes: &[u8], big_endian: bool) -> u64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

/// The values of an entry, at least one.
struct Field<'a> {
    kind: u16,
    data: &'a [u8],
    big_endian: bool,
}

impl Field<'_> {
    /// The first value where it is a whole number from 1 to 8, of any numeric type; 0 otherwise. BYTE, ASCII and
    /// UNDEFINED are not numeric.
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
