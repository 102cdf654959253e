//! ONNX graphs: read, held against what is served, and made into programs or, where they are more than that, left to
//! tract. All that needs tract is in here.

mod bounded;
pub(crate) mod build;
#[cfg(test)]
mod conformance;
mod constants;
mod cost;
mod external;
mod graph;
mod halves;
mod lower;
mod operators;
mod outline;
mod panics;
mod partition;
pub(crate) mod plan;
mod prepare;
mod qoperator;
mod quantized;
#[cfg(test)]
mod tests;

pub use cost::multiply_adds;
pub use graph::Graph;
pub use lower::Unlowered;
