//! One filter a channel: sixteen channels at a time.
//!
//! Windows of 3×3 move along a line and keep what they have read: a step to the right reads one column of three pixels.
//! Any other window reads the pixels under its taps. With dot products, those of 5×5 that move pixel by pixel
//! have kernels of their own (`depthwise_5x5`).

use std::arch::aarch64::{
    float32x4_t, int8x16_t, int16x8_t, int32x4_t, uint8x16_t, vget_low_s16, vget_low_u8, vld1q_u8, vmlal_high_s16,
    vmlal_s16, vmovl_high_u8, vmovl_u8, vreinterpretq_s8_u8, vreinterpretq_s16_u16, vzip1q_u8, vzip2q_u8,
};
use std::arch::asm;
use std::array::from_fn;
use std::mem::transmute;

use super::dots::{Dot, signed};
use super::features::Neon;
use super::matrix::{bytes, floats, integers, store};
use super::requantize::Bytes;
use crate::arithmetic::Window;
use crate::kernels::{DepthwiseInput, DepthwiseWeights};

/// Taps whose places are kept on the stack: a 7×7 kernel.
pub(super) const MAX_TAPS: usize = 50;

/// Seats that so many taps may take.
const SEATS: usize = MAX_TAPS.next_multiple_of(4);

/// Channels at a time.
pub(super) const BLOCK: usize = 16;

/// Sums of sixteen channels.
type Sums = [int32x4_t; 4];

/// The weights of sixteen channels, and one way to multiply them.
///
/// # Safety
/// Who implements this promises that a value exists only where the processor has NEON and what its functions need, and
/// that [`Block::column`] and [`Block::by_taps`] read no memory but the sixteen bytes that they are given of each pixel,
/// and ask for no alignment of them.
pub(super) unsafe trait Block: std::fmt::Debug + Send + Sync + Sized + 'static {
    /// What there is only where the processor has the instructions.
    type Proof: Copy;

    /// Three pixels, one above the other.
    type Column: Copy;

    /// The channels from `first` on; where there are fewer, the rest is padding.
    fn new(proof: Self::Proof, filters: &DepthwiseWeights<'_>, first: usize) -> Self;

    /// Whether a window of 3×3 may go by columns.
    fn has_columns(&self) -> bool;

    /// # Safety
    /// `self` is proof of NEON, and of dot or matrix products where there are any. Sixteen bytes from each of the pixels
    /// on are read and must be readable.
    unsafe fn column(&self, pixels: [*const u8; 3]) -> Self::Column;

    fn by_columns(&self, columns: [&Self::Column; 3]) -> Sums;

    /// Where, among the pixels that [`Block::by_taps`] takes, the one under a tap is.
    fn seat(tap: usize, taps: usize) -> usize;

    /// How many pixels that is for so many taps; in a seat that is no tap's any pixel may be.
    fn seats(taps: usize) -> usize;

    /// Takes as many pixels as there are seats.
    ///
    /// # Safety
    /// `self` is proof of NEON, and of dot or matrix products where there are any. Sixteen bytes from channel `first` of
    /// each of the pixels on are read and must be readable.
    unsafe fn by_taps(&self, pixels: &[*const u8], first: usize) -> Sums;
}

/// The channels of a block that there are, by place.
fn channel(filters: &DepthwiseWeights<'_>, first: usize, at: usize) -> Option<usize> {
    Some(first + at).filter(|&channel| channel < filters.channels)
}

/// What sums of sixteen channels start from, where bytes are taken `offset` lower than they are.
pub(super) fn bias(filters: &DepthwiseWeights<'_>, first: usize, offset: i32) -> Sums {
    let of = |channel: usize| {
        let weights = &filters.weights[channel * filters.taps..][..filters.taps];
        let sum: i32 = weights.iter().map(|&weight| i32::from(weight)).sum();
        filters.bias[channel].wrapping_add(offset.wrapping_mul(sum))
    };
    from_fn(|v| integers(from_fn(|lane| channel(filters, first, v * 4 + lane).map_or(0, of))))
}

/// What the sums of sixteen channels are multiplied by.
pub(super) fn multipliers(filters: &DepthwiseWeights<'_>, first: usize) -> [float32x4_t; 4] {
    let of = |channel: usize| filters.multipliers[channel];
    from_fn(|v| floats(from_fn(|lane| channel(filters, first, v * 4 + lane).map_or(0.0, of))))
}

/// The first pixel of each row of a line of windows, or the padding, and how far it is to the next pixel. The window's
/// taps are pixel by pixel.
///
/// For a picture that [`DepthwiseInput::check`] has found to be whole, each pixel, at `row + x * step` with `x` below its width,
/// has all channels and [`TAIL_PADDING`](crate::kernels::SLACK) bytes behind them.
pub(super) fn rows<const N: usize>(
    picture: &DepthwiseInput<'_>,
    window: &Window,
    y: usize,
    channels: usize,
) -> [(*const u8, usize); N] {
    let (down, top) = window.taps(0, y, picture.height);
    from_fn(|tap| {
        if !down.contains(&tap) {
            return (picture.padding.as_ptr(), 0);
        }
        let y = (top + tap as isize) as usize;
        (picture.bytes[y * picture.width * channels..].as_ptr(), channels)
    })
}

/// Sixteen channels of four pixels as four vectors of four channels, with a channel's four bytes in a lane.
#[inline(always)]
pub(super) fn transposed<D: Dot>(dot: D, pixels: [uint8x16_t; 4]) -> [uint8x16_t; 4] {
    // SAFETY: the processor has NEON, as `dot` exists; registers alone are touched.
    unsafe {
        let [a, b, c, d] = pixels.map(|pixel| dot.prepare(pixel));
        let (even, odd) = (vzip1q_u8(a, c), vzip1q_u8(b, d));
        let (first, second) = (vzip1q_u8(even, odd), vzip2q_u8(even, odd));
        let (even, odd) = (vzip2q_u8(a, c), vzip2q_u8(b, d));
        [first, second, vzip1q_u8(even, odd), vzip2q_u8(even, odd)]
    }
}

/// Four taps in each lane, by dot products.
#[derive(Debug)]
pub(super) struct Dotted<D> {
    bias: Sums,
    /// The weights of four seats each, part after part: parts of weights of more than 8 bits add up to them.
    groups: Vec<[uint8x16_t; 4]>,
    has_columns: bool,
    dot: D,
}

// SAFETY: both loads read sixteen bytes of a pixel; the instructions are NEON, of which a `Dot` is proof, and its own.
unsafe impl<D: Dot> Block for Dotted<D> {
    type Proof = D;

    type Column = [uint8x16_t; 4];

    fn new(dot: D, filters: &DepthwiseWeights<'_>, first: usize) -> Self {
        let mut groups = vec![];
        let mut rest = filters.weights[first * filters.taps..].to_vec();
        rest.truncate(BLOCK * filters.taps);
        let mut parts = 0;
        while parts == 0 || rest.iter().any(|&weight| weight != 0) {
            let part: Vec<i16> = rest.iter().map(|&weight| weight.clamp(-128, 127)).collect();
            rest.iter_mut().zip(&part).for_each(|(rest, part)| *rest -= part);
            let mut weights = vec![[[0_u8; 16]; 4]; Self::seats(filters.taps) / 4];
            for (at, part) in part.chunks_exact(filters.taps).enumerate() {
                for (tap, &weight) in part.iter().enumerate() {
                    let seat = Self::seat(tap, filters.taps);
                    weights[seat / 4][at / 4][at % 4 * 4 + seat % 4] = weight as u8;
                }
            }
            groups.extend(weights.into_iter().map(|four| four.map(bytes)));
            parts += 1;
        }
        let has_columns = groups.len() == 3 && filters.taps == 9;
        Dotted { bias: bias(filters, first, D::SHIFT), groups, has_columns, dot }
    }

    fn has_columns(&self) -> bool {
        self.has_columns
    }

    #[inline(always)]
    unsafe fn column(&self, pixels: [*const u8; 3]) -> Self::Column {
        // SAFETY: the processor has NEON, as `self.dot` exists; the load reads 16 bytes of a pixel, of any alignment,
        // which are readable.
        let [a, b, c] = pixels.map(|pixel| unsafe { vld1q_u8(pixel) });
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

    /// The columns of nine go together, as they are a window of 3×3; other taps four by four.
    fn seat(tap: usize, taps: usize) -> usize {
        if taps == 9 { tap % 3 * 4 + tap / 3 } else { tap }
    }

    fn seats(taps: usize) -> usize {
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

/// Products of 8-bit numbers in 16 bits, where windows of 3×3 go by columns; of 16-bit numbers in 32 elsewhere.
#[derive(Debug)]
pub(super) struct Widened {
    neon: Neon,
    /// For bytes taken 128 lower, and as they are.
    bias: [Sums; 2],
    /// By column, then by row, of a window of 3×3.
    columns: [int8x16_t; 9],
    way: Way,
    taps: Vec<[int16x8_t; 2]>,
}

/// How many products can be added in 16 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// Those of a column.
    Three,
    Two,
    /// These are no nine taps, or some weight is of more than 8 bits.
    None,
}

impl Widened {
    fn way(filters: &DepthwiseWeights<'_>, first: usize) -> Way {
        let channels = (0..BLOCK).filter_map(|at| channel(filters, first, at));
        let mut ways = channels.map(|channel| {
            let weights = &filters.weights[channel * filters.taps..][..filters.taps];
            if weights.len() != 9 || weights.iter().any(|weight| !(-127..=127).contains(weight)) {
                return Way::None;
            }
            // 128 times as much has room in 16 bits.
            let has_room = |column: usize| (0..3).map(|row| weights[row * 3 + column].abs()).sum::<i16>() <= 255;
            if (0..3).all(has_room) { Way::Three } else { Way::Two }
        });
        ways.try_fold(Way::Three, |all, way| match way {
            Way::None => Err(()),
            Way::Two => Ok(Way::Two),
            Way::Three => Ok(all),
        })
        .unwrap_or(Way::None)
    }
}

/// Products of sixteen bytes of one, two or three pixels, added up in 16 bits and then to the sums.
///
/// Blocks of assembly for the reason that [`Dot::dot`] gives.
macro_rules! with_products {
    ($neon:expr, $sums:expr, $first:expr $(, $more:expr)*) => {{
        let Neon { .. } = $neon;
        let [mut a, mut b, mut c, mut d]: Sums = $sums;
        // SAFETY: the processor has NEON, as `$neon` exists. The instructions read and write the registers that are named
        // and nothing else, no flags and no memory either.
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

// SAFETY: both loads read sixteen bytes of a pixel; the instructions are NEON, which `neon` is proof of.
unsafe impl Block for Widened {
    type Proof = Neon;

    type Column = [int8x16_t; 3];

    fn new(neon: Neon, filters: &DepthwiseWeights<'_>, first: usize) -> Self {
        let weight = |tap: usize, at: usize| {
            channel(filters, first, at).map_or(0, |channel| filters.weights[channel * filters.taps + tap])
        };
        let way = Widened::way(filters, first);
        let columns = from_fn(|at| {
            let byte = |channel| if way == Way::None { 0 } else { weight(at % 3 * 3 + at / 3, channel) as i8 };
            // SAFETY: both types have 16 bytes, and a vector may have any bits.
            unsafe { transmute::<[i8; 16], int8x16_t>(from_fn(byte)) }
        });
        let words = |tap: usize| {
            // SAFETY: both types have 16 bytes, and a vector may have any bits.
            from_fn(|half| unsafe { transmute::<[i16; 8], int16x8_t>(from_fn(|lane| weight(tap, half * 8 + lane))) })
        };
        Widened {
            neon,
            bias: [bias(filters, first, 128), bias(filters, first, 0)],
            columns,
            way,
            taps: (0..filters.taps).map(words).collect(),
        }
    }

    fn has_columns(&self) -> bool {
        self.way != Way::None
    }

    #[inline(always)]
    unsafe fn column(&self, pixels: [*const u8; 3]) -> Self::Column {
        // SAFETY: the processor has NEON, as `self.neon` exists; the load reads 16 bytes of a pixel, of any alignment,
        // which are readable.
        pixels.map(|pixel| unsafe { vreinterpretq_s8_u8(signed(self.neon, vld1q_u8(pixel))) })
    }

    #[inline(always)]
    fn by_columns(&self, columns: [&Self::Column; 3]) -> Sums {
        let mut sums = self.bias[0];
        let w = &self.columns;
        if self.way == Way::Three {
            for (at, column) in columns.into_iter().enumerate() {
                let of = |row: usize| (column[row], w[at * 3 + row]);
                sums = with_products!(self.neon, sums, of(0), of(1), of(2));
            }
            return sums;
        }
        let of = |tap: usize| (columns[tap / 3][tap % 3], w[tap]);
        for tap in [0, 2, 4, 6] {
            sums = with_products!(self.neon, sums, of(tap), of(tap + 1));
        }
        with_products!(self.neon, sums, of(8))
    }

    fn seat(tap: usize, _: usize) -> usize {
        tap
    }

    fn seats(taps: usize) -> usize {
        taps
    }

    #[inline(always)]
    unsafe fn by_taps(&self, pixels: &[*const u8], first: usize) -> Sums {
        let mut sums = self.bias[1];
        for (&pixel, weights) in pixels.iter().zip(&self.taps) {
            // SAFETY: the processor has NEON, as `self.neon` exists; the load reads 16 bytes of a pixel from `first` on,
            // of any alignment, which are readable, and all else is done in registers.
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

#[derive(Debug)]
pub(super) struct Depthwise<B> {
    window: Window,
    channels: usize,
    taps: usize,
    bytes: Bytes,
    /// Those first that may go by columns.
    blocks: Vec<Channels<B>>,
    /// How many those are.
    with_columns: usize,
}

/// Sixteen channels, or fewer where the picture has no more.
#[derive(Debug)]
struct Channels<B> {
    first: usize,
    block: B,
    multipliers: [float32x4_t; 4],
}

impl<B: Block> Depthwise<B> {
    /// For [`MAX_TAPS`] at most.
    pub(super) fn new(proof: B::Proof, filters: &DepthwiseWeights<'_>, window: &Window) -> Depthwise<B> {
        filters.check(window);
        assert!(filters.taps <= MAX_TAPS, "taps whose places are on the stack");
        let channels = filters.channels;
        // The last block is sixteen channels too, some of which are computed twice.
        let firsts = (0..channels).step_by(BLOCK).map(|first| first.min(channels.saturating_sub(BLOCK)));
        let block = |first: usize| Channels {
            first,
            block: B::new(proof, filters, first),
            multipliers: multipliers(filters, first),
        };
        let (mut blocks, others) = firsts.map(block).partition::<Vec<_>, _>(|channels| channels.block.has_columns());
        let with_columns = blocks.len();
        blocks.extend(others);
        Depthwise {
            window: window.clone(),
            channels,
            taps: filters.taps,
            bytes: Bytes::of(filters.output_stage, filters.weights, filters.bias, filters.multipliers),
            blocks,
            with_columns,
        }
    }
}

impl<B: Block> crate::kernels::Depthwise for Depthwise<B> {
    fn row(&self, picture: &DepthwiseInput<'_>, y: usize, to: &mut [u8]) {
        let window = &self.window;
        picture.check(self.channels, window, y, to.len());
        let by_columns = window.kernel == [3, 3] && window.dilation == [1, 1] && window.stride[1] <= 2;
        let plain = self.bytes.are_plain() && self.channels >= BLOCK;
        let (columns, taps) = self.blocks.split_at(if by_columns { self.with_columns } else { 0 });
        if !columns.is_empty() {
            let line = Line::new(picture, window, y, self.channels);
            for channels in columns {
                // SAFETY: `DepthwiseInput::check` found picture and padding to be as long as they should, and `to` to be whole
                // pixels; the line is one of 3×3 over this picture, with a stride of 1 or 2; `PLAIN` is chosen for
                // sixteen channels or more alone.
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
            // SAFETY: `DepthwiseInput::check` found picture, padding and `to` to be as they should; `PLAIN` is chosen for
            // sixteen channels or more alone.
            unsafe {
                if plain {
                    self.by_taps::<true>(taps, picture, y, to);
                } else {
                    self.by_taps::<false>(taps, picture, y, to);
                }
            }
        }
    }
}

/// What a line of windows of 3×3 lies over: of a picture that [`DepthwiseInput::check`] has found to be whole, so that behind
/// all channels of a pixel, or of the padding, there are [`TAIL_PADDING`](crate::kernels::SLACK) bytes.
struct Line<'a> {
    rows: [(*const u8, usize); 3],
    padding: &'a [u8],
    width: usize,
    pad: usize,
    stride: usize,
}

impl Line<'_> {
    fn new<'a>(picture: &DepthwiseInput<'a>, window: &Window, y: usize, channels: usize) -> Line<'a> {
        Line {
            rows: rows(picture, window, y, channels),
            padding: picture.padding,
            width: picture.width,
            pad: window.pad[1],
            stride: window.stride[1],
        }
    }

    /// The column that lies `at` columns right of the first window's first, which may be outside.
    ///
    /// # Safety
    /// `block` is proof of NEON, and of dot or matrix products where there are any. From channel `first` on of the
    /// column's pixels, or of the padding where it is outside, 16 bytes are read and must be readable: so they are for
    /// `first` below the picture's channels.
    #[inline(always)]
    unsafe fn column<B: Block>(&self, block: &B, at: usize, first: usize) -> B::Column {
        let x = at.wrapping_sub(self.pad);
        // SAFETY: column `x` is one of the picture where it is below the width, and its pixels, `x` steps from the rows'
        // starts, are readable for 16 bytes from `first` on; so is the padding.
        unsafe {
            if x < self.width {
                block.column(self.rows.map(|(row, step)| row.add(x * step + first)))
            } else {
                block.column([self.padding[first..].as_ptr(); 3])
            }
        }
    }

    /// How many windows, from the first on, end inside.
    fn ending_inside(&self) -> usize {
        (self.width + self.pad).saturating_sub(2).div_ceil(self.stride)
    }
}

impl<B: Block> Depthwise<B> {
    /// Writes the outputs of one block; `PLAIN` says that the bytes are, and that there are sixteen channels.
    ///
    /// # Safety
    /// The block is proof of NEON, and of dot or matrix products where there are any. `line` must lie over a picture that
    /// [`DepthwiseInput::check`] has found to be whole for these channels, with a stride of 1 or 2: its pixels, the padding and
    /// 15 bytes behind either are read. `to` is written.
    #[inline(never)]
    unsafe fn by_columns<const PLAIN: bool>(&self, channels: &Channels<B>, line: &Line<'_>, to: &mut [u8]) {
        let count = to.len() / self.channels;
        let first = channels.first;
        let to = to.as_mut_ptr();
        // SAFETY: a block's first channel is one of the picture's, and so 16 bytes from there on are readable.
        let column = |at: usize| unsafe { line.column(&channels.block, at, first) };
        let (mut a, mut b) = (column(0), column(1));
        let mut x = 0;
        // Windows that begin to the left of the picture.
        let inside = line.ending_inside().min(count);
        while x < count {
            if x * line.stride + 2 >= line.pad && x + 3 <= inside {
                // SAFETY: the windows from `x` to `inside` end inside, and that of `x` has its last column to the right
                // of the padding; they are among `count`, for all of which there is room.
                x = unsafe { self.inside::<PLAIN>(channels, line, [&mut a, &mut b], x..inside, to) };
                continue;
            }
            let c = column(x * line.stride + 2);
            // SAFETY: `x` is one of `count`, and so there is room for its pixel.
            unsafe { self.write::<PLAIN>(channels, [&a, &b, &c], to, x) };
            x += 1;
            (a, b) = if line.stride == 1 { (b, c) } else { (c, column(x * 2 + 1)) };
        }
    }

    /// Writes output `x` of a line.
    ///
    /// # Safety
    /// The block is proof of NEON. There must be sixteen channels at least if `PLAIN`. From the block's first channel of
    /// pixel `x` on, sixteen bytes, or as many as there are channels, are written and must be writable.
    #[inline(always)]
    unsafe fn write<const PLAIN: bool>(&self, channels: &Channels<B>, columns: [&B::Column; 3], to: *mut u8, x: usize) {
        let length = if PLAIN { BLOCK } else { self.channels.min(BLOCK) };
        // SAFETY: the processor has NEON, as the block exists; `length` bytes are writable there, 16 at most.
        unsafe {
            let bytes = self.bytes.round::<PLAIN>(channels.block.by_columns(columns), channels.multipliers);
            store(bytes, to.add(x * self.channels + channels.first), length);
        }
    }

    /// Windows that end inside, up to three at a time, so that columns need not move from register to register. Gives the
    /// first that is left; `a` and `b` are its first columns.
    ///
    /// # Safety
    /// The block is proof of NEON, and of dot or matrix products where there are any. `line` must be as for
    /// [`Depthwise::by_columns`]; the last column of the first of these windows must not be left of the picture, that of
    /// the last not right of it. From their columns' pixels, 16 bytes are read from the block's first channel on; from
    /// `to` on, the block's channels of all these outputs are written and must be writable, and be sixteen if `PLAIN`.
    #[inline(always)]
    unsafe fn inside<const PLAIN: bool>(
        &self,
        channels: &Channels<B>,
        line: &Line<'_>,
        [a, b]: [&mut B::Column; 2],
        windows: std::ops::Range<usize>,
        to: *mut u8,
    ) -> usize {
        let mut x = windows.start;
        let next = x * line.stride + 2 - line.pad;
        // SAFETY: `next` is the first window's last column, which lies in the picture, and so each row has a pixel there.
        let mut rows = line.rows.map(|(row, step)| unsafe { row.add(next * step + channels.first) });
        // SAFETY: outputs from `windows.start` on and below `windows.end` are written, for which there is room.
        let write = |x: usize, columns: [&B::Column; 3]| unsafe { self.write::<PLAIN>(channels, columns, to, x) };
        let mut column = || {
            // SAFETY: `rows` have moved on by a pixel for each column that was read. No more are read than there are up
            // to the last column of the last window: with a stride of 1, one for each output; with 2, two, of which the
            // last is the middle one of a window that has not been written yet and, by the loop's condition, is one of
            // these.
            let column = unsafe { channels.block.column(rows) };
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
            // `b` of the window behind these is read too: it lies inside unless no window is left.
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

    /// Writes the outputs of `blocks`; `PLAIN` says that the bytes are, and that there are sixteen channels.
    ///
    /// # Safety
    /// The blocks are proof of NEON, and of dot or matrix products where there are any. [`DepthwiseInput::check`] must hold for
    /// these channels, the window, `y` and `to`: the picture's bytes, the padding's, and 15 behind either are read. There
    /// must be sixteen channels at least if `PLAIN`.
    #[inline(never)]
    unsafe fn by_taps<const PLAIN: bool>(
        &self,
        blocks: &[Channels<B>],
        picture: &DepthwiseInput<'_>,
        y: usize,
        to: &mut [u8],
    ) {
        let (channels, window) = (self.channels, &self.window);
        let length = if PLAIN { BLOCK } else { channels.min(BLOCK) };
        let mut pixels = [picture.padding.as_ptr(); SEATS];
        // How far each pixel is from one output's to the next one's.
        let mut steps = [0; SEATS];
        let (pixels, steps) = (&mut pixels[..B::seats(self.taps)], &mut steps[..B::seats(self.taps)]);
        let mut whole = false;
        for (x, to) in to.chunks_exact_mut(channels).enumerate() {
            let was_whole = whole;
            whole = window.is_inside(1, x, picture.width);
            if was_whole && whole {
                for (pixel, step) in pixels.iter_mut().zip(&*steps) {
                    *pixel = pixel.wrapping_add(*step);
                }
            } else {
                self.place(picture, window, [y, x], pixels, steps);
            }
            for block in blocks {
                // SAFETY: in each seat is a pixel, of the picture or of the padding. `place` takes it from a slice; and
                // where it moves on by a step, all taps of this output lie inside of the picture from left to right, as
                // those of the last one did, in the same rows; one that is no tap's has never moved from the padding. A
                // block's first channel is one of the picture's, behind which there are `TAIL_PADDING` bytes, more than 15.
                let sums = unsafe { block.block.by_taps(pixels, block.first) };
                // SAFETY: the processor has NEON, as the block exists. From the block's first channel on there are
                // sixteen, or all there are: `length`, in the pixel that `to` is.
                unsafe {
                    let bytes = self.bytes.round::<PLAIN>(sums, block.multipliers);
                    store(bytes, to[block.first..].as_mut_ptr(), length);
                }
            }
        }
    }

    /// Finds the pixel under each tap, or the padding, and how far it is to the one under the next output's.
    fn place(
        &self,
        picture: &DepthwiseInput<'_>,
        window: &Window,
        [y, x]: [usize; 2],
        pixels: &mut [*const u8],
        steps: &mut [usize],
    ) {
        let ((down, top), (across, left)) = (window.taps(0, y, picture.height), window.taps(1, x, picture.width));
        let [kernel_height, kernel_width] = window.kernel;
        for tap_y in 0..kernel_height {
            for tap_x in 0..kernel_width {
                let seat = B::seat(tap_y * kernel_width + tap_x, self.taps);
                (pixels[seat], steps[seat]) = if down.contains(&tap_y) && across.contains(&tap_x) {
                    let y = (top + (tap_y * window.dilation[0]) as isize) as usize;
                    let x = (left + (tap_x * window.dilation[1]) as isize) as usize;
                    let at = (y * picture.width + x) * self.channels;
                    (picture.bytes[at..].as_ptr(), window.stride[1] * self.channels)
                } else {
                    (picture.padding.as_ptr(), 0)
                };
            }
        }
    }
}
