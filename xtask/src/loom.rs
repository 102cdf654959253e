//! The models of the engine's thread pool (`engine/src/threads/models.rs`), run by loom.

use anyhow::{Result, ensure};

use crate::step::Step;

/// How many models there are: where fewer run, a filter has lost some.
const MODELS: usize = 8;

pub(crate) fn run() -> Result<()> {
    let lines = Step::new("cargo test --locked --release -p bedside-engine --no-default-features --lib")
        .words("--target-dir target/loom threads::models:: -- --nocapture")
        .env("RUSTFLAGS", "--cfg loom")
        .env("LOOM_MAX_PREEMPTIONS", "3")
        // As tests have them: a count below zero is a find.
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .lines()?;
    let passed = format!("test result: ok. {MODELS} passed; 0 failed; 0 ignored");
    ensure!(lines.iter().any(|line| line.starts_with(&passed)), "not all models ran: {MODELS} there should be");
    Ok(())
}
