//! Computes taps, on the caller's thread. A tapped tensor is complete after the last step that writes it, and its
//! buffer may be another tensor's some steps later. So a tap is computed right after that step, and changes nothing
//! that later steps read.

use crate::Result;
use crate::kernels::Kernels;
use crate::program::Tap;
use crate::signature::TapKind;
use crate::tensor::Tensor;

/// What a run returns of a tap whose tensor has these bytes. `sums` is scratch memory.
pub(super) fn tapped(tap: &Tap, bytes: &[u8], kernels: &dyn Kernels, sums: &mut Vec<i32>) -> Result<Tensor> {
    let channels = tap.shape[1];
    let pixels = bytes.len() / channels;
    let values = match tap.kind {
        TapKind::Values => reals(tap, bytes, pixels),
        TapKind::Means => {
            sums.clear();
            sums.resize(channels, 0);
            kernels.sum_rows(bytes, channels, pixels, sums);
            let zero = pixels as i32 * i32::from(tap.zero_point);
            sums.iter().map(|sum| tap.mean(sum - zero, pixels)).collect()
        }
    };
    Tensor::f32(tap.returned_shape(), values)
}

/// The reals of channels-last bytes, channels first.
fn reals(tap: &Tap, bytes: &[u8], pixels: usize) -> Vec<f32> {
    let channels = bytes.len() / pixels;
    let table: [f32; 256] = std::array::from_fn(|byte| tap.real(byte as u8));
    let mut values = Vec::with_capacity(bytes.len());
    for channel in 0..channels {
        values.extend(bytes[channel..].iter().step_by(channels).map(|&byte| table[usize::from(byte)]));
    }
    values
}
