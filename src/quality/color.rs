//! The share of coloured pixels.

use crate::image::Picture;
use crate::preprocess::Area;

/// The samples of a cell, in each direction. Their mean is what a pixel of an input in colour would be, within the noise
/// that 16 samples leave, and the time doesn't grow with the picture.
const SAMPLES: u32 = 4;

/// The chroma of a pixel: the difference of its highest and its lowest channel.
pub(super) fn chroma([a, b, c]: [u8; 3]) -> u8 {
    a.max(b).max(c) - a.min(b).min(c)
}

/// The share of the cells, `columns` × `rows` over the area, whose mean has at least this chroma. Each has at least one
/// cell. `xs` and `ys` are memory for the columns and rows that are sampled.
pub(super) fn of_picture(
    picture: &Picture,
    area: Area,
    (columns, rows): (u32, u32),
    chroma: u8,
    (xs, ys): (&mut Vec<usize>, &mut Vec<usize>),
) -> f64 {
    let (columns, rows) = (columns.max(1), rows.max(1));
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    set_positions(xs, area.left, area.width, columns);
    set_positions(ys, area.top, area.height, rows);
    let min = u32::from(chroma) * SAMPLES * SAMPLES;
    let mut coloured = 0u64;
    for ys in ys.chunks_exact(SAMPLES as usize) {
        for xs in xs.chunks_exact(SAMPLES as usize) {
            let mut sums = [0u32; 3];
            for y in ys {
                let line = &pixels[y * picture.width as usize..];
                for &x in xs {
                    sums.iter_mut().zip(line[x]).for_each(|(sum, sample)| *sum += u32::from(sample));
                }
            }
            let [a, b, c] = sums;
            coloured += u64::from(a.max(b).max(c) - a.min(b).min(c) >= min);
        }
    }
    coloured as f64 / (u64::from(columns) * u64::from(rows)) as f64
}

/// Sets the pixels that are sampled on an axis, in order: those in the middle of [`SAMPLES`] equal parts of each of the
/// cells. Where parts are smaller than pixels, a pixel is sampled several times.
fn set_positions(to: &mut Vec<usize>, start: u32, length: u32, cells: u32) {
    let parts = u64::from(cells) * u64::from(SAMPLES);
    to.clear();
    to.extend((0..parts).map(|part| start as usize + ((2 * part + 1) * u64::from(length) / (2 * parts)) as usize));
}
