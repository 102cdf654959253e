//! AVX2, whose products of bytes saturate: `pairs.rs` and `narrow.rs` each have a way to keep them from it.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

mod depthwise;
mod elementwise;
mod gemm;
mod narrow;
mod pairs;

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::mem::transmute;

use crate::kernels::{Filters, Kernels, Matrix, portable};
use crate::program::{AddRule, MultiplyRule, Rounding};
use depthwise::{Depthwise, MOST_TAPS};
use elementwise::{add, interleave, lookup, multiply, quantize, sum};
use gemm::Gemm;

/// Exists only where the processor has AVX2 and FMA.
#[derive(Debug)]
pub(super) struct Avx2(());

static AVX2: Avx2 = Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<&'static Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&AVX2)
    }
}

impl Kernels for Avx2 {
    fn name(&self) -> &'static str {
        "avx2"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn crate::kernels::Gemm> {
        Box::new(Gemm::new(matrix, None))
    }

    fn gemm_at(&self, matrix: &Matrix<'_>, places: &[u32]) -> Option<Box<dyn crate::kernels::Gemm>> {
        Some(Box::new(Gemm::new(matrix, Some(places))))
    }

    fn depthwise(&self, filters: &Filters<'_>) -> Box<dyn crate::kernels::Depthwise> {
        if filters.taps > MOST_TAPS {
            return Box::new(portable::Depthwise::new(filters));
        }
        Box::new(Depthwise::new(filters))
    }

    fn quantize(&self, from: &[f32], scale: f32, zero: u8, to: &mut [u8]) {
        let (whole, _) = to.as_chunks_mut::<8>();
        let done = whole.len() * 8;
        // SAFETY: the processor has AVX2, or there would be no `Avx2`.
        unsafe { quantize(from, scale, zero, whole) };
        portable::quantize(&from[done..], scale, zero, &mut to[done..]);
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        assert!(a.len() >= to.len() && b.len() >= to.len());
        let done = to.len() / 16 * 16;
        // SAFETY: as above; lengths go together.
        unsafe { add(rule, a, b, to) };
        portable::add(rule, &a[done..], &b[done..], &mut to[done..]);
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        assert!(a.len() >= to.len() && b.len() >= to.len());
        let done = to.len() / 16 * 16;
        // SAFETY: as above.
        unsafe { multiply(rule, a, b, to) };
        portable::multiply(rule, &a[done..], &b[done..], &mut to[done..]);
    }

    fn sum(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        assert!(count == 0 || (count - 1) * stride + sums.len() <= from.len());
        // SAFETY: the processor has AVX2; the rows are as long as the sums.
        unsafe { sum(from, stride, count, sums) };
    }

    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        let (whole, rest) = to.as_chunks_mut::<48>();
        let done = whole.len() * 16;
        // SAFETY: as above; three planes of sixteen bytes make 48.
        unsafe { interleave(planes, whole) };
        portable::interleave(planes.map(|plane| &plane[done..]), rest);
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        let (whole, rest) = bytes.as_chunks_mut::<32>();
        // SAFETY: as above.
        unsafe { lookup(table, whole) };
        portable::lookup_in_place(table, rest);
    }
}

/// How 32-bit sums become bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes {
    pub(super) zero: u8,
    pub(super) least: u8,
    pub(super) most: u8,
}

impl Bytes {
    pub(super) fn of(rounding: &Rounding) -> Bytes {
        match *rounding {
            Rounding::Byte { zero, least, most, .. } => Bytes { zero, least, most },
            Rounding::Float => Bytes { zero: 0, least: 0, most: 255 },
        }
    }
}

/// Rounded to the nearest, ties to even. What is beyond 16 bits saturates there: `min` keeps it within 32 bits above, and
/// what falls below 32 bits becomes the least 32-bit number.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded(values: __m256) -> __m256i {
    _mm256_cvtps_epi32(_mm256_min_ps(values, _mm256_set1_ps(65_536.0)))
}

/// Eight rounded numbers of each of four rows to bytes: two rows in each half.
#[inline]
#[target_feature(enable = "avx2")]
fn pack(rows: [__m256i; 4], bytes: Bytes) -> [__m128i; 2] {
    let zero = _mm256_set1_epi16(i16::from(bytes.zero));
    let words = |a, b| _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero);
    // Both pack instructions work in halves of 128 bits, which leaves half a row of each row in either.
    let packed = _mm256_packus_epi16(words(rows[0], rows[1]), words(rows[2], rows[3]));
    let in_order = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    let clamped = _mm256_min_epu8(
        _mm256_max_epu8(in_order, _mm256_set1_epi8(bytes.least as i8)),
        _mm256_set1_epi8(bytes.most as i8),
    );
    [_mm256_castsi256_si128(clamped), _mm256_extracti128_si256::<1>(clamped)]
}

/// Writes the first `count` bytes, 1 to 16.
///
/// # Safety
/// `to` must be writable for as many.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store(bytes: __m128i, to: *mut u8, count: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        match count {
            16 => _mm_storeu_si128(to.cast(), bytes),
            8 => _mm_storel_epi64(to.cast(), bytes),
            _ => {
                let all = transmute::<__m128i, [u8; 16]>(bytes);
                to.copy_from_nonoverlapping(all.as_ptr(), count);
            }
        }
    }
}

fn vector(weights: pairs::Weights) -> __m256i {
    // SAFETY: 32 bytes of any content are a vector.
    unsafe { transmute::<pairs::Weights, __m256i>(weights) }
}

fn integers(values: [i32; 8]) -> __m256i {
    // SAFETY: as above.
    unsafe { transmute::<[i32; 8], __m256i>(values) }
}

fn floats(values: [f32; 8]) -> __m256 {
    // SAFETY: as above.
    unsafe { transmute::<[f32; 8], __m256>(values) }
}
