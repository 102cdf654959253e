//! Finds the tensors that taps name in a graph: which of a quantized tensor's three names a tap uses does not matter
//! here any more. `lower/taps.rs` finds them in a program.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{HashMap, HashSet, VecDeque};

use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};

use super::constants::Constants;
use super::live::live_nodes;
use super::names::node_name;
use crate::signature::{Signature, Tap};
use crate::{Graph, Result};

/// A tapped tensor of a graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tapped<'a> {
    /// Integers of this name, and the node that has their scale and zero point.
    Integers(&'a str, &'a NodeProto),
    /// Reals that nothing quantizes, or what some operators make of integers.
    Other(&'a str),
}

/// A graph's nodes by the tensors that they make and read.
pub(crate) struct Neighbours<'a> {
    producers: HashMap<&'a str, &'a NodeProto>,
    consumers: HashMap<&'a str, Vec<&'a NodeProto>>,
    constants: Constants<'a>,
}

impl<'a> Neighbours<'a> {
    pub(crate) fn of(graph: &'a GraphProto) -> Neighbours<'a> {
        let (mut producers, mut consumers) = (HashMap::new(), HashMap::<&str, Vec<&NodeProto>>::new());
        for node in &graph.node {
            producers.extend(node.output.iter().map(|name| (name.as_str(), node)));
            for name in node.input.iter().filter(|name| !name.is_empty()) {
                consumers.entry(name).or_default().push(node);
            }
        }
        Neighbours { producers, consumers, constants: Constants::of(graph) }
    }

    /// The nodes of this operator that read a tensor as their first input.
    fn readers(&self, name: &str, operator: &str) -> impl Iterator<Item = &'a NodeProto> {
        let is_reader = move |node: &&NodeProto| node.op_type == operator && node.input[0] == name;
        self.consumers.get(name).into_iter().flatten().copied().filter(is_reader)
    }

    /// The tensor that a tap of this name is of.
    ///
    /// # Errors
    /// The tensor is quantized in two ways.
    pub(crate) fn tapped(&self, name: &'a str) -> Result<Tapped<'a>, String> {
        let producer = self.producers.get(name).copied();
        let of = |operator: &str| producer.filter(|node| node.op_type == operator && !node.input.is_empty());
        if let Some(node) = of("DequantizeLinear") {
            return Ok(Tapped::Integers(&node.input[0], node));
        }
        if let Some(node) = self.readers(name, "DequantizeLinear").next().or(of("QuantizeLinear")) {
            return Ok(Tapped::Integers(name, node));
        }
        let mut readers = self.readers(name, "QuantizeLinear");
        let Some(first) = readers.next() else { return Ok(Tapped::Other(name)) };
        let made = |node: &'a NodeProto| node.output.first().map_or("", String::as_str);
        // Without a scale that is known, each reader counts as another way.
        let alike = |other: &NodeProto| {
            self.constants.activation(first).is_some_and(|one| self.constants.activation(other) == Some(one))
        };
        match readers.find(|other| !alike(other)) {
            None => Ok(Tapped::Integers(made(first), first)),
            Some(other) => Err(format!("it is quantized in two ways; name \"{}\" or \"{}\"", made(first), made(other))),
        }
    }

    /// At most three tensors near one of this name that `can_be_tapped`, the nearest first. Each step goes to what makes
    /// a tensor or to what reads it.
    pub(crate) fn nearby(&self, name: &'a str, mut can_be_tapped: impl FnMut(&'a str) -> bool) -> Vec<&'a str> {
        let (mut seen, mut open) = (HashSet::from([name]), VecDeque::from([name]));
        let mut found = vec![];
        while let Some(name) = open.pop_front() {
            let made_from = self.producers.get(name).into_iter().flat_map(|node| &node.input);
            let made_of_it = self.consumers.get(name).into_iter().flatten().flat_map(|node| &node.output);
            for next in made_of_it.chain(made_from).map(String::as_str) {
                // Constants are read all over the graph.
                if self.constants.has(next) || next.is_empty() || !seen.insert(next) {
                    continue;
                }
                if self.producers.contains_key(next) && can_be_tapped(next) {
                    found.push(next);
                    if found.len() == 3 {
                        return found;
                    }
                }
                open.push_back(next);
            }
        }
        found
    }
}

/// Checks the taps of a signature against a graph that has its outputs: each is of a tensor that nodes compute from the
/// input and that an output depends on.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) and [`Error::Tap`](crate::Error::Tap), as those of
/// [`Signature::check_taps`]; the latter also names any other tap that is refused.
pub(crate) fn check(graph: &GraphProto, signature: &Signature) -> Result<()> {
    signature.check_taps()?;
    if signature.taps.is_empty() {
        return Ok(());
    }
    let live = live_nodes(&graph.node, graph.output.iter().map(|info| info.name.as_str()));
    let is_live: HashMap<&str, bool> = graph
        .node
        .iter()
        .zip(live)
        .flat_map(|(node, live)| node.output.iter().map(move |name| (name.as_str(), live)))
        .collect();
    let varying = varying(graph, &signature.input);
    for tap in &signature.taps {
        let name = tap.name.as_str();
        let is_input = graph.input.iter().any(|info| info.name == name);
        let is_given = graph.initializer.iter().any(|tensor| tensor.name == name);
        let reason = match is_live.get(name) {
            _ if is_given => "it is an initializer",
            _ if is_input => "it is the graph's input",
            None => "the graph has no tensor of this name",
            Some(_) if !varying.contains(name) => "it is a constant",
            Some(false) => "no output depends on it",
            Some(true) => continue,
        };
        return Err(tap.refused(reason));
    }
    Ok(())
}

/// The tensors that depend on the input. Nodes must stand in order.
fn varying<'a>(graph: &'a GraphProto, input: &'a str) -> HashSet<&'a str> {
    let mut varying = HashSet::from([input]);
    for node in &graph.node {
        if node.input.iter().any(|name| varying.contains(name.as_str())) {
            varying.extend(node.output.iter().map(String::as_str));
        }
    }
    varying
}

/// Adds the tapped tensors to the outputs of a graph, each as reals. Gives the index among the outputs of each tap's
/// tensor.
///
/// # Errors
/// [`Error::Tap`](crate::Error::Tap) where a tensor is quantized in two ways.
pub(crate) fn add_outputs(graph: &mut Graph, taps: &[Tap]) -> Result<Vec<usize>> {
    let mut new_nodes = vec![];
    let mut names = vec![];
    let neighbours = Neighbours::of(graph.proto());
    for tap in taps {
        names.push(match neighbours.tapped(&tap.name).map_err(|reason| tap.refused(&reason))? {
            Tapped::Other(name) => name.to_owned(),
            Tapped::Integers(_, node) if node.op_type == "DequantizeLinear" => node.output[0].clone(),
            // Other operators read the integers.
            Tapped::Integers(name, node) => {
                let mut real = format!("{name}/tapped");
                while neighbours.producers.contains_key(real.as_str()) || neighbours.constants.has(&real) {
                    real.push('\'');
                }
                new_nodes.push(NodeProto {
                    op_type: "DequantizeLinear".into(),
                    name: format!("{}/tapped", node_name(node)),
                    input: [&[name.to_owned()], &node.input[1..]].concat(),
                    output: vec![real.clone()],
                    ..NodeProto::default()
                });
                real
            }
        });
    }
    let proto = graph.proto_mut();
    let mut made = HashSet::new();
    proto.node.extend(new_nodes.into_iter().filter(|node| made.insert(node.output[0].clone())));
    let index = |name: String| {
        proto.output.iter().position(|info| info.name == name).unwrap_or_else(|| {
            proto.output.push(ValueInfoProto { name, ..ValueInfoProto::default() });
            proto.output.len() - 1
        })
    };
    Ok(names.into_iter().map(index).collect())
}
