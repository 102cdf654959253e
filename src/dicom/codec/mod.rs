//! The compressed frames (PS3.5 8.2 and A.4).

mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod run_length;

use std::borrow::Cow;

use super::error::{damaged, malformed};
use super::native;
use super::pixels::{Cells, Layout, Samples};
use super::source::Source;
use super::syntax::{Coding, Encoding};
use super::tags;
use super::walk::Element;
use crate::Result;

/// A decoded frame.
pub(super) struct Raster {
    /// In pixels.
    size: (u32, u32),
    channels: u32,
    /// The bits of a sample.
    bits: u16,
    /// Whether the samples are near what was encoded, and not it.
    is_lossy: bool,
    /// Whether the samples of three channels are red, green and blue, whatever the data set says.
    is_rgb: bool,
    /// Pixel by pixel, rows from the top.
    samples: Decoded,
}

enum Decoded {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

/// Decodes a frame, and gives its samples' stored bits, and whether they are red, green and blue in any case.
pub(super) fn read(
    coding: Coding,
    bytes: &[u8],
    layout: &Layout,
    mut give: impl FnMut(Samples<'_>, bool),
) -> Result<()> {
    let raster = match coding {
        Coding::Native => {
            let one = Layout { frames: 1, ..layout.clone() };
            return read_native(bytes, &one, |samples| give(samples, false));
        }
        Coding::RunLength => {
            let unpacked = Layout { frames: 1, is_planar: false, is_halved: false, ..layout.clone() };
            return read_native(&run_length::unpacked(bytes, layout)?, &unpacked, |samples| give(samples, false));
        }
        Coding::Jpeg => jpeg::decode(bytes, layout)?,
        Coding::JpegLs => of_jpeg_ls(bytes, layout)?,
        Coding::Jpeg2000 => jpeg2000::decode(bytes, layout)?,
    };
    if raster.size != layout.size {
        let ((width, height), (columns, rows)) = (raster.size, layout.size);
        return Err(malformed(tags::PIXELS, format!("has a frame of {width}×{height}, not {columns}×{rows}")));
    }
    if raster.channels != layout.channels {
        return Err(malformed(
            tags::SAMPLES_PER_PIXEL,
            format!("is {}, the frame has {}", layout.channels, raster.channels),
        ));
    }
    let (cells, bits, is_lossy) = (layout.cells, raster.bits, raster.is_lossy);
    if bits > cells.allocated {
        return Err(malformed(tags::BITS_STORED, format!("is {}, the frame has {bits}", cells.stored)));
    }
    let mut words = match raster.samples {
        Decoded::Bytes(bytes) if layout.is_of_bytes() => {
            give(Samples::Bytes(&bytes), raster.is_rgb);
            return Ok(());
        }
        Decoded::Bytes(bytes) => bytes.into_iter().map(u16::from).collect(),
        Decoded::Words(words) => words,
    };
    for sample in &mut words {
        *sample = stored(*sample, bits, is_lossy, cells);
    }
    give(Samples::Words(&words), raster.is_rgb);
    Ok(())
}

/// The stored bits of a decoded sample of `bits` bits. Of more bits than are stored, samples are cells. One that is near what was
/// encoded may lie beyond what can be stored, and is the nearest that can.
fn stored(sample: u16, bits: u16, is_lossy: bool, cells: Cells) -> u16 {
    if bits <= cells.stored {
        return sample & cells.mask();
    }
    if !is_lossy {
        return cells.bits(sample);
    }
    let unused = 16 - bits;
    let cell = if cells.is_signed { i32::from((sample << unused).cast_signed() >> unused) } else { i32::from(sample) };
    let (min, max) = cells.range();
    (cell >> cells.shift).clamp(min, max) as u16 & cells.mask()
}

/// The only frame of `layout`, whose bytes are those of pixels that are not compressed.
fn read_native(bytes: &[u8], layout: &Layout, give: impl FnMut(Samples<'_>)) -> Result<()> {
    let length = bytes.len() as u64;
    let pixels = Element { tag: tags::PIXELS, vr: *b"OB", length: Some(length), encoding: Encoding::EXPLICIT };
    native::read(&Source::Bytes(Cow::Borrowed(bytes)), layout, (pixels, 0, length), 0, give)
}

fn of_jpeg_ls(bytes: &[u8], layout: &Layout) -> Result<Raster> {
    let frame = jpeg_ls::decode(bytes, layout.pixels() * u64::from(layout.channels)).map_err(damaged)?;
    Ok(Raster {
        size: (frame.width, frame.height),
        channels: frame.components as u32,
        bits: u16::from(frame.bits),
        is_lossy: frame.is_lossy,
        is_rgb: false,
        samples: Decoded::Words(frame.samples),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_near_what_was_stored_is_held_within_it() {
        let cells = Cells { allocated: 16, stored: 12, shift: 0, is_signed: false };
        let signed = Cells { is_signed: true, ..cells };
        for (sample, cells, bits, wanted) in [
            (4095, cells, 16, 4095),
            (4096, cells, 16, 4095),
            (65_535, cells, 16, 4095),
            (2048, signed, 16, 2047),
            // -2103 and -1, in two's complement.
            (63_433, signed, 16, 0x800),
            (65_535, signed, 16, 0xFFF),
            // -1 of 14 bits, and what has no more bits than are stored.
            (0x3FFF, signed, 14, 0xFFF),
            (0xFFF, signed, 12, 0xFFF),
        ] {
            assert_eq!(stored(sample, bits, true, cells), wanted, "{sample} {cells:?}");
        }
        // What was stored exactly may have other bits beside, such as an overlay's.
        assert_eq!(stored(0x1234, 16, false, cells), 0x234);
        assert_eq!(stored(0x1234, 16, false, Cells { shift: 4, ..cells }), 0x123);
    }
}
