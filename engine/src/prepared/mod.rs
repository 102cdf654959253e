//! Prepared models: a graph that is one program, as a file that opens without an importer.
//!
//! The file says nothing of instruction sets: programs are packed when an engine is made of them. It may come from
//! anybody: only what is read and checked becomes a [`Program`].
//!
//! All numbers are little-endian. A file begins with a head:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | [`MAGIC`] |
//! | 8 | 4 | [`FORM`], the version of this form |
//! | 12 | 32 | SHA-256 of all that follows |
//! | 44 | | the content |
//!
//! `read.rs` and `write.rs` say in which order the content stands; `docs/model-file.md` is the table of it.

mod read;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "onnx"))]
mod write;

use crate::program::{Element, Problem, Program, Step, TensorId};
use crate::signature::Signature;
use crate::tensor::{Dim, ElementType, Ending, TensorInfo};
use crate::{Error, Result};

/// What a file begins with. The first byte is no letter, so that no text begins so; the first two are a key that Protocol
/// Buffers do not have, so that no ONNX file does.
pub(crate) const MAGIC: [u8; 8] = *b"\x8fBEDSIDE";

/// The version of the form.
const FORM: u32 = 2;

/// Where the content begins.
const HEAD_BYTES: usize = 44;

/// A graph that is one program, and what it says besides.
#[derive(Debug, Clone)]
pub struct Prepared {
    program: Program,
    sha256: [u8; 32],
    metadata: Vec<(String, String)>,
    input: Input,
    outputs: Vec<Output>,
}

/// What the caller gives. What it is made of, the program says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Input {
    name: String,
    shape: Vec<usize>,
}

/// What the caller gets. Its shape is the program's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Output {
    name: String,
    ending: Ending,
}

impl Prepared {
    /// A program, of a graph with this hash, with what it is given and gives.
    ///
    /// # Errors
    /// Says what no prepared model may have.
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

    /// The same for a signature, with what each output's values are.
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

    /// Whether these bytes, from the start of a file, are a prepared model's.
    #[must_use]
    pub fn is_start_of(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// SHA-256, in hex, of the graph that this was made from: `Graph::sha256` of the ONNX file. What prepared it wrote it
    /// down; it can't be computed from a prepared model.
    #[must_use]
    pub fn sha256(&self) -> String {
        crate::tensor::hex(&self.sha256)
    }

    /// The value under a metadata key.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Puts a value under a metadata key, in place of one that is there.
    pub fn set_metadata(&mut self, key: &str, value: String) {
        self.metadata.retain(|(known, _)| known != key);
        self.metadata.push((key.into(), value));
    }

    /// The inputs: one, of the shape that the graph was prepared for.
    #[must_use]
    pub fn inputs(&self) -> Vec<TensorInfo> {
        let element = self.program.inputs.first().map(|&TensorId(input)| self.program.tensors[input].element);
        let element = if element == Some(Element::Byte) { ElementType::U8 } else { ElementType::F32 };
        vec![info(&self.input.name, element, &self.input.shape)]
    }

    /// The outputs that the graph was prepared for.
    #[must_use]
    pub fn outputs(&self) -> Vec<TensorInfo> {
        let with_shape = self.outputs.iter().zip(&self.program.outputs);
        with_shape.map(|(output, (_, shape))| info(&output.name, ElementType::F32, shape)).collect()
    }

    /// What the values of an output are.
    #[must_use]
    pub fn ending(&self, output: &str) -> Ending {
        self.outputs.iter().find(|known| known.name == output).map_or(Ending::Other, |known| known.ending)
    }

    /// The multiply-adds of all convolutions and matrix products in one run.
    #[must_use]
    pub fn multiply_adds(&self) -> u64 {
        let of = |step: &Step| match step {
            // Each weight is used once for each output of its channel.
            Step::Convolution(step) => {
                let [batch, height, width, _] = self.program.tensors[step.to.0].shape;
                step.weights.len() as u64 * (batch * height * width) as u64
            }
            _ => 0,
        };
        self.program.steps.iter().map(of).sum()
    }

    #[cfg(fuzzing)]
    pub(crate) fn program_for_fuzzing(&self) -> &Program {
        &self.program
    }

    /// The program, with the outputs that are wanted.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the graph was prepared for something else; [`Error::TooLarge`] where the outputs take more
    /// memory than those of networks.
    pub(crate) fn program(self, signature: &Signature) -> Result<Program> {
        let Prepared { program, input, outputs, .. } = self;
        if (&input.name, &input.shape) != (&signature.input, &signature.shape) {
            return Err(Error::Unsupported(format!(
                "the model was prepared for input \"{}\" of shape {:?}, not for \"{}\" of {:?}; prepare it again",
                input.name, input.shape, signature.input, signature.shape
            )));
        }
        let place = |name: &String| {
            let found = outputs.iter().position(|output| output.name == *name);
            found.ok_or_else(|| Error::Unsupported(format!("the model was prepared without output \"{name}\"")))
        };
        let offsets = signature.outputs.iter().map(place).collect::<Result<Vec<usize>>>()?;
        program.with_outputs(&offsets).map_err(refusal)
    }
}

/// Why a prepared model is refused.
fn refusal(problem: Problem) -> Error {
    match problem {
        Problem::Unsound(what) => Error::Malformed(format!("this prepared model is not sound: {what}")),
        Problem::TooLarge(what) => Error::TooLarge(format!("this prepared model is too large: {what}")),
    }
}

fn info(name: &str, element: ElementType, shape: &[usize]) -> TensorInfo {
    TensorInfo { name: name.into(), element, dims: Some(shape.iter().map(|&length| Dim::Fixed(length)).collect()) }
}
