//! Bedside for devices with ARM Linux, 64 and 32 bits: the command as one static file, the library for programs in C with
//! glibc and with musl, and the models, in a tarball for each. Nothing of the folder or the time of the build is in them,
//! so that two builds of one commit give the same bytes.

mod build;
mod components;
mod emulated;
mod package;
mod roots;
mod sizes;

use std::fs;
use std::os::unix::fs::symlink;
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
    /// QEMU's name of the oldest processor that programs are tried on.
    pub(crate) oldest: &'static str,
    /// The bytes of a pointer.
    pub(crate) pointer: &'static str,
    /// Debian's name of the architecture.
    pub(crate) debian: &'static str,
}

/// What Rust and zig call a target.
pub(crate) struct Target {
    pub(crate) rust: &'static str,
    /// Programs with glibc run with this version of it or a later one.
    pub(crate) zig: &'static str,
    /// What the C compiler is told of the processor.
    pub(crate) processor: &'static str,
}

impl Target {
    /// Whether programs are linked with musl, and not with glibc.
    pub(crate) fn is_musl(&self) -> bool {
        self.zig.contains("musl")
    }
}

pub(crate) const MACHINES: [Machine; 2] = [
    Machine {
        name: "aarch64",
        glibc: Target { rust: "aarch64-unknown-linux-gnu", zig: "aarch64-linux-gnu.2.17", processor: "generic" },
        musl: Target { rust: "aarch64-unknown-linux-musl", zig: "aarch64-linux-musl", processor: "generic" },
        oldest: "cortex-a53",
        pointer: "8",
        debian: "arm64",
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
        oldest: "cortex-a7",
        pointer: "4",
        debian: "armhf",
    },
];

/// The folder of a clone with the sources of all dependencies.
const VENDORED: &str = "vendor";

/// Builds the tarballs, and unless `build_only` checks or records their sizes and runs what is in them in emulation. With `twice`,
/// fails where a second build gives other bytes.
pub(crate) fn run(build_only: bool, twice: bool, record: bool) -> Result<()> {
    let tarballs = tarballs()?;
    if !build_only {
        sizes::check(record)?;
        emulated::run()?;
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

/// Builds once more, in a clone of this commit in another folder, from vendored sources, with no network. Fails where the
/// tarballs have other bytes.
fn compare(first: &[PathBuf]) -> Result<()> {
    let clone = root().join("target/device-again");
    if clone.exists() {
        fs::remove_dir_all(&clone)?;
    }
    let [folder, manifest] = [&clone, &clone.join("Cargo.toml")].map(|path| path.display().to_string());
    Step::new("git clone --quiet --no-hardlinks .").arg(&folder).run()?;
    // The standard library's dependencies, too, which is built for a target that has none ready.
    Step::new("rustup component add rust-src").run()?;
    let sources = format!("{}/lib/rustlib/src/rust/library/Cargo.toml", Step::new("rustc --print sysroot").output()?);
    let vendored = clone.join(VENDORED).display().to_string();
    let vendor = Step::new("cargo vendor --quiet --locked --versioned-dirs --manifest-path").arg(&manifest);
    let settings = vendor.arg("--sync").arg(&sources).arg(&vendored).output()?;
    fs::create_dir_all(clone.join(".cargo"))?;
    let aliases = fs::read_to_string(clone.join(".cargo/config.toml"))?;
    fs::write(clone.join(".cargo/config.toml"), format!("{aliases}\n{settings}\n"))?;
    fs::create_dir_all(clone.join("target"))?;
    symlink(root().join("target/zig-venv"), clone.join("target/zig-venv"))?;
    Step::new("unshare --map-root-user --net cargo run --quiet --offline --package xtask --manifest-path")
        .arg(&manifest)
        .words("-- device --build-only")
        .env("CARGO_NET_OFFLINE", "true")
        .run()?;
    let second = MACHINES.iter().map(|machine| clone.join("target/device").join(package::tarball(machine)));
    for (one, other) in first.iter().zip(second) {
        ensure!(fs::read(one)? == fs::read(&other)?, "{} and {} differ", one.display(), other.display());
    }
    eprintln!("\nA second build, from vendored sources and without a network, gave the same bytes.");
    Ok(fs::remove_dir_all(clone)?)
}
