//! Tests of lowering and partitioning, on graphs of exporters and quantizers and on hostile ones.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value as TypeValue};
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto};

use super::{Facts, Refusal, lower, partition_graph};
use crate::kernels::available;
use crate::tensor::Dim;
use crate::{Engine, Error, Graph, Signature, Tensor};

/// The engine of a golden graph, with the best kernels of this processor.
fn built(name: &str) -> Engine {
    let path = format!("{}/../tests/golden/graphs/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let graph = Graph::from_bytes(&bytes).expect("an ONNX file");
    let info = &graph.inputs()[0];
    let lengths = info.dims.iter().flatten().map(|dim| if let Dim::Fixed(length) = dim { *length } else { 1 });
    let outputs = graph.outputs().into_iter().map(|info| info.name).collect();
    let signature = Signature { input: info.name.clone(), shape: lengths.collect(), outputs, taps: vec![] };
    Engine::build_for(available().last().copied(), graph, &signature, 1).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn lower_makes_one_program_of_a_fully_quantized_graph() {
    for name in ["qdq-u8", "qdq-s8", "qdq-u8-per-tensor", "qdq-u8-u8", "qdq-corners", "fake-quantized"] {
        if let Err(reason) = built(&format!("{name}.onnx")).steps() {
            panic!("{name}: {reason}");
        }
    }
}

#[test]
fn run_unless_returns_cancelled() {
    let engine = built("qdq-u8.onnx");
    let input = Tensor::f32(vec![1, 3, 32, 32], vec![0.0; 3 * 32 * 32]).expect("it fits");
    let cancelled = AtomicBool::new(true);
    assert!(matches!(engine.run_cancellable(&cancelled, &input), Err(Error::Cancelled)));
    cancelled.store(false, Ordering::Release);
    assert!(engine.run_cancellable(&cancelled, &input).is_ok());
}

#[test]
fn partition_graph_cuts_at_a_part_in_float() {
    let engine = built("half-quantized.onnx");
    let (partitions, floats) = engine.partitions();
    assert_eq!(partitions.len(), 3, "before the part in float, after it, and after the sum in float");
    let convolutions =
        |steps: &&[crate::Description]| steps.iter().filter(|step| step.operation.starts_with("convolution")).count();
    // Of the six convolutions and the fully connected layer, three convolutions are in float.
    assert_eq!(partitions.iter().map(convolutions).sum::<usize>(), 4);
    let operators: Vec<&str> = floats.iter().map(|node| node.operator.as_str()).collect();
    for operator in ["Conv", "HardSwish", "GlobalAveragePool", "Mul", "Add"] {
        assert!(operators.contains(&operator), "{operator} is in float: {operators:?}");
    }
    let conv = floats.iter().find(|node| node.operator == "Conv").expect("one");
    assert!(conv.node.starts_with("/block/block.3") && !conv.reason.is_empty(), "{conv:?}");
}

#[test]
fn partition_graph_leaves_only_float_operators_of_a_qoperator_graph_to_tract() {
    for name in ["qoperator-u8.onnx", "qoperator-s8.onnx"] {
        let engine = built(name);
        let (partitions, floats) = engine.partitions();
        // HardSwish has no QOperator. It is lowered to a table of floats, so the mean of its result is in float.
        let operators: Vec<&str> = floats.iter().map(|node| node.operator.as_str()).collect();
        assert_eq!((partitions.len(), operators), (2, vec!["GlobalAveragePool"]), "{name}");
    }
}

#[test]
fn partition_graph_makes_no_partitions_of_a_float_graph() {
    for name in ["torchscript-17.onnx", "float16.onnx", "dynamic.onnx"] {
        let engine = built(name);
        assert!(engine.steps().is_err() && engine.partitions().0.is_empty(), "{name}");
    }
}

fn node(operator: &str, inputs: &[&str], output: &str, lists: &[(&str, &[i64])]) -> NodeProto {
    let list = |&(name, ints): &(&str, &[i64])| AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints as i32,
        ints: ints.to_vec(),
        ..AttributeProto::default()
    };
    NodeProto {
        op_type: operator.into(),
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: vec![output.into()],
        attribute: lists.iter().map(list).collect(),
        ..NodeProto::default()
    }
}

fn constant(name: &str, dims: &[i64], kind: DataType, value: u8) -> TensorProto {
    let count = dims.iter().product::<i64>() as usize;
    let raw_data = match kind {
        DataType::Float => f32::from(value).to_le_bytes().repeat(count),
        _ => vec![value; count],
    };
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type: kind as i32, raw_data, ..TensorProto::default() }
}

fn info(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = |&length: &i64| Dimension { value: Some(Length::DimValue(length)), ..Dimension::default() };
    let shape = Some(TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = TypeValue::TensorType(TensorType { elem_type: DataType::Float as i32, shape });
    let r#type = Some(TypeProto { value: Some(tensor), ..TypeProto::default() });
    ValueInfoProto { name: name.into(), r#type, ..ValueInfoProto::default() }
}

/// Lowers a graph of these nodes, which read the quantized input `x` of 2 channels and 4×4 pixels and produce `y`,
/// which is quantized too. There are weights `w` of 8 outputs and 3×3, and these constants. Gives the reason where the
/// graph is refused.
fn lowered(nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Result<(), String> {
    let mut initializer = vec![
        constant("s", &[], DataType::Float, 1),
        constant("z", &[], DataType::Uint8, 7),
        constant("wq", &[8, 2, 3, 3], DataType::Int8, 1),
    ];
    initializer.extend(constants);
    let before = [
        node("QuantizeLinear", &["input", "s", "z"], "q", &[]),
        node("DequantizeLinear", &["q", "s", "z"], "x", &[]),
        node("DequantizeLinear", &["wq", "s"], "w", &[]),
    ];
    let after =
        [node("QuantizeLinear", &["y", "s", "z"], "r", &[]), node("DequantizeLinear", &["r", "s", "z"], "output", &[])];
    let graph = GraphProto {
        node: before.into_iter().chain(nodes).chain(after).collect(),
        initializer,
        input: vec![info("input", &[1, 2, 4, 4])],
        output: vec![ValueInfoProto { name: "output".into(), ..ValueInfoProto::default() }],
        ..GraphProto::default()
    };
    lower(&graph, &[]).map(drop).map_err(|refusal| match refusal {
        Refusal::Unlowered(unlowered) => unlowered.reason,
        Refusal::TooLarge(what) | Refusal::Tap(_, what) => what,
    })
}

/// The reason why [`lowered`] refuses a graph.
fn refusal(nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> String {
    lowered(nodes, constants).expect_err("it must not be lowered")
}

#[test]
fn window_refuses_extents_above_the_maximum() {
    let convolution = |lists: &[(&str, &[i64])]| vec![node("Conv", &["x", "w"], "y", lists)];
    assert_eq!(lowered(convolution(&[("pads", &[1, 1, 1, 1])]), vec![]), Ok(()));
    let too_long = "a kernel, stride, dilation or padding of more than 4096";
    for lists in [
        &[("strides", &[100, 1 << 62][..]), ("pads", &[3, 1 << 62, 0, 1 << 62])][..],
        &[("dilations", &[1 << 20, 1 << 20]), ("pads", &[1 << 20; 4])],
    ] {
        assert_eq!(refusal(convolution(lists), vec![]), too_long);
    }
    let max_pool =
        |kernel: &[i64], pads: &[i64]| vec![node("MaxPool", &["x"], "y", &[("kernel_shape", kernel), ("pads", pads)])];
    assert_eq!(lowered(max_pool(&[2, 2], &[1, 1, 0, 0]), vec![]), Ok(()));
    assert_eq!(refusal(max_pool(&[1, 1 << 40], &[0, (1 << 40) - 1, 0, 0]), vec![]), too_long);
    assert_eq!(refusal(max_pool(&[2, 2], &[0, 0, 2, 2]), vec![]), "padding as large as the kernel");
}

#[test]
fn add_of_a_bias_must_be_one_number_per_channel() {
    let added = |dims: &[i64]| {
        let nodes =
            vec![node("Conv", &["x", "w"], "c", &[("pads", &[3, 3, 3, 3])]), node("Add", &["c", "b"], "y", &[])];
        lowered(nodes, vec![constant("b", dims, DataType::Float, 3)])
    };
    // The output has 8 channels and 8×8 pixels. In ONNX broadcasting, [8] is one number for each column.
    for dims in [&[1, 8, 1, 1][..], &[8, 1, 1], &[1], &[]] {
        assert_eq!(added(dims), Ok(()), "{dims:?}");
    }
    for dims in [&[8][..], &[8, 1], &[1, 1, 8, 1], &[1, 1, 1, 1, 8]] {
        assert_eq!(added(dims), Err("a constant that is not one number a channel".into()), "{dims:?}");
    }
}

#[test]
fn fold_and_concat_bound_repeated_doubling() {
    let mut nodes: Vec<NodeProto> =
        (0..40).map(|n| node("Concat", &[&format!("l{n}"), &format!("l{n}")], &format!("l{}", n + 1), &[])).collect();
    nodes.push(node("Reshape", &["x", "l40"], "y", &[]));
    let mut list = constant("l0", &[1], DataType::Float, 0);
    (list.data_type, list.raw_data) = (DataType::Int64 as i32, vec![1, 0, 0, 0, 0, 0, 0, 0]);
    assert!(lowered(nodes, vec![list]).is_err());

    let mut nodes: Vec<NodeProto> = (0..40)
        .map(|n| {
            let from = if n == 0 { "x".to_owned() } else { format!("c{n}") };
            node("Concat", &[&from, &from], &format!("c{}", n + 1), &[])
        })
        .collect();
    nodes.push(node("Identity", &["c40"], "y", &[]));
    assert_eq!(refusal(nodes, vec![]), "a part that is a Concat itself, which nothing rounds");
}

/// Each sum of two quantized tensors has one consumer, a `Cos`, which does not run in integers. So each sum turns out
/// to be a fallback node only when the `Cos` is reached. A pass for each sum, or a recount of all levels for each,
/// would take hours.
#[test]
fn partition_graph_needs_few_passes_for_many_late_fallback_nodes() {
    let count = 20_000;
    let mut nodes = vec![
        node("QuantizeLinear", &["input", "s", "z"], "q", &[]),
        node("DequantizeLinear", &["q", "s", "z"], "a", &[]),
        node("MaxPool", &["a"], "pooled", &[("kernel_shape", &[1, 1])]),
        node("QuantizeLinear", &["pooled", "s", "z"], "r", &[]),
        node("DequantizeLinear", &["r", "s", "z"], "b", &[]),
        node("Identity", &["b"], "t0", &[]),
    ];
    for at in 0..count {
        let [sum, cosine, last, next] = [format!("s{at}"), format!("c{at}"), format!("t{at}"), format!("t{}", at + 1)];
        nodes.push(node("Add", &["a", "b"], &sum, &[]));
        nodes.push(node("Cos", &[&sum], &cosine, &[]));
        nodes.push(node("Add", &[&last, &cosine], &next, &[]));
    }
    let graph = GraphProto {
        node: nodes,
        initializer: vec![constant("s", &[], DataType::Float, 1), constant("z", &[], DataType::Uint8, 7)],
        input: vec![info("input", &[1, 2, 4, 4])],
        output: vec![ValueInfoProto { name: format!("t{count}"), ..ValueInfoProto::default() }],
        ..GraphProto::default()
    };
    let facts = Facts::from([("input".to_owned(), (DataType::Float, vec![1, 2, 4, 4]))]);
    let split = partition_graph(&graph, &facts).expect("it is small").expect("a part is quantized");
    assert_eq!((split.partitions.len(), split.unlowered.len()), (1, 3 * count));
    assert!(
        split
            .unlowered
            .iter()
            .take(2)
            .any(|node| node.operator == "Add" && node.reason == "its result is not quantized")
    );
}
