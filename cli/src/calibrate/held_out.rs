//! The evaluation of the pictures that a model is fitted on, each judged by what was fitted on other patients.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bedside_tools::calibrate::{FOLDS, Fitted, Model, Options, Row, Scaling, evaluated, held_out};
use bedside_tools::evaluate::{self, Against, Case, Column, Evaluation, evaluate};
use bedside_tools::table::{LabelTable, ScoreKind, ScoreOptions, ScoreTable};

use super::gather::{Names, logits};
use super::{Arguments, Subject, failure};
use crate::labelled::failed;
use crate::looks;
use crate::output::Failure;

/// What the figures are given by where several networks looked at the pictures: the model is only one of them.
const NETWORK: &str = "network";

/// Fails where what is asked for can't be given, before any picture is measured.
pub(super) fn check(arguments: &Arguments, subject: &Subject) -> Result<(), Failure> {
    let model = subject.model(true);
    arguments.measures.contrasts(&model.classes, model.is_multi_label)?;
    let by = arguments.measures.by.iter().map(|column| column.name.clone()).collect();
    let options = arguments.set.options(&subject.manifest, subject.is_multi_label, by);
    LabelTable::open(arguments.table(), &options).map_err(failed)?;
    let scores = ScoreOptions { labels: model.labels, is_multi_label: model.is_multi_label, kind: None };
    arguments.against.as_deref().map(|table| ScoreTable::open(table, &scores)).transpose().map_err(failed)?;
    Ok(())
}

/// Why there is no evaluation, where there are too few patients.
pub(super) fn too_few(fitted: &Fitted) -> Option<String> {
    let s = if fitted.patients == 1 { "" } else { "s" };
    (fitted.patients < FOLDS as u64)
        .then(|| format!("the pictures are of {} patient{s}; it takes {FOLDS} to hold some out", fitted.patients))
}

/// The evaluation, beside another network where one is given.
pub(super) fn evaluation(
    arguments: &Arguments,
    subject: &Subject,
    model: &Model,
    rows: &[Row],
    (options, fitted): (&Options, &Fitted),
) -> Result<Evaluation, Failure> {
    let contrasts = arguments.measures.contrasts(&model.classes, model.is_multi_label)?;
    let name = format!("{} {}", subject.manifest.name(), subject.manifest.version());
    let mut cases = held_out(model, rows, options, fitted).map_err(failure)?;
    add_columns(arguments, subject, &mut cases)?;
    let networks: BTreeSet<usize> = rows.iter().map(|row| row.network).collect();
    if networks.len() > 1 {
        for (case, row) in cases.iter_mut().zip(rows) {
            let name = if row.network == 0 { "the model".to_owned() } else { format!("network {}", row.network) };
            case.subgroups.insert(NETWORK.to_owned(), name);
        }
    }
    let evaluated = evaluate::Model { contrasts, ..evaluated(model, &name) };
    let other = arguments.against.as_deref().map(|scores| against(scores, model, rows, options)).transpose()?;
    let other =
        other.as_ref().map(|(name, cases)| (evaluate::Model { name: name.clone(), ..evaluated.clone() }, cases));
    let against = other.as_ref().map(|(model, cases)| Against { model, cases });
    evaluate(&evaluated, &cases, against, &report_options(arguments, &name, networks.len() > 1))
        .map_err(|problem| Failure::Usage(problem.to_string()))
}

/// What another network says of the same pictures, fitted and judged in the same parts.
///
/// # Errors
/// [`Failure::Failed`] where the table lacks one of the pictures: of some of them the parts would be others.
fn against(scores: &Path, model: &Model, rows: &[Row], options: &Options) -> Result<(String, Vec<Case>), Failure> {
    let score_options = ScoreOptions { labels: model.labels.clone(), is_multi_label: model.is_multi_label, kind: None };
    let table = ScoreTable::open(scores, &score_options).map_err(failed)?;
    let kind = table.kind();
    let mut found = table.by_file().map_err(failed)?;
    let missing: Vec<&str> =
        rows.iter().map(|row| row.file.as_str()).filter(|file| !found.contains_key(*file)).collect();
    if let Some(first) = missing.first() {
        return Err(Failure::Failed(format!(
            "{}: lacks {} of the {} pictures, {first} among them; give a table of all that are calibrated on",
            scores.display(),
            missing.len(),
            rows.len()
        )));
    }
    let mut names = Names::default();
    let of = |row: &Row| {
        let found = found.remove(&row.file)?;
        let network = names.of(found.network.as_deref());
        Some(Row { logits: logits(found.scores, kind, model.is_multi_label), network, ..row.clone() })
    };
    let rows: Vec<Row> = rows.iter().filter_map(of).collect();
    let model = Model { before: Scaling::NONE, has_logits: kind == ScoreKind::Logits, ..model.clone() };
    let fitted = bedside_tools::calibrate::fit(&model, &rows, options).map_err(failure)?;
    let cases = held_out(&model, &rows, options, &fitted).map_err(failure)?;
    Ok((scores.display().to_string(), cases))
}

/// Adds the columns that are reported by, from the table of labels.
fn add_columns(arguments: &Arguments, subject: &Subject, cases: &mut [Case]) -> Result<(), Failure> {
    let by: Vec<String> = arguments.measures.by.iter().map(|column| column.name.clone()).collect();
    if by.is_empty() {
        return Ok(());
    }
    let options = arguments.set.options(&subject.manifest, subject.is_multi_label, by.clone());
    let mut columns: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in LabelTable::open(arguments.table(), &options).map_err(failed)? {
        let row = row.map_err(failed)?;
        let values = by.iter().cloned().zip(row.by).filter_map(|(name, value)| Some((name, value?)));
        columns.insert(row.file, values.collect());
    }
    for case in cases {
        case.subgroups = columns.remove(&case.file).unwrap_or_default();
    }
    Ok(())
}

fn report_options(arguments: &Arguments, name: &str, are_several: bool) -> evaluate::Options {
    let network = are_several.then(|| Column::named(NETWORK));
    let mut about =
        vec![("date".to_owned(), looks::today()), ("labels".to_owned(), arguments.table().display().to_string())];
    about.extend(looks::commit().map(|commit| ("commit".to_owned(), commit)));
    about.push((
        "how".to_owned(),
        "each picture is judged by what was fitted on other patients: probabilities in five parts, thresholds on all \
         others; quality and novelty reject nothing here"
            .to_owned(),
    ));
    evaluate::Options {
        title: format!("{name}, held out"),
        set: "The pictures that were fitted on".to_owned(),
        about,
        by: arguments.measures.by.iter().cloned().chain(network).collect(),
        prevalences: arguments.measures.prevalence.clone(),
        ..evaluate::Options::default()
    }
}
