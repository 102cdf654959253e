//! The limit of processor time of an input.

use std::fs;
use std::time::{Duration, Instant};

/// The maximum processor time of one input, in a build with a sanitizer. More is a failure (`docs/testing.md`).
const MAX_TIME: Duration = Duration::from_secs(2);

/// Runs a target. Where it took longer than [`MAX_TIME`] of wall time, it is run once more and its processor time is
/// measured, which excludes the time that other processes had the processor.
///
/// # Panics
/// Where the second run takes more processor time than [`MAX_TIME`].
pub fn timed(run: impl Fn()) {
    let start = Instant::now();
    run();
    if start.elapsed() > MAX_TIME {
        let before = on_processor();
        run();
        let took = on_processor() - before;
        assert!(took <= MAX_TIME, "the input takes {took:?}");
    }
}

/// The processor time of this thread so far, as Linux counts it (`Documentation/scheduler/sched-stats.rst`).
fn on_processor() -> Duration {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = counted.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number comes first"))
}
