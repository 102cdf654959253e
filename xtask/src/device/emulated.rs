//! Runs what is in the tarballs in emulation, in Debian's root of each machine: the command, programs that are linked with the
//! libraries, and commands of the maker's chapter of the book. All reports must be this machine's, but for times.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::package::{tarball, unpacked};
use super::{MACHINES, Machine, roots};
use crate::bindings::built;
use crate::c::{ANSWERS, FRAME, FRAME_SIZE, PANIC};
use crate::root;
use crate::step::Step;

/// The chapter, its sections whose commands are run, and the machine that it names.
const CHAPTER: &str = "docs/device.md";
const AFTERNOON: &str = "## An afternoon";
const UPDATE: &str = "## A new model on a device in the field";
const NAMED: &str = "aarch64";
/// The example's model.
const MODEL: &str = "breast-ultrasound";
/// The models, a picture for each, and answers that put it in scope.
const PICTURES: [(&str, &str, &str); 7] = [
    (MODEL, FRAME, "adult=yes still_frame=yes native_breast=yes"),
    (MODEL, "models/samples/bus_0016-l.jpg", "adult=yes still_frame=yes native_breast=yes"),
    (
        "skin-photo",
        "models/samples/PAT_1113_458_387.jpg",
        "adult=yes one_spot=yes plain_skin=yes untouched=yes burns=yes",
    ),
    ("skin-lesion", "models/samples/ISIC_0012258.jpg", "dermatoscope=yes mole_like=yes"),
    ("chest-xray", "models/samples/person100_bacteria_475.jpeg", "age=3 frontal_file=yes"),
    // A film and a loop, whose reports here are those of their exports: a test of the command compares them.
    ("chest-xray", "tests/pictures/film.dcm", "age=3 frontal_file=yes"),
    (MODEL, "tests/pictures/loop.dcm", "adult=yes still_frame=yes native_breast=yes"),
];

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
        let printed = afternoon(machine, &work)?;
        eprintln!("\n{printed}");
        reports(machine, &work)?;
        panics(machine, &work)?;
        update(machine, &work)?;
    }
    eprintln!(
        "\nThe command and the C example give this machine's reports on each, a panic is a status, and a whole model"
    );
    eprintln!("is in place wherever an update ends.");
    Ok(())
}

/// Runs the chapter's first section. The report of the frame must be printed as often as the section classifies it.
fn afternoon(machine: &Machine, work: &Path) -> Result<String> {
    let script = commands(AFTERNOON)?.replace(NAMED, machine.name);
    let expected = script.lines().filter(|line| line.contains("adult=yes")).count();
    let printed = crate::c::without_times(&roots::run(machine, work, &script)?);
    let report = text(&model(machine, MODEL))?;
    let found = printed.matches(&report).count();
    ensure!(
        expected > 1 && found == expected,
        "{}: {found} of {expected} reports are this machine's, which is\n{report}\nprinted was\n{printed}",
        machine.name
    );
    Ok(printed)
}

/// A model of the tarball, on this machine.
fn model(machine: &Machine, name: &str) -> String {
    unpacked(machine).join(format!("share/bedside/models/{name}.prepared")).display().to_string()
}

/// The name of the tarball's folder.
fn folder(machine: &Machine) -> Result<String> {
    Ok(unpacked(machine).file_name().context("a folder has a name")?.to_string_lossy().into_owned())
}

/// Compares the command's reports as JSON with this machine's.
fn reports(machine: &Machine, work: &Path) -> Result<()> {
    let (command, name) = (built().join("bedside").display().to_string(), folder(machine)?);
    for (model_name, picture, answers) in PICTURES {
        let answers = format!("--answer {}", answers.replace(' ', " --answer "));
        let here = model(machine, model_name);
        let step = Step::new(&command).words("classify --json --model").arg(&here).words(&answers);
        let here = report(&step.arg(picture).output()?)?;
        ensure!(here["verdict"]["kind"] != "rejected", "{picture} is rejected: {here}");
        let file = Path::new(picture).file_name().context("a picture has a name")?.to_string_lossy();
        fs::copy(root().join(picture), work.join(&*file))?;
        let script = format!(
            "{name}/bin/bedside classify --json --model {name}/share/bedside/models/{model_name}.prepared {answers} {file}"
        );
        let there = report(&roots::run(machine, work, &script)?)?;
        ensure!(here == there, "{}: the command reports {there}, and here {here}", machine.name);
    }
    Ok(())
}

/// Has the libraries panic in programs that are linked with them statically.
fn panics(machine: &Machine, work: &Path) -> Result<()> {
    fs::copy(root().join(PANIC), work.join("panic.c"))?;
    let (name, (width, height)) = (folder(machine)?, FRAME_SIZE);
    let script = format!(
        "cd {name}; wrap=-Wl,--wrap=clock_gettime,--wrap=__clock_gettime64\n\
         run() {{ ./panic share/bedside/models/{MODEL}.prepared {width} {height} < frame.gray; }}\n\
         cc -static $wrap -I include ../panic.c -o panic lib/libbedside.a -lpthread -ldl -lm; run\n\
         cc $wrap -I include ../panic.c -o panic lib/libbedside.a -lpthread -ldl -lm; run\n\
         musl-gcc -static -Wl,--wrap=clock_gettime -o panic ../panic.c \
             $(PKG_CONFIG_PATH=lib/musl/pkgconfig pkg-config --cflags --libs bedside); run"
    );
    let printed = roots::run(machine, work, &script)?;
    ensure!(printed.matches("a panic is a status").count() == 3, "{}: {printed}", machine.name);
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
/// model, and the way back. Then it ends after each of its lines, and is run again.
fn update(machine: &Machine, work: &Path) -> Result<()> {
    let section = commands(UPDATE)?;
    let (update, back) = section.split_once("\nbedside check previous").context("a way back")?;
    let back = format!("bedside check previous{back}");
    let update = update.trim().replace("/data/bedside", "/work/field");
    let lines = update.lines().count();
    fs::create_dir_all(work.join("field"))?;
    fs::write(work.join("update.sh"), update)?;
    let name = folder(machine)?;
    let script = format!(
        "PATH=/work/{name}/bin:$PATH; models=/work/{name}/share/bedside/models; cd /work/field\n\
         sum() {{ sha256sum $1 | cut -c 1-64; }}\n\
         update() {{ sha256=$2 sh -x ${{3:-/work/update.sh}} >&2; }}\n\
         offer() {{ cp $1 new.prepared; update $1 $2 $3; }}\n\
         is() {{ test $(sum $1) = $(sum $2) || {{ echo \"$3: $1 is not $2\" >&2; exit 1; }}; }}\n\
         fails() {{ if \"$@\"; then echo \"it succeeds and must fail: $*\" >&2; exit 1; fi; }}\n\
         one=$models/{MODEL}.prepared; other=$models/skin-photo.prepared\n\
         offer $one $(sum $one); is current.prepared $one first\n\
         offer $one $(sum $one); is current.prepared $one again\n\
         fails test -e previous.prepared\n\
         offer $other $(sum $other); is current.prepared $other second; is previous.prepared $one second\n\
         fails offer $one $(sum $models/chest-xray.prepared); is current.prepared $other 'wrong sum'\n\
         head -c 100000 $one > ../short; fails offer ../short $(sum ../short); is current.prepared $other short\n\
         {back}\n\
         is current.prepared $one back; is previous.prepared $one back\n\
         cp ../short current.prepared; offer $other $(sum $other); is current.prepared $other 'after a broken one'\n\
         is previous.prepared $one 'after a broken one'\n\
         for line in $(seq {lines}); do\n\
             sed \"${{line}}a exit 0\" /work/update.sh > ../part.sh; cp $one current.prepared\n\
             offer $other $(sum $other) ../part.sh\n\
             test $(sum current.prepared) = $(sum $other) || is current.prepared $one \"ended after line $line\"\n\
             update $other $(sum $other); is current.prepared $other \"again after line $line\"\n\
         done; echo updated"
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
