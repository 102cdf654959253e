//! Compares the versions that other files repeat with those of the workspace's `Cargo.toml`, which is their one place.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::root;

/// The version of all crates.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The Minimum Supported Rust Version.
pub(crate) const MSRV: &str = env!("CARGO_PKG_RUST_VERSION");

/// Files that repeat [`VERSION`], each with what stands before it.
const WITH_VERSION: [(&str, &str); 10] = [
    ("bindings/pom.xml", "<version>"),
    ("bindings/native/pom.xml", "<version>"),
    ("bindings/java/pom.xml", "<version>"),
    ("bindings/kotlin/pom.xml", "<version>"),
    ("bindings/consumer/pom.xml", "<version>"),
    ("docs/java.md", "dev.bedside:bedside-jni:"),
    ("docs/kotlin.md", "dev.bedside:bedside-kotlin:"),
    ("docs/quickstart/Quickstart.java", "dev.bedside:bedside-jni:"),
    ("docs/quickstart/Quickstart.kt", "dev.bedside:bedside-kotlin:"),
    ("Cargo.toml", "bedside = { version = \""),
];

/// Files that repeat [`MSRV`], each with what stands before it.
const WITH_MSRV: [(&str, &str); 3] = [("README.md", "Rust "), ("CONTRIBUTING.md", "Rust "), ("docs/start.md", "Rust ")];

/// Fails where a file has another version.
pub(crate) fn check() -> Result<()> {
    for (files, version) in [(&WITH_VERSION[..], VERSION), (&WITH_MSRV[..], MSRV)] {
        for (file, before) in files {
            let text = fs::read_to_string(root().join(file)).with_context(|| file.to_string())?;
            let wanted = format!("{before}{version}");
            ensure!(text.contains(&wanted), "{file} does not have `{wanted}`, the version of Cargo.toml");
        }
    }
    Ok(())
}
