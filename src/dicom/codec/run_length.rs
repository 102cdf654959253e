//! Run lengths (PS3.5 annex G): each byte of a sample in a segment of its own, the high one first, packed as `PackBits` does.

use crate::Result;
use crate::dicom::error::damaged;
use crate::dicom::pixels::Layout;

/// The bytes of the header: the number of segments, and the places of 15.
const HEADER: usize = 64;

/// The cells of a frame as they are where it is not compressed: pixel by pixel, in little endian.
pub(super) fn unpacked(bytes: &[u8], layout: &Layout) -> Result<Vec<u8>> {
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
    let mut plane = vec![0; pixels];
    let mut frame = vec![0; if wanted == 1 { 0 } else { pixels * wanted }];
    for segment in 0..wanted {
        let start = number(segment + 1).unwrap_or(0);
        let end = if segment + 1 < wanted { number(segment + 2).unwrap_or(0) } else { bytes.len() };
        let packed = bytes.get(start..end).filter(|_| start >= HEADER);
        let packed = packed.ok_or_else(|| damaged(format!("segment {segment} of run lengths lies elsewhere")))?;
        unpack(packed, &mut plane).ok_or_else(|| damaged(format!("segment {segment} of run lengths ends early")))?;
        if wanted == 1 {
            return Ok(plane);
        }
        // The high byte of a cell of two comes first.
        let first = if cell_bytes == 2 { segment ^ 1 } else { segment };
        let bytes = frame[first..].iter_mut().step_by(wanted);
        bytes.zip(&plane).for_each(|(to, &byte)| *to = byte);
    }
    Ok(frame)
}

/// Fills a plane with the first bytes of a packed segment; `None` where it has fewer.
fn unpack(mut packed: &[u8], mut plane: &mut [u8]) -> Option<()> {
    while !plane.is_empty() {
        let (&head, rest) = packed.split_first()?;
        match head {
            0..=127 => {
                let length = usize::from(head) + 1;
                let (to, left) = plane.split_at_mut(length.min(plane.len()));
                to.copy_from_slice(rest.get(..to.len())?);
                (packed, plane) = (rest.get(length..).unwrap_or_default(), left);
            }
            128 => packed = rest,
            _ => {
                let (&byte, after) = rest.split_first()?;
                let (to, left) = plane.split_at_mut((257 - usize::from(head)).min(plane.len()));
                to.fill(byte);
                (packed, plane) = (after, left);
            }
        }
    }
    Some(())
}
