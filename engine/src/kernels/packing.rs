//! What packing for 32- and 64-bit ARM shares: weights of more than 8 bits, those whose products could exceed 16 bits, and
//! the offset of inputs.

use crate::program::weights::{fit_i8, sum};

/// Splits weights into 8-bit parts that add up to them. There is at least one part, and only one if all weights are
/// from `min`, which is negative, to 127. No part has a weight below `min`.
pub(super) fn split_into_parts(weights: &[i16], min: i8) -> Vec<Vec<i8>> {
    if min == -128 && fit_i8(weights) {
        return vec![weights.iter().map(|&weight| weight as i8).collect()];
    }
    let mut residuals = weights.to_vec();
    let mut parts = vec![];
    while parts.is_empty() || residuals.iter().any(|&weight| weight != 0) {
        let part: Vec<i8> = residuals.iter().map(|&weight| weight.clamp(i16::from(min), 127) as i8).collect();
        residuals.iter_mut().zip(&part).for_each(|(residual, &part)| *residual -= i16::from(part));
        parts.push(part);
    }
    parts
}

/// What the sum of an output starts from: its bias, and what compensates for inputs that `input_offset` is subtracted
/// from. `weights` are the output's.
pub(super) fn offset_bias(bias: i32, weights: &[i16], input_offset: u8) -> i32 {
    bias.wrapping_add(i32::from(input_offset).wrapping_mul(sum(weights)))
}

/// Whether any row has two weights of -128 or less that are two apart within a group of four inputs, where kernels for
/// NEON alone add products in 16 bits. `weights` holds rows of `columns` weights.
pub(super) fn has_extremes(weights: &[i16], columns: usize) -> bool {
    weights
        .chunks_exact(columns)
        .any(|row| row.chunks(4).any(|four| (2..four.len()).any(|at| four[at] <= -128 && four[at - 2] <= -128)))
}
