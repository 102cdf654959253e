//! Programs: what a quantized graph is compiled to.
//!
//! A [`Program`] is a list of [`Step`]s over tensors of bytes and of floats, in an order in which they can run. It is made
//! from an [`UncheckedProgram`] by [`UncheckedProgram::check`] alone, whoever put that together: so a `Program` that exists
//! has been checked. It says nothing about instruction sets: [`Executable`] packs it for the kernels of the processor at
//! hand and runs it.
//!
//! Bytes are unsigned. A graph's signed activations are carried 128 higher, and so are their zero points. Tensors lie
//! channels last, and every one has four axes: batch, height, width, channels.

pub(crate) mod check;
mod convolution;
mod crew;
mod executable;
#[cfg(all(test, loom))]
mod models;
#[cfg(test)]
pub(crate) mod network;
pub(crate) mod parts;
#[cfg(test)]
mod shared;
mod slots;
mod sync;
pub(crate) mod weights;

#[cfg(feature = "onnx")]
pub(crate) use check::{MOST_MEMORY, MOST_STEPS, MOST_WORK};
pub(crate) use check::{Problem, Program};
pub use executable::Description;
pub(crate) use executable::{Executable, View};
pub(crate) use parts::Threads;

use std::ops::Range;

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
    Pool(Pool),
    Move(Move),
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
            Step::Pool(Pool { kind: PoolKind::Greatest, .. }) => "maximum",
            Step::Pool(_) => "mean",
            Step::Move(_) => "move",
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
            Step::Pool(step) => vec![step.from],
            Step::Move(step) => vec![step.from],
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
            Step::Pool(step) => vec![&mut step.from, &mut step.to],
            Step::Move(step) => vec![&mut step.from, &mut step.to],
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
            Step::Pool(step) => step.to,
            Step::Move(step) => step.to,
            Step::Fill(step) => step.to,
        }
    }
}

/// Floats to bytes: `round(clamp(x / scale)) + zero`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantize {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    /// How far apart neighbours along each axis of `to` lie in `from`.
    pub(crate) strides: [usize; 4],
    pub(crate) scale: f32,
    pub(crate) zero: u8,
}

/// How windows of a kernel lie over a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// Height and width of the kernel.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Rows above and columns to the left that the picture does not have.
    pub(crate) pad: [usize; 2],
}

impl Window {
    /// The taps of the kernel that lie in the picture along one axis (0: height, 1: width), for one output position, and
    /// the place of tap 0, which may be outside.
    pub(crate) fn taps(&self, axis: usize, position: usize, length: usize) -> (Range<usize>, isize) {
        let first = (position * self.stride[axis]) as isize - self.pad[axis] as isize;
        let dilation = self.dilation[axis] as isize;
        let inside = |tap: usize| (0..length as isize).contains(&(first + tap as isize * dilation));
        let start = (0..self.kernel[axis]).find(|&tap| inside(tap)).unwrap_or(self.kernel[axis]);
        let end = (start..self.kernel[axis]).find(|&tap| !inside(tap)).unwrap_or(self.kernel[axis]);
        (start..end, first)
    }

    /// Whether all taps lie in the picture along an axis, for one output position.
    pub(crate) fn is_inside(&self, axis: usize, position: usize, length: usize) -> bool {
        let first = position * self.stride[axis];
        let last = first + (self.kernel[axis] - 1) * self.dilation[axis];
        first >= self.pad[axis] && last - self.pad[axis] < length
    }

    /// Whether each output is made of the one input at its place.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0]
    }
}

/// Sums of products of bytes, less their zero point, and weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convolution {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    /// The zero point of `from`, which padding has the value of.
    pub(crate) zero: u8,
    pub(crate) window: Window,
    pub(crate) groups: usize,
    /// Less their zero points: output channels × kernel height × kernel width × input channels of a group.
    pub(crate) weights: Vec<i16>,
    /// One an output channel, in units of the sums.
    pub(crate) bias: Vec<i32>,
    /// One an output channel: what a sum is multiplied by.
    pub(crate) multipliers: Vec<f32>,
    pub(crate) result: Rounding,
}

/// What becomes of a float result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rounding {
    /// It stays.
    Float,
    /// `round(clamp(x)) + zero`, where the clamp keeps the byte from `least` to `most`; then, if there is one, what the
    /// table has at that place.
    Byte { zero: u8, least: u8, most: u8, table: Option<Box<[u8; 256]>> },
}

/// `round(clamp(fma(a - shift, share, fma(b - shift, share, fixed)))) + shift`. An axis of length 1 goes with any length of
/// the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Add {
    pub(crate) from: [TensorId; 2],
    pub(crate) to: TensorId,
    pub(crate) rule: AddRule,
}

/// The numbers of [`Add`]. A shift is 128 where the graph's tensor is signed: ONNX Runtime adds what is stored, zero
/// point included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AddRule {
    pub(crate) shifts: [u8; 2],
    pub(crate) shares: [f32; 2],
    pub(crate) fixed: f32,
    pub(crate) shift: u8,
    pub(crate) least: u8,
    pub(crate) most: u8,
}

/// `round(clamp((a - zero) * (b - zero) * multiplier + fixed)) + shift`, rounded to floats twice: the product, and the sum. An
/// axis of length 1 goes with any length of the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Multiply {
    pub(crate) from: [TensorId; 2],
    pub(crate) to: TensorId,
    pub(crate) rule: MultiplyRule,
}

/// The numbers of [`Multiply`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MultiplyRule {
    pub(crate) zeros: [u8; 2],
    pub(crate) multiplier: f32,
    pub(crate) fixed: f32,
    pub(crate) shift: u8,
    pub(crate) least: u8,
    pub(crate) most: u8,
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
pub(crate) struct Pool {
    pub(crate) from: TensorId,
    pub(crate) to: TensorId,
    pub(crate) window: Window,
    pub(crate) kind: PoolKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PoolKind {
    /// The greatest. Padding counts for nothing.
    Greatest,
    /// The sum of the bytes, less their zero point, times `scale / (divisor * n)`, where `n` counts the window's bytes.
    Mean {
        zero: u8,
        scale: f32,
        divisor: f32,
        /// Whether padding counts.
        with_padding: bool,
        result: Rounding,
    },
}

/// Copies bytes, or floats, from one arrangement to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
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

/// How far apart neighbours along each axis lie in a dense tensor.
pub(crate) fn dense_strides(shape: [usize; 4]) -> [usize; 4] {
    let [_, height, width, channels] = shape;
    [height * width * channels, width * channels, channels, 1]
}
