//! Model files of either kind, prepared or ONNX. The first bytes of a file decide which it is, not its name. The
//! contents are left to `prepared/` and `onnx/graph.rs`.

use std::path::Path;

// With the importer, only the documentation names it.
#[cfg(any(doc, not(feature = "onnx")))]
use crate::Error;
#[cfg(feature = "onnx")]
use crate::onnx::Graph;
use crate::read::model_bytes;
use crate::tensor::{Ending, TensorInfo};
use crate::{Head, Prepared, Result};

/// A decoded model file of either kind.
#[derive(Debug, Clone)]
pub enum ModelFile {
    /// A prepared model: a graph as one program.
    Prepared(Box<Prepared>),
    /// An ONNX graph.
    #[cfg(feature = "onnx")]
    Onnx(Box<Graph>),
}

impl ModelFile {
    /// Reads a model file, and the files in its folder that hold its external data, of at most `max_bytes` bytes
    /// together.
    ///
    /// # Errors
    /// [`Error::Io`] where a file can't be read; [`Error::TooLarge`] where there are more than `max_bytes` bytes, or a
    /// prepared model exceeds the limits of memory or work; [`Error::Malformed`] where the file is no model, or a
    /// damaged one; [`Error::Unsupported`] for a file of another format that is known, for a prepared model of another version, for external data
    /// that is not that of an initializer, and for an ONNX file where the feature `onnx` is off.
    pub fn open(path: &Path, max_bytes: u64) -> Result<ModelFile> {
        let bytes = model_bytes(path, max_bytes)?;
        let budget = max_bytes - bytes.len() as u64;
        ModelFile::decode(&bytes, Some((path.parent().unwrap_or(Path::new("")), budget)))
    }

    /// Decodes the bytes of a model file.
    ///
    /// # Errors
    /// As [`ModelFile::open`], but for [`Error::Io`]; [`Error::Unsupported`] also where the model has external data.
    pub fn from_bytes(bytes: &[u8]) -> Result<ModelFile> {
        ModelFile::decode(bytes, None)
    }

    /// Decodes the bytes of a file. `external` is the folder of its external data, and the maximum size of that in
    /// bytes.
    fn decode(bytes: &[u8], external: Option<(&Path, u64)>) -> Result<ModelFile> {
        if Prepared::is_start_of(bytes) {
            return Prepared::from_bytes(bytes).map(ModelFile::from);
        }
        onnx(bytes, external)
    }

    /// The SHA-256 of the ONNX graph, as 64 lowercase hex digits: `Graph::sha256` of the ONNX file, or of the one that
    /// a prepared model was made from.
    #[must_use]
    pub fn sha256(&self) -> String {
        match self {
            ModelFile::Prepared(prepared) => prepared.sha256(),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.sha256().to_owned(),
        }
    }

    /// The value of a metadata key, if the file has it.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        match self {
            ModelFile::Prepared(prepared) => prepared.metadata(key),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.metadata(key),
        }
    }

    /// The inputs that a caller must give: of an ONNX graph, those that no initializer gives.
    #[must_use]
    pub fn inputs(&self) -> Vec<TensorInfo> {
        match self {
            ModelFile::Prepared(prepared) => prepared.inputs(),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.inputs(),
        }
    }

    /// The outputs, in the file's order.
    #[must_use]
    pub fn outputs(&self) -> Vec<TensorInfo> {
        match self {
            ModelFile::Prepared(prepared) => prepared.outputs(),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.outputs(),
        }
    }

    /// The linear head of `output`, with its weights as reals: the same numbers from either kind of file.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) where the file has no such output, or the output has no such
    /// head; it has the reason.
    pub fn head(&self, output: &str) -> Result<Head> {
        match self {
            ModelFile::Prepared(prepared) => prepared.head(output),
            #[cfg(feature = "onnx")]
            ModelFile::Onnx(graph) => graph.head(output),
        }
    }

    /// How the values of `output` are computed; [`Ending::Other`] where there is no such output.
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

/// Decodes a file that is no prepared model.
#[cfg(feature = "onnx")]
fn onnx(bytes: &[u8], external: Option<(&Path, u64)>) -> Result<ModelFile> {
    Graph::decode(bytes, external).map(ModelFile::from)
}

/// The error of a file that is no prepared model, in a build that reads no others.
#[cfg(not(feature = "onnx"))]
fn onnx(bytes: &[u8], _: Option<(&Path, u64)>) -> Result<ModelFile> {
    let span = crate::wire::graph_span(bytes);
    if span.is_ok() {
        return Err(Error::Unsupported(
            "this is an ONNX model, and this build of Bedside is one without the ONNX importer (feature `onnx`); \
             prepare the model with `bedside pack --prepare`"
                .into(),
        ));
    }
    if let Err(known @ Error::Unsupported(_)) = span {
        return Err(known);
    }
    Err(Error::Malformed(
        "this is not a prepared model, which is all that a build without the ONNX importer (feature `onnx`) reads; \
         `bedside pack --prepare` makes one of an ONNX model"
            .into(),
    ))
}

#[cfg(all(test, not(feature = "onnx")))]
mod tests {
    use super::*;

    #[test]
    fn model_file_recognizes_onnx_without_the_importer() {
        // `ir_version` 8 (field 1, varint) and `graph` with three bytes (field 7).
        let onnx = [0x08, 0x08, 0x3a, 0x03, 0x12, 0x01, b'g'];
        let refused = |bytes: &[u8]| ModelFile::from_bytes(bytes).map(drop).expect_err("no prepared model");
        assert!(matches!(refused(&onnx), Error::Unsupported(what) if what.contains("`bedside pack --prepare`")));
        assert!(matches!(refused(b"This is a text file.\n"), Error::Malformed(_)));
        assert!(matches!(refused(b""), Error::Malformed(_)));
    }
}
