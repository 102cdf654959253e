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

/// The place of a result.
///
/// # Safety
/// `target` is null, or points to memory of a `T` that nobody else uses for `'a`.
unsafe fn place<'a, T>(target: *mut T, name: &str) -> Outcome<&'a mut T> {
    // SAFETY: as the caller promises.
    unsafe { target.as_mut() }.ok_or_else(|| Failure::null(name))
}

/// Writes a result to its place.
///
/// # Safety
/// As for [`place`].
pub(super) unsafe fn put<T>(target: *mut T, value: T, name: &str) -> Outcome {
    // SAFETY: as the caller promises.
    *unsafe { place(target, name)? } = value;
    Ok(())
}

/// The first `count` values of a buffer of the caller, all of them 0, and `count` at `length`, which may be null. Where
/// the buffer has fewer, it is left as it is.
///
/// # Safety
/// `buffer` is null or points to memory of `capacity` values that nobody else uses for `'a`; `length` is null or writable.
/// All bytes of 0 are valid values.
pub(super) unsafe fn buffer<'a, T: Copy>(
    count: usize,
    buffer: *mut T,
    capacity: usize,
    length: *mut usize,
    name: &str,
) -> Outcome<&'a mut [T]> {
    // SAFETY: as the caller promises.
    if let Some(length) = unsafe { length.as_mut() } {
        *length = count;
    }
    if count > capacity || buffer.is_null() {
        return Err(too_small(name, count, capacity));
    }
    // SAFETY: the buffer has room for at least as many values, and is written before it is read.
    unsafe {
        buffer.write_bytes(0, count);
        Ok(slice::from_raw_parts_mut(buffer, count))
    }
}

/// Copies values into a buffer of the caller, and their number to `length`, which may be null. Where they do not fit,
/// nothing is copied, and the number says what is needed.
///
/// # Safety
/// As for [`buffer`].
pub(super) unsafe fn copy_values<T: Copy>(
    values: &[T],
    buffer: *mut T,
    capacity: usize,
    length: *mut usize,
    name: &str,
) -> Outcome {
    // SAFETY: as the caller promises.
    unsafe { self::buffer(values.len(), buffer, capacity, length, name)? }.copy_from_slice(values);
    Ok(())
}

/// Copies a text into a buffer of the caller and terminates it with a zero. `length`, which may be null, is its length
/// in bytes without the zero. Where it does not fit, the buffer holds an empty text, so that it is never a part of one.
///
/// # Safety
/// As for [`copy_values`].
pub(super) unsafe fn copy_text(text: &str, buffer: *mut c_char, capacity: usize, length: *mut usize) -> Outcome {
    // SAFETY: as the caller promises.
    if let Some(length) = unsafe { length.as_mut() } {
        *length = text.len();
    }
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
