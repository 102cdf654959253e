//! A program packed for one set of kernels, and run.

use std::fmt::Write as _;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::convolution::PackedConvolution;
use super::parts::{Cut, Hands, Threads, processors};
use super::slots::Slots;
use super::{
    Add, Convolution, Element, Fill, Lookup, Move, Multiply, Pool, PoolKind, Program, Quantize, Rounding, Step, Table,
    TensorId, TensorKind, Window, dense_strides,
};
use crate::kernels::{Kernels, SLACK};
use crate::pixels::Pixels;
use crate::tensor::{Data, Tensor};
use crate::{Error, Result};

/// A program that is ready to run, from many threads at once. Memory is kept from run to run, with what the last run left in
/// it, for as many runs at once as there are processors: so many warm runs ask for none but what they return.
#[derive(Debug)]
pub(crate) struct Executable {
    kernels: &'static dyn Kernels,
    threads: Threads,
    tensors: Vec<TensorKind>,
    descriptions: Vec<Description>,
    steps: Vec<PackedStep>,
    slots: Slots,
    inputs: Vec<TensorId>,
    /// The step that may be given a picture's bytes: it quantizes the input, and nothing else reads that.
    first: Option<usize>,
    outputs: Vec<(TensorId, Vec<usize>)>,
    /// Of at most as many runs as there are processors.
    pool: Mutex<Vec<Memory>>,
}

/// What a step is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What is done, such as `convolution 3×3, each channel by itself`.
    pub operation: String,
    /// The tensor of the graph that it is done for.
    pub tensor: String,
    /// The result's batch, height, width and channels.
    pub shape: [usize; 4],
}

impl Description {
    fn of(program: &Program, step: &Step) -> Description {
        let mut operation = step.operation().to_owned();
        if let Step::Convolution(Convolution { window, groups, from, .. }) = step {
            let [height, width] = window.kernel;
            let _ = write!(operation, " {height}×{width}");
            if window.stride != [1, 1] {
                let _ = write!(operation, ", stride {}", window.stride[0].max(window.stride[1]));
            }
            match *groups {
                1 => {}
                groups if groups == program.tensors[from.0].shape[3] => operation.push_str(", each channel by itself"),
                groups => {
                    let _ = write!(operation, ", {groups} groups");
                }
            }
        }
        let to = step.output().0;
        Description { operation, tensor: program.names[to].clone(), shape: program.tensors[to].shape }
    }
}

#[derive(Debug)]
enum PackedStep {
    Quantize(Quantize),
    Convolution(PackedConvolution),
    Add(Add),
    Multiply(Multiply),
    Lookup(Lookup),
    Pool(Pool),
    Move(Move),
    Fill(Fill),
}

impl PackedStep {
    fn output(&self) -> TensorId {
        match self {
            PackedStep::Quantize(step) => step.to,
            PackedStep::Convolution(step) => step.to,
            PackedStep::Add(step) => step.to,
            PackedStep::Multiply(step) => step.to,
            PackedStep::Lookup(step) => step.to,
            PackedStep::Pool(step) => step.to,
            PackedStep::Move(step) => step.to,
            PackedStep::Fill(step) => step.to,
        }
    }
}

/// What one run works in.
#[derive(Debug)]
struct Memory {
    buffers: Vec<Buffer>,
    scratch: Scratch,
}

/// What a step needs besides its input and output. Whatever it finds there is another step's.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// What all threads read.
    pub(super) shared: Vec<u8>,
    sums: Vec<i32>,
    /// One for each thread.
    pub(super) own: Vec<Own>,
}

impl Scratch {
    pub(super) fn for_threads(count: usize) -> Scratch {
        Scratch { own: (0..count).map(|_| Own::default()).collect(), ..Scratch::default() }
    }
}

/// What one thread needs for its parts of a step. On cache lines of its own, as what they share is (`parts.rs`).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Own {
    pub(super) bytes: Vec<u8>,
    pub(super) floats: Vec<f32>,
    sums: Vec<i32>,
}

#[derive(Debug)]
enum Buffer {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer::Bytes(vec![])
    }
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        let Buffer::Bytes(bytes) = self else { unreachable!("slots keep elements apart") };
        bytes
    }

    fn floats(&self) -> &[f32] {
        let Buffer::Floats(floats) = self else { unreachable!("slots keep elements apart") };
        floats
    }
}

/// Where a step writes.
#[derive(Debug)]
pub(super) enum Output<'a> {
    Bytes(&'a mut [u8]),
    Floats(&'a mut [f32]),
}

impl Default for Output<'_> {
    fn default() -> Self {
        Output::Bytes(&mut [])
    }
}

/// The most channels of pixels that have a table each.
const MOST_CHANNELS: usize = 4;

/// Bytes of results of which one does not depend on the other are cut at multiples of so many: a cache line.
const LINE: usize = 64;

/// How much longer than a multiply-add of a matrix product what others do takes, on one thread.
mod work {
    /// A float that is quantized.
    pub(super) const QUANTIZED: u64 = 50;
    /// A byte of a sum or product of two tensors.
    pub(super) const COMBINED: u64 = 20;
    /// A byte that is looked up.
    pub(super) const LOOKED_UP: u64 = 5;
    /// A byte under a window whose mean or maximum is taken.
    pub(super) const POOLED: u64 = 20;
    /// The same where all is one mean. That takes as long, but threads save little of it, likely since half of what one adds
    /// up was made by another; and one has to add up what they have.
    pub(super) const POOLED_TO_ONE: u64 = 6;
}

impl Executable {
    pub(crate) fn new(program: &Program, kernels: &'static dyn Kernels, threads: Threads) -> Executable {
        let pack = |step: &Step| match step {
            Step::Quantize(step) => PackedStep::Quantize(step.clone()),
            Step::Convolution(step) => {
                let kind = |id: TensorId| &program.tensors[id.0];
                PackedStep::Convolution(PackedConvolution::new(step, kind(step.from), kind(step.to), kernels, &threads))
            }
            Step::Add(step) => PackedStep::Add(step.clone()),
            Step::Multiply(step) => PackedStep::Multiply(step.clone()),
            Step::Lookup(step) => PackedStep::Lookup(step.clone()),
            Step::Pool(step) => PackedStep::Pool(step.clone()),
            Step::Move(step) => PackedStep::Move(step.clone()),
            Step::Fill(step) => PackedStep::Fill(step.clone()),
        };
        let steps = program.steps.iter().map(pack).collect();
        Executable {
            kernels,
            threads,
            tensors: program.tensors.clone(),
            descriptions: program.steps.iter().map(|step| Description::of(program, step)).collect(),
            steps,
            slots: program.slots().clone(),
            inputs: program.inputs.clone(),
            first: only_quantized(program),
            outputs: program.outputs.clone(),
            pool: Mutex::default(),
        }
    }

    /// What the steps are, in the order in which they run.
    pub(crate) fn descriptions(&self) -> &[Description] {
        &self.descriptions
    }

    /// The name of the kernels that run them.
    pub(crate) fn kernels(&self) -> &'static str {
        self.kernels.name()
    }

    /// Whether these may be given in place of the input.
    pub(crate) fn takes(&self, pixels: &Pixels<'_>) -> bool {
        let Some(PackedStep::Quantize(first)) = self.first.map(|at| &self.steps[at]) else { return false };
        let lie_as_read = pixels.lie_as(self.kind(first.to).shape, first.strides);
        pixels.values.is_some() && pixels.channels <= MOST_CHANNELS && lie_as_read
    }

    /// Runs all steps, unless `cancelled` is set before the last one, and calls `done` after each.
    ///
    /// # Errors
    /// [`Error::Tensor`] where the input is not what the program takes; [`Error::Cancelled`].
    pub(crate) fn run(
        &self,
        inputs: &[View<'_>],
        cancelled: &AtomicBool,
        mut done: impl FnMut(),
    ) -> Result<Vec<Tensor>> {
        let run = Run { program: self, inputs };
        run.check_inputs()?;
        let mut memory =
            self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_else(|| self.memory());
        run.take_bytes(&mut memory);
        for step in &self.steps {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            run.step(step, &mut memory);
            done();
        }
        let outputs = self.outputs.iter().map(|(id, shape)| run.output(*id, shape, &memory)).collect();
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < processors() {
            pool.push(memory);
        }
        outputs
    }

    /// For how many runs at once memory is kept now.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn memory(&self) -> Memory {
        let buffers = self.slots.lengths.iter().map(|&(element, length)| match element {
            Element::Byte => Buffer::Bytes(vec![0; length + SLACK]),
            Element::Float => Buffer::Floats(vec![0.0; length]),
        });
        Memory { buffers: buffers.collect(), scratch: Scratch::for_threads(self.threads.count()) }
    }

    fn kind(&self, id: TensorId) -> &TensorKind {
        &self.tensors[id.0]
    }
}

/// The step that quantizes the only input, if nothing else reads that.
fn only_quantized(program: &Program) -> Option<usize> {
    let [input] = program.inputs[..] else { return None };
    let mut readers = program.steps.iter().enumerate().filter(|(_, step)| step.inputs().contains(&input));
    let (Some((at, Step::Quantize(_))), None) = (readers.next(), readers.next()) else { return None };
    program.outputs.iter().all(|(output, _)| *output != input).then_some(at)
}

/// One run of a program.
struct Run<'a> {
    program: &'a Executable,
    inputs: &'a [View<'a>],
}

/// What a program is given: elements in the graph's order, or a picture's bytes that it [takes](Executable::takes).
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [u8]),
    Pixels(Pixels<'a>),
}

impl<'a> View<'a> {
    pub(crate) fn of(tensor: &'a Tensor) -> View<'a> {
        match tensor.data() {
            Data::F32(values) => View::Floats(values),
            Data::U8(values) => View::Bytes(values),
        }
    }
}

impl Run<'_> {
    fn check_inputs(&self) -> Result<()> {
        let fits = |(&id, view): (&TensorId, &View<'_>)| {
            let kind = self.program.kind(id);
            match (view, kind.element) {
                (View::Floats(values), Element::Float) => values.len() == kind.len(),
                (View::Bytes(values), Element::Byte) => values.len() == kind.len(),
                (View::Pixels(pixels), Element::Float) => self.program.takes(pixels),
                _ => false,
            }
        };
        let inputs = &self.program.inputs;
        let all = inputs.len() == self.inputs.len() && inputs.iter().zip(self.inputs).all(fits);
        all.then_some(()).ok_or_else(|| Error::Tensor("the input is of another type than the graph's".into()))
    }

    /// Copies bytes that are given to where kernels may read beyond their end.
    fn take_bytes(&self, memory: &mut Memory) {
        for (id, view) in self.program.inputs.iter().zip(self.inputs) {
            if let (View::Bytes(from), Buffer::Bytes(to)) = (view, &mut memory.buffers[self.program.slots.of[id.0]]) {
                to[..from.len()].copy_from_slice(from);
            }
        }
    }

    fn step(&self, step: &PackedStep, memory: &mut Memory) {
        let to = step.output();
        let slot = self.program.slots.of[to.0];
        let mut target = take(&mut memory.buffers[slot]);
        let mut scratch = take(&mut memory.scratch);
        let length = self.program.kind(to).len();
        let result = match &mut target {
            Buffer::Bytes(bytes) => Output::Bytes(&mut bytes[..length]),
            Buffer::Floats(floats) => Output::Floats(&mut floats[..length]),
        };
        self.compute(step, memory, result, &mut scratch);
        memory.buffers[slot] = target;
        memory.scratch = scratch;
    }

    fn compute(&self, step: &PackedStep, memory: &Memory, to: Output<'_>, scratch: &mut Scratch) {
        let Executable { kernels, threads, .. } = self.program;
        match (step, to) {
            (PackedStep::Convolution(step), to) => step.run(self.bytes(step.from, memory), to, threads, scratch),
            (PackedStep::Pool(step), to) => self.pool(step, self.bytes(step.from, memory), to, scratch),
            (PackedStep::Quantize(step), Output::Bytes(to)) => self.quantize(step, memory, to, &mut scratch.own),
            (PackedStep::Add(step), Output::Bytes(to)) => {
                let operation = |a: &[u8], b: &[u8], to: &mut [u8]| kernels.add(&step.rule, a, b, to);
                self.combine(step.from, step.to, memory, (to, &mut scratch.own), operation);
            }
            (PackedStep::Multiply(step), Output::Bytes(to)) => {
                let operation = |a: &[u8], b: &[u8], to: &mut [u8]| kernels.multiply(&step.rule, a, b, to);
                self.combine(step.from, step.to, memory, (to, &mut scratch.own), operation);
            }
            (PackedStep::Lookup(step), to) => match (&step.table, to) {
                (Table::Bytes(table), Output::Bytes(to)) => {
                    let from = self.bytes(step.from, memory);
                    let hands = threads.for_work(to.len() as u64 * work::LOOKED_UP);
                    hands.each(hands.parts(to, LINE), &mut scratch.own, |(at, to), _| {
                        kernels.lookup(table, &from[at * LINE..][..to.len()], to);
                    });
                }
                (Table::Floats(table), Output::Floats(to)) => {
                    for (to, &from) in to.iter_mut().zip(self.bytes(step.from, memory)) {
                        *to = table[usize::from(from)];
                    }
                }
                _ => unreachable!("a table gives what its tensor is made of"),
            },
            (PackedStep::Move(step), Output::Bytes(to)) => copy(step, self.bytes(step.from, memory), to),
            (PackedStep::Move(step), Output::Floats(to)) => copy(step, self.floats(step.from, memory), to),
            (PackedStep::Fill(step), Output::Bytes(to)) => to.fill(step.value),
            _ => unreachable!("this step gives bytes"),
        }
    }

    fn bytes<'m>(&'m self, id: TensorId, memory: &'m Memory) -> &'m [u8] {
        memory.buffers[self.program.slots.of[id.0]].bytes()
    }

    fn floats<'m>(&'m self, id: TensorId, memory: &'m Memory) -> &'m [f32] {
        match self.program.inputs.iter().zip(self.inputs).find(|(input, _)| **input == id) {
            Some((_, View::Floats(values))) => values,
            _ => memory.buffers[self.program.slots.of[id.0]].floats(),
        }
    }

    fn output(&self, id: TensorId, shape: &[usize], memory: &Memory) -> Result<Tensor> {
        let length = self.program.kind(id).len();
        match self.program.kind(id).element {
            Element::Byte => Tensor::u8(shape.to_vec(), self.bytes(id, memory)[..length].to_vec()),
            Element::Float => Tensor::f32(shape.to_vec(), self.floats(id, memory)[..length].to_vec()),
        }
    }

    fn quantize(&self, step: &Quantize, memory: &Memory, to: &mut [u8], own: &mut [Own]) {
        if let [View::Pixels(pixels)] = self.inputs
            && self.program.inputs == [step.from]
        {
            return self.look_up_pixels(step, pixels, to, own);
        }
        let from = self.floats(step.from, memory);
        let shape @ [_, _, width, channels] = self.program.kind(step.to).shape;
        let kernels = self.program.kernels;
        let hands = self.program.threads.for_work(to.len() as u64 * work::QUANTIZED);
        if step.strides[3] == 1 && step.strides == dense_strides(shape) {
            return hands.each(hands.parts(to, LINE), own, |(at, to), _| {
                kernels.quantize(&from[at * LINE..][..to.len()], step.scale, step.zero, to);
            });
        }
        hands.each(hands.parts(to, width * channels), own, |(first, to), own| {
            for (line, to) in (first..).zip(to.chunks_exact_mut(width * channels)) {
                if channels == 3 && step.strides[2] == 1 {
                    self.quantize_planes(step, from, line, to, &mut own.bytes);
                } else {
                    self.quantize_line(step, from, line, to, own);
                }
            }
        });
    }

    /// What the bytes stand for, quantized: one table a channel, or one for all where they are the same.
    fn look_up_pixels(&self, step: &Quantize, pixels: &Pixels<'_>, to: &mut [u8], own: &mut [Own]) {
        let (kernels, from) = (self.program.kernels, pixels.bytes);
        let mut tables = [[0; 256]; MOST_CHANNELS];
        let tables = &mut tables[..pixels.channels];
        for (table, values) in tables.iter_mut().zip(pixels.values.unwrap_or_default()) {
            kernels.quantize(values, step.scale, step.zero, table);
        }
        let hands = self.program.threads.for_work(to.len() as u64 * work::LOOKED_UP);
        if tables.iter().all(|table| *table == tables[0]) {
            return hands.each(hands.parts(to, LINE), own, |(at, to), _| {
                kernels.lookup(&tables[0], &from[at * LINE..][..to.len()], to);
            });
        }
        let unit = LINE * tables.len();
        hands.each(hands.parts(to, unit), own, |(at, to), _| {
            let from = from[at * unit..].chunks_exact(tables.len());
            for (to, from) in to.chunks_exact_mut(tables.len()).zip(from) {
                for ((to, &from), table) in to.iter_mut().zip(from).zip(&*tables) {
                    *to = table[usize::from(from)];
                }
            }
        });
    }

    /// One line of the result, one channel after the other, as planes of floats are read best.
    fn quantize_line(&self, step: &Quantize, from: &[f32], line: usize, to: &mut [u8], own: &mut Own) {
        let [_, height, width, channels] = self.program.kind(step.to).shape;
        let [over_batch, over_height, over_width, over_channels] = step.strides;
        let Own { bytes, floats: row, .. } = own;
        bytes.resize(width, 0);
        row.resize(width, 0.0);
        for channel in 0..channels {
            let start = line / height * over_batch + line % height * over_height + channel * over_channels;
            let values = if over_width == 1 {
                &from[start..start + width]
            } else {
                for (x, value) in row.iter_mut().enumerate() {
                    *value = from[start + x * over_width];
                }
                &*row
            };
            self.program.kernels.quantize(values, step.scale, step.zero, bytes);
            for (to, &byte) in to[channel..].iter_mut().step_by(channels).zip(&*bytes) {
                *to = byte;
            }
        }
    }

    /// One line of three planes, as pictures come.
    fn quantize_planes(&self, step: &Quantize, from: &[f32], line: usize, to: &mut [u8], bytes: &mut Vec<u8>) {
        let [_, height, width, _] = self.program.kind(step.to).shape;
        let [over_batch, over_height, _, over_channels] = step.strides;
        let kernels = self.program.kernels;
        bytes.resize(3 * width, 0);
        let start = line / height * over_batch + line % height * over_height;
        for (channel, bytes) in bytes.chunks_exact_mut(width).enumerate() {
            kernels.quantize(&from[start + channel * over_channels..][..width], step.scale, step.zero, bytes);
        }
        let (first, rest) = bytes.split_at(width);
        let (second, third) = rest.split_at(width);
        kernels.interleave([first, second, third], to);
    }

    /// Two tensors to one, of which either may have one element along an axis for all of the other's.
    fn combine(
        &self,
        from: [TensorId; 2],
        result: TensorId,
        memory: &Memory,
        (to, own): (&mut [u8], &mut [Own]),
        operation: impl Fn(&[u8], &[u8], &mut [u8]) + Sync,
    ) {
        let [a, b] = from.map(|id| self.bytes(id, memory));
        let [a_shape, b_shape] = from.map(|id| self.program.kind(id).shape);
        let [_, height, width, channels] = self.program.kind(result).shape;
        let hands = self.program.threads.for_work(to.len() as u64 * work::COMBINED);
        if a_shape == b_shape {
            return hands.each(hands.parts(to, LINE), own, |(at, to), _| {
                let place = at * LINE..at * LINE + to.len();
                operation(&a[place.clone()], &b[place], to);
            });
        }
        let at = |shape: [usize; 4], index: [usize; 3]| {
            let strides = dense_strides(shape);
            (0..3).map(|axis| if shape[axis] == 1 { 0 } else { index[axis] * strides[axis] }).sum::<usize>()
        };
        hands.each(hands.parts(to, width * channels), own, |(first, to), own| {
            own.bytes.resize(2 * channels, 0);
            let (left, right) = own.bytes.split_at_mut(channels);
            for (line, to) in (first..).zip(to.chunks_exact_mut(width * channels)) {
                let (n, y) = (line / height, line % height);
                for (x, to) in to.chunks_exact_mut(channels).enumerate() {
                    let a = channels_at(&a[at(a_shape, [n, y, x])..], a_shape[3], left);
                    let b = channels_at(&b[at(b_shape, [n, y, x])..], b_shape[3], right);
                    operation(a, b, to);
                }
            }
        });
    }

    fn pool(&self, step: &Pool, from: &[u8], to: Output<'_>, scratch: &mut Scratch) {
        let [batch, height, width, channels] = self.program.kind(step.to).shape;
        let taps = step.window.kernel.iter().product::<usize>();
        let bytes = to.len() as u64 * taps as u64;
        if batch * height * width == 1 && step.kind != PoolKind::Greatest {
            let hands = self.program.threads.for_work(bytes * work::POOLED_TO_ONE);
            return self.mean_of_all(step, from, to, hands, scratch);
        }
        let hands = self.program.threads.for_work(bytes * work::POOLED);
        hands.each(hands.parts(to, width * channels), &mut scratch.own, |(first, mut to), own| {
            own.sums.resize(channels, 0);
            let lines = to.len() / (width * channels);
            for line in 0..lines {
                for x in 0..width {
                    let at = (line * width + x) * channels;
                    self.pool_at(step, from, [first + line, x], (&mut to, at), &mut own.sums);
                }
            }
        });
    }

    /// One pixel of the result, `to` from `at` on.
    fn pool_at(
        &self,
        step: &Pool,
        from: &[u8],
        [line, x]: [usize; 2],
        (to, at): (&mut Output<'_>, usize),
        sums: &mut [i32],
    ) {
        let [_, in_height, in_width, channels] = self.program.kind(step.from).shape;
        let height = self.program.kind(step.to).shape[1];
        let image = &from[line / height * in_height * in_width * channels..][..in_height * in_width * channels];
        let window = WindowAt::new(&step.window, line % height, x, in_height, in_width);
        match &step.kind {
            PoolKind::Greatest => {
                let Output::Bytes(to) = to else { unreachable!("the greatest byte is a byte") };
                window.greatest(image, in_width, &mut to[at..at + channels]);
            }
            PoolKind::Mean { zero, .. } => {
                window.sum(self.program.kernels, image, in_width, *zero, sums);
                mean(step, &window, sums, to, at);
            }
        }
    }

    /// The one pixel of a result: each part sums some lines of the window.
    fn mean_of_all(&self, step: &Pool, from: &[u8], mut to: Output<'_>, hands: Hands<'_>, scratch: &mut Scratch) {
        let [_, in_height, in_width, channels] = self.program.kind(step.from).shape;
        let PoolKind::Mean { zero, .. } = step.kind else { unreachable!("asked for means alone") };
        let window = WindowAt::new(&step.window, 0, 0, in_height, in_width);
        let size = window.rows.2.div_ceil(hands.count()).max(1);
        let count = window.rows.2.div_ceil(size).max(1);
        scratch.sums.clear();
        scratch.sums.resize(count * channels, 0);
        let parts = (0..count).map(|part| window.lines(part * size, size)).zip(scratch.sums.chunks_exact_mut(channels));
        hands.each(parts, &mut scratch.own, |(part, sums), _| {
            part.sum(self.program.kernels, from, in_width, zero, sums);
        });
        let (sums, others) = scratch.sums.split_at_mut(channels);
        for others in others.chunks_exact(channels) {
            for (sum, other) in sums.iter_mut().zip(others) {
                *sum += other;
            }
        }
        mean(step, &window, sums, &mut to, 0);
    }
}

/// A pixel's channels, as many as `spread` holds: one number for all of them is spread over it, others lie ready.
fn channels_at<'a>(bytes: &'a [u8], channels: usize, spread: &'a mut [u8]) -> &'a [u8] {
    if channels == spread.len() {
        return &bytes[..channels];
    }
    spread.fill(bytes[0]);
    spread
}

/// The part of a picture that a window lies over: the first row, how far it is to the next, and their number; and columns.
#[derive(Debug, Clone, Copy)]
struct WindowAt {
    rows: (usize, usize, usize),
    columns: (usize, usize, usize),
}

impl WindowAt {
    fn new(window: &Window, y: usize, x: usize, height: usize, width: usize) -> WindowAt {
        let axis = |axis: usize, position: usize, length: usize| {
            let (taps, first) = window.taps(axis, position, length);
            let start = first + (taps.start * window.dilation[axis]) as isize;
            (start.max(0) as usize, window.dilation[axis], taps.len())
        };
        WindowAt { rows: axis(0, y, height), columns: axis(1, x, width) }
    }

    /// So many lines of it, or what there is of them.
    fn lines(self, start: usize, count: usize) -> WindowAt {
        let (first, down, lines) = self.rows;
        WindowAt { rows: (first + start * down, down, count.min(lines - start)), ..self }
    }

    /// Where each pixel starts.
    fn pixels(&self, width: usize, channels: usize) -> impl Iterator<Item = usize> {
        let ((y, down, rows), (x, across, columns)) = (self.rows, self.columns);
        (0..rows)
            .flat_map(move |row| (0..columns).map(move |column| (y + row * down, x + column * across)))
            .map(move |(y, x)| (y * width + x) * channels)
    }

    fn greatest(&self, image: &[u8], width: usize, to: &mut [u8]) {
        to.fill(0);
        for start in self.pixels(width, to.len()) {
            for (to, &byte) in to.iter_mut().zip(&image[start..]) {
                *to = (*to).max(byte);
            }
        }
    }

    fn count(&self) -> usize {
        self.rows.2 * self.columns.2
    }

    /// Adds up the bytes less their zero point, for each channel.
    fn sum(&self, kernels: &dyn Kernels, image: &[u8], width: usize, zero: u8, sums: &mut [i32]) {
        sums.fill(0);
        let ((y, down, mut rows), (x, across, columns)) = (self.rows, self.columns);
        let channels = sums.len();
        if (columns, across, down) == (width, 1, 1) {
            kernels.sum(&image[y * width * channels..], channels, rows * columns, sums);
            rows = 0;
        }
        for row in (y..).step_by(down).take(rows) {
            kernels.sum(&image[(row * width + x) * channels..], across * channels, columns, sums);
        }
        for sum in sums.iter_mut() {
            *sum -= self.count() as i32 * i32::from(zero);
        }
    }
}

/// What becomes of the sums of a window's bytes.
fn mean(step: &Pool, window: &WindowAt, sums: &[i32], to: &mut Output<'_>, at: usize) {
    let PoolKind::Mean { scale, divisor, with_padding, result, .. } = &step.kind else {
        unreachable!("sums are made for means");
    };
    let count = if *with_padding { step.window.kernel.iter().product() } else { window.count() };
    let multiplier = scale / (divisor * count as f32);
    match (result, to) {
        (Rounding::Float, Output::Floats(to)) => {
            for (to, &sum) in to[at..].iter_mut().zip(sums) {
                *to = sum as f32 * multiplier;
            }
        }
        (Rounding::Byte { zero, least, most, table }, Output::Bytes(to)) => {
            for (to, &sum) in to[at..].iter_mut().zip(sums) {
                let byte = crate::kernels::byte(sum as f32 * multiplier, *zero, *least, *most);
                *to = table.as_ref().map_or(byte, |table| table[usize::from(byte)]);
            }
        }
        _ => unreachable!("a mean is what its tensor is made of"),
    }
}

fn copy<T: Copy>(step: &Move, from: &[T], to: &mut [T]) {
    let [batch, height, width, channels] = step.shape;
    let ((from_start, read), (to_start, write)) = (step.read, step.write);
    for n in 0..batch {
        for y in 0..height {
            for x in 0..width {
                let from = &from[from_start + n * read[0] + y * read[1] + x * read[2]..];
                let to = &mut to[to_start + n * write[0] + y * write[1] + x * write[2]..];
                if read[3] == 1 && write[3] == 1 {
                    to[..channels].copy_from_slice(&from[..channels]);
                } else {
                    for c in 0..channels {
                        to[c * write[3]] = from[c * read[3]];
                    }
                }
            }
        }
    }
}
