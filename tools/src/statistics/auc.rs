//! The area under the ROC curve (AUC): its variance by DeLong, its interval, two models on the same cases, and the
//! false positives at a sensitivity.
//!
//! Cases are independent here. Where patients have several pictures, take one score a patient, or
//! [`bootstrap`](super::bootstrap).

use super::proportion::Proportion;
use super::special::two_sided_p_value;
use super::{Confidence, Estimate, Interval, Undefined, check_lengths, is_tied, mean};

/// The scores of positive and of negative cases, at least one of each. A higher score speaks for positive.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScores {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl ClassScores {
    /// One score and one truth for each case. A score is a probability, a logit or any other number but NaN: only the
    /// order counts.
    ///
    /// # Errors
    /// [`Undefined::Lengths`], [`Undefined::Empty`], [`Undefined::OneClass`], and [`Undefined::OutOfRange`] where a
    /// score is NaN.
    ///
    /// ```
    /// use bedside_tools::statistics::{Undefined, auc::ClassScores};
    ///
    /// assert_eq!(ClassScores::new(&[0.1, 0.9], &[true, true]), Err(Undefined::OneClass));
    /// ```
    pub fn new(scores: &[f64], is_positive: &[bool]) -> Result<Self, Undefined> {
        check_lengths(scores.len(), is_positive.len())?;
        if scores.iter().any(|s| s.is_nan()) {
            return Err(Undefined::OutOfRange("score"));
        }
        let of = |class: bool| scores.iter().zip(is_positive).filter(|&(_, &p)| p == class).map(|(&s, _)| s).collect();
        let (positives, negatives): (Vec<f64>, Vec<f64>) = (of(true), of(false));
        if positives.is_empty() || negatives.is_empty() {
            return Err(Undefined::OneClass);
        }
        Ok(Self { positives, negatives })
    }

    /// The area under the ROC curve, 0…1: the probability that a positive case scores higher than a negative one, where
    /// equal scores count half.
    ///
    /// It is the Mann–Whitney U divided by both numbers of cases (Bamber 1975, J. Math. Psychol. 12:387), from the
    /// midranks of all cases, in O(n log n).
    ///
    /// ```
    /// use bedside_tools::statistics::auc::ClassScores;
    ///
    /// // Of 4 pairs 2 are in order, and 1 is equal.
    /// let scores = ClassScores::new(&[0.2, 0.5, 0.5, 0.1], &[true, true, false, false])?;
    /// assert_eq!(scores.auc(), 2.5 / 4.0);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    #[must_use]
    pub fn auc(&self) -> f64 {
        mean(&self.placements().of_positives)
    }

    /// The AUC with its standard error by DeLong.
    ///
    /// The variance is S₁₀/m + S₀₁/n: the sample variances of the placements of m positive cases among the negative
    /// ones, and of n negative cases among the positive ones (DeLong, DeLong and Clarke-Pearson 1988, Biometrics
    /// 44:837), in O(n log n) by midranks (Sun and Xu 2014, IEEE Signal Process. Lett. 21:1389).
    ///
    /// # Errors
    /// [`Undefined::TooFew`] where there are fewer than two cases of a class.
    ///
    /// ```
    /// use bedside_tools::statistics::auc::ClassScores;
    ///
    /// let scores = ClassScores::new(&[3.0, 1.0, 2.0, 0.0], &[true, true, false, false])?;
    /// // Placements: 1 and ½ of the positives, ½ and 1 of the negatives; each variance is ⅛.
    /// let found = scores.delong()?;
    /// assert_eq!(found.value, 0.75);
    /// assert!((found.standard_error - 0.125f64.sqrt()).abs() < 1e-15);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn delong(&self) -> Result<Estimate, Undefined> {
        let placements = self.placements();
        let value = mean(&placements.of_positives);
        Ok(Estimate { value, standard_error: covariance(&placements, &placements)?.sqrt() })
    }

    /// The lowest false-positive rate whose sensitivity is at least this much, with its threshold. `sensitivity` is
    /// above 0 and at most 1. A case is called positive where its score is at or over the threshold, and nothing is
    /// interpolated.
    ///
    /// # Errors
    /// [`Undefined::OutOfRange`] where the sensitivity is out of range.
    ///
    /// ```
    /// use bedside_tools::statistics::auc::ClassScores;
    ///
    /// let scores = ClassScores::new(&[0.9, 0.8, 0.3, 0.5, 0.1], &[true, true, true, false, false])?;
    /// let point = scores.at_sensitivity(0.95)?;
    /// assert_eq!((point.threshold, point.false_positives.value()), (0.3, 0.5));
    /// assert_eq!(scores.at_sensitivity(0.6)?.threshold, 0.8);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn at_sensitivity(&self, sensitivity: f64) -> Result<RocPoint, Undefined> {
        if !(sensitivity > 0.0 && sensitivity <= 1.0) {
            return Err(Undefined::OutOfRange("sensitivity"));
        }
        let mut descending = self.positives.clone();
        descending.sort_by(|a, b| b.total_cmp(a));
        let count = descending.len() as f64;
        // Quotients are compared: 100 · 0.07 is above 7 in f64.
        let index = (1..descending.len()).position(|k| k as f64 / count >= sensitivity).unwrap_or(descending.len() - 1);
        let threshold = descending[index];
        let over = |scores: &[f64]| scores.iter().filter(|&&s| s >= threshold).count() as u64;
        Ok(RocPoint {
            threshold,
            true_positives: Proportion::new(over(&self.positives), self.positives.len() as u64)?,
            false_positives: Proportion::new(over(&self.negatives), self.negatives.len() as u64)?,
        })
    }

    /// The ROC curve: a point for each score that occurs, from the highest on. Its first point, where nothing is called
    /// positive, is (0, 0) and has no threshold: it is left out.
    ///
    /// # Errors
    /// [`Undefined::OutOfRange`] for more than 10⁹ cases of a class.
    ///
    /// ```
    /// use bedside_tools::statistics::auc::ClassScores;
    ///
    /// let scores = ClassScores::new(&[0.9, 0.5, 0.5], &[true, true, false])?;
    /// let points: Vec<_> = scores.curve()?.iter().map(|p| (p.false_positives.value(), p.true_positives.value())).collect();
    /// assert_eq!(points, [(0.0, 0.5), (1.0, 1.0)]);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn curve(&self) -> Result<Vec<RocPoint>, Undefined> {
        let positives = self.positives.iter().map(|&s| (s, true));
        let mut all: Vec<(f64, bool)> = positives.chain(self.negatives.iter().map(|&s| (s, false))).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut over, mut false_alarms) = (0, 0);
        all.chunk_by(|a, b| is_tied(a.0, b.0))
            .map(|equal| {
                let hits = equal.iter().filter(|(_, is_positive)| *is_positive).count();
                over += hits as u64;
                false_alarms += (equal.len() - hits) as u64;
                Ok(RocPoint {
                    threshold: equal[0].0,
                    true_positives: Proportion::new(over, self.positives.len() as u64)?,
                    false_positives: Proportion::new(false_alarms, self.negatives.len() as u64)?,
                })
            })
            .collect()
    }

    /// Each case's placement: the share of the other class's cases that it is in order with (equal scores count half).
    fn placements(&self) -> Placements {
        let (m, n) = (self.positives.len(), self.negatives.len());
        let all = midranks(&[&self.positives[..], &self.negatives[..]].concat());
        let among_positives = midranks(&self.positives);
        let among_negatives = midranks(&self.negatives);
        let of_positives = (0..m).map(|i| (all[i] - among_positives[i]) / n as f64).collect();
        let of_negatives = (0..n).map(|j| 1.0 - (all[m + j] - among_negatives[j]) / m as f64).collect();
        Placements { of_positives, of_negatives }
    }
}

/// A point of the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// A case whose score is at or over it is called positive.
    pub threshold: f64,
    /// The positive cases at or over the threshold: the sensitivity (true-positive rate).
    pub true_positives: Proportion,
    /// The negative cases at or over the threshold: the false-positive rate, 1 − specificity.
    pub false_positives: Proportion,
}

/// The interval of an AUC on the logit scale: logit θ ∓ z · SE/(θ(1 − θ)), transformed back, so that it stays inside
/// 0…1 (Pepe 2003, The Statistical Evaluation of Medical Tests for Classification and Prediction, chapter 5; Qin and
/// Hotilovac 2008, Stat. Methods Med. Res. 17:207).
///
/// # Errors
/// [`Undefined::NoVariation`] where the AUC is 0 or 1, or its standard error 0: DeLong's variance then says nothing.
///
/// ```
/// use bedside_tools::statistics::{Confidence, Estimate, auc::logit_interval};
///
/// // logit 0.8 = ln 4; 1.96 · 0.04/0.16 = 0.49.
/// let interval = logit_interval(Estimate { value: 0.8, standard_error: 0.04 }, Confidence::P95)?;
/// assert!((interval.lower - 0.7102).abs() < 1e-4 && (interval.upper - 0.8672).abs() < 1e-4);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn logit_interval(auc: Estimate, confidence: Confidence) -> Result<Interval, Undefined> {
    let Estimate { value, standard_error } = auc;
    if !(value > 0.0 && value < 1.0 && standard_error > 0.0) {
        return Err(Undefined::NoVariation);
    }
    let logit = libm::log(value / (1.0 - value));
    let half = confidence.z() * standard_error / (value * (1.0 - value));
    let back = |logit: f64| 1.0 / (1.0 + libm::exp(-logit));
    Ok(Interval { lower: back(logit - half), upper: back(logit + half) })
}

/// The AUCs of two models on the same cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedAuc {
    /// The AUC of the first model.
    pub first: Estimate,
    /// The AUC of the second model.
    pub second: Estimate,
    /// The first less the second, with the standard error that takes their correlation into account.
    pub difference: Estimate,
    /// The difference by its standard error: standard normal where both models have the same AUC.
    pub z: f64,
    /// The two-sided p-value of z, 0…1.
    pub p_value: f64,
}

/// Compares two models on the same cases (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837, equation 5).
///
/// The variance of the difference is V₁₁ + V₂₂ − 2V₁₂ of the covariance matrix of both AUCs. Each case has an entry in
/// each of the three lists.
///
/// # Errors
/// As [`ClassScores::new`] and [`ClassScores::delong`], and [`Undefined::NoVariation`] where the variance of the
/// difference is 0, as it is where both models order all cases alike.
///
/// ```
/// use bedside_tools::statistics::auc::compare;
///
/// let truth = [true, true, true, false, false, false];
/// let found = compare(&[6.0, 5.0, 3.0, 4.0, 2.0, 1.0], &[6.0, 2.0, 3.0, 4.0, 5.0, 1.0], &truth)?;
/// assert!((found.difference.value - (8.0 - 5.0) / 9.0).abs() < 1e-15);
/// assert!(found.p_value > 0.05);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn compare(first: &[f64], second: &[f64], is_positive: &[bool]) -> Result<PairedAuc, Undefined> {
    let first = ClassScores::new(first, is_positive)?.placements();
    let second = ClassScores::new(second, is_positive)?.placements();
    let (variance_first, variance_second) = (covariance(&first, &first)?, covariance(&second, &second)?);
    // The placements' differences have the variance of the difference, without the cancellation of V₁₁ + V₂₂ − 2V₁₂.
    let differences = first.less(&second);
    let difference = Estimate {
        value: mean(&differences.of_positives),
        standard_error: covariance(&differences, &differences)?.sqrt(),
    };
    if difference.standard_error == 0.0 {
        return Err(Undefined::NoVariation);
    }
    let z = difference.value / difference.standard_error;
    let estimate = |placements: &Placements, variance: f64| Estimate {
        value: mean(&placements.of_positives),
        standard_error: variance.sqrt(),
    };
    Ok(PairedAuc {
        first: estimate(&first, variance_first),
        second: estimate(&second, variance_second),
        difference,
        z,
        p_value: two_sided_p_value(z),
    })
}

/// DeLong's structural components, V₁₀ of the positive and V₀₁ of the negative cases.
struct Placements {
    of_positives: Vec<f64>,
    of_negatives: Vec<f64>,
}

impl Placements {
    fn less(&self, other: &Self) -> Self {
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self {
            of_positives: less(&self.of_positives, &other.of_positives),
            of_negatives: less(&self.of_negatives, &other.of_negatives),
        }
    }
}

/// The covariance of two AUCs on the same cases: S₁₀/m + S₀₁/n.
fn covariance(first: &Placements, second: &Placements) -> Result<f64, Undefined> {
    let part = |a: &[f64], b: &[f64]| {
        if a.len() < 2 {
            return Err(Undefined::TooFew);
        }
        let (mean_a, mean_b) = (mean(a), mean(b));
        let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
        Ok(sum / (a.len() - 1) as f64 / a.len() as f64)
    };
    Ok(part(&first.of_positives, &second.of_positives)? + part(&first.of_negatives, &second.of_negatives)?)
}

/// The rank of each value, from 1 on, where equal values have the mean of the ranks that they take up.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for equal in order.chunk_by(|&a, &b| is_tied(values[a], values[b])) {
        // The mean of start + 1 to start + len.
        let rank = start as f64 + (equal.len() + 1) as f64 / 2.0;
        for &index in equal {
            ranks[index] = rank;
        }
        start += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Ratings 1 to 5 of normal and abnormal CT pictures (Hanley and McNeil 1982, Radiology 143:29, table I).
    fn hanley_mcneil() -> ClassScores {
        let (normal, abnormal) = ([33, 6, 6, 11, 2], [3, 2, 2, 11, 33]);
        let ratings = |counts: [usize; 5]| (0..5).flat_map(move |r| std::iter::repeat_n(r as f64, counts[r])).collect();
        let (negatives, positives): (Vec<f64>, Vec<f64>) = (ratings(normal), ratings(abnormal));
        ClassScores { positives, negatives }
    }

    /// How a positive and a negative score are in order: ψ of DeLong.
    fn in_order(positive: f64, negative: f64) -> f64 {
        if positive > negative {
            1.0
        } else if positive < negative {
            0.0
        } else {
            0.5
        }
    }

    /// The components by their definition, in O(mn).
    fn placements_by_definition(scores: &ClassScores) -> Placements {
        let (positives, negatives) = (&scores.positives, &scores.negatives);
        let of_positive = |&p: &f64| negatives.iter().map(|&n| in_order(p, n)).sum::<f64>() / negatives.len() as f64;
        let of_negative = |&n: &f64| positives.iter().map(|&p| in_order(p, n)).sum::<f64>() / positives.len() as f64;
        Placements {
            of_positives: positives.iter().map(of_positive).collect(),
            of_negatives: negatives.iter().map(of_negative).collect(),
        }
    }

    #[test]
    fn auc_and_delong_have_the_values_of_hanley_mcneil() {
        // Hanley and McNeil 1982 have 0.893. Stata's manual of `roctab` has 0.8932, standard error 0.0307, interval
        // 0.83295 to 0.95339 for their ratings.
        let found = hanley_mcneil().delong().expect("109 cases");
        assert!((found.value - 0.8932).abs() < 5e-5, "{found:?}");
        assert!((found.standard_error - 0.0307).abs() < 5e-5, "{found:?}");
        let interval = found.interval(Confidence::P95);
        assert!((interval.lower - 0.83295).abs() < 5e-6 && (interval.upper - 0.95339).abs() < 5e-6, "{interval:?}");
    }

    #[test]
    fn auc_is_1_where_classes_are_apart() {
        let scores = ClassScores::new(&[2.0, f64::INFINITY, -1.0, f64::NEG_INFINITY], &[true, true, false, false]);
        let found = scores.expect("two of each").delong().expect("two of each");
        assert_eq!(found, Estimate { value: 1.0, standard_error: 0.0 });
        assert_eq!(logit_interval(found, Confidence::P95), Err(Undefined::NoVariation));
    }

    #[test]
    fn class_scores_refuses_what_has_no_auc() {
        assert_eq!(ClassScores::new(&[], &[]), Err(Undefined::Empty));
        assert_eq!(ClassScores::new(&[1.0], &[]), Err(Undefined::Lengths));
        assert_eq!(ClassScores::new(&[1.0, 2.0], &[false, false]), Err(Undefined::OneClass));
        assert_eq!(ClassScores::new(&[1.0, f64::NAN], &[false, true]), Err(Undefined::OutOfRange("score")));
        let one = ClassScores::new(&[1.0, 2.0, 3.0], &[false, true, false]).expect("both classes");
        assert_eq!(one.delong(), Err(Undefined::TooFew));
    }

    #[test]
    fn at_sensitivity_calls_equal_scores_alike() {
        // Sensitivities are possible at 2/3 and 1 alone.
        let scores = ClassScores::new(&[0.7, 0.7, 0.2, 0.7, 0.1], &[true, true, true, false, false]).expect("both");
        let point = scores.at_sensitivity(0.5).expect("in range");
        assert_eq!(point.true_positives, Proportion::new(2, 3).expect("in range"));
        assert_eq!(point.false_positives, Proportion::new(1, 2).expect("in range"));
        assert!(scores.at_sensitivity(0.0).is_err() && scores.at_sensitivity(1.1).is_err());
    }

    #[test]
    fn at_sensitivity_counts_as_exact_arithmetic_does() {
        // 7 of 100 are 7 %.
        let scores: Vec<f64> = (0..101).map(f64::from).collect();
        let truth: Vec<bool> = (0..101).map(|i| i > 0).collect();
        let point = ClassScores::new(&scores, &truth).expect("both").at_sensitivity(0.07).expect("in range");
        assert_eq!(point.true_positives.count(), 7);
    }

    #[test]
    fn compare_of_equal_models_has_no_variance() {
        let truth = [true, true, false, false];
        let (first, second) = ([4.0, 2.0, 3.0, 1.0], [0.4, 0.2, 0.3, 0.1]);
        assert_eq!(compare(&first, &second, &truth), Err(Undefined::NoVariation));
    }

    #[test]
    fn compare_by_hand() {
        // Positives score 4, 2 and 3, 4; negatives 3, 1 and 1, 2. Placements of the first model are 1, ½ and ½, 1, and
        // those of the second all 1. Differences 0, −½ and −½, 0: each variance ⅛, over 2, twice.
        let truth = [true, true, false, false];
        let found = compare(&[4.0, 2.0, 3.0, 1.0], &[3.0, 4.0, 1.0, 2.0], &truth).expect("two of each");
        assert!((found.difference.value + 0.25).abs() < 1e-15);
        assert!((found.difference.standard_error - 0.125f64.sqrt()).abs() < 1e-15);
        assert!((found.z + 0.5f64.sqrt()).abs() < 1e-15);
        // Φ(−0.7071) = 0.2398 (Abramowitz and Stegun 1964, table 26.1, interpolated).
        assert!((found.p_value - 2.0 * 0.239_75).abs() < 1e-4);
    }

    /// Scores on few levels, so that many are equal, of both classes.
    fn cases() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<bool>)> {
        let case = (0u8..12, 0u8..12, any::<bool>());
        vec(case, 4..60).prop_map(|cases| {
            let scores = |of: fn(&(u8, u8, bool)) -> u8| cases.iter().map(|c| f64::from(of(c))).collect();
            let mut truth: Vec<bool> = cases.iter().map(|c| c.2).collect();
            truth[..4].copy_from_slice(&[true, true, false, false]);
            (scores(|c| c.0), scores(|c| c.1), truth)
        })
    }

    proptest! {
        #[test]
        fn placements_are_those_of_the_definition((scores, _, truth) in cases()) {
            let scores = ClassScores::new(&scores, &truth).expect("both classes");
            let (found, expected) = (scores.placements(), placements_by_definition(&scores));
            let all = |p: &Placements| [&p.of_positives[..], &p.of_negatives[..]].concat();
            prop_assert!(all(&found).iter().zip(all(&expected)).all(|(a, b)| (a - b).abs() < 1e-12));
        }

        #[test]
        fn auc_depends_on_the_order_alone((scores, _, truth) in cases()) {
            let auc = |scores: &[f64]| ClassScores::new(scores, &truth).expect("both classes").auc();
            let stretched: Vec<f64> = scores.iter().map(|s| (s / 3.0).exp() - 7.0).collect();
            let reversed: Vec<f64> = scores.iter().map(|s| -s).collect();
            prop_assert!((auc(&scores) - auc(&stretched)).abs() < 1e-12);
            prop_assert!((auc(&scores) + auc(&reversed) - 1.0).abs() < 1e-12);
        }

        #[test]
        fn logit_interval_holds_the_auc_and_mirrors((scores, _, truth) in cases()) {
            let interval = |scores: &[f64]| {
                let auc = ClassScores::new(scores, &truth).expect("both classes").delong().expect("two of each");
                logit_interval(auc, Confidence::P95).map(|i| (auc.value, i))
            };
            let reversed: Vec<f64> = scores.iter().map(|s| -s).collect();
            if let (Ok((auc, one)), Ok((_, other))) = (interval(&scores), interval(&reversed)) {
                prop_assert!(one.contains(auc) && one.lower >= 0.0 && one.upper <= 1.0);
                prop_assert!((one.lower + other.upper - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn variance_of_the_difference_is_that_of_the_covariance_matrix((first, second, truth) in cases()) {
            let placements = |scores: &[f64]| ClassScores::new(scores, &truth).expect("both classes").placements();
            let (a, b) = (placements(&first), placements(&second));
            let covariance = |x, y| covariance(x, y).expect("two of each");
            let expected = covariance(&a, &a) + covariance(&b, &b) - 2.0 * covariance(&a, &b);
            if let Ok(found) = compare(&first, &second, &truth) {
                prop_assert!((found.difference.standard_error.powi(2) - expected).abs() < 1e-12);
                let exchanged = compare(&second, &first, &truth).expect("as before");
                prop_assert!((found.z + exchanged.z).abs() < 1e-9 && (0.0..=1.0).contains(&found.p_value));
            }
        }

        #[test]
        fn at_sensitivity_has_the_lowest_false_positive_rate((scores, _, truth) in cases(), wanted in 0.01..=1.0f64) {
            let classes = ClassScores::new(&scores, &truth).expect("both classes");
            let point = classes.at_sensitivity(wanted).expect("in range");
            prop_assert!(point.true_positives.value() >= wanted);
            let over = |threshold: f64| classes.positives.iter().filter(|&&s| s >= threshold).count();
            let higher = scores.iter().copied().filter(|&s| s > point.threshold);
            for threshold in higher {
                prop_assert!((over(threshold) as f64) < wanted * classes.positives.len() as f64 + 1e-9);
            }
        }
    }
}
