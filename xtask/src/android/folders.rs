//! Where the Android side is built.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::root;

/// Where things are made.
pub(crate) fn folder() -> PathBuf {
    root().join("target/android")
}

/// A path in that folder, as an argument.
pub(crate) fn out(name: &str) -> String {
    folder().join(name).display().to_string()
}

/// Where `ABI/libbedside.so` lie.
pub(crate) fn natives() -> PathBuf {
    root().join("target/android/jniLibs")
}

/// An empty folder to make things in.
pub(crate) fn clear(name: &str) -> Result<()> {
    let folder = folder().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())
}
