//! A program packed for one set of kernels, and run.

use std::fmt::Write as _;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::convolution::PackedConvolution;
use super::slots::Slots;
use super::{
    Add, Convolution, Element, Fill, Lookup, Move, Multiply, Pool, PoolKind, Program, Quantize, Rounding, Step, Table,
    TensorId, TensorKind, Window, dense_strides,
};
use crate::kernels::{Kernels, SLACK};
use crate::tensor::{Data, Tensor};
use crate::{Error, Result};

/// A program that is ready to run, from many threads at once. Memory is kept from run to run: a warm run asks for none
/// but what it returns.
#[derive(Debug)]
pub(crate) struct Executable {
    kernels: &'static dyn Kernels,
    tensors: Vec<TensorKind>,
    descriptions: Vec<Description>,
    steps: Vec<PackedStep>,
    slots: Slots,
    inputs: Vec<TensorId>,
    outputs: Vec<(TensorId, Vec<usize>)>,
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
struct Scratch {
    bytes: Vec<u8>,
    floats: Vec<f32>,
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
pub(super) enum Output<'a> {
    Bytes(&'a mut [u8]),
    Floats(&'a mut [f32]),
}

impl Executable {
    pub(crate) fn new(program: &Program, kernels: &'static dyn Kernels) -> Executable {
        let pack = |step: &Step| match step {
            Step::Quantize(step) => PackedStep::Quantize(step.clone()),
            Step::Convolution(step) => {
                let kind = |id: TensorId| &program.tensors[id.0];
                PackedStep::Convolution(PackedConvolution::new(step, kind(step.from), kind(step.to), kernels))
            }
            Step::Add(step) => PackedStep::Add(step.clone()),
            Step::Multiply(step) => PackedStep::Multiply(step.clone()),
            Step::Lookup(step) => PackedStep::Lookup(step.clone()),
            Step::Pool(step) => PackedStep::Pool(step.clone()),
            Step::Move(step) => PackedStep::Move(step.clone()),
            Step::Fill(step) => PackedStep::Fill(step.clone()),
        };
        Executable {
            kernels,
            tensors: program.tensors.clone(),
            descriptions: program.steps.iter().map(|step| Description::of(program, step)).collect(),
            steps: program.steps.iter().map(pack).collect(),
            slots: Slots::of(program),
            inputs: program.inputs.clone(),
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
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        outputs
    }

    fn memory(&self) -> Memory {
        let buffers = self.slots.lengths.iter().map(|&(element, length)| match element {
            Element::Byte => Buffer::Bytes(vec![0; length + SLACK]),
            Element::Float => Buffer::Floats(vec![0.0; length]),
        });
        Memory { buffers: buffers.collect(), scratch: Scratch::default() }
    }

    fn kind(&self, id: TensorId) -> &TensorKind {
        &self.tensors[id.0]
    }
}

/// One run of a program.
struct Run<'a> {
    program: &'a Executable,
    inputs: &'a [View<'a>],
}

/// What a program is given: elements in the graph's order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [u8]),
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
        match &mut target {
            Buffer::Bytes(bytes) => {
                self.compute(step, memory, &mut Output::Bytes(&mut bytes[..length]), &mut scratch);
            }
            Buffer::Floats(floats) => {
                self.compute(step, memory, &mut Output::Floats(&mut floats[..length]), &mut scratch);
            }
        }
        memory.buffers[slot] = target;
        memory.scratch = scratch;
    }

    fn compute(&self, step: &PackedStep, memory: &Memory, to: &mut Output<'_>, scratch: &mut Scratch) {
        let kernels = self.program.kernels;
        match (step, to) {
            (PackedStep::Convolution(step), to) => step.run(self.bytes(step.from, memory), to, &mut scratch.bytes),
            (PackedStep::Pool(step), to) => self.pool(step, self.bytes(step.from, memory), to, &mut scratch.sums),
            (PackedStep::Quantize(step), Output::Bytes(to)) => self.quantize(step, memory, to, scratch),
            (PackedStep::Add(step), Output::Bytes(to)) => {
                let operation = |a: &[u8], b: &[u8], to: &mut [u8]| kernels.add(&step.rule, a, b, to);
                self.combine(step.from, step.to, memory, (to, &mut scratch.bytes), operation);
            }
            (PackedStep::Multiply(step), Output::Bytes(to)) => {
                let operation = |a: &[u8], b: &[u8], to: &mut [u8]| kernels.multiply(&step.rule, a, b, to);
                self.combine(step.from, step.to, memory, (to, &mut scratch.bytes), operation);
            }
            (PackedStep::Lookup(step), to) => match (&step.table, to) {
                (Table::Bytes(table), Output::Bytes(to)) => {
                    kernels.lookup(table, &self.bytes(step.from, memory)[..to.len()], to);
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

    /// One row of one channel after the other, as planes of floats are read best.
    fn quantize(&self, step: &Quantize, memory: &Memory, to: &mut [u8], scratch: &mut Scratch) {
        let from = self.floats(step.from, memory);
        let [batch, height, width, channels] = self.program.kind(step.to).shape;
        let [over_batch, over_height, over_width, over_channels] = step.strides;
        let kernels = self.program.kernels;
        if over_channels == 1 && step.strides == dense_strides([batch, height, width, channels]) {
            return kernels.quantize(&from[..to.len()], step.scale, step.zero, to);
        }
        if channels == 3 && over_width == 1 {
            return self.quantize_planes(step, from, to, &mut scratch.bytes);
        }
        let Scratch { bytes, floats: row, .. } = scratch;
        bytes.resize(width, 0);
        row.resize(width, 0.0);
        for (image, to) in to.chunks_exact_mut(height * width * channels).enumerate() {
            for (line, to) in to.chunks_exact_mut(width * channels).enumerate() {
                for channel in 0..channels {
                    let start = image * over_batch + line * over_height + channel * over_channels;
                    let values = if over_width == 1 {
                        &from[start..start + width]
                    } else {
                        for (x, value) in row.iter_mut().enumerate() {
                            *value = from[start + x * over_width];
                        }
                        &*row
                    };
                    kernels.quantize(values, step.scale, step.zero, bytes);
                    for (to, &byte) in to[channel..].iter_mut().step_by(channels).zip(&*bytes) {
                        *to = byte;
                    }
                }
            }
        }
    }

    /// Three planes of rows, as pictures come.
    fn quantize_planes(&self, step: &Quantize, from: &[f32], to: &mut [u8], scratch: &mut Vec<u8>) {
        let [_, height, width, _] = self.program.kind(step.to).shape;
        let [over_batch, over_height, _, over_channels] = step.strides;
        let kernels = self.program.kernels;
        scratch.resize(3 * width, 0);
        for (line, to) in to.chunks_exact_mut(width * 3).enumerate() {
            let start = line / height * over_batch + line % height * over_height;
            for (channel, bytes) in scratch.chunks_exact_mut(width).enumerate() {
                kernels.quantize(&from[start + channel * over_channels..][..width], step.scale, step.zero, bytes);
            }
            let (first, rest) = scratch.split_at(width);
            let (second, third) = rest.split_at(width);
            kernels.interleave([first, second, third], to);
        }
    }

    /// Two tensors to one, of which either may have one element along an axis for all of the other's.
    fn combine(
        &self,
        from: [TensorId; 2],
        result: TensorId,
        memory: &Memory,
        (to, scratch): (&mut [u8], &mut Vec<u8>),
        operation: impl Fn(&[u8], &[u8], &mut [u8]),
    ) {
        let [a, b] = from.map(|id| self.bytes(id, memory));
        let [a_shape, b_shape] = from.map(|id| self.program.kind(id).shape);
        let [batch, height, width, channels] = self.program.kind(result).shape;
        if a_shape == b_shape {
            return operation(&a[..to.len()], &b[..to.len()], to);
        }
        let at = |shape: [usize; 4], index: [usize; 3]| {
            let strides = dense_strides(shape);
            (0..3).map(|axis| if shape[axis] == 1 { 0 } else { index[axis] * strides[axis] }).sum::<usize>()
        };
        scratch.resize(2 * channels, 0);
        let (left, right) = scratch.split_at_mut(channels);
        let places = (0..batch).flat_map(|n| (0..height).flat_map(move |y| (0..width).map(move |x| [n, y, x])));
        for (index, to) in places.zip(to.chunks_exact_mut(channels)) {
            let a = channels_at(&a[at(a_shape, index)..], a_shape[3], left);
            let b = channels_at(&b[at(b_shape, index)..], b_shape[3], right);
            operation(a, b, to);
        }
    }

    fn pool(&self, step: &Pool, from: &[u8], to: &mut Output<'_>, sums: &mut Vec<i32>) {
        let [_, in_height, in_width, channels] = self.program.kind(step.from).shape;
        let [batch, height, width, _] = self.program.kind(step.to).shape;
        sums.resize(channels, 0);
        for n in 0..batch {
            let image = &from[n * in_height * in_width * channels..][..in_height * in_width * channels];
            for y in 0..height {
                for x in 0..width {
                    let at = ((n * height + y) * width + x) * channels;
                    let window = WindowAt::new(&step.window, y, x, in_height, in_width);
                    match &step.kind {
                        PoolKind::Greatest => {
                            let Output::Bytes(to) = to else { unreachable!("the greatest byte is a byte") };
                            window.greatest(image, in_width, &mut to[at..at + channels]);
                        }
                        PoolKind::Mean { zero, scale, divisor, with_padding, result } => {
                            let inside = window.sum(self.program.kernels, image, in_width, *zero, sums);
                            let count = if *with_padding { step.window.kernel.iter().product() } else { inside };
                            mean(sums, scale / (divisor * count as f32), result, to, at);
                        }
                    }
                }
            }
        }
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

/// The part of a picture that a window lies over.
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

    /// Adds up the bytes less their zero point, for each channel, and counts the pixels.
    fn sum(&self, kernels: &dyn Kernels, image: &[u8], width: usize, zero: u8, sums: &mut [i32]) -> usize {
        sums.fill(0);
        let ((y, down, mut rows), (x, across, columns)) = (self.rows, self.columns);
        let channels = sums.len();
        let count = rows * columns;
        if (columns, across, down) == (width, 1, 1) {
            kernels.sum(&image[y * width * channels..], channels, rows * columns, sums);
            rows = 0;
        }
        for row in (y..).step_by(down).take(rows) {
            kernels.sum(&image[(row * width + x) * channels..], across * channels, columns, sums);
        }
        for sum in sums.iter_mut() {
            *sum -= count as i32 * i32::from(zero);
        }
        count
    }
}

fn mean(sums: &[i32], multiplier: f32, result: &Rounding, to: &mut Output<'_>, at: usize) {
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
