//! No panic crosses a language border: it becomes [`Error::Internal`].

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bedside::{Error, Result};

/// Runs one call from another language.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    let guarded = || {
        #[cfg(feature = "test-panic")]
        probe::fire();
        call()
    };
    // What a panic may leave half-done lives in the call itself: classifiers and images are not changed by any.
    catch_unwind(AssertUnwindSafe(guarded)).unwrap_or_else(|panic| Err(Error::Internal(message(&*panic))))
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().copied();
    let text = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a panic: {}", text.unwrap_or("without words"))
}

/// The switch of the feature `test-panic`.
#[cfg(feature = "test-panic")]
pub(crate) mod probe {
    use std::sync::atomic::{AtomicBool, Ordering};

    static ARMED: AtomicBool = AtomicBool::new(false);

    /// Makes the next call panic, whichever it is.
    #[allow(unsafe_code, reason = "an exported symbol needs a name; nothing here touches memory")]
    #[unsafe(no_mangle)]
    pub(crate) extern "C" fn bedside_test_panic() {
        ARMED.store(true, Ordering::SeqCst);
    }

    pub(super) fn fire() {
        assert!(!ARMED.swap(false, Ordering::SeqCst), "provoked for a test");
    }
}
