//! The statistics of calibrating and evaluating a classifier: pure functions of numbers, which read and print nothing.
//!
//! | module | what it computes |
//! |---|---|
//! | [`proportion`] | intervals of k of n, also where patients have several pictures; predictive values; sample sizes |
//! | [`auc`] | area under the ROC curve, its interval, two models compared, false positives at a sensitivity |
//! | [`bootstrap`] | intervals of any statistic, by drawing patients |
//! | [`calibration`] | Brier score, NLL, ECE, calibration intercept and slope, temperature |
//! | [`conformal`] | operating points by conformal prediction, what they promise, and when `no_sign` is allowed |
//! | [`risk`] | risk and coverage, confusion of triage and truth |
//! | [`special`] | the functions that these rest on: incomplete beta, log-gamma, normal and Student quantiles |
//!
//! All arithmetic is in f64. Logarithms, exponentials and the like are those of `libm`, so that the same numbers give
//! the same results on all platforms. What has no value is an [`Undefined`] or a `None`, and never 0 or NaN.
//!
//! A case is one observation: a picture, or a patient where a function says so. Where a patient has several pictures,
//! the pictures are not independent: take [`proportion::clustered`] or [`bootstrap`], or one value a patient.

pub mod auc;
pub mod bootstrap;
pub mod calibration;
pub mod conformal;
pub mod proportion;
pub mod risk;
pub mod special;

use std::cmp::Ordering;

use thiserror::Error;

/// Why a statistic has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Undefined {
    /// There are no cases.
    #[error("there are no cases")]
    Empty,
    /// The cases are all positive, or all negative.
    #[error("all cases are of one class; cases of both are needed")]
    OneClass,
    /// There are too few cases or groups for a variance.
    #[error("there are too few cases for a variance; at least two of each kind are needed")]
    TooFew,
    /// The variance is 0, or the values are all equal: the data do not say how uncertain the statistic is.
    #[error("the values do not vary, so that they do not say how uncertain the statistic is")]
    NoVariation,
    /// Lists that have an entry for each case differ in length.
    #[error("lists of the same cases differ in length")]
    Lengths,
    /// An argument is out of the range that the function states. The text is the argument's name.
    #[error("{0} is out of its range")]
    OutOfRange(&'static str),
    /// More cases, or more failures among them, would be needed than are looked for.
    #[error(
        "it takes more patients than are looked for: over 1,000,000,000, or over 20,000 who fail; ask for a larger share \
         or a wider interval"
    )]
    TooMany,
    /// A covariate separates the classes, so that a logistic regression has no finite maximum.
    #[error("the log-odds separate the classes: logistic regression has no finite maximum; more cases are needed")]
    Separated,
    /// The loss is infinite: what happened had a probability of 0.
    #[error("what happened had a probability of 0, so that the loss is infinite")]
    Infinite,
    /// An iteration did not come to rest.
    #[error("the iteration did not converge")]
    NotConverged,
    /// Too many bootstrap replicates have no value, so that percentiles of the others would be biased.
    #[error("the statistic has no value in too many bootstrap replicates; more groups are needed")]
    Replicates,
}

/// A confidence level: the share of repeated studies whose interval would hold the true value. Above 0 and below 1.
///
/// ```
/// use bedside_tools::statistics::{Confidence, Undefined};
///
/// assert_eq!(Confidence::new(0.95), Ok(Confidence::P95));
/// assert_eq!(Confidence::new(95.0), Err(Undefined::OutOfRange("confidence level")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// 95 %.
    pub const P95: Self = Self(0.95);

    /// # Errors
    /// [`Undefined::OutOfRange`] where the level is not above 0 and below 1.
    pub fn new(level: f64) -> Result<Self, Undefined> {
        if level > 0.0 && level < 1.0 { Ok(Self(level)) } else { Err(Undefined::OutOfRange("confidence level")) }
    }

    /// The level, between 0 and 1.
    #[must_use]
    pub fn level(self) -> f64 {
        self.0
    }

    /// The share of studies whose interval does not hold the true value: α.
    fn alpha(self) -> f64 {
        1.0 - self.0
    }

    /// The normal quantile z of a two-sided interval: 1.96 for 95 %.
    pub(crate) fn z(self) -> f64 {
        special::upper_normal_quantile(self.alpha() / 2.0)
    }
}

/// An interval with both of its ends.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end, no lower than `lower`.
    pub upper: f64,
}

impl Interval {
    /// Whether a value lies in the interval, its ends included.
    ///
    /// ```
    /// use bedside_tools::statistics::Interval;
    ///
    /// let interval = Interval { lower: 0.25, upper: 0.75 };
    /// assert!(interval.contains(0.25) && !interval.contains(0.8));
    /// ```
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }
}

/// An estimate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The estimated value.
    pub value: f64,
    /// The standard deviation of the estimator, 0 or above, in the unit of `value`.
    pub standard_error: f64,
}

impl Estimate {
    /// The interval of an estimator whose errors are normal: value ∓ z · standard error (Wald).
    ///
    /// ```
    /// use bedside_tools::statistics::{Confidence, Estimate};
    ///
    /// let interval = Estimate { value: 1.0, standard_error: 0.5 }.interval(Confidence::P95);
    /// assert!((interval.lower - 0.0200).abs() < 1e-4 && (interval.upper - 1.9800).abs() < 1e-4);
    /// ```
    #[must_use]
    pub fn interval(self, confidence: Confidence) -> Interval {
        let half = confidence.z() * self.standard_error;
        Interval { lower: self.value - half, upper: self.value + half }
    }
}

/// Whether values are equal, so that no order and no threshold can part them: 0 and −0 are.
fn is_tied(first: f64, second: f64) -> bool {
    first.partial_cmp(&second) == Some(Ordering::Equal)
}

/// The arithmetic mean of at least one value.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Fails unless there is a case, and both lists have an entry for each.
fn check_lengths(first: usize, second: usize) -> Result<(), Undefined> {
    if first != second {
        return Err(Undefined::Lengths);
    }
    if first == 0 { Err(Undefined::Empty) } else { Ok(()) }
}

/// Fails unless each value is a probability.
fn check_probabilities(values: &[f64]) -> Result<(), Undefined> {
    let all = values.iter().all(|p| (0.0..=1.0).contains(p));
    if all { Ok(()) } else { Err(Undefined::OutOfRange("probability")) }
}

/// The largest whole k with k/n at most `share`, which is 0…1.
///
/// The quotient is compared, as ⌊n · share⌋ is one too small for 100 · 0.29, whose product is below 29 in f64.
pub(crate) fn largest_rank(n: usize, share: f64) -> usize {
    let product = (n as f64 * share).floor() as usize;
    if product < n && (product + 1) as f64 / n as f64 <= share {
        return product + 1;
    }
    if product as f64 / n as f64 > share { product - 1 } else { product }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_between_0_and_1() {
        for level in [0.0, 1.0, -0.5, 1.5, f64::NAN] {
            assert_eq!(Confidence::new(level), Err(Undefined::OutOfRange("confidence level")));
        }
        assert_eq!(Confidence::new(0.9).map(Confidence::level), Ok(0.9));
    }

    #[test]
    fn largest_rank_is_that_of_exact_arithmetic() {
        for n in 1..=300 {
            for hundredths in 0..=100 {
                let found = largest_rank(n, hundredths as f64 / 100.0);
                assert_eq!(found, n * hundredths / 100, "{n} · {hundredths} %");
            }
        }
    }

    #[test]
    fn largest_rank_needs_the_whole_share() {
        for n in 1..=300 {
            for rank in 1..=n {
                let share = rank as f64 / n as f64;
                assert_eq!(
                    (largest_rank(n, share), largest_rank(n, share.next_down())),
                    (rank, rank - 1),
                    "{rank} of {n}"
                );
            }
        }
    }
}
