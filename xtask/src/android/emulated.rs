//! The phone's library at work: `libbedside.so` of 64-bit phones, run in emulation, beside that of this machine.
//!
//! Android's C library is not at hand, so GNU's stands in, behind `android/native/glibc.c`, which has the names that only
//! Android's has. Both machines must give the same scores but for rounding.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::folders;
use crate::root;
use crate::step::{Step, require, zig};

/// Where Debian's cross packages have ARM's C library.
const SYSROOT: &str = "/usr/aarch64-linux-gnu";
/// Processors of phones: without the dot product, with it, and with all that ARM has.
const PROCESSORS: [&str; 3] = ["cortex-a53", "cortex-a76", "max"];
/// The kernels of different processors add in different orders.
const MOST_APART: f32 = 1e-3;

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
        let apart = here.iter().zip(&there).map(|(here, there)| (here - there).abs()).fold(0.0, f32::max);
        eprintln!("{processor}: {} scores, at most {apart:.1e} from this machine's", there.len());
        ensure!(apart <= MOST_APART, "{processor}: {there:?} instead of {here:?}");
    }
    Ok(())
}

/// The scores of two samples by each shipped model.
fn scores(program: Step<'_>) -> Result<Vec<f32>> {
    let words = "models/skin-lesion/model.onnx models/samples/ISIC_0012258.jpg \
                 models/skin-lesion/model.onnx models/samples/ISIC_0012086.jpg \
                 models/chest-xray/model.onnx models/samples/person100_bacteria_475.jpeg \
                 models/chest-xray/model.onnx models/samples/IM-0001-0001.jpeg";
    let program = program.words(words);
    eprintln!("\n=== {program}");
    let printed = program.output()?;
    let scores: Vec<f32> = printed.lines().map(str::parse).collect::<Result<_, _>>().context(printed.clone())?;
    ensure!(scores.len() == 12, "not three scores for each picture: {printed}");
    Ok(scores)
}

/// The program that calls the library, for one machine.
fn program(zig: &Path, target: &str) -> Result<String> {
    let (zig, to) = (zig.display().to_string(), folder()?.join(target).display().to_string());
    let step = Step::new(&zig).words("cc -O1 -Wall -Wextra -Werror -target").arg(target).arg("-o").arg(&to);
    step.arg("android/native/scores.c").run()?;
    Ok(to)
}

/// Stand-ins for Android's libraries: the variables under which ARM's loader takes them.
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

fn folder() -> Result<PathBuf> {
    let folder = root().join("target/android/emulated");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
