//! ONNX graph in, tensors out.
//!
//! [`Graph`] is what an ONNX file says; [`Engine`] is the same, imported and optimised for one input shape, ready to
//! run from many threads. This crate knows no images, labels or manifests: those are `bedside`'s.
//!
//! tract is the importer and runs the graph. A graph that can't be served is an error that names the operator, the
//! node or the tensor: never a silently wrong result.
//!
//! ```no_run
//! use bedside_engine::{Engine, Graph, Signature, Tensor};
//!
//! let graph = Graph::open("model.onnx".as_ref(), 1 << 29)?;
//! let signature = Signature { input: "input".into(), shape: vec![1, 3, 224, 224], outputs: vec!["logits".into()] };
//! let engine = Engine::build(graph, &signature, 1)?;
//! let outputs = engine.run(&Tensor::f32(vec![1, 3, 224, 224], vec![0.0; 3 * 224 * 224])?)?;
//! println!("{:?}", outputs[0].shape());
//! # Ok::<(), bedside_engine::Error>(())
//! ```

#[cfg(test)]
mod conformance;
mod constants;
mod cost;
mod engine;
mod error;
mod external;
mod graph;
mod halves;
mod island;
mod kernels;
mod lower;
mod operators;
mod program;
mod qoperator;
mod quantized;
mod tensor;
mod wire;

pub use cost::multiply_adds;
pub use engine::{BuildTimes, Engine, Signature};
pub use error::{Error, Result};
pub use graph::{Ending, Graph};
pub use lower::Unlowered;
pub use program::Description;
pub use tensor::{Data, Dim, ElementType, Tensor, TensorInfo};
