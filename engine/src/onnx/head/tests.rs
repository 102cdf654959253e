//! Tests of the linear head: that it is found, and that the map which it makes of the features has the logits as its
//! means.

use std::sync::atomic::AtomicBool;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value as TypeValue};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
};

use crate::kernels::available;
use crate::onnx::constants::Constants;
use crate::onnx::taps::tests::{of_shipped, run_image, shipped};
use crate::{Engine, Graph, Head, Input, Prepared, Signature, Tap, TapKind, Tensor};
use prost::Message;

/// Asserts that the mean over all pixels of the map that a head makes of `features`, with the bias, is each logit: to
/// half a `step` of each pooled channel, and to as much more as a channel's mean is beyond what its bytes can hold.
/// `pooled` has what the product reads.
fn assert_map_gives_logits(what: &str, head: &Head, [features, pooled, logits]: [&Tensor; 3], step: f32) -> f64 {
    let [features, pooled, logits] = [features, pooled, logits].map(|tensor| tensor.as_f32().expect("floats"));
    let pixels = features.len() / head.channels;
    let (mut max, real) = (0.0_f64, |value: &f32| f64::from(*value));
    for (label, logit) in logits.iter().enumerate() {
        let weights = head.weights_of(label);
        let map = |pixel: usize| -> f64 {
            weights.iter().enumerate().map(|(c, weight)| real(weight) * real(&features[c * pixels + pixel])).sum()
        };
        let mean = (0..pixels).map(map).sum::<f64>() / pixels as f64 + real(&head.bias[label]);
        let bound: f64 = weights
            .iter()
            .enumerate()
            .map(|(c, weight)| {
                let mean = features[c * pixels..][..pixels].iter().map(real).sum::<f64>() / pixels as f64;
                let beyond = (mean - real(&pooled[c])).abs();
                real(weight).abs() * if beyond > 0.51 * f64::from(step) { beyond } else { f64::from(step) / 2.0 }
            })
            .sum();
        let size: f64 = weights.iter().enumerate().map(|(c, weight)| (real(weight) * real(&pooled[c])).abs()).sum();
        let rounding = 1e-5 * (size + real(&head.bias[label]).abs());
        let off = (mean - real(logit)).abs();
        assert!(off <= bound + rounding, "{what}, label {label}: {mean} for {logit}, {off} off and {bound} allowed");
        max = max.max(off / (bound + rounding));
    }
    max
}

/// The taps that a heat map needs.
fn taps_of(head: &Head) -> Vec<Tap> {
    [&head.features, &head.pooled].map(|name| Tap { name: name.clone(), kind: TapKind::Values }).to_vec()
}

#[test]
fn map_of_the_shipped_models_has_the_logits_as_its_means() {
    for (model, graph, images) in shipped() {
        let head = graph.head("logits").expect("it has one");
        assert_eq!((head.labels, head.channels), (3, 1280), "{model}");
        assert_eq!(head.initializer, "head.weight_quantized", "{model}");
        let step = Constants::of(graph.proto()).floats("view_scale").expect("one")[0];
        let engine = Engine::build_for(available().pop(), graph, &of_shipped(taps_of(&head)), 1).expect("served");
        for image in images {
            let found = run_image(&engine, &image);
            let tensors = [&found.taps[0], &found.taps[1], &found.outputs[0]];
            let max = assert_map_gives_logits(&model, &head, tensors, step);
            println!("{model}: {max} of the bound");
        }
    }
}

// Random networks.

fn attribute(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints as i32,
        ints: ints.into(),
        ..AttributeProto::default()
    }
}

fn flag(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i: value, ..AttributeProto::default() }
}

fn node(operator: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        name: format!("make {output}"),
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: vec![output.into()],
        attribute,
        ..NodeProto::default()
    }
}

fn constant(name: &str, dims: &[i64], kind: DataType, raw_data: Vec<u8>) -> TensorProto {
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type: kind as i32, raw_data, ..TensorProto::default() }
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    constant(name, dims, DataType::Float, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn int64s(name: &str, values: &[i64]) -> TensorProto {
    let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    constant(name, &[values.len() as i64], DataType::Int64, raw)
}

fn info(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = |&length: &i64| Dimension { value: Some(Length::DimValue(length)), ..Dimension::default() };
    let shape = Some(TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = TypeValue::TensorType(TensorType { elem_type: DataType::Float as i32, shape });
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(tensor), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

/// Pseudorandom numbers (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }

    fn real(&mut self, max: f32) -> f32 {
        (self.below(20_001) as f32 / 10_000.0 - 1.0) * max
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}

const SIDE: usize = 6;
const STEP: f32 = 0.01;

/// How a network is written.
#[derive(Debug, Clone, Copy)]
struct Form {
    is_quantized: bool,
    pooling: &'static str,
    product: &'static str,
    is_signed: bool,
}

/// A network of a convolution, a mean and a product, with `channels` pooled channels and `labels` labels.
fn network(form: Form, [channels, labels]: [usize; 2], random: &mut Random) -> Graph {
    let (wide, long) = (channels as i64, labels as i64);
    let (mut nodes, mut constants) = (vec![], vec![]);
    let zero = if form.is_signed { (DataType::Int8, vec![156]) } else { (DataType::Uint8, vec![28]) };
    constants.push(constant("zero", &[], zero.0, zero.1));
    for (name, scale) in [("scale_x", 0.02), ("scale_f", 0.03), ("scale_p", STEP)] {
        constants.push(floats(name, &[], &[scale]));
    }
    let quantize = |nodes: &mut Vec<NodeProto>, name: &str, scale: &str| {
        if !form.is_quantized {
            return name.to_owned();
        }
        let (integers, reals) = (format!("{name}_q"), format!("{name}_dq"));
        nodes.push(node("QuantizeLinear", &[name, scale, "zero"], &integers, vec![]));
        nodes.push(node("DequantizeLinear", &[&integers, scale, "zero"], &reals, vec![]));
        reals
    };
    let from = quantize(&mut nodes, "input", "scale_x");
    // The weights of a convolution of 3 channels, and of the head.
    let mut weights = |nodes: &mut Vec<NodeProto>, name: &str, dims: &[i64], axis: i64, max: f32| {
        let count = dims.iter().product::<i64>() as usize;
        let slices = dims[axis as usize];
        if !form.is_quantized {
            let values: Vec<f32> = (0..count).map(|_| random.real(max)).collect();
            constants.push(floats(name, dims, &values));
            return name.to_owned();
        }
        let scales: Vec<f32> = (0..slices).map(|_| max / 128.0 * (1.0 + random.real(0.5))).collect();
        constants.push(constant(name, dims, DataType::Int8, random.bytes(count)));
        constants.push(floats(&format!("{name}_scale"), &[slices], &scales));
        let reals = format!("{name}_dq");
        nodes.push(node("DequantizeLinear", &[name, &format!("{name}_scale")], &reals, vec![flag("axis", axis)]));
        reals
    };
    let kernel = weights(&mut nodes, "kernel", &[wide, 3, 3, 3], 0, 0.2);
    let (dims, axis): (&[i64], i64) = match form.product {
        "Conv" => (&[long, wide, 1, 1], 0),
        "Gemm" => (&[long, wide], 0),
        _ => (&[wide, long], 1),
    };
    let head = weights(&mut nodes, "w", dims, axis, 0.3);
    let bias: Vec<f32> = (0..labels).map(|_| random.real(1.0)).collect();
    constants.push(floats("b", &[long], &bias));
    nodes.push(node("Conv", &[&from, &kernel], "convolved", vec![attribute("pads", &[1; 4])]));
    nodes.push(node("Relu", &["convolved"], "f", vec![]));
    let features = quantize(&mut nodes, "f", "scale_f");
    match form.pooling {
        "ReduceMean" => {
            constants.push(int64s("axes", &[-1, -2]));
            nodes.push(node("ReduceMean", &[&features, "axes"], "mean", vec![]));
        }
        "AveragePool" => {
            let kernel = attribute("kernel_shape", &[SIDE as i64; 2]);
            nodes.push(node("AveragePool", &[&features], "mean", vec![kernel]));
        }
        pooling => nodes.push(node(pooling, &[&features], "mean", vec![])),
    }
    let mut pooled = quantize(&mut nodes, "mean", "scale_p");
    if form.product != "Conv" {
        nodes.push(node("Flatten", &[&pooled], "flat", vec![]));
        pooled = "flat".into();
    }
    match form.product {
        "Gemm" => nodes.push(node("Gemm", &[&pooled, &head, "b"], "logits", vec![flag("transB", 1)])),
        "MatMul" => {
            nodes.push(node("MatMul", &[&pooled, &head], "products", vec![]));
            nodes.push(node("Add", &["b", "products"], "logits", vec![]));
        }
        "Conv" => {
            nodes.push(node("Conv", &[&pooled, &head, "b"], "pixel", vec![]));
            nodes.push(node("Flatten", &["pixel"], "logits", vec![]));
        }
        _ => nodes.push(node("Gemm", &[&pooled, &head, "b"], "logits", vec![])),
    }
    nodes.push(node("Identity", &["logits"], "output", vec![]));
    let graph = GraphProto {
        node: nodes,
        initializer: constants,
        input: vec![info("input", &[1, 3, SIDE as i64, SIDE as i64])],
        output: vec![info("output", &[1, long])],
        ..GraphProto::default()
    };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 18 }];
    let model = ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() };
    Graph::from_bytes(&model.encode_to_vec()).expect("an ONNX file")
}

fn signature(taps: Vec<Tap>) -> Signature {
    Signature { input: "input".into(), shape: vec![1, 3, SIDE, SIDE], outputs: vec!["output".into()], taps }
}

#[test]
fn map_of_random_networks_has_the_logits_as_its_means() {
    let mut random = Random(20);
    let mut max = 0.0_f64;
    for round in 0..240_usize {
        let form = Form {
            is_quantized: round % 5 != 0,
            pooling: ["GlobalAveragePool", "ReduceMean", "AveragePool"][round / 4 % 3],
            product: ["Gemm", "MatMul", "Conv", "Gemm by columns"][round % 4],
            is_signed: round / 12 % 2 == 1,
        };
        if form.pooling == "AveragePool" && form.product == "Conv" {
            continue;
        }
        let sizes = [1 + random.below(40) as usize, 1 + random.below(6) as usize];
        let graph = network(form, sizes, &mut random);
        let head = graph.head("output").unwrap_or_else(|error| panic!("{form:?}: {error}"));
        assert_eq!((head.channels, head.labels, head.initializer.as_str()), (sizes[0], sizes[1], "w"), "{form:?}");
        let signature = signature(taps_of(&head));
        let engine = Engine::build_for(available().pop(), graph.clone(), &signature, 1);
        let engine = engine.unwrap_or_else(|error| panic!("{form:?}: {error}"));
        assert_eq!(engine.steps().is_ok(), form.is_quantized, "{form:?}");
        let values = (0..3 * SIDE * SIDE).map(|_| random.real(2.0)).collect();
        let input = Tensor::f32(signature.shape.clone(), values).expect("it fits");
        let found = engine.run_tapped(&AtomicBool::new(false), Input::Tensor(&input), &[0, 1]).expect("it runs");
        let step = if form.is_quantized { STEP } else { 0.0 };
        let tensors = [&found.taps[0], &found.taps[1], &found.outputs[0]];
        max = max.max(assert_map_gives_logits(&format!("{form:?}"), &head, tensors, step));
        if form.is_quantized {
            let prepared = Prepared::of(graph, &signature).expect("one program");
            let read = Prepared::from_bytes(&prepared.to_bytes()).expect("sound");
            assert_eq!(read.head("output").expect("it has one"), head, "{form:?}");
        }
    }
    println!("at most {max} of the bound");
}

/// The reason why a network, changed, has no head.
fn reason(form: Form, change: impl FnOnce(&mut GraphProto)) -> String {
    let mut graph = network(form, [8, 3], &mut Random(1));
    change(graph.proto_mut());
    graph.head("output").expect_err("none").to_string()
}

/// A change of a graph.
type Change = Box<dyn Fn(&mut GraphProto)>;

#[test]
fn head_is_none_with_the_reason() {
    let form = |pooling, product| Form { is_quantized: true, pooling, product, is_signed: false };
    let gemm = form("GlobalAveragePool", "Gemm");
    let named = |graph: &mut GraphProto, name: &str| {
        graph.node.iter().position(|node| node.output[0] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let cases: Vec<(Form, &str, Change)> = vec![
        (
            gemm,
            "operator MaxPool at node",
            Box::new(move |graph| {
                let at = named(graph, "mean");
                graph.node[at].op_type = "MaxPool".into();
            }),
        ),
        (
            form("ReduceMean", "Gemm"),
            "operator ReduceMean at node",
            Box::new(|graph| {
                graph.initializer.retain(|tensor| tensor.name != "axes");
                graph.initializer.push(int64s("axes", &[1]));
            }),
        ),
        (
            gemm,
            "has alpha, beta or transA",
            Box::new(move |graph| {
                let at = named(graph, "logits");
                let alpha = AttributeProto { r#type: AttributeType::Float as i32, f: 0.5, ..flag("alpha", 0) };
                graph.node[at].attribute.push(alpha);
            }),
        ),
        (
            gemm,
            "operator Relu at node \"make output\" makes it, no product",
            Box::new(move |graph| {
                let at = named(graph, "output");
                graph.node[at].op_type = "Relu".into();
            }),
        ),
        (
            gemm,
            "its weights \"flat\" are no constant",
            Box::new(move |graph| {
                let at = named(graph, "logits");
                graph.node[at].input[1] = "flat".into();
            }),
        ),
        (form("AveragePool", "Conv"), "use a GlobalAveragePool", Box::new(|_| {})),
        (
            form("AveragePool", "Gemm"),
            "use a GlobalAveragePool",
            Box::new(move |graph| {
                // Half as many channels, and two pixels of each.
                let kernel = graph.initializer.iter_mut().find(|tensor| tensor.name == "kernel").expect("one");
                kernel.dims[0] = 4;
                kernel.raw_data.truncate(4 * 27);
                let scales = graph.initializer.iter_mut().find(|tensor| tensor.name == "kernel_scale").expect("one");
                scales.dims[0] = 4;
                scales.raw_data.truncate(16);
            }),
        ),
        (
            gemm,
            "a bias that is not one number a label",
            Box::new(|graph| {
                graph.initializer.retain(|tensor| tensor.name != "b");
                graph.initializer.push(floats("b", &[2], &[0.0; 2]));
            }),
        ),
        (
            Form { is_quantized: false, ..gemm },
            "no number",
            Box::new(|graph| {
                let weights = graph.initializer.iter_mut().find(|tensor| tensor.name == "w").expect("one");
                weights.raw_data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
            }),
        ),
        (
            gemm,
            "form a cycle",
            Box::new(move |graph| {
                let at = named(graph, "output");
                graph.node[at].input[0] = "output".into();
            }),
        ),
    ];
    for (form, wanted, change) in cases {
        let what = reason(form, change);
        assert!(what.starts_with("output \"output\" has no linear head") && what.contains(wanted), "{wanted}: {what}");
    }
    assert!(
        network(gemm, [8, 3], &mut Random(1)).head("other").is_err_and(|what| what.to_string().contains("no output"))
    );
}
