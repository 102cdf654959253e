//! Matrix products: rows are laid out once for all outputs, then multiplied four at a time with 16 outputs.

use std::arch::aarch64::{
    float32x4_t, int32x4_t, uint8x16_t, vextq_u8, vld1q_u8, vreinterpretq_u8_u16, vreinterpretq_u8_u64,
    vreinterpretq_u16_u8, vreinterpretq_u64_u8, vst1q_u8, vuzp1q_u16, vuzp2q_u16, vzip1q_u64, vzip2q_u64,
};
use std::array::from_fn;
use std::mem::{MaybeUninit, transmute};

use super::products::{Products, STEP};
use super::requantize::Bytes;
use crate::kernels::{Lines, Matrix, TAIL_PADDING};

/// Pairs of rows at a time: with 16 outputs their sums take half of the registers.
const PAIRS: usize = 2;

/// Vectors that rows are laid out in at a time: 32 kB, a first-level cache.
const PANEL: usize = 2048;

#[derive(Debug)]
pub(super) struct Gemm<P> {
    columns: usize,
    rows: usize,
    bytes: Bytes,
    tiles: Vec<Tile>,
    /// What calls of functions with NEON rest on, too.
    products: P,
}

/// Sixteen outputs, or eight.
#[derive(Debug)]
struct Tile {
    first: usize,
    /// How many there are; the rest is padding.
    outputs: usize,
    /// Vectors of sums of a pair of rows: 8 for sixteen outputs, 4 for eight.
    vectors: usize,
    /// How many parts the weights are in: parts of weights of more than 8 bits add up to them.
    parts: usize,
    /// Part after part, step after step, `vectors` each.
    weights: Vec<uint8x16_t>,
    bias: [int32x4_t; 8],
    multipliers: [float32x4_t; 8],
}

impl Tile {
    fn new<P: Products>(matrix: &Matrix<'_>, first: usize) -> Tile {
        let outputs = (matrix.rows - first).min(16);
        let vectors = if outputs > 8 { 8 } else { 4 };
        let columns = matrix.columns;
        let rows = &matrix.weights[first * columns..(first + outputs) * columns];
        // The least weight twice could pass 16 bits where products are added there.
        let min = if P::ANY_WEIGHTS || !has_extremes(rows, columns) { -128 } else { -127 };
        let mut weights = vec![];
        let mut rest = rows.to_vec();
        let mut parts = 0;
        while parts == 0 || rest.iter().any(|&weight| weight != 0) {
            let part: Vec<i16> = rest.iter().map(|&weight| weight.clamp(min, 127)).collect();
            rest.iter_mut().zip(&part).for_each(|(rest, part)| *rest -= part);
            for step in 0..columns.div_ceil(STEP) {
                weights.extend((0..vectors).map(|vector| {
                    bytes(from_fn(|byte| {
                        let (output, input) = P::place(vector, byte, vectors);
                        let input = step * STEP + input;
                        if output < outputs && input < columns { part[output * columns + input] as u8 } else { 0 }
                    }))
                }));
            }
            parts += 1;
        }
        let bias = |output: usize| {
            let sum: i32 = rows[output * columns..][..columns].iter().map(|&weight| i32::from(weight)).sum();
            matrix.bias[first + output].wrapping_add(P::SHIFT.wrapping_mul(sum))
        };
        let seat = |vector: usize, lane: usize| {
            let output = if P::BLOCKS { vector * 2 + lane % 2 } else { vector % (vectors / 2) * 4 + lane };
            Some(output).filter(|&output| output < outputs)
        };
        Tile {
            first,
            outputs,
            vectors,
            parts,
            weights,
            bias: from_fn(|vector| integers(from_fn(|lane| seat(vector, lane).map_or(0, bias)))),
            multipliers: from_fn(|vector| {
                floats(from_fn(|lane| seat(vector, lane).map_or(0.0, |output| matrix.multipliers[first + output])))
            }),
        }
    }

    /// The sums of `P` pairs of rows.
    ///
    /// # Safety
    /// `products` is proof of NEON, and of dot or matrix products where there are any. `V` must be `vectors`, and the
    /// weights be in one part if `PLAIN`. From `panel` on, `steps` times `P` times 16 bytes are read and must be
    /// readable; `steps` must be those that the tile has weights for in each part.
    #[inline(always)]
    unsafe fn sums<M: Products, const P: usize, const V: usize, const PLAIN: bool>(
        &self,
        products: M,
        panel: *const u8,
        steps: usize,
    ) -> [[int32x4_t; V]; P] {
        let bias: [int32x4_t; V] = from_fn(|vector| self.bias[vector]);
        let mut sums = [bias; P];
        let mut weights = self.weights.as_ptr().cast::<u8>();
        for _ in 0..if PLAIN { 1 } else { self.parts } {
            let mut rows = panel;
            // SAFETY: each step reads `P` times 16 bytes of rows and `V` times 16 of weights, and both move on by as
            // many. There are `steps` steps: of rows in the panel, of weights in each part, of which there are `parts`.
            unsafe {
                for _ in 0..steps / 2 {
                    products.step(&mut sums, rows, weights);
                    products.step(&mut sums, rows.add(P * 16), weights.add(V * 16));
                    (rows, weights) = (rows.add(2 * P * 16), weights.add(2 * V * 16));
                }
                if !steps.is_multiple_of(2) {
                    products.step(&mut sums, rows, weights);
                    weights = weights.add(V * 16);
                }
            }
        }
        sums
    }

    /// The bytes of both rows of a pair, at the start of either vector.
    #[inline]
    #[target_feature(enable = "neon")]
    fn round<M: Products, const V: usize, const PLAIN: bool>(
        &self,
        sums: &[int32x4_t; V],
        bytes: Bytes,
    ) -> [uint8x16_t; 2] {
        let four = |first: usize| {
            bytes.round::<PLAIN>(from_fn(|at| sums[first + at]), from_fn(|at| self.multipliers[first + at]))
        };
        let first = four(0);
        if V == 8 && !M::BLOCKS {
            return [first, four(4)];
        }
        if !M::BLOCKS {
            return [first, vextq_u8::<8>(first, first)];
        }
        // Two outputs of one row, two of the other, and so on.
        let second = if V == 8 { four(4) } else { first };
        let [first, second] = [first, second].map(|bytes| vreinterpretq_u16_u8(bytes));
        [vreinterpretq_u8_u16(vuzp1q_u16(first, second)), vreinterpretq_u8_u16(vuzp2q_u16(first, second))]
    }
}

/// Whether the least signed byte stands twice where the 16-bit products of two inputs are added: two inputs apart, in
/// groups of four.
fn has_extremes(weights: &[i16], columns: usize) -> bool {
    weights
        .chunks_exact(columns)
        .any(|row| row.chunks(4).any(|four| (2..four.len()).any(|at| four[at] <= -128 && four[at - 2] <= -128)))
}

pub(super) fn bytes(values: [u8; 16]) -> uint8x16_t {
    // SAFETY: both types have 16 bytes, and a vector may have any bits.
    unsafe { transmute::<[u8; 16], uint8x16_t>(values) }
}

pub(super) fn integers(values: [i32; 4]) -> int32x4_t {
    // SAFETY: both types have 16 bytes, and a vector may have any bits.
    unsafe { transmute::<[i32; 4], int32x4_t>(values) }
}

pub(super) fn floats(values: [f32; 4]) -> float32x4_t {
    // SAFETY: both types have 16 bytes, and a vector may have any bits.
    unsafe { transmute::<[f32; 4], float32x4_t>(values) }
}

/// Writes the first `count` bytes, 16 at most.
///
/// # Safety
/// The processor must have NEON. `count` bytes from `to` on must be writable, and be 16 at most; no other is touched.
#[inline(always)]
pub(super) unsafe fn store(bytes: uint8x16_t, to: *mut u8, count: usize) {
    // SAFETY: the processor has NEON. Each arm writes `count` bytes from `to` on, which are writable, of any alignment,
    // and of the 16 that a vector has: as many as `count` is at most. A vector's bits are bytes.
    unsafe {
        match count {
            16 => vst1q_u8(to, bytes),
            8 => to.cast::<[u8; 8]>().write_unaligned(transmute::<uint8x16_t, [[u8; 8]; 2]>(bytes)[0]),
            _ => {
                let all = transmute::<uint8x16_t, [u8; 16]>(bytes);
                to.copy_from_nonoverlapping(all.as_ptr(), count);
            }
        }
    }
}

/// Rows as they are multiplied: first all groups of [`PAIRS`] pairs, step by step, then pairs.
struct Panel<'a> {
    vectors: &'a mut [MaybeUninit<uint8x16_t>],
    steps: usize,
}

impl Panel<'_> {
    /// Lays out `count` rows that start `stride` apart.
    ///
    /// # Safety
    /// `products` is proof of NEON, and of dot or matrix products where there are any. There must be a step at least. Of
    /// each of `count` rows, which start `stride` apart from `from` on, the eight bytes of each step, and eight more
    /// behind the last, are read and must be readable.
    unsafe fn fill<M: Products>(&mut self, products: M, from: *const u8, stride: usize, count: usize) {
        assert!(count.div_ceil(2) * self.steps <= self.vectors.len());
        let mut to = self.vectors.as_mut_ptr().cast::<u8>();
        let mut row = 0;
        while row < count {
            let pairs = if count - row >= 2 * PAIRS { PAIRS } else { 1 };
            for pair in 0..pairs {
                let first = row + 2 * pair;
                let second = (first + 1).min(count - 1);
                // SAFETY: both rows are below `count`. A group of `pairs` takes `pairs` times `steps` vectors of the
                // panel, which has them for all pairs of `count` rows, as was found above; pair `pair` takes each
                // `pairs`th from its own on.
                unsafe {
                    let rows = [from.add(first * stride), from.add(second * stride)];
                    self.pair(products, rows, to.add(pair * 16), pairs * 16);
                }
            }
            // SAFETY: the group's vectors are the panel's, so that this is within it, or its end.
            to = unsafe { to.add(pairs * self.steps * 16) };
            row += 2 * pairs;
        }
    }

    /// Lays out a pair of rows, its steps `apart` bytes apart.
    ///
    /// # Safety
    /// `products` is proof of NEON, and of dot or matrix products where there are any. There must be a step at least. Of
    /// either row the eight bytes of each step, and eight more behind the last, are read and must be readable; the 16
    /// bytes at each step times `apart` from `to` on are written and must be writable.
    #[inline(always)]
    unsafe fn pair<M: Products>(&self, products: M, rows: [*const u8; 2], mut to: *mut u8, apart: usize) {
        // SAFETY: the processor has NEON, as `products` exists. A load at a step reads 16 bytes, of any alignment: eight
        // of that step and eight of the next, or behind the last, which are readable. Each store writes the 16 bytes of a
        // step, of any alignment: two steps a turn, which begins before the last step, and the last one where steps are
        // odd in number.
        unsafe {
            let two = |at: usize| rows.map(|row| vreinterpretq_u64_u8(products.prepare(vld1q_u8(row.add(at)))));
            for step in (0..self.steps - 1).step_by(2) {
                let [a, b] = two(step * STEP);
                vst1q_u8(to, vreinterpretq_u8_u64(vzip1q_u64(a, b)));
                vst1q_u8(to.add(apart), vreinterpretq_u8_u64(vzip2q_u64(a, b)));
                to = to.add(2 * apart);
            }
            if !self.steps.is_multiple_of(2) {
                let [a, b] = two((self.steps - 1) * STEP);
                vst1q_u8(to, vreinterpretq_u8_u64(vzip1q_u64(a, b)));
            }
        }
    }
}

impl<M: Products> Gemm<M> {
    pub(super) fn new(products: M, matrix: &Matrix<'_>) -> Gemm<M> {
        matrix.check();
        Gemm {
            columns: matrix.columns,
            rows: matrix.rows,
            bytes: Bytes::of(matrix.output_stage, matrix.weights, matrix.bias, matrix.multipliers),
            tiles: (0..matrix.rows).step_by(16).map(|first| Tile::new::<M>(matrix, first)).collect(),
            products,
        }
    }

    fn steps(&self) -> usize {
        self.columns.div_ceil(STEP)
    }

    /// Lays out some rows at a time and hands them to `work`, with the first one's number: a panel that has, for each
    /// step, 16 bytes of each pair, and for an odd row a pair of its own.
    ///
    /// # Safety
    /// `self.products` is proof of NEON. Of each of `count` rows, which start `stride` apart, all columns and [`TAIL_PADDING`]
    /// bytes behind them must lie within `from`, and 15 of these are read.
    unsafe fn by_panels(
        &self,
        from: &[u8],
        stride: usize,
        count: usize,
        mut work: impl FnMut(*const u8, std::ops::Range<usize>),
    ) {
        #[allow(clippy::large_stack_arrays, reason = "32 kB, and a run asks for no memory")]
        let mut stack = [MaybeUninit::<uint8x16_t>::uninit(); PANEL];
        let mut heap = vec![];
        let at_once = (PANEL / self.steps() / PAIRS).max(1) * PAIRS * 2;
        let vectors = if PANEL < at_once / 2 * self.steps() {
            heap.resize(at_once / 2 * self.steps(), MaybeUninit::uninit());
            &mut heap[..]
        } else {
            &mut stack[..]
        };
        let mut panel = Panel { vectors, steps: self.steps() };
        for start in (0..count).step_by(at_once) {
            let end = count.min(start + at_once);
            // SAFETY: rows `start` to `end` are among the `count`. A step is eight columns, of which the last may lack
            // seven: what is read ends 15 bytes behind the columns at most, within `TAIL_PADDING`. A matrix has a column, and so
            // a step.
            unsafe { panel.fill(self.products, from[start * stride..].as_ptr(), stride, end - start) };
            work(panel.vectors.as_ptr().cast(), start..end);
        }
    }

    /// Writes the bytes of the first `rows` of a pair.
    ///
    /// # Safety
    /// `self.products` is proof of NEON. The tile must have `2 * V` outputs if `PLAIN`. In each of the rows, one or two
    /// that start `to_stride` apart from `to` on, as many bytes as the tile has outputs are written and must be writable.
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
        // SAFETY: the processor has NEON, as `self.products` exists.
        let [first, second] = unsafe { tile.round::<M, V, PLAIN>(sums, self.bytes) };
        // SAFETY: the processor has NEON, as `self.products` exists. A tile has 16 outputs at most, and in each row that
        // there is, so many bytes are writable.
        unsafe {
            store(first, to, outputs);
            if rows > 1 {
                store(second, to.add(to_stride), outputs);
            }
        }
    }

    /// The results of one tile for `count` rows, to rows that start `to_stride` apart. `PLAIN` says that the tile has all
    /// of its outputs, weights in one part, and plain bytes.
    ///
    /// # Safety
    /// `self.products` is proof of NEON, and of dot or matrix products where there are any. `V` must be the tile's
    /// `vectors`, and `PLAIN` hold where it's said. From `panel` on, 16 bytes a step of each pair of `count` rows are
    /// read and must be readable, where an odd row has a pair of its own; in each of the rows from `to` on, as many bytes
    /// as the tile has outputs are written and must be writable.
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
        // SAFETY: `PAIRS` pairs of rows at a time, and then a pair, or a row, at a time: `panel` and `to` are those of
        // the first row, and of those that are written each is one of `count`. Pairs that are multiplied together lie
        // together in the panel, as `Panel::fill` lays them out. The tile was packed with as many steps a part.
        unsafe {
            for _ in 0..count / (2 * PAIRS) {
                // Written out: a loop would have the sums stored.
                let [first, second] = tile.sums::<M, PAIRS, V, PLAIN>(self.products, panel, steps);
                self.write::<V, PLAIN>(tile, &first, 2, to, to_stride);
                self.write::<V, PLAIN>(tile, &second, 2, to.add(2 * to_stride), to_stride);
                to = to.wrapping_add(2 * PAIRS * to_stride);
                panel = panel.add(PAIRS * steps * 16);
            }
            let rest = count % (2 * PAIRS);
            for row in (0..rest).step_by(2) {
                let [sums] = tile.sums::<M, 1, V, PLAIN>(self.products, panel, steps);
                self.write::<V, PLAIN>(tile, &sums, rest - row, to, to_stride);
                (to, panel) = (to.wrapping_add(2 * to_stride), panel.add(steps * 16));
            }
        }
    }
}

impl<M: Products> crate::kernels::Gemm for Gemm<M> {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        Lines::one(stride, count).check(self.columns + TAIL_PADDING, from.len(), (self.rows, to_stride), to.len());
        let work = |panel, rows: std::ops::Range<usize>| {
            for tile in &self.tiles {
                let to = to[rows.start * to_stride + tile.first..].as_mut_ptr();
                // SAFETY: the panel holds these rows, step by step; `Lines::check` found the results of all rows within
                // `to`, of which the tile writes its own, from its first on; `V` is the tile's, and `PLAIN` chosen
                // for tiles with all outputs and weights in one part alone.
                unsafe {
                    let plain = self.bytes.are_plain() && tile.parts == 1 && tile.outputs == 2 * tile.vectors;
                    match (tile.vectors, plain) {
                        (8, true) => self.tile::<8, true>(tile, panel, rows.len(), to, to_stride),
                        (8, false) => self.tile::<8, false>(tile, panel, rows.len(), to, to_stride),
                        (_, true) => self.tile::<4, true>(tile, panel, rows.len(), to, to_stride),
                        (_, false) => self.tile::<4, false>(tile, panel, rows.len(), to, to_stride),
                    }
                }
            }
        };
        // SAFETY: `Lines::check` found all rows within `from`, and `TAIL_PADDING` bytes behind the last.
        unsafe { self.by_panels(from, stride, count, work) };
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        Lines::one(stride, count).check(self.columns + TAIL_PADDING, from.len(), (self.rows, to_stride), to.len());
        // One row at a time: floats are a network's last results, and few.
        for row in 0..count {
            let work = |panel, _| {
                for tile in &self.tiles {
                    let to = &mut to[row * to_stride + tile.first..][..tile.outputs];
                    // SAFETY: the panel holds the row as a pair, and the tile was packed with as many steps; `V` is the
                    // tile's.
                    unsafe {
                        if tile.vectors == 8 {
                            let sums = tile.sums::<M, 1, 8, false>(self.products, panel, self.steps());
                            to_floats::<M, 8>(tile, sums, to);
                        } else {
                            let sums = tile.sums::<M, 1, 4, false>(self.products, panel, self.steps());
                            to_floats::<M, 4>(tile, sums, to);
                        }
                    }
                }
            };
            // SAFETY: `Lines::check` found all rows within `from`, and `TAIL_PADDING` bytes behind the last.
            unsafe { self.by_panels(&from[row * stride..], stride, 1, work) };
        }
    }
}

/// The first row of a pair as floats.
fn to_floats<M: Products, const V: usize>(tile: &Tile, sums: [[int32x4_t; V]; 1], to: &mut [f32]) {
    for (output, to) in to.iter_mut().enumerate() {
        let (vector, lane) = if M::BLOCKS { (output / 2, output % 2) } else { (output / 4, output % 4) };
        // SAFETY: a vector and an array of either kind have 16 bytes each, and numbers may have any bits.
        let (sums, multipliers) = unsafe {
            (
                transmute::<int32x4_t, [i32; 4]>(sums[0][vector]),
                transmute::<float32x4_t, [f32; 4]>(tile.multipliers[vector]),
            )
        };
        *to = sums[lane] as f32 * multipliers[lane];
    }
}
