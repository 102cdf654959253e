//! The ONNX front end: it reads a graph, checks that every operator is supported, and compiles the graph to a program.
//! A graph that is not one program runs on tract, with its quantized partitions as programs. All code that depends on
//! tract is in this folder. `build.rs` runs the passes, in the order of "Opening a graph" in `docs/engine.md`.

mod bounded;
mod build;
#[cfg(test)]
mod conformance;
mod constants;
mod cost;
mod external;
mod graph;
mod halves;
mod head;
mod limits;
mod live;
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
mod taps;
#[cfg(test)]
mod tests;

pub(crate) use build::{Built, build};
pub use cost::multiply_adds;
pub use graph::Graph;
pub use lower::Unlowered;
pub(crate) use plan::TappedPlan;
