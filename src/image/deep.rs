//! The range of the samples of 16-bit grey pictures.
//!
//! Programs write 10 or 12 bits of a film into 16 without scaling them, and most of their files do not say so. Taken for what
//! they seem to be, such pictures are nearly black.

use ::image::ImageFormat;

use super::exif;
use super::metadata::significant_bits;
use super::window::{Window, linear, valid};
use crate::{Error, ErrorKind, Result};

/// Scales the grey samples of a picture to 16 bits, in the machine's byte order, `channels` samples a pixel, of which the
/// first is grey. The window says which of them are black and white; else the file; else it is the whole range, if at least
/// half of it is used.
///
/// # Errors
/// [`ErrorKind::UnsupportedImage`] where the range can't be known; [`ErrorKind::InvalidQuery`] for a window of a number, or of
/// a width below 1.
pub(super) fn scale(
    (format, name): (ImageFormat, &str),
    file: &[u8],
    samples: &mut [u8],
    channels: usize,
    window: Window,
) -> Result<()> {
    let grey = |pixel: &[u8]| u16::from_ne_bytes([pixel[0], pixel[1]]);
    let max = samples.chunks_exact(2 * channels).map(grey).max().unwrap_or(0);
    let part: Box<dyn Fn(f64) -> f64> = match window {
        Window::Values { center, width } => {
            valid(center, width)?;
            Box::new(move |value| linear(value, center, width))
        }
        Window::Number(number) => {
            let message = format!("window {number}: {name} has no windows; give a center and a width");
            return Err(Error::new(ErrorKind::InvalidQuery, message));
        }
        Window::First => match stated_max(format, file) {
            Some(u16::MAX) => return Ok(()),
            Some(stated) if max <= stated => Box::new(move |value| value / f64::from(stated)),
            // Samples of fewer significant bits are scaled, says the standard of PNG.
            Some(_) if format == ImageFormat::Png => return Ok(()),
            Some(stated) => {
                return Err(Error::new(
                    ErrorKind::MalformedImage,
                    format!("{name}: a sample is {max}, and the file states {stated} as maximum; export it again"),
                ));
            }
            None if max > u16::MAX / 2 || max == 0 => return Ok(()),
            None => {
                return Err(Error::new(
                    ErrorKind::UnsupportedImage,
                    format!(
                        "{name}: the 16-bit samples end at {max}, and the file does not say which value is white; give a window, \
                         its center and its width, or export the picture with 8 bits"
                    ),
                ));
            }
        },
    };
    for pixel in samples.chunks_exact_mut(2 * channels) {
        // A multiple of 257 is that level of 8 bits exactly, so that nothing is rounded twice.
        let level = (part(f64::from(grey(pixel))) * 255.0 + 0.5).floor() as u16;
        pixel[..2].copy_from_slice(&(level * 257).to_ne_bytes());
    }
    Ok(())
}

/// The value that a file says to be white: that of the significant bits of a PNG (ISO/IEC 15948, 11.3.2.3), or the maximum that
/// a TIFF states (`MaxSampleValue`).
fn stated_max(format: ImageFormat, file: &[u8]) -> Option<u16> {
    match format {
        ImageFormat::Png => significant_bits(file).map(|bits| u16::MAX >> (16 - u16::from(bits))),
        ImageFormat::Tiff => exif::max_sample(file),
        _ => None,
    }
}
