//! Dot-product instructions: in each of four lanes, four bytes times four weights, added to a 32-bit sum. And `usmmla`,
//! the 8-bit matrix product of two rows and two outputs.

use std::arch::aarch64::{int32x4_t, uint8x16_t, vdupq_n_u8, veorq_u8};
use std::arch::asm;

use super::features::{DotProducts, MatrixProducts, Neon};

/// One instruction that multiplies four bytes of a tensor by four signed weights in each lane.
///
/// # Safety
/// An implementation guarantees that a value exists only where the processor has NEON.
pub(super) unsafe trait Dot: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// What [`Dot::offset_input`] subtracts from a tensor's byte. The bias of a sum compensates for it.
    const INPUT_OFFSET: i32;

    /// Converts a tensor's bytes to the operand of [`Dot::dot`]: bytes minus [`Dot::INPUT_OFFSET`].
    fn offset_input(self, bytes: uint8x16_t) -> uint8x16_t;

    /// Adds to each lane of `sums` the products of the four bytes and the four weights of that lane, for each of four
    /// vectors.
    ///
    /// An implementation is one assembly block for all four vectors, and declares that it may access memory, so that
    /// the compiler keeps the order of these blocks. Otherwise the compiler interleaves the work of several outputs,
    /// keeps more weights in registers, and runs out of registers.
    fn dot(self, sums: [int32x4_t; 4], bytes: [uint8x16_t; 4], weights: [uint8x16_t; 4]) -> [int32x4_t; 4];
}

/// Unsigned bytes minus 128, as signed bytes.
#[inline(always)]
pub(super) fn signed(_neon: Neon, bytes: uint8x16_t) -> uint8x16_t {
    // SAFETY: the processor has NEON, as `_neon` exists; only registers are accessed.
    unsafe { veorq_u8(bytes, vdupq_n_u8(0x80)) }
}

/// `sdot`, which multiplies signed bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignedDot(pub(super) DotProducts);

// SAFETY: a `DotProducts` exists only where the processor has NEON.
unsafe impl Dot for SignedDot {
    const INPUT_OFFSET: i32 = 128;

    #[inline(always)]
    fn offset_input(self, bytes: uint8x16_t) -> uint8x16_t {
        signed(self.0.neon(), bytes)
    }

    #[inline(always)]
    fn dot(
        self,
        [mut a, mut b, mut c, mut d]: [int32x4_t; 4],
        bytes: [uint8x16_t; 4],
        weights: [uint8x16_t; 4],
    ) -> [int32x4_t; 4] {
        // SAFETY: the processor has `sdot`, as `self` is made of a `DotProducts`. The instructions read and write the
        // named registers and nothing else, no flags either.
        unsafe {
            asm!(
                ".arch_extension dotprod",
                "sdot {a:v}.4s, {ba:v}.16b, {wa:v}.16b",
                "sdot {b:v}.4s, {bb:v}.16b, {wb:v}.16b",
                "sdot {c:v}.4s, {bc:v}.16b, {wc:v}.16b",
                "sdot {d:v}.4s, {bd:v}.16b, {wd:v}.16b",
                a = inout(vreg) a, b = inout(vreg) b, c = inout(vreg) c, d = inout(vreg) d,
                ba = in(vreg) bytes[0], bb = in(vreg) bytes[1], bc = in(vreg) bytes[2], bd = in(vreg) bytes[3],
                wa = in(vreg) weights[0], wb = in(vreg) weights[1], wc = in(vreg) weights[2], wd = in(vreg) weights[3],
                options(nostack, preserves_flags)
            );
        }
        [a, b, c, d]
    }
}

/// `usdot`, which multiplies unsigned bytes by signed weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnsignedDot(pub(super) MatrixProducts);

// SAFETY: a `MatrixProducts` exists only where the processor has NEON.
unsafe impl Dot for UnsignedDot {
    const INPUT_OFFSET: i32 = 0;

    #[inline(always)]
    fn offset_input(self, bytes: uint8x16_t) -> uint8x16_t {
        bytes
    }

    #[inline(always)]
    fn dot(
        self,
        [mut a, mut b, mut c, mut d]: [int32x4_t; 4],
        bytes: [uint8x16_t; 4],
        weights: [uint8x16_t; 4],
    ) -> [int32x4_t; 4] {
        // SAFETY: the processor has `usdot`, as `self` is made of a `MatrixProducts`. The instructions read and write
        // the named registers and nothing else, no flags either.
        unsafe {
            asm!(
                ".arch_extension i8mm",
                "usdot {a:v}.4s, {ba:v}.16b, {wa:v}.16b",
                "usdot {b:v}.4s, {bb:v}.16b, {wb:v}.16b",
                "usdot {c:v}.4s, {bc:v}.16b, {wc:v}.16b",
                "usdot {d:v}.4s, {bd:v}.16b, {wd:v}.16b",
                a = inout(vreg) a, b = inout(vreg) b, c = inout(vreg) c, d = inout(vreg) d,
                ba = in(vreg) bytes[0], bb = in(vreg) bytes[1], bc = in(vreg) bytes[2], bd = in(vreg) bytes[3],
                wa = in(vreg) weights[0], wb = in(vreg) weights[1], wc = in(vreg) weights[2], wd = in(vreg) weights[3],
                options(nostack, preserves_flags)
            );
        }
        [a, b, c, d]
    }
}

/// `sdot` by lane: adds to each lane of `sums` the products of that lane's four weights and the four bytes in lane
/// `LANE` of `bytes`. Weights and bytes are signed.
#[inline(always)]
pub(super) fn dot_by_lane<const LANE: u32>(
    _proof: DotProducts,
    mut sums: int32x4_t,
    weights: uint8x16_t,
    bytes: uint8x16_t,
) -> int32x4_t {
    // SAFETY: the processor has `sdot`, as `_proof` exists. The instruction reads and writes the named registers and
    // nothing else, no flags either, and its result depends only on them.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sums:v}.4s, {weights:v}.16b, {bytes:v}.4b[{lane}]",
            sums = inlateout(vreg) sums, weights = in(vreg) weights, bytes = in(vreg) bytes, lane = const LANE,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}

/// `usmmla`: adds the products of two rows of eight unsigned bytes and two outputs' eight signed weights. Of the four
/// sums, the first two are those of the first row.
#[inline(always)]
pub(super) fn usmmla(_proof: MatrixProducts, mut sums: int32x4_t, bytes: uint8x16_t, weights: uint8x16_t) -> int32x4_t {
    // SAFETY: the processor has `usmmla`, as `_proof` exists. The instruction reads and writes the named registers and
    // nothing else, no flags either, and its result depends only on them.
    unsafe {
        asm!(
            ".arch_extension i8mm",
            "usmmla {sums:v}.4s, {bytes:v}.16b, {weights:v}.16b",
            sums = inlateout(vreg) sums, bytes = in(vreg) bytes, weights = in(vreg) weights,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}
