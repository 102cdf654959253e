//! Tells apart the panics that occur while tract imports a graph: tract's own, which a damaged graph provokes, and
//! those of this crate's code that tract calls, which are faults of this crate.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

thread_local! {
    /// Whether a panic on this thread came from inside [`engine_code`] since the last call of [`catch_import_panic`].
    static IN_ENGINE_CODE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `import`, in which tract imports a graph, and returns the payload where tract panics.
///
/// # Panics
/// Where code inside [`engine_code`] panics: that panic goes on.
pub(super) fn catch_import_panic<T>(import: impl FnOnce() -> T) -> thread::Result<T> {
    #[cfg(fuzzing)]
    let _importing = crate::guard::importing::set(true);
    IN_ENGINE_CODE.set(false);
    catch_unwind(AssertUnwindSafe(import))
        .map_err(|panic| if IN_ENGINE_CODE.get() { resume_unwind(panic) } else { panic })
}

/// Runs code of this crate during an import. A panic in it is a fault of this crate and not of the graph, so
/// [`catch_import_panic`] lets it go on.
#[cfg_attr(test, track_caller)]
pub(super) fn engine_code<T>(work: impl FnOnce() -> T) -> T {
    struct Watch;
    impl Drop for Watch {
        fn drop(&mut self) {
            if thread::panicking() {
                IN_ENGINE_CODE.set(true);
            }
        }
    }
    #[cfg(fuzzing)]
    let _not_importing = crate::guard::importing::set(false);
    let _watch = Watch;
    #[cfg(test)]
    faults::at(std::panic::Location::caller());
    work()
}

/// Panics that a test injects into calls of [`engine_code`].
#[cfg(test)]
pub(super) mod faults {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;
    use std::panic::Location;

    /// A call of [`engine_code`](super::engine_code): its file and line.
    pub(crate) type CallSite = (&'static str, u32);

    thread_local! {
        static SEEN: RefCell<BTreeSet<CallSite>> = const { RefCell::new(BTreeSet::new()) };
        static FAULTY: Cell<Option<CallSite>> = const { Cell::new(None) };
    }

    pub(super) fn at(caller: &'static Location<'static>) {
        let call_site = (caller.file(), caller.line());
        SEEN.with_borrow_mut(|seen| seen.insert(call_site));
        assert!(FAULTY.get() != Some(call_site), "an injected fault");
    }

    /// The call sites that this thread has reached.
    pub(crate) fn seen() -> BTreeSet<CallSite> {
        SEEN.with_borrow(Clone::clone)
    }

    /// Runs `work` while one call site panics.
    pub(crate) fn with<T>(faulty: CallSite, work: impl FnOnce() -> T) -> T {
        struct Reset;
        impl Drop for Reset {
            fn drop(&mut self) {
                FAULTY.set(None);
            }
        }
        let _reset = Reset;
        FAULTY.set(Some(faulty));
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catch_import_panic_catches_tract_and_resumes_engine_panics() {
        let message = |panic: Box<dyn std::any::Any + Send>| panic.downcast_ref::<&str>().copied();
        let tract_panics = || -> thread::Result<()> { catch_import_panic(|| panic!("tract")) };
        assert_eq!(message(tract_panics().expect_err("it panics")), Some("tract"));
        let outcome = catch_unwind(|| catch_import_panic(|| catch_import_panic(|| engine_code(|| panic!("engine")))));
        assert_eq!(message(outcome.expect_err("it passes both calls that catch")), Some("engine"));
        // A panic of this crate does not mark the next one, inside an import or outside.
        assert_eq!(message(tract_panics().expect_err("it panics")), Some("tract"));
        assert!(catch_unwind(|| engine_code(|| panic!("engine"))).is_err());
        assert_eq!(message(tract_panics().expect_err("it panics")), Some("tract"));
        assert_eq!(catch_import_panic(|| engine_code(|| 1)).expect("no panic"), 1);
    }
}
