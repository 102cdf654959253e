//! Depthwise convolutions of up to [`MAX_TAPS`] taps: sixteen channels of one output pixel at a time.

#[allow(clippy::wildcard_imports, reason = "fifty instructions")]
use std::arch::x86_64::*;
use std::array::from_fn;

use super::vectors::{Packing, floats, integers, rounded, store, words};
use crate::arithmetic::Window;
use crate::kernels::taps::{MAX_TAPS, Taps};
use crate::kernels::x86_64::features::Sse41;
use crate::kernels::x86_64::requantize::Requantize;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// Packed depthwise weights, for sixteen channels at a time and two taps for each instruction.
#[derive(Debug)]
pub(super) struct Depthwise {
    /// Proof of SSE4.1, which the calls of functions that need it rely on.
    _sse41: Sse41,
    window: Window,
    channels: usize,
    requantize: Requantize,
    blocks: Vec<Block>,
}

/// The packed weights of sixteen channels, in order, four to a vector.
#[derive(Debug)]
struct Block {
    /// For each two taps, the weights of both, side by side for each channel.
    weights: Vec<[__m128i; 4]>,
    bias: [__m128i; 4],
    multipliers: [__m128; 4],
}

impl Block {
    /// Packs the weights of the channels from `first` on. Lanes beyond the last channel are zero.
    fn new(weights: &DepthwiseWeights<'_>, first: usize) -> Block {
        let channel = |v: usize, lane: usize| Some(first + v * 4 + lane).filter(|&at| at < weights.channels);
        let weight = |channel: Option<usize>, tap: usize| match channel {
            Some(channel) if tap < weights.taps => weights.weights[channel * weights.taps + tap],
            _ => 0,
        };
        let pair = |tap: usize| from_fn(|v| words(from_fn(|at| weight(channel(v, at / 2), tap + at % 2))));
        Block {
            weights: (0..weights.taps).step_by(2).map(pair).collect(),
            bias: from_fn(|v| integers(from_fn(|lane| channel(v, lane).map_or(0, |at| weights.bias[at])))),
            multipliers: from_fn(|v| {
                floats(from_fn(|lane| channel(v, lane).map_or(0.0, |at| weights.multipliers[at])))
            }),
        }
    }
}

impl Depthwise {
    /// Packs depthwise weights.
    ///
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does, and where there are more than [`MAX_TAPS`] taps.
    pub(super) fn new(sse41: Sse41, weights: &DepthwiseWeights<'_>, window: &Window) -> Depthwise {
        weights.check(window);
        assert!(weights.taps <= MAX_TAPS, "taps whose addresses are on the stack");
        Depthwise {
            _sse41: sse41,
            window: window.clone(),
            channels: weights.channels,
            requantize: Requantize::of(weights.output_stage),
            blocks: (0..weights.channels).step_by(16).map(|first| Block::new(weights, first)).collect(),
        }
    }

    /// Computes one output pixel from the input pixels under its taps, as [`Taps::at`] gives them. An additional one has
    /// weights of zero.
    ///
    /// # Safety
    /// The processor must have SSE4.1. From each of `taps` on, `channels` bytes and 15 more are read and must be
    /// readable.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    unsafe fn pixel(&self, taps: &[*const u8], packing: Packing, to: &mut [u8]) {
        let zero = _mm_setzero_si128();
        for (number, block) in self.blocks.iter().enumerate() {
            let first = number * 16;
            let [mut a, mut b, mut c, mut d] = block.bias;
            for (pair, weights) in taps.as_chunks::<2>().0.iter().zip(&block.weights) {
                // SAFETY: a block begins at a multiple of 16 below `channels`, and so the 16 bytes that each load
                // reads, of any alignment, end within `channels` bytes and 15 more from the tap on.
                let [left, right] = pair.map(|tap| unsafe { _mm_loadu_si128(tap.add(first).cast()) });
                let (low, high) = (_mm_unpacklo_epi8(left, right), _mm_unpackhi_epi8(left, right));
                a = _mm_add_epi32(a, _mm_madd_epi16(_mm_unpacklo_epi8(low, zero), weights[0]));
                b = _mm_add_epi32(b, _mm_madd_epi16(_mm_unpackhi_epi8(low, zero), weights[1]));
                c = _mm_add_epi32(c, _mm_madd_epi16(_mm_unpacklo_epi8(high, zero), weights[2]));
                d = _mm_add_epi32(d, _mm_madd_epi16(_mm_unpackhi_epi8(high, zero), weights[3]));
            }
            let sums = [a, b, c, d];
            let result = |v: usize| rounded(_mm_mul_ps(_mm_cvtepi32_ps(sums[v]), block.multipliers[v]));
            let packed = packing.pack([result(0), result(1), result(2), result(3)]);
            let to = &mut to[first..self.channels.min(first + 16)];
            // SAFETY: `to.len()` bytes are written, the length of the slice, which is at most 16.
            unsafe { store(packed, to.as_mut_ptr(), to.len()) };
        }
    }

    /// Computes row `y` of the output.
    ///
    /// # Safety
    /// The processor must have SSE4.1. [`DepthwiseInput::check`] must hold for these channels, the window, `y` and
    /// `to.len()`: the bytes of the input, those of the padding, and 15 after either are read.
    #[target_feature(enable = "sse4.1")]
    unsafe fn line(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        let packing = Packing::of(self.requantize);
        let mut taps = Taps::new(input, &self.window, self.channels, y);
        for (x, to) in to.chunks_exact_mut(self.channels).enumerate() {
            // SAFETY: each tap is the address of a pixel, of the input or of the padding. After a pixel there are
            // `TAIL_PADDING` bytes, more than 15.
            unsafe { self.pixel(taps.at(x), packing, to) };
        }
    }
}

impl crate::kernels::Depthwise for Depthwise {
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        input.check(self.channels, &self.window, y, to.len());
        // SAFETY: the processor has SSE4.1, as `_sse41` exists. `DepthwiseInput::check` holds, as it was called above.
        unsafe { self.line(input, y, to) };
    }
}
