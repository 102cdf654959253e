//! What the fuzz targets (`fuzz/`) call and the public API does not reach. It is there under `--cfg fuzzing` alone, which
//! cargo-fuzz sets for all that it builds, and no part of the API.

use bedside_engine::{Layout, Tensor};

use crate::image::decode;
use crate::manifest::{GoldenBy, Input};
use crate::preprocess::{normalised, preprocess};
use crate::report::{Finding, ModelIdentity, NOTICE, Report, RuntimeIdentity, Timings};
use crate::verdict::{LabelName, Reason, ReasonKind, Triage, Verdict};
use crate::{Image, Limits, Region, Result, SelfTest};

/// The tensor that a graph would be given of a picture: what [`Classifier::classify`](crate::Classifier::classify) does
/// before it runs the graph, without catching panics.
///
/// # Errors
/// As `classify` has for pictures.
pub fn input_tensor(
    image: &Image<'_>,
    region: Option<Region>,
    input: &Input,
    layout: Layout,
    limits: &Limits,
) -> Result<Tensor> {
    let picture = decode(image, region, (input.width, input.height), limits)?;
    assert_eq!(picture.rgb.len(), picture.width as usize * picture.height as usize * 3);
    let input = preprocess(&picture, input);
    let (channels, height, width) = (input.channels, input.height as usize, input.width as usize);
    let shape = match layout {
        Layout::Nchw => vec![1, channels, height, width],
        Layout::Nhwc => vec![1, height, width, channels],
    };
    let values = normalised(&input.mean, &input.std);
    Ok(bedside_engine::fuzzing::tensor(&input.pixels(layout, Some(&values)), shape)?)
}

/// The orientation, 1…8, that an encoded picture's metadata state. `None` where it is of no format that is decoded here.
#[must_use]
pub fn stored_orientation(bytes: &[u8]) -> Option<u8> {
    crate::image::stored_orientation(bytes)
}

/// A label's id and name.
#[must_use]
pub fn label_name(id: String, name: String) -> LabelName {
    LabelName { id, name }
}

/// A reason to reject.
#[must_use]
pub fn reason(kind: ReasonKind, id: Option<String>, question: Option<String>, message: String) -> Reason {
    Reason { kind, id, question, message }
}

/// A finding.
#[must_use]
pub fn finding(label: String, name: String, [probability, operating_point]: [f32; 2], over: bool) -> Finding {
    Finding { label, name, probability, operating_point, over_operating_point: over }
}

/// A report of this build, whose stages took so many nanoseconds.
#[must_use]
pub fn report(
    verdict: Verdict,
    triage: Triage,
    findings: Vec<Finding>,
    model: ModelIdentity,
    nanoseconds: [u64; 5],
) -> Report {
    let [decode, preprocess, engine, verdict_time, total] = nanoseconds.map(std::time::Duration::from_nanos);
    let timings = Timings { decode, preprocess, engine, verdict: verdict_time, total };
    Report { verdict, triage, findings, timings, model, runtime: RuntimeIdentity::THIS, notice: NOTICE }
}

/// Which model a report is of.
#[must_use]
pub fn identity(name: String, version: String, graph_sha256: String) -> ModelIdentity {
    ModelIdentity { name, version, graph_sha256 }
}

/// What a self-test found.
#[must_use]
pub fn self_test(by: GoldenBy, max_difference: f32) -> SelfTest {
    SelfTest { by, max_difference }
}
