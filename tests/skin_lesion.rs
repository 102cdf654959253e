//! The shipped skin-lesion model beside ONNX Runtime: its int8 graph and the float graph that it was made from.
//!
//! References are by `golden/make_scores.py`: Pillow decodes and resizes, ONNX Runtime runs in its exact mode.
//! The gate takes the sample pictures; the whole test split, and enlarged copies of it, take minutes and are run by
//! `cargo xtask full`.

mod tiny;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bedside::manifest::{METADATA_KEY, Manifest};
use bedside::{Answer, Classifier, Image, Options, Query};
use bedside_engine::Graph;
use tiny::golden;

/// How far a score may be from ONNX Runtime's where both saw a picture decoded at one scale: the sixth digit, where the
/// references end, and what a softmax in float32 leaves.
const SAME: f32 = 1e-5;

/// How far a score should be at most from one that was decoded in full, where ours was at a reduced scale.
const NEAR: f32 = 0.02;

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(path)
}

fn int8() -> Classifier {
    Classifier::open(shipped("skin-lesion/model.onnx"), Options::default()).expect("the shipped model opens")
}

/// The float graph under the shipped manifest, less what is bound to the int8 graph.
fn float() -> Classifier {
    let manifest = Manifest { calibration: None, golden: None, ..int8().manifest().clone() };
    let mut graph = Graph::open(&golden("skin-lesion/float.onnx"), 64 << 20).expect("a sound graph");
    graph.set_metadata(METADATA_KEY, manifest.to_json());
    Classifier::from_bytes(&graph.to_bytes(), Options::default()).expect("the float graph opens")
}

/// One line of a reference file.
struct Reference {
    file: String,
    graph: String,
    scores: Vec<f32>,
}

fn references(name: &str) -> Vec<Reference> {
    let path = golden("skin-lesion").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("file,label,graph,melanoma,nevus,seborrheic_keratosis"), "{name}");
    lines.map(reference).collect()
}

fn reference(line: &str) -> Reference {
    let fields: Vec<&str> = line.split(',').collect();
    let scores = fields[3..].iter().map(|s| s.parse().expect("a number")).collect();
    Reference { file: fields[0].into(), graph: fields[2].into(), scores }
}

/// How one graph agrees with ONNX Runtime over many pictures.
#[derive(Default)]
struct Agreement {
    pictures: usize,
    same_top: usize,
    same: usize,
    near: usize,
    sum: f64,
    greatest: f32,
}

impl Agreement {
    fn add(&mut self, found: &[f32], wanted: &[f32]) {
        let difference = found.iter().zip(wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f32::max);
        self.pictures += 1;
        self.same += usize::from(difference <= SAME);
        self.near += usize::from(difference <= NEAR);
        self.sum += f64::from(difference);
        self.greatest = self.greatest.max(difference);
        self.same_top += usize::from(top(found) == top(wanted));
    }

    fn row(&self, name: &str) -> String {
        let mean = self.sum / self.pictures as f64;
        format!("| {name} | {} | {} | {} | {mean:.6} | {:.6} |", self.same_top, self.same, self.near, self.greatest)
    }
}

fn top(scores: &[f32]) -> usize {
    (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("scores")
}

/// Both graphs over all pictures of a reference file, by graph.
fn agreement(references: &[Reference], folder: &Path) -> BTreeMap<String, Agreement> {
    let classifiers = BTreeMap::from([("float", float()), ("int8", int8())]);
    let mut agreements: BTreeMap<String, Agreement> = BTreeMap::new();
    for reference in references {
        let image = Image::open(folder.join(&reference.file)).expect("a picture of the data set");
        let scores = classifiers[reference.graph.as_str()].scores(&image).expect("scores");
        agreements.entry(reference.graph.clone()).or_default().add(&scores, &reference.scores);
    }
    agreements
}

#[test]
fn samples_get_the_reference_scores() {
    let references = references("samples.csv");
    let agreements = agreement(&references, &shipped("samples"));
    assert_eq!(agreements.len(), 2);
    for (graph, found) in agreements {
        assert_eq!(found.pictures, references.len() / 2);
        assert_eq!(found.same_top, found.pictures, "{graph}: another label leads");
        assert!(found.greatest <= SAME, "{graph}: a score is {} off", found.greatest);
    }
}

#[test]
fn the_golden_sample_is_the_labs_and_passes() {
    let passed = int8().self_test().expect("passes").expect("a golden sample");
    assert_eq!(passed.by, bedside::manifest::GoldenBy::Lab);
    assert!(passed.max_difference <= SAME);
}

#[test]
fn the_shipped_manifest_says_what_the_plan_asks_for() {
    let classifier = int8();
    let manifest = classifier.manifest();
    for label in &manifest.output.labels {
        assert!(label.operating_point.is_some(), "{}", label.id);
        assert_eq!(label.name.languages().collect::<Vec<_>>(), ["en", "uk"], "{}", label.id);
    }
    assert!(manifest.scope.iter().any(|q| q.id == "dermatoscope" && q.required));
    let calibration = manifest.calibration.as_ref().expect("calibrated");
    assert!(calibration.temperature.is_some() && calibration.prevalence.is_some());
}

#[test]
fn without_a_dermatoscope_there_is_no_verdict() {
    let image = Image::open(shipped("samples/ISIC_0012258.jpg")).expect("a sample");
    let classifier = int8();
    let asked = |answer: Option<Answer>| {
        let answers = answer.map(|a| ("dermatoscope".to_owned(), a)).into_iter().collect();
        classifier.classify(&image, &Query { answers, ..Query::default() }).expect("a report")
    };
    assert_eq!(asked(None).verdict.kind(), "rejected");
    assert_eq!(asked(Some(Answer::No)).verdict.kind(), "rejected");
    assert_eq!(asked(Some(Answer::Yes)).findings.len(), 3);
}

fn data_set(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("set {variable}; `cargo xtask full` does")).into()
}

/// The shares of pictures with the same top label, and with all scores [`NEAR`], that are reached where the reference
/// was decoded in full and ours at a quarter, by graph; a little below what is measured, so that it can't get worse unseen.
const BESIDE_FULL: [(&str, f64, f64); 2] = [("float", 0.985, 0.86), ("int8", 0.965, 0.74)];

#[test]
#[ignore = "needs the ISIC 2017 test split and minutes; `cargo xtask full` runs it"]
fn the_test_split_and_enlarged_copies_agree_with_the_reference() {
    let (whole, enlarged) = (data_set("BEDSIDE_ISIC2017"), data_set("BEDSIDE_ISIC2017_ENLARGED"));
    let mut table = String::from(
        "| graph, pictures | same top-1 of 598 | equal to 1e-5 | all scores within 0.02 | mean difference | greatest |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut poor = Vec::new();
    for (name, file, pictures) in [
        ("test split", "test_split.csv", &whole),
        ("enlarged, both decoded at a quarter", "enlarged_draft.csv", &enlarged),
        ("enlarged, the reference decoded in full", "enlarged.csv", &enlarged),
    ] {
        let references = references(file);
        assert_eq!(references.len(), 2 * 598, "{file}");
        for (graph, found) in agreement(&references, pictures) {
            let name = format!("{graph}, {name}");
            writeln!(table, "{}", found.row(&name)).expect("memory");
            let (_, same_top, near) = BESIDE_FULL.into_iter().find(|(g, ..)| *g == graph).expect("one for each graph");
            let share = |count: usize| count as f64 / found.pictures as f64;
            let good = match file {
                "enlarged.csv" => share(found.same_top) >= same_top && share(found.near) >= near,
                _ => found.same_top == found.pictures && found.same == found.pictures,
            };
            if !good {
                poor.push(name);
            }
        }
    }
    println!("{table}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&folder).expect("room");
    fs::write(folder.join("skin-lesion-agreement.md"), &table).expect("room");
    assert!(poor.is_empty(), "{poor:?}:\n{table}");
}
