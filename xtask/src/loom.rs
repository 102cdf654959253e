//! Runs the models of the engine's thread pool (`engine/src/threads/models.rs`) under loom.

use anyhow::{Result, ensure};

use crate::step::Step;

/// The number of models. Where fewer run, the filter no longer matches all of them.
const MODELS: usize = 8;

pub(crate) fn run() -> Result<()> {
    let lines = Step::new("cargo test --locked --release -p bedside-engine --no-default-features --lib")
        .words("--target-dir target/loom threads::models:: -- --nocapture")
        .env("RUSTFLAGS", "--cfg loom")
        .env("LOOM_MAX_PREEMPTIONS", "3")
        // As in the gate's tests: a counter that falls below zero is a defect.
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .lines()?;
    let passed = format!("test result: ok. {MODELS} passed; 0 failed; 0 ignored");
    ensure!(lines.iter().any(|line| line.starts_with(&passed)), "not all models ran: {MODELS} there should be");
    Ok(())
}
