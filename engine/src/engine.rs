//! What runs: a program, or a graph that tract keeps a part of.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::executable::{Description, Executable, View};
use crate::guard::guarded;
use crate::kernels::{self, Kernels};
#[cfg(feature = "onnx")]
use crate::onnx::{Built, Graph, Plan, Unlowered, build};
use crate::program::Program;
use crate::tensor::Tensor;
use crate::threads::Threads;
use crate::{Error, ModelFile, Pixels, Prepared, Result, Signature};

/// A graph that is ready to run. Shared between threads by reference.
#[derive(Debug)]
pub struct Engine {
    runner: Runner,
    shape: Vec<usize>,
    output_shapes: Vec<Vec<usize>>,
    times: BuildTimes,
}

/// What runs a graph.
#[derive(Debug)]
pub(crate) enum Runner {
    /// A graph that is quantized from end to end.
    Program(Executable),
    /// Any other.
    #[cfg(feature = "onnx")]
    Tract(Plan),
}

/// How long the parts of opening an engine took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuildTimes {
    /// From the decoded file to typed operators.
    pub import: Duration,
    /// From those to the ones that run.
    pub optimize: Duration,
}

impl Engine {
    /// Makes an engine of what a file holds, to be run on `threads` threads (at least 1), the caller's among them. Results do
    /// not depend on it.
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

    /// Makes an engine of a prepared model, to be run on `threads` threads (at least 1).
    ///
    /// # Errors
    /// [`Error::Unsupported`] where it was prepared for another signature, and where `BEDSIDE_KERNEL` names kernels that this
    /// processor does not have; [`Error::TooLarge`] where the signature names outputs so often that all of them take more
    /// memory than those of networks.
    pub fn prepared(prepared: Prepared, signature: &Signature, threads: usize) -> Result<Engine> {
        // There is no tract to leave it to where the portable kernels are all there is.
        let kernels = kernels::chosen()?.unwrap_or_else(kernels::portable);
        guarded("load", move || Engine::prepared_for(kernels, prepared, signature, threads))
    }

    /// The same, with these kernels.
    pub(crate) fn prepared_for(
        kernels: &'static dyn Kernels,
        prepared: Prepared,
        signature: &Signature,
        threads: usize,
    ) -> Result<Engine> {
        let program = prepared.program(signature)?;
        Ok(Engine::of_program(&program, kernels, signature, threads, Duration::ZERO))
    }

    /// Packs a program. `import` is how long it took to make.
    pub(crate) fn of_program(
        program: &Program,
        kernels: &'static dyn Kernels,
        signature: &Signature,
        threads: usize,
        import: Duration,
    ) -> Engine {
        let start = Instant::now();
        let output_shapes = program.outputs.iter().map(|(_, shape)| shape.clone()).collect();
        let runner = Runner::Program(Executable::new(program, kernels, Threads::new(threads)));
        let times = BuildTimes { import, optimize: start.elapsed() };
        Engine { runner, shape: signature.shape.clone(), output_shapes, times }
    }

    /// Imports and optimises `graph`, to be run on `threads` threads (at least 1), the caller's among them. Results do not
    /// depend on it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names the operator, node or tensor that is not served, or kernels that `BEDSIDE_KERNEL` names
    /// and this processor does not have; [`Error::Malformed`] where the graph contradicts itself.
    #[cfg(feature = "onnx")]
    pub fn build(graph: Graph, signature: &Signature, threads: usize) -> Result<Engine> {
        let kernels = kernels::chosen()?;
        guarded("import", move || Engine::build_for(kernels, graph, signature, threads))
    }

    /// Builds with these kernels, or with none.
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
            (Built::Plan(plan, output_shapes), import) => {
                let times = BuildTimes { import, optimize: start.elapsed().saturating_sub(import) };
                Ok(Engine { runner: Runner::Tract(plan), shape: signature.shape.clone(), output_shapes, times })
            }
        }
    }

    /// Runs the graph once.
    ///
    /// # Errors
    /// [`Error::Tensor`] where `input` is not of the shape or type that the engine was built for or an output is not made of
    /// numbers that scores can be; [`Error::Unsupported`] where tract finds only now that the graph contradicts itself.
    pub fn run(&self, input: &Tensor) -> Result<Vec<Tensor>> {
        self.run_unless(&AtomicBool::new(false), input)
    }

    /// The same, unless `cancelled` is set meanwhile. A graph that is a program looks at it before each step, others when
    /// they begin.
    ///
    /// # Errors
    /// As [`Engine::run`]; [`Error::Cancelled`].
    pub fn run_unless(&self, cancelled: &AtomicBool, input: &Tensor) -> Result<Vec<Tensor>> {
        if cancelled.load(Ordering::Acquire) {
            return Err(Error::Cancelled);
        }
        if input.shape() != self.shape {
            return Err(Error::Tensor(format!("input of shape {:?}, built for {:?}", input.shape(), self.shape)));
        }
        guarded("run", || match &self.runner {
            Runner::Program(program) => program.run(&[View::of(input)], cancelled, || {}),
            #[cfg(feature = "onnx")]
            Runner::Tract(plan) => plan.run(input),
        })
    }

    /// The same with the bytes of a picture in place of a tensor.
    ///
    /// # Errors
    /// As [`Engine::run_unless`]; [`Error::Tensor`] where there is no channel or there are not `values` for each.
    #[allow(clippy::match_wildcard_for_single_variants, reason = "builds without `onnx` have one kind of runner")]
    pub fn run_pixels(&self, cancelled: &AtomicBool, pixels: &Pixels<'_>) -> Result<Vec<Tensor>> {
        let tables = pixels.values.map_or(pixels.channels, <[_]>::len);
        if pixels.channels == 0 || tables != pixels.channels {
            return Err(Error::Tensor(format!("pixels of {} channels, with tables for {tables}", pixels.channels)));
        }
        match &self.runner {
            Runner::Program(program) if program.takes(pixels) => {
                guarded("run", || program.run(&[View::Pixels(*pixels)], cancelled, || {}))
            }
            _ => self.run_unless(cancelled, &pixels.tensor(self.shape.clone())?),
        }
    }

    /// What is run in integers, step by step, and the kernels that run it.
    ///
    /// # Errors
    /// The reason why the graph is left to tract, which runs it in floats.
    pub fn steps(&self) -> Result<(&'static str, &[Description]), &str> {
        match &self.runner {
            Runner::Program(program) => Ok((program.kernels(), program.descriptions())),
            #[cfg(feature = "onnx")]
            Runner::Tract(plan) => Err(&plan.reason),
        }
    }

    /// Of a graph that is not one program: the islands of it that are, each with its steps, and the nodes that tract runs in
    /// floats. Both are empty where nothing of it is quantized.
    #[cfg(feature = "onnx")]
    #[must_use]
    pub fn partitions(&self) -> (Vec<&[Description]>, &[Unlowered]) {
        match &self.runner {
            Runner::Program(_) => (vec![], &[]),
            Runner::Tract(plan) => {
                (plan.partitions.iter().map(|partition| partition.descriptions()).collect(), &plan.floats)
            }
        }
    }

    /// Runs the graph once and gives the time of each of [`Engine::steps`].
    ///
    /// # Errors
    /// As [`Engine::run`]; [`Error::Unsupported`] where the graph is left to tract.
    pub fn profile(&self, input: &Tensor) -> Result<Vec<Duration>> {
        guarded("run", || match &self.runner {
            Runner::Program(program) => timed(program, input),
            #[cfg(feature = "onnx")]
            Runner::Tract(_) => {
                Err(Error::Unsupported("the graph is left to tract, which has no steps to tell apart".into()))
            }
        })
    }

    /// The shape of each output.
    #[must_use]
    pub fn output_shapes(&self) -> &[Vec<usize>] {
        &self.output_shapes
    }

    /// How long building took.
    #[must_use]
    pub fn times(&self) -> BuildTimes {
        self.times
    }
}

/// How long each step of a program takes.
fn timed(program: &Executable, input: &Tensor) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(program.descriptions().len());
    let mut last = Instant::now();
    program.run(&[View::of(input)], &AtomicBool::new(false), || {
        let now = Instant::now();
        times.push(now - last);
        last = now;
    })?;
    Ok(times)
}
