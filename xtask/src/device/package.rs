//! Puts what is built for a machine into a tarball.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Machine;
use super::build::{Built, SONAME};
use super::components::{Component, RUST_PAGE, bill, notices};
use crate::c::FRAME;
use crate::root;
use crate::step::Step;
use crate::versions::VERSION;

/// What is copied as it is: from the repository, and to the folder of the tarball.
const COPIED: [(&str, &str); 13] = [
    ("bindings/c/include/bedside.h", "include/bedside.h"),
    ("bindings/c/package/README.md", "README.md"),
    ("bindings/c/package/bedside-config.cmake", "lib/cmake/bedside/bedside-config.cmake"),
    ("bindings/c/package/CMakeLists.txt", "share/bedside/example/CMakeLists.txt"),
    ("bindings/c/example/verdict.c", "share/bedside/example/verdict.c"),
    (FRAME, "share/bedside/example/frame.bmp"),
    ("LICENSE-MIT", "share/doc/bedside/LICENSE-MIT"),
    ("LICENSE-APACHE", "share/doc/bedside/LICENSE-APACHE"),
    ("models/samples/README.md", "share/doc/bedside/SAMPLES.md"),
    ("docs/device.md", "share/doc/bedside/device.md"),
    ("docs/c.md", "share/doc/bedside/c.md"),
    ("docs/limits.md", "share/doc/bedside/limits.md"),
    ("CHANGELOG.md", "share/doc/bedside/CHANGELOG.md"),
];

/// The folder that becomes the tarball.
pub(super) fn unpacked(machine: &Machine) -> PathBuf {
    root().join("target/device").join(stem(machine))
}

/// The tarball's file name.
pub(super) fn tarball(machine: &Machine) -> String {
    format!("{}.tar.gz", stem(machine))
}

fn stem(machine: &Machine) -> String {
    format!("bedside-{VERSION}-linux-{}", machine.name)
}

/// Makes the tarball of a machine and returns its path.
pub(super) fn pack(
    machine: &Machine,
    built: &Built,
    models: &Path,
    [library, command]: &[Vec<Component>; 2],
) -> Result<PathBuf> {
    let folder = unpacked(machine);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    copy(&built.command, &folder.join("bin/bedside"))?;
    let name = format!("libbedside.so.{VERSION}");
    copy(&built.shared, &folder.join("lib").join(&name))?;
    for link in [SONAME, "libbedside.so"] {
        symlink(&name, folder.join("lib").join(link))?;
    }
    let [with_glibc, with_musl] = &built.archives;
    copy(with_glibc, &folder.join("lib/libbedside.a"))?;
    copy(with_musl, &folder.join("lib/musl/libbedside.a"))?;
    for (from, to) in COPIED {
        copy(&root().join(from), &folder.join(to))?;
    }
    for (from, to) in [
        ("bindings/c/package/bedside.pc", "lib/pkgconfig/bedside.pc"),
        ("bindings/c/package/bedside-musl.pc", "lib/musl/pkgconfig/bedside.pc"),
        ("bindings/c/package/bedside-config-version.cmake", "lib/cmake/bedside/bedside-config-version.cmake"),
    ] {
        let text = fs::read_to_string(root().join(from))?;
        ensure!(text.contains("@VERSION@"), "{from} does not name the version");
        let text = text.replace("@VERSION@", VERSION).replace("@POINTER@", machine.pointer);
        write(&folder.join(to), &text)?;
    }
    for model in fs::read_dir(models)? {
        let model = model?.path();
        let name = model.file_name().context("a model has a name")?.to_string_lossy().into_owned();
        copy(&model.join("model.prepared"), &folder.join(format!("share/bedside/models/{name}.prepared")))?;
        let card = root().join("models").join(&name).join("CARD.md");
        copy(&card, &folder.join(format!("share/doc/bedside/models/{name}.md")))?;
    }
    let (page, to) = RUST_PAGE;
    copy(&Path::new(&Step::new("rustc --print sysroot").output()?).join(page), &folder.join(to))?;
    let about = folder.join("share/doc/bedside");
    write(&about.join("libbedside.cdx.json"), &bill("libbedside", library)?)?;
    write(&about.join("bedside.cdx.json"), &bill("bedside", command)?)?;
    write(&about.join("THIRD-PARTY.txt"), &notices(library.iter().chain(command)))?;
    archive(machine)
}

/// Archives a folder. Order, owners and times do not depend on who does so and when.
fn archive(machine: &Machine) -> Result<PathBuf> {
    let file = root().join("target/device").join(tarball(machine));
    let time = Step::new("git log -1 --format=@%ct").output()?;
    let [folder, to] = [&root().join("target/device"), &file].map(|path| path.display().to_string());
    // gzip would write the time.
    Step::new("tar --create --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rwX,go=rX")
        .arg("--use-compress-program=gzip -n")
        .arg("--mtime")
        .arg(&time)
        .arg("--file")
        .arg(&to)
        .arg("--directory")
        .arg(&folder)
        .arg(&stem(machine))
        .run()?;
    Ok(file)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file in a folder")?)?;
    fs::copy(from, to).with_context(|| from.display().to_string()).map(drop)
}

fn write(to: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file in a folder")?)?;
    Ok(fs::write(to, text)?)
}
