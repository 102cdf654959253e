//! Kernels for 32-bit ARM with NEON, ARMv7-A: a set named `neon32`.
//!
//! Rust has no stable vectors for 32-bit ARM, so all that works on vectors is assembly, in blocks that take addresses
//! and whole loops with them ([`assembly`]). Only instructions of ARMv7-A with NEON stand there, which a Cortex-A8 has:
//! no fused products, no division, and no rounding to integers but by the addition of a large number.
//!
//! NEON takes subnormal floats for zero, and gives zero for them. That changes no byte: what is rounded to an integer
//! next rounds to the same one. Where floats are the result, or are rounded before, plain Rust computes them.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

mod assembly;
mod depthwise;
mod elementwise;
mod features;
mod gemm;

use std::sync::OnceLock;

use super::taps::MAX_TAPS;
use super::{DepthwiseWeights, Kernels, Matrix, check_one, check_rows, check_two, portable};
use crate::arithmetic::{AddRule, MultiplyRule, Window};
use features::Neon;

/// Adds the set, if this processor can run it.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static NEON: OnceLock<Option<Neon>> = OnceLock::new();
    sets.extend(NEON.get_or_init(Neon::detect).as_ref().map(|set| set as &dyn Kernels));
}

impl Kernels for Neon {
    fn name(&self) -> &'static str {
        "neon32"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(gemm::Gemm::new(*self, matrix))
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        if weights.taps > MAX_TAPS {
            return Box::new(portable::Depthwise::new(weights, window));
        }
        Box::new(depthwise::Depthwise::new(*self, weights, window))
    }

    fn quantize(&self, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
        check_one(from, to);
        elementwise::quantize(*self, from, scale, zero_point, to);
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        elementwise::add(*self, rule, a, b, to);
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        elementwise::multiply(*self, rule, a, b, to);
    }

    fn sum_rows(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        check_rows(from.len(), stride, count, sums.len());
        elementwise::sum_rows(*self, from, stride, count, sums);
    }
}
