//! Finds what is quantized in a graph and puts operators in its place that carry whole numbers.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::operators::{ADD, PARAMETERS, QUANTIZE, REQUANTIZE};
use crate::onnx::constants::{Activation, Constants, Weights};

/// Whole numbers up to here are floats.
const EXACT: u64 = 1 << 24;

/// What the names of our tensors start with.
const OURS: &str = "bedside:";

/// Rewrites every quantized activation that only `DequantizeLinear` reads, and drops what no output needs any more.
///
/// A graph without such an activation, or with names that could be taken for ours, stays as it is.
pub(crate) fn keep_activations_whole(graph: &mut GraphProto) {
    let rewrite = Rewrite::of(graph);
    if rewrite.carried.is_empty() || rewrite.has_names_of_ours() {
        return;
    }
    let Made { nodes, constants, .. } = rewrite.made();
    graph.node = nodes;
    graph.initializer.extend(constants);
    drop_unused(graph);
}

/// The nodes of the rewritten graph, and the constants that it has more.
#[derive(Default)]
struct Made {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    names: HashSet<String>,
}

impl Made {
    /// Adds a constant, once, and gives its name back.
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

/// What a graph has, by tensor name.
struct Rewrite<'a> {
    graph: &'a GraphProto,
    constants: Constants<'a>,
    makers: HashMap<&'a str, &'a NodeProto>,
    readers: HashMap<&'a str, Vec<&'a NodeProto>>,
    /// The activations that are carried as whole numbers, by the name of the quantized tensor.
    carried: HashMap<&'a str, Activation>,
}

impl<'a> Rewrite<'a> {
    fn of(graph: &'a GraphProto) -> Rewrite<'a> {
        let mut makers = HashMap::new();
        let mut readers: HashMap<&str, Vec<&NodeProto>> = HashMap::new();
        for node in &graph.node {
            makers.extend(named(&node.output).map(|name| (name, node)));
            named(&node.input).for_each(|name| readers.entry(name).or_default().push(node));
        }
        let mut rewrite =
            Rewrite { graph, constants: Constants::of(graph), makers, readers, carried: HashMap::default() };
        rewrite.carried = graph.node.iter().filter_map(|node| rewrite.carriable(node)).collect();
        rewrite
    }

    /// A quantized tensor whose readers all turn it back in the same way.
    fn carriable(&self, node: &'a NodeProto) -> Option<(&'a str, Activation)> {
        let name = node.output.first()?.as_str();
        let activation = self.constants.activation(node).filter(|_| node.op_type == "QuantizeLinear")?;
        let turns_back = |node: &&NodeProto| {
            node.op_type == "DequantizeLinear" && self.constants.activation(node) == Some(activation)
        };
        let readers = self.readers.get(name)?;
        (readers.iter().all(turns_back) && !self.is_output(name)).then_some((name, activation))
    }

    fn has_names_of_ours(&self) -> bool {
        let initializers = self.graph.initializer.iter().map(|tensor| tensor.name.as_str());
        let inputs = self.graph.input.iter().map(|info| info.name.as_str());
        self.makers.keys().copied().chain(initializers).chain(inputs).any(|name| name.starts_with(OURS))
    }

    fn is_output(&self, name: &str) -> bool {
        self.graph.output.iter().any(|info| info.name == name)
    }

    /// The carried tensor that a `DequantizeLinear` reads to make `name`.
    fn source(&self, name: &str) -> Option<(&'a str, Activation)> {
        let maker = self.makers.get(name).filter(|node| node.op_type == "DequantizeLinear")?;
        let (name, activation) = self.carried.get_key_value(maker.input.first()?.as_str())?;
        Some((name, *activation))
    }

    /// The rewritten graph. What was taken in by a convolution or a sum still stands in it, unused.
    fn made(&self) -> Made {
        let mut made = Made::default();
        for node in &self.graph.node {
            let carries = node.output.first().and_then(|name| self.carried.get(name.as_str()));
            let reads = node.input.first().and_then(|name| self.carried.get(name.as_str()));
            match (node.op_type.as_str(), carries, reads) {
                ("QuantizeLinear", Some(to), _) => self.quantize(node, *to, &mut made),
                ("DequantizeLinear", _, Some(from)) => dequantize(node, *from, &mut made),
                _ => made.nodes.push(node.clone()),
            }
        }
        made
    }

    /// What is quantized is a convolution or a sum of carried tensors, or anything else.
    fn quantize(&self, node: &NodeProto, to: Activation, made: &mut Made) {
        let quantized = self.maker_of(&node.input[0]).and_then(|maker| match maker.op_type.as_str() {
            "Conv" => self.convolution(maker, node, to, made),
            "Add" => self.sum(maker, node, to),
            _ => None,
        });
        let [min, max] = to.offsets();
        let plain = || operator(QUANTIZE, &node.input[..1], node, vec![min, max, to.scale]);
        made.nodes.push(quantized.unwrap_or_else(plain));
    }

    /// The node that makes a tensor which nothing but one node reads.
    fn maker_of(&self, name: &str) -> Option<&'a NodeProto> {
        let alone = self.readers.get(name).is_some_and(|readers| readers.len() == 1) && !self.is_output(name);
        self.makers.get(name).copied().filter(|_| alone)
    }

    /// A convolution of carried numbers by whole-number weights, and what rounds its sums.
    fn convolution(&self, conv: &NodeProto, node: &NodeProto, to: Activation, made: &mut Made) -> Option<NodeProto> {
        let (input, from) = self.source(conv.input.first()?)?;
        let weights = self.constants.weights(self.makers.get(conv.input.get(1)?.as_str())?)?;
        let bias = match conv.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => Some(self.constants.weights(self.makers.get(name.as_str())?)?),
            None => None,
        };
        let channels = *weights.dims.first()?;
        if weights.scales.len() != 1 && weights.axis != 0 {
            return None;
        }
        let fits = |bias: &Weights<i32>| bias.values.len() == channels && is_of_sums(bias, &weights, from);
        if !bias.as_ref().is_none_or(fits) || !sums_are_exact(&weights, bias.as_ref(), from) {
            return None;
        }
        // In ONNX Runtime's order: the product of the scales first, rounded, then the quotient.
        let multiplier = |channel: usize| from.scale * weights.scale(channel) / to.scale;
        let parameters = parameters(to.offsets(), (0..channels).map(multiplier))?;

        let as_floats = |values: Vec<i32>| values.into_iter().map(|value| value as f32);
        let part = |name: &str| format!("{OURS}{name}:integers");
        let mut inputs = vec![input.to_owned()];
        inputs.push(made.constant(part(&conv.input[1]), weights.dims, as_floats(weights.values)));
        if let Some(bias) = bias {
            inputs.push(made.constant(part(&conv.input[2]), bias.dims, as_floats(bias.values)));
        }
        let sums = format!("{OURS}{}:sums", node.output[0]);
        made.nodes.push(NodeProto { input: inputs, output: vec![sums.clone()], ..conv.clone() });
        Some(operator(REQUANTIZE, &[sums], node, parameters))
    }

    /// A sum of two carried tensors, as `QLinearAdd` computes it.
    fn sum(&self, add: &NodeProto, node: &NodeProto, to: Activation) -> Option<NodeProto> {
        let [left, right] = &add.input[..] else { return None };
        let ((left, a), (right, b)) = (self.source(left)?, self.source(right)?);
        let (a_ratio, b_ratio) = (a.scale / to.scale, b.scale / to.scale);
        let zero_points = a_ratio.mul_add(a.zero_point as f32, b_ratio * b.zero_point as f32);
        let addend = to.zero_point as f32 - zero_points;
        let numbers = [a.zero_point as f32, b.zero_point as f32, a_ratio, b_ratio, addend, to.zero_point as f32];
        let parameters = parameters([to.min as f32, to.max as f32], numbers.into_iter())?;
        Some(operator(ADD, &[left.to_owned(), right.to_owned()], node, parameters))
    }
}

/// Whether a bias counts in the units of the sums: input's scale times weights' scale, but for rounding.
fn is_of_sums(bias: &Weights<i32>, weights: &Weights<i32>, from: Activation) -> bool {
    (0..bias.values.len()).all(|channel| {
        let unit = from.scale * weights.scale(channel);
        (bias.scale(channel) - unit).abs() <= unit * 1e-5
    })
}

/// Whether no sum of a convolution can pass what floats hold exactly.
fn sums_are_exact(weights: &Weights<i32>, bias: Option<&Weights<i32>>, from: Activation) -> bool {
    let slice = weights.values.len() / weights.dims[0];
    weights.values.chunks_exact(slice).enumerate().all(|(channel, values)| {
        let sum: u64 = values.iter().map(|value| u64::from(value.unsigned_abs())).sum();
        let bias = bias.map_or(0, |bias| u64::from(bias.values[channel].unsigned_abs()));
        sum.saturating_mul(from.reach()).saturating_add(bias) <= EXACT
    })
}

/// An operator's numbers, where all of them are finite: scales may be anything.
fn parameters(range: [f32; 2], numbers: impl Iterator<Item = f32>) -> Option<Vec<f32>> {
    let all: Vec<f32> = range.into_iter().chain(numbers).collect();
    all.iter().all(|number| number.is_finite()).then_some(all)
}

fn dequantize(node: &NodeProto, from: Activation, made: &mut Made) {
    let scale = made.constant(format!("{OURS}{}:scale", node.output[0]), vec![], [from.scale].into_iter());
    made.nodes.push(NodeProto {
        op_type: "Mul".into(),
        input: vec![node.input[0].clone(), scale],
        output: node.output.clone(),
        name: node.name.clone(),
        ..NodeProto::default()
    });
}

/// One of our operators, in the place of `node`.
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

/// The tensors of a node's list; an empty name stands for an optional one that is not there.
fn named(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str).filter(|name| !name.is_empty())
}

/// Drops nodes and initializers that no output needs any more.
fn drop_unused(graph: &mut GraphProto) {
    let makers: HashMap<&str, &NodeProto> =
        graph.node.iter().flat_map(|node| named(&node.output).map(move |name| (name, node))).collect();
    let mut wanted: Vec<&str> = graph.output.iter().map(|info| info.name.as_str()).collect();
    let mut needed = HashSet::new();
    while let Some(name) = wanted.pop() {
        if needed.insert(name.to_owned()) {
            wanted.extend(makers.get(name).into_iter().flat_map(|node| named(&node.input)));
        }
    }
    graph.node.retain(|node| named(&node.output).any(|name| needed.contains(name)));
    // An initializer may be listed as an input too, which then has no value any more.
    let given: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    graph.input.retain(|info| needed.contains(&info.name) || !given.contains(info.name.as_str()));
    graph.initializer.retain(|tensor| needed.contains(&tensor.name));
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tract_onnx::pb::{ModelProto, ValueInfoProto};

    use super::*;

    /// A graph as ONNX Runtime's quantizer wrote it.
    fn golden(name: &str) -> GraphProto {
        let path = format!("{}/../tests/golden/graphs/{name}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        ModelProto::decode(&bytes[..]).expect("an ONNX file").graph.expect("a graph")
    }

    fn count(graph: &GraphProto, operator: &str) -> usize {
        graph.node.iter().filter(|node| node.op_type == operator).count()
    }

    fn carried(mut graph: GraphProto) -> GraphProto {
        keep_activations_whole(&mut graph);
        graph
    }

    #[test]
    fn every_convolution_and_sum_of_a_quantized_graph_is_carried() {
        for name in ["qdq-u8.onnx", "qdq-s8.onnx", "qdq-u8-per-tensor.onnx"] {
            let before = golden(name);
            let after = carried(before.clone());
            assert!(count(&before, "Conv") > 0 && count(&before, "Add") > 0, "{name}");
            assert_eq!(count(&after, REQUANTIZE), count(&before, "Conv"), "{name}");
            assert_eq!(count(&after, ADD), count(&before, "Add"), "{name}");
            assert_eq!(count(&after, "Conv"), count(&before, "Conv"), "{name}");
            assert_eq!(count(&after, "QuantizeLinear"), 0, "{name}");
        }
    }

    #[test]
    fn a_bias_in_other_units_is_left_to_the_letter_of_the_file() {
        let mut graph = golden("qdq-u8.onnx");
        let before = carried(graph.clone());
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
        let after = carried(graph);
        assert_eq!(count(&after, REQUANTIZE), count(&before, REQUANTIZE) - 1);
    }

    #[test]
    fn weights_that_another_operator_makes_are_not_taken_for_dequantized_ones() {
        let mut graph = golden("qdq-u8.onnx");
        let before = carried(graph.clone());
        let weights = graph.node.iter().find(|node| node.op_type == "Conv").expect("a convolution").input[1].clone();
        let maker = graph.node.iter_mut().find(|node| node.output[0] == weights).expect("their maker");
        maker.op_type = "Mul".into();
        assert_eq!(count(&carried(graph), REQUANTIZE), count(&before, REQUANTIZE) - 1);
    }

    #[test]
    fn values_out_of_their_types_range_are_not_guessed_at() {
        let mut graph = golden("qdq-u8.onnx");
        let before = carried(graph.clone());
        let conv = graph.node.iter().find(|node| node.op_type == "Conv").expect("a convolution");
        let maker = graph.node.iter().find(|node| node.output[0] == conv.input[1]).expect("its weights' maker");
        let name = maker.input[0].clone();
        let tensor = graph.initializer.iter_mut().find(|tensor| tensor.name == name).expect("its weights");
        assert!(tensor.raw_data.iter().any(|&byte| byte >= 128), "a negative weight");
        // Minus one as 255.
        tensor.int32_data = tensor.raw_data.drain(..).map(i32::from).collect();
        assert_eq!(count(&carried(graph), REQUANTIZE), count(&before, REQUANTIZE) - 1);
    }

    #[test]
    fn initializers_that_are_listed_as_inputs_go_from_both_lists() {
        let mut graph = golden("qdq-u8.onnx");
        let of_tensor =
            |tensor: &TensorProto| ValueInfoProto { name: tensor.name.clone(), ..ValueInfoProto::default() };
        let listed: Vec<ValueInfoProto> = graph.initializer.iter().map(of_tensor).collect();
        graph.input.extend(listed);
        let after = carried(graph);
        let has_value = |name: &str| after.initializer.iter().any(|tensor| tensor.name == name);
        let without: Vec<&str> = after.input.iter().map(|info| info.name.as_str()).filter(|n| !has_value(n)).collect();
        assert_eq!(without, [golden("qdq-u8.onnx").input[0].name.as_str()]);
    }

    #[test]
    fn a_graph_with_names_like_ours_stays_as_it_is() {
        let mut graph = golden("qdq-u8.onnx");
        graph.initializer.push(TensorProto { name: format!("{OURS}x:scale"), ..TensorProto::default() });
        assert_eq!(carried(graph.clone()), graph);
    }

    #[test]
    fn the_empty_name_is_no_tensor() {
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
        assert_eq!(count(&carried(graph), "Dropout"), 0);
    }

    #[test]
    fn a_quantized_tensor_that_is_read_as_it_is_stays() {
        let mut graph = golden("qdq-u8.onnx");
        let name = graph.node.iter().find(|node| node.op_type == "QuantizeLinear").expect("one").output[0].clone();
        let mut info = graph.output[0].clone();
        info.name = name;
        graph.output.push(info);
        assert_eq!(count(&carried(graph), "QuantizeLinear"), 1);
    }

    #[test]
    fn sums_that_floats_cannot_hold_are_seen() {
        let from = Activation { scale: 1.0, zero_point: 0, min: 0, max: 255 };
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
