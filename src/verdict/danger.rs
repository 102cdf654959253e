//! Danger signs: what the answers to the model's danger questions say.

use serde::{Deserialize, Serialize};

use crate::Triage;
use crate::manifest::{QuestionRole, ScopeQuestion};
use crate::query::{Answer, Query};

/// A danger question that was answered with yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DangerSign {
    /// The id of the question.
    pub id: String,
    /// The text of the question in the query's language, or its id where it has no text.
    pub question: String,
    /// The triage that the sign sets at least.
    pub level: Triage,
}

/// The danger signs that the query's answers state, in the order of the questions.
pub(crate) fn danger_signs(questions: &[ScopeQuestion], query: &Query) -> Vec<DangerSign> {
    let stated = |question: &&ScopeQuestion| {
        question.role == QuestionRole::Danger && query.answers.get(&question.id) == Some(&Answer::Yes)
    };
    let sign = |question: &ScopeQuestion| DangerSign {
        id: question.id.clone(),
        question: question.text_in(&query.language).to_owned(),
        // The check of the manifest has found a level.
        level: question.level.unwrap_or(Triage::Urgent),
    };
    questions.iter().filter(stated).map(sign).collect()
}
