//! Misses of each label beside what was stated of its threshold, and whether a model may say `no_sign`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Case, Label, Level, Measure, Model, Options, Ranged, Stated};
use crate::statistics::Undefined;
use crate::statistics::conformal::{NO_SIGN_BOUND, NoSign, miss_band, no_sign};
use crate::statistics::proportion::Proportion;

/// The patients with a label who were missed. A patient is missed where any of the judged pictures that show the label
/// is under its threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Misses {
    /// The label.
    pub label: String,
    /// What was stated; none where the model states nothing.
    pub stated: Option<Stated>,
    /// The patients who have it.
    pub patients: u64,
    /// Those who were missed.
    pub missed: u64,
    /// The share, with Clopper and Pearson's interval.
    pub share: Measure<Ranged>,
    /// How many misses are to be expected if these patients are like those of the fit.
    pub band: Option<Band>,
}

/// The beta-binomial band of misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Band {
    /// Fewer are less likely than half of what is beyond the confidence level.
    pub lower: u64,
    /// So are more.
    pub upper: u64,
    /// Whether the misses are inside.
    pub is_inside: bool,
}

/// Each label's.
pub(super) fn measure(model: &Model, cases: &[&Case], options: &Options) -> Vec<Misses> {
    (0..model.labels.len()).map(|label| of_label(label, &model.labels[label], cases, options)).collect()
}

fn of_label(index: usize, label: &Label, cases: &[&Case], options: &Options) -> Misses {
    let (missed, patients) = patients_with(index, cases, |case| Some(!case.judged()?.over[index]));
    let share = Proportion::new(missed, patients).map(|share| Ranged {
        value: share.value(),
        interval: Measure::Value(share.clopper_pearson(options.confidence)),
    });
    let band = label.stated.filter(|_| patients > 0).and_then(|stated| band(stated, missed, patients, options).ok());
    Misses { label: label.name.clone(), stated: label.stated, patients, missed, share: share.into(), band }
}

fn band(stated: Stated, missed: u64, patients: u64, options: &Options) -> Result<Band, Undefined> {
    if stated.rank == 0 {
        // The label is always in.
        return Ok(Band { lower: 0, upper: 0, is_inside: missed == 0 });
    }
    let band = miss_band(stated.rank, stated.patients, patients, options.confidence)?;
    let is_inside = (band.lower..=band.upper).contains(&missed);
    Ok(Band { lower: band.lower, upper: band.upper, is_inside })
}

/// How many patients with the label have a picture of it for which something holds, and how many have one for which
/// that is known.
fn patients_with(label: usize, cases: &[&Case], holds: impl Fn(&Case) -> Option<bool>) -> (u64, u64) {
    let mut patients: BTreeMap<&str, bool> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.truth[label] == Some(true)) {
        if let Some(holds) = holds(case) {
            *patients.entry(case.patient()).or_default() |= holds;
        }
    }
    (patients.values().filter(|holds| **holds).count() as u64, patients.len() as u64)
}

/// Whether few enough patients with an urgent label end `no_sign`, on these pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoSignCheck {
    /// The label.
    pub label: String,
    /// The patients who have it, of whom a picture of it was readable.
    pub patients: u64,
    /// Those of whom such a picture ended `no_sign`.
    pub no_sign: u64,
    /// The one-sided 95 % upper bound of their share; none where there are no patients.
    pub upper_bound: Option<f64>,
    /// The bound that it must not exceed.
    pub limit: f64,
    /// Whether it does not.
    pub is_allowed: bool,
    /// How many more patients, none of whom ends `no_sign`, would be needed.
    pub missing: u64,
}

/// Each urgent label's.
pub(super) fn no_sign_checks(model: &Model, cases: &[&Case]) -> Vec<NoSignCheck> {
    let check = |label: usize| {
        let (count, patients) = patients_with(label, cases, |case| Some(case.triage()? == Level::NoSign));
        let (upper_bound, is_allowed, missing) = match no_sign(count, patients) {
            Ok(NoSign::Allowed { upper_bound }) => (Some(upper_bound), true, 0),
            Ok(NoSign::Refused { upper_bound, missing }) => (Some(upper_bound), false, missing),
            Err(_) => (None, false, 0),
        };
        NoSignCheck {
            label: model.labels[label].name.clone(),
            patients,
            no_sign: count,
            upper_bound: upper_bound.filter(|_| patients > 0),
            limit: NO_SIGN_BOUND,
            is_allowed,
            missing,
        }
    };
    model.urgent().map(check).collect()
}
