//! Runs what is in the tarballs in emulation, in Debian's root of each machine: the command, and the maker's chapter of the
//! book as it stands. All reports must be this machine's, but for times.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::package::{tarball, unpacked};
use super::{MACHINES, Machine, roots};
use crate::bindings::built;
use crate::c::{ANSWERS, FRAME};
use crate::root;
use crate::step::Step;

/// The chapter, its sections whose commands are run, and the machine that it names.
const CHAPTER: &str = "docs/device.md";
const AFTERNOON: &str = "## An afternoon";
const UPDATE: &str = "## A new model on a device in the field";
const NAMED: &str = "aarch64";
/// The example's model.
const MODEL: &str = "share/bedside/models/breast-ultrasound.prepared";

/// Runs all of it on each machine.
pub(super) fn run() -> Result<()> {
    crate::bindings::shipped()?;
    for machine in &MACHINES {
        let work = root().join("target/device").join(format!("work-{}", machine.name));
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fs::create_dir_all(&work)?;
        fs::copy(root().join("target/device").join(tarball(machine)), work.join(tarball(machine)))?;
        fs::copy(root().join(FRAME), work.join("frame.bmp"))?;
        let printed = afternoon(machine, &work)?;
        eprintln!("\n{printed}");
        command(machine, &work)?;
        update(machine, &work)?;
    }
    eprintln!(
        "\nThe command and the C example give this machine's reports on each, and the update keeps a whole model."
    );
    Ok(())
}

/// Runs the chapter's first section. The report of the frame must be printed as often as the section classifies it.
fn afternoon(machine: &Machine, work: &Path) -> Result<String> {
    let script = commands(AFTERNOON)?.replace(NAMED, machine.name);
    let expected = script.lines().filter(|line| line.contains("adult=yes")).count();
    let printed = crate::c::without_times(&roots::run(machine, work, &script)?);
    let report = text(&unpacked(machine).join(MODEL).display().to_string())?;
    let found = printed.matches(&report).count();
    ensure!(
        expected > 1 && found == expected,
        "{}: {found} of {expected} reports are this machine's, which is\n{report}\nprinted was\n{printed}",
        machine.name
    );
    Ok(printed)
}

/// Compares the command's report as JSON, of each model that has a sample, with this machine's.
fn command(machine: &Machine, work: &Path) -> Result<()> {
    let folder = unpacked(machine);
    let name = folder.file_name().context("a folder has a name")?.to_string_lossy();
    let answers = ANSWERS.map(|answer| format!("--answer={answer}")).join(" ");
    let here = folder.join(MODEL).display().to_string();
    let step = Step::new("target/release/bedside classify --json --model").arg(&here).words(&answers);
    let here = report(&step.arg(FRAME).output()?)?;
    let script = format!("{name}/bin/bedside classify --json --model {name}/{MODEL} {answers} frame.bmp");
    let there = report(&roots::run(machine, work, &script)?)?;
    ensure!(here == there, "{}: the command reports {there}, and here {here}", machine.name);
    Ok(())
}

/// A report without times.
fn report(printed: &str) -> Result<Value> {
    let mut report: Value = serde_json::from_str(printed).with_context(|| printed.to_owned())?;
    let fields = report.as_object_mut().context("a report is an object")?;
    ensure!(fields.remove("timings_ms").is_some(), "a report without times: {printed}");
    // The path, as it was given.
    ensure!(fields.remove("image").is_some(), "a report without its picture: {printed}");
    Ok(report)
}

/// This machine's report of the example's frame as text, without times.
fn text(model: &str) -> Result<String> {
    let answers = ANSWERS.map(|answer| format!("--answer={answer}")).join(" ");
    let command = built().join("bedside").display().to_string();
    let step = Step::new(&command).arg("classify").arg(FRAME).arg("--model").arg(model).words(&answers);
    let printed = step.output()?;
    let (_, report) = printed.split_once("\n\n").context("the picture's name, and its report")?;
    Ok(crate::c::without_times(report))
}

/// Runs the chapter's update of a model: the first one, the same again, another one, one whose sum is wrong, one that is no
/// model, and the way back.
fn update(machine: &Machine, work: &Path) -> Result<()> {
    let section = commands(UPDATE)?;
    let back = section.lines().find(|line| line.starts_with("cp previous")).context("a way back")?;
    let update = section.replace(back, "").replace("/data/bedside", "/work/field");
    fs::create_dir_all(work.join("field"))?;
    fs::write(work.join("update.sh"), update)?;
    let folder = unpacked(machine);
    let name = folder.file_name().context("a folder has a name")?.to_string_lossy();
    let script = format!(
        "PATH=/work/{name}/bin:$PATH; models=/work/{name}/share/bedside/models; cd /work/field\n\
         update() {{ cp $1 new.prepared; sha256=$2 sh -x /work/update.sh >&2; }}\n\
         sum() {{ sha256sum $1 | cut -c 1-64; }}\n\
         is() {{ test $(sum $1) = $(sum $2) || {{ echo \"$3: $1 is not $2\" >&2; exit 1; }}; }}\n\
         fails() {{ if \"$@\"; then echo \"an update succeeds that must fail: $*\" >&2; exit 1; fi; }}\n\
         one=$models/breast-ultrasound.prepared; other=$models/skin-photo.prepared\n\
         update $one $(sum $one); is current.prepared $one first\n\
         update $one $(sum $one); is current.prepared $one again\n\
         if test -e previous.prepared; then echo 'a way back before there is one' >&2; exit 1; fi\n\
         update $other $(sum $other); is current.prepared $other second; is previous.prepared $one second\n\
         fails update $one $(sum $models/chest-xray.prepared); is current.prepared $other 'wrong sum'\n\
         head -c 100000 $one > ../short; fails update ../short $(sum ../short); is current.prepared $other short\n\
         {back}\n\
         is current.prepared $one back; is previous.prepared $one back; echo updated"
    );
    let printed = roots::run(machine, work, &script)?;
    ensure!(printed.ends_with("updated"), "{}: {printed}", machine.name);
    Ok(())
}

/// The commands of a section of the chapter, all its blocks one after the other.
fn commands(section: &str) -> Result<String> {
    let chapter = fs::read_to_string(root().join(CHAPTER))?;
    let (_, rest) = chapter.split_once(section).with_context(|| format!("{CHAPTER} has no section {section}"))?;
    let section = rest.split("\n## ").next().unwrap_or_default();
    let blocks: Vec<&str> = section.split("```sh\n").skip(1).filter_map(|block| block.split("\n```").next()).collect();
    ensure!(!blocks.is_empty(), "{CHAPTER}: {section} has no commands");
    Ok(blocks.join("\n"))
}
