//! Running a step of a program on several threads: the thread pool that all engines share, and how a step is cut into
//! parts.
//!
//! This module knows nothing of programs or tensors: `executable/` says what a step does and what it costs. Results do
//! not depend on it: no part reads what another part writes, and sums of integers are the same in any order.

#[cfg(all(test, loom))]
mod models;
mod parallel;
mod pool;
mod sync;

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread::available_parallelism;

pub(crate) use parallel::{Split, StepThreads, Threads};
pub(crate) use pool::lock;
pub(crate) use sync::Mutex;

/// How many threads this machine runs at once, as far as the system says; at least 1.
pub(crate) fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| available_parallelism().map_or(1, NonZero::get))
}
