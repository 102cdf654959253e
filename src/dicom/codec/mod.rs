//! The compressed frames (PS3.5 8.2 and A.4).

mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod run_length;

use std::borrow::Cow;

use super::error::{damaged, malformed};
use super::native;
use super::pixels::Layout;
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
    /// Whether the samples of three channels are red, green and blue, whatever the data set says.
    is_rgb: bool,
    /// Pixel by pixel, rows from the top.
    samples: Vec<u16>,
}

/// Decodes a frame, and gives its samples' stored bits, and whether they are red, green and blue in any case.
pub(super) fn read(coding: Coding, bytes: &[u8], layout: &Layout, mut give: impl FnMut(&[u16], bool)) -> Result<()> {
    let mut raster = match coding {
        Coding::Native => return read_native(bytes, layout, |samples| give(samples, false)),
        Coding::RunLength => run_length::decode(bytes, layout)?,
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
    let (cells, bits) = (layout.cells, raster.bits);
    if bits > cells.stored.max(cells.allocated) {
        return Err(malformed(tags::BITS_STORED, format!("is {}, the frame has {bits}", cells.stored)));
    }
    // Of more bits than are stored, the samples are cells.
    let stored =
        |sample: &mut u16| *sample = if bits > cells.stored { cells.bits(*sample) } else { *sample & cells.mask() };
    raster.samples.iter_mut().for_each(stored);
    give(&raster.samples, raster.is_rgb);
    Ok(())
}

/// A frame that is in fragments and not compressed.
fn read_native(bytes: &[u8], layout: &Layout, give: impl FnMut(&[u16])) -> Result<()> {
    let length = bytes.len() as u64;
    let pixels = Element { tag: tags::PIXELS, vr: *b"OB", length: Some(length), encoding: Encoding::EXPLICIT };
    let one = Layout { frames: 1, ..layout.clone() };
    native::read(&Source::Bytes(Cow::Borrowed(bytes)), &one, (pixels, 0, length), 0, give)
}

fn of_jpeg_ls(bytes: &[u8], layout: &Layout) -> Result<Raster> {
    let frame = jpeg_ls::decode(bytes, layout.pixels() * u64::from(layout.channels)).map_err(damaged)?;
    Ok(Raster {
        size: (frame.width, frame.height),
        channels: frame.components as u32,
        bits: u16::from(frame.bits),
        is_rgb: false,
        samples: frame.samples,
    })
}
