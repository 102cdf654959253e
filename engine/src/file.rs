//! A model file of either kind, told apart by its first bytes, whatever its name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

#[cfg(feature = "onnx")]
use crate::onnx::Graph;
use crate::tensor::{Ending, TensorInfo};
use crate::{Error, Prepared, Result};

/// What a model file holds.
#[derive(Debug, Clone)]
pub enum ModelFile {
    /// A program that is ready to be packed.
    Prepared(Box<Prepared>),
    /// An ONNX graph.
    #[cfg(feature = "onnx")]
    Onnx(Box<Graph>),
}

impl ModelFile {
    /// Reads a model file, and the files beside it that hold its external data, at most `max_bytes` together.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::TooLarge`], [`Error::Malformed`]; [`Error::Unsupported`] for an ONNX file where the feature
    /// `onnx` is off.
    pub fn open(path: &Path, max_bytes: u64) -> Result<ModelFile> {
        let bytes = read_bounded(path, max_bytes)?;
        let left = max_bytes - bytes.len() as u64;
        ModelFile::decode(&bytes, Some((path.parent().unwrap_or(Path::new("")), left)))
    }

    /// Decodes a model file from memory.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::Unsupported`] where it keeps data in other files, and for an ONNX file where the
    /// feature `onnx` is off.
    pub fn from_bytes(bytes: &[u8]) -> Result<ModelFile> {
        ModelFile::decode(bytes, None)
    }

    /// Decodes what stands in a file. External data is read from a folder, up to so many bytes.
    fn decode(bytes: &[u8], beside: Option<(&Path, u64)>) -> Result<ModelFile> {
        if Prepared::is_start_of(bytes) {
            return Prepared::from_bytes(bytes).map(ModelFile::from);
        }
        onnx(bytes, beside)
    }

    /// SHA-256, in hex, of the graph: of an ONNX file, as `Graph::sha256` has it; of a prepared one, that of the ONNX file
    /// that it was made from.
    #[must_use]
    pub fn sha256(&self) -> String {
        match self {
            ModelFile::Prepared(prepared) => prepared.sha256(),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.sha256().to_owned(),
        }
    }

    /// The value under a metadata key.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        match self {
            ModelFile::Prepared(prepared) => prepared.metadata(key),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.metadata(key),
        }
    }

    /// The inputs that a caller must give.
    #[must_use]
    pub fn inputs(&self) -> Vec<TensorInfo> {
        match self {
            ModelFile::Prepared(prepared) => prepared.inputs(),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.inputs(),
        }
    }

    /// The outputs.
    #[must_use]
    pub fn outputs(&self) -> Vec<TensorInfo> {
        match self {
            ModelFile::Prepared(prepared) => prepared.outputs(),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.outputs(),
        }
    }

    /// What the values of `output` are, as far as the graph's last operator tells.
    #[must_use]
    pub fn ending(&self, output: &str) -> Ending {
        match self {
            ModelFile::Prepared(prepared) => prepared.ending(output),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.ending(output),
        }
    }
}

#[cfg(feature = "onnx")]
impl From<Graph> for ModelFile {
    fn from(graph: Graph) -> ModelFile {
        ModelFile::Onnx(Box::new(graph))
    }
}

impl From<Prepared> for ModelFile {
    fn from(prepared: Prepared) -> ModelFile {
        ModelFile::Prepared(Box::new(prepared))
    }
}

#[cfg(feature = "onnx")]
fn onnx(bytes: &[u8], beside: Option<(&Path, u64)>) -> Result<ModelFile> {
    Graph::decode(bytes, beside).map(ModelFile::from)
}

/// Why a file that is not prepared does not open.
#[cfg(not(feature = "onnx"))]
fn onnx(bytes: &[u8], _: Option<(&Path, u64)>) -> Result<ModelFile> {
    if crate::wire::graph_span(bytes).is_ok() {
        return Err(Error::Unsupported(
            "this is an ONNX model, and this build of Bedside is one without the ONNX importer (feature `onnx`); prepare \
             the model with `bedside pack --prepare`"
                .into(),
        ));
    }
    Err(Error::Malformed(
        "this is not a prepared model, which is all that a build without the ONNX importer (feature `onnx`) reads; \
         `bedside pack --prepare` makes one of an ONNX model"
            .into(),
    ))
}

/// A file's bytes, if they are no more than so many.
pub(crate) fn read_bounded(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(Error::Malformed("this is not a file, but a device or a pipe; give a model file".into()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(max_bytes)).unwrap_or(0));
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max_bytes {
        return Err(Error::TooLarge(format!("the model is larger than the limit of {max_bytes} bytes")));
    }
    Ok(bytes)
}

#[cfg(all(test, not(feature = "onnx")))]
mod tests {
    use super::*;

    #[test]
    fn without_the_importer_an_onnx_model_is_called_one() {
        // `ir_version` 8 (field 1, varint) and `graph` with three bytes (field 7).
        let onnx = [0x08, 0x08, 0x3a, 0x03, 0x12, 0x01, b'g'];
        let refused = |bytes: &[u8]| ModelFile::from_bytes(bytes).map(drop).expect_err("no prepared model");
        assert!(matches!(refused(&onnx), Error::Unsupported(what) if what.contains("`bedside pack --prepare`")));
        assert!(matches!(refused(b"This is a text file.\n"), Error::Malformed(_)));
        assert!(matches!(refused(b""), Error::Malformed(_)));
    }
}
