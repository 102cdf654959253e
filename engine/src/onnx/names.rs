//! Names of nodes and of their operators, as messages show them, and the domains in which an operator has its standard
//! meaning.

use tract_onnx::pb::NodeProto;

/// The operators of QDQ graphs. In ONNX Runtime's domain `com.microsoft` they mean what the standard ones mean.
pub(crate) const QUANTIZATION: &[&str] = &["QuantizeLinear", "DequantizeLinear"];

/// Whether a node's operator is of the standard ONNX domain.
pub(crate) fn is_standard(node: &NodeProto) -> bool {
    matches!(node.domain.as_str(), "" | "ai.onnx")
}

/// A node's operator, where it is of the standard domain or means the same as the standard operator of its name; empty
/// otherwise.
pub(crate) fn standard_type(node: &NodeProto) -> &str {
    let is_quantization = node.domain == "com.microsoft" && QUANTIZATION.contains(&node.op_type.as_str());
    if is_standard(node) || is_quantization { &node.op_type } else { "" }
}

/// A node's operator, with its domain where that is not the standard one.
pub(crate) fn full_name(node: &NodeProto) -> String {
    if is_standard(node) { node.op_type.clone() } else { format!("{}.{}", node.domain, node.op_type) }
}

/// A node's name; that of its first output where it has none.
pub(crate) fn node_name(node: &NodeProto) -> &str {
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}
