//! Matrix products: 32 outputs of 14 rows at a time.

use std::arch::asm;
#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::{Avx512Vnni, Bytes, Packing, first, fits};
use crate::kernels::x86_64::checked_places;
use crate::kernels::{Lines, Matrix};

/// Bytes that are multiplied by one instruction for one output.
const GROUP: usize = 4;

/// Outputs of a vector of sums.
const LANES: usize = 16;

#[derive(Debug)]
pub(super) struct Gemm {
    /// What calls of functions with AVX-512 rest on.
    _vnni: Avx512Vnni,
    /// How many bytes from a row's start on the caller must have: four at least from each place on.
    reach: usize,
    rows: usize,
    bytes: Bytes,
    /// Where each group of four inputs starts.
    places: Vec<u32>,
    tiles: Vec<Tile>,
}

/// Up to 32 outputs.
#[derive(Debug)]
struct Tile {
    first: usize,
    /// How many there are; the rest is padding.
    outputs: usize,
    /// For each group of inputs, one vector, or two where there are more than 16 outputs.
    weights: Vec<__m512i>,
    bias: [__m512i; 2],
    multipliers: [__m512; 2],
    /// Puts the parts of packed rows side by side. It stands in memory because the compiler, if it knew the numbers, would
    /// make several permutations of one.
    order: __m512i,
}

/// Multiplies four bytes of a row, which start at `$from` + `$index` × `$scale`, with the weights of all outputs.
/// Compilers load the bytes of all rows first, if they may, and have no registers left for the sums then.
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

/// The output, from the tile's first on, that stands in a lane of a vector; it is where packing leaves it. With two
/// vectors, four of one follow four of the other.
fn output(vectors: usize, vector: usize, lane: usize) -> usize {
    if vectors == 1 { lane } else { lane / 4 * 8 + vector * 4 + lane % 4 }
}

impl Gemm {
    /// None where the instruction can't take the weights.
    pub(super) fn new(vnni: Avx512Vnni, matrix: &Matrix<'_>, places: Option<&[u32]>) -> Option<Gemm> {
        let (places, reach) = checked_places(matrix, places);
        if !fits(matrix.weights, matrix.bias, matrix.multipliers) {
            return None;
        }
        let tiles = (0..matrix.rows).step_by(2 * LANES).map(|first| Tile::new(matrix, first)).collect();
        Some(Gemm { _vnni: vnni, reach, rows: matrix.rows, bytes: Bytes::of(matrix.output_stage), places, tiles })
    }

    /// Each tile with the weights of the one behind; the last with its own, which are there.
    fn tiles_and_next(&self) -> impl Iterator<Item = (&Tile, &[__m512i])> {
        let next = self.tiles.iter().skip(1).chain(self.tiles.last()).map(|tile| &tile.weights[..]);
        self.tiles.iter().zip(next)
    }
}

impl Tile {
    fn new(matrix: &Matrix<'_>, first: usize) -> Tile {
        let outputs = (matrix.rows - first).min(2 * LANES);
        let vectors = outputs.div_ceil(LANES);
        let of = |vector: usize, lane: usize| {
            Some(output(vectors, vector, lane)).filter(|&output| output < outputs).map(|output| first + output)
        };
        // SAFETY: both types have 64 bytes, and a vector may have any bits.
        let zero = unsafe { transmute::<[u8; 64], __m512i>([0; 64]) };
        let mut weights = vec![zero; matrix.columns.div_ceil(GROUP) * vectors];
        // SAFETY: an array of arrays of bytes has the 64 bytes of a vector and asks for no alignment; there are as many
        // as there are vectors, and nobody else uses these while the slice lives. Either may have any bits.
        let places: &mut [[[u8; GROUP]; LANES]] =
            unsafe { std::slice::from_raw_parts_mut(weights.as_mut_ptr().cast(), weights.len()) };
        for (vector, lane) in (0..vectors).flat_map(|vector| (0..LANES).map(move |lane| (vector, lane))) {
            let Some(output) = of(vector, lane) else { continue };
            let (groups, rest) = matrix.weights[output * matrix.columns..][..matrix.columns].as_chunks();
            let mut last = [0; GROUP];
            last[..rest.len()].copy_from_slice(rest);
            for (to, group) in places.iter_mut().skip(vector).step_by(vectors).zip(groups.iter().chain([&last])) {
                to[lane] = group.map(|weight| weight as u8);
            }
        }
        let bias: [[i32; LANES]; 2] =
            from_fn(|vector| from_fn(|lane| of(vector, lane).map_or(0, |output| matrix.bias[output])));
        let multipliers: [[f32; LANES]; 2] =
            from_fn(|vector| from_fn(|lane| of(vector, lane).map_or(0.0, |output| matrix.multipliers[output])));
        // SAFETY: both types have two times 64 bytes, and a vector may have any bits.
        let bias = unsafe { transmute::<[[i32; LANES]; 2], [__m512i; 2]>(bias) };
        // SAFETY: both types have two times 64 bytes, and a vector may have any bits.
        let multipliers = unsafe { transmute::<[[f32; LANES]; 2], [__m512; 2]>(multipliers) };
        let order: [i32; LANES] = match vectors {
            1 => from_fn(|at| (at % 4 * 4 + at / 4) as i32),
            // Of 64 bits each.
            _ => from_fn(|at| if at % 2 == 0 { [0, 2, 4, 6, 1, 3, 5, 7][at / 2] } else { 0 }),
        };
        // SAFETY: both types have 64 bytes, and a vector may have any bits.
        let order = unsafe { transmute::<[i32; LANES], __m512i>(order) };
        Tile { first, outputs, weights, bias, multipliers, order }
    }

    /// The results of `R` rows, not yet rounded. Meanwhile weights are fetched that come `next`, for each group a vector, or,
    /// for one row, as many as it takes itself.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW and VNNI. `R` must be 14 at most. Of each of the `R` rows that start
    /// `stride` apart from `from` on, the four bytes from each of `places` on are read and must be readable. (`next` may
    /// be any address.)
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn results<const R: usize, const V: usize>(
        &self,
        places: &[u32],
        from: *const u8,
        stride: usize,
        next: *const __m512i,
    ) -> [[__m512; V]; R] {
        let fetched = if R == 1 { V } else { 1 };
        let mut sums: [[__m512i; V]; R] = [from_fn(|vector| self.bias[vector]); R];
        let [s1, s3, s5, s7, s9, s11, s13] = [1, 3, 5, 7, 9, 11, 13].map(|rows| rows * stride);
        for (group, (&place, weights)) in places.iter().zip(self.weights.as_chunks::<V>().0).enumerate() {
            // SAFETY: each block of assembly is one of `multiply_add`'s for a row below `R`, which it checks. It reads
            // the four bytes from this place on of that row, at `from` + index × scale, which is row × `stride`; they are
            // readable. The instructions are AVX-512 F and VNNI, and those that multiply touch registers alone. Fetching
            // ahead is allowed at any address, and changes nothing but caches.
            unsafe {
                for vector in 0..fetched {
                    _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(group * fetched + vector).cast());
                }
                let from = from.add(place as usize);
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

    /// `R` rows of bytes.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. `R` must be 14 at most. Of each of the `R` rows that start
    /// `stride` apart from `from` on, the four bytes from each of `places` on are read and must be readable; in each of
    /// the `R` rows that start `to_stride` apart from `to` on, as many bytes as the tile has outputs, which must be no
    /// more than `V` times 16, are written and must be writable. (`next` may be any address.)
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn bytes<const R: usize, const V: usize>(
        &self,
        places: &[u32],
        (from, stride): (*const u8, usize),
        (to, to_stride): (*mut u8, usize),
        packing: Packing,
        next: *const __m512i,
    ) {
        // SAFETY: four bytes from each of `places` on are readable in each of `R` rows.
        let results = unsafe { self.results::<R, V>(places, from, stride, next) };
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
                    // SAFETY: `row` is below `R`; the mask has a bit for each of the tile's outputs, as many as are
                    // writable from the row's start on, and other bytes are not written.
                    unsafe { _mm_mask_storeu_epi8(to.add(row * to_stride).cast(), mask as u16, packed) };
                }
            }
        } else {
            for first in (0..R).step_by(2) {
                let rounded = |at: usize| _mm512_cvtps_epi32(results[(first + at / 2).min(R - 1)][at % V]);
                let packed = _mm512_permutexvar_epi64(self.order, packing.pack(from_fn(rounded)));
                let rows = [_mm512_castsi512_si256(packed), _mm512_extracti64x4_epi64::<1>(packed)];
                for (row, packed) in (first..R).zip(rows) {
                    // SAFETY: `row` is below `R`; the mask has a bit for each of the tile's outputs, as many as are
                    // writable from the row's start on, and other bytes are not written.
                    unsafe { _mm256_mask_storeu_epi8(to.add(row * to_stride).cast(), mask as u32, packed) };
                }
            }
        }
    }

    /// All rows of bytes. `next` are the weights of the tile behind: each pass over these weights fetches a share of them, so
    /// that they come no faster than memory gives them. Two passes and more fetch all.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. Of each row of each line from `from` on, the four bytes from
    /// each of `places` on are read and must be readable; in each of as many rows that start `to_stride` apart from `to`
    /// on, as many bytes as the tile has outputs, which must be no more than `V` times 16, are written and must be
    /// writable.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn lines<const V: usize>(
        &self,
        places: &[u32],
        from: *const u8,
        lines: Lines,
        (mut to, to_stride): (*mut u8, usize),
        bytes: Bytes,
        next: &[__m512i],
    ) {
        let packing = Packing::of(bytes);
        let step = lines.step;
        let mut shares = next.chunks(places.len().max(1)).map(<[_]>::as_ptr).cycle();
        let mut share = || shares.next().unwrap_or(next.as_ptr());
        // SAFETY: 14 rows of a line at a time, then 7, then what is left: `from` and `to` are those of the first row of
        // each call, and all rows of a call are among those that are readable at all places, and writable.
        unsafe {
            for line in 0..lines.count {
                let mut from = from.wrapping_add(line * lines.stride);
                let mut left = lines.pixels;
                while left >= 14 {
                    self.bytes::<14, V>(places, (from, step), (to, to_stride), packing, share());
                    (from, to) = (from.wrapping_add(14 * step), to.wrapping_add(14 * to_stride));
                    left -= 14;
                }
                if left >= 7 {
                    self.bytes::<7, V>(places, (from, step), (to, to_stride), packing, share());
                    (from, to) = (from.wrapping_add(7 * step), to.wrapping_add(7 * to_stride));
                    left -= 7;
                }
                match left {
                    1 => self.bytes::<1, V>(places, (from, step), (to, to_stride), packing, share()),
                    2 => self.bytes::<2, V>(places, (from, step), (to, to_stride), packing, share()),
                    3 => self.bytes::<3, V>(places, (from, step), (to, to_stride), packing, share()),
                    4 => self.bytes::<4, V>(places, (from, step), (to, to_stride), packing, share()),
                    5 => self.bytes::<5, V>(places, (from, step), (to, to_stride), packing, share()),
                    6 => self.bytes::<6, V>(places, (from, step), (to, to_stride), packing, share()),
                    _ => {}
                }
                to = to.wrapping_add(left * to_stride);
            }
        }
    }

    /// One row of floats.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW and VNNI. The four bytes from each of `places` on, from `from` on, are read
    /// and must be readable.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn floats<const V: usize>(&self, places: &[u32], from: *const u8, to: &mut [f32], next: &[__m512i]) {
        // SAFETY: four bytes from each of `places` on are readable in the one row.
        let [values] = unsafe { self.results::<1, V>(places, from, 0, next.as_ptr()) };
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
            // SAFETY: the processor has AVX-512 F, BW, VL and VNNI, as `_vnni` exists. `Lines::check` found `reach` bytes
            // of each row within `from`, which is four from each of `places` on at least, and all results within `to`, of
            // which a tile writes its own, from its first on; there are as many vectors as it takes for them.
            unsafe {
                let to = to.as_mut_ptr().wrapping_add(tile.first);
                if tile.outputs > LANES {
                    tile.lines::<2>(&self.places, from.as_ptr(), lines, (to, to_stride), self.bytes, next);
                } else {
                    tile.lines::<1>(&self.places, from.as_ptr(), lines, (to, to_stride), self.bytes, next);
                }
            }
        }
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        Lines::one(stride, count).check(self.reach, from.len(), (self.rows, to_stride), to.len());
        for (tile, next) in self.tiles_and_next() {
            for row in 0..count {
                let to = &mut to[row * to_stride + tile.first..];
                // SAFETY: the processor has AVX-512 F, BW and VNNI, as `_vnni` exists. `Lines::check` found `reach` bytes
                // of each row within `from`, which is four from each of `places` on at least.
                unsafe {
                    let from = from.as_ptr().add(row * stride);
                    if tile.outputs > LANES {
                        tile.floats::<2>(&self.places, from, to, next);
                    } else {
                        tile.floats::<1>(&self.places, from, to, next);
                    }
                }
            }
        }
    }
}
