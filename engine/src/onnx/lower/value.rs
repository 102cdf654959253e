//! What is known of a tensor of the graph while it is lowered.

use std::rc::Rc;

use super::Reason;
use crate::arithmetic::Window;
use crate::onnx::constants::Activation;
use crate::program::TensorId;

/// A tensor of the graph: its shape in ONNX's order of axes, and where its elements come from.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
}

impl Value {
    /// The bytes that carry it as they are.
    pub(super) fn quantized_tensor(&self) -> Result<QuantizedTensor, Reason> {
        match &self.kind {
            Kind::Pointwise { of, function } => {
                let affine = function.affine.ok_or("an operator between this and its DequantizeLinear")?;
                Ok(QuantizedTensor { tensor: *of, affine })
            }
            _ => Err("its input is not quantized".into()),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Integers: bytes less a shift, which is 128 where the graph's are signed.
    Integers { tensor: TensorId, offset: u8 },
    /// Reals that are a function of bytes.
    Pointwise { of: TensorId, function: Rc<Function> },
    /// Reals that wait for what rounds them.
    Deferred { what: Rc<Deferred>, clamp: Clamp },
    /// Floats in memory, in any order: how far apart neighbours along each of the graph's axes are.
    Floats { tensor: TensorId, strides: Vec<usize> },
}

/// A function of a byte.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) values: [f32; 256],
    /// Where it is `scale * (byte - zero_point)`.
    pub(super) affine: Option<Affine>,
}

/// How reals are carried in bytes: `real = scale * (byte - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    pub(super) scale: f32,
    pub(super) zero_point: u8,
    /// How much higher bytes are than the graph's integers.
    pub(super) offset: u8,
}

impl Affine {
    pub(super) fn of(activation: Activation) -> Option<Affine> {
        let zero_point = u8::try_from(activation.zero_point - activation.min).ok()?;
        Some(Affine { scale: activation.scale, zero_point, offset: -activation.min as u8 })
    }

    pub(super) fn function(self) -> Function {
        let real = |byte: usize| (byte as i32 - i32::from(self.zero_point)) as f32 * self.scale;
        Function { values: std::array::from_fn(real), affine: Some(self) }
    }

    pub(super) fn byte(self, real: f32) -> u8 {
        crate::kernels::byte(real / self.scale, self.zero_point, 0, 255)
    }
}

/// A range of reals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clamp {
    pub(super) low: f32,
    pub(super) high: f32,
}

impl Clamp {
    pub(super) const NONE: Clamp = Clamp { low: f32::NEG_INFINITY, high: f32::INFINITY };

    pub(super) fn and(self, other: Clamp) -> Clamp {
        Clamp { low: self.low.max(other.low).min(other.high), high: self.high.min(other.high).max(other.low) }
    }

    /// The least and the greatest byte.
    pub(super) fn bytes(self, to: Affine) -> (u8, u8) {
        (to.byte(self.low), to.byte(self.high))
    }
}

/// Bytes and how they carry reals.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuantizedTensor {
    pub(super) tensor: TensorId,
    pub(super) affine: Affine,
}

#[derive(Debug)]
pub(super) enum Deferred {
    Convolution(Products),
    Sum([QuantizedTensor; 2]),
    Product([QuantizedTensor; 2]),
    Mean {
        of: QuantizedTensor,
        window: Window,
        with_padding: bool,
    },
    /// Parts along an axis of the graph's order.
    Concatenation {
        parts: Vec<Value>,
        axis: usize,
    },
}

/// Sums of products of carried reals and weights.
#[derive(Debug, Clone)]
pub(super) struct Products {
    pub(super) from: QuantizedTensor,
    pub(super) window: Window,
    pub(super) groups: usize,
    /// Output channels × kernel height × kernel width × input channels of a group.
    pub(super) weights: Rc<Vec<i16>>,
    /// One an output channel.
    pub(super) scales: Vec<f32>,
    /// In units of the sums: `from`'s scale times the weights'.
    pub(super) bias: Vec<i32>,
}

/// The shape of a tensor in a program: batch, height, width, channels.
pub(super) fn channels_last(shape: &[usize]) -> Result<[usize; 4], Reason> {
    by_program_axis(shape, 1)
}

/// Numbers for each of the graph's axes, in the order batch, height, width, channels; `absent` for an axis that the graph
/// does not have.
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

/// How far apart neighbours along each axis are where the last axis is densest.
pub(super) fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// How far apart neighbours along each of the graph's axes are in a tensor that lies channels last.
pub(super) fn strides_of_axes(shape: &[usize]) -> Vec<usize> {
    match *shape {
        [_, channels, width] => vec![width * channels, 1, channels],
        [_, channels, height, width] => vec![height * width * channels, 1, width * channels, channels],
        _ => row_major(shape),
    }
}
