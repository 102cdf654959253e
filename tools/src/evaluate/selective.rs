//! What a model risks by answering.

use serde::Serialize;

use super::{Case, Measure, Model};
use crate::statistics::risk::{aurc, excess_aurc, risk_coverage};

/// The most points of a curve that are kept.
const MAX_POINTS: usize = 200;

/// Risk and coverage of judged pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Selective {
    /// The label; none where labels exclude each other, and the likeliest counts.
    pub of: Option<String>,
    /// The judged pictures whose truth is known.
    pub pictures: u64,
    /// The share of wrong answers over all of them.
    pub risk: Measure<f64>,
    /// The area under the curve: the mean risk over all coverages.
    pub aurc: Measure<f64>,
    /// What of it is the order's.
    pub excess: Measure<f64>,
    /// Points of the curve, at most two hundred.
    pub curve: Vec<SelectivePoint>,
}

/// A point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SelectivePoint {
    /// The lowest confidence that is answered.
    pub threshold: f64,
    /// The share that is answered.
    pub coverage: f64,
    /// The share of wrong answers among them.
    pub risk: f64,
}

/// Where labels exclude each other, the likeliest is the answer, and its probability the confidence. Elsewhere each
/// label is answered by itself: that it holds from ½ on, with the larger of p and 1 − p as confidence.
pub(super) fn measure(model: &Model, cases: &[&Case]) -> Vec<Selective> {
    if model.is_multi_label {
        let of_label = |label: usize| {
            let answers = cases.iter().filter_map(|case| {
                let (probability, truth) = (case.judged()?.probabilities[label], case.truth[label]?);
                Some((probability.max(1.0 - probability), (probability >= 0.5) != truth))
            });
            of_answers(Some(model.labels[label].name.clone()), answers)
        };
        return (0..model.labels.len()).map(of_label).collect();
    }
    vec![of_answers(None, cases.iter().filter_map(|case| likeliest(case)))]
}

/// The probability of the likeliest label, the first of equal ones, and whether it is wrong.
fn likeliest(case: &Case) -> Option<(f64, bool)> {
    let probabilities = &case.judged()?.probabilities;
    let first = (0..probabilities.len()).rev().max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))?;
    Some((probabilities[first], !case.truth[first]?))
}

fn of_answers(of: Option<String>, answers: impl Iterator<Item = (f64, bool)>) -> Selective {
    let (confidences, wrong): (Vec<f64>, Vec<bool>) = answers.unzip();
    let curve = risk_coverage(&confidences, &wrong);
    let risk = curve.as_ref().map(|points| points.last().map_or(0.0, |p| p.wrong.value()));
    let points = curve.as_deref().unwrap_or_default();
    let (every, last) = (points.len().div_ceil(MAX_POINTS).max(1), points.len().saturating_sub(1));
    let kept = points.iter().enumerate().filter(|(index, _)| index % every == 0 || *index == last);
    let point = |(_, p): (usize, &crate::statistics::risk::RiskPoint)| SelectivePoint {
        threshold: p.threshold,
        coverage: p.answered.value(),
        risk: p.wrong.value(),
    };
    Selective {
        of,
        pictures: confidences.len() as u64,
        risk: risk.map_err(|why| *why).into(),
        aurc: aurc(&confidences, &wrong).into(),
        excess: excess_aurc(&confidences, &wrong).into(),
        curve: kept.map(point).collect(),
    }
}
