//! The kernels for 64-bit ARM in QEMU's user-mode emulation: their tests on three processors, and the number of
//! instructions of one inference of each shipped model.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::root;
use crate::step::{Step, require};

/// Rust's target triple.
pub(crate) const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The folder of the target's C library, as Debian's cross packages install it.
const SYSTEM: &str = "/usr/aarch64-linux-gnu";

/// Processors by QEMU's names, each with the fastest kernels on it, by the names that `BEDSIDE_KERNEL` takes.
const PROCESSORS: [(&str, &str); 3] =
    [("cortex-a53", "neon"), ("cortex-a76", "dotprod"), ("max,sve=off,sme=off", "i8mm")];

/// The most instructions of one inference of a `MobileNetV2` on each of [`PROCESSORS`], in millions: the number that the best
/// of the other engines takes.
const MOBILENET_V2: [f64; 3] = [120.0, 49.0, 44.0];

/// Those of an `EfficientNet-Lite0`, on which no other engine was counted: an eighth more than ours took.
const EFFICIENTNET_LITE0: [f64; 3] = [128.0, 64.0, 51.0];

/// Those of an `EfficientNet-B0`, by the best of the other engines.
const EFFICIENTNET_B0: [f64; 3] = [178.0, 73.0, 66.0];

/// The shipped models, and the most instructions of one inference.
const MODELS: [(&str, [f64; 3]); 4] = [
    ("skin-photo", MOBILENET_V2),
    ("skin-lesion", EFFICIENTNET_LITE0),
    ("breast-ultrasound", MOBILENET_V2),
    ("chest-xray", EFFICIENTNET_B0),
];

/// The number of counted inferences, after one that warms up.
const COUNTED: u64 = 2;

/// Runs the tests of the engine without tract on each processor. They compare every set of kernels with the portable
/// one, bit by bit.
pub(crate) fn test() -> Result<()> {
    check_tools()?;
    for (processor, kernels) in PROCESSORS {
        let runner = runner(processor);
        cargo("test -p bedside-engine --no-default-features --lib")
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", &runner)
            .env("BEDSIDE_KERNEL", kernels)
            .run()?;
    }
    eprintln!("\nAll kernels for ARM give the same bits as the portable ones.");
    Ok(())
}

/// Prints the instructions of one inference of each model on each processor. Fails where a count is above its maximum,
/// or where outputs differ from this machine's in any bit.
pub(crate) fn count() -> Result<()> {
    check_tools()?;
    require("cc", "a C compiler")?;
    let plugin = plugin()?;
    // Builds the command and the examples with the features that ship; an earlier build may have had others.
    Step::new("cargo build --locked --release --workspace --bins --examples").run()?;
    cargo("build -p bedside-engine --no-default-features --example repeat").run()?;
    let [native, command] =
        ["examples/repeat", "bedside"].map(|name| root().join("target/release").join(name).display().to_string());
    println!(
        "| model | processor | kernels | instructions, millions | 8-bit multiplies | loads a multiply | at most |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut over = vec![];
    for (name, limits) in MODELS {
        // A prepared model opens without tract, so that the counts hold no ONNX import.
        let model = root().join(format!("target/{name}.prepared")).display().to_string();
        let from = format!("models/{name}/model.onnx");
        Step::new(&command).arg("pack").arg(&from).words("--prepare -o").arg(&model).run()?;
        let expected = outputs(&Step::new(&native).arg(&model).arg("1").output()?)?;
        for ((processor, kernels), limit) in PROCESSORS.into_iter().zip(limits) {
            let runs = |count| counted(processor, kernels, &plugin, (&model, count), &expected);
            let (warm, more) = (runs(1)?, runs(1 + COUNTED)?);
            let per_inference = |name: &str| -> Result<f64> {
                Ok((figure(&more, name)? - figure(&warm, name)?) / COUNTED as f64 / 1e6)
            };
            let (all, multiplies) = (per_inference("instructions")?, per_inference("multiplies")?);
            let loads = (per_inference("vector_loads")? + per_inference("loads")?) / multiplies;
            println!("| {name} | {processor} | {kernels} | {all:.1} | {multiplies:.1} | {loads:.2} | {limit:.0} |");
            if all > limit {
                over.push(format!("{name} {all:.1} million on {processor}, at most {limit:.0}"));
            }
        }
    }
    ensure!(over.is_empty(), "more instructions than a model may take: {}", over.join("; "));
    Ok(())
}

/// Runs `count` inferences of a model in emulation, with the plugin that counts instructions, and returns what is
/// printed. Fails where other kernels ran, or where the outputs are not `expected`.
fn counted(
    processor: &str,
    kernels: &str,
    plugin: &str,
    (model, count): (&str, u64),
    expected: &str,
) -> Result<String> {
    let program = root().join("target").join(TARGET).join("release/examples/repeat").display().to_string();
    let (plugin, count) = (format!("{plugin},log=stdout"), count.to_string());
    let words = format!("{} -plugin", runner(processor));
    let step = Step::new(&words).arg(&plugin).arg(&program).arg(model).arg(&count).env("BEDSIDE_KERNEL", kernels);
    let printed = step.output()?;
    ensure!(printed.contains(&format!("kernels {kernels},")), "{step}: other kernels ran: {printed}");
    let given = outputs(&printed)?;
    ensure!(given == expected, "{step}: other outputs than this machine's: {given}, here {expected}");
    Ok(printed)
}

/// The number that follows `name` in the line that the plugin prints.
fn figure(printed: &str, name: &str) -> Result<f64> {
    let line = printed.lines().find(|line| line.starts_with("insncount:")).context("the plugin printed nothing")?;
    let mut words = line.split(' ').skip_while(|&word| word != name).skip(1);
    Ok(words.next().with_context(|| format!("no {name} in: {line}"))?.parse()?)
}

/// The bits of the outputs. Fails where two inferences of the run give different bits.
fn outputs(printed: &str) -> Result<String> {
    let mut bits: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("output ")).collect();
    bits.dedup();
    match bits[..] {
        [bits] => Ok(bits.to_owned()),
        _ => bail!("one inference gives other bits than the next: {printed}"),
    }
}

/// Compiles the QEMU plugin that counts instructions, and returns its path.
fn plugin() -> Result<String> {
    let plugin = root().join("target/insncount.so").display().to_string();
    Step::new("cc -O2 -Wall -Wextra -Werror -shared -fPIC benches/arm/insncount.c -o").arg(&plugin).run()?;
    Ok(plugin)
}

/// The command that runs a program on an emulated processor.
fn runner(processor: &str) -> String {
    format!("qemu-aarch64 -cpu {processor} -L {SYSTEM}")
}

/// A command of cargo for the target, in release mode. `words` is the subcommand and its options.
fn cargo(words: &str) -> Step<'_> {
    let (command, options) = words.split_once(' ').unwrap_or((words, ""));
    Step::new("cargo")
        .arg(command)
        .words("--locked --release --target aarch64-unknown-linux-gnu")
        .words(options)
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc")
        .env("CC_aarch64_unknown_linux_gnu", "aarch64-linux-gnu-gcc")
}

/// Fails where a tool is missing, and names the command that installs it.
fn check_tools() -> Result<()> {
    require("qemu-aarch64", "apt-get install qemu-user")?;
    require("aarch64-linux-gnu-gcc", "apt-get install gcc-aarch64-linux-gnu")?;
    let libraries = Path::new(SYSTEM).join("lib/libc.so.6");
    ensure!(libraries.exists(), "{}: apt-get install libc6-dev-arm64-cross", libraries.display());
    let sysroot = PathBuf::from(Step::new("rustc --print sysroot").output()?);
    let target = sysroot.join("lib/rustlib").join(TARGET);
    ensure!(target.is_dir(), "Rust's libraries for {TARGET} are needed: rustup target add {TARGET}");
    Ok(())
}
