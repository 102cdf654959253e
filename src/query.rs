//! The parameters of one classification, and the handle that cancels it.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::explain::Explain;
use crate::manifest::{Manifest, PREVALENCE_TOLERANCE};
use crate::verdict::Class;
use crate::{Error, ErrorKind, Region, Result, Source};

/// The parameters of one classification. By default, the report has all findings, in English, for the whole picture.
///
/// ```
/// use bedside::{Answer, Query};
///
/// let query = Query::new().answer("dermatoscope", Answer::Yes).language("uk");
/// assert_eq!(query.answers["dermatoscope"], Answer::Yes);
/// ```
///
/// `max_results`, `score_threshold`, `allow`, `deny` and `prevalence` change only the
/// [findings](crate::Report::findings) of the report: the verdict and the triage come from the probabilities of all
/// labels, not re-weighted.
///
/// [`Classifier::classify`](crate::Classifier::classify) checks all fields against the model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Query {
    /// The maximum number of findings; all by default. With 0, the report has none.
    pub max_results: Option<u32>,
    /// The minimum probability of a finding, 0…1; 0 by default. Compared with
    /// [`Finding::probability`](crate::Finding::probability).
    pub score_threshold: f32,
    /// The ids of the labels that findings may have; all labels where empty.
    pub allow: Vec<String>,
    /// The ids of the labels that findings may not have. A label in both lists has no finding.
    pub deny: Vec<String>,
    /// The language of names, questions and the report's sentences, a BCP 47 tag such as `uk` or `pt-BR`; `en` by
    /// default. Sentences are in English where it is not Ukrainian. Where the manifest lacks it, names and questions
    /// are in the language that [`Text::get`](crate::manifest::Text::get) falls back to.
    pub language: String,
    /// The part of the upright picture to classify; the whole picture by default.
    pub region: Option<Region>,
    /// The prevalence of each label where the picture was taken: a fraction 0…1 for each label's id. All labels must be
    /// there, and the sum must be 1 within 0.01.
    ///
    /// The probabilities of the findings are re-weighted to it from the prevalence that the model was calibrated on,
    /// which the manifest must state (Saerens, Latinne and Decaestecker 2002, equation 2.4). Where empty, they are not
    /// re-weighted.
    pub prevalence: BTreeMap<String, f32>,
    /// The answers to the model's questions about scope and danger signs, by the question's id. A question that takes a number needs
    /// [`Answer::Number`], any other one `Yes` or `No`. A required question without an answer is no error: the verdict
    /// is [`Verdict::Rejected`](crate::Verdict::Rejected).
    pub answers: BTreeMap<String, Answer>,
    /// Where the picture came from; unknown by default. Only a picture of a camera is asked for again where its quality
    /// is too poor.
    pub source: Option<Source>,
    /// How many pictures of this case were rejected for their quality before; 0 by default. From 1 on, a picture of poor
    /// quality is not asked for again, and its triage is [`Triage::Refer`](crate::Triage::Refer). Whoever asks counts,
    /// since a classifier keeps nothing between two pictures.
    pub refusals: u32,
    /// The heatmap to compute with the classification; none by default.
    pub explain: Option<Explain>,
    /// The handle by which another thread can cancel the classification.
    pub cancel: Option<CancelHandle>,
}

impl Default for Query {
    fn default() -> Query {
        Query {
            max_results: None,
            score_threshold: 0.0,
            allow: Vec::new(),
            deny: Vec::new(),
            language: "en".into(),
            region: None,
            prevalence: BTreeMap::new(),
            answers: BTreeMap::new(),
            source: None,
            refusals: 0,
            explain: None,
            cancel: None,
        }
    }
}

impl Query {
    /// A query for all findings, in English, for the whole picture, without answers.
    ///
    /// ```
    /// let query = bedside::Query::new();
    /// assert_eq!((query.language.as_str(), query.max_results), ("en", None));
    /// ```
    #[must_use]
    pub fn new() -> Query {
        Query::default()
    }

    /// Sets the maximum number of findings.
    ///
    /// ```
    /// assert_eq!(bedside::Query::new().max_results(3).max_results, Some(3));
    /// ```
    #[must_use]
    pub fn max_results(self, count: u32) -> Query {
        Query { max_results: Some(count), ..self }
    }

    /// Sets the minimum probability of a finding, 0…1.
    ///
    /// ```
    /// assert_eq!(bedside::Query::new().score_threshold(0.25).score_threshold, 0.25);
    /// ```
    #[must_use]
    pub fn score_threshold(self, probability: f32) -> Query {
        Query { score_threshold: probability, ..self }
    }

    /// Adds the id of a label that findings may have. Without any, all labels may.
    ///
    /// ```
    /// let query = bedside::Query::new().allow("melanoma").allow("nevus");
    /// assert_eq!(query.allow, ["melanoma", "nevus"]);
    /// ```
    #[must_use]
    pub fn allow(mut self, label: impl Into<String>) -> Query {
        self.allow.push(label.into());
        self
    }

    /// Adds the id of a label that findings may not have.
    ///
    /// ```
    /// assert_eq!(bedside::Query::new().deny("nevus").deny, ["nevus"]);
    /// ```
    #[must_use]
    pub fn deny(mut self, label: impl Into<String>) -> Query {
        self.deny.push(label.into());
        self
    }

    /// Sets the language of names, questions and the report's sentences, a BCP 47 tag.
    ///
    /// ```
    /// assert_eq!(bedside::Query::new().language("uk").language, "uk");
    /// ```
    #[must_use]
    pub fn language(self, tag: impl Into<String>) -> Query {
        Query { language: tag.into(), ..self }
    }

    /// Sets the part of the upright picture to classify.
    ///
    /// ```
    /// use bedside::{Query, Region};
    ///
    /// let middle = Region::new(0.25, 0.25, 0.5, 0.5)?;
    /// assert_eq!(Query::new().region(middle).region, Some(middle));
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn region(self, region: Region) -> Query {
        Query { region: Some(region), ..self }
    }

    /// Sets the prevalence of a label, a fraction 0…1. Call it for each label of the model.
    ///
    /// ```
    /// use bedside::Query;
    ///
    /// let query =
    ///     Query::new().prevalence("melanoma", 0.02).prevalence("nevus", 0.88).prevalence("seborrheic_keratosis", 0.1);
    /// assert_eq!(query.prevalence["nevus"], 0.88);
    /// ```
    #[must_use]
    pub fn prevalence(mut self, label: impl Into<String>, fraction: f32) -> Query {
        self.prevalence.insert(label.into(), fraction);
        self
    }

    /// Sets the answer to a question, by the question's id. It replaces an earlier answer to the same question.
    ///
    /// ```
    /// use bedside::{Answer, Query};
    ///
    /// let query = Query::new().answer("age", Answer::Number(4.0)).answer("frontal_file", Answer::Yes);
    /// assert_eq!(query.answers["age"], Answer::Number(4.0));
    /// ```
    #[must_use]
    pub fn answer(mut self, question: impl Into<String>, answer: Answer) -> Query {
        self.answers.insert(question.into(), answer);
        self
    }

    /// Sets the answers to several questions. Each replaces an earlier answer to the same question.
    ///
    /// ```
    /// use bedside::{Answer, Query};
    ///
    /// let query = Query::new().answers([("age", Answer::Number(4.0)), ("frontal_file", Answer::Yes)]);
    /// assert_eq!(query.answers.len(), 2);
    /// ```
    #[must_use]
    pub fn answers<Q: Into<String>>(self, answers: impl IntoIterator<Item = (Q, Answer)>) -> Query {
        answers.into_iter().fold(self, |query, (question, answer)| query.answer(question, answer))
    }

    /// Sets where the picture came from.
    ///
    /// ```
    /// use bedside::{Query, Source};
    ///
    /// assert_eq!(Query::new().source(Source::Camera).source, Some(Source::Camera));
    /// ```
    #[must_use]
    pub fn source(self, source: Source) -> Query {
        Query { source: Some(source), ..self }
    }

    /// Sets how many pictures of this case were rejected for their quality before.
    ///
    /// ```
    /// assert_eq!(bedside::Query::new().refusals(1).refusals, 1);
    /// ```
    #[must_use]
    pub fn refusals(self, count: u32) -> Query {
        Query { refusals: count, ..self }
    }

    /// Sets the heatmap to compute with the classification: [`Report::heatmap`](crate::Report::heatmap). A class
    /// activation map needs a model whose manifest has an
    /// [`explanation`](crate::manifest::Manifest::explanation).
    ///
    /// ```
    /// use bedside::{Explain, Query};
    ///
    /// let query = Query::new().explain(Explain::new().label("melanoma"));
    /// assert!(query.explain.is_some());
    /// ```
    #[must_use]
    pub fn explain(self, explain: Explain) -> Query {
        Query { explain: Some(explain), ..self }
    }

    /// Sets the handle by which another thread can cancel the classification.
    ///
    /// ```
    /// use bedside::{CancelHandle, Query};
    ///
    /// let handle = CancelHandle::new();
    /// let query = Query::new().cancel(handle.clone());
    /// assert_eq!(query.cancel, Some(handle));
    /// ```
    #[must_use]
    pub fn cancel(self, handle: CancelHandle) -> Query {
        Query { cancel: Some(handle), ..self }
    }
}

/// An answer to a question about scope or a danger sign.
///
/// It is parsed from `yes`, `no` (in any case) or a finite number:
///
/// ```
/// use bedside::Answer;
///
/// assert_eq!("yes".parse::<Answer>()?, Answer::Yes);
/// assert_eq!("4.5".parse::<Answer>()?, Answer::Number(4.5));
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// A finite number, for a question that has a `min` or a `max`.
    Number(f64),
}

impl FromStr for Answer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Answer> {
        match text.trim().to_ascii_lowercase().as_str() {
            "yes" => Ok(Answer::Yes),
            "no" => Ok(Answer::No),
            number => match number.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Answer::Number(value)),
                _ => Err(Error::new(
                    ErrorKind::InvalidQuery,
                    format!("\"{text}\" is no answer; give `yes`, `no` or a number"),
                )),
            },
        }
    }
}

/// Cancels a classification from another thread. Clones share one state, which can't be reset: make a new handle for
/// the next classification.
///
/// ```
/// # if cfg!(not(feature = "onnx")) { return Ok(()); }
/// use std::{thread, time::Duration};
///
/// use bedside::{Answer, CancelHandle, Classifier, ErrorKind, Image, Options, Query};
///
/// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
/// let image = Image::open("models/samples/ISIC_0012258.jpg")?;
/// let handle = CancelHandle::new();
/// let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);
/// let query = query.cancel(handle.clone());
/// thread::spawn(move || {
///     thread::sleep(Duration::from_millis(500));
///     handle.cancel();
/// });
/// match classifier.classify(&image, &query) {
///     Ok(report) => println!("{report}"),
///     Err(error) if error.kind() == ErrorKind::Cancelled => println!("cancelled after 500 ms"),
///     Err(error) => eprintln!("{error}"),
/// }
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelHandle(Arc<AtomicBool>);

impl CancelHandle {
    /// A handle that is not cancelled.
    ///
    /// ```
    /// assert!(!bedside::CancelHandle::new().is_cancelled());
    /// ```
    #[must_use]
    pub fn new() -> CancelHandle {
        CancelHandle::default()
    }

    /// Cancels each classification that has this handle, now or later. It returns [`ErrorKind::Cancelled`] before its
    /// next stage, or before the next layer of a graph that is quantized from end to end.
    ///
    /// ```
    /// let handle = bedside::CancelHandle::new();
    /// handle.clone().cancel();
    /// assert!(handle.is_cancelled());
    /// ```
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether [`cancel`](CancelHandle::cancel) was called on this handle or a clone of it.
    ///
    /// ```
    /// let (handle, other) = (bedside::CancelHandle::new(), bedside::CancelHandle::new());
    /// handle.cancel();
    /// assert!(handle.is_cancelled() && !other.is_cancelled());
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The flag that [`cancel`](CancelHandle::cancel) sets, for the engine.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }
}

/// Handles are equal where they share one state.
impl PartialEq for CancelHandle {
    fn eq(&self, other: &CancelHandle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Query {
    /// Returns [`ErrorKind::Cancelled`] where the query's handle is cancelled.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        match &self.cancel {
            Some(handle) if handle.is_cancelled() => Err(Error::cancelled()),
            _ => Ok(()),
        }
    }

    /// Checks each field against the model's manifest, whose rule has these classes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`], whose text names the field.
    pub(crate) fn check(&self, manifest: &Manifest, classes: &[Class]) -> Result<()> {
        let ids = || -> Vec<&str> { classes.iter().map(|class| class.label.id.as_str()).collect() };
        let lists = [("allow", &self.allow), ("deny", &self.deny)];
        for (field, label) in lists.iter().flat_map(|(field, list)| list.iter().map(move |label| (field, label))) {
            known_label(field, label, &ids())?;
        }
        ensure((0.0..=1.0).contains(&self.score_threshold), || {
            format!("score_threshold is {}; give a probability, 0 to 1", self.score_threshold)
        })?;
        if let Some(explain) = &self.explain {
            explain.check(manifest, classes)?;
        }
        self.check_prevalence(manifest, ids)?;
        self.check_answers(manifest)
    }

    fn check_prevalence<'a>(&self, manifest: &Manifest, ids: impl Fn() -> Vec<&'a str>) -> Result<()> {
        if self.prevalence.is_empty() {
            return Ok(());
        }
        let ids = ids();
        for label in self.prevalence.keys() {
            known_label("prevalence", label, &ids)?;
        }
        let calibrated = manifest.calibration().and_then(|c| c.prevalence.as_ref());
        ensure(calibrated.is_some(), || {
            format!("prevalence: the model {} does not state the prevalence it was calibrated on", manifest.name())
        })?;
        let missing: Vec<&str> = ids.iter().copied().filter(|id| !self.prevalence.contains_key(*id)).collect();
        ensure(missing.is_empty(), || format!("prevalence lacks {}; give all labels", missing.join(", ")))?;
        ensure(self.prevalence.values().all(|p| (0.0..=1.0).contains(p)), || {
            "prevalence has a value outside 0 to 1".into()
        })?;
        let sum: f32 = self.prevalence.values().sum();
        ensure((sum - 1.0).abs() <= PREVALENCE_TOLERANCE, || format!("prevalence sums to {sum}, not to 1"))
    }

    fn check_answers(&self, manifest: &Manifest) -> Result<()> {
        for (id, answer) in &self.answers {
            let question = manifest.scope().iter().find(|q| &q.id == id).ok_or_else(|| {
                let ids: Vec<&str> = manifest.scope().iter().map(|q| q.id.as_str()).collect();
                let known = if ids.is_empty() { "none".into() } else { ids.join(", ") };
                Error::new(
                    ErrorKind::InvalidQuery,
                    format!("answers: the model asks no question `{id}`; it asks {known}"),
                )
            })?;
            match (answer, question.takes_number()) {
                (Answer::Number(value), true) => {
                    ensure(value.is_finite(), || format!("answers: `{id}` is not a finite number"))?;
                }
                (Answer::Yes | Answer::No, false) => {}
                (_, true) => {
                    return Err(Error::new(ErrorKind::InvalidQuery, format!("answers: `{id}` takes a number")));
                }
                (_, false) => {
                    return Err(Error::new(ErrorKind::InvalidQuery, format!("answers: `{id}` takes yes or no")));
                }
            }
        }
        Ok(())
    }
}

/// Checks that the id is one of the model's labels.
fn known_label(field: &str, label: &str, ids: &[&str]) -> Result<()> {
    ensure(ids.contains(&label), || format!("{field}: the model has no label `{label}`; it has {}", ids.join(", ")))
}

/// [`ErrorKind::InvalidQuery`] with this problem unless `sound`.
fn ensure(sound: bool, problem: impl FnOnce() -> String) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::new(ErrorKind::InvalidQuery, problem())) }
}
