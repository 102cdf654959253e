//! Tests of the kernels: every set gives the same bits as the portable one, saturates and rounds as the contract says,
//! and panics on arguments that violate it. What the arithmetic means is left to the conformance vectors
//! (`onnx/conformance.rs`).

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::arithmetic::Window;
use crate::executable::{Executable, InputView};
use crate::program::{
    Convolution, Element, Program, Quantize, Step, TensorId, TensorType, UncheckedProgram, dense_strides,
};
use crate::tensor::Tensor;
use crate::threads::Threads;

/// Bytes behind the results of a call. The call must leave them unchanged.
const GUARD: usize = 64;

/// Pseudorandom numbers, the same in each run. The first numbers come from proptest, which shrinks them when a test
/// fails. All that follow come from Knuth's MMIX linear congruential generator.
struct Random {
    /// Proptest's numbers that are not used yet.
    first: std::vec::IntoIter<u32>,
    /// The state of the generator.
    state: u64,
}

impl Random {
    fn new(first: Vec<u32>, state: u64) -> Random {
        Random { first: first.into_iter(), state }
    }

    fn next(&mut self) -> u64 {
        self.first.next().map_or_else(|| self.generated(), u64::from)
    }

    fn generated(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 33
    }

    /// A number from 0 to `max`, both included.
    fn up_to(&mut self, max: usize) -> usize {
        (self.next() % (max as u64 + 1)) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    /// Bytes as activations have them: most of them near the zero point, and outliers. In one case of three there are
    /// no outliers, in one they are about 2 %, and in one nearly all bytes are outliers.
    fn bytes_near(&mut self, zero_point: u8, count: usize) -> Vec<u8> {
        let outliers_per_thousand = [0, 20, 999][self.up_to(2)];
        let byte = |random: &mut Random| {
            let near = i32::from(zero_point) + random.up_to(126) as i32 - 63;
            if random.up_to(999) < outliers_per_thousand { random.byte() } else { near.clamp(0, 255) as u8 }
        };
        (0..count).map(|_| byte(self)).collect()
    }

    /// Weights of 8 bits, or in one case of four of 9 bits, as unsigned weights minus a zero point can be. In one case
    /// of four each is the minimum or the maximum.
    fn weights(&mut self, count: usize) -> Vec<i16> {
        let (wide, large) = (self.up_to(3) == 0, self.up_to(3) == 0);
        let (min, max): (i16, i16) = if wide { (-255, 255) } else { (-128, 127) };
        let weight = |random: &mut Random| {
            let any = min + random.up_to((max - min) as usize) as i16;
            match any {
                _ if !large => any,
                any if any < 0 => min,
                _ => max,
            }
        };
        (0..count).map(|_| weight(self)).collect()
    }

    /// A scale from a millionth to one.
    fn scale(&mut self) -> f32 {
        10_f32.powf(-6.0 * self.up_to(1000) as f32 / 1000.0)
    }

    fn output_stage(&mut self) -> OutputStage {
        let (a, b) = (self.byte(), self.byte());
        let (min, max) = if self.up_to(1) == 0 { (0, 255) } else { (a.min(b), a.max(b)) };
        OutputStage::Byte { zero_point: self.byte(), min, max, table: None }
    }

    /// Multipliers with which sums of `products` products roughly fill the range of a byte.
    fn multipliers(&mut self, count: usize, products: usize) -> Vec<f32> {
        let usual = 1.0 / (80.0 * (products as f32).sqrt());
        (0..count).map(|_| usual * 10_f32.powf(self.up_to(2000) as f32 / 1000.0 - 1.0)).collect()
    }

    fn biases(&mut self, count: usize) -> Vec<i32> {
        (0..count).map(|_| self.up_to(40_000) as i32 - 20_000).collect()
    }
}

/// Runs a test `cases` times, on numbers that are the same in each run. Tests draw sizes before bytes, so that proptest
/// shrinks a failing case to small sizes. Miri runs a hundredth of the cases, at least one, as it is about a thousand
/// times slower.
fn on_random_numbers(cases: u32, test: impl Fn(&mut Random)) {
    let cases = if cfg!(miri) { (cases / 100).max(1) } else { cases };
    let max_shrink_iters = if cfg!(miri) { 0 } else { u32::MAX };
    let config = Config { cases, failure_persistence: None, max_shrink_iters, ..Config::default() };
    let generator = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let numbers = (proptest::array::uniform24(any::<u32>()), any::<u64>());
    let run = |(first, state): ([u32; 24], u64)| {
        test(&mut Random::new(first.to_vec(), state));
        Ok(())
    };
    TestRunner::new_with_rng(config, generator).run(&numbers, run).unwrap_or_else(|failure| panic!("{failure}"));
}

/// A size: `all`, or `under_miri` where miri runs the test.
const fn sized(all: usize, under_miri: usize) -> usize {
    if cfg!(miri) { under_miri } else { all }
}

/// The sets of this processor that the tests compare with the portable one.
fn vector_sets() -> Vec<&'static dyn Kernels> {
    available().into_iter().filter(|kernels| kernels.name() != "portable").collect()
}

/// The names of all sets for this architecture, the best one last.
const ALL_SETS: &[&str] = if cfg!(target_arch = "x86_64") {
    &["portable", "sse41", "avx2", "avxvnni", "avx512vnni"]
} else if cfg!(target_arch = "aarch64") {
    &["portable", "neon", "dotprod", "i8mm"]
} else if cfg!(target_arch = "arm") {
    &["portable", "neon32"]
} else {
    &["portable"]
};

/// The tests below compare only the sets that this processor has with the portable one. This test writes the names of
/// the missing sets directly to standard error, as the test harness captures the output of tests that pass; the gate
/// repeats them (`docs/testing.md`).
#[test]
#[cfg_attr(miri, ignore = "miri has the instructions that it was told of; `cargo xtask test` runs it")]
fn available_sets_are_in_order_and_missing_sets_are_reported() {
    let names: Vec<&str> = available().iter().map(|kernels| kernels.name()).collect();
    assert_eq!(names, ALL_SETS[..names.len()], "each set needs those before it");
    let mut stderr = std::io::stderr();
    for lacking in &ALL_SETS[names.len()..] {
        writeln!(stderr, "not on this processor: {lacking}").expect("standard error is open");
    }
    if names.len() == 1 && ALL_SETS.len() > 1 {
        writeln!(stderr, "skipped: kernels: this processor has no vector set at all").expect("standard error is open");
    }
}

#[test]
fn chosen_set_is_the_named_or_the_best_one() {
    let name = chosen().expect("a set that this processor has").map(Kernels::name);
    match std::env::var("BEDSIDE_KERNEL") {
        Ok(wanted) => assert_eq!(name, Some(&wanted[..])),
        Err(_) => assert_eq!(name, available().last().map(|kernels| kernels.name()).filter(|&best| best != "portable")),
    }
}

#[test]
fn choose_gives_the_named_set_or_an_error() {
    let sets = available();
    for kernels in &sets {
        let found = choose(&sets, Some(kernels.name().as_ref())).expect("a set that there is");
        assert_eq!(found.map(Kernels::name), Some(kernels.name()));
    }
    let wrong = choose(&sets[..1], Some("avx3".as_ref())).map(|found| found.map(Kernels::name));
    assert_eq!(wrong, Err("BEDSIDE_KERNEL=avx3: this processor has portable".into()));
    assert!(choose(&sets, Some("".as_ref())).is_err());
    assert_eq!(choose(&sets[..1], None).expect("no set is named").map(Kernels::name), None);
}

#[test]
fn gemm_matches_portable() {
    for kernels in vector_sets() {
        on_random_numbers(400, |random| {
            let [max_rows, max_columns, max] = [sized(70, 40), sized(90, 40), sized(31, 6)];
            let (rows, columns, count) = (1 + random.up_to(max_rows), 1 + random.up_to(max_columns), random.up_to(max));
            let zero_point = random.byte();
            let (stride, to_stride) = (columns + random.up_to(5), rows + random.up_to(5));
            let output_stage = random.output_stage();
            let (weights, bias) = (random.weights(rows * columns), random.biases(rows));
            let multipliers = random.multipliers(rows, columns);
            let matrix = Matrix {
                rows,
                columns,
                zero_point,
                weights: &weights,
                bias: &bias,
                multipliers: &multipliers,
                output_stage: &output_stage,
            };
            let from = random.bytes_near(zero_point, count * stride + TAIL_PADDING);
            let bytes = |kernels: &dyn Kernels| {
                let length = (count * to_stride).max(rows);
                let mut to = vec![99; length + GUARD];
                kernels.gemm(&matrix).bytes(&from, stride, count, &mut to[..length], to_stride);
                to
            };
            assert_eq!(bytes(kernels), bytes(&portable::Portable), "{}", kernels.name());
            let floats = |kernels: &dyn Kernels| {
                let mut to = vec![99.0; (count * to_stride).max(rows)];
                let matrix = Matrix { output_stage: &OutputStage::Float, ..matrix };
                kernels.gemm(&matrix).floats(&from, stride, count, &mut to, to_stride);
                to.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            assert_eq!(floats(kernels), floats(&portable::Portable), "{}", kernels.name());
        });
    }
}

#[test]
fn depthwise_matches_portable() {
    for kernels in vector_sets() {
        on_random_numbers(400, |random| {
            let pair = |random: &mut Random, min: usize, max: usize| {
                [min + random.up_to(max - min), min + random.up_to(max - min)]
            };
            let kernel = [[3, 3], [5, 5], pair(random, 1, 6)][random.up_to(2)];
            let dilation = if random.up_to(1) == 0 { [1, 1] } else { pair(random, 1, 2) };
            let (stride, pad) = (pair(random, 1, 3), pair(random, 0, 3));
            let window = Window { kernel, stride, dilation, pad };
            let [height, width] = pair(random, 1, 12);
            let (channels, out_width) = (1 + random.up_to(sized(150, 70)), 1 + random.up_to(sized(40, 8)));
            let taps = kernel[0] * kernel[1];
            let output_stage = random.output_stage();
            let (weights, bias) = (random.weights(channels * taps), random.biases(channels));
            let multipliers = random.multipliers(channels, taps);
            let depthwise_weights = DepthwiseWeights {
                channels,
                taps,
                weights: &weights,
                bias: &bias,
                multipliers: &multipliers,
                output_stage: &output_stage,
            };
            let bytes = random.bytes(height * width * channels + TAIL_PADDING);
            let padding = vec![random.byte(); channels + TAIL_PADDING];
            let input = DepthwiseInput { bytes: &bytes, height, width, padding: &padding };
            let line = |kernels: &dyn Kernels, y: usize| {
                let mut to = vec![99; out_width * channels + GUARD];
                kernels.depthwise(&depthwise_weights, &window).row(&input, y, &mut to[..out_width * channels]);
                to
            };
            for y in 0..sized(4, 2) {
                assert_eq!(line(kernels, y), line(&portable::Portable, y), "{}", kernels.name());
            }
        });
    }
}

#[test]
fn convolution_matches_portable_on_all_sets_and_thread_counts() {
    on_random_numbers(600, |random| {
        let thread_count = random.up_to(5) as u64;
        let (program, input) = one_convolution(random);
        let result = |kernels: &'static dyn Kernels, count: u64| {
            let executable = Executable::new(&program, kernels, Threads::eager(count as usize));
            // Two runs, as the second reuses the memory of the first.
            let runs = [(); 2]
                .map(|()| executable.run(&[InputView::of(&input)], &AtomicBool::new(false), || {}).expect("a run"));
            assert_eq!(runs[0], runs[1], "{}, {count} threads", kernels.name());
            runs
        };
        let expected = result(&portable::Portable, 1);
        for kernels in available() {
            for count in [1, 2, 3, 4].into_iter().filter(|count| *count == 1 || thread_count == *count) {
                assert_eq!(result(kernels, count), expected, "{}, {count} threads", kernels.name());
            }
        }
    });
}

/// A program that quantizes its input and convolves it, in one or several groups, and an input for it.
fn one_convolution(random: &mut Random) -> (Program, Tensor) {
    let pair =
        |random: &mut Random, min: usize, max: usize| [min + random.up_to(max - min), min + random.up_to(max - min)];
    let groups = [1, 1, 2, 3][random.up_to(3)];
    let (inputs, outputs) = (groups * (1 + random.up_to(12)), groups * (1 + random.up_to(sized(40, 12))));
    let (kernel, pad) = (pair(random, 1, 4), pair(random, 0, 2));
    let (stride, dilation) = (pair(random, 1, 2), [[1, 1], pair(random, 1, 3)][random.up_to(1)]);
    let min = |axis: usize| (kernel[axis] - 1) * dilation[axis] + 1;
    let [height, width] = [0, 1].map(|axis| min(axis) + random.up_to(sized(18, 3)));
    let end_pad = pair(random, 0, 2);
    let length = |axis: usize, length: usize| (length + pad[axis] + end_pad[axis] - min(axis)) / stride[axis] + 1;
    let (batch, out_height, out_width) = (1 + random.up_to(1), length(0, height), length(1, width));
    let taps = kernel[0] * kernel[1] * inputs / groups;
    let shapes = [[batch, height, width, inputs], [batch, out_height, out_width, outputs]];
    let mut output_stage = random.output_stage();
    if let OutputStage::Byte { table, .. } = &mut output_stage {
        *table = (random.up_to(1) == 0).then(|| Box::new(std::array::from_fn(|_| random.byte())));
    }
    let zero_point = random.byte();
    let [from, bytes, to] = [TensorId(0), TensorId(1), TensorId(2)];
    let kind = |element, shape| TensorType { element, shape };
    let convolution = Convolution {
        from: bytes,
        to,
        zero_point,
        window: Window { kernel, stride, dilation, pad },
        groups,
        weights: random.weights(outputs * taps),
        bias: random.biases(outputs),
        multipliers: random.multipliers(outputs, taps),
        output_stage,
    };
    let quantize = Quantize { from, to: bytes, strides: dense_strides(shapes[0]), scale: 1.0, zero_point: 0 };
    let program = UncheckedProgram {
        tensors: vec![kind(Element::Float, shapes[0]), kind(Element::Byte, shapes[0]), kind(Element::Byte, shapes[1])],
        steps: vec![Step::Quantize(quantize), Step::Convolution(convolution)],
        names: vec![String::new(); 3],
        inputs: vec![from],
        outputs: vec![(to, shapes[1].to_vec())],
        taps: vec![],
    };
    let values = random.bytes_near(zero_point, shapes[0].iter().product()).into_iter().map(f32::from).collect();
    (program.check().expect("sound"), Tensor::f32(shapes[0].to_vec(), values).expect("a tensor"))
}

/// The minimum and maximum byte, and a multiplier with which the tests' results exceed 16 bits, or 32 bits.
const SATURATING: [(u8, u8, f32); 4] = [(3, 250, 1.0), (3, 250, 1_048_576.0), (0, 255, 1.0), (0, 255, 1_048_576.0)];

#[test]
fn requantize_saturates_beyond_16_and_32_bits() {
    // 255 · 127 · 4 exceeds 2¹⁶, and times 2²⁰ it exceeds 2³¹. Every set must give the maximum byte, and for negative
    // results the minimum.
    for ((min, max, multiplier), kernels) in
        SATURATING.into_iter().flat_map(|case| available().into_iter().map(move |set| (case, set)))
    {
        let output_stage = OutputStage::Byte { zero_point: 5, min, max, table: None };
        let (bias, multipliers) = ([7; 16], [multiplier; 16]);
        let expected = [[max; 8], [min; 8]].concat();
        for side in [2, 3, 5] {
            let taps = side * side;
            let weights: Vec<i16> = [vec![127; 8 * taps], vec![-127; 8 * taps]].concat();
            let mut to = [99; 16];
            let (output_stage, bias, multipliers) = (&output_stage, &bias, &multipliers);
            let matrix =
                Matrix { rows: 16, columns: taps, zero_point: 0, weights: &weights, bias, multipliers, output_stage };
            kernels.gemm(&matrix).bytes(&[255; 25 + TAIL_PADDING], taps, 1, &mut to, 16);
            assert_eq!(to, *expected, "{}, {taps} inputs", kernels.name());
            let depthwise_weights =
                DepthwiseWeights { channels: 16, taps, weights: &weights, bias, multipliers, output_stage };
            let bytes = vec![255; taps * 16 + TAIL_PADDING];
            let input = DepthwiseInput { bytes: &bytes, height: side, width: side, padding: &[255; 16 + TAIL_PADDING] };
            let window = Window { kernel: [side; 2], stride: [1; 2], dilation: [1; 2], pad: [0; 2] };
            let mut to = [99; 16];
            kernels.depthwise(&depthwise_weights, &window).row(&input, 0, &mut to);
            assert_eq!(to, *expected, "{}, {taps} taps", kernels.name());
        }
    }
}

#[test]
fn elementwise_add_and_multiply_saturate_beyond_16_and_32_bits() {
    // Twice 255 · 2²⁸ and 255 · 255 · 2²⁰ exceed 2³¹; twice 255 · 2⁸ and 255 · 255 exceed 2¹⁵. So do the magnitudes of
    // their negatives.
    for ((min, max, multiplier), kernels) in
        SATURATING.into_iter().flat_map(|case| available().into_iter().map(move |set| (case, set)))
    {
        for (zero_point, byte, expected) in [(0, 255, max), (255, 0, min)] {
            let mut to = [99; 80];
            let rule = AddRule {
                input_offsets: [zero_point; 2],
                scale_ratios: [multiplier * 256.0; 2],
                addend: 0.0,
                output_offset: 0,
                min,
                max,
            };
            kernels.add(&rule, &[byte; 80], &[byte; 80], &mut to);
            assert_eq!(to, [expected; 80], "{}", kernels.name());
            let rule =
                MultiplyRule { zero_points: [zero_point, 0], multiplier, addend: 5.0, output_offset: 128, min, max };
            kernels.multiply(&rule, &[byte; 80], &[255; 80], &mut to);
            assert_eq!(to, [expected; 80], "{}", kernels.name());
        }
    }
}

#[test]
fn multiply_rounds_after_adding_the_zero_point() {
    // By hand: 194 · 153 times the multiplier is 147.4999995, which as a float is 147.5. Plus 13 it is 160.5, which
    // rounds to 160, the even neighbour. Rounding before the addition would give 148 + 13 = 161. ONNX Runtime gives
    // 160.
    let rule = MultiplyRule {
        zero_points: [0, 10],
        multiplier: 0.004_969_341_7,
        addend: 13.0,
        output_offset: 0,
        min: 0,
        max: 255,
    };
    for kernels in available() {
        let mut to = [99; 80];
        kernels.multiply(&rule, &[194; 80], &[163; 80], &mut to);
        assert_eq!(to, [160; 80], "{}", kernels.name());
    }
}

#[test]
fn gemm_bias_wraps_around_at_32_bits() {
    // By hand: 2³¹ - 6 + 255 is -2³¹ + 249, which times 10⁻⁸ is -21.47; -2³¹ + 5 - 255 is 2³¹ - 250, hence 21.47.
    let (weights, bias, multipliers) = ([1, 0, 0, 0, -1, 0, 0, 0], [i32::MAX - 5, i32::MIN + 5], [1e-8; 2]);
    let output_stage = OutputStage::Byte { zero_point: 100, min: 0, max: 255, table: None };
    let matrix = Matrix {
        rows: 2,
        columns: 4,
        zero_point: 0,
        weights: &weights,
        bias: &bias,
        multipliers: &multipliers,
        output_stage: &output_stage,
    };
    for kernels in available() {
        let mut to = [99; 2];
        kernels.gemm(&matrix).bytes(&[255; 4 + TAIL_PADDING], 4, 1, &mut to, 2);
        assert_eq!(to, [79, 121], "{}", kernels.name());
    }
}

#[test]
fn elementwise_sum_rows_and_interleave_match_portable() {
    for kernels in vector_sets() {
        on_random_numbers(100, |random| {
            let all_255 = random.up_to(9) == 0;
            let (length, count) = (random.up_to(150), random.up_to(if all_255 { sized(1200, 40) } else { 20 }));
            let stride = length + random.up_to(3);
            let total = count * stride + TAIL_PADDING;
            let bytes = if all_255 { vec![255; total] } else { random.bytes(total) };
            let sums = |kernels: &dyn Kernels| {
                let mut sums = vec![7; length];
                kernels.sum_rows(&bytes, stride, count, &mut sums);
                sums
            };
            assert_eq!(sums(kernels), sums(&portable::Portable), "{}", kernels.name());
            let planes: [Vec<u8>; 3] = std::array::from_fn(|_| random.bytes(length));
            let interleaved = |kernels: &dyn Kernels| {
                let mut to = vec![99; 3 * length];
                kernels.interleave([&planes[0], &planes[1], &planes[2]], &mut to);
                to
            };
            assert_eq!(interleaved(kernels), interleaved(&portable::Portable), "{}", kernels.name());
        });
    }
}

#[test]
fn elementwise_add_and_multiply_match_portable() {
    for kernels in vector_sets() {
        on_random_numbers(200, |random| {
            // Some sets have another way for many bytes.
            let max = if random.up_to(3) == 0 { sized(2000, 100) } else { 100 };
            let count = random.up_to(max);
            let (a, b) = (random.bytes(count), random.bytes(count));
            let OutputStage::Byte { min, max, .. } = random.output_stage() else { unreachable!("bytes") };
            let offset = |random: &mut Random| if random.up_to(1) == 0 { 0 } else { 128 };
            let rule = AddRule {
                input_offsets: [offset(random), offset(random)],
                scale_ratios: [random.scale() * 2.0, random.scale() * 2.0],
                addend: random.up_to(600) as f32 / 3.0 - 100.0,
                output_offset: offset(random),
                min,
                max,
            };
            let sum = |kernels: &dyn Kernels| {
                let mut to = vec![99; count];
                kernels.add(&rule, &a, &b, &mut to);
                to
            };
            assert_eq!(sum(kernels), sum(&portable::Portable), "{}", kernels.name());
            let zero_points = [random.byte(), random.byte()];
            let addend = random.up_to(255) as f32 - 128.0;
            let rule = MultiplyRule {
                zero_points,
                multiplier: random.scale(),
                addend,
                output_offset: offset(random),
                min,
                max,
            };
            let product = |kernels: &dyn Kernels| {
                let mut to = vec![99; count];
                kernels.multiply(&rule, &a, &b, &mut to);
                to
            };
            assert_eq!(product(kernels), product(&portable::Portable), "{}", kernels.name());
        });
    }
}

#[test]
fn quantize_and_lookup_match_portable() {
    for kernels in vector_sets() {
        on_random_numbers(200, |random| {
            let count = random.up_to(100);
            let (scale, zero_point) = (random.scale(), random.byte());
            // Among them are ties, numbers out of range, and NaN.
            let mut floats: Vec<f32> = (0..count).map(|_| (random.up_to(600) as f32 - 300.0) / 2.0 * scale).collect();
            for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE] {
                floats.extend([special, -special]);
            }
            let quantized = |kernels: &dyn Kernels| {
                let mut to = vec![99; floats.len()];
                kernels.quantize(&floats, scale, zero_point, &mut to);
                to
            };
            assert_eq!(quantized(kernels), quantized(&portable::Portable), "{}", kernels.name());
            let table: [u8; 256] = std::array::from_fn(|_| random.byte());
            let bytes = random.bytes(count);
            let found = |kernels: &dyn Kernels| {
                let mut to = vec![99; count];
                kernels.lookup(&table, &bytes, &mut to);
                to
            };
            assert_eq!(found(kernels), found(&portable::Portable), "{}", kernels.name());
        });
    }
}

#[test]
fn requantize_rounds_ties_to_even_and_clamps() {
    // Rounding is to nearest, ties to even (IEEE 754, 4.3.1). The zero point is added, and the byte is limited to the
    // minimum and maximum.
    for (value, zero_point, expected) in
        [(0.5, 10, 10), (1.5, 10, 12), (-0.5, 10, 10), (-1.5, 10, 8), (2.500_000_2, 0, 3), (1e9, 3, 255), (-1e9, 3, 0)]
    {
        assert_eq!(requantize(value, zero_point, 0, 255), expected, "{value} {zero_point}");
    }
    assert_eq!((requantize(-1e9, 3, 7, 9), requantize(1e9, 3, 7, 9), requantize(5.0, 3, 7, 9)), (7, 9, 8));
}

#[test]
fn fused_rounds_once() {
    for ratio in [0.993_421_6_f32, 0.003_921_569, 1.734_2, 1.0 / 3.0] {
        for addend in [-117.394_52_f32, 0.5, 128.0, 1.0e-3] {
            for number in -128..=255_i16 {
                let number = f32::from(number);
                assert_eq!(
                    fused(number, ratio, addend).to_bits(),
                    number.mul_add(ratio, addend).to_bits(),
                    "{number} {ratio} {addend}"
                );
            }
        }
    }
}

#[test]
fn gemm_of_long_rows_matches_portable() {
    for kernels in vector_sets() {
        let random = &mut Random::new(vec![], 7);
        let (rows, columns, count) = (3, sized(9_001, 901), 6);
        let (weights, bias) = (random.weights(rows * columns), random.biases(rows));
        let (multipliers, output_stage) = (random.multipliers(rows, columns), random.output_stage());
        let matrix = Matrix {
            rows,
            columns,
            zero_point: 0,
            weights: &weights,
            bias: &bias,
            multipliers: &multipliers,
            output_stage: &output_stage,
        };
        let from = random.bytes(count * columns + TAIL_PADDING);
        let bytes = |kernels: &dyn Kernels| {
            let mut to = vec![99; count * rows];
            kernels.gemm(&matrix).bytes(&from, columns, count, &mut to, rows);
            to
        };
        assert_eq!(bytes(kernels), bytes(&portable::Portable), "{}", kernels.name());
    }
}

/// Weights and bytes are extreme, so that the minimum weight meets the minimum byte in all positions: the sum of two
/// such products of signed bytes exceeds 16 bits.
#[test]
fn gemm_of_extreme_weights_and_bytes_matches_portable() {
    for kernels in vector_sets() {
        on_random_numbers(40, |random| {
            let (rows, columns, count, zero_point) = (16, 24, 5, random.byte());
            let weights: Vec<i16> = (0..rows * columns).map(|_| [-128, 127][random.up_to(1)]).collect();
            let from: Vec<u8> = (0..count * columns + TAIL_PADDING).map(|_| [0, 255][random.up_to(1)]).collect();
            let (bias, multipliers) = (vec![0; rows], vec![1e-4; rows]);
            let output_stage = OutputStage::Byte { zero_point: 128, min: 0, max: 255, table: None };
            let matrix = Matrix {
                rows,
                columns,
                zero_point,
                weights: &weights,
                bias: &bias,
                multipliers: &multipliers,
                output_stage: &output_stage,
            };
            let bytes = |kernels: &dyn Kernels| {
                let mut to = vec![99; count * rows];
                kernels.gemm(&matrix).bytes(&from, columns, count, &mut to, rows);
                to
            };
            assert_eq!(bytes(kernels), bytes(&portable::Portable), "{}", kernels.name());
        });
    }
}

/// Weights have 8 bits, so that each set goes along lines by columns wherever it can. With 50 channels, one has the
/// weight -128, for which a set may compute its tile of channels tap by tap.
#[test]
fn depthwise_matches_portable_at_both_ends_of_lines() {
    let shapes = [3, 5].into_iter().flat_map(|side| {
        (1..=11)
            .chain([70])
            .flat_map(move |width| (1..=2).flat_map(move |stride| (0..=2).map(move |pad| (side, width, stride, pad))))
    });
    let under_miri = [(9, 1, 1), (6, 2, 2)];
    let shapes = shapes.filter(|&(_, width, stride, pad)| !cfg!(miri) || under_miri.contains(&(width, stride, pad)));
    for ((side, width, stride, pad), kernels) in
        shapes.flat_map(|shape| vector_sets().into_iter().map(move |set| (shape, set)))
    {
        // Weights that are small enough for three products to be added in 16 bits, for two products, and fewer channels
        // than a tile.
        for (channels, max) in [(24, 40), (50, 127), (24, 127), (5, 127)].into_iter().take(sized(4, 2)) {
            let random = &mut Random::new(vec![], width as u64 * 31 + pad as u64);
            let height = side;
            let window = Window { kernel: [side; 2], stride: [1, stride], dilation: [1, 1], pad: [1, pad] };
            let weight = |random: &mut Random| random.up_to(2 * max) as i16 - max as i16;
            let mut weights: Vec<i16> = (0..channels * side * side).map(|_| weight(random)).collect();
            if channels > 24 {
                weights[20 * side * side] = -128;
            }
            let bytes: Vec<u8> =
                (0..height * width * channels + TAIL_PADDING).map(|_| [0, 255, 7][random.up_to(2)]).collect();
            let (bias, multipliers) = (random.biases(channels), vec![3e-3; channels]);
            let output_stage = OutputStage::Byte { zero_point: 128, min: 0, max: 255, table: None };
            let depthwise_weights = DepthwiseWeights {
                channels,
                taps: side * side,
                weights: &weights,
                bias: &bias,
                multipliers: &multipliers,
                output_stage: &output_stage,
            };
            let padding = vec![100; channels + TAIL_PADDING];
            let input = DepthwiseInput { bytes: &bytes, height, width, padding: &padding };
            let line = |kernels: &dyn Kernels, y: usize| {
                let mut to = vec![99; (width + pad) * channels + GUARD];
                kernels.depthwise(&depthwise_weights, &window).row(&input, y, &mut to[..(width + pad) * channels]);
                to
            };
            for y in 0..sized(side, 1) {
                let shape =
                    format!("{}, {side} by {side} over {width}, stride {stride}, pad {pad}, line {y}", kernels.name());
                assert_eq!(line(kernels, y), line(&portable::Portable, y), "{shape}");
            }
        }
    }
}

/// Whether a call panics.
fn panics(call: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

/// A length or stride that is too large: twice this number overflows a `usize`.
const TOO_LARGE: usize = usize::MAX / 2 + 1;

#[test]
fn gemm_panics_on_arguments_out_of_bounds() {
    let (rows, columns, lines, pixels) = (9, 21, 2, 3);
    let (weights, bias, multipliers) = (vec![1; rows * columns], vec![0; rows], vec![1e-3; rows]);
    let byte = OutputStage::Byte { zero_point: 0, min: 0, max: 255, table: None };
    let matrix = |output_stage| Matrix {
        rows,
        columns,
        zero_point: 0,
        weights: &weights,
        bias: &bias,
        multipliers: &multipliers,
        output_stage,
    };
    // The minimum lengths by the contract: up to the last row's columns and the tail padding, and the last row's
    // outputs.
    let (from, to) =
        (((lines - 1) * 100 + (pixels - 1) * 30 + columns + TAIL_PADDING), (lines * pixels - 1) * 11 + rows);
    let valid = Lines { count: lines, stride: 100, pixels, step: 30 };
    for kernels in available() {
        let name = kernels.name();
        let (bytes, floats) = (kernels.gemm(&matrix(&byte)), kernels.gemm(&matrix(&OutputStage::Float)));
        let as_lines = |from: usize, lines: Lines, to: usize, to_stride: usize| {
            panics(|| bytes.lines(&vec![1; from], lines, &mut vec![0; to], to_stride))
        };
        assert!(!as_lines(from, valid, to, 11), "{name}");
        assert!(as_lines(from - 1, valid, to, 11) && as_lines(from, valid, to - 1, 11), "{name}");
        assert!(as_lines(from, Lines { stride: TOO_LARGE, count: 3, ..valid }, 1000, 11), "{name}");
        assert!(as_lines(from, Lines { step: TOO_LARGE, ..valid }, to, 11), "{name}");
        assert!(as_lines(from, valid, to, TOO_LARGE), "{name}");
        // A line may start where the last row of its predecessor starts, and no earlier.
        assert!(!as_lines(from, Lines { stride: 60, ..valid }, to, 11), "{name}");
        assert!(as_lines(from, Lines { stride: 59, ..valid }, to, 11), "{name}");
        assert!(!as_lines(from, Lines { stride: 0, count: 1, ..valid }, to, 11), "{name}");
        for as_floats in [false, true] {
            let call = |from: usize, stride: usize, to: usize, to_stride: usize| {
                let from = vec![1; from];
                panics(|| {
                    if as_floats {
                        floats.floats(&from, stride, 3, &mut vec![0.0; to], to_stride);
                    } else {
                        bytes.bytes(&from, stride, 3, &mut vec![0; to], to_stride);
                    }
                })
            };
            let (from, to) = (2 * 30 + columns + TAIL_PADDING, 2 * 11 + rows);
            assert!(!call(from, 30, to, 11), "{name}");
            assert!(call(from - 1, 30, to, 11) && call(from, 30, to - 1, 11), "{name}, floats: {as_floats}");
            assert!(call(from, TOO_LARGE, to, 11) && call(from, 30, to, TOO_LARGE), "{name}, floats: {as_floats}");
        }
        let offsets: Vec<u32> = (0..columns.div_ceil(4)).map(|group| group as u32 * 40).collect();
        // The minimum length: up to four bytes from the last offset on, and no tail padding.
        let from = (lines - 1) * 100 + (pixels - 1) * 30 + 5 * 40 + 4;
        if let Some(gemm) = kernels.indirect_gemm(&matrix(&byte), &offsets) {
            let call = |from: usize| panics(|| gemm.lines(&vec![1; from], valid, &mut vec![0; to], 11));
            assert!(!call(from) && call(from - 1), "{name}");
        }
        let pack_indirect =
            |matrix: Matrix<'_>, offsets: &[u32]| panics(|| drop(kernels.indirect_gemm(&matrix, offsets)));
        assert!(!pack_indirect(matrix(&byte), &offsets) && pack_indirect(matrix(&byte), &offsets[1..]), "{name}");
        assert!(pack_indirect(Matrix { weights: &weights[1..], ..matrix(&byte) }, &offsets), "{name}");
        let pack = |matrix: Matrix<'_>| panics(|| drop(kernels.gemm(&matrix)));
        assert!(pack(Matrix { weights: &weights[1..], ..matrix(&byte) }), "{name}");
        assert!(pack(Matrix { bias: &bias[1..], ..matrix(&byte) }), "{name}");
        assert!(pack(Matrix { multipliers: &multipliers[1..], ..matrix(&byte) }), "{name}");
        assert!(pack(Matrix { columns: 0, weights: &[], ..matrix(&byte) }), "{name}");
    }
}

#[test]
fn depthwise_panics_on_arguments_out_of_bounds() {
    // Kernels that go by columns, 5×5 kernels, which some sets implement separately, another kernel, and few channels.
    for (kernel, channels) in [([3, 3], 40), ([5, 5], 40), ([2, 4], 40), ([3, 3], 5)] {
        let taps = kernel[0] * kernel[1];
        let (weights, bias, multipliers) = (vec![1; channels * taps], vec![0; channels], vec![1e-3; channels]);
        let output_stage = OutputStage::Byte { zero_point: 0, min: 0, max: 255, table: None };
        let valid_weights = || DepthwiseWeights {
            channels,
            taps,
            weights: &weights,
            bias: &bias,
            multipliers: &multipliers,
            output_stage: &output_stage,
        };
        let window = Window { kernel, stride: [1; 2], dilation: [1; 2], pad: [1; 2] };
        let (height, width) = (4, 7);
        let bytes = vec![1; height * width * channels + TAIL_PADDING];
        let padding = vec![1; channels + TAIL_PADDING];
        let valid = DepthwiseInput { bytes: &bytes, height, width, padding: &padding };
        for kernels in available() {
            let name = kernels.name();
            let row = |input: DepthwiseInput<'_>, y: usize, length: usize| {
                let depthwise = kernels.depthwise(&valid_weights(), &window);
                panics(|| depthwise.row(&input, y, &mut vec![0; length]))
            };
            assert!(!row(valid, 1, 6 * channels), "{name}, {kernel:?}");
            assert!(row(DepthwiseInput { bytes: &bytes[1..], ..valid }, 1, 6 * channels), "{name}, {kernel:?}");
            assert!(row(DepthwiseInput { padding: &padding[1..], ..valid }, 1, 6 * channels), "{name}, {kernel:?}");
            assert!(row(DepthwiseInput { height: TOO_LARGE, ..valid }, 1, 6 * channels), "{name}, {kernel:?}");
            assert!(row(valid, TOO_LARGE, 6 * channels) && row(valid, 1, 6 * channels - 1), "{name}, {kernel:?}");
            let padded = Window { pad: [1, TOO_LARGE], ..window.clone() };
            let depthwise = kernels.depthwise(&valid_weights(), &padded);
            assert!(panics(|| depthwise.row(&valid, 1, &mut vec![0; channels])), "{name}, {kernel:?}");
            let pack =
                |weights: DepthwiseWeights<'_>, window: &Window| panics(|| drop(kernels.depthwise(&weights, window)));
            assert!(
                pack(DepthwiseWeights { weights: &weights[1..], ..valid_weights() }, &window),
                "{name}, {kernel:?}"
            );
            assert!(pack(DepthwiseWeights { bias: &bias[1..], ..valid_weights() }, &window), "{name}, {kernel:?}");
            assert!(
                pack(DepthwiseWeights { multipliers: &multipliers[1..], ..valid_weights() }, &window),
                "{name}, {kernel:?}"
            );
            let other_kernel = Window { kernel: [kernel[0] + 1, kernel[1]], ..window.clone() };
            assert!(pack(valid_weights(), &other_kernel), "{name}, {kernel:?}");
            assert!(pack(valid_weights(), &Window { stride: [1, 0], ..window.clone() }), "{name}, {kernel:?}");
        }
    }
}

#[test]
fn kernels_panic_on_mismatched_lengths() {
    let add =
        AddRule { input_offsets: [0; 2], scale_ratios: [0.5; 2], addend: 0.0, output_offset: 0, min: 0, max: 255 };
    let multiply =
        MultiplyRule { zero_points: [0; 2], multiplier: 0.01, addend: 0.0, output_offset: 0, min: 0, max: 255 };
    let bytes = [1; 200];
    // A length that vectors fill, and one with a remainder.
    for (length, kernels) in
        [96, 99].into_iter().flat_map(|length| available().into_iter().map(move |set| (length, set)))
    {
        let name = kernels.name();
        let mut to = vec![0; length];
        // Too short by one byte, and by as many bytes as the widest kernels take at a time.
        for short in [length - 1, length - 64] {
            for (a, b) in [(short, length), (length, short)] {
                assert!(panics(|| kernels.add(&add, &bytes[..a], &bytes[..b], &mut to)), "{name}");
                assert!(panics(|| kernels.multiply(&multiply, &bytes[..a], &bytes[..b], &mut to)), "{name}");
            }
            assert!(panics(|| kernels.quantize(&vec![1.0; short], 1.0, 0, &mut to)), "{name}");
            assert!(panics(|| kernels.lookup(&[0; 256], &bytes[..short], &mut to)), "{name}");
        }
        let plane = &bytes[..length / 3];
        assert!(!panics(|| kernels.interleave([plane; 3], &mut to)), "{name}");
        assert!(panics(|| kernels.interleave([plane, plane, &plane[1..]], &mut to)), "{name}");
        let mut sums = vec![0; length];
        assert!(!panics(|| kernels.sum_rows(&bytes[..length + 50], 50, 2, &mut sums)), "{name}");
        assert!(panics(|| kernels.sum_rows(&bytes[..length + 49], 50, 2, &mut sums)), "{name}");
        assert!(panics(|| kernels.sum_rows(&bytes, TOO_LARGE, 3, &mut sums)), "{name}");
    }
}
