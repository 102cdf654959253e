//! Bilinear resizing with antialiasing: Pillow's `resize(size, BILINEAR)` to the bit.
//!
//! One direction after the other, rounded to 8 bits in between, each weight a whole number of 2⁻²². Models are trained
//! and calibrated on what Pillow gives; a resizer that differs by a level here and there would move their scores.

use std::ops::Range;

/// Bits of a weight's fraction. A sum of weights is 1, so that 255 times it stays below 2³¹.
const PRECISION: u32 = 22;
const HALF: i32 = 1 << (PRECISION - 1);

/// One direction of a resize: `length` samples to `resized`, of which `kept` are wanted.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) length: u32,
    pub(super) resized: u32,
    pub(super) kept: Range<u32>,
}

/// The samples that a wanted one is made of: as many as there are weights, from `start` on.
struct Run {
    start: usize,
    weights: Vec<i32>,
}

impl Axis {
    /// The whole of a side brought to another length.
    pub(super) fn whole(length: u32, resized: u32) -> Axis {
        Axis { length, resized, kept: 0..resized }
    }

    fn runs(&self) -> Vec<Run> {
        let scale = f64::from(self.length) / f64::from(self.resized);
        // Enlarged, a sample is made of its two neighbours; reduced, of twice what it covers.
        let support = scale.max(1.0);
        let per_sample = 1.0 / support;
        let run = |index: u32| {
            let center = (f64::from(index) + 0.5) * scale;
            // `as` cuts towards zero and clamps below, as Pillow does.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(self.length as usize);
            let triangle = |at: usize| (1.0 - ((at as f64 - center + 0.5) * per_sample).abs()).max(0.0);
            let sum: f64 = (start..end).map(triangle).sum();
            let weight = |at: usize| (0.5 + triangle(at) / sum * f64::from(1 << PRECISION)) as i32;
            Run { start, weights: (start..end).map(weight).collect() }
        };
        self.kept.clone().map(run).collect()
    }
}

/// The wanted part of a resized raster; `pixels` are rows of `CHANNELS` bytes a pixel, `across.length` pixels long.
///
/// Beside the result it takes the few rows that one row of the result is made of.
pub(super) fn resize<const CHANNELS: usize>(pixels: &[u8], across: &Axis, down: &Axis) -> Vec<u8> {
    if columns_go_first(across, down) {
        columns_first::<CHANNELS>(pixels, across, down)
    } else {
        rows_first::<CHANNELS>(pixels, across, down)
    }
}

/// Whether the height is reduced so much more than the width that Pillow, since version 13, turns the order.
fn columns_go_first(across: &Axis, down: &Axis) -> bool {
    let lost = |axis: &Axis| i64::from(axis.length) - i64::from(axis.resized);
    lost(down) > 0 && lost(down) > 2 * lost(across)
}

fn rows_first<const CHANNELS: usize>(pixels: &[u8], across: &Axis, down: &Axis) -> Vec<u8> {
    let (horizontal, vertical) = (across.runs(), down.runs());
    let (row, narrow) = (across.length as usize * CHANNELS, horizontal.len() * CHANNELS);
    let mut result = vec![0; narrow * vertical.len()];
    // Row r, brought to its width, waits in slot r % longest until no run needs it.
    let longest = vertical.iter().map(|run| run.weights.len()).max().unwrap_or(0);
    let slot = |r: usize| (r % longest) * narrow..(r % longest + 1) * narrow;
    let mut waiting = vec![0; narrow * longest];
    let mut sums = vec![0; narrow];
    let mut next = 0;
    for (run, into) in vertical.iter().zip(result.chunks_exact_mut(narrow)) {
        let end = run.start + run.weights.len();
        for r in next.max(run.start)..end {
            resize_row::<CHANNELS>(&pixels[r * row..(r + 1) * row], &horizontal, &mut waiting[slot(r)]);
        }
        next = end;
        let rows = (run.start..end).map(|r| &waiting[slot(r)]);
        merge_rows(rows, &run.weights, &mut sums, into);
    }
    result
}

fn columns_first<const CHANNELS: usize>(pixels: &[u8], across: &Axis, down: &Axis) -> Vec<u8> {
    let (horizontal, vertical) = (across.runs(), down.runs());
    let (row, narrow) = (across.length as usize * CHANNELS, horizontal.len() * CHANNELS);
    let mut result = vec![0; narrow * vertical.len()];
    let (mut sums, mut merged) = (vec![0; row], vec![0; row]);
    for (run, into) in vertical.iter().zip(result.chunks_exact_mut(narrow)) {
        merge_rows(pixels[run.start * row..].chunks_exact(row), &run.weights, &mut sums, &mut merged);
        resize_row::<CHANNELS>(&merged, &horizontal, into);
    }
    result
}

/// The weighted sum of rows of equal length.
fn merge_rows<'a>(rows: impl Iterator<Item = &'a [u8]>, weights: &[i32], sums: &mut [i32], into: &mut [u8]) {
    sums.fill(HALF);
    for (row, &weight) in rows.zip(weights) {
        sums.iter_mut().zip(row).for_each(|(sum, &sample)| *sum += i32::from(sample) * weight);
    }
    into.iter_mut().zip(sums).for_each(|(sample, &mut sum)| *sample = rounded(sum));
}

/// One row brought to its width.
fn resize_row<const CHANNELS: usize>(row: &[u8], runs: &[Run], into: &mut [u8]) {
    let (row, _) = row.as_chunks::<CHANNELS>();
    let (into, _) = into.as_chunks_mut::<CHANNELS>();
    for (run, pixel) in runs.iter().zip(into) {
        let mut sums = [HALF; CHANNELS];
        for (samples, &weight) in row[run.start..].iter().zip(&run.weights) {
            for (sum, &sample) in sums.iter_mut().zip(samples) {
                *sum += i32::from(sample) * weight;
            }
        }
        *pixel = sums.map(rounded);
    }
}

fn rounded(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}
