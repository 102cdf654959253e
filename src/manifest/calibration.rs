//! The manifest's calibration: what was fitted after training, on the graph that has this manifest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::novelty::NoveltyModel;
use super::quality::QualityLimits;

/// The calibration, which was fitted after training on the graph that has this manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Calibration {
    /// The SHA-256 of the graph that it was fitted on, 64 lower-case hex digits:
    /// [`ModelIdentity::graph_sha256`](crate::ModelIdentity::graph_sha256). With another graph, the model does not open.
    pub graph_sha256: String,
    /// The data that it was fitted on, in free form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted_on: Option<String>,
    /// What was counted: `patient`, or `picture` where nothing says which pictures show the same patient. In free form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The temperature, above 0, by which logits are divided (Guo et al. 2017); 1 by default. Not beside `scale` or `bias`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// The factor of each label's logit, above 0, in the labels' order; 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Vec<f32>>,
    /// What is added to each label's scaled logit, in the labels' order; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<Vec<f32>>,
    /// The prevalence of each label in the data that it was fitted on, in the labels' order: fractions above 0 that sum
    /// to 1 within 0.01. Only where labels exclude each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevalence: Option<Vec<f32>>,
    /// The threshold of a label outside groups, or of a group, by its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, Threshold>,
    /// The action threshold, above 0 and at most 1: the sum of the calibrated probabilities of all labels that ask for
    /// [`Triage::Urgent`](crate::Triage::Urgent), from which on the triage is urgent. Only where labels exclude each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<f32>,
    /// Whether held-out pictures have shown that the model may say [`Triage::NoSign`](crate::Triage::NoSign); `false` by
    /// default, and then it says [`Triage::Refer`](crate::Triage::Refer) in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_sign: bool,
    /// How pictures unlike those that the model was made for are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub novelty: Option<NoveltyModel>,
    /// The limits of a picture's quality; none by default. A picture beyond one is rejected before the graph runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityLimits>,
}

impl Calibration {
    /// A calibration on the graph with this SHA-256, which changes nothing yet.
    ///
    /// ```
    /// use bedside::manifest::Calibration;
    ///
    /// let mut calibration = Calibration::new("0123456789abcdef".repeat(4));
    /// calibration.temperature = Some(1.3);
    /// calibration.prevalence = Some(vec![0.2, 0.8]);
    /// ```
    #[must_use]
    pub fn new(graph_sha256: impl Into<String>) -> Calibration {
        Calibration {
            graph_sha256: graph_sha256.into(),
            fitted_on: None,
            unit: None,
            temperature: None,
            scale: None,
            bias: None,
            prevalence: None,
            thresholds: BTreeMap::new(),
            action: None,
            no_sign: false,
            novelty: None,
            quality: None,
        }
    }
}

/// The threshold of a label or a group: its operating point, and what was stated when it was fitted.
///
/// A fitted one is an order statistic of the held-out probabilities of the label's own patients (class-conditional split
/// conformal prediction; Vovk 2012): the k-th smallest of n, k = ⌊(n + 1) · miss⌋. With k = 0 the label is always in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Threshold {
    /// The calibrated probability, 0…1, from which on the label can't be excluded.
    pub at: f32,
    /// The expected share of the label's patients below it, above 0 and below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miss: Option<f32>,
    /// The number n of the label's patients that it was fitted on, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

impl Threshold {
    /// A threshold of which nothing is stated.
    ///
    /// ```
    /// let mut melanoma = bedside::manifest::Threshold::new(0.04);
    /// (melanoma.miss, melanoma.count) = (Some(0.02), Some(400));
    /// assert_eq!(melanoma.rank(), Some(8));
    /// ```
    #[must_use]
    pub fn new(at: f32) -> Threshold {
        Threshold { at, miss: None, count: None }
    }

    /// The rank k = ⌊(n + 1) · miss⌋ of the held-out probability that it is; 0 where the label is always in, and `None`
    /// where nothing is stated.
    #[must_use]
    pub fn rank(&self) -> Option<u64> {
        let (miss, count) = (self.miss?, self.count?);
        // 0.02 as `f32` is a little less than 0.02: of 49 patients it means rank 1. The decimal that was written is meant.
        let miss: f64 = miss.to_string().parse().expect("a number is written as one");
        Some(((f64::from(count) + 1.0) * miss + 1e-9).floor() as u64)
    }
}
