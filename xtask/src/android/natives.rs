//! `libbedside.so` for Android's ABIs, built by `cargo ndk` where `ANDROID_NDK_HOME` is set, else without an NDK.
//!
//! Without an NDK, Rust's own linker links against stubs of Android's libraries, which define nothing but the names in
//! `android/native/bionic.txt`, and against LLVM's unwinder, which zig compiles.
//! A name that is not in the list fails the link. Add a name only if Android offers it from API level 24 on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::abis::{ABIS, Abi};
use super::folders::{app_natives, natives};
use crate::step::{Step, zig};
use crate::{root, unwinder};

/// Android's libraries that `libbedside.so` may depend on.
const LIBRARIES: [&str; 4] = ["libc", "libdl", "liblog", "libm"];

/// The maximum size of the library for 64-bit phones that opens prepared models only, in bytes.
const MAX_BYTES_WITHOUT_IMPORTER: u64 = 2_200_000;

/// Builds the library for all ABIs, for the AAR and for the app, and checks each.
pub(crate) fn build() -> Result<()> {
    for (to, features) in [(natives(), FEATURES), (app_natives(), APP_FEATURES)] {
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        if std::env::var_os("ANDROID_NDK_HOME").is_some() {
            with_ndk(&to, features)?;
        } else {
            let zig = zig()?;
            for abi in &ABIS {
                without_ndk(abi, &zig, &to, features)?;
            }
        }
        ABIS.iter().try_for_each(|abi| check(abi, &to))?;
    }
    Ok(())
}

/// Builds the library for 64-bit phones without the ONNX importer, and checks its size.
pub(crate) fn small() -> Result<()> {
    let library = linked(&ABIS[0], &zig()?, FEWER_FEATURES)?;
    let size = fs::metadata(&library)?.len();
    eprintln!("{}: {size} bytes", library.display());
    ensure!(
        size <= MAX_BYTES_WITHOUT_IMPORTER,
        "without the importer, libbedside.so may have {MAX_BYTES_WITHOUT_IMPORTER} bytes"
    );
    Ok(())
}

/// The options of `cargo build`; the features follow.
const LIBRARY: &str = "--locked --profile phone --package bedside-bindings --no-default-features --features";

/// The features of the AAR's library. `float-threads` is not among them
/// (`docs/decisions/0015-threads-for-floats.md`).
const FEATURES: &str = "onnx,tiff,webp,dicom,uniffi,jni";

/// The features of the app's library: it carries prepared models, and needs no importer.
const APP_FEATURES: &str = "tiff,webp,dicom,uniffi,jni";

/// The features of the small library: without the ONNX importer, TIFF, WebP and DICOM.
const FEWER_FEATURES: &str = "uniffi,jni";

fn with_ndk(to: &Path, features: &str) -> Result<()> {
    let to = to.display().to_string();
    let mut step = Step::new("cargo ndk --platform 24");
    for abi in &ABIS {
        step = step.arg("--target").arg(abi.name);
    }
    step.arg("--output-dir").arg(&to).arg("build").words(LIBRARY).arg(features).run().map(drop)
}

fn without_ndk(abi: &Abi, zig: &Path, to: &Path, features: &str) -> Result<()> {
    let library = linked(abi, zig, features)?;
    let folder = to.join(abi.name);
    fs::create_dir_all(&folder)?;
    fs::copy(library, folder.join("libbedside.so"))?;
    Ok(())
}

/// Builds the library with these features without an NDK, and returns its path.
fn linked(abi: &Abi, zig: &Path, features: &str) -> Result<PathBuf> {
    let sysroot = root().join("target/android/sysroot").join(abi.name);
    fs::create_dir_all(&sysroot)?;
    // Bionic's name of the function that returns the address of errno.
    unwinder::compile(zig, &["-target", abi.zig, "-D__errno_location=__errno"], &sysroot)?;
    // Rust links it, too.
    fs::write(sysroot.join("libgcc.a"), "!<arch>\n")?;
    stubs(abi, zig, &sysroot)?;
    let linker = linker(&sysroot)?.display().to_string();
    let flags = format!(
        "-C linker-flavor=ld -L native={} -C link-args=-zdefs -C link-args=-zmax-page-size=16384 \
         -C link-args=--build-id=sha1 -C link-args=--hash-style=both -C link-args=-soname=libbedside.so \
         -C link-args=--exclude-libs=libunwind.a -C link-args=--icf=all",
        sysroot.display()
    );
    let variable = abi.target.to_uppercase().replace('-', "_");
    let (compiler, archiver) =
        (format!("{} cc -fPIC -target {}", zig.display(), abi.assembler), format!("{} ar", zig.display()));
    let target = root().join("target").display().to_string();
    Step::new("rustup target add").arg(abi.target).run()?;
    Step::new("cargo build")
        .words(LIBRARY)
        .arg(features)
        .arg("--target")
        .arg(abi.target)
        .arg("--target-dir")
        .arg(&target)
        .env(&format!("CARGO_TARGET_{variable}_LINKER"), &linker)
        .env(&format!("CARGO_TARGET_{variable}_RUSTFLAGS"), &flags)
        // The default flags of the crate `cc` include some that zig does not know.
        .env("CRATE_CC_NO_DEFAULTS", "1")
        .env(&format!("CC_{}", abi.target.replace('-', "_")), &compiler)
        .env(&format!("AR_{}", abi.target.replace('-', "_")), &archiver)
        .run()?;
    Ok(root().join("target").join(abi.target).join("phone/libbedside.so"))
}

/// The path of a link to Rust's own linker, under the name by which it takes GNU's options.
fn linker(sysroot: &Path) -> Result<PathBuf> {
    let rust = Step::new("rustc --print sysroot").output()?;
    let host = Step::new("rustc -vV").output()?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let link = sysroot.join("ld.lld");
    if link.exists() {
        fs::remove_file(&link)?;
    }
    symlink(Path::new(&rust).join("lib/rustlib").join(host).join("bin/rust-lld"), &link)?;
    Ok(link)
}

/// Links stubs of Android's libraries, which define their names without code.
fn stubs(abi: &Abi, zig: &Path, sysroot: &Path) -> Result<()> {
    let zig = zig.display().to_string();
    for (library, names) in names()? {
        let mut assembly = String::new();
        for name in names {
            writeln!(assembly, ".globl {name}\n.type {name}, %function\n{name}:")?;
        }
        let source = sysroot.join(format!("{library}.s"));
        fs::write(&source, assembly)?;
        let (source, soname) = (source.display().to_string(), format!("-Wl,-soname,{library}.so"));
        let to = sysroot.join(format!("{library}.so")).display().to_string();
        let flags = "cc -shared -nostdlib -fno-sanitize=all -target";
        let step = flags.split_whitespace().fold(Step::new(&zig), Step::arg).arg(abi.zig).arg(&soname);
        step.arg("-o").arg(&to).arg(&source).run()?;
    }
    Ok(())
}

/// The names that `libbedside.so` may import, by the Android library that defines them.
fn names() -> Result<BTreeMap<String, Vec<String>>> {
    let path = "android/native/bionic.txt";
    let text = fs::read_to_string(root().join(path)).with_context(|| path)?;
    // Rust links against all of these libraries, even where it imports nothing from one.
    let all = LIBRARIES.map(|library| (library.to_owned(), Vec::new()));
    let mut names: BTreeMap<String, Vec<String>> = all.into();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (library, name) =
            line.split_once(' ').with_context(|| format!("{path}: `{line}` is no library and name"))?;
        names.entry(library.to_owned()).or_default().push(name.to_owned());
    }
    Ok(names)
}

/// Checks what a phone's linker requires: the library depends on Android's own libraries only, its segments are aligned
/// to pages, it has no text relocations, and it exports the functions of both borders.
fn check(abi: &Abi, folder: &Path) -> Result<()> {
    let library = folder.join(abi.name).join("libbedside.so").display().to_string();
    let name = abi.name;
    let dynamic = Step::new("readelf --dynamic --wide").arg(&library).output()?;
    for needed in dynamic.lines().filter_map(|line| line.split_once("Shared library: [")).map(|(_, rest)| rest) {
        let known = LIBRARIES.contains(&needed.trim_end().trim_end_matches(".so]"));
        ensure!(known, "{name}: libbedside.so needs {needed}, which Android does not promise");
    }
    ensure!(!dynamic.contains("TEXTREL"), "{name}: libbedside.so has text relocations");
    let segments = Step::new("readelf --program-headers --wide").arg(&library).output()?;
    let loads: Vec<&str> = segments.lines().filter(|line| line.trim_start().starts_with("LOAD")).collect();
    ensure!(!loads.is_empty(), "{name}: libbedside.so has nothing to load");
    for load in loads {
        let alignment = load.split_whitespace().last().unwrap_or_default();
        let bytes = u64::from_str_radix(alignment.trim_start_matches("0x"), 16)?;
        ensure!(
            bytes >= abi.pages,
            "{name}: a segment of libbedside.so is aligned to {alignment}, not to {}",
            abi.pages
        );
    }
    let symbols = Step::new("readelf --dyn-syms --wide").arg(&library).output()?;
    for wanted in ["Java_dev_bedside_jni_Native_classify", "uniffi_bedside_fn_method_classifier_classify"] {
        ensure!(
            symbols.lines().any(|line| line.ends_with(&format!(" {wanted}"))),
            "{name}: libbedside.so lacks {wanted}"
        );
    }
    Ok(())
}
