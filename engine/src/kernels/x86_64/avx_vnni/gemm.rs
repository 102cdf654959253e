//! GEMM, in tiles of 16 outputs by six rows: of the sixteen registers, twelve are accumulators, two hold weights and one
//! the bytes of a row.

use std::arch::asm;
#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use crate::kernels::x86_64::avx2::vectors::{floats, integers, pack, vector};
use crate::kernels::x86_64::features::{Avx2, Encoding};
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::x86_64::sse41::vectors::store;
use crate::kernels::x86_64::{checked_offsets, fits};
use crate::kernels::{Lines, Matrix};

/// The number of input bytes that one instruction multiplies for one output.
const GROUP: usize = 4;

/// The number of outputs in a vector of accumulators.
const LANES: usize = 8;

/// The maximum number of rows of a tile.
const ROWS: usize = 6;

/// A packed matrix.
#[derive(Debug)]
pub(super) struct Gemm<E> {
    /// Proofs of `vpdpbusd` in this encoding and of AVX2, which the calls of functions that need them rely on.
    _encoding: E,
    _avx2: Avx2,
    /// The number of bytes from the start of each row that the caller must have: at least four from each offset on.
    reach: usize,
    /// The number of outputs.
    rows: usize,
    requantize: Requantize,
    /// The offset in a row of each group of four inputs, in bytes.
    offsets: Vec<u32>,
    tiles: Vec<Tile>,
}

/// The packed weights of up to 16 outputs.
#[derive(Debug)]
struct Tile {
    /// The number of the first output, a row of the matrix.
    first: usize,
    /// The number of outputs. The remaining lanes are padding.
    outputs: usize,
    /// For each group of inputs, one vector, or two where there are more than eight outputs.
    weights: Vec<__m256i>,
    bias: [__m256i; 2],
    multipliers: [__m256; 2],
}

/// Multiplies four bytes of a row, which start at `$from` + `$index` × `$scale`, with the weights of all outputs, and
/// adds the products to the accumulators of row `$row`. `$prefix` is the pseudo-prefix by which the assembler chooses
/// the encoding. It is assembly because compilers load the bytes of all rows first, and have no registers left for the
/// accumulators then, and because a function's features can't follow from a type. `R` and `V` are those of
/// [`Tile::results`]. `V - 1` stands for 1, which would be out of bounds in instances for `V` of 1.
macro_rules! multiply_add {
    ($prefix:literal, $sums:ident[$row:literal], $weights:ident, [$from:ident + $index:ident * $scale:literal]) => {
        if $row < R {
            let _bytes: __m256i;
            if V == 2 {
                asm!(
                    concat!("vpbroadcastd {bytes}, dword ptr [{from} + {index} * ", $scale, "]"),
                    concat!($prefix, " vpdpbusd {first}, {bytes}, {weights}"),
                    concat!($prefix, " vpdpbusd {second}, {bytes}, {more_weights}"),
                    from = in(reg) $from,
                    index = in(reg) $index,
                    bytes = out(ymm_reg) _bytes,
                    weights = in(ymm_reg) $weights[0],
                    more_weights = in(ymm_reg) $weights[V - 1],
                    first = inout(ymm_reg) $sums[$row][0],
                    second = inout(ymm_reg) $sums[$row][V - 1],
                    options(readonly, nostack, preserves_flags),
                );
            } else {
                asm!(
                    concat!("vpbroadcastd {bytes}, dword ptr [{from} + {index} * ", $scale, "]"),
                    concat!($prefix, " vpdpbusd {first}, {bytes}, {weights}"),
                    from = in(reg) $from,
                    index = in(reg) $index,
                    bytes = out(ymm_reg) _bytes,
                    weights = in(ymm_reg) $weights[0],
                    first = inout(ymm_reg) $sums[$row][0],
                    options(readonly, nostack, preserves_flags),
                );
            }
        }
    };
}

/// [`multiply_add`] for all rows, which start `$strides[0]` bytes apart from `$from` on. `$strides` are 1, 3 and 5 times
/// the distance: as an address may have a register times 1, 2 or 4, they reach all six.
macro_rules! multiply_add_rows {
    ($prefix:literal, $sums:ident, $weights:ident, $from:ident, $strides:ident) => {
        let (zero, [s1, s3, s5]) = (0_usize, $strides);
        multiply_add!($prefix, $sums[0], $weights, [$from + zero * 1]);
        multiply_add!($prefix, $sums[1], $weights, [$from + s1 * 1]);
        multiply_add!($prefix, $sums[2], $weights, [$from + s1 * 2]);
        multiply_add!($prefix, $sums[3], $weights, [$from + s3 * 1]);
        multiply_add!($prefix, $sums[4], $weights, [$from + s1 * 4]);
        multiply_add!($prefix, $sums[5], $weights, [$from + s5 * 1]);
    };
}

/// The output, counted from the tile's first, that a lane of a vector has. With two vectors, four outputs of one
/// alternate with four of the other, as the pack instructions, which work within halves of 128 bits, restore the order.
fn output(vectors: usize, vector: usize, lane: usize) -> usize {
    if vectors == 1 { lane } else { lane / 4 * 8 + vector * 4 + lane % 4 }
}

impl<E: Encoding> Gemm<E> {
    /// Packs a matrix, for an indirect GEMM where there are `offsets`. None where [`fits`] is false.
    ///
    /// # Panics
    /// Where [`checked_offsets`] does.
    pub(super) fn new(encoding: E, avx2: Avx2, matrix: &Matrix<'_>, offsets: Option<&[u32]>) -> Option<Gemm<E>> {
        let (offsets, reach) = checked_offsets(matrix, offsets);
        if !fits(matrix.weights, matrix.bias, matrix.multipliers) {
            return None;
        }
        Some(Gemm {
            _encoding: encoding,
            _avx2: avx2,
            reach,
            rows: matrix.rows,
            requantize: Requantize::of(matrix.output_stage),
            offsets,
            tiles: (0..matrix.rows).step_by(2 * LANES).map(|first| Tile::new(matrix, first)).collect(),
        })
    }
}

impl Tile {
    fn new(matrix: &Matrix<'_>, first: usize) -> Tile {
        let outputs = (matrix.rows - first).min(2 * LANES);
        let vectors = outputs.div_ceil(LANES);
        let row = |vector: usize, lane: usize| {
            Some(output(vectors, vector, lane)).filter(|&output| output < outputs).map(|output| first + output)
        };
        let weight = |row: Option<usize>, column: usize| match row {
            Some(row) if column < matrix.columns => matrix.weights[row * matrix.columns + column] as i8,
            _ => 0,
        };
        let group = |start: usize| {
            (0..vectors)
                .map(move |number| vector(from_fn(|byte| weight(row(number, byte / GROUP), start + byte % GROUP))))
        };
        Tile {
            first,
            outputs,
            weights: (0..matrix.columns).step_by(GROUP).flat_map(group).collect(),
            bias: from_fn(|vector| integers(from_fn(|lane| row(vector, lane).map_or(0, |row| matrix.bias[row])))),
            multipliers: from_fn(|vector| {
                floats(from_fn(|lane| row(vector, lane).map_or(0.0, |row| matrix.multipliers[row])))
            }),
        }
    }

    /// The scaled sums of `R` rows, before rounding, in `V` vectors for each.
    ///
    /// # Safety
    /// The processor must have AVX2, and `vpdpbusd` in the encoding `E`. `R` must be at most 6. Of each of the `R` rows
    /// that start `stride` bytes apart from `from` on, the four bytes from each of `offsets` on are read and must be
    /// readable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn results<E: Encoding, const R: usize, const V: usize>(
        &self,
        offsets: &[u32],
        from: *const u8,
        stride: usize,
    ) -> [[__m256; V]; R] {
        let mut sums: [[__m256i; V]; R] = [from_fn(|vector| self.bias[vector]); R];
        let strides = [stride, 3 * stride, 5 * stride];
        for (&offset, weights) in offsets.iter().zip(self.weights.as_chunks::<V>().0) {
            // SAFETY: each block of assembly is one of `multiply_add`, for a row below `R`, which the macro checks. It
            // reads the four bytes of that row from this offset on, at `from` + index × scale, where the product is row
            // × `stride`; they are readable. The instructions are of AVX2 and `vpdpbusd` in the encoding `E`, and those
            // that multiply access only registers.
            unsafe {
                let from = from.add(offset as usize);
                if E::IS_VEX {
                    multiply_add_rows!("{{vex}}", sums, weights, from, strides);
                } else {
                    multiply_add_rows!("{{evex}}", sums, weights, from, strides);
                }
            }
        }
        let mut results = [[_mm256_setzero_ps(); V]; R];
        for (results, sums) in results.iter_mut().zip(sums) {
            for (vector, result) in results.iter_mut().enumerate() {
                *result = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[vector]), self.multipliers[vector]);
            }
        }
        results
    }

    /// Computes the requantized outputs of `R` rows.
    ///
    /// # Safety
    /// The processor must have AVX2, and `vpdpbusd` in the encoding `E`. `R` must be at most 6. Of each of the `R` rows
    /// that start `stride` bytes apart from `from` on, the four bytes from each of `offsets` on are read and must be
    /// readable. In each of the `R` rows that start `to_stride` bytes apart from `to` on, one byte for each output of the
    /// tile is written and must be writable; the tile must have at most `V` times 8 outputs.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn bytes<E: Encoding, const R: usize, const V: usize>(
        &self,
        offsets: &[u32],
        (from, stride): (*const u8, usize),
        (to, to_stride): (*mut u8, usize),
        requantize: Requantize,
    ) {
        // SAFETY: four bytes from each of `offsets` on are readable in each of `R` rows.
        let results = unsafe { self.results::<E, R, V>(offsets, from, stride) };
        // The conversion can't overflow, as `fits` verified.
        let rounded = |row: usize, vector: usize| _mm256_cvtps_epi32(results[row.min(R - 1)][vector % V]);
        for first in (0..R).step_by(4 / V) {
            let rows = if V == 1 {
                let [two, more] = pack(from_fn(|at| rounded(first + at, 0)), requantize);
                [two, _mm_srli_si128::<8>(two), more, _mm_srli_si128::<8>(more)]
            } else {
                let [one, two] = pack_wide(from_fn(|at| rounded(first + at / 2, at % 2)), requantize);
                [one, two, one, two]
            };
            for (row, packed) in (first..R.min(first + 4 / V)).zip(rows) {
                // SAFETY: `row` is below `R`, and `self.outputs` bytes from the start of the row on are writable, at most
                // the 16 of the vector.
                unsafe { store(packed, to.add(row * to_stride), self.outputs) };
            }
        }
    }

    /// Computes the requantized outputs of all rows of a line.
    ///
    /// # Safety
    /// As for [`Tile::bytes`], of `count` rows.
    #[target_feature(enable = "avx2")]
    unsafe fn line<E: Encoding, const V: usize>(
        &self,
        offsets: &[u32],
        (mut from, stride): (*const u8, usize),
        count: usize,
        (mut to, to_stride): (*mut u8, usize),
        requantize: Requantize,
    ) {
        // SAFETY: each call computes six rows, and the last one the remainder of `count`. `from` and `to` are those of
        // the first row of each call, and all rows of a call are among the `count` that are readable, and writable.
        unsafe {
            for _ in 0..count / ROWS {
                self.bytes::<E, ROWS, V>(offsets, (from, stride), (to, to_stride), requantize);
                (from, to) = (from.wrapping_add(ROWS * stride), to.wrapping_add(ROWS * to_stride));
            }
            match count % ROWS {
                1 => self.bytes::<E, 1, V>(offsets, (from, stride), (to, to_stride), requantize),
                2 => self.bytes::<E, 2, V>(offsets, (from, stride), (to, to_stride), requantize),
                3 => self.bytes::<E, 3, V>(offsets, (from, stride), (to, to_stride), requantize),
                4 => self.bytes::<E, 4, V>(offsets, (from, stride), (to, to_stride), requantize),
                5 => self.bytes::<E, 5, V>(offsets, (from, stride), (to, to_stride), requantize),
                _ => {}
            }
        }
    }

    /// Computes one row of outputs in floats, and writes them to the start of `to`.
    ///
    /// # Safety
    /// The processor must have AVX2, and `vpdpbusd` in the encoding `E`. Of the row that starts at `from`, the four bytes
    /// from each of `offsets` on are read and must be readable.
    #[target_feature(enable = "avx2")]
    unsafe fn floats<E: Encoding, const V: usize>(&self, offsets: &[u32], from: *const u8, to: &mut [f32]) {
        // SAFETY: four bytes from each of `offsets` on are readable in the one row.
        let [values] = unsafe { self.results::<E, 1, V>(offsets, from, 0) };
        for (vector, values) in values.into_iter().enumerate() {
            // SAFETY: both types have 32 bytes, and floats may have any bits.
            let values = unsafe { transmute::<__m256, [f32; LANES]>(values) };
            for (lane, value) in values.into_iter().enumerate() {
                if let Some(to) = to[..self.outputs].get_mut(output(V, vector, lane)) {
                    *to = value;
                }
            }
        }
    }
}

/// Requantizes the rounded numbers of two rows to bytes: two vectors of each row, in the order of [`output`].
#[inline]
#[target_feature(enable = "avx2")]
fn pack_wide(vectors: [__m256i; 4], requantize: Requantize) -> [__m128i; 2] {
    let zero_point = _mm256_set1_epi16(i16::from(requantize.zero_point));
    let words = |a, b| _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
    // Each half of the result has half of both rows.
    let packed = _mm256_packus_epi16(words(vectors[0], vectors[1]), words(vectors[2], vectors[3]));
    let in_order = _mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
    let clamped = _mm256_min_epu8(
        _mm256_max_epu8(in_order, _mm256_set1_epi8(requantize.min as i8)),
        _mm256_set1_epi8(requantize.max as i8),
    );
    [_mm256_castsi256_si128(clamped), _mm256_extracti128_si256::<1>(clamped)]
}

impl<E: Encoding> crate::kernels::Gemm for Gemm<E> {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        self.lines(from, Lines::one(stride, count), to, to_stride);
    }

    fn lines(&self, from: &[u8], lines: Lines, to: &mut [u8], to_stride: usize) {
        lines.check(self.reach, from.len(), (self.rows, to_stride), to.len());
        for (tile, line) in self.tiles.iter().flat_map(|tile| (0..lines.count).map(move |line| (tile, line))) {
            // SAFETY: the processor has AVX2 and `vpdpbusd` in the encoding `E`, as the proofs exist. `Lines::check`
            // verified that `reach` bytes of each row lie within `from`, at least four from each of `offsets` on, and
            // that all results lie within `to`. A tile writes its own outputs of them, from its first on, and `V` vectors
            // have room for them. The results of a line follow those of the lines before it.
            unsafe {
                let from = (from.as_ptr().wrapping_add(line * lines.stride), lines.step);
                let to = (to.as_mut_ptr().wrapping_add(line * lines.pixels * to_stride + tile.first), to_stride);
                if tile.outputs > LANES {
                    tile.line::<E, 2>(&self.offsets, from, lines.pixels, to, self.requantize);
                } else {
                    tile.line::<E, 1>(&self.offsets, from, lines.pixels, to, self.requantize);
                }
            }
        }
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        Lines::one(stride, count).check(self.reach, from.len(), (self.rows, to_stride), to.len());
        for (tile, row) in self.tiles.iter().flat_map(|tile| (0..count).map(move |row| (tile, row))) {
            let to = &mut to[row * to_stride + tile.first..];
            // SAFETY: the processor has AVX2 and `vpdpbusd` in the encoding `E`, as the proofs exist. `Lines::check`
            // verified that `reach` bytes of each row lie within `from`, at least four from each of `offsets` on.
            unsafe {
                let from = from.as_ptr().add(row * stride);
                if tile.outputs > LANES {
                    tile.floats::<E, 2>(&self.offsets, from, to);
                } else {
                    tile.floats::<E, 1>(&self.offsets, from, to);
                }
            }
        }
    }
}
