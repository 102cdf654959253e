//! Kernels for x86-64.

mod avx2;
mod features;
mod vnni;

use std::sync::OnceLock;

use super::{Kernels, Matrix, TAIL_PADDING};

/// Adds the sets that this processor can run.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static AVX2: OnceLock<Option<features::Avx2>> = OnceLock::new();
    static VNNI: OnceLock<Option<vnni::Vnni>> = OnceLock::new();
    sets.extend(AVX2.get_or_init(features::Avx2::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(VNNI.get_or_init(vnni::Vnni::detect).as_ref().map(|set| set as &dyn Kernels));
}

/// Where each four columns start in a row, and how many bytes from its start on the caller must have: four from each place
/// on, or, without places, where columns follow one another, all of them and [`TAIL_PADDING`] more.
///
/// # Panics
/// Where [`Matrix::check`] does, or, with places, [`Matrix::check_indirect`].
fn checked_places(matrix: &Matrix<'_>, offsets: Option<&[u32]>) -> (Vec<u32>, usize) {
    if let Some(offsets) = offsets {
        matrix.check_indirect(offsets);
        return (offsets.to_vec(), offsets.iter().max().map_or(0, |&place| place as usize + 4));
    }
    matrix.check();
    ((0..matrix.columns).step_by(4).map(|start| start as u32).collect(), matrix.columns + TAIL_PADDING)
}
