//! The verdict (which labels can't be excluded), the triage, and what decided it.
//!
//! The rule, in this order:
//!
//! 0. *Danger.* A danger question that is answered `yes` sets a floor for the triage, which holds whatever follows.
//! 1. *Scope.* Where a scope question is answered `no` or out of range, or is required and not answered, the verdict is
//!    [`Verdict::Rejected`] and the triage `unassessed`. Nothing is decoded.
//! 2. *Quality.* Where a measure of the picture is beyond the manifest's limit, the verdict is [`Verdict::Rejected`] and the
//!    triage `unassessed`, or `refer` at the second refusal of a case.
//! 3. *Labels.* Those at or over their operating point can't be excluded.
//! 4. *Novelty.* Over the hard level, the verdict is [`Verdict::Rejected`] and the triage `unassessed`, or `refer` where an
//!    urgent label can't be excluded.
//! 5. *Triage.* `urgent` where an urgent label can't be excluded, or the sum of all urgent labels' probabilities is at or
//!    over the action threshold; else `refer` where a `refer` label can't be excluded, or no label is at or over its
//!    operating point ([`Verdict::Undecided`]), or novelty is over the soft level; else the highest level among the labels that can't be excluded, where
//!    `no_sign` becomes `refer` for a model whose calibration doesn't allow it. A model without any stated operating
//!    point gives `unassessed`.
//!
//! The triage of the report is the higher one of this and the floor.

mod danger;
mod decided_by;
mod novelty;
mod rule;
mod scope;

use std::fmt;

use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Triage;
use crate::words::{ENGLISH, Words};

pub use danger::DangerSign;
pub(crate) use danger::danger_signs;
pub use decided_by::DecidedBy;
pub use novelty::Novelty;
pub(crate) use novelty::NoveltyMeter;
pub(crate) use rule::{Class, Conclusion, Rule};
pub(crate) use scope::reasons;
pub use scope::{Reason, ReasonKind};

/// The id, the name and the level of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelName {
    /// The label's id.
    pub id: String,
    /// The label's name in the query's language.
    pub name: String,
    /// What a person should do where the label can't be excluded.
    pub level: Triage,
}

/// Which labels can't be excluded, the most pressing first; or why there is no verdict.
///
/// A label can't be excluded where its calibrated probability is at or over its operating point. Labels are in descending
/// order of their level, then of probability; those of equal level and probability are in the manifest's order.
///
/// `Display` gives the verdict as a sentence in English. In JSON it is an object:
///
/// ```
/// use bedside::Verdict;
///
/// let json = r#"{"kind": "single", "labels": ["nevus"], "names": ["Nevus"], "levels": ["no_sign"], "reasons": []}"#;
/// let verdict: Verdict = serde_json::from_str(json)?;
/// assert_eq!((verdict.kind(), verdict.labels()[0].id.as_str()), ("single", "nevus"));
/// assert_eq!(verdict.to_string(), "Can't be excluded: Nevus.");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// One label can't be excluded.
    Single(LabelName),
    /// Two or more labels can't be excluded.
    Several(Vec<LabelName>),
    /// No label reached its operating point: the model can't tell what the picture shows. It does not exclude disease.
    Undecided,
    /// No verdict: the reasons say why and what to do.
    Rejected(Vec<Reason>),
}

impl Verdict {
    /// The names of all kinds, in the order of declaration.
    pub const KINDS: &'static [&'static str] = &["single", "several", "undecided", "rejected"];

    /// The name of the kind in reports and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::Verdict::Undecided.kind(), "undecided");
    /// ```
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Verdict::Single(_) => "single",
            Verdict::Several(_) => "several",
            Verdict::Undecided => "undecided",
            Verdict::Rejected(_) => "rejected",
        }
    }

    /// The labels that can't be excluded; empty for `Undecided` and `Rejected`.
    ///
    /// ```
    /// assert!(bedside::Verdict::Undecided.labels().is_empty());
    /// ```
    #[must_use]
    pub fn labels(&self) -> &[LabelName] {
        match self {
            Verdict::Single(label) => std::slice::from_ref(label),
            Verdict::Several(labels) => labels,
            Verdict::Undecided | Verdict::Rejected(_) => &[],
        }
    }

    /// Why there is no verdict; empty where there is one.
    ///
    /// ```
    /// assert!(bedside::Verdict::Undecided.reasons().is_empty());
    /// ```
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Verdict::Rejected(reasons) => reasons,
            _ => &[],
        }
    }
}

/// The verdict as a sentence, in English but for the labels' names.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(ENGLISH))
    }
}

impl Verdict {
    /// The verdict as a sentence, with the names of all labels.
    fn sentence(&self, words: &Words) -> String {
        self.sentence_of(self.labels(), words)
    }

    /// The headline of a report with this triage. Labels whose level is `no_sign` are left out.
    pub(crate) fn headline(&self, triage: Triage, words: &Words) -> String {
        let pressing = self.labels().iter().take_while(|label| label.level > Triage::NoSign).count();
        match self {
            Verdict::Single(_) | Verdict::Several(_) if pressing == 0 && triage == Triage::NoSign => {
                words.verdict_no_sign.to_owned()
            }
            Verdict::Single(_) | Verdict::Several(_) if pressing == 0 => words.verdict_undecided.to_owned(),
            _ => self.sentence_of(&self.labels()[..pressing], words),
        }
    }

    fn sentence_of(&self, labels: &[LabelName], words: &Words) -> String {
        let sentence = match (self, labels.len()) {
            (Verdict::Undecided, _) => words.verdict_undecided,
            (Verdict::Rejected(_), _) => words.verdict_rejected,
            (_, 0 | 1) => words.verdict_single,
            _ => words.verdict_several,
        };
        let Some((before, after)) = sentence.split_once("{labels}") else { return sentence.to_owned() };
        let length: usize = labels.iter().map(|label| label.name.len() + ", ".len()).sum();
        let mut text = String::with_capacity(sentence.len() + length);
        text.push_str(before);
        for (at, label) in labels.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { ", " });
            text.push_str(&label.name);
        }
        text.push_str(after);
        text
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ids: Vec<&str> = self.labels().iter().map(|label| label.id.as_str()).collect();
        let names: Vec<&str> = self.labels().iter().map(|label| label.name.as_str()).collect();
        let levels: Vec<Triage> = self.labels().iter().map(|label| label.level).collect();
        let mut object = serializer.serialize_struct("Verdict", 5)?;
        object.serialize_field("kind", self.kind())?;
        object.serialize_field("labels", &ids)?;
        object.serialize_field("names", &names)?;
        object.serialize_field("levels", &levels)?;
        object.serialize_field("reasons", self.reasons())?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            kind: String,
            labels: Vec<String>,
            names: Vec<String>,
            levels: Vec<Triage>,
            reasons: Vec<Reason>,
        }
        let Fields { kind, labels, names, levels, reasons } = Fields::deserialize(deserializer)?;
        let named = labels.len() == names.len() && labels.len() == levels.len();
        let mut labels: Vec<LabelName> = labels
            .into_iter()
            .zip(names)
            .zip(levels)
            .map(|((id, name), level)| LabelName { id, name, level })
            .collect();
        match (kind.as_str(), labels.len(), reasons.len()) {
            ("single", 1, 0) if named => Ok(Verdict::Single(labels.remove(0))),
            ("several", 2.., 0) if named => Ok(Verdict::Several(labels)),
            ("undecided", 0, 0) if named => Ok(Verdict::Undecided),
            ("rejected", 0, 1..) if named => Ok(Verdict::Rejected(reasons)),
            _ => Err(D::Error::custom(format_args!("a verdict `{kind}` with other labels or reasons than it has"))),
        }
    }
}
