//! Debian's root folders for the machines, with compilers, and programs in them in emulation. Packages are unpacked and not
//! configured, which their compilers don't need.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Machine;
use crate::root;
use crate::step::{Step, require};

/// The release, which has glibc 2.36, and the packages with all that they need.
const RELEASE: &str = "bookworm";
const PACKAGES: &str = "--include=gcc,libc6-dev,musl-tools,cmake,make,pkg-config";

/// The root folder of a machine, which is made where it is missing. Needs the rights of root, as debootstrap does.
pub(super) fn of(machine: &Machine) -> Result<PathBuf> {
    for (tool, package) in [("proot", "proot"), (machine.qemu, "qemu-user"), ("debootstrap", "debootstrap")] {
        require(tool, &format!("on Debian: apt-get install {package}"))?;
    }
    let folder = root().join("target/device").join(format!("root-{}", machine.debian));
    if folder.exists() {
        return Ok(folder);
    }
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let (architecture, to) = (format!("--arch={}", machine.debian), unfinished.display().to_string());
    Step::new("debootstrap --foreign --variant=minbase")
        .words(PACKAGES)
        .arg(&architecture)
        .arg(RELEASE)
        .arg(&to)
        .run()?;
    let archives = unfinished.join("var/cache/apt/archives");
    for package in fs::read_dir(&archives)? {
        let package = package?.path().display().to_string();
        Step::new("dpkg-deb --extract").arg(&package).arg(&to).output()?;
    }
    fs::remove_dir_all(archives)?;
    symlink("gcc", unfinished.join("usr/bin/cc"))?;
    fs::rename(unfinished, &folder)?;
    Ok(folder)
}

/// Runs a shell script in the folder `/work` of a machine's root, which is a folder of this machine, and returns what it
/// prints. `sh` ends at the first command that fails.
pub(super) fn run(machine: &Machine, work: &Path, script: &str) -> Result<String> {
    let folder = of(machine)?.display().to_string();
    let (emulator, bound) = (format!("{} -cpu {}", machine.qemu, machine.oldest), format!("{}:/work", work.display()));
    Step::new("env -i PATH=/usr/bin:/bin HOME=/work proot -0 -q")
        .arg(&emulator)
        .arg("-r")
        .arg(&folder)
        .words("-b /dev -b /proc -b")
        .arg(&bound)
        .words("-w /work /bin/sh -e -c")
        .arg(script)
        .output()
        .with_context(|| format!("in the root of {}", machine.name))
}
