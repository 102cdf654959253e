//! A tile of a matrix product: up to eight outputs of up to seven rows, with one vector of sums for each row.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;

use super::pairs::WIDTH;
use super::{Bytes, floats, integers, pack, rounded, store};
use crate::kernels::Matrix;

/// Rows at a time: all pictures that networks make of 224×224 pixels are multiples of it, and as many sums leave room
/// for their operands in sixteen registers.
pub(super) const ROWS: usize = 7;

/// The arithmetic instructions that one row takes of groups two by two, and of groups alone.
pub(super) fn cost(pairs: usize, singles: usize) -> usize {
    5 * pairs + 3 * singles
}

/// What the sums of a tile start from, and what becomes of them.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) first: usize,
    /// How many there are; the rest is padding.
    pub(super) count: usize,
    pub(super) bias: __m256i,
    multipliers: __m256,
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

/// The weights of each output of a tile whose first output is `first`.
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
    pub(super) fn scaled(&self, sums: __m256i) -> __m256 {
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
