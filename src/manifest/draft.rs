//! The fields of a manifest, as JSON has them.

use serde::{Deserialize, Serialize};

use super::advice::Advice;
use super::calibration::Calibration;
use super::explanation::Explanation;
use super::scope::ScopeQuestion;
use super::text::Text;
use crate::{Source, Triage};

/// The operating point of a label for which a manifest has neither a threshold nor an operating point.
pub const DEFAULT_OPERATING_POINT: f32 = 0.5;

/// What a [`Manifest`](super::Manifest) is made from: its fields, of which nothing has been checked.
///
/// ```
/// use bedside::manifest::{Activation, Color, Draft, Input, Label, Output, Resize, ResizePolicy, Text};
/// use bedside::{Manifest, Triage};
///
/// let resize = Resize::new(ResizePolicy::Stretch);
/// let input = Input::new(Color::Rgb, (224, 224), resize, vec![0.5; 3], vec![0.5; 3]);
/// let labels = ["melanoma", "nevus"].map(|id| Label::new(id, Text::from([("en", id)])));
/// let mut draft = Draft::new("skin", "1.0.0", "CC0-1.0", input, Output::new(Activation::Softmax, labels.to_vec()));
/// draft.output.labels[0].triage = Triage::Urgent;
/// let manifest = Manifest::try_from(draft)?;
/// assert_eq!(manifest.name(), "skin");
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Draft {
    /// The version of the manifest's form, `1` or `1.x`; now `1.0`.
    pub bedside: String,
    /// The fields that a runtime must know to run this model, as dotted paths (`calibration.temperature`). A runtime
    /// that does not know one must refuse the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The kind of the outputs.
    pub kind: ModelKind,
    /// A short name, of at least one lower-case letter, digit, underscore or hyphen.
    pub name: String,
    /// The version of the model, any text that is not empty.
    pub version: String,
    /// The licence of the weights, an SPDX expression where there is one. Not empty.
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
    /// What a person should do at a triage level, in place of [`Triage::advice`]: such as a time in words.
    #[serde(default, skip_serializing_if = "Advice::is_empty")]
    pub advice: Advice,
    /// Questions whose answers say whether the model was made for a picture, and which danger signs there are. Their ids
    /// differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<ScopeQuestion>,
    /// The graph's input.
    pub input: Input,
    /// The graph's output.
    pub output: Output,
    /// The calibration, which was fitted after training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The tensors from which a class activation map is computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// A sample picture and the scores that it must give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<Golden>,
}

impl Draft {
    /// A draft of form 1.0 with these fields, for a model of scores, and without the others. Nothing is checked.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        version: impl Into<String>,
        license: impl Into<String>,
        input: Input,
        output: Output,
    ) -> Draft {
        Draft {
            bedside: "1.0".into(),
            requires: Vec::new(),
            kind: ModelKind::Scores,
            name: name.into(),
            version: version.into(),
            license: license.into(),
            title: Text::default(),
            intended_use: Text::default(),
            not_for: Text::default(),
            provenance: serde_json::Map::new(),
            advice: Advice::default(),
            scope: Vec::new(),
            input,
            output,
            calibration: None,
            explanation: None,
            golden: None,
        }
    }
}

/// The kind of a model's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelKind {
    /// One score for each label.
    Scores,
}

/// The graph's input, and how it is computed from a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// Where pictures may come from; anywhere where empty. A picture of which the query states another
    /// [`source`](crate::Query::source) is rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The mean of each channel, one finite value for each channel in the order of `color`. A sample v of 0…255 becomes
    /// (v / 255 - mean) / std. Where the graph takes bytes (uint8), `mean` is 0 and `std` 1/255.
    pub mean: Vec<f32>,
    /// The standard deviation of each channel, one finite value above 0 for each, in the same order.
    pub std: Vec<f32>,
}

impl Input {
    /// The input of a graph that has one, `(width, height)` pixels large.
    ///
    /// ```
    /// use bedside::manifest::{Color, Input, Resize, ResizePolicy};
    ///
    /// // As torchvision's models take it: a crop of 224×224 pixels, with ImageNet's mean and standard deviation.
    /// let resize = Resize::new(ResizePolicy::Crop);
    /// let (mean, std) = (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]);
    /// let input = Input::new(Color::Rgb, (224, 224), resize, mean, std);
    /// assert_eq!((input.width, input.tensor), (224, None));
    /// ```
    #[must_use]
    pub fn new(color: Color, (width, height): (u32, u32), resize: Resize, mean: Vec<f32>, std: Vec<f32>) -> Input {
        Input { tensor: None, color, width, height, resize, sources: Vec::new(), mean, std }
    }
}

/// The channels of an input and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
    ///
    /// ```
    /// assert_eq!(bedside::manifest::Color::Gray.channels(), 1);
    /// ```
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
#[non_exhaustive]
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

impl Resize {
    /// A policy with its defaults.
    ///
    /// ```
    /// use bedside::manifest::{Resize, ResizePolicy};
    ///
    /// let mut resize = Resize::new(ResizePolicy::Crop);
    /// resize.shorter_side = Some(256);
    /// assert_eq!(resize.fill, None);
    /// ```
    #[must_use]
    pub fn new(policy: ResizePolicy) -> Resize {
        Resize { policy, shorter_side: None, filter: Filter::default(), fill: None }
    }
}

/// What happens to the aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
    /// A cubic filter with antialiasing, whose parameter is -0.5: Pillow's `BICUBIC`.
    Bicubic,
}

/// The graph's output, and what its values mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// The labels, one for each value of the tensor, in its order: at least one, and two for softmax. Their ids
    /// differ.
    pub labels: Vec<Label>,
    /// Groups of labels, each of which stands in place of its labels in verdicts and findings. Only where labels exclude
    /// each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
}

impl Output {
    /// The output of a graph that has one.
    ///
    /// ```
    /// use bedside::manifest::{Activation, Label, Output, Text};
    ///
    /// let output = Output::new(Activation::Sigmoid, vec![Label::new("effusion", Text::from([("en", "Effusion")]))]);
    /// assert_eq!(output.labels.len(), 1);
    /// ```
    #[must_use]
    pub fn new(activation: Activation, labels: Vec<Label>) -> Output {
        Output { tensor: None, activation, multi_label: None, labels, groups: Vec::new() }
    }
}

/// The function that makes output values probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Label {
    /// The label's id, of lower-case letters, digits, underscores and hyphens.
    pub id: String,
    /// The name to show on a screen, in English at least.
    pub name: Text,
    /// The calibrated probability, 0…1, from which on the label can't be excluded, where the calibration has no threshold
    /// for it; [`DEFAULT_OPERATING_POINT`] by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_point: Option<f32>,
    /// What a person should do where the label can't be excluded; [`Triage::Refer`] by default.
    #[serde(default)]
    pub triage: Triage,
}

impl Label {
    /// A label with the default operating point and triage.
    ///
    /// ```
    /// use bedside::Triage;
    /// use bedside::manifest::{Label, Text};
    ///
    /// let mut melanoma = Label::new("melanoma", Text::from([("en", "Melanoma"), ("uk", "Меланома")]));
    /// assert_eq!((melanoma.operating_point, melanoma.triage), (None, Triage::Refer));
    /// melanoma.operating_point = Some(0.08);
    /// melanoma.triage = Triage::Urgent;
    /// ```
    #[must_use]
    pub fn new(id: impl Into<String>, name: Text) -> Label {
        Label { id: id.into(), name, operating_point: None, triage: Triage::default() }
    }

    /// The name to show on a screen in a language, with the fallbacks of [`Text::get`]; the id where there is no name.
    ///
    /// ```
    /// use bedside::manifest::{Label, Text};
    ///
    /// let label = Label::new("melanoma", Text::from([("en", "Melanoma"), ("uk", "Меланома")]));
    /// assert_eq!((label.name_in("uk"), label.name_in("fr")), ("Меланома", "Melanoma"));
    /// ```
    #[must_use]
    pub fn name_in(&self, language: &str) -> &str {
        self.name.get(language).unwrap_or(&self.id)
    }
}

/// Labels that verdicts and findings show as one, such as diseases that a picture doesn't tell apart. Its probability is
/// the sum of theirs. Operating points and triage of its labels are not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The group's id, of lower-case letters, digits, underscores and hyphens. No label outside the group has it.
    pub id: String,
    /// The name to show on a screen, in English at least.
    pub name: Text,
    /// The ids of its labels, at least one. No label is in two groups.
    pub labels: Vec<String>,
    /// As [`Label::operating_point`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_point: Option<f32>,
    /// As [`Label::triage`].
    #[serde(default)]
    pub triage: Triage,
}

impl Group {
    /// A group with the default operating point and triage.
    ///
    /// ```
    /// use bedside::manifest::{Group, Text};
    ///
    /// let name = Text::from([("en", "Pattern like pneumonia")]);
    /// let group = Group::new("pneumonia", name, ["bacterial_pneumonia", "viral_pneumonia"]);
    /// assert_eq!(group.labels.len(), 2);
    /// ```
    #[must_use]
    pub fn new<L: Into<String>>(id: impl Into<String>, name: Text, labels: impl IntoIterator<Item = L>) -> Group {
        let labels = labels.into_iter().map(Into::into).collect();
        Group { id: id.into(), name, labels, operating_point: None, triage: Triage::default() }
    }
}

/// A sample picture and the scores that it must give. See [`Classifier::self_test`](crate::Classifier::self_test).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Golden {
    /// The runtime that measured the scores.
    pub by: GoldenBy,
    /// The picture.
    pub input: GoldenInput,
    /// The probability of each label before temperature, 0…1, one for each label in the labels' order. The scores on a
    /// device must be within 0.02 of them, label by label.
    pub scores: Vec<f32>,
}

impl Golden {
    /// The golden sample of an encoded picture in base64. `bedside pack --golden` makes one of a file.
    ///
    /// ```
    /// use bedside::manifest::{Golden, GoldenBy};
    ///
    /// // The first bytes of a JPEG, and the lab's probabilities of two labels.
    /// let golden = Golden::new(GoldenBy::Lab, "/9j/4AAQSkZJRg==", vec![0.93, 0.07]);
    /// assert_eq!(golden.by.as_str(), "lab");
    /// ```
    #[must_use]
    pub fn new(by: GoldenBy, image: impl Into<String>, scores: Vec<f32>) -> Golden {
        Golden { by, input: GoldenInput { image: image.into() }, scores }
    }
}

/// The runtime that measured golden scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GoldenBy {
    /// The runtime of the lab that made the model.
    Lab,
    /// Bedside, when the model was packed: a self-test shows only that the scores have not changed since.
    #[serde(rename = "self")]
    Itself,
}

impl GoldenBy {
    /// The name that the manifest uses.
    ///
    /// ```
    /// assert_eq!(bedside::manifest::GoldenBy::Itself.as_str(), "self");
    /// ```
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
#[non_exhaustive]
pub struct GoldenInput {
    /// An encoded picture (JPEG, PNG, …) in base64.
    pub image: String,
}
