//! The error of all calls, and its kinds.

use bedside::ErrorKind as Kind;

/// Why a call failed. The message is written for a person: it names what was wrong, where, and what to do.
#[derive(Debug, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error)]
pub enum BedsideError {
    /// A file could not be read.
    #[error("{0}")]
    Io(String),
    /// The picture has a format, or a variant of a format, that is not supported.
    #[error("{0}")]
    UnsupportedImage(String),
    /// The picture is damaged, or its pixels do not fit the size given.
    #[error("{0}")]
    MalformedImage(String),
    /// A picture or a model is larger than the limits allow.
    #[error("{0}")]
    TooLarge(String),
    /// The model file is neither an ONNX model nor a prepared one, or it is damaged.
    #[error("{0}")]
    MalformedModel(String),
    /// The model is sound but needs something that is not supported; the message names the operator, node or field.
    #[error("{0}")]
    UnsupportedModel(String),
    /// The manifest is missing, has a field of a wrong type or value, or does not fit the graph.
    #[error("{0}")]
    InvalidManifest(String),
    /// An option, a query field or an answer does not fit the model.
    #[error("{0}")]
    InvalidQuery(String),
    /// The query's cancel handle was cancelled.
    #[error("{0}")]
    Cancelled(String),
    /// The golden sample did not give the scores that the model's maker measured: the model must not be used on this
    /// device.
    #[error("{0}")]
    SelfTest(String),
    /// A fault in Bedside or in a library that it uses.
    #[error("{0}")]
    Internal(String),
}

/// The kind of an error, the same in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ErrorKind {
    /// See `Io`.
    Io,
    /// See `UnsupportedImage`.
    UnsupportedImage,
    /// See `MalformedImage`.
    MalformedImage,
    /// See `TooLarge`.
    TooLarge,
    /// See `MalformedModel`.
    MalformedModel,
    /// See `UnsupportedModel`.
    UnsupportedModel,
    /// See `InvalidManifest`.
    InvalidManifest,
    /// See `InvalidQuery`.
    InvalidQuery,
    /// See `Cancelled`.
    Cancelled,
    /// See `SelfTest`.
    SelfTest,
    /// See `Internal`.
    Internal,
}

impl From<bedside::Error> for BedsideError {
    fn from(error: bedside::Error) -> BedsideError {
        let message = error.to_string();
        match error.kind() {
            Kind::Io => BedsideError::Io(message),
            Kind::UnsupportedImage => BedsideError::UnsupportedImage(message),
            Kind::MalformedImage => BedsideError::MalformedImage(message),
            Kind::TooLarge => BedsideError::TooLarge(message),
            Kind::MalformedModel => BedsideError::MalformedModel(message),
            Kind::UnsupportedModel => BedsideError::UnsupportedModel(message),
            Kind::InvalidManifest => BedsideError::InvalidManifest(message),
            Kind::InvalidQuery => BedsideError::InvalidQuery(message),
            Kind::Cancelled => BedsideError::Cancelled(message),
            Kind::SelfTest => BedsideError::SelfTest(message),
            _ => BedsideError::Internal(message),
        }
    }
}
