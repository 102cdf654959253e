//! The gate. Everything that must hold on every commit, from a clean checkout with nothing but Rust, a JDK and Maven.

use anyhow::Result;

use crate::skipped::Skips;
use crate::step::Step;
use crate::{android, arm, bindings, copy, miri};

/// The version of cargo-deny that the gate runs.
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run() -> Result<()> {
    let mut skips = Skips::default();
    install_components()?;
    Step::new("cargo fmt --all --check").run()?;
    Step::new("cargo fmt --manifest-path fuzz/Cargo.toml --check").run()?;
    copy::check()?;
    Step::new("cargo clippy --locked --workspace --all-targets -- -D warnings").run()?;
    check_arm()?;
    skips.read(&Step::new("cargo test --locked --workspace").lines()?);
    Step::new("cargo doc --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings").run()?;
    bindings::test(&mut skips)?;
    android::test()?;
    miri::some(&mut skips)?;
    install_cargo_deny()?;
    Step::new("cargo deny --locked check bans licenses sources").run()?;
    Step::new("cargo deny --manifest-path fuzz/Cargo.toml --locked --config deny.toml check bans licenses sources")
        .run()?;
    skips.tell()?;
    eprintln!("\nAll of the gate passed.");
    Ok(())
}

fn install_components() -> Result<()> {
    let there = |command| Step::new(command).output().is_ok();
    if there("cargo fmt --version") && there("cargo clippy --version") {
        return Ok(());
    }
    Step::new("rustup component add rustfmt clippy").run().map(drop)
}

/// What only 64-bit ARM compiles; `cargo xtask arm` runs it.
fn check_arm() -> Result<()> {
    Step::new("rustup target add").arg(arm::TARGET).run()?;
    Step::new("cargo check --locked --package bedside-engine --no-default-features --all-targets --target")
        .arg(arm::TARGET)
        .env("RUSTFLAGS", "-D warnings")
        .run()
        .map(drop)
}

fn install_cargo_deny() -> Result<()> {
    let wanted = format!("cargo-deny {CARGO_DENY}");
    if Step::new("cargo deny --version").output().is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    // To compile it takes longer than to run it.
    Step::new("cargo install cargo-deny --debug --locked --version").arg(CARGO_DENY).run().map(drop)
}
