//! What is done to each element by itself.

use std::arch::aarch64::{
    float32x4_t, int16x8_t, uint8x16_t, uint8x16x3_t, uint8x16x4_t, vaddq_f32, vaddq_u32, vaddw_high_u8, vaddw_u8,
    vcvtq_f32_s32, vdivq_f32, vdupq_n_f32, vdupq_n_u8, vdupq_n_u16, vfmaq_f32, vget_low_s16, vget_low_u8, vget_low_u16,
    vld1q_f32, vld1q_u8, vld1q_u32, vmaxnmq_f32, vmovl_high_s16, vmovl_high_u16, vmovl_s16, vmovl_u16, vmull_high_s16,
    vmull_s16, vmulq_f32, vqtbl4q_u8, vqtbx4q_u8, vreinterpretq_s16_u16, vst1q_u8, vst1q_u32, vst3q_u8, vsubl_high_u8,
    vsubl_u8, vsubq_u8,
};
use std::array::from_fn;

use super::rounding::Bytes;
use crate::kernels::portable;
use crate::program::{AddRule, MultiplyRule};

pub(super) fn quantize(from: &[f32], scale: f32, zero: u8, to: &mut [u8]) {
    let bytes = Bytes::new(zero, 0, 255);
    let (whole, rest) = to.as_chunks_mut::<16>();
    let done = whole.len() * 16;
    for (to, from) in whole.iter_mut().zip(from.as_chunks::<16>().0) {
        // SAFETY: sixteen floats are readable and sixteen bytes writable.
        unsafe {
            let scale = vdupq_n_f32(scale);
            // What is not a number becomes the least: `maxnm` takes the number of the two.
            let least = vdupq_n_f32(-256.0);
            let four = |at: usize| vmaxnmq_f32(vdivq_f32(vld1q_f32(from.as_ptr().add(at)), scale), least);
            vst1q_u8(to.as_mut_ptr(), bytes.pack::<false>([four(0), four(4), four(8), four(12)]));
        }
    }
    portable::quantize(&from[done..], scale, zero, rest);
}

/// Sixteen bytes less a zero point: two vectors of eight 16-bit numbers.
#[inline(always)]
fn lowered(bytes: uint8x16_t, zero: u8) -> [int16x8_t; 2] {
    // SAFETY: instructions that every 64-bit ARM processor has.
    unsafe {
        let zero = vdupq_n_u8(zero);
        [vsubl_u8(vget_low_u8(bytes), vget_low_u8(zero)), vsubl_high_u8(bytes, zero)]
            .map(|numbers| vreinterpretq_s16_u16(numbers))
    }
}

/// Applies `operation` to sixteen bytes of each at a time, and gives how many bytes that were.
#[inline(always)]
fn combine<const PLAIN: bool>(
    a: &[u8],
    b: &[u8],
    to: &mut [u8],
    bytes: Bytes,
    operation: impl Fn(uint8x16_t, uint8x16_t) -> [float32x4_t; 4],
) -> usize {
    let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let (whole, _) = to.as_chunks_mut::<16>();
    for ((to, a), b) in whole.iter_mut().zip(a).zip(b) {
        // SAFETY: sixteen bytes are readable and writable.
        unsafe {
            vst1q_u8(to.as_mut_ptr(), bytes.pack::<PLAIN>(operation(vld1q_u8(a.as_ptr()), vld1q_u8(b.as_ptr()))));
        };
    }
    whole.len() * 16
}

pub(super) fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let bytes = Bytes::new(rule.shift, rule.least, rule.most);
    // SAFETY: instructions that every 64-bit ARM processor has.
    let done = combine::<false>(a, b, to, bytes, |a, b| unsafe {
        let [a_share, b_share] = rule.shares.map(|share| vdupq_n_f32(share));
        let fixed = vdupq_n_f32(rule.fixed);
        let [a, b] = [lowered(a, rule.shifts[0]), lowered(b, rule.shifts[1])].map(|numbers| {
            let [low, high] = numbers;
            [vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)]
        });
        // Whole numbers of few bits: exact in floats.
        from_fn(|at| vfmaq_f32(vfmaq_f32(fixed, vcvtq_f32_s32(b[at]), b_share), vcvtq_f32_s32(a[at]), a_share))
    });
    portable::add(rule, &a[done..], &b[done..], &mut to[done..]);
}

pub(super) fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let largest = f64::from(255 * 255) * f64::from(rule.multiplier).abs() + f64::from(rule.fixed).abs();
    let bytes = Bytes::new(rule.shift, rule.least, rule.most).up_to(largest);
    // SAFETY: instructions that every 64-bit ARM processor has.
    let product = |a, b| unsafe {
        let [multiplier, fixed] = [rule.multiplier, rule.fixed].map(|number| vdupq_n_f32(number));
        let ([low, high], [b_low, b_high]) = (lowered(a, rule.zeros[0]), lowered(b, rule.zeros[1]));
        [
            vmull_s16(vget_low_s16(low), vget_low_s16(b_low)),
            vmull_high_s16(low, b_low),
            vmull_s16(vget_low_s16(high), vget_low_s16(b_high)),
            vmull_high_s16(high, b_high),
        ]
        .map(|product| vaddq_f32(vmulq_f32(vcvtq_f32_s32(product), multiplier), fixed))
    };
    let done = if bytes.are_plain() {
        combine::<true>(a, b, to, bytes, product)
    } else {
        combine::<false>(a, b, to, bytes, product)
    };
    portable::multiply(rule, &a[done..], &b[done..], &mut to[done..]);
}

/// A table in four parts of 64 bytes.
#[inline(always)]
fn parts(table: &[u8; 256]) -> [uint8x16x4_t; 4] {
    // SAFETY: all of the table's bytes are readable.
    from_fn(|part| unsafe {
        let from = table[part * 64..].as_ptr();
        uint8x16x4_t(vld1q_u8(from), vld1q_u8(from.add(16)), vld1q_u8(from.add(32)), vld1q_u8(from.add(48)))
    })
}

#[inline(always)]
fn find(parts: &[uint8x16x4_t; 4], mut index: uint8x16_t) -> uint8x16_t {
    // SAFETY: instructions that every 64-bit ARM processor has.
    unsafe {
        let mut found = vqtbl4q_u8(parts[0], index);
        for &part in &parts[1..] {
            // Indices beyond a part leave what was found.
            index = vsubq_u8(index, vdupq_n_u8(64));
            found = vqtbx4q_u8(found, part, index);
        }
        found
    }
}

/// Looks up `N` vectors.
///
/// # Safety
/// As many bytes must be readable and writable.
#[inline(always)]
unsafe fn look_up<const N: usize>(parts: &[uint8x16x4_t; 4], from: *const u8, to: *mut u8) {
    // SAFETY: as the caller promises.
    unsafe {
        let found: [_; N] = from_fn(|at| find(parts, vld1q_u8(from.add(at * 16))));
        for (at, found) in found.into_iter().enumerate() {
            vst1q_u8(to.add(at * 16), found);
        }
    }
}

/// The same for `count` bytes but for the last ones, fewer than sixteen; gives how many that were.
///
/// # Safety
/// As above.
#[inline(always)]
unsafe fn look_up_all(table: &[u8; 256], from: *const u8, to: *mut u8, count: usize) -> usize {
    let parts = parts(table);
    let mut at = 0;
    // SAFETY: as the caller promises.
    unsafe {
        while at + 64 <= count {
            look_up::<4>(&parts, from.add(at), to.add(at));
            at += 64;
        }
        while at + 16 <= count {
            look_up::<1>(&parts, from.add(at), to.add(at));
            at += 16;
        }
    }
    at
}

pub(super) fn lookup(table: &[u8; 256], from: &[u8], to: &mut [u8]) {
    assert!(to.len() <= from.len());
    // SAFETY: the lengths were checked.
    let done = unsafe { look_up_all(table, from.as_ptr(), to.as_mut_ptr(), to.len()) };
    for (to, &from) in to[done..].iter_mut().zip(&from[done..]) {
        *to = table[usize::from(from)];
    }
}

pub(super) fn lookup_in_place(table: &[u8; 256], bytes: &mut [u8]) {
    let pointer = bytes.as_mut_ptr();
    // SAFETY: as many bytes are readable and writable.
    let done = unsafe { look_up_all(table, pointer, pointer, bytes.len()) };
    portable::lookup_in_place(table, &mut bytes[done..]);
}

pub(super) fn interleave(planes: [&[u8]; 3], to: &mut [u8]) {
    let (whole, rest) = to.as_chunks_mut::<48>();
    let done = whole.len() * 16;
    let [a, b, c] = planes.map(|plane| plane.as_chunks::<16>().0);
    for (((to, a), b), c) in whole.iter_mut().zip(a).zip(b).zip(c) {
        // SAFETY: sixteen bytes are readable, three times as many writable.
        unsafe {
            let pixels = [a, b, c].map(|plane| vld1q_u8(plane.as_ptr()));
            vst3q_u8(to.as_mut_ptr(), uint8x16x3_t(pixels[0], pixels[1], pixels[2]));
        }
    }
    portable::interleave(planes.map(|plane| &plane[done..]), rest);
}

/// Bytes whose sum surely has room in 16 bits.
const ADDED: usize = 256;

pub(super) fn sum(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    assert!(count == 0 || (count - 1) * stride + sums.len() <= from.len());
    let (blocks, rest) = sums.as_chunks_mut::<16>();
    let done = blocks.len() * 16;
    for (number, sums) in blocks.iter_mut().enumerate() {
        for start in (0..count).step_by(ADDED) {
            let mut row = from[start * stride + number * 16..].as_ptr();
            // SAFETY: sixteen bytes of each row are readable, the lengths were checked; so are as many sums.
            unsafe {
                let (mut low, mut high) = (vdupq_n_u16(0), vdupq_n_u16(0));
                for _ in start..count.min(start + ADDED) {
                    let bytes = vld1q_u8(row);
                    (low, high) = (vaddw_u8(low, vget_low_u8(bytes)), vaddw_high_u8(high, bytes));
                    row = row.wrapping_add(stride);
                }
                let sums = sums.as_mut_ptr().cast::<u32>();
                let add = |at: usize, four| vst1q_u32(sums.add(at), vaddq_u32(vld1q_u32(sums.add(at)), four));
                add(0, vmovl_u16(vget_low_u16(low)));
                add(4, vmovl_high_u16(low));
                add(8, vmovl_u16(vget_low_u16(high)));
                add(12, vmovl_high_u16(high));
            }
        }
    }
    portable::sum(&from[done.min(from.len())..], stride, count, rest);
}
