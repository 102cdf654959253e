//! The command `bedside` as a process: its output, its exit status, and the files that it writes.

mod process;
mod tiny;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[cfg(unix)]
use process::bedside_ended_after;
use process::{bedside, err, exited, out, text};
use serde_json::{Value, json};
use tempfile::TempDir;
use tiny::golden;

/// The command's output. Fails where the command does not end within 20 seconds.
#[cfg(unix)]
fn in_time(arguments: &[&str]) -> Output {
    use std::time::{Duration, Instant};

    let mut command = Command::new(env!("CARGO_BIN_EXE_bedside"));
    let mut child =
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let start = Instant::now();
    while child.try_wait().expect("ours").is_none() {
        if start.elapsed() > Duration::from_secs(20) {
            child.kill().expect("ours");
            panic!("{arguments:?}: not ended after 20 seconds");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("it has ended")
}

/// The output of the command when it is run by a user without root's privileges: `nobody`, where the tests run as root.
#[cfg(unix)]
fn unprivileged(arguments: &[&str], folder: &Path) -> Output {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65_534;
    if fs::metadata(folder).expect("there").uid() != 0 {
        return bedside(arguments);
    }
    // The user `nobody` may not enter the folder that the command was built in.
    let command = folder.join("bedside");
    fs::copy(env!("CARGO_BIN_EXE_bedside"), &command).expect("room");
    for path in [folder, &command] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    loop {
        match Command::new(&command).args(arguments).uid(NOBODY).gid(NOBODY).output() {
            // A process that another test has just started may still hold the copy open.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => return output.expect("root may become nobody, and nobody may enter the temporary folder"),
        }
    }
}

/// A temporary folder with `model.onnx`, a packed tiny model that asks the question `ready`, and what it was made from:
/// `manifest.json`, `scores.csv` and `picture.png`.
struct ModelFolder {
    folder: TempDir,
}

impl ModelFolder {
    fn new() -> ModelFolder {
        let folder = ModelFolder { folder: tempfile::tempdir().expect("a folder") };
        let mut manifest = tiny::manifest();
        manifest["scope"] = json!([{"id": "ready", "question": {"en": "Is it ready?"}, "required": true}]);
        fs::write(folder.path("manifest.json"), manifest.to_string()).expect("room");
        fs::write(folder.path("scores.csv"), "label,score\na,0.8573658\nb,0.0913147\nc,0.0513195\n").expect("room");
        fs::copy(golden("graphs/picture.png"), folder.path("picture.png")).expect("room");
        exited(
            &folder.pack(
                "torchscript-17.onnx",
                &["--golden", &folder.text("picture.png"), "--scores", &folder.text("scores.csv")],
            ),
            0,
        );
        folder
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        text(&self.path(name)).to_owned()
    }

    fn pack(&self, graph: &str, more: &[&str]) -> Output {
        let (graph, manifest, model) =
            (golden("graphs").join(graph), self.text("manifest.json"), self.text("model.onnx"));
        let mut arguments = vec!["pack", text(&graph), "--manifest", &manifest, "-o", &model];
        arguments.extend(more);
        bedside(&arguments)
    }

    fn classify(&self, more: &[&str]) -> Output {
        let model = self.text("model.onnx");
        let mut arguments = vec!["classify", "--model", &model];
        arguments.extend(more);
        bedside(&arguments)
    }
}

/// A name that would clear the screen, begin another line and turn the direction of writing.
#[cfg(unix)]
#[test]
fn names_of_files_are_escaped_on_a_terminal() {
    let folder = ModelFolder::new();
    let photos = folder.path("photos");
    fs::create_dir(&photos).expect("room");
    for name in ["a\u{1b}[2J\nurgent\u{202e}.png", "b.png"] {
        fs::copy(folder.path("picture.png"), photos.join(name)).expect("room");
    }
    fs::write(photos.join("c\u{1b}[2J\nerror\u{2066}.png"), "no picture").expect("room");
    let escaped = "a\\u{1b}[2J\\nurgent\\u{202e}.png";
    let output = folder.classify(&[text(&photos), "--answer", "ready=yes"]);
    exited(&output, 1);
    assert_eq!(out(&output).lines().filter(|line| line.contains(escaped)).count(), 1, "{}", out(&output));
    assert!(err(&output).contains("c\\u{1b}[2J\\nerror\\u{2066}.png"), "{}", err(&output));
    // The report of a single picture begins with its name; JSON has it as it is.
    let name = text(&photos.join("a\u{1b}[2J\nurgent\u{202e}.png")).to_owned();
    let single = out(&folder.classify(&[&name, "--answer", "ready=yes"]));
    assert!(single.lines().next().expect("a line").ends_with(escaped), "{single}");
    let json = out(&folder.classify(&[&name, "--answer", "ready=yes", "--json"]));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["image"], json!(name));
}

#[test]
fn classify_prints_a_report_for_people() {
    let folder = ModelFolder::new();
    let output = folder.classify(&[&folder.text("picture.png"), "--answer", "ready=yes"]);
    exited(&output, 0);
    let text = out(&output);
    for words in
        ["Can't be excluded: Label A.", "URGENT", "85.7 %", "30.0 %", "reached", "tiny 0.0.1", "not a medical device"]
    {
        assert!(text.contains(words), "no \"{words}\" in\n{text}");
    }
}

#[test]
fn classify_prints_unanswered_questions_and_no_findings() {
    let folder = ModelFolder::new();
    let output = folder.classify(&[&folder.text("picture.png")]);
    exited(&output, 0);
    let text = out(&output);
    assert!(text.contains("Is it ready?") && text.contains("--answer ready=") && text.contains("UNASSESSED"), "{text}");
    assert!(!text.contains('%') && text.contains("not a medical device"), "{text}");
}

#[test]
fn classify_json_has_one_line_for_each_picture_and_each_bad_file() {
    let folder = ModelFolder::new();
    fs::write(folder.path("broken.jpg"), b"\xff\xd8\xff\xe0 not a picture").expect("room");
    let files = [folder.text("broken.jpg"), folder.text("missing.png"), folder.text("picture.png")];
    let output = folder.classify(&[&files[0], &files[1], &files[2], "--answer", "ready=yes", "--json", "--top-k", "2"]);
    exited(&output, 1);
    let lines: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 3);
    for (line, file) in lines.iter().zip(&files) {
        assert_eq!(line["image"], json!(file));
    }
    assert_eq!(lines[0]["error"]["kind"], "malformed_image");
    assert_eq!(lines[1]["error"]["kind"], "io");
    assert!(lines[1]["error"]["message"].as_str().expect("text").contains("no such file"));
    assert_eq!(lines[2]["verdict"]["labels"], json!(["a"]));
    assert_eq!(lines[2]["findings"].as_array().map(Vec::len), Some(2));
}

#[test]
fn classify_searches_folders_and_fails_on_one_without_pictures() {
    let folder = ModelFolder::new();
    fs::create_dir_all(folder.path("photos/more")).expect("room");
    fs::copy(folder.path("picture.png"), folder.path("photos/one.PNG")).expect("room");
    fs::copy(folder.path("picture.png"), folder.path("photos/more/two.png")).expect("room");
    fs::write(folder.path("photos/notes.txt"), "not a picture").expect("room");
    let output = folder.classify(&[&folder.text("photos"), "--answer", "ready=yes"]);
    exited(&output, 0);
    let text = out(&output);
    assert_eq!(text.lines().filter(|line| line.contains("urgent      Label A")).count(), 2, "{text}");
    assert!(text.contains("That does not make it harmless") && text.contains("not a medical device"), "{text}");

    fs::create_dir(folder.path("empty")).expect("room");
    let output = folder.classify(&[&folder.text("empty"), &folder.text("picture.png"), "--answer", "ready=yes"]);
    exited(&output, 1);
    assert!(err(&output).contains("no picture in this folder"), "{}", err(&output));
    assert_eq!(out(&output).matches("URGENT").count(), 1);
}

#[test]
fn wrong_usage_exits_with_status_two_and_names_what_is_wrong() {
    let folder = ModelFolder::new();
    let picture = folder.text("picture.png");
    let wrong: [(&[&str], &str); 11] = [
        (&[], "IMAGE"),
        (&[&picture, "--region", "0,0,2,1"], "region"),
        (&[&picture, "--region", "here"], "LEFT,TOP,WIDTH,HEIGHT"),
        (&[&picture, "--answer", "ready"], "ID=VALUE"),
        (&[&picture, "--answer", "ready=perhaps"], "perhaps"),
        (&[&picture, "--answer", "tired=yes"], "no question `tired`"),
        (&[&picture, "--answer", "ready=no", "--answer", "ready=yes"], "twice"),
        (&["missing.png", "--answer", "tired=yes"], "no question `tired`"),
        (&[&picture, "--prevalence", "a=0.5,b=0.5"], "prevalence"),
        (&[&picture, "--threads", "0"], "--threads"),
        (&[&picture, "--colour"], "--colour"),
    ];
    for (arguments, words) in wrong {
        let output = folder.classify(arguments);
        exited(&output, 2);
        assert!(err(&output).contains(words), "no \"{words}\" in\n{}", err(&output));
    }
    exited(&bedside(&["divine"]), 2);
}

#[test]
fn explain_draws_a_heatmap_and_prints_its_numbers() {
    let folder = ModelFolder::new();
    let (model, picture, png) = (folder.text("model.onnx"), folder.text("picture.png"), folder.text("heatmap.png"));
    let explain = |more: &[&str]| bedside(&[&["explain", &model, &picture, "-o", &png][..], more].concat());
    let output = explain(&["--answer", "ready=yes"]);
    exited(&output, 0);
    assert!(out(&output).contains("logits for a") && out(&output).contains("Research software"), "{}", out(&output));
    assert_eq!(fs::read(&png).expect("written")[..8], *b"\x89PNG\r\n\x1a\n");
    fs::remove_file(&png).expect("there");
    let output = explain(&["--answer", "ready=yes", "--label", "b", "--method", "occlusion", "--json"]);
    exited(&output, 0);
    let report: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(report["heatmap"]["label"], "b");
    assert_eq!(report["heatmap"]["values"].as_array().map(Vec::len), Some(64));
    assert!(Path::new(&png).exists());

    fs::remove_file(&png).expect("there");
    let rejected = explain(&["--answer", "ready=no"]);
    exited(&rejected, 1);
    assert!(err(&rejected).contains("rejected, so that there is no heatmap"), "{}", err(&rejected));
    for (more, words) in [(["--label", "z"], "no label `z`"), (["--method", "magic"], "class-activation")] {
        let wrong = explain(&more);
        exited(&wrong, 2);
        assert!(err(&wrong).contains(words), "{}", err(&wrong));
    }
    let replacing = bedside(&["explain", &model, &picture, "-o", &picture]);
    exited(&replacing, 2);
    assert!(err(&replacing).contains("would replace this file"), "{}", err(&replacing));
    assert!(!Path::new(&png).exists());
}

#[test]
fn pack_writes_the_tensors_that_heatmaps_are_computed_from() {
    let folder = ModelFolder::new();
    let packed = folder.pack("torchscript-17.onnx", &[]);
    exited(&packed, 0);
    assert!(out(&packed).contains("class activation, from"), "{}", out(&packed));
    let mut graph = bedside_engine::Graph::open(&folder.path("model.onnx"), 1 << 20).expect("a sound graph");
    let manifest: Value = serde_json::from_str(graph.metadata("bedside").expect("packed")).expect("JSON");
    let head = graph.head("logits").expect("a network with a linear head");
    assert_eq!(manifest["explanation"], json!({"features": head.features, "weights": head.initializer}));

    // What the manifest states stays, and must be right.
    let mut wrong = manifest;
    wrong["explanation"]["features"] = "input".into();
    graph.set_metadata("bedside", wrong.to_string());
    fs::write(folder.path("wrong.onnx"), graph.to_bytes()).expect("room");
    let packed = bedside(&["pack", &folder.text("wrong.onnx"), "-o", &folder.text("new.onnx")]);
    exited(&packed, 1);
    assert!(err(&packed).contains("`features` is \"input\""), "{}", err(&packed));
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in ["classify", "explain", "inspect", "pack", "check", "bench"] {
        let output = bedside(&[command, "--help"]);
        exited(&output, 0);
        assert!(out(&output).contains(&format!("  bedside {command} ")), "{}", out(&output));
    }
}

#[test]
fn unopenable_model_is_one_error_line_in_every_command() {
    let folder = ModelFolder::new();
    fs::write(folder.path("text.onnx"), "This is a text file.\n").expect("room");
    fs::write(folder.path("empty.onnx"), "").expect("room");
    fs::copy(golden("graphs/unknown-operator.onnx"), folder.path("unknown.onnx")).expect("room");
    fs::write(folder.path("model.json"), tiny::manifest().to_string()).expect("room");
    let (picture, manifest, packed) =
        (folder.text("picture.png"), folder.text("manifest.json"), folder.text("new.onnx"));
    for (model, words, inspected) in [
        (folder.text("text.onnx"), "not an ONNX model", 1),
        (folder.text("empty.onnx"), "not an ONNX model", 1),
        (folder.text("nowhere.onnx"), "no such file", 1),
        (text(folder.folder.path()).to_owned(), "folder", 1),
        (folder.text("unknown.onnx"), "org.example.Frobnicate at node \"head/frob\"", 0),
    ] {
        let commands: [(&[&str], i32); 6] = [
            (&["classify", &picture, "--model", &model], 1),
            (&["explain", &model, &picture, "-o", &packed], 1),
            (&["check", &model], 1),
            (&["bench", &model], 1),
            (&["pack", &model, "--manifest", &manifest, "-o", &packed], 1),
            (&["inspect", &model], inspected),
        ];
        for (arguments, status) in commands {
            let output = bedside(arguments);
            exited(&output, status);
            if status == 0 {
                assert!(out(&output).contains("Frobnicate 1"), "{}", out(&output));
                continue;
            }
            let message = err(&output);
            assert!(message.contains(words), "no \"{words}\" in\n{message}");
            assert_eq!((message.lines().count(), message.matches(&model).count()), (1, 1), "{arguments:?}: {message}");
            assert_eq!(out(&output), "");
        }
    }
    assert!(!folder.path("new.onnx").exists());
}

#[test]
fn kernels_that_the_processor_lacks_are_an_error() {
    let folder = ModelFolder::new();
    let (model, picture) = (folder.text("model.onnx"), folder.text("picture.png"));
    let output = Command::new(env!("CARGO_BIN_EXE_bedside"))
        .args(["classify", "--model", &model, &picture])
        .env("BEDSIDE_KERNEL", "avx3")
        .output()
        .expect("the command starts");
    exited(&output, 1);
    assert!(err(&output).contains("BEDSIDE_KERNEL=avx3: this processor has portable"), "{}", err(&output));
    assert_eq!(out(&output), "");
}

#[test]
fn inspect_prints_what_a_model_holds() {
    let folder = ModelFolder::new();
    let output = bedside(&["inspect", &folder.text("model.onnx")]);
    exited(&output, 0);
    let text = out(&output);
    for words in [
        "tiny 0.0.1",
        "`ready` (required): Is it ready?",
        "rgb 32×32, stretch",
        "Conv 6",
        "input: float32[1, 3, 32, 32]",
        "golden sample   by lab",
        "served          yes",
    ] {
        assert!(text.contains(words), "no \"{words}\" in\n{text}");
    }
}

/// The number of multiply-adds, computed by hand: stem 16·16·8·27, expand 16·16·16·8, depthwise 16·16·16·9, squeeze
/// 4·16 twice, project 16·16·8·16, head 3·8.
#[test]
fn inspect_counts_multiply_adds() {
    let macs = 256 * (8 * 27 + 16 * 8 + 16 * 9 + 8 * 16) + 2 * 64 + 24;
    let output = bedside(&["inspect", &ModelFolder::new().text("model.onnx")]);
    let wanted = format!("{:.2} million", f64::from(macs) / 1e6);
    let text = out(&output);
    assert!(
        text.lines().any(|line| line.contains("multiply-adds") && line.ends_with(&wanted)),
        "no {wanted} in\n{text}"
    );
}

#[test]
fn inspect_reads_graphs_that_are_not_supported() {
    let output = bedside(&["inspect", text(&golden("graphs/unknown-operator.onnx"))]);
    exited(&output, 0);
    assert!(out(&output).contains("org.example.Frobnicate 1"), "{}", out(&output));
}

#[cfg(unix)]
#[test]
fn unreadable_file_is_permission_denied() {
    use std::os::unix::fs::PermissionsExt;

    let folder = ModelFolder::new();
    let model = folder.text("model.onnx");
    for (file, arguments) in [
        ("picture.png", ["classify", &folder.text("picture.png"), "--model", &model]),
        ("model.onnx", ["classify", &folder.text("broken.jpg"), "--model", &model]),
    ] {
        let path = folder.path(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("ours");
        let output = unprivileged(&arguments, folder.folder.path());
        exited(&output, 1);
        assert!(err(&output).contains("permission denied; make the file readable"), "{file}: {}", err(&output));
        assert!(err(&output).contains(file), "{}", err(&output));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
    }
}

#[test]
fn check_runs_the_golden_sample_and_lists_what_is_missing() {
    let folder = ModelFolder::new();
    let output = bedside(&["check", &folder.text("model.onnx")]);
    exited(&output, 0);
    assert!(out(&output).contains("passes, scores by lab"), "{}", out(&output));
    for words in [
        "no temperature",
        "`not_for` is not stated",
        "no operating point for b, c",
        "no name in `uk` for b, c",
        "no limits of quality",
        "no novelty",
    ] {
        assert!(err(&output).contains(words), "no \"{words}\" in\n{}", err(&output));
    }
}

#[test]
fn check_warns_of_a_threshold_and_a_group_that_promise_too_much() {
    let folder = ModelFolder::new();
    let graph = bedside_engine::Graph::open(&golden("graphs/torchscript-17.onnx"), 1 << 20).expect("a sound graph");
    let mut manifest = tiny::manifest();
    manifest["output"]["groups"] =
        json!([{"id": "g", "name": {"en": "Group"}, "labels": ["a", "c"], "triage": "refer"}]);
    // (49 + 1) · 0.02 = 1 is the first rank: 48 patients are too few.
    let with = |triage: &str, count: u32| {
        let mut manifest = manifest.clone();
        manifest["output"]["groups"][0]["triage"] = json!(triage);
        let thresholds = json!({"g": {"at": 0.2, "miss": 0.02, "count": count}});
        manifest["calibration"] = json!({"graph_sha256": graph.sha256(), "thresholds": thresholds});
        fs::write(folder.path("manifest.json"), manifest.to_string()).expect("room");
        exited(&folder.pack("torchscript-17.onnx", &[]), 0);
        let output = bedside(&["check", &folder.text("model.onnx")]);
        exited(&output, 0);
        ["takes more patients than 48", "group g asks for less"].map(|words| err(&output).contains(words))
    };
    assert_eq!((with("refer", 48), with("urgent", 49)), ([true, true], [false, false]));
}

#[test]
fn pack_embeds_external_data_and_fixes_the_batch() {
    let folder = ModelFolder::new();
    for graph in ["dynamo-external.onnx", "dynamo-batch.onnx", "symbolic-size.onnx"] {
        let output =
            folder.pack(graph, &["--golden", &folder.text("picture.png"), "--scores", &folder.text("scores.csv")]);
        exited(&output, 0);
        let inspected = out(&bedside(&["inspect", &folder.text("model.onnx")]));
        assert!(inspected.contains("input: float32[1, 3, 32, 32]"), "{graph}: {inspected}");
        exited(&bedside(&["check", &folder.text("model.onnx")]), 0);
    }
}

/// Where the power fails, what was written of a file is left, and not more. The system ends the command at a size of the
/// file, and a signal at any time.
#[cfg(unix)]
#[test]
fn pack_that_ends_while_it_writes_leaves_the_old_model() {
    use std::{thread::sleep, time::Instant};

    let folder = ModelFolder::new();
    let model = folder.text("model.onnx");
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/skin-photo/model.onnx");
    exited(&folder.pack("torchscript-17.onnx", &[]), 0);
    let old = fs::read(folder.path("model.onnx")).expect("a model");
    let new = tempfile::NamedTempFile::new().expect("a file");
    let arguments = |to| ["pack", from, "--prepare", "-o", to];
    let start = Instant::now();
    exited(&bedside(&arguments(text(new.path()))), 0);
    let (took, new) = (start.elapsed(), fs::read(new.path()).expect("a model"));
    for part in 1..10 {
        let ended = bedside_ended_after(new.len() as u64 * part / 10, &arguments(&model));
        assert!(!ended.status.success(), "it wrote no more than {part} tenths: {}", out(&ended));
        assert!(fs::read(&model).expect("a model") == old, "another model after {part} tenths");
    }
    for part in 1..=24 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedside"));
        let mut running = command.args(arguments(&model)).stdout(Stdio::null()).spawn().expect("it starts");
        sleep(took * part / 20);
        running.kill().expect("it is running, or has ended");
        running.wait().expect("it ends");
        let now = fs::read(&model).expect("a model");
        assert!(now == old || now == new, "after {part} twentieths of its time, the model is neither");
        fs::write(&model, &old).expect("room");
    }
}

#[test]
fn pack_binds_the_calibration_to_the_packed_graph_and_refuses_one_of_another_graph() {
    let folder = ModelFolder::new();
    let source = golden("graphs/dynamo-batch.onnx");
    let graph = bedside_engine::Graph::open(&source, 1 << 20).expect("a sound graph");
    let mut manifest = tiny::manifest();
    manifest["calibration"] = json!({"graph_sha256": graph.sha256(), "temperature": 2.0});
    manifest["a_field_of_tomorrow"] = json!({"kept": true});
    fs::write(folder.path("manifest.json"), manifest.to_string()).expect("room");
    exited(&folder.pack("dynamo-batch.onnx", &[]), 0);
    let packed = bedside_engine::Graph::open(&folder.path("model.onnx"), 1 << 20).expect("a sound graph");
    assert_ne!(packed.sha256(), graph.sha256(), "the batch was fixed");
    let inside: Value = serde_json::from_str(packed.metadata("bedside").expect("a manifest")).expect("JSON");
    assert_eq!(inside["calibration"]["graph_sha256"], json!(packed.sha256()));
    assert_eq!(inside["a_field_of_tomorrow"], json!({"kept": true}));
    exited(&bedside(&["check", &folder.text("model.onnx")]), 0);

    let output = folder.pack("torchscript-17.onnx", &[]);
    exited(&output, 1);
    assert!(err(&output).contains("another graph"), "{}", err(&output));
}

#[test]
fn prepared_model_gives_the_same_results_in_every_command() {
    let folder = ModelFolder::new();
    exited(&folder.pack("qdq-u8.onnx", &["--golden", &folder.text("picture.png")]), 0);
    let (onnx, prepared, picture) = (folder.text("model.onnx"), folder.text("prepared"), folder.text("picture.png"));
    let output = bedside(&["pack", &onnx, "--prepare", "-o", &prepared]);
    exited(&output, 0);
    assert!(out(&output).contains("form            prepared"), "{}", out(&output));

    let classified = |model: &str| {
        let output = bedside(&["classify", "--model", model, &picture, "--answer", "ready=yes", "--json"]);
        exited(&output, 0);
        let mut report: Value = serde_json::from_str(&out(&output)).expect("JSON");
        report.as_object_mut().expect("an object").remove("timings_ms").expect("timings");
        report
    };
    assert_eq!(classified(&onnx), classified(&prepared));
    exited(&bedside(&["check", &prepared]), 0);
    exited(&bedside(&["bench", &prepared, "--seconds", "0.05"]), 0);
    exited(&bedside(&["bench", &prepared, "--seconds", "0.05", "--profile"]), 0);

    let (of_onnx, of_prepared) = (bedside(&["inspect", &onnx]), bedside(&["inspect", &prepared]));
    exited(&of_prepared, 0);
    let text = out(&of_prepared);
    for words in ["tiny 0.0.1", "form            prepared", "input: float32[1, 3, 32, 32]", "Steps", "convolution 1×1"]
    {
        assert!(text.contains(words), "no \"{words}\" in\n{text}");
    }
    for heading in ["graph SHA-256", "multiply-adds", "served"] {
        let line = |text: &str| text.lines().find(|line| line.contains(heading)).map(str::to_owned);
        assert_eq!(line(&out(&of_onnx)), line(&text), "{heading}");
    }
}

/// A prepared model without steps, whose output is its input. `docs/model-file.md` describes the form.
fn without_steps() -> Vec<u8> {
    use sha2::Digest;

    let mut manifest = tiny::manifest();
    for side in ["width", "height"] {
        manifest["input"][side] = json!(1);
    }
    let number = |number: u32| number.to_le_bytes().to_vec();
    let text = |text: &str| [number(text.len() as u32), text.as_bytes().to_vec()].concat();
    let shape =
        |sides: &[u32]| [&[sides.len() as u32], sides].concat().into_iter().flat_map(number).collect::<Vec<_>>();
    let content = [
        vec![0; 32],
        [number(1), text("bedside"), text(&manifest.to_string())].concat(),
        [text("in"), shape(&[1, 1, 1, 3]), number(0)].concat(),
        [number(1), text("out"), vec![0], number(0), shape(&[1, 3])].concat(),
        [number(1), vec![1], [1, 1, 1, 3].into_iter().flat_map(number).collect(), text("in")].concat(),
        number(0),
        number(0),
        [vec![0], text("it has no product")].concat(),
    ]
    .concat();
    let digest = sha2::Sha256::digest(&content).to_vec();
    [b"\x8fBEDSIDE".to_vec(), number(3), digest, content].concat()
}

#[test]
fn bench_profiles_a_model_without_steps() {
    let folder = ModelFolder::new();
    fs::write(folder.path("prepared"), without_steps()).expect("room");
    let output = bedside(&["bench", &folder.text("prepared"), "--seconds", "0.05", "--profile"]);
    exited(&output, 0);
    assert!(out(&output).contains("\n     0         all steps"), "{}", out(&output));
}

#[test]
fn pack_refuses_to_prepare_float_graphs_and_prepared_models() {
    let folder = ModelFolder::new();
    let (onnx, prepared) = (folder.text("model.onnx"), folder.text("prepared"));
    let output = bedside(&["pack", &onnx, "--prepare", "-o", &prepared]);
    exited(&output, 1);
    assert!(err(&output).contains("operator Conv at node "), "{}", err(&output));
    assert!(!folder.path("prepared").exists());

    exited(&folder.pack("qdq-u8.onnx", &["--prepare"]), 0);
    let output = bedside(&["pack", &onnx, "--prepare", "-o", &prepared]);
    exited(&output, 1);
    assert!(err(&output).contains("prepared model"), "{}", err(&output));

    let bare = golden("graphs/qdq-u8.onnx");
    let output = bedside(&["pack", text(&bare), "--prepare", "-o", &prepared]);
    exited(&output, 2);
    assert!(err(&output).contains("`--manifest`"), "{}", err(&output));
}

#[test]
fn pack_writes_nothing_where_the_golden_sample_fails() {
    let folder = ModelFolder::new();
    let before = fs::read(folder.path("model.onnx")).expect("packed");
    fs::write(folder.path("scores.csv"), "label,score\na,0.1\nb,0.8\nc,0.1\n").expect("room");
    let output = folder.pack(
        "torchscript-17.onnx",
        &["--golden", &folder.text("picture.png"), "--scores", &folder.text("scores.csv")],
    );
    exited(&output, 1);
    assert!(err(&output).contains("golden sample"), "{}", err(&output));
    assert_eq!(fs::read(folder.path("model.onnx")).expect("still there"), before);
    assert_eq!(fs::read_dir(folder.folder.path()).expect("readable").count(), 4, "something was left behind");
}

/// The permissions of a file.
#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

#[cfg(unix)]
impl ModelFolder {
    /// Packs to a file under a umask, and returns that file's permissions.
    fn packed_under(&self, mask: &str, name: &str) -> u32 {
        let graph = golden("graphs/torchscript-17.onnx");
        let script = format!("umask {mask}; exec \"$@\"");
        let (manifest, output) = (self.text("manifest.json"), self.text(name));
        let command = [env!("CARGO_BIN_EXE_bedside"), "pack", text(&graph), "--manifest", &manifest, "-o", &output];
        exited(&Command::new("sh").args(["-c", &script, "sh"]).args(command).output().expect("a shell"), 0);
        mode(&self.path(name))
    }
}

#[cfg(unix)]
#[test]
fn pack_gives_a_new_file_the_permissions_of_the_umask() {
    let folder = ModelFolder::new();
    // POSIX, `umask`: the bits of the mask are cleared in the mode of a new file, 666.
    for (mask, wanted) in [("077", 0o600), ("027", 0o640), ("022", 0o644), ("002", 0o664), ("000", 0o666)] {
        assert_eq!(folder.packed_under(mask, &format!("new-{mask}.onnx")), wanted, "umask {mask}");
    }
}

#[cfg(unix)]
#[test]
fn pack_keeps_the_permissions_of_a_replaced_file() {
    let folder = ModelFolder::new();
    for wanted in [0o600, 0o640, 0o664, 0o666, 0o444] {
        for mask in ["077", "000"] {
            fs::write(folder.path("old.onnx"), "what was there").expect("room");
            set_mode(&folder.path("old.onnx"), wanted);
            assert_eq!(folder.packed_under(mask, "old.onnx"), wanted, "umask {mask}");
            assert!(fs::metadata(folder.path("old.onnx")).expect("there").len() > 100);
            fs::remove_file(folder.path("old.onnx")).expect("ours");
        }
    }
}

#[cfg(unix)]
#[test]
fn pack_replaces_the_target_of_a_symbolic_link() {
    use std::os::unix::fs::symlink;

    let folder = ModelFolder::new();
    fs::create_dir(folder.path("kept")).expect("room");
    fs::write(folder.path("kept/old.onnx"), "what was there").expect("room");
    set_mode(&folder.path("kept/old.onnx"), 0o640);
    symlink("kept/old.onnx", folder.path("link.onnx")).expect("room");
    assert_eq!(folder.packed_under("022", "link.onnx"), 0o640);
    assert!(folder.path("link.onnx").is_symlink());
    assert_eq!(fs::read(folder.path("kept/old.onnx")).expect("there").len() as u64, {
        folder.packed_under("022", "plain.onnx");
        fs::metadata(folder.path("plain.onnx")).expect("there").len()
    });
    assert_eq!(fs::read_dir(folder.path("kept")).expect("readable").count(), 1, "something was left behind");

    symlink("kept/nothing.onnx", folder.path("dangling.onnx")).expect("room");
    let graph = golden("graphs/torchscript-17.onnx");
    let (manifest, output) = (folder.text("manifest.json"), folder.text("dangling.onnx"));
    let packed = bedside(&["pack", text(&graph), "--manifest", &manifest, "-o", &output]);
    exited(&packed, 1);
    assert!(err(&packed).contains("this link can't be followed"), "{}", err(&packed));
    assert!(folder.path("dangling.onnx").is_symlink());
}

#[cfg(unix)]
#[test]
fn pack_refuses_to_replace_folders_and_pipes() {
    use std::os::unix::fs::FileTypeExt;

    let folder = ModelFolder::new();
    fs::create_dir(folder.path("folder")).expect("room");
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status().expect("mkfifo").success());
    let graph = golden("graphs/torchscript-17.onnx");
    for name in ["folder", "pipe"] {
        let (manifest, output) = (folder.text("manifest.json"), folder.text(name));
        let packed = bedside(&["pack", text(&graph), "--manifest", &manifest, "-o", &output]);
        exited(&packed, 1);
        assert!(err(&packed).contains("give the name of a file"), "{}", err(&packed));
    }
    assert!(fs::metadata(folder.path("pipe")).expect("there").file_type().is_fifo());
}

#[cfg(unix)]
#[test]
fn pack_refuses_input_files_over_their_limits() {
    let folder = ModelFolder::new();
    for (name, length) in [("long.png", (1 << 20) + 1), ("long.csv", (1 << 20) + 1), ("long.json", (16 << 20) + 1)] {
        fs::File::create(folder.path(name)).and_then(|file| file.set_len(length)).expect("a file of nothing");
    }
    let (picture, scores) = (folder.text("picture.png"), folder.text("scores.csv"));
    let (graph, output) = (golden("graphs/torchscript-17.onnx"), folder.text("other.onnx"));
    let pack = |manifest: &str, golden: &str, scores: &str| {
        let graph = text(&graph);
        let packed =
            in_time(&["pack", graph, "-o", &output, "--manifest", manifest, "--golden", golden, "--scores", scores]);
        assert!(!folder.path("other.onnx").exists());
        (packed.status.code(), err(&packed))
    };
    let manifest = folder.text("manifest.json");
    for (name, status, words) in [
        ("", 1, "this is a folder; give a file"),
        ("long.png", 2, "the golden sample has 1048577 bytes; the limit is 1048576"),
        ("long.csv", 2, "the list of scores has 1048577 bytes; the limit is 1048576"),
        ("long.json", 2, "the manifest has 16777217 bytes; the limit is 16777216"),
    ] {
        let path = folder.text(name);
        let runs = match name {
            "long.png" => vec![pack(&manifest, &path, &scores)],
            "long.csv" => vec![pack(&manifest, &picture, &path)],
            "long.json" => vec![pack(&path, &picture, &scores)],
            _ => {
                vec![pack(&manifest, &path, &scores), pack(&manifest, &picture, &path), pack(&path, &picture, &scores)]
            }
        };
        for (found, message) in runs {
            assert_eq!(found, Some(status), "{name}: {message}");
            assert!(message.contains(&path) && message.contains(words), "{name}: {message}");
        }
    }
}

#[test]
fn pack_refuses_a_manifest_with_a_list_for_an_object() {
    let folder = ModelFolder::new();
    let graph = bedside_engine::Graph::open(&golden("graphs/torchscript-17.onnx"), 1 << 20).expect("a sound graph");
    let mut manifest = tiny::manifest();
    manifest["calibration"] = json!([graph.sha256()]);
    fs::write(folder.path("manifest.json"), manifest.to_string()).expect("room");
    let output = folder.pack("torchscript-17.onnx", &[]);
    exited(&output, 1);
    assert!(err(&output).contains("`calibration` is a list"), "{}", err(&output));
}

/// As in `curl … | bedside classify --model … /dev/stdin` and in `--manifest <(…)`.
#[cfg(unix)]
#[test]
fn input_files_may_be_pipes() {
    let folder = ModelFolder::new();
    let piped = |from: &str, arguments: &[&str]| {
        let mut writer = Command::new("cat").arg(folder.path(from)).stdout(Stdio::piped()).spawn().expect("cat");
        let pipe = writer.stdout.take().expect("piped");
        let command = Command::new(env!("CARGO_BIN_EXE_bedside")).args(arguments).stdin(pipe).output();
        writer.wait().expect("ours");
        command.expect("the command starts")
    };
    let (model, manifest, picture) =
        (folder.text("model.onnx"), folder.text("manifest.json"), folder.text("picture.png"));
    let answered = ["--answer", "ready=yes", "--json"];
    let report = |output: &Output| -> Value {
        exited(output, 0);
        let mut report: Value = serde_json::from_str(&out(output)).expect("JSON");
        report["timings_ms"] = Value::Null;
        report["image"] = Value::Null;
        report
    };
    let from_file = report(&bedside(&[&["classify", "--model", &model, &picture], &answered[..]].concat()));
    for (pipe, arguments) in [("picture.png", [&model, "/dev/stdin"]), ("model.onnx", ["/dev/stdin", &picture])] {
        let arguments = [&["classify", "--model"], &arguments[..], &answered].concat();
        assert_eq!(report(&piped(pipe, &arguments)), from_file, "{pipe}");
    }
    let (graph, output) = (golden("graphs/torchscript-17.onnx"), folder.text("packed.onnx"));
    exited(&piped("manifest.json", &["pack", text(&graph), "--manifest", "/dev/stdin", "-o", &output]), 0);
    let packed = bedside(&["pack", text(&graph), "--manifest", &manifest, "-o", &folder.text("other.onnx")]);
    exited(&packed, 0);
    assert_eq!(fs::read(output).expect("packed"), fs::read(folder.path("other.onnx")).expect("packed"));
}

#[cfg(unix)]
#[test]
fn classify_reports_a_pipe_in_a_folder_and_classifies_the_pictures() {
    let folder = ModelFolder::new();
    fs::create_dir(folder.path("photos")).expect("room");
    fs::copy(folder.path("picture.png"), folder.path("photos/b.png")).expect("room");
    assert!(Command::new("mkfifo").arg(folder.path("photos/a.jpg")).status().expect("mkfifo").success());
    let (model, photos) = (folder.text("model.onnx"), folder.text("photos"));
    let output = in_time(&["classify", "--model", &model, &photos, "--answer", "ready=yes"]);
    exited(&output, 1);
    assert!(err(&output).contains("photos/a.jpg: this is a device, a pipe or a socket"), "{}", err(&output));
    assert!(out(&output).contains("Label A"), "{}", out(&output));
}

#[test]
fn classify_names_long_paths_in_errors() {
    let folder = ModelFolder::new();
    let long = "x".repeat(70_000);
    let output = folder.classify(&[&long, &folder.text("picture.png"), "--answer", "ready=yes"]);
    exited(&output, 1);
    assert!(err(&output).contains(&long) && out(&output).contains("Label A"), "{}", err(&output).len());
}

#[test]
fn pack_names_what_is_wrong_with_scores() {
    let folder = ModelFolder::new();
    for (csv, words) in [
        ("a,0.8\n", "label,score"),
        ("label,score\na,0.8\nb,0.1\n", "no score for `c`"),
        ("label,score\nz,0.8\n", "no label `z`"),
        ("label,score\na,much\n", "\"much\""),
        ("label,score\na,0.8\na,0.8\n", "twice"),
        ("label,score\na\n", "line: 2"),
    ] {
        fs::write(folder.path("scores.csv"), csv).expect("room");
        let output = folder.pack(
            "torchscript-17.onnx",
            &["--golden", &folder.text("picture.png"), "--scores", &folder.text("scores.csv")],
        );
        exited(&output, 2);
        assert!(err(&output).contains(words), "no \"{words}\" in\n{}", err(&output));
    }
}

#[test]
fn pack_refuses_an_output_that_is_one_of_its_inputs() {
    let folder = ModelFolder::new();
    let inputs = ["manifest.json", "picture.png", "scores.csv"];
    let before = inputs.map(|name| fs::read(folder.path(name)).expect("there"));
    for output in inputs {
        let graph = golden("graphs/torchscript-17.onnx");
        let [manifest, picture, scores] = inputs.map(|name| folder.text(name));
        let (graph, to) = (text(&graph).to_owned(), folder.text(output));
        let packed =
            bedside(&["pack", &graph, "--manifest", &manifest, "--golden", &picture, "--scores", &scores, "-o", &to]);
        exited(&packed, 2);
        let words = format!("{output}: the output would replace this file");
        assert!(err(&packed).contains(&words), "{}", err(&packed));
    }
    assert_eq!(inputs.map(|name| fs::read(folder.path(name)).expect("there")), before);

    let model = folder.text("model.onnx");
    let before = fs::read(&model).expect("there");
    exited(&bedside(&["pack", &model, "--prepare", "-o", &model]), 2);
    assert_eq!(fs::read(&model).expect("there"), before);
    exited(&bedside(&["pack", &model, "-o", &model]), 0);
}

/// Reports of pictures of `tests/pictures` by a shipped model, without what a file alone says of itself.
fn reports_of_twin(model: &str, answers: &[&str], arguments: &[&str]) -> Vec<Value> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let (model, picture) = (root.join(model), root.join("tests/pictures").join(arguments[0]));
    let mut line = vec!["classify", text(&picture), "--model", text(&model), "--json"];
    line.extend(&arguments[1..]);
    line.extend(answers.iter().flat_map(|answer| ["--answer", answer]));
    let output = bedside(&line);
    exited(&output, 0);
    let report = |line: &str| {
        let mut report: Value = serde_json::from_str(line).expect("JSON");
        let fields = report.as_object_mut().expect("an object");
        for own in ["image", "frame", "timings_ms", "geometry", "warnings"] {
            fields.remove(own);
        }
        report
    };
    out(&output).lines().map(report).collect()
}

#[test]
fn dicom_files_give_the_reports_of_their_exports() {
    let (model, answers) = ("models/chest-xray/model.onnx", ["age=4", "frontal_file=yes"]);
    let film = reports_of_twin(model, &answers, &["film.png"]);
    assert_eq!(film[0]["verdict"]["kind"], "single");
    assert_eq!(reports_of_twin(model, &answers, &["film.dcm"]), film);

    let (model, answers) =
        ("models/breast-ultrasound/model.onnx", ["adult=yes", "still_frame=yes", "native_breast=yes"]);
    let frame = reports_of_twin(model, &answers, &["loop.png"]);
    let frames = reports_of_twin(model, &answers, &["loop.dcm", "--frames", "all"]);
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[1], frame[0]);
    assert_eq!(reports_of_twin(model, &answers, &["loop.dcm", "--frame", "1"]), frame);
    assert_ne!(frames[0], frame[0], "each frame is another one");
    assert_ne!(reports_of_twin(model, &answers, &["loop.dcm", "--frame", "1", "--whole"]), frame);
}

#[test]
fn report_of_a_dicom_file_warns_and_has_no_name_of_a_person() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let (model, picture) = (root.join("models/chest-xray/model.onnx"), root.join("tests/pictures/film.dcm"));
    let line =
        ["classify", text(&picture), "--model", text(&model), "--answer", "age=4", "--answer", "frontal_file=yes"];
    let output = bedside(&line);
    exited(&output, 0);
    let printed = out(&output);
    assert!(printed.contains("Warning         A name or a number of a person may be written"), "{printed}");
    let json = bedside(&[&line[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&out(&json)).expect("JSON");
    let geometry = json!({"picture": [224, 224], "region": [0.0, 0.0, 224.0, 224.0], "spacing_mm": [0.4, 0.4],
        "spacing_at_detector": false});
    assert_eq!(report["geometry"], geometry);
    let all = [out(&json), printed, err(&json)].concat().to_lowercase();
    assert!(!all.contains("nobody"), "{all}");
}

#[test]
fn table_has_the_reasons_of_rejected_pictures_and_sentences_of_the_language() {
    let folder = ModelFolder::new();
    let picture = folder.text("picture.png");
    let output = folder.classify(&[&picture, &picture, "--lang", "uk"]);
    exited(&output, 0);
    let text = out(&output);
    assert_eq!(text.matches("без відповіді. Спершу дайте відповідь.").count(), 2, "{text}");
    assert!(text.contains("Це має невдовзі оглянути лікар.") && !text.contains("()"), "{text}");
}

#[test]
fn pack_marks_bedsides_own_scores_as_self() {
    let folder = ModelFolder::new();
    exited(&folder.pack("torchscript-17.onnx", &["--golden", &folder.text("picture.png")]), 0);
    let output = bedside(&["check", &folder.text("model.onnx")]);
    exited(&output, 0);
    assert!(out(&output).contains("scores by self") && err(&output).contains("Bedside's own"), "{}", err(&output));
}

#[test]
fn bench_prints_the_documented_json() {
    let folder = ModelFolder::new();
    let (model, picture) = (folder.text("model.onnx"), folder.text("picture.png"));
    let output = bedside(&["bench", &model, "--image", &picture, "--seconds", "0.05", "--json"]);
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    for pointer in ["/cold_ms", "/steady_ms/min", "/steady_ms/p10", "/steady_ms/median", "/steady_ms/p90", "/image_ms"]
    {
        assert!(json.pointer(pointer).and_then(Value::as_f64).is_some_and(|ms| ms > 0.0), "{pointer}: {json}");
    }
    #[cfg(target_os = "linux")]
    assert!(json["peak_rss_mb"].as_f64().is_some_and(|mb| mb > 1.0), "{json}");
    let parts: f64 = json["cold_parts_ms"].as_object().expect("parts").values().filter_map(Value::as_f64).sum();
    assert!(parts <= json["cold_ms"].as_f64().expect("a number") + 1.0, "{json}");
}

#[cfg(unix)]
#[test]
fn closed_output_pipe_is_no_error() {
    let folder = ModelFolder::new();
    let command = format!(
        "'{}' classify --model '{}' --answer ready=yes --json '{pic}' '{pic}' '{pic}' | true",
        env!("CARGO_BIN_EXE_bedside"),
        folder.text("model.onnx"),
        pic = folder.text("picture.png")
    );
    let output = Command::new("sh").args(["-c", &command]).output().expect("a shell");
    assert_eq!(err(&output), "");
}
