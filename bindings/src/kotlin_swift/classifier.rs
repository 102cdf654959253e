//! The classifier.

use std::sync::Arc;

use crate::guard::guarded;

use super::{
    BedsideError, FrameFormat, Image, LoadTimes, Manifest, ModelIdentity, Options, Query, Reason, Report, SelfTest,
};

/// An opened model. Many threads may use one classifier at once. Opening one takes a fraction of a second and tens of
/// megabytes, so keep it.
#[derive(Debug, uniffi::Object)]
pub struct Classifier(bedside::Classifier);

#[uniffi::export]
impl Classifier {
    /// Opens a model: an ONNX file or a prepared one, with its manifest inside, or in `model.json` beside it. A library
    /// without the ONNX importer opens prepared models only.
    ///
    /// Runs on the caller's thread for a fraction of a second: do not call it on the main thread.
    ///
    /// Fails with `Io`, `TooLarge`, `MalformedModel`, `UnsupportedModel` or `InvalidManifest`.
    #[uniffi::constructor(default(options))]
    pub fn open(path: String, options: Options) -> Result<Arc<Classifier>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Classifier(bedside::Classifier::open(path, options.into())?))))?)
    }

    /// Opens a model from the bytes of an ONNX file or a prepared one with its manifest inside, such as an app's asset.
    ///
    /// Runs on the caller's thread. Fails as `open` does, except with `Io`.
    #[uniffi::constructor(default(options))]
    pub fn from_bytes(bytes: Vec<u8>, options: Options) -> Result<Arc<Classifier>, BedsideError> {
        Ok(guarded(|| Ok(Arc::new(Classifier(bedside::Classifier::from_bytes(bytes, options.into())?))))?)
    }

    /// Classifies one picture.
    ///
    /// Runs on the caller's thread for tens to hundreds of milliseconds: do not call it on the main thread.
    /// `classifyInBackground` does the same without blocking.
    ///
    /// Fails with `InvalidQuery` where the query does not fit the model; with `UnsupportedImage`, `MalformedImage` or
    /// `TooLarge` where the picture can't be decoded; with `Cancelled` where the query's cancel handle was cancelled; and
    /// with `UnsupportedModel` where the graph gives no scores.
    #[uniffi::method(default(query))]
    pub fn classify(&self, image: &Image, query: Query) -> Result<Report, BedsideError> {
        Ok(guarded(|| Ok(self.0.classify(&image.0.image()?, &query.try_into()?)?.into()))?)
    }

    /// Classifies one frame without copying it. Use `classifyFrame` and `classifyYuv420`, which call this.
    ///
    /// A layout with one plane takes `first`; `second` and `third` are empty then. In Kotlin each buffer must be direct
    /// and at position 0. The bytes must not change before this returns. Runs and fails as `classify` does.
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

    /// Runs the graph once on a blank picture, so that the first classification is not slower than later ones.
    ///
    /// Runs on the caller's thread for as long as a classification. Fails with `UnsupportedModel` where the graph
    /// fails.
    pub fn warm_up(&self) -> Result<(), BedsideError> {
        Ok(guarded(|| self.0.warm_up())?)
    }

    /// Checks a query against the model, as `classify` does first. Fails with `InvalidQuery`, whose message names the
    /// field.
    pub fn check(&self, query: Query) -> Result<(), BedsideError> {
        Ok(guarded(|| self.0.check(&query.try_into()?))?)
    }

    /// The reasons for which the query's answers alone reject every picture; empty where the answers are in scope. Call
    /// this before a picture is taken. Fails with `InvalidQuery`, whose message names the field.
    pub fn scope_reasons(&self, query: Query) -> Result<Vec<Reason>, BedsideError> {
        Ok(guarded(|| Ok(self.0.scope_reasons(&query.try_into()?)?.into_iter().map(Reason::from).collect()))?)
    }

    /// Runs the manifest's golden sample, from its encoded picture to its scores; gives nothing where the model has
    /// none. Runs on the caller's thread for as long as a classification. Fails with `SelfTest` where a label's score
    /// differs from the golden one by more than 0.02, with `InvalidManifest` where the sample is not base64, and as
    /// `classify` does where it can't be run. The order of labels is not compared: labels whose golden scores are less
    /// than 0.04 apart may come in another order.
    pub fn self_test(&self) -> Result<Option<SelfTest>, BedsideError> {
        Ok(guarded(|| Ok(self.0.self_test()?.map(SelfTest::from)))?)
    }

    /// The probability of each label for the whole picture, 0 to 1, in the manifest's order, before temperature and
    /// without a verdict. A lab compares these scores with those of its own runtime; do not show them as a result. Runs
    /// and fails as `classify` does, without `InvalidQuery` and `Cancelled`.
    pub fn scores(&self, image: &Image) -> Result<Vec<f32>, BedsideError> {
        Ok(guarded(|| self.0.scores(&image.0.image()?))?)
    }

    /// The model's description of itself in this language, a BCP 47 tag. A text that lacks it is in its base language,
    /// in English, or in the first language that it has.
    #[uniffi::method(default(language = "en"))]
    pub fn manifest(&self, language: String) -> Result<Manifest, BedsideError> {
        Ok(guarded(|| Ok(Manifest::of(self.0.manifest(), &language)))?)
    }

    /// The name, the version and the hash of the model.
    pub fn identity(&self) -> Result<ModelIdentity, BedsideError> {
        Ok(guarded(|| Ok(self.0.identity().into()))?)
    }

    /// How long the parts of opening the model took, in milliseconds.
    pub fn load_times_ms(&self) -> Result<LoadTimes, BedsideError> {
        Ok(guarded(|| Ok(self.0.load_times().into()))?)
    }
}
