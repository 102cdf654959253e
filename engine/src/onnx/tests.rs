//! What a graph must not be: of another domain, damaged, or made to keep whoever opens it busy.

use std::fs;

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value as Kind};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
};

use super::operators::node_name;
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
    let signature = Signature { input: info.name.clone(), shape: lengths.collect(), outputs };
    Engine::build_for(available().last().copied(), graph, &signature, 1)
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
    let tensor = Kind::TensorType(TensorType { elem_type: DataType::Float as i32, shape });
    let r#type = Some(TypeProto { value: Some(tensor), ..TypeProto::default() });
    ValueInfoProto { name: name.into(), r#type, ..ValueInfoProto::default() }
}

/// A model from `input` of this shape to `output`, with the constants `scale`, 1, and `zero`, 0.
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

/// What `built` refuses a model with.
fn refusal(model: &ModelProto) -> String {
    match built(model) {
        Ok(engine) => panic!("it was opened: {engine:?}"),
        Err(Error::Unsupported(what)) => what,
        Err(other) => panic!("refused as {other:?}"),
    }
}

#[test]
fn an_operator_of_another_domain_is_refused_whatever_its_type() {
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
fn microsofts_domain_has_its_own_operators_alone() {
    // https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md lists no Conv, Softmax or QLinearMatMul.
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
fn channels_last_is_refused_for_every_operator_that_has_it() {
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

/// A `QLinearSoftmax` with these attributes over zeros of 2×3×4, in a model of this opset: what it gives, in 240ths.
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
fn a_quantized_softmax_is_that_of_its_own_opset() {
    // Equal numbers share 1: over 3·4 of them, over 3, over 4. Before opset 13 the axes from `axis` on are one.
    for (opset, attributes, share) in [
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
        assert_eq!(found, vec![share; 24], "opset {opset}, {attributes:?}");
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

fn too_large(model: &ModelProto, wanted: &str) {
    match built(model) {
        Err(Error::TooLarge(what)) => assert!(what.contains(wanted), "{what}"),
        other => panic!("{wanted}: {other:?}"),
    }
}

#[test]
fn more_than_networks_are_is_refused_before_it_is_made() {
    let cosines = |count: usize| {
        let mut nodes: Vec<NodeProto> =
            (0..count).map(|at| node("Cos", &[&format!("t{at}")], &format!("t{}", at + 1))).collect();
        nodes.insert(0, node("Identity", &["input"], "t0"));
        nodes.push(node("Identity", &[&format!("t{count}")], "output"));
        model(17, &[1, 2, 2, 2], nodes, vec![])
    };
    // 512, and one for each 4096 bytes: some 20 bytes a node.
    assert!(built(&cosines(510)).is_ok());
    too_large(&cosines(520), "the graph has 522 nodes beside those that are run in integers; at most 51");
    too_large(&cosines(4_095), "the graph has 4097 nodes beside those that are run in integers; at most 5");
    too_large(&cosines(16_383), "the graph has 16385 nodes; at most 16384");

    let name = "n".repeat(2_049);
    let nodes = vec![node("Cos", &["input"], &name), node("Identity", &[&name], "output")];
    too_large(&model(17, &[1, 2, 2, 2], nodes, vec![]), "a tensor's name has 2049 bytes; at most 2048");

    // A megabyte of weights that a hundred nodes read: each would keep them for itself.
    let weights = TensorProto { dims: vec![2, 2, 1, 65_536], ..scalar("w", DataType::Float, &vec![0; 1 << 20]) };
    let mut nodes: Vec<NodeProto> =
        (0..100).map(|at| node("Conv", &[&format!("t{at}"), "w"], &format!("t{}", at + 1))).collect();
    nodes.insert(0, node("Identity", &["input"], "t0"));
    nodes.push(node("Identity", &["t100"], "output"));
    too_large(&model(17, &[1, 2, 2, 2], nodes, vec![weights]), "nodes have read the same constants too often");

    // Shapes of 2²⁶ elements each, of which two may be.
    let shape = TensorProto {
        dims: vec![2],
        raw_data: [1_i64 << 13; 2].iter().flat_map(|length| length.to_le_bytes()).collect(),
        ..scalar("shape", DataType::Int64, &[])
    };
    let mut nodes: Vec<NodeProto> = (0..3).map(|at| node("ConstantOfShape", &["shape"], &format!("k{at}"))).collect();
    nodes.push(node("Identity", &["input"], "output"));
    too_large(&model(17, &[1, 2, 2, 2], nodes, vec![shape]), "at most 134217728 are allowed in all");
}

/// An image that is quantized, enlarged until a program of it would be too large, and made floats again.
#[test]
fn what_is_lowered_has_the_bounds_of_what_is_prepared() {
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

/// What damages a node.
type Change = Box<dyn Fn(&mut NodeProto)>;

#[test]
fn a_panic_of_tracts_import_is_a_malformed_model_named_by_its_node() {
    let set = |list: &'static str, value: i64| {
        move |node: &mut NodeProto| {
            let attribute = node.attribute.iter_mut().find(|attribute| attribute.name == list).expect("it has one");
            attribute.ints[0] = value;
        }
    };
    let cases: [(&str, &str, Change); 3] = [
        ("Conv", "/block/block.6/up/Conv", Box::new(set("strides", 0))),
        ("Conv", "/block/block.6/up/Conv", Box::new(set("pads", i64::MAX))),
        ("ReduceMean", "/ReduceMean", Box::new(set("axes", 7))),
    ];
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
fn what_can_not_be_run_is_no_fault_of_ours_and_quotes_no_values() {
    // `DequantizeLinear` of floats, which tract finds out only when it runs.
    let nodes = vec![node("DequantizeLinear", &["input", "scale"], "output")];
    let engine = built(&model(17, &[1, 2, 2, 2], nodes, vec![])).expect("taken in");
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
