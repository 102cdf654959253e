//! Decoding of DICOM, with the module of that name.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Image;
use super::orientation::Orientation;
use super::picture::{Picture, Placement};
use super::pixels::{PackedPixels, PixelLayout};
use super::region::Rectangle;
use super::request::DecodeRequest;
use super::size::{check_declared, check_decoded};
use crate::Result;
use crate::dicom::{Choice, HEAD, OpenFile, Source, frame, is_dicom};
use crate::geometry::Affine;

/// Opens a file, if it is DICOM and can be read from any place. A pipe is not opened: it could not be opened once more.
pub(super) fn open(path: &Path) -> io::Result<Option<OpenFile>> {
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head)?;
    Ok(is_dicom(&head).then(|| OpenFile::new(file, metadata.len())))
}

/// Decodes the frame of `image`, upright and cropped as the request says, and tells where the picture lies in the stored one. The picture
/// uses the memory of `rgb`.
pub(super) fn decode(
    source: Source<'_>,
    image: &Image<'_>,
    request: &DecodeRequest,
    rgb: Vec<u8>,
) -> Result<(Picture, Placement)> {
    let limits = &request.limits;
    let choice = Choice { frame: u64::from(image.frame), window: image.window, is_whole: image.is_whole };
    let shown = frame(source, choice, limits, |size, bytes| {
        check_declared(size, limits)?;
        check_decoded(size, bytes, limits)
    })?;
    let stored = shown.size;
    let layout = if shown.is_color { PixelLayout::Rgb8 } else { PixelLayout::Gray8 };
    let row_stride = stored.0 as usize * layout.bytes_per_pixel();
    let [left, top, right, bottom] = shown.area;
    let size = (right - left, bottom - top);
    let orientation = request.orientation(Orientation::default());
    let rectangle = Rectangle::of(request.region, orientation.size(size));
    let placement = rectangle.placement(orientation, size, size, 1.0);
    let in_frame = Affine::scaled((1.0, 1.0), (f64::from(left), f64::from(top)));
    let placement = Placement { stored, to_stored: placement.to_stored.then(&in_frame), facts: shown.facts };
    let first = top as usize * row_stride + left as usize * layout.bytes_per_pixel();
    let pixels = PackedPixels::new(layout, size, row_stride, Cow::Borrowed(&shown.pixels[first..]))?;
    Ok((pixels.upright(orientation, rectangle, rgb), placement))
}
