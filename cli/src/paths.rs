//! Checks of where outputs go, before work begins whose results would be lost or would replace what they are made of.

use std::fs;
use std::path::{Path, PathBuf};

use crate::output::Failure;

/// Fails where an output would replace one of these files, whatever names and links they are given by.
///
/// # Errors
/// [`Failure::Usage`], which names the file.
pub(crate) fn refuse_overwriting(output: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let output = place(output);
    match inputs.iter().find(|input| place(input) == output) {
        Some(input) => Err(Failure::Usage(format!(
            "{}: the output would replace this file; give the output another name",
            input.display()
        ))),
        None => Ok(()),
    }
}

/// Fails where an output would replace any file in a folder of pictures, but for the model that is written anew.
///
/// # Errors
/// [`Failure::Usage`], which names the file.
pub(crate) fn refuse_replacing_in(folder: &Path, output: &Path, model: Option<&Path>) -> Result<(), Failure> {
    let place_of_output = place(output);
    let is_model = model.is_some_and(|model| place(model) == place_of_output);
    if is_model || !place_of_output.is_file() || !place_of_output.starts_with(place(folder)) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{}: the output would replace this file in the folder of pictures; give the output another name",
        output.display()
    )))
}

/// The files of models: each model, and the manifest that may lie beside it.
pub(crate) fn of_models<'a>(models: impl IntoIterator<Item = &'a PathBuf>) -> Vec<PathBuf> {
    models.into_iter().flat_map(|model| [model.clone(), model.with_file_name("model.json")]).collect()
}

/// Where a file is or would be, without links.
fn place(path: &Path) -> PathBuf {
    let in_folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    };
    fs::canonicalize(path).ok().or_else(in_folder).unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_refused(output: &Path, inputs: &[&Path], is_refused: bool) {
        assert_eq!(matches!(refuse_overwriting(output, inputs), Err(Failure::Usage(_))), is_refused);
    }

    #[test]
    fn files_among_pictures_stay_but_for_the_model() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("photos/sub")).expect("room");
        for file in ["photos/sub/notes.txt", "photos/model.onnx", "beside"] {
            fs::write(path(file), "").expect("room");
        }
        let is_refused = |output: &str| {
            let model = path("photos/model.onnx");
            matches!(refuse_replacing_in(&path("photos"), &path(output), Some(&model)), Err(Failure::Usage(_)))
        };
        assert!(is_refused("photos/sub/notes.txt") && is_refused("photos/../photos/sub/notes.txt"));
        assert!(
            !is_refused("photos/model.onnx")
                && !is_refused("photos/new")
                && !is_refused("photos/sub")
                && !is_refused("beside")
        );
        assert!(refuse_replacing_in(&path("photos"), &path("photos/model.onnx"), None).is_err());
    }

    #[test]
    fn output_that_is_an_input_by_another_name_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).expect("room");
        fs::write(path("model"), "").expect("room");
        is_refused(&path("sub/../model"), &[&path("other"), &path("model")], true);
        // Neither is there yet.
        is_refused(&path("sub/../new"), &[&path("new")], true);
        is_refused(&path("sub/model"), &[&path("model")], false);
        is_refused(&path("none/model"), &[&path("model")], false);
        is_refused(&path("model"), &[], false);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(path("model"), path("link")).expect("room");
            is_refused(&path("link"), &[&path("model")], true);
            is_refused(&path("model"), &[&path("link")], true);
        }
    }
}
