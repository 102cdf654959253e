//! In a program that has a logger of its own, the library's stays out of its way. A process by itself: a program has one
//! logger, for good.

#[allow(dead_code, unreachable_pub, reason = "the library's own module: it is not linked into other crates")]
#[path = "../src/sink.rs"]
mod sink;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use log::{LevelFilter, Log, Metadata, Record};

/// The program's own logger: keeps what it hears.
struct Own(Mutex<Vec<String>>);

static OWN: Own = Own(Mutex::new(Vec::new()));

impl Log for Own {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.lock().expect("no panic").push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[test]
fn a_programs_own_logger_keeps_its_records_and_its_level() {
    // Taking off what was never set leaves the place free.
    sink::set(None, LevelFilter::Trace);
    log::set_logger(&OWN).expect("the first");
    log::set_max_level(LevelFilter::Info);

    let heard = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&heard);
    let sink: sink::Sink = Arc::new(move |_, _, _| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    for (given, level) in [(Some(sink), LevelFilter::Trace), (None, LevelFilter::Trace)] {
        sink::set(given, level);
        assert_eq!(log::max_level(), LevelFilter::Info);
        log::info!(target: "bedside::stages", "to its own");
        log::debug!(target: "bedside::stages", "too low for it");
    }
    assert_eq!(*OWN.0.lock().expect("no panic"), ["to its own", "to its own"]);
    assert_eq!(
        (heard.load(Ordering::SeqCst), Arc::strong_count(&heard)),
        (0, 1),
        "a sink that hears nothing is let go"
    );
}
