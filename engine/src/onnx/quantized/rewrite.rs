//! Replaces quantizing operators of a graph by operators on float tensors that hold integers, `q - zero_point`. It
//! decides where that is exact; `operators.rs` computes.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::operators::{ADD, PARAMETERS, QUANTIZE, REQUANTIZE};
use crate::arithmetic::AddRule;
use crate::onnx::constants::{Constants, Quantization, Weights};
use crate::onnx::live::live_nodes;

/// Float32 represents all integers up to this magnitude exactly.
const MAX_EXACT_INTEGER: u64 = 1 << 24;

/// The prefix of the names of all tensors that are added to a graph here, and of those between two partitions
/// (`lower/partitions.rs`).
const NAME_PREFIX: &str = "bedside:";

/// Rewrites every quantized activation that only `DequantizeLinear` nodes read, and removes the nodes and initializers
/// that no output depends on any more.
///
/// A graph without such an activation, or with names that start with [`NAME_PREFIX`], stays as it is. tract then runs
/// its quantizing operators with its own.
pub(crate) fn rewrite_quantized_activations(graph: &mut GraphProto) {
    let rewrite = Rewrite::of(graph);
    if rewrite.quantized_activations.is_empty() || rewrite.has_reserved_names() {
        return;
    }
    let RewrittenGraph { nodes, constants, .. } = rewrite.rewritten();
    graph.node = nodes;
    graph.initializer.extend(constants);
    drop_unused(graph);
}

/// The nodes of the rewritten graph, and the constants to add to it with their names.
#[derive(Default)]
struct RewrittenGraph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    names: HashSet<String>,
}

impl RewrittenGraph {
    /// Adds a float32 constant, unless there is one of this name, and returns the name.
    fn constant(&mut self, name: String, dims: Vec<usize>, values: impl Iterator<Item = f32>) -> String {
        if self.names.insert(name.clone()) {
            let raw_data = values.flat_map(f32::to_le_bytes).collect();
            let (name, data_type) = (name.clone(), DataType::Float as i32);
            let dims = dims.into_iter().map(|dim| dim as i64).collect();
            self.constants.push(TensorProto { name, dims, data_type, raw_data, ..TensorProto::default() });
        }
        name
    }
}

/// The graph to rewrite, indexed by tensor name.
struct Rewrite<'a> {
    graph: &'a GraphProto,
    constants: Constants<'a>,
    producers: HashMap<&'a str, &'a NodeProto>,
    consumers: HashMap<&'a str, Vec<&'a NodeProto>>,
    /// The activations to rewrite, by the name of the quantized tensor.
    quantized_activations: HashMap<&'a str, Quantization>,
}

impl<'a> Rewrite<'a> {
    fn of(graph: &'a GraphProto) -> Rewrite<'a> {
        let mut producers = HashMap::new();
        let mut consumers: HashMap<&str, Vec<&NodeProto>> = HashMap::new();
        for node in &graph.node {
            producers.extend(named(&node.output).map(|name| (name, node)));
            named(&node.input).for_each(|name| consumers.entry(name).or_default().push(node));
        }
        let mut rewrite = Rewrite {
            graph,
            constants: Constants::of(graph),
            producers,
            consumers,
            quantized_activations: HashMap::default(),
        };
        rewrite.quantized_activations =
            graph.node.iter().filter_map(|node| rewrite.quantized_activation(node)).collect();
        rewrite
    }

    /// The output of a `QuantizeLinear` node whose consumers are all `DequantizeLinear` nodes of the same scale and
    /// zero point.
    fn quantized_activation(&self, node: &'a NodeProto) -> Option<(&'a str, Quantization)> {
        let name = node.output.first()?.as_str();
        let activation = self.constants.activation(node).filter(|_| node.op_type == "QuantizeLinear")?;
        let dequantizes = |node: &&NodeProto| {
            node.op_type == "DequantizeLinear" && self.constants.activation(node) == Some(activation)
        };
        let consumers = self.consumers.get(name)?;
        (consumers.iter().all(dequantizes) && !self.is_output(name)).then_some((name, activation))
    }

    fn has_reserved_names(&self) -> bool {
        let initializers = self.graph.initializer.iter().map(|tensor| tensor.name.as_str());
        let inputs = self.graph.input.iter().map(|info| info.name.as_str());
        self.producers.keys().copied().chain(initializers).chain(inputs).any(|name| name.starts_with(NAME_PREFIX))
    }

    fn is_output(&self, name: &str) -> bool {
        self.graph.output.iter().any(|info| info.name == name)
    }

    /// The quantized activation that a `DequantizeLinear` reads to produce `name`.
    fn source(&self, name: &str) -> Option<(&'a str, Quantization)> {
        let producer = self.producers.get(name).filter(|node| node.op_type == "DequantizeLinear")?;
        let (name, activation) = self.quantized_activations.get_key_value(producer.input.first()?.as_str())?;
        Some((name, *activation))
    }

    /// The rewritten graph. Nodes that were fused into a convolution or a sum are still in it, unused.
    fn rewritten(&self) -> RewrittenGraph {
        let mut graph = RewrittenGraph::default();
        for node in &self.graph.node {
            let to = node.output.first().and_then(|name| self.quantized_activations.get(name.as_str()));
            let from = node.input.first().and_then(|name| self.quantized_activations.get(name.as_str()));
            match (node.op_type.as_str(), to, from) {
                ("QuantizeLinear", Some(to), _) => self.quantize(node, *to, &mut graph),
                ("DequantizeLinear", _, Some(from)) => dequantize(node, *from, &mut graph),
                _ => graph.nodes.push(node.clone()),
            }
        }
        graph
    }

    /// Replaces a `QuantizeLinear` node by a requantization of a convolution or sum of quantized activations, or by a
    /// quantization of any other tensor.
    fn quantize(&self, node: &NodeProto, to: Quantization, graph: &mut RewrittenGraph) {
        let quantized = self.sole_producer(&node.input[0]).and_then(|producer| match producer.op_type.as_str() {
            "Conv" => self.convolution(producer, node, to, graph),
            "Add" => self.sum(producer, node, to),
            _ => None,
        });
        let [min, max] = to.zero_centered_range();
        let unfused = || operator(QUANTIZE, &node.input[..1], node, vec![min, max, to.scale]);
        graph.nodes.push(quantized.unwrap_or_else(unfused));
    }

    /// The node that produces a tensor, where exactly one node reads the tensor and it is no output.
    fn sole_producer(&self, name: &str) -> Option<&'a NodeProto> {
        let has_one_consumer =
            self.consumers.get(name).is_some_and(|consumers| consumers.len() == 1) && !self.is_output(name);
        self.producers.get(name).copied().filter(|_| has_one_consumer)
    }

    /// Adds the integer convolution of a quantized activation to `graph`, and returns the node that requantizes its
    /// sums. None where the weights or the bias don't fit, or where a sum could be inexact.
    fn convolution(
        &self,
        conv: &NodeProto,
        node: &NodeProto,
        to: Quantization,
        graph: &mut RewrittenGraph,
    ) -> Option<NodeProto> {
        let (input, from) = self.source(conv.input.first()?)?;
        let weights = self.constants.weights(self.producers.get(conv.input.get(1)?.as_str())?)?;
        let bias = match conv.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => Some(self.constants.weights(self.producers.get(name.as_str())?)?),
            None => None,
        };
        let channels = *weights.dims.first()?;
        if weights.scales.len() != 1 && weights.axis != 0 {
            return None;
        }
        let fits = |bias: &Weights<i32>| {
            bias.values.len() == channels
                && bias.has_scales((0..channels).map(|channel| from.scale * weights.scale(channel)))
        };
        if !bias.as_ref().is_none_or(fits) || !sums_are_exact(&weights, bias.as_ref(), from) {
            return None;
        }
        // The order of ONNX Runtime: the product of the scales, rounded to float32, then the quotient.
        let multiplier = |channel: usize| from.scale * weights.scale(channel) / to.scale;
        let parameters = parameters(to.zero_centered_range(), (0..channels).map(multiplier))?;

        let as_floats = |values: Vec<i32>| values.into_iter().map(|value| value as f32);
        let part = |name: &str| format!("{NAME_PREFIX}{name}:integers");
        let mut inputs = vec![input.to_owned()];
        inputs.push(graph.constant(part(&conv.input[1]), weights.dims, as_floats(weights.values)));
        if let Some(bias) = bias {
            inputs.push(graph.constant(part(&conv.input[2]), bias.dims, as_floats(bias.values)));
        }
        let sums = format!("{NAME_PREFIX}{}:sums", node.output[0]);
        graph.nodes.push(NodeProto { input: inputs, output: vec![sums.clone()], ..conv.clone() });
        Some(operator(REQUANTIZE, &[sums], node, parameters))
    }

    /// The node of a sum of two quantized activations, as ONNX Runtime's `QLinearAdd` computes it.
    fn sum(&self, add: &NodeProto, node: &NodeProto, to: Quantization) -> Option<NodeProto> {
        let [left, right] = &add.input[..] else { return None };
        let ((left, a), (right, b)) = (self.source(left)?, self.source(right)?);
        let affine = |activation: Quantization| (activation.scale, activation.zero_point as f32);
        let ([a_ratio, b_ratio], addend) = AddRule::factors([affine(a), affine(b)], affine(to));
        let numbers = [a.zero_point as f32, b.zero_point as f32, a_ratio, b_ratio, addend, to.zero_point as f32];
        let parameters = parameters([to.min as f32, to.max as f32], numbers.into_iter())?;
        Some(operator(ADD, &[left.to_owned(), right.to_owned()], node, parameters))
    }
}

/// Whether no sum of a convolution can exceed [`MAX_EXACT_INTEGER`] in magnitude.
fn sums_are_exact(weights: &Weights<i32>, bias: Option<&Weights<i32>>, from: Quantization) -> bool {
    let slice = weights.values.len() / weights.dims[0];
    weights.values.chunks_exact(slice).enumerate().all(|(channel, values)| {
        let sum: u64 = values.iter().map(|value| u64::from(value.unsigned_abs())).sum();
        let bias = bias.map_or(0, |bias| u64::from(bias.values[channel].unsigned_abs()));
        sum.saturating_mul(from.max_magnitude()).saturating_add(bias) <= MAX_EXACT_INTEGER
    })
}

/// The parameters of an operator; none where one is not finite, as a quotient of extreme scales may not be.
fn parameters(range: [f32; 2], numbers: impl Iterator<Item = f32>) -> Option<Vec<f32>> {
    let all: Vec<f32> = range.into_iter().chain(numbers).collect();
    all.iter().all(|number| number.is_finite()).then_some(all)
}

/// Replaces a `DequantizeLinear` node by a product with the scale.
fn dequantize(node: &NodeProto, from: Quantization, graph: &mut RewrittenGraph) {
    let scale = graph.constant(format!("{NAME_PREFIX}{}:scale", node.output[0]), vec![], [from.scale].into_iter());
    graph.nodes.push(NodeProto {
        op_type: "Mul".into(),
        input: vec![node.input[0].clone(), scale],
        output: node.output.clone(),
        name: node.name.clone(),
        ..NodeProto::default()
    });
}

/// A node of one of this crate's operators that replaces `node`.
fn operator(kind: &str, inputs: &[String], node: &NodeProto, parameters: Vec<f32>) -> NodeProto {
    NodeProto {
        op_type: kind.into(),
        input: inputs.to_vec(),
        output: node.output.clone(),
        name: node.name.clone(),
        attribute: vec![AttributeProto {
            name: PARAMETERS.into(),
            r#type: AttributeType::Floats as i32,
            floats: parameters,
            ..AttributeProto::default()
        }],
        ..NodeProto::default()
    }
}

/// The tensors of a node's list, without the empty names that stand for absent optional tensors.
fn named(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str).filter(|name| !name.is_empty())
}

/// Removes nodes and initializers that no output depends on.
fn drop_unused(graph: &mut GraphProto) {
    let mut live = live_nodes(&graph.node, graph.output.iter().map(|info| info.name.as_str())).into_iter();
    graph.node.retain(|_| live.next() == Some(true));
    let read = graph.node.iter().flat_map(|node| named(&node.input));
    let needed: HashSet<&str> = read.chain(graph.output.iter().map(|info| info.name.as_str())).collect();
    // An initializer may be listed as an input too. Where it is removed, that input must be removed with it.
    let given: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    graph.input.retain(|info| needed.contains(info.name.as_str()) || !given.contains(info.name.as_str()));
    graph.initializer.retain(|tensor| needed.contains(tensor.name.as_str()));
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tract_onnx::pb::{ModelProto, ValueInfoProto};

    use super::*;

    /// A golden graph, as ONNX Runtime's quantizer wrote it.
    fn golden(name: &str) -> GraphProto {
        let path = format!("{}/../tests/golden/graphs/{name}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        ModelProto::decode(&bytes[..]).expect("an ONNX file").graph.expect("a graph")
    }

    fn count(graph: &GraphProto, operator: &str) -> usize {
        graph.node.iter().filter(|node| node.op_type == operator).count()
    }

    fn rewritten(mut graph: GraphProto) -> GraphProto {
        rewrite_quantized_activations(&mut graph);
        graph
    }

    #[test]
    fn rewrite_covers_every_convolution_and_sum() {
        for name in ["qdq-u8.onnx", "qdq-s8.onnx", "qdq-u8-per-tensor.onnx"] {
            let before = golden(name);
            let after = rewritten(before.clone());
            assert!(count(&before, "Conv") > 0 && count(&before, "Add") > 0, "{name}");
            assert_eq!(count(&after, REQUANTIZE), count(&before, "Conv"), "{name}");
            assert_eq!(count(&after, ADD), count(&before, "Add"), "{name}");
            assert_eq!(count(&after, "Conv"), count(&before, "Conv"), "{name}");
            assert_eq!(count(&after, "QuantizeLinear"), 0, "{name}");
        }
    }

    #[test]
    fn rewrite_skips_a_bias_of_another_scale() {
        let mut graph = golden("qdq-u8.onnx");
        let before = rewritten(graph.clone());
        let conv = graph.node.iter().find(|node| node.op_type == "Conv").expect("a convolution");
        let bias = graph.node.iter().find(|node| node.output[0] == conv.input[2]).expect("its bias");
        let scale = bias.input[1].clone();
        let tensor = graph.initializer.iter_mut().find(|tensor| tensor.name == scale).expect("its scale");
        let doubled: Vec<u8> = tensor
            .raw_data
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]) * 2.0)
            .chain(tensor.float_data.drain(..).map(|scale| scale * 2.0))
            .flat_map(f32::to_le_bytes)
            .collect();
        tensor.raw_data = doubled;
        let after = rewritten(graph);
        assert_eq!(count(&after, REQUANTIZE), count(&before, REQUANTIZE) - 1);
    }

    #[test]
    fn rewrite_skips_weights_that_are_not_dequantized() {
        let mut graph = golden("qdq-u8.onnx");
        let before = rewritten(graph.clone());
        let weights = graph.node.iter().find(|node| node.op_type == "Conv").expect("a convolution").input[1].clone();
        let producer = graph.node.iter_mut().find(|node| node.output[0] == weights).expect("the node of the weights");
        producer.op_type = "Mul".into();
        assert_eq!(count(&rewritten(graph), REQUANTIZE), count(&before, REQUANTIZE) - 1);
    }

    #[test]
    fn rewrite_skips_constants_out_of_range() {
        let mut graph = golden("qdq-u8.onnx");
        let before = rewritten(graph.clone());
        let conv = graph.node.iter().find(|node| node.op_type == "Conv").expect("a convolution");
        let producer = graph.node.iter().find(|node| node.output[0] == conv.input[1]).expect("the node of its weights");
        let name = producer.input[0].clone();
        let tensor = graph.initializer.iter_mut().find(|tensor| tensor.name == name).expect("its weights");
        assert!(tensor.raw_data.iter().any(|&byte| byte >= 128), "a negative weight");
        // Then -1 is stored as 255.
        tensor.int32_data = tensor.raw_data.drain(..).map(i32::from).collect();
        assert_eq!(count(&rewritten(graph), REQUANTIZE), count(&before, REQUANTIZE) - 1);
    }

    #[test]
    fn rewrite_drops_unused_initializers_from_inputs_too() {
        let mut graph = golden("qdq-u8.onnx");
        let of_tensor =
            |tensor: &TensorProto| ValueInfoProto { name: tensor.name.clone(), ..ValueInfoProto::default() };
        let listed: Vec<ValueInfoProto> = graph.initializer.iter().map(of_tensor).collect();
        graph.input.extend(listed);
        let after = rewritten(graph);
        let has_value = |name: &str| after.initializer.iter().any(|tensor| tensor.name == name);
        let without: Vec<&str> = after.input.iter().map(|info| info.name.as_str()).filter(|n| !has_value(n)).collect();
        assert_eq!(without, [golden("qdq-u8.onnx").input[0].name.as_str()]);
    }

    #[test]
    fn rewrite_leaves_a_graph_with_reserved_names() {
        let mut graph = golden("qdq-u8.onnx");
        graph.initializer.push(TensorProto { name: format!("{NAME_PREFIX}x:scale"), ..TensorProto::default() });
        assert_eq!(rewritten(graph.clone()), graph);
    }

    #[test]
    fn drop_unused_ignores_empty_names() {
        let mut graph = golden("qdq-u8.onnx");
        let input = graph.input[0].name.clone();
        for name in ["one", "two"] {
            graph.node.push(NodeProto {
                op_type: "Dropout".into(),
                input: vec![input.clone(), String::new()],
                output: vec![name.into(), String::new()],
                ..NodeProto::default()
            });
        }
        let wanted = graph.node.iter_mut().find(|node| node.op_type == "Gemm").expect("the last layer");
        wanted.input.push(String::new());
        assert_eq!(count(&rewritten(graph), "Dropout"), 0);
    }

    #[test]
    fn rewrite_keeps_a_quantized_graph_output() {
        let mut graph = golden("qdq-u8.onnx");
        let name = graph.node.iter().find(|node| node.op_type == "QuantizeLinear").expect("one").output[0].clone();
        let mut info = graph.output[0].clone();
        info.name = name;
        graph.output.push(info);
        assert_eq!(count(&rewritten(graph), "QuantizeLinear"), 1);
    }

    #[test]
    fn sums_are_exact_up_to_2_pow_24() {
        let from = Quantization { scale: 1.0, zero_point: 0, min: 0, max: 255 };
        // 255 · 127 · 518 = 16,775,430 and 2²⁴ = 16,777,216.
        let weights =
            |count: usize| Weights { dims: vec![1, count], values: vec![127; count], scales: vec![1.0], axis: 0 };
        let bias = |value: i32| Weights { dims: vec![1], values: vec![value], scales: vec![1.0], axis: 0 };
        assert!(sums_are_exact(&weights(518), None, from));
        assert!(!sums_are_exact(&weights(519), None, from));
        assert!(sums_are_exact(&weights(518), Some(&bias(-1_786)), from));
        assert!(!sums_are_exact(&weights(518), Some(&bias(-1_787)), from));
    }
}
