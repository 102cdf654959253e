//! The pictures of which a model was most wrong, and how long pictures took.

use serde::Serialize;

use super::{Case, Level, Measure, Model, Options};
use crate::statistics::Undefined;
use crate::statistics::bootstrap::quantile;

/// A picture of which the model was wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worst {
    /// The picture.
    pub file: String,
    /// Whose picture it is.
    pub patient: Option<String>,
    /// The label of which it was most wrong.
    pub label: String,
    /// Whether that holds.
    pub truth: bool,
    /// The probability that the model gave.
    pub probability: f64,
    /// What a person was told to do.
    pub triage: Level,
}

/// The judged pictures whose probability of a label is farthest from the truth, each once.
pub(super) fn worst(model: &Model, cases: &[&Case], options: &Options) -> Vec<Worst> {
    let mut found: Vec<(f64, Worst)> = cases.iter().filter_map(|case| worst_label(model, case)).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.file.cmp(&b.1.file)));
    found.into_iter().take(options.worst).map(|(_, worst)| worst).collect()
}

/// How far the probability of the label that holds is from 1, or of another from 0, where it is on the wrong side of ½.
fn worst_label(model: &Model, case: &Case) -> Option<(f64, Worst)> {
    let scores = case.judged()?;
    let distance = |label: usize| Some((scores.probabilities[label] - f64::from(case.truth[label]?)).abs());
    // Of equal ones that which holds, then the first.
    let place = |label: usize| (distance(label).unwrap_or(-1.0), case.truth[label] == Some(true));
    let label = (0..model.labels.len()).rev().max_by(|&a, &b| {
        let ((a, a_holds), (b, b_holds)) = (place(a), place(b));
        a.total_cmp(&b).then(a_holds.cmp(&b_holds))
    })?;
    let far = distance(label).filter(|far| *far > 0.5)?;
    let worst = Worst {
        file: case.file.clone(),
        patient: case.group.clone(),
        label: model.labels[label].name.clone(),
        truth: case.truth[label]?,
        probability: scores.probabilities[label],
        triage: case.triage()?,
    };
    Some((far, worst))
}

/// Quantiles of the time of a picture, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Times {
    /// The pictures whose time is known.
    pub pictures: u64,
    /// Half took no longer.
    pub median: f64,
    /// 90 % took no longer.
    pub p90: f64,
    /// 99 % took no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Of all pictures, foreign ones too.
pub(super) fn times(cases: &[Case]) -> Measure<Times> {
    let seconds: Vec<f64> = cases.iter().filter_map(|case| case.seconds).collect();
    let times = || -> Result<Times, Undefined> {
        Ok(Times {
            pictures: seconds.len() as u64,
            median: quantile(&seconds, 0.5)?,
            p90: quantile(&seconds, 0.9)?,
            p99: quantile(&seconds, 0.99)?,
            max: quantile(&seconds, 1.0)?,
        })
    };
    times().into()
}
