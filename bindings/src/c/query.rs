//! Queries.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};

use bedside::{Answer, Explain, ExplainMethod, Query, Region, Source};

use super::cancel::{CANCEL_HANDLES, bedside_cancel_handle};
use super::frame::{chosen, flag};
use super::handle;
use super::status::{Outcome, answered, bedside_error, bedside_status};
use super::text::{optional_text, text};
use crate::handles::Handles;

static QUERIES: Handles<Mutex<Arc<Query>>> = Handles::new();

/// The query of classifications: what may be asked of one, and the answers to the model's questions. A new one asks for
/// all findings of the whole picture, in English. It can be used any number of times, by many threads at once; a call that
/// is under way keeps the query as it was. Answers stay until they are replaced: for the next patient, make a new query or
/// call bedside_query_clear.
///
/// The functions that change a query fail with BEDSIDE_STATUS_INVALID_ARGUMENT and BEDSIDE_STATUS_INVALID_HANDLE only,
/// where nothing else is said: whether it fits a model is checked by the call that it is given to.
pub struct bedside_query {
    _opaque: [u8; 0],
}

/// Where a picture came from: what a person can do about a bad one depends on it.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_source {
    /// A camera or a transducer, just now: the picture can be taken again.
    BEDSIDE_SOURCE_CAMERA = 1,
    /// A file that was chosen or received.
    BEDSIDE_SOURCE_FILE = 2,
}

/// How a heatmap is computed.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_explain_method {
    /// A class activation map: the features before the pooling, weighted by the linear head. It comes from the run that
    /// gave the scores and costs next to nothing. It needs a model whose manifest has an `explanation`.
    BEDSIDE_EXPLAIN_METHOD_CLASS_ACTIVATION = 1,
    /// By how much the label's log-odds fall where a part of the input is covered with the input's mean colour. It serves
    /// every model and takes 64 more runs of the graph.
    BEDSIDE_EXPLAIN_METHOD_OCCLUSION = 2,
}

/// Makes a query.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_new(
    query: *mut *mut bedside_query,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, || handle::give(&QUERIES, query, "query", || Ok(Mutex::default()))) }
}

/// Makes the query what a new one is: without answers, and all else at its first value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_clear(query: *mut bedside_query, error: *mut bedside_error) -> bedside_status {
    let clear = |query: &mut Query| {
        *query = Query::new();
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { changed(query, error, clear) }
}

/// Sets the maximum number of findings; all at first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_max_results(
    query: *mut bedside_query,
    count: u32,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        changed(query, error, |query| {
            query.max_results = Some(count);
            Ok(())
        })
    }
}

/// Sets the minimum probability of a finding, 0 to 1; 0 at first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_score_threshold(
    query: *mut bedside_query,
    probability: f32,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        changed(query, error, |query| {
            query.score_threshold = probability;
            Ok(())
        })
    }
}

/// Adds a label, by id, to those that findings may have. Without any, all labels may.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_add_allow(
    query: *mut bedside_query,
    label: *const c_char,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        changed(query, error, |query| {
            query.allow.push(text(label, "label")?.to_owned());
            Ok(())
        })
    }
}

/// Adds a label, by id, to those that findings may not have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_add_deny(
    query: *mut bedside_query,
    label: *const c_char,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        changed(query, error, |query| {
            query.deny.push(text(label, "label")?.to_owned());
            Ok(())
        })
    }
}

/// Sets the language of the report's sentences, names and questions, a BCP 47 tag; "en" at first. Sentences are in
/// English where it is neither English nor Ukrainian; names and questions are in the languages that the manifest has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_language(
    query: *mut bedside_query,
    language: *const c_char,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        changed(query, error, |query| {
            text(language, "language")?.clone_into(&mut query.language);
            Ok(())
        })
    }
}

/// Sets the part of the upright picture that is classified, in fractions of its width from the left and of its height
/// from the top: left and top are 0 to 1, width and height above 0 and at most 1. Fails with
/// BEDSIDE_STATUS_INVALID_QUERY where it is no part of the picture.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_region(
    query: *mut bedside_query,
    left: f32,
    top: f32,
    width: f32,
    height: f32,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        changed(query, error, |query| {
            query.region = Some(Region::new(left, top, width, height)?);
            Ok(())
        })
    }
}

/// Sets how common a label is where the picture was taken, 0 to 1. Give every label; they sum to 1. The probabilities of
/// the findings are re-weighted to it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_prevalence(
    query: *mut bedside_query,
    label: *const c_char,
    fraction: f32,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    let change = |query: &mut Query| {
        query.prevalence.insert(unsafe { text(label, "label")? }.to_owned(), fraction);
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { changed(query, error, change) }
}

/// Answers a question of the model, by its id, with yes (1) or no (0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_answer(
    query: *mut bedside_query,
    question: *const c_char,
    yes: i32,
    error: *mut bedside_error,
) -> bedside_status {
    let answer = || Ok(if flag("yes", yes)? { Answer::Yes } else { Answer::No });
    // SAFETY: the pointers are the caller's.
    unsafe { answer_with(query, question, answer, error) }
}

/// Answers a question of the model, by its id, with a number, in the question's unit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_answer_number(
    query: *mut bedside_query,
    question: *const c_char,
    number: f64,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe { answer_with(query, question, || Ok(Answer::Number(number)), error) }
}

/// Sets where the picture came from, a bedside_source; unknown at first. Only a picture of a camera is asked for again
/// where its quality is too poor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_source(
    query: *mut bedside_query,
    source: i32,
    error: *mut bedside_error,
) -> bedside_status {
    let change = |query: &mut Query| {
        let sources = [
            (bedside_source::BEDSIDE_SOURCE_CAMERA as i32, Source::Camera),
            (bedside_source::BEDSIDE_SOURCE_FILE as i32, Source::File),
        ];
        query.source = Some(chosen("source", "bedside_source", source, &sources)?);
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { changed(query, error, change) }
}

/// Sets how many pictures of this case were rejected for their quality before; 0 at first. From 1 on, a picture of poor
/// quality is not asked for again, and its triage is BEDSIDE_TRIAGE_REFER. Whoever asks counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_refusals(
    query: *mut bedside_query,
    count: u32,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        changed(query, error, |query| {
            query.refusals = count;
            Ok(())
        })
    }
}

/// Asks for a heatmap with the classification. `method` is a bedside_explain_method. `label` is the id of the label that
/// the evidence is for; where it is null, the first label of the verdict, or else the most probable one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_explain(
    query: *mut bedside_query,
    method: i32,
    label: *const c_char,
    error: *mut bedside_error,
) -> bedside_status {
    let change = |query: &mut Query| {
        let methods = [
            (bedside_explain_method::BEDSIDE_EXPLAIN_METHOD_CLASS_ACTIVATION as i32, ExplainMethod::ClassActivation),
            (bedside_explain_method::BEDSIDE_EXPLAIN_METHOD_OCCLUSION as i32, ExplainMethod::Occlusion),
        ];
        let method = chosen("method", "bedside_explain_method", method, &methods)?;
        let mut explain = Explain::new().method(method);
        // SAFETY: the text is the caller's.
        explain.label = unsafe { optional_text(label, "label")? }.map(str::to_owned);
        query.explain = Some(explain);
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { changed(query, error, change) }
}

/// Sets the handle by which another thread can end a classification; null takes it away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_query_set_cancel(
    query: *mut bedside_query,
    cancel_handle: *const bedside_cancel_handle,
    error: *mut bedside_error,
) -> bedside_status {
    let change = |query: &mut Query| {
        query.cancel = if cancel_handle.is_null() {
            None
        } else {
            Some((*handle::object(&CANCEL_HANDLES, cancel_handle, "cancel_handle")?).clone())
        };
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { changed(query, error, change) }
}

/// Frees a query. A call that is under way keeps what it uses. Null, or a handle that was freed, changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_query_free(query: *mut bedside_query) {
    handle::free(&QUERIES, query);
}

/// Calls `use_it` with the query of a handle; with the default one where it is null.
pub(super) fn with_query<T>(query: *const bedside_query, use_it: impl FnOnce(&Query) -> Outcome<T>) -> Outcome<T> {
    if query.is_null() {
        return use_it(&Query::new());
    }
    let query = handle::object(&QUERIES, query, "query")?;
    let query = query.lock().unwrap_or_else(PoisonError::into_inner).clone();
    use_it(&query)
}

/// Changes a query.
///
/// # Safety
/// `error` is null, or points to a struct that begins with its size.
unsafe fn changed(
    query: *mut bedside_query,
    error: *mut bedside_error,
    change: impl FnOnce(&mut Query) -> Outcome,
) -> bedside_status {
    let call = || {
        let query = handle::object(&QUERIES, query, "query")?;
        let mut query = query.lock().unwrap_or_else(PoisonError::into_inner);
        // A copy where a call is using it.
        change(Arc::make_mut(&mut query))
    };
    // SAFETY: as the caller promises.
    unsafe { answered(error, call) }
}

/// Sets an answer of a query.
///
/// # Safety
/// `question` is null or a text, and `error` is null or a struct that begins with its size.
unsafe fn answer_with(
    query: *mut bedside_query,
    question: *const c_char,
    answer: impl FnOnce() -> Outcome<Answer>,
    error: *mut bedside_error,
) -> bedside_status {
    let change = |query: &mut Query| {
        // SAFETY: as the caller promises.
        let question = unsafe { text(question, "question")? };
        query.answers.insert(question.to_owned(), answer()?);
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { changed(query, error, change) }
}
