//! Bilinear resizing with antialiasing: Pillow's `resize(size, BILINEAR)` to the bit.
//!
//! The two axes are resized one after the other, with samples rounded to 8 bits in between and weights in fixed point.
//! Models are trained and calibrated on the output of Pillow, and differences of one level change their scores.

use std::ops::Range;

/// The fractional bits of a weight, Pillow's `PRECISION_BITS`. Weights sum to 1, so that 255 times the sum is below
/// 2³¹.
const PRECISION: u32 = 22;
/// One half in fixed point, with which accumulators start so that they round to nearest.
const HALF: i32 = 1 << (PRECISION - 1);

/// One axis of a resize: from `length` samples to `resized`, of which only the range `kept` is computed.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) length: u32,
    pub(super) resized: u32,
    pub(super) kept: Range<u32>,
}

/// The input samples that one output sample is a weighted sum of: one for each weight, beginning at `start`.
struct Taps {
    start: usize,
    /// In fixed point with [`PRECISION`] fractional bits.
    weights: Vec<i32>,
}

impl Axis {
    /// An axis resized as a whole.
    pub(super) fn whole(length: u32, resized: u32) -> Axis {
        Axis { length, resized, kept: 0..resized }
    }

    /// The taps of each sample in `kept`.
    fn taps(&self) -> Vec<Taps> {
        let scale = f64::from(self.length) / f64::from(self.resized);
        // Half the width of the triangle, in input samples: 1 when enlarging, the scale when reducing.
        let support = scale.max(1.0);
        let per_sample = 1.0 / support;
        let taps = |index: u32| {
            let center = (f64::from(index) + 0.5) * scale;
            // `as` truncates towards zero and gives 0 for negative values, as Pillow does.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(self.length as usize);
            let triangle = |at: usize| (1.0 - ((at as f64 - center + 0.5) * per_sample).abs()).max(0.0);
            let sum: f64 = (start..end).map(triangle).sum();
            let weight = |at: usize| (0.5 + triangle(at) / sum * f64::from(1 << PRECISION)) as i32;
            Taps { start, weights: (start..end).map(weight).collect() }
        };
        self.kept.clone().map(taps).collect()
    }
}

/// Resizes a raster and returns the kept part of the result. `pixels` has rows of `horizontal.length` pixels, with
/// `CHANNELS` bytes each.
///
/// Besides the result, it allocates the rows that one row of the result is a weighted sum of.
pub(super) fn resize<const CHANNELS: usize>(pixels: &[u8], horizontal: &Axis, vertical: &Axis) -> Vec<u8> {
    if is_vertical_first(horizontal, vertical) {
        resize_vertical_first::<CHANNELS>(pixels, horizontal, vertical)
    } else {
        resize_horizontal_first::<CHANNELS>(pixels, horizontal, vertical)
    }
}

/// Whether the height is reduced so much more than the width that Pillow, since version 13, resizes it first.
fn is_vertical_first(horizontal: &Axis, vertical: &Axis) -> bool {
    let reduction = |axis: &Axis| i64::from(axis.length) - i64::from(axis.resized);
    reduction(vertical) > 0 && reduction(vertical) > 2 * reduction(horizontal)
}

fn resize_horizontal_first<const CHANNELS: usize>(pixels: &[u8], horizontal: &Axis, vertical: &Axis) -> Vec<u8> {
    let (x_taps, y_taps) = (horizontal.taps(), vertical.taps());
    let (row_len, output_row_len) = (horizontal.length as usize * CHANNELS, x_taps.len() * CHANNELS);
    let mut result = vec![0; output_row_len * y_taps.len()];
    // A ring buffer of input rows that are resized horizontally: row r is in slot r % slots until no output row needs
    // it.
    let slots = y_taps.iter().map(|taps| taps.weights.len()).max().unwrap_or(0);
    let slot = |r: usize| (r % slots) * output_row_len..(r % slots + 1) * output_row_len;
    let mut ring = vec![0; output_row_len * slots];
    let mut sums = vec![0; output_row_len];
    let mut next = 0;
    for (taps, to) in y_taps.iter().zip(result.chunks_exact_mut(output_row_len)) {
        let end = taps.start + taps.weights.len();
        for r in next.max(taps.start)..end {
            resize_row::<CHANNELS>(&pixels[r * row_len..(r + 1) * row_len], &x_taps, &mut ring[slot(r)]);
        }
        next = end;
        let rows = (taps.start..end).map(|r| &ring[slot(r)]);
        merge_rows(rows, &taps.weights, &mut sums, to);
    }
    result
}

fn resize_vertical_first<const CHANNELS: usize>(pixels: &[u8], horizontal: &Axis, vertical: &Axis) -> Vec<u8> {
    let (x_taps, y_taps) = (horizontal.taps(), vertical.taps());
    let (row_len, output_row_len) = (horizontal.length as usize * CHANNELS, x_taps.len() * CHANNELS);
    let mut result = vec![0; output_row_len * y_taps.len()];
    let (mut sums, mut merged) = (vec![0; row_len], vec![0; row_len]);
    for (taps, to) in y_taps.iter().zip(result.chunks_exact_mut(output_row_len)) {
        merge_rows(pixels[taps.start * row_len..].chunks_exact(row_len), &taps.weights, &mut sums, &mut merged);
        resize_row::<CHANNELS>(&merged, &x_taps, to);
    }
    result
}

/// Writes the weighted sum of rows of equal length, one for each weight, to `to`. `sums` are its accumulators; both
/// have that length.
fn merge_rows<'a>(rows: impl Iterator<Item = &'a [u8]>, weights: &[i32], sums: &mut [i32], to: &mut [u8]) {
    sums.fill(HALF);
    for (row, &weight) in rows.zip(weights) {
        sums.iter_mut().zip(row).for_each(|(sum, &sample)| *sum += i32::from(sample) * weight);
    }
    to.iter_mut().zip(sums).for_each(|(sample, &mut sum)| *sample = rounded(sum));
}

/// Resizes one row horizontally: `to` gets one pixel for each element of `x_taps`.
fn resize_row<const CHANNELS: usize>(row: &[u8], x_taps: &[Taps], to: &mut [u8]) {
    let (row, _) = row.as_chunks::<CHANNELS>();
    let (to, _) = to.as_chunks_mut::<CHANNELS>();
    for (taps, pixel) in x_taps.iter().zip(to) {
        let mut sums = [HALF; CHANNELS];
        for (samples, &weight) in row[taps.start..].iter().zip(&taps.weights) {
            for (sum, &sample) in sums.iter_mut().zip(samples) {
                *sum += i32::from(sample) * weight;
            }
        }
        *pixel = sums.map(rounded);
    }
}

/// An accumulator that began with [`HALF`], as a sample: rounded to nearest and clamped to 0…255.
fn rounded(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}
