//! What decided the triage of a report.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What decided the triage of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecidedBy {
    /// A danger sign, which asks for more than what the picture gives.
    Danger,
    /// The picture is out of scope by the answers.
    Scope,
    /// The picture's quality is under the model's limits.
    Quality,
    /// The picture's quality is under the model's limits, and so was that of an earlier picture of this case.
    RepeatedQuality,
    /// The picture's novelty is over one of the model's two levels.
    Novelty,
    /// The highest level among the labels that can't be excluded.
    Label,
    /// The sum of all urgent labels' probabilities, which is at or over the action threshold. None of them is at or over
    /// its own operating point.
    Action,
    /// No label is at or over its operating point.
    Undecided,
    /// The calibration doesn't allow the model to say that there is no sign.
    NoSignNotShown,
    /// The model states no operating point.
    Uncalibrated,
}

impl DecidedBy {
    /// All values, in the order of declaration.
    pub const ALL: &'static [DecidedBy] = &[
        DecidedBy::Danger,
        DecidedBy::Scope,
        DecidedBy::Quality,
        DecidedBy::RepeatedQuality,
        DecidedBy::Novelty,
        DecidedBy::Label,
        DecidedBy::Action,
        DecidedBy::Undecided,
        DecidedBy::NoSignNotShown,
        DecidedBy::Uncalibrated,
    ];

    /// The name in reports and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::DecidedBy::NoSignNotShown.as_str(), "no_sign_not_shown");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DecidedBy::Danger => "danger",
            DecidedBy::Scope => "scope",
            DecidedBy::Quality => "quality",
            DecidedBy::RepeatedQuality => "repeated_quality",
            DecidedBy::Novelty => "novelty",
            DecidedBy::Label => "label",
            DecidedBy::Action => "action",
            DecidedBy::Undecided => "undecided",
            DecidedBy::NoSignNotShown => "no_sign_not_shown",
            DecidedBy::Uncalibrated => "uncalibrated",
        }
    }
}

// `ALL` has every value: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(DecidedBy::ALL.len() == DecidedBy::Uncalibrated as usize + 1);

impl fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
