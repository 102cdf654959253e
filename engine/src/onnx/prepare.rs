//! Compiles a graph to a prepared model. `prepared/` has the model and its file format.

use super::head::FoundHead;
use super::{Graph, build};
use crate::guard::guarded;
use crate::prepared::{Prepared, PreparedHead};
use crate::program::{Program, Step};
use crate::{Error, Result, Signature};

impl Prepared {
    /// Prepares a graph for one signature. The prepared model keeps the graph's hash and metadata.
    ///
    /// # Errors
    /// Those of [`Engine::build`](crate::Engine::build); [`Error::Unsupported`] names the operator, the node and the
    /// reason where the graph as a whole is not one program.
    pub fn of(graph: Graph, signature: &Signature) -> Result<Prepared> {
        guarded("import", || {
            let (sha256, metadata) = (graph.digest(), graph.all_metadata());
            let endings: Vec<_> = signature.outputs.iter().map(|name| graph.ending(name)).collect();
            let heads = signature.outputs.iter().map(|name| graph.found_head(name)).collect::<Result<Vec<_>>>()?;
            let program = build::program(graph, signature)?;
            let heads = heads.into_iter().map(|head| prepared_head(head?, &program)).collect();
            let prepared = Prepared::of_program(program, sha256, metadata, signature, endings, heads);
            prepared.map_err(|what| Error::Unsupported(format!("the graph can't be prepared: {what}")))
        })
    }
}

/// The head of a graph as one of its program: the step that has its weights.
///
/// # Errors
/// No step has them.
fn prepared_head(found: FoundHead, program: &Program) -> Result<PreparedHead, String> {
    let integers = found.integers.ok_or("its weights are not quantized")?;
    let has_weights = |step: &Step| match step {
        Step::Convolution(step) => step.window.kernel == [1, 1] && step.groups == 1 && step.weights == integers.weights,
        _ => false,
    };
    let labels = |step: &Step| matches!(step, Step::Convolution(step) if step.bias.len() == integers.scales.len());
    let step = program.steps.iter().position(|step| has_weights(step) && labels(step));
    Ok(PreparedHead {
        features: found.head.features,
        pooled: found.head.pooled,
        initializer: found.head.initializer,
        step: step.ok_or("no step has its weights")?,
        scales: integers.scales,
        bias: found.head.bias,
    })
}
