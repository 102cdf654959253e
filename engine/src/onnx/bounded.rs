//! tract's operators, bounded in the memory that they ask for.
//!
//! While tract infers shapes it computes what depends on constants alone, and looks at the size of a result once that is made.
//! So each operator of a graph is put into one that infers the shapes of its results first, and refuses those that are too large.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::Message;
use tract_onnx::pb::ModelProto;
#[allow(clippy::wildcard_imports, reason = "tract's own prelude for writing operators")]
use tract_onnx::tract_hir::internal::*;

use super::names::node_name;
use super::panics::ours;
use crate::program::MAX_TENSOR_BYTES;

/// The most axes of a tensor: tract takes time that grows fast with them.
const MAX_AXES: usize = 16;

/// What tract may compute of constants, in bytes, beside eight times what the graph has: weights that are dequantized have
/// four times their bytes.
const MAX_COMPUTED: usize = 1 << 26;
const COMPUTED_OF_EACH: usize = 8;

/// Why an operator is refused.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Bounds all operators of a model that tract made of this one.
pub(crate) fn bound(model: &mut InferenceModel, of: &ModelProto) {
    let left = of.encoded_len().saturating_mul(COMPUTED_OF_EACH).saturating_add(MAX_COMPUTED).min(MAX_TENSOR_BYTES);
    let left = Arc::new(AtomicUsize::new(left));
    let nodes = of.graph.iter().flat_map(|graph| &graph.node);
    let operators: HashMap<&str, &str> = nodes.map(|node| (node_name(node), node.op_type.as_str())).collect();
    // Sources and constants have no inputs, and tract looks for them by their types.
    for node in model.nodes_mut().iter_mut().filter(|node| !node.inputs.is_empty()) {
        let place = match operators.get(node.name.as_str()) {
            Some(operator) => format!("operator {operator} at node \"{}\"", node.name),
            None => format!("node \"{}\"", node.name),
        };
        node.op = Box::new(Bounded { op: node.op.clone(), place, computed: 0, left: Arc::clone(&left) });
    }
}

#[derive(Debug, Clone)]
struct Bounded {
    op: Box<dyn InferenceOp>,
    /// What it is in the graph.
    place: String,
    /// How many bytes it has taken from those that may be computed of constants.
    computed: usize,
    /// What is left of them for all operators together.
    left: Arc<AtomicUsize>,
}

impl Bounded {
    /// Checks results, as far as their shapes are known. `constants` is how many numbers the operator is given where all of them
    /// are constants, and stands for lengths that depend on these.
    fn check(&mut self, results: &[InferenceFact], constants: Option<usize>) -> TractResult<()> {
        let mut all = 0_usize;
        for fact in results {
            let axes = fact.shape.rank().concretize().unwrap_or(0);
            if axes > MAX_AXES as i64 {
                return self.refuse(format!("a tensor of {axes} axes; at most {MAX_AXES} are served"));
            }
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
        Err(Refused(format!("{} makes {what}", self.place)).into())
    }
}

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

type Inferred = (TVec<InferenceFact>, TVec<InferenceFact>, TVec<InferenceFact>);

impl InferenceOp for Bounded {
    fn infer(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<Inferred> {
        let inferred = self.infer_facts(inputs.clone(), outputs.clone(), observed.clone())?;
        let values: Option<Vec<_>> = inferred.0.iter().map(|fact| fact.value.concretize()).collect();
        let constants = values.map(|values| values.iter().map(|value| value.len()).sum());
        ours(|| self.check(&inferred.1, constants))?;
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
