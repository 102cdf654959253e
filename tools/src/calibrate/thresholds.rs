//! Thresholds of classes and of their urgent sum, and whether the model may say `no_sign`.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{Class, Model, Options, Row, Scalings};
use crate::evaluate::Level;
use crate::samplesize::for_threshold;
use crate::statistics::conformal::{NoSign, Threshold, no_sign as bound_of, threshold};
use crate::statistics::special::inverse_regularized_beta;
use crate::statistics::{Confidence, Interval, Undefined, largest_rank};

/// The threshold of a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedClass {
    /// The class's id.
    pub id: String,
    /// The triage that it asks for.
    pub level: Level,
    /// The share of patients that may be missed.
    pub miss: f64,
    /// The pictures that show it.
    pub pictures: u64,
    /// The patients that they are of.
    pub patients: u64,
    /// From which probability on it can't be excluded; 0 where it is always in. Rounded down to six digits.
    pub at: f64,
    /// Which of the patients' values that is, from the smallest; 0 where it is always in.
    pub rank: u64,
    /// The share of new patients that is missed on average.
    pub expected: f64,
    /// What that share is with a probability of 95 %, over the patients that it may have been fitted on.
    pub interval: Interval,
    /// How many more patients it takes until the class is not always in; none where it can never be, as nothing may be
    /// missed.
    pub missing: Option<u64>,
}

/// The threshold of the sum of the urgent classes' probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Action {
    /// The share of these patients that it may miss: the smallest of the urgent classes' misses unless another was given.
    pub miss: f64,
    /// The patients with an urgent class.
    pub patients: u64,
    /// From which sum on the triage is `urgent`. Rounded down to six digits.
    pub at: f64,
    /// Which of the patients' values that is, from the smallest.
    pub rank: u64,
}

/// Whether a model may say `no_sign`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoSignFit {
    /// Whether each urgent class passes by itself. No model may without an urgent class, and none without a class that asks for
    /// `no_sign`.
    pub is_allowed: bool,
    /// Each urgent class.
    pub classes: Vec<NoSignClass>,
    /// The pictures that show no urgent class.
    pub others: u64,
    /// Those of them that would end `no_sign`, by thresholds that were fitted without their patients: what the statement
    /// is worth.
    pub spared: u64,
}

/// How often patients with an urgent class end `no_sign`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoSignClass {
    /// The class's id.
    pub id: String,
    /// The patients with it.
    pub patients: u64,
    /// Those of whom a picture that shows it ends `no_sign`, by thresholds that were fitted without them.
    pub count: u64,
    /// The one-sided 95 % upper bound of their share; 1 where there are no patients.
    pub upper_bound: f64,
    /// Whether that is at most 5 %.
    pub is_allowed: bool,
    /// How many more patients would be needed, none of whom ends `no_sign`.
    pub missing: u64,
}

/// The rows' probabilities, by class.
pub(super) struct Sample<'a> {
    rows: Vec<Judged<'a>>,
    /// For each class its patients' values.
    classes: Vec<Values<'a>>,
    /// The patients' sums, of those with an urgent class.
    urgent: Values<'a>,
}

struct Judged<'a> {
    patient: &'a str,
    /// The probability of each class.
    probabilities: Vec<f64>,
    truth: Vec<Option<bool>>,
}

/// The lowest probability of each patient, ascending.
#[derive(Debug, Default)]
struct Values<'a> {
    pictures: u64,
    ascending: Vec<(f64, &'a str)>,
    /// Where each patient stands there.
    places: HashMap<&'a str, usize>,
}

impl<'a> Values<'a> {
    fn new(pictures: impl Iterator<Item = (&'a str, f64)>) -> Self {
        let (mut count, mut lowest) = (0, BTreeMap::<&str, f64>::new());
        for (patient, probability) in pictures {
            count += 1;
            lowest.entry(patient).and_modify(|p| *p = p.min(probability)).or_insert(probability);
        }
        let mut ascending: Vec<(f64, &str)> = lowest.into_iter().map(|(patient, p)| (p, patient)).collect();
        ascending.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let places = ascending.iter().enumerate().map(|(place, (_, patient))| (*patient, place)).collect();
        Self { pictures: count, ascending, places }
    }

    fn patients(&self) -> usize {
        self.ascending.len()
    }

    /// The threshold without one patient: 0 where it is always reached.
    fn without(&self, patient: &str, miss: f64) -> f64 {
        let out = self.places.get(patient).copied();
        let others = self.patients() - usize::from(out.is_some());
        let rank = largest_rank(others + 1, miss);
        if rank == 0 {
            return 0.0;
        }
        let is_before = out.is_some_and(|out| out < rank);
        rounded_down(self.ascending[rank - 1 + usize::from(is_before)].0)
    }

    /// The threshold and its rank: 0 and 0 where it is always reached.
    fn threshold(&self, miss: f64) -> Result<(f64, u64), Undefined> {
        let values: Vec<f64> = self.ascending.iter().map(|(p, _)| *p).collect();
        Ok(match threshold(&values, miss)? {
            Threshold::Always => (0.0, 0),
            Threshold::At { at, rank } => (rounded_down(at), rank),
        })
    }
}

/// The largest number of six digits that is not above a probability, so that whoever reads it from a manifest misses
/// no more.
fn rounded_down(p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    let digits = 5 - libm::floor(libm::log10(p)) as i32;
    let power = libm::pow(10.0, f64::from(digits));
    let mut down = libm::floor(p * power) / power;
    while f64::from(down as f32) > p {
        down = libm::floor(down * power - 0.5) / power;
    }
    down.max(0.0)
}

impl<'a> Sample<'a> {
    pub(super) fn new(model: &Model, rows: &'a [Row], scalings: &Scalings) -> Self {
        let judged = |row: &'a Row| {
            let labels = scalings.of(row.network).probabilities(&row.logits, model.is_multi_label);
            let of = |class: &Class| (class.probability(&labels), class.truth(&row.truth));
            let (probabilities, truth) = model.classes.iter().map(of).unzip();
            Judged { patient: row.patient(), probabilities, truth }
        };
        let rows: Vec<Judged<'_>> = rows.iter().map(judged).collect();
        let of_class = |class: usize| {
            let showing = rows.iter().filter(|row| row.truth[class] == Some(true));
            Values::new(showing.map(|row| (row.patient, row.probabilities[class])))
        };
        let classes = (0..model.classes.len()).map(of_class).collect();
        let is_urgent = |row: &&Judged<'_>| urgent(model).any(|class| row.truth[class] == Some(true));
        let sums = rows.iter().filter(is_urgent).map(|row| (row.patient, sum(model, row)));
        let urgent = Values::new(sums);
        Self { rows, classes, urgent }
    }

    /// The probability of each class in a row.
    pub(super) fn probabilities(&self, row: usize) -> &[f64] {
        &self.rows[row].probabilities
    }
}

/// The urgent classes.
pub(super) fn urgent(model: &Model) -> impl Iterator<Item = usize> {
    (0..model.classes.len()).filter(|&class| model.classes[class].level == Level::Urgent)
}

/// The sum of the urgent classes' probabilities.
fn sum(model: &Model, row: &Judged<'_>) -> f64 {
    urgent(model).map(|class| row.probabilities[class]).sum::<f64>().min(1.0)
}

pub(super) fn classes(model: &Model, sample: &Sample<'_>, options: &Options) -> Result<Vec<FittedClass>, Undefined> {
    model
        .classes
        .iter()
        .zip(&sample.classes)
        .map(|(class, values)| of_class(class, values, options.miss(class)))
        .collect()
}

fn of_class(class: &Class, values: &Values<'_>, miss: f64) -> Result<FittedClass, Undefined> {
    let (at, rank) = values.threshold(miss)?;
    let (patients, k) = (values.patients(), rank as f64);
    let beta = |p: f64| inverse_regularized_beta(k, patients as f64 + 1.0 - k, p);
    let interval = if rank == 0 {
        Interval { lower: 0.0, upper: 0.0 }
    } else {
        Interval { lower: beta(0.025)?, upper: beta(0.975)? }
    };
    let needed = match for_threshold(miss, [1], Confidence::P95) {
        Ok(found) => found.first().map(|found| found.patients),
        // No number of patients is enough where nothing may be missed.
        Err(_) => None,
    };
    Ok(FittedClass {
        id: class.id.clone(),
        level: class.level,
        miss,
        pictures: values.pictures,
        patients: patients as u64,
        at,
        rank,
        expected: k / (patients as f64 + 1.0),
        interval,
        missing: needed.map(|needed| needed.saturating_sub(patients as u64)),
    })
}

/// The miss of the action threshold; none where there is none.
fn action_miss(model: &Model, options: &Options) -> Option<f64> {
    // Probabilities of labels that don't exclude each other don't add up to one.
    let misses = urgent(model).map(|class| options.miss(&model.classes[class]));
    let smallest = misses.reduce(f64::min).filter(|_| !model.is_multi_label)?;
    Some(options.action.unwrap_or(smallest)).filter(|miss| *miss > 0.0)
}

pub(super) fn action(model: &Model, sample: &Sample<'_>, options: &Options) -> Result<Option<Action>, Undefined> {
    let Some(miss) = action_miss(model, options) else { return Ok(None) };
    let (at, rank) = sample.urgent.threshold(miss)?;
    let patients = sample.urgent.patients() as u64;
    // A threshold that is 0 as the manifest has it would make every picture urgent.
    Ok((rank > 0 && at as f32 > 0.0).then_some(Action { miss, patients, at, rank }))
}

/// Counts, of each urgent class's patients, those of whom a picture that shows it ends `no_sign`.
pub(super) fn no_sign(model: &Model, sample: &Sample<'_>, options: &Options) -> Result<NoSignFit, Undefined> {
    let urgent: Vec<usize> = urgent(model).collect();
    let mut by_class: Vec<BTreeMap<&str, bool>> = vec![BTreeMap::new(); model.classes.len()];
    let (mut others, mut spared) = (0, 0);
    for row in &sample.rows {
        if !urgent.iter().any(|&class| row.truth[class] == Some(true)) {
            if urgent.iter().all(|&class| row.truth[class] == Some(false)) {
                others += 1;
                spared += u64::from(ends_no_sign(model, sample, row, options));
            }
            continue;
        }
        let ends = ends_no_sign(model, sample, row, options);
        for &class in urgent.iter().filter(|&&class| row.truth[class] == Some(true)) {
            *by_class[class].entry(row.patient).or_default() |= ends;
        }
    }
    let check = |&class: &usize| -> Result<NoSignClass, Undefined> {
        let patients = by_class[class].len() as u64;
        let count = by_class[class].values().filter(|ends| **ends).count() as u64;
        let (upper_bound, is_allowed, missing) = match bound_of(count, patients)? {
            NoSign::Allowed { upper_bound } => (upper_bound, true, 0),
            NoSign::Refused { upper_bound, missing } => (upper_bound, false, missing),
        };
        Ok(NoSignClass { id: model.classes[class].id.clone(), patients, count, upper_bound, is_allowed, missing })
    };
    let classes = urgent.iter().map(check).collect::<Result<Vec<_>, _>>()?;
    let is_asked_for = model.classes.iter().any(|class| class.level == Level::NoSign);
    Ok(NoSignFit {
        is_allowed: is_asked_for && !classes.is_empty() && classes.iter().all(|class| class.is_allowed),
        classes,
        others,
        spared,
    })
}

/// Whether a picture would end `no_sign`, were the model allowed to say it, by thresholds fitted without its patient.
fn ends_no_sign(model: &Model, sample: &Sample<'_>, row: &Judged<'_>, options: &Options) -> bool {
    let (over, is_acted_on) = over(model, sample, row, options);
    triage(model, &over, is_acted_on, true) == Level::NoSign
}

/// Of a row of the sample, the classes at or over their thresholds and whether the sum of the urgent ones is, by thresholds
/// fitted without its patient.
pub(super) fn over_without_patient(
    model: &Model,
    sample: &Sample<'_>,
    row: usize,
    options: &Options,
) -> (Vec<bool>, bool) {
    over(model, sample, &sample.rows[row], options)
}

fn over(model: &Model, sample: &Sample<'_>, row: &Judged<'_>, options: &Options) -> (Vec<bool>, bool) {
    let is_over = |class: usize| {
        let at = sample.classes[class].without(row.patient, options.miss(&model.classes[class]));
        row.probabilities[class] >= at
    };
    let over: Vec<bool> = (0..model.classes.len()).map(is_over).collect();
    let is_acted_on = action_miss(model, options).is_some_and(|miss| {
        let at = sample.urgent.without(row.patient, miss);
        at > 0.0 && sum(model, row) >= at
    });
    (over, is_acted_on)
}

/// The triage by the verdict's rule, of a picture that quality and novelty let pass: the classes at or over their
/// thresholds, and whether the sum of the urgent ones is.
pub(super) fn triage(model: &Model, over: &[bool], is_acted_on: bool, may_say_no_sign: bool) -> Level {
    let in_set = || model.classes.iter().zip(over).filter(|(_, over)| **over).map(|(class, _)| class.level);
    match in_set().max() {
        _ if is_acted_on => Level::Urgent,
        None => Level::Refer,
        Some(Level::NoSign) if !may_say_no_sign => Level::Refer,
        Some(highest) => highest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_down_is_never_above() {
        // By hand; 1 − 2⁻⁵³ is above its f32's predecessor.
        for (p, expected) in [(0.123_456_78, 0.123_456), (1.0, 1.0), (0.0, 0.0), (1.234_567_8e-9, 1.234_56e-9)] {
            let found = rounded_down(p);
            assert!((found - expected).abs() <= 1e-12 * expected, "{p}: {found}");
        }
        for i in 0..10_000 {
            let p = f64::from(i) / 9_999.0;
            let found = rounded_down(p);
            assert!(f64::from(found as f32) <= p && found >= p * 0.99998, "{p}: {found}");
        }
    }

    #[test]
    fn values_without_a_patient_are_those_of_the_others() {
        let pictures = [("a", 0.5), ("b", 0.2), ("c", 0.9), ("d", 0.7), ("b", 0.4)];
        let values = Values::new(pictures.into_iter());
        // (3 + 1) · 0.5 = 2: the second of three.
        for (out, expected) in [("a", 0.7), ("b", 0.7), ("c", 0.5), ("d", 0.5)] {
            assert!((values.without(out, 0.5) - expected).abs() < 1e-9, "{out}");
        }
        // Nobody is left out: (4 + 1) · 0.5 = 2.5, so the second of four.
        assert!((values.without("e", 0.5) - 0.5).abs() < 1e-9);
        assert!(values.without("a", 0.2).abs() < 1e-9);
        assert_eq!((values.pictures, values.patients()), (5, 4));
    }
}
