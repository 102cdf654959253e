//! How long the elements of a step take, in multiply-adds of a matrix product on one thread; and how results are cut.

/// Outputs that do not depend on each other are cut at multiples of this many bytes: a cache line.
pub(super) const CACHE_LINE: usize = 64;

/// A float that is quantized.
pub(super) const QUANTIZED: u64 = 50;

/// A byte of a sum or product of two tensors.
pub(super) const COMBINED: u64 = 20;

/// A byte that is looked up in a table.
pub(super) const LOOKED_UP: u64 = 5;

/// A byte under a window of which the mean or the maximum is taken.
pub(super) const POOLED: u64 = 20;

/// A byte of an image of which one mean is taken. That takes as long as [`POOLED`] on one thread, but other threads save
/// little of it: one thread has to add up what all have.
pub(super) const POOLED_TO_ONE: u64 = 6;

/// A multiply-add of a depthwise convolution.
pub(super) const DEPTHWISE: u64 = 4;
