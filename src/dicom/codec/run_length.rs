//! Run lengths (PS3.5 annex G): each byte of a sample in a segment of its own, the high one first, packed as `PackBits` does.

use super::Raster;
use crate::Result;
use crate::dicom::error::damaged;
use crate::dicom::pixels::Layout;

/// The bytes of the header: the number of segments, and the places of 15.
const HEADER: usize = 64;

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Raster> {
    let number = |index: usize| {
        let part = bytes.get(index * 4..index * 4 + 4)?;
        Some(u32::from_le_bytes([part[0], part[1], part[2], part[3]]) as usize)
    };
    let cell_bytes = usize::from(layout.cells.allocated.div_ceil(8));
    let wanted = layout.channels as usize * cell_bytes;
    if bytes.len() < HEADER || number(0) != Some(wanted) || layout.cells.allocated == 1 {
        return Err(damaged(format!("run lengths without a header of {wanted} segments")));
    }
    let pixels = layout.pixels() as usize;
    let mut samples = vec![0u16; pixels * layout.channels as usize];
    for segment in 0..wanted {
        let start = number(segment + 1).unwrap_or(0);
        let end = if segment + 1 < wanted { number(segment + 2).unwrap_or(0) } else { bytes.len() };
        let packed = bytes.get(start..end).filter(|_| start >= HEADER);
        let packed = packed.ok_or_else(|| damaged(format!("segment {segment} of run lengths lies elsewhere")))?;
        let is_high = segment % cell_bytes == 0 && cell_bytes == 2;
        let channel = samples[segment / cell_bytes..].iter_mut().step_by(layout.channels as usize);
        let mut cells = channel.take(pixels);
        unpack(packed, pixels, |byte| {
            if let Some(cell) = cells.next() {
                *cell |= u16::from(byte) << if is_high { 8 } else { 0 };
            }
        })
        .ok_or_else(|| damaged(format!("segment {segment} of run lengths ends early")))?;
    }
    Ok(Raster {
        size: layout.size,
        channels: layout.channels,
        bits: layout.cells.allocated,
        is_lossy: false,
        is_rgb: false,
        samples,
    })
}

/// Gives the first `count` bytes of a packed segment; `None` where it has fewer.
fn unpack(mut packed: &[u8], count: usize, mut give: impl FnMut(u8)) -> Option<()> {
    let mut left = count;
    while left > 0 {
        let (&head, rest) = packed.split_first()?;
        match head {
            0..=127 => {
                let length = usize::from(head) + 1;
                let taken = length.min(left);
                rest.get(..taken)?.iter().for_each(|&byte| give(byte));
                packed = rest.get(length.min(rest.len())..)?;
                left -= taken;
            }
            128 => packed = rest,
            _ => {
                let (&byte, after) = rest.split_first()?;
                let taken = (257 - usize::from(head)).min(left);
                (0..taken).for_each(|_| give(byte));
                packed = after;
                left -= taken;
            }
        }
    }
    Some(())
}
