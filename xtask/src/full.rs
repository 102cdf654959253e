//! The gate and every check that takes longer, some hours on two cores. Writes a dated summary to
//! `docs/runs/full-run.md`. A run that was stopped continues after its last passed step when it is started again on the
//! same clean commit; no other commit may be built in between. Of another commit, the steps that passed count only where
//! the caller names it, having looked at what changed since; the summary says of each step on which commit it passed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::step::{Step, cpu};
use crate::versions::{MSRV, VERSION};
use crate::{root, test};

/// The first step, which always runs on the commit that is checked out.
const GATE: &str = "the gate (`cargo xtask test`)";
/// The crates that are published, each after those that it depends on.
const PUBLISHED: [&str; 4] = ["bedside-engine", "bedside", "bedside-tools", "bedside-cli"];

/// Runs all steps. `data` is the folder of the data sets. `toolchain` is the folder of Swift, which is installed there
/// where it is missing. `keep` are other commits whose passed steps count, but for the gate.
pub(crate) fn run(data: &Path, toolchain: &Path, keep: &[String]) -> Result<()> {
    let data = data.canonicalize().with_context(|| format!("{}: no such folder", data.display()))?;
    let sets = ["pad_ufes", "isic2017", "bus_bra", "busi", "kermany_cxr"].map(|set| data.join(set));
    for set in &sets {
        ensure!(set.join("labels.csv").is_file(), "{}: unpack the data set there first", set.display());
    }

    let mut passed = Passed::read(keep)?;
    passed.once(GATE, || {
        let started = Instant::now();
        test::run().map(|()| started.elapsed())
    })?;
    let data = data.display().to_string();
    let [photos, dermoscopic, frames, _, films] = sets.each_ref().map(|set| set.display().to_string());
    let enlarged = root().join("target/isic2017-enlarged").display().to_string();
    let python = crate::step::python("golden-venv", "tests/golden/requirements.txt")?;
    let graphs = crate::step::python("graphs-venv", "tests/golden/graphs/requirements.txt")?;
    let [vectors, nets] =
        ["vectors.bin", "nets.bin"].map(|name| root().join("target").join(name).display().to_string());
    let swift = toolchain.display().to_string();
    let home = publishing_home()?;
    let published = PUBLISHED.map(|name| format!("-p {name}")).join(" ");
    let long = [
        Step::new(&python).arg("tests/golden/make_scores.py").arg("enlarge").arg(&dermoscopic).arg(&enlarged),
        Step::new("cargo test --locked --release --workspace")
            .words("--test skin_photo --test skin_lesion --test breast_ultrasound --test chest_xray")
            .words("-- --ignored --nocapture")
            .env("BEDSIDE_DATA", &data)
            .env("BEDSIDE_ISIC2017_ENLARGED", &enlarged),
        // The graphs alone, without decoding and preprocessing.
        Step::new("cargo build --locked --release --workspace --example outputs"),
        Step::new(&graphs)
            .words("benches/models/agreement.py target/release/examples/outputs --to target/agreement/graphs.md")
            .words("--graphs models/skin-photo/model.onnx models/skin-lesion/model.onnx")
            .words("models/breast-ultrasound/model.onnx models/chest-xray/model.onnx --pictures")
            .arg(&photos)
            .arg(&dermoscopic)
            .arg(&frames)
            .arg(&films),
        // Hostile graphs, which cost much time or memory to open.
        Step::new(&graphs).words("benches/models/hostile.py target/release/examples/outputs"),
        // Thousands of random graphs, and whole networks, with expected outputs by the reference interpreter.
        Step::new(&graphs)
            .arg("tests/golden/engine/generate.py")
            .arg(&vectors)
            .words("--cases 6000 --seed 1 --compare"),
        Step::new(&graphs).arg("tests/golden/engine/nets.py").arg(&nets).arg("tests/golden/skin-lesion/float.onnx"),
        Step::new("cargo test --locked --release --workspace --lib -- --ignored thousands")
            .env("BEDSIDE_VECTORS", &vectors),
        Step::new("cargo test --locked --release --workspace --lib -- --ignored thousands")
            .env("BEDSIDE_VECTORS", &nets),
        // A debug build, because the gate compiles dependencies without their debug assertions.
        Step::new("cargo test --locked --package bedside-engine"),
        // `bindings/wire.txt` must be what the script writes.
        Step::new("python3 bindings/wire.py"),
        Step::new("git diff --exit-code bindings/wire.txt"),
        Step::new("cargo xtask loom"),
        Step::new("cargo xtask miri all"),
        Step::new("cargo xtask fuzz all --minutes 1"),
        Step::new("cargo xtask fuzz coverage"),
        Step::new("cargo xtask soak"),
        Step::new("cargo xtask soak --minutes 2"),
        Step::new("ios/linux/toolchain.sh").arg(&swift),
        Step::new("cargo xtask models"),
        Step::new("ios/linux/test.sh target/release").arg(&swift).env("BEDSIDE_SOAK", "1"),
        Step::new("ios/linux/test.sh target/test-panic")
            .arg(&swift)
            .env("BEDSIDE_TEST_PANIC", "1")
            .env("BEDSIDE_COMMAND", "target/release/bedside"),
        Step::new("rustup toolchain install --profile minimal").arg(MSRV),
        Step::new("rustup run").arg(MSRV).arg("cargo").arg("check").arg("--locked").arg("--workspace"),
        Step::new("cargo xtask features"),
        Step::new("cargo xtask api"),
        Step::new("cargo xtask book"),
        Step::new("cargo xtask maven"),
        Step::new("cargo xtask android"),
        Step::new("cargo xtask android small"),
        Step::new("cargo xtask android test --shrunk"),
        Step::new("cargo xtask android emulated"),
        Step::new("cargo xtask ios"),
        Step::new("cargo xtask ios --app"),
        Step::new("cargo xtask device --twice"),
        Step::new("cargo xtask arm"),
        Step::new("cargo xtask arm golden"),
        Step::new("cargo xtask arm suite"),
        Step::new("cargo xtask arm count"),
        // Cargo would reuse what an earlier dry run compiled of these crates, because their version is the same.
        Step::new("cargo clean --locked").words(&published),
        Step::new("cargo publish --dry-run --locked --allow-dirty").words(&published).env("CARGO_HOME", &home),
    ];
    for step in long {
        // A later step may have built with other features since this step passed.
        if step.to_string().starts_with("cargo build ") {
            passed.forget(&step.to_string());
        }
        passed.once(&format!("`{}`", shown(&step, &data, &enlarged, &swift)), || step.run())?;
    }
    write_summary(&passed)
}

/// The steps that passed. The file under `target` has a line for each: minutes, commit and name.
struct Passed {
    /// The commit that is checked out, with `-dirty` where the working tree differs from it.
    commit: String,
    steps: Vec<PassedStep>,
    /// The names of this run's steps. The file may hold others, of an earlier run with other steps.
    asked: Vec<String>,
}

struct PassedStep {
    minutes: f64,
    commit: String,
    name: String,
}

impl Passed {
    fn file() -> PathBuf {
        root().join("target/full-run.txt")
    }

    /// The steps that passed on the commit that is checked out, and but for the gate those that passed on one of `keep`.
    /// None where the working tree differs from the commit.
    fn read(keep: &[String]) -> Result<Passed> {
        let commit = Step::new("git describe --always --dirty").output()?;
        let text = fs::read_to_string(Passed::file()).unwrap_or_default();
        let step = |line: &str| {
            let mut parts = line.splitn(3, ' ');
            let (minutes, commit, name) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
            Some(PassedStep { minutes, commit: commit.into(), name: name.into() })
        };
        let counts = |step: &PassedStep| step.commit == commit || (keep.contains(&step.commit) && step.name != GATE);
        let steps = text.lines().filter_map(step).filter(|step| counts(step) && !commit.ends_with("-dirty"));
        Ok(Passed { steps: steps.collect(), asked: Vec::new(), commit })
    }

    /// Removes a step, so that it runs again.
    fn forget(&mut self, name: &str) {
        self.steps.retain(|passed| passed.name != format!("`{name}`"));
    }

    /// Runs a step, which returns its duration, unless it passed before.
    fn once(&mut self, name: &str, run: impl FnOnce() -> Result<Duration>) -> Result<()> {
        self.asked.push(name.to_owned());
        if let Some(passed) = self.steps.iter().find(|passed| passed.name == name) {
            eprintln!("\n=== {name}: passed before on {}", passed.commit);
            return Ok(());
        }
        let minutes = run()?.as_secs_f64() / 60.0;
        self.steps.push(PassedStep { minutes, commit: self.commit.clone(), name: name.to_owned() });
        let lines = self.steps.iter().map(|step| format!("{:.2} {} {}\n", step.minutes, step.commit, step.name));
        Ok(fs::write(Passed::file(), lines.collect::<String>())?)
    }
}

/// The folder that is `CARGO_HOME` for `cargo publish --dry-run`, with a copy of the user's settings. Cargo unpacks
/// Bedside's crates there for the crates that depend on them, and would reuse what an earlier dry run unpacked of the
/// same version; so these folders are removed. Nothing else is removed, and nothing in the user's home. Relative paths
/// in the settings refer to other files there, and credentials are not copied.
fn publishing_home() -> Result<String> {
    let home = root().join("target/cargo-home");
    for registry in fs::read_dir(home.join("registry/src")).into_iter().flatten() {
        let registry = registry?.path();
        for name in PUBLISHED {
            let unpacked = registry.join(format!("{name}-{VERSION}"));
            if unpacked.is_dir() {
                fs::remove_dir_all(unpacked)?;
            }
        }
    }
    fs::create_dir_all(&home)?;
    let users = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let users = users.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"))).context("no HOME")?;
    let settings = home.join("config.toml");
    if settings.exists() {
        fs::remove_file(&settings)?;
    }
    // Cargo also prefers the older name, `config`. `fs::copy` keeps the file's permissions.
    if let Some(source) = ["config", "config.toml"].iter().map(|name| users.join(name)).find(|file| file.is_file()) {
        fs::copy(source, settings)?;
    }
    Ok(home.display().to_string())
}

/// The step's command, with placeholders for this machine's folders.
fn shown(step: &Step<'_>, data: &str, enlarged: &str, swift: &str) -> String {
    let root = root().display().to_string();
    step.to_string()
        .replace(swift, "SWIFT")
        .replace(enlarged, "ENLARGED")
        .replace(data, "DATA")
        .replace(&format!("{root}/"), "")
}

/// Writes the page with all steps and the tables of agreement with ONNX Runtime.
fn write_summary(passed: &Passed) -> Result<()> {
    let mut page = String::from("<!-- Written by `cargo xtask full`. Do not edit. -->\n\n# The last full run\n\n");
    writeln!(page, "- Date: {}", Step::new("date -u +%Y-%m-%d").output()?)?;
    writeln!(page, "- Of: {}", passed.commit)?;
    writeln!(page, "- Compiler: {}", Step::new("rustc --version").output()?)?;
    writeln!(page, "- CPU: {}\n\n| step | passed on | minutes |\n|---|---|---|", cpu())?;
    for PassedStep { minutes, commit, name } in passed.steps.iter().filter(|step| passed.asked.contains(&step.name)) {
        writeln!(page, "| {name} | {commit} | {minutes:.1} |")?;
    }
    let models = ["skin-photo", "skin-lesion", "breast-ultrasound", "chest-xray"];
    let tables = models.map(|model| (model, format!("{model} beside ONNX Runtime, from picture to score")));
    for (file, title) in tables.into_iter().chain([("graphs", "The graphs alone beside ONNX Runtime".to_owned())]) {
        let long = root().join(format!("target/agreement/{file}.md"));
        let agreement =
            fs::read_to_string(&long).with_context(|| format!("{}: a step above writes it", long.display()))?;
        writeln!(page, "\n## {title}\n\n{agreement}")?;
    }
    fs::write(root().join("docs/runs/full-run.md"), page)?;
    eprintln!("\nAll of the full run passed; docs/runs/full-run.md says what.");
    Ok(())
}
