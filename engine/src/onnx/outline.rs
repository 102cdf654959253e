//! The node at which tract panics while it imports a graph.
//!
//! tract asserts its own invariants, and a damaged graph may break one. Its panics don't say where; so the graph is imported
//! again from ever shorter beginnings, until one node makes the difference.

use std::panic::{AssertUnwindSafe, catch_unwind};

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

use crate::engine::panic_message;
use crate::onnx::operators::{full_name, node_name};
use crate::{Error, Result};

/// Constants of more bytes than this are kept without their values: those that say something of shapes are small.
const MOST_BYTES: usize = 1 << 12;

/// No constant is filled with more zeros than this.
const MOST_FILLED: usize = 1 << 28;

/// A graph without the values of its large constants.
pub(super) struct Outline {
    model: ModelProto,
}

impl Outline {
    pub(super) fn of(model: &ModelProto) -> Outline {
        let graph = model.graph.as_ref().map(|graph| GraphProto {
            node: graph.node.iter().map(node).collect(),
            name: graph.name.clone(),
            initializer: graph.initializer.iter().map(tensor).collect(),
            input: graph.input.clone(),
            output: graph.output.clone(),
            ..GraphProto::default()
        });
        let (ir_version, opset_import) = (model.ir_version, model.opset_import.clone());
        Outline { model: ModelProto { ir_version, opset_import, graph, ..ModelProto::default() } }
    }

    /// Does what has tract import the graph.
    ///
    /// # Errors
    /// What `work` gives; [`Error::Malformed`] where it panics, with the node at which `import`, given the graph up to that
    /// node, panics too.
    pub(super) fn import<T>(
        &self,
        import: impl Fn(&ModelProto) -> Result<()>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        caught(work).unwrap_or_else(|panic| {
            let panics_at = |nodes: usize| {
                let beginning = self.beginning(nodes);
                caught(|| import(&beginning)).is_err()
            };
            let nodes = self.nodes();
            // If the beginnings don't panic, what did is named by no node.
            let (mut sound, mut panics) = (0, nodes.len());
            let is_reproduced = panics_at(panics);
            while is_reproduced && panics - sound > 1 {
                let middle = usize::midpoint(sound, panics);
                if panics_at(middle) { panics = middle } else { sound = middle }
            }
            let place = match nodes.get(panics.wrapping_sub(1)).filter(|_| is_reproduced) {
                Some(node) => format!("operator {} at node \"{}\"", full_name(node), node_name(node)),
                None => "the graph".into(),
            };
            let what = panic_message(&*panic);
            Err(Error::Malformed(format!(
                "{place} can't be imported: {what}; the file is damaged, export the model again"
            )))
        })
    }

    fn nodes(&self) -> &[NodeProto] {
        self.model.graph.as_ref().map_or(&[], |graph| &graph.node)
    }

    /// The graph up to so many nodes, which gives what the last of them gives. Large constants are zeros.
    fn beginning(&self, nodes: usize) -> ModelProto {
        let mut model = self.model.clone();
        if let Some(graph) = &mut model.graph {
            let all = nodes >= graph.node.len();
            graph.node.truncate(nodes);
            let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
            let constants = attributes.filter_map(|attribute| attribute.t.as_mut());
            graph.initializer.iter_mut().chain(constants).for_each(fill);
            let last = graph.node.last().filter(|_| !all);
            if let Some(last) = last {
                let info = |name: &String| ValueInfoProto { name: name.clone(), ..ValueInfoProto::default() };
                graph.output = last.output.iter().filter(|name| !name.is_empty()).map(info).collect();
            }
        }
        model
    }
}

/// What `work` gives, or what tract panics with.
fn caught<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    #[cfg(fuzzing)]
    let _importing = crate::fuzzing::importing();
    catch_unwind(AssertUnwindSafe(work))
}

fn node(node: &NodeProto) -> NodeProto {
    let attribute = |attribute: &AttributeProto| AttributeProto {
        t: attribute.t.as_ref().map(tensor),
        name: attribute.name.clone(),
        ref_attr_name: attribute.ref_attr_name.clone(),
        r#type: attribute.r#type,
        f: attribute.f,
        i: attribute.i,
        s: attribute.s.clone(),
        floats: attribute.floats.clone(),
        ints: attribute.ints.clone(),
        strings: attribute.strings.clone(),
        ..AttributeProto::default()
    };
    NodeProto {
        input: node.input.clone(),
        output: node.output.clone(),
        name: node.name.clone(),
        op_type: node.op_type.clone(),
        domain: node.domain.clone(),
        attribute: node.attribute.iter().map(attribute).collect(),
        ..NodeProto::default()
    }
}

/// A constant, without its values where they are many.
fn tensor(tensor: &TensorProto) -> TensorProto {
    let numbers = tensor.float_data.len()
        + tensor.int32_data.len()
        + tensor.int64_data.len()
        + tensor.double_data.len()
        + tensor.uint64_data.len();
    if tensor.raw_data.len().max(numbers) <= MOST_BYTES {
        return tensor.clone();
    }
    let (dims, data_type, name) = (tensor.dims.clone(), tensor.data_type, tensor.name.clone());
    TensorProto { dims, data_type, name, ..TensorProto::default() }
}

/// Gives a constant zeros for the values that [`tensor`] left out.
fn fill(tensor: &mut TensorProto) {
    let size = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Uint8 | DataType::Int8 | DataType::Bool) => 1,
        Ok(DataType::Float | DataType::Int32 | DataType::Uint32) => 4,
        Ok(DataType::Int64 | DataType::Uint64 | DataType::Double) => 8,
        _ => return,
    };
    let bytes = tensor.dims.iter().try_fold(size, |bytes: usize, &dim| bytes.checked_mul(usize::try_from(dim).ok()?));
    let is_empty = tensor.encoded_len() < MOST_BYTES && tensor.raw_data.is_empty();
    if let Some(bytes) = bytes.filter(|bytes| is_empty && (MOST_BYTES..MOST_FILLED).contains(bytes)) {
        tensor.raw_data = vec![0; bytes];
    }
}
