//! The error type of the crate.
//!
//! A message says what was wrong, where, and what to do. The bindings of all languages have the same kinds, under the
//! names that [`ErrorKind::as_str`] gives.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate. Match on [`Error::kind`]; show the [`Display`](fmt::Display) text to a person.
///
/// ```
/// use bedside::{ErrorKind, Region};
///
/// let error = Region::new(0.5, 0.0, 0.6, 1.0).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidQuery);
/// println!("{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {}", path.display(), describe_io(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The picture has a format, or a variant of one, that this crate does not decode.
    #[error("{0}")]
    UnsupportedImage(String),
    /// The picture is damaged, or its pixels do not fit the stated size and strides.
    #[error("{0}")]
    MalformedImage(String),
    /// A picture, a model or a manifest exceeds a limit: one of [`Limits`](crate::Limits) or a fixed one.
    #[error("{0}")]
    TooLarge(String),
    /// The file is neither an ONNX model nor a prepared one, or is damaged.
    #[error("{0}")]
    MalformedModel(String),
    /// The model is sound, but needs something that is not supported, or its graph fails or gives no scores. The
    /// message names the operator, the node or the field.
    #[error("{0}")]
    UnsupportedModel(String),
    /// The manifest is missing, has a field of a wrong type or value, or does not fit the graph. The message names the
    /// field.
    #[error("{0}")]
    InvalidManifest(String),
    /// An option, a field of the query, an answer or a region is out of range or does not fit the model.
    #[error("{0}")]
    InvalidQuery(String),
    /// The [`CancelHandle`](crate::CancelHandle) of the query was used.
    #[error("the classification was cancelled")]
    Cancelled,
    /// The golden sample did not give the scores in the manifest. The model must not be used on this device.
    #[error("{0}")]
    SelfTest(String),
    /// A defect of this crate or of a library that it uses.
    #[error("internal error: {0}; please report it with the model and the command that caused it")]
    Internal(String),
}

/// The kind of an [`Error`], which is the same in the bindings of all languages.
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
    /// All kinds, in the order of declaration.
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

    /// The name of the kind in reports and in other languages, in snake case.
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

// `ALL` has every kind: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(ErrorKind::ALL.len() == ErrorKind::Internal as usize + 1);

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// The kind of this error.
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

    /// The same error, with `name` (a file) and a colon in front of its message. [`Error::Io`], which names its file
    /// already, [`Error::InvalidQuery`] and [`Error::Cancelled`] do not change.
    ///
    /// ```
    /// use bedside::Error;
    ///
    /// let error = Error::TooLarge("too many pixels".into()).in_file("a.jpg");
    /// assert_eq!(error.to_string(), "a.jpg: too many pixels");
    /// ```
    #[must_use]
    pub fn in_file(self, name: &str) -> Error {
        let named = |message: String| format!("{name}: {message}");
        match self {
            Error::UnsupportedImage(m) => Error::UnsupportedImage(named(m)),
            Error::MalformedImage(m) => Error::MalformedImage(named(m)),
            Error::TooLarge(m) => Error::TooLarge(named(m)),
            Error::MalformedModel(m) => Error::MalformedModel(named(m)),
            Error::UnsupportedModel(m) => Error::UnsupportedModel(named(m)),
            Error::InvalidManifest(m) => Error::InvalidManifest(named(m)),
            Error::SelfTest(m) => Error::SelfTest(named(m)),
            Error::Internal(m) => Error::Internal(named(m)),
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

/// The text of an error of the operating system, with what to do for the common ones.
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
    fn io_error_text_says_what_to_do() {
        let text = |kind: io::ErrorKind| Error::io(Path::new("a.jpg"), kind.into()).to_string();
        assert_eq!(text(io::ErrorKind::NotFound), "a.jpg: no such file; check the path");
        assert!(text(io::ErrorKind::PermissionDenied).starts_with("a.jpg: permission denied; make the file readable"));
        assert_eq!(text(io::ErrorKind::IsADirectory), "a.jpg: this is a folder; give a file");
    }

    #[test]
    fn in_file_names_the_file_once() {
        let named = Error::TooLarge("too many pixels".into()).in_file("a.jpg");
        assert_eq!((named.kind(), named.to_string().as_str()), (ErrorKind::TooLarge, "a.jpg: too many pixels"));
        let io = Error::io(Path::new("a.jpg"), io::ErrorKind::NotFound.into()).in_file("a.jpg");
        assert_eq!(io.to_string().matches("a.jpg").count(), 1);
    }
}
