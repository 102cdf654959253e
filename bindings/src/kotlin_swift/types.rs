//! The values that go in and out.

use std::collections::HashMap;
use std::sync::Arc;

use crate::guard::guarded;

use super::BedsideError;

/// What is fixed when a model is opened.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Options {
    /// How many threads one classification may use, the caller's among them. Where a phone has cores of several kinds,
    /// the number of fast ones is a good one. All classifiers share the other threads, which sleep between
    /// classifications. Results do not depend on it. 0 is taken for 1, and more than 256 for 256.
    #[uniffi(default = 1)]
    pub threads: u32,
    /// Bounds on pictures and models.
    #[uniffi(default)]
    pub limits: Limits,
}

/// Bounds on what is read, checked before memory is asked for.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Limits {
    /// The most pixels, width times height, that a picture's header may declare: 200,000,000.
    #[uniffi(default = 200000000)]
    pub max_declared_pixels: u64,
    /// The most bytes that decoding may take for pixels and coefficients, beside the encoded bytes: 256 MiB.
    #[uniffi(default = 268435456)]
    pub max_decoded_bytes: u64,
    /// The most bytes that a model file may have: 512 MiB.
    #[uniffi(default = 536870912)]
    pub max_model_bytes: u64,
}

/// What is asked of one classification. The default asks for everything, in English.
///
/// `maxResults`, `scoreThreshold`, `allow`, `deny` and `prevalence` change the findings only: verdict and triage always
/// come from all labels, unweighted.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Query {
    /// At most this many findings; all unless given.
    #[uniffi(default)]
    pub max_results: Option<u32>,
    /// Findings of at least this probability, 0 to 1.
    #[uniffi(default = 0.0)]
    pub score_threshold: f32,
    /// Findings of these labels only, by id; of all where empty.
    #[uniffi(default)]
    pub allow: Vec<String>,
    /// No findings of these labels, by id.
    #[uniffi(default)]
    pub deny: Vec<String>,
    /// The language of names and questions, a BCP 47 tag.
    #[uniffi(default = "en")]
    pub language: String,
    /// The part of the upright picture to look at; all of it unless given.
    #[uniffi(default)]
    pub region: Option<Region>,
    /// The share of each label where the picture was taken, by id: all labels, summing to 1. The findings'
    /// probabilities are re-weighted to it. Left as they are where empty.
    #[uniffi(default)]
    pub prevalence: HashMap<String, f32>,
    /// Answers to the model's scope questions, by id.
    #[uniffi(default)]
    pub answers: HashMap<String, Answer>,
    /// A handle by which another thread can end the classification.
    #[uniffi(default)]
    pub cancel: Option<Arc<CancelHandle>>,
}

/// A rectangle in the upright picture, in shares of its width and height: 0 to 1 from the left and from the top.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Region {
    /// The left edge, 0 to 1.
    pub left: f32,
    /// The top edge, 0 to 1.
    pub top: f32,
    /// The width, above 0, to 1.
    pub width: f32,
    /// The height, above 0, to 1.
    pub height: f32,
}

/// An answer to a scope question.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// A number, where the question has a least or a greatest one.
    Number {
        /// The number, in the question's unit.
        value: f64,
    },
}

/// Ends a classification from another thread, at its next stage (decode, preprocess, engine, verdict), or at the next layer of a
/// network that is quantized from end to end.
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

/// What a classification says. Research software, not a medical device: show `notice` wherever you show it.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Report {
    /// What can't be excluded, from all labels.
    pub verdict: Verdict,
    /// What a person should do.
    pub triage: Triage,
    /// The labels that the query asked for, likeliest first. Empty where the verdict is `Rejected`.
    pub findings: Vec<Finding>,
    /// How long each stage took, in milliseconds.
    pub timings_ms: Timings,
    /// The model that said so.
    pub model: ModelIdentity,
    /// The runtime that ran it.
    pub runtime: RuntimeIdentity,
    /// The sentence that must stand wherever a result is shown.
    pub notice: String,
    /// The report in words, for a person to read: what the command `bedside classify` prints. In English, but for names
    /// and questions.
    pub text: String,
    /// The report as JSON, on one line.
    pub json: String,
}

/// What can't be excluded. Labels come likeliest first.
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
    /// No label reached its operating point. Only models whose labels don't exclude each other say so, and it does not
    /// exclude disease.
    NoFinding,
    /// No verdict: the reasons say what to do again.
    Rejected {
        /// Why.
        reasons: Vec<Reason>,
    },
}

/// A label of the model, and what to call it.
#[derive(Debug, Clone, uniffi::Record)]
pub struct LabelName {
    /// The label's id.
    pub id: String,
    /// Its name in the query's language.
    pub name: String,
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
    /// What to do, in English.
    pub message: String,
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum ReasonKind {
    /// A required scope question was left open.
    ScopeUnanswered,
    /// A scope question was answered `no`.
    ScopeNo,
    /// A number is outside what the model was made for.
    ScopeOutOfRange,
}

/// What a person should do.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Triage {
    /// No sign found by this program that asks for more than usual care. This does not exclude disease.
    NoSign,
    /// A clinician should look.
    Refer,
    /// A clinician should look soon.
    Urgent,
    /// Take the picture again, or mend what the reasons say.
    Unassessed,
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
    /// The calibrated probability, 0 to 1, from which on the label can't be excluded.
    pub operating_point: f32,
    /// Whether the calibrated probability, not re-weighted, is at or over the operating point.
    pub over_operating_point: bool,
}

/// How long each stage took, in milliseconds.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Timings {
    /// Decoding, orienting, cropping.
    pub decode: f64,
    /// Resizing and normalising.
    pub preprocess: f64,
    /// The graph. 0 where a picture was rejected before it.
    pub engine: f64,
    /// Probabilities, verdict, findings.
    pub verdict: f64,
    /// All of it.
    pub total: f64,
}

/// How long the parts of opening a model took, in milliseconds.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct LoadTimes {
    /// Reading the file, decoding it, checking the manifest against it.
    pub read: f64,
    /// From the decoded file to typed operators.
    pub import: f64,
    /// From those to the ones that run.
    pub optimize: f64,
}

/// Which model it was.
#[derive(Debug, Clone, uniffi::Record)]
pub struct ModelIdentity {
    /// The manifest's name.
    pub name: String,
    /// The manifest's version.
    pub version: String,
    /// The SHA-256 of the graph, in hex.
    pub graph_sha256: String,
}

/// Which runtime it was.
#[derive(Debug, Clone, uniffi::Record)]
pub struct RuntimeIdentity {
    /// `bedside`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a self-test found.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct SelfTest {
    /// Who measured the golden scores.
    pub by: GoldenBy,
    /// The largest difference between a score and its golden one, 0 to 1.
    pub max_difference: f32,
}

/// Who measured golden scores.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum GoldenBy {
    /// The lab's own runtime.
    Lab,
    /// Bedside itself, when the model was packed: this shows only that nothing changed since.
    Itself,
}

/// What a model says about itself, in one language.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Manifest {
    /// A short name: lower-case letters, digits, underscores and hyphens.
    pub name: String,
    /// The model's own version.
    pub version: String,
    /// The licence of the weights.
    pub license: String,
    /// What to call it on a screen.
    pub title: String,
    /// What it is meant for; empty where it does not say.
    pub intended_use: String,
    /// What it must not be used for; empty where it does not say.
    pub not_for: String,
    /// Questions whose answers say whether a picture is one that the model was made for.
    pub scope: Vec<ScopeQuestion>,
    /// What the model can name, in its own order.
    pub labels: Vec<Label>,
    /// The whole manifest as JSON, on one line.
    pub json: String,
}

/// A question about the picture or the person, asked before a result is given.
#[derive(Debug, Clone, uniffi::Record)]
pub struct ScopeQuestion {
    /// The name by which it is answered.
    pub id: String,
    /// The question, for a screen.
    pub question: String,
    /// Whether leaving it open rejects.
    pub required: bool,
    /// The least number that is in scope. With `min` or `max` the answer is a number, else yes or no.
    pub min: Option<f64>,
    /// The greatest number that is in scope.
    pub max: Option<f64>,
}

/// One thing that a model can name.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Label {
    /// A stable name: lower-case letters, digits, underscores and hyphens.
    pub id: String,
    /// What to call it on a screen.
    pub name: String,
    /// The calibrated probability, 0 to 1, from which on it can't be excluded.
    pub operating_point: f32,
    /// What it asks of a person.
    pub triage: Triage,
}

/// How the bytes of a picture are to be read, and the turn that brings it upright.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct FrameFormat {
    /// The order of the bytes.
    pub layout: FrameLayout,
    /// The turn that brings it upright.
    pub rotation: Rotation,
    /// Whether left and right are exchanged once it is upright, as front cameras do it.
    #[uniffi(default = false)]
    pub mirrored: bool,
}

/// The order of a picture's bytes. Strides are in bytes; the last row may end with its last pixel.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum FrameLayout {
    /// An encoded file: JPEG, PNG, WebP, BMP or TIFF, told by its first bytes.
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
    /// Red, green, blue, alpha; 8 bits each, not premultiplied; laid over white.
    Rgba8 {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes from one row to the next, at least 4 × `width`.
        row_stride: u32,
    },
    /// Blue, green, red, alpha; 8 bits each, not premultiplied; laid over white.
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
    /// Three planes: Y for every pixel, U and V for every two by two, odd sizes rounded up.
    Yuv420 {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// How the samples lie.
        strides: YuvStrides,
        /// The matrix the samples were made by.
        matrix: YuvMatrix,
        /// The range they are in.
        range: YuvRange,
    },
}

/// Bytes from one sample to the next, in each plane of a YUV 4:2:0 frame: down a column, and along a row (1 in planar
/// frames, 2 where U and V alternate).
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct YuvStrides {
    /// Y, down.
    pub y_row: u32,
    /// Y, along.
    #[uniffi(default = 1)]
    pub y_pixel: u32,
    /// U, down.
    pub u_row: u32,
    /// U, along.
    pub u_pixel: u32,
    /// V, down.
    pub v_row: u32,
    /// V, along.
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

/// Which values stand for black, white and full colour.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum YuvRange {
    /// Y in 16 to 235, U and V in 16 to 240, as video has it.
    Limited,
    /// 0 to 255 for all, as JPEG has it.
    Full,
}

/// A turn that brings a picture upright.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum Rotation {
    /// It is upright already.
    Upright,
    /// A quarter turn clockwise.
    Clockwise90,
    /// Half a turn.
    Clockwise180,
    /// A quarter turn counter-clockwise.
    Clockwise270,
}
