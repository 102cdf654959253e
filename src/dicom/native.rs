//! Pixels that are not compressed (PS3.5 section 8.1 and annex D).

use super::error::{malformed, not_read};
use super::pixels::{Cells, Layout, Samples};
use super::source::Source;
use super::syntax::Encoding;
use super::tags;
use super::walk::Element;
use crate::Result;

/// About how many bytes of a frame are read at once.
const CHUNK: u64 = 1 << 18;

/// Reads frame `number`, and gives its samples' stored bits, pixel by pixel, a part at a time. `value` are the header of the
/// pixels, where their value begins and how long it is.
pub(super) fn read(
    source: &Source<'_>,
    layout: &Layout,
    (pixels, at, length): (Element, u64, u64),
    number: u64,
    mut give: impl FnMut(Samples<'_>),
) -> Result<()> {
    let bits = layout.native_bits();
    // An odd number of pixels has a half of a pair at its end, which some writers leave out.
    let needed = bits.saturating_mul(layout.frames).div_ceil(8);
    if length < needed {
        return Err(malformed(
            tags::PIXELS,
            format!(
                "has {length} bytes, {} frames of {}×{} take {needed}",
                layout.frames, layout.size.0, layout.size.1
            ),
        ));
    }
    if at + length > source.length() {
        return Err(malformed(tags::PIXELS, "ends after the file does"));
    }
    let is_swapped = pixels.encoding.is_big_endian && &pixels.vr == b"OW" && layout.cells.allocated < 16;
    if is_swapped && (layout.cells.allocated == 1 || layout.is_planar) {
        return Err(not_read("pixels of one bit, or planes of 8 bits, in big-endian words are"));
    }
    if layout.cells.allocated == 1 {
        return read_bits(source, layout, at, bits * number, give);
    }
    let cell_bytes = u64::from(layout.cells.allocated / 8);
    let from = at + bits / 8 * number;
    if layout.is_planar {
        return read_planes(source, layout, (pixels.encoding, from), give);
    }
    let unit = if layout.is_halved { 4 } else { cell_bytes * u64::from(layout.channels) };
    let part = CHUNK / unit * unit;
    let mut samples = Vec::new();
    for start in (0..bits / 8).step_by(part as usize) {
        let length = part.min(bits / 8 - start);
        if layout.is_of_bytes() && !is_swapped && !layout.is_halved {
            give(Samples::Bytes(&source.bytes(tags::PIXELS, from + start, length)?));
            continue;
        }
        samples.clear();
        if is_swapped {
            swapped(source, layout.cells, at, (from - at + start, length), &mut samples)?;
        } else {
            bits_of(&source.bytes(tags::PIXELS, from + start, length)?, layout.cells, pixels.encoding, &mut samples);
        }
        if layout.is_halved {
            samples = samples.chunks_exact(4).flat_map(|p| [p[0], p[2], p[3], p[1], p[2], p[3]]).collect();
        }
        give(Samples::Words(&samples));
    }
    Ok(())
}

/// Adds the stored bits of cells of 1 or 2 bytes.
fn bits_of(bytes: &[u8], cells: Cells, encoding: Encoding, samples: &mut Vec<u16>) {
    let (shift, mask) = (cells.shift, cells.mask());
    let bits = move |cell: u16| cell >> shift & mask;
    match cells.allocated {
        8 => samples.extend(bytes.iter().map(|&byte| bits(byte.into()))),
        _ if encoding.is_big_endian => {
            samples.extend(bytes.as_chunks().0.iter().map(|&pair| bits(u16::from_be_bytes(pair))));
        }
        _ => samples.extend(bytes.as_chunks().0.iter().map(|&pair| bits(u16::from_le_bytes(pair)))),
    }
}

/// Adds the stored bits of `length` bytes from `offset` in the pixels on, which lie in words whose high byte is first. The pixels
/// begin at `at`.
fn swapped(
    source: &Source<'_>,
    cells: Cells,
    at: u64,
    (offset, length): (u64, u64),
    samples: &mut Vec<u16>,
) -> Result<()> {
    let first = offset & !1;
    let last = (offset + length).next_multiple_of(2).min(source.length() - at);
    let bytes = source.bytes(tags::PIXELS, at + first, last - first)?;
    let byte = |index: u64| bytes.get((index ^ 1) as usize).copied().unwrap_or(0);
    samples.extend((offset - first..offset - first + length).map(|index| cells.bits(byte(index).into())));
    Ok(())
}

/// Gives the pixels of one bit each, of which the first is the lowest of its byte. `first` is the frame's first bit.
fn read_bits(
    source: &Source<'_>,
    layout: &Layout,
    at: u64,
    first: u64,
    mut give: impl FnMut(Samples<'_>),
) -> Result<()> {
    let last = first + layout.pixels();
    for from in (first..last).step_by(CHUNK as usize) {
        let to = last.min(from + CHUNK);
        let bytes = source.bytes(tags::PIXELS, at + from / 8, to.div_ceil(8) - from / 8)?;
        let bit = |index: u64| u16::from(bytes[(index / 8 - from / 8) as usize] >> (index % 8) & 1);
        give(Samples::Words(&(from..to).map(bit).collect::<Vec<_>>()));
    }
    Ok(())
}

/// Gives the pixels of a frame whose colours lie one after the other.
fn read_planes(
    source: &Source<'_>,
    layout: &Layout,
    (encoding, from): (Encoding, u64),
    mut give: impl FnMut(Samples<'_>),
) -> Result<()> {
    let cell_bytes = u64::from(layout.cells.allocated / 8);
    let mut planes: [Vec<u16>; 3] = Default::default();
    let part = CHUNK / cell_bytes;
    for start in (0..layout.pixels()).step_by(part as usize) {
        let count = part.min(layout.pixels() - start);
        for (index, plane) in (0..).zip(&mut planes) {
            plane.clear();
            let at = from + (layout.pixels() * index + start) * cell_bytes;
            bits_of(&source.bytes(tags::PIXELS, at, count * cell_bytes)?, layout.cells, encoding, plane);
        }
        let pixel = |index: usize| planes.each_ref().map(|plane| plane[index]);
        give(Samples::Words(&(0..count as usize).flat_map(pixel).collect::<Vec<_>>()));
    }
    Ok(())
}
