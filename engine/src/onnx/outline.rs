//! Finds the node at which tract panics while it imports a graph.
//!
//! tract asserts its own invariants, and a damaged graph may break one. The panic does not name the node. So prefixes
//! of the graph are imported again, in a binary search for the shortest one with which tract panics. `panics.rs` tells
//! tract's panics from those of this crate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

use crate::guard::panic_message;
use crate::onnx::limits::bytes;
use crate::onnx::names::{full_name, node_name};
use crate::onnx::panics::catch_import_panic;
use crate::{Error, Result};

/// An outline keeps the values of constants up to this many bytes. Constants that describe shapes are smaller.
const MAX_BYTES: u64 = 1 << 12;

/// A graph without the values of its large constants. It is small enough to be kept until the import has ended, when
/// the graph itself may be dropped already.
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

    /// Runs `work`, in which tract imports the graph. `import` does the same with another model; it is called with
    /// prefixes of the graph where tract panics in `work`.
    ///
    /// # Errors
    /// Those of `work`; [`Error::Malformed`] where tract panics in it. It names the last node of the shortest prefix of
    /// the graph with which `import` panics too.
    ///
    /// # Panics
    /// Where code of this crate panics inside `work`.
    pub(super) fn import<T>(
        &self,
        import: impl Fn(&ModelProto) -> Result<()>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        catch_import_panic(work).unwrap_or_else(|panic| {
            let panics_at = |nodes: usize| {
                let prefix = self.prefix(nodes);
                // A panic of this crate on a prefix does not tell where tract panicked.
                catch_unwind(AssertUnwindSafe(|| catch_import_panic(|| import(&prefix))))
                    .is_ok_and(|outcome| outcome.is_err())
            };
            let nodes = self.nodes();
            // Where not even the whole outline panics again, no node can be named.
            let (mut sound, mut panics) = (0, nodes.len());
            let is_reproduced = panics_at(panics);
            while is_reproduced && panics - sound > 1 {
                let middle = usize::midpoint(sound, panics);
                if panics_at(middle) { panics = middle } else { sound = middle }
            }
            let location = match nodes.get(panics.wrapping_sub(1)).filter(|_| is_reproduced) {
                Some(node) => format!("operator {} at node \"{}\"", full_name(node), node_name(node)),
                None => "the graph".into(),
            };
            let what = panic_message(&*panic);
            Err(Error::Malformed(format!(
                "{location} can't be imported: {what}; the file is damaged, export the model again"
            )))
        })
    }

    fn nodes(&self) -> &[NodeProto] {
        self.model.graph.as_ref().map_or(&[], |graph| &graph.node)
    }

    /// The graph of the first `nodes` nodes, whose outputs are those of the last of them; the graph's own where these
    /// are all nodes. Large constants are zeros.
    fn prefix(&self, nodes: usize) -> ModelProto {
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

/// The outline of a constant. Where the values have more than [`MAX_BYTES`], `doc_string`, which tract ignores, holds
/// their number of bytes instead of them.
fn tensor(tensor: &TensorProto) -> TensorProto {
    let bytes = bytes(tensor);
    if bytes <= MAX_BYTES {
        return TensorProto { doc_string: String::new(), ..tensor.clone() };
    }
    let (dims, data_type, name) = (tensor.dims.clone(), tensor.data_type, tensor.name.clone());
    TensorProto { dims, data_type, name, doc_string: bytes.to_string(), ..TensorProto::default() }
}

/// Gives a constant zeros for the values that [`tensor`] left out, at most as many bytes as those had. A shape may ask
/// for more than the file holds, and a hostile one must not get it.
fn fill(tensor: &mut TensorProto) {
    let Ok(length) = tensor.doc_string.parse::<usize>() else { return };
    let size = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Uint8 | DataType::Int8 | DataType::Bool) => 1,
        Ok(DataType::Float | DataType::Int32 | DataType::Uint32) => 4,
        Ok(DataType::Int64 | DataType::Uint64 | DataType::Double) => 8,
        _ => return,
    };
    let bytes = tensor.dims.iter().try_fold(size, |bytes: usize, &dim| bytes.checked_mul(usize::try_from(dim).ok()?));
    tensor.raw_data = vec![0; bytes.unwrap_or(length).min(length)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outline_fills_constants_up_to_their_original_size() {
        let constant = |dims: &[i64], bytes: usize| TensorProto {
            dims: dims.into(),
            data_type: DataType::Float as i32,
            raw_data: vec![1; bytes],
            doc_string: "99999999".into(),
            ..TensorProto::default()
        };
        let cases = [
            (constant(&[2000], 8000), 8000),
            // Fewer bytes than the shape asks for, then more, then a shape whose size overflows.
            (constant(&[1 << 26], 8000), 8000),
            (constant(&[1500], 8000), 6000),
            (constant(&[1 << 40, 1 << 40], 8000), 8000),
            // No bytes at all; and few, which the outline keeps.
            (constant(&[1 << 26], 0), 0),
            (constant(&[2], 8), 8),
        ];
        let initializer = cases.iter().map(|(tensor, _)| tensor.clone()).collect();
        let graph = GraphProto { initializer, ..GraphProto::default() };
        let outline = Outline::of(&ModelProto { graph: Some(graph), ..ModelProto::default() });
        let filled = outline.prefix(0).graph.expect("a graph").initializer;
        assert_eq!(
            filled.iter().map(|tensor| tensor.raw_data.len()).collect::<Vec<_>>(),
            cases.map(|(_, bytes)| bytes)
        );
    }
}
