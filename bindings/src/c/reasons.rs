//! Why there is no verdict.

use std::ffi::c_char;

use bedside::{Reason, ReasonKind};

use super::handle;
use super::status::{Failure, Outcome, bedside_status, without_message};
use super::text::{copy_text, put};
use crate::handles::Handles;

pub(super) static REASONS: Handles<Vec<Reason>> = Handles::new();

/// The reasons why there is no verdict, in the query's language.
pub struct bedside_reasons {
    _opaque: [u8; 0],
}

/// Why there is no verdict. Later versions may have others.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_reason_kind {
    /// A required scope question was not answered.
    BEDSIDE_REASON_KIND_SCOPE_UNANSWERED = 1,
    /// A scope question was answered with no.
    BEDSIDE_REASON_KIND_SCOPE_NO = 2,
    /// A number is outside the range that the model was made for.
    BEDSIDE_REASON_KIND_SCOPE_OUT_OF_RANGE = 3,
    /// The picture came from a source that the model was not made for.
    BEDSIDE_REASON_KIND_SOURCE = 4,
    /// The picture, or the region of it, has too few pixels.
    BEDSIDE_REASON_KIND_TOO_SMALL = 5,
    /// The picture is underexposed.
    BEDSIDE_REASON_KIND_TOO_DARK = 6,
    /// The picture is overexposed.
    BEDSIDE_REASON_KIND_TOO_BRIGHT = 7,
    /// The picture is pale, as behind a veil.
    BEDSIDE_REASON_KIND_LOW_CONTRAST = 8,
    /// The picture is blurred.
    BEDSIDE_REASON_KIND_OUT_OF_FOCUS = 9,
    /// The picture has no colour, and the model was made for colour.
    BEDSIDE_REASON_KIND_COLORLESS = 10,
    /// The picture has colour, and the model was made for grey.
    BEDSIDE_REASON_KIND_COLORED = 11,
    /// The picture is unlike those that the model was made for.
    BEDSIDE_REASON_KIND_NOVEL = 12,
}

/// The number of reasons.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_reasons_count(reasons: *const bedside_reasons, count: *mut usize) -> bedside_status {
    without_message(|| {
        // SAFETY: the place is the caller's.
        unsafe { put(count, handle::object(&REASONS, reasons, "reasons")?.len(), "count") }
    })
}

/// The kind of the reason at an index, a bedside_reason_kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_reasons_kind(
    reasons: *const bedside_reasons,
    index: usize,
    kind: *mut i32,
) -> bedside_status {
    without_message(|| {
        with_reason(reasons, index, |reason| {
            // SAFETY: the place is the caller's.
            unsafe { put(kind, kind_of(reason.kind) as i32, "kind") }
        })
    })
}

/// What is wrong and what to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_reasons_message(
    reasons: *const bedside_reasons,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| {
        with_reason(reasons, index, |reason| unsafe { copy_text(&reason.message, buffer, capacity, length) })
    })
}

/// The id of the question that the reason is about; BEDSIDE_STATUS_ABSENT where it is about none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_reasons_question_id(
    reasons: *const bedside_reasons,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        with_reason(reasons, index, |reason| {
            let id = reason.id.as_deref().ok_or_else(|| Failure::absent("question"))?;
            // SAFETY: the buffer is the caller's.
            unsafe { copy_text(id, buffer, capacity, length) }
        })
    })
}

/// The question that the reason is about, or its id where it has no text; BEDSIDE_STATUS_ABSENT where it is about none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_reasons_question(
    reasons: *const bedside_reasons,
    index: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        with_reason(reasons, index, |reason| {
            let question = reason.question.as_deref().ok_or_else(|| Failure::absent("question"))?;
            // SAFETY: the buffer is the caller's.
            unsafe { copy_text(question, buffer, capacity, length) }
        })
    })
}

/// Frees the reasons. Null, or a handle that was freed, changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_reasons_free(reasons: *mut bedside_reasons) {
    handle::free(&REASONS, reasons);
}

fn with_reason(reasons: *const bedside_reasons, index: usize, use_it: impl FnOnce(&Reason) -> Outcome) -> Outcome {
    let reasons = handle::object(&REASONS, reasons, "reasons")?;
    use_it(reasons.get(index).ok_or_else(|| Failure::absent("reason at this index"))?)
}

fn kind_of(kind: ReasonKind) -> bedside_reason_kind {
    use bedside_reason_kind as C;
    match kind {
        ReasonKind::ScopeUnanswered => C::BEDSIDE_REASON_KIND_SCOPE_UNANSWERED,
        ReasonKind::ScopeNo => C::BEDSIDE_REASON_KIND_SCOPE_NO,
        ReasonKind::ScopeOutOfRange => C::BEDSIDE_REASON_KIND_SCOPE_OUT_OF_RANGE,
        ReasonKind::Source => C::BEDSIDE_REASON_KIND_SOURCE,
        ReasonKind::TooSmall => C::BEDSIDE_REASON_KIND_TOO_SMALL,
        ReasonKind::TooDark => C::BEDSIDE_REASON_KIND_TOO_DARK,
        ReasonKind::TooBright => C::BEDSIDE_REASON_KIND_TOO_BRIGHT,
        ReasonKind::LowContrast => C::BEDSIDE_REASON_KIND_LOW_CONTRAST,
        ReasonKind::OutOfFocus => C::BEDSIDE_REASON_KIND_OUT_OF_FOCUS,
        ReasonKind::Colorless => C::BEDSIDE_REASON_KIND_COLORLESS,
        ReasonKind::Colored => C::BEDSIDE_REASON_KIND_COLORED,
        ReasonKind::Novel => C::BEDSIDE_REASON_KIND_NOVEL,
        other => unreachable!("the reason {} is not known to the border: a test compares", other.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_kind_has_the_number_of_its_place() {
        for (index, &kind) in ReasonKind::ALL.iter().enumerate() {
            assert_eq!(kind_of(kind) as usize, index + 1, "{}", kind.as_str());
        }
    }
}
