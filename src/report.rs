//! What a classification says.

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
    pub prepare: Duration,
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
        object.serialize_field("prepare", &ms(self.prepare))?;
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
    /// [`Graph::sha256`](bedside_engine::Graph::sha256).
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
