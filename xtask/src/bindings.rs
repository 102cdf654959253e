//! The generated Kotlin and Swift sides of `libbedside`, held against what is committed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::root;
use crate::step::{Step, tool};

/// UniFFI's version, the same as in `bindings/Cargo.toml`.
const UNIFFI: &str = "0.32.2";

/// The native library's file name.
pub(crate) const LIBRARY: &str = if cfg!(target_os = "macos") { "libbedside.dylib" } else { "libbedside.so" };

/// What UniFFI writes, by its name in a folder of its own, and where it is committed.
const GENERATED: [(&str, &str); 3] = [
    ("dev/bedside/bedside.kt", "bindings/kotlin/src/generated/kotlin/dev/bedside/bedside.kt"),
    ("Bedside.swift", "ios/Sources/Bedside/Generated/Bedside.swift"),
    ("BedsideFFI.h", "ios/Sources/BedsideFFI/BedsideFFI.h"),
];

/// Writes the generated sources anew.
pub(crate) fn run() -> Result<()> {
    Step::new("cargo build --locked --workspace --all-targets").run()?;
    let folder = generate(&root().join("target/debug").join(LIBRARY))?;
    for (name, place) in GENERATED {
        let place = root().join(place);
        fs::create_dir_all(place.parent().expect("a file in a folder"))?;
        fs::copy(folder.join(name), &place).with_context(|| format!("{}: not written", place.display()))?;
    }
    Ok(())
}

/// Fails where the committed sources are not those of the library at `library`.
#[allow(dead_code)]
pub(crate) fn check(library: &Path) -> Result<()> {
    let folder = generate(library)?;
    for (name, place) in GENERATED {
        let (now, committed) = (fs::read(folder.join(name))?, fs::read(root().join(place)).unwrap_or_default());
        if now != committed {
            bail!("{place} is not what UniFFI writes now; run `cargo xtask bindings` and commit it");
        }
    }
    Ok(())
}

/// Runs UniFFI's generators and gives the folder with their files.
fn generate(library: &Path) -> Result<PathBuf> {
    let bindgen = tool("uniffi", UNIFFI, &["uniffi-bindgen", "uniffi-bindgen-swift"], &["--features", "cli"])?;
    let (library, folder) = (library.display().to_string(), root().join("target/generated"));
    let to = folder.display().to_string();
    let kotlin = bindgen[0].display().to_string();
    Step::new(&kotlin)
        .arg("generate")
        .arg(&library)
        .arg("--language=kotlin")
        .arg("--no-format")
        .arg("--out-dir")
        .arg(&to)
        .run()?;
    let swift = bindgen[1].display().to_string();
    for part in ["--swift-sources", "--headers"] {
        Step::new(&swift).arg(part).arg("--module-name=BedsideFFI").arg(&library).arg(&to).run()?;
    }
    Ok(folder)
}
