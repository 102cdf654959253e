//! What is done to each element by itself.

use std::arch::aarch64::{
    float32x4_t, uint8x16_t, uint8x16x4_t, vcvtq_f32_s32, vcvtq_f32_u32, vdivq_f32, vdupq_n_f32, vdupq_n_s32,
    vdupq_n_u8, vfmaq_f32, vget_low_u8, vget_low_u16, vld1q_f32, vld1q_u8, vmaxnmq_f32, vmovl_high_u8, vmovl_high_u16,
    vmovl_u8, vmovl_u16, vmulq_f32, vmulq_s32, vqtbl4q_u8, vqtbx4q_u8, vreinterpretq_s32_u32, vst1q_u8, vsubq_f32,
    vsubq_s32, vsubq_u8,
};

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

/// Four vectors of four 32-bit numbers: the sixteen bytes.
macro_rules! widened {
    ($bytes:expr) => {{
        let (low, high) = (vmovl_u8(vget_low_u8($bytes)), vmovl_high_u8($bytes));
        [vmovl_u16(vget_low_u16(low)), vmovl_high_u16(low), vmovl_u16(vget_low_u16(high)), vmovl_high_u16(high)]
    }};
}

/// Applies `operation` to sixteen bytes of each at a time, and gives how many bytes that were.
#[inline(always)]
fn combine(
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
            vst1q_u8(to.as_mut_ptr(), bytes.pack::<false>(operation(vld1q_u8(a.as_ptr()), vld1q_u8(b.as_ptr()))));
        };
    }
    whole.len() * 16
}

pub(super) fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let bytes = Bytes::new(rule.shift, rule.least, rule.most);
    // SAFETY: instructions that every 64-bit ARM processor has.
    let done = combine(a, b, to, bytes, |a, b| unsafe {
        let [a_shift, b_shift] = rule.shifts.map(|shift| vdupq_n_f32(f32::from(shift)));
        let [a_share, b_share] = rule.shares.map(|share| vdupq_n_f32(share));
        let fixed = vdupq_n_f32(rule.fixed);
        let (a, b) = (widened!(a), widened!(b));
        std::array::from_fn(|at| {
            // Whole numbers of few bits: exact.
            let a = vsubq_f32(vcvtq_f32_u32(a[at]), a_shift);
            let b = vsubq_f32(vcvtq_f32_u32(b[at]), b_shift);
            vfmaq_f32(vfmaq_f32(fixed, b, b_share), a, a_share)
        })
    });
    portable::add(rule, &a[done..], &b[done..], &mut to[done..]);
}

pub(super) fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let bytes = Bytes::new(rule.zero, rule.least, rule.most);
    // SAFETY: instructions that every 64-bit ARM processor has.
    let done = combine(a, b, to, bytes, |a, b| unsafe {
        let [a_zero, b_zero] = rule.zeros.map(|zero| vdupq_n_s32(i32::from(zero)));
        let multiplier = vdupq_n_f32(rule.multiplier);
        let (a, b) = (widened!(a), widened!(b));
        std::array::from_fn(|at| {
            let [a, b] = [vreinterpretq_s32_u32(a[at]), vreinterpretq_s32_u32(b[at])];
            vmulq_f32(vcvtq_f32_s32(vmulq_s32(vsubq_s32(a, a_zero), vsubq_s32(b, b_zero))), multiplier)
        })
    });
    portable::multiply(rule, &a[done..], &b[done..], &mut to[done..]);
}

/// A table in four parts of 64 bytes.
#[inline(always)]
fn parts(table: &[u8; 256]) -> [uint8x16x4_t; 4] {
    // SAFETY: all of the table's bytes are readable.
    std::array::from_fn(|part| unsafe {
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

pub(super) fn lookup(table: &[u8; 256], from: &[u8], to: &mut [u8]) {
    let parts = parts(table);
    let (whole, rest) = to.as_chunks_mut::<16>();
    let done = whole.len() * 16;
    for (to, from) in whole.iter_mut().zip(from.as_chunks::<16>().0) {
        // SAFETY: sixteen bytes are readable and writable.
        unsafe { vst1q_u8(to.as_mut_ptr(), find(&parts, vld1q_u8(from.as_ptr()))) };
    }
    for (to, &from) in rest.iter_mut().zip(&from[done..]) {
        *to = table[usize::from(from)];
    }
}

pub(super) fn lookup_in_place(table: &[u8; 256], bytes: &mut [u8]) {
    let parts = parts(table);
    let (whole, rest) = bytes.as_chunks_mut::<16>();
    for bytes in whole {
        // SAFETY: sixteen bytes are readable and writable.
        unsafe { vst1q_u8(bytes.as_mut_ptr(), find(&parts, vld1q_u8(bytes.as_ptr()))) };
    }
    portable::lookup_in_place(table, rest);
}
