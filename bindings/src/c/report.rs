//! Reports.

use std::ffi::c_char;
use std::mem::offset_of;
use std::time::Duration;

use bedside::{DangerSign, DecidedBy, Finding, LabelName, Report, Triage, Verdict, Warning, WarningKind};

use super::handle;
use super::reasons::{REASONS, bedside_reasons};
use super::sized::{self, LeadingSize};
use super::status::{Failure, Outcome, answered, bedside_error, bedside_status, without_message};
use super::text::{copy_text, put};
use crate::handles::Handles;

pub(super) static REPORTS: Handles<Report> = Handles::new();

/// The result of a classification. Research software, not a medical device: show bedside_report_notice wherever you show
/// a result. It does not change, and many threads may read it at once.
pub struct bedside_report {
    _opaque: [u8; 0],
}

/// What can't be excluded.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_verdict {
    /// One label can't be excluded.
    BEDSIDE_VERDICT_SINGLE = 1,
    /// Several labels can't be excluded.
    BEDSIDE_VERDICT_SEVERAL = 2,
    /// No label reached its operating point: the model can't tell what the picture shows. It does not exclude disease.
    BEDSIDE_VERDICT_UNDECIDED = 3,
    /// There is no verdict: the reasons say what to do before the next try.
    BEDSIDE_VERDICT_REJECTED = 4,
}

/// What a person should do, from the least to the most pressing level: the numbers can be compared. 0 is no level.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_triage {
    /// This program found no sign that needs more than usual care. This does not exclude disease.
    BEDSIDE_TRIAGE_NO_SIGN = 1,
    /// Nothing was assessed: a person decides without this program.
    BEDSIDE_TRIAGE_UNASSESSED = 2,
    /// A clinician should look.
    BEDSIDE_TRIAGE_REFER = 3,
    /// A clinician should look soon.
    BEDSIDE_TRIAGE_URGENT = 4,
}

/// What decided the triage of a report. Later versions may have others.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_decided_by {
    /// A danger sign, which asks for more than what the picture gives.
    BEDSIDE_DECIDED_BY_DANGER = 1,
    /// The picture is out of scope by the answers.
    BEDSIDE_DECIDED_BY_SCOPE = 2,
    /// The picture's quality is under the model's limits.
    BEDSIDE_DECIDED_BY_QUALITY = 3,
    /// The picture's quality is under the model's limits, and so was that of an earlier picture of this case.
    BEDSIDE_DECIDED_BY_REPEATED_QUALITY = 4,
    /// The picture's novelty is over one of the model's two levels.
    BEDSIDE_DECIDED_BY_NOVELTY = 5,
    /// The highest level among the labels that can't be excluded.
    BEDSIDE_DECIDED_BY_LABEL = 6,
    /// The sum of all urgent labels' probabilities, which is at or over the action threshold. None of them is at or over
    /// its own operating point.
    BEDSIDE_DECIDED_BY_ACTION = 7,
    /// No label is at or over its operating point.
    BEDSIDE_DECIDED_BY_UNDECIDED = 8,
    /// The calibration doesn't allow the model to say that there is no sign.
    BEDSIDE_DECIDED_BY_NO_SIGN_NOT_SHOWN = 9,
    /// The model states no operating point.
    BEDSIDE_DECIDED_BY_UNCALIBRATED = 10,
}

/// What a warning is about. Later versions may have others.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_warning_kind {
    /// What tells who the person is may be burned into the pixels.
    BEDSIDE_WARNING_KIND_BURNED_IN = 1,
    /// The file has overlays, which were not drawn over the pixels.
    BEDSIDE_WARNING_KIND_OVERLAY = 2,
    /// The file states more than one region of tissue, as of a split screen, and one was looked at.
    BEDSIDE_WARNING_KIND_OTHER_REGION = 3,
}

/// What a report concludes, and how many of each part it has. Set `size` to sizeof(bedside_conclusion).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_conclusion {
    /// sizeof(bedside_conclusion), which the caller sets.
    pub size: usize,
    /// A bedside_verdict.
    pub verdict: i32,
    /// A bedside_triage.
    pub triage: i32,
    /// A bedside_decided_by.
    pub decided_by: i32,
    /// The number of labels that can't be excluded.
    pub labels: u32,
    /// The number of danger signs that the answers state.
    pub danger_signs: u32,
    /// The number of findings.
    pub findings: u32,
    /// The number of warnings.
    pub warnings: u32,
    #[cfg(feature = "test-later")]
    #[allow(missing_docs, reason = "no header has it")]
    pub later: u64,
}

/// One label and how probable it is. Set `size` to sizeof(bedside_finding).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_finding {
    /// sizeof(bedside_finding), which the caller sets.
    pub size: usize,
    /// The calibrated probability, 0 to 1, re-weighted where the query gives a prevalence.
    pub probability: f32,
    /// The calibrated probability, 0 to 1, at and above which the label can't be excluded.
    pub operating_point: f32,
    /// 1 where the calibrated probability, not re-weighted, is at or above the operating point, else 0.
    pub over_operating_point: i32,
}

/// Measures of a picture, or of the query's region of it. All are ratios without a unit, finite, and at least 0. Y is
/// ITU-R BT.601 luma of the model's input before normalisation, in whole levels of 0 to 255. Set `size` to
/// sizeof(bedside_quality).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_quality {
    /// sizeof(bedside_quality), which the caller sets.
    pub size: usize,
    /// How fine the detail is: from 0, 0.3 to 0.9 in most sharp photos, and about 1.7 for noise alone. Low where the
    /// picture is out of focus.
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
    /// The width of the region over that of the model's input, or the height over the height where that is less, in
    /// pixels of the file or frame before any scaling. Above 0.
    pub relative_size: f32,
}

/// Which part of a picture was looked at, in pixels as they are stored: before the EXIF orientation and any rotation,
/// cropping and reduction. Set `size` to sizeof(bedside_geometry).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_geometry {
    /// sizeof(bedside_geometry), which the caller sets.
    pub size: usize,
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
    /// Millimetres from column to column of the stored picture; 0 where the file does not say. Only DICOM files say.
    pub spacing_x_mm: f64,
    /// Millimetres from row to row of the stored picture; 0 where the file does not say.
    pub spacing_y_mm: f64,
    /// 1 where the spacing is known to be that of a detector behind the body, so that lengths in the body are less, else 0.
    pub spacing_at_detector: i32,
}

/// How unlike the pictures that the model was made for a picture is, and the two levels that it is compared with. Set
/// `size` to sizeof(bedside_novelty).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_novelty {
    /// sizeof(bedside_novelty), which the caller sets.
    pub size: usize,
    /// The novelty, without a unit: the larger, the more unlike.
    pub value: f32,
    /// The novelty above which the triage is at least BEDSIDE_TRIAGE_REFER.
    pub soft: f32,
    /// The novelty above which the picture is rejected.
    pub hard: f32,
}

/// How long each stage took, in milliseconds. Set `size` to sizeof(bedside_timings).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_timings {
    /// sizeof(bedside_timings), which the caller sets.
    pub size: usize,
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

// SAFETY: each is `repr(C)`, begins with its size, and all bytes are valid in every field.
unsafe impl LeadingSize for bedside_conclusion {
    const FIRST: usize = offset_of!(bedside_conclusion, warnings) + size_of::<u32>();
    #[cfg(feature = "test-later")]
    const END: usize = offset_of!(bedside_conclusion, later) + size_of::<u64>();

    fn initial() -> bedside_conclusion {
        bedside_conclusion {
            size: size_of::<bedside_conclusion>(),
            verdict: 0,
            triage: 0,
            decided_by: 0,
            labels: 0,
            danger_signs: 0,
            findings: 0,
            warnings: 0,
            #[cfg(feature = "test-later")]
            later: 7,
        }
    }
}
// SAFETY: as above.
unsafe impl LeadingSize for bedside_finding {
    const FIRST: usize = offset_of!(bedside_finding, over_operating_point) + size_of::<i32>();

    fn initial() -> bedside_finding {
        let size = size_of::<bedside_finding>();
        bedside_finding { size, probability: 0.0, operating_point: 0.0, over_operating_point: 0 }
    }
}
// SAFETY: as above.
unsafe impl LeadingSize for bedside_quality {
    const FIRST: usize = offset_of!(bedside_quality, relative_size) + size_of::<f32>();

    fn initial() -> bedside_quality {
        let size = size_of::<bedside_quality>();
        bedside_quality { size, focus: 0.0, dark: 0.0, bright: 0.0, contrast: 0.0, color: 0.0, relative_size: 0.0 }
    }
}
// SAFETY: as above.
unsafe impl LeadingSize for bedside_geometry {
    const FIRST: usize = offset_of!(bedside_geometry, spacing_at_detector) + size_of::<i32>();

    fn initial() -> bedside_geometry {
        bedside_geometry {
            size: size_of::<bedside_geometry>(),
            picture_width: 0,
            picture_height: 0,
            left: 0.0,
            top: 0.0,
            right: 0.0,
            bottom: 0.0,
            spacing_x_mm: 0.0,
            spacing_y_mm: 0.0,
            spacing_at_detector: 0,
        }
    }
}
// SAFETY: as above.
unsafe impl LeadingSize for bedside_novelty {
    const FIRST: usize = offset_of!(bedside_novelty, hard) + size_of::<f32>();

    fn initial() -> bedside_novelty {
        bedside_novelty { size: size_of::<bedside_novelty>(), value: 0.0, soft: 0.0, hard: 0.0 }
    }
}
// SAFETY: as above.
unsafe impl LeadingSize for bedside_timings {
    const FIRST: usize = offset_of!(bedside_timings, total) + size_of::<f64>();

    fn initial() -> bedside_timings {
        let size = size_of::<bedside_timings>();
        bedside_timings { size, decode: 0.0, preprocess: 0.0, engine: 0.0, verdict: 0.0, total: 0.0 }
    }
}

/// What the report concludes, and how many of each part it has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_conclusion(
    report: *const bedside_report,
    conclusion: *mut bedside_conclusion,
) -> bedside_status {
    without_message(|| {
        let report = of(report)?;
        let found = bedside_conclusion {
            verdict: verdict_of(&report.verdict) as i32,
            triage: triage_of(report.triage) as i32,
            decided_by: decided_by_of(report.decided_by) as i32,
            labels: report.verdict.labels().len() as u32,
            danger_signs: report.danger.len() as u32,
            findings: report.findings.len() as u32,
            warnings: report.warnings.len() as u32,
            ..bedside_conclusion::initial()
        };
        // SAFETY: the struct is the caller's.
        unsafe { sized::write(conclusion, found, "conclusion") }
    })
}

/// The headline: the verdict as a sentence in the query's language, without labels of BEDSIDE_TRIAGE_NO_SIGN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_summary(
    report: *const bedside_report,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| unsafe { copy_text(&of(report)?.summary, buffer, capacity, length) })
}

/// The triage as a sentence in the query's language.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_advice(
    report: *const bedside_report,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| unsafe { copy_text(&of(report)?.advice, buffer, capacity, length) })
}

/// The sentence that must be shown with every result, in the query's language.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_notice(
    report: *const bedside_report,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| unsafe { copy_text(&of(report)?.notice, buffer, capacity, length) })
}

/// The report as text for a person, as the command `bedside classify` prints it. Headings are English; sentences and
/// names are in the query's language. Each call makes it anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_text(
    report: *const bedside_report,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| unsafe { copy_text(&of(report)?.to_string(), buffer, capacity, length) })
}

/// The whole report as JSON, on one line. Each call makes it anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_json(
    report: *const bedside_report,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| unsafe { copy_text(&of(report)?.to_json(), buffer, capacity, length) })
}

/// The level of the label at an index among those that can't be excluded, a bedside_triage. The most pressing labels
/// come first; of one level, the likeliest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_label_level(
    report: *const bedside_report,
    index: usize,
    level: *mut i32,
) -> bedside_status {
    // SAFETY: the place is the caller's.
    without_message(|| label(report, index, |label| unsafe { put(level, triage_of(label.level) as i32, "level") }))
}

/// The id of that label.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_label_id(
    report: *const bedside_report,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| label(report, index, |label| unsafe { copy_text(&label.id, buffer, capacity, length) }))
}

/// The name of that label in the query's language.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_label_name(
    report: *const bedside_report,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| label(report, index, |label| unsafe { copy_text(&label.name, buffer, capacity, length) }))
}

/// The level that the danger sign at an index sets at least, a bedside_triage. Danger signs are in the order of the
/// questions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_danger_level(
    report: *const bedside_report,
    index: usize,
    level: *mut i32,
) -> bedside_status {
    // SAFETY: the place is the caller's.
    without_message(|| danger(report, index, |sign| unsafe { put(level, triage_of(sign.level) as i32, "level") }))
}

/// The id of that danger sign's question.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_danger_id(
    report: *const bedside_report,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| danger(report, index, |sign| unsafe { copy_text(&sign.id, buffer, capacity, length) }))
}

/// That danger sign's question in the query's language, or its id where it has no text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_danger_question(
    report: *const bedside_report,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| danger(report, index, |sign| unsafe { copy_text(&sign.question, buffer, capacity, length) }))
}

/// The numbers of the finding at an index. Findings are the labels that the query asks for, likeliest first; there are
/// none where the verdict is BEDSIDE_VERDICT_REJECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_finding(
    report: *const bedside_report,
    index: usize,
    finding: *mut bedside_finding,
) -> bedside_status {
    without_message(|| {
        finding_at(report, index, |found| {
            let found = bedside_finding {
                probability: found.probability,
                operating_point: found.operating_point,
                over_operating_point: found.over_operating_point.into(),
                ..bedside_finding::initial()
            };
            // SAFETY: the struct is the caller's.
            unsafe { sized::write(finding, found, "finding") }
        })
    })
}

/// The id of that finding's label.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_finding_label(
    report: *const bedside_report,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| {
        finding_at(report, index, |finding| unsafe { copy_text(&finding.label, buffer, capacity, length) })
    })
}

/// The name of that finding's label in the query's language.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_finding_name(
    report: *const bedside_report,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| {
        finding_at(report, index, |finding| unsafe { copy_text(&finding.name, buffer, capacity, length) })
    })
}

/// The reasons of a rejected picture, to be freed with bedside_reasons_free; none with any other verdict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_reasons(
    report: *const bedside_report,
    reasons: *mut *mut bedside_reasons,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        answered(error, || handle::give(&REASONS, reasons, "reasons", || Ok(of(report)?.verdict.reasons().to_vec())))
    }
}

/// The measures of the picture, also where the model has no limits for them or the picture was rejected.
/// BEDSIDE_STATUS_ABSENT only where no picture was decoded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_quality(
    report: *const bedside_report,
    quality: *mut bedside_quality,
) -> bedside_status {
    without_message(|| {
        let found = of(report)?.quality.ok_or_else(|| Failure::absent("quality"))?;
        let found = bedside_quality {
            focus: found.focus,
            dark: found.dark,
            bright: found.bright,
            contrast: found.contrast,
            color: found.color,
            relative_size: found.size,
            ..bedside_quality::initial()
        };
        // SAFETY: the struct is the caller's.
        unsafe { sized::write(quality, found, "quality") }
    })
}

/// What the warning at an index is about, a bedside_warning_kind. Warnings say what to know of the picture, whatever the
/// verdict is: show them with it. There are none where no picture was decoded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_warning_kind(
    report: *const bedside_report,
    index: usize,
    kind: *mut i32,
) -> bedside_status {
    // SAFETY: the place is the caller's.
    without_message(|| warning(report, index, |warning| unsafe { put(kind, warning_of(warning.kind) as i32, "kind") }))
}

/// What that warning says is there and what to do, in the query's language.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_warning_message(
    report: *const bedside_report,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| {
        warning(report, index, |warning| unsafe { copy_text(&warning.message, buffer, capacity, length) })
    })
}

/// Which part of the picture was looked at, and how large it is. BEDSIDE_STATUS_ABSENT only where no picture was decoded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_geometry(
    report: *const bedside_report,
    geometry: *mut bedside_geometry,
) -> bedside_status {
    without_message(|| {
        let found = of(report)?.geometry.ok_or_else(|| Failure::absent("geometry"))?;
        let ([picture_width, picture_height], [left, top, right, bottom]) = (found.picture, found.region);
        let spacing = found.spacing_mm.unwrap_or_default();
        let spacing_at_detector = found.spacing_at_detector.into();
        let found = bedside_geometry {
            picture_width,
            picture_height,
            left,
            top,
            right,
            bottom,
            spacing_x_mm: spacing[0],
            spacing_y_mm: spacing[1],
            spacing_at_detector,
            ..bedside_geometry::initial()
        };
        // SAFETY: the struct is the caller's.
        unsafe { sized::write(geometry, found, "geometry") }
    })
}

/// The novelty. BEDSIDE_STATUS_ABSENT where the model does not tell, and where the graph did not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_novelty(
    report: *const bedside_report,
    novelty: *mut bedside_novelty,
) -> bedside_status {
    without_message(|| {
        let report = of(report)?;
        let found = report.novelty.as_ref().ok_or_else(|| Failure::absent("novelty"))?;
        let (value, soft, hard) = (found.value, found.soft, found.hard);
        // SAFETY: the struct is the caller's.
        unsafe { sized::write(novelty, bedside_novelty { value, soft, hard, ..bedside_novelty::initial() }, "novelty") }
    })
}

/// How long each stage took.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_timings_ms(
    report: *const bedside_report,
    timings: *mut bedside_timings,
) -> bedside_status {
    without_message(|| {
        let times = of(report)?.timings;
        let found = bedside_timings {
            decode: ms(times.decode),
            preprocess: ms(times.preprocess),
            engine: ms(times.engine),
            verdict: ms(times.verdict),
            total: ms(times.total),
            ..bedside_timings::initial()
        };
        // SAFETY: the struct is the caller's.
        unsafe { sized::write(timings, found, "timings") }
    })
}

/// Frees a report. Null, or a handle that was freed, changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_report_free(report: *mut bedside_report) {
    handle::free(&REPORTS, report);
}

/// The report of a handle.
pub(super) fn of(report: *const bedside_report) -> Outcome<std::sync::Arc<Report>> {
    handle::object(&REPORTS, report, "report")
}

fn label(report: *const bedside_report, index: usize, use_it: impl FnOnce(&LabelName) -> Outcome) -> Outcome {
    let report = of(report)?;
    use_it(report.verdict.labels().get(index).ok_or_else(|| Failure::absent("label at this index"))?)
}

fn danger(report: *const bedside_report, index: usize, use_it: impl FnOnce(&DangerSign) -> Outcome) -> Outcome {
    let report = of(report)?;
    use_it(report.danger.get(index).ok_or_else(|| Failure::absent("danger sign at this index"))?)
}

fn finding_at(report: *const bedside_report, index: usize, use_it: impl FnOnce(&Finding) -> Outcome) -> Outcome {
    let report = of(report)?;
    use_it(report.findings.get(index).ok_or_else(|| Failure::absent("finding at this index"))?)
}

fn warning(report: *const bedside_report, index: usize, use_it: impl FnOnce(&Warning) -> Outcome) -> Outcome {
    let report = of(report)?;
    use_it(report.warnings.get(index).ok_or_else(|| Failure::absent("warning at this index"))?)
}

/// The duration in milliseconds.
pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn verdict_of(verdict: &Verdict) -> bedside_verdict {
    match verdict {
        Verdict::Single(_) => bedside_verdict::BEDSIDE_VERDICT_SINGLE,
        Verdict::Several(_) => bedside_verdict::BEDSIDE_VERDICT_SEVERAL,
        Verdict::Undecided => bedside_verdict::BEDSIDE_VERDICT_UNDECIDED,
        Verdict::Rejected(_) => bedside_verdict::BEDSIDE_VERDICT_REJECTED,
        other => unreachable!("the verdict {} is not known to the border: a test compares", other.kind()),
    }
}

pub(super) fn triage_of(triage: Triage) -> bedside_triage {
    match triage {
        Triage::NoSign => bedside_triage::BEDSIDE_TRIAGE_NO_SIGN,
        Triage::Unassessed => bedside_triage::BEDSIDE_TRIAGE_UNASSESSED,
        Triage::Refer => bedside_triage::BEDSIDE_TRIAGE_REFER,
        Triage::Urgent => bedside_triage::BEDSIDE_TRIAGE_URGENT,
    }
}

fn warning_of(kind: WarningKind) -> bedside_warning_kind {
    match kind {
        WarningKind::BurnedIn => bedside_warning_kind::BEDSIDE_WARNING_KIND_BURNED_IN,
        WarningKind::Overlay => bedside_warning_kind::BEDSIDE_WARNING_KIND_OVERLAY,
        WarningKind::OtherRegion => bedside_warning_kind::BEDSIDE_WARNING_KIND_OTHER_REGION,
        other => unreachable!("`{}` is not known to the border: a test compares", other.as_str()),
    }
}

fn decided_by_of(decided_by: DecidedBy) -> bedside_decided_by {
    use bedside_decided_by as C;
    match decided_by {
        DecidedBy::Danger => C::BEDSIDE_DECIDED_BY_DANGER,
        DecidedBy::Scope => C::BEDSIDE_DECIDED_BY_SCOPE,
        DecidedBy::Quality => C::BEDSIDE_DECIDED_BY_QUALITY,
        DecidedBy::RepeatedQuality => C::BEDSIDE_DECIDED_BY_REPEATED_QUALITY,
        DecidedBy::Novelty => C::BEDSIDE_DECIDED_BY_NOVELTY,
        DecidedBy::Label => C::BEDSIDE_DECIDED_BY_LABEL,
        DecidedBy::Action => C::BEDSIDE_DECIDED_BY_ACTION,
        DecidedBy::Undecided => C::BEDSIDE_DECIDED_BY_UNDECIDED,
        DecidedBy::NoSignNotShown => C::BEDSIDE_DECIDED_BY_NO_SIGN_NOT_SHOWN,
        DecidedBy::Uncalibrated => C::BEDSIDE_DECIDED_BY_UNCALIBRATED,
        other => unreachable!("`{}` is not known to the border: a test compares", other.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_kinds_have_the_numbers_of_their_places() {
        for (index, &kind) in WarningKind::ALL.iter().enumerate() {
            assert_eq!(warning_of(kind) as usize, index + 1, "{}", kind.as_str());
        }
        for (index, &level) in Triage::ALL.iter().enumerate() {
            assert_eq!(triage_of(level) as usize, index + 1, "{level}");
        }
        for (index, &decided_by) in DecidedBy::ALL.iter().enumerate() {
            assert_eq!(decided_by_of(decided_by) as usize, index + 1, "{decided_by}");
        }
    }
}
