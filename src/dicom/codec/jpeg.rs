//! JPEG (ISO/IEC 10918-1): baseline, extended with 12 bits, and lossless, with the crate `libjpeg-turbo-rs`.

use std::borrow::Cow;

use libjpeg_turbo_rs::precision::{decompress_12bit_with_limits, decompress_lossless_arbitrary};
use libjpeg_turbo_rs::{DecodeLimits, Decoder, JpegError, PixelFormat};

use super::{Decoded, Raster};
use crate::Result;
use crate::dicom::display::Color;
use crate::dicom::error::{damaged, malformed, not_read};
use crate::dicom::pixels::Layout;
use crate::dicom::tags;
use crate::image::MAX_SCANS;

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Raster> {
    let (width, height) = (layout.size.0 as usize, layout.size.1 as usize);
    let limits = DecodeLimits {
        max_width: width,
        max_height: height,
        max_pixels: layout.pixels(),
        max_scans: MAX_SCANS,
        max_memory: None,
    };
    let bytes = if layout.channels == 3 { with_stated_color(bytes, layout) } else { Cow::Borrowed(bytes) };
    let mut decoder = Decoder::new_with_limits(&bytes, limits).map_err(undecoded)?;
    let frame = decoder.header();
    // The decoders check the size against the limits; a smaller one is not the data set's either.
    if (frame.width(), usize::from(frame.height)) != (width, height) {
        let (rows, columns) = (frame.height, frame.width);
        return Err(malformed(tags::PIXELS, format!("has a frame of {columns}×{rows}, not {width}×{height}")));
    }
    let channels = frame.components.len() as u32;
    let (bits, is_lossless) = (u16::from(frame.precision), frame.is_lossless);
    if decoder.is_arithmetic() {
        return Err(not_read("arithmetic-coded JPEG is"));
    }
    let raster = |is_rgb: bool, samples: Decoded| Raster {
        size: layout.size,
        channels,
        bits,
        is_lossy: !is_lossless,
        is_rgb,
        samples,
    };
    if is_lossless {
        let samples = decompress_lossless_arbitrary(&bytes).map_err(undecoded)?.data;
        return Ok(raster(false, Decoded::Words(samples)));
    }
    match (bits, channels) {
        (8, 1 | 3) => {
            decoder.set_output_format(if channels == 1 { PixelFormat::Grayscale } else { PixelFormat::Rgb });
            Ok(raster(true, Decoded::Bytes(decoder.decode_image().map_err(undecoded)?.data)))
        }
        (12, 1) => {
            let samples = decompress_12bit_with_limits(&bytes, &limits).map_err(undecoded)?.data;
            let words = samples.into_iter().map(|sample| sample.clamp(0, 4095) as u16).collect();
            Ok(raster(false, Decoded::Words(words)))
        }
        _ => Err(not_read(format!("JPEG with {channels} samples of {bits} bits is"))),
    }
}

/// A colour frame with a marker that says whether it is red, green and blue, or luminance and differences: as the data set
/// says, unless the frame has a marker of its own, Adobe's or JFIF's.
fn with_stated_color<'b>(bytes: &'b [u8], layout: &Layout) -> Cow<'b, [u8]> {
    if has_marker(bytes) || !bytes.starts_with(&[0xFF, 0xD8]) {
        return Cow::Borrowed(bytes);
    }
    let transform = u8::from(matches!(layout.color, Color::Ybr { .. }));
    let marker = [0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, transform];
    Cow::Owned([&bytes[..2], &marker, &bytes[2..]].concat())
}

/// Whether a marker of the frame says what its colours are.
fn has_marker(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xFF, marker, high, low, content @ ..] = rest {
        if matches!(
            (marker, content),
            (0xE0, [b'J', b'F', b'I', b'F', ..]) | (0xEE, [b'A', b'd', b'o', b'b', b'e', ..])
        ) {
            return true;
        }
        if *marker == 0xDA {
            return false;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = rest.get(2 + length.max(2)..).unwrap_or_default();
    }
    false
}

fn undecoded(error: JpegError) -> crate::Error {
    match error {
        JpegError::Unsupported(feature) => not_read(format!("this JPEG ({feature}) is")),
        error => damaged(error),
    }
}
