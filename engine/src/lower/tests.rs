//! What of a graph runs in integers, for the graphs that exporters and quantizers write.

use std::fs;

use crate::kernels::available;
use crate::tensor::Dim;
use crate::{Engine, Graph, Signature};

/// A golden graph, built for the best kernels at hand, or the portable ones where there are no others.
fn built(name: &str) -> Engine {
    let path = format!("{}/../tests/golden/graphs/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let graph = Graph::from_bytes(&bytes).expect("an ONNX file");
    let info = &graph.inputs()[0];
    let lengths = info.dims.iter().flatten().map(|dim| if let Dim::Fixed(length) = dim { *length } else { 1 });
    let outputs = graph.outputs().into_iter().map(|info| info.name).collect();
    let signature = Signature { input: info.name.clone(), shape: lengths.collect(), outputs };
    Engine::build_for(available().last().copied(), graph, &signature, 1).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn what_is_quantized_from_end_to_end_is_one_program() {
    for name in ["qdq-u8", "qdq-s8", "qdq-u8-per-tensor", "qdq-u8-u8", "qdq-corners", "fake-quantized"] {
        if let Err(reason) = built(&format!("{name}.onnx")).steps() {
            panic!("{name}: {reason}");
        }
    }
}

#[test]
fn what_is_not_quantized_stands_between_islands() {
    let engine = built("half-quantized.onnx");
    let (islands, floats) = engine.islands();
    assert_eq!(islands.len(), 3, "before the part in float, after it, and behind the sum that is left in float too");
    let convolutions =
        |steps: &&[crate::Description]| steps.iter().filter(|step| step.operation.starts_with("convolution")).count();
    // Of the six convolutions and the fully connected layer, three of the middle are in float.
    assert_eq!(islands.iter().map(convolutions).sum::<usize>(), 4);
    let operators: Vec<&str> = floats.iter().map(|node| node.operator.as_str()).collect();
    for operator in ["Conv", "HardSwish", "GlobalAveragePool", "Mul", "Add"] {
        assert!(operators.contains(&operator), "{operator} is in float: {operators:?}");
    }
    let conv = floats.iter().find(|node| node.operator == "Conv").expect("one");
    assert!(conv.node.starts_with("/block/block.3") && !conv.reason.is_empty(), "{conv:?}");
}

#[test]
fn operators_that_a_quantizer_leaves_in_float_are_all_that_tract_runs() {
    for name in ["qoperator-u8.onnx", "qoperator-s8.onnx"] {
        let engine = built(name);
        let (islands, floats) = engine.islands();
        // HardSwish has no QOperator: it is a table, but the mean of what it gives is one of floats.
        let operators: Vec<&str> = floats.iter().map(|node| node.operator.as_str()).collect();
        assert_eq!((islands.len(), operators), (2, vec!["GlobalAveragePool"]), "{name}");
    }
}

#[test]
fn a_graph_in_floats_has_no_islands() {
    for name in ["torchscript-17.onnx", "float16.onnx", "dynamic.onnx"] {
        let engine = built(name);
        assert!(engine.steps().is_err() && engine.islands().0.is_empty(), "{name}");
    }
}
