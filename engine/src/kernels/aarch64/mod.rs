//! Kernels for 64-bit ARM, in three sets: NEON alone, dot products, and 8-bit matrix products.
//!
//! The sets share tiles, requantization and element-wise kernels. They differ in how four or eight inputs are
//! multiplied and summed ([`products`], [`depthwise`]). The depthwise kernels of two sets differ in one instruction and
//! are the same code ([`dots`]). Instructions for which Rust has no stable function are written as assembly. Each such
//! block names its extension to the assembler; it enables nothing for the compiler.
//!
//! A value proves that the processor has the instructions ([`features`]). Each set is such a value, and each kernel
//! holds the one that it needs.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]
#![allow(clippy::inline_always, reason = "vectors that are passed to a function go through memory")]

mod depthwise;
mod depthwise_5x5;
mod dots;
mod elementwise;
mod features;
mod line;
mod matrix;
mod products;
mod requantize;
mod vectors;

use std::sync::OnceLock;

use super::{DepthwiseWeights, Kernels, Matrix, portable};
use crate::arithmetic::{AddRule, MultiplyRule, Window};
use depthwise::{ChannelTile, DotTile, MAX_TAPS, WideningTile};
use depthwise_5x5::Depthwise5x5;
use features::{DotProducts, MatrixProducts, Neon};
use products::MicroKernel;

/// Adds the sets that this processor can run, the best one last.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static NEON: OnceLock<Option<Neon>> = OnceLock::new();
    static DOT_PRODUCTS: OnceLock<Option<DotProducts>> = OnceLock::new();
    static MATRIX_PRODUCTS: OnceLock<Option<MatrixProducts>> = OnceLock::new();
    sets.extend(NEON.get_or_init(Neon::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(DOT_PRODUCTS.get_or_init(DotProducts::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(MATRIX_PRODUCTS.get_or_init(MatrixProducts::detect).as_ref().map(|set| set as &dyn Kernels));
}

/// What one set of kernels does not share with the others. What it multiplies with, it has from [`MicroKernel`].
trait Set: MicroKernel {
    /// As [`Kernels::name`].
    const NAME: &'static str;

    /// As [`Kernels::depthwise`].
    fn depthwise(self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise>;
}

impl Set for Neon {
    const NAME: &'static str = "neon";

    fn depthwise(self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        depthwise_by_tiles::<WideningTile>(self, weights, window)
    }
}

impl Set for DotProducts {
    const NAME: &'static str = "dotprod";

    fn depthwise(self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        depthwise_by_dots(self, weights, window)
    }
}

impl Set for MatrixProducts {
    const NAME: &'static str = "i8mm";

    fn depthwise(self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        depthwise_by_dots(self, weights, window)
    }
}

impl<S: Set> Kernels for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::new(*self, matrix))
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        Set::depthwise(*self, weights, window)
    }

    fn quantize(&self, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
        // SAFETY: `quantize` needs NEON, which the processor has, as this set exists.
        unsafe { elementwise::quantize(from, scale, zero_point, to) }
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        // SAFETY: `add` needs NEON, which the processor has, as this set exists.
        unsafe { elementwise::add(rule, a, b, to) }
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        // SAFETY: `multiply` needs NEON, which the processor has, as this set exists.
        unsafe { elementwise::multiply(rule, a, b, to) }
    }

    fn lookup(&self, table: &[u8; 256], from: &[u8], to: &mut [u8]) {
        // SAFETY: `lookup` needs NEON, which the processor has, as this set exists.
        unsafe { elementwise::lookup(table, from, to) }
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        // SAFETY: `lookup_in_place` needs NEON, which the processor has, as this set exists.
        unsafe { elementwise::lookup_in_place(table, bytes) }
    }

    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        // SAFETY: `interleave` needs NEON, which the processor has, as this set exists.
        unsafe { elementwise::interleave(planes, to) }
    }

    fn sum_rows(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        // SAFETY: `sum_rows` needs NEON, which the processor has, as this set exists.
        unsafe { elementwise::sum_rows(from, stride, count, sums) }
    }
}

/// The depthwise kernel of a set with dot products: for 5×5 windows, or for any.
fn depthwise_by_dots<D: dots::Dot>(
    dot: D,
    weights: &DepthwiseWeights<'_>,
    window: &Window,
) -> Box<dyn super::Depthwise> {
    match Depthwise5x5::new(dot, weights, window) {
        Some(depthwise_5x5) => Box::new(depthwise_5x5),
        None => depthwise_by_tiles::<DotTile<D>>(dot, weights, window),
    }
}

/// The depthwise kernel for up to [`MAX_TAPS`] taps, or the portable one.
fn depthwise_by_tiles<T: ChannelTile>(
    proof: T::Proof,
    weights: &DepthwiseWeights<'_>,
    window: &Window,
) -> Box<dyn super::Depthwise> {
    if weights.taps > MAX_TAPS {
        return Box::new(portable::Depthwise::new(weights, window));
    }
    Box::new(depthwise::Depthwise::<T>::new(proof, weights, window))
}
