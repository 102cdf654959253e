//! The thread pool that all engines share.
//!
//! [`ThreadPool::run`] calls one closure on the caller's thread and on up to a given number of workers. The closure
//! takes parts of a step until none is left, so it does not matter how many workers come: the call returns when the
//! caller's own call has returned and no worker is inside the closure. It never waits for a worker that has not
//! started. The pool runs one task at a time: a caller that finds it busy runs the closure on its own thread alone.

#![allow(unsafe_code, reason = "workers, which outlive a task, call a closure that is borrowed for that task")]

use std::any::Any;
use std::hint::spin_loop;
use std::mem::{forget, transmute};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;
use std::sync::{self, PoisonError};
use std::time::Duration;

use super::sync::{Arc, AtomicUsize, Builder, Condvar, Instant, JoinHandle, Mutex, MutexGuard, yield_now};

/// How long a thread spins before it sleeps: a worker that waits for a task, or a caller that waits for its workers.
/// Waking a thread takes tens of microseconds, as long as a short step. After a run, this is all that the pool costs a
/// battery.
const SPIN: Duration = Duration::from_micros(50);

/// How long a thread spins before it yields its core between looks: the thread that it waits for may need that core.
const SPIN_BEFORE_YIELD: Duration = Duration::from_micros(5);

/// A task: called once on each thread that takes part, with the number of the call. The caller's call is number 0.
type Task = &'static (dyn Fn(usize) + Sync);

/// A pool of worker threads. They end when it is dropped.
#[derive(Debug, Default)]
pub(super) struct ThreadPool {
    queue: Arc<TaskQueue>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// Passes tasks to workers, one task at a time.
///
/// A caller puts a task in with [`TaskQueue::start`] and takes it out with [`TaskQueue::finish`]. In between, each
/// worker that finds a free slot calls the task between [`TaskQueue::begin`] and [`TaskQueue::end`].
#[derive(Default)]
struct TaskQueue {
    state: Mutex<State>,
    /// Copies of [`State::number`] and [`State::running`] for threads that spin without the lock.
    number: AtomicUsize,
    running: AtomicUsize,
    /// Signals sleeping workers that there is a new task.
    started: Condvar,
    /// Signals the caller that the last worker has finished.
    finished: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of tasks so far.
    number: usize,
    /// Whether a caller is between `start` and `finish`.
    busy: bool,
    /// The task, which workers may take until `finish` removes it.
    task: Option<Task>,
    /// How many workers may take the task, and how many have.
    slots: usize,
    taken: usize,
    /// How many workers are inside the task.
    running: usize,
    /// The first panic of a worker's call.
    panic: Option<Box<dyn Any + Send>>,
    /// Whether the caller sleeps until the task is over.
    awaited: bool,
    /// How many workers have started, and how many of them sleep.
    workers: usize,
    sleeping: usize,
    /// Whether the pool is dropped, so that workers end.
    closed: bool,
}

impl std::fmt::Debug for TaskQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskQueue").field("number", &self.number).finish_non_exhaustive()
    }
}

impl ThreadPool {
    /// The pool that all engines share, grown to at least `workers` workers.
    pub(super) fn shared(workers: usize) -> sync::Arc<ThreadPool> {
        // The standard library's locks under loom too: loom's can't be static.
        static SHARED: sync::Mutex<sync::Weak<ThreadPool>> = sync::Mutex::new(sync::Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = shared.upgrade().unwrap_or_default();
        *shared = sync::Arc::downgrade(&pool);
        pool.grow(workers);
        pool
    }

    /// Starts workers until there are `wanted`, or the system refuses to start more.
    pub(super) fn grow(&self, wanted: usize) {
        let mut workers = lock(&self.workers);
        while workers.len() < wanted {
            let queue = Arc::clone(&self.queue);
            match Builder::new().name("bedside".into()).spawn(move || queue.serve()) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    log::warn!("{} threads instead of {}: {error}", workers.len() + 1, wanted + 1);
                    return;
                }
            }
        }
    }

    /// Calls `task` on this thread, with 0, and on up to `workers` workers, with 1 and so on. Returns when every call
    /// has returned.
    ///
    /// # Panics
    /// Where a call panics, when every call has ended. The caller's own panic comes first.
    pub(super) fn run(&self, workers: usize, task: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime is changed. Workers take the task from the queue alone and call it between `begin`,
        // which counts them as running, and `end`, after which they don't touch it any more. `finish` takes the task
        // from the queue and then waits until no worker is running. Nothing between `start` and `finish` can panic but
        // the caller's own call, which is caught. So no worker uses the task after this function has returned.
        let shared = unsafe { transmute::<&(dyn Fn(usize) + Sync), Task>(task) };
        if !self.queue.start(shared, workers) {
            return task(0);
        }
        let own = catch_unwind(AssertUnwindSafe(|| task(0)));
        let of_workers = self.queue.finish();
        if let Some(panic) = own.err().or(of_workers) {
            resume_unwind(panic);
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.queue.close();
        for worker in self.workers.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Panics of tasks are caught on the worker's thread.
            let _ = worker.join();
        }
    }
}

impl TaskQueue {
    /// Puts a task into the queue with `slots` slots, unless another task is not over.
    fn start(&self, task: Task, slots: usize) -> bool {
        let mut state = lock(&self.state);
        if state.busy {
            return false;
        }
        let awake = state.workers - state.sleeping;
        let wake = slots.saturating_sub(awake).min(state.sleeping);
        let number = state.number.wrapping_add(1);
        state.number = number;
        (state.busy, state.task, state.slots, state.taken) = (true, Some(task), slots, 0);
        drop(state);
        self.number.store(number, Ordering::Release);
        for _ in 0..wake {
            self.started.notify_one();
        }
        true
    }

    /// Takes the task from the queue, so that no worker begins it any more, and waits until those that have are done.
    /// Returns what one of them panicked with.
    fn finish(&self) -> Option<Box<dyn Any + Send>> {
        let mut state = lock(&self.state);
        state.task = None;
        if state.running > 0 {
            drop(state);
            let start = Instant::now();
            spin_while(start, || self.running.load(Ordering::Acquire) > 0);
            state = lock(&self.state);
        }
        while state.running > 0 {
            state.awaited = true;
            state = self.finished.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.awaited = false;
        state.busy = false;
        state.panic.take()
    }

    /// The loop of a worker.
    fn serve(&self) {
        lock(&self.state).workers += 1;
        let mut seen = 0;
        let mut idle_since = Instant::now();
        while let Some((task, number)) = self.begin(&mut seen, idle_since) {
            let outcome = catch_unwind(AssertUnwindSafe(|| task(number)));
            self.end(outcome.err());
            idle_since = Instant::now();
        }
    }

    /// Waits for a task with a free slot and takes the slot. Returns the task and the number of the call, from 1 on, or
    /// None when the queue is closed. `seen` is the number of the last task that this worker has looked at.
    fn begin(&self, seen: &mut usize, mut idle_since: Instant) -> Option<(Task, usize)> {
        loop {
            spin_while(idle_since, || self.number.load(Ordering::Acquire) == *seen);
            let mut state = lock(&self.state);
            if state.closed {
                return None;
            }
            let is_new = state.number != *seen;
            *seen = state.number;
            if let Some(task) = state.task.filter(|_| is_new && state.taken < state.slots) {
                state.taken += 1;
                state.running += 1;
                self.running.store(state.running, Ordering::Relaxed);
                return Some((task, state.taken));
            }
            if !is_new && idle_since.elapsed() >= SPIN {
                state.sleeping += 1;
                state = self.started.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.sleeping -= 1;
                idle_since = Instant::now();
            }
        }
    }

    /// Records that a worker's call has ended, and how.
    fn end(&self, panic: Option<Box<dyn Any + Send>>) {
        let mut state = lock(&self.state);
        if state.panic.is_none() {
            state.panic = panic;
        } else {
            // Dropping it could panic, and nothing may panic here.
            forget(panic);
        }
        state.running -= 1;
        self.running.store(state.running, Ordering::Release);
        let last = state.running == 0 && state.awaited;
        drop(state);
        if last {
            self.finished.notify_one();
        }
    }

    /// Ends all workers. A new task number wakes those that spin.
    fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.number = state.number.wrapping_add(1);
        self.number.store(state.number, Ordering::Release);
        drop(state);
        self.started.notify_all();
    }
}

/// Spins while `condition` holds, until [`SPIN`] after `since`.
fn spin_while(since: Instant, condition: impl Fn() -> bool) {
    while condition() {
        match since.elapsed() {
            waited if waited < SPIN_BEFORE_YIELD => spin_loop(),
            waited if waited < SPIN => yield_now(),
            _ => return,
        }
    }
}

/// Locks a mutex, poisoned or not: nothing panics while one of these is locked, so what it guards is always consistent.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Barrier;
    use std::thread::{current, scope, sleep};

    use super::*;

    fn pool(workers: usize) -> ThreadPool {
        let pool = ThreadPool::default();
        pool.grow(workers);
        pool
    }

    /// Runs a task in which threads take the numbers below `count`, and returns how often each was taken.
    fn counted(pool: &ThreadPool, workers: usize, count: usize) -> Vec<usize> {
        let (next, counts) = (AtomicUsize::new(0), Mutex::new(vec![0; count]));
        pool.run(workers, &|_| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                lock(&counts)[number] += 1;
            }
        });
        lock(&counts).clone()
    }

    #[test]
    fn thread_pool_runs_on_as_many_workers_as_asked_for() {
        let pool = pool(3);
        // No thread passes before three have come.
        let (barrier, names) = (Barrier::new(3), Mutex::new(vec![]));
        pool.run(2, &|number| {
            barrier.wait();
            lock(&names).push((number, current().name() == Some("bedside")));
        });
        let mut names = names.into_inner().expect("no panic");
        names.sort_unstable();
        // The caller is the first.
        assert_eq!(names, [(0, false), (1, true), (2, true)]);
    }

    #[test]
    fn thread_pool_runs_each_part_once_whether_workers_sleep_or_not() {
        let pool = pool(2);
        for round in 0..if cfg!(miri) { 4 } else { 200 } {
            assert_eq!(counted(&pool, 2, 40), [1; 40]);
            if round % 20 == 0 {
                sleep(4 * SPIN);
            }
        }
    }

    #[test]
    fn thread_pool_runs_inline_when_busy() {
        let pool = pool(1);
        let (inside, outside) = (Barrier::new(2), Barrier::new(2));
        scope(|threads| {
            threads.spawn(|| {
                let first = AtomicUsize::new(0);
                pool.run(1, &|_| {
                    if first.fetch_add(1, Ordering::Relaxed) == 0 {
                        inside.wait();
                        outside.wait();
                    }
                });
            });
            inside.wait();
            let callers = Mutex::new(vec![]);
            pool.run(1, &|_| lock(&callers).push(current().id()));
            assert_eq!(*lock(&callers), [current().id()]);
            outside.wait();
        });
    }

    #[test]
    fn thread_pool_panics_where_any_call_panics() {
        let pool = pool(1);
        for ours in [true, false] {
            let (caller, barrier) = (current().id(), Barrier::new(2));
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.run(1, &|_| {
                    barrier.wait();
                    assert_ne!(current().id() == caller, ours, "on purpose");
                });
            }));
            let message = outcome.expect_err("one of two panics");
            assert!(message.downcast_ref::<String>().is_some_and(|message| message.contains("on purpose")));
            // The pool still works.
            assert_eq!(counted(&pool, 1, 10), [1; 10]);
        }
    }

    #[test]
    fn thread_pool_ends_its_workers_when_dropped() {
        let pool = pool(2);
        assert_eq!(counted(&pool, 2, 10), [1; 10]);
        let queue = Arc::downgrade(&pool.queue);
        drop(pool);
        assert_eq!(queue.strong_count(), 0);
    }

    #[test]
    fn thread_pool_is_shared_and_grows_to_the_largest_request() {
        let small = ThreadPool::shared(1);
        let large = ThreadPool::shared(3);
        assert!(Arc::ptr_eq(&small, &large));
        assert!(lock(&small.workers).len() >= 3);
    }
}
