//! What can't be excluded, and what a person should do about it.
//!
//! The rule, on the calibrated probabilities of all labels:
//!
//! - a scope question answered `no`, out of range, or required and left open: [`Verdict::Rejected`];
//! - labels that exclude each other: those at or over their operating point can't be excluded; where there are none,
//!   the likeliest can't;
//! - labels that don't: those at or over their operating point; where there are none, [`Verdict::NoFinding`].
//!
//! [`Triage`] is the highest level among these labels; several are at least `refer`; a rejected picture is `repeat`.

mod scope;

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::manifest::{Label, TriageLevel};

pub(crate) use scope::reasons;
pub use scope::{Reason, ReasonKind};

/// What can't be excluded. Labels are ids, likeliest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// One label can't be excluded.
    Single(String),
    /// These labels can't be excluded.
    Several(Vec<String>),
    /// No label reached its operating point. Only models whose labels don't exclude each other say so, and it does not
    /// exclude disease.
    NoFinding,
    /// No verdict: the reasons say what to do again.
    Rejected(Vec<Reason>),
}

impl Verdict {
    /// The name of the kind, the same in every language.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Verdict::Single(_) => "single",
            Verdict::Several(_) => "several",
            Verdict::NoFinding => "no_finding",
            Verdict::Rejected(_) => "rejected",
        }
    }

    /// The ids of the labels that can't be excluded.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        match self {
            Verdict::Single(label) => std::slice::from_ref(label),
            Verdict::Several(labels) => labels,
            Verdict::NoFinding | Verdict::Rejected(_) => &[],
        }
    }

    /// Why there is no verdict.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Verdict::Rejected(reasons) => reasons,
            _ => &[],
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Verdict", 3)?;
        object.serialize_field("kind", self.kind())?;
        object.serialize_field("labels", self.labels())?;
        object.serialize_field("reasons", self.reasons())?;
        object.end()
    }
}

/// What a person should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Triage {
    /// No sign found by this program that asks for more than usual care. This does not exclude disease.
    Routine,
    /// A clinician should look.
    Refer,
    /// A clinician should look soon.
    Urgent,
    /// Take the picture again, or mend what the reasons say.
    Repeat,
}

impl Triage {
    /// The name that reports and other languages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Triage::Routine => "routine",
            Triage::Refer => "refer",
            Triage::Urgent => "urgent",
            Triage::Repeat => "repeat",
        }
    }
}

impl fmt::Display for Triage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<TriageLevel> for Triage {
    fn from(level: TriageLevel) -> Triage {
        match level {
            TriageLevel::Routine => Triage::Routine,
            TriageLevel::Refer => Triage::Refer,
            TriageLevel::Urgent => Triage::Urgent,
        }
    }
}

/// The verdict and the triage for a picture that is in scope. `probabilities` are calibrated, one a label.
pub(crate) fn judge(labels: &[Label], probabilities: &[f32], multi_label: bool) -> (Verdict, Triage) {
    let mut ranked: Vec<(&Label, f32)> = labels.iter().zip(probabilities.iter().copied()).collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let likeliest = ranked.first().map(|(label, _)| *label);
    let mut open: Vec<&Label> = ranked.into_iter().filter(|(l, p)| is_over(l, *p)).map(|(l, _)| l).collect();
    if open.is_empty() && !multi_label {
        open.extend(likeliest);
    }

    let highest = open.iter().map(|label| label.triage).max().unwrap_or(TriageLevel::Routine);
    let ids: Vec<String> = open.iter().map(|label| label.id.clone()).collect();
    match <[String; 1]>::try_from(ids) {
        Ok([only]) => (Verdict::Single(only), highest.into()),
        Err(none) if none.is_empty() => (Verdict::NoFinding, Triage::Routine),
        Err(several) => (Verdict::Several(several), highest.max(TriageLevel::Refer).into()),
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

    fn label(id: &str, operating_point: f32, triage: TriageLevel) -> Label {
        Label { id: id.into(), name: Text::from([("en", id)]), operating_point: Some(operating_point), triage }
    }

    fn skin() -> Vec<Label> {
        vec![
            label("melanoma", 0.2, TriageLevel::Urgent),
            label("nevus", 0.6, TriageLevel::Routine),
            label("keratosis", 0.5, TriageLevel::Routine),
        ]
    }

    #[test]
    fn one_label_over_its_operating_point_is_single() {
        assert_eq!(judge(&skin(), &[0.1, 0.8, 0.1], false), (Verdict::Single("nevus".into()), Triage::Routine));
        assert_eq!(judge(&skin(), &[0.4, 0.5, 0.1], false), (Verdict::Single("melanoma".into()), Triage::Urgent));
    }

    #[test]
    fn an_operating_point_reached_exactly_counts() {
        assert_eq!(judge(&skin(), &[0.2, 0.59, 0.21], false).0, Verdict::Single("melanoma".into()));
    }

    #[test]
    fn several_labels_come_likeliest_first_and_are_at_least_refer() {
        let labels = [label("a", 0.3, TriageLevel::Routine), label("b", 0.3, TriageLevel::Routine)];
        assert_eq!(judge(&labels, &[0.4, 0.6], false), (Verdict::Several(vec!["b".into(), "a".into()]), Triage::Refer));
    }

    #[test]
    fn without_a_label_over_its_operating_point_the_likeliest_stands() {
        assert_eq!(judge(&skin(), &[0.15, 0.45, 0.4], false), (Verdict::Single("nevus".into()), Triage::Routine));
    }

    #[test]
    fn a_multi_label_model_may_find_nothing() {
        assert_eq!(judge(&skin(), &[0.1, 0.5, 0.4], true), (Verdict::NoFinding, Triage::Routine));
        let (verdict, triage) = judge(&skin(), &[0.9, 0.9, 0.4], true);
        assert_eq!((verdict.labels(), triage), (&["melanoma".to_owned(), "nevus".to_owned()][..], Triage::Urgent));
    }

    fn level(triage: Triage) -> u8 {
        match triage {
            Triage::Routine => 0,
            Triage::Refer => 1,
            Triage::Urgent => 2,
            Triage::Repeat => unreachable!("judge rejects nothing"),
        }
    }

    fn any_level() -> impl Strategy<Value = TriageLevel> {
        prop_oneof![Just(TriageLevel::Routine), Just(TriageLevel::Refer), Just(TriageLevel::Urgent)]
    }

    proptest! {
        #[test]
        fn triage_is_never_below_a_label_over_its_operating_point(
            rows in prop::collection::vec((0f32..=1.0, 0f32..=1.0, any_level()), 1..8),
            multi_label: bool,
        ) {
            let labels: Vec<Label> =
                rows.iter().enumerate().map(|(i, &(_, point, level))| label(&i.to_string(), point, level)).collect();
            let probabilities: Vec<f32> = rows.iter().map(|r| r.0).collect();
            let (verdict, triage) = judge(&labels, &probabilities, multi_label);
            for (probability, operating_point, wanted) in &rows {
                if probability >= operating_point {
                    prop_assert!(level(triage) >= level((*wanted).into()));
                }
            }
            let over = rows.iter().filter(|(p, point, _)| p >= point).count();
            match &verdict {
                Verdict::Several(labels) => {
                    prop_assert!(triage != Triage::Routine);
                    prop_assert_eq!(labels.len(), over);
                }
                Verdict::Single(_) => prop_assert!(over <= 1),
                Verdict::NoFinding => prop_assert!(multi_label && over == 0),
                Verdict::Rejected(_) => prop_assert!(false, "judge rejects nothing"),
            }
        }
    }
}
