//! What is fixed when a model is opened.

use crate::Limits;

/// What is fixed when a model is opened.
///
/// ```
/// use bedside::{Limits, Options};
///
/// let options = Options::new().threads(4).limits(Limits::new().max_model_bytes(64 << 20));
/// assert_eq!(options.threads, 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How many threads one classification may use, the caller's among them; 1 unless given. Where a phone has cores of
    /// several kinds, the number of fast ones is a good one. All classifiers share the other threads, which sleep
    /// between classifications; what is quantized uses no more than there are cores. Results do not depend on it. 0 is
    /// taken for 1, and more than 256 for 256.
    pub threads: u32,
    /// Bounds on pictures and models.
    pub limits: Limits,
}

impl Options {
    /// One thread, and the default limits.
    #[must_use]
    pub const fn new() -> Options {
        Options { threads: 1, limits: Limits::new() }
    }

    /// Sets [`Options::threads`].
    #[must_use]
    pub const fn threads(self, count: u32) -> Options {
        Options { threads: count, ..self }
    }

    /// Sets [`Options::limits`].
    #[must_use]
    pub const fn limits(self, limits: Limits) -> Options {
        Options { limits, ..self }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}
