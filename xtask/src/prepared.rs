//! The shipped models in their prepared form, which the apps carry and open without the ONNX importer.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::bindings;
use crate::root;
use crate::step::Step;

/// The maximum size of all of them together, in bytes.
const MAX_BYTES: u64 = 14_000_000;

/// Prepares each model of `models` as `NAME/model.prepared` in a folder, and returns the folder. Fails where they are larger
/// than an app may carry.
pub(crate) fn models() -> Result<PathBuf> {
    bindings::release()?;
    let to = root().join("target/prepared");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    let mut bytes = 0;
    for entry in fs::read_dir(root().join("models"))? {
        let folder = entry?.path();
        let model = folder.join("model.onnx");
        if model.is_file() {
            let target = to.join(folder.file_name().context("a model has a name")?);
            fs::create_dir_all(&target)?;
            let prepared = target.join("model.prepared");
            let (from, to) = (model.display().to_string(), prepared.display().to_string());
            Step::new("target/release/bedside pack").arg(&from).arg("--prepare").arg("-o").arg(&to).run()?;
            bytes += fs::metadata(&prepared)?.len();
        }
    }
    ensure!(bytes > 0, "no folder of models has a model.onnx");
    ensure!(bytes <= MAX_BYTES, "the prepared models have {bytes} bytes together, more than {MAX_BYTES}");
    eprintln!("{}: {:.1} MB", to.display(), bytes as f64 / 1e6);
    Ok(to)
}
