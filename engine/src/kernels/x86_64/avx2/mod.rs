//! Kernels for AVX2 with FMA. Products of bytes, `vpmaddubsw`, saturate at 16 bits; `pairs.rs` and `seven_bit.rs` each
//! have a way to avoid that. Remainders that no vector fills are left to the portable kernels.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

mod depthwise;
mod elementwise;
mod gemm;
mod seven_bit;
mod tile;
pub(super) mod vectors;

use super::features::Avx2;
use super::sse41::elementwise::interleave;
use crate::arithmetic::{AddRule, MultiplyRule, Window};
use crate::kernels::taps::MAX_TAPS;
use crate::kernels::{DepthwiseWeights, Kernels, Matrix, check_one, check_planes, check_rows, check_two, portable};
use depthwise::Depthwise;
use elementwise::{add, lookup, multiply, quantize, sum_rows};
use gemm::Gemm;

impl Kernels for Avx2 {
    fn name(&self) -> &'static str {
        "avx2"
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
        let ((floats, from), (bytes, to)) = (from.as_chunks(), to.as_chunks_mut());
        // SAFETY: `quantize` needs AVX2, which the processor has, as this `Avx2` exists.
        unsafe { quantize(floats, scale, zero_point, bytes) };
        portable::quantize(from, scale, zero_point, to);
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        // SAFETY: `add` needs AVX2 and FMA, which the processor has, as this `Avx2` exists.
        let done = unsafe { add(rule, a, b, to) };
        if done < to.len() {
            portable::add(rule, &a[done..], &b[done..], &mut to[done..]);
        }
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        // SAFETY: `multiply` needs AVX2, which the processor has, as this `Avx2` exists.
        let done = unsafe { multiply(rule, a, b, to) };
        if done < to.len() {
            portable::multiply(rule, &a[done..], &b[done..], &mut to[done..]);
        }
    }

    fn sum_rows(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        check_rows(from.len(), stride, count, sums.len());
        // SAFETY: `sum_rows` needs AVX2, which the processor has, as this `Avx2` exists. It needs `count` rows of
        // `sums.len()` bytes, `stride` apart, within `from`, which `check_rows` verified.
        unsafe { sum_rows(from, stride, count, sums) };
    }

    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        check_planes(planes, to);
        // SAFETY: `interleave` needs SSE4.1, which the processor has, as this `Avx2` exists.
        unsafe { interleave(planes, to) };
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        let (whole, tail) = bytes.as_chunks_mut::<32>();
        // SAFETY: `lookup` needs AVX2, which the processor has, as this `Avx2` exists.
        unsafe { lookup(table, whole) };
        portable::lookup_in_place(table, tail);
    }
}
