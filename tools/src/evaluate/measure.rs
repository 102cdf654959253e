//! A value, or why there is none; and shares with their intervals.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::statistics::proportion::{Proportion, clustered};
use crate::statistics::{Confidence, Estimate, Interval, Undefined};

/// A value, or why there is none.
///
/// In JSON a value is itself, and in place of others stands `{"undefined": "why"}` or `{"not_estimable": {"patients": 7,
/// "needed": 20}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure<T> {
    /// The value.
    Value(T),
    /// It has none.
    Undefined(Undefined),
    /// It has one that says nothing: there are too few patients.
    NotEstimable {
        /// How many there are.
        patients: u64,
        /// How many are needed.
        needed: u64,
    },
}

impl<T> Measure<T> {
    /// The value.
    pub fn value(self) -> Option<T> {
        if let Self::Value(value) = self { Some(value) } else { None }
    }

    /// The same measure of another value.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Measure<U> {
        match self {
            Self::Value(value) => Measure::Value(of(value)),
            Self::Undefined(why) => Measure::Undefined(why),
            Self::NotEstimable { patients, needed } => Measure::NotEstimable { patients, needed },
        }
    }

    /// Why there is no value, in few words; none where there is one.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Value(_) => None,
            Self::Undefined(why) => Some(format!("undefined: {}", short(*why))),
            Self::NotEstimable { patients, needed } => Some(format!("not estimable: {patients} of {needed} patients")),
        }
    }

    /// The measure where there are enough patients.
    pub(super) fn with_min_patients(self, patients: u64, needed: u64) -> Self {
        if patients < needed { Self::NotEstimable { patients, needed } } else { self }
    }
}

/// A reason that fits into a table.
fn short(why: Undefined) -> &'static str {
    match why {
        Undefined::Empty => "no pictures",
        Undefined::OneClass => "pictures of one class only",
        Undefined::TooFew => "too few for a variance",
        Undefined::NoVariation => "no variation",
        Undefined::Separated => "a value separates the classes",
        Undefined::Infinite => "infinite",
        Undefined::NotConverged => "did not converge",
        Undefined::Replicates => "too few patients to draw from",
        Undefined::Lengths | Undefined::OutOfRange(_) | Undefined::TooMany => "out of range",
    }
}

impl<T> From<Result<T, Undefined>> for Measure<T> {
    fn from(result: Result<T, Undefined>) -> Self {
        result.map_or_else(Self::Undefined, Self::Value)
    }
}

impl<T: Serialize> Serialize for Measure<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Undefined(why) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("undefined", &why.to_string())?;
                map.end()
            }
            Self::NotEstimable { patients, needed } => {
                let counts = BTreeMap::from([("patients", patients), ("needed", needed)]);
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("not_estimable", &counts)?;
                map.end()
            }
        }
    }
}

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Ranged {
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: Measure<Interval>,
}

impl Ranged {
    /// An estimate whose errors are normal.
    pub(super) fn normal(estimate: Estimate, confidence: Confidence) -> Self {
        let interval = if estimate.standard_error > 0.0 {
            Measure::Value(estimate.interval(confidence))
        } else {
            Measure::Undefined(Undefined::NoVariation)
        };
        Self { value: estimate.value, interval }
    }
}

/// A share of pictures.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Rate {
    /// How many of the pictures.
    pub count: u64,
    /// All pictures.
    pub pictures: u64,
    /// The patients whose pictures they are.
    pub patients: u64,
    /// The share, and its interval: Wilson's where each patient has one picture, and by patients elsewhere.
    pub share: Measure<Ranged>,
}

impl Rate {
    /// The share of pictures for which something holds. Each has a patient.
    pub(super) fn of<'a>(pictures: impl IntoIterator<Item = (&'a str, bool)>, confidence: Confidence) -> Self {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (patient, holds) in pictures {
            let of_patient = counts.entry(patient).or_default();
            of_patient.0 += u64::from(holds);
            of_patient.1 += 1;
        }
        let patients = counts.len() as u64;
        let (count, pictures) = counts.values().fold((0, 0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
        let share = Proportion::new(count, pictures).map(|all| {
            let interval = if patients == pictures {
                Ok(all.wilson(confidence))
            } else {
                let each = counts.values().map(|&(k, n)| Proportion::new(k, n)).collect::<Result<Vec<_>, _>>();
                each.and_then(|each| clustered(&each, confidence)).map(|found| found.interval)
            };
            Ranged { value: all.value(), interval: interval.into() }
        });
        Self { count, pictures, patients, share: share.into() }
    }

    /// The same, but not estimable with fewer patients.
    pub(super) fn with_min_patients(mut self, needed: u64) -> Self {
        self.share = self.share.with_min_patients(self.patients, needed);
        self
    }
}
