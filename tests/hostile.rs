//! Damaged and hostile models: each gives an error with a message, none panics, and none allocates what it declares.
//! The tests of hostile pictures are beside the decoder. The fuzz target `onnx_model` searches for further inputs.

mod tiny;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bedside::{Classifier, Error, ErrorKind, Image, Limits, Options};
use bedside_engine::Graph;
use tiny::{golden, manifest, packed};

fn open(bytes: &[u8]) -> Result<Classifier, Error> {
    catch_unwind(AssertUnwindSafe(|| Classifier::from_bytes(bytes, Options::default()))).expect("no panic")
}

fn refused(bytes: &[u8]) -> Error {
    open(bytes).map(|_| ()).expect_err("must be refused")
}

#[test]
fn bytes_that_are_no_model_are_malformed() {
    for bytes in [&b""[..], b"\0", b"This is a text file named model.onnx.\n", b"\x89PNG\r\n\x1a\n", &[0xff; 64]] {
        let error = refused(bytes);
        assert_eq!(error.kind(), ErrorKind::MalformedModel, "{bytes:?}");
        assert!(error.to_string().contains("not an ONNX model"), "{error}");
    }
}

#[test]
fn truncated_models_are_refused() {
    let bytes = packed("qdq-u8.onnx", &manifest());
    for end in (0..bytes.len()).step_by(97) {
        let error = refused(&bytes[..end]);
        assert!(
            matches!(
                error.kind(),
                ErrorKind::MalformedModel | ErrorKind::UnsupportedModel | ErrorKind::InvalidManifest
            ),
            "{end}: {error}"
        );
    }
}

#[test]
fn huge_declared_dimensions_are_refused_before_they_are_allocated() {
    let mut graph = Graph::open(&golden("graphs/torchscript-17.onnx"), 1 << 20).expect("sound");
    for shape in [[1 << 40, 3, 32, 32], [1, 3, 1 << 30, 1 << 30], [1, 1 << 50, 32, 32]] {
        graph.fix_input_shape("input", &shape).expect("an input");
        graph.set_metadata("bedside", manifest().to_string());
        let error = refused(&graph.to_bytes());
        assert!(matches!(error.kind(), ErrorKind::InvalidManifest | ErrorKind::UnsupportedModel), "{shape:?}: {error}");
    }
}

/// An initializer that declares far more elements than the file has bytes.
#[test]
fn huge_declared_weights_are_refused() {
    let mut bytes = packed("torchscript-17.onnx", &manifest());
    // The head's weight is 3×8: field 1 of TensorProto, packed. A varint of one byte holds up to 127.
    let at = bytes.windows(4).position(|w| w == [0x0a, 0x02, 0x03, 0x08]).expect("the head's dimensions");
    bytes[at + 2] = 127;
    bytes[at + 3] = 127;
    let error = refused(&bytes);
    assert!(matches!(error.kind(), ErrorKind::MalformedModel | ErrorKind::UnsupportedModel), "{error}");
}

#[test]
fn model_over_the_limit_is_too_large() {
    let bytes = packed("torchscript-17.onnx", &manifest());
    let limits = Limits::new().max_model_bytes(bytes.len() as u64 - 1);
    let options = Options::new().limits(limits);
    let error = Classifier::from_bytes(&bytes, options.clone()).map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("model.onnx"), &bytes).expect("room");
    let error = Classifier::open(folder.path().join("model.onnx"), options).map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn unreadable_files_are_io_errors_that_name_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().join("missing.onnx"), folder.path().to_owned()] {
        let error = Classifier::open(&path, Options::default()).map(|_| ()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains(path.to_str().expect("UTF-8")), "{error}");
        let error = Image::open(&path).map(|_| ()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Io);
    }
}

/// The result of a call; `None` where it has not returned within ten seconds.
#[cfg(unix)]
fn in_time<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(call()));
    receiver.recv_timeout(std::time::Duration::from_secs(10)).ok()
}

#[cfg(unix)]
fn make_pipe(path: &std::path::Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

/// A device has no length, and may be endless.
#[cfg(unix)]
#[test]
fn endless_device_is_read_to_the_limit_only() {
    let limits = Limits::new().max_model_bytes(100);
    let refused = Classifier::open("/dev/zero", Options::new().limits(limits)).map(drop).expect_err("no model");
    assert_eq!(
        (refused.kind(), refused.to_string()),
        (ErrorKind::TooLarge, "/dev/zero: the model has 101 bytes; the limit is 100".into())
    );
}

#[test]
fn file_over_its_limit_is_refused_with_name_size_and_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = |name: &str, length: u64| {
        let path = folder.path().join(name);
        fs::File::create(&path).and_then(|file| file.set_len(length)).expect("a file of nothing");
        path
    };
    let model = long("model.onnx", 0);
    fs::copy(golden("graphs/torchscript-17.onnx"), &model).expect("room");
    long("model.json", (16 << 20) + 1);
    let limits = Limits::new().max_model_bytes(100);
    let size = fs::metadata(&model).expect("there").len();
    let open = |options| Classifier::open(&model, options).map(drop).expect_err("refused");
    for (error, name, size, limit) in [
        (open(Options::default()), "model.json", (16 << 20) + 1, 16 << 20),
        (open(Options::new().limits(limits)), "model.onnx", size, 100),
        (
            Image::open(long("a.png", (256 << 20) + 1)).map(drop).expect_err("refused"),
            "a.png",
            (256 << 20) + 1,
            256 << 20,
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        let words = format!("{size} bytes; the limit is {limit}");
        assert!(error.to_string().contains(name) && error.to_string().contains(&words), "{error}");
    }
}

#[test]
fn manifest_beside_a_model_must_be_a_text_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, manifest) = (folder.path().join("model.onnx"), folder.path().join("model.json"));
    fs::copy(golden("graphs/torchscript-17.onnx"), &model).expect("room");
    let refused = || {
        let model = model.clone();
        #[cfg(unix)]
        let opened = in_time(move || Classifier::open(model, Options::default()).map(drop)).expect("no waiting");
        #[cfg(not(unix))]
        let opened = Classifier::open(model, Options::default()).map(drop);
        let error = opened.expect_err("refused");
        (error.kind(), error.to_string())
    };
    assert_eq!(refused().0, ErrorKind::InvalidManifest);
    assert!(refused().1.contains("the model has no manifest"), "{}", refused().1);

    fs::create_dir(&manifest).expect("room");
    assert_eq!(refused(), (ErrorKind::Io, format!("{}: this is a folder; give a file", manifest.display())));
    fs::remove_dir(&manifest).expect("ours");

    fs::write(&manifest, b"{\"name\": \"\xff\"}").expect("room");
    let (kind, message) = refused();
    assert_eq!(kind, ErrorKind::InvalidManifest);
    assert!(message.contains("model.json") && message.contains("not UTF-8"), "{message}");
    fs::remove_file(&manifest).expect("ours");

    #[cfg(unix)]
    {
        make_pipe(&manifest);
        let words = format!("{}: this is a device, a pipe or a socket; give a file", manifest.display());
        assert_eq!(refused(), (ErrorKind::Io, words));
    }
}

#[test]
fn manifest_field_of_a_wrong_type_is_named() {
    let mut wrong = manifest();
    wrong["input"]["width"] = "wide".into();
    let error = refused(&packed("torchscript-17.onnx", &wrong));
    assert_eq!(error.kind(), ErrorKind::InvalidManifest);
    assert!(error.to_string().contains("`input.width`"), "{error}");
}
