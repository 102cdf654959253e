//! Camera frames in YUV 4:2:0, and their conversion to RGB.

use std::fmt;

use super::pixels::{RgbSource, check_plane};
use crate::{Error, ErrorKind, Result};

/// One plane of a camera frame, borrowed.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The samples, 8 bits each. The last row may end with its last sample.
    pub data: &'a [u8],
    /// The bytes from the first sample of a row to that of the next row.
    pub row_stride: usize,
    /// The bytes from a sample to the next in a row, at least 1: 1 in planar frames, 2 where U and V alternate.
    pub pixel_stride: usize,
}

// Pictures never enter a log: only sizes are shown.
impl fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plane")
            .field("bytes", &self.data.len())
            .field("row_stride", &self.row_stride)
            .field("pixel_stride", &self.pixel_stride)
            .finish()
    }
}

/// The matrix between RGB and YUV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum YuvMatrix {
    /// ITU-R BT.601: standard definition, JPEG, and the still frames of Android cameras.
    Bt601,
    /// ITU-R BT.709: high-definition video.
    Bt709,
}

/// The range of the samples from black to white and full colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum YuvRange {
    /// Y in 16…235, U and V in 16…240, as in video.
    Limited,
    /// 0…255 for Y, U and V, as in JPEG.
    Full,
}

/// A camera frame in YUV 4:2:0: one U and one V sample for each square of 2×2 pixels, with odd sizes rounded up.
///
/// The fields take any planes, such as those of Android's `Image` in `YUV_420_888`. [`i420`](Yuv420::i420),
/// [`nv12`](Yuv420::nv12) and [`nv21`](Yuv420::nv21) take one buffer without padding. The four pixels of a square have
/// the same U and V, without interpolation. [`Image::yuv420`](crate::Image::yuv420) takes the frame.
///
/// ```
/// use bedside::{Image, Plane, Yuv420, YuvMatrix, YuvRange};
///
/// // 640×480 pixels, in rows of 704 bytes; U and V alternate in one plane.
/// let (y, uv) = (vec![16u8; 704 * 480], vec![128u8; 704 * 240]);
/// let image = Image::yuv420(Yuv420 {
///     width: 640,
///     height: 480,
///     y: Plane { data: &y, row_stride: 704, pixel_stride: 1 },
///     u: Plane { data: &uv, row_stride: 704, pixel_stride: 2 },
///     v: Plane { data: &uv[1..], row_stride: 704, pixel_stride: 2 },
///     matrix: YuvMatrix::Bt601,
///     range: YuvRange::Limited,
/// })?;
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Yuv420<'a> {
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// Luma, `width` × `height` samples.
    pub y: Plane<'a>,
    /// Blue-difference chroma, `width` / 2 × `height` / 2 samples, both rounded up.
    pub u: Plane<'a>,
    /// Red-difference chroma, of the size of `u`.
    pub v: Plane<'a>,
    /// The matrix of the samples.
    pub matrix: YuvMatrix,
    /// The range of the samples.
    pub range: YuvRange,
}

impl<'a> Yuv420<'a> {
    /// A frame in one buffer without padding: all of Y, then all of U, then all of V.
    ///
    /// ```
    /// use bedside::{Image, Yuv420, YuvMatrix, YuvRange};
    ///
    /// let buffer = vec![128u8; 640 * 480 * 3 / 2];
    /// let image = Image::yuv420(Yuv420::i420(640, 480, &buffer, YuvMatrix::Bt601, YuvRange::Full)?)?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`] where the buffer is too short or a side is 0.
    pub fn i420(width: u32, height: u32, data: &'a [u8], matrix: YuvMatrix, range: YuvRange) -> Result<Yuv420<'a>> {
        let (y, chroma) = split(width, height, data)?;
        let (columns, rows) = chroma_size(width, height);
        let (u, v) = chroma.split_at(columns * rows);
        let plane = |data| Plane { data, row_stride: columns, pixel_stride: 1 };
        Yuv420 { width, height, y, u: plane(u), v: plane(v), matrix, range }.checked()
    }

    /// A frame in one buffer without padding: all of Y, then U and V alternating, U first.
    ///
    /// ```
    /// use bedside::{Image, Yuv420, YuvMatrix, YuvRange};
    ///
    /// let buffer = vec![128u8; 640 * 480 * 3 / 2];
    /// let image = Image::yuv420(Yuv420::nv12(640, 480, &buffer, YuvMatrix::Bt709, YuvRange::Limited)?)?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`i420`](Yuv420::i420).
    pub fn nv12(width: u32, height: u32, data: &'a [u8], matrix: YuvMatrix, range: YuvRange) -> Result<Yuv420<'a>> {
        let (y, first, second) = split_interleaved(width, height, data)?;
        Yuv420 { width, height, y, u: first, v: second, matrix, range }.checked()
    }

    /// A frame in one buffer without padding: all of Y, then V and U alternating, V first, as in Android's old camera
    /// API.
    ///
    /// ```
    /// use bedside::{Image, Yuv420, YuvMatrix, YuvRange};
    ///
    /// let buffer = vec![128u8; 640 * 480 * 3 / 2];
    /// let image = Image::yuv420(Yuv420::nv21(640, 480, &buffer, YuvMatrix::Bt601, YuvRange::Full)?)?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`i420`](Yuv420::i420).
    pub fn nv21(width: u32, height: u32, data: &'a [u8], matrix: YuvMatrix, range: YuvRange) -> Result<Yuv420<'a>> {
        let (y, first, second) = split_interleaved(width, height, data)?;
        Yuv420 { width, height, y, u: second, v: first, matrix, range }.checked()
    }

    /// The frame, after a check that its planes have all samples of its size.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`].
    pub(super) fn checked(self) -> Result<Yuv420<'a>> {
        let (columns, rows) = chroma_size(self.width, self.height);
        check("Y", self.y, (self.width as usize, self.height as usize))?;
        check("U", self.u, (columns, rows))?;
        check("V", self.v, (columns, rows))?;
        Ok(self)
    }

    /// The frame's pixels as RGB.
    pub(super) fn pixels(&self) -> impl RgbSource {
        Converted { frame: self, conversion: Conversion::new(self.matrix, self.range) }
    }
}

/// Checks that a plane has all samples of its columns and rows.
fn check(name: &str, plane: Plane<'_>, (columns, rows): (usize, usize)) -> Result<()> {
    if plane.pixel_stride == 0 {
        return Err(Error::new(
            ErrorKind::MalformedImage,
            format!("plane {name}: a pixel stride of 0; give 1 or more"),
        ));
    }
    let row = match columns.checked_sub(1) {
        Some(last) => last.saturating_mul(plane.pixel_stride).saturating_add(1),
        None => 0,
    };
    check_plane(format_args!("plane {name}"), plane.data.len(), (row, rows), plane.row_stride)
}

/// The columns and rows of U, which are those of V.
fn chroma_size(width: u32, height: u32) -> (usize, usize) {
    (width.div_ceil(2) as usize, height.div_ceil(2) as usize)
}

/// The Y plane of a buffer without padding, and the bytes after it, of which there are enough for U and V.
///
/// # Errors
/// [`ErrorKind::MalformedImage`] where the buffer is too short.
fn split(width: u32, height: u32, data: &[u8]) -> Result<(Plane<'_>, &[u8])> {
    let (columns, rows) = (u128::from(width.div_ceil(2)), u128::from(height.div_ceil(2)));
    let luma = u128::from(width) * u128::from(height);
    let needed = luma + 2 * columns * rows;
    if needed > data.len() as u128 {
        return Err(Error::new(
            ErrorKind::MalformedImage,
            format!(
                "a YUV 4:2:0 frame of {width}\u{d7}{height} pixels needs {needed} bytes; the buffer has {}",
                data.len()
            ),
        ));
    }
    let (y, chroma) = data.split_at(luma as usize);
    Ok((Plane { data: y, row_stride: width as usize, pixel_stride: 1 }, chroma))
}

/// The Y plane of a buffer without padding, and the two planes that alternate after it, in their order.
///
/// # Errors
/// As [`split`].
fn split_interleaved(width: u32, height: u32, data: &[u8]) -> Result<(Plane<'_>, Plane<'_>, Plane<'_>)> {
    let (y, chroma) = split(width, height, data)?;
    let row_stride = chroma_size(width, height).0.saturating_mul(2);
    let plane = |data| Plane { data, row_stride, pixel_stride: 2 };
    Ok((y, plane(chroma), plane(chroma.get(1..).unwrap_or_default())))
}

/// A frame whose pixels are converted to RGB.
struct Converted<'f, 'a> {
    frame: &'f Yuv420<'a>,
    conversion: Conversion,
}

impl RgbSource for Converted<'_, '_> {
    fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let sample = |plane: &Plane<'_>, x: usize, y: usize| plane.data[y * plane.row_stride + x * plane.pixel_stride];
        let Yuv420 { y: luma, u, v, .. } = self.frame;
        self.conversion.rgb(sample(luma, x, y), sample(u, x / 2, y / 2), sample(v, x / 2, y / 2))
    }
}

/// The coefficients from YUV to RGB of a matrix and a range, with [`FRACTION_BITS`] fractional bits. Results differ
/// from exact arithmetic, rounded to nearest, by at most one level, where the exact value is close to a half.
struct Conversion {
    /// The Y of black, without fractional bits.
    black: i32,
    luma: i32,
    red_from_v: i32,
    green_from_u: i32,
    green_from_v: i32,
    blue_from_u: i32,
}

/// The fractional bits of the coefficients of [`Conversion`].
const FRACTION_BITS: u32 = 16;

impl Conversion {
    /// The coefficients for `Kr` and `Kb` of ITU-R BT.601-7 section 2.5.1 and BT.709-6 item 3.2. With Kg = 1 - Kr - Kb,
    /// R - Y is 2(1 - Kr)V, B - Y is 2(1 - Kb)U, and G follows from Y = Kr R + Kg G + Kb B.
    fn new(matrix: YuvMatrix, range: YuvRange) -> Conversion {
        let (kr, kb) = match matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let (black, luma, chroma) = match range {
            YuvRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
            YuvRange::Full => (0, 1.0, 1.0),
        };
        let to_fixed_point = |value: f64| (value * f64::from(1 << FRACTION_BITS)).round() as i32;
        let kg = 1.0 - kr - kb;
        Conversion {
            black,
            luma: to_fixed_point(luma),
            red_from_v: to_fixed_point(chroma * 2.0 * (1.0 - kr)),
            green_from_u: to_fixed_point(chroma * 2.0 * kb * (1.0 - kb) / kg),
            green_from_v: to_fixed_point(chroma * 2.0 * kr * (1.0 - kr) / kg),
            blue_from_u: to_fixed_point(chroma * 2.0 * (1.0 - kb)),
        }
    }

    /// Red, green and blue of one pixel, rounded to nearest and clamped to 0…255.
    fn rgb(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (i32::from(y) - self.black) * self.luma + (1 << (FRACTION_BITS - 1));
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        [y + self.red_from_v * v, y - self.green_from_u * u - self.green_from_v * v, y + self.blue_from_u * u]
            .map(|level| (level >> FRACTION_BITS).clamp(0, 255) as u8)
    }
}
