//! Vectors of AVX2: requantization, loads, stores, and vectors from arrays. Those of 16 bytes are SSE4.1's.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::mem::transmute;

use crate::kernels::x86_64::requantize::Requantize;

/// Rounds to 32-bit integers, to the nearest, ties to even. Values beyond 16 bits need not be exact, as [`pack`]
/// saturates them: those above 65,536 become 65,536, as the conversion would overflow, and those below 32 bits become
/// the minimum of 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn rounded(values: __m256) -> __m256i {
    _mm256_cvtps_epi32(_mm256_min_ps(values, _mm256_set1_ps(65_536.0)))
}

/// Requantizes eight rounded numbers of each of four rows to bytes. The first vector has rows 0 and 1, the second rows
/// 2 and 3.
#[inline]
#[target_feature(enable = "avx2")]
pub(in crate::kernels::x86_64) fn pack(rows: [__m256i; 4], requantize: Requantize) -> [__m128i; 2] {
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

/// Loads 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_32(from: &[u8; 32]) -> __m256i {
    // SAFETY: the load reads 32 bytes, of any alignment: the array's.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

/// Stores 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_32(bytes: __m256i, to: &mut [u8; 32]) {
    // SAFETY: the store writes 32 bytes, of any alignment: the array's.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes) }
}

pub(in crate::kernels::x86_64) fn vector(weights: [i8; 32]) -> __m256i {
    // SAFETY: both types have 32 bytes, and a vector may have any bits.
    unsafe { transmute::<[i8; 32], __m256i>(weights) }
}

pub(in crate::kernels::x86_64) fn integers(values: [i32; 8]) -> __m256i {
    // SAFETY: both types have 32 bytes, and a vector may have any bits.
    unsafe { transmute::<[i32; 8], __m256i>(values) }
}

pub(in crate::kernels::x86_64) fn floats(values: [f32; 8]) -> __m256 {
    // SAFETY: both types have 32 bytes, and a vector may have any bits.
    unsafe { transmute::<[f32; 8], __m256>(values) }
}
