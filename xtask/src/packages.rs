//! What users of the crates build on: every combination of features, and the public API.

use std::fs;

use anyhow::{Context, Result};

use crate::root;
use crate::step::{Step, tool};

/// The version of cargo-hack.
const HACK: &str = "0.6.46";
/// The version of cargo-semver-checks.
const SEMVER_CHECKS: &str = "0.51.0";
/// The file with the revision that the API is compared with: the tag of the last release.
const BASELINE: &str = "xtask/api-baseline";

/// Compiles each combination of features of the engine and of the bindings. The features of `bedside` are among those of
/// the bindings, which pass them on: cargo-hack does not find a crate at the root that is no default member. The bindings
/// have a border at least, without which nothing in them would be used.
pub(crate) fn features() -> Result<()> {
    let hack = tool("cargo-hack", HACK, &["cargo-hack"], &[])?[0].display().to_string();
    for package in ["bedside-engine", "bedside-bindings --at-least-one-of uniffi,jni,c"] {
        Step::new(&hack)
            .words("hack check --locked --feature-powerset --exclude-features test-panic,test-later --package")
            .words(package)
            .env("RUSTFLAGS", "-D warnings")
            .run()?;
    }
    Ok(())
}

/// Fails where a change of the public API since [`BASELINE`] asks for another version than the workspace's.
pub(crate) fn api() -> Result<()> {
    let checks = tool("cargo-semver-checks", SEMVER_CHECKS, &["cargo-semver-checks"], &[])?[0].display().to_string();
    let baseline = fs::read_to_string(root().join(BASELINE)).context(BASELINE)?;
    Step::new(&checks)
        .words("semver-checks --package bedside-engine --package bedside --baseline-rev")
        .arg(baseline.trim())
        .run()
        .map(drop)
}
