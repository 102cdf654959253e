//! Which operators are served, and the error that names one that is not.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use tract_onnx::model::OnnxOpRegister;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use crate::onnx::constants::longs;
use crate::tensor::ElementType;
use crate::{Error, Result};

/// The operators of QDQ graphs. In ONNX Runtime's own domain they mean what the standard ones do.
const QUANTIZATION: &[&str] = &["QuantizeLinear", "DequantizeLinear"];

/// How many nodes an error names before it only counts them.
const NAMED: usize = 3;

/// Checks that `register` serves every node of the graph.
///
/// # Errors
/// [`Error::Unsupported`] names operators and nodes.
pub(crate) fn check(graph: &GraphProto, register: &OnnxOpRegister) -> Result<()> {
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in graph.node.iter().filter(|node| !is_served(node, register)) {
        missing.entry(full_name(node)).or_default().push(node_name(node));
    }
    if !missing.is_empty() {
        return Err(Error::Unsupported(describe(&missing)));
    }
    check_types(graph)?;
    check_quantization(graph)?;
    check_constant_shapes(graph)
}

/// The most elements that a shape written into the graph may ask for: 512 MiB of floats.
const MAX_ELEMENTS: u64 = 1 << 27;

/// tract makes tensors whose shape is a constant while it imports, before their size can be seen on its side.
fn check_constant_shapes(graph: &GraphProto) -> Result<()> {
    let constants: HashMap<&str, &TensorProto> = graph
        .initializer
        .iter()
        .map(|t| (t.name.as_str(), t))
        .chain(graph.node.iter().filter_map(|n| Some((n.output.first()?.as_str(), n.attribute.first()?.t.as_ref()?))))
        .collect();
    for node in &graph.node {
        let shape = match node.op_type.as_str() {
            "ConstantOfShape" => node.input.first(),
            "Expand" | "Tile" => node.input.get(1),
            _ => None,
        };
        let Some(tensor) = shape.and_then(|name| constants.get(name.as_str())) else { continue };
        let elements = longs(tensor).map(i64::unsigned_abs).fold(1, u64::saturating_mul);
        if elements > MAX_ELEMENTS {
            return Err(Error::TooLarge(format!(
                "operator {} at node \"{}\" asks for {elements} elements; at most {MAX_ELEMENTS} are allowed",
                node.op_type,
                node_name(node)
            )));
        }
    }
    Ok(())
}

fn is_served(node: &NodeProto, register: &OnnxOpRegister) -> bool {
    let domain = match node.domain.as_str() {
        "" | "ai.onnx" => true,
        "com.microsoft" => QUANTIZATION.contains(&node.op_type.as_str()),
        _ => false,
    };
    // Control flow carries graphs of its own, which nothing here looks into; no network served needs it.
    let plain = node.attribute.iter().all(|a| a.g.is_none() && a.graphs.is_empty());
    domain && plain && register.0.contains_key(&node.op_type)
}

/// Constants in a type that no kernel here takes: integers of 16 and 4 bits and tiny floats, in which only quantized graphs
/// have any.
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

/// Quantization of newer operator sets, whose attributes tract passes over.
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

/// An operator's name, with its domain where that is not the standard one.
pub(crate) fn full_name(node: &NodeProto) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    }
}

pub(crate) fn node_name(node: &NodeProto) -> &str {
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}

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
