//! The errors of DICOM files. Their texts name tags and sizes, and no value that could tell a person.

use std::fmt::Display;

use super::tags::Tag;
use crate::{Error, ErrorKind};

/// The file is damaged, or contradicts itself: `tag` and what is wrong with it, as "is 0".
pub(super) fn malformed(tag: Tag, what: impl Display) -> Error {
    Error::new(ErrorKind::MalformedImage, format!("DICOM: {tag} {what}; copy or export the file again"))
}

/// The file is sound, but is not read: what it has, as "frames in MPEG-4 are".
pub(super) fn not_read(what: impl Display) -> Error {
    Error::new(ErrorKind::UnsupportedImage, format!("DICOM: {what} not read; export the frame as PNG"))
}

/// The compressed pixels of a frame are damaged.
pub(super) fn damaged(what: impl Display) -> Error {
    Error::new(
        ErrorKind::MalformedImage,
        format!("DICOM: the frame is damaged ({what}); copy or export the file again"),
    )
}
