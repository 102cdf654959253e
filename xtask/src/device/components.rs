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
    /// The texts of its licence.
    texts: Vec<String>,
}

/// The components of a package that is built with these options for a target, and what the toolchain links into it.
pub(super) fn components(options: &str, target: &Target, zig: &Path) -> Result<Vec<Component>> {
    let tree = Step::new("cargo tree --locked --edges normal --prefix none --format {p} --target")
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
        found.push(Component { name, version, license: of("license"), purl, sha256, texts });
    }
    ensure!(!found.is_empty(), "no crates by {tree}");
    found.extend(toolchain(target, zig)?);
    found.sort();
    found.dedup();
    Ok(found)
}

/// Rust's standard library, and what zig links: LLVM's unwinder and runtime, and musl.
fn toolchain(target: &Target, zig: &Path) -> Result<Vec<Component>> {
    let [rust, zig_version] =
        [Step::new("rustc --version").output()?, Step::new(&zig.display().to_string()).arg("version").output()?];
    let rust = rust.split(' ').nth(1).unwrap_or_default().to_owned();
    let library = zig.parent().context("zig lies in a folder")?.join("lib");
    let part = |name: &str, license: &str, texts| Component {
        name: name.into(),
        version: format!("of zig {zig_version}"),
        license: license.into(),
        purl: format!("pkg:generic/{name}?download=zig-{zig_version}"),
        sha256: None,
        texts,
    };
    let of_rust = ["LICENSE-MIT", "LICENSE-APACHE"].map(|name| fs::read_to_string(root().join(name)));
    let [mit, apache] = of_rust;
    // Rust's licences are those of this project, word for word but for the names in them.
    let texts_of_rust =
        vec![format!("The Rust Project Developers (see https://thanks.rust-lang.org), {}", mit?), apache?];
    let mut found = vec![
        Component {
            name: "rust-std".into(),
            version: rust.clone(),
            license: "MIT OR Apache-2.0".into(),
            purl: format!("pkg:generic/rust-std@{rust}"),
            sha256: None,
            texts: texts_of_rust,
        },
        part("llvm-libunwind", "Apache-2.0 WITH LLVM-exception", texts(&library.join("libunwind"))?),
    ];
    if target.zig.contains("musl") {
        found.push(part("musl", "MIT", texts(&library.join("libc/musl"))?));
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

/// The list as JSON, `CycloneDX` 1.5. It has no time and no serial number, so that a second build gives the same bytes.
pub(super) fn bill(name: &str, components: &[Component]) -> Result<String> {
    let component = |component: &Component| {
        let mut entry = json!({
            "type": "library",
            "bom-ref": component.purl,
            "name": component.name,
            "version": component.version,
            "licenses": [{"expression": component.license}],
            "purl": component.purl,
        });
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
        "metadata": {"component": {"type": "library", "bom-ref": name, "name": name, "version": VERSION,
            "licenses": [{"expression": "MIT OR Apache-2.0"}]}},
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
    for Component { name, version, license, texts, .. } in all {
        let _ = writeln!(text, "\n{}\n{name} {version}, {license}", "=".repeat(80));
        if texts.is_empty() {
            let _ =
                writeln!(text, "\nIts archive has no text of its licence, which is that of https://spdx.org/licenses.");
        }
        for licence in texts {
            let _ = writeln!(text, "\n{licence}");
        }
    }
    text
}
