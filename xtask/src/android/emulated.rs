//! Runs `libbedside.so` for phones with ARM in emulation, and compares its scores with those of this machine's library.
//!
//! Android's C library is not available, so GNU's replaces it, with `android/native/glibc.c`, which defines the names
//! that only Android's has. The scores of both machines may differ by rounding only.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::folders;
use crate::root;
use crate::step::{Step, require, zig};

/// An ABI, and what its library runs with here.
struct Phone {
    abi: &'static str,
    /// Zig's target with GNU's C library, under the ABI's calling convention.
    zig: &'static str,
    qemu: &'static str,
    /// The folder of GNU's C library, as Debian's cross package installs it.
    sysroot: &'static str,
    package: &'static str,
    processors: &'static [&'static str],
}

const PHONES: [Phone; 2] = [
    Phone {
        abi: "arm64-v8a",
        zig: "aarch64-linux-gnu.2.36",
        qemu: "qemu-aarch64",
        sysroot: "/usr/aarch64-linux-gnu",
        package: "libc6-arm64-cross",
        // Without the dot product, with it, and with all instructions that QEMU knows.
        processors: &["cortex-a53", "cortex-a76", "max"],
    },
    Phone {
        abi: "armeabi-v7a",
        zig: "arm-linux-gnueabi.2.36",
        qemu: "qemu-arm",
        sysroot: "/usr/arm-linux-gnueabi",
        package: "libc6-armel-cross",
        processors: &["cortex-a7"],
    },
];
/// The maximum difference of two scores. Kernels of different processors add in different orders.
const MAX_DIFFERENCE: f32 = 1e-3;

/// Compares the scores on each processor. The libraries must be built.
pub(crate) fn run() -> Result<()> {
    let zig = zig()?;
    let shared = root().join("target/release/libbedside.so").display().to_string();
    let here = scores(Step::new(&program(&zig, "x86_64-linux-gnu.2.36")?).arg(&shared))?;
    for Phone { abi, zig: target, qemu, sysroot, package, processors } in &PHONES {
        require(qemu, "on Debian: apt-get install qemu-user")?;
        ensure!(Path::new(sysroot).is_dir(), "{sysroot} is needed; on Debian: apt-get install {package}");
        let library = folders::natives().join(abi).join("libbedside.so").display().to_string();
        let (preloaded, path) = stand_ins(&zig, target)?;
        let program = program(&zig, target)?;
        for processor in *processors {
            let emulator = Step::new(qemu).arg("-L").arg(sysroot).arg("-cpu").arg(processor);
            let emulator = emulator.arg("-E").arg(&preloaded).arg("-E").arg(&path).arg(&program).arg(&library);
            let there = scores(emulator)?;
            ensure!(here.len() == there.len(), "{} scores here, {} on {processor}", here.len(), there.len());
            let difference = here.iter().zip(&there).map(|(here, there)| (here - there).abs()).fold(0.0, f32::max);
            eprintln!("{abi}, {processor}: {} scores, at most {difference:.1e} from this machine's", there.len());
            ensure!(difference <= MAX_DIFFERENCE, "{processor}: {there:?} instead of {here:?}");
        }
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
fn stand_ins(zig: &Path, target: &str) -> Result<(String, String)> {
    let (zig, folder) = (zig.display().to_string(), folder()?.join("libraries").join(target));
    std::fs::create_dir_all(&folder)?;
    for library in ["libc", "libm", "libdl", "liblog"] {
        let (name, to) = (format!("-Wl,-soname,{library}.so"), folder.join(library).with_extension("so"));
        let to = to.display().to_string();
        let step = Step::new(&zig).words("cc -O1 -Wall -Wextra -Werror -shared -fPIC -target").arg(target);
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
