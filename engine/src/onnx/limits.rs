//! How much a graph may hold, so that no small file keeps whoever opens it busy (`docs/decisions/0019-opening.md`).

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, TensorProto};

use crate::onnx::names::node_name;
use crate::{Error, Result};

/// The most nodes of a graph: a quantized DenseNet-201 has some 3,500.
pub(crate) const MAX_NODES: usize = 1 << 14;

/// The most inputs or outputs of a node: the longest concatenation of a DenseNet-264 has 64.
const MAX_INPUTS: usize = 1 << 10;

/// The most inputs of all nodes together: as many as those of the most nodes with eight each.
const MAX_INPUTS_IN_ALL: usize = 1 << 17;

/// The longest name of a tensor, in bytes: each step keeps one.
const LONGEST_NAME: usize = 1 << 11;

/// Checks the number of a graph's nodes, of what each reads, and the lengths of names.
///
/// # Errors
/// [`Error::TooLarge`].
pub(crate) fn check_counts(graph: &GraphProto) -> Result<()> {
    let many = |what: String| Err(Error::TooLarge(format!("the graph is too large: {what} are served")));
    if graph.node.len() > MAX_NODES {
        return many(format!("it has {} nodes; at most {MAX_NODES}", graph.node.len()));
    }
    if let Some(node) = graph.node.iter().find(|node| node.input.len().max(node.output.len()) > MAX_INPUTS) {
        let (inputs, outputs) = (node.input.len(), node.output.len());
        return many(format!(
            "operator {} at node \"{}\" has {inputs} inputs and {outputs} outputs; at most {MAX_INPUTS} of each",
            node.op_type,
            node_name(node)
        ));
    }
    let all = graph.node.iter().map(|node| node.input.len()).sum::<usize>();
    if all > MAX_INPUTS_IN_ALL {
        return many(format!("its nodes have {all} inputs; at most {MAX_INPUTS_IN_ALL} in all"));
    }
    let names = graph.node.iter().flat_map(|node| node.output.iter().chain(&node.input));
    match names.chain(graph.input.iter().map(|info| &info.name)).find(|name| name.len() > LONGEST_NAME) {
        Some(name) => many(format!("a tensor's name has {} bytes; at most {LONGEST_NAME}", name.len())),
        None => Ok(()),
    }
}

/// What nodes read of constants together, in bytes, beyond a few times what all constants have.
const MAX_READ_AGAIN: u64 = 1 << 24;

/// Checks that constants are not read over and over: each node keeps the weights that it reads in a form of its own, and a small
/// file whose nodes all read the same large constant would take more memory than it has a right to.
///
/// # Errors
/// [`Error::TooLarge`] names the node.
pub(crate) fn check_readers(graph: &GraphProto) -> Result<()> {
    let mut sizes: HashMap<&str, u64> = constants(graph).map(|(name, tensor)| (name, bytes(tensor))).collect();
    let all = sizes.values().fold(0, |all: u64, size| all.saturating_add(*size));
    let mut read = 0_u64;
    for node in &graph.node {
        let inputs: Vec<Option<u64>> = node.input.iter().map(|name| sizes.get(name.as_str()).copied()).collect();
        let sum = inputs.iter().flatten().fold(0, |sum: u64, size| sum.saturating_add(*size));
        read = read.saturating_add(sum);
        if read > all.saturating_mul(4).saturating_add(MAX_READ_AGAIN) {
            return Err(Error::TooLarge(format!(
                "by operator {} at node \"{}\", nodes have read the same constants too often; export the model with weights \
                 of its own for each layer",
                node.op_type,
                node_name(node)
            )));
        }
        // What is computed from constants alone is one.
        if let (Some(output), true) = (node.output.first(), !inputs.is_empty() && inputs.iter().all(Option::is_some)) {
            sizes.insert(output, sum);
        }
    }
    Ok(())
}

/// The constants of a graph that are tensors, by their names.
pub(crate) fn constants(graph: &GraphProto) -> impl Iterator<Item = (&str, &TensorProto)> {
    let made = graph.node.iter().filter_map(|node| {
        Some((node.output.first()?.as_str(), node.attribute.iter().find_map(|attribute| attribute.t.as_ref())?))
    });
    graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).chain(made)
}

/// How many bytes the values of a constant have, wherever they stand.
pub(crate) fn bytes(tensor: &TensorProto) -> u64 {
    let words = tensor.float_data.len() + tensor.int32_data.len();
    let long_words = tensor.int64_data.len() + tensor.double_data.len() + tensor.uint64_data.len();
    (tensor.raw_data.len() + 4 * words + 8 * long_words) as u64
}
