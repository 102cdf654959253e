//! ONNX Runtime's `QOperator` graphs, spelled out as QDQ graphs.
//!
//! A `QLinearConv` means what a `Conv` between `DequantizeLinear` and `QuantizeLinear` means, and so do its relatives, those
//! of `com.microsoft` among them. They are replaced by exactly these nodes when a graph is read, so that all that follows
//! knows one way of writing quantization.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use crate::onnx::constants::Constants;
use crate::onnx::limits::MAX_NODES;
use crate::onnx::names::{full_name, is_standard, node_name};
use crate::{Error, Result};

/// What an operator means, and where its inputs stand.
struct Meaning {
    /// The operator on reals.
    operator: &'static str,
    /// The place of each quantized input, behind which stand its scale and zero point.
    inputs: Vec<usize>,
    /// The place of the result's scale, behind which stands its zero point.
    result: usize,
    /// The place of a bias of 32-bit integers in units of the product of the inputs' scales.
    bias: Option<usize>,
}

/// The meaning of a `QOperator` node.
fn meaning(node: &NodeProto) -> Option<Meaning> {
    let (standard, microsoft) = (is_standard(node), node.domain == "com.microsoft");
    let of = |operator, inputs: &[usize], result| Meaning { operator, inputs: inputs.to_vec(), result, bias: None };
    Some(match (node.op_type.as_str(), standard, microsoft) {
        ("QLinearConv", true, _) | ("QLinearConv", _, true) => Meaning { bias: Some(8), ..of("Conv", &[0, 3], 6) },
        ("QGemm", _, true) => Meaning { bias: Some(6), ..of("Gemm", &[0, 3], 7) },
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

/// Whether a node is a `QOperator` one.
pub(crate) fn is_one(node: &NodeProto) -> bool {
    meaning(node).is_some()
}

/// Replaces all `QOperator` nodes of a graph of this version of the standard operators.
///
/// # Errors
/// [`Error::Unsupported`] names the operator, the node, and what of it has no such meaning here; [`Error::TooLarge`] where they mean
/// too many nodes.
pub(crate) fn spell_out(graph: &mut GraphProto, opset: i64) -> Result<()> {
    if !graph.node.iter().any(is_one) {
        return Ok(());
    }
    let mut spelling = Spelling::of(graph, opset);
    for node in &graph.node {
        match meaning(node) {
            None => spelling.nodes.push(node.clone()),
            Some(meaning) => spelling.node(node, &meaning).map_err(|reason| {
                let (operator, node) = (full_name(node), node_name(node));
                Error::Unsupported(format!("operator {operator} at node \"{node}\": {reason}"))
            })?,
        }
        if spelling.nodes.len() > MAX_NODES {
            return Err(Error::TooLarge(format!(
                "the graph is too large: its QLinear operators mean more than {MAX_NODES} nodes, and no more are served"
            )));
        }
    }
    let Spelling { nodes, made, .. } = spelling;
    graph.node = nodes;
    graph.initializer.extend(made);
    Ok(())
}

struct Spelling<'a> {
    constants: Constants<'a>,
    /// The version of the standard operators.
    opset: i64,
    nodes: Vec<NodeProto>,
    /// Constants that the graph has more.
    made: Vec<TensorProto>,
    taken: HashSet<String>,
    /// How many names have been made of one that was wanted.
    made_of: HashMap<String, usize>,
    /// The reals of a quantized tensor, by its name and those of its scale, zero point and axis.
    reals: HashMap<(Vec<String>, Option<i64>), String>,
}

impl<'a> Spelling<'a> {
    fn of(graph: &'a GraphProto, opset: i64) -> Spelling<'a> {
        let names = graph.node.iter().flat_map(|node| node.output.iter().chain(&node.input));
        let given =
            graph.initializer.iter().map(|tensor| &tensor.name).chain(graph.input.iter().map(|info| &info.name));
        Spelling {
            constants: Constants::of(graph),
            opset,
            nodes: vec![],
            made: vec![],
            taken: names.chain(given).cloned().collect(),
            made_of: HashMap::new(),
            reals: HashMap::new(),
        }
    }

    fn node(&mut self, node: &NodeProto, meaning: &Meaning) -> Result<(), String> {
        if node.op_type == "QGemm" && float(node, "alpha").is_some_and(|alpha| alpha.to_bits() != 1.0_f32.to_bits()) {
            return Err("an alpha other than 1 is not supported".into());
        }
        if integer(node, "channels_last").is_some_and(|last| last != 0) {
            return Err("channels_last is not supported; export the model with channels first".into());
        }
        let mut inputs = vec![];
        for (number, &place) in meaning.inputs.iter().enumerate() {
            let axis = if number == 1 && meaning.operator != "Concat" { self.axis(node, place)? } else { None };
            let parts = (0..3).map(|part| node.input.get(place + part).cloned().unwrap_or_default()).collect();
            inputs.push(self.dequantized(parts, axis));
        }
        if let Some(name) = meaning.bias.and_then(|place| node.input.get(place)).filter(|name| !name.is_empty()) {
            let scale = self.bias_scale(node)?;
            let axis = (scale.len() > 1).then_some(0);
            let scale = self.constant(&format!("{name}/scale"), scale);
            inputs.push(self.dequantized(vec![name.clone(), scale], axis));
        }
        let scale = node.input.get(meaning.result).filter(|name| !name.is_empty());
        let output = node.output.first().ok_or("it has no output")?;
        let Some(scale) = scale else {
            let real = self.real_operator(node, meaning.operator, inputs, output.clone())?;
            self.nodes.push(real);
            return Ok(());
        };
        let real = self.name(&format!("{output}/real"));
        let real_operator = self.real_operator(node, meaning.operator, inputs, real.clone())?;
        self.nodes.push(real_operator);
        let zero_point = node.input.get(meaning.result + 1).cloned().unwrap_or_default();
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

    /// The axis that the scales of weights lie along, where there is more than one.
    fn axis(&self, node: &NodeProto, place: usize) -> Result<Option<i64>, String> {
        let scale = node.input.get(place + 1).ok_or("too few inputs")?;
        let count = self.constants.floats(scale).ok_or_else(|| format!("its scale \"{scale}\" is not constant"))?.len();
        let rank = self.constants.dims(&node.input[place]).map_or(0, <[i64]>::len) as i64;
        Ok((count > 1).then_some(match node.op_type.as_str() {
            "QLinearMatMul" => rank - 1,
            "QGemm" if integer(node, "transB").unwrap_or(0) == 0 => 1,
            _ => 0,
        }))
    }

    /// What a bias counts in.
    fn bias_scale(&self, node: &NodeProto) -> Result<Vec<f32>, String> {
        let scales = |place: usize| self.constants.floats(&node.input[place]).ok_or("its scales are not constant");
        let [from] = scales(1)?[..] else { return Err("an input with more than one scale".into()) };
        Ok(scales(4)?.into_iter().map(|scale| from * scale).collect())
    }

    /// The operator on reals, with those attributes that it knows.
    fn real_operator(
        &self,
        node: &NodeProto,
        operator: &str,
        inputs: Vec<String>,
        output: String,
    ) -> Result<NodeProto, String> {
        let ours = ["channels_last", "alpha", "opset"];
        let keeps = |attribute: &&AttributeProto| operator == "LeakyRelu" || !ours.contains(&attribute.name.as_str());
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

    /// The axis of the `Softmax` that a `QLinearSoftmax` means. Its attribute `opset` says which version that is: before 13 it
    /// takes this axis and all behind it for one, from then on this axis alone. The two are one where it is the last.
    fn softmax_axis(&self, node: &NodeProto) -> Result<i64, String> {
        let axis = integer(node, "axis").unwrap_or(-1);
        let opset = integer(node, "opset").ok_or("it lacks the attribute opset, which says which Softmax it is")?;
        if axis != -1 && (opset < 13) != (self.opset < 13) {
            return Err(format!(
                "it is the Softmax of opset {opset} over axis {axis}, in a model of opset {}, where that means something else; \
                 export the model with the axis -1",
                self.opset
            ));
        }
        Ok(axis)
    }

    /// A tensor as reals, dequantized once however often it is read.
    fn dequantized(&mut self, parts: Vec<String>, axis: Option<i64>) -> String {
        let key = (parts, axis);
        if let Some(name) = self.reals.get(&key) {
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
        self.reals.insert(key, name.clone());
        name
    }

    fn constant(&mut self, wanted: &str, values: Vec<f32>) -> String {
        let name = self.name(wanted);
        self.made.push(TensorProto {
            name: name.clone(),
            dims: if values.len() > 1 { vec![values.len() as i64] } else { vec![] },
            data_type: DataType::Float as i32,
            raw_data: values.into_iter().flat_map(f32::to_le_bytes).collect(),
            ..TensorProto::default()
        });
        name
    }

    /// A name that nothing in the graph has.
    fn name(&mut self, wanted: &str) -> String {
        let number = self.made_of.entry(wanted.to_owned()).or_default();
        loop {
            let name = if *number == 0 { wanted.to_owned() } else { format!("{wanted}'{number}") };
            *number += 1;
            if self.taken.insert(name.clone()) {
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
