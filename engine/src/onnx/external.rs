//! Reads external data, the weights in files beside the graph (`model.onnx.data`), into the graph.
//!
//! This happens before any other code reads the graph, so that all other code finds weights inside it. A location may
//! not leave the model's folder (ONNX specification, `TensorProto.external_data`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{GraphProto, TensorProto};

use crate::{Error, Result};

/// Whether any tensor of the graph, or of a subgraph, has external data.
pub(crate) fn has_external(graph: &GraphProto) -> bool {
    graph.initializer.iter().any(is_external)
        || attribute_tensors(graph).any(is_external)
        || subgraphs(graph).any(has_external)
}

/// Reads the data of all external initializers from `folder` into `graph`, at most `budget` bytes together.
///
/// # Errors
/// [`Error::Unsupported`] for external data in attributes and subgraphs, which exporters don't write;
/// [`Error::Malformed`] for a location, offset or length that is not valid; [`Error::TooLarge`] where the data has more
/// than `budget` bytes; [`Error::Io`].
pub(crate) fn inline(graph: &mut GraphProto, folder: &Path, budget: u64) -> Result<()> {
    let mut left = budget;
    for tensor in graph.initializer.iter_mut().filter(|t| is_external(t)) {
        let bytes = read_external(tensor, folder, left)?;
        left -= bytes.len() as u64;
        tensor.raw_data = bytes;
        tensor.data_location = Some(DataLocation::Default as i32);
        tensor.external_data.clear();
    }
    if has_external(graph) {
        return Err(Error::Unsupported(
            "the graph keeps external data in an attribute or an inner graph; save the model with its data inside"
                .into(),
        ));
    }
    Ok(())
}

fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == Some(DataLocation::External as i32)
}

fn attribute_tensors(graph: &GraphProto) -> impl Iterator<Item = &TensorProto> {
    graph.node.iter().flat_map(|n| &n.attribute).flat_map(|a| a.t.iter().chain(&a.tensors))
}

fn subgraphs(graph: &GraphProto) -> impl Iterator<Item = &GraphProto> {
    graph.node.iter().flat_map(|n| &n.attribute).flat_map(|a| a.g.iter().chain(&a.graphs))
}

/// Reads the external data of one tensor, at most `budget` bytes.
fn read_external(tensor: &TensorProto, folder: &Path, budget: u64) -> Result<Vec<u8>> {
    let entries: BTreeMap<&str, &str> =
        tensor.external_data.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())).collect();
    let path = location_path(tensor, folder, entries.get("location").copied().unwrap_or_default())?;
    let failed = |source: io::Error| Error::Io { path: path.clone(), source };

    // A link inside the folder may point out of it.
    let whole = path.canonicalize().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => failed(io::Error::new(
            source.kind(),
            format!("the file with the data of tensor \"{}\" is missing; put it beside the model", tensor.name),
        )),
        _ => failed(source),
    })?;
    if !whole.starts_with(folder_of(folder).canonicalize().map_err(failed)?) || !whole.is_file() {
        return Err(malformed(
            tensor,
            &format!("has its data at {}, which is no file inside the model's folder", path.display()),
        ));
    }
    let mut file = File::open(&whole).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let offset = number(tensor, &entries, "offset")?.unwrap_or(0);
    let length = number(tensor, &entries, "length")?.unwrap_or(size.saturating_sub(offset));
    if offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(malformed(
            tensor,
            &format!("asks for bytes {offset}+{length} of {}, which has {size}", path.display()),
        ));
    }
    if length > budget {
        return Err(Error::TooLarge(format!(
            "tensor \"{}\": the model's data is over the limit for models",
            tensor.name
        )));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| malformed(tensor, "is too long for this machine"))?];
    file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

/// The folder as a path that can be opened: the parent of a bare file name is empty, and means the current folder.
fn folder_of(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// The path of the file that `location` names inside `folder`. It may not exist, or be a link.
fn location_path(tensor: &TensorProto, folder: &Path, location: &str) -> Result<PathBuf> {
    let relative = Path::new(location);
    let inside =
        !location.is_empty() && relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if inside {
        Ok(folder.join(relative))
    } else {
        Err(malformed(tensor, &format!("has its data at \"{location}\", which is not inside the model's folder")))
    }
}

fn number(tensor: &TensorProto, entries: &BTreeMap<&str, &str>, key: &str) -> Result<Option<u64>> {
    entries
        .get(key)
        .map(|text| text.parse().map_err(|_| malformed(tensor, &format!("has a bad {key}, \"{text}\""))))
        .transpose()
}

fn malformed(tensor: &TensorProto, problem: &str) -> Error {
    Error::Malformed(format!("external data: tensor \"{}\" {problem}", tensor.name))
}
