//! Finds the pictures that the arguments of `classify` name.

use std::fs;
use std::path::{Path, PathBuf};

/// The extensions of the files in a folder that are taken for pictures. Formats that are not decoded are among them, so
/// that such files are reported instead of ignored.
const ENDINGS: &[&str] =
    &["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "heic", "heif", "avif", "gif", "dcm", "dicom"];

/// The path of a picture, or why there is none.
pub(crate) type Found = Result<PathBuf, Missing>;

/// A folder without pictures or that can't be listed, or an entry that is no file, and the problem with it.
pub(crate) struct Missing {
    pub(crate) path: PathBuf,
    pub(crate) problem: String,
}

/// The pictures that an argument names: the file itself, or all pictures in a folder and its subfolders, sorted by
/// path. Each problem comes before the pictures, as [`Missing`].
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

/// Adds the pictures and the problems of a folder and its subfolders. Links to folders are not followed, because they
/// may form a cycle. Pipes and devices are not read, because they were not named.
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

/// Whether a file is hidden. macOS leaves files `._NAME.jpg` beside pictures on memory cards.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn has_picture_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
