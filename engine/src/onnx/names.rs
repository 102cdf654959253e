//! What nodes and their operators are called.

use tract_onnx::pb::NodeProto;

/// The operators of QDQ graphs. In ONNX Runtime's own domain they mean what the standard ones do.
pub(crate) const QUANTIZATION: &[&str] = &["QuantizeLinear", "DequantizeLinear"];

/// Whether a node's operator is one of the standard's.
pub(crate) fn is_standard(node: &NodeProto) -> bool {
    matches!(node.domain.as_str(), "" | "ai.onnx")
}

/// A node's operator, where that is the standard's or means what the standard's of this name does; else nothing.
pub(crate) fn standard_type(node: &NodeProto) -> &str {
    let is_quantization = node.domain == "com.microsoft" && QUANTIZATION.contains(&node.op_type.as_str());
    if is_standard(node) || is_quantization { &node.op_type } else { "" }
}

/// An operator's name, with its domain where that is not the standard one.
pub(crate) fn full_name(node: &NodeProto) -> String {
    if is_standard(node) { node.op_type.clone() } else { format!("{}.{}", node.domain, node.op_type) }
}

pub(crate) fn node_name(node: &NodeProto) -> &str {
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}
