//! The arithmetic of programs, for each instruction set. All sets give the same bits.
//!
//! Sums of products are `i32` and never saturate on the way: the lowering refuses weights whose sums could pass `i32`.
//! They may wrap in between (bias and zero point are added first), which changes no result.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::fmt::Debug;
use std::sync::OnceLock;

use crate::program::{AddRule, MultiplyRule, Rounding, Window};

/// How many bytes beyond the end of a tensor kernels may read, and find something of no consequence there.
pub(crate) const SLACK: usize = 64;

/// Weights for products with rows of bytes, and what becomes of their sums.
#[derive(Debug)]
pub(crate) struct Matrix<'a> {
    /// Outputs.
    pub(crate) rows: usize,
    /// Inputs.
    pub(crate) columns: usize,
    /// The byte that stands for zero, near which most inputs may be expected. It changes no result: what it adds to the sums
    /// is in `bias`.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "AVX2 alone asks for it"))]
    pub(crate) zero: u8,
    /// `rows` × `columns`.
    pub(crate) weights: &'a [i16],
    pub(crate) bias: &'a [i32],
    pub(crate) multipliers: &'a [f32],
    pub(crate) rounding: &'a Rounding,
}

/// One filter a channel.
#[derive(Debug)]
pub(crate) struct Filters<'a> {
    pub(crate) channels: usize,
    pub(crate) taps: usize,
    /// `channels` × `taps`.
    pub(crate) weights: &'a [i16],
    pub(crate) bias: &'a [i32],
    pub(crate) multipliers: &'a [f32],
    pub(crate) rounding: &'a Rounding,
}

/// Height × width × channels, and what lies around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Picture<'a> {
    /// [`SLACK`] bytes more than the picture has.
    pub(crate) bytes: &'a [u8],
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// A pixel of the padding, and [`SLACK`] bytes.
    pub(crate) padding: &'a [u8],
}

/// Lines of a picture and the pixels of each, as rows of a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) count: usize,
    /// Bytes from one line to the next.
    pub(crate) stride: usize,
    pub(crate) pixels: usize,
    /// Bytes from one pixel to the next.
    pub(crate) step: usize,
}

/// One set of kernels.
pub(crate) trait Kernels: Debug + Send + Sync {
    fn name(&self) -> &'static str;

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn Gemm> {
        Box::new(portable::Gemm::new(matrix))
    }

    /// For rows whose groups of four inputs do not follow one another: `places` says where each starts, from the row's
    /// first byte on. None where the set has no such kernel.
    fn gemm_at(&self, matrix: &Matrix<'_>, places: &[u32]) -> Option<Box<dyn Gemm>> {
        let _ = (matrix, places);
        None
    }

    fn depthwise(&self, filters: &Filters<'_>) -> Box<dyn Depthwise> {
        Box::new(portable::Depthwise::new(filters))
    }

    /// The same for windows that are known already, which may have kernels of their own.
    fn depthwise_in(&self, filters: &Filters<'_>, window: &Window) -> Box<dyn Depthwise> {
        let _ = window;
        self.depthwise(filters)
    }

    fn quantize(&self, from: &[f32], scale: f32, zero: u8, to: &mut [u8]) {
        portable::quantize(from, scale, zero, to);
    }

    fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        portable::add(rule, a, b, to);
    }

    fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
        portable::multiply(rule, a, b, to);
    }

    fn lookup(&self, table: &[u8; 256], from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
        self.lookup_in_place(table, to);
    }

    fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
        portable::lookup_in_place(table, bytes);
    }

    /// Three planes of bytes, one after the other for each pixel.
    fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
        portable::interleave(planes, to);
    }

    /// Adds up `count` rows of bytes that start `stride` apart, each byte to the sum at its place.
    fn sum(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
        portable::sum(from, stride, count, sums);
    }
}

/// A packed [`Matrix`].
pub(crate) trait Gemm: Debug + Send + Sync {
    /// Multiplies `count` rows of `from`, which start `stride` apart, and writes rows that start `to_stride` apart.
    /// `from` has [`SLACK`] bytes beyond the last row.
    fn bytes(&self, from: &[u8], stride: usize, count: usize, to: &mut [u8], to_stride: usize);

    /// The same for several lines of rows, whose results follow one another.
    fn lines(&self, from: &[u8], lines: Lines, to: &mut [u8], to_stride: usize) {
        for line in 0..lines.count {
            let to = &mut to[line * lines.pixels * to_stride..];
            self.bytes(&from[line * lines.stride..], lines.step, lines.pixels, to, to_stride);
        }
    }

    /// The same as [`Gemm::bytes`], to floats.
    fn floats(&self, from: &[u8], stride: usize, count: usize, to: &mut [f32], to_stride: usize);
}

/// Packed [`Filters`].
pub(crate) trait Depthwise: Debug + Send + Sync {
    /// Writes line `y` of the output.
    fn row(&self, picture: &Picture<'_>, window: &Window, y: usize, to: &mut [u8]);
}

/// The best set for this processor, or the one that the environment variable `BEDSIDE_KERNEL` names. None where only the
/// portable set could be had and was not asked for: tract's float kernels are faster then.
pub(crate) fn chosen() -> Option<&'static dyn Kernels> {
    static CHOSEN: OnceLock<Option<&'static dyn Kernels>> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let available = available();
        let best = available.last().copied().filter(|_| available.len() > 1);
        let Some(wanted) = std::env::var_os("BEDSIDE_KERNEL") else { return best };
        let found = available.iter().find(|kernels| wanted == kernels.name()).copied();
        if found.is_none() {
            let names: Vec<&str> = available.iter().map(|kernels| kernels.name()).collect();
            log::warn!("BEDSIDE_KERNEL={}: this processor has {}", wanted.display(), names.join(", "));
        }
        found.or(best)
    })
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

/// `round(clamp(x)) + zero`: to the nearest, ties to even, from `least` to `most`.
pub(crate) fn byte(value: f32, zero: u8, least: u8, most: u8) -> u8 {
    let zero = f32::from(zero);
    let clamped = value.clamp(f32::from(least) - zero, f32::from(most) - zero);
    (clamped.round_ties_even() + zero) as u8
}

/// `a * b + c` rounded once. A product of an 8-bit number and a float is exact in f64, and its sum with a float of like
/// magnitude too; a call of `f32::mul_add` would be slower where the processor has no such instruction.
pub(crate) fn fused(a: f32, b: f32, c: f32) -> f32 {
    (f64::from(a) * f64::from(b) + f64::from(c)) as f32
}
