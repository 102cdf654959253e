//! What the comparisons of shipped models with ONNX Runtime have in common.
//!
//! `golden/make_scores.py` wrote the reference scores: Pillow decodes and resizes, and ONNX Runtime runs in its exact
//! mode.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use bedside::manifest::QuestionRole;
use bedside::{Classifier, Image, Options};

/// The shipped models.
pub(crate) const MODELS: [&str; 4] = ["skin-photo", "skin-lesion", "breast-ultrasound", "chest-xray"];

/// The maximum difference of a score from ONNX Runtime's where both decode the picture at the same scale: the
/// references have six digits, and a softmax in float32 adds its rounding.
pub(crate) const SAME: f32 = 1e-5;

/// The difference within which a score counts as near, where the reference was decoded in full and ours at a reduced
/// scale.
pub(crate) const NEAR: f32 = 0.02;

/// A path below `models/`.
pub(crate) fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(path)
}

/// The classifier of a shipped model.
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
    let labels = open(model).manifest().labels().iter().map(|label| label.id.clone()).collect::<Vec<_>>();
    assert_eq!(lines.next(), Some(format!("file,label,graph,{}", labels.join(",")).as_str()), "{name}");
    lines.map(reference).filter(|reference| reference.graph == graph).collect()
}

fn reference(line: &str) -> Reference {
    let fields: Vec<&str> = line.split(',').collect();
    let scores = fields[3..].iter().map(|s| s.parse().expect("a number")).collect();
    Reference { file: fields[0].into(), graph: fields[2].into(), scores }
}

/// The agreement of a graph with ONNX Runtime over many pictures. The difference of a picture is that of the label
/// whose score differs most.
#[derive(Default)]
pub(crate) struct Agreement {
    pub(crate) pictures: usize,
    /// The number of pictures with the same top label.
    pub(crate) same_top: usize,
    /// The number of pictures with a difference of at most [`SAME`].
    pub(crate) same: usize,
    /// The number of pictures with a difference of at most [`NEAR`].
    pub(crate) near: usize,
    /// The sum of all pictures' differences.
    pub(crate) sum: f64,
    /// The maximum of all pictures' differences.
    pub(crate) max: f32,
}

impl Agreement {
    /// Compares a classifier's scores of the pictures in `folder` with the references.
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
        self.max = self.max.max(difference);
        self.same_top += usize::from(top(found) == top(wanted));
    }

    /// A row of the table that [`write_agreement`] writes.
    pub(crate) fn row(&self, name: &str) -> String {
        let mean = self.sum / self.pictures as f64;
        format!("| {name} | {} | {} | {} | {mean:.6} | {:.6} |", self.same_top, self.same, self.near, self.max)
    }

    /// Fails where a picture has another top label, or a difference over [`SAME`].
    pub(crate) fn assert_same(&self, name: &str) {
        assert!(self.pictures > 0, "{name}: no pictures");
        assert_eq!(self.same_top, self.pictures, "{name}: another label leads");
        assert!(self.max <= SAME, "{name}: a score is {} off", self.max);
    }
}

/// The index of the maximum score; of the last one, where several are equal.
fn top(scores: &[f32]) -> usize {
    (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("scores")
}

/// Fails where the golden sample inside the model is not the lab's, or does not pass within [`SAME`].
pub(crate) fn assert_golden(classifier: &Classifier) {
    let passed = classifier.self_test().expect("passes").expect("a golden sample");
    assert_eq!(passed.by, bedside::manifest::GoldenBy::Lab);
    assert!(passed.max_difference <= SAME);
}

/// Fails where the manifest lacks something that a shipped model's must have.
pub(crate) fn assert_complete(classifier: &Classifier) {
    let manifest = classifier.manifest();
    let thresholds = manifest.calibration().map(|calibration| &calibration.thresholds).expect("calibrated");
    for shown in manifest.shown_labels() {
        let stated = manifest.labels().iter().any(|label| label.id == shown.id && label.operating_point.is_some());
        assert!(stated || thresholds.contains_key(&shown.id), "{}", shown.id);
    }
    for label in manifest.labels() {
        assert_eq!(label.name.languages().collect::<Vec<_>>(), ["en", "uk"], "{}", label.id);
    }
    assert!(manifest.scope().iter().all(|question| question.required || question.role == QuestionRole::Danger));
    let calibration = manifest.calibration().expect("calibrated");
    let rescales = calibration.temperature.is_some() || calibration.scale.is_some() && calibration.bias.is_some();
    assert!(rescales && calibration.prevalence.is_some() && calibration.quality.is_some());
}

/// Writes the rows of a model as the table that `docs/runs/full-run.md` shows, and prints it.
pub(crate) fn write_agreement(model: &str, pictures: usize, rows: &[String]) {
    let table = format!(
        "| graph, pictures | same top-1 of {pictures} | equal to 1e-5 | all scores within 0.02 | mean difference | \
         maximum |\n|---|---|---|---|---|---|\n{}\n",
        rows.join("\n")
    );
    println!("{table}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/agreement");
    fs::create_dir_all(&folder).expect("room");
    fs::write(folder.join(format!("{model}.md")), &table).expect("room");
}

/// The folder of the data sets, or of copies of one, which an environment variable names.
pub(crate) fn pictures(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("set {variable}; `cargo xtask full` does")).into()
}
