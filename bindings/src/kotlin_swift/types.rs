//! The values that calls take and return.

use std::collections::HashMap;
use std::sync::Arc;

use crate::guard::guarded;

use super::{BedsideError, Explain, Heatmap};

/// The settings of a classifier, which are fixed when its model is opened.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Options {
    /// The maximum number of threads of one classification, the caller's among them. On a phone with fast and slow
    /// cores, the number of fast cores is a good choice. All classifiers share the other threads, which sleep between
    /// classifications. Results do not depend on the number. 0 counts as 1, and more than 256 as 256.
    #[uniffi(default = 1)]
    pub threads: u32,
    /// Bounds on pictures and models.
    #[uniffi(default)]
    pub limits: Limits,
}

/// Bounds on pictures and models, which are checked before memory is allocated.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Limits {
    /// The maximum number of pixels, width times height, that a picture's header may declare: 200,000,000 unless given.
    #[uniffi(default = 200000000)]
    pub max_declared_pixels: u64,
    /// The maximum number of bytes that decoding may take for pixels and coefficients, besides the encoded bytes: 256
    /// MiB unless given.
    #[uniffi(default = 268435456)]
    pub max_decoded_bytes: u64,
    /// The maximum number of bytes of a model file: 512 MiB unless given.
    #[uniffi(default = 536870912)]
    pub max_model_bytes: u64,
}

/// The query of one classification. The default asks for all findings of the whole picture, in English.
///
/// `maxResults`, `scoreThreshold`, `allow`, `deny` and `prevalence` change the findings only: the verdict and the
/// triage always come from all labels, not re-weighted.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Query {
    /// The maximum number of findings; all unless given.
    #[uniffi(default)]
    pub max_results: Option<u32>,
    /// The minimum probability of a finding, 0 to 1.
    #[uniffi(default = 0.0)]
    pub score_threshold: f32,
    /// The labels that findings may have, by id; all where empty.
    #[uniffi(default)]
    pub allow: Vec<String>,
    /// The labels that findings may not have, by id.
    #[uniffi(default)]
    pub deny: Vec<String>,
    /// The language of the report's sentences, names and questions, a BCP 47 tag. Sentences are in English where it is
    /// neither English nor Ukrainian; names and questions are in the languages that the manifest has.
    #[uniffi(default = "en")]
    pub language: String,
    /// The part of the upright picture that is classified; all of it unless given.
    #[uniffi(default)]
    pub region: Option<Region>,
    /// How common each label is where the picture was taken: the share of every label, by id, summing to 1. The
    /// probabilities of the findings are re-weighted to it; where it is empty, they are not.
    #[uniffi(default)]
    pub prevalence: HashMap<String, f32>,
    /// Answers to the model's questions about scope and danger signs, by id.
    #[uniffi(default)]
    pub answers: HashMap<String, Answer>,
    /// Where the picture came from; unknown unless given. Only a picture of a camera is asked for again where its quality
    /// is too poor.
    #[uniffi(default)]
    pub source: Option<Source>,
    /// How many pictures of this case were rejected for their quality before; 0 unless given. From 1 on, a picture of
    /// poor quality is not asked for again, and its triage is `Refer`. Whoever asks counts.
    #[uniffi(default = 0)]
    pub refusals: u32,
    /// The heatmap to compute with the classification; none unless given.
    #[uniffi(default)]
    pub explain: Option<Explain>,
    /// A handle by which another thread can end the classification.
    #[uniffi(default)]
    pub cancel: Option<Arc<CancelHandle>>,
}

/// A rectangle in the upright picture, in fractions of its width from the left and of its height from the top.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Region {
    /// The left edge, 0 to 1.
    pub left: f32,
    /// The top edge, 0 to 1.
    pub top: f32,
    /// The width, above 0 and at most 1.
    pub width: f32,
    /// The height, above 0 and at most 1.
    pub height: f32,
}

/// An answer to a question about scope or a danger sign.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// A number, where the question has a `min` or a `max`.
    Number {
        /// The number, in the question's unit.
        value: f64,
    },
}

/// Where a picture came from: what a person can do about a bad one depends on it.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Source {
    /// A camera, just now: the picture can be taken again.
    Camera,
    /// A file that was chosen or received.
    File,
}

/// Ends a classification from another thread: at its next stage (decode, preprocess, engine, verdict), or at the next
/// layer of a network that is quantized from end to end.
#[derive(Debug, uniffi::Object)]
pub struct CancelHandle(pub(super) bedside::CancelHandle);

#[uniffi::export]
impl CancelHandle {
    /// A handle that has not been used.
    #[uniffi::constructor]
    pub fn new() -> Result<Arc<CancelHandle>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(CancelHandle(bedside::CancelHandle::new()))))?)
    }

    /// Ends every classification that has this handle, now or later: it fails with `Cancelled`.
    pub fn cancel(&self) -> Result<(), BedsideError> {
        Ok(guarded(|| {
            self.0.cancel();
            Ok(())
        })?)
    }

    /// Whether `cancel` was called.
    pub fn is_cancelled(&self) -> Result<bool, BedsideError> {
        Ok(guarded(|| Ok(self.0.is_cancelled()))?)
    }
}

/// The result of a classification. Research software, not a medical device: show `notice` wherever you show a result.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Report {
    /// What can't be excluded, from all labels.
    pub verdict: Verdict,
    /// The headline: the verdict as a sentence in the query's language, without labels whose level is `NoSign`.
    pub summary: String,
    /// What a person should do.
    pub triage: Triage,
    /// What decided the triage.
    pub decided_by: DecidedBy,
    /// The triage as a sentence, in the query's language.
    pub advice: String,
    /// The danger signs that the query's answers state, in the order of the questions.
    pub danger: Vec<DangerSign>,
    /// The labels that the query asks for, likeliest first. Empty where the verdict is `Rejected`.
    pub findings: Vec<Finding>,
    /// The measures of the picture, also where the model has no limits for them or the verdict is `Rejected`. Absent only
    /// where no picture was decoded.
    pub quality: Option<Quality>,
    /// What to know of the picture, whatever the verdict is: show them with it. Empty where no picture was decoded.
    pub warnings: Vec<Warning>,
    /// Which part of the picture was looked at, and how large it is. Absent only where no picture was decoded.
    pub geometry: Option<Geometry>,
    /// How unlike the pictures that the model was made for this one is. Absent where the model does not tell, and where
    /// the graph did not run.
    pub novelty: Option<Novelty>,
    /// The heatmap that the query asks for. Absent where it asks for none, or the verdict is `Rejected`.
    pub heatmap: Option<Heatmap>,
    /// How long each stage took, in milliseconds.
    pub timings_ms: Timings,
    /// The model that was run.
    pub model: ModelIdentity,
    /// The runtime that ran it.
    pub runtime: RuntimeIdentity,
    /// The sentence that must be shown with every result, in the query's language.
    pub notice: String,
    /// The report as text for a person, as the command `bedside classify` prints it. Headings are English; sentences
    /// and names are in the query's language.
    pub text: String,
    /// The report as JSON, on one line.
    pub json: String,
}

/// What can't be excluded. The most pressing labels come first; of one level, the likeliest.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum Verdict {
    /// One label can't be excluded.
    Single {
        /// The label.
        label: LabelName,
    },
    /// These labels can't be excluded.
    Several {
        /// The labels.
        labels: Vec<LabelName>,
    },
    /// No label reached its operating point: the model can't tell what the picture shows. It does not exclude disease.
    Undecided,
    /// There is no verdict: the reasons say what to do before the next try.
    Rejected {
        /// Why.
        reasons: Vec<Reason>,
    },
}

/// A label of the model, its name, and its level.
#[derive(Debug, Clone, uniffi::Record)]
pub struct LabelName {
    /// The label's id.
    pub id: String,
    /// Its name in the query's language.
    pub name: String,
    /// What a person should do where the label can't be excluded.
    pub level: Triage,
}

/// A danger question that was answered with yes.
#[derive(Debug, Clone, uniffi::Record)]
pub struct DangerSign {
    /// The question's id.
    pub id: String,
    /// The question in the query's language, or its id where it has no text.
    pub question: String,
    /// The triage that the sign sets at least.
    pub level: Triage,
}

/// Why there is no verdict, and what to do.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Reason {
    /// The kind, the same in every language.
    pub kind: ReasonKind,
    /// The scope question's id, where it is about one.
    pub id: Option<String>,
    /// That question in the query's language, or its id where it has no text.
    pub question: Option<String>,
    /// What is wrong and what to do, in the query's language.
    pub message: String,
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum ReasonKind {
    /// A required scope question was not answered.
    ScopeUnanswered,
    /// A scope question was answered `no`.
    ScopeNo,
    /// A number is outside the range that the model was made for.
    ScopeOutOfRange,
    /// The picture came from a source that the model was not made for.
    Source,
    /// The picture, or the region of it, has too few pixels.
    TooSmall,
    /// The picture is underexposed.
    TooDark,
    /// The picture is overexposed.
    TooBright,
    /// The picture is pale, as behind a veil.
    LowContrast,
    /// The picture is blurred.
    OutOfFocus,
    /// The picture has no colour, and the model was made for colour.
    Colorless,
    /// The picture has colour, and the model was made for grey.
    Colored,
    /// The picture is unlike those that the model was made for.
    Novel,
}

/// What a person should do, from the least to the most pressing level.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Triage {
    /// This program found no sign that needs more than usual care. This does not exclude disease.
    NoSign,
    /// Nothing was assessed: a person decides without this program.
    Unassessed,
    /// A clinician should look.
    Refer,
    /// A clinician should look soon.
    Urgent,
}

/// What decided the triage of a report.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum DecidedBy {
    /// A danger sign, which asks for more than what the picture gives.
    Danger,
    /// The picture is out of scope by the answers.
    Scope,
    /// The picture's quality is under the model's limits.
    Quality,
    /// The picture's quality is under the model's limits, and so was that of an earlier picture of this case.
    RepeatedQuality,
    /// The picture's novelty is over one of the model's two levels.
    Novelty,
    /// The highest level among the labels that can't be excluded.
    Label,
    /// The sum of all urgent labels' probabilities, which is at or over the action threshold. None of them is at or over
    /// its own operating point.
    Action,
    /// No label is at or over its operating point.
    Undecided,
    /// The calibration doesn't allow the model to say that there is no sign.
    NoSignNotShown,
    /// The model states no operating point.
    Uncalibrated,
}

/// One label and how probable it is.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Finding {
    /// The label's id.
    pub label: String,
    /// Its name in the query's language.
    pub name: String,
    /// The calibrated probability, 0 to 1, re-weighted where the query gives a prevalence.
    pub probability: f32,
    /// The calibrated probability, 0 to 1, at and above which the label can't be excluded.
    pub operating_point: f32,
    /// Whether the calibrated probability, not re-weighted, is at or above the operating point.
    pub over_operating_point: bool,
}

/// Measures of a picture, or of the query's region of it. All are ratios without a unit, finite, and at least 0.
///
/// Y is ITU-R BT.601 luma of the model's input before normalisation, in whole levels of 0 to 255.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Quality {
    /// How fine the detail is: from 0, 0.3 to 0.9 in most sharp photos, and about 1.7 for noise alone. Low where the picture
    /// is out of focus.
    pub focus: f32,
    /// 0 to 1: 1 less the 95th percentile of Y over 255. High where even the brightest part is dark.
    pub dark: f32,
    /// The share of pixels, 0 to 1, with a Y of at least 250.
    pub bright: f32,
    /// The standard deviation of Y over 127.5, 0 to 1.
    pub contrast: f32,
    /// The share of coloured pixels, 0 to 1: those whose largest and smallest of red, green and blue differ by at least
    /// 24, or by at least 8 where the model was made for grey.
    pub color: f32,
    /// The width of the region over that of the model's input, or the height over the height where that is less, in pixels
    /// of the file or frame before any scaling. Above 0.
    pub size: f32,
}

/// What to know of a picture, whatever the verdict is. Only DICOM files say such things.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Warning {
    /// The kind, the same in every language.
    pub kind: WarningKind,
    /// What is there and what to do, in the query's language.
    pub message: String,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum WarningKind {
    /// What tells who the person is may be burned into the pixels.
    BurnedIn,
    /// The file has overlays, which were not drawn over the pixels.
    Overlay,
    /// The file states more than one region of tissue, as of a split screen, and one was looked at.
    OtherRegion,
}

/// Which part of a picture was looked at, in pixels as they are stored: before the EXIF orientation and any rotation,
/// cropping and reduction.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Geometry {
    /// The width of the stored picture.
    pub picture_width: u32,
    /// The height of the stored picture.
    pub picture_height: u32,
    /// The left edge of the part that was decoded: the whole picture, or the query's region, or of an ultrasound frame of
    /// DICOM its tissue. The network need not have seen all of it, where the model crops.
    pub left: f64,
    /// Its top edge.
    pub top: f64,
    /// Its right edge.
    pub right: f64,
    /// Its bottom edge.
    pub bottom: f64,
    /// Where the file says it, which only DICOM files do.
    pub spacing: Option<Spacing>,
}

/// How far a picture's pixels lie apart.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Spacing {
    /// Millimetres from column to column of the stored picture, above 0.
    pub x_mm: f64,
    /// Millimetres from row to row of the stored picture, above 0.
    pub y_mm: f64,
    /// Whether it is known to be that of a detector behind the body, so that lengths in the body are less.
    pub at_detector: bool,
}

/// How unlike the pictures that the model was made for a picture is, and the two levels that it is compared with.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Novelty {
    /// The novelty, without a unit: the larger, the more unlike.
    pub value: f32,
    /// The novelty above which the triage is at least `Refer`.
    pub soft: f32,
    /// The novelty above which the picture is rejected.
    pub hard: f32,
}

/// How long each stage took, in milliseconds.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Timings {
    /// Decoding, orienting, cropping.
    pub decode: f64,
    /// Resizing, normalising, and measuring the quality.
    pub preprocess: f64,
    /// The graph. 0 where a picture was rejected before it.
    pub engine: f64,
    /// Probabilities, verdict, findings.
    pub verdict: f64,
    /// The whole classification.
    pub total: f64,
}

/// How long the parts of opening a model took, in milliseconds.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct LoadTimes {
    /// Reading the file, decoding it, checking the manifest against it.
    pub read: f64,
    /// From the decoded file to typed operators.
    pub import: f64,
    /// From typed operators to those that run.
    pub optimize: f64,
}

/// The identity of a model.
#[derive(Debug, Clone, uniffi::Record)]
pub struct ModelIdentity {
    /// The manifest's name.
    pub name: String,
    /// The manifest's version.
    pub version: String,
    /// The SHA-256 of the graph, in hex.
    pub graph_sha256: String,
}

/// The identity of a runtime.
#[derive(Debug, Clone, uniffi::Record)]
pub struct RuntimeIdentity {
    /// `bedside`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The result of a self-test that passed.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct SelfTest {
    /// The runtime that measured the golden scores.
    pub by: GoldenBy,
    /// The largest difference between a score and its golden one, 0 to 1.
    pub max_difference: f32,
}

/// The runtime that measured golden scores.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum GoldenBy {
    /// The lab's own runtime.
    Lab,
    /// Bedside itself, when the model was packed: this shows only that nothing changed since.
    Itself,
}

/// A model's description of itself, in one language.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Manifest {
    /// A short name: lower-case letters, digits, underscores and hyphens.
    pub name: String,
    /// The model's own version.
    pub version: String,
    /// The licence of the weights.
    pub license: String,
    /// The model's name for a screen.
    pub title: String,
    /// What the model is meant for; empty where the manifest does not state it.
    pub intended_use: String,
    /// What the model must not be used for; empty where the manifest does not state it.
    pub not_for: String,
    /// What a person should do at each triage level.
    pub advice: Advice,
    /// Questions whose answers say whether a picture is one that the model was made for, and which danger signs there
    /// are, in the order in which they are asked.
    pub scope: Vec<ScopeQuestion>,
    /// The model's labels, in the order of its scores.
    pub labels: Vec<Label>,
    /// What verdicts and findings show: the labels, and in place of labels that the model can't tell apart, their group.
    /// Each has the operating point in force.
    pub shown_labels: Vec<Label>,
    /// The whole manifest as JSON, on one line.
    pub json: String,
}

/// What a person should do at each triage level, as sentences: the model's own, else the library's.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Advice {
    /// At `NoSign`.
    pub no_sign: String,
    /// At `Unassessed`.
    pub unassessed: String,
    /// At `Refer`.
    pub refer: String,
    /// At `Urgent`.
    pub urgent: String,
}

/// What the answer to a question decides.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum QuestionRole {
    /// Whether the model was made for the picture: `no`, or a number out of range, rejects it.
    Scope,
    /// Whether there is a danger sign: `yes` sets the triage to at least the question's level.
    Danger,
}

/// A question about the picture or the person, asked before a result is given.
#[derive(Debug, Clone, uniffi::Record)]
pub struct ScopeQuestion {
    /// The id under which a query answers the question.
    pub id: String,
    /// The question, for a screen.
    pub question: String,
    /// What the answer decides.
    pub role: QuestionRole,
    /// The triage that `yes` sets at least, `Refer` or `Urgent`; only where the role is `Danger`.
    pub level: Option<Triage>,
    /// Whether a picture is rejected where the question is not answered. Never with the role `Danger`.
    pub required: bool,
    /// The minimum number that is in scope. With `min` or `max` the answer is a number, else yes or no.
    pub min: Option<f64>,
    /// The maximum number that is in scope.
    pub max: Option<f64>,
}

/// A label of a model.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Label {
    /// A stable name: lower-case letters, digits, underscores and hyphens.
    pub id: String,
    /// The label's name for a screen.
    pub name: String,
    /// The calibrated probability, 0 to 1, at and above which the label can't be excluded. In `labels` the one that
    /// the manifest writes beside the label, where it does; in `shownLabels` the one in force, which is always there.
    pub operating_point: Option<f32>,
    /// What a person should do where the label can't be excluded.
    pub triage: Triage,
}

/// The layout of a picture's bytes, and the rotation that brings it upright.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct FrameFormat {
    /// The layout of the bytes.
    pub layout: FrameLayout,
    /// The rotation that brings the picture upright.
    pub rotation: Rotation,
    /// Whether left and right are exchanged after the rotation, as front cameras exchange them.
    #[uniffi(default = false)]
    pub mirrored: bool,
}

/// The layout of a picture's bytes. Strides are in bytes; the last row may end with its last pixel.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum FrameLayout {
    /// An encoded file: JPEG, PNG, WebP, BMP, TIFF or DICOM, recognised by its first bytes.
    Encoded,
    /// Red, green, blue; 8 bits each.
    Rgb8 {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes from one row to the next, at least 3 × `width`.
        row_stride: u32,
    },
    /// Red, green, blue, alpha; 8 bits each, not premultiplied; composited over white.
    Rgba8 {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes from one row to the next, at least 4 × `width`.
        row_stride: u32,
    },
    /// Blue, green, red, alpha; 8 bits each, not premultiplied; composited over white.
    Bgra8 {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes from one row to the next, at least 4 × `width`.
        row_stride: u32,
    },
    /// Grey; 8 bits.
    Gray8 {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes from one row to the next, at least `width`.
        row_stride: u32,
    },
    /// Three planes: a sample of Y for every pixel, one of U and of V for every two by two pixels, odd sizes rounded
    /// up.
    Yuv420 {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The distances between samples.
        strides: YuvStrides,
        /// The matrix by which the samples were made.
        matrix: YuvMatrix,
        /// The range of the samples.
        range: YuvRange,
    },
}

/// The bytes from one sample to the next in each plane of a YUV 4:2:0 frame: down a column (row stride), and along a
/// row (pixel stride: 1 in planar frames, 2 where U and V are interleaved).
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct YuvStrides {
    /// The row stride of Y.
    pub y_row: u32,
    /// The pixel stride of Y; 1 unless given.
    #[uniffi(default = 1)]
    pub y_pixel: u32,
    /// The row stride of U.
    pub u_row: u32,
    /// The pixel stride of U.
    pub u_pixel: u32,
    /// The row stride of V.
    pub v_row: u32,
    /// The pixel stride of V.
    pub v_pixel: u32,
}

/// The matrix by which red, green and blue became Y, U and V.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum YuvMatrix {
    /// ITU-R BT.601: standard definition, JPEG, and the still frames of Android cameras.
    Bt601,
    /// ITU-R BT.709: high-definition video.
    Bt709,
}

/// The range of values between black and white, and of full colour.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum YuvRange {
    /// Y from 16 to 235, U and V from 16 to 240, as in video.
    Limited,
    /// 0 to 255 for all, as in JPEG.
    Full,
}

/// The rotation that brings a picture upright.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Rotation {
    /// None: the picture is upright already.
    Upright,
    /// A quarter turn clockwise.
    Clockwise90,
    /// Half a turn.
    Clockwise180,
    /// A quarter turn counter-clockwise.
    Clockwise270,
}
