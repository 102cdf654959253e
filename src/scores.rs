//! Probabilities from the graph's output values: activation, temperature, prevalence.
//!
//! The arithmetic is in f64 with the functions of `libm`, so that the same output values give the same probabilities on
//! all platforms.

use crate::manifest::{Activation, Calibration};
use crate::{Error, ErrorKind, Result};

/// How a model's output values become probabilities, one for each label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scoring {
    pub(crate) activation: Activation,
    /// Whether labels do not exclude each other: sigmoids, not a softmax.
    pub(crate) multi_label: bool,
    pub(crate) rescaling: Rescaling,
}

/// How calibration changes logits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rescaling {
    /// All are divided by a temperature, above 0 (Guo et al. 2017).
    Temperature(f64),
    /// Each is multiplied by its label's scale, above 0, and its label's bias is added: vector scaling (Guo et al. 2017),
    /// and Platt scaling where labels don't exclude each other.
    ScaleBias(Vec<(f64, f64)>),
}

impl Rescaling {
    /// That of a calibration; temperature 1 without one.
    pub(crate) fn of(calibration: Option<&Calibration>) -> Rescaling {
        let Some(calibration) = calibration else { return Rescaling::Temperature(1.0) };
        match (&calibration.scale, &calibration.bias) {
            (None, None) => Rescaling::Temperature(calibration.temperature.map_or(1.0, f64::from)),
            (scale, bias) => {
                let count = scale.as_ref().or(bias.as_ref()).map_or(0, Vec::len);
                let scale_of = |i: usize| scale.as_ref().map_or(1.0, |scale| f64::from(scale[i]));
                let bias_of = |i: usize| bias.as_ref().map_or(0.0, |bias| f64::from(bias[i]));
                Rescaling::ScaleBias((0..count).map(|i| (scale_of(i), bias_of(i))).collect())
            }
        }
    }

    /// Whether it changes no logit.
    fn is_identity(&self) -> bool {
        match self {
            Rescaling::Temperature(temperature) => (temperature - 1.0).abs() < f64::EPSILON,
            Rescaling::ScaleBias(_) => false,
        }
    }

    fn apply(&self, logits: &mut [f64]) {
        match self {
            Rescaling::Temperature(temperature) => {
                for v in logits.iter_mut() {
                    *v /= temperature;
                }
            }
            Rescaling::ScaleBias(each) => {
                logits.iter_mut().zip(each).for_each(|(v, (scale, bias))| *v = *v * scale + bias);
            }
        }
    }
}

/// How far outside of 0…1 a probability that a graph gives may be, and how far from 1 the sum of those of labels that
/// exclude each other. Rounding of int8 outputs stays below it.
const PROBABILITY_TOLERANCE: f64 = 0.02;

/// Before a logarithm, probabilities are clamped to this distance from 0 and 1, so that logits are finite. It is far
/// below the step of an `f32` next to 1, which is 6e-8.
const MIN_PROBABILITY: f64 = 1e-12;

impl Scoring {
    /// The probability of each label, before calibration. They replace what `probabilities` holds.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedModel`] where a value is not finite, or where the activation is `None` and the values
    /// are no probabilities.
    pub(crate) fn probabilities(&self, values: &[f32], probabilities: &mut Vec<f64>) -> Result<()> {
        self.activate(values, &Rescaling::Temperature(1.0), probabilities)
    }

    /// The calibrated probability of each label.
    ///
    /// # Errors
    /// As [`probabilities`](Scoring::probabilities).
    pub(crate) fn calibrated(&self, values: &[f32]) -> Result<Vec<f64>> {
        let mut probabilities = Vec::new();
        self.calibrated_into(values, &mut probabilities)?;
        Ok(probabilities)
    }

    /// As [`calibrated`](Scoring::calibrated). The probabilities replace what `probabilities` holds.
    ///
    /// # Errors
    /// As [`probabilities`](Scoring::probabilities).
    pub(crate) fn calibrated_into(&self, values: &[f32], probabilities: &mut Vec<f64>) -> Result<()> {
        self.activate(values, &self.rescaling, probabilities)
    }

    /// Computes the probability of each label, with its logit rescaled. They replace what `numbers` holds.
    fn activate(&self, values: &[f32], rescaling: &Rescaling, numbers: &mut Vec<f64>) -> Result<()> {
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::new(
                ErrorKind::UnsupportedModel,
                format!("the graph gave {value} as a score; the model is unsound"),
            ));
        }
        numbers.clear();
        numbers.extend(values.iter().map(|&v| f64::from(v)));
        if self.activation == Activation::None {
            check_probabilities(numbers, self.multi_label)?;
            // Where no logit changes, keep the graph's own values.
            if rescaling.is_identity() {
                for p in numbers.iter_mut() {
                    *p = p.clamp(0.0, 1.0);
                }
                return Ok(());
            }
            for p in numbers.iter_mut() {
                *p = self.to_logit(*p);
            }
        }
        rescaling.apply(numbers);
        if self.multi_label {
            for v in numbers.iter_mut() {
                *v = sigmoid(*v);
            }
        } else {
            softmax(numbers);
        }
        Ok(())
    }

    /// A logit of `p`: its sigmoid is `p`, or `p` is its softmax among the logits of all labels.
    fn to_logit(&self, p: f64) -> f64 {
        let p = p.clamp(MIN_PROBABILITY, 1.0 - MIN_PROBABILITY);
        if self.multi_label { libm::log(p / (1.0 - p)) } else { libm::log(p) }
    }
}

/// Checks that the values are probabilities, within [`PROBABILITY_TOLERANCE`].
fn check_probabilities(values: &[f64], multi_label: bool) -> Result<()> {
    let range = -PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE;
    let sum: f64 = values.iter().sum();
    if let Some(value) = values.iter().find(|v| !range.contains(v)) {
        return Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!(
                "the manifest says `output.activation` is `none`, but the graph gave {value}, which is no probability; say \
             `softmax` or `sigmoid`"
            ),
        ));
    }
    if !multi_label && (sum - 1.0).abs() > PROBABILITY_TOLERANCE {
        return Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!(
                "the manifest says the graph gives probabilities of labels that exclude each other, but they sum to {sum}; \
             correct `output.activation` or `output.multi_label`"
            ),
        ));
    }
    Ok(())
}

/// Re-weights probabilities from the prevalence that they were calibrated on (`old`) to that of another population
/// (`new`): each is multiplied by new/old and divided by the sum (Saerens, Latinne and Decaestecker 2002, equation
/// 2.4). The values of `old` are above 0, which the check of the manifest ensures.
pub(crate) fn reweighted(probabilities: &[f64], old: &[f64], new: &[f64]) -> Vec<f64> {
    let weighted: Vec<f64> =
        probabilities.iter().zip(old.iter().zip(new)).map(|(p, (old, new))| p * new / old).collect();
    let sum: f64 = weighted.iter().sum();
    // All labels of a probability above 0 have a prevalence of 0: keep the probabilities.
    if sum <= 0.0 { probabilities.to_vec() } else { weighted.iter().map(|w| w / sum).collect() }
}

/// Replaces logits by their softmax.
fn softmax(values: &mut [f64]) {
    // Without the maximum, the exponentials of large logits would overflow.
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for v in values.iter_mut() {
        *v = libm::exp(*v - max);
    }
    let sum: f64 = values.iter().sum();
    for e in values.iter_mut() {
        *e /= sum;
    }
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scoring(activation: Activation, multi_label: bool, temperature: f64) -> Scoring {
        Scoring { activation, multi_label, rescaling: Rescaling::Temperature(temperature) }
    }

    fn assert_close<N: Copy + Into<f64> + std::fmt::Debug>(found: &[N], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!(((*f).into() - e).abs() < 1e-6, "{found:?} instead of {expected:?}");
        }
    }

    #[test]
    fn softmax_inverts_logarithms() {
        let values = [1.0f32.ln(), 2.0f32.ln(), 5.0f32.ln()];
        assert_close(
            &scoring(Activation::Softmax, false, 1.0).calibrated(&values).expect("sound"),
            &[0.125, 0.25, 0.625],
        );
    }

    #[test]
    fn temperature_divides_logits() {
        // ln 9 / 2 = ln 3: odds of 9 to 1 become odds of 3 to 1.
        let soft = scoring(Activation::Softmax, false, 2.0);
        assert_close(&soft.calibrated(&[9.0f32.ln(), 0.0]).expect("sound"), &[0.75, 0.25]);
        // They replace what was there.
        let mut found = vec![7.0; 5];
        soft.probabilities(&[9.0f32.ln(), 0.0], &mut found).expect("sound");
        assert_close(&found, &[0.9, 0.1]);
        let sigmoid = scoring(Activation::Sigmoid, true, 2.0);
        assert_close(&sigmoid.calibrated(&[9.0f32.ln()]).expect("sound"), &[0.75]);
    }

    #[test]
    fn temperature_divides_logits_of_a_graph_that_gives_probabilities() {
        let softmax = scoring(Activation::None, false, 2.0);
        assert_close(&softmax.calibrated(&[0.9, 0.1]).expect("sound"), &[0.75, 0.25]);
        let sigmoid = scoring(Activation::None, true, 2.0);
        assert_close(&sigmoid.calibrated(&[0.9, 0.5]).expect("sound"), &[0.75, 0.5]);
    }

    #[test]
    fn scale_and_bias_change_each_logit() {
        // Logits of 2·ln 3 + 0 and 1·0 + ln 3: odds of 9 to 3.
        let rescaling = Rescaling::ScaleBias(vec![(2.0, 0.0), (1.0, 3f64.ln())]);
        let softmax = Scoring { activation: Activation::Softmax, multi_label: false, rescaling: rescaling.clone() };
        assert_close(&softmax.calibrated(&[3.0f32.ln(), 0.0]).expect("sound"), &[0.75, 0.25]);
        let sigmoid = Scoring { activation: Activation::Sigmoid, multi_label: true, rescaling };
        assert_close(&sigmoid.calibrated(&[3.0f32.ln(), 0.0]).expect("sound"), &[0.9, 0.75]);
    }

    #[test]
    fn activations_of_large_logits_do_not_overflow() {
        assert_close(&scoring(Activation::Softmax, false, 1.0).calibrated(&[3e38, 0.0]).expect("sound"), &[1.0, 0.0]);
        assert_close(&scoring(Activation::Sigmoid, true, 1.0).calibrated(&[-3e38, 3e38]).expect("sound"), &[0.0, 1.0]);
    }

    #[test]
    fn calibrated_refuses_values_that_are_no_probabilities() {
        let none = scoring(Activation::None, false, 1.0);
        assert!(none.calibrated(&[4.0, -1.0]).is_err());
        assert!(none.calibrated(&[0.9, 0.9]).is_err());
        assert!(scoring(Activation::None, true, 1.0).calibrated(&[0.9, 0.9]).is_ok());
        assert!(scoring(Activation::Softmax, false, 1.0).calibrated(&[f32::NAN, 0.0]).is_err());
    }

    #[test]
    fn reweighted_follows_bayes() {
        // Calibrated on a prevalence of 0.5 each, re-weighted to 0.1 and 0.9: 0.8·0.1/0.5 = 0.16 and 0.2·0.9/0.5 =
        // 0.36, whose sum is 0.52.
        assert_close(&reweighted(&[0.8, 0.2], &[0.5, 0.5], &[0.1, 0.9]), &[0.16 / 0.52, 0.36 / 0.52]);
        assert_close(&reweighted(&[0.8, 0.2], &[0.5, 0.5], &[0.5, 0.5]), &[0.8, 0.2]);
        assert_close(&reweighted(&[1.0, 0.0], &[0.5, 0.5], &[0.0, 1.0]), &[1.0, 0.0]);
    }
}
