//! Partitions a graph of which a part is quantized: the quantized parts become programs, and tract runs the fallback
//! nodes.
//!
//! Nodes are lowered one after the other, as for a graph that is one program. A node that can't be lowered becomes a
//! fallback node, and the tensors that it reads are exported to tract. Tensors that tract has, the graph's inputs among
//! them, are imported where a `QuantizeLinear` or `DequantizeLinear` reads them. All steps make one program at first,
//! which is then cut into one partition for each level. The level of a step is the maximum of the levels of its inputs.
//! A tensor that is imported from tract has a level one above those of all exported tensors that it depends on. So a
//! partition depends on partitions of lower levels alone. The time of partitioning is linear in the size of the graph,
//! as a file may be hostile.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::value::{Value, ValueKind};
use super::{Lowering, Reason, Unlowered, live_nodes_of, tidy};
use crate::onnx::live::live_nodes;
use crate::onnx::names::{full_name, node_name};
use crate::program::{Element, MAX_MEMORY, MAX_WORK, Problem, Program, Step, TensorId, TensorType, UncheckedProgram};

/// The element types and shapes of a graph's tensors, as tract infers them.
pub(crate) type Facts = HashMap<String, (DataType, Vec<usize>)>;

/// A graph in two parts: programs in integers, and the nodes that tract runs.
#[derive(Debug)]
pub(crate) struct Partitioned {
    /// The partitions, in an order in which they can run.
    pub(crate) partitions: Vec<Partition>,
    /// The nodes that tract runs: the fallback nodes, and the constants that they read.
    pub(crate) fallback_nodes: Vec<NodeProto>,
    /// Constants that fallback nodes read and that the graph does not have: integers that lowering has folded.
    pub(crate) constants: Vec<TensorProto>,
    /// The fallback nodes that could not be lowered, with the reasons.
    pub(crate) unlowered: Vec<Unlowered>,
}

/// A program, and its boundary tensors in the order of the program's inputs and outputs.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) program: Program,
    pub(crate) inputs: Vec<BoundaryTensor>,
    pub(crate) outputs: Vec<BoundaryTensor>,
}

/// A tensor between a partition and tract, or between two partitions, with its name and shape in tract's graph. tract's
/// tensors are row-major in the graph's order of axes; those between partitions keep the program's layout. The shape of
/// an input is not read: programs take inputs flat, and tract knows its own shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundaryTensor {
    pub(crate) name: String,
    pub(crate) element: BoundaryType,
    pub(crate) shape: Vec<usize>,
}

/// The element type of a boundary tensor in tract's graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BoundaryType {
    /// float32
    Floats,
    /// uint8
    Unsigned,
    /// int8; the bytes of the partition's program are 128 higher.
    Signed,
}

/// The state of partitioning: the fallback nodes, and the tensors between them and the program.
pub(super) struct Fallback<'a> {
    facts: &'a Facts,
    /// The import level of each output of a fallback node, as [`Fallback::import_level`] defines it.
    import_levels: HashMap<&'a str, usize>,
    /// The level of each tensor of the program: that of the step that computes it, or the import level of an imported tensor. 0
    /// where there is no entry.
    levels: HashMap<TensorId, usize>,
    /// The tensors that are imported from tract, in the order of the program's inputs.
    imported: Vec<(&'a str, BoundaryType)>,
    /// The values of the imported tensors.
    values: HashMap<&'a str, Value>,
    /// The tensors that are exported to tract.
    exported: BTreeMap<&'a str, (TensorId, BoundaryTensor)>,
    /// The outputs of all fallback nodes.
    outputs: HashSet<&'a str>,
    /// The fallback nodes, with the reasons why they could not be lowered.
    unlowered: Vec<Unlowered>,
    /// The tensors that can't be exported although their nodes were lowered, with the reasons.
    late: HashMap<&'a str, Reason>,
}

impl Fallback<'_> {
    /// Records the level of a step's output: the maximum of the levels of the step's inputs, and of the levels of
    /// earlier steps that write the same output.
    pub(super) fn record_level(&mut self, step: &Step) {
        let input_level = step.inputs().iter().map(|input| self.level(*input)).max().unwrap_or(0);
        let level = self.levels.entry(step.output()).or_default();
        *level = input_level.max(*level);
    }

    fn level(&self, tensor: TensorId) -> usize {
        self.levels.get(&tensor).copied().unwrap_or(0)
    }

    /// The import level of a tensor in tract's graph: one more than the maximum of the levels of the exported tensors that it
    /// depends on, or 0 where it depends on none. It is the level of the tensor where it is imported.
    fn import_level(&self, name: &str) -> usize {
        match self.exported.get(name) {
            Some((tensor, _)) => self.level(*tensor) + 1,
            None => self.import_levels.get(name).copied().unwrap_or(0),
        }
    }
}

/// The maximum number of times that a graph is lowered. After the last pass, tract computes what late fallback nodes
/// make, and steps may compute it too.
const MAX_PASSES: usize = 8;

/// Partitions a graph. None where no part of it can be lowered.
///
/// # Errors
/// [`Problem::TooLarge`] where all partitions together need more memory or work than the limits of one program allow.
pub(crate) fn partition_graph(graph: &GraphProto, facts: &Facts) -> Result<Option<Partitioned>, Problem> {
    // A node may turn out to be a fallback node after it was lowered. Its steps are correct, but it is computed twice,
    // and not in the order of ONNX Runtime. So the graph is lowered again without such nodes. Each pass may find more
    // of them.
    let mut excluded = HashMap::new();
    for _ in 1..MAX_PASSES {
        let mut lowering = lower_without(graph, facts, &excluded);
        let late = std::mem::take(&mut lowering.fallback_mut().late);
        if late.is_empty() {
            return lowering.partitioned(graph);
        }
        excluded.extend(late);
    }
    lower_without(graph, facts, &excluded).partitioned(graph)
}

/// Lowers all nodes that can be lowered, except those that produce the tensors of `excluded`.
fn lower_without<'a>(graph: &'a GraphProto, facts: &'a Facts, excluded: &HashMap<&'a str, Reason>) -> Lowering<'a> {
    let mut lowering = Lowering::of(graph);
    lowering.fallback = Some(Fallback {
        facts,
        import_levels: HashMap::new(),
        levels: HashMap::new(),
        imported: vec![],
        values: HashMap::new(),
        exported: BTreeMap::new(),
        outputs: HashSet::new(),
        unlowered: vec![],
        late: HashMap::new(),
    });
    for node in live_nodes_of(graph) {
        let result = match node.output.iter().find_map(|name| excluded.get(name.as_str())) {
            Some(reason) => Err(reason.clone()),
            None => lowering.node(node),
        };
        if let Err(reason) = result {
            lowering.fall_back(node, reason);
        }
    }
    for info in &graph.output {
        if let Err(reason) = lowering.export(&info.name) {
            lowering.fall_back_late(&info.name, reason);
        }
    }
    lowering
}

impl<'a> Lowering<'a> {
    /// The value of a node's first input, imported from tract where the graph is partitioned and the input is not
    /// lowered. Each tensor is imported once.
    pub(super) fn value_or_import(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let name = node.input.first().ok_or("too few inputs")?.as_str();
        if self.values.contains_key(name) || self.fallback.is_none() || self.constants.has(name) {
            return self.value(node, 0);
        }
        let fallback = self.fallback_mut();
        if let Some(value) = fallback.values.get(name) {
            return Ok(value.clone());
        }
        let (element, shape) = fallback.facts.get(name).cloned().ok_or("its input's shape is not known")?;
        // `program_input` adds the input's tensor first, and steps that read it take their levels from its.
        let (tensor, level) = (TensorId(self.program.tensors.len()), self.fallback_mut().import_level(name));
        self.fallback_mut().levels.insert(tensor, level);
        let outer_name = std::mem::replace(&mut self.tensor_name, name);
        let value = self.program_input(shape, element)?;
        self.tensor_name = outer_name;
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

    /// The state of partitioning.
    ///
    /// # Panics
    /// Where the graph is lowered as one program.
    fn fallback_mut(&mut self) -> &mut Fallback<'a> {
        self.fallback.as_mut().expect("set while a graph is partitioned")
    }

    /// Makes a node a fallback node, and exports the tensors that it reads. Where a tensor can't be exported, the node
    /// that produces it becomes a fallback node too.
    fn fall_back(&mut self, node: &'a NodeProto, reason: Reason) {
        // A stack of nodes, each with the number of its inputs that tract has.
        let mut open = vec![(node, reason, 0)];
        while let Some((node, _, done)) = open.last_mut() {
            let node: &'a NodeProto = node;
            if let Some(name) = node.input.get(*done) {
                *done += 1;
                if let Err(reason) = self.export(name) {
                    open.extend(self.forget(name, &reason).map(|producer| (producer, reason, 0)));
                }
            } else if let Some((node, reason, _)) = open.pop() {
                let fallback = self.fallback_mut();
                let level = node.input.iter().map(|name| fallback.import_level(name)).max().unwrap_or(0);
                fallback.import_levels.extend(node.output.iter().map(|name| (name.as_str(), level)));
                fallback.outputs.extend(node.output.iter().map(String::as_str));
                fallback.unlowered.push(Unlowered { operator: full_name(node), node: node_name(node).into(), reason });
            }
        }
    }

    /// Makes the node that produces a tensor a fallback node, because the tensor can't be exported.
    fn fall_back_late(&mut self, name: &'a str, reason: Reason) {
        if let Some(producer) = self.forget(name, &reason) {
            self.fall_back(producer, reason);
        }
    }

    /// Removes the value of a tensor that can't be exported, so that tract's is imported from now on, and returns the
    /// node that produces the tensor.
    fn forget(&mut self, name: &'a str, reason: &Reason) -> Option<&'a NodeProto> {
        self.values.remove(name);
        self.fallback_mut().late.insert(name, reason.clone());
        self.producers.get(name).copied()
    }

    /// Exports a tensor to tract, where steps compute it and it is not exported yet. A tensor without a value is taken
    /// for one that tract has: a constant, an input, or an output of a fallback node.
    ///
    /// # Errors
    /// The reason why the tensor can't be exported.
    fn export(&mut self, name: &'a str) -> Result<(), Reason> {
        let fallback = self.fallback.as_ref().expect("set while a graph is partitioned");
        let Some(value) = self.values.get(name).filter(|_| !fallback.exported.contains_key(name)).cloned() else {
            return Ok(());
        };
        self.tensor_name = name;
        let (tensor, element) = match value.kind {
            ValueKind::Integers { tensor, offset: 0 } => {
                (self.planar_copy(tensor, &value.shape)?, BoundaryType::Unsigned)
            }
            ValueKind::Integers { tensor, .. } => (self.planar_copy(tensor, &value.shape)?, BoundaryType::Signed),
            _ => (self.floats(&value)?, BoundaryType::Floats),
        };
        let boundary = BoundaryTensor { name: name.into(), element, shape: value.shape };
        self.fallback_mut().exported.insert(name, (tensor, boundary));
        Ok(())
    }

    /// Cuts the program into partitions, and collects the fallback nodes. None where there are no steps, or where a
    /// partition is not a valid program.
    ///
    /// # Errors
    /// [`Problem::TooLarge`], as that of [`partition_graph`].
    fn partitioned(mut self, graph: &'a GraphProto) -> Result<Option<Partitioned>, Problem> {
        let Fallback { levels, imported, exported, outputs, unlowered, .. } =
            self.fallback.take().expect("set while a graph is partitioned");
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
        let is_fallback = |node: &&NodeProto| {
            node.output.iter().any(|name| outputs.contains(name.as_str())) || self.is_constant_node(node)
        };
        let mut fallback_nodes: Vec<NodeProto> = graph.node.iter().filter(is_fallback).cloned().collect();
        let inputs = partitions.iter().flat_map(|partition| partition.inputs.iter().map(|boundary| &*boundary.name));
        let outputs = graph.output.iter().map(|info| &*info.name);
        let mut live = live_nodes(&fallback_nodes, outputs.chain(inputs)).into_iter();
        fallback_nodes.retain(|_| live.next() == Some(true));
        let read: HashSet<&str> =
            fallback_nodes.iter().flat_map(|node| node.input.iter().map(String::as_str)).collect();
        let constants = self.folded.iter().filter(|(name, _)| read.contains(**name)).map(|(name, numbers)| {
            let dims = if numbers.is_list { vec![numbers.values.len() as i64] } else { vec![] };
            let (name, int64_data) = ((*name).to_owned(), numbers.values.clone());
            TensorProto { name, dims, data_type: DataType::Int64 as i32, int64_data, ..TensorProto::default() }
        });
        let constants = constants.collect();
        Ok(Some(Partitioned { partitions, fallback_nodes, constants, unlowered }))
    }
}

/// Cuts a program into one partition for each level. `exported` has the tensors that tract reads; `imported` those that
/// it computes, in the order of the program's inputs.
///
/// # Errors
/// [`Problem::Unsound`] where no step computes an exported tensor, or a partition's program is not valid;
/// [`Problem::TooLarge`] where all partitions together need more memory or work than the limits of one program allow.
fn cut_by_level(
    program: UncheckedProgram,
    levels: &HashMap<TensorId, usize>,
    exported: &[(TensorId, BoundaryTensor)],
    imported: &[(&str, BoundaryType)],
) -> Result<Vec<Partition>, Problem> {
    let UncheckedProgram { tensors, steps, names, inputs, .. } = program;
    let level = |id: TensorId| levels.get(&id).copied().unwrap_or(0);
    let (mut by_level, mut last_read) = (BTreeMap::<usize, Level>::new(), HashMap::<TensorId, usize>::new());
    let mut computed = HashSet::new();
    for step in steps {
        let at = level(step.output());
        for input in step.inputs() {
            let last = last_read.entry(input).or_default();
            *last = at.max(*last);
        }
        computed.insert(step.output());
        by_level.entry(at).or_default().steps.push(step);
    }
    for (id, boundary) in exported {
        if !computed.contains(id) {
            return Err(Problem::Unsound(format!("no step makes \"{}\"", boundary.name)));
        }
        by_level.entry(level(*id)).or_default().exported.push((*id, boundary.clone()));
    }
    let imported: HashMap<TensorId, (&str, BoundaryType)> = inputs.into_iter().zip(imported.iter().copied()).collect();
    let program = UncutProgram { tensors, names, imported, last_read };
    let partitions = by_level.into_iter().map(|(level, part)| program.partition(level, part));
    let partitions = partitions.collect::<Result<Vec<Partition>, Problem>>()?;
    let sum = |of: fn(&Program) -> u64| {
        partitions.iter().map(|partition| of(&partition.program)).fold(0, u64::saturating_add)
    };
    if sum(Program::memory) > MAX_MEMORY || sum(Program::work) > MAX_WORK {
        return Err(Problem::TooLarge("what is quantized of it takes more memory or work than a network is".into()));
    }
    Ok(partitions)
}

/// The steps of one level, and the tensors of that level that are exported to tract.
#[derive(Default)]
struct Level {
    steps: Vec<Step>,
    exported: Vec<(TensorId, BoundaryTensor)>,
}

/// The program that the partitions are cut from, without its steps.
struct UncutProgram<'a> {
    tensors: Vec<TensorType>,
    names: Vec<String>,
    /// The name and type in tract's graph of each imported tensor.
    imported: HashMap<TensorId, (&'a str, BoundaryType)>,
    /// The last level that reads each tensor.
    last_read: HashMap<TensorId, usize>,
}

impl UncutProgram<'_> {
    /// The partition of one level.
    fn partition(&self, level: usize, part: Level) -> Result<Partition, Problem> {
        let Level { mut steps, exported } = part;
        let computed: BTreeSet<TensorId> = steps.iter().map(Step::output).collect();
        let read: BTreeSet<TensorId> =
            steps.iter().flat_map(Step::inputs).filter(|id| !computed.contains(id)).collect();
        let is_read_later = |id: &&TensorId| self.last_read.get(id).is_some_and(|&last| last > level);
        let later = computed.iter().filter(is_read_later).map(|&id| (id, self.between_partitions(id)));
        let outputs: Vec<(TensorId, BoundaryTensor)> = later.chain(exported).collect();
        let inputs: Vec<BoundaryTensor> = read.iter().map(|&id| self.boundary(id)).collect();
        // The program of a partition has the tensors of its own steps alone, so they get new ids.
        let own: BTreeMap<TensorId, TensorId> =
            computed.union(&read).enumerate().map(|(number, &id)| (id, TensorId(number))).collect();
        for id in steps.iter_mut().flat_map(Step::tensors_mut) {
            *id = own[id];
        }
        let program = UncheckedProgram {
            tensors: own.keys().map(|id| self.tensors[id.0].clone()).collect(),
            names: own.keys().map(|id| self.names[id.0].clone()).collect(),
            steps,
            inputs: read.iter().map(|id| own[id]).collect(),
            outputs: outputs.iter().map(|(id, boundary)| (own[id], boundary.shape.clone())).collect(),
            taps: vec![],
        };
        let outputs = outputs.into_iter().map(|(_, boundary)| boundary).collect();
        Ok(Partition { program: program.check()?, inputs, outputs })
    }

    /// The boundary tensor of an input, which comes from tract or from an earlier partition.
    fn boundary(&self, id: TensorId) -> BoundaryTensor {
        match self.imported.get(&id) {
            Some(&(name, element)) => {
                BoundaryTensor { name: name.into(), element, shape: vec![self.tensors[id.0].len()] }
            }
            None => self.between_partitions(id),
        }
    }

    /// The boundary tensor between two partitions. It keeps the layout of the program's tensor, channels last.
    fn between_partitions(&self, id: TensorId) -> BoundaryTensor {
        let kind = &self.tensors[id.0];
        let element = if kind.element == Element::Byte { BoundaryType::Unsigned } else { BoundaryType::Floats };
        BoundaryTensor { name: format!("bedside:partition:{}", id.0), element, shape: kind.shape.to_vec() }
    }
}
