//! Checks of sizes against the limits, before memory is allocated.

use crate::{Error, ErrorKind, Limits, Result};

/// The maximum side in pixels, which is that of JPEG. It keeps the weights of a resize small compared with the picture.
const MAX_SIDE: u32 = 65_535;

/// Checks the size (width, height) of a frame, or the one that a header declares.
///
/// # Errors
/// [`ErrorKind::MalformedImage`] where a side is 0; [`ErrorKind::TooLarge`].
pub(super) fn check_declared((width, height): (u32, u32), limits: &Limits) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(Error::new(ErrorKind::MalformedImage, "the picture has no pixels: its width or height is 0"));
    }
    if width.max(height) > MAX_SIDE {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the picture declares {width}\u{d7}{height} pixels; a side of at most {MAX_SIDE} is read: crop or reduce it"
            ),
        ));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.max_declared_pixels {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the picture declares {width}\u{d7}{height} = {pixels} pixels; at most {} are allowed: reduce it, or raise \
             the limit max_declared_pixels",
                limits.max_declared_pixels
            ),
        ));
    }
    Ok(())
}

/// Checks the bytes that decoding a picture of a size (width, height) takes.
///
/// # Errors
/// [`ErrorKind::TooLarge`].
pub(super) fn check_decoded((width, height): (u32, u32), bytes: u64, limits: &Limits) -> Result<()> {
    // A number of bytes that passes fits an allocation on this machine, whatever the limit.
    let max = limits.max_decoded_bytes.min(isize::MAX as u64);
    if bytes > max {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the picture of {width}\u{d7}{height} pixels takes {bytes} bytes to decode; at most {max} are allowed: reduce \
             it, or raise the limit max_decoded_bytes"
            ),
        ));
    }
    Ok(())
}
