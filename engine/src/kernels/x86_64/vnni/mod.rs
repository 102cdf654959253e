//! Kernels for AVX-512 with VNNI. `vpdpbusd` multiplies four unsigned bytes with four signed ones and adds the products
//! to a 32-bit sum, exactly, in each of sixteen lanes.
//!
//! Weights beyond 8 bits, which the instruction cannot multiply, and scales with which a result could exceed 32 bits
//! are left to the kernels for AVX2, which every such processor has.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

mod depthwise;
mod gemm;

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;

use super::features::{Avx2, Avx512Vbmi, Avx512Vnni};
use super::fits;
use super::requantize::Requantize;
use crate::arithmetic::{AddRule, MultiplyRule, Window};
use crate::kernels::{DepthwiseWeights, Kernels, Matrix, check_one, check_two};

/// The set of kernels, with proofs of the instruction sets that it needs. VBMI is optional.
#[derive(Debug)]
pub(super) struct Vnni {
    avx512: Avx512Vnni,
    vbmi: Option<Avx512Vbmi>,
    avx2: Avx2,
}

impl Vnni {
    pub(super) fn detect() -> Option<Vnni> {
        Some(Vnni { avx512: Avx512Vnni::detect()?, vbmi: Avx512Vbmi::detect(), avx2: Avx2::detect()? })
    }
}

impl Kernels for Vnni {
    fn name(&self) -> &'static str {
        "avx512vnni"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn crate::kernels::Gemm> {
        match gemm::Gemm::new(self.avx512, matrix, None) {
            Some(gemm) => Box::new(gemm),
            None => self.avx2.gemm(matrix),
        }
    }

    fn indirect_gemm(&self, matrix: &Matrix<'_>, offsets: &[u32]) -> Option<Box<dyn crate::kernels::Gemm>> {
        match gemm::Gemm::new(self.avx512, matrix, Some(offsets)) {
            Some(gemm) => Some(Box::new(gemm)),
            None => self.avx2.indirect_gemm(matrix, offsets),
        }
    }

    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn crate::kernels::Depthwise> {
        match depthwise::Depthwise::new(self.avx512, weights, window) {
            Some(depthwise) => Box::new(depthwise),
            None => self.avx2.depthwise(weights, window),
        }
    }

    fn quantize(&self, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
        check_one(from, to);
        // SAFETY: `quantize` needs AVX-512 F and BW, which the processor has, as `avx512` exists, and one float for
        // each byte of `to`, which `check_one` verified.
        unsafe { quantize(from, scale, zero_point, to) }
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        // SAFETY: `add` needs AVX-512 F and BW, which the processor has, as `avx512` exists, and `a` and `b` as long as
        // `to`, which `check_two` verified.
        unsafe { add(rule, a, b, to) }
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        check_two(a, b, to);
        // SAFETY: `multiply` needs AVX-512 F and BW, which the processor has, as `avx512` exists, and `a` and `b` as
        // long as `to`, which `check_two` verified.
        unsafe { multiply(rule, a, b, to) }
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        if self.vbmi.is_some() {
            // SAFETY: `lookup` needs AVX-512 F and BW, which the processor has, as `avx512` exists, and VBMI, as there
            // is a `vbmi`.
            unsafe { lookup(table, bytes) }
        } else {
            self.avx2.lookup_in_place(table, bytes);
        }
    }

    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        self.avx2.interleave(planes, to);
    }

    fn sum_rows(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        self.avx2.sum_rows(from, stride, count, sums);
    }
}

/// The parameters of [`Requantize`], in all lanes of registers.
#[derive(Clone, Copy)]
struct Packing {
    /// In lanes of 16 bits. The others are in lanes of 8 bits.
    zero_point: __m512i,
    min: __m512i,
    max: __m512i,
}

impl Packing {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn of(requantize: Requantize) -> Packing {
        Packing {
            zero_point: _mm512_set1_epi16(i16::from(requantize.zero_point)),
            min: _mm512_set1_epi8(requantize.min as i8),
            max: _mm512_set1_epi8(requantize.max as i8),
        }
    }

    /// Requantizes sixteen rounded numbers of each of four vectors to bytes. Each lane of 128 bits has the four numbers
    /// of that lane of the first vector, then those of the second, the third and the fourth.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn pack(self, vectors: [__m512i; 4]) -> __m512i {
        let words = |a, b| _mm512_adds_epi16(_mm512_packs_epi32(a, b), self.zero_point);
        let bytes = _mm512_packus_epi16(words(vectors[0], vectors[1]), words(vectors[2], vectors[3]));
        _mm512_min_epu8(_mm512_max_epu8(bytes, self.min), self.max)
    }
}

/// A mask of the first `count` of 64 elements, or of all of them where `count` is more.
fn first(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// Quantizes floats, as [`Kernels::quantize`] does.
///
/// # Safety
/// The processor must have AVX-512 F and BW. `from` must be at least as long as `to`: `to.len()` floats are read.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn quantize(from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
    let (scale, offset) = (_mm512_set1_ps(scale), f32::from(zero_point));
    let (min, max) = (_mm512_set1_ps(-offset), _mm512_set1_ps(255.0 - offset));
    let zero_point = _mm512_set1_epi32(i32::from(zero_point));
    for at in (0..to.len()).step_by(16) {
        let mask = first((to.len() - at).min(16)) as u16;
        // SAFETY: the mask has a bit for each of the elements of `to` from `at` on, at most sixteen. `from` has them
        // too. No other float is read, and no other byte written. Neither needs to be aligned.
        unsafe {
            let value = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, from.as_ptr().add(at)), scale);
            // NaN becomes the minimum, as `max` gives its second operand then.
            let clamped = _mm512_min_ps(_mm512_max_ps(value, min), max);
            let bytes = _mm512_add_epi32(_mm512_cvtps_epi32(clamped), zero_point);
            _mm512_mask_cvtepi32_storeu_epi8(to.as_mut_ptr().add(at).cast(), mask, bytes);
        }
    }
}

/// Applies `operation` to elements of `a` and of `b`, sixteen at a time as 32-bit numbers, and requantizes the results,
/// 64 at a time.
///
/// # Safety
/// The processor must have AVX-512 F and BW. `a` and `b` must be at least as long as `to`: `to.len()` bytes of each are
/// read.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn combine(
    a: &[u8],
    b: &[u8],
    to: &mut [u8],
    requantize: Requantize,
    operation: impl Fn(__m512i, __m512i) -> __m512,
) {
    let packing = Packing::of(requantize);
    let zero = _mm512_setzero_si512();
    // Results above 65,536 become 65,536, as the conversion would overflow. 16 bits saturate in either case.
    let rounded = |value| _mm512_cvtps_epi32(_mm512_min_ps(value, _mm512_set1_ps(65_536.0)));
    for at in (0..to.len()).step_by(64) {
        let mask = first(to.len() - at);
        // SAFETY: the mask has a bit for each of the bytes of `to` from `at` on, at most 64. `a` and `b` have them too.
        // No others are read.
        let [a, b] = [a, b].map(|bytes| unsafe { _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().add(at).cast()) });
        // The pack instructions restore the order of bytes that the unpack instructions change.
        let quarters = |bytes| {
            let (low, high) = (_mm512_unpacklo_epi8(bytes, zero), _mm512_unpackhi_epi8(bytes, zero));
            [
                _mm512_unpacklo_epi16(low, zero),
                _mm512_unpackhi_epi16(low, zero),
                _mm512_unpacklo_epi16(high, zero),
                _mm512_unpackhi_epi16(high, zero),
            ]
        };
        let (a, b) = (quarters(a), quarters(b));
        let packed = packing.pack(from_fn(|quarter| rounded(operation(a[quarter], b[quarter]))));
        // SAFETY: the mask has a bit for each of the bytes of `to` from `at` on, at most 64. No others are written.
        unsafe { _mm512_mask_storeu_epi8(to.as_mut_ptr().add(at).cast(), mask, packed) };
    }
}

/// Adds bytes, as [`Kernels::add`] does.
///
/// # Safety
/// The processor must have AVX-512 F and BW. `a` and `b` must be at least as long as `to`: `to.len()` bytes of each are
/// read.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let [a_offset, b_offset] = rule.input_offsets.map(|offset| _mm512_set1_epi32(i32::from(offset)));
    let [a_ratio, b_ratio] = rule.scale_ratios.map(|ratio| _mm512_set1_ps(ratio));
    let addend = _mm512_set1_ps(rule.addend);
    let requantize = Requantize { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    let operation = |a: __m512i, b: __m512i| {
        let [a, b] = [_mm512_sub_epi32(a, a_offset), _mm512_sub_epi32(b, b_offset)].map(|x| _mm512_cvtepi32_ps(x));
        _mm512_fmadd_ps(a, a_ratio, _mm512_fmadd_ps(b, b_ratio, addend))
    };
    // SAFETY: `a` and `b` are at least as long as `to`.
    unsafe { combine(a, b, to, requantize, operation) };
}

/// Multiplies bytes, as [`Kernels::multiply`] does.
///
/// # Safety
/// The processor must have AVX-512 F and BW. `a` and `b` must be at least as long as `to`: `to.len()` bytes of each are
/// read.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let [a_zero, b_zero] = rule.zero_points.map(|zero_point| _mm512_set1_epi32(i32::from(zero_point)));
    let [multiplier, addend] = [rule.multiplier, rule.addend].map(|number| _mm512_set1_ps(number));
    let requantize = Requantize { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    let operation = |a: __m512i, b: __m512i| {
        // Both differences fit 16 bits, and the upper half of one is cleared, so that only the lower halves have a
        // product.
        let product = _mm512_madd_epi16(
            _mm512_and_si512(_mm512_sub_epi32(a, a_zero), _mm512_set1_epi32(0xffff)),
            _mm512_sub_epi32(b, b_zero),
        );
        _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(product), multiplier), addend)
    };
    // SAFETY: `a` and `b` are at least as long as `to`.
    unsafe { combine(a, b, to, requantize, operation) };
}

/// Replaces each byte by the table's entry for it. The table is in four registers. One permutation looks up the lower
/// seven bits of a byte in two of them, and the highest bit chooses between the two results.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn lookup(table: &[u8; 256], bytes: &mut [u8]) {
    let table = table.as_chunks::<64>().0;
    // SAFETY: the load reads 64 bytes, of any alignment: the array's.
    let parts: [__m512i; 4] = from_fn(|part| unsafe { _mm512_loadu_si512(table[part].as_ptr().cast()) });
    for at in (0..bytes.len()).step_by(64) {
        let mask = first(bytes.len() - at);
        // SAFETY: the mask has a bit for each byte from `at` on, at most 64. No others are read or written.
        unsafe {
            let start = bytes.as_mut_ptr().add(at).cast::<i8>();
            let index = _mm512_maskz_loadu_epi8(mask, start);
            let low = _mm512_permutex2var_epi8(parts[0], index, parts[1]);
            let high = _mm512_permutex2var_epi8(parts[2], index, parts[3]);
            let found = _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
            _mm512_mask_storeu_epi8(start, mask, found);
        }
    }
}
