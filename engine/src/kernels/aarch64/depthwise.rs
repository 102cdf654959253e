//! Depthwise convolution, in tiles of sixteen channels.
//!
//! Kernels of 3×3 with a horizontal stride of 1 or 2 go along a line by columns, where their weights allow it: they
//! keep the columns that consecutive windows share, and read one new column of three pixels for each pixel that the
//! window moves. Other kernels go tap by tap: for each output they read the pixels under all taps. With dot products,
//! 5×5 kernels with a horizontal stride of 1 have their own implementation (`depthwise_5x5`).

use std::arch::aarch64::{
    float32x4_t, int8x16_t, int16x8_t, int32x4_t, uint8x16_t, vget_low_s16, vget_low_u8, vld1q_u8, vmlal_high_s16,
    vmlal_s16, vmovl_high_u8, vmovl_u8, vreinterpretq_s8_u8, vreinterpretq_s16_u16,
};
use std::arch::asm;
use std::array::from_fn;

use super::dots::{Dot, transposed};
use super::features::{InstructionSet, Neon};
use super::line::Line;
use super::requantize::Requantize;
use super::vectors::{bytes, floats, integers, short_integers, signed_bytes, store};
use crate::arithmetic::Window;
use crate::kernels::packing::{offset_bias, split_into_parts};
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// The maximum number of taps: enough for a 7×7 kernel, and the same as for AVX2. The indirection buffer for them is on
/// the stack. Larger kernels are left to the portable set.
pub(super) const MAX_TAPS: usize = 50;

/// The maximum number of slots for [`MAX_TAPS`] taps.
const MAX_SLOTS: usize = MAX_TAPS.next_multiple_of(4);

/// Channels of a tile.
pub(super) const CHANNEL_TILE: usize = 16;

/// The sums of sixteen channels, in order.
type Sums = [int32x4_t; 4];

/// The packed weights of sixteen channels, and a micro-kernel that multiplies them.
///
/// # Safety
/// An implementation guarantees that a value exists only where the processor has NEON and the instructions that its
/// functions need. It guarantees that [`ChannelTile::column`] and [`ChannelTile::by_taps`] read no memory but sixteen
/// bytes of each pixel that they are given, and require no alignment of them.
pub(super) unsafe trait ChannelTile: std::fmt::Debug + Send + Sync + Sized + 'static {
    /// A type whose values exist only where the processor has the instructions.
    type Proof: Copy;

    /// Sixteen channels of three pixels, one above the other.
    type Column: Copy;

    /// Packs the weights of the sixteen channels from `first` on. Where there are fewer, the remaining lanes are
    /// padding, with weights of zero.
    fn new(proof: Self::Proof, weights: &DepthwiseWeights<'_>, first: usize) -> Self;

    /// Whether [`ChannelTile::by_columns`] is available, for a 3×3 kernel.
    fn has_columns(&self) -> bool;

    /// Loads a column, given the address of the tile's first channel of each of its pixels.
    ///
    /// # Safety
    /// `self` is proof of NEON, and of dot or matrix products where it uses them. Sixteen bytes from each of the pixels
    /// on are read and must be readable.
    unsafe fn column(&self, pixels: [*const u8; 3]) -> Self::Column;

    /// The sums of one output of a 3×3 kernel, given the columns of its window from left to right.
    fn by_columns(&self, columns: [&Self::Column; 3]) -> Sums;

    /// The slot of a tap: the index, in the indirection buffer that [`ChannelTile::by_taps`] takes, of the pixel under
    /// it.
    fn slot(tap: usize, taps: usize) -> usize;

    /// The number of slots for `taps` taps. A slot without a tap has weights of zero and may hold any pixel.
    fn slots(taps: usize) -> usize;

    /// The sums of one output. `pixels` is its indirection buffer: the address of the first channel of the input's
    /// pixel in each of [`ChannelTile::slots`] slots. `first` is the tile's first channel.
    ///
    /// # Safety
    /// `self` is proof of NEON, and of dot or matrix products where it uses them. Sixteen bytes from channel `first` of
    /// each of the pixels on are read and must be readable.
    unsafe fn by_taps(&self, pixels: &[*const u8], first: usize) -> Sums;
}

/// Channel `at` of the tile whose first channel is `first`, or None where it is padding.
fn channel(weights: &DepthwiseWeights<'_>, first: usize, at: usize) -> Option<usize> {
    Some(first + at).filter(|&channel| channel < weights.channels)
}

/// The initial sums of the sixteen channels from `first` on: their bias, and what compensates for a kernel that
/// multiplies bytes minus `input_offset`.
pub(super) fn bias(weights: &DepthwiseWeights<'_>, first: usize, input_offset: u8) -> Sums {
    let initial = |channel: usize| {
        offset_bias(weights.bias[channel], &weights.weights[channel * weights.taps..][..weights.taps], input_offset)
    };
    from_fn(|v| integers(from_fn(|lane| channel(weights, first, v * 4 + lane).map_or(0, initial))))
}

/// The multipliers of the sixteen channels from `first` on.
pub(super) fn multipliers(weights: &DepthwiseWeights<'_>, first: usize) -> [float32x4_t; 4] {
    let multiplier = |channel: usize| weights.multipliers[channel];
    from_fn(|v| floats(from_fn(|lane| channel(weights, first, v * 4 + lane).map_or(0.0, multiplier))))
}

/// The first channel of each tile. The last tile has sixteen channels too, if there are so many: it overlaps its
/// predecessor.
pub(super) fn first_channels(channels: usize) -> impl Iterator<Item = usize> {
    (0..channels).step_by(CHANNEL_TILE).map(move |first| first.min(channels.saturating_sub(CHANNEL_TILE)))
}

/// A tile for dot products, which multiply four taps in each lane.
#[derive(Debug)]
pub(super) struct DotTile<D> {
    bias: Sums,
    /// The weights of four slots each, for one part of the weights after the other. Weights of more than 8 bits are
    /// split into 8-bit parts that add up to them.
    groups: Vec<[uint8x16_t; 4]>,
    has_columns: bool,
    dot: D,
}

// SAFETY: both loads read sixteen bytes of a pixel. The instructions are those of NEON, of which a `Dot` is proof, and
// those of the `Dot` itself.
unsafe impl<D: Dot> ChannelTile for DotTile<D> {
    type Proof = D;

    type Column = [uint8x16_t; 4];

    fn new(dot: D, weights: &DepthwiseWeights<'_>, first: usize) -> Self {
        let mut groups = vec![];
        let end = weights.channels.min(first + CHANNEL_TILE);
        for part in split_into_parts(&weights.weights[first * weights.taps..end * weights.taps], -128) {
            let mut packed = vec![[[0_u8; 16]; 4]; Self::slots(weights.taps) / 4];
            for (at, part) in part.chunks_exact(weights.taps).enumerate() {
                for (tap, &weight) in part.iter().enumerate() {
                    let slot = Self::slot(tap, weights.taps);
                    packed[slot / 4][at / 4][at % 4 * 4 + slot % 4] = weight as u8;
                }
            }
            groups.extend(packed.into_iter().map(|four| four.map(bytes)));
        }
        // Nine taps are three groups, one for each column, where no weight has more than 8 bits.
        let has_columns = groups.len() == 3 && weights.taps == 9;
        DotTile { bias: bias(weights, first, D::INPUT_OFFSET), groups, has_columns, dot }
    }

    fn has_columns(&self) -> bool {
        self.has_columns
    }

    #[inline(always)]
    unsafe fn column(&self, pixels: [*const u8; 3]) -> Self::Column {
        // SAFETY: the processor has NEON, as `self.dot` exists; the load reads 16 bytes of a pixel, of any alignment,
        // which are readable.
        let [a, b, c] = pixels.map(|pixel| unsafe { vld1q_u8(pixel) });
        // The fourth pixel is multiplied by weights of zero.
        transposed(self.dot, [a, b, c, b])
    }

    #[inline(always)]
    fn by_columns(&self, columns: [&Self::Column; 3]) -> Sums {
        let mut sums = self.bias;
        for (group, column) in self.groups[..3].iter().zip(columns) {
            sums = self.dot.dot(sums, *column, *group);
        }
        sums
    }

    /// Nine taps may be a 3×3 window: each of its columns takes a group of four slots. Other numbers of taps fill the
    /// slots in order.
    fn slot(tap: usize, taps: usize) -> usize {
        if taps == 9 { tap % 3 * 4 + tap / 3 } else { tap }
    }

    fn slots(taps: usize) -> usize {
        if taps == 9 { 12 } else { taps.next_multiple_of(4) }
    }

    #[inline(always)]
    unsafe fn by_taps(&self, pixels: &[*const u8], first: usize) -> Sums {
        let mut sums = self.bias;
        let pixels = pixels.as_chunks::<4>().0;
        for part in self.groups.chunks(pixels.len()) {
            for (weights, pixels) in part.iter().zip(pixels) {
                // SAFETY: the processor has NEON, as `self.dot` exists; the load reads 16 bytes of a pixel from `first`
                // on, of any alignment, which are readable.
                let pixels = pixels.map(|pixel| unsafe { vld1q_u8(pixel.add(first)) });
                sums = self.dot.dot(sums, transposed(self.dot, pixels), *weights);
            }
        }
        sums
    }
}

/// A tile for NEON alone. By columns, it multiplies 8-bit numbers and adds their products in 16 bits. Tap by tap, it
/// multiplies 16-bit numbers and adds their products in 32 bits.
///
/// It shares no function with [`DotTile`]: there a lane holds four taps of a channel, here one. So pixels are not
/// transposed, weights of 9 bits are not split, and each tap is multiplied by itself.
#[derive(Debug)]
pub(super) struct WideningTile {
    neon: Neon,
    /// For bytes minus 128, which columns use, and for unchanged bytes, which taps use.
    bias: [Sums; 2],
    /// The weights of a 3×3 kernel, column by column from top to bottom. Zero with [`AccumulationMode::In32Bits`].
    columns: [int8x16_t; 9],
    mode: AccumulationMode,
    /// The weights of each tap.
    taps: Vec<[int16x8_t; 2]>,
}

/// How many products of a signed byte and a weight a tile may add in 16 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum AccumulationMode {
    /// The three products of a column.
    Three,
    /// Any two products.
    Two,
    /// None: the kernel does not have nine taps, or some weight is not from -127 to 127. The tile has no columns.
    In32Bits,
}

impl WideningTile {
    /// The mode that is exact for all of the sixteen channels from `first` on.
    fn mode(weights: &DepthwiseWeights<'_>, first: usize) -> AccumulationMode {
        let channels = (0..CHANNEL_TILE).filter_map(|at| channel(weights, first, at));
        let mut modes = channels.map(|channel| {
            let taps = &weights.weights[channel * weights.taps..][..weights.taps];
            if taps.len() != 9 || taps.iter().any(|weight| !(-127..=127).contains(weight)) {
                return AccumulationMode::In32Bits;
            }
            // The bytes' magnitude is at most 128, and 128 · 255 fits 16 bits.
            let fits = |column: usize| (0..3).map(|row| taps[row * 3 + column].abs()).sum::<i16>() <= 255;
            if (0..3).all(fits) { AccumulationMode::Three } else { AccumulationMode::Two }
        });
        modes
            .try_fold(AccumulationMode::Three, |all, mode| match mode {
                AccumulationMode::In32Bits => Err(()),
                AccumulationMode::Two => Ok(AccumulationMode::Two),
                AccumulationMode::Three => Ok(all),
            })
            .unwrap_or(AccumulationMode::In32Bits)
    }
}

/// Multiplies sixteen bytes of one, two or three pixels by their weights, adds the products of a channel in 16 bits,
/// and then to its sum. Each argument after the sums is a pair of a pixel and its weights.
///
/// These are blocks of assembly for the reason that [`Dot::dot`] gives.
macro_rules! with_products {
    ($neon:expr, $sums:expr, $first:expr $(, $more:expr)*) => {{
        let Neon { .. } = $neon;
        let [mut a, mut b, mut c, mut d]: Sums = $sums;
        // SAFETY: the processor has NEON, as `$neon` exists. The instructions read and write the named registers and
        // nothing else, no flags and no memory either.
        unsafe {
            let (mut low, mut high): (int16x8_t, int16x8_t);
            asm!(
                "smull {low:v}.8h, {pixel:v}.8b, {weights:v}.8b",
                "smull2 {high:v}.8h, {pixel:v}.16b, {weights:v}.16b",
                low = out(vreg) low, high = out(vreg) high, pixel = in(vreg) $first.0, weights = in(vreg) $first.1,
                options(nomem, nostack, preserves_flags)
            );
            $(asm!(
                "smlal {low:v}.8h, {pixel:v}.8b, {weights:v}.8b",
                "smlal2 {high:v}.8h, {pixel:v}.16b, {weights:v}.16b",
                low = inout(vreg) low, high = inout(vreg) high, pixel = in(vreg) $more.0, weights = in(vreg) $more.1,
                options(nomem, nostack, preserves_flags)
            );)*
            asm!(
                "saddw {a:v}.4s, {a:v}.4s, {low:v}.4h",
                "saddw2 {b:v}.4s, {b:v}.4s, {low:v}.8h",
                "saddw {c:v}.4s, {c:v}.4s, {high:v}.4h",
                "saddw2 {d:v}.4s, {d:v}.4s, {high:v}.8h",
                a = inout(vreg) a, b = inout(vreg) b, c = inout(vreg) c, d = inout(vreg) d,
                low = in(vreg) low, high = in(vreg) high,
                options(nomem, nostack, preserves_flags)
            );
        }
        [a, b, c, d]
    }};
}

// SAFETY: both loads read sixteen bytes of a pixel. The instructions are those of NEON, of which `neon` is proof.
unsafe impl ChannelTile for WideningTile {
    type Proof = Neon;

    type Column = [int8x16_t; 3];

    fn new(neon: Neon, weights: &DepthwiseWeights<'_>, first: usize) -> Self {
        let weight = |tap: usize, at: usize| {
            channel(weights, first, at).map_or(0, |channel| weights.weights[channel * weights.taps + tap])
        };
        let mode = WideningTile::mode(weights, first);
        let columns = from_fn(|at| {
            let byte = |channel| {
                if mode == AccumulationMode::In32Bits { 0 } else { weight(at % 3 * 3 + at / 3, channel) as i8 }
            };
            signed_bytes(from_fn(byte))
        });
        let words = |tap: usize| from_fn(|half| short_integers(from_fn(|lane| weight(tap, half * 8 + lane))));
        WideningTile {
            neon,
            bias: [bias(weights, first, Neon::INPUT_OFFSET), bias(weights, first, 0)],
            columns,
            mode,
            taps: (0..weights.taps).map(words).collect(),
        }
    }

    fn has_columns(&self) -> bool {
        self.mode != AccumulationMode::In32Bits
    }

    #[inline(always)]
    unsafe fn column(&self, pixels: [*const u8; 3]) -> Self::Column {
        // SAFETY: the processor has NEON, as `self.neon` exists; the load reads 16 bytes of a pixel, of any alignment,
        // which are readable.
        pixels.map(|pixel| unsafe { vreinterpretq_s8_u8(self.neon.offset_input(vld1q_u8(pixel))) })
    }

    #[inline(always)]
    fn by_columns(&self, columns: [&Self::Column; 3]) -> Sums {
        let mut sums = self.bias[0];
        let w = &self.columns;
        if self.mode == AccumulationMode::Three {
            for (at, column) in columns.into_iter().enumerate() {
                let pair = |row: usize| (column[row], w[at * 3 + row]);
                sums = with_products!(self.neon, sums, pair(0), pair(1), pair(2));
            }
            return sums;
        }
        let pair = |tap: usize| (columns[tap / 3][tap % 3], w[tap]);
        for tap in [0, 2, 4, 6] {
            sums = with_products!(self.neon, sums, pair(tap), pair(tap + 1));
        }
        with_products!(self.neon, sums, pair(8))
    }

    fn slot(tap: usize, _: usize) -> usize {
        tap
    }

    fn slots(taps: usize) -> usize {
        taps
    }

    #[inline(always)]
    unsafe fn by_taps(&self, pixels: &[*const u8], first: usize) -> Sums {
        let mut sums = self.bias[1];
        for (&pixel, weights) in pixels.iter().zip(&self.taps) {
            // SAFETY: the processor has NEON, as `self.neon` exists; the load reads 16 bytes of a pixel from `first`
            // on, of any alignment, which are readable. The other instructions access only registers.
            unsafe {
                let pixel = vld1q_u8(pixel.add(first));
                let (low, high) = (vmovl_u8(vget_low_u8(pixel)), vmovl_high_u8(pixel));
                for (half, words) in [low, high].into_iter().enumerate() {
                    let (words, weights) = (vreinterpretq_s16_u16(words), weights[half]);
                    let sums = &mut sums[half * 2..half * 2 + 2];
                    sums[0] = vmlal_s16(sums[0], vget_low_s16(words), vget_low_s16(weights));
                    sums[1] = vmlal_high_s16(sums[1], words, weights);
                }
            }
        }
        sums
    }
}

/// Packed [`DepthwiseWeights`].
#[derive(Debug)]
pub(super) struct Depthwise<T> {
    window: Window,
    channels: usize,
    taps: usize,
    requantize: Requantize,
    /// The tiles that have columns come first.
    tiles: Vec<PackedTile<T>>,
    /// The number of tiles that have columns.
    with_columns: usize,
}

/// Sixteen channels, or fewer where the input has fewer.
#[derive(Debug)]
struct PackedTile<T> {
    /// The first channel.
    first: usize,
    tile: T,
    multipliers: [float32x4_t; 4],
}

impl<T: ChannelTile> Depthwise<T> {
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does, and with more than [`MAX_TAPS`] taps.
    pub(super) fn new(proof: T::Proof, weights: &DepthwiseWeights<'_>, window: &Window) -> Depthwise<T> {
        weights.check(window);
        assert!(weights.taps <= MAX_TAPS, "taps whose addresses fit on the stack");
        let channels = weights.channels;
        let tile = |first: usize| PackedTile {
            first,
            tile: T::new(proof, weights, first),
            multipliers: multipliers(weights, first),
        };
        let (mut tiles, others) =
            first_channels(channels).map(tile).partition::<Vec<_>, _>(|channels| channels.tile.has_columns());
        let with_columns = tiles.len();
        tiles.extend(others);
        Depthwise {
            window: window.clone(),
            channels,
            taps: weights.taps,
            requantize: Requantize::for_sums(weights.output_stage, weights.weights, weights.bias, weights.multipliers),
            tiles,
            with_columns,
        }
    }
}

impl<T: ChannelTile> crate::kernels::Depthwise for Depthwise<T> {
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        let window = &self.window;
        input.check(self.channels, window, y, to.len());
        let by_columns = window.kernel == [3, 3] && window.dilation == [1, 1] && window.stride[1] <= 2;
        let plain = self.requantize.is_plain() && self.channels >= CHANNEL_TILE;
        let (columns, taps) = self.tiles.split_at(if by_columns { self.with_columns } else { 0 });
        if !columns.is_empty() {
            let line = Line::new(input, window, y, self.channels);
            for channels in columns {
                // SAFETY: `DepthwiseInput::check` accepted the lengths of input and padding, and found `to` to be whole
                // pixels. The line is one of 3×3 windows over this input, with a stride of 1 or 2. `PLAIN` is true only
                // with a plain requantization and at least sixteen channels.
                unsafe {
                    if plain {
                        self.by_columns::<true>(channels, &line, to);
                    } else {
                        self.by_columns::<false>(channels, &line, to);
                    }
                }
            }
        }
        if !taps.is_empty() {
            // SAFETY: `DepthwiseInput::check` accepted input, padding and `to`. `PLAIN` is true only with a plain
            // requantization and at least sixteen channels.
            unsafe {
                if plain {
                    self.by_taps::<true>(taps, input, y, to);
                } else {
                    self.by_taps::<false>(taps, input, y, to);
                }
            }
        }
    }
}

impl<T: ChannelTile> Depthwise<T> {
    /// Writes the channels of one tile of an output line, by columns. `PLAIN` requires that the requantization
    /// [is plain](Requantize::is_plain) and that there are at least sixteen channels.
    ///
    /// # Safety
    /// The tile is proof of NEON, and of dot or matrix products where it uses them. `line` must lie over an input that
    /// [`DepthwiseInput::check`] has accepted for these channels, with a stride of 1 or 2: its pixels, the padding and
    /// 15 bytes behind either are read. `to` is written.
    #[inline(never)]
    unsafe fn by_columns<const PLAIN: bool>(&self, channels: &PackedTile<T>, line: &Line<'_, 3>, to: &mut [u8]) {
        let count = to.len() / self.channels;
        let first = channels.first;
        let to = to.as_mut_ptr();
        // SAFETY: a tile's first channel is one of the input's, and so 16 bytes from there on are readable.
        let column = |at: usize| line.column(at, first, |pixels| unsafe { channels.tile.column(pixels) });
        let (mut a, mut b) = (column(0), column(1));
        let mut x = 0;
        let inside = line.ending_inside().min(count);
        while x < count {
            if x * line.stride + 2 >= line.pad && x + 3 <= inside {
                // SAFETY: the last columns of the windows from `x` to `inside` are not right of the input, and that of
                // window `x` is not left of it. These windows are among `count`, and `to` has room for all of them.
                x = unsafe { self.write_inside::<PLAIN>(channels, line, [&mut a, &mut b], x..inside, to) };
                continue;
            }
            let c = column(x * line.stride + 2);
            // SAFETY: `x` is one of `count`, and so `to` has room for its pixel.
            unsafe { self.write::<PLAIN>(channels, [&a, &b, &c], to, x) };
            x += 1;
            (a, b) = if line.stride == 1 { (b, c) } else { (c, column(x * 2 + 1)) };
        }
    }

    /// Writes the tile's channels of output `x` of a line.
    ///
    /// # Safety
    /// The tile is proof of NEON. There must be at least sixteen channels if `PLAIN`. From the tile's first channel of
    /// pixel `x` on, sixteen bytes, or all channels where there are fewer, are written and must be writable.
    #[inline(always)]
    unsafe fn write<const PLAIN: bool>(
        &self,
        channels: &PackedTile<T>,
        columns: [&T::Column; 3],
        to: *mut u8,
        x: usize,
    ) {
        let length = if PLAIN { CHANNEL_TILE } else { self.channels.min(CHANNEL_TILE) };
        // SAFETY: the processor has NEON, as the tile exists; `length` bytes are writable there, 16 at most.
        unsafe {
            let bytes = self.requantize.apply::<PLAIN>(channels.tile.by_columns(columns), channels.multipliers);
            store(bytes, to.add(x * self.channels + channels.first), length);
        }
    }

    /// Writes the outputs of windows whose last columns are inside of the input, three at a time (two with a stride of
    /// 2), so that no column is copied from register to register. `a` and `b` are the first two columns of the first
    /// window. Gives the first window that is not written, and leaves its first two columns in `a` and `b`.
    ///
    /// # Safety
    /// The tile is proof of NEON, and of dot or matrix products where it uses them. `line` must be as for
    /// [`Depthwise::by_columns`]. The last column of the first of these windows must not be left of the input, and that
    /// of the last window not right of it. Of each pixel of these columns, 16 bytes from the tile's first channel on
    /// are read. From `to` on, the tile's channels of all these outputs are written and must be writable. There must be
    /// at least sixteen channels if `PLAIN`.
    #[inline(always)]
    unsafe fn write_inside<const PLAIN: bool>(
        &self,
        channels: &PackedTile<T>,
        line: &Line<'_, 3>,
        [a, b]: [&mut T::Column; 2],
        windows: std::ops::Range<usize>,
        to: *mut u8,
    ) -> usize {
        let mut x = windows.start;
        let next = x * line.stride + 2 - line.pad;
        // SAFETY: `next` is the first window's last column, which lies in the input, and so each row has a pixel there.
        let mut rows = line.rows.map(|(row, step)| unsafe { row.add(next * step + channels.first) });
        // SAFETY: outputs from `windows.start` on and below `windows.end` are written, and `to` has room for them.
        let write = |x: usize, columns: [&T::Column; 3]| unsafe { self.write::<PLAIN>(channels, columns, to, x) };
        let mut column = || {
            // SAFETY: `rows` advance by a pixel for each column that is read. No column right of the last column of the
            // last window is read. With a stride of 1, one column is read for each output. With a stride of 2, two are
            // read, and the second is the middle column of the next window, which is one of `windows` by the loop's
            // condition.
            let column = unsafe { channels.tile.column(rows) };
            rows = from_fn(|row| rows[row].wrapping_add(line.rows[row].1));
            column
        };
        if line.stride == 1 {
            while x + 3 <= windows.end {
                let c = column();
                write(x, [a, b, &c]);
                *a = column();
                write(x + 1, [b, &c, a]);
                *b = column();
                write(x + 2, [&c, a, b]);
                x += 3;
            }
        } else {
            // Each iteration also reads `b` of the next window, which the condition keeps among `windows`.
            while x + 3 <= windows.end {
                let c = column();
                write(x, [a, b, &c]);
                *b = column();
                *a = column();
                write(x + 1, [&c, b, a]);
                *b = column();
                x += 2;
            }
        }
        x
    }

    /// Writes the channels of `tiles` of output line `y`, tap by tap. `PLAIN` requires that the requantization
    /// [is plain](Requantize::is_plain) and that there are at least sixteen channels.
    ///
    /// # Safety
    /// The tiles are proof of NEON, and of dot or matrix products where they use them. [`DepthwiseInput::check`] must
    /// have accepted these channels, the window, `y` and `to`: the input's bytes, the padding's, and 15 behind either
    /// are read. There must be at least sixteen channels if `PLAIN`.
    #[inline(never)]
    unsafe fn by_taps<const PLAIN: bool>(
        &self,
        tiles: &[PackedTile<T>],
        input: &DepthwiseInput<'_>,
        y: usize,
        to: &mut [u8],
    ) {
        let (channels, window) = (self.channels, &self.window);
        let length = if PLAIN { CHANNEL_TILE } else { channels.min(CHANNEL_TILE) };
        // The indirection buffer of an output.
        let mut pixels = [input.padding.as_ptr(); MAX_SLOTS];
        // Bytes from each pixel to that of the next output.
        let mut steps = [0; MAX_SLOTS];
        let (pixels, steps) = (&mut pixels[..T::slots(self.taps)], &mut steps[..T::slots(self.taps)]);
        let mut is_inside = false;
        for (x, to) in to.chunks_exact_mut(channels).enumerate() {
            let was_inside = is_inside;
            is_inside = window.is_inside(1, x, input.width);
            if was_inside && is_inside {
                for (pixel, step) in pixels.iter_mut().zip(&*steps) {
                    *pixel = pixel.wrapping_add(*step);
                }
            } else {
                self.fill_indirection_buffer(input, window, [y, x], pixels, steps);
            }
            for tile in tiles {
                // SAFETY: each slot has the address of a pixel, of the input or of the padding.
                // `fill_indirection_buffer` takes it from a slice. Where it advances by a step, all taps of this output
                // lie inside of the input from left to right, as those of the previous output did, in the same rows.
                // The address in a slot without a tap is always that of the padding. A tile's first channel is one of
                // the input's, and behind the channels there are `TAIL_PADDING` bytes, more than 15.
                let sums = unsafe { tile.tile.by_taps(pixels, tile.first) };
                // SAFETY: the processor has NEON, as the tile exists. From the tile's first channel on, the pixel that
                // `to` is has at least `length` channels: sixteen, or all where there are fewer.
                unsafe {
                    let bytes = self.requantize.apply::<PLAIN>(sums, tile.multipliers);
                    store(bytes, to[tile.first..].as_mut_ptr(), length);
                }
            }
        }
    }

    /// Fills `pixels`, the indirection buffer of output pixel (`y`, `x`): for each tap the address of the pixel under
    /// it, or of the padding. Fills `steps` with the bytes from each to the pixel under the same tap of the next
    /// output, 0 for the padding. Slots without a tap are left unchanged.
    fn fill_indirection_buffer(
        &self,
        input: &DepthwiseInput<'_>,
        window: &Window,
        [y, x]: [usize; 2],
        pixels: &mut [*const u8],
        steps: &mut [usize],
    ) {
        let ((down, top), (across, left)) = (window.taps(0, y, input.height), window.taps(1, x, input.width));
        let [kernel_height, kernel_width] = window.kernel;
        for tap_y in 0..kernel_height {
            for tap_x in 0..kernel_width {
                let slot = T::slot(tap_y * kernel_width + tap_x, self.taps);
                (pixels[slot], steps[slot]) = if down.contains(&tap_y) && across.contains(&tap_x) {
                    let y = window.position(0, top, tap_y);
                    let x = window.position(1, left, tap_x);
                    let at = (y * input.width + x) * self.channels;
                    (input.bytes[at..].as_ptr(), window.stride[1] * self.channels)
                } else {
                    (input.padding.as_ptr(), 0)
                };
            }
        }
    }
}
