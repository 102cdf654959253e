//! Which files the arguments of `classify` mean.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The endings of files in a folder that are taken for pictures, HEIC among them so that it is named and not lost.
const ENDINGS: &[&str] = &["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "heic", "heif"];

/// A file as it was given; of a folder, the pictures in it and in the folders inside, sorted by name.
///
/// # Errors
/// A folder that can't be listed, or that has no picture.
pub(crate) fn find(given: &Path) -> Result<Vec<PathBuf>, String> {
    if !given.is_dir() {
        return Ok(vec![given.to_owned()]);
    }
    let mut found = Vec::new();
    collect(given, &mut found).map_err(|error| format!("{}: {error}", given.display()))?;
    if found.is_empty() {
        return Err(format!("{}: no picture in this folder (looked for {})", given.display(), ENDINGS.join(", ")));
    }
    found.sort();
    Ok(found)
}

/// Links to folders are not followed: they may lead in a circle.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, found)?;
        } else if has_picture_ending(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn has_picture_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
