//! Graphs of which a part is quantized: islands of steps, and the rest for tract.
//!
//! Nodes are lowered one after the other, as ever; one that can't be is left to tract, and what it reads is handed over to
//! it. All steps make one program at first, which is then cut where something must come back from tract: a step belongs
//! to the island after the last one that its inputs wait for. So islands never wait for each other in a circle.

use std::collections::{BTreeMap, HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::value::{Kind, Value};
use super::{Lowering, Reason, Unlowered, needed, tidy};
use crate::onnx::operators::{full_name, node_name};
use crate::program::{Element, Program, Step, TensorId};

/// Element type and shape of the tensors that tract knows.
pub(crate) type Facts = HashMap<String, (DataType, Vec<usize>)>;

/// A graph cut into what runs in integers and what doesn't.
#[derive(Debug)]
pub(crate) struct Split {
    /// In an order in which they can run.
    pub(crate) islands: Vec<Island>,
    /// The nodes that are left to tract, and constants that they have more.
    pub(crate) rest: Vec<NodeProto>,
    pub(crate) constants: Vec<TensorProto>,
    /// Why each of them is.
    pub(crate) floats: Vec<Unlowered>,
}

/// A program, and the tensors through which it is joined to the rest.
#[derive(Debug)]
pub(crate) struct Island {
    pub(crate) program: Program,
    pub(crate) inputs: Vec<Crossing>,
    pub(crate) outputs: Vec<Crossing>,
}

/// A tensor that crosses the border, by its name in the graph that tract has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) name: String,
    pub(crate) traffic: Traffic,
    pub(crate) shape: Vec<usize>,
}

/// What crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    Floats,
    Unsigned,
    /// Bytes are 128 higher.
    Signed,
}

/// What the lowering knows of the rest of the graph.
pub(super) struct Outside<'a> {
    facts: &'a Facts,
    /// How many islands must have run before tract can have made a tensor.
    ranks: HashMap<&'a str, usize>,
    /// What was taken in, in the order of the program's inputs.
    taken: Vec<(&'a str, Traffic)>,
    values: HashMap<&'a str, Value>,
    /// What is handed over.
    handed: BTreeMap<&'a str, (TensorId, Crossing)>,
}

/// The name of the tensor that something else must make, and why.
type Stuck = (String, Unlowered);

/// Cuts a graph, of whose tensors `facts` tells what tract knows. None where nothing of it can be lowered.
pub(crate) fn partly(graph: &GraphProto, facts: &Facts) -> Option<Split> {
    let mut left = HashMap::new();
    // Each turn leaves at least one more node to tract.
    for _ in 0..=graph.node.len() {
        match attempt(graph, facts, &left) {
            Ok(split) => return split,
            Err((name, reason)) if !left.contains_key(&name) => left.insert(name, reason),
            Err(_) => return None,
        };
    }
    None
}

fn attempt(graph: &GraphProto, facts: &Facts, left: &HashMap<String, Unlowered>) -> Result<Option<Split>, Stuck> {
    let mut lowering = Lowering::of(graph);
    let (ranks, taken, values) = (HashMap::new(), vec![], HashMap::new());
    lowering.outside = Some(Outside { facts, ranks, taken, values, handed: BTreeMap::new() });
    let (wanted, mut floats, mut names) = (needed(graph), vec![], HashSet::new());
    for node in graph.node.iter().filter(|node| node.output.iter().any(|name| wanted.contains(name.as_str()))) {
        let known = node.output.iter().find_map(|name| left.get(name));
        let result = match known {
            Some(unlowered) => Err(unlowered.reason.clone()),
            None => lowering.node(node),
        };
        if let Err(reason) = result {
            lowering.leave(node)?;
            names.extend(node.output.iter().map(String::as_str));
            floats.push(Unlowered { operator: full_name(node), node: node_name(node).into(), reason });
        }
    }
    for info in &graph.output {
        lowering.hand_over(&info.name)?;
    }
    Ok(lowering.split(graph, &names, floats))
}

impl<'a> Lowering<'a> {
    /// The value of a node's first input, taken in from tract where that makes it.
    pub(super) fn value_or_outside(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let name = node.input.first().ok_or("too few inputs")?.as_str();
        if self.values.contains_key(name) || self.outside.is_none() || self.constants.has(name) {
            return self.value(node, 0);
        }
        let outside = self.outside.as_ref().expect("asked above");
        if let Some(value) = outside.values.get(name) {
            return Ok(value.clone());
        }
        let (element, shape) = outside.facts.get(name).cloned().ok_or("its input's shape is not known")?;
        let making = std::mem::replace(&mut self.making, name);
        let value = self.given(shape, element)?;
        self.making = making;
        let outside = self.outside.as_mut().expect("asked above");
        let traffic = match element {
            DataType::Float => Traffic::Floats,
            DataType::Uint8 => Traffic::Unsigned,
            _ => Traffic::Signed,
        };
        outside.taken.push((name, traffic));
        outside.values.insert(name, value.clone());
        Ok(value)
    }

    /// Leaves a node to tract, and hands over to it what the node reads.
    fn leave(&mut self, node: &'a NodeProto) -> Result<(), Stuck> {
        let mut rank = 0;
        for name in &node.input {
            self.hand_over(name)?;
            rank = rank.max(self.rank(name));
        }
        let outside = self.outside.as_mut().expect("set while a graph is cut");
        outside.ranks.extend(node.output.iter().map(|name| (name.as_str(), rank)));
        Ok(())
    }

    /// How many islands must have run before tract has a tensor.
    fn rank(&self, name: &str) -> usize {
        let outside = self.outside.as_ref().expect("set while a graph is cut");
        match outside.handed.get(name) {
            Some((tensor, _)) => self.levels()[tensor.0] + 1,
            None => outside.ranks.get(name).copied().unwrap_or(0),
        }
    }

    /// The number of the island that makes each tensor.
    fn levels(&self) -> Vec<usize> {
        let mut levels = vec![0; self.program.tensors.len()];
        let outside = self.outside.as_ref().expect("set while a graph is cut");
        for (tensor, (name, _)) in self.program.inputs.iter().zip(&outside.taken) {
            levels[tensor.0] = outside.ranks.get(name).copied().unwrap_or(0);
        }
        for step in &self.program.steps {
            let waits = step.inputs().iter().map(|input| levels[input.0]).max().unwrap_or(0);
            let level = &mut levels[step.output().0];
            *level = waits.max(*level);
        }
        levels
    }

    /// Gives tract a tensor that steps make.
    fn hand_over(&mut self, name: &'a str) -> Result<(), Stuck> {
        let outside = self.outside.as_ref().expect("set while a graph is cut");
        let Some(value) = self.values.get(name).filter(|_| !outside.handed.contains_key(name)).cloned() else {
            return Ok(());
        };
        self.making = name;
        let (tensor, traffic) = match value.kind {
            Kind::Integers { tensor, shift: 0 } => (self.planar(tensor, &value.shape), Traffic::Unsigned),
            Kind::Integers { tensor, .. } => (self.planar(tensor, &value.shape), Traffic::Signed),
            _ => (self.floats(&value), Traffic::Floats),
        };
        let tensor = tensor.map_err(|reason| self.stuck(name, reason))?;
        let crossing = Crossing { name: name.into(), traffic, shape: value.shape };
        let outside = self.outside.as_mut().expect("set while a graph is cut");
        outside.handed.insert(name, (tensor, crossing));
        Ok(())
    }

    fn stuck(&self, name: &str, reason: Reason) -> Stuck {
        let (operator, node) = match self.makers.get(name) {
            Some(node) => (full_name(node), node_name(node).to_owned()),
            None => ("Input".into(), name.into()),
        };
        (name.into(), Unlowered { operator, node, reason })
    }

    /// Cuts the program where it waits for tract. `names` are the tensors that nodes left to tract make.
    fn split(mut self, graph: &'a GraphProto, names: &HashSet<&str>, floats: Vec<Unlowered>) -> Option<Split> {
        let outside = self.outside.as_ref().expect("set while a graph is cut");
        let handed: Vec<(TensorId, Crossing)> = outside.handed.values().cloned().collect();
        self.program.outputs = handed.iter().map(|(tensor, crossing)| (*tensor, crossing.shape.clone())).collect();
        self.program = tidy::tidy(std::mem::take(&mut self.program));
        if self.program.steps.is_empty() || !self.program.fits() {
            return None;
        }
        let levels = self.levels();
        let outside = self.outside.as_ref().expect("set while a graph is cut");
        let cut = Cut { program: &self.program, levels: &levels, handed: &handed, taken: &outside.taken };
        let last = self.program.steps.iter().map(|step| levels[step.output().0]).max().unwrap_or(0);
        let islands: Vec<Island> = (0..=last).filter_map(|level| cut.island(level)).collect();
        let is_left = |node: &&NodeProto| {
            node.output.iter().any(|name| names.contains(name.as_str())) || self.is_of_constants(node)
        };
        let mut rest: Vec<NodeProto> = graph.node.iter().filter(is_left).cloned().collect();
        let inputs = islands.iter().flat_map(|island| island.inputs.iter().map(|crossing| crossing.name.clone()));
        let wanted = graph.output.iter().map(|info| info.name.clone()).chain(inputs).collect();
        keep_needed(&mut rest, wanted);
        let read: HashSet<&str> = rest.iter().flat_map(|node| node.input.iter().map(String::as_str)).collect();
        let constants = self.folded.iter().filter(|(name, _)| read.contains(**name)).map(|(name, numbers)| {
            let dims = if numbers.is_list { vec![numbers.values.len() as i64] } else { vec![] };
            let (name, int64_data) = ((*name).to_owned(), numbers.values.clone());
            TensorProto { name, dims, data_type: DataType::Int64 as i32, int64_data, ..TensorProto::default() }
        });
        let constants = constants.collect();
        Some(Split { islands, rest, constants, floats })
    }
}

/// Drops nodes that nothing wanted depends on.
fn keep_needed(nodes: &mut Vec<NodeProto>, mut wanted: HashSet<String>) {
    let mut kept = Vec::with_capacity(nodes.len());
    for node in std::mem::take(nodes).into_iter().rev() {
        if node.output.iter().any(|name| wanted.contains(name)) {
            wanted.extend(node.input.iter().cloned());
            kept.push(node);
        }
    }
    kept.reverse();
    *nodes = kept;
}

/// One program, and where it is cut.
struct Cut<'a> {
    program: &'a Program,
    levels: &'a [usize],
    handed: &'a [(TensorId, Crossing)],
    taken: &'a [(&'a str, Traffic)],
}

impl Cut<'_> {
    /// The steps of one level.
    fn island(&self, level: usize) -> Option<Island> {
        let is_of_level = |id: TensorId| self.levels[id.0] == level;
        let of_level = self.program.steps.iter().filter(|step| is_of_level(step.output()));
        let steps: Vec<_> = of_level.cloned().collect();
        if steps.is_empty() {
            return None;
        }
        let made: HashSet<TensorId> = steps.iter().map(Step::output).collect();
        let mut read: Vec<TensorId> = steps.iter().flat_map(Step::inputs).filter(|id| !made.contains(id)).collect();
        read.sort_unstable();
        read.dedup();
        let later = self.program.steps.iter().filter(|step| self.levels[step.output().0] > level);
        let mut wanted: Vec<TensorId> = later.flat_map(Step::inputs).filter(|id| made.contains(id)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let inputs: Vec<Crossing> = read.iter().map(|&id| self.read(id)).collect();
        let mut outputs: Vec<(TensorId, Crossing)> = wanted.iter().map(|&id| (id, self.inner(id))).collect();
        outputs.extend(self.handed.iter().filter(|(id, _)| made.contains(id)).cloned());
        let program = Program {
            tensors: self.program.tensors.clone(),
            names: self.program.names.clone(),
            steps,
            inputs: read,
            outputs: outputs.iter().map(|(id, crossing)| (*id, crossing.shape.clone())).collect(),
        };
        Some(Island { program, inputs, outputs: outputs.into_iter().map(|(_, crossing)| crossing).collect() })
    }

    /// How a tensor comes in: from tract, or from an island before.
    fn read(&self, id: TensorId) -> Crossing {
        match self.program.inputs.iter().zip(self.taken).find(|(input, _)| **input == id) {
            Some((_, (name, traffic))) => {
                Crossing { name: (*name).into(), traffic: *traffic, shape: vec![self.program.tensors[id.0].len()] }
            }
            None => self.inner(id),
        }
    }

    /// A tensor that goes from island to island, as it lies.
    fn inner(&self, id: TensorId) -> Crossing {
        let kind = &self.program.tensors[id.0];
        let traffic = if kind.element == Element::Byte { Traffic::Unsigned } else { Traffic::Floats };
        Crossing { name: format!("bedside:island:{}", id.0), traffic, shape: kind.shape.to_vec() }
    }
}
