//! Conformance tests: every set of kernels must equal the reference interpreter, bit by bit. The interpreter is written
//! in numpy and lies in `tests/golden/engine`, with what makes the vectors. The node tests of the ONNX standard are run
//! here too.

use std::path::{Path, PathBuf};

use crate::kernels::{Kernels, available, portable};
use crate::tensor::Dim;
use crate::{Engine, Graph, Prepared, Signature, Tensor};

/// A test vector: one graph, its input, and the outputs of the reference interpreter or of the standard's node test.
pub(super) struct Vector<'a> {
    pub(super) name: &'a str,
    pub(super) model: &'a [u8],
    pub(super) input: Vec<f32>,
    outputs: Vec<Vec<f32>>,
}

/// Reads the records of a file. `tests/golden/engine/generate.py` describes their form.
pub(super) fn vectors(mut bytes: &[u8]) -> Vec<Vector<'_>> {
    let mut vectors = vec![];
    while !bytes.is_empty() {
        let count = number(&mut bytes);
        let name = std::str::from_utf8(field(&mut bytes)).expect("a name");
        let (model, input) = (field(&mut bytes), floats(field(&mut bytes)));
        let outputs = (0..count).map(|_| floats(field(&mut bytes))).collect();
        vectors.push(Vector { name, model, input, outputs });
    }
    vectors
}

fn number(bytes: &mut &[u8]) -> usize {
    let (number, rest) = bytes.split_first_chunk().expect("a whole record");
    *bytes = rest;
    u32::from_le_bytes(*number) as usize
}

fn field<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let length = number(bytes);
    let (field, rest) = bytes.split_at(length);
    *bytes = rest;
    field
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// The signature that has all outputs of a graph.
pub(super) fn signature(graph: &Graph) -> Signature {
    let info = &graph.inputs()[0];
    let dims = info.dims.as_ref().expect("a shape");
    let length = |dim: &Dim| if let Dim::Fixed(length) = dim { *length } else { panic!("an open axis") };
    let outputs = graph.outputs().into_iter().map(|info| info.name).collect();
    Signature { input: info.name.clone(), shape: dims.iter().map(length).collect(), outputs, taps: vec![] }
}

/// Builds and runs a vector's graph; gives a description of the first difference or of the error.
fn difference(vector: &Vector<'_>, kernels: &'static dyn Kernels) -> Option<String> {
    let graph = Graph::from_bytes(vector.model).expect("an ONNX file");
    let signature = signature(&graph);
    let engine = match Engine::build_for(Some(kernels), graph, &signature, 1) {
        Ok(engine) => engine,
        Err(error) => return Some(error.to_string()),
    };
    if let Err(reason) = engine.steps() {
        return Some(format!("left to tract: {reason}"));
    }
    run_difference(vector, &engine, &signature)
}

/// As [`difference`], for a graph that was prepared, written to bytes, and read back.
fn difference_prepared(vector: &Vector<'_>, kernels: &'static dyn Kernels) -> Option<String> {
    let graph = Graph::from_bytes(vector.model).expect("an ONNX file");
    let signature = signature(&graph);
    let bytes = match Prepared::of(graph, &signature) {
        Ok(prepared) => prepared.to_bytes(),
        Err(error) => return Some(error.to_string()),
    };
    let engine = Prepared::from_bytes(&bytes).and_then(|read| Engine::prepared_for(kernels, read, &signature, 1));
    match engine {
        Ok(engine) => run_difference(vector, &engine, &signature),
        Err(error) => Some(error.to_string()),
    }
}

/// Describes the first difference between the outputs of an engine and those of the interpreter.
fn run_difference(vector: &Vector<'_>, engine: &Engine, signature: &Signature) -> Option<String> {
    let input = Tensor::f32(signature.shape.clone(), vector.input.clone()).expect("as long as its shape says");
    // The second run reuses the buffers of the first, with the values that the first left in them.
    engine.run(&input).expect("runs");
    let outputs = engine.run(&input).expect("runs");
    mismatch(vector, &outputs, |value, expected| bits(value) == bits(expected))
}

/// Describes the first value that is not `alike` the expected one.
fn mismatch(vector: &Vector<'_>, outputs: &[Tensor], alike: fn(f32, f32) -> bool) -> Option<String> {
    for (output, expected) in outputs.iter().zip(&vector.outputs) {
        let values = output.as_f32().expect("floats");
        assert_eq!(values.len(), expected.len(), "{}", vector.name);
        let wrong: Vec<usize> = (0..values.len()).filter(|&at| !alike(values[at], expected[at])).collect();
        if let Some(&at) = wrong.first() {
            let wrong = wrong.len();
            return Some(format!("{} instead of {} at {at}; {wrong} of {}", values[at], expected[at], values.len()));
        }
    }
    None
}

/// The bits of a value, with -0 as +0: the sign of a zero is not part of the contract.
fn bits(value: f32) -> u32 {
    (value + 0.0).to_bits()
}

/// Describes what differs for a vector on one set of kernels; none where nothing does.
type Compare = fn(&Vector<'_>, &'static dyn Kernels) -> Option<String>;

/// Asserts that no vector of a file differs on any of these sets of kernels.
fn check(path: &Path, sets: &[&'static dyn Kernels], compare: Compare) {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let vectors = vectors(&bytes);
    assert!(!vectors.is_empty(), "{}: a file of vectors", path.display());
    let mut failures = vec![];
    for kernels in sets {
        for vector in &vectors {
            failures
                .extend(compare(vector, *kernels).map(|what| format!("{}, {}: {what}", kernels.name(), vector.name)));
        }
    }
    let shown = failures.len().min(40);
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), vectors.len(), failures[..shown].join("\n"));
}

/// The path of a file of vectors in the repository.
pub(super) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/engine").join(name)
}

#[test]
fn kernels_match_the_reference_interpreter() {
    check(&golden("vectors.bin"), &available(), difference);
}

#[test]
fn prepared_programs_match_the_reference_interpreter() {
    check(&golden("vectors.bin"), &[portable()], difference_prepared);
}

/// `BEDSIDE_VECTORS` names a file that `tests/golden/engine/generate.py` wrote. `cargo xtask full` selects this test by
/// the word `thousands`.
#[test]
#[ignore = "takes a file that takes minutes to make; `cargo xtask full` makes it"]
fn kernels_match_the_reference_interpreter_on_thousands_of_graphs() {
    let vectors = std::env::var_os("BEDSIDE_VECTORS").expect("BEDSIDE_VECTORS names a file of vectors");
    let sets = available();
    check(Path::new(&vectors), &sets, difference);
    check(Path::new(&vectors), &sets[sets.len() - 1..], difference_prepared);
}

/// Runs a node test of the ONNX standard and describes its failure. A vector without outputs is of an operator that is
/// not supported, and must be refused.
fn failure(vector: &Vector<'_>, kernels: &'static dyn Kernels) -> Option<String> {
    let graph = Graph::from_bytes(vector.model).expect("an ONNX file");
    let signature = signature(&graph);
    let input = Tensor::f32(signature.shape.clone(), vector.input.clone()).expect("as long as its shape says");
    match (Engine::build_for(Some(kernels), graph, &signature, 1), vector.outputs.is_empty()) {
        (Ok(_), true) => Some("served, and not known how".into()),
        (Err(_), true) => None,
        (Err(error), false) => Some(error.to_string()),
        (Ok(engine), false) => match engine.run(&input) {
            // The tolerance of the standard's own runner.
            Ok(outputs) => {
                mismatch(vector, &outputs, |value, expected| (value - expected).abs() <= 1e-7 + 1e-3 * expected.abs())
            }
            Err(error) => Some(error.to_string()),
        },
    }
}

#[test]
fn engine_passes_the_onnx_node_tests() {
    check(&golden("backend.bin"), &available(), failure);
}
