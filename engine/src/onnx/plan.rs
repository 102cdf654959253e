//! A graph that tract runs, with its partitions as programs. `build.rs` imports the graph and makes the plan.

use std::sync::Arc;

use tract_linalg::multithread::Executor;
use tract_onnx::prelude::{DatumType, IntoTValue, TValue, Tensor as TractTensor, TypedModel, tvec};
use tract_onnx::tract_core::internal::TypedRunnableModel;
use tract_onnx::tract_core::runtime::RunOptions;

use super::bounded::Refused;
use super::lower::Unlowered;
use super::partition::PackedPartition;
use crate::executable::Executable;
use crate::tensor::{Data, Tensor};
use crate::{Error, Result};

/// A graph that is ready to run on tract.
#[derive(Debug)]
pub(crate) struct Plan {
    runnable: Arc<TypedRunnableModel>,
    /// Why the graph is not one program.
    pub(crate) reason: String,
    /// The partitions that are programs.
    pub(crate) partitions: Vec<Arc<Executable>>,
    /// The fallback nodes that could not be lowered. Empty where the graph has no partitions, although tract then runs
    /// all nodes.
    pub(crate) unlowered: Vec<Unlowered>,
}

impl Plan {
    /// Plans the run of an optimized graph, whose float operators use so many threads.
    ///
    /// # Errors
    /// As [`rejected`], where tract cannot plan the run.
    pub(super) fn new(
        optimized: TypedModel,
        threads: usize,
        partitions: Vec<PackedPartition>,
        reason: String,
        unlowered: Vec<Unlowered>,
    ) -> Result<Plan> {
        let options = RunOptions { executor: executor(threads), ..RunOptions::default() };
        let runnable = TypedRunnableModel::new_with_options(optimized, &options).map_err(|error| rejected(&error))?;
        let partitions = partitions.into_iter().map(|partition| partition.executable).collect();
        Ok(Plan { runnable, reason, partitions, unlowered })
    }

    /// Runs the graph once. Gives the outputs as float32, in the graph's order.
    ///
    /// # Errors
    /// [`Error::Tensor`] where the input's type is not the graph's; [`Error::Unsupported`] where tract cannot run the
    /// graph.
    pub(crate) fn run(&self, input: &Tensor) -> Result<Vec<Tensor>> {
        let input = to_tract(input)?;
        let wanted = self.runnable.model().input_fact(0).map_err(|error| rejected(&error))?.datum_type;
        if input.datum_type() != wanted {
            let given = input.datum_type();
            return Err(Error::Tensor(format!(
                "the input is of another type than the graph's: {given:?}, not {wanted:?}"
            )));
        }
        let outputs = self.runnable.run(tvec!(input)).map_err(|error| run_failed(&error))?;
        outputs.iter().map(from_tract).collect()
    }
}

/// tract's own thread pool for operators in float; none where they run on the caller's thread alone. Programs use the
/// engine's pool instead.
fn executor(threads: usize) -> Option<Executor> {
    #[cfg(feature = "float-threads")]
    return (threads > 1).then(|| Executor::multithread_with_name(threads, "bedside"));
    #[cfg(not(feature = "float-threads"))]
    {
        let _ = threads;
        None
    }
}

/// Checks that an output's type is floating point.
///
/// # Errors
/// [`Error::Unsupported`] names the type.
pub(super) fn check_float(element: DatumType) -> Result<()> {
    if matches!(element, DatumType::F32 | DatumType::F16 | DatumType::F64) {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "the output is {element:?}, not floating point; choose the output that gives scores"
    )))
}

fn to_tract(tensor: &Tensor) -> Result<TValue> {
    let tensor = match tensor.data() {
        Data::F32(values) => TractTensor::from_shape(tensor.shape(), values),
        Data::U8(values) => TractTensor::from_shape(tensor.shape(), values),
    };
    Ok(tensor.map_err(|error| Error::Internal(chain(&error)))?.into_tvalue())
}

fn from_tract(value: &TValue) -> Result<Tensor> {
    check_float(value.datum_type())?;
    let failed = |error| Error::Internal(chain(&error));
    let floats = value.cast_to::<f32>().map_err(failed)?;
    let values = floats.try_as_plain_ram().and_then(|view| view.as_slice::<f32>()).map_err(failed)?.to_vec();
    Tensor::f32(value.shape().to_vec(), values)
}

/// The error for a graph that tract could not import: [`Error::TooLarge`] where [`Refused`] is the cause, otherwise
/// [`Error::Unsupported`].
pub(super) fn rejected(error: &tract_onnx::prelude::TractError) -> Error {
    if let Some(refused) = error.root_cause().downcast_ref::<Refused>() {
        return Error::TooLarge(refused.to_string());
    }
    Error::Unsupported(format!("the graph can't be served: {}", chain(error)))
}

/// The error for a graph that tract imported and could not run, because its shapes or types contradict each other. It
/// has tract's outermost message alone, which names the node: the causes quote values of tensors, which are private.
fn run_failed(error: &tract_onnx::prelude::TractError) -> Error {
    Error::Unsupported(format!(
        "the graph can't be run: {}; export the model again",
        error.to_string().replace('\n', " ")
    ))
}

/// An error with its causes, on one line.
fn chain(error: &tract_onnx::prelude::TractError) -> String {
    error.chain().map(|cause| cause.to_string().replace('\n', " ")).collect::<Vec<_>>().join(": ")
}
