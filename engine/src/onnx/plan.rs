//! A graph that tract runs, with its partitions as programs. `build.rs` imports the graph and makes the plan.

use std::sync::Arc;

use tract_linalg::multithread::Executor;
use tract_onnx::prelude::{DatumType, IntoTValue, TValue, TVec, Tensor as TractTensor, TypedModel, tvec};
use tract_onnx::tract_core::internal::TypedRunnableModel;
use tract_onnx::tract_core::runtime::RunOptions;

use super::bounded::Refused;
use super::lower::{Unlowered, shape_reason};
use super::partition::PackedPartition;
use crate::executable::Executable;
use crate::signature::{Tap, TapKind};
use crate::tensor::{Data, Tensor};
use crate::{Error, Result, Tapped};

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
    /// The shape of each output.
    shapes: Vec<Vec<usize>>,
}

/// What runs a graph on tract for a signature with taps.
#[derive(Debug)]
pub(crate) struct TappedPlan {
    pub(crate) plan: Plan,
    /// A plan that gives the tapped tensors beside the outputs; none where `plan` does.
    ///
    /// With more outputs, tract may optimize a graph in other ways. So the outputs always come from a plan that
    /// computes them as the graph without taps does.
    with_taps: Option<Plan>,
    /// The number of outputs of the signature.
    outputs: usize,
    /// The taps, each with the index of its tensor among all outputs of the plan that gives it.
    taps: Vec<(usize, TapKind)>,
}

impl TappedPlan {
    /// Of a plan for a signature without taps.
    pub(super) fn without_taps(plan: Plan) -> TappedPlan {
        TappedPlan { outputs: plan.shapes.len(), plan, with_taps: None, taps: vec![] }
    }

    /// Of the plan of a graph without taps and of one with its taps among the outputs, and whether both compute the
    /// `outputs` outputs of the signature alike. `at` has the index among all outputs of each tap's tensor.
    ///
    /// # Errors
    /// [`Error::Tap`] names a tensor whose shape is not that of one image with channels.
    pub(super) fn new(
        (plan, with_taps, is_same): (Plan, Plan, bool),
        outputs: usize,
        taps: &[Tap],
        at: Vec<usize>,
    ) -> Result<TappedPlan> {
        for (tap, &at) in taps.iter().zip(&at) {
            if !matches!(with_taps.shapes[at][..], [1, _, ..]) {
                return Err(tap.refused(&shape_reason(&with_taps.shapes[at])));
            }
        }
        let taps = at.into_iter().zip(taps.iter().map(|tap| tap.kind)).collect();
        let (plan, with_taps) = if is_same { (with_taps, None) } else { (plan, Some(with_taps)) };
        Ok(TappedPlan { plan, with_taps, outputs, taps })
    }

    /// The shapes of the outputs, and of what is returned of each tap.
    pub(crate) fn shapes(&self) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
        let shapes = &self.with_taps.as_ref().unwrap_or(&self.plan).shapes;
        let returned = |&(at, kind): &(usize, TapKind)| match kind {
            TapKind::Values => shapes[at].clone(),
            TapKind::Means => shapes[at][..2].to_vec(),
        };
        (shapes[..self.outputs].to_vec(), self.taps.iter().map(returned).collect())
    }

    /// Runs the graph once, and gives the outputs and the taps at the indices of `selection`.
    ///
    /// # Errors
    /// As [`Plan::run`].
    pub(crate) fn run(&self, input: &Tensor, selection: &[usize]) -> Result<Tapped> {
        let ran = self.plan.run(input)?;
        let outputs = ran[..self.outputs].iter().map(from_tract).collect::<Result<_>>()?;
        if selection.is_empty() {
            return Ok(Tapped { outputs, taps: vec![] });
        }
        let ran = self.with_taps.as_ref().map_or(Ok(ran), |plan| plan.run(input))?;
        let tap = |&index: &usize| {
            let (at, kind) = self.taps[index];
            let values = from_tract(&ran[at])?;
            if kind == TapKind::Means { means(&values) } else { Ok(values) }
        };
        Ok(Tapped { outputs, taps: selection.iter().map(tap).collect::<Result<_>>()? })
    }
}

/// The mean of each channel of floats: the sum in f64, in the order of the elements, over their number, then as f32.
fn means(tensor: &Tensor) -> Result<Tensor> {
    let (shape, values) = (tensor.shape()[..2].to_vec(), tensor.as_f32().unwrap_or_default());
    let count = (values.len() / shape[1].max(1)).max(1);
    let mean = |values: &[f32]| (values.iter().fold(0.0, |sum, &value| sum + f64::from(value)) / count as f64) as f32;
    Tensor::f32(shape, values.chunks_exact(count).map(mean).collect())
}

impl Plan {
    /// Plans the run of an optimized graph, whose float operators use so many threads and whose outputs have these
    /// shapes.
    ///
    /// # Errors
    /// As [`rejected`], where tract cannot plan the run.
    pub(super) fn new(
        optimized: TypedModel,
        threads: usize,
        shapes: Vec<Vec<usize>>,
        (partitions, reason, unlowered): (Vec<PackedPartition>, String, Vec<Unlowered>),
    ) -> Result<Plan> {
        let options = RunOptions { executor: executor(threads), ..RunOptions::default() };
        let runnable = TypedRunnableModel::new_with_options(optimized, &options).map_err(|error| rejected(&error))?;
        let partitions = partitions.into_iter().map(|partition| partition.executable).collect();
        Ok(Plan { runnable, reason, partitions, unlowered, shapes })
    }

    /// The optimized graph.
    pub(super) fn model(&self) -> &TypedModel {
        self.runnable.model()
    }

    /// Runs the graph once. Gives the outputs in the graph's order.
    ///
    /// # Errors
    /// [`Error::Tensor`] where the input's type is not the graph's; [`Error::Unsupported`] where tract cannot run the
    /// graph.
    fn run(&self, input: &Tensor) -> Result<TVec<TValue>> {
        let input = to_tract(input)?;
        let wanted = self.runnable.model().input_fact(0).map_err(|error| rejected(&error))?.datum_type;
        if input.datum_type() != wanted {
            let given = input.datum_type();
            return Err(Error::Tensor(format!(
                "the input is of another type than the graph's: {given:?}, not {wanted:?}"
            )));
        }
        self.runnable.run(tvec!(input)).map_err(|error| run_failed(&error))
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
