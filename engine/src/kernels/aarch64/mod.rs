//! Kernels for 64-bit ARM, in three sets: NEON alone, dot products, and 8-bit matrix products.
//!
//! The sets share tiles, requantization and element-wise kernels. They differ in how four or eight inputs are
//! multiplied and summed ([`products`], [`depthwise`]). Instructions for which Rust has no stable function are written
//! as assembly. Each such block names its extension to the assembler; it enables nothing for the compiler.
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
mod matrix;
mod products;
mod requantize;

use std::sync::OnceLock;

use super::{DepthwiseWeights, Kernels, Matrix, portable};
use crate::arithmetic::{AddRule, MultiplyRule, Window};
use depthwise::{DotTile, MAX_TAPS, WideningTile};
use depthwise_5x5::Depthwise5x5;
use dots::{SignedDot, UnsignedDot};
use features::{DotProducts, MatrixProducts, Neon};
use products::{Sdot, Usmmla, Widening};

/// Adds the sets that this processor can run, the best one last.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static NEON: OnceLock<Option<Neon>> = OnceLock::new();
    static DOT_PRODUCTS: OnceLock<Option<DotProducts>> = OnceLock::new();
    static MATRIX_PRODUCTS: OnceLock<Option<MatrixProducts>> = OnceLock::new();
    sets.extend(NEON.get_or_init(Neon::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(DOT_PRODUCTS.get_or_init(DotProducts::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(MATRIX_PRODUCTS.get_or_init(MatrixProducts::detect).as_ref().map(|set| set as &dyn Kernels));
}

/// The element-wise kernels, the same in all sets.
macro_rules! elementwise_kernels {
    () => {
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

        fn sum(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
            // SAFETY: `sum` needs NEON, which the processor has, as this set exists.
            unsafe { elementwise::sum(from, stride, count, sums) }
        }
    };
}

impl Kernels for Neon {
    fn name(&self) -> &'static str {
        "neon"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::new(Widening(*self), matrix))
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        if weights.taps > MAX_TAPS {
            return Box::new(portable::Depthwise::new(weights, window));
        }
        Box::new(depthwise::Depthwise::<WideningTile>::new(*self, weights, window))
    }

    elementwise_kernels!();
}

impl Kernels for DotProducts {
    fn name(&self) -> &'static str {
        "dotprod"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::new(Sdot(*self), matrix))
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        depthwise_by_dots(SignedDot(*self), weights, window)
    }

    elementwise_kernels!();
}

impl Kernels for MatrixProducts {
    fn name(&self) -> &'static str {
        "i8mm"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::new(Usmmla(*self), matrix))
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        depthwise_by_dots(UnsignedDot(*self), weights, window)
    }

    elementwise_kernels!();
}

/// The depthwise kernel of a set with dot products: for 5×5 windows, for up to [`MAX_TAPS`] taps, or the portable one.
fn depthwise_by_dots<D: dots::Dot>(
    dot: D,
    weights: &DepthwiseWeights<'_>,
    window: &Window,
) -> Box<dyn super::Depthwise> {
    if let Some(depthwise_5x5) = Depthwise5x5::new(dot, weights, window) {
        return Box::new(depthwise_5x5);
    }
    if weights.taps > MAX_TAPS {
        return Box::new(portable::Depthwise::new(weights, window));
    }
    Box::new(depthwise::Depthwise::<DotTile<D>>::new(dot, weights, window))
}
