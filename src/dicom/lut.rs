//! Lookup tables (PS3.3 C.11.1.1, C.11.2.1, C.7.6.3.1.5, and C.7.9.2 of segmented ones).

use super::error::malformed;
use super::header::RawPalette;
use super::tags::{self, Tag};
use crate::Result;

/// A table as a data set has it.
#[derive(Debug, Clone, Default)]
pub(super) struct RawLut {
    /// The number of entries, 0 for 65,536; the first value that it is for; the bits of an entry.
    pub(super) descriptor: Option<[u16; 3]>,
    /// Whether that first value is signed, where the file says so.
    pub(super) is_stated_signed: Option<bool>,
    /// The entries, in little endian.
    pub(super) data: Vec<u8>,
}

/// A table: what it gives for a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lut {
    first: i32,
    /// At least one.
    entries: Vec<u16>,
    /// The largest entry that its bits can hold.
    pub(super) max: u16,
}

impl Lut {
    /// The table, whose first value is signed where the file says so, or else where `is_signed`. `tag` is its sequence.
    pub(super) fn of(raw: &RawLut, is_signed: bool, tag: Tag) -> Result<Lut> {
        let Some([count, first, bits]) = raw.descriptor else {
            return Err(malformed(tag, "has a table without a descriptor"));
        };
        if !(8..=16).contains(&bits) {
            return Err(malformed(tag, format!("has a table with entries of {bits} bits")));
        }
        let count = if count == 0 { 1 << 16 } else { usize::from(count) };
        let entries: Vec<u16> = if raw.data.len() >= 2 * count {
            raw.data.chunks_exact(2).take(count).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
        } else if bits == 8 && raw.data.len() >= count {
            raw.data[..count].iter().map(|&byte| u16::from(byte)).collect()
        } else {
            return Err(malformed(tag, "has a table with fewer entries than its descriptor says"));
        };
        let first =
            if raw.is_stated_signed.unwrap_or(is_signed) { i32::from(first.cast_signed()) } else { i32::from(first) };
        Ok(Lut { first, entries, max: u16::MAX >> (16 - bits) })
    }

    /// The entry for a value. Values before the first one have the first entry, values after the last one the last.
    pub(super) fn get(&self, value: f64) -> u16 {
        let index = (value.round() - f64::from(self.first)).clamp(0.0, (self.entries.len() - 1) as f64);
        self.entries[index as usize]
    }
}

/// The red, green and blue of each index of a palette, 8 bits each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Palette {
    first: i32,
    /// At least one.
    colors: Vec<[u8; 3]>,
}

impl Palette {
    /// The palette of a data set. `is_signed` says whether indices are.
    pub(super) fn of(raw: &[RawPalette; 3], is_signed: bool) -> Result<Palette> {
        let named = [tags::RED_DATA, tags::GREEN_DATA, tags::BLUE_DATA];
        let mut tables = Vec::with_capacity(3);
        for (channel, tag) in raw.iter().zip(named) {
            let mut table = channel.table.clone();
            if table.data.is_empty() && !channel.segments.is_empty() {
                let Some([count, _, bits]) = table.descriptor else {
                    return Err(malformed(tag, "has no descriptor"));
                };
                table.data = expanded(&channel.segments, count, bits, tag)?;
            }
            if table.data.is_empty() {
                return Err(malformed(tag, "is missing"));
            }
            tables.push(Lut::of(&table, is_signed, tag)?);
        }
        let [red, green, blue] = &tables[..] else { unreachable!("three colours") };
        if red.entries.len() != green.entries.len() || red.entries.len() != blue.entries.len() {
            return Err(malformed(tags::GREEN_DESCRIPTOR, "has another number of entries than that of red"));
        }
        let eight_bits = |table: &Lut, index: usize| match table.max {
            255 => table.entries[index].min(255) as u8,
            max => (f64::from(table.entries[index].min(max)) * 255.0 / f64::from(max)).round() as u8,
        };
        let color = |index| [red, green, blue].map(|table| eight_bits(table, index));
        Ok(Palette { first: red.first, colors: (0..red.entries.len()).map(color).collect() })
    }

    /// The colour of an index. Indices before the first one have its colour, indices after the last one the last.
    pub(super) fn color(&self, index: i32) -> [u8; 3] {
        self.colors[(index - self.first).clamp(0, self.colors.len() as i32 - 1) as usize]
    }
}

/// The entries of a segmented table, 16 bits each in little endian (PS3.3 C.7.9.2). Segments and their lengths have as
/// many bits as entries.
fn expanded(segments: &[u8], count: u16, bits: u16, tag: Tag) -> Result<Vec<u8>> {
    let count = if count == 0 { 1 << 16 } else { usize::from(count) };
    let words: Vec<u16> = match bits {
        8 => segments.iter().map(|&byte| u16::from(byte)).collect(),
        _ => segments.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
    };
    let mut entries: Vec<u16> = Vec::new();
    let mut at = 0;
    while entries.len() < count && at < words.len() {
        at += segment(&words, at, bits, count, &mut entries, tag)?;
    }
    if entries.len() < count {
        return Err(malformed(tag, "has fewer entries than its descriptor says"));
    }
    Ok(entries.iter().take(count).flat_map(|entry| entry.to_le_bytes()).collect())
}

/// Adds the entries of the segment that begins with word `at`. Returns how many words it has.
fn segment(words: &[u16], at: usize, bits: u16, max: usize, entries: &mut Vec<u16>, tag: Tag) -> Result<usize> {
    let ends = || malformed(tag, "ends in the middle of a segment");
    let word = |at: usize| words.get(at).copied().ok_or_else(ends);
    let length = usize::from(word(at + 1)?);
    match word(at)? {
        0 => {
            entries.extend_from_slice(words.get(at + 2..at + 2 + length).ok_or_else(ends)?);
            Ok(2 + length)
        }
        1 => {
            let to = i64::from(word(at + 2)?);
            let from = i64::from(*entries.last().ok_or_else(|| malformed(tag, "begins with a linear segment"))?);
            for step in 1..=length as i64 {
                let exact = (to - from) as f64 * step as f64 / length as f64 + from as f64;
                entries.push(exact.round() as u16);
            }
            Ok(3)
        }
        2 => {
            // The place of the segments to repeat is a number of bytes, in 32 bits that begin with the low ones.
            let bytes = match bits {
                8 => u32::from_le_bytes([word(at + 2)?, word(at + 3)?, word(at + 4)?, word(at + 5)?].map(|w| w as u8)),
                _ => u32::from(word(at + 2)?) | u32::from(word(at + 3)?) << 16,
            };
            let mut from = bytes as usize / if bits == 8 { 1 } else { 2 };
            for _ in 0..length {
                if word(from)? == 2 {
                    return Err(malformed(tag, "has a segment that repeats one that repeats others"));
                }
                if entries.len() > max {
                    return Err(malformed(tag, "has more entries than its descriptor says"));
                }
                from += segment(words, from, bits, max, entries, tag)?;
            }
            Ok(if bits == 8 { 6 } else { 4 })
        }
        kind => Err(malformed(tag, format!("has a segment of the unknown kind {kind}"))),
    }
}
