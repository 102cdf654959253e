//! Upper bounds on the size of pictures and models.
//!
//! Headers are untrusted, and a failed allocation ends the process. So each stage that reads a header compares the
//! sizes in it with these bounds before it allocates memory.

/// Upper bounds on the size of pictures and models. What exceeds one is
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
///
/// A picture must keep both bounds on pictures. With the default ones, a JPEG may have 200,000,000 pixels, since it is
/// decoded at a reduced scale, but a PNG of that size takes too many bytes.
///
/// Start from the default bounds and change some:
///
/// ```
/// let limits = bedside::Limits::new().max_declared_pixels(20_000_000);
/// assert_eq!(limits.max_model_bytes, 512 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum number of pixels, width × height, that a picture's header may declare or a frame may have;
    /// 200,000,000 by default.
    pub max_declared_pixels: u64,
    /// The maximum number of bytes that decoding may take for pixels and coefficients, without the encoded bytes; 256
    /// MiB by default. A JPEG is counted at the scale at which it is decoded, a progressive one together with the
    /// coefficients of its full size. Of a frame, the three bytes of each pixel in the region are counted.
    pub max_decoded_bytes: u64,
    /// The maximum size of a model file and its external data together, in bytes; 512 MiB by default.
    pub max_model_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::new()
    }
}

impl Limits {
    /// The default bounds.
    ///
    /// ```
    /// assert_eq!(bedside::Limits::new().max_decoded_bytes, 256 << 20);
    /// ```
    #[must_use]
    pub const fn new() -> Limits {
        Limits { max_declared_pixels: 200_000_000, max_decoded_bytes: 256 << 20, max_model_bytes: 512 << 20 }
    }

    /// Sets the maximum number of pixels that a picture's header may declare.
    ///
    /// ```
    /// let limits = bedside::Limits::new().max_declared_pixels(50_000_000);
    /// assert_eq!(limits.max_declared_pixels, 50_000_000);
    /// ```
    #[must_use]
    pub const fn max_declared_pixels(self, pixels: u64) -> Limits {
        Limits { max_declared_pixels: pixels, ..self }
    }

    /// Sets the maximum number of bytes that decoding may take.
    ///
    /// ```
    /// let limits = bedside::Limits::new().max_decoded_bytes(64 << 20);
    /// assert_eq!(limits.max_decoded_bytes, 64 << 20);
    /// ```
    #[must_use]
    pub const fn max_decoded_bytes(self, bytes: u64) -> Limits {
        Limits { max_decoded_bytes: bytes, ..self }
    }

    /// Sets the maximum size of a model file and its external data together, in bytes.
    ///
    /// ```
    /// let limits = bedside::Limits::new().max_model_bytes(32 << 20);
    /// assert_eq!(limits.max_model_bytes, 32 << 20);
    /// ```
    #[must_use]
    pub const fn max_model_bytes(self, bytes: u64) -> Limits {
        Limits { max_model_bytes: bytes, ..self }
    }
}
