//! The report of a classification: its fields, its JSON form and its text.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::geometry::intersection;
use crate::image::Placement;
use crate::words::{ENGLISH, words};
use crate::{DangerSign, DecidedBy, Heatmap, Novelty, Quality, Triage, Verdict, Warning};

/// The notice that must be shown with each result, in English.
pub const NOTICE: &str = ENGLISH.app_notice;

/// [`NOTICE`] in a language, a BCP 47 tag: in its base language where there is that, else in English.
///
/// ```
/// use bedside::{NOTICE, notice};
///
/// assert_eq!(notice("uk-UA"), "Дослідницька програма, не медичний виріб. Результат не замінює огляду лікаря.");
/// assert_eq!(notice("fr"), NOTICE);
/// ```
#[must_use]
pub fn notice(language: &str) -> &'static str {
    words(language).app_notice
}

/// The report of a classification.
///
/// `Display` gives it as text for a person, [`to_json`](Report::to_json) as JSON, which serde reads back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// What can't be excluded, among all labels.
    pub verdict: Verdict,
    /// The headline: the verdict as a sentence in the query's language, without the labels whose level is
    /// [`Triage::NoSign`].
    pub summary: String,
    /// What a person should do.
    pub triage: Triage,
    /// What decided the triage.
    pub decided_by: DecidedBy,
    /// The triage as a sentence, in the query's language: the manifest's, or that of [`Triage::advice`].
    pub advice: String,
    /// The danger signs that the query's answers state, in the order of the questions.
    pub danger: Vec<DangerSign>,
    /// The labels that the query selects, in descending order of probability, and where it is equal in the manifest's
    /// order. Empty where the verdict is [`Verdict::Rejected`].
    pub findings: Vec<Finding>,
    /// The measures of the picture, also where the manifest has no limits for them or the verdict is
    /// [`Verdict::Rejected`]. `None` only where no picture was decoded.
    pub quality: Option<Quality>,
    /// What to know of the picture, whatever the verdict is. Empty where no picture was decoded.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Which part of the picture was looked at, and how large it is. `None` only where no picture was decoded.
    pub geometry: Option<Geometry>,
    /// How unlike the pictures that the model was made for this one is; `None` where the model does not tell, and where
    /// the graph did not run.
    pub novelty: Option<Novelty>,
    /// The heatmap that the query asks for. `None` where it asks for none, or the verdict is [`Verdict::Rejected`]. In
    /// JSON it is left out then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heatmap: Option<Heatmap>,
    /// The wall-clock time of each stage. In JSON: `timings_ms`, in milliseconds.
    #[serde(rename = "timings_ms")]
    pub timings: Timings,
    /// The model.
    pub model: ModelIdentity,
    /// The runtime that ran the model.
    pub runtime: RuntimeIdentity,
    /// The [`notice`], in the query's language: show it with the result.
    pub notice: Cow<'static, str>,
}

/// One label and its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// Which part of a picture was looked at, in pixels as they are stored: before the EXIF orientation and any rotation,
/// cropping and reduction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Geometry {
    /// The width and height of the stored picture.
    pub picture: [u32; 2],
    /// The part that was decoded: left, top, right and bottom edge. It is the whole picture, or the query's region, or of an
    /// ultrasound frame of DICOM its tissue. The network need not have seen all of it, where the model crops.
    pub region: [f64; 4],
    /// Millimetres from column to column and from row to row of the stored picture, each above 0; `None` where the file does
    /// not say. Only DICOM files say. Of an ultrasound frame they hold in the part that was decoded.
    pub spacing_mm: Option<[f64; 2]>,
    /// Whether the spacing is known to be that of a detector behind the body (Imager Pixel Spacing, PS3.3 10.7.1.1), so that
    /// lengths in the body are less. Where it is not, it may be so all the same: many files don't say how it was calibrated.
    pub spacing_at_detector: bool,
}

impl Geometry {
    /// Of a decoded picture of `size` (width, height), and where it lies in the stored one.
    pub(crate) fn of((width, height): (u32, u32), placement: &Placement) -> Geometry {
        let picture = [placement.stored.0, placement.stored.1];
        let decoded = placement.to_stored.rectangle([0.0, 0.0, f64::from(width), f64::from(height)]);
        Geometry {
            picture,
            // A reduced picture's last pixels may lie over the edge in part.
            region: intersection(decoded, [0.0, 0.0, f64::from(picture[0]), f64::from(picture[1])]),
            spacing_mm: placement.facts.spacing,
            spacing_at_detector: placement.facts.is_spacing_of_detector,
        }
    }
}

/// The wall-clock time of each stage of a classification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timings {
    /// Decoding, rotating upright, cropping.
    #[serde(with = "milliseconds")]
    pub decode: Duration,
    /// Resizing, normalising, and measuring the quality.
    #[serde(with = "milliseconds")]
    pub preprocess: Duration,
    /// Running the graph. Zero where the picture was rejected.
    #[serde(with = "milliseconds")]
    pub engine: Duration,
    /// Computing probabilities, verdict and findings.
    #[serde(with = "milliseconds")]
    pub verdict: Duration,
    /// The whole call, which includes checking the query.
    #[serde(with = "milliseconds")]
    pub total: Duration,
}

/// Durations in JSON: milliseconds, to the microsecond.
mod milliseconds {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let milliseconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(milliseconds / 1e3).map_err(serde::de::Error::custom)
    }
}

/// The identity of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelIdentity {
    /// The manifest's `name`.
    pub name: String,
    /// The manifest's `version`.
    pub version: String,
    /// The SHA-256 of the ONNX graph, as 64 lowercase hex digits: of the field `graph` of the ONNX file, without
    /// metadata. A prepared model has that of the graph that it was made from.
    pub graph_sha256: String,
}

/// The identity of the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RuntimeIdentity {
    /// The crate's name, `bedside`.
    pub name: Cow<'static, str>,
    /// The crate's version.
    pub version: Cow<'static, str>,
}

impl RuntimeIdentity {
    /// This build of the crate.
    pub(crate) fn this() -> RuntimeIdentity {
        RuntimeIdentity { name: Cow::Borrowed("bedside"), version: Cow::Borrowed(env!("CARGO_PKG_VERSION")) }
    }
}

impl Report {
    /// The report as JSON, on one line.
    ///
    /// The keys are `verdict` (an object with `kind`, `labels`, `names` and `reasons`), `summary`, `triage`, `advice`,
    /// `danger`, `findings`, `quality`, `warnings`, `geometry`, `novelty`, `heatmap` (where the query asks for one), `timings_ms`, `model`, `runtime` and `notice`.
    /// Enums are written as their `as_str()`, a verdict's
    /// `kind` as [`Verdict::kind`].
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// use bedside::{Answer, Classifier, Image, Options, Query};
    ///
    /// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);
    /// let report = classifier.classify(&Image::open("models/samples/ISIC_0012258.jpg")?, &query)?;
    /// println!("{}", report.to_json());
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report's keys are strings")
    }
}

/// The report as text for a person: verdict, triage, findings, times, model, notice. Headings are English, sentences
/// and names in the query's language. The last line has no line break.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "Verdict", &self.summary)?;
        for reason in self.verdict.reasons() {
            line(f, "", &reason.message)?;
        }
        line(f, "Triage", format_args!("{}  {}", self.triage.as_str().to_uppercase().replace('_', " "), self.advice))?;
        line(f, "Decided by", self.decided_by.as_str().replace('_', " "))?;
        for sign in &self.danger {
            line(f, "Danger sign", format_args!("{}  yes", sign.question))?;
        }
        for warning in &self.warnings {
            line(f, "Warning", &warning.message)?;
        }
        let table = findings_table(&self.findings);
        if !table.is_empty() {
            writeln!(f, "\n{}", table.join("\n"))?;
        }
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
#[must_use]
pub fn abbreviated(hash: &str) -> &str {
    match hash.char_indices().nth(12) {
        Some((end, _)) => &hash[..end],
        None => hash,
    }
}

/// The maximum width of a column, in characters, that Rust's formatting accepts.
pub const MAX_WIDTH: usize = u16::MAX as usize;

/// The table of the findings as text, one line after the other; the first is the heading. Empty where there are none.
#[must_use]
pub fn findings_table(findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return Vec::new();
    }
    let width = findings.iter().map(|f| f.name.chars().count()).max().unwrap_or(0).clamp("Finding".len(), MAX_WIDTH);
    let heading = format!("  {:<width$}  {:>11}  {:>15}", "Finding", "Probability", "Operating point");
    let row = |finding: &Finding| {
        let (probability, point) = (finding.probability * 100.0, finding.operating_point * 100.0);
        let reached = if finding.over_operating_point { "  reached" } else { "" };
        format!("  {:<width$}  {probability:>9.1} %  {point:>13.1} %{reached}", finding.name)
    };
    [heading].into_iter().chain(findings.iter().map(row)).collect()
}

/// Writes a line with a heading, padded to 15 characters, and a text.
fn line(f: &mut fmt::Formatter<'_>, heading: &str, text: impl fmt::Display) -> fmt::Result {
    writeln!(f, "  {heading:<15} {text}")
}
