//! Whether probabilities are right: Brier score, negative log-likelihood, calibration error, intercept and slope; and
//! the temperature that makes them so.
//!
//! Functions of one probability a case are for two classes, or for the most probable label and whether it is right.
//! [`LabelledLogits`] has the logits of all classes.

use super::bootstrap::Groups;
use super::proportion::Proportion;
use super::{Estimate, Interval, Undefined, check_lengths, check_probabilities, is_tied};

/// The Brier score of two classes: the mean of (p − y)², y being 1 for a case that has the outcome and 0 for others.
///
/// 0 is best, and 1 worst. It is half of Brier's own sum over both classes (Brier 1950, Mon. Weather Rev. 78:1), which
/// [`LabelledLogits::brier`] gives.
///
/// # Errors
/// [`Undefined::Empty`], [`Undefined::Lengths`], and [`Undefined::OutOfRange`] where a probability is not 0…1.
///
/// ```
/// use bedside_tools::statistics::calibration::brier;
///
/// // (0.01 + 0.16) / 2.
/// assert!((brier(&[0.9, 0.4], &[true, false])? - 0.085).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn brier(probabilities: &[f64], outcomes: &[bool]) -> Result<f64, Undefined> {
    check_forecasts(probabilities, outcomes)?;
    let squares = probabilities.iter().zip(outcomes).map(|(p, &y)| (p - f64::from(y)).powi(2));
    Ok(squares.sum::<f64>() / outcomes.len() as f64)
}

/// The mean negative log-likelihood of two classes, in nats, 0 or above: −ln p of what happened.
///
/// # Errors
/// As [`brier`], and [`Undefined::Infinite`] where what happened had a probability of 0.
///
/// ```
/// use bedside_tools::statistics::{Undefined, calibration::nll};
///
/// assert!((nll(&[0.5, 0.5], &[true, false])? - f64::ln(2.0)).abs() < 1e-15);
/// assert_eq!(nll(&[1.0], &[false]), Err(Undefined::Infinite));
/// # Ok::<(), Undefined>(())
/// ```
pub fn nll(probabilities: &[f64], outcomes: &[bool]) -> Result<f64, Undefined> {
    check_forecasts(probabilities, outcomes)?;
    // ln(1 − p) of a small p is exact only as ln1p(−p).
    let losses = probabilities.iter().zip(outcomes).map(|(&p, &y)| if y { -libm::log(p) } else { -libm::log1p(-p) });
    let mean = losses.sum::<f64>() / outcomes.len() as f64;
    // −ln 1 is −0.
    if mean.is_finite() { Ok(mean.max(0.0)) } else { Err(Undefined::Infinite) }
}

/// A bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// The mean confidence of its cases, 0…1.
    pub confidence: f64,
    /// How many of its cases are right.
    pub right: Proportion,
}

/// The bins of a reliability diagram, in ascending order of confidence, with as equal numbers of cases as can be.
///
/// The rule: the n cases are sorted by confidence, and the first n mod B of B bins have ⌊n/B⌋ + 1 of them, the others
/// ⌊n/B⌋, as numpy's `array_split` has it. A boundary between equal confidences moves up behind the last of them, so
/// that the bins do not depend on the order of cases. Bins that are left empty are left out. (Equal mass: Roelofs et
/// al. 2022, AISTATS, "Mitigating bias in calibration error estimation".)
///
/// Where no confidences are equal and B divides n, these are the bins of scikit-learn's `calibration_curve` with
/// `strategy="quantile"` and of netcal's `ECE` with `equal_intervals=False`. Elsewhere those interpolate the
/// boundaries, and put other cases together.
///
/// # Errors
/// As [`brier`], and [`Undefined::OutOfRange`] where `bins` is 0.
///
/// ```
/// use bedside_tools::statistics::calibration::reliability;
///
/// let bins = reliability(&[0.5, 0.9, 0.7, 0.9], &[false, true, true, true], 2)?;
/// assert!((bins[0].confidence - 0.6).abs() < 1e-15);
/// assert_eq!((bins[0].right.value(), bins[1].right.value()), (0.5, 1.0));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn reliability(confidences: &[f64], right: &[bool], bins: usize) -> Result<Vec<Bin>, Undefined> {
    check_forecasts(confidences, right)?;
    let count = |bin: &[usize]| bin.iter().filter(|&&i| right[i]).count() as u64;
    let bin_of = |bin: Vec<usize>| {
        let confidence = bin.iter().map(|&i| confidences[i]).sum::<f64>() / bin.len() as f64;
        Ok(Bin { confidence, right: Proportion::new(count(&bin), bin.len() as u64)? })
    };
    equal_mass_bins(confidences, bins)?.into_iter().map(bin_of).collect()
}

/// The expected calibration error (ECE) over the bins of [`reliability`]: Σ nᵢ/n · |share right − mean confidence|.
///
/// 0…1. It is above 0 even for a model that is perfectly calibrated: compare it with [`expected_ece`]. (Naeini, Cooper
/// and Hauskrecht 2015, AAAI; Guo et al. 2017, ICML, equation 3, with bins of equal width.)
///
/// # Errors
/// As [`reliability`].
///
/// ```
/// use bedside_tools::statistics::calibration::ece;
///
/// // |0.5 − 0.6| · ½ + |1 − 0.9| · ½.
/// assert!((ece(&[0.5, 0.9, 0.7, 0.9], &[false, true, true, true], 2)? - 0.1).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn ece(confidences: &[f64], right: &[bool], bins: usize) -> Result<f64, Undefined> {
    let bins = reliability(confidences, right, bins)?;
    let gap = |bin: &Bin| bin.right.cases() as f64 * (bin.right.value() - bin.confidence).abs();
    Ok(bins.iter().map(gap).sum::<f64>() / right.len() as f64)
}

/// The ECE that a perfectly calibrated model with these confidences shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedEce {
    /// Its mean, 0…1.
    pub mean: f64,
    /// Its standard deviation from one set of cases to another, 0 or above.
    pub standard_deviation: f64,
}

/// The ECE of a perfectly calibrated model with these confidences: each case is right with a probability of its own
/// confidence, independently of the others.
///
/// It is exact, not simulated: the number of right cases of a bin has a Poisson-binomial distribution, which is built
/// up case by case, and the moments of its absolute deviation are summed. Bins are independent. Probabilities below 10⁻³⁰ are left out, so that a bin of
/// n cases takes in the order of n^1.5 steps; the error is below 10⁻¹².
///
/// # Errors
/// As [`ece`].
///
/// ```
/// use bedside_tools::statistics::calibration::expected_ece;
///
/// // 0, 1 or 2 of 2 coins: (¼ · 1 + ½ · 0 + ¼ · 1) / 2.
/// let found = expected_ece(&[0.5, 0.5], 1)?;
/// assert!((found.mean - 0.25).abs() < 1e-15 && (found.standard_deviation - 0.25).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn expected_ece(confidences: &[f64], bins: usize) -> Result<ExpectedEce, Undefined> {
    check_lengths(confidences.len(), confidences.len())?;
    check_probabilities(confidences)?;
    let bins = equal_mass_bins(confidences, bins)?;
    let n = confidences.len() as f64;
    let (mean, variance) = bins
        .iter()
        .map(|bin| absolute_deviation(bin.iter().map(|&i| confidences[i])))
        .fold((0.0, 0.0), |sums, of_bin| (sums.0 + of_bin.0, sums.1 + of_bin.1));
    Ok(ExpectedEce { mean: mean / n, standard_deviation: variance.sqrt() / n })
}

/// The indices of each bin's cases, by the rule of [`reliability`]; at most as many bins as cases.
///
/// # Errors
/// [`Undefined::OutOfRange`] where `bins` is 0.
///
/// ```
/// use bedside_tools::statistics::calibration::equal_mass_bins;
///
/// assert_eq!(equal_mass_bins(&[0.5, 0.9, 0.7], 2)?, [vec![0, 2], vec![1]]);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn equal_mass_bins(confidences: &[f64], bins: usize) -> Result<Vec<Vec<usize>>, Undefined> {
    if bins == 0 {
        return Err(Undefined::OutOfRange("number of bins"));
    }
    let n = confidences.len();
    if n == 0 {
        return Ok(Vec::new());
    }
    // More bins than cases part no more of them.
    let bins = bins.min(n);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| confidences[a].total_cmp(&confidences[b]));
    let boundary = |b: usize| {
        let position = b * (n / bins) + b.min(n % bins);
        let is_split = |i: usize| i > 0 && i < n && is_tied(confidences[order[i]], confidences[order[i - 1]]);
        (position..=n).find(|&i| !is_split(i)).unwrap_or(n)
    };
    let mut boundaries: Vec<usize> = (0..=bins).map(boundary).collect();
    boundaries.dedup();
    Ok(boundaries.windows(2).map(|ends| order[ends[0]..ends[1]].to_vec()).collect())
}

/// Mean and variance of |S − E S| of the number S of cases that are right, each with its own probability.
fn absolute_deviation(probabilities: impl Iterator<Item = f64>) -> (f64, f64) {
    const NEGLIGIBLE: f64 = 1e-30;
    // `distribution[i]` is the probability of `offset` + i right cases.
    let (mut distribution, mut offset, mut mean) = (vec![1.0], 0usize, 0.0);
    for p in probabilities {
        mean += p;
        distribution.push(0.0);
        for i in (1..distribution.len()).rev() {
            distribution[i] = distribution[i] * (1.0 - p) + distribution[i - 1] * p;
        }
        distribution[0] *= 1.0 - p;
        let negligible = distribution.iter().take_while(|&&q| q < NEGLIGIBLE).count();
        distribution.drain(..negligible);
        offset += negligible;
        while distribution.last().is_some_and(|&q| q < NEGLIGIBLE) {
            distribution.pop();
        }
    }
    let moment = |power: i32| -> f64 {
        distribution.iter().enumerate().map(|(i, q)| q * ((offset + i) as f64 - mean).abs().powi(power)).sum()
    };
    let first = moment(1);
    // Of a single case of probability ½ the variance is 0, but for rounding.
    (first, (moment(2) - first * first).max(0.0))
}

/// The calibration intercept ("calibration in the large"): α of logit P(y = 1) = α + log-odds, by maximum likelihood.
///
/// 0 where predictions are right on average, and below 0 where they are too high. In logits. The standard error is that
/// of the information matrix. (Cox 1958, Biometrika 45:562; Van Calster et al. 2019, BMC Med. 17:230.)
///
/// `log_odds` has ln(p/(1 − p)) of each prediction, which is a sigmoid's logit.
///
/// # Errors
/// [`Undefined::Empty`], [`Undefined::Lengths`], [`Undefined::OneClass`], and [`Undefined::OutOfRange`] where a number
/// is not finite.
///
/// ```
/// use bedside_tools::statistics::calibration::calibration_intercept;
///
/// // 3 of 4 where ½ was said: odds of 3.
/// let found = calibration_intercept(&[0.0; 4], &[true, true, true, false])?;
/// assert!((found.value - f64::ln(3.0)).abs() < 1e-9);
/// assert!((found.standard_error - (4.0 * 0.1875f64).sqrt().recip()).abs() < 1e-9);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn calibration_intercept(log_odds: &[f64], outcomes: &[bool]) -> Result<Estimate, Undefined> {
    check_log_odds(log_odds, outcomes)?;
    let (n, count) = (outcomes.len() as f64, outcomes.iter().filter(|&&y| y).count() as f64);
    // What is said too many; it grows with α.
    let excess = |alpha: f64| log_odds.iter().map(|x| sigmoid(alpha + x)).sum::<f64>() - count;
    // Were all log-odds the least or the greatest, α would be these.
    let observed = libm::log(count / (n - count));
    let (min, max) = ends(log_odds);
    let value = root(observed - max, observed - min, excess);
    let information: f64 = log_odds.iter().map(|x| weight(value + x)).sum();
    if information > 0.0 {
        Ok(Estimate { value, standard_error: information.sqrt().recip() })
    } else {
        Err(Undefined::NotConverged)
    }
}

/// [`calibration_intercept`] where cases of one group depend on each other: the same value, with the standard error of
/// the sandwich estimator by groups, √(G/(G − 1) Σ (Σ residuals of a group)²) by the information (Liang and Zeger 1986,
/// Biometrika 73:13; the factor is that of Stata and statsmodels).
///
/// # Errors
/// As [`calibration_intercept`], and [`Undefined::Lengths`] where the groups are of another number of cases.
///
/// ```
/// use bedside_tools::statistics::{bootstrap::Groups, calibration::calibration_intercept_clustered};
///
/// // Two of three patients have it, and ⅔ was said: the residuals are ⅓, ⅓ and −⅔.
/// let said = f64::ln(2.0);
/// let found = calibration_intercept_clustered(&[said; 3], &[true, true, false], &Groups::new(&["a", "b", "c"])?)?;
/// assert!((found.standard_error - (1.5f64 * 6.0 / 9.0).sqrt() / (3.0 * 2.0 / 9.0)).abs() < 1e-9);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn calibration_intercept_clustered(
    log_odds: &[f64],
    outcomes: &[bool],
    groups: &Groups,
) -> Result<Estimate, Undefined> {
    check_lengths(groups.cases(), outcomes.len())?;
    let Estimate { value, .. } = calibration_intercept(log_odds, outcomes)?;
    let information: f64 = log_odds.iter().map(|x| weight(value + x)).sum();
    let influence = |i: usize| (f64::from(outcomes[i]) - sigmoid(value + log_odds[i])) / information;
    Ok(Estimate { value, standard_error: sandwich(groups, 1, influence) })
}

/// The standard error of an estimate from the influence of each case on it, with `parameters` fitted together.
fn sandwich(groups: &Groups, parameters: usize, influence: impl Fn(usize) -> f64) -> f64 {
    let of_group = |cases: &[usize]| cases.iter().map(|&i| influence(i)).sum::<f64>();
    let squares: f64 = groups.iter().map(|cases| of_group(cases).powi(2)).sum();
    let (g, n) = (groups.count() as f64, groups.cases() as f64);
    (g / (g - 1.0) * (n - 1.0) / (n - parameters as f64) * squares).sqrt()
}

/// A logistic regression of outcomes on log-odds: logit P(y = 1) = intercept + slope · log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticFit {
    /// In logits. It is not [`calibration_intercept`], whose slope is 1.
    pub intercept: Estimate,
    /// The calibration slope: 1 where predictions are right, below 1 where they are too extreme.
    pub slope: Estimate,
}

/// The calibration slope, by maximum likelihood (Cox 1958, Biometrika 45:562; Van Calster et al. 2019, BMC Med.
/// 17:230).
///
/// By Newton's method, with steps halved until the likelihood grows. The standard errors are those of the information
/// matrix. That the maximum is finite is known beforehand: it is, unless a value of the log-odds separates the classes
/// (Albert and Anderson 1984, Biometrika 71:1).
///
/// # Errors
/// As [`calibration_intercept`]; [`Undefined::NoVariation`] where all log-odds are equal, [`Undefined::Separated`]
/// where they separate the classes, but for equal ones between.
///
/// ```
/// use bedside_tools::statistics::calibration::calibration_slope;
///
/// // 25 % and 75 % were said; 1 of 10 and 9 of 10 happened: ln 9 is 2 ln 3.
/// let log_odds = [[-f64::ln(3.0); 10], [f64::ln(3.0); 10]].concat();
/// let outcomes: Vec<bool> = (0..20).map(|i| i == 0 || i > 10).collect();
/// let found = calibration_slope(&log_odds, &outcomes)?;
/// assert!((found.slope.value - 2.0).abs() < 1e-9 && found.intercept.value.abs() < 1e-9);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn calibration_slope(log_odds: &[f64], outcomes: &[bool]) -> Result<LogisticFit, Undefined> {
    check_log_odds(log_odds, outcomes)?;
    let (min, max) = ends(log_odds);
    if is_tied(min, max) {
        return Err(Undefined::NoVariation);
    }
    if is_separated(log_odds, outcomes) {
        return Err(Undefined::Separated);
    }
    let mut fit = (0.0, 0.0);
    for _ in 0..100 {
        let moments = Moments::at(fit, log_odds, outcomes);
        let step = moments.step();
        if !(step.0.is_finite() && step.1.is_finite()) {
            return Err(Undefined::NotConverged);
        }
        let next = shortened(fit, step, log_odds, outcomes);
        let moved = (next.0 - fit.0).abs() + (next.1 - fit.1).abs() * min.abs().max(max.abs());
        fit = next;
        // Newton's steps square the distance: one of 10⁻⁹ ends nearer than an f64 can tell.
        if moved < 1e-9 {
            return Ok(Moments::at(fit, log_odds, outcomes).fit(fit));
        }
    }
    Err(Undefined::NotConverged)
}

/// [`calibration_slope`] where cases of one group depend on each other: the same values, with the standard errors of the
/// sandwich estimator by groups, times √(G/(G − 1) · (N − 1)/(N − 2)) (Liang and Zeger 1986, Biometrika 73:13; the
/// factor is that of Stata and statsmodels).
///
/// # Errors
/// As [`calibration_slope`], [`Undefined::Lengths`] where the groups are of another number of cases, and
/// [`Undefined::TooFew`] for fewer than three cases.
pub fn calibration_slope_clustered(
    log_odds: &[f64],
    outcomes: &[bool],
    groups: &Groups,
) -> Result<LogisticFit, Undefined> {
    check_lengths(groups.cases(), outcomes.len())?;
    if outcomes.len() < 3 {
        return Err(Undefined::TooFew);
    }
    let LogisticFit { intercept, slope } = calibration_slope(log_odds, outcomes)?;
    let moments = Moments::at((intercept.value, slope.value), log_odds, outcomes);
    let residual = |i: usize| f64::from(outcomes[i]) - sigmoid(intercept.value + slope.value * log_odds[i]);
    let on_slope = |i: usize| residual(i) * (log_odds[i] - moments.mean) / moments.squares;
    let on_intercept = |i: usize| residual(i) / moments.weights - moments.mean * on_slope(i);
    Ok(LogisticFit {
        intercept: Estimate { value: intercept.value, standard_error: sandwich(groups, 2, on_intercept) },
        slope: Estimate { value: slope.value, standard_error: sandwich(groups, 2, on_slope) },
    })
}

/// The fit after the step, halved until the loss does not grow by more than its sum's rounding.
fn shortened(fit: (f64, f64), step: (f64, f64), log_odds: &[f64], outcomes: &[bool]) -> (f64, f64) {
    let loss = |(intercept, slope): (f64, f64)| -> f64 {
        log_odds.iter().zip(outcomes).map(|(x, &y)| softplus(intercept + slope * x, y)).sum()
    };
    let before = loss(fit);
    let mut share = 1.0;
    for _ in 0..40 {
        let next = (fit.0 + share * step.0, fit.1 + share * step.1);
        if loss(next) <= before * (1.0 + 1e-12) {
            return next;
        }
        share /= 2.0;
    }
    // No step lessens the loss by more than rounding does: the fit is the minimum.
    fit
}

/// The sums of a Newton step, about the weighted mean of the log-odds: without its cross term, nothing cancels.
struct Moments {
    weights: f64,
    mean: f64,
    squares: f64,
    residuals: f64,
    products: f64,
}

impl Moments {
    fn at((intercept, slope): (f64, f64), log_odds: &[f64], outcomes: &[bool]) -> Self {
        let weight_of = |x: f64| weight(intercept + slope * x);
        let weights: f64 = log_odds.iter().map(|&x| weight_of(x)).sum();
        let mean = log_odds.iter().map(|&x| weight_of(x) * x).sum::<f64>() / weights;
        let mut moments = Self { weights, mean, squares: 0.0, residuals: 0.0, products: 0.0 };
        for (&x, &y) in log_odds.iter().zip(outcomes) {
            let residual = f64::from(y) - sigmoid(intercept + slope * x);
            moments.squares += weight_of(x) * (x - mean).powi(2);
            moments.residuals += residual;
            moments.products += residual * (x - mean);
        }
        moments
    }

    /// What Newton's method adds to intercept and slope.
    fn step(&self) -> (f64, f64) {
        let slope = self.products / self.squares;
        (self.residuals / self.weights - self.mean * slope, slope)
    }

    fn fit(&self, (intercept, slope): (f64, f64)) -> LogisticFit {
        let slope_variance = self.squares.recip();
        let intercept_variance = self.weights.recip() + self.mean * self.mean * slope_variance;
        LogisticFit {
            intercept: Estimate { value: intercept, standard_error: intercept_variance.sqrt() },
            slope: Estimate { value: slope, standard_error: slope_variance.sqrt() },
        }
    }
}

/// Whether a value has all cases of one class at or below it, and all of the other at or over it.
fn is_separated(log_odds: &[f64], outcomes: &[bool]) -> bool {
    let ends_of = |class: bool| {
        let of: Vec<f64> = log_odds.iter().zip(outcomes).filter(|&(_, &y)| y == class).map(|(&x, _)| x).collect();
        ends(&of)
    };
    let (with, without) = (ends_of(true), ends_of(false));
    with.0 >= without.1 || without.0 >= with.1
}

/// The logits of all classes of each case, and the class that is true.
///
/// A model with one sigmoid for two classes has the logits [z, 0]: their softmax is that sigmoid.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledLogits {
    logits: Vec<f64>,
    classes: usize,
    labels: Vec<usize>,
}

impl LabelledLogits {
    /// `logits` has the `classes` logits of the first case, then those of the second, and so on; `labels` the index of
    /// each case's true class.
    ///
    /// # Errors
    /// [`Undefined::Empty`], [`Undefined::Lengths`], and [`Undefined::OutOfRange`] where there are fewer than two
    /// classes, a logit is not finite, or a label is no class.
    ///
    /// ```
    /// use bedside_tools::statistics::{Undefined, calibration::LabelledLogits};
    ///
    /// assert!(LabelledLogits::new(vec![1.5, 0.0, -1.5, 0.0], 2, vec![0, 1]).is_ok());
    /// assert_eq!(LabelledLogits::new(vec![1.5, 0.0], 2, vec![2]), Err(Undefined::OutOfRange("label")));
    /// ```
    pub fn new(logits: Vec<f64>, classes: usize, labels: Vec<usize>) -> Result<Self, Undefined> {
        if classes < 2 {
            return Err(Undefined::OutOfRange("number of classes"));
        }
        check_lengths(logits.len(), labels.len().saturating_mul(classes))?;
        if !logits.iter().all(|z| z.is_finite()) {
            return Err(Undefined::OutOfRange("logit"));
        }
        if labels.iter().any(|&l| l >= classes) {
            return Err(Undefined::OutOfRange("label"));
        }
        Ok(Self { logits, classes, labels })
    }

    /// The probabilities of all classes, case by case: the softmax of the logits divided by the temperature.
    ///
    /// # Errors
    /// [`Undefined::OutOfRange`] where the temperature is not above 0 and finite.
    ///
    /// ```
    /// use bedside_tools::statistics::calibration::LabelledLogits;
    ///
    /// let logits = LabelledLogits::new(vec![f64::ln(9.0), 0.0], 2, vec![0])?;
    /// assert!((logits.probabilities(1.0)?[0] - 0.9).abs() < 1e-15);
    /// assert!((logits.probabilities(2.0)?[0] - 0.75).abs() < 1e-15);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn probabilities(&self, temperature: f64) -> Result<Vec<f64>, Undefined> {
        let inverse = inverse_of(temperature)?;
        Ok(self.logits.chunks(self.classes).flat_map(|row| softmax(row, inverse)).collect())
    }

    /// The Brier score of all classes: the mean of Σ (p − y)² over the classes (Brier 1950). 0 is best, and 2 worst.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    ///
    /// ```
    /// use bedside_tools::statistics::calibration::LabelledLogits;
    ///
    /// let logits = LabelledLogits::new(vec![f64::ln(9.0), 0.0], 2, vec![0])?;
    /// assert!((logits.brier(1.0)? - 0.02).abs() < 1e-15);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn brier(&self, temperature: f64) -> Result<f64, Undefined> {
        let probabilities = self.probabilities(temperature)?;
        let squares = probabilities.chunks(self.classes).zip(&self.labels).map(|(row, &label)| {
            row.iter().enumerate().map(|(class, p)| (p - f64::from(class == label)).powi(2)).sum::<f64>()
        });
        Ok(squares.sum::<f64>() / self.labels.len() as f64)
    }

    /// The mean negative log-likelihood, in nats: −ln p of the true class. It is finite, however large the logits.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    ///
    /// ```
    /// use bedside_tools::statistics::calibration::LabelledLogits;
    ///
    /// let logits = LabelledLogits::new(vec![f64::ln(9.0), 0.0], 2, vec![1])?;
    /// assert!((logits.nll(1.0)? - f64::ln(10.0)).abs() < 1e-15);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn nll(&self, temperature: f64) -> Result<f64, Undefined> {
        let inverse = inverse_of(temperature)?;
        let losses = self.cases().map(|(row, label)| log_sum_exp(row, row[label], inverse));
        Ok(losses.sum::<f64>() / self.labels.len() as f64)
    }

    /// For each case the probability of its most probable class, and whether that is the true one: what [`ece`] takes.
    /// Of equal logits the first counts.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    ///
    /// ```
    /// use bedside_tools::statistics::calibration::LabelledLogits;
    ///
    /// let logits = LabelledLogits::new(vec![f64::ln(9.0), 0.0], 2, vec![1])?;
    /// let (confidences, right) = logits.top_label(1.0)?;
    /// assert!((confidences[0] - 0.9).abs() < 1e-15 && !right[0]);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn top_label(&self, temperature: f64) -> Result<(Vec<f64>, Vec<bool>), Undefined> {
        let inverse = inverse_of(temperature)?;
        let top = |(row, label): (&[f64], usize)| {
            let (_, max) = ends(row);
            let first = row.iter().position(|&z| is_tied(z, max));
            (libm::exp(-log_sum_exp(row, max, inverse)), first == Some(label))
        };
        Ok(self.cases().map(top).unzip())
    }

    /// The temperature of the smallest [`nll`](Self::nll) (Guo et al. 2017, ICML, section 4.2).
    ///
    /// The NLL is convex in 1/T, so that its slope has one change of sign, which is halved out: no start and no step
    /// size matter. `bounds` are the smallest and the largest temperature to take, below and above 1, such as
    /// [`TEMPERATURE_BOUNDS`].
    ///
    /// # Errors
    /// [`Undefined::OutOfRange`] where the bounds are not 0 < lower < 1 < upper, finite.
    ///
    /// ```
    /// use bedside_tools::statistics::calibration::{LabelledLogits, Outcome, TEMPERATURE_BOUNDS};
    ///
    /// // 90 % was said four times, and three were right: odds of 3, not 9.
    /// let logits = LabelledLogits::new([f64::ln(9.0), 0.0].repeat(4), 2, vec![0, 0, 0, 1])?;
    /// let fit = logits.fit_temperature(TEMPERATURE_BOUNDS)?;
    /// assert!((fit.temperature - 2.0).abs() < 1e-9);
    /// assert!(fit.outcome == Outcome::Improved && fit.nll_after < fit.nll_before);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn fit_temperature(&self, bounds: Interval) -> Result<TemperatureFit, Undefined> {
        let Interval { lower, upper } = bounds;
        if !(lower > 0.0 && lower < 1.0 && upper > 1.0 && upper.is_finite()) {
            return Err(Undefined::OutOfRange("bounds"));
        }
        // It falls as the temperature grows.
        let slope = |ln_temperature: f64| -self.slope(libm::exp(-ln_temperature));
        let (ln_lower, ln_upper) = (libm::log(lower), libm::log(upper));
        let (temperature, outcome) = if slope(ln_lower) >= 0.0 {
            (lower, Outcome::AtLowerBound)
        } else if slope(ln_upper) <= 0.0 {
            (upper, Outcome::AtUpperBound)
        } else {
            (libm::exp(root(ln_lower, ln_upper, slope)), Outcome::Improved)
        };
        let (nll_before, nll_after) = (self.nll(1.0)?, self.nll(temperature)?);
        Ok(if nll_before - nll_after > MIN_IMPROVEMENT {
            TemperatureFit { temperature, nll_before, nll_after, outcome }
        } else {
            TemperatureFit { temperature: 1.0, nll_before, nll_after: nll_before, outcome: Outcome::NotImproved }
        })
    }

    /// The slope of the NLL in 1/T: the mean over the cases of Σ p z less the true class's z.
    fn slope(&self, inverse: f64) -> f64 {
        let slope_of = |(row, label): (&[f64], usize)| {
            let probabilities = softmax(row, inverse);
            probabilities.iter().zip(row).map(|(p, z)| p * (z - row[label])).sum::<f64>()
        };
        self.cases().map(slope_of).sum::<f64>() / self.labels.len() as f64
    }

    fn cases(&self) -> impl Iterator<Item = (&[f64], usize)> {
        self.logits.chunks(self.classes).zip(self.labels.iter().copied())
    }
}

/// The temperatures between which a fit looks, where nothing else is asked for.
pub const TEMPERATURE_BOUNDS: Interval = Interval { lower: 0.05, upper: 20.0 };

/// By how much the mean NLL must fall, in nats, for a temperature to be better than 1: far more than rounding, and far
/// less than matters.
const MIN_IMPROVEMENT: f64 = 1e-9;

/// The temperature that a fit found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TemperatureFit {
    /// The divisor of the logits; 1 where none is better.
    pub temperature: f64,
    /// The mean NLL at a temperature of 1, in nats.
    pub nll_before: f64,
    /// The mean NLL at `temperature`, on the same cases. Other cases must show that it is better for them too.
    pub nll_after: f64,
    /// Whether the temperature can be relied on.
    pub outcome: Outcome,
}

/// How a fit of the temperature ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The temperature has the smallest NLL of all.
    Improved,
    /// The NLL still falls at the lower bound, as it does where all cases are right.
    AtLowerBound,
    /// The NLL still falls at the upper bound, as it does where the logits say nothing.
    AtUpperBound,
    /// No temperature is better than 1 by more than 10⁻⁹ nats a case.
    NotImproved,
}

fn check_forecasts(probabilities: &[f64], outcomes: &[bool]) -> Result<(), Undefined> {
    check_lengths(probabilities.len(), outcomes.len())?;
    check_probabilities(probabilities)
}

fn check_log_odds(log_odds: &[f64], outcomes: &[bool]) -> Result<(), Undefined> {
    check_lengths(log_odds.len(), outcomes.len())?;
    if !log_odds.iter().all(|x| x.is_finite()) {
        return Err(Undefined::OutOfRange("log-odds"));
    }
    let is_mixed = outcomes.contains(&true) && outcomes.contains(&false);
    if is_mixed { Ok(()) } else { Err(Undefined::OneClass) }
}

/// 1/T.
fn inverse_of(temperature: f64) -> Result<f64, Undefined> {
    let is_valid = temperature > 0.0 && temperature.is_finite() && temperature.recip().is_finite();
    if is_valid { Ok(temperature.recip()) } else { Err(Undefined::OutOfRange("temperature")) }
}

/// The smallest and the largest of finite values.
fn ends(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), &v| (min.min(v), max.max(v)))
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-z))
}

/// p(1 − p) of a logit.
fn weight(z: f64) -> f64 {
    sigmoid(z) * sigmoid(-z)
}

/// −ln of the probability that a logit gives to an outcome: ln(1 + e⁻ᶻ) where it happened.
fn softplus(z: f64, outcome: bool) -> f64 {
    let z = if outcome { -z } else { z };
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}

fn softmax(row: &[f64], inverse: f64) -> Vec<f64> {
    let (_, max) = ends(row);
    let exponentials: Vec<f64> = row.iter().map(|z| libm::exp((z - max) * inverse)).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
}

/// ln Σ exp((z − from)/T): −ln of the softmax of the logit `from`.
fn log_sum_exp(row: &[f64], from: f64, inverse: f64) -> f64 {
    let (_, max) = ends(row);
    let sum: f64 = row.iter().map(|z| libm::exp((z - max) * inverse)).sum();
    (max - from) * inverse + libm::log(sum)
}

/// Where a function that grows with its argument crosses 0, between `lower` and `upper`, within 10⁻¹³ of 1 + |x|.
fn root(mut lower: f64, mut upper: f64, function: impl Fn(f64) -> f64) -> f64 {
    while upper - lower > 1e-13 * (1.0 + lower.abs().min(upper.abs())) {
        let middle = lower + (upper - lower) / 2.0;
        if function(middle) < 0.0 {
            lower = middle;
        } else {
            upper = middle;
        }
    }
    lower + (upper - lower) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn brier_and_nll_refuse_what_has_no_value() {
        assert_eq!(brier(&[], &[]), Err(Undefined::Empty));
        assert_eq!(brier(&[0.5], &[]), Err(Undefined::Lengths));
        assert_eq!(nll(&[1.5], &[true]), Err(Undefined::OutOfRange("probability")));
        assert_eq!(nll(&[f64::NAN], &[true]), Err(Undefined::OutOfRange("probability")));
        assert_eq!(nll(&[0.0], &[true]), Err(Undefined::Infinite));
        assert_eq!(nll(&[0.0], &[false]), Ok(0.0));
    }

    #[test]
    fn bins_keep_equal_confidences_together() {
        // Boundaries at 0, 2 and 4 of 6; the one at 2 moves to 3, behind the last 0.5.
        let bins = equal_mass_bins(&[0.5, 0.5, 0.5, 0.1, 0.8, 0.9], 3).expect("three bins");
        assert_eq!(bins, vec![vec![3, 0, 1, 2], vec![4, 5]]);
        // Boundaries at 0, 2, 4 and 5.
        let bins = equal_mass_bins(&[0.1, 0.2, 0.3, 0.4, 0.5], 3).expect("three bins");
        assert_eq!(bins, vec![vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(equal_mass_bins(&[0.2, 0.1, 0.2], usize::MAX).expect("bins"), vec![vec![1], vec![0, 2]]);
        assert_eq!(equal_mass_bins(&[0.2], 0), Err(Undefined::OutOfRange("number of bins")));
    }

    #[test]
    fn ece_of_one_bin_is_the_gap_of_means() {
        assert!((ece(&[0.9, 0.7], &[true, false], 1).expect("defined") - 0.3).abs() < 1e-15);
    }

    #[test]
    fn expected_ece_by_hand() {
        // A bin for each case: |1 − p| with p, and p with 1 − p: 2p(1 − p). (0.5 + 0.18)/2.
        assert!((expected_ece(&[0.5, 0.9], 2).expect("defined").mean - 0.34).abs() < 1e-15);
        // One bin: P(0, 1, 2) = 0.05, 0.5, 0.45, around 1.4: 0.05 · 1.4 + 0.5 · 0.4 + 0.45 · 0.6 = 0.54, by 2.
        assert!((expected_ece(&[0.5, 0.9], 1).expect("defined").mean - 0.27).abs() < 1e-15);
        assert_eq!(expected_ece(&[0.0, 1.0], 1), Ok(ExpectedEce { mean: 0.0, standard_deviation: 0.0 }));
    }

    #[test]
    fn expected_ece_of_coins_has_de_moivres_closed_form() {
        // E|S − n/2| of n fair coins, n even, is n C(n, n/2) / 2ⁿ⁺¹ (De Moivre 1730).
        for n in [2u32, 10, 1000, 20_000] {
            let ln_choose = libm::lgamma(f64::from(n) + 1.0) - 2.0 * libm::lgamma(f64::from(n) / 2.0 + 1.0);
            let expected = libm::exp(ln_choose - f64::from(n + 1) * std::f64::consts::LN_2);
            let found = expected_ece(&vec![0.5; n as usize], 1).expect("defined");
            assert!((found.mean / expected - 1.0).abs() < 1e-9, "{n}: {found:?} instead of {expected}");
        }
    }

    #[test]
    fn calibration_slope_has_the_standard_errors_of_the_information() {
        // 1 of 10 at −ln 3 and 9 of 10 at ln 3: weights 0.9 and 0.9, mean 0.
        let x = 3.0f64.ln();
        let log_odds = [[-x; 10], [x; 10]].concat();
        let outcomes: Vec<bool> = (0..20).map(|i| i == 0 || i > 10).collect();
        let found = calibration_slope(&log_odds, &outcomes).expect("defined");
        assert!((found.slope.standard_error - (1.8 * x * x).sqrt().recip()).abs() < 1e-9, "{found:?}");
        assert!((found.intercept.standard_error - 1.8f64.sqrt().recip()).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn calibration_slope_of_distant_log_odds_is_found() {
        // Two values far from 0: the model is saturated, and gives odds of 1/9 at 100 and 9 at 101.
        let log_odds = [[100.0; 10], [101.0; 10]].concat();
        let outcomes: Vec<bool> = (0..20).map(|i| i == 0 || i > 10).collect();
        let found = calibration_slope(&log_odds, &outcomes).expect("defined");
        assert!((found.slope.value - 81.0f64.ln()).abs() < 1e-7, "{found:?}");
        assert!((found.intercept.value + 100.5 * 81.0f64.ln()).abs() < 1e-5, "{found:?}");
        // 101 logits at 100 less 100 at 101, each with a variance of 1/0.9.
        let expected = ((101.0f64.powi(2) + 100.0f64.powi(2)) / 0.9).sqrt();
        assert!((found.intercept.standard_error / expected - 1.0).abs() < 1e-7, "{found:?}");
    }

    #[test]
    fn calibration_refuses_what_has_no_fit() {
        assert_eq!(calibration_intercept(&[1.0], &[true]), Err(Undefined::OneClass));
        assert_eq!(calibration_intercept(&[f64::INFINITY], &[true]), Err(Undefined::OutOfRange("log-odds")));
        assert_eq!(calibration_slope(&[1.0, 1.0], &[true, false]), Err(Undefined::NoVariation));
        let truth = [false, false, true, true];
        assert_eq!(calibration_slope(&[1.0, 2.0, 3.0, 4.0], &truth), Err(Undefined::Separated));
        assert_eq!(calibration_slope(&[1.0, 2.0, 2.0, 4.0], &truth), Err(Undefined::Separated));
        assert_eq!(calibration_slope(&[4.0, 3.0, 2.0, 1.0], &truth), Err(Undefined::Separated));
        assert!(calibration_slope(&[1.0, 3.0, 2.0, 4.0], &truth).is_ok());
    }

    fn logits(rows: &[f64], labels: &[usize]) -> LabelledLogits {
        LabelledLogits::new(rows.to_vec(), 2, labels.to_vec()).expect("sound")
    }

    #[test]
    fn temperature_stops_at_its_bounds() {
        // All are right: the colder, the better.
        let right = logits(&[1.0, 0.0, 2.0, 0.0], &[0, 0])
            .fit_temperature(Interval { lower: 0.5, upper: 4.0 })
            .expect("bounds");
        assert_eq!((right.outcome, right.temperature), (Outcome::AtLowerBound, 0.5));
        // All are wrong: the hotter, the better.
        let wrong = logits(&[1.0, 0.0, 2.0, 0.0], &[1, 1])
            .fit_temperature(Interval { lower: 0.5, upper: 4.0 })
            .expect("bounds");
        assert_eq!((wrong.outcome, wrong.temperature), (Outcome::AtUpperBound, 4.0));
    }

    #[test]
    fn temperature_says_where_none_is_better_than_1() {
        // Odds of 3 were said, and are right.
        let x = 3.0f64.ln();
        let calibrated = logits(&[x, 0.0].repeat(4), &[0, 0, 0, 1]);
        let empty = logits(&[0.0; 8], &[0, 0, 0, 1]);
        for logits in [calibrated, empty] {
            let fit = logits.fit_temperature(TEMPERATURE_BOUNDS).expect("bounds");
            assert_eq!((fit.outcome, fit.temperature), (Outcome::NotImproved, 1.0));
            assert!((fit.nll_after - fit.nll_before).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn labelled_logits_refuse_what_has_no_value() {
        let new =
            |logits: &[f64], classes, labels: &[usize]| LabelledLogits::new(logits.to_vec(), classes, labels.to_vec());
        assert_eq!(new(&[], 2, &[]), Err(Undefined::Empty));
        assert_eq!(new(&[1.0], 2, &[0]), Err(Undefined::Lengths));
        assert_eq!(new(&[1.0], 1, &[0]), Err(Undefined::OutOfRange("number of classes")));
        assert_eq!(new(&[1.0, f64::NAN], 2, &[0]), Err(Undefined::OutOfRange("logit")));
        let sound = logits(&[1.0, 0.0], &[0]);
        assert!(sound.nll(0.0).is_err() && sound.nll(f64::INFINITY).is_err() && sound.nll(1e-320).is_err());
        for (lower, upper) in [(1.0, 2.0), (0.5, 1.0), (0.0, 2.0), (0.5, f64::INFINITY)] {
            assert_eq!(sound.fit_temperature(Interval { lower, upper }), Err(Undefined::OutOfRange("bounds")));
        }
    }

    #[test]
    fn nll_of_large_logits_is_finite() {
        assert!((logits(&[1e300, 0.0], &[1]).nll(1.0).expect("sound") - 1e300).abs() < 1e285);
    }

    fn forecasts() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
        let forecast = (0.001..0.999f64, any::<bool>());
        vec(forecast, 2..80).prop_map(|cases| {
            let (probabilities, mut outcomes): (Vec<f64>, Vec<bool>) = cases.into_iter().unzip();
            outcomes[..2].copy_from_slice(&[true, false]);
            (probabilities, outcomes)
        })
    }

    fn log_odds(probabilities: &[f64]) -> Vec<f64> {
        probabilities.iter().map(|p| (p / (1.0 - p)).ln()).collect()
    }

    proptest! {
        #[test]
        fn ece_does_not_depend_on_the_order((mut p, mut y) in forecasts(), bins in 1usize..20) {
            // A tenth each: many are equal.
            for p in &mut p {
                *p = (*p * 10.0).round() / 10.0;
            }
            let found = ece(&p, &y, bins).expect("defined");
            prop_assert!((0.0..=1.0).contains(&found));
            p.reverse();
            y.reverse();
            prop_assert!((found - ece(&p, &y, bins).expect("defined")).abs() < 1e-12);
        }

        #[test]
        fn bins_hold_each_case_once((p, y) in forecasts(), bins in 1usize..100) {
            let found = equal_mass_bins(&p, bins).expect("bins");
            prop_assert_eq!(found.iter().map(Vec::len).sum::<usize>(), y.len());
            prop_assert!(found.len() <= bins && found.iter().all(|b| !b.is_empty()));
        }

        #[test]
        fn expected_ece_is_the_mean_over_all_outcomes(p in vec(0.0..=1.0f64, 1..9), bins in 1usize..4) {
            let mut expected = 0.0;
            for outcome in 0..1usize << p.len() {
                let right: Vec<bool> = (0..p.len()).map(|i| outcome >> i & 1 == 1).collect();
                let probability: f64 = p.iter().zip(&right).map(|(p, &r)| if r { *p } else { 1.0 - p }).product();
                expected += probability * ece(&p, &right, bins).expect("defined");
            }
            prop_assert!((expected_ece(&p, bins).expect("defined").mean - expected).abs() < 1e-12);
        }

        #[test]
        fn calibration_intercept_makes_predictions_right_on_average((p, y) in forecasts()) {
            let x = log_odds(&p);
            let found = calibration_intercept(&x, &y).expect("defined").value;
            let said: f64 = x.iter().map(|x| sigmoid(x + found)).sum();
            prop_assert!((said - y.iter().filter(|&&y| y).count() as f64).abs() < 1e-9);
        }

        #[test]
        fn calibration_slope_has_no_score((p, y) in forecasts()) {
            let x = log_odds(&p);
            if let Ok(found) = calibration_slope(&x, &y) {
                let (intercept, slope) = (found.intercept.value, found.slope.value);
                let residual = |(x, &y): (&f64, &bool)| f64::from(y) - sigmoid(intercept + slope * x);
                let score: f64 = x.iter().zip(&y).map(residual).sum();
                let scores: f64 = x.iter().zip(&y).map(|(x, y)| x * residual((x, y))).sum();
                prop_assert!(score.abs() < 1e-7 && scores.abs() < 1e-7, "{score}, {scores}");
            } else {
                prop_assert!(is_separated(&x, &y));
            }
        }

        #[test]
        fn logits_of_two_classes_are_forecasts((p, y) in forecasts()) {
            let rows: Vec<f64> = log_odds(&p).iter().flat_map(|&x| [x, 0.0]).collect();
            let labels: Vec<usize> = y.iter().map(|&y| usize::from(!y)).collect();
            let logits = LabelledLogits::new(rows, 2, labels).expect("sound");
            prop_assert!((logits.nll(1.0).expect("sound") - nll(&p, &y).expect("defined")).abs() < 1e-9);
            prop_assert!((logits.brier(1.0).expect("sound") - 2.0 * brier(&p, &y).expect("defined")).abs() < 1e-9);
            let (confidences, right) = logits.top_label(1.0).expect("sound");
            prop_assert!(confidences.iter().zip(&p).all(|(c, p)| (c - p.max(1.0 - p)).abs() < 1e-9));
            prop_assert!(right.iter().zip(p.iter().zip(&y)).all(|(&r, (p, &y))| r == ((*p >= 0.5) == y)));
        }

        #[test]
        fn temperature_has_the_smallest_nll(z in vec(-9.0..9.0f64, 30), labels in vec(0usize..3, 10)) {
            let logits = LabelledLogits::new(z, 3, labels).expect("sound");
            let fit = logits.fit_temperature(TEMPERATURE_BOUNDS).expect("bounds");
            prop_assert!(fit.nll_after <= fit.nll_before);
            for step in 0..=40 {
                let temperature = 0.05 * 400f64.powf(f64::from(step) / 40.0);
                prop_assert!(logits.nll(temperature).expect("sound") >= fit.nll_after - 1e-8);
            }
        }
    }
}
