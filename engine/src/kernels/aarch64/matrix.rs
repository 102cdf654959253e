//! Matrix products: rows are laid out once for all outputs, then multiplied four at a time with 16 outputs.

use std::arch::aarch64::{
    float32x4_t, int32x4_t, uint8x16_t, vextq_u8, vld1q_u8, vreinterpretq_u8_u16, vreinterpretq_u8_u64,
    vreinterpretq_u16_u8, vreinterpretq_u64_u8, vst1q_u8, vuzp1q_u16, vuzp2q_u16, vzip1q_u64, vzip2q_u64,
};
use std::array::from_fn;
use std::marker::PhantomData;
use std::mem::{MaybeUninit, transmute};

use super::products::{Products, STEP};
use super::rounding::Bytes;
use crate::kernels::{Matrix, SLACK};

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
    products: PhantomData<P>,
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
    /// Part after part, step after step.
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
        let least = if P::ANY_WEIGHTS || !has_extremes(rows, columns) { -128 } else { -127 };
        let mut weights = vec![];
        let mut rest = rows.to_vec();
        let mut parts = 0;
        while parts == 0 || rest.iter().any(|&weight| weight != 0) {
            let part: Vec<i16> = rest.iter().map(|&weight| weight.clamp(least, 127)).collect();
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
    /// `panel` must hold `steps` steps of as many pairs; `V` must be the tile's, and its weights in one part where `PLAIN`
    /// says so; the processor must have the instructions.
    #[inline(always)]
    unsafe fn sums<M: Products, const P: usize, const V: usize, const PLAIN: bool>(
        &self,
        panel: *const u8,
        steps: usize,
    ) -> [[int32x4_t; V]; P] {
        let bias: [int32x4_t; V] = from_fn(|vector| self.bias[vector]);
        let mut sums = [bias; P];
        let mut weights = self.weights.as_ptr().cast::<u8>();
        for _ in 0..if PLAIN { 1 } else { self.parts } {
            let mut rows = panel;
            // SAFETY: as the caller promises; the tile has weights for as many steps in each part.
            unsafe {
                for _ in 0..steps / 2 {
                    M::step(&mut sums, rows, weights);
                    M::step(&mut sums, rows.add(P * 16), weights.add(V * 16));
                    (rows, weights) = (rows.add(2 * P * 16), weights.add(2 * V * 16));
                }
                if !steps.is_multiple_of(2) {
                    M::step(&mut sums, rows, weights);
                    weights = weights.add(V * 16);
                }
            }
        }
        sums
    }

    /// The bytes of both rows of a pair, at the start of either vector.
    #[inline(always)]
    fn round<M: Products, const V: usize, const PLAIN: bool>(
        &self,
        sums: &[int32x4_t; V],
        bytes: Bytes,
    ) -> [uint8x16_t; 2] {
        let four = |first: usize| {
            bytes.round::<PLAIN>(from_fn(|at| sums[first + at]), from_fn(|at| self.multipliers[first + at]))
        };
        // SAFETY: instructions that every 64-bit ARM processor has.
        unsafe {
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
}

/// Whether the least signed byte stands twice where the 16-bit products of two inputs are added: two inputs apart, in
/// groups of four.
fn has_extremes(weights: &[i16], columns: usize) -> bool {
    weights
        .chunks_exact(columns)
        .any(|row| row.chunks(4).any(|four| (2..four.len()).any(|at| four[at] <= -128 && four[at - 2] <= -128)))
}

fn bytes(values: [u8; 16]) -> uint8x16_t {
    // SAFETY: 16 bytes of any content are a vector.
    unsafe { transmute::<[u8; 16], uint8x16_t>(values) }
}

pub(super) fn integers(values: [i32; 4]) -> int32x4_t {
    // SAFETY: as above.
    unsafe { transmute::<[i32; 4], int32x4_t>(values) }
}

pub(super) fn floats(values: [f32; 4]) -> float32x4_t {
    // SAFETY: as above.
    unsafe { transmute::<[f32; 4], float32x4_t>(values) }
}

/// Writes the first `count` bytes, 1 to 16.
///
/// # Safety
/// `to` must be writable for as many.
#[inline(always)]
pub(super) unsafe fn store(bytes: uint8x16_t, to: *mut u8, count: usize) {
    // SAFETY: as the caller promises.
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
    /// The rows, and 16 bytes beyond each, must be readable.
    unsafe fn fill<M: Products>(&mut self, from: *const u8, stride: usize, count: usize) {
        assert!(count.div_ceil(2) * self.steps <= self.vectors.len());
        let mut to = self.vectors.as_mut_ptr().cast::<u8>();
        let mut row = 0;
        while row < count {
            let pairs = if count - row >= 2 * PAIRS { PAIRS } else { 1 };
            for pair in 0..pairs {
                let first = row + 2 * pair;
                let second = (first + 1).min(count - 1);
                // SAFETY: as the caller promises; the panel is large enough.
                unsafe {
                    let rows = [from.add(first * stride), from.add(second * stride)];
                    self.pair::<M>(rows, to.add(pair * 16), pairs * 16);
                }
            }
            // SAFETY: within the panel, or at its end.
            to = unsafe { to.add(pairs * self.steps * 16) };
            row += 2 * pairs;
        }
    }

    /// Lays out a pair of rows, its steps `apart` bytes apart.
    ///
    /// # Safety
    /// As for [`Panel::fill`], and `to` must be writable for all steps.
    #[inline(always)]
    unsafe fn pair<M: Products>(&self, rows: [*const u8; 2], mut to: *mut u8, apart: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let two = |at: usize| rows.map(|row| vreinterpretq_u64_u8(M::prepare(vld1q_u8(row.add(at)))));
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
    pub(super) fn new(matrix: &Matrix<'_>) -> Gemm<M> {
        Gemm {
            columns: matrix.columns,
            rows: matrix.rows,
            bytes: Bytes::of(matrix.rounding, matrix.weights, matrix.bias, matrix.multipliers),
            tiles: (0..matrix.rows).step_by(16).map(|first| Tile::new::<M>(matrix, first)).collect(),
            products: PhantomData,
        }
    }

    fn steps(&self) -> usize {
        self.columns.div_ceil(STEP)
    }

    /// Lays out some rows at a time and hands them to `work`, with the first one's number.
    fn by_panels(
        &self,
        from: &[u8],
        stride: usize,
        count: usize,
        mut work: impl FnMut(*const u8, std::ops::Range<usize>),
    ) {
        assert!(count == 0 || (count - 1) * stride + self.columns + SLACK <= from.len());
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
            // SAFETY: the rows were checked, and there is slack behind them.
            unsafe { panel.fill::<M>(from[start * stride..].as_ptr(), stride, end - start) };
            work(panel.vectors.as_ptr().cast(), start..end);
        }
    }

    /// Writes the bytes of the first `rows` of a pair.
    ///
    /// # Safety
    /// `to` must be writable for the tile's outputs at each of the rows.
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
        let [first, second] = tile.round::<M, V, PLAIN>(sums, self.bytes);
        // SAFETY: as the caller promises.
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
    /// The panel must hold as many rows, `to` be writable for the tile's outputs at each of them, and `V` be the tile's.
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
        // SAFETY: as the caller promises.
        unsafe {
            for _ in 0..count / (2 * PAIRS) {
                // Written out: a loop would have the sums stored.
                let [first, second] = tile.sums::<M, PAIRS, V, PLAIN>(panel, steps);
                self.write::<V, PLAIN>(tile, &first, 2, to, to_stride);
                self.write::<V, PLAIN>(tile, &second, 2, to.add(2 * to_stride), to_stride);
                to = to.wrapping_add(2 * PAIRS * to_stride);
                panel = panel.add(PAIRS * steps * 16);
            }
            let rest = count % (2 * PAIRS);
            for row in (0..rest).step_by(2) {
                let [sums] = tile.sums::<M, 1, V, PLAIN>(panel, steps);
                self.write::<V, PLAIN>(tile, &sums, rest - row, to, to_stride);
                (to, panel) = (to.wrapping_add(2 * to_stride), panel.add(steps * 16));
            }
        }
    }
}

impl<M: Products> crate::kernels::Gemm for Gemm<M> {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        assert!(count == 0 || (count - 1) * to_stride + self.rows <= to.len());
        self.by_panels(from, stride, count, |panel, rows| {
            for tile in &self.tiles {
                let to = to[rows.start * to_stride + tile.first..].as_mut_ptr();
                // SAFETY: the panel holds these rows, the bounds of `to` were checked, and the processor has what this
                // set takes.
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
        });
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        // One row at a time: floats are a network's last results, and few.
        for row in 0..count {
            self.by_panels(&from[row * stride..], stride, 1, |panel, _| {
                for tile in &self.tiles {
                    let to = &mut to[row * to_stride + tile.first..][..tile.outputs];
                    // SAFETY: the panel holds the row, and the processor has what this set takes.
                    unsafe {
                        match tile.vectors {
                            8 => to_floats::<M, 8>(tile, tile.sums::<M, 1, 8, false>(panel, self.steps()), to),
                            _ => to_floats::<M, 4>(tile, tile.sums::<M, 1, 4, false>(panel, self.steps()), to),
                        }
                    }
                }
            });
        }
    }
}

/// The first row of a pair as floats.
fn to_floats<M: Products, const V: usize>(tile: &Tile, sums: [[int32x4_t; V]; 1], to: &mut [f32]) {
    for (output, to) in to.iter_mut().enumerate() {
        let (vector, lane) = if M::BLOCKS { (output / 2, output % 2) } else { (output / 4, output % 4) };
        // SAFETY: a vector is 16 bytes.
        let (sums, multipliers) = unsafe {
            (
                transmute::<int32x4_t, [i32; 4]>(sums[0][vector]),
                transmute::<float32x4_t, [f32; 4]>(tile.multipliers[vector]),
            )
        };
        *to = sums[lane] as f32 * multipliers[lane];
    }
}
