//! Finds what is quantized in a graph and puts operators in its place that carry whole numbers.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::constants::{Activation, Constants, Weights};
use super::operators::{ADD, PARAMETERS, QUANTIZE, REQUANTIZE};

/// Whole numbers up to here are floats.
const EXACT: u64 = 1 << 24;

/// Rewrites every quantized activation that only `DequantizeLinear` reads.
pub(crate) fn carry_integers(graph: &mut GraphProto) {
    let Made { nodes, constants } = Rewrite::of(graph).made();
    graph.node = nodes;
    graph.initializer.extend(constants);
    drop_unused(graph);
}

/// The nodes of the rewritten graph, and the constants that it has more.
#[derive(Default)]
struct Made {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
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
            makers.extend(node.output.iter().map(|name| (name.as_str(), node)));
            node.input.iter().for_each(|name| readers.entry(name).or_default().push(node));
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
        let [least, most] = to.offsets();
        made.nodes
            .push(quantized.unwrap_or_else(|| operator(QUANTIZE, &node.input[..1], node, vec![least, most, to.scale])));
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
        let channels = usize::try_from(*weights.dims.first()?).ok()?;
        let fits = |bias: &Weights| bias.values.len() == channels && is_of_sums(bias, &weights, from);
        if !bias.as_ref().is_none_or(fits) || !sums_are_exact(&weights, bias.as_ref(), from) {
            return None;
        }
        // In ONNX Runtime's order: the product of the scales first, rounded, then the quotient.
        let multiplier = |channel: usize| from.scale * weights.scale(channel) / to.scale;
        let [least, most] = to.offsets();
        let parameters = [least, most].into_iter().chain((0..channels).map(multiplier)).collect();

        let name = |part: &str| format!("bedside:{}:{part}", node.output[0]);
        let mut inputs = vec![input.to_owned(), name("weights")];
        made.constants.push(floats(name("weights"), weights.dims, weights.values.iter().map(|&value| value as f32)));
        if let Some(bias) = bias {
            inputs.push(name("bias"));
            made.constants.push(floats(
                name("bias"),
                vec![channels as i64],
                bias.values.iter().map(|&value| value as f32),
            ));
        }
        made.nodes.push(NodeProto { input: inputs, output: vec![name("sums")], ..conv.clone() });
        Some(operator(REQUANTIZE, &[name("sums")], node, parameters))
    }

    /// A sum of two carried tensors, as `QLinearAdd` computes it.
    fn sum(&self, add: &NodeProto, node: &NodeProto, to: Activation) -> Option<NodeProto> {
        let [left, right] = &add.input[..] else { return None };
        let ((left, a), (right, b)) = (self.source(left)?, self.source(right)?);
        let (a_share, b_share) = (a.scale / to.scale, b.scale / to.scale);
        let zeros = a_share.mul_add(a.zero as f32, b_share * b.zero as f32);
        let fixed = to.zero as f32 - zeros;
        let [least, most] = [to.least as f32, to.most as f32];
        let parameters = vec![least, most, a.zero as f32, b.zero as f32, a_share, b_share, fixed, to.zero as f32];
        Some(operator(ADD, &[left.to_owned(), right.to_owned()], node, parameters))
    }
}

/// Whether a bias counts in the units of the sums: input's scale times weights' scale, but for rounding.
fn is_of_sums(bias: &Weights, weights: &Weights, from: Activation) -> bool {
    (0..bias.values.len()).all(|channel| {
        let unit = from.scale * weights.scale(channel);
        (bias.scale(channel) - unit).abs() <= unit * 1e-5
    })
}

/// Whether no sum of a convolution can pass what floats hold exactly.
fn sums_are_exact(weights: &Weights, bias: Option<&Weights>, from: Activation) -> bool {
    let slice = weights.values.len() / weights.dims[0] as usize;
    weights.values.chunks_exact(slice).enumerate().all(|(channel, values)| {
        let sum: u64 = values.iter().map(|value| u64::from(value.unsigned_abs())).sum();
        let bias = bias.map_or(0, |bias| u64::from(bias.values[channel].unsigned_abs()));
        sum.saturating_mul(from.reach()).saturating_add(bias) <= EXACT
    })
}

fn dequantize(node: &NodeProto, from: Activation, made: &mut Made) {
    let scale = floats(format!("bedside:{}:scale", node.output[0]), vec![], [from.scale].into_iter());
    made.nodes.push(NodeProto {
        op_type: "Mul".into(),
        input: vec![node.input[0].clone(), scale.name.clone()],
        output: node.output.clone(),
        name: node.name.clone(),
        ..NodeProto::default()
    });
    made.constants.push(scale);
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

fn floats(name: String, dims: Vec<i64>, values: impl Iterator<Item = f32>) -> TensorProto {
    let raw_data = values.flat_map(f32::to_le_bytes).collect();
    TensorProto { name, dims, data_type: DataType::Float as i32, raw_data, ..TensorProto::default() }
}

/// Drops nodes and initializers that no output needs any more.
fn drop_unused(graph: &mut GraphProto) {
    let makers: HashMap<&str, &NodeProto> =
        graph.node.iter().flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node))).collect();
    let mut wanted: Vec<&str> = graph.output.iter().map(|info| info.name.as_str()).collect();
    let mut needed = HashSet::new();
    while let Some(name) = wanted.pop() {
        if needed.insert(name.to_owned()) {
            wanted.extend(makers.get(name).into_iter().flat_map(|node| &node.input).map(String::as_str));
        }
    }
    graph.node.retain(|node| node.output.iter().any(|name| needed.contains(name)));
    graph.initializer.retain(|tensor| needed.contains(&tensor.name));
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tract_onnx::pb::ModelProto;

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
        carry_integers(&mut graph);
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
        let from = Activation { scale: 1.0, zero: 0, least: 0, most: 255 };
        // 255 · 127 · 518 = 16,775,430 and 2²⁴ = 16,777,216.
        let weights =
            |count: usize| Weights { dims: vec![1, count as i64], values: vec![127; count], scales: vec![1.0] };
        let bias = |value: i32| Weights { dims: vec![1], values: vec![value], scales: vec![1.0] };
        assert!(sums_are_exact(&weights(518), None, from));
        assert!(!sums_are_exact(&weights(519), None, from));
        assert!(sums_are_exact(&weights(518), Some(&bias(-1_786)), from));
        assert!(!sums_are_exact(&weights(518), Some(&bias(-1_787)), from));
    }
}
