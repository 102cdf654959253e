//! Pictures that the library keeps.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;

use bedside::Window;

use super::frame::{bedside_frame, given, rotation};
use super::handle;
use super::status::{Failure, Outcome, answered, bedside_error, bedside_status};
use super::text::{bytes, copy_values};
use crate::handles::Handles;
use crate::picture::Picture;

pub(super) static IMAGES: Handles<Picture> = Handles::new();

/// A picture that the library keeps: the bytes of a file, or a copy of a frame. It is decoded when it is classified, at
/// the scale that the model needs, and rotated upright by its EXIF orientation. Many threads may classify one picture at
/// once, any number of times.
pub struct bedside_image {
    _opaque: [u8; 0],
}

/// Reads a file of at most 256 MiB: JPEG, PNG, WebP, BMP or TIFF; a DICOM file may have more, and is read when the picture
/// is classified. The format is recognised by the content, which is checked then. Fails with BEDSIDE_STATUS_IO or BEDSIDE_STATUS_TOO_LARGE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_open(
    file: *const c_char,
    image: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, || handle::give(&IMAGES, image, "image", || Ok(Picture::open(path(file, "file")?)?))) }
}

/// Copies the bytes of such a file, which are checked when the picture is classified.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_from_bytes(
    data: *const u8,
    length: usize,
    image: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        // SAFETY: the caller gives as many bytes.
        let make = || Ok(Picture::from_bytes(unsafe { bytes(data, length, "data")? }.to_vec()));
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, image, "image", make) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Copies a frame. Fails with BEDSIDE_STATUS_MALFORMED_IMAGE where the planes do not fit the format, and with
/// BEDSIDE_STATUS_TOO_LARGE where they have more than 256 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_from_frame(
    frame: *const bedside_frame,
    image: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        // SAFETY: the frame is the caller's.
        let given = unsafe { given(frame)? };
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, image, "image", || Ok(Picture::copied(given.planes, given.frame)?)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The same picture with this bedside_rotation, which brings it upright, instead of an earlier one. A rotation that is
/// stored in the file is applied first. The pictures share their bytes; each is freed by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_rotated(
    image: *const bedside_image,
    clockwise: i32,
    rotated: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let picture = handle::object(&IMAGES, image, "image")?.rotated(rotation(clockwise)?);
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, rotated, "rotated", || Ok(picture)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The same picture with left and right exchanged after the rotation. The pictures share their bytes; each is freed by
/// itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_mirrored(
    image: *const bedside_image,
    mirrored: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let picture = handle::object(&IMAGES, image, "image")?.mirrored();
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, mirrored, "mirrored", || Ok(picture)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The same picture with this frame of a DICOM file, from 0, instead of the first. A frame that is not there is an error of the
/// classification, BEDSIDE_STATUS_INVALID_QUERY. The pictures share their bytes; each is freed by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_frame(
    image: *const bedside_image,
    number: u32,
    frame: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let picture = handle::object(&IMAGES, image, "image")?.frame(number);
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, frame, "frame", || Ok(picture)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The same picture, of which an ultrasound frame of a DICOM file is looked at as a whole, with what its scanner draws around
/// the tissue. The pictures share their bytes; each is freed by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_whole(
    image: *const bedside_image,
    whole: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let picture = handle::object(&IMAGES, image, "image")?.whole();
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, whole, "whole", || Ok(picture)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The picture as it is looked at, upright: the bytes of a PNG of at most `max_side` pixels a side. `length` is their number. Of
/// a DICOM file it is the chosen frame as it is shown, and of an ultrasound frame the part that is looked at. Fails with
/// BEDSIDE_STATUS_INVALID_QUERY where `max_side` is 0, and as bedside_classifier_classify does where it can't be decoded. Each call
/// makes it anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_shown(
    image: *const bedside_image,
    max_side: u32,
    png: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let shown = handle::object(&IMAGES, image, "image")?.shown(max_side)?;
        // SAFETY: the buffer is the caller's.
        unsafe { copy_values(&shown, png, capacity, length, "png") }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The number of frames of a DICOM file; 1 of any other picture. Fails as a classification does where the file can't be
/// read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_frames(
    image: *const bedside_image,
    count: *mut u32,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let found = handle::object(&IMAGES, image, "image")?.frames()?;
        if count.is_null() {
            return Err(Failure::null("count"));
        }
        // SAFETY: the place is the caller's.
        unsafe { count.write(found) };
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The same picture with a DICOM file's window or table of this number, from 0, its tables first, instead of the first. One
/// that is not there is an error of the classification, BEDSIDE_STATUS_INVALID_QUERY. The pictures share their bytes; each is
/// freed by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_numbered_window(
    image: *const bedside_image,
    number: u32,
    windowed: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let picture = handle::object(&IMAGES, image, "image")?.window(Window::Number(number));
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, windowed, "windowed", || Ok(picture)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The same picture with a window of this center and width, in the units of a DICOM file's values, instead of its own windows.
/// A width of less than 1 is an error of the classification, BEDSIDE_STATUS_INVALID_QUERY. The pictures share their bytes; each
/// is freed by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_image_window(
    image: *const bedside_image,
    center: f64,
    width: f64,
    windowed: *mut *mut bedside_image,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let picture = handle::object(&IMAGES, image, "image")?.window(Window::Values { center, width });
        // SAFETY: the place is the caller's.
        unsafe { handle::give(&IMAGES, windowed, "windowed", || Ok(picture)) }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Frees a picture. A call that is under way keeps what it uses. Null, or a handle that was freed, changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_image_free(image: *mut bedside_image) {
    handle::free(&IMAGES, image);
}

/// The path of a file: any bytes on Unix, else UTF-8.
///
/// # Safety
/// `file` is null, or points to bytes that end with a zero.
pub(super) unsafe fn path(file: *const c_char, name: &str) -> Outcome<PathBuf> {
    if file.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: as the caller promises.
    let bytes = unsafe { CStr::from_ptr(file) }.to_bytes();
    #[cfg(unix)]
    let path = std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec());
    #[cfg(not(unix))]
    let path = std::str::from_utf8(bytes).map_err(|_| Failure::argument(format!("{name} is not UTF-8")))?.into();
    Ok(std::ffi::OsString::into(path))
}
