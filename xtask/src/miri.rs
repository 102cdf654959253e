//! Runs the engine's tests under miri, an interpreter that detects undefined behaviour: accesses out of bounds, to
//! freed or uninitialized memory, or through references that are no longer valid, and data races. It runs the portable,
//! the SSE4.1 and the AVX2 kernels. `docs/testing.md` says what it covers, and what it can't see.

use std::thread;

use anyhow::{Result, ensure};

use crate::skipped::Skips;
use crate::step::Step;

/// The nightly toolchain whose miri runs. Its date is pinned, so that results change with this line only.
const TOOLCHAIN: &str = "nightly-2026-05-20";

/// Under miri, AVX2 is detected only where the code is compiled for it.
const RUSTFLAGS: &str = "-C target-feature=+avx2,+fma";

/// Makes every pointer that is made from an integer an error.
const STRICT: &str = "-Zmiri-strict-provenance";

/// The filters of the gate: the thread pool, and the element-wise and quantization kernels. GEMM and convolutions take
/// miri many minutes.
const GATE: [&str; 4] =
    ["threads::pool", "threads::parallel", "kernels::tests::elementwise_", "kernels::tests::quantize_"];

/// A run's test filters, and miri's options besides [`STRICT`].
type Extent<'a> = (&'a [&'a str], &'a str);

/// Runs the part for the gate by itself, and reports what it skipped.
pub(crate) fn gate() -> Result<()> {
    let mut skips = Skips::default();
    some(&mut skips)?;
    skips.report()
}

/// Runs the part for the gate, and adds what it skipped to `skips`.
pub(crate) fn some(skips: &mut Skips) -> Result<()> {
    install()?;
    skips.read(&run((&GATE, ""))?);
    Ok(())
}

/// Runs the tests of the thread pool under 32 thread schedules, and then all tests under both aliasing models, Stacked
/// Borrows and Tree Borrows. These two runs are concurrent, because miri uses one processor.
pub(crate) fn all() -> Result<()> {
    install()?;
    let orders = run((&["threads::pool", "threads::parallel"], "-Zmiri-many-seeds=0..32"))?;
    let [stacks, trees] = thread::scope(|threads| {
        let trees = threads.spawn(|| run((&[], "-Zmiri-tree-borrows")));
        [run((&[], "")), trees.join().expect("a step that fails gives an error")]
    });
    if let Err(error) = &trees {
        eprintln!("Tree Borrows: {error:#}");
    }
    let mut skips = Skips::default();
    for lines in [orders, stacks?, trees?] {
        skips.read(&lines);
    }
    skips.report()
}

/// Runs the tests that match a filter, all of them without filters, and returns the printed lines. Fails where a filter
/// matches no test that ran.
fn run((filters, options): Extent<'_>) -> Result<Vec<String>> {
    let flags = format!("{STRICT} {options}");
    let step = Step::new("rustup run").arg(TOOLCHAIN).words("cargo miri test --locked -p bedside-engine");
    let step = step.words("--no-default-features --lib --target x86_64-unknown-linux-gnu --target-dir target/miri --");
    let step = filters.iter().fold(step, |step, filter| step.arg(filter));
    let lines = step.env("RUSTFLAGS", RUSTFLAGS).env("MIRIFLAGS", flags.trim()).lines()?;
    // A run of all tests must have run those of the gate's filters.
    for filter in if filters.is_empty() { &GATE } else { filters } {
        let ran = |line: &String| line.contains(filter) && line.starts_with("test ") && line.ends_with(" ok");
        ensure!(lines.iter().any(ran), "no test with {filter} in its name ran under miri");
    }
    Ok(lines)
}

/// Installs the toolchain where it is missing.
fn install() -> Result<()> {
    if Step::new("rustup run").arg(TOOLCHAIN).arg("cargo").arg("miri").arg("--version").output().is_ok() {
        return Ok(());
    }
    Step::new("rustup toolchain install --profile minimal --component miri,rust-src").arg(TOOLCHAIN).run().map(drop)
}
