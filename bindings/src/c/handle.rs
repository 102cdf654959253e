//! Handles: pointers to types that nobody can look into. Their value is an object's number (`crate::handles`), so that a
//! freed handle is an error and not a crash.

use std::ptr;
use std::sync::Arc;

use super::status::{Failure, Outcome, bedside_status};
use super::text::put;
use crate::handles::Handles;

/// Makes an object, keeps it, and gives its handle to the caller. Where there is no place for the handle, nothing is made.
///
/// # Safety
/// `place` is null or points to writable memory for a pointer.
pub(super) unsafe fn give<H, T>(
    table: &Handles<T>,
    place: *mut *mut H,
    name: &str,
    make: impl FnOnce() -> Outcome<T>,
) -> Outcome {
    if place.is_null() {
        return Err(Failure::null(name));
    }
    let object = make()?;
    // SAFETY: as the caller promises.
    unsafe { put(place, ptr::without_provenance_mut(table.keep(object).get()), name) }
}

/// The object of a handle. `name` is that of the argument.
pub(super) fn object<H, T>(table: &Handles<T>, handle: *const H, name: &str) -> Outcome<Arc<T>> {
    table.get(handle.addr()).ok_or_else(|| {
        let problem = if handle.is_null() { "is null" } else { "was freed, or is not a handle of this type" };
        Failure::Call(bedside_status::BEDSIDE_STATUS_INVALID_HANDLE, format!("{name} {problem}"))
    })
}

/// Frees the object of a handle; does nothing where there is none.
pub(super) fn free<H, T>(table: &Handles<T>, handle: *mut H) {
    super::status::without_message(|| {
        table.close(handle.addr());
        Ok(())
    });
}
