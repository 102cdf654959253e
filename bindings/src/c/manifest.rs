//! A model's description of itself.

use std::ffi::c_char;
use std::mem::offset_of;
use std::sync::Arc;

use bedside::manifest::{Label, Manifest, QuestionRole, ScopeQuestion};
use bedside::{Classifier, Triage};

use super::frame::chosen;
use super::handle;
use super::report::triage_of;
use super::sized::{self, LeadingSize};
use super::status::{Failure, Outcome, bedside_status, without_message};
use super::text::{copy_text, put};
use crate::handles::Handles;

pub(super) static MANIFESTS: Handles<InLanguage> = Handles::new();

/// A model's description of itself in one language. It keeps the model in memory: free it too. A text that lacks the language is in its base language, in English,
/// or in the first language that it has.
pub struct bedside_manifest {
    _opaque: [u8; 0],
}

/// A manifest, and the language of its texts.
pub(super) struct InLanguage {
    pub(super) classifier: Arc<Classifier>,
    pub(super) language: String,
    /// [`Manifest::shown_labels`], which is made anew by each call.
    pub(super) shown_labels: Vec<Label>,
}

impl InLanguage {
    fn manifest(&self) -> &Manifest {
        self.classifier.manifest()
    }
}

/// What the answer to a question decides. Later versions may have others.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_question_role {
    /// Whether the model was made for the picture: no, or a number out of range, rejects it.
    BEDSIDE_QUESTION_ROLE_SCOPE = 1,
    /// Whether there is a danger sign: yes sets the triage to at least the question's level.
    BEDSIDE_QUESTION_ROLE_DANGER = 2,
}

/// A question about the picture or the person, asked before a result is given. Set `size` to sizeof(bedside_question).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_question {
    /// sizeof(bedside_question), which the caller sets.
    pub size: usize,
    /// A bedside_question_role.
    pub role: i32,
    /// The triage that yes sets at least, a bedside_triage; 0 where the question is not one of danger.
    pub level: i32,
    /// 1 where a picture is rejected if the question is not answered, else 0.
    pub required: i32,
    /// 1 where the answer is a number, 0 where it is yes or no.
    pub takes_number: i32,
    /// The minimum number that is in scope; minus infinity where there is none.
    pub min: f64,
    /// The maximum number that is in scope; infinity where there is none.
    pub max: f64,
}

/// A label of a model. Set `size` to sizeof(bedside_label).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_label {
    /// sizeof(bedside_label), which the caller sets.
    pub size: usize,
    /// What a person should do where the label can't be excluded, a bedside_triage.
    pub level: i32,
    /// The calibrated probability, 0 to 1, at and above which the label can't be excluded; below 0 where the manifest
    /// writes none beside the label.
    pub operating_point: f32,
}

// SAFETY: each is `repr(C)`, begins with its size, and all bytes are valid in every field.
unsafe impl LeadingSize for bedside_question {
    const FIRST: usize = offset_of!(bedside_question, max) + size_of::<f64>();

    fn initial() -> bedside_question {
        let size = size_of::<bedside_question>();
        let (min, max) = (f64::NEG_INFINITY, f64::INFINITY);
        bedside_question { size, role: 0, level: 0, required: 0, takes_number: 0, min, max }
    }
}
// SAFETY: as above.
unsafe impl LeadingSize for bedside_label {
    const FIRST: usize = offset_of!(bedside_label, operating_point) + size_of::<f32>();

    fn initial() -> bedside_label {
        bedside_label { size: size_of::<bedside_label>(), level: 0, operating_point: -1.0 }
    }
}

/// A text of a manifest.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_manifest_field {
    /// A short name: lower-case letters, digits, underscores and hyphens.
    BEDSIDE_MANIFEST_FIELD_NAME = 1,
    /// The model's own version.
    BEDSIDE_MANIFEST_FIELD_VERSION = 2,
    /// The licence of the weights.
    BEDSIDE_MANIFEST_FIELD_LICENSE = 3,
    /// The model's name for a screen.
    BEDSIDE_MANIFEST_FIELD_TITLE = 4,
    /// What the model is meant for; empty where the manifest does not state it.
    BEDSIDE_MANIFEST_FIELD_INTENDED_USE = 5,
    /// What the model must not be used for; empty where the manifest does not state it.
    BEDSIDE_MANIFEST_FIELD_NOT_FOR = 6,
    /// The whole manifest as JSON, on one line.
    BEDSIDE_MANIFEST_FIELD_JSON = 7,
}

use bedside_manifest_field as Field;

const FIELDS: [Field; 7] = [
    Field::BEDSIDE_MANIFEST_FIELD_NAME,
    Field::BEDSIDE_MANIFEST_FIELD_VERSION,
    Field::BEDSIDE_MANIFEST_FIELD_LICENSE,
    Field::BEDSIDE_MANIFEST_FIELD_TITLE,
    Field::BEDSIDE_MANIFEST_FIELD_INTENDED_USE,
    Field::BEDSIDE_MANIFEST_FIELD_NOT_FOR,
    Field::BEDSIDE_MANIFEST_FIELD_JSON,
];

/// A text of the manifest. `field` is a bedside_manifest_field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_text(
    manifest: *const bedside_manifest,
    field: i32,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        let of = of(manifest)?;
        let (manifest, language) = (of.manifest(), of.language.as_str());
        let json;
        let text = match chosen("field", "bedside_manifest_field", field, &FIELDS.map(|field| (field as i32, field)))? {
            Field::BEDSIDE_MANIFEST_FIELD_NAME => manifest.name(),
            Field::BEDSIDE_MANIFEST_FIELD_VERSION => manifest.version(),
            Field::BEDSIDE_MANIFEST_FIELD_LICENSE => manifest.license(),
            Field::BEDSIDE_MANIFEST_FIELD_TITLE => manifest.title(language),
            Field::BEDSIDE_MANIFEST_FIELD_INTENDED_USE => manifest.intended_use().get(language).unwrap_or_default(),
            Field::BEDSIDE_MANIFEST_FIELD_NOT_FOR => manifest.not_for().get(language).unwrap_or_default(),
            Field::BEDSIDE_MANIFEST_FIELD_JSON => {
                json = manifest.to_json();
                &json
            }
        };
        // SAFETY: the buffer is the caller's.
        unsafe { copy_text(text, buffer, capacity, length) }
    })
}

/// What a person should do at a triage level, a bedside_triage, as a sentence: the model's own, else the library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_advice(
    manifest: *const bedside_manifest,
    level: i32,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        let of = of(manifest)?;
        let levels: Vec<(i32, Triage)> = Triage::ALL.iter().map(|&level| (triage_of(level) as i32, level)).collect();
        let level = chosen("level", "bedside_triage", level, &levels)?;
        // SAFETY: the buffer is the caller's.
        unsafe { copy_text(of.manifest().advice(level, &of.language), buffer, capacity, length) }
    })
}

/// The number of questions, in the order in which they are asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_question_count(
    manifest: *const bedside_manifest,
    count: *mut usize,
) -> bedside_status {
    // SAFETY: the place is the caller's.
    without_message(|| unsafe { put(count, of(manifest)?.manifest().scope().len(), "count") })
}

/// The question at an index, but for its texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_question(
    manifest: *const bedside_manifest,
    index: usize,
    question: *mut bedside_question,
) -> bedside_status {
    without_message(|| {
        question_at(manifest, index, |found, _| {
            let initial = bedside_question::initial();
            let asked = bedside_question {
                role: role_of(found.role) as i32,
                level: found.level.map_or(0, |level| triage_of(level) as i32),
                required: found.required.into(),
                takes_number: found.takes_number().into(),
                min: found.min.unwrap_or(initial.min),
                max: found.max.unwrap_or(initial.max),
                ..initial
            };
            // SAFETY: the struct is the caller's.
            unsafe { sized::write(question, asked, "question") }
        })
    })
}

/// The id under which a query answers the question at an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_question_id(
    manifest: *const bedside_manifest,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| {
        question_at(manifest, index, |question, _| unsafe { copy_text(&question.id, buffer, capacity, length) })
    })
}

/// The question at an index, for a screen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_question_text(
    manifest: *const bedside_manifest,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        question_at(manifest, index, |question, language| {
            // SAFETY: the buffer is the caller's.
            unsafe { copy_text(question.text_in(language), buffer, capacity, length) }
        })
    })
}

/// The number of labels, which is that of the scores.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_label_count(
    manifest: *const bedside_manifest,
    count: *mut usize,
) -> bedside_status {
    // SAFETY: the place is the caller's.
    without_message(|| unsafe { put(count, of(manifest)?.manifest().labels().len(), "count") })
}

/// The label at an index, in the order of the scores, but for its texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_label(
    manifest: *const bedside_manifest,
    index: usize,
    label: *mut bedside_label,
) -> bedside_status {
    // SAFETY: the struct is the caller's.
    without_message(|| unsafe { write_label(of(manifest)?.manifest().labels(), index, label) })
}

/// The id of the label at an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_label_id(
    manifest: *const bedside_manifest,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| unsafe {
        copy_text(&at(of(manifest)?.manifest().labels(), index)?.id, buffer, capacity, length)
    })
}

/// The name of the label at an index, for a screen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_label_name(
    manifest: *const bedside_manifest,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        let of = of(manifest)?;
        let name = at(of.manifest().labels(), index)?.name_in(&of.language);
        // SAFETY: the buffer is the caller's.
        unsafe { copy_text(name, buffer, capacity, length) }
    })
}

/// The number of labels that verdicts and findings show: the labels, and in place of labels that the model can't tell
/// apart, their group.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_shown_label_count(
    manifest: *const bedside_manifest,
    count: *mut usize,
) -> bedside_status {
    // SAFETY: the place is the caller's.
    without_message(|| unsafe { put(count, of(manifest)?.shown_labels.len(), "count") })
}

/// The shown label at an index, but for its texts. It has the operating point in force.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_shown_label(
    manifest: *const bedside_manifest,
    index: usize,
    label: *mut bedside_label,
) -> bedside_status {
    // SAFETY: the struct is the caller's.
    without_message(|| unsafe { write_label(&of(manifest)?.shown_labels, index, label) })
}

/// The id of the shown label at an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_shown_label_id(
    manifest: *const bedside_manifest,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| unsafe { copy_text(&at(&of(manifest)?.shown_labels, index)?.id, buffer, capacity, length) })
}

/// The name of the shown label at an index, for a screen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_manifest_shown_label_name(
    manifest: *const bedside_manifest,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        let of = of(manifest)?;
        let name = at(&of.shown_labels, index)?.name_in(&of.language);
        // SAFETY: the buffer is the caller's.
        unsafe { copy_text(name, buffer, capacity, length) }
    })
}

/// Frees a manifest. Null, or a handle that was freed, changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_manifest_free(manifest: *mut bedside_manifest) {
    handle::free(&MANIFESTS, manifest);
}

fn of(manifest: *const bedside_manifest) -> Outcome<Arc<InLanguage>> {
    handle::object(&MANIFESTS, manifest, "manifest")
}

fn at(labels: &[Label], index: usize) -> Outcome<&Label> {
    labels.get(index).ok_or_else(|| Failure::absent("label at this index"))
}

/// Calls `use_it` with a question and the language of its text.
fn question_at(
    manifest: *const bedside_manifest,
    index: usize,
    use_it: impl FnOnce(&ScopeQuestion, &str) -> Outcome,
) -> Outcome {
    let of = of(manifest)?;
    let question = of.manifest().scope().get(index).ok_or_else(|| Failure::absent("question at this index"))?;
    use_it(question, &of.language)
}

/// Writes the label at an index into a struct of the caller.
///
/// # Safety
/// `target` is null, or points to a struct that begins with its size.
unsafe fn write_label(labels: &[Label], index: usize, target: *mut bedside_label) -> Outcome {
    let label = at(labels, index)?;
    let initial = bedside_label::initial();
    let operating_point = label.operating_point.unwrap_or(initial.operating_point);
    let found = bedside_label { level: triage_of(label.triage) as i32, operating_point, ..initial };
    // SAFETY: as the caller promises.
    unsafe { sized::write(target, found, "label") }
}

fn role_of(role: QuestionRole) -> bedside_question_role {
    match role {
        QuestionRole::Scope => bedside_question_role::BEDSIDE_QUESTION_ROLE_SCOPE,
        QuestionRole::Danger => bedside_question_role::BEDSIDE_QUESTION_ROLE_DANGER,
        other => unreachable!("the role {} is not known to the border: a test compares", other.as_str()),
    }
}
