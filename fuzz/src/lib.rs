//! What the fuzz targets share: the rule for which panics are failures, and mutators that keep an input well-formed.
//!
//! `docs/testing.md` says what each target covers and what counts as a failure; `cargo xtask fuzz` runs the targets.

mod bytes;
pub mod containers;
pub mod dicom;
#[cfg(feature = "onnx")]
pub mod fitting;
pub mod json;
#[cfg(feature = "onnx")]
pub mod onnx;
mod panics;
pub mod prepared;
mod random;
mod time;

pub use bytes::{Tail, mutated, written};
pub use panics::abort_unless_in_tract_import;
pub use random::Random;
pub use time::timed;
