//! Functions for the fuzz targets (`fuzz/`) that the public API does not have. They exist only under `--cfg fuzzing`,
//! which cargo-fuzz sets for everything that it builds, and are no part of the API.

use std::sync::atomic::AtomicBool;

use crate::engine::{Engine, Input, Tapped};
use crate::guard::importing;
use crate::program::{Convolution, Step};
use crate::signature::Signature;
use crate::tensor::{Data, Tensor};
use crate::{Pixels, Prepared, Result, kernels};

/// Whether tract is importing a graph on this thread. A panic of tract is then turned into an error, which is no
/// defect.
#[must_use]
pub fn is_importing() -> bool {
    importing::get()
}

/// The tensor of this shape that these pixels stand for.
///
/// # Errors
/// [`Error::Tensor`](crate::Error::Tensor) where the pixels do not fill the shape.
pub fn tensor(pixels: &Pixels<'_>, shape: Vec<usize>) -> Result<Tensor> {
    pixels.tensor(shape)
}

/// Upper bounds of what one run of a prepared model takes: its memory in bytes, and its work in multiply-adds and
/// elements copied or compared.
#[must_use]
pub fn takes(prepared: &Prepared) -> (u64, u64) {
    let program = prepared.program_for_fuzzing();
    // The area that the windows of convolutions span, which is copied where it is larger than the image. The limits of
    // programs count it as work, and here it counts as memory.
    let padded = |step: &Step| match step {
        Step::Convolution(Convolution { from, to, window, .. }) => {
            let ([.., channels], [_, height, width, _]) = (program.tensors[from.0].shape, program.tensors[to.0].shape);
            let reach = |axis: usize, length: usize| {
                (length * window.stride[axis]) as u64 + (window.kernel[axis] * window.dilation[axis]) as u64
            };
            reach(0, height).saturating_mul(reach(1, width)).saturating_mul(channels as u64)
        }
        _ => 0,
    };
    let padded = program.steps.iter().map(padded).fold(0, u64::saturating_add);
    (program.memory().saturating_add(padded), program.work())
}

/// Runs a prepared model with every set of kernels that this processor has.
///
/// # Panics
/// Where a set can't run it, or two sets give different bits.
pub fn run_by_all_kernels(prepared: &Prepared, signature: &Signature, input: &Tensor) {
    let bits = |tensor: &Tensor| match tensor.data() {
        // All NaNs are equal here: instruction sets do not specify the bits of a NaN that an operation gives.
        Data::F32(values) => values.iter().map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() }).collect::<Vec<_>>(),
        Data::U8(values) => values.iter().map(|&v| v.into()).collect(),
    };
    let mut first = None;
    for kernels in kernels::available() {
        let engine =
            Engine::prepared_for(kernels, prepared.clone(), signature, 1).expect("its own signature is served");
        let all: Vec<usize> = (0..signature.taps.len()).collect();
        let ran = engine.run_tapped(&AtomicBool::new(false), Input::Tensor(input), &all);
        let Tapped { outputs, taps } = ran.expect("what was checked runs");
        let outputs: Vec<_> =
            outputs.iter().chain(&taps).map(|tensor| (tensor.shape().to_vec(), bits(tensor))).collect();
        match &first {
            None => first = Some(outputs),
            Some(portable) => {
                assert!(*portable == outputs, "{} gives other bits than the portable kernels", kernels.name())
            }
        }
    }
}
