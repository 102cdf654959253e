//! The classifier: it opens a model and runs the stages decode, preprocess, engine and verdict in order.

mod heatmap;

use std::borrow::Cow;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::image::{Picture, Placement, decode_placed};
use crate::manifest::{ColorMeant, Golden, GoldenBy, Manifest};
use crate::model::{LoadTimes, Model, joined, values};
use crate::preprocess::preprocessed;
use crate::quality::{QualityBuffers, measure, quality_reasons, warnings};
use crate::report::{Finding, Geometry, ModelIdentity, Report, RuntimeIdentity, Timings};
use crate::scores::reweighted;
use crate::verdict::{Class, Conclusion, DecidedBy, Novelty, NoveltyMeter, Reason, Verdict, danger_signs, reasons};
use crate::words::words;
use crate::workspace::{JudgingBuffers, Workspace, Workspaces};
use crate::{
    CancelHandle, Error, ErrorKind, Heatmap, Image, Limits, Options, Quality, Query, Region, Result, Triage, Warning,
};
use heatmap::Evidence;

/// The maximum absolute difference, in probability, between a golden score and the score on this device. Rounding of
/// int8 kernels and differences between decoders stay below it.
pub(crate) const GOLDEN_TOLERANCE: f32 = 0.02;

/// The cancellation of a classification that nobody can cancel.
static NEVER: AtomicBool = AtomicBool::new(false);

/// An opened model.
///
/// All methods take `&self`, so that one classifier serves many threads. Open a model once and keep it.
///
/// ```
/// # if cfg!(not(feature = "onnx")) { return Ok(()); }
/// use bedside::{Answer, Classifier, Image, Options, Query};
///
/// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new().threads(4))?;
/// classifier.self_test()?;
///
/// let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);
/// let report = classifier.classify(&Image::open("models/samples/ISIC_0012258.jpg")?, &query)?;
/// println!("{report}");
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug)]
pub struct Classifier {
    model: Model,
    /// What computes novelty, where the manifest says how.
    novelty: Option<NoveltyMeter>,
    limits: Limits,
    /// The memory of past classifications.
    workspaces: Workspaces,
}

/// What a picture says, by itself.
struct Assessed {
    conclusion: Conclusion,
    findings: Vec<Finding>,
    /// `None` where nothing was decoded.
    quality: Option<Quality>,
    warnings: Vec<Warning>,
    geometry: Option<Geometry>,
    novelty: Option<Novelty>,
    heatmap: Option<Heatmap>,
}

impl Assessed {
    /// Where nothing was decoded.
    fn rejected(conclusion: Conclusion) -> Assessed {
        Assessed {
            conclusion,
            findings: Vec::new(),
            quality: None,
            warnings: Vec::new(),
            geometry: None,
            novelty: None,
            heatmap: None,
        }
    }
}

/// What one run tells of a picture, for tools.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Observation {
    /// The graph's output values, one for each label.
    pub values: Vec<f32>,
    /// The measures of the picture.
    pub quality: Quality,
    /// How unlike those that the model was made for it is, where the manifest says how to tell.
    pub novelty: Option<Novelty>,
    /// The means of the channels of the tensors that the classifier was opened to observe, joined in their order.
    pub features: Vec<f32>,
}

/// The result of a self-test that passed. See [`Classifier::self_test`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SelfTest {
    /// The runtime that measured the golden scores.
    pub by: GoldenBy,
    /// The maximum absolute difference between a label's score and its golden score, 0…0.02.
    pub max_difference: f32,
}

impl Classifier {
    /// Opens a model file: an ONNX graph, or a prepared model that `bedside pack --prepare` made. The manifest is in
    /// the file's metadata, or in `model.json` beside the file. The first bytes of the file decide which kind it is,
    /// not its name.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// use bedside::{Classifier, Options};
    ///
    /// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// println!("{} {}", classifier.identity().name, classifier.identity().version);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::Io`] where a file can't be read;
    /// - [`ErrorKind::TooLarge`] where the model and its external data are larger than [`Limits::max_model_bytes`],
    ///   the manifest exceeds its own limits, or the graph exceeds the engine's limits of size, memory or work;
    /// - [`ErrorKind::MalformedModel`] where the file is no model, or a damaged one;
    /// - [`ErrorKind::UnsupportedModel`] where the graph needs something that is not supported, where the feature `onnx`
    ///   is off and the file is an ONNX graph, and where `BEDSIDE_KERNEL` names kernels that the processor lacks;
    /// - [`ErrorKind::InvalidManifest`] where there is no manifest, it has a wrong value, or it does not fit the graph;
    /// - [`ErrorKind::Internal`] where the engine fails.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Classifier> {
        let model = Model::open(path.as_ref(), &[], &options)?;
        Classifier::of(model, options.limits)
    }

    /// As [`open`](Classifier::open); [`observe`](Classifier::observe) returns the means of the channels of these tensors,
    /// too.
    pub(crate) fn open_observing(path: &Path, tensors: &[String], options: Options) -> Result<Classifier> {
        let model = Model::open(path, tensors, &options)?;
        Classifier::of(model, options.limits)
    }

    /// What one run tells of a whole picture, whatever the manifest's limits say of it.
    pub(crate) fn observe(&self, image: &Image<'_>, meant: Option<ColorMeant>) -> Result<Observation> {
        let model = &self.model;
        let (picture, _) = self.decode(image, None, Vec::new())?;
        let input = preprocessed(&picture, model.manifest.input());
        let quality = measure(&picture, &input, model.manifest.input(), meant, &mut QualityBuffers::default());
        drop(picture);
        let selection = [&model.novelty_taps[..], &model.observed_taps].concat();
        let run = model.run_tapped(&CancelHandle::new(), &input, &selection)?;
        let (run, features) = run.split_taps(model.novelty_taps.len());
        let features_of_novelty: Vec<f32> = joined(&run.taps).collect();
        let novelty = self.novelty(&features_of_novelty, &run.values, &mut Vec::new())?;
        Ok(Observation { values: run.values, quality, novelty, features })
    }

    /// The width, the height and the RGB bytes of a whole picture, upright.
    pub(crate) fn pixels(&self, image: &Image<'_>) -> Result<(u32, u32, Vec<u8>)> {
        let (picture, _) = self.decode(image, None, Vec::new())?;
        Ok((picture.width, picture.height, picture.rgb))
    }

    /// The measures of a whole picture.
    pub(crate) fn quality(&self, image: &Image<'_>, meant: Option<ColorMeant>) -> Result<Quality> {
        let (picture, _) = self.decode(image, None, Vec::new())?;
        let input = self.model.manifest.input();
        Ok(measure(&picture, &preprocessed(&picture, input), input, meant, &mut QualityBuffers::default()))
    }

    /// Opens a model from the bytes of an ONNX or prepared file, which has its manifest in its metadata and no external
    /// data. The bytes are not copied; a `Vec` is freed as soon as it is decoded.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// use bedside::{Classifier, Options};
    ///
    /// # let path = "models/skin-lesion/model.onnx";
    /// let bytes = std::fs::read(path).expect("a file");
    /// let classifier = Classifier::from_bytes(bytes, Options::new())?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Classifier::open), without [`ErrorKind::Io`]; [`ErrorKind::UnsupportedModel`] also where the model
    /// has external data.
    pub fn from_bytes<'a>(bytes: impl Into<Cow<'a, [u8]>>, options: Options) -> Result<Classifier> {
        let model = Model::from_bytes(bytes.into(), &options)?;
        Classifier::of(model, options.limits)
    }

    fn of(model: Model, limits: Limits) -> Result<Classifier> {
        let novelty = model.manifest.calibration().and_then(|calibration| calibration.novelty.as_ref());
        let novelty = novelty.map(NoveltyMeter::new).transpose()?;
        Ok(Classifier { model, novelty, limits, workspaces: Workspaces::default() })
    }

    /// Classifies one picture.
    ///
    /// This runs on the caller's thread and blocks it until the report is there: do not call it from a thread that
    /// draws a screen. A picture that is out of scope by the query's answers is not decoded, and for one whose quality is
    /// beyond the manifest's limits the graph does not run: the report has [`Verdict::Rejected`], no findings, and
    /// [`Triage::Unassessed`] unless a danger sign asks for more, or it is the second refusal of a case for its quality.
    ///
    /// The query's cancel handle is read between the stages (decode, preprocess, engine, verdict), and between the
    /// layers of a graph that is quantized from end to end. The time of each stage is logged at level `trace` with the
    /// target `bedside::stages`, without any data of the picture.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// use bedside::{Answer, Classifier, Image, Options, Query, Triage};
    ///
    /// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let image = Image::open("models/samples/ISIC_0012258.jpg")?;
    /// let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);
    /// let report = classifier.classify(&image, &query)?;
    /// if report.triage == Triage::Urgent {
    ///     println!("{}", report.advice);
    /// }
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidQuery`] where the query does not fit the model;
    /// - [`ErrorKind::UnsupportedImage`], [`ErrorKind::MalformedImage`] or [`ErrorKind::TooLarge`] where the picture
    ///   can't be decoded;
    /// - [`ErrorKind::Cancelled`] where the query's handle is cancelled;
    /// - [`ErrorKind::UnsupportedModel`] where the graph fails, or its outputs are no scores;
    /// - [`ErrorKind::Internal`] where a decoder or the engine panics.
    pub fn classify(&self, image: &Image<'_>, query: &Query) -> Result<Report> {
        let start = Instant::now();
        self.check(query)?;
        query.check_cancelled()?;
        let questions = self.model.manifest.scope();
        let reasons = reasons(&self.model.manifest, query);
        let mut timings = Timings::default();
        let Assessed { conclusion, findings, quality, warnings, geometry, novelty, heatmap } = if reasons.is_empty() {
            self.assess(image, query, &mut timings)?
        } else {
            Assessed::rejected(Conclusion::rejected(reasons, Triage::Unassessed, DecidedBy::Scope))
        };
        let danger = danger_signs(questions, query);
        let Conclusion { verdict, triage, decided_by } = conclusion.at_least(&danger);
        timings.total = start.elapsed();
        let words = words(&query.language);
        Ok(Report {
            summary: verdict.headline(triage, words),
            verdict,
            triage,
            decided_by,
            advice: self.model.manifest.advice(triage, &query.language).to_owned(),
            danger,
            findings,
            quality,
            warnings,
            geometry,
            novelty,
            heatmap,
            timings,
            model: self.model.identity.clone(),
            runtime: RuntimeIdentity::this(),
            notice: Cow::Borrowed(words.app_notice),
        })
    }

    /// What the picture says, where the answers are in scope.
    fn assess(&self, image: &Image<'_>, query: &Query, timings: &mut Timings) -> Result<Assessed> {
        let mut workspace = self.workspaces.take();
        let assessed = self.assess_in(&mut workspace, image, query, timings);
        self.workspaces.keep(workspace);
        assessed
    }

    /// As [`assess`](Classifier::assess), in the memory of a workspace.
    fn assess_in(
        &self,
        workspace: &mut Workspace,
        image: &Image<'_>,
        query: &Query,
        timings: &mut Timings,
    ) -> Result<Assessed> {
        let mut stages = Stages::new();
        let rgb = take(&mut workspace.picture.rgb);
        let (picture, placement) = self.decode(image, query.region, rgb)?;
        // From here on all memory is the workspace's, so that whatever ends the classification leaves it there.
        workspace.picture = picture;
        timings.decode = stages.ended("decode");
        query.check_cancelled()?;

        let Workspace { picture, input, preprocess, quality: buffers, .. } = &mut *workspace;
        self.model.preprocess(picture, preprocess, input);
        let limits = self.model.manifest.calibration().and_then(|calibration| calibration.quality).unwrap_or_default();
        let quality = measure(picture, input, self.model.manifest.input(), limits.color, buffers);
        let geometry = Some(Geometry::of((picture.width, picture.height), &placement));
        let warnings = warnings(&placement.facts, words(&query.language));
        let view = self.view(picture, placement);
        workspace.free_large_picture();
        timings.preprocess = stages.ended("preprocess");
        query.check_cancelled()?;

        let poor = quality_reasons(&quality, &limits, query, words(&query.language));
        if !poor.is_empty() {
            let conclusion = Conclusion::poor_quality(poor, query.refusals);
            return Ok(Assessed { quality: Some(quality), warnings, geometry, ..Assessed::rejected(conclusion) });
        }
        let features = self.run(workspace, query)?;
        timings.engine = stages.ended("engine");
        query.check_cancelled()?;

        let Workspace { input, results, features: of_novelty, judging, .. } = workspace;
        let values = values(results)?;
        let novelty = self.novelty(of_novelty, values, &mut judging.numbers)?;
        let (conclusion, findings) = self.judge(values, judging, novelty.as_ref(), query)?;
        timings.verdict = stages.ended("verdict");
        let features = features.map(|at| &results.taps[at]);
        let evidence = Evidence { values, features, input, view };
        let heatmap = self.heatmap(query, &conclusion.verdict, &evidence)?;
        Ok(Assessed { conclusion, findings, quality: Some(quality), warnings, geometry, novelty, heatmap })
    }

    /// Runs the graph, with the taps that novelty and the query's heatmap need. Returns the index of the heatmap's among
    /// those of the results.
    fn run(&self, workspace: &mut Workspace, query: &Query) -> Result<Option<usize>> {
        let cancelled = query.cancel.as_ref().map_or(&NEVER, CancelHandle::flag);
        let Workspace { input, results, features, selection, .. } = workspace;
        let explained = self.features_tap(query);
        selection.clear();
        selection.extend(self.model.novelty_taps.iter().copied().chain(explained));
        self.model.run_into(cancelled, input, selection, results)?;
        let count = self.model.novelty_taps.len();
        features.clear();
        features.extend(joined(&results.taps[..count]));
        Ok(explained.map(|_| count))
    }

    /// Runs the graph once on a black input, so that the first picture is not slower than later ones. This takes as
    /// long as a classification without decoding.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options};
    /// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// classifier.warm_up()?;
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedModel`] or [`ErrorKind::Internal`] where the graph fails.
    pub fn warm_up(&self) -> Result<()> {
        self.model.run(&self.model.blank()).map(drop)
    }

    /// Checks a query against the model, as [`classify`](Classifier::classify) does before it decodes the picture.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, ErrorKind, Options, Query};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let error = classifier.check(&Query::new().deny("measles")).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`], whose text names the field.
    pub fn check(&self, query: &Query) -> Result<()> {
        query.check(&self.model.manifest, &self.model.rule.classes)
    }

    /// The reasons for which the query's answers and source alone reject every picture; empty where they are in scope.
    /// Check them before a picture is taken, since [`classify`](Classifier::classify) would reject it.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options, Query};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// for reason in classifier.scope_reasons(&Query::new())? {
    ///     println!("{}: {}", reason.question.unwrap_or_default(), reason.message);
    /// }
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`], whose text names the field.
    pub fn scope_reasons(&self, query: &Query) -> Result<Vec<Reason>> {
        self.check(query)?;
        Ok(reasons(&self.model.manifest, query))
    }

    /// Runs the manifest's golden sample, from its encoded picture to its scores, which takes as long as a
    /// classification. `None` where the model has no golden sample.
    ///
    /// The score of each label is compared with its golden score; the order of the labels is not. Labels whose golden
    /// scores differ by less than 0.04, twice the tolerance, may come out in another order. Operating points and triage
    /// are not compared: they follow from the scores.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options};
    /// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// match classifier.self_test()? {
    ///     Some(passed) => println!("within {} of the golden scores", passed.max_difference),
    ///     None => println!("the model has no golden sample"),
    /// }
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::SelfTest`] where a score is not within 0.02 of its golden score: the model must not be used on this
    /// device. [`ErrorKind::InvalidManifest`] where the sample is not base64. As [`classify`](Classifier::classify)
    /// where the sample can't be run.
    pub fn self_test(&self) -> Result<Option<SelfTest>> {
        let Some(golden) = self.model.manifest.golden() else { return Ok(None) };
        let scores = self.scores(&golden_image(golden)?)?;
        let Some(max_difference) = difference(&scores, &golden.scores) else {
            return Err(Error::new(
                ErrorKind::SelfTest,
                format!(
                    "the golden sample gives {scores:?}, but its maker measured {:?}: do not use this model on this device, \
                 and report it",
                    golden.scores
                ),
            ));
        };
        Ok(Some(SelfTest { by: golden.by, max_difference }))
    }

    /// The probability of each label for the whole picture, 0…1, in the order of [`Manifest::labels`], before
    /// calibration. For comparison with another runtime; not a result, since scope, calibration and operating points
    /// are left out.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Image, Options};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let scores = classifier.scores(&Image::open("models/samples/ISIC_0012258.jpg")?)?;
    /// assert_eq!(scores.len(), classifier.manifest().labels().len());
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`classify`](Classifier::classify), without [`ErrorKind::InvalidQuery`] and [`ErrorKind::Cancelled`].
    pub fn scores(&self, image: &Image<'_>) -> Result<Vec<f32>> {
        let mut scores = vec![0.0; self.model.manifest.labels().len()];
        self.scores_into(image, &mut scores)?;
        Ok(scores)
    }

    /// As [`scores`](Classifier::scores); writes the probabilities into `scores`, which has one place for each label.
    ///
    /// It uses the memory of earlier calls, which was overwritten with zeros. So a call with pixels or a frame allocates
    /// nothing, where the graph is quantized from end to end, and as many earlier calls as run now ran at the same time on
    /// pictures of the same size. Memory of pictures over 2.5 megapixels is not kept.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Image, Options};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let mut scores = [0.0; 3];
    /// let frame = vec![128u8; 640 * 480];
    /// classifier.scores_into(&Image::gray8(640, 480, 640, &frame)?, &mut scores)?;
    /// assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`scores`](Classifier::scores); [`ErrorKind::InvalidQuery`] where `scores` has another length.
    pub fn scores_into(&self, image: &Image<'_>, scores: &mut [f32]) -> Result<()> {
        let labels = self.model.manifest.labels().len();
        if scores.len() != labels {
            let given = scores.len();
            return Err(Error::new(ErrorKind::InvalidQuery, format!("scores: {given} places for {labels} labels")));
        }
        let mut workspace = self.workspaces.take();
        let written = self.scores_in(&mut workspace, image, scores);
        self.workspaces.keep(workspace);
        written
    }

    /// A workspace as the scores of a picture leave it, before it is kept.
    #[cfg(all(test, feature = "onnx"))]
    pub(crate) fn filled(&self, image: &Image<'_>) -> Workspace {
        let (mut workspace, mut scores) = (Workspace::default(), vec![0.0; self.model.manifest.labels().len()]);
        self.scores_in(&mut workspace, image, &mut scores).expect("scores");
        workspace
    }

    /// As [`scores_into`](Classifier::scores_into), in the memory of a workspace.
    fn scores_in(&self, workspace: &mut Workspace, image: &Image<'_>, scores: &mut [f32]) -> Result<()> {
        let (picture, _) = self.decode(image, None, take(&mut workspace.picture.rgb))?;
        workspace.picture = picture;
        self.model.preprocess(&workspace.picture, &mut workspace.preprocess, &mut workspace.input);
        workspace.free_large_picture();
        let Workspace { input, scores: results, judging, .. } = workspace;
        self.model.run_into(&NEVER, input, &[], results)?;
        self.model.scoring.probabilities(values(results)?, &mut judging.numbers)?;
        scores.iter_mut().zip(&judging.numbers).for_each(|(score, &probability)| *score = probability as f32);
        Ok(())
    }

    /// The model's manifest.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// for question in classifier.manifest().scope() {
    ///     println!("{}: {}", question.id, question.question.get("en").unwrap_or_default());
    /// }
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.model.manifest
    }

    /// The name, the version and the graph's hash of the model, which each [`Report`] repeats.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// assert_eq!(classifier.identity().name, "skin-lesion");
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn identity(&self) -> &ModelIdentity {
        &self.model.identity
    }

    /// The wall-clock times of the parts of opening the model.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// # use bedside::{Classifier, Options};
    /// # let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    /// let times = classifier.load_times();
    /// println!("opened in {:?}", times.read + times.import + times.optimize);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn load_times(&self) -> LoadTimes {
        self.model.times
    }

    /// Decodes the picture for the model's input size. Errors name the picture's file where it has one. A picture of
    /// pixels or of a frame uses the memory of `rgb`.
    fn decode(&self, image: &Image<'_>, region: Option<Region>, rgb: Vec<u8>) -> Result<(Picture, Placement)> {
        let input = self.model.manifest.input();
        let size = (input.width, input.height);
        // Decoders are third-party code that reads untrusted bytes: a panic in one must not end the app.
        let decode = || decode_placed(image, region, size, &self.limits, rgb);
        let decoded = catch_unwind(AssertUnwindSafe(decode));
        let picture = decoded.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Internal, "the decoder gave up on this picture; copy or export it again"))
        });
        picture.map_err(|error| match image.name() {
            Some(name) => error.in_file(Path::new(name)),
            None => error,
        })
    }

    /// How unlike the pictures that the model was made for a picture with these features and output values is, where the
    /// manifest says how to tell. `numbers` is memory.
    fn novelty(&self, features: &[f32], values: &[f32], numbers: &mut Vec<f64>) -> Result<Option<Novelty>> {
        self.novelty.as_ref().map(|meter| meter.measure(features, values, numbers)).transpose()
    }

    /// The conclusion and the findings from the graph's output values, one for each of its labels.
    fn judge(
        &self,
        values: &[f32],
        buffers: &mut JudgingBuffers,
        novelty: Option<&Novelty>,
        query: &Query,
    ) -> Result<(Conclusion, Vec<Finding>)> {
        let Model { rule, scoring, manifest, .. } = &self.model;
        let JudgingBuffers { numbers, classes: calibrated, order } = buffers;
        scoring.calibrated_into(values, numbers)?;
        rule.of_classes_into(numbers, calibrated);
        let conclusion = rule.conclude(calibrated, novelty, &query.language, order);
        if matches!(conclusion.verdict, Verdict::Rejected(_)) {
            return Ok((conclusion, Vec::new()));
        }
        let fitted = manifest.calibration().and_then(|c| c.prevalence.as_ref());
        let shown = match fitted {
            Some(fitted) if !query.prevalence.is_empty() => {
                let fitted: Vec<f64> = fitted.iter().map(|&share| f64::from(share)).collect();
                // `Query::check` has found a prevalence for each class.
                let new = |class: &Class| f64::from(query.prevalence[&class.label.id]);
                let new: Vec<f64> = rule.classes.iter().map(new).collect();
                Cow::Owned(reweighted(calibrated, &rule.of_classes(&fitted), &new))
            }
            _ => Cow::Borrowed(calibrated.as_slice()),
        };
        Ok((conclusion, findings(&rule.classes, calibrated, &shown, query)))
    }
}

/// The findings that the query selects, in descending order of `shown`; where it is equal, in the classes' order.
///
/// `calibrated` and `shown` have one probability for each class: `shown` is reported and compared with the query's
/// threshold, `calibrated` is compared with the operating point.
fn findings(classes: &[Class], calibrated: &[f64], shown: &[f64], query: &Query) -> Vec<Finding> {
    let wanted = |id: &String| (query.allow.is_empty() || query.allow.contains(id)) && !query.deny.contains(id);
    let mut findings: Vec<Finding> = classes
        .iter()
        .zip(calibrated.iter().zip(shown))
        .filter(|(class, (_, shown))| wanted(&class.label.id) && **shown as f32 >= query.score_threshold)
        .map(|(class, (&calibrated, &shown))| Finding {
            label: class.label.id.clone(),
            name: class.label.name_in(&query.language).to_owned(),
            probability: shown as f32,
            operating_point: class.operating_point(),
            over_operating_point: class.is_over(calibrated),
        })
        .collect();
    findings.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    findings.truncate(query.max_results.map_or(usize::MAX, |count| count as usize));
    findings
}

/// The golden sample's picture, decoded from base64.
fn golden_image(golden: &Golden) -> Result<Image<'static>> {
    let bytes = BASE64.decode(&golden.input.image).map_err(|error| {
        Error::new(ErrorKind::InvalidManifest, format!("manifest: `golden.input.image` is not base64: {error}"))
    })?;
    Ok(Image::from_bytes(bytes))
}

/// The maximum absolute difference between the scores and the golden scores, label by label; `None` where one exceeds
/// [`GOLDEN_TOLERANCE`], or the numbers of labels differ.
fn difference(scores: &[f32], golden: &[f32]) -> Option<f32> {
    let differences = || scores.iter().zip(golden).map(|(found, wanted)| (found - wanted).abs());
    let within = scores.len() == golden.len() && differences().all(|difference| difference <= GOLDEN_TOLERANCE);
    within.then(|| differences().fold(0.0, f32::max))
}

/// A stopwatch for consecutive stages. It holds the end of the last stage.
struct Stages(Instant);

impl Stages {
    fn new() -> Stages {
        Stages(Instant::now())
    }

    /// The time since the last stage ended, which is logged under the name `stage`.
    fn ended(&mut self, stage: &str) -> Duration {
        let now = Instant::now();
        let elapsed = now - self.0;
        self.0 = now;
        log::trace!(target: "bedside::stages", "{stage} took {elapsed:?}");
        elapsed
    }
}
