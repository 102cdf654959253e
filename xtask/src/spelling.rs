//! Spelling of code, comments and documentation, by typos, whose settings are in `typos.toml`.

use std::path::Path;

use anyhow::Result;

use crate::step::{Step, python};

/// Fails where a word is misspelt.
pub(crate) fn check() -> Result<()> {
    let python = python("spelling-venv", "xtask/spelling-requirements.txt")?;
    let typos = Path::new(&python).with_file_name("typos").display().to_string();
    Step::new(&typos).arg("--format=brief").run().map(drop)
}
