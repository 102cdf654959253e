//! What a caller asks of one classification.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::manifest::{Manifest, SHARE_TOLERANCE, ScopeQuestion};
use crate::{Error, Region, Result};

/// What a caller asks of one classification. `Query::new()` asks for everything, in English.
///
/// ```
/// use bedside::{Answer, Query};
///
/// let query = Query::new().answer("dermatoscope", Answer::Yes).language("uk");
/// assert_eq!(query.answers["dermatoscope"], Answer::Yes);
/// ```
///
/// `max_results`, `score_threshold`, `allow`, `deny` and `prevalence` change [`Report::findings`](crate::Report) only:
/// the verdict and the triage always come from all labels, unweighted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Query {
    /// At most this many findings; all unless given.
    pub max_results: Option<u32>,
    /// Findings of at least this probability, 0…1.
    pub score_threshold: f32,
    /// Findings of these labels only, by id; of all where empty.
    pub allow: Vec<String>,
    /// No findings of these labels, by id.
    pub deny: Vec<String>,
    /// The language of names and questions, a BCP 47 tag.
    pub language: String,
    /// The part of the upright picture to look at; all of it unless given.
    pub region: Option<Region>,
    /// The share of each label where the picture was taken, by id: all labels, summing to 1. The findings'
    /// probabilities are re-weighted to it from the shares that the model was calibrated on (Saerens, Latinne and
    /// Decaestecker 2002, equation 2.4). Left as they are where empty.
    pub prevalence: BTreeMap<String, f32>,
    /// Answers to the model's scope questions, by id.
    pub answers: BTreeMap<String, Answer>,
    /// A handle by which another thread can end the classification.
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
            cancel: None,
        }
    }
}

impl Query {
    /// A query for all findings, in English, about the whole picture, without answers.
    #[must_use]
    pub fn new() -> Query {
        Query::default()
    }

    /// Sets [`Query::max_results`].
    #[must_use]
    pub fn max_results(self, count: u32) -> Query {
        Query { max_results: Some(count), ..self }
    }

    /// Sets [`Query::score_threshold`].
    #[must_use]
    pub fn score_threshold(self, probability: f32) -> Query {
        Query { score_threshold: probability, ..self }
    }

    /// Adds a label to [`Query::allow`].
    #[must_use]
    pub fn allow(mut self, label: impl Into<String>) -> Query {
        self.allow.push(label.into());
        self
    }

    /// Adds a label to [`Query::deny`].
    #[must_use]
    pub fn deny(mut self, label: impl Into<String>) -> Query {
        self.deny.push(label.into());
        self
    }

    /// Sets [`Query::language`].
    #[must_use]
    pub fn language(self, tag: impl Into<String>) -> Query {
        Query { language: tag.into(), ..self }
    }

    /// Sets [`Query::region`].
    #[must_use]
    pub fn region(self, region: Region) -> Query {
        Query { region: Some(region), ..self }
    }

    /// Adds the share of a label to [`Query::prevalence`].
    #[must_use]
    pub fn prevalence(mut self, label: impl Into<String>, share: f32) -> Query {
        self.prevalence.insert(label.into(), share);
        self
    }

    /// Adds an answer to [`Query::answers`], in place of an earlier one to the same question.
    #[must_use]
    pub fn answer(mut self, question: impl Into<String>, answer: Answer) -> Query {
        self.answers.insert(question.into(), answer);
        self
    }

    /// Adds answers to [`Query::answers`], each in place of an earlier one to the same question.
    #[must_use]
    pub fn answers<Q: Into<String>>(self, answers: impl IntoIterator<Item = (Q, Answer)>) -> Query {
        answers.into_iter().fold(self, |query, (question, answer)| query.answer(question, answer))
    }

    /// Sets [`Query::cancel`].
    #[must_use]
    pub fn cancel(self, handle: CancelHandle) -> Query {
        Query { cancel: Some(handle), ..self }
    }
}

/// An answer to a scope question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// A number, where the question has a `min` or a `max`.
    Number(f64),
}

impl Answer {
    /// An answer that is in scope: for tools that time or test a model, not for a picture of a person.
    #[must_use]
    pub fn in_scope(question: &ScopeQuestion) -> Answer {
        match question.min.or(question.max) {
            Some(bound) => Answer::Number(bound),
            None => Answer::Yes,
        }
    }
}

impl FromStr for Answer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Answer> {
        match text.trim().to_ascii_lowercase().as_str() {
            "yes" => Ok(Answer::Yes),
            "no" => Ok(Answer::No),
            number => match number.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Answer::Number(value)),
                _ => Err(Error::InvalidQuery(format!("\"{text}\" is no answer; give `yes`, `no` or a number"))),
            },
        }
    }
}

/// Ends a classification from another thread. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct CancelHandle(Arc<AtomicBool>);

impl CancelHandle {
    /// A handle that has not been used.
    #[must_use]
    pub fn new() -> CancelHandle {
        CancelHandle::default()
    }

    /// Ends every classification that has this handle, now or later, at its next stage, or the next layer of a network that
    /// runs in integers: it returns [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether [`cancel`](CancelHandle::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// What is set once the handle was used.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }
}

impl PartialEq for CancelHandle {
    fn eq(&self, other: &CancelHandle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Query {
    /// [`Error::Cancelled`] once the handle was used.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        match &self.cancel {
            Some(handle) if handle.is_cancelled() => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }

    /// Checks every field against the model that is asked.
    pub(crate) fn check(&self, manifest: &Manifest) -> Result<()> {
        let ids: Vec<&str> = manifest.output.labels.iter().map(|l| l.id.as_str()).collect();
        let lists = [("allow", &self.allow), ("deny", &self.deny)];
        for (field, label) in lists.iter().flat_map(|(field, list)| list.iter().map(move |label| (field, label))) {
            known_label(field, label, &ids)?;
        }
        ensure((0.0..=1.0).contains(&self.score_threshold), || {
            format!("score_threshold is {}; give a probability, 0 to 1", self.score_threshold)
        })?;
        self.check_prevalence(manifest, &ids)?;
        self.check_answers(manifest)
    }

    fn check_prevalence(&self, manifest: &Manifest, ids: &[&str]) -> Result<()> {
        if self.prevalence.is_empty() {
            return Ok(());
        }
        for label in self.prevalence.keys() {
            known_label("prevalence", label, ids)?;
        }
        let calibrated = manifest.calibration.as_ref().and_then(|c| c.prevalence.as_ref());
        ensure(calibrated.is_some(), || {
            format!("prevalence: the model {} does not state the prevalence it was calibrated on", manifest.name)
        })?;
        let missing: Vec<&str> = ids.iter().copied().filter(|id| !self.prevalence.contains_key(*id)).collect();
        ensure(missing.is_empty(), || format!("prevalence lacks {}; give all labels", missing.join(", ")))?;
        ensure(self.prevalence.values().all(|p| (0.0..=1.0).contains(p)), || {
            "prevalence has a value outside 0 to 1".into()
        })?;
        let sum: f32 = self.prevalence.values().sum();
        ensure((sum - 1.0).abs() <= SHARE_TOLERANCE, || format!("prevalence sums to {sum}, not to 1"))
    }

    fn check_answers(&self, manifest: &Manifest) -> Result<()> {
        for (id, answer) in &self.answers {
            let question = manifest.scope.iter().find(|q| &q.id == id).ok_or_else(|| {
                let ids: Vec<&str> = manifest.scope.iter().map(|q| q.id.as_str()).collect();
                let known = if ids.is_empty() { "none".into() } else { ids.join(", ") };
                Error::InvalidQuery(format!("answers: the model asks no question `{id}`; it asks {known}"))
            })?;
            match (answer, question.takes_number()) {
                (Answer::Number(value), true) => {
                    ensure(value.is_finite(), || format!("answers: `{id}` is not a finite number"))?;
                }
                (Answer::Yes | Answer::No, false) => {}
                (_, true) => return Err(Error::InvalidQuery(format!("answers: `{id}` takes a number"))),
                (_, false) => return Err(Error::InvalidQuery(format!("answers: `{id}` takes yes or no"))),
            }
        }
        Ok(())
    }
}

fn known_label(field: &str, label: &str, ids: &[&str]) -> Result<()> {
    ensure(ids.contains(&label), || format!("{field}: the model has no label `{label}`; it has {}", ids.join(", ")))
}

fn ensure(sound: bool, problem: impl FnOnce() -> String) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::InvalidQuery(problem())) }
}
