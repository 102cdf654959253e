//! Steps from bytes to bytes, and from floats.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::{Bytes, pack, rounded};
use crate::kernels::portable;
use crate::program::{AddRule, MultiplyRule};

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn quantize(from: &[f32], scale: f32, zero: u8, to: &mut [[u8; 8]]) {
    let (scale, offset) = (_mm256_set1_ps(scale), f32::from(zero));
    let (least, most) = (_mm256_set1_ps(-offset), _mm256_set1_ps(255.0 - offset));
    let zero = _mm256_set1_epi32(i32::from(zero));
    for (to, from) in to.iter_mut().zip(from.as_chunks::<8>().0) {
        // SAFETY: eight floats are readable.
        let value = _mm256_div_ps(unsafe { _mm256_loadu_ps(from.as_ptr()) }, scale);
        // What is not a number becomes the least, as `max` gives its second operand then.
        let clamped = _mm256_min_ps(_mm256_max_ps(value, least), most);
        let bytes = _mm256_add_epi32(_mm256_cvtps_epi32(clamped), zero);
        let words = _mm256_packus_epi32(bytes, bytes);
        let words = _mm256_permute4x64_epi64::<0b00_00_10_00>(words);
        let packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_castsi256_si128(words));
        // SAFETY: eight bytes are writable.
        unsafe { _mm_storel_epi64(to.as_mut_ptr().cast(), packed) };
    }
}

/// Far from what 32 bits hold.
const MOST: f32 = 1e9;

/// Eight bytes as 32-bit numbers.
///
/// # Safety
/// Eight bytes must be readable.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn widened(from: *const u8) -> __m256i {
    // SAFETY: as the caller promises.
    _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(from.cast()) })
}

/// Applies `operation` to 8 numbers of each at a time, which gives what is to be rounded to 32 bits, and writes 32 bytes at a
/// time, and 16 at the end, as many as there are whole.
///
/// # Safety
/// The processor must have AVX2; `a` and `b` must be as long as `to` at least.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn combine(a: &[u8], b: &[u8], to: &mut [u8], bytes: Bytes, operation: impl Fn(__m256i, __m256i) -> __m256i) {
    // SAFETY: as the caller promises; eight bytes from `at` on are readable.
    let eight =
        |a: &[u8], b: &[u8], at: usize| unsafe { operation(widened(a.as_ptr().add(at)), widened(b.as_ptr().add(at))) };
    let (many, rest) = to.as_chunks_mut::<32>();
    let done = many.len() * 32;
    for ((to, a), b) in many.iter_mut().zip(a.as_chunks::<32>().0).zip(b.as_chunks::<32>().0) {
        let packed = pack([eight(a, b, 0), eight(a, b, 8), eight(a, b, 16), eight(a, b, 24)], bytes);
        for (to, packed) in to.as_chunks_mut::<16>().0.iter_mut().zip(packed) {
            // SAFETY: sixteen bytes are writable.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), packed) };
        }
    }
    if let Some(to) = rest.first_chunk_mut::<16>() {
        let (low, high) = (eight(a, b, done), eight(a, b, done + 8));
        // SAFETY: as above.
        unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), pack([low, high, low, high], bytes)[0]) };
    }
}

/// # Safety
/// The processor must have AVX2 and FMA; `a` and `b` must be as long as `to` at least.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let [a_shift, b_shift] = rule.shifts.map(|shift| _mm256_set1_epi32(i32::from(shift)));
    let [a_share, b_share] = rule.shares.map(|share| _mm256_set1_ps(share));
    let fixed = _mm256_set1_ps(rule.fixed);
    let bytes = Bytes { zero: rule.shift, least: rule.least, most: rule.most };
    let sum = |a: __m256i, b: __m256i| {
        let [a, b] = [a, b].map(|x| _mm256_cvtepi32_ps(x));
        _mm256_fmadd_ps(a, a_share, _mm256_fmadd_ps(b, b_share, fixed))
    };
    // SAFETY: as the caller promises.
    unsafe {
        if rule.shifts == [0, 0] && 255.0 * (rule.shares[0].abs() + rule.shares[1].abs()) + rule.fixed.abs() < MOST {
            combine(a, b, to, bytes, |a, b| _mm256_cvtps_epi32(sum(a, b)));
        } else {
            let shifted = |a, b| sum(_mm256_sub_epi32(a, a_shift), _mm256_sub_epi32(b, b_shift));
            combine(a, b, to, bytes, |a, b| rounded(shifted(a, b)));
        }
    }
}

/// # Safety
/// The processor must have AVX2; `a` and `b` must be as long as `to` at least.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let [a_zero, b_zero] = rule.zeros.map(|zero| _mm256_set1_epi32(i32::from(zero)));
    let [multiplier, fixed] = [rule.multiplier, rule.fixed].map(|number| _mm256_set1_ps(number));
    let bytes = Bytes { zero: rule.shift, least: rule.least, most: rule.most };
    let operation = |a: __m256i, b: __m256i| {
        // Both fit 16 bits.
        let product = _mm256_mullo_epi32(_mm256_sub_epi32(a, a_zero), _mm256_sub_epi32(b, b_zero));
        rounded(_mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(product), multiplier), fixed))
    };
    // SAFETY: as the caller promises.
    unsafe { combine(a, b, to, bytes, operation) };
}

/// The table in sixteen parts: a shuffle gives 0 for indices with the highest bit set, and so all parts but one do.
///
/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn lookup(table: &[u8; 256], bytes: &mut [[u8; 32]]) {
    let parts: [__m256i; 16] = from_fn(|part| {
        // SAFETY: sixteen bytes are readable.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table[part * 16..].as_ptr().cast()) })
    });
    let bias = _mm256_set1_epi8(0x70);
    for bytes in bytes {
        // SAFETY: 32 bytes are readable and writable.
        unsafe {
            let index = _mm256_loadu_si256(bytes.as_ptr().cast());
            let mut found = _mm256_setzero_si256();
            for (number, &part) in parts.iter().enumerate() {
                // From 0x70 to 0x7f where the high half is this part's number, 0x80 and more elsewhere.
                let place = _mm256_adds_epu8(_mm256_xor_si256(index, _mm256_set1_epi8((number << 4) as i8)), bias);
                found = _mm256_or_si256(found, _mm256_shuffle_epi8(part, place));
            }
            _mm256_storeu_si256(bytes.as_mut_ptr().cast(), found);
        }
    }
}

/// # Safety
/// The processor must have AVX2; there must be `count` rows, `stride` apart, of as many bytes as there are sums.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn sum(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    let (blocks, rest) = sums.as_chunks_mut::<32>();
    let done = blocks.len() * 32;
    for (number, sums) in blocks.iter_mut().enumerate() {
        // As many bytes as 16 bits hold the sum of.
        for start in (0..count).step_by(256) {
            let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for row in start..count.min(start + 256) {
                // SAFETY: as the caller promises.
                let bytes = unsafe { _mm256_loadu_si256(from.as_ptr().add(row * stride + number * 32).cast()) };
                even = _mm256_add_epi16(even, _mm256_and_si256(bytes, _mm256_set1_epi16(0xff)));
                odd = _mm256_add_epi16(odd, _mm256_srli_epi16::<8>(bytes));
            }
            // SAFETY: 32 bytes of any content are numbers.
            let (even, odd) = unsafe { (transmute::<__m256i, [u16; 16]>(even), transmute::<__m256i, [u16; 16]>(odd)) };
            for (sums, (even, odd)) in sums.as_chunks_mut::<2>().0.iter_mut().zip(even.into_iter().zip(odd)) {
                sums[0] += i32::from(even);
                sums[1] += i32::from(odd);
            }
        }
    }
    portable::sum(&from[done.min(from.len())..], stride, count, rest);
}

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn interleave(planes: [&[u8]; 3], to: &mut [[u8; 48]]) {
    // Where each byte of three vectors comes from, in each plane; 0x80 makes it 0.
    const PLACES: [[[u8; 16]; 3]; 3] = {
        let mut places = [[[0x80; 16]; 3]; 3];
        let mut at = 0;
        while at < 48 {
            places[at / 16][at % 3][at % 16] = (at / 3) as u8;
            at += 1;
        }
        places
    };
    let [a, b, c] = planes.map(|plane| plane.as_chunks::<16>().0);
    for (((to, a), b), c) in to.iter_mut().zip(a).zip(b).zip(c) {
        // SAFETY: sixteen bytes are readable, and writable in each third.
        unsafe {
            let load = |bytes: &[u8; 16]| _mm_loadu_si128(bytes.as_ptr().cast());
            let (a, b, c) = (load(a), load(b), load(c));
            for (to, places) in to.as_chunks_mut::<16>().0.iter_mut().zip(&PLACES) {
                let [a, b, c] = [
                    _mm_shuffle_epi8(a, load(&places[0])),
                    _mm_shuffle_epi8(b, load(&places[1])),
                    _mm_shuffle_epi8(c, load(&places[2])),
                ];
                _mm_storeu_si128(to.as_mut_ptr().cast(), _mm_or_si128(_mm_or_si128(a, b), c));
            }
        }
    }
}
