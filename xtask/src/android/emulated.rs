//! Runs `libbedside.so` for 64-bit phones in emulation, and compares its scores with those of this machine's library.
//!
//! Android's C library is not available, so GNU's replaces it, with `android/native/glibc.c`, which defines the names
//! that only Android's has. The scores of both machines may differ by rounding only.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::folders;
use crate::root;
use crate::step::{Step, require, zig};

/// The folder of ARM's C library, as Debian's cross packages install it.
const SYSROOT: &str = "/usr/aarch64-linux-gnu";
/// Emulated processors: without the dot product, with it, and with all instructions that QEMU knows.
const PROCESSORS: [&str; 3] = ["cortex-a53", "cortex-a76", "max"];
/// The maximum difference of two scores. Kernels of different processors add in different orders.
const MAX_DIFFERENCE: f32 = 1e-3;

/// Compares the scores on each processor. Both libraries must be built.
pub(crate) fn run() -> Result<()> {
    require("qemu-aarch64", "on Debian: apt-get install qemu-user libc6-arm64-cross")?;
    ensure!(Path::new(SYSROOT).is_dir(), "{SYSROOT} is needed; on Debian: apt-get install libc6-arm64-cross");
    let zig = zig()?;
    let shared = root().join("target/release/libbedside.so").display().to_string();
    let here = scores(Step::new(&program(&zig, "x86_64-linux-gnu.2.36")?).arg(&shared))?;

    let folder = folders::natives().join("arm64-v8a");
    let library = folder.join("libbedside.so").display().to_string();
    let (preloaded, path) = stand_ins(&zig)?;
    let program = program(&zig, "aarch64-linux-gnu.2.36")?;
    for processor in PROCESSORS {
        let emulator = Step::new("qemu-aarch64 -L").arg(SYSROOT).arg("-cpu").arg(processor);
        let emulator = emulator.arg("-E").arg(&preloaded).arg("-E").arg(&path).arg(&program).arg(&library);
        let there = scores(emulator)?;
        ensure!(here.len() == there.len(), "{} scores here, {} on {processor}", here.len(), there.len());
        let difference = here.iter().zip(&there).map(|(here, there)| (here - there).abs()).fold(0.0, f32::max);
        eprintln!("{processor}: {} scores, at most {difference:.1e} from this machine's", there.len());
        ensure!(difference <= MAX_DIFFERENCE, "{processor}: {there:?} instead of {here:?}");
    }
    Ok(())
}

/// The scores that a program prints: one a label, of samples by the shipped models.
fn scores(program: Step<'_>) -> Result<Vec<f32>> {
    let words = "models/skin-photo/model.onnx models/samples/PAT_1113_458_387.jpg \
                 models/breast-ultrasound/model.onnx models/samples/bus_0004-l.jpg \
                 models/skin-lesion/model.onnx models/samples/ISIC_0012258.jpg \
                 models/skin-lesion/model.onnx models/samples/ISIC_0012086.jpg \
                 models/chest-xray/model.onnx models/samples/person100_bacteria_475.jpeg \
                 models/chest-xray/model.onnx models/samples/IM-0001-0001.jpeg";
    let program = program.words(words);
    eprintln!("\n=== {program}");
    let printed = program.output()?;
    let scores: Vec<f32> = printed.lines().map(str::parse).collect::<Result<_, _>>().context(printed.clone())?;
    ensure!(scores.len() == 6 + 5 * 3, "not one score for each label and picture: {printed}");
    Ok(scores)
}

/// Compiles the program that calls the library, for zig's target `target`, and returns its path.
fn program(zig: &Path, target: &str) -> Result<String> {
    let (zig, to) = (zig.display().to_string(), folder()?.join(target).display().to_string());
    let step = Step::new(&zig).words("cc -O1 -Wall -Wextra -Werror -target").arg(target).arg("-o").arg(&to);
    step.arg("android/native/scores.c").run()?;
    Ok(to)
}

/// Compiles replacements for Android's libraries, and returns the environment variables that make ARM's loader use
/// them.
fn stand_ins(zig: &Path) -> Result<(String, String)> {
    let (zig, folder) = (zig.display().to_string(), folder()?);
    for library in ["libc", "libm", "libdl", "liblog"] {
        let (name, to) = (format!("-Wl,-soname,{library}.so"), folder.join(library).with_extension("so"));
        let to = to.display().to_string();
        let step = Step::new(&zig).words("cc -O1 -Wall -Wextra -Werror -shared -fPIC -target aarch64-linux-gnu.2.36");
        step.arg(&name).arg("-o").arg(&to).arg("android/native/glibc.c").run()?;
    }
    let folder = folder.display();
    Ok((format!("LD_PRELOAD={folder}/libc.so:libm.so.6"), format!("LD_LIBRARY_PATH={folder}")))
}

/// The folder of the compiled programs and libraries.
fn folder() -> Result<PathBuf> {
    let folder = root().join("target/android/emulated");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
