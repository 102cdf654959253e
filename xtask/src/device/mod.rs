//! Bedside for devices with ARM Linux, 64 and 32 bits: the command as one static file, the library for programs in C with
//! glibc and with musl, and the models, in a tarball for each. Nothing of the folder or the time of the build is in them,
//! so that two builds of one commit give the same bytes.

mod build;
mod components;
mod emulated;
mod package;
mod sizes;

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::root;
use crate::step::{Step, zig};

/// A processor's architecture, and the two C libraries that programs for it are linked with.
pub(crate) struct Machine {
    /// The name in the tarball's.
    pub(crate) name: &'static str,
    pub(crate) glibc: Target,
    pub(crate) musl: Target,
    /// QEMU's emulator of the oldest processor that is served.
    pub(crate) emulator: &'static str,
    /// The folder of glibc, as Debian's cross packages install it.
    pub(crate) system: &'static str,
}

/// What Rust and zig call a target.
pub(crate) struct Target {
    pub(crate) rust: &'static str,
    /// Programs with glibc run with this version of it or a later one.
    pub(crate) zig: &'static str,
    /// What the C compiler is told of the processor.
    pub(crate) processor: &'static str,
}

pub(crate) const MACHINES: [Machine; 2] = [
    Machine {
        name: "aarch64",
        glibc: Target { rust: "aarch64-unknown-linux-gnu", zig: "aarch64-linux-gnu.2.17", processor: "generic" },
        musl: Target { rust: "aarch64-unknown-linux-musl", zig: "aarch64-linux-musl", processor: "generic" },
        emulator: "qemu-aarch64 -cpu cortex-a53",
        system: "/usr/aarch64-linux-gnu",
    },
    Machine {
        name: "armv7",
        glibc: Target {
            rust: "armv7-unknown-linux-gnueabihf",
            zig: "arm-linux-gnueabihf.2.17",
            processor: "generic+v7a+vfp3d16+thumb2-neon",
        },
        musl: Target {
            rust: "armv7-unknown-linux-musleabihf",
            zig: "arm-linux-musleabihf",
            processor: "generic+v7a+vfp3d16+thumb2-neon",
        },
        emulator: "qemu-arm -cpu cortex-a7",
        system: "/usr/arm-linux-gnueabihf",
    },
];

/// Builds the tarballs, and unless `build_only` checks their sizes and runs what is in them in emulation. With `twice`,
/// fails where a second build gives other bytes.
pub(crate) fn run(build_only: bool, twice: bool) -> Result<()> {
    let tarballs = tarballs()?;
    if !build_only {
        sizes::check()?;
        emulated::run(&zig()?)?;
    }
    if twice {
        compare(&tarballs)?;
    }
    for tarball in tarballs {
        eprintln!("{}", tarball.display());
    }
    Ok(())
}

/// Builds the tarballs and returns their paths.
fn tarballs() -> Result<Vec<PathBuf>> {
    let zig = zig()?;
    let models = crate::prepared::models()?;
    MACHINES
        .iter()
        .map(|machine| {
            let built = build::build(machine, &zig)?;
            let library = components::components(build::LIBRARY, &machine.glibc, &zig)?;
            let command = components::components(build::COMMAND, &machine.musl, &zig)?;
            package::pack(machine, &built, &models, &[library, command])
        })
        .collect()
}

/// Builds once more in a clone of this commit, in another folder. Fails where the tarballs have other bytes.
fn compare(first: &[PathBuf]) -> Result<()> {
    let clone = root().join("target/device-again");
    if clone.exists() {
        fs::remove_dir_all(&clone)?;
    }
    let [folder, manifest] = [&clone, &clone.join("Cargo.toml")].map(|path| path.display().to_string());
    Step::new("git clone --quiet --no-hardlinks .").arg(&folder).run()?;
    Step::new("cargo run --quiet --package xtask --manifest-path")
        .arg(&manifest)
        .words("-- device --build-only")
        .run()?;
    let second: Vec<PathBuf> =
        MACHINES.iter().map(|machine| clone.join("target/device").join(package::tarball(machine))).collect();
    ensure!(hashes(first)? == hashes(&second)?, "two builds of one commit give other bytes");
    eprintln!("\nA second build gave the same bytes.");
    Ok(fs::remove_dir_all(clone)?)
}

/// The SHA-256 of each file, in hex.
fn hashes(files: &[PathBuf]) -> Result<Vec<String>> {
    let hash = |file: &PathBuf| {
        let printed = Step::new("sha256sum").arg(&file.display().to_string()).output()?;
        Ok(printed.split(' ').next().unwrap_or_default().to_owned())
    };
    files.iter().map(hash).collect()
}
