//! GEMM micro-kernels: eight inputs of a few rows times the weights of 8 or 16 outputs, one for each instruction set.
//!
//! All take rows in pairs, one vector for each pair: eight bytes of one row, then eight of the other. All take as many
//! vectors of weights as the sums of a pair have vectors. They differ in the order of the weights and in which sums a
//! vector holds. So each has its own [`MicroKernel::step`]: a vector of weights goes into one vector of sums of a pair
//! by `usmmla`, into two by `sdot`, four lanes of the rows in turn, and `smull` takes rows that `ld4r` has spread.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, uint8x16_t, vld1q_u8, vld4q_dup_s16, vreinterpretq_s8_s16, vreinterpretq_s8_u8,
};
use std::arch::asm;
use std::array::from_fn;

use super::dots::{dot_by_lane, usmmla};
use super::features::{DotProducts, InstructionSet, MatrixProducts, Neon};

/// Inputs (columns of the matrix) for each step of a micro-kernel.
pub(super) const STEP: usize = 8;

/// One micro-kernel. `V` is the number of vectors that hold the sums of a pair of rows: 8 for 16 outputs, 4 for 8
/// outputs.
///
/// # Safety
/// An implementation guarantees that a value exists only where the processor has the instructions that
/// [`MicroKernel::step`] needs. It guarantees that `step` reads no memory but the `P` times 16 bytes from `rows` on and
/// the `V` times 16 bytes from `weights` on, and requires no alignment of them.
pub(super) unsafe trait MicroKernel: InstructionSet {
    /// Whether a vector of sums holds two outputs of both rows of a pair (2×2), and not four outputs of one row.
    const SUMS_ARE_2X2: bool;

    /// Whether `step` is exact for all 8-bit weights. Otherwise two inputs of an output must not both have the weight
    /// -128 if they are two apart within a group of four: `step` adds their products in 16 bits.
    const ANY_WEIGHTS: bool;

    /// Which weight is byte `byte` of vector `vector`, of the `vectors` of a step: its output and its input. The output
    /// is below `2 * vectors`, the input below [`STEP`].
    fn weight_at(vector: usize, byte: usize, vectors: usize) -> (usize, usize);

    /// Adds to `sums` the products of `P` pairs of rows and `V` vectors of weights, over [`STEP`] inputs. The rows'
    /// bytes are those that [`InstructionSet::offset_input`] gives.
    ///
    /// # Safety
    /// `self` is proof of NEON, and of dot or matrix products where `step` uses them. `P` times 16 bytes from `rows` on
    /// and `V` times 16 bytes from `weights` on are read and must be readable.
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    );
}

/// Loads vector `number` from `from` on.
///
/// # Safety
/// `_set` is proof of NEON. The 16 bytes from `from + number * 16` on are read and must be readable.
#[inline(always)]
unsafe fn vector(_set: impl InstructionSet, from: *const u8, number: usize) -> uint8x16_t {
    // SAFETY: the processor has NEON, as `_set` exists; the load reads 16 bytes, of any alignment, which are readable.
    unsafe { vld1q_u8(from.add(number * 16)) }
}

/// Loads `N` vectors.
///
/// # Safety
/// `set` is proof of NEON. `N` times 16 bytes from `from` on are read and must be readable.
#[inline(always)]
unsafe fn vectors<const N: usize>(set: impl InstructionSet, from: *const u8) -> [uint8x16_t; N] {
    // SAFETY: `number` is below `N`, and `N` vectors are readable.
    from_fn(|number| unsafe { vector(set, from, number) })
}

/// `smull`, `smlal` and `sadalp`: two products of bytes are added in 16 bits, and pairs of these sums to 32 bits. The
/// result is exact: of the sums of two products of signed bytes only that of twice -128 · -128 exceeds 16 bits, and
/// weights are packed so that it can't occur.
// SAFETY: `step` reads 16 bytes for each vector of weights, and 8 bytes for each of 2 times `P` rows. It needs NEON
// only.
unsafe impl MicroKernel for Neon {
    const SUMS_ARE_2X2: bool = false;
    const ANY_WEIGHTS: bool = false;

    fn weight_at(vector: usize, byte: usize, _: usize) -> (usize, usize) {
        (vector / 4 * 8 + byte / 2, vector % 4 * 2 + byte % 2)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        // SAFETY: the processor has NEON, as `self` exists. `V` vectors of weights are readable. Row `row`, below 2
        // times `P`, has its eight bytes at `row * 8`, as two rows are the 16 bytes of a pair. The load reads these
        // eight bytes and no more, of any alignment.
        unsafe {
            let weights = vectors::<V>(self, weights).map(|weights| vreinterpretq_s8_u8(weights));
            for row in 0..2 * P {
                // Each of the four vectors has two inputs in all lanes: the first two, the next two, and so on.
                let inputs = vld4q_dup_s16(rows.add(row * STEP).cast());
                let inputs = [inputs.0, inputs.1, inputs.2, inputs.3].map(|two| vreinterpretq_s8_s16(two));
                for (group, weights) in weights.as_chunks::<4>().0.iter().enumerate() {
                    let first = row % 2 * (V / 2) + group * 2;
                    let sums = &mut sums[row / 2];
                    [sums[first], sums[first + 1]] = widening(self, [sums[first], sums[first + 1]], inputs, weights);
                }
            }
        }
    }
}

/// Adds to the sums of eight outputs the products of eight inputs of one row and the outputs' weights.
///
/// It is one assembly block that declares that it may access memory, so that the compiler keeps the order of these
/// blocks. Otherwise the compiler computes the products of several rows before their sums, runs out of registers, and
/// spills them.
#[inline(always)]
fn widening(
    _neon: Neon,
    [mut low, mut high]: [int32x4_t; 2],
    inputs: [int8x16_t; 4],
    weights: &[int8x16_t; 4],
) -> [int32x4_t; 2] {
    // SAFETY: the processor has NEON, as `_neon` exists. The instructions read and write the named registers and
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

/// `sdot` by lane: four inputs of one row times the weights of four outputs.
// SAFETY: `step` reads 16 bytes for each pair and 16 bytes for each vector of weights. It needs NEON and dot products,
// and a `DotProducts` exists only where the processor has both.
unsafe impl MicroKernel for DotProducts {
    const SUMS_ARE_2X2: bool = false;
    const ANY_WEIGHTS: bool = true;

    fn weight_at(vector: usize, byte: usize, vectors: usize) -> (usize, usize) {
        let groups = vectors / 2;
        (vector % groups * 4 + byte / 4, vector / groups * 4 + byte % 4)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        // SAFETY: `P` vectors of rows are readable.
        let rows = unsafe { vectors::<P>(self, rows) };
        // Groups of four outputs: the weights of their first four inputs, then of the second four.
        let groups = V / 2;
        for group in 0..groups {
            // SAFETY: both numbers are below `V`, and `V` vectors of weights are readable.
            let [first, second] = [group, groups + group].map(|number| unsafe { vector(self, weights, number) });
            for (sums, &rows) in sums.iter_mut().zip(&rows) {
                sums[group] = dot_by_lane::<0>(self, sums[group], first, rows);
                sums[groups + group] = dot_by_lane::<2>(self, sums[groups + group], first, rows);
                sums[group] = dot_by_lane::<1>(self, sums[group], second, rows);
                sums[groups + group] = dot_by_lane::<3>(self, sums[groups + group], second, rows);
            }
        }
    }
}

/// `usmmla`: eight inputs of two rows times the weights of two outputs.
// SAFETY: `step` reads 16 bytes for each pair and 16 bytes for each vector of weights. It needs NEON and 8-bit matrix
// products, and a `MatrixProducts` exists only where the processor has both.
unsafe impl MicroKernel for MatrixProducts {
    const SUMS_ARE_2X2: bool = true;
    const ANY_WEIGHTS: bool = true;

    fn weight_at(vector: usize, byte: usize, _: usize) -> (usize, usize) {
        (vector * 2 + byte / 8, byte % 8)
    }

    #[inline(always)]
    unsafe fn step<const P: usize, const V: usize>(
        self,
        sums: &mut [[int32x4_t; V]; P],
        rows: *const u8,
        weights: *const u8,
    ) {
        // SAFETY: `P` vectors of rows are readable.
        let rows = unsafe { vectors::<P>(self, rows) };
        for outputs in 0..V {
            // SAFETY: `outputs` is below `V`, and `V` vectors of weights are readable.
            let weights = unsafe { vector(self, weights, outputs) };
            for (sums, &rows) in sums.iter_mut().zip(&rows) {
                sums[outputs] = usmmla(self, sums[outputs], rows, weights);
            }
        }
    }
}
