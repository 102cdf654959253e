//! Puts what is built for a machine into a tarball.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::build::{Built, SONAME};
use super::{MACHINES, Machine};
use crate::c::FRAME;
use crate::root;
use crate::step::{Step, tool};
use crate::versions::VERSION;

/// The tool that lists the crates in the library and the command, as `CycloneDX`.
const CYCLONEDX: &str = "0.5.9";
/// What is copied as it is: from the repository, and to the folder of the tarball.
const COPIED: [(&str, &str); 9] = [
    ("bindings/c/include/bedside.h", "include/bedside.h"),
    ("bindings/c/package/README.md", "README.md"),
    ("bindings/c/package/bedside-config.cmake", "lib/cmake/bedside/bedside-config.cmake"),
    ("bindings/c/package/CMakeLists.txt", "share/bedside/example/CMakeLists.txt"),
    ("bindings/c/example/verdict.c", "share/bedside/example/verdict.c"),
    (FRAME, "share/bedside/example/frame.bmp"),
    ("LICENSE-MIT", "share/doc/bedside/LICENSE-MIT"),
    ("LICENSE-APACHE", "share/doc/bedside/LICENSE-APACHE"),
    ("models/samples/README.md", "share/doc/bedside/SAMPLES.md"),
];

/// The list of crates, and the texts of their licences.
pub(super) struct About {
    boms: Vec<PathBuf>,
    notices: PathBuf,
}

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
pub(super) fn pack(machine: &Machine, built: &Built, models: &Path, about: &About) -> Result<PathBuf> {
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
        ("bindings/c/package/bedside-config-version.cmake", "lib/cmake/bedside/bedside-config-version.cmake"),
    ] {
        let text = fs::read_to_string(root().join(from))?;
        ensure!(text.contains("@VERSION@"), "{from} does not name the version");
        write(&folder.join(to), &text.replace("@VERSION@", VERSION))?;
    }
    for model in fs::read_dir(models)? {
        let model = model?.path();
        let name = model.file_name().context("a model has a name")?.to_string_lossy().into_owned();
        copy(&model.join("model.prepared"), &folder.join(format!("share/bedside/models/{name}.prepared")))?;
        let card = root().join("models").join(&name).join("CARD.md");
        copy(&card, &folder.join(format!("share/doc/bedside/models/{name}.md")))?;
    }
    for bom in &about.boms {
        let name = bom.file_name().context("a list has a name")?;
        copy(bom, &folder.join("share/doc/bedside").join(name))?;
    }
    copy(&about.notices, &folder.join("share/doc/bedside/THIRD-PARTY.txt"))?;
    archive(machine)
}

/// Archives a folder. Order, owners and times do not depend on who does so and when.
fn archive(machine: &Machine) -> Result<PathBuf> {
    let file = root().join("target/device").join(tarball(machine));
    let time = Step::new("git log -1 --format=@%ct").output()?;
    let [folder, to] = [&root().join("target/device"), &file].map(|path| path.display().to_string());
    Step::new("tar --create --gzip --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rwX,go=rX")
        .arg("--mtime")
        .arg(&time)
        .arg("--file")
        .arg(&to)
        .arg("--directory")
        .arg(&folder)
        .arg(&stem(machine))
        // gzip would write the time.
        .env("GZIP", "-n")
        .run()?;
    Ok(file)
}

/// Lists the crates of the library and the command, and gathers their licences.
pub(super) fn about() -> Result<About> {
    let cyclonedx = tool("cargo-cyclonedx", CYCLONEDX, &["cargo-cyclonedx"], &[])?[0].display().to_string();
    let folder = root().join("target/device");
    fs::create_dir_all(&folder)?;
    let lists = [("bindings", "libbedside", "--no-default-features --features c,tiff,webp"), ("cli", "bedside", "")];
    let mut boms = Vec::new();
    for (package, name, features) in lists {
        let manifest = format!("{package}/Cargo.toml");
        Step::new(&cyclonedx)
            .words("cyclonedx --format json --spec-version 1.5 --quiet --override-filename bom --manifest-path")
            .arg(&manifest)
            .words(features)
            // The time and a random number of each list are left out.
            .env("SOURCE_DATE_EPOCH", &Step::new("git log -1 --format=%ct").output()?)
            .run()?;
        let to = folder.join(format!("{name}.cdx.json"));
        fs::rename(root().join(package).join("bom.json"), &to)?;
        boms.push(to);
    }
    remove_lists()?;
    let notices = folder.join("third-party.txt");
    fs::write(&notices, licenses()?)?;
    Ok(About { boms, notices })
}

/// The crates of the library and the command on all machines, each with its licence and the texts of it that it carries.
fn licenses() -> Result<String> {
    let mut text = "Bedside contains the crates below, each under its licence.\n".to_owned();
    let mut ids = BTreeSet::new();
    for target in MACHINES.iter().flat_map(|machine| [&machine.glibc, &machine.musl]) {
        let step = Step::new(
            "cargo tree --locked --package bedside-cli --package bedside-bindings --features bedside-bindings/c",
        )
        .words("--edges normal --prefix none --format {p} --target")
        .arg(target.rust);
        let printed = step.output()?;
        ids.extend(printed.lines().filter(|line| !line.is_empty() && !line.contains('(')).map(str::to_owned));
    }
    let metadata = Step::new("cargo metadata --locked --format-version 1").output()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    for package in metadata["packages"].as_array().context("a list of packages")? {
        let of = |field: &str| package[field].as_str().unwrap_or_default();
        if !ids.remove(&format!("{} v{}", of("name"), of("version"))) {
            continue;
        }
        write!(text, "\n{}\n{} {}, {}\n", "=".repeat(80), of("name"), of("version"), of("license"))?;
        let folder = Path::new(of("manifest_path")).parent().context("a file in a folder")?;
        let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.retain(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            file.is_file()
                && ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|word| name.starts_with(word))
        });
        files.sort();
        for file in files {
            write!(text, "\n{}\n", String::from_utf8_lossy(&fs::read(file)?).trim())?;
        }
    }
    ensure!(ids.is_empty(), "no licences of {ids:?}");
    Ok(text)
}

/// Removes the lists that the tool writes beside the manifests of all packages.
fn remove_lists() -> Result<()> {
    let files = Step::new("git ls-files --others --exclude-standard -- bom.json */bom.json */*/bom.json").output()?;
    for file in files.lines() {
        fs::remove_file(root().join(file))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file in a folder")?)?;
    fs::copy(from, to).with_context(|| from.display().to_string()).map(drop)
}

fn write(to: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file in a folder")?)?;
    Ok(fs::write(to, text)?)
}
