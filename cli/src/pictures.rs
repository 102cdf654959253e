//! Which files the arguments of `classify` mean.

use std::fs;
use std::path::{Path, PathBuf};

/// The endings of files in a folder that are taken for pictures, those among them that are not read, so that
/// they are named and not lost.
const ENDINGS: &[&str] = &["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "heic", "heif", "avif", "gif"];

/// What an argument led to: a file, or why there is none.
pub(crate) type Found = Result<PathBuf, Missing>;

/// A folder that gave nothing, or what is no file in one.
pub(crate) struct Missing {
    pub(crate) path: PathBuf,
    pub(crate) problem: String,
}

/// A file as it was given; of a folder, the pictures in it and in the folders inside, sorted by name. A folder that can't
/// be listed, or that has no picture, stands among them with its problem.
pub(crate) fn find(given: &Path) -> Vec<Found> {
    if !given.is_dir() {
        return vec![Ok(given.to_owned())];
    }
    let (mut pictures, mut found) = (Vec::new(), Vec::new());
    collect(given, &mut pictures, &mut found);
    if pictures.is_empty() && found.is_empty() {
        let problem = format!("no picture in this folder (looked for {})", ENDINGS.join(", "));
        found.push(Err(Missing { path: given.to_owned(), problem }));
    }
    pictures.sort();
    found.extend(pictures.into_iter().map(Ok));
    found
}

/// Links to folders are not followed: they may lead in a circle. Pipes are not waited for, which nobody named.
fn collect(folder: &Path, pictures: &mut Vec<PathBuf>, missing: &mut Vec<Found>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            missing.push(Err(Missing { path: folder.to_owned(), problem: error.to_string() }));
            return;
        }
    };
    for path in entries.iter().map(fs::DirEntry::path) {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, pictures, missing);
        } else if has_picture_ending(&path) && !is_hidden(&path) {
            if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
                missing
                    .push(Err(Missing { path, problem: "this is a device, a pipe or a socket; give a file".into() }));
            } else {
                pictures.push(path);
            }
        }
    }
}

/// macOS leaves `._NAME.jpg` beside files on memory cards.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn has_picture_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
