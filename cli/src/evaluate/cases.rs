//! From labelled pictures to the cases of an evaluation.

use std::collections::BTreeMap;
use std::path::Path;

use bedside::{Image, Report, Verdict, tools};
use bedside_tools::calibrate::urgent_probability;
use bedside_tools::evaluate::{Case, Column, Contrast, Copied, Label, Model, Outcome, Scores, Stated};
use bedside_tools::table::{LabelOptions, LabelRow, LabelTable, below};

use super::copies;
use crate::classes::level;
use crate::classify::progress;
use crate::labelled::{Foreign, Net, failed};
use crate::output::{Failure, complain};

/// The model, as an evaluation knows it: its classes, with what its calibration states.
pub(super) fn model(net: &Net, contrasts: Vec<Contrast>) -> Model {
    let manifest = net.classifier.manifest();
    let label = |class: &bedside_tools::calibrate::Class| Label {
        name: class.id.clone(),
        level: class.level,
        stated: stated(net, &class.id),
    };
    Model {
        name: format!("{} {}", manifest.name(), manifest.version()),
        labels: net.classes.iter().map(label).collect(),
        is_multi_label: net.is_multi_label,
        contrasts,
    }
}

/// What the calibration states of a class's threshold.
fn stated(net: &Net, class: &str) -> Option<Stated> {
    let threshold = net.classifier.manifest().calibration()?.thresholds.get(class)?;
    let (miss, count) = (threshold.miss?, threshold.count?);
    // 0.02 as f32 is a little less than 0.02: the decimal that was written is meant.
    let miss = miss.to_string().parse().ok()?;
    Some(Stated { miss, rank: threshold.rank()?, patients: u64::from(count) })
}

/// Where labelled pictures are.
pub(super) struct Source<'a> {
    pub(super) images: &'a Path,
    pub(super) labels: &'a Path,
    pub(super) options: &'a LabelOptions,
    pub(super) by: &'a [Column],
    /// Whether copies of the pictures are judged, too.
    pub(super) has_copies: bool,
}

/// Runs the model on each picture. `rows` is how many the table has.
pub(super) fn gather(net: &Net, source: &Source<'_>, rows: usize, foreign: &[Foreign]) -> Result<Vec<Case>, Failure> {
    let bar = progress(rows + foreign.len());
    let mut cases = Vec::with_capacity(rows + foreign.len());
    for row in LabelTable::open(source.labels, source.options).map_err(failed)? {
        cases.push(labelled(net, source, row.map_err(failed)?)?);
        bar.inc(1);
    }
    for picture in foreign {
        let (outcome, seconds) = outcome(net, &picture.path);
        cases.push(Case {
            file: picture.file.clone(),
            group: None,
            foreign: Some(picture.source.clone()),
            truth: Vec::new(),
            outcome,
            subgroups: BTreeMap::new(),
            seconds,
            copies: Vec::new(),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(cases)
}

fn labelled(net: &Net, source: &Source<'_>, row: LabelRow) -> Result<Case, Failure> {
    let path = below(source.images, &row.file).map_err(Failure::Failed)?;
    let (outcome, seconds) = outcome(net, &path);
    let copies = if source.has_copies { copies_of(net, &path, &outcome) } else { Vec::new() };
    let subgroups = source.by.iter().zip(row.by);
    let subgroups = subgroups.filter_map(|(column, value)| Some((column.name.clone(), value?))).collect();
    let truth = net.classes.iter().map(|class| class.truth(&row.truth)).collect();
    Ok(Case { file: row.file, group: row.group, foreign: None, truth, outcome, subgroups, seconds, copies })
}

/// The copies of a picture; fewer, with a warning, where one can't be made.
fn copies_of(net: &Net, path: &Path, outcome: &Outcome) -> Vec<Copied> {
    let triage = match outcome {
        Outcome::Unreadable { .. } => return Vec::new(),
        Outcome::Rejected { triage, .. } | Outcome::Judged { triage, .. } => *triage,
    };
    let found = Image::open(path).and_then(|image| copies::of(net, &image, triage));
    found.unwrap_or_else(|error| {
        complain("warning", &format!("{}; its copies are left out", tools::in_file(error, path)));
        Vec::new()
    })
}

fn outcome(net: &Net, path: &Path) -> (Outcome, Option<f64>) {
    match net.report(path) {
        Ok(report) => (of_report(net, path, &report), Some(report.timings.total.as_secs_f64())),
        Err(error) => (Outcome::Unreadable { error }, None),
    }
}

fn of_report(net: &Net, path: &Path, report: &Report) -> Outcome {
    let triage = level(report.triage);
    let novelty = report.novelty.as_ref().map(|novelty| f64::from(novelty.value)).or_else(|| net.novelty(path));
    if let Verdict::Rejected(reasons) = &report.verdict {
        let reasons = reasons.iter().map(|reason| reason.kind.as_str().to_owned()).collect();
        return Outcome::Rejected { reasons, triage, novelty };
    }
    let of = |id: &str| report.findings.iter().find(|finding| finding.label == id);
    let findings: Vec<_> = net.classes.iter().map(|class| of(&class.id)).collect();
    let probability = |finding: Option<&bedside::Finding>| finding.map_or(0.0, |f| f64::from(f.probability));
    let probabilities: Vec<f64> = findings.iter().copied().map(probability).collect();
    let over = findings.iter().map(|finding| finding.is_some_and(|f| f.over_operating_point)).collect();
    let urgent = urgent_probability(&net.classes, net.is_multi_label, &probabilities);
    Outcome::Judged { triage, scores: Scores { probabilities, over, urgent }, novelty }
}
