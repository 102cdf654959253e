//! From a graph to what runs it: one program, or tract with islands of programs.

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
use super::limits::check_readers;
use super::lower::{Facts, Partitioned, Refusal, Unlowered, lower, partly};
use super::outline::Outline;
use super::panics::ours;
use super::partition::Packed;
use super::plan::{Plan, check_float, rejected};
use super::{bounded, halves, operators, partition, qoperator, quantized};
use crate::kernels::Kernels;
use crate::program::{MAX_TENSOR_BYTES, Program};
use crate::{Error, Graph, Result, Signature};

/// The most nodes that tract is given. Of dynamically quantized networks, which have the most, an EfficientNet-B7 has some
/// 3,000.
const MAX_NODES: usize = 1 << 12;

/// How many of them any graph may have, and for how many of its bytes it may have one more: the time that tract's optimizer takes
/// grows with the cube of some chains, and a small file must not take long. Networks have weights.
const NODES_OF_ANY: usize = 384;
const BYTES_A_NODE: usize = 8192;

/// How many inputs a node may have before each counts as a node.
const FEW_INPUTS: usize = 4;

/// What runs a graph.
#[derive(Debug)]
pub(crate) enum Built {
    /// One program, and the kernels that it is for.
    Program(Program, &'static dyn Kernels),
    /// tract, with the shapes of the outputs.
    Plan(Plan, Vec<Vec<usize>>),
}

/// Builds what runs a graph, with these kernels or with none. Returns how long the import took, too.
pub(crate) fn build(
    kernels: Option<&'static dyn Kernels>,
    graph: Graph,
    signature: &Signature,
    threads: usize,
) -> Result<(Built, Duration)> {
    let start = Instant::now();
    let framework = framework();
    let mut graph = settled(graph, signature, &framework)?;
    let Some(kernels) = kernels else {
        let reason = "no integer kernels for this processor".to_owned();
        return with_tract(graph, framework, threads, (start, vec![], reason, vec![]));
    };
    let reason = match lower(graph.proto()) {
        Ok(program) => return Ok((Built::Program(program, kernels), start.elapsed())),
        Err(Refusal::TooLarge(what)) => return Err(too_large(&what)),
        Err(Refusal::Unlowered(unlowered)) => unlowered.to_string(),
    };
    log::debug!("not one program: {reason}");
    let (partitions, floats) = with_partitions(&mut graph, &framework, kernels, threads)?;
    with_tract(graph, framework, threads, (start, partitions, reason, floats))
}

/// The program that a graph is as a whole.
///
/// # Errors
/// As `Engine::build`; [`Error::Unsupported`] names the node that is not served in integers.
pub(crate) fn program(graph: Graph, signature: &Signature) -> Result<Program> {
    let graph = settled(graph, signature, &framework())?;
    lower(graph.proto()).map_err(|refusal| match refusal {
        Refusal::TooLarge(what) => too_large(&what),
        Refusal::Unlowered(unlowered) => Error::Unsupported(format!(
            "{unlowered}; a model is prepared only where its whole graph runs in integers: quantize all of it, or keep the \
             ONNX file"
        )),
    })
}

fn too_large(what: &str) -> Error {
    Error::TooLarge(format!("the graph is too large: {what}"))
}

/// Leaves the graph to tract, but for its islands.
fn with_tract(
    mut graph: Graph,
    mut framework: Onnx,
    threads: usize,
    (start, partitions, reason, floats): (Instant, Vec<Packed>, String, Vec<Unlowered>),
) -> Result<(Built, Duration)> {
    add_operators(&mut graph, &mut framework);
    check_nodes(graph.proto())?;
    let outline = Outline::of(graph.model());
    let again = |model: &ModelProto| {
        let typed = typed(parse(&framework, model, &partitions)?)?;
        typed.into_optimized().map(drop).map_err(|error| rejected(&error))
    };
    let (shapes, import, optimized) = outline.import(again, || {
        let parsed = parse(&framework, graph.model(), &partitions)?;
        // The proto holds a second copy of all weights.
        drop(graph);
        let typed = typed(parsed)?;
        let (shapes, import) = (ours(|| output_shapes(&typed))?, start.elapsed());
        let optimized = typed.into_optimized().map_err(|error| rejected(&error))?;
        Ok((shapes, import, optimized))
    })?;
    let plan = Plan::new(optimized, threads, partitions, reason, floats)?;
    Ok((Built::Plan(plan, shapes), import))
}

/// The graph in tract's typed form, with the signature's shape and outputs, decluttered.
pub(crate) fn decluttered(graph: Graph, signature: &Signature) -> Result<TypedModel> {
    let mut framework = framework();
    let mut graph = settled(graph, signature, &framework)?;
    add_operators(&mut graph, &mut framework);
    check_nodes(graph.proto())?;
    let declutter = |model: &ModelProto| {
        let typed = typed(parse(&framework, model, &[])?)?;
        typed.into_decluttered().map_err(|error| rejected(&error))
    };
    Outline::of(graph.model()).import(|model| declutter(model).map(drop), || declutter(graph.model()))
}

fn framework() -> Onnx {
    // Shapes that the exporter inferred or declared may be for another batch.
    tract_onnx::onnx().with_ignore_value_info(true).with_ignore_output_shapes(true)
}

/// The graph with the signature's shape and outputs, all of its operators served.
fn settled(mut graph: Graph, signature: &Signature, framework: &Onnx) -> Result<Graph> {
    operators::check_domains(graph.proto())?;
    check_readers(graph.proto())?;
    halves::widen(graph.proto_mut());
    let opset = graph.opset().unwrap_or(0);
    qoperator::spell_out(graph.proto_mut(), opset)?;
    quantize_constants(graph.proto_mut());
    operators::forget_pad_values(graph.proto_mut());
    operators::check(graph.proto(), &framework.op_register)?;
    graph.fix_input_shape(&signature.input, &signature.shape)?;
    select_outputs(&mut graph, &signature.outputs)?;
    graph.forget_symbols();
    graph.drop_trailing_inputs();
    Ok(graph)
}

/// Puts the quantized parts of a graph into islands. Gives these, and the nodes outside them.
fn with_partitions(
    graph: &mut Graph,
    framework: &Onnx,
    kernels: &'static dyn Kernels,
    threads: usize,
) -> Result<(Vec<Packed>, Vec<Unlowered>)> {
    if !graph.proto().node.iter().any(|node| node.op_type == "QuantizeLinear") {
        return Ok((vec![], vec![]));
    }
    let facts = facts(graph, framework)?;
    let split = partly(graph.proto(), &facts).map_err(|problem| too_large(&problem.to_string()))?;
    let Some(Partitioned { partitions, fallback_nodes, constants, floats }) = split else {
        return Ok((vec![], vec![]));
    };
    let proto = graph.proto_mut();
    proto.node = fallback_nodes;
    proto.node.extend(partitions.iter().enumerate().map(|(number, made)| partition::node(number, made)));
    let read: HashSet<String> = proto.node.iter().flat_map(|node| node.input.iter().cloned()).collect();
    // An initializer may be listed as an input too, which then has no value any more.
    let given: HashSet<String> = proto.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    proto.input.retain(|info| read.contains(&info.name) || !given.contains(&info.name));
    proto.initializer.retain(|tensor| read.contains(&tensor.name));
    proto.initializer.extend(constants);
    Ok((partition::packed(partitions, kernels, threads), floats))
}

/// The type and shape of every tensor, as tract infers them.
fn facts(graph: &Graph, framework: &Onnx) -> Result<Facts> {
    let analysed = |proto: &ModelProto| {
        let ParseResult { mut model, outlets_by_name, .. } =
            framework.parse(proto, None).map_err(|error| rejected(&error))?;
        ours(|| bounded::bound(&mut model, proto));
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

/// Gives the importer the operators that are ours, and the graph those that it has to have of them.
fn add_operators(graph: &mut Graph, framework: &mut Onnx) {
    quantized::keep_activations_whole(graph.proto_mut());
    quantized::register(&mut framework.op_register);
    partition::register(&mut framework.op_register);
}

/// Checks that tract is given no more nodes than it can optimize in a time that fits the file.
fn check_nodes(graph: &GraphProto) -> Result<()> {
    // tract makes of a sum of many as many nodes, and looks at each part of a concatenation with each other.
    let weight = |node: &NodeProto| 1 + node.input.len().saturating_sub(FEW_INPUTS);
    let (nodes, bytes) = (graph.node.iter().map(weight).sum::<usize>(), graph.encoded_len());
    let max = MAX_NODES.min(NODES_OF_ANY + bytes / BYTES_A_NODE);
    if nodes > max {
        return Err(Error::TooLarge(format!(
            "the graph has {nodes} nodes beside those that are run in integers, with inputs beyond {FEW_INPUTS} counted; at most \
             {max} are served in one of {bytes} bytes"
        )));
    }
    Ok(())
}

/// The graph as tract reads it, with its islands.
fn parse(framework: &Onnx, proto: &ModelProto, partitions: &[Packed]) -> Result<InferenceModel> {
    let ParseResult { mut model, unresolved_inputs, .. } =
        framework.parse(proto, None).map_err(|error| rejected(&error))?;
    ours(|| {
        partition::settle(&mut model, partitions);
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

fn typed(model: InferenceModel) -> Result<TypedModel> {
    let typed = model.into_typed().map_err(|error| rejected(&error))?;
    ours(|| check_sizes(&typed))?;
    Ok(typed)
}

/// Checks that no tensor of the graph asks for more than [`MAX_TENSOR_BYTES`], before any is made, nor all of those together
/// that are computed from constants, which tract does once and for all.
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
                    "node \"{}\" makes a tensor of shape {shape:?}; at most {MAX_TENSOR_BYTES} bytes are allowed, for one tensor \
                     and for all that constants alone make",
                    node.name
                )));
            }
        }
    }
    Ok(())
}

/// Makes `names` the graph's outputs.
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

/// The shape of each output, all of which must be floats of known shape.
fn output_shapes(model: &TypedModel) -> Result<Vec<Vec<usize>>> {
    let facts = model.outputs.iter().map(|&outlet| model.outlet_fact(outlet));
    facts
        .map(|fact| {
            let fact = fact.map_err(|error| rejected(&error))?;
            check_float(fact.datum_type)?;
            let shape = fact.shape.as_concrete().map(<[usize]>::to_vec);
            shape.ok_or_else(|| Error::Unsupported("an output's shape depends on what is in the picture".into()))
        })
        .collect()
}
