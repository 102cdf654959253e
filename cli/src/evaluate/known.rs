//! Which of the labelled pictures a model knows already: those that it learned from, and those that it was calibrated on.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bedside::Manifest;
use bedside_engine::read_bounded;

use crate::provenance::{MAX_FILE_BYTES, calibrated_on, learned, prefix};

/// The pictures that a model's manifest lists.
pub(super) struct Lists {
    learned: BTreeSet<String>,
    calibrated_on: BTreeSet<String>,
}

impl Lists {
    /// # Errors
    /// A sentence where a list of the manifest is none.
    pub(super) fn of(manifest: &Manifest) -> Result<Lists, String> {
        Ok(Lists { learned: learned(manifest)?, calibrated_on: calibrated_on(manifest)? })
    }

    /// How many pictures are listed. Without a list no file is read; one that can't be read is in none.
    pub(super) fn count(&self, pictures: impl Iterator<Item = PathBuf>) -> Known {
        let mut known = Known::default();
        let is_any_listed = !self.learned.is_empty() || !self.calibrated_on.is_empty();
        for path in pictures {
            known.pictures += 1;
            let bytes = is_any_listed.then(|| read_bounded(&path, MAX_FILE_BYTES).ok()).flatten();
            let Some(sha256) = bytes.map(|bytes| prefix(&bytes)) else { continue };
            known.learned += u64::from(self.learned.contains(&sha256));
            known.calibrated_on += u64::from(self.calibrated_on.contains(&sha256));
        }
        known
    }
}

/// How many labelled pictures there are, and how many of them a model knows. One may be of both lists.
#[derive(Debug, Default)]
pub(super) struct Known {
    pictures: u64,
    learned: u64,
    calibrated_on: u64,
}

impl Known {
    /// The numbers in a sentence; none where the model knows no picture.
    pub(super) fn words(&self, whose: &str) -> Option<String> {
        let among = |count: u64, whose: &str, what: &str| {
            let are = if count == 1 { "is" } else { "are" };
            format!("{are} among those that {whose} {what}")
        };
        let (learned, calibrated, all) = (self.learned, self.calibrated_on, self.pictures);
        let words = match (learned, calibrated) {
            (0, 0) => return None,
            (_, 0) => format!("{learned} of {all} pictures {}", among(learned, whose, "learned from")),
            (0, _) => format!("{calibrated} of {all} pictures {}", among(calibrated, whose, "was calibrated on")),
            _ => format!(
                "{learned} of {all} pictures {}, {calibrated} among those that it was calibrated on",
                among(learned, whose, "learned from")
            ),
        };
        Some(format!("{words}: the figures flatter it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_numbers_of_both_lists() {
        let words = |learned, calibrated_on| Known { pictures: 148, learned, calibrated_on }.words("the model");
        assert_eq!(words(0, 0), None);
        for (learned, calibrated_on, expected) in [
            (124, 0, "124 of 148 pictures are among those that the model learned from: the figures flatter it"),
            (0, 1, "1 of 148 pictures is among those that the model was calibrated on: the figures flatter it"),
            (
                124,
                24,
                "124 of 148 pictures are among those that the model learned from, 24 among those that it was calibrated \
                 on: the figures flatter it",
            ),
        ] {
            assert_eq!(words(learned, calibrated_on).as_deref(), Some(expected));
        }
    }
}
