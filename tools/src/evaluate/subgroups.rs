//! The same for parts of the set.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Case, Level, Measure, Model, Options, Ranged, Rate, Sample, Target, ranking};
use crate::statistics::bootstrap::quantile;

/// A column of numbers with more values than this is cut into four parts.
const MAX_VALUES: usize = 8;
/// What pictures are in whose value is not known.
const UNKNOWN: &str = "not stated";

/// A column to report by.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The numbers that cut it into bands, ascending. Without any, each value is a part, and many numbers are cut at
    /// their quartiles.
    pub cuts: Vec<f64>,
}

impl Column {
    /// A column whose values are its parts.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), cuts: Vec::new() }
    }
}

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
    /// The urgent pictures that end `urgent`.
    pub found_urgent: Rate,
    /// The other pictures that end below `refer`; `unassessed` counts as a false alarm.
    pub cleared: Rate,
    /// The other pictures that do not end `urgent`.
    pub not_urgent: Rate,
    /// The areas under the ROC curves of what is urgent and of the contrasts. Both classes need enough patients.
    pub auc: Vec<Area>,
}

/// The area under the ROC curve of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Area {
    /// `urgent`, or a contrast.
    pub of: String,
    /// The area.
    pub value: Measure<Ranged>,
}

pub(super) fn measure(model: &Model, cases: &[&Case], options: &Options) -> Vec<Subgroups> {
    let by = |column: &Column| {
        let parts = parts(column, cases);
        let part = |(name, cases): (String, Vec<&Case>)| subgroup(name, model, &cases, options);
        Subgroups { by: column.name.clone(), parts: parts.into_iter().map(part).collect() }
    };
    options.by.iter().map(by).collect()
}

/// The parts by name: numbers and their ranges from the lowest, other values in the order of their letters, and at the end
/// what is not known.
fn parts<'a>(column: &Column, cases: &[&'a Case]) -> Vec<(String, Vec<&'a Case>)> {
    let of = |case: &'a Case| case.subgroups.get(&column.name).map(String::as_str);
    let cut = Cut::of(column, &cases.iter().filter_map(|case| of(case)).collect::<Vec<_>>());
    let mut parts: BTreeMap<(usize, String), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        let place = of(case).map_or_else(|| (usize::MAX, UNKNOWN.to_owned()), |value| cut.place(value));
        parts.entry(place).or_default().push(case);
    }
    parts.into_iter().map(|((_, name), cases)| (name, cases)).collect()
}

/// How the values of a column make parts.
enum Cut<'a> {
    /// Each value is one. They are in their order here.
    Values(Vec<&'a str>),
    /// Numbers are in bands between these.
    Bands(&'a [f64]),
    /// Numbers are in ranges between these quartiles.
    Quartiles([f64; 3]),
}

impl<'a> Cut<'a> {
    fn of(column: &'a Column, values: &[&'a str]) -> Self {
        if !column.cuts.is_empty() {
            return Self::Bands(&column.cuts);
        }
        let distinct: BTreeSet<&str> = values.iter().copied().collect();
        let mut distinct: Vec<&str> = distinct.into_iter().collect();
        if let Some(numbers) = values.iter().map(|value| number(value)).collect::<Option<Vec<f64>>>() {
            let quartile = |p| quantile(&numbers, p).ok();
            if distinct.len() > MAX_VALUES
                && let (Some(low), Some(middle), Some(high)) = (quartile(0.25), quartile(0.5), quartile(0.75))
            {
                return Self::Quartiles([low, middle, high]);
            }
            distinct.sort_by(|a, b| f64::total_cmp(&number(a).unwrap_or(f64::NAN), &number(b).unwrap_or(f64::NAN)));
        }
        Self::Values(distinct)
    }

    /// The part of a value, and its place among the others.
    fn place(&self, value: &str) -> (usize, String) {
        let place = match self {
            Self::Values(values) => values.iter().position(|other| *other == value).map(|at| (at, value.to_owned())),
            Self::Bands(cuts) => number(value).map(|number| band(number, cuts)),
            Self::Quartiles(cuts) => number(value).map(|number| range(number, *cuts)),
        };
        // What is no number comes behind the numbers.
        place.unwrap_or_else(|| (usize::MAX - 1, value.to_owned()))
    }
}

fn number(value: &str) -> Option<f64> {
    value.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The band that a number is in: from one cut to under the next.
fn band(value: f64, cuts: &[f64]) -> (usize, String) {
    let place = cuts.iter().take_while(|cut| **cut <= value).count();
    let name = match (place.checked_sub(1).map(|below| cuts[below]), cuts.get(place)) {
        (Some(from), Some(to)) => format!("{from} to under {to}"),
        (None, Some(to)) => format!("under {to}"),
        (Some(from), None) => format!("{from} and over"),
        (None, None) => value.to_string(),
    };
    (place, name)
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
    let area = |target: Target| {
        let sample = Sample::of(target, model, cases);
        let fewest = sample.patients_of(true).min(sample.patients_of(false));
        let value = if fewest < needed {
            Measure::NotEstimable { patients: fewest, needed }
        } else {
            ranking::area(&sample, options).into()
        };
        Area { of: target.name(model), value }
    };
    Subgroup {
        name,
        pictures: cases.len() as u64,
        patients: cases.iter().map(|case| case.patient()).collect::<BTreeSet<_>>().len() as u64,
        rejected: rate(readable.iter().map(|(case, _)| (case.patient(), case.judged().is_none())).collect()),
        found: of_class(true, |level| level >= Level::Refer),
        found_urgent: of_class(true, |level| level == Level::Urgent),
        cleared: of_class(false, |level| level == Level::NoSign),
        not_urgent: of_class(false, |level| level != Level::Urgent),
        auc: Target::broad(model).into_iter().map(area).collect(),
    }
}
