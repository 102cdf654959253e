//! Dot-product instructions: in each of four lanes, four bytes times four weights, added to a 32-bit sum. And `usmmla`,
//! the 8-bit matrix product of two rows and two outputs.
//!
//! Depthwise kernels use [`Dot`], and GEMM uses [`dot_by_lane`] and [`usmmla`]. These two are written apart, as the
//! lane is part of the instruction of one of them, and their operands have the opposite order.

use std::arch::aarch64::{int32x4_t, uint8x16_t, vzip1q_u8, vzip2q_u8};
use std::arch::asm;

use super::features::{DotProducts, InstructionSet, MatrixProducts};

/// One instruction that multiplies four bytes of a tensor by four signed weights in each lane.
pub(super) trait Dot: InstructionSet {
    /// Adds to each lane of `sums` the products of the four bytes and the four weights of that lane, for each of four
    /// vectors. The bytes are those that [`InstructionSet::offset_input`] gives.
    ///
    /// An implementation is one assembly block for all four vectors, and declares that it may access memory, so that
    /// the compiler keeps the order of these blocks. Otherwise the compiler interleaves the work of several outputs,
    /// keeps more weights in registers, and runs out of registers.
    fn dot(self, sums: [int32x4_t; 4], bytes: [uint8x16_t; 4], weights: [uint8x16_t; 4]) -> [int32x4_t; 4];
}

/// Implements [`Dot`] by an instruction, which the assembler knows with an extension.
macro_rules! implement_dot {
    ($set:ty, $extension:literal, $instruction:literal) => {
        impl Dot for $set {
            #[inline(always)]
            fn dot(
                self,
                [mut a, mut b, mut c, mut d]: [int32x4_t; 4],
                bytes: [uint8x16_t; 4],
                weights: [uint8x16_t; 4],
            ) -> [int32x4_t; 4] {
                // SAFETY: the processor has the instruction, as `self` exists. The instructions read and write the
                // named registers and nothing else, no flags either.
                unsafe {
                    asm!(
                        concat!(".arch_extension ", $extension),
                        concat!($instruction, " {a:v}.4s, {ba:v}.16b, {wa:v}.16b"),
                        concat!($instruction, " {b:v}.4s, {bb:v}.16b, {wb:v}.16b"),
                        concat!($instruction, " {c:v}.4s, {bc:v}.16b, {wc:v}.16b"),
                        concat!($instruction, " {d:v}.4s, {bd:v}.16b, {wd:v}.16b"),
                        a = inout(vreg) a, b = inout(vreg) b, c = inout(vreg) c, d = inout(vreg) d,
                        ba = in(vreg) bytes[0], bb = in(vreg) bytes[1],
                        bc = in(vreg) bytes[2], bd = in(vreg) bytes[3],
                        wa = in(vreg) weights[0], wb = in(vreg) weights[1],
                        wc = in(vreg) weights[2], wd = in(vreg) weights[3],
                        options(nostack, preserves_flags)
                    );
                }
                [a, b, c, d]
            }
        }
    };
}

// `sdot` multiplies signed bytes, and `usdot` unsigned ones.
implement_dot!(DotProducts, "dotprod", "sdot");
implement_dot!(MatrixProducts, "i8mm", "usdot");

/// Transposes sixteen channels of four pixels to four vectors of four channels each. A lane holds the four pixels'
/// bytes of its channel, as the operand of [`Dot::dot`].
#[inline(always)]
pub(super) fn transposed<D: Dot>(dot: D, pixels: [uint8x16_t; 4]) -> [uint8x16_t; 4] {
    // SAFETY: the processor has NEON, as `dot` exists; only registers are accessed.
    unsafe {
        let [a, b, c, d] = pixels.map(|pixel| dot.offset_input(pixel));
        let (even, odd) = (vzip1q_u8(a, c), vzip1q_u8(b, d));
        let (first, second) = (vzip1q_u8(even, odd), vzip2q_u8(even, odd));
        let (even, odd) = (vzip2q_u8(a, c), vzip2q_u8(b, d));
        [first, second, vzip1q_u8(even, odd), vzip2q_u8(even, odd)]
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
