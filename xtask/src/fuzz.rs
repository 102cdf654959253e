//! Coverage-guided fuzzing with cargo-fuzz. `fuzz/` holds the targets; `docs/testing.md` says what each covers and what
//! counts as a failure.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::root;
use crate::step::{Step, tool};

/// The version of cargo-fuzz.
const VERSION: &str = "0.13.2";

/// The toolchain of all targets. Sanitizers need a nightly compiler.
const NIGHTLY: &str = "nightly";

/// A fuzz target.
struct Target {
    name: &'static str,
    /// The maximum length of an input, in bytes.
    max_len: u32,
    /// Folders below `tests/golden` with inputs to start from, beside `fuzz/seeds/NAME`.
    seeds: &'static [&'static str],
}

const TARGETS: [Target; 7] = [
    Target {
        name: "picture",
        max_len: 16 << 10,
        seeds: &["image/bmp", "image/exif", "image/jpeg", "image/png", "image/scaled", "image/tiff", "image/webp"],
    },
    Target { name: "dicom", max_len: 8 << 10, seeds: &[] },
    Target { name: "onnx_model", max_len: 24 << 10, seeds: &["graphs"] },
    Target { name: "prepared_model", max_len: 8 << 10, seeds: &[] },
    Target { name: "manifest", max_len: 8 << 10, seeds: &[] },
    Target { name: "java_wire", max_len: 4 << 10, seeds: &[] },
    Target { name: "exif", max_len: 2 << 10, seeds: &[] },
];

/// libFuzzer's timeout for one input, in seconds of wall time. The targets themselves bound the processor time
/// (`fuzz/src/time.rs`), because other processes may have the processor meanwhile.
const HANGS_AFTER: u32 = 60;

/// The maximum resident memory of a target, in MiB.
const MAX_MEMORY_MIB: u32 = 1024;

/// The files that check untrusted input, each with the target that must cover it.
const COVERED: [(&str, &str); 3] = [
    ("engine/src/prepared/read.rs", "prepared_model"),
    ("engine/src/program/check.rs", "prepared_model"),
    ("src/manifest/check.rs", "manifest"),
];
/// The minimum line coverage of each file of [`COVERED`], in percent.
const MIN_COVERAGE: f64 = 90.0;

/// Runs one target, or `all` in turn, for `minutes` each, and prints a table of executions and coverage.
pub(crate) fn run(name: &str, minutes: Option<u32>) -> Result<()> {
    let minutes = minutes.context("--minutes N says how long")?;
    sysroot()?;
    let targets: Vec<&Target> = TARGETS.iter().filter(|target| name == "all" || target.name == name).collect();
    let names = TARGETS.map(|target| target.name).join(", ");
    ensure!(!targets.is_empty(), "{name} is no fuzz target; there are {names}, and `all` runs each in turn");
    let folder = root().join("target/fuzz");
    let mut build = cargo_fuzz("build", &folder)?;
    build.arg("--release");
    if let [target] = targets[..] {
        build.arg(target.name);
        // One target alone needs tract, most of the build.
        if target.name != "onnx_model" {
            build.arg("--no-default-features");
        }
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
    /// Runs the target's binary and returns a row of the table.
    fn run(&self, binaries: &Path, minutes: u32) -> Result<String> {
        let folder = |kind: &str| root().join("fuzz").join(kind).join(self.name);
        let (corpus, artifacts, log) = (folder("corpus"), folder("artifacts"), folder("corpus").with_extension("log"));
        for made in [&corpus, &artifacts] {
            fs::create_dir_all(made)?;
        }
        let mut command = Command::new(binaries.join(self.name));
        command
            .arg(format!("-max_total_time={}", minutes * 60))
            .arg(format!("-max_len={}", self.max_len))
            .arg(format!("-timeout={HANGS_AFTER}"))
            .arg(format!("-rss_limit_mb={MAX_MEMORY_MIB}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(["-print_final_stats=1", "-reload=0"])
            .arg(&corpus)
            .args(self.seeds())
            // AddressSanitizer's quarantine of freed memory counts towards the limit of memory.
            .env("ASAN_OPTIONS", "detect_odr_violation=0:quarantine_size_mb=64")
            .current_dir(root())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        eprintln!("\n=== {} for {minutes} minutes; log: {}", self.name, log.display());
        let status = command.status().with_context(|| format!("{} can't be started", self.name))?;
        let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if !status.success() {
            let lines: Vec<&str> = output.lines().collect();
            bail!(
                "{}: failed, {status}; the input is in {}. The end of its log:\n{}",
                self.name,
                artifacts.display(),
                lines[lines.len().saturating_sub(60)..].join("\n")
            );
        }
        summary(self.name, minutes, &output).with_context(|| format!("{}: no statistics at its end", log.display()))
    }

    fn seeds(&self) -> Vec<PathBuf> {
        let own = root().join("fuzz/seeds").join(self.name);
        let golden = self.seeds.iter().map(|folder| root().join("tests/golden").join(folder));
        [own].into_iter().chain(golden).collect()
    }
}

/// A row of the table, from libFuzzer's last lines: `#N DONE cov: C ft: F corp: K/Bytes …` and `stat::NAME: VALUE`.
fn summary(name: &str, minutes: u32, output: &str) -> Option<String> {
    let value = |wanted: &str| output.lines().rev().find_map(|line| line.strip_prefix(wanted)).map(str::trim);
    let done = output.lines().rev().find(|line| line.contains("DONE"))?;
    let after = |word: &str| done.split_whitespace().skip_while(|&w| w != word).nth(1);
    let (executions, speed) = (value("stat::number_of_executed_units:")?, value("stat::average_exec_per_sec:")?);
    let kept = after("corp:")?.split('/').next()?;
    Some(format!("| {name} | {minutes} | {executions} | {speed} | {} | {kept} |", after("ft:")?))
}

/// Prints the line coverage of [`COVERED`] by the targets' seeds and kept inputs. Fails below [`MIN_COVERAGE`].
pub(crate) fn coverage() -> Result<()> {
    let built = root().join("target/fuzz-coverage");
    let (sysroot, triple) = (sysroot()?, triple()?);
    let llvm_cov = sysroot.join("lib/rustlib").join(&triple).join("bin/llvm-cov");
    ensure!(llvm_cov.exists(), "llvm-cov is needed: rustup component add llvm-tools --toolchain {NIGHTLY}");
    let mut below = vec![];
    for name in ["prepared_model", "manifest"] {
        let target = TARGETS.iter().find(|target| target.name == name).context("a name of TARGETS")?;
        let corpus = root().join("fuzz/corpus").join(name);
        fs::create_dir_all(&corpus)?;
        // Profiles of earlier runs would be merged in.
        let measured = root().join("fuzz/coverage").join(name);
        if measured.exists() {
            fs::remove_dir_all(&measured)?;
        }
        let mut command = cargo_fuzz("coverage", &built)?;
        // These targets need neither tract nor the sanitizer.
        command.args(["--release", "--no-default-features", "--sanitizer", "none", name]);
        command.arg(&corpus).args(target.seeds());
        succeed(&mut command)?;
        let profile = measured.join("coverage.profdata");
        let binary = built.join(&triple).join("release").join(name);
        for (file, _) in COVERED.iter().filter(|(_, by)| *by == name) {
            let (profile, binary, file_path) =
                (profile.display().to_string(), binary.display().to_string(), root().join(file).display().to_string());
            let tool = llvm_cov.display().to_string();
            let report = Step::new(&tool)
                .words("export --summary-only")
                .arg(&format!("--instr-profile={profile}"))
                .arg(&binary)
                .arg("--sources")
                .arg(&file_path)
                .output()?;
            let json: serde_json::Value = serde_json::from_str(&report)?;
            let lines = &json["data"][0]["totals"]["lines"];
            let percent = lines["percent"].as_f64().with_context(|| format!("{file}: no coverage in {report}"))?;
            eprintln!("{file}: {percent:.1} % of {} lines, by {name}", lines["count"]);
            if percent < MIN_COVERAGE {
                below.push(*file);
            }
        }
    }
    ensure!(below.is_empty(), "less than {MIN_COVERAGE} % of {}", below.join(" and "));
    Ok(())
}

/// A command of cargo-fuzz that builds into the folder `built`.
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

/// Prints and runs a command; its failure is an error.
fn succeed(command: &mut Command) -> Result<()> {
    eprintln!("\n=== {command:?}");
    let status = command.status().context("rustup can't be started")?;
    ensure!(status.success(), "{command:?}: failed, {status}");
    Ok(())
}

/// The sysroot of [`NIGHTLY`]. Fails where the toolchain is missing.
fn sysroot() -> Result<PathBuf> {
    let printed = Step::new("rustup run").arg(NIGHTLY).words("rustc --print sysroot").output();
    printed.map(PathBuf::from).with_context(|| format!("rustup toolchain install --profile minimal {NIGHTLY}"))
}

/// The target triple of this machine.
fn triple() -> Result<String> {
    let version = Step::new("rustup run").arg(NIGHTLY).words("rustc -vV").output()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names its host")?.to_owned())
}
