//! Vectors of SSE4.1: requantization, loads, stores, and vectors from arrays. The kernels for AVX2 use them too.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::mem::transmute;

use crate::kernels::x86_64::requantize::Requantize;

/// Rounds to 32-bit integers, to the nearest, ties to even. Values beyond 16 bits need not be exact, as
/// [`Packing::words`] saturates them: those above 65,536 become 65,536, as the conversion would overflow, and those
/// below 32 bits become the minimum of 32 bits.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn rounded(values: __m128) -> __m128i {
    _mm_cvtps_epi32(_mm_min_ps(values, _mm_set1_ps(65_536.0)))
}

/// The parameters of [`Requantize`], in all lanes of registers.
#[derive(Clone, Copy)]
pub(super) struct Packing {
    /// In lanes of 16 bits. The others are in lanes of 8 bits.
    zero_point: __m128i,
    min: __m128i,
    max: __m128i,
}

impl Packing {
    #[inline]
    #[target_feature(enable = "sse4.1")]
    pub(super) fn of(requantize: Requantize) -> Packing {
        Packing {
            zero_point: _mm_set1_epi16(i16::from(requantize.zero_point)),
            min: _mm_set1_epi8(requantize.min as i8),
            max: _mm_set1_epi8(requantize.max as i8),
        }
    }

    /// Requantizes sixteen rounded numbers to bytes, in order.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    pub(super) fn pack(self, [a, b, c, d]: [__m128i; 4]) -> __m128i {
        let words = |a, b| _mm_adds_epi16(_mm_packs_epi32(a, b), self.zero_point);
        let bytes = _mm_packus_epi16(words(a, b), words(c, d));
        _mm_min_epu8(_mm_max_epu8(bytes, self.min), self.max)
    }
}

/// Loads 16 bytes.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(in crate::kernels::x86_64) fn load_16(from: &[u8; 16]) -> __m128i {
    // SAFETY: the load reads 16 bytes, of any alignment: the array's.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

/// Stores 16 bytes.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(in crate::kernels::x86_64) fn store_16(bytes: __m128i, to: &mut [u8; 16]) {
    // SAFETY: the store writes 16 bytes, of any alignment: the array's.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), bytes) }
}

/// Writes the first `count` bytes, at most 16.
///
/// # Safety
/// The processor must have SSE4.1. `count` must be at most 16, and `count` bytes from `to` on must be writable; no
/// others are touched.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(in crate::kernels::x86_64) unsafe fn store(bytes: __m128i, to: *mut u8, count: usize) {
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

pub(super) fn bytes(values: [i8; 16]) -> __m128i {
    // SAFETY: both types have 16 bytes, and a vector may have any bits.
    unsafe { transmute::<[i8; 16], __m128i>(values) }
}

pub(super) fn words(values: [i16; 8]) -> __m128i {
    // SAFETY: both types have 16 bytes, and a vector may have any bits.
    unsafe { transmute::<[i16; 8], __m128i>(values) }
}

pub(super) fn integers(values: [i32; 4]) -> __m128i {
    // SAFETY: both types have 16 bytes, and a vector may have any bits.
    unsafe { transmute::<[i32; 4], __m128i>(values) }
}

pub(super) fn floats(values: [f32; 4]) -> __m128 {
    // SAFETY: both types have 16 bytes, and a vector may have any bits.
    unsafe { transmute::<[f32; 4], __m128>(values) }
}
