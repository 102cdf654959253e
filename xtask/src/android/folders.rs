//! The folders of the Android build.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::root;

/// The output folder.
pub(crate) fn folder() -> PathBuf {
    root().join("target/android")
}

/// The path of `name` in the output folder, as an argument.
pub(crate) fn out(name: &str) -> String {
    folder().join(name).display().to_string()
}

/// The folder of the AAR's native libraries, `ABI/libbedside.so`.
pub(crate) fn natives() -> PathBuf {
    root().join("target/android/jniLibs")
}

/// The folder of the app's native libraries, which have no importer: `ABI/libbedside.so`.
pub(crate) fn app_natives() -> PathBuf {
    root().join("target/android/app-jniLibs")
}

/// Makes `name` an empty folder in the output folder.
pub(crate) fn clear(name: &str) -> Result<()> {
    let folder = folder().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())
}
