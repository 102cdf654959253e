//! Operating points by class-conditional split conformal prediction, what they promise for new patients, and when a
//! model may say `no_sign`.
//!
//! The unit is the patient. A label is in the set of those that can't be excluded where its probability is at or over
//! its operating point, and a patient who has what the label names is *missed* where it is not. A threshold is an order
//! statistic of held-out patients who have it, so that the promise needs no model of the probabilities: only that the
//! new patient could have been any of them (exchangeability).
//!
//! # A patient's value
//!
//! A patient has as many probabilities as pictures. [`lowest_of_each`] takes the lowest, that is: a patient is missed
//! where *any* picture misses. The reasons:
//!
//! - A report is of one picture, and each is acted on by itself. One `no_sign` may send a patient home, whatever
//!   another picture would have said. The highest, or the mean, would be right only if all pictures were judged
//!   together before anybody acts.
//! - Whoever takes one picture of a patient has a probability that is at or over the lowest. What is promised of the
//!   lowest holds for any one picture, and for all together, whichever is chosen.
//! - One picture drawn by lot would keep the promise for one picture with a higher threshold, but the threshold would
//!   depend on the lot, and the promise would fail whoever takes two.
//!
//! The price is a lower threshold, and more labels that can't be excluded, the more so where patients have many
//! pictures. The promise is for new patients with about as many pictures as those held out: more pictures have more
//! chances to miss.

use std::collections::BTreeMap;

use super::proportion::{Proportion, is_bounded, smallest_sample};
use super::special::ln_gamma;
use super::{Confidence, Undefined, check_lengths, check_probabilities, largest_rank};

/// The largest share of patients of an urgent label that may end `no_sign`: what the upper bound must not exceed.
pub const NO_SIGN_BOUND: f64 = 0.05;

/// The lowest probability of each patient's pictures, in the order of the patients' keys. [The module](self) says why
/// the lowest.
///
/// # Errors
/// [`Undefined::Empty`], [`Undefined::Lengths`], and [`Undefined::OutOfRange`] where a probability is not 0…1.
///
/// ```
/// use bedside_tools::statistics::conformal::lowest_of_each;
///
/// assert_eq!(lowest_of_each(&["a", "b", "a"], &[0.9, 0.4, 0.7])?, [0.7, 0.4]);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn lowest_of_each<K: Ord>(patients: &[K], probabilities: &[f64]) -> Result<Vec<f64>, Undefined> {
    check_lengths(patients.len(), probabilities.len())?;
    check_probabilities(probabilities)?;
    let mut lowest: BTreeMap<&K, f64> = BTreeMap::new();
    for (patient, &probability) in patients.iter().zip(probabilities) {
        lowest.entry(patient).and_modify(|p| *p = p.min(probability)).or_insert(probability);
    }
    Ok(lowest.into_values().collect())
}

/// From which probability on a label can't be excluded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// There are too few patients for the miss rate: the label is always in the set, and never missed.
    Always,
    /// The label is in the set where its probability is at or over `at`.
    At {
        /// The `rank`-th smallest of the patients' values.
        at: f64,
        /// k = ⌊(n + 1) · miss⌋, 1 or more.
        rank: u64,
    },
}

/// The class-conditional split-conformal threshold of one label, from the values of the n patients who have what it
/// names and whom the model has not learnt from.
///
/// It is the k-th smallest value, k = ⌊(n + 1) · `miss`⌋, and k = 0 means that the label is always in the set. A new
/// patient who has it is below the k-th smallest with a probability of k/(n + 1) where values are continuous, and of
/// less where some are equal: never more than `miss` (Vovk, Gammerman and Shafer 2005, Algorithmic Learning in a Random
/// World, section 4.5 for labels each by themselves; Angelopoulos and Bates 2023, Found. Trends Mach. Learn. 16:494,
/// sections 1.1 and 4.2). The probability is over the held-out patients too: [`miss_band`] says what one such threshold
/// may do.
///
/// `miss` is 0…1, and less than 1.
///
/// # Errors
/// [`Undefined::OutOfRange`] where `miss` is out of range, or a value is not 0…1.
///
/// ```
/// use bedside_tools::statistics::conformal::{Threshold, threshold};
///
/// // (9 + 1) · 0.2 = 2: the second smallest.
/// let values = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
/// assert_eq!(threshold(&values, 0.2)?, Threshold::At { at: 0.2, rank: 2 });
/// assert_eq!(threshold(&values, 0.09)?, Threshold::Always);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn threshold(values: &[f64], miss: f64) -> Result<Threshold, Undefined> {
    if !(0.0..1.0).contains(&miss) {
        return Err(Undefined::OutOfRange("miss"));
    }
    check_probabilities(values)?;
    let rank = largest_rank(values.len() + 1, miss);
    if rank == 0 {
        return Ok(Threshold::Always);
    }
    let mut ascending = values.to_vec();
    ascending.sort_by(f64::total_cmp);
    Ok(Threshold::At { at: ascending[rank - 1], rank: rank as u64 })
}

/// How many test patients a threshold may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissBand {
    /// Fewer than this are less likely than α/2.
    pub lower: u64,
    /// More than this are at most as likely as α/2.
    pub upper: u64,
}

/// The band of misses among `tested` new patients, for a threshold of this rank among `fitted` patients.
///
/// The share that such a threshold misses has the distribution Beta(k, n + 1 − k) over the held-out patients, so that
/// the misses among m others are beta-binomial: P(j) = C(m, j) B(j + k, m − j + n + 1 − k) / B(k, n + 1 − k) (Vovk
/// 2012, ACML, "Conditional validity of inductive conformal predictors"; Angelopoulos and Bates 2023, Found. Trends
/// Mach. Learn. 16:494, section 3.2 and appendix C). `lower` is the smallest j with P(≤ j) ≥ α/2, and `upper` that with
/// P(≤ j) ≥ 1 − α/2, so that the band holds the misses at least as often as the confidence level says. Misses outside
/// of it say that the test patients are not like those of the fit. Equal values miss less than that.
///
/// # Errors
/// [`Undefined::OutOfRange`] where the rank is not 1 to `fitted`, or there are more than 10⁷ patients of a kind.
///
/// ```
/// use bedside_tools::statistics::{Confidence, conformal::miss_band};
///
/// // Above one patient's value, any share is as likely as another: each of 0 to 99 misses has 1 %.
/// let band = miss_band(1, 1, 99, Confidence::P95)?;
/// assert_eq!((band.lower, band.upper), (2, 97));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn miss_band(rank: u64, fitted: u64, tested: u64, confidence: Confidence) -> Result<MissBand, Undefined> {
    const MAX_PATIENTS: u64 = 10_000_000;
    if rank == 0 || rank > fitted {
        return Err(Undefined::OutOfRange("rank"));
    }
    if fitted.max(tested) > MAX_PATIENTS {
        return Err(Undefined::OutOfRange("number of patients"));
    }
    let (a, b) = (rank as f64, (fitted + 1 - rank) as f64);
    let tail = confidence.alpha() / 2.0;
    let (mut below, mut lower) = (0.0, None);
    for misses in 0..tested {
        below += beta_binomial(misses as f64, tested as f64, a, b)?;
        if below >= tail && lower.is_none() {
            lower = Some(misses);
        }
        if below >= 1.0 - tail {
            return Ok(MissBand { lower: lower.unwrap_or(misses), upper: misses });
        }
    }
    Ok(MissBand { lower: lower.unwrap_or(tested), upper: tested })
}

/// The probability of j of m of the beta-binomial distribution.
fn beta_binomial(j: f64, m: f64, a: f64, b: f64) -> Result<f64, Undefined> {
    let choose = ln_gamma(m + 1.0)? - ln_gamma(j + 1.0)? - ln_gamma(m - j + 1.0)?;
    Ok(libm::exp(choose + ln_beta(j + a, m - j + b)? - ln_beta(a, b)?))
}

fn ln_beta(a: f64, b: f64) -> Result<f64, Undefined> {
    Ok(ln_gamma(a)? + ln_gamma(b)? - ln_gamma(a + b)?)
}

/// Whether a model may say `no_sign`, for one urgent label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoSign {
    /// It may: the upper bound is at most [`NO_SIGN_BOUND`].
    Allowed {
        /// The one-sided 95 % upper bound of the share that ends `no_sign`.
        upper_bound: f64,
    },
    /// It may not.
    Refused {
        /// The bound; 1 where there are no patients.
        upper_bound: f64,
        /// How many more patients are needed, none of whom ends `no_sign`.
        missing: u64,
    },
}

/// Whether a model may say `no_sign`: of the patients with an urgent label whom it has not learnt from, `count` of
/// `patients` ended `no_sign`, and the one-sided 95 % Clopper–Pearson upper bound of that share is at most
/// [`NO_SIGN_BOUND`], as it is for 0 of 59, 1 of 93 and 12 of 400.
///
/// Each urgent label must pass by itself, and one that fails refuses. That all are below the bound is then as certain
/// as that each is, and needs no correction for their number (intersection–union test, Berger 1982, Technometrics
/// 24:295). Patients whose results were looked at to choose the thresholds are no evidence: take others.
///
/// # Errors
/// [`Undefined::OutOfRange`] where the count is above the number of patients, or they are more than 10⁹.
///
/// ```
/// use bedside_tools::statistics::conformal::{NoSign, no_sign};
///
/// assert!(matches!(no_sign(0, 59)?, NoSign::Allowed { .. }));
/// assert!(matches!(no_sign(1, 59)?, NoSign::Refused { missing: 34, .. }));
/// assert!(matches!(no_sign(0, 0)?, NoSign::Refused { missing: 59, .. }));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn no_sign(count: u64, patients: u64) -> Result<NoSign, Undefined> {
    let upper_bound = match Proportion::new(count, patients) {
        Ok(proportion) => proportion.upper_bound(Confidence::P95),
        Err(Undefined::Empty) if count == 0 => 1.0,
        Err(_) => return Err(Undefined::OutOfRange("count")),
    };
    if is_bounded(count, patients, NO_SIGN_BOUND, Confidence::P95)? {
        return Ok(NoSign::Allowed { upper_bound });
    }
    let needed = smallest_sample(count, NO_SIGN_BOUND, Confidence::P95)?;
    Ok(NoSign::Refused { upper_bound, missing: needed - patients })
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lowest_of_each_refuses_what_is_no_probability() {
        assert_eq!(lowest_of_each(&[1], &[f64::NAN]), Err(Undefined::OutOfRange("probability")));
        assert_eq!(lowest_of_each::<u8>(&[], &[]), Err(Undefined::Empty));
        assert_eq!(lowest_of_each(&[1], &[]), Err(Undefined::Lengths));
    }

    #[test]
    fn threshold_counts_as_exact_arithmetic_does() {
        // (99 + 1) · 0.29 = 29, and 49 patients are the fewest for 2 %.
        let values: Vec<f64> = (1..=99).map(|i| f64::from(i) / 100.0).collect();
        assert_eq!(threshold(&values, 0.29), Ok(Threshold::At { at: 0.29, rank: 29 }));
        assert_eq!(threshold(&values[..48], 0.02), Ok(Threshold::Always));
        assert_eq!(threshold(&values[..49], 0.02), Ok(Threshold::At { at: 0.01, rank: 1 }));
    }

    #[test]
    fn threshold_of_no_patients_is_always() {
        assert_eq!(threshold(&[], 0.5), Ok(Threshold::Always));
        assert_eq!(threshold(&[0.5], 0.0), Ok(Threshold::Always));
        assert_eq!(threshold(&[0.5], 1.0), Err(Undefined::OutOfRange("miss")));
        assert_eq!(threshold(&[1.5], 0.5), Err(Undefined::OutOfRange("probability")));
    }

    #[test]
    fn beta_binomial_sums_to_one_with_the_known_mean() {
        // The mean is m a/(a + b): 300 · 8/401.
        let (m, a, b) = (300u32, 8.0, 393.0);
        let masses: Vec<f64> =
            (0..=m).map(|j| beta_binomial(f64::from(j), f64::from(m), a, b).expect("in range")).collect();
        let mean: f64 = masses.iter().zip(0..=m).map(|(p, j)| p * f64::from(j)).sum();
        assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-11);
        assert!((mean - 300.0 * 8.0 / 401.0).abs() < 1e-9);
    }

    #[test]
    fn miss_band_by_hand() {
        // k = 1 of n = 2: Beta(1, 2). Among 2: P(0) = ½, P(1) = ⅓, P(2) = ⅙.
        let band = |level: f64| miss_band(1, 2, 2, Confidence::new(level).expect("in range")).expect("in range");
        // Tails of ¼: P(≤ 0) = ½ ≥ ¼, and P(≤ 1) = ⅚ ≥ ¾.
        assert_eq!(band(0.5), MissBand { lower: 0, upper: 1 });
        // Tails of 0.1: P(≤ 1) is below 0.9.
        assert_eq!(band(0.8), MissBand { lower: 0, upper: 2 });
        assert_eq!(miss_band(1, 2, 0, Confidence::P95), Ok(MissBand { lower: 0, upper: 0 }));
        assert_eq!(miss_band(0, 2, 2, Confidence::P95), Err(Undefined::OutOfRange("rank")));
        assert_eq!(miss_band(3, 2, 2, Confidence::P95), Err(Undefined::OutOfRange("rank")));
    }

    #[test]
    fn no_sign_has_the_counts_of_the_rule() {
        for (count, patients) in [(0, 59), (1, 93), (12, 400)] {
            let NoSign::Allowed { upper_bound } = no_sign(count, patients).expect("in range") else {
                panic!("{count} of {patients} is refused");
            };
            assert!(upper_bound <= NO_SIGN_BOUND);
            assert!(matches!(no_sign(count + 1, patients), Ok(NoSign::Refused { .. })));
        }
        assert!(matches!(no_sign(0, 58), Ok(NoSign::Refused { missing: 1, .. })));
        assert!(matches!(no_sign(1, 92), Ok(NoSign::Refused { missing: 1, .. })));
        assert_eq!(no_sign(2, 1), Err(Undefined::OutOfRange("count")));
        assert_eq!(no_sign(1, 0), Err(Undefined::OutOfRange("count")));
    }

    proptest! {
        /// Of n + 1 exchangeable patients, each in turn the new one, exactly k are missed by the threshold of the
        /// others.
        #[test]
        fn threshold_misses_k_of_n_plus_1(values in btree_set(0u32..10_000, 2..40), miss in 0.0..0.99f64) {
            let values: Vec<f64> = values.into_iter().map(|v| f64::from(v) / 10_000.0).collect();
            let mut missed = 0;
            let mut ranks = Vec::new();
            for left_out in 0..values.len() {
                let mut others = values.clone();
                let new = others.remove(left_out);
                if let Threshold::At { at, rank } = threshold(&others, miss).expect("in range") {
                    missed += u64::from(new < at);
                    ranks.push(rank);
                }
            }
            prop_assert!(missed as f64 <= miss * values.len() as f64 + 1e-9);
            prop_assert!(ranks.iter().all(|&rank| rank == missed));
        }

        #[test]
        fn lowest_of_each_is_below_all(pictures in vec((0u8..6, 0.0..=1.0f64), 1..40)) {
            let (patients, probabilities): (Vec<u8>, Vec<f64>) = pictures.iter().copied().unzip();
            let lowest = lowest_of_each(&patients, &probabilities).expect("in range");
            let mut keys = patients.clone();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(lowest.len(), keys.len());
            for (key, &low) in keys.iter().zip(&lowest) {
                let mut of_patient = pictures.iter().filter(|(k, _)| k == key).map(|(_, p)| *p);
                prop_assert!(of_patient.clone().all(|p| p >= low) && of_patient.any(|p| p <= low));
            }
        }

        #[test]
        fn miss_band_holds_as_much_as_it_says(
            fitted in 1u64..200,
            share in 0.0..1.0f64,
            tested in 1u64..200,
            level in 0.5..0.99f64,
        ) {
            let rank = 1 + (share * fitted as f64) as u64;
            let band = miss_band(rank, fitted, tested, Confidence::new(level).expect("in range")).expect("in range");
            let mass = |from: u64, to: u64| -> f64 {
                let (a, b) = (rank as f64, (fitted + 1 - rank) as f64);
                (from..=to).map(|j| beta_binomial(j as f64, tested as f64, a, b).expect("in range")).sum()
            };
            prop_assert!(mass(band.lower, band.upper) >= level - 1e-9);
            // One miss fewer at either end would be too few.
            let tail = (1.0 - level) / 2.0;
            prop_assert!(band.lower == 0 || mass(0, band.lower - 1) < tail + 1e-9);
            prop_assert!(band.upper == 0 || mass(0, band.upper - 1) < 1.0 - tail + 1e-9);
        }
    }
}
