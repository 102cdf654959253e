//! Kernels for x86-64.

mod avx2;
mod pairs;

use super::Kernels;

/// Adds the sets that this processor can run.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    sets.extend(avx2::Avx2::detect().map(|set| set as &dyn Kernels));
}
