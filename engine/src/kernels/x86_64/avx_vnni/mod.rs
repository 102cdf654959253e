//! Kernels for VNNI on 256 bits: `vpdpbusd` in registers of AVX2. Processors without AVX-512 have it as AVX-VNNI, with
//! the prefix VEX, those with AVX-512 with the prefix EVEX. It is the same instruction. The kernel is generic over the
//! [`Encoding`], so that a processor of either kind tests it.
//!
//! Only GEMM is this set's own. All else, weights beyond 8 bits, and scales with which a result could exceed 32 bits are
//! left to the kernels for AVX2.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

mod gemm;

use std::sync::OnceLock;

use super::features::{Avx2, Encoding, Evex, Vex};
use crate::arithmetic::{AddRule, MultiplyRule, Window};
use crate::kernels::{Depthwise, DepthwiseWeights, Gemm, Kernels, Matrix};

/// The set of kernels, with proofs of the instruction sets that it needs.
#[derive(Debug)]
struct AvxVnni<E> {
    encoding: E,
    avx2: Avx2,
}

/// The set for this processor, in the encoding that it has; VEX where it has both.
pub(super) fn set() -> Option<&'static dyn Kernels> {
    static VEX: OnceLock<Option<AvxVnni<Vex>>> = OnceLock::new();
    static EVEX: OnceLock<Option<AvxVnni<Evex>>> = OnceLock::new();
    let vex = VEX.get_or_init(|| AvxVnni::new(Vex::detect()?)).as_ref().map(|set| set as &dyn Kernels);
    vex.or_else(|| EVEX.get_or_init(|| AvxVnni::new(Evex::detect()?)).as_ref().map(|set| set as &dyn Kernels))
}

impl<E> AvxVnni<E> {
    fn new(encoding: E) -> Option<AvxVnni<E>> {
        Some(AvxVnni { encoding, avx2: Avx2::detect()? })
    }
}

impl<E: Encoding> Kernels for AvxVnni<E> {
    fn name(&self) -> &'static str {
        "avxvnni"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn Gemm> {
        match gemm::Gemm::new(self.encoding, self.avx2, matrix, None) {
            Some(gemm) => Box::new(gemm),
            None => self.avx2.gemm(matrix),
        }
    }

    fn indirect_gemm(&self, matrix: &Matrix<'_>, offsets: &[u32]) -> Option<Box<dyn Gemm>> {
        match gemm::Gemm::new(self.encoding, self.avx2, matrix, Some(offsets)) {
            Some(gemm) => Some(Box::new(gemm)),
            None => self.avx2.indirect_gemm(matrix, offsets),
        }
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn Depthwise> {
        self.avx2.depthwise(weights, window)
    }

    fn quantize(&self, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
        self.avx2.quantize(from, scale, zero_point, to);
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        self.avx2.add(rule, a, b, to);
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        self.avx2.multiply(rule, a, b, to);
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        self.avx2.lookup_in_place(table, bytes);
    }

    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        self.avx2.interleave(planes, to);
    }

    fn sum_rows(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        self.avx2.sum_rows(from, stride, count, sums);
    }
}
