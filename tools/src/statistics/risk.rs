//! What a model risks by answering: risk and coverage, and the confusion of triage and truth.

use std::collections::BTreeMap;

use super::proportion::Proportion;
use super::{Undefined, check_lengths, is_tied};

/// The risk where a model answers for the most confident cases alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskPoint {
    /// The lowest confidence that is answered.
    pub threshold: f64,
    /// The cases that are answered: the coverage.
    pub answered: Proportion,
    /// The wrong ones among the answered: the selective risk.
    pub wrong: Proportion,
}

/// The risk–coverage curve, from the most confident cases to all (El-Yaniv and Wiener 2010, J. Mach. Learn. Res.
/// 11:1605; Geifman and El-Yaniv 2017, NeurIPS).
///
/// It has a point for each confidence that occurs: a threshold can't part equal ones. A confidence may be any number
/// but NaN.
///
/// # Errors
/// [`Undefined::Empty`], [`Undefined::Lengths`], and [`Undefined::OutOfRange`] where a confidence is NaN.
///
/// ```
/// use bedside_tools::statistics::risk::risk_coverage;
///
/// let curve = risk_coverage(&[0.9, 0.6, 0.6, 0.8], &[false, true, false, false])?;
/// let points: Vec<_> = curve.iter().map(|p| (p.answered.value(), p.wrong.value())).collect();
/// assert_eq!(points, [(0.25, 0.0), (0.5, 0.0), (1.0, 0.25)]);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn risk_coverage(confidences: &[f64], is_wrong: &[bool]) -> Result<Vec<RiskPoint>, Undefined> {
    check_lengths(confidences.len(), is_wrong.len())?;
    if confidences.iter().any(|c| c.is_nan()) {
        return Err(Undefined::OutOfRange("confidence"));
    }
    let mut order: Vec<usize> = (0..confidences.len()).collect();
    order.sort_by(|&a, &b| confidences[b].total_cmp(&confidences[a]));
    let (mut answered, mut wrong) = (0, 0);
    let equal = order.chunk_by(|&a, &b| is_tied(confidences[a], confidences[b]));
    equal
        .map(|cases| {
            answered += cases.len() as u64;
            wrong += cases.iter().filter(|&&i| is_wrong[i]).count() as u64;
            Ok(RiskPoint {
                threshold: confidences[cases[0]],
                answered: Proportion::new(answered, order.len() as u64)?,
                wrong: Proportion::new(wrong, answered)?,
            })
        })
        .collect()
}

/// The area under the risk–coverage curve (AURC): the mean of the selective risks at coverages of 1/n, 2/n … 1
/// (Geifman, Uziel and El-Yaniv 2019, ICLR, equation 3). 0…1, and the lower the better.
///
/// Cases of equal confidence have no order: the risk between two points is its mean over all their orders, so that the
/// area does not depend on the order of cases.
///
/// # Errors
/// As [`risk_coverage`].
///
/// ```
/// use bedside_tools::statistics::risk::aurc;
///
/// // The second of four is wrong: of 1, 2, 3 and 4 answers, 0, 1, 1 and 1 are wrong.
/// let found = aurc(&[4.0, 3.0, 2.0, 1.0], &[false, true, false, false])?;
/// assert!((found - (0.0 + 1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0) / 4.0).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn aurc(confidences: &[f64], is_wrong: &[bool]) -> Result<f64, Undefined> {
    let curve = risk_coverage(confidences, is_wrong)?;
    let (mut answered, mut wrong, mut sum) = (0, 0.0, 0.0);
    for point in curve {
        let next = point.answered.count();
        let each = (point.wrong.count() as f64 - wrong) / (next - answered) as f64;
        for i in 1..=next - answered {
            sum += (wrong + each * i as f64) / (answered + i) as f64;
        }
        (answered, wrong) = (next, point.wrong.count() as f64);
    }
    Ok(sum / confidences.len() as f64)
}

/// What of the [`aurc`] is the order's: the area less that of the best order, in which all wrong cases come last (E-AURC,
/// Geifman, Uziel and El-Yaniv 2019, ICLR, equation 6).
///
/// # Errors
/// As [`risk_coverage`].
///
/// ```
/// use bedside_tools::statistics::risk::excess_aurc;
///
/// assert_eq!(excess_aurc(&[0.9, 0.8, 0.1], &[false, false, true])?, 0.0);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn excess_aurc(confidences: &[f64], is_wrong: &[bool]) -> Result<f64, Undefined> {
    let area = aurc(confidences, is_wrong)?;
    // By counts, as equal confidences would spread the wrong cases: they come last, one by one.
    let (n, right) = (is_wrong.len(), is_wrong.iter().filter(|&&w| !w).count());
    let best: f64 = (right + 1..=n).map(|answered| (answered - right) as f64 / answered as f64).sum();
    Ok(area - best / n as f64)
}

/// How many cases of each truth had each answer, such as triage by diagnosis. Both may be any ordered type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion<T, A> {
    counts: BTreeMap<(T, A), u64>,
}

impl<T: Ord + Clone, A: Ord + Clone> Confusion<T, A> {
    /// Counts the truth and the answer of each case.
    ///
    /// ```
    /// use bedside_tools::statistics::risk::Confusion;
    ///
    /// #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
    /// enum Triage { NoSign, Refer, Urgent }
    ///
    /// let cases = [("melanoma", Triage::Urgent), ("melanoma", Triage::NoSign), ("nevus", Triage::Refer)];
    /// let confusion = Confusion::new(cases);
    /// assert_eq!(confusion.count(&"melanoma", &Triage::NoSign), 1);
    /// let referred = confusion.share(&"melanoma", |triage| *triage >= Triage::Refer)?;
    /// assert_eq!((referred.count(), referred.cases()), (1, 2));
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn new(cases: impl IntoIterator<Item = (T, A)>) -> Self {
        let mut counts = BTreeMap::new();
        for case in cases {
            *counts.entry(case).or_insert(0) += 1;
        }
        Self { counts }
    }

    /// How many cases of this truth had this answer.
    #[must_use]
    pub fn count(&self, truth: &T, answer: &A) -> u64 {
        self.counts.get(&(truth.clone(), answer.clone())).copied().unwrap_or(0)
    }

    /// The number of all cases.
    ///
    /// ```
    /// use bedside_tools::statistics::risk::Confusion;
    ///
    /// assert_eq!(Confusion::new([(1, 'a'), (1, 'a'), (2, 'b')]).total(), 3);
    /// ```
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The counts that are above 0, in ascending order of truth, then of answer.
    ///
    /// ```
    /// use bedside_tools::statistics::risk::Confusion;
    ///
    /// let confusion = Confusion::new([(2, 'b'), (1, 'a'), (1, 'a')]);
    /// assert_eq!(confusion.iter().collect::<Vec<_>>(), [(&1, &'a', 2), (&2, &'b', 1)]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&T, &A, u64)> {
        self.counts.iter().map(|((truth, answer), &count)| (truth, answer, count))
    }

    /// The cases of this truth whose answer is one of those asked for, such as the sensitivity of a triage.
    ///
    /// # Errors
    /// [`Undefined::Empty`] where there is no case of this truth.
    ///
    /// ```
    /// use bedside_tools::statistics::{Undefined, risk::Confusion};
    ///
    /// let confusion = Confusion::new([("ill", true), ("ill", false)]);
    /// assert_eq!(confusion.share(&"ill", |&called| called)?.value(), 0.5);
    /// assert_eq!(confusion.share(&"well", |&called| called), Err(Undefined::Empty));
    /// # Ok::<(), Undefined>(())
    /// ```
    pub fn share(&self, truth: &T, is_counted: impl Fn(&A) -> bool) -> Result<Proportion, Undefined> {
        self.proportion(|t, _| t == truth, |_, answer| is_counted(answer))
    }

    /// The cases of this answer whose truth is one of those asked for, such as a predictive value. It is that of the
    /// prevalence among these cases: see [`predictive_values`](super::proportion::predictive_values).
    ///
    /// # Errors
    /// [`Undefined::Empty`] where no case had this answer.
    ///
    /// ```
    /// use bedside_tools::statistics::risk::Confusion;
    ///
    /// let confusion = Confusion::new([("ill", true), ("well", true), ("well", false)]);
    /// assert_eq!(confusion.share_of_answer(&true, |&truth| truth == "ill")?.value(), 0.5);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn share_of_answer(&self, answer: &A, is_counted: impl Fn(&T) -> bool) -> Result<Proportion, Undefined> {
        self.proportion(|_, a| a == answer, |truth, _| is_counted(truth))
    }

    fn proportion(
        &self,
        is_case: impl Fn(&T, &A) -> bool,
        is_counted: impl Fn(&T, &A) -> bool,
    ) -> Result<Proportion, Undefined> {
        let (mut count, mut cases) = (0, 0);
        for (truth, answer, number) in self.iter().filter(|(truth, answer, _)| is_case(truth, answer)) {
            cases += number;
            count += if is_counted(truth, answer) { number } else { 0 };
        }
        Proportion::new(count, cases)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn aurc_of_equal_confidences_is_the_mean_over_orders() {
        // One wrong of three: the risk is ⅓ at each coverage, in the mean over the six orders.
        assert!((aurc(&[0.5; 3], &[true, false, false]).expect("defined") - 1.0 / 3.0).abs() < 1e-15);
        // Behind a right one: 0, then (½ + 0)/2, then ⅓.
        let found = aurc(&[0.9, 0.5, 0.5], &[false, true, false]).expect("defined");
        assert!((found - (0.25 + 1.0 / 3.0) / 3.0).abs() < 1e-15);
    }

    #[test]
    fn risk_coverage_refuses_what_has_no_curve() {
        assert_eq!(risk_coverage(&[], &[]), Err(Undefined::Empty));
        assert_eq!(aurc(&[1.0], &[]), Err(Undefined::Lengths));
        assert_eq!(risk_coverage(&[f64::NAN], &[true]), Err(Undefined::OutOfRange("confidence")));
    }

    #[test]
    fn confusion_counts_what_never_occurs_as_0() {
        let confusion = Confusion::new([("ill", "refer")]);
        assert_eq!(confusion.count(&"ill", &"urgent"), 0);
        assert_eq!(confusion.share_of_answer(&"urgent", |_| true), Err(Undefined::Empty));
    }

    proptest! {
        #[test]
        fn curve_ends_at_all_cases(cases in vec((0u8..10, any::<bool>()), 1..60)) {
            let (confidences, wrong): (Vec<f64>, Vec<bool>) = cases.iter().map(|&(c, w)| (f64::from(c), w)).unzip();
            let curve = risk_coverage(&confidences, &wrong).expect("defined");
            let end = curve.last().expect("not empty");
            prop_assert_eq!(end.answered.count(), cases.len() as u64);
            prop_assert_eq!(end.wrong.count(), wrong.iter().filter(|&&w| w).count() as u64);
            prop_assert!(curve.windows(2).all(|p| p[0].threshold > p[1].threshold));
            for point in curve {
                let over = confidences.iter().zip(&wrong).filter(|&(&c, _)| c >= point.threshold);
                prop_assert_eq!(over.clone().count() as u64, point.answered.count());
                prop_assert_eq!(over.filter(|&(_, &w)| w).count() as u64, point.wrong.count());
            }
        }

        #[test]
        fn aurc_does_not_depend_on_the_order(cases in vec((0u8..10, any::<bool>()), 1..60)) {
            let area = |cases: &[(u8, bool)]| {
                let (confidences, wrong): (Vec<f64>, Vec<bool>) = cases.iter().map(|&(c, w)| (f64::from(c), w)).unzip();
                aurc(&confidences, &wrong).expect("defined")
            };
            let reversed: Vec<(u8, bool)> = cases.iter().rev().copied().collect();
            prop_assert!((area(&cases) - area(&reversed)).abs() < 1e-12);
            prop_assert!((0.0..=1.0).contains(&area(&cases)));
        }

        #[test]
        fn confusion_shares_add_up(cases in vec((0u8..3, 0u8..4), 1..60)) {
            let confusion = Confusion::new(cases.iter().copied());
            prop_assert_eq!(confusion.total(), cases.len() as u64);
            for truth in 0..3 {
                let Ok(share) = confusion.share(&truth, |&a| a >= 2) else { continue };
                prop_assert_eq!(share.count(), confusion.count(&truth, &2) + confusion.count(&truth, &3));
                prop_assert_eq!(share.cases(), cases.iter().filter(|c| c.0 == truth).count() as u64);
            }
        }
    }
}
