//! A graph imported, optimised for one input shape, and run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tract_linalg::multithread::Executor;
use tract_onnx::model::ParseResult;
use tract_onnx::prelude::{Datum, DatumType, InferenceModelExt, IntoTValue, TValue, Tensor as TractTensor, tvec};
use tract_onnx::tract_core::internal::TypedRunnableModel;
use tract_onnx::tract_core::runtime::RunOptions;

use crate::tensor::{Data, Tensor};
use crate::{Error, Graph, Result, operators};

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
    plan: Arc<TypedRunnableModel>,
    shape: Vec<usize>,
    times: BuildTimes,
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
    /// Imports and optimises `graph`, to be run on `threads` threads (at least 1).
    ///
    /// # Errors
    /// [`Error::Unsupported`] names the operator, node or tensor that is not served; [`Error::Malformed`] where the
    /// graph contradicts itself.
    pub fn build(graph: Graph, signature: &Signature, threads: usize) -> Result<Engine> {
        guarded("import", move || Engine::build_unguarded(graph, signature, threads))
    }

    fn build_unguarded(graph: Graph, signature: &Signature, threads: usize) -> Result<Engine> {
        let start = Instant::now();
        let typed = import(graph, signature)?;
        let imported = Instant::now();
        let optimized = typed.into_optimized().map_err(|error| rejected(&error))?;
        let executor = (threads > 1).then(|| Executor::multithread_with_name(threads, "bedside"));
        let options = RunOptions { executor, ..RunOptions::default() };
        let plan = TypedRunnableModel::new_with_options(optimized, &options).map_err(|error| rejected(&error))?;
        let times = BuildTimes { import: imported - start, optimize: imported.elapsed() };
        Ok(Engine { plan, shape: signature.shape.clone(), times })
    }

    /// Runs the graph once.
    ///
    /// # Errors
    /// [`Error::Tensor`] where `input` is not of the shape that the engine was built for or an output is not made of
    /// numbers that scores can be; [`Error::Internal`] where tract fails.
    pub fn run(&self, input: &Tensor) -> Result<Vec<Tensor>> {
        if input.shape() != self.shape {
            return Err(Error::Tensor(format!("input of shape {:?}, built for {:?}", input.shape(), self.shape)));
        }
        guarded("run", || {
            let input = to_tract(input)?;
            let outputs = self.plan.run(tvec!(input)).map_err(|error| Error::Internal(chain(&error)))?;
            outputs.iter().map(from_tract).collect()
        })
    }

    /// How long building took.
    #[must_use]
    pub fn times(&self) -> BuildTimes {
        self.times
    }
}

/// The graph in tract's typed form, with the signature's shape and outputs.
pub(crate) fn import(mut graph: Graph, signature: &Signature) -> Result<tract_onnx::prelude::TypedModel> {
    let framework = tract_onnx::onnx().with_ignore_value_info(true);
    operators::check(graph.proto(), &framework.op_register)?;
    graph.fix_input_shape(&signature.input, &signature.shape)?;
    select_outputs(&mut graph, &signature.outputs)?;
    let ParseResult { model, unresolved_inputs, .. } =
        framework.parse(graph.model(), None).map_err(|error| rejected(&error))?;
    if !unresolved_inputs.is_empty() {
        let names = unresolved_inputs.join(", ");
        return Err(Error::Malformed(format!(
            "no node and no input gives the tensors {names}; export the model again"
        )));
    }
    // The proto holds a second copy of all weights.
    drop(graph);
    model.into_typed().map_err(|error| rejected(&error))
}

/// Makes `names` the graph's outputs, without the shapes that the exporter declared for another batch.
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

fn to_tract(tensor: &Tensor) -> Result<TValue> {
    let made = match tensor.data() {
        Data::F32(values) => TractTensor::from_shape(tensor.shape(), values),
        Data::U8(values) => TractTensor::from_shape(tensor.shape(), values),
    };
    Ok(made.map_err(|error| Error::Internal(chain(&error)))?.into_tvalue())
}

fn from_tract(value: &TValue) -> Result<Tensor> {
    if !matches!(value.datum_type(), DatumType::F32 | DatumType::F16 | DatumType::F64) {
        return Err(Error::Unsupported(format!(
            "the output is {:?}, not floating point; choose the output that gives scores",
            value.datum_type()
        )));
    }
    let failed = |error| Error::Internal(chain(&error));
    let floats = value.cast_to::<f32>().map_err(failed)?;
    let values = floats.try_as_plain_ram().and_then(|view| view.as_slice::<f32>()).map_err(failed)?.to_vec();
    debug_assert_eq!(floats.datum_type(), f32::datum_type());
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
