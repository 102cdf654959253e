//! What a person should do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a person should do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Triage {
    /// No sign found by this program that asks for more than usual care. This does not exclude disease.
    NoSign,
    /// A clinician should look. What a label asks for unless its manifest says otherwise.
    #[default]
    Refer,
    /// A clinician should look soon.
    Urgent,
    /// Nothing was assessed: mend what the reasons say, and ask again. No label asks for it.
    Unassessed,
}

impl Triage {
    /// All levels, from least to most pressing, and `Unassessed`.
    pub const ALL: [Triage; 4] = [Triage::NoSign, Triage::Refer, Triage::Urgent, Triage::Unassessed];

    /// The name that reports and other languages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Triage::NoSign => "no_sign",
            Triage::Refer => "refer",
            Triage::Urgent => "urgent",
            Triage::Unassessed => "unassessed",
        }
    }

    /// The more pressing of two levels.
    pub(crate) fn or_higher(self, other: Triage) -> Triage {
        let rank = |level| Triage::ALL.iter().position(|&l| l == level);
        if rank(other) > rank(self) { other } else { self }
    }

    /// What a person should do, in English.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Triage::NoSign => "this program found no sign that asks for more; this does not exclude disease",
            Triage::Refer => "a clinician should look at it",
            Triage::Urgent => "a clinician should look at it soon",
            Triage::Unassessed => "mend what the verdict names, then ask again",
        }
    }
}

impl fmt::Display for Triage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
