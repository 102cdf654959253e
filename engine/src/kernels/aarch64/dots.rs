//! Dot products of four bytes in each of four lanes.

use std::arch::aarch64::{int32x4_t, uint8x16_t, vdupq_n_u8, veorq_u8};
use std::arch::asm;

use super::features::{DotProducts, MatrixProducts, Neon};

/// How bytes of a tensor are multiplied by signed weights, four in a lane.
///
/// # Safety
/// Who implements this promises that a value exists only where the processor has NEON.
pub(super) unsafe trait Dot: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// How much lower than in the tensor a byte is when it's multiplied.
    const SHIFT: i32;

    /// A tensor's bytes as [`Dot::dot`] takes them.
    fn prepare(self, bytes: uint8x16_t) -> uint8x16_t;

    /// Adds to each lane of `sums` the products of four bytes and four weights.
    ///
    /// One block for four vectors, that reads as if it touched memory: let alone, the compiler mixes what several outputs
    /// need and keeps weights at hand, and has too few registers for it.
    fn dot(self, sums: [int32x4_t; 4], bytes: [uint8x16_t; 4], weights: [uint8x16_t; 4]) -> [int32x4_t; 4];
}

/// Bytes less 128, as signed ones.
#[inline(always)]
pub(super) fn signed(_neon: Neon, bytes: uint8x16_t) -> uint8x16_t {
    // SAFETY: the processor has NEON, as `_neon` exists; registers alone are touched.
    unsafe { veorq_u8(bytes, vdupq_n_u8(0x80)) }
}

/// `sdot`, which takes signed bytes alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed(pub(super) DotProducts);

// SAFETY: a `DotProducts` exists only where there is a `Neon`.
unsafe impl Dot for Signed {
    const SHIFT: i32 = 128;

    #[inline(always)]
    fn prepare(self, bytes: uint8x16_t) -> uint8x16_t {
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
        // registers that are named and nothing else, no flags either.
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

/// `usdot`, which takes a tensor's bytes as they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsigned(pub(super) MatrixProducts);

// SAFETY: a `MatrixProducts` exists only where there is a `Neon`.
unsafe impl Dot for Unsigned {
    const SHIFT: i32 = 0;

    #[inline(always)]
    fn prepare(self, bytes: uint8x16_t) -> uint8x16_t {
        bytes
    }

    #[inline(always)]
    fn dot(
        self,
        [mut a, mut b, mut c, mut d]: [int32x4_t; 4],
        bytes: [uint8x16_t; 4],
        weights: [uint8x16_t; 4],
    ) -> [int32x4_t; 4] {
        // SAFETY: the processor has `usdot`, as `self` is made of a `MatrixProducts`. The instructions read and write the
        // registers that are named and nothing else, no flags either.
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

/// Adds the products of four weights in each lane with the four bytes in one lane, of signed numbers both.
#[inline(always)]
pub(super) fn dot_by_lane<const LANE: u32>(
    _proof: DotProducts,
    mut sums: int32x4_t,
    weights: uint8x16_t,
    bytes: uint8x16_t,
) -> int32x4_t {
    // SAFETY: the processor has `sdot`, as `_proof` exists. The instruction reads and writes the registers that are named
    // and nothing else, no flags either, and what it gives depends on them alone.
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

/// Adds the products of two rows of eight unsigned bytes and two of eight signed weights, by rows.
#[inline(always)]
pub(super) fn block(_proof: MatrixProducts, mut sums: int32x4_t, bytes: uint8x16_t, weights: uint8x16_t) -> int32x4_t {
    // SAFETY: the processor has `usmmla`, as `_proof` exists. The instruction reads and writes the registers that are
    // named and nothing else, no flags either, and what it gives depends on them alone.
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
