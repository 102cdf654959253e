//! Replies to Java: how a call ended, then its result. `Reply.java` reads the fields in the same order.

use bedside::manifest::{Label, Manifest, ScopeQuestion};
use bedside::{
    DangerSign, Error, Geometry, Heatmap, LabelName, LoadTimes, ModelIdentity, Novelty, Quality, Reason, Report,
    SelfTest, Triage, Verdict,
};

use super::wire::Writer;

/// The call succeeded; its result follows.
const DONE: u8 = 0;
/// The call failed; the kind and the message of the error follow.
const FAILED: u8 = 1;
/// An object of the call was closed; its kind follows.
const CLOSED: u8 = 2;

/// A writer that begins with how the call ended.
fn writer(ended: u8) -> Writer {
    let mut writer = Writer::default();
    writer.byte(ended);
    writer
}

pub(super) fn done() -> Writer {
    writer(DONE)
}

pub(super) fn failed(error: &Error) -> Vec<u8> {
    writer(FAILED).string(error.kind().as_str()).string(&error.to_string()).finish()
}

pub(super) fn closed(what: &str) -> Vec<u8> {
    writer(CLOSED).string(what).finish()
}

pub(super) fn handle(handle: i64) -> Writer {
    let mut writer = done();
    writer.long(handle);
    writer
}

pub(super) fn flag(value: bool) -> Writer {
    let mut writer = done();
    writer.flag(value);
    writer
}

pub(super) fn count(count: u32) -> Writer {
    let mut writer = done();
    writer.int(count);
    writer
}

pub(super) fn scores(scores: &[f32]) -> Writer {
    let mut writer = done();
    writer.list(scores, |writer, score| {
        writer.float(*score);
    });
    writer
}

pub(super) fn self_test(found: Option<SelfTest>) -> Writer {
    let mut writer = done();
    writer.optional(found, |writer, found| {
        writer.string(found.by.as_str()).float(found.max_difference);
    });
    writer
}

pub(super) fn identity(model: &ModelIdentity) -> Writer {
    let mut writer = done();
    write_identity(&mut writer, model);
    writer
}

pub(super) fn load_times(times: &LoadTimes) -> Writer {
    let mut writer = done();
    for part in [times.read, times.import, times.optimize] {
        writer.double(part.as_secs_f64() * 1e3);
    }
    writer
}

pub(super) fn report(report: &Report) -> Writer {
    let mut writer = done();
    write_verdict(&mut writer, &report.verdict);
    writer.string(&report.summary).string(report.triage.as_str()).string(report.decided_by.as_str());
    writer.string(&report.advice);
    writer.list(&report.danger, |writer, DangerSign { id, question, level, .. }| {
        writer.string(id).string(question).string(level.as_str());
    });
    writer.list(&report.findings, |writer, finding| {
        writer.string(&finding.label).string(&finding.name).float(finding.probability);
        writer.float(finding.operating_point).flag(finding.over_operating_point);
    });
    writer.optional(report.quality, |writer, Quality { focus, dark, bright, contrast, color, size, .. }| {
        for measure in [focus, dark, bright, contrast, color, size] {
            writer.float(measure);
        }
    });
    writer.list(&report.warnings, |writer, warning| {
        writer.string(warning.kind.as_str()).string(&warning.message);
    });
    writer.optional(report.geometry, |writer, geometry| write_geometry(writer, &geometry));
    writer.optional(report.novelty, |writer, Novelty { value, soft, hard, .. }| {
        writer.float(value).float(soft).float(hard);
    });
    writer.optional(report.heatmap.as_ref(), write_heatmap);
    let times = &report.timings;
    for stage in [times.decode, times.preprocess, times.engine, times.verdict, times.total] {
        writer.double(stage.as_secs_f64() * 1e3);
    }
    write_identity(&mut writer, &report.model);
    writer.string(&report.runtime.name).string(&report.runtime.version).string(&report.notice);
    writer.string(&report.to_string()).string(&report.to_json());
    writer
}

fn write_geometry(writer: &mut Writer, geometry: &Geometry) {
    for length in geometry.picture {
        writer.int(length);
    }
    for edge in geometry.region {
        writer.double(edge);
    }
    writer.optional(geometry.spacing_mm, |writer, [x, y]| {
        writer.double(x).double(y);
    });
    writer.flag(geometry.spacing_at_detector);
}

fn write_heatmap(writer: &mut Writer, heatmap: &Heatmap) {
    writer.string(&heatmap.label).string(heatmap.method.as_str());
    writer.int(heatmap.width).int(heatmap.height);
    writer.list(&heatmap.values, |writer, value| {
        writer.float(*value);
    });
    for number in heatmap.frame.as_flattened() {
        writer.double(*number);
    }
    for length in heatmap.picture {
        writer.int(length);
    }
    for edge in heatmap.seen {
        writer.double(edge);
    }
    writer.float(heatmap.max).flag(heatmap.evidence);
}

/// The bytes of a file.
pub(super) fn file(bytes: &[u8]) -> Writer {
    let mut writer = done();
    writer.bytes(bytes);
    writer
}

fn write_verdict(writer: &mut Writer, verdict: &Verdict) {
    writer.string(verdict.kind());
    writer.list(verdict.labels(), |writer, LabelName { id, name, level, .. }| {
        writer.string(id).string(name).string(level.as_str());
    });
    writer.list(verdict.reasons(), write_reason);
}

pub(super) fn reasons(reasons: &[Reason]) -> Writer {
    let mut writer = done();
    writer.list(reasons, write_reason);
    writer
}

fn write_reason(writer: &mut Writer, reason: &Reason) {
    writer.string(reason.kind.as_str());
    for text in [&reason.id, &reason.question] {
        writer.optional(text.as_deref(), |writer, text| {
            writer.string(text);
        });
    }
    writer.string(&reason.message);
}

fn write_identity(writer: &mut Writer, model: &ModelIdentity) {
    writer.string(&model.name).string(&model.version).string(&model.graph_sha256);
}

/// The manifest with its texts in this language, or in the one that they fall back to.
pub(super) fn manifest(manifest: &Manifest, language: &str) -> Writer {
    let mut writer = done();
    writer.string(manifest.name()).string(manifest.version()).string(manifest.license());
    writer.string(manifest.title(language));
    writer.string(manifest.intended_use().get(language).unwrap_or_default());
    writer.string(manifest.not_for().get(language).unwrap_or_default());
    for level in Triage::ALL {
        writer.string(manifest.advice(*level, language));
    }
    writer.list(manifest.scope(), |writer, question| write_question(writer, question, language));
    writer.list(manifest.labels(), |writer, label| write_label(writer, label, language));
    writer.list(&manifest.shown_labels(), |writer, label| write_label(writer, label, language));
    writer.string(&manifest.to_json());
    writer
}

fn write_question(writer: &mut Writer, question: &ScopeQuestion, language: &str) {
    writer.string(&question.id).string(question.text_in(language)).string(question.role.as_str());
    writer.optional(question.level, |writer, level| {
        writer.string(level.as_str());
    });
    writer.flag(question.required);
    for bound in [question.min, question.max] {
        writer.optional(bound, |writer, bound| {
            writer.double(bound);
        });
    }
}

fn write_label(writer: &mut Writer, label: &Label, language: &str) {
    writer.string(&label.id).string(label.name_in(language));
    writer.optional(label.operating_point, |writer, point| {
        writer.float(point);
    });
    writer.string(label.triage.as_str());
}
