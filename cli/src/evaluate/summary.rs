//! An evaluation in a terminal: the figures that decide, and where the others are.

use std::io::Write;
use std::path::Path;

use bedside_tools::evaluate::{Evaluation, Level, Measure, Misses, Ranged, Test, TriageRow};

use crate::output::{BOLD, DIM, Failure, line, plain};

pub(super) fn write(evaluation: &Evaluation, is_json: bool, page: Option<&Path>) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    if is_json {
        let json = serde_json::to_string(evaluation).map_err(|error| Failure::Failed(error.to_string()))?;
        writeln!(out, "{json}")?;
        return Ok(());
    }
    writeln!(out, "{BOLD}{}{BOLD:#} on {}", plain(&evaluation.title), plain(&evaluation.set))?;
    write_figures(&mut out, evaluation)?;
    let text = page
        .map_or("give --html FILE for a page with all of it, or --json".to_owned(), |page| page.display().to_string());
    writeln!(out)?;
    line(&mut out, "All figures", text)?;
    let notice = bedside::NOTICE;
    writeln!(out, "\n{DIM}{notice}{DIM:#}")?;
    Ok(())
}

/// The figures, without a heading.
pub(crate) fn write_figures(out: &mut impl Write, evaluation: &Evaluation) -> Result<(), Failure> {
    write_flow(out, evaluation)?;
    write_triage(out, evaluation)?;
    write_labels(out, evaluation)?;
    write_steadiness(out, evaluation)
}

fn write_steadiness(out: &mut impl Write, evaluation: &Evaluation) -> Result<(), Failure> {
    if !evaluation.steadiness.is_empty() {
        writeln!(out, "\n  {DIM}{:<52}Triage changes{DIM:#}", "Copies")?;
    }
    for found in &evaluation.steadiness {
        let (changed, lost) = (&found.changed, &found.lost);
        let share = share(&changed.share);
        writeln!(out, "  {:<52}{} of {}: {share}", found.how, changed.count, changed.pictures)?;
        if lost.count > 0 {
            writeln!(out, "  {:<52}{} of {} that are urgent fall to no_sign", "", lost.count, lost.pictures)?;
        }
    }
    Ok(())
}

fn write_flow(out: &mut impl Write, evaluation: &Evaluation) -> Result<(), Failure> {
    for flow in &evaluation.flow {
        let source = flow.source.as_deref().unwrap_or("Pictures");
        let (unreadable, rejected, judged) = (flow.unreadable, flow.rejected.count, flow.judged.count);
        let text = format_args!(
            "{} of {} patients: {judged} judged, {rejected} rejected, {unreadable} unreadable",
            flow.pictures, flow.patients
        );
        line(out, source, text)?;
    }
    Ok(())
}

fn write_triage(out: &mut impl Write, evaluation: &Evaluation) -> Result<(), Failure> {
    let levels = Level::ALL.map(|level| format!("{:>12}", level.name())).concat();
    writeln!(out, "\n  {DIM}{:<24}{levels}{DIM:#}", "Triage of pictures of")?;
    for TriageRow { label, at, .. } in &evaluation.triage {
        let counts: Vec<String> = at.iter().map(|rate| format!("{:>12}", rate.count)).collect();
        writeln!(out, "  {:<24}{}", plain(label.as_deref().unwrap_or("none of the labels")), counts.concat())?;
    }
    for found in &evaluation.detection {
        let test = match found.test {
            Test::Urgent => "urgent",
            Test::ReferOrUrgent => "refer or urgent",
        };
        let (sensitivity, specificity) =
            (share(&found.sensitivity_of_all.share), share(&found.specificity_of_all.share));
        writeln!(out, "  {test} finds the urgent: sensitivity {sensitivity}, specificity {specificity}")?;
    }
    for check in &evaluation.no_sign {
        let bound = check.upper_bound.map_or("undefined".to_owned(), percent);
        writeln!(
            out,
            "  {} of {} patients with {} ended no_sign: at most {bound}, with 95 %",
            check.no_sign,
            check.patients,
            plain(&check.label)
        )?;
    }
    Ok(())
}

fn write_labels(out: &mut impl Write, evaluation: &Evaluation) -> Result<(), Failure> {
    writeln!(out, "\n  {DIM}{:<24}{:<28}Missed{DIM:#}", "Judged pictures", "AUC")?;
    for ranking in &evaluation.ranking {
        let misses = evaluation.misses.iter().find(|misses| misses.label == ranking.of).map(missed);
        writeln!(out, "  {:<24}{:<27} {}", plain(&ranking.of), value(&ranking.auc), misses.unwrap_or_default())?;
    }
    for source in &evaluation.novelty.sources {
        writeln!(out, "  novelty of {:<13}{}", plain(&source.name), value(&source.auroc))?;
    }
    Ok(())
}

fn missed(misses: &Misses) -> String {
    let of = format!("{} of {} patients", misses.missed, misses.patients);
    match (misses.stated, misses.band) {
        (Some(stated), Some(band)) => {
            let inside = if band.is_inside { "inside" } else { "outside" };
            format!("{of}; stated {}: {inside} {} to {}", percent(stated.miss), band.lower, band.upper)
        }
        _ => of,
    }
}

fn share(measure: &Measure<Ranged>) -> String {
    written(measure, percent)
}

fn value(measure: &Measure<Ranged>) -> String {
    written(measure, |value| format!("{value:.3}"))
}

fn written(measure: &Measure<Ranged>, format: impl Fn(f64) -> String) -> String {
    let Measure::Value(found) = measure else { return measure.reason().unwrap_or_default() };
    match found.interval {
        Measure::Value(interval) => {
            format!("{} ({} to {})", format(found.value), format(interval.lower), format(interval.upper))
        }
        _ => format(found.value),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
