//! Kernels for SSE4.1, for processors without AVX2. They multiply as the kernels for AVX2 do, with vectors of half the
//! width: `pairs.rs` packs the weights for either. The 7-bit path is AVX2's alone. Remainders that no vector fills, and
//! tables, are left to the portable kernels.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

mod depthwise;
pub(super) mod elementwise;
mod gemm;
pub(super) mod vectors;

use super::features::Sse41;
use crate::arithmetic::{AddRule, MultiplyRule, Window};
use crate::kernels::taps::MAX_TAPS;
use crate::kernels::{DepthwiseWeights, Kernels, Matrix, check_one, check_planes, check_rows, check_two, portable};
use depthwise::Depthwise;
use elementwise::{add, interleave, multiply, quantize, sum_rows};
use gemm::Gemm;

impl Kernels for Sse41 {
    fn name(&self) -> &'static str {
        "sse41"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn crate::kernels::Gemm> {
        Box::new(Gemm::new(*self, matrix, None))
    }

    fn indirect_gemm(&self, matrix: &Matrix<'_>, offsets: &[u32]) -> Option<Box<dyn crate::kernels::Gemm>> {
        Some(Box::new(Gemm::new(*self, matrix, Some(offsets))))
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn crate::kernels::Depthwise> {
        if weights.taps > MAX_TAPS {
            return Box::new(portable::Depthwise::new(weights, window));
        }
        Box::new(Depthwise::new(*self, weights, window))
    }

    fn quantize(&self, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
        check_one(from, to);
        // SAFETY: `quantize` needs SSE4.1, which the processor has, as this `Sse41` exists.
        unsafe { quantize(from, scale, zero_point, to) };
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        // SAFETY: `add` needs SSE4.1, which the processor has, as this `Sse41` exists.
        let done = unsafe { add(rule, a, b, to) };
        portable::add(rule, &a[done..], &b[done..], &mut to[done..]);
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        // SAFETY: `multiply` needs SSE4.1, which the processor has, as this `Sse41` exists.
        let done = unsafe { multiply(rule, a, b, to) };
        portable::multiply(rule, &a[done..], &b[done..], &mut to[done..]);
    }

    fn sum_rows(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        check_rows(from.len(), stride, count, sums.len());
        // SAFETY: `sum_rows` needs SSE4.1, which the processor has, as this `Sse41` exists. It needs `count` rows of
        // `sums.len()` bytes, `stride` apart, within `from`, which `check_rows` verified.
        unsafe { sum_rows(from, stride, count, sums) };
    }

    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        check_planes(planes, to);
        // SAFETY: `interleave` needs SSE4.1, which the processor has, as this `Sse41` exists.
        unsafe { interleave(planes, to) };
    }
}
