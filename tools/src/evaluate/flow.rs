//! What became of the pictures that were given.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Case, Model, Options, Outcome, Rate};

/// What became of the pictures of a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// The foreign source; none for the set itself.
    pub source: Option<String>,
    /// The pictures given.
    pub pictures: u64,
    /// The patients whose pictures they are.
    pub patients: u64,
    /// The pictures that could not be read.
    pub unreadable: u64,
    /// The pictures that were rejected, of the readable ones.
    pub rejected: Rate,
    /// Why. A picture may have several reasons, and counts for each.
    pub reasons: Vec<Reason>,
    /// The pictures that have a verdict, of the readable ones.
    pub judged: Rate,
    /// How many pictures of each label were rejected; empty for a foreign source.
    pub rejected_by_label: Vec<Rejected>,
}

/// How many pictures were rejected for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Its name.
    pub reason: String,
    /// The pictures.
    pub pictures: u64,
    /// The patients whose pictures they are.
    pub patients: u64,
}

/// How many pictures of a label were rejected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rejected {
    /// The label.
    pub label: String,
    /// The share of its readable pictures.
    pub rejected: Rate,
}

/// The set, then each foreign source by its name.
pub(super) fn measure(model: &Model, cases: &[Case], options: &Options) -> Vec<Flow> {
    let mut sources: BTreeMap<Option<&str>, Vec<&Case>> = BTreeMap::from([(None, Vec::new())]);
    for case in cases {
        sources.entry(case.foreign.as_deref()).or_default().push(case);
    }
    sources.into_iter().map(|(source, cases)| of_source(source, model, &cases, options)).collect()
}

fn of_source(source: Option<&str>, model: &Model, cases: &[&Case], options: &Options) -> Flow {
    let readable: Vec<&&Case> = cases.iter().filter(|case| case.triage().is_some()).collect();
    let rate = |of: &dyn Fn(&Case) -> bool| {
        Rate::of(readable.iter().map(|case| (case.patient(), of(case))), options.confidence)
    };
    let of_label = |label: usize| Rejected {
        label: model.labels[label].name.clone(),
        rejected: Rate::of(
            readable.iter().filter(|c| c.truth[label] == Some(true)).map(|c| (c.patient(), c.judged().is_none())),
            options.confidence,
        ),
    };
    let labels = if source.is_none() { 0..model.labels.len() } else { 0..0 };
    Flow {
        source: source.map(str::to_owned),
        pictures: cases.len() as u64,
        patients: cases.iter().map(|case| case.patient()).collect::<BTreeSet<_>>().len() as u64,
        unreadable: (cases.len() - readable.len()) as u64,
        rejected: rate(&|case| case.judged().is_none()),
        reasons: reasons(cases),
        judged: rate(&|case| case.judged().is_some()),
        rejected_by_label: labels.map(of_label).collect(),
    }
}

fn reasons(cases: &[&Case]) -> Vec<Reason> {
    let mut found: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for case in cases {
        let Outcome::Rejected { reasons, .. } = &case.outcome else { continue };
        for reason in reasons.iter().collect::<BTreeSet<_>>() {
            let of_reason = found.entry(reason).or_default();
            of_reason.0 += 1;
            of_reason.1.insert(case.patient());
        }
    }
    let reason = |(reason, (pictures, patients)): (&str, (u64, BTreeSet<&str>))| Reason {
        reason: reason.to_owned(),
        pictures,
        patients: patients.len() as u64,
    };
    found.into_iter().map(reason).collect()
}
