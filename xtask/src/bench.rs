//! Compares Bedside with ONNX Runtime and Pillow, in turn, in one run. `benches/compare.py` says what is measured, and
//! how.

use anyhow::Result;

use crate::step::{Step, python};

pub(crate) fn run() -> Result<()> {
    Step::new("cargo build --locked --release --workspace").run()?;
    let python = python("bench-venv", "benches/requirements.txt")?;
    Step::new(&python).arg("benches/compare.py").arg("target/release/bedside").run().map(drop)
}
