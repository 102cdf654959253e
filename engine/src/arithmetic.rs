//! The parameters of the engine's arithmetic, as programs hold them and kernels take them.
//!
//! `round` is to the nearest whole number, ties to even (IEEE 754, 4.3.1). `fma` rounds once.

use std::ops::Range;

/// How the window of a convolution or a pooling lies over its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// Height and width of the kernel.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Rows of padding above the input and columns to its left.
    pub(crate) pad: [usize; 2],
}

impl Window {
    /// The taps of the kernel that lie in the input along one axis (0: height, 1: width), for one output position, and
    /// the position of tap 0, which may lie in the padding.
    pub(crate) fn taps(&self, axis: usize, position: usize, length: usize) -> (Range<usize>, isize) {
        let first = (position * self.stride[axis]) as isize - self.pad[axis] as isize;
        let dilation = self.dilation[axis] as isize;
        let inside = |tap: usize| (0..length as isize).contains(&(first + tap as isize * dilation));
        let start = (0..self.kernel[axis]).find(|&tap| inside(tap)).unwrap_or(self.kernel[axis]);
        let end = (start..self.kernel[axis]).find(|&tap| !inside(tap)).unwrap_or(self.kernel[axis]);
        (start..end, first)
    }

    /// Whether all taps lie in the input along an axis, for one output position.
    pub(crate) fn is_inside(&self, axis: usize, position: usize, length: usize) -> bool {
        let first = position * self.stride[axis];
        let last = first + (self.kernel[axis] - 1) * self.dilation[axis];
        first >= self.pad[axis] && last - self.pad[axis] < length
    }

    /// Whether each output is computed from the one input pixel at its own position.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0]
    }
}

/// What becomes of the float that a sum was multiplied to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OutputStage {
    /// It is the output.
    Float,
    /// It is requantized: `round(clamp(x)) + zero_point`, where the clamp keeps the byte between `min` and `max`. Where there
    /// is a table, the output is the table's entry at that byte.
    Byte { zero_point: u8, min: u8, max: u8, table: Option<Box<[u8; 256]>> },
}

/// The parameters of a quantized sum:
/// `round(clamp(fma(a - input_offsets[0], scale_ratios[0], fma(b - input_offsets[1], scale_ratios[1], addend)))) +
/// output_offset`.
///
/// An offset is 128 where the graph's tensor is signed, and 0 where it is not: ONNX Runtime adds the stored numbers, and the
/// zero points are part of `addend`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AddRule {
    pub(crate) input_offsets: [u8; 2],
    /// The scale of each input, divided by the output's.
    pub(crate) scale_ratios: [f32; 2],
    pub(crate) addend: f32,
    pub(crate) output_offset: u8,
    pub(crate) min: u8,
    pub(crate) max: u8,
}

/// The parameters of a quantized product:
/// `round(clamp((a - zero_points[0]) * (b - zero_points[1]) * multiplier + addend)) + output_offset`, rounded to floats twice:
/// the product, and the sum. `output_offset` is as that of [`AddRule`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MultiplyRule {
    pub(crate) zero_points: [u8; 2],
    pub(crate) multiplier: f32,
    pub(crate) addend: f32,
    pub(crate) output_offset: u8,
    pub(crate) min: u8,
    pub(crate) max: u8,
}
