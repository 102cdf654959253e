//! Kernels for x86-64: a set for SSE4.1, one for AVX2 with FMA, and one for AVX-512 with VNNI, which leaves to AVX2 what
//! it cannot multiply.

mod avx2;
mod features;
mod pairs;
mod requantize;
mod sse41;
mod taps;
mod vnni;

use std::sync::OnceLock;

use super::{Kernels, Matrix, TAIL_PADDING};

/// Adds the sets that this processor can run, the best one last.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static SSE41: OnceLock<Option<features::Sse41>> = OnceLock::new();
    static AVX2: OnceLock<Option<features::Avx2>> = OnceLock::new();
    static VNNI: OnceLock<Option<vnni::Vnni>> = OnceLock::new();
    sets.extend(SSE41.get_or_init(features::Sse41::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(AVX2.get_or_init(features::Avx2::detect).as_ref().map(|set| set as &dyn Kernels));
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
