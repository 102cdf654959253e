//! Compares Bedside with other engines on quantized networks in one run. `benches/peers/peers.py` says what is
//! measured, and how; this module builds the engines' programs, and makes the models once.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::root;
use crate::step::{Step, python};

/// The names of the networks' files, without extension, as `benches/models/make.py` writes them.
const NETWORKS: [&str; 5] =
    ["mobilenet-v2", "efficientnet-b0", "efficientnet-lite0", "mobilenet-v3-large", "resnet-50"];

/// The float graph of `MobileNetV2`, which holds its weights.
const WEIGHTS: &str = "mobilenet_v2_1.0_224_float.onnx";

/// The folder of the models, relative to the workspace's.
const MODELS: &str = "target/peers/models";

/// `weights` is the folder of [`WEIGHTS`], which is needed where the models are not made yet. With `quick`, few rounds
/// are run.
pub(crate) fn run(weights: Option<&Path>, quick: bool) -> Result<()> {
    Step::new("cargo build --locked --release --workspace").run()?;
    let others = "--manifest-path benches/peers/others/Cargo.toml --target-dir target/peers";
    Step::new("cargo build --locked --release").words(others).run()?;
    make_models(weights)?;
    convert_models()?;
    let python = python("peers-venv", "benches/peers/requirements.txt")?;
    Step::new(&python)
        .arg("benches/peers/peers.py")
        .arg(MODELS)
        .words(if quick { "--quick" } else { "" })
        .run()
        .map(drop)
}

/// Makes the ONNX graphs, where one is missing.
fn make_models(weights: Option<&Path>) -> Result<()> {
    if NETWORKS.iter().all(|name| made(name, "onnx")) {
        return Ok(());
    }
    let weights = weights.with_context(|| format!("{MODELS}: not made yet; --weights DIR, with {WEIGHTS} in it"))?;
    let weights = weights.join(WEIGHTS);
    ensure!(weights.is_file(), "{}: no such file", weights.display());
    let python = python("models-venv", "benches/models/requirements.txt")?;
    Step::new(&python)
        .arg("benches/models/make.py")
        .arg(MODELS)
        .arg("--mobilenet-v2")
        .arg(&weights.display().to_string())
        .run()
        .map(drop)
}

/// Converts the graphs for `LiteRT`. A conversion that failed before is not tried again.
fn convert_models() -> Result<()> {
    let missing: Vec<&str> =
        NETWORKS.into_iter().filter(|name| !made(name, "tflite") && !made(name, "unconverted.txt")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let python = python("litert-venv", "benches/peers/convert-requirements.txt")?;
    Step::new(&python).arg("benches/peers/convert.py").arg(MODELS).words(&missing.join(" ")).run().map(drop)
}

/// Whether a network's file with this extension exists.
fn made(name: &str, suffix: &str) -> bool {
    root().join(MODELS).join(format!("{name}.{suffix}")).exists()
}
