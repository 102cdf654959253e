//! The manifest: a model's description of itself, as JSON under the metadata key `bedside` of its ONNX or prepared
//! file, or in `model.json` beside the file.
//!
//! The types have the fields of `models/manifest.schema.json`, which is also [`SCHEMA`]. [`Manifest::from_json`] checks
//! the values; [`Classifier::open`](crate::Classifier::open) checks them against the graph.

mod advice;
mod calibration;
mod check;
mod draft;
mod explanation;
mod novelty;
mod quality;
mod scope;
mod text;

use std::path::Path;
use std::{fs, io};

use crate::verdict::Rule;
use crate::{Error, ErrorKind, Result, Triage};
use bedside_engine::{ModelFile, read_bounded};

pub use advice::Advice;
pub use calibration::{Calibration, Threshold};
pub(crate) use check::PREVALENCE_TOLERANCE;
pub use draft::{
    Activation, Color, DEFAULT_OPERATING_POINT, Draft, Filter, Golden, GoldenBy, GoldenInput, Group, Input, Label,
    ModelKind, Output, Resize, ResizePolicy,
};
pub use explanation::Explanation;
pub use novelty::{MAX_STATISTICS_BYTES, NoveltyMethod, NoveltyModel, NoveltySample, NoveltyTables};
pub use quality::{ColorMeant, Limit, QualityLimits};
pub use scope::{QuestionRole, ScopeQuestion};
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

/// A model's description of itself, with values that have been checked. It is read from JSON, or made from a [`Draft`].
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest(Draft);

impl TryFrom<Draft> for Manifest {
    type Error = Error;

    /// Checks the values.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`], whose text names the field.
    fn try_from(draft: Draft) -> Result<Manifest> {
        draft.check()?;
        Ok(Manifest(draft))
    }
}

/// The fields of a manifest, to change some and check them anew.
impl From<Manifest> for Draft {
    fn from(manifest: Manifest) -> Draft {
        manifest.0
    }
}

/// The fields; [`Draft`] says more of each.
///
/// ```
/// use bedside::Manifest;
/// use bedside::manifest::{Activation, Color, Draft, Input, ModelKind, Label, Output, Resize, ResizePolicy, Text};
///
/// let resize = Resize::new(ResizePolicy::Stretch);
/// let input = Input::new(Color::Gray, (224, 224), resize, vec![0.5], vec![0.5]);
/// let output = Output::new(Activation::Sigmoid, vec![Label::new("effusion", Text::from([("en", "Effusion")]))]);
/// let mut draft = Draft::new("chest", "1.0.0", "CC0-1.0", input, output);
/// draft.title = Text::from([("en", "Chest X-ray")]);
/// let manifest = Manifest::try_from(draft)?;
///
/// assert_eq!((manifest.kind(), manifest.name()), (ModelKind::Scores, "chest"));
/// assert_eq!((manifest.version(), manifest.license()), ("1.0.0", "CC0-1.0"));
/// assert_eq!(manifest.title("uk"), "Chest X-ray");
/// assert_eq!((manifest.input().width, manifest.output().activation), (224, Activation::Sigmoid));
/// assert_eq!(manifest.labels()[0].id, "effusion");
/// assert!(manifest.intended_use().is_empty() && manifest.not_for().is_empty() && manifest.provenance().is_empty());
/// assert!(manifest.scope().is_empty() && manifest.calibration().is_none() && manifest.golden().is_none());
/// # Ok::<(), bedside::Error>(())
/// ```
impl Manifest {
    /// The kind of the outputs.
    #[must_use]
    pub fn kind(&self) -> ModelKind {
        self.0.kind
    }

    /// The short name, of lower-case letters, digits, underscores and hyphens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The version of the model.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The licence of the weights.
    #[must_use]
    pub fn license(&self) -> &str {
        &self.0.license
    }

    /// The name to show on a screen in a language, with the fallbacks of [`Text::get`]; [`Manifest::name`] where there
    /// is no title.
    #[must_use]
    pub fn title(&self, language: &str) -> &str {
        self.0.title.get(language).unwrap_or(&self.0.name)
    }

    /// The intended use; may be empty.
    #[must_use]
    pub fn intended_use(&self) -> &Text {
        &self.0.intended_use
    }

    /// The uses that are excluded; may be empty.
    #[must_use]
    pub fn not_for(&self) -> &Text {
        &self.0.not_for
    }

    /// The origin of data and weights, in free form.
    #[must_use]
    pub fn provenance(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.provenance
    }

    /// What a person should do at a triage level in a language, with the fallbacks of [`Text::get`];
    /// [`Triage::advice`] where the manifest has no sentence for it.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options, Triage};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// println!("{}", classifier.manifest().advice(Triage::Urgent, "en"));
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn advice(&self, level: Triage, language: &str) -> &str {
        self.0.advice.of(level).get(language).unwrap_or(level.advice(language))
    }

    /// The questions about scope and danger signs, in the order in which they are asked.
    #[must_use]
    pub fn scope(&self) -> &[ScopeQuestion] {
        &self.0.scope
    }

    /// The graph's input.
    #[must_use]
    pub fn input(&self) -> &Input {
        &self.0.input
    }

    /// The graph's output.
    #[must_use]
    pub fn output(&self) -> &Output {
        &self.0.output
    }

    /// The labels of the graph's output, in its order: one for each of [`Classifier::scores`](crate::Classifier::scores).
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.0.output.labels
    }

    /// The labels that verdicts and findings have, with their operating points in force: each group in place of its
    /// labels, where the first of them stands.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// for label in classifier.manifest().shown_labels() {
    ///     println!("{}: {:?}", label.id, label.operating_point);
    /// }
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn shown_labels(&self) -> Vec<Label> {
        Rule::of(self).classes.into_iter().map(|class| class.label).collect()
    }

    /// The calibration, where one was fitted.
    #[must_use]
    pub fn calibration(&self) -> Option<&Calibration> {
        self.0.calibration.as_ref()
    }

    /// The tensors from which a class activation map is computed, where the manifest names them.
    #[must_use]
    pub fn explanation(&self) -> Option<&Explanation> {
        self.0.explanation.as_ref()
    }

    /// The golden sample, where there is one.
    #[must_use]
    pub fn golden(&self) -> Option<&Golden> {
        self.0.golden.as_ref()
    }
}

impl Manifest {
    /// Parses a manifest and checks its values.
    ///
    /// Fields that this version does not know are logged at level `warn` and ignored, unless `requires` lists them. A
    /// field that is `null`, or a list in place of an object, is an error; `provenance` alone may hold `null`.
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
    /// assert_eq!(manifest.labels()[0].triage, Triage::Urgent);
    /// assert_eq!(manifest.shown_labels()[1].operating_point, Some(0.5));
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`], whose text names the field; [`ErrorKind::TooLarge`] where the text is longer
    /// than [`MAX_BYTES`] or has more than 131,072 values.
    pub fn from_json(json: &str) -> Result<Manifest> {
        check_size(json)?;
        let mut unknown = Vec::new();
        let draft = read(json, &mut unknown)?;
        check_json_types(json, &draft)?;
        for field in &unknown {
            log::warn!("the manifest's field `{field}` is not known to this version and is ignored");
        }
        Manifest::try_from(draft)
    }

    /// The manifest of a model file: the one in its metadata, else `model.json` in the folder of `path`, the path of
    /// the file. Without a path, the manifest must be in the metadata.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`] where there is no manifest, or [`from_json`](Manifest::from_json) refuses it;
    /// [`ErrorKind::Io`] where `model.json` can't be read, or is a pipe, a device or a socket; [`ErrorKind::TooLarge`].
    pub(crate) fn of(file: &ModelFile, path: Option<&Path>) -> Result<Manifest> {
        if let Some(json) = file.metadata(METADATA_KEY) {
            return Manifest::from_json(json);
        }
        let beside = path.map(|path| path.with_file_name(FILE_BESIDE));
        match beside.as_deref().map(|beside| (beside, text_of(beside))) {
            None | Some((_, Ok(None))) => Err(Error::new(
                ErrorKind::InvalidManifest,
                format!(
                    "the model has no manifest, neither under the metadata key `{METADATA_KEY}` nor in {FILE_BESIDE} beside it; \
                 write one and run `bedside pack`"
                ),
            )),
            Some((beside, Ok(Some(json)))) => Manifest::from_json(&json).map_err(|error| error.in_file(beside)),
            Some((_, Err(error))) => Err(error),
        }
    }

    /// The manifest as JSON, on one line. Fields with default values may be left out, and so are those that
    /// [`from_json`](Manifest::from_json) ignored.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// use bedside::{Classifier, Manifest, Options};
    ///
    /// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let json = classifier.manifest().to_json();
    /// assert_eq!(&Manifest::from_json(&json)?, classifier.manifest());
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("a manifest's keys are strings")
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
                return Err(Error::new(ErrorKind::TooLarge, format!("the manifest has {error}")).in_file(path));
            }
            _ => return Err(Error::io(path, error)),
        },
    };
    let text = String::from_utf8(bytes);
    let not_text = |_| Error::new(ErrorKind::InvalidManifest, "the manifest is not UTF-8 text").in_file(path);
    text.map(Some).map_err(not_text)
}

/// Checks the length and the number of values of the text before it is parsed.
fn check_size(json: &str) -> Result<()> {
    if json.len() as u64 > MAX_BYTES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("the manifest has {} bytes; the limit is {MAX_BYTES}", json.len()),
        ));
    }
    // Each value except the outermost follows one of these bytes. Those inside strings count too.
    let values = json.bytes().filter(|byte| b"[{,".contains(byte)).count();
    if values > MAX_VALUES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the manifest has some {values} values, counted by `[`, `{{` and `,`; the limit is {MAX_VALUES}, so leave some out"
            ),
        ));
    }
    Ok(())
}

/// Parses the JSON text. The dotted paths of fields that the types do not have are appended to `unknown`.
fn read(json: &str, unknown: &mut Vec<String>) -> Result<Draft> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let draft = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string()))
        .map_err(|error: serde_json::Error| invalid_json(&track.path().to_string(), &error))?;
    deserializer.end().map_err(|error| invalid_json(".", &error))?;
    Ok(draft)
}

/// Refuses what serde accepts and the schema does not: `null`, which serde takes as a missing field, and a list in
/// place of an object.
fn check_json_types(json: &str, draft: &Draft) -> Result<()> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| invalid_json(".", &error))?;
    let mut fields = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "provenance");
    if let Some(path) = fields.find_map(|(name, value)| null_in(name.clone(), value)) {
        return Err(Error::new(
            ErrorKind::InvalidManifest,
            format!("manifest: `{path}` is null; leave the field out instead"),
        ));
    }
    let parsed = serde_json::to_value(draft).expect("a manifest has string keys");
    match list_in(String::new(), &parsed, &value) {
        None => Ok(()),
        Some(path) => Err(Error::new(
            ErrorKind::InvalidManifest,
            format!(
                "manifest: `{}` is a list; write an object, with the names of its fields",
                path.trim_start_matches('.')
            ),
        )),
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
    Error::new(ErrorKind::InvalidManifest, format!("manifest: {field}{error}"))
}
