//! What `bedside calibrate` fits, from plain rows: what each held-out picture shows, and what the graph said of it.
//!
//! [`fit`] makes a [`Fitted`] of rows; [`calibration`] writes it as a manifest has it, and [`page`] as a page of text.
//! They read no files and run no model.
//!
//! # What counts
//!
//! - The model must not have learned from any of the pictures. Whoever calls sees to that.
//! - A *patient* is a row's group; a row without one is a patient by itself.
//! - A *class* is a label, or a group of labels that stands in their place: its probability is the sum of theirs.
//! - How logits become probabilities is chosen by the likelihood of patients whom it was not fitted on. What was there
//!   stays where nothing is clearly better. Where networks stood in for the model on a part of the pictures each, one of the
//!   ways is a scale and a bias for each of them: thresholds are then of probabilities that mean the same in all.
//! - A threshold is an order statistic of the patients who have what the class names
//!   ([`conformal`](crate::statistics::conformal)): of each, the lowest probability among the pictures that show it.
//! - Whether the model may say `no_sign` is counted on the same patients, each judged by thresholds that were fitted
//!   without that patient.
//! - Scores of foreign pictures and of rejected ones are none of these rows.

mod eigen;
mod held_out;
mod manifest;
pub mod method;
mod newton;
pub mod novelty;
mod page;
pub mod quality;
mod scaling;
#[cfg(test)]
mod tests;
mod thresholds;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thiserror::Error;

pub use held_out::{evaluated, held_out};
pub use manifest::calibration;
pub use method::FittedNovelty;
pub use page::page;
pub use quality::FittedQuality;
pub use scaling::{Choice, FOLDS, MIN_PATIENTS, Scaling, Scalings, Trial};
pub use thresholds::{Action, FittedClass, NoSignClass, NoSignFit};

use crate::evaluate::Level;
use crate::statistics::Undefined;
use crate::table::MAX_LOGIT;

/// The share of patients that a threshold may miss where nothing is said: of a class that asks for `urgent`.
pub const URGENT_MISS: f64 = 0.02;

/// The share of patients that a threshold may miss where nothing is said: of any other class.
pub const OTHER_MISS: f64 = 0.1;

/// What thresholds are fitted for: a label, or labels that are reported as one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// Its name in the manifest.
    pub id: String,
    /// The triage that it asks for.
    pub level: Level,
    /// Which of the model's labels it is, from 0 on.
    pub members: Vec<usize>,
}

impl Class {
    /// Its probability, from those of the labels.
    fn probability(&self, labels: &[f64]) -> f64 {
        self.members.iter().map(|&label| labels[label]).sum::<f64>().min(1.0)
    }

    /// Whether one of its labels holds; `None` where none is known to, and one is not known.
    #[must_use]
    pub fn truth(&self, labels: &[Option<bool>]) -> Option<bool> {
        let mut members = self.members.iter().map(|&label| labels[label]);
        if members.clone().any(|truth| truth == Some(true)) {
            return Some(true);
        }
        members.all(|truth| truth.is_some()).then_some(false)
    }
}

/// The probability that one of the urgent classes holds: the sum of theirs; none for a model without one, and where several
/// may hold.
#[must_use]
pub fn urgent_probability(classes: &[Class], is_multi_label: bool, probabilities: &[f64]) -> Option<f64> {
    let urgent = classes.iter().zip(probabilities).filter(|(class, _)| class.level == Level::Urgent);
    let urgent: Vec<f64> = urgent.map(|(_, p)| *p).collect();
    let is_summable = !urgent.is_empty() && (!is_multi_label || urgent.len() == 1);
    is_summable.then(|| urgent.iter().sum::<f64>().min(1.0))
}

/// A model, as far as fitting needs to know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The labels, in the graph's order.
    pub labels: Vec<String>,
    /// Whether any number of the labels may hold. Otherwise they exclude each other.
    pub is_multi_label: bool,
    /// The classes. Each label is of one of them.
    pub classes: Vec<Class>,
    /// How logits become probabilities now.
    pub before: Scaling,
    /// Whether the rows have the graph's own logits. Otherwise they are logarithms of probabilities.
    pub has_logits: bool,
}

/// A picture that the model did not learn from: what it shows, and what the graph said.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its path.
    pub file: String,
    /// Whose picture it is.
    pub group: Option<String>,
    /// One logit a label, before any calibration.
    pub logits: Vec<f64>,
    /// For each label whether it holds.
    pub truth: Vec<Option<bool>>,
    /// Which network gave the logits: 0 for the model itself, others for those that stood in for it.
    pub network: usize,
}

impl Row {
    fn patient(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.file)
    }

    /// The first label that holds.
    fn label(&self) -> Option<usize> {
        self.truth.iter().position(|truth| *truth == Some(true))
    }

    /// Whether it says anything about probabilities.
    fn is_known(&self, is_multi_label: bool) -> bool {
        if is_multi_label { self.truth.iter().any(Option::is_some) } else { self.label().is_some() }
    }
}

/// The logits of probabilities that a graph gave: log-odds where any number of labels may hold, else logarithms. They
/// are finite, as probabilities count as 10⁻¹² to 1 − 10⁻¹².
///
/// ```
/// use bedside_tools::calibrate::logits_of;
///
/// assert!((logits_of(&[0.9], true)[0] - 9.0f64.ln()).abs() < 1e-12);
/// assert!((logits_of(&[0.9, 0.1], false)[1] - 0.1f64.ln()).abs() < 1e-12);
/// ```
#[must_use]
pub fn logits_of(probabilities: &[f64], is_multi_label: bool) -> Vec<f64> {
    /// As the library does it.
    const MIN_PROBABILITY: f64 = 1e-12;
    let logit = |p: f64| {
        let p = p.clamp(MIN_PROBABILITY, 1.0 - MIN_PROBABILITY);
        if is_multi_label { libm::log(p / (1.0 - p)) } else { libm::log(p) }
    };
    probabilities.iter().map(|&p| logit(p)).collect()
}

/// What is asked of a fit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The share of its patients that the threshold of a class may miss, by the class's id: above 0 and below 1.
    /// [`URGENT_MISS`] or [`OTHER_MISS`] for a class that is not in it.
    pub misses: BTreeMap<String, f64>,
    /// The share of the patients with an urgent class whom the threshold of the urgent classes' sum may miss: the smallest
    /// of those classes' unless given, and none for 0. Where each urgent class has a threshold of its own, the sum's adds
    /// those that are a little likely by several, and whoever wants fewer false alarms does without.
    pub action: Option<f64>,
}

impl Options {
    fn miss(&self, class: &Class) -> f64 {
        let default = if class.level == Level::Urgent { URGENT_MISS } else { OTHER_MISS };
        self.misses.get(&class.id).copied().unwrap_or(default)
    }
}

/// Why nothing can be fitted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// A row does not fit the model.
    #[error("{file}: {problem}")]
    Row {
        /// The picture.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An option or the model is wrong.
    #[error("{0}")]
    Option(String),
    /// A number could not be computed.
    #[error(transparent)]
    Undefined(#[from] Undefined),
}

/// What was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fitted {
    /// How many pictures it was fitted on.
    pub pictures: u64,
    /// How many patients they are of.
    pub patients: u64,
    /// Whether a patient has several pictures.
    pub is_grouped: bool,
    /// How logits become probabilities.
    pub scaling: Choice,
    /// The threshold of each class.
    pub classes: Vec<FittedClass>,
    /// The threshold of the sum of the urgent classes' probabilities; none without an urgent class, for a model of
    /// which any number of labels may hold, and with too few patients.
    pub action: Option<Action>,
    /// Whether the model may say `no_sign`.
    pub no_sign: NoSignFit,
    /// The share of the pictures that show each label; none where a label is in none, or labels don't exclude each
    /// other.
    pub prevalence: Option<Vec<f64>>,
    /// How foreign pictures are told; [`fit`] leaves it open, and [`method::fit`] finds it.
    pub novelty: Option<FittedNovelty>,
    /// The limits of quality; [`fit`] leaves them open, and [`quality::fit`] finds them.
    pub quality: Option<FittedQuality>,
    /// What is missing, in sentences.
    pub missing: Vec<String>,
}

/// Fits a model on rows.
///
/// # Errors
/// As [`check_options`]; [`Problem`] where a row does not fit the model, or a file stands twice.
pub fn fit(model: &Model, rows: &[Row], options: &Options) -> Result<Fitted, Problem> {
    check_options(model, options)?;
    check_rows(model, rows)?;
    let scaling = scaling::choose(model, rows);
    let sample = thresholds::Sample::new(model, rows, &scaling.scalings);
    let classes = thresholds::classes(model, &sample, options)?;
    let action = thresholds::action(model, &sample, options)?;
    let no_sign = thresholds::no_sign(model, &sample, options)?;
    let patients: BTreeSet<&str> = rows.iter().map(Row::patient).collect();
    let mut fitted = Fitted {
        pictures: rows.len() as u64,
        patients: patients.len() as u64,
        is_grouped: patients.len() < rows.len(),
        scaling,
        classes,
        action,
        no_sign,
        prevalence: prevalence(model, rows),
        novelty: None,
        quality: None,
        missing: Vec::new(),
    };
    fitted.missing = page::missing(model, &fitted);
    Ok(fitted)
}

/// Checks what [`fit`] is asked for, as far as no row is needed for it.
///
/// # Errors
/// [`Problem::Option`] where a label is not of one class, a class is not known, or a miss is not above 0 and below 1.
pub fn check_options(model: &Model, options: &Options) -> Result<(), Problem> {
    let wrong = |problem: String| Err(Problem::Option(problem));
    for label in 0..model.labels.len() {
        let count = model.classes.iter().flat_map(|class| &class.members).filter(|&&member| member == label).count();
        if count != 1 {
            return wrong(format!("the label {} is of {count} classes, not of one", model.labels[label]));
        }
    }
    if let Some(miss) = options.action.filter(|miss| !(0.0..1.0).contains(miss)) {
        return wrong(format!("a miss of {miss} for the sum of urgent classes is out of range; give 0 to less than 1"));
    }
    for (id, miss) in &options.misses {
        let known: Vec<&str> = model.classes.iter().map(|class| class.id.as_str()).collect();
        if !known.contains(&id.as_str()) {
            return wrong(format!("there is no class \"{id}\"; the model has {}", known.join(", ")));
        }
        // As the manifest has it.
        let written = *miss as f32;
        if !(written > 0.0 && written < 1.0) {
            return wrong(format!(
                "a miss of {miss} for \"{id}\" is out of range; give more than 0 and less than 1, such as 0.02"
            ));
        }
    }
    Ok(())
}

fn check_rows(model: &Model, rows: &[Row]) -> Result<(), Problem> {
    let wrong = |problem: String| Err(Problem::Option(problem));
    if rows.is_empty() {
        return wrong("there are no pictures".to_owned());
    }
    // A scale of each label's logit is not one of the logarithm of its share: those differ by the same for all labels.
    if matches!(model.before, Scaling::Labels { .. }) && !model.has_logits && !model.is_multi_label {
        return wrong(
            "the model rescales its graph's logits label by label, and probabilities don't tell them; give columns \
             `logit_LABEL`, or pictures"
                .to_owned(),
        );
    }
    let mut files = BTreeSet::new();
    let mut patients: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows {
        let fail = |problem: &str| Err(Problem::Row { file: row.file.clone(), problem: problem.to_owned() });
        if !files.insert(&row.file) {
            return fail("stands twice; remove one of them");
        }
        let (patient, first) = (row.patient(), *patients.entry(row.patient()).or_insert(row));
        if first.network != row.network {
            return fail(&format!(
                "the patient \"{patient}\" is of two networks, by this picture and by {}; one of them learned from this \
                 patient; put a patient's pictures into one fold",
                first.file
            ));
        }
        if row.logits.len() != model.labels.len() || row.truth.len() != model.labels.len() {
            return fail("it has not one score and one truth for each label");
        }
        if !row.logits.iter().all(|z| z.is_finite()) {
            return fail("has a score that is not a finite number");
        }
        if let Some((label, logit)) = model.labels.iter().zip(&row.logits).find(|(_, z)| z.abs() > MAX_LOGIT) {
            return fail(&format!("its logit of {label} is {logit}; a logit is between -{MAX_LOGIT} and {MAX_LOGIT}"));
        }
        if !model.is_multi_label && row.truth.iter().filter(|t| **t == Some(true)).count() > 1 {
            return fail("has two labels that exclude each other");
        }
    }
    Ok(())
}

fn prevalence(model: &Model, rows: &[Row]) -> Option<Vec<f64>> {
    if model.is_multi_label {
        return None;
    }
    let mut counts = vec![0u64; model.labels.len()];
    for label in rows.iter().filter_map(Row::label) {
        counts[label] += 1;
    }
    let all: u64 = counts.iter().sum();
    counts.iter().all(|&count| count > 0).then(|| counts.iter().map(|&c| c as f64 / all as f64).collect())
}
