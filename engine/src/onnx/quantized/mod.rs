//! Runs the quantized parts of graphs on tract's float kernels, with ONNX Runtime's results.
//!
//! A QDQ graph (`QuantizeLinear` and `DequantizeLinear` around float operators) stands for integer arithmetic. The sums
//! of a run in floats round differently in each engine. One activation that rounds to another integer changes others,
//! and the scores of two engines drift apart. So the graph is rewritten before tract imports it: quantized activations
//! become float tensors that hold the integers `q - zero_point`, so that the zeros of a convolution's padding stand for
//! real zeros. A convolution of such integers is exact in any order of summation, as long as no sum exceeds 2²⁴ in
//! magnitude, which the weights tell. Requantization has one defined order of operations, that of ONNX Runtime
//! (`docs/engine.md`).
//!
//! What `lower/` leaves to tract comes here: graphs on processors without integer kernels, and quantized activations
//! between fallback nodes. `cost.rs` counts whole graphs in this form. Operators that match no pattern here stay as
//! they are in the graph.

mod operators;
mod rewrite;

pub(crate) use operators::register;
pub(crate) use rewrite::rewrite_quantized_activations;
