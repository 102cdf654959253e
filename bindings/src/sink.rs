//! The library's log, handed to whoever asked for it. Pictures and results never enter it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use log::{LevelFilter, Log, Metadata, Record};

/// Takes a record: its level, its target (a module path) and its message.
pub(crate) type Sink = Arc<dyn Fn(log::Level, &str, &str) + Send + Sync>;

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Sends records of at least this level to a sink, in the place of the one before; to nobody where there is none.
pub(crate) fn set(sink: Option<Sink>, level: LevelFilter) {
    let level = if sink.is_some() { level } else { LevelFilter::Off };
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
    // An app that is itself in Rust may have a logger of its own, which then stays.
    let _ = log::set_logger(&Forward);
    log::set_max_level(level);
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
