//! How well probabilities put pictures in order: ROC curves and the areas under them.

use serde::Serialize;

use super::{Case, Measure, Model, Options, Ranged, Rate, Sample, Target, check_classes};
use crate::statistics::auc::{ClassScores, RocPoint, logit_interval};
use crate::statistics::bootstrap::{Groups, percentile_interval, percentile_intervals};
use crate::statistics::{Interval, Undefined};

/// The false-positive rates at which the band of a curve stands: 0, 0.02 … 1.
const STEPS: usize = 50;
/// The most points of a curve that are kept.
const MAX_POINTS: usize = 200;

/// The order of the probabilities of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranking {
    /// `urgent`, a contrast or a label.
    pub of: String,
    /// The judged pictures for which it holds.
    pub positives: u64,
    /// The judged pictures for which it does not.
    pub negatives: u64,
    /// The patients whose pictures they are.
    pub patients: u64,
    /// The area under the ROC curve.
    pub auc: Measure<Ranged>,
    /// Where its interval comes from.
    pub method: Method,
    /// Points of the ROC curve, at most two hundred.
    pub curve: Vec<CurvePoint>,
    /// Intervals of the sensitivity at false-positive rates, by bootstrap; empty where there are none.
    pub band: Vec<(f64, Interval)>,
    /// Where the model's threshold is; of labels alone.
    pub at: Option<OperatingPoint>,
}

/// Where an interval comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `DeLong`'s variance, on the logit scale: each patient has one picture.
    DeLong,
    /// The percentiles of a bootstrap that draws patients.
    Bootstrap,
}

/// A point of a ROC curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Pictures at or over it are called positive.
    pub threshold: f64,
    /// The share of the others that are.
    pub false_positives: f64,
    /// The share of the positives that are.
    pub true_positives: f64,
}

/// The rates of a model's own threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// The share of pictures with the label that are at or over the threshold.
    pub sensitivity: Rate,
    /// The share of the others that are under it.
    pub specificity: Rate,
}

/// What is urgent, the contrasts, then each label.
pub(super) fn measure(model: &Model, cases: &[&Case], options: &Options) -> Vec<Ranking> {
    Target::all(model).into_iter().map(|target| of_target(target, model, cases, options)).collect()
}

fn of_target(target: Target, model: &Model, cases: &[&Case], options: &Options) -> Ranking {
    let sample = Sample::of(target, model, cases);
    let positives = sample.positives() as u64;
    Ranking {
        of: target.name(model),
        positives,
        negatives: sample.len() as u64 - positives,
        patients: sample.patient_count() as u64,
        auc: area(&sample, options).into(),
        method: if sample.is_independent() { Method::DeLong } else { Method::Bootstrap },
        curve: curve(&sample).unwrap_or_default(),
        band: band(&sample, options).unwrap_or_default(),
        at: if let Target::Label(label) = target { Some(operating_point(label, cases, options)) } else { None },
    }
}

/// The area with its interval.
pub(super) fn area(sample: &Sample<'_>, options: &Options) -> Result<Ranged, Undefined> {
    check_classes(sample)?;
    let scores = ClassScores::new(&sample.probabilities, &sample.truth)?;
    let value = scores.auc();
    if sample.is_independent() {
        let interval = scores.delong().and_then(|estimate| logit_interval(estimate, options.confidence));
        return Ok(Ranged { value, interval: interval.into() });
    }
    let sorted = Sorted::new(sample);
    let groups = Groups::new(&sample.patients)?;
    let found = percentile_interval(&groups, options.bootstrap(), |drawn| Ok(sorted.draw(drawn)?.auc()));
    Ok(Ranged { value, interval: found.and_then(|f| varying(f.interval)).into() })
}

/// The interval, unless all replicates agree: as where the classes are apart, they do not say how uncertain it is.
pub(super) fn varying(interval: Interval) -> Result<Interval, Undefined> {
    if interval.lower < interval.upper { Ok(interval) } else { Err(Undefined::NoVariation) }
}

fn curve(sample: &Sample<'_>) -> Result<Vec<CurvePoint>, Undefined> {
    let all = ClassScores::new(&sample.probabilities, &sample.truth)?.curve()?;
    let every = all.len().div_ceil(MAX_POINTS);
    let last = all.len() - 1;
    let kept = all.iter().enumerate().filter(|(index, _)| index % every == 0 || *index == last);
    let point = |(_, point): (usize, &RocPoint)| CurvePoint {
        threshold: point.threshold,
        false_positives: point.false_positives.value(),
        true_positives: point.true_positives.value(),
    };
    Ok(kept.map(point).collect())
}

fn band(sample: &Sample<'_>, options: &Options) -> Result<Vec<(f64, Interval)>, Undefined> {
    check_classes(sample)?;
    let sorted = Sorted::new(sample);
    let groups = Groups::new(&sample.patients)?;
    let found = percentile_intervals(&groups, options.bootstrap(), |drawn| Ok(sorted.draw(drawn)?.sensitivities()))?;
    let at = |step: usize| step as f64 / STEPS as f64;
    Ok(found.into_iter().enumerate().map(|(step, found)| (at(step), found.interval)).collect())
}

fn operating_point(label: usize, cases: &[&Case], options: &Options) -> OperatingPoint {
    let rate = |class: bool| {
        let of_class = cases.iter().filter(|case| case.truth[label] == Some(class));
        let right = of_class.filter_map(|case| Some((case.patient(), case.judged()?.over[label] == class)));
        Rate::of(right, options.confidence)
    };
    OperatingPoint { sensitivity: rate(true), specificity: rate(false) }
}

/// Cases in descending order of probability, so that a bootstrap sorts once.
pub(super) struct Sorted {
    /// For each case of the sample its place among the distinct probabilities.
    places: Vec<usize>,
    truth: Vec<bool>,
    distinct: usize,
}

impl Sorted {
    pub(super) fn new(sample: &Sample<'_>) -> Self {
        let probabilities = &sample.probabilities;
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let mut places = vec![0; order.len()];
        let mut distinct = 0;
        // Probabilities are 0 to 1: equal ones have equal bits, but for −0, which `+ 0.0` makes 0.
        for equal in order.chunk_by(|&a, &b| (probabilities[a] + 0.0).to_bits() == (probabilities[b] + 0.0).to_bits()) {
            for &case in equal {
                places[case] = distinct;
            }
            distinct += 1;
        }
        Self { places, truth: sample.truth.clone(), distinct }
    }

    /// The cases that were drawn, each as often as it was.
    pub(super) fn draw(&self, drawn: &[usize]) -> Result<Drawn, Undefined> {
        let mut counts = vec![(0.0, 0.0); self.distinct];
        for &case in drawn {
            let count = &mut counts[self.places[case]];
            if self.truth[case] {
                count.0 += 1.0;
            } else {
                count.1 += 1.0;
            }
        }
        let (positives, negatives) = counts.iter().fold((0.0, 0.0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
        if positives > 0.0 && negatives > 0.0 {
            Ok(Drawn { counts, positives, negatives })
        } else {
            Err(Undefined::OneClass)
        }
    }
}

/// How many positives and negatives have each probability, from the highest on.
pub(super) struct Drawn {
    counts: Vec<(f64, f64)>,
    positives: f64,
    negatives: f64,
}

impl Drawn {
    /// The share of pairs in order, where equal ones count half.
    pub(super) fn auc(&self) -> f64 {
        let (mut over, mut pairs) = (0.0, 0.0);
        for (positives, negatives) in &self.counts {
            pairs += negatives * (over + positives / 2.0);
            over += positives;
        }
        pairs / (self.positives * self.negatives)
    }

    /// The highest sensitivity with at most each false-positive rate of [`STEPS`].
    fn sensitivities(&self) -> Vec<f64> {
        let mut found = vec![0.0; STEPS + 1];
        let (mut hits, mut alarms) = (0.0, 0.0);
        for (positives, negatives) in &self.counts {
            hits += positives;
            alarms += negatives;
            let first = (alarms / self.negatives * STEPS as f64 - 1e-9).ceil() as usize;
            if let Some(at) = found.get_mut(first) {
                *at = hits / self.positives;
            }
        }
        // Each step has at least what the one before has.
        for step in 1..found.len() {
            found[step] = f64::max(found[step], found[step - 1]);
        }
        found
    }
}
