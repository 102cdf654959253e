//! From a file's bytes to a prepared model. Nothing is allocated before the bytes that it is made from are there.

use sha2::{Digest, Sha256};

use super::{FORM, HEAD_BYTES, Input, MAGIC, Output, Prepared, refusal};
use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::program::check::{MAX_OUTPUTS, MAX_STEPS, MAX_TENSORS};
use crate::program::{
    Add, Convolution, Element, Fill, Lookup, Multiply, Pooling, PoolingKind, Problem, Quantize, Step, StridedCopy,
    Table, TensorId, TensorKind, UncheckedProgram,
};
use crate::tensor::Ending;
use crate::{Error, Result};

/// The most metadata entries, and axes of a shape.
const MAX_ENTRIES: usize = 1 << 10;

impl Prepared {
    /// Reads a prepared model from memory.
    ///
    /// # Errors
    /// [`Error::Malformed`] where it is none, or a damaged one; [`Error::TooLarge`] where it asks for more memory or work
    /// than networks do; [`Error::Unsupported`] where another version of Bedside wrote it in another form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Prepared> {
        let mut head = Reader { rest: bytes };
        if head.array() != Some(MAGIC) {
            return Err(Error::Malformed("this is not a prepared model".into()));
        }
        let damaged = || {
            Error::Malformed(
                "this prepared model is damaged or truncated; prepare it again with `bedside pack --prepare`".into(),
            )
        };
        let form = head.number().ok_or_else(damaged)?;
        if form != FORM {
            return Err(Error::Unsupported(format!(
                "this prepared model is of form {form}, and this version of Bedside reads form {FORM}; prepare it again with \
                 `bedside pack --prepare`"
            )));
        }
        let sum: [u8; 32] = head.array().ok_or_else(damaged)?;
        if sum != <[u8; 32]>::from(Sha256::digest(&bytes[HEAD_BYTES..])) {
            return Err(damaged());
        }
        let malformed = |what: &str| refusal(Problem::from(what));
        let content = head.content().ok_or_else(|| malformed("it ends early, or says what no version writes"))?;
        if !head.rest.is_empty() {
            return Err(malformed("something stands behind its end"));
        }
        let Content { program, sha256, metadata, input, outputs } = content;
        let checked = program.check().and_then(|program| Prepared::new(program, sha256, metadata, input, outputs));
        checked.map_err(refusal)
    }
}

/// What stands behind the head, unchecked.
struct Content {
    program: UncheckedProgram,
    sha256: [u8; 32],
    metadata: Vec<(String, String)>,
    input: Input,
    outputs: Vec<Output>,
}

/// What is left to read. Each function takes what it gives from the front; None where that is not there.
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

    /// As many of something as a number says, which is at most `max`.
    fn list<T>(&mut self, max: usize, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.length().filter(|&count| count <= max)?;
        (0..count).map(|_| one(self)).collect()
    }

    /// As many words of four bytes as there are channels.
    fn words<T>(&mut self, channels: usize, word: fn([u8; 4]) -> T) -> Option<Vec<T>> {
        let bytes = self.take(channels.checked_mul(4)?)?;
        Some(bytes.as_chunks().0.iter().copied().map(word).collect())
    }

    fn content(&mut self) -> Option<Content> {
        let sha256 = self.array()?;
        let metadata = self.list(MAX_ENTRIES, |reader| Some((reader.text()?, reader.text()?)))?;
        let input = Input { name: self.text()?, shape: self.list(MAX_ENTRIES, Self::length)? };
        let taken = self.tensor()?;
        let outputs = self.list(MAX_OUTPUTS, |reader| {
            let output = Output { name: reader.text()?, ending: reader.ending()? };
            let given = (reader.tensor()?, reader.list(MAX_ENTRIES, Self::length)?);
            Some((output, given))
        })?;
        let tensors = self.list(MAX_TENSORS, |reader| Some((reader.kind()?, reader.text()?)))?;
        let steps = self.list(MAX_STEPS, Self::step)?;
        let (outputs, given) = outputs.into_iter().unzip();
        let (tensors, names) = tensors.into_iter().unzip();
        let program = UncheckedProgram { tensors, steps, names, inputs: vec![taken], outputs: given };
        Some(Content { program, sha256, metadata, input, outputs })
    }

    fn ending(&mut self) -> Option<Ending> {
        match self.byte()? {
            0 => Some(Ending::Other),
            1 => Some(Ending::Softmax),
            2 => Some(Ending::Sigmoid),
            _ => None,
        }
    }

    fn kind(&mut self) -> Option<TensorKind> {
        let element = if self.flag()? { Element::Float } else { Element::Byte };
        Some(TensorKind { element, shape: self.lengths()? })
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
            5 => Step::Lookup(self.lookup_of_floats()?),
            6 => {
                let (from, to, window) = (self.tensor()?, self.tensor()?, self.window()?);
                Step::Pooling(Pooling { from, to, window, kind: PoolingKind::Max })
            }
            7 => Step::Pooling(self.mean()?),
            8 => Step::StridedCopy(self.moved()?),
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
        let (window, groups, result) = (self.window()?, self.length()?, self.rounding()?);
        let channels = self.length()?;
        let bias = self.words(channels, i32::from_le_bytes)?;
        let multipliers = self.words(channels, f32::from_le_bytes)?;
        let weights = self.weights()?;
        Some(Convolution { from, to, zero_point, window, groups, weights, bias, multipliers, result })
    }

    /// Bytes where all are, else words of two.
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

    fn rounding(&mut self) -> Option<OutputStage> {
        let form = self.byte()?;
        if form == 0 {
            return Some(OutputStage::Float);
        }
        let [zero_point, min, max] = self.array()?;
        let table = match form {
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

    fn lookup_of_floats(&mut self) -> Option<Lookup> {
        let (from, to) = (self.tensor()?, self.tensor()?);
        let mut table = Box::new([0.0; 256]);
        for value in table.iter_mut() {
            *value = self.float()?;
        }
        Some(Lookup { from, to, table: Table::Floats(table) })
    }

    fn mean(&mut self) -> Option<Pooling> {
        let (from, to, window) = (self.tensor()?, self.tensor()?, self.window()?);
        let kind = PoolingKind::Mean {
            zero_point: self.byte()?,
            scale: self.float()?,
            divisor: self.float()?,
            with_padding: self.flag()?,
            result: self.rounding()?,
        };
        Some(Pooling { from, to, window, kind })
    }

    fn moved(&mut self) -> Option<StridedCopy> {
        Some(StridedCopy {
            from: self.tensor()?,
            to: self.tensor()?,
            shape: self.lengths()?,
            read: (self.length()?, self.lengths()?),
            write: (self.length()?, self.lengths()?),
        })
    }
}
