//! The reader of prepared models. It allocates nothing before the bytes that fill it have been found in the file. What
//! the numbers mean is checked afterwards, in `program/check.rs`.

use sha2::{Digest, Sha256};

use super::{FORMAT_VERSION, HEADER_BYTES, Input, MAGIC, Output, Prepared, PreparedHead, refusal};
use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::program::check::{MAX_OUTPUTS, MAX_STEPS, MAX_TENSORS};
use crate::program::{
    Add, Convolution, Element, Fill, Lookup, Multiply, Pooling, PoolingKind, Problem, Quantize, Step, StridedCopy,
    Table, Tap, TensorId, TensorType, UncheckedProgram,
};
use crate::signature::{MAX_TAPS, TapKind};
use crate::tensor::Ending;
use crate::{Error, Result};

/// The maximum number of metadata entries, and of axes of a shape.
const MAX_ENTRIES: usize = 1 << 10;

impl Prepared {
    /// Reads a prepared model from the bytes of a file.
    ///
    /// # Errors
    /// [`Error::Malformed`] where the bytes are no prepared model, or a damaged or unsound one; [`Error::TooLarge`]
    /// where its program exceeds the limits of memory or work (`docs/model-file.md`); [`Error::Unsupported`] where it
    /// has another version of the format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Prepared> {
        let mut reader = Reader { rest: bytes };
        if reader.array() != Some(MAGIC) {
            return Err(Error::Malformed("this is not a prepared model".into()));
        }
        let damaged = || {
            Error::Malformed(
                "this prepared model is damaged or truncated; prepare it again with `bedside pack --prepare`".into(),
            )
        };
        let version = reader.number().ok_or_else(damaged)?;
        if version != FORMAT_VERSION {
            return Err(Error::Unsupported(format!(
                "this prepared model is of form {version}, and this version of Bedside reads form {FORMAT_VERSION}; \
                 prepare it again with `bedside pack --prepare`"
            )));
        }
        let checksum: [u8; 32] = reader.array().ok_or_else(damaged)?;
        if checksum != <[u8; 32]>::from(Sha256::digest(&bytes[HEADER_BYTES..])) {
            return Err(damaged());
        }
        let malformed = |what: &str| refusal(Problem::from(what));
        let content = reader.content().ok_or_else(|| malformed("it ends early, or says what no version writes"))?;
        if !reader.rest.is_empty() {
            return Err(malformed("something stands behind its end"));
        }
        let Content { program, sha256, metadata, input, outputs, taps } = content;
        let checked =
            program.check().and_then(|program| Prepared::new(program, sha256, metadata, input, outputs, taps));
        checked.map_err(refusal)
    }
}

/// The content of a file, unchecked.
struct Content {
    program: UncheckedProgram,
    sha256: [u8; 32],
    metadata: Vec<(String, String)>,
    input: Input,
    outputs: Vec<Output>,
    taps: Vec<String>,
}

/// The bytes that are left to read. Each method takes a value from their front; it returns None where they are too few
/// or hold no such value.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn lengths<const N: usize>(&mut self) -> Option<[usize; N]> {
        let mut lengths = [0; N];
        for length in &mut lengths {
            *length = self.length()?;
        }
        Some(lengths)
    }

    fn float(&mut self) -> Option<f32> {
        self.array().map(f32::from_le_bytes)
    }

    fn tensor(&mut self) -> Option<TensorId> {
        self.length().map(TensorId)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).ok().map(str::to_owned)
    }

    fn table(&mut self) -> Option<Box<[u8; 256]>> {
        self.array().map(Box::new)
    }

    /// A list: the number of its items, at most `max`, and then the items. Collecting into an `Option` reserves no
    /// memory for the number, so that memory grows with the items that are read.
    fn list<T>(&mut self, max: usize, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.length().filter(|&count| count <= max)?;
        (0..count).map(|_| item(self)).collect()
    }

    /// One word of four bytes for each channel.
    fn words<T>(&mut self, channels: usize, word: fn([u8; 4]) -> T) -> Option<Vec<T>> {
        let bytes = self.take(channels.checked_mul(4)?)?;
        Some(bytes.as_chunks().0.iter().copied().map(word).collect())
    }

    fn content(&mut self) -> Option<Content> {
        let sha256 = self.array()?;
        let metadata = self.list(MAX_ENTRIES, |reader| Some((reader.text()?, reader.text()?)))?;
        let input = Input { name: self.text()?, shape: self.list(MAX_ENTRIES, Self::length)? };
        let input_tensor = self.tensor()?;
        let outputs = self.list(MAX_OUTPUTS, |reader| {
            let (name, ending) = (reader.text()?, reader.ending()?);
            let tensor_and_shape = (reader.tensor()?, reader.list(MAX_ENTRIES, Self::length)?);
            Some(((name, ending), tensor_and_shape))
        })?;
        let tensors = self.list(MAX_TENSORS, |reader| Some((reader.kind()?, reader.text()?)))?;
        let steps = self.list(MAX_STEPS, Self::step)?;
        let taps = self.list(MAX_TAPS, |reader| Some((reader.text()?, reader.tap()?)))?;
        let (outputs, output_tensors): (Vec<_>, _) = outputs.into_iter().unzip();
        let output = |(name, ending)| Some(Output { name, ending, head: self.head()? });
        let outputs = outputs.into_iter().map(output).collect::<Option<_>>()?;
        let (tensors, names) = tensors.into_iter().unzip();
        let (tap_names, taps) = taps.into_iter().unzip();
        let inputs = vec![input_tensor];
        let program = UncheckedProgram { tensors, steps, names, inputs, outputs: output_tensors, taps };
        Some(Content { program, sha256, metadata, input, outputs, taps: tap_names })
    }

    fn tap(&mut self) -> Option<Tap> {
        let kind = if self.flag()? { TapKind::Means } else { TapKind::Values };
        let (tensor, shape) = (self.tensor()?, self.list(MAX_ENTRIES, Self::length)?);
        Some(Tap { tensor, shape, scale: self.float()?, zero_point: self.byte()?, kind })
    }

    /// The head of an output, or the reason why it has none.
    fn head(&mut self) -> Option<Result<PreparedHead, String>> {
        if !self.flag()? {
            return Some(Err(self.text()?));
        }
        let (features, pooled, initializer) = (self.text()?, self.text()?, self.text()?);
        let (step, labels) = (self.length()?, self.length()?);
        let scales = self.words(labels, f32::from_le_bytes)?;
        let bias = self.words(labels, f32::from_le_bytes)?;
        Some(Ok(PreparedHead { features, pooled, initializer, step, scales, bias }))
    }

    fn ending(&mut self) -> Option<Ending> {
        match self.byte()? {
            0 => Some(Ending::Other),
            1 => Some(Ending::Softmax),
            2 => Some(Ending::Sigmoid),
            _ => None,
        }
    }

    fn kind(&mut self) -> Option<TensorType> {
        let element = if self.flag()? { Element::Float } else { Element::Byte };
        Some(TensorType { element, shape: self.lengths()? })
    }

    fn step(&mut self) -> Option<Step> {
        Some(match self.byte()? {
            0 => Step::Quantize(self.quantize()?),
            1 => Step::Convolution(self.convolution()?),
            2 => Step::Add(self.add()?),
            3 => Step::Multiply(self.multiply()?),
            4 => {
                let (from, to) = (self.tensor()?, self.tensor()?);
                Step::Lookup(Lookup { from, to, table: Table::Bytes(self.table()?) })
            }
            5 => Step::Lookup(self.float_lookup()?),
            6 => {
                let (from, to, window) = (self.tensor()?, self.tensor()?, self.window()?);
                Step::Pooling(Pooling { from, to, window, kind: PoolingKind::Max })
            }
            7 => Step::Pooling(self.mean_pooling()?),
            8 => Step::StridedCopy(self.strided_copy()?),
            9 => Step::Fill(Fill { to: self.tensor()?, value: self.byte()? }),
            _ => return None,
        })
    }

    fn quantize(&mut self) -> Option<Quantize> {
        Some(Quantize {
            from: self.tensor()?,
            to: self.tensor()?,
            strides: self.lengths()?,
            scale: self.float()?,
            zero_point: self.byte()?,
        })
    }

    fn convolution(&mut self) -> Option<Convolution> {
        let (from, to, zero_point) = (self.tensor()?, self.tensor()?, self.byte()?);
        let (window, groups, output_stage) = (self.window()?, self.length()?, self.output_stage()?);
        let channels = self.length()?;
        let bias = self.words(channels, i32::from_le_bytes)?;
        let multipliers = self.words(channels, f32::from_le_bytes)?;
        let weights = self.weights()?;
        Some(Convolution { from, to, zero_point, window, groups, weights, bias, multipliers, output_stage })
    }

    /// The weights of a convolution: `i8` after a flag of 0, `i16` after a flag of 1.
    fn weights(&mut self) -> Option<Vec<i16>> {
        let (are_words, count) = (self.flag()?, self.length()?);
        if are_words {
            let words = self.take(count.checked_mul(2)?)?.as_chunks().0;
            return Some(words.iter().copied().map(i16::from_le_bytes).collect());
        }
        Some(self.take(count)?.iter().map(|&byte| i16::from(byte.cast_signed())).collect())
    }

    fn window(&mut self) -> Option<Window> {
        Some(Window {
            kernel: self.lengths()?,
            stride: self.lengths()?,
            dilation: self.lengths()?,
            pad: self.lengths()?,
        })
    }

    fn output_stage(&mut self) -> Option<OutputStage> {
        let tag = self.byte()?;
        if tag == 0 {
            return Some(OutputStage::Float);
        }
        let [zero_point, min, max] = self.array()?;
        let table = match tag {
            1 => None,
            2 => Some(self.table()?),
            _ => return None,
        };
        Some(OutputStage::Byte { zero_point, min, max, table })
    }

    fn add(&mut self) -> Option<Add> {
        let (from, to) = ([self.tensor()?, self.tensor()?], self.tensor()?);
        let (input_offsets, scale_ratios, addend) = (self.array()?, [self.float()?, self.float()?], self.float()?);
        let [output_offset, min, max] = self.array()?;
        Some(Add { from, to, rule: AddRule { input_offsets, scale_ratios, addend, output_offset, min, max } })
    }

    fn multiply(&mut self) -> Option<Multiply> {
        let (from, to) = ([self.tensor()?, self.tensor()?], self.tensor()?);
        let (zero_points, multiplier, addend) = (self.array()?, self.float()?, self.float()?);
        let [output_offset, min, max] = self.array()?;
        Some(Multiply { from, to, rule: MultiplyRule { zero_points, multiplier, addend, output_offset, min, max } })
    }

    fn float_lookup(&mut self) -> Option<Lookup> {
        let (from, to) = (self.tensor()?, self.tensor()?);
        let mut table = Box::new([0.0; 256]);
        for value in table.iter_mut() {
            *value = self.float()?;
        }
        Some(Lookup { from, to, table: Table::Floats(table) })
    }

    fn mean_pooling(&mut self) -> Option<Pooling> {
        let (from, to, window) = (self.tensor()?, self.tensor()?, self.window()?);
        let kind = PoolingKind::Mean {
            zero_point: self.byte()?,
            input_scale: self.float()?,
            output_scale: self.float()?,
            count_include_pad: self.flag()?,
            output_stage: self.output_stage()?,
        };
        Some(Pooling { from, to, window, kind })
    }

    fn strided_copy(&mut self) -> Option<StridedCopy> {
        Some(StridedCopy {
            from: self.tensor()?,
            to: self.tensor()?,
            shape: self.lengths()?,
            read: (self.length()?, self.lengths()?),
            write: (self.length()?, self.lengths()?),
        })
    }
}
