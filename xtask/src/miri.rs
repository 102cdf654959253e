//! The engine's tests under miri, which interprets them and finds undefined behaviour: accesses out of bounds, of memory that
//! is gone or not yet written, by references that others have ended, and data races. It runs the portable kernels and those
//! for AVX2; what it covers and what it can't see stands in `docs/testing.md`.

use std::thread;

use anyhow::{Result, ensure};

use crate::skipped::Skips;
use crate::step::Step;

/// The nightly whose miri runs, of one date, so that nothing changes unless this line does.
const TOOLCHAIN: &str = "nightly-2026-05-20";

/// What miri has of AVX2 is there where the code is compiled for it.
const RUSTFLAGS: &str = "-C target-feature=+avx2,+fma";

/// Pointers made of integers are errors.
const STRICT: &str = "-Zmiri-strict-provenance";

/// The part for the gate: the thread pool, and the kernels of tensors of bytes. Products and filters take miri many minutes.
const GATE: [&str; 4] =
    ["threads::pool", "threads::parallel", "kernels::tests::elementwise_", "kernels::tests::quantize_"];

/// A run's filters, and what it is called with beside [`STRICT`].
type Extent<'a> = (&'a [&'a str], &'a str);

/// The part for the gate, by itself.
pub(crate) fn gate() -> Result<()> {
    let mut skips = Skips::default();
    some(&mut skips)?;
    skips.tell()
}

/// The part for the gate, which tells of what it skipped.
pub(crate) fn some(skips: &mut Skips) -> Result<()> {
    install()?;
    skips.read(&run((&GATE, ""))?);
    Ok(())
}

/// All of it: the thread pool in other orders of its threads, and then, at once as miri uses one processor, all tests under
/// both models of what references may do.
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
    skips.tell()
}

/// Gives the lines that it prints.
fn run((filters, options): Extent<'_>) -> Result<Vec<String>> {
    let flags = format!("{STRICT} {options}");
    let step = Step::new("rustup run").arg(TOOLCHAIN).words("cargo miri test --locked -p bedside-engine");
    let step = step.words("--no-default-features --lib --target x86_64-unknown-linux-gnu --target-dir target/miri --");
    let step = filters.iter().fold(step, |step, filter| step.arg(filter));
    let lines = step.env("RUSTFLAGS", RUSTFLAGS).env("MIRIFLAGS", flags.trim()).lines()?;
    // Without filters, all must have run that have one anywhere.
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
