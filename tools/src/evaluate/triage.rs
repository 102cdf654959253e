//! Triage beside the truth: counts, how well it finds what is urgent, and what it missed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Case, Level, Measure, Model, Options, Ranged, Rate, Target};
use crate::statistics::proportion::{TestCounts, net_benefit, predictive_intervals, predictive_values};
use crate::statistics::{Estimate, Undefined};

/// The probabilities from which on people would refer, for which net benefits are given.
const THRESHOLDS: [f64; 4] = [0.01, 0.02, 0.05, 0.1];

/// What was said of the readable pictures of a label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriageRow {
    /// The label; none for pictures for which no label holds.
    pub label: Option<String>,
    /// The triage that it asks for.
    pub level: Option<Level>,
    /// The pictures and patients at each triage, from `no_sign` to `urgent`.
    pub at: Vec<Rate>,
    /// The pictures that a clinician should look at: `refer` or `urgent`.
    pub refer_or_urgent: Rate,
}

/// A row for each label, and one for pictures for which none holds. Where several labels hold, a picture is in several
/// rows.
pub(super) fn rows(model: &Model, cases: &[&Case], options: &Options) -> Vec<TriageRow> {
    let row = |label: Option<usize>| {
        let of_row = cases.iter().filter(|case| match label {
            Some(label) => case.truth[label] == Some(true),
            None => case.truth.iter().all(|t| *t == Some(false)),
        });
        let pictures: Vec<(&str, Level)> = of_row.filter_map(|case| Some((case.patient(), case.triage()?))).collect();
        let rate = |is: &dyn Fn(Level) -> bool| {
            Rate::of(pictures.iter().map(|(patient, level)| (*patient, is(*level))), options.confidence)
        };
        TriageRow {
            label: label.map(|label| model.labels[label].name.clone()),
            level: label.map(|label| model.labels[label].level),
            at: Level::ALL.iter().map(|wanted| rate(&|level| level == *wanted)).collect(),
            refer_or_urgent: rate(&|level| level >= Level::Refer),
        }
    };
    let all = (0..model.labels.len()).map(Some).chain([None]).map(row);
    all.filter(|row| row.label.is_some() || row.refer_or_urgent.pictures > 0).collect()
}

/// When triage counts as a positive result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Where it is `urgent`.
    Urgent,
    /// Where it is `refer` or `urgent`.
    ReferOrUrgent,
}

impl Test {
    fn is_positive(self, level: Level) -> bool {
        match self {
            Self::Urgent => level == Level::Urgent,
            Self::ReferOrUrgent => level >= Level::Refer,
        }
    }
}

/// How well a test finds what is urgent in truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detection {
    /// When triage counts as positive.
    pub test: Test,
    /// The share of urgent pictures that are positive, of those whose triage is not `unassessed`.
    pub sensitivity: Rate,
    /// The share of the other pictures that are not, of those whose triage is not `unassessed`.
    pub specificity: Rate,
    /// The share of all readable urgent pictures that are positive: `unassessed` counts as missed.
    pub sensitivity_of_all: Rate,
    /// The share of all readable other pictures that are negative: `unassessed` counts as a false alarm.
    pub specificity_of_all: Rate,
    /// What a result says where this share of the pictures is urgent.
    pub at: Vec<AtPrevalence>,
}

/// Predictive values at a prevalence, from sensitivity and specificity without `unassessed`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtPrevalence {
    /// The share of pictures that are urgent in truth.
    pub prevalence: f64,
    /// The share of positive results that are right.
    pub positive: Measure<Ranged>,
    /// The share of negative results that are right.
    pub negative: Measure<Ranged>,
    /// What the test is worth beside referring everybody; empty where a rate is not known.
    pub net_benefit: Vec<NetBenefit>,
}

/// What a test is worth of each person, for whoever refers from a probability on: the ill who are referred, less the
/// well who are, each of whom counts the threshold's odds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetBenefit {
    /// The probability.
    pub threshold: f64,
    /// That of the test.
    pub test: f64,
    /// That of referring everybody.
    pub refer_all: f64,
    /// The first less the second.
    pub difference: Ranged,
}

/// Both tests; none for a model without an urgent label.
pub(super) fn detections(model: &Model, cases: &[&Case], options: &Options) -> Vec<Detection> {
    if model.urgent().next().is_none() {
        return Vec::new();
    }
    [Test::ReferOrUrgent, Test::Urgent].into_iter().map(|test| detection(test, model, cases, options)).collect()
}

fn detection(test: Test, model: &Model, cases: &[&Case], options: &Options) -> Detection {
    let known: Vec<(&str, bool, Level)> =
        cases.iter().filter_map(|case| Some((case.patient(), case.is_urgent(model)?, case.triage()?))).collect();
    let is_right = |is_urgent: bool, level: Level| test.is_positive(level) == is_urgent;
    let of = |class: bool, with_unassessed: bool| {
        let of_class = known
            .iter()
            .filter(|(_, is_urgent, level)| *is_urgent == class && (with_unassessed || *level != Level::Unassessed));
        // With `unassessed`, a picture is right only where it was assessed, and rightly.
        let right = of_class.map(|(p, urgent, level)| (*p, *level != Level::Unassessed && is_right(*urgent, *level)));
        Rate::of(right, options.confidence)
    };
    let (sensitivity, specificity) = (of(true, false), of(false, false));
    let counts = test_counts(test, &known);
    let at = options.prevalences.iter().map(|&p| at_prevalence(p, &sensitivity, &specificity, &counts, options));
    Detection {
        test,
        sensitivity,
        specificity,
        sensitivity_of_all: of(true, true),
        specificity_of_all: of(false, true),
        at: at.collect(),
    }
}

/// The counts of each patient, without `unassessed`.
fn test_counts(test: Test, known: &[(&str, bool, Level)]) -> Vec<TestCounts> {
    let mut patients: BTreeMap<&str, TestCounts> = BTreeMap::new();
    for (patient, is_urgent, level) in known.iter().filter(|(_, _, level)| *level != Level::Unassessed) {
        let counts = patients.entry(patient).or_default();
        let is_positive = test.is_positive(*level);
        counts.ill += u64::from(*is_urgent);
        counts.called += u64::from(*is_urgent && is_positive);
        counts.well += u64::from(!is_urgent);
        counts.cleared += u64::from(!is_urgent && !is_positive);
    }
    patients.into_values().collect()
}

fn at_prevalence(
    prevalence: f64,
    sensitivity: &Rate,
    specificity: &Rate,
    counts: &[TestCounts],
    options: &Options,
) -> AtPrevalence {
    let rate = |rate: &Rate| rate.share.value().map(|s| s.value).ok_or(Undefined::Empty);
    let values =
        rate(sensitivity).and_then(|sensitivity| predictive_values(sensitivity, rate(specificity)?, prevalence));
    let intervals = predictive_intervals(counts, prevalence, options.confidence);
    let ranged = |value: Option<f64>, interval: Result<_, Undefined>| {
        value.ok_or(Undefined::Empty).map(|value| Ranged { value, interval: interval.into() })
    };
    let positive = values.and_then(|v| ranged(v.positive, intervals.and_then(|i| i.positive)));
    let negative = values.and_then(|v| ranged(v.negative, intervals.and_then(|i| i.negative)));
    let net_benefit = |threshold: f64| {
        let found = net_benefit(counts, prevalence, threshold).ok()?;
        let of = |standard_error| Estimate { value: found.difference, standard_error }.interval(options.confidence);
        let difference = Ranged { value: found.difference, interval: found.standard_error.map(of).into() };
        Some(NetBenefit { threshold, test: found.test, refer_all: found.refer_all, difference })
    };
    AtPrevalence {
        prevalence,
        positive: positive.into(),
        negative: negative.into(),
        net_benefit: THRESHOLDS.into_iter().filter_map(net_benefit).collect(),
    }
}

/// A picture that is urgent in truth and was not called so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UrgentMiss {
    /// The picture.
    pub file: String,
    /// Whose picture it is.
    pub patient: Option<String>,
    /// The urgent labels that hold.
    pub truth: Vec<String>,
    /// What a person was told to do.
    pub triage: Level,
    /// The probability that an urgent label holds, where the picture was judged.
    pub probability: Option<f64>,
}

impl UrgentMiss {
    /// The label that was missed: the first of the urgent ones that hold.
    pub(super) fn label(&self) -> &str {
        self.truth.first().map_or("", String::as_str)
    }
}

/// Every such picture, from `no_sign` to `refer`, the least likely first.
pub(super) fn urgent_misses(model: &Model, cases: &[&Case]) -> Vec<UrgentMiss> {
    let miss = |case: &&Case| {
        let triage = case.triage().filter(|triage| *triage != Level::Urgent)?;
        let holding = model.urgent().filter(|&label| case.truth[label] == Some(true));
        let truth: Vec<String> = holding.map(|label| model.labels[label].name.clone()).collect();
        let probability = Target::Urgent.probability(model, case);
        let (file, patient) = (case.file.clone(), case.group.clone());
        (!truth.is_empty()).then_some(UrgentMiss { file, patient, truth, triage, probability })
    };
    let mut misses: Vec<UrgentMiss> = cases.iter().filter_map(miss).collect();
    let place = |miss: &UrgentMiss| miss.probability.unwrap_or(-1.0);
    misses.sort_by(|a, b| a.triage.cmp(&b.triage).then(place(a).total_cmp(&place(b))).then(a.file.cmp(&b.file)));
    misses
}
