//! GEMM, in tiles of eight outputs by four rows. Each row has two vectors of accumulators: eight of the sixteen
//! registers leave eight for four vectors of weights and the operands. `pairs.rs` packs the weights.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::vectors::{Packing, bytes, floats, integers, rounded, store};
use crate::kernels::x86_64::checked_offsets;
use crate::kernels::x86_64::features::Sse41;
use crate::kernels::x86_64::pairs::{GROUP, WIDTH, Weights, arrange, rows};
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::{Lines, Matrix};

/// The maximum number of rows of a tile.
const ROWS: usize = 4;

/// A packed matrix.
#[derive(Debug)]
pub(super) struct Gemm {
    /// Proof of SSE4.1, which the calls of functions that need it rely on.
    _sse41: Sse41,
    /// The number of bytes from the start of each row that the caller must have: at least four from each offset on.
    reach: usize,
    /// The number of outputs.
    rows: usize,
    requantize: Requantize,
    tiles: Vec<Tile>,
}

/// The packed weights of up to eight outputs. Of each two vectors, the first has four outputs and the second the four
/// that follow.
#[derive(Debug)]
struct Tile {
    /// The number of the first output, a row of the matrix.
    first: usize,
    /// The number of outputs, from 1 to [`WIDTH`]. The remaining lanes are padding.
    count: usize,
    bias: [__m128i; 2],
    multipliers: [__m128; 2],
    /// The offsets in a row of the two groups of each pair. All are offsets that the kernel was packed with.
    pairs: Vec<[u32; 2]>,
    /// The offset in a row of each single group. All are offsets that the kernel was packed with.
    singles: Vec<u32>,
    /// The weights of the pairs, two times two vectors for each, then those of the single groups.
    weights: Vec<[__m128i; 2]>,
}

/// The weights of a group in two vectors.
fn halves(weights: Weights) -> [__m128i; 2] {
    from_fn(|half| bytes(from_fn(|at| weights[half * 16 + at])))
}

impl Gemm {
    /// Packs a matrix, for an indirect GEMM where there are `offsets`.
    ///
    /// # Panics
    /// Where [`checked_offsets`] does.
    pub(super) fn new(sse41: Sse41, matrix: &Matrix<'_>, offsets: Option<&[u32]>) -> Gemm {
        let (offsets, reach) = checked_offsets(matrix, offsets);
        Gemm {
            _sse41: sse41,
            reach,
            rows: matrix.rows,
            requantize: Requantize::of(matrix.output_stage),
            tiles: (0..matrix.rows).step_by(WIDTH).map(|first| Tile::new(matrix, &offsets, first)).collect(),
        }
    }
}

impl Tile {
    fn new(matrix: &Matrix<'_>, offsets: &[u32], first: usize) -> Tile {
        let arranged = arrange(&rows(matrix, first));
        let offset = |start: u32| offsets[start as usize / GROUP];
        let count = (matrix.rows - first).min(WIDTH);
        let output = |half: usize, lane: usize| Some(half * 4 + lane).filter(|&at| at < count).map(|at| first + at);
        Tile {
            first,
            count,
            bias: from_fn(|half| integers(from_fn(|lane| output(half, lane).map_or(0, |output| matrix.bias[output])))),
            multipliers: from_fn(|half| {
                floats(from_fn(|lane| output(half, lane).map_or(0.0, |output| matrix.multipliers[output])))
            }),
            pairs: arranged.pairs.iter().map(|pair| pair.map(offset)).collect(),
            singles: arranged.singles.iter().copied().map(offset).collect(),
            weights: arranged.weights.into_iter().map(halves).collect(),
        }
    }

    /// The sums of `R` rows, times the multipliers.
    ///
    /// # Safety
    /// The processor must have SSE4.1. Of each of the `R` rows that start `stride` bytes apart from `from` on, the four
    /// bytes from each of the tile's offsets on are read and must be readable.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    unsafe fn results<const R: usize>(&self, from: *const u8, stride: usize) -> [[__m128; 2]; R] {
        // `pmaddwd` by ones widens 16-bit sums to 32 bits and adds the two of each output.
        let ones = _mm_set1_epi16(1);
        // SAFETY: this is called for rows below `R`, and for offsets of pairs and singles, from which on four bytes are
        // readable; the load takes any alignment.
        let four = |row: usize, start: u32| unsafe {
            _mm_set1_epi32(from.add(row * stride + start as usize).cast::<i32>().read_unaligned())
        };
        let mut sums = [self.bias; R];
        let (pair_weights, single_weights) = self.weights.split_at(self.pairs.len() * 2);
        for (&[first, second], weights) in self.pairs.iter().zip(pair_weights.as_chunks::<2>().0) {
            for (row, sums) in sums.iter_mut().enumerate() {
                let (a, b) = (four(row, first), four(row, second));
                for (half, sum) in sums.iter_mut().enumerate() {
                    let a = _mm_maddubs_epi16(a, weights[0][half]);
                    let b = _mm_maddubs_epi16(b, weights[1][half]);
                    *sum = _mm_add_epi32(*sum, _mm_madd_epi16(_mm_add_epi16(a, b), ones));
                }
            }
        }
        for (&start, weights) in self.singles.iter().zip(single_weights) {
            for (row, sums) in sums.iter_mut().enumerate() {
                let a = four(row, start);
                for (half, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm_add_epi32(*sum, _mm_madd_epi16(_mm_maddubs_epi16(a, weights[half]), ones));
                }
            }
        }
        let mut results = [[_mm_setzero_ps(); 2]; R];
        for (results, sums) in results.iter_mut().zip(sums) {
            for (half, result) in results.iter_mut().enumerate() {
                *result = _mm_mul_ps(_mm_cvtepi32_ps(sums[half]), self.multipliers[half]);
            }
        }
        results
    }

    /// Computes the requantized outputs of `R` rows. `WHOLE` says that the tile has eight outputs.
    ///
    /// # Safety
    /// The processor must have SSE4.1, and the tile eight outputs if `WHOLE`. Of each of the `R` rows that start
    /// `stride` bytes apart from `from` on, the four bytes from each of the tile's offsets on are read and must be
    /// readable. In each of the `R` rows that start `to_stride` bytes apart from `to` on, the tile's outputs are written
    /// and must be writable.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    unsafe fn bytes<const R: usize, const WHOLE: bool>(
        &self,
        (from, stride): (*const u8, usize),
        (to, to_stride): (*mut u8, usize),
        packing: Packing,
    ) {
        // SAFETY: the tile's offsets are readable in `R` rows.
        let results = unsafe { self.results::<R>(from, stride) };
        for row in (0..R).step_by(2) {
            let [a, b] = [results[row], results[(row + 1).min(R - 1)]];
            let packed = packing.pack([rounded(a[0]), rounded(a[1]), rounded(b[0]), rounded(b[1])]);
            for (row, packed) in [(row, packed), (row + 1, _mm_srli_si128::<8>(packed))] {
                if row < R {
                    // SAFETY: `row` is below `R`, and `self.count` bytes of it are writable from `self.first` on: eight
                    // if `WHOLE`, and at most eight.
                    unsafe {
                        let to = to.add(row * to_stride + self.first);
                        store(packed, to, if WHOLE { WIDTH } else { self.count });
                    }
                }
            }
        }
    }

    /// Computes the requantized outputs of `count` rows. `WHOLE` says that the tile has eight outputs.
    ///
    /// # Safety
    /// As for [`Tile::bytes`], of `count` rows.
    #[target_feature(enable = "sse4.1")]
    unsafe fn all_bytes<const WHOLE: bool>(
        &self,
        (mut from, stride): (*const u8, usize),
        count: usize,
        (mut to, to_stride): (*mut u8, usize),
        requantize: Requantize,
    ) {
        let packing = Packing::of(requantize);
        // SAFETY: each call computes four rows, and the last one the remainder of `count`. `from` and `to` are those of
        // the first row of each call, and all rows of a call are among the `count` that are readable, and writable.
        unsafe {
            for _ in 0..count / ROWS {
                self.bytes::<ROWS, WHOLE>((from, stride), (to, to_stride), packing);
                (from, to) = (from.wrapping_add(ROWS * stride), to.wrapping_add(ROWS * to_stride));
            }
            match count % ROWS {
                1 => self.bytes::<1, WHOLE>((from, stride), (to, to_stride), packing),
                2 => self.bytes::<2, WHOLE>((from, stride), (to, to_stride), packing),
                3 => self.bytes::<3, WHOLE>((from, stride), (to, to_stride), packing),
                _ => {}
            }
        }
    }
}

impl crate::kernels::Gemm for Gemm {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        self.lines(from, Lines::one(stride, count), to, to_stride);
    }

    fn lines(&self, from: &[u8], lines: Lines, to: &mut [u8], to_stride: usize) {
        lines.check(self.reach, from.len(), (self.rows, to_stride), to.len());
        for (tile, line) in self.tiles.iter().flat_map(|tile| (0..lines.count).map(move |line| (tile, line))) {
            // SAFETY: the processor has SSE4.1, as `_sse41` exists. `Lines::check` verified that `reach` bytes of each
            // row of each line lie within `from`, at least four from each offset on, and that the results of each lie
            // within `to`. A tile writes its own outputs of them. The results of a line follow those of the lines
            // before it. `WHOLE` is true only for tiles of eight outputs.
            unsafe {
                let from = (from.as_ptr().wrapping_add(line * lines.stride), lines.step);
                let to = (to.as_mut_ptr().wrapping_add(line * lines.pixels * to_stride), to_stride);
                if tile.count == WIDTH {
                    tile.all_bytes::<true>(from, lines.pixels, to, self.requantize);
                } else {
                    tile.all_bytes::<false>(from, lines.pixels, to, self.requantize);
                }
            }
        }
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        Lines::one(stride, count).check(self.reach, from.len(), (self.rows, to_stride), to.len());
        for (tile, row) in self.tiles.iter().flat_map(|tile| (0..count).map(move |row| (tile, row))) {
            // SAFETY: the processor has SSE4.1, as `_sse41` exists. `Lines::check` verified that `reach` bytes of each
            // row lie within `from`, at least four from each offset on.
            let [results] = unsafe { tile.results::<1>(from.as_ptr().add(row * stride), stride) };
            // SAFETY: both types have 32 bytes, and floats may have any bits.
            let values = unsafe { transmute::<[__m128; 2], [f32; WIDTH]>(results) };
            to[row * to_stride + tile.first..][..tile.count].copy_from_slice(&values[..tile.count]);
        }
    }
}
