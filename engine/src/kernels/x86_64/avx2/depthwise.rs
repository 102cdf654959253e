//! Depthwise convolutions of up to [`MAX_TAPS`] taps: sixteen channels of one output pixel at a time. An indirection
//! buffer on the stack has the address of the input pixel under each tap.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;

use super::vectors::{floats, integers, rounded, store};
use crate::arithmetic::Window;
use crate::kernels::x86_64::features::Avx2;
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// The maximum number of taps, whose addresses are on the stack: the 49 of a 7×7 kernel, rounded up to an even number.
pub(super) const MAX_TAPS: usize = 50;

/// Packed depthwise weights, for sixteen channels at a time and two taps for each instruction.
#[derive(Debug)]
pub(super) struct Depthwise {
    /// Proof of AVX2, which the calls of functions that need it rely on.
    _avx2: Avx2,
    window: Window,
    channels: usize,
    taps: usize,
    requantize: Requantize,
    blocks: Vec<Block>,
}

/// The packed weights of sixteen channels, in the order of the unpack instructions: channels 0 to 3 and 8 to 11, then 4
/// to 7 and 12 to 15.
#[derive(Debug)]
struct Block {
    /// For each two taps, the weights of both, side by side for each channel.
    weights: Vec<[__m256i; 2]>,
    bias: [__m256i; 2],
    multipliers: [__m256; 2],
}

impl Depthwise {
    /// Packs depthwise weights.
    ///
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does, and where there are more than [`MAX_TAPS`] taps.
    pub(super) fn new(avx2: Avx2, weights: &DepthwiseWeights<'_>, window: &Window) -> Depthwise {
        weights.check(window);
        assert!(weights.taps <= MAX_TAPS, "taps whose addresses are on the stack");
        let (channels, taps) = (weights.channels, weights.taps);
        let block = |first: usize| {
            let channel = |v: usize, lane: usize| {
                Some(first + v * 4 + lane % 4 + lane / 4 * 8).filter(|&channel| channel < channels)
            };
            let weight = |channel: Option<usize>, tap: usize| match channel {
                Some(channel) if tap < taps => weights.weights[channel * taps + tap],
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
                bias: from_fn(|v| integers(from_fn(|lane| channel(v, lane).map_or(0, |c| weights.bias[c])))),
                multipliers: from_fn(|v| {
                    floats(from_fn(|lane| channel(v, lane).map_or(0.0, |c| weights.multipliers[c])))
                }),
            }
        };
        Depthwise {
            _avx2: avx2,
            window: window.clone(),
            channels,
            taps,
            requantize: Requantize::of(weights.output_stage),
            blocks: (0..channels).step_by(16).map(block).collect(),
        }
    }

    /// Computes one output pixel from the input pixels under its taps, which must be even in number.
    ///
    /// # Safety
    /// The processor must have AVX2. From each of `taps` on, `channels` bytes and 15 more are read and must be
    /// readable.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn pixel(&self, taps: &[*const u8], to: &mut [u8]) {
        for (number, block) in self.blocks.iter().enumerate() {
            let first = number * 16;
            let mut sums = block.bias;
            for (pair, weights) in taps.chunks_exact(2).zip(&block.weights) {
                // SAFETY: a block begins at a multiple of 16 below `channels`, and so the 16 bytes that each load
                // reads, of any alignment, end within `channels` bytes and 15 more from the tap on.
                let [a, b] = [pair[0], pair[1]]
                    .map(|tap| unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(tap.add(first).cast())) });
                sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), weights[0]));
                sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), weights[1]));
            }
            let [low, high] = from_fn(|v| rounded(_mm256_mul_ps(_mm256_cvtepi32_ps(sums[v]), block.multipliers[v])));
            // The pack instructions restore the order of channels that the unpack instructions changed.
            let words = _mm256_adds_epi16(
                _mm256_packs_epi32(low, high),
                _mm256_set1_epi16(i16::from(self.requantize.zero_point)),
            );
            let packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            let packed = _mm_max_epu8(packed, _mm_set1_epi8(self.requantize.min as i8));
            let packed = _mm_min_epu8(packed, _mm_set1_epi8(self.requantize.max as i8));
            let to = &mut to[first..self.channels.min(first + 16)];
            // SAFETY: `to.len()` bytes are written, the length of the slice, which is at most 16.
            unsafe { store(packed, to.as_mut_ptr(), to.len()) };
        }
    }

    /// Computes row `y` of the output.
    ///
    /// # Safety
    /// The processor must have AVX2. [`DepthwiseInput::check`] must hold for these channels, the window, `y` and
    /// `to.len()`: the bytes of the input, those of the padding, and 15 after either are read.
    #[target_feature(enable = "avx2")]
    unsafe fn line(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        let (channels, window) = (self.channels, &self.window);
        let mut taps = [input.padding.as_ptr(); MAX_TAPS];
        // The distance in bytes that each tap moves from one output to the next.
        let mut steps = [0; MAX_TAPS];
        // Whether all taps of the current output lie inside the input horizontally.
        let mut whole = false;
        for (x, to) in to.chunks_exact_mut(channels).enumerate() {
            let was_whole = whole;
            whole = window.is_inside(1, x, input.width);
            if was_whole && whole {
                for (tap, step) in taps[..self.taps].iter_mut().zip(&steps) {
                    *tap = tap.wrapping_add(*step);
                }
            } else {
                locate_taps(input, window, channels, [y, x], &mut taps, &mut steps);
            }
            // SAFETY: each tap points to a pixel, of the input or of the padding. `locate_taps` takes it from a slice.
            // Where it moves on by a step, all taps of this output lie inside the input horizontally, as those of the
            // previous output did, in the same rows. After a pixel there are `TAIL_PADDING` bytes, more than 15. Where
            // the number of taps is odd, the additional one still points to the padding, and has a weight of zero; it
            // is within `taps`, as `MAX_TAPS` is even.
            unsafe { self.pixel(&taps[..self.taps.next_multiple_of(2)], to) };
        }
    }
}

/// Finds, for each tap of output pixel (`y`, `x`), the input pixel under it, or the pixel of the padding, and its
/// distance in bytes to the input pixel under the same tap of the next output pixel.
fn locate_taps(
    input: &DepthwiseInput<'_>,
    window: &Window,
    channels: usize,
    [y, x]: [usize; 2],
    taps: &mut [*const u8; MAX_TAPS],
    steps: &mut [usize; MAX_TAPS],
) {
    let ((down, top), (across, left)) = (window.taps(0, y, input.height), window.taps(1, x, input.width));
    let [kernel_height, kernel_width] = window.kernel;
    for tap_y in 0..kernel_height {
        for tap_x in 0..kernel_width {
            let tap = tap_y * kernel_width + tap_x;
            (taps[tap], steps[tap]) = if down.contains(&tap_y) && across.contains(&tap_x) {
                let y = window.position(0, top, tap_y);
                let x = window.position(1, left, tap_x);
                (input.bytes[(y * input.width + x) * channels..].as_ptr(), window.stride[1] * channels)
            } else {
                (input.padding.as_ptr(), 0)
            };
        }
    }
}

impl crate::kernels::Depthwise for Depthwise {
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        input.check(self.channels, &self.window, y, to.len());
        // SAFETY: the processor has AVX2, as `_avx2` exists. `DepthwiseInput::check` holds, as it was called above.
        unsafe { self.line(input, y, to) };
    }
}
