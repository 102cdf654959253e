//! Where a picture came from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a picture came from: what a person can do about a bad one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// A camera, just now: the picture can be taken again.
    Camera,
    /// A file that was chosen or received.
    File,
}

impl Source {
    /// All sources, in the order of declaration.
    pub const ALL: &'static [Source] = &[Source::Camera, Source::File];

    /// The name of the source in manifests and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::Source::Camera.as_str(), "camera");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Camera => "camera",
            Source::File => "file",
        }
    }
}

// `ALL` has every source: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(Source::ALL.len() == Source::File as usize + 1);

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
