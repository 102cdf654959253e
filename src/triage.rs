//! The triage level of a report or a label.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::words;

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
    pub const ALL: &'static [Triage] = &[Triage::NoSign, Triage::Refer, Triage::Urgent, Triage::Unassessed];

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

    /// What a person should do, as a sentence in a language, a BCP 47 tag: in its base language where there are sentences
    /// in that, else in English. [`Report::advice`](crate::Report::advice) is that of the report's triage, in the query's
    /// language.
    ///
    /// ```
    /// use bedside::Triage;
    ///
    /// assert_eq!(Triage::Urgent.advice("en"), "A clinician should look at it soon.");
    /// assert_eq!(Triage::Urgent.advice("uk-UA"), "Це має невдовзі оглянути лікар.");
    /// ```
    #[must_use]
    pub fn advice(self, language: &str) -> &'static str {
        let words = words(language);
        match self {
            Triage::NoSign => words.triage_no_sign_advice,
            Triage::Refer => words.triage_refer_advice,
            Triage::Urgent => words.triage_urgent_advice,
            Triage::Unassessed => words.triage_unassessed_advice,
        }
    }
}

// `ALL` has every level: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(Triage::ALL.len() == Triage::Unassessed as usize + 1);

impl fmt::Display for Triage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
