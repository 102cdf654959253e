//! The errors of this crate. Their texts are for people; the crate `bedside` gives each a kind that code can match.

use std::io;
use std::path::PathBuf;

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error between a model file and its outputs. Its text names the operator, the node or the tensor, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is no model, or a damaged one.
    #[error("{0}")]
    Malformed(String),
    /// The model is sound, but needs something that this engine does not support.
    #[error("{0}")]
    Unsupported(String),
    /// A tap of the signature is not served.
    #[error("the tensor \"{tensor}\" can't be tapped: {reason}")]
    Tap {
        /// The name by which the signature taps it.
        tensor: String,
        /// Why, and which tensors near it can be tapped, where some can.
        reason: String,
    },
    /// A limit of size, memory or work is exceeded.
    #[error("{0}")]
    TooLarge(String),
    /// A tensor does not fit its shape, or the shape and type that the engine was built for.
    #[error("{0}")]
    Tensor(String),
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A defect of this crate or of tract.
    #[error("{0}")]
    Internal(String),
}
