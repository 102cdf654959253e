//! Bounds on the memory that tract's operators ask for.
//!
//! While tract infers shapes, it computes all results that depend on constants alone, and checks the size of a result
//! only after it has computed it. So each operator of a graph is wrapped in [`Bounded`], which infers the shapes of the
//! results first and refuses results that are too large.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::Message;
use tract_onnx::pb::ModelProto;
#[allow(clippy::wildcard_imports, reason = "tract's own prelude for writing operators")]
use tract_onnx::tract_hir::internal::*;

use super::names::node_name;
use super::panics::engine_code;
use crate::program::MAX_TENSOR_BYTES;

/// The maximum number of axes of a tensor that an operator makes: the time that tract takes grows fast with it.
const MAX_AXES: usize = 16;

/// The budget for results that tract computes from constants alone, in bytes: this constant, and
/// `COMPUTED_PER_GRAPH_BYTE` for each byte of the graph, but at most [`MAX_TENSOR_BYTES`]. Weights that are dequantized
/// have four times their bytes, and a second result of that size, such as their transposition, may follow.
const MAX_COMPUTED: usize = 1 << 26;
const COMPUTED_PER_GRAPH_BYTE: usize = 8;

/// The error of an operator that [`Bounded`] refuses: what it would make, and where in the graph it is.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Wraps all operators of `model`, which tract made from `proto`, in [`Bounded`].
pub(crate) fn bound(model: &mut InferenceModel, proto: &ModelProto) {
    let budget = proto.encoded_len().saturating_mul(COMPUTED_PER_GRAPH_BYTE);
    let left = Arc::new(AtomicUsize::new(budget.saturating_add(MAX_COMPUTED).min(MAX_TENSOR_BYTES)));
    let nodes = proto.graph.iter().flat_map(|graph| &graph.node);
    let operators: HashMap<&str, &str> = nodes.map(|node| (node_name(node), node.op_type.as_str())).collect();
    // Sources and constants have no inputs, and tract looks for them by their types.
    for node in model.nodes_mut().iter_mut().filter(|node| !node.inputs.is_empty()) {
        let location = match operators.get(node.name.as_str()) {
            Some(operator) => format!("operator {operator} at node \"{}\"", node.name),
            None => format!("node \"{}\"", node.name),
        };
        node.op = Box::new(Bounded { op: node.op.clone(), location, computed: 0, left: Arc::clone(&left) });
    }
}

/// An operator of tract, with checks of the size of its results before they are computed.
#[derive(Debug, Clone)]
struct Bounded {
    op: Box<dyn InferenceOp>,
    /// The operator and the node of the graph, for messages.
    location: String,
    /// How many bytes of the budget for results from constants this operator has used. tract infers an operator more
    /// than once, and its results count once.
    computed: usize,
    /// How many bytes of the budget remain for all operators together.
    left: Arc<AtomicUsize>,
}

impl Bounded {
    /// Checks the sizes of results whose shapes are known. Where all inputs are constants, `constants` is the number of
    /// their elements; it stands for lengths that depend on their values.
    ///
    /// # Errors
    /// [`Refused`], where a result has too many axes or bytes, or the budget for results from constants is used up.
    fn check(&mut self, results: &[InferenceFact], constants: Option<usize>) -> TractResult<()> {
        let mut all = 0_usize;
        for fact in results {
            let axes = fact.shape.rank().concretize().unwrap_or(0);
            if axes > MAX_AXES as i64 {
                return self.refuse(format!("a tensor of {axes} axes; at most {MAX_AXES} are served"));
            }
            // A type that is not known yet counts as the largest integers and floats.
            let element = fact.datum_type.concretize().map_or(8, |kind| kind.size_of());
            let length = |dim: &GenericFactoid<TDim>| match dim.concretize().map(|dim| dim.to_usize()) {
                Some(Ok(length)) => Some(length),
                _ => constants,
            };
            let lengths = fact.shape.dims().map(length).collect::<Option<Vec<usize>>>();
            let Some(lengths) = lengths else { continue };
            let bytes = lengths.iter().fold(element, |bytes, &length| bytes.saturating_mul(length));
            if bytes > MAX_TENSOR_BYTES {
                return self
                    .refuse(format!("a tensor of shape {lengths:?}; at most {MAX_TENSOR_BYTES} bytes are allowed"));
            }
            all = all.saturating_add(bytes);
        }
        let more = constants.map_or(0, |_| all.saturating_sub(self.computed));
        self.computed += more;
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more));
        match left {
            Ok(_) => Ok(()),
            Err(_) => self.refuse("more than is allowed for all that constants alone make".to_owned()),
        }
    }

    fn refuse(&self, what: String) -> TractResult<()> {
        Err(Refused(format!("{} makes {what}", self.location)).into())
    }
}

/// No two are equal, so that tract never merges two nodes whose operators have locations of their own.
impl PartialEq for Bounded {
    fn eq(&self, _: &Bounded) -> bool {
        false
    }
}

impl Eq for Bounded {}

impl Op for Bounded {
    fn name(&self) -> StaticName {
        self.op.name()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        self.op.info()
    }

    not_a_typed_op!();
}

impl EvalOp for Bounded {
    fn eval(&self, context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.op.eval(context, inputs)
    }

    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        self.op.eval_out_of_plan(inputs)
    }

    fn state(&self, context: &EvalContext<'_>) -> TractResult<Option<Box<dyn OpState>>> {
        self.op.state(context)
    }
}

/// The facts of the inputs, of the outputs, and of the outlets that the operator observes.
type Inferred = (TVec<InferenceFact>, TVec<InferenceFact>, TVec<InferenceFact>);

impl InferenceOp for Bounded {
    fn infer(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<Inferred> {
        // tract's `infer` is its `infer_facts`, followed by the computation of the results where all inputs are
        // constants.
        let inferred = self.infer_facts(inputs.clone(), outputs.clone(), observed.clone())?;
        let values: Option<Vec<_>> = inferred.0.iter().map(|fact| fact.value.concretize()).collect();
        let constants = values.map(|values| values.iter().map(|value| value.len()).sum());
        engine_code(|| self.check(&inferred.1, constants))?;
        if constants.is_some() { self.op.infer(inputs, outputs, observed) } else { Ok(inferred) }
    }

    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<Inferred> {
        self.op.infer_facts(inputs, outputs, observed)
    }

    fn observe_outlets(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Vec<OutletId>> {
        self.op.observe_outlets(model, node)
    }

    fn incorporate(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Option<InferenceModelPatch>> {
        self.op.incorporate(model, node)
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.op.nboutputs()
    }

    fn to_typed(
        &self,
        source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        self.op.to_typed(source, node, target, mapping)
    }

    as_op!();
}
