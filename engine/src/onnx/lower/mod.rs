//! From an ONNX graph to a [`Program`]: each quantized operator becomes a step over bytes.
//!
//! Nodes are taken in the graph's order. What a `DequantizeLinear` makes is not computed: it is remembered as a function
//! of the byte that it came from ([`Kind::Pointwise`]), and so are functions of it, and sums of products that wait for
//! what rounds them. A `QuantizeLinear`, or the end of the graph, then turns what waits into steps. So it makes no
//! difference whether an exporter wrote a `Clip` or left it to the range, or wrote x·σ(x) as two quantized operators or as
//! three.
//!
//! The order of all float arithmetic that this implies is written down in `docs/engine.md`.

mod attributes;
mod finish;
mod fold;
mod partitions;
mod pointwise;
mod pooling;
mod products;
mod shapes;
#[cfg(test)]
mod tests;
mod tidy;
mod value;

use std::collections::{HashMap, HashSet};
use std::fmt;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};

use crate::onnx::constants::Constants;
use crate::onnx::limits::{bytes, constants};
use crate::onnx::names::{full_name, node_name};
use crate::program::{Element, MAX_STEPS, Problem, Program, Step, TensorId, TensorKind, UncheckedProgram};
use attributes::Attributes;
use fold::Numbers;
pub(crate) use partitions::{BoundaryTensor, BoundaryType, Facts, Partition, Partitioned, partly};
use value::{Kind, Value, channels_last, row_major};

/// Why a graph, or a node of it, can't be a step.
type Reason = String;

/// A node that is not run in integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlowered {
    /// The operator.
    pub operator: String,
    /// The node's name, or that of its result where it has none.
    pub node: String,
    /// Why not.
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
    /// A node of it is not served in integers.
    Unlowered(Unlowered),
    /// It asks for more memory or work than is served, whoever runs it.
    TooLarge(String),
}

impl From<Unlowered> for Refusal {
    fn from(unlowered: Unlowered) -> Refusal {
        Refusal::Unlowered(unlowered)
    }
}

/// Lowers a graph whose input has a fixed shape and whose outputs are those wanted.
///
/// # Errors
/// Names the first node that is not served in bytes, or what is too large for a program.
pub(crate) fn lower(graph: &GraphProto) -> Result<Program, Refusal> {
    let mut lowering = Lowering::of(graph);
    let at = |operator: &str, node: &str, reason| Unlowered { operator: operator.into(), node: node.into(), reason };
    for info in &graph.input {
        lowering.input(info).map_err(|reason| at("Input", &info.name, reason))?;
    }
    let needed = needed(graph);
    for node in graph.node.iter().filter(|node| node.output.iter().any(|name| needed.contains(name.as_str()))) {
        lowering.node(node).map_err(|reason| at(&full_name(node), node_name(node), reason))?;
    }
    for info in &graph.output {
        lowering.output(&info.name).map_err(|reason| at("Output", &info.name, reason))?;
    }
    tidy::tidy(lowering.program).check().map_err(|problem| match problem {
        Problem::TooLarge(what) => Refusal::TooLarge(what),
        Problem::Unsound(reason) => Refusal::Unlowered(at("Graph", &graph.name, reason)),
    })
}

/// The tensors that an output depends on.
fn needed(graph: &GraphProto) -> HashSet<&str> {
    let mut needed: HashSet<&str> = graph.output.iter().map(|info| info.name.as_str()).collect();
    for node in graph.node.iter().rev() {
        if node.output.iter().any(|name| needed.contains(name.as_str())) {
            needed.extend(node.input.iter().map(String::as_str));
        }
    }
    needed
}

struct Lowering<'a> {
    constants: Constants<'a>,
    makers: HashMap<&'a str, &'a NodeProto>,
    values: HashMap<&'a str, Value>,
    program: UncheckedProgram,
    /// The tensor that steps are made for.
    making: &'a str,
    /// Whole numbers that the graph computes from constants and shapes.
    folded: HashMap<&'a str, Numbers>,
    /// What tract computes, where it runs a part of the graph.
    fallback: Option<partitions::Fallback<'a>>,
    /// Bytes that are a function of other bytes.
    derived: HashMap<TensorId, (TensorId, Box<[u8; 256]>)>,
    /// How many weights and biases may yet be made: each step, and each sum that waits for one, has its own.
    weights_left: usize,
}

/// How many more weights and biases there may be than four times the bytes of all constants.
const MAX_WEIGHTS_AGAIN: usize = 1 << 24;

impl<'a> Lowering<'a> {
    fn of(graph: &'a GraphProto) -> Lowering<'a> {
        let weights = constants(graph).map(|(_, tensor)| bytes(tensor) as usize);
        let makers = graph.node.iter().flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)));
        Lowering {
            constants: Constants::of(graph),
            makers: makers.collect(),
            values: HashMap::new(),
            program: UncheckedProgram::default(),
            making: "",
            folded: HashMap::new(),
            fallback: None,
            derived: HashMap::new(),
            weights_left: 4 * weights.sum::<usize>() + MAX_WEIGHTS_AGAIN,
        }
    }

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
        self.making = &info.name;
        let value = self.given(shape, DataType::try_from(kind.elem_type).unwrap_or_default())?;
        self.values.insert(&info.name, value);
        Ok(())
    }

    /// A tensor that the program is given, in the graph's own order.
    fn given(&mut self, shape: Vec<usize>, element: DataType) -> Result<Value, Reason> {
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
            Element::Float => Kind::Floats { tensor, strides: row_major(&shape) },
            Element::Byte => Kind::Integers { tensor: self.channels_last_again(tensor, &shape)?, offset },
        };
        self.program.inputs.push(tensor);
        Ok(Value { shape, kind })
    }

    fn output(&mut self, name: &'a str) -> Result<(), Reason> {
        self.making = name;
        let value = self.values.get(name).cloned().ok_or("nothing quantized makes it")?;
        let tensor = self.floats(&value)?;
        self.program.outputs.push((tensor, value.shape));
        Ok(())
    }

    fn node(&mut self, node: &'a NodeProto) -> Result<(), Reason> {
        let Some(output) = node.output.first() else { return Ok(()) };
        if self.program.steps.len() > MAX_STEPS {
            return Err(format!("the steps before it are more than {MAX_STEPS}"));
        }
        if self.is_of_constants(node) {
            return Ok(());
        }
        if let Some(numbers) = self.fold(node) {
            self.folded.insert(output, numbers);
            return Ok(());
        }
        if !matches!(node.domain.as_str(), "" | "ai.onnx" | "com.microsoft") {
            return Err("an operator of another domain".into());
        }
        // What is quantized has the better name.
        self.making = node.input.first().filter(|_| node.op_type == "QuantizeLinear").unwrap_or(output);
        let attributes = Attributes::of(node);
        let value = match node.op_type.as_str() {
            "QuantizeLinear" => self.quantize_linear(node)?,
            "DequantizeLinear" => self.dequantize_linear(node)?,
            "Conv" => self.convolution(node, &attributes)?,
            "Gemm" => self.gemm(node, &attributes)?,
            "MatMul" => self.matrix_product(node)?,
            "Add" => self.sum(node)?,
            "Mul" => self.product(node)?,
            "Sub" | "Div" | "Max" | "Min" => self.of_two(node)?,
            "Relu" => self.clip(node, Some(0.0), None)?,
            "Clip" => {
                let (low, high) = self.bounds(node, &attributes)?;
                self.clip(node, low, high)?
            }
            "AveragePool" | "GlobalAveragePool" => self.mean_in_windows(node, &attributes)?,
            "ReduceMean" => self.mean_over_axes(node, &attributes)?,
            "MaxPool" => self.max_in_windows(node, &attributes)?,
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(node, &attributes)?,
            "Transpose" => self.transpose(node, &attributes)?,
            "Identity" | "Dropout" => self.value(node, 0)?,
            "Cast" => self.cast(node, &attributes)?,
            "Concat" => self.concatenation(node, &attributes)?,
            "Pad" => self.padded(node, &attributes)?,
            _ => self.unary(node, &attributes)?,
        };
        self.values.insert(output, value);
        Ok(())
    }

    /// Whether a node is a constant or turns constants into reals, which those that read them ask for in their own ways.
    fn is_of_constants(&self, node: &NodeProto) -> bool {
        let given = |name: &String| name.is_empty() || self.constants.has(name);
        node.op_type == "Constant" || node.op_type == "DequantizeLinear" && node.input.iter().all(given)
    }

    /// The value of a node's input.
    fn value(&self, node: &NodeProto, input: usize) -> Result<Value, Reason> {
        let name = node.input.get(input).ok_or("too few inputs")?;
        self.values.get(name.as_str()).cloned().ok_or_else(|| format!("its input \"{name}\" is not quantized"))
    }

    fn tensor(&mut self, element: Element, shape: [usize; 4]) -> TensorId {
        self.program.tensors.push(TensorKind { element, shape });
        self.program.names.push(self.making.to_owned());
        TensorId(self.program.tensors.len() - 1)
    }

    /// Takes so many weights or biases from those that there may be.
    fn spend(&mut self, count: usize) -> Result<(), Reason> {
        self.weights_left = self.weights_left.checked_sub(count).ok_or("the same weights are read too often")?;
        Ok(())
    }

    /// A tensor of bytes for a value of this shape.
    fn bytes(&mut self, shape: &[usize]) -> Result<TensorId, Reason> {
        let shape = channels_last(shape)?;
        Ok(self.tensor(Element::Byte, shape))
    }

    fn step(&mut self, step: Step) {
        if let Some(fallback) = &mut self.fallback {
            fallback.count(&step);
        }
        self.program.steps.push(step);
    }
}
