//! The 7-bit path of the GEMM, for inputs most of whose bytes lie within a window of 128 values.
//!
//! Activations of a network rarely fill their range. With bytes of seven bits, the weights of a 16-bit sum may be twice
//! as large (`pairs.rs` has the rule): no group has to be split, and nearly all neighbours can be paired. So this path
//! multiplies copies of the bytes. A copy is the byte minus the minimum of the window, clamped to the window's width. A
//! byte outside the window is an outlier, and its residual, the part that was clamped off, is kept in an [`Outlier`],
//! whose products are added separately. All of this is integer arithmetic, and the sums are exact. Inputs with many
//! outliers would take longer than in the path of `pairs.rs`, and are refused.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::tile::{Outputs, ROWS, cost, multiply};
use super::vectors::{integers, load_32, store_32, vector};
use crate::kernels::x86_64::features::Avx2;
use crate::kernels::x86_64::pairs::{GROUP, Group, WIDTH, rows};
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::{Lines, Matrix};
use crate::program::weights::{fit_i8, sum};
use crate::threads::processors;

/// The maximum byte of a copy: the window has 128 values.
const MAX_COPY: u8 = 127;

/// The maximum byte that a window may start at. With it, no residual exceeds [`MAX_COPY`] + 1, and the sum of two products
/// of residuals and weights of eight bits fits 16 bits.
const MAX_LOW: u8 = 128;

/// The maximum for the positive weights of a 16-bit sum, and for the magnitudes of its negative ones, added up:
/// 127 · 258 < 2¹⁵.
const MAX_LOAD: i16 = 258;

/// The number of weights, in bytes, from which on they do not fit a core's caches. This path reads fewer bytes of
/// weights, so that it is worth it for such weights even with few rows.
const MANY_WEIGHT_BYTES: usize = 1 << 18;

/// The number of bytes that are copied at a time.
const CHUNK: usize = 32;

/// The costs of a row besides its products, of the copy of a chunk, of finding an outlier, and of an outlier's products
/// in a tile, in arithmetic instructions. They are measured; most of each is mispredicted branches.
const ROW_COST: usize = 100;
const CHUNK_COST: usize = 20;
const FINDING_COST: usize = 150;
const OUTLIER_COST: usize = 20;

/// The maximum number of outliers above the window, and of those below, in one call, however much the path would save:
/// 12 MiB of memory for each of the two. In the calls for a network's layers, the savings allow some ten thousand.
const MAX_OUTLIERS: usize = 1 << 20;

/// The maximum number of rows in one call. Each has a vector of sums where there are outliers: 32 MiB of memory. The
/// calls for a network's layers have some thousand.
const MAX_ROWS: usize = 1 << 20;

/// A matrix packed for the 7-bit path.
#[derive(Debug)]
pub(super) struct SevenBit {
    /// Proof of AVX2, which the calls of functions that need it rely on.
    _avx2: Avx2,
    /// The minimum byte of the window, at most [`MAX_LOW`]. The window lies around the zero point of the inputs.
    low: u8,
    /// The offsets of all groups of a row, in order.
    runs: Vec<Run>,
    /// How many arithmetic instructions fewer a row takes than in the path of `pairs.rs`, for all tiles together.
    saved: usize,
    /// Whether there are at least [`MANY_WEIGHT_BYTES`] bytes of weights.
    are_many: bool,
    tiles: Vec<Tile>,
}

/// Groups that are contiguous in a row.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    /// The number of the first group.
    group: usize,
    /// The offsets of their bytes in a row.
    offsets: Range<usize>,
}

/// The packed weights of up to eight outputs.
#[derive(Debug)]
struct Tile {
    outputs: Outputs,
    /// The offset in a row of each pair of groups: the second group starts where the first one ends.
    pairs: Vec<u32>,
    /// The offset in a row of each single group.
    singles: Vec<u32>,
    /// The weights of the pairs, two vectors for each, then those of the single groups, one for each.
    weights: Vec<__m256i>,
    /// For each group, the index of its vector in `weights`.
    numbers: Vec<u32>,
}

/// The residuals of one group in one row: the distances of its bytes above the window, or of those below. They are 0
/// for all other bytes of the group.
#[derive(Debug, Clone, Copy)]
struct Outlier {
    row: u32,
    group: u32,
    residuals: [u8; GROUP],
}

/// The copies of the bytes of one call, and what is computed of their outliers. Its memory is reused by later calls.
#[derive(Debug, Default)]
struct Copies {
    /// The copies, each at the offset of its byte in the input.
    bytes: Vec<u8>,
    /// For each byte outside the window, its offset in the input and its residual, positive above the window and
    /// negative below. They are ordered by offset.
    outside: Vec<(u32, i16)>,
    /// For each run, the number of entries at the start of `outside` that lie before the run in the current row, and so
    /// in all later rows.
    passed: Vec<usize>,
    /// The outliers above the window, and those below, each ordered by row.
    outliers: [Vec<Outlier>; 2],
    /// The initial values of the accumulators of the current tile: one vector for each row where there are outliers,
    /// and one vector for all rows where there are none.
    sums: Vec<__m256i>,
}

/// The maximum size in bytes of a `Copies` that is kept. A call has a block of a layer's input with about as many bytes
/// as the layer has weights (`executable/convolution/`): at most 2.25 MiB where ResNet-50 and VGG have windows. The
/// products of a larger block take so long that its allocation is a small part of the time.
const MAX_KEPT: usize = 8 << 20;

/// A cache of `Copies` that are not in use, at most one for each processor. All matrices share it.
static SPARE: Mutex<Vec<Copies>> = Mutex::new(Vec::new());

/// Locks the cache, poisoned or not: any content of it is valid.
fn spare() -> MutexGuard<'static, Vec<Copies>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns `copies` to the cache, unless they are large or the cache is full.
fn keep(copies: Copies) {
    if copies.size() > MAX_KEPT {
        return;
    }
    let mut spare = spare();
    if spare.len() < processors() {
        spare.push(copies);
    }
}

impl SevenBit {
    /// Packs a matrix. `offsets` has the offset in a row of each group of four columns, and `pairs_cost` is the number
    /// of arithmetic instructions that the path of `pairs.rs` takes for a row. None where a weight is not a signed
    /// byte, or this path takes more instructions.
    pub(super) fn new(avx2: Avx2, matrix: &Matrix<'_>, offsets: &[u32], pairs_cost: usize) -> Option<SevenBit> {
        if !fit_i8(matrix.weights) {
            return None;
        }
        let low = matrix.zero_point.saturating_sub(MAX_COPY / 2 + 1).min(MAX_LOW);
        let tile = |first| Tile::new(matrix, offsets, low, first);
        let tiles: Vec<Tile> = (0..matrix.rows).step_by(WIDTH).map(tile).collect();
        let products: usize = tiles.iter().map(|tile| cost(tile.pairs.len(), tile.singles.len())).sum();
        let saved = pairs_cost.checked_sub(products + ROW_COST)?;
        let are_many = matrix.weights.len() >= MANY_WEIGHT_BYTES;
        Some(SevenBit { _avx2: avx2, low, runs: runs(offsets), saved, are_many, tiles })
    }

    /// Multiplies as [`Gemm::lines`](crate::kernels::Gemm::lines) does, and returns true. It returns false and writes
    /// nothing where there are few rows or too many, too many outliers, or where copying would cost more than is saved.
    ///
    /// # Safety
    /// `_avx2` is proof of AVX2. The results of all rows, `to_stride` bytes apart, must lie within `to`; they are
    /// written. `from` is read only through slices.
    pub(super) unsafe fn lines(
        &self,
        from: &[u8],
        lines: Lines,
        to: &mut [u8],
        to_stride: usize,
        requantize: Requantize,
    ) -> bool {
        let taken = spare().pop();
        let mut copies = taken.unwrap_or_default();
        let are_few = self.copy(from, lines, &mut copies);
        if are_few {
            for tile in &self.tiles {
                // SAFETY: the processor has AVX2, as `_avx2` exists.
                unsafe { tile.start(&mut copies) };
                let to = (to.as_mut_ptr(), to_stride, requantize);
                // SAFETY: the processor has AVX2, as `_avx2` exists. `copy` has copied the bytes of all rows, with four
                // bytes from each of their offsets on, and `sums` has one vector for each row, or one where there are
                // no outliers. All results lie within `to`, of which the tile writes its own outputs. `WHOLE` is true
                // only for tiles of eight outputs.
                unsafe {
                    if tile.outputs.are_whole() {
                        tile.all::<true>(&copies, lines, to);
                    } else {
                        tile.all::<false>(&copies, lines, to);
                    }
                }
            }
        }
        keep(copies);
        are_few
    }

    /// Copies the bytes of all rows and finds their outliers. False where there are few rows or too many, too many
    /// outliers, or where copying would cost more than is saved.
    fn copy(&self, from: &[u8], lines: Lines, copies: &mut Copies) -> bool {
        let rows = lines.count * lines.pixels;
        if rows == 0 || rows > MAX_ROWS || rows < ROWS && !self.are_many {
            return false;
        }
        let reach = self.runs.iter().map(|run| run.offsets.end).max().unwrap_or(0);
        let length = (lines.count - 1) * lines.stride + (lines.pixels - 1) * lines.step + reach;
        let Some(saved) = (rows * self.saved).checked_sub(length.div_ceil(CHUNK) * CHUNK_COST) else { return false };
        let allowed = (saved / (FINDING_COST + OUTLIER_COST * self.tiles.len())).min(MAX_OUTLIERS);
        // Where rows overlap, a byte outside the window is an outlier in each of them. So of the bytes themselves,
        // fewer may be outside than outliers are allowed, by the ratio of the bytes to those that all rows read.
        let read = rows * self.runs.iter().map(|run| run.offsets.len()).sum::<usize>();
        let bytes = allowed * length / read.max(1);
        // SAFETY: the processor has AVX2, as `_avx2` exists.
        let few = unsafe { copy_bytes(&from[..length], self.low, bytes, copies) } && self.sort(lines, allowed, copies);
        let starts = if copies.has_outliers() { rows } else { 1 };
        copies.sums.resize(starts, integers([0; WIDTH]));
        few
    }

    /// Finds the outliers of each row. False where there are more than `allowed` above the window, or below. No row may
    /// start before its predecessor, as `Lines::check` verifies.
    fn sort(&self, lines: Lines, allowed: usize, copies: &mut Copies) -> bool {
        let Copies { outside, passed, outliers, .. } = copies;
        passed.clear();
        passed.resize(self.runs.len(), 0);
        for outliers in &mut *outliers {
            outliers.clear();
            outliers.reserve(outside.len().min(allowed));
        }
        let starts = (0..lines.count).flat_map(|line| (0..lines.pixels).map(move |pixel| (line, pixel)));
        for (row, (line, pixel)) in starts.enumerate() {
            let from = line * lines.stride + pixel * lines.step;
            for (run, passed) in self.runs.iter().zip(&mut *passed) {
                let (start, end) = ((from + run.offsets.start) as u32, (from + run.offsets.end) as u32);
                *passed += outside[*passed..].iter().take_while(|(offset, _)| *offset < start).count();
                for &(offset, residual) in outside[*passed..].iter().take_while(|(offset, _)| *offset < end) {
                    let at = (offset - start) as usize;
                    let (row, group) = (row as u32, (run.group + at / GROUP) as u32);
                    let outliers = &mut outliers[usize::from(residual < 0)];
                    if outliers.last().is_none_or(|last| (last.row, last.group) != (row, group)) {
                        if outliers.len() == allowed {
                            return false;
                        }
                        outliers.push(Outlier { row, group, residuals: [0; GROUP] });
                    }
                    if let Some(last) = outliers.last_mut() {
                        last.residuals[at % GROUP] = residual.unsigned_abs() as u8;
                    }
                }
            }
        }
        true
    }
}

impl Copies {
    /// The number of bytes of memory that they hold.
    fn size(&self) -> usize {
        let outliers: usize = self.outliers.iter().map(Vec::capacity).sum();
        self.bytes.capacity()
            + self.outside.capacity() * size_of::<(u32, i16)>()
            + self.passed.capacity() * size_of::<usize>()
            + outliers * size_of::<Outlier>()
            + self.sums.capacity() * size_of::<__m256i>()
    }

    fn has_outliers(&self) -> bool {
        self.outliers.iter().any(|outliers| !outliers.is_empty())
    }
}

/// Copies bytes, each minus `low` and clamped to 0 to [`MAX_COPY`], and lists those outside the window. False as soon as it
/// is likely that more than `allowed` are outside.
#[target_feature(enable = "avx2")]
fn copy_bytes(from: &[u8], low: u8, allowed: usize, copies: &mut Copies) -> bool {
    let Copies { bytes, outside, .. } = copies;
    // Kernels read groups of four bytes.
    bytes.resize(bytes.len().max(from.len().next_multiple_of(CHUNK) + GROUP), 0);
    outside.clear();
    outside.reserve(allowed * 9 / 8 + CHUNK);
    let (chunks, tail) = from.as_chunks::<CHUNK>();
    let mut last = [low; CHUNK];
    last[..tail.len()].copy_from_slice(tail);
    let to = bytes.as_chunks_mut::<CHUNK>().0;
    let count = chunks.len() + 1;
    for (number, (from, to)) in chunks.iter().chain([&last]).zip(to).enumerate() {
        let mut offsets = copy_chunk(from, low, to);
        while offsets != 0 {
            let at = offsets.trailing_zeros() as usize;
            outside.push(((number * CHUNK + at) as u32, i16::from(from[at]) - i16::from(low) - i16::from(to[at])));
            offsets &= offsets - 1;
        }
        // `number / count` of `allowed` may be outside so far, and an eighth more, as they may cluster at the start.
        if outside.len() * count > allowed * (number + count / 8) {
            return false;
        }
    }
    true
}

/// Copies one chunk as [`copy_bytes`] does. Gives a mask with a bit for each byte outside the window.
#[inline]
#[target_feature(enable = "avx2")]
fn copy_chunk(from: &[u8; CHUNK], low: u8, to: &mut [u8; CHUNK]) -> u32 {
    let low = _mm256_set1_epi8(low.cast_signed());
    let bytes = load_32(from);
    let copied = _mm256_min_epu8(_mm256_subs_epu8(bytes, low), _mm256_set1_epi8(MAX_COPY.cast_signed()));
    store_32(copied, to);
    !_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_add_epi8(copied, low), bytes)).cast_unsigned()
}

/// The runs of groups whose offsets in a row are `offsets`.
fn runs(offsets: &[u32]) -> Vec<Run> {
    let mut runs: Vec<Run> = vec![];
    for (group, offset) in offsets.iter().map(|&offset| offset as usize).enumerate() {
        match runs.last_mut() {
            Some(run) if run.offsets.end == offset => run.offsets.end += GROUP,
            _ => runs.push(Run { group, offsets: offset..offset + GROUP }),
        }
    }
    runs
}

impl Tile {
    fn new(matrix: &Matrix<'_>, offsets: &[u32], low: u8, first: usize) -> Tile {
        let output_weights = rows(matrix, first);
        let groups: Vec<Group> =
            (0..matrix.columns).step_by(GROUP).map(|start| Group::at(start, &output_weights)).collect();
        let (mut pairs, mut singles, mut number) = (vec![], vec![], 0);
        while number < groups.len() {
            let next = number + 1;
            let has_neighbour = offsets.get(next) == Some(&(offsets[number] + GROUP as u32));
            if has_neighbour && can_pair(&groups[number], &groups[next]) {
                pairs.push(number);
                number += 2;
            } else {
                singles.push(number);
                number += 1;
            }
        }
        let in_order = || pairs.iter().flat_map(|&first| [first, first + 1]).chain(singles.iter().copied());
        let mut numbers = vec![0; groups.len()];
        for (number, group) in in_order().enumerate() {
            numbers[group] = number as u32;
        }
        // Each copy is `low` less than its byte, so that the sum over the weights is added to the bias.
        let low_sum = |row: &[i16]| i32::from(low).wrapping_mul(sum(row));
        Tile {
            outputs: Outputs::new(matrix, first, |output| {
                matrix.bias[output].wrapping_add(low_sum(output_weights[output - first]))
            }),
            weights: in_order().map(|group| vector(groups[group].bytes())).collect(),
            pairs: pairs.iter().map(|&group| offsets[group]).collect(),
            singles: singles.iter().map(|&group| offsets[group]).collect(),
            numbers,
        }
    }

    /// Fills `sums` with the initial values of the accumulators: the bias plus the products of the outliers of each
    /// row.
    #[target_feature(enable = "avx2")]
    fn start(&self, copies: &mut Copies) {
        copies.sums.fill(self.outputs.bias);
        let products = |outlier: &Outlier| {
            let weights = self.weights[self.numbers[outlier.group as usize] as usize];
            let residuals = _mm256_set1_epi32(i32::from_le_bytes(outlier.residuals));
            _mm256_madd_epi16(_mm256_maddubs_epi16(residuals, weights), _mm256_set1_epi16(1))
        };
        let [above, below] = &copies.outliers;
        for outlier in interleaved(above) {
            let sum = &mut copies.sums[outlier.row as usize];
            *sum = _mm256_add_epi32(*sum, products(outlier));
        }
        for outlier in interleaved(below) {
            let sum = &mut copies.sums[outlier.row as usize];
            *sum = _mm256_sub_epi32(*sum, products(outlier));
        }
    }

    /// Computes the results of all rows. `WHOLE` says that the tile has eight outputs.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. The copies must have, from the start of
    /// each row, four bytes from each of the tile's offsets on, and `sums` must have one vector for each row if there
    /// are outliers, and one otherwise; both are read. In each of as many rows that start `to_stride` bytes apart from
    /// `to` on, the tile's outputs are written and must be writable.
    #[target_feature(enable = "avx2")]
    unsafe fn all<const WHOLE: bool>(
        &self,
        copies: &Copies,
        lines: Lines,
        (mut to, to_stride, requantize): (*mut u8, usize, Requantize),
    ) {
        let mut sums = copies.sums.as_ptr();
        let sums_step = usize::from(copies.has_outliers());
        for line in 0..lines.count {
            for first in (0..lines.pixels).step_by(ROWS) {
                let count = (lines.pixels - first).min(ROWS);
                // SAFETY: rows `first` to `first + count` of this line are copied, and start `step` apart. `sums` and
                // `to` are those of the first of them, as they have moved by one row for each row before. Where there
                // are no outliers, `sums_step` is 0, and the one vector is that of every row.
                unsafe {
                    let from = copies.bytes.as_ptr().add(line * lines.stride + first * lines.step);
                    let results = (to, to_stride, requantize);
                    match count {
                        ROWS.. => self.rows::<ROWS, WHOLE>(from, lines.step, (sums, sums_step), results),
                        6 => self.rows::<6, WHOLE>(from, lines.step, (sums, sums_step), results),
                        5 => self.rows::<5, WHOLE>(from, lines.step, (sums, sums_step), results),
                        4 => self.rows::<4, WHOLE>(from, lines.step, (sums, sums_step), results),
                        3 => self.rows::<3, WHOLE>(from, lines.step, (sums, sums_step), results),
                        2 => self.rows::<2, WHOLE>(from, lines.step, (sums, sums_step), results),
                        1 => self.rows::<1, WHOLE>(from, lines.step, (sums, sums_step), results),
                        0 => {}
                    }
                }
                to = to.wrapping_add(count * to_stride);
                sums = sums.wrapping_add(count * sums_step);
            }
        }
    }

    /// Computes the results of `R` rows.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. Of each of the `R` rows that start `stride`
    /// bytes apart from `from` on, the four bytes from each of the tile's offsets on are read and must be readable; so
    /// must be the `R` vectors that lie `sums_step` vectors apart from `sums` on. In each of the `R` rows that start
    /// `to_stride` bytes apart from `to` on, the tile's outputs are written and must be writable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn rows<const R: usize, const WHOLE: bool>(
        &self,
        from: *const u8,
        stride: usize,
        (sums, sums_step): (*const __m256i, usize),
        (to, to_stride, requantize): (*mut u8, usize, Requantize),
    ) {
        let pairs = self.pairs.iter().map(|&start| [start as usize, start as usize + GROUP]);
        // SAFETY: `row` is below `R`, and `R` vectors of sums are readable, with the alignment of a vector, as they are
        // in a `Vec`. The offsets are the tile's: the second group of a pair starts where the first one ends
        // (`Tile::new` pairs no others), and its offset is one of them. `R` rows are writable, as `write` requires.
        unsafe {
            let started = from_fn(|row| *sums.add(row * sums_step));
            let sums = multiply::<R>(started, pairs, &self.singles, &self.weights, from, stride);
            self.outputs.write::<R, WHOLE>(sums, to, to_stride, requantize);
        }
    }
}

/// All outliers, those of the four quarters of the slice interleaved. Adjacent outliers are mostly of one row, and
/// adding them in order would make each addition depend on the one before.
#[inline]
fn interleaved(outliers: &[Outlier]) -> impl Iterator<Item = &Outlier> {
    let quarter = outliers.len() / 4;
    let tail = &outliers[4 * quarter..];
    (0..quarter).flat_map(move |at| [0, 1, 2, 3].map(|part| &outliers[part * quarter + at])).chain(tail)
}

/// Whether the 16-bit sums of two groups may be added.
fn can_pair(a: &Group, b: &Group) -> bool {
    let (a, b) = (a.sums(), b.sums());
    a.as_flattened().iter().zip(b.as_flattened()).all(|(a, b)| a + b <= MAX_LOAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::OutputStage;
    use crate::kernels::Kernels as _;
    use crate::kernels::portable::Portable;

    const SHAPE: (usize, usize, usize) = (20, 70, 16);

    /// Multiplies bytes, which lie within the window but for `outliers` of them, with weights of which any two of one
    /// sign would saturate with bytes of eight bits. Gives the results, and those of the portable set; None where the
    /// bytes are refused.
    fn product(avx2: Avx2, outliers: usize) -> Option<[Vec<u8>; 2]> {
        let (rows, columns, count) = SHAPE;
        let weights: Vec<i16> = (0..rows * columns).map(|at| [127, 90, -128, -75][at * at % 61 % 4]).collect();
        let mut from: Vec<u8> = (0..count * columns + 64).map(|at| (56 + at * 13 % 128) as u8).collect();
        (0..outliers).for_each(|at| from[at * 37 % (count * columns)] = [0, 255, 55, 185][at % 4]);
        let (bias, multipliers) = (vec![-300; rows], vec![2e-4; rows]);
        let output_stage = OutputStage::Byte { zero_point: 128, min: 3, max: 250, table: None };
        let matrix = Matrix {
            rows,
            columns,
            zero_point: 120,
            weights: &weights,
            bias: &bias,
            multipliers: &multipliers,
            output_stage: &output_stage,
        };
        let offsets: Vec<u32> = (0..columns.div_ceil(GROUP)).map(|group| (group * GROUP) as u32).collect();
        let seven_bit = SevenBit::new(avx2, &matrix, &offsets, 1_000_000)?;
        // Enough for the copies, and five outliers in each row.
        let saved = columns.div_ceil(CHUNK) * CHUNK_COST + 5 * (FINDING_COST + OUTLIER_COST * seven_bit.tiles.len());
        let seven_bit = SevenBit { saved, ..seven_bit };
        let lines = Lines { count: 1, stride: 0, pixels: count, step: columns };
        let [mut results, mut expected] = [(); 2].map(|()| vec![99; count * rows]);
        Portable.gemm(&matrix).bytes(&from, columns, count, &mut expected, rows);
        // SAFETY: `results` has `count` rows of `rows` results, `rows` apart.
        let done = unsafe { seven_bit.lines(&from, lines, &mut results, rows, Requantize::of(&output_stage)) };
        done.then_some([results, expected])
    }

    #[test]
    fn seven_bit_is_exact_with_few_outliers_and_refuses_many() {
        let Some(avx2) = Avx2::detect() else { return };
        for outliers in [30, 0, 1, 70].into_iter().take(if cfg!(miri) { 1 } else { 4 }) {
            let [results, expected] = product(avx2, outliers).expect("few outliers");
            assert_eq!(results, expected, "{outliers}");
        }
        assert!(product(avx2, 400).is_none());
    }

    #[test]
    fn runs_start_where_groups_are_not_contiguous() {
        let run = |group, offsets| Run { group, offsets };
        assert_eq!(runs(&[0, 4, 8, 100, 104, 60]), [run(0, 0..12), run(3, 100..108), run(5, 60..64)]);
    }

    #[test]
    fn keep_limits_copies_to_one_for_each_processor() {
        (0..processors() + 3).for_each(|_| keep(Copies::default()));
        assert!(spare().len() <= processors());
    }

    #[test]
    fn keep_drops_large_copies() {
        spare().clear();
        // An entry of `outside` takes 8 bytes, an outlier 12, and a vector of sums 32.
        keep(Copies { bytes: Vec::with_capacity(MAX_KEPT + 1), ..Copies::default() });
        keep(Copies { outside: Vec::with_capacity(MAX_KEPT / 8 + 1), ..Copies::default() });
        keep(Copies { outliers: [vec![], Vec::with_capacity(MAX_KEPT / 12 + 1)], ..Copies::default() });
        keep(Copies { sums: Vec::with_capacity(MAX_KEPT / 32 + 1), ..Copies::default() });
        for Copies { bytes, outside, outliers, sums, .. } in &*spare() {
            let room = [bytes.capacity(), 8 * outside.capacity(), 12 * outliers[1].capacity(), 32 * sums.capacity()];
            assert!(room.iter().all(|&bytes| bytes <= MAX_KEPT), "{room:?}");
        }
    }

    /// A matrix of 64 columns that saves so much that only [`MAX_OUTLIERS`] limits the outliers of a call.
    fn with_max_savings(avx2: Avx2) -> SevenBit {
        let (rows, columns) = (8, 64);
        let matrix = Matrix {
            rows,
            columns,
            zero_point: 120,
            weights: &vec![1; rows * columns],
            bias: &vec![0; rows],
            multipliers: &vec![1.0; rows],
            output_stage: &OutputStage::Byte { zero_point: 0, min: 0, max: 255, table: None },
        };
        let offsets: Vec<u32> = (0..columns as u32).step_by(GROUP).collect();
        SevenBit::new(avx2, &matrix, &offsets, 1_000_000).expect("bytes")
    }

    #[test]
    fn copy_allocates_outliers_as_they_are_found() {
        let Some(avx2) = Avx2::detect() else { return };
        let mut from = vec![120; 164];
        from[64] = 255;
        let mut copies = Copies::default();
        // A row begins at each byte: the one outside the window is in 64 of them.
        assert!(with_max_savings(avx2).copy(&from, Lines { count: 1, stride: 0, pixels: 100, step: 1 }, &mut copies));
        assert_eq!(copies.outliers.each_ref().map(Vec::len), [64, 0]);
        let [above, below] = copies.outliers.each_ref().map(Vec::capacity);
        assert!(above <= 128 && below <= 4, "room for {above} and {below}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "a million outliers; `cargo xtask test` runs it")]
    fn copy_limits_outliers_and_rows() {
        let Some(avx2) = Avx2::detect() else { return };
        let are_few = |byte: u8, rows: usize| {
            let lines = Lines { count: 1, stride: 0, pixels: rows, step: 1 };
            with_max_savings(avx2).copy(&vec![byte; rows + 64], lines, &mut Copies::default())
        };
        // Each row has an outlier in each of its sixteen groups.
        assert!(are_few(255, 1000) && !are_few(255, MAX_OUTLIERS / 16 + 1));
        assert!(are_few(120, MAX_ROWS) && !are_few(120, MAX_ROWS + 1));
    }
}
