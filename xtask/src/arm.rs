//! The kernels for 64-bit ARM, in emulation: their tests on three processors, and what the shipped models cost there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::root;
use crate::step::{Step, require};

pub(crate) const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Debian's libraries for the target.
const SYSTEM: &str = "/usr/aarch64-linux-gnu";

/// A processor as QEMU names it, and the kernels that are best there.
const PROCESSORS: [(&str, &str); 3] =
    [("cortex-a53", "neon"), ("cortex-a76", "dotprod"), ("max,sve=off,sme=off", "i8mm")];

/// The shipped models, a `MobileNetV2` and an `EfficientNet-B0`, and the most instructions, in millions, that one inference may
/// take on each processor: what the best of other engines take.
const MODELS: [(&str, [f64; 3]); 2] = [("skin-lesion", [120.0, 49.0, 44.0]), ("chest-xray", [178.0, 73.0, 66.0])];

/// The inferences that are counted, beside one that warms up.
const COUNTED: u64 = 2;

/// The tests of the engine without tract on each processor: every set of kernels is held against the portable one.
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

/// The instructions of one inference on each processor. Outputs must be those of this machine, to the bit.
pub(crate) fn count() -> Result<()> {
    check_tools()?;
    require("cc", "a C compiler")?;
    let plugin = plugin()?;
    // The command and the examples as they ship, whatever was built before.
    Step::new("cargo build --locked --release --workspace --bins --examples").run()?;
    cargo("build -p bedside-engine --no-default-features --example repeat").run()?;
    let [here, command] =
        ["examples/repeat", "bedside"].map(|name| root().join("target/release").join(name).display().to_string());
    println!(
        "| model | processor | kernels | instructions, millions | 8-bit multiplies | loads a multiply | at most |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut over = vec![];
    for (name, limits) in MODELS {
        // Prepared, so that neither tract nor opening an ONNX file has a part in it.
        let model = root().join(format!("target/{name}.prepared")).display().to_string();
        let from = format!("models/{name}/model.onnx");
        Step::new(&command).arg("pack").arg(&from).words("--prepare -o").arg(&model).run()?;
        let expected = outputs(&Step::new(&here).arg(&model).arg("1").output()?)?;
        for ((processor, kernels), most) in PROCESSORS.into_iter().zip(limits) {
            let runs = |count| counted(processor, kernels, &plugin, (&model, count), &expected);
            let (warm, more) = (runs(1)?, runs(1 + COUNTED)?);
            let each = |name: &str| -> Result<f64> {
                Ok((figure(&more, name)? - figure(&warm, name)?) / COUNTED as f64 / 1e6)
            };
            let (all, multiplies) = (each("instructions")?, each("multiplies")?);
            let loads = (each("vector_loads")? + each("loads")?) / multiplies;
            println!("| {name} | {processor} | {kernels} | {all:.1} | {multiplies:.1} | {loads:.2} | {most:.0} |");
            if all > most {
                over.push(format!("{name} {all:.1} million on {processor}, at most {most:.0}"));
            }
        }
    }
    ensure!(over.is_empty(), "more instructions than a model may take: {}", over.join("; "));
    Ok(())
}

/// What the plugin prints over a run of so many inferences.
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

/// A figure of the plugin's line.
fn figure(printed: &str, name: &str) -> Result<f64> {
    let line = printed.lines().find(|line| line.starts_with("insncount:")).context("the plugin printed nothing")?;
    let mut words = line.split(' ').skip_while(|&word| word != name).skip(1);
    Ok(words.next().with_context(|| format!("no {name} in: {line}"))?.parse()?)
}

/// The outputs' bits, the same for each inference.
fn outputs(printed: &str) -> Result<String> {
    let mut bits: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("output ")).collect();
    bits.dedup();
    match bits[..] {
        [bits] => Ok(bits.to_owned()),
        _ => bail!("one inference gives other bits than the next: {printed}"),
    }
}

/// The plugin that counts, compiled.
fn plugin() -> Result<String> {
    let plugin = root().join("target/insncount.so").display().to_string();
    Step::new("cc -O2 -Wall -Wextra -Werror -shared -fPIC benches/arm/insncount.c -o").arg(&plugin).run()?;
    Ok(plugin)
}

fn runner(processor: &str) -> String {
    format!("qemu-aarch64 -cpu {processor} -L {SYSTEM}")
}

/// A command of cargo for the target, optimised.
fn cargo(words: &str) -> Step<'_> {
    let (command, rest) = words.split_once(' ').unwrap_or((words, ""));
    Step::new("cargo")
        .arg(command)
        .words("--locked --release --target aarch64-unknown-linux-gnu")
        .words(rest)
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc")
        .env("CC_aarch64_unknown_linux_gnu", "aarch64-linux-gnu-gcc")
}

/// Fails where something is missing, and says how to get it.
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
