//! Elementwise kernels: quantization of floats, sums and products of bytes, sums of rows, and the interleaving of
//! planes.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::mem::transmute;

use super::vectors::{Packing, load_16, rounded, store_16};
use crate::arithmetic::{AddRule, MultiplyRule};
use crate::kernels::portable;
use crate::kernels::x86_64::requantize::Requantize;

/// Quantizes floats, as [`Kernels::quantize`](crate::kernels::Kernels::quantize) does. Both slices must have the same
/// length.
#[target_feature(enable = "sse4.1")]
pub(super) fn quantize(from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
    let ((floats, from_tail), (whole, tail)) = (from.as_chunks::<16>(), to.as_chunks_mut::<16>());
    let packing = Packing::of(Requantize { zero_point, min: 0, max: 255 });
    let (divisor, min) = (_mm_set1_ps(scale), _mm_set1_ps(-256.0));
    for (to, from) in whole.iter_mut().zip(floats) {
        let fours = from.as_chunks::<4>().0;
        // NaN becomes -256, which is byte 0 with any zero point: `max` gives its second operand then.
        // SAFETY: the load reads four floats, of any alignment: the array's.
        let four = |at: usize| unsafe { _mm_max_ps(_mm_div_ps(_mm_loadu_ps(fours[at].as_ptr()), divisor), min) };
        store_16(packing.pack([rounded(four(0)), rounded(four(1)), rounded(four(2)), rounded(four(3))]), to);
    }
    portable::quantize(from_tail, scale, zero_point, tail);
}

/// Applies `operation` to four elements of `a` and of `b` at a time, which gives results rounded to 32 bits, and
/// requantizes them to bytes, sixteen at a time. Gives the number of bytes written.
#[inline]
#[target_feature(enable = "sse4.1")]
fn combine(
    a: &[u8],
    b: &[u8],
    to: &mut [u8],
    requantize: Requantize,
    operation: impl Fn(__m128i, __m128i) -> __m128i,
) -> usize {
    let packing = Packing::of(requantize);
    let (whole, _) = to.as_chunks_mut::<16>();
    for ((to, a), b) in whole.iter_mut().zip(a.as_chunks::<16>().0).zip(b.as_chunks::<16>().0) {
        let widened = |from: &[u8; 16], at: usize| {
            _mm_cvtepu8_epi32(_mm_cvtsi32_si128(i32::from_le_bytes(from.as_chunks::<4>().0[at])))
        };
        let four = |at: usize| operation(widened(a, at), widened(b, at));
        store_16(packing.pack([four(0), four(1), four(2), four(3)]), to);
    }
    whole.len() * 16
}

/// `fma(number, ratio, addend)` of four numbers, each rounded once to a float: as
/// [`fused`](crate::kernels::fused) does it, in doubles.
#[inline]
#[target_feature(enable = "sse4.1")]
fn fused(numbers: __m128i, ratio: __m128d, addends: [__m128d; 2]) -> __m128 {
    let [low, high] =
        [numbers, _mm_unpackhi_epi64(numbers, numbers)].map(|two| _mm_mul_pd(_mm_cvtepi32_pd(two), ratio));
    _mm_movelh_ps(_mm_cvtpd_ps(_mm_add_pd(low, addends[0])), _mm_cvtpd_ps(_mm_add_pd(high, addends[1])))
}

/// Adds bytes as [`Kernels::add`](crate::kernels::Kernels::add) does, all but a tail of fewer than 16. Gives the number
/// of bytes written.
#[target_feature(enable = "sse4.1")]
pub(super) fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) -> usize {
    let [a_offset, b_offset] = rule.input_offsets.map(|offset| _mm_set1_epi32(i32::from(offset)));
    let [a_ratio, b_ratio] = rule.scale_ratios.map(|ratio| _mm_set1_pd(f64::from(ratio)));
    let addend = _mm_set1_pd(f64::from(rule.addend));
    let requantize = Requantize { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    combine(a, b, to, requantize, |a, b| {
        let with_b = fused(_mm_sub_epi32(b, b_offset), b_ratio, [addend; 2]);
        let with_b = [_mm_cvtps_pd(with_b), _mm_cvtps_pd(_mm_movehl_ps(with_b, with_b))];
        rounded(fused(_mm_sub_epi32(a, a_offset), a_ratio, with_b))
    })
}

/// Multiplies bytes as [`Kernels::multiply`](crate::kernels::Kernels::multiply) does, all but a tail of fewer than 16.
/// Gives the number of bytes written.
#[target_feature(enable = "sse4.1")]
pub(super) fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) -> usize {
    let [a_zero, b_zero] = rule.zero_points.map(|zero_point| _mm_set1_epi32(i32::from(zero_point)));
    let [multiplier, addend] = [rule.multiplier, rule.addend].map(|number| _mm_set1_ps(number));
    let requantize = Requantize { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    combine(a, b, to, requantize, |a, b| {
        // At most 255² in magnitude, which is exact as a float.
        let product = _mm_mullo_epi32(_mm_sub_epi32(a, a_zero), _mm_sub_epi32(b, b_zero));
        rounded(_mm_add_ps(_mm_mul_ps(_mm_cvtepi32_ps(product), multiplier), addend))
    })
}

/// Adds rows of bytes to sums, as [`Kernels::sum_rows`](crate::kernels::Kernels::sum_rows) does.
///
/// # Safety
/// The processor must have SSE4.1. Each of the `count` rows, which start `stride` bytes apart from the start of `from`
/// on and have `sums.len()` bytes each, must lie within `from`; no other bytes are read.
#[target_feature(enable = "sse4.1")]
pub(super) unsafe fn sum_rows(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    let zero = _mm_setzero_si128();
    let (blocks, tail) = sums.as_chunks_mut::<16>();
    let done = blocks.len() * 16;
    for (number, sums) in blocks.iter_mut().enumerate() {
        // The sum of 256 bytes fits an unsigned 16-bit number.
        for start in (0..count).step_by(256) {
            let (mut low, mut high) = (zero, zero);
            for row in start..count.min(start + 256) {
                // SAFETY: row `row` starts at `row * stride`, and its `sums.len()` bytes lie within `from`. Block
                // `number` is 16 of them, from `number * 16` on, and the load reads 16 bytes, of any alignment.
                let bytes = unsafe { _mm_loadu_si128(from.as_ptr().add(row * stride + number * 16).cast()) };
                low = _mm_add_epi16(low, _mm_unpacklo_epi8(bytes, zero));
                high = _mm_add_epi16(high, _mm_unpackhi_epi8(bytes, zero));
            }
            // SAFETY: both types have 32 bytes, and numbers may have any bits.
            let added = unsafe { transmute::<[__m128i; 2], [u16; 16]>([low, high]) };
            for (sum, added) in sums.iter_mut().zip(added) {
                *sum += i32::from(added);
            }
        }
    }
    portable::sum_rows(&from[done.min(from.len())..], stride, count, tail);
}

/// Interleaves planes, as [`Kernels::interleave`](crate::kernels::Kernels::interleave) does, 16 pixels at a time. Each
/// plane must have a third of the bytes of `to`.
#[target_feature(enable = "sse4.1")]
pub(in crate::kernels::x86_64) fn interleave(planes: [&[u8]; 3], to: &mut [u8]) {
    // For each of the three vectors of output and each plane, the offset in the plane's vector of each byte. 0x80 gives
    // 0.
    const OFFSETS: [[[u8; 16]; 3]; 3] = {
        let mut offsets = [[[0x80; 16]; 3]; 3];
        let mut at = 0;
        while at < 48 {
            offsets[at / 16][at % 3][at % 16] = (at / 3) as u8;
            at += 1;
        }
        offsets
    };
    let (whole, tail) = to.as_chunks_mut::<48>();
    let done = whole.len() * 16;
    let [a, b, c] = planes.map(|plane| plane.as_chunks::<16>().0);
    for (((to, a), b), c) in whole.iter_mut().zip(a).zip(b).zip(c) {
        let (a, b, c) = (load_16(a), load_16(b), load_16(c));
        for (to, offsets) in to.as_chunks_mut::<16>().0.iter_mut().zip(&OFFSETS) {
            let [a, b, c] = [
                _mm_shuffle_epi8(a, load_16(&offsets[0])),
                _mm_shuffle_epi8(b, load_16(&offsets[1])),
                _mm_shuffle_epi8(c, load_16(&offsets[2])),
            ];
            store_16(_mm_or_si128(_mm_or_si128(a, b), c), to);
        }
    }
    portable::interleave(planes.map(|plane| &plane[done..]), tail);
}
