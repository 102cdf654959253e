//! The arithmetic of programs, for each instruction set. All sets give the same bits.
//!
//! What a kernel may assume of what it is given stands here, on [`Kernels`], [`Gemm`], [`Depthwise`] and the types that
//! they take, and nowhere else.
//!
//! - **Lengths and places.** Every set checks them by the `check` functions of this module, where it packs and once a call,
//!   before it reads or writes by address. A caller that breaks them gets a panic, on every processor.
//! - **Ranges of numbers** (weights, scales, limits) are the caller's promise, and `UncheckedProgram::check` holds every
//!   program to them. Outside of them results are unspecified, or a kernel panics, but it touches no other memory.
//! - **Alignment** is never assumed: any slice will do.
//! - A kernel writes no byte but its results. It may read the [`TAIL_PADDING`] bytes that are asked for, and what stands there
//!   changes no result.
//!
//! Sums of products are `i32` and never saturate on the way: no program has weights whose sums could pass `i32`. They may
//! wrap in between (bias and zero point are added first), which changes no result.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::ffi::OsStr;
use std::fmt::Debug;
use std::sync::OnceLock;

use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::{Error, Result};

/// How many bytes beyond the end of a tensor kernels may read, and find something of no consequence there.
pub(crate) const TAIL_PADDING: usize = 64;

/// Weights for products with rows of bytes, and what becomes of their sums.
#[derive(Debug)]
pub(crate) struct Matrix<'a> {
    /// Outputs, at least one.
    pub(crate) rows: usize,
    /// Inputs, at least one.
    pub(crate) columns: usize,
    /// The byte that stands for zero, near which most inputs may be expected. It changes no result: what it adds to the sums
    /// is in `bias`.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "AVX2 alone asks for it"))]
    pub(crate) zero_point: u8,
    /// `rows` × `columns`, from -255 to 255. Those of an output times any bytes add up to an `i32`.
    pub(crate) weights: &'a [i16],
    /// One an output; any number.
    pub(crate) bias: &'a [i32],
    /// One an output; none is infinite or not a number.
    pub(crate) multipliers: &'a [f32],
    /// A table in it is left to the caller.
    pub(crate) output_stage: &'a OutputStage,
}

/// One filter a channel.
#[derive(Debug)]
pub(crate) struct DepthwiseWeights<'a> {
    /// At least one.
    pub(crate) channels: usize,
    /// At least one.
    pub(crate) taps: usize,
    /// `channels` × `taps`, with the ranges of [`Matrix::weights`].
    pub(crate) weights: &'a [i16],
    /// One a channel; any number.
    pub(crate) bias: &'a [i32],
    /// One a channel; none is infinite or not a number.
    pub(crate) multipliers: &'a [f32],
    /// To bytes. A table in it is left to the caller.
    pub(crate) output_stage: &'a OutputStage,
}

/// Height × width × channels, and what lies around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DepthwiseInput<'a> {
    /// The picture's bytes, and [`TAIL_PADDING`] more at least.
    pub(crate) bytes: &'a [u8],
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// A pixel of the padding, and [`TAIL_PADDING`] bytes more at least.
    pub(crate) padding: &'a [u8],
}

/// Lines of a picture and the pixels of each, as rows of a product: pixel `p` of line `l` is row `l * pixels + p` and
/// starts at byte `l * stride + p * step`. No row starts before the one in front of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    /// Bytes from one line to the next: at least as many as from a line's first pixel to its last.
    pub(crate) stride: usize,
    pub(crate) pixels: usize,
    /// Bytes from one pixel to the next.
    pub(crate) step: usize,
}

/// One set of kernels. What they are given is theirs to read for the time of a call, and no more is assumed of it than
/// what stands here and on the types.
pub(crate) trait Kernels: Debug + Send + Sync {
    fn name(&self) -> &'static str;

    /// Packs a matrix for rows that lie in one piece each.
    ///
    /// # Panics
    /// Where [`Matrix::check`] does.
    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn Gemm> {
        Box::new(portable::Gemm::new(matrix))
    }

    /// For rows whose groups of four inputs do not follow one another: `offsets` says where each starts, from the row's
    /// first byte on. Inputs that fill up the last group have a weight of zero. None where the set has no such kernel.
    ///
    /// # Panics
    /// Where [`Matrix::check_indirect`] does.
    fn indirect_gemm(&self, matrix: &Matrix<'_>, offsets: &[u32]) -> Option<Box<dyn Gemm>> {
        matrix.check_indirect(offsets);
        None
    }

    /// Packs filters for these windows.
    ///
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does.
    fn depthwise(&self, filters: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn Depthwise> {
        Box::new(portable::Depthwise::new(filters, window))
    }

    /// Each float to a byte: `round(clamp(x / scale)) + zero_point`; what is not a number becomes 0. `scale` is positive, and
    /// neither subnormal nor infinite.
    ///
    /// # Panics
    /// Unless `from` is as long as `to`.
    fn quantize(&self, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
        portable::quantize(from, scale, zero_point, to);
    }

    /// The sum of each two bytes. Of the rule, `min` is not above `max`, and no float is infinite or not a number.
    ///
    /// # Panics
    /// Unless `a` and `b` are as long as `to`.
    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        portable::add(rule, a, b, to);
    }

    /// The product of each two bytes. The rule is as for [`Kernels::add`].
    ///
    /// # Panics
    /// Unless `a` and `b` are as long as `to`.
    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        portable::multiply(rule, a, b, to);
    }

    /// What the table has for each byte.
    ///
    /// # Panics
    /// Unless `from` is as long as `to`.
    fn lookup(&self, table: &[u8; 256], from: &[u8], to: &mut [u8]) {
        check_one(from, to);
        to.copy_from_slice(from);
        self.lookup_in_place(table, to);
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        portable::lookup_in_place(table, bytes);
    }

    /// Three planes of bytes, one after the other for each pixel.
    ///
    /// # Panics
    /// Unless each plane has a third of the bytes of `to`.
    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        portable::interleave(planes, to);
    }

    /// Adds up `count` rows of bytes that start `stride` apart, each byte to the sum at its place. No sum passes `i32`.
    /// Nothing beyond the last row is read.
    ///
    /// # Panics
    /// Unless all rows, as long as there are sums, lie within `from`.
    fn sum(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        portable::sum(from, stride, count, sums);
    }
}

/// A packed [`Matrix`].
///
/// A row has as many bytes as the matrix has columns, or, of [`Kernels::indirect_gemm`], four from each place on. Rows may
/// overlap, if none starts before the one in front of it; and so may their results: then a byte is any of those that
/// belong there.
pub(crate) trait Gemm: Debug + Send + Sync {
    /// Multiplies `count` rows of `from`, which start `stride` apart, and writes rows of an output each that start
    /// `to_stride` apart. The matrix was packed with [`OutputStage::Byte`].
    ///
    /// # Panics
    /// As [`Gemm::lines`], of which this is the case of one line.
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize);

    /// The same for several lines of rows, whose results follow one another.
    ///
    /// # Panics
    /// Where [`Lines::check`] does: unless all rows lie within `from`, with [`TAIL_PADDING`] bytes behind the last one's columns
    /// (none behind the places of [`Kernels::indirect_gemm`]), and all results within `to`, and no row starts before the one in
    /// front of it.
    fn lines(&self, from: &[u8], lines: Lines, to: &mut [u8], to_stride: usize) {
        // Where rows and results start; where they end, `bytes` checks.
        lines.check(0, from.len(), (0, to_stride), to.len());
        for line in 0..lines.count {
            let to = &mut to[line * lines.pixels * to_stride..];
            self.bytes(&from[line * lines.stride..], lines.step, lines.pixels, to, to_stride);
        }
    }

    /// The same as [`Gemm::bytes`], to floats. The matrix was packed with [`OutputStage::Float`].
    ///
    /// # Panics
    /// As [`Gemm::bytes`].
    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize);
}

/// Packed [`DepthwiseWeights`].
pub(crate) trait Depthwise: Debug + Send + Sync {
    /// Writes line `y` of the output: as many pixels as `to` has.
    ///
    /// # Panics
    /// Where [`DepthwiseInput::check`] does.
    fn row(&self, picture: &DepthwiseInput<'_>, y: usize, to: &mut [u8]);
}

impl Matrix<'_> {
    /// # Panics
    /// Unless there are rows and columns, a weight for each of both, and a bias and a multiplier for each row.
    fn check(&self) {
        assert!(self.rows > 0 && self.columns > 0, "a matrix of nothing");
        assert_eq!(self.rows.checked_mul(self.columns), Some(self.weights.len()), "one weight for each row and column");
        assert_eq!([self.bias.len(), self.multipliers.len()], [self.rows; 2], "one bias and multiplier a row");
    }

    /// The same for rows that do not lie in one piece.
    ///
    /// # Panics
    /// Where [`Matrix::check`] does, and unless there is one place for each four columns.
    fn check_indirect(&self, offsets: &[u32]) {
        self.check();
        assert_eq!(offsets.len(), self.columns.div_ceil(4), "one place for each four columns");
    }
}

impl DepthwiseWeights<'_> {
    /// # Panics
    /// Unless there are channels, a tap for each place of the window's kernel, a weight for each channel and tap, and a
    /// bias and a multiplier for each channel; and unless the window moves by at least one pixel, and so do its taps.
    fn check(&self, window: &Window) {
        let [height, width] = window.kernel;
        assert!(self.channels > 0 && self.taps > 0, "filters of nothing");
        assert_eq!(height.checked_mul(width), Some(self.taps), "one tap for each place of the window");
        assert_eq!(
            self.channels.checked_mul(self.taps),
            Some(self.weights.len()),
            "one weight for each channel and tap"
        );
        assert_eq!([self.bias.len(), self.multipliers.len()], [self.channels; 2], "one bias and multiplier a channel");
        assert!(window.stride.iter().chain(&window.dilation).all(|&length| length > 0), "a length of zero");
    }
}

/// The most rows or columns of padding, and the farthest that a tap may lie from the start of it: sums of two of them are
/// within what an `isize` holds.
const FARTHEST: usize = isize::MAX as usize / 4;

impl DepthwiseInput<'_> {
    /// # Panics
    /// Unless picture and padding are as long as their fields say; unless `length`, that of a line of results, is of
    /// whole pixels; and where a tap of line `y`, or its padding, is farther away than [`FARTHEST`].
    fn check(&self, channels: usize, window: &Window, y: usize, length: usize) {
        let pixels = self.height.checked_mul(self.width);
        let bytes = pixels.and_then(|pixels| end(pixels, channels, TAIL_PADDING));
        assert!(bytes.is_some_and(|bytes| bytes <= self.bytes.len()), "a picture with slack behind it");
        assert!(
            end(1, channels, TAIL_PADDING).is_some_and(|bytes| bytes <= self.padding.len()),
            "padding with slack behind it"
        );
        assert!(length.is_multiple_of(channels), "a line of whole pixels");
        for (axis, outputs) in [(0, y), (1, length / channels)] {
            let kernel = window.kernel[axis].checked_mul(window.dilation[axis]);
            let last = kernel.and_then(|kernel| end(outputs, window.stride[axis], kernel));
            assert!(
                last.is_some_and(|last| last <= FARTHEST) && window.pad[axis] <= FARTHEST,
                "windows that reach too far"
            );
        }
    }
}

impl Lines {
    /// Rows of which each takes `reach` bytes of `from`, and of which each has `outputs` results, `to_stride` apart,
    /// within `to` elements.
    ///
    /// # Panics
    /// Unless all rows lie within `from` bytes, and all results within `to`; where a line starts before the last row of the
    /// one in front of it; and where an end is beyond what a `usize` holds.
    fn check(&self, reach: usize, from: usize, (outputs, to_stride): (usize, usize), to: usize) {
        if self.count == 0 || self.pixels == 0 {
            return;
        }
        let last = end(self.pixels - 1, self.step, 0);
        let in_order = self.count == 1 || last.is_some_and(|last| last <= self.stride);
        assert!(in_order, "lines whose rows start one behind the other");
        let row = last.and_then(|last| last.checked_add(reach)).and_then(|row| end(self.count - 1, self.stride, row));
        assert!(row.is_some_and(|row| row <= from), "all rows and what is read behind them");
        let rows = self.count.checked_mul(self.pixels);
        let result = rows.and_then(|rows| end(rows - 1, to_stride, outputs));
        assert!(result.is_some_and(|result| result <= to), "room for all results");
    }

    /// Rows that start `stride` apart.
    fn one(stride: usize, count: usize) -> Lines {
        Lines { count: 1, stride: 0, pixels: count, step: stride }
    }
}

/// `length` behind the start of what comes behind `count` others that lie `stride` apart; None where no `usize` holds it.
fn end(count: usize, stride: usize, length: usize) -> Option<usize> {
    count.checked_mul(stride)?.checked_add(length)
}

/// # Panics
/// Unless `from` is as long as the result.
fn check_one<T>(from: &[T], to: &[u8]) {
    assert!(from.len() == to.len(), "a tensor as long as the result");
}

/// # Panics
/// Unless `a` and `b` are as long as the result.
fn check_two(a: &[u8], b: &[u8], to: &[u8]) {
    assert!(a.len() == to.len() && b.len() == to.len(), "two tensors as long as the result");
}

/// # Panics
/// Unless each plane is a third as long as the result.
fn check_planes(planes: [&[u8]; 3], to: &[u8]) {
    assert!(
        planes.iter().all(|plane| Some(to.len()) == plane.len().checked_mul(3)),
        "three planes as long as the result"
    );
}

/// # Panics
/// Unless `count` rows of so many bytes, `stride` apart, lie within `from` bytes.
fn check_rows(from: usize, stride: usize, count: usize, length: usize) {
    assert!(count == 0 || end(count - 1, stride, length).is_some_and(|end| end <= from), "rows as long as the sums");
}

/// The best set for this processor, or the one that the environment variable `BEDSIDE_KERNEL` names. None where only the
/// portable set could be had and was not asked for: tract's float kernels are faster then.
///
/// # Errors
/// [`Error::Unsupported`] where the variable names a set that this processor does not have: what asked for a set never
/// runs on another.
pub(crate) fn chosen() -> Result<Option<&'static dyn Kernels>> {
    static CHOSEN: OnceLock<Result<Option<&'static dyn Kernels>, String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| choose(&available(), std::env::var_os("BEDSIDE_KERNEL").as_deref()));
    chosen.clone().map_err(Error::Unsupported)
}

/// The set of this name; without one the last, if there is another before it.
fn choose(available: &[&'static dyn Kernels], wanted: Option<&OsStr>) -> Result<Option<&'static dyn Kernels>, String> {
    let Some(wanted) = wanted else { return Ok(available.last().copied().filter(|_| available.len() > 1)) };
    let found = available.iter().find(|kernels| wanted == kernels.name()).copied();
    let names = || available.iter().map(|kernels| kernels.name()).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| format!("BEDSIDE_KERNEL={}: this processor has {}", wanted.display(), names()))
}

/// The set that every processor can run.
pub(crate) fn portable() -> &'static dyn Kernels {
    &portable::Portable
}

/// All sets that this processor can run, the best one last.
pub(crate) fn available() -> Vec<&'static dyn Kernels> {
    #[allow(unused_mut, reason = "other processors have no other set yet")]
    let mut sets: Vec<&'static dyn Kernels> = vec![portable()];
    #[cfg(target_arch = "aarch64")]
    aarch64::add_to(&mut sets);
    #[cfg(target_arch = "x86_64")]
    x86_64::add_to(&mut sets);
    sets
}

/// `round(clamp(x)) + zero_point`: to the nearest, ties to even, from `min` to `max`.
pub(crate) fn byte(value: f32, zero_point: u8, min: u8, max: u8) -> u8 {
    let zero_point = f32::from(zero_point);
    let clamped = value.clamp(f32::from(min) - zero_point, f32::from(max) - zero_point);
    (clamped.round_ties_even() + zero_point) as u8
}

/// `a * b + c` rounded once. A product of an 8-bit number and a float is exact in f64, and its sum with a float of like
/// magnitude too; a call of `f32::mul_add` would be slower where the processor has no such instruction.
pub(crate) fn fused(a: f32, b: f32, c: f32) -> f32 {
    (f64::from(a) * f64::from(b) + f64::from(c)) as f32
}
