//! Camera frames: brightness for every pixel, two colour differences for every four.

use std::fmt;

use super::pixels::{Pixels, check_plane};
use crate::{Error, Result};

/// One plane of a camera frame, borrowed as the camera left it.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The samples, 8 bits each. The last row may end with its last sample, short of the row stride.
    pub data: &'a [u8],
    /// Bytes from a row's first sample to the next row's.
    pub row_stride: usize,
    /// Bytes from a sample to the next: 1 in planar frames, 2 where U and V alternate.
    pub pixel_stride: usize,
}

// Pictures never enter a log: sizes only.
impl fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plane")
            .field("bytes", &self.data.len())
            .field("row_stride", &self.row_stride)
            .field("pixel_stride", &self.pixel_stride)
            .finish()
    }
}

/// The matrix by which red, green and blue became Y, U and V.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum YuvMatrix {
    /// ITU-R BT.601: standard definition, JPEG, and the still frames of Android cameras.
    Bt601,
    /// ITU-R BT.709: high-definition video.
    Bt709,
}

/// Which values stand for black, white and full colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum YuvRange {
    /// Y in 16…235, U and V in 16…240, as video has it.
    Limited,
    /// 0…255 for all, as JPEG has it.
    Full,
}

/// A frame in YUV 4:2:0: one U and one V sample for every two by two pixels, odd sizes rounded up.
///
/// The struct's own fields take any planes, such as those of Android's `Image` in `YUV_420_888`; [`i420`](Yuv420::i420),
/// [`nv12`](Yuv420::nv12) and [`nv21`](Yuv420::nv21) take one buffer without gaps. All four pixels get the U and V of
/// their square (nearest neighbour; no interpolation).
#[derive(Debug, Clone, Copy)]
pub struct Yuv420<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Brightness, `width` by `height` samples.
    pub y: Plane<'a>,
    /// Blue difference, half as many samples each way, rounded up.
    pub u: Plane<'a>,
    /// Red difference, as many.
    pub v: Plane<'a>,
    /// The matrix the samples were made by.
    pub matrix: YuvMatrix,
    /// The range they are in.
    pub range: YuvRange,
}

impl<'a> Yuv420<'a> {
    /// One buffer: all of Y, then all of U, then all of V.
    ///
    /// # Errors
    /// [`Error::MalformedImage`] where the buffer is too short or a side is 0.
    pub fn i420(width: u32, height: u32, data: &'a [u8], matrix: YuvMatrix, range: YuvRange) -> Result<Yuv420<'a>> {
        let (y, chroma) = split(width, height, data)?;
        let (columns, rows) = chroma_size(width, height);
        let (u, v) = chroma.split_at(columns * rows);
        let plane = |data| Plane { data, row_stride: columns, pixel_stride: 1 };
        Yuv420 { width, height, y, u: plane(u), v: plane(v), matrix, range }.checked()
    }

    /// One buffer: all of Y, then U and V in turns, U first.
    ///
    /// # Errors
    /// As [`i420`](Yuv420::i420).
    pub fn nv12(width: u32, height: u32, data: &'a [u8], matrix: YuvMatrix, range: YuvRange) -> Result<Yuv420<'a>> {
        let (y, first, second) = split_interleaved(width, height, data)?;
        Yuv420 { width, height, y, u: first, v: second, matrix, range }.checked()
    }

    /// One buffer: all of Y, then V and U in turns, V first, as Android's old camera API gives it.
    ///
    /// # Errors
    /// As [`i420`](Yuv420::i420).
    pub fn nv21(width: u32, height: u32, data: &'a [u8], matrix: YuvMatrix, range: YuvRange) -> Result<Yuv420<'a>> {
        let (y, first, second) = split_interleaved(width, height, data)?;
        Yuv420 { width, height, y, u: second, v: first, matrix, range }.checked()
    }

    /// The frame, once every sample that its size speaks of is known to be there.
    pub(super) fn checked(self) -> Result<Yuv420<'a>> {
        let (columns, rows) = chroma_size(self.width, self.height);
        check("Y", self.y, (self.width as usize, self.height as usize))?;
        check("U", self.u, (columns, rows))?;
        check("V", self.v, (columns, rows))?;
        Ok(self)
    }

    /// The frame's pixels as RGB.
    pub(super) fn pixels(&self) -> impl Pixels {
        Converted { frame: self, conversion: Conversion::new(self.matrix, self.range) }
    }
}

fn check(name: &str, plane: Plane<'_>, (columns, rows): (usize, usize)) -> Result<()> {
    if plane.pixel_stride == 0 {
        return Err(Error::MalformedImage(format!("plane {name}: a pixel stride of 0; give 1 or more")));
    }
    let row = match columns.checked_sub(1) {
        Some(last) => last.saturating_mul(plane.pixel_stride).saturating_add(1),
        None => 0,
    };
    check_plane(&format!("plane {name}"), plane.data.len(), (row, rows), plane.row_stride)
}

/// Columns and rows of U and of V.
fn chroma_size(width: u32, height: u32) -> (usize, usize) {
    (width.div_ceil(2) as usize, height.div_ceil(2) as usize)
}

/// The Y plane of a buffer without gaps, and the rest, once the buffer is known to be long enough for both.
fn split(width: u32, height: u32, data: &[u8]) -> Result<(Plane<'_>, &[u8])> {
    let (columns, rows) = (u128::from(width.div_ceil(2)), u128::from(height.div_ceil(2)));
    let luma = u128::from(width) * u128::from(height);
    let needed = luma + 2 * columns * rows;
    if needed > data.len() as u128 {
        return Err(Error::MalformedImage(format!(
            "a YUV 4:2:0 frame of {width}\u{d7}{height} pixels needs {needed} bytes; the buffer has {}",
            data.len()
        )));
    }
    let (y, chroma) = data.split_at(luma as usize);
    Ok((Plane { data: y, row_stride: width as usize, pixel_stride: 1 }, chroma))
}

/// The Y plane, and the two that alternate after it.
fn split_interleaved(width: u32, height: u32, data: &[u8]) -> Result<(Plane<'_>, Plane<'_>, Plane<'_>)> {
    let (y, chroma) = split(width, height, data)?;
    let row_stride = chroma_size(width, height).0.saturating_mul(2);
    let plane = |data| Plane { data, row_stride, pixel_stride: 2 };
    Ok((y, plane(chroma), plane(chroma.get(1..).unwrap_or_default())))
}

struct Converted<'f, 'a> {
    frame: &'f Yuv420<'a>,
    conversion: Conversion,
}

impl Pixels for Converted<'_, '_> {
    fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let sample = |plane: &Plane<'_>, x: usize, y: usize| plane.data[y * plane.row_stride + x * plane.pixel_stride];
        let Yuv420 { y: luma, u, v, .. } = self.frame;
        self.conversion.rgb(sample(luma, x, y), sample(u, x / 2, y / 2), sample(v, x / 2, y / 2))
    }
}

/// The inverse of a matrix and a range, in steps of 2⁻¹⁶: results differ from exact arithmetic, rounded, by at most one
/// level, where exact arithmetic all but meets a half.
struct Conversion {
    black: i32,
    luma: i32,
    red_from_v: i32,
    green_from_u: i32,
    green_from_v: i32,
    blue_from_u: i32,
}

/// Binary places of [`Conversion`].
const PLACES: u32 = 16;

impl Conversion {
    /// From `Kr` and `Kb` of ITU-R BT.601-7 section 2.5.1 and BT.709-6 item 3.2: with Kg = 1 - Kr - Kb, R - Y is
    /// 2(1 - Kr)V, B - Y is 2(1 - Kb)U, and G is what the definition of Y leaves.
    fn new(matrix: YuvMatrix, range: YuvRange) -> Conversion {
        let (kr, kb) = match matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let (black, luma, chroma) = match range {
            YuvRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
            YuvRange::Full => (0, 1.0, 1.0),
        };
        let fixed = |value: f64| (value * f64::from(1 << PLACES)).round() as i32;
        let kg = 1.0 - kr - kb;
        Conversion {
            black,
            luma: fixed(luma),
            red_from_v: fixed(chroma * 2.0 * (1.0 - kr)),
            green_from_u: fixed(chroma * 2.0 * kb * (1.0 - kb) / kg),
            green_from_v: fixed(chroma * 2.0 * kr * (1.0 - kr) / kg),
            blue_from_u: fixed(chroma * 2.0 * (1.0 - kb)),
        }
    }

    fn rgb(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (i32::from(y) - self.black) * self.luma + (1 << (PLACES - 1));
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        [y + self.red_from_v * v, y - self.green_from_u * u - self.green_from_v * v, y + self.blue_from_u * u]
            .map(|level| (level >> PLACES).clamp(0, 255) as u8)
    }
}
