//! The parameters of the engine's arithmetic, which programs hold and kernels compute with. The lowering and the reader
//! of prepared models choose them, and `program/check.rs` verifies their ranges.
//!
//! In the formulas, `round` goes to the nearest whole number, ties to even (IEEE 754, 4.3.1), and `fma` rounds once.
//! All other operations on floats are rounded to `f32` one by one, in the order in which they are written.

use std::ops::Range;

/// The geometry of the windows of a convolution or a pooling. Each array has the value for height and then for width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// The number of taps along the axis.
    pub(crate) kernel: [usize; 2],
    /// The distance between neighbouring windows, in input pixels.
    pub(crate) stride: [usize; 2],
    /// The distance between neighbouring taps, in input pixels.
    pub(crate) dilation: [usize; 2],
    /// The padding above the input and to its left, in pixels. Padding below and to the right follows from the output's
    /// shape.
    pub(crate) pad: [usize; 2],
}

impl Window {
    /// The taps that lie in the input along one axis (0: height, 1: width), for one output position, and the input
    /// position of tap 0, which may lie in the padding. `length` is the length of the input along the axis.
    pub(crate) fn taps(&self, axis: usize, position: usize, length: usize) -> (Range<usize>, isize) {
        let first = (position * self.stride[axis]) as isize - self.pad[axis] as isize;
        let dilation = self.dilation[axis] as isize;
        let inside = |tap: usize| (0..length as isize).contains(&(first + tap as isize * dilation));
        let start = (0..self.kernel[axis]).find(|&tap| inside(tap)).unwrap_or(self.kernel[axis]);
        let end = (start..self.kernel[axis]).find(|&tap| !inside(tap)).unwrap_or(self.kernel[axis]);
        (start..end, first)
    }

    /// The input position of a tap along an axis. `first` is that of tap 0, as [`Window::taps`] returns it; the tap
    /// must lie in the input.
    pub(crate) fn position(&self, axis: usize, first: isize, tap: usize) -> usize {
        (first + (tap * self.dilation[axis]) as isize) as usize
    }

    /// Whether all taps lie in the input along an axis, for one output position. The parameters are as for
    /// [`Window::taps`].
    pub(crate) fn is_inside(&self, axis: usize, position: usize, length: usize) -> bool {
        let first = position * self.stride[axis];
        let last = first + (self.kernel[axis] - 1) * self.dilation[axis];
        first >= self.pad[axis] && last - self.pad[axis] < length
    }

    /// Whether the window of each output pixel is the input pixel at the same position.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0]
    }
}

/// The last stage of a step: from `x`, a sum times its multiplier as a float, to the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OutputStage {
    /// The output is `x`.
    Float,
    /// `x` is requantized to the byte `round(clamp(x)) + zero_point`, where the clamp keeps the byte from `min` to
    /// `max`. With a table, the output is the table's entry at that byte.
    Byte { zero_point: u8, min: u8, max: u8, table: Option<Box<[u8; 256]>> },
}

/// The parameters of a quantized sum of the bytes `a` and `b`. It is `round(clamp(x)) + output_offset`, where `x` is
///
/// `fma(a - input_offsets[0], scale_ratios[0], fma(b - input_offsets[1], scale_ratios[1], addend))`.
///
/// The clamp keeps the byte from `min` to `max`. An offset is 128 where the graph's tensor is signed, and 0 where it is
/// not. The formula is that of ONNX Runtime's `QLinearAdd`: it adds stored numbers, and the zero points are part of
/// `addend`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AddRule {
    pub(crate) input_offsets: [u8; 2],
    /// The scale of each input, divided by that of the output.
    pub(crate) scale_ratios: [f32; 2],
    /// The zero point of the output less those of the inputs times their scale ratios. All three are the graph's own.
    pub(crate) addend: f32,
    pub(crate) output_offset: u8,
    pub(crate) min: u8,
    pub(crate) max: u8,
}

impl AddRule {
    /// The scale ratios and the addend of a sum, in the order of ONNX Runtime's `QLinearAdd`. It takes the scale and
    /// the zero point, in the graph's own integers, of both inputs and of the output.
    #[cfg(feature = "onnx")]
    pub(crate) fn factors([a, b]: [(f32, f32); 2], to: (f32, f32)) -> ([f32; 2], f32) {
        let (a_ratio, b_ratio) = (a.0 / to.0, b.0 / to.0);
        let zero_points = a_ratio.mul_add(a.1, b_ratio * b.1);
        ([a_ratio, b_ratio], to.1 - zero_points)
    }
}

/// The parameters of a quantized product of the bytes `a` and `b`. It is `round(clamp(x)) + output_offset`, where `x`
/// is
///
/// `(a - zero_points[0]) * (b - zero_points[1]) * multiplier + addend`.
///
/// The product with `multiplier` and the sum with `addend` are each rounded to `f32`. The offset and the clamp are as
/// for [`AddRule`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MultiplyRule {
    /// The zero points of the inputs, in stored bytes.
    pub(crate) zero_points: [u8; 2],
    /// The product of the scales of the inputs, divided by the scale of the output.
    pub(crate) multiplier: f32,
    /// The zero point of the output in the graph's own integers. ONNX Runtime's `QLinearMul` adds it before it rounds.
    pub(crate) addend: f32,
    pub(crate) output_offset: u8,
    pub(crate) min: u8,
    pub(crate) max: u8,
}
