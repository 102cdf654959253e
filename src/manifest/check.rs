//! Checks of a manifest's values that need no graph.

use std::collections::HashSet;

use serde_json::Value;

use super::SCHEMA;
use super::advice::Advice;
use super::calibration::{Calibration, Threshold};
use super::draft::{Activation, Draft, Group, Input, Output, ResizePolicy};
use super::quality::check_quality;
use super::scope::{QuestionRole, ScopeQuestion};
use super::text::Text;
use crate::{Error, ErrorKind, Result, Triage};

/// The maximum side of an input, in pixels, far above that of image classifiers (224 to 600).
const MAX_SIDE: u32 = 4096;

/// The maximum difference between 1 and the sum of a prevalence, whose values may be rounded to three digits.
pub(crate) const PREVALENCE_TOLERANCE: f32 = 0.01;

impl Draft {
    /// Checks all values.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`], whose text names the field.
    pub(super) fn check(&self) -> Result<()> {
        self.check_form()?;
        for (field, value) in [("name", &self.name), ("version", &self.version), ("license", &self.license)] {
            ensure(!value.trim().is_empty(), field, "is empty")?;
            ensure(!value.contains(char::is_control), field, CONTROL)?;
        }
        check_text("title", &self.title, false)?;
        check_text("intended_use", &self.intended_use, true)?;
        check_text("not_for", &self.not_for, true)?;
        check_id("name", &self.name)?;
        check_advice(&self.advice)?;
        check_scope(&self.scope)?;
        check_input(&self.input)?;
        check_output(&self.output)?;
        if let Some(calibration) = &self.calibration {
            check_calibration(calibration, &self.output)?;
        }
        if let Some(explanation) = &self.explanation {
            explanation.check()?;
        }
        if let Some(golden) = &self.golden {
            ensure(
                golden.scores.len() == self.output.labels.len(),
                "golden.scores",
                &format!("has {} values for {} labels", golden.scores.len(), self.output.labels.len()),
            )?;
            ensure(golden.scores.iter().all(|&s| is_probability(s)), "golden.scores", "has a value outside 0…1")?;
        }
        Ok(())
    }

    /// Checks the version of the manifest's form, and that this version of Bedside knows all required fields.
    fn check_form(&self) -> Result<()> {
        let minor = self.bedside.strip_prefix("1.");
        ensure(
            self.bedside == "1" || minor.is_some_and(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_digit())),
            "bedside",
            &format!("is \"{}\"; this version reads manifests of form 1.x: update Bedside", self.bedside),
        )?;
        for required in &self.requires {
            ensure(
                is_known(required),
                "requires",
                &format!("lists `{required}`, which this version does not know: update Bedside"),
            )?;
        }
        Ok(())
    }
}

/// Whether a dotted path (`output.labels.triage`) is that of a field in the schema.
fn is_known(path: &str) -> bool {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is part of this crate and tested");
    let field = path.split('.').try_fold(&schema, |at, name| {
        let object = at.get("items").unwrap_or(at);
        object.get("properties")?.get(name)
    });
    field.is_some()
}

fn check_advice(advice: &Advice) -> Result<()> {
    for level in Triage::ALL {
        let (field, text) = (format!("advice.{level}"), advice.of(*level));
        ensure(text.is_empty() || text.has_english(), &field, "has no English text")?;
        check_text(&field, text, false)?;
    }
    Ok(())
}

fn check_scope(scope: &[ScopeQuestion]) -> Result<()> {
    let mut seen = HashSet::new();
    for (i, question) in scope.iter().enumerate() {
        let field = format!("scope[{i}]");
        check_id(&format!("{field}.id"), &question.id)?;
        ensure(seen.insert(&question.id), &format!("{field}.id"), &format!("repeats `{}`", question.id))?;
        ensure(
            question.question.is_empty() || question.question.has_english(),
            &format!("{field}.question"),
            "has no English text",
        )?;
        check_text(&format!("{field}.question"), &question.question, false)?;
        let (min, max) = (question.min.unwrap_or(f64::NEG_INFINITY), question.max.unwrap_or(f64::INFINITY));
        ensure(min <= max, &field, "has a `min` above its `max`")?;
        match question.role {
            QuestionRole::Scope => {
                ensure(question.level.is_none(), &format!("{field}.level"), "goes with the role `danger` only")?;
            }
            QuestionRole::Danger => check_danger(&field, question)?,
        }
    }
    Ok(())
}

/// Checks a danger question, which takes yes or no and has a level.
fn check_danger(field: &str, question: &ScopeQuestion) -> Result<()> {
    ensure(
        matches!(question.level, Some(Triage::Refer | Triage::Urgent)),
        &format!("{field}.level"),
        "of a danger question is missing, or no level that `yes` can set; give `refer` or `urgent`",
    )?;
    ensure(!question.required, &format!("{field}.required"), "goes with the role `scope` only")?;
    ensure(!question.takes_number(), field, "has `min` or `max`, but a danger question takes yes or no")
}

fn check_input(input: &Input) -> Result<()> {
    for (field, side) in [("input.width", input.width), ("input.height", input.height)] {
        ensure((1..=MAX_SIDE).contains(&side), field, &format!("is {side}; give 1 to {MAX_SIDE} pixels"))?;
    }
    let channels = input.color.channels();
    for (field, values) in [("input.mean", &input.mean), ("input.std", &input.std)] {
        ensure(
            values.len() == channels,
            field,
            &format!("has {} values; `input.color` asks for {channels}", values.len()),
        )?;
        ensure(values.iter().all(|v| v.is_finite()), field, "has a value that is not a finite number")?;
    }
    ensure(input.std.iter().all(|&v| v > 0.0), "input.std", "has a value that is not above 0")?;
    check_resize(input)
}

fn check_resize(input: &Input) -> Result<()> {
    let resize = &input.resize;
    if let Some(shorter_side) = resize.shorter_side {
        let field = "input.resize.shorter_side";
        let min = input.width.max(input.height);
        ensure(resize.policy == ResizePolicy::Crop, field, "goes with the policy `crop` only")?;
        ensure(
            (min..=MAX_SIDE).contains(&shorter_side),
            field,
            &format!("is {shorter_side}; give {min} (the input's larger side) to {MAX_SIDE}"),
        )?;
    }
    ensure(
        resize.fill.is_none() || resize.policy == ResizePolicy::Letterbox,
        "input.resize.fill",
        "goes with the policy `letterbox` only",
    )
}

fn check_output(output: &Output) -> Result<()> {
    ensure(!output.labels.is_empty(), "output.labels", "is empty")?;
    ensure(
        output.activation != Activation::Softmax || output.labels.len() > 1,
        "output.labels",
        "has one label; softmax over one value is always 1: use `sigmoid`",
    )?;
    ensure(
        output.multi_label.is_none() || output.activation == Activation::None,
        "output.multi_label",
        "goes with the activation `none` only; softmax and sigmoid say it already",
    )?;
    let mut seen = HashSet::new();
    for (i, label) in output.labels.iter().enumerate() {
        let field = format!("output.labels[{i}]");
        check_id(&format!("{field}.id"), &label.id)?;
        ensure(seen.insert(&label.id), &format!("{field}.id"), &format!("repeats `{}`", label.id))?;
        ensure(label.name.has_english(), &format!("{field}.name"), "has no English text (`en`)")?;
        check_text(&format!("{field}.name"), &label.name, false)?;
        check_operating_point(&field, label.operating_point)?;
    }
    check_groups(output)
}

fn check_operating_point(field: &str, operating_point: Option<f32>) -> Result<()> {
    let Some(point) = operating_point else { return Ok(()) };
    let problem = format!("is {point}; give a probability, 0 to 1");
    ensure(is_probability(point), &format!("{field}.operating_point"), &problem)
}

fn check_groups(output: &Output) -> Result<()> {
    let (mut ids, mut grouped) = (HashSet::new(), HashSet::new());
    for (i, group) in output.groups.iter().enumerate() {
        let field = format!("output.groups[{i}]");
        check_id(&format!("{field}.id"), &group.id)?;
        ensure(ids.insert(&group.id), &format!("{field}.id"), &format!("repeats `{}`", group.id))?;
        ensure(group.name.has_english(), &format!("{field}.name"), "has no English text (`en`)")?;
        check_text(&format!("{field}.name"), &group.name, false)?;
        check_operating_point(&field, group.operating_point)?;
        let field = format!("{field}.labels");
        ensure(!group.labels.is_empty(), &field, "is empty")?;
        for label in &group.labels {
            let is_label = output.labels.iter().any(|known| &known.id == label);
            ensure(is_label, &field, &format!("has `{label}`, which is no label of the output"))?;
            ensure(grouped.insert(label), &field, &format!("has `{label}`, which is in a group already"))?;
        }
    }
    let is_apart = |group: &&Group| output.labels.iter().any(|l| l.id == group.id && !group.labels.contains(&l.id));
    if let Some(group) = output.groups.iter().find(is_apart) {
        ensure(false, "output.groups", &format!("has the id `{}` of a label outside that group", group.id))?;
    }
    ensure(
        output.groups.is_empty() || output.activation != Activation::Sigmoid,
        "output.groups",
        "need labels that exclude each other; these are sigmoids",
    )
}

fn check_calibration(calibration: &Calibration, output: &Output) -> Result<()> {
    let hash = &calibration.graph_sha256;
    ensure(
        hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "calibration.graph_sha256",
        "is not a SHA-256 in lower-case hex (64 digits); `bedside inspect` prints the graph's",
    )?;
    check_rescaling(calibration, output.labels.len())?;
    for (id, threshold) in &calibration.thresholds {
        check_threshold(id, *threshold, output)?;
    }
    if let Some(action) = calibration.action {
        let field = "calibration.action";
        ensure(is_probability(action) && action > 0.0, field, "is not above 0 and at most 1")?;
        ensure(
            output.activation != Activation::Sigmoid,
            field,
            "needs labels that exclude each other; these are sigmoids",
        )?;
    }
    if let Some(quality) = &calibration.quality {
        check_quality(quality)?;
    }
    if let Some(novelty) = &calibration.novelty {
        novelty.check(output)?;
    }
    let Some(prevalence) = &calibration.prevalence else { return Ok(()) };
    let field = "calibration.prevalence";
    ensure(
        output.activation != Activation::Sigmoid,
        field,
        "needs labels that exclude each other; these are sigmoids",
    )?;
    ensure(
        prevalence.len() == output.labels.len(),
        field,
        &format!("has {} values for {} labels", prevalence.len(), output.labels.len()),
    )?;
    ensure(
        prevalence.iter().all(|&p| is_probability(p) && p > 0.0),
        field,
        "has a value that is not above 0 and at most 1",
    )?;
    let sum: f32 = prevalence.iter().sum();
    ensure((sum - 1.0).abs() <= PREVALENCE_TOLERANCE, field, &format!("sums to {sum}, not to 1"))
}

fn check_rescaling(calibration: &Calibration, labels: usize) -> Result<()> {
    let Calibration { temperature, scale, bias, .. } = calibration;
    if let Some(t) = temperature {
        ensure(t.is_finite() && *t > 0.0, "calibration.temperature", "is not a number above 0")?;
        ensure(scale.is_none() && bias.is_none(), "calibration.temperature", "does not go with `scale` or `bias`")?;
    }
    for (field, values) in [("calibration.scale", scale), ("calibration.bias", bias)] {
        let Some(values) = values else { continue };
        ensure(values.len() == labels, field, &format!("has {} values for {labels} labels", values.len()))?;
        ensure(values.iter().all(|v| v.is_finite()), field, "has a value that is not a finite number")?;
    }
    ensure(scale.iter().flatten().all(|&v| v > 0.0), "calibration.scale", "has a value that is not above 0")
}

fn check_threshold(id: &str, threshold: Threshold, output: &Output) -> Result<()> {
    let field = format!("calibration.thresholds.{id}");
    let is_grouped = output.groups.iter().any(|group| group.labels.iter().any(|label| label == id));
    let is_shown = output.groups.iter().any(|group| group.id == id)
        || output.labels.iter().any(|label| label.id == id) && !is_grouped;
    ensure(is_shown, &field, "is for no label outside groups, and no group")?;
    ensure(is_probability(threshold.at), &format!("{field}.at"), "is no probability, 0 to 1")?;
    let is_share = threshold.miss.is_none_or(|miss| miss > 0.0 && miss < 1.0);
    ensure(is_share, &format!("{field}.miss"), "is not above 0 and below 1")?;
    ensure(threshold.count != Some(0), &format!("{field}.count"), "is 0")
}

/// What is wrong with a text that has control characters: they could move a terminal's cursor, or fake another line.
pub(super) const CONTROL: &str = "has a control character; leave it out";

/// Checks that a text is not blank in any language, has each language once, and has no control characters. `lines` allows
/// line breaks.
fn check_text(field: &str, text: &Text, lines: bool) -> Result<()> {
    let mut seen = HashSet::new();
    for (tag, text) in text.entries() {
        let field = format!("{field}.{tag}");
        ensure(!text.trim().is_empty(), &field, "is empty; leave the language out")?;
        ensure(seen.insert(tag.to_ascii_lowercase()), &field, "repeats a language in another case")?;
        ensure(!text.contains(|c: char| c.is_control() && !(lines && c == '\n')), &field, CONTROL)?;
    }
    Ok(())
}

/// Checks that an id has at least one character, and only lower-case letters, digits, `_` and `-`.
fn check_id(field: &str, id: &str) -> Result<()> {
    let sound =
        !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    ensure(sound, field, &format!("is \"{id}\"; use lower-case letters, digits, `_` and `-`"))
}

/// Whether the value is in 0…1.
pub(crate) fn is_probability(value: f32) -> bool {
    (0.0..=1.0).contains(&value)
}

/// [`ErrorKind::InvalidManifest`] with the field and the problem unless `sound`.
pub(super) fn ensure(sound: bool, field: &str, problem: &str) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::new(ErrorKind::InvalidManifest, format!("manifest: `{field}` {problem}"))) }
}
