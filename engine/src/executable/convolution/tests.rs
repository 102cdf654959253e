//! Convolutions, by each way of computing them, compared with ONNX's definition. `kernels/tests.rs` compares the sets
//! of kernels with each other.

use super::*;
use crate::arithmetic::Window;
use crate::kernels::available;
use crate::program::Element;

/// Input channels: with them, a line of a window has fewer and more bytes than a chunk of im2col.
const CHANNELS: [usize; 3] = [1, 3, 7];

/// The convolution as ONNX defines it, product by product, with a bias of 5, a multiplier of 1/64 and an output
/// zero point of 100.
fn by_definition(step: &Convolution, from: &[u8], input: [usize; 4], output: [usize; 4]) -> Vec<u8> {
    let [_, height, width, channels] = input;
    let ([_, out_height, out_width, outputs], [kernel_height, kernel_width]) = (output, step.window.kernel);
    let mut results = vec![];
    for (y, x, o) in
        (0..out_height).flat_map(|y| (0..out_width).flat_map(move |x| (0..outputs).map(move |o| (y, x, o))))
    {
        let mut sum = 5;
        for (tap_y, tap_x) in (0..kernel_height).flat_map(|y| (0..kernel_width).map(move |x| (y, x))) {
            let position = |axis: usize, at: usize, tap: usize| {
                (at * step.window.stride[axis] + tap * step.window.dilation[axis]).wrapping_sub(step.window.pad[axis])
            };
            let (row, column) = (position(0, y, tap_y), position(1, x, tap_x));
            if row >= height || column >= width {
                continue;
            }
            for c in 0..channels {
                let byte = i32::from(from[(row * width + column) * channels + c]) - i32::from(step.zero_point);
                let weight = step.weights[((o * kernel_height + tap_y) * kernel_width + tap_x) * channels + c];
                sum += byte * i32::from(weight);
            }
        }
        let value = (f64::from(sum) / 64.0).round_ties_even() + 100.0;
        results.push(value.clamp(0.0, 255.0) as u8);
    }
    results
}

#[test]
fn convolution_matches_the_definition_of_onnx() {
    for (case, channels) in (0..if cfg!(miri) { 3 } else { 60 }).zip(CHANNELS.into_iter().cycle()) {
        let pick = |salt: usize, max: usize| (case * 7 + salt * 5 + case / 3) % (max + 1);
        let window = Window {
            kernel: [1 + pick(0, 3), 1 + pick(1, 3)],
            stride: [1 + pick(2, 2), 1 + pick(3, 1)],
            dilation: [1 + pick(4, 1), 1 + pick(5, 1)],
            pad: [pick(6, 2), pick(7, 2)],
        };
        let input = [1, 9 + pick(8, 3), 8 + pick(9, 4), channels];
        let length = |axis: usize| {
            let reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
            (input[axis + 1] + 2 * window.pad[axis] - reach) / window.stride[axis] + 1
        };
        let output = [1, length(0), length(1), 2];
        let taps = window.kernel[0] * window.kernel[1];
        let step = Convolution {
            from: TensorId(0),
            to: TensorId(1),
            zero_point: 50,
            groups: 1,
            weights: (0..2 * taps * channels).map(|at| (at * 37 % 61) as i16 - 30).collect(),
            bias: vec![5; 2],
            multipliers: vec![1.0 / 64.0; 2],
            output_stage: OutputStage::Byte { zero_point: 100, min: 0, max: 255, table: None },
            window,
        };
        let bytes = input.iter().product::<usize>();
        let from: Vec<u8> = (0..bytes + TAIL_PADDING).map(|at| (at * at % 251) as u8).collect();
        let [from_kind, to_kind] = [input, output].map(|shape| TensorType { element: Element::Byte, shape });
        for kernels in available() {
            for count in [1, 3] {
                let threads = Threads::eager(count);
                let packed = PackedConvolution::new(&step, &from_kind, &to_kind, kernels, &threads);
                let mut to = vec![0; output.iter().product()];
                packed.run(&from, Output::Bytes(&mut to), &threads, &mut Scratch::for_threads(count));
                let name = kernels.name();
                assert_eq!(to, by_definition(&step, &from, input, output), "{name}, {count} threads, case {case}");
            }
        }
    }
}
