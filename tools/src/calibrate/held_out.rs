//! What would be said of each picture by what was fitted on other patients: how well a calibration does before it meets
//! pictures of another set.

use std::collections::BTreeMap;

use super::thresholds::{triage, urgent};
use super::{Fitted, Model, Options, Problem, Row, fit, scaling};
use crate::evaluate::{self, Case, Label, Outcome, Scores};

/// The classes as an evaluation knows them. Nothing is stated of their thresholds, as each part of the patients has its
/// own.
#[must_use]
pub fn evaluated(model: &Model, name: &str) -> evaluate::Model {
    let label = |class: &super::Class| Label { name: class.id.clone(), level: class.level, stated: None };
    evaluate::Model {
        name: name.to_owned(),
        labels: model.classes.iter().map(label).collect(),
        is_multi_label: model.is_multi_label,
        contrasts: Vec::new(),
    }
}

/// A case for each row, judged by what was fitted on the other four of five parts of the patients: how logits become
/// probabilities, the thresholds and the action. Whether `no_sign` may be said is as on all of them. Quality and novelty
/// reject nothing here.
///
/// # Errors
/// As [`fit`]; [`Problem::Option`] where there are fewer patients than parts.
pub fn held_out(model: &Model, rows: &[Row], options: &Options, fitted: &Fitted) -> Result<Vec<Case>, Problem> {
    let parts = parts(rows)?;
    let mut cases: Vec<Option<Case>> = vec![None; rows.len()];
    for part in 0..scaling::FOLDS {
        let others: Vec<Row> =
            rows.iter().zip(&parts).filter(|(_, of)| **of != part).map(|(row, _)| row.clone()).collect();
        let without = fit(model, &others, options)?;
        for (at, row) in rows.iter().enumerate().filter(|(at, _)| parts[*at] == part) {
            cases[at] = Some(case(model, &without, fitted.no_sign.is_allowed, row));
        }
    }
    Ok(cases.into_iter().flatten().collect())
}

/// The part of each row: those by which scaling was chosen; patients of whom nothing is known are dealt out alike.
fn parts(rows: &[Row]) -> Result<Vec<usize>, Problem> {
    let all: Vec<&Row> = rows.iter().collect();
    let folds: BTreeMap<&str, usize> = scaling::folds(&all);
    if folds.len() < scaling::FOLDS {
        let few = format!("the pictures are of {} patients; it takes {} to hold some out", folds.len(), scaling::FOLDS);
        return Err(Problem::Option(few));
    }
    Ok(rows.iter().map(|row| folds[row.patient()]).collect())
}

fn case(model: &Model, without: &Fitted, may_say_no_sign: bool, row: &Row) -> Case {
    let labels = without.scaling.scaling.probabilities(&row.logits, model.is_multi_label);
    let probabilities: Vec<f64> = model.classes.iter().map(|class| class.probability(&labels)).collect();
    let over: Vec<bool> = without.classes.iter().zip(&probabilities).map(|(class, p)| *p >= class.at).collect();
    let urgent: Vec<f64> = urgent(model).map(|class| probabilities[class]).collect();
    let is_summable = !urgent.is_empty() && (!model.is_multi_label || urgent.len() == 1);
    let urgent = is_summable.then(|| urgent.iter().sum::<f64>().min(1.0));
    let is_acted_on = without.action.zip(urgent).is_some_and(|(action, urgent)| urgent >= action.at);
    let triage = triage(model, &over, is_acted_on, may_say_no_sign);
    Case {
        file: row.file.clone(),
        group: row.group.clone(),
        foreign: None,
        truth: model.classes.iter().map(|class| class.truth(&row.truth)).collect(),
        outcome: Outcome::Judged { triage, scores: Scores { probabilities, over, urgent }, novelty: None },
        subgroups: BTreeMap::new(),
        seconds: None,
        copies: Vec::new(),
    }
}
