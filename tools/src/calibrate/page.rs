//! What was fitted, as a page of text for a terminal or a file.

use std::fmt::Write as _;

use super::method::{Method, Resaved};
use super::quality::{Limits, Meant};
use super::{Fitted, FittedClass, FittedNovelty, FittedQuality, Model, NoSignFit, Scaling};
use crate::evaluate::Level;
use crate::statistics::Interval;
use crate::statistics::conformal::NO_SIGN_BOUND;

/// One page: what was fitted, on how many patients, with intervals, and what is missing.
#[must_use]
pub fn page(model: &Model, fitted: &Fitted) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write_page(&mut text, model, fitted);
    text
}

fn write_page(out: &mut String, model: &Model, fitted: &Fitted) -> std::fmt::Result {
    writeln!(out, "Fitted on {} of {}.", counted(fitted.pictures, "picture"), counted(fitted.patients, "patient"))?;
    if !fitted.is_grouped {
        writeln!(out, "Each picture counts as a patient. If some have several, name the column of patients.")?;
    }
    writeln!(out, "\nProbabilities")?;
    write_scaling(out, model, fitted)?;
    writeln!(out, "\nThresholds: from which probability on a class can't be excluded")?;
    writeln!(out, "  {:<24} {:>8} {:>7} {:>10}  of new patients it misses", "class", "patients", "miss", "at")?;
    for class in &fitted.classes {
        writeln!(out, "  {}", threshold_line(class))?;
    }
    match fitted.action {
        Some(action) => writeln!(
            out,
            "  The triage is urgent from a sum of the urgent classes' probabilities of {:.4} on ({} patients).",
            action.at, action.patients
        )?,
        None => writeln!(out, "  No threshold of the sum of urgent classes.")?,
    }
    writeln!(out, "\nMay it say `no_sign`? {}", if fitted.no_sign.is_allowed { "Yes." } else { "No." })?;
    for class in &fitted.no_sign.classes {
        writeln!(
            out,
            "  {:<24} {} of {} patients would end so: at most {}, with 95 % (the limit is {})",
            class.id,
            class.count,
            class.patients,
            percent(class.upper_bound),
            percent(NO_SIGN_BOUND)
        )?;
    }
    if !fitted.no_sign.classes.is_empty() && fitted.no_sign.others > 0 {
        let NoSignFit { others, spared, .. } = fitted.no_sign;
        let share = percent(spared as f64 / others as f64);
        writeln!(out, "  {:<24} {spared} of {} would end so: {share}", "all others", counted(others, "picture"))?;
    }
    if let Some(prevalence) = &fitted.prevalence {
        let shares = model.labels.iter().zip(prevalence).map(|(label, p)| format!("{label} {}", percent(*p)));
        writeln!(out, "\nShares of the pictures: {}", shares.collect::<Vec<_>>().join(", "))?;
    }
    if let Some(novelty) = &fitted.novelty {
        write_novelty(out, novelty)?;
    }
    if let Some(quality) = &fitted.quality {
        write_quality(out, quality)?;
    }
    if !fitted.missing.is_empty() {
        writeln!(out, "\nMissing")?;
        fitted.missing.iter().try_for_each(|text| writeln!(out, "  - {text}"))?;
    }
    Ok(())
}

fn write_novelty(out: &mut String, novelty: &FittedNovelty) -> std::fmt::Result {
    let root = novelty.axes.as_ref().is_some_and(|axes| axes.root);
    let (method, pictures) = (named(novelty.method, root), counted(novelty.pictures, "sound picture"));
    writeln!(out, "\nNovelty, by {method}, on {pictures}")?;
    writeln!(out, "  unusual over {:.4} (95 % are under it), refused over {:.4} (99 %)", novelty.soft, novelty.hard)?;
    if let Some(resaved) = novelty.resaved {
        let Resaved { pictures, over_soft, over_hard } = resaved;
        writeln!(
            out,
            "  of {pictures} copies that were saved again {over_soft} are over the first level, {over_hard} over the second"
        )?;
    }
    for trial in &novelty.trials {
        let worst = trial.worst.zip(trial.worst_under_hard);
        let worst = worst.map_or("no foreign pictures to try it on".to_owned(), |(soft, hard)| {
            let (soft, hard) = (percent(soft), percent(hard));
            format!("of the worst foreign source {soft} are under the first level, {hard} under the second")
        });
        writeln!(out, "  {:<30} {worst}", named(trial.method, trial.root))?;
    }
    Ok(())
}

/// The name of a method, and whether it is of the features' signed square roots.
fn named(method: Method, root: bool) -> String {
    format!("{}{}", method.name(), if root { " of roots" } else { "" })
}

fn write_quality(out: &mut String, quality: &FittedQuality) -> std::fmt::Result {
    let Limits { focus, dark, bright, contrast, size, color } = quality.limits;
    let color = color.map_or("any colours", |color| if color == Meant::Rgb { "colours" } else { "no colours" });
    writeln!(
        out,
        "\nQuality: focus from {focus}, dark to {dark}, bright to {bright}, contrast from {contrast}, size from {size}, {color}"
    )?;
    let Interval { lower, upper } = quality.interval;
    let (refused, pictures) = (quality.refused, counted(quality.pictures, "sound picture"));
    writeln!(out, "  refuses {refused} of {pictures}: {} to {} with 95 %", percent(lower), percent(upper))?;
    quality.copies.iter().try_for_each(|copies| {
        writeln!(out, "  refuses {} of {} copies: {}", copies.refused, copies.pictures, copies.name)
    })
}

fn write_scaling(out: &mut String, model: &Model, fitted: &Fitted) -> std::fmt::Result {
    let chosen = &fitted.scaling;
    let stays = if chosen.is_new { "" } else { " (as before: nothing was clearly better)" };
    match chosen.scalings.model() {
        Scaling::Temperature(t) => writeln!(out, "  Temperature {t:.4}{stays}")?,
        Scaling::Labels { scale, bias } => {
            let of_each = if chosen.scalings.are_several() { ", of each network its own; the model's" } else { "" };
            writeln!(out, "  Scale and bias of each label{of_each}{stays}")?;
            for (label, (scale, bias)) in model.labels.iter().zip(scale.iter().zip(bias)) {
                writeln!(out, "    {label:<22} × {scale:.4} {bias:+.4}")?;
            }
        }
    }
    for trial in &chosen.trials {
        let change = trial.change.map_or(String::new(), |change| {
            format!(" ({:+.4} ± {:.4} beside what was there)", change.value, change.standard_error)
        });
        writeln!(out, "  {:<30} {:.4} nats a held-out picture{change}", trial.name, trial.nll)?;
    }
    Ok(())
}

fn threshold_line(class: &FittedClass) -> String {
    let misses = if class.rank == 0 {
        "none: it is always in".to_owned()
    } else {
        let Interval { lower, upper } = class.interval;
        format!("{} on average, {} to {} with 95 %", percent(class.expected), percent(lower), percent(upper))
    };
    format!("{:<24} {:>8} {:>7} {:>10.5}  {misses}", class.id, class.patients, percent(class.miss), class.at)
}

/// What is missing, in sentences.
pub(super) fn missing(model: &Model, fitted: &Fitted) -> Vec<String> {
    let mut texts = Vec::new();
    if fitted.scaling.trials.is_empty() {
        let min = super::MIN_PATIENTS;
        texts.push(format!("probabilities were left as they were: it takes {min} patients or more to choose"));
    }
    for class in fitted.classes.iter().filter(|class| class.rank == 0) {
        texts.push(always_in(class));
    }
    for class in fitted.no_sign.classes.iter().filter(|class| !class.is_allowed) {
        texts.push(format!(
            "`no_sign`: {} of {} with {} would end so; {} more, none of whom does, would allow it",
            class.count,
            counted(class.patients, "patient"),
            class.id,
            counted(class.missing, "patient")
        ));
    }
    if fitted.no_sign.classes.is_empty() {
        texts.push("`no_sign`: the model has no urgent class, so nothing can be shown".to_owned());
    }
    if fitted.action.is_none() && model.classes.iter().any(|class| class.level == Level::Urgent) {
        let why = if model.is_multi_label {
            "probabilities of labels that don't exclude each other don't add up"
        } else {
            "none was asked for, or there are too few patients with an urgent class"
        };
        texts.push(format!("a threshold of the urgent classes' sum: {why}"));
    }
    if fitted.prevalence.is_none() && !model.is_multi_label {
        texts.push("the labels' shares: a label is in none of the pictures".to_owned());
    }
    texts
}

fn always_in(class: &FittedClass) -> String {
    let (id, have) = (&class.id, counted(class.patients, "patient"));
    match class.missing {
        None => format!("{id} is always in, as none of its patients may be missed"),
        Some(missing) => format!(
            "{id} is always in: a miss of {} takes {} more than {have} with it",
            percent(class.miss),
            counted(missing, "patient")
        ),
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::novelty;
    use super::*;

    #[test]
    fn headline_of_novelty_tells_roots_from_plain_features() {
        let headline = |root| {
            let axes = novelty::Fitted { root, mean: vec![0.0], scale: vec![1.0], axes: vec![1.0], dimensions: 1 };
            let novelty = FittedNovelty {
                method: Method::Mahalanobis,
                axes: Some(axes),
                sample: None,
                weight: None,
                soft: 1.0,
                hard: 2.0,
                pictures: 1,
                resaved: None,
                trials: Vec::new(),
            };
            let mut text = String::new();
            write_novelty(&mut text, &novelty).expect("memory");
            text.lines().nth(1).map(str::to_owned).expect("a headline")
        };
        assert_eq!(headline(true), "Novelty, by Mahalanobis distance of roots, on 1 sound picture");
        assert_eq!(headline(false), "Novelty, by Mahalanobis distance, on 1 sound picture");
    }
}
