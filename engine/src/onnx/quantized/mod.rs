//! Quantized graphs, as exactly as ONNX Runtime runs them, on tract's float kernels.
//!
//! A QDQ graph (`QuantizeLinear` and `DequantizeLinear` around float operators) means integer arithmetic. Run as it
//! stands, in floats, its sums round differently from one engine to the next; an activation that falls on the other
//! side of a rounding changes others, and the scores of two engines drift apart. So the graph is rewritten before
//! tract imports it: activations are carried as float tensors that hold whole numbers, `q - zero_point point`. A convolution
//! of such numbers is exact in whatever order it is summed, as long as no sum passes 2²⁴, which is known from the
//! weights; what follows it rounds in one written order, ONNX Runtime's (`docs/engine.md`).
//!
//! What does not fit the patterns here is left to tract as it stands.

mod operators;
mod rewrite;

pub(crate) use operators::register;
pub(crate) use rewrite::keep_activations_whole;
