//! The C border: writes `bedside.h`, and builds the C programs of `bindings/c/` with each compiler and runs them, by
//! themselves, under valgrind, and with `AddressSanitizer`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::bindings::built;
use crate::root;
use crate::step::{Step, require, tool};
use crate::versions::VERSION;

/// The committed header.
const HEADER: &str = "bindings/c/include/bedside.h";
/// The version of cbindgen that writes it.
const CBINDGEN: &str = "0.29.4";
/// What cbindgen writes of a field that only the library for tests has.
const LATER: &str = "#if defined(BEDSIDE_TEST_LATER)\n  uint64_t later\n#endif\n  ;\n";
/// The warnings with which the programs compile, as errors.
const WARNINGS: &str = "-Wall -Wextra -Wpedantic -Werror -O1 -g -Ibindings/c/include";
/// What Rust's standard library needs of the system, where it is linked statically.
const SYSTEM: &str = "-lpthread -ldl -lm";
/// The frame of the example, which is the end of a picture: its pixels, row by row from the top.
pub(crate) const FRAME: &str = "bindings/c/example/frame.bmp";
pub(crate) const FRAME_SIZE: (usize, usize) = (204, 288);
/// The program that has the library panic.
pub(crate) const PANIC: &str = "bindings/c/tests/panic.c";
/// The model of the example, and the answers to its questions.
const MODEL: &str = "models/breast-ultrasound/model.onnx";
pub(crate) const ANSWERS: [&str; 3] = ["adult=yes", "still_frame=yes", "native_breast=yes"];

/// Writes the header anew.
pub(crate) fn write() -> Result<()> {
    fs::write(root().join(HEADER), header()?).with_context(|| format!("{HEADER}: not written"))
}

/// Fails where a tool is missing.
pub(crate) fn require_tools() -> Result<()> {
    require("gcc", "on Debian: apt-get install gcc g++")?;
    require("g++", "on Debian: apt-get install gcc g++")?;
    require("clang", "on Debian: apt-get install clang")?;
    require("valgrind", "on Debian: apt-get install valgrind")
}

/// Checks the header, and builds and runs the programs with the library in `target/release`. `later` is the folder of the
/// library for tests, which has the switch that provokes panics, and a field more in two structs.
pub(crate) fn test(later: &Path) -> Result<()> {
    require_tools()?;
    ensure!(
        header()? == fs::read_to_string(root().join(HEADER))?,
        "{HEADER} is not what cbindgen writes; run `cargo xtask bindings`"
    );
    let folder = root().join("target/c");
    fs::create_dir_all(&folder)?;
    let archive = folder.join("libbedside.a");
    localize(&[&built().join("libbedside.a")], &archive, "ar")?;

    let dynamic = Linked::Dynamic(built());
    let wanted = classified()?;
    for compiler in ["gcc -std=c99", "clang -std=c99", "g++ -xc++ -std=c++11", "clang++ -xc++ -std=c++11"] {
        let program = compile(compiler, "bindings/c/example/verdict.c", &folder.join("verdict"), &dynamic)?;
        ensure!(
            without_times(&with_frame(&program, MODEL, &ANSWERS)?) == wanted,
            "{compiler}: the example prints another report than `bedside classify`"
        );
    }
    check_quickstart(&folder.join("quickstart"), &dynamic)?;
    let counting = compile("gcc -std=c11", "bindings/c/tests/allocations.c", &folder.join("allocations"), &dynamic)?;
    let answers = ANSWERS.map(|answer| answer.split('=').next().unwrap_or_default());
    eprintln!("{}", with_frame(&counting, MODEL, &answers)?);
    run_border(&folder, &dynamic, &Linked::Static(archive), later)
}

/// Frames from four threads for so many minutes, as `bindings/c/tests/soak.c` says.
pub(crate) fn soak(minutes: u32) -> Result<()> {
    crate::bindings::shipped()?;
    let folder = root().join("target/c");
    fs::create_dir_all(&folder)?;
    let library = Linked::Dynamic(built());
    let program = compile("gcc -std=c11 -pthread", "bindings/c/tests/soak.c", &folder.join("soak"), &library)?;
    let minutes = minutes.to_string();
    let model = folder.join("breast-ultrasound.prepared").display().to_string();
    if Path::new(&model).exists() {
        fs::remove_file(&model)?;
    }
    Step::new(&built().join("bedside").display().to_string())
        .words("pack")
        .arg(MODEL)
        .words("--prepare -o")
        .arg(&model)
        .run()?;
    let questions = ANSWERS.map(|answer| answer.split('=').next().unwrap_or_default());
    let arguments: Vec<&str> = [minutes.as_str()].into_iter().chain(questions).collect();
    eprintln!("\n{}", with_frame(&program, &model, &arguments)?);
    Ok(())
}

/// Builds the page's quickstart, and compares what it prints with what the command prints of the same picture.
fn check_quickstart(program: &Path, library: &Linked) -> Result<()> {
    let program = compile("gcc -std=c99", "docs/quickstart/quickstart.c", program, library)?.display().to_string();
    let command = built().join("bedside").display().to_string();
    let page = fs::read_to_string(root().join("docs/c.md"))?;
    let shown = page
        .split("`bedside classify ")
        .nth(1)
        .and_then(|rest| rest.split('`').next())
        .context("docs/c.md: no command")?;
    let printed = Step::new(&command).arg("classify").words(shown).output()?;
    ensure!(
        without_times(&Step::new(&program).output()?) == without_times(&printed),
        "the quickstart prints another report than the command"
    );
    Ok(())
}

/// Builds the test of the border in each way, and runs it.
fn run_border(folder: &Path, dynamic: &Linked, fixed: &Linked, later: &Path) -> Result<()> {
    // A prepared model, as devices have: of the importer, valgrind says that tract compares bytes that nobody wrote.
    let model = folder.join("tiny.prepared").display().to_string();
    if Path::new(&model).exists() {
        fs::remove_file(&model)?;
    }
    Step::new(&built().join("bedside").display().to_string())
        .words("pack tests/golden/graphs/qdq-s8.onnx --manifest bindings/c/tests/tiny.json --prepare -o")
        .arg(&model)
        .run()?;
    let version = format!("-DEXPECTED_VERSION=\"{VERSION}\"");
    let run = |name: &str, compiler: &str, library: &Linked, under: &str| -> Result<()> {
        let options = format!("{compiler} -std=c11 -pthread {version}");
        let program =
            compile(&options, "bindings/c/tests/border.c", &folder.join(name), library)?.display().to_string();
        let command = format!("{under} {program}");
        let step = Step::new(&command).arg(&model).arg("tests/golden/graphs/picture.png");
        // A leak is a finding, and so is memory that is read before it is written.
        step.env("ASAN_OPTIONS", "detect_leaks=1").run().map(drop)
    };
    run("border-gcc", "gcc", dynamic, "")?;
    run("border-clang", "clang", dynamic, "")?;
    run("border-static", "gcc", fixed, "")?;
    // A clock that fails has the library panic: unwinding must work where it is linked statically, too.
    let panic = compile("gcc -std=c11 -Wl,--wrap=clock_gettime", PANIC, &folder.join("panic"), fixed)?;
    eprintln!("{}", with_frame(&panic, MODEL, &[])?);
    run(
        "border-valgrind",
        "gcc",
        dynamic,
        "valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite",
    )?;
    run("border-asan", "gcc -fsanitize=address,undefined -fno-sanitize-recover=all", dynamic, "")?;
    // The header is the older one of this library.
    run("border-later", "gcc -DTEST_PANIC -DTEST_LATER", &Linked::Dynamic(later.to_owned()), "")
}

/// The library that a program is linked with.
enum Linked {
    /// The shared library in this folder, where the program finds it when it runs.
    Dynamic(PathBuf),
    /// This archive, beside another static library of Rust.
    Static(PathBuf),
}

/// Compiles a program and returns its path.
fn compile(compiler: &str, source: &str, program: &Path, library: &Linked) -> Result<PathBuf> {
    let output = program.display().to_string();
    let step = Step::new(compiler).words(WARNINGS).arg(source).arg("-o").arg(&output);
    match library {
        Linked::Dynamic(folder) => {
            let [search, find] = ["-L", "-Wl,-rpath,"].map(|option| format!("{option}{}", folder.display()));
            step.arg(&search).arg(&find).words("-lbedside -lm").run()?;
        }
        Linked::Static(archive) => {
            let (archive, other) = (archive.display().to_string(), other_library()?.display().to_string());
            step.words("-xnone").arg(&archive).arg("-Wl,--undefined=other").arg(&other).words(SYSTEM).run()?;
        }
    }
    Ok(program.to_owned())
}

/// A static library of Rust that has nothing to do with Bedside, as a firmware may have one.
fn other_library() -> Result<PathBuf> {
    let [source, library] = ["other.rs", "libother.a"].map(|name| root().join("target/c").join(name));
    fs::write(
        &source,
        "#[unsafe(no_mangle)]\npub extern \"C\" fn other(value: u32) -> usize { format!(\"{value:?}\").len() }\n",
    )?;
    let [from, to] = [&source, &library].map(|path| path.display().to_string());
    Step::new("rustc --edition 2024 -O --crate-type staticlib").arg(&from).arg("-o").arg(&to).run()?;
    Ok(library)
}

/// Joins the objects of archives into one whose only global symbols are those of the border, so that it can be linked
/// beside another static library of Rust. `archiver` makes archives of the target's objects.
pub(crate) fn localize(parts: &[&Path], to: &Path, archiver: &str) -> Result<()> {
    let (rust, about) = (Step::new("rustc --print sysroot").output()?, Step::new("rustc -vV").output()?);
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let tools = Path::new(&rust).join("lib/rustlib").join(host).join("bin");
    let [linker, copier] = ["rust-lld", "rust-objcopy"].map(|tool| tools.join(tool).display().to_string());
    let object = to.with_extension("o");
    let [object, to] = [&object, to].map(|path| path.display().to_string());
    let parts: Vec<String> = parts.iter().map(|path| path.display().to_string()).collect();
    let roots: Vec<String> = functions()?.iter().map(|name| format!("--undefined={name}")).collect();
    // Groups of sections would be joined with those of the other library, whose symbols are other ones. Sections that nobody
    // needs stay, for the program's linker: dropping them here would drop the tables that panics are unwound by.
    let step = Step::new(&linker).words("-flavor gnu -r --force-group-allocation");
    let step = roots.iter().fold(step, |step, name| step.arg(name));
    parts.iter().fold(step.arg("-o").arg(&object), |step, part| step.arg(part)).run()?;
    Step::new(&copier)
        .words("--wildcard --keep-global-symbol=bedside_* --remove-section=.llvm* --strip-debug")
        .arg(&object)
        .env("LD_LIBRARY_PATH", &format!("{rust}/lib"))
        .run()?;
    if Path::new(&to).exists() {
        fs::remove_file(&to)?;
    }
    Step::new(archiver).arg("rcsD").arg(&to).arg(&object).run()?;
    Ok(fs::remove_file(object)?)
}

/// The names of the functions in the header.
pub(crate) fn functions() -> Result<Vec<String>> {
    let header = fs::read_to_string(root().join(HEADER))?;
    let name = |line: &str| {
        let before = line.split_once('(')?.0;
        let name = before.rsplit([' ', '*']).next()?;
        (name.starts_with("bedside_") && before.contains(' ')).then(|| name.to_owned())
    };
    Ok(header.lines().filter(|line| !line.starts_with([' ', '/', '#'])).filter_map(name).collect())
}

/// The header as cbindgen writes it now.
fn header() -> Result<String> {
    let cbindgen = tool("cbindgen", CBINDGEN, &["cbindgen"], &[])?[0].display().to_string();
    let step = Step::new(&cbindgen).words("--quiet --config bindings/cbindgen.toml bindings/src/c/mod.rs");
    Ok(format!("{}\n", step.output()?.replace(LATER, "")))
}

/// What a program prints that gets a model, the frame, and these arguments.
fn with_frame(program: &Path, model: &str, arguments: &[&str]) -> Result<String> {
    let (width, height) = FRAME_SIZE;
    let picture = fs::read(root().join(FRAME))?;
    let pixels = &picture[picture.len() - width * height..];
    let mut command = Command::new(program);
    command.arg(model).args([width, height].map(|side| side.to_string())).args(arguments).current_dir(root());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    std::io::Write::write_all(&mut child.stdin.take().context("it is piped")?, pixels)?;
    let output = child.wait_with_output()?;
    let printed = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        bail!("{}: failed, {}: {printed}", program.display(), output.status);
    }
    Ok(printed)
}

/// What the command prints of the picture whose pixels the frame has, without the line of times.
fn classified() -> Result<String> {
    let command = built().join("bedside").display().to_string();
    let answers = ANSWERS.map(|answer| format!("--answer={answer}"));
    let step = Step::new(&command).words("classify").arg(FRAME).arg("--model").arg(MODEL);
    let printed = answers.iter().fold(step, |step, answer| step.arg(answer)).output()?;
    let (_, report) = printed.split_once("\n\n").context("the picture's name, and its report")?;
    ensure!(report.contains("Malignant lesion"), "the example's frame has no verdict any more:\n{report}");
    Ok(without_times(report))
}

pub(crate) fn without_times(report: &str) -> String {
    report.trim().lines().filter(|line| !line.starts_with("  Time ")).collect::<Vec<_>>().join("\n")
}
