//! Structs that begin with their size. A program that was built with an older header gives a shorter struct, whose
//! missing fields have their initial values; one that was built with a newer header gives a longer one, whose additional
//! bytes must be zero. The feature `test-later` adds a field to two of them, so that a test has a later version.

use super::status::{Failure, Outcome, bedside_status};

/// The maximum size that a struct may state, against sizes that were never set.
const MAX_SIZE: usize = 4096;

/// A struct of this border that begins with its size.
///
/// # Safety
/// It is `repr(C)`, its first field is a `usize`, which is its size, and any bytes are valid in all others.
pub(super) unsafe trait LeadingSize: Copy {
    /// The end of the last field in the first version that had the struct. No header gives a smaller one.
    const FIRST: usize;
    /// The end of the last field. A field that a later version adds begins after the size of the struct before, padding
    /// included.
    const END: usize = Self::FIRST;

    /// The struct with its initial values and its size.
    fn initial() -> Self;
}

/// Writes the initial values into a struct of `size` bytes, and its size.
///
/// # Safety
/// `target` is null or points to `size` writable bytes, aligned as `T`.
pub(super) unsafe fn initialize<T: LeadingSize>(target: *mut T, size: usize) -> bedside_status {
    super::status::without_message(|| {
        if target.is_null() {
            return Err(Failure::null("the struct"));
        }
        check_size::<T>(size, "the struct")?;
        // SAFETY: the caller gives `size` writable bytes, and no more are written.
        unsafe {
            target.cast::<u8>().write_bytes(0, size);
            target.cast::<usize>().write(size);
            write(target, T::initial(), "the struct")
        }
    })
}

/// Reads a struct of a caller. `name` is that of the argument.
///
/// # Safety
/// `source` is null, or points to as many readable bytes as its first field says, aligned as `T`.
pub(super) unsafe fn read<T: LeadingSize>(source: *const T, name: &str) -> Outcome<T> {
    if source.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { source.cast::<usize>().read() };
    check_size::<T>(size, name)?;
    let mut value = T::initial();
    // SAFETY: the bytes are those of the caller's struct, at most as many as this one has, and all bytes are valid.
    unsafe { source.cast::<u8>().copy_to_nonoverlapping((&raw mut value).cast(), size.min(T::END)) };
    // SAFETY: the bytes from `END` to `size` are the caller's.
    let has_more = (T::END..size).any(|at| unsafe { source.cast::<u8>().add(at).read() } != 0);
    if has_more {
        let message = "has fields that this version of the library does not know; use the library of the header";
        return Err(Failure::argument(format!("{name} {message}")));
    }
    Ok(value)
}

/// Writes a struct for a caller, as much of it as his has room for, and zeros where his has more. His size stays.
///
/// # Safety
/// `target` is null, or points to as many writable bytes as its first field says, aligned as `T`.
pub(super) unsafe fn write<T: LeadingSize>(target: *mut T, value: T, name: &str) -> Outcome {
    if target.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { target.cast::<usize>().read() };
    check_size::<T>(size, name)?;
    let (head, written) = (size_of::<usize>(), size.min(T::END));
    let (source, target) = ((&raw const value).cast::<u8>(), target.cast::<u8>());
    // SAFETY: both structs have the bytes that are copied, and the caller's the others up to his size.
    unsafe {
        source.add(head).copy_to_nonoverlapping(target.add(head), written - head);
        target.add(written).write_bytes(0, size - written);
    }
    Ok(())
}

/// Fails where the struct has this size in the header of no version.
fn check_size<T: LeadingSize>(size: usize, name: &str) -> Outcome {
    // What a version adds begins behind the padding of the version before.
    const { assert!(T::END == T::FIRST || T::END > T::FIRST.next_multiple_of(align_of::<T>())) };
    if (T::FIRST..=MAX_SIZE).contains(&size) && size.is_multiple_of(align_of::<T>()) {
        return Ok(());
    }
    Err(Failure::argument(format!("{name} says that it has {size} bytes; initialize it with sizeof")))
}
