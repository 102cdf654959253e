//! What the thread pool is made of: the standard library's threads, locks and clock. In the models (`models.rs`) loom's
//! stand in for them, so that what runs there is the pool's own source, and not a copy of it.

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
