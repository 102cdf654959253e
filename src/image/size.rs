//! Sizes held against the limits, before memory is asked for.

use crate::{Error, Limits, Result};

/// The longest side, in pixels: JPEG's own bound. It keeps the tables of a resize small beside the picture.
const MAX_SIDE: u32 = 65_535;

/// Checks the size that a header declares, or a frame has.
pub(super) fn check_declared((width, height): (u32, u32), limits: &Limits) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(Error::MalformedImage("the picture has no pixels: its width or height is 0".into()));
    }
    if width.max(height) > MAX_SIDE {
        return Err(Error::TooLarge(format!(
            "the picture declares {width}\u{d7}{height} pixels; a side of at most {MAX_SIDE} is read: crop or reduce it"
        )));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.max_declared_pixels {
        return Err(Error::TooLarge(format!(
            "the picture declares {width}\u{d7}{height} = {pixels} pixels; at most {} are allowed: reduce it, or raise \
             the limit max_declared_pixels",
            limits.max_declared_pixels
        )));
    }
    Ok(())
}

/// Checks the bytes that decoding a picture of that size takes.
pub(super) fn check_decoded((width, height): (u32, u32), bytes: u64, limits: &Limits) -> Result<()> {
    // Whatever the limit, what has passed can be counted in this machine's own sizes.
    let most = limits.max_decoded_bytes.min(isize::MAX as u64);
    if bytes > most {
        return Err(Error::TooLarge(format!(
            "the picture of {width}\u{d7}{height} pixels takes {bytes} bytes to decode; at most {most} are allowed: reduce \
             it, or raise the limit max_decoded_bytes"
        )));
    }
    Ok(())
}
