//! GEMM: rows of the input are packed once for all outputs, then multiplied four at a time by the weights of 16
//! outputs. The multiplication itself is that of a [`MicroKernel`].

use std::arch::aarch64::{
    float32x4_t, int32x4_t, uint8x16_t, vextq_u8, vld1q_u8, vreinterpretq_u8_u16, vreinterpretq_u8_u64,
    vreinterpretq_u16_u8, vreinterpretq_u64_u8, vst1q_u8, vuzp1q_u16, vuzp2q_u16, vzip1q_u64, vzip2q_u64,
};
use std::array::from_fn;
use std::mem::{MaybeUninit, transmute};

use super::products::{MicroKernel, STEP};
use super::requantize::Requantize;
use super::vectors::{bytes, floats, integers, store};
use crate::kernels::packing::{has_extremes, offset_bias, split_into_parts};
use crate::kernels::{Lines, Matrix, TAIL_PADDING};

/// Pairs of rows that are multiplied at a time. With 16 outputs their sums take 16 of the 32 vector registers.
const PAIRS: usize = 2;

/// Vectors of a panel on the stack: 32 kB, the size of a first-level data cache.
const PANEL: usize = 2048;

/// A packed [`Matrix`].
#[derive(Debug)]
pub(super) struct Gemm<M> {
    /// Inputs of a row.
    columns: usize,
    /// Outputs of a row: the rows of the matrix.
    rows: usize,
    requantize: Requantize,
    tiles: Vec<Tile>,
    /// It is also the proof of NEON for all calls of functions that need it.
    micro_kernel: M,
}

/// The packed weights of sixteen outputs, or of eight.
#[derive(Debug)]
struct Tile {
    /// The first output.
    first: usize,
    /// The number of outputs. The remaining lanes are padding, with weights of zero.
    outputs: usize,
    /// Vectors that hold the sums of a pair of rows: 8 for sixteen outputs, 4 for eight.
    vectors: usize,
    /// The number of 8-bit parts that each weight is split into. The parts of a weight add up to it. There is one part
    /// where the micro-kernel is exact for all weights as they are.
    parts: usize,
    /// For each part and each step, `vectors` vectors in the order of [`MicroKernel::weight_at`].
    weights: Vec<uint8x16_t>,
    /// In the order of the sums. It compensates for the offset of inputs.
    bias: [int32x4_t; 8],
    /// In the order of the sums.
    multipliers: [float32x4_t; 8],
}

impl Tile {
    /// Packs the weights of the outputs from `first` on, sixteen at most.
    fn new<M: MicroKernel>(matrix: &Matrix<'_>, first: usize) -> Tile {
        let outputs = (matrix.rows - first).min(16);
        let vectors = if outputs > 8 { 8 } else { 4 };
        let columns = matrix.columns;
        let rows = &matrix.weights[first * columns..(first + outputs) * columns];
        // Two products with the weight -128 could exceed 16 bits.
        let min = if M::ANY_WEIGHTS || !has_extremes(rows, columns) { -128 } else { -127 };
        let parts = split_into_parts(rows, min);
        let bias = |output: usize| {
            offset_bias(matrix.bias[first + output], &rows[output * columns..][..columns], M::INPUT_OFFSET)
        };
        // The output whose sum is in a lane, of either row.
        let output_at = |vector: usize, lane: usize| {
            let output = if M::SUMS_ARE_2X2 { vector * 2 + lane % 2 } else { vector % (vectors / 2) * 4 + lane };
            Some(output).filter(|&output| output < outputs)
        };
        Tile {
            first,
            outputs,
            vectors,
            parts: parts.len(),
            weights: parts.iter().flat_map(|part| packed::<M>(part, columns, vectors)).collect(),
            bias: from_fn(|vector| integers(from_fn(|lane| output_at(vector, lane).map_or(0, bias)))),
            multipliers: from_fn(|vector| {
                floats(from_fn(|lane| output_at(vector, lane).map_or(0.0, |output| matrix.multipliers[first + output])))
            }),
        }
    }

    /// The sums of `P` pairs of rows, whose packed bytes start at `panel`.
    ///
    /// # Safety
    /// `micro_kernel` is proof of NEON, and of dot or matrix products where it uses them. `V` must be `vectors`, and
    /// the weights be in one part if `PLAIN`. From `panel` on, `steps` times `P` times 16 bytes are read and must be
    /// readable. `steps` must be the number of steps that the tile has weights for in each part.
    #[inline(always)]
    unsafe fn sums<M: MicroKernel, const P: usize, const V: usize, const PLAIN: bool>(
        &self,
        micro_kernel: M,
        panel: *const u8,
        steps: usize,
    ) -> [[int32x4_t; V]; P] {
        let bias: [int32x4_t; V] = from_fn(|vector| self.bias[vector]);
        let mut sums = [bias; P];
        let mut weights = self.weights.as_ptr().cast::<u8>();
        for _ in 0..if PLAIN { 1 } else { self.parts } {
            let mut rows = panel;
            // SAFETY: each step reads `P` times 16 bytes of rows and `V` times 16 bytes of weights, and both pointers
            // advance by these numbers. There are `steps` steps of rows in the panel, and `steps` steps of weights in
            // each of `parts` parts.
            unsafe {
                for _ in 0..steps / 2 {
                    micro_kernel.step(&mut sums, rows, weights);
                    micro_kernel.step(&mut sums, rows.add(P * 16), weights.add(V * 16));
                    (rows, weights) = (rows.add(2 * P * 16), weights.add(2 * V * 16));
                }
                if !steps.is_multiple_of(2) {
                    micro_kernel.step(&mut sums, rows, weights);
                    weights = weights.add(V * 16);
                }
            }
        }
        sums
    }

    /// Requantizes the sums of a pair of rows. Gives one vector for each row, whose first bytes are the tile's outputs.
    #[inline]
    #[target_feature(enable = "neon")]
    fn requantize<M: MicroKernel, const V: usize, const PLAIN: bool>(
        &self,
        sums: &[int32x4_t; V],
        requantize: Requantize,
    ) -> [uint8x16_t; 2] {
        let four = |first: usize| {
            requantize.apply::<PLAIN>(from_fn(|at| sums[first + at]), from_fn(|at| self.multipliers[first + at]))
        };
        let first = four(0);
        if V == 8 && !M::SUMS_ARE_2X2 {
            return [first, four(4)];
        }
        if !M::SUMS_ARE_2X2 {
            return [first, vextq_u8::<8>(first, first)];
        }
        // Bytes alternate: two outputs of the first row, two of the second, and so on.
        let second = if V == 8 { four(4) } else { first };
        let [first, second] = [first, second].map(|bytes| vreinterpretq_u16_u8(bytes));
        [vreinterpretq_u8_u16(vuzp1q_u16(first, second)), vreinterpretq_u8_u16(vuzp2q_u16(first, second))]
    }

    /// Writes the outputs of the first row of the pair whose packed bytes start at `panel`, as many as `to` has floats:
    /// sums times multipliers.
    ///
    /// # Safety
    /// The requirements of [`Tile::sums`] must hold for one pair of rows.
    unsafe fn floats<M: MicroKernel, const V: usize>(
        &self,
        micro_kernel: M,
        panel: *const u8,
        steps: usize,
        to: &mut [f32],
    ) {
        // SAFETY: the requirements are the same.
        let [sums] = unsafe { self.sums::<M, 1, V, false>(micro_kernel, panel, steps) };
        for (output, to) in to.iter_mut().enumerate() {
            let (vector, lane) = if M::SUMS_ARE_2X2 { (output / 2, output % 2) } else { (output / 4, output % 4) };
            // SAFETY: each vector and its array have 16 bytes, and any bits are valid numbers.
            let (sums, multipliers) = unsafe {
                (
                    transmute::<int32x4_t, [i32; 4]>(sums[vector]),
                    transmute::<float32x4_t, [f32; 4]>(self.multipliers[vector]),
                )
            };
            *to = sums[lane] as f32 * multipliers[lane];
        }
    }
}

/// Packs rows of `columns` weights, at most `2 * vectors` rows: for each step, `vectors` vectors in the order of
/// [`MicroKernel::weight_at`]. Weights of zero stand for missing rows and columns.
fn packed<M: MicroKernel>(rows: &[i8], columns: usize, vectors: usize) -> impl Iterator<Item = uint8x16_t> {
    let vector = move |step: usize, vector: usize| {
        bytes(from_fn(|byte| {
            let (output, input) = M::weight_at(vector, byte, vectors);
            let input = step * STEP + input;
            let weight = rows.get(output * columns + input).filter(|_| input < columns);
            weight.map_or(0, |&weight| weight as u8)
        }))
    };
    (0..columns.div_ceil(STEP)).flat_map(move |step| (0..vectors).map(move |number| vector(step, number)))
}

/// Packed rows of the input. Rows are packed in groups of [`PAIRS`] pairs, and the remaining ones in groups of one
/// pair. Of each group, the vectors of the first step come first, one for each pair, then those of the second step, and
/// so on. An odd last row makes a pair with itself.
struct Panel<'a> {
    vectors: &'a mut [MaybeUninit<uint8x16_t>],
    steps: usize,
}

impl Panel<'_> {
    /// Packs `count` rows, which start `stride` bytes apart.
    ///
    /// # Panics
    /// Where the panel has fewer than `steps` vectors for each pair of rows.
    ///
    /// # Safety
    /// `micro_kernel` is proof of NEON, and of dot or matrix products where it uses them. `steps` must be at least 1.
    /// Of each of `count` rows, which start `stride` apart from `from` on, the eight bytes of each step, and eight more
    /// behind the last step, are read and must be readable.
    unsafe fn fill<M: MicroKernel>(&mut self, micro_kernel: M, from: *const u8, stride: usize, count: usize) {
        assert!(count.div_ceil(2) * self.steps <= self.vectors.len());
        let mut to = self.vectors.as_mut_ptr().cast::<u8>();
        let mut row = 0;
        while row < count {
            let pairs = if count - row >= 2 * PAIRS { PAIRS } else { 1 };
            for pair in 0..pairs {
                let first = row + 2 * pair;
                let second = (first + 1).min(count - 1);
                // SAFETY: both rows are below `count`. A group of `pairs` takes `pairs` times `steps` vectors of the
                // panel, which has them for all pairs of `count` rows, as asserted above. Pair `pair` takes every
                // `pairs`th vector of the group, from vector `pair` on.
                unsafe {
                    let rows = [from.add(first * stride), from.add(second * stride)];
                    self.pair(micro_kernel, rows, to.add(pair * 16), pairs * 16);
                }
            }
            // SAFETY: the group's vectors lie in the panel, so that this is within it, or its end.
            to = unsafe { to.add(pairs * self.steps * 16) };
            row += 2 * pairs;
        }
    }

    /// Packs a pair of rows. The vectors of its steps are `step_stride` bytes apart.
    ///
    /// # Safety
    /// `micro_kernel` is proof of NEON, and of dot or matrix products where it uses them. `steps` must be at least 1.
    /// Of either row the eight bytes of each step, and eight more behind the last step, are read and must be readable.
    /// For each step, the 16 bytes at the step times `step_stride` from `to` on are written and must be writable.
    #[inline(always)]
    unsafe fn pair<M: MicroKernel>(&self, micro_kernel: M, rows: [*const u8; 2], mut to: *mut u8, step_stride: usize) {
        // SAFETY: the processor has NEON, as `micro_kernel` exists. A load at a step reads 16 bytes, of any alignment:
        // eight of that step, and eight of the next step or behind the last, which are readable. Each store writes the
        // 16 bytes of a step, of any alignment. Each iteration stores two steps and begins before the last step; where
        // the number of steps is odd, the last step is stored by itself.
        unsafe {
            let two =
                |at: usize| rows.map(|row| vreinterpretq_u64_u8(micro_kernel.offset_input(vld1q_u8(row.add(at)))));
            for step in (0..self.steps - 1).step_by(2) {
                let [a, b] = two(step * STEP);
                vst1q_u8(to, vreinterpretq_u8_u64(vzip1q_u64(a, b)));
                vst1q_u8(to.add(step_stride), vreinterpretq_u8_u64(vzip2q_u64(a, b)));
                to = to.add(2 * step_stride);
            }
            if !self.steps.is_multiple_of(2) {
                let [a, b] = two((self.steps - 1) * STEP);
                vst1q_u8(to, vreinterpretq_u8_u64(vzip1q_u64(a, b)));
            }
        }
    }
}

impl<M: MicroKernel> Gemm<M> {
    /// # Panics
    /// Where [`Matrix::check`] does.
    pub(super) fn new(micro_kernel: M, matrix: &Matrix<'_>) -> Gemm<M> {
        matrix.check();
        Gemm {
            columns: matrix.columns,
            rows: matrix.rows,
            requantize: Requantize::for_sums(matrix.output_stage, matrix.weights, matrix.bias, matrix.multipliers),
            tiles: (0..matrix.rows).step_by(16).map(|first| Tile::new::<M>(matrix, first)).collect(),
            micro_kernel,
        }
    }

    /// Steps of a row, at least 1. The last may have fewer than [`STEP`] inputs, and weights of zero for the others.
    fn steps(&self) -> usize {
        self.columns.div_ceil(STEP)
    }

    /// Packs `count` rows, which start `stride` bytes apart, panel by panel, and calls `work` with the packed bytes of
    /// each panel ([`Panel`]) and the range of its rows.
    ///
    /// # Safety
    /// `self.micro_kernel` is proof of NEON. Of each of `count` rows, all columns and [`TAIL_PADDING`] bytes behind
    /// them must lie within `from`, and 15 bytes behind the columns are read.
    unsafe fn for_each_panel(
        &self,
        from: &[u8],
        stride: usize,
        count: usize,
        mut work: impl FnMut(*const u8, std::ops::Range<usize>),
    ) {
        #[allow(clippy::large_stack_arrays, reason = "32 kB, so that rows of up to 8192 columns need no allocation")]
        let mut stack = [MaybeUninit::<uint8x16_t>::uninit(); PANEL];
        let mut heap = vec![];
        let panel_rows = (PANEL / self.steps() / PAIRS).max(1) * PAIRS * 2;
        let vectors = if PANEL < panel_rows / 2 * self.steps() {
            heap.resize(panel_rows / 2 * self.steps(), MaybeUninit::uninit());
            &mut heap[..]
        } else {
            &mut stack[..]
        };
        let mut panel = Panel { vectors, steps: self.steps() };
        for start in (0..count).step_by(panel_rows) {
            let end = count.min(start + panel_rows);
            // SAFETY: rows `start` to `end` are among the `count`. A step is eight columns, and the last step has at
            // least one: the bytes that are read end at most 15 bytes behind the columns, within `TAIL_PADDING`. A
            // matrix has at least one column, and so one step.
            unsafe { panel.fill(self.micro_kernel, from[start * stride..].as_ptr(), stride, end - start) };
            work(panel.vectors.as_ptr().cast(), start..end);
        }
    }

    /// Requantizes the sums of a pair of rows and writes the tile's outputs: those of the first row, and those of the
    /// second where `rows` is at least 2.
    ///
    /// # Safety
    /// `self.micro_kernel` is proof of NEON. The tile must have `2 * V` outputs if `PLAIN`. In each of these rows,
    /// which start `to_stride` apart from `to` on, one byte for each of the tile's outputs is written and must be
    /// writable.
    #[inline(always)]
    unsafe fn write<const V: usize, const PLAIN: bool>(
        &self,
        tile: &Tile,
        sums: &[int32x4_t; V],
        rows: usize,
        to: *mut u8,
        to_stride: usize,
    ) {
        let outputs = if PLAIN { 2 * V } else { tile.outputs };
        // SAFETY: the processor has NEON, as `self.micro_kernel` exists.
        let [first, second] = unsafe { tile.requantize::<M, V, PLAIN>(sums, self.requantize) };
        // SAFETY: the processor has NEON, as `self.micro_kernel` exists. A tile has 16 outputs at most, and in each of
        // the rows as many bytes are writable as it has outputs.
        unsafe {
            store(first, to, outputs);
            if rows > 1 {
                store(second, to.add(to_stride), outputs);
            }
        }
    }

    /// Writes the outputs of one tile for `count` rows, which start `to_stride` bytes apart. `PLAIN` requires that the
    /// tile has `2 * V` outputs and weights in one part, and that the requantization [is plain](Requantize::is_plain).
    ///
    /// # Safety
    /// `self.micro_kernel` is proof of NEON, and of dot or matrix products where it uses them. `V` must be the tile's
    /// `vectors`, and the requirements of `PLAIN` must hold. From `panel` on, 16 bytes for each step of each pair of
    /// `count` rows are read and must be readable, where an odd last row is a pair with itself. In each of the rows
    /// from `to` on, one byte for each of the tile's outputs is written and must be writable.
    #[inline(never)]
    unsafe fn tile<const V: usize, const PLAIN: bool>(
        &self,
        tile: &Tile,
        mut panel: *const u8,
        count: usize,
        mut to: *mut u8,
        to_stride: usize,
    ) {
        let steps = self.steps();
        // SAFETY: each iteration multiplies `PAIRS` pairs of rows, and then a pair, or a single row. `panel` and `to`
        // are those of its first row, and each row that is written is one of `count`. Pairs that are multiplied
        // together are a group of the panel, as `Panel::fill` packs them. Each part of the tile has weights for `steps`
        // steps.
        unsafe {
            for _ in 0..count / (2 * PAIRS) {
                // Not a loop over the pairs: the compiler would spill the sums.
                let [first, second] = tile.sums::<M, PAIRS, V, PLAIN>(self.micro_kernel, panel, steps);
                self.write::<V, PLAIN>(tile, &first, 2, to, to_stride);
                self.write::<V, PLAIN>(tile, &second, 2, to.add(2 * to_stride), to_stride);
                to = to.wrapping_add(2 * PAIRS * to_stride);
                panel = panel.add(PAIRS * steps * 16);
            }
            let remainder = count % (2 * PAIRS);
            for row in (0..remainder).step_by(2) {
                let [sums] = tile.sums::<M, 1, V, PLAIN>(self.micro_kernel, panel, steps);
                self.write::<V, PLAIN>(tile, &sums, remainder - row, to, to_stride);
                (to, panel) = (to.wrapping_add(2 * to_stride), panel.add(steps * 16));
            }
        }
    }
}

impl<M: MicroKernel> crate::kernels::Gemm for Gemm<M> {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        Lines::one(stride, count).check(self.columns + TAIL_PADDING, from.len(), (self.rows, to_stride), to.len());
        let work = |panel, rows: std::ops::Range<usize>| {
            for tile in &self.tiles {
                let to = to[rows.start * to_stride + tile.first..].as_mut_ptr();
                // SAFETY: the panel holds these rows. `Lines::check` found the results of all rows within `to`, and the
                // tile writes its own outputs, from its first on. `V` is the tile's. `PLAIN` is true only for tiles
                // with all of their outputs and weights in one part, and with a plain requantization.
                unsafe {
                    let plain = self.requantize.is_plain() && tile.parts == 1 && tile.outputs == 2 * tile.vectors;
                    match (tile.vectors, plain) {
                        (8, true) => self.tile::<8, true>(tile, panel, rows.len(), to, to_stride),
                        (8, false) => self.tile::<8, false>(tile, panel, rows.len(), to, to_stride),
                        (_, true) => self.tile::<4, true>(tile, panel, rows.len(), to, to_stride),
                        (_, false) => self.tile::<4, false>(tile, panel, rows.len(), to, to_stride),
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
            let work = |panel, _| {
                for tile in &self.tiles {
                    let to = &mut to[row * to_stride + tile.first..][..tile.outputs];
                    // SAFETY: the panel holds the row as a pair with itself, and each part of the tile has weights for
                    // its steps. `V` is the tile's.
                    unsafe {
                        if tile.vectors == 8 {
                            tile.floats::<M, 8>(self.micro_kernel, panel, self.steps(), to);
                        } else {
                            tile.floats::<M, 4>(self.micro_kernel, panel, self.steps(), to);
                        }
                    }
                }
            };
            // SAFETY: `Lines::check` found all rows within `from`, with `TAIL_PADDING` bytes behind the last.
            unsafe { self.for_each_panel(&from[row * stride..], stride, 1, work) };
        }
    }
}
