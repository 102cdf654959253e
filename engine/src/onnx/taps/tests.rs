//! Tests of taps: against ONNX Runtime on the shipped models, against the same tensor as an output on random graphs,
//! and that they change no output.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tract_onnx::pb::{NodeProto, ValueInfoProto};

use crate::kernels::{Kernels, available, portable};
use crate::onnx::conformance::{Vector, golden, signature, vectors};
use crate::pixels::{Layout, Pixels};
use crate::{Engine, Error, Graph, Input, MAX_TAPS, ModelFile, Prepared, Signature, Tap, TapKind, Tapped, Tensor};

fn in_repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn graph(name: &str) -> Graph {
    let path = in_repository(name);
    Graph::open(&path, 1 << 27).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn tap(name: &str, kind: TapKind) -> Tap {
    Tap { name: name.into(), kind }
}

fn with_taps(signature: &Signature, taps: Vec<Tap>) -> Signature {
    Signature { taps, ..signature.clone() }
}

fn run(engine: &Engine, input: &Tensor, selection: &[usize]) -> Tapped {
    engine.run_tapped(&AtomicBool::new(false), Input::Tensor(input), selection).expect("it runs")
}

/// The bits of floats.
fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.as_f32().expect("floats").iter().map(|value| value.to_bits()).collect()
}

fn all_bits(tensors: &[Tensor]) -> Vec<Vec<u32>> {
    tensors.iter().map(bits).collect()
}

/// A made-up input of a signature.
fn input_of(signature: &Signature) -> Tensor {
    let count = signature.shape.iter().product::<usize>();
    let value = |at: usize| (((at * at / 7 + at * 5) % 17) as f32 - 8.0) / 5.0;
    Tensor::f32(signature.shape.clone(), (0..count).map(value).collect()).expect("it fits")
}

/// The signature of a golden graph with 32×32 pixels.
fn small(graph: &Graph) -> Signature {
    Signature {
        input: graph.inputs()[0].name.clone(),
        shape: vec![1, 3, 32, 32],
        outputs: graph.outputs().into_iter().map(|info| info.name).collect(),
        taps: vec![],
    }
}

// What ONNX Runtime gives.

/// A picture of `tests/golden/engine/taps.py`, and what ONNX Runtime gives of its tensors.
struct Reference {
    model: String,
    image: Vec<u8>,
    tensors: Vec<ReferenceTensor>,
}

struct ReferenceTensor {
    name: String,
    /// The dequantized integers, or none.
    values: Vec<f32>,
    means: Vec<f32>,
}

/// The bytes that are left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn number(&mut self) -> usize {
        let (number, rest) = self.0.split_first_chunk().expect("a whole record");
        self.0 = rest;
        u32::from_le_bytes(*number) as usize
    }

    fn field(&mut self) -> &'a [u8] {
        let length = self.number();
        let (field, rest) = self.0.split_at(length);
        self.0 = rest;
        field
    }

    fn floats(&mut self) -> Vec<f32> {
        self.field().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.field().to_vec()).expect("a name")
    }

    fn tensor(&mut self) -> ReferenceTensor {
        let (name, _) = (self.text(), self.field());
        let [scale, zero_point] = self.floats()[..] else { panic!("a scale and a zero point") };
        let values = self.field().iter().map(|&byte| (f32::from(byte) - zero_point) * scale).collect();
        ReferenceTensor { name, values, means: self.floats() }
    }
}

fn references() -> Vec<Reference> {
    let file = fs::read(golden("taps.bin")).expect("committed");
    let mut bytes = Bytes(&file);
    let mut references = vec![];
    while !bytes.0.is_empty() {
        let (model, image) = (bytes.text(), bytes.field().to_vec());
        let tensors = (0..bytes.number()).map(|_| bytes.tensor()).collect();
        references.push(Reference { model, image, tensors });
    }
    references
}

/// The picture with each pixel 8×8 times.
pub(in crate::onnx) fn enlarged(image: &[u8]) -> Vec<u8> {
    let pixel = |at: usize| &image[(at / 224 / 8 * 28 + at % 224 / 8) * 3..][..3];
    (0..224 * 224).flat_map(pixel).copied().collect()
}

/// The shipped models, each with its pictures of 224×224 pixels.
pub(in crate::onnx) fn shipped() -> Vec<(String, Graph, Vec<Vec<u8>>)> {
    let mut models: Vec<(String, Graph, Vec<Vec<u8>>)> = vec![];
    for Reference { model, image, .. } in references() {
        if models.last().is_none_or(|(last, ..)| *last != model) {
            models.push((model.clone(), graph(&format!("models/{model}/model.onnx")), vec![]));
        }
        models.last_mut().expect("one").2.push(enlarged(&image));
    }
    models
}

/// The signature of a shipped model.
pub(in crate::onnx) fn of_shipped(taps: Vec<Tap>) -> Signature {
    Signature { input: "input".into(), shape: vec![1, 3, 224, 224], outputs: vec!["logits".into()], taps }
}

/// Runs a shipped model on a picture, with all taps of its signature.
pub(in crate::onnx) fn run_image(engine: &Engine, image: &[u8]) -> Tapped {
    let values = [std::array::from_fn(|byte| (byte as f32 - 128.0) / 128.0); 3];
    let pixels = Pixels { bytes: image, channels: 3, values: Some(&values), layout: Layout::Nchw };
    let all: Vec<usize> = (0..engine.tap_shapes().len()).collect();
    engine.run_tapped(&AtomicBool::new(false), Input::Pixels(pixels), &all).expect("it runs")
}

#[test]
fn taps_of_the_shipped_models_are_those_of_onnx_runtime() {
    for Reference { model, image, tensors } in references() {
        let wanted = |tensor: &ReferenceTensor| {
            let values = (!tensor.values.is_empty()).then(|| tap(&tensor.name, TapKind::Values));
            [tap(&tensor.name, TapKind::Means)].into_iter().chain(values)
        };
        let taps: Vec<Tap> = tensors.iter().flat_map(wanted).collect();
        let signature = of_shipped(taps.clone());
        let best = available().pop();
        let engine = Engine::build_for(best, graph(&format!("models/{model}/model.onnx")), &signature, 1);
        let found = run_image(&engine.expect("it is served"), &enlarged(&image));
        for (tap, found) in taps.iter().zip(&found.taps) {
            let tensor = tensors.iter().find(|tensor| tensor.name == tap.name).expect("one");
            let wanted = if tap.kind == TapKind::Means { &tensor.means } else { &tensor.values };
            let found = found.as_f32().expect("floats");
            assert!(found == wanted, "{model}: {tap:?}");
        }
    }
}

// That a tap changes no output and is the tensor itself.

/// The graphs of quantizers and exporters that are programs, that run in partitions, and that tract runs, with tensors to
/// tap.
const GRAPHS: [(&str, bool, usize); 6] = [
    ("qdq-u8.onnx", true, 0),
    ("qdq-s8.onnx", true, 0),
    ("fake-quantized.onnx", true, 0),
    ("qoperator-u8.onnx", false, 2),
    ("half-quantized.onnx", false, 3),
    ("torchscript-17.onnx", false, 0),
];

/// The names of all tensors of a graph's nodes that can be tapped, with the engines of taps of one.
fn tappable(graph: &Graph, signature: &Signature, kernels: &'static dyn Kernels) -> Vec<String> {
    let names =
        graph.proto().node.iter().flat_map(|node| &node.output).filter(|name| !signature.outputs.contains(name));
    let served = |name: &&String| {
        let signature = with_taps(signature, vec![tap(name, TapKind::Means)]);
        Engine::build_for(Some(kernels), graph.clone(), &signature, 1).is_ok()
    };
    names.filter(served).cloned().collect()
}

#[test]
fn taps_change_no_output_on_any_kernels_and_threads() {
    for (name, is_program, partitions) in GRAPHS {
        let graph = graph(&format!("tests/golden/graphs/{name}"));
        let plain = small(&graph);
        let input = input_of(&plain);
        let found = tappable(&graph, &plain, available().pop().expect("one"));
        assert!(found.len() >= 8, "{name}: {found:?}");
        let step = found.len().div_ceil(MAX_TAPS / 2);
        let names = found.iter().step_by(step);
        let taps = names.flat_map(|name| [TapKind::Values, TapKind::Means].map(|kind| tap(name, kind))).collect();
        let tapped = with_taps(&plain, taps);
        let all: Vec<usize> = (0..tapped.taps.len()).collect();
        let mut first = None;
        for kernels in available() {
            for threads in [1, 4] {
                let what = format!("{name}, {}, {threads} threads", kernels.name());
                let built = |signature: &Signature| {
                    Engine::build_for(Some(kernels), graph.clone(), signature, threads).expect("it is served")
                };
                let (without, with) = (built(&plain), built(&tapped));
                assert_eq!((with.steps().is_ok(), with.partitions().0.len()), (is_program, partitions), "{what}");
                let outputs = all_bits(&without.run(&input).expect("it runs"));
                for selection in [&[][..], &all, &all[1..2]] {
                    let found = run(&with, &input, selection);
                    assert_eq!(all_bits(&found.outputs), outputs, "{what}, {selection:?}");
                    let shapes: Vec<_> = found.taps.iter().map(|tensor| tensor.shape().to_vec()).collect();
                    assert_eq!(shapes, selection.iter().map(|&at| with.tap_shapes()[at].clone()).collect::<Vec<_>>());
                }
                let taps = all_bits(&run(&with, &input, &all).taps);
                // tract's own operators are compared on one set of kernels.
                if is_program {
                    assert_eq!(*first.get_or_insert_with(|| taps.clone()), taps, "{what}");
                }
            }
        }
    }
}

/// The outputs of a vector's graph with these tensors as outputs, which the interpreter has confirmed for all graphs.
fn as_output(vector: &Vector<'_>, signature: &Signature, name: &str, input: &Tensor) -> Option<Tensor> {
    let mut graph = Graph::from_bytes(vector.model).expect("an ONNX file");
    graph.proto_mut().output.push(ValueInfoProto { name: name.into(), ..ValueInfoProto::default() });
    let signature = Signature { outputs: vec![name.into()], ..signature.clone() };
    let engine = Engine::build_for(Some(portable()), graph, &signature, 1).ok()?;
    engine.run(input).ok()?.pop()
}

/// Asserts that these are the means of the channels of `values`, to the rounding of each value.
fn assert_means(what: &str, means: &Tensor, values: &Tensor) {
    let channels = values.shape()[1];
    assert_eq!(means.shape(), [1, channels], "{what}");
    let values = values.as_f32().expect("floats");
    let count = values.len() / channels;
    let all = |values: &[f32], of: fn(f64) -> f64| values.iter().map(|&v| of(v.into())).sum::<f64>() / count as f64;
    for (&mean, values) in means.as_f32().expect("floats").iter().zip(values.chunks_exact(count)) {
        let (near, size) = (all(values, |v| v), all(values, f64::abs));
        assert!((f64::from(mean) - near).abs() <= 2e-7 * size, "{what}: {mean}, {near}");
    }
}

#[test]
fn taps_of_random_graphs_are_the_tensors_as_outputs() {
    let bytes = fs::read(golden("vectors.bin")).expect("committed");
    let sets = available();
    let (mut compared, mut pooled) = (0, 0);
    for vector in vectors(&bytes).iter().step_by(3) {
        let graph = Graph::from_bytes(vector.model).expect("an ONNX file");
        let plain = signature(&graph);
        if plain.shape[0] != 1 {
            continue;
        }
        let input = Tensor::f32(plain.shape.clone(), vector.input.clone()).expect("as long as its shape says");
        let dequantized = graph.proto().node.iter().filter(|node| node.op_type == "DequantizeLinear");
        let names: Vec<String> = dequantized.map(|node| node.output[0].clone()).collect();
        for name in names {
            let kinds = [TapKind::Values, TapKind::Means].map(|kind| tap(&name, kind));
            let tapped = with_taps(&plain, kinds.to_vec());
            let Ok(engine) = Engine::build_for(Some(portable()), graph.clone(), &tapped, 1) else { continue };
            let found = run(&engine, &input, &[0, 1]);
            let Some(wanted) = as_output(vector, &plain, &name, &input) else { continue };
            let what = format!("{}, {name}", vector.name);
            assert_eq!((found.taps[0].shape(), bits(&found.taps[0])), (wanted.shape(), bits(&wanted)), "{what}");
            assert_means(&what, &found.taps[1], &wanted);
            compared += 1;
            pooled += usize::from(wanted.shape().len() == 2);
            for kernels in &sets {
                let engine = Engine::build_for(Some(*kernels), graph.clone(), &tapped, 2).expect("it is served");
                let again = run(&engine, &input, &[0, 1]);
                assert_eq!(
                    (all_bits(&again.outputs), all_bits(&again.taps)),
                    (all_bits(&found.outputs), all_bits(&found.taps)),
                    "{what}"
                );
            }
        }
    }
    assert!(compared > 60, "{compared} of them, {pooled} pooled");
}

/// tract's values of a tensor are those of a graph that ends there, where both come from the same operators.
#[test]
fn taps_of_tracts_tensors_are_the_tensors_as_outputs() {
    for name in ["torchscript-17.onnx", "half-quantized.onnx"] {
        let graph = graph(&format!("tests/golden/graphs/{name}"));
        let plain = small(&graph);
        let input = input_of(&plain);
        let kernels = available().pop().expect("one");
        for tensor in tappable(&graph, &plain, kernels).iter().step_by(3) {
            let tapped = with_taps(&plain, vec![tap(tensor, TapKind::Values), tap(tensor, TapKind::Means)]);
            let engine = Engine::build_for(Some(kernels), graph.clone(), &tapped, 1).expect("it is served");
            let taps = run(&engine, &input, &[0, 1]).taps;
            assert_means(&format!("{name}, {tensor}"), &taps[1], &taps[0]);
            let mut ended = graph.clone();
            ended.proto_mut().output.push(ValueInfoProto { name: tensor.clone(), ..ValueInfoProto::default() });
            let at_end = Signature { outputs: vec![tensor.clone()], ..plain.clone() };
            let Ok(ended) = Engine::build_for(Some(kernels), ended, &at_end, 1) else { continue };
            let wanted = &ended.run(&input).expect("it runs")[0];
            assert_eq!(taps[0].shape(), wanted.shape(), "{name}, {tensor}");
            for (value, wanted) in taps[0].as_f32().expect("floats").iter().zip(wanted.as_f32().expect("floats")) {
                assert!((value - wanted).abs() <= 1e-5 * (1.0 + wanted.abs()), "{name}, {tensor}: {value}, {wanted}");
            }
        }
    }
}

// Names, refusals and forms.

/// The names of a quantized tensor that can be tapped: of its reals, of its integers, and of what `DequantizeLinear`
/// makes of them.
fn three_names(graph: &Graph) -> [String; 3] {
    let tappable = tappable(graph, &small(graph), available().pop().expect("one"));
    let nodes = &graph.proto().node;
    let is_tappable = |node: &&NodeProto| node.op_type == "QuantizeLinear" && tappable.contains(&node.input[0]);
    let quantize = nodes.iter().filter(is_tappable).nth(3).expect("several");
    let integers = quantize.output[0].clone();
    let dequantize = nodes.iter().find(|node| node.input.first() == Some(&integers)).expect("one reads it");
    [quantize.input[0].clone(), integers, dequantize.output[0].clone()]
}

#[test]
fn taps_by_each_of_three_names_are_the_same() {
    for name in ["qdq-u8.onnx", "qdq-s8.onnx", "half-quantized.onnx"] {
        let graph = graph(&format!("tests/golden/graphs/{name}"));
        let taps = three_names(&graph).iter().map(|name| tap(name, TapKind::Values)).collect();
        let signature = with_taps(&small(&graph), taps);
        let engine = Engine::build_for(available().pop(), graph, &signature, 1).expect("it is served");
        let found = all_bits(&run(&engine, &input_of(&signature), &[0, 1, 2]).taps);
        assert!(found[0] == found[1] && found[1] == found[2], "{name}");
    }
}

#[test]
fn taps_of_prepared_models_are_those_of_the_graph() {
    let graph = graph("tests/golden/graphs/qdq-u8.onnx");
    let names = tappable(&graph, &small(&graph), portable());
    let taps = [(0, TapKind::Values), (5, TapKind::Means), (7, TapKind::Values), (7, TapKind::Means)];
    let taps: Vec<Tap> = taps.into_iter().map(|(at, kind)| tap(&names[at], kind)).collect();
    let signature = with_taps(&small(&graph), taps.clone());
    let input = input_of(&signature);
    let engine = Engine::build_for(Some(portable()), graph.clone(), &signature, 1).expect("it is served");
    let wanted = run(&engine, &input, &[0, 1, 2, 3]);
    let bytes = Prepared::of(graph, &signature).expect("one program").to_bytes();
    let prepared = Prepared::from_bytes(&bytes).expect("sound");
    assert_eq!(prepared.taps(), taps);
    // In another order, and only some of them.
    let fewer = with_taps(&signature, vec![taps[3].clone(), taps[0].clone()]);
    for kernels in available() {
        let engine = Engine::prepared_for(kernels, prepared.clone(), &fewer, 2).expect("its own");
        let found = run(&engine, &input, &[0, 1]);
        assert_eq!(all_bits(&found.outputs), all_bits(&wanted.outputs));
        assert_eq!(all_bits(&found.taps), [bits(&wanted.taps[3]), bits(&wanted.taps[0])]);
    }
    let other = with_taps(&signature, vec![tap(&names[5], TapKind::Values)]);
    let error = Engine::prepared(prepared, &other, 1).map(drop).expect_err("refused").to_string();
    assert!(
        error.contains(&format!("\"{}\" can't be tapped", names[5])) && error.contains("prepare it again"),
        "{error}"
    );
}

/// The message of the error with which a tap of a graph is refused.
fn refusal(graph: &Graph, name: &str) -> String {
    let signature = with_taps(&small(graph), vec![tap(name, TapKind::Means)]);
    match Engine::build_for(available().pop(), graph.clone(), &signature, 1) {
        Err(error @ Error::Tap { .. }) => error.to_string(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn taps_are_refused_with_the_reason() {
    for file in ["qdq-u8.onnx", "half-quantized.onnx", "torchscript-17.onnx"] {
        let mut graph = graph(&format!("tests/golden/graphs/{file}"));
        let (input, output) = (graph.inputs()[0].name.clone(), graph.outputs()[0].name.clone());
        let initializer = graph.proto().initializer[0].name.clone();
        let mut dead = graph.proto().node[graph.proto().node.len() / 2].clone();
        dead.op_type = "Relu".into();
        (dead.name, dead.input, dead.output) = ("dead".into(), vec![input.clone()], vec!["dead".into()]);
        dead.attribute.clear();
        graph.proto_mut().node.push(dead);
        for (name, wanted) in [
            ("nothing", "the graph has no tensor of this name"),
            ("", "the graph has no tensor of this name"),
            (&input, "it is the graph's input"),
            (&output, "it is an output"),
            (&initializer, "it is an initializer"),
            ("dead", "no output depends on it"),
        ] {
            let what = refusal(&graph, name);
            assert!(what.contains(&format!("\"{name}\" can't be tapped: {wanted}")), "{file}: {what}");
        }
        let weights = graph.proto().node.iter().find(|node| node.op_type == "DequantizeLinear");
        if let Some(weights) = weights.filter(|node| node.input[0].contains("weight")) {
            let what = refusal(&graph, &weights.output[0]);
            assert!(what.contains("it is a constant"), "{file}: {what}");
        }
        let many = (0..=MAX_TAPS).map(|at| tap(&format!("t{at}"), TapKind::Means)).collect();
        let many = Engine::build(graph.clone(), &with_taps(&small(&graph), many), 1);
        assert!(matches!(many, Err(Error::TooLarge(_))), "{file}");
    }
}

#[test]
fn tap_of_a_fused_tensor_names_those_near_it() {
    let graph = graph("models/chest-xray/model.onnx");
    // x·σ(x) becomes a table in the convolution that makes x. So neither x nor σ(x) is there.
    for name in ["conv2d_80", "conv2d_80_QuantizeLinear_Output", "val_86_DequantizeLinear_Output", "mean_16"] {
        let signature = of_shipped(vec![tap(name, TapKind::Means)]);
        let error = Engine::build_for(available().pop(), graph.clone(), &signature, 1).map(drop);
        let Err(error @ Error::Tap { .. }) = error else { panic!("{name}: {error:?}") };
        let what = error.to_string();
        let near = if name == "mean_16" { "\"view\"" } else { "\"silu_48\"" };
        assert!(what.contains(&format!("\"{name}\" can't be tapped")) && what.contains("fused"), "{what}");
        assert!(what.contains("near it these can be tapped: ") && what.contains(near), "{what}");
        let again = Prepared::of(graph.clone(), &signature).map(drop).expect_err("refused").to_string();
        assert!(again.contains(&what), "{again}");
    }
}

#[test]
fn head_and_taps_of_a_model_file_are_alike_in_both_forms() {
    for (model, graph, _) in shipped() {
        let onnx = ModelFile::from(graph.clone());
        let head = onnx.head("logits").expect("it has one");
        let prepared = ModelFile::from(Prepared::of(graph, &of_shipped(vec![])).expect("one program"));
        assert_eq!(prepared.head("logits").expect("it has one"), head, "{model}");
    }
}
