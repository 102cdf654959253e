//! The one place that knows the whole way of a picture.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::image::{Picture, decode};
use crate::manifest::{Golden, GoldenBy, Label, Manifest};
use crate::model::{LoadTimes, Model};
use crate::report::{Finding, ModelIdentity, NOTICE, Report, RuntimeIdentity, Timings};
use crate::scores::reweighted;
use crate::verdict::{Reason, Verdict, is_over, judge, reasons};
use crate::{Error, Image, Limits, Options, Query, Region, Result, Triage};

/// How far a golden score may be from the one measured: int8 steps and decoders differ by less.
pub(crate) const GOLDEN_TOLERANCE: f32 = 0.02;

/// An opened model. `classify` takes `&self`: one classifier serves many threads.
#[derive(Debug)]
pub struct Classifier {
    model: Model,
    limits: Limits,
}

/// What [`Classifier::self_test`] found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SelfTest {
    /// Who measured the golden scores.
    pub by: GoldenBy,
    /// The largest difference between a score and its golden one, 0…1.
    pub max_difference: f32,
}

impl Classifier {
    /// Opens a model: an ONNX file, or one that `bedside pack --prepare` made, with its manifest inside or in `model.json`
    /// beside it. What kind of file it is, its first bytes say, whatever its name.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::TooLarge`], [`Error::MalformedModel`], [`Error::UnsupportedModel`],
    /// [`Error::InvalidManifest`].
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Classifier> {
        let model = Model::open(path.as_ref(), &options)?;
        Ok(Classifier { model, limits: options.limits })
    }

    /// Opens a model from the bytes of an ONNX or prepared file with its manifest inside.
    ///
    /// # Errors
    /// As [`open`](Classifier::open), without [`Error::Io`].
    pub fn from_bytes(bytes: &[u8], options: Options) -> Result<Classifier> {
        let model = Model::from_bytes(bytes, &options)?;
        Ok(Classifier { model, limits: options.limits })
    }

    /// Looks at one picture.
    ///
    /// The query's cancel handle is heeded between the stages (decode, preprocess, engine, verdict), and between the layers of a
    /// network that runs in integers. The end of each stage is logged at level `trace` with the target `bedside::stages`,
    /// with its time and nothing of the picture.
    ///
    /// Runs on the caller's thread, for tens to hundreds of milliseconds: not on one that draws a screen.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] where the query does not fit the model; [`Error::UnsupportedImage`],
    /// [`Error::MalformedImage`], [`Error::TooLarge`]; [`Error::Cancelled`]; [`Error::UnsupportedModel`] where the
    /// graph gives no scores.
    pub fn classify(&self, image: &Image<'_>, query: &Query) -> Result<Report> {
        let start = Instant::now();
        query.check(&self.model.manifest)?;
        query.check_cancelled()?;
        let mut stages = Stages::new();

        let picture = self.decode(image, query.region)?;
        let decoded = stages.ended("decode");
        query.check_cancelled()?;

        let input = self.model.preprocess(&picture);
        drop(picture);
        let preprocessed = stages.ended("preprocess");
        query.check_cancelled()?;

        let mut timings = Timings { decode: decoded, preprocess: preprocessed, ..Timings::default() };
        let reasons = reasons(&self.model.manifest.scope, query);
        let (verdict, triage, findings) = if reasons.is_empty() {
            let values = match &query.cancel {
                Some(cancel) => self.model.run_unless(cancel, &input)?,
                None => self.model.run(&input)?,
            };
            timings.engine = stages.ended("engine");
            query.check_cancelled()?;
            self.judge(&values, query)?
        } else {
            (Verdict::Rejected(reasons), Triage::Unassessed, Vec::new())
        };
        timings.verdict = stages.ended("verdict");
        timings.total = start.elapsed();
        Ok(Report {
            verdict,
            triage,
            findings,
            timings,
            model: self.model.identity.clone(),
            runtime: RuntimeIdentity::THIS,
            notice: NOTICE,
        })
    }

    /// Runs the graph once on a blank picture, so that the first real one is not slower than the rest.
    ///
    /// # Errors
    /// [`Error::UnsupportedModel`] or [`Error::Internal`] where the graph fails.
    pub fn warm_up(&self) -> Result<()> {
        self.model.run(&self.model.blank()).map(drop)
    }

    /// Checks a query against the model, as [`classify`](Classifier::classify) does first.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] names the field.
    pub fn check(&self, query: &Query) -> Result<()> {
        query.check(&self.model.manifest)
    }

    /// The reasons for which the query's answers alone reject every picture; none where they are in scope. Ask before
    /// somebody takes a picture in vain.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] names the field.
    pub fn scope_reasons(&self, query: &Query) -> Result<Vec<Reason>> {
        self.check(query)?;
        Ok(reasons(&self.model.manifest.scope, query))
    }

    /// Runs the manifest's golden sample, from its encoded picture to its scores. `None` where the model has none.
    ///
    /// Each score is held against the golden one of its label, and no order is: labels whose golden scores lie less than 0.04
    /// apart, twice the tolerance, may come out in another one. Operating points and triage follow from the scores.
    ///
    /// # Errors
    /// [`Error::SelfTest`] where a score is not within 0.02 of the golden one: the model must not be used on this device.
    /// As [`classify`](Classifier::classify) where the sample can't be run.
    pub fn self_test(&self) -> Result<Option<SelfTest>> {
        let Some(golden) = &self.model.manifest.golden else { return Ok(None) };
        let scores = self.scores(&golden_image(golden)?)?;
        let Some(max_difference) = difference(&scores, &golden.scores) else {
            return Err(Error::SelfTest(format!(
                "the golden sample gives {scores:?}, but its maker measured {:?}: do not use this model on this device, \
                 and report it",
                golden.scores
            )));
        };
        Ok(Some(SelfTest { by: golden.by, max_difference }))
    }

    /// The probability of each label for the whole picture, in the manifest's order, before temperature and without
    /// any verdict: what a lab compares with its own runtime. Not for a result.
    ///
    /// # Errors
    /// As [`classify`](Classifier::classify).
    pub fn scores(&self, image: &Image<'_>) -> Result<Vec<f32>> {
        let picture = self.decode(image, None)?;
        let values = self.model.run(&self.model.preprocess(&picture))?;
        self.model.scoring.probabilities(&values)
    }

    /// What the model says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.model.manifest
    }

    /// Which model this is.
    #[must_use]
    pub fn identity(&self) -> &ModelIdentity {
        &self.model.identity
    }

    /// How long opening took.
    #[must_use]
    pub fn load_times(&self) -> LoadTimes {
        self.model.times
    }

    fn decode(&self, image: &Image<'_>, region: Option<Region>) -> Result<Picture> {
        let input = &self.model.manifest.input;
        // Decoders are others' code, fed bytes from anybody; one that asserts must not take the app down.
        let decoded =
            catch_unwind(AssertUnwindSafe(|| decode(image, region, (input.width, input.height), &self.limits)));
        let picture = decoded.unwrap_or_else(|_| {
            Err(Error::Internal("the decoder gave up on this picture; copy or export it again".into()))
        });
        picture.map_err(|error| match image.name() {
            Some(name) => error.in_file(name),
            None => error,
        })
    }

    fn judge(&self, values: &[f32], query: &Query) -> Result<(Verdict, Triage, Vec<Finding>)> {
        let Manifest { output, calibration, .. } = &self.model.manifest;
        let calibrated = self.model.scoring.calibrated(values)?;
        let (verdict, triage) = judge(&output.labels, &calibrated, self.model.scoring.multi_label, &query.language);
        let fitted = calibration.as_ref().and_then(|c| c.prevalence.as_ref());
        let shown = match fitted {
            Some(old) if !query.prevalence.is_empty() => {
                let new: Vec<f32> = output.labels.iter().map(|label| query.prevalence[&label.id]).collect();
                reweighted(&calibrated, old, &new)
            }
            _ => calibrated.clone(),
        };
        Ok((verdict, triage, findings(&output.labels, &calibrated, &shown, query)))
    }
}

/// The findings that the query asks for, likeliest first. `shown` are the probabilities to show, `calibrated` those
/// that operating points are about.
fn findings(labels: &[Label], calibrated: &[f32], shown: &[f32], query: &Query) -> Vec<Finding> {
    let wanted =
        |label: &Label| (query.allow.is_empty() || query.allow.contains(&label.id)) && !query.deny.contains(&label.id);
    let mut findings: Vec<Finding> = labels
        .iter()
        .zip(calibrated.iter().zip(shown))
        .filter(|(label, (_, shown))| wanted(label) && **shown >= query.score_threshold)
        .map(|(label, (&calibrated, &shown))| Finding {
            label: label.id.clone(),
            name: label.name_in(&query.language).to_owned(),
            probability: shown,
            operating_point: label.operating_point(),
            over_operating_point: is_over(label, calibrated),
        })
        .collect();
    findings.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    findings.truncate(query.max_results.map_or(usize::MAX, |most| most as usize));
    findings
}

fn golden_image(golden: &Golden) -> Result<Image<'static>> {
    let bytes = BASE64
        .decode(&golden.input.image)
        .map_err(|error| Error::InvalidManifest(format!("manifest: `golden.input.image` is not base64: {error}")))?;
    Ok(Image::from_bytes(bytes))
}

/// The largest difference between a label's score and its golden one; `None` where one is beyond the tolerance.
fn difference(scores: &[f32], golden: &[f32]) -> Option<f32> {
    let differences = || scores.iter().zip(golden).map(|(found, wanted)| (found - wanted).abs());
    let within = scores.len() == golden.len() && differences().all(|difference| difference <= GOLDEN_TOLERANCE);
    within.then(|| differences().fold(0.0, f32::max))
}

/// A stop watch that gives the time since it last did.
struct Stages(Instant);

impl Stages {
    fn new() -> Stages {
        Stages(Instant::now())
    }

    fn ended(&mut self, stage: &str) -> Duration {
        let now = Instant::now();
        let elapsed = now - self.0;
        self.0 = now;
        log::trace!(target: "bedside::stages", "{stage} took {elapsed:?}");
        elapsed
    }
}
