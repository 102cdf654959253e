//! The Android library and app without Google's SDK: the same sources that Gradle builds.

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
use tools::Tools;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The AAR and the APKs, looked at and linted, in `target/android`.
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

/// The native libraries alone, for Gradle's build.
pub(crate) fn natives() -> Result<()> {
    natives::build()
}

/// The native library for 64-bit phones without the ONNX importer, which must stay small.
pub(crate) fn small() -> Result<()> {
    natives::small()
}

/// The app's tests on a plain JVM, with the library of this machine.
pub(crate) fn test() -> Result<()> {
    bindings::shipped()?;
    screens::test(&classes()?)
}

/// The same tests on what R8 leaves of the classes; the screens must look the same.
pub(crate) fn test_shrunk() -> Result<()> {
    test()?;
    let tools = Tools::fetch()?;
    package::jars()?;
    screens::test_shrunk(&tools)
}

/// Runs the phone's library beside this machine's.
pub(crate) fn emulated() -> Result<()> {
    bindings::shipped()?;
    natives::build()?;
    emulated::run()
}

/// Writes the pictures of all screens anew: `docs/screenshots/android`.
pub(crate) fn draw() -> Result<()> {
    bindings::shipped()?;
    screens::draw(&classes()?)
}

fn classes() -> Result<Tools> {
    let tools = Tools::fetch()?;
    compile::library(&tools)?;
    compile::app(&tools, VERSION)?;
    Ok(tools)
}
