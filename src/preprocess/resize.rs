//! Resizing with antialiasing: Pillow's `resize(size, BILINEAR)` and `resize(size, BICUBIC)` to the bit.
//!
//! The two axes are resized one after the other, with samples rounded to 8 bits in between and weights in fixed point.
//! Models are trained and calibrated on the output of Pillow, and differences of one level change their scores.

use std::ops::Range;

use super::wipe;
use crate::manifest::Filter;

/// The fractional bits of a weight, Pillow's `PRECISION_BITS`. The weights of a sample sum to 1, and those above 0 to little more
/// (1.13 of the cubic filter, of the sizes tried): 255 times the sum of any of them is below 2³¹ up to a sum of 2.
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
#[derive(Clone, Copy)]
struct Taps<'a> {
    start: usize,
    /// In fixed point with [`PRECISION`] fractional bits.
    weights: &'a [i32],
}

/// The taps of all samples of an axis, and the memory that they are in.
#[derive(Debug, Default)]
struct AxisTaps {
    /// The start of each sample's taps among the input samples, and the end of its weights in `weights`.
    ends: Vec<(usize, usize)>,
    weights: Vec<i32>,
}

impl AxisTaps {
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// The taps of each sample, in order.
    fn iter(&self) -> impl Iterator<Item = Taps<'_>> {
        let mut begin = 0;
        self.ends.iter().map(move |&(start, end)| {
            let weights = &self.weights[begin..end];
            begin = end;
            Taps { start, weights }
        })
    }
}

/// The memory of a resize, which a later one uses again.
#[derive(Debug, Default)]
pub(crate) struct ResizeBuffers {
    horizontal: AxisTaps,
    vertical: AxisTaps,
    sums: Vec<i32>,
    rows: Vec<u8>,
}

impl ResizeBuffers {
    /// Overwrites what is left of a picture with zeros.
    pub(crate) fn wipe(&mut self) {
        wipe(&mut self.sums);
        wipe(&mut self.rows);
    }

    /// The bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        let taps = |taps: &AxisTaps| taps.ends.capacity() * size_of::<(usize, usize)>() + taps.weights.capacity() * 4;
        taps(&self.horizontal) + taps(&self.vertical) + self.sums.capacity() * 4 + self.rows.capacity()
    }
}

/// Makes a buffer as long as this, with values of zero, in the memory that it has.
fn zeroed<T: Clone + Default>(buffer: &mut Vec<T>, length: usize) -> &mut [T] {
    buffer.clear();
    buffer.resize(length, T::default());
    buffer
}

impl Axis {
    /// An axis resized as a whole.
    pub(super) fn whole(length: u32, resized: u32) -> Axis {
        Axis { length, resized, kept: 0..resized }
    }

    /// Computes the taps of each sample in `kept`.
    fn taps_into(&self, filter: Filter, to: &mut AxisTaps) {
        to.ends.clear();
        to.weights.clear();
        let scale = f64::from(self.length) / f64::from(self.resized);
        // When reducing, the filter is wider by the scale.
        let width = scale.max(1.0);
        let (support, per_sample) = (reach(filter) * width, 1.0 / width);
        for index in self.kept.clone() {
            let center = (f64::from(index) + 0.5) * scale;
            // `as` truncates towards zero and gives 0 for negative values, as Pillow does.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(self.length as usize);
            let value_at = |at: usize| value(filter, (at as f64 - center + 0.5) * per_sample);
            let sum: f64 = (start..end).map(value_at).sum();
            let weight = |at: usize| {
                let part = value_at(at) / sum;
                let half = if part < 0.0 { -0.5 } else { 0.5 };
                (half + part * f64::from(1 << PRECISION)) as i32
            };
            to.weights.extend((start..end).map(weight));
            to.ends.push((start, to.weights.len()));
        }
    }
}

/// The distance at which a filter ends, in samples of the larger raster.
fn reach(filter: Filter) -> f64 {
    match filter {
        Filter::Bilinear => 1.0,
        Filter::Bicubic => 2.0,
    }
}

/// The value of a filter at a distance.
fn value(filter: Filter, distance: f64) -> f64 {
    /// The slope at 1, by which cubic filters differ.
    const A: f64 = -0.5;
    let x = distance.abs();
    match filter {
        Filter::Bilinear => (1.0 - x).max(0.0),
        Filter::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        Filter::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        Filter::Bicubic => 0.0,
    }
}

/// Resizes a raster; `result` becomes the kept part of the resized one. `pixels` has rows of `horizontal.length` pixels,
/// with `CHANNELS` bytes each.
///
/// Besides the taps, `buffers` hold the rows that one row of the result is a weighted sum of.
pub(super) fn resize<const CHANNELS: usize>(
    pixels: &[u8],
    (horizontal, vertical): (&Axis, &Axis),
    filter: Filter,
    buffers: &mut ResizeBuffers,
    result: &mut Vec<u8>,
) {
    horizontal.taps_into(filter, &mut buffers.horizontal);
    vertical.taps_into(filter, &mut buffers.vertical);
    let result = zeroed(result, buffers.horizontal.len() * buffers.vertical.len() * CHANNELS);
    let row_len = horizontal.length as usize * CHANNELS;
    if is_vertical_first(horizontal, vertical) {
        resize_vertical_first::<CHANNELS>(pixels, row_len, buffers, result);
    } else {
        resize_horizontal_first::<CHANNELS>(pixels, row_len, buffers, result);
    }
}

/// Whether the height is reduced so much more than the width that Pillow, since version 13, resizes it first.
fn is_vertical_first(horizontal: &Axis, vertical: &Axis) -> bool {
    let reduction = |axis: &Axis| i64::from(axis.length) - i64::from(axis.resized);
    reduction(vertical) > 0 && reduction(vertical) > 2 * reduction(horizontal)
}

fn resize_horizontal_first<const CHANNELS: usize>(
    pixels: &[u8],
    row_len: usize,
    buffers: &mut ResizeBuffers,
    result: &mut [u8],
) {
    let ResizeBuffers { horizontal: x_taps, vertical: y_taps, sums, rows } = buffers;
    let output_row_len = x_taps.len() * CHANNELS;
    // A ring buffer of input rows that are resized horizontally: row r is in slot r % slots until no output row needs
    // it.
    let slots = y_taps.iter().map(|taps| taps.weights.len()).max().unwrap_or(0);
    let slot = |r: usize| (r % slots) * output_row_len..(r % slots + 1) * output_row_len;
    let ring = zeroed(rows, output_row_len * slots);
    let sums = zeroed(sums, output_row_len);
    let mut next = 0;
    for (taps, to) in y_taps.iter().zip(result.chunks_exact_mut(output_row_len)) {
        let end = taps.start + taps.weights.len();
        for r in next.max(taps.start)..end {
            resize_row::<CHANNELS>(&pixels[r * row_len..(r + 1) * row_len], x_taps, &mut ring[slot(r)]);
        }
        next = end;
        let rows = (taps.start..end).map(|r| &ring[slot(r)]);
        merge_rows(rows, taps.weights, sums, to);
    }
}

fn resize_vertical_first<const CHANNELS: usize>(
    pixels: &[u8],
    row_len: usize,
    buffers: &mut ResizeBuffers,
    result: &mut [u8],
) {
    let ResizeBuffers { horizontal: x_taps, vertical: y_taps, sums, rows } = buffers;
    let (sums, merged) = (zeroed(sums, row_len), zeroed(rows, row_len));
    for (taps, to) in y_taps.iter().zip(result.chunks_exact_mut(x_taps.len() * CHANNELS)) {
        merge_rows(pixels[taps.start * row_len..].chunks_exact(row_len), taps.weights, sums, merged);
        resize_row::<CHANNELS>(merged, x_taps, to);
    }
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
fn resize_row<const CHANNELS: usize>(row: &[u8], x_taps: &AxisTaps, to: &mut [u8]) {
    let (row, _) = row.as_chunks::<CHANNELS>();
    let (to, _) = to.as_chunks_mut::<CHANNELS>();
    for (taps, pixel) in x_taps.iter().zip(to) {
        let mut sums = [HALF; CHANNELS];
        for (samples, &weight) in row[taps.start..].iter().zip(taps.weights) {
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
