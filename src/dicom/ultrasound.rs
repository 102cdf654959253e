//! The part of an ultrasound frame that shows tissue: a scanner draws text, scales and logos around it.

use super::Shown;
use super::header::{Header, UltrasoundRegion};

/// Region Spatial Format: an image in two dimensions (PS3.3 C.8.5.5.1.1).
const TWO_DIMENSIONS: u32 = 1;
/// Region Data Type: tissue (PS3.3 C.8.5.5.1.2).
const TISSUE: u32 = 1;
/// Physical Units: centimetres (PS3.3 C.8.5.5.1.15).
const CENTIMETRES: u32 = 3;
/// The classes of ultrasound images begin with these: frames, loops, their retired predecessors, volumes, photoacoustic images.
const CLASSES: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.6"];

/// The side of the squares in which pixels are looked for, in pixels, and the least side of a region.
const SQUARE: u32 = 8;
/// The grey level over which a pixel is no background. Lossy compression leaves a few levels.
const BACKGROUND: u8 = 10;
/// The part of a square's pixels that are no background where tissue is: 1 in this many. Letters fill less.
const FILLED: u32 = 2;
/// The part of the frame's squares that a connected part of tissue takes at least: 1 in this many.
const MIN_SHARE: usize = 32;

/// A rectangle of pixels: left, top, right, bottom, the last two behind it.
pub(crate) type Area = [u32; 4];

/// Whether a data set is of ultrasound.
pub(super) fn is_ultrasound(header: &Header) -> bool {
    let class = header.sop_class.as_deref().unwrap_or_default();
    let is_class = |start: &str| class.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    header.modality.as_deref() == Some("US") || CLASSES.into_iter().any(is_class)
}

/// The largest region of tissue that the data set states, the first of equal ones, and whether there are others.
pub(super) fn stated(header: &Header, size: (u32, u32)) -> Option<(Area, &UltrasoundRegion, bool)> {
    let of_tissue = |region: &&UltrasoundRegion| region.format == TWO_DIMENSIONS && region.data_type == TISSUE;
    let areas = header.regions.iter().filter(of_tissue).filter_map(|region| Some((inside(region, size)?, region)));
    let has_others = areas.clone().map(|(area, _)| area).any(|area| areas.clone().any(|(other, _)| other != area));
    let pixels = |[left, top, right, bottom]: Area| u64::from(right - left) * u64::from(bottom - top);
    let (area, region) = areas.rev().max_by_key(|(area, _)| pixels(*area))?;
    Some((area, region, has_others))
}

/// The pixels of a region in a frame; `None` where its edges are not all stated, or are those of no picture, or of a larger frame
/// than this. Some writers have the number of columns for the last column.
fn inside(region: &UltrasoundRegion, (width, height): (u32, u32)) -> Option<Area> {
    let [Some(left), Some(top), Some(right), Some(bottom)] = region.edges else { return None };
    if right > width || bottom > height {
        return None;
    }
    let area = [left, top, (right + 1).min(width), (bottom + 1).min(height)];
    let is_picture = |start: u32, end: u32| end.checked_sub(start).is_some_and(|length| length >= SQUARE);
    (is_picture(left, area[2]) && is_picture(top, area[3])).then_some(area)
}

/// Millimetres from column to column and from row to row of a region.
pub(super) fn spacing(region: &UltrasoundRegion) -> Option<[f64; 2]> {
    let is_length = region.units == [CENTIMETRES; 2];
    is_length.then(|| region.deltas.map(|delta| delta.abs() * 10.0))
}

/// The rectangle around the large connected groups of squares that pixels fill, of a frame whose data set states no region.
/// `None` where there is none.
pub(super) fn found(frame: &Shown) -> Option<Area> {
    let (width, height) = frame.size;
    let is_filled = filled_squares(frame);
    let [left, top, right, bottom] = large_groups(&is_filled, width / SQUARE)?;
    // The edge of a sector fills its squares in part.
    Some([
        left.saturating_sub(1) * SQUARE,
        top.saturating_sub(1) * SQUARE,
        ((right + 1) * SQUARE).min(width),
        ((bottom + 1) * SQUARE).min(height),
    ])
}

/// Whether each square has tissue, rows from the top.
fn filled_squares(frame: &Shown) -> Vec<bool> {
    let side = SQUARE as usize;
    let line = frame.size.0 as usize * if frame.is_color { 3 } else { 1 };
    let (columns, rows) = (frame.size.0 as usize / side, frame.size.1 as usize / side);
    let mut is_filled = Vec::with_capacity(columns * rows);
    let mut counts = vec![0u32; columns];
    for lines in frame.pixels.chunks_exact(line * side) {
        counts.fill(0);
        for line in lines.chunks_exact(line) {
            if frame.is_color {
                for (count, square) in counts.iter_mut().zip(line.as_chunks::<{ 3 * SQUARE as usize }>().0) {
                    let brightest = square.as_chunks::<3>().0.iter().map(|[r, g, b]| *r.max(g).max(b));
                    *count += brightest.map(|level| u32::from(level > BACKGROUND)).sum::<u32>();
                }
            } else {
                for (count, square) in counts.iter_mut().zip(line.as_chunks::<{ SQUARE as usize }>().0) {
                    *count += square.iter().map(|&level| u32::from(level > BACKGROUND)).sum::<u32>();
                }
            }
        }
        is_filled.extend(counts.iter().map(|count| count * FILLED >= SQUARE * SQUARE));
    }
    is_filled
}

/// The rectangle around the groups of filled squares that touch along their sides, in squares: of those that are a large part of
/// all. `None` where there is none.
fn large_groups(is_filled: &[bool], columns: u32) -> Option<Area> {
    let columns = columns as usize;
    let mut is_left = is_filled.to_vec();
    let mut area: Option<Area> = None;
    for start in 0..is_filled.len() {
        if !is_left[start] {
            continue;
        }
        is_left[start] = false;
        let (mut pending, mut count) = (vec![start], 0);
        let mut around = [u32::MAX, u32::MAX, 0, 0];
        while let Some(at) = pending.pop() {
            count += 1;
            let (row, column) = (at / columns, at % columns);
            let [x, y] = [column as u32, row as u32];
            around = joined(around, [x, y, x + 1, y + 1]);
            let neighbours = [
                (column > 0).then(|| at - 1),
                (column + 1 < columns).then_some(at + 1),
                at.checked_sub(columns),
                Some(at + columns).filter(|&below| below < is_filled.len()),
            ];
            for neighbour in neighbours.into_iter().flatten() {
                if is_left[neighbour] {
                    is_left[neighbour] = false;
                    pending.push(neighbour);
                }
            }
        }
        if count * MIN_SHARE >= is_filled.len() {
            area = Some(area.map_or(around, |area| joined(area, around)));
        }
    }
    area
}

/// The rectangle around two.
fn joined(a: Area, b: Area) -> Area {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}
