//! The manifest: a model's description of itself, as JSON under the metadata key `bedside` of its ONNX or prepared
//! file, or in `model.json` beside the file.
//!
//! The types have the fields of `models/manifest.schema.json`, which is also [`SCHEMA`]. [`Manifest::from_json`] checks
//! the values; [`Binding::new`](crate::Binding::new) checks them against the graph.

mod check;
mod text;

use std::path::Path;
use std::{fs, io};

use bedside_engine::{ModelFile, read_bounded};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Triage};

pub(crate) use check::PREVALENCE_TOLERANCE;
pub use text::Text;

/// The metadata key of a model file whose value is the manifest.
pub const METADATA_KEY: &str = "bedside";

/// The name of the manifest's file beside a model file that has none in its metadata.
const FILE_BESIDE: &str = "model.json";

/// The maximum length of a manifest, in bytes of JSON: 16 MiB, many times that of a golden picture.
pub const MAX_BYTES: u64 = 16 << 20;

/// The maximum number of JSON values in a manifest, of all kinds and at all depths: eight times what a thousand labels
/// in ten languages take. It bounds memory, since a value of three bytes of JSON takes hundreds of bytes in
/// `provenance`.
const MAX_VALUES: usize = 1 << 17;

/// The JSON Schema of the manifest, `models/manifest.schema.json`.
pub const SCHEMA: &str = include_str!("../../models/manifest.schema.json");

/// The operating point of a label whose manifest gives none.
pub const DEFAULT_OPERATING_POINT: f32 = 0.5;

/// A model's description of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the manifest's form, `1` or `1.x`; now `1.0`.
    pub bedside: String,
    /// The fields that a runtime must know to run this model, as dotted paths (`calibration.temperature`). A runtime
    /// that does not know one must refuse the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The kind of the outputs.
    pub kind: Kind,
    /// A short name, of lower-case letters, digits, underscores and hyphens.
    pub name: String,
    /// The version of the model.
    pub version: String,
    /// The licence of the weights, an SPDX expression where there is one.
    pub license: String,
    /// The name to show on a screen.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// The intended use.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub intended_use: Text,
    /// The uses that are excluded.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub not_for: Text,
    /// The origin of data and weights, in free form.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub provenance: serde_json::Map<String, serde_json::Value>,
    /// Questions whose answers say whether the model was made for a picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<ScopeQuestion>,
    /// The graph's input.
    pub input: Input,
    /// The graph's output.
    pub output: Output,
    /// The calibration, which was fitted after training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// A sample picture and the scores that it must give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<Golden>,
}

/// The kind of a model's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// One score for each label.
    Scores,
}

/// A scope question: a question about the picture or the person, to be answered before a result is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScopeQuestion {
    /// The id under which [`Query::answers`](crate::Query::answers) has the answer: lower-case letters, digits,
    /// underscores and hyphens.
    pub id: String,
    /// The text to show on a screen; the `id` where there is none.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub question: Text,
    /// Whether a picture is rejected where the question is not answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The minimum number that is in scope. A question with `min` or `max` takes a number, any other one yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The maximum number that is in scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl ScopeQuestion {
    /// Whether the answer is a number, rather than yes or no.
    #[must_use]
    pub fn takes_number(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }
}

/// The graph's input, and how it is computed from a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The name of the input tensor; may be left out where the graph has one input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// The channels and their order.
    pub color: Color,
    /// The width in pixels, 1…4096.
    pub width: u32,
    /// The height in pixels, 1…4096.
    pub height: u32,
    /// How a picture is resized to `width` × `height`.
    pub resize: Resize,
    /// The mean of each channel, one value for each channel in the order of `color`. A sample v of 0…255 becomes (v /
    /// 255 - mean) / std.
    pub mean: Vec<f32>,
    /// The standard deviation of each channel, above 0.
    pub std: Vec<f32>,
}

/// The channels of an input and their order.
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
    /// The number of channels, 3 or 1.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Color::Rgb | Color::Bgr => 3,
            Color::Gray => 1,
        }
    }
}

/// How a picture is resized to the input's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resize {
    /// What happens to the aspect ratio.
    pub policy: ResizePolicy,
    /// With [`ResizePolicy::Crop`] only: the length, in pixels, to which the picture's shorter side is resized before
    /// the crop, from the larger of the input's sides to 4096. By default the larger of the input's sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shorter_side: Option<u32>,
    /// The resampling filter.
    #[serde(default)]
    pub filter: Filter,
    /// With [`ResizePolicy::Letterbox`] only: the level of all channels in the bars, 0…255. By default 0, black.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<u8>,
}

/// What happens to the aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizePolicy {
    /// The picture is resized to the input's size, and the aspect ratio is not kept.
    Stretch,
    /// The picture is resized so that its shorter side is `shorter_side`, and cropped to the input's size at the
    /// centre: `Resize` and `CenterCrop` of torchvision.
    Crop,
    /// The picture is resized to fit inside the input's size with its aspect ratio kept, and centred, with bars on two
    /// sides: Pillow's `ImageOps.pad`.
    Letterbox,
}

/// A resampling filter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Filter {
    /// A triangle filter with antialiasing: Pillow's `BILINEAR`.
    #[default]
    Bilinear,
}

/// The graph's output, and what its values mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The name of the output tensor; may be left out where the graph has one output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// The function that makes the tensor's values probabilities.
    pub activation: Activation,
    /// With [`Activation::None`] only: `false` where labels exclude each other, `true` where they don't. By default it
    /// follows from the graph's last operator, Softmax or Sigmoid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_label: Option<bool>,
    /// The labels, one for each value of the tensor, in its order.
    pub labels: Vec<Label>,
}

/// The function that makes output values probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Softmax over all labels: they exclude each other.
    Softmax,
    /// A sigmoid for each label: labels do not exclude each other.
    Sigmoid,
    /// None: the graph gives probabilities.
    None,
}

/// A label: one class that the model knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The label's id, of lower-case letters, digits, underscores and hyphens.
    pub id: String,
    /// The name to show on a screen.
    pub name: Text,
    /// The calibrated probability, 0…1, from which on the label can't be excluded; [`DEFAULT_OPERATING_POINT`] by
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_point: Option<f32>,
    /// What a person should do where the label can't be excluded; [`Triage::Refer`] by default. [`Triage::Unassessed`]
    /// is invalid.
    #[serde(default)]
    pub triage: Triage,
}

impl Label {
    /// The name to show on a screen in a language, with the fallbacks of [`Text::get`]; the id where there is no name.
    #[must_use]
    pub fn name_in(&self, language: &str) -> &str {
        self.name.get(language).unwrap_or(&self.id)
    }

    /// The label's operating point, or the default one.
    #[must_use]
    pub fn operating_point(&self) -> f32 {
        self.operating_point.unwrap_or(DEFAULT_OPERATING_POINT)
    }
}

/// The calibration, which was fitted after training on the graph that has this manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The SHA-256 of the graph that it was fitted on, 64 lower-case hex digits:
    /// [`ModelFile::sha256`](bedside_engine::ModelFile::sha256). A manifest beside another graph is an error.
    pub graph_sha256: String,
    /// The data that it was fitted on, in free form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted_on: Option<String>,
    /// The temperature, above 0, by which logits are divided (Guo et al. 2017); 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// The prevalence of each label in the data that it was fitted on, in the labels' order: fractions above 0 that sum
    /// to 1 within 0.01. Only where labels exclude each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevalence: Option<Vec<f32>>,
}

/// A sample picture and the scores that it must give. See [`Classifier::self_test`](crate::Classifier::self_test).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// The runtime that measured the scores.
    pub by: GoldenBy,
    /// The picture.
    pub input: GoldenInput,
    /// The probability of each label before temperature, 0…1, in the labels' order. The scores on a device must be
    /// within 0.02 of them, label by label.
    pub scores: Vec<f32>,
}

/// The runtime that measured golden scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoldenBy {
    /// The runtime of the lab that made the model.
    Lab,
    /// Bedside, when the model was packed: a self-test shows only that the scores have not changed since.
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
    /// An encoded picture (JPEG, PNG, …) in base64.
    pub image: String,
}

impl Manifest {
    /// Parses a manifest and checks its values.
    ///
    /// Fields that this version does not know are logged at level `warn` and ignored, unless `requires` lists them.
    ///
    /// ```
    /// use bedside::{Manifest, Triage};
    ///
    /// let manifest = Manifest::from_json(
    ///     r#"{
    ///         "bedside": "1.0",
    ///         "kind": "scores",
    ///         "name": "moles",
    ///         "version": "1.0.0",
    ///         "license": "CC0-1.0",
    ///         "input": {
    ///             "color": "rgb",
    ///             "width": 224,
    ///             "height": 224,
    ///             "resize": {"policy": "stretch"},
    ///             "mean": [0.485, 0.456, 0.406],
    ///             "std": [0.229, 0.224, 0.225]
    ///         },
    ///         "output": {
    ///             "activation": "softmax",
    ///             "labels": [
    ///                 {"id": "melanoma", "name": {"en": "Melanoma"}, "operating_point": 0.1, "triage": "urgent"},
    ///                 {"id": "nevus", "name": {"en": "Nevus"}, "triage": "no_sign"}
    ///             ]
    ///         }
    ///     }"#,
    /// )?;
    /// assert_eq!(manifest.output.labels[0].triage, Triage::Urgent);
    /// assert_eq!(manifest.output.labels[1].operating_point(), 0.5);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidManifest`], whose text names the field; [`Error::TooLarge`] where the text is longer than
    /// [`MAX_BYTES`] or has more than 131,072 values.
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

    /// The manifest of a model file: the one in its metadata, else `model.json` in the folder of `path`, the path of
    /// the file. Without a path, the manifest must be in the metadata.
    ///
    /// # Errors
    /// [`Error::InvalidManifest`] where there is no manifest, or [`from_json`](Manifest::from_json) refuses it;
    /// [`Error::Io`] where `model.json` can't be read, or is a pipe, a device or a socket; [`Error::TooLarge`].
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

    /// The manifest as JSON, on one line. Fields with default values may be left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a manifest has string keys and finite numbers only")
    }

    /// The model's name to show on a screen in a language, with the fallbacks of [`Text::get`]; [`Manifest::name`]
    /// where there is no title.
    #[must_use]
    pub fn title(&self, language: &str) -> &str {
        self.title.get(language).unwrap_or(&self.name)
    }
}

/// The text of a manifest's file; `None` where there is no such file.
///
/// The caller did not name this path, so a pipe, a device or a socket in its place is an error: reading one can block.
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

/// Checks the length and the number of values of the text before it is parsed.
fn check_size(json: &str) -> Result<()> {
    if json.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge(format!("the manifest has {} bytes; the limit is {MAX_BYTES}", json.len())));
    }
    // Each value except the outermost follows one of these bytes. Those inside strings count too.
    let values = json.bytes().filter(|byte| b"[{,".contains(byte)).count();
    if values > MAX_VALUES {
        return Err(Error::TooLarge(format!(
            "the manifest has some {values} values, counted by `[`, `{{` and `,`; the limit is {MAX_VALUES}, so leave some out"
        )));
    }
    Ok(())
}

/// Parses the JSON text. The dotted paths of fields that the types do not have are appended to `unknown`.
fn read(json: &str, unknown: &mut Vec<String>) -> Result<Manifest> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let manifest = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string()))
        .map_err(|error: serde_json::Error| invalid_json(&track.path().to_string(), &error))?;
    deserializer.end().map_err(|error| invalid_json(".", &error))?;
    Ok(manifest)
}

/// Refuses what serde accepts and the schema does not: `null`, which serde takes as a missing field, and a list in
/// place of an object.
fn check_forms(json: &str, manifest: &Manifest) -> Result<()> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| invalid_json(".", &error))?;
    let mut fields = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "provenance");
    if let Some(path) = fields.find_map(|(name, value)| null_in(name.clone(), value)) {
        return Err(Error::InvalidManifest(format!("manifest: `{path}` is null; leave the field out instead")));
    }
    let parsed = serde_json::to_value(manifest).expect("a manifest has string keys");
    match list_in(String::new(), &parsed, &value) {
        None => Ok(()),
        Some(path) => Err(Error::InvalidManifest(format!(
            "manifest: `{}` is a list; write an object, with the names of its fields",
            path.trim_start_matches('.')
        ))),
    }
}

/// The path of a list in `value` where `parsed`, the manifest parsed from it, has an object. Both are at `path`.
fn list_in(path: String, parsed: &serde_json::Value, value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match (parsed, value) {
        (Value::Object(_), Value::Array(_)) => Some(path),
        (Value::Object(parsed), Value::Object(given)) => {
            parsed.iter().find_map(|(name, parsed)| list_in(format!("{path}.{name}"), parsed, given.get(name)?))
        }
        (Value::Array(parsed), Value::Array(given)) => parsed
            .iter()
            .zip(given)
            .enumerate()
            .find_map(|(i, (parsed, given))| list_in(format!("{path}[{i}]"), parsed, given)),
        _ => None,
    }
}

/// The path of a null in `value`, which is at `path`.
fn null_in(path: String, value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::Null => Some(path),
        Value::Array(items) => items.iter().enumerate().find_map(|(i, item)| null_in(format!("{path}[{i}]"), item)),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| null_in(format!("{path}.{name}"), field)),
        _ => None,
    }
}

/// The error of JSON that does not parse, at a dotted path; `.` is the whole text.
fn invalid_json(path: &str, error: &serde_json::Error) -> Error {
    let field = if path == "." { String::new() } else { format!("field `{path}`: ") };
    Error::InvalidManifest(format!("manifest: {field}{error}"))
}
