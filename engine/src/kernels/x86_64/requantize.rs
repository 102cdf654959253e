//! The parameters of requantization, as the kernels for AVX2 and for AVX-512 VNNI keep them.

use crate::arithmetic::OutputStage;

/// The parameters of requantization: the zero point of the output, and the limits that its bytes are clamped to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requantize {
    pub(super) zero_point: u8,
    pub(super) min: u8,
    pub(super) max: u8,
}

impl Requantize {
    /// The parameters of an output stage. Those for [`OutputStage::Float`] are not used.
    pub(super) fn of(output_stage: &OutputStage) -> Requantize {
        match *output_stage {
            OutputStage::Byte { zero_point, min, max, .. } => Requantize { zero_point, min, max },
            OutputStage::Float => Requantize { zero_point: 0, min: 0, max: 255 },
        }
    }
}
