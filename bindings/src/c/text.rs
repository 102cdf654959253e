//! What crosses the border by pointer: texts in both directions, and places for results.

use std::ffi::{CStr, c_char};
use std::slice;

use super::status::{Failure, Outcome, bedside_status};

/// The text at a pointer, which must be UTF-8.
///
/// # Safety
/// `text` is null, or points to bytes that end with a zero and stay as they are for `'a`.
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Outcome<&'a str> {
    if text.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: as the caller promises.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|_| Failure::argument(format!("{name} is not UTF-8")))
}

/// The text at a pointer, or none where it is null.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional_text<'a>(pointer: *const c_char, name: &str) -> Outcome<Option<&'a str>> {
    // SAFETY: as the caller promises.
    if pointer.is_null() { Ok(None) } else { unsafe { text(pointer, name) }.map(Some) }
}

/// The bytes at a pointer.
///
/// # Safety
/// `bytes` is null, or points to `length` bytes that stay as they are for `'a`.
pub(super) unsafe fn bytes<'a>(bytes: *const u8, length: usize, name: &str) -> Outcome<&'a [u8]> {
    match (bytes.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Failure::null(name)),
        // No object is larger, so a longer one is a mistake of the caller.
        (false, _) if isize::try_from(length).is_err() => {
            Err(Failure::argument(format!("{name} has {length} bytes, more than there can be")))
        }
        // SAFETY: as the caller promises.
        (false, _) => Ok(unsafe { slice::from_raw_parts(bytes, length) }),
    }
}

/// Writes a result to its place, whose memory may not have been written before.
///
/// # Safety
/// `target` is null, or points to memory of a `T` that nobody else uses meanwhile.
pub(super) unsafe fn put<T: Copy>(target: *mut T, value: T, name: &str) -> Outcome {
    if target.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: as the caller promises.
    unsafe { target.write(value) };
    Ok(())
}

/// Writes a length to its place; does nothing where that is null.
///
/// # Safety
/// As for [`put`].
unsafe fn put_length(target: *mut usize, length: usize) {
    if !target.is_null() {
        // SAFETY: as the caller promises.
        unsafe { target.write(length) };
    }
}

/// Copies values into a buffer of the caller, and their number to `length`, which may be null. Where they do not fit,
/// nothing is copied, and the number says what is needed.
///
/// # Safety
/// `buffer` is null or points to memory of `capacity` values that nobody else uses; `length` is null or writable.
pub(super) unsafe fn copy_values<T: Copy>(
    values: &[T],
    buffer: *mut T,
    capacity: usize,
    length: *mut usize,
    name: &str,
) -> Outcome {
    // SAFETY: as the caller promises.
    unsafe { check_room(values.len(), buffer, capacity, length, name)? };
    // SAFETY: the buffer has room for at least as many values.
    unsafe { values.as_ptr().copy_to_nonoverlapping(buffer, values.len()) };
    Ok(())
}

/// Fails where a buffer has no room for so many values. Their number goes to `length`, which may be null.
///
/// # Safety
/// `length` is null or writable.
pub(super) unsafe fn check_room<T>(
    count: usize,
    buffer: *mut T,
    capacity: usize,
    length: *mut usize,
    name: &str,
) -> Outcome {
    // SAFETY: as the caller promises.
    unsafe { put_length(length, count) };
    let capacity = if buffer.is_null() { 0 } else { capacity };
    if count > capacity || buffer.is_null() { Err(too_small(name, count, capacity)) } else { Ok(()) }
}

/// Copies a text into a buffer of the caller and terminates it with a zero. `length`, which may be null, is its length
/// in bytes without the zero. Where it does not fit, the buffer holds an empty text, so that it is never a part of one.
///
/// # Safety
/// As for [`copy_values`].
pub(super) unsafe fn copy_text(text: &str, buffer: *mut c_char, capacity: usize, length: *mut usize) -> Outcome {
    // SAFETY: as the caller promises.
    unsafe { put_length(length, text.len()) };
    if buffer.is_null() || capacity == 0 {
        return Err(too_small("the text", text.len() + 1, 0));
    }
    let fits = text.len() < capacity;
    let copied = if fits { text.as_bytes() } else { &[] };
    // SAFETY: the buffer has `capacity` bytes, more than are copied.
    unsafe {
        copied.as_ptr().copy_to_nonoverlapping(buffer.cast(), copied.len());
        buffer.add(copied.len()).write(0);
    }
    if fits { Ok(()) } else { Err(too_small("the text", text.len() + 1, capacity)) }
}

fn too_small(name: &str, needed: usize, capacity: usize) -> Failure {
    let message = format!("the buffer of {name} has room for {capacity}; it needs {needed}");
    Failure::Call(bedside_status::BEDSIDE_STATUS_BUFFER_TOO_SMALL, message)
}
