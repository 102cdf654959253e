//! Element-wise kernels, and the two that go along rows of bytes: interleaving and sums. Each has the contract of the
//! function of its name in [`Kernels`](crate::kernels::Kernels), takes a vector at a time, and leaves the remainder to
//! the portable kernel. All need NEON.

use std::arch::aarch64::{
    float32x4_t, int16x8_t, uint8x16_t, uint8x16x3_t, uint8x16x4_t, vaddq_f32, vaddw_high_u8, vaddw_u8, vaddw_u16,
    vcvtq_f32_s32, vdivq_f32, vdupq_n_f32, vdupq_n_u8, vdupq_n_u16, vfmaq_f32, vget_high_u16, vget_low_s16,
    vget_low_u8, vget_low_u16, vld1q_f32, vld1q_s32, vld1q_u8, vmaxnmq_f32, vmovl_high_s16, vmovl_s16, vmull_high_s16,
    vmull_s16, vmulq_f32, vqtbl4q_u8, vqtbx4q_u8, vreinterpretq_s16_u16, vreinterpretq_s32_u32, vreinterpretq_u32_s32,
    vst1q_s32, vst1q_u8, vst3q_u8, vsubl_high_u8, vsubl_u8, vsubq_u8,
};
use std::array::from_fn;

use super::requantize::Requantize;
use crate::arithmetic::{AddRule, MultiplyRule};
use crate::kernels::{check_one, check_planes, check_rows, check_two, portable};

/// Loads sixteen bytes.
#[inline]
#[target_feature(enable = "neon")]
fn load(from: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the load reads 16 bytes, of any alignment: the array's.
    unsafe { vld1q_u8(from.as_ptr()) }
}

/// Stores sixteen bytes.
#[inline]
#[target_feature(enable = "neon")]
fn store(bytes: uint8x16_t, to: &mut [u8; 16]) {
    // SAFETY: the store writes 16 bytes, of any alignment: the array's.
    unsafe { vst1q_u8(to.as_mut_ptr(), bytes) }
}

/// Quantizes sixteen floats at a time.
#[target_feature(enable = "neon")]
pub(super) fn quantize(from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
    check_one(from, to);
    let requantize = Requantize::new(zero_point, 0, 255);
    let ((floats, from), (whole, remainder)) = (from.as_chunks::<16>(), to.as_chunks_mut::<16>());
    for (to, from) in whole.iter_mut().zip(floats) {
        let scale = vdupq_n_f32(scale);
        // `fmaxnm` gives the operand that is a number: NaN becomes -256, which is byte 0 with any zero point.
        let min = vdupq_n_f32(-256.0);
        let fours = from.as_chunks::<4>().0;
        // SAFETY: the load reads four floats, of any alignment: the array's.
        let four = |at: usize| unsafe { vmaxnmq_f32(vdivq_f32(vld1q_f32(fours[at].as_ptr()), scale), min) };
        store(requantize.pack::<false>([four(0), four(1), four(2), four(3)]), to);
    }
    portable::quantize(from, scale, zero_point, remainder);
}

/// Sixteen bytes minus `offset`, as two vectors of eight 16-bit numbers.
#[inline]
#[target_feature(enable = "neon")]
fn subtract(bytes: uint8x16_t, offset: u8) -> [int16x8_t; 2] {
    let offset = vdupq_n_u8(offset);
    [vsubl_u8(vget_low_u8(bytes), vget_low_u8(offset)), vsubl_high_u8(bytes, offset)]
        .map(|numbers| vreinterpretq_s16_u16(numbers))
}

/// Applies `operation` to sixteen bytes of `a` and of `b` at a time, requantizes its results and writes them to `to`.
/// Gives the number of bytes written, the largest multiple of sixteen in the length of `to`. `a` and `b` must be as
/// long as `to`. `PLAIN` requires [`Requantize::is_plain`].
#[inline]
#[target_feature(enable = "neon")]
fn combine<const PLAIN: bool>(
    a: &[u8],
    b: &[u8],
    to: &mut [u8],
    requantize: Requantize,
    operation: impl Fn(uint8x16_t, uint8x16_t) -> [float32x4_t; 4],
) -> usize {
    let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let (whole, _) = to.as_chunks_mut::<16>();
    for ((to, a), b) in whole.iter_mut().zip(a).zip(b) {
        store(requantize.pack::<PLAIN>(operation(load(a), load(b))), to);
    }
    whole.len() * 16
}

/// Adds sixteen pairs of bytes at a time.
#[target_feature(enable = "neon")]
pub(super) fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    check_two(a, b, to);
    let requantize = Requantize::new(rule.output_offset, rule.min, rule.max);
    let done = combine::<false>(a, b, to, requantize, |a, b| {
        let [a_ratio, b_ratio] = rule.scale_ratios.map(|ratio| vdupq_n_f32(ratio));
        let addend = vdupq_n_f32(rule.addend);
        let [a, b] = [subtract(a, rule.input_offsets[0]), subtract(b, rule.input_offsets[1])].map(|numbers| {
            let [low, high] = numbers;
            [vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)]
        });
        // The conversions to floats are exact: the integers have 9 bits.
        from_fn(|at| vfmaq_f32(vfmaq_f32(addend, vcvtq_f32_s32(b[at]), b_ratio), vcvtq_f32_s32(a[at]), a_ratio))
    });
    if done < to.len() {
        portable::add(rule, &a[done..], &b[done..], &mut to[done..]);
    }
}

/// Multiplies sixteen pairs of bytes at a time.
#[target_feature(enable = "neon")]
pub(super) fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    check_two(a, b, to);
    let magnitude = f64::from(255 * 255) * f64::from(rule.multiplier).abs() + f64::from(rule.addend).abs();
    let requantize = Requantize::new(rule.output_offset, rule.min, rule.max).with_max_magnitude(magnitude);
    let product = |a, b| {
        let [multiplier, addend] = [rule.multiplier, rule.addend].map(|number| vdupq_n_f32(number));
        let ([low, high], [b_low, b_high]) = (subtract(a, rule.zero_points[0]), subtract(b, rule.zero_points[1]));
        [
            vmull_s16(vget_low_s16(low), vget_low_s16(b_low)),
            vmull_high_s16(low, b_low),
            vmull_s16(vget_low_s16(high), vget_low_s16(b_high)),
            vmull_high_s16(high, b_high),
        ]
        .map(|product| vaddq_f32(vmulq_f32(vcvtq_f32_s32(product), multiplier), addend))
    };
    let done = if requantize.is_plain() {
        combine::<true>(a, b, to, requantize, product)
    } else {
        combine::<false>(a, b, to, requantize, product)
    };
    if done < to.len() {
        portable::multiply(rule, &a[done..], &b[done..], &mut to[done..]);
    }
}

/// A table in four parts of 64 bytes.
#[inline]
#[target_feature(enable = "neon")]
fn parts(table: &[u8; 256]) -> [uint8x16x4_t; 4] {
    let vectors = table.as_chunks::<16>().0;
    from_fn(|part| {
        let vector = |at: usize| load(&vectors[part * 4 + at]);
        uint8x16x4_t(vector(0), vector(1), vector(2), vector(3))
    })
}

/// The table's entries at sixteen indices.
#[inline]
#[target_feature(enable = "neon")]
fn find(parts: &[uint8x16x4_t; 4], mut index: uint8x16_t) -> uint8x16_t {
    let mut found = vqtbl4q_u8(parts[0], index);
    for &part in &parts[1..] {
        // `tbx` leaves the lanes unchanged whose index is beyond the part.
        index = vsubq_u8(index, vdupq_n_u8(64));
        found = vqtbx4q_u8(found, part, index);
    }
    found
}

/// Looks up `N` vectors.
///
/// # Safety
/// The processor must have NEON. `N` times 16 bytes from `from` on are read and must be readable. `N` times 16 bytes
/// from `to` on are written and must be writable. Both may be the same.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn look_up<const N: usize>(parts: &[uint8x16x4_t; 4], from: *const u8, to: *mut u8) {
    // SAFETY: `at` is below `N`, and `N` vectors of 16 bytes are readable, and writable, of any alignment. All are read
    // before one is written.
    unsafe {
        let found: [_; N] = from_fn(|at| find(parts, vld1q_u8(from.add(at * 16))));
        for (at, found) in found.into_iter().enumerate() {
            vst1q_u8(to.add(at * 16), found);
        }
    }
}

/// Looks up the first bytes of `count`, in whole vectors. Gives their number, the largest multiple of sixteen in
/// `count`.
///
/// # Safety
/// The processor must have NEON. `count` bytes from `from` on are read and must be readable. `count` bytes from `to` on
/// are written and must be writable. Both may be the same.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn look_up_all(table: &[u8; 256], from: *const u8, to: *mut u8, count: usize) -> usize {
    let parts = parts(table);
    let mut at = 0;
    // SAFETY: each iteration takes the 64 bytes, or the 16, from `at` on, which end within `count`. No later one takes
    // the same.
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

/// Looks up 64 bytes at a time, then sixteen.
#[target_feature(enable = "neon")]
pub(super) fn lookup(table: &[u8; 256], from: &[u8], to: &mut [u8]) {
    check_one(from, to);
    // SAFETY: both slices have `to.len()` bytes.
    let done = unsafe { look_up_all(table, from.as_ptr(), to.as_mut_ptr(), to.len()) };
    for (to, &from) in to[done..].iter_mut().zip(&from[done..]) {
        *to = table[usize::from(from)];
    }
}

/// Looks up 64 bytes at a time, then sixteen.
#[target_feature(enable = "neon")]
pub(super) fn lookup_in_place(table: &[u8; 256], bytes: &mut [u8]) {
    let pointer = bytes.as_mut_ptr();
    // SAFETY: the slice has `bytes.len()` bytes, which are read and written through this one pointer.
    let done = unsafe { look_up_all(table, pointer, pointer, bytes.len()) };
    portable::lookup_in_place(table, &mut bytes[done..]);
}

/// Interleaves sixteen bytes of each plane at a time.
#[target_feature(enable = "neon")]
pub(super) fn interleave(planes: [&[u8]; 3], to: &mut [u8]) {
    check_planes(planes, to);
    let (whole, remainder) = to.as_chunks_mut::<48>();
    let done = whole.len() * 16;
    let [a, b, c] = planes.map(|plane| plane.as_chunks::<16>().0);
    for (((to, a), b), c) in whole.iter_mut().zip(a).zip(b).zip(c) {
        // SAFETY: the store writes 48 bytes, of any alignment: the array's.
        unsafe { vst3q_u8(to.as_mut_ptr(), uint8x16x3_t(load(a), load(b), load(c))) };
    }
    portable::interleave(planes.map(|plane| &plane[done..]), remainder);
}

/// Rows whose bytes are added in 16 bits before their sum is widened: 256 times 255 fits.
const ROWS_PER_16_BIT_SUM: usize = 256;

/// Adds rows up, sixteen columns at a time.
#[target_feature(enable = "neon")]
pub(super) fn sum_rows(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    check_rows(from.len(), stride, count, sums.len());
    let (blocks, remainder) = sums.as_chunks_mut::<16>();
    let done = blocks.len() * 16;
    for (number, sums) in blocks.iter_mut().enumerate() {
        for start in (0..count).step_by(ROWS_PER_16_BIT_SUM) {
            let mut row = from[start * stride + number * 16..].as_ptr();
            let (mut low, mut high) = (vdupq_n_u16(0), vdupq_n_u16(0));
            for _ in start..count.min(start + ROWS_PER_16_BIT_SUM) {
                // SAFETY: `row` is where this block's bytes begin in one of `count` rows. `check_rows` found each row
                // within `from` for as many bytes as there are sums. A block is 16 of them, and the load reads 16
                // bytes, of any alignment.
                let bytes = unsafe { vld1q_u8(row) };
                (low, high) = (vaddw_u8(low, vget_low_u8(bytes)), vaddw_high_u8(high, bytes));
                row = row.wrapping_add(stride);
            }
            let added = [vget_low_u16(low), vget_high_u16(low), vget_low_u16(high), vget_high_u16(high)];
            for (sums, added) in sums.as_chunks_mut::<4>().0.iter_mut().zip(added) {
                // SAFETY: the load and the store take four numbers, of any alignment: the array's.
                unsafe {
                    let four = vaddw_u16(vreinterpretq_u32_s32(vld1q_s32(sums.as_ptr())), added);
                    vst1q_s32(sums.as_mut_ptr(), vreinterpretq_s32_u32(four));
                }
            }
        }
    }
    portable::sum_rows(&from[done.min(from.len())..], stride, count, remainder);
}
