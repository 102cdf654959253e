//! The gate: everything that must hold on every commit, on a clean checkout with nothing but Rust, a JDK, Maven, Python
//! and binutils.

use anyhow::Result;

use crate::skipped::Skips;
use crate::step::{Step, tool};
use crate::{android, arm, bindings, c, copy, encodings, miri, spelling, versions, words};

/// The version of cargo-deny that the gate runs.
const CARGO_DENY: &str = "0.20.2";

/// Runs all of the gate.
pub(crate) fn run() -> Result<()> {
    let mut skips = Skips::default();
    // At once, not after half an hour.
    c::require_tools()?;
    check_texts()?;
    spelling::check()?;
    lint()?;
    check_arm()?;
    encodings::check()?;
    skips.read(&tests().lines()?);
    Step::new("cargo doc --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings").run()?;
    bindings::test(&mut skips)?;
    android::test()?;
    miri::some(&mut skips)?;
    let deny = tool("cargo-deny", CARGO_DENY, &["cargo-deny"], &[])?[0].display().to_string();
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let check = Step::new(&deny).arg("--manifest-path").arg(manifest);
        check.words("--locked --config deny.toml check bans licenses sources").run()?;
    }
    skips.report()?;
    eprintln!("\nAll of the gate passed.");
    Ok(())
}

/// Runs the part of the gate that needs Rust alone and takes some minutes.
pub(crate) fn quick() -> Result<()> {
    let mut skips = Skips::default();
    check_texts()?;
    lint()?;
    skips.read(&tests().lines()?);
    skips.report()?;
    eprintln!("\nThe quick part of the gate passed. `cargo xtask test` is all of it.");
    Ok(())
}

/// Checks the format of the code, its words, and the files that repeat the copy deck or a version.
fn check_texts() -> Result<()> {
    install_components()?;
    Step::new("cargo fmt --all --check").run()?;
    Step::new("cargo fmt --manifest-path fuzz/Cargo.toml --check").run()?;
    // The fuzz targets have a lock file of their own, which a change of the crates' dependencies must reach.
    Step::new("cargo tree --locked --depth 0 --manifest-path fuzz/Cargo.toml").run()?;
    copy::check()?;
    versions::check()?;
    words::check()
}

fn lint() -> Result<()> {
    Step::new("cargo clippy --locked --workspace --all-targets -- -D warnings").run().map(drop)
}

/// The tests of all crates. `xtask/tests.toml` says how they are compiled.
fn tests() -> Step<'static> {
    Step::new("cargo test --locked --release --workspace --config xtask/tests.toml")
}

/// Installs rustfmt and clippy where one is missing.
fn install_components() -> Result<()> {
    let is_installed = |command| Step::new(command).output().is_ok();
    if is_installed("cargo fmt --version") && is_installed("cargo clippy --version") {
        return Ok(());
    }
    Step::new("rustup component add rustfmt clippy").run().map(drop)
}

/// Runs clippy on the code that only ARM compiles; `cargo xtask arm` runs that code.
fn check_arm() -> Result<()> {
    for architecture in &arm::ARCHITECTURES {
        Step::new("rustup target add").arg(architecture.target).run()?;
        Step::new("cargo clippy --locked --package bedside-engine --no-default-features --all-targets --target")
            .arg(architecture.target)
            .words("-- -D warnings")
            .run()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    /// `xtask/tests.toml` switches overflow checks on. This test fails under plain `cargo test --release`, which has
    /// none: run the gate, or leave out `--release`.
    #[test]
    #[should_panic(expected = "attempt to add with overflow")]
    fn tests_are_compiled_with_overflow_checks() {
        black_box(black_box(u8::MAX) + black_box(1));
    }
}
