//! Checks that a graph has only operators, types and attributes that are supported; the errors name those that are not.
//!
//! Supported means that tract can run it. `lower/` decides afterwards which operators run in integers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tract_onnx::model::OnnxOpRegister;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use crate::onnx::constants::Constants;
use crate::onnx::limits::{check_constant_reads, check_counts};
use crate::onnx::names::{QUANTIZATION, full_name, is_standard, node_name, standard_type};
use crate::onnx::qoperator;
use crate::tensor::ElementType;
use crate::{Error, Result};

/// Operators that tract has and that are refused here: the sizes of their results depend on values, or they make noise
/// or spectra. No image classifier needs them.
const UNSERVED: &[&str] = &[
    "Bernoulli",
    "BlackmanWindow",
    "ConstantLike",
    "DFT",
    "HammingWindow",
    "HannWindow",
    "MelWeightMatrix",
    "Multinomial",
    "NonMaxSuppression",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "STFT",
];

/// How many nodes of an operator an error names; it counts the others.
const NAMED: usize = 3;

/// Checks that every node of the graph is supported: its operator is in `register`, and its types and attributes are
/// supported too. Requires that [`check_domains`] has accepted the graph.
///
/// # Errors
/// [`Error::Unsupported`] names operators and nodes; [`Error::Malformed`] names the node whose attribute has a value
/// that its operator can't have; [`Error::TooLarge`] where nodes read too many bytes of constants.
pub(crate) fn check(graph: &GraphProto, register: &OnnxOpRegister) -> Result<()> {
    refuse(graph, |node| is_served(node, register))?;
    check_types(graph)?;
    check_quantization(graph)?;
    check_attributes(graph)?;
    check_constant_reads(graph)
}

/// Checks that every node's operator is of a supported domain. Code that knows operators by their type names alone
/// requires this check first, because an operator of another domain may have the type name of a standard one.
///
/// # Errors
/// [`Error::Unsupported`] names operators and nodes; [`Error::TooLarge`] where the graph is above a limit of
/// [`check_counts`].
pub(crate) fn check_domains(graph: &GraphProto) -> Result<()> {
    check_counts(graph)?;
    refuse(graph, |node| is_standard(node) || !standard_type(node).is_empty() || qoperator::is_qoperator(node))
}

/// Refuses a graph with nodes that are not served, and names them.
fn refuse(graph: &GraphProto, is_served: impl Fn(&NodeProto) -> bool) -> Result<()> {
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in graph.node.iter().filter(|node| !is_served(node)) {
        missing.entry(full_name(node)).or_default().push(node_name(node));
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::Unsupported(describe(&missing))) }
}

/// Whether tract registers the node's operator and this crate does not refuse it. `register` has type names alone.
fn is_served(node: &NodeProto, register: &OnnxOpRegister) -> bool {
    // Control flow has subgraphs in its attributes, which are not supported.
    let plain = node.attribute.iter().all(|a| a.g.is_none() && a.graphs.is_empty());
    plain && register.0.contains_key(&node.op_type) && !UNSERVED.contains(&node.op_type.as_str())
}

/// Removes the value input of each `Pad` whose mode is not constant. ONNX ignores that value, but tract would pad with
/// it.
pub(crate) fn forget_pad_values(graph: &mut GraphProto) {
    let is_constant = |node: &NodeProto| {
        node.attribute.iter().all(|attribute| attribute.name != "mode" || attribute.s == b"constant")
    };
    for node in graph.node.iter_mut().filter(|node| node.op_type == "Pad" && !is_constant(node)) {
        if let Some(value) = node.input.get_mut(2) {
            value.clear();
        }
        node.input.truncate(if node.input.len() == 3 { 2 } else { node.input.len() });
    }
}

/// Checks attributes whose values tract does not check, or does not compute with as ONNX defines them.
///
/// # Errors
/// [`Error::Malformed`] where an operator can't have such a value, [`Error::Unsupported`] where it is not served; each
/// names the node.
fn check_attributes(graph: &GraphProto) -> Result<()> {
    let constants = Constants::of(graph);
    for node in &graph.node {
        let attribute = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
        let location = || format!("operator {} at node \"{}\"", full_name(node), node_name(node));
        if let Some(order) = attribute("perm").filter(|_| node.op_type == "Transpose") {
            let mut axes = order.ints.clone();
            axes.sort_unstable();
            if !axes.iter().copied().eq(0..axes.len() as i64) {
                return Err(Error::Malformed(format!("{}: perm {:?} is no order of axes", location(), order.ints)));
            }
        }
        let lengths = ["kernel_shape", "strides", "dilations"].into_iter().filter_map(attribute);
        if let Some(wrong) = lengths.into_iter().find(|lengths| lengths.ints.iter().any(|&length| length < 1)) {
            return Err(Error::Malformed(format!("{}: {} {:?} must be positive", location(), wrong.name, wrong.ints)));
        }
        if node.op_type == "LRN" && attribute("size").is_none_or(|size| size.i < 1) {
            return Err(Error::Malformed(format!("{}: size must be positive", location())));
        }
        let pads = node.input.get(1).filter(|_| node.op_type == "Pad").and_then(|name| constants.int64s(name));
        if pads.is_some_and(|pads| pads.iter().any(|&pad| pad < 0)) {
            return Err(Error::Unsupported(format!("{}: negative pads are not supported; slice instead", location())));
        }
        // tract multiplies no part of a Celu by alpha.
        if node.op_type == "Celu" && attribute("alpha").is_some_and(|alpha| alpha.f.to_bits() != 1.0_f32.to_bits()) {
            return Err(Error::Unsupported(format!("{}: an alpha other than 1 is not supported", location())));
        }
    }
    Ok(())
}

/// Checks that no constant has a type that no kernel here supports: 16-bit integers, and the types from `FLOAT8E4M3FN`
/// on (8-bit floats, 4-bit integers).
fn check_types(graph: &GraphProto) -> Result<()> {
    let refused = |tensor: &&TensorProto| {
        let sixteen = [DataType::Int16, DataType::Uint16];
        sixteen.iter().any(|&t| t as i32 == tensor.data_type) || tensor.data_type >= DataType::Float8e4m3fn as i32
    };
    let constants = graph.node.iter().flat_map(|n| &n.attribute).filter_map(|a| a.t.as_ref());
    match graph.initializer.iter().chain(constants).find(refused) {
        None => Ok(()),
        Some(tensor) => Err(Error::Unsupported(format!(
            "tensor \"{}\" is {}, which is not supported; convert the model to float32 or int8",
            tensor.name,
            ElementType::Other(tensor.data_type)
        ))),
    }
}

/// Checks the attributes that newer operator sets added to quantizing operators, as tract ignores them: `output_dtype`
/// and `block_size` (opset 21). Where they are 0, the operator is that of older opsets.
fn check_quantization(graph: &GraphProto) -> Result<()> {
    let eight_bits = [DataType::Undefined, DataType::Uint8, DataType::Int8].map(|t| t as i64);
    for node in graph.node.iter().filter(|node| QUANTIZATION.contains(&node.op_type.as_str())) {
        for attribute in &node.attribute {
            let what = match attribute.name.as_str() {
                "output_dtype" if !eight_bits.contains(&attribute.i) => "makes other than 8-bit integers",
                "block_size" if attribute.i != 0 => "scales in blocks",
                _ => continue,
            };
            return Err(Error::Unsupported(format!(
                "operator {} at node \"{}\" {what}; quantize the model to 8 bits, per tensor or per channel",
                node.op_type,
                node_name(node)
            )));
        }
    }
    Ok(())
}

/// The message that names the operators that are not supported, with up to [`NAMED`] nodes of each.
fn describe(missing: &BTreeMap<String, Vec<&str>>) -> String {
    let mut message = String::new();
    for (operator, nodes) in missing {
        let named: Vec<String> = nodes.iter().take(NAMED).map(|name| format!("\"{name}\"")).collect();
        let more = nodes.len().saturating_sub(NAMED);
        let separator = if message.is_empty() { "" } else { "; " };
        let _ = write!(message, "{separator}operator {operator} at node {}", named.join(", "));
        if more > 0 {
            let _ = write!(message, " and {more} more");
        }
    }
    message + ": not supported; export the model without it"
}
