//! Conversions between the types of this border and those of the crate `bedside`.

use std::time::Duration;

use bedside::manifest::{
    GoldenBy as CoreGoldenBy, Label as CoreLabel, Manifest as CoreManifest, QuestionRole as CoreRole,
    ScopeQuestion as CoreQuestion,
};
use bedside::{DecidedBy as Decided, Report as CoreReport, Result, Triage as Level, Verdict as CoreVerdict};

use crate::frame::{Frame, Layout, PixelFormat, Strides};

use super::Heatmap;
#[allow(clippy::wildcard_imports, reason = "every type of this border has its counterpart here")]
use super::types::*;

impl From<Options> for bedside::Options {
    fn from(options: Options) -> bedside::Options {
        let Limits { max_declared_pixels, max_decoded_bytes, max_model_bytes } = options.limits;
        let limits = bedside::Limits::new()
            .max_declared_pixels(max_declared_pixels)
            .max_decoded_bytes(max_decoded_bytes)
            .max_model_bytes(max_model_bytes);
        bedside::Options::new().threads(options.threads).limits(limits)
    }
}

impl TryFrom<Query> for bedside::Query {
    type Error = bedside::Error;

    fn try_from(query: Query) -> Result<bedside::Query> {
        let region = |r: Region| bedside::Region::new(r.left, r.top, r.width, r.height);
        let mut core = bedside::Query::new();
        core.max_results = query.max_results;
        core.score_threshold = query.score_threshold;
        core.allow = query.allow;
        core.deny = query.deny;
        core.language = query.language;
        core.region = query.region.map(region).transpose()?;
        core.prevalence = query.prevalence.into_iter().collect();
        core.answers = query.answers.into_iter().map(|(id, answer)| (id, answer.into())).collect();
        core.source = query.source.map(bedside::Source::from);
        core.refusals = query.refusals;
        core.explain = query.explain.map(bedside::Explain::from);
        core.cancel = query.cancel.map(|handle| handle.0.clone());
        Ok(core)
    }
}

impl From<Answer> for bedside::Answer {
    fn from(answer: Answer) -> bedside::Answer {
        match answer {
            Answer::Yes => bedside::Answer::Yes,
            Answer::No => bedside::Answer::No,
            Answer::Number { value } => bedside::Answer::Number(value),
        }
    }
}

impl From<Source> for bedside::Source {
    fn from(source: Source) -> bedside::Source {
        match source {
            Source::Camera => bedside::Source::Camera,
            Source::File => bedside::Source::File,
        }
    }
}

impl From<CoreReport> for Report {
    fn from(report: CoreReport) -> Report {
        let (text, json) = (report.to_string(), report.to_json());
        let times = report.timings;
        Report {
            verdict: report.verdict.into(),
            summary: report.summary,
            triage: report.triage.into(),
            decided_by: report.decided_by.into(),
            advice: report.advice,
            danger: report.danger.into_iter().map(DangerSign::from).collect(),
            findings: report.findings.into_iter().map(Finding::from).collect(),
            quality: report.quality.map(Quality::from),
            warnings: report.warnings.into_iter().map(Warning::from).collect(),
            geometry: report.geometry.map(Geometry::from),
            novelty: report.novelty.map(|found| Novelty { value: found.value, soft: found.soft, hard: found.hard }),
            heatmap: report.heatmap.map(Heatmap::from),
            timings_ms: Timings {
                decode: ms(times.decode),
                preprocess: ms(times.preprocess),
                engine: ms(times.engine),
                verdict: ms(times.verdict),
                total: ms(times.total),
            },
            model: (&report.model).into(),
            runtime: RuntimeIdentity {
                name: report.runtime.name.into_owned(),
                version: report.runtime.version.into_owned(),
            },
            notice: report.notice.into_owned(),
            text,
            json,
        }
    }
}

impl From<bedside::Warning> for Warning {
    fn from(warning: bedside::Warning) -> Warning {
        let kind = match warning.kind {
            bedside::WarningKind::BurnedIn => WarningKind::BurnedIn,
            bedside::WarningKind::Overlay => WarningKind::Overlay,
            bedside::WarningKind::OtherRegion => WarningKind::OtherRegion,
            other => unreachable!("`{}` is not known to the bindings: a test compares", other.as_str()),
        };
        Warning { kind, message: warning.message }
    }
}

impl From<bedside::Geometry> for Geometry {
    fn from(geometry: bedside::Geometry) -> Geometry {
        let [picture_width, picture_height] = geometry.picture;
        let [left, top, right, bottom] = geometry.region;
        let at_detector = geometry.spacing_at_detector;
        let spacing = geometry.spacing_mm.map(|[x_mm, y_mm]| Spacing { x_mm, y_mm, at_detector });
        Geometry { picture_width, picture_height, left, top, right, bottom, spacing }
    }
}

/// The duration in milliseconds.
fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

impl From<bedside::LoadTimes> for LoadTimes {
    fn from(times: bedside::LoadTimes) -> LoadTimes {
        LoadTimes { read: ms(times.read), import: ms(times.import), optimize: ms(times.optimize) }
    }
}

impl From<&bedside::ModelIdentity> for ModelIdentity {
    fn from(model: &bedside::ModelIdentity) -> ModelIdentity {
        ModelIdentity {
            name: model.name.clone(),
            version: model.version.clone(),
            graph_sha256: model.graph_sha256.clone(),
        }
    }
}

impl From<bedside::Quality> for Quality {
    fn from(quality: bedside::Quality) -> Quality {
        let bedside::Quality { focus, dark, bright, contrast, color, size, .. } = quality;
        Quality { focus, dark, bright, contrast, color, size }
    }
}

impl From<bedside::Finding> for Finding {
    fn from(finding: bedside::Finding) -> Finding {
        Finding {
            label: finding.label,
            name: finding.name,
            probability: finding.probability,
            operating_point: finding.operating_point,
            over_operating_point: finding.over_operating_point,
        }
    }
}

impl From<CoreVerdict> for Verdict {
    fn from(verdict: CoreVerdict) -> Verdict {
        let named = |label: bedside::LabelName| LabelName { id: label.id, name: label.name, level: label.level.into() };
        match verdict {
            CoreVerdict::Single(label) => Verdict::Single { label: named(label) },
            CoreVerdict::Several(labels) => Verdict::Several { labels: labels.into_iter().map(named).collect() },
            CoreVerdict::Undecided => Verdict::Undecided,
            CoreVerdict::Rejected(reasons) => {
                Verdict::Rejected { reasons: reasons.into_iter().map(Reason::from).collect() }
            }
            other => unreachable!("the verdict {} is not known to the bindings: a test compares", other.kind()),
        }
    }
}

impl From<bedside::DangerSign> for DangerSign {
    fn from(sign: bedside::DangerSign) -> DangerSign {
        DangerSign { id: sign.id, question: sign.question, level: sign.level.into() }
    }
}

impl From<bedside::Reason> for Reason {
    fn from(reason: bedside::Reason) -> Reason {
        use bedside::ReasonKind as Core;
        let kind = match reason.kind {
            Core::ScopeUnanswered => ReasonKind::ScopeUnanswered,
            Core::ScopeNo => ReasonKind::ScopeNo,
            Core::ScopeOutOfRange => ReasonKind::ScopeOutOfRange,
            Core::Source => ReasonKind::Source,
            Core::TooSmall => ReasonKind::TooSmall,
            Core::TooDark => ReasonKind::TooDark,
            Core::TooBright => ReasonKind::TooBright,
            Core::LowContrast => ReasonKind::LowContrast,
            Core::OutOfFocus => ReasonKind::OutOfFocus,
            Core::Colorless => ReasonKind::Colorless,
            Core::Colored => ReasonKind::Colored,
            Core::Novel => ReasonKind::Novel,
            other => unreachable!("the reason {} is not known to the bindings: a test compares", other.as_str()),
        };
        Reason { kind, id: reason.id, question: reason.question, message: reason.message }
    }
}

impl From<Level> for Triage {
    fn from(triage: Level) -> Triage {
        match triage {
            Level::NoSign => Triage::NoSign,
            Level::Unassessed => Triage::Unassessed,
            Level::Refer => Triage::Refer,
            Level::Urgent => Triage::Urgent,
        }
    }
}

impl From<Decided> for DecidedBy {
    fn from(decided_by: Decided) -> DecidedBy {
        match decided_by {
            Decided::Danger => DecidedBy::Danger,
            Decided::Scope => DecidedBy::Scope,
            Decided::Quality => DecidedBy::Quality,
            Decided::RepeatedQuality => DecidedBy::RepeatedQuality,
            Decided::Novelty => DecidedBy::Novelty,
            Decided::Label => DecidedBy::Label,
            Decided::Action => DecidedBy::Action,
            Decided::Undecided => DecidedBy::Undecided,
            Decided::NoSignNotShown => DecidedBy::NoSignNotShown,
            Decided::Uncalibrated => DecidedBy::Uncalibrated,
            other => unreachable!("`{}` is not known to the bindings: a test compares", other.as_str()),
        }
    }
}

impl From<CoreRole> for QuestionRole {
    fn from(role: CoreRole) -> QuestionRole {
        match role {
            CoreRole::Scope => QuestionRole::Scope,
            CoreRole::Danger => QuestionRole::Danger,
            other => unreachable!("the role {} is not known to the bindings: a test compares", other.as_str()),
        }
    }
}

impl From<bedside::SelfTest> for SelfTest {
    fn from(found: bedside::SelfTest) -> SelfTest {
        let by = match found.by {
            CoreGoldenBy::Lab => GoldenBy::Lab,
            CoreGoldenBy::Itself => GoldenBy::Itself,
            other => unreachable!("`{}` is not known to the bindings", other.as_str()),
        };
        SelfTest { by, max_difference: found.max_difference }
    }
}

impl Manifest {
    /// The manifest with its texts in this language, or in the one that they fall back to.
    pub(super) fn of(manifest: &CoreManifest, language: &str) -> Manifest {
        let question = |q: &CoreQuestion| ScopeQuestion {
            id: q.id.clone(),
            question: q.text_in(language).to_owned(),
            role: q.role.into(),
            level: q.level.map(Triage::from),
            required: q.required,
            min: q.min,
            max: q.max,
        };
        let label = |l: &CoreLabel| Label {
            id: l.id.clone(),
            name: l.name_in(language).to_owned(),
            operating_point: l.operating_point,
            triage: l.triage.into(),
        };
        let advice = |level| manifest.advice(level, language).to_owned();
        Manifest {
            name: manifest.name().to_owned(),
            version: manifest.version().to_owned(),
            license: manifest.license().to_owned(),
            title: manifest.title(language).to_owned(),
            intended_use: manifest.intended_use().get(language).unwrap_or_default().to_owned(),
            not_for: manifest.not_for().get(language).unwrap_or_default().to_owned(),
            advice: Advice {
                no_sign: advice(Level::NoSign),
                unassessed: advice(Level::Unassessed),
                refer: advice(Level::Refer),
                urgent: advice(Level::Urgent),
            },
            scope: manifest.scope().iter().map(question).collect(),
            labels: manifest.labels().iter().map(label).collect(),
            shown_labels: manifest.shown_labels().iter().map(label).collect(),
            json: manifest.to_json(),
        }
    }
}

impl From<FrameFormat> for Frame {
    fn from(format: FrameFormat) -> Frame {
        let packed = |format, width, height, row_stride| Layout::Packed { format, width, height, row_stride };
        let layout = match format.layout {
            FrameLayout::Encoded => Layout::Encoded,
            FrameLayout::Rgb8 { width, height, row_stride } => packed(PixelFormat::Rgb8, width, height, row_stride),
            FrameLayout::Rgba8 { width, height, row_stride } => packed(PixelFormat::Rgba8, width, height, row_stride),
            FrameLayout::Bgra8 { width, height, row_stride } => packed(PixelFormat::Bgra8, width, height, row_stride),
            FrameLayout::Gray8 { width, height, row_stride } => packed(PixelFormat::Gray8, width, height, row_stride),
            FrameLayout::Yuv420 { width, height, strides, matrix, range } => {
                let YuvStrides { y_row, y_pixel, u_row, u_pixel, v_row, v_pixel } = strides;
                let strides = Strides { y_row, y_pixel, u_row, u_pixel, v_row, v_pixel };
                Layout::Yuv420 { width, height, strides, matrix: matrix.into(), range: range.into() }
            }
        };
        Frame { layout, rotation: format.rotation.into(), mirrored: format.mirrored }
    }
}

impl From<Rotation> for bedside::Rotation {
    fn from(rotation: Rotation) -> bedside::Rotation {
        match rotation {
            Rotation::Upright => bedside::Rotation::Upright,
            Rotation::Clockwise90 => bedside::Rotation::Clockwise90,
            Rotation::Clockwise180 => bedside::Rotation::Clockwise180,
            Rotation::Clockwise270 => bedside::Rotation::Clockwise270,
        }
    }
}

impl From<YuvMatrix> for bedside::YuvMatrix {
    fn from(matrix: YuvMatrix) -> bedside::YuvMatrix {
        match matrix {
            YuvMatrix::Bt601 => bedside::YuvMatrix::Bt601,
            YuvMatrix::Bt709 => bedside::YuvMatrix::Bt709,
        }
    }
}

impl From<YuvRange> for bedside::YuvRange {
    fn from(range: YuvRange) -> bedside::YuvRange {
        match range {
            YuvRange::Limited => bedside::YuvRange::Limited,
            YuvRange::Full => bedside::YuvRange::Full,
        }
    }
}
