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

/// The weighted run of samples that each wanted one is made of.
struct Taps {
    /// Where each run starts.
    starts: Vec<usize>,
    /// The weights of all runs, `longest` apart; a shorter run ends in zeros that are not used.
    weights: Vec<i32>,
    lengths: Vec<usize>,
    longest: usize,
}

impl Axis {
    /// The whole of a side brought to another length.
    pub(super) fn whole(length: u32, resized: u32) -> Axis {
        Axis { length, resized, kept: 0..resized }
    }

    fn taps(&self) -> Taps {
        let scale = f64::from(self.length) / f64::from(self.resized);
        // Enlarged, a sample is made of its two neighbours; reduced, of twice what it covers.
        let support = scale.max(1.0);
        let per_sample = 1.0 / support;
        let longest = support.ceil() as usize * 2 + 1;
        let count = self.kept.len();
        let mut taps = Taps {
            starts: Vec::with_capacity(count),
            weights: vec![0; count * longest],
            lengths: Vec::with_capacity(count),
            longest,
        };
        for (index, weights) in self.kept.clone().zip(taps.weights.chunks_exact_mut(longest)) {
            let center = (f64::from(index) + 0.5) * scale;
            // `as` cuts towards zero and clamps below, as Pillow does.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(self.length as usize);
            let triangle = |at: usize| (1.0 - ((at as f64 - center + 0.5) * per_sample).abs()).max(0.0);
            let sum: f64 = (start..end).map(triangle).sum();
            for (weight, at) in weights.iter_mut().zip(start..end) {
                *weight = (0.5 + triangle(at) / sum * f64::from(1 << PRECISION)) as i32;
            }
            taps.starts.push(start);
            taps.lengths.push(end - start);
        }
        taps
    }
}

impl Taps {
    /// For each wanted sample: where its run starts, and its weights.
    fn runs(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let weights = self.weights.chunks_exact(self.longest);
        self.starts.iter().zip(&self.lengths).zip(weights).map(|((&start, &length), all)| (start, &all[..length]))
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
    let (horizontal, vertical) = (across.taps(), down.taps());
    let (row, narrow) = (across.length as usize * CHANNELS, across.kept.len() * CHANNELS);
    let mut result = vec![0; narrow * down.kept.len()];
    // Row r, brought to its width, waits in slot r % longest until no run needs it.
    let slot = |r: usize| (r % vertical.longest) * narrow..(r % vertical.longest + 1) * narrow;
    let mut waiting = vec![0; narrow * vertical.longest];
    let mut sums = vec![0; narrow];
    let mut next = 0;
    for ((start, weights), into) in vertical.runs().zip(result.chunks_exact_mut(narrow)) {
        let end = start + weights.len();
        for r in next.max(start)..end {
            resize_row::<CHANNELS>(&pixels[r * row..(r + 1) * row], &horizontal, &mut waiting[slot(r)]);
        }
        next = end;
        let rows = (start..end).map(|r| &waiting[slot(r)]);
        merge_rows(rows, weights, &mut sums, into);
    }
    result
}

fn columns_first<const CHANNELS: usize>(pixels: &[u8], across: &Axis, down: &Axis) -> Vec<u8> {
    let (horizontal, vertical) = (across.taps(), down.taps());
    let (row, narrow) = (across.length as usize * CHANNELS, across.kept.len() * CHANNELS);
    let mut result = vec![0; narrow * down.kept.len()];
    let (mut sums, mut merged) = (vec![0; row], vec![0; row]);
    for ((start, weights), into) in vertical.runs().zip(result.chunks_exact_mut(narrow)) {
        merge_rows(pixels[start * row..].chunks_exact(row), weights, &mut sums, &mut merged);
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
fn resize_row<const CHANNELS: usize>(row: &[u8], taps: &Taps, into: &mut [u8]) {
    let (row, _) = row.as_chunks::<CHANNELS>();
    let (into, _) = into.as_chunks_mut::<CHANNELS>();
    for ((start, weights), pixel) in taps.runs().zip(into) {
        let mut sums = [HALF; CHANNELS];
        for (samples, &weight) in row[start..].iter().zip(weights) {
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
