//! The classifier.

use std::sync::Arc;

use crate::guard::guarded;

use super::{
    BedsideError, FrameFormat, Image, LoadTimes, Manifest, ModelIdentity, Options, Query, Reason, Report, SelfTest,
};

/// An opened model. One classifier serves many threads; opening one takes a fraction of a second and tens of megabytes,
/// so keep it.
#[derive(Debug, uniffi::Object)]
pub struct Classifier(bedside::Classifier);

#[uniffi::export]
impl Classifier {
    /// Opens a model: an ONNX file, or a prepared one, with its manifest inside or in `model.json` beside it. A library
    /// without the importer opens prepared ones only.
    ///
    /// Runs on the caller's thread, for a fraction of a second: not on one that draws a screen.
    ///
    /// Fails with `Io`, `TooLarge`, `MalformedModel`, `UnsupportedModel` or `InvalidManifest`.
    #[uniffi::constructor(default(options))]
    pub fn open(path: String, options: Options) -> Result<Arc<Classifier>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Classifier(bedside::Classifier::open(path, options.into())?))))?)
    }

    /// Opens a model from the bytes of an ONNX or a prepared file with its manifest inside: an app's asset is no file.
    ///
    /// Runs on the caller's thread and fails as `open` does, but for `Io`.
    #[uniffi::constructor(default(options))]
    pub fn from_bytes(bytes: Vec<u8>, options: Options) -> Result<Arc<Classifier>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Classifier(bedside::Classifier::from_bytes(&bytes, options.into())?))))?)
    }

    /// Looks at one picture.
    ///
    /// Runs on the caller's thread, for tens to hundreds of milliseconds: not on one that draws a screen.
    /// `classifyInBackground` does the same without blocking.
    ///
    /// Fails with `InvalidQuery` where the query does not fit the model, with `UnsupportedImage`, `MalformedImage` or
    /// `TooLarge` where the picture can't be looked at, with `Cancelled`, and with `UnsupportedModel` where the graph
    /// gives no scores.
    #[uniffi::method(default(query))]
    pub fn classify(&self, image: &Image, query: Query) -> Result<Report, BedsideError> {
        Ok(guarded(|| Ok(self.0.classify(&image.0.image()?, &query.try_into()?)?.into()))?)
    }

    /// Looks at one frame without copying it. What `classifyFrame` and `classifyYuv420` call: use those.
    ///
    /// In Kotlin each buffer is direct and at position 0. The bytes must not change before this returns. Runs and fails
    /// as `classify` does.
    #[uniffi::method(default(query))]
    pub fn classify_planes(
        &self,
        first: &[u8],
        second: &[u8],
        third: &[u8],
        format: FrameFormat,
        query: Query,
    ) -> Result<Report, BedsideError> {
        let frame = crate::frame::Frame::from(format);
        Ok(guarded(|| Ok(self.0.classify(&frame.image([first, second, third])?, &query.try_into()?)?.into()))?)
    }

    /// Runs the graph once on a blank picture, so that the first real one is not slower than the rest.
    ///
    /// Takes as long as a classification, on the caller's thread. Fails with `UnsupportedModel` where the graph fails.
    pub fn warm_up(&self) -> Result<(), BedsideError> {
        Ok(guarded(|| self.0.warm_up())?)
    }

    /// Checks a query against the model, as `classify` does first. Fails with `InvalidQuery`, which names the field.
    pub fn check(&self, query: Query) -> Result<(), BedsideError> {
        Ok(guarded(|| self.0.check(&query.try_into()?))?)
    }

    /// The reasons for which the query's answers alone reject every picture; none where they are in scope. Ask before
    /// somebody takes a picture in vain. Fails with `InvalidQuery`, which names the field.
    pub fn scope_reasons(&self, query: Query) -> Result<Vec<Reason>, BedsideError> {
        Ok(guarded(|| Ok(self.0.scope_reasons(&query.try_into()?)?.into_iter().map(Reason::from).collect()))?)
    }

    /// Runs the manifest's golden sample, from its encoded picture to its scores; nothing where the model has none.
    /// Takes as long as a classification, on the caller's thread. Fails with `SelfTest` where a label's score is not
    /// within 0.02 of the golden one; no order is compared, and labels less than 0.04 apart may come out in another one.
    pub fn self_test(&self) -> Result<Option<SelfTest>, BedsideError> {
        Ok(guarded(|| Ok(self.0.self_test()?.map(SelfTest::from)))?)
    }

    /// The probability of each label for the whole picture, in the manifest's order, before temperature and without any
    /// verdict: what a lab compares with its own runtime. Not for a result. Runs and fails as `classify` does.
    pub fn scores(&self, image: &Image) -> Result<Vec<f32>, BedsideError> {
        Ok(guarded(|| self.0.scores(&image.0.image()?))?)
    }

    /// What the model says about itself, in this language, or the next best.
    #[uniffi::method(default(language = "en"))]
    pub fn manifest(&self, language: String) -> Result<Manifest, BedsideError> {
        Ok(guarded(|| Ok(Manifest::of(self.0.manifest(), &language)))?)
    }

    /// Which model this is.
    pub fn identity(&self) -> Result<ModelIdentity, BedsideError> {
        Ok(guarded(|| Ok(self.0.identity().into()))?)
    }

    /// How long the parts of opening it took, in milliseconds.
    pub fn load_times_ms(&self) -> Result<LoadTimes, BedsideError> {
        Ok(guarded(|| Ok(self.0.load_times().into()))?)
    }
}
