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

use crate::program::{Element, Problem, Program, Step, TensorId};
use crate::signature::Signature;
use crate::tensor::{Dim, ElementType, Ending, TensorInfo};
use crate::{Error, Result};

/// The first bytes of a file. The first byte starts no character of ASCII or UTF-8, so no text file begins with
/// them. The first two bytes are no valid key of Protocol Buffers, so no ONNX file does.
pub(crate) const MAGIC: [u8; 8] = *b"\x8fBEDSIDE";

/// The version of the format that is written and read. A file of any other version is refused.
const FORMAT_VERSION: u32 = 2;

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
}

/// The input. The program has its element type.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Input {
    name: String,
    shape: Vec<usize>,
}

/// An output. The program has its tensor and its shape in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Output {
    name: String,
    ending: Ending,
}

impl Prepared {
    /// A prepared model of the graph with the SHA-256 `sha256`. `outputs` are those of the program, in its order. Both
    /// the reader and [`Prepared::of_program`] make models here.
    ///
    /// # Errors
    /// [`Problem::Unsound`] unless the program has one input, which `input` fits, and `outputs` are as many as the
    /// program's, all of floats.
    fn new(
        program: Program,
        sha256: [u8; 32],
        metadata: Vec<(String, String)>,
        input: Input,
        outputs: Vec<Output>,
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
        Ok(Prepared { program, sha256, metadata, input, outputs })
    }

    /// A prepared model of a program that was lowered for `signature`. `endings` has one entry for each output.
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
    ) -> Result<Prepared, Problem> {
        let input = Input { name: signature.input.clone(), shape: signature.shape.clone() };
        let outputs = signature.outputs.iter().zip(endings);
        let outputs = outputs.map(|(name, ending)| Output { name: name.clone(), ending }).collect();
        Prepared::new(program, sha256, metadata, input, outputs)
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

    /// The program, with the outputs of `signature`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the graph was prepared for another input, another shape, or without an output of
    /// `signature`; [`Error::TooLarge`] where these outputs take the program beyond the limits of
    /// [`Program::with_outputs`].
    pub(crate) fn program(self, signature: &Signature) -> Result<Program> {
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
        program.with_outputs(&indices).map_err(refusal)
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
