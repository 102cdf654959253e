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
    let _importing = crate::fuzzing::importing();
    IS_OURS.set(false);
    catch_unwind(AssertUnwindSafe(import)).map_err(|panic| if IS_OURS.take() { resume_unwind(panic) } else { panic })
}

/// Runs code of this crate in the midst of an import. What it panics with is a fault of this crate and not of the graph.
pub(super) fn ours<T>(work: impl FnOnce() -> T) -> T {
    struct Watch;
    impl Drop for Watch {
        fn drop(&mut self) {
            if thread::panicking() {
                IS_OURS.set(true);
            }
        }
    }
    let _watch = Watch;
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_ours_goes_on_and_one_of_tracts_is_caught() {
        let message = |panic: Box<dyn std::any::Any + Send>| panic.downcast_ref::<&str>().copied();
        let tracts = || -> thread::Result<()> { caught(|| panic!("tract's")) };
        assert_eq!(message(tracts().expect_err("it panics")), Some("tract's"));
        let outcome = catch_unwind(|| caught(|| ours(|| panic!("ours"))));
        assert_eq!(message(outcome.expect_err("it goes on")), Some("ours"));
        // One of ours says nothing of the next.
        assert_eq!(message(tracts().expect_err("it panics")), Some("tract's"));
        assert_eq!(caught(|| ours(|| 1)).expect("no panic"), 1);
    }
}
