//! The error type of the crate.
//!
//! A message says what was wrong, where, and what to do. The bindings of all languages have the same kinds, under the
//! names that [`ErrorKind::as_str`] gives.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate: match on its [`kind`](Error::kind), and show its [`Display`](fmt::Display) text to a person.
///
/// The text has the [`file`](Error::file), if one is known, a colon, and the [`message`](Error::message). The
/// [`source`](StdError::source) is the operating system's error where the kind is [`ErrorKind::Io`], and none
/// otherwise.
///
/// ```
/// use bedside::{ErrorKind, Region};
///
/// let error = Region::new(0.5, 0.0, 0.6, 1.0).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidQuery);
/// println!("{error}");
/// ```
#[derive(Debug, Clone)]
pub struct Error(Arc<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    kind: ErrorKind,
    file: Option<PathBuf>,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of an [`Error`], which is the same in the bindings of all languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read. This crate writes none.
    Io,
    /// The picture has a format, or a variant of one, that this crate does not decode.
    UnsupportedImage,
    /// The picture is damaged, or its pixels do not fit the stated size and strides.
    MalformedImage,
    /// A picture, a model or a manifest exceeds a limit: one of [`Limits`](crate::Limits) or a fixed one.
    TooLarge,
    /// The file is neither an ONNX model nor a prepared one, or is damaged.
    MalformedModel,
    /// The model is sound, but needs something that is not supported, or its graph fails or gives no scores. The
    /// message names the operator, the node or the field.
    UnsupportedModel,
    /// The manifest is missing, has a field of a wrong type or value, or does not fit the graph. The message names the
    /// field.
    InvalidManifest,
    /// A field of the query, an answer or a region is out of range or does not fit the model. In Java, which has no
    /// unsigned numbers, also an option below 0.
    InvalidQuery,
    /// The [`CancelHandle`](crate::CancelHandle) of the query is cancelled.
    Cancelled,
    /// The golden sample did not give the scores in the manifest. The model must not be used on this device.
    SelfTest,
    /// A defect of this crate or of a library that it uses.
    Internal,
}

impl ErrorKind {
    /// All kinds, in the order of declaration.
    pub const ALL: &'static [ErrorKind] = &[
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

    /// The name of the kind in other languages and in what `bedside classify --json` prints, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::ErrorKind::TooLarge.as_str(), "too_large");
    /// ```
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
    /// An error of this kind. `message` says what was wrong and what to do; for [`ErrorKind::Internal`] it is what went
    /// wrong, and the request to report it is added.
    ///
    /// ```
    /// use bedside::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::TooLarge, "the video has 90 frames; choose one");
    /// assert_eq!(error.to_string(), "the video has 90 frames; choose one");
    /// ```
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let message = match (kind, message.into()) {
            (ErrorKind::Internal, what) => {
                format!("internal error: {what}; please report it with the model and the command that caused it")
            }
            (_, message) => message,
        };
        Error(Arc::new(Parts { kind, file: None, message, source: None }))
    }

    /// The kind.
    ///
    /// ```
    /// use bedside::{ErrorKind, Image};
    ///
    /// assert_eq!(Image::open("missing.jpg").unwrap_err().kind(), ErrorKind::Io);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was wrong and what to do, without the file.
    ///
    /// ```
    /// # use bedside::Image;
    /// assert_eq!(Image::open("missing.jpg").unwrap_err().message(), "no such file; check the path");
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file that the error is about, as the caller named it, where it is known.
    ///
    /// ```
    /// # use bedside::Image;
    /// use std::path::Path;
    ///
    /// assert_eq!(Image::open("missing.jpg").unwrap_err().file(), Some(Path::new("missing.jpg")));
    /// ```
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The error of a file that could not be read, or written by a tool.
    pub(crate) fn io(path: &Path, source: io::Error) -> Error {
        Error::new(ErrorKind::Io, describe_io(&source)).caused_by(source).in_file(path)
    }

    /// The error of a call that was cancelled.
    pub(crate) fn cancelled() -> Error {
        Error::new(ErrorKind::Cancelled, "the classification was cancelled")
    }

    /// An error of the engine.
    pub(crate) fn engine(error: bedside_engine::Error) -> Error {
        use bedside_engine::Error as Engine;
        match error {
            Engine::Io { path, source } => Error::io(&path, source),
            Engine::Malformed(message) => Error::new(ErrorKind::MalformedModel, message),
            Engine::Unsupported(message) => Error::new(ErrorKind::UnsupportedModel, message),
            // Whoever named the tensor did so in the manifest.
            tap @ Engine::Tap { .. } => Error::new(ErrorKind::InvalidManifest, format!("manifest: {tap}")),
            Engine::TooLarge(message) => Error::new(ErrorKind::TooLarge, message),
            Engine::Cancelled => Error::cancelled(),
            other => Error::new(ErrorKind::Internal, other.to_string()),
        }
    }

    /// The same error with its [`source`](StdError::source).
    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Error {
        Arc::make_mut(&mut self.0).source = Some(Arc::new(source));
        self
    }

    /// The same error about this file. One that names a file already, or is about the query, does not change.
    pub(crate) fn in_file(mut self, file: &Path) -> Error {
        let about_query = matches!(self.0.kind, ErrorKind::InvalidQuery | ErrorKind::Cancelled);
        if self.0.file.is_none() && !about_query {
            Arc::make_mut(&mut self.0).file = Some(file.to_owned());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.file {
            Some(file) => write!(f, "{}: {}", file.display(), self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The text of an error of the operating system, with what to do for the common ones.
fn describe_io(error: &io::Error) -> String {
    match error.kind() {
        // What made it knows better.
        _ if error.get_ref().is_some() => error.to_string(),
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
    fn io_error_keeps_its_source() {
        let error = Error::io(Path::new("a.jpg"), io::ErrorKind::NotFound.into());
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::NotFound));
    }

    #[test]
    fn in_file_names_the_first_file_only() {
        let error = Error::new(ErrorKind::TooLarge, "too many pixels").in_file(Path::new("a.jpg"));
        assert_eq!(error.to_string(), "a.jpg: too many pixels");
        let outer = error.in_file(Path::new("folder"));
        assert_eq!((outer.file(), outer.message()), (Some(Path::new("a.jpg")), "too many pixels"));
    }

    #[test]
    fn in_file_leaves_errors_of_the_query_alone() {
        let error = Error::new(ErrorKind::InvalidQuery, "no label `x`").in_file(Path::new("a.jpg"));
        assert_eq!(error.to_string(), "no label `x`");
        assert_eq!(Error::cancelled().in_file(Path::new("a.jpg")).file(), None);
    }

    #[test]
    fn internal_error_asks_for_a_report() {
        let error = Error::new(ErrorKind::Internal, "no room").in_file(Path::new("m.onnx"));
        let wanted = "m.onnx: internal error: no room; please report it with the model and the command that caused it";
        assert_eq!(error.to_string(), wanted);
    }
}
