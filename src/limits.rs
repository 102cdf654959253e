//! How much a picture or a model may ask for.
//!
//! A header is a few bytes that anybody can write, and a failed allocation ends the process: every size is held
//! against these bounds before memory is asked for. The stages that read headers do the holding.

/// Bounds on what is opened. More is [`Error::TooLarge`](crate::Error::TooLarge).
///
/// ```
/// let limits = bedside::Limits { max_declared_pixels: 20_000_000, ..Default::default() };
/// # assert!(limits.max_declared_pixels < bedside::Limits::default().max_declared_pixels);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        Limits { max_declared_pixels: 200_000_000, max_decoded_bytes: 256 << 20, max_model_bytes: 512 << 20 }
    }
}
