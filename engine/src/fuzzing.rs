//! What the fuzz targets (`fuzz/`) call and the public API does not reach. It is there under `--cfg fuzzing` alone, which
//! cargo-fuzz sets for all that it builds, and no part of the API.

use crate::engine::Engine;
use crate::guard::importing;
use crate::program::{Convolution, Step};
use crate::signature::Signature;
use crate::tensor::{Data, Tensor};
use crate::{Pixels, Prepared, Result, kernels};

/// Whether tract takes a graph in on this thread. A panic of its own that happens then becomes an error, as is promised.
#[must_use]
pub fn is_importing() -> bool {
    importing::get()
}

/// The tensor of this shape that a graph would take of a picture's bytes.
///
/// # Errors
/// [`Error::Tensor`](crate::Error::Tensor) where they do not fit it.
pub fn tensor(pixels: &Pixels<'_>, shape: Vec<usize>) -> Result<Tensor> {
    pixels.tensor(shape)
}

/// What one run of a prepared model takes: at most so many bytes of memory, and so many products or elements visited.
#[must_use]
pub fn takes(prepared: &Prepared) -> (u64, u64) {
    let program = prepared.program_for_fuzzing();
    // What the windows of convolutions lie over, which is copied where it is more than the picture.
    let bordered = |step: &Step| match step {
        Step::Convolution(Convolution { from, to, window, .. }) => {
            let ([.., channels], [_, height, width, _]) = (program.tensors[from.0].shape, program.tensors[to.0].shape);
            let over = |axis: usize, length: usize| {
                (length * window.stride[axis]) as u64 + (window.kernel[axis] * window.dilation[axis]) as u64
            };
            over(0, height).saturating_mul(over(1, width)).saturating_mul(channels as u64)
        }
        _ => 0,
    };
    let bordered = program.steps.iter().map(bordered).fold(0, u64::saturating_add);
    (program.memory().saturating_add(bordered), program.work())
}

/// Runs a prepared model by every set of kernels that this processor has.
///
/// # Panics
/// Where one can't run it, or two do not give the same bits.
pub fn run_by_all_kernels(prepared: &Prepared, signature: &Signature, input: &Tensor) {
    let bits = |tensor: &Tensor| match tensor.data() {
        // NaNs are alike: which of them an operation gives, no instruction set promises.
        Data::F32(values) => values.iter().map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() }).collect::<Vec<_>>(),
        Data::U8(values) => values.iter().map(|&v| v.into()).collect(),
    };
    let mut first = None;
    for kernels in kernels::available() {
        let engine =
            Engine::prepared_for(kernels, prepared.clone(), signature, 1).expect("its own signature is served");
        let outputs = engine.run(input).expect("what was checked runs");
        let outputs: Vec<_> = outputs.iter().map(|tensor| (tensor.shape().to_vec(), bits(tensor))).collect();
        match &first {
            None => first = Some(outputs),
            Some(portable) => {
                assert!(*portable == outputs, "{} gives other bits than the portable kernels", kernels.name())
            }
        }
    }
}
