//! Debian's root folders for the machines, with compilers, and programs in them in emulation. Packages are unpacked and not
//! configured, which their compilers don't need.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Machine;
use crate::emulation::{NAMESPACE, REGISTER, require_tools};
use crate::root;
use crate::step::{Step, require};

/// The release, which has glibc 2.36, and the packages with all that they need.
const RELEASE: &str = "bookworm";
const PACKAGES: &str = "--include=gcc,libc6-dev,musl-tools,cmake,make,pkg-config";

/// The file in a root that says what it was made of.
const MADE_OF: &str = "etc/bedside";

/// The root folder of a machine, which is made where it is missing. Needs the rights of root, as debootstrap does.
pub(super) fn of(machine: &Machine) -> Result<PathBuf> {
    require_tools()?;
    require("debootstrap", "on Debian: apt-get install debootstrap")?;
    let folder = root().join("target/device").join(format!("root-{}", machine.debian));
    let made_of = format!("{RELEASE} {PACKAGES}");
    if fs::read_to_string(folder.join(MADE_OF)).is_ok_and(|found| found == made_of) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
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
    // `/lib` is a link, which `dpkg-deb --extract` would replace by a folder.
    let unpack = "for package in $ROOT/var/cache/apt/archives/*.deb; do \
                      dpkg-deb --fsys-tarfile $package | tar -x -C $ROOT --keep-directory-symlink; done";
    Step::new("sh -e -c").arg(unpack).env("ROOT", &to).run()?;
    fs::remove_dir_all(unfinished.join("var/cache/apt/archives"))?;
    symlink("gcc", unfinished.join("usr/bin/cc"))?;
    // What a program finds in them is this machine's, and `/proc` may be a link.
    for name in ["proc", "work"] {
        let _ = fs::remove_file(unfinished.join(name));
        fs::create_dir_all(unfinished.join(name))?;
    }
    fs::write(unfinished.join(MADE_OF), made_of)?;
    fs::rename(unfinished, &folder)?;
    Ok(folder)
}

/// Runs a shell script in the folder `/work` of a machine's root, which is a folder of this machine, and returns what it
/// prints. `sh` ends at the first command that fails.
pub(super) fn run(machine: &Machine, work: &Path, script: &str) -> Result<String> {
    let [folder, work] = [of(machine)?.as_path(), work].map(|path| path.display().to_string());
    let entered = format!(
        "{REGISTER}\
         mount --rbind /dev $ROOT/dev; mount -t proc none $ROOT/proc; mount --bind $WORK $ROOT/work\n\
         exec env -i PATH=/usr/bin:/bin HOME=/work QEMU_CPU={} /usr/sbin/chroot $ROOT \
             /bin/sh -e -c \"cd /work; $SCRIPT\"",
        machine.oldest
    );
    Step::new(NAMESPACE)
        .arg(&entered)
        .env("ROOT", &folder)
        .env("WORK", &work)
        .env("SCRIPT", script)
        .output()
        .with_context(|| format!("in the root of {}", machine.name))
}
