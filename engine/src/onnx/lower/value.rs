//! The values of lowering: what is known of each tensor of the graph. `finish.rs` turns them into steps.
//!
//! A tensor of bytes that a value refers to is dense and channels last: its shape in the program is [`channels_last`]
//! of the value's shape.

use std::rc::Rc;

use super::Reason;
use crate::arithmetic::Window;
use crate::onnx::constants::Quantization;
use crate::program::TensorId;

/// A tensor of the graph: its shape in the graph's order of axes, and where its elements come from.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) shape: Vec<usize>,
    pub(super) kind: ValueKind,
}

impl Value {
    /// The tensor of bytes that represents the value by a scale and a zero point.
    ///
    /// # Errors
    /// The value is no such tensor.
    pub(super) fn quantized_tensor(&self) -> Result<QuantizedTensor, Reason> {
        match &self.kind {
            ValueKind::Pointwise { input, function } => {
                let affine = function.affine.ok_or("an operator between this and its DequantizeLinear")?;
                Ok(QuantizedTensor { tensor: *input, affine })
            }
            _ => Err("its input is not quantized".into()),
        }
    }
}

/// Where the elements of a value come from.
#[derive(Debug, Clone)]
pub(super) enum ValueKind {
    /// Integers: the bytes of `tensor` less `offset`, which is 128 where the graph's integers are signed, otherwise 0.
    Integers { tensor: TensorId, offset: u8 },
    /// Reals: a function of each byte of `input`.
    Pointwise { input: TensorId, function: Rc<Function> },
    /// Reals: the result of an operator whose requantization is not known yet, clamped. No step computes it yet, and
    /// each reader that requantizes it adds a step of its own.
    Deferred { operator: Rc<Deferred>, clamp: Clamp },
    /// Floats in memory. `strides` has the distance in elements between neighbours along each of the graph's axes.
    Floats { tensor: TensorId, strides: Vec<usize> },
}

/// A function of a byte.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// The result for each byte.
    pub(super) values: [f32; 256],
    /// The scale and zero point, where the function is `scale * (byte - zero_point)`.
    pub(super) affine: Option<Affine>,
}

/// Affine quantization in unsigned bytes: `real = scale * (byte - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    pub(super) scale: f32,
    pub(super) zero_point: u8,
    /// The byte less the graph's integer: 128 where the graph's integers are signed, otherwise 0. The zero point has it
    /// added too.
    pub(super) offset: u8,
}

impl Affine {
    /// The quantization of an activation, in unsigned bytes. None where the zero point is out of range.
    pub(super) fn of(activation: Quantization) -> Option<Affine> {
        let zero_point = u8::try_from(activation.zero_point - activation.min).ok()?;
        Some(Affine { scale: activation.scale, zero_point, offset: -activation.min as u8 })
    }

    /// Dequantization as a function of the byte.
    pub(super) fn function(self) -> Function {
        let real = |byte: usize| (byte as i32 - i32::from(self.zero_point)) as f32 * self.scale;
        Function { values: std::array::from_fn(real), affine: Some(self) }
    }

    /// Quantizes one real: `round(clamp(real / scale)) + zero_point`.
    pub(super) fn byte(self, real: f32) -> u8 {
        crate::kernels::requantize(real / self.scale, self.zero_point, 0, 255)
    }
}

/// A range of reals, `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clamp {
    pub(super) low: f32,
    pub(super) high: f32,
}

impl Clamp {
    /// No bounds.
    pub(super) const NONE: Clamp = Clamp { low: f32::NEG_INFINITY, high: f32::INFINITY };

    /// The range of reals that are clamped to `self` and then to `other`.
    pub(super) fn and(self, other: Clamp) -> Clamp {
        Clamp { low: self.low.max(other.low).min(other.high), high: self.high.min(other.high).max(other.low) }
    }

    /// The minimum and the maximum byte of the range: its bounds, quantized like reals.
    pub(super) fn bytes(self, to: Affine) -> (u8, u8) {
        (to.byte(self.low), to.byte(self.high))
    }
}

/// A tensor of bytes, and the quantization by which it represents reals.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuantizedTensor {
    pub(super) tensor: TensorId,
    pub(super) affine: Affine,
}

/// An operator that becomes a step when its requantization is known. A convolution and a mean can also become steps
/// that give floats.
#[derive(Debug)]
pub(super) enum Deferred {
    Convolution(DeferredConvolution),
    /// The elementwise sum of two tensors.
    Sum([QuantizedTensor; 2]),
    /// The elementwise product of two tensors.
    Product([QuantizedTensor; 2]),
    /// The mean in each window. `count_include_pad` says whether the padding counts.
    Mean {
        input: QuantizedTensor,
        window: Window,
        count_include_pad: bool,
    },
    /// Parts along an axis, in the graph's order of axes.
    Concatenation {
        parts: Vec<Value>,
        axis: usize,
    },
}

/// A convolution, or a matrix product as a convolution of kernel 1×1.
#[derive(Debug, Clone)]
pub(super) struct DeferredConvolution {
    /// The input.
    pub(super) from: QuantizedTensor,
    pub(super) window: Window,
    pub(super) groups: usize,
    /// Weights less their zero point: output channels × kernel height × kernel width × input channels of a group.
    pub(super) weights: Rc<Vec<i16>>,
    /// The scale of the weights of each output channel.
    pub(super) scales: Vec<f32>,
    /// The bias of each output channel, in units of the sums: `from`'s scale times the weights' scale.
    pub(super) bias: Vec<i32>,
}

/// The shape of a value in a program: batch, height, width, channels.
pub(super) fn channels_last(shape: &[usize]) -> Result<[usize; 4], Reason> {
    by_program_axis(shape, 1)
}

/// Reorders one number for each of the graph's axes (batch, channels, height, width) to the order of programs: batch,
/// height, width, channels. `absent` is the number for an axis that the graph does not have: 1 for a length, 0 for a
/// stride. A single axis counts as channels, and the third of three as width.
///
/// # Errors
/// The graph has more than four axes.
pub(super) fn by_program_axis(of_axes: &[usize], absent: usize) -> Result<[usize; 4], Reason> {
    match *of_axes {
        [] => Ok([absent; 4]),
        [channels] => Ok([absent, absent, absent, channels]),
        [batch, channels] => Ok([batch, absent, absent, channels]),
        [batch, channels, width] => Ok([batch, absent, width, channels]),
        [batch, channels, height, width] => Ok([batch, height, width, channels]),
        _ => Err(format!("a tensor of {} axes", of_axes.len())),
    }
}

/// The strides, in elements, of a dense row-major tensor.
pub(super) fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// The stride, in elements, of each of the graph's axes in a dense tensor that is channels last.
pub(super) fn strides_of_axes(shape: &[usize]) -> Vec<usize> {
    match *shape {
        [_, channels, width] => vec![width * channels, 1, channels],
        [_, channels, height, width] => vec![height * width * channels, 1, width * channels, channels],
        _ => row_major(shape),
    }
}
