//! Eight inputs of a few rows times those of 8 or 16 outputs: the innermost part of a matrix product, three ways.
//!
//! All take rows in pairs, eight bytes of one beside eight of the other, and weights in as many vectors as a pair has sums
//! in. They differ in which weight lies where and in what a vector of sums is.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, uint8x16_t, vld1q_u8, vld4q_dup_s16, vreinterpretq_s8_s16, vreinterpretq_s8_u8,
};
use std::arch::asm;
use std::array::from_fn;

use super::dots::{Dot, Signed, Unsigned, block, dot_by_lane};

/// Inputs a step.
pub(super) const STEP: usize = 8;

/// One way to multiply. `V` is the number of vectors that the sums of a pair of rows take: a quarter of the outputs, twice.
pub(super) trait Products: std::fmt::Debug + Send + Sync + 'static {
    /// How much lower than in the tensor a byte is when it's multiplied.
    const SHIFT: i32;

    /// Whether a vector of sums holds two outputs of both rows of a pair, and not four outputs of one.
    const BLOCKS: bool;

    /// Whether the greatest negative weight may stand two inputs after itself.
    const ANY_WEIGHTS: bool;

    /// A tensor's bytes as [`Products::step`] takes them.
    fn prepare(bytes: uint8x16_t) -> uint8x16_t;

    /// Which output's and which input's weight is byte `byte` of vector `vector`.
    fn place(vector: usize, byte: usize, vectors: usize) -> (usize, usize);

    /// Adds the products of `P` pairs of rows with the outputs of `V` vectors of weights.
    ///
    /// # Safety
    /// `rows` and `weights` must be readable for 16 bytes a pair and a vector; the processor must have the instructions.
    unsafe fn step<const P: usize, const V: usize>(sums: &mut [[int32x4_t; V]; P], rows: *const u8, weights: *const u8);
}

/// Vector `number` from `from` on.
///
/// # Safety
/// It must be readable.
#[inline(always)]
unsafe fn vector(from: *const u8, number: usize) -> uint8x16_t {
    // SAFETY: as the caller promises.
    unsafe { vld1q_u8(from.add(number * 16)) }
}

/// Products of two bytes each in 16 bits, two of them added there, pairs of sums added to 32 bits. Exact: of two products of
/// signed bytes only twice -128 · -128 is beyond 16 bits, and weights are packed so that it can't be.
#[derive(Debug)]
pub(super) struct Widening;

impl Products for Widening {
    const SHIFT: i32 = 128;
    const BLOCKS: bool = false;
    const ANY_WEIGHTS: bool = false;

    #[inline(always)]
    fn prepare(bytes: uint8x16_t) -> uint8x16_t {
        Signed::prepare(bytes)
    }

    fn place(vector: usize, byte: usize, _: usize) -> (usize, usize) {
        (vector / 4 * 8 + byte / 2, vector % 4 * 2 + byte % 2)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        // SAFETY: as the caller promises; the other instructions every 64-bit ARM processor has.
        unsafe {
            let weights: [_; V] = from_fn(|number| vreinterpretq_s8_u8(vector(weights, number)));
            for row in 0..2 * P {
                // Two inputs in every lane, then the next two, and so on.
                let inputs = vld4q_dup_s16(rows.add(row * STEP).cast());
                let inputs = [inputs.0, inputs.1, inputs.2, inputs.3].map(|two| vreinterpretq_s8_s16(two));
                for (octet, weights) in weights.as_chunks::<4>().0.iter().enumerate() {
                    let first = row % 2 * (V / 2) + octet * 2;
                    let sums = &mut sums[row / 2];
                    [sums[first], sums[first + 1]] = widening([sums[first], sums[first + 1]], inputs, weights);
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
fn widening([mut low, mut high]: [int32x4_t; 2], inputs: [int8x16_t; 4], weights: &[int8x16_t; 4]) -> [int32x4_t; 2] {
    // SAFETY: instructions that every 64-bit ARM processor has, on registers alone.
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
#[derive(Debug)]
pub(super) struct Dots;

impl Products for Dots {
    const SHIFT: i32 = 128;
    const BLOCKS: bool = false;
    const ANY_WEIGHTS: bool = true;

    #[inline(always)]
    fn prepare(bytes: uint8x16_t) -> uint8x16_t {
        Signed::prepare(bytes)
    }

    fn place(vector: usize, byte: usize, vectors: usize) -> (usize, usize) {
        let quads = vectors / 2;
        (vector % quads * 4 + byte / 4, vector / quads * 4 + byte % 4)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let rows: [_; P] = from_fn(|pair| vector(rows, pair));
            let quads = V / 2;
            for quad in 0..quads {
                let [first, second] = [vector(weights, quad), vector(weights, quads + quad)];
                for pair in 0..P {
                    let sums = &mut sums[pair];
                    sums[quad] = dot_by_lane::<0>(sums[quad], first, rows[pair]);
                    sums[quads + quad] = dot_by_lane::<2>(sums[quads + quad], first, rows[pair]);
                    sums[quad] = dot_by_lane::<1>(sums[quad], second, rows[pair]);
                    sums[quads + quad] = dot_by_lane::<3>(sums[quads + quad], second, rows[pair]);
                }
            }
        }
    }
}

/// `usmmla`: eight inputs of two rows with those of two outputs.
#[derive(Debug)]
pub(super) struct Blocks;

impl Products for Blocks {
    const SHIFT: i32 = 0;
    const BLOCKS: bool = true;
    const ANY_WEIGHTS: bool = true;

    #[inline(always)]
    fn prepare(bytes: uint8x16_t) -> uint8x16_t {
        Unsigned::prepare(bytes)
    }

    fn place(vector: usize, byte: usize, _: usize) -> (usize, usize) {
        (vector * 2 + byte / 8, byte % 8)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let rows: [_; P] = from_fn(|pair| vector(rows, pair));
            for (outputs, weights) in (0..V).map(|outputs| (outputs, vector(weights, outputs))) {
                for (sums, &rows) in sums.iter_mut().zip(&rows) {
                    sums[outputs] = block(sums[outputs], rows, weights);
                }
            }
        }
    }
}
