//! Depthwise convolutions of up to [`MAX_TAPS`] taps: sixteen channels of one output pixel at a time.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;

use super::vectors::{floats, integers, rounded};
use crate::arithmetic::Window;
use crate::kernels::taps::{MAX_TAPS, Taps};
use crate::kernels::x86_64::features::Avx2;
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::x86_64::sse41::vectors::store;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// Packed depthwise weights, for sixteen channels at a time and two taps for each instruction.
#[derive(Debug)]
pub(super) struct Depthwise {
    /// Proof of AVX2, which the calls of functions that need it rely on.
    _avx2: Avx2,
    window: Window,
    channels: usize,
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
            requantize: Requantize::of(weights.output_stage),
            blocks: (0..channels).step_by(16).map(block).collect(),
        }
    }

    /// Computes one output pixel from the input pixels under its taps, as [`Taps::at`] gives them. An additional one has
    /// weights of zero.
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
        let mut taps = Taps::new(input, &self.window, self.channels, y);
        for (x, to) in to.chunks_exact_mut(self.channels).enumerate() {
            // SAFETY: each tap is the address of a pixel, of the input or of the padding. After a pixel there are
            // `TAIL_PADDING` bytes, more than 15.
            unsafe { self.pixel(taps.at(x), to) };
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
