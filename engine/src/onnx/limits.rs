//! Limits on the size of a graph, so that a small file cannot take long to open (`docs/decisions/0019-opening.md`).
//!
//! They hold before tract sees the graph. `build.rs` limits the nodes that tract gets, `bounded.rs` what it computes
//! from constants, and `program/check.rs` the programs.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, TensorProto};

use crate::onnx::names::node_name;
use crate::{Error, Result};

/// The maximum number of nodes of a graph, whether they are lowered or not. A quantized DenseNet-201 has some 3,500.
pub(crate) const MAX_NODES: usize = 1 << 14;

/// The maximum number of inputs, and of outputs, of a node. The longest concatenation of a DenseNet-264 has 64 inputs.
const MAX_INPUTS: usize = 1 << 10;

/// The maximum number of inputs of all nodes together: eight for each of [`MAX_NODES`].
const MAX_TOTAL_INPUTS: usize = 1 << 17;

/// The maximum length of a tensor's name, in bytes. A name is bounded because each step of a program keeps one.
const MAX_NAME_BYTES: usize = 1 << 11;

/// Checks the number of nodes, the numbers of their inputs and outputs, and the lengths of tensor names.
///
/// # Errors
/// [`Error::TooLarge`] where a number is above its limit.
pub(crate) fn check_counts(graph: &GraphProto) -> Result<()> {
    let too_large = |what: String| Err(Error::TooLarge(format!("the graph is too large: {what} are served")));
    if graph.node.len() > MAX_NODES {
        return too_large(format!("it has {} nodes; at most {MAX_NODES}", graph.node.len()));
    }
    if let Some(node) = graph.node.iter().find(|node| node.input.len().max(node.output.len()) > MAX_INPUTS) {
        let (inputs, outputs) = (node.input.len(), node.output.len());
        return too_large(format!(
            "operator {} at node \"{}\" has {inputs} inputs and {outputs} outputs; at most {MAX_INPUTS} of each",
            node.op_type,
            node_name(node)
        ));
    }
    let all = graph.node.iter().map(|node| node.input.len()).sum::<usize>();
    if all > MAX_TOTAL_INPUTS {
        return too_large(format!("its nodes have {all} inputs; at most {MAX_TOTAL_INPUTS} in all"));
    }
    let names = graph.node.iter().flat_map(|node| node.output.iter().chain(&node.input));
    match names.chain(graph.input.iter().map(|info| &info.name)).find(|name| name.len() > MAX_NAME_BYTES) {
        Some(name) => too_large(format!("a tensor's name has {} bytes; at most {MAX_NAME_BYTES}", name.len())),
        None => Ok(()),
    }
}

/// How many bytes of constants all nodes together may read, beside four times the bytes of all constants. A float
/// weight that is quantized and dequantized in the graph is read three times: by both nodes, and by the operator behind
/// them.
const MAX_READ_AGAIN: u64 = 1 << 24;

/// Checks how many bytes of constants the nodes read together. Each node keeps its own packed copy of the weights that
/// it reads, so a small file whose nodes all read one large constant would take a lot of memory. A node's result
/// counts as a constant only where the node follows the producers of its inputs, as ONNX requires.
///
/// # Errors
/// [`Error::TooLarge`] names the node.
pub(crate) fn check_constant_reads(graph: &GraphProto) -> Result<()> {
    let mut sizes: HashMap<&str, u64> = constants(graph).map(|(name, tensor)| (name, bytes(tensor))).collect();
    let all = sizes.values().fold(0, |all: u64, size| all.saturating_add(*size));
    let mut read = 0_u64;
    for node in &graph.node {
        let inputs: Vec<Option<u64>> = node.input.iter().map(|name| sizes.get(name.as_str()).copied()).collect();
        let sum = inputs.iter().flatten().fold(0, |sum: u64, size| sum.saturating_add(*size));
        read = read.saturating_add(sum);
        if read > all.saturating_mul(4).saturating_add(MAX_READ_AGAIN) {
            return Err(Error::TooLarge(format!(
                "by operator {} at node \"{}\", nodes have read the same constants too often; export the model with \
                 weights of its own for each layer",
                node.op_type,
                node_name(node)
            )));
        }
        // The result of a node that reads constants alone is a constant too. Its size is not known here, and that of
        // all inputs stands for it.
        if let (Some(output), true) = (node.output.first(), !inputs.is_empty() && inputs.iter().all(Option::is_some)) {
            sizes.insert(output, sum);
        }
    }
    Ok(())
}

/// The constant tensors of a graph, with their names: initializers, and the tensor attributes of nodes by the name of
/// the node's first output.
pub(crate) fn constants(graph: &GraphProto) -> impl Iterator<Item = (&str, &TensorProto)> {
    let made = graph.node.iter().filter_map(|node| {
        Some((node.output.first()?.as_str(), node.attribute.iter().find_map(|attribute| attribute.t.as_ref())?))
    });
    graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).chain(made)
}

/// The number of bytes of a constant's values, in whichever field of the `TensorProto` they are.
pub(crate) fn bytes(tensor: &TensorProto) -> u64 {
    let words = tensor.float_data.len() + tensor.int32_data.len();
    let long_words = tensor.int64_data.len() + tensor.double_data.len() + tensor.uint64_data.len();
    (tensor.raw_data.len() + 4 * words + 8 * long_words) as u64
}
