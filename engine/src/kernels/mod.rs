//! The kernels that run programs, in one set for each instruction set. All sets give the same bits.
//!
//! This module states what a kernel may assume of its arguments: here, on [`Kernels`], [`Gemm`], [`Depthwise`] and the
//! types of their arguments, and nowhere else. It chooses the set for this processor. Threads, the order of steps and
//! the memory of tensors are left to `executable/`.
//!
//! - **Lengths and offsets.** Every set checks them with the `check` functions of this module, when it packs weights
//!   and once in each call, before it reads or writes by address. A caller that violates them gets a panic, on every
//!   processor.
//! - **Ranges of numbers** (weights, scales, limits) are the caller's obligation. `UncheckedProgram::check` verifies
//!   them for every program. Outside of these ranges results are unspecified, or a kernel panics, but it touches no
//!   memory other than that of its arguments and its results.
//! - **Alignment** is never assumed: a slice of any alignment is valid.
//! - **Memory.** A kernel writes no bytes but its results. It may read the [`TAIL_PADDING`] bytes that an argument must
//!   have. Their values change no result.
//!
//! Sums of products are `i32`, and partial sums never saturate: no program has weights whose sums could exceed `i32`.
//! Partial sums may wrap (bias and zero point are added first), which changes no result.

#[cfg(target_arch = "aarch64")]
mod aarch64;
// 32-bit ARM with registers for floats: those for soft floats can't declare that assembly changes them.
#[cfg(all(
    target_arch = "arm",
    target_endian = "little",
    any(target_os = "android", all(target_os = "linux", target_abi = "eabihf"))
))]
mod arm;
#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
mod packing;
mod portable;
#[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
mod taps;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::ffi::OsStr;
use std::fmt::Debug;
use std::sync::OnceLock;

use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::{Error, Result};

/// The number of bytes beyond the end of a tensor that kernels may read. Their values change no result.
pub(crate) const TAIL_PADDING: usize = 64;

/// The weights of a GEMM, before packing, with its bias and the parameters of its requantization. The other operand is
/// rows of bytes.
#[derive(Debug)]
pub(crate) struct Matrix<'a> {
    /// The number of outputs, at least 1.
    pub(crate) rows: usize,
    /// The number of inputs, at least 1.
    pub(crate) columns: usize,
    /// The zero point of the inputs. Most input bytes are expected near it. It changes no result: its contribution to
    /// the sums is part of `bias`.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX2 uses it"))]
    pub(crate) zero_point: u8,
    /// `rows` × `columns`, each from -255 to 255. For any input bytes, the sum of an output's products fits an `i32`.
    pub(crate) weights: &'a [i16],
    /// One for each output, of any value.
    pub(crate) bias: &'a [i32],
    /// One for each output. None is infinite or NaN.
    pub(crate) multipliers: &'a [f32],
    /// Kernels ignore its table; the caller applies it.
    pub(crate) output_stage: &'a OutputStage,
}

/// The weights of a depthwise convolution with one output channel for each input channel, before packing, with its bias
/// and the parameters of its requantization.
#[derive(Debug)]
pub(crate) struct DepthwiseWeights<'a> {
    /// At least 1.
    pub(crate) channels: usize,
    /// The height of the kernel times its width, at least 1.
    pub(crate) taps: usize,
    /// `channels` × `taps`, with the ranges of [`Matrix::weights`].
    pub(crate) weights: &'a [i16],
    /// One for each channel, of any value.
    pub(crate) bias: &'a [i32],
    /// One for each channel. None is infinite or NaN.
    pub(crate) multipliers: &'a [f32],
    /// [`OutputStage::Byte`]. Kernels ignore its table; the caller applies it.
    pub(crate) output_stage: &'a OutputStage,
}

/// One image of the input of a depthwise convolution, `height` × `width` × channels, and its padding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DepthwiseInput<'a> {
    /// The bytes of the input, followed by at least [`TAIL_PADDING`] more.
    pub(crate) bytes: &'a [u8],
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// One pixel of the padding (all channels), followed by at least [`TAIL_PADDING`] bytes. Every tap outside of the
    /// input reads it.
    pub(crate) padding: &'a [u8],
}

/// The rows of a GEMM's input, arranged as the lines of an image: pixel `p` of line `l` is row `l * pixels + p` and
/// starts at byte `l * stride + p * step`. No row starts before its predecessor. Rows are the windows of an indirect
/// GEMM, which overlap, so that one call can take several lines of output pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    /// The number of lines.
    pub(crate) count: usize,
    /// Bytes from one line to the next. With more than one line, it is at least `(pixels - 1) * step`, the distance
    /// from a line's first pixel to its last.
    pub(crate) stride: usize,
    /// The number of pixels of each line.
    pub(crate) pixels: usize,
    /// Bytes from one pixel to the next.
    pub(crate) step: usize,
}

/// One set of kernels. A kernel reads its arguments only during the call, and assumes no more of them than is stated
/// here and on their types.
pub(crate) trait Kernels: Debug + Send + Sync {
    /// The name that selects this set in `BEDSIDE_KERNEL`.
    fn name(&self) -> &'static str;

    /// Packs a matrix for rows that are contiguous.
    ///
    /// # Panics
    /// Where [`Matrix::check`] does.
    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn Gemm> {
        Box::new(portable::Gemm::new(matrix))
    }

    /// Packs a matrix for an indirect GEMM, whose rows need not be contiguous. `offsets` is its indirection buffer, the
    /// same for all rows. For each group of four inputs, `offsets` has the offset in bytes of its first input from the
    /// start of the row; the four lie side by side. Where `columns` is not a multiple of four, the inputs that fill the
    /// last group have weights of zero. None where the set has no such kernel.
    ///
    /// # Panics
    /// Where [`Matrix::check_indirect`] does.
    fn indirect_gemm(&self, matrix: &Matrix<'_>, offsets: &[u32]) -> Option<Box<dyn Gemm>> {
        matrix.check_indirect(offsets);
        None
    }

    /// Packs depthwise weights for this window.
    ///
    /// # Panics
    /// Where [`DepthwiseWeights::check`] does.
    fn depthwise(&self, weights: &DepthwiseWeights<'_>, window: &Window) -> Box<dyn Depthwise> {
        Box::new(portable::Depthwise::new(weights, window))
    }

    /// Quantizes each float `x` to a byte, `round(clamp(x / scale)) + zero_point`, where the clamp keeps the byte
    /// between 0 and 255. NaN becomes 0. `scale` is positive, and neither subnormal nor infinite.
    ///
    /// # Panics
    /// Unless `from` is as long as `to`.
    fn quantize(&self, from: &[f32], scale: f32, zero_point: u8, to: &mut [u8]) {
        portable::quantize(from, scale, zero_point, to);
    }

    /// Adds `a` and `b` element by element, as [`AddRule`] says. The rule's `min` is at most its `max`, and none of its
    /// floats is infinite or NaN.
    ///
    /// # Panics
    /// Unless `a` and `b` are as long as `to`.
    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        portable::add(rule, a, b, to);
    }

    /// Multiplies `a` and `b` element by element, as [`MultiplyRule`] says. The rule has the limits of
    /// [`Kernels::add`].
    ///
    /// # Panics
    /// Unless `a` and `b` are as long as `to`.
    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        portable::multiply(rule, a, b, to);
    }

    /// Writes the table's entry for each byte of `from`.
    ///
    /// # Panics
    /// Unless `from` is as long as `to`.
    fn lookup(&self, table: &[u8; 256], from: &[u8], to: &mut [u8]) {
        check_one(from, to);
        to.copy_from_slice(from);
        self.lookup_in_place(table, to);
    }

    /// Replaces each byte by the table's entry for it.
    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        portable::lookup_in_place(table, bytes);
    }

    /// Interleaves three planes of bytes: pixel `p` of `to` is byte `p` of each plane, in order.
    ///
    /// # Panics
    /// Unless each plane has a third of the bytes of `to`.
    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        portable::interleave(planes, to);
    }

    /// Adds byte `i` of each of `count` rows, which start `stride` bytes apart, to sum `i`. No sum exceeds `i32`. No
    /// byte beyond the last row is read.
    ///
    /// # Panics
    /// Unless all rows, of `sums.len()` bytes each, lie within `from`.
    fn sum_rows(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        portable::sum_rows(from, stride, count, sums);
    }
}

/// A packed [`Matrix`].
///
/// A row has one byte for each column of the matrix or, for [`Kernels::indirect_gemm`], four bytes from each offset on.
/// Rows may overlap, if none starts before its predecessor. Their results may overlap too: such a byte has the value of
/// any of the results that overlap there.
pub(crate) trait Gemm: Debug + Send + Sync {
    /// Multiplies `count` rows of `from`, which start `stride` bytes apart. For each, it writes a row of requantized
    /// outputs to `to`, one byte for each row of the matrix; these rows start `to_stride` bytes apart. The matrix was
    /// packed with [`OutputStage::Byte`].
    ///
    /// # Panics
    /// As [`Gemm::lines`], of which this is the case of one line.
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize);

    /// The same as [`Gemm::bytes`] for several lines of rows. The results of each line follow those of its predecessor.
    ///
    /// # Panics
    /// Where [`Lines::check`] does: unless all rows lie within `from`, with [`TAIL_PADDING`] bytes after the last row's
    /// columns (none after the offsets of [`Kernels::indirect_gemm`]), all results lie within `to`, and no row starts
    /// before its predecessor.
    fn lines(&self, from: &[u8], lines: Lines, to: &mut [u8], to_stride: usize) {
        // This checks where rows and results start; `bytes` checks where they end.
        lines.check(0, from.len(), (0, to_stride), to.len());
        for line in 0..lines.count {
            let to = &mut to[line * lines.pixels * to_stride..];
            self.bytes(&from[line * lines.stride..], lines.step, lines.pixels, to, to_stride);
        }
    }

    /// The same as [`Gemm::bytes`] with outputs in floats, each the sum times its multiplier. `to_stride` is in floats.
    /// The matrix was packed with [`OutputStage::Float`].
    ///
    /// # Panics
    /// As [`Gemm::bytes`].
    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize);
}

/// Packed [`DepthwiseWeights`].
pub(crate) trait Depthwise: Debug + Send + Sync {
    /// Writes line `y` of the output, from its first pixel on: `to.len()` divided by the number of channels is the
    /// number of pixels. `y` counts the lines of this image.
    ///
    /// # Panics
    /// Where [`DepthwiseInput::check`] does.
    fn row(&self, input: &DepthwiseInput<'_>, y: usize, to: &mut [u8]);
}

impl Matrix<'_> {
    /// # Panics
    /// Unless there are rows and columns, `rows` × `columns` weights, and a bias and a multiplier for each row.
    fn check(&self) {
        assert!(self.rows > 0 && self.columns > 0, "a matrix of nothing");
        assert_eq!(self.rows.checked_mul(self.columns), Some(self.weights.len()), "one weight for each row and column");
        assert_eq!([self.bias.len(), self.multipliers.len()], [self.rows; 2], "one bias and multiplier a row");
    }

    /// The same as [`Matrix::check`], for an indirect GEMM.
    ///
    /// # Panics
    /// Where [`Matrix::check`] does, and unless there is one offset for each group of four columns.
    fn check_indirect(&self, offsets: &[u32]) {
        self.check();
        assert_eq!(offsets.len(), self.columns.div_ceil(4), "one offset for each four columns");
    }
}

impl DepthwiseWeights<'_> {
    /// # Panics
    /// Unless there are channels, a tap for each position of the window's kernel, a weight for each channel and tap,
    /// and a bias and a multiplier for each channel; and unless the window's strides and dilations are at least 1.
    fn check(&self, window: &Window) {
        let [height, width] = window.kernel;
        assert!(self.channels > 0 && self.taps > 0, "depthwise weights of nothing");
        assert_eq!(height.checked_mul(width), Some(self.taps), "one tap for each position of the window");
        assert_eq!(
            self.channels.checked_mul(self.taps),
            Some(self.weights.len()),
            "one weight for each channel and tap"
        );
        assert_eq!([self.bias.len(), self.multipliers.len()], [self.channels; 2], "one bias and multiplier a channel");
        assert!(window.stride.iter().chain(&window.dilation).all(|&length| length > 0), "a length of zero");
    }
}

/// The maximum number of rows or columns of padding, and the maximum distance of a tap from the start of the padding,
/// in rows or columns. The sum of two such numbers fits an `isize`.
const MAX_DISTANCE: usize = isize::MAX as usize / 4;

impl DepthwiseInput<'_> {
    /// Checks the input for a call that writes `length` bytes of line `y` of the output.
    ///
    /// # Panics
    /// Unless `bytes` has `height` × `width` × `channels` bytes and `padding` has `channels`, each followed by
    /// [`TAIL_PADDING`] more; unless `length` is a multiple of `channels`; and where the padding is larger, or a tap
    /// farther away, than [`MAX_DISTANCE`].
    fn check(&self, channels: usize, window: &Window, y: usize, length: usize) {
        let pixels = self.height.checked_mul(self.width);
        let bytes = pixels.and_then(|pixels| end(pixels, channels, TAIL_PADDING));
        assert!(bytes.is_some_and(|bytes| bytes <= self.bytes.len()), "an input with tail padding behind it");
        assert!(
            end(1, channels, TAIL_PADDING).is_some_and(|bytes| bytes <= self.padding.len()),
            "padding with tail padding behind it"
        );
        assert!(length.is_multiple_of(channels), "a line of whole pixels");
        for (axis, outputs) in [(0, y), (1, length / channels)] {
            let kernel = window.kernel[axis].checked_mul(window.dilation[axis]);
            let last = kernel.and_then(|kernel| end(outputs, window.stride[axis], kernel));
            assert!(
                last.is_some_and(|last| last <= MAX_DISTANCE) && window.pad[axis] <= MAX_DISTANCE,
                "windows that reach too far"
            );
        }
    }
}

impl Lines {
    /// Checks rows that span `reach` bytes each, in an input of `from` bytes. Each has `outputs` results, which start
    /// `to_stride` elements after those of its predecessor, in an output of `to` elements.
    ///
    /// # Panics
    /// Unless all rows lie within `from` bytes, and all results within `to` elements; where a line starts before the
    /// last row of its predecessor; and where an end overflows a `usize`.
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

    /// One line of `count` rows that start `stride` bytes apart.
    fn one(stride: usize, count: usize) -> Lines {
        Lines { count: 1, stride: 0, pixels: count, step: stride }
    }
}

/// `count * stride + length`: where an item of `length` ends that follows `count` others, `stride` apart. None where a
/// `usize` overflows.
fn end(count: usize, stride: usize, length: usize) -> Option<usize> {
    count.checked_mul(stride)?.checked_add(length)
}

/// # Panics
/// Unless `from` is as long as `to`.
fn check_one<T>(from: &[T], to: &[u8]) {
    assert!(from.len() == to.len(), "a tensor as long as the result");
}

/// # Panics
/// Unless `a` and `b` are as long as `to`.
fn check_two(a: &[u8], b: &[u8], to: &[u8]) {
    assert!(a.len() == to.len() && b.len() == to.len(), "two tensors as long as the result");
}

/// # Panics
/// Unless each plane is a third as long as `to`.
fn check_planes(planes: [&[u8]; 3], to: &[u8]) {
    assert!(
        planes.iter().all(|plane| Some(to.len()) == plane.len().checked_mul(3)),
        "three planes as long as the result"
    );
}

/// # Panics
/// Unless `count` rows of `length` bytes, which start `stride` bytes apart, lie within `from` bytes.
fn check_rows(from: usize, stride: usize, count: usize, length: usize) {
    assert!(count == 0 || end(count - 1, stride, length).is_some_and(|end| end <= from), "rows as long as the sums");
}

/// The best set for this processor, or the one that the environment variable `BEDSIDE_KERNEL` names. None where this
/// processor has only the portable set and the variable is not set: tract's float kernels are faster there.
///
/// # Errors
/// [`Error::Unsupported`] where the variable names a set that this processor does not have. A process never runs on
/// another set than the one named.
pub(crate) fn chosen() -> Result<Option<&'static dyn Kernels>> {
    static CHOSEN: OnceLock<Result<Option<&'static dyn Kernels>, String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| choose(&available(), std::env::var_os("BEDSIDE_KERNEL").as_deref()));
    chosen.clone().map_err(Error::Unsupported)
}

/// The set of this name. Without a name, the last set, or None where there is only one.
fn choose(available: &[&'static dyn Kernels], wanted: Option<&OsStr>) -> Result<Option<&'static dyn Kernels>, String> {
    let Some(wanted) = wanted else { return Ok(available.last().copied().filter(|_| available.len() > 1)) };
    let found = available.iter().find(|kernels| wanted == kernels.name()).copied();
    let names = || available.iter().map(|kernels| kernels.name()).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| format!("BEDSIDE_KERNEL={}: this processor has {}", wanted.display(), names()))
}

/// The portable set, which every processor can run.
pub(crate) fn portable() -> &'static dyn Kernels {
    &portable::Portable
}

/// All sets that this processor can run, the best one last.
pub(crate) fn available() -> Vec<&'static dyn Kernels> {
    #[allow(unused_mut, reason = "other processors have no other set yet")]
    let mut sets: Vec<&'static dyn Kernels> = vec![portable()];
    #[cfg(target_arch = "aarch64")]
    aarch64::add_to(&mut sets);
    #[cfg(all(
        target_arch = "arm",
        target_endian = "little",
        any(target_os = "android", all(target_os = "linux", target_abi = "eabihf"))
    ))]
    arm::add_to(&mut sets);
    #[cfg(target_arch = "x86_64")]
    x86_64::add_to(&mut sets);
    sets
}

/// Requantizes a scaled sum: `round(clamp(value)) + zero_point`, rounded to the nearest, ties to even. The clamp keeps
/// the byte between `min` and `max`. NaN becomes 0.
pub(crate) fn requantize(value: f32, zero_point: u8, min: u8, max: u8) -> u8 {
    let zero_point = f32::from(zero_point);
    let clamped = value.clamp(f32::from(min) - zero_point, f32::from(max) - zero_point);
    (clamped.round_ties_even() + zero_point) as u8
}

/// `a * b + c`, rounded once to an `f32`, for an integer `a` of at most 8 bits and a sign. The product is exact in
/// `f64`, and so is its sum with a `c` whose magnitude is within a factor of 2²⁰ of it. With other magnitudes the sum
/// may be rounded twice. It is not `f32::mul_add`, which is a slow call where the processor has no such instruction.
pub(crate) fn fused(a: f32, b: f32, c: f32) -> f32 {
    (f64::from(a) * f64::from(b) + f64::from(c)) as f32
}
