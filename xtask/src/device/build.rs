//! Builds the command and the libraries for a machine. zig is the C compiler and the linker, so that no toolchain of the
//! target has to be installed, and programs with glibc need an old one only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{Machine, Target, VENDORED};
use crate::step::Step;
use crate::{c, root, unwinder};

/// The library's package and features: prepared models, and pictures in pixels, JPEG, PNG, BMP and DICOM.
pub(super) const LIBRARY: &str = "--package bedside-bindings --no-default-features --features c,dicom";
/// The command's package.
pub(super) const COMMAND: &str = "--package bedside-cli";
/// The name by which programs find the library when they run. Its number changes when a program that was built with an
/// older header can't run any more.
pub(super) const SONAME: &str = "libbedside.so.0";
/// The libraries that the shared library may need.
const SYSTEM: [&str; 6] = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "ld-linux-", "librt.so.1"];

/// What is built for a machine.
pub(super) struct Built {
    pub(super) command: PathBuf,
    pub(super) shared: PathBuf,
    /// The static libraries for programs with glibc and with musl.
    pub(super) archives: [PathBuf; 2],
}

/// Builds all for a machine and checks what the library exports and needs.
pub(super) fn build(machine: &Machine, zig: &Path) -> Result<Built> {
    let Machine { name, glibc, musl, .. } = machine;
    // Without debug information, which names folders.
    cargo(musl, zig, &format!("cargo build {COMMAND} --config profile.release.strip=true --release"))?;
    let soname = format!("-- -C link-arg=-Wl,-soname,{SONAME}");
    let library = format!("cargo rustc {LIBRARY} --lib --profile phone");
    cargo(glibc, zig, &format!("{library} --crate-type cdylib {soname}"))?;
    let archives = [glibc, musl].map(|target| -> Result<PathBuf> {
        cargo(target, zig, &format!("{library} --crate-type staticlib"))?;
        let archive = folder(name).join(format!("{}.a", target.zig));
        fs::create_dir_all(folder(name))?;
        let mut parts = vec![output(target, "phone/libbedside.a")];
        // Compilers for glibc have an unwinder and link it by themselves. Those for musl may not.
        if target.is_musl() {
            parts.push(unwinder(target, zig)?);
        }
        let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
        c::localize(&parts, &archive, &format!("{} ar", zig.display()))?;
        Ok(archive)
    });
    let [with_glibc, with_musl] = archives;
    let built = Built {
        command: output(musl, "release/bedside"),
        shared: output(glibc, "phone/libbedside.so"),
        archives: [with_glibc?, with_musl?],
    };
    check(&built.shared)?;
    Ok(built)
}

/// Compiles LLVM's unwinder for a target.
fn unwinder(target: &Target, zig: &Path) -> Result<PathBuf> {
    let (processor, folder) = (format!("-mcpu={}", target.processor), built_in(target).join("unwinder"));
    let prefix = format!("-ffile-prefix-map={}=/zig", zig.parent().context("zig lies in a folder")?.display());
    unwinder::compile(zig, &["-target", target.zig, &processor, &prefix], &folder)
}

/// The folder of what is made for a machine.
pub(super) fn folder(name: &str) -> PathBuf {
    root().join("target/device").join(name)
}

/// Cargo's folder for a target. Each has its own, because a build with the standard library from source makes cargo build
/// anew what others share.
fn built_in(target: &Target) -> PathBuf {
    root().join("target/device").join(target.rust)
}

/// The path of a file that cargo builds for a target.
fn output(target: &Target, file: &str) -> PathBuf {
    built_in(target).join(target.rust).join(file)
}

/// Runs cargo for a target.
fn cargo(target: &Target, zig: &Path, words: &str) -> Result<()> {
    let linker = linker(target, zig)?.display().to_string();
    let [upper, lower] = [target.rust.to_uppercase(), target.rust.to_owned()].map(|name| name.replace('-', "_"));
    let [compiler, archiver] = ["cc", "ar"].map(|tool| format!("{} {tool}", zig.display()));
    let compiler = format!("{compiler} -target {} -mcpu={} -fPIC", target.zig, target.processor);
    let to = built_in(target).display().to_string();
    let flags = flags(target)?;
    let (options, arguments) = words.split_once(" -- ").unwrap_or((words, ""));
    let mut step = Step::new(options).words("--locked --target").arg(target.rust).arg("--target-dir").arg(&to);
    if Step::new("rustup target add").arg(target.rust).output().is_err() {
        // Some mirrors lack the target's standard library, which is then built from source.
        Step::new("rustup component add rust-src").run()?;
        step = step.words("-Z build-std=std,panic_unwind").env("RUSTC_BOOTSTRAP", "1");
    }
    if !arguments.is_empty() {
        step = step.arg("--").words(arguments);
    }
    step.env(&format!("CARGO_TARGET_{upper}_LINKER"), &linker)
        .env(&format!("CARGO_TARGET_{upper}_RUSTFLAGS"), &flags)
        // The default flags of the crate `cc` include some that zig does not know.
        .env("CRATE_CC_NO_DEFAULTS", "1")
        .env(&format!("CC_{lower}"), &compiler)
        .env(&format!("AR_{lower}"), &archiver)
        .run()
        .map(drop)
}

/// The compiler's flags: no names of this machine's folders, and musl linked statically by zig. Sources of dependencies have
/// the same names wherever they are.
fn flags(target: &Target) -> Result<String> {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let (home, rust) = (home.context("no HOME")?, Step::new("rustc --print sysroot").output()?);
    let mut remapped = vec![(root(), "/bedside"), (root().join(VENDORED), "/crates"), (rust.into(), "/rust")];
    for registry in fs::read_dir(Path::new(&home).join("registry/src")).into_iter().flatten() {
        remapped.push((registry?.path(), "/crates"));
    }
    let remap = |(folder, name): &(PathBuf, &str)| format!("--remap-path-prefix={}={name}", folder.display());
    let remapped = remapped.iter().map(remap).collect::<Vec<_>>().join(" ");
    let musl = if target.is_musl() { " -C link-self-contained=no -C target-feature=+crt-static" } else { "" };
    Ok(format!("{remapped} -C link-arg=-Wl,--build-id=none{musl}"))
}

/// Writes the linker's script: zig, without what Rust asks of GNU's compiler alone. zig has its own start files and
/// unwinder.
fn linker(target: &Target, zig: &Path) -> Result<PathBuf> {
    let script = root().join("target/device").join(format!("{}.sh", target.rust));
    let text = format!(
        "#!/bin/sh\n\
         # Written by `cargo xtask device`.\n\
         for argument; do\n\
         \x20   shift\n\
         \x20   case \"$argument\" in\n\
         \x20   *crt1.o | *crti.o | *crtn.o | *crtbegin*.o | *crtend*.o | -lgcc | -nostartfiles | --target=* | -march=*) ;;\n\
         \x20   -Wl,--fix-cortex-a8) ;;\n\
         \x20   -lgcc_s | -lgcc_eh) set -- \"$@\" -lunwind ;;\n\
         \x20   *) set -- \"$@\" \"$argument\" ;;\n\
         \x20   esac\n\
         done\n\
         exec '{}' cc -target {} -mcpu={} \"$@\"\n",
        zig.display(),
        target.zig,
        target.processor
    );
    fs::create_dir_all(root().join("target/device"))?;
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

/// Fails where the shared library exports something that is not the border, or needs a library that a device may lack.
fn check(library: &Path) -> Result<()> {
    let path = library.display().to_string();
    let symbols = Step::new("nm --dynamic --defined-only").arg(&path).output()?;
    let exported: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    for function in c::functions()? {
        ensure!(exported.contains(&function.as_str()), "{path} lacks {function}");
    }
    if let Some(other) = exported.iter().find(|name| !name.starts_with("bedside_")) {
        anyhow::bail!("{path} exports {other}, which is no part of the border");
    }
    let dynamic = Step::new("readelf --dynamic --wide").arg(&path).output()?;
    ensure!(dynamic.contains(&format!("[{SONAME}]")), "{path} is not called {SONAME}");
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    for library in needed.filter_map(|line| line.split('[').nth(1)) {
        ensure!(SYSTEM.iter().any(|name| library.starts_with(name)), "{path} needs {library}");
    }
    Ok(())
}
