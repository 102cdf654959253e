//! Eight inputs of a few rows times those of 8 or 16 outputs: the innermost part of a matrix product, three ways.
//!
//! All take rows in pairs, eight bytes of one beside eight of the other, and weights in as many vectors as a pair has sums
//! in. They differ in which weight lies where and in what a vector of sums is.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, uint8x16_t, vld1q_u8, vld4q_dup_s16, vreinterpretq_s8_s16, vreinterpretq_s8_u8,
};
use std::arch::asm;
use std::array::from_fn;

use super::dots::{block, dot_by_lane, signed};
use super::features::{DotProducts, MatrixProducts, Neon};

/// Inputs a step.
pub(super) const STEP: usize = 8;

/// One way to multiply. `V` is the number of vectors that the sums of a pair of rows take: a quarter of the outputs, twice.
///
/// # Safety
/// Who implements this promises that a value exists only where the processor has NEON and what [`Products::step`] needs,
/// and that this reads no memory but the `P` times 16 bytes from `rows` on and the `V` times 16 from `weights` on, and
/// asks for no alignment of them.
pub(super) unsafe trait Products: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// How much lower than in the tensor a byte is when it's multiplied.
    const SHIFT: i32;

    /// Whether a vector of sums holds two outputs of both rows of a pair, and not four outputs of one.
    const BLOCKS: bool;

    /// Whether the greatest negative weight may stand two inputs after itself.
    const ANY_WEIGHTS: bool;

    /// A tensor's bytes as [`Products::step`] takes them.
    fn prepare(self, bytes: uint8x16_t) -> uint8x16_t;

    /// Which output's and which input's weight is byte `byte` of vector `vector`.
    fn place(vector: usize, byte: usize, vectors: usize) -> (usize, usize);

    /// Adds the products of `P` pairs of rows with the outputs of `V` vectors of weights.
    ///
    /// # Safety
    /// `self` is proof of NEON, and of dot or matrix products where there are any. `P` times 16 bytes from `rows` on and
    /// `V` times 16 from `weights` on are read and must be readable.
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    );
}

/// Vector `number` from `from` on.
///
/// # Safety
/// `_neon` is proof of NEON. The 16 bytes from `from + number * 16` on are read and must be readable.
#[inline(always)]
unsafe fn vector(_neon: Neon, from: *const u8, number: usize) -> uint8x16_t {
    // SAFETY: the processor has NEON, as `_neon` exists; the load reads 16 bytes, of any alignment, which are readable.
    unsafe { vld1q_u8(from.add(number * 16)) }
}

/// Products of two bytes each in 16 bits, two of them added there, pairs of sums added to 32 bits. Exact: of two products of
/// signed bytes only twice -128 · -128 is beyond 16 bits, and weights are packed so that it can't be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Widening(pub(super) Neon);

// SAFETY: `step` reads 16 bytes a vector of weights, and 8 bytes for each of 2 times `P` rows; it needs NEON alone.
unsafe impl Products for Widening {
    const SHIFT: i32 = 128;
    const BLOCKS: bool = false;
    const ANY_WEIGHTS: bool = false;

    #[inline(always)]
    fn prepare(self, bytes: uint8x16_t) -> uint8x16_t {
        signed(self.0, bytes)
    }

    fn place(vector: usize, byte: usize, _: usize) -> (usize, usize) {
        (vector / 4 * 8 + byte / 2, vector % 4 * 2 + byte % 2)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        // SAFETY: the processor has NEON, as `self.0` exists. `number` is below `V`, and as many vectors of weights are
        // readable. Row `row`, below 2 times `P`, has its eight bytes, of which the load reads no more and of any
        // alignment, at `row * 8`: two rows are the 16 bytes of a pair.
        unsafe {
            let weights: [_; V] = from_fn(|number| vreinterpretq_s8_u8(vector(self.0, weights, number)));
            for row in 0..2 * P {
                // Two inputs in every lane, then the next two, and so on.
                let inputs = vld4q_dup_s16(rows.add(row * STEP).cast());
                let inputs = [inputs.0, inputs.1, inputs.2, inputs.3].map(|two| vreinterpretq_s8_s16(two));
                for (octet, weights) in weights.as_chunks::<4>().0.iter().enumerate() {
                    let first = row % 2 * (V / 2) + octet * 2;
                    let sums = &mut sums[row / 2];
                    [sums[first], sums[first + 1]] = widening(self.0, [sums[first], sums[first + 1]], inputs, weights);
                }
            }
        }
    }
}

/// Adds the products of eight inputs of one row with those of eight outputs.
///
/// One block, that reads as if it touched memory: let alone, the compiler takes the products of several rows before their
/// sums, has too few registers for them, and stores them.
#[inline(always)]
fn widening(
    _neon: Neon,
    [mut low, mut high]: [int32x4_t; 2],
    inputs: [int8x16_t; 4],
    weights: &[int8x16_t; 4],
) -> [int32x4_t; 2] {
    // SAFETY: the processor has NEON, as `_neon` exists. The instructions read and write the registers that are named and
    // nothing else, no flags either.
    unsafe {
        asm!(
            "smull {t:v}.8h, {a:v}.8b, {wa:v}.8b",
            "smull2 {u:v}.8h, {a:v}.16b, {wa:v}.16b",
            "smlal {t:v}.8h, {b:v}.8b, {wb:v}.8b",
            "smlal2 {u:v}.8h, {b:v}.16b, {wb:v}.16b",
            "sadalp {low:v}.4s, {t:v}.8h",
            "sadalp {high:v}.4s, {u:v}.8h",
            "smull {t:v}.8h, {c:v}.8b, {wc:v}.8b",
            "smull2 {u:v}.8h, {c:v}.16b, {wc:v}.16b",
            "smlal {t:v}.8h, {d:v}.8b, {wd:v}.8b",
            "smlal2 {u:v}.8h, {d:v}.16b, {wd:v}.16b",
            "sadalp {low:v}.4s, {t:v}.8h",
            "sadalp {high:v}.4s, {u:v}.8h",
            low = inout(vreg) low, high = inout(vreg) high, t = out(vreg) _, u = out(vreg) _,
            a = in(vreg) inputs[0], b = in(vreg) inputs[1], c = in(vreg) inputs[2], d = in(vreg) inputs[3],
            wa = in(vreg) weights[0], wb = in(vreg) weights[1], wc = in(vreg) weights[2], wd = in(vreg) weights[3],
            options(nostack, preserves_flags)
        );
    }
    [low, high]
}

/// `sdot`: four inputs of one row with those of four outputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dots(pub(super) DotProducts);

// SAFETY: `step` reads 16 bytes a pair and 16 bytes a vector of weights; it needs NEON and dot products, and a
// `DotProducts` exists only where there are both.
unsafe impl Products for Dots {
    const SHIFT: i32 = 128;
    const BLOCKS: bool = false;
    const ANY_WEIGHTS: bool = true;

    #[inline(always)]
    fn prepare(self, bytes: uint8x16_t) -> uint8x16_t {
        signed(self.0.neon(), bytes)
    }

    fn place(vector: usize, byte: usize, vectors: usize) -> (usize, usize) {
        let quads = vectors / 2;
        (vector % quads * 4 + byte / 4, vector / quads * 4 + byte % 4)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        let neon = self.0.neon();
        // SAFETY: `pair` is below `P`, and so many vectors of rows are readable; `quad` is below the half of `V`, and so
        // many vectors of weights are, twice.
        unsafe {
            let rows: [_; P] = from_fn(|pair| vector(neon, rows, pair));
            let quads = V / 2;
            for quad in 0..quads {
                let [first, second] = [vector(neon, weights, quad), vector(neon, weights, quads + quad)];
                for pair in 0..P {
                    let sums = &mut sums[pair];
                    sums[quad] = dot_by_lane::<0>(self.0, sums[quad], first, rows[pair]);
                    sums[quads + quad] = dot_by_lane::<2>(self.0, sums[quads + quad], first, rows[pair]);
                    sums[quad] = dot_by_lane::<1>(self.0, sums[quad], second, rows[pair]);
                    sums[quads + quad] = dot_by_lane::<3>(self.0, sums[quads + quad], second, rows[pair]);
                }
            }
        }
    }
}

/// `usmmla`: eight inputs of two rows with those of two outputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks(pub(super) MatrixProducts);

// SAFETY: `step` reads 16 bytes a pair and 16 bytes a vector of weights; it needs NEON and 8-bit matrix products, and a
// `MatrixProducts` exists only where there are both.
unsafe impl Products for Blocks {
    const SHIFT: i32 = 0;
    const BLOCKS: bool = true;
    const ANY_WEIGHTS: bool = true;

    #[inline(always)]
    fn prepare(self, bytes: uint8x16_t) -> uint8x16_t {
        bytes
    }

    fn place(vector: usize, byte: usize, _: usize) -> (usize, usize) {
        (vector * 2 + byte / 8, byte % 8)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        let neon = self.0.neon();
        // SAFETY: `pair` is below `P`, and so many vectors of rows are readable; `outputs` is below `V`, and so many
        // vectors of weights are.
        unsafe {
            let rows: [_; P] = from_fn(|pair| vector(neon, rows, pair));
            for (outputs, weights) in (0..V).map(|outputs| (outputs, vector(neon, weights, outputs))) {
                for (sums, &rows) in sums.iter_mut().zip(&rows) {
                    sums[outputs] = block(self.0, sums[outputs], rows, weights);
                }
            }
        }
    }
}
