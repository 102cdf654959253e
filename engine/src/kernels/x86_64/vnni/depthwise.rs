//! Depthwise convolutions with kernels of 3×3 and 5×5. Four lines of the input are interleaved, column by column, so
//! that one instruction multiplies four taps of a column. A column is used for all outputs whose windows contain it.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::{MaybeUninit, transmute_copy};

use super::{Avx512Vnni, Requantize, first, fits};
use crate::arithmetic::Window;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// The maximum number of columns that are interleaved before outputs are computed from them: those under 28 windows of
/// width 5 with a stride of 1.
const COLUMNS: usize = 32;

/// A vector register of one width, and its instructions.
///
/// # Safety
/// Implementations guarantee that the type has [`Vector::WIDTH`] bytes, at most 64; that any bits are a valid value of
/// it; that `load` reads only the `WIDTH` bytes from `from` on; that `store` writes only those of the `WIDTH` bytes
/// from `to` on whose bits in the mask are set; and that neither needs an alignment. The other functions access only
/// registers. None may need other instructions than those of AVX-512 F, BW, VL and VNNI.
unsafe trait Vector: Copy {
    /// The size in bytes.
    const WIDTH: usize;

    /// Loads `WIDTH` bytes.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. `WIDTH` bytes from `from` on are read and must be readable.
    unsafe fn load(from: *const u8) -> Self;

    /// A vector of zeros.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn zero() -> Self;

    /// Interleaves bytes: those of the lower half of each lane of 128 bits, and those of the upper half.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn zip_bytes(self, other: Self) -> [Self; 2];

    /// Interleaves pairs of bytes, in the same way.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn zip_pairs(self, other: Self) -> [Self; 2];

    /// Adds the products of four unsigned bytes of `self` and four signed bytes of `weights` to each 32-bit sum.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn multiply_add(self, weights: Self, sums: Self) -> Self;

    /// Multiplies 32-bit sums with multipliers, which are floats, and rounds the results to 32-bit numbers, to the
    /// nearest, ties to even.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn scale(self, multipliers: Self) -> Self;

    /// Requantizes rounded numbers to bytes. Each lane of 128 bits has the four numbers of that lane of each of the
    /// vectors in turn.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. No memory is touched.
    unsafe fn pack(quarters: [Self; 4], requantize: Requantize) -> Self;

    /// Stores the bytes whose bits in the mask are set.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. Of the `WIDTH` bytes from `to` on, those whose bits in the
    /// mask are set are written and must be writable.
    unsafe fn store(self, to: *mut u8, mask: u64);
}

macro_rules! vectors {
    ($($vector:ident, $width:literal, $mask:ident: $load:ident, $zero:ident, $low_bytes:ident, $high_bytes:ident,
       $low_pairs:ident, $high_pairs:ident, $dot:ident, $float:ident, $times:ident, $as_float:ident, $round:ident,
       $words:ident, $add:ident, $bytes:ident, $max:ident, $min:ident, $all_words:ident, $all_bytes:ident,
       $store:ident;)*) => {
        // SAFETY: a vector type has as many bytes as its load reads and its masked store writes at most, by Intel's
        // description of `loadu` and `mask_storeu`, which need no alignment. A vector of integers may have any bits.
        // The other functions access only registers.
        $(unsafe impl Vector for $vector {
            const WIDTH: usize = $width;

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn load(from: *const u8) -> Self {
                // SAFETY: `WIDTH` bytes from `from` on are readable, and the instruction reads no others.
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
            unsafe fn pack(quarters: [Self; 4], requantize: Requantize) -> Self {
                let words = |a, b| $add($words(a, b), $all_words(i16::from(requantize.zero_point)));
                let packed = $bytes(words(quarters[0], quarters[1]), words(quarters[2], quarters[3]));
                $min($max(packed, $all_bytes(requantize.min as i8)), $all_bytes(requantize.max as i8))
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
            unsafe fn store(self, to: *mut u8, mask: u64) {
                // SAFETY: the bytes whose bits in the mask are set are writable, and the instruction writes no others.
                // A mask of this type has `WIDTH` bits.
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

/// A column of `G` groups of four lines, which are interleaved. The four vectors of a group have channels 0 to 3 of
/// each 16, 4 to 7, 8 to 11 and 12 to 15; the four bytes of a 32-bit lane are those of one channel in the four lines.
type Column<V, const G: usize> = [[V; 4]; G];

/// Packed depthwise weights.
#[derive(Debug)]
pub(super) struct Depthwise {
    /// Proof of AVX-512, which the calls of functions that need it rely on.
    _vnni: Avx512Vnni,
    window: Window,
    channels: usize,
    requantize: Requantize,
    blocks: Vec<Block>,
}

/// The packed weights of channels that are computed together: up to 64, 32 or 16 of them.
#[derive(Debug)]
enum Block {
    Wide(Box<Packed<__m512i>>),
    Half(Box<Packed<__m256i>>),
    Quarter(Box<Packed<__m128i>>),
}

/// The packed weights of as many channels as a `V` has bytes.
#[derive(Debug)]
struct Packed<V> {
    /// The first channel.
    first: usize,
    /// For each column of the kernel (`W` of the functions below) and each group of four of its lines (`G`), the
    /// weights in the order of [`Column`].
    weights: Vec<[V; 4]>,
    bias: [V; 4],
    multipliers: [V; 4],
}

impl Depthwise {
    /// Packs depthwise weights. None where there is no function for the window, or [`fits`] is false.
    ///
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does.
    pub(super) fn new(vnni: Avx512Vnni, weights: &DepthwiseWeights<'_>, window: &Window) -> Option<Depthwise> {
        weights.check(window);
        let known = matches!((window.kernel, window.stride[1], window.dilation[1]), ([3, 3] | [5, 5], 1 | 2, 1));
        if !known || !fits(weights.weights, weights.bias, weights.multipliers) {
            return None;
        }
        let (mut blocks, mut first) = (vec![], 0);
        while first < weights.channels {
            let (block, width) = match weights.channels - first {
                0..=16 => (Block::Quarter(Box::new(Packed::new(weights, window.kernel, first))), 16),
                17..=32 => (Block::Half(Box::new(Packed::new(weights, window.kernel, first))), 32),
                _ => (Block::Wide(Box::new(Packed::new(weights, window.kernel, first))), 64),
            };
            blocks.push(block);
            first += width;
        }
        Some(Depthwise {
            _vnni: vnni,
            window: window.clone(),
            channels: weights.channels,
            requantize: Requantize::of(weights.output_stage),
            blocks,
        })
    }
}

impl<V: Vector> Packed<V> {
    /// Packs the weights of the channels from `first` on, for a kernel of `height` × `width`. Lanes beyond the last
    /// channel are zero.
    fn new(weights: &DepthwiseWeights<'_>, [height, width]: [usize; 2], first: usize) -> Packed<V> {
        let channel = |quarter: usize, lane: usize| {
            Some(first + lane / 4 * 16 + quarter * 4 + lane % 4).filter(|&channel| channel < weights.channels)
        };
        let weight = |quarter, lane, line: usize, column: usize| match channel(quarter, lane) {
            Some(channel) if line < height => weights.weights[channel * weights.taps + line * width + column] as i8,
            _ => 0,
        };
        let packed = (0..width).flat_map(|column| {
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
            weights: packed.collect(),
            bias: from_fn(|quarter| words(quarter, &|channel| weights.bias[channel].to_le_bytes())),
            multipliers: from_fn(|quarter| words(quarter, &|channel| weights.multipliers[channel].to_le_bytes())),
        }
    }
}

/// The vector of the first `WIDTH` of these bytes.
fn vector<V: Vector>(bytes: [u8; 64]) -> V {
    const { assert!(V::WIDTH <= 64 && size_of::<V>() == V::WIDTH) };
    // SAFETY: a vector has `WIDTH` bytes, at most the 64 of the array, as the assertion verifies, and may have any
    // bits, as `Vector` guarantees. The source of `transmute_copy` needs no alignment.
    unsafe { transmute_copy(&bytes) }
}

/// The lines of an input under a kernel. For each, it has the address of the first pixel and the distance of
/// neighbouring pixels in bytes. A line above or below the input is the padding, with a distance of 0.
///
/// For an input that [`DepthwiseInput::check`] accepts, each pixel (at `line + x * step`, with `x` below `width`) and
/// the padding have the bytes of all channels, followed by [`TAIL_PADDING`](crate::kernels::TAIL_PADDING) more.
struct Sources {
    lines: [(*const u8, usize); 5],
    padding: *const u8,
    width: usize,
}

impl Sources {
    /// The lines for row `y` of the output.
    fn new(input: &DepthwiseInput<'_>, window: &Window, channels: usize, y: usize) -> Sources {
        let (taps, top) = window.taps(0, y, input.height);
        let line = |tap: usize| {
            if taps.contains(&tap) {
                let y = window.position(0, top, tap);
                (input.bytes[y * input.width * channels..].as_ptr(), channels)
            } else {
                (input.padding.as_ptr(), 0)
            }
        };
        Sources { lines: from_fn(line), padding: input.padding.as_ptr(), width: input.width }
    }

    /// Interleaves `H` lines of the column at `x`, from channel `first` on.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. `H` must be at most 5. From channel `first` on of the
    /// column's pixels, or of the padding where `x` is outside the input, a vector is read and must be readable.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn column<V: Vector, const H: usize, const G: usize>(&self, x: isize, first: usize) -> Column<V, G> {
        let inside = (0..self.width as isize).contains(&x);
        // SAFETY: this function has the instructions that a `Vector` needs. `pixel` is the column's pixel where `x` is
        // inside, and the padding otherwise; from `first` on a vector is readable in either.
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
                    let pixel = if inside { start.add(x as usize * step) } else { self.padding };
                    *line = V::load(pixel.add(first));
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
    /// Computes one line of outputs, for kernels of `H` × `W`, whose lines are in `G` groups of four, with a horizontal
    /// stride of `S`. `left` is the number of columns of padding to the left.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. There must be weights for `H` × `W` taps. Of all pixels of
    /// the sources, and of the padding, a vector is read from this block's first channel on and must be readable. Of
    /// `count` pixels from `to` on, each of `channels` bytes, this block's are written and must be writable.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn line<const H: usize, const G: usize, const W: usize, const S: usize>(
        &self,
        sources: &Sources,
        left: usize,
        (to, count, channels): (*mut u8, usize, usize),
        requantize: Requantize,
    ) {
        let mut columns = [const { MaybeUninit::<Column<V, G>>::uninit() }; COLUMNS];
        let mask = first(channels - self.first);
        let max_outputs = if S == 1 { 28 } else { 14 };
        for start in (0..count).step_by(max_outputs) {
            let outputs = (count - start).min(max_outputs);
            let x = (start * S) as isize - left as isize;
            // SAFETY: a vector of each column is readable, whether it is inside the input or not. The windows of
            // `outputs` outputs, `S` apart and `W` wide, cover `(outputs - 1) * S + W` columns, which are written
            // first, and which `COLUMNS` has room for. The `P` outputs from `at` on are among these outputs, and read
            // the columns from `at * S` on. `to` points to output `start + at`, one of `count`. The mask has a bit for
            // each channel from this block's first on, and a vector stores no more bytes than it has.
            unsafe {
                for (at, column) in columns[..(outputs - 1) * S + W].iter_mut().enumerate() {
                    column.write(sources.column::<V, H, G>(x + at as isize, self.first));
                }
                let (mut at, mut to) = (0, to.add(start * channels + self.first));
                let columns = columns.as_ptr().cast::<Column<V, G>>();
                while outputs - at >= 7 {
                    self.pixels::<7, G, W, S>(columns.add(at * S), (to, channels, mask), requantize);
                    (at, to) = (at + 7, to.wrapping_add(7 * channels));
                }
                if outputs - at >= 4 {
                    self.pixels::<4, G, W, S>(columns.add(at * S), (to, channels, mask), requantize);
                    (at, to) = (at + 4, to.wrapping_add(4 * channels));
                }
                while at < outputs {
                    self.pixels::<1, G, W, S>(columns.add(at * S), (to, channels, mask), requantize);
                    (at, to) = (at + 1, to.wrapping_add(channels));
                }
            }
        }
    }

    /// Computes `P` neighbouring outputs. `columns` are those of the first output's window and all that follow.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. This block must have weights for `W` columns of `G` groups.
    /// The `(P - 1) * S + W` columns from `columns` on are read and must be initialized. In each of `P` pixels that
    /// start `channels` bytes apart from `to` on, the bytes of a vector whose bits in `mask` are set are written and
    /// must be writable.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn pixels<const P: usize, const G: usize, const W: usize, const S: usize>(
        &self,
        columns: *const Column<V, G>,
        (to, channels, mask): (*mut u8, usize, u64),
        requantize: Requantize,
    ) {
        // SAFETY: this function has the instructions that a `Vector` needs. `weights` are `W` times `G` arrays of four
        // vectors, and so `W` columns. The last column of the input that is read is that of pixel `P - 1` and kernel
        // column `W - 1`. In each pixel below `P`, the bytes in the mask are stored.
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
                let packed = V::pack([at(0), at(1), at(2), at(3)], requantize);
                packed.store(to.add(pixel * channels), mask);
            }
        }
    }

    /// Computes one line of outputs, with the instance of [`Packed::line`] for the window, which is one of those that
    /// [`Depthwise::new`] packs for. `to` has the address of the line, its pixels and its channels.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW, VL and VNNI. The block must have been packed for this window. Of all
    /// pixels of the sources, and of the padding, a vector is read from this block's first channel on and must be
    /// readable. Of `to.1` pixels from `to.0` on, each of `to.2` channels, this block's are written and must be
    /// writable.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn line_for(&self, sources: &Sources, window: &Window, to: (*mut u8, usize, usize), requantize: Requantize) {
        let left = window.pad[1];
        // SAFETY: `H` and `W` are the kernel's height and width, with which the weights were packed, in `G` groups of
        // four lines. The memory that `line` reads and writes is that of this function.
        unsafe {
            match (window.kernel, window.stride[1]) {
                ([3, 3], 1) => self.line::<3, 1, 3, 1>(sources, left, to, requantize),
                ([3, 3], 2) => self.line::<3, 1, 3, 2>(sources, left, to, requantize),
                ([5, 5], 1) => self.line::<5, 2, 5, 1>(sources, left, to, requantize),
                ([5, 5], 2) => self.line::<5, 2, 5, 2>(sources, left, to, requantize),
                _ => unreachable!("only these are packed"),
            }
        }
    }
}

impl crate::kernels::Depthwise for Depthwise {
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        input.check(self.channels, &self.window, y, to.len());
        let sources = Sources::new(input, &self.window, self.channels, y);
        let to = (to.as_mut_ptr(), to.len() / self.channels, self.channels);
        for block in &self.blocks {
            // SAFETY: the processor has AVX-512 F, BW, VL and VNNI, as `_vnni` exists. Each block was packed for this
            // window, and begins below `channels`, so that its vector of at most 64 bytes ends within the
            // `TAIL_PADDING` bytes that `DepthwiseInput::check` verified after input and padding. `to` has this number
            // of whole pixels, as it verified too.
            unsafe {
                match block {
                    Block::Wide(packed) => packed.line_for(&sources, &self.window, to, self.requantize),
                    Block::Half(packed) => packed.line_for(&sources, &self.window, to, self.requantize),
                    Block::Quarter(packed) => packed.line_for(&sources, &self.window, to, self.requantize),
                }
            }
        }
    }
}
