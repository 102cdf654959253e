//! An ONNX file, decoded: its inputs, outputs, operators, metadata and hash. `build.rs` checks what is supported and
//! makes it run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use prost::Message;
use sha2::{Digest, Sha256};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, StringStringEntryProto, ValueInfoProto};

use super::external;
use super::halves::is_half;
use super::names::{full_name, standard_type};
use crate::read::model_bytes;
use crate::tensor::{Dim, ElementType, Ending, TensorInfo, hex};
use crate::{Error, Prepared, Result, wire};

/// A decoded ONNX model. It holds all weights, those from external data too.
#[derive(Debug, Clone)]
pub struct Graph {
    model: ModelProto,
    digest: [u8; 32],
    sha256: String,
}

impl Graph {
    /// Reads an ONNX file, and the files beside it that hold its external data, at most `max_bytes` together.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::TooLarge`] where there are more than `max_bytes`; [`Error::Malformed`];
    /// [`Error::Unsupported`] for a file of another format that is known, for a prepared model, and for external data in attributes
    /// or subgraphs.
    pub fn open(path: &Path, max_bytes: u64) -> Result<Graph> {
        let bytes = model_bytes(path, max_bytes)?;
        let left = max_bytes - bytes.len() as u64;
        Graph::decode(&bytes, Some((path.parent().unwrap_or(Path::new("")), left)))
    }

    /// Decodes an ONNX model from memory.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::Unsupported`] for bytes of another format that is known, for a prepared model, and for a model
    /// with external data.
    pub fn from_bytes(bytes: &[u8]) -> Result<Graph> {
        Graph::decode(bytes, None)
    }

    /// Decodes the bytes of an ONNX file. External data is read from `folder`, whose second part is the maximum number
    /// of bytes of that data; without a folder, external data is an error.
    pub(crate) fn decode(bytes: &[u8], folder: Option<(&Path, u64)>) -> Result<Graph> {
        if Prepared::is_start_of(bytes) {
            return Err(Error::Unsupported(
                "this is a prepared model, which has no graph any more; give the ONNX file that it was made from"
                    .into(),
            ));
        }
        let span = wire::graph_span(bytes)?;
        let mut hash = Sha256::new_with_prefix(&bytes[span]);
        let mut model = ModelProto::decode(bytes)
            .map_err(|error| Error::Malformed(format!("this is not a sound ONNX model: {error}; export it again")))?;
        let graph = model.graph.as_mut().ok_or_else(|| Error::Malformed("the ONNX model has no graph".into()))?;
        check_names(graph)?;
        if external::has_external(graph) {
            let (folder, budget) = folder.ok_or_else(|| {
                Error::Unsupported(
                    "the model keeps its weights in other files, which can't be found from bytes in memory; open it by \
                     its path, or `bedside pack` it into one file"
                        .into(),
                )
            })?;
            let names: HashSet<String> = external_names(graph);
            external::inline(graph, folder, budget)?;
            for tensor in graph.initializer.iter().filter(|t| names.contains(&t.name)) {
                hash.update(&tensor.raw_data);
            }
        }
        let digest = hash.finalize().into();
        Ok(Graph { model, digest, sha256: hex(&digest) })
    }

    /// SHA-256, in lowercase hex, of the `GraphProto` bytes as they are in the file (field 7 of `ModelProto`), followed
    /// by the bytes of each external initializer in the graph's order. It is the hash of the file that was read:
    /// changes of the graph after reading, and metadata, do not change it.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// [`Graph::sha256`] in bytes.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// All metadata, by key.
    pub(crate) fn all_metadata(&self) -> Vec<(String, String)> {
        self.model.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    }

    /// The value under a metadata key.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
    }

    /// Sets the value of a metadata key, and replaces one that is there.
    pub fn set_metadata(&mut self, key: &str, value: String) {
        self.model.metadata_props.retain(|entry| entry.key != key);
        self.model.metadata_props.push(StringStringEntryProto { key: key.into(), value });
    }

    /// The inputs that a caller must give: those that are no initializers.
    #[must_use]
    pub fn inputs(&self) -> Vec<TensorInfo> {
        let given: HashSet<&str> = self.proto().initializer.iter().map(|t| t.name.as_str()).collect();
        self.proto().input.iter().filter(|info| !given.contains(info.name.as_str())).map(tensor_info).collect()
    }

    /// The outputs.
    #[must_use]
    pub fn outputs(&self) -> Vec<TensorInfo> {
        self.proto().output.iter().map(tensor_info).collect()
    }

    /// What the values of `output` are, as far as the last operator tells. Operators that only reshape, quantize or
    /// cast values do not count.
    #[must_use]
    pub fn ending(&self, output: &str) -> Ending {
        let nodes = &self.proto().node;
        let producers: HashMap<&str, &NodeProto> =
            nodes.iter().flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node))).collect();
        let mut tensor = output;
        // A valid graph has no cycle; the bound ends the loop on a graph that has one.
        for _ in 0..nodes.len() {
            let Some(node) = producers.get(tensor) else { break };
            match standard_type(node) {
                "Softmax" => return Ending::Softmax,
                "Sigmoid" => return Ending::Sigmoid,
                "Identity" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Cast" | "QuantizeLinear"
                | "DequantizeLinear" => match node.input.first() {
                    Some(input) => tensor = input,
                    None => break,
                },
                _ => break,
            }
        }
        Ending::Other
    }

    /// The number of nodes of each operator, by the operator's full name.
    #[must_use]
    pub fn operators(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for node in &self.proto().node {
            *counts.entry(full_name(node)).or_default() += 1;
        }
        counts
    }

    /// The number of learned values: the elements of all float32, float16, uint8, int8 and int32 initializers that are
    /// not scalars, without the scales and zero points of `QuantizeLinear` and `DequantizeLinear`. Tensors of int64 are
    /// shapes and indices.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        let quantization: HashSet<&str> = self.proto().node.iter().flat_map(quantization_inputs).collect();
        let is_weight = |data_type: i32| {
            [DataType::Float, DataType::Float16, DataType::Uint8, DataType::Int8, DataType::Int32]
                .iter()
                .any(|t| *t as i32 == data_type)
        };
        self.proto()
            .initializer
            .iter()
            .filter(|t| is_weight(t.data_type) && !t.dims.is_empty() && !quantization.contains(t.name.as_str()))
            .map(|t| t.dims.iter().map(|&d| d.max(0) as u64).fold(1, u64::saturating_mul))
            .fold(0, u64::saturating_add)
    }

    /// The version of the standard operator set (opset).
    #[must_use]
    pub fn opset(&self) -> Option<i64> {
        self.model.opset_import.iter().find(|o| o.domain.is_empty() || o.domain == "ai.onnx").map(|o| o.version)
    }

    /// The program that wrote the file, with its version.
    #[must_use]
    pub fn producer(&self) -> String {
        [self.model.producer_name.as_str(), self.model.producer_version.as_str()].join(" ").trim().to_owned()
    }

    /// Gives the input of this name a fixed shape, and removes the shapes of inner tensors (`value_info`), which were
    /// inferred from the old one.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where there is no such input.
    pub fn fix_input_shape(&mut self, input: &str, shape: &[usize]) -> Result<()> {
        let graph = self.proto_mut();
        let info = graph.input.iter_mut().find(|info| info.name == input);
        let Some(TypeValue::TensorType(tensor)) = info.and_then(|i| i.r#type.as_mut()?.value.as_mut()) else {
            return Err(Error::Unsupported(format!("the graph has no tensor input \"{input}\"")));
        };
        let dims = &mut tensor.shape.get_or_insert_default().dim;
        dims.resize_with(shape.len(), Default::default);
        for (dim, &length) in dims.iter_mut().zip(shape) {
            dim.value = Some(DimValue::DimValue(length as i64));
        }
        graph.value_info.clear();
        Ok(())
    }

    /// Sets the first axis of every output to length 1 where it is not fixed.
    pub fn fix_output_batch(&mut self) {
        for info in &mut self.proto_mut().output {
            let Some(TypeValue::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut()) else {
                continue;
            };
            if let Some(batch) = tensor.shape.as_mut().and_then(|s| s.dim.first_mut())
                && !matches!(batch.value, Some(DimValue::DimValue(_)))
            {
                batch.value = Some(DimValue::DimValue(1));
            }
        }
    }

    /// The model as the bytes of an ONNX file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.model.encode_to_vec()
    }

    /// Removes empty names from the ends of the nodes' inputs: they stand for absent optional inputs, but tract counts
    /// them as inputs.
    pub(crate) fn drop_trailing_inputs(&mut self) {
        for node in &mut self.proto_mut().node {
            while node.input.last().is_some_and(String::is_empty) {
                node.input.pop();
            }
        }
    }

    /// Removes the names of symbolic axes of inputs and outputs, because tract would parse each as an expression.
    pub(crate) fn forget_symbols(&mut self) {
        let graph = self.proto_mut();
        for info in graph.input.iter_mut().chain(&mut graph.output) {
            let Some(TypeValue::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut()) else {
                continue;
            };
            for dim in tensor.shape.iter_mut().flat_map(|shape| &mut shape.dim) {
                if matches!(dim.value, Some(DimValue::DimParam(_))) {
                    dim.value = None;
                }
            }
        }
        graph.value_info.clear();
    }

    /// The decoded model.
    pub(crate) fn model(&self) -> &ModelProto {
        &self.model
    }

    /// The graph of the model.
    pub(crate) fn proto(&self) -> &GraphProto {
        self.model.graph.as_ref().expect("checked when decoded")
    }

    /// The graph of the model, to change it.
    pub(crate) fn proto_mut(&mut self) -> &mut GraphProto {
        self.model.graph.as_mut().expect("checked when decoded")
    }
}

/// Checks that every tensor has one definition. With two, the checks could see another one than the run.
///
/// # Errors
/// [`Error::Malformed`] names a tensor that is defined twice.
fn check_names(graph: &GraphProto) -> Result<()> {
    let outputs = graph.node.iter().flat_map(|node| &node.output).filter(|name| !name.is_empty());
    let lists: [(&str, Vec<&String>); 3] = [
        ("input", graph.input.iter().map(|info| &info.name).collect()),
        ("initializer", graph.initializer.iter().map(|tensor| &tensor.name).collect()),
        ("node output", outputs.collect()),
    ];
    for (kind, names) in lists {
        let mut seen = HashSet::new();
        if let Some(twice) = names.into_iter().find(|name| !seen.insert(*name)) {
            return Err(Error::Malformed(format!("the {kind} \"{twice}\" stands twice; export the model again")));
        }
    }
    // An initializer may be listed as an input too, and is then its default value. A node's output may be neither.
    let given: HashSet<&str> = graph
        .input
        .iter()
        .map(|info| info.name.as_str())
        .chain(graph.initializer.iter().map(|tensor| tensor.name.as_str()))
        .collect();
    match graph.node.iter().flat_map(|node| &node.output).find(|name| given.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::Malformed(format!(
            "a node makes the tensor \"{name}\", which is an input or an initializer too; export the model again"
        ))),
    }
}

/// The names of all initializers with entries of external data.
fn external_names(graph: &GraphProto) -> HashSet<String> {
    graph.initializer.iter().filter(|t| !t.external_data.is_empty()).map(|t| t.name.clone()).collect()
}

/// The scale and zero-point inputs of a `QuantizeLinear` or `DequantizeLinear`; none of other nodes.
fn quantization_inputs(node: &NodeProto) -> Vec<&str> {
    match standard_type(node) {
        "QuantizeLinear" | "DequantizeLinear" => node.input.iter().skip(1).map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn tensor_info(info: &ValueInfoProto) -> TensorInfo {
    let tensor = info.r#type.as_ref().and_then(|t| t.value.as_ref()).map(|TypeValue::TensorType(tensor)| tensor);
    let element = match tensor.map_or(0, |t| t.elem_type) {
        1 => ElementType::F32,
        half if is_half(half.into()) => ElementType::F16,
        2 => ElementType::U8,
        other => ElementType::Other(other),
    };
    let dims = tensor.and_then(|t| t.shape.as_ref()).map(|shape| {
        let dim = |value: &Option<DimValue>| match value {
            Some(DimValue::DimValue(length)) if *length >= 0 => Dim::Fixed(*length as usize),
            Some(DimValue::DimParam(name)) => Dim::Symbolic(name.clone()),
            _ => Dim::Symbolic(String::new()),
        };
        shape.dim.iter().map(|d| dim(&d.value)).collect()
    });
    TensorInfo { name: info.name.clone(), element, dims }
}
