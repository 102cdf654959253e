//! Forwards the library's log to a logger of another language. Pictures and results never enter the log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use log::{LevelFilter, Log, Metadata, Record};

/// Receives a record: its level, its target (a module path) and its message.
pub(crate) type Sink = Arc<dyn Fn(log::Level, &str, &str) + Send + Sync>;

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Whether [`Forward`] is the program's logger; empty before the first sink is set. A program in Rust may have its own.
static IS_INSTALLED: OnceLock<bool> = OnceLock::new();

/// Sends records of at least this level to `sink`, which replaces the previous one. Without a sink, records are
/// dropped.
///
/// In a program with its own logger this changes nothing: that logger keeps the records and its level.
pub(crate) fn set(sink: Option<Sink>, level: LevelFilter) {
    if sink.is_none() && IS_INSTALLED.get().is_none() {
        return;
    }
    if !IS_INSTALLED.get_or_init(|| log::set_logger(&Forward).is_ok()) {
        return;
    }
    let mut current = SINK.write().unwrap_or_else(PoisonError::into_inner);
    // Set while the lock is held, so that sink and level come from the same call where two calls are concurrent.
    log::set_max_level(if sink.is_some() { level } else { LevelFilter::Off });
    let previous = std::mem::replace(&mut *current, sink);
    drop(current);
    // Dropped outside the lock, because dropping it may call into another language.
    drop(previous);
}

struct Forward;

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("bedside")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // The lock is not held during the call, because a sink may set another sink.
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sink) = sink {
            // A panic in the sink must not end a classification.
            let send = || sink(record.level(), record.target(), &record.args().to_string());
            let _ = catch_unwind(AssertUnwindSafe(send));
        }
    }

    fn flush(&self) {}
}
