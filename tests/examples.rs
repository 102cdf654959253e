//! Runs the programs of `examples/`, which Cargo builds with the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use bedside::{Manifest, NOTICE};

/// The standard output of an example, run at the root of the repository. It must succeed.
fn output(name: &str, arguments: &[&str]) -> String {
    // Tests lie in `deps`, and `examples` beside it.
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.parent().and_then(Path::parent).expect("two folders");
    let program: PathBuf = folder.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    let hint = "`cargo test` builds the examples, but not with `--test`";
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}; {hint}", program.display()));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn classify_prints_the_report_of_a_picture() {
    let text = output(
        "classify",
        &["models/skin-lesion/model.onnx", "models/samples/ISIC_0012258.jpg", "dermatoscope=yes", "mole_like=yes"],
    );
    // The picture is a melanoma of the test split, by its label there.
    assert!(text.contains("urgent: ") && text.contains("Melanoma") && text.contains(NOTICE), "{text}");
}

#[test]
fn classify_prints_the_reason_of_an_open_question() {
    let text = output("classify", &["models/skin-lesion/model.onnx", "models/samples/ISIC_0012258.jpg"]);
    assert!(text.contains("unassessed: ") && text.contains("has no answer") && text.contains(NOTICE), "{text}");
}

#[test]
fn camera_frame_prints_a_verdict_of_the_frame() {
    let text = output("camera_frame", &[]);
    let verdicts = ["be excluded", "can't tell", "gives no result"];
    assert!(verdicts.iter().any(|words| text.contains(words)), "{text}");
    assert!(text.contains(NOTICE), "{text}");
}

#[test]
fn many_threads_prints_a_line_for_each_picture() {
    let pictures =
        ["models/samples/ISIC_0012086.jpg", "models/samples/ISIC_0012092.jpg", "models/samples/ISIC_0012258.jpg"];
    let text = output("many_threads", &pictures);
    for picture in pictures {
        assert_eq!(text.matches(picture).count(), 1, "{text}");
    }
    assert!(text.contains(NOTICE), "{text}");
}

#[test]
fn own_manifest_prints_a_manifest_that_reads_back() {
    let manifest = Manifest::from_json(&output("own_manifest", &[])).expect("a sound manifest");
    assert_eq!((manifest.name(), manifest.labels().len(), manifest.scope().len()), ("lesions", 2, 1));
}
