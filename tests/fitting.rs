//! `bedside calibrate`, `evaluate` and `samplesize` as processes: what they print, write and refuse.

mod process;
mod tiny;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bedside_engine::Graph;
#[cfg(unix)]
use process::bedside_ended_after;
use process::{bedside, bedside_in, bedside_reading, err, exited, out, text};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A folder with `model.onnx` (labels a, b and c), and `photos/` of one colour each with `labels.csv`: three pictures a
/// patient, and every third a broken file where asked for.
struct Set {
    folder: TempDir,
}

impl Set {
    fn new(pictures: usize) -> Set {
        let set = Set { folder: tempfile::tempdir().expect("a folder") };
        set.pack("model.onnx", &tiny::manifest());
        fs::create_dir(set.path("photos")).expect("room");
        let mut table = "file,label,patient,sex,age,split,fold\n".to_owned();
        for i in 0..pictures {
            let (label, sex) = (["a", "b", "c"][i % 3], ["f", "m"][i % 2]);
            fs::write(set.path(&format!("photos/{i:03}.bmp")), bitmap(i)).expect("room");
            writeln!(table, "{i:03}.bmp,{label},p{},{sex},{},val,{}", i / 3, 20 + i, i % 2 + 1).expect("memory");
        }
        fs::write(set.path("labels.csv"), table).expect("room");
        set
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        text(&self.path(name)).to_owned()
    }

    /// Replaces a text in the table of labels wherever it stands.
    fn relabel(&self, from: &str, to: &str) {
        let table = fs::read_to_string(self.path("labels.csv")).expect("a table");
        assert!(table.contains(from), "no {from} in {table}");
        fs::write(self.path("labels.csv"), table.replace(from, to)).expect("room");
    }

    fn pack(&self, name: &str, manifest: &Value) {
        fs::write(self.path(name), tiny::packed("torchscript-17.onnx", manifest)).expect("room");
    }

    /// The model's network under another name, which is another graph.
    fn pack_renamed(&self, name: &str, graph: &str) {
        let mut bytes = tiny::packed("torchscript-17.onnx", &tiny::manifest());
        let at = bytes.windows(10).position(|bytes| bytes == b"main_graph").expect("the graph's name");
        bytes[at..at + 10].copy_from_slice(graph.as_bytes());
        fs::write(self.path(name), bytes).expect("room");
    }

    /// Runs a subcommand on the model and the pictures.
    fn run(&self, subcommand: &str, more: &[&str]) -> Output {
        let (model, photos, labels) = (self.text("model.onnx"), self.text("photos"), self.text("labels.csv"));
        let mut arguments = vec![subcommand, &model, "--images", &photos, "--labels", &labels];
        arguments.extend(more);
        bedside(&arguments)
    }
}

/// A picture of 32×32 pixels of one colour, another for each number below a thousand.
fn bitmap(i: usize) -> Vec<u8> {
    let colour = [(37, 128), (91, 127), (151, 125)].map(|(step, levels)| (i * step % levels + 100) as u8);
    let mut bytes = b"BM".to_vec();
    for value in [54 + 32 * 32 * 3, 0, 54, 40, 32, 32] {
        bytes.extend(u32::to_le_bytes(value));
    }
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    bytes.extend(colour.repeat(32 * 32));
    bytes
}

fn manifest_of(path: &Path) -> Value {
    let graph = Graph::open(path, 1 << 30).expect("a model");
    serde_json::from_str(graph.metadata("bedside").expect("a manifest")).expect("JSON")
}

#[test]
fn samplesize_prints_the_counts_of_clopper_and_pearson() {
    let output = bedside(&["samplesize", "--bound", "0.05", "--failures", "0,1,2"]);
    exited(&output, 0);
    for words in ["0 fail", "59 patients", "93 patients", "124 patients"] {
        assert!(out(&output).contains(words), "{}", out(&output));
    }
    let output = bedside(&["samplesize", "--patients", "400", "--json"]);
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(json["bound"]["allowed"], json!({"patients": 400, "failures": 12}));
    let output = bedside(&["samplesize", "--miss", "0.02", "--json"]);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    // (49 + 1) · 0.02 = 1, and (249 + 1) · 0.02 = 5.
    assert_eq!(
        (json["thresholds"][0]["patients"].clone(), json["thresholds"][2]["patients"].clone()),
        (json!(49), json!(249))
    );
    assert!(out(&bedside(&["samplesize"])).contains("no"), "it prints what is usual");
    for too_many in [["--half-width", "1e-300"], ["--miss", "1e-12"], ["--bound", "1e-12"]] {
        let output = bedside(&[&["samplesize"], &too_many[..]].concat());
        exited(&output, 2);
        assert!(err(&output).contains("more patients than are looked for") && out(&output).is_empty());
    }
}

#[test]
fn samplesize_names_the_option_its_value_and_its_range() {
    for (options, words) in [
        (&["--bound", "5"][..], &["'5'", "--bound", "above 0 and at most 1"][..]),
        (&["--bound", "0"], &["'0'", "--bound", "above 0 and at most 1"]),
        (&["--miss", "1"], &["'1'", "--miss", "above 0 and below 1"]),
        (&["--half-width", "0.5"], &["'0.5'", "--half-width", "above 0 and below 0.5"]),
        (&["--rate", "1"], &["'1'", "--rate", "0 or more and below 1"]),
        (&["--rate", "0.06"], &["--rate 0.06", "less than the bound, 0.05"]),
        (&["--rate", "0.5", "--bound", "1"], &["--bound 1", "below 1 with --rate"]),
        (&["--miss", "0.02", "--within", "0.02"], &["--within 0.02", "more than the miss, 0.02, and less than 1"]),
        (&["--miss", "1e-12"], &["--miss 0.000000000001", "more patients than are looked for"]),
    ] {
        let output = bedside(&[&["samplesize"], options].concat());
        exited(&output, 2);
        for words in words {
            assert!(err(&output).contains(words), "no \"{words}\" in\n{}", err(&output));
        }
    }
}

#[test]
fn evaluate_counts_pictures_and_writes_a_page() {
    let set = Set::new(30);
    fs::write(set.path("photos/004.bmp"), b"BM no picture").expect("room");
    fs::create_dir_all(set.path("others/plants")).expect("room");
    fs::copy(set.path("photos/001.bmp"), set.path("others/plants/x.bmp")).expect("room");
    let (page, others, looks) = (set.text("page.html"), set.text("others"), set.text("looks.csv"));
    let options = ["--group", "patient", "--by", "sex,age:30:40", "--foreign", &others, "--looks", &looks];
    let output = set.run("evaluate", &[&options[..], &["--html", &page, "--json"]].concat());
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    let flow = &json["flow"];
    assert_eq!(
        (&flow[0]["pictures"], &flow[0]["patients"], &flow[0]["unreadable"]),
        (&json!(30), &json!(10), &json!(1))
    );
    assert_eq!((&flow[1]["source"], &flow[1]["pictures"]), (&json!("plants"), &json!(1)));
    let parts = |column: usize| -> Vec<(String, u64)> {
        let parts = json["subgroups"][column]["parts"].as_array().expect("a list");
        let part = |part: &Value| (part["name"].as_str().unwrap_or("").into(), part["pictures"].as_u64().unwrap_or(0));
        parts.iter().map(part).collect()
    };
    let named = |parts: &[(&str, u64)]| parts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(parts(0), named(&[("f", 15), ("m", 15)]));
    // Ages are 20 to 49.
    assert_eq!(parts(1), named(&[("under 30", 10), ("30 to under 40", 10), ("40 and over", 10)]));
    let html = fs::read_to_string(&page).expect("a page");
    assert!(html.contains("<svg") && html.contains("004.bmp") == json.to_string().contains("004.bmp"));
    assert!(err(&output).contains("warning:") && err(&output).contains("004.bmp"), "{}", err(&output));
    // This is no test set: no look is written down.
    assert!(!set.path("looks.csv").exists());

    let output = set.run("evaluate", &options);
    exited(&output, 0);
    for words in ["30 of 10 patients: 29 judged", "refer or urgent", "not a medical device"] {
        assert!(out(&output).contains(words), "no \"{words}\" in\n{}", out(&output));
    }
}

#[test]
fn evaluate_writes_down_each_look_at_a_test_set() {
    let set = Set::new(6);
    set.relabel(",val,", ",test,");
    fs::create_dir(set.path("evidence")).expect("room");
    let looks = set.text("evidence/looks.csv");
    let output = set.run("evaluate", &["--split", "test", "--looks", &looks]);
    exited(&output, 2);
    assert!(err(&output).contains("--why") && !set.path("evidence/looks.csv").exists(), "{}", err(&output));
    for why in ["a first, honest look", "another\nlook"] {
        exited(&set.run("evaluate", &["--split", "test", "--looks", &looks, "--why", why]), 0);
    }
    let rows = looks_of(&set.path("evidence/looks.csv"));
    assert_eq!(rows.len(), 2, "{rows:?}");
    let sha256 = Graph::open(&set.path("model.onnx"), 1 << 20).expect("a model").sha256().to_owned();
    let found: Vec<&str> = [1, 2, 3, 4, 6].map(|column| &rows[0][column]).to_vec();
    assert_eq!(found, ["tiny", "0.0.1", &sha256, "test", "a first, honest look"]);
    assert_eq!(&rows[1][6], "another look");
}

fn looks_of(log: &Path) -> Vec<csv::StringRecord> {
    csv::Reader::from_path(log).expect("a log").records().collect::<Result<_, _>>().expect("CSV")
}

/// A set is a test set by its split, its folder, a row's split and a row's folder, whichever option is left out.
#[test]
fn test_set_is_told_by_splits_and_folders() {
    let set = Set::new(6);
    let (looks, to) = (set.text("looks.csv"), set.text("out.onnx"));
    let evaluated = |more: &[&str]| set.run("evaluate", &[&["--looks", &looks], more].concat());
    let needs_why = |output: &Output, name: &str| {
        exited(output, 2);
        let words = format!("this is a test set ({name}): say with `--why TEXT`");
        assert!(err(output).contains(&words), "{}", err(output));
    };
    exited(&evaluated(&[]), 0);
    // One row is of the test set, and nobody asks for a split, or by the name of another column.
    set.relabel("m,25,val", "m,25,Test");
    needs_why(&evaluated(&[]), "photos, with pictures of the split test");
    exited(&evaluated(&["--split", "val"]), 0);
    set.relabel(",split,", ",part,");
    exited(&evaluated(&[]), 0);
    needs_why(&evaluated(&["--split-column", "part"]), "photos, with pictures of the split test");
    // A table of scores may have the column, too.
    let scores = scores().replace("file,label", "file,split,label").replace(".jpg,", ".jpg,test,");
    fs::write(set.path("scores.csv"), scores).expect("room");
    let calibrated = |more: &[&str]| {
        let (model, scores) = (set.text("model.onnx"), set.text("scores.csv"));
        bedside(&[&["calibrate", &model, "--scores", &scores, "-o", &to, "--looks", &looks], more].concat())
    };
    needs_why(&calibrated(&[]), "scores.csv, with pictures of the split test");
    assert!(!set.path("looks.csv").exists() && !set.path("out.onnx").exists());
    exited(&calibrated(&["--why", "a fit"]), 0);
    // A picture in a folder `test`, and a folder of that name.
    fs::create_dir_all(set.path("photos/b/TEST")).expect("room");
    fs::rename(set.path("photos/005.bmp"), set.path("photos/b/TEST/005.bmp")).expect("room");
    set.relabel("005.bmp", "b/TEST/005.bmp");
    needs_why(&evaluated(&[]), "photos, with pictures of a folder test");
    needs_why(&set.run("calibrate", &["-o", &to]), "photos, with pictures of a folder test");
    exited(&evaluated(&["--why", "a look"]), 0);
    let rows = looks_of(&set.path("looks.csv"));
    let names: Vec<&str> = rows.iter().map(|row| &row[4]).collect();
    assert_eq!(names, ["scores.csv, with pictures of the split test", "photos, with pictures of a folder test"]);
    fs::write(set.path("labels.csv"), "file,label,split\n005.bmp,a,val\n").expect("room");
    let (model, photos, labels) = (set.text("model.onnx"), set.text("photos/b/TEST"), set.text("labels.csv"));
    let of_folder = ["evaluate", &model, "--images", &photos, "--labels", &labels, "--looks", &looks];
    needs_why(&bedside(&of_folder), "TEST");
    needs_why(&bedside(&[&of_folder[..], &["--split", "val"]].concat()), "val, of the folder test");
}

#[test]
fn log_of_looks_is_never_another_file() {
    let set = Set::new(6);
    set.relabel(",val,", ",test,");
    let run = |looks: &str| set.run("evaluate", &["--why", "a look", "--looks", looks]);
    let (notes, log) = (set.text("notes.csv"), set.path("looks.csv"));
    fs::write(&notes, "date,model,version,graph_sha256,set,commit,whynot\n").expect("room");
    for (looks, words) in [
        (notes.as_str(), "it is no list of looks, whose first line is `date,model,version,"),
        (&set.text("none/looks.csv"), "there is no such folder; make it first"),
    ] {
        let output = run(looks);
        exited(&output, 2);
        assert!(err(&output).contains(words) && out(&output).is_empty(), "{}", err(&output));
    }
    assert!(!set.path("none").exists());
    assert!(fs::read_to_string(&notes).expect("a file").ends_with(",whynot\n"));
    // A last line that an editor did not end.
    let line = "2026-11-29,m,1,00,test,,by hand";
    fs::write(&log, format!("date,model,version,graph_sha256,set,commit,why\r\n{line}")).expect("room");
    exited(&run(text(&log)), 0);
    let whys: Vec<String> = looks_of(&log).iter().map(|row| row[6].to_owned()).collect();
    assert_eq!(whys, ["by hand", "a look"]);
    // Where nothing is said, the log's own folder is made.
    let (model, photos, labels) = (set.text("model.onnx"), set.text("photos"), set.text("labels.csv"));
    let arguments = ["evaluate", &model, "--images", &photos, "--labels", &labels, "--why", "a look"];
    exited(&bedside_in(set.folder.path(), &arguments), 0);
    assert_eq!(looks_of(&set.path("docs/evidence/looks.csv")).len(), 1);
}

#[test]
fn evaluate_says_which_pictures_the_model_knows() {
    let set = Set::new(6);
    let mut manifest = tiny::manifest();
    // The last is of no picture here.
    manifest["provenance"] =
        json!({"training_sha256": [hash(0), hash(1).to_uppercase(), hash(9)], "calibration_sha256": [hash(2)]});
    set.pack("model.onnx", &manifest);
    set.pack("other.onnx", &tiny::manifest());
    let words = "2 of 6 pictures are among those that the model learned from, 1 among those that it was calibrated on: the \
                 figures flatter it";
    let (page, other) = (set.text("page.html"), set.text("other.onnx"));
    let output = set.run("evaluate", &["--against", &other, "--html", &page, "--json"]);
    exited(&output, 0);
    assert!(err(&output).contains(&format!("warning: {words}")), "{}", err(&output));
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    let about = json["about"].as_array().expect("a list");
    assert!(about.contains(&json!(["pictures known to the model", words])), "{about:?}");
    assert!(fs::read_to_string(&page).expect("a page").contains(words));

    let (model, photos, labels) = (set.text("model.onnx"), set.text("photos"), set.text("labels.csv"));
    let output = bedside(&["evaluate", &other, "--images", &photos, "--labels", &labels, "--against", &model]);
    exited(&output, 0);
    assert!(err(&output).contains("2 of 6 pictures are among those that the other model learned"), "{}", err(&output));
}

#[test]
fn evaluate_fails_where_no_picture_can_be_read() {
    let set = Set::new(3);
    set.relabel(",val,", ",test,");
    for i in 0..3 {
        fs::write(set.path(&format!("photos/00{i}.bmp")), b"BM no picture").expect("room");
    }
    let looks = set.text("looks.csv");
    let output = set.run("evaluate", &["--why", "a test", "--looks", &looks, "--html", &set.text("page.html")]);
    exited(&output, 1);
    assert!(err(&output).contains("photos: none of the 3 labelled pictures can be read"), "{}", err(&output));
    assert_eq!(err(&output).matches("warning:").count(), 3, "{}", err(&output));
    assert!(out(&output).is_empty() && !set.path("page.html").exists() && !set.path("looks.csv").exists());
}

#[test]
fn names_of_other_labels_must_stand_in_the_table() {
    let set = Set::new(6);
    set.relabel("005.bmp,c", "005.bmp,wart");
    exited(&set.run("evaluate", &["--other", "wart"]), 0);
    for (other, words) in [("wart,b", "--other b: is a label of the model"), ("wart,wrat", "--other wrat: no row of")] {
        for (command, more) in [("evaluate", vec![]), ("calibrate", vec!["-o".to_owned(), set.text("out.onnx")])] {
            let more: Vec<&str> = more.iter().map(String::as_str).collect();
            let output = set.run(command, &[&["--other", other], &more[..]].concat());
            exited(&output, 2);
            assert!(err(&output).contains(words), "{}", err(&output));
        }
    }
}

/// Files that an evaluation is made of are never replaced by its page or its log.
#[test]
fn evaluate_refuses_outputs_that_would_replace_its_inputs() {
    let set = Set::new(6);
    set.pack("other.onnx", &tiny::manifest());
    fs::create_dir_all(set.path("others/plants")).expect("room");
    fs::copy(set.path("photos/001.bmp"), set.path("others/plants/x.bmp")).expect("room");
    let (other, others) = (set.text("other.onnx"), set.text("others"));
    set.relabel(",val,", ",test,");
    // The picture that is to be replaced is of another split.
    set.relabel("f,24,test", "f,24,train");
    let inputs =
        ["model.onnx", "other.onnx", "labels.csv", "photos/004.bmp", "others/plants/x.bmp", "photos/../model.onnx"];
    for input in inputs {
        let (path, before) = (set.text(input), fs::read(set.path(input)).expect("a file"));
        for option in ["--html", "--looks"] {
            let split = ["--split", "test", "--why", "a test"];
            let options = [&["--against", &other, "--foreign", &others, option, &path][..], &split].concat();
            let output = set.run("evaluate", &options);
            exited(&output, 2);
            let is_no_log = option == "--looks" && ["photos/004.bmp", "others/plants/x.bmp"].contains(&input);
            let words = if is_no_log { "it is no list of looks" } else { "would replace this file" };
            assert!(err(&output).contains(words), "{option} {input}: {}", err(&output));
            assert_eq!(fs::read(set.path(input)).expect("a file"), before);
        }
    }
    // What lies among pictures stays, whatever it is.
    for notes in ["photos/notes.txt", "others/notes.txt"] {
        fs::write(set.path(notes), "mine").expect("room");
        let output = set.run("evaluate", &["--split", "train", "--foreign", &others, "--html", &set.text(notes)]);
        exited(&output, 2);
        assert!(err(&output).contains("would replace this file in the folder of pictures"), "{}", err(&output));
        assert_eq!(fs::read(set.path(notes)).expect("a file"), b"mine");
    }
    let both = set.text("both");
    let output = set.run("evaluate", &["--split", "test", "--why", "a test", "--html", &both, "--looks", &both]);
    exited(&output, 2);
    assert!(err(&output).contains("would replace this file") && !set.path("both").exists());
}

#[test]
fn evaluate_measures_nothing_where_an_output_could_not_be_written() {
    let set = Set::new(6);
    set.relabel(",val,", ",test,");
    // The model is no model: who looks at it fails with 1.
    fs::write(set.path("model.onnx"), "no model").expect("room");
    fs::write(set.path("file"), "").expect("room");
    let (page, log, below_file) = (set.text("none/page.html"), set.text("looks.csv"), set.text("file/looks.csv"));
    let run = |more: &[&str]| set.run("evaluate", &[&["--split", "test", "--why", "a test"], more].concat());
    for (more, words) in [
        (["--looks", &log, "--html", &page], "no such folder"),
        (["--looks", &log, "--html", &set.text("photos")], "this is a folder"),
        (["--html", &set.text("page.html"), "--looks", &below_file], "no such folder"),
        (["--html", &set.text("page.html"), "--looks", &set.text("photos")], "can't be written down here"),
    ] {
        let output = run(&more);
        exited(&output, 2);
        assert!(err(&output).contains(words), "{}", err(&output));
    }
    exited(&run(&["--looks", &log, "--html", &set.text("page.html")]), 1);
    assert!(!set.path("looks.csv").exists() && !set.path("page.html").exists());
}

#[cfg(unix)]
#[test]
fn table_of_labels_from_a_pipe_is_refused() {
    let set = Set::new(6);
    let table = fs::read_to_string(set.path("labels.csv")).expect("a table");
    let (model, photos, to) = (set.text("model.onnx"), set.text("photos"), set.text("out.onnx"));
    let of_pictures = ["--images", &photos, "--labels", "/dev/stdin"];
    for arguments in [
        [&["evaluate", &model], &of_pictures[..]].concat(),
        [&["calibrate", &model, "-o", &to], &of_pictures[..]].concat(),
        vec!["calibrate", &model, "-o", &to, "--scores", "/dev/stdin"],
    ] {
        let output = bedside_reading(&table, &arguments);
        exited(&output, 2);
        assert!(err(&output).contains("/dev/stdin: this is a pipe or a device"), "{}", err(&output));
        assert!(err(&output).contains("write it into a file"), "{}", err(&output));
    }
}

/// What the model makes worst errors of: its own pictures with other labels, and one that it rejects.
fn wrong_labels(folder: &Path) -> PathBuf {
    let labels = folder.join("labels.csv");
    let table = "file,label\nISIC_0012134.jpg,melanoma\nISIC_0012356.jpg,melanoma\nISIC_0012092.jpg,melanoma\n\
                 ISIC_0012095.jpg,nevus\nIM-0001-0001.jpeg,melanoma\n";
    fs::write(&labels, table).expect("room");
    labels
}

/// The pictures of a page: what is inside of their `data:` URLs.
fn pictures_of(page: &str) -> Vec<Vec<u8>> {
    let urls = page.split("src=\"data:image/jpeg;base64,").skip(1);
    urls.map(|rest| BASE64.decode(rest.split('"').next().expect("a URL")).expect("base64")).collect()
}

#[test]
fn evaluate_shows_pictures_only_where_asked_for() {
    let models = tiny::golden("../../models");
    let (model, images) = (models.join("skin-lesion/model.onnx"), models.join("samples"));
    let folder = tempfile::tempdir().expect("a folder");
    let (labels, page) = (wrong_labels(folder.path()), folder.path().join("page.html"));
    let run = |model: &Path, more: &[&str]| {
        let options = ["evaluate", text(model), "--images", text(&images), "--labels", text(&labels)];
        bedside(&[&options[..], more].concat())
    };
    exited(&run(&model, &["--html", text(&page)]), 0);
    let plain = fs::read_to_string(&page).expect("a page");
    assert!(plain.contains("ISIC_0012134.jpg") && !plain.contains("<img") && !plain.contains("data:image"));

    exited(&run(&model, &["--html", text(&page), "--pictures"]), 0);
    let found = fs::read_to_string(&page).expect("a page");
    assert!(found.contains("This page holds pictures of patients"));
    let pictures = pictures_of(&found);
    assert_eq!(pictures.len(), found.matches("<img").count());
    for jpeg in &pictures {
        // A frame header (SOF0) has the height and the width at its fifth byte; EXIF would be in APP1.
        let frame = jpeg.windows(2).position(|mark| mark == [0xFF, 0xC0]).expect("a baseline JPEG");
        let side = |at: usize| u16::from_be_bytes([jpeg[frame + at], jpeg[frame + at + 1]]);
        assert_eq!([side(5), side(7)], [128, 128], "the samples are square");
        assert!(jpeg.len() < 16_384 && !jpeg.windows(2).any(|mark| mark == [0xFF, 0xE1]));
    }
    // Each picture that melanoma was missed in is among the urgent misses, the rejected one without a heatmap.
    for file in ["ISIC_0012134.jpg", "ISIC_0012356.jpg", "IM-0001-0001.jpeg"] {
        assert!(found.contains(&format!("alt=\"The picture {file}\"")), "{file}");
    }
    assert_eq!(found.matches("no heatmap: the picture was rejected").count(), 1);
    assert!(found.contains("melanoma, up to ") || found.contains("no evidence for melanoma"));

    exited(&run(&model, &["--pictures"]), 2);
}

#[test]
fn evaluate_says_once_that_a_model_has_no_heatmaps() {
    // The tiny model's manifest has no `explanation`.
    let set = Set::new(30);
    let page = set.text("page.html");
    exited(&set.run("evaluate", &["--html", &page, "--pictures"]), 0);
    let page = fs::read_to_string(&page).expect("a page");
    assert_eq!(page.matches("No heatmap: the manifest of tiny has no `explanation`").count(), 1);
    assert!(!pictures_of(&page).is_empty() && !page.contains("alt=\"The evidence"));
}

#[test]
fn evaluate_compares_two_models_on_the_same_pictures() {
    let set = Set::new(30);
    let mut other = tiny::manifest();
    other["name"] = json!("other");
    set.pack("other.onnx", &other);
    let output = set.run("evaluate", &["--against", &set.text("other.onnx"), "--json"]);
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(json["comparison"]["judged_by_both"], json!(30));
    assert!(json["comparison"]["against"].as_str().expect("a name").contains("other"));
    other["output"]["labels"][2]["id"] = json!("d");
    set.pack("other.onnx", &other);
    let output = set.run("evaluate", &["--against", &set.text("other.onnx")]);
    exited(&output, 2);
    let words = "other.onnx: its labels differ from the model's: a, b, d in place of a, b, c";
    assert!(err(&output).contains(words), "{}", err(&output));
}

#[test]
fn prevalence_has_one_range_for_all_that_is_wrong() {
    let set = Set::new(3);
    for prevalence in ["0", "1", "1.5", "much"] {
        let output = set.run("evaluate", &["--prevalence", prevalence]);
        exited(&output, 2);
        let words = [format!("'{prevalence}'"), "--prevalence".to_owned(), "above 0 and below 1".to_owned()];
        assert!(words.iter().all(|words| err(&output).contains(words)), "{}", err(&output));
    }
}

#[test]
fn evaluate_names_all_rows_that_are_wrong_and_looks_at_nothing() {
    let set = Set::new(3);
    fs::write(set.path("labels.csv"), "file,label\n000.bmp,a\n001.bmp,z\nmissing.bmp,b\n").expect("room");
    let output = set.run("evaluate", &[]);
    exited(&output, 1);
    assert!(err(&output).contains("line 3") && err(&output).contains("missing.bmp"), "{}", err(&output));
}

/// Scores of 300 patients with `a` (urgent) and 300 with `b`: sums that are spread evenly.
fn scores() -> String {
    let mut text = "file,label,logit_a,logit_b,logit_c\n".to_owned();
    for i in 0..300 {
        let p = f64::from(i + 1) / 301.0;
        let (z, w) = ((p / (1.0 - p)).ln(), (0.01 * (1.0 - p) / p).ln());
        writeln!(text, "a{i}.jpg,a,{z},0,-9\nb{i}.jpg,b,{w},0,-9").expect("memory");
    }
    text
}

#[test]
fn calibrate_writes_what_it_fitted_on_scores_into_the_model() {
    let set = Set::new(0);
    fs::write(set.path("scores.csv"), scores()).expect("room");
    let (model, scores, to) = (set.text("model.onnx"), set.text("scores.csv"), set.text("calibrated.onnx"));
    let output = bedside(&["calibrate", &model, "--scores", &scores, "--miss", "a=0.05", "-o", &to]);
    exited(&output, 0);
    for words in ["600 pictures of 600 patients", "May it say `no_sign`?", "c is always in", "novelty and quality need"]
    {
        assert!(out(&output).contains(words), "no \"{words}\" in\n{}", out(&output));
    }
    let (before, after) = (manifest_of(&set.path("model.onnx")), manifest_of(&set.path("calibrated.onnx")));
    let fitted = &after["calibration"];
    let graph = Graph::open(&set.path("model.onnx"), 1 << 20).expect("a model");
    assert_eq!(fitted["graph_sha256"], json!(graph.sha256()));
    assert_eq!((&fitted["thresholds"]["a"]["miss"], &fitted["thresholds"]["a"]["count"]), (&json!(0.05), &json!(300)));
    assert_eq!(fitted["thresholds"]["c"], json!({"at": 0.0}));
    assert_eq!(after["output"], before["output"]);
    exited(&bedside(&["check", &to]), 0);

    // Usage errors leave what was written.
    let written = fs::read(&to).expect("a model");
    let output = bedside(&["calibrate", &model, "--scores", &scores, "--miss", "z=0.05", "-o", &to]);
    exited(&output, 2);
    assert!(err(&output).contains("a, b, c"), "{}", err(&output));
    assert_eq!(fs::read(&to).expect("a model"), written);
}

#[cfg(unix)]
#[test]
fn calibrate_that_ends_while_it_writes_leaves_the_old_model() {
    let set = Set::new(0);
    fs::write(set.path("scores.csv"), scores()).expect("room");
    let (model, scores) = (set.text("model.onnx"), set.text("scores.csv"));
    let before = fs::read(&model).expect("a model");
    let arguments = ["calibrate", &model, "--scores", &scores, "--miss", "a=0.05", "-o", &model];
    for bytes in [512, 1024, before.len() as u64 / 2] {
        let ended = bedside_ended_after(bytes, &arguments);
        assert!(!ended.status.success(), "it wrote no more than {bytes} bytes: {}", out(&ended));
        assert!(fs::read(&model).expect("a model") == before, "another model after {bytes} bytes");
    }
    exited(&bedside(&arguments), 0);
    assert!(fs::read(&model).expect("a model") != before);
}

#[test]
fn calibrate_refuses_scores_that_no_network_gives_and_patients_of_two_networks() {
    let set = Set::new(0);
    let (model, scores, to) = (set.text("model.onnx"), set.text("scores.csv"), set.text("out.onnx"));
    for (rows, words) in [
        ("b,b,p1,second,0,-1e300,2", "scores.csv, line 3, column \"logit_b\": \"-1e300\" is not a logit between -1000"),
        ("b,b,p0,second,0,1,2", "b: the patient \"p0\" is of two networks, by this picture and by a;"),
    ] {
        let table = format!("file,label,patient,network,logit_a,logit_b,logit_c\na,a,p0,model,3,1,2\n{rows}\n");
        fs::write(&scores, table).expect("room");
        let output = bedside(&["calibrate", &model, "--scores", &scores, "--group", "patient", "-o", &to]);
        exited(&output, 1);
        assert!(err(&output).contains(words) && !set.path("out.onnx").exists(), "{}", err(&output));
    }
}

#[test]
fn calibrate_says_how_many_patients_an_evaluation_takes() {
    let set = Set::new(3);
    let (to, page) = (set.text("out.onnx"), set.text("page.html"));
    let words = "the pictures are of 1 patient; it takes 5 to hold some out";
    let output = set.run("calibrate", &["--group", "patient", "-o", &to, "--html", &page]);
    exited(&output, 1);
    assert!(err(&output).contains(words), "{}", err(&output));
    assert!(!set.path("page.html").exists() && !set.path("out.onnx").exists());
    let output = set.run("calibrate", &["--group", "patient", "-o", &to]);
    exited(&output, 0);
    assert!(out(&output).contains(words), "{}", out(&output));
    // Five are enough.
    let set = Set::new(15);
    let page = set.text("page.html");
    exited(&set.run("calibrate", &["--group", "patient", "-o", &set.text("out.onnx"), "--html", &page]), 0);
}

#[test]
fn calibrate_refuses_pictures_that_the_model_learned_from() {
    let set = Set::new(30);
    let mut manifest = tiny::manifest();
    manifest["provenance"] = json!({"training_sha256": [hash(3), hash(7).to_uppercase()]});
    set.pack("model.onnx", &manifest);
    let to = set.text("calibrated.onnx");
    let output = set.run("calibrate", &["--group", "patient", "-o", &to, "--json"]);
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!((&json["fitted"]["pictures"], &json["fitted"]["patients"]), (&json!(28), &json!(10)));
    assert!(json["fitted"]["missing"].to_string().contains("2 were refused"), "{json}");
    assert_eq!(manifest_of(&set.path("calibrated.onnx"))["calibration"]["unit"], json!("patient"));
    // Nothing is left beside the output.
    assert!(!set.path("calibrated.onnx.rows.jsonl").exists());

    manifest["provenance"] = json!({"training_sha256": (0..30).map(hash).collect::<Vec<_>>()});
    set.pack("model.onnx", &manifest);
    let output = set.run("calibrate", &["-o", &set.text("none.onnx")]);
    exited(&output, 1);
    assert!(err(&output).contains("30 were refused") && !set.path("none.onnx").exists(), "{}", err(&output));
}

#[test]
fn calibrate_takes_each_picture_from_the_network_of_its_fold() {
    let set = Set::new(30);
    set.pack_renamed("first.onnx", "fold_first");
    set.pack_renamed("second.onnx", "foldsecond");
    let folds = format!("{},{}", set.text("first.onnx"), set.text("second.onnx"));
    let output = set.run("calibrate", &["--folds", &folds, "-o", &set.text("out.onnx")]);
    exited(&output, 0);
    assert!(out(&output).contains("the guarantee is approximate"), "{}", out(&output));
    let fitted_on = manifest_of(&set.path("out.onnx"))["calibration"]["fitted_on"].clone();
    assert!(fitted_on.as_str().expect("a sentence").contains("2 networks"), "{fitted_on}");
    // A third network is none.
    set.relabel("val,2", "val,3");
    let output = set.run("calibrate", &["--folds", &folds, "-o", &set.text("out.onnx")]);
    exited(&output, 1);
    assert!(err(&output).contains("line 3: the column `fold` has \"3\""), "{}", err(&output));
}

#[test]
fn calibrate_goes_on_where_it_was_interrupted() {
    let set = Set::new(12);
    let to = set.text("out.onnx");
    // That one picture is said to show two things is found after eleven were measured.
    fs::copy(set.path("photos/000.bmp"), set.path("photos/011.bmp")).expect("room");
    let output = set.run("calibrate", &["-o", &to]);
    exited(&output, 1);
    assert!(err(&output).contains("line 13: 011.bmp is 000.bmp again"), "{}", err(&output));
    assert!(set.path("out.onnx.rows.jsonl").exists() && !set.path("out.onnx").exists());
    fs::write(set.path("photos/011.bmp"), bitmap(11)).expect("room");
    let output = set.run("calibrate", &["-o", &to]);
    exited(&output, 0);
    assert!(err(&output).contains("12 pictures were measured before"), "{}", err(&output));
    assert!(set.path("out.onnx").exists() && !set.path("out.onnx.rows.jsonl").exists());
}

#[test]
fn calibrate_refuses_a_picture_of_two_patients_and_a_network_of_two_folds() {
    let set = Set::new(30);
    fs::copy(set.path("photos/000.bmp"), set.path("photos/003.bmp")).expect("room");
    let output = set.run("calibrate", &["--group", "patient", "-o", &set.text("out.onnx")]);
    exited(&output, 1);
    assert!(err(&output).contains("labels.csv: line 5: 003.bmp is 000.bmp again"), "{}", err(&output));
    fs::write(set.path("photos/003.bmp"), bitmap(3)).expect("room");
    set.pack_renamed("first.onnx", "fold_first");
    let first = set.text("first.onnx");
    let output = set.run("calibrate", &["--folds", &format!("{first},{first}"), "-o", &set.text("out.onnx")]);
    exited(&output, 2);
    assert!(err(&output).contains("first.onnx: is the network of another fold"), "{}", err(&output));
}

fn hash(i: usize) -> String {
    Sha256::digest(bitmap(i)).iter().take(8).map(|b| format!("{b:02x}")).collect::<Vec<_>>().concat()
}

#[test]
fn calibrate_lists_the_pictures_that_the_model_itself_scored() {
    let set = Set::new(30);
    // The model is the network of the first fold, whose pictures are the even ones.
    let mut manifest = tiny::manifest();
    manifest["provenance"] = json!({"training_sha256": (0..15).map(|i| hash(2 * i + 1)).collect::<Vec<_>>()});
    set.pack("model.onnx", &manifest);
    set.pack_renamed("second.onnx", "foldsecond");
    let folds = format!("{},{}", set.text("model.onnx"), set.text("second.onnx"));
    let to = set.text("out.onnx");
    let output = set.run("calibrate", &["--folds", &folds, "-o", &to]);
    exited(&output, 0);
    assert!(out(&output).contains("and the model is one of them"), "{}", out(&output));
    let mut expected: Vec<String> = (0..15).map(|i| hash(2 * i)).collect();
    expected.sort();
    let found = manifest_of(&set.path("out.onnx"))["provenance"].clone();
    assert_eq!(found["calibration_sha256"], json!(expected));
    exited(&bedside(&["check", &to]), 0);

    // Where it learned from one of them after all, the calibration says nothing.
    manifest = manifest_of(&set.path("out.onnx"));
    manifest["provenance"]["training_sha256"] = json!([hash(4), hash(5)]);
    set.pack("out.onnx", &manifest);
    let output = bedside(&["check", &to]);
    exited(&output, 1);
    assert!(err(&output).contains("1 of the 15 pictures that it was calibrated on"), "{}", err(&output));
    // Without the column `fold`, a fold that does not say what it learned from is refused, the model's own as any other.
    let (model, table) = (set.path("model.onnx"), set.path("labels.csv"));
    let (sound, columns) = (fs::read(&model).expect("a model"), fs::read_to_string(&table).expect("a table"));
    set.pack("model.onnx", &tiny::manifest());
    fs::write(&table, columns.replacen(",fold", ",part", 1)).expect("room");
    let output = set.run("calibrate", &["--folds", &folds, "-o", &to]);
    exited(&output, 2);
    assert!(err(&output).contains("model.onnx: its `provenance.training_sha256` does not say"), "{}", err(&output));
    fs::write(&model, sound).expect("room");
    fs::write(&table, columns).expect("room");
    // Figures of a test set are a look at it.
    set.relabel(",val,", ",test,");
    let output = set.run("calibrate", &["--split", "test", "--folds", &folds, "-o", &to]);
    exited(&output, 2);
    assert!(err(&output).contains("--why"), "{}", err(&output));
    let looks = set.text("looks.csv");
    let why = ["--why", "a test", "--looks", &looks, "--split", "test", "--folds", &folds, "-o", &to];
    exited(&set.run("calibrate", &why), 0);
    assert!(fs::read_to_string(&looks).expect("a log").ends_with(",a test\n"));
    // A calibration on scores lists none.
    fs::write(set.path("scores.csv"), scores()).expect("room");
    exited(&bedside(&["calibrate", &to, "--scores", &set.text("scores.csv"), "-o", &to]), 0);
    assert_eq!(manifest_of(&set.path("out.onnx"))["provenance"].get("calibration_sha256"), None);
}

#[test]
fn calibrate_evaluates_what_it_fitted_on_other_patients() {
    let set = Set::new(0);
    fs::write(set.path("scores.csv"), scores()).expect("room");
    let (model, scores, page) = (set.text("model.onnx"), set.text("scores.csv"), set.text("page.html"));
    let to = set.text("calibrated.onnx");
    let run = |more: &[&str]| {
        let first = ["calibrate", &model, "--scores", &scores, "--miss", "a=0.05", "-o", &to];
        bedside(&[&first[..], more].concat())
    };
    let asked = ["--html", &page, "--contrast", "ab=a/b", "--against", &scores, "--json"];
    let output = run(&asked);
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    let held_out = &json["held_out"];
    assert_eq!(held_out["flow"][0]["judged"]["count"], json!(600));
    let ranking = &held_out["ranking"][1];
    assert_eq!(
        (&ranking["of"], &ranking["positives"], &ranking["negatives"]),
        (&json!("ab"), &json!(300), &json!(300))
    );
    // P(U/(1 − U) > cV/(1 − V)) of uniform numbers is 1/(1 − c) + c ln c/(1 − c)²; here c is 0.01.
    let area = ranking["auc"]["value"].as_f64().expect("a number");
    let expected = 1.0 / 0.99 + 0.01 * 0.01f64.ln() / 0.99f64.powi(2);
    assert!((area - expected).abs() < 0.01, "{area} beside {expected}");
    // 5 % of 300 are stated to be missed; other patients' thresholds miss about as many.
    let missed = held_out["misses"][0]["missed"].as_u64().expect("a count");
    assert!((6..=28).contains(&missed), "{missed}");
    let difference = held_out["comparison"]["auc"][1]["difference"]["value"].as_f64().expect("a number");
    assert!(difference.abs() < 1e-12, "{difference}");
    assert!(fs::read_to_string(&page).expect("a page").contains("ROC curve of ab"));

    let output = run(&[]);
    exited(&output, 0);
    assert!(out(&output).contains("judged by what was fitted on other patients"), "{}", out(&output));
    for (contrast, problem) in [
        ("ab=a/z", "--contrast ab: there is no label \"z\""),
        ("urgent=a/b", "--contrast urgent: give it a name of its own"),
        ("a=a/b", "--contrast a: give it a name of its own"),
        ("twice=a/a", "--contrast twice: a label stands twice in it"),
    ] {
        let output = run(&["--contrast", contrast]);
        exited(&output, 2);
        assert!(err(&output).contains(problem), "{}", err(&output));
    }
    let output = run(&["--by", "none"]);
    exited(&output, 1);
    assert!(err(&output).contains("none"), "{}", err(&output));
    // A table of some of the pictures would be dealt out in other parts.
    let some: Vec<String> =
        fs::read_to_string(&scores).expect("a table").lines().take(500).map(str::to_owned).collect();
    fs::write(set.path("some.csv"), some.join("\n")).expect("room");
    let output = run(&["--against", &set.text("some.csv")]);
    exited(&output, 1);
    assert!(err(&output).contains("some.csv: lacks 101 of the 600 pictures"), "{}", err(&output));
    let output = run(&["--html", &scores]);
    exited(&output, 2);
}

#[test]
fn evaluate_judges_copies_of_pictures() {
    let set = Set::new(6);
    // A fortieth of 32 pixels is the outermost of either side: without its white border the last picture is all grey.
    let gray = [100; 32 * 32 * 3];
    let bordered = |at: usize| if [0, 31].contains(&(at / 3 % 32)) || [0, 31].contains(&(at / 96)) { 255 } else { 100 };
    let with = |pixels: Vec<u8>| [&bitmap(0)[..54], &pixels[..]].concat();
    fs::write(set.path("photos/004.bmp"), with(gray.to_vec())).expect("room");
    fs::write(set.path("photos/005.bmp"), with((0..gray.len()).map(bordered).collect())).expect("room");
    let triage = |name: &str| {
        let (photo, model) = (set.text(name), set.text("model.onnx"));
        let report: Value =
            serde_json::from_str(&out(&bedside(&["classify", &photo, "--model", &model, "--json"]))).expect("JSON");
        report["triage"].clone()
    };
    assert_eq!((triage("photos/004.bmp"), triage("photos/005.bmp")), (json!("urgent"), json!("refer")));
    let output = set.run("evaluate", &["--copies", "--json"]);
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    let ways = json["steadiness"].as_array().expect("a list");
    let changed: Vec<(&Value, &Value)> =
        ways.iter().map(|way| (&way["changed"]["count"], &way["changed"]["pictures"])).collect();
    // Saved again, cut, enlarged: the border stays in the first and the last.
    assert_eq!(changed, [(&json!(0), &json!(6)), (&json!(1), &json!(6)), (&json!(0), &json!(6))], "{ways:?}");
    assert!(ways[1]["how"].as_str().expect("words").contains("cut off"), "{ways:?}");
    let output = set.run("evaluate", &[]);
    assert!(!out(&output).contains("Copies"), "{}", out(&output));
}

#[test]
fn calibrate_says_what_it_keeps() {
    let set = Set::new(210);
    exited(&set.run("calibrate", &["-o", &set.text("model.onnx")]), 0);
    let few =
        fs::read_to_string(set.path("labels.csv")).expect("a table").lines().take(20).collect::<Vec<_>>().join("\n");
    fs::write(set.path("labels.csv"), few).expect("room");
    let output = set.run("calibrate", &["-o", &set.text("out.onnx")]);
    exited(&output, 0);
    for words in ["there are 19 sound pictures, and it takes 200", "the model keeps those that it had"] {
        assert!(out(&output).contains(words), "no \"{words}\" in\n{}", out(&output));
    }
}

#[test]
fn calibrate_counts_a_picture_once() {
    let set = Set::new(30);
    fs::copy(set.path("photos/000.bmp"), set.path("photos/003.bmp")).expect("room");
    let output = set.run("calibrate", &["-o", &set.text("out.onnx")]);
    exited(&output, 0);
    for words in ["29 pictures of 29 patients", "1 are others of them again, byte for byte"] {
        assert!(out(&output).contains(words), "no \"{words}\" in\n{}", out(&output));
    }
}

/// Coloured pictures where grey is meant give no limits, as all would be refused.
#[test]
fn calibrate_fits_the_colours_that_are_meant() {
    let set = Set::new(210);
    let color = |blue: u8, options: &[&str]| {
        for i in 0..210 {
            fs::write(set.path(&format!("photos/{i:03}.bmp")), tinted(i, blue)).expect("room");
        }
        exited(&set.run("calibrate", &[options, &["-o", &set.text("out.onnx")]].concat()), 0);
        manifest_of(&set.path("out.onnx"))["calibration"]["quality"]["color"].clone()
    };
    let gray = ["--color", "gray"];
    assert_eq!((color(40, &[]), color(40, &gray)), (json!("rgb"), Value::Null));
    assert_eq!((color(0, &[]), color(0, &gray)), (Value::Null, json!("gray")));
    exited(&set.run("calibrate", &["--color", "blue", "-o", &set.text("out.onnx")]), 2);
}

#[test]
fn calibrate_measures_nothing_for_options_that_are_wrong() {
    let set = Set::new(12);
    for miss in ["a=0", "a=1", "d=0.1"] {
        exited(&set.run("calibrate", &["-o", &set.text("out.onnx"), "--miss", miss]), 2);
        assert!(!set.path("out.onnx.rows.jsonl").exists(), "{miss}");
    }
    let output = set.run("calibrate", &["-o", &set.text("out.onnx"), "--action", "2"]);
    exited(&output, 2);
    assert!(err(&output).contains("'2' for '--action") && err(&output).contains("0 or more and below 1"));
    let table = fs::read(set.path("labels.csv")).expect("a table");
    fs::write(set.path("beside.rows.jsonl"), "mine").expect("room");
    fs::write(set.path("photos/notes.txt"), "mine").expect("room");
    for output in ["labels.csv", "none/out.onnx", "model.json", "photos/003.bmp", "beside", "photos/notes.txt"] {
        exited(&set.run("calibrate", &["-o", &set.text(output)]), 2);
        assert!(!set.path("labels.csv.rows.jsonl").exists() && !set.path("none").exists());
    }
    for mine in ["beside.rows.jsonl", "photos/notes.txt"] {
        assert_eq!(fs::read(set.path(mine)).expect("a file"), b"mine");
    }
    assert_eq!(fs::read(set.path("photos/003.bmp")).expect("a picture"), bitmap(3));
    assert_eq!(fs::read(set.path("labels.csv")).expect("a table"), table);
}

#[test]
fn calibrate_on_pictures_fits_quality_and_novelty() {
    let set = Set::new(300);
    fs::create_dir_all(set.path("others/stripes")).expect("room");
    for i in 0..20 {
        fs::write(set.path(&format!("others/stripes/{i}.bmp")), striped(i)).expect("room");
    }
    fs::create_dir(set.path("others/own")).expect("room");
    fs::copy(set.path("photos/007.bmp"), set.path("others/own/x.bmp")).expect("room");
    let (to, others) = (set.text("out.onnx"), set.text("others"));
    let options = ["--group", "patient", "--foreign", &others, "--resaved", "-o", &to];
    let output = set.run("calibrate", &options);
    exited(&output, 0);
    for words in [
        // All stripes are the same picture.
        "left out of the foreign pictures: 19 that are others of them again, byte for byte, and 1 that are labelled",
        "Novelty, by",
        "of 300 copies that were saved again",
        "of the worst foreign source",
        "Quality: focus from",
        "300 sound pictures",
        " of 100 copies: an eighth of the light",
        "all others",
    ] {
        assert!(out(&output).contains(words), "no \"{words}\" in\n{}", out(&output));
    }
    let fitted = manifest_of(&set.path("out.onnx"))["calibration"].clone();
    let (soft, hard) = (&fitted["novelty"]["soft"], &fitted["novelty"]["hard"]);
    assert!(soft.as_f64().expect("a level") < hard.as_f64().expect("a level"), "{fitted}");
    assert_eq!(fitted["quality"]["dark"], json!({"max": 0.75}));
    let output = set.run("calibrate", &[&options[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    let root = fitted["novelty"].get("root").cloned().unwrap_or(json!(false));
    assert_eq!(json["fitted"]["novelty"]["root"], root);
    let sources = json["fitted"]["novelty"]["trials"][0]["sources"].as_array().expect("a list").clone();
    let pictures: Vec<(&Value, &Value)> = sources.iter().map(|found| (&found["source"], &found["pictures"])).collect();
    assert_eq!(pictures, [(&json!("stripes"), &json!(1))]);
    // The model opens, and judges by them.
    let photos = set.text("photos");
    let output = bedside(&["classify", &photos, "--model", &to, "--json"]);
    exited(&output, 0);
    let reports: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let over = |level: &Value| {
        let level = level.as_f64().expect("a level");
        reports.iter().filter(|report| report["novelty"]["value"].as_f64().is_some_and(|value| value > level)).count()
    };
    // 5 and 1 % of 300, by tables that were fitted without the picture: fewer by those of all.
    assert!((1..=15).contains(&over(soft)) && over(hard) <= 3, "{} {}", over(soft), over(hard));
}

/// A grey picture with as much more blue, another for each number below 2¹⁶.
fn tinted(i: usize, blue: u8) -> Vec<u8> {
    let mut bytes = bitmap(0);
    for (at, pixel) in bytes[54..].chunks_exact_mut(3).enumerate() {
        pixel.fill(if at < 16 && i >> at & 1 == 1 { 200 } else { 100 });
        pixel[0] += blue;
    }
    bytes
}

/// Stripes of 4 pixels.
fn striped(i: usize) -> Vec<u8> {
    let mut bytes = bitmap(i);
    for (at, byte) in bytes[54..].iter_mut().enumerate() {
        *byte = if at / 12 % 2 == 0 { 255 } else { 0 };
    }
    bytes
}

/// A shipped model on six pictures: far too few, which is said, and the model that is written opens and passes.
#[test]
fn shipped_model_is_calibrated_and_evaluated_on_the_samples() {
    let models = tiny::golden("../../models");
    let (model, images) = (models.join("skin-lesion/model.onnx"), models.join("samples"));
    let folder = tempfile::tempdir().expect("a folder");
    let labels = folder.path().join("labels.csv");
    let table = fs::read_to_string(images.join("labels.csv")).expect("a table");
    let own: Vec<&str> = table.lines().filter(|line| line.starts_with("file") || line.starts_with("ISIC")).collect();
    fs::write(&labels, own.join("\n")).expect("room");
    let to = folder.path().join("calibrated.onnx");
    let set = ["--images", text(&images), "--labels", text(&labels)];
    let output = bedside(&[&["calibrate", text(&model)], &set[..], &["-o", text(&to)]].concat());
    exited(&output, 0);
    for words in [
        "6 pictures of 6 patients",
        "No.",
        "melanoma is always in: a miss of 2.0 % takes 47 patients more",
        "57 patients",
    ] {
        assert!(out(&output).contains(words), "no \"{words}\" in\n{}", out(&output));
    }
    exited(&bedside(&["check", text(&to)]), 0);
    let output = bedside(&[&["evaluate", text(&to)], &set[..], &["--json"]].concat());
    exited(&output, 0);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(json["flow"][0]["judged"]["count"], json!(6), "{json}");
    // Too few for an area under a curve with an interval is said, and is no 0.
    assert!(json["ranking"][0]["auc"] != json!(0));
}
