//! What is fixed when a model is opened.

use crate::Limits;

/// What is fixed when a model is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many threads one classification may use, the caller's among them; 1 unless given. Where a phone has cores of
    /// several kinds, the number of fast ones is a good one. All classifiers share the other threads, which sleep
    /// between classifications; what is quantized uses no more than there are cores. Results do not depend on it. 0 is
    /// taken for 1, and more than 256 for 256.
    pub threads: u32,
    /// Bounds on pictures and models.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Options {
        Options { threads: 1, limits: Limits::default() }
    }
}
