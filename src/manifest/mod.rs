//! The manifest: what a model says about itself, as JSON under the metadata key `bedside` of its ONNX or prepared file, or
//! in `model.json` beside it.
//!
//! The types here mirror `models/manifest.schema.json` field by field; `check.rs` says which values are sound. What
//! the graph has to say about it is checked where both meet, in `src/model/binding.rs`.

mod check;
mod text;

use std::path::Path;
use std::{fs, io};

use bedside_engine::{ModelFile, read_bounded};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Triage};

pub(crate) use check::SHARE_TOLERANCE;
pub use text::Text;

/// The metadata key of a model file under which the manifest stands.
pub const METADATA_KEY: &str = "bedside";

/// The file beside a bare graph that holds its manifest.
const FILE_BESIDE: &str = "model.json";

/// The largest manifest, in bytes of JSON: a golden picture fits many times.
pub const MAX_BYTES: u64 = 16 << 20;

/// The most values, of all kinds and depths, in a manifest: a thousand labels in ten languages have an eighth of it. A value
/// of three bytes takes hundreds in memory, in `provenance` at least.
const MAX_VALUES: usize = 1 << 17;

/// The JSON Schema of the manifest, `models/manifest.schema.json`.
pub const SCHEMA: &str = include_str!("../../models/manifest.schema.json");

/// A label's operating point where the manifest gives none.
pub const DEFAULT_OPERATING_POINT: f32 = 0.5;

/// What a model says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the manifest's form: `1.0`.
    pub bedside: String,
    /// Fields that a runtime must know to serve this model, as dotted paths (`calibration.temperature`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// What the outputs are.
    pub kind: Kind,
    /// A short name: lower-case letters, digits, underscores and hyphens.
    pub name: String,
    /// The model's own version.
    pub version: String,
    /// The licence of the weights, an SPDX expression where there is one.
    pub license: String,
    /// What to call it on a screen.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// What it is meant for.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub intended_use: Text,
    /// What it must not be used for.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub not_for: Text,
    /// Where data and weights come from; free form.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub provenance: serde_json::Map<String, serde_json::Value>,
    /// Questions whose answers say whether a picture is one that the model was made for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<ScopeQuestion>,
    /// What the graph takes.
    pub input: Input,
    /// What the graph gives.
    pub output: Output,
    /// What was fitted after training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// A sample and the scores it must give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<Golden>,
}

/// What a model's outputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// One score a label.
    Scores,
}

/// A question about the picture or the person, asked before a result is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScopeQuestion {
    /// The name by which it is answered.
    pub id: String,
    /// The question, for a screen. Without one the `id` is shown.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub question: Text,
    /// Whether leaving it open rejects.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The least number that is in scope. With `min` or `max` the answer is a number, else yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest number that is in scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl ScopeQuestion {
    /// Whether the answer is a number; else it is yes or no.
    #[must_use]
    pub fn takes_number(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }
}

/// The graph's input and how a picture becomes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The tensor's name. May be left out where the graph has one input only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// The order of the channels.
    pub color: Color,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How a picture comes to that size.
    pub resize: Resize,
    /// What is subtracted from each channel of a value scaled to 0…1; one value for grey.
    pub mean: Vec<f32>,
    /// What each channel is divided by after that.
    pub std: Vec<f32>,
}

/// Channel order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel, ITU-R 601 luma.
    Gray,
}

impl Color {
    /// How many channels.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Color::Rgb | Color::Bgr => 3,
            Color::Gray => 1,
        }
    }
}

/// How a picture comes to the input's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resize {
    /// The policy.
    pub policy: ResizePolicy,
    /// With [`ResizePolicy::Crop`]: the length, in pixels, to which the picture's shorter side is brought before the
    /// middle is cut out. The larger of the input's sides unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shorter_side: Option<u32>,
    /// The filter.
    #[serde(default)]
    pub filter: Filter,
    /// With [`ResizePolicy::Letterbox`]: the grey level, 0…255, of the bars. Black unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<u8>,
}

/// What happens to the aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizePolicy {
    /// The whole picture is brought to the input's size, its aspect ratio lost.
    Stretch,
    /// The shorter side is brought to `shorter_side`, then the middle is cut out.
    Crop,
    /// The whole picture is fitted inside, with bars on two sides.
    Letterbox,
}

/// A resampling filter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Filter {
    /// Triangle, widened by the reduction as Pillow's `BILINEAR` is.
    #[default]
    Bilinear,
}

/// The graph's output and what it means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The tensor's name. May be left out where the graph has one output only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// What makes the tensor's values probabilities.
    pub activation: Activation,
    /// With [`Activation::None`]: whether labels exclude each other (`false`) or not. Read from the graph's last
    /// operator unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_label: Option<bool>,
    /// One label a value, in the tensor's order.
    pub labels: Vec<Label>,
}

/// What makes scores probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Softmax over all labels: they exclude each other.
    Softmax,
    /// A sigmoid each: any number of labels may hold.
    Sigmoid,
    /// The graph gives probabilities already.
    None,
}

/// One thing that the model can name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// A stable name: lower-case letters, digits, underscores and hyphens.
    pub id: String,
    /// What to call it on a screen.
    pub name: Text,
    /// The calibrated probability from which on the label can't be excluded: 0…1,
    /// [`DEFAULT_OPERATING_POINT`] unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_point: Option<f32>,
    /// What a person should do about it: any level but [`Triage::Unassessed`]; [`Triage::Refer`] unless given.
    #[serde(default)]
    pub triage: Triage,
}

impl Label {
    /// What to call it on a screen, in this language or the next best.
    #[must_use]
    pub fn name_in(&self, language: &str) -> &str {
        self.name.get(language).unwrap_or(&self.id)
    }

    /// The operating point, given or default.
    #[must_use]
    pub fn operating_point(&self) -> f32 {
        self.operating_point.unwrap_or(DEFAULT_OPERATING_POINT)
    }
}

/// What was fitted after training, on the very graph it stands beside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// [`ModelFile::sha256`](bedside_engine::ModelFile::sha256) of the graph it was fitted on, in hex. Another graph is an
    /// error.
    pub graph_sha256: String,
    /// Which data it was fitted on; free form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted_on: Option<String>,
    /// What logits are divided by (Guo et al. 2017). 1 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// The share of each label in the data it was fitted on, in the labels' order; they sum to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevalence: Option<Vec<f32>>,
}

/// A sample and the scores that it must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// Who measured the scores.
    pub by: GoldenBy,
    /// The picture.
    pub input: GoldenInput,
    /// One value a label, in the labels' order: probabilities before temperature. A device's own must be within 0.02 of
    /// them, label by label.
    pub scores: Vec<f32>,
}

/// Who measured golden scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoldenBy {
    /// The lab's own runtime.
    Lab,
    /// Bedside itself, when the model was packed: this shows only that nothing changed since.
    #[serde(rename = "self")]
    Itself,
}

impl GoldenBy {
    /// The name that the manifest uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            GoldenBy::Lab => "lab",
            GoldenBy::Itself => "self",
        }
    }
}

/// The golden sample's picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenInput {
    /// An encoded picture (JPEG, PNG, …), in base64.
    pub image: String,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// Fields that this version does not know are logged and passed over, unless `requires` lists them.
    ///
    /// # Errors
    /// [`Error::InvalidManifest`] names the field; [`Error::TooLarge`] where the text is longer than [`MAX_BYTES`] or has
    /// more than 131,072 values.
    pub fn from_json(json: &str) -> Result<Manifest> {
        check_size(json)?;
        let mut unknown = Vec::new();
        let manifest = read(json, &mut unknown)?;
        check_forms(json, &manifest)?;
        for field in &unknown {
            log::warn!("the manifest's field `{field}` is not known to this version and is passed over");
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest of a model file: the one in its metadata, else, where `path` says where the file lies, `model.json`
    /// beside it.
    ///
    /// # Errors
    /// [`Error::InvalidManifest`] where there is none or it is unsound; [`Error::Io`]; [`Error::TooLarge`].
    pub fn of(file: &ModelFile, path: Option<&Path>) -> Result<Manifest> {
        if let Some(json) = file.metadata(METADATA_KEY) {
            return Manifest::from_json(json);
        }
        match path.map(|path| text_of(&path.with_file_name(FILE_BESIDE))) {
            None | Some(Ok(None)) => Err(Error::InvalidManifest(format!(
                "the model has no manifest, neither under the metadata key `{METADATA_KEY}` nor in {FILE_BESIDE} beside it; \
                 write one and run `bedside pack`"
            ))),
            Some(Ok(Some(json))) => Manifest::from_json(&json).map_err(|error| error.in_file(FILE_BESIDE)),
            Some(Err(error)) => Err(error),
        }
    }

    /// The manifest as JSON, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a manifest has string keys and finite numbers only")
    }

    /// What to call the model on a screen.
    #[must_use]
    pub fn title(&self, language: &str) -> &str {
        self.title.get(language).unwrap_or(&self.name)
    }
}

/// The text of a manifest's file; `None` where there is no such file. Nobody named this one, so that none waits for what
/// comes out of a pipe.
fn text_of(path: &Path) -> Result<Option<String>> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(Error::io(path, io::Error::other("this is a device, a pipe or a socket; give a file")));
    }
    let bytes = match read_bounded(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => return Ok(None),
            io::ErrorKind::FileTooLarge => {
                return Err(Error::TooLarge(format!("{}: the manifest has {error}", path.display())));
            }
            _ => return Err(Error::io(path, error)),
        },
    };
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| Error::InvalidManifest(format!("{FILE_BESIDE}: the manifest is not UTF-8 text")))
}

/// Holds the text against the bounds, before anything is made of it.
fn check_size(json: &str) -> Result<()> {
    if json.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge(format!("the manifest has {} bytes; the limit is {MAX_BYTES}", json.len())));
    }
    // Each value but the outermost stands behind one of these; those inside of texts count too.
    let values = json.bytes().filter(|byte| b"[{,".contains(byte)).count();
    if values > MAX_VALUES {
        return Err(Error::TooLarge(format!(
            "the manifest has some {values} values, counted by `[`, `{{` and `,`; the limit is {MAX_VALUES}, so leave some out"
        )));
    }
    Ok(())
}

/// Reads the JSON text; `unknown` receives the dotted paths of fields that no type here has.
fn read(json: &str, unknown: &mut Vec<String>) -> Result<Manifest> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let manifest = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string()))
        .map_err(|error: serde_json::Error| invalid_json(&track.path().to_string(), &error))?;
    deserializer.end().map_err(|error| invalid_json(".", &error))?;
    Ok(manifest)
}

/// Refuses what serde takes and the schema does not: `null`, which would be taken for a field that is left out, and a list
/// in the place of an object.
fn check_forms(json: &str, manifest: &Manifest) -> Result<()> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| invalid_json(".", &error))?;
    let mut fields = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "provenance");
    if let Some(path) = fields.find_map(|(name, value)| null_in(name.clone(), value)) {
        return Err(Error::InvalidManifest(format!("manifest: `{path}` is null; leave the field out instead")));
    }
    let own = serde_json::to_value(manifest).expect("a manifest has string keys");
    match list_in(String::new(), &own, &value) {
        None => Ok(()),
        Some(path) => Err(Error::InvalidManifest(format!(
            "manifest: `{}` is a list; write an object, with the names of its fields",
            path.trim_start_matches('.')
        ))),
    }
}

/// The path of a list in `value` where `own`, which was read from it, has an object. Both stand at `path`.
fn list_in(path: String, own: &serde_json::Value, value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match (own, value) {
        (Value::Object(_), Value::Array(_)) => Some(path),
        (Value::Object(own), Value::Object(given)) => {
            own.iter().find_map(|(name, own)| list_in(format!("{path}.{name}"), own, given.get(name)?))
        }
        (Value::Array(own), Value::Array(given)) => {
            own.iter().zip(given).enumerate().find_map(|(i, (own, given))| list_in(format!("{path}[{i}]"), own, given))
        }
        _ => None,
    }
}

/// The path of a null in `value`, which stands at `path`.
fn null_in(path: String, value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::Null => Some(path),
        Value::Array(items) => items.iter().enumerate().find_map(|(i, item)| null_in(format!("{path}[{i}]"), item)),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| null_in(format!("{path}.{name}"), field)),
        _ => None,
    }
}

fn invalid_json(path: &str, error: &serde_json::Error) -> Error {
    let field = if path == "." { String::new() } else { format!("field `{path}`: ") };
    Error::InvalidManifest(format!("manifest: {field}{error}"))
}
