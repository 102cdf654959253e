//! The gate and all that takes longer. Writes a dated summary to `docs/full-run.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::step::{Step, cpu};
use crate::{root, test};

/// The Minimum Supported Rust Version that Cargo.toml states.
const MSRV: &str = "1.91";

/// `toolchain` is where Swift is, or is to be installed.
pub(crate) fn run(data: &Path, toolchain: &Path) -> Result<()> {
    let data = data.canonicalize().with_context(|| format!("{}: no such folder", data.display()))?;
    let [isic, kermany] = ["isic2017", "kermany_cxr"].map(|set| data.join(set));
    for set in [&isic, &kermany] {
        ensure!(set.join("labels.csv").is_file(), "{}: unpack the data set there first", set.display());
    }

    let commit = Step::new("git describe --always --dirty").output()?;
    let started = std::time::Instant::now();
    test::run()?;
    let mut steps = vec![("the gate (`cargo xtask test`)".to_owned(), started.elapsed())];
    let data = data.display().to_string();
    let (isic, kermany) = (isic.display().to_string(), kermany.display().to_string());
    let enlarged = root().join("target/isic2017-enlarged").display().to_string();
    let python = crate::step::python("golden-venv", "tests/golden/requirements.txt")?;
    let swift = toolchain.display().to_string();
    let long = [
        Step::new(&python).arg("tests/golden/make_scores.py").arg("enlarge").arg(&isic).arg(&enlarged),
        Step::new(
            "cargo test --locked --release --workspace --test skin_lesion --test chest_xray -- --ignored --nocapture",
        )
        .env("BEDSIDE_ISIC2017", &isic)
        .env("BEDSIDE_KERMANY", &kermany)
        .env("BEDSIDE_ISIC2017_ENLARGED", &enlarged),
        Step::new("cargo xtask soak"),
        Step::new("ios/linux/toolchain.sh").arg(&swift),
        Step::new("ios/linux/test.sh target/release").arg(&swift).env("BEDSIDE_SOAK", "1"),
        Step::new("ios/linux/test.sh target/test-panic")
            .arg(&swift)
            .env("BEDSIDE_TEST_PANIC", "1")
            .env("BEDSIDE_COMMAND", "target/release/bedside"),
        Step::new("rustup toolchain install --profile minimal").arg(MSRV),
        Step::new("rustup run").arg(MSRV).arg("cargo").arg("check").arg("--locked").arg("--workspace"),
        // Each border is a feature.
        Step::new("cargo check --locked --package bedside-bindings --no-default-features --features jni"),
        Step::new("cargo check --locked --package bedside-bindings --no-default-features --features uniffi"),
        Step::new("cargo xtask maven"),
        Step::new("cargo xtask android"),
        Step::new("cargo xtask android test shrunk"),
        Step::new("cargo xtask android emulated"),
        Step::new("cargo xtask ios"),
        // What an earlier try compiled of our crates passes for the same while their version is.
        Step::new("cargo clean --locked -p bedside -p bedside-engine"),
        Step::new("cargo publish --dry-run --locked --allow-dirty -p bedside-engine -p bedside -p bedside-cli"),
    ];
    forget_packages()?;
    for step in long {
        let took = step.run()?;
        steps.push((format!("`{}`", shown(&step, &data, &enlarged, &swift)), took));
    }
    write_summary(&commit, &steps)
}

/// Removes what cargo unpacked of our own crates when it last tried to publish them, which passes for the same too.
fn forget_packages() -> Result<()> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"))).context("no HOME")?;
    for registry in fs::read_dir(home.join("registry/src"))? {
        let registry = registry?.path();
        for name in ["bedside-engine", "bedside", "bedside-cli"] {
            let unpacked = registry.join(format!("{name}-{}", env!("CARGO_PKG_VERSION")));
            if unpacked.is_dir() {
                fs::remove_dir_all(unpacked)?;
            }
        }
    }
    Ok(())
}

/// The command without this machine's folders.
fn shown(step: &Step<'_>, data: &str, enlarged: &str, swift: &str) -> String {
    let root = root().display().to_string();
    step.to_string()
        .replace(swift, "SWIFT")
        .replace(enlarged, "ENLARGED")
        .replace(data, "DATA")
        .replace(&format!("{root}/"), "")
}

/// `commit` is the one that stood there when the run began.
fn write_summary(commit: &str, steps: &[(String, Duration)]) -> Result<()> {
    let mut page = String::from("# The last full run\n\nWritten by `cargo xtask full`.\n\n");
    writeln!(page, "- Date: {}", Step::new("date -u +%Y-%m-%d").output()?)?;
    writeln!(page, "- Of: {commit}")?;
    writeln!(page, "- Compiler: {}", Step::new("rustc --version").output()?)?;
    writeln!(page, "- CPU: {}\n\n| step | result | minutes |\n|---|---|---|", cpu())?;
    for (name, took) in steps {
        writeln!(page, "| {name} | passed | {:.1} |", took.as_secs_f64() / 60.0)?;
    }
    for model in ["skin-lesion", "chest-xray"] {
        let long = root().join(format!("target/agreement/{model}.md"));
        let agreement =
            fs::read_to_string(&long).with_context(|| format!("{}: the long test writes it", long.display()))?;
        writeln!(page, "\n## {model} beside ONNX Runtime\n\n{agreement}")?;
    }
    fs::write(root().join("docs/full-run.md"), page)?;
    eprintln!("\nAll of the full run passed; docs/full-run.md says what.");
    Ok(())
}
