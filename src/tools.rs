//! What tools need that make, inspect and measure models, such as the command `bedside`. It is no part of the API: it
//! changes in any version, and has the types of [`bedside_engine`].

use std::io;
use std::path::Path;

use crate::manifest::{ColorMeant, QuestionRole, ScopeQuestion};
use crate::{Answer, Classifier, Error, Heatmap, Image, Manifest, Options, Quality, Result, explain};

pub use crate::classifier::Observation;
pub use crate::model::Binding;
pub use crate::report::{MAX_WIDTH, abbreviated, findings_table};
pub use bedside_engine as engine;

/// The manifest of a model file: the one in its metadata, else `model.json` in the folder of `path`, the path of the
/// file. Without a path, the manifest must be in the metadata.
///
/// # Errors
/// As [`Classifier::open`](crate::Classifier::open) has for the manifest.
pub fn manifest_of(file: &engine::ModelFile, path: Option<&Path>) -> Result<Manifest> {
    Manifest::of(file, path)
}

/// Opens a model file as [`Classifier::open`] does. [`observe`] then returns the means of the channels of these tensors of
/// the graph, too: at most sixteen, without those that the manifest names.
///
/// # Errors
/// As [`Classifier::open`]; [`ErrorKind::UnsupportedModel`](crate::ErrorKind::UnsupportedModel) where the graph has no such
/// tensor, or it can't be tapped.
pub fn open_observing(path: &Path, tensors: &[String], options: Options) -> Result<Classifier> {
    Classifier::open_observing(path, tensors, options)
}

/// What one run tells of a whole picture: the graph's values, the measures of quality, novelty and features, whatever the
/// manifest's limits say of them. Colour is measured for those that are `meant`. No question is asked.
///
/// # Errors
/// As [`Classifier::scores`].
pub fn observe(classifier: &Classifier, image: &Image<'_>, meant: Option<ColorMeant>) -> Result<Observation> {
    classifier.observe(image, meant)
}

/// The width, the height and the upright pixels of a whole picture, as they are given to the preprocessing of this model:
/// rows from the top, three bytes a pixel. A large JPEG is decoded at a reduced scale.
///
/// # Errors
/// Those of [`Classifier::classify`] for a picture that can't be decoded.
pub fn pixels(classifier: &Classifier, image: &Image<'_>) -> Result<(u32, u32, Vec<u8>)> {
    classifier.pixels(image)
}

/// The measures of a whole picture's quality, whatever the manifest's limits say of them. Colour is measured for
/// those that are `meant`. The graph does not run.
///
/// # Errors
/// As [`pixels`].
pub fn quality(classifier: &Classifier, image: &Image<'_>, meant: Option<ColorMeant>) -> Result<Quality> {
    classifier.quality(image, meant)
}

/// An answer that is in scope and states no danger sign: the question's `min`, else its `max`, else `Yes`, or `No` where it
/// asks for a danger sign. It is for runs that time or test a model, not for a picture of a person.
#[must_use]
pub fn in_scope_answer(question: &ScopeQuestion) -> Answer {
    match question.min.or(question.max) {
        Some(bound) => Answer::Number(bound),
        None if question.role == QuestionRole::Danger => Answer::No,
        None => Answer::Yes,
    }
}

/// The picture as a JPEG of at most 128 pixels a side, upright, without metadata.
///
/// # Errors
/// As [`Heatmap::overlay`] has where the picture can't be decoded.
pub fn thumbnail(image: &Image<'_>) -> Result<Vec<u8>> {
    explain::thumbnail(image)
}

/// The heatmap over its picture as a JPEG of the size of its [`thumbnail`]: [`Heatmap::overlay`] without the legend.
///
/// # Errors
/// As [`Heatmap::overlay`].
pub fn heatmap_thumbnail(heatmap: &Heatmap, image: &Image<'_>) -> Result<Vec<u8>> {
    explain::heatmap_thumbnail(heatmap, image)
}

/// The error of a file that could not be read or written.
#[must_use]
pub fn io_error(file: &Path, source: io::Error) -> Error {
    Error::io(file, source)
}

/// An error of the engine as one of this crate.
#[must_use]
pub fn engine_error(error: engine::Error) -> Error {
    Error::engine(error)
}

/// The error with the name of the file that it is about, where it names none and is not about the query.
#[must_use]
pub fn in_file(error: Error, file: &Path) -> Error {
    error.in_file(file)
}
