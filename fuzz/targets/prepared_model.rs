//! Prepared models, which are opened and run by every set of kernels. The mutator recomputes the checksum in the
//! header.

#![no_main]

use bedside_engine::{Dim, ElementType, Engine, Prepared, Signature, Tensor, fuzzing};
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};

/// The maximum memory of a run, in bytes, by the model's own sizes. A sound model may take more, and is only opened
/// then.
const MAX_BYTES: u64 = 1 << 24;
/// The maximum work of a run, in multiply-adds and elements copied or compared. A sound model may take more, and is
/// only opened then.
const MAX_WORK: u64 = 1 << 22;

fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| run(data)));

fn run(data: &[u8]) {
    let Ok(prepared) = Prepared::from_bytes(data) else { return };
    let _ = (prepared.sha256(), prepared.metadata("bedside"), prepared.multiply_adds());
    let inputs = prepared.inputs();
    let shape: Vec<usize> = inputs[0]
        .dims
        .iter()
        .flatten()
        .map(|dim| match dim {
            Dim::Fixed(length) => *length,
            Dim::Symbolic(_) => unreachable!("a prepared model has one shape"),
        })
        .collect();
    let outputs: Vec<String> = prepared.outputs().into_iter().map(|output| output.name).collect();
    for output in &outputs {
        let _ = prepared.head(output);
    }
    let signature = Signature { input: inputs[0].name.clone(), shape: shape.clone(), outputs, taps: prepared.taps() };
    let (bytes, work) = fuzzing::takes(&prepared);
    if bytes > MAX_BYTES || work > MAX_WORK {
        return;
    }
    let engine = Engine::prepared(prepared.clone(), &signature, 2).expect("its own signature is served");
    let count = shape.iter().product();
    let input = match inputs[0].element {
        ElementType::U8 => Tensor::u8(shape, (0..count).map(|at| at as u8).collect()),
        _ => Tensor::f32(shape, (0..count).map(|at| at as f32 / 4.0 - 6.0).collect()),
    };
    let input = input.expect("as long as its shape says");
    engine.run(&input).expect("what was checked runs");
    fuzzing::run_by_all_kernels(&prepared, &signature, &input);
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::written(&fuzz::prepared::mutate(&data[..size], max_size, seed), data, max_size)
});

fuzz_crossover!(|data1: &[u8], data2: &[u8], out: &mut [u8], seed: u32| {
    let max_len = out.len();
    fuzz::written(&fuzz::prepared::joined(data1, data2, seed), out, max_len)
});
