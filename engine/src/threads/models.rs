//! Models of the thread pool: loom runs each in every order in which its threads can take turns, with up to three
//! preemptions, and with every value that a load may give under the memory model of Rust. `cargo xtask loom` runs them;
//! `docs/testing.md` says what they cover and what they don't see.
//!
//! Threads, locks, condition variables and the atomics of the pool are loom's. What a model counts to judge a run is in
//! the standard library's atomics, which loom knows nothing of: they add no order and no turns.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize as Count, Ordering::Relaxed};
use std::time::Duration;

use loom::thread::{ThreadId, current, spawn, yield_now};

use super::pool::{ThreadPool, lock};
use super::sync::{AtomicUsize, Condvar, Mutex};

/// The workers of a pool, and how many of them a job asks for.
const WORKERS: usize = 2;

/// The most parts that a job has: one less than the threads that may take one.
const PARTS: usize = 2;

/// How often loom may take a thread's turn away from it. `LOOM_MAX_PREEMPTIONS` says otherwise.
const PREEMPTIONS: usize = 3;

/// How often threads may look once more in a run. Models are run with each of these, or, where that takes too long, with the
/// first.
const PATIENCE: [usize; 2] = [0, 2];

thread_local! {
    /// What is left of it. All threads of a model run on the thread of its test.
    static PATIENCE_LEFT: Cell<usize> = const { Cell::new(0) };
}

/// The clock of the models, as loom has none: how long a thread looks out is not for the time to say, but for the model.
///
/// At first, time stands still, and who looks out lets others have their turns and looks again. When that has been done so
/// often in a run as [`PATIENCE`] says, time is always up: a thread looks once, and whether there is something by then is
/// loom's choice. It explores both, that the thread sees it and that it gives up and sleeps. To look more often changes
/// nothing that others see, so that this adds no order that could not be had by taking its turn from the thread before it
/// looks; but those are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant;

impl Instant {
    pub(super) fn now() -> Instant {
        Instant
    }

    pub(super) fn elapsed(self) -> Duration {
        match PATIENCE_LEFT.get() {
            0 => Duration::MAX,
            left => {
                PATIENCE_LEFT.set(left - 1);
                yield_now();
                Duration::ZERO
            }
        }
    }
}

/// Runs a model in all orders, once with each patience, and says in how many.
fn explore(name: &str, patience: &[usize], model: impl Fn() + Send + Sync + 'static) {
    let model = Arc::new(model);
    for &patience in patience {
        let start = std::time::Instant::now();
        let (orders, model) = (Arc::new(Count::new(0)), Arc::clone(&model));
        let counted = Arc::clone(&orders);
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound.get_or_insert(PREEMPTIONS);
        builder.check(move || {
            counted.fetch_add(1, Relaxed);
            PATIENCE_LEFT.set(patience);
            model();
        });
        println!("loom: {name}, patience {patience}: {} orders in {:?}", orders.load(Relaxed), start.elapsed());
    }
}

fn pool(workers: usize) -> ThreadPool {
    let pool = ThreadPool::default();
    pool.grow(workers);
    pool
}

/// What threads take parts of, borrowed by them until `run` returns.
struct Job {
    /// How many workers are asked for.
    workers: usize,
    parts: usize,
    /// loom's: it fails a run in which somebody may touch this when it is no longer borrowed.
    next: AtomicUsize,
    done: [Count; PARTS],
    calls: [Count; 1 + WORKERS],
    threads: std::sync::Mutex<Vec<ThreadId>>,
}

impl Job {
    fn new(workers: usize, parts: usize) -> Job {
        Job {
            workers,
            parts,
            next: AtomicUsize::new(0),
            done: Default::default(),
            calls: Default::default(),
            threads: Default::default(),
        }
    }

    /// What each thread does. The number is that of the call.
    fn work(&self, number: usize) {
        self.call(number);
        while let Some(done) = self.done[..self.parts].get(self.next.fetch_add(1, Relaxed)) {
            done.fetch_add(1, Relaxed);
        }
    }

    fn call(&self, number: usize) {
        assert_eq!(self.calls[number].fetch_add(1, Relaxed), 0, "call {number} is the only one");
        let mut threads = self.threads.lock().expect("nobody panics meanwhile");
        assert!(!threads.contains(&current().id()), "each call is on a thread of its own");
        threads.push(current().id());
    }

    /// Runs it on a pool and gives how many of its threads have come.
    fn run(self, pool: &ThreadPool) -> usize {
        pool.run(self.workers, &|number| self.work(number));
        self.over()
    }

    /// What must hold when `run` has returned.
    fn over(mut self) -> usize {
        // What every call touched last. Each touch must have happened before; loom knows by locks and atomics, not by luck.
        self.next.with_mut(|_| ());
        assert!(self.done[..self.parts].iter().all(|done| done.load(Relaxed) == 1), "each part is done once");
        let calls = self.calls.map(|calls| calls.load(Relaxed));
        assert!(calls[0] == 1 && calls.is_sorted_by(|a, b| a >= b), "calls are numbered from 0 on: {calls:?}");
        let came = calls.iter().sum::<usize>() - 1;
        assert!(came <= self.workers, "{came} came instead of {}", self.workers);
        came
    }
}

/// How often what a model is about came to be, so that none passes because it never did.
#[derive(Default, Clone)]
struct Seen(Arc<[Count; 1 + WORKERS]>);

impl Seen {
    fn note(&self, what: usize) {
        self.0[what].fetch_add(1, Relaxed);
    }

    fn all(&self, name: &str) {
        let counts = self.0.each_ref().map(|count| count.load(Relaxed));
        println!("loom: {name}: {counts:?} runs with 0, 1 and 2 threads of the pool");
        assert!(!counts.contains(&0), "{counts:?}");
    }
}

/// Runs a job, and gives what it panicked with.
fn caught(pool: &ThreadPool, mut job: Job, panics: impl Fn(usize) -> bool + Sync) -> Result<(), Box<dyn Any + Send>> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        pool.run(WORKERS, &|number| {
            if panics(number) {
                job.call(number);
                job.next.fetch_add(1, Relaxed);
                // Without the hook, which would print.
                resume_unwind(Box::new(number));
            }
            job.work(number);
        });
    }));
    job.next.with_mut(|_| ());
    let came = |number: usize| job.calls[number].load(Relaxed) == 1;
    match &outcome {
        Ok(()) => assert!(!(0..=WORKERS).any(|number| panics(number) && came(number)), "a panic is lost"),
        Err(panic) => {
            let number = *panic.downcast_ref::<usize>().expect("the panic is the job's");
            assert!(panics(number) && came(number), "{number} did not panic");
            assert!(!panics(0) || number == 0, "the caller's own panic comes first");
        }
    }
    outcome
}

#[test]
fn one_job() {
    let seen = Seen::default();
    let note = seen.clone();
    explore("one job", &PATIENCE, move || {
        let pool = pool(WORKERS);
        note.note(Job::new(WORKERS, PARTS).run(&pool));
    });
    seen.all("one job");
}

#[test]
fn several_jobs_in_a_row() {
    let seen = Seen::default();
    let note = seen.clone();
    explore("two jobs", &PATIENCE, move || {
        let pool = pool(WORKERS);
        // Fewer than there are, so that one may be late for this and come to the next.
        Job::new(1, PARTS).run(&pool);
        note.note(Job::new(WORKERS, PARTS).run(&pool));
    });
    seen.all("the second job");
}

/// Nobody sleeps through a job: one that needs all threads ends. It comes behind another, for which not all were woken.
#[test]
fn all_that_are_asked_for_come() {
    explore("all come", &PATIENCE, || {
        let pool = pool(WORKERS);
        Job::new(1, 0).run(&pool);
        let (job, come, all) = (Job::new(WORKERS, 0), Mutex::new(0), Condvar::new());
        pool.run(WORKERS, &|number| {
            job.work(number);
            let mut come = lock(&come);
            *come += 1;
            if number == 0 {
                while *come <= WORKERS {
                    come = all.wait(come).expect("nobody panics meanwhile");
                }
            } else {
                all.notify_one();
            }
        });
        assert_eq!(job.over(), WORKERS);
    });
}

#[test]
fn dropped_at_once() {
    explore("dropped at once", &PATIENCE, || drop(pool(WORKERS)));
}

/// Runs a job in which these calls panic, and then one in which none does.
fn panicking(name: &'static str, panics: fn(usize) -> bool) {
    let seen = Seen::default();
    let note = seen.clone();
    explore(name, &PATIENCE[..1], move || {
        let pool = pool(WORKERS);
        let _ = caught(&pool, Job::new(WORKERS, PARTS), panics);
        note.note(Job::new(WORKERS, PARTS).run(&pool));
    });
    seen.all(name);
}

#[test]
fn a_panic_of_the_caller() {
    panicking("the caller panics", |number| number == 0);
}

#[test]
fn a_panic_of_the_pools_threads() {
    panicking("the pool's threads panic", |number| number > 0);
}

#[test]
fn a_panic_of_all() {
    panicking("all panic", |_| true);
}

#[test]
fn two_callers() {
    let seen = Seen::default();
    let note = seen.clone();
    explore("two callers", &PATIENCE[..1], move || {
        let pool = loom::sync::Arc::new(pool(WORKERS));
        let at_work: Arc<[Count; 2]> = Arc::default();
        let other = {
            let (pool, at_work) = (loom::sync::Arc::clone(&pool), Arc::clone(&at_work));
            spawn(move || one_of_two_callers(&pool, &at_work, 1))
        };
        note.note(one_of_two_callers(&pool, &at_work, 0));
        other.join().expect("it does not panic");
    });
    seen.all("two callers");
}

/// Runs a job of one of two callers. No thread of the pool may work on it while another works on the other's.
fn one_of_two_callers(pool: &ThreadPool, at_work: &[Count; 2], caller: usize) -> usize {
    let job = Job::new(WORKERS, 0);
    pool.run(WORKERS, &|number| {
        if number > 0 {
            at_work[caller].fetch_add(1, Relaxed);
            assert_eq!(at_work[1 - caller].load(Relaxed), 0, "the pool has one job at a time");
        }
        job.work(number);
        if number > 0 {
            at_work[caller].fetch_sub(1, Relaxed);
        }
    });
    job.over()
}
