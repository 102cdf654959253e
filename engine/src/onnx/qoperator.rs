//! Rewrites ONNX Runtime's `QOperator` graphs to QDQ graphs.
//!
//! A `QLinearConv` means the same as a `Conv` between `DequantizeLinear` and `QuantizeLinear`; the same holds for the
//! other quantized operators, those of the domain `com.microsoft` too. They are replaced by these nodes before any
//! other code reads the graph, so that all other code knows one form of quantization. Types of constants, and whether a
//! real operator is supported, are checked later.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use crate::onnx::constants::Constants;
use crate::onnx::limits::MAX_NODES;
use crate::onnx::names::{full_name, is_standard, node_name};
use crate::{Error, Result};

/// The real-valued equivalent of a `QOperator` node, and the indices of the node's inputs.
struct Equivalent {
    /// The operator on reals.
    operator: &'static str,
    /// The index of each quantized input; its scale and zero point are the next two inputs.
    inputs: Vec<usize>,
    /// The index of the output's scale; its zero point is the next input.
    output: usize,
    /// The index of an int32 bias, whose scale is the product of the inputs' scales.
    bias: Option<usize>,
}

/// The real-valued equivalent of a node; none where it is no `QOperator` node. The indices are those of the ONNX
/// standard and of ONNX Runtime's `docs/ContribOperators.md`.
fn equivalent(node: &NodeProto) -> Option<Equivalent> {
    let (standard, microsoft) = (is_standard(node), node.domain == "com.microsoft");
    let of = |operator, inputs: &[usize], output| Equivalent { operator, inputs: inputs.to_vec(), output, bias: None };
    Some(match (node.op_type.as_str(), standard, microsoft) {
        ("QLinearConv", true, _) | ("QLinearConv", _, true) => Equivalent { bias: Some(8), ..of("Conv", &[0, 3], 6) },
        ("QGemm", _, true) => Equivalent { bias: Some(6), ..of("Gemm", &[0, 3], 7) },
        ("QLinearMatMul", true, _) => of("MatMul", &[0, 3], 6),
        ("QLinearAdd", _, true) => of("Add", &[0, 3], 6),
        ("QLinearMul", _, true) => of("Mul", &[0, 3], 6),
        ("QLinearSigmoid", _, true) => of("Sigmoid", &[0], 3),
        ("QLinearLeakyRelu", _, true) => of("LeakyRelu", &[0], 3),
        ("QLinearSoftmax", _, true) => of("Softmax", &[0], 3),
        ("QLinearGlobalAveragePool", _, true) => of("GlobalAveragePool", &[0], 3),
        ("QLinearAveragePool", _, true) => of("AveragePool", &[0], 3),
        ("QLinearReduceMean", _, true) => of("ReduceMean", &[0], 3),
        ("QLinearConcat", _, true) => of("Concat", &(2..node.input.len()).step_by(3).collect::<Vec<_>>(), 0),
        _ => return None,
    })
}

/// Whether a node is a `QOperator` node.
pub(crate) fn is_qoperator(node: &NodeProto) -> bool {
    equivalent(node).is_some()
}

/// Replaces all `QOperator` nodes of a graph by QDQ nodes. `opset` is the graph's version of the standard operators.
///
/// # Errors
/// [`Error::Unsupported`] names the operator, the node, and what of it is not supported; [`Error::TooLarge`] where the
/// graph would have more than [`MAX_NODES`] nodes.
pub(crate) fn expand_to_qdq(graph: &mut GraphProto, opset: i64) -> Result<()> {
    if !graph.node.iter().any(is_qoperator) {
        return Ok(());
    }
    let mut expansion = Expansion::of(graph, opset);
    for node in &graph.node {
        match equivalent(node) {
            None => expansion.nodes.push(node.clone()),
            Some(equivalent) => expansion.node(node, &equivalent).map_err(|reason| {
                let (operator, node) = (full_name(node), node_name(node));
                Error::Unsupported(format!("operator {operator} at node \"{node}\": {reason}"))
            })?,
        }
        if expansion.nodes.len() > MAX_NODES {
            return Err(Error::TooLarge(format!(
                "the graph is too large: its QLinear operators mean more than {MAX_NODES} nodes, and no more are served"
            )));
        }
    }
    let Expansion { nodes, new_constants, .. } = expansion;
    graph.node = nodes;
    graph.initializer.extend(new_constants);
    Ok(())
}

/// The expanded graph while it is built.
struct Expansion<'a> {
    constants: Constants<'a>,
    /// The version of the standard operators.
    opset: i64,
    nodes: Vec<NodeProto>,
    /// Constants to add to the graph.
    new_constants: Vec<TensorProto>,
    /// All names of the graph's tensors, and all names that were added.
    used_names: HashSet<String>,
    /// For each base name, the number that the next name made from it gets.
    name_counts: HashMap<String, usize>,
    /// The dequantized tensor of each quantized one, by the names of the tensor, its scale and its zero point, and the
    /// axis.
    dequantized: HashMap<(Vec<String>, Option<i64>), String>,
}

impl<'a> Expansion<'a> {
    fn of(graph: &'a GraphProto, opset: i64) -> Expansion<'a> {
        let names = graph.node.iter().flat_map(|node| node.output.iter().chain(&node.input));
        let given =
            graph.initializer.iter().map(|tensor| &tensor.name).chain(graph.input.iter().map(|info| &info.name));
        Expansion {
            constants: Constants::of(graph),
            opset,
            nodes: vec![],
            new_constants: vec![],
            used_names: names.chain(given).cloned().collect(),
            name_counts: HashMap::new(),
            dequantized: HashMap::new(),
        }
    }

    /// Adds the nodes that replace a `QOperator` node.
    fn node(&mut self, node: &NodeProto, equivalent: &Equivalent) -> Result<(), String> {
        if node.op_type == "QGemm" && float(node, "alpha").is_some_and(|alpha| alpha.to_bits() != 1.0_f32.to_bits()) {
            return Err("an alpha other than 1 is not supported".into());
        }
        if integer(node, "channels_last").is_some_and(|last| last != 0) {
            return Err("channels_last is not supported; export the model with channels first".into());
        }
        let mut inputs = vec![];
        for (number, &index) in equivalent.inputs.iter().enumerate() {
            let axis = if number == 1 && equivalent.operator != "Concat" { self.axis(node, index)? } else { None };
            let parts = (0..3).map(|part| node.input.get(index + part).cloned().unwrap_or_default()).collect();
            inputs.push(self.dequantized(parts, axis));
        }
        if let Some(name) = equivalent.bias.and_then(|index| node.input.get(index)).filter(|name| !name.is_empty()) {
            let scale = self.bias_scale(node)?;
            let axis = (scale.len() > 1).then_some(0);
            let scale = self.constant(&format!("{name}/scale"), scale);
            inputs.push(self.dequantized(vec![name.clone(), scale], axis));
        }
        let scale = node.input.get(equivalent.output).filter(|name| !name.is_empty());
        let output = node.output.first().ok_or("it has no output")?;
        // A QGemm without an output scale has a real output.
        let Some(scale) = scale else {
            let real = self.real_operator(node, equivalent.operator, inputs, output.clone())?;
            self.nodes.push(real);
            return Ok(());
        };
        let real = self.name(&format!("{output}/real"));
        let real_operator = self.real_operator(node, equivalent.operator, inputs, real.clone())?;
        self.nodes.push(real_operator);
        let zero_point = node.input.get(equivalent.output + 1).cloned().unwrap_or_default();
        let name = self.name(&format!("{}/quantize", node_name(node)));
        self.nodes.push(NodeProto {
            op_type: "QuantizeLinear".into(),
            name,
            input: vec![real, scale.clone(), zero_point],
            output: node.output.clone(),
            ..NodeProto::default()
        });
        Ok(())
    }

    /// The axis that the scales of the weights at an input index lie along; none where there is one scale. It is that
    /// of the output channels: the last of a `MatMul`, the second of a `Gemm` without `transB`, otherwise the first.
    fn axis(&self, node: &NodeProto, index: usize) -> Result<Option<i64>, String> {
        let scale = node.input.get(index + 1).ok_or("too few inputs")?;
        let count = self.constants.floats(scale).ok_or_else(|| format!("its scale \"{scale}\" is not constant"))?.len();
        let rank = self.constants.dims(&node.input[index]).map_or(0, <[i64]>::len) as i64;
        Ok((count > 1).then_some(match node.op_type.as_str() {
            "QLinearMatMul" => rank - 1,
            "QGemm" if integer(node, "transB").unwrap_or(0) == 0 => 1,
            _ => 0,
        }))
    }

    /// The scales of the bias: the product of the input's scale and the weights', one for each scale of the weights.
    /// Their indices, 1 and 4, are the same in both operators that have a bias.
    fn bias_scale(&self, node: &NodeProto) -> Result<Vec<f32>, String> {
        let scales = |index: usize| self.constants.floats(&node.input[index]).ok_or("its scales are not constant");
        let [from] = scales(1)?[..] else { return Err("an input with more than one scale".into()) };
        Ok(scales(4)?.into_iter().map(|scale| from * scale).collect())
    }

    /// The node of the operator on reals, with the attributes that this operator has.
    fn real_operator(
        &self,
        node: &NodeProto,
        operator: &str,
        inputs: Vec<String>,
        output: String,
    ) -> Result<NodeProto, String> {
        // The alpha of a QGemm is 1, as `Expansion::node` has checked.
        let quantized_only = ["channels_last", "alpha", "opset"];
        let keeps =
            |attribute: &&AttributeProto| operator == "LeakyRelu" || !quantized_only.contains(&attribute.name.as_str());
        let mut attributes: Vec<AttributeProto> = node.attribute.iter().filter(keeps).cloned().collect();
        if operator == "Softmax" {
            attributes.retain(|attribute| attribute.name != "axis");
            attributes.push(attribute("axis", self.softmax_axis(node)?));
        }
        Ok(NodeProto {
            op_type: operator.into(),
            name: node_name(node).to_owned(),
            input: inputs,
            output: vec![output],
            attribute: attributes,
            ..NodeProto::default()
        })
    }

    /// The axis of the `Softmax` that a `QLinearSoftmax` stands for. Its attribute `opset` is the version of that
    /// `Softmax`: before version 13 it normalizes over this axis and all after it together, from 13 on over this axis
    /// alone. Both are the same for the last axis.
    fn softmax_axis(&self, node: &NodeProto) -> Result<i64, String> {
        let axis = integer(node, "axis").unwrap_or(-1);
        let opset = integer(node, "opset").ok_or("it lacks the attribute opset, which says which Softmax it is")?;
        if axis != -1 && (opset < 13) != (self.opset < 13) {
            return Err(format!(
                "it is the Softmax of opset {opset} over axis {axis}, in a model of opset {}, where that means \
                 something else; export the model with the axis -1",
                self.opset
            ));
        }
        Ok(axis)
    }

    /// The name of the dequantized tensor of `parts` (tensor, scale, zero point). Each is dequantized once.
    fn dequantized(&mut self, parts: Vec<String>, axis: Option<i64>) -> String {
        let key = (parts, axis);
        if let Some(name) = self.dequantized.get(&key) {
            return name.clone();
        }
        let name = self.name(&format!("{}/dequantized", key.0[0]));
        let node_name = self.name(&format!("{}/dequantize", key.0[0]));
        self.nodes.push(NodeProto {
            op_type: "DequantizeLinear".into(),
            name: node_name,
            input: key.0.clone(),
            output: vec![name.clone()],
            attribute: axis.map(|axis| attribute("axis", axis)).into_iter().collect(),
            ..NodeProto::default()
        });
        self.dequantized.insert(key, name.clone());
        name
    }

    /// Adds a float32 constant and returns its name. One value makes a scalar.
    fn constant(&mut self, wanted: &str, values: Vec<f32>) -> String {
        let name = self.name(wanted);
        self.new_constants.push(TensorProto {
            name: name.clone(),
            dims: if values.len() > 1 { vec![values.len() as i64] } else { vec![] },
            data_type: DataType::Float as i32,
            raw_data: values.into_iter().flat_map(f32::to_le_bytes).collect(),
            ..TensorProto::default()
        });
        name
    }

    /// A name that no tensor and no node of the expansion has, made from `wanted`.
    fn name(&mut self, wanted: &str) -> String {
        let number = self.name_counts.entry(wanted.to_owned()).or_default();
        loop {
            let name = if *number == 0 { wanted.to_owned() } else { format!("{wanted}'{number}") };
            *number += 1;
            if self.used_names.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn integer(node: &NodeProto, name: &str) -> Option<i64> {
    node.attribute.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.i)
}

fn float(node: &NodeProto, name: &str) -> Option<f32> {
    node.attribute.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.f)
}

fn attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i: value, ..AttributeProto::default() }
}
