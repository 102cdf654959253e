//! The triage level of a report or a label.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::ENGLISH;

/// A triage level: what a person should do. Manifests give one to each label. A report has the highest one among the
/// labels that can't be excluded, and at least `Refer` where there are several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Triage {
    /// This program found no sign that calls for more than usual care. This does not exclude disease.
    NoSign,
    /// A clinician should look. The level of a label whose manifest gives none.
    #[default]
    Refer,
    /// A clinician should look soon.
    Urgent,
    /// Nothing was assessed: do what the verdict's reasons say, then classify again. Only for reports; no label has it.
    Unassessed,
}

impl Triage {
    /// All levels, in ascending order of urgency, with `Unassessed` last.
    pub const ALL: [Triage; 4] = [Triage::NoSign, Triage::Refer, Triage::Urgent, Triage::Unassessed];

    /// The name of the level in reports, in manifests and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::Triage::NoSign.as_str(), "no_sign");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Triage::NoSign => "no_sign",
            Triage::Refer => "refer",
            Triage::Urgent => "urgent",
            Triage::Unassessed => "unassessed",
        }
    }

    /// The later of two levels in the order of [`Triage::ALL`].
    pub(crate) fn or_higher(self, other: Triage) -> Triage {
        let rank = |level| Triage::ALL.iter().position(|&l| l == level);
        if rank(other) > rank(self) { other } else { self }
    }

    /// What a person should do, in English. [`Report::advice`](crate::Report::advice) is in the query's language.
    ///
    /// ```
    /// assert_eq!(bedside::Triage::Urgent.advice(), "A clinician should look at it soon.");
    /// ```
    #[must_use]
    pub fn advice(self) -> &'static str {
        ENGLISH.advice(self)
    }
}

// `ALL` has every level: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(Triage::ALL.len() == Triage::Unassessed as usize + 1);

impl fmt::Display for Triage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
