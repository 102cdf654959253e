//! Proportions: intervals and bounds of k of n, of clusters, predictive values, and sample sizes.
//!
//! A [`Proportion`] counts independent cases. Pictures of one patient are not independent: count patients, or take
//! [`clustered`].

use super::special::{inverse_regularized_beta, regularized_beta, student_quantile};
use super::{Confidence, Interval, Undefined};

/// The largest number of cases: a thousand million.
const MAX_CASES: u64 = 1_000_000_000;

/// `count` of `cases` cases, of which there is at least one and at most 10⁹.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proportion {
    count: u64,
    cases: u64,
}

impl Proportion {
    /// # Errors
    /// [`Undefined::Empty`] where there are no cases, [`Undefined::OutOfRange`] where the count is above them, or they
    /// are more than 10⁹.
    ///
    /// ```
    /// use bedside_tools::statistics::{Undefined, proportion::Proportion};
    ///
    /// assert_eq!(Proportion::new(3, 4)?.value(), 0.75);
    /// assert_eq!(Proportion::new(0, 0), Err(Undefined::Empty));
    /// # Ok::<(), Undefined>(())
    /// ```
    pub fn new(count: u64, cases: u64) -> Result<Self, Undefined> {
        if cases == 0 {
            return Err(Undefined::Empty);
        }
        if cases > MAX_CASES {
            return Err(Undefined::OutOfRange("number of cases"));
        }
        if count > cases { Err(Undefined::OutOfRange("count")) } else { Ok(Self { count, cases }) }
    }

    /// How many of the cases.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// How many cases there are.
    #[must_use]
    pub fn cases(self) -> u64 {
        self.cases
    }

    /// k/n, between 0 and 1.
    #[must_use]
    pub fn value(self) -> f64 {
        self.count as f64 / self.cases as f64
    }

    /// The Wilson score interval: all π with |k/n − π| ≤ z √(π(1 − π)/n).
    ///
    /// Its ends are (p + z²/2n ∓ z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n) (Wilson 1927, J. Am. Stat. Assoc. 22:209;
    /// method 3 of Newcombe 1998, Stat. Med. 17:857). Its coverage is the confidence level on average, not always.
    ///
    /// ```
    /// use bedside_tools::statistics::{Confidence, proportion::Proportion};
    ///
    /// // Newcombe 1998, table I: 81 of 263.
    /// let interval = Proportion::new(81, 263)?.wilson(Confidence::P95);
    /// assert!((interval.lower - 0.2553).abs() < 5e-5 && (interval.upper - 0.3662).abs() < 5e-5);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    #[must_use]
    pub fn wilson(self, confidence: Confidence) -> Interval {
        wilson(self.value(), self.cases as f64, confidence.z())
    }

    /// The Clopper–Pearson ("exact") interval, whose coverage is never below the confidence level.
    ///
    /// Its ends are the α/2 quantile of Beta(k, n − k + 1) and the 1 − α/2 quantile of Beta(k + 1, n − k); 0 where k =
    /// 0, and 1 where k = n (Clopper and Pearson 1934, Biometrika 26:404).
    ///
    /// ```
    /// use bedside_tools::statistics::{Confidence, proportion::Proportion};
    ///
    /// // Newcombe 1998, table I: 81 of 263, method 5.
    /// let interval = Proportion::new(81, 263)?.clopper_pearson(Confidence::P95);
    /// assert!((interval.lower - 0.2527).abs() < 5e-5 && (interval.upper - 0.3676).abs() < 5e-5);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    #[must_use]
    pub fn clopper_pearson(self, confidence: Confidence) -> Interval {
        let tail = confidence.alpha() / 2.0;
        Interval { lower: self.lower_limit(tail), upper: self.upper_limit(tail) }
    }

    /// The one-sided Clopper–Pearson upper bound: the 1 − α quantile of Beta(k + 1, n − k), and 1 where k = n.
    ///
    /// It is the largest π at which as few as k of n are not rarer than α. With k = 0 it is 1 − α^(1/n), near 3/n for
    /// 95 % ("rule of three").
    ///
    /// ```
    /// use bedside_tools::statistics::{Confidence, proportion::Proportion};
    ///
    /// assert!(Proportion::new(0, 59)?.upper_bound(Confidence::P95) <= 0.05);
    /// assert!(Proportion::new(0, 58)?.upper_bound(Confidence::P95) > 0.05);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    #[must_use]
    pub fn upper_bound(self, confidence: Confidence) -> f64 {
        self.upper_limit(confidence.alpha())
    }

    /// The one-sided Clopper–Pearson lower bound: the α quantile of Beta(k, n − k + 1), and 0 where k = 0.
    ///
    /// ```
    /// use bedside_tools::statistics::{Confidence, proportion::Proportion};
    ///
    /// assert!(Proportion::new(59, 59)?.lower_bound(Confidence::P95) >= 0.95);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    #[must_use]
    pub fn lower_bound(self, confidence: Confidence) -> f64 {
        self.lower_limit(confidence.alpha())
    }

    fn lower_limit(self, tail: f64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        beta_quantile(self.count, self.cases - self.count + 1, tail)
    }

    fn upper_limit(self, tail: f64) -> f64 {
        if self.count == self.cases {
            return 1.0;
        }
        beta_quantile(self.count + 1, self.cases - self.count, 1.0 - tail)
    }
}

fn beta_quantile(a: u64, b: u64, p: f64) -> f64 {
    inverse_regularized_beta(a as f64, b as f64, p).expect("the shapes are 1 to 10⁹ + 1, and p is 0 to 1")
}

/// The Wilson interval of a share `p` of `n` cases, which need not be whole, for the quantile `z`.
fn wilson(p: f64, n: f64, z: f64) -> Interval {
    let square = z * z / n;
    let centre = p + square / 2.0;
    let half = (square * p * (1.0 - p) + square * square / 4.0).sqrt();
    // At 0 and 1 an end is p itself, but for rounding.
    let lower = if p > 0.0 { ((centre - half) / (1.0 + square)).max(0.0) } else { 0.0 };
    let upper = if p < 1.0 { ((centre + half) / (1.0 + square)).min(1.0) } else { 1.0 };
    Interval { lower, upper }
}

/// A proportion of cases that come in clusters, as the pictures of patients do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clustered {
    /// Σkᵢ / Σnᵢ, between 0 and 1.
    pub value: f64,
    /// The cluster-robust standard error of `value`. It is 0 where the share is the same in each cluster.
    pub standard_error: f64,
    /// How many independent cases would say as much as these: at most the number of cases, and that of clusters where
    /// the value is 0 or 1.
    pub effective_cases: f64,
    /// The interval of `value`.
    pub interval: Interval,
}

/// The proportion of cases that come in independent clusters: kᵢ of nᵢ in cluster i of m.
///
/// The value is the ratio estimator p = Σkᵢ/Σnᵢ. Its variance is the ratio estimator's, with the factor of few
/// clusters, m/(m − 1) · Σ(kᵢ − p nᵢ)² / (Σnᵢ)², which is the cluster-robust ("sandwich") variance of a mean (Cochran
/// 1977, Sampling Techniques, section 3.12; Rao and Scott 1992, Biometrics 48:577).
///
/// The interval is Wilson's for p of p(1 − p)/variance cases, the effective number (Korn and Graubard 1998, Survey
/// Methodology 24:193), with Student's quantile of m − 1 degrees of freedom in place of the normal one (Dean and Pagano
/// 2015, J. Surv. Stat. Methodol. 3:484). Two rules are on the careful side. The effective number is never above that
/// of cases. Where p is 0 or 1, the data don't say how alike cases of a cluster are, and each cluster counts as one
/// case.
///
/// # Errors
/// [`Undefined::TooFew`] where there are fewer than two clusters.
///
/// ```
/// use bedside_tools::statistics::{Confidence, proportion::{Proportion, clustered}};
///
/// // Two pictures of each of 30 patients, always with the same answer, say what 30 patients say.
/// let patients: Vec<Proportion> = (0..30).map(|i| Proportion::new(2 * (i % 2), 2)).collect::<Result<_, _>>()?;
/// let found = clustered(&patients, Confidence::P95)?;
/// assert_eq!(found.value, 0.5);
/// assert!((found.effective_cases - 29.0).abs() < 1e-9);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn clustered(clusters: &[Proportion], confidence: Confidence) -> Result<Clustered, Undefined> {
    if clusters.len() < 2 {
        return Err(Undefined::TooFew);
    }
    let m = clusters.len() as f64;
    let cases: f64 = clusters.iter().map(|c| c.cases as f64).sum();
    let value = clusters.iter().map(|c| c.count as f64).sum::<f64>() / cases;
    let squares: f64 = clusters.iter().map(|c| (c.count as f64 - value * c.cases as f64).powi(2)).sum();
    let standard_error = (m / (m - 1.0) * squares).sqrt() / cases;
    let effective_cases = effective_cases(value, standard_error, cases, m);
    let t = student_quantile(confidence, clusters.len() as u64 - 1)?;
    Ok(Clustered { value, standard_error, effective_cases, interval: wilson(value, effective_cases, t) })
}

fn effective_cases(value: f64, standard_error: f64, cases: f64, clusters: f64) -> f64 {
    let binomial = value * (1.0 - value);
    if binomial == 0.0 {
        return clusters;
    }
    // With a standard error of 0 the quotient is infinite, and there are as many as there are cases.
    (binomial / (standard_error * standard_error)).min(cases)
}

/// What a positive and a negative result say in a population. `None` where there is no such result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictiveValues {
    /// The positive predictive value: the share of the positive who have the condition, 0…1.
    pub positive: Option<f64>,
    /// The negative predictive value: the share of the negative who do not have it, 0…1.
    pub negative: Option<f64>,
}

/// The predictive values of a test at a stated prevalence. All arguments are 0…1.
///
/// PPV = se·π / (se·π + (1 − sp)(1 − π)) and NPV = sp(1 − π) / (sp(1 − π) + (1 − se)π) by Bayes's rule (Altman and
/// Bland 1994, BMJ 309:102). A study that has chosen its cases does not show a prevalence: state that of the
/// population.
///
/// # Errors
/// [`Undefined::OutOfRange`] where an argument is not 0…1.
///
/// ```
/// use bedside_tools::statistics::proportion::predictive_values;
///
/// // Of 1000 people, 10 have it: 9 found, 1 missed; of 990, 99 false alarms.
/// let values = predictive_values(0.9, 0.9, 0.01)?;
/// assert!((values.positive.expect("there are positive results") - 9.0 / 108.0).abs() < 1e-15);
/// assert!((values.negative.expect("there are negative results") - 891.0 / 892.0).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn predictive_values(sensitivity: f64, specificity: f64, prevalence: f64) -> Result<PredictiveValues, Undefined> {
    for (value, name) in [(sensitivity, "sensitivity"), (specificity, "specificity"), (prevalence, "prevalence")] {
        if !(0.0..=1.0).contains(&value) {
            return Err(Undefined::OutOfRange(name));
        }
    }
    let (ill, well) = (prevalence, 1.0 - prevalence);
    Ok(PredictiveValues {
        positive: share(sensitivity * ill, (1.0 - specificity) * well),
        negative: share(specificity * well, (1.0 - sensitivity) * ill),
    })
}

fn share(right: f64, wrong: f64) -> Option<f64> {
    let sum = right + wrong;
    (sum > 0.0).then(|| right / sum)
}

/// What a test said of one patient's pictures. All are 0 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TestCounts {
    /// The pictures that have the condition.
    pub ill: u64,
    /// Those of them that the test calls positive: at most `ill`.
    pub called: u64,
    /// The pictures that do not have the condition.
    pub well: u64,
    /// Those of them that the test does not call positive: at most `well`.
    pub cleared: u64,
}

/// The intervals of [`predictive_values`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictiveIntervals {
    /// That of the positive predictive value.
    pub positive: Result<Interval, Undefined>,
    /// That of the negative predictive value.
    pub negative: Result<Interval, Undefined>,
}

/// The intervals of predictive values at a stated prevalence, from the pictures of each patient.
///
/// They are normal on the logit scale, where the predictive values are logit π + ln of a likelihood ratio. The variance
/// of the ratio's logarithm is by the delta method, with patients as clusters: G/(G − 1) Σ (aᵢ/Se + bᵢ/(1 − Sp))² for
/// the positive, and with 1 − Se and Sp for the negative one; aᵢ and bᵢ are patient i's sums of (hit − Se)/m and (hit −
/// Sp)/n over the m pictures with and the n without the condition (Mercaldo, Lau and Zhou 2007, Stat. Med. 26:2170, for
/// independent cases). The prevalence is taken as known.
///
/// A value of 0 or 1, and one whose likelihood ratio is, have no interval: [`Undefined::NoVariation`].
///
/// # Errors
/// [`Undefined::OutOfRange`] where a count is above the pictures, or the prevalence is not above 0 and below 1;
/// [`Undefined::OneClass`] where there are no pictures with, or none without the condition; [`Undefined::TooFew`] for a
/// single patient.
///
/// ```
/// use bedside_tools::statistics::{Confidence, proportion::{TestCounts, predictive_intervals}};
///
/// let patient = |called, cleared| TestCounts { ill: 1, called, well: 1, cleared };
/// let patients = [patient(1, 1), patient(1, 0), patient(0, 1), patient(1, 1), patient(0, 0)];
/// let positive = predictive_intervals(&patients, 0.5, Confidence::P95)?.positive?;
/// assert!(positive.contains(0.6));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn predictive_intervals(
    patients: &[TestCounts],
    prevalence: f64,
    confidence: Confidence,
) -> Result<PredictiveIntervals, Undefined> {
    let rates = Rates::of(patients, prevalence)?;
    let Rates { sensitivity, specificity, .. } = rates;
    // The interval of a value, where the test says so with these probabilities for the ill and for the well.
    let interval = |of_ill: f64, of_well: f64, prevalence_odds: f64| {
        if of_ill <= 0.0 || of_well <= 0.0 {
            return Err(Undefined::NoVariation);
        }
        let half = confidence.z() * rates.standard_error(patients, 1.0 / of_ill, 1.0 / of_well);
        if half == 0.0 {
            return Err(Undefined::NoVariation);
        }
        let centre = libm::log(of_ill / of_well * prevalence_odds);
        let back = |logit: f64| 1.0 / (1.0 + libm::exp(-logit));
        Ok(Interval { lower: back(centre - half), upper: back(centre + half) })
    };
    let odds = prevalence / (1.0 - prevalence);
    let negative = interval(1.0 - sensitivity, specificity, odds);
    Ok(PredictiveIntervals {
        positive: interval(sensitivity, 1.0 - specificity, odds),
        // The odds of being ill in spite of a negative result, turned round.
        negative: negative.map(|ill| Interval { lower: 1.0 - ill.upper, upper: 1.0 - ill.lower }),
    })
}

/// What a test is worth beside referring everybody, of each person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetBenefit {
    /// That of the test.
    pub test: f64,
    /// That of referring everybody.
    pub refer_all: f64,
    /// The first less the second.
    pub difference: f64,
    /// Its standard error; [`Undefined::NoVariation`] where all of the ill are called, or none, and with the well alike: a
    /// rate of 0 or 1 among few says little of the rate among many.
    pub standard_error: Result<f64, Undefined>,
}

/// The net benefit of a test at a stated prevalence, for whoever refers from a probability of `threshold` on.
///
/// It is Se·π − (1 − Sp)(1 − π)w with the weight w = threshold / (1 − threshold): the ill who are referred, less the well
/// who are, each of whom counts w. Referring everybody has π − (1 − π)w, and nobody 0 (Vickers and Elkin 2006, Med. Decis.
/// Making 26:565). The standard error of the difference is by the delta method with patients as clusters, as in
/// [`predictive_intervals`]; the prevalence is taken as known.
///
/// # Errors
/// As [`predictive_intervals`]; and [`Undefined::OutOfRange`] where the threshold is not above 0 and below 1.
///
/// ```
/// use bedside_tools::statistics::proportion::{TestCounts, net_benefit};
///
/// // 9 of 10 ill are called, 5 of 10 well are cleared.
/// let patient = |n: u64| TestCounts { ill: 1, called: u64::from(n > 0), well: 1, cleared: n % 2 };
/// let patients: Vec<TestCounts> = (0..10).map(patient).collect();
/// // Of 1000, 100 are ill: 90 found, and 450 false alarms that count a ninth each.
/// let found = net_benefit(&patients, 0.1, 0.1)?;
/// assert!((found.test - (90.0 - 450.0 / 9.0) / 1000.0).abs() < 1e-15);
/// assert!(found.refer_all.abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn net_benefit(patients: &[TestCounts], prevalence: f64, threshold: f64) -> Result<NetBenefit, Undefined> {
    if !(threshold > 0.0 && threshold < 1.0) {
        return Err(Undefined::OutOfRange("threshold"));
    }
    let rates = Rates::of(patients, prevalence)?;
    let (ill, well) = (prevalence, (1.0 - prevalence) * threshold / (1.0 - threshold));
    let test = rates.sensitivity * ill - (1.0 - rates.specificity) * well;
    let refer_all = ill - well;
    let varies = |rate: f64| rate > 0.0 && rate < 1.0;
    let standard_error = if varies(rates.sensitivity) && varies(rates.specificity) {
        Ok(rates.standard_error(patients, ill, well))
    } else {
        Err(Undefined::NoVariation)
    };
    Ok(NetBenefit { test, refer_all, difference: test - refer_all, standard_error })
}

/// The rates of a test, of pictures whose patients are clusters.
#[derive(Clone, Copy)]
struct Rates {
    ill: f64,
    well: f64,
    sensitivity: f64,
    specificity: f64,
}

impl Rates {
    fn of(patients: &[TestCounts], prevalence: f64) -> Result<Self, Undefined> {
        if patients.iter().any(|p| p.called > p.ill || p.cleared > p.well) {
            return Err(Undefined::OutOfRange("count"));
        }
        if !(prevalence > 0.0 && prevalence < 1.0) {
            return Err(Undefined::OutOfRange("prevalence"));
        }
        if patients.len() < 2 {
            return Err(Undefined::TooFew);
        }
        let sum = |of: fn(&TestCounts) -> u64| patients.iter().map(of).sum::<u64>() as f64;
        let (ill, well) = (sum(|p| p.ill), sum(|p| p.well));
        if ill == 0.0 || well == 0.0 {
            return Err(Undefined::OneClass);
        }
        Ok(Self { ill, well, sensitivity: sum(|p| p.called) / ill, specificity: sum(|p| p.cleared) / well })
    }

    /// The standard error of `of_ill` · Se + `of_well` · Sp.
    fn standard_error(self, patients: &[TestCounts], of_ill: f64, of_well: f64) -> f64 {
        let influence = |p: &TestCounts| {
            let a = (p.called as f64 - self.sensitivity * p.ill as f64) / self.ill;
            let b = (p.cleared as f64 - self.specificity * p.well as f64) / self.well;
            a * of_ill + b * of_well
        };
        let squares: f64 = patients.iter().map(|p| influence(p).powi(2)).sum();
        let g = patients.len() as f64;
        (g / (g - 1.0) * squares).sqrt()
    }
}

/// The smallest number of cases of which `count` may fail so that the one-sided upper bound of
/// [`Proportion::upper_bound`] is at most `bound`.
///
/// It is the smallest n with P(X ≤ k | n, `bound`) ≤ α. This many cases are needed where `count` failures are expected:
/// to plan for fewer than that is to hope.
///
/// # Errors
/// [`Undefined::OutOfRange`] where the bound is not above 0 and at most 1, and [`Undefined::TooMany`] where more than 10⁹
/// cases would be needed.
///
/// ```
/// use bedside_tools::statistics::{Confidence, proportion::smallest_sample};
///
/// assert_eq!(smallest_sample(0, 0.05, Confidence::P95), Ok(59));
/// assert_eq!(smallest_sample(1, 0.05, Confidence::P95), Ok(93));
/// ```
pub fn smallest_sample(count: u64, bound: f64, confidence: Confidence) -> Result<u64, Undefined> {
    if !(bound > 0.0 && bound <= 1.0) {
        return Err(Undefined::OutOfRange("bound"));
    }
    if count >= MAX_CASES {
        return Err(Undefined::TooMany);
    }
    // Of as many cases as failures the bound is 1.
    let (mut too_few, mut enough) = (count.saturating_sub(1), count.max(1));
    while !is_bounded(count, enough, bound, confidence)? {
        if enough == MAX_CASES {
            return Err(Undefined::TooMany);
        }
        (too_few, enough) = (enough, (enough * 2).min(MAX_CASES));
    }
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if is_bounded(count, middle, bound, confidence)? {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Ok(enough)
}

/// Whether the upper bound of k of n is at most `bound`: P(X > k | n, `bound`) is at least the confidence level.
pub(super) fn is_bounded(count: u64, cases: u64, bound: f64, confidence: Confidence) -> Result<bool, Undefined> {
    if count >= cases {
        return Ok(bound >= 1.0);
    }
    Ok(regularized_beta((count + 1) as f64, (cases - count) as f64, bound)? >= confidence.level())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn proportion(count: u64, cases: u64) -> Proportion {
        Proportion::new(count, cases).expect("in range")
    }

    fn assert_interval(found: Interval, lower: f64, upper: f64, tolerance: f64) {
        let is_near = (found.lower - lower).abs() <= tolerance && (found.upper - upper).abs() <= tolerance;
        assert!(is_near, "{found:?} instead of {lower}, {upper}");
    }

    #[test]
    fn wilson_has_newcombes_values() {
        // Newcombe 1998, table I, method 3.
        assert_interval(proportion(81, 263).wilson(Confidence::P95), 0.2553, 0.3662, 5e-5);
        assert_interval(proportion(15, 148).wilson(Confidence::P95), 0.0624, 0.1605, 5e-5);
        assert_interval(proportion(0, 20).wilson(Confidence::P95), 0.0, 0.1611, 5e-5);
        assert_interval(proportion(1, 29).wilson(Confidence::P95), 0.0061, 0.1718, 5e-5);
    }

    #[test]
    fn clopper_pearson_has_newcombes_values() {
        // Newcombe 1998, table I, method 5.
        assert_interval(proportion(81, 263).clopper_pearson(Confidence::P95), 0.2527, 0.3676, 5e-5);
        assert_interval(proportion(15, 148).clopper_pearson(Confidence::P95), 0.0578, 0.1617, 5e-5);
        assert_interval(proportion(0, 20).clopper_pearson(Confidence::P95), 0.0, 0.1684, 5e-5);
        assert_interval(proportion(1, 29).clopper_pearson(Confidence::P95), 0.0009, 0.1776, 5e-5);
    }

    #[test]
    fn clopper_pearson_at_the_ends_has_a_closed_form() {
        for n in [1u64, 10, 59, 1000, 1_000_000_000] {
            // 1 − (α/2)^(1/n), without cancellation.
            let upper = -libm::expm1(libm::log(0.025) / n as f64);
            assert_interval(proportion(0, n).clopper_pearson(Confidence::P95), 0.0, upper, 1e-13 * upper);
            assert_interval(proportion(n, n).clopper_pearson(Confidence::P95), 1.0 - upper, 1.0, 1e-13);
        }
    }

    #[test]
    fn upper_bound_has_the_values_of_the_plan() {
        // 0 of 59, 1 of 93 and 12 of 400 are at most 5 %, and one case fewer or one failure more is not.
        for (count, cases) in [(0, 59), (1, 93)] {
            assert!(proportion(count, cases).upper_bound(Confidence::P95) <= 0.05);
            assert!(proportion(count, cases - 1).upper_bound(Confidence::P95) > 0.05);
        }
        assert!(proportion(12, 400).upper_bound(Confidence::P95) <= 0.05);
        assert!(proportion(13, 400).upper_bound(Confidence::P95) > 0.05);
    }

    #[test]
    fn smallest_sample_has_the_published_values() {
        // Attribute sampling at 95 % confidence: 0 to 5 failures at 5 % (59, 93, 124, 153, 181, 208), and 0 at 1 %
        // (299).
        for (count, cases) in [59, 93, 124, 153, 181, 208].into_iter().enumerate() {
            assert_eq!(smallest_sample(count as u64, 0.05, Confidence::P95), Ok(cases));
        }
        assert_eq!(smallest_sample(0, 0.01, Confidence::P95), Ok(299));
        assert_eq!(smallest_sample(0, 1.0, Confidence::P95), Ok(1));
        assert_eq!(smallest_sample(3, 1.0, Confidence::P95), Ok(3));
        assert_eq!(smallest_sample(0, 0.0, Confidence::P95), Err(Undefined::OutOfRange("bound")));
        assert_eq!(smallest_sample(0, 1e-12, Confidence::P95), Err(Undefined::TooMany));
    }

    #[test]
    fn clustered_by_hand() {
        // p = 3/6, and (2 − 1)² + (1 − 1)² + (0 − 1)² = 2: a variance of 3/2 · 2/6².
        let found = clustered(&[proportion(2, 2), proportion(1, 2), proportion(0, 2)], Confidence::P95).expect("three");
        assert!((found.value - 0.5).abs() < 1e-15);
        assert!((found.standard_error - (3.0f64 / 36.0).sqrt()).abs() < 1e-15);
        assert!((found.effective_cases - 3.0).abs() < 1e-12);
        // Wilson for ½ of 3 with t = 4.3027: ½ ∓ ½ √(t²/3 / (1 + t²/3)).
        let half = 0.5 * (4.302_653f64.powi(2) / 3.0 / (1.0 + 4.302_653f64.powi(2) / 3.0)).sqrt();
        assert_interval(found.interval, 0.5 - half, 0.5 + half, 1e-6);
    }

    #[test]
    fn clustered_of_single_cases_has_the_usual_standard_error() {
        // √(p(1 − p)/(n − 1)).
        let cases: Vec<Proportion> = (0..10).map(|i| proportion(u64::from(i < 3), 1)).collect();
        let found = clustered(&cases, Confidence::P95).expect("ten");
        assert!((found.standard_error - (0.3 * 0.7 / 9.0f64).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn clustered_without_variation_counts_clusters_or_cases() {
        let found = clustered(&[proportion(0, 50); 20], Confidence::P95).expect("twenty");
        assert!((found.effective_cases - 20.0).abs() < f64::EPSILON);
        assert!(found.interval.upper > proportion(0, 20).wilson(Confidence::P95).upper);
        // No more than there are cases, where clusters are alike.
        let alike = clustered(&[proportion(1, 2); 20], Confidence::P95).expect("twenty");
        assert!(alike.standard_error == 0.0 && (alike.effective_cases - 40.0).abs() < f64::EPSILON);
        assert_eq!(clustered(&[proportion(1, 9)], Confidence::P95), Err(Undefined::TooFew));
    }

    #[test]
    fn predictive_values_without_results_have_no_value() {
        let values = predictive_values(0.0, 1.0, 0.1).expect("in range");
        assert_eq!(values.positive, None);
        assert!((values.negative.expect("all are negative") - 0.9).abs() < 1e-15);
        assert_eq!(predictive_values(1.1, 0.5, 0.5), Err(Undefined::OutOfRange("sensitivity")));
        assert_eq!(predictive_values(0.5, 0.5, f64::NAN), Err(Undefined::OutOfRange("prevalence")));
    }

    proptest! {
        #[test]
        fn clopper_pearson_ends_have_tails_of_half_alpha(
            cases in 1u64..2000,
            share in 0.0..1.0f64,
            level in 0.5..0.999f64,
        ) {
            let count = (share * (cases + 1) as f64) as u64;
            let confidence = Confidence::new(level).expect("in range");
            let interval = proportion(count, cases).clopper_pearson(confidence);
            prop_assert!(interval.contains(count as f64 / cases as f64));
            let tail = (1.0 - level) / 2.0;
            if count > 0 {
                let above = regularized_beta(count as f64, (cases - count + 1) as f64, interval.lower);
                prop_assert!((above.expect("in range") - tail).abs() < 1e-10);
            }
            if count < cases {
                let above = regularized_beta((count + 1) as f64, (cases - count) as f64, interval.upper);
                prop_assert!((1.0 - above.expect("in range") - tail).abs() < 1e-10);
            }
        }

        #[test]
        fn intervals_mirror_when_failures_are_counted(cases in 1u64..2000, share in 0.0..1.0f64) {
            let count = (share * (cases + 1) as f64) as u64;
            let (found, mirrored) = (proportion(count, cases), proportion(cases - count, cases));
            for interval in [Proportion::wilson, Proportion::clopper_pearson] {
                let (one, other) = (interval(found, Confidence::P95), interval(mirrored, Confidence::P95));
                prop_assert!((one.lower + other.upper - 1.0).abs() < 1e-12);
                prop_assert!((one.upper + other.lower - 1.0).abs() < 1e-12);
                prop_assert!(one.contains(found.value()) && one.lower >= 0.0 && one.upper <= 1.0);
            }
        }

        #[test]
        fn wilson_ends_are_z_standard_errors_away(cases in 1u64..2000, share in 0.0..1.0f64) {
            let found = proportion((share * (cases + 1) as f64) as u64, cases);
            let interval = found.wilson(Confidence::P95);
            for end in [interval.lower, interval.upper] {
                let away = (found.value() - end).abs();
                let error = (end * (1.0 - end) / cases as f64).sqrt();
                prop_assert!((away - 1.959_963_984_540_054 * error).abs() < 1e-9);
            }
        }

        #[test]
        fn smallest_sample_is_the_smallest(count in 0u64..50, bound in 0.01..0.9f64) {
            let cases = smallest_sample(count, bound, Confidence::P95).expect("in range");
            prop_assert!(proportion(count, cases).upper_bound(Confidence::P95) <= bound + 1e-12);
            if cases > count.max(1) {
                prop_assert!(proportion(count, cases - 1).upper_bound(Confidence::P95) > bound - 1e-12);
            }
        }

        #[test]
        fn clustered_interval_holds_the_value(counts in vec((0u64..9, 1u64..9), 2..40)) {
            let clusters: Vec<Proportion> = counts.iter().map(|&(k, n)| proportion(k.min(n), n)).collect();
            let found = clustered(&clusters, Confidence::P95).expect("two or more");
            prop_assert!(found.interval.contains(found.value));
            prop_assert!(found.interval.lower >= 0.0 && found.interval.upper <= 1.0);
        }
    }
}
