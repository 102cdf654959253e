//! Labels against others: how well their probabilities tell the ones from the others.

use serde::Serialize;

use super::{Case, Model, Problem};

/// Some labels against others of a model whose labels exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contrast {
    /// What it is called, such as `cancer`.
    pub name: String,
    /// The labels that are looked for.
    pub labels: Vec<usize>,
    /// The labels that they are told from; everything else where there are none. Pictures of any other label are left
    /// out.
    pub against: Vec<usize>,
}

impl Contrast {
    /// Whether one of the labels holds; `None` where that is not known, and where the picture is left out.
    pub(super) fn truth(&self, case: &Case) -> Option<bool> {
        let any = |labels: &[usize]| labels.iter().any(|&label| case.truth[label] == Some(true));
        if any(&self.labels) {
            return Some(true);
        }
        if !self.against.is_empty() {
            return any(&self.against).then_some(false);
        }
        case.truth.iter().all(Option::is_some).then_some(false)
    }

    /// The probability of the labels, given that it is one of them or of the others; one half where all are 0.
    pub(super) fn probability(&self, probabilities: &[f64]) -> f64 {
        let sum = |labels: &[usize]| labels.iter().map(|&label| probabilities[label]).sum::<f64>();
        let found = sum(&self.labels);
        if self.against.is_empty() {
            return found.min(1.0);
        }
        let all = found + sum(&self.against);
        if all > 0.0 { (found / all).min(1.0) } else { 0.5 }
    }
}

/// Fails where contrasts can't be told apart, or name labels that the model does not have.
pub(super) fn check(model: &Model) -> Result<(), Problem> {
    if model.is_multi_label && !model.contrasts.is_empty() {
        return Err(Problem::Option(
            "a contrast adds up probabilities: it takes a model whose labels exclude each other",
        ));
    }
    for (at, contrast) in model.contrasts.iter().enumerate() {
        let mut named: Vec<usize> = contrast.labels.iter().chain(&contrast.against).copied().collect();
        let count = named.len();
        named.sort_unstable();
        named.dedup();
        if contrast.labels.is_empty() || named.len() < count || named.iter().any(|&label| label >= model.labels.len()) {
            return Err(Problem::Option(
                "a contrast has a label, each of its labels once, and only labels of the model",
            ));
        }
        let is_taken = contrast.name == "urgent"
            || model.labels.iter().any(|label| label.name == contrast.name)
            || model.contrasts[..at].iter().any(|other| other.name == contrast.name);
        if contrast.name.is_empty() || is_taken {
            return Err(Problem::Option("call a contrast by a name of its own: not `urgent`, nor as a label"));
        }
    }
    Ok(())
}
