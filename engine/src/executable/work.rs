//! The costs by which steps are cut into parts for threads. Each is the measured time of one element on one thread, in
//! multiply-adds of a matrix product. `threads/parallel.rs` decides by them whether and how a step is cut.

/// The size of a cache line, in bytes. Elementwise steps are cut at multiples of it.
pub(super) const CACHE_LINE: usize = 64;

/// Quantizing a float.
pub(super) const QUANTIZE: u64 = 50;

/// A byte of the sum or the product of two tensors.
pub(super) const ADD_OR_MULTIPLY: u64 = 20;

/// A lookup of a byte in a table.
pub(super) const LOOKUP: u64 = 5;

/// A tap of a pooling window, for one channel.
pub(super) const POOLING: u64 = 20;

/// A tap of the window of a mean with one output pixel, for one channel. On one thread it takes as long as [`POOLING`].
/// The value is lower, so that only large windows are divided: one thread has to add up the sums of all threads.
pub(super) const SINGLE_MEAN: u64 = 6;

/// A multiply-add of a depthwise convolution.
pub(super) const DEPTHWISE: u64 = 4;
