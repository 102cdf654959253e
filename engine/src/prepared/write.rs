//! The writer of prepared models: the bytes that `read.rs` reads, in the same order. It checks nothing: a
//! program has been checked before.

use sha2::{Digest, Sha256};

use super::{FORMAT_VERSION, MAGIC, Prepared, PreparedHead};
use crate::arithmetic::{OutputStage, Window};
use crate::program::weights::fit_i8;
use crate::program::{
    Add, Convolution, Element, Lookup, Multiply, Pooling, PoolingKind, Quantize, Step, StridedCopy, Table, Tap,
    TensorId, TensorType,
};
use crate::signature::TapKind;
use crate::tensor::Ending;

impl Prepared {
    /// The bytes of a file that holds the model, which [`Prepared::from_bytes`] reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut content = Writer { bytes: vec![] };
        content.prepared(self);
        sealed(&content.bytes)
    }
}

/// The bytes of a file: the header, and this content.
pub(super) fn sealed(content: &[u8]) -> Vec<u8> {
    [&MAGIC[..], &FORMAT_VERSION.to_le_bytes(), &Sha256::digest(content), content].concat()
}

/// The bytes of a head, as they end a file of one output.
#[cfg(test)]
pub(super) fn head_bytes(head: &Result<PreparedHead, String>) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![] };
    writer.head(head);
    writer.bytes
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn length(&mut self, length: usize) {
        let number = u32::try_from(length).expect("a program that was checked has no larger number");
        self.write(&number.to_le_bytes());
    }

    fn lengths(&mut self, lengths: &[usize]) {
        for &length in lengths {
            self.length(length);
        }
    }

    fn shape(&mut self, shape: &[usize]) {
        self.length(shape.len());
        self.lengths(shape);
    }

    fn float(&mut self, value: f32) {
        self.write(&value.to_le_bytes());
    }

    fn tensor(&mut self, TensorId(number): TensorId) {
        self.length(number);
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.write(text.as_bytes());
    }

    fn prepared(&mut self, prepared: &Prepared) {
        let Prepared { program, sha256, metadata, input, outputs, taps } = prepared;
        self.write(sha256);
        self.length(metadata.len());
        for (key, value) in metadata {
            self.text(key);
            self.text(value);
        }
        self.text(&input.name);
        self.shape(&input.shape);
        self.tensor(program.inputs[0]);
        self.length(outputs.len());
        for (output, (tensor, shape)) in outputs.iter().zip(&program.outputs) {
            self.text(&output.name);
            self.byte(match output.ending {
                Ending::Other => 0,
                Ending::Softmax => 1,
                Ending::Sigmoid => 2,
            });
            self.tensor(*tensor);
            self.shape(shape);
        }
        self.length(program.tensors.len());
        for (kind, name) in program.tensors.iter().zip(&program.names) {
            self.kind(kind);
            self.text(name);
        }
        self.length(program.steps.len());
        for step in &program.steps {
            self.step(step);
        }
        self.length(taps.len());
        for (name, tap) in taps.iter().zip(&program.taps) {
            self.tap(name, tap);
        }
        for output in outputs {
            self.head(&output.head);
        }
    }

    fn tap(&mut self, name: &str, tap: &Tap) {
        self.text(name);
        self.byte(match tap.kind {
            TapKind::Values => 0,
            TapKind::Means => 1,
        });
        self.tensor(tap.tensor);
        self.shape(&tap.shape);
        self.float(tap.scale);
        self.byte(tap.zero_point);
    }

    fn head(&mut self, head: &Result<PreparedHead, String>) {
        self.byte(u8::from(head.is_ok()));
        let head = match head {
            Ok(head) => head,
            Err(reason) => return self.text(reason),
        };
        for name in [&head.features, &head.pooled, &head.initializer] {
            self.text(name);
        }
        self.length(head.step);
        self.length(head.scales.len());
        for &number in head.scales.iter().chain(&head.bias) {
            self.float(number);
        }
    }

    fn kind(&mut self, kind: &TensorType) {
        self.byte(u8::from(kind.element == Element::Float));
        self.lengths(&kind.shape);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Quantize(step) => self.quantize(step),
            Step::Convolution(step) => self.convolution(step),
            Step::Add(step) => self.add(step),
            Step::Multiply(step) => self.multiply(step),
            Step::Lookup(step) => self.lookup(step),
            Step::Pooling(step) => self.pooling(step),
            Step::StridedCopy(step) => self.strided_copy(step),
            Step::Fill(step) => {
                self.byte(9);
                self.tensor(step.to);
                self.byte(step.value);
            }
        }
    }

    fn quantize(&mut self, step: &Quantize) {
        self.byte(0);
        self.tensor(step.from);
        self.tensor(step.to);
        self.lengths(&step.strides);
        self.float(step.scale);
        self.byte(step.zero_point);
    }

    fn convolution(&mut self, step: &Convolution) {
        self.byte(1);
        self.tensor(step.from);
        self.tensor(step.to);
        self.byte(step.zero_point);
        self.window(&step.window);
        self.length(step.groups);
        self.output_stage(&step.output_stage);
        self.length(step.bias.len());
        for bias in &step.bias {
            self.write(&bias.to_le_bytes());
        }
        for &multiplier in &step.multipliers {
            self.float(multiplier);
        }
        let are_words = !fit_i8(&step.weights);
        self.byte(u8::from(are_words));
        self.length(step.weights.len());
        if are_words {
            self.bytes.extend(step.weights.iter().flat_map(|weight| weight.to_le_bytes()));
        } else {
            self.bytes.extend(step.weights.iter().map(|&weight| weight as u8));
        }
    }

    fn window(&mut self, window: &Window) {
        for lengths in [window.kernel, window.stride, window.dilation, window.pad] {
            self.lengths(&lengths);
        }
    }

    fn output_stage(&mut self, stage: &OutputStage) {
        let OutputStage::Byte { zero_point, min, max, table } = stage else { return self.byte(0) };
        self.write(&[1 + u8::from(table.is_some()), *zero_point, *min, *max]);
        if let Some(table) = table {
            self.write(&table[..]);
        }
    }

    fn add(&mut self, step: &Add) {
        self.byte(2);
        for tensor in [step.from[0], step.from[1], step.to] {
            self.tensor(tensor);
        }
        self.write(&step.rule.input_offsets);
        for number in [step.rule.scale_ratios[0], step.rule.scale_ratios[1], step.rule.addend] {
            self.float(number);
        }
        self.write(&[step.rule.output_offset, step.rule.min, step.rule.max]);
    }

    fn multiply(&mut self, step: &Multiply) {
        self.byte(3);
        for tensor in [step.from[0], step.from[1], step.to] {
            self.tensor(tensor);
        }
        self.write(&step.rule.zero_points);
        self.float(step.rule.multiplier);
        self.float(step.rule.addend);
        self.write(&[step.rule.output_offset, step.rule.min, step.rule.max]);
    }

    fn lookup(&mut self, step: &Lookup) {
        self.byte(if matches!(step.table, Table::Bytes(_)) { 4 } else { 5 });
        self.tensor(step.from);
        self.tensor(step.to);
        match &step.table {
            Table::Bytes(table) => self.write(&table[..]),
            Table::Floats(table) => {
                for &value in table.iter() {
                    self.float(value);
                }
            }
        }
    }

    fn pooling(&mut self, step: &Pooling) {
        self.byte(if step.kind == PoolingKind::Max { 6 } else { 7 });
        self.tensor(step.from);
        self.tensor(step.to);
        self.window(&step.window);
        if let PoolingKind::Mean { zero_point, input_scale, output_scale, count_include_pad, output_stage } = &step.kind
        {
            self.byte(*zero_point);
            self.float(*input_scale);
            self.float(*output_scale);
            self.byte(u8::from(*count_include_pad));
            self.output_stage(output_stage);
        }
    }

    fn strided_copy(&mut self, step: &StridedCopy) {
        self.byte(8);
        self.tensor(step.from);
        self.tensor(step.to);
        self.lengths(&step.shape);
        for (start, strides) in [step.read, step.write] {
            self.length(start);
            self.lengths(&strides);
        }
    }
}
