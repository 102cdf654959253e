//! A frame in the caller's memory.

use std::mem::offset_of;

use bedside::{Image, Rotation, YuvMatrix, YuvRange};

use super::sized::{self, LeadingSize};
use super::status::{Failure, Outcome, bedside_status};
use super::text::bytes;
use crate::frame::{Frame, Layout, PixelFormat, Strides};

/// The layout of a frame's bytes.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_format {
    /// Red, green, blue; 8 bits each.
    BEDSIDE_FORMAT_RGB8 = 1,
    /// Red, green, blue, alpha; 8 bits each, not premultiplied; composited over white.
    BEDSIDE_FORMAT_RGBA8 = 2,
    /// Blue, green, red, alpha; 8 bits each, not premultiplied; composited over white.
    BEDSIDE_FORMAT_BGRA8 = 3,
    /// Grey; 8 bits.
    BEDSIDE_FORMAT_GRAY8 = 4,
    /// Three planes: a sample of Y for every pixel, one of U and of V for every two by two pixels, odd sizes rounded up.
    BEDSIDE_FORMAT_YUV420 = 5,
}

/// The rotation that brings a picture upright.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_rotation {
    /// None: the picture is upright already.
    BEDSIDE_ROTATION_UPRIGHT = 0,
    /// A quarter turn clockwise.
    BEDSIDE_ROTATION_CLOCKWISE90 = 1,
    /// Half a turn.
    BEDSIDE_ROTATION_CLOCKWISE180 = 2,
    /// A quarter turn counter-clockwise.
    BEDSIDE_ROTATION_CLOCKWISE270 = 3,
}

/// The matrix by which red, green and blue became Y, U and V.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_yuv_matrix {
    /// ITU-R BT.601: standard definition, JPEG, and the still frames of Android cameras.
    BEDSIDE_YUV_MATRIX_BT601 = 0,
    /// ITU-R BT.709: high-definition video.
    BEDSIDE_YUV_MATRIX_BT709 = 1,
}

/// The range of values between black and white, and of full colour.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_yuv_range {
    /// Y from 16 to 235, U and V from 16 to 240, as in video.
    BEDSIDE_YUV_RANGE_LIMITED = 0,
    /// 0 to 255 for all, as in JPEG.
    BEDSIDE_YUV_RANGE_FULL = 1,
}

/// One plane of a frame.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_plane {
    /// The first sample of the first row.
    pub data: *const u8,
    /// The number of bytes at `data`. A frame that needs more is refused.
    pub length: usize,
    /// The bytes from one row to the next.
    pub row_stride: u32,
    /// The bytes from one sample to the next in a row of Y, U or V: 1 in planar frames, 2 where U and V are interleaved.
    /// Not read in the formats of one plane.
    pub pixel_stride: u32,
}

/// A picture in the caller's memory. Call bedside_frame_init on it first. It is read in place, without a copy, and must
/// not change until the call that it is given to returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_frame {
    /// sizeof(bedside_frame), which bedside_frame_init sets.
    pub size: usize,
    /// A bedside_format; none at first.
    pub format: i32,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// A bedside_rotation; BEDSIDE_ROTATION_UPRIGHT at first.
    pub rotation: i32,
    /// 1 where left and right are exchanged after the rotation, else 0; 0 at first.
    pub mirrored: i32,
    /// A bedside_yuv_matrix; BEDSIDE_YUV_MATRIX_BT601 at first. Read in BEDSIDE_FORMAT_YUV420 only.
    pub matrix: i32,
    /// A bedside_yuv_range; BEDSIDE_YUV_RANGE_FULL at first. Read in BEDSIDE_FORMAT_YUV420 only.
    pub range: i32,
    /// The planes: the first one, or Y, U and V.
    pub planes: [bedside_plane; 3],
}

// SAFETY: `repr(C)`, it begins with its size, and all bytes are valid in every field: pointers are checked when used.
unsafe impl LeadingSize for bedside_frame {
    const FIRST: usize = offset_of!(bedside_frame, planes) + size_of::<[bedside_plane; 3]>();

    fn initial() -> bedside_frame {
        let none = bedside_plane { data: std::ptr::null(), length: 0, row_stride: 0, pixel_stride: 0 };
        bedside_frame {
            size: size_of::<bedside_frame>(),
            format: 0,
            width: 0,
            height: 0,
            rotation: bedside_rotation::BEDSIDE_ROTATION_UPRIGHT as i32,
            mirrored: 0,
            matrix: bedside_yuv_matrix::BEDSIDE_YUV_MATRIX_BT601 as i32,
            range: bedside_yuv_range::BEDSIDE_YUV_RANGE_FULL as i32,
            planes: [none; 3],
        }
    }
}

/// Sets all fields to their first values. `size` is sizeof(bedside_frame).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_frame_init(frame: *mut bedside_frame, size: usize) -> bedside_status {
    // SAFETY: the caller gives null or a struct of this size.
    unsafe { sized::initialize(frame, size) }
}

/// A frame of a caller and its planes.
pub(super) struct Given<'a> {
    pub(super) frame: Frame,
    pub(super) planes: [&'a [u8]; 3],
}

impl<'a> Given<'a> {
    /// The picture, whose pixels are borrowed.
    pub(super) fn image(&self) -> Outcome<Image<'a>> {
        Ok(self.frame.image(self.planes)?)
    }
}

/// Reads a frame of a caller.
///
/// # Safety
/// `frame` is null, or points to a struct that begins with its size, whose planes have the bytes that they state; these
/// stay as they are for `'a`.
pub(super) unsafe fn given<'a>(frame: *const bedside_frame) -> Outcome<Given<'a>> {
    // SAFETY: as the caller promises.
    let given = unsafe { sized::read(frame, "frame")? };
    let [first, second, third] = given.planes;
    // YUV 4:2:0 is no format of packed pixels.
    let formats = [
        (bedside_format::BEDSIDE_FORMAT_RGB8 as i32, Some(PixelFormat::Rgb8)),
        (bedside_format::BEDSIDE_FORMAT_RGBA8 as i32, Some(PixelFormat::Rgba8)),
        (bedside_format::BEDSIDE_FORMAT_BGRA8 as i32, Some(PixelFormat::Bgra8)),
        (bedside_format::BEDSIDE_FORMAT_GRAY8 as i32, Some(PixelFormat::Gray8)),
        (bedside_format::BEDSIDE_FORMAT_YUV420 as i32, None),
    ];
    let format = chosen("frame.format", "bedside_format", given.format, &formats)?;
    let (width, height) = (given.width, given.height);
    let layout = match format {
        Some(format) => Layout::Packed { format, width, height, row_stride: first.row_stride },
        None => Layout::Yuv420 {
            width,
            height,
            strides: Strides {
                y_row: first.row_stride,
                y_pixel: first.pixel_stride,
                u_row: second.row_stride,
                u_pixel: second.pixel_stride,
                v_row: third.row_stride,
                v_pixel: third.pixel_stride,
            },
            matrix: matrix(given.matrix)?,
            range: range(given.range)?,
        },
    };
    let frame =
        Frame { layout, rotation: rotation(given.rotation)?, mirrored: flag("frame.mirrored", given.mirrored)? };
    let plane = |plane: bedside_plane, name| {
        // SAFETY: as the caller promises.
        unsafe { bytes(plane.data, plane.length, name) }
    };
    let first = plane(first, "frame.planes[0].data")?;
    let planes = match format {
        Some(_) => [first, &[], &[]],
        None => [first, plane(second, "frame.planes[1].data")?, plane(third, "frame.planes[2].data")?],
    };
    Ok(Given { frame, planes })
}

/// The rotation of this number.
pub(super) fn rotation(number: i32) -> Outcome<Rotation> {
    let rotations = [
        (bedside_rotation::BEDSIDE_ROTATION_UPRIGHT as i32, Rotation::Upright),
        (bedside_rotation::BEDSIDE_ROTATION_CLOCKWISE90 as i32, Rotation::Clockwise90),
        (bedside_rotation::BEDSIDE_ROTATION_CLOCKWISE180 as i32, Rotation::Clockwise180),
        (bedside_rotation::BEDSIDE_ROTATION_CLOCKWISE270 as i32, Rotation::Clockwise270),
    ];
    chosen("rotation", "bedside_rotation", number, &rotations)
}

fn matrix(number: i32) -> Outcome<YuvMatrix> {
    let matrices = [
        (bedside_yuv_matrix::BEDSIDE_YUV_MATRIX_BT601 as i32, YuvMatrix::Bt601),
        (bedside_yuv_matrix::BEDSIDE_YUV_MATRIX_BT709 as i32, YuvMatrix::Bt709),
    ];
    chosen("frame.matrix", "bedside_yuv_matrix", number, &matrices)
}

fn range(number: i32) -> Outcome<YuvRange> {
    let ranges = [
        (bedside_yuv_range::BEDSIDE_YUV_RANGE_LIMITED as i32, YuvRange::Limited),
        (bedside_yuv_range::BEDSIDE_YUV_RANGE_FULL as i32, YuvRange::Full),
    ];
    chosen("frame.range", "bedside_yuv_range", number, &ranges)
}

/// A number that is 0 or 1.
pub(super) fn flag(name: &str, number: i32) -> Outcome<bool> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Failure::argument(format!("{name} is {other}; give 0 or 1"))),
    }
}

/// What the number of an enumeration stands for. `name` is that of the argument.
pub(super) fn chosen<T: Copy>(name: &str, enumeration: &str, number: i32, known: &[(i32, T)]) -> Outcome<T> {
    let found = known.iter().find(|(known, _)| *known == number).map(|(_, meant)| *meant);
    found.ok_or_else(|| Failure::argument(format!("{name} is {number}, which is no {enumeration}")))
}
