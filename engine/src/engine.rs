//! A graph imported, optimised for one input shape, and run.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tract_linalg::multithread::Executor;
use tract_onnx::model::{Onnx, ParseResult};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::{DatumType, InferenceModelExt, IntoTValue, TValue, Tensor as TractTensor, TypedModel, tvec};
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_core::internal::TypedRunnableModel;
use tract_onnx::tract_core::runtime::RunOptions;
use tract_onnx::tract_hir::infer::Factoid;

use crate::constants::quantize_constants;
use crate::island::Packed;
use crate::kernels::Kernels;
use crate::lower::{Facts, Split, Unlowered, lower, partly};
use crate::program::{Description, Executable, Threads, View};
use crate::tensor::{Data, Tensor};
use crate::{Error, Graph, Result, halves, island, kernels, operators, qoperator, quantized};

/// The largest tensor that a graph may make, in bytes: an activation of the largest network served is a hundredth.
const MAX_TENSOR_BYTES: usize = 1 << 29;

/// What the engine is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The input's name.
    pub input: String,
    /// The input's shape, batch included.
    pub shape: Vec<usize>,
    /// The outputs wanted, in the order in which [`Engine::run`] gives them.
    pub outputs: Vec<String>,
}

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
enum Runner {
    /// A graph that is quantized from end to end.
    Program(Executable),
    Tract {
        plan: Arc<TypedRunnableModel>,
        /// Why it is not one program.
        reason: String,
        /// Those parts of it that are programs.
        islands: Vec<Arc<Executable>>,
        /// Those that are not, where it has both.
        floats: Vec<Unlowered>,
    },
}

/// How long the parts of [`Engine::build`] took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuildTimes {
    /// From the decoded file to typed operators.
    pub import: Duration,
    /// From those to the ones that run.
    pub optimize: Duration,
}

impl Engine {
    /// Imports and optimises `graph`, to be run on `threads` threads (at least 1), the caller's among them. Results do not
    /// depend on it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names the operator, node or tensor that is not served; [`Error::Malformed`] where the
    /// graph contradicts itself.
    pub fn build(graph: Graph, signature: &Signature, threads: usize) -> Result<Engine> {
        guarded("import", move || Engine::build_for(kernels::chosen(), graph, signature, threads))
    }

    /// Builds with these kernels, or with none.
    pub(crate) fn build_for(
        kernels: Option<&'static dyn Kernels>,
        graph: Graph,
        signature: &Signature,
        threads: usize,
    ) -> Result<Engine> {
        let start = Instant::now();
        let framework = framework();
        let mut graph = settled(graph, signature, &framework)?;
        let Some(kernels) = kernels else {
            let reason = "no integer kernels for this processor".to_owned();
            return Engine::with_tract(
                typed(graph, framework, &[])?,
                signature,
                threads,
                (start, vec![], reason, vec![]),
            );
        };
        let reason = match lower(graph.proto()) {
            Ok(program) => {
                let lowered = Instant::now();
                let output_shapes = program.outputs.iter().map(|(_, shape)| shape.clone()).collect();
                let executable = Executable::new(&program, kernels, Threads::new(threads));
                let times = BuildTimes { import: lowered - start, optimize: lowered.elapsed() };
                let runner = Runner::Program(executable);
                return Ok(Engine { runner, shape: signature.shape.clone(), output_shapes, times });
            }
            Err(unlowered) => unlowered.to_string(),
        };
        log::debug!("not one program: {reason}");
        let (islands, floats) = with_islands(&mut graph, &framework, kernels, threads)?;
        let typed = typed(graph, framework, &islands)?;
        Engine::with_tract(typed, signature, threads, (start, islands, reason, floats))
    }

    /// Leaves the graph to tract, but for its islands.
    fn with_tract(
        typed: TypedModel,
        signature: &Signature,
        threads: usize,
        (start, islands, reason, floats): (Instant, Vec<Packed>, String, Vec<Unlowered>),
    ) -> Result<Engine> {
        let imported = Instant::now();
        let shapes = output_shapes(&typed)?;
        let optimized = typed.into_optimized().map_err(|error| rejected(&error))?;
        let options = RunOptions { executor: executor(threads), ..RunOptions::default() };
        let plan = TypedRunnableModel::new_with_options(optimized, &options).map_err(|error| rejected(&error))?;
        let times = BuildTimes { import: imported - start, optimize: imported.elapsed() };
        let islands = islands.into_iter().map(|island| island.executable).collect();
        let runner = Runner::Tract { plan, reason, islands, floats };
        Ok(Engine { runner, shape: signature.shape.clone(), output_shapes: shapes, times })
    }

    /// Runs the graph once.
    ///
    /// # Errors
    /// [`Error::Tensor`] where `input` is not of the shape that the engine was built for or an output is not made of
    /// numbers that scores can be; [`Error::Internal`] where tract fails.
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
            Runner::Tract { plan, .. } => {
                let input = to_tract(input)?;
                let outputs = plan.run(tvec!(input)).map_err(|error| Error::Internal(chain(&error)))?;
                outputs.iter().map(from_tract).collect()
            }
        })
    }

    /// What is run in integers, step by step, and the kernels that run it.
    ///
    /// # Errors
    /// The reason why the graph is left to tract, which runs it in floats.
    pub fn steps(&self) -> std::result::Result<(&'static str, &[Description]), &str> {
        match &self.runner {
            Runner::Program(program) => Ok((program.kernels(), program.descriptions())),
            Runner::Tract { reason, .. } => Err(reason),
        }
    }

    /// Of a graph that is not one program: the islands of it that are, each with its steps, and the nodes that tract runs in
    /// floats. Both are empty where nothing of it is quantized.
    #[must_use]
    pub fn islands(&self) -> (Vec<&[Description]>, &[Unlowered]) {
        match &self.runner {
            Runner::Program(_) => (vec![], &[]),
            Runner::Tract { islands, floats, .. } => {
                (islands.iter().map(|island| island.descriptions()).collect(), floats)
            }
        }
    }

    /// Runs the graph once and gives the time of each of [`Engine::steps`].
    ///
    /// # Errors
    /// As [`Engine::run`]; [`Error::Unsupported`] where the graph is left to tract.
    pub fn profile(&self, input: &Tensor) -> Result<Vec<Duration>> {
        guarded("run", || {
            let Runner::Program(program) = &self.runner else {
                return Err(Error::Unsupported("the graph is left to tract, which has no steps to tell apart".into()));
            };
            let mut times = Vec::with_capacity(program.descriptions().len());
            let mut last = Instant::now();
            program.run(&[View::of(input)], &AtomicBool::new(false), || {
                let now = Instant::now();
                times.push(now - last);
                last = now;
            })?;
            Ok(times)
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

/// What runs the parts of a graph that stay in float, where it is not the caller's thread alone.
fn executor(threads: usize) -> Option<Executor> {
    #[cfg(feature = "float-threads")]
    return (threads > 1).then(|| Executor::multithread_with_name(threads, "bedside"));
    #[cfg(not(feature = "float-threads"))]
    {
        let _ = threads;
        None
    }
}

/// The graph in tract's typed form, with the signature's shape and outputs.
pub(crate) fn import(graph: Graph, signature: &Signature) -> Result<TypedModel> {
    let framework = framework();
    let graph = settled(graph, signature, &framework)?;
    typed(graph, framework, &[])
}

fn framework() -> Onnx {
    // Shapes that the exporter inferred or declared may be for another batch.
    tract_onnx::onnx().with_ignore_value_info(true).with_ignore_output_shapes(true)
}

/// The graph with the signature's shape and outputs, all of its operators served.
fn settled(mut graph: Graph, signature: &Signature, framework: &Onnx) -> Result<Graph> {
    halves::widen(graph.proto_mut());
    qoperator::spell_out(graph.proto_mut())?;
    quantize_constants(graph.proto_mut());
    operators::check(graph.proto(), &framework.op_register)?;
    graph.fix_input_shape(&signature.input, &signature.shape)?;
    select_outputs(&mut graph, &signature.outputs)?;
    graph.forget_symbols();
    graph.drop_trailing_inputs();
    Ok(graph)
}

/// Puts the quantized parts of a graph into islands. Gives these, and the nodes outside them.
fn with_islands(
    graph: &mut Graph,
    framework: &Onnx,
    kernels: &'static dyn Kernels,
    threads: usize,
) -> Result<(Vec<Packed>, Vec<Unlowered>)> {
    if !graph.proto().node.iter().any(|node| node.op_type == "QuantizeLinear") {
        return Ok((vec![], vec![]));
    }
    let facts = facts(graph, framework)?;
    let Some(Split { islands, rest, constants, floats }) = partly(graph.proto(), &facts) else {
        return Ok((vec![], vec![]));
    };
    let proto = graph.proto_mut();
    proto.node = rest;
    proto.node.extend(islands.iter().enumerate().map(|(number, made)| island::node(number, made)));
    let read: HashSet<String> = proto.node.iter().flat_map(|node| node.input.iter().cloned()).collect();
    // An initializer may be listed as an input too, which then has no value any more.
    let given: HashSet<String> = proto.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    proto.input.retain(|info| read.contains(&info.name) || !given.contains(&info.name));
    proto.initializer.retain(|tensor| read.contains(&tensor.name));
    proto.initializer.extend(constants);
    Ok((island::packed(islands, kernels, threads), floats))
}

/// The type and shape of every tensor, as tract infers them.
fn facts(graph: &Graph, framework: &Onnx) -> Result<Facts> {
    let ParseResult { mut model, outlets_by_name, .. } =
        framework.parse(graph.model(), None).map_err(|error| rejected(&error))?;
    model.analyse(false).map_err(|error| rejected(&error))?;
    let mut facts = Facts::new();
    for (name, outlet) in outlets_by_name {
        let Ok(fact) = model.outlet_fact(outlet) else { continue };
        let element = match fact.datum_type.concretize() {
            Some(DatumType::F32) => DataType::Float,
            Some(DatumType::U8) => DataType::Uint8,
            Some(DatumType::I8) => DataType::Int8,
            _ => continue,
        };
        let shape = fact.shape.concretize().and_then(|dims| dims.iter().map(|dim| dim.to_usize().ok()).collect());
        facts.extend(shape.map(|shape| (name, (element, shape))));
    }
    Ok(facts)
}

fn typed(mut graph: Graph, mut framework: Onnx, islands: &[Packed]) -> Result<TypedModel> {
    quantized::carry_integers(graph.proto_mut());
    quantized::register(&mut framework.op_register);
    island::register(&mut framework.op_register);
    let ParseResult { mut model, unresolved_inputs, .. } =
        framework.parse(graph.model(), None).map_err(|error| rejected(&error))?;
    island::settle(&mut model, islands);
    if !unresolved_inputs.is_empty() {
        let names = unresolved_inputs.join(", ");
        return Err(Error::Malformed(format!(
            "no node and no input gives the tensors {names}; export the model again"
        )));
    }
    // The proto holds a second copy of all weights.
    drop(graph);
    let typed = model.into_typed().map_err(|error| rejected(&error))?;
    check_sizes(&typed)?;
    Ok(typed)
}

/// Checks that no tensor of the graph asks for more than [`MAX_TENSOR_BYTES`], before any is made.
fn check_sizes(model: &TypedModel) -> Result<()> {
    for node in model.nodes() {
        for fact in node.outputs.iter().map(|outlet| &outlet.fact) {
            let Some(shape) = fact.shape.as_concrete() else { continue };
            let bytes = shape.iter().try_fold(fact.datum_type.size_of(), |n, &d| n.checked_mul(d));
            if bytes.is_none_or(|bytes| bytes > MAX_TENSOR_BYTES) {
                return Err(Error::TooLarge(format!(
                    "node \"{}\" makes a tensor of shape {shape:?}; at most {MAX_TENSOR_BYTES} bytes are allowed",
                    node.name
                )));
            }
        }
    }
    Ok(())
}

/// Makes `names` the graph's outputs.
fn select_outputs(graph: &mut Graph, names: &[String]) -> Result<()> {
    let proto = graph.proto_mut();
    let declared = std::mem::take(&mut proto.output);
    for name in names {
        let Some(info) = declared.iter().find(|info| &info.name == name) else {
            return Err(Error::Unsupported(format!("the graph has no output \"{name}\"")));
        };
        proto.output.push(info.clone());
    }
    Ok(())
}

/// The shape of each output, all of which must be floats of known shape.
fn output_shapes(model: &TypedModel) -> Result<Vec<Vec<usize>>> {
    let facts = model.outputs.iter().map(|&outlet| model.outlet_fact(outlet));
    facts
        .map(|fact| {
            let fact = fact.map_err(|error| rejected(&error))?;
            check_float(fact.datum_type)?;
            let shape = fact.shape.as_concrete().map(<[usize]>::to_vec);
            shape.ok_or_else(|| Error::Unsupported("an output's shape depends on what is in the picture".into()))
        })
        .collect()
}

fn check_float(element: DatumType) -> Result<()> {
    if matches!(element, DatumType::F32 | DatumType::F16 | DatumType::F64) {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "the output is {element:?}, not floating point; choose the output that gives scores"
    )))
}

fn to_tract(tensor: &Tensor) -> Result<TValue> {
    let made = match tensor.data() {
        Data::F32(values) => TractTensor::from_shape(tensor.shape(), values),
        Data::U8(values) => TractTensor::from_shape(tensor.shape(), values),
    };
    Ok(made.map_err(|error| Error::Internal(chain(&error)))?.into_tvalue())
}

fn from_tract(value: &TValue) -> Result<Tensor> {
    check_float(value.datum_type())?;
    let failed = |error| Error::Internal(chain(&error));
    let floats = value.cast_to::<f32>().map_err(failed)?;
    let values = floats.try_as_plain_ram().and_then(|view| view.as_slice::<f32>()).map_err(failed)?.to_vec();
    Tensor::f32(value.shape().to_vec(), values)
}

/// tract asserts its own invariants; a hostile graph that breaks one must not take the app down.
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(Error::Internal(format!("{what} panicked: {message}")))
    })
}

/// tract could not take the graph in.
pub(crate) fn rejected(error: &tract_onnx::prelude::TractError) -> Error {
    Error::Unsupported(format!("the graph can't be served: {}", chain(error)))
}

/// An error with its causes, on one line.
fn chain(error: &tract_onnx::prelude::TractError) -> String {
    error.chain().map(|cause| cause.to_string().replace('\n', " ")).collect::<Vec<_>>().join(": ")
}
