//! The same for parts of the set.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Case, Level, Measure, Model, Options, Ranged, Rate, Sample, Target, ranking};
use crate::statistics::bootstrap::quantile;

/// A column of numbers with more values than this is cut into four parts.
const MAX_VALUES: usize = 8;
/// What pictures are in whose value is not known.
const UNKNOWN: &str = "not stated";

/// The parts of the set by one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgroups {
    /// The column.
    pub by: String,
    /// The parts.
    pub parts: Vec<Subgroup>,
}

/// A part of the set. What has fewer patients than asked for is not estimable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgroup {
    /// The column's value, or its range.
    pub name: String,
    /// The pictures.
    pub pictures: u64,
    /// The patients whose pictures they are.
    pub patients: u64,
    /// The readable pictures that were rejected.
    pub rejected: Rate,
    /// The urgent pictures that end `refer` or `urgent`; `unassessed` counts as missed.
    pub found: Rate,
    /// The other pictures that end below `refer`; `unassessed` counts as a false alarm.
    pub cleared: Rate,
    /// The area under the ROC curve of what is urgent. Both classes need enough patients.
    pub auc: Measure<Ranged>,
}

pub(super) fn measure(model: &Model, cases: &[&Case], options: &Options) -> Vec<Subgroups> {
    let by = |column: &String| {
        let parts = parts(column, cases);
        let part = |(name, cases): (String, Vec<&Case>)| subgroup(name, model, &cases, options);
        Subgroups { by: column.clone(), parts: parts.into_iter().map(part).collect() }
    };
    options.by.iter().map(by).collect()
}

/// The parts by name: values in their order, ranges of numbers from the lowest, and at the end what is not known.
fn parts<'a>(column: &str, cases: &[&'a Case]) -> Vec<(String, Vec<&'a Case>)> {
    let of = |case: &'a Case| case.subgroups.get(column).map(String::as_str);
    let values: BTreeSet<&str> = cases.iter().filter_map(|case| of(case)).collect();
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.parse().ok().filter(|n: &f64| n.is_finite())).collect();
    let cuts = match numbers {
        Some(numbers) if numbers.len() > MAX_VALUES => quartiles(column, cases),
        _ => None,
    };
    let mut parts: BTreeMap<(usize, String), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        let place = match (of(case), &cuts) {
            (None, _) => (usize::MAX, UNKNOWN.to_owned()),
            (Some(value), Some(cuts)) => range(value.parse().unwrap_or(f64::NAN), *cuts),
            (Some(value), None) => (0, value.to_owned()),
        };
        parts.entry(place).or_default().push(case);
    }
    parts.into_iter().map(|((_, name), cases)| (name, cases)).collect()
}

/// The quartiles of the pictures' values.
fn quartiles(column: &str, cases: &[&Case]) -> Option<[f64; 3]> {
    let numbers: Vec<f64> = cases.iter().filter_map(|case| case.subgroups.get(column)?.parse().ok()).collect();
    let cut = |p| quantile(&numbers, p).ok();
    Some([cut(0.25)?, cut(0.5)?, cut(0.75)?])
}

/// The range that a number is in.
fn range(value: f64, [low, middle, high]: [f64; 3]) -> (usize, String) {
    let between = |from: f64, to: f64| format!("over {from} to {to}");
    match value {
        v if v <= low => (0, format!("up to {low}")),
        v if v <= middle => (1, between(low, middle)),
        v if v <= high => (2, between(middle, high)),
        _ => (3, format!("over {high}")),
    }
}

fn subgroup(name: String, model: &Model, cases: &[&Case], options: &Options) -> Subgroup {
    let needed = options.min_patients;
    let readable: Vec<(&Case, Level)> = cases.iter().filter_map(|case| Some((*case, case.triage()?))).collect();
    let rate = |pictures: Vec<(&str, bool)>| Rate::of(pictures, options.confidence).with_min_patients(needed);
    let of_class = |class: bool, is_right: fn(Level) -> bool| {
        let of_class = readable.iter().filter(|(case, _)| case.is_urgent(model) == Some(class));
        rate(of_class.map(|(case, level)| (case.patient(), is_right(*level))).collect())
    };
    let sample = Sample::of(Target::Urgent, model, cases);
    let fewest = sample.patients_of(true).min(sample.patients_of(false));
    let auc = if fewest < needed {
        Measure::NotEstimable { patients: fewest, needed }
    } else {
        ranking::area(&sample, options).into()
    };
    Subgroup {
        name,
        pictures: cases.len() as u64,
        patients: cases.iter().map(|case| case.patient()).collect::<BTreeSet<_>>().len() as u64,
        rejected: rate(readable.iter().map(|(case, _)| (case.patient(), case.judged().is_none())).collect()),
        found: of_class(true, |level| level >= Level::Refer),
        cleared: of_class(false, |level| level == Level::NoSign),
        auc,
    }
}
