//! How much a picture or a model may ask for.
//!
//! A header is a few bytes that anybody can write, and a failed allocation ends the process: every size is held
//! against these bounds before memory is asked for. The stages that read headers do the holding.

/// Bounds on what is opened. More is [`Error::TooLarge`](crate::Error::TooLarge).
///
/// ```
/// let limits = bedside::Limits::new().max_declared_pixels(20_000_000);
/// assert_eq!(limits.max_model_bytes, 512 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most pixels, width times height, that a picture's header may declare; 200,000,000 unless given.
    pub max_declared_pixels: u64,
    /// The most bytes that decoding may take for pixels and coefficients, beside the encoded bytes themselves; 256 MiB
    /// unless given. A JPEG is counted at the scale at which it is decoded, a progressive one with the coefficients
    /// of its full size.
    pub max_decoded_bytes: u64,
    /// The most bytes that a model file may have, with its external data; 512 MiB unless given.
    pub max_model_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::new()
    }
}

impl Limits {
    /// The default bounds.
    #[must_use]
    pub const fn new() -> Limits {
        Limits { max_declared_pixels: 200_000_000, max_decoded_bytes: 256 << 20, max_model_bytes: 512 << 20 }
    }

    /// Sets [`Limits::max_declared_pixels`].
    #[must_use]
    pub const fn max_declared_pixels(self, pixels: u64) -> Limits {
        Limits { max_declared_pixels: pixels, ..self }
    }

    /// Sets [`Limits::max_decoded_bytes`].
    #[must_use]
    pub const fn max_decoded_bytes(self, bytes: u64) -> Limits {
        Limits { max_decoded_bytes: bytes, ..self }
    }

    /// Sets [`Limits::max_model_bytes`].
    #[must_use]
    pub const fn max_model_bytes(self, bytes: u64) -> Limits {
        Limits { max_model_bytes: bytes, ..self }
    }
}
