//! Threads that lend a hand with the steps of programs.
//!
//! Whoever runs a step calls [`Crew::together`] with what is to be done, a function that takes parts of the step until none
//! is left, and does it too. Nobody waits for a thread that has not begun: one that the system wakes late finds nothing to
//! do, and the caller has done it all. Nor does one caller wait for another: who finds the crew at work, works alone. All
//! engines share one crew, so that there are never more threads than the one that wants most has asked for.

#![allow(unsafe_code, reason = "threads that outlive a step work on what is borrowed for that step")]

use std::any::Any;
use std::hint::spin_loop;
use std::mem::{forget, transmute};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;
use std::sync::{self, PoisonError};
use std::time::Duration;

use super::sync::{Arc, AtomicUsize, Builder, Condvar, Instant, JoinHandle, Mutex, MutexGuard, yield_now};

/// How long a thread that has nothing to do looks out for the next step before it sleeps. To wake it takes tens of
/// microseconds, as long as a step; and between two pictures, this is all that it costs a battery.
const LOOKOUT: Duration = Duration::from_micros(50);

/// For how much of that it keeps its core to itself. Then it lets others have it, in between: the one that it waits for may
/// want just this core.
const ALONE: Duration = Duration::from_micros(5);

/// What is done by all together, each call on a thread of its own. It is told how many have begun before.
type Job = &'static (dyn Fn(usize) + Sync);

/// A few threads, which end when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Crew {
    desk: Arc<Desk>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Where jobs are handed out.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    /// [`State::number`] and [`State::working`], for those who look on without the lock.
    number: AtomicUsize,
    working: AtomicUsize,
    /// Jobs for those who sleep.
    begun: Condvar,
    /// The end of one, for who handed it out.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Counts jobs.
    number: usize,
    /// Whether somebody's job is not yet over.
    taken: bool,
    job: Option<Job>,
    /// How many threads may begin with the job, and how many have.
    seats: usize,
    begun: usize,
    /// How many have begun with it and not ended.
    working: usize,
    panic: Option<Box<dyn Any + Send>>,
    /// Whether who handed the job out sleeps until it's over.
    awaited: bool,
    /// All threads of the crew that have started, and those of them that sleep.
    threads: usize,
    sleeping: usize,
    closed: bool,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Crew {
    /// The crew that all engines share, with at least so many threads.
    pub(super) fn shared(threads: usize) -> sync::Arc<Crew> {
        // The standard library's under loom too, whose locks can't be static.
        static SHARED: sync::Mutex<sync::Weak<Crew>> = sync::Mutex::new(sync::Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let crew = shared.upgrade().unwrap_or_default();
        *shared = sync::Arc::downgrade(&crew);
        crew.grow(threads);
        crew
    }

    /// Makes threads until there are so many, or the system gives no more.
    pub(super) fn grow(&self, wanted: usize) {
        let mut threads = lock(&self.threads);
        while threads.len() < wanted {
            let desk = Arc::clone(&self.desk);
            match Builder::new().name("bedside".into()).spawn(move || desk.serve()) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    log::warn!("{} threads instead of {}: {error}", threads.len() + 1, wanted + 1);
                    return;
                }
            }
        }
    }

    /// Calls `work` on this thread, with 0, and on up to `helpers` others, with 1 and so on, and returns when no call is left.
    /// If one panics, so does this, when all have ended.
    pub(super) fn together(&self, helpers: usize, work: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime is changed. Threads get `job` from the desk alone and call it between `begin`, which
        // counts them, and `end`, which they call when their call is over and they don't touch `job` any more. `finish`
        // takes `job` from the desk and then waits until the count is 0. Between `start` and `finish` nothing can panic but
        // `work`, which is caught; so `work` is borrowed for longer than it is used.
        let job = unsafe { transmute::<&(dyn Fn(usize) + Sync), Job>(work) };
        if !self.desk.start(job, helpers) {
            return work(0);
        }
        let ours = catch_unwind(AssertUnwindSafe(|| work(0)));
        let theirs = self.desk.finish();
        if let Some(panic) = ours.err().or(theirs) {
            resume_unwind(panic);
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.desk.close();
        for thread in self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Whatever panics on these threads is caught there.
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// Hands a job out, unless another is not yet over.
    fn start(&self, job: Job, helpers: usize) -> bool {
        let mut state = lock(&self.state);
        if state.taken {
            return false;
        }
        let awake = state.threads - state.sleeping;
        let wanted = helpers.saturating_sub(awake).min(state.sleeping);
        let number = state.number.wrapping_add(1);
        state.number = number;
        (state.taken, state.job, state.seats, state.begun) = (true, Some(job), helpers, 0);
        drop(state);
        self.number.store(number, Ordering::Release);
        for _ in 0..wanted {
            self.begun.notify_one();
        }
        true
    }

    /// Lets nobody begin with the job any more, and waits until those who have are done. Gives what one panicked with.
    fn finish(&self) -> Option<Box<dyn Any + Send>> {
        let mut state = lock(&self.state);
        state.job = None;
        if state.working > 0 {
            drop(state);
            let start = Instant::now();
            look_out(start, || self.working.load(Ordering::Acquire) > 0);
            state = lock(&self.state);
        }
        while state.working > 0 {
            state.awaited = true;
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.awaited = false;
        state.taken = false;
        state.panic.take()
    }

    /// What a thread of the crew does all its life.
    fn serve(&self) {
        lock(&self.state).threads += 1;
        let mut seen = 0;
        let mut idle_since = Instant::now();
        while let Some((job, number)) = self.begin(&mut seen, idle_since) {
            let outcome = catch_unwind(AssertUnwindSafe(|| job(number)));
            self.end(outcome.err());
            idle_since = Instant::now();
        }
    }

    /// The next job with a seat left, and the number of that seat; none when the crew is dismissed. `seen` is the number of
    /// the last job looked at.
    fn begin(&self, seen: &mut usize, mut idle_since: Instant) -> Option<(Job, usize)> {
        loop {
            look_out(idle_since, || self.number.load(Ordering::Acquire) == *seen);
            let mut state = lock(&self.state);
            if state.closed {
                return None;
            }
            let is_new = state.number != *seen;
            *seen = state.number;
            if let Some(job) = state.job.filter(|_| is_new && state.begun < state.seats) {
                state.begun += 1;
                state.working += 1;
                self.working.store(state.working, Ordering::Relaxed);
                return Some((job, state.begun));
            }
            if !is_new && idle_since.elapsed() >= LOOKOUT {
                state.sleeping += 1;
                state = self.begun.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.sleeping -= 1;
                idle_since = Instant::now();
            }
        }
    }

    /// Counts a thread that has done its share.
    fn end(&self, panic: Option<Box<dyn Any + Send>>) {
        let mut state = lock(&self.state);
        if state.panic.is_none() {
            state.panic = panic;
        } else {
            // What it would do on being dropped is anyone's guess, and here nothing may panic.
            forget(panic);
        }
        state.working -= 1;
        self.working.store(state.working, Ordering::Release);
        let last = state.working == 0 && state.awaited;
        drop(state);
        if last {
            self.ended.notify_one();
        }
    }

    fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.number = state.number.wrapping_add(1);
        self.number.store(state.number, Ordering::Release);
        drop(state);
        self.begun.notify_all();
    }
}

/// Waits while there is nothing, but not for long.
fn look_out(since: Instant, is_nothing: impl Fn() -> bool) {
    while is_nothing() {
        match since.elapsed() {
            waited if waited < ALONE => spin_loop(),
            waited if waited < LOOKOUT => yield_now(),
            _ => return,
        }
    }
}

/// What is locked here is whole at any time: nothing panics while it is.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Barrier;
    use std::thread::{current, scope, sleep};

    use super::*;

    fn crew(threads: usize) -> Crew {
        let crew = Crew::default();
        crew.grow(threads);
        crew
    }

    /// Has every thread that comes take numbers up to `most`, and gives how often each was taken.
    fn counted(crew: &Crew, helpers: usize, most: usize) -> Vec<usize> {
        let (next, counts) = (AtomicUsize::new(0), Mutex::new(vec![0; most]));
        crew.together(helpers, &|_| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= most {
                    return;
                }
                lock(&counts)[number] += 1;
            }
        });
        lock(&counts).clone()
    }

    #[test]
    fn all_that_was_asked_for_come_and_no_more() {
        let crew = crew(3);
        // Nobody passes before three have come.
        let (barrier, names) = (Barrier::new(3), Mutex::new(vec![]));
        crew.together(2, &|number| {
            barrier.wait();
            lock(&names).push((number, current().name() == Some("bedside")));
        });
        let mut names = names.into_inner().expect("no panic");
        names.sort_unstable();
        // The caller is the first.
        assert_eq!(names, [(0, false), (1, true), (2, true)]);
    }

    #[test]
    fn each_part_is_done_once_whether_threads_sleep_or_not() {
        let crew = crew(2);
        for round in 0..if cfg!(miri) { 4 } else { 200 } {
            assert_eq!(counted(&crew, 2, 40), [1; 40]);
            if round % 20 == 0 {
                sleep(4 * LOOKOUT);
            }
        }
    }

    #[test]
    fn who_finds_the_crew_at_work_works_alone() {
        let crew = crew(1);
        let (inside, outside) = (Barrier::new(2), Barrier::new(2));
        scope(|threads| {
            threads.spawn(|| {
                let first = AtomicUsize::new(0);
                crew.together(1, &|_| {
                    if first.fetch_add(1, Ordering::Relaxed) == 0 {
                        inside.wait();
                        outside.wait();
                    }
                });
            });
            inside.wait();
            let callers = Mutex::new(vec![]);
            crew.together(1, &|_| lock(&callers).push(current().id()));
            assert_eq!(*lock(&callers), [current().id()]);
            outside.wait();
        });
    }

    #[test]
    fn a_panic_on_any_thread_is_the_callers() {
        let crew = crew(1);
        for ours in [true, false] {
            let (caller, barrier) = (current().id(), Barrier::new(2));
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                crew.together(1, &|_| {
                    barrier.wait();
                    assert_ne!(current().id() == caller, ours, "on purpose");
                });
            }));
            let message = outcome.expect_err("one of two panics");
            assert!(message.downcast_ref::<String>().is_some_and(|message| message.contains("on purpose")));
            // The crew works on.
            assert_eq!(counted(&crew, 1, 10), [1; 10]);
        }
    }

    #[test]
    fn threads_end_with_the_crew() {
        let crew = crew(2);
        assert_eq!(counted(&crew, 2, 10), [1; 10]);
        let desk = Arc::downgrade(&crew.desk);
        drop(crew);
        assert_eq!(desk.strong_count(), 0);
    }

    #[test]
    fn all_share_one_crew_and_it_grows_to_what_most_want() {
        let small = Crew::shared(1);
        let large = Crew::shared(3);
        assert!(Arc::ptr_eq(&small, &large));
        assert!(lock(&small.threads).len() >= 3);
    }
}
