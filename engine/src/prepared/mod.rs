//! Prepared models: files that hold a graph as one program, and that open without an importer. `onnx/prepare.rs` makes
//! them.
//!
//! A file does not depend on an instruction set: its program is packed when an engine is built from it. Files are
//! untrusted: a [`Program`] is made only by the check of what was read. The checksum finds damage, and not changes that
//! somebody made on purpose.
//!
//! All numbers are little-endian. A file begins with a header:
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | [`MAGIC`] |
//! | 8 | 4 | [`FORMAT_VERSION`] |
//! | 12 | 32 | SHA-256 of all bytes that follow |
//! | 44 | | the content |
//!
//! `read.rs` and `write.rs` define the order of the content; `docs/model-file.md` describes it.

mod read;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "onnx"))]
mod write;

use crate::program::{Convolution, Element, Problem, Program, Step, TensorId};
use crate::signature::{Signature, Tap, TapKind};
use crate::tensor::{Dim, ElementType, Ending, TensorInfo};
use crate::{Error, Head, Result};

/// The first bytes of a file. The first byte starts no character of ASCII or UTF-8, so no text file begins with
/// them. The first two bytes are no valid key of Protocol Buffers, so no ONNX file does.
pub(crate) const MAGIC: [u8; 8] = *b"\x8fBEDSIDE";

/// The version of the format that is written and read. A file of any other version is refused.
const FORMAT_VERSION: u32 = 3;

/// The length of the header, in bytes.
const HEADER_BYTES: usize = 44;

/// A prepared model: a graph lowered to one program that runs in integers, with the graph's hash, its metadata, and its
/// input and outputs.
///
/// It is made for one input shape. [`Engine::prepared`](crate::Engine::prepared) builds an engine from it.
#[derive(Debug, Clone)]
pub struct Prepared {
    program: Program,
    sha256: [u8; 32],
    metadata: Vec<(String, String)>,
    input: Input,
    outputs: Vec<Output>,
    /// The names of the program's taps, in its order.
    taps: Vec<String>,
}

/// The input. The program has its element type.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Input {
    name: String,
    shape: Vec<usize>,
}

/// An output. The program has its tensor and its shape in the graph.
#[derive(Debug, Clone, PartialEq)]
struct Output {
    name: String,
    ending: Ending,
    /// Its linear head, or why there is none.
    head: Result<PreparedHead, String>,
}

/// The linear head of an output, whose weights are those of a step of the program: the real weights of a label are the
/// step's times the label's scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PreparedHead {
    pub(crate) features: String,
    pub(crate) pooled: String,
    pub(crate) initializer: String,
    /// The index of the step.
    pub(crate) step: usize,
    /// One for each label.
    pub(crate) scales: Vec<f32>,
    /// One for each label, as a real.
    pub(crate) bias: Vec<f32>,
}

impl PreparedHead {
    /// The convolution that has the weights.
    ///
    /// # Errors
    /// [`Problem::Unsound`] unless there is such a step, a plain product with a scale and a bias for each label, and
    /// all reals are finite.
    fn product<'a>(&self, program: &'a Program) -> Result<&'a Convolution, Problem> {
        let Some(Step::Convolution(product)) = program.steps.get(self.step) else {
            return Err("a head of no convolution".into());
        };
        let is_plain = product.window.kernel == [1, 1] && product.groups == 1;
        let labels = product.bias.len();
        if !is_plain || [self.scales.len(), self.bias.len()] != [labels; 2] {
            return Err("a head that is not its step's".into());
        }
        // No weight exceeds 255.
        if !self.scales.iter().all(|scale| (255.0 * scale).is_finite()) || !self.bias.iter().all(|b| b.is_finite()) {
            return Err("a head with a number that is none".into());
        }
        Ok(product)
    }

    /// The head with its weights as reals.
    fn head(&self, product: &Convolution) -> Head {
        let labels = self.scales.len();
        let channels = product.weights.len() / labels;
        let rows = product.weights.chunks_exact(channels).zip(&self.scales);
        Head {
            features: self.features.clone(),
            pooled: self.pooled.clone(),
            initializer: self.initializer.clone(),
            labels,
            channels,
            weights: rows.flat_map(|(row, &scale)| row.iter().map(move |&weight| f32::from(weight) * scale)).collect(),
            bias: self.bias.clone(),
        }
    }
}

impl Prepared {
    /// A prepared model of the graph with the SHA-256 `sha256`. `outputs` and `taps` are those of the program, in its
    /// order. Both the reader and [`Prepared::of_program`] make models here.
    ///
    /// # Errors
    /// [`Problem::Unsound`] unless the program has one input, which `input` fits, `outputs` and `taps` are as many as
    /// the program's, all outputs are of floats, and the heads are those of steps.
    fn new(
        program: Program,
        sha256: [u8; 32],
        metadata: Vec<(String, String)>,
        input: Input,
        outputs: Vec<Output>,
        taps: Vec<String>,
    ) -> Result<Prepared, Problem> {
        let [TensorId(tensor)] = program.inputs[..] else { return Err("other than one input".into()) };
        let count = input.shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
        if count != Some(program.tensors[tensor].len()) {
            return Err("the input's shape does not fit its tensor".into());
        }
        let is_float = |(id, _): &(TensorId, Vec<usize>)| program.tensors[id.0].element == Element::Float;
        if outputs.len() != program.outputs.len() || !program.outputs.iter().all(is_float) {
            return Err("an output that is no floats".into());
        }
        if taps.len() != program.taps.len() {
            return Err("not one name a tap".into());
        }
        for head in outputs.iter().filter_map(|output| output.head.as_ref().ok()) {
            head.product(&program)?;
        }
        Ok(Prepared { program, sha256, metadata, input, outputs, taps })
    }

    /// A prepared model of a program that was lowered for `signature`. `endings` and `heads` have one entry for each
    /// output.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    #[cfg(any(test, feature = "onnx"))]
    pub(crate) fn of_program(
        program: Program,
        sha256: [u8; 32],
        metadata: Vec<(String, String)>,
        signature: &Signature,
        endings: Vec<Ending>,
        heads: Vec<Result<PreparedHead, String>>,
    ) -> Result<Prepared, Problem> {
        let input = Input { name: signature.input.clone(), shape: signature.shape.clone() };
        let outputs = signature.outputs.iter().zip(endings).zip(heads);
        let outputs = outputs.map(|((name, ending), head)| Output { name: name.clone(), ending, head }).collect();
        let taps = signature.taps.iter().map(|tap| tap.name.clone()).collect();
        Prepared::new(program, sha256, metadata, input, outputs, taps)
    }

    /// Whether a file that starts with these bytes is a prepared model. The first 8 bytes decide.
    #[must_use]
    pub fn is_start_of(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// The SHA-256 of the ONNX graph that this model was made from, as 64 lowercase hex digits: `Graph::sha256` of the
    /// ONNX file. It is stored in the model and can't be computed from it.
    #[must_use]
    pub fn sha256(&self) -> String {
        crate::tensor::hex(&self.sha256)
    }

    /// The value of a metadata key, if the model has it.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Sets the value of a metadata key, and replaces a value that it has.
    pub fn set_metadata(&mut self, key: &str, value: String) {
        self.metadata.retain(|(known, _)| known != key);
        self.metadata.push((key.into(), value));
    }

    /// The inputs: always one, of fixed shape, with elements of type [`ElementType::F32`] or [`ElementType::U8`].
    #[must_use]
    pub fn inputs(&self) -> Vec<TensorInfo> {
        let element = self.program.inputs.first().map(|&TensorId(input)| self.program.tensors[input].element);
        let element = if element == Some(Element::Byte) { ElementType::U8 } else { ElementType::F32 };
        vec![info(&self.input.name, element, &self.input.shape)]
    }

    /// The outputs that the graph was prepared with, all of fixed shape and of type [`ElementType::F32`].
    #[must_use]
    pub fn outputs(&self) -> Vec<TensorInfo> {
        let with_shape = self.outputs.iter().zip(&self.program.outputs);
        with_shape.map(|(output, (_, shape))| info(&output.name, ElementType::F32, shape)).collect()
    }

    /// How the values of `output` were computed; [`Ending::Other`] where there is no such output.
    #[must_use]
    pub fn ending(&self, output: &str) -> Ending {
        self.outputs.iter().find(|known| known.name == output).map_or(Ending::Other, |known| known.ending)
    }

    /// The taps that the graph was prepared with.
    #[must_use]
    pub fn taps(&self) -> Vec<Tap> {
        let with_kind = self.taps.iter().zip(&self.program.taps);
        with_kind.map(|(name, tap)| Tap { name: name.clone(), kind: tap.kind }).collect()
    }

    /// The linear head of `output`, with the reals that the program multiplies by.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the graph was prepared without this output, or the output has no such head; it has
    /// the reason.
    pub fn head(&self, output: &str) -> Result<Head> {
        let Some(found) = self.outputs.iter().find(|known| known.name == output) else {
            return Err(Error::Unsupported(format!("the model was prepared without output \"{output}\"")));
        };
        let head = found.head.as_ref().map_err(|reason| crate::head::none(output, reason))?;
        Ok(head.head(head.product(&self.program).map_err(refusal)?))
    }

    /// The number of multiply-adds of all convolutions and matrix products in one run. Taps in the padding are counted.
    #[must_use]
    pub fn multiply_adds(&self) -> u64 {
        let count = |step: &Step| match step {
            // Each weight is used once for each output pixel.
            Step::Convolution(step) => {
                let [batch, height, width, _] = self.program.tensors[step.to.0].shape;
                step.weights.len() as u64 * (batch * height * width) as u64
            }
            _ => 0,
        };
        self.program.steps.iter().map(count).sum()
    }

    #[cfg(fuzzing)]
    pub(crate) fn program_for_fuzzing(&self) -> &Program {
        &self.program
    }

    /// The program, with the outputs and the taps of `signature`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the graph was prepared for another input, another shape, or without an output of
    /// `signature`; [`Error::Tap`] where it was prepared without a tap of it; [`Error::TooLarge`] where these take the program beyond the limits of
    /// [`Program::returning`].
    pub(crate) fn program(self, signature: &Signature) -> Result<Program> {
        signature.check_taps()?;
        let known = self.taps();
        let Prepared { program, input, outputs, .. } = self;
        if (&input.name, &input.shape) != (&signature.input, &signature.shape) {
            return Err(Error::Unsupported(format!(
                "the model was prepared for input \"{}\" of shape {:?}, not for \"{}\" of {:?}; prepare it again",
                input.name, input.shape, signature.input, signature.shape
            )));
        }
        let index = |name: &String| {
            let found = outputs.iter().position(|output| output.name == *name);
            found.ok_or_else(|| Error::Unsupported(format!("the model was prepared without output \"{name}\"")))
        };
        let indices = signature.outputs.iter().map(index).collect::<Result<Vec<usize>>>()?;
        let tap_index = |tap: &Tap| {
            let found = known.iter().position(|known| known == tap);
            found.ok_or_else(|| {
                let what = if tap.kind == TapKind::Means { "means" } else { "values" };
                tap.refused(&format!("the model was prepared without a tap of its {what}; prepare it again with one"))
            })
        };
        let taps = signature.taps.iter().map(tap_index).collect::<Result<Vec<usize>>>()?;
        program.returning(&indices, &taps).map_err(refusal)
    }
}

/// The error of a prepared model that is refused.
fn refusal(problem: Problem) -> Error {
    match problem {
        Problem::Unsound(what) => Error::Malformed(format!("this prepared model is not sound: {what}")),
        Problem::TooLarge(what) => Error::TooLarge(format!("this prepared model is too large: {what}")),
    }
}

/// An input or output of fixed shape.
fn info(name: &str, element: ElementType, shape: &[usize]) -> TensorInfo {
    TensorInfo { name: name.into(), element, dims: Some(shape.iter().map(|&length| Dim::Fixed(length)).collect()) }
}
