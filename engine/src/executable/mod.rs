//! Executables: programs that are packed for one set of kernels, and their runs.
//!
//! Each module of this folder runs the steps of one kind: it cuts a step into parts for threads, and leaves the inner
//! loops to the kernels. Throughout, a *line* is a row of pixels of an image, and a *row* is a row of a matrix product.

mod broadcast;
mod convolution;
mod description;
mod pooling;
mod quantize;
mod strided_copy;
mod taps;
#[cfg(test)]
pub(crate) mod tests;
mod work;
mod workspace;

use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use broadcast::combine;
use convolution::PackedConvolution;
pub use description::Description;
use pooling::pool_windows;
use quantize::{MAX_CHANNELS, quantize, quantize_pixels};
use strided_copy::strided_copy;
use taps::tapped;
use work::CACHE_LINE;
use workspace::{Buffer, Output, Scratch, Workspace};

use crate::engine::Tapped;
use crate::kernels::Kernels;
use crate::pixels::Pixels;
use crate::program::{
    Add, BufferPlan, Element, Fill, Lookup, Multiply, Pooling, Program, Quantize, Step, StridedCopy, Table, Tap,
    TensorId, TensorType,
};
use crate::tensor::{Data, Tensor};
use crate::threads::{Threads, processors};
use crate::{Error, Result};

/// A program that is packed and ready to run, from several threads at once.
///
/// It keeps the workspaces of past runs for later ones, at most as many as the machine has processors. A run that finds
/// a kept workspace allocates nothing, besides what kernels allocate themselves, where its caller gives results of a past
/// run.
#[derive(Debug)]
pub(crate) struct Executable {
    kernels: &'static dyn Kernels,
    threads: Threads,
    tensors: Vec<TensorType>,
    descriptions: Vec<Description>,
    steps: Vec<PackedStep>,
    buffers: BufferPlan,
    inputs: Vec<TensorId>,
    /// The index of the step that can take pixels in place of the input: the only step that reads it, a quantization.
    pixel_step: Option<usize>,
    outputs: Vec<(TensorId, Vec<usize>)>,
    /// The taps, each with the index of the last step that writes its tensor.
    taps: Vec<(usize, Tap)>,
    /// The workspaces that no run uses now.
    workspaces: Mutex<Vec<Workspace>>,
}

/// A step with its weights packed for the kernels.
#[derive(Debug)]
enum PackedStep {
    Quantize(Quantize),
    Convolution(PackedConvolution),
    Add(Add),
    Multiply(Multiply),
    Lookup(Lookup),
    Pooling(Pooling),
    StridedCopy(StridedCopy),
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
            PackedStep::Pooling(step) => step.to,
            PackedStep::StridedCopy(step) => step.to,
            PackedStep::Fill(step) => step.to,
        }
    }
}

impl Executable {
    /// Packs a program for these kernels. `threads` will run it: where output channels are divided among threads,
    /// weights are packed in a block for each part.
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
            Step::Pooling(step) => PackedStep::Pooling(step.clone()),
            Step::StridedCopy(step) => PackedStep::StridedCopy(step.clone()),
            Step::Fill(step) => PackedStep::Fill(step.clone()),
        };
        let steps = program.steps.iter().map(pack).collect();
        Executable {
            kernels,
            threads,
            tensors: program.tensors.clone(),
            descriptions: program.steps.iter().map(|step| Description::of(program, step)).collect(),
            steps,
            buffers: program.buffers().clone(),
            inputs: program.inputs.clone(),
            pixel_step: pixel_step(program),
            outputs: program.outputs.clone(),
            taps: program.taps.iter().map(|tap| (last_writer(program, tap.tensor), tap.clone())).collect(),
            workspaces: Mutex::default(),
        }
    }

    /// A description of each step, in the order in which they run.
    pub(crate) fn descriptions(&self) -> &[Description] {
        &self.descriptions
    }

    /// The name of the set of kernels that runs the steps.
    pub(crate) fn kernels(&self) -> &'static str {
        self.kernels.name()
    }

    /// Whether these pixels can be given in place of the input, as [`InputView::Pixels`]: a quantization alone reads
    /// the input, and its bytes are in the order of the pixels.
    pub(crate) fn accepts(&self, pixels: &Pixels<'_>) -> bool {
        let Some(PackedStep::Quantize(step)) = self.pixel_step.map(|at| &self.steps[at]) else { return false };
        let lie_as_read = pixels.are_in_order_of(self.kind(step.to).shape, step.strides);
        pixels.values.is_some() && pixels.channels <= MAX_CHANNELS && lie_as_read
    }

    /// Runs all steps once and writes the outputs, in the program's order, and the taps at the indices of `selection`, in
    /// its order, to `results`, whose memory it uses again. `done` is called after each step.
    ///
    /// # Errors
    /// [`Error::Tensor`] where `inputs` differ from the program's in number, element type or length;
    /// [`Error::Cancelled`] where `cancelled` is set before the last step begins. It is read before each step. What
    /// `results` hold then is unspecified.
    ///
    /// # Panics
    /// Where there is no tap at an index of `selection`.
    pub(crate) fn run_into(
        &self,
        inputs: &[InputView<'_>],
        selection: &[usize],
        cancelled: &AtomicBool,
        results: &mut Tapped,
        mut done: impl FnMut(),
    ) -> Result<()> {
        let run = Run { executable: self, inputs };
        run.check_inputs()?;
        results.outputs.resize_with(self.outputs.len(), Tensor::default);
        results.taps.resize_with(selection.len(), Tensor::default);
        let kept = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut workspace = kept.unwrap_or_else(|| Workspace::new(&self.buffers.lengths, self.threads.count()));
        run.copy_bytes(&mut workspace);
        let ran = run.steps(selection, cancelled, &mut workspace, results, &mut done);
        let mut workspaces = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        if workspaces.len() < processors() {
            workspaces.push(workspace);
        }
        ran
    }

    /// As [`Executable::run_into`] without taps; returns the outputs.
    ///
    /// # Errors
    /// As [`Executable::run_into`].
    pub(crate) fn run(
        &self,
        inputs: &[InputView<'_>],
        cancelled: &AtomicBool,
        done: impl FnMut(),
    ) -> Result<Vec<Tensor>> {
        let mut results = Tapped::default();
        self.run_into(inputs, &[], cancelled, &mut results, done)?;
        Ok(results.outputs)
    }

    /// The number of workspaces that are kept.
    #[cfg(test)]
    fn kept(&self) -> usize {
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn kind(&self, id: TensorId) -> &TensorType {
        &self.tensors[id.0]
    }
}

/// The index of the last step that writes a tensor.
fn last_writer(program: &Program, tensor: TensorId) -> usize {
    program.steps.iter().rposition(|step| step.output() == tensor).expect("the check finds a step for each tap")
}

/// The index of the step that quantizes the program's only input, unless another step reads it or it is an output.
fn pixel_step(program: &Program) -> Option<usize> {
    let [input] = program.inputs[..] else { return None };
    let mut readers = program.steps.iter().enumerate().filter(|(_, step)| step.inputs().contains(&input));
    let (Some((at, Step::Quantize(_))), None) = (readers.next(), readers.next()) else { return None };
    program.outputs.iter().all(|(output, _)| *output != input).then_some(at)
}

/// An input of a run: the elements of the tensor, in the graph's order, or pixels that the executable
/// [accepts](Executable::accepts).
#[derive(Debug, Clone, Copy)]
pub(crate) enum InputView<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [u8]),
    Pixels(Pixels<'a>),
}

impl<'a> InputView<'a> {
    pub(crate) fn of(tensor: &'a Tensor) -> InputView<'a> {
        match tensor.data() {
            Data::F32(values) => InputView::Floats(values),
            Data::U8(values) => InputView::Bytes(values),
        }
    }
}

/// One run of an executable.
struct Run<'a> {
    executable: &'a Executable,
    inputs: &'a [InputView<'a>],
}

impl Run<'_> {
    fn check_inputs(&self) -> Result<()> {
        let fits = |(&id, view): (&TensorId, &InputView<'_>)| {
            let kind = self.executable.kind(id);
            match (view, kind.element) {
                (InputView::Floats(values), Element::Float) => values.len() == kind.len(),
                (InputView::Bytes(values), Element::Byte) => values.len() == kind.len(),
                (InputView::Pixels(pixels), Element::Float) => self.executable.accepts(pixels),
                _ => false,
            }
        };
        let inputs = &self.executable.inputs;
        let all = inputs.len() == self.inputs.len() && inputs.iter().zip(self.inputs).all(fits);
        all.then_some(()).ok_or_else(|| Error::Tensor("the input is of another type than the graph's".into()))
    }

    /// Copies inputs of bytes into their buffers, which have the tail padding that kernels may read. Inputs of floats
    /// are read where they are.
    fn copy_bytes(&self, workspace: &mut Workspace) {
        for (id, view) in self.executable.inputs.iter().zip(self.inputs) {
            let buffer = &mut workspace.buffers[self.executable.buffers.buffer_of[id.0]];
            if let (InputView::Bytes(from), Buffer::Bytes(to)) = (view, buffer) {
                to[..from.len()].copy_from_slice(from);
            }
        }
    }

    /// Runs all steps, and copies the taps and the outputs.
    fn steps(
        &self,
        selection: &[usize],
        cancelled: &AtomicBool,
        workspace: &mut Workspace,
        results: &mut Tapped,
        done: &mut impl FnMut(),
    ) -> Result<()> {
        for (number, step) in self.executable.steps.iter().enumerate() {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            self.step(step, workspace);
            for (&index, to) in selection.iter().zip(&mut results.taps) {
                let (last, tap) = &self.executable.taps[index];
                if *last == number {
                    self.tap(tap, workspace, to)?;
                }
            }
            done();
        }
        for ((id, shape), to) in self.executable.outputs.iter().zip(&mut results.outputs) {
            self.output(*id, shape, workspace, to)?;
        }
        Ok(())
    }

    /// Runs one step.
    fn step(&self, step: &PackedStep, workspace: &mut Workspace) {
        let to = step.output();
        let buffer = self.executable.buffers.buffer_of[to.0];
        // The output is taken out of the workspace, so that the inputs can be borrowed from it. No step reads its
        // output.
        let mut target = take(&mut workspace.buffers[buffer]);
        let mut scratch = take(&mut workspace.scratch);
        let length = self.executable.kind(to).len();
        let output = match &mut target {
            Buffer::Bytes(bytes) => Output::Bytes(&mut bytes[..length]),
            Buffer::Floats(floats) => Output::Floats(&mut floats[..length]),
        };
        self.compute(step, workspace, output, &mut scratch);
        workspace.buffers[buffer] = target;
        workspace.scratch = scratch;
    }

    /// Computes the output of a step.
    fn compute(&self, step: &PackedStep, workspace: &Workspace, to: Output<'_>, scratch: &mut Scratch) {
        let Executable { kernels, threads, .. } = self.executable;
        let (kernels, bytes, shape) =
            (*kernels, |id| self.bytes(id, workspace), |id: TensorId| self.executable.kind(id).shape);
        match (step, to) {
            (PackedStep::Convolution(step), to) => step.run(bytes(step.from), to, threads, scratch),
            (PackedStep::Pooling(step), to) => {
                let (from, to) = ((shape(step.from), bytes(step.from)), (shape(step.to), to));
                pool_windows(step, from, to, (kernels, threads), scratch);
            }
            (PackedStep::Quantize(step), Output::Bytes(to)) => match self.inputs {
                [InputView::Pixels(pixels)] if self.executable.inputs == [step.from] => {
                    quantize_pixels(step, pixels, to, (kernels, threads), &mut scratch.per_thread);
                }
                _ => {
                    let (from, to) = (self.floats(step.from, workspace), (shape(step.to), to));
                    quantize(step, from, to, (kernels, threads), &mut scratch.per_thread);
                }
            },
            (PackedStep::Add(step), Output::Bytes(to)) => {
                let (from, to) = (step.from.map(|id| (bytes(id), shape(id))), (shape(step.to), to));
                let add = |a: &[u8], b: &[u8], to: &mut [u8]| kernels.add(&step.rule, a, b, to);
                combine(from, to, threads, &mut scratch.per_thread, add);
            }
            (PackedStep::Multiply(step), Output::Bytes(to)) => {
                let (from, to) = (step.from.map(|id| (bytes(id), shape(id))), (shape(step.to), to));
                let multiply = |a: &[u8], b: &[u8], to: &mut [u8]| kernels.multiply(&step.rule, a, b, to);
                combine(from, to, threads, &mut scratch.per_thread, multiply);
            }
            (PackedStep::Lookup(step), to) => match (&step.table, to) {
                (Table::Bytes(table), Output::Bytes(to)) => {
                    let from = bytes(step.from);
                    let threads = threads.for_work(to.len() as u64 * work::LOOKUP);
                    threads.for_each(threads.parts(to, CACHE_LINE), &mut scratch.per_thread, |(at, to), _| {
                        kernels.lookup(table, &from[at * CACHE_LINE..][..to.len()], to);
                    });
                }
                (Table::Floats(table), Output::Floats(to)) => {
                    for (to, &from) in to.iter_mut().zip(bytes(step.from)) {
                        *to = table[usize::from(from)];
                    }
                }
                _ => unreachable!("a table gives the elements of its output"),
            },
            (PackedStep::StridedCopy(step), Output::Bytes(to)) => strided_copy(step, bytes(step.from), to),
            (PackedStep::StridedCopy(step), Output::Floats(to)) => {
                strided_copy(step, self.floats(step.from, workspace), to);
            }
            (PackedStep::Fill(step), Output::Bytes(to)) => to.fill(step.value),
            _ => unreachable!("this step gives bytes"),
        }
    }

    /// The buffer of a tensor of bytes, which may be longer than the tensor.
    fn bytes<'w>(&'w self, id: TensorId, workspace: &'w Workspace) -> &'w [u8] {
        workspace.buffers[self.executable.buffers.buffer_of[id.0]].bytes()
    }

    /// The elements of a tensor of floats, which is an input or lies in a buffer that may be longer.
    fn floats<'w>(&'w self, id: TensorId, workspace: &'w Workspace) -> &'w [f32] {
        match self.executable.inputs.iter().zip(self.inputs).find(|(input, _)| **input == id) {
            Some((_, InputView::Floats(values))) => values,
            _ => workspace.buffers[self.executable.buffers.buffer_of[id.0]].floats(),
        }
    }

    /// Copies an output, with its shape in the graph.
    fn output(&self, id: TensorId, shape: &[usize], workspace: &Workspace, to: &mut Tensor) -> Result<()> {
        let length = self.executable.kind(id).len();
        match self.executable.kind(id).element {
            Element::Byte => to.set_u8(shape, &self.bytes(id, workspace)[..length]),
            Element::Float => {
                to.set_f32(shape, |values| values.extend_from_slice(&self.floats(id, workspace)[..length]))
            }
        }
    }

    /// Writes what is returned of a tap whose tensor is complete.
    fn tap(&self, tap: &Tap, workspace: &mut Workspace, to: &mut Tensor) -> Result<()> {
        let mut sums = take(&mut workspace.scratch.sums);
        let length = self.executable.kind(tap.tensor).len();
        let bytes = &self.bytes(tap.tensor, workspace)[..length];
        let written = tapped(tap, bytes, self.executable.kernels, &mut sums, to);
        workspace.scratch.sums = sums;
        written
    }
}
