//! Taps of a program: the tensors of bytes of which a run can return the reals or their means. `executable/taps.rs`
//! computes them.

use super::TensorId;
use crate::signature::TapKind;

/// A tap: a tensor of bytes, and what is returned of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tap {
    pub(crate) tensor: TensorId,
    /// The tensor's shape in the graph: batch, channels, and at most two spatial axes.
    pub(crate) shape: Vec<usize>,
    /// A byte stands for `scale * (byte - zero_point)`. Positive and normal.
    pub(crate) scale: f32,
    pub(crate) zero_point: u8,
    pub(crate) kind: TapKind,
}

impl Tap {
    /// The shape of the tensor in a program; None where the graph's shape is not that of one image with channels.
    pub(crate) fn program_shape(&self) -> Option<[usize; 4]> {
        match self.shape[..] {
            [1, channels] => Some([1, 1, 1, channels]),
            [1, channels, width] => Some([1, 1, width, channels]),
            [1, channels, height, width] => Some([1, height, width, channels]),
            _ => None,
        }
    }

    /// The shape of what a run returns.
    pub(crate) fn returned_shape(&self) -> &[usize] {
        match self.kind {
            TapKind::Values => &self.shape,
            TapKind::Means => &self.shape[..2],
        }
    }

    /// The real that a byte stands for.
    pub(crate) fn real(&self, byte: u8) -> f32 {
        f32::from(i16::from(byte) - i16::from(self.zero_point)) * self.scale
    }

    /// The mean of the reals of `count` bytes whose sum, each less the zero point, is `sum`. Each operation is rounded
    /// to f64, and the last result to f32.
    pub(crate) fn mean(&self, sum: i32, count: usize) -> f32 {
        (f64::from(sum) * f64::from(self.scale) / count as f64) as f32
    }
}

/// The number of elements that a run returns of a tap of this kind and shape.
pub(crate) fn returned_len(tap: &Tap) -> u64 {
    tap.returned_shape().iter().fold(1, |count: u64, &length| count.saturating_mul(length as u64))
}
