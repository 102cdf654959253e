//! Bedside beside its peers, in turn, in one run. What is measured, and how, stands in `benches/compare.py`.

use anyhow::Result;

use crate::step::{Step, python};

pub(crate) fn run() -> Result<()> {
    Step::new("cargo build --locked --release --workspace").run()?;
    let python = python("bench-venv", "benches/requirements.txt")?;
    Step::new(&python).arg("benches/compare.py").arg("target/release/bedside").run().map(drop)
}
