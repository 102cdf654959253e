//! Coverage-guided fuzzing with cargo-fuzz: `fuzz/` holds the targets, `docs/testing.md` says what each covers and what is
//! a find.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::root;
use crate::step::{Step, tool};

const VERSION: &str = "0.13.2";

/// The compiler that sanitizers need.
const NIGHTLY: &str = "nightly";

/// A fuzz target.
struct Target {
    name: &'static str,
    /// The longest input, in bytes.
    longest: u32,
    /// Folders of files to start from beside `fuzz/seeds/NAME`.
    seeds: &'static [&'static str],
}

const TARGETS: [Target; 6] = [
    Target {
        name: "picture",
        longest: 16 << 10,
        seeds: &["image/bmp", "image/exif", "image/jpeg", "image/png", "image/scaled", "image/tiff", "image/webp"],
    },
    Target { name: "onnx_model", longest: 24 << 10, seeds: &["graphs"] },
    Target { name: "prepared_model", longest: 8 << 10, seeds: &[] },
    Target { name: "manifest", longest: 8 << 10, seeds: &[] },
    Target { name: "java_wire", longest: 4 << 10, seeds: &[] },
    Target { name: "exif", longest: 2 << 10, seeds: &[] },
];

/// After how many seconds on the clock an input hangs. What it may take of the processor, targets measure themselves
/// (`fuzz/src/time.rs`): other processes may have it meanwhile.
const HANGS_AFTER: u32 = 60;

/// What an input may take of memory, in MiB.
const MOST_MEBIBYTES: u32 = 1024;

/// The files whose checks everything behind them rests on, each with the target that must reach nearly all of it, and how
/// many lines of a hundred that must be.
const COVERED: [(&str, &str); 3] = [
    ("engine/src/prepared/read.rs", "prepared_model"),
    ("engine/src/program/check.rs", "prepared_model"),
    ("src/manifest/check.rs", "manifest"),
];
const LEAST_COVERED: f64 = 90.0;

/// Runs one target, or `all` in turn, for so many minutes each.
pub(crate) fn run(name: &str, minutes: &str) -> Result<()> {
    let minutes: u32 =
        minutes.parse().ok().filter(|&n| n > 0).context("--minutes takes a whole number of at least 1")?;
    sysroot()?;
    let targets: Vec<&Target> = TARGETS.iter().filter(|target| name == "all" || target.name == name).collect();
    let names = TARGETS.map(|target| target.name).join(", ");
    ensure!(!targets.is_empty(), "{name} is no fuzz target; there are {names}, and `all` runs each in turn");
    let folder = root().join("target/fuzz");
    let mut build = cargo_fuzz("build", &folder)?;
    build.arg("--release");
    if let [target] = targets[..] {
        build.arg(target.name);
    }
    succeed(&mut build)?;
    let binaries = folder.join(triple()?).join("release");
    let mut table = String::from(
        "| target | minutes | executions | a second | features covered | inputs kept |\n|---|---|---|---|---|---|\n",
    );
    for target in targets {
        writeln!(table, "{}", target.run(&binaries, minutes)?)?;
    }
    eprintln!("\n{table}\nNothing was found.");
    Ok(())
}

impl Target {
    /// Runs the target's binary and gives a line of the table.
    fn run(&self, binaries: &Path, minutes: u32) -> Result<String> {
        let folder = |kind: &str| root().join("fuzz").join(kind).join(self.name);
        let (corpus, artifacts, log) = (folder("corpus"), folder("artifacts"), folder("corpus").with_extension("log"));
        for made in [&corpus, &artifacts] {
            fs::create_dir_all(made)?;
        }
        let mut command = Command::new(binaries.join(self.name));
        command
            .arg(format!("-max_total_time={}", minutes * 60))
            .arg(format!("-max_len={}", self.longest))
            .arg(format!("-timeout={HANGS_AFTER}"))
            .arg(format!("-rss_limit_mb={MOST_MEBIBYTES}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(["-print_final_stats=1", "-reload=0"])
            .arg(&corpus)
            .args(self.seeds())
            // Freed memory is kept aside for a while, which counts as memory taken.
            .env("ASAN_OPTIONS", "detect_odr_violation=0:quarantine_size_mb=64")
            .current_dir(root())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        eprintln!("\n=== {} for {minutes} minutes; what it says: {}", self.name, log.display());
        let status = command.status().with_context(|| format!("{} can't be started", self.name))?;
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if !status.success() {
            let lines: Vec<&str> = said.lines().collect();
            bail!(
                "{}: a find, {status}; the input is in {}. The end of what it says:\n{}",
                self.name,
                artifacts.display(),
                lines[lines.len().saturating_sub(60)..].join("\n")
            );
        }
        summary(self.name, minutes, &said).with_context(|| format!("{}: no statistics at its end", log.display()))
    }

    fn seeds(&self) -> Vec<PathBuf> {
        let own = root().join("fuzz/seeds").join(self.name);
        let golden = self.seeds.iter().map(|folder| root().join("tests/golden").join(folder));
        [own].into_iter().chain(golden).collect()
    }
}

/// A line of the table, of what libFuzzer says last: `#N DONE cov: C ft: F corp: K/Bytes …`, `stat::NAME: VALUE`.
fn summary(name: &str, minutes: u32, said: &str) -> Option<String> {
    let value = |wanted: &str| said.lines().rev().find_map(|line| line.strip_prefix(wanted)).map(str::trim);
    let done = said.lines().rev().find(|line| line.contains("DONE"))?;
    let behind = |word: &str| done.split_whitespace().skip_while(|&w| w != word).nth(1);
    let (executions, speed) = (value("stat::number_of_executed_units:")?, value("stat::average_exec_per_sec:")?);
    let kept = behind("corp:")?.split('/').next()?;
    Some(format!("| {name} | {minutes} | {executions} | {speed} | {} | {kept} |", behind("ft:")?))
}

/// Prints the line coverage of [`COVERED`] by what the targets kept and started from.
pub(crate) fn coverage() -> Result<()> {
    let built = root().join("target/fuzz-coverage");
    let (sysroot, triple) = (sysroot()?, triple()?);
    let llvm_cov = sysroot.join("lib/rustlib").join(&triple).join("bin/llvm-cov");
    ensure!(llvm_cov.exists(), "llvm-cov is needed: rustup component add llvm-tools --toolchain {NIGHTLY}");
    let mut less = vec![];
    for name in ["prepared_model", "manifest"] {
        let target = TARGETS.iter().find(|target| target.name == name).context("it is one of them")?;
        let corpus = root().join("fuzz/corpus").join(name);
        fs::create_dir_all(&corpus)?;
        // What earlier runs measured would count too.
        let measured = root().join("fuzz/coverage").join(name);
        if measured.exists() {
            fs::remove_dir_all(&measured)?;
        }
        let mut command = cargo_fuzz("coverage", &built)?;
        // tract has no part in it, and neither has the sanitizer.
        command.args(["--release", "--no-default-features", "--sanitizer", "none", name]);
        command.arg(&corpus).args(target.seeds());
        succeed(&mut command)?;
        let profile = measured.join("coverage.profdata");
        let binary = built.join(&triple).join("release").join(name);
        for (file, _) in COVERED.iter().filter(|(_, by)| *by == name) {
            let (profile, binary, file_path) =
                (profile.display().to_string(), binary.display().to_string(), root().join(file).display().to_string());
            let tool = llvm_cov.display().to_string();
            let said = Step::new(&tool)
                .words("export --summary-only")
                .arg(&format!("--instr-profile={profile}"))
                .arg(&binary)
                .arg("--sources")
                .arg(&file_path)
                .output()?;
            let json: serde_json::Value = serde_json::from_str(&said)?;
            let lines = &json["data"][0]["totals"]["lines"];
            let percent = lines["percent"].as_f64().with_context(|| format!("{file}: no coverage in {said}"))?;
            eprintln!("{file}: {percent:.1} % of {} lines, by {name}", lines["count"]);
            if percent < LEAST_COVERED {
                less.push(*file);
            }
        }
    }
    ensure!(less.is_empty(), "less than {LEAST_COVERED} % of {}", less.join(" and "));
    Ok(())
}

/// cargo-fuzz with a subcommand, in a folder for what it builds.
fn cargo_fuzz(subcommand: &str, built: &Path) -> Result<Command> {
    let paths = tool("cargo-fuzz", VERSION, &["cargo-fuzz"], &[])?;
    let mut command = Command::new("rustup");
    command
        .args(["run", NIGHTLY])
        .args(&paths)
        .args(["fuzz", subcommand, "--fuzz-dir"])
        .arg(root().join("fuzz"))
        .arg("--target-dir")
        .arg(built)
        .current_dir(root());
    Ok(command)
}

fn succeed(command: &mut Command) -> Result<()> {
    eprintln!("\n=== {command:?}");
    let status = command.status().context("rustup can't be started")?;
    ensure!(status.success(), "{command:?}: failed, {status}");
    Ok(())
}

fn sysroot() -> Result<PathBuf> {
    let printed = Step::new("rustup run").arg(NIGHTLY).words("rustc --print sysroot").output();
    printed.map(PathBuf::from).with_context(|| format!("rustup toolchain install --profile minimal {NIGHTLY}"))
}

/// The machine's own target.
fn triple() -> Result<String> {
    let version = Step::new("rustup run").arg(NIGHTLY).words("rustc -vV").output()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names its host")?.to_owned())
}
