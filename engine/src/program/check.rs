//! The check of a program: everything that kernels assume of it, and limits of its memory and work.
//!
//! The lowering of a graph and the reader of a file both get a [`Program`] from here, and from nowhere else. A program
//! that passes the check runs without a panic, reads only inputs and what an earlier step of the same run wrote, and
//! stays within the limits below.

use std::fmt;
use std::ops::Deref;

use super::buffers::BufferPlan;
use super::taps::returned_len;
use super::weights::{fit_9_bits, sums_fit};
use super::{
    Add, Convolution, Element, Lookup, Multiply, Pooling, PoolingKind, Quantize, Step, StridedCopy, Table, Tap,
    TensorId, TensorType, UncheckedProgram, dense_strides,
};
use crate::arithmetic::{OutputStage, Window};
use crate::signature::{MAX_TAPS, TapKind};

/// The maximum number of steps. A large network, DenseNet-201, has some 800.
pub(crate) const MAX_STEPS: usize = 1 << 14;

/// The maximum number of tensors.
pub(crate) const MAX_TENSORS: usize = 1 << 16;

/// The maximum length of a tensor's name, in bytes. It is twice that of a graph's names, because nodes that are
/// expanded from other nodes get longer names. Each step keeps a name for its description.
const MAX_NAME_BYTES: usize = 1 << 12;

/// The maximum number of outputs. Each run allocates a tensor for each.
pub(crate) const MAX_OUTPUTS: usize = 1 << 12;

/// The maximum size of a tensor, in bytes, with its elements counted as floats.
pub(crate) const MAX_TENSOR_BYTES: usize = 1 << 29;

/// The maximum size, in bytes, of all buffers, and of the outputs and taps that a run allocates.
pub(crate) const MAX_MEMORY: u64 = 1 << 30;

/// The maximum work of one run, in multiply-adds and elements copied or compared. ResNet-50 at 224×224 takes 2³².
/// Unlike the costs of `executable/work.rs`, it is a bound and not an estimate of time.
pub(crate) const MAX_WORK: u64 = 1 << 38;

/// The maximum number of packed matrices: one for each group of each convolution that is not depthwise.
const MAX_GROUPS: usize = 1 << 18;

/// The maximum of each number of a window and of each stride in elements, and of the pixels that the windows of a step
/// span along one axis. So every position fits 32 bits, and the product of two such numbers fits 64 bits.
const MAX_REACH: u64 = 1 << 27;

/// The maximum size, in bytes, of the area of one image that the windows of a convolution span, padding included. An
/// indirect GEMM copies this area, and its offsets in it are 32-bit numbers.
const MAX_PADDED_BYTES: u64 = 1 << 29;

/// The maximum number of pixels of which the bytes add up within 32 bits.
const MAX_PIXELS: u64 = (i32::MAX / 255) as u64;

/// Why a program is refused. The text says what is wrong, and names the step that it is wrong with if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It contradicts itself, or holds what no kernel supports.
    Unsound(String),
    /// It exceeds a limit of memory or work.
    TooLarge(String),
}

impl Problem {
    /// The same problem, with the step that it is in before its text.
    fn at(self, step: &str) -> Problem {
        match self {
            Problem::Unsound(what) => Problem::Unsound(format!("{step}: {what}")),
            Problem::TooLarge(what) => Problem::TooLarge(format!("{step}: {what}")),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Problem::Unsound(what) | Problem::TooLarge(what)) = self;
        f.write_str(what)
    }
}

impl From<&str> for Problem {
    fn from(what: &str) -> Problem {
        Problem::Unsound(what.into())
    }
}

/// A checked program, which can be packed and run. It can be read as an [`UncheckedProgram`] and not be changed.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    checked: UncheckedProgram,
    buffers: BufferPlan,
    work: u64,
}

impl Deref for Program {
    type Target = UncheckedProgram;

    fn deref(&self) -> &UncheckedProgram {
        &self.checked
    }
}

impl Program {
    /// The buffer of each tensor.
    pub(crate) fn buffers(&self) -> &BufferPlan {
        &self.buffers
    }

    /// The size, in bytes, of all buffers, and of the outputs and taps that a run allocates.
    #[cfg(any(feature = "onnx", fuzzing))]
    pub(crate) fn memory(&self) -> u64 {
        memory(&self.checked, &self.buffers)
    }

    /// The work of one run, in multiply-adds and elements copied or compared.
    #[cfg(any(feature = "onnx", fuzzing))]
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// The same program with only the outputs and the taps at these indices, in this order. An index may occur more
    /// than once.
    ///
    /// # Errors
    /// [`Problem::TooLarge`] where there are more than [`MAX_OUTPUTS`] outputs, or all that a run returns takes the
    /// program beyond [`MAX_MEMORY`].
    ///
    /// # Panics
    /// Where an index is not below the number of outputs or of taps.
    pub(crate) fn returning(self, outputs: &[usize], taps: &[usize]) -> Result<Program, Problem> {
        let outputs = outputs.iter().map(|&index| self.checked.outputs[index].clone()).collect();
        let taps = taps.iter().map(|&index| self.checked.taps[index].clone()).collect();
        // Other outputs change the lifetimes of tensors, and so the buffers; all else has been checked.
        Program::within_memory(UncheckedProgram { outputs, taps, ..self.checked }, self.work)
    }

    /// The program, if its outputs and its memory are within the limits. All else must have been checked.
    fn within_memory(checked: UncheckedProgram, work: u64) -> Result<Program, Problem> {
        let count = checked.outputs.len();
        within(count <= MAX_OUTPUTS, || format!("{count} outputs are too many; at most {MAX_OUTPUTS} are served"))?;
        let buffers = BufferPlan::of(&checked);
        within(memory(&checked, &buffers) <= MAX_MEMORY, || {
            format!("its tensors, outputs and taps take more than {MAX_MEMORY} bytes together")
        })?;
        Ok(Program { checked, buffers, work })
    }
}

/// The size, in bytes, of all buffers, of a copy of each output, and of what each tap returns.
fn memory(program: &UncheckedProgram, buffers: &BufferPlan) -> u64 {
    let copies = program.outputs.iter().map(|(output, _)| program.tensors[output.0].bytes());
    let tapped = program.taps.iter().map(|tap| returned_len(tap).saturating_mul(4));
    copies.chain(tapped).fold(buffers.bytes(), u64::saturating_add)
}

impl UncheckedProgram {
    /// The program, if it passes the check.
    ///
    /// # Errors
    /// The first problem that is found.
    pub(crate) fn check(self) -> Result<Program, Problem> {
        self.check_tensors()?;
        let mut check =
            Check { program: &self, states: vec![State::Unwritten; self.tensors.len()], work: 0, groups: 0 };
        for &input in &self.inputs {
            check.input(input)?;
        }
        for (number, step) in self.steps.iter().enumerate() {
            let name = || self.names.get(step.output().0).map_or("", String::as_str);
            let at = || format!("step {number}, {} for \"{}\"", step.operation(), name());
            check.step(step).map_err(|problem| problem.at(&at()))?;
        }
        for (output, shape) in &self.outputs {
            check.output(*output, shape)?;
        }
        let taps = self.taps.len();
        within(taps <= MAX_TAPS, || format!("{taps} taps are too many; at most {MAX_TAPS} are served"))?;
        for tap in &self.taps {
            check.tap(tap)?;
        }
        let work = check.work;
        Program::within_memory(self, work)
    }

    /// Checks the numbers of steps and tensors, and the name and the size of each tensor.
    fn check_tensors(&self) -> Result<(), Problem> {
        let (steps, tensors) = (self.steps.len(), self.tensors.len());
        within(steps <= MAX_STEPS && tensors <= MAX_TENSORS, || {
            format!(
                "{steps} steps and {tensors} tensors are too many; at most {MAX_STEPS} and {MAX_TENSORS} are served"
            )
        })?;
        holds(self.names.len() == tensors, "not one name a tensor")?;
        for (kind, name) in self.tensors.iter().zip(&self.names) {
            within(name.len() <= MAX_NAME_BYTES, || {
                format!("a tensor's name has {} bytes; at most {MAX_NAME_BYTES} are served", name.len())
            })?;
            let bytes = kind.shape.iter().try_fold(4_usize, |n, &length| n.checked_mul(length));
            holds(bytes != Some(0), "a tensor of no element")?;
            within(bytes.is_some_and(|bytes| bytes <= MAX_TENSOR_BYTES), || {
                format!("the tensor \"{name}\" of shape {:?} is larger than 512 MiB", kind.shape)
            })?;
        }
        Ok(())
    }
}

/// How much of a tensor the inputs and the steps so far have written. A tensor is read only when all of it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unwritten,
    /// Concatenated from copies so far: the indices below `end` along `axis` are written.
    Partly {
        axis: usize,
        end: usize,
    },
    /// Written by a fill, and perhaps by copies over parts of it, as a padding is.
    Filled,
    /// Written by one step, or by copies that cover it. No later step may write it.
    Whole,
    /// An input, which the caller gives.
    Given,
}

/// The state of a check: what the inputs and the steps so far have written, and what the steps so far need.
struct Check<'a> {
    program: &'a UncheckedProgram,
    /// One for each tensor.
    states: Vec<State>,
    /// The work of the steps so far.
    work: u64,
    /// The number of matrices that are packed for the steps so far, at most [`MAX_GROUPS`].
    groups: usize,
}

impl<'a> Check<'a> {
    /// The type of a tensor, which must exist.
    fn kind(&self, id: TensorId) -> Result<&'a TensorType, Problem> {
        let missing = || Problem::Unsound(format!("there is no tensor {}", id.0));
        self.program.tensors.get(id.0).ok_or_else(missing)
    }

    /// The type of a tensor that must have this element type.
    fn typed(&self, id: TensorId, element: Element) -> Result<&'a TensorType, Problem> {
        let kind = self.kind(id)?;
        holds(kind.element == element, "a tensor of other elements than the step's")?;
        Ok(kind)
    }

    /// Checks an input and records that it is given.
    fn input(&mut self, id: TensorId) -> Result<(), Problem> {
        self.kind(id)?;
        holds(self.states[id.0] == State::Unwritten, "an input twice")?;
        self.states[id.0] = State::Given;
        Ok(())
    }

    /// Checks that an output is written, and that its shape in the graph fits it.
    fn output(&self, id: TensorId, shape: &[usize]) -> Result<(), Problem> {
        let kind = self.kind(id)?;
        self.is_written(id)?;
        let count = shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
        holds(count == Some(kind.len()), "an output's shape does not fit its tensor")
    }

    /// Checks that a tap is of a tensor of bytes that steps write, and that its shape in the graph is that of the
    /// tensor. Adds its work.
    fn tap(&mut self, tap: &Tap) -> Result<(), Problem> {
        let kind = self.typed(tap.tensor, Element::Byte)?;
        holds(matches!(self.states[tap.tensor.0], State::Filled | State::Whole), "a tap of what no step writes")?;
        holds(tap.program_shape() == Some(kind.shape), "a tap's shape is not that of its tensor")?;
        holds(tap.scale.is_normal() && tap.scale > 0.0, "a tap's scale is no positive number")?;
        let pixels = kind.shape[1] as u64 * kind.shape[2] as u64;
        holds(tap.kind == TapKind::Values || pixels <= MAX_PIXELS, "a tap's mean over too many pixels")?;
        self.work = self.work.saturating_add(kind.len() as u64);
        within(self.work <= MAX_WORK, || "more work than a network is".into())
    }

    fn is_written(&self, id: TensorId) -> Result<(), Problem> {
        let written = matches!(self.states[id.0], State::Filled | State::Whole | State::Given);
        holds(written, "a tensor is read before it is written")
    }

    /// Checks a step, and records what it writes and needs.
    fn step(&mut self, step: &Step) -> Result<(), Problem> {
        let to = step.output();
        self.kind(to)?;
        holds(self.states[to.0] != State::Given, "it writes over an input")?;
        for from in step.inputs() {
            self.kind(from)?;
            self.is_written(from)?;
            holds(from != to, "it reads what it writes")?;
        }
        let work = match step {
            Step::Quantize(step) => self.quantize(step),
            Step::Convolution(step) => self.convolution(step),
            Step::Add(step) => self.add(step),
            Step::Multiply(step) => self.multiply(step),
            Step::Lookup(step) => self.lookup(step),
            Step::Pooling(step) => self.pooling(step),
            Step::StridedCopy(step) => self.strided_copy(step),
            Step::Fill(step) => self.typed(step.to, Element::Byte).map(|to| to.len() as u64),
        }?;
        self.work = self.work.saturating_add(work);
        within(self.work <= MAX_WORK, || "more work than a network is".into())?;
        self.states[to.0] = self.state_after(step)?;
        Ok(())
    }

    /// The state of a step's output after the step.
    fn state_after(&self, step: &Step) -> Result<State, Problem> {
        let to = step.output();
        match (self.states[to.0], step) {
            (State::Filled, Step::StridedCopy(_)) | (State::Unwritten, Step::Fill(_)) => Ok(State::Filled),
            (state, Step::StridedCopy(step)) => state_after_copy(state, step, self.program.tensors[to.0].shape),
            (State::Unwritten, _) => Ok(State::Whole),
            _ => Err("it writes what is written already".into()),
        }
    }

    // Each method below checks a step of one kind and returns its work.

    fn quantize(&self, step: &Quantize) -> Result<u64, Problem> {
        let (from, to) = (self.typed(step.from, Element::Float)?, self.typed(step.to, Element::Byte)?);
        holds(step.scale.is_normal() && step.scale > 0.0, "a scale that is no positive number")?;
        lies_within(0, step.strides, to.shape, from.len())?;
        Ok(to.len() as u64)
    }

    fn convolution(&mut self, step: &Convolution) -> Result<u64, Problem> {
        let (from, to) = (self.typed(step.from, Element::Byte)?, self.kind(step.to)?);
        let ([batch, .., inputs], [out_batch, .., outputs]) = (from.shape, to.shape);
        holds(batch == out_batch, "another batch than its input's")?;
        let groups = step.groups;
        holds(
            groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
            "groups that do not divide its channels",
        )?;
        let reach = reach(&step.window, to.shape)?;
        let padded = reach.iter().try_fold(inputs as u64, |bytes, &length| bytes.checked_mul(length));
        within(padded.is_some_and(|bytes| bytes <= MAX_PADDED_BYTES), || "windows that reach too far".into())?;
        let columns = taps(&step.window).saturating_mul((inputs / groups) as u64);
        holds(columns.checked_mul(outputs as u64) == Some(step.weights.len() as u64), "weights of another number")?;
        holds(
            step.bias.len() == outputs && step.multipliers.len() == outputs,
            "not one bias and multiplier a channel",
        )?;
        holds(step.multipliers.iter().all(|multiplier| multiplier.is_finite()), "a multiplier that is no number")?;
        check_weights(&step.weights, columns as usize)?;
        check_output_stage(&step.output_stage, to)?;
        if !step.is_depthwise(from, to) {
            self.groups += groups;
        }
        within(self.groups <= MAX_GROUPS, || "too many groups".into())?;
        // The area that the windows span is copied for each image of the batch, where it is larger than the image.
        let copied = padded.unwrap_or(0).saturating_mul(batch as u64);
        Ok((to.len() as u64).saturating_mul(columns).saturating_add(copied))
    }

    fn add(&self, step: &Add) -> Result<u64, Problem> {
        let rule = &step.rule;
        holds(rule.min <= rule.max, "a minimum byte above the maximum")?;
        let numbers = [rule.scale_ratios[0], rule.scale_ratios[1], rule.addend];
        holds(numbers.iter().all(|number| number.is_finite()), "a scale ratio or addend that is no number")?;
        self.broadcast(step.from, step.to)
    }

    fn multiply(&self, step: &Multiply) -> Result<u64, Problem> {
        holds(step.rule.min <= step.rule.max, "a minimum byte above the maximum")?;
        let numbers = [step.rule.multiplier, step.rule.addend];
        holds(numbers.iter().all(|number| number.is_finite()), "a multiplier that is no number")?;
        self.broadcast(step.from, step.to)
    }

    /// Checks the tensors of an operation on two tensors, where an axis of length 1 is broadcast. Returns the step's
    /// work.
    fn broadcast(&self, from: [TensorId; 2], to: TensorId) -> Result<u64, Problem> {
        let to = self.typed(to, Element::Byte)?;
        let [a, b] = [self.typed(from[0], Element::Byte)?.shape, self.typed(from[1], Element::Byte)?.shape];
        let fits = |axis: usize| match (a[axis], b[axis]) {
            (a, b) if a == b => to.shape[axis] == a,
            (1, length) | (length, 1) => to.shape[axis] == length,
            _ => false,
        };
        holds((0..4).all(fits), "shapes that do not go together")?;
        Ok(to.len() as u64)
    }

    fn lookup(&self, step: &Lookup) -> Result<u64, Problem> {
        let element = if matches!(step.table, Table::Bytes(_)) { Element::Byte } else { Element::Float };
        let (from, to) = (self.typed(step.from, Element::Byte)?, self.typed(step.to, element)?);
        holds(from.len() == to.len(), "another number of elements than its input's")?;
        Ok(to.len() as u64)
    }

    fn pooling(&self, step: &Pooling) -> Result<u64, Problem> {
        let (from, to) = (self.typed(step.from, Element::Byte)?, self.kind(step.to)?);
        holds(from.shape[0] == to.shape[0] && from.shape[3] == to.shape[3], "another batch or other channels")?;
        reach(&step.window, to.shape)?;
        holds((0..2).all(|axis| meets_input(&step.window, axis, from.shape, to.shape)), "a window over no pixel")?;
        let taps = taps(&step.window);
        match &step.kind {
            PoolingKind::Max => holds(to.element == Element::Byte, "a tensor of other elements than the step's")?,
            PoolingKind::Mean { input_scale, output_scale, output_stage, .. } => {
                holds(taps <= MAX_PIXELS, "a mean over too many pixels")?;
                let numbers =
                    input_scale.is_finite() && output_scale.is_normal() && (input_scale / output_scale).is_finite();
                holds(numbers, "a scale that is no number")?;
                check_output_stage(output_stage, to)?;
            }
        }
        Ok(taps.saturating_mul(to.len() as u64))
    }

    fn strided_copy(&self, step: &StridedCopy) -> Result<u64, Problem> {
        let from = self.kind(step.from)?;
        let to = self.typed(step.to, from.element)?;
        holds(!step.shape.contains(&0), "a copy of nothing")?;
        lies_within(step.read.0, step.read.1, step.shape, from.len())?;
        lies_within(step.write.0, step.write.1, step.shape, to.len())?;
        Ok(step.shape.iter().fold(1, |count: u64, &length| count.saturating_mul(length as u64)))
    }
}

/// [`Problem::Unsound`] with this text unless the condition holds.
fn holds(condition: bool, otherwise: &str) -> Result<(), Problem> {
    if condition { Ok(()) } else { Err(otherwise.into()) }
}

/// [`Problem::TooLarge`] with this text unless the condition holds.
fn within(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), Problem> {
    if condition { Ok(()) } else { Err(Problem::TooLarge(otherwise())) }
}

/// Checks that all elements of a shape, which has no axis of length 0, lie within a tensor of `length` elements. The
/// first is at offset `start`, and the axes have these strides.
fn lies_within(start: usize, strides: [usize; 4], shape: [usize; 4], length: usize) -> Result<(), Problem> {
    holds(strides.iter().all(|&stride| stride as u64 <= MAX_REACH), "elements too far apart")?;
    let span = |axis: usize| (strides[axis] as u64).checked_mul(shape[axis] as u64 - 1);
    let last = (0..4).try_fold(start as u64, |last, axis| last.checked_add(span(axis)?));
    holds(last.is_some_and(|last| last < length as u64), "elements beyond a tensor's")
}

/// Checks that an output stage gives the elements of `to`.
fn check_output_stage(output_stage: &OutputStage, to: &TensorType) -> Result<(), Problem> {
    match output_stage {
        OutputStage::Float => holds(to.element == Element::Float, "floats in a tensor of bytes"),
        OutputStage::Byte { min, max, .. } => {
            holds(to.element == Element::Byte, "bytes in a tensor of floats")?;
            holds(min <= max, "a minimum byte above the maximum")
        }
    }
}

/// Checks that weights are from -255 to 255 and that no sum of products can exceed 32 bits. The lowering checks the
/// same (`onnx/lower/products.rs`), so that such a convolution becomes a fallback node and is not refused here.
fn check_weights(weights: &[i16], columns: usize) -> Result<(), Problem> {
    holds(fit_9_bits(weights), "weights of more than nine bits")?;
    holds(sums_fit(weights, columns.max(1)), "sums that could pass 32 bits")
}

/// The number of taps of a window.
fn taps(window: &Window) -> u64 {
    window.kernel.iter().fold(1, |taps, &length| taps.saturating_mul(length as u64))
}

/// The pixels that the windows of a step span along height and width: from the first tap of the first window to the
/// last tap of the last one. `to` is the shape of the output.
fn reach(window: &Window, to: [usize; 4]) -> Result<[u64; 2], Problem> {
    let lengths = [window.kernel, window.stride, window.dilation];
    holds(lengths.as_flattened().iter().all(|&length| length > 0), "a length of zero")?;
    let numbers = lengths.as_flattened().iter().chain(&window.pad);
    let too_far = || "windows that reach too far".into();
    within(numbers.map(|&number| number as u64).all(|number| number <= MAX_REACH), too_far)?;
    let reach = [0, 1].map(|axis| {
        let span = |length: usize, step: usize| (length as u64 - 1) * step as u64;
        span(to[1 + axis], window.stride[axis]) + span(window.kernel[axis], window.dilation[axis]) + 1
    });
    within(reach.iter().all(|&length| length <= MAX_REACH), too_far)?;
    Ok(reach)
}

/// Whether each window has a tap in the input along one axis (0: height, 1: width), so that a pooling has a byte to
/// start from. The first window must not end before the input, the last must start before the input's end, and, where
/// there is padding, taps must not be further apart than the input is long. `from` and `to` are the shapes of input and
/// output.
fn meets_input(window: &Window, axis: usize, from: [usize; 4], to: [usize; 4]) -> bool {
    let (length, pad, dilation) = (from[1 + axis], window.pad[axis], window.dilation[axis]);
    (window.kernel[axis] - 1) * dilation >= pad
        && (to[1 + axis] - 1) * window.stride[axis] < length + pad
        && (pad == 0 || dilation <= length)
}

/// The state of a tensor of shape `to` after a copy into it. A copy writes all of it, or a part of a concatenation:
/// parts go along one axis, in their order, and leave no gap.
fn state_after_copy(state: State, step: &StridedCopy, to: [usize; 4]) -> Result<State, Problem> {
    if state == State::Unwritten && covers(step, to.iter().product()) {
        return Ok(State::Whole);
    }
    let (start, strides) = step.write;
    let dense = dense_strides(to);
    let position = |axis: usize| start / dense[axis] % to[axis];
    let aligned = |axis: usize| {
        (step.shape[axis] == 1 || strides[axis] == dense[axis]) && position(axis) + step.shape[axis] <= to[axis]
    };
    let partial: Vec<usize> = (0..4).filter(|&axis| step.shape[axis] < to[axis]).collect();
    let (&[axis], true) = (&partial[..], (0..4).all(aligned)) else {
        return Err("a copy to scattered offsets".into());
    };
    let next = match state {
        State::Unwritten => 0,
        State::Partly { axis: other, end } if other == axis => end,
        _ => return Err("it writes what is written already".into()),
    };
    holds(position(axis) == next, "parts that are not joined in their order")?;
    let end = next + step.shape[axis];
    Ok(if end == to[axis] { State::Whole } else { State::Partly { axis, end } })
}

/// Whether a copy writes each of the `length` elements of a tensor once.
fn covers(step: &StridedCopy, length: usize) -> bool {
    let (start, strides) = step.write;
    let mut axes: Vec<(usize, usize)> = (0..4).map(|axis| (strides[axis], step.shape[axis])).collect();
    axes.retain(|&(_, length)| length > 1);
    axes.sort_unstable();
    let dense = axes.iter().try_fold(1, |next, &(stride, length)| (stride == next).then_some(next * length));
    start == 0 && dense == Some(length)
}
