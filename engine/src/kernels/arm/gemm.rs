//! GEMM: rows of the input are packed once for all outputs, then multiplied four at a time by the weights of eight
//! outputs.
//!
//! `vmull.s8` and `vmlal.s8` add two products of signed bytes in 16 bits, and `vpadal.s16` adds pairs of these sums to
//! 32 bits. The result is exact: of the sums of two products of signed bytes only that of twice -128 · -128 exceeds 16
//! bits, and weights are packed so that it can't occur. Bytes are offset by 128 when rows are packed, and the bias
//! compensates for it.

use std::array::from_fn;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::assembly::{Requantize, neon};
use super::features::Neon;
use crate::kernels::packing::{has_extremes, offset_bias, split_into_parts};
use crate::kernels::{Lines, Matrix, TAIL_PADDING};

/// Inputs (columns of the matrix) for each step of the micro-kernel.
const STEP: usize = 8;

/// Outputs of a tile. Their sums of four rows take eight of the sixteen vector registers.
const OUTPUTS: usize = 8;

/// The maximum number of rows that are multiplied at a time.
const ROWS: usize = 4;

/// Steps of a row in a panel on the stack: 32 kB, the size of a first-level data cache.
const PANEL: usize = 4096;

/// What is subtracted from a byte before it is multiplied.
const INPUT_OFFSET: u8 = 128;

/// Eight bytes of a row.
type PackedStep = MaybeUninit<u64>;

/// The weights of eight inputs and eight outputs. For the first four outputs, and then for the other four: the weights
/// of the first two inputs, output by output, then those of the next two, and so on.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
struct StepWeights([i8; STEP * OUTPUTS]);

/// A packed [`Matrix`].
#[derive(Debug)]
pub(super) struct Gemm {
    /// Proof of NEON, which the assembly relies on.
    neon: Neon,
    /// Inputs of a row.
    columns: usize,
    /// Outputs of a row: the rows of the matrix.
    rows: usize,
    /// The number of 8-bit parts that each weight is split into, which add up to it.
    parts: usize,
    requantize: Requantize,
    tiles: Vec<Tile>,
}

/// The packed weights of up to eight outputs.
#[derive(Debug)]
struct Tile {
    /// The first output.
    first: usize,
    /// The number of outputs. The remaining lanes are padding.
    outputs: usize,
    parameters: Parameters,
    /// For each part, those of each step.
    weights: Vec<StepWeights>,
}

/// What the sums of a tile's outputs start from, and what they are multiplied with in the end.
#[derive(Debug)]
#[repr(C, align(16))]
struct Parameters {
    /// It compensates for the offset of inputs.
    bias: [i32; OUTPUTS],
    multipliers: [f32; OUTPUTS],
}

/// The micro-kernel. `$start` are the lines that fill the sums of the rows behind the first, `$products` those that
/// multiply each row, and `$finish` those that do something with each row's sums. The sums of the first row are `q8` and
/// `q9`, those of the second `q10` and `q11`, and so on.
///
/// - `multiply_row` adds eight inputs of a row times the weights of eight outputs, in `q0` to `q3`, to the row's sums.
///   One load spreads the inputs: two of them to all lanes of `d8`, the next two to `d9`, and so on.
/// - `write_row` requantizes a row's sums and writes its eight bytes. Multipliers are in `q0` and `q1`. `bytes` and
///   `more` are the halves of `low`.
macro_rules! micro_kernel {
    ([$($start:literal),*], [$($products:literal),+], [$($finish:literal),+], $arguments:expr) => {{
        let (sums, weights, rows, requantize, to, to_stride) = $arguments;
        neon!(
            ".macro multiply_row low, high",
            "vld4.16 {{d8[], d9[], d10[], d11[]}}, [{rows}]!",
            "vmull.s8 q6, d0, d8",
            "vmull.s8 q7, d4, d8",
            "vmlal.s8 q6, d1, d9",
            "vmlal.s8 q7, d5, d9",
            r"vpadal.s16 \low, q6",
            r"vpadal.s16 \high, q7",
            "vmull.s8 q6, d2, d10",
            "vmull.s8 q7, d6, d10",
            "vmlal.s8 q6, d3, d11",
            "vmlal.s8 q7, d7, d11",
            r"vpadal.s16 \low, q6",
            r"vpadal.s16 \high, q7",
            ".endm",
            ".macro write_row low, high, bytes, more",
            r"vcvt.f32.s32 \low, \low",
            r"vcvt.f32.s32 \high, \high",
            r"vmul.f32 \low, \low, q0",
            r"vmul.f32 \high, \high, q1",
            r"round \low",
            r"round \high",
            r"vmovn.i32 \bytes, \low",
            r"vmovn.i32 \more, \high",
            r"vmovn.i16 \bytes, \low",
            r"vadd.i8 \bytes, \bytes, d14",
            r"vst1.8 {{\bytes}}, [{to}], {to_stride}",
            ".endm",
            "vldmia {sums}!, {{d16-d19}}",
            $($start,)*
            "2:",
            "vldmia {weights}!, {{d0-d7}}",
            "subs {steps}, {steps}, #1",
            $($products,)+
            "bne 2b",
            "vldmia {sums}, {{d0-d3}}",
            "vldmia {requantize}, {{d8-d15}}",
            $($finish,)+
            ".purgem multiply_row",
            ".purgem write_row";
            sums = inout(reg) sums => _,
            weights = inout(reg) weights.as_ptr() => _,
            steps = inout(reg) weights.len() => _,
            rows = inout(reg) rows => _,
            requantize = in(reg) requantize,
            to = inout(reg) to => _,
            to_stride = in(reg) to_stride,
        )
    }};
}

impl Tile {
    /// Packs the weights of the outputs from `first` on, eight at most. `parts` are those of the whole matrix.
    fn new(matrix: &Matrix<'_>, parts: &[Vec<i8>], first: usize) -> Tile {
        let outputs = (matrix.rows - first).min(OUTPUTS);
        let columns = matrix.columns;
        let output = |lane: usize| Some(first + lane).filter(|&output| output < matrix.rows);
        let bias = |output: usize| {
            offset_bias(matrix.bias[output], &matrix.weights[output * columns..][..columns], INPUT_OFFSET)
        };
        let packed = |part: &Vec<i8>, step: usize| {
            StepWeights(from_fn(|at| {
                let column = step * STEP + at % 32 / 8 * 2 + at % 2;
                let row = output(at / 32 * 4 + at % 8 / 2).filter(|_| column < columns);
                row.map_or(0, |row| part[row * columns + column])
            }))
        };
        let steps = columns.div_ceil(STEP);
        Tile {
            first,
            outputs,
            parameters: Parameters {
                bias: from_fn(|lane| output(lane).map_or(0, bias)),
                multipliers: from_fn(|lane| output(lane).map_or(0.0, |output| matrix.multipliers[output])),
            },
            weights: parts.iter().flat_map(|part| (0..steps).map(move |step| packed(part, step))).collect(),
        }
    }

    /// Computes the requantized outputs of `R` rows, four, two or one: eight bytes for each.
    ///
    /// # Safety
    /// `neon` is proof of NEON. From `rows` on, `R` times eight bytes for each of the tile's `weights` are read and must
    /// be readable. In each of `R` rows that start `to_stride` bytes apart from `to` on, eight bytes are written and must
    /// be writable.
    unsafe fn bytes<const R: usize>(
        &self,
        _neon: Neon,
        rows: *const PackedStep,
        requantize: &Requantize,
        to: *mut u8,
        to_stride: usize,
    ) {
        const { assert!(matches!(R, 1 | 2 | 4)) };
        // SAFETY: the processor has NEON, as `_neon` exists. There is a step for each of `weights`, at least one as a
        // matrix has columns, each of which reads its 64 bytes, with the alignment of a `StepWeights`, and eight bytes
        // of each row. `sums` and `requantize` are 64 bytes each, in the order of the registers. Each row's eight bytes
        // are written.
        unsafe {
            let arguments = (&raw const self.parameters, &self.weights[..], rows, requantize, to, to_stride);
            match R {
                4 => micro_kernel!(
                    ["vmov q10, q8", "vmov q11, q9", "vmov q12, q8", "vmov q13, q9", "vmov q14, q8", "vmov q15, q9"],
                    ["multiply_row q8, q9", "multiply_row q10, q11", "multiply_row q12, q13", "multiply_row q14, q15"],
                    [
                        "write_row q8, q9, d16, d17",
                        "write_row q10, q11, d20, d21",
                        "write_row q12, q13, d24, d25",
                        "write_row q14, q15, d28, d29"
                    ],
                    arguments
                ),
                2 => micro_kernel!(
                    ["vmov q10, q8", "vmov q11, q9"],
                    ["multiply_row q8, q9", "multiply_row q10, q11"],
                    ["write_row q8, q9, d16, d17", "write_row q10, q11, d20, d21"],
                    arguments
                ),
                _ => micro_kernel!([], ["multiply_row q8, q9"], ["write_row q8, q9, d16, d17"], arguments),
            }
        }
    }

    /// The sums of one row.
    ///
    /// # Safety
    /// `neon` is proof of NEON. From `rows` on, eight bytes for each of the tile's `weights` are read and must be
    /// readable.
    unsafe fn sums(&self, _neon: Neon, rows: *const PackedStep) -> [i32; OUTPUTS] {
        let mut sums = [0; OUTPUTS];
        let requantize = &Requantize::new(0, 0, 255);
        // SAFETY: the processor has NEON, as `_neon` exists. What is read is as for `bytes`, with one row. The 32 bytes
        // of the sums are written.
        unsafe {
            let arguments = (&raw const self.parameters, &self.weights[..], rows, requantize, &raw mut sums, 0);
            micro_kernel!([], ["multiply_row q8, q9"], ["vst1.32 {{d16-d19}}, [{to}], {to_stride}"], arguments);
        }
        sums
    }
}

/// Packs `steps` times eight bytes of a row, at least one step: each less [`INPUT_OFFSET`]. The packed steps are
/// `step_stride` bytes apart.
///
/// # Safety
/// `_neon` is proof of NEON. `steps` times eight bytes from `from` on are read and must be readable. The eight bytes of
/// each step from `to` on are written and must be writable.
unsafe fn pack_row(_neon: Neon, from: *const u8, to: *mut PackedStep, steps: usize, step_stride: usize) {
    // SAFETY: the processor has NEON, as `_neon` exists. Eight bytes are read, and written, for each step: first those of
    // one step where their number is odd, then those of two at a time.
    unsafe {
        neon!(
            "vmov.i8 q1, #128",
            "tst {steps}, #1",
            "beq 2f",
            "vld1.8 {{d0}}, [{from}]!",
            "veor d0, d0, d2",
            "vst1.8 {{d0}}, [{to}], {step_stride}",
            "subs {steps}, {steps}, #1",
            "beq 3f",
            "2:",
            "vld1.8 {{d0, d1}}, [{from}]!",
            "subs {steps}, {steps}, #2",
            "veor q0, q0, q1",
            "vst1.8 {{d0}}, [{to}], {step_stride}",
            "vst1.8 {{d1}}, [{to}], {step_stride}",
            "bne 2b",
            "3:";
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            steps = inout(reg) steps => _,
            step_stride = in(reg) step_stride,
        );
    }
}

/// The ranges of rows that are multiplied at a time, of `count`: fours, then two, then one.
fn groups(count: usize) -> impl Iterator<Item = Range<usize>> {
    let fours = count / ROWS * ROWS;
    let twos = fours + (count - fours) / 2 * 2;
    let rows = |range: Range<usize>, step: usize| range.step_by(step).map(move |first| first..first + step);
    rows(0..fours, ROWS).chain(rows(fours..twos, 2)).chain(rows(twos..count, 1))
}

impl Gemm {
    /// # Panics
    /// Where [`Matrix::check`] does.
    pub(super) fn new(neon: Neon, matrix: &Matrix<'_>) -> Gemm {
        matrix.check();
        // Two products with the weight -128 could exceed 16 bits.
        let min = if has_extremes(matrix.weights, matrix.columns) { -127 } else { -128 };
        let parts = split_into_parts(matrix.weights, min);
        Gemm {
            neon,
            columns: matrix.columns,
            rows: matrix.rows,
            parts: parts.len(),
            requantize: Requantize::of(matrix.output_stage),
            tiles: (0..matrix.rows).step_by(OUTPUTS).map(|first| Tile::new(matrix, &parts, first)).collect(),
        }
    }

    /// Steps of a row, for all parts of the weights: at least 1. The last of a part may have fewer than [`STEP`] inputs,
    /// and weights of zero for the others.
    fn steps(&self) -> usize {
        self.parts * self.columns.div_ceil(STEP)
    }

    /// Packs `count` rows, which start `stride` bytes apart, panel by panel, and calls `work` with each panel and the
    /// range of its rows. A panel has the rows in [`groups`]. Of each group, the first steps of all rows come first,
    /// then their second steps, and so on. Each row is packed once for each part of the weights.
    ///
    /// # Safety
    /// Of each of `count` rows, all columns and [`TAIL_PADDING`] bytes behind them must lie within `from`, and 7 bytes
    /// behind the columns are read.
    unsafe fn for_each_panel(
        &self,
        from: &[u8],
        stride: usize,
        count: usize,
        mut work: impl FnMut(*const PackedStep, Range<usize>),
    ) {
        #[allow(clippy::large_stack_arrays, reason = "32 kB, so that rows of up to 8192 columns need no allocation")]
        let mut stack = [PackedStep::uninit(); PANEL];
        let mut heap = vec![];
        let (steps, panel_rows) = (self.steps(), (PANEL / self.steps() / ROWS).max(1) * ROWS);
        let panel = if PANEL < panel_rows * steps {
            heap.resize(panel_rows * steps, PackedStep::uninit());
            &mut heap[..]
        } else {
            &mut stack[..]
        };
        for start in (0..count).step_by(panel_rows) {
            let end = count.min(start + panel_rows);
            for group in groups(end - start) {
                for row in group.clone() {
                    let at = group.start * steps + row - group.start;
                    let to = &mut panel[at..][..=(steps - 1) * group.len()];
                    // SAFETY: row `start + row` is one of `count`. A step is eight columns, and the last step has at
                    // least one: the bytes that are read end at most 7 bytes behind the columns.
                    unsafe { self.pack_parts(from[(start + row) * stride..].as_ptr(), to.as_mut_ptr(), group.len()) };
                }
            }
            work(panel.as_ptr(), start..end);
        }
    }

    /// Packs a row, once for each part of the weights. Its steps are `distance` steps of the panel apart.
    ///
    /// # Safety
    /// Of the row, the eight bytes of each step of a part are read and must be readable. Every `distance`th step from
    /// `to` on, as many as [`Gemm::steps`], is written and must be writable.
    unsafe fn pack_parts(&self, from: *const u8, to: *mut PackedStep, distance: usize) {
        let steps = self.columns.div_ceil(STEP);
        for part in 0..self.parts {
            // SAFETY: the steps of part `part` lie behind those of the parts before it.
            unsafe { pack_row(self.neon, from, to.add(part * steps * distance), steps, distance * STEP) };
        }
    }

    /// Writes the outputs of one tile for `R` rows.
    ///
    /// # Safety
    /// `R` must be one that [`Tile::bytes`] takes. From `panel` on, `R` rows of [`Gemm::steps`] are read and must be
    /// readable. In each of `R` rows that start `to_stride` bytes apart from `to` on, one byte for each of the tile's
    /// outputs is written and must be writable.
    unsafe fn rows<const R: usize>(&self, tile: &Tile, panel: *const PackedStep, to: *mut u8, to_stride: usize) {
        if tile.outputs == OUTPUTS {
            // SAFETY: the tile's outputs are eight.
            unsafe { tile.bytes::<R>(self.neon, panel, &self.requantize, to, to_stride) };
            return;
        }
        let mut rows = [[0; OUTPUTS]; R];
        // SAFETY: eight bytes of each of `R` rows are written to the array, and as many as there are outputs, fewer than
        // eight, are copied from there.
        unsafe {
            tile.bytes::<R>(self.neon, panel, &self.requantize, rows.as_mut_ptr().cast(), OUTPUTS);
            for (row, bytes) in rows.iter().enumerate() {
                to.add(row * to_stride).copy_from_nonoverlapping(bytes.as_ptr(), tile.outputs);
            }
        }
    }
}

impl crate::kernels::Gemm for Gemm {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        Lines::one(stride, count).check(self.columns + TAIL_PADDING, from.len(), (self.rows, to_stride), to.len());
        let work = |panel: *const PackedStep, rows: Range<usize>| {
            for tile in &self.tiles {
                for group in groups(rows.len()) {
                    let to = to[(rows.start + group.start) * to_stride + tile.first..].as_mut_ptr();
                    // SAFETY: the panel holds these rows in the same groups. `Lines::check` found the results of all
                    // rows within `to`, and the tile writes its own outputs, from its first on.
                    unsafe {
                        let panel = panel.add(group.start * self.steps());
                        match group.len() {
                            ROWS => self.rows::<ROWS>(tile, panel, to, to_stride),
                            2 => self.rows::<2>(tile, panel, to, to_stride),
                            _ => self.rows::<1>(tile, panel, to, to_stride),
                        }
                    }
                }
            }
        };
        // SAFETY: `Lines::check` found all rows within `from`, with `TAIL_PADDING` bytes behind the last.
        unsafe { self.for_each_panel(from, stride, count, work) };
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        Lines::one(stride, count).check(self.columns + TAIL_PADDING, from.len(), (self.rows, to_stride), to.len());
        // One row at a time: floats are a network's final outputs, which have few rows.
        for row in 0..count {
            let work = |panel: *const PackedStep, _| {
                for tile in &self.tiles {
                    // SAFETY: the panel holds the row.
                    let sums = unsafe { tile.sums(self.neon, panel) };
                    let to = &mut to[row * to_stride + tile.first..][..tile.outputs];
                    for ((to, sum), multiplier) in to.iter_mut().zip(sums).zip(tile.parameters.multipliers) {
                        *to = sum as f32 * multiplier;
                    }
                }
            };
            // SAFETY: `Lines::check` found all rows within `from`, with `TAIL_PADDING` bytes behind the last.
            unsafe { self.for_each_panel(&from[row * stride..], stride, 1, work) };
        }
    }
}
