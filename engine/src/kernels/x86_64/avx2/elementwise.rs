//! Elementwise kernels: quantization of floats, sums, products and table look-ups of bytes, and sums of rows.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::vectors::{load_32, pack, rounded, store_32};
use crate::arithmetic::{AddRule, MultiplyRule};
use crate::kernels::portable;
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::x86_64::sse41::vectors::{load_16, store_16};

/// Quantizes floats, as [`Kernels::quantize`](crate::kernels::Kernels::quantize) does, as many as the shorter of the
/// two has.
#[target_feature(enable = "avx2")]
pub(super) fn quantize(from: &[[f32; 8]], scale: f32, zero_point: u8, to: &mut [[u8; 8]]) {
    let (scale, offset) = (_mm256_set1_ps(scale), f32::from(zero_point));
    let (min, max) = (_mm256_set1_ps(-offset), _mm256_set1_ps(255.0 - offset));
    let zero_point = _mm256_set1_epi32(i32::from(zero_point));
    for (to, from) in to.iter_mut().zip(from) {
        // SAFETY: the load reads eight floats, of any alignment: the array's.
        let value = _mm256_div_ps(unsafe { _mm256_loadu_ps(from.as_ptr()) }, scale);
        // NaN becomes the minimum, as `max` gives its second operand then.
        let clamped = _mm256_min_ps(_mm256_max_ps(value, min), max);
        let bytes = _mm256_add_epi32(_mm256_cvtps_epi32(clamped), zero_point);
        let words = _mm256_packus_epi32(bytes, bytes);
        let words = _mm256_permute4x64_epi64::<0b00_00_10_00>(words);
        let packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_castsi256_si128(words));
        // SAFETY: the store writes eight bytes, of any alignment: the array's.
        unsafe { _mm_storel_epi64(to.as_mut_ptr().cast(), packed) };
    }
}

/// The bound below which the conversion of a sum to 32 bits cannot overflow, with a wide margin. Such a sum needs no
/// [`rounded`].
const MAX: f32 = 1e9;

/// Widens eight bytes to 32-bit numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn widened(from: &[u8; 8]) -> __m256i {
    // SAFETY: the load reads eight bytes, of any alignment: the array's.
    _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(from.as_ptr().cast()) })
}

/// Applies `operation` to eight elements of `a` and of `b` at a time, which gives results rounded to 32 bits, and
/// requantizes them to bytes. Writes blocks of 32 bytes, and one of 16 where the tail has as many. Gives the number of
/// bytes written.
#[inline]
#[target_feature(enable = "avx2")]
fn combine(
    a: &[u8],
    b: &[u8],
    to: &mut [u8],
    requantize: Requantize,
    operation: impl Fn(__m256i, __m256i) -> __m256i,
) -> usize {
    let (many, tail) = to.as_chunks_mut::<32>();
    let ((many_a, tail_a), (many_b, tail_b)) = (a.as_chunks::<32>(), b.as_chunks::<32>());
    let whole = many.len() * 32;
    for ((to, a), b) in many.iter_mut().zip(many_a).zip(many_b) {
        let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
        let packed = pack(from_fn(|eight| operation(widened(&a[eight]), widened(&b[eight]))), requantize);
        for (to, packed) in to.as_chunks_mut::<16>().0.iter_mut().zip(packed) {
            store_16(packed, to);
        }
    }
    let (Some(to), Some(a), Some(b)) =
        (tail.first_chunk_mut::<16>(), tail_a.first_chunk::<16>(), tail_b.first_chunk::<16>())
    else {
        return whole;
    };
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    let [low, high] = from_fn(|eight| operation(widened(&a[eight]), widened(&b[eight])));
    store_16(pack([low, high, low, high], requantize)[0], to);
    whole + 16
}

/// Adds bytes as [`Kernels::add`](crate::kernels::Kernels::add) does, all but a tail of fewer than 16. Gives the number
/// of bytes written.
#[target_feature(enable = "avx2,fma")]
pub(super) fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) -> usize {
    let [a_offset, b_offset] = rule.input_offsets.map(|offset| _mm256_set1_epi32(i32::from(offset)));
    let [a_ratio, b_ratio] = rule.scale_ratios.map(|ratio| _mm256_set1_ps(ratio));
    let addend = _mm256_set1_ps(rule.addend);
    let requantize = Requantize { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    let sum = |a: __m256i, b: __m256i| {
        let (a, b) = (_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b));
        _mm256_fmadd_ps(a, a_ratio, _mm256_fmadd_ps(b, b_ratio, addend))
    };
    if rule.input_offsets == [0, 0]
        && 255.0 * (rule.scale_ratios[0].abs() + rule.scale_ratios[1].abs()) + rule.addend.abs() < MAX
    {
        combine(a, b, to, requantize, |a, b| _mm256_cvtps_epi32(sum(a, b)))
    } else {
        let offset_sum = |a, b| sum(_mm256_sub_epi32(a, a_offset), _mm256_sub_epi32(b, b_offset));
        combine(a, b, to, requantize, |a, b| rounded(offset_sum(a, b)))
    }
}

/// Multiplies bytes as [`Kernels::multiply`](crate::kernels::Kernels::multiply) does, all but a tail of fewer than 16.
/// Gives the number of bytes written.
#[target_feature(enable = "avx2")]
pub(super) fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) -> usize {
    let [a_zero, b_zero] = rule.zero_points.map(|zero_point| _mm256_set1_epi32(i32::from(zero_point)));
    let [multiplier, addend] = [rule.multiplier, rule.addend].map(|number| _mm256_set1_ps(number));
    let requantize = Requantize { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    combine(a, b, to, requantize, |a, b| {
        // At most 255² in magnitude, which is exact as a float.
        let product = _mm256_mullo_epi32(_mm256_sub_epi32(a, a_zero), _mm256_sub_epi32(b, b_zero));
        rounded(_mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(product), multiplier), addend))
    })
}

/// Replaces each byte by the table's entry for it. The table is in sixteen parts of 16 bytes. A shuffle gives 0 for
/// indices with the highest bit set, so that for each byte all parts but one give 0.
#[target_feature(enable = "avx2")]
pub(super) fn lookup(table: &[u8; 256], bytes: &mut [[u8; 32]]) {
    let table = table.as_chunks::<16>().0;
    let parts: [__m256i; 16] = from_fn(|part| _mm256_broadcastsi128_si256(load_16(&table[part])));
    // The saturating addition of 0x70 sets the highest bit of every index from 0x10 on.
    let bias = _mm256_set1_epi8(0x70);
    for bytes in bytes {
        let index = load_32(bytes);
        let mut found = _mm256_setzero_si256();
        for (number, &part) in parts.iter().enumerate() {
            // From 0x70 to 0x7f where the upper four bits are this part's number, at least 0x80 otherwise.
            let part_index = _mm256_adds_epu8(_mm256_xor_si256(index, _mm256_set1_epi8((number << 4) as i8)), bias);
            found = _mm256_or_si256(found, _mm256_shuffle_epi8(part, part_index));
        }
        store_32(found, bytes);
    }
}

/// Adds rows of bytes to sums, as [`Kernels::sum_rows`](crate::kernels::Kernels::sum_rows) does.
///
/// # Safety
/// The processor must have AVX2. Each of the `count` rows, which start `stride` bytes apart from the start of `from` on
/// and have `sums.len()` bytes each, must lie within `from`; no other bytes are read.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn sum_rows(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    let (blocks, tail) = sums.as_chunks_mut::<32>();
    let done = blocks.len() * 32;
    for (number, sums) in blocks.iter_mut().enumerate() {
        // The sum of 256 bytes fits an unsigned 16-bit number.
        for start in (0..count).step_by(256) {
            let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for row in start..count.min(start + 256) {
                // SAFETY: row `row` starts at `row * stride`, and its `sums.len()` bytes lie within `from`. Block
                // `number` is 32 of them, from `number * 32` on, and the load reads 32 bytes, of any alignment.
                let bytes = unsafe { _mm256_loadu_si256(from.as_ptr().add(row * stride + number * 32).cast()) };
                even = _mm256_add_epi16(even, _mm256_and_si256(bytes, _mm256_set1_epi16(0xff)));
                odd = _mm256_add_epi16(odd, _mm256_srli_epi16::<8>(bytes));
            }
            // SAFETY: both types have 32 bytes, and numbers may have any bits.
            let (even, odd) = unsafe { (transmute::<__m256i, [u16; 16]>(even), transmute::<__m256i, [u16; 16]>(odd)) };
            for (sums, (even, odd)) in sums.as_chunks_mut::<2>().0.iter_mut().zip(even.into_iter().zip(odd)) {
                sums[0] += i32::from(even);
                sums[1] += i32::from(odd);
            }
        }
    }
    portable::sum_rows(&from[done.min(from.len())..], stride, count, tail);
}
