//! What people give for an ONNX model and what is none: which format it is, and what to do.
//!
//! The first bytes of a file, or the names in an archive, tell; its name does not. `tests/golden/foreign/` has files, most of them by
//! the tools that write them. Of `ExecuTorch`, XML, Core ML's folders, and saved models and Core ML in archives it has none: these are
//! told by what their formats' descriptions say.

use std::path::Path;

use crate::wire;

/// A file of `PyTorch` before its version 1.6: a pickle of protocol 2 of the number 0x1950a86a20f9469cfc6c.
const LEGACY_PYTORCH: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
/// The first bytes of files, and what such a file is.
const STARTS: [(&[u8], &str); 8] = [
    (b"version https://git-lfs.github.com/spec/", GIT_LFS),
    (LEGACY_PYTORCH, PYTORCH),
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"\x1f\x8b", "this is a gzip archive; unpack it, and give the .onnx file that is inside"),
    (b"<!DOCTYPE html", WEB_PAGE),
    (b"<!doctype html", WEB_PAGE),
    (b"<html", WEB_PAGE),
    (b"<?xml", "this is XML, as an OpenVINO model has it; give the .onnx file that it was made from"),
];
/// The identifiers that `FlatBuffers` have in their bytes 4 to 7.
const FLAT_BUFFERS: [(&[u8], &str); 3] = [
    (b"ORTM", "this is a model in ONNX Runtime's own format (.ort); give the .onnx file that it was made from"),
    (
        b"TFL3",
        "this is a TensorFlow Lite model; convert it: `python -m tf2onnx.convert --tflite FILE --output model.onnx`",
    ),
    (b"ET12", "this is an ExecuTorch program; export the network that it was made from with `torch.onnx.export`"),
];
/// Names of entries by which an archive is told, and what it is. The first that is there counts.
const ENTRIES: [(&[u8], &str); 7] = [
    (
        b"/archive_format",
        "this is a program of `torch.export`; give it to `torch.onnx.export`, which writes the .onnx file",
    ),
    (
        b"/constants.pkl",
        "this is a TorchScript model; build its network in PyTorch, and export it with `torch.onnx.export`",
    ),
    (b"/data.pkl", PYTORCH),
    (
        b"model.weights.h5",
        "this is a Keras model; load it with Keras, and write it with `model.export(\"model.onnx\", format=\"onnx\")`, which \
         needs tf2onnx",
    ),
    (b"saved_model.pb", SAVED_MODEL),
    (b"com.apple.CoreML", CORE_ML),
    (b"coremldata.bin", CORE_ML),
];
const GIT_LFS: &str = "this is a Git LFS pointer, which stands for the model; run `git lfs pull` where it was cloned, or download \
                       the file itself";
const PYTORCH: &str = "these are weights of PyTorch, or a network as a pickle, and no graph; build the network, load them into it, \
                       and export it with `torch.onnx.export`";
const HDF5: &str = "this is an HDF5 file, as Keras writes; load it with Keras, and write it with `model.export(\"model.onnx\", \
                    format=\"onnx\")`, which needs tf2onnx";
const WEB_PAGE: &str =
    "this is a web page and no model; a download may have asked for a login: download the file itself";
const SAVED_MODEL: &str = "this is a SavedModel of TensorFlow; convert its folder: `python -m tf2onnx.convert --saved-model FOLDER \
                           --output model.onnx`";
const CORE_ML: &str = "this is a Core ML model; export the network that it was made from to ONNX";

/// The most bytes of the end of an archive in which names are looked for: its central directory is there.
const DIRECTORY: usize = 1 << 20;
/// The most bytes of a name that a message repeats.
const MAX_NAME: usize = 100;

/// What a file is that is no ONNX model, and what to do; `None` where it is not known.
pub(crate) fn file(bytes: &[u8]) -> Option<String> {
    let start = STARTS.iter().find(|(start, _)| bytes.starts_with(start));
    let flat = || FLAT_BUFFERS.iter().find(|(id, _)| bytes.get(4..8) == Some(*id));
    if let Some((_, what)) = start.or_else(flat) {
        return Some((*what).into());
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(archive(&bytes[bytes.len().saturating_sub(DIRECTORY)..]));
    }
    if is_safetensors(bytes) {
        return Some(
            "these are weights alone (safetensors) and no graph; load them into their network, and export it with \
             `torch.onnx.export`"
                .into(),
        );
    }
    protobuf(bytes)
}

/// What a folder is that is given for a model; `None` where it is not known.
pub(crate) fn folder(path: &Path) -> Option<String> {
    let has = |name: &str| path.join(name).is_file();
    if has("saved_model.pb") {
        return Some(SAVED_MODEL.into());
    }
    let is_package = path.extension().is_some_and(|extension| extension == "mlpackage");
    (is_package || has("coremldata.bin")).then(|| CORE_ML.into())
}

/// What a zip archive is, by the end of it.
fn archive(end: &[u8]) -> String {
    if let Some((_, what)) = ENTRIES.iter().find(|(name, _)| find(end, name).is_some()) {
        return (*what).into();
    }
    let onnx = entry_of_onnx(end).map(|name| format!(" of \"{name}\"")).unwrap_or_default();
    format!("this is a zip archive{onnx}; unpack it, and give the .onnx file that is inside")
}

/// The name of an entry that ends with `.onnx`, in the central directory (APPNOTE 4.3.12): 46 bytes, whose 28 and 29 are the
/// length of the name, and the name.
fn entry_of_onnx(end: &[u8]) -> Option<&str> {
    let mut rest = end;
    while let Some(at) = find(rest, b"PK\x01\x02") {
        rest = &rest[at..];
        let length = usize::from(u16::from_le_bytes([*rest.get(28)?, *rest.get(29)?]));
        let name = rest.get(46..46 + length).and_then(|name| str::from_utf8(name).ok());
        let is_onnx = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "onnx");
        let is_plain = |name: &str| name.len() <= MAX_NAME && !name.contains(char::is_control);
        if let Some(name) = name.filter(|name| is_onnx(name) && is_plain(name)) {
            return Some(name);
        }
        rest = &rest[4..];
    }
    None
}

/// Where `wanted` is in `bytes` for the first time.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Whether a file begins with the length of a JSON object, in 8 bytes, and that object.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else { return false };
    rest.starts_with(b"{\"") && u64::from_le_bytes(*length) <= rest.len() as u64
}

/// What a file of Protocol Buffers is whose message is not ONNX's `ModelProto`, by the numbers of its fields.
fn protobuf(bytes: &[u8]) -> Option<String> {
    let numbers = wire::fields(bytes)?;
    let known = match numbers[..] {
        // `NodeDef`s, and what a `GraphDef` has besides.
        [1, ..] if bytes[0] == 0x0A && numbers.iter().all(|&number| number <= 5) => {
            "this is a TensorFlow graph; convert it: `python -m tf2onnx.convert --graphdef FILE --inputs NAMES --outputs NAMES \
             --output model.onnx`"
        }
        // `saved_model_schema_version`, and `meta_graphs`.
        [1, 2, ..] if bytes.starts_with(&[0x08, 0x01]) && numbers[1..].iter().all(|&number| number == 2) => SAVED_MODEL,
        // `specificationVersion`, `description`, and the kind of the model, whose number is at least 200.
        [1, 2, ..] if numbers.iter().any(|&number| (200..=5000).contains(&number)) => CORE_ML,
        _ => return None,
    };
    Some(known.into())
}
