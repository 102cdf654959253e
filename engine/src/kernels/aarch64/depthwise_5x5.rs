//! Depthwise convolution with 5×5 kernels and a horizontal stride of 1, by dot products: four outputs of four channels
//! at a time.
//!
//! Each lane of a dot product takes one channel of four pixels. For the upper four rows of a window these are a column.
//! For the fifth row they are four adjacent pixels, in groups that four adjacent outputs share. An output's five pixels
//! of that row lie in two groups, and there are packed weights for each of the four positions in a group where an
//! output may begin. Pixels are transposed once for all outputs of a line.

use std::arch::aarch64::{float32x4_t, int32x4_t, uint8x16_t, vld1q_u8};
use std::array::from_fn;
use std::mem::transmute;

use super::depthwise::{CHANNEL_TILE, bias, first_channels, multipliers};
use super::dots::{Dot, transposed};
use super::line::Line;
use super::requantize::Requantize;
use super::vectors::bytes;
use crate::arithmetic::Window;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};
use crate::program::weights::fit_i8;

/// Height and width of the kernel.
const SIDE: usize = 5;

/// The maximum number of groups of four outputs whose pixels are transposed at a time.
const GROUPS: usize = 8;

/// Packed [`DepthwiseWeights`].
#[derive(Debug)]
pub(super) struct Depthwise5x5<D> {
    window: Window,
    channels: usize,
    requantize: Requantize,
    /// Tiles of sixteen channels, with their first channel. The last one overlaps its predecessor where the number of
    /// channels is not a multiple of sixteen.
    tiles: Vec<(usize, [FourChannelTile; 4])>,
    dot: D,
}

/// The packed weights of four channels.
#[derive(Debug)]
struct FourChannelTile {
    bias: int32x4_t,
    multipliers: float32x4_t,
    /// The weights of the upper four rows, for each column.
    columns: [uint8x16_t; SIDE],
    /// The weights of the fifth row: over a group of four pixels and over the next group, each for the four outputs
    /// that begin at the pixels of the first group.
    row: [[uint8x16_t; 4]; 2],
}

impl FourChannelTile {
    /// Packs the weights of the four channels from `first` on.
    fn new(weights: &DepthwiseWeights<'_>, first: usize, bias: int32x4_t, multipliers: float32x4_t) -> FourChannelTile {
        // The weights of the taps that `tap` gives for the four bytes of a lane, or zero for none.
        let vector = |tap: &dyn Fn(usize) -> Option<usize>| {
            let byte =
                |at: usize| tap(at % 4).map_or(0, |tap| weights.weights[(first + at / 4) * weights.taps + tap] as u8);
            bytes(from_fn(byte))
        };
        // The tap of the fifth row that lies over a pixel, for an output that begins at pixel `output`.
        let row = |pixel: usize, output: usize| {
            pixel.checked_sub(output).filter(|&column| column < SIDE).map(|column| 4 * SIDE + column)
        };
        FourChannelTile {
            bias,
            multipliers,
            columns: from_fn(|column| vector(&|row| Some(row * SIDE + column))),
            row: from_fn(|half| from_fn(|output| vector(&|pixel| row(half * 4 + pixel, output)))),
        }
    }
}

/// The transposed pixels of four channels, under the windows of up to [`GROUPS`] groups of four outputs.
#[derive(Clone, Copy)]
struct TransposedPixels {
    /// For each group of four pixels and each of its columns, the upper four rows: a lane has one channel of them.
    columns: [[uint8x16_t; 4]; GROUPS + 1],
    /// For each group of four pixels, the fifth row: a lane has one channel of the four.
    row: [uint8x16_t; GROUPS + 1],
}

impl<D: Dot> Depthwise5x5<D> {
    /// None unless the kernel is 5×5 with a horizontal stride of 1 and no dilation, all weights are signed bytes, and
    /// there are at least sixteen channels.
    ///
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does.
    pub(super) fn new(dot: D, weights: &DepthwiseWeights<'_>, window: &Window) -> Option<Depthwise5x5<D>> {
        weights.check(window);
        let is_5x5 = (window.kernel, window.stride[1], window.dilation) == ([SIDE; 2], 1, [1, 1]);
        if !is_5x5 || weights.channels < CHANNEL_TILE || !fit_i8(weights.weights) {
            return None;
        }
        let tile = |first: usize| {
            let (bias, multipliers) = (bias(weights, first, D::INPUT_OFFSET), multipliers(weights, first));
            (first, from_fn(|v| FourChannelTile::new(weights, first + v * 4, bias[v], multipliers[v])))
        };
        Some(Depthwise5x5 {
            window: window.clone(),
            channels: weights.channels,
            requantize: Requantize::for_sums(weights.output_stage, weights.weights, weights.bias, weights.multipliers),
            tiles: first_channels(weights.channels).map(tile).collect(),
            dot,
        })
    }
}

/// Transposes the pixels of sixteen channels under the windows of `groups` times four outputs. `pixels` gives sixteen
/// channels of the five pixels of a column, by the column's number from the first output's first column on. It is
/// called for `groups * 4 + 4` columns.
#[inline(always)]
fn transpose<D: Dot>(
    dot: D,
    pixels: impl Fn(usize) -> [uint8x16_t; SIDE],
    groups: usize,
    to: &mut [TransposedPixels; 4],
) {
    for group in 0..=groups {
        let fifth = from_fn(|at| {
            let [a, b, c, d, fifth] = pixels(group * 4 + at);
            for (to, column) in to.iter_mut().zip(transposed(dot, [a, b, c, d])) {
                to.columns[group][at] = column;
            }
            fifth
        });
        for (to, row) in to.iter_mut().zip(transposed(dot, fifth)) {
            to.row[group] = row;
        }
    }
}

impl<D: Dot> Depthwise5x5<D> {
    /// Writes `count` outputs of four channels, at most four times [`GROUPS`]. `PLAIN` requires that the requantization
    /// [is plain](Requantize::is_plain).
    ///
    /// # Safety
    /// `self.dot` is proof of NEON, and of dot or matrix products where it uses them. Of each of `count` outputs, which
    /// start `self.channels` bytes apart from `to` on, four bytes are written and must be writable.
    #[inline(never)]
    unsafe fn write<const PLAIN: bool>(
        &self,
        tile: &FourChannelTile,
        pixels: &TransposedPixels,
        count: usize,
        mut to: *mut u8,
    ) {
        let FourChannelTile { bias, multipliers, columns: weights, row: row_weights } = *tile;
        let dot = self.dot;
        let mut remaining = count;
        for (columns, row) in pixels.columns.windows(2).zip(pixels.row.windows(2)) {
            let columns: [uint8x16_t; 8] = from_fn(|at| columns[at / 4][at % 4]);
            let mut sums = [bias; 4];
            for (column, weights) in weights.into_iter().enumerate() {
                sums = dot.dot(sums, from_fn(|output| columns[output + column]), [weights; 4]);
            }
            sums = dot.dot(sums, [row[0]; 4], row_weights[0]);
            sums = dot.dot(sums, [row[1]; 4], row_weights[1]);
            // SAFETY: the processor has NEON, as `self.dot` exists. Both types have 16 bytes, and any bits are valid
            // bytes.
            let bytes = unsafe {
                transmute::<uint8x16_t, [[u8; 4]; 4]>(self.requantize.apply::<PLAIN>(sums, [multipliers; 4]))
            };
            if remaining < 4 {
                for (output, four) in bytes[..remaining].iter().enumerate() {
                    // SAFETY: `to` is the address of the first remaining output, `output` is below their number, and
                    // four bytes of each are writable. Arrays of bytes require no alignment.
                    unsafe { to.add(output * self.channels).cast::<[u8; 4]>().write(*four) };
                }
                return;
            }
            for four in bytes {
                // SAFETY: at least four outputs remain, `to` is the address of one of them, and four bytes are writable
                // there. Arrays of bytes require no alignment.
                unsafe { to.cast::<[u8; 4]>().write(four) };
                to = to.wrapping_add(self.channels);
            }
            remaining -= 4;
            if remaining == 0 {
                return;
            }
        }
    }
}

impl<D: Dot> crate::kernels::Depthwise for Depthwise5x5<D> {
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        input.check(self.channels, &self.window, y, to.len());
        let line = Line::<SIDE>::new(input, &self.window, y, self.channels);
        let count = to.len() / self.channels;
        let plain = self.requantize.is_plain();
        let zero = bytes([0; 16]);
        let mut transposed = [TransposedPixels { columns: [[zero; 4]; GROUPS + 1], row: [zero; GROUPS + 1] }; 4];
        for (first, tiles) in &self.tiles {
            for start in (0..count).step_by(4 * GROUPS) {
                let outputs = (count - start).min(4 * GROUPS);
                // SAFETY: the processor has NEON, as `self.dot` exists. Each load reads 16 bytes, of any alignment, at
                // an address that `Line::column` gives. They are readable: `first` is one of the input's channels.
                let load = |pixels: [*const u8; SIDE]| pixels.map(|pixel| unsafe { vld1q_u8(pixel) });
                let pixels = |at: usize| line.column(start + at, *first, load);
                transpose(self.dot, pixels, outputs.div_ceil(4), &mut transposed);
                for (v, (tile, pixels)) in tiles.iter().zip(&transposed).enumerate() {
                    let to = to[start * self.channels + first + v * 4..].as_mut_ptr();
                    // SAFETY: `to` has `count` whole pixels, of which these are `outputs` from `start` on. Each has
                    // sixteen channels from `first` on, and so four from `first + v * 4` on.
                    unsafe {
                        if plain {
                            self.write::<true>(tile, pixels, outputs, to);
                        } else {
                            self.write::<false>(tile, pixels, outputs, to);
                        }
                    }
                }
            }
        }
    }
}
