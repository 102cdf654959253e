//! The tiny graphs of `golden/graphs`, and manifests for them.

use std::path::{Path, PathBuf};

use bedside::manifest::METADATA_KEY;
use bedside::{Classifier, Options, Result};
use bedside_engine::Graph;
use serde_json::{Value, json};

/// A path below `tests/golden`.
pub(crate) fn golden(folder: &str) -> PathBuf {
    // The tests of the command line belong to the package `cli/`, one folder down.
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = package.ancestors().map(|folder| folder.join("tests/golden")).find(|path| path.is_dir());
    tests.expect("the tests lie in the workspace").join(folder)
}

/// A manifest for a graph with an input of 32×32 RGB pixels and three scores, of the labels a, b and c.
#[allow(dead_code, reason = "the shipped model has its own")]
pub(crate) fn manifest() -> Value {
    json!({
        "bedside": "1.0", "kind": "scores", "name": "tiny", "version": "0.0.1", "license": "CC0-1.0",
        "input": {"color": "rgb", "width": 32, "height": 32, "resize": {"policy": "stretch"},
                  "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "output": {"activation": "softmax", "labels": [
            {"id": "a", "name": {"en": "Label A", "uk": "Мітка А"}, "operating_point": 0.3, "triage": "urgent"},
            {"id": "b", "name": {"en": "Label B"}, "triage": "no_sign"},
            {"id": "c", "name": {"en": "Label C"}, "triage": "refer"}]},
    })
}

/// The bytes of an ONNX model: a graph of `golden/graphs` with a manifest inside.
#[allow(dead_code, reason = "not every test that has this module packs a model")]
pub(crate) fn packed(graph: &str, manifest: &Value) -> Vec<u8> {
    let mut graph = Graph::open(&golden("graphs").join(graph), 1 << 20).expect("a sound graph");
    graph.set_metadata(METADATA_KEY, manifest.to_string());
    graph.to_bytes()
}

/// A classifier of the plain tiny graph.
#[allow(dead_code, reason = "not every test that has this module opens this graph")]
pub(crate) fn classifier(manifest: &Value) -> Result<Classifier> {
    Classifier::from_bytes(packed("torchscript-17.onnx", manifest), Options::default())
}
