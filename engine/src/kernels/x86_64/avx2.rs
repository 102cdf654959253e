//! AVX2: 16 outputs of 4 rows at a time.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::transmute;

use super::pairs::{GROUP, WIDTH, Weights, arrange};
use crate::kernels::{Filters, Kernels, Lines, Matrix, Picture, SLACK, portable};
use crate::program::{AddRule, MultiplyRule, Rounding, Window};

/// Exists only where the processor has AVX2 and FMA.
#[derive(Debug)]
pub(super) struct Avx2(());

static AVX2: Avx2 = Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<&'static Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&AVX2)
    }
}

impl Kernels for Avx2 {
    fn name(&self) -> &'static str {
        "avx2"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn crate::kernels::Gemm> {
        Box::new(Gemm::new(matrix, None))
    }

    fn gemm_at(&self, matrix: &Matrix<'_>, places: &[u32]) -> Option<Box<dyn crate::kernels::Gemm>> {
        Some(Box::new(Gemm::new(matrix, Some(places))))
    }

    fn depthwise(&self, filters: &Filters<'_>) -> Box<dyn crate::kernels::Depthwise> {
        if filters.taps > MOST_TAPS {
            return Box::new(portable::Depthwise::new(filters));
        }
        Box::new(Depthwise::new(filters))
    }

    fn quantize(&self, from: &[f32], scale: f32, zero: u8, to: &mut [u8]) {
        let (whole, _) = to.as_chunks_mut::<8>();
        let done = whole.len() * 8;
        // SAFETY: the processor has AVX2, or there would be no `Avx2`.
        unsafe { quantize(from, scale, zero, whole) };
        portable::quantize(&from[done..], scale, zero, &mut to[done..]);
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        let done = to.len() / 16 * 16;
        // SAFETY: as above.
        unsafe { add(rule, a, b, to) };
        portable::add(rule, &a[done..], &b[done..], &mut to[done..]);
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        let done = to.len() / 16 * 16;
        // SAFETY: as above.
        unsafe { multiply(rule, a, b, to) };
        portable::multiply(rule, &a[done..], &b[done..], &mut to[done..]);
    }

    fn sum(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        assert!(count == 0 || (count - 1) * stride + sums.len() <= from.len());
        // SAFETY: the processor has AVX2; the rows are as long as the sums.
        unsafe { sum(from, stride, count, sums) };
    }

    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        let (whole, rest) = to.as_chunks_mut::<48>();
        let done = whole.len() * 16;
        // SAFETY: as above; three planes of sixteen bytes make 48.
        unsafe { interleave(planes, whole) };
        portable::interleave(planes.map(|plane| &plane[done..]), rest);
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        let (whole, rest) = bytes.as_chunks_mut::<32>();
        // SAFETY: as above.
        unsafe { lookup(table, whole) };
        portable::lookup_in_place(table, rest);
    }
}

/// How 32-bit sums become bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes {
    pub(super) zero: u8,
    pub(super) least: u8,
    pub(super) most: u8,
}

impl Bytes {
    pub(super) fn of(rounding: &Rounding) -> Bytes {
        match *rounding {
            Rounding::Byte { zero, least, most, .. } => Bytes { zero, least, most },
            Rounding::Float => Bytes { zero: 0, least: 0, most: 255 },
        }
    }
}

/// Rounded to the nearest, ties to even. What is beyond 16 bits saturates there: `min` keeps it within 32 bits above, and
/// what falls below 32 bits becomes the least 32-bit number.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded(values: __m256) -> __m256i {
    _mm256_cvtps_epi32(_mm256_min_ps(values, _mm256_set1_ps(65_536.0)))
}

/// Eight rounded numbers of each of four rows to bytes: two rows in each half.
#[inline]
#[target_feature(enable = "avx2")]
fn pack(rows: [__m256i; 4], bytes: Bytes) -> [__m128i; 2] {
    let zero = _mm256_set1_epi16(i16::from(bytes.zero));
    let words = |a, b| _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero);
    // Both pack instructions work in halves of 128 bits, which leaves half a row of each row in either.
    let packed = _mm256_packus_epi16(words(rows[0], rows[1]), words(rows[2], rows[3]));
    let in_order = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    let clamped = _mm256_min_epu8(
        _mm256_max_epu8(in_order, _mm256_set1_epi8(bytes.least as i8)),
        _mm256_set1_epi8(bytes.most as i8),
    );
    [_mm256_castsi256_si128(clamped), _mm256_extracti128_si256::<1>(clamped)]
}

/// Rows at a time: all pictures that networks make of 224×224 pixels are multiples of it, and as many sums leave room
/// for their operands in sixteen registers.
const ROWS: usize = 7;

#[derive(Debug)]
struct Gemm {
    /// How many bytes of a row may be touched.
    reach: usize,
    rows: usize,
    bytes: Bytes,
    tiles: Vec<Tile>,
}

/// Eight outputs.
#[derive(Debug)]
struct Tile {
    first: usize,
    /// How many there are; the rest is padding.
    outputs: usize,
    pairs: Vec<[u32; 2]>,
    singles: Vec<u32>,
    weights: Vec<__m256i>,
    bias: __m256i,
    multipliers: __m256,
}

impl Gemm {
    fn new(matrix: &Matrix<'_>, places: Option<&[u32]>) -> Gemm {
        let groups = matrix.columns.div_ceil(GROUP);
        let places = places.map_or_else(|| (0..groups).map(|group| (group * GROUP) as u32).collect(), <[u32]>::to_vec);
        assert_eq!(places.len(), groups);
        let tiles = (0..matrix.rows).step_by(WIDTH).map(|first| Tile::new(matrix, &places, first)).collect();
        let reach = places.iter().max().map_or(0, |&place| place as usize + GROUP);
        Gemm { reach, rows: matrix.rows, bytes: Bytes::of(matrix.rounding), tiles }
    }

    /// Checks what the kernels below rely on: rows, and four bytes at the end of the last.
    fn check(&self, from: &[u8], stride: usize, count: usize, to: usize, to_stride: usize) {
        assert!(count == 0 || (count - 1) * stride + self.reach <= from.len());
        assert!(count == 0 || (count - 1) * to_stride + self.rows <= to);
    }
}

impl Tile {
    fn new(matrix: &Matrix<'_>, places: &[u32], first: usize) -> Tile {
        let outputs = (matrix.rows - first).min(WIDTH);
        let rows: Vec<&[i16]> = matrix.weights[first * matrix.columns..(first + outputs) * matrix.columns]
            .chunks_exact(matrix.columns)
            .collect();
        let arranged = arrange(&rows);
        let place = |start: u32| places[start as usize / GROUP];
        let of = |output: usize| Some(first + output).filter(|_| output < outputs);
        // SAFETY: 32 bytes of any content are a vector.
        let vector = |weights| unsafe { transmute::<Weights, __m256i>(weights) };
        Tile {
            first,
            outputs,
            pairs: arranged.pairs.iter().map(|pair| pair.map(place)).collect(),
            singles: arranged.singles.iter().copied().map(place).collect(),
            weights: arranged.weights.into_iter().map(vector).collect(),
            bias: integers(from_fn(|lane| of(lane).map_or(0, |output| matrix.bias[output]))),
            multipliers: floats(from_fn(|lane| of(lane).map_or(0.0, |output| matrix.multipliers[output]))),
        }
    }

    /// The results of `R` rows, not yet rounded. `WHOLE` means nothing here: it gives each caller a copy of its own, which
    /// the compiler then puts in place.
    ///
    /// # Safety
    /// Each of the rows that start `stride` apart from `from` on must be readable wherever a group starts, for 4 bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn results<const R: usize, const WHOLE: bool>(&self, from: *const u8, stride: usize) -> [__m256; R] {
        let mut sums = [self.bias; R];
        let ones = _mm256_set1_epi16(1);
        // SAFETY: as the caller promises.
        let four = |row: usize, start: u32| unsafe {
            _mm256_set1_epi32(from.add(row * stride + start as usize).cast::<i32>().read_unaligned())
        };
        let (of_pairs, of_singles) = self.weights.split_at(self.pairs.len() * 2);
        for (&[first, second], weights) in self.pairs.iter().zip(of_pairs.as_chunks::<2>().0) {
            for (row, sum) in sums.iter_mut().enumerate() {
                let a = _mm256_maddubs_epi16(four(row, first), weights[0]);
                let b = _mm256_maddubs_epi16(four(row, second), weights[1]);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_add_epi16(a, b), ones));
            }
        }
        for (&start, &weights) in self.singles.iter().zip(of_singles) {
            for (row, sum) in sums.iter_mut().enumerate() {
                let a = _mm256_maddubs_epi16(four(row, start), weights);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(a, ones));
            }
        }
        sums.map(|sum| _mm256_mul_ps(_mm256_cvtepi32_ps(sum), self.multipliers))
    }

    /// `R` rows of bytes; `WHOLE` says that the tile has eight outputs.
    ///
    /// # Safety
    /// As for [`Tile::results`]; `to` must be writable for this tile's outputs at each of the rows `to_stride` apart.
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
        // SAFETY: as the caller promises.
        let results = unsafe { self.results::<R, WHOLE>(from, stride) };
        for first in (0..R).step_by(4) {
            let packed = pack(from_fn(|at| rounded(results[(first + at).min(R - 1)])), bytes);
            for (at, packed) in packed.into_iter().enumerate() {
                for (row, packed) in [(first + 2 * at, packed), (first + 2 * at + 1, _mm_srli_si128::<8>(packed))] {
                    if row < R {
                        // SAFETY: as the caller promises; no more than the tile's outputs are written.
                        unsafe { store(packed, to.add(row * to_stride), if WHOLE { 8 } else { self.outputs }) };
                    }
                }
            }
        }
    }

    /// `count` rows of bytes.
    ///
    /// # Safety
    /// As for [`Tile::bytes`].
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
        // SAFETY: as the caller promises.
        unsafe {
            for _ in 0..count / ROWS {
                self.bytes::<ROWS, WHOLE>(from, stride, to, to_stride, bytes);
                (from, to) = (from.add(ROWS * stride), to.add(ROWS * to_stride));
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
}

/// Writes the first `count` bytes, 1 to 16.
///
/// # Safety
/// `to` must be writable for as many.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store(bytes: __m128i, to: *mut u8, count: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        match count {
            16 => _mm_storeu_si128(to.cast(), bytes),
            8 => _mm_storel_epi64(to.cast(), bytes),
            _ => {
                let all = transmute::<__m128i, [u8; 16]>(bytes);
                to.copy_from_nonoverlapping(all.as_ptr(), count);
            }
        }
    }
}

fn integers(values: [i32; 8]) -> __m256i {
    // SAFETY: 32 bytes of any content are a vector.
    unsafe { transmute::<[i32; 8], __m256i>(values) }
}

fn floats(values: [f32; 8]) -> __m256 {
    // SAFETY: as above.
    unsafe { transmute::<[f32; 8], __m256>(values) }
}

impl crate::kernels::Gemm for Gemm {
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize) {
        self.lines(from, Lines { count: 1, stride: 0, pixels: count, step: stride }, to, to_stride);
    }

    fn lines(&self, from: &[u8], lines: Lines, to: &mut [u8], to_stride: usize) {
        for line in 0..lines.count {
            let (from, to) = (&from[line * lines.stride..], &to[line * lines.pixels * to_stride..]);
            self.check(from, lines.step, lines.pixels, to.len(), to_stride);
        }
        for tile in &self.tiles {
            for line in 0..lines.count {
                // SAFETY: the processor has AVX2; the bounds are those that were checked.
                unsafe {
                    let from = from.as_ptr().add(line * lines.stride);
                    let to = to.as_mut_ptr().add(line * lines.pixels * to_stride + tile.first);
                    if tile.outputs == 8 {
                        tile.all_bytes::<true>(from, lines.step, lines.pixels, to, to_stride, self.bytes);
                    } else {
                        tile.all_bytes::<false>(from, lines.step, lines.pixels, to, to_stride, self.bytes);
                    }
                }
            }
        }
    }

    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize) {
        self.check(from, stride, count, to.len(), to_stride);
        for tile in &self.tiles {
            for row in 0..count {
                // SAFETY: the processor has AVX2; the bounds are those that were checked; a vector is 32 bytes.
                let values = unsafe {
                    transmute::<__m256, [f32; 8]>(tile.results::<1, false>(from.as_ptr().add(row * stride), stride)[0])
                };
                to[row * to_stride + tile.first..][..tile.outputs].copy_from_slice(&values[..tile.outputs]);
            }
        }
    }
}

/// Taps whose places are kept on the stack: a 7×7 kernel.
const MOST_TAPS: usize = 50;

/// Sixteen channels at a time, two taps an instruction.
#[derive(Debug)]
struct Depthwise {
    channels: usize,
    taps: usize,
    bytes: Bytes,
    blocks: Vec<Block>,
}

/// Sixteen channels, in the order that unpacking leaves: 0 to 3 and 8 to 11, then 4 to 7 and 12 to 15.
#[derive(Debug)]
struct Block {
    /// For each two taps, their weights side by side.
    weights: Vec<[__m256i; 2]>,
    bias: [__m256i; 2],
    multipliers: [__m256; 2],
}

impl Depthwise {
    fn new(filters: &Filters<'_>) -> Depthwise {
        let (channels, taps) = (filters.channels, filters.taps);
        let block = |first: usize| {
            let channel = |v: usize, lane: usize| {
                Some(first + v * 4 + lane % 4 + lane / 4 * 8).filter(|&channel| channel < channels)
            };
            let weight = |channel: Option<usize>, tap: usize| match channel {
                Some(channel) if tap < taps => filters.weights[channel * taps + tap],
                _ => 0,
            };
            let pair = |pair: usize| {
                from_fn(|v| {
                    integers(from_fn(|lane| {
                        let weight = |tap: usize| weight(channel(v, lane), 2 * pair + tap) as u16;
                        (u32::from(weight(0)) | u32::from(weight(1)) << 16) as i32
                    }))
                })
            };
            Block {
                weights: (0..taps.div_ceil(2)).map(pair).collect(),
                bias: from_fn(|v| integers(from_fn(|lane| channel(v, lane).map_or(0, |c| filters.bias[c])))),
                multipliers: from_fn(|v| {
                    floats(from_fn(|lane| channel(v, lane).map_or(0.0, |c| filters.multipliers[c])))
                }),
            }
        };
        Depthwise {
            channels,
            taps,
            bytes: Bytes::of(filters.rounding),
            blocks: (0..channels).step_by(16).map(block).collect(),
        }
    }

    /// One output pixel.
    ///
    /// # Safety
    /// From each of `taps` on, the channels and 15 bytes more must be readable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn pixel(&self, taps: &[*const u8], to: &mut [u8]) {
        for (number, block) in self.blocks.iter().enumerate() {
            let first = number * 16;
            let mut sums = block.bias;
            for (pair, weights) in taps.chunks_exact(2).zip(&block.weights) {
                // SAFETY: as the caller promises.
                let [a, b] = [pair[0], pair[1]]
                    .map(|tap| unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(tap.add(first).cast())) });
                sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), weights[0]));
                sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), weights[1]));
            }
            let [low, high] = from_fn(|v| rounded(_mm256_mul_ps(_mm256_cvtepi32_ps(sums[v]), block.multipliers[v])));
            // Packing puts back what unpacking took apart.
            let words = _mm256_adds_epi16(_mm256_packs_epi32(low, high), _mm256_set1_epi16(i16::from(self.bytes.zero)));
            let packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            let packed = _mm_max_epu8(packed, _mm_set1_epi8(self.bytes.least as i8));
            let packed = _mm_min_epu8(packed, _mm_set1_epi8(self.bytes.most as i8));
            let to = &mut to[first..self.channels.min(first + 16)];
            // SAFETY: `to` is as long.
            unsafe { store(packed, to.as_mut_ptr(), to.len()) };
        }
    }

    /// # Safety
    /// The processor must have AVX2; picture and padding must have the lengths that [`Picture`] says.
    #[target_feature(enable = "avx2")]
    unsafe fn line(&self, picture: &Picture<'_>, window: &Window, y: usize, to: &mut [u8]) {
        let channels = self.channels;
        let mut taps = [picture.padding.as_ptr(); MOST_TAPS];
        // How far each tap moves from one output to the next.
        let mut steps = [0; MOST_TAPS];
        let mut whole = false;
        for (x, to) in to.chunks_exact_mut(channels).enumerate() {
            let was_whole = whole;
            whole = window.is_inside(1, x, picture.width);
            if was_whole && whole {
                for (tap, step) in taps[..self.taps].iter_mut().zip(&steps) {
                    *tap = tap.wrapping_add(*step);
                }
            } else {
                place(picture, window, channels, [y, x], &mut taps, &mut steps);
            }
            // SAFETY: what is under a tap is a pixel of the picture or the padding, and slack behind it. Where the taps
            // are odd in number, one more lies on the padding and has no weight.
            unsafe { self.pixel(&taps[..self.taps.next_multiple_of(2)], to) };
        }
    }
}

/// Finds the pixel under each tap, or the padding, and how far it is to the one under the next output's.
fn place(
    picture: &Picture<'_>,
    window: &Window,
    channels: usize,
    [y, x]: [usize; 2],
    taps: &mut [*const u8; MOST_TAPS],
    steps: &mut [usize; MOST_TAPS],
) {
    let ((down, top), (across, left)) = (window.taps(0, y, picture.height), window.taps(1, x, picture.width));
    let [kernel_height, kernel_width] = window.kernel;
    for tap_y in 0..kernel_height {
        for tap_x in 0..kernel_width {
            let tap = tap_y * kernel_width + tap_x;
            (taps[tap], steps[tap]) = if down.contains(&tap_y) && across.contains(&tap_x) {
                let y = (top + (tap_y * window.dilation[0]) as isize) as usize;
                let x = (left + (tap_x * window.dilation[1]) as isize) as usize;
                (picture.bytes[(y * picture.width + x) * channels..].as_ptr(), window.stride[1] * channels)
            } else {
                (picture.padding.as_ptr(), 0)
            };
        }
    }
}

impl crate::kernels::Depthwise for Depthwise {
    fn row(&self, picture: &Picture<'_>, window: &Window, y: usize, to: &mut [u8]) {
        assert!(picture.height * picture.width * self.channels + SLACK <= picture.bytes.len());
        assert!(self.channels + SLACK <= picture.padding.len());
        assert_eq!(window.kernel.iter().product::<usize>(), self.taps);
        // SAFETY: the processor has AVX2; the lengths were checked.
        unsafe { self.line(picture, window, y, to) };
    }
}

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe fn quantize(from: &[f32], scale: f32, zero: u8, to: &mut [[u8; 8]]) {
    let (scale, offset) = (_mm256_set1_ps(scale), f32::from(zero));
    let (least, most) = (_mm256_set1_ps(-offset), _mm256_set1_ps(255.0 - offset));
    let zero = _mm256_set1_epi32(i32::from(zero));
    for (to, from) in to.iter_mut().zip(from.as_chunks::<8>().0) {
        // SAFETY: eight floats are readable.
        let value = _mm256_div_ps(unsafe { _mm256_loadu_ps(from.as_ptr()) }, scale);
        // What is not a number becomes the least, as `max` gives its second operand then.
        let clamped = _mm256_min_ps(_mm256_max_ps(value, least), most);
        let bytes = _mm256_add_epi32(_mm256_cvtps_epi32(clamped), zero);
        let words = _mm256_packus_epi32(bytes, bytes);
        let words = _mm256_permute4x64_epi64::<0b00_00_10_00>(words);
        let packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_castsi256_si128(words));
        // SAFETY: eight bytes are writable.
        unsafe { _mm_storel_epi64(to.as_mut_ptr().cast(), packed) };
    }
}

/// Eight bytes as 32-bit numbers.
///
/// # Safety
/// Eight bytes must be readable.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn widened(from: *const u8) -> __m256i {
    // SAFETY: as the caller promises.
    _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(from.cast()) })
}

/// Applies `operation` to 8 numbers of each at a time and writes 16 bytes at a time, as many as there are whole.
///
/// # Safety
/// The processor must have AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn combine(a: &[u8], b: &[u8], to: &mut [u8], bytes: Bytes, operation: impl Fn(__m256i, __m256i) -> __m256) {
    let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    for ((to, a), b) in to.as_chunks_mut::<16>().0.iter_mut().zip(a).zip(b) {
        // SAFETY: sixteen bytes are readable and writable.
        unsafe {
            let half = |at: usize| rounded(operation(widened(a.as_ptr().add(at)), widened(b.as_ptr().add(at))));
            let (low, high) = (half(0), half(8));
            let [packed, _] = pack([low, high, low, high], bytes);
            _mm_storeu_si128(to.as_mut_ptr().cast(), packed);
        }
    }
}

/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
unsafe fn add(rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let [a_shift, b_shift] = rule.shifts.map(|shift| _mm256_set1_epi32(i32::from(shift)));
    let [a_share, b_share] = rule.shares.map(|share| _mm256_set1_ps(share));
    let fixed = _mm256_set1_ps(rule.fixed);
    let bytes = Bytes { zero: rule.shift, least: rule.least, most: rule.most };
    let operation = |a: __m256i, b: __m256i| {
        let [a, b] = [_mm256_sub_epi32(a, a_shift), _mm256_sub_epi32(b, b_shift)].map(|x| _mm256_cvtepi32_ps(x));
        _mm256_fmadd_ps(a, a_share, _mm256_fmadd_ps(b, b_share, fixed))
    };
    // SAFETY: the processor has AVX2.
    unsafe { combine(a, b, to, bytes, operation) };
}

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe fn multiply(rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
    let [a_zero, b_zero] = rule.zeros.map(|zero| _mm256_set1_epi32(i32::from(zero)));
    let multiplier = _mm256_set1_ps(rule.multiplier);
    let bytes = Bytes { zero: rule.zero, least: rule.least, most: rule.most };
    let operation = |a: __m256i, b: __m256i| {
        // Both fit 16 bits.
        let product = _mm256_mullo_epi32(_mm256_sub_epi32(a, a_zero), _mm256_sub_epi32(b, b_zero));
        _mm256_mul_ps(_mm256_cvtepi32_ps(product), multiplier)
    };
    // SAFETY: the processor has AVX2.
    unsafe { combine(a, b, to, bytes, operation) };
}

/// The table in sixteen parts: a shuffle gives 0 for indices with the highest bit set, and so all parts but one do.
///
/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe fn lookup(table: &[u8; 256], bytes: &mut [[u8; 32]]) {
    let parts: [__m256i; 16] = from_fn(|part| {
        // SAFETY: sixteen bytes are readable.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table[part * 16..].as_ptr().cast()) })
    });
    let bias = _mm256_set1_epi8(0x70);
    for bytes in bytes {
        // SAFETY: 32 bytes are readable and writable.
        unsafe {
            let index = _mm256_loadu_si256(bytes.as_ptr().cast());
            let mut found = _mm256_setzero_si256();
            for (number, &part) in parts.iter().enumerate() {
                // From 0x70 to 0x7f where the high half is this part's number, 0x80 and more elsewhere.
                let place = _mm256_adds_epu8(_mm256_xor_si256(index, _mm256_set1_epi8((number << 4) as i8)), bias);
                found = _mm256_or_si256(found, _mm256_shuffle_epi8(part, place));
            }
            _mm256_storeu_si256(bytes.as_mut_ptr().cast(), found);
        }
    }
}

/// # Safety
/// The processor must have AVX2; there must be `count` rows, `stride` apart, of as many bytes as there are sums.
#[target_feature(enable = "avx2")]
unsafe fn sum(from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
    let (blocks, rest) = sums.as_chunks_mut::<32>();
    let done = blocks.len() * 32;
    for (number, sums) in blocks.iter_mut().enumerate() {
        // As many bytes as 16 bits hold the sum of.
        for start in (0..count).step_by(256) {
            let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for row in start..count.min(start + 256) {
                // SAFETY: as the caller promises.
                let bytes = unsafe { _mm256_loadu_si256(from.as_ptr().add(row * stride + number * 32).cast()) };
                even = _mm256_add_epi16(even, _mm256_and_si256(bytes, _mm256_set1_epi16(0xff)));
                odd = _mm256_add_epi16(odd, _mm256_srli_epi16::<8>(bytes));
            }
            // SAFETY: 32 bytes of any content are numbers.
            let (even, odd) = unsafe { (transmute::<__m256i, [u16; 16]>(even), transmute::<__m256i, [u16; 16]>(odd)) };
            for (sums, (even, odd)) in sums.as_chunks_mut::<2>().0.iter_mut().zip(even.into_iter().zip(odd)) {
                sums[0] += i32::from(even);
                sums[1] += i32::from(odd);
            }
        }
    }
    portable::sum(&from[done.min(from.len())..], stride, count, rest);
}

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe fn interleave(planes: [&[u8]; 3], to: &mut [[u8; 48]]) {
    // Where each byte of three vectors comes from, in each plane; 0x80 makes it 0.
    const PLACES: [[[u8; 16]; 3]; 3] = {
        let mut places = [[[0x80; 16]; 3]; 3];
        let mut at = 0;
        while at < 48 {
            places[at / 16][at % 3][at % 16] = (at / 3) as u8;
            at += 1;
        }
        places
    };
    let [a, b, c] = planes.map(|plane| plane.as_chunks::<16>().0);
    for (((to, a), b), c) in to.iter_mut().zip(a).zip(b).zip(c) {
        // SAFETY: sixteen bytes are readable, and writable in each third.
        unsafe {
            let load = |bytes: &[u8; 16]| _mm_loadu_si128(bytes.as_ptr().cast());
            let (a, b, c) = (load(a), load(b), load(c));
            for (to, places) in to.as_chunks_mut::<16>().0.iter_mut().zip(&PLACES) {
                let [a, b, c] = [
                    _mm_shuffle_epi8(a, load(&places[0])),
                    _mm_shuffle_epi8(b, load(&places[1])),
                    _mm_shuffle_epi8(c, load(&places[2])),
                ];
                _mm_storeu_si128(to.as_mut_ptr().cast(), _mm_or_si128(_mm_or_si128(a, b), c));
            }
        }
    }
}
