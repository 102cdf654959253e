//! What `bedside evaluate` measures, from plain rows: what each picture shows, and what the model said of it.
//!
//! [`evaluate`] makes an [`Evaluation`] of cases, which is written as JSON by serde and as a page by [`html`]. It reads
//! no files and runs no model.
//!
//! # What counts
//!
//! - A *picture* is a case. A *patient* is its group; a picture without a group is a patient by itself. Where each
//!   patient has one picture, pictures are independent, and intervals are those of independent cases. Elsewhere they are
//!   by patients.
//! - An *unreadable* picture has no outcome, and counts in the flow alone. A *rejected* one has a reason and a triage.
//!   A *judged* one has scores and a verdict.
//! - A picture is *urgent in truth* where a label that asks for `urgent` holds. Where none holds and one of them is not
//!   known, that is not known, and the picture is left out where it matters.
//! - Areas, calibration, misses, risk and coverage are of judged pictures. Triage is of all readable ones.
//! - Foreign pictures, which show none of what the model was made for, count in the flow and in novelty alone.
//! - What has no value says why ([`Measure`]), and is never 0.

mod calibration;
mod comparison;
mod contrast;
mod flow;
mod lists;
mod measure;
mod misses;
mod novelty;
mod page;
mod pictures;
mod ranking;
mod selective;
mod steadiness;
mod subgroups;
#[cfg(test)]
mod tests;
mod triage;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thiserror::Error;

pub use calibration::{Bin, Calibration, Spread};
pub use comparison::{Comparison, Paired, Shift};
pub use contrast::Contrast;
pub use flow::{Flow, Reason, Rejected};
pub use lists::{Times, Worst};
pub use measure::{Measure, Ranged, Rate};
pub use misses::{Band, Misses, NoSignCheck};
pub use novelty::{Novelty, Source};
pub use page::{html, html_with_pictures};
pub use pictures::{Picture, Pictures};
pub use ranking::{CurvePoint, Method, OperatingPoint, Ranking};
pub use selective::{Selective, SelectivePoint};
pub use steadiness::{Copied, Moved, Steadiness};
pub use subgroups::{Area, Column, Subgroup, Subgroups};
pub use triage::{AtPrevalence, Detection, NetBenefit, Test, TriageRow, UrgentMiss};

use crate::statistics::bootstrap::Options as Bootstrap;
use crate::statistics::{Confidence, Undefined};

/// What a person should do, from the least to the most pressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// No sign was found.
    NoSign,
    /// Nothing was assessed.
    Unassessed,
    /// A clinician should look at it.
    Refer,
    /// A clinician should look at it soon.
    Urgent,
}

impl Level {
    /// All, from the least to the most pressing.
    pub const ALL: [Self; 4] = [Self::NoSign, Self::Unassessed, Self::Refer, Self::Urgent];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSign => "no_sign",
            Self::Unassessed => "unassessed",
            Self::Refer => "refer",
            Self::Urgent => "urgent",
        }
    }
}

/// A label of the model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// The triage that it asks for.
    pub level: Level,
    /// What was stated of its threshold when it was fitted.
    pub stated: Option<Stated>,
}

/// What was stated of a threshold that is an order statistic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stated {
    /// The share of patients that may be missed.
    pub miss: f64,
    /// Which of the patients' values it is, from the smallest; 0 where the label is always in.
    pub rank: u64,
    /// The patients that it was fitted on.
    pub patients: u64,
}

/// The labels of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// The model's name, as the page shows it.
    pub name: String,
    /// The labels, in the model's order.
    pub labels: Vec<Label>,
    /// Whether any number of the labels may hold. Otherwise they exclude each other.
    pub is_multi_label: bool,
    /// What is measured beside what is urgent and each label.
    pub contrasts: Vec<Contrast>,
}

impl Model {
    fn urgent(&self) -> impl Iterator<Item = usize> {
        (0..self.labels.len()).filter(|&label| self.labels[label].level == Level::Urgent)
    }
}

/// A picture: what it shows, and what the model said.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its path, by which it is found again.
    pub file: String,
    /// Whose picture it is.
    pub group: Option<String>,
    /// The source of a foreign picture, which shows none of what the model was made for.
    pub foreign: Option<String>,
    /// For each label whether it holds; empty for a foreign picture.
    pub truth: Vec<Option<bool>>,
    /// What the model said.
    pub outcome: Outcome,
    /// What it is reported by, such as `sex`: its value, where it is known.
    pub subgroups: BTreeMap<String, String>,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// What was said of copies that show the same; empty where none was made.
    pub copies: Vec<Copied>,
}

impl Case {
    /// Whose picture it is: its own, where nobody is named.
    fn patient(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.file)
    }

    fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    /// The triage; none where the picture could not be read.
    fn triage(&self) -> Option<Level> {
        match &self.outcome {
            Outcome::Unreadable { .. } => None,
            Outcome::Rejected { triage, .. } | Outcome::Judged { triage, .. } => Some(*triage),
        }
    }

    /// The scores of a judged picture.
    fn judged(&self) -> Option<&Scores> {
        if let Outcome::Judged { scores, .. } = &self.outcome { Some(scores) } else { None }
    }

    fn novelty(&self) -> Option<f64> {
        match &self.outcome {
            Outcome::Unreadable { .. } => None,
            Outcome::Rejected { novelty, .. } | Outcome::Judged { novelty, .. } => *novelty,
        }
    }

    /// Whether a label that asks for `urgent` holds.
    fn is_urgent(&self, model: &Model) -> Option<bool> {
        let mut is_any = Some(false);
        for truth in model.urgent().map(|label| self.truth.get(label).copied().flatten()) {
            match truth {
                Some(true) => return Some(true),
                Some(false) => {}
                None => is_any = None,
            }
        }
        is_any
    }
}

/// What a model said of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The picture could not be read.
    Unreadable {
        /// Why.
        error: String,
    },
    /// There is no verdict.
    Rejected {
        /// The names of the reasons, such as `blurred`.
        reasons: Vec<String>,
        /// What a person should do.
        triage: Level,
        /// How unlike it is to what the model was made for, where that was computed.
        novelty: Option<f64>,
    },
    /// There is a verdict.
    Judged {
        /// What a person should do.
        triage: Level,
        /// The scores.
        scores: Scores,
        /// How unlike it is to what the model was made for, where the model tells.
        novelty: Option<f64>,
    },
}

/// What a model said of a picture's labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The calibrated probability of each label.
    pub probabilities: Vec<f64>,
    /// Which of them are at or over their threshold.
    pub over: Vec<bool>,
    /// The probability that an urgent label holds; none where the model gives none.
    pub urgent: Option<f64>,
}

/// How cases are evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// What the page is called.
    pub title: String,
    /// What the pictures are, in a sentence.
    pub set: String,
    /// Lines about the run, such as the commit and the hashes: name and text.
    pub about: Vec<(String, String)>,
    /// The columns to report by, in their order.
    pub by: Vec<Column>,
    /// The prevalences of what is urgent for which predictive values are given.
    pub prevalences: Vec<f64>,
    /// The level of all intervals.
    pub confidence: Confidence,
    /// How often a bootstrap draws.
    pub replicates: usize,
    /// What a bootstrap draws from.
    pub seed: u64,
    /// The bins of calibration.
    pub bins: usize,
    /// The patients below which a subgroup is not estimable.
    pub min_patients: u64,
    /// How many of the worst errors are listed.
    pub worst: usize,
}

impl Default for Options {
    /// 95 %, 2000 replicates from seed 0, 10 bins, 20 patients, 20 errors, prevalences of 1, 5 and 20 %.
    fn default() -> Self {
        Self {
            title: "Evaluation".to_owned(),
            set: String::new(),
            about: Vec::new(),
            by: Vec::new(),
            prevalences: vec![0.01, 0.05, 0.2],
            confidence: Confidence::P95,
            replicates: 2000,
            seed: 0,
            bins: 10,
            min_patients: 20,
            worst: 20,
        }
    }
}

impl Options {
    fn bootstrap(&self) -> Bootstrap {
        Bootstrap { replicates: self.replicates, seed: self.seed, confidence: self.confidence }
    }
}

/// Why cases can't be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// A case does not fit the model.
    #[error("{file}: {problem}")]
    Case {
        /// The picture.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An option is out of range.
    #[error("{0}")]
    Option(&'static str),
}

/// What was measured. Written as JSON, a value that has none is an object that says why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// What the page is called.
    pub title: String,
    /// What the pictures are.
    pub set: String,
    /// Lines about the run.
    pub about: Vec<(String, String)>,
    /// The model.
    pub model: Model,
    /// How it was measured.
    pub method: Settings,
    /// What became of the pictures of the set, then of each foreign source.
    pub flow: Vec<Flow>,
    /// What was said of the pictures of each label.
    pub triage: Vec<TriageRow>,
    /// How well triage finds what is urgent; empty for a model without an urgent label.
    pub detection: Vec<Detection>,
    /// Whether few enough patients with an urgent label end `no_sign`.
    pub no_sign: Vec<NoSignCheck>,
    /// Every picture that is urgent in truth and was not called so.
    pub urgent_misses: Vec<UrgentMiss>,
    /// The order of probabilities: of what is urgent, of the contrasts, then of each label.
    pub ranking: Vec<Ranking>,
    /// Whether probabilities are right: of what is urgent, of the contrasts, then of each label.
    pub calibration: Vec<Calibration>,
    /// Misses of each label beside what was stated.
    pub misses: Vec<Misses>,
    /// How well foreign pictures are told apart.
    pub novelty: Novelty,
    /// What the model risks by answering.
    pub selective: Vec<Selective>,
    /// The same for parts of the set.
    pub subgroups: Vec<Subgroups>,
    /// How often triage changes where a picture is shown in another way; empty where no copies were made.
    pub steadiness: Vec<Steadiness>,
    /// Another model on the same pictures.
    pub comparison: Option<Comparison>,
    /// The pictures of which the model was most wrong.
    pub worst: Vec<Worst>,
    /// How long a picture took.
    pub times: Measure<Times>,
}

/// How it was measured, so that it comes out again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// The level of all intervals.
    pub confidence: f64,
    /// How often a bootstrap draws.
    pub replicates: usize,
    /// What it draws from.
    pub seed: u64,
    /// The bins of calibration.
    pub bins: usize,
    /// The patients below which a subgroup is not estimable.
    pub min_patients: u64,
    /// Whether patients have several pictures, so that intervals are by patients.
    pub is_grouped: bool,
    /// The version of this crate.
    pub version: String,
}

/// Another model, and what it said of the same pictures.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// The other model. It has the same labels in the same order.
    pub model: &'a Model,
    /// Its cases. Those whose file is not among the others are left out.
    pub cases: &'a [Case],
}

/// Measures a model on cases, and beside another model where there is one.
///
/// # Errors
/// [`Problem`] where a case does not fit the model, a file stands twice, or an option is out of range.
pub fn evaluate(
    model: &Model,
    cases: &[Case],
    against: Option<Against<'_>>,
    options: &Options,
) -> Result<Evaluation, Problem> {
    check(model, cases, options)?;
    if let Some(against) = against {
        check(against.model, against.cases, options)?;
        if model.labels.iter().map(|l| &l.name).ne(against.model.labels.iter().map(|l| &l.name)) {
            return Err(Problem::Option("the other model has other labels; compare models of the same labels"));
        }
        if model.contrasts != against.model.contrasts {
            return Err(Problem::Option("the other model has other contrasts; compare by the same"));
        }
    }
    let own: Vec<&Case> = cases.iter().filter(|case| !case.is_foreign()).collect();
    Ok(Evaluation {
        title: options.title.clone(),
        set: options.set.clone(),
        about: options.about.clone(),
        model: model.clone(),
        method: settings(&own, options),
        flow: flow::measure(model, cases, options),
        triage: triage::rows(model, &own, options),
        detection: triage::detections(model, &own, options),
        no_sign: misses::no_sign_checks(model, &own),
        urgent_misses: triage::urgent_misses(model, &own),
        ranking: ranking::measure(model, &own, options),
        calibration: calibration::measure(model, &own, options),
        misses: misses::measure(model, &own, options),
        novelty: novelty::measure(cases, options),
        selective: selective::measure(model, &own),
        subgroups: subgroups::measure(model, &own, options),
        steadiness: steadiness::measure(model, &own, options),
        comparison: against.map(|against| comparison::measure(model, &own, against, options)),
        worst: lists::worst(model, &own, options),
        times: lists::times(cases),
    })
}

fn settings(own: &[&Case], options: &Options) -> Settings {
    let patients: BTreeSet<&str> = own.iter().map(|case| case.patient()).collect();
    Settings {
        confidence: options.confidence.level(),
        replicates: options.replicates,
        seed: options.seed,
        bins: options.bins,
        min_patients: options.min_patients,
        is_grouped: patients.len() < own.len(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn check(model: &Model, cases: &[Case], options: &Options) -> Result<(), Problem> {
    if model.labels.is_empty() {
        return Err(Problem::Option("the model has no labels"));
    }
    contrast::check(model)?;
    if options.replicates < 100 || options.bins == 0 {
        return Err(Problem::Option("take 100 replicates or more, and a bin or more"));
    }
    if options.prevalences.iter().any(|p| !(*p > 0.0 && *p < 1.0)) {
        return Err(Problem::Option("a prevalence is above 0 and below 1, such as 0.05 for 5 %"));
    }
    let mut files = BTreeSet::new();
    for case in cases {
        let fail = |problem: &str| Err(Problem::Case { file: case.file.clone(), problem: problem.to_owned() });
        if !files.insert((&case.foreign, &case.file)) {
            return fail("stands twice; remove one of them");
        }
        if !case.is_foreign() && case.truth.len() != model.labels.len() {
            return fail("its truth does not have an entry for each label");
        }
        let holding = case.truth.iter().filter(|t| **t == Some(true)).count();
        if !model.is_multi_label && holding > 1 {
            return fail("has two labels that exclude each other");
        }
        if let Err(problem) = check_outcome(model, case) {
            return fail(problem);
        }
    }
    Ok(())
}

fn check_outcome(model: &Model, case: &Case) -> Result<(), &'static str> {
    if case.novelty().is_some_and(f64::is_nan) {
        return Err("its novelty is not a number");
    }
    if case.seconds.is_some_and(|s| !(s.is_finite() && s >= 0.0)) {
        return Err("its time is not a number of seconds");
    }
    let Some(scores) = case.judged() else { return Ok(()) };
    if scores.probabilities.len() != model.labels.len() || scores.over.len() != model.labels.len() {
        return Err("its scores do not have an entry for each label");
    }
    let is_probability = |p: &f64| (0.0..=1.0).contains(p);
    if scores.probabilities.iter().chain(&scores.urgent).all(is_probability) {
        Ok(())
    } else {
        Err("has a probability that is not between 0 and 1")
    }
}

/// What a probability is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// That an urgent label holds.
    Urgent,
    /// That one side of a contrast holds.
    Contrast(usize),
    /// That a label holds.
    Label(usize),
}

impl Target {
    /// What is urgent, where a label is, the contrasts, and each label.
    fn all(model: &Model) -> Vec<Self> {
        Self::broad(model).into_iter().chain((0..model.labels.len()).map(Self::Label)).collect()
    }

    /// What is urgent, where a label is, and the contrasts.
    fn broad(model: &Model) -> Vec<Self> {
        let urgent = model.urgent().next().map(|_| Self::Urgent);
        urgent.into_iter().chain((0..model.contrasts.len()).map(Self::Contrast)).collect()
    }

    fn name(self, model: &Model) -> String {
        match self {
            Self::Urgent => "urgent".to_owned(),
            Self::Contrast(contrast) => model.contrasts[contrast].name.clone(),
            Self::Label(label) => model.labels[label].name.clone(),
        }
    }

    fn truth(self, model: &Model, case: &Case) -> Option<bool> {
        match self {
            Self::Urgent => case.is_urgent(model),
            Self::Contrast(contrast) => model.contrasts[contrast].truth(case),
            Self::Label(label) => case.truth[label],
        }
    }

    /// The probability, where the case was judged and has one.
    fn probability(self, model: &Model, case: &Case) -> Option<f64> {
        let scores = case.judged()?;
        match self {
            Self::Label(label) => Some(scores.probabilities[label]),
            Self::Contrast(contrast) => Some(model.contrasts[contrast].probability(&scores.probabilities)),
            Self::Urgent if scores.urgent.is_some() => scores.urgent,
            // Of labels that exclude each other, probabilities add up.
            Self::Urgent if !model.is_multi_label => {
                Some(model.urgent().map(|label| scores.probabilities[label]).sum::<f64>().min(1.0))
            }
            Self::Urgent => None,
        }
    }
}

/// Judged cases whose truth is known: a probability, whether it holds, and whose picture it is.
#[derive(Debug, Clone, Default)]
struct Sample<'a> {
    probabilities: Vec<f64>,
    truth: Vec<bool>,
    patients: Vec<&'a str>,
}

impl<'a> Sample<'a> {
    fn of(target: Target, model: &Model, cases: &[&'a Case]) -> Self {
        let mut sample = Self::default();
        for case in cases {
            let found = target.truth(model, case).zip(target.probability(model, case));
            if let Some((truth, probability)) = found {
                sample.probabilities.push(probability);
                sample.truth.push(truth);
                sample.patients.push(case.patient());
            }
        }
        sample
    }

    fn len(&self) -> usize {
        self.truth.len()
    }

    fn positives(&self) -> usize {
        self.truth.iter().filter(|t| **t).count()
    }

    fn patient_count(&self) -> usize {
        self.patients.iter().collect::<BTreeSet<_>>().len()
    }

    /// Whether each patient has one picture.
    fn is_independent(&self) -> bool {
        self.patient_count() == self.len()
    }

    /// How many patients have a case of this class.
    fn patients_of(&self, class: bool) -> u64 {
        let of_class = self.patients.iter().zip(&self.truth).filter(|(_, t)| **t == class);
        of_class.map(|(p, _)| p).collect::<BTreeSet<_>>().len() as u64
    }
}

/// Whether a sample has both classes.
fn check_classes(sample: &Sample<'_>) -> Result<(), Undefined> {
    match (sample.len(), sample.positives()) {
        (0, _) => Err(Undefined::Empty),
        (all, positives) if positives == 0 || positives == all => Err(Undefined::OneClass),
        _ => Ok(()),
    }
}
