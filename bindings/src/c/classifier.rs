//! The classifier.

use std::ffi::c_char;
use std::mem::offset_of;
use std::sync::Arc;

use bedside::manifest::GoldenBy;
use bedside::{Classifier, Image};

use super::frame::{bedside_frame, given};
use super::handle;
use super::image::{IMAGES, bedside_image, path};
use super::manifest::{InLanguage, MANIFESTS, bedside_manifest};
use super::options::{bedside_options, options};
use super::query::{bedside_query, with_query};
use super::reasons::{REASONS, bedside_reasons};
use super::report::{REPORTS, bedside_report, ms};
use super::sized::{self, LeadingSize};
use super::status::{Outcome, answered, bedside_error, bedside_status};
use super::text::{bytes, check_room, copy_text, copy_values, text};
use crate::handles::Handles;

static CLASSIFIERS: Handles<Classifier> = Handles::new();

/// An opened model. Many threads may use one classifier at once. Opening one takes a fraction of a second and tens of
/// megabytes, so keep it.
pub struct bedside_classifier {
    _opaque: [u8; 0],
}

/// The runtime that measured golden scores.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_golden_by {
    /// The lab's own runtime.
    BEDSIDE_GOLDEN_BY_LAB = 1,
    /// Bedside itself, when the model was packed: this shows only that nothing changed since.
    BEDSIDE_GOLDEN_BY_SELF = 2,
}

/// The result of a self-test that passed. Set `size` to sizeof(bedside_self_test).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_self_test {
    /// sizeof(bedside_self_test), which the caller sets.
    pub size: usize,
    /// The runtime that measured the golden scores, a bedside_golden_by; 0 where the model has no golden sample, so that
    /// nothing was tested.
    pub by: i32,
    /// The largest difference between a score and its golden one, 0 to 1.
    pub max_difference: f32,
}

/// How long the parts of opening a model took, in milliseconds. Set `size` to sizeof(bedside_load_times).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_load_times {
    /// sizeof(bedside_load_times), which the caller sets.
    pub size: usize,
    /// Reading the file, decoding it, checking the manifest against it.
    pub read: f64,
    /// From the decoded file to typed operators.
    pub import: f64,
    /// From typed operators to those that run.
    pub optimize: f64,
}

// SAFETY: each is `repr(C)`, begins with its size, and all bytes are valid in every field.
unsafe impl LeadingSize for bedside_self_test {
    const FIRST: usize = offset_of!(bedside_self_test, max_difference) + size_of::<f32>();

    fn initial() -> bedside_self_test {
        bedside_self_test { size: size_of::<bedside_self_test>(), by: 0, max_difference: 0.0 }
    }
}
// SAFETY: as above.
unsafe impl LeadingSize for bedside_load_times {
    const FIRST: usize = offset_of!(bedside_load_times, optimize) + size_of::<f64>();

    fn initial() -> bedside_load_times {
        bedside_load_times { size: size_of::<bedside_load_times>(), read: 0.0, import: 0.0, optimize: 0.0 }
    }
}

/// Opens a model: an ONNX file or a prepared one, with its manifest inside, or in `model.json` beside it. A library
/// without the ONNX importer opens prepared models only. Null options are those of bedside_options_init.
///
/// Runs on the caller's thread for a fraction of a second. Fails with BEDSIDE_STATUS_IO, _TOO_LARGE, _MALFORMED_MODEL,
/// _UNSUPPORTED_MODEL or _INVALID_MANIFEST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_open(
    file: *const c_char,
    options: *const bedside_options,
    classifier: *mut *mut bedside_classifier,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        // SAFETY: the pointers are the caller's.
        let (file, options) = unsafe { (path(file, "file")?, self::options(options)?) };
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&CLASSIFIERS, classifier, "classifier", || Ok(Classifier::open(file, options)?)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Opens a model from the bytes of an ONNX file or a prepared one with its manifest inside. They are not kept. Fails as
/// bedside_classifier_open does, except with BEDSIDE_STATUS_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_from_bytes(
    data: *const u8,
    length: usize,
    options: *const bedside_options,
    classifier: *mut *mut bedside_classifier,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        // SAFETY: the pointers are the caller's.
        let (model, options) = unsafe { (bytes(data, length, "data")?, self::options(options)?) };
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&CLASSIFIERS, classifier, "classifier", || Ok(Classifier::from_bytes(model, options)?)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Classifies one picture. A null query is a new one.
///
/// Runs on the caller's thread for tens to hundreds of milliseconds. Fails with BEDSIDE_STATUS_INVALID_QUERY where the
/// query does not fit the model; with _UNSUPPORTED_IMAGE, _MALFORMED_IMAGE or _TOO_LARGE where the picture can't be
/// decoded; with _CANCELLED where the query's cancel handle was used; and with _UNSUPPORTED_MODEL where the graph gives
/// no scores. Free the report with bedside_report_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_classify(
    classifier: *const bedside_classifier,
    image: *const bedside_image,
    query: *const bedside_query,
    report: *mut *mut bedside_report,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let (classifier, picture) = (of(classifier)?, handle::object(&IMAGES, image, "image")?);
        // SAFETY: the place is the caller's.
        unsafe { classify(&classifier, &picture.image()?, query, report) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Classifies one frame, which is read in place. Otherwise as bedside_classifier_classify.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_classify_frame(
    classifier: *const bedside_classifier,
    frame: *const bedside_frame,
    query: *const bedside_query,
    report: *mut *mut bedside_report,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let classifier = of(classifier)?;
        // SAFETY: the frame is the caller's, and so is the place.
        unsafe { classify(&classifier, &given(frame)?.image()?, query, report) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The probability of each label for the whole picture, 0 to 1, in the manifest's order, before any calibration and
/// without a verdict; `length` is their number. A lab compares these scores with those of its own runtime; do not show
/// them as a result. Runs and fails as bedside_classifier_classify does, without _INVALID_QUERY and _CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_scores(
    classifier: *const bedside_classifier,
    image: *const bedside_image,
    scores: *mut f32,
    capacity: usize,
    length: *mut usize,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let (classifier, picture) = (of(classifier)?, handle::object(&IMAGES, image, "image")?);
        // SAFETY: the buffer is the caller's.
        unsafe { write_scores(&classifier, &picture.image()?, scores, capacity, length) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The scores of one frame, which is read in place. Otherwise as bedside_classifier_scores.
///
/// It uses the memory of earlier calls, which was overwritten with zeros: where the graph is quantized from end to end, the
/// model has at most 1024 labels, and as many earlier calls as run now ran at the same time on frames of the same size, it
/// allocates nothing. Memory of frames over 2.5 megapixels is not kept, nor that of more calls at once than the machine has
/// processors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_frame_scores(
    classifier: *const bedside_classifier,
    frame: *const bedside_frame,
    scores: *mut f32,
    capacity: usize,
    length: *mut usize,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let classifier = of(classifier)?;
        // SAFETY: the frame is the caller's, and so is the buffer.
        unsafe { write_scores(&classifier, &given(frame)?.image()?, scores, capacity, length) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Runs the graph once on a blank picture, so that the first classification is not slower than later ones. Fails with
/// BEDSIDE_STATUS_UNSUPPORTED_MODEL where the graph fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_warm_up(
    classifier: *const bedside_classifier,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, || Ok(of(classifier)?.warm_up()?)) }
}

/// Checks a query against the model, as bedside_classifier_classify does first. Fails with BEDSIDE_STATUS_INVALID_QUERY,
/// whose message names the field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_check(
    classifier: *const bedside_classifier,
    query: *const bedside_query,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, || with_query(query, |query| Ok(of(classifier)?.check(query)?))) }
}

/// The reasons for which the query's answers alone reject every picture; none where the answers are in scope. Call this
/// before a picture is taken. Fails with BEDSIDE_STATUS_INVALID_QUERY, whose message names the field. Free the reasons
/// with bedside_reasons_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_scope_reasons(
    classifier: *const bedside_classifier,
    query: *const bedside_query,
    reasons: *mut *mut bedside_reasons,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let make = || with_query(query, |query| Ok(of(classifier)?.scope_reasons(query)?));
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&REASONS, reasons, "reasons", make) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Runs the manifest's golden sample, from its encoded picture to its scores. Fails with BEDSIDE_STATUS_SELF_TEST where
/// a label's score differs from the golden one by more than 0.02: do not use the model on this device. Fails with
/// _INVALID_MANIFEST where the sample is not base64, and as bedside_classifier_classify does where it can't be run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_self_test(
    classifier: *const bedside_classifier,
    self_test: *mut bedside_self_test,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let found = of(classifier)?.self_test()?.map(|passed| {
            let by = match passed.by {
                GoldenBy::Lab => bedside_golden_by::BEDSIDE_GOLDEN_BY_LAB,
                GoldenBy::Itself => bedside_golden_by::BEDSIDE_GOLDEN_BY_SELF,
                other => unreachable!("`{}` is not known to the border", other.as_str()),
            };
            let (by, max_difference) = (by as i32, passed.max_difference);
            bedside_self_test { by, max_difference, ..bedside_self_test::initial() }
        });
        // SAFETY: the struct is the caller's.
        unsafe { sized::write(self_test, found.unwrap_or_else(bedside_self_test::initial), "self_test") }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The model's description of itself in a language, a BCP 47 tag. Free it with bedside_manifest_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_manifest(
    classifier: *const bedside_classifier,
    language: *const c_char,
    manifest: *mut *mut bedside_manifest,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let make = || {
            let classifier = of(classifier)?;
            let shown_labels = classifier.manifest().shown_labels();
            // SAFETY: the text is the caller's.
            let language = unsafe { text(language, "language")? }.to_owned();
            Ok(InLanguage { classifier, language, shown_labels })
        };
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&MANIFESTS, manifest, "manifest", make) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The SHA-256 of the model's graph, in hex: 64 characters. With the name and the version of its manifest it is the
/// model's identity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_graph_sha256(
    classifier: *const bedside_classifier,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    super::status::without_message(|| unsafe {
        copy_text(&of(classifier)?.identity().graph_sha256, buffer, capacity, length)
    })
}

/// How long the parts of opening the model took.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_classifier_load_times_ms(
    classifier: *const bedside_classifier,
    load_times: *mut bedside_load_times,
) -> bedside_status {
    super::status::without_message(|| {
        let times = of(classifier)?.load_times();
        let found = bedside_load_times {
            read: ms(times.read),
            import: ms(times.import),
            optimize: ms(times.optimize),
            ..bedside_load_times::initial()
        };
        // SAFETY: the struct is the caller's.
        unsafe { sized::write(load_times, found, "load_times") }
    })
}

/// Frees a classifier. A call that is under way keeps what it uses. Null, or a handle that was freed, changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_classifier_free(classifier: *mut bedside_classifier) {
    handle::free(&CLASSIFIERS, classifier);
}

fn of(classifier: *const bedside_classifier) -> Outcome<Arc<Classifier>> {
    handle::object(&CLASSIFIERS, classifier, "classifier")
}

/// The number of labels whose scores need no memory of the heap.
const FEW_LABELS: usize = 1024;

/// Writes the scores of a picture into a buffer of the caller, as [`copy_values`] does.
///
/// # Safety
/// `scores` is null or points to memory of `capacity` values that nobody else uses; `length` is null or writable.
unsafe fn write_scores(
    classifier: &Classifier,
    image: &Image<'_>,
    scores: *mut f32,
    capacity: usize,
    length: *mut usize,
) -> Outcome {
    let labels = classifier.manifest().labels().len();
    // SAFETY: as the caller promises.
    unsafe { check_room(labels, scores, capacity, length, "scores")? };
    let (mut few, mut many) = ([0.0; FEW_LABELS], Vec::new());
    let found = if labels <= FEW_LABELS {
        &mut few[..labels]
    } else {
        many.resize(labels, 0.0);
        many.as_mut_slice()
    };
    classifier.scores_into(image, found)?;
    // SAFETY: as the caller promises.
    unsafe { copy_values(found, scores, capacity, length, "scores") }
}

/// Classifies a picture and gives the report to the caller.
///
/// # Safety
/// `report` is null or points to writable memory for a pointer.
unsafe fn classify(
    classifier: &Classifier,
    image: &Image<'_>,
    query: *const bedside_query,
    report: *mut *mut bedside_report,
) -> Outcome {
    let make = || with_query(query, |query| Ok(classifier.classify(image, query)?));
    // SAFETY: as the caller promises.
    unsafe { handle::give(&REPORTS, report, "report", make) }
}
