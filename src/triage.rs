//! The triage level of a report or a label.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::words;

/// A triage level: what a person should do. Levels are ordered from the least to the most pressing.
///
/// Manifests give one to each label, and a report has one, by the rule of [`Verdict`](crate::Verdict).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Triage {
    /// This program found no sign that calls for more than usual care. This does not exclude disease.
    NoSign,
    /// Nothing was assessed: a person decides without this program.
    Unassessed,
    /// A clinician should look. The level of a label whose manifest gives none.
    #[default]
    Refer,
    /// A clinician should look soon.
    Urgent,
}

impl Triage {
    /// All levels, from the least to the most pressing.
    pub const ALL: &'static [Triage] = &[Triage::NoSign, Triage::Unassessed, Triage::Refer, Triage::Urgent];

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

    /// What a person should do, as a sentence in a language, a BCP 47 tag: in its base language where there are sentences
    /// in that, else in English. [`Report::advice`](crate::Report::advice) is the manifest's, where it has one for the level,
    /// and else this.
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
const _: () = assert!(Triage::ALL.len() == Triage::Urgent as usize + 1);

impl fmt::Display for Triage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
