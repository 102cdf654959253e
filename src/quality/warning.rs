//! What the gate warns of, and does not refuse a picture for.

use serde::{Deserialize, Serialize};

use crate::image::Facts;
use crate::words::Words;

/// What a person should know of the picture, whatever the verdict is. Only files of DICOM say such things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// The kind of the warning.
    pub kind: WarningKind,
    /// What is there and what to do, in the query's language.
    pub message: String,
}

/// The kind of a [`Warning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// The file says that what tells who the person is may be burned into the pixels (Burned In Annotation, PS3.3 C.7.6.1).
    BurnedIn,
    /// The file has overlays (PS3.3 C.9.2), which were not drawn over the pixels.
    Overlay,
    /// The file states more than one region of tissue, as of a split screen, and one was looked at.
    OtherRegion,
}

impl WarningKind {
    /// All kinds, in the order of declaration.
    pub const ALL: &'static [WarningKind] = &[WarningKind::BurnedIn, WarningKind::Overlay, WarningKind::OtherRegion];

    /// The name of the kind in reports and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::WarningKind::BurnedIn.as_str(), "burned_in");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            WarningKind::BurnedIn => "burned_in",
            WarningKind::Overlay => "overlay",
            WarningKind::OtherRegion => "other_region",
        }
    }
}

// `ALL` has every kind: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(WarningKind::ALL.len() == WarningKind::OtherRegion as usize + 1);

/// The warnings of what a file says of its picture, in the order of the kinds.
pub(crate) fn warnings(facts: &Facts, words: &Words) -> Vec<Warning> {
    let found = [
        (facts.is_burned_in, WarningKind::BurnedIn, words.warning_burned_in),
        (facts.has_overlay, WarningKind::Overlay, words.warning_overlay),
        (facts.has_other_region, WarningKind::OtherRegion, words.warning_other_region),
    ];
    let found = found.into_iter().filter(|(is_so, ..)| *is_so);
    found.map(|(_, kind, message)| Warning { kind, message: message.to_owned() }).collect()
}
