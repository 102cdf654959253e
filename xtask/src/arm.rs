//! The kernels for ARM in QEMU's user-mode emulation: their tests on six processors of 64 and 32 bits, and the number of
//! instructions of one inference of each shipped model.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::emulation::{NAMESPACE, REGISTER, require_tools};
use crate::root;
use crate::skipped::Skips;
use crate::step::{Step, require};

/// One of the two instruction sets, and what programs for it are built and run with, as Debian's packages install it.
#[derive(Debug, PartialEq)]
pub(crate) struct Architecture {
    /// Rust's target triple.
    pub(crate) target: &'static str,
    /// Cargo's environment variables for the target's linker and for what runs its programs.
    linker: &'static str,
    runner: &'static str,
    qemu: &'static str,
    compiler: &'static str,
    /// The folder of the target's C library, and the packages that have the compiler and the library.
    system: &'static str,
    packages: [&'static str; 2],
}

const ARM64: Architecture = Architecture {
    target: "aarch64-unknown-linux-gnu",
    linker: "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
    runner: "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
    qemu: "qemu-aarch64",
    compiler: "aarch64-linux-gnu-gcc",
    system: "/usr/aarch64-linux-gnu",
    packages: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
};

const ARM32: Architecture = Architecture {
    target: "armv7-unknown-linux-gnueabihf",
    linker: "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER",
    runner: "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_RUNNER",
    qemu: "qemu-arm",
    compiler: "arm-linux-gnueabihf-gcc",
    system: "/usr/arm-linux-gnueabihf",
    packages: ["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
};

/// The processor that [`suite`] runs on, which has all instructions.
const SUITE_ON: &str = "max";

/// Both of them.
pub(crate) const ARCHITECTURES: [Architecture; 2] = [ARM64, ARM32];

/// A processor by QEMU's name, and the fastest kernels on it, by the name that `BEDSIDE_KERNEL` takes.
#[derive(Debug)]
struct Processor {
    architecture: Architecture,
    name: &'static str,
    kernels: &'static str,
}

/// The processors that instructions are counted on.
const COUNTED_ON: [Processor; 4] = [
    Processor { architecture: ARM64, name: "cortex-a53", kernels: "neon" },
    Processor { architecture: ARM64, name: "cortex-a76", kernels: "dotprod" },
    Processor { architecture: ARM64, name: "max,sve=off,sme=off", kernels: "i8mm" },
    Processor { architecture: ARM32, name: "cortex-a7", kernels: "neon32" },
];

/// The processors that only the tests run on. They take as many instructions as the Cortex-A7. The Cortex-A8 is the oldest
/// with NEON, and lacks what came with the others, fused products and division.
const TESTED_ON: [Processor; 2] = [
    Processor { architecture: ARM32, name: "cortex-a8", kernels: "neon32" },
    Processor { architecture: ARM32, name: "cortex-a15", kernels: "neon32" },
];

/// The most instructions of one inference of a `MobileNetV2` on each of [`COUNTED_ON`], in millions: the number that the best
/// of the other engines takes. On 32 bits the only other that was counted takes 273, and the limit is an eighth more than
/// ours took.
const MOBILENET_V2: [f64; 4] = [120.0, 49.0, 44.0, 129.0];

/// Those of an `EfficientNet-Lite0`, on which no other engine was counted: an eighth more than ours took.
const EFFICIENTNET_LITE0: [f64; 4] = [128.0, 64.0, 51.0, 155.0];

/// Those of an `EfficientNet-B0`, by the best of the other engines. None was counted on 32 bits: an eighth more than ours
/// took.
const EFFICIENTNET_B0: [f64; 4] = [178.0, 73.0, 66.0, 205.0];

/// The shipped models, and the most instructions of one inference.
const MODELS: [(&str, [f64; 4]); 4] = [
    ("skin-photo", MOBILENET_V2),
    ("skin-lesion", EFFICIENTNET_LITE0),
    ("breast-ultrasound", MOBILENET_V2),
    ("chest-xray", EFFICIENTNET_B0),
];

/// The number of counted inferences, after one that warms up.
const COUNTED: u64 = 2;

/// Runs the tests of the engine without tract on each processor. They compare every set of kernels with the portable
/// one, bit by bit, and fail where the processor chooses another set than the one named here.
pub(crate) fn test() -> Result<()> {
    check_tools()?;
    for Processor { architecture, name, kernels } in COUNTED_ON.iter().chain(&TESTED_ON) {
        let runner = architecture.run_on(name);
        architecture
            .cargo("test -p bedside-engine --no-default-features --lib")
            .env(architecture.runner, &runner)
            .env("BEDSIDE_KERNEL", kernels)
            .run()?;
    }
    eprintln!("\nAll kernels for ARM give the same bits as the portable ones.");
    Ok(())
}

/// Runs the tests of all crates but this one, compiled for 64-bit ARM, in emulation, with the programs that they start.
pub(crate) fn suite() -> Result<()> {
    check_tools()?;
    require_tools()?;
    let tests = "test --workspace --exclude xtask --config xtask/tests.toml --no-fail-fast";
    let script = format!("{REGISTER}exec {}", ARM64.cargo(tests).as_shell());
    let step = Step::new(NAMESPACE).arg(&script).env("QEMU_CPU", SUITE_ON).env("QEMU_LD_PREFIX", ARM64.system);
    let mut skips = Skips::default();
    skips.read(&step.lines()?);
    skips.report()
}

/// Runs the tests whose expected outputs are ONNX Runtime's, of graphs and of the shipped models, on each processor but the
/// one that [`suite`] takes.
pub(crate) fn golden() -> Result<()> {
    check_tools()?;
    for Processor { architecture, name, kernels } in COUNTED_ON.iter().chain(&TESTED_ON) {
        if name.starts_with(SUITE_ON) {
            continue;
        }
        architecture
            .cargo("test -p bedside --test graphs --config xtask/tests.toml")
            .words("--test skin_photo --test skin_lesion --test breast_ultrasound --test chest_xray")
            .env(architecture.runner, &architecture.run_on(name))
            .env("BEDSIDE_KERNEL", kernels)
            .run()?;
    }
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
    for architecture in &ARCHITECTURES {
        architecture.cargo("build -p bedside-engine --no-default-features --example repeat").run()?;
    }
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
        for (processor, limit) in COUNTED_ON.iter().zip(limits) {
            let runs = |count| counted(processor, &plugin, (&model, count), &expected);
            let Processor { name: processor, kernels, .. } = processor;
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
fn counted(processor: &Processor, plugin: &str, (model, count): (&str, u64), expected: &str) -> Result<String> {
    let Processor { architecture, name, kernels } = processor;
    let folder = root().join("target").join(architecture.target);
    let program = folder.join("release/examples/repeat").display().to_string();
    let (plugin, count) = (format!("{plugin},log=stdout"), count.to_string());
    let words = format!("{} -plugin", architecture.run_on(name));
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

impl Architecture {
    /// The command that runs a program on an emulated processor.
    fn run_on(&self, processor: &str) -> String {
        format!("{} -cpu {processor} -L {}", self.qemu, self.system)
    }

    /// A command of cargo for the target, in release mode. `words` is the subcommand and its options.
    fn cargo<'a>(&self, words: &'a str) -> Step<'a> {
        let (command, options) = words.split_once(' ').unwrap_or((words, ""));
        Step::new("cargo")
            .arg(command)
            .words("--locked --release --target")
            .arg(self.target)
            .words(options)
            .env(self.linker, self.compiler)
    }
}

/// Fails where a tool is missing, and names the command that installs it.
fn check_tools() -> Result<()> {
    let sysroot = PathBuf::from(Step::new("rustc --print sysroot").output()?);
    for Architecture { target, qemu, compiler, system, packages: [compiler_package, library], .. } in &ARCHITECTURES {
        require(qemu, "apt-get install qemu-user")?;
        require(compiler, &format!("apt-get install {compiler_package}"))?;
        let libraries = Path::new(system).join("lib/libc.so.6");
        ensure!(libraries.exists(), "{}: apt-get install {library}", libraries.display());
        let std = sysroot.join("lib/rustlib").join(target);
        ensure!(std.is_dir(), "Rust's libraries for {target} are needed: rustup target add {target}");
    }
    Ok(())
}
