//! Programs: what a quantized graph is compiled to.
//!
//! A [`Program`] is a list of [`Step`]s over tensors of bytes and of floats, in an order in which they can run. It is made
//! from an [`UncheckedProgram`] by [`UncheckedProgram::check`] alone, whoever put that together: so a `Program` that exists
//! has been checked. It says nothing about instruction sets: [`Executable`](crate::executable::Executable) packs it for the
//! kernels of the processor at hand and runs it.
//!
//! Bytes are unsigned. A graph's signed activations are carried 128 higher, and so are their zero points. Tensors lie
//! channels last, and every one has four axes: batch, height, width, channels.

mod buffers;
pub(crate) mod check;
pub(crate) mod weights;

pub(crate) use buffers::BufferPlan;
#[cfg(feature = "onnx")]
pub(crate) use check::{MAX_MEMORY, MAX_STEPS, MAX_TENSOR_BYTES, MAX_WORK};
pub(crate) use check::{Problem, Program};

use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};

/// A tensor of a program, by its place in [`Program::tensors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TensorId(pub(crate) usize);

/// What a tensor is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Byte,
    Float,
}

impl Element {
    /// What so many of them take.
    pub(crate) fn bytes_of(self, count: usize) -> u64 {
        count as u64 * if self == Element::Byte { 1 } else { 4 }
    }
}

/// A tensor's elements and the lengths of its axes: batch, height, width, channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorKind {
    pub(crate) element: Element,
    pub(crate) shape: [usize; 4],
}

impl TensorKind {
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The bytes of all elements.
    pub(crate) fn bytes(&self) -> u64 {
        self.element.bytes_of(self.len())
    }
}

/// What an importer or a reader puts together: steps, in the order in which they run, of which nothing has been checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct UncheckedProgram {
    pub(crate) tensors: Vec<TensorKind>,
    pub(crate) steps: Vec<Step>,
    /// By the number of a tensor, its name in the graph; or that of the tensor that it is a step towards.
    pub(crate) names: Vec<String>,
    /// What the caller gives.
    pub(crate) inputs: Vec<TensorId>,
    /// What the caller gets, and the shape under which the graph gives it.
    pub(crate) outputs: Vec<(TensorId, Vec<usize>)>,
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
    /// What the step is, in a word.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Step::Quantize(_) => "quantize",
            Step::Convolution(_) => "convolution",
            Step::Add(_) => "sum",
            Step::Multiply(_) => "product",
            Step::Lookup(_) => "table",
            Step::Pooling(Pooling { kind: PoolingKind::Max, .. }) => "maximum",
            Step::Pooling(_) => "mean",
            Step::StridedCopy(_) => "move",
            Step::Fill(_) => "fill",
        }
    }

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

    /// The tensors that the step names, in the order of [`Step::inputs`], then its output.
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

/// Floats to bytes: `round(clamp(x / scale)) + zero_point`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantize {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    /// How far apart neighbours along each axis of `to` lie in `from`.
    pub(crate) strides: [usize; 4],
    pub(crate) scale: f32,
    pub(crate) zero_point: u8,
}

/// Sums of products of bytes, less their zero point, and weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convolution {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    /// The zero point of `from`, which padding has the value of.
    pub(crate) zero_point: u8,
    pub(crate) window: Window,
    pub(crate) groups: usize,
    /// Less their zero points: output channels × kernel height × kernel width × input channels of a group.
    pub(crate) weights: Vec<i16>,
    /// One an output channel, in units of the sums.
    pub(crate) bias: Vec<i32>,
    /// One an output channel: what a sum is multiplied by.
    pub(crate) multipliers: Vec<f32>,
    pub(crate) result: OutputStage,
}

/// The sum of two tensors. An axis of length 1 goes with any length of the other's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Add {
    pub(crate) from: [TensorId; 2],
    pub(crate) to: TensorId,
    pub(crate) rule: AddRule,
}

/// The product of two tensors. An axis of length 1 goes with any length of the other's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Multiply {
    pub(crate) from: [TensorId; 2],
    pub(crate) to: TensorId,
    pub(crate) rule: MultiplyRule,
}

/// A function of a byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lookup {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    pub(crate) table: Table,
}

/// What a function of a byte gives, at each of its 256 values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Table {
    Bytes(Box<[u8; 256]>),
    Floats(Box<[f32; 256]>),
}

/// The mean or the greatest byte in each window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pooling {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    pub(crate) window: Window,
    pub(crate) kind: PoolingKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PoolingKind {
    /// The greatest. Padding counts for nothing.
    Max,
    /// The sum of the bytes, less their zero point, times `scale / (divisor * n)`, where `n` counts the window's bytes.
    Mean {
        zero_point: u8,
        scale: f32,
        divisor: f32,
        /// Whether padding counts.
        with_padding: bool,
        result: OutputStage,
    },
}

/// Copies bytes, or floats, from one arrangement to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StridedCopy {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    pub(crate) shape: [usize; 4],
    /// Where the first element lies, and how far apart neighbours along each axis of `shape` are.
    pub(crate) read: (usize, [usize; 4]),
    pub(crate) write: (usize, [usize; 4]),
}

/// The same byte everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) to: TensorId,
    pub(crate) value: u8,
}

impl Convolution {
    /// Whether each channel has a kernel of its own and becomes bytes.
    pub(crate) fn is_depthwise(&self, from: &TensorKind, to: &TensorKind) -> bool {
        self.groups == from.shape[3] && from.shape[3] == to.shape[3] && self.result != OutputStage::Float
    }
}

/// How far apart neighbours along each axis lie in a dense tensor.
pub(crate) fn dense_strides(shape: [usize; 4]) -> [usize; 4] {
    let [_, height, width, channels] = shape;
    [height * width * channels, width * channels, channels, 1]
}
