//! Turns panics into [`ErrorKind::Internal`], so that no panic crosses a language border.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bedside::{Error, ErrorKind, Result};

/// Runs one call from another language. A panic becomes [`ErrorKind::Internal`], with the panic's message.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    let guarded = || {
        #[cfg(feature = "test-panic")]
        probe::fire();
        call()
    };
    // A panic can leave only the call's own values half-changed, because no call changes a classifier or an image.
    catch_unwind(AssertUnwindSafe(guarded))
        .unwrap_or_else(|panic| Err(Error::new(ErrorKind::Internal, message(&*panic))))
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().copied();
    let text = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a panic: {}", text.unwrap_or("no message"))
}

/// The switch of the feature `test-panic`.
#[cfg(feature = "test-panic")]
pub(crate) mod probe {
    use std::sync::atomic::{AtomicBool, Ordering};

    static ARMED: AtomicBool = AtomicBool::new(false);

    /// Makes the next guarded call panic.
    #[allow(unsafe_code, reason = "an exported symbol needs a name; nothing here touches memory")]
    #[unsafe(no_mangle)]
    pub(crate) extern "C" fn bedside_test_panic() {
        ARMED.store(true, Ordering::SeqCst);
    }

    /// Panics where [`bedside_test_panic`] was called since the last guarded call.
    pub(super) fn fire() {
        assert!(!ARMED.swap(false, Ordering::SeqCst), "provoked for a test");
    }
}
