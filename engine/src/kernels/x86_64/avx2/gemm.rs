//! GEMM, in tiles of 8 outputs by 7 rows: the packed matrix, and the loops over lines, rows and tiles. `pairs.rs` packs
//! the weights, and `tile.rs` has the micro-kernel.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::mem::transmute;

use super::seven_bit::SevenBit;
use super::tile::{Outputs, ROWS, cost, multiply};
use super::vectors::vector;
use crate::kernels::x86_64::checked_offsets;
use crate::kernels::x86_64::features::Avx2;
use crate::kernels::x86_64::pairs::{GROUP, WIDTH, arrange, rows};
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::{Lines, Matrix};

/// A packed matrix.
#[derive(Debug)]
pub(super) struct Gemm {
    /// Proof of AVX2, which the calls of functions that need it rely on.
    _avx2: Avx2,
    /// The number of bytes from the start of each row that the caller must have: at least four from each offset on.
    reach: usize,
    /// The number of outputs.
    rows: usize,
    requantize: Requantize,
    tiles: Vec<Tile>,
    /// The 7-bit path, which is tried first. None where it does not apply, or saves nothing.
    seven_bit: Option<SevenBit>,
}

/// The packed weights of up to eight outputs.
#[derive(Debug)]
struct Tile {
    outputs: Outputs,
    /// The offsets in a row of the two groups of each pair. All are offsets that the kernel was packed with.
    pairs: Vec<[u32; 2]>,
    /// The offset in a row of each single group. All are offsets that the kernel was packed with.
    singles: Vec<u32>,
    /// The weights of the pairs, two vectors for each, then those of the single groups, one for each.
    weights: Vec<__m256i>,
}

impl Gemm {
    pub(super) fn new(avx2: Avx2, matrix: &Matrix<'_>, offsets: Option<&[u32]>) -> Gemm {
        let (offsets, reach) = checked_offsets(matrix, offsets);
        let tiles: Vec<Tile> =
            (0..matrix.rows).step_by(WIDTH).map(|first| Tile::new(matrix, &offsets, first)).collect();
        let cost = tiles.iter().map(|tile| cost(tile.pairs.len(), tile.singles.len())).sum();
        let seven_bit = SevenBit::new(avx2, matrix, &offsets, cost);
        Gemm {
            _avx2: avx2,
            reach,
            rows: matrix.rows,
            requantize: Requantize::of(matrix.output_stage),
            tiles,
            seven_bit,
        }
    }
}

impl Tile {
    fn new(matrix: &Matrix<'_>, offsets: &[u32], first: usize) -> Tile {
        let arranged = arrange(&rows(matrix, first));
        let offset = |start: u32| offsets[start as usize / GROUP];
        Tile {
            outputs: Outputs::new(matrix, first, |output| matrix.bias[output]),
            pairs: arranged.pairs.iter().map(|pair| pair.map(offset)).collect(),
            singles: arranged.singles.iter().copied().map(offset).collect(),
            weights: arranged.weights.into_iter().map(vector).collect(),
        }
    }

    /// The sums of `R` rows. `WHOLE` changes no result: it gives each caller an instance of its own, which the compiler
    /// then inlines.
    ///
    /// # Safety
    /// The processor must have AVX2. Of each of the `R` rows that start `stride` bytes apart from `from` on, the four
    /// bytes from each of the tile's offsets on are read and must be readable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn sums<const R: usize, const WHOLE: bool>(&self, from: *const u8, stride: usize) -> [__m256i; R] {
        let pairs = self.pairs.iter().map(|pair| pair.map(|start| start as usize));
        // SAFETY: four bytes at each offset, of pairs and of singles, are readable in each of `R` rows.
        unsafe { multiply([self.outputs.bias; R], pairs, &self.singles, &self.weights, from, stride) }
    }

    /// Computes the requantized outputs of `count` rows. `WHOLE` says that the tile has eight outputs.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. Of each of the `count` rows that start
    /// `stride` bytes apart from `from` on, the four bytes from each of the tile's offsets on are read and must be
    /// readable. In each of the `count` rows that start `to_stride` bytes apart from `to` on, the tile's outputs are
    /// written and must be writable.
    #[target_feature(enable = "avx2")]
    unsafe fn all_bytes<const WHOLE: bool>(
        &self,
        mut from: *const u8,
        stride: usize,
        count: usize,
        mut to: *mut u8,
        to_stride: usize,
        requantize: Requantize,
    ) {
        // SAFETY: each call computes seven rows, and the last one the remainder of `count`. `from` and `to` are those
        // of the first row of each call, and all rows of a call are among the `count` that are readable, and writable.
        unsafe {
            for _ in 0..count / ROWS {
                self.bytes::<ROWS, WHOLE>(from, stride, to, to_stride, requantize);
                (from, to) = (from.wrapping_add(ROWS * stride), to.wrapping_add(ROWS * to_stride));
            }
            match count % ROWS {
                1 => self.bytes::<1, WHOLE>(from, stride, to, to_stride, requantize),
                2 => self.bytes::<2, WHOLE>(from, stride, to, to_stride, requantize),
                3 => self.bytes::<3, WHOLE>(from, stride, to, to_stride, requantize),
                4 => self.bytes::<4, WHOLE>(from, stride, to, to_stride, requantize),
                5 => self.bytes::<5, WHOLE>(from, stride, to, to_stride, requantize),
                6 => self.bytes::<6, WHOLE>(from, stride, to, to_stride, requantize),
                _ => {}
            }
        }
    }

    /// Computes the requantized outputs of `R` rows.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. Of each of the `R` rows that start `stride`
    /// bytes apart from `from` on, the four bytes from each of the tile's offsets on are read and must be readable. In
    /// each of the `R` rows that start `to_stride` bytes apart from `to` on, the tile's outputs are written and must be
    /// writable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn bytes<const R: usize, const WHOLE: bool>(
        &self,
        from: *const u8,
        stride: usize,
        to: *mut u8,
        to_stride: usize,
        requantize: Requantize,
    ) {
        // SAFETY: `R` rows are readable at the tile's offsets, and writable for its outputs, which are eight if
        // `WHOLE`.
        unsafe { self.outputs.write::<R, WHOLE>(self.sums::<R, WHOLE>(from, stride), to, to_stride, requantize) };
    }
}

impl crate::kernels::Gemm for Gemm {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        self.lines(from, Lines::one(stride, count), to, to_stride);
    }

    fn lines(&self, from: &[u8], lines: Lines, to: &mut [u8], to_stride: usize) {
        lines.check(self.reach, from.len(), (self.rows, to_stride), to.len());
        let seven_bit = |seven_bit: &SevenBit| {
            // SAFETY: `Lines::check` found `reach` bytes of each row within `from`, and all results within `to`.
            unsafe { seven_bit.lines(from, lines, to, to_stride, self.requantize) }
        };
        if self.seven_bit.as_ref().is_some_and(seven_bit) {
            return;
        }
        for tile in &self.tiles {
            for line in 0..lines.count {
                // SAFETY: the processor has AVX2, as `_avx2` exists. `Lines::check` verified that `reach` bytes of each
                // row of each line lie within `from`, at least four from each offset on, and that the results of each
                // lie within `to`. A tile writes its own outputs of them. The results of a line follow those of the
                // lines before it. `WHOLE` is true only for tiles of eight outputs.
                unsafe {
                    let from = from.as_ptr().wrapping_add(line * lines.stride);
                    let to = to.as_mut_ptr().wrapping_add(line * lines.pixels * to_stride);
                    if tile.outputs.are_whole() {
                        tile.all_bytes::<true>(from, lines.step, lines.pixels, to, to_stride, self.requantize);
                    } else {
                        tile.all_bytes::<false>(from, lines.step, lines.pixels, to, to_stride, self.requantize);
                    }
                }
            }
        }
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        Lines::one(stride, count).check(self.reach, from.len(), (self.rows, to_stride), to.len());
        for tile in &self.tiles {
            let outputs = &tile.outputs;
            for row in 0..count {
                // SAFETY: the processor has AVX2, as `_avx2` exists. `Lines::check` verified that `reach` bytes of each
                // row lie within `from`, at least four from each offset on.
                let [sums] = unsafe { tile.sums::<1, false>(from.as_ptr().add(row * stride), stride) };
                // SAFETY: the processor has AVX2, as `_avx2` exists; both types have 32 bytes, and floats may have any
                // bits.
                let values = unsafe { transmute::<__m256, [f32; WIDTH]>(outputs.scaled(sums)) };
                to[row * to_stride + outputs.first..][..outputs.count].copy_from_slice(&values[..outputs.count]);
            }
        }
    }
}
