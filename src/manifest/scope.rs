//! The manifest's questions to the person: about scope, and about danger signs.

use serde::{Deserialize, Serialize};

use super::text::Text;
use crate::Triage;

/// A question about the picture or the person, to be answered before a result is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScopeQuestion {
    /// The id under which [`Query::answers`](crate::Query::answers) has the answer: lower-case letters, digits,
    /// underscores and hyphens.
    pub id: String,
    /// The text to show on a screen; the `id` where there is none. A text in any language needs one in English.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub question: Text,
    /// What the answer decides.
    #[serde(default, skip_serializing_if = "QuestionRole::is_scope")]
    pub role: QuestionRole,
    /// With [`QuestionRole::Danger`] only, and always there: the triage that `yes` sets at least, [`Triage::Refer`] or
    /// [`Triage::Urgent`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Triage>,
    /// With [`QuestionRole::Scope`] only: whether a picture is rejected where the question is not answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The minimum number that is in scope, at most `max`. A question with `min` or `max` takes a number, any other one
    /// yes or no. The unit is what the text says. With [`QuestionRole::Scope`] only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The maximum number that is in scope, which is in scope itself. With [`QuestionRole::Scope`] only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl ScopeQuestion {
    /// An optional yes-or-no question about scope, without a text.
    ///
    /// ```
    /// use bedside::manifest::{ScopeQuestion, Text};
    ///
    /// let mut age = ScopeQuestion::new("age");
    /// age.question = Text::from([("en", "How old is the person, in years?")]);
    /// age.required = true;
    /// age.min = Some(18.0);
    /// assert!(age.takes_number());
    /// ```
    #[must_use]
    pub fn new(id: impl Into<String>) -> ScopeQuestion {
        ScopeQuestion {
            id: id.into(),
            question: Text::default(),
            role: QuestionRole::Scope,
            level: None,
            required: false,
            min: None,
            max: None,
        }
    }

    /// A question for a danger sign, without a text: `yes` sets the triage to at least `level`.
    ///
    /// ```
    /// use bedside::Triage;
    /// use bedside::manifest::{QuestionRole, ScopeQuestion};
    ///
    /// let bleeds = ScopeQuestion::danger("bleeds", Triage::Urgent);
    /// assert_eq!((bleeds.role, bleeds.level), (QuestionRole::Danger, Some(Triage::Urgent)));
    /// ```
    #[must_use]
    pub fn danger(id: impl Into<String>, level: Triage) -> ScopeQuestion {
        ScopeQuestion { role: QuestionRole::Danger, level: Some(level), ..ScopeQuestion::new(id) }
    }

    /// Whether the answer is a number, rather than yes or no.
    ///
    /// ```
    /// assert!(!bedside::manifest::ScopeQuestion::new("dermatoscope").takes_number());
    /// ```
    #[must_use]
    pub fn takes_number(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }

    /// The text to show on a screen in a language, with the fallbacks of [`Text::get`]; the id where there is no text.
    #[must_use]
    pub fn text_in(&self, language: &str) -> &str {
        self.question.get(language).unwrap_or(&self.id)
    }
}

/// What the answer to a question decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuestionRole {
    /// Whether the model was made for the picture: `no`, or a number out of range, rejects it.
    #[default]
    Scope,
    /// Whether there is a danger sign: `yes` sets the triage to at least the question's level.
    Danger,
}

impl QuestionRole {
    /// All roles, in the order of declaration.
    pub const ALL: &'static [QuestionRole] = &[QuestionRole::Scope, QuestionRole::Danger];

    /// The name of the role in manifests and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::manifest::QuestionRole::Danger.as_str(), "danger");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            QuestionRole::Scope => "scope",
            QuestionRole::Danger => "danger",
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_scope(&self) -> bool {
        *self == QuestionRole::Scope
    }
}
