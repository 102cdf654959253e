//! Computes taps, on the caller's thread. A tapped tensor is complete after the last step that writes it, and its
//! buffer may be another tensor's some steps later. So a tap is computed right after that step, and changes nothing
//! that later steps read.

use crate::Result;
use crate::kernels::Kernels;
use crate::program::Tap;
use crate::signature::TapKind;
use crate::tensor::Tensor;

/// Writes what a run returns of a tap whose tensor has these bytes. `sums` is scratch memory.
pub(super) fn tapped(
    tap: &Tap,
    bytes: &[u8],
    kernels: &dyn Kernels,
    sums: &mut Vec<i32>,
    to: &mut Tensor,
) -> Result<()> {
    let channels = tap.shape[1];
    let pixels = bytes.len() / channels;
    let shape = tap.returned_shape();
    match tap.kind {
        TapKind::Values => to.set_f32(shape, |values| push_reals(tap, bytes, pixels, values)),
        TapKind::Means => {
            sums.clear();
            sums.resize(channels, 0);
            kernels.sum_rows(bytes, channels, pixels, sums);
            let zero = pixels as i32 * i32::from(tap.zero_point);
            to.set_f32(shape, |values| values.extend(sums.iter().map(|sum| tap.mean(sum - zero, pixels))))
        }
    }
}

/// Adds the reals of channels-last bytes, channels first.
fn push_reals(tap: &Tap, bytes: &[u8], pixels: usize, values: &mut Vec<f32>) {
    let channels = bytes.len() / pixels;
    let table: [f32; 256] = std::array::from_fn(|byte| tap.real(byte as u8));
    values.reserve(bytes.len());
    for channel in 0..channels {
        values.extend(bytes[channel..].iter().step_by(channels).map(|&byte| table[usize::from(byte)]));
    }
}
