//! The linear head of a network: the last product of pooled features with constant weights. `onnx/head.rs` finds it in a
//! graph, and a prepared model carries it.

use crate::Error;

/// The error for an output without a linear head.
pub(crate) fn none(output: &str, reason: &str) -> Error {
    Error::Unsupported(format!(
        "output \"{output}\" has no linear head, a product of constant weights with the means of a tensor over height \
         and width: {reason}"
    ))
}

/// The linear head of an output: `logits = weights · pooled + bias`, where `pooled` is the mean of `features` over
/// height and width.
///
/// So a logit is the mean over all pixels of `Σ weights[label, c] · features[c, y, x]`, plus the bias: in floats to
/// their rounding, and where the pooled tensor is quantized with scale `s`, within `s / 2 · Σ |weights[label, c]|`
/// (`docs/engine.md`, "The linear head").
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The name of the tensor that is pooled, of batch × channels × height × width. It can be tapped.
    pub features: String,
    /// The name of the pooled tensor as the product reads it, of batch × channels. It can be tapped.
    pub pooled: String,
    /// The name of the initializer that holds the weights.
    pub initializer: String,
    /// The number of labels.
    pub labels: usize,
    /// The number of channels.
    pub channels: usize,
    /// Labels × channels, as reals. Quantized ones are the integers less their zero point, times their scale.
    pub weights: Vec<f32>,
    /// One for each label. That of quantized weights is rounded to the units of the integer sums, as a program adds it.
    pub bias: Vec<f32>,
}

impl Head {
    /// The weights of a label, one for each channel.
    ///
    /// # Panics
    /// Where there is no label of this index.
    #[must_use]
    pub fn weights_of(&self, label: usize) -> &[f32] {
        &self.weights[label * self.channels..][..self.channels]
    }
}
