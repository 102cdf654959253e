//! Kernels for x86-64: a set for SSE4.1, one for AVX2 with FMA, and two for VNNI, on 256 bits and with AVX-512, which
//! leave to AVX2 what they cannot multiply.

mod avx2;
mod avx_vnni;
mod features;
mod pairs;
mod requantize;
mod sse41;
mod vnni;

use std::sync::OnceLock;

use super::{Kernels, Matrix, TAIL_PADDING};
use crate::program::weights::{fit_i8, magnitude};

/// Adds the sets that this processor can run, the best one last.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static SSE41: OnceLock<Option<features::Sse41>> = OnceLock::new();
    static AVX2: OnceLock<Option<features::Avx2>> = OnceLock::new();
    static VNNI: OnceLock<Option<vnni::Vnni>> = OnceLock::new();
    sets.extend(SSE41.get_or_init(features::Sse41::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(AVX2.get_or_init(features::Avx2::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(avx_vnni::set());
    sets.extend(VNNI.get_or_init(vnni::Vnni::detect).as_ref().map(|set| set as &dyn Kernels));
}

/// The offset of each group of four columns from the start of a row, in bytes, and the reach: the number of bytes from
/// the start of each row that the caller must have. With `offsets`, those of an indirect GEMM, the reach is the maximum
/// offset plus four. Without, columns are contiguous, and the reach is their number plus [`TAIL_PADDING`].
///
/// # Panics
/// Where [`Matrix::check`] does, or, with `offsets`, [`Matrix::check_indirect`].
fn checked_offsets(matrix: &Matrix<'_>, offsets: Option<&[u32]>) -> (Vec<u32>, usize) {
    if let Some(offsets) = offsets {
        matrix.check_indirect(offsets);
        return (offsets.to_vec(), offsets.iter().max().map_or(0, |&offset| offset as usize + 4));
    }
    matrix.check();
    ((0..matrix.columns).step_by(4).map(|start| start as u32).collect(), matrix.columns + TAIL_PADDING)
}

/// The bound below which the conversion of a result to 32 bits cannot overflow, with a wide margin.
const MAX_RESULT: f64 = 1e9;

/// Whether `vpdpbusd` can multiply by these weights: all are signed bytes and no result can exceed 32 bits. The weights
/// are those of each output in turn, as many for each; `bias` and `multipliers` have one number for each output. False
/// where there are no weights.
fn fits(weights: &[i16], bias: &[i32], multipliers: &[f32]) -> bool {
    let products = weights.len() / bias.len().max(1);
    let within = |((weights, &bias), &multiplier): ((&[i16], &i32), &f32)| {
        let max = (255 * magnitude(weights) + i64::from(bias).abs()) as f64;
        fit_i8(weights) && max * f64::from(multiplier).abs() < MAX_RESULT
    };
    products > 0 && weights.chunks_exact(products).zip(bias).zip(multipliers).all(within)
}
