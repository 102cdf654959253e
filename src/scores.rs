//! From the graph's output values to probabilities: activation, temperature, prevalence.
//!
//! All in f64 with `libm`'s functions, so that the same output gives the same probability on every platform.

use crate::manifest::Activation;
use crate::{Error, Result};

/// How output values become probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scoring {
    pub(crate) activation: Activation,
    /// Whether labels do not exclude each other.
    pub(crate) multi_label: bool,
    pub(crate) temperature: f32,
}

/// How far from 0…1, and from a sum of 1, values that are called probabilities may be: int8 steps and rounding.
const PROBABILITY_TOLERANCE: f64 = 0.02;

/// Probabilities are kept this far from 0 and 1 where their logarithm is taken.
const LEAST: f64 = 1e-12;

impl Scoring {
    /// The probability of each label as the graph means it, before temperature.
    ///
    /// # Errors
    /// [`Error::UnsupportedModel`] where a value is not finite, or a graph that promised probabilities gave others.
    pub(crate) fn probabilities(self, values: &[f32]) -> Result<Vec<f32>> {
        Ok(narrow(&self.activated(values, 1.0)?))
    }

    /// The calibrated probability of each label.
    ///
    /// # Errors
    /// As [`probabilities`](Scoring::probabilities).
    pub(crate) fn calibrated(self, values: &[f32]) -> Result<Vec<f32>> {
        Ok(narrow(&self.activated(values, f64::from(self.temperature))?))
    }

    fn activated(self, values: &[f32], temperature: f64) -> Result<Vec<f64>> {
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::UnsupportedModel(format!("the graph gave {value} as a score; the model is unsound")));
        }
        let values: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
        let logits = match self.activation {
            Activation::Softmax | Activation::Sigmoid => values,
            Activation::None => {
                check_probabilities(&values, self.multi_label)?;
                // Nothing to undo and redo: keep the graph's own values.
                if (temperature - 1.0).abs() < f64::EPSILON {
                    return Ok(values.iter().map(|p| p.clamp(0.0, 1.0)).collect());
                }
                values.iter().map(|&p| self.to_logit(p)).collect()
            }
        };
        let scaled: Vec<f64> = logits.iter().map(|v| v / temperature).collect();
        Ok(if self.multi_label { scaled.iter().map(|&v| sigmoid(v)).collect() } else { softmax(&scaled) })
    }

    /// A value whose sigmoid, or softmax together with the others', is `p`.
    fn to_logit(self, p: f64) -> f64 {
        let p = p.clamp(LEAST, 1.0 - LEAST);
        if self.multi_label { libm::log(p / (1.0 - p)) } else { libm::log(p) }
    }
}

fn check_probabilities(values: &[f64], multi_label: bool) -> Result<()> {
    let range = -PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE;
    let sum: f64 = values.iter().sum();
    if let Some(value) = values.iter().find(|v| !range.contains(v)) {
        return Err(Error::UnsupportedModel(format!(
            "the manifest says `output.activation` is `none`, but the graph gave {value}, which is no probability; say \
             `softmax` or `sigmoid`"
        )));
    }
    if !multi_label && (sum - 1.0).abs() > PROBABILITY_TOLERANCE {
        return Err(Error::UnsupportedModel(format!(
            "the manifest says the graph gives probabilities of labels that exclude each other, but they sum to {sum}; \
             correct `output.activation` or `output.multi_label`"
        )));
    }
    Ok(())
}

/// Re-weights probabilities from the shares they were calibrated on to those of another population: each times
/// new/old, then divided by their sum (Saerens, Latinne and Decaestecker 2002, equation 2.4).
pub(crate) fn reweighted(probabilities: &[f32], old: &[f32], new: &[f32]) -> Vec<f32> {
    let weighted: Vec<f64> = probabilities
        .iter()
        .zip(old.iter().zip(new))
        .map(|(&p, (&old, &new))| f64::from(p) * f64::from(new) / f64::from(old))
        .collect();
    let sum: f64 = weighted.iter().sum();
    // All that had any probability has share 0: nothing is left to say but what the model said.
    if sum <= 0.0 { probabilities.to_vec() } else { weighted.iter().map(|w| (w / sum) as f32).collect() }
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = values.iter().map(|v| libm::exp(v - greatest)).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-value))
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scoring(activation: Activation, multi_label: bool, temperature: f32) -> Scoring {
        Scoring { activation, multi_label, temperature }
    }

    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-6, "{found:?} instead of {expected:?}");
        }
    }

    #[test]
    fn softmax_of_logarithms_gives_the_shares_back() {
        let values = [1.0f32.ln(), 2.0f32.ln(), 5.0f32.ln()];
        close(&scoring(Activation::Softmax, false, 1.0).calibrated(&values).expect("sound"), &[0.125, 0.25, 0.625]);
    }

    #[test]
    fn temperature_divides_logits() {
        // ln 9 / 2 = ln 3: odds of 9 to 1 become odds of 3 to 1.
        let soft = scoring(Activation::Softmax, false, 2.0);
        close(&soft.calibrated(&[9.0f32.ln(), 0.0]).expect("sound"), &[0.75, 0.25]);
        close(&soft.probabilities(&[9.0f32.ln(), 0.0]).expect("sound"), &[0.9, 0.1]);
        let sigmoid = scoring(Activation::Sigmoid, true, 2.0);
        close(&sigmoid.calibrated(&[9.0f32.ln()]).expect("sound"), &[0.75]);
    }

    #[test]
    fn temperature_on_a_graph_that_ends_in_softmax_is_that_on_its_logits() {
        let inside = scoring(Activation::None, false, 2.0);
        close(&inside.calibrated(&[0.9, 0.1]).expect("sound"), &[0.75, 0.25]);
        let each = scoring(Activation::None, true, 2.0);
        close(&each.calibrated(&[0.9, 0.5]).expect("sound"), &[0.75, 0.5]);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        close(&scoring(Activation::Softmax, false, 1.0).calibrated(&[3e38, 0.0]).expect("sound"), &[1.0, 0.0]);
        close(&scoring(Activation::Sigmoid, true, 1.0).calibrated(&[-3e38, 3e38]).expect("sound"), &[0.0, 1.0]);
    }

    #[test]
    fn values_that_are_no_probabilities_are_refused() {
        let inside = scoring(Activation::None, false, 1.0);
        assert!(inside.calibrated(&[4.0, -1.0]).is_err());
        assert!(inside.calibrated(&[0.9, 0.9]).is_err());
        assert!(scoring(Activation::None, true, 1.0).calibrated(&[0.9, 0.9]).is_ok());
        assert!(scoring(Activation::Softmax, false, 1.0).calibrated(&[f32::NAN, 0.0]).is_err());
    }

    #[test]
    fn reweighting_follows_bayes() {
        // Calibrated half and half, 0.8 for the first; where the first has a share of 0.1:
        // 0.8·0.2 = 0.16 against 0.2·1.8 = 0.36, so 0.16/0.52.
        close(&reweighted(&[0.8, 0.2], &[0.5, 0.5], &[0.1, 0.9]), &[0.16 / 0.52, 0.36 / 0.52]);
        close(&reweighted(&[0.8, 0.2], &[0.5, 0.5], &[0.5, 0.5]), &[0.8, 0.2]);
        close(&reweighted(&[1.0, 0.0], &[0.5, 0.5], &[0.0, 1.0]), &[1.0, 0.0]);
    }
}
