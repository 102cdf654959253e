//! The report of a classification: its fields, its JSON form and its text.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Triage, Verdict};

/// The notice that must be shown with each result.
pub const NOTICE: &str =
    "Research software, not a medical device. A result does not replace a clinician's examination.";

/// The report of a classification.
///
/// `Display` gives it as text for a person, [`to_json`](Report::to_json) as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What can't be excluded, among all labels.
    pub verdict: Verdict,
    /// What a person should do.
    pub triage: Triage,
    /// The labels that the query selects, in descending order of probability. Empty where the verdict is
    /// [`Verdict::Rejected`].
    pub findings: Vec<Finding>,
    /// The wall-clock time of each stage. In JSON: `timings_ms`, in milliseconds.
    #[serde(rename = "timings_ms")]
    pub timings: Timings,
    /// The model.
    pub model: ModelIdentity,
    /// The runtime that ran the model.
    pub runtime: RuntimeIdentity,
    /// [`NOTICE`]: show it with the result.
    pub notice: &'static str,
}

/// One label and its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The label's id.
    pub label: String,
    /// Its name in the query's language.
    pub name: String,
    /// The calibrated probability, 0…1, re-weighted where the query gives a prevalence.
    pub probability: f32,
    /// The label's operating point: the calibrated probability, 0…1, from which on the label can't be excluded.
    pub operating_point: f32,
    /// Whether the calibrated probability, before re-weighting, is at or over the operating point.
    pub over_operating_point: bool,
}

/// The wall-clock time of each stage of a classification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Decoding, rotating upright, cropping.
    pub decode: Duration,
    /// Resizing and normalising.
    pub preprocess: Duration,
    /// Running the graph. Zero where the picture was rejected.
    pub engine: Duration,
    /// Computing probabilities, verdict and findings.
    pub verdict: Duration,
    /// The whole call, which includes checking the query.
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

/// The identity of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelIdentity {
    /// The manifest's `name`.
    pub name: String,
    /// The manifest's `version`.
    pub version: String,
    /// The SHA-256 of the graph in hex: [`ModelFile::sha256`](bedside_engine::ModelFile::sha256).
    pub graph_sha256: String,
}

/// The identity of the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeIdentity {
    /// The crate's name, `bedside`.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
}

impl RuntimeIdentity {
    /// This build of the crate.
    pub(crate) const THIS: RuntimeIdentity = RuntimeIdentity { name: "bedside", version: env!("CARGO_PKG_VERSION") };
}

impl Report {
    /// The report as JSON, on one line.
    ///
    /// The keys are `verdict` (an object with `kind`, `labels`, `names` and `reasons`), `triage`, `findings`,
    /// `timings_ms`, `model`, `runtime` and `notice`. Enums are written as their `as_str()`, a verdict's `kind` as
    /// [`Verdict::kind`].
    ///
    /// ```no_run
    /// use bedside::{Answer, Classifier, Image, Options, Query};
    ///
    /// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let query = Query::new().answer("dermatoscope", Answer::Yes);
    /// let report = classifier.classify(&Image::open("models/samples/ISIC_0012258.jpg")?, &query)?;
    /// println!("{}", report.to_json());
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report has string keys and finite numbers only")
    }
}

/// The report as text for a person: verdict, triage, findings, times, model, [`NOTICE`]. The text is English, except
/// for the names of labels and the questions. The last line has no line break.
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

/// The first twelve characters of a hash, or the whole hash where it is shorter.
pub(crate) fn abbreviated(hash: &str) -> &str {
    match hash.char_indices().nth(12) {
        Some((end, _)) => &hash[..end],
        None => hash,
    }
}

/// The maximum width of a column, in characters, that Rust's formatting accepts.
const MAX_WIDTH: usize = u16::MAX as usize;

/// Writes a blank line and a table of the findings; nothing where there are none.
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

/// Writes a line with a heading, padded to 15 characters, and a text.
fn line(f: &mut fmt::Formatter<'_>, heading: &str, text: impl fmt::Display) -> fmt::Result {
    writeln!(f, "  {heading:<15} {text}")
}
