//! Products with rows of which most bytes lie close together.
//!
//! What a network computes rarely fills the range that it was given. Bytes of seven bits leave 16-bit sums twice the room
//! (`pairs.rs` has the rule): no group has to be taken in parts, and nearly every two neighbours go together. So the bytes
//! are copied: each less the least of a window of 128, and cut to the window where it lies outside. What was cut off is
//! kept as an [`Outlier`], whose products are added by themselves. All of it is whole numbers, and the sums the same.
//! Bytes with many exceptions would take longer than as they are, and are refused.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pairs::{GROUP, Group, WIDTH};
use super::tile::{Outputs, ROWS, cost, multiply, rows};
use super::{Avx2, Bytes, integers, load_32, store_32, vector};
use crate::kernels::{Lines, Matrix};
use crate::program::weights::{are_bytes, sum};
use crate::threads::processors;

/// The greatest byte of a copy.
const MAX: u8 = 127;

/// Where a window may start: so far, neither of two bytes that are cut off loses more than [`MAX`] + 1, and two products of
/// what is lost fit 16 bits.
const HIGHEST: u8 = 128;

/// How much positive, and how much negative weight one 16-bit sum has room for: 127 · 258 < 2¹⁵.
const ROOM: i16 = 258;

/// From how many bytes on weights come from beyond a core's caches: fewer of them are worth it for one row too.
const MANY: usize = 1 << 18;

/// Bytes that are copied at once.
const CHUNK: usize = 32;

/// What a row takes besides its products, a chunk to be copied, an exception to be found, and one in a tile: in arithmetic
/// instructions, as measured; most of it is branches that go now one way, now the other.
const ROW_COST: usize = 100;
const CHUNK_COST: usize = 20;
const FINDING_COST: usize = 150;
const EXCEPTION_COST: usize = 20;

/// The most exceptions above the window, and below, of one call, whatever they would save: 12 MiB of either. The calls of
/// networks' layers are allowed some ten thousand.
const MAX_OUTLIERS: usize = 1 << 20;

/// The most rows of one call, of which each has a vector of sums where there are exceptions: 32 MiB. Those of networks'
/// layers have some thousand.
const MAX_ROWS: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct SevenBit {
    /// What calls of functions with AVX2 rest on.
    _avx2: Avx2,
    /// The least byte of the window.
    low: u8,
    runs: Vec<Run>,
    /// What a row takes less than in another way, in arithmetic instructions.
    saved: usize,
    /// Whether weights are [`MANY`].
    are_many: bool,
    tiles: Vec<Tile>,
}

/// Groups that follow one another.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    /// The number of the first.
    group: usize,
    /// Where they lie in a row.
    offsets: Range<usize>,
}

/// Up to eight outputs.
#[derive(Debug)]
struct Tile {
    outputs: Outputs,
    /// Where two neighbours that go together start in a row.
    pairs: Vec<u32>,
    /// Where the others do.
    singles: Vec<u32>,
    /// Those of the pairs, then those of the singles.
    weights: Vec<__m256i>,
    /// By the number of a group, which weights are its.
    numbers: Vec<u32>,
}

/// What bytes of a group in a row lie above the window, or below.
#[derive(Debug, Clone, Copy)]
struct Outlier {
    row: u32,
    group: u32,
    residuals: [u8; GROUP],
}

#[derive(Debug, Default)]
struct Copies {
    /// As they lie in the picture.
    bytes: Vec<u8>,
    /// The place and the rest of each that was outside the window.
    outside: Vec<(u32, i16)>,
    /// By the number of a run, how many of them no later row has.
    passed: Vec<usize>,
    /// Bytes above the window, and below.
    outliers: [Vec<Outlier>; 2],
    /// What the sums of each row start from in the tile at hand.
    sums: Vec<__m256i>,
}

/// The most bytes that are kept of one. A call is given a block of a layer, of about as many bytes as the layer has weights
/// (`program/convolution.rs`), which is 2.25 MiB at most where ResNet-50 and VGG have windows. What is larger takes so long
/// to multiply that asking for memory anew is a small part of it.
const MAX_KEPT: usize = 8 << 20;

/// The memory of copies that nobody makes now, at most one for each processor.
static SPARE: Mutex<Vec<Copies>> = Mutex::new(Vec::new());

fn spare() -> MutexGuard<'static, Vec<Copies>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

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
    /// For weights that take `others` arithmetic instructions a row in another way. None where this one takes more.
    pub(super) fn new(avx2: Avx2, matrix: &Matrix<'_>, offsets: &[u32], others: usize) -> Option<SevenBit> {
        if !are_bytes(matrix.weights) {
            return None;
        }
        let low = matrix.zero_point.saturating_sub(MAX / 2 + 1).min(HIGHEST);
        let tile = |first| Tile::new(matrix, offsets, low, first);
        let tiles: Vec<Tile> = (0..matrix.rows).step_by(WIDTH).map(tile).collect();
        let products: usize = tiles.iter().map(|tile| cost(tile.pairs.len(), tile.singles.len())).sum();
        let saved = others.checked_sub(products + ROW_COST)?;
        let are_many = matrix.weights.len() >= MANY;
        Some(SevenBit { _avx2: avx2, low, runs: runs(offsets), saved, are_many, tiles })
    }

    /// Multiplies as [`Gemm::lines`](crate::kernels::Gemm::lines) does. False, and nothing done, where there are too many
    /// exceptions.
    ///
    /// # Safety
    /// `_avx2` is proof of AVX2. The results of all rows, `to_stride` apart, must lie within `to`; they are written.
    /// `from` is read by slices alone.
    pub(super) unsafe fn lines(
        &self,
        from: &[u8],
        lines: Lines,
        to: &mut [u8],
        to_stride: usize,
        bytes: Bytes,
    ) -> bool {
        let taken = spare().pop();
        let mut copies = taken.unwrap_or_default();
        let are_few = self.copy(from, lines, &mut copies);
        if are_few {
            for tile in &self.tiles {
                // SAFETY: the processor has AVX2, as `_avx2` exists.
                unsafe { tile.start(&mut copies) };
                let to = (to.as_mut_ptr(), to_stride, bytes);
                // SAFETY: the processor has AVX2, as `_avx2` exists. `copy` has made copies of all that rows lie on, with
                // four bytes from each of their places on, and made `sums` as many as there are rows, or one where
                // nothing was cut off; all results lie within `to`, of which the tile writes its own. `WHOLE` is chosen
                // for tiles of eight outputs alone.
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

    /// Copies all that rows lie on; false where there are few rows, or too many of them, or of exceptions.
    fn copy(&self, from: &[u8], lines: Lines, copies: &mut Copies) -> bool {
        let rows = lines.count * lines.pixels;
        if rows == 0 || rows > MAX_ROWS || rows < ROWS && !self.are_many {
            return false;
        }
        let reach = self.runs.iter().map(|run| run.offsets.end).max().unwrap_or(0);
        let length = (lines.count - 1) * lines.stride + (lines.pixels - 1) * lines.step + reach;
        let Some(saved) = (rows * self.saved).checked_sub(length.div_ceil(CHUNK) * CHUNK_COST) else { return false };
        let allowed = (saved / (FINDING_COST + EXCEPTION_COST * self.tiles.len())).min(MAX_OUTLIERS);
        // Where rows overlap, a byte is an exception in each.
        let read = rows * self.runs.iter().map(|run| run.offsets.len()).sum::<usize>();
        let bytes = allowed * length / read.max(1);
        // SAFETY: the processor has AVX2, as `_avx2` exists.
        let few = unsafe { copy_bytes(&from[..length], self.low, bytes, copies) } && self.sort(lines, allowed, copies);
        let starts = if copies.has_outliers() { rows } else { 1 };
        copies.sums.resize(starts, integers([0; WIDTH]));
        few
    }

    /// Finds the exceptions of each row; false where there are more than allowed. No row starts before the one in front of
    /// it, as `Lines::check` found.
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
                *passed += outside[*passed..].iter().take_while(|(place, _)| *place < start).count();
                for &(place, rest) in outside[*passed..].iter().take_while(|(place, _)| *place < end) {
                    let at = (place - start) as usize;
                    let (row, group) = (row as u32, (run.group + at / GROUP) as u32);
                    let outliers = &mut outliers[usize::from(rest < 0)];
                    if outliers.last().is_none_or(|last| (last.row, last.group) != (row, group)) {
                        if outliers.len() == allowed {
                            return false;
                        }
                        outliers.push(Outlier { row, group, residuals: [0; GROUP] });
                    }
                    if let Some(last) = outliers.last_mut() {
                        last.residuals[at % GROUP] = rest.unsigned_abs() as u8;
                    }
                }
            }
        }
        true
    }
}

impl Copies {
    /// The bytes of memory that they hold.
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

/// Copies bytes into the window, less its least. False as soon as it is likely that more than allowed are outside.
#[target_feature(enable = "avx2")]
fn copy_bytes(from: &[u8], low: u8, allowed: usize, copies: &mut Copies) -> bool {
    let Copies { bytes, outside, .. } = copies;
    // Kernels read four bytes at a time.
    bytes.resize(bytes.len().max(from.len().next_multiple_of(CHUNK) + GROUP), 0);
    outside.clear();
    outside.reserve(allowed * 9 / 8 + CHUNK);
    let (chunks, rest) = from.as_chunks::<CHUNK>();
    let mut last = [low; CHUNK];
    last[..rest.len()].copy_from_slice(rest);
    let to = bytes.as_chunks_mut::<CHUNK>().0;
    let count = chunks.len() + 1;
    for (number, (from, to)) in chunks.iter().chain([&last]).zip(to).enumerate() {
        let mut offsets = copy_chunk(from, low, to);
        while offsets != 0 {
            let at = offsets.trailing_zeros() as usize;
            outside.push(((number * CHUNK + at) as u32, i16::from(from[at]) - i16::from(low) - i16::from(to[at])));
            offsets &= offsets - 1;
        }
        // An eighth of what is allowed may come at the start.
        if outside.len() * count > allowed * (number + count / 8) {
            return false;
        }
    }
    true
}

/// The same for a chunk. Gives those that were outside, a bit each.
#[inline]
#[target_feature(enable = "avx2")]
fn copy_chunk(from: &[u8; CHUNK], low: u8, to: &mut [u8; CHUNK]) -> u32 {
    let low = _mm256_set1_epi8(low.cast_signed());
    let bytes = load_32(from);
    let copied = _mm256_min_epu8(_mm256_subs_epu8(bytes, low), _mm256_set1_epi8(MAX.cast_signed()));
    store_32(copied, to);
    !_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_add_epi8(copied, low), bytes)).cast_unsigned()
}

fn runs(offsets: &[u32]) -> Vec<Run> {
    let mut runs: Vec<Run> = vec![];
    for (group, place) in offsets.iter().map(|&place| place as usize).enumerate() {
        match runs.last_mut() {
            Some(run) if run.offsets.end == place => run.offsets.end += GROUP,
            _ => runs.push(Run { group, offsets: place..place + GROUP }),
        }
    }
    runs
}

impl Tile {
    fn new(matrix: &Matrix<'_>, offsets: &[u32], low: u8, first: usize) -> Tile {
        let of_outputs = rows(matrix, first);
        let groups: Vec<Group> =
            (0..matrix.columns).step_by(GROUP).map(|start| Group::at(start, &of_outputs)).collect();
        let (mut pairs, mut singles, mut number) = (vec![], vec![], 0);
        while number < groups.len() {
            let next = number + 1;
            let has_neighbour = offsets.get(next) == Some(&(offsets[number] + GROUP as u32));
            if has_neighbour && go_together(&groups[number], &groups[next]) {
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
        // Copies are so much less than the bytes, with every weight.
        let of_low = |row: &[i16]| i32::from(low).wrapping_mul(sum(row));
        Tile {
            outputs: Outputs::new(matrix, first, |output| {
                matrix.bias[output].wrapping_add(of_low(of_outputs[output - first]))
            }),
            weights: in_order().map(|group| vector(groups[group].bytes())).collect(),
            pairs: pairs.iter().map(|&group| offsets[group]).collect(),
            singles: singles.iter().map(|&group| offsets[group]).collect(),
            numbers,
        }
    }

    /// Fills in what sums start from: the bias, and the products of what was cut off; where that is nothing, once for all.
    #[target_feature(enable = "avx2")]
    fn start(&self, copies: &mut Copies) {
        copies.sums.fill(self.outputs.bias);
        let products = |outlier: &Outlier| {
            let weights = self.weights[self.numbers[outlier.group as usize] as usize];
            let residuals = _mm256_set1_epi32(i32::from_le_bytes(outlier.residuals));
            _mm256_madd_epi16(_mm256_maddubs_epi16(residuals, weights), _mm256_set1_epi16(1))
        };
        let [above, below] = &copies.outliers;
        for outlier in by_turns(above) {
            let sum = &mut copies.sums[outlier.row as usize];
            *sum = _mm256_add_epi32(*sum, products(outlier));
        }
        for outlier in by_turns(below) {
            let sum = &mut copies.sums[outlier.row as usize];
            *sum = _mm256_sub_epi32(*sum, products(outlier));
        }
    }

    /// The results of all rows. `WHOLE` says that the tile has eight outputs.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. The copies must have, from where each row
    /// starts, four bytes from each of the tile's places on; and `sums`, as many as there are rows if there are
    /// exceptions, one if not: both are read. In each of as many rows that start `to_stride` apart from `to` on, the
    /// tile's outputs are written and must be writable.
    #[target_feature(enable = "avx2")]
    unsafe fn all<const WHOLE: bool>(
        &self,
        copies: &Copies,
        lines: Lines,
        (mut to, to_stride, bytes): (*mut u8, usize, Bytes),
    ) {
        let mut sums = copies.sums.as_ptr();
        let each = usize::from(copies.has_outliers());
        for line in 0..lines.count {
            for first in (0..lines.pixels).step_by(ROWS) {
                let count = (lines.pixels - first).min(ROWS);
                // SAFETY: rows `first` to `first + count` of this line are copied, and start `step` apart; `sums` and
                // `to` are those of the first of them, as they have moved on by one row each for all rows before; where
                // there are no exceptions, `each` is 0 and the one sum is every row's.
                unsafe {
                    let from = copies.bytes.as_ptr().add(line * lines.stride + first * lines.step);
                    let results = (to, to_stride, bytes);
                    match count {
                        ROWS.. => self.rows::<ROWS, WHOLE>(from, lines.step, (sums, each), results),
                        6 => self.rows::<6, WHOLE>(from, lines.step, (sums, each), results),
                        5 => self.rows::<5, WHOLE>(from, lines.step, (sums, each), results),
                        4 => self.rows::<4, WHOLE>(from, lines.step, (sums, each), results),
                        3 => self.rows::<3, WHOLE>(from, lines.step, (sums, each), results),
                        2 => self.rows::<2, WHOLE>(from, lines.step, (sums, each), results),
                        1 => self.rows::<1, WHOLE>(from, lines.step, (sums, each), results),
                        0 => {}
                    }
                }
                to = to.wrapping_add(count * to_stride);
                sums = sums.wrapping_add(count * each);
            }
        }
    }

    /// The results of `R` rows.
    ///
    /// # Safety
    /// The processor must have AVX2, and the tile eight outputs if `WHOLE`. Of each of the `R` rows that start `stride`
    /// apart from `from` on, the four bytes from each of the tile's places on are read and must be readable; so must be
    /// the `R` vectors that lie `each` vectors apart from `sums` on. In each of the `R` rows that start `to_stride` apart
    /// from `to` on, the tile's outputs are written and must be writable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn rows<const R: usize, const WHOLE: bool>(
        &self,
        from: *const u8,
        stride: usize,
        (sums, each): (*const __m256i, usize),
        (to, to_stride, bytes): (*mut u8, usize, Bytes),
    ) {
        let pairs = self.pairs.iter().map(|&start| [start as usize, start as usize + GROUP]);
        // SAFETY: `row` is below `R`, and as many sums are readable, of a vector's alignment, as they are in a `Vec`.
        // Places are the tile's: the second of a pair starts where its first ends (`Tile::new` asks for that) and is one
        // of them. Memory to write is what `write` wants of `R` rows.
        unsafe {
            let started = from_fn(|row| *sums.add(row * each));
            let sums = multiply::<R>(started, pairs, &self.singles, &self.weights, from, stride);
            self.outputs.write::<R, WHOLE>(sums, to, to_stride, bytes);
        }
    }
}

/// One of each quarter, in turn: of neighbours, which are mostly of one row, each sum would wait for the one before.
#[inline]
fn by_turns(outliers: &[Outlier]) -> impl Iterator<Item = &Outlier> {
    let quarter = outliers.len() / 4;
    let rest = &outliers[4 * quarter..];
    (0..quarter).flat_map(move |at| [0, 1, 2, 3].map(|part| &outliers[part * quarter + at])).chain(rest)
}

/// Whether the 16-bit sums of two groups may be added.
fn go_together(a: &Group, b: &Group) -> bool {
    let (a, b) = (a.sums(), b.sums());
    a.as_flattened().iter().zip(b.as_flattened()).all(|(a, b)| a + b <= ROOM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::OutputStage;
    use crate::kernels::Kernels as _;
    use crate::kernels::portable::Portable;

    const SHAPE: (usize, usize, usize) = (20, 70, 16);

    /// Multiplies bytes, near 120 but for some, with weights of which any two of one sign add up to more than 16 bits have
    /// room for; None where they are refused.
    fn product(avx2: Avx2, far: usize) -> Option<[Vec<u8>; 2]> {
        let (rows, columns, count) = SHAPE;
        let weights: Vec<i16> = (0..rows * columns).map(|at| [127, 90, -128, -75][at * at % 61 % 4]).collect();
        let mut from: Vec<u8> = (0..count * columns + 64).map(|at| (56 + at * 13 % 128) as u8).collect();
        (0..far).for_each(|at| from[at * 37 % (count * columns)] = [0, 255, 55, 185][at % 4]);
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
        // Enough for copies, and five exceptions a row.
        let saved = columns.div_ceil(CHUNK) * CHUNK_COST + 5 * (FINDING_COST + EXCEPTION_COST * seven_bit.tiles.len());
        let seven_bit = SevenBit { saved, ..seven_bit };
        let lines = Lines { count: 1, stride: 0, pixels: count, step: columns };
        let [mut ours, mut theirs] = [(); 2].map(|()| vec![99; count * rows]);
        Portable.gemm(&matrix).bytes(&from, columns, count, &mut theirs, rows);
        // SAFETY: there is room for `count` rows of `rows` results, as far apart as they are long.
        let done = unsafe { seven_bit.lines(&from, lines, &mut ours, rows, Bytes::of(&output_stage)) };
        done.then_some([ours, theirs])
    }

    #[test]
    fn exceptions_change_no_result_and_are_refused_where_there_are_many() {
        let Some(avx2) = Avx2::detect() else { return };
        for far in [30, 0, 1, 70].into_iter().take(if cfg!(miri) { 1 } else { 4 }) {
            let [ours, theirs] = product(avx2, far).expect("few exceptions");
            assert_eq!(ours, theirs, "{far}");
        }
        assert!(product(avx2, 400).is_none());
    }

    #[test]
    fn runs_are_told_apart() {
        let run = |group, offsets| Run { group, offsets };
        assert_eq!(runs(&[0, 4, 8, 100, 104, 60]), [run(0, 0..12), run(3, 100..108), run(5, 60..64)]);
    }

    #[test]
    fn memory_of_copies_is_kept_for_as_many_threads_as_there_are_processors() {
        (0..processors() + 3).for_each(|_| keep(Copies::default()));
        assert!(spare().len() <= processors());
    }

    #[test]
    fn memory_of_large_copies_is_not_kept() {
        spare().clear();
        // A place takes 8 bytes, an exception 12, and a vector of sums 32.
        keep(Copies { bytes: Vec::with_capacity(MAX_KEPT + 1), ..Copies::default() });
        keep(Copies { outside: Vec::with_capacity(MAX_KEPT / 8 + 1), ..Copies::default() });
        keep(Copies { outliers: [vec![], Vec::with_capacity(MAX_KEPT / 12 + 1)], ..Copies::default() });
        keep(Copies { sums: Vec::with_capacity(MAX_KEPT / 32 + 1), ..Copies::default() });
        for Copies { bytes, outside, outliers, sums, .. } in &*spare() {
            let room = [bytes.capacity(), 8 * outside.capacity(), 12 * outliers[1].capacity(), 32 * sums.capacity()];
            assert!(room.iter().all(|&bytes| bytes <= MAX_KEPT), "{room:?}");
        }
    }

    /// A kernel of 64 columns that saves so much that a call may have any number of exceptions.
    fn worth_any(avx2: Avx2) -> SevenBit {
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
    fn memory_of_exceptions_is_asked_for_as_far_as_there_are_any() {
        let Some(avx2) = Avx2::detect() else { return };
        let mut from = vec![120; 164];
        from[64] = 255;
        let mut copies = Copies::default();
        // A row begins at each byte: the one that is cut off is in 64 of them.
        assert!(worth_any(avx2).copy(&from, Lines { count: 1, stride: 0, pixels: 100, step: 1 }, &mut copies));
        assert_eq!(copies.outliers.each_ref().map(Vec::len), [64, 0]);
        let [above, below] = copies.outliers.each_ref().map(Vec::capacity);
        assert!(above <= 128 && below <= 4, "room for {above} and {below}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "a million exceptions; `cargo xtask test` runs it")]
    fn exceptions_and_rows_of_a_call_are_bounded() {
        let Some(avx2) = Avx2::detect() else { return };
        let are_few = |byte: u8, rows: usize| {
            let lines = Lines { count: 1, stride: 0, pixels: rows, step: 1 };
            worth_any(avx2).copy(&vec![byte; rows + 64], lines, &mut Copies::default())
        };
        // Each row has an exception in each of its sixteen groups.
        assert!(are_few(255, 1000) && !are_few(255, MAX_OUTLIERS / 16 + 1));
        assert!(are_few(120, MAX_ROWS) && !are_few(120, MAX_ROWS + 1));
    }
}
