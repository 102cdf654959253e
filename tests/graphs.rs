//! Graphs as exporters write them. Each is opened by its path, with `model.json` beside it, and gives the scores that
//! ONNX Runtime gives. Each that is not supported is refused with an error that names the cause.

mod tiny;

use std::collections::HashMap;
use std::fs;

use bedside::{Classifier, Error, ErrorKind, Image, Options};
use serde_json::Value;
use tiny::{golden, manifest};

/// The maximum difference of a score. Float graphs differ by the order of sums, quantized ones only after their last
/// rounding.
const TOLERANCE: f64 = 1e-5;

fn cases() -> Vec<Value> {
    let json = fs::read_to_string(golden("graphs/cases.json")).expect("committed");
    serde_json::from_str(&json).expect("an array of cases")
}

/// Opens the case's graph in its own folder, with its manifest beside it.
fn open(case: &Value) -> Result<Classifier, Error> {
    let file = case["graph"].as_str().expect("a name");
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(golden("graphs")).expect("committed") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        if name.starts_with(file) {
            fs::copy(&path, folder.path().join(name)).expect("room");
        }
    }
    let mut manifest = manifest();
    for field in ["mean", "std", "color"] {
        if let Some(value) = case.get(field) {
            manifest["input"][field] = value.clone();
        }
    }
    manifest["output"]["activation"] = case.get("activation").cloned().unwrap_or("softmax".into());
    if let Some(output) = case.get("output") {
        manifest["output"]["tensor"] = output.clone();
    }
    fs::write(folder.path().join("model.json"), manifest.to_string()).expect("room");
    Classifier::open(folder.path().join(file), Options::default())
}

#[test]
fn supported_graphs_give_the_reference_scores() {
    let picture = fs::read(golden("graphs/picture.png")).expect("committed");
    let mut served = 0;
    for case in cases().iter().filter(|case| case.get("expected").is_some()) {
        let name = &case["graph"];
        let classifier = open(case).unwrap_or_else(|error| panic!("{name}: {error}"));
        let scores = classifier.scores(&Image::from_bytes(&picture[..])).unwrap_or_else(|e| panic!("{name}: {e}"));
        let expected = case["expected"].as_array().expect("a list");
        assert_eq!(scores.len(), expected.len(), "{name}");
        for (score, wanted) in scores.iter().zip(expected) {
            let difference = (f64::from(*score) - wanted.as_f64().expect("a number")).abs();
            assert!(difference <= TOLERANCE, "{name}: {scores:?} instead of {expected:?}");
        }
        served += 1;
    }
    assert_eq!(served, 28, "a case was lost from cases.json");
}

#[test]
fn unsupported_graphs_are_refused_with_the_cause_named() {
    let mut refused = 0;
    for case in cases().iter().filter(|case| case.get("refused").is_some()) {
        let error = open(case).map(|_| ()).expect_err("must be refused");
        assert!(
            matches!(
                error.kind(),
                ErrorKind::UnsupportedModel
                    | ErrorKind::InvalidManifest
                    | ErrorKind::MalformedModel
                    | ErrorKind::TooLarge
            ),
            "{}: {error}",
            case["graph"]
        );
        for word in case["refused"].as_array().expect("a list") {
            let word = word.as_str().expect("a word");
            assert!(error.to_string().contains(word), "{}: \"{error}\" does not name {word}", case["graph"]);
        }
        refused += 1;
    }
    assert_eq!(refused, 13, "a case was lost from cases.json");
}

/// Files of other formats, most of them by the tools that write them, and damaged downloads.
#[test]
fn what_is_no_onnx_model_is_named_with_what_to_do() {
    let json = fs::read_to_string(golden("foreign/cases.json")).expect("committed");
    let cases: HashMap<String, Vec<String>> = serde_json::from_str(&json).expect("sound");
    assert_eq!(cases.len(), 20, "a case was lost from cases.json");
    for (name, words) in cases {
        let error = Classifier::open(golden("foreign").join(&name), Options::default()).map(|_| ());
        let error = error.expect_err("must be refused");
        let is_kind = matches!(error.kind(), ErrorKind::UnsupportedModel | ErrorKind::MalformedModel);
        assert!(is_kind, "{name}: {error}");
        for word in words {
            assert!(error.to_string().contains(&word), "{name}: \"{error}\" does not name {word}");
        }
    }
}

#[test]
fn graph_with_several_outputs_is_refused_without_a_choice() {
    let case = serde_json::json!({"graph": "features-and-logits.onnx"});
    let error = open(&case).map(|_| ()).expect_err("must be refused");
    assert!(error.to_string().contains("features, logits"), "{error}");
}

#[test]
fn activation_is_refused_where_the_graph_has_one() {
    for graph in ["softmax-inside.onnx", "sigmoid-inside.onnx"] {
        for activation in ["softmax", "sigmoid"] {
            let error = open(&serde_json::json!({"graph": graph, "activation": activation})).map(|_| ());
            let error = error.expect_err("must be refused");
            assert!(error.to_string().contains("output.activation"), "{error}");
        }
    }
}

#[test]
fn external_data_outside_the_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = fs::read(golden("graphs/dynamo-external.onnx")).expect("committed");
    // The new location has the same length, so that the file stays valid protobuf.
    let (from, to) = (b"dynamo-external.onnx.data", b"../../../etc/hostname.data");
    let hostile = replaced(&bytes, from, &to[..from.len()]);
    assert_ne!(bytes, hostile);
    fs::write(folder.path().join("model.onnx"), hostile).expect("room");
    fs::write(folder.path().join("model.json"), manifest().to_string()).expect("room");
    let error =
        Classifier::open(folder.path().join("model.onnx"), Options::default()).map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::MalformedModel);
    assert!(error.to_string().contains("not inside the model's folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn external_data_behind_a_link_that_leads_outside_is_refused() {
    let (folder, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let data = "dynamo-external.onnx.data";
    fs::copy(golden("graphs").join(data), outside.path().join(data)).expect("room");
    std::os::unix::fs::symlink(outside.path().join(data), folder.path().join(data)).expect("a link");
    fs::copy(golden("graphs/dynamo-external.onnx"), folder.path().join("model.onnx")).expect("room");
    fs::write(folder.path().join("model.json"), manifest().to_string()).expect("room");
    let error =
        Classifier::open(folder.path().join("model.onnx"), Options::default()).map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::MalformedModel, "{error}");
}

#[test]
fn missing_external_data_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(golden("graphs/dynamo-external.onnx"), folder.path().join("model.onnx")).expect("room");
    let error =
        Classifier::open(folder.path().join("model.onnx"), Options::default()).map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("dynamo-external.onnx.data"), "{error}");
    assert!(error.to_string().contains("put it beside the model"), "{error}");
}

/// The bytes with every `from` replaced by `to`, which has the same length.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = bytes.to_vec();
    for start in 0..=bytes.len() - from.len() {
        if &bytes[start..start + from.len()] == from {
            replaced[start..start + from.len()].copy_from_slice(to);
        }
    }
    replaced
}
