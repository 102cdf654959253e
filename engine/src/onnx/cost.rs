//! Counts the multiply-adds of a graph, in tract's typed form of it. Prepared models count their own.

use tract_onnx::tract_core::internal::{Cost, ToDim, TractResult, TypedModel};
use tract_onnx::tract_core::ops::cnn::Conv;
use tract_onnx::tract_core::ops::einsum::EinSum;

use super::build::decluttered;
use crate::guard::guarded;
use crate::{Error, Graph, Result, Signature};

/// The number of multiply-adds of all convolutions and matrix products in one run.
///
/// # Errors
/// As [`Engine::build`](crate::Engine::build).
pub fn multiply_adds(graph: Graph, signature: &Signature) -> Result<u64> {
    guarded("import", move || {
        count(&decluttered(graph, signature)?).map_err(|error| Error::Internal(error.to_string()))
    })
}

fn count(model: &TypedModel) -> TractResult<u64> {
    let mut total = 0.to_dim();
    for node in model.nodes().iter().filter(|node| node.op_is::<Conv>() || node.op_is::<EinSum>()) {
        let facts = model.node_input_facts(node.id)?;
        for (cost, amount) in node.op.cost(&facts)? {
            if matches!(cost, Cost::FMA(_)) {
                total += amount;
            }
        }
    }
    Ok(total.to_i64()?.max(0) as u64)
}
