//! Builds a runner for a graph: one program where the whole graph is quantized, otherwise tract with the quantized
//! partitions as programs. It runs the passes of this folder in their order, and leaves each pass to its own file.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use prost::Message;
use tract_onnx::model::{Onnx, ParseResult};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};
use tract_onnx::prelude::{DatumType, InferenceModel, InferenceModelExt, TypedModel};
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::infer::Factoid;

use super::constants::quantize_constants;
use super::limits::check_constant_reads;
use super::lower::{Facts, Partitioned, Refusal, Unlowered, lower, partition_graph};
use super::outline::Outline;
use super::panics::engine_code;
use super::partition::PackedPartition;
use super::plan::{Plan, TappedPlan, check_float, rejected};
use super::{bounded, halves, operators, partition, qoperator, quantized, taps};
use crate::kernels::Kernels;
use crate::program::{MAX_TENSOR_BYTES, Program};
use crate::{Error, Graph, Result, Signature};

/// The maximum number of nodes that tract gets. Dynamically quantized networks have the most: an EfficientNet-B7 has
/// some 3,000.
const MAX_TRACT_NODES: usize = 1 << 12;

/// A graph of any size may have [`BASE_NODES`] nodes on tract, and one more for each [`BYTES_PER_NODE`] bytes. The time
/// of tract's optimizer grows with the cube of the length of some chains, and a small file must not take long. Networks
/// have many nodes only where they have many weights.
/// `docs/decisions/0019-opening.md` has the times that a graph may take to open.
const BASE_NODES: usize = 384;
const BYTES_PER_NODE: usize = 8192;

/// Each input of a node beyond this number counts as one more node.
const FREE_INPUTS: usize = 4;

/// The runner of a graph.
#[derive(Debug)]
pub(crate) enum Built {
    /// One program, and the kernels to run it with.
    Program(Program, &'static dyn Kernels),
    /// tract, with plans for the outputs and for the taps.
    Plan(TappedPlan),
}

/// Builds the runner of a graph for one signature, on `threads` threads. Without kernels, tract runs the whole graph.
/// Returns the time of the import too.
///
/// # Errors
/// [`Error::Unsupported`], [`Error::Malformed`] and [`Error::TooLarge`], as those of `Engine::build`.
pub(crate) fn build(
    kernels: Option<&'static dyn Kernels>,
    graph: Graph,
    signature: &Signature,
    threads: usize,
) -> Result<(Built, Duration)> {
    let start = Instant::now();
    let framework = framework();
    let graph = canonicalized(graph, signature, &framework)?;
    let reason = match kernels {
        None => "no integer kernels for this processor".to_owned(),
        Some(kernels) => match lower(graph.proto(), &signature.taps) {
            Ok(program) => return Ok((Built::Program(program, kernels), start.elapsed())),
            Err(Refusal::Unlowered(unlowered)) => unlowered.to_string(),
            Err(refusal) => return Err(refused(refusal)),
        },
    };
    log::debug!("not one program: {reason}");
    let mut with_taps = (!signature.taps.is_empty()).then(|| graph.clone());
    let (plan, import) = with_tract(graph, kernels, threads, (start, reason.clone()))?;
    let Some(graph) = &mut with_taps else { return Ok((Built::Plan(TappedPlan::without_taps(plan)), import)) };
    let at = taps::add_outputs(graph, &signature.taps)?;
    let graph = with_taps.take().expect("just changed");
    let (tapped_plan, more) = with_tract(graph, kernels, threads, (Instant::now(), reason))?;
    let outputs = signature.outputs.len();
    let is_same = have_same_outputs(plan.model(), tapped_plan.model(), outputs);
    let plan = TappedPlan::new((plan, tapped_plan, is_same), outputs, &signature.taps, at)?;
    Ok((Built::Plan(plan), import + more))
}

/// Compiles a whole graph to one program.
///
/// # Errors
/// Those of `Engine::build`; [`Error::Unsupported`] names the node that is not supported in integers.
pub(crate) fn program(graph: Graph, signature: &Signature) -> Result<Program> {
    let graph = canonicalized(graph, signature, &framework())?;
    lower(graph.proto(), &signature.taps).map_err(refused)
}

/// The error for a graph that is no program.
fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::TooLarge(what) => too_large(&what),
        Refusal::Unlowered(unlowered) => Error::Unsupported(format!(
            "{unlowered}; a model is prepared only where its whole graph runs in integers: quantize all of it, or keep \
             the ONNX file"
        )),
        Refusal::Tap(tap, reason) => tap.refused(&reason),
    }
}

fn too_large(what: &str) -> Error {
    Error::TooLarge(format!("the graph is too large: {what}"))
}

/// Builds a plan of tract for the fallback nodes of a graph and for its partitions. Gives the time of the import
/// too. `reason` says why the graph is not one program.
fn with_tract(
    mut graph: Graph,
    kernels: Option<&'static dyn Kernels>,
    threads: usize,
    (start, reason): (Instant, String),
) -> Result<(Plan, Duration)> {
    let mut framework = framework();
    let (partitions, unlowered) = match kernels {
        Some(kernels) => with_partitions(&mut graph, &framework, kernels, threads)?,
        None => (vec![], vec![]),
    };
    add_operators(&mut graph, &mut framework);
    check_nodes(graph.proto())?;
    let outline = Outline::of(graph.model());
    let outputs: Vec<String> = graph.proto().output.iter().map(|info| info.name.clone()).collect();
    let import_again = |model: &ModelProto| {
        let typed = typed(parse(&framework, model, &partitions)?)?;
        typed.into_optimized().map(drop).map_err(|error| rejected(&error))
    };
    let (shapes, import, optimized) = outline.import(import_again, || {
        let parsed = parse(&framework, graph.model(), &partitions)?;
        // The proto holds a second copy of all weights.
        drop(graph);
        let typed = typed(parsed)?;
        let (shapes, import) = (engine_code(|| output_shapes(&typed, &outputs))?, start.elapsed());
        let optimized = typed.into_optimized().map_err(|error| rejected(&error))?;
        Ok((shapes, import, optimized))
    })?;
    let plan = Plan::new(optimized, threads, shapes, (partitions, reason, unlowered))?;
    Ok((plan, import))
}

/// Whether two graphs compute the first `count` outputs by the same operators from the same inputs, so that these have
/// the same bits.
fn have_same_outputs(one: &TypedModel, other: &TypedModel, count: usize) -> bool {
    let pairs = one.outputs.iter().zip(&other.outputs).take(count);
    let mut open: Vec<_> = pairs.map(|(a, b)| (*a, *b)).collect();
    let mut seen = HashSet::new();
    while let Some((a, b)) = open.pop() {
        if a.slot != b.slot {
            return false;
        }
        if !seen.insert((a.node, b.node)) {
            continue;
        }
        let (a, b) = (one.node(a.node), other.node(b.node));
        if *a.op != *b.op || a.inputs.len() != b.inputs.len() {
            return false;
        }
        open.extend(a.inputs.iter().copied().zip(b.inputs.iter().copied()));
    }
    true
}

/// The graph as tract's typed and decluttered model, with the signature's shape and outputs.
///
/// # Errors
/// Those of [`build`].
pub(crate) fn decluttered(graph: Graph, signature: &Signature) -> Result<TypedModel> {
    let mut framework = framework();
    let mut graph = canonicalized(graph, signature, &framework)?;
    add_operators(&mut graph, &mut framework);
    check_nodes(graph.proto())?;
    let declutter = |model: &ModelProto| {
        let typed = typed(parse(&framework, model, &[])?)?;
        typed.into_decluttered().map_err(|error| rejected(&error))
    };
    Outline::of(graph.model()).import(|model| declutter(model).map(drop), || declutter(graph.model()))
}

/// The ONNX importer of tract.
fn framework() -> Onnx {
    // The shapes in the file may be of another batch size.
    tract_onnx::onnx().with_ignore_value_info(true).with_ignore_output_shapes(true)
}

/// Brings a graph into the one form that all later code expects, and checks that all of its operators are supported:
/// float32 instead of 16-bit floats, QDQ operators instead of `QOperator` ones, quantized constants, and the
/// signature's input shape and outputs. Nodes that no output depends on are checked too, because tract imports them.
///
/// The order matters. Rewriting knows operators by their type names alone, so the domains are checked first. Each
/// `QuantizeLinear` of constants makes one more constant, so the reads of constants are counted first, and those of the
/// new ones in [`operators::check`]. Scales are read as float32, so 16-bit floats are widened before `QOperator` nodes
/// are expanded.
fn canonicalized(mut graph: Graph, signature: &Signature, framework: &Onnx) -> Result<Graph> {
    operators::check_domains(graph.proto())?;
    check_constant_reads(graph.proto())?;
    halves::widen(graph.proto_mut());
    let opset = graph.opset().unwrap_or(0);
    qoperator::expand_to_qdq(graph.proto_mut(), opset)?;
    quantize_constants(graph.proto_mut());
    operators::forget_pad_values(graph.proto_mut());
    operators::check(graph.proto(), &framework.op_register)?;
    graph.fix_input_shape(&signature.input, &signature.shape)?;
    select_outputs(&mut graph, &signature.outputs)?;
    taps::check(graph.proto(), signature)?;
    graph.forget_symbols();
    graph.drop_trailing_inputs();
    Ok(graph)
}

/// Moves the quantized parts of a graph into partitions, and puts one node for each into the graph. Gives the
/// partitions, and the nodes that stay in float with the reasons.
fn with_partitions(
    graph: &mut Graph,
    framework: &Onnx,
    kernels: &'static dyn Kernels,
    threads: usize,
) -> Result<(Vec<PackedPartition>, Vec<Unlowered>)> {
    // Without a QuantizeLinear nothing becomes bytes, and no step would be worth a partition.
    if !graph.proto().node.iter().any(|node| node.op_type == "QuantizeLinear") {
        return Ok((vec![], vec![]));
    }
    let facts = facts(graph, framework)?;
    let split = partition_graph(graph.proto(), &facts).map_err(|problem| too_large(&problem.to_string()))?;
    let Some(Partitioned { partitions, fallback_nodes, constants, unlowered }) = split else {
        return Ok((vec![], vec![]));
    };
    let proto = graph.proto_mut();
    proto.node = fallback_nodes;
    proto.node.extend(partitions.iter().enumerate().map(|(number, partition)| partition::node(number, partition)));
    let read: HashSet<String> = proto.node.iter().flat_map(|node| node.input.iter().cloned()).collect();
    // An initializer may be listed as an input too. Where it is removed, that input must be removed with it.
    let given: HashSet<String> = proto.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    proto.input.retain(|info| read.contains(&info.name) || !given.contains(&info.name));
    proto.initializer.retain(|tensor| read.contains(&tensor.name));
    proto.initializer.extend(constants);
    Ok((partition::packed(partitions, kernels, threads), unlowered))
}

/// The element type and shape of every tensor of float32, uint8 or int8 whose shape tract infers.
fn facts(graph: &Graph, framework: &Onnx) -> Result<Facts> {
    let analysed = |proto: &ModelProto| {
        let ParseResult { mut model, outlets_by_name, .. } =
            framework.parse(proto, None).map_err(|error| rejected(&error))?;
        engine_code(|| bounded::bound(&mut model, proto));
        model.analyse(false).map_err(|error| rejected(&error))?;
        Ok((model, outlets_by_name))
    };
    let outline = Outline::of(graph.model());
    let (model, outlets_by_name) = outline.import(|model| analysed(model).map(drop), || analysed(graph.model()))?;
    let mut facts = Facts::new();
    for (name, outlet) in outlets_by_name {
        let Ok(fact) = model.outlet_fact(outlet) else { continue };
        let element = match fact.datum_type.concretize() {
            Some(DatumType::F32) => DataType::Float,
            Some(DatumType::U8) => DataType::Uint8,
            Some(DatumType::I8) => DataType::Int8,
            _ => continue,
        };
        let shape = fact.shape.concretize().and_then(|dims| dims.iter().map(|dim| dim.to_usize().ok()).collect());
        facts.extend(shape.map(|shape| (name, (element, shape))));
    }
    Ok(facts)
}

/// Registers this crate's operators with the importer, and rewrites to them the quantized activations that are not in
/// partitions. They are registered only now, after [`operators::check`], so that no file can name them.
fn add_operators(graph: &mut Graph, framework: &mut Onnx) {
    quantized::rewrite_quantized_activations(graph.proto_mut());
    quantized::register(&mut framework.op_register);
    partition::register(&mut framework.op_register);
}

/// Checks the number of nodes that tract has to optimize against the size of the graph.
fn check_nodes(graph: &GraphProto) -> Result<()> {
    // tract makes one node for each term of a Sum, and compares each part of a Concat with each other part.
    let weight = |node: &NodeProto| 1 + node.input.len().saturating_sub(FREE_INPUTS);
    let (nodes, bytes) = (graph.node.iter().map(weight).sum::<usize>(), graph.encoded_len());
    let max = MAX_TRACT_NODES.min(BASE_NODES + bytes / BYTES_PER_NODE);
    if nodes > max {
        return Err(Error::TooLarge(format!(
            "the graph has {nodes} nodes beside those that are run in integers, with inputs beyond {FREE_INPUTS} \
             counted; at most {max} are served in one of {bytes} bytes"
        )));
    }
    Ok(())
}

/// Imports a graph into tract, with its partitions, and bounds its operators.
fn parse(framework: &Onnx, proto: &ModelProto, partitions: &[PackedPartition]) -> Result<InferenceModel> {
    let ParseResult { mut model, unresolved_inputs, .. } =
        framework.parse(proto, None).map_err(|error| rejected(&error))?;
    engine_code(|| {
        partition::replace_placeholders(&mut model, partitions);
        bounded::bound(&mut model, proto);
    });
    if !unresolved_inputs.is_empty() {
        let names = unresolved_inputs.join(", ");
        return Err(Error::Malformed(format!(
            "no node and no input gives the tensors {names}; export the model again"
        )));
    }
    Ok(model)
}

/// The typed form of a model, with the sizes of its tensors checked.
fn typed(model: InferenceModel) -> Result<TypedModel> {
    let typed = model.into_typed().map_err(|error| rejected(&error))?;
    engine_code(|| check_sizes(&typed))?;
    Ok(typed)
}

/// Checks, before any tensor is computed, that none has more than [`MAX_TENSOR_BYTES`], and that those that are
/// computed from constants alone do not have more together: tract computes these when it optimizes, and keeps them.
///
/// # Errors
/// [`Error::TooLarge`] names the node.
fn check_sizes(model: &TypedModel) -> Result<()> {
    let mut is_constant = vec![false; model.nodes().len()];
    let mut constants = 0_usize;
    for node in model.nodes() {
        let is_given = node.op_is::<Const>();
        is_constant[node.id] = is_given
            || !node.inputs.is_empty() && node.inputs.iter().all(|input| is_constant.get(input.node) == Some(&true));
        let is_computed = is_constant[node.id] && !is_given;
        for fact in node.outputs.iter().map(|outlet| &outlet.fact) {
            let Some(shape) = fact.shape.as_concrete() else { continue };
            let bytes = shape.iter().try_fold(fact.datum_type.size_of(), |n, &d| n.checked_mul(d));
            if is_computed {
                constants = constants.saturating_add(bytes.unwrap_or(usize::MAX));
            }
            if bytes.is_none_or(|bytes| bytes > MAX_TENSOR_BYTES) || constants > MAX_TENSOR_BYTES {
                return Err(Error::TooLarge(format!(
                    "node \"{}\" makes a tensor of shape {shape:?}; at most {MAX_TENSOR_BYTES} bytes are allowed, for \
                     one tensor and for all that constants alone make",
                    node.name
                )));
            }
        }
    }
    Ok(())
}

/// Makes `names` the outputs of the graph, in this order.
///
/// # Errors
/// [`Error::Unsupported`] names an output that the graph does not have.
fn select_outputs(graph: &mut Graph, names: &[String]) -> Result<()> {
    let proto = graph.proto_mut();
    let declared = std::mem::take(&mut proto.output);
    for name in names {
        let Some(info) = declared.iter().find(|info| &info.name == name) else {
            return Err(Error::Unsupported(format!("the graph has no output \"{name}\"")));
        };
        proto.output.push(info.clone());
    }
    Ok(())
}

/// The shape of each output, tapped tensors included.
///
/// # Errors
/// [`Error::Unsupported`] where an output is not floating point or its shape is not known.
fn output_shapes(model: &TypedModel, names: &[String]) -> Result<Vec<Vec<usize>>> {
    let shape = |(&outlet, name): (&_, &String)| {
        let fact = model.outlet_fact(outlet).map_err(|error| rejected(&error))?;
        check_float(fact.datum_type).map_err(|what| Error::Unsupported(format!("\"{name}\": {what}")))?;
        let shape = fact.shape.as_concrete().map(<[usize]>::to_vec);
        shape.ok_or_else(|| Error::Unsupported(format!("the shape of \"{name}\" depends on what is in the picture")))
    };
    model.outputs.iter().zip(names).map(shape).collect()
}
