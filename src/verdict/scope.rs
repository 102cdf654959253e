//! Scope: whether the answers to the model's questions say that it was made for the picture.

use serde::{Deserialize, Serialize};

use crate::Source;
use crate::manifest::{Manifest, QuestionRole, ScopeQuestion};
use crate::query::{Answer, Query};
use crate::words::words;

/// A reason why there is no verdict, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// The kind of the reason.
    pub kind: ReasonKind,
    /// The id of the scope question, where the reason is about one.
    pub id: Option<String>,
    /// The text of that question in the query's language, or its id where it has no text.
    pub question: Option<String>,
    /// What is wrong and what to do, in the query's language. It holds the question, and the range where the answer is
    /// out of it.
    pub message: String,
}

/// The kind of a [`Reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasonKind {
    /// A required scope question was not answered.
    ScopeUnanswered,
    /// A scope question was answered `no`.
    ScopeNo,
    /// The number that answers a scope question is out of the question's range.
    ScopeOutOfRange,
    /// The picture came from a source that the model was not made for.
    Source,
    /// The picture, or the region of it, has too few pixels.
    TooSmall,
    /// The picture is underexposed.
    TooDark,
    /// The picture is overexposed.
    TooBright,
    /// The picture is pale, as behind a veil.
    LowContrast,
    /// The picture is blurred.
    OutOfFocus,
    /// The picture has no colour, and the model was made for colour.
    Colorless,
    /// The picture has colour, and the model was made for grey.
    Colored,
    /// The picture is unlike those that the model was made for.
    Novel,
}

impl ReasonKind {
    /// All kinds, in the order of declaration.
    pub const ALL: &'static [ReasonKind] = &[
        ReasonKind::ScopeUnanswered,
        ReasonKind::ScopeNo,
        ReasonKind::ScopeOutOfRange,
        ReasonKind::Source,
        ReasonKind::TooSmall,
        ReasonKind::TooDark,
        ReasonKind::TooBright,
        ReasonKind::LowContrast,
        ReasonKind::OutOfFocus,
        ReasonKind::Colorless,
        ReasonKind::Colored,
        ReasonKind::Novel,
    ];

    /// The name of the kind in reports and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::ReasonKind::ScopeNo.as_str(), "scope_no");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonKind::ScopeUnanswered => "scope_unanswered",
            ReasonKind::ScopeNo => "scope_no",
            ReasonKind::ScopeOutOfRange => "scope_out_of_range",
            ReasonKind::Source => "source",
            ReasonKind::TooSmall => "too_small",
            ReasonKind::TooDark => "too_dark",
            ReasonKind::TooBright => "too_bright",
            ReasonKind::LowContrast => "low_contrast",
            ReasonKind::OutOfFocus => "out_of_focus",
            ReasonKind::Colorless => "colorless",
            ReasonKind::Colored => "colored",
            ReasonKind::Novel => "novel",
        }
    }
}

// `ALL` has every kind: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(ReasonKind::ALL.len() == ReasonKind::Novel as usize + 1);

/// The reasons to reject that the query's answers give, in the order of the questions, and that its source gives; empty
/// where the picture is in scope.
pub(crate) fn reasons(manifest: &Manifest, query: &Query) -> Vec<Reason> {
    let about_scope = manifest.scope().iter().filter(|question| question.role == QuestionRole::Scope);
    let of_answers = about_scope.filter_map(|question| reason(question, query));
    of_answers.chain(source_reason(&manifest.input().sources, query)).collect()
}

/// The reason to reject where the picture's source is stated and is none of `sources`, unless that is empty.
fn source_reason(sources: &[Source], query: &Query) -> Option<Reason> {
    let source = query.source.filter(|source| !sources.is_empty() && !sources.contains(source))?;
    let words = words(&query.language);
    let message = match source {
        Source::Camera => words.reason_source_camera,
        Source::File => words.reason_source_file,
    };
    Some(Reason { kind: ReasonKind::Source, id: None, question: None, message: message.to_owned() })
}

/// The reason to reject that the answer to one question gives, if any.
fn reason(question: &ScopeQuestion, query: &Query) -> Option<Reason> {
    let text = question.text_in(&query.language);
    let words = words(&query.language);
    let (kind, message) = match query.answers.get(&question.id) {
        None if question.required => {
            (ReasonKind::ScopeUnanswered, words.reason_scope_unanswered.replace("{question}", text))
        }
        Some(Answer::No) => (ReasonKind::ScopeNo, words.reason_scope_no.replace("{question}", text)),
        Some(Answer::Number(value)) if !in_range(question, *value) => {
            let with_range = format!("{text}{}", range(question));
            (ReasonKind::ScopeOutOfRange, words.reason_scope_out_of_range.replace("{question}", &with_range))
        }
        _ => return None,
    };
    Some(Reason { kind, id: Some(question.id.clone()), question: Some(text.to_owned()), message })
}

/// The question's range in parentheses, in the signs of all languages: ` (1–5)`, ` (≥ 1)` or ` (≤ 5)`.
fn range(question: &ScopeQuestion) -> String {
    match (question.min, question.max) {
        (Some(min), Some(max)) => format!(" ({min}–{max})"),
        (Some(min), None) => format!(" (≥ {min})"),
        (None, Some(max)) => format!(" (≤ {max})"),
        (None, None) => String::new(),
    }
}

/// Whether `value` is within the question's bounds, which are inclusive.
fn in_range(question: &ScopeQuestion, value: f64) -> bool {
    question.min.is_none_or(|min| value >= min) && question.max.is_none_or(|max| value <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(id: &str, required: bool, min: Option<f64>, max: Option<f64>) -> ScopeQuestion {
        ScopeQuestion { required, min, max, ..ScopeQuestion::new(id) }
    }

    #[test]
    fn source_is_a_reason_where_it_is_stated_and_not_listed() {
        let kind = |sources: &[Source], source: Option<Source>| {
            let query = source.map_or(Query::new(), |source| Query::new().source(source));
            source_reason(sources, &query).map(|reason| reason.kind)
        };
        assert_eq!(kind(&[Source::File], Some(Source::Camera)), Some(ReasonKind::Source));
        assert_eq!(kind(&[Source::File], Some(Source::File)), None);
        assert_eq!(kind(&[Source::File], None), None);
        assert_eq!(kind(&[], Some(Source::Camera)), None);
    }

    fn first_reason(question: ScopeQuestion, answer: Option<Answer>) -> Option<ReasonKind> {
        let answers = answer.map(|answer| (question.id.clone(), answer));
        reason(&question, &Query::new().answers(answers)).map(|reason| reason.kind)
    }

    #[test]
    fn reasons_reject_a_required_question_without_answer_and_not_an_optional_one() {
        assert_eq!(first_reason(question("a", true, None, None), None), Some(ReasonKind::ScopeUnanswered));
        assert_eq!(first_reason(question("a", false, None, None), None), None);
    }

    #[test]
    fn reasons_reject_no_whether_required_or_not() {
        assert_eq!(first_reason(question("a", true, None, None), Some(Answer::No)), Some(ReasonKind::ScopeNo));
        assert_eq!(first_reason(question("a", false, None, None), Some(Answer::No)), Some(ReasonKind::ScopeNo));
        assert_eq!(first_reason(question("a", true, None, None), Some(Answer::Yes)), None);
    }

    #[test]
    fn message_of_a_number_out_of_range_has_the_range() {
        for (min, max, expected) in
            [(Some(18.5), Some(90.0), "(18.5–90)"), (Some(1.0), None, "(≥ 1)"), (None, Some(0.5), "(≤ 0.5)")]
        {
            let query = Query::new().answer("age", Answer::Number(if max.is_some() { 90.5 } else { 0.5 }));
            let reason = reason(&question("age", true, min, max), &query).expect("out of range");
            assert!(reason.message.contains(&format!("“age {expected}”")), "{}", reason.message);
        }
    }

    #[test]
    fn reasons_take_bounds_as_in_range() {
        let age = || question("age", false, Some(1.0), Some(5.0));
        for (value, expected) in [
            (0.99, Some(ReasonKind::ScopeOutOfRange)),
            (1.0, None),
            (5.0, None),
            (5.01, Some(ReasonKind::ScopeOutOfRange)),
        ] {
            assert_eq!(first_reason(age(), Some(Answer::Number(value))), expected, "{value}");
        }
    }
}
