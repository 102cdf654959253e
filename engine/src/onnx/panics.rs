//! Whose fault a panic is while tract imports a graph: tract's, which a damaged graph provokes, or that of code here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

thread_local! {
    /// Whether what panics on this thread has gone through [`ours`].
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Does what has tract import a graph, and gives what tract panics with.
///
/// # Panics
/// Where [`ours`] does.
pub(super) fn caught<T>(import: impl FnOnce() -> T) -> thread::Result<T> {
    #[cfg(fuzzing)]
    let _importing = crate::guard::importing::set(true);
    IS_OURS.set(false);
    catch_unwind(AssertUnwindSafe(import)).map_err(|panic| if IS_OURS.get() { resume_unwind(panic) } else { panic })
}

/// Runs code of this crate in the midst of an import. What it panics with is a fault of this crate and not of the graph.
#[cfg_attr(test, track_caller)]
pub(super) fn ours<T>(work: impl FnOnce() -> T) -> T {
    struct Watch;
    impl Drop for Watch {
        fn drop(&mut self) {
            if thread::panicking() {
                IS_OURS.set(true);
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

/// Faults that a test puts into the work of this crate.
#[cfg(test)]
pub(super) mod faults {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;
    use std::panic::Location;

    /// A call of [`ours`](super::ours): its file and line.
    pub(crate) type Place = (&'static str, u32);

    thread_local! {
        static SEEN: RefCell<BTreeSet<Place>> = const { RefCell::new(BTreeSet::new()) };
        static FAULTY: Cell<Option<Place>> = const { Cell::new(None) };
    }

    pub(super) fn at(caller: &'static Location<'static>) {
        let place = (caller.file(), caller.line());
        SEEN.with_borrow_mut(|seen| seen.insert(place));
        assert!(FAULTY.get() != Some(place), "a fault of ours");
    }

    /// The places that work on this thread has come by.
    pub(crate) fn seen() -> BTreeSet<Place> {
        SEEN.with_borrow(Clone::clone)
    }

    /// Does something while one place panics.
    pub(crate) fn with<T>(faulty: Place, work: impl FnOnce() -> T) -> T {
        struct Mended;
        impl Drop for Mended {
            fn drop(&mut self) {
                FAULTY.set(None);
            }
        }
        let _mended = Mended;
        FAULTY.set(Some(faulty));
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_ours_goes_on_and_one_of_tracts_is_caught() {
        let message = |panic: Box<dyn std::any::Any + Send>| panic.downcast_ref::<&str>().copied();
        let tracts = || -> thread::Result<()> { caught(|| panic!("tract's")) };
        assert_eq!(message(tracts().expect_err("it panics")), Some("tract's"));
        let outcome = catch_unwind(|| caught(|| caught(|| ours(|| panic!("ours")))));
        assert_eq!(message(outcome.expect_err("it goes on, through all that catch")), Some("ours"));
        // One of ours says nothing of the next, wherever it was.
        assert_eq!(message(tracts().expect_err("it panics")), Some("tract's"));
        assert!(catch_unwind(|| ours(|| panic!("ours"))).is_err());
        assert_eq!(message(tracts().expect_err("it panics")), Some("tract's"));
        assert_eq!(caught(|| ours(|| 1)).expect("no panic"), 1);
    }
}
