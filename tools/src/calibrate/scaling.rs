//! How logits become probabilities: by a temperature, or by a scale and a bias for each label, of all networks or of each; and
//! which of them is better for pictures that it was not fitted on.

use std::collections::BTreeMap;

use serde::Serialize;

use super::newton::{Derivatives, minimum};
use super::{Model, Row};
use crate::statistics::Estimate;
use crate::statistics::calibration::{LabelledLogits, Outcome, TEMPERATURE_BOUNDS};

/// The parts of the patients, each left out once: with fewer patients none can be held out.
pub const FOLDS: usize = 5;

/// With fewer patients nothing is chosen, and what was there stays.
pub const MIN_PATIENTS: usize = 10;

/// How far a network's scales and biases are thought to lie from those of all networks, as a standard deviation. Decision 30
/// has what others gave.
const NETWORKS_DEVIATION: f64 = 0.3;

/// With more labels no scale and bias is fitted for each: it would take longer than it is worth.
const MAX_LABELS: usize = 100;

/// What is done with logits before the softmax or the sigmoids.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Each is divided by it. Above 0.
    Temperature(f64),
    /// Each is multiplied by its label's scale, which is above 0, and then its bias is added.
    Labels {
        /// One a label.
        scale: Vec<f64>,
        /// One a label.
        bias: Vec<f64>,
    },
}

impl Scaling {
    /// What changes nothing.
    pub const NONE: Self = Self::Temperature(1.0);

    /// Its name on the page.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Temperature(_) => "temperature",
            Self::Labels { .. } => "scale and bias of each label",
        }
    }

    /// The probability of each label.
    ///
    /// ```
    /// use bedside_tools::calibrate::Scaling;
    ///
    /// // ln 9 / 2 = ln 3: odds of 9 to 1 become odds of 3 to 1.
    /// let found = Scaling::Temperature(2.0).probabilities(&[9.0f64.ln(), 0.0], false);
    /// assert!((found[0] - 0.75).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn probabilities(&self, logits: &[f64], is_multi_label: bool) -> Vec<f64> {
        let scaled = self.scaled(logits);
        if is_multi_label { scaled.into_iter().map(sigmoid).collect() } else { softmax(&scaled) }
    }

    fn scaled(&self, logits: &[f64]) -> Vec<f64> {
        match self {
            Self::Temperature(t) => logits.iter().map(|z| z / t).collect(),
            Self::Labels { scale, bias } => {
                logits.iter().zip(scale.iter().zip(bias)).map(|(z, (s, b))| z * s + b).collect()
            }
        }
    }

    /// All scales and then all biases; none for a temperature.
    fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Self::Temperature(_) => None,
            Self::Labels { scale, bias } => Some([&scale[..], bias].concat()),
        }
    }

    /// The same with the numbers that a manifest can hold, which are f32.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let round = |v: &f64| f64::from(*v as f32);
        match self {
            Self::Temperature(t) => Self::Temperature(round(t)),
            Self::Labels { scale, bias } => {
                Self::Labels { scale: scale.iter().map(round).collect(), bias: bias.iter().map(round).collect() }
            }
        }
    }

    /// The negative log-likelihood of what a picture shows, in nats; 0 where nothing is known. Of labels that don't
    /// exclude each other, the sum over those that are known.
    fn loss(&self, row: &Row, is_multi_label: bool) -> f64 {
        let scaled = self.scaled(&row.logits);
        if is_multi_label {
            let known = scaled.iter().zip(&row.truth).filter_map(|(&z, truth)| Some((z, (*truth)?)));
            return known.map(|(z, holds)| softplus(if holds { -z } else { z })).sum();
        }
        row.label().map_or(0.0, |label| log_sum_exp(&scaled) - scaled[label])
    }
}

/// How the logits of each network become probabilities.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Scalings(Vec<Scaling>);

impl Scalings {
    /// One for all networks.
    fn one(scaling: Scaling) -> Self {
        Self(vec![scaling])
    }

    /// That of a network, by [`Row::network`].
    #[must_use]
    pub fn of(&self, network: usize) -> &Scaling {
        self.0.get(network).unwrap_or(&self.0[0])
    }

    /// That of the model itself.
    #[must_use]
    pub fn model(&self) -> &Scaling {
        &self.0[0]
    }

    /// Whether each network has one of its own.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    fn rounded(&self) -> Self {
        Self(self.0.iter().map(Scaling::rounded).collect())
    }
}

/// A way of scaling, tried on patients whom it was not fitted on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// What was tried.
    pub name: String,
    /// The mean negative log-likelihood of held-out pictures, in nats.
    pub nll: f64,
    /// By how much that differs from what was there, and the standard error by patients; none for what was there.
    pub change: Option<Estimate>,
}

/// What was chosen, and what it was chosen from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// What is used. The manifest gets the model's.
    pub scalings: Scalings,
    /// Whether it is another than was there.
    pub is_new: bool,
    /// What was tried; empty where there were too few patients.
    pub trials: Vec<Trial>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Candidate {
    Before,
    Temperature,
    Labels,
    Networks,
}

impl Candidate {
    fn name(self) -> &'static str {
        match self {
            Self::Before => "what was there",
            Self::Temperature => "temperature",
            Self::Labels => "scale and bias of each label",
            Self::Networks => "the same for each network",
        }
    }

    fn fit(self, model: &Model, rows: &[&Row]) -> Option<Scalings> {
        match self {
            Self::Before => Some(Scalings::one(model.before.clone())),
            Self::Temperature => temperature(rows, model.is_multi_label).map(Scalings::one),
            Self::Labels => scale_and_bias(model, rows, &Prior::identity(model.labels.len())).map(Scalings::one),
            Self::Networks => networks(model, rows),
        }
    }
}

/// A scale and a bias of each label for each network, near those of all networks together.
fn networks(model: &Model, rows: &[&Row]) -> Option<Scalings> {
    let all = scale_and_bias(model, rows, &Prior::identity(model.labels.len()))?;
    let near = Prior { mean: all.numbers()?, deviation: NETWORKS_DEVIATION };
    let count = rows.iter().map(|row| row.network + 1).max()?;
    let of = |network: usize| {
        let own: Vec<&Row> = rows.iter().copied().filter(|row| row.network == network).collect();
        // Of a network with no such row nothing else is known.
        if shows_all(model, &own) { scale_and_bias(model, &own, &near) } else { Some(all.clone()) }
    };
    (0..count).map(of).collect::<Option<Vec<_>>>().map(Scalings)
}

/// None where a label is in no picture, or where the fit fails.
fn scale_and_bias(model: &Model, rows: &[&Row], prior: &Prior) -> Option<Scaling> {
    let labels = model.labels.len();
    match () {
        () if !shows_all(model, rows) => None,
        () if model.is_multi_label => sigmoids(rows, labels, prior),
        () => vector(rows, labels, prior),
    }
}

/// Whether each label is in some pictures, and each of labels that don't exclude each other not in all: else nothing is
/// known of its scale and bias.
fn shows_all(model: &Model, rows: &[&Row]) -> bool {
    let has = |label: usize, truth: bool| rows.iter().any(|row| row.truth[label] == Some(truth));
    (0..model.labels.len()).all(|label| has(label, true) && (!model.is_multi_label || has(label, false)))
}

/// Fits each way on four of five parts of the patients, and measures it on the fifth. A way replaces a simpler one
/// where the held-out negative log-likelihood is lower by more than the standard error of the difference, by patients.
pub(super) fn choose(model: &Model, rows: &[Row]) -> Choice {
    let known: Vec<&Row> = rows.iter().filter(|row| row.is_known(model.is_multi_label)).collect();
    let before = Scalings::one(model.before.rounded());
    let stays = Choice { scalings: before, is_new: false, trials: Vec::new() };
    let folds = folds(&known);
    if folds.len() < MIN_PATIENTS {
        return stays;
    }
    let before = held_out(Candidate::Before, model, &known, &folds).unwrap_or_default();
    let (mut best, mut best_losses) = (Candidate::Before, before.clone());
    let mut trials = vec![Trial { name: Candidate::Before.name().to_owned(), nll: mean(&before), change: None }];
    for candidate in candidates(model, &known) {
        let Some(losses) = held_out(candidate, model, &known, &folds) else { continue };
        trials.push(Trial {
            name: candidate.name().to_owned(),
            nll: mean(&losses),
            change: Some(difference(&losses, &before, &known)),
        });
        let change = difference(&losses, &best_losses, &known);
        if change.value < -change.standard_error.max(MIN_IMPROVEMENT) {
            (best, best_losses) = (candidate, losses);
        }
    }
    match best.fit(model, &known) {
        Some(found) if best != Candidate::Before => Choice { scalings: found.rounded(), is_new: true, trials },
        _ => Choice { trials, ..stays },
    }
}

/// By how much the mean negative log-likelihood must fall, in nats: far more than rounding, far less than matters.
const MIN_IMPROVEMENT: f64 = 1e-9;

/// From the simplest on. A scale for each label needs the graph's own logits: logarithms of probabilities differ from
/// them by a number that differs from picture to picture. One for each network is of use where the model is among them.
fn candidates(model: &Model, rows: &[&Row]) -> Vec<Candidate> {
    let is_scalable = (model.has_logits || model.is_multi_label) && model.labels.len() <= MAX_LABELS;
    let of_model = rows.iter().filter(|row| row.network == 0).count();
    let labels = is_scalable.then_some(Candidate::Labels);
    let networks = (is_scalable && of_model > 0 && of_model < rows.len()).then_some(Candidate::Networks);
    [Some(Candidate::Temperature), labels, networks].into_iter().flatten().collect()
}

/// The part of each patient. Patients of one label are dealt out in the order of their names, so that each part has its
/// share of each label.
pub(super) fn folds<'a>(rows: &[&'a Row]) -> BTreeMap<&'a str, usize> {
    let mut labels: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for row in rows {
        let label = row.truth.iter().position(|t| *t == Some(true));
        let first = labels.entry(row.patient()).or_insert(label);
        *first = (*first).min(label);
    }
    let mut dealt: Vec<(Option<usize>, &str)> = labels.into_iter().map(|(patient, label)| (label, patient)).collect();
    dealt.sort_unstable();
    dealt.into_iter().enumerate().map(|(i, (_, patient))| (patient, i % FOLDS)).collect()
}

/// The loss of each picture, by what was fitted without its patient; none where a fit failed.
fn held_out(candidate: Candidate, model: &Model, rows: &[&Row], folds: &BTreeMap<&str, usize>) -> Option<Vec<f64>> {
    let mut losses = vec![0.0; rows.len()];
    for fold in 0..FOLDS {
        let is_out = |row: &Row| folds[row.patient()] == fold;
        let others: Vec<&Row> = rows.iter().copied().filter(|row| !is_out(row)).collect();
        let scalings = candidate.fit(model, &others)?;
        for (loss, row) in losses.iter_mut().zip(rows).filter(|(_, row)| is_out(row)) {
            *loss = scalings.of(row.network).loss(row, model.is_multi_label);
        }
    }
    Some(losses)
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}

/// The mean difference of two losses of the same pictures, with a standard error that takes patients as units.
fn difference(losses: &[f64], others: &[f64], rows: &[&Row]) -> Estimate {
    let mut patients: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for ((loss, other), row) in losses.iter().zip(others).zip(rows) {
        let (sum, count) = patients.entry(row.patient()).or_default();
        (*sum, *count) = (*sum + loss - other, *count + 1.0);
    }
    let value = mean(losses) - mean(others);
    let squares: f64 = patients.values().map(|(sum, count)| (sum - value * count).powi(2)).sum();
    let groups = patients.len() as f64;
    let variance = squares * groups / (groups - 1.0) / (losses.len() as f64).powi(2);
    Estimate { value, standard_error: libm::sqrt(variance) }
}

/// The temperature of the smallest negative log-likelihood; none where it is at a bound, or nothing is known.
pub(super) fn temperature(rows: &[&Row], is_multi_label: bool) -> Option<Scaling> {
    let fit = labelled(rows, is_multi_label)?.fit_temperature(TEMPERATURE_BOUNDS).ok()?;
    let is_sound = matches!(fit.outcome, Outcome::Improved | Outcome::NotImproved);
    is_sound.then_some(Scaling::Temperature(fit.temperature))
}

fn labelled(rows: &[&Row], is_multi_label: bool) -> Option<LabelledLogits> {
    if !is_multi_label {
        let classes = rows.first()?.logits.len();
        let known: Vec<(&Row, usize)> = rows.iter().filter_map(|row| Some((*row, row.label()?))).collect();
        let logits = known.iter().flat_map(|(row, _)| row.logits.iter().copied()).collect();
        return LabelledLogits::new(logits, classes, known.iter().map(|(_, label)| *label).collect()).ok();
    }
    // One sigmoid is the softmax of its logit and 0.
    let known = rows.iter().flat_map(|row| row.logits.iter().zip(&row.truth));
    let (mut logits, mut labels) = (Vec::new(), Vec::new());
    for (&z, holds) in known.filter_map(|(z, truth)| Some((z, (*truth)?))) {
        logits.extend([z, 0.0]);
        labels.push(usize::from(!holds));
    }
    LabelledLogits::new(logits, 2, labels).ok()
}

/// A scale and a bias for each label of a softmax (vector scaling; Guo et al. 2017, ICML, section 4.2): those of the
/// smallest Σ −ln p of the true labels, less the logarithm of the prior, which makes the smallest unique.
pub(super) fn vector(rows: &[&Row], labels: usize, prior: &Prior) -> Option<Scaling> {
    let known: Vec<(&Row, usize)> = rows.iter().filter_map(|row| Some((*row, row.label()?))).collect();
    if known.is_empty() {
        return None;
    }
    let found = minimum(prior.mean.clone(), |x| {
        let mut sum = prior.loss(x);
        let (scale, bias) = x.split_at(labels);
        for (row, label) in &known {
            let scaled: Vec<f64> = (0..labels).map(|i| row.logits[i] * scale[i] + bias[i]).collect();
            sum.value += log_sum_exp(&scaled) - scaled[*label];
            let p = softmax(&scaled);
            // The derivatives of a label's scaled logit by its scale and by its bias.
            let inner = |i: usize| [(i, row.logits[i]), (labels + i, 1.0)];
            for i in 0..labels {
                let slope = p[i] - f64::from(i == *label);
                for (at, by) in inner(i) {
                    sum.gradient[at] += slope * by;
                }
                for j in 0..labels {
                    let curve = p[i] * (f64::from(i == j) - p[j]);
                    for ((a, by_a), (b, by_b)) in inner(i).into_iter().flat_map(|a| inner(j).map(|b| (a, b))) {
                        sum.hessian[a * 2 * labels + b] += curve * by_a * by_b;
                    }
                }
            }
        }
        sum
    })?;
    of_labels(&found)
}

/// A scale and a bias for each label that is a sigmoid (Platt 1999), as in [`vector`].
pub(super) fn sigmoids(rows: &[&Row], labels: usize, prior: &Prior) -> Option<Scaling> {
    let mut found = vec![0.0; 2 * labels];
    for label in 0..labels {
        let known: Vec<(f64, bool)> =
            rows.iter().filter_map(|row| Some((row.logits[label], row.truth[label]?))).collect();
        let mean = vec![prior.mean[label], prior.mean[labels + label]];
        let of_label = Prior { mean: mean.clone(), deviation: prior.deviation };
        let fit = minimum(mean, |x| {
            let mut sum = of_label.loss(x);
            for &(z, holds) in &known {
                let scaled = z * x[0] + x[1];
                sum.value += softplus(if holds { -scaled } else { scaled });
                let p = sigmoid(scaled);
                let (slope, curve) = (p - f64::from(holds), p * sigmoid(-scaled));
                for (a, by_a) in [(0, z), (1, 1.0)] {
                    sum.gradient[a] += slope * by_a;
                    for (b, by_b) in [(0, z), (1, 1.0)] {
                        sum.hessian[a * 2 + b] += curve * by_a * by_b;
                    }
                }
            }
            sum
        })?;
        (found[label], found[labels + label]) = (fit[0], fit[1]);
    }
    of_labels(&found)
}

/// A normal prior of all scales and then all biases.
pub(super) struct Prior {
    mean: Vec<f64>,
    /// The standard deviation of each.
    deviation: f64,
}

impl Prior {
    /// Scales near 1 and biases near 0.
    pub(super) fn identity(labels: usize) -> Self {
        Self { mean: [vec![1.0; labels], vec![0.0; labels]].concat(), deviation: 1.0 }
    }

    /// ½ Σ ((x − mean) / deviation)², and its derivatives.
    fn loss(&self, x: &[f64]) -> Derivatives {
        let (n, weight) = (x.len(), 1.0 / (self.deviation * self.deviation));
        let distances: Vec<f64> = x.iter().zip(&self.mean).map(|(x, mean)| x - mean).collect();
        let mut hessian = vec![0.0; n * n];
        (0..n).for_each(|i| hessian[i * n + i] = weight);
        Derivatives {
            value: distances.iter().map(|d| d * d * weight).sum::<f64>() / 2.0,
            gradient: distances.iter().map(|d| d * weight).collect(),
            hessian,
        }
    }
}

/// None where a scale isn't above 0: a higher logit would make its label less probable.
fn of_labels(found: &[f64]) -> Option<Scaling> {
    let (scale, bias) = found.split_at(found.len() / 2);
    let is_sound = scale.iter().all(|&s| s as f32 > 0.0);
    is_sound.then(|| Scaling::Labels { scale: scale.to_vec(), bias: bias.to_vec() })
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-z))
}

/// ln(1 + eᶻ).
fn softplus(z: f64) -> f64 {
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = values.iter().map(|v| libm::exp(v - max)).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
}

fn log_sum_exp(values: &[f64]) -> f64 {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + libm::log(values.iter().map(|v| libm::exp(v - max)).sum())
}
