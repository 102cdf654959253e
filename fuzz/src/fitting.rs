//! A manifest for any graph, made from the shapes of the graph's inputs and outputs.

use bedside_engine::{Dim, ElementType, Ending, Graph};
use serde_json::{Value, json};

/// A manifest that fits this graph, if any manifest does.
pub fn manifest(graph: &Graph) -> Value {
    let lengths = |dims: &Option<Vec<Dim>>| -> Vec<usize> {
        let length = |dim: &Dim| if let Dim::Fixed(length) = dim { *length } else { 0 };
        dims.iter().flatten().map(length).collect()
    };
    let input = graph.inputs().into_iter().next();
    let shape = input.as_ref().map(|input| lengths(&input.dims)).unwrap_or_default();
    let (channels, height, width) = match shape[..] {
        [_, channels @ (1 | 3), height, width] | [_, height, width, channels @ (1 | 3)] => (channels, height, width),
        [_, _, height, width] => (3, height, width),
        _ => (3, 32, 32),
    };
    let side = |length: usize| if length == 0 { 32 } else { length };
    let bytes = input.is_some_and(|input| input.element == ElementType::U8);
    // A graph that takes bytes takes them as they are: (v / 255 - 0) / (1 / 255).
    let (mean, std) = if bytes { (0.0, 1.0 / 255.0) } else { (0.5, 0.25) };
    let output = graph.outputs().into_iter().next();
    let scores: usize =
        output.as_ref().map_or(0, |output| lengths(&output.dims).into_iter().filter(|&n| n > 0).product());
    let ending = output.as_ref().map_or(Ending::Other, |output| graph.ending(&output.name));
    // The manifest of a graph with more than 64 scores does not fit it: so many labels would fill the input.
    let count = if scores == 0 || scores > 64 { 3 } else { scores };
    let activation = match ending {
        Ending::Softmax | Ending::Sigmoid => "none",
        Ending::Other if count == 1 => "sigmoid",
        Ending::Other => "softmax",
    };
    let labels: Vec<Value> = (0..count).map(|n| json!({"id": format!("l{n}"), "name": {"en": "Label"}})).collect();
    let mut manifest = json!({
        "bedside": "1.0", "kind": "scores", "name": "fuzzed", "version": "0", "license": "CC0-1.0",
        "input": {"color": if channels == 1 { "gray" } else { "rgb" }, "width": side(width), "height": side(height),
                  "resize": {"policy": "stretch"}, "mean": vec![mean; channels], "std": vec![std; channels]},
        "output": {"activation": activation, "labels": labels},
    });
    if graph.outputs().len() > 1 {
        manifest["output"]["tensor"] = output.map(|output| output.name).into();
    }
    manifest
}
