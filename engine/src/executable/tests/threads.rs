//! Each step gives the same output on any number of threads, however it is cut into parts.

use std::slice::from_ref;
use std::sync::atomic::AtomicBool;

use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::executable::{Executable, InputView};
use crate::kernels;
use crate::program::{
    Add, Convolution, Element, Lookup, Multiply, Pooling, PoolingKind, Quantize, Step, Table, TensorId, TensorType,
    UncheckedProgram,
};
use crate::tensor::Tensor;
use crate::threads::Threads;

/// Shapes (batch, height, width, channels) with one unit and with many, smaller than a cache line and of several, with
/// a remainder and without. Under miri, which takes a thousand times as long, only two small ones.
const SHAPES: &[[usize; 4]] = if cfg!(miri) {
    &[[1, 1, 1, 5], [1, 2, 3, 65]]
} else {
    &[[1, 1, 1, 5], [1, 7, 7, 65], [2, 9, 13, 3], [1, 40, 3, 64], [3, 2, 5, 130], [1, 1, 90, 1]]
};

/// The maximum number of threads.
const MAX_THREADS: usize = if cfg!(miri) { 2 } else { 4 };

const TO: TensorId = TensorId(0);
const FROM: [TensorId; 2] = [TensorId(1), TensorId(2)];

/// Checks one step, from tensors of the kinds `from` to one of kind `to`: all kernels, on any number of threads, give
/// what the portable kernels give on one.
fn check(step: Step, from: &[TensorType], to: TensorType) {
    let program = UncheckedProgram {
        tensors: [from_ref(&to), from].concat(),
        names: vec![String::new(); 1 + from.len()],
        inputs: FROM[..from.len()].to_vec(),
        outputs: vec![(TO, to.shape.to_vec())],
        taps: vec![],
        steps: vec![step],
    };
    let program = program.check().expect("sound");
    let tensor = |(seed, kind): (usize, &TensorType)| {
        let bytes = (0..kind.len()).map(|at| ((at + seed) * (at + 3) % 251) as u8);
        let tensor = match kind.element {
            Element::Byte => Tensor::u8(kind.shape.to_vec(), bytes.collect()),
            Element::Float => Tensor::f32(kind.shape.to_vec(), bytes.map(|byte| f32::from(byte) / 4.0).collect()),
        };
        tensor.expect("as long as its shape says")
    };
    let inputs: Vec<Tensor> = from.iter().enumerate().map(tensor).collect();
    let views: Vec<InputView<'_>> = inputs.iter().map(InputView::of).collect();
    let run = |executable: &Executable| executable.run(&views, &AtomicBool::new(false), || {}).expect("it runs");
    let expected = run(&Executable::new(&program, kernels::portable(), Threads::new(1)));
    for kernels in kernels::available() {
        for count in 1..=MAX_THREADS {
            let executable = Executable::new(&program, kernels, Threads::eager(count));
            // Twice: the second run uses the workspace of the first, with its contents.
            for _ in 0..2 {
                let (name, step) = (kernels.name(), program.steps[0].operation());
                assert_eq!(run(&executable), expected, "{name}, {count} threads: {step} of {from:?} to {to:?}");
            }
        }
    }
}

fn bytes(shape: [usize; 4]) -> TensorType {
    TensorType { element: Element::Byte, shape }
}

fn floats(shape: [usize; 4]) -> TensorType {
    TensorType { element: Element::Float, shape }
}

fn table() -> Box<[u8; 256]> {
    Box::new(std::array::from_fn(|at| (at * 7 % 256) as u8))
}

#[test]
fn quantize_is_equal_on_any_number_of_threads() {
    for shape @ [_, height, width, channels] in SHAPES.iter().copied() {
        let image = height * width * channels;
        // Channels last, planes, and transposed images.
        for strides in [
            [image, width * channels, channels, 1],
            [image, width, 1, height * width],
            [image, channels, height * channels, 1],
        ] {
            let step = Quantize { from: FROM[0], to: TO, strides, scale: 0.3, zero_point: 7 };
            check(Step::Quantize(step), &[floats(shape)], bytes(shape));
        }
    }
}

#[test]
fn add_and_multiply_are_equal_on_any_number_of_threads() {
    let add =
        AddRule { input_offsets: [0, 128], scale_ratios: [0.7, 0.6], addend: 3.4, output_offset: 0, min: 3, max: 250 };
    let multiply =
        MultiplyRule { zero_points: [3, 90], multiplier: 0.01, addend: -108.0, output_offset: 128, min: 0, max: 255 };
    for shape @ [batch, height, width, channels] in SHAPES.iter().copied() {
        for other in [shape, [1, 1, 1, channels], [batch, height, width, 1], [1, height, 1, 1]] {
            let from = [bytes(other), bytes(shape)];
            check(Step::Add(Add { from: FROM, to: TO, rule: add }), &from, bytes(shape));
            check(Step::Multiply(Multiply { from: FROM, to: TO, rule: multiply }), &from, bytes(shape));
        }
    }
}

#[test]
fn lookup_is_equal_on_any_number_of_threads() {
    for shape in SHAPES.iter().copied() {
        let step = Lookup { from: FROM[0], to: TO, table: Table::Bytes(table()) };
        check(Step::Lookup(step), &[bytes(shape)], bytes(shape));
    }
}

#[test]
fn pooling_is_equal_on_any_number_of_threads() {
    let byte = OutputStage::Byte { zero_point: 3, min: 0, max: 255, table: Some(table()) };
    for shape @ [batch, height, width, channels] in SHAPES.iter().copied() {
        let all = Window { kernel: [height, width], stride: [1; 2], dilation: [1; 2], pad: [0; 2] };
        let some = Window { kernel: [3, 2], stride: [2, 1], dilation: [1; 2], pad: [1, 1] };
        for (window, [height, width]) in [(all, [1, 1]), (some, [(height - 1) / 2 + 1, width + 1])] {
            let to = [batch, height, width, channels];
            let pool = |kind| Step::Pooling(Pooling { from: FROM[0], to: TO, window: window.clone(), kind });
            check(pool(PoolingKind::Max), &[bytes(shape)], bytes(to));
            for (output_stage, to) in [(byte.clone(), bytes(to)), (OutputStage::Float, floats(to))] {
                let mean = PoolingKind::Mean {
                    zero_point: 9,
                    input_scale: 0.6,
                    output_scale: 0.5,
                    count_include_pad: true,
                    output_stage,
                };
                check(pool(mean), &[bytes(shape)], to);
            }
        }
    }
}

#[test]
fn convolution_with_few_pixels_is_equal_on_any_number_of_threads() {
    let byte = OutputStage::Byte { zero_point: 3, min: 0, max: 255, table: Some(table()) };
    let all = [
        ([1, 1, 70], 33, 1),
        ([1, 1, 200], 130, 1),
        ([2, 2, 70], 90, 1),
        ([3, 3, 40], 70, 3),
        ([1, 2, 64], 33, 3),
        ([7, 7, 160], 176, 1),
    ];
    for &([height, width, inputs], outputs, side) in &all[..if cfg!(miri) { 1 } else { all.len() }] {
        let columns = side * side * inputs;
        let (from, to) = ([1, height, width, inputs], [1, height, width, outputs]);
        for (output_stage, to) in [(byte.clone(), bytes(to)), (OutputStage::Float, floats(to))] {
            let step = Convolution {
                from: FROM[0],
                to: TO,
                zero_point: 50,
                window: Window { kernel: [side; 2], stride: [1; 2], dilation: [1; 2], pad: [side / 2; 2] },
                groups: 1,
                weights: (0..outputs * columns).map(|at| (at * 37 % 61) as i16 - 30).collect(),
                bias: (0..outputs as i32).map(|at| at * 50 - 900).collect(),
                multipliers: (0..outputs).map(|at| 0.001 + at as f32 / 1e5).collect(),
                output_stage,
            };
            check(Step::Convolution(step), &[bytes(from)], to);
        }
    }
}
