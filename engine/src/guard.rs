//! What keeps a panic inside the engine.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, Result};

/// Does `work`, and makes a panic in it [`Error::Internal`]: a fault of this crate, or of tract while it runs, must not take
/// the app down. (A panic of tract's while it imports is the graph's fault: `onnx/outline.rs`.)
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Error::Internal(format!("{what} panicked: {}", panic_message(&*panic)))))
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Whether tract imports a graph on this thread, for the fuzz targets: they let a panic pass that becomes an error.
#[cfg(fuzzing)]
pub(crate) mod importing {
    use std::cell::Cell;

    thread_local! {
        static IMPORTING: Cell<bool> = const { Cell::new(false) };
    }

    pub(crate) fn get() -> bool {
        IMPORTING.get()
    }

    /// Sets it until the returned value is dropped.
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
