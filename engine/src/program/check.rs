//! What kernels take for granted of a program, checked.
//!
//! Whoever puts a program together, the lowering of a graph or the reader of a file, gets a [`Program`] from here alone. What
//! passes runs without a panic, reads nothing but what an earlier step of the same run wrote, and takes no more memory and
//! time than networks do.

use std::fmt;
use std::ops::Deref;

use super::buffers::BufferPlan;
use super::weights::{have_nine_bits, sums_fit};
use super::{
    Add, Convolution, Element, Lookup, Multiply, Pooling, PoolingKind, Quantize, Step, StridedCopy, Table, TensorId,
    TensorKind, UncheckedProgram, dense_strides,
};
use crate::arithmetic::{OutputStage, Window};

/// The most steps of a program: of large networks, DenseNet-201 has some 800.
pub(crate) const MAX_STEPS: usize = 1 << 14;

/// The most tensors.
pub(crate) const MAX_TENSORS: usize = 1 << 16;

/// The longest name of a tensor, in bytes: twice what a graph's may have, as what is spelled out of a graph gets names that
/// are made of its. Each step is described by one.
const LONGEST_NAME: usize = 1 << 12;

/// The most outputs. Each run gives a tensor of its own for each.
pub(crate) const MAX_OUTPUTS: usize = 1 << 12;

/// The largest tensor, in bytes, if its elements were floats.
pub(crate) const MAX_TENSOR_BYTES: usize = 1 << 29;

/// The most bytes of all tensors that are in memory together, the copies of outputs that a run gives among them.
pub(crate) const MAX_MEMORY: u64 = 1 << 30;

/// The most products, or elements copied or compared, of one run: ResNet-50 at 224×224 takes 2³².
pub(crate) const MAX_WORK: u64 = 1 << 38;

/// The most matrices: one a group of each convolution that is not depthwise, packed by itself.
const MAX_GROUPS: usize = 1 << 18;

/// The largest number of a window, and how far windows may reach.
const FARTHEST: u64 = 1 << 27;

/// The most bytes of a picture with the border that windows reach into.
const MAX_BORDERED: u64 = 1 << 29;

/// The most pixels whose bytes add up within 32 bits.
const MAX_PIXELS: u64 = (i32::MAX / 255) as u64;

/// Why a program can't be. Each names the step or the tensor, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It contradicts itself, or asks for what no step does.
    Unsound(String),
    /// It asks for more memory or work than networks do.
    TooLarge(String),
}

impl Problem {
    /// The same at this place.
    fn at(self, place: &str) -> Problem {
        match self {
            Problem::Unsound(what) => Problem::Unsound(format!("{place}: {what}")),
            Problem::TooLarge(what) => Problem::TooLarge(format!("{place}: {what}")),
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

/// Steps, in the order in which they run, that can be packed and run: what can be read of it is what was checked.
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
    /// Which tensors share memory.
    pub(crate) fn buffers(&self) -> &BufferPlan {
        &self.buffers
    }

    /// The bytes of all tensors that are in memory together, the outputs' copies among them.
    #[cfg(any(feature = "onnx", fuzzing))]
    pub(crate) fn memory(&self) -> u64 {
        memory(&self.checked, &self.buffers)
    }

    /// The products, and elements copied or compared, of one run.
    #[cfg(any(feature = "onnx", fuzzing))]
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// The same program with those of its outputs that stand at these places, which may be asked for more than once.
    ///
    /// # Errors
    /// Where these outputs take more memory than a program may.
    ///
    /// # Panics
    /// Where there is no output at one of them.
    pub(crate) fn with_outputs(self, offsets: &[usize]) -> Result<Program, Problem> {
        let outputs = offsets.iter().map(|&place| self.checked.outputs[place].clone()).collect();
        // Other tensors are kept to the end, and nothing else changes of what was checked.
        Program::within_memory(UncheckedProgram { outputs, ..self.checked }, self.work)
    }

    /// A program of which all but its memory was checked.
    fn within_memory(checked: UncheckedProgram, work: u64) -> Result<Program, Problem> {
        let count = checked.outputs.len();
        within(count <= MAX_OUTPUTS, || format!("{count} outputs are too many; at most {MAX_OUTPUTS} are served"))?;
        let buffers = BufferPlan::of(&checked);
        within(memory(&checked, &buffers) <= MAX_MEMORY, || {
            format!("its tensors and outputs take more than {MAX_MEMORY} bytes together")
        })?;
        Ok(Program { checked, buffers, work })
    }
}

/// The bytes of all buffers, and of a copy of each output.
fn memory(program: &UncheckedProgram, buffers: &BufferPlan) -> u64 {
    let copies = program.outputs.iter().map(|(output, _)| program.tensors[output.0].bytes());
    copies.fold(buffers.bytes(), u64::saturating_add)
}

impl UncheckedProgram {
    /// The program, if it can be packed and run.
    ///
    /// # Errors
    /// What is wrong with it.
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
        let work = check.work;
        Program::within_memory(self, work)
    }

    fn check_tensors(&self) -> Result<(), Problem> {
        let (steps, tensors) = (self.steps.len(), self.tensors.len());
        within(steps <= MAX_STEPS && tensors <= MAX_TENSORS, || {
            format!(
                "{steps} steps and {tensors} tensors are too many; at most {MAX_STEPS} and {MAX_TENSORS} are served"
            )
        })?;
        holds(self.names.len() == tensors, "not one name a tensor")?;
        for (kind, name) in self.tensors.iter().zip(&self.names) {
            within(name.len() <= LONGEST_NAME, || {
                format!("a tensor's name has {} bytes; at most {LONGEST_NAME} are served", name.len())
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

/// How much of a tensor has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unwritten,
    /// Joined from parts, of which `upto` along an axis are there.
    Partly {
        axis: usize,
        upto: usize,
    },
    /// The same byte all over, which moves may write over.
    Filled,
    Whole,
    /// The caller's.
    Given,
}

struct Check<'a> {
    program: &'a UncheckedProgram,
    states: Vec<State>,
    work: u64,
    groups: usize,
}

impl<'a> Check<'a> {
    fn kind(&self, id: TensorId) -> Result<&'a TensorKind, Problem> {
        let missing = || Problem::Unsound(format!("there is no tensor {}", id.0));
        self.program.tensors.get(id.0).ok_or_else(missing)
    }

    fn of(&self, id: TensorId, element: Element) -> Result<&'a TensorKind, Problem> {
        let kind = self.kind(id)?;
        holds(kind.element == element, "a tensor of other elements than the step's")?;
        Ok(kind)
    }

    fn input(&mut self, id: TensorId) -> Result<(), Problem> {
        self.kind(id)?;
        holds(self.states[id.0] == State::Unwritten, "an input twice")?;
        self.states[id.0] = State::Given;
        Ok(())
    }

    fn output(&self, id: TensorId, shape: &[usize]) -> Result<(), Problem> {
        let kind = self.kind(id)?;
        self.is_written(id)?;
        let count = shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
        holds(count == Some(kind.len()), "an output's shape does not fit its tensor")
    }

    fn is_written(&self, id: TensorId) -> Result<(), Problem> {
        let written = matches!(self.states[id.0], State::Filled | State::Whole | State::Given);
        holds(written, "a tensor is read before it is written")
    }

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
            Step::Pooling(step) => self.pool(step),
            Step::StridedCopy(step) => self.moved(step),
            Step::Fill(step) => self.of(step.to, Element::Byte).map(|to| to.len() as u64),
        }?;
        self.work = self.work.saturating_add(work);
        within(self.work <= MAX_WORK, || "more work than a network is".into())?;
        self.states[to.0] = self.written(step)?;
        Ok(())
    }

    /// How much of its output is written after a step.
    fn written(&self, step: &Step) -> Result<State, Problem> {
        let to = step.output();
        match (self.states[to.0], step) {
            (State::Filled, Step::StridedCopy(_)) | (State::Unwritten, Step::Fill(_)) => Ok(State::Filled),
            (state, Step::StridedCopy(step)) => after(state, step, self.program.tensors[to.0].shape),
            (State::Unwritten, _) => Ok(State::Whole),
            _ => Err("it writes what is written already".into()),
        }
    }

    fn quantize(&self, step: &Quantize) -> Result<u64, Problem> {
        let (from, to) = (self.of(step.from, Element::Float)?, self.of(step.to, Element::Byte)?);
        holds(step.scale.is_normal() && step.scale > 0.0, "a scale that is no positive number")?;
        lies_within(0, step.strides, to.shape, from.len())?;
        Ok(to.len() as u64)
    }

    fn convolution(&mut self, step: &Convolution) -> Result<u64, Problem> {
        let (from, to) = (self.of(step.from, Element::Byte)?, self.kind(step.to)?);
        let ([batch, .., inputs], [out_batch, .., outputs]) = (from.shape, to.shape);
        holds(batch == out_batch, "another batch than its input's")?;
        let groups = step.groups;
        holds(
            groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
            "groups that do not divide its channels",
        )?;
        let reach = reach(&step.window, to.shape)?;
        let bordered = reach.iter().try_fold(inputs as u64, |bytes, &length| bytes.checked_mul(length));
        within(bordered.is_some_and(|bytes| bytes <= MAX_BORDERED), || "windows that reach too far".into())?;
        let columns = taps(&step.window).saturating_mul((inputs / groups) as u64);
        holds(columns.checked_mul(outputs as u64) == Some(step.weights.len() as u64), "weights of another number")?;
        holds(
            step.bias.len() == outputs && step.multipliers.len() == outputs,
            "not one bias and multiplier a channel",
        )?;
        holds(step.multipliers.iter().all(|multiplier| multiplier.is_finite()), "a multiplier that is no number")?;
        check_weights(&step.weights, columns as usize)?;
        check_rounding(&step.result, to)?;
        if !step.is_depthwise(from, to) {
            self.groups += groups;
        }
        within(self.groups <= MAX_GROUPS, || "too many groups".into())?;
        // What windows lie over is copied for each picture of a batch, where it is more than the picture.
        let copied = bordered.unwrap_or(0).saturating_mul(batch as u64);
        Ok((to.len() as u64).saturating_mul(columns).saturating_add(copied))
    }

    fn add(&self, step: &Add) -> Result<u64, Problem> {
        let rule = &step.rule;
        holds(rule.min <= rule.max, "a least byte above the greatest")?;
        let numbers = [rule.scale_ratios[0], rule.scale_ratios[1], rule.addend];
        holds(numbers.iter().all(|number| number.is_finite()), "a share that is no number")?;
        self.of_two(step.from, step.to)
    }

    fn multiply(&self, step: &Multiply) -> Result<u64, Problem> {
        holds(step.rule.min <= step.rule.max, "a least byte above the greatest")?;
        let numbers = [step.rule.multiplier, step.rule.addend];
        holds(numbers.iter().all(|number| number.is_finite()), "a multiplier that is no number")?;
        self.of_two(step.from, step.to)
    }

    /// Each axis has the length of the other's, or 1.
    fn of_two(&self, from: [TensorId; 2], to: TensorId) -> Result<u64, Problem> {
        let to = self.of(to, Element::Byte)?;
        let [a, b] = [self.of(from[0], Element::Byte)?.shape, self.of(from[1], Element::Byte)?.shape];
        let goes = |axis: usize| match (a[axis], b[axis]) {
            (a, b) if a == b => to.shape[axis] == a,
            (1, length) | (length, 1) => to.shape[axis] == length,
            _ => false,
        };
        holds((0..4).all(goes), "shapes that do not go together")?;
        Ok(to.len() as u64)
    }

    fn lookup(&self, step: &Lookup) -> Result<u64, Problem> {
        let element = if matches!(step.table, Table::Bytes(_)) { Element::Byte } else { Element::Float };
        let (from, to) = (self.of(step.from, Element::Byte)?, self.of(step.to, element)?);
        holds(from.len() == to.len(), "another number of elements than its input's")?;
        Ok(to.len() as u64)
    }

    fn pool(&self, step: &Pooling) -> Result<u64, Problem> {
        let (from, to) = (self.of(step.from, Element::Byte)?, self.kind(step.to)?);
        holds(from.shape[0] == to.shape[0] && from.shape[3] == to.shape[3], "another batch or other channels")?;
        reach(&step.window, to.shape)?;
        holds((0..2).all(|axis| meets(&step.window, axis, from.shape, to.shape)), "a window over no pixel")?;
        let taps = taps(&step.window);
        match &step.kind {
            PoolingKind::Max => holds(to.element == Element::Byte, "a tensor of other elements than the step's")?,
            PoolingKind::Mean { scale, divisor, result, .. } => {
                holds(taps <= MAX_PIXELS, "a mean over too many pixels")?;
                let numbers = scale.is_finite() && divisor.is_normal() && (scale / divisor).is_finite();
                holds(numbers, "a scale that is no number")?;
                check_rounding(result, to)?;
            }
        }
        Ok(taps.saturating_mul(to.len() as u64))
    }

    fn moved(&self, step: &StridedCopy) -> Result<u64, Problem> {
        let from = self.kind(step.from)?;
        let to = self.of(step.to, from.element)?;
        holds(!step.shape.contains(&0), "a move of nothing")?;
        lies_within(step.read.0, step.read.1, step.shape, from.len())?;
        lies_within(step.write.0, step.write.1, step.shape, to.len())?;
        Ok(step.shape.iter().fold(1, |count: u64, &length| count.saturating_mul(length as u64)))
    }
}

fn holds(what: bool, otherwise: &str) -> Result<(), Problem> {
    if what { Ok(()) } else { Err(otherwise.into()) }
}

/// The same for a bound.
fn within(what: bool, otherwise: impl FnOnce() -> String) -> Result<(), Problem> {
    if what { Ok(()) } else { Err(Problem::TooLarge(otherwise())) }
}

/// Whether all elements of a shape, from a start on and so far apart, lie within a tensor.
fn lies_within(start: usize, strides: [usize; 4], shape: [usize; 4], length: usize) -> Result<(), Problem> {
    holds(strides.iter().all(|&stride| stride as u64 <= FARTHEST), "elements too far apart")?;
    let far = |axis: usize| (strides[axis] as u64).checked_mul(shape[axis] as u64 - 1);
    let last = (0..4).try_fold(start as u64, |last, axis| last.checked_add(far(axis)?));
    holds(last.is_some_and(|last| last < length as u64), "elements beyond a tensor's")
}

fn check_rounding(result: &OutputStage, to: &TensorKind) -> Result<(), Problem> {
    match result {
        OutputStage::Float => holds(to.element == Element::Float, "floats in a tensor of bytes"),
        OutputStage::Byte { min, max, .. } => {
            holds(to.element == Element::Byte, "bytes in a tensor of floats")?;
            holds(min <= max, "a least byte above the greatest")
        }
    }
}

/// Weights have nine bits at most, and no sum of products can pass 32 bits, as the lowering has it.
fn check_weights(weights: &[i16], columns: usize) -> Result<(), Problem> {
    holds(have_nine_bits(weights), "weights of more than nine bits")?;
    holds(sums_fit(weights, columns.max(1)), "sums that could pass 32 bits")
}

fn taps(window: &Window) -> u64 {
    window.kernel.iter().fold(1, |taps, &length| taps.saturating_mul(length as u64))
}

/// How many pixels windows span along each axis, from the first one's first to the last one's last.
fn reach(window: &Window, to: [usize; 4]) -> Result<[u64; 2], Problem> {
    let lengths = [window.kernel, window.stride, window.dilation];
    holds(lengths.as_flattened().iter().all(|&length| length > 0), "a length of zero")?;
    let numbers = lengths.as_flattened().iter().chain(&window.pad);
    let too_far = || "windows that reach too far".into();
    within(numbers.map(|&number| number as u64).all(|number| number <= FARTHEST), too_far)?;
    let reach = [0, 1].map(|axis| {
        let of = |length: usize, step: usize| (length as u64 - 1) * step as u64;
        of(to[1 + axis], window.stride[axis]) + of(window.kernel[axis], window.dilation[axis]) + 1
    });
    within(reach.iter().all(|&length| length <= FARTHEST), too_far)?;
    Ok(reach)
}

/// Whether each window has a pixel of the picture under it, along one axis: the first ends in the picture or behind its
/// start, the last begins before its end, and none steps over it.
fn meets(window: &Window, axis: usize, from: [usize; 4], to: [usize; 4]) -> bool {
    let (length, pad, dilation) = (from[1 + axis], window.pad[axis], window.dilation[axis]);
    (window.kernel[axis] - 1) * dilation >= pad
        && (to[1 + axis] - 1) * window.stride[axis] < length + pad
        && (pad == 0 || dilation <= length)
}

/// How much of a tensor is written after a move into it. Parts are joined along one axis, in their order.
fn after(state: State, step: &StridedCopy, to: [usize; 4]) -> Result<State, Problem> {
    if state == State::Unwritten && covers(step, to.iter().product()) {
        return Ok(State::Whole);
    }
    let (start, strides) = step.write;
    let dense = dense_strides(to);
    let place = |axis: usize| start / dense[axis] % to[axis];
    let aligned = |axis: usize| {
        (step.shape[axis] == 1 || strides[axis] == dense[axis]) && place(axis) + step.shape[axis] <= to[axis]
    };
    let parts: Vec<usize> = (0..4).filter(|&axis| step.shape[axis] < to[axis]).collect();
    let (&[axis], true) = (&parts[..], (0..4).all(aligned)) else { return Err("a move to scattered places".into()) };
    let next = match state {
        State::Unwritten => 0,
        State::Partly { axis: other, upto } if other == axis => upto,
        _ => return Err("it writes what is written already".into()),
    };
    holds(place(axis) == next, "parts that are not joined in their order")?;
    let upto = next + step.shape[axis];
    Ok(if upto == to[axis] { State::Whole } else { State::Partly { axis, upto } })
}

/// Whether a move writes each of so many elements once.
fn covers(step: &StridedCopy, length: usize) -> bool {
    let (start, strides) = step.write;
    let mut axes: Vec<(usize, usize)> = (0..4).map(|axis| (strides[axis], step.shape[axis])).collect();
    axes.retain(|&(_, length)| length > 1);
    axes.sort_unstable();
    let dense = axes.iter().try_fold(1, |next, &(stride, length)| (stride == next).then_some(next * length));
    start == 0 && dense == Some(length)
}
