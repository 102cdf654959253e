//! The guard against panics: they become errors and do not leave the engine. A panic of tract during an import is left
//! to `onnx/outline.rs`, which turns it into [`Error::Malformed`].

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, Result};

/// Calls `work` and turns a panic in it into [`Error::Internal`], with `what` in its text: a defect of this crate, or
/// of tract while it runs, must not end the app. Nothing that the panic left inconsistent is used again: a run drops
/// its workspace, and a build what it has built.
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Error::Internal(format!("{what} panicked: {}", panic_message(&*panic)))))
}

/// The message of a panic, if it is text.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Whether tract is importing a graph on this thread. The fuzz targets ignore panics that are turned into errors there.
#[cfg(fuzzing)]
pub(crate) mod importing {
    use std::cell::Cell;

    thread_local! {
        static IMPORTING: Cell<bool> = const { Cell::new(false) };
    }

    pub(crate) fn get() -> bool {
        IMPORTING.get()
    }

    /// Sets the value until the returned guard is dropped, which restores the one before.
    #[cfg(feature = "onnx")]
    pub(crate) fn set(is_importing: bool) -> impl Drop {
        struct Before(bool);
        impl Drop for Before {
            fn drop(&mut self) {
                IMPORTING.set(self.0);
            }
        }
        Before(IMPORTING.replace(is_importing))
    }
}
