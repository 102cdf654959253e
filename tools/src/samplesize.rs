//! How many patients a stated bound takes: the numbers behind `bedside samplesize`.
//!
//! Patients are independent, and pictures of one patient are not: count patients. All plans are for patients whom the
//! model has not learnt from, and whose results chose nothing.

use serde::Serialize;

use crate::statistics::proportion::{Proportion, smallest_sample};
use crate::statistics::special::{inverse_regularized_beta, regularized_beta};
use crate::statistics::{Confidence, Undefined, largest_rank};

/// More failures than this are not looked for.
const MAX_FAILURES: u64 = 20_000;

/// More patients than this are not looked for.
const MAX_PATIENTS: f64 = 1e9;

/// The patients that a bound takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ForBound {
    /// How many of them may fail.
    pub failures: u64,
    /// The smallest number of patients whose one-sided upper bound is then at most the wanted one.
    pub patients: u64,
}

/// For each number of failures, how many patients make the exact one-sided upper bound (Clopper and Pearson) of their
/// share at most `bound`.
///
/// # Errors
/// [`Undefined::OutOfRange`] where the bound is not above 0 and at most 1, and [`Undefined::TooMany`] where more than 10⁹
/// patients would be needed.
///
/// ```
/// use bedside_tools::samplesize::for_bound;
/// use bedside_tools::statistics::Confidence;
///
/// let found = for_bound(0.05, 0..=2, Confidence::P95)?;
/// assert_eq!(found.iter().map(|f| f.patients).collect::<Vec<_>>(), [59, 93, 124]);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn for_bound(
    bound: f64,
    failures: impl IntoIterator<Item = u64>,
    confidence: Confidence,
) -> Result<Vec<ForBound>, Undefined> {
    let of = |failures| Ok(ForBound { failures, patients: smallest_sample(failures, bound, confidence)? });
    failures.into_iter().map(of).collect()
}

/// How many of these patients may fail so that the upper bound of their share is at most `bound`; none where even no
/// failure is too many.
///
/// # Errors
/// [`Undefined::OutOfRange`] where the bound is not above 0 and at most 1, and [`Undefined::Empty`] for no patients.
///
/// ```
/// use bedside_tools::samplesize::failures_allowed;
/// use bedside_tools::statistics::Confidence;
///
/// assert_eq!(failures_allowed(400, 0.05, Confidence::P95), Ok(Some(12)));
/// assert_eq!(failures_allowed(58, 0.05, Confidence::P95), Ok(None));
/// ```
pub fn failures_allowed(patients: u64, bound: f64, confidence: Confidence) -> Result<Option<u64>, Undefined> {
    if !(bound > 0.0 && bound <= 1.0) {
        return Err(Undefined::OutOfRange("bound"));
    }
    let is_allowed = |failures| Ok(Proportion::new(failures, patients)?.upper_bound(confidence) <= bound);
    // The bound grows with the failures: the first that is not allowed is halved out.
    let (mut allowed, mut refused) = (0, patients.checked_add(1).ok_or(Undefined::OutOfRange("number of patients"))?);
    while allowed < refused {
        let middle = allowed + (refused - allowed) / 2;
        if middle <= patients && is_allowed(middle)? {
            allowed = middle + 1;
        } else {
            refused = middle;
        }
    }
    Ok(allowed.checked_sub(1))
}

/// The patients that a threshold takes which is an order statistic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ForThreshold {
    /// Which of the patients' values the threshold is, from the smallest: k = ⌊(n + 1) · miss⌋.
    pub rank: u64,
    /// The smallest number of patients with the label for which it is that one: n.
    pub patients: u64,
    /// The share of new patients that is missed on average: k/(n + 1), at most the stated one.
    pub expected: f64,
    /// What the share of one such threshold stays under with the confidence: a quantile of Beta(k, n + 1 − k).
    pub upper: f64,
}

/// For each rank, how many patients with the label a threshold takes that misses at most a share `miss` of new ones on
/// average ([`threshold`](crate::statistics::conformal::threshold)). With fewer than those of rank 1 the label is always
/// in.
///
/// # Errors
/// [`Undefined::OutOfRange`] where the miss is not above 0 and below 1, or a rank is 0; [`Undefined::TooMany`] where one
/// takes more than 10⁹ patients.
///
/// ```
/// use bedside_tools::samplesize::for_threshold;
/// use bedside_tools::statistics::Confidence;
///
/// // (49 + 1) · 0.02 = 1: the smallest of 49 values.
/// let found = for_threshold(0.02, [1, 5], Confidence::P95)?;
/// assert_eq!((found[0].patients, found[1].patients), (49, 249));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn for_threshold(
    miss: f64,
    ranks: impl IntoIterator<Item = u64>,
    confidence: Confidence,
) -> Result<Vec<ForThreshold>, Undefined> {
    if !(miss > 0.0 && miss < 1.0) {
        return Err(Undefined::OutOfRange("miss"));
    }
    ranks.into_iter().map(|rank| at_rank(miss, rank, confidence)).collect()
}

fn at_rank(miss: f64, rank: u64, confidence: Confidence) -> Result<ForThreshold, Undefined> {
    let quotient = rank as f64 / miss;
    if rank == 0 {
        return Err(Undefined::OutOfRange("rank"));
    }
    if quotient > MAX_PATIENTS {
        return Err(Undefined::TooMany);
    }
    // The quotient may be off by one in f64; the rule of the threshold decides.
    let from = (quotient as usize).saturating_sub(2).max(1);
    let total = (from..from + 5).find(|&n| largest_rank(n, miss) as u64 >= rank).ok_or(Undefined::NotConverged)?;
    let (rank_f, patients) = (rank as f64, total as u64 - 1);
    Ok(ForThreshold {
        rank,
        patients,
        expected: rank_f / total as f64,
        upper: inverse_regularized_beta(rank_f, total as f64 - rank_f, confidence.level())?,
    })
}

/// The fewest patients with the label from which on a threshold, whose miss is `miss` on average, stays under `limit`
/// with the confidence.
///
/// # Errors
/// As [`for_threshold`]; [`Undefined::OutOfRange`] where the limit is not above the miss and below 1, and
/// [`Undefined::TooMany`] where it takes a rank over 20,000.
///
/// ```
/// use bedside_tools::samplesize::for_threshold_within;
/// use bedside_tools::statistics::Confidence;
///
/// let found = for_threshold_within(0.02, 0.05, Confidence::P95)?;
/// assert!(found.upper <= 0.05 && found.expected <= 0.02);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn for_threshold_within(miss: f64, limit: f64, confidence: Confidence) -> Result<ForThreshold, Undefined> {
    if !(miss > 0.0 && limit > miss && limit < 1.0) {
        return Err(Undefined::OutOfRange("limit"));
    }
    for rank in 1..=MAX_FAILURES {
        let found = at_rank(miss, rank, confidence)?;
        if found.upper <= limit {
            return Ok(found);
        }
    }
    Err(Undefined::TooMany)
}

/// The patients that an interval takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ForWidth {
    /// Those with the label.
    pub with_label: u64,
    /// All, where this share of them has it.
    pub all: u64,
}

/// How many patients give a sensitivity near `expected` an interval of `half_width` to either side, where a share
/// `prevalence` of the patients has the label (Buderer 1996, Acad. Emerg. Med. 3:895). The interval is Wilson's, as an
/// evaluation has it; of the normal approximation, which Buderer takes, fewer would seem enough near 1.
///
/// # Errors
/// [`Undefined::OutOfRange`] where an argument is not above 0 and below 1, a half width not below 0.5, or a prevalence not
/// at most 1;
/// [`Undefined::TooMany`] where it takes more than 10⁹ patients.
///
/// ```
/// use bedside_tools::samplesize::for_half_width;
/// use bedside_tools::statistics::Confidence;
///
/// let found = for_half_width(0.9, 0.05, 0.2, Confidence::P95)?;
/// assert_eq!((found.with_label, found.all), (141, 705));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn for_half_width(
    expected: f64,
    half_width: f64,
    prevalence: f64,
    confidence: Confidence,
) -> Result<ForWidth, Undefined> {
    let is_inside = |value: f64| value > 0.0 && value < 1.0;
    if !(is_inside(expected) && is_inside(half_width)) {
        return Err(Undefined::OutOfRange("share"));
    }
    if !(prevalence > 0.0 && prevalence <= 1.0) {
        return Err(Undefined::OutOfRange("prevalence"));
    }
    if half_width >= 0.5 {
        return Err(Undefined::OutOfRange("half width"));
    }
    // With u = z² / n, Wilson's half width w has w² (1 + u)² = p (1 − p) u + u² / 4.
    let (variance, square) = (expected * (1.0 - expected), half_width * half_width);
    let (a, b) = (0.25 - square, variance - 2.0 * square);
    let u = 2.0 * square / (b + libm::sqrt(b * b + 4.0 * a * square));
    let patients = confidence.z().powi(2) / u;
    if patients / prevalence > MAX_PATIENTS {
        return Err(Undefined::TooMany);
    }
    Ok(ForWidth { with_label: patients.ceil() as u64, all: (patients / prevalence).ceil() as u64 })
}

/// The patients that a model takes to pass a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ForPower {
    /// The first number with which it passes as likely as wanted.
    pub first: u64,
    /// The number from which on it does with each.
    pub from_on: u64,
}

/// How many patients let a model pass `bound` with a probability of at least `power`, where a share `rate` of them
/// fails.
///
/// The probability falls with each patient until one more failure is allowed, so that `first` and `from_on` differ.
///
/// # Errors
/// [`Undefined::OutOfRange`] where the rate is not 0 or above and below the bound, the bound not below 1, or the power not
/// above 0 and below 1; [`Undefined::TooMany`] where more than 20,000 must be let fail.
///
/// ```
/// use bedside_tools::samplesize::for_power;
/// use bedside_tools::statistics::Confidence;
///
/// // A model that fails for 1 % passes a bound of 5 % in four of five studies of 124 patients.
/// assert_eq!(for_power(0.01, 0.05, 0.8, Confidence::P95)?.first, 124);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn for_power(rate: f64, bound: f64, power: f64, confidence: Confidence) -> Result<ForPower, Undefined> {
    /// After so many numbers of failures that pass with all their patients, the others do.
    const CERTAIN: u64 = 20;
    if !(rate >= 0.0 && rate < bound && bound < 1.0) {
        return Err(Undefined::OutOfRange("rate"));
    }
    if !(power > 0.0 && power < 1.0) {
        return Err(Undefined::OutOfRange("power"));
    }
    let (mut first, mut from_on) = (None, None);
    let mut passed = 0;
    let mut patients = smallest_sample(0, bound, confidence)?;
    for failures in 0..MAX_FAILURES {
        let next = smallest_sample(failures + 1, bound, confidence)?;
        // With the same number allowed, more patients pass less often: the ends are those of all between.
        if passes(failures, patients, rate)? >= power {
            first = first.or(Some(patients));
        }
        if passes(failures, next - 1, rate)? >= power {
            from_on = from_on.or(Some(patients));
            passed += 1;
        } else {
            (from_on, passed) = (None, 0);
        }
        if let (Some(first), Some(from_on)) = (first, from_on)
            && passed > CERTAIN
        {
            return Ok(ForPower { first, from_on });
        }
        patients = next;
    }
    Err(Undefined::TooMany)
}

/// The probability of at most this many failures.
fn passes(failures: u64, patients: u64, rate: f64) -> Result<f64, Undefined> {
    if failures >= patients {
        return Ok(1.0);
    }
    Ok(1.0 - regularized_beta((failures + 1) as f64, (patients - failures) as f64, rate)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_have_the_values_of_the_plan() {
        let found = for_bound(0.05, [0, 1, 12], Confidence::P95).expect("in range");
        assert_eq!(found.iter().map(|f| f.patients).collect::<Vec<_>>(), [59, 93, 386]);
        assert_eq!(for_bound(0.0, [0], Confidence::P95), Err(Undefined::OutOfRange("bound")));
    }

    #[test]
    fn allowed_failures_have_an_upper_bound_that_is_low_enough() {
        for patients in [1, 59, 93, 400, 1000] {
            let allowed = failures_allowed(patients, 0.05, Confidence::P95).expect("in range");
            let bound = |k| Proportion::new(k, patients).expect("in range").upper_bound(Confidence::P95);
            let next = allowed.map_or(0, |k| k + 1);
            assert!(allowed.is_none_or(|k| bound(k) <= 0.05) && bound(next) > 0.05, "{patients}: {allowed:?}");
        }
        assert_eq!(failures_allowed(5, 1.0, Confidence::P95), Ok(Some(5)));
        assert_eq!(failures_allowed(0, 0.05, Confidence::P95), Err(Undefined::Empty));
    }

    #[test]
    fn threshold_of_rank_one_is_the_smallest_of_all() {
        // k/(n + 1) is the stated miss; of the smallest of n, P(miss > x) = (1 − x)ⁿ.
        for (miss, patients) in [(0.01, 99), (0.02, 49), (0.05, 19), (0.1, 9)] {
            let found = for_threshold(miss, [1], Confidence::P95).expect("in range")[0];
            assert_eq!(found.patients, patients);
            assert!((found.expected - miss).abs() < 1e-12);
            assert!((found.upper - (1.0 - 0.05f64.powf(1.0 / patients as f64))).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(for_threshold(0.0, [1], Confidence::P95), Err(Undefined::OutOfRange("miss")));
        assert_eq!(for_threshold(0.1, [0], Confidence::P95), Err(Undefined::OutOfRange("rank")));
    }

    #[test]
    fn threshold_with_one_patient_fewer_has_a_lower_rank() {
        for miss in [0.007, 0.02, 0.036, 0.072, 0.29] {
            for found in for_threshold(miss, 1..60, Confidence::P95).expect("in range") {
                assert_eq!(largest_rank(found.patients as usize + 1, miss) as u64, found.rank);
                assert_eq!(largest_rank(found.patients as usize, miss) as u64, found.rank - 1);
            }
        }
    }

    #[test]
    fn threshold_within_a_limit_is_the_first() {
        let found = for_threshold_within(0.02, 0.03, Confidence::P95).expect("in range");
        let before = for_threshold(0.02, [found.rank - 1], Confidence::P95).expect("in range")[0];
        assert!(found.upper <= 0.03 && before.upper > 0.03, "{found:?} {before:?}");
        assert_eq!(for_threshold_within(0.02, 0.02, Confidence::P95), Err(Undefined::OutOfRange("limit")));
    }

    /// The first n whose Wilson interval is narrow enough, by a search in Python.
    #[test]
    fn half_width_is_that_of_wilson() {
        for (expected, patients) in [(0.9, 141), (0.97, 61), (0.99, 43)] {
            let found = for_half_width(expected, 0.05, 1.0, Confidence::P95).expect("in range");
            assert_eq!((found.with_label, found.all), (patients, patients));
        }
    }

    #[test]
    fn more_patients_than_are_looked_for_are_an_error() {
        let half_width = |half, prevalence| for_half_width(0.5, half, prevalence, Confidence::P95);
        // Of one half, n = z² (1 / 4w² − 1): 3.841459 · (25,000,000 − 1).
        assert_eq!(half_width(1e-4, 0.1), Ok(ForWidth { with_label: 96_036_467, all: 960_364_667 }));
        assert_eq!(half_width(0.5, 0.1), Err(Undefined::OutOfRange("half width")));
        assert_eq!(half_width(1e-4, 0.09), Err(Undefined::TooMany));
        assert_eq!(half_width(1e-300, 1.0), Err(Undefined::TooMany));
        assert_eq!(for_threshold(1e-8, [11], Confidence::P95), Err(Undefined::TooMany));
        assert_eq!(for_threshold_within(0.02, 0.020_001, Confidence::P95), Err(Undefined::TooMany));
        assert_eq!(for_bound(0.05, [100_000_000], Confidence::P95), Err(Undefined::TooMany));
        assert_eq!(for_power(0.049_999_9, 0.05, 0.8, Confidence::P95), Err(Undefined::TooMany));
    }

    #[test]
    fn power_of_a_model_that_never_fails_is_that_of_the_first_bound() {
        assert_eq!(for_power(0.0, 0.05, 0.9, Confidence::P95), Ok(ForPower { first: 59, from_on: 59 }));
        assert_eq!(for_power(0.05, 0.05, 0.9, Confidence::P95), Err(Undefined::OutOfRange("rate")));
    }
}
