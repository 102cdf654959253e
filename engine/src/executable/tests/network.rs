//! A network with the shapes of `MobileNetV2` and made-up weights. Its outputs must be equal for all kernels, threads
//! and forms of input, and its instructions and times can be measured without tract.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{available_parallelism, scope};
use std::time::{Duration, Instant};

use crate::arithmetic::{AddRule, OutputStage, Window};
use crate::engine::Tapped;
use crate::executable::{Executable, InputView};
use crate::kernels;
use crate::pixels::{Layout, Pixels};
use crate::program::{
    Add, Convolution, Element, Pooling, PoolingKind, Program, Quantize, Step, Tap, TensorId, TensorType,
    UncheckedProgram,
};
use crate::signature::TapKind;
use crate::tensor::Tensor;
use crate::threads::Threads;

/// The expansion, output channels, repetitions and stride of each group of blocks: table 2 of Sandler et al., 2018.
const GROUPS: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// How many of the groups the network has, and by what its channels are divided. It is smaller under miri, which takes
/// a thousand times as long.
const DEPTH: usize = if cfg!(miri) { 3 } else { GROUPS.len() };
const THINNER: usize = if cfg!(miri) { 16 } else { 1 };

/// Builds a program step by step.
struct Builder {
    program: UncheckedProgram,
    seed: u64,
}

impl Builder {
    /// A pseudorandom number of 31 bits, the same in each run (Knuth's MMIX generator).
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }

    /// A weight from -127 to 127. Small magnitudes are more frequent, as in trained networks.
    fn weight(&mut self) -> i16 {
        let sum: i64 = (0..4).map(|_| (self.random() % 101) as i64 - 50).sum();
        sum.clamp(-127, 127) as i16
    }

    /// Adds a tensor.
    fn tensor(&mut self, element: Element, shape: [usize; 4]) -> TensorId {
        self.program.tensors.push(TensorType { element, shape });
        self.program.names.push(String::new());
        TensorId(self.program.tensors.len() - 1)
    }

    fn shape(&self, tensor: TensorId) -> [usize; 4] {
        self.program.tensors[tensor.0].shape
    }

    /// Adds a convolution with "same" padding and a square kernel of this side and stride. Its output has `zero_point`,
    /// 0 with a `Relu` and 128 without one; None makes it floats. The zero point of its input is 128 if `zero_point` is
    /// 0, else 0.
    fn convolution(
        &mut self,
        from: TensorId,
        outputs: usize,
        (side, stride, depthwise): (usize, usize, bool),
        zero_point: Option<u8>,
    ) -> TensorId {
        let [_, height, width, inputs] = self.shape(from);
        let columns = side * side * if depthwise { 1 } else { inputs };
        let shape = [1, height.div_ceil(stride), width.div_ceil(stride), outputs];
        let to = self.tensor(if zero_point.is_some() { Element::Byte } else { Element::Float }, shape);
        let usual = 1.0 / (60.0 * (columns as f32).sqrt());
        let step = Convolution {
            from,
            to,
            zero_point: if zero_point == Some(0) { 128 } else { 0 },
            window: Window { kernel: [side; 2], stride: [stride; 2], dilation: [1; 2], pad: [side / 2; 2] },
            groups: if depthwise { inputs } else { 1 },
            weights: (0..outputs * columns).map(|_| self.weight()).collect(),
            bias: (0..outputs).map(|_| (self.random() % 2001) as i32 - 1000).collect(),
            multipliers: (0..outputs).map(|_| usual * (1.0 + (self.random() % 100) as f32 / 100.0)).collect(),
            output_stage: zero_point.map_or(OutputStage::Float, |zero_point| OutputStage::Byte {
                zero_point,
                min: 0,
                max: 255,
                table: None,
            }),
        };
        self.program.steps.push(Step::Convolution(step));
        to
    }

    /// Adds the sum of two tensors of one shape.
    fn sum(&mut self, a: TensorId, b: TensorId) -> TensorId {
        let to = self.tensor(Element::Byte, self.shape(a));
        let rule = AddRule {
            input_offsets: [0; 2],
            scale_ratios: [0.7, 0.6],
            addend: -38.4,
            output_offset: 0,
            min: 0,
            max: 255,
        };
        self.program.steps.push(Step::Add(Add { from: [a, b], to, rule }));
        to
    }

    /// The network for an input of `side` × `side` pixels, channels first.
    fn network(mut self, side: usize) -> Program {
        let input = self.tensor(Element::Float, [1, 1, 1, 3 * side * side]);
        self.program.inputs = vec![input];
        let image = self.tensor(Element::Byte, [1, side, side, 3]);
        let strides = [3 * side * side, side, 1, side * side];
        self.program.steps.push(Step::Quantize(Quantize {
            from: input,
            to: image,
            strides,
            scale: 0.02,
            zero_point: 114,
        }));
        let mut last = self.convolution(image, 32 / THINNER, (3, 2, false), Some(0));
        for (expansion, outputs, repetitions, stride) in GROUPS.into_iter().take(DEPTH) {
            let outputs = outputs / THINNER;
            for repetition in 0..repetitions {
                let inputs = self.shape(last)[3];
                let expanded = if expansion == 1 {
                    last
                } else {
                    self.convolution(last, inputs * expansion, (1, 1, false), Some(0))
                };
                let stride = if repetition == 0 { stride } else { 1 };
                let filtered = self.convolution(expanded, inputs * expansion, (3, stride, true), Some(0));
                let projected = self.convolution(filtered, outputs, (1, 1, false), Some(128));
                last = if repetition == 0 { projected } else { self.sum(last, projected) };
            }
        }
        let features = self.convolution(last, 1280 / THINNER, (1, 1, false), Some(0));
        let [_, height, width, _] = self.shape(features);
        let pooled = self.tensor(Element::Byte, [1, 1, 1, 1280 / THINNER]);
        let window = Window { kernel: [height, width], stride: [1; 2], dilation: [1; 2], pad: [0; 2] };
        let output_stage = OutputStage::Byte { zero_point: 0, min: 0, max: 255, table: None };
        let kind = PoolingKind::Mean {
            zero_point: 0,
            input_scale: 1.5,
            output_scale: 1.0,
            count_include_pad: true,
            output_stage,
        };
        self.program.steps.push(Step::Pooling(Pooling { from: features, to: pooled, window, kind }));
        let scores = self.convolution(pooled, 3, (1, 1, false), None);
        self.program.outputs.push((scores, vec![1, 3]));
        self.program.check().expect("sound")
    }
}

/// The network for inputs of shape 1 × 3 × `side` × `side`, and an input.
pub(crate) fn network(side: usize) -> (Program, Tensor) {
    let program = Builder { program: UncheckedProgram::default(), seed: 1 }.network(side);
    let value = |at: usize| (((at * at / 7 + at * 5) % 17) as f32 - 8.0) / 4.0;
    let input = Tensor::f32(vec![1, 3, side, side], (0..3 * side * side).map(value).collect()).expect("it fits");
    (program, input)
}

fn run(executable: &Executable, input: &Tensor) -> Vec<Tensor> {
    executable.run(&[InputView::of(input)], &AtomicBool::new(false), || {}).expect("it runs")
}

/// The sides of the inputs, the maximum number of threads, and the runs of each concurrent caller. They are lower under
/// miri.
const LARGE: usize = if cfg!(miri) { 8 } else { 56 };
const SMALL: usize = if cfg!(miri) { 8 } else { 32 };
const MAX_THREADS: usize = if cfg!(miri) { 3 } else { 4 };
const ROUNDS: usize = if cfg!(miri) { 2 } else { 20 };

#[test]
fn network_outputs_are_equal_for_all_kernels() {
    let (program, input) = network(LARGE);
    let sets = kernels::available();
    let outputs = |kernels| run(&Executable::new(&program, kernels, Threads::new(1)), &input);
    let expected = outputs(sets[0]);
    for kernels in &sets[1..] {
        assert_eq!(outputs(*kernels), expected, "{}", kernels.name());
    }
}

#[test]
fn network_outputs_are_equal_on_any_number_of_threads() {
    let (program, input) = network(LARGE);
    let expected = run(&Executable::new(&program, kernels::portable(), Threads::new(1)), &input);
    for kernels in kernels::available() {
        for count in 2..=MAX_THREADS {
            // The second runs steps as small as these are under miri on one thread.
            for threads in [Threads::eager(count), Threads::new(count)].into_iter().take(if cfg!(miri) { 1 } else { 2 })
            {
                let executable = Executable::new(&program, kernels, threads);
                // Twice: the second run uses the workspace of the first, with its contents.
                for _ in 0..2 {
                    assert_eq!(run(&executable, &input), expected, "{}, {count} threads", kernels.name());
                }
            }
        }
    }
}

#[test]
fn pixels_give_the_outputs_of_their_tensor() {
    let (program, input) = network(SMALL);
    let bytes: Vec<u8> = (0..3 * SMALL * SMALL).map(|at| (at * 31 % 251) as u8).collect();
    let alike = [std::array::from_fn(|byte| byte as f32 / 50.0 - 2.0); 3];
    let different = [40.0, 60.0, 90.0].map(|divisor| std::array::from_fn(|byte| byte as f32 / divisor - 2.0));
    for values in [alike, different] {
        let pixels = Pixels { bytes: &bytes, channels: 3, values: Some(&values), layout: Layout::Nchw };
        let tensor = pixels.tensor(input.shape().to_vec()).expect("as many as the network takes");
        for kernels in kernels::available() {
            for count in 1..MAX_THREADS {
                let executable = Executable::new(&program, kernels, Threads::eager(count));
                assert!(executable.accepts(&pixels) && !executable.accepts(&Pixels { layout: Layout::Nhwc, ..pixels }));
                let found =
                    executable.run(&[InputView::Pixels(pixels)], &AtomicBool::new(false), || {}).expect("it runs");
                assert_eq!(found, run(&executable, &tensor), "{}, {count} threads", kernels.name());
            }
        }
    }
}

#[test]
fn concurrent_runs_give_equal_outputs() {
    let (program, input) = network(SMALL);
    let kernels = kernels::available().pop().expect("the portable set at least");
    let expected = run(&Executable::new(&program, kernels, Threads::new(1)), &input);
    let executables = [2, 3].map(|count| Executable::new(&program, kernels, Threads::eager(count)));
    std::thread::scope(|threads| {
        for executable in executables.iter().cycle().take(4) {
            threads.spawn(|| (0..ROUNDS).for_each(|_| assert_eq!(run(executable, &input), expected)));
        }
    });
}

#[test]
fn pixels_replace_the_input_of_the_first_quantization_only() {
    // The input is quantized, its mean is computed as floats, and the mean is quantized too.
    let kind = |element, shape| TensorType { element, shape };
    let quantize = |[from, to]: [usize; 2], strides, scale| {
        Step::Quantize(Quantize { from: TensorId(from), to: TensorId(to), strides, scale, zero_point: 40 })
    };
    let window = Window { kernel: [2; 2], stride: [1; 2], dilation: [1; 2], pad: [0; 2] };
    let mean = PoolingKind::Mean {
        zero_point: 40,
        input_scale: 0.1,
        output_scale: 1.0,
        count_include_pad: true,
        output_stage: OutputStage::Float,
    };
    let program = UncheckedProgram {
        tensors: vec![
            kind(Element::Float, [1, 3, 2, 2]),
            kind(Element::Byte, [1, 2, 2, 3]),
            kind(Element::Float, [1, 1, 1, 3]),
            kind(Element::Byte, [1, 1, 1, 3]),
        ],
        names: vec![String::new(); 4],
        inputs: vec![TensorId(0)],
        outputs: vec![(TensorId(3), vec![1, 3])],
        taps: vec![],
        steps: vec![
            quantize([0, 1], [12, 2, 1, 4], 0.1),
            Step::Pooling(Pooling { from: TensorId(1), to: TensorId(2), window, kind: mean }),
            quantize([2, 3], [3, 3, 3, 1], 0.01),
        ],
    };
    let program = program.check().expect("sound");
    let values = [std::array::from_fn(|byte| byte as f32 / 100.0); 3];
    let bytes = [10, 200, 30, 40, 50, 60, 250, 80, 90, 100, 0, 255];
    let pixels = Pixels { bytes: &bytes, channels: 3, values: Some(&values), layout: Layout::Nchw };
    let executable = Executable::new(&program, kernels::portable(), Threads::new(1));
    assert!(executable.accepts(&pixels));
    let found = executable.run(&[InputView::Pixels(pixels)], &AtomicBool::new(false), || {}).expect("it runs");
    let tensor = pixels.tensor(vec![1, 3, 2, 2]).expect("twelve values");
    assert_eq!(found, run(&executable, &tensor));
}

#[test]
fn executable_keeps_one_workspace_for_each_processor() {
    let (program, input) = network(32);
    let executable = Executable::new(&program, kernels::portable(), Threads::new(1));
    let processors = available_parallelism().expect("this system counts them").get();
    let (runs, ended) = (processors + 3, AtomicUsize::new(0));
    let all_run = Barrier::new(runs);
    scope(|threads| {
        for _ in 0..runs {
            threads.spawn(|| {
                let mut waited = false;
                let wait = || {
                    if !std::mem::replace(&mut waited, true) {
                        all_run.wait();
                    }
                };
                executable.run(&[InputView::of(&input)], &AtomicBool::new(false), wait).expect("it runs");
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(ended.into_inner(), runs);
    assert_eq!(executable.kept(), processors);
}

/// The whole number in an environment variable, or 1.
fn number(name: &str) -> usize {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(1)
}

#[test]
#[ignore = "a measurement: run to count instructions; BEDSIDE_RUNS is the number of runs"]
fn measure_instructions_of_the_network() {
    let (program, input) = network(224);
    let kernels = kernels::chosen().expect("a set that there is").expect("kernels for this processor");
    let executable = Executable::new(&program, kernels, Threads::new(1));
    for _ in 0..number("BEDSIDE_RUNS") {
        run(&executable, &input);
    }
}

/// The taps of [`measure_instructions_of_taps`]: the means of the pooled features, of a block's output of 64 × 14 × 14 and
/// of the last features, 1280 × 7 × 7, and the values of the latter.
fn with_taps(program: Program) -> Program {
    let mut unchecked = UncheckedProgram::clone(&program);
    let last = |shape| unchecked.tensors.iter().rposition(|kind| kind.shape == shape).expect("it has one");
    let tap = |shape: [usize; 4], kind| {
        let [batch, height, width, channels] = shape;
        let of_graph = if height == 1 { vec![batch, channels] } else { vec![batch, channels, height, width] };
        Tap { tensor: TensorId(last(shape)), shape: of_graph, scale: 0.1, zero_point: 3, kind }
    };
    let (features, means) = ([1, 7, 7, 1280], TapKind::Means);
    let taps = [
        tap([1, 1, 1, 1280], means),
        tap([1, 14, 14, 64], means),
        tap(features, means),
        tap(features, TapKind::Values),
    ];
    unchecked.taps = taps.to_vec();
    unchecked.check().expect("sound")
}

#[test]
#[ignore = "a measurement: run to count instructions; BEDSIDE_TAP is the number of a tap, of which 4 and more are none"]
fn measure_instructions_of_taps() {
    let (program, input) = network(224);
    let kernels = kernels::chosen().expect("a set that there is").expect("kernels for this processor");
    let executable = Executable::new(&with_taps(program), kernels, Threads::new(1));
    let selection: Vec<usize> = (0..4).filter(|&tap| tap == number("BEDSIDE_TAP")).collect();
    let (input, mut results) = ([InputView::of(&input)], Tapped::default());
    for _ in 0..number("BEDSIDE_RUNS") {
        executable.run_into(&input, &selection, &AtomicBool::new(false), &mut results, || {}).expect("it runs");
    }
}

#[test]
#[ignore = "a measurement: times on one thread and on BEDSIDE_THREADS, ten runs of each in turn, BEDSIDE_RUNS times"]
fn measure_step_times_on_threads() {
    let (program, input) = network(224);
    let kernels = kernels::chosen().expect("a set that there is").expect("kernels for this processor");
    let executables =
        [1, number("BEDSIDE_THREADS")].map(|count| Executable::new(&program, kernels, Threads::new(count)));
    let mut min = vec![[Duration::MAX; 2]; executables[0].descriptions().len() + 1];
    for (which, executable) in (0..20 * number("BEDSIDE_RUNS")).map(|run| (run / 10 % 2, &executables[run / 10 % 2])) {
        let (mut ends, start) = (vec![Instant::now()], Instant::now());
        let done = || ends.push(Instant::now());
        executable.run(&[InputView::of(&input)], &AtomicBool::new(false), done).expect("it runs");
        let steps = ends.windows(2).map(|ends| ends[1] - ends[0]);
        for (min, time) in min.iter_mut().zip(steps.chain([start.elapsed()])) {
            min[which] = min[which].min(time);
        }
    }
    let names = executables[0].descriptions().iter().map(|step| format!("{} {:?}", step.operation, step.shape));
    for ([one, several], name) in min.iter().zip(names.chain(["all".into()])) {
        println!("{:8.1} {:8.1} µs  {name}", one.as_secs_f64() * 1e6, several.as_secs_f64() * 1e6);
    }
}
