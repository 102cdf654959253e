//! Pixels in the layouts that decoders and cameras give, read one at a time as RGB.
//!
//! One loop, [`upright`], turns any of them into a [`Picture`]: it visits the pixels of the region only, wherever the
//! orientation has put them, so that a region of a camera frame costs no more than its own size.

use std::borrow::Cow;

use super::orientation::Orientation;
use super::picture::Picture;
use super::region::Rectangle;
use crate::{Error, Result};

/// Anything that has an RGB value at each place.
pub(super) trait Pixels {
    /// Red, green and blue at column `x` of row `y`, both inside the stored size.
    fn rgb(&self, x: usize, y: usize) -> [u8; 3];
}

/// Copies the rectangle of the upright picture out of pixels stored at `size` (width, height).
pub(super) fn upright(
    pixels: &impl Pixels,
    size: (u32, u32),
    orientation: Orientation,
    rectangle: Rectangle,
) -> Picture {
    let upright_size = orientation.size(size);
    let Rectangle { x, y, width, height } = rectangle;
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for row in y..y + height {
        for column in x..x + width {
            let (stored_x, stored_y) = orientation.stored(column, row, upright_size);
            rgb.extend_from_slice(&pixels.rgb(stored_x as usize, stored_y as usize));
        }
    }
    Picture { width, height, rgb }
}

/// How the bytes of one pixel are to be read. Samples of 16 bits are in the machine's byte order, as `image` gives
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Gray8,
    GrayAlpha8,
    Rgb8,
    Rgba8,
    Bgra8,
    Gray16,
    GrayAlpha16,
    Rgb16,
    Rgba16,
    /// Ink amounts, 255 for all of it.
    Cmyk8,
}

impl Layout {
    pub(super) fn bytes_per_pixel(self) -> usize {
        match self {
            Layout::Gray8 => 1,
            Layout::GrayAlpha8 | Layout::Gray16 => 2,
            Layout::Rgb8 => 3,
            Layout::Rgba8 | Layout::Bgra8 | Layout::GrayAlpha16 | Layout::Cmyk8 => 4,
            Layout::Rgb16 => 6,
            Layout::Rgba16 => 8,
        }
    }
}

/// Rows of pixels whose samples stand side by side.
#[derive(Clone)]
pub(super) struct Packed<'a> {
    layout: Layout,
    width: u32,
    height: u32,
    /// Bytes from one row to the next.
    row_stride: usize,
    data: Cow<'a, [u8]>,
}

impl<'a> Packed<'a> {
    /// Checks that the data hold all rows; the last one may end with its last pixel.
    pub(super) fn new(
        layout: Layout,
        (width, height): (u32, u32),
        row_stride: usize,
        data: Cow<'a, [u8]>,
    ) -> Result<Packed<'a>> {
        let row = (width as usize).saturating_mul(layout.bytes_per_pixel());
        check_plane("pixels", data.len(), (row, height as usize), row_stride)?;
        Ok(Packed { layout, width, height, row_stride, data })
    }

    pub(super) fn borrowed(&self) -> Packed<'_> {
        Packed { data: Cow::Borrowed(&self.data), ..*self }
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The rectangle of the upright picture; the data themselves where they are just that already.
    pub(super) fn into_upright(self, orientation: Orientation, rectangle: Rectangle) -> Picture {
        if self.is_picture(orientation, rectangle) {
            return Picture { width: self.width, height: self.height, rgb: self.data.into_owned() };
        }
        self.upright(orientation, rectangle)
    }

    /// The rectangle of the upright picture, copied.
    pub(super) fn upright(&self, orientation: Orientation, rectangle: Rectangle) -> Picture {
        let place = (orientation, rectangle);
        match self.layout {
            Layout::Gray8 => self.read(place, |[v]: [u8; 1]| [v; 3]),
            Layout::GrayAlpha8 => self.read(place, |[v, a]: [u8; 2]| [over_white(v, a); 3]),
            Layout::Rgb8 => self.read(place, |rgb: [u8; 3]| rgb),
            Layout::Rgba8 => self.read(place, blended),
            Layout::Bgra8 => self.read(place, |[b, g, r, a]: [u8; 4]| blended([r, g, b, a])),
            Layout::Gray16 => self.read(place, |p: [u8; 2]| [eight_bits(&p, 0); 3]),
            Layout::GrayAlpha16 => self.read(place, |p: [u8; 4]| [over_white(eight_bits(&p, 0), eight_bits(&p, 1)); 3]),
            Layout::Rgb16 => self.read(place, |p: [u8; 6]| [0, 1, 2].map(|i| eight_bits(&p, i))),
            Layout::Rgba16 => self.read(place, |p: [u8; 8]| blended([0, 1, 2, 3].map(|i| eight_bits(&p, i)))),
            Layout::Cmyk8 => self.read(place, printed),
        }
    }

    fn read<const N: usize>(
        &self,
        (orientation, rectangle): (Orientation, Rectangle),
        rgb: impl Fn([u8; N]) -> [u8; 3],
    ) -> Picture {
        upright(&As(self, rgb), self.size(), orientation, rectangle)
    }

    fn is_picture(&self, orientation: Orientation, rectangle: Rectangle) -> bool {
        let row = self.width as usize * 3;
        self.layout == Layout::Rgb8
            && orientation == Orientation::default()
            && rectangle == Rectangle::of(None, self.size())
            && self.row_stride == row
            && self.data.len() == row * self.height as usize
    }
}

/// Packed pixels of `N` bytes, and what makes them RGB.
struct As<'p, 'a, const N: usize, F: Fn([u8; N]) -> [u8; 3]>(&'p Packed<'a>, F);

impl<const N: usize, F: Fn([u8; N]) -> [u8; 3]> Pixels for As<'_, '_, N, F> {
    fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let start = y * self.0.row_stride + x * N;
        let mut pixel = [0; N];
        pixel.copy_from_slice(&self.0.data[start..start + N]);
        (self.1)(pixel)
    }
}

/// The 16-bit sample of a number as 8 bits, rounded to the nearest: 65535 / 257 is 255.
fn eight_bits(pixel: &[u8], sample: usize) -> u8 {
    let bytes = [pixel[2 * sample], pixel[2 * sample + 1]];
    ((u32::from(u16::from_ne_bytes(bytes)) + 128) / 257) as u8
}

/// A sample laid over white by its alpha, rounded to the nearest.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

fn blended([r, g, b, a]: [u8; 4]) -> [u8; 3] {
    [over_white(r, a), over_white(g, a), over_white(b, a)]
}

/// What paper shows under these inks, uncalibrated: (1 - ink)(1 - black), rounded as Pillow's conversion does.
fn printed([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    let light = 255 - u32::from(k);
    [c, m, y].map(|ink| {
        let product = u32::from(ink) * light + 128;
        let absorbed = ((product >> 8) + product) >> 8;
        light.saturating_sub(absorbed) as u8
    })
}

/// Checks that `height` rows of `row` bytes, `stride` bytes apart, lie inside `len` bytes. Sizes may come from
/// anywhere: the arithmetic is checked.
pub(super) fn check_plane(name: &str, len: usize, (row, height): (usize, usize), stride: usize) -> Result<()> {
    if row == 0 || height == 0 {
        return Err(Error::MalformedImage("the picture has no pixels: its width or height is 0".into()));
    }
    if stride < row {
        return Err(Error::MalformedImage(format!(
            "{name}: a row stride of {stride} bytes is less than the {row} bytes of a row"
        )));
    }
    let needed = (height - 1).checked_mul(stride).and_then(|before_last| before_last.checked_add(row));
    if needed.is_none_or(|needed| needed > len) {
        let needed = needed.map_or_else(|| "more than this machine can address".into(), |n| n.to_string());
        return Err(Error::MalformedImage(format!(
            "{name}: {len} bytes are too few for {height} rows {stride} bytes apart; {needed} are needed"
        )));
    }
    Ok(())
}
