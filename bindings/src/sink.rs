//! The library's log, handed to whoever asked for it. Pictures and results never enter it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use log::{LevelFilter, Log, Metadata, Record};

/// Takes a record: its level, its target (a module path) and its message.
pub(crate) type Sink = Arc<dyn Fn(log::Level, &str, &str) + Send + Sync>;

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Whether the log comes here, once it is known. A program that is itself in Rust may have a logger of its own.
static IS_OURS: OnceLock<bool> = OnceLock::new();

/// Sends records of at least this level to a sink, in the place of the one before; to nobody where there is none.
///
/// Where the program has a logger of its own, the log is its, level and all: this changes nothing.
pub(crate) fn set(sink: Option<Sink>, level: LevelFilter) {
    if sink.is_none() && IS_OURS.get().is_none() {
        return;
    }
    if !IS_OURS.get_or_init(|| log::set_logger(&Forward).is_ok()) {
        return;
    }
    let mut current = SINK.write().unwrap_or_else(PoisonError::into_inner);
    // With the lock held, so that sink and level are of one call where two come together.
    log::set_max_level(if sink.is_some() { level } else { LevelFilter::Off });
    let before = std::mem::replace(&mut *current, sink);
    drop(current);
    // Freed outside the lock: it may be an object of another language.
    drop(before);
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
        // Not held during the call: a sink may set another.
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sink) = sink {
            // A logger that fails must not end a classification.
            let send = || sink(record.level(), record.target(), &record.args().to_string());
            let _ = catch_unwind(AssertUnwindSafe(send));
        }
    }

    fn flush(&self) {}
}
