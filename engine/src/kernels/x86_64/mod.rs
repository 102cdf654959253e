//! Kernels for x86-64.

mod avx2;
mod vnni;

use std::sync::OnceLock;

use super::Kernels;

/// Adds the sets that this processor can run.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    static VNNI: OnceLock<Option<vnni::Vnni>> = OnceLock::new();
    sets.extend(avx2::Avx2::detect().map(|set| set as &dyn Kernels));
    sets.extend(VNNI.get_or_init(vnni::Vnni::detect).as_ref().map(|set| set as &dyn Kernels));
}
