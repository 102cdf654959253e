//! Functions for the fuzz targets (`fuzz/`) that the public API does not have. They exist only under `--cfg fuzzing`,
//! which cargo-fuzz sets for everything that it builds, and are no part of the API.

use bedside_engine::{Layout, Tensor};

use crate::image::decode;
use crate::manifest::{GoldenBy, Input};
use crate::preprocess::{normalised, preprocessed};
use crate::report::{Finding, ModelIdentity, NOTICE, Report, RuntimeIdentity, Timings};
use crate::verdict::{DangerSign, DecidedBy, LabelName, Reason, ReasonKind, Verdict};
use crate::{Image, Limits, Region, Result, SelfTest, Triage};

/// The input tensor that a graph gets for a picture: the stages of
/// [`Classifier::classify`](crate::Classifier::classify) before the engine, without catching panics. Its shape has a
/// batch of 1 and the axes of `layout`.
///
/// # Errors
/// As `classify` has for pictures.
///
/// # Panics
/// Where a decoder panics, or gives pixels that do not fill their size.
pub fn input_tensor(
    image: &Image<'_>,
    region: Option<Region>,
    input: &Input,
    layout: Layout,
    limits: &Limits,
) -> Result<Tensor> {
    let picture = decode(image, region, (input.width, input.height), limits)?;
    assert_eq!(picture.rgb.len(), picture.width as usize * picture.height as usize * 3);
    let model_input = preprocessed(&picture, input);
    let (channels, height, width) = (model_input.channels, model_input.height as usize, model_input.width as usize);
    let shape = match layout {
        Layout::Nchw => vec![1, channels, height, width],
        Layout::Nhwc => vec![1, height, width, channels],
    };
    let values = normalised(&input.mean, &input.std);
    bedside_engine::fuzzing::tensor(&model_input.pixels(layout, Some(&values)), shape).map_err(crate::Error::engine)
}

/// The orientation in the metadata of an encoded picture, as a value of the EXIF tag, 1…8. `None` where the format is
/// not decoded.
#[must_use]
pub fn stored_orientation(bytes: &[u8]) -> Option<u8> {
    crate::image::stored_orientation(bytes)
}

/// A label's id, name and level.
#[must_use]
pub fn label_name(id: String, name: String, level: Triage) -> LabelName {
    LabelName { id, name, level }
}

/// A danger sign.
#[must_use]
pub fn danger_sign(id: String, question: String, level: Triage) -> DangerSign {
    DangerSign { id, question, level }
}

/// A reason of a rejected verdict.
#[must_use]
pub fn reason(kind: ReasonKind, id: Option<String>, question: Option<String>, message: String) -> Reason {
    Reason { kind, id, question, message }
}

/// A finding, with its probability and its label's operating point.
#[must_use]
pub fn finding(label: String, name: String, [probability, operating_point]: [f32; 2], over: bool) -> Finding {
    Finding { label, name, probability, operating_point, over_operating_point: over }
}

/// A report of this build. `nanoseconds` are the times of decode, preprocess, engine, verdict, and in total.
#[must_use]
pub fn report(
    verdict: Verdict,
    (triage, decided_by): (Triage, DecidedBy),
    danger: Vec<DangerSign>,
    findings: Vec<Finding>,
    model: ModelIdentity,
    nanoseconds: [u64; 5],
) -> Report {
    let [decode, preprocess, engine, verdict_time, total] = nanoseconds.map(std::time::Duration::from_nanos);
    let timings = Timings { decode, preprocess, engine, verdict: verdict_time, total };
    Report {
        summary: verdict.to_string(),
        advice: triage.advice("en").into(),
        verdict,
        triage,
        decided_by,
        danger,
        findings,
        quality: None,
        warnings: vec![],
        geometry: None,
        heatmap: None,
        novelty: None,
        timings,
        model,
        runtime: RuntimeIdentity::this(),
        notice: NOTICE.into(),
    }
}

/// The identity of a report's model.
#[must_use]
pub fn identity(name: String, version: String, graph_sha256: String) -> ModelIdentity {
    ModelIdentity { name, version, graph_sha256 }
}

/// The result of a self-test that passed.
#[must_use]
pub fn self_test(by: GoldenBy, max_difference: f32) -> SelfTest {
    SelfTest { by, max_difference }
}
