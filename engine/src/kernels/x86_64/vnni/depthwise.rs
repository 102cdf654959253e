//! One filter a channel, 3×3 and 5×5: four lines of the picture are interleaved, column by column, so that one
//! instruction takes four taps of a column. A column serves all outputs whose windows it lies in.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::{MaybeUninit, transmute_copy};

use super::{Avx512Vnni, Bytes, first, fits};
use crate::arithmetic::Window;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// Columns that are interleaved before outputs are made of them.
const COLUMNS: usize = 32;

/// Registers of one width.
///
/// # Safety
/// Who implements this promises that the type is [`Vector::WIDTH`] bytes long, 64 at most, that any bits are one of it,
/// that `load` reads no byte but the `WIDTH` from `from` on, that `store` writes none but those of the `WIDTH` from `to`
/// on whose bits in the mask are set, and that neither asks for an alignment. What the others do touches registers alone.
/// None may need other instructions than AVX-512 F, BW, VL and VNNI.
unsafe trait Vector: Copy {
    /// Bytes.
    const WIDTH: usize;

    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. `WIDTH` bytes from `from` on are read and must be readable.
    unsafe fn load(from: *const u8) -> Self;

    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn zero() -> Self;

    /// Bytes side by side, from the lower and the upper half of each lane of 128 bits.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn zip_bytes(self, other: Self) -> [Self; 2];

    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn zip_pairs(self, other: Self) -> [Self; 2];

    /// Adds the products of four unsigned bytes here and four signed ones there to each 32-bit sum.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn multiply_add(self, weights: Self, sums: Self) -> Self;

    /// Sums times floats, rounded.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn scale(self, multipliers: Self) -> Self;

    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn pack(quarters: [Self; 4], bytes: Bytes) -> Self;

    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. Of the `WIDTH` bytes from `to` on, those whose bits in the
    /// mask are set are written and must be writable.
    unsafe fn store(self, to: *mut u8, mask: u64);
}

macro_rules! vectors {
    ($($vector:ident, $width:literal, $mask:ident: $load:ident, $zero:ident, $low_bytes:ident, $high_bytes:ident,
       $low_pairs:ident, $high_pairs:ident, $dot:ident, $float:ident, $times:ident, $as_float:ident, $round:ident,
       $words:ident, $add:ident, $bytes:ident, $max:ident, $min:ident, $all_words:ident, $all_bytes:ident, $store:ident;)*) => {
        // SAFETY: a vector of Intel's is as long as its load reads and its masked store writes at most, by Intel's
        // description of `loadu` and `mask_storeu`, which ask for no alignment; of integers, it may have any bits.
        $(unsafe impl Vector for $vector {
            const WIDTH: usize = $width;

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn load(from: *const u8) -> Self {
                // SAFETY: `WIDTH` bytes from `from` on are readable, and that is what the instruction reads.
                unsafe { $load(from.cast()) }
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn zero() -> Self {
                $zero()
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn zip_bytes(self, other: Self) -> [Self; 2] {
                [$low_bytes(self, other), $high_bytes(self, other)]
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn zip_pairs(self, other: Self) -> [Self; 2] {
                [$low_pairs(self, other), $high_pairs(self, other)]
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn multiply_add(self, weights: Self, sums: Self) -> Self {
                $dot(sums, self, weights)
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn scale(self, multipliers: Self) -> Self {
                $round($times($float(self), $as_float(multipliers)))
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn pack(quarters: [Self; 4], bytes: Bytes) -> Self {
                let words = |a, b| $add($words(a, b), $all_words(i16::from(bytes.zero_point)));
                let packed = $bytes(words(quarters[0], quarters[1]), words(quarters[2], quarters[3]));
                $min($max(packed, $all_bytes(bytes.min as i8)), $all_bytes(bytes.max as i8))
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn store(self, to: *mut u8, mask: u64) {
                // SAFETY: the bytes whose bits in the mask are set are writable, and the instruction writes no others; a
                // mask of this type has `WIDTH` bits.
                unsafe { $store(to.cast(), mask as $mask, self) }
            }
        })*
    };
}

vectors! {
    __m512i, 64, u64: _mm512_loadu_si512, _mm512_setzero_si512, _mm512_unpacklo_epi8, _mm512_unpackhi_epi8,
        _mm512_unpacklo_epi16, _mm512_unpackhi_epi16, _mm512_dpbusd_epi32, _mm512_cvtepi32_ps, _mm512_mul_ps,
        _mm512_castsi512_ps, _mm512_cvtps_epi32, _mm512_packs_epi32, _mm512_adds_epi16, _mm512_packus_epi16,
        _mm512_max_epu8, _mm512_min_epu8, _mm512_set1_epi16, _mm512_set1_epi8, _mm512_mask_storeu_epi8;
    __m256i, 32, u32: _mm256_loadu_si256, _mm256_setzero_si256, _mm256_unpacklo_epi8, _mm256_unpackhi_epi8,
        _mm256_unpacklo_epi16, _mm256_unpackhi_epi16, _mm256_dpbusd_epi32, _mm256_cvtepi32_ps, _mm256_mul_ps,
        _mm256_castsi256_ps, _mm256_cvtps_epi32, _mm256_packs_epi32, _mm256_adds_epi16, _mm256_packus_epi16,
        _mm256_max_epu8, _mm256_min_epu8, _mm256_set1_epi16, _mm256_set1_epi8, _mm256_mask_storeu_epi8;
    __m128i, 16, u16: _mm_loadu_si128, _mm_setzero_si128, _mm_unpacklo_epi8, _mm_unpackhi_epi8,
        _mm_unpacklo_epi16, _mm_unpackhi_epi16, _mm_dpbusd_epi32, _mm_cvtepi32_ps, _mm_mul_ps,
        _mm_castsi128_ps, _mm_cvtps_epi32, _mm_packs_epi32, _mm_adds_epi16, _mm_packus_epi16,
        _mm_max_epu8, _mm_min_epu8, _mm_set1_epi16, _mm_set1_epi8, _mm_mask_storeu_epi8;
}

/// Four lines of a column interleaved: channels 0 to 3 of each lane of 128 bits, 4 to 7, 8 to 11, 12 to 15.
type Column<V, const G: usize> = [[V; 4]; G];

#[derive(Debug)]
pub(super) struct Depthwise {
    /// What calls of functions with AVX-512 rest on.
    _vnni: Avx512Vnni,
    window: Window,
    channels: usize,
    bytes: Bytes,
    blocks: Vec<Block>,
}

/// Channels that are computed together.
#[derive(Debug)]
enum Block {
    Wide(Box<Packed<__m512i>>),
    Half(Box<Packed<__m256i>>),
    SevenBit(Box<Packed<__m128i>>),
}

#[derive(Debug)]
struct Packed<V> {
    first: usize,
    /// For each column of the kernel and each four of its lines: `W` times `G` of the functions below.
    weights: Vec<[V; 4]>,
    bias: [V; 4],
    multipliers: [V; 4],
}

impl Depthwise {
    /// None where there is no kernel of this size, or the instruction can't take the weights.
    pub(super) fn new(vnni: Avx512Vnni, filters: &DepthwiseWeights<'_>, window: &Window) -> Option<Depthwise> {
        filters.check(window);
        let known = matches!((window.kernel, window.stride[1], window.dilation[1]), ([3, 3] | [5, 5], 1 | 2, 1));
        if !known || !fits(filters.weights, filters.bias, filters.multipliers) {
            return None;
        }
        let (mut blocks, mut first) = (vec![], 0);
        while first < filters.channels {
            let (block, width) = match filters.channels - first {
                0..=16 => (Block::SevenBit(Box::new(Packed::new(filters, window.kernel, first))), 16),
                17..=32 => (Block::Half(Box::new(Packed::new(filters, window.kernel, first))), 32),
                _ => (Block::Wide(Box::new(Packed::new(filters, window.kernel, first))), 64),
            };
            blocks.push(block);
            first += width;
        }
        Some(Depthwise {
            _vnni: vnni,
            window: window.clone(),
            channels: filters.channels,
            bytes: Bytes::of(filters.output_stage),
            blocks,
        })
    }
}

impl<V: Vector> Packed<V> {
    fn new(filters: &DepthwiseWeights<'_>, [height, width]: [usize; 2], first: usize) -> Packed<V> {
        let channel = |quarter: usize, lane: usize| {
            Some(first + lane / 4 * 16 + quarter * 4 + lane % 4).filter(|&channel| channel < filters.channels)
        };
        let weight = |quarter, lane, line: usize, column: usize| match channel(quarter, lane) {
            Some(channel) if line < height => filters.weights[channel * filters.taps + line * width + column] as i8,
            _ => 0,
        };
        let weights = (0..width).flat_map(|column| {
            (0..height).step_by(4).map(move |top| {
                from_fn(|quarter| {
                    vector(from_fn(|byte| weight(quarter, byte / 4, top + byte % 4, column).cast_unsigned()))
                })
            })
        });
        let words = |quarter: usize, word: &dyn Fn(usize) -> [u8; 4]| {
            vector(from_fn(|byte| channel(quarter, byte / 4).map_or(0, |channel| word(channel)[byte % 4])))
        };
        Packed {
            first,
            weights: weights.collect(),
            bias: from_fn(|quarter| words(quarter, &|channel| filters.bias[channel].to_le_bytes())),
            multipliers: from_fn(|quarter| words(quarter, &|channel| filters.multipliers[channel].to_le_bytes())),
        }
    }
}

/// The first bytes as a vector.
fn vector<V: Vector>(bytes: [u8; 64]) -> V {
    const { assert!(V::WIDTH <= 64 && size_of::<V>() == V::WIDTH) };
    // SAFETY: a vector is as long as `WIDTH`, which was found to be no more than the 64 bytes there are, and any bits are
    // one, as `Vector` promises. What is copied need not be aligned.
    unsafe { transmute_copy(&bytes) }
}

/// The lines of a picture under a kernel: where they start, and how far their pixels are apart. What lies above or below
/// is the padding, over and over.
///
/// For a picture that [`DepthwiseInput::check`] has found to be whole, each pixel, at `line + x * step` with `x` below `width`,
/// and the padding have all channels and [`TAIL_PADDING`](crate::kernels::SLACK) bytes behind them.
struct Sources {
    lines: [(*const u8, usize); 5],
    padding: *const u8,
    width: usize,
}

impl Sources {
    fn new(picture: &DepthwiseInput<'_>, window: &Window, channels: usize, y: usize) -> Sources {
        let top = (y * window.stride[0]) as isize - window.pad[0] as isize;
        let line = |tap: usize| {
            let y = top + (tap * window.dilation[0]) as isize;
            if tap < window.kernel[0] && (0..picture.height as isize).contains(&y) {
                (picture.bytes[y as usize * picture.width * channels..].as_ptr(), channels)
            } else {
                (picture.padding.as_ptr(), 0)
            }
        };
        Sources { lines: from_fn(line), padding: picture.padding.as_ptr(), width: picture.width }
    }

    /// `H` lines of the column at `x`, from channel `first` on.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. `H` must be 5 at most. From channel `first` on of the column's
    /// pixels, or of the padding where `x` is outside, a vector is read and must be readable.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn column<V: Vector, const H: usize, const G: usize>(&self, x: isize, first: usize) -> Column<V, G> {
        let inside = (0..self.width as isize).contains(&x);
        // SAFETY: this function has the instructions that a `Vector` needs. Where `x` is inside, it's the column's pixel
        // that `place` is, else the padding; from `first` on a vector is readable in either.
        unsafe {
            let mut groups = [[V::zero(); 4]; G];
            for (group, quarters) in groups.iter_mut().enumerate() {
                let mut lines = [V::zero(); 4];
                for (number, line) in lines.iter_mut().enumerate() {
                    let number = group * 4 + number;
                    if number >= H {
                        break;
                    }
                    let (start, step) = self.lines[number];
                    let place = if inside { start.add(x as usize * step) } else { self.padding };
                    *line = V::load(place.add(first));
                }
                let (upper, lower) = (lines[0].zip_bytes(lines[1]), lines[2].zip_bytes(lines[3]));
                let [first_half, second_half] = [upper[0].zip_pairs(lower[0]), upper[1].zip_pairs(lower[1])];
                *quarters = [first_half[0], first_half[1], second_half[0], second_half[1]];
            }
            groups
        }
    }
}

impl<V: Vector> Packed<V> {
    /// One line of outputs, `H` × `W` taps each, `S` apart.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. There must be weights for `H` × `W` taps. Of all pixels of the
    /// sources, and of the padding, a vector is read from this block's first channel on and must be readable; of `count`
    /// pixels from `to` on, each of `channels` bytes, this block's are written and must be writable.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn line<const H: usize, const G: usize, const W: usize, const S: usize>(
        &self,
        sources: &Sources,
        left: usize,
        (to, count, channels): (*mut u8, usize, usize),
        bytes: Bytes,
    ) {
        let mut columns = [const { MaybeUninit::<Column<V, G>>::uninit() }; COLUMNS];
        let mask = first(channels - self.first);
        let at_once = if S == 1 { 28 } else { 14 };
        for start in (0..count).step_by(at_once) {
            let outputs = (count - start).min(at_once);
            let x = (start * S) as isize - left as isize;
            // SAFETY: a vector is readable of each column, inside or not. The windows of `outputs` outputs, `S` apart and
            // `W` wide, lie over `(outputs - 1) * S + W` columns, which are written first; the `P` outputs from `at` on,
            // which are among them, read those from `at * S` on. Output `start + at` is the one that `to` points to, and
            // one of `count`; the mask has a bit for each channel from this block's first on, and a vector stores no more
            // of them than it has.
            unsafe {
                for (at, column) in columns[..(outputs - 1) * S + W].iter_mut().enumerate() {
                    column.write(sources.column::<V, H, G>(x + at as isize, self.first));
                }
                let (mut at, mut to) = (0, to.add(start * channels + self.first));
                let columns = columns.as_ptr().cast::<Column<V, G>>();
                while outputs - at >= 7 {
                    self.pixels::<7, G, W, S>(columns.add(at * S), (to, channels, mask), bytes);
                    (at, to) = (at + 7, to.wrapping_add(7 * channels));
                }
                if outputs - at >= 4 {
                    self.pixels::<4, G, W, S>(columns.add(at * S), (to, channels, mask), bytes);
                    (at, to) = (at + 4, to.wrapping_add(4 * channels));
                }
                while at < outputs {
                    self.pixels::<1, G, W, S>(columns.add(at * S), (to, channels, mask), bytes);
                    (at, to) = (at + 1, to.wrapping_add(channels));
                }
            }
        }
    }

    /// `P` neighbouring outputs.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. This block must have weights for `W` columns of `G` groups.
    /// The `(P - 1) * S + W` columns from `columns` on are read and must be there; in each of `P` pixels that start
    /// `channels` apart from `to` on, the bytes of a vector whose bits in `mask` are set are written and must be
    /// writable.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn pixels<const P: usize, const G: usize, const W: usize, const S: usize>(
        &self,
        columns: *const Column<V, G>,
        (to, channels, mask): (*mut u8, usize, u64),
        bytes: Bytes,
    ) {
        // SAFETY: this function has the instructions that a `Vector` needs. `weights` are `W` times `G` arrays of four
        // vectors, and so `W` columns; of the columns of the picture, the last one read is that of `P - 1` and `W - 1`.
        // What is stored in pixel `pixel`, below `P`, are the bytes in the mask.
        unsafe {
            let weights = self.weights.as_ptr().cast::<Column<V, G>>();
            let mut quarters = [[V::zero(); P]; 4];
            for (quarter, results) in quarters.iter_mut().enumerate() {
                let mut sums = [self.bias[quarter]; P];
                for column in 0..W {
                    for group in 0..G {
                        let weights = (*weights.add(column))[group][quarter];
                        for (pixel, sum) in sums.iter_mut().enumerate() {
                            let taps = (*columns.add(pixel * S + column))[group][quarter];
                            *sum = taps.multiply_add(weights, *sum);
                        }
                    }
                }
                for (result, sum) in results.iter_mut().zip(sums) {
                    *result = sum.scale(self.multipliers[quarter]);
                }
            }
            #[allow(clippy::needless_range_loop, reason = "the four lie in four arrays")]
            for pixel in 0..P {
                let at = |quarter: usize| quarters[quarter][pixel];
                let packed = V::pack([at(0), at(1), at(2), at(3)], bytes);
                packed.store(to.add(pixel * channels), mask);
            }
        }
    }

    /// One line of outputs.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. The block must have been packed for this window. Of all pixels
    /// of the sources, and of the padding, a vector is read from this block's first channel on and must be readable; of
    /// `to.1` pixels from `to.0` on, each of `to.2` channels, this block's are written and must be writable.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn known(&self, sources: &Sources, window: &Window, to: (*mut u8, usize, usize), bytes: Bytes) {
        let left = window.pad[1];
        // SAFETY: `H` and `W` are the kernel's height and width, with which the weights were packed, in `G` groups of
        // four lines; memory is what `line` wants.
        unsafe {
            match (window.kernel, window.stride[1]) {
                ([3, 3], 1) => self.line::<3, 1, 3, 1>(sources, left, to, bytes),
                ([3, 3], 2) => self.line::<3, 1, 3, 2>(sources, left, to, bytes),
                ([5, 5], 1) => self.line::<5, 2, 5, 1>(sources, left, to, bytes),
                ([5, 5], 2) => self.line::<5, 2, 5, 2>(sources, left, to, bytes),
                _ => unreachable!("only these are packed"),
            }
        }
    }
}

impl crate::kernels::Depthwise for Depthwise {
    fn row(&self, picture: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        picture.check(self.channels, &self.window, y, to.len());
        let sources = Sources::new(picture, &self.window, self.channels, y);
        let to = (to.as_mut_ptr(), to.len() / self.channels, self.channels);
        for block in &self.blocks {
            // SAFETY: the processor has AVX-512 F, BW, VL and VNNI, as `_vnni` exists. Each block was packed for this
            // window, and begins below `channels`, so that a vector of its, 64 bytes at most, ends within the `TAIL_PADDING`
            // bytes that `DepthwiseInput::check` found behind picture and padding; and the result has as many whole pixels.
            unsafe {
                match block {
                    Block::Wide(packed) => packed.known(&sources, &self.window, to, self.bytes),
                    Block::Half(packed) => packed.known(&sources, &self.window, to, self.bytes),
                    Block::SevenBit(packed) => packed.known(&sources, &self.window, to, self.bytes),
                }
            }
        }
    }
}
