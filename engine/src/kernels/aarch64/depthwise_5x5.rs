//! Windows of 5×5 that move pixel by pixel, with dot products: four outputs of four channels at a time.
//!
//! A lane takes a column of the window's upper four rows, and of the fifth row four pixels side by side: an output's five
//! are in two such groups, for which there are weights for each of the four places where an output may begin. Pixels are
//! turned once for all outputs of a line.

use std::arch::aarch64::{float32x4_t, int32x4_t, uint8x16_t, vld1q_u8};
use std::array::from_fn;
use std::mem::transmute;

use super::depthwise::{BLOCK, bias, multipliers, rows, transposed};
use super::dots::Dot;
use super::matrix::bytes;
use super::requantize::Bytes;
use crate::arithmetic::Window;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};
use crate::program::weights::are_bytes;

const SIDE: usize = 5;

/// Groups of four outputs whose pixels are turned at a time.
const GROUPS: usize = 8;

#[derive(Debug)]
pub(super) struct Fives<D> {
    window: Window,
    channels: usize,
    bytes: Bytes,
    /// With the first channel's number; the last one's first are computed twice where channels are no multiple of sixteen.
    blocks: Vec<(usize, [FourChannelTile; 4])>,
    dot: D,
}

/// Four channels.
#[derive(Debug)]
struct FourChannelTile {
    bias: int32x4_t,
    multipliers: float32x4_t,
    /// The weights of the upper four rows, by column.
    columns: [uint8x16_t; SIDE],
    /// Those of the fifth row over four pixels and over the next four, for an output that begins at each of the first.
    row: [[uint8x16_t; 4]; 2],
}

impl FourChannelTile {
    fn new(filters: &DepthwiseWeights<'_>, first: usize, bias: int32x4_t, multipliers: float32x4_t) -> FourChannelTile {
        let weights = |tap: &dyn Fn(usize) -> Option<usize>| {
            let byte =
                |at: usize| tap(at % 4).map_or(0, |tap| filters.weights[(first + at / 4) * filters.taps + tap] as u8);
            bytes(from_fn(byte))
        };
        let row = |pixel: usize, output: usize| {
            pixel.checked_sub(output).filter(|&column| column < SIDE).map(|column| 4 * SIDE + column)
        };
        FourChannelTile {
            bias,
            multipliers,
            columns: from_fn(|column| weights(&|row| Some(row * SIDE + column))),
            row: from_fn(|half| from_fn(|output| weights(&|pixel| row(half * 4 + pixel, output)))),
        }
    }
}

/// The pixels of some outputs of four channels.
#[derive(Clone, Copy)]
struct Turned {
    columns: [[uint8x16_t; 4]; GROUPS + 1],
    row: [uint8x16_t; GROUPS + 1],
}

impl<D: Dot> Fives<D> {
    /// None where these are no such windows, weights are of more than 8 bits, or channels fewer than sixteen.
    pub(super) fn new(dot: D, filters: &DepthwiseWeights<'_>, window: &Window) -> Option<Fives<D>> {
        filters.check(window);
        let is_five = (window.kernel, window.stride[1], window.dilation) == ([SIDE; 2], 1, [1, 1]);
        if !is_five || filters.channels < BLOCK || !are_bytes(filters.weights) {
            return None;
        }
        let block = |first: usize| {
            let first = first.min(filters.channels - BLOCK);
            let (bias, multipliers) = (bias(filters, first, D::SHIFT), multipliers(filters, first));
            (first, from_fn(|v| FourChannelTile::new(filters, first + v * 4, bias[v], multipliers[v])))
        };
        Some(Fives {
            window: window.clone(),
            channels: filters.channels,
            bytes: Bytes::of(filters.output_stage, filters.weights, filters.bias, filters.multipliers),
            blocks: (0..filters.channels).step_by(BLOCK).map(block).collect(),
            dot,
        })
    }
}

/// Turns the pixels of sixteen channels under the windows of `groups` times four outputs. `pixel` gives the five pixels of
/// a column by its number, counted from the first output's.
#[inline(always)]
fn turn<D: Dot>(dot: D, pixels: impl Fn(usize) -> [uint8x16_t; SIDE], groups: usize, to: &mut [Turned; 4]) {
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

impl<D: Dot> Fives<D> {
    /// Writes `count` outputs of four channels.
    ///
    /// # Safety
    /// `self.dot` is proof of NEON, and of dot or matrix products where there are any. Of each of `count` outputs, which
    /// lie as many bytes apart from `to` on as there are channels, four bytes are written and must be writable.
    #[inline(never)]
    unsafe fn quad<const PLAIN: bool>(&self, quad: &FourChannelTile, pixels: &Turned, count: usize, mut to: *mut u8) {
        let FourChannelTile { bias, multipliers, columns: weights, row: row_weights } = *quad;
        let dot = self.dot;
        let mut left = count;
        for (columns, row) in pixels.columns.windows(2).zip(pixels.row.windows(2)) {
            let columns: [uint8x16_t; 8] = from_fn(|at| columns[at / 4][at % 4]);
            let mut sums = [bias; 4];
            for (column, weights) in weights.into_iter().enumerate() {
                sums = dot.dot(sums, from_fn(|output| columns[output + column]), [weights; 4]);
            }
            sums = dot.dot(sums, [row[0]; 4], row_weights[0]);
            sums = dot.dot(sums, [row[1]; 4], row_weights[1]);
            // SAFETY: the processor has NEON, as `self.dot` exists. Both types have 16 bytes, and bytes may have any
            // bits.
            let bytes =
                unsafe { transmute::<uint8x16_t, [[u8; 4]; 4]>(self.bytes.round::<PLAIN>(sums, [multipliers; 4])) };
            if left < 4 {
                for (output, four) in bytes[..left].iter().enumerate() {
                    // SAFETY: `to` is the place of the first output that is left, `output` is below their number, and of
                    // each four bytes are writable; arrays of bytes ask for no alignment.
                    unsafe { to.add(output * self.channels).cast::<[u8; 4]>().write(*four) };
                }
                return;
            }
            for four in bytes {
                // SAFETY: four outputs at least are left, `to` is the place of one of them, and four bytes are writable
                // there; arrays of bytes ask for no alignment.
                unsafe { to.cast::<[u8; 4]>().write(four) };
                to = to.wrapping_add(self.channels);
            }
            left -= 4;
            if left == 0 {
                return;
            }
        }
    }
}

impl<D: Dot> crate::kernels::Depthwise for Fives<D> {
    fn row(&self, picture: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        picture.check(self.channels, &self.window, y, to.len());
        let rows: [_; SIDE] = rows(picture, &self.window, y, self.channels);
        let count = to.len() / self.channels;
        let plain = self.bytes.are_plain();
        let nothing = bytes([0; 16]);
        let mut transposed = [Turned { columns: [[nothing; 4]; GROUPS + 1], row: [nothing; GROUPS + 1] }; 4];
        for (first, quads) in &self.blocks {
            for start in (0..count).step_by(4 * GROUPS) {
                let outputs = (count - start).min(4 * GROUPS);
                let pixels = |at: usize| {
                    let x = (start + at).wrapping_sub(self.window.pad[1]);
                    // SAFETY: the processor has NEON, as `self.dot` exists. Each load reads 16 bytes, of any alignment,
                    // from a block's first channel on, of a pixel that lies in the picture, or of the padding:
                    // `DepthwiseInput::check` found both to be as long as they should, with `TAIL_PADDING` bytes behind them, more than
                    // 15.
                    unsafe {
                        if x < picture.width {
                            rows.map(|(row, step)| vld1q_u8(row.add(x * step + first)))
                        } else {
                            [vld1q_u8(picture.padding[*first..].as_ptr()); SIDE]
                        }
                    }
                };
                turn(self.dot, pixels, outputs.div_ceil(4), &mut transposed);
                for (v, (quad, pixels)) in quads.iter().zip(&transposed).enumerate() {
                    let to = to[start * self.channels + first + v * 4..].as_mut_ptr();
                    // SAFETY: `to` has `count` whole pixels, of which these are `outputs` from `start` on; each has
                    // sixteen channels from `first` on, and so four from `first + v * 4` on.
                    unsafe {
                        if plain {
                            self.quad::<true>(quad, pixels, outputs, to);
                        } else {
                            self.quad::<false>(quad, pixels, outputs, to);
                        }
                    }
                }
            }
        }
    }
}
