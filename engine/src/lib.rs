//! ONNX graph in, tensors out.
//!
//! [`Graph`] is what an ONNX file says; [`Engine`] is the same, imported and optimised for one input shape, ready to
//! run from many threads. This crate knows no images, labels or manifests: those are `bedside`'s.
//!
//! What is quantized of a graph runs in integers on kernels of this crate; tract runs the rest. A graph that can't be served is an error that names the operator, the
//! node or the tensor: never a silently wrong result.
//!
#![cfg_attr(feature = "onnx", doc = "```no_run")]
#![cfg_attr(not(feature = "onnx"), doc = "```ignore")]
//! use bedside_engine::{Engine, Graph, Signature, Tensor};
//!
//! let graph = Graph::open("model.onnx".as_ref(), 1 << 29)?;
//! let signature = Signature { input: "input".into(), shape: vec![1, 3, 224, 224], outputs: vec!["logits".into()] };
//! let engine = Engine::build(graph, &signature, 1)?;
//! let outputs = engine.run(&Tensor::f32(vec![1, 3, 224, 224], vec![0.0; 3 * 224 * 224])?)?;
//! println!("{:?}", outputs[0].shape());
//! # Ok::<(), bedside_engine::Error>(())
//! ```
//!
//! Without the feature `onnx` nothing here reads ONNX and tract is not compiled: programs and kernels are what is left.

#![cfg_attr(not(feature = "onnx"), allow(dead_code, unused_imports, reason = "what makes programs is not compiled"))]

#[cfg(all(test, feature = "onnx"))]
mod conformance;
#[cfg(feature = "onnx")]
mod constants;
#[cfg(feature = "onnx")]
mod cost;
#[cfg(feature = "onnx")]
mod engine;
mod error;
#[cfg(feature = "onnx")]
mod external;
#[cfg(feature = "onnx")]
mod graph;
#[cfg(feature = "onnx")]
mod halves;
#[cfg(feature = "onnx")]
mod island;
mod kernels;
#[cfg(feature = "onnx")]
mod lower;
#[cfg(feature = "onnx")]
mod operators;
mod program;
#[cfg(feature = "onnx")]
mod qoperator;
#[cfg(feature = "onnx")]
mod quantized;
mod tensor;
#[cfg(feature = "onnx")]
mod wire;

#[cfg(feature = "onnx")]
pub use cost::multiply_adds;
#[cfg(feature = "onnx")]
pub use engine::{BuildTimes, Engine, Signature};
pub use error::{Error, Result};
#[cfg(feature = "onnx")]
pub use graph::{Ending, Graph};
#[cfg(feature = "onnx")]
pub use lower::Unlowered;
pub use program::Description;
pub use tensor::{Data, Dim, ElementType, Tensor, TensorInfo};
