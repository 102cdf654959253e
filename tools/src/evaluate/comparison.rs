//! Two models on the same pictures.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ranking::{Sorted, varying};
use super::{Against, Case, Level, Measure, Model, Options, Ranged, Sample, Target, check_classes};
use crate::statistics::auc::compare;
use crate::statistics::bootstrap::{Groups, paired_difference};
use crate::statistics::calibration::brier;
use crate::statistics::{Interval, Undefined};

/// Another model on the same pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The other model's name.
    pub against: String,
    /// The pictures that both could read.
    pub pictures: u64,
    /// Those that both judged.
    pub judged_by_both: u64,
    /// Those that this model alone judged.
    pub judged_by_first: u64,
    /// Those that the other model alone judged.
    pub judged_by_second: u64,
    /// Areas under ROC curves, on pictures that both judged.
    pub auc: Vec<Paired>,
    /// Brier scores, on the same.
    pub brier: Vec<Paired>,
    /// Shares of readable pictures; `unassessed` counts as wrong.
    pub triage: Vec<Paired>,
    /// How triage moved.
    pub shifts: Vec<Shift>,
}

/// A value of both models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paired {
    /// What of.
    pub of: String,
    /// This model's.
    pub first: Measure<f64>,
    /// The other's.
    pub second: Measure<f64>,
    /// The first less the second: by `DeLong` where each patient has one picture and it is an area, else by bootstrap.
    pub difference: Measure<Ranged>,
    /// How likely so large a difference is where there is none; for areas by `DeLong` alone.
    pub p_value: Option<f64>,
}

/// How many pictures moved from one triage to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// Whether they are urgent in truth; none where that is not known.
    pub is_urgent: Option<bool>,
    /// The other model's triage.
    pub from: Level,
    /// This model's.
    pub to: Level,
    /// The pictures.
    pub pictures: u64,
}

pub(super) fn measure(model: &Model, cases: &[&Case], against: Against<'_>, options: &Options) -> Comparison {
    let others: BTreeMap<&str, &Case> =
        against.cases.iter().filter(|case| !case.is_foreign()).map(|case| (&case.file[..], case)).collect();
    let pairs: Vec<(&Case, &Case)> = cases
        .iter()
        .filter_map(|case| Some((*case, *others.get(&case.file[..])?)))
        .filter(|(first, second)| first.triage().is_some() && second.triage().is_some())
        .collect();
    let judged = |first: bool, second: bool| {
        pairs.iter().filter(|(a, b)| a.judged().is_some() == first && b.judged().is_some() == second).count() as u64
    };
    let targets = Target::all(model);
    let pair = |target: &Target| Pair::of(*target, model, against.model, &pairs);
    Comparison {
        against: against.model.name.clone(),
        pictures: pairs.len() as u64,
        judged_by_both: judged(true, true),
        judged_by_first: judged(true, false),
        judged_by_second: judged(false, true),
        auc: targets.iter().map(|target| pair(target).auc(target.name(model), options)).collect(),
        brier: targets.iter().map(|target| pair(target).brier(target.name(model), options)).collect(),
        triage: triage(model, &pairs, options),
        shifts: shifts(model, &pairs),
    }
}

/// The probabilities of both models for the same pictures.
struct Pair<'a> {
    first: Sample<'a>,
    second: Vec<f64>,
}

impl<'a> Pair<'a> {
    /// The truth is that of the first model's cases.
    fn of(target: Target, model: &Model, other: &Model, pairs: &[(&'a Case, &Case)]) -> Self {
        let both = pairs
            .iter()
            .filter(|(a, b)| target.probability(model, a).is_some() && target.probability(other, b).is_some());
        let known: Vec<&(&Case, &Case)> = both.filter(|(a, _)| target.truth(model, a).is_some()).collect();
        let firsts: Vec<&Case> = known.iter().map(|(a, _)| *a).collect();
        let second = known.iter().filter_map(|(_, b)| target.probability(other, b)).collect();
        Self { first: Sample::of(target, model, &firsts), second }
    }

    fn auc(&self, of: String, options: &Options) -> Paired {
        let (first, second) = (&self.first, Sample { probabilities: self.second.clone(), ..self.first.clone() });
        let area = |sample: &Sample<'_>| {
            check_classes(sample)?;
            let all: Vec<usize> = (0..sample.len()).collect();
            Ok(Sorted::new(sample).draw(&all)?.auc())
        };
        let values = (area(first), area(&second));
        let (interval, p_value) = if first.is_independent() {
            let found = compare(&first.probabilities, &second.probabilities, &first.truth);
            (found.map(|f| f.difference.interval(options.confidence)), found.ok().map(|f| f.p_value))
        } else {
            let (one, other) = (Sorted::new(first), Sorted::new(&second));
            let auc = |of: &Sorted, drawn: &[usize]| Ok(of.draw(drawn)?.auc());
            (bootstrap(&first.patients, options, |drawn| auc(&one, drawn), |drawn| auc(&other, drawn)), None)
        };
        paired(of, values, interval, p_value)
    }

    fn brier(&self, of: String, options: &Options) -> Paired {
        let score = |probabilities: &[f64], drawn: &[usize]| {
            let truth: Vec<bool> = drawn.iter().map(|&i| self.first.truth[i]).collect();
            brier(&drawn.iter().map(|&i| probabilities[i]).collect::<Vec<_>>(), &truth)
        };
        let all: Vec<usize> = (0..self.first.len()).collect();
        let (one, other) = (&self.first.probabilities, &self.second);
        let interval = bootstrap(&self.first.patients, options, |drawn| score(one, drawn), |drawn| score(other, drawn));
        paired(of, (score(one, &all), score(other, &all)), interval, None)
    }
}

/// Both values, and how far their difference may be off.
fn paired(
    of: String,
    (first, second): (Result<f64, Undefined>, Result<f64, Undefined>),
    interval: Result<Interval, Undefined>,
    p_value: Option<f64>,
) -> Paired {
    let difference = first.and_then(|a| Ok(Ranged { value: a - second?, interval: interval.into() }));
    Paired { of, first: first.into(), second: second.into(), difference: difference.into(), p_value }
}

fn bootstrap(
    patients: &[&str],
    options: &Options,
    first: impl Fn(&[usize]) -> Result<f64, Undefined>,
    second: impl Fn(&[usize]) -> Result<f64, Undefined>,
) -> Result<Interval, Undefined> {
    let found = paired_difference(&Groups::new(patients)?, options.bootstrap(), first, second)?;
    varying(found.interval)
}

/// Urgent pictures found and others cleared, by both models.
fn triage(model: &Model, pairs: &[(&Case, &Case)], options: &Options) -> Vec<Paired> {
    type IsRight = fn(Level) -> bool;
    let rows: [(&str, bool, IsRight); 4] = [
        ("urgent pictures that end refer or urgent", true, |level| level >= Level::Refer),
        ("urgent pictures that end urgent", true, |level| level == Level::Urgent),
        ("other pictures that end no_sign", false, |level| level == Level::NoSign),
        ("other pictures that are not called urgent", false, |level| {
            level != Level::Urgent && level != Level::Unassessed
        }),
    ];
    if model.urgent().next().is_none() {
        return Vec::new();
    }
    let row = |(of, class, is_right): (&str, bool, IsRight)| {
        let known: Vec<(&str, f64, f64)> = pairs
            .iter()
            .filter(|(a, _)| a.is_urgent(model) == Some(class))
            .filter_map(|(a, b)| {
                Some((a.patient(), f64::from(is_right(a.triage()?)), f64::from(is_right(b.triage()?))))
            })
            .collect();
        let patients: Vec<&str> = known.iter().map(|k| k.0).collect();
        let share = |drawn: &[usize], of: fn(&(&str, f64, f64)) -> f64| {
            if drawn.is_empty() {
                return Err(Undefined::Empty);
            }
            Ok(drawn.iter().map(|&i| of(&known[i])).sum::<f64>() / drawn.len() as f64)
        };
        let all: Vec<usize> = (0..known.len()).collect();
        let interval = bootstrap(&patients, options, |drawn| share(drawn, |k| k.1), |drawn| share(drawn, |k| k.2));
        paired(of.to_owned(), (share(&all, |k| k.1), share(&all, |k| k.2)), interval, None)
    };
    rows.into_iter().map(row).collect()
}

fn shifts(model: &Model, pairs: &[(&Case, &Case)]) -> Vec<Shift> {
    let mut counts: BTreeMap<(Option<bool>, Level, Level), u64> = BTreeMap::new();
    for (first, second) in pairs {
        if let (Some(to), Some(from)) = (first.triage(), second.triage())
            && from != to
        {
            *counts.entry((first.is_urgent(model), from, to)).or_default() += 1;
        }
    }
    let shift = |((is_urgent, from, to), pictures): ((Option<bool>, Level, Level), u64)| Shift {
        is_urgent,
        from,
        to,
        pictures,
    };
    counts.into_iter().rev().map(shift).collect()
}
