//! A shipped model beside ONNX Runtime: what the tests of all of them have in common.
//!
//! References are by `golden/make_scores.py`: Pillow decodes and resizes, ONNX Runtime runs in its exact mode.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use bedside::{Classifier, Image, Options};

/// How far a score may be from ONNX Runtime's where both saw a picture decoded at one scale: the sixth digit, where the
/// references end, and what a softmax in float32 leaves.
pub(crate) const SAME: f32 = 1e-5;

/// How far a score should be at most from one that was decoded in full, where ours was at a reduced scale.
pub(crate) const NEAR: f32 = 0.02;

pub(crate) fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(path)
}

pub(crate) fn open(model: &str) -> Classifier {
    Classifier::open(shipped(model).join("model.onnx"), Options::default()).expect("the shipped model opens")
}

/// One line of a reference file.
pub(crate) struct Reference {
    pub(crate) file: String,
    pub(crate) graph: String,
    pub(crate) scores: Vec<f32>,
}

/// The lines of a model's reference file for one of the graphs, `int8` or `float`.
pub(crate) fn references(model: &str, name: &str, graph: &str) -> Vec<Reference> {
    let path = crate::tiny::golden(model).join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let labels = open(model).manifest().output.labels.iter().map(|label| label.id.clone()).collect::<Vec<_>>();
    assert_eq!(lines.next(), Some(format!("file,label,graph,{}", labels.join(",")).as_str()), "{name}");
    lines.map(reference).filter(|reference| reference.graph == graph).collect()
}

fn reference(line: &str) -> Reference {
    let fields: Vec<&str> = line.split(',').collect();
    let scores = fields[3..].iter().map(|s| s.parse().expect("a number")).collect();
    Reference { file: fields[0].into(), graph: fields[2].into(), scores }
}

/// How a graph agrees with ONNX Runtime over many pictures.
#[derive(Default)]
pub(crate) struct Agreement {
    pub(crate) pictures: usize,
    pub(crate) same_top: usize,
    pub(crate) same: usize,
    pub(crate) near: usize,
    pub(crate) sum: f64,
    pub(crate) greatest: f32,
}

impl Agreement {
    pub(crate) fn of(classifier: &Classifier, references: &[Reference], folder: &Path) -> Agreement {
        let mut agreement = Agreement::default();
        for reference in references {
            let image = Image::open(folder.join(&reference.file)).expect("a picture of the data set");
            agreement.add(&classifier.scores(&image).expect("scores"), &reference.scores);
        }
        agreement
    }

    fn add(&mut self, found: &[f32], wanted: &[f32]) {
        let difference = found.iter().zip(wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f32::max);
        self.pictures += 1;
        self.same += usize::from(difference <= SAME);
        self.near += usize::from(difference <= NEAR);
        self.sum += f64::from(difference);
        self.greatest = self.greatest.max(difference);
        self.same_top += usize::from(top(found) == top(wanted));
    }

    pub(crate) fn row(&self, name: &str) -> String {
        let mean = self.sum / self.pictures as f64;
        format!("| {name} | {} | {} | {} | {mean:.6} | {:.6} |", self.same_top, self.same, self.near, self.greatest)
    }

    pub(crate) fn assert_same(&self, name: &str) {
        assert!(self.pictures > 0, "{name}: no pictures");
        assert_eq!(self.same_top, self.pictures, "{name}: another label leads");
        assert!(self.greatest <= SAME, "{name}: a score is {} off", self.greatest);
    }
}

fn top(scores: &[f32]) -> usize {
    (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("scores")
}

/// The golden sample inside the model is the lab's, and passes.
pub(crate) fn assert_golden(classifier: &Classifier) {
    let passed = classifier.self_test().expect("passes").expect("a golden sample");
    assert_eq!(passed.by, bedside::manifest::GoldenBy::Lab);
    assert!(passed.max_difference <= SAME);
}

/// The manifest has all that a shipped model's must have.
pub(crate) fn assert_complete(classifier: &Classifier) {
    let manifest = classifier.manifest();
    for label in &manifest.output.labels {
        assert!(label.operating_point.is_some(), "{}", label.id);
        assert_eq!(label.name.languages().collect::<Vec<_>>(), ["en", "uk"], "{}", label.id);
    }
    assert!(manifest.scope.iter().all(|question| question.required));
    let calibration = manifest.calibration.as_ref().expect("calibrated");
    assert!(calibration.temperature.is_some() && calibration.prevalence.is_some());
}

/// Writes the rows of a model as the table that `docs/runs/full-run.md` shows, and prints it.
pub(crate) fn write_agreement(model: &str, pictures: usize, rows: &[String]) {
    let table = format!(
        "| graph, pictures | same top-1 of {pictures} | equal to 1e-5 | all scores within 0.02 | mean difference | \
         greatest |\n|---|---|---|---|---|---|\n{}\n",
        rows.join("\n")
    );
    println!("{table}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/agreement");
    fs::create_dir_all(&folder).expect("room");
    fs::write(folder.join(format!("{model}.md")), &table).expect("room");
}

pub(crate) fn data_set(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("set {variable}; `cargo xtask full` does")).into()
}
