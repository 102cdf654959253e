//! The cost of each language border: one 640×480 frame is classified from Rust, Kotlin, Java and Swift in turn, in one
//! run. The programs are in `benches/border/`; this module runs them and writes `docs/runs/performance-borders.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::step::{Step, cpu, require};
use crate::{bindings, root};

/// A title, a model, the number of calls in a run, and the part of the frame that is classified.
const CASES: [(&str, &str, usize, &str); 2] = [
    ("The shipped model, the whole frame", "models/skin-lesion/model.onnx", 60, "whole"),
    ("A model of one mean, a corner of 8×8 pixels", "benches/border/tiny.onnx", 20_000, "corner"),
];

/// The number of rounds; in each, every language's program runs once.
const ROUNDS: usize = 7;

/// A language, and the command that runs its program.
struct Language {
    name: &'static str,
    command: Vec<String>,
}

/// The figures of one call, as a program prints them at the end of its run.
struct Figures {
    p10_us: f64,
    median_us: f64,
    garbage_bytes: f64,
}

/// Runs all programs and writes the page. `toolchain` is the folder that `ios/linux/toolchain.sh` installed.
pub(crate) fn run(toolchain: &Path) -> Result<()> {
    require("mvn", "Maven 3.8 and a JDK 17")?;
    bindings::shipped()?;
    bindings::compile_for_jvm()?;
    let languages = languages(toolchain)?;
    let mut page = String::from(
        "<!-- Written by `cargo xtask bench bindings`. Do not edit. -->\n\n# What a border costs: the last run\n\n",
    );
    writeln!(page, "- Date: {}\n- CPU: {}", Step::new("date -u +%Y-%m-%d").output()?, cpu())?;
    writeln!(
        page,
        "- One 640×480 RGBA frame, one thread; {ROUNDS} rounds in turn; microseconds, medians over rounds;"
    )?;
    writeln!(page, "  in brackets the difference from Rust in the same round; garbage in bytes a call")?;
    for (title, model, calls, part) in CASES {
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            // Each round starts with another language, so that the order favours none.
            let mut figures = Vec::new();
            for index in (0..languages.len()).map(|offset| (offset + round) % languages.len()) {
                figures.push((index, languages[index].figures(model, calls, part)?));
            }
            figures.sort_by_key(|(index, _)| *index);
            rounds.push(figures.into_iter().map(|(_, figures)| figures).collect());
        }
        write_table(&mut page, title, &languages, &rounds)?;
    }
    write_allocations(&mut page, &languages)?;
    fs::write(root().join("docs/runs/performance-borders.md"), &page)?;
    eprintln!("\n{page}");
    Ok(())
}

/// Compiles the tests of Kotlin and Java, and returns all languages with the commands of their programs.
fn languages(toolchain: &Path) -> Result<Vec<Language>> {
    let rust = vec!["target/release/border".to_owned()];
    let jvm = |module: &str, main: &str| -> Result<Vec<String>> {
        let class_path = bindings::class_path(module)?;
        let library = format!("-Dbedside.library.dir={}", root().join("target/release").display());
        let jna = format!("-Djna.library.path={}", root().join("target/release").display());
        Ok(["java", "-Xmx256m", &library, &jna, "-cp", &class_path, main].map(str::to_owned).to_vec())
    };
    let toolchain = toolchain.canonicalize().with_context(|| format!("{}: no such folder", toolchain.display()))?;
    let swift = ["ios/linux/run.sh", "target/release", &toolchain.display().to_string(), "benches/border/Border.swift"];
    Ok(vec![
        Language { name: "Rust", command: rust },
        Language { name: "Kotlin, over JNA", command: jvm("kotlin", "BorderKt")? },
        Language { name: "Java, over JNI", command: jvm("java", "Border")? },
        Language { name: "Swift", command: swift.map(str::to_owned).to_vec() },
    ])
}

impl Language {
    fn figures(&self, model: &str, calls: usize, part: &str) -> Result<Figures> {
        let (printed, _) = self.run(model, calls, part, None)?;
        let numbers: Vec<f64> = printed.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [p10_us, median_us, garbage_bytes] = numbers[..] else { bail!("{}: printed {printed}", self.name) };
        Ok(Figures { p10_us, median_us, garbage_bytes })
    }

    /// The number of allocations of one call, and their bytes: the difference of two runs divided by the difference of
    /// their numbers of calls. `counter` is the path of the library that counts.
    fn allocations(&self, counter: &str) -> Result<[f64; 2]> {
        let (_, model, calls, part) = CASES[1];
        let count = |calls: usize| -> Result<[f64; 2]> {
            let (_, stderr) = self.run(model, calls, part, Some(counter))?;
            // Each process prints a line when it ends; the program's own process ends last.
            let line = stderr.lines().filter_map(|line| line.strip_prefix("allocations ")).next_back();
            let line = line.with_context(|| format!("{}: the counter was not loaded: {stderr}", self.name))?;
            let (count, bytes) = line.split_once(' ').context("a count and bytes")?;
            Ok([count.parse()?, bytes.parse()?])
        };
        let (once, twice) = (count(calls)?, count(calls * 2)?);
        Ok([0, 1].map(|i| (twice[i] - once[i]) / calls as f64))
    }

    /// Runs the program and returns its standard output and its standard error. The library `preload` is loaded first.
    fn run(&self, model: &str, calls: usize, part: &str, preload: Option<&str>) -> Result<(String, String)> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args([model, &calls.to_string(), part]).current_dir(root());
        if let Some(library) = preload {
            // The Swift program runs in its own root; `ios/linux/run.sh` passes this variable on as `LD_PRELOAD`.
            let name = if self.name == "Swift" { "BEDSIDE_PRELOAD" } else { "LD_PRELOAD" };
            command.env(name, library);
        }
        let output = command.output().with_context(|| format!("{}: can't be started", self.name))?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{}: {stderr}", self.name);
        Ok((String::from_utf8_lossy(&output.stdout).into_owned(), stderr))
    }
}

fn write_table(page: &mut String, title: &str, languages: &[Language], rounds: &[Vec<Figures>]) -> Result<()> {
    writeln!(page, "\n## {title}\n\n| | tenth percentile | median | garbage |\n|---|---|---|---|")?;
    for (index, language) in languages.iter().enumerate() {
        let value = |figure: fn(&Figures) -> f64| median(rounds.iter().map(|round| figure(&round[index])).collect());
        let difference = |figure: fn(&Figures) -> f64| {
            median(rounds.iter().map(|round| figure(&round[index]) - figure(&round[0])).collect())
        };
        let cell = |figure: fn(&Figures) -> f64| format!("{:.1} ({:+.1})", value(figure), difference(figure));
        let (p10, middle, garbage) = (cell(|f| f.p10_us), cell(|f| f.median_us), value(|f| f.garbage_bytes));
        writeln!(page, "| {} | {p10} | {middle} | {garbage:.0} |", language.name)?;
    }
    Ok(())
}

fn write_allocations(page: &mut String, languages: &[Language]) -> Result<()> {
    let folder = root().join("target/border");
    fs::create_dir_all(&folder)?;
    let counter = folder.join("libcount.so").display().to_string();
    Step::new("cc -O2 -shared -fPIC -o").arg(&counter).arg("benches/border/count.c").run()?;
    writeln!(
        page,
        "\n## Calls to the system's allocator\n\nOf one classification by the model of one mean; the frame has 1,228,800 bytes.\n"
    )?;
    writeln!(page, "| | allocations a call | bytes a call |\n|---|---|---|")?;
    for language in languages {
        let [allocations, bytes] = language.allocations(&counter)?;
        writeln!(page, "| {} | {allocations:.0} | {bytes:.0} |", language.name)?;
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
