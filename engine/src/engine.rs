//! The engine: a graph that runs as one program, or in tract with programs as its quantized partitions. It leaves the
//! import to `onnx/`, and packing and running a program to `executable/`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::executable::{Description, Executable, InputView};
use crate::guard::guarded;
use crate::kernels::{self, Kernels};
#[cfg(feature = "onnx")]
use crate::onnx::{Built, Graph, TappedPlan, Unlowered, build};
use crate::program::Program;
use crate::tensor::Tensor;
use crate::threads::Threads;
use crate::{Error, ModelFile, Pixels, Prepared, Result, Signature};

/// A graph that is built for one input shape and ready to run.
///
/// It can run on several threads at once: all methods that run it take `&self`.
#[derive(Debug)]
pub struct Engine {
    runner: Runner,
    /// The shape of the input.
    shape: Vec<usize>,
    output_shapes: Vec<Vec<usize>>,
    /// The shape of what is returned of each tap.
    tap_shapes: Vec<Vec<usize>>,
    times: BuildTimes,
}

/// What runs a graph.
#[derive(Debug)]
pub(crate) enum Runner {
    /// One program: a graph that is quantized from end to end.
    Program(Executable),
    /// tract, for any other graph.
    #[cfg(feature = "onnx")]
    Tract(TappedPlan),
}

/// The input of a run.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// The input tensor.
    Tensor(&'a Tensor),
    /// Pixels in its place, as for [`Engine::run_pixels`].
    Pixels(Pixels<'a>),
}

/// What a run with taps returns. [`Engine::run_into`] uses its memory again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tapped {
    /// The outputs, as [`Engine::run`] returns them.
    pub outputs: Vec<Tensor>,
    /// The taps of the selection, in its order.
    pub taps: Vec<Tensor>,
}

impl Tapped {
    /// Sets all values to zero. Shapes and memory stay.
    pub fn wipe(&mut self) {
        self.outputs.iter_mut().chain(&mut self.taps).for_each(Tensor::wipe);
    }
}

/// The wall-clock times of the two phases of building an engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuildTimes {
    /// From the decoded file to a program, or to tract's typed operators. Zero for a prepared model.
    pub import: Duration,
    /// From there to what runs: packing the program, or tract's optimizations.
    pub optimize: Duration,
}

impl Engine {
    /// Builds an engine from a model file of either kind, for the input and the outputs of `signature`.
    ///
    /// A run uses up to `threads` threads, the caller's among them; 0 counts as 1. Programs use no more threads than
    /// the machine has processors. Results do not depend on the number.
    ///
    /// # Errors
    /// As [`Engine::prepared`] and `Engine::build`.
    pub fn load(file: ModelFile, signature: &Signature, threads: usize) -> Result<Engine> {
        match file {
            ModelFile::Prepared(prepared) => Engine::prepared(*prepared, signature, threads),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => Engine::build(*graph, signature, threads),
        }
    }

    /// Builds an engine from a prepared model. `threads` is as for [`Engine::load`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the model was prepared for another input or shape or without an output of
    /// `signature`, and where the environment variable `BEDSIDE_KERNEL` names kernels that this processor does not
    /// have; [`Error::Tap`] where it was prepared without a tap of `signature`; [`Error::TooLarge`] where the outputs of `signature` are more than 4096, or its outputs and taps take the program
    /// beyond 1 GiB;
    /// [`Error::Internal`] where this crate panics.
    pub fn prepared(prepared: Prepared, signature: &Signature, threads: usize) -> Result<Engine> {
        // Without kernels for this processor the portable ones run it: a prepared model can't fall back to tract.
        let kernels = kernels::chosen()?.unwrap_or_else(kernels::portable);
        guarded("load", move || Engine::prepared_for(kernels, prepared, signature, threads))
    }

    /// As [`Engine::prepared`], with these kernels.
    pub(crate) fn prepared_for(
        kernels: &'static dyn Kernels,
        prepared: Prepared,
        signature: &Signature,
        threads: usize,
    ) -> Result<Engine> {
        let program = prepared.program(signature)?;
        Ok(Engine::of_program(&program, kernels, signature, threads, Duration::ZERO))
    }

    /// Builds an engine by packing a program. `import` is the time in which the program was made.
    pub(crate) fn of_program(
        program: &Program,
        kernels: &'static dyn Kernels,
        signature: &Signature,
        threads: usize,
        import: Duration,
    ) -> Engine {
        let start = Instant::now();
        let output_shapes = program.outputs.iter().map(|(_, shape)| shape.clone()).collect();
        let tap_shapes = program.taps.iter().map(|tap| tap.returned_shape().to_vec()).collect();
        let runner = Runner::Program(Executable::new(program, kernels, Threads::new(threads)));
        let times = BuildTimes { import, optimize: start.elapsed() };
        Engine { runner, shape: signature.shape.clone(), output_shapes, tap_shapes, times }
    }

    /// Builds an engine from an ONNX graph, for the input and the outputs of `signature`. `threads` is as for
    /// [`Engine::load`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] names the operator, node, input or output that is not supported, or kernels that the
    /// environment variable `BEDSIDE_KERNEL` names and this processor does not have; [`Error::Tap`] names a tap that is not served; [`Error::Malformed`] where the
    /// graph contradicts itself; [`Error::TooLarge`] where it exceeds a limit of memory, work or size
    /// (`docs/limits.md`); [`Error::Internal`] where this crate panics.
    #[cfg(feature = "onnx")]
    pub fn build(graph: Graph, signature: &Signature, threads: usize) -> Result<Engine> {
        let kernels = kernels::chosen()?;
        guarded("import", move || Engine::build_for(kernels, graph, signature, threads))
    }

    /// As [`Engine::build`], with these kernels. None, which [`kernels::chosen`] gives where there are only the
    /// portable ones, leaves the whole graph to tract.
    #[cfg(feature = "onnx")]
    pub(crate) fn build_for(
        kernels: Option<&'static dyn Kernels>,
        graph: Graph,
        signature: &Signature,
        threads: usize,
    ) -> Result<Engine> {
        let start = Instant::now();
        match build(kernels, graph, signature, threads)? {
            (Built::Program(program, kernels), import) => {
                Ok(Engine::of_program(&program, kernels, signature, threads, import))
            }
            (Built::Plan(plan), import) => {
                let times = BuildTimes { import, optimize: start.elapsed().saturating_sub(import) };
                let (output_shapes, tap_shapes) = plan.shapes();
                Ok(Engine {
                    runner: Runner::Tract(plan),
                    shape: signature.shape.clone(),
                    output_shapes,
                    tap_shapes,
                    times,
                })
            }
        }
    }

    /// Runs the graph once and returns the outputs of the signature, in its order, as floats, with the shapes of
    /// [`Engine::output_shapes`].
    ///
    /// # Errors
    /// [`Error::Tensor`] where `input` has another shape or element type than the engine was built for;
    /// [`Error::Unsupported`] where tract can't run the graph or an output is not floating point; [`Error::Internal`]
    /// where this crate or tract panics.
    pub fn run(&self, input: &Tensor) -> Result<Vec<Tensor>> {
        self.run_cancellable(&AtomicBool::new(false), input)
    }

    /// As [`Engine::run`], with cancellation from another thread. `cancelled` is read when the run begins, and, where
    /// the graph is one program, before each step.
    ///
    /// # Errors
    /// As [`Engine::run`]; [`Error::Cancelled`] where `cancelled` was found set.
    pub fn run_cancellable(&self, cancelled: &AtomicBool, input: &Tensor) -> Result<Vec<Tensor>> {
        self.run_tapped(cancelled, Input::Tensor(input), &[]).map(|run| run.outputs)
    }

    /// As [`Engine::run_cancellable`], with the pixels of an image in place of the input tensor. The outputs are those of
    /// [`Engine::run`] with the tensor that the pixels stand for.
    ///
    /// # Errors
    /// As [`Engine::run_cancellable`]; [`Error::Tensor`] where the number of channels is 0 or not that of the tables in
    /// `values`.
    pub fn run_pixels(&self, cancelled: &AtomicBool, pixels: &Pixels<'_>) -> Result<Vec<Tensor>> {
        self.run_tapped(cancelled, Input::Pixels(*pixels), &[]).map(|run| run.outputs)
    }

    /// As [`Engine::run_cancellable`] or [`Engine::run_pixels`]; computes some of the signature's taps too. `selection`
    /// has their indices in the signature; taps that it does not name take no time. The outputs are the same to the bit
    /// whatever the signature's taps and the selection are.
    ///
    /// Where tract runs the graph, a selection may make it run twice (`docs/engine.md`, "Taps").
    ///
    /// # Errors
    /// As [`Engine::run_cancellable`] and [`Engine::run_pixels`]; [`Error::Tensor`] where the signature has no tap of an
    /// index of `selection`.
    pub fn run_tapped(&self, cancelled: &AtomicBool, input: Input<'_>, selection: &[usize]) -> Result<Tapped> {
        let mut results = Tapped::default();
        self.run_into(cancelled, input, selection, &mut results)?;
        Ok(results)
    }

    /// As [`Engine::run_tapped`]; writes the outputs and the taps to `results`, whose memory it uses again. Where the
    /// graph is one program and `results` are those of a run with the same selection, a run allocates nothing, but for
    /// what `docs/engine.md` names. Where it fails, what `results` hold is unspecified.
    ///
    /// # Errors
    /// As [`Engine::run_tapped`].
    pub fn run_into(
        &self,
        cancelled: &AtomicBool,
        input: Input<'_>,
        selection: &[usize],
        results: &mut Tapped,
    ) -> Result<()> {
        if let Some(&index) = selection.iter().find(|&&index| index >= self.tap_shapes.len()) {
            let taps = self.tap_shapes.len();
            return Err(Error::Tensor(format!("there is no tap {index}; the engine was built for {taps}")));
        }
        match input {
            Input::Tensor(tensor) => self.run_tensor(cancelled, tensor, selection, results),
            Input::Pixels(pixels) => {
                let tables = pixels.values.map_or(pixels.channels, <[_]>::len);
                if pixels.channels == 0 || tables != pixels.channels {
                    let channels = pixels.channels;
                    return Err(Error::Tensor(format!("pixels of {channels} channels, with tables for {tables}")));
                }
                self.run_any_pixels(cancelled, &pixels, selection, results)
            }
        }
    }

    /// As [`Engine::run_into`], of pixels with as many tables as channels.
    #[allow(clippy::match_wildcard_for_single_variants, reason = "builds without `onnx` have one kind of runner")]
    fn run_any_pixels(
        &self,
        cancelled: &AtomicBool,
        pixels: &Pixels<'_>,
        selection: &[usize],
        results: &mut Tapped,
    ) -> Result<()> {
        match &self.runner {
            Runner::Program(program) if program.accepts(pixels) => {
                let input = [InputView::Pixels(*pixels)];
                guarded("run", || program.run_into(&input, selection, cancelled, results, || {}))
            }
            _ => self.run_tensor(cancelled, &pixels.tensor(self.shape.clone())?, selection, results),
        }
    }

    /// As [`Engine::run_into`], of a tensor.
    fn run_tensor(
        &self,
        cancelled: &AtomicBool,
        input: &Tensor,
        selection: &[usize],
        results: &mut Tapped,
    ) -> Result<()> {
        if cancelled.load(Ordering::Acquire) {
            return Err(Error::Cancelled);
        }
        if input.shape() != self.shape {
            return Err(Error::Tensor(format!("input of shape {:?}, built for {:?}", input.shape(), self.shape)));
        }
        guarded("run", || match &self.runner {
            Runner::Program(program) => program.run_into(&[InputView::of(input)], selection, cancelled, results, || {}),
            #[cfg(feature = "onnx")]
            Runner::Tract(plan) => {
                *results = plan.run(input, selection)?;
                Ok(())
            }
        })
    }

    /// The name of the kernels, and a description of each step, in the order in which they run, of a graph that is one
    /// program.
    ///
    /// # Errors
    /// The reason why the graph is not one program, so that tract runs it.
    pub fn steps(&self) -> Result<(&'static str, &[Description]), &str> {
        match &self.runner {
            Runner::Program(program) => Ok((program.kernels(), program.descriptions())),
            #[cfg(feature = "onnx")]
            Runner::Tract(tapped) => Err(&tapped.plan.reason),
        }
    }

    /// The parts of a graph that is not one program: its quantized partitions, each as the descriptions of its steps,
    /// and the fallback nodes, which tract runs in floats. Both are empty where the graph is one program or no part of
    /// it is quantized.
    #[cfg(feature = "onnx")]
    #[must_use]
    pub fn partitions(&self) -> (Vec<&[Description]>, &[Unlowered]) {
        match &self.runner {
            Runner::Program(_) => (vec![], &[]),
            Runner::Tract(TappedPlan { plan, .. }) => {
                (plan.partitions.iter().map(|partition| partition.descriptions()).collect(), &plan.unlowered)
            }
        }
    }

    /// Runs the graph once and returns the wall-clock time of each step, in the order of [`Engine::steps`].
    ///
    /// # Errors
    /// As [`Engine::run`]; [`Error::Unsupported`] where the graph is not one program.
    pub fn profile(&self, input: &Tensor) -> Result<Vec<Duration>> {
        guarded("run", || match &self.runner {
            Runner::Program(program) => timed(program, input),
            #[cfg(feature = "onnx")]
            Runner::Tract(_) => {
                Err(Error::Unsupported("the graph is left to tract, which has no steps to tell apart".into()))
            }
        })
    }

    /// The shape of each output, in the order in which [`Engine::run`] returns them.
    #[must_use]
    pub fn output_shapes(&self) -> &[Vec<usize>] {
        &self.output_shapes
    }

    /// The shape of what a run returns of each tap, in the order of the signature.
    #[must_use]
    pub fn tap_shapes(&self) -> &[Vec<usize>] {
        &self.tap_shapes
    }

    /// The times that building the engine took.
    #[must_use]
    pub fn times(&self) -> BuildTimes {
        self.times
    }
}

/// Runs a program once and returns the time of each step. The first includes the preparation of the run.
fn timed(program: &Executable, input: &Tensor) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(program.descriptions().len());
    let mut last = Instant::now();
    program.run(&[InputView::of(input)], &AtomicBool::new(false), || {
        let now = Instant::now();
        times.push(now - last);
        last = now;
    })?;
    Ok(times)
}
