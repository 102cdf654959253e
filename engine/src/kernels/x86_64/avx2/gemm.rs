//! Matrix products: 8 outputs of 7 rows at a time.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::mem::transmute;

use super::pairs::{GROUP, WIDTH, arrange};
use super::seven_bit::SevenBit;
use super::tile::{Outputs, ROWS, cost, multiply, rows};
use super::{Avx2, Bytes, vector};
use crate::kernels::x86_64::checked_places;
use crate::kernels::{Lines, Matrix};

#[derive(Debug)]
pub(super) struct Gemm {
    /// What calls of functions with AVX2 rest on.
    _avx2: Avx2,
    /// How many bytes from a row's start on the caller must have: four at least from each place on.
    reach: usize,
    rows: usize,
    bytes: Bytes,
    tiles: Vec<Tile>,
    /// What is tried first.
    seven_bit: Option<SevenBit>,
}

/// Up to eight outputs.
#[derive(Debug)]
struct Tile {
    outputs: Outputs,
    /// The places of two groups each, and of those alone, in a row: all are places that the kernel was packed with.
    pairs: Vec<[u32; 2]>,
    singles: Vec<u32>,
    weights: Vec<__m256i>,
}

impl Gemm {
    pub(super) fn new(avx2: Avx2, matrix: &Matrix<'_>, offsets: Option<&[u32]>) -> Gemm {
        let (offsets, reach) = checked_places(matrix, offsets);
        let tiles: Vec<Tile> =
            (0..matrix.rows).step_by(WIDTH).map(|first| Tile::new(matrix, &offsets, first)).collect();
        let cost = tiles.iter().map(|tile| cost(tile.pairs.len(), tile.singles.len())).sum();
        let seven_bit = SevenBit::new(avx2, matrix, &offsets, cost);
        Gemm { _avx2: avx2, reach, rows: matrix.rows, bytes: Bytes::of(matrix.output_stage), tiles, seven_bit }
    }
}

impl Tile {
    fn new(matrix: &Matrix<'_>, offsets: &[u32], first: usize) -> Tile {
        let arranged = arrange(&rows(matrix, first));
        let place = |start: u32| offsets[start as usize / GROUP];
        Tile {
            outputs: Outputs::new(matrix, first, |output| matrix.bias[output]),
            pairs: arranged.pairs.iter().map(|pair| pair.map(place)).collect(),
            singles: arranged.singles.iter().copied().map(place).collect(),
            weights: arranged.weights.into_iter().map(vector).collect(),
        }
    }

    /// The sums of `R` rows. `WHOLE` means nothing here: it gives each caller a copy of its own, which the compiler then
    /// puts in place.
    ///
    /// # Safety
    /// The processor must have AVX2. Of each of the `R` rows that start `stride` apart from `from` on, the four bytes
    /// from each of the tile's places on are read and must be readable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn sums<const R: usize, const WHOLE: bool>(&self, from: *const u8, stride: usize) -> [__m256i; R] {
        let pairs = self.pairs.iter().map(|pair| pair.map(|start| start as usize));
        // SAFETY: four bytes at each place, of pairs and of singles, are readable in each of `R` rows.
        unsafe { multiply([self.outputs.bias; R], pairs, &self.singles, &self.weights, from, stride) }
    }

    /// `count` rows of bytes; `WHOLE` says that the tile has eight outputs.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. Of each of `count` rows that start `stride`
    /// apart from `from` on, the four bytes from each of the tile's places on are read and must be readable; in each of
    /// as many rows that start `to_stride` apart from `to` on, the tile's outputs are written and must be writable.
    #[target_feature(enable = "avx2")]
    unsafe fn all_bytes<const WHOLE: bool>(
        &self,
        mut from: *const u8,
        stride: usize,
        count: usize,
        mut to: *mut u8,
        to_stride: usize,
        bytes: Bytes,
    ) {
        // SAFETY: seven rows at a time, and then what is left of `count`: `from` and `to` are those of the first row of
        // each call, and all rows of a call are among the `count` that are readable, and writable.
        unsafe {
            for _ in 0..count / ROWS {
                self.bytes::<ROWS, WHOLE>(from, stride, to, to_stride, bytes);
                (from, to) = (from.wrapping_add(ROWS * stride), to.wrapping_add(ROWS * to_stride));
            }
            match count % ROWS {
                1 => self.bytes::<1, WHOLE>(from, stride, to, to_stride, bytes),
                2 => self.bytes::<2, WHOLE>(from, stride, to, to_stride, bytes),
                3 => self.bytes::<3, WHOLE>(from, stride, to, to_stride, bytes),
                4 => self.bytes::<4, WHOLE>(from, stride, to, to_stride, bytes),
                5 => self.bytes::<5, WHOLE>(from, stride, to, to_stride, bytes),
                6 => self.bytes::<6, WHOLE>(from, stride, to, to_stride, bytes),
                _ => {}
            }
        }
    }

    /// `R` rows of bytes.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. Of each of the `R` rows that start `stride`
    /// apart from `from` on, the four bytes from each of the tile's places on are read and must be readable; in each of
    /// the `R` rows that start `to_stride` apart from `to` on, the tile's outputs are written and must be writable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn bytes<const R: usize, const WHOLE: bool>(
        &self,
        from: *const u8,
        stride: usize,
        to: *mut u8,
        to_stride: usize,
        bytes: Bytes,
    ) {
        // SAFETY: `R` rows are readable at the tile's places, and writable for its outputs, which are eight if `WHOLE`.
        unsafe { self.outputs.write::<R, WHOLE>(self.sums::<R, WHOLE>(from, stride), to, to_stride, bytes) };
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
            unsafe { seven_bit.lines(from, lines, to, to_stride, self.bytes) }
        };
        if self.seven_bit.as_ref().is_some_and(seven_bit) {
            return;
        }
        for tile in &self.tiles {
            for line in 0..lines.count {
                // SAFETY: the processor has AVX2, as `_avx2` exists. `Lines::check` found `reach` bytes of each row of
                // each line within `from`, which is four from each place on at least, and the results of each within
                // `to`, of which a tile writes its own; they follow those of the lines before. `WHOLE` is chosen for
                // tiles of eight outputs alone.
                unsafe {
                    let from = from.as_ptr().wrapping_add(line * lines.stride);
                    let to = to.as_mut_ptr().wrapping_add(line * lines.pixels * to_stride);
                    if tile.outputs.are_whole() {
                        tile.all_bytes::<true>(from, lines.step, lines.pixels, to, to_stride, self.bytes);
                    } else {
                        tile.all_bytes::<false>(from, lines.step, lines.pixels, to, to_stride, self.bytes);
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
                // SAFETY: the processor has AVX2, as `_avx2` exists. `Lines::check` found `reach` bytes of each row
                // within `from`, which is four from each place on at least.
                let [sums] = unsafe { tile.sums::<1, false>(from.as_ptr().add(row * stride), stride) };
                // SAFETY: the processor has AVX2, as `_avx2` exists; both types have 32 bytes, and floats may have any
                // bits.
                let values = unsafe { transmute::<__m256, [f32; WIDTH]>(outputs.scaled(sums)) };
                to[row * to_stride + outputs.first..][..outputs.count].copy_from_slice(&values[..outputs.count]);
            }
        }
    }
}
