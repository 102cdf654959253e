//! What can go wrong between an ONNX file and its output.

use std::io;
use std::path::PathBuf;

/// What functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Messages name operator, node or tensor, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not an ONNX model, or a damaged one.
    #[error("{0}")]
    Malformed(String),
    /// A sound model that needs what is not served here.
    #[error("{0}")]
    Unsupported(String),
    /// More bytes than allowed.
    #[error("{0}")]
    TooLarge(String),
    /// A tensor that does not fit its shape or the graph.
    #[error("{0}")]
    Tensor(String),
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A fault in this crate or in tract.
    #[error("{0}")]
    Internal(String),
}
