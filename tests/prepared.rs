//! Prepared models give the same bits as the ONNX files that they were made from, and are refused where they are
//! damaged or hold something that no version writes.

mod shipped;
mod tiny;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bedside::tools::{self, Binding};
use bedside::{Classifier, Error, ErrorKind, Image, Limits, Options};
use bedside_engine::{Graph, ModelFile, Prepared};
use sha2::{Digest, Sha256};
use shipped::{MODELS, shipped};
use tiny::{golden, manifest, packed};

/// The offset of the content in bytes: it follows 8 bytes of magic number, 4 of the version, and 32 of its SHA-256.
const CONTENT: usize = 44;

/// The bytes of the prepared form of an ONNX model with its manifest inside.
fn prepared(onnx: &[u8]) -> Result<Vec<u8>, Error> {
    let file = ModelFile::from_bytes(onnx).map_err(tools::engine_error)?;
    let signature = Binding::new(&tools::manifest_of(&file, None)?, &file)?.signature;
    let prepared = Graph::from_bytes(onnx).and_then(|graph| Prepared::of(graph, &signature));
    Ok(prepared.map_err(tools::engine_error)?.to_bytes())
}

fn tiny_prepared() -> Vec<u8> {
    prepared(&packed("qdq-u8.onnx", &manifest())).expect("quantized from end to end")
}

fn open(bytes: &[u8]) -> Result<Classifier, Error> {
    catch_unwind(AssertUnwindSafe(|| Classifier::from_bytes(bytes, Options::default()))).expect("no panic")
}

fn refused(bytes: &[u8]) -> Error {
    open(bytes).map(|_| ()).expect_err("must be refused")
}

/// The magic number and the version of `model`, and then `content` with its checksum.
fn sealed(model: &[u8], content: &[u8]) -> Vec<u8> {
    [&model[..12], &Sha256::digest(content), content].concat()
}

fn pictures(folder: &Path) -> Vec<Image<'static>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let pictures: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "jpg" || e == "jpeg")).collect();
    assert!(!pictures.is_empty(), "{}", folder.display());
    pictures.iter().map(|path| Image::open(path).expect("a picture")).collect()
}

#[test]
fn prepared_shipped_models_give_the_same_bits() {
    for model in MODELS {
        let onnx = fs::read(shipped(model).join("model.onnx")).expect("shipped");
        let bytes = prepared(&onnx).unwrap_or_else(|error| panic!("{model}: {error}"));
        assert!(bytes.len() < onnx.len() * 11 / 10, "{model}: {} bytes of {}", bytes.len(), onnx.len());
        let (before, after) = (open(&onnx).expect("opens"), open(&bytes).expect("opens"));
        assert_eq!((before.identity(), before.manifest()), (after.identity(), after.manifest()), "{model}");
        assert_eq!(before.self_test().expect("passes"), after.self_test().expect("passes"), "{model}");
        for picture in pictures(&shipped("samples")) {
            let scores = |classifier: &Classifier| -> Vec<u32> {
                classifier.scores(&picture).expect("scores").into_iter().map(f32::to_bits).collect()
            };
            assert_eq!(scores(&before), scores(&after), "{model}, {:?}", picture.name());
        }
    }
}

#[test]
fn preparing_a_graph_with_float_nodes_is_refused_with_the_node_named() {
    let error = prepared(&packed("torchscript-17.onnx", &manifest())).map(drop).expect_err("in floats");
    assert_eq!(error.kind(), ErrorKind::UnsupportedModel);
    let words = error.to_string();
    assert!(words.contains("operator ") && words.contains("at node \"") && words.contains("quantize"), "{words}");
}

#[test]
fn prepared_model_of_any_name_takes_the_manifest_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = ModelFile::from_bytes(&packed("qdq-u8.onnx", &manifest())).expect("sound");
    let signature = Binding::new(&tools::manifest_of(&file, None).expect("inside"), &file).expect("fits").signature;
    let bare = Graph::open(&golden("graphs/qdq-u8.onnx"), 1 << 20).expect("sound");
    let path = folder.path().join("model.onnx");
    fs::write(&path, Prepared::of(bare, &signature).expect("one program").to_bytes()).expect("room");
    let missing = Classifier::open(&path, Options::default()).map(|_| ()).expect_err("no manifest");
    assert_eq!(missing.kind(), ErrorKind::InvalidManifest);
    fs::write(folder.path().join("model.json"), manifest().to_string()).expect("room");
    Classifier::open(&path, Options::default()).expect("a manifest beside it");
}

#[test]
fn prepared_model_refuses_a_manifest_that_does_not_fit() {
    let bytes = tiny_prepared();
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let (mut model, mut manifest) = (Prepared::from_bytes(&bytes).expect("sound"), manifest());
        change(&mut manifest);
        model.set_metadata("bedside", manifest.to_string());
        let error = refused(&model.to_bytes());
        assert_eq!(error.kind(), ErrorKind::InvalidManifest, "{error}");
        error.to_string()
    };
    assert!(
        with(&|m| m["calibration"] = serde_json::json!({"graph_sha256": "00".repeat(32)})).contains("another graph")
    );
    assert!(with(&|m| m["input"]["tensor"] = "other".into()).contains("`input.tensor`"));
    assert!(with(&|m| m["input"]["width"] = 31.into()).contains("31×32"));
    assert!(with(&|m| m["output"]["tensor"] = "other".into()).contains("`output.tensor`"));
    assert!(with(&|m| drop(m["output"]["labels"].as_array_mut().expect("labels").pop())).contains("2 labels"));
}

#[test]
fn damaged_prepared_models_are_refused() {
    let bytes = tiny_prepared();
    open(&bytes).expect("sound");
    for end in (0..bytes.len()).step_by(13) {
        assert_eq!(refused(&bytes[..end]).kind(), ErrorKind::MalformedModel, "{end}");
    }
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let kind = refused(&damaged).kind();
        assert!(
            kind == ErrorKind::MalformedModel || (8..12).contains(&at) && kind == ErrorKind::UnsupportedModel,
            "{at}"
        );
    }
    let limits = Limits::new().max_model_bytes(bytes.len() as u64 - 1);
    let error = Classifier::from_bytes(&bytes, Options::new().limits(limits)).map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

/// A right checksum does not make damaged content acceptable. The fuzz target `prepared_model` searches for other
/// damage.
#[test]
fn sealed_truncations_of_a_prepared_model_are_malformed() {
    let sound = tiny_prepared();
    for end in (0..sound.len() - CONTENT).step_by(11) {
        assert_eq!(refused(&sealed(&sound, &sound[CONTENT..CONTENT + end])).kind(), ErrorKind::MalformedModel, "{end}");
    }
}
