//! The one error type of the crate.
//!
//! A message names what was wrong, where, and what to do. Every language that Bedside speaks knows the same
//! kinds, by the names that [`ErrorKind::as_str`] gives.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What `bedside` functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Match on [`Error::kind`]; show the [`Display`](fmt::Display) text to a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {}", path.display(), describe_io(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The picture is of a format, or a variant of one, that is not decoded here.
    #[error("{0}")]
    UnsupportedImage(String),
    /// The picture is damaged, or its pixels do not fit the size given.
    #[error("{0}")]
    MalformedImage(String),
    /// A picture or a model is larger than [`Limits`](crate::Limits) allow.
    #[error("{0}")]
    TooLarge(String),
    /// The model file is neither an ONNX model nor a prepared one, or a damaged one.
    #[error("{0}")]
    MalformedModel(String),
    /// The model is sound but needs something that is not served here; the message names operator, node or field.
    #[error("{0}")]
    UnsupportedModel(String),
    /// The manifest is missing, has a field of a wrong type or value, or does not fit the graph.
    #[error("{0}")]
    InvalidManifest(String),
    /// An option, a query field or an answer does not fit the model.
    #[error("{0}")]
    InvalidQuery(String),
    /// The [`CancelHandle`](crate::CancelHandle) of the query was used.
    #[error("the classification was cancelled")]
    Cancelled,
    /// The golden sample did not give the scores that the model's maker measured.
    #[error("{0}")]
    SelfTest(String),
    /// A fault in Bedside or in a library below it.
    #[error("internal error: {0}; please report it with the model and the command that caused it")]
    Internal(String),
}

/// The kind of an [`Error`], the same in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// See [`Error::Io`].
    Io,
    /// See [`Error::UnsupportedImage`].
    UnsupportedImage,
    /// See [`Error::MalformedImage`].
    MalformedImage,
    /// See [`Error::TooLarge`].
    TooLarge,
    /// See [`Error::MalformedModel`].
    MalformedModel,
    /// See [`Error::UnsupportedModel`].
    UnsupportedModel,
    /// See [`Error::InvalidManifest`].
    InvalidManifest,
    /// See [`Error::InvalidQuery`].
    InvalidQuery,
    /// See [`Error::Cancelled`].
    Cancelled,
    /// See [`Error::SelfTest`].
    SelfTest,
    /// See [`Error::Internal`].
    Internal,
}

impl ErrorKind {
    /// All kinds.
    pub const ALL: [ErrorKind; 11] = [
        ErrorKind::Io,
        ErrorKind::UnsupportedImage,
        ErrorKind::MalformedImage,
        ErrorKind::TooLarge,
        ErrorKind::MalformedModel,
        ErrorKind::UnsupportedModel,
        ErrorKind::InvalidManifest,
        ErrorKind::InvalidQuery,
        ErrorKind::Cancelled,
        ErrorKind::SelfTest,
        ErrorKind::Internal,
    ];

    /// The name that reports and other languages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Io => "io",
            ErrorKind::UnsupportedImage => "unsupported_image",
            ErrorKind::MalformedImage => "malformed_image",
            ErrorKind::TooLarge => "too_large",
            ErrorKind::MalformedModel => "malformed_model",
            ErrorKind::UnsupportedModel => "unsupported_model",
            ErrorKind::InvalidManifest => "invalid_manifest",
            ErrorKind::InvalidQuery => "invalid_query",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::SelfTest => "self_test",
            ErrorKind::Internal => "internal",
        }
    }
}

// Each kind is in the list: the last one's number tells how many there are.
const _: () = assert!(ErrorKind::ALL.len() == ErrorKind::Internal as usize + 1);

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// Which kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Io { .. } => ErrorKind::Io,
            Error::UnsupportedImage(_) => ErrorKind::UnsupportedImage,
            Error::MalformedImage(_) => ErrorKind::MalformedImage,
            Error::TooLarge(_) => ErrorKind::TooLarge,
            Error::MalformedModel(_) => ErrorKind::MalformedModel,
            Error::UnsupportedModel(_) => ErrorKind::UnsupportedModel,
            Error::InvalidManifest(_) => ErrorKind::InvalidManifest,
            Error::InvalidQuery(_) => ErrorKind::InvalidQuery,
            Error::Cancelled => ErrorKind::Cancelled,
            Error::SelfTest(_) => ErrorKind::SelfTest,
            Error::Internal(_) => ErrorKind::Internal,
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Error {
        Error::Io { path: path.to_owned(), source }
    }

    /// The same error with the file it happened in at the head of its message, where that does not name it yet.
    #[must_use]
    pub fn in_file(self, name: &str) -> Error {
        let at = |message: String| format!("{name}: {message}");
        match self {
            Error::UnsupportedImage(m) => Error::UnsupportedImage(at(m)),
            Error::MalformedImage(m) => Error::MalformedImage(at(m)),
            Error::TooLarge(m) => Error::TooLarge(at(m)),
            Error::MalformedModel(m) => Error::MalformedModel(at(m)),
            Error::UnsupportedModel(m) => Error::UnsupportedModel(at(m)),
            Error::InvalidManifest(m) => Error::InvalidManifest(at(m)),
            Error::SelfTest(m) => Error::SelfTest(at(m)),
            Error::Internal(m) => Error::Internal(at(m)),
            Error::Io { .. } | Error::InvalidQuery(_) | Error::Cancelled => self,
        }
    }
}

impl From<bedside_engine::Error> for Error {
    fn from(error: bedside_engine::Error) -> Error {
        use bedside_engine::Error as Engine;
        match error {
            Engine::Io { path, source } => Error::Io { path, source },
            Engine::Malformed(m) => Error::MalformedModel(m),
            Engine::Unsupported(m) => Error::UnsupportedModel(m),
            Engine::TooLarge(m) => Error::TooLarge(m),
            Engine::Cancelled => Error::Cancelled,
            other => Error::Internal(other.to_string()),
        }
    }
}

fn describe_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file; check the path".into(),
        io::ErrorKind::PermissionDenied => "permission denied; make the file readable for this user".into(),
        io::ErrorKind::IsADirectory => "this is a folder; give a file".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_said_in_words_with_what_to_do() {
        let refused = |kind: io::ErrorKind| Error::io(Path::new("a.jpg"), kind.into()).to_string();
        assert_eq!(refused(io::ErrorKind::NotFound), "a.jpg: no such file; check the path");
        assert!(
            refused(io::ErrorKind::PermissionDenied).starts_with("a.jpg: permission denied; make the file readable")
        );
        assert_eq!(refused(io::ErrorKind::IsADirectory), "a.jpg: this is a folder; give a file");
    }

    #[test]
    fn a_file_is_named_once() {
        let named = Error::TooLarge("too many pixels".into()).in_file("a.jpg");
        assert_eq!((named.kind(), named.to_string().as_str()), (ErrorKind::TooLarge, "a.jpg: too many pixels"));
        let io = Error::io(Path::new("a.jpg"), io::ErrorKind::NotFound.into()).in_file("a.jpg");
        assert_eq!(io.to_string().matches("a.jpg").count(), 1);
    }
}
