//! The compressed frames of encapsulated pixels (PS3.5 A.4): items, one or more for each frame.

use super::error::malformed;
use super::source::{Reader, Source};
use super::syntax::{Coding, Encoding};
use super::tags;
use super::walk::header;
use crate::Result;

/// The most items that are read.
const MAX_ITEMS: usize = 1 << 20;

/// Where a fragment's bytes lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fragment {
    at: u64,
    length: u64,
}

/// The compressed bytes of frame `frame` of `frames`. The reader stands at the value of the pixels. `offsets` is the
/// extended offset table, empty where there is none.
pub(super) fn frame(
    source: &Source<'_>,
    mut reader: Reader<'_>,
    coding: Coding,
    (frame, frames): (u64, u64),
    offsets: &[u64],
) -> Result<Vec<u8>> {
    let basic = offset_table(&mut reader)?;
    let first = reader.position();
    let fragments = fragments(&mut reader)?;
    let starts = starts_of_table(&fragments, first, frames, offsets)
        .or_else(|| starts_of_table(&fragments, first, frames, &basic));
    let starts = match starts {
        Some(starts) => starts,
        None => starts_of_fragments(source, &fragments, coding, frames)?,
    };
    let from = starts[frame as usize];
    let to = starts.get(frame as usize + 1).copied().unwrap_or(fragments.len());
    let mut bytes = Vec::new();
    for fragment in &fragments[from..to] {
        bytes.extend_from_slice(&source.bytes(tags::PIXELS, fragment.at, fragment.length)?);
    }
    Ok(bytes)
}

/// The basic offset table: the first item, which may be empty. Numbers of 32 bits.
fn offset_table(reader: &mut Reader<'_>) -> Result<Vec<u64>> {
    let item = header(reader, Encoding::EXPLICIT)?;
    let (tags::ITEM, Some(length)) = (item.tag, item.length) else {
        return Err(malformed(tags::PIXELS, "does not begin with an offset table"));
    };
    if length / 4 > MAX_ITEMS as u64 {
        return Err(malformed(tags::PIXELS, format!("has an offset table of {length} bytes")));
    }
    let bytes = reader.bytes(length)?;
    Ok(bytes.chunks_exact(4).map(|part| u64::from(u32::from_le_bytes([part[0], part[1], part[2], part[3]]))).collect())
}

/// All fragments, to the delimiter. A file may end without one, after a whole fragment.
fn fragments(reader: &mut Reader<'_>) -> Result<Vec<Fragment>> {
    let mut fragments = Vec::new();
    while !reader.is_at_end() {
        let item = header(reader, Encoding::EXPLICIT)?;
        match (item.tag, item.length) {
            (tags::ITEM, Some(length)) if fragments.len() < MAX_ITEMS => {
                let at = reader.position();
                reader.tag = Some(tags::PIXELS);
                reader.skip(length)?;
                fragments.push(Fragment { at, length });
            }
            (tags::SEQUENCE_END, _) => break,
            (tag, _) => return Err(malformed(tags::PIXELS, format!("holds {tag} where a fragment belongs"))),
        }
    }
    if fragments.is_empty() {
        return Err(malformed(tags::PIXELS, "holds no frame"));
    }
    Ok(fragments)
}

/// The first fragment of each frame, as a table says: offsets from `first`, where the first fragment's item begins.
/// `None` where the table is empty or wrong.
fn starts_of_table(fragments: &[Fragment], first: u64, frames: u64, table: &[u64]) -> Option<Vec<usize>> {
    if table.len() as u64 != frames || table.first() != Some(&0) {
        return None;
    }
    // Before its bytes, an item has a header of eight.
    let index = |offset: &u64| fragments.binary_search_by_key(&(first + offset + 8), |fragment| fragment.at).ok();
    let starts: Vec<usize> = table.iter().map(index).collect::<Option<_>>()?;
    starts.is_sorted_by(|a, b| a < b).then_some(starts)
}

/// The first fragment of each frame, as the fragments themselves say.
fn starts_of_fragments(source: &Source<'_>, fragments: &[Fragment], coding: Coding, frames: u64) -> Result<Vec<usize>> {
    if frames == 1 {
        return Ok(vec![0]);
    }
    if fragments.len() as u64 == frames {
        return Ok((0..fragments.len()).collect());
    }
    let mut starts = Vec::new();
    for (index, fragment) in fragments.iter().enumerate() {
        let head = source.bytes(tags::PIXELS, fragment.at, fragment.length.min(3))?;
        let is_start = match coding {
            Coding::Jpeg | Coding::JpegLs => head.starts_with(&[0xFF, 0xD8, 0xFF]),
            Coding::Jpeg2000 => head.starts_with(&[0xFF, 0x4F, 0xFF]) || head.starts_with(&[0, 0, 0]),
            Coding::RunLength | Coding::Native => false,
        };
        if is_start {
            starts.push(index);
        }
    }
    if starts.len() as u64 != frames || starts[0] != 0 {
        let count = fragments.len();
        return Err(malformed(
            tags::PIXELS,
            format!("has {count} fragments for {frames} frames, and no table that says which is whose"),
        ));
    }
    Ok(starts)
}
