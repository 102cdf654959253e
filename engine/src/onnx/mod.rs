//! ONNX graphs: read, held against what is served, and made into programs or, where they are more than that, left to
//! tract. All that needs tract is in here.

mod bounded;
mod build;
#[cfg(test)]
mod conformance;
mod constants;
mod cost;
mod external;
mod graph;
mod halves;
mod limits;
mod lower;
mod names;
mod operators;
mod outline;
mod panics;
mod partition;
mod plan;
mod prepare;
mod qoperator;
mod quantized;
#[cfg(test)]
mod tests;

pub(crate) use build::{Built, build};
pub use cost::multiply_adds;
pub use graph::Graph;
pub use lower::Unlowered;
pub(crate) use plan::Plan;
