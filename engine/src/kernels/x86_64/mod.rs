//! Kernels for x86-64.

mod avx2;
mod features;
mod vnni;

use std::sync::OnceLock;

use super::Kernels;

/// Adds the sets that this processor can run.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static AVX2: OnceLock<Option<features::Avx2>> = OnceLock::new();
    static VNNI: OnceLock<Option<vnni::Vnni>> = OnceLock::new();
    sets.extend(AVX2.get_or_init(features::Avx2::detect).as_ref().map(|set| set as &dyn Kernels));
    sets.extend(VNNI.get_or_init(vnni::Vnni::detect).as_ref().map(|set| set as &dyn Kernels));
}
