//! What an input may take of the processor.

use std::fs;
use std::time::{Duration, Instant};

/// More is a find. The sanitizer's part is counted.
const MOST: Duration = Duration::from_secs(2);

/// Runs a target. One that took longer, by the clock on the wall, runs once more by that of the thread, which stands still
/// while other processes have the processor.
///
/// # Panics
/// Where it takes longer than an input may.
pub fn timed(run: impl Fn()) {
    let start = Instant::now();
    run();
    if start.elapsed() > MOST {
        let before = on_processor();
        run();
        let took = on_processor() - before;
        assert!(took <= MOST, "the input takes {took:?}");
    }
}

/// How long this thread has run, as Linux counts it (`Documentation/scheduler/sched-stats.rst`).
fn on_processor() -> Duration {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = counted.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number comes first"))
}
