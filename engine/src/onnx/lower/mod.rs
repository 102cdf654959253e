//! Lowers an ONNX graph to a [`Program`]: each quantized operator becomes a step over bytes.
//!
//! Nodes are lowered in the graph's order. The result of a `DequantizeLinear` is not computed: it is recorded as a
//! function of the byte that it comes from ([`ValueKind::Pointwise`]), and so are functions of it. A convolution, a
//! sum, a product, a mean or a concatenation is deferred ([`ValueKind::Deferred`]) until its requantization is known. A
//! `QuantizeLinear`, or the end of the graph, then turns a recorded or deferred value into steps. So the steps are the
//! same whether an exporter wrote a `Clip` or left it to the range of the bytes, and whether it wrote x·σ(x) as two
//! quantized operators or as three.
//!
//! The order of all float arithmetic is defined in `docs/engine.md`. `program/check.rs` checks every program that is
//! made here.

mod attributes;
mod finish;
mod fold;
mod partitions;
mod pointwise;
mod pooling;
mod products;
mod shapes;
mod taps;
#[cfg(test)]
mod tests;
mod tidy;
mod value;

use std::collections::HashMap;
use std::fmt;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};

use crate::onnx::constants::Constants;
use crate::onnx::limits::{bytes, constants};
use crate::onnx::live::live_nodes;
use crate::onnx::names::{full_name, node_name};
use crate::program::{Element, MAX_STEPS, Problem, Program, Step, TensorId, TensorType, UncheckedProgram};
use crate::signature::Tap;
use attributes::Attributes;
use fold::IntegerTensor;
pub(crate) use partitions::{BoundaryTensor, BoundaryType, Facts, Partition, Partitioned, partition_graph};
pub(crate) use products::integer_bias;
pub(crate) use taps::shape_reason;
use value::{Value, ValueKind, channels_last, row_major};

/// Why a graph, or a node of it, can't be lowered.
type Reason = String;

/// A node that does not run in integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlowered {
    /// The operator.
    pub operator: String,
    /// The node's name, or that of its output where it has none.
    pub node: String,
    /// Why it does not.
    pub reason: String,
}

impl fmt::Display for Unlowered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator {} at node \"{}\": {}", self.operator, self.node, self.reason)
    }
}

/// Why a graph is not one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// One of its nodes is not supported in integers.
    Unlowered(Unlowered),
    /// It needs more memory or work than the limits of programs allow. Such a graph is refused, and not left to tract.
    TooLarge(String),
    /// A tap can't be served, for this reason.
    Tap(Tap, Reason),
}

impl From<Unlowered> for Refusal {
    fn from(unlowered: Unlowered) -> Refusal {
        Refusal::Unlowered(unlowered)
    }
}

/// Lowers a whole graph to one program. Requires an input of fixed shape; the program gives all outputs of the graph, and
/// has these taps.
///
/// # Errors
/// [`Refusal::Unlowered`] names the first node that is not supported in integers; [`Refusal::TooLarge`] names what is
/// above a limit of programs; [`Refusal::Tap`] where the program does not compute a tap's tensor.
pub(crate) fn lower(graph: &GraphProto, taps: &[Tap]) -> Result<Program, Refusal> {
    let mut lowering = Lowering::of(graph);
    let at = |operator: &str, node: &str, reason| Unlowered { operator: operator.into(), node: node.into(), reason };
    for info in &graph.input {
        lowering.input(info).map_err(|reason| at("Input", &info.name, reason))?;
    }
    for node in live_nodes_of(graph) {
        lowering.node(node).map_err(|reason| at(&full_name(node), node_name(node), reason))?;
    }
    for info in &graph.output {
        lowering.output(&info.name).map_err(|reason| at("Output", &info.name, reason))?;
    }
    let mut program = tidy::tidy(std::mem::take(&mut lowering.program));
    let taps = lowering.taps(graph, &program, taps);
    program.taps = taps.map_err(|(tap, reason)| Refusal::Tap(tap.clone(), reason))?;
    program.check().map_err(|problem| match problem {
        Problem::TooLarge(what) => Refusal::TooLarge(what),
        Problem::Unsound(reason) => Refusal::Unlowered(at("Graph", &graph.name, reason)),
    })
}

/// The nodes that an output depends on, in the graph's order.
fn live_nodes_of(graph: &GraphProto) -> impl Iterator<Item = &NodeProto> {
    let live = live_nodes(&graph.node, graph.output.iter().map(|info| info.name.as_str()));
    graph.node.iter().zip(live).filter_map(|(node, is_live)| is_live.then_some(node))
}

/// The state of lowering: the program so far, and what is known of the graph's tensors.
struct Lowering<'a> {
    constants: Constants<'a>,
    /// The node that produces each tensor.
    producers: HashMap<&'a str, &'a NodeProto>,
    /// The tensors that have been lowered. Those that tract computes are in [`partitions::Fallback`].
    values: HashMap<&'a str, Value>,
    program: UncheckedProgram,
    /// The graph's name for the program tensors that are added next.
    tensor_name: &'a str,
    /// Integers that the graph computes from constants and shapes.
    folded: HashMap<&'a str, IntegerTensor>,
    /// What is known of the nodes that tract runs, where the graph is partitioned.
    fallback: Option<partitions::Fallback<'a>>,
    /// For each byte tensor that is a function of another one, that tensor and the function's table.
    derived: HashMap<TensorId, (TensorId, Box<[u8; 256]>)>,
    /// How many more weights and biases may be added: each convolution step, and each deferred convolution, has a copy.
    weights_left: usize,
}

/// `weights_left` begins with this number, and four for each byte of the constants. A deferred convolution that several
/// nodes read becomes a step for each of them.
const EXTRA_WEIGHTS: usize = 1 << 24;

impl<'a> Lowering<'a> {
    fn of(graph: &'a GraphProto) -> Lowering<'a> {
        let weights = constants(graph).map(|(_, tensor)| bytes(tensor) as usize);
        let producers = graph.node.iter().flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)));
        Lowering {
            constants: Constants::of(graph),
            producers: producers.collect(),
            values: HashMap::new(),
            program: UncheckedProgram::default(),
            tensor_name: "",
            folded: HashMap::new(),
            fallback: None,
            derived: HashMap::new(),
            weights_left: 4 * weights.sum::<usize>() + EXTRA_WEIGHTS,
        }
    }

    /// Lowers an input of the graph. An input that is a constant is skipped.
    fn input(&mut self, info: &'a ValueInfoProto) -> Result<(), Reason> {
        if self.constants.has(&info.name) {
            return Ok(());
        }
        if !self.program.inputs.is_empty() {
            return Err("a second input".into());
        }
        let Some(TypeValue::TensorType(kind)) = info.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
            return Err("not a tensor".into());
        };
        let length = |value: &Option<Length>| match value {
            Some(Length::DimValue(length)) => usize::try_from(*length).ok(),
            _ => None,
        };
        let dims = kind.shape.iter().flat_map(|shape| &shape.dim);
        let shape: Vec<usize> = dims.map(|dim| length(&dim.value)).collect::<Option<_>>().ok_or("its shape is open")?;
        self.tensor_name = &info.name;
        let value = self.program_input(shape, DataType::try_from(kind.elem_type).unwrap_or_default())?;
        self.values.insert(&info.name, value);
        Ok(())
    }

    /// Adds an input to the program: float32, uint8 or int8, row-major in the graph's order of axes.
    fn program_input(&mut self, shape: Vec<usize>, element: DataType) -> Result<Value, Reason> {
        let count = shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
        let dense = [1, 1, 1, count.ok_or("a tensor too large to count")?];
        let (element, offset) = match element {
            DataType::Float => (Element::Float, 0),
            DataType::Uint8 => (Element::Byte, 0),
            DataType::Int8 => (Element::Byte, 128),
            _ => return Err("neither float32 nor of 8 bits".into()),
        };
        let tensor = self.tensor(element, dense);
        let kind = match element {
            Element::Float => ValueKind::Floats { tensor, strides: row_major(&shape) },
            Element::Byte => ValueKind::Integers { tensor: self.channels_last_copy(tensor, &shape)?, offset },
        };
        self.program.inputs.push(tensor);
        Ok(Value { shape, kind })
    }

    /// Adds an output to the program: a value as float32, row-major in the graph's order of axes.
    fn output(&mut self, name: &'a str) -> Result<(), Reason> {
        self.tensor_name = name;
        let value = self.values.get(name).cloned().ok_or("nothing quantized makes it")?;
        let tensor = self.floats(&value)?;
        self.program.outputs.push((tensor, value.shape));
        Ok(())
    }

    /// Lowers a node, of which only the first output gets a value. A node that is not served in integers is an error,
    /// and the caller decides whether the graph is refused or the node is left to tract.
    fn node(&mut self, node: &'a NodeProto) -> Result<(), Reason> {
        let Some(output) = node.output.first() else { return Ok(()) };
        if self.program.steps.len() > MAX_STEPS {
            return Err(format!("the steps before it are more than {MAX_STEPS}"));
        }
        if self.is_constant_node(node) {
            return Ok(());
        }
        if let Some(numbers) = self.fold(node) {
            self.folded.insert(output, numbers);
            return Ok(());
        }
        if !matches!(node.domain.as_str(), "" | "ai.onnx" | "com.microsoft") {
            return Err("an operator of another domain".into());
        }
        // The input of a QuantizeLinear is the output of an operator, which has a more telling name.
        self.tensor_name = node.input.first().filter(|_| node.op_type == "QuantizeLinear").unwrap_or(output);
        let attributes = Attributes::of(node);
        let value = match node.op_type.as_str() {
            "QuantizeLinear" => self.quantize_linear(node)?,
            "DequantizeLinear" => self.dequantize_linear(node)?,
            "Conv" => self.convolution(node, &attributes)?,
            "Gemm" => self.gemm(node, &attributes)?,
            "MatMul" => self.matmul(node)?,
            "Add" => self.sum(node)?,
            "Mul" => self.product(node)?,
            "Sub" | "Div" | "Max" | "Min" => self.binary_function(node)?,
            "Relu" => self.clip(node, Some(0.0), None)?,
            "Clip" => {
                let (low, high) = self.bounds(node, &attributes)?;
                self.clip(node, low, high)?
            }
            "AveragePool" | "GlobalAveragePool" => self.average_pooling(node, &attributes)?,
            "ReduceMean" => self.reduce_mean(node, &attributes)?,
            "MaxPool" => self.max_pooling(node, &attributes)?,
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(node, &attributes)?,
            "Transpose" => self.transpose(node, &attributes)?,
            "Identity" | "Dropout" => self.value(node, 0)?,
            "Cast" => self.cast(node, &attributes)?,
            "Concat" => self.concat(node, &attributes)?,
            "Pad" => self.pad(node, &attributes)?,
            _ => self.unary(node, &attributes)?,
        };
        self.values.insert(output, value);
        Ok(())
    }

    /// Whether a node is a constant or dequantizes constants. Such nodes are not lowered: their consumers read the
    /// constant in the form that they need. tract gets them where a fallback node reads them.
    fn is_constant_node(&self, node: &NodeProto) -> bool {
        let given = |name: &String| name.is_empty() || self.constants.has(name);
        node.op_type == "Constant" || node.op_type == "DequantizeLinear" && node.input.iter().all(given)
    }

    /// The value of a node's input.
    fn value(&self, node: &NodeProto, input: usize) -> Result<Value, Reason> {
        let name = node.input.get(input).ok_or("too few inputs")?;
        self.values.get(name.as_str()).cloned().ok_or_else(|| format!("its input \"{name}\" is not quantized"))
    }

    /// Adds a tensor to the program. The shape is batch, height, width, channels.
    fn tensor(&mut self, element: Element, shape: [usize; 4]) -> TensorId {
        self.program.tensors.push(TensorType { element, shape });
        self.program.names.push(self.tensor_name.to_owned());
        TensorId(self.program.tensors.len() - 1)
    }

    /// Takes `count` from the number of weights and biases that may be added.
    ///
    /// # Errors
    /// Fewer are left.
    fn reserve_weights(&mut self, count: usize) -> Result<(), Reason> {
        self.weights_left = self.weights_left.checked_sub(count).ok_or("the same weights are read too often")?;
        Ok(())
    }

    /// Adds a tensor of bytes for a value of this shape, which is in the graph's order of axes.
    fn bytes(&mut self, shape: &[usize]) -> Result<TensorId, Reason> {
        let shape = channels_last(shape)?;
        Ok(self.tensor(Element::Byte, shape))
    }

    /// Appends a step to the program.
    fn step(&mut self, step: Step) {
        if let Some(fallback) = &mut self.fallback {
            fallback.record_level(&step);
        }
        self.program.steps.push(step);
    }
}
