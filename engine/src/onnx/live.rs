//! Dead-node elimination: finds the nodes that outputs depend on. Callers drop the others.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::NodeProto;

/// Whether one of the tensors `outputs` depends on each node. Nodes may stand in any order.
pub(crate) fn live_nodes<'a>(nodes: &'a [NodeProto], outputs: impl IntoIterator<Item = &'a str>) -> Vec<bool> {
    let mut producers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, node) in nodes.iter().enumerate() {
        named(&node.output).for_each(|name| producers.entry(name).or_default().push(number));
    }
    let mut live = vec![false; nodes.len()];
    let mut seen = HashSet::new();
    let mut open: Vec<&str> = outputs.into_iter().filter(|name| !name.is_empty()).collect();
    while let Some(name) = open.pop() {
        for &number in producers.get(name).into_iter().flatten().filter(|_| seen.insert(name)) {
            if !std::mem::replace(&mut live[number], true) {
                open.extend(named(&nodes[number].input));
            }
        }
    }
    live
}

/// The names that are not empty: an empty one stands for an absent input or output.
fn named(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(inputs: &[&str], output: &str) -> NodeProto {
        NodeProto {
            input: inputs.iter().map(|&name| name.into()).collect(),
            output: vec![output.into()],
            ..NodeProto::default()
        }
    }

    #[test]
    fn live_nodes_are_those_that_an_output_depends_on_in_any_order() {
        let nodes =
            [node(&["b", ""], "out"), node(&["a"], "b"), node(&["a"], "dead"), node(&["x"], "a"), node(&["x"], "")];
        assert_eq!(live_nodes(&nodes, ["out", ""]), [true, true, false, true, false]);
        assert_eq!(live_nodes(&nodes, ["x"]), [false; 5]);
        // A damaged graph may have a cycle.
        let cycle = [node(&["b"], "a"), node(&["a"], "b")];
        assert_eq!(live_nodes(&cycle, ["a"]), [true, true]);
    }
}
