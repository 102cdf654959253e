//! The micro-kernel of the GEMM: a tile of up to eight outputs of up to seven rows, with one vector of accumulators for
//! each row.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;

use super::vectors::{floats, integers, pack, rounded};
use crate::kernels::Matrix;
use crate::kernels::x86_64::pairs::WIDTH;
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::x86_64::sse41::vectors::store;

/// The maximum number of rows of a tile. The widths of the activations of networks for images of 224×224 pixels are
/// multiples of 7. Seven accumulators leave nine of the sixteen registers for the operands.
pub(super) const ROWS: usize = 7;

/// The number of arithmetic instructions that a tile of so many pairs and single groups takes for one row in
/// [`multiply`]. Loads are not counted.
pub(super) fn cost(pairs: usize, singles: usize) -> usize {
    5 * pairs + 3 * singles
}

/// The outputs of a tile: their position, bias and multipliers.
#[derive(Debug)]
pub(super) struct Outputs {
    /// The number of the first output, a row of the matrix.
    pub(super) first: usize,
    /// The number of outputs, from 1 to [`WIDTH`]. The remaining lanes are padding.
    pub(super) count: usize,
    pub(super) bias: __m256i,
    multipliers: __m256,
}

/// Adds the products of `R` rows to `sums`, one vector for each row: those of pairs of groups, and then those of single
/// groups. `pairs` and `singles` are the offsets of the groups in a row, in bytes; `weights` has the weights of the
/// groups in this order.
///
/// # Safety
/// The processor must have AVX2. Of each of the `R` rows that start `stride` bytes apart from `from` on, the four bytes
/// from each offset in `pairs` and `singles` on are read and must be readable.
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
    // `vpmaddwd` by ones widens 16-bit sums to 32 bits and adds the two of each output.
    let ones = _mm256_set1_epi16(1);
    // SAFETY: this is called for rows below `R`, the number of sums, and for offsets of pairs and singles, from which
    // on four bytes are readable; the load takes any alignment.
    let four = |row: usize, start: usize| unsafe {
        _mm256_set1_epi32(from.add(row * stride + start).cast::<i32>().read_unaligned())
    };
    let (pair_weights, single_weights) = weights.split_at(pairs.len() * 2);
    for ([first, second], weights) in pairs.zip(pair_weights.as_chunks::<2>().0) {
        for (row, sum) in sums.iter_mut().enumerate() {
            let a = _mm256_maddubs_epi16(four(row, first), weights[0]);
            let b = _mm256_maddubs_epi16(four(row, second), weights[1]);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_add_epi16(a, b), ones));
        }
    }
    for (&start, &weights) in singles.iter().zip(single_weights) {
        for (row, sum) in sums.iter_mut().enumerate() {
            let a = _mm256_maddubs_epi16(four(row, start as usize), weights);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(a, ones));
        }
    }
    sums
}

impl Outputs {
    /// The outputs from `first` on, with the bias that `bias` gives for the number of an output.
    pub(super) fn new(matrix: &Matrix<'_>, first: usize, bias: impl Fn(usize) -> i32) -> Outputs {
        let count = (matrix.rows - first).min(WIDTH);
        let output = |lane: usize| Some(first + lane).filter(|_| lane < count);
        Outputs {
            first,
            count,
            bias: integers(from_fn(|lane| output(lane).map_or(0, &bias))),
            multipliers: floats(from_fn(|lane| output(lane).map_or(0.0, |output| matrix.multipliers[output]))),
        }
    }

    /// Whether there are [`WIDTH`] outputs, so that no lane is padding.
    pub(super) fn are_whole(&self) -> bool {
        self.count == WIDTH
    }

    /// The sums of one row, as floats, times the multipliers.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn scaled(&self, sums: __m256i) -> __m256 {
        _mm256_mul_ps(_mm256_cvtepi32_ps(sums), self.multipliers)
    }

    /// Requantizes the sums of `R` rows and writes their outputs. `WHOLE` says that there are eight outputs.
    ///
    /// # Safety
    /// The processor must have AVX2, and there must be eight outputs if `WHOLE`. In each of the `R` rows that start
    /// `to_stride` bytes apart from `to` on, these outputs (`count` bytes from `first` on) are written and must be
    /// writable.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn write<const R: usize, const WHOLE: bool>(
        &self,
        sums: [__m256i; R],
        to: *mut u8,
        to_stride: usize,
        requantize: Requantize,
    ) {
        let results = sums.map(|sums| self.scaled(sums));
        for first in (0..R).step_by(4) {
            let packed = pack(from_fn(|at| rounded(results[(first + at).min(R - 1)])), requantize);
            for (at, packed) in packed.into_iter().enumerate() {
                for (row, packed) in [(first + 2 * at, packed), (first + 2 * at + 1, _mm_srli_si128::<8>(packed))] {
                    if row < R {
                        // SAFETY: `row` is below `R`, and `self.count` bytes of it are writable from `self.first` on:
                        // eight if `WHOLE`, and at most eight.
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
