//! What a classification says.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Triage, Verdict};

/// What must stand wherever a result is shown.
pub const NOTICE: &str =
    "Research software, not a medical device. A result does not replace a clinician's examination.";

/// What a classification says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What can't be excluded, from all labels.
    pub verdict: Verdict,
    /// What a person should do.
    pub triage: Triage,
    /// The labels that the query asked for, likeliest first. Empty where the verdict is [`Verdict::Rejected`].
    pub findings: Vec<Finding>,
    /// How long each stage took. As JSON: `timings_ms`, in milliseconds.
    #[serde(rename = "timings_ms")]
    pub timings: Timings,
    /// The model that said so.
    pub model: ModelIdentity,
    /// The runtime that ran it.
    pub runtime: RuntimeIdentity,
    /// [`NOTICE`].
    pub notice: &'static str,
}

/// One label and how probable it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The label's id.
    pub label: String,
    /// Its name in the query's language.
    pub name: String,
    /// The calibrated probability, 0…1, re-weighted where the query gives a prevalence.
    pub probability: f32,
    /// The calibrated probability, 0…1, from which on the label can't be excluded.
    pub operating_point: f32,
    /// Whether the calibrated probability, not re-weighted, is at or over the label's operating point.
    pub over_operating_point: bool,
}

/// How long each stage took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Decoding, orienting, cropping.
    pub decode: Duration,
    /// Resizing and normalising.
    pub preprocess: Duration,
    /// The graph. Zero where a picture was rejected before it.
    pub engine: Duration,
    /// Probabilities, verdict, findings.
    pub verdict: Duration,
    /// All of it.
    pub total: Duration,
}

impl Serialize for Timings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
        let mut object = serializer.serialize_struct("Timings", 5)?;
        object.serialize_field("decode", &ms(self.decode))?;
        object.serialize_field("preprocess", &ms(self.preprocess))?;
        object.serialize_field("engine", &ms(self.engine))?;
        object.serialize_field("verdict", &ms(self.verdict))?;
        object.serialize_field("total", &ms(self.total))?;
        object.end()
    }
}

/// Which model it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelIdentity {
    /// The manifest's `name`.
    pub name: String,
    /// The manifest's `version`.
    pub version: String,
    /// [`ModelFile::sha256`](bedside_engine::ModelFile::sha256).
    pub graph_sha256: String,
}

/// Which runtime it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeIdentity {
    /// `bedside`.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
}

impl RuntimeIdentity {
    pub(crate) const THIS: RuntimeIdentity = RuntimeIdentity { name: "bedside", version: env!("CARGO_PKG_VERSION") };
}

impl Report {
    /// The report as JSON, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report has string keys and finite numbers only")
    }
}

/// The report in words, for a person to read: verdict, triage, findings, times, model, [`NOTICE`]. In English, but for
/// names and questions; the last line has no line break.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "Verdict", &self.verdict)?;
        for reason in self.verdict.reasons() {
            let question = reason.question.as_deref().unwrap_or_default();
            line(f, "", format_args!("{question} {}", reason.message))?;
        }
        line(
            f,
            "Triage",
            format_args!("{}  {}", self.triage.as_str().to_uppercase().replace('_', " "), self.triage.advice()),
        )?;
        write_findings(f, &self.findings)?;
        writeln!(f)?;
        let (t, ms) = (&self.timings, |duration: Duration| duration.as_secs_f64() * 1e3);
        let (total, decode, preprocess, engine) = (ms(t.total), ms(t.decode), ms(t.preprocess), ms(t.engine));
        let parts = format_args!("(decode {decode:.1}, preprocess {preprocess:.1}, engine {engine:.1})");
        line(f, "Time", format_args!("{total:.1} ms {parts}"))?;
        let (model, runtime) = (&self.model, &self.runtime);
        let graph = abbreviated(&model.graph_sha256);
        let of_model = format_args!("{} {} (graph {graph})", model.name, model.version);
        line(f, "Model", format_args!("{of_model}, {} {}", runtime.name, runtime.version))?;
        write!(f, "\n{}", self.notice)
    }
}

/// The first twelve characters of a hash, or what there is of it.
pub(crate) fn abbreviated(hash: &str) -> &str {
    match hash.char_indices().nth(12) {
        Some((end, _)) => &hash[..end],
        None => hash,
    }
}

/// The widest column, in characters: Rust's formatting takes no more.
const MAX_WIDTH: usize = u16::MAX as usize;

/// A table of the findings, after a blank line; nothing where there are none.
fn write_findings(f: &mut fmt::Formatter<'_>, findings: &[Finding]) -> fmt::Result {
    if findings.is_empty() {
        return Ok(());
    }
    let width = findings.iter().map(|f| f.name.chars().count()).max().unwrap_or(0).clamp("Finding".len(), MAX_WIDTH);
    writeln!(f, "\n  {:<width$}  {:>11}  {:>15}", "Finding", "Probability", "Operating point")?;
    for finding in findings {
        let (probability, point) = (finding.probability * 100.0, finding.operating_point * 100.0);
        let reached = if finding.over_operating_point { "  reached" } else { "" };
        writeln!(f, "  {:<width$}  {probability:>9.1} %  {point:>13.1} %{reached}", finding.name)?;
    }
    Ok(())
}

/// A heading and what it is about.
fn line(f: &mut fmt::Formatter<'_>, heading: &str, text: impl fmt::Display) -> fmt::Result {
    writeln!(f, "  {heading:<15} {text}")
}
