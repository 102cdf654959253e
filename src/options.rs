//! The options of opening a model.

use crate::Limits;

/// The options of opening a model. They hold for all of a classifier's calls.
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
    /// The maximum number of threads that one classification uses, the caller's included; 1 by default. 0 counts as 1,
    /// and more than 256 as 256.
    ///
    /// Results do not depend on it. Where a phone has cores of several kinds, the number of fast cores is a good
    /// choice. The other threads belong to a thread pool that all classifiers share, and sleep between classifications.
    /// The quantized partitions of a graph use no more threads than there are cores.
    pub threads: u32,
    /// Upper bounds on the size of pictures and models.
    pub limits: Limits,
}

impl Options {
    /// One thread and the default limits.
    ///
    /// ```
    /// assert_eq!(bedside::Options::new().threads, 1);
    /// ```
    #[must_use]
    pub const fn new() -> Options {
        Options { threads: 1, limits: Limits::new() }
    }

    /// Sets the maximum number of threads that one classification uses, the caller's included.
    ///
    /// ```
    /// assert_eq!(bedside::Options::new().threads(4).threads, 4);
    /// ```
    #[must_use]
    pub const fn threads(self, count: u32) -> Options {
        Options { threads: count, ..self }
    }

    /// Sets the upper bounds on the size of pictures and models.
    ///
    /// ```
    /// use bedside::{Limits, Options};
    ///
    /// let options = Options::new().limits(Limits::new().max_declared_pixels(50_000_000));
    /// assert_eq!(options.limits.max_declared_pixels, 50_000_000);
    /// ```
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
