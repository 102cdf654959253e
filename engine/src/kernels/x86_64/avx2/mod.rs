//! Kernels for AVX2 with FMA. Products of bytes, `vpmaddubsw`, saturate at 16 bits; `pairs.rs` and `seven_bit.rs` each
//! have a way to avoid that. Remainders that no vector fills are left to the portable kernels.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

mod depthwise;
mod elementwise;
mod gemm;
mod pairs;
mod seven_bit;
mod tile;

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::mem::transmute;

use super::features::Avx2;
use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::kernels::{DepthwiseWeights, Kernels, Matrix, check_one, check_planes, check_rows, check_two, portable};
use depthwise::{Depthwise, MAX_TAPS};
use elementwise::{add, interleave, lookup, multiply, quantize, sum_rows};
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
        let (whole, tail) = to.as_chunks_mut::<48>();
        let done = whole.len() * 16;
        // SAFETY: `interleave` needs AVX2, which the processor has, as this `Avx2` exists.
        unsafe { interleave(planes, whole) };
        portable::interleave(planes.map(|plane| &plane[done..]), tail);
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        let (whole, tail) = bytes.as_chunks_mut::<32>();
        // SAFETY: `lookup` needs AVX2, which the processor has, as this `Avx2` exists.
        unsafe { lookup(table, whole) };
        portable::lookup_in_place(table, tail);
    }
}

/// The parameters of requantization: the zero point of the output, and the limits that its bytes are clamped to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requantize {
    pub(super) zero_point: u8,
    pub(super) min: u8,
    pub(super) max: u8,
}

impl Requantize {
    /// The parameters of an output stage. Those for [`OutputStage::Float`] are not used.
    pub(super) fn of(output_stage: &OutputStage) -> Requantize {
        match *output_stage {
            OutputStage::Byte { zero_point, min, max, .. } => Requantize { zero_point, min, max },
            OutputStage::Float => Requantize { zero_point: 0, min: 0, max: 255 },
        }
    }
}

/// Rounds to 32-bit integers, to the nearest, ties to even. Values beyond 16 bits need not be exact, as [`pack`]
/// saturates them: those above 65,536 become 65,536, as the conversion would overflow, and those below 32 bits become
/// the minimum of 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded(values: __m256) -> __m256i {
    _mm256_cvtps_epi32(_mm256_min_ps(values, _mm256_set1_ps(65_536.0)))
}

/// Requantizes eight rounded numbers of each of four rows to bytes. The first vector has rows 0 and 1, the second rows
/// 2 and 3.
#[inline]
#[target_feature(enable = "avx2")]
fn pack(rows: [__m256i; 4], requantize: Requantize) -> [__m128i; 2] {
    let zero_point = _mm256_set1_epi16(i16::from(requantize.zero_point));
    let words = |a, b| _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
    // Both pack instructions work within halves of 128 bits, so that each half of the result has half of every row.
    let packed = _mm256_packus_epi16(words(rows[0], rows[1]), words(rows[2], rows[3]));
    let in_order = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    let clamped = _mm256_min_epu8(
        _mm256_max_epu8(in_order, _mm256_set1_epi8(requantize.min as i8)),
        _mm256_set1_epi8(requantize.max as i8),
    );
    [_mm256_castsi256_si128(clamped), _mm256_extracti128_si256::<1>(clamped)]
}

/// Loads 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn load_16(from: &[u8; 16]) -> __m128i {
    // SAFETY: the load reads 16 bytes, of any alignment: the array's.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

/// Loads 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn load_32(from: &[u8; 32]) -> __m256i {
    // SAFETY: the load reads 32 bytes, of any alignment: the array's.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_16(bytes: __m128i, to: &mut [u8; 16]) {
    // SAFETY: the store writes 16 bytes, of any alignment: the array's.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), bytes) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_32(bytes: __m256i, to: &mut [u8; 32]) {
    // SAFETY: the store writes 32 bytes, of any alignment: the array's.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes) }
}

/// Writes the first `count` bytes, at most 16.
///
/// # Safety
/// The processor must have AVX2. `count` must be at most 16, and `count` bytes from `to` on must be writable; no others
/// are touched.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store(bytes: __m128i, to: *mut u8, count: usize) {
    match count {
        // SAFETY: sixteen bytes from `to` on are writable, as `count` is 16.
        16 => unsafe { _mm_storeu_si128(to.cast(), bytes) },
        // SAFETY: eight bytes from `to` on are writable, as `count` is 8.
        8 => unsafe { _mm_storel_epi64(to.cast(), bytes) },
        _ => {
            let mut all = [0; 16];
            store_16(bytes, &mut all);
            // SAFETY: `count` is at most 16, the length of the array. `count` bytes from `to` on are writable, and they
            // do not overlap the array, which is local to this function.
            unsafe { to.copy_from_nonoverlapping(all.as_ptr(), count) }
        }
    }
}

fn vector(weights: pairs::Weights) -> __m256i {
    // SAFETY: both types have 32 bytes, and a vector may have any bits.
    unsafe { transmute::<pairs::Weights, __m256i>(weights) }
}

fn integers(values: [i32; 8]) -> __m256i {
    // SAFETY: both types have 32 bytes, and a vector may have any bits.
    unsafe { transmute::<[i32; 8], __m256i>(values) }
}

fn floats(values: [f32; 8]) -> __m256 {
    // SAFETY: both types have 32 bytes, and a vector may have any bits.
    unsafe { transmute::<[f32; 8], __m256>(values) }
}
