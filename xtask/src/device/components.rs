//! What the library and the command are made of: a list for each (`CycloneDX`), and the texts of the licences. The crates are
//! those that cargo compiles for the machine with the features of the build.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Target;
use crate::root;
use crate::step::Step;
use crate::versions::VERSION;

/// What the names of files with a licence begin with.
const LICENSES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// The texts of the two licences that crates without a text have.
const APACHE: &str = include_str!("../../../LICENSE-APACHE");
const MIT: &str = include_str!("mit.txt");

/// A part of the library or the command that others wrote.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Component {
    name: String,
    version: String,
    /// An SPDX expression.
    license: String,
    /// The package URL.
    purl: String,
    /// The SHA-256 of the crate's archive, in hex, by Cargo.lock.
    sha256: Option<String>,
    /// As its manifest names them; empty where it names nobody.
    authors: String,
    /// The texts of its licence.
    texts: Vec<String>,
}

/// The components of a package that is built with these options for a target, and what the toolchain links into it.
pub(super) fn components(options: &str, target: &Target, zig: &Path) -> Result<Vec<Component>> {
    let tree = Step::new("cargo tree --locked --edges normal,no-proc-macro --prefix none --format {p} --target")
        .arg(target.rust)
        .words(options);
    let printed = tree.output()?;
    let wanted: Vec<(&str, &str)> =
        printed.lines().filter_map(|line| line.split(' ').next().zip(line.split(" v").nth(1))).collect();
    let checksums = checksums()?;
    let metadata: Value = serde_json::from_str(&Step::new("cargo metadata --locked --format-version 1").output()?)?;
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().context("a list of packages")? {
        let of = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
        let (name, version) = (of("name"), of("version"));
        // The project's own crates have no source.
        let is_wanted = wanted.iter().any(|(n, v)| *n == name && v.split(' ').next() == Some(&version));
        if package["source"].is_null() || !is_wanted {
            continue;
        }
        let folder = PathBuf::from(of("manifest_path"));
        let texts = texts(folder.parent().context("a file in a folder")?)?;
        let purl = format!("pkg:cargo/{name}@{version}");
        let sha256 = checksums.get(&(name.clone(), version.clone())).cloned();
        // What older manifests have in place of an SPDX expression.
        let license = of("license").replace('/', " OR ");
        let authors = package["authors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let authors = authors.collect::<Vec<_>>().join(", ");
        found.push(Component { name, version, license, purl, sha256, authors, texts });
    }
    ensure!(!found.is_empty(), "no crates by {tree}");
    found.extend(toolchain(target, zig)?);
    found.sort();
    found.dedup();
    Ok(found)
}

/// The page of the toolchain with the copyright and the licences of each part of Rust's standard library, and its name in the
/// tarball.
pub(super) const RUST_PAGE: (&str, &str) =
    ("share/doc/rust/COPYRIGHT-library.html", "share/doc/bedside/RUST-COPYRIGHT.html");
/// What stands in place of their texts.
const OF_RUST: &str = "Its copyright and its licence are in RUST-COPYRIGHT.html, which lies beside this file.";

/// The crates inside Rust's standard library on Linux.
const IN_STD: [&str; 10] = [
    "addr2line",
    "adler2",
    "cfg-if",
    "compiler_builtins",
    "gimli",
    "hashbrown",
    "libc",
    "memchr",
    "miniz_oxide",
    "rustc-demangle",
];

/// Rust's standard library with what is in it, and what zig adds: LLVM's unwinder and musl.
fn toolchain(target: &Target, zig: &Path) -> Result<Vec<Component>> {
    let sysroot = PathBuf::from(Step::new("rustc --print sysroot").output()?);
    let rust = Step::new("rustc --version").output()?.split(' ').nth(1).unwrap_or_default().to_owned();
    let zig_version = Step::new(&zig.display().to_string()).arg("version").output()?;
    // Its sources say which crates are in it.
    Step::new("rustup component add rust-src").output()?;
    let plain = |name: &str, version: &str, license: &str, purl: String, texts: Vec<String>| Component {
        name: name.into(),
        version: version.into(),
        license: license.into(),
        purl,
        sha256: None,
        authors: String::new(),
        texts,
    };
    let mit_or_apache = "MIT OR Apache-2.0";
    let mut found =
        vec![plain("rust-std", &rust, mit_or_apache, format!("pkg:generic/rust-std@{rust}"), vec![OF_RUST.into()])];
    let lock: toml::Table =
        toml::from_str(&fs::read_to_string(sysroot.join("lib/rustlib/src/rust/library/Cargo.lock"))?)?;
    for package in lock["package"].as_array().context("a list of packages")? {
        let of = |field: &str| package.get(field).and_then(toml::Value::as_str).unwrap_or_default();
        let (name, version) = (of("name"), of("version"));
        if IN_STD.contains(&name) {
            let license = if name == "adler2" { "0BSD OR MIT OR Apache-2.0" } else { mit_or_apache };
            found.push(plain(name, version, license, format!("pkg:cargo/{name}@{version}"), vec![OF_RUST.into()]));
        }
    }
    let library = zig.parent().context("zig lies in a folder")?.join("lib");
    let of_zig = |name: &str, license: &str, folder: &str| {
        let (version, purl) = (format!("as in zig {zig_version}"), format!("pkg:generic/{name}"));
        Ok::<_, anyhow::Error>(plain(name, &version, license, purl, texts(&library.join(folder))?))
    };
    found.push(of_zig("llvm-libunwind", "Apache-2.0 WITH LLVM-exception", "libunwind")?);
    found.push(of_zig("zig-compiler-rt", "MIT", "..")?);
    if target.is_musl() {
        found.push(of_zig("musl", "MIT", "libc/musl")?);
    }
    Ok(found)
}

/// The texts of the files in a folder whose name is that of a licence.
fn texts(folder: &Path) -> Result<Vec<String>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        file.is_file() && LICENSES.iter().any(|word| name.starts_with(word))
    });
    files.sort();
    files.iter().map(|file| Ok(String::from_utf8_lossy(&fs::read(file)?).trim().to_owned())).collect()
}

/// The checksums of Cargo.lock, by name and version.
fn checksums() -> Result<BTreeMap<(String, String), String>> {
    let lock: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.lock"))?)?;
    let packages = lock["package"].as_array().context("Cargo.lock has packages")?;
    let of = |package: &toml::Value, field: &str| package.get(field).and_then(toml::Value::as_str).map(str::to_owned);
    let entry =
        |package: &toml::Value| Some(((of(package, "name")?, of(package, "version")?), of(package, "checksum")?));
    Ok(packages.iter().filter_map(entry).collect())
}

/// The list as JSON, `CycloneDX` 1.5. Its time is the commit's, and it has no serial number, so that a second build gives the same bytes.
pub(super) fn bill(name: &str, components: &[Component]) -> Result<String> {
    let time = Step::new("git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd").env("TZ", "UTC").output()?;
    let component = |component: &Component| {
        let mut entry = json!({
            "type": "library",
            "bom-ref": component.purl,
            "name": component.name,
            "version": component.version,
            "licenses": [{"expression": component.license}],
            "purl": component.purl,
        });
        if !component.authors.is_empty() {
            entry["supplier"] = json!({"name": component.authors});
        }
        if let Some(sha256) = &component.sha256 {
            entry["hashes"] = json!([{"alg": "SHA-256", "content": sha256}]);
        }
        entry
    };
    let components: Vec<Value> = components.iter().map(component).collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": time, "component": {"type": "library", "bom-ref": name, "name": name, "version": VERSION,
            "supplier": {"name": "The Bedside authors"}, "licenses": [{"expression": "MIT OR Apache-2.0"}]}},
        "components": components,
    });
    Ok(serde_json::to_string_pretty(&bill)? + "\n")
}

/// The licences of all components, each component once.
pub(super) fn notices<'a>(components: impl Iterator<Item = &'a Component>) -> String {
    let mut all: Vec<&Component> = components.collect();
    all.sort();
    all.dedup();
    let mut text = "Bedside contains the following, each under its licence.\n".to_owned();
    for Component { name, version, license, authors, texts, .. } in all {
        let _ = writeln!(text, "\n{}\n{name} {version}, {license}", "=".repeat(80));
        if texts.is_empty() {
            let _ = writeln!(text, "\nCopyright by {authors}. Its archive has no text of its licence, which is:");
            let _ = writeln!(text, "\n{}", if license.contains("Apache") { APACHE } else { MIT });
        }
        for licence in texts {
            let _ = writeln!(text, "\n{licence}");
        }
    }
    text
}
