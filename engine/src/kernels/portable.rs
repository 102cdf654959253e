//! Kernels in plain Rust, for any processor. They are the reference that the tests compare the other sets with, and the
//! other sets leave to them what is too short for a vector.

use super::{
    DepthwiseInput, DepthwiseWeights, Kernels, Lines, Matrix, TAIL_PADDING, check_one, check_planes, check_rows,
    check_two, fused, requantize,
};
use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};

#[derive(Debug)]
pub(super) struct Portable;

impl Kernels for Portable {
    fn name(&self) -> &'static str {
        "portable"
    }
}

/// A [`Matrix`] as it is, without its zero point.
#[derive(Debug)]
pub(super) struct Gemm {
    columns: usize,
    /// Outputs × columns.
    weights: Vec<i16>,
    bias: Vec<i32>,
    multipliers: Vec<f32>,
    output_stage: OutputStage,
}

impl Gemm {
    pub(super) fn new(matrix: &Matrix<'_>) -> Gemm {
        matrix.check();
        Gemm {
            columns: matrix.columns,
            weights: matrix.weights.to_vec(),
            bias: matrix.bias.to_vec(),
            multipliers: matrix.multipliers.to_vec(),
            output_stage: matrix.output_stage.clone(),
        }
    }

    fn check(&self, from: &[u8], stride: usize, count: usize, to: usize, to_stride: usize) {
        let lines = Lines::one(stride, count);
        lines.check(self.columns + TAIL_PADDING, from.len(), (self.bias.len(), to_stride), to);
    }

    /// The scaled sums of one row: one for each output, before rounding.
    fn products(&self, row: &[u8]) -> impl Iterator<Item = f32> {
        let sums = self.weights.chunks_exact(self.columns).zip(&self.bias).map(|(weights, &bias)| {
            let products = row.iter().zip(weights).map(|(&byte, &weight)| i32::from(byte) * i32::from(weight));
            products.fold(bias, i32::wrapping_add)
        });
        sums.zip(&self.multipliers).map(|(sum, multiplier)| sum as f32 * multiplier)
    }
}

impl super::Gemm for Gemm {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        let OutputStage::Byte { zero_point, min, max, .. } = self.output_stage else { unreachable!("made for floats") };
        self.check(from, stride, count, to.len(), to_stride);
        for number in 0..count {
            let row = &from[number * stride..][..self.columns];
            for (to, value) in to[number * to_stride..].iter_mut().zip(self.products(row)) {
                *to = requantize(value, zero_point, min, max);
            }
        }
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        self.check(from, stride, count, to.len(), to_stride);
        for number in 0..count {
            let row = &from[number * stride..][..self.columns];
            for (to, value) in to[number * to_stride..].iter_mut().zip(self.products(row)) {
                *to = value;
            }
        }
    }
}

/// [`DepthwiseWeights`], transposed.
#[derive(Debug)]
pub(super) struct Depthwise {
    window: Window,
    /// Taps × channels.
    weights: Vec<i16>,
    bias: Vec<i32>,
    multipliers: Vec<f32>,
    output_stage: OutputStage,
}

impl Depthwise {
    pub(super) fn new(weights: &DepthwiseWeights<'_>, window: &Window) -> Depthwise {
        weights.check(window);
        let packed = (0..weights.taps)
            .flat_map(|tap| (0..weights.channels).map(move |channel| weights.weights[channel * weights.taps + tap]));
        Depthwise {
            window: window.clone(),
            weights: packed.collect(),
            bias: weights.bias.to_vec(),
            multipliers: weights.multipliers.to_vec(),
            output_stage: weights.output_stage.clone(),
        }
    }
}

impl super::Depthwise for Depthwise {
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        let OutputStage::Byte { zero_point, min, max, .. } = self.output_stage else { unreachable!("made of bytes") };
        let channels = self.bias.len();
        input.check(channels, &self.window, y, to.len());
        let mut sums = vec![0_i32; channels];
        for (x, to) in to.chunks_exact_mut(channels).enumerate() {
            sums.copy_from_slice(&self.bias);
            let pixels = pixels(input, &self.window, channels, y, x);
            for (pixel, weights) in pixels.zip(self.weights.chunks_exact(channels)) {
                for ((sum, &byte), &weight) in sums.iter_mut().zip(pixel).zip(weights) {
                    *sum = sum.wrapping_add(i32::from(byte) * i32::from(weight));
                }
            }
            for ((to, &sum), multiplier) in to.iter_mut().zip(&sums).zip(&self.multipliers) {
                *to = requantize(sum as f32 * multiplier, zero_point, min, max);
            }
        }
    }
}

/// For each tap of the window of output pixel (`y`, `x`), row by row, a slice that starts at the input pixel under it,
/// or at the pixel of the padding.
fn pixels<'a>(
    input: &'a DepthwiseInput<'_>,
    window: &'a Window,
    channels: usize,
    y: usize,
    x: usize,
) -> impl Iterator<Item = &'a [u8]> {
    let ((down, top), (across, left)) = (window.taps(0, y, input.height), window.taps(1, x, input.width));
    let [kernel_height, kernel_width] = window.kernel;
    let taps = (0..kernel_height).flat_map(move |tap_y| (0..kernel_width).map(move |tap_x| (tap_y, tap_x)));
    taps.map(move |(tap_y, tap_x)| {
        if !down.contains(&tap_y) || !across.contains(&tap_x) {
            return input.padding;
        }
        let y = window.position(0, top, tap_y);
        let x = window.position(1, left, tap_x);
        &input.bytes[(y * input.width + x) * channels..]
    })
}

pub(super) fn quantize(from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
    check_one(from, to);
    for (to, &value) in to.iter_mut().zip(from) {
        *to = requantize(value / scale, zero_point, 0, 255);
    }
}

pub(super) fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    check_two(a, b, to);
    let [a_offset, b_offset] = rule.input_offsets.map(f32::from);
    let [a_ratio, b_ratio] = rule.scale_ratios;
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        let with_b = fused(f32::from(b) - b_offset, b_ratio, rule.addend);
        let sum = fused(f32::from(a) - a_offset, a_ratio, with_b);
        *to = requantize(sum, rule.output_offset, rule.min, rule.max);
    }
}

pub(super) fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    check_two(a, b, to);
    let [a_zero, b_zero] = rule.zero_points.map(i32::from);
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        let product = (i32::from(a) - a_zero) * (i32::from(b) - b_zero);
        *to = requantize(product as f32 * rule.multiplier + rule.addend, rule.output_offset, rule.min, rule.max);
    }
}

pub(super) fn lookup_in_place(table: &[u8; 256], bytes: &mut [u8]) {
    for byte in bytes {
        *byte = table[usize::from(*byte)];
    }
}

pub(super) fn sum_rows(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    check_rows(from.len(), stride, count, sums.len());
    for row in 0..count {
        for (sum, &byte) in sums.iter_mut().zip(&from[row * stride..]) {
            *sum += i32::from(byte);
        }
    }
}

pub(super) fn interleave(planes: [&[u8]; 3], to: &mut [u8]) {
    check_planes(planes, to);
    for (at, to) in to.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        *to = planes.map(|plane| plane[at]);
    }
}
