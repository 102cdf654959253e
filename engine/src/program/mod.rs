//! Programs: what a quantized graph is compiled to.
//!
//! A [`Program`] is a list of [`Step`]s over tensors of bytes and floats, in an order in which they can run. Only
//! [`UncheckedProgram::check`] makes one, so every `Program` has been checked, whether it was lowered from a graph or
//! read from a file. A program does not depend on an instruction set: [`Executable`](crate::executable::Executable)
//! packs it for the kernels of this processor and runs it.
//!
//! This module knows neither ONNX nor kernels. Bytes are unsigned. A signed activation of the graph is stored with 128
//! added, and so is its zero point. Tensors are channels last, and every tensor has four axes: batch, height, width,
//! channels.

mod buffers;
pub(crate) mod check;
mod taps;
pub(crate) mod weights;

pub(crate) use buffers::BufferPlan;
#[cfg(feature = "onnx")]
pub(crate) use check::{MAX_MEMORY, MAX_STEPS, MAX_TENSOR_BYTES, MAX_WORK};
pub(crate) use check::{Problem, Program};
pub(crate) use taps::Tap;

use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};

/// A tensor of a program: its index in [`UncheckedProgram::tensors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TensorId(pub(crate) usize);

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    /// `u8`.
    Byte,
    /// `f32`.
    Float,
}

impl Element {
    /// The size of `count` elements, in bytes.
    pub(crate) fn bytes_of(self, count: usize) -> u64 {
        count as u64 * if self == Element::Byte { 1 } else { 4 }
    }
}

/// The element type of a tensor, and the lengths of its axes: batch, height, width, channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorType {
    pub(crate) element: Element,
    pub(crate) shape: [usize; 4],
}

impl TensorType {
    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The size of all elements, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.element.bytes_of(self.len())
    }
}

/// A program of which nothing has been checked. The lowering of a graph and the reader of prepared models make it.
#[derive(Debug, Clone, Default)]
pub(crate) struct UncheckedProgram {
    pub(crate) tensors: Vec<TensorType>,
    /// In the order in which they run.
    pub(crate) steps: Vec<Step>,
    /// One for each tensor: the name of the graph's tensor that it holds, or of the one that it is computed for. Names
    /// are for people, and need not be unique.
    pub(crate) names: Vec<String>,
    /// The tensors that the caller gives.
    pub(crate) inputs: Vec<TensorId>,
    /// The tensors that a run returns, each with its shape in the graph.
    pub(crate) outputs: Vec<(TensorId, Vec<usize>)>,
    /// The tensors of bytes that a run can return besides.
    pub(crate) taps: Vec<Tap>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Quantize(Quantize),
    Convolution(Convolution),
    Add(Add),
    Multiply(Multiply),
    Lookup(Lookup),
    Pooling(Pooling),
    StridedCopy(StridedCopy),
    Fill(Fill),
}

impl Step {
    /// The operation, in one word, for error messages and descriptions.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Step::Quantize(_) => "quantize",
            Step::Convolution(_) => "convolution",
            Step::Add(_) => "sum",
            Step::Multiply(_) => "product",
            Step::Lookup(_) => "table",
            Step::Pooling(Pooling { kind: PoolingKind::Max, .. }) => "maximum",
            Step::Pooling(_) => "mean",
            Step::StridedCopy(_) => "copy",
            Step::Fill(_) => "fill",
        }
    }

    /// The tensors that the step reads.
    pub(crate) fn inputs(&self) -> Vec<TensorId> {
        match self {
            Step::Quantize(step) => vec![step.from],
            Step::Convolution(step) => vec![step.from],
            Step::Add(step) => step.from.to_vec(),
            Step::Multiply(step) => step.from.to_vec(),
            Step::Lookup(step) => vec![step.from],
            Step::Pooling(step) => vec![step.from],
            Step::StridedCopy(step) => vec![step.from],
            Step::Fill(_) => vec![],
        }
    }

    /// The step's inputs, in the order of [`Step::inputs`], and then its output.
    #[cfg(feature = "onnx")]
    pub(crate) fn tensors_mut(&mut self) -> Vec<&mut TensorId> {
        match self {
            Step::Quantize(step) => vec![&mut step.from, &mut step.to],
            Step::Convolution(step) => vec![&mut step.from, &mut step.to],
            Step::Add(step) => step.from.iter_mut().chain([&mut step.to]).collect(),
            Step::Multiply(step) => step.from.iter_mut().chain([&mut step.to]).collect(),
            Step::Lookup(step) => vec![&mut step.from, &mut step.to],
            Step::Pooling(step) => vec![&mut step.from, &mut step.to],
            Step::StridedCopy(step) => vec![&mut step.from, &mut step.to],
            Step::Fill(step) => vec![&mut step.to],
        }
    }

    /// The tensor that the step writes.
    pub(crate) fn output(&self) -> TensorId {
        match self {
            Step::Quantize(step) => step.to,
            Step::Convolution(step) => step.to,
            Step::Add(step) => step.to,
            Step::Multiply(step) => step.to,
            Step::Lookup(step) => step.to,
            Step::Pooling(step) => step.to,
            Step::StridedCopy(step) => step.to,
            Step::Fill(step) => step.to,
        }
    }
}

/// Quantizes floats to bytes: `round(clamp(x / scale)) + zero_point`, from 0 to 255. NaN becomes 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantize {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    /// The stride in `from` of each axis of `to`, in elements. So the step also transposes images that are channels
    /// first.
    pub(crate) strides: [usize; 4],
    /// Positive and normal.
    pub(crate) scale: f32,
    pub(crate) zero_point: u8,
}

/// A convolution, or a matrix product as a pointwise convolution.
///
/// The sum of an output is `bias + Σ (byte - zero_point) * weight`, an `i32` that wraps around. As a float, times the
/// multiplier of its channel, it goes through the output stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convolution {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    /// The zero point of `from`, which is also the value of the padding.
    pub(crate) zero_point: u8,
    pub(crate) window: Window,
    pub(crate) groups: usize,
    /// Output channels × kernel height × kernel width × input channels of a group, in this order. Each is less its zero
    /// point: from -255 to 255.
    pub(crate) weights: Vec<i16>,
    /// One for each output channel, in units of the sums: the input's scale times the weights' scale.
    pub(crate) bias: Vec<i32>,
    /// One for each output channel: the unit of its sums, divided by the output's scale if the output is bytes. All are
    /// finite.
    pub(crate) multipliers: Vec<f32>,
    pub(crate) output_stage: OutputStage,
}

/// The sum of two tensors. An axis of length 1 is broadcast to the length of the other tensor's axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Add {
    pub(crate) from: [TensorId; 2],
    pub(crate) to: TensorId,
    pub(crate) rule: AddRule,
}

/// The product of two tensors. An axis of length 1 is broadcast to the length of the other tensor's axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Multiply {
    pub(crate) from: [TensorId; 2],
    pub(crate) to: TensorId,
    pub(crate) rule: MultiplyRule,
}

/// A function of one byte, applied to each element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lookup {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    pub(crate) table: Table,
}

/// The values of a function of a byte, indexed by the byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Table {
    Bytes(Box<[u8; 256]>),
    Floats(Box<[f32; 256]>),
}

/// The mean or the maximum of the bytes in each window, channel by channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pooling {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    pub(crate) window: Window,
    pub(crate) kind: PoolingKind,
}

/// What a pooling computes of the bytes in a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PoolingKind {
    /// The maximum. Padding is left out.
    Max,
    /// The sum of the bytes, each less the zero point, times `input_scale / (output_scale * n)`, where `n` is the number of taps
    /// of the window.
    Mean {
        zero_point: u8,
        input_scale: f32,
        /// The scale of the output, or 1 where the output is floats.
        output_scale: f32,
        /// Whether `n` includes taps in the padding, which add nothing to the sum.
        count_include_pad: bool,
        output_stage: OutputStage,
    },
}

/// Copies bytes or floats between two layouts: the step of concatenation, padding, slicing and transposition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StridedCopy {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    /// How many elements are copied along each axis.
    pub(crate) shape: [usize; 4],
    /// The offset of the first element in `from`, and the stride of each axis of `shape`, in elements.
    pub(crate) read: (usize, [usize; 4]),
    /// The same in `to`.
    pub(crate) write: (usize, [usize; 4]),
}

/// Sets every byte of a tensor to one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) to: TensorId,
    pub(crate) value: u8,
}

impl Convolution {
    /// Whether the convolution is depthwise, with one output channel for each input channel, and gives bytes.
    pub(crate) fn is_depthwise(&self, from: &TensorType, to: &TensorType) -> bool {
        self.groups == from.shape[3] && from.shape[3] == to.shape[3] && self.output_stage != OutputStage::Float
    }
}

/// The strides of a dense tensor of this shape (batch, height, width, channels), in elements.
pub(crate) fn dense_strides(shape: [usize; 4]) -> [usize; 4] {
    let [_, height, width, channels] = shape;
    [height * width * channels, width * channels, channels, 1]
}
