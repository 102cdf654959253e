//! Kotlin and Swift, by UniFFI, which copies the documentation of these types and functions into the generated code.

mod classifier;
mod convert;
mod error;
mod explain;
mod image;
#[cfg(test)]
mod layout;
mod logger;
mod types;

pub use classifier::Classifier;
pub use error::{BedsideError, ErrorKind};
pub use explain::{Explain, ExplainMethod, Heatmap};
pub use image::Image;
pub use logger::{LogLevel, Logger, LoggerError, set_logger};
pub use types::*;
