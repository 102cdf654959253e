//! What tools need that make, inspect and measure models, such as the command `bedside`. It is no part of the API: it
//! changes in any version, and has the types of [`bedside_engine`].

use std::io;
use std::path::Path;

use crate::manifest::{QuestionRole, ScopeQuestion};
use crate::{Answer, Error, Manifest, Result};

pub use crate::model::Binding;
pub use crate::report::{MAX_WIDTH, abbreviated, findings_table};
pub use bedside_engine as engine;

/// The manifest of a model file: the one in its metadata, else `model.json` in the folder of `path`, the path of the
/// file. Without a path, the manifest must be in the metadata.
///
/// # Errors
/// As [`Classifier::open`](crate::Classifier::open) has for the manifest.
pub fn manifest_of(file: &engine::ModelFile, path: Option<&Path>) -> Result<Manifest> {
    Manifest::of(file, path)
}

/// An answer that is in scope and states no danger sign: the question's `min`, else its `max`, else `Yes`, or `No` where it
/// asks for a danger sign. It is for runs that time or test a model, not for a picture of a person.
#[must_use]
pub fn in_scope_answer(question: &ScopeQuestion) -> Answer {
    match question.min.or(question.max) {
        Some(bound) => Answer::Number(bound),
        None if question.role == QuestionRole::Danger => Answer::No,
        None => Answer::Yes,
    }
}

/// The error of a file that could not be read or written.
#[must_use]
pub fn io_error(file: &Path, source: io::Error) -> Error {
    Error::io(file, source)
}

/// An error of the engine as one of this crate.
#[must_use]
pub fn engine_error(error: engine::Error) -> Error {
    Error::engine(error)
}

/// The error with the name of the file that it is about, where it names none and is not about the query.
#[must_use]
pub fn in_file(error: Error, file: &Path) -> Error {
    error.in_file(file)
}
