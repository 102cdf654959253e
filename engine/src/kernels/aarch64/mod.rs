//! Kernels for 64-bit ARM: what any such processor has, dot products, and 8-bit matrix products.
//!
//! The sets share their tiles, their rounding and what is done element by element; they differ in how four or eight inputs
//! are multiplied and summed ([`products`], [`depthwise`]). Their instructions are written as assembly where Rust has no
//! stable function for them; each such block says for the assembler alone which extension it is of.
//!
//! That the processor has them is proved by values ([`features`]): each set is one, and each kernel holds what it needs.
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
use depthwise::{Dotted, MAX_TAPS, Widened};
use depthwise_5x5::Fives;
use dots::{Signed, Unsigned};
use features::{DotProducts, MatrixProducts, Neon};
use products::{Blocks, Dots, Widening};

/// Adds the sets that this processor can run.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static NEON: OnceLock<Option<Neon>> = OnceLock::new();
    static DOT_PRODUCTS: OnceLock<Option<DotProducts>> = OnceLock::new();
    static MATRIX_PRODUCTS: OnceLock<Option<MatrixProducts>> = OnceLock::new();
    sets.extend(NEON.get_or_init(Neon::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(DOT_PRODUCTS.get_or_init(DotProducts::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(MATRIX_PRODUCTS.get_or_init(MatrixProducts::detect).as_ref().map(|set| set as &dyn Kernels));
}

/// What the sets share.
macro_rules! shared {
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

    fn depthwise(&self, filters: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        if filters.taps > MAX_TAPS {
            return Box::new(portable::Depthwise::new(filters, window));
        }
        Box::new(depthwise::Depthwise::<Widened>::new(*self, filters, window))
    }

    shared!();
}

impl Kernels for DotProducts {
    fn name(&self) -> &'static str {
        "dotprod"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::new(Dots(*self), matrix))
    }

    fn depthwise(&self, filters: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        dotted(Signed(*self), filters, window)
    }

    shared!();
}

impl Kernels for MatrixProducts {
    fn name(&self) -> &'static str {
        "i8mm"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::new(Blocks(*self), matrix))
    }

    fn depthwise(&self, filters: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        dotted(Unsigned(*self), filters, window)
    }

    shared!();
}

/// The filters of either set with dot products.
fn dotted<D: dots::Dot>(dot: D, filters: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
    if let Some(depthwise_5x5) = Fives::new(dot, filters, window) {
        return Box::new(depthwise_5x5);
    }
    if filters.taps > MAX_TAPS {
        return Box::new(portable::Depthwise::new(filters, window));
    }
    Box::new(depthwise::Depthwise::<Dotted<D>>::new(dot, filters, window))
}
