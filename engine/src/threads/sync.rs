//! The threads, locks, atomics and clock of the thread pool: the standard library's, or loom's in the models
//! (`models.rs`). So the models run the pool's own source. loom has no clock, and the models bring one.

#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic::AtomicUsize};
#[cfg(not(all(test, loom)))]
pub(super) use std::thread::{Builder, JoinHandle, yield_now};
#[cfg(not(all(test, loom)))]
pub(super) use std::time::Instant;

#[cfg(all(test, loom))]
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard, atomic::AtomicUsize};
#[cfg(all(test, loom))]
pub(super) use loom::thread::{Builder, JoinHandle, yield_now};

#[cfg(all(test, loom))]
pub(super) use super::models::Instant;
