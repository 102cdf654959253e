//! Tests of whole builds: graphs that must be refused (of other domains, damaged, hostile), rules of ONNX that tract
//! does not know, and panics during the import. `lower/tests.rs` has those of lowering, `conformance.rs` those of
//! results.

use std::fs;

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value as TypeValue};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
};

use super::names::node_name;
use super::panics::faults;
use crate::guard::guarded;
use crate::kernels::available;
use crate::tensor::{Data, Dim};
use crate::{Engine, Error, Graph, Signature, Tensor};

fn golden(name: &str) -> ModelProto {
    let path = format!("{}/../tests/golden/graphs/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    ModelProto::decode(&bytes[..]).expect("an ONNX file")
}

fn built(model: &ModelProto) -> Result<Engine, Error> {
    let graph = Graph::from_bytes(&model.encode_to_vec())?;
    let info = &graph.inputs()[0];
    let lengths = info.dims.iter().flatten().map(|dim| if let Dim::Fixed(length) = dim { *length } else { 1 });
    let outputs = graph.outputs().into_iter().map(|info| info.name).collect();
    let signature = Signature { input: info.name.clone(), shape: lengths.collect(), outputs, taps: vec![] };
    guarded("import", || Engine::build_for(available().last().copied(), graph, &signature, 1))
}

fn attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i: value, ..AttributeProto::default() }
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        name: format!("make {output}"),
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

fn scalar(name: &str, kind: DataType, raw: &[u8]) -> TensorProto {
    TensorProto { name: name.into(), data_type: kind as i32, raw_data: raw.to_vec(), ..TensorProto::default() }
}

fn info(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = |&length: &i64| Dimension { value: Some(Length::DimValue(length)), ..Dimension::default() };
    let shape = Some(TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = TypeValue::TensorType(TensorType { elem_type: DataType::Float as i32, shape });
    let r#type = Some(TypeProto { value: Some(tensor), ..TypeProto::default() });
    ValueInfoProto { name: name.into(), r#type, ..ValueInfoProto::default() }
}

/// A model from `input` of this shape to `output`, with the constants `scale` (1.0), `zero` (a zero point of 0) and
/// `more`.
fn model(opset: i64, shape: &[i64], node: Vec<NodeProto>, more: Vec<TensorProto>) -> ModelProto {
    let mut initializer =
        vec![scalar("scale", DataType::Float, &1.0_f32.to_le_bytes()), scalar("zero", DataType::Uint8, &[0])];
    initializer.extend(more);
    let graph = GraphProto {
        node,
        initializer,
        input: vec![info("input", shape)],
        output: vec![ValueInfoProto { name: "output".into(), ..info("output", &[]) }],
        ..GraphProto::default()
    };
    let opset_import = [("", opset), ("com.microsoft", 1)]
        .map(|(domain, version)| OperatorSetIdProto { domain: domain.into(), version });
    ModelProto { ir_version: 8, opset_import: opset_import.into(), graph: Some(graph), ..ModelProto::default() }
}

/// The message of the error with which [`built`] refuses a model as unsupported.
fn refusal(model: &ModelProto) -> String {
    match built(model) {
        Ok(engine) => panic!("it was opened: {engine:?}"),
        Err(Error::Unsupported(what)) => what,
        Err(other) => panic!("refused as {other:?}"),
    }
}

#[test]
fn check_domains_refuses_operators_of_other_domains() {
    for file in ["qdq-u8.onnx", "qoperator-u8.onnx", "fake-quantized.onnx", "half-quantized.onnx", "dynamic.onnx"] {
        let sound = golden(file);
        assert!(built(&sound).is_ok(), "{file}");
        let nodes = sound.graph.as_ref().expect("a graph").node.len();
        for at in 0..nodes {
            let mut foreign = sound.clone();
            let node = &mut foreign.graph.as_mut().expect("a graph").node[at];
            node.domain = "org.example".into();
            let wanted =
                format!("operator org.example.{} at node \"{}\": not supported", node.op_type, node_name(node));
            let what = refusal(&foreign);
            assert!(what.starts_with(&wanted), "{file}: {what}, not {wanted}");
        }
    }
}

#[test]
fn check_domains_refuses_standard_operators_in_the_microsoft_domain() {
    // https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md lists no Conv, Softmax or
    // QLinearMatMul.
    let weights = TensorProto { dims: vec![4, 3], ..scalar("w", DataType::Uint8, &[1; 12]) };
    let product = |domain: &str| {
        let inputs = ["q", "scale", "zero", "w", "scale", "zero", "scale", "zero"];
        let nodes = vec![
            node("QuantizeLinear", &["input", "scale", "zero"], "q"),
            NodeProto { domain: domain.into(), ..node("QLinearMatMul", &inputs, "p") },
            node("DequantizeLinear", &["p", "scale", "zero"], "output"),
        ];
        model(17, &[2, 4], nodes, vec![weights.clone()])
    };
    assert!(built(&product("")).is_ok() && built(&product("ai.onnx")).is_ok());
    let what = refusal(&product("com.microsoft"));
    assert!(what.starts_with("operator com.microsoft.QLinearMatMul at node \"make p\": not supported"), "{what}");
}

#[test]
fn expand_to_qdq_refuses_channels_last() {
    let mut model = golden("qoperator-u8.onnx");
    let nodes = &mut model.graph.as_mut().expect("a graph").node;
    let node = nodes.iter_mut().find(|node| node.op_type == "QLinearConv").expect("one");
    node.domain = "com.microsoft".into();
    assert!(built(&model).is_ok(), "ONNX Runtime has a QLinearConv of its own");
    let nodes = &mut model.graph.as_mut().expect("a graph").node;
    let node = nodes.iter_mut().find(|node| node.op_type == "QLinearConv").expect("one");
    node.attribute.push(attribute("channels_last", 1));
    assert!(refusal(&model).contains("channels_last is not supported"));
}

/// The output of a `QLinearSoftmax` with these attributes over zeros of 2×3×4, in a model of this opset. Its scale is
/// 1/240.
fn softmax_of_zeros(opset: i64, attributes: &[(&str, i64)]) -> Result<Vec<f32>, Error> {
    let mut softmax = node("QLinearSoftmax", &["q", "scale", "zero", "fine", "zero"], "p");
    softmax.domain = "com.microsoft".into();
    softmax.attribute = attributes.iter().map(|&(name, value)| attribute(name, value)).collect();
    let nodes = vec![
        node("QuantizeLinear", &["input", "scale", "zero"], "q"),
        softmax,
        node("DequantizeLinear", &["p", "scale", "zero"], "output"),
    ];
    let fine = scalar("fine", DataType::Float, &(1.0_f32 / 240.0).to_le_bytes());
    let engine = built(&model(opset, &[2, 3, 4], nodes, vec![fine]))?;
    let zeros = Tensor::f32(vec![2, 3, 4], vec![0.0; 24]).expect("it fits");
    let outputs = engine.run(&zeros)?;
    let Data::F32(values) = outputs[0].data() else { panic!("floats") };
    Ok(values.clone())
}

#[test]
fn qlinear_softmax_follows_its_own_opset() {
    // The softmax of n equal numbers is 1/n: n is 3·4, 3 or 4. Before opset 13 it is over all axes from `axis` on.
    for (opset, attributes, value) in [
        (12, &[("opset", 12), ("axis", 1)][..], 20.0),
        (12, &[("opset", 12), ("axis", 2)], 60.0),
        (12, &[("opset", 12)], 60.0),
        (12, &[("opset", 13)], 60.0),
        (13, &[("opset", 13), ("axis", 1)], 80.0),
        (13, &[("opset", 13)], 60.0),
        (13, &[("opset", 12), ("axis", -1)], 60.0),
        (17, &[("opset", 13), ("axis", 1)], 80.0),
    ] {
        let found =
            softmax_of_zeros(opset, attributes).unwrap_or_else(|error| panic!("{opset} {attributes:?}: {error}"));
        assert_eq!(found, vec![value; 24], "opset {opset}, {attributes:?}");
    }
    for (opset, attributes, wanted) in [
        (13, &[("opset", 12), ("axis", 1)][..], "the Softmax of opset 12 over axis 1, in a model of opset 13"),
        (12, &[("opset", 13), ("axis", 1)], "the Softmax of opset 13 over axis 1, in a model of opset 12"),
        (13, &[("axis", 1)], "lacks the attribute opset"),
    ] {
        let what = softmax_of_zeros(opset, attributes).expect_err("refused").to_string();
        assert!(what.contains(wanted), "{what}");
    }
}

/// Asserts that [`built`] refuses a model as too large, with a message that contains `wanted`.
fn too_large(model: &ModelProto, wanted: &str) {
    match built(model) {
        Err(Error::TooLarge(what)) => assert!(what.contains(wanted), "{what}"),
        other => panic!("{wanted}: {other:?}"),
    }
}

#[test]
fn build_refuses_graphs_above_the_limits() {
    let cosines = |count: usize| {
        let mut nodes: Vec<NodeProto> =
            (0..count).map(|at| node("Cos", &[&format!("t{at}")], &format!("t{}", at + 1))).collect();
        nodes.insert(0, node("Identity", &["input"], "t0"));
        nodes.push(node("Identity", &[&format!("t{count}")], "output"));
        model(17, &[1, 2, 2, 2], nodes, vec![])
    };
    // At most 384 nodes, and one more for each 8192 bytes. A node has some 20 bytes.
    assert!(built(&cosines(380)).is_ok());
    let left = "nodes beside those that are run in integers, with inputs beyond 4 counted; at most ";
    too_large(&cosines(520), &format!("the graph has 522 {left}385 "));
    too_large(&cosines(4_095), &format!("the graph has 4097 {left}400 "));
    too_large(&cosines(16_383), "it has 16385 nodes; at most 16384");

    let sum = |count: usize| {
        let nodes = vec![node("Sum", &vec!["input"; count], "output")];
        model(17, &[1, 2, 2, 2], nodes, vec![])
    };
    assert!(built(&sum(300)).is_ok());
    too_large(&sum(600), &format!("the graph has 597 {left}"));
    too_large(&sum(1_025), "operator Sum at node \"make output\" has 1025 inputs and 1 outputs; at most 1024 of each");

    let inputs = vec!["input"; 1_000];
    let mut nodes: Vec<NodeProto> = (0..132).map(|at| node("Sum", &inputs, &format!("all{at}"))).collect();
    nodes.push(node("Cos", &["all0"], "output"));
    too_large(&model(17, &[1, 2, 2, 2], nodes, vec![]), "its nodes have 132001 inputs; at most 131072");

    let name = "n".repeat(2_049);
    let nodes = vec![node("Cos", &["input"], &name), node("Identity", &[&name], "output")];
    too_large(&model(17, &[1, 2, 2, 2], nodes, vec![]), "a tensor's name has 2049 bytes; at most 2048");

    // A hundred nodes read the same megabyte of weights. Each would keep its own copy.
    let weights = TensorProto { dims: vec![2, 2, 1, 65_536], ..scalar("w", DataType::Float, &vec![0; 1 << 20]) };
    let mut nodes: Vec<NodeProto> =
        (0..100).map(|at| node("Conv", &[&format!("t{at}"), "w"], &format!("t{}", at + 1))).collect();
    nodes.insert(0, node("Identity", &["input"], "t0"));
    nodes.push(node("Identity", &["t100"], "output"));
    too_large(&model(17, &[1, 2, 2, 2], nodes, vec![weights]), "nodes have read the same constants too often");
}

/// An int64 constant of one axis.
fn int64s(name: &str, values: &[i64]) -> TensorProto {
    let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    TensorProto { dims: vec![values.len() as i64], raw_data, ..scalar(name, DataType::Int64, &[]) }
}

/// An attribute that is a list of integers.
fn list(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints as i32,
        ints: ints.into(),
        ..AttributeProto::default()
    }
}

/// While tract infers shapes, it computes results that depend on constants alone. Each of these graphs makes it compute
/// gigabytes, in its own way.
#[test]
fn bounded_refuses_large_results_of_constants_before_they_are_computed() {
    let with = |mut node: NodeProto, attribute: AttributeProto| {
        node.attribute.push(attribute);
        node
    };

    let of_shape = || node("ConstantOfShape", &["shape"], "k");
    let vector = TensorProto { dims: vec![40_000, 1], ..scalar("v", DataType::Float, &vec![0; 160_000]) };
    let across = TensorProto { dims: vec![1, 40_000], ..scalar("w", DataType::Float, &vec![0; 160_000]) };
    let limits = ["start", "end", "step"].into_iter().zip([0, 1_i64 << 30, 1]);
    let limits = limits.map(|(name, value)| scalar(name, DataType::Int64, &value.to_le_bytes())).collect();
    let cases: Vec<(Vec<NodeProto>, Vec<TensorProto>)> = vec![
        (vec![of_shape()], vec![int64s("shape", &[1 << 17, 1 << 16])]),
        (vec![with(node("Constant", &[], "shape"), list("value_ints", &[1 << 17, 1 << 16])), of_shape()], vec![]),
        (vec![node("Mul", &["a", "a"], "shape"), of_shape()], vec![int64s("a", &[1 << 9, 1 << 8])]),
        (
            vec![node("Shape", &["input"], "of"), node("Mul", &["of", "a"], "shape"), of_shape()],
            vec![int64s("a", &[1 << 10; 4])],
        ),
        (vec![node("Expand", &["a", "shape"], "k")], vec![int64s("a", &[1]), int64s("shape", &[1 << 17, 1 << 16])]),
        (vec![node("Tile", &["a", "shape"], "k")], vec![int64s("a", &[1; 256]), int64s("shape", &[1 << 30])]),
        (vec![node("Range", &["start", "end", "step"], "k")], limits),
        (vec![node("Mul", &["v", "w"], "k")], vec![vector.clone(), across.clone()]),
        (vec![node("MatMul", &["v", "w"], "k")], vec![vector, across]),
        // Each tensor is below the limit, and all together are above it.
        (
            (0..9)
                .map(|at| node("ConstantOfShape", &["shape"], &format!("k{at}")))
                .chain([node("Sum", &["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"], "k")])
                .collect(),
            vec![int64s("shape", &[1 << 21])],
        ),
    ];
    for (mut nodes, constants) in cases {
        nodes.push(node("Cos", &["k"], "output"));
        let what = format!("{:?}", nodes.iter().map(|node| &node.op_type).collect::<Vec<_>>());
        match built(&model(17, &[1, 2, 2, 2], nodes, constants)) {
            Err(Error::TooLarge(message)) => assert!(message.starts_with("operator "), "{what}: {message}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    // A small result is allowed.
    let nodes = vec![of_shape(), node("Add", &["input", "k"], "output")];
    assert!(built(&model(17, &[1, 2, 2, 2], nodes, vec![int64s("shape", &[1, 2, 2, 2])])).is_ok());
}

#[test]
fn bounded_refuses_tensors_of_many_axes() {
    for count in [13, 200] {
        let axes: Vec<i64> = (0..count).collect();
        let nodes = vec![node("Unsqueeze", &["input", "axes"], "a"), node("Cos", &["a"], "output")];
        too_large(&model(17, &[1, 2, 2, 2], nodes, vec![int64s("axes", &axes)]), "axes; at most 16 are served");
        let mut shape = vec![1; count as usize];
        shape.extend([2, 2, 2, 1]);
        let nodes = vec![node("Reshape", &["input", "shape"], "a"), node("Cos", &["a"], "output")];
        too_large(&model(17, &[1, 2, 2, 2], nodes, vec![int64s("shape", &shape)]), "axes; at most 16 are served");
    }
}

#[test]
fn check_refuses_invalid_attributes() {
    let refused = |operator: &str, attribute: AttributeProto, wanted: &str| {
        let mut node = node(operator, &["input"], "output");
        node.attribute.push(attribute);
        let what = built(&model(17, &[1, 2, 2, 2], vec![node], vec![])).expect_err("refused").to_string();
        assert!(what.contains(wanted), "{what}");
    };
    refused("Transpose", list("perm", &[0, 0, 0, 0]), "\"make output\": perm [0, 0, 0, 0] is no order of axes");
    refused("Transpose", list("perm", &[0, 1, 2, 4]), "perm [0, 1, 2, 4] is no order of axes");
    refused("MaxPool", list("kernel_shape", &[0, 1]), "kernel_shape [0, 1] must be positive");
    refused("MaxPool", list("dilations", &[1, -1]), "dilations [1, -1] must be positive");
    refused("LRN", attribute("size", 0), "size must be positive");
    let nodes = vec![node("Pad", &["input", "pads"], "output")];
    let cropped = model(17, &[1, 2, 2, 2], nodes, vec![int64s("pads", &[0, 0, 0, 0, 0, 0, -1, 0])]);
    assert!(refusal(&cropped).contains("\"make output\": negative pads"));
    refused("HannWindow", attribute("output_datatype", 1), "operator HannWindow");
}

/// 10,000 concatenated parts of one name, each with a scale of its own. Each needs a node with a unique name.
#[test]
fn expansion_to_qdq_of_many_equal_names_is_linear() {
    let parts = |nodes: usize| {
        let scale = |at: usize| scalar(&format!("s{at}"), DataType::Float, &1.0_f32.to_le_bytes());
        let concat = |first: usize| {
            let mut inputs = vec!["s0".to_owned(), "zero".into()];
            (first..first + 250).for_each(|at| inputs.extend(["x".into(), format!("s{at}"), "zero".into()]));
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let node = node("QLinearConcat", &inputs, &format!("k{first}"));
            NodeProto { domain: "com.microsoft".into(), attribute: vec![attribute("axis", 1)], ..node }
        };
        let mut all = vec![node("QuantizeLinear", &["input", "s0", "zero"], "x")];
        all.extend((0..nodes).map(|number| concat(number * 250)));
        all.push(node("DequantizeLinear", &["x", "s0", "zero"], "output"));
        model(17, &[1, 2, 2, 2], all, (0..nodes * 250).map(scale).collect())
    };
    assert!(built(&parts(40)).is_ok());
    too_large(&parts(80), "its QLinear operators mean more than 16384 nodes");
}

/// The value input of `Pad` has a meaning for constant padding alone (ONNX, Pad).
#[test]
fn pad_of_edges_ignores_the_padding_value() {
    let edge = AttributeProto {
        name: "mode".into(),
        s: "edge".into(),
        r#type: AttributeType::String as i32,
        ..AttributeProto::default()
    };
    let pad = NodeProto { attribute: vec![edge], ..node("Pad", &["input", "pads", "scale"], "a") };
    let nodes = vec![pad, node("Neg", &["a"], "output")];
    let padded = model(17, &[1, 1, 1, 2], nodes, vec![int64s("pads", &[0, 0, 0, 1, 0, 0, 0, 1])]);
    let engine = built(&padded).expect("served");
    let outputs = engine.run(&Tensor::f32(vec![1, 1, 1, 2], vec![3.0, 5.0]).expect("it fits")).expect("it runs");
    assert_eq!(outputs[0].data(), &Data::F32(vec![-3.0, -3.0, -5.0, -5.0]));
}

/// A channel shuffle, as ONNX Runtime quantizes it. tract computes the tensor of five axes between two partitions.
fn shuffled() -> ModelProto {
    let quantized = |from: &str, to: &str| {
        let bytes = format!("{to} bytes");
        [
            node("QuantizeLinear", &[from, "scale", "zero"], &bytes),
            node("DequantizeLinear", &[&bytes, "scale", "zero"], to),
        ]
    };
    let mut nodes: Vec<NodeProto> = quantized("input", "a").into();
    nodes.push(node("Reshape", &["a", "apart"], "b"));
    nodes.extend(quantized("b", "c"));
    nodes.push(NodeProto { attribute: vec![list("perm", &[0, 2, 1, 3, 4])], ..node("Transpose", &["c"], "d") });
    nodes.extend(quantized("d", "e"));
    nodes.push(node("Reshape", &["e", "together"], "f"));
    nodes.extend(quantized("f", "g"));
    nodes.push(node("Relu", &["g"], "h"));
    nodes.extend(quantized("h", "output"));
    let constants = vec![int64s("apart", &[1, 2, 3, 2, 2]), int64s("together", &[1, 6, 2, 2])];
    model(17, &[1, 6, 2, 2], nodes, constants)
}

#[test]
fn partition_graph_leaves_tensors_of_five_axes_to_tract() {
    let values: Vec<f32> = (0..24).map(|at| at as f32 - 8.0).collect();
    let engine = built(&shuffled()).expect("served");
    let given = Tensor::f32(vec![1, 6, 2, 2], values.clone()).expect("it fits");
    let outputs = engine.run(&given).expect("it runs");
    let Data::F32(found) = outputs[0].data() else { panic!("floats") };
    // The scale is 1 and the zero point 0: integers keep their values, and negative ones become 0.
    let wanted = [0, 3, 1, 4, 2, 5].iter().flat_map(|channel| &values[channel * 4..][..4]).map(|value| value.max(0.0));
    assert!(found.iter().copied().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-6), "{found:?}");
}

/// The image is quantized, padded until a program of it would be too large, and dequantized.
#[test]
fn lower_has_the_limits_of_prepared_programs() {
    let pads = |name: &str, pad: i64| TensorProto {
        dims: vec![8],
        raw_data: [0, 0, pad, pad, 0, 0, pad, pad].iter().flat_map(|length: &i64| length.to_le_bytes()).collect(),
        ..scalar(name, DataType::Int64, &[])
    };
    let padded = |pad: i64| {
        let nodes = vec![
            node("QuantizeLinear", &["input", "scale", "zero"], "q"),
            node("DequantizeLinear", &["q", "scale", "zero"], "a"),
            node("Pad", &["a", "pads"], "b"),
            node("QuantizeLinear", &["b", "scale", "zero"], "r"),
            node("DequantizeLinear", &["r", "scale", "zero"], "output"),
        ];
        model(17, &[1, 2, 2, 2], nodes, vec![pads("pads", pad)])
    };
    assert!(built(&padded(20)).expect("served").steps().is_ok());
    too_large(&padded(4_096), "of shape [1, 8194, 8194, 2] is larger than 512 MiB");
}

/// A function that damages a node.
type Change = Box<dyn Fn(&mut NodeProto)>;

#[test]
fn outline_names_the_node_at_which_tract_panics() {
    let set = |list: &'static str, value: i64| {
        move |node: &mut NodeProto| {
            let attribute = node.attribute.iter_mut().find(|attribute| attribute.name == list).expect("it has one");
            attribute.ints[0] = value;
        }
    };
    let cases: [(&str, &str, Change); 1] = [("ReduceMean", "/ReduceMean", Box::new(set("axes", 7)))];
    for (operator, name, change) in cases {
        let mut damaged = golden("gray.onnx");
        let nodes = &mut damaged.graph.as_mut().expect("a graph").node;
        change(nodes.iter_mut().find(|node| node.name == name).expect("it has this node"));
        let wanted = format!("operator {operator} at node \"{name}\" can't be imported: ");
        match built(&damaged) {
            Err(Error::Malformed(what)) => assert!(what.starts_with(&wanted), "{what}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn engine_code_panic_during_import_is_an_internal_error() {
    let model = shuffled();
    built(&model).expect("served");
    let call_sites = faults::seen();
    let in_file = |name: &str| call_sites.iter().filter(|(file, _)| file.ends_with(name)).count();
    // The calls that an import reaches, all but those of a run (`eval`).
    let calls = ["onnx/bounded.rs", "onnx/build.rs", "onnx/partition.rs", "quantized/operators.rs"].map(in_file);
    assert_eq!(calls, [1, 4, 2, 2], "{call_sites:?}");
    for call_site in call_sites {
        match faults::with(call_site, || built(&model)) {
            Err(Error::Internal(what)) => assert!(what.contains("an injected fault"), "{call_site:?}: {what}"),
            other => panic!("{call_site:?}: {other:?}"),
        }
    }
}

#[test]
fn plan_run_errors_are_not_internal_and_quote_no_values() {
    // A `DequantizeLinear` of floats, which tract rejects only when it runs.
    let nodes = vec![node("DequantizeLinear", &["input", "scale"], "output")];
    let engine = built(&model(17, &[1, 2, 2, 2], nodes, vec![])).expect("served");
    let values = Tensor::f32(vec![1, 2, 2, 2], vec![0.625; 8]).expect("it fits");
    match engine.run(&values) {
        Err(Error::Unsupported(what)) => {
            assert!(
                what.contains("can't be run") && what.contains("\"make output\"") && !what.contains("0.625"),
                "{what}"
            );
        }
        other => panic!("{other:?}"),
    }

    let engine = built(&golden("bytes.onnx")).expect("served");
    let values = Tensor::f32(vec![1, 32, 32, 3], vec![0.625; 3072]).expect("it fits");
    match engine.run(&values) {
        Err(Error::Tensor(what)) => assert!(what.contains("another type") && !what.contains("0.625"), "{what}"),
        other => panic!("{other:?}"),
    }
}
