//! What would be said of each picture by what was fitted on other patients: how well a calibration does before it meets
//! pictures of another set.

use std::collections::BTreeMap;

use super::thresholds::{Sample, over_without_patient, triage};
use super::{Fitted, Model, Options, Problem, Row, Scaling, scaling, urgent_probability};
use crate::evaluate::{self, Case, Label, Level, Outcome, Scores};

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

/// A case for each row, judged by what was fitted on other patients: how logits become probabilities on the other four of
/// five parts of them, the thresholds and the action on all but the row's own. (Thresholds of four parts would be of other
/// ranks than those of all patients, and miss another share.) What the model had before is not used, as it may have been
/// fitted on these rows. Whether `no_sign` may be said is as on all of them. Quality and novelty reject nothing here.
///
/// `fitted` is what [`fit`](super::fit) made of the same rows.
///
/// # Errors
/// [`Problem::Option`] where there are fewer patients than parts.
pub fn held_out(model: &Model, rows: &[Row], options: &Options, fitted: &Fitted) -> Result<Vec<Case>, Problem> {
    let model = &Model { before: Scaling::NONE, ..model.clone() };
    let parts = parts(rows)?;
    let mut cases: Vec<Option<Case>> = vec![None; rows.len()];
    for part in 0..scaling::FOLDS {
        let others: Vec<Row> =
            rows.iter().zip(&parts).filter(|(_, of)| **of != part).map(|(row, _)| row.clone()).collect();
        let scalings = scaling::choose(model, &others).scalings;
        let sample = Sample::new(model, rows, &scalings);
        for (at, row) in rows.iter().enumerate().filter(|(at, _)| parts[*at] == part) {
            let (over, is_acted_on) = over_without_patient(model, &sample, at, options);
            let triage = triage(model, &over, is_acted_on, fitted.no_sign.is_allowed);
            let probabilities = sample.probabilities(at).to_vec();
            let urgent = urgent_probability(&model.classes, model.is_multi_label, &probabilities);
            cases[at] = Some(case(model, row, triage, Scores { probabilities, over, urgent }));
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

fn case(model: &Model, row: &Row, triage: Level, scores: Scores) -> Case {
    Case {
        file: row.file.clone(),
        group: row.group.clone(),
        foreign: None,
        truth: model.classes.iter().map(|class| class.truth(&row.truth)).collect(),
        outcome: Outcome::Judged { triage, scores, novelty: None },
        subgroups: BTreeMap::new(),
        seconds: None,
        copies: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Class, Row, fit};
    use super::*;

    /// Two labels, of which the first is urgent; the rows have no logits, so that at most a temperature is fitted, which keeps
    /// the order of probabilities.
    fn model(before: Scaling) -> Model {
        let class = |id: &str, level, member| Class { id: id.to_owned(), level, members: vec![member] };
        Model {
            labels: ["ill", "well"].map(str::to_owned).to_vec(),
            is_multi_label: false,
            classes: vec![class("ill", Level::Urgent, 0), class("well", Level::Refer, 1)],
            before,
            has_logits: false,
        }
    }

    fn row(file: &str, patient: String, ill: f64, is_ill: bool) -> Row {
        let logits = [ill, 1.0 - ill].map(f64::ln).to_vec();
        Row {
            file: file.to_owned(),
            group: Some(patient),
            logits,
            truth: vec![Some(is_ill), Some(!is_ill)],
            network: 0,
        }
    }

    /// Ten ill patients, the first with two pictures of the lowest probabilities, and ten who are well.
    fn rows() -> Vec<Row> {
        let ill = (0..10).map(|i| row(&format!("ill{i}"), format!("i{i}"), 0.2 + 0.07 * f64::from(i), true));
        let well = (0..10).map(|i| row(&format!("well{i}"), format!("w{i}"), 0.02 + 0.03 * f64::from(i), false));
        [row("again", "i0".to_owned(), 0.21, true)].into_iter().chain(ill).chain(well).collect()
    }

    #[test]
    fn held_out_patient_is_judged_by_the_thresholds_of_the_others() {
        let options = Options { misses: BTreeMap::from([("ill".to_owned(), 0.1)]), action: Some(0.0) };
        let (model, rows) = (model(Scaling::NONE), rows());
        let fitted = fit(&model, &rows, &options).expect("sound");
        // (10 + 1) · 0.1: the lowest of ten patients, whom the threshold of all does not miss.
        assert_eq!((fitted.classes[0].rank, fitted.classes[0].patients), (1, 10));
        let missed = |cases: &[Case]| -> Vec<String> {
            let is_missed = |case: &&Case| {
                let Outcome::Judged { scores, .. } = &case.outcome else { panic!("judged") };
                case.truth[0] == Some(true) && !scores.over[0]
            };
            cases.iter().filter(is_missed).map(|case| case.file.clone()).collect()
        };
        // (9 + 1) · 0.1: the lowest of the nine others is 0.27, above both pictures of the first, and of no other.
        let cases = held_out(&model, &rows, &options, &fitted).expect("enough patients");
        assert_eq!(missed(&cases), ["again", "ill0"]);
        assert_eq!(cases.len(), rows.len());
    }

    #[test]
    fn what_the_model_had_before_is_not_used() {
        let (options, rows) = (Options::default(), rows());
        let cases = |before: Scaling| {
            let model = model(before);
            let fitted = fit(&model, &rows, &options).expect("sound");
            held_out(&model, &rows, &options, &fitted).expect("enough patients")
        };
        assert_eq!(cases(Scaling::NONE), cases(Scaling::Temperature(0.2)));
    }
}
