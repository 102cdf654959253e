//! Pixels in the layouts of decoders and cameras, and their conversion to upright RGB.
//!
//! [`upright`] converts pixels of any layout to a [`Picture`]. It reads only the pixels of the region, so that its time
//! depends on the size of the region and not on that of the frame.

use std::borrow::Cow;
use std::fmt::Display;

use super::orientation::Orientation;
use super::picture::Picture;
use super::region::Rectangle;
use crate::{Error, ErrorKind, Result};

/// Stored pixels that can be read as RGB.
pub(super) trait RgbSource {
    /// Red, green and blue of the stored pixel at column `x` of row `y`, which must be inside the stored size.
    fn rgb(&self, x: usize, y: usize) -> [u8; 3];
}

/// Copies a rectangle of the upright picture from `pixels`, which have the stored size `size` (width, height). The
/// rectangle must be inside the upright size. The picture uses the memory of `rgb`.
pub(super) fn upright(
    pixels: &impl RgbSource,
    size: (u32, u32),
    orientation: Orientation,
    rectangle: Rectangle,
    mut rgb: Vec<u8>,
) -> Picture {
    let upright_size = orientation.size(size);
    let Rectangle { x, y, width, height } = rectangle;
    rgb.clear();
    rgb.reserve_exact(width as usize * height as usize * 3);
    for row in y..y + height {
        for column in x..x + width {
            let (stored_x, stored_y) = orientation.stored(column, row, upright_size);
            rgb.extend_from_slice(&pixels.rgb(stored_x as usize, stored_y as usize));
        }
    }
    Picture::at_full_size(width, height, rgb)
}

/// The samples of one pixel, in the order of their bytes. Samples of 16 bits have the machine's byte order, as in the
/// crate `image`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PixelLayout {
    Gray8,
    GrayAlpha8,
    Rgb8,
    Rgba8,
    Bgra8,
    Gray16,
    GrayAlpha16,
    Rgb16,
    Rgba16,
    /// Cyan, magenta, yellow and black, 255 for full ink.
    Cmyk8,
}

impl PixelLayout {
    pub(super) fn bytes_per_pixel(self) -> usize {
        match self {
            PixelLayout::Gray8 => 1,
            PixelLayout::GrayAlpha8 | PixelLayout::Gray16 => 2,
            PixelLayout::Rgb8 => 3,
            PixelLayout::Rgba8 | PixelLayout::Bgra8 | PixelLayout::GrayAlpha16 | PixelLayout::Cmyk8 => 4,
            PixelLayout::Rgb16 => 6,
            PixelLayout::Rgba16 => 8,
        }
    }
}

/// Rows of pixels whose samples are adjacent.
#[derive(Clone)]
pub(super) struct PackedPixels<'a> {
    layout: PixelLayout,
    width: u32,
    height: u32,
    /// The bytes from the start of a row to that of the next.
    row_stride: usize,
    data: Cow<'a, [u8]>,
}

impl<'a> PackedPixels<'a> {
    /// Checks that the data have all rows. The last row may end with its last pixel.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`].
    pub(super) fn new(
        layout: PixelLayout,
        (width, height): (u32, u32),
        row_stride: usize,
        data: Cow<'a, [u8]>,
    ) -> Result<PackedPixels<'a>> {
        let row = (width as usize).saturating_mul(layout.bytes_per_pixel());
        check_plane("pixels", data.len(), (row, height as usize), row_stride)?;
        Ok(PackedPixels { layout, width, height, row_stride, data })
    }

    /// The same pixels, borrowed.
    pub(super) fn borrowed(&self) -> PackedPixels<'_> {
        PackedPixels { data: Cow::Borrowed(&self.data), ..*self }
    }

    /// The stored size, as (width, height).
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// A rectangle of the upright picture. The data are moved without a copy where they are that picture.
    pub(super) fn into_upright(self, orientation: Orientation, rectangle: Rectangle) -> Picture {
        if self.is_picture(orientation, rectangle) {
            return Picture::at_full_size(self.width, self.height, self.data.into_owned());
        }
        self.upright(orientation, rectangle, Vec::new())
    }

    /// A rectangle of the upright picture, converted. The picture uses the memory of `rgb`.
    pub(super) fn upright(&self, orientation: Orientation, rectangle: Rectangle, rgb: Vec<u8>) -> Picture {
        let view = (orientation, rectangle, rgb);
        match self.layout {
            PixelLayout::Gray8 => self.read(view, |[v]: [u8; 1]| [v; 3]),
            PixelLayout::GrayAlpha8 => self.read(view, |[v, a]: [u8; 2]| [over_white(v, a); 3]),
            PixelLayout::Rgb8 => self.read(view, |rgb: [u8; 3]| rgb),
            PixelLayout::Rgba8 => self.read(view, blended),
            PixelLayout::Bgra8 => self.read(view, |[b, g, r, a]: [u8; 4]| blended([r, g, b, a])),
            PixelLayout::Gray16 => self.read(view, |p: [u8; 2]| [eight_bits(&p, 0); 3]),
            PixelLayout::GrayAlpha16 => {
                self.read(view, |p: [u8; 4]| [over_white(eight_bits(&p, 0), eight_bits(&p, 1)); 3])
            }
            PixelLayout::Rgb16 => self.read(view, |p: [u8; 6]| [0, 1, 2].map(|i| eight_bits(&p, i))),
            PixelLayout::Rgba16 => self.read(view, |p: [u8; 8]| blended([0, 1, 2, 3].map(|i| eight_bits(&p, i)))),
            PixelLayout::Cmyk8 => self.read(view, printed),
        }
    }

    /// A rectangle of the upright picture, whose pixels of `N` bytes `rgb` converts.
    fn read<const N: usize>(
        &self,
        (orientation, rectangle, memory): (Orientation, Rectangle, Vec<u8>),
        rgb: impl Fn([u8; N]) -> [u8; 3],
    ) -> Picture {
        if orientation == Orientation::default() {
            return self.rows(rectangle, memory, rgb);
        }
        upright(&PackedRgb(self, rgb), self.size(), orientation, rectangle, memory)
    }

    /// As `read`, of pixels that are stored upright.
    fn rows<const N: usize>(
        &self,
        Rectangle { x, y, width, height }: Rectangle,
        mut memory: Vec<u8>,
        rgb: impl Fn([u8; N]) -> [u8; 3],
    ) -> Picture {
        let [x, y, row] = [x, y, width].map(|length| length as usize);
        // Each byte is written below: those of an earlier picture are left till then.
        memory.resize(row * height as usize * 3, 0);
        for (place, to) in memory.chunks_exact_mut(row * 3).enumerate() {
            let start = (y + place) * self.row_stride + x * N;
            let (pixels, _) = self.data[start..start + row * N].as_chunks::<N>();
            for (to, &pixel) in to.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                *to = rgb(pixel);
            }
        }
        Picture::at_full_size(width, height, memory)
    }

    /// Whether the data are the bytes of the upright picture's rectangle.
    fn is_picture(&self, orientation: Orientation, rectangle: Rectangle) -> bool {
        let row = self.width as usize * 3;
        self.layout == PixelLayout::Rgb8
            && orientation == Orientation::default()
            && rectangle == Rectangle::of(None, self.size())
            && self.row_stride == row
            && self.data.len() == row * self.height as usize
    }
}

/// Packed pixels of `N` bytes, and the function that converts one to RGB.
struct PackedRgb<'p, 'a, const N: usize, F: Fn([u8; N]) -> [u8; 3]>(&'p PackedPixels<'a>, F);

impl<const N: usize, F: Fn([u8; N]) -> [u8; 3]> RgbSource for PackedRgb<'_, '_, N, F> {
    fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let start = y * self.0.row_stride + x * N;
        let mut pixel = [0; N];
        pixel.copy_from_slice(&self.0.data[start..start + N]);
        (self.1)(pixel)
    }
}

/// A 16-bit sample of a pixel, by its index, as 8 bits: divided by 257 and rounded to nearest.
fn eight_bits(pixel: &[u8], sample: usize) -> u8 {
    let bytes = [pixel[2 * sample], pixel[2 * sample + 1]];
    ((u32::from(u16::from_ne_bytes(bytes)) + 128) / 257) as u8
}

/// A sample blended over white by its alpha, rounded to nearest.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// An RGBA pixel blended over white.
fn blended([r, g, b, a]: [u8; 4]) -> [u8; 3] {
    [over_white(r, a), over_white(g, a), over_white(b, a)]
}

/// The RGB of a CMYK pixel without a profile: (1 - ink)(1 - black), rounded as in Pillow's conversion.
fn printed([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    let light = 255 - u32::from(k);
    [c, m, y].map(|ink| {
        let product = u32::from(ink) * light + 128;
        let absorbed = ((product >> 8) + product) >> 8;
        light.saturating_sub(absorbed) as u8
    })
}

/// Checks that `height` rows of `row` bytes, `stride` bytes apart, are inside `len` bytes. The sizes may have any
/// values: the arithmetic can't overflow. `name` begins the error message.
///
/// # Errors
/// [`ErrorKind::MalformedImage`].
pub(super) fn check_plane(name: impl Display, len: usize, (row, height): (usize, usize), stride: usize) -> Result<()> {
    if row == 0 || height == 0 {
        return Err(Error::new(ErrorKind::MalformedImage, "the picture has no pixels: its width or height is 0"));
    }
    if stride < row {
        return Err(Error::new(
            ErrorKind::MalformedImage,
            format!("{name}: a row stride of {stride} bytes is less than the {row} bytes of a row"),
        ));
    }
    let needed = (height - 1).checked_mul(stride).and_then(|before_last| before_last.checked_add(row));
    if needed.is_none_or(|needed| needed > len) {
        let needed = needed.map_or_else(|| "more than this machine can address".into(), |n| n.to_string());
        return Err(Error::new(
            ErrorKind::MalformedImage,
            format!("{name}: {len} bytes are too few for {height} rows {stride} bytes apart; {needed} are needed"),
        ));
    }
    Ok(())
}
