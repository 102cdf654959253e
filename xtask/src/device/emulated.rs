//! Runs what is in the tarballs in emulation, and compares the reports with this machine's: all but the times must be
//! equal.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::package::unpacked;
use super::{MACHINES, Machine, Target};
use crate::bindings::built;
use crate::c::{ANSWERS, FRAME, FRAME_SIZE};
use crate::root;
use crate::step::{Step, require};

/// Runs the command and the C example of each tarball.
pub(super) fn run(zig: &Path) -> Result<()> {
    require("qemu-aarch64", "on Debian: apt-get install qemu-user")?;
    let pixels = root().join("target/device/frame.gray");
    let picture = fs::read(root().join(FRAME))?;
    fs::write(&pixels, &picture[picture.len() - FRAME_SIZE.0 * FRAME_SIZE.1..])?;
    let command = built().join("bedside").display().to_string();
    for machine in &MACHINES {
        let model = unpacked(machine).join("share/bedside/models/breast-ultrasound.prepared").display().to_string();
        let (here, there) = (report(&command, &model)?, report(&on(machine, "bin/bedside"), &model)?);
        ensure!(here == there, "{}: the command reports {there}, and here {here}", machine.name);
        let (here, report) = (text(&command, &model)?, |target| example(machine, target, zig, &model, &pixels));
        for target in [&machine.glibc, &machine.musl] {
            let there = report(target)?;
            ensure!(here == there, "{}: the example prints {there}, and here {here}", target.rust);
        }
    }
    eprintln!("\nThe command and the C example give this machine's reports on each.");
    Ok(())
}

/// A program of the tarball in emulation.
fn on(machine: &Machine, program: &str) -> String {
    format!("{} -L {} {}", machine.emulator, machine.system, unpacked(machine).join(program).display())
}

/// The command's report of the example's frame as JSON, without times and the file's name.
fn report(command: &str, model: &str) -> Result<Value> {
    let answers = ANSWERS.map(|answer| format!("--answer={answer}"));
    let step = Step::new(command).words("classify --json").arg(FRAME).arg("--model").arg(model);
    let printed = answers.iter().fold(step, |step, answer| step.arg(answer)).output()?;
    let mut report: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
    let fields = report.as_object_mut().context("a report is an object")?;
    ensure!(fields.remove("timings_ms").is_some(), "a report without times: {printed}");
    Ok(report)
}

/// The command's report of the example's frame as text, without times.
fn text(command: &str, model: &str) -> Result<String> {
    let answers = ANSWERS.map(|answer| format!("--answer={answer}"));
    let step = Step::new(command).arg("classify").arg(FRAME).arg("--model").arg(model);
    let printed = answers.iter().fold(step, |step, answer| step.arg(answer)).output()?;
    let (_, report) = printed.split_once("\n\n").context("the picture's name, and its report")?;
    Ok(crate::c::without_times(report))
}

/// What the C example prints of the frame in emulation, linked with the library of the tarball: shared with glibc, static
/// with musl.
fn example(machine: &Machine, target: &Target, zig: &Path, model: &str, pixels: &Path) -> Result<String> {
    let folder = unpacked(machine);
    let (program, zig) = (root().join("target/device").join(target.zig), zig.display().to_string());
    let program = program.with_extension("verdict").display().to_string();
    let [include, source] =
        ["include", "share/bedside/example/verdict.c"].map(|path| folder.join(path).display().to_string());
    let cpu = format!("-mcpu={}", target.processor);
    let step = Step::new(&zig).words("cc -target").arg(target.zig).arg(&cpu).arg("-I").arg(&include).arg(&source);
    let is_shared = target.zig.contains("gnu");
    let library = folder.join(if is_shared { "lib" } else { "lib/musl/libbedside.a" }).display().to_string();
    if is_shared {
        step.arg("-L").arg(&library).words("-lbedside -o").arg(&program).run()?;
    } else {
        step.arg(&library).words("-static -lunwind -o").arg(&program).run()?;
    }
    let (width, height) = FRAME_SIZE;
    let script = format!(
        "LD_LIBRARY_PATH= {} -L {} -E LD_LIBRARY_PATH={library} {program} {model} {width} {height} {} < {}",
        machine.emulator,
        machine.system,
        ANSWERS.join(" "),
        pixels.display()
    );
    let printed = Step::new("sh -c").arg(&script).output()?;
    Ok(crate::c::without_times(&printed))
}
