//! Depthwise convolutions of up to [`MAX_TAPS`](crate::kernels::taps::MAX_TAPS) taps, in blocks of 32 channels of one
//! output pixel. Bytes and weights are multiplied as 16-bit numbers, and products added in 32 bits.

use std::array::from_fn;

use super::assembly::{Requantize, neon};
use super::features::Neon;
use crate::arithmetic::Window;
use crate::kernels::taps::{MAX_TAPS, Taps};
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// Channels of a block. Their sums take eight of the sixteen vector registers.
const CHANNELS: usize = 32;

/// Packed [`DepthwiseWeights`].
#[derive(Debug)]
pub(super) struct Depthwise {
    /// Proof of NEON, which the assembly relies on.
    neon: Neon,
    window: Window,
    channels: usize,
    requantize: Requantize,
    blocks: Vec<Block>,
}

/// The packed weights of 32 channels, or of all where there are fewer.
#[derive(Debug)]
struct Block {
    /// The first channel.
    first: usize,
    parameters: Parameters,
    /// Those of each tap. An additional one, where the number of taps is odd, has weights of zero.
    weights: Vec<TapWeights>,
}

/// What the sums of a block's channels start from, and what they are multiplied with in the end.
#[derive(Debug)]
#[repr(C, align(16))]
struct Parameters {
    bias: [i32; CHANNELS],
    multipliers: [f32; CHANNELS],
}

/// The weights of one tap.
#[derive(Debug)]
#[repr(C, align(16))]
struct TapWeights([i16; CHANNELS]);

impl Block {
    /// Packs the weights of the channels from `first` on. Lanes beyond the last channel are padding, with weights of
    /// zero.
    fn new(weights: &DepthwiseWeights<'_>, first: usize) -> Block {
        let channel = |lane: usize| Some(first + lane).filter(|&channel| channel < weights.channels);
        let weight = |lane: usize, tap: usize| match channel(lane) {
            Some(channel) if tap < weights.taps => weights.weights[channel * weights.taps + tap],
            _ => 0,
        };
        let taps = weights.taps.next_multiple_of(2);
        Block {
            first,
            parameters: Parameters {
                bias: from_fn(|lane| channel(lane).map_or(0, |channel| weights.bias[channel])),
                multipliers: from_fn(|lane| channel(lane).map_or(0.0, |channel| weights.multipliers[channel])),
            },
            weights: (0..taps).map(|tap| TapWeights(from_fn(|lane| weight(lane, tap)))).collect(),
        }
    }

    /// Computes the block's channels of one output pixel from the input pixels under its taps: 32 bytes.
    ///
    /// # Safety
    /// `neon` is proof of NEON. There must be as many taps as `weights`. From the block's first channel of each of
    /// `taps` on, 32 bytes are read and must be readable. 32 bytes from `to` on are written and must be writable.
    unsafe fn pixel(&self, _neon: Neon, taps: &[*const u8], requantize: &Requantize, to: *mut u8) {
        // SAFETY: the processor has NEON, as `_neon` exists. There is a step for each tap, at least one, which reads its
        // address, 32 bytes at `first` from there on, and 64 bytes of weights with the alignment of a `TapWeights`.
        // `sums` has twice 128 bytes, and `requantize` 64, in the order of the registers. 32 bytes are written.
        unsafe {
            neon!(
                // Requantizes the sums of sixteen channels, in four vectors, and writes them. `a0` and `a1` are the
                // halves of the first, `c0` and `c1` those of the third. Multipliers are in `q0` to `q3`.
                ".macro write a, b, c, d, a0, a1, c0, c1",
                r"vcvt.f32.s32 \a, \a",
                r"vcvt.f32.s32 \b, \b",
                r"vcvt.f32.s32 \c, \c",
                r"vcvt.f32.s32 \d, \d",
                r"vmul.f32 \a, \a, q0",
                r"vmul.f32 \b, \b, q1",
                r"vmul.f32 \c, \c, q2",
                r"vmul.f32 \d, \d, q3",
                r"round \a",
                r"round \b",
                r"round \c",
                r"round \d",
                r"vmovn.i32 \a0, \a",
                r"vmovn.i32 \a1, \b",
                r"vmovn.i32 \c0, \c",
                r"vmovn.i32 \c1, \d",
                r"vmovn.i16 \a0, \a",
                r"vmovn.i16 \a1, \c",
                r"vadd.i8 \a, \a, q7",
                r"vst1.8 {{\a0, \a1}}, [{to}]!",
                ".endm",
                "vldmia {sums}!, {{d16-d31}}",
                "2:",
                "ldr {tap}, [{taps}], #4",
                "vldmia {weights}!, {{d8-d15}}",
                "add {tap}, {tap}, {first}",
                "vld1.8 {{d0-d3}}, [{tap}]",
                "cmp {taps}, {end}",
                "vmovl.u8 q3, d0",
                "vmovl.u8 q2, d1",
                "vmlal.s16 q8, d6, d8",
                "vmlal.s16 q9, d7, d9",
                "vmlal.s16 q10, d4, d10",
                "vmlal.s16 q11, d5, d11",
                "vmovl.u8 q3, d2",
                "vmovl.u8 q2, d3",
                "vmlal.s16 q12, d6, d12",
                "vmlal.s16 q13, d7, d13",
                "vmlal.s16 q14, d4, d14",
                "vmlal.s16 q15, d5, d15",
                "bne 2b",
                "vldmia {requantize}, {{d8-d15}}",
                "vldmia {sums}!, {{d0-d7}}",
                "write q8, q9, q10, q11, d16, d17, d20, d21",
                "vldmia {sums}, {{d0-d7}}",
                "write q12, q13, q14, q15, d24, d25, d28, d29",
                ".purgem write";
                sums = inout(reg) &raw const self.parameters => _,
                weights = inout(reg) self.weights.as_ptr() => _,
                taps = inout(reg) taps.as_ptr() => _,
                end = in(reg) taps.as_ptr_range().end,
                first = in(reg) self.first,
                tap = out(reg) _,
                requantize = in(reg) requantize,
                to = inout(reg) to => _,
            );
        }
    }
}

impl Depthwise {
    /// Packs depthwise weights.
    ///
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does, and where there are more than [`MAX_TAPS`] taps.
    pub(super) fn new(neon: Neon, weights: &DepthwiseWeights<'_>, window: &Window) -> Depthwise {
        weights.check(window);
        assert!(weights.taps <= MAX_TAPS, "taps whose addresses are on the stack");
        // The last block has 32 channels too, if there are so many: it overlaps its predecessor.
        let last = weights.channels.saturating_sub(CHANNELS);
        Depthwise {
            neon,
            window: window.clone(),
            channels: weights.channels,
            requantize: Requantize::of(weights.output_stage),
            blocks: (0..weights.channels).step_by(CHANNELS).map(|first| Block::new(weights, first.min(last))).collect(),
        }
    }
}

impl crate::kernels::Depthwise for Depthwise {
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        input.check(self.channels, &self.window, y, to.len());
        let mut taps = Taps::new(input, &self.window, self.channels, y);
        for (x, to) in to.chunks_exact_mut(self.channels).enumerate() {
            let taps = taps.at(x);
            for block in &self.blocks {
                // SAFETY: each tap is the address of a pixel, of the input or of the padding. Behind the channels of
                // either there are `TAIL_PADDING` bytes, as `DepthwiseInput::check` verified, and a block begins at
                // least 32 channels before their end, or with the first. A block has weights for as many taps. `to` has
                // the bytes of all channels.
                unsafe {
                    if self.channels >= CHANNELS {
                        block.pixel(self.neon, taps, &self.requantize, to[block.first..].as_mut_ptr());
                    } else {
                        let mut bytes = [0; CHANNELS];
                        block.pixel(self.neon, taps, &self.requantize, bytes.as_mut_ptr());
                        to.copy_from_slice(&bytes[..self.channels]);
                    }
                }
            }
        }
    }
}
