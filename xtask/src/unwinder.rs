//! LLVM's unwinder, which Rust's panics need, compiled from the sources in `PyPI`'s `ziglang`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::step::Step;

/// The sources that are needed on Linux and Android.
const SOURCES: [&str; 6] = [
    "UnwindLevel1.c",
    "UnwindLevel1-gcc-ext.c",
    "Unwind-EHABI.cpp",
    "UnwindRegistersSave.S",
    "UnwindRegistersRestore.S",
    "libunwind.cpp",
];

/// Compiles `libunwind.a` into a folder and returns its path. `options` are zig's, the target among them.
pub(crate) fn compile(zig: &Path, options: &[&str], folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let library = zig.parent().context("zig lies in a folder")?.join("lib/libunwind");
    let (include, zig) = (library.join("include").display().to_string(), zig.display().to_string());
    let mut objects = Vec::new();
    for source in SOURCES {
        let object = folder.join(format!("{source}.o")).display().to_string();
        let flags = "cc -c -O2 -g0 -fPIC -funwind-tables -ffunction-sections -fno-sanitize=all -fvisibility=hidden \
                     -D_LIBUNWIND_IS_NATIVE_ONLY";
        let mut step = options.iter().fold(Step::new(&zig).words(flags), |step, option| step.arg(option));
        if source.contains(".cpp") {
            step = step.words("-std=c++17 -fno-exceptions -fno-rtti");
        }
        let source = library.join("src").join(source).display().to_string();
        step.arg("-I").arg(&include).arg("-o").arg(&object).arg(&source).run()?;
        objects.push(object);
    }
    let archive = folder.join("libunwind.a");
    if archive.exists() {
        fs::remove_file(&archive)?;
    }
    let path = archive.display().to_string();
    let step = Step::new(&zig).words("ar rcs").arg(&path);
    objects.iter().fold(step, |step, object| step.arg(object)).run()?;
    Ok(archive)
}
