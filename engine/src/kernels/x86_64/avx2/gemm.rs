//! Matrix products: 8 outputs of 7 rows at a time.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::pairs::{GROUP, WIDTH, arrange};
use super::seven_bit::SevenBit;
use super::{Avx2, Bytes, floats, integers, pack, rounded, store, vector};
use crate::kernels::x86_64::checked_places;
use crate::kernels::{Lines, Matrix};

/// Rows at a time: all pictures that networks make of 224×224 pixels are multiples of it, and as many sums leave room
/// for their operands in sixteen registers.
pub(super) const ROWS: usize = 7;

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

/// What the sums of a tile start from, and what becomes of them.
#[derive(Debug)]
pub(super) struct Outputs {
    first: usize,
    /// How many there are; the rest is padding.
    count: usize,
    pub(super) bias: __m256i,
    multipliers: __m256,
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

/// The arithmetic instructions that one row takes of groups two by two, and of groups alone.
pub(super) fn cost(pairs: usize, singles: usize) -> usize {
    5 * pairs + 3 * singles
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

/// Adds the products of `R` rows to sums: of groups that go together two by two, each pair's places in a row, and then of
/// single ones. The weights stand in this order.
///
/// # Safety
/// The processor must have AVX2. Of each of the `R` rows that start `stride` apart from `from` on, the four bytes from
/// each place in `pairs` and `singles` on are read and must be readable.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn multiply<const R: usize>(
    mut sums: [__m256i; R],
    pairs: impl ExactSizeIterator<Item = [usize; 2]>,
    singles: &[u32],
    weights: &[__m256i],
    from: *const u8,
    stride: usize,
) -> [__m256i; R] {
    let ones = _mm256_set1_epi16(1);
    // SAFETY: this is called for rows below `R`, as many as there are sums, and for places of pairs and singles, from
    // which on four bytes are readable; the load takes any alignment.
    let four = |row: usize, start: usize| unsafe {
        _mm256_set1_epi32(from.add(row * stride + start).cast::<i32>().read_unaligned())
    };
    let (of_pairs, of_singles) = weights.split_at(pairs.len() * 2);
    for ([first, second], weights) in pairs.zip(of_pairs.as_chunks::<2>().0) {
        for (row, sum) in sums.iter_mut().enumerate() {
            let a = _mm256_maddubs_epi16(four(row, first), weights[0]);
            let b = _mm256_maddubs_epi16(four(row, second), weights[1]);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_add_epi16(a, b), ones));
        }
    }
    for (&start, &weights) in singles.iter().zip(of_singles) {
        for (row, sum) in sums.iter_mut().enumerate() {
            let a = _mm256_maddubs_epi16(four(row, start as usize), weights);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(a, ones));
        }
    }
    sums
}

/// The weights of a tile's outputs.
pub(super) fn rows<'a>(matrix: &Matrix<'a>, first: usize) -> Vec<&'a [i16]> {
    let last = (first + WIDTH).min(matrix.rows);
    matrix.weights[first * matrix.columns..last * matrix.columns].chunks_exact(matrix.columns).collect()
}

impl Outputs {
    pub(super) fn new(matrix: &Matrix<'_>, first: usize, bias: impl Fn(usize) -> i32) -> Outputs {
        let count = (matrix.rows - first).min(WIDTH);
        let of = |output: usize| Some(first + output).filter(|_| output < count);
        Outputs {
            first,
            count,
            bias: integers(from_fn(|lane| of(lane).map_or(0, &bias))),
            multipliers: floats(from_fn(|lane| of(lane).map_or(0.0, |output| matrix.multipliers[output]))),
        }
    }

    pub(super) fn are_whole(&self) -> bool {
        self.count == WIDTH
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn scaled(&self, sums: __m256i) -> __m256 {
        _mm256_mul_ps(_mm256_cvtepi32_ps(sums), self.multipliers)
    }

    /// Writes the outputs of `R` rows; `WHOLE` says that there are eight.
    ///
    /// # Safety
    /// The processor must have AVX2, and there must be eight outputs if `WHOLE`. In each of the `R` rows that start
    /// `to_stride` apart from `to` on, these outputs (`count` bytes from `first` on) are written and must be writable.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn write<const R: usize, const WHOLE: bool>(
        &self,
        sums: [__m256i; R],
        to: *mut u8,
        to_stride: usize,
        bytes: Bytes,
    ) {
        let results = sums.map(|sums| self.scaled(sums));
        for first in (0..R).step_by(4) {
            let packed = pack(from_fn(|at| rounded(results[(first + at).min(R - 1)])), bytes);
            for (at, packed) in packed.into_iter().enumerate() {
                for (row, packed) in [(first + 2 * at, packed), (first + 2 * at + 1, _mm_srli_si128::<8>(packed))] {
                    if row < R {
                        // SAFETY: `row` is one of `R`, and of it `self.count` bytes are writable from `self.first` on:
                        // eight if `WHOLE`, and eight at most.
                        unsafe {
                            let to = to.add(row * to_stride + self.first);
                            store(packed, to, if WHOLE { WIDTH } else { self.count });
                        }
                    }
                }
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
