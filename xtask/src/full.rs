//! The gate and every check that takes longer, some hours on two cores. After each step `docs/runs/full-run.md` says on
//! which commit it passed last. A run that was stopped continues after its last passed step when it is started again on the
//! same commit with nothing else changed; no other commit may be built in between. Of another commit, the steps that passed
//! count only where the caller names it, having looked at what changed since.

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
/// where it is missing. `keep` are other commits whose passed steps count, but for the gate. `only` are parts of names: where
/// it is not empty, the other steps don't run.
pub(crate) fn run(data: &Path, toolchain: &Path, keep: &[String], only: &[String]) -> Result<()> {
    let data = data.canonicalize().with_context(|| format!("{}: no such folder", data.display()))?;
    let sets = ["pad_ufes", "isic2017", "bus_bra", "busi", "kermany_cxr"].map(|set| data.join(set));
    for set in &sets {
        ensure!(set.join("labels.csv").is_file(), "{}: unpack the data set there first", set.display());
    }

    let mut passed = Passed::read(keep, only)?;
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
        passed.once(&format!("`{}`", shown(&step, &data, &enlarged, &swift)), || step.run())?;
    }
    passed.finish()
}

/// The steps that passed, as the page says.
struct Passed {
    /// The commit that is checked out, with `-dirty` where something else than this page differs from it.
    commit: String,
    keep: Vec<String>,
    only: Vec<String>,
    /// The page's rows, in the order of the steps.
    steps: Vec<PassedStep>,
    /// The names of this run's steps. The page may have others, of an earlier run with other steps.
    asked: Vec<String>,
}

struct PassedStep {
    minutes: f64,
    commit: String,
    name: String,
}

impl Passed {
    fn read(keep: &[String], only: &[String]) -> Result<Passed> {
        let mut commit = Step::new("git describe --always").output()?;
        if !Step::new("git status --porcelain -- . :!docs/runs").output()?.is_empty() {
            commit += "-dirty";
        }
        let step = |line: &str| {
            let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
            let (name, commit, minutes) = (cells.next()?, cells.next()?, cells.next()?.parse().ok()?);
            Some(PassedStep { minutes, commit: commit.into(), name: name.into() })
        };
        let page = fs::read_to_string(page())?;
        let steps = page.lines().take_while(|line| !line.starts_with("## ")).filter_map(step).collect();
        Ok(Passed { steps, asked: Vec::new(), commit, keep: keep.to_vec(), only: only.to_vec() })
    }

    /// Whether a step need not run again. A later step may have built with other features than a build that passed.
    fn counts(&self, step: &PassedStep) -> bool {
        let is_of_this = step.commit == self.commit && !self.commit.ends_with("-dirty");
        let is_of_other = self.keep.contains(&step.commit) && step.name != GATE;
        (is_of_this || is_of_other) && !step.name.starts_with("`cargo build ")
    }

    /// Runs a step, which returns its duration, unless it passed before or was not asked for.
    fn once(&mut self, name: &str, run: impl FnOnce() -> Result<Duration>) -> Result<()> {
        let place = self.asked.len();
        self.asked.push(name.to_owned());
        if !self.only.is_empty() && !self.only.iter().any(|part| name.contains(part)) {
            return Ok(());
        }
        if let Some(passed) = self.steps.iter().find(|passed| passed.name == name && self.counts(passed)) {
            eprintln!("\n=== {name}: passed before on {}", passed.commit);
            return Ok(());
        }
        let minutes = run()?.as_secs_f64() / 60.0;
        self.steps.retain(|passed| passed.name != name);
        // After those of the steps before that passed at some time.
        let place =
            self.steps.iter().rposition(|passed| self.asked[..place].contains(&passed.name)).map_or(0, |at| at + 1);
        self.steps.insert(place, PassedStep { minutes, commit: self.commit.clone(), name: name.to_owned() });
        self.write()
    }

    /// Drops the rows of steps that are none any more, and says what is left to run.
    fn finish(mut self) -> Result<()> {
        self.steps.retain(|step| self.asked.contains(&step.name));
        self.write()?;
        let known = |commit: &String| *commit == self.commit || self.keep.contains(commit);
        let done: Vec<_> = self.steps.iter().filter(|step| known(&step.commit)).map(|step| &step.name).collect();
        let left: Vec<_> = self.asked.iter().filter(|name| !done.contains(name)).collect();
        match left.len() {
            0 => eprintln!("\nAll of the full run passed; {PAGE} says what."),
            count => eprintln!("\n{count} steps have not passed on {}: {left:#?}", self.commit),
        }
        Ok(())
    }

    /// Writes the page: all steps, and the tables of agreement with ONNX Runtime.
    fn write(&self) -> Result<()> {
        let before = fs::read_to_string(page())?;
        let mut text = String::from("<!-- Written by `cargo xtask full`. Do not edit. -->\n\n# The last full run\n\n");
        writeln!(text, "- Date of the last step: {}", Step::new("date -u +%Y-%m-%d").output()?)?;
        writeln!(text, "- Commit: {}", self.commit)?;
        writeln!(text, "- Compiler: {}", Step::new("rustc --version").output()?)?;
        writeln!(text, "- CPU: {}\n\n| step | passed on | minutes |\n|---|---|---|", cpu())?;
        for PassedStep { minutes, commit, name } in &self.steps {
            writeln!(text, "| {name} | {commit} | {minutes:.1} |")?;
        }
        let models = ["skin-photo", "skin-lesion", "breast-ultrasound", "chest-xray"];
        let tables = models.map(|model| (model, format!("{model} beside ONNX Runtime, from picture to score")));
        for (file, title) in tables.into_iter().chain([("graphs", "The graphs alone beside ONNX Runtime".to_owned())]) {
            let heading = format!("\n## {title}\n\n");
            // Where the step that measures it has not run again, the page keeps what it says.
            let kept =
                before.split_once(&heading).map(|(_, rest)| rest.split("\n## ").next().unwrap_or(rest).to_owned());
            let fresh = fs::read_to_string(root().join(format!("target/agreement/{file}.md"))).ok();
            if let Some(agreement) = fresh.or(kept) {
                writeln!(text, "{heading}{}", agreement.trim_end())?;
            }
        }
        Ok(fs::write(page(), text)?)
    }
}

/// The page, from the root.
const PAGE: &str = "docs/runs/full-run.md";

fn page() -> PathBuf {
    root().join(PAGE)
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
