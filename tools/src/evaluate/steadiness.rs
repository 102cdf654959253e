//! How often triage changes where a picture is shown in another way.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Case, Level, Model, Options, Rate};

/// A copy of a picture that shows the same, and what was said of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// How the copy was made, in a few words.
    pub how: String,
    /// The triage of the picture.
    pub from: Level,
    /// The triage of the copy.
    pub to: Level,
}

/// How often one way of copying changes triage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Steadiness {
    /// How the copies were made.
    pub how: String,
    /// The pictures whose copy has another triage.
    pub changed: Rate,
    /// The pictures that are urgent in truth whose copy ends `no_sign` where they do not.
    pub lost: Rate,
    /// From which triage to which, the most pressing first.
    pub shifts: Vec<Moved>,
}

/// How many copies moved from one triage to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The picture's.
    pub from: Level,
    /// The copy's.
    pub to: Level,
    /// How many.
    pub pictures: u64,
}

/// Each way of copying, in the order in which they stand in the cases.
pub(super) fn measure(model: &Model, cases: &[&Case], options: &Options) -> Vec<Steadiness> {
    let mut known = BTreeSet::new();
    let all = cases.iter().flat_map(|case| &case.copies);
    let ways: Vec<&str> = all.map(|copy| copy.how.as_str()).filter(|how| known.insert(*how)).collect();
    ways.into_iter().map(|how| of_way(how, model, cases, options)).collect()
}

fn of_way(how: &str, model: &Model, cases: &[&Case], options: &Options) -> Steadiness {
    let copies: Vec<(&Case, &Copied)> = cases
        .iter()
        .flat_map(|case| case.copies.iter().filter(|copy| copy.how == how).map(move |copy| (*case, copy)))
        .collect();
    let urgent = copies.iter().filter(|(case, _)| case.is_urgent(model) == Some(true));
    let is_lost = |copy: &Copied| copy.to == Level::NoSign && copy.from != Level::NoSign;
    let mut moved: BTreeMap<(Level, Level), u64> = BTreeMap::new();
    for (_, copy) in copies.iter().filter(|(_, copy)| copy.from != copy.to) {
        *moved.entry((copy.from, copy.to)).or_default() += 1;
    }
    Steadiness {
        how: how.to_owned(),
        changed: Rate::of(copies.iter().map(|(case, copy)| (case.patient(), copy.from != copy.to)), options.confidence),
        lost: Rate::of(urgent.map(|(case, copy)| (case.patient(), is_lost(copy))), options.confidence),
        shifts: moved.into_iter().rev().map(|((from, to), pictures)| Moved { from, to, pictures }).collect(),
    }
}
