//! Graphs of which a part is quantized: islands of steps, and the fallback_nodes for tract.
//!
//! Nodes are lowered one after the other, as ever; one that can't be is left to tract, and what it reads is handed over to
//! it. All steps make one program at first, which is then cut where something must come back from tract: a step belongs
//! to the island after the last one that its inputs wait for. So islands never wait for each other in a circle. The time
//! that this takes grows with the graph, not with its square: a file may be anybody's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::value::{Kind, Value};
use super::{Lowering, Reason, Unlowered, needed, tidy};
use crate::onnx::names::{full_name, node_name};
use crate::program::{Element, MAX_MEMORY, MAX_WORK, Problem, Program, Step, TensorId, TensorKind, UncheckedProgram};

/// Element type and shape of the tensors that tract knows.
pub(crate) type Facts = HashMap<String, (DataType, Vec<usize>)>;

/// A graph cut into what runs in integers and what doesn't.
#[derive(Debug)]
pub(crate) struct Partitioned {
    /// In an order in which they can run.
    pub(crate) partitions: Vec<Partition>,
    /// The nodes that are left to tract, and constants that they have more.
    pub(crate) fallback_nodes: Vec<NodeProto>,
    pub(crate) constants: Vec<TensorProto>,
    /// Why each of them is.
    pub(crate) floats: Vec<Unlowered>,
}

/// A program, and the tensors through which it is joined to the fallback_nodes.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) program: Program,
    pub(crate) inputs: Vec<BoundaryTensor>,
    pub(crate) outputs: Vec<BoundaryTensor>,
}

/// A tensor that crosses the border, by its name in the graph that tract has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundaryTensor {
    pub(crate) name: String,
    pub(crate) element: BoundaryType,
    pub(crate) shape: Vec<usize>,
}

/// What crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BoundaryType {
    Floats,
    Unsigned,
    /// Bytes are 128 higher.
    Signed,
}

/// What the lowering knows of the fallback_nodes of the graph.
pub(super) struct Fallback<'a> {
    facts: &'a Facts,
    /// How many islands must have run before tract can have made a tensor.
    ranks: HashMap<&'a str, usize>,
    /// The number of the island that makes each tensor of the program; 0 where there is no entry.
    levels: HashMap<TensorId, usize>,
    /// What was taken in, in the order of the program's inputs.
    imported: Vec<(&'a str, BoundaryType)>,
    values: HashMap<&'a str, Value>,
    /// What is handed over.
    exported: BTreeMap<&'a str, (TensorId, BoundaryTensor)>,
    /// The tensors that nodes left to tract make, and why each of these nodes is left.
    left: HashSet<&'a str>,
    floats: Vec<Unlowered>,
    /// Of these, the tensors whose nodes had been lowered before it turned out that they can't be handed over.
    late: HashMap<&'a str, Reason>,
}

impl Fallback<'_> {
    /// Notes which island a step belongs to: the last of those that its inputs wait for.
    pub(super) fn count(&mut self, step: &Step) {
        let waits = step.inputs().iter().map(|input| self.level(*input)).max().unwrap_or(0);
        let level = self.levels.entry(step.output()).or_default();
        *level = waits.max(*level);
    }

    fn level(&self, tensor: TensorId) -> usize {
        self.levels.get(&tensor).copied().unwrap_or(0)
    }

    /// How many islands must have run before tract has a tensor.
    fn rank(&self, name: &str) -> usize {
        match self.exported.get(name) {
            Some((tensor, _)) => self.level(*tensor) + 1,
            None => self.ranks.get(name).copied().unwrap_or(0),
        }
    }
}

/// How often a graph is lowered at the most.
const PASSES: usize = 8;

/// Cuts a graph, of whose tensors `facts` tells what tract knows. None where nothing of it can be lowered.
///
/// # Errors
/// [`Problem::TooLarge`] where all islands together ask for more than one program may.
pub(crate) fn partly(graph: &GraphProto, facts: &Facts) -> Result<Option<Partitioned>, Problem> {
    // What was lowered before it turned out that tract must make it is right, but made twice, and not as ONNX Runtime makes
    // it. So the graph is lowered again without it; a few times, as each pass may find more.
    let mut left = HashMap::new();
    for _ in 1..PASSES {
        let mut lowering = attempt(graph, facts, &left);
        let late = std::mem::take(&mut lowering.fallback_mut().late);
        if late.is_empty() {
            return lowering.partitioned(graph);
        }
        left.extend(late);
    }
    attempt(graph, facts, &left).partitioned(graph)
}

/// Lowers what can be lowered, but for the nodes that make what is `left`.
fn attempt<'a>(graph: &'a GraphProto, facts: &'a Facts, left: &HashMap<&'a str, Reason>) -> Lowering<'a> {
    let mut lowering = Lowering::of(graph);
    lowering.fallback = Some(Fallback {
        facts,
        ranks: HashMap::new(),
        levels: HashMap::new(),
        imported: vec![],
        values: HashMap::new(),
        exported: BTreeMap::new(),
        left: HashSet::new(),
        floats: vec![],
        late: HashMap::new(),
    });
    let wanted = needed(graph);
    for node in graph.node.iter().filter(|node| node.output.iter().any(|name| wanted.contains(name.as_str()))) {
        let result = match node.output.iter().find_map(|name| left.get(name.as_str())) {
            Some(reason) => Err(reason.clone()),
            None => lowering.node(node),
        };
        if let Err(reason) = result {
            lowering.leave(node, reason);
        }
    }
    for info in &graph.output {
        if let Err(reason) = lowering.export(&info.name) {
            lowering.leave_late(&info.name, reason);
        }
    }
    lowering
}

impl<'a> Lowering<'a> {
    /// The value of a node's first input, taken in from tract where that makes it.
    pub(super) fn value_or_fallback(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let name = node.input.first().ok_or("too few inputs")?.as_str();
        if self.values.contains_key(name) || self.fallback.is_none() || self.constants.has(name) {
            return self.value(node, 0);
        }
        let fallback = self.fallback_mut();
        if let Some(value) = fallback.values.get(name) {
            return Ok(value.clone());
        }
        let (element, shape) = fallback.facts.get(name).cloned().ok_or("its input's shape is not known")?;
        let (tensor, rank) = (TensorId(self.program.tensors.len()), self.fallback_mut().rank(name));
        self.fallback_mut().levels.insert(tensor, rank);
        let making = std::mem::replace(&mut self.making, name);
        let value = self.given(shape, element)?;
        self.making = making;
        let element = match element {
            DataType::Float => BoundaryType::Floats,
            DataType::Uint8 => BoundaryType::Unsigned,
            _ => BoundaryType::Signed,
        };
        let fallback = self.fallback_mut();
        fallback.imported.push((name, element));
        fallback.values.insert(name, value.clone());
        Ok(value)
    }

    fn fallback_mut(&mut self) -> &mut Fallback<'a> {
        self.fallback.as_mut().expect("set while a graph is cut")
    }

    /// Leaves a node to tract, and hands over to it what the node reads. What can't be handed over tract must make itself, so
    /// that the node that makes it is left too.
    fn leave(&mut self, node: &'a NodeProto, reason: Reason) {
        // Each node with how many of its inputs are there for it.
        let mut open = vec![(node, reason, 0)];
        while let Some((node, _, there)) = open.last_mut() {
            let node: &'a NodeProto = node;
            if let Some(name) = node.input.get(*there) {
                *there += 1;
                if let Err(reason) = self.export(name) {
                    open.extend(self.without(name, &reason).map(|maker| (maker, reason, 0)));
                }
            } else if let Some((node, reason, _)) = open.pop() {
                let fallback = self.fallback_mut();
                let rank = node.input.iter().map(|name| fallback.rank(name)).max().unwrap_or(0);
                fallback.ranks.extend(node.output.iter().map(|name| (name.as_str(), rank)));
                fallback.left.extend(node.output.iter().map(String::as_str));
                fallback.floats.push(Unlowered { operator: full_name(node), node: node_name(node).into(), reason });
            }
        }
    }

    /// Leaves the node to tract that makes what can't be handed over.
    fn leave_late(&mut self, name: &'a str, reason: Reason) {
        if let Some(maker) = self.without(name, &reason) {
            self.leave(maker, reason);
        }
    }

    /// Forgets the value of what can't be handed over, and gives the node that makes it.
    fn without(&mut self, name: &'a str, reason: &Reason) -> Option<&'a NodeProto> {
        self.values.remove(name);
        self.fallback_mut().late.insert(name, reason.clone());
        self.makers.get(name).copied()
    }

    /// Gives tract a tensor that steps make.
    ///
    /// # Errors
    /// Why the tensor can't be handed over.
    fn export(&mut self, name: &'a str) -> Result<(), Reason> {
        let fallback = self.fallback.as_ref().expect("set while a graph is cut");
        let Some(value) = self.values.get(name).filter(|_| !fallback.exported.contains_key(name)).cloned() else {
            return Ok(());
        };
        self.making = name;
        let (tensor, element) = match value.kind {
            Kind::Integers { tensor, offset: 0 } => (self.planar(tensor, &value.shape)?, BoundaryType::Unsigned),
            Kind::Integers { tensor, .. } => (self.planar(tensor, &value.shape)?, BoundaryType::Signed),
            _ => (self.floats(&value)?, BoundaryType::Floats),
        };
        let boundary = BoundaryTensor { name: name.into(), element, shape: value.shape };
        self.fallback_mut().exported.insert(name, (tensor, boundary));
        Ok(())
    }

    /// Cuts the program where it waits for tract.
    fn partitioned(mut self, graph: &'a GraphProto) -> Result<Option<Partitioned>, Problem> {
        let Fallback { levels, imported, exported, left, floats, .. } =
            self.fallback.take().expect("set while a graph is cut");
        let exported: Vec<(TensorId, BoundaryTensor)> = exported.into_values().collect();
        self.program.outputs = exported.iter().map(|(tensor, boundary)| (*tensor, boundary.shape.clone())).collect();
        let program = tidy::tidy(std::mem::take(&mut self.program));
        if program.steps.is_empty() {
            return Ok(None);
        }
        let partitions = match cut_by_level(program, &levels, &exported, &imported) {
            Err(Problem::Unsound(what)) => {
                log::debug!("nothing of it is run in integers: {what}");
                return Ok(None);
            }
            partitions => partitions?,
        };
        let is_left = |node: &&NodeProto| {
            node.output.iter().any(|name| left.contains(name.as_str())) || self.is_of_constants(node)
        };
        let mut fallback_nodes: Vec<NodeProto> = graph.node.iter().filter(is_left).cloned().collect();
        let inputs =
            partitions.iter().flat_map(|partition| partition.inputs.iter().map(|boundary| boundary.name.clone()));
        let wanted = graph.output.iter().map(|info| info.name.clone()).chain(inputs).collect();
        keep_needed(&mut fallback_nodes, wanted);
        let read: HashSet<&str> =
            fallback_nodes.iter().flat_map(|node| node.input.iter().map(String::as_str)).collect();
        let constants = self.folded.iter().filter(|(name, _)| read.contains(**name)).map(|(name, numbers)| {
            let dims = if numbers.is_list { vec![numbers.values.len() as i64] } else { vec![] };
            let (name, int64_data) = ((*name).to_owned(), numbers.values.clone());
            TensorProto { name, dims, data_type: DataType::Int64 as i32, int64_data, ..TensorProto::default() }
        });
        let constants = constants.collect();
        Ok(Some(Partitioned { partitions, fallback_nodes, constants, floats }))
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

/// Cuts a program by the levels of its tensors. `exported` is what tract gets, `imported` what it gives, in the order of the
/// program's inputs.
fn cut_by_level(
    program: UncheckedProgram,
    levels: &HashMap<TensorId, usize>,
    exported: &[(TensorId, BoundaryTensor)],
    imported: &[(&str, BoundaryType)],
) -> Result<Vec<Partition>, Problem> {
    let UncheckedProgram { tensors, steps, names, inputs, .. } = program;
    let level = |id: TensorId| levels.get(&id).copied().unwrap_or(0);
    let (mut by_level, mut last_read) = (BTreeMap::<usize, Part>::new(), HashMap::<TensorId, usize>::new());
    let mut made = HashSet::new();
    for step in steps {
        let at = level(step.output());
        for input in step.inputs() {
            let last = last_read.entry(input).or_default();
            *last = at.max(*last);
        }
        made.insert(step.output());
        by_level.entry(at).or_default().steps.push(step);
    }
    for (id, boundary) in exported {
        if !made.contains(id) {
            return Err(Problem::Unsound(format!("no step makes \"{}\"", boundary.name)));
        }
        by_level.entry(level(*id)).or_default().exported.push((*id, boundary.clone()));
    }
    let imported: HashMap<TensorId, (&str, BoundaryType)> = inputs.into_iter().zip(imported.iter().copied()).collect();
    let whole = Whole { tensors, names, imported, last_read };
    let partitions = by_level.into_iter().map(|(level, part)| whole.partition(level, part));
    let partitions = partitions.collect::<Result<Vec<Partition>, Problem>>()?;
    let sum = |of: fn(&Program) -> u64| {
        partitions.iter().map(|partition| of(&partition.program)).fold(0, u64::saturating_add)
    };
    if sum(Program::memory) > MAX_MEMORY || sum(Program::work) > MAX_WORK {
        return Err(Problem::TooLarge("what is quantized of it takes more memory or work than a network is".into()));
    }
    Ok(partitions)
}

/// The steps of one level, and what tract gets of them.
#[derive(Default)]
struct Part {
    steps: Vec<Step>,
    exported: Vec<(TensorId, BoundaryTensor)>,
}

/// What the islands are cut from.
struct Whole<'a> {
    tensors: Vec<TensorKind>,
    names: Vec<String>,
    imported: HashMap<TensorId, (&'a str, BoundaryType)>,
    /// The last level that reads each tensor.
    last_read: HashMap<TensorId, usize>,
}

impl Whole<'_> {
    fn partition(&self, level: usize, part: Part) -> Result<Partition, Problem> {
        let Part { mut steps, exported } = part;
        let made: BTreeSet<TensorId> = steps.iter().map(Step::output).collect();
        let read: BTreeSet<TensorId> = steps.iter().flat_map(Step::inputs).filter(|id| !made.contains(id)).collect();
        let is_read_later = |id: &&TensorId| self.last_read.get(id).is_some_and(|&last| last > level);
        let later = made.iter().filter(is_read_later).map(|&id| (id, self.between_partitions(id)));
        let outputs: Vec<(TensorId, BoundaryTensor)> = later.chain(exported).collect();
        let inputs: Vec<BoundaryTensor> = read.iter().map(|&id| self.boundary(id)).collect();
        // The island numbers its own tensors alone.
        let own: BTreeMap<TensorId, TensorId> =
            made.union(&read).enumerate().map(|(number, &id)| (id, TensorId(number))).collect();
        for id in steps.iter_mut().flat_map(Step::tensors_mut) {
            *id = own[id];
        }
        let program = UncheckedProgram {
            tensors: own.keys().map(|id| self.tensors[id.0].clone()).collect(),
            names: own.keys().map(|id| self.names[id.0].clone()).collect(),
            steps,
            inputs: read.iter().map(|id| own[id]).collect(),
            outputs: outputs.iter().map(|(id, boundary)| (own[id], boundary.shape.clone())).collect(),
        };
        let outputs = outputs.into_iter().map(|(_, boundary)| boundary).collect();
        Ok(Partition { program: program.check()?, inputs, outputs })
    }

    /// How a tensor comes in: from tract, or from an island before.
    fn boundary(&self, id: TensorId) -> BoundaryTensor {
        match self.imported.get(&id) {
            Some(&(name, element)) => {
                BoundaryTensor { name: name.into(), element, shape: vec![self.tensors[id.0].len()] }
            }
            None => self.between_partitions(id),
        }
    }

    /// A tensor that goes from island to island, as it lies.
    fn between_partitions(&self, id: TensorId) -> BoundaryTensor {
        let kind = &self.tensors[id.0];
        let element = if kind.element == Element::Byte { BoundaryType::Unsigned } else { BoundaryType::Floats };
        BoundaryTensor { name: format!("bedside:island:{}", id.0), element, shape: kind.shape.to_vec() }
    }
}
