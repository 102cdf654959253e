//! A picture in bytes that the other language owns: their layout, and the rotation that brings the picture upright.

use bedside::{Error, ErrorKind, Image, Plane, Result, Rotation, Yuv420, YuvMatrix, YuvRange};

/// The layout of a picture's bytes. Width and height are in pixels, strides in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Layout {
    /// An encoded file, whose first bytes tell its format.
    Encoded,
    /// One plane of pixels with interleaved channels.
    Packed { format: PixelFormat, width: u32, height: u32, row_stride: u32 },
    /// Three planes: Y at full size, U and V at half the width and half the height, rounded up.
    Yuv420 { width: u32, height: u32, strides: Strides, matrix: YuvMatrix, range: YuvRange },
}

/// The channels of an interleaved pixel in the order of its bytes, one byte each.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PixelFormat {
    Rgb8,
    Rgba8,
    Bgra8,
    Gray8,
}

/// The bytes from one sample of a plane to the next: `row` down a column, `pixel` along a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strides {
    pub(crate) y_row: u32,
    pub(crate) y_pixel: u32,
    pub(crate) u_row: u32,
    pub(crate) u_pixel: u32,
    pub(crate) v_row: u32,
    pub(crate) v_pixel: u32,
}

/// A layout, and the rotation and the mirroring that bring the picture upright. Mirroring follows the rotation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) layout: Layout,
    pub(crate) rotation: Rotation,
    pub(crate) mirrored: bool,
}

impl Frame {
    /// The picture in these planes. Pixels are borrowed; an encoded file is copied. Layouts other than YUV have one
    /// plane, and the other two must be empty.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`] where the planes do not fit the layout.
    pub(crate) fn image<'a>(&self, [first, second, third]: [&'a [u8]; 3]) -> Result<Image<'a>> {
        let is_single = second.is_empty() && third.is_empty();
        let image = match self.layout {
            Layout::Encoded | Layout::Packed { .. } if !is_single => {
                let message = "three planes were given for a layout of one; give YUV 4:2:0, or one plane";
                return Err(Error::new(ErrorKind::MalformedImage, message));
            }
            // The copy is small compared with what decoding takes, and decoders must not read bytes that change
            // meanwhile.
            Layout::Encoded => Image::from_bytes(first.to_vec()),
            Layout::Packed { format, width, height, row_stride } => {
                let stride = row_stride as usize;
                match format {
                    PixelFormat::Rgb8 => Image::rgb8(width, height, stride, first),
                    PixelFormat::Rgba8 => Image::rgba8(width, height, stride, first),
                    PixelFormat::Bgra8 => Image::bgra8(width, height, stride, first),
                    PixelFormat::Gray8 => Image::gray8(width, height, stride, first),
                }?
            }
            Layout::Yuv420 { width, height, strides, matrix, range } => {
                let plane = |data, row_stride: u32, pixel_stride: u32| Plane {
                    data,
                    row_stride: row_stride as usize,
                    pixel_stride: pixel_stride as usize,
                };
                let y = plane(first, strides.y_row, strides.y_pixel);
                let u = plane(second, strides.u_row, strides.u_pixel);
                let v = plane(third, strides.v_row, strides.v_pixel);
                Image::yuv420(Yuv420 { width, height, y, u, v, matrix, range })?
            }
        };
        let image = image.rotated(self.rotation);
        Ok(if self.mirrored { image.mirrored() } else { image })
    }

    /// The bytes of each plane that the frame uses, from its start; all bytes of an encoded file.
    pub(crate) fn used<'a>(&self, planes: [&'a [u8]; 3]) -> [&'a [u8]; 3] {
        let lengths = match self.layout {
            Layout::Encoded => return planes,
            Layout::Packed { format, width, height, row_stride } => {
                [length(row_stride, height, format.bytes_per_pixel(), width), 0, 0]
            }
            Layout::Yuv420 { width, height, strides, .. } => {
                let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
                [
                    length(strides.y_row, height, strides.y_pixel, width),
                    length(strides.u_row, half_height, strides.u_pixel, half_width),
                    length(strides.v_row, half_height, strides.v_pixel, half_width),
                ]
            }
        };
        [0, 1, 2].map(|i| &planes[i][..lengths[i].min(planes[i].len())])
    }
}

impl PixelFormat {
    fn bytes_per_pixel(self) -> u32 {
        match self {
            PixelFormat::Rgb8 => 3,
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => 4,
            PixelFormat::Gray8 => 1,
        }
    }
}

/// The number of bytes of a plane up to and with the last sample's pixel stride. A plane of interleaved chroma may end
/// one byte earlier.
fn length(row_stride: u32, rows: u32, pixel_stride: u32, columns: u32) -> usize {
    let wide = |number: u32| number as usize;
    let before_last = wide(rows).saturating_sub(1).saturating_mul(wide(row_stride));
    before_last.saturating_add(wide(columns).saturating_mul(wide(pixel_stride)))
}
