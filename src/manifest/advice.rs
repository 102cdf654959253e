//! The manifest's sentences on what a person should do.

use serde::{Deserialize, Serialize};

use super::text::Text;
use crate::Triage;

/// What a person should do at each triage level, such as "A doctor within 2 weeks"; empty where
/// [`Triage::advice`] says it. A text in any language needs one in English.
///
/// ```
/// use bedside::Triage;
/// use bedside::manifest::{Advice, Text};
///
/// let mut advice = Advice::default();
/// advice.urgent = Text::from([("en", "A doctor today.")]);
/// assert_eq!(advice.of(Triage::Urgent).get("en"), Some("A doctor today."));
/// assert!(advice.of(Triage::Refer).is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Advice {
    /// At [`Triage::NoSign`].
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub no_sign: Text,
    /// At [`Triage::Unassessed`].
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub unassessed: Text,
    /// At [`Triage::Refer`].
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub refer: Text,
    /// At [`Triage::Urgent`].
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub urgent: Text,
}

impl Advice {
    /// The sentence of a level; empty where there is none.
    #[must_use]
    pub fn of(&self, level: Triage) -> &Text {
        match level {
            Triage::NoSign => &self.no_sign,
            Triage::Unassessed => &self.unassessed,
            Triage::Refer => &self.refer,
            Triage::Urgent => &self.urgent,
        }
    }

    /// Whether there is no sentence for any level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        Triage::ALL.iter().all(|&level| self.of(level).is_empty())
    }
}
