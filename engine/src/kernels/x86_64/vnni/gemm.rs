//! GEMM, in tiles of 32 outputs by 14 rows: of the 32 registers, 28 are accumulators, two hold weights and one the
//! bytes of a row. 14 divides the widths of the activations of networks for images of 224×224 pixels.

use std::arch::asm;
#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::{Avx512Vnni, Packing, Requantize, first, fits};
use crate::kernels::x86_64::checked_offsets;
use crate::kernels::{Lines, Matrix};

/// The number of input bytes that one instruction multiplies for one output.
const GROUP: usize = 4;

/// The number of outputs in a vector of accumulators.
const LANES: usize = 16;

/// A packed matrix.
#[derive(Debug)]
pub(super) struct Gemm {
    /// Proof of AVX-512, which the calls of functions that need it rely on.
    _vnni: Avx512Vnni,
    /// The number of bytes from the start of each row that the caller must have: at least four from each offset on.
    reach: usize,
    /// The number of outputs.
    rows: usize,
    requantize: Requantize,
    /// The offset in a row of each group of four inputs, in bytes.
    offsets: Vec<u32>,
    tiles: Vec<Tile>,
}

/// The packed weights of up to 32 outputs.
#[derive(Debug)]
struct Tile {
    /// The number of the first output, a row of the matrix.
    first: usize,
    /// The number of outputs. The remaining lanes are padding.
    outputs: usize,
    /// For each group of inputs, one vector, or two where there are more than 16 outputs.
    weights: Vec<__m512i>,
    bias: [__m512i; 2],
    multipliers: [__m512; 2],
    /// The indices of the permutation that makes the outputs of each packed row contiguous. It is in memory because the
    /// compiler replaces a permutation with constant indices by several instructions.
    order: __m512i,
}

/// Multiplies four bytes of a row, which start at `$from` + `$index` × `$scale`, with the weights of all outputs, and
/// adds the products to the accumulators of row `$row`. It is assembly because compilers load the bytes of all rows
/// first, and have no registers left for the accumulators then. `R` and `V` are those of [`Tile::results`]. `V - 1`
/// stands for 1, which would be out of bounds in instances for `V` of 1.
macro_rules! multiply_add {
    ($sums:ident[$row:literal], $weights:ident, [$from:ident + $index:ident * $scale:literal]) => {
        if $row < R {
            let _bytes: __m512i;
            if V == 2 {
                asm!(
                    concat!("vpbroadcastd {bytes}, dword ptr [{from} + {index} * ", $scale, "]"),
                    "vpdpbusd {first}, {bytes}, {weights}",
                    "vpdpbusd {second}, {bytes}, {more_weights}",
                    from = in(reg) $from,
                    index = in(reg) $index,
                    bytes = out(zmm_reg) _bytes,
                    weights = in(zmm_reg) $weights[0],
                    more_weights = in(zmm_reg) $weights[V - 1],
                    first = inout(zmm_reg) $sums[$row][0],
                    second = inout(zmm_reg) $sums[$row][V - 1],
                    options(readonly, nostack, preserves_flags),
                );
            } else {
                asm!(
                    concat!("vpbroadcastd {bytes}, dword ptr [{from} + {index} * ", $scale, "]"),
                    "vpdpbusd {first}, {bytes}, {weights}",
                    from = in(reg) $from,
                    index = in(reg) $index,
                    bytes = out(zmm_reg) _bytes,
                    weights = in(zmm_reg) $weights[0],
                    first = inout(zmm_reg) $sums[$row][0],
                    options(readonly, nostack, preserves_flags),
                );
            }
        }
    };
}

/// The output, counted from the tile's first, that a lane of a vector has. The order is that in which the pack
/// instructions leave the outputs. With two vectors, four outputs of one alternate with four of the other.
fn output(vectors: usize, vector: usize, lane: usize) -> usize {
    if vectors == 1 { lane } else { lane / 4 * 8 + vector * 4 + lane % 4 }
}

impl Gemm {
    /// Packs a matrix, for an indirect GEMM where there are `offsets`. None where [`fits`] is false.
    ///
    /// # Panics
    /// Where [`checked_offsets`] does.
    pub(super) fn new(vnni: Avx512Vnni, matrix: &Matrix<'_>, offsets: Option<&[u32]>) -> Option<Gemm> {
        let (offsets, reach) = checked_offsets(matrix, offsets);
        if !fits(matrix.weights, matrix.bias, matrix.multipliers) {
            return None;
        }
        let tiles = (0..matrix.rows).step_by(2 * LANES).map(|first| Tile::new(matrix, first)).collect();
        Some(Gemm {
            _vnni: vnni,
            reach,
            rows: matrix.rows,
            requantize: Requantize::of(matrix.output_stage),
            offsets,
            tiles,
        })
    }

    /// Each tile with the weights of the next one, which it prefetches; the last tile with its own, which are in the
    /// cache.
    fn tiles_and_next(&self) -> impl Iterator<Item = (&Tile, &[__m512i])> {
        let next = self.tiles.iter().skip(1).chain(self.tiles.last()).map(|tile| &tile.weights[..]);
        self.tiles.iter().zip(next)
    }
}

impl Tile {
    fn new(matrix: &Matrix<'_>, first: usize) -> Tile {
        let outputs = (matrix.rows - first).min(2 * LANES);
        let vectors = outputs.div_ceil(LANES);
        let row = |vector: usize, lane: usize| {
            Some(output(vectors, vector, lane)).filter(|&output| output < outputs).map(|output| first + output)
        };
        // SAFETY: both types have 64 bytes, and a vector may have any bits.
        let zero = unsafe { transmute::<[u8; 64], __m512i>([0; 64]) };
        let mut weights = vec![zero; matrix.columns.div_ceil(GROUP) * vectors];
        // SAFETY: an array of arrays of bytes has the 64 bytes of a vector and needs no alignment; there are as many as
        // there are vectors, which are not used otherwise while the slice lives. Both types may have any bits.
        let lanes: &mut [[[u8; GROUP]; LANES]] =
            unsafe { std::slice::from_raw_parts_mut(weights.as_mut_ptr().cast(), weights.len()) };
        for (vector, lane) in (0..vectors).flat_map(|vector| (0..LANES).map(move |lane| (vector, lane))) {
            let Some(row) = row(vector, lane) else { continue };
            let (groups, tail) = matrix.weights[row * matrix.columns..][..matrix.columns].as_chunks();
            let mut last = [0; GROUP];
            last[..tail.len()].copy_from_slice(tail);
            for (to, group) in lanes.iter_mut().skip(vector).step_by(vectors).zip(groups.iter().chain([&last])) {
                to[lane] = group.map(|weight| weight as u8);
            }
        }
        let bias: [[i32; LANES]; 2] =
            from_fn(|vector| from_fn(|lane| row(vector, lane).map_or(0, |row| matrix.bias[row])));
        let multipliers: [[f32; LANES]; 2] =
            from_fn(|vector| from_fn(|lane| row(vector, lane).map_or(0.0, |row| matrix.multipliers[row])));
        // SAFETY: both types have two times 64 bytes, and a vector may have any bits.
        let bias = unsafe { transmute::<[[i32; LANES]; 2], [__m512i; 2]>(bias) };
        // SAFETY: both types have two times 64 bytes, and a vector may have any bits.
        let multipliers = unsafe { transmute::<[[f32; LANES]; 2], [__m512; 2]>(multipliers) };
        let order: [i32; LANES] = match vectors {
            1 => from_fn(|at| (at % 4 * 4 + at / 4) as i32),
            // Indices of lanes of 64 bits.
            _ => from_fn(|at| if at % 2 == 0 { [0, 2, 4, 6, 1, 3, 5, 7][at / 2] } else { 0 }),
        };
        // SAFETY: both types have 64 bytes, and a vector may have any bits.
        let order = unsafe { transmute::<[i32; LANES], __m512i>(order) };
        Tile { first, outputs, weights, bias, multipliers, order }
    }

    /// The scaled sums of `R` rows, before rounding, in `V` vectors for each. It prefetches from `next` on: one vector
    /// for each group of inputs, or, where `R` is 1 and there may be no second pass, `V` vectors.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW and VNNI. `R` must be at most 14. Of each of the `R` rows that start
    /// `stride` bytes apart from `from` on, the four bytes from each of `offsets` on are read and must be readable.
    /// (`next` may be any address.)
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn results<const R: usize, const V: usize>(
        &self,
        offsets: &[u32],
        from: *const u8,
        stride: usize,
        next: *const __m512i,
    ) -> [[__m512; V]; R] {
        let prefetched = if R == 1 { V } else { 1 };
        let mut sums: [[__m512i; V]; R] = [from_fn(|vector| self.bias[vector]); R];
        // An address may have a register times 1, 2, 4 or 8. So the odd multiples of the stride reach all fourteen
        // rows.
        let [s1, s3, s5, s7, s9, s11, s13] = [1, 3, 5, 7, 9, 11, 13].map(|rows| rows * stride);
        for (group, (&offset, weights)) in offsets.iter().zip(self.weights.as_chunks::<V>().0).enumerate() {
            // SAFETY: each block of assembly is one of `multiply_add`, for a row below `R`, which the macro checks. It
            // reads the four bytes of that row from this offset on, at `from` + index × scale, where the product is row
            // × `stride`; they are readable. The instructions are of AVX-512 F and VNNI, and those that multiply access
            // only registers. Any address may be prefetched, which changes nothing but caches.
            unsafe {
                for vector in 0..prefetched {
                    _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(group * prefetched + vector).cast());
                }
                let from = from.add(offset as usize);
                let zero = 0_usize;
                multiply_add!(sums[0], weights, [from + zero * 1]);
                multiply_add!(sums[1], weights, [from + s1 * 1]);
                multiply_add!(sums[2], weights, [from + s1 * 2]);
                multiply_add!(sums[3], weights, [from + s3 * 1]);
                multiply_add!(sums[4], weights, [from + s1 * 4]);
                multiply_add!(sums[5], weights, [from + s5 * 1]);
                multiply_add!(sums[6], weights, [from + s3 * 2]);
                multiply_add!(sums[7], weights, [from + s7 * 1]);
                multiply_add!(sums[8], weights, [from + s1 * 8]);
                multiply_add!(sums[9], weights, [from + s9 * 1]);
                multiply_add!(sums[10], weights, [from + s5 * 2]);
                multiply_add!(sums[11], weights, [from + s11 * 1]);
                multiply_add!(sums[12], weights, [from + s3 * 4]);
                multiply_add!(sums[13], weights, [from + s13 * 1]);
            }
        }
        let mut results = [[_mm512_setzero_ps(); V]; R];
        for (results, sums) in results.iter_mut().zip(sums) {
            for (vector, result) in results.iter_mut().enumerate() {
                *result = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[vector]), self.multipliers[vector]);
            }
        }
        results
    }

    /// Computes the requantized outputs of `R` rows.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. `R` must be at most 14. Of each of the `R` rows that start
    /// `stride` bytes apart from `from` on, the four bytes from each of `offsets` on are read and must be readable. In
    /// each of the `R` rows that start `to_stride` bytes apart from `to` on, one byte for each output of the tile is
    /// written and must be writable; the tile must have at most `V` times 16 outputs. (`next` may be any address.)
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn bytes<const R: usize, const V: usize>(
        &self,
        offsets: &[u32],
        (from, stride): (*const u8, usize),
        (to, to_stride): (*mut u8, usize),
        packing: Packing,
        next: *const __m512i,
    ) {
        // SAFETY: four bytes from each of `offsets` on are readable in each of `R` rows.
        let results = unsafe { self.results::<R, V>(offsets, from, stride, next) };
        let mask = first(self.outputs);
        if V == 1 {
            for first in (0..R).step_by(4) {
                let packed = packing.pack(from_fn(|at| _mm512_cvtps_epi32(results[(first + at).min(R - 1)][0])));
                let packed = _mm512_permutexvar_epi32(self.order, packed);
                let rows = [
                    _mm512_castsi512_si128(packed),
                    _mm512_extracti32x4_epi32::<1>(packed),
                    _mm512_extracti32x4_epi32::<2>(packed),
                    _mm512_extracti32x4_epi32::<3>(packed),
                ];
                for (row, packed) in (first..R).zip(rows) {
                    // SAFETY: `row` is below `R`. The mask has a bit for each of the tile's outputs, whose bytes are
                    // writable from the start of the row on; no others are written.
                    unsafe { _mm_mask_storeu_epi8(to.add(row * to_stride).cast(), mask as u16, packed) };
                }
            }
        } else {
            for first in (0..R).step_by(2) {
                let rounded = |at: usize| _mm512_cvtps_epi32(results[(first + at / 2).min(R - 1)][at % V]);
                let packed = _mm512_permutexvar_epi64(self.order, packing.pack(from_fn(rounded)));
                let rows = [_mm512_castsi512_si256(packed), _mm512_extracti64x4_epi64::<1>(packed)];
                for (row, packed) in (first..R).zip(rows) {
                    // SAFETY: `row` is below `R`. The mask has a bit for each of the tile's outputs, whose bytes are
                    // writable from the start of the row on; no others are written.
                    unsafe { _mm256_mask_storeu_epi8(to.add(row * to_stride).cast(), mask as u32, packed) };
                }
            }
        }
    }

    /// Computes the requantized outputs of all rows. `next` has the weights of the next tile. Each pass over the
    /// weights of this tile prefetches one chunk of them, one vector for each group of inputs, so that the prefetches
    /// do not exceed the bandwidth of the memory. Two passes prefetch all of them.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. Of each row of each line from `from` on, the four bytes from
    /// each of `offsets` on are read and must be readable. In each of as many rows that start `to_stride` bytes apart
    /// from `to` on, one byte for each output of the tile is written and must be writable; the tile must have at most
    /// `V` times 16 outputs.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn lines<const V: usize>(
        &self,
        offsets: &[u32],
        from: *const u8,
        lines: Lines,
        (mut to, to_stride): (*mut u8, usize),
        requantize: Requantize,
        next: &[__m512i],
    ) {
        let packing = Packing::of(requantize);
        let step = lines.step;
        let mut prefetch_chunks = next.chunks(offsets.len().max(1)).map(<[_]>::as_ptr).cycle();
        let mut prefetch = || prefetch_chunks.next().unwrap_or(next.as_ptr());
        // SAFETY: each call computes 14 rows of a line, then 7, then the remainder. `from` and `to` are those of the
        // first row of each call, and all rows of a call are among those that are readable at all offsets, and
        // writable.
        unsafe {
            for line in 0..lines.count {
                let mut from = from.wrapping_add(line * lines.stride);
                let mut left = lines.pixels;
                while left >= 14 {
                    self.bytes::<14, V>(offsets, (from, step), (to, to_stride), packing, prefetch());
                    (from, to) = (from.wrapping_add(14 * step), to.wrapping_add(14 * to_stride));
                    left -= 14;
                }
                if left >= 7 {
                    self.bytes::<7, V>(offsets, (from, step), (to, to_stride), packing, prefetch());
                    (from, to) = (from.wrapping_add(7 * step), to.wrapping_add(7 * to_stride));
                    left -= 7;
                }
                match left {
                    1 => self.bytes::<1, V>(offsets, (from, step), (to, to_stride), packing, prefetch()),
                    2 => self.bytes::<2, V>(offsets, (from, step), (to, to_stride), packing, prefetch()),
                    3 => self.bytes::<3, V>(offsets, (from, step), (to, to_stride), packing, prefetch()),
                    4 => self.bytes::<4, V>(offsets, (from, step), (to, to_stride), packing, prefetch()),
                    5 => self.bytes::<5, V>(offsets, (from, step), (to, to_stride), packing, prefetch()),
                    6 => self.bytes::<6, V>(offsets, (from, step), (to, to_stride), packing, prefetch()),
                    _ => {}
                }
                to = to.wrapping_add(left * to_stride);
            }
        }
    }

    /// Computes one row of outputs in floats, and writes them to the start of `to`.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW and VNNI. Of the row that starts at `from`, the four bytes from each of
    /// `offsets` on are read and must be readable.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn floats<const V: usize>(&self, offsets: &[u32], from: *const u8, to: &mut [f32], next: &[__m512i]) {
        // SAFETY: four bytes from each of `offsets` on are readable in the one row.
        let [values] = unsafe { self.results::<1, V>(offsets, from, 0, next.as_ptr()) };
        for (vector, values) in values.into_iter().enumerate() {
            // SAFETY: both types have 64 bytes, and floats may have any bits.
            let values = unsafe { transmute::<__m512, [f32; LANES]>(values) };
            for (lane, value) in values.into_iter().enumerate() {
                if let Some(to) = to[..self.outputs].get_mut(output(V, vector, lane)) {
                    *to = value;
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
        for (tile, next) in self.tiles_and_next() {
            // SAFETY: the processor has AVX-512 F, BW, VL and VNNI, as `_vnni` exists. `Lines::check` verified that
            // `reach` bytes of each row lie within `from`, at least four from each of `offsets` on, and that all
            // results lie within `to`. A tile writes its own outputs of them, from its first on, and `V` vectors have
            // room for them.
            unsafe {
                let to = to.as_mut_ptr().wrapping_add(tile.first);
                if tile.outputs > LANES {
                    tile.lines::<2>(&self.offsets, from.as_ptr(), lines, (to, to_stride), self.requantize, next);
                } else {
                    tile.lines::<1>(&self.offsets, from.as_ptr(), lines, (to, to_stride), self.requantize, next);
                }
            }
        }
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        Lines::one(stride, count).check(self.reach, from.len(), (self.rows, to_stride), to.len());
        for (tile, next) in self.tiles_and_next() {
            for row in 0..count {
                let to = &mut to[row * to_stride + tile.first..];
                // SAFETY: the processor has AVX-512 F, BW and VNNI, as `_vnni` exists. `Lines::check` verified that
                // `reach` bytes of each row lie within `from`, at least four from each of `offsets` on.
                unsafe {
                    let from = from.as_ptr().add(row * stride);
                    if tile.outputs > LANES {
                        tile.floats::<2>(&self.offsets, from, to, next);
                    } else {
                        tile.floats::<1>(&self.offsets, from, to, next);
                    }
                }
            }
        }
    }
}
