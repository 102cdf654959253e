//! The verdict (which labels can't be excluded) and the triage.
//!
//! The rules, for the calibrated probabilities of all labels:
//!
//! - Where a scope question is answered `no` or out of range, or is required and not answered, the verdict is
//!   [`Verdict::Rejected`].
//! - Where labels exclude each other, those at or over their operating point can't be excluded. Where there are none,
//!   the most probable label can't be excluded.
//! - Where they don't, those at or over their operating point can't be excluded. Where there are none, the verdict is
//!   [`Verdict::NoFinding`].
//!
//! The triage is the highest level among the labels that can't be excluded, and at least `refer` where there are
//! several. That of a rejected picture is `unassessed`.

mod scope;

use std::fmt;

use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Triage;
use crate::manifest::Label;
use crate::words::{ENGLISH, Words};

pub(crate) use scope::reasons;
pub use scope::{Reason, ReasonKind};

/// The id and the name of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelName {
    /// The label's id.
    pub id: String,
    /// The label's name in the query's language.
    pub name: String,
}

/// Which labels can't be excluded, in descending order of probability; or why there is no verdict.
///
/// A label can't be excluded where its calibrated probability is at or over its operating point. Where labels exclude
/// each other and none reaches its operating point, the most probable label can't be excluded. Labels of equal
/// probability are in the manifest's order.
///
/// `Display` gives the verdict as a sentence in English. In JSON it is an object:
///
/// ```
/// use bedside::Verdict;
///
/// let json = r#"{"kind": "single", "labels": ["nevus"], "names": ["Nevus"], "reasons": []}"#;
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
    /// No label reached its operating point. Only models whose labels don't exclude each other give this. It does not
    /// exclude disease.
    NoFinding,
    /// No verdict, since the picture is out of scope: the reasons say why and what to do.
    Rejected(Vec<Reason>),
}

impl Verdict {
    /// The names of all kinds, in the order of declaration.
    pub const KINDS: &'static [&'static str] = &["single", "several", "no_finding", "rejected"];

    /// The name of the kind in reports and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::Verdict::NoFinding.kind(), "no_finding");
    /// ```
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Verdict::Single(_) => "single",
            Verdict::Several(_) => "several",
            Verdict::NoFinding => "no_finding",
            Verdict::Rejected(_) => "rejected",
        }
    }

    /// The labels that can't be excluded; empty for `NoFinding` and `Rejected`.
    ///
    /// ```
    /// assert!(bedside::Verdict::NoFinding.labels().is_empty());
    /// ```
    #[must_use]
    pub fn labels(&self) -> &[LabelName] {
        match self {
            Verdict::Single(label) => std::slice::from_ref(label),
            Verdict::Several(labels) => labels,
            Verdict::NoFinding | Verdict::Rejected(_) => &[],
        }
    }

    /// Why there is no verdict; empty where there is one.
    ///
    /// ```
    /// assert!(bedside::Verdict::NoFinding.reasons().is_empty());
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
    /// The verdict as a sentence.
    pub(crate) fn sentence(&self, words: &Words) -> String {
        let names: Vec<&str> = self.labels().iter().map(|label| label.name.as_str()).collect();
        let sentence = match self {
            Verdict::Single(_) => words.verdict_single,
            Verdict::Several(_) => words.verdict_several,
            Verdict::NoFinding => words.verdict_no_finding,
            Verdict::Rejected(_) => words.verdict_rejected,
        };
        sentence.replace("{labels}", &names.join(", "))
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ids: Vec<&str> = self.labels().iter().map(|label| label.id.as_str()).collect();
        let names: Vec<&str> = self.labels().iter().map(|label| label.name.as_str()).collect();
        let mut object = serializer.serialize_struct("Verdict", 4)?;
        object.serialize_field("kind", self.kind())?;
        object.serialize_field("labels", &ids)?;
        object.serialize_field("names", &names)?;
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
            reasons: Vec<Reason>,
        }
        let Fields { kind, labels, names, reasons } = Fields::deserialize(deserializer)?;
        let named = labels.len() == names.len();
        let mut labels: Vec<LabelName> =
            labels.into_iter().zip(names).map(|(id, name)| LabelName { id, name }).collect();
        match (kind.as_str(), labels.len(), reasons.len()) {
            ("single", 1, 0) if named => Ok(Verdict::Single(labels.remove(0))),
            ("several", 2.., 0) if named => Ok(Verdict::Several(labels)),
            ("no_finding", 0, 0) if named => Ok(Verdict::NoFinding),
            ("rejected", 0, 1..) if named => Ok(Verdict::Rejected(reasons)),
            _ => Err(D::Error::custom(format_args!("a verdict `{kind}` with other labels or reasons than it has"))),
        }
    }
}

/// The verdict and the triage of a picture that is in scope. `probabilities` has one calibrated probability for each
/// label; names are in `language`.
pub(crate) fn judge(labels: &[Label], probabilities: &[f32], multi_label: bool, language: &str) -> (Verdict, Triage) {
    let mut ranked: Vec<(&Label, f32)> = labels.iter().zip(probabilities.iter().copied()).collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let likeliest = ranked.first().map(|(label, _)| *label);
    let mut not_excluded: Vec<&Label> = ranked.into_iter().filter(|(l, p)| is_over(l, *p)).map(|(l, _)| l).collect();
    if not_excluded.is_empty() && !multi_label {
        not_excluded.extend(likeliest);
    }

    let highest = not_excluded.iter().map(|label| label.triage).fold(Triage::NoSign, Triage::or_higher);
    let named = |label: &&Label| LabelName { id: label.id.clone(), name: label.name_in(language).to_owned() };
    match <[LabelName; 1]>::try_from(not_excluded.iter().map(named).collect::<Vec<_>>()) {
        Ok([only]) => (Verdict::Single(only), highest),
        Err(none) if none.is_empty() => (Verdict::NoFinding, Triage::NoSign),
        Err(several) => (Verdict::Several(several), highest.or_higher(Triage::Refer)),
    }
}

/// Whether a calibrated probability is at or over the label's operating point.
pub(crate) fn is_over(label: &Label, probability: f32) -> bool {
    probability >= label.operating_point()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::Text;

    fn label(id: &str, operating_point: f32, triage: Triage) -> Label {
        Label { id: id.into(), name: Text::from([("en", id)]), operating_point: Some(operating_point), triage }
    }

    fn skin() -> Vec<Label> {
        vec![
            label("melanoma", 0.2, Triage::Urgent),
            label("nevus", 0.6, Triage::NoSign),
            label("keratosis", 0.5, Triage::NoSign),
        ]
    }

    /// The verdict's kind, the ids of its labels, and the triage.
    fn judged(labels: &[Label], probabilities: &[f32], multi_label: bool) -> (&'static str, Vec<String>, Triage) {
        let (verdict, triage) = judge(labels, probabilities, multi_label, "en");
        (verdict.kind(), verdict.labels().iter().map(|label| label.id.clone()).collect(), triage)
    }

    fn expected(kind: &'static str, ids: &[&str], triage: Triage) -> (&'static str, Vec<String>, Triage) {
        (kind, ids.iter().map(|&id| id.into()).collect(), triage)
    }

    #[test]
    fn judge_gives_single_for_one_label_over_its_operating_point() {
        assert_eq!(judged(&skin(), &[0.1, 0.8, 0.1], false), expected("single", &["nevus"], Triage::NoSign));
        assert_eq!(judged(&skin(), &[0.4, 0.5, 0.1], false), expected("single", &["melanoma"], Triage::Urgent));
    }

    #[test]
    fn judge_counts_an_operating_point_reached_exactly() {
        assert_eq!(judged(&skin(), &[0.2, 0.59, 0.21], false), expected("single", &["melanoma"], Triage::Urgent));
    }

    #[test]
    fn judge_gives_several_in_order_of_probability_and_at_least_refer() {
        let labels = [label("a", 0.3, Triage::NoSign), label("b", 0.3, Triage::NoSign)];
        assert_eq!(judged(&labels, &[0.4, 0.6], false), expected("several", &["b", "a"], Triage::Refer));
    }

    #[test]
    fn judge_gives_the_likeliest_label_where_none_reaches_its_operating_point() {
        assert_eq!(judged(&skin(), &[0.15, 0.45, 0.4], false), expected("single", &["nevus"], Triage::NoSign));
    }

    #[test]
    fn judge_gives_no_finding_for_multi_label_only() {
        assert_eq!(judged(&skin(), &[0.1, 0.5, 0.4], true), expected("no_finding", &[], Triage::NoSign));
        let both = expected("several", &["melanoma", "nevus"], Triage::Urgent);
        assert_eq!(judged(&skin(), &[0.9, 0.9, 0.4], true), both);
    }

    fn level(triage: Triage) -> u8 {
        match triage {
            Triage::NoSign => 0,
            Triage::Refer => 1,
            Triage::Urgent => 2,
            Triage::Unassessed => unreachable!("judge rejects nothing"),
        }
    }

    fn any_level() -> impl Strategy<Value = Triage> {
        prop_oneof![Just(Triage::NoSign), Just(Triage::Refer), Just(Triage::Urgent)]
    }

    proptest! {
        #[test]
        fn judge_triage_is_never_below_that_of_a_label_over_its_operating_point(
            rows in prop::collection::vec((0f32..=1.0, 0f32..=1.0, any_level()), 1..8),
            multi_label: bool,
        ) {
            let labels: Vec<Label> =
                rows.iter().enumerate().map(|(i, &(_, point, level))| label(&i.to_string(), point, level)).collect();
            let probabilities: Vec<f32> = rows.iter().map(|r| r.0).collect();
            let (verdict, triage) = judge(&labels, &probabilities, multi_label, "en");
            for (probability, operating_point, wanted) in &rows {
                if probability >= operating_point {
                    prop_assert!(level(triage) >= level(*wanted));
                }
            }
            let over = rows.iter().filter(|(p, point, _)| p >= point).count();
            match &verdict {
                Verdict::Several(labels) => {
                    prop_assert!(triage != Triage::NoSign);
                    prop_assert_eq!(labels.len(), over);
                }
                Verdict::Single(_) => prop_assert!(over <= 1),
                Verdict::NoFinding => prop_assert!(multi_label && over == 0),
                Verdict::Rejected(_) => prop_assert!(false, "judge rejects nothing"),
            }
        }
    }
}
