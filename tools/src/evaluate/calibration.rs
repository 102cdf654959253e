//! Whether probabilities are right.

use serde::Serialize;

use super::{Case, Measure, Model, Options, Ranged, Rate, Sample, Target, check_classes};
use crate::statistics::bootstrap::Groups;
use crate::statistics::calibration::{
    brier, calibration_intercept, calibration_intercept_clustered, calibration_slope, calibration_slope_clustered, ece,
    equal_mass_bins, expected_ece, nll,
};
use crate::statistics::{Estimate, Undefined};

/// Probabilities nearer to 0 or 1 count as this near where their log-odds are taken, which would be infinite.
const CLIP: f64 = 1e-9;

/// The calibration of the probabilities of one target, on judged pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// `urgent`, a contrast or a label.
    pub of: String,
    /// How often it holds.
    pub observed: Rate,
    /// The mean probability that was given.
    pub given: Measure<f64>,
    /// Of logit P = intercept + log-odds: 0 where probabilities are right on average, below 0 where they are too high.
    pub intercept: Measure<Ranged>,
    /// Of logit P = constant + slope · log-odds: 1 where probabilities are right, below 1 where they are too extreme.
    pub slope: Measure<Ranged>,
    /// The mean of (p − y)².
    pub brier: Measure<f64>,
    /// The mean of −ln p of what happened.
    pub nll: Measure<f64>,
    /// The expected calibration error with bins of equal mass.
    pub ece: Measure<f64>,
    /// What it would be for a perfectly calibrated model that gives these probabilities, pictures being independent.
    pub ece_if_calibrated: Measure<Spread>,
    /// The reliability diagram.
    pub bins: Vec<Bin>,
    /// How many probabilities were so near to 0 or 1 that their log-odds were cut, at 10⁻⁹.
    pub cut: u64,
}

/// A mean and a standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub standard_deviation: f64,
}

/// A bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// The mean probability given.
    pub given: f64,
    /// How often it holds.
    pub observed: Rate,
}

/// What is urgent, the contrasts, then each label.
pub(super) fn measure(model: &Model, cases: &[&Case], options: &Options) -> Vec<Calibration> {
    let of = |target: Target| of_sample(target.name(model), &Sample::of(target, model, cases), options);
    Target::all(model).into_iter().map(of).collect()
}

fn of_sample(name: String, sample: &Sample<'_>, options: &Options) -> Calibration {
    let (given, truth) = (&sample.probabilities, &sample.truth);
    let log_odds: Vec<f64> =
        given.iter().map(|p| p.clamp(CLIP, 1.0 - CLIP)).map(|p| libm::log(p / (1.0 - p))).collect();
    let mean =
        if given.is_empty() { Err(Undefined::Empty) } else { Ok(given.iter().sum::<f64>() / given.len() as f64) };
    let ranged = |estimate: Estimate| Ranged::normal(estimate, options.confidence);
    let spread =
        expected_ece(given, options.bins).map(|e| Spread { mean: e.mean, standard_deviation: e.standard_deviation });
    Calibration {
        of: name,
        observed: rate(sample, 0..sample.len(), options),
        given: mean.into(),
        intercept: intercept(sample, &log_odds).map(ranged).into(),
        slope: slope(sample, &log_odds).map(ranged).into(),
        brier: brier(given, truth).into(),
        nll: nll(given, truth).into(),
        ece: ece(given, truth, options.bins).into(),
        ece_if_calibrated: spread.into(),
        bins: bins(sample, options).unwrap_or_default(),
        cut: given.iter().filter(|p| !(CLIP..=1.0 - CLIP).contains(*p)).count() as u64,
    }
}

fn rate(sample: &Sample<'_>, cases: impl IntoIterator<Item = usize>, options: &Options) -> Rate {
    Rate::of(cases.into_iter().map(|case| (sample.patients[case], sample.truth[case])), options.confidence)
}

fn intercept(sample: &Sample<'_>, log_odds: &[f64]) -> Result<Estimate, Undefined> {
    check_classes(sample)?;
    if sample.is_independent() {
        return calibration_intercept(log_odds, &sample.truth);
    }
    calibration_intercept_clustered(log_odds, &sample.truth, &Groups::new(&sample.patients)?)
}

fn slope(sample: &Sample<'_>, log_odds: &[f64]) -> Result<Estimate, Undefined> {
    check_classes(sample)?;
    if sample.is_independent() {
        return Ok(calibration_slope(log_odds, &sample.truth)?.slope);
    }
    Ok(calibration_slope_clustered(log_odds, &sample.truth, &Groups::new(&sample.patients)?)?.slope)
}

fn bins(sample: &Sample<'_>, options: &Options) -> Result<Vec<Bin>, Undefined> {
    let bin = |cases: Vec<usize>| {
        let given = cases.iter().map(|&case| sample.probabilities[case]).sum::<f64>() / cases.len() as f64;
        Bin { given, observed: rate(sample, cases, options) }
    };
    Ok(equal_mass_bins(&sample.probabilities, options.bins)?.into_iter().map(bin).collect())
}
