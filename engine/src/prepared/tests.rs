//! Prepared models are read as they were written, and damaged or unsound ones are errors. The checks of programs are
//! tested here too, on a program with steps of all kinds.

use std::sync::atomic::AtomicBool;

use super::write::{self, sealed};
use super::*;
use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::executable::tests::network::network;
use crate::kernels::available;
use crate::program::Element::{Byte, Float};
use crate::program::{
    Add, Convolution, Fill, Lookup, Multiply, Pooling, PoolingKind, Quantize, Step, StridedCopy, Table, TensorType,
    UncheckedProgram, dense_strides,
};
use crate::{Engine, Input, Tensor, program};

fn signature(shape: &[usize]) -> Signature {
    Signature { input: "picture".into(), shape: shape.to_vec(), outputs: vec!["scores".into()], taps: vec![] }
}

/// The taps of a program, named by their numbers.
fn taps(program: &Program) -> Vec<Tap> {
    program.taps.iter().enumerate().map(|(at, tap)| Tap { name: format!("tap {at}"), kind: tap.kind }).collect()
}

fn prepared(program: Program, shape: &[usize]) -> Prepared {
    with_head(program, shape, Err("none is wanted".into())).expect("a sound program")
}

fn with_head(program: Program, shape: &[usize], head: Result<PreparedHead, String>) -> Result<Prepared, Problem> {
    let metadata = vec![("bedside".to_owned(), "{}".to_owned())];
    let signature = Signature { taps: taps(&program), ..signature(shape) };
    Prepared::of_program(program, [7; 32], metadata, &signature, vec![Ending::Softmax], vec![head])
}

/// A head of the last convolution of [`unchecked`].
fn head() -> PreparedHead {
    PreparedHead {
        features: "features".into(),
        pooled: "pooled".into(),
        initializer: "weights".into(),
        step: 15,
        scales: vec![0.5, 0.25, 2.0],
        bias: vec![-1.0, 0.0, 3.5],
    }
}

/// The tensors of [`unchecked`].
const TENSORS: [(Element, [usize; 4]); 16] = [
    (Float, [1, 1, 1, 48]),
    (Byte, [1, 4, 4, 3]),
    (Byte, [1, 4, 4, 4]),
    (Byte, [1, 4, 4, 4]),
    (Byte, [1, 4, 4, 4]),
    (Byte, [1, 6, 6, 4]),
    (Byte, [1, 4, 4, 4]),
    (Byte, [1, 4, 4, 4]),
    (Byte, [1, 4, 4, 8]),
    (Byte, [1, 1, 1, 8]),
    (Byte, [1, 1, 1, 4]),
    (Byte, [1, 4, 4, 4]),
    (Byte, [1, 4, 4, 4]),
    (Byte, [1, 1, 1, 4]),
    (Float, [1, 1, 1, 3]),
    (Float, [1, 1, 1, 8]),
];

fn window(side: usize, pad: usize) -> Window {
    Window { kernel: [side; 2], stride: [1; 2], dilation: [1; 2], pad: [pad; 2] }
}

/// A convolution between two of [`TENSORS`], with made-up weights from `-max / 2` to `max / 2`. With a `max` above 256
/// they do not fit `i8`.
fn convolution(tensors: [TensorId; 2], window: Window, groups: usize, max: i16, output_stage: OutputStage) -> Step {
    let [(_, [.., inputs]), (_, [.., outputs])] = tensors.map(|id| TENSORS[id.0]);
    let count = outputs * window.kernel[0] * window.kernel[1] * inputs / groups;
    let weights = (0..count as i16).map(|at| at * 37 % max - max / 2).collect();
    let (bias, multipliers) = ((0..outputs as i32).map(|at| at * 100 - 150).collect(), vec![0.01; outputs]);
    let [from, to] = tensors;
    Step::Convolution(Convolution {
        from,
        to,
        zero_point: 128,
        window,
        groups,
        weights,
        bias,
        multipliers,
        output_stage,
    })
}

/// A program with steps of all kinds, for an input of 4×4 pixels. Tests name its steps and tensors by their indices.
fn unchecked() -> UncheckedProgram {
    let id = TensorId;
    let byte = |flip: Option<u8>| OutputStage::Byte {
        zero_point: 9,
        min: 1,
        max: 250,
        table: flip.map(|flip| Box::new(std::array::from_fn(|at| at as u8 ^ flip))),
    };
    let (inner, outer) = (dense_strides([1, 4, 4, 4]), dense_strides([1, 6, 6, 4]));
    // One half of the channels of tensor 8.
    let half = |from, start| {
        let write = (start, dense_strides([1, 4, 4, 8]));
        Step::StridedCopy(StridedCopy { from, to: id(8), shape: [1, 4, 4, 4], read: (0, inner), write })
    };
    let inverted = Table::Bytes(Box::new(std::array::from_fn(|at| !at as u8)));
    let reals = Table::Floats(Box::new(std::array::from_fn(|at| at as f32 * 0.5 - 8.0)));
    let mean = PoolingKind::Mean {
        zero_point: 4,
        input_scale: 0.5,
        output_scale: 0.25,
        count_include_pad: true,
        output_stage: byte(None),
    };
    let product =
        MultiplyRule { zero_points: [3, 0], multiplier: 0.004, addend: 2.0, output_offset: 0, min: 0, max: 255 };
    let sum =
        AddRule { input_offsets: [0, 128], scale_ratios: [0.5, 0.25], addend: 3.0, output_offset: 7, min: 0, max: 255 };
    let steps = vec![
        Step::Quantize(Quantize { from: id(0), to: id(1), strides: [48, 4, 1, 16], scale: 0.1, zero_point: 100 }),
        convolution([id(1), id(2)], window(3, 1), 1, 60, byte(Some(3))),
        convolution([id(2), id(3)], window(3, 1), 4, 400, byte(None)),
        Step::Lookup(Lookup { from: id(3), to: id(4), table: inverted }),
        Step::Fill(Fill { to: id(5), value: 11 }),
        Step::StridedCopy(StridedCopy {
            from: id(4),
            to: id(5),
            shape: [1, 4, 4, 4],
            read: (0, inner),
            write: (28, outer),
        }),
        Step::Pooling(Pooling { from: id(5), to: id(6), window: window(3, 0), kind: PoolingKind::Max }),
        convolution([id(6), id(7)], window(1, 0), 2, 90, byte(None)),
        half(id(7), 0),
        half(id(6), 4),
        Step::Pooling(Pooling { from: id(8), to: id(9), window: window(4, 0), kind: mean }),
        convolution([id(9), id(10)], window(1, 0), 1, 70, byte(None)),
        Step::Multiply(Multiply { from: [id(2), id(10)], to: id(11), rule: product }),
        Step::Add(Add { from: [id(11), id(3)], to: id(12), rule: sum }),
        Step::Pooling(Pooling { from: id(12), to: id(13), window: window(4, 0), kind: PoolingKind::Max }),
        convolution([id(13), id(14)], window(1, 0), 1, 80, OutputStage::Float),
        Step::Lookup(Lookup { from: id(9), to: id(15), table: reals }),
    ];
    UncheckedProgram {
        tensors: TENSORS.iter().map(|&(element, shape)| TensorType { element, shape }).collect(),
        names: (0..TENSORS.len()).map(|number| format!("tensor {number}")).collect(),
        steps,
        inputs: vec![id(0)],
        outputs: vec![(id(14), vec![1, 3])],
        taps: vec![
            tap(8, vec![1, 8, 4, 4], TapKind::Values),
            tap(10, vec![1, 4], TapKind::Means),
            tap(8, vec![1, 8, 4, 4], TapKind::Means),
        ],
    }
}

/// A tap of a tensor of bytes.
fn tap(tensor: usize, shape: Vec<usize>, kind: TapKind) -> program::Tap {
    program::Tap { tensor: TensorId(tensor), shape, scale: 0.5, zero_point: 40, kind }
}

fn all_steps() -> Program {
    unchecked().check().expect("sound")
}

/// Asserts that two models are equal in everything that a file holds.
fn assert_same(one: &Prepared, other: &Prepared) {
    let (a, b) = (&one.program, &other.program);
    assert_eq!((&a.tensors, &a.names, &a.inputs, &a.outputs), (&b.tensors, &b.names, &b.inputs, &b.outputs));
    assert_eq!((&a.steps, &a.taps), (&b.steps, &b.taps));
    assert_eq!(
        (&one.sha256, &one.metadata, &one.input, &one.outputs, &one.taps),
        (&other.sha256, &other.metadata, &other.input, &other.outputs, &other.taps)
    );
}

#[test]
fn prepared_network_is_read_as_it_was_written() {
    const SIDE: usize = if cfg!(miri) { 8 } else { 56 };
    let (program, input) = network(SIDE);
    let before = prepared(program, &[1, 3, SIDE, SIDE]);
    let bytes = before.to_bytes();
    let weights = before.program.steps.iter().map(|step| match step {
        Step::Convolution(step) => step.weights.len() + 8 * step.bias.len(),
        _ => 0,
    });
    let weights: usize = weights.sum();
    assert!(bytes.len() < weights + weights / 100 + (16 << 10), "{} bytes for {weights} of weights", bytes.len());
    let after = Prepared::from_bytes(&bytes).expect("sound");
    assert_same(&before, &after);
    assert_eq!(after.sha256(), "07".repeat(32));
    assert_eq!(after.metadata("bedside"), Some("{}"));
    assert_eq!(after.inputs()[0].to_string(), format!("picture: float32[1, 3, {SIDE}, {SIDE}]"));
    assert_eq!(
        (after.outputs()[0].to_string().as_str(), after.ending("scores")),
        ("scores: float32[1, 3]", Ending::Softmax)
    );
    for kernels in available() {
        let run = |prepared: &Prepared| {
            let engine =
                Engine::prepared_for(kernels, prepared.clone(), &signature(&[1, 3, SIDE, SIDE]), 1).expect("its own");
            engine.run(&input).expect("it runs")
        };
        assert_eq!(run(&before), run(&after), "{}", kernels.name());
    }
}

#[test]
fn prepared_steps_of_all_kinds_are_read_as_they_were_written() {
    let before = with_head(all_steps(), &[1, 3, 4, 4], Ok(head())).expect("sound");
    let after = Prepared::from_bytes(&before.to_bytes()).expect("sound");
    assert_same(&before, &after);
    let signature = Signature { taps: after.taps(), ..signature(&[1, 3, 4, 4]) };
    let mut results = vec![];
    for kernels in available() {
        let engine = Engine::prepared_for(kernels, after.clone(), &signature, 1).expect("its own");
        assert_eq!(engine.tap_shapes(), [vec![1, 8, 4, 4], vec![1, 4], vec![1, 8]]);
        let with_taps = engine.run_tapped(&AtomicBool::new(false), Input::Tensor(&input()), &[2, 0, 1]);
        let (plain, with_taps) = (engine.run(&input()).expect("it runs"), with_taps.expect("it runs"));
        assert_eq!(plain, with_taps.outputs, "{}", kernels.name());
        // Results of another selection are overwritten.
        let mut used = engine.run_tapped(&AtomicBool::new(false), Input::Tensor(&input()), &[0]).expect("it runs");
        engine.run_into(&AtomicBool::new(false), Input::Tensor(&input()), &[2, 0, 1], &mut used).expect("it runs");
        assert_eq!(used, with_taps, "{}", kernels.name());
        results.push(with_taps);
    }
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
    // The means of the second tap are those of the values of the first.
    let [means, values, _] = &results[0].taps[..] else { panic!("three taps") };
    let of_values = values.as_f32().expect("floats").chunks_exact(16).map(|channel| {
        // All numbers are multiples of 1/2, and 16 of them add up exactly.
        channel.iter().sum::<f32>() / 16.0
    });
    assert_eq!(means.as_f32().expect("floats"), of_values.collect::<Vec<_>>());
}

/// The input of [`unchecked`].
fn input() -> Tensor {
    Tensor::f32(vec![1, 3, 4, 4], (0..48).map(|at| at as f32 / 4.0 - 6.0).collect()).expect("it fits")
}

#[test]
fn prepared_serves_the_taps_that_it_was_prepared_with() {
    let model = prepared(all_steps(), &[1, 3, 4, 4]);
    let engine = |taps: Vec<Tap>| Engine::prepared(model.clone(), &Signature { taps, ..signature(&[1, 3, 4, 4]) }, 1);
    let known = model.taps();
    let engine_of_one = engine(vec![known[1].clone()]).expect("one of its own");
    assert_eq!(engine_of_one.tap_shapes(), [vec![1, 4]]);
    assert!(engine(vec![]).is_ok());
    for (name, kind) in [("tap 1", TapKind::Values), ("other", TapKind::Means)] {
        let error = engine(vec![Tap { name: name.into(), kind }]).map(drop).expect_err("refused").to_string();
        assert!(error.contains(name) && error.contains("was prepared without a tap of its"), "{error}");
    }
    let twice = engine(vec![known[0].clone(), known[0].clone()]).map(drop).expect_err("refused").to_string();
    assert!(twice.contains("stands twice"), "{twice}");
    let none = engine_of_one.run_tapped(&AtomicBool::new(false), Input::Tensor(&input()), &[1]);
    assert!(matches!(none, Err(Error::Tensor(what)) if what.contains("no tap 1")));
}

#[test]
fn prepared_head_has_the_reals_of_its_step() {
    let model = with_head(all_steps(), &[1, 3, 4, 4], Ok(head())).expect("sound");
    let found = model.head("scores").expect("it has one");
    let Step::Convolution(step) = &unchecked().steps[15] else { panic!("a convolution") };
    assert_eq!((found.labels, found.channels, &found.bias), (3, 4, &head().bias));
    for (label, scale) in [0.5, 0.25, 2.0].into_iter().enumerate() {
        let wanted: Vec<f32> = step.weights[4 * label..][..4].iter().map(|&weight| f32::from(weight) * scale).collect();
        assert_eq!(found.weights_of(label), wanted);
    }
    assert!(model.head("other").is_err());
    let error = prepared(all_steps(), &[1, 3, 4, 4]).head("scores").expect_err("none").to_string();
    assert!(error.contains("\"scores\" has no linear head") && error.contains("none is wanted"), "{error}");
}

#[test]
fn from_bytes_refuses_unsound_heads() {
    let refused = |change: fn(&mut PreparedHead)| {
        let mut changed = head();
        change(&mut changed);
        let bytes = with_head(all_steps(), &[1, 3, 4, 4], Err(String::new())).expect("sound").to_bytes();
        // The head stands at the end: a flag, and the length of the reason.
        let mut content = bytes[HEADER_BYTES..bytes.len() - 5].to_vec();
        content.extend(write::head_bytes(&Ok(changed)));
        let error = Prepared::from_bytes(&sealed(&content)).map(drop);
        assert!(matches!(error, Err(Error::Malformed(_))), "{error:?}");
    };
    refused(|head| head.step = 17);
    refused(|head| head.step = 0);
    // Three by three, and in two groups.
    refused(|head| head.step = 1);
    refused(|head| head.step = 7);
    refused(|head| head.scales.truncate(2));
    refused(|head| [&mut head.scales, &mut head.bias].into_iter().for_each(|numbers| numbers.truncate(2)));
    refused(|head| head.scales[1] = f32::NAN);
    refused(|head| head.scales[1] = f32::MAX);
    refused(|head| head.bias[0] = f32::INFINITY);
}

/// The seed of the fuzz target `prepared_model`. Where the format changes, `BEDSIDE_WRITE_SEEDS=1` has this test write
/// it anew.
#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn fuzz_seed_has_the_current_format() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/prepared_model/all-steps");
    let bytes = with_head(all_steps(), &[1, 3, 4, 4], Ok(head())).expect("sound").to_bytes();
    if std::env::var_os("BEDSIDE_WRITE_SEEDS").is_some() {
        std::fs::write(path, &bytes).expect("a folder that can be written");
    }
    assert!(std::fs::read(path).expect("committed") == bytes, "{path} has another format");
}

#[test]
fn prepared_refuses_another_signature() {
    let model = prepared(all_steps(), &[1, 3, 4, 4]);
    let refused = |signature: &Signature| {
        let error = Engine::prepared(model.clone(), signature, 1).map(drop).expect_err("refused");
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
    };
    refused(&Signature { input: "image".into(), ..signature(&[1, 3, 4, 4]) });
    refused(&signature(&[1, 4, 4, 3]));
    refused(&Signature { outputs: vec!["features".into()], ..signature(&[1, 3, 4, 4]) });
}

/// The distance between bytes that are damaged, and between lengths to which files are cut. It is large under miri,
/// where a checksum takes a second.
const DAMAGE_STEP: usize = if cfg!(miri) { 499 } else { 1 };

#[test]
fn from_bytes_refuses_damage_and_names_another_version() {
    let bytes = prepared(all_steps(), &[1, 3, 4, 4]).to_bytes();
    for at in (0..bytes.len()).step_by(DAMAGE_STEP) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let error = Prepared::from_bytes(&damaged).map(drop).expect_err("refused");
        match error {
            Error::Unsupported(what) => assert!((8..12).contains(&at) && what.contains("reads form 3"), "{at}: {what}"),
            Error::Malformed(_) => {}
            other => panic!("{at}: {other}"),
        }
        assert!(matches!(Prepared::from_bytes(&bytes[..at]), Err(Error::Malformed(_))), "{at}");
    }
}

/// The fuzz target `prepared_model` covers other damage with a valid checksum.
#[test]
fn from_bytes_refuses_truncated_content_with_a_valid_checksum() {
    let bytes = with_head(all_steps(), &[1, 3, 4, 4], Ok(head())).expect("sound").to_bytes();
    let content = &bytes[HEADER_BYTES..];
    for end in (0..content.len()).step_by(DAMAGE_STEP) {
        assert!(matches!(Prepared::from_bytes(&sealed(&content[..end])), Err(Error::Malformed(_))), "{end}");
    }
    assert!(Prepared::from_bytes(&sealed(&[content, &[0]].concat())).is_err());
}

/// The problem of [`unchecked`] after a change.
fn problem(change: impl FnOnce(&mut UncheckedProgram)) -> Problem {
    let mut program = unchecked();
    change(&mut program);
    program.check().map(drop).expect_err("refused")
}

/// Asserts that [`unchecked`] passes the check after a change.
fn accepted(change: impl FnOnce(&mut UncheckedProgram)) {
    let mut program = unchecked();
    change(&mut program);
    program.check().expect("sound");
}

/// Adds a tensor of bytes.
fn one_more(program: &mut UncheckedProgram, shape: [usize; 4]) -> TensorId {
    program.tensors.push(TensorType { element: Byte, shape });
    program.names.push(String::new());
    TensorId(program.tensors.len() - 1)
}

/// Adds a tensor of bytes, and a step that fills it.
fn one_more_filled(program: &mut UncheckedProgram, shape: [usize; 4]) -> TensorId {
    let to = one_more(program, shape);
    program.steps.push(Step::Fill(Fill { to, value: 0 }));
    to
}

/// Asserts that a change makes [`unchecked`] unsound, and that `what` is part of the message.
fn unsound(what: &str, change: impl FnOnce(&mut UncheckedProgram)) {
    match problem(change) {
        Problem::Unsound(said) => assert!(said.contains(what), "{what}: {said}"),
        Problem::TooLarge(said) => panic!("{what}: too large: {said}"),
    }
}

/// Asserts that a change takes [`unchecked`] beyond a limit, and that `what` is part of the message.
fn too_large(what: &str, change: impl FnOnce(&mut UncheckedProgram)) {
    match problem(change) {
        Problem::TooLarge(said) => assert!(said.contains(what), "{what}: {said}"),
        Problem::Unsound(said) => panic!("{what}: unsound: {said}"),
    }
}

/// The step with this number, which must be of this kind.
macro_rules! step {
    ($program:ident, $number:literal, $kind:ident) => {
        match &mut $program.steps[$number] {
            Step::$kind(step) => step,
            other => panic!("{other:?}"),
        }
    };
}

#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of weights in safe code; `cargo xtask test` runs it")]
fn check_refuses_unsound_programs() {
    unsound("no tensor", |p| step!(p, 1, Convolution).from = TensorId(99));
    unsound("before it is written", |p| drop(p.steps.remove(0)));
    unsound("before it is written", |p| drop(p.steps.remove(9)));
    unsound("reads what it writes", |p| step!(p, 3, Lookup).to = TensorId(3));
    unsound("over an input", |p| step!(p, 15, Convolution).to = TensorId(0));
    unsound("written already", |p| p.steps.push(p.steps[1].clone()));
    unsound("written already", |p| p.steps.push(p.steps[9].clone()));
    unsound("in their order", |p| p.steps.swap(8, 9));
    unsound("scattered", |p| step!(p, 8, StridedCopy).write.1 = [0, 8, 32, 1]);
    unsound("beyond a tensor", |p| step!(p, 5, StridedCopy).write.0 = 57);
    unsound("beyond a tensor", |p| step!(p, 5, StridedCopy).read.1[1] = 17);
    unsound("beyond a tensor", |p| step!(p, 0, Quantize).strides[3] = 17);
    unsound("too far apart", |p| step!(p, 0, Quantize).strides[0] = usize::MAX);
    unsound("copy of nothing", |p| step!(p, 5, StridedCopy).shape[2] = 0);
    unsound("no positive number", |p| step!(p, 0, Quantize).scale = f32::NAN);
    unsound("groups", |p| step!(p, 7, Convolution).groups = 3);
    unsound("groups", |p| step!(p, 7, Convolution).groups = 0);
    unsound("another number", |p| step!(p, 1, Convolution).weights.clear());
    unsound("nine bits", |p| step!(p, 1, Convolution).weights[0] = 256);
    unsound("pass 32 bits", |p| {
        let wide = one_more(p, [1, 1, 1, 80_000]);
        let step = step!(p, 11, Convolution);
        (step.from, step.weights) = (wide, vec![255; 80_000 * 4]);
        p.steps.insert(0, Step::Fill(Fill { to: wide, value: 0 }));
    });
    unsound("one bias", |p| step!(p, 1, Convolution).bias.clear());
    unsound("no number", |p| step!(p, 1, Convolution).multipliers[2] = f32::INFINITY);
    unsound("no number", |p| step!(p, 13, Add).rule.scale_ratios[0] = f32::NAN);
    unsound("no number", |p| step!(p, 13, Add).rule.scale_ratios[1] = f32::INFINITY);
    unsound("no number", |p| step!(p, 13, Add).rule.addend = f32::NEG_INFINITY);
    unsound("no number", |p| step!(p, 12, Multiply).rule.multiplier = f32::INFINITY);
    unsound("no number", |p| step!(p, 12, Multiply).rule.addend = f32::NAN);
    unsound("minimum byte", |p| (step!(p, 12, Multiply).rule.min, step!(p, 12, Multiply).rule.max) = (1, 0));
    unsound("minimum byte", |p| (step!(p, 13, Add).rule.min, step!(p, 13, Add).rule.max) = (1, 0));
    unsound("floats in a tensor of bytes", |p| step!(p, 1, Convolution).output_stage = OutputStage::Float);
    unsound("other elements", |p| step!(p, 16, Lookup).from = TensorId(14));
    unsound("length of zero", |p| step!(p, 6, Pooling).window.stride[0] = 0);
    unsound("over no pixel", |p| step!(p, 6, Pooling).window.pad[1] = 3);
    unsound("over no pixel", |p| step!(p, 6, Pooling).window.stride[1] = 2);
    // 255 · 8,421,504 is below 2³¹, and 255 more is not.
    let mean_over = |p: &mut UncheckedProgram, pixels: usize| step!(p, 10, Pooling).window.kernel = [1, pixels];
    unsound("too many pixels", |p| mean_over(p, 8_421_505));
    accepted(|p| mean_over(p, 8_421_504));
    unsound("go together", |p| step!(p, 13, Add).from[1] = TensorId(8));
    unsound("number of elements", |p| p.tensors[4].shape[1] = 3);
    unsound("another batch", |p| p.tensors[2].shape[0] = 2);
    unsound("no element", |p| p.tensors[2].shape[0] = 0);
    too_large("512 MiB", |p| p.tensors[2].shape[0] = 1 << 27);
    unsound("output's shape", |p| p.outputs[0].1 = vec![usize::MAX, 3]);
    unsound("an input twice", |p| p.inputs.push(TensorId(0)));
    unsound("one name", |p| drop(p.names.pop()));
    // Of floats, of an input, of what no step writes, and of nothing.
    unsound("other elements", |p| p.taps[1].tensor = TensorId(14));
    unsound("no step writes", |p| {
        p.tensors[0].element = Byte;
        p.steps.remove(0);
        p.steps.insert(0, Step::Fill(Fill { to: TensorId(1), value: 0 }));
        (p.taps[1].tensor, p.taps[1].shape) = (TensorId(0), vec![1, 48]);
    });
    unsound("no step writes", |p| {
        let unwritten = one_more(p, [1, 1, 1, 4]);
        p.taps[1].tensor = unwritten;
    });
    unsound("no tensor", |p| p.taps[1].tensor = TensorId(99));
    // The graph's axes are batch, channels, height, width.
    unsound("a tap's shape", |p| p.taps[0].shape = vec![1, 4, 4, 8]);
    unsound("a tap's shape", |p| p.taps[0].shape = vec![1, 8, 16]);
    unsound("a tap's shape", |p| p.taps[1].shape = vec![4]);
    unsound("a tap's shape", |p| p.taps[1].shape = vec![1, 1, 1, 1, 4]);
    unsound("a tap's scale", |p| p.taps[1].scale = f32::NAN);
    unsound("a tap's scale", |p| p.taps[1].scale = 0.0);
    unsound("a tap's mean over too many pixels", |p| {
        let long = one_more_filled(p, [1, 1, 8_421_505, 1]);
        (p.taps[2].tensor, p.taps[2].shape) = (long, vec![1, 1, 8_421_505]);
    });
    too_large("17 taps", |p| p.taps = vec![p.taps[0].clone(); 17]);
    accepted(|p| p.taps = vec![p.taps[0].clone(); 16]);
}

#[test]
#[cfg_attr(miri, ignore = "millions of weights in safe code; `cargo xtask test` runs it")]
fn check_refuses_programs_beyond_the_limits() {
    // Nine tensors of 128 MiB.
    too_large("together", |p| {
        let tensors: Vec<TensorId> = (0..9).map(|_| one_more_filled(p, [1, 1 << 13, 1 << 14, 1])).collect();
        p.outputs.extend(tensors.iter().map(|&id| (id, vec![1 << 27])));
    });
    too_large("more work", |p| {
        p.tensors[2].shape = [1, 1 << 10, 1 << 10, 4];
        let step = step!(p, 1, Convolution);
        step.window = Window { kernel: [1 << 9; 2], stride: [1; 2], dilation: [1; 2], pad: [1 << 9; 2] };
        step.weights = vec![1; 12 << 18];
    });
    too_large("too many", |p| p.steps = vec![p.steps[4].clone(); 1 << 15]);
    too_large("too many", |p| (0..1 << 16).for_each(|_| _ = one_more(p, [1; 4])));
    too_large("reach too far", |p| step!(p, 1, Convolution).window.stride[0] = 1 << 26);
    too_large("reach too far", |p| step!(p, 1, Convolution).window.pad[0] = usize::MAX);
    too_large("reach too far", |p| step!(p, 6, Pooling).window.stride[0] = 1 << 26);
    // Far below the limit along each axis, but 7 GB as an area.
    too_large("reach too far", |p| step!(p, 1, Convolution).window.stride = [1 << 14; 2]);
    too_large("name", |p| p.names[12] = "n".repeat(4097));
    accepted(|p| p.names[12] = "n".repeat(4096));
}

/// Each convolution makes a padded copy of four images of 2²⁵ bytes, 2²⁷ bytes together, for 16 products. 2¹¹ of them
/// take 2³⁸.
#[test]
#[cfg_attr(miri, ignore = "thousands of steps; `cargo xtask test` runs it")]
fn check_counts_padded_copies_as_work() {
    let padded = |p: &mut UncheckedProgram, count: usize| {
        let from = one_more_filled(p, [4, 1 << 12, 1 << 13, 1]);
        let window = Window { kernel: [1; 2], stride: [(1 << 12) - 1, (1 << 13) - 1], dilation: [1; 2], pad: [1; 2] };
        for _ in 0..count {
            let to = one_more(p, [4, 2, 2, 1]);
            p.steps.push(Step::Convolution(Convolution {
                from,
                to,
                zero_point: 0,
                window: window.clone(),
                groups: 1,
                weights: vec![1],
                bias: vec![0],
                multipliers: vec![1.0],
                output_stage: OutputStage::Byte { zero_point: 0, min: 0, max: 255, table: None },
            }));
        }
    };
    too_large("more work", |p| padded(p, 1 << 11));
    accepted(|p| padded(p, (1 << 11) - 2));
}

/// Depthwise weights are packed together. With two outputs for each group, each group has a matrix of its own.
#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of weights in safe code; `cargo xtask test` runs it")]
fn check_limits_groups_except_depthwise() {
    const MAX: usize = 1 << 18;
    let grouped = |p: &mut UncheckedProgram, groups: usize, group_outputs: usize| {
        let from = one_more_filled(p, [1, 1, 1, groups]);
        let to = one_more(p, [1, 1, 1, groups * group_outputs]);
        p.steps.push(Step::Convolution(Convolution {
            from,
            to,
            zero_point: 0,
            window: window(1, 0),
            groups,
            weights: vec![1; groups * group_outputs],
            bias: vec![0; groups * group_outputs],
            multipliers: vec![1.0; groups * group_outputs],
            output_stage: OutputStage::Byte { zero_point: 0, min: 0, max: 255, table: None },
        }));
    };
    // The program already has a convolution of two groups, three of one, and one that is depthwise.
    too_large("too many groups", |p| grouped(p, MAX - 4, 2));
    accepted(|p| grouped(p, MAX - 5, 2));
    accepted(|p| grouped(p, MAX + 1, 1));
}

/// An output of 128 MiB takes a buffer, and the same again for each tensor that a run returns: 1 GiB for seven of them.
#[test]
#[cfg_attr(miri, ignore = "thousands of outputs in safe code; `cargo xtask test` runs it")]
fn check_counts_the_memory_of_each_output() {
    const LARGE: [usize; 4] = [1, 1 << 10, 1 << 15, 1];
    let large = |p: &mut UncheckedProgram, count: usize| {
        let bytes = one_more_filled(p, LARGE);
        p.tensors.push(TensorType { element: Float, shape: LARGE });
        p.names.push(String::new());
        let to = TensorId(p.tensors.len() - 1);
        let table = Table::Floats(Box::new([0.0; 256]));
        p.steps.push(Step::Lookup(Lookup { from: bytes, to, table }));
        p.outputs = vec![(to, vec![1 << 25]); count];
    };
    too_large("together", |p| large(p, 7));
    accepted(|p| large(p, 6));
    too_large("outputs", |p| p.outputs = vec![p.outputs[0].clone(); (1 << 12) + 1]);
    accepted(|p| p.outputs = vec![p.outputs[0].clone(); 1 << 12]);

    // So does a tap of all values.
    too_large("together", |p| {
        large(p, 6);
        let (tensor, shape) = (TensorId(p.tensors.len() - 2), vec![1, 1, LARGE[1], LARGE[2]]);
        p.taps = vec![program::Tap { tensor, shape, scale: 0.5, zero_point: 0, kind: TapKind::Values }];
    });

    let mut program = unchecked();
    large(&mut program, 1);
    let model = prepared(program.check().expect("sound"), &[1, 3, 4, 4]);
    let named = |count: usize| Signature { outputs: vec!["scores".into(); count], ..signature(&[1, 3, 4, 4]) };
    assert!(model.clone().program(&named(6)).is_ok());
    let error = model.program(&named(7)).map(drop).expect_err("refused");
    assert!(matches!(&error, Error::TooLarge(what) if what.contains("together")), "{error}");
}
