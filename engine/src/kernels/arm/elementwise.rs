//! Elementwise kernels: quantization of floats, sums and products of bytes, and sums of rows. Remainders that no vector
//! fills are left to the portable kernels.

use super::assembly::{Requantize, neon};
use super::features::Neon;
use crate::arithmetic::{AddRule, MultiplyRule};
use crate::kernels::{fused, portable};

/// Floats that are computed one by one, before they are requantized together.
const BUFFER: usize = 64;

/// Requantizes [`BUFFER`] floats. NaN becomes the minimum.
fn requantize(_neon: Neon, from: &[f32; BUFFER], requantize: &Requantize, to: &mut [u8; BUFFER]) {
    // SAFETY: the processor has NEON, as `_neon` exists. Eight iterations read eight floats and write eight bytes each.
    // `requantize` has 64 bytes, in the order of the registers.
    unsafe {
        neon!(
            "vldmia {requantize}, {{d8-d15}}",
            "2:",
            "vld1.32 {{d16-d19}}, [{from}]!",
            "subs {count}, {count}, #8",
            // A number equals itself, and NaN does not.
            "vceq.f32 q10, q8, q8",
            "vceq.f32 q11, q9, q9",
            "vbif q8, q4, q10",
            "vbif q9, q4, q11",
            "round q8",
            "round q9",
            "vmovn.i32 d16, q8",
            "vmovn.i32 d17, q9",
            "vmovn.i16 d16, q8",
            "vadd.i8 d16, d16, d14",
            "vst1.8 {{d16}}, [{to}]!",
            "bne 2b";
            requantize = in(reg) requantize,
            count = inout(reg) BUFFER => _,
            from = inout(reg) from.as_ptr() => _,
            to = inout(reg) to.as_mut_ptr() => _,
        );
    }
}

/// Quantizes floats, as [`Kernels::quantize`](crate::kernels::Kernels::quantize) does. Both slices must have the same
/// length. NEON has no division, so that each float is divided by itself.
pub(super) fn quantize(neon: Neon, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
    let rule = Requantize::new(zero_point, 0, 255);
    let ((floats, from), (whole, tail)) = (from.as_chunks::<BUFFER>(), to.as_chunks_mut::<BUFFER>());
    for (to, from) in whole.iter_mut().zip(floats) {
        requantize(neon, &from.map(|value| value / scale), &rule, to);
    }
    portable::quantize(from, scale, zero_point, tail);
}

/// From this number of sums on, [`add`] looks up what depends on one byte.
const MANY: usize = 1024;

/// Adds bytes as [`Kernels::add`](crate::kernels::Kernels::add) does. All slices must have the same length.
///
/// Each `fma` is computed in doubles, as [`fused`] does it, since not every processor with NEON has one. What it takes of
/// each byte is looked up: the product of `a`, exact as a double, and the inner `fma` of `b`.
pub(super) fn add(neon: Neon, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let many = if to.len() < MANY { 0 } else { to.len() / BUFFER * BUFFER };
    let ((a, a_tail), (b, b_tail), (to, tail)) = (a.split_at(many), b.split_at(many), to.split_at_mut(many));
    portable::add(rule, a_tail, b_tail, tail);
    if many == 0 {
        return;
    }
    let [a_offset, b_offset] = rule.input_offsets.map(f32::from);
    let [a_ratio, b_ratio] = rule.scale_ratios;
    let byte = |at: usize| f32::from(at as u8);
    let products: [f64; 256] = std::array::from_fn(|at| f64::from(byte(at) - a_offset) * f64::from(a_ratio));
    let with_b: [f64; 256] = std::array::from_fn(|at| f64::from(fused(byte(at) - b_offset, b_ratio, rule.addend)));
    let requantization = Requantize::new(rule.output_offset, rule.min, rule.max);
    let (whole, a, b) = (to.as_chunks_mut().0, a.as_chunks::<BUFFER>().0, b.as_chunks::<BUFFER>().0);
    for ((to, a), b) in whole.iter_mut().zip(a).zip(b) {
        let mut sums = [0.0; BUFFER];
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum = (products[usize::from(a)] + with_b[usize::from(b)]) as f32;
        }
        requantize(neon, &sums, &requantization, to);
    }
}

/// The parameters of [`multiply`], in all lanes of vectors. The assembly loads the fields in this order.
#[repr(C, align(16))]
struct Factors {
    zero_points: [[u8; 8]; 2],
    multiplier: [f32; 4],
    addend: [f32; 4],
}

/// Multiplies bytes as [`Kernels::multiply`](crate::kernels::Kernels::multiply) does. All slices must have the same
/// length.
pub(super) fn multiply(_neon: Neon, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let many = to.len() / 8 * 8;
    portable::multiply(rule, &a[many..], &b[many..], &mut to[many..]);
    if many == 0 {
        return;
    }
    let factors = Factors {
        zero_points: rule.zero_points.map(|zero_point| [zero_point; 8]),
        multiplier: [rule.multiplier; 4],
        addend: [rule.addend; 4],
    };
    let requantize = Requantize::new(rule.output_offset, rule.min, rule.max);
    // SAFETY: the processor has NEON, as `_neon` exists. Each iteration reads eight bytes of `a` and of `b` and writes
    // eight of `to`, `many` in all, which is at least eight and at most the length of each. `factors` has 48 bytes and
    // `requantize` 64, in the order of the registers. Products have 17 bits and a sign, and are exact as floats.
    unsafe {
        neon!(
            "vldmia {factors}, {{d0-d5}}",
            "vldmia {requantize}, {{d8-d15}}",
            "2:",
            "vld1.8 {{d6}}, [{a}]!",
            "vld1.8 {{d7}}, [{b}]!",
            "subs {count}, {count}, #8",
            "vsubl.u8 q10, d6, d0",
            "vsubl.u8 q11, d7, d1",
            "vmull.s16 q8, d20, d22",
            "vmull.s16 q9, d21, d23",
            "vcvt.f32.s32 q8, q8",
            "vcvt.f32.s32 q9, q9",
            "vmul.f32 q8, q8, q1",
            "vmul.f32 q9, q9, q1",
            "vadd.f32 q8, q8, q2",
            "vadd.f32 q9, q9, q2",
            "round q8",
            "round q9",
            "vmovn.i32 d16, q8",
            "vmovn.i32 d17, q9",
            "vmovn.i16 d16, q8",
            "vadd.i8 d16, d16, d14",
            "vst1.8 {{d16}}, [{to}]!",
            "bne 2b";
            factors = in(reg) &raw const factors,
            requantize = in(reg) &raw const requantize,
            count = inout(reg) many => _,
            a = inout(reg) a.as_ptr() => _,
            b = inout(reg) b.as_ptr() => _,
            to = inout(reg) to.as_mut_ptr() => _,
        );
    }
}

/// Rows whose bytes are added in 16 bits before their sum is widened: 256 times 255 fits.
const ROWS_PER_16_BIT_SUM: usize = 256;

/// Adds rows of bytes to sums, as [`Kernels::sum_rows`](crate::kernels::Kernels::sum_rows) does, sixteen columns at a
/// time. `check_rows` must have verified the lengths.
pub(super) fn sum_rows(neon: Neon, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    let (blocks, tail) = sums.as_chunks_mut::<16>();
    let done = blocks.len() * 16;
    for (number, sums) in blocks.iter_mut().enumerate() {
        for start in (0..count).step_by(ROWS_PER_16_BIT_SUM) {
            let rows = (count - start).min(ROWS_PER_16_BIT_SUM);
            let from = from[start * stride + number * 16..].as_ptr();
            // SAFETY: `check_rows` found `count` rows within `from`, each for as many bytes as there are sums. A block
            // is 16 of them.
            let added = unsafe { sum_block(neon, from, stride, rows) };
            for (sum, added) in sums.iter_mut().zip(added) {
                *sum += i32::from(added);
            }
        }
    }
    portable::sum_rows(&from[done.min(from.len())..], stride, count, tail);
}

/// The sums of sixteen columns over up to 256 rows, at least one.
///
/// # Safety
/// `_neon` is proof of NEON. Sixteen bytes of each of `count` rows, which start `stride` bytes apart from `from` on, are
/// read and must be readable.
unsafe fn sum_block(_neon: Neon, from: *const u8, stride: usize, count: usize) -> [u16; 16] {
    let mut sums = [0; 16];
    // SAFETY: the processor has NEON, as `_neon` exists. Each iteration reads sixteen bytes of a row. The sums, 32 bytes,
    // are written.
    unsafe {
        neon!(
            "vmov.i32 q8, #0",
            "vmov.i32 q9, #0",
            "2:",
            "vld1.8 {{d0, d1}}, [{from}], {stride}",
            "subs {count}, {count}, #1",
            "vaddw.u8 q8, q8, d0",
            "vaddw.u8 q9, q9, d1",
            "bne 2b",
            "vst1.16 {{d16-d19}}, [{sums}]";
            from = inout(reg) from => _,
            stride = in(reg) stride,
            count = inout(reg) count => _,
            sums = in(reg) sums.as_mut_ptr(),
        );
    }
    sums
}
