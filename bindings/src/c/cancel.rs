//! Handles by which another thread ends a classification.

use bedside::CancelHandle;

use super::handle;
use super::status::{answered, bedside_error, bedside_status};
use super::text::put;
use crate::handles::Handles;

pub(super) static CANCEL_HANDLES: Handles<CancelHandle> = Handles::new();

/// Ends classifications from another thread: at the next stage (decode, preprocess, engine, verdict), or at the next
/// layer of a network that is quantized from end to end. It can't be reset: make a new one.
pub struct bedside_cancel_handle {
    _opaque: [u8; 0],
}

/// Makes a cancel handle that has not been used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_cancel_handle_new(
    cancel_handle: *mut *mut bedside_cancel_handle,
    error: *mut bedside_error,
) -> bedside_status {
    // SAFETY: the pointers are the caller's.
    unsafe {
        answered(error, || handle::give(&CANCEL_HANDLES, cancel_handle, "cancel_handle", || Ok(CancelHandle::new())))
    }
}

/// Ends every classification whose query has this handle, now or later: it fails with BEDSIDE_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_cancel_handle_cancel(
    cancel_handle: *const bedside_cancel_handle,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        handle::object(&CANCEL_HANDLES, cancel_handle, "cancel_handle")?.cancel();
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Whether bedside_cancel_handle_cancel was called: 1 or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_cancel_handle_is_cancelled(
    cancel_handle: *const bedside_cancel_handle,
    is_cancelled: *mut i32,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let found = handle::object(&CANCEL_HANDLES, cancel_handle, "cancel_handle")?.is_cancelled();
        // SAFETY: the place is the caller's.
        unsafe { put(is_cancelled, found.into(), "is_cancelled") }
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// Frees a cancel handle. Queries that have it keep what it refers to. Null, or a handle that was freed, changes
/// nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_cancel_handle_free(cancel_handle: *mut bedside_cancel_handle) {
    handle::free(&CANCEL_HANDLES, cancel_handle);
}
