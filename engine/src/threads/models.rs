//! Models of the thread pool: tests that loom runs in every order in which their threads can take turns, with up to
//! three preemptions, and with every value that a load may return under the memory model of Rust. `cargo xtask loom`
//! runs them; `docs/testing.md` says what they cover and what they do not see.
//!
//! The threads, locks, condition variables and atomics of the pool are loom's. What a model counts is in the standard
//! library's atomics, which loom does not see: counting adds no order and no turns.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize as Count, Ordering::Relaxed};
use std::time::Duration;

use loom::thread::{ThreadId, current, spawn, yield_now};

use super::pool::{ThreadPool, lock};
use super::sync::{AtomicUsize, Condvar, Mutex};

/// The number of workers of a pool, and the maximum that a task asks for.
const WORKERS: usize = 2;

/// The maximum number of parts of a task: one less than the threads that may take one, so that some thread finds none.
const PARTS: usize = 2;

/// The maximum number of preemptions in a run, unless `LOOM_MAX_PREEMPTIONS` is set.
const PREEMPTIONS: usize = 3;

/// How many times the threads of a run may spin, all together. A model runs with each of these numbers, or with the
/// first alone where both would take too long.
const SPINS: [usize; 2] = [0, 2];

thread_local! {
    /// How many of them are left. All threads of a model run on the thread of its test.
    static SPINS_LEFT: Cell<usize> = const { Cell::new(0) };
}

/// The clock of the models, in place of the standard library's. loom has no clock.
///
/// While spins are left, no time passes: a thread that spins yields to the others and looks again. After that, time is
/// always up: a thread looks once, and then sleeps. loom explores both whether the awaited value is there at that look
/// and whether it is not. A spin changes nothing that other threads see. It gives an order that a preemption before the
/// look would give too, but does not count as a preemption.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant;

impl Instant {
    pub(super) fn now() -> Instant {
        Instant
    }

    pub(super) fn elapsed(self) -> Duration {
        match SPINS_LEFT.get() {
            0 => Duration::MAX,
            left => {
                SPINS_LEFT.set(left - 1);
                yield_now();
                Duration::ZERO
            }
        }
    }
}

/// Runs a model in all orders, once with each number of spins, and prints the number of orders.
fn explore(name: &str, spins: &[usize], model: impl Fn() + Send + Sync + 'static) {
    let model = Arc::new(model);
    for &spins in spins {
        let start = std::time::Instant::now();
        let (orders, model) = (Arc::new(Count::new(0)), Arc::clone(&model));
        let counted = Arc::clone(&orders);
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound.get_or_insert(PREEMPTIONS);
        builder.check(move || {
            counted.fetch_add(1, Relaxed);
            SPINS_LEFT.set(spins);
            model();
        });
        println!("loom: {name}, {spins} spins: {} orders in {:?}", orders.load(Relaxed), start.elapsed());
    }
}

fn pool(workers: usize) -> ThreadPool {
    let pool = ThreadPool::default();
    pool.grow(workers);
    pool
}

/// A task whose calls and parts are counted. The pool's threads borrow it until `run` returns.
struct TestTask {
    /// The number of workers that are asked for.
    workers: usize,
    /// The number of parts.
    parts: usize,
    /// The next part. It is one of loom's atomics, so that loom fails a run where a thread may access it after the
    /// borrow has ended.
    next: AtomicUsize,
    /// How many times each part was done.
    done: [Count; PARTS],
    /// How many times each call was made, by its number.
    calls: [Count; 1 + WORKERS],
    /// The threads of all calls.
    threads: std::sync::Mutex<Vec<ThreadId>>,
}

impl TestTask {
    fn new(workers: usize, parts: usize) -> TestTask {
        TestTask {
            workers,
            parts,
            next: AtomicUsize::new(0),
            done: Default::default(),
            calls: Default::default(),
            threads: Default::default(),
        }
    }

    /// The closure of the task: takes parts until none is left. `number` is that of the call.
    fn work(&self, number: usize) {
        self.call(number);
        while let Some(done) = self.done[..self.parts].get(self.next.fetch_add(1, Relaxed)) {
            done.fetch_add(1, Relaxed);
        }
    }

    /// Records a call, and checks that its number and its thread are new.
    fn call(&self, number: usize) {
        assert_eq!(self.calls[number].fetch_add(1, Relaxed), 0, "call {number} is the only one");
        let mut threads = self.threads.lock().expect("no thread panics while it holds this lock");
        assert!(!threads.contains(&current().id()), "each call is on a thread of its own");
        threads.push(current().id());
    }

    /// Runs the task on a pool. Returns the number of workers that called it.
    fn run(self, pool: &ThreadPool) -> usize {
        pool.run(self.workers, &|number| self.work(number));
        self.check()
    }

    /// Checks what must hold when [`ThreadPool::run`] has returned. Returns the number of workers that called the task.
    fn check(mut self) -> usize {
        // Every call accesses `next` last. loom fails the run unless each access happens before this one.
        self.next.with_mut(|_| ());
        assert!(self.done[..self.parts].iter().all(|done| done.load(Relaxed) == 1), "each part is done once");
        let calls = self.calls.map(|calls| calls.load(Relaxed));
        assert!(calls[0] == 1 && calls.is_sorted_by(|a, b| a >= b), "calls are numbered from 0 on: {calls:?}");
        let workers = calls.iter().sum::<usize>() - 1;
        assert!(workers <= self.workers, "{workers} workers instead of {}", self.workers);
        workers
    }
}

/// How many orders ran the task on each number of workers. A model fails where one of these numbers never occurs.
#[derive(Default, Clone)]
struct WorkerCounts(Arc<[Count; 1 + WORKERS]>);

impl WorkerCounts {
    /// Counts an order with this number of workers.
    fn add(&self, workers: usize) {
        self.0[workers].fetch_add(1, Relaxed);
    }

    /// Checks that each number of workers occurred.
    fn check(&self, name: &str) {
        let counts = self.0.each_ref().map(|count| count.load(Relaxed));
        println!("loom: {name}: {counts:?} orders with 0, 1 and 2 workers");
        assert!(!counts.contains(&0), "{counts:?}");
    }
}

/// Runs a task whose calls panic where `panics` says so for their number. Checks that the panic is not lost, and is the
/// caller's if its call panics.
fn run_with_panics(pool: &ThreadPool, mut task: TestTask, panics: impl Fn(usize) -> bool + Sync) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        pool.run(WORKERS, &|number| {
            if panics(number) {
                task.call(number);
                task.next.fetch_add(1, Relaxed);
                // Unlike `panic!`, this does not call the panic hook, which would print.
                resume_unwind(Box::new(number));
            }
            task.work(number);
        });
    }));
    task.next.with_mut(|_| ());
    let was_called = |number: usize| task.calls[number].load(Relaxed) == 1;
    match outcome {
        Ok(()) => assert!(!(0..=WORKERS).any(|number| panics(number) && was_called(number)), "a panic is lost"),
        Err(panic) => {
            let number = *panic.downcast_ref::<usize>().expect("the panic is the task's");
            assert!(panics(number) && was_called(number), "{number} did not panic");
            assert!(!panics(0) || number == 0, "the caller's own panic comes first");
        }
    }
}

#[test]
fn thread_pool_runs_one_task() {
    let counts = WorkerCounts::default();
    let counted = counts.clone();
    explore("one task", &SPINS, move || {
        let pool = pool(WORKERS);
        counted.add(TestTask::new(WORKERS, PARTS).run(&pool));
    });
    counts.check("one task");
}

#[test]
fn thread_pool_runs_tasks_in_a_row() {
    let counts = WorkerCounts::default();
    let counted = counts.clone();
    explore("two tasks", &SPINS, move || {
        let pool = pool(WORKERS);
        // It asks for fewer workers than there are, so that a worker may miss this task and take the next one.
        TestTask::new(1, PARTS).run(&pool);
        counted.add(TestTask::new(WORKERS, PARTS).run(&pool));
    });
    counts.check("the second task");
}

/// No worker sleeps through a task: one whose calls wait for each other ends. It follows a task for which not all
/// workers were woken.
#[test]
fn thread_pool_wakes_all_workers_that_are_asked_for() {
    explore("all workers", &SPINS, || {
        let pool = pool(WORKERS);
        TestTask::new(1, 0).run(&pool);
        let (task, called, all) = (TestTask::new(WORKERS, 0), Mutex::new(0), Condvar::new());
        pool.run(WORKERS, &|number| {
            task.work(number);
            let mut called = lock(&called);
            *called += 1;
            if number == 0 {
                while *called <= WORKERS {
                    called = all.wait(called).expect("no thread panics while it holds this lock");
                }
            } else {
                all.notify_one();
            }
        });
        assert_eq!(task.check(), WORKERS);
    });
}

#[test]
fn thread_pool_can_be_dropped_at_once() {
    explore("dropped at once", &SPINS, || drop(pool(WORKERS)));
}

/// Runs a task in which the calls with these numbers panic, and then one in which none does.
fn panicking(name: &'static str, panics: fn(usize) -> bool) {
    let counts = WorkerCounts::default();
    let counted = counts.clone();
    explore(name, &SPINS[..1], move || {
        let pool = pool(WORKERS);
        run_with_panics(&pool, TestTask::new(WORKERS, PARTS), panics);
        counted.add(TestTask::new(WORKERS, PARTS).run(&pool));
    });
    counts.check(name);
}

#[test]
fn thread_pool_panics_where_the_caller_panics() {
    panicking("the caller panics", |number| number == 0);
}

#[test]
fn thread_pool_panics_where_workers_panic() {
    panicking("workers panic", |number| number > 0);
}

#[test]
fn thread_pool_panics_where_all_calls_panic() {
    panicking("all panic", |_| true);
}

#[test]
fn thread_pool_runs_one_task_at_a_time_for_two_callers() {
    let counts = WorkerCounts::default();
    let counted = counts.clone();
    explore("two callers", &SPINS[..1], move || {
        let pool = loom::sync::Arc::new(pool(WORKERS));
        let running: Arc<[Count; 2]> = Arc::default();
        let other = {
            let (pool, running) = (loom::sync::Arc::clone(&pool), Arc::clone(&running));
            spawn(move || one_of_two_callers(&pool, &running, 1))
        };
        counted.add(one_of_two_callers(&pool, &running, 0));
        other.join().expect("it does not panic");
    });
    counts.check("two callers");
}

/// Runs a task of one of two callers. Checks that no worker runs it while a worker runs the other caller's task.
/// `running` has the number of workers that run the task of each.
fn one_of_two_callers(pool: &ThreadPool, running: &[Count; 2], caller: usize) -> usize {
    let task = TestTask::new(WORKERS, 0);
    pool.run(WORKERS, &|number| {
        if number > 0 {
            running[caller].fetch_add(1, Relaxed);
            assert_eq!(running[1 - caller].load(Relaxed), 0, "the pool runs one task at a time");
        }
        task.work(number);
        if number > 0 {
            running[caller].fetch_sub(1, Relaxed);
        }
    });
    task.check()
}
