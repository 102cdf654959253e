//! Builds the Android library and app without Google's SDK, from the same sources as Gradle.

mod abis;
mod check;
mod compile;
mod emulated;
mod folders;
mod natives;
mod package;
mod screens;
mod tools;

use anyhow::Result;

use crate::bindings;
use crate::prepared;
use crate::versions::VERSION;
use tools::Tools;

/// Builds the AAR and the APKs in `target/android`, checks and lints them.
pub(crate) fn build() -> Result<()> {
    let tools = classes()?;
    package::jars()?;
    check::min_sdk(&tools)?;
    check::lint(&tools)?;
    package::dex(&tools)?;
    natives::build()?;
    package::aar()?;
    package::apks(&tools)?;
    check::apks(&tools)
}

/// Builds the native libraries and the prepared models alone, for Gradle's build.
pub(crate) fn natives() -> Result<()> {
    natives::build()?;
    prepared::models().map(drop)
}

/// Builds the native library for 64-bit phones without the ONNX importer, and checks its size.
pub(crate) fn small() -> Result<()> {
    natives::small()
}

/// Runs the app's tests on a JVM, with this machine's library.
pub(crate) fn test() -> Result<()> {
    bindings::shipped()?;
    screens::test(&classes()?)
}

/// Runs the tests, and runs them again on the classes as R8 shrinks them; the screens must look the same.
pub(crate) fn test_shrunk() -> Result<()> {
    test()?;
    let tools = Tools::fetch()?;
    package::jars()?;
    screens::test_shrunk(&tools)
}

/// Compares the libraries for phones with ARM, in emulation, with this machine's.
pub(crate) fn emulated() -> Result<()> {
    bindings::shipped()?;
    natives::build()?;
    emulated::run()
}

/// Draws the pictures of all screens into `docs/screenshots/android`.
pub(crate) fn draw() -> Result<()> {
    bindings::shipped()?;
    screens::draw(&classes()?)
}

/// Fetches the tools, and compiles the library and the app.
fn classes() -> Result<Tools> {
    let tools = Tools::fetch()?;
    compile::library(&tools)?;
    compile::app(&tools, VERSION)?;
    Ok(tools)
}
