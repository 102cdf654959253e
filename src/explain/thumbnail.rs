//! Small pictures for pages that show many: a picture upright, and a heatmap over its picture without a legend. They are
//! JPEG, a few kilobytes each, and have no metadata.

use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};

use super::Heatmap;
use super::overlay::{Drawing, Extent, decoded, resized};
use crate::manifest::Color;
use crate::{Error, ErrorKind, Image, Result};

/// The maximum side, in pixels.
const SIDE: u32 = 128;

/// The size of both. Small pictures are not enlarged.
const EXTENT: Extent = Extent { decoded: (SIDE, SIDE), bounds: (SIDE, SIDE), max_enlargement: 1.0 };

/// The quality on the scale of libjpeg, 1 to 100.
const QUALITY: u8 = 80;

/// The picture as a JPEG of at most 128 pixels a side, upright.
///
/// # Errors
/// As [`Heatmap::overlay`] has where the picture can't be decoded.
pub(crate) fn thumbnail(image: &Image<'_>) -> Result<Vec<u8>> {
    let (picture, _) = decoded(image, EXTENT.decoded)?;
    encoded(&resized(&picture, Color::Rgb, &EXTENT))
}

/// The heatmap over its picture as a JPEG of the size of the picture's [`thumbnail`]: [`Heatmap::overlay`] without the
/// legend.
///
/// # Errors
/// As [`Heatmap::overlay`].
pub(crate) fn heatmap_thumbnail(heatmap: &Heatmap, image: &Image<'_>) -> Result<Vec<u8>> {
    encoded(&heatmap.drawn(image, &EXTENT)?)
}

fn encoded(drawing: &Drawing) -> Result<Vec<u8>> {
    let (width, height) = (drawing.width as usize, drawing.height as usize);
    let encoder = Encoder::new(&drawing.rgb, width, height, PixelFormat::Rgb);
    let jpeg = encoder.quality(QUALITY).subsampling(Subsampling::S420).encode();
    jpeg.map_err(|error| Error::new(ErrorKind::Internal, format!("the small picture can't be written: {error}")))
}
