//! Steps from bytes to bytes, and from floats.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::{Bytes, load_16, load_32, pack, rounded, store_16, store_32};
use crate::arithmetic::{AddRule, MultiplyRule};
use crate::kernels::portable;

#[target_feature(enable = "avx2")]
pub(super) fn quantize(from: &[[f32; 8]], scale: f32, zero_point: u8, to: &mut [[u8; 8]]) {
    let (scale, offset) = (_mm256_set1_ps(scale), f32::from(zero_point));
    let (min, max) = (_mm256_set1_ps(-offset), _mm256_set1_ps(255.0 - offset));
    let zero_point = _mm256_set1_epi32(i32::from(zero_point));
    for (to, from) in to.iter_mut().zip(from) {
        // SAFETY: the load reads eight floats, of any alignment: the array's.
        let value = _mm256_div_ps(unsafe { _mm256_loadu_ps(from.as_ptr()) }, scale);
        // What is not a number becomes the least, as `max` gives its second operand then.
        let clamped = _mm256_min_ps(_mm256_max_ps(value, min), max);
        let bytes = _mm256_add_epi32(_mm256_cvtps_epi32(clamped), zero_point);
        let words = _mm256_packus_epi32(bytes, bytes);
        let words = _mm256_permute4x64_epi64::<0b00_00_10_00>(words);
        let packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_castsi256_si128(words));
        // SAFETY: the store writes eight bytes, of any alignment: the array's.
        unsafe { _mm_storel_epi64(to.as_mut_ptr().cast(), packed) };
    }
}

/// Far from what 32 bits hold.
const MAX: f32 = 1e9;

/// Eight bytes as 32-bit numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn widened(from: &[u8; 8]) -> __m256i {
    // SAFETY: the load reads eight bytes, of any alignment: the array's.
    _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(from.as_ptr().cast()) })
}

/// Applies `operation` to 8 numbers of each at a time, which gives what is to be rounded to 32 bits, and writes 32 bytes
/// at a time, and 16 at the end, as many as there are whole. Gives how many those were.
#[inline]
#[target_feature(enable = "avx2")]
fn combine(a: &[u8], b: &[u8], to: &mut [u8], bytes: Bytes, operation: impl Fn(__m256i, __m256i) -> __m256i) -> usize {
    let (many, rest) = to.as_chunks_mut::<32>();
    let ((many_a, rest_a), (many_b, rest_b)) = (a.as_chunks::<32>(), b.as_chunks::<32>());
    let whole = many.len() * 32;
    for ((to, a), b) in many.iter_mut().zip(many_a).zip(many_b) {
        let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
        let packed = pack(from_fn(|eight| operation(widened(&a[eight]), widened(&b[eight]))), bytes);
        for (to, packed) in to.as_chunks_mut::<16>().0.iter_mut().zip(packed) {
            store_16(packed, to);
        }
    }
    let (Some(to), Some(a), Some(b)) =
        (rest.first_chunk_mut::<16>(), rest_a.first_chunk::<16>(), rest_b.first_chunk::<16>())
    else {
        return whole;
    };
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    let [low, high] = from_fn(|eight| operation(widened(&a[eight]), widened(&b[eight])));
    store_16(pack([low, high, low, high], bytes)[0], to);
    whole + 16
}

/// Gives how many bytes were added, as [`combine`] does.
#[target_feature(enable = "avx2,fma")]
pub(super) fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) -> usize {
    let [a_offset, b_offset] = rule.input_offsets.map(|offset| _mm256_set1_epi32(i32::from(offset)));
    let [a_ratio, b_ratio] = rule.scale_ratios.map(|ratio| _mm256_set1_ps(ratio));
    let addend = _mm256_set1_ps(rule.addend);
    let bytes = Bytes { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    let sum = |a: __m256i, b: __m256i| {
        let (a, b) = (_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b));
        _mm256_fmadd_ps(a, a_ratio, _mm256_fmadd_ps(b, b_ratio, addend))
    };
    if rule.input_offsets == [0, 0]
        && 255.0 * (rule.scale_ratios[0].abs() + rule.scale_ratios[1].abs()) + rule.addend.abs() < MAX
    {
        combine(a, b, to, bytes, |a, b| _mm256_cvtps_epi32(sum(a, b)))
    } else {
        let shifted = |a, b| sum(_mm256_sub_epi32(a, a_offset), _mm256_sub_epi32(b, b_offset));
        combine(a, b, to, bytes, |a, b| rounded(shifted(a, b)))
    }
}

/// Gives how many bytes were multiplied, as [`combine`] does.
#[target_feature(enable = "avx2")]
pub(super) fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) -> usize {
    let [a_zero, b_zero] = rule.zero_points.map(|zero_point| _mm256_set1_epi32(i32::from(zero_point)));
    let [multiplier, addend] = [rule.multiplier, rule.addend].map(|number| _mm256_set1_ps(number));
    let bytes = Bytes { zero_point: rule.output_offset, min: rule.min, max: rule.max };
    combine(a, b, to, bytes, |a, b| {
        // Both fit 16 bits.
        let product = _mm256_mullo_epi32(_mm256_sub_epi32(a, a_zero), _mm256_sub_epi32(b, b_zero));
        rounded(_mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(product), multiplier), addend))
    })
}

/// The table in sixteen parts: a shuffle gives 0 for indices with the highest bit set, and so all parts but one do.
#[target_feature(enable = "avx2")]
pub(super) fn lookup(table: &[u8; 256], bytes: &mut [[u8; 32]]) {
    let table = table.as_chunks::<16>().0;
    let parts: [__m256i; 16] = from_fn(|part| _mm256_broadcastsi128_si256(load_16(&table[part])));
    let bias = _mm256_set1_epi8(0x70);
    for bytes in bytes {
        let index = load_32(bytes);
        let mut found = _mm256_setzero_si256();
        for (number, &part) in parts.iter().enumerate() {
            // From 0x70 to 0x7f where the high half is this part's number, 0x80 and more elsewhere.
            let place = _mm256_adds_epu8(_mm256_xor_si256(index, _mm256_set1_epi8((number << 4) as i8)), bias);
            found = _mm256_or_si256(found, _mm256_shuffle_epi8(part, place));
        }
        store_32(found, bytes);
    }
}

/// # Safety
/// The processor must have AVX2. Each of `count` rows, which start `stride` apart from the start of `from` on and are as
/// long as there are sums, must lie within `from`; nothing else is read.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn sum(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    let (blocks, rest) = sums.as_chunks_mut::<32>();
    let done = blocks.len() * 32;
    for (number, sums) in blocks.iter_mut().enumerate() {
        // As many bytes as 16 bits hold the sum of.
        for start in (0..count).step_by(256) {
            let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for row in start..count.min(start + 256) {
                // SAFETY: row `row` starts at `row * stride` and lies within `from` as far as there are sums; block
                // `number` is 32 of them, from `number * 32` on, and the load reads as many bytes, of any alignment.
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
    portable::sum(&from[done.min(from.len())..], stride, count, rest);
}

#[target_feature(enable = "avx2")]
pub(super) fn interleave(planes: [&[u8]; 3], to: &mut [[u8; 48]]) {
    // Where each byte of three vectors comes from, in each plane; 0x80 makes it 0.
    const PLACES: [[[u8; 16]; 3]; 3] = {
        let mut offsets = [[[0x80; 16]; 3]; 3];
        let mut at = 0;
        while at < 48 {
            offsets[at / 16][at % 3][at % 16] = (at / 3) as u8;
            at += 1;
        }
        offsets
    };
    let [a, b, c] = planes.map(|plane| plane.as_chunks::<16>().0);
    for (((to, a), b), c) in to.iter_mut().zip(a).zip(b).zip(c) {
        let (a, b, c) = (load_16(a), load_16(b), load_16(c));
        for (to, offsets) in to.as_chunks_mut::<16>().0.iter_mut().zip(&PLACES) {
            let [a, b, c] = [
                _mm_shuffle_epi8(a, load_16(&offsets[0])),
                _mm_shuffle_epi8(b, load_16(&offsets[1])),
                _mm_shuffle_epi8(c, load_16(&offsets[2])),
            ];
            store_16(_mm_or_si128(_mm_or_si128(a, b), c), to);
        }
    }
}
