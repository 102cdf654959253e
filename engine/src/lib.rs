//! ONNX graph in, tensors out.
//!
//! `Graph` is a decoded ONNX file, and [`Prepared`] a graph that was lowered to one program. [`Engine`] is built from
//! either, for one input shape, and runs from several threads at once. Its outputs are floats. Of images, this crate
//! has only [`Pixels`]; image files, labels and manifests belong to the crate `bedside`.
//!
//! The quantized partitions of a graph run in integers on the kernels of this crate, and tract runs the fallback nodes.
//! A graph that is not supported gives an error that names the operator, the node or the tensor, and never a silently
//! wrong result.
//!
#![cfg_attr(feature = "onnx", doc = "```no_run")]
#![cfg_attr(not(feature = "onnx"), doc = "```ignore")]
//! use bedside_engine::{Engine, Graph, Signature, Tensor};
//!
//! let graph = Graph::open("model.onnx".as_ref(), 1 << 29)?;
//! let signature = Signature {
//!     input: "input".into(),
//!     shape: vec![1, 3, 224, 224],
//!     outputs: vec!["logits".into()],
//!     taps: vec![],
//! };
//! let engine = Engine::build(graph, &signature, 1)?;
//! let outputs = engine.run(&Tensor::f32(vec![1, 3, 224, 224], vec![0.0; 3 * 224 * 224])?)?;
//! println!("{:?}", outputs[0].shape());
//! # Ok::<(), bedside_engine::Error>(())
//! ```
//!
//! Without the feature `onnx`, only [`Prepared`] models can be opened, and tract is not compiled.

mod arithmetic;
mod engine;
mod error;
mod executable;
mod file;
mod foreign;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guard;
mod head;
mod kernels;
#[cfg(feature = "onnx")]
mod onnx;
mod pixels;
mod prepared;
mod program;
mod read;
mod signature;
mod tensor;
mod threads;
mod wire;

pub use engine::{BuildTimes, Engine, Input, Tapped};
pub use error::{Error, Result};
pub use executable::Description;
pub use file::ModelFile;
pub use head::Head;
#[cfg(feature = "onnx")]
pub use onnx::{Graph, Unlowered, multiply_adds};
pub use pixels::{Layout, Pixels};
pub use prepared::Prepared;
pub use read::read_bounded;
pub use signature::{MAX_TAPS, Signature, Tap, TapKind};
pub use tensor::{Data, Dim, ElementType, Ending, Tensor, TensorInfo};
