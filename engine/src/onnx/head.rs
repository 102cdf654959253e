//! Finds the linear head of an output: from the output back to a product with constant weights, and from there to the
//! mean over height and width that it reads.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto};

use super::constants::{Constants, Quantization, Weights, quantize_constants};
use super::limits::check_constant_reads;
use super::lower::integer_bias;
use super::names::{full_name, node_name};
use super::{halves, operators, qoperator};
use crate::guard::guarded;
use crate::head::none;
use crate::{Error, Graph, Head, Result};

/// The head of a graph's output, and its weights as integers where they are quantized.
#[derive(Debug, Clone)]
pub(super) struct FoundHead {
    pub(super) head: Head,
    pub(super) integers: Option<IntegerWeights>,
}

/// Labels × channels, less the zero point; and the scale of each label.
#[derive(Debug, Clone)]
pub(super) struct IntegerWeights {
    pub(super) weights: Vec<i16>,
    pub(super) scales: Vec<f32>,
}

impl Graph {
    /// The linear head of `output`: a `Gemm`, `MatMul` or 1×1 `Conv` with constant weights, of which only what keeps
    /// each value or its order stands behind (quantization, reshaping, a softmax or sigmoid), and which reads the mean
    /// over height and width of a tensor.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the graph has no such output, or the output has no such head; it has the reason.
    pub fn head(&self, output: &str) -> Result<Head> {
        guarded("import", || match self.found_head(output)? {
            Ok(found) => Ok(found.head),
            Err(reason) => Err(none(output, &reason)),
        })
    }

    /// As [`Graph::head`], with its integers, or the reason why there is none.
    pub(super) fn found_head(&self, output: &str) -> Result<Result<FoundHead, String>> {
        if !self.proto().output.iter().any(|info| info.name == output) {
            return Err(Error::Unsupported(format!("the graph has no output \"{output}\"")));
        }
        let mut graph = self.clone();
        let names: HashSet<&str> = self.proto().node.iter().flat_map(|node| &node.output).map(String::as_str).collect();
        operators::check_domains(graph.proto())?;
        check_constant_reads(graph.proto())?;
        halves::widen(graph.proto_mut());
        let opset = graph.opset().unwrap_or(0);
        qoperator::expand_to_qdq(graph.proto_mut(), opset)?;
        quantize_constants(graph.proto_mut());
        Ok(Search::of(graph.proto(), names).head(output))
    }
}

/// Operators that may stand behind a head: a logit of more gives a value of more.
const BEHIND: &[&str] = &["Softmax", "Sigmoid"];
/// Operators that keep each value, but for rounding, as a cast to float32 does.
const PLAIN: &[&str] =
    &["Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "QuantizeLinear", "DequantizeLinear"];
/// Operators whose result has the channels of their first input.
const KEEPS_CHANNELS: &[&str] = &[
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Clip",
    "DequantizeLinear",
    "Dropout",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "MaxPool",
    "Mul",
    "QuantizeLinear",
    "Relu",
    "Sigmoid",
];

/// Whether a node keeps each value, but for rounding.
fn is_plain(node: &NodeProto) -> bool {
    let to_float = |node: &NodeProto| node.attribute.iter().any(|a| a.name == "to" && a.i == DataType::Float as i64);
    PLAIN.contains(&node.op_type.as_str()) || node.op_type == "Cast" && to_float(node)
}

/// A graph in its one form, by the tensors of its nodes.
struct Search<'a> {
    constants: Constants<'a>,
    producers: HashMap<&'a str, &'a NodeProto>,
    /// The names of the tensors of nodes in the file.
    names: HashSet<&'a str>,
    nodes: usize,
}

impl<'a> Search<'a> {
    fn of(graph: &'a GraphProto, names: HashSet<&'a str>) -> Search<'a> {
        let made = graph.node.iter().flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)));
        Search { constants: Constants::of(graph), producers: made.collect(), names, nodes: graph.node.len() }
    }

    fn head(&self, output: &str) -> Result<FoundHead, String> {
        let mut behind = self.before(output, |node| is_plain(node) || BEHIND.contains(&node.op_type.as_str()))?;
        let mut added = None;
        if behind.op_type == "Add" {
            let (reals, product) = self.bias_of_add(behind)?;
            (added, behind) = (Some(reals), product);
        }
        if !["Gemm", "MatMul", "Conv"].contains(&behind.op_type.as_str()) {
            return Err(format!("{} makes it, no product", described(behind)));
        }
        let product = behind;
        let read = product.input.first().ok_or("a product of nothing")?;
        let (pooling, quantization) = self.pooling(read)?;
        let features = pooling.input.first().ok_or("a mean of nothing")?;
        let weights_name = product.input.get(1).ok_or("a product without weights")?;
        let (initializer, weights) = self.weights(weights_name)?;
        let is_transposed = Search::check_product(product, weights.dims())?;
        let [labels, channels] = weights.labels_and_channels(is_transposed);
        if pooling.op_type == "AveragePool" {
            self.check_whole_map(product, features, channels)?;
        }
        let scales = weights.scales(is_transposed);
        let units =
            scales.as_ref().zip(quantization).map(|(scales, from)| scales.iter().map(|s| from.scale * s).collect());
        let units: Option<Vec<f32>> = units;
        let mut bias = vec![0.0; labels];
        let own = product.input.get(2).filter(|name| !name.is_empty()).map(String::as_str);
        for name in own.into_iter().chain(added) {
            for (sum, more) in bias.iter_mut().zip(self.bias(name, labels, units.as_deref())?) {
                *sum += more;
            }
        }
        let integers = scales.and_then(|scales| weights.integers(is_transposed, scales));
        let head = Head {
            features: self.in_file(features)?,
            pooled: self.in_file(read)?,
            initializer: initializer.to_owned(),
            labels,
            channels,
            weights: weights.reals(is_transposed),
            bias,
        };
        if !head.weights.iter().chain(&head.bias).all(|number| number.is_finite()) {
            return Err("a weight or a bias that is no number".into());
        }
        Ok(FoundHead { head, integers })
    }

    /// The node that makes a tensor, or the last one before it that is not to `skip`.
    fn before(&self, tensor: &str, skip: impl Fn(&NodeProto) -> bool) -> Result<&'a NodeProto, String> {
        let mut tensor = tensor;
        // A valid graph has no cycle; the bound ends the loop on a graph that has one.
        for _ in 0..=self.nodes {
            let node = self.producers.get(tensor).ok_or_else(|| format!("no node makes \"{tensor}\""))?;
            match node.input.first() {
                Some(input) if skip(node) => tensor = input,
                _ => return Ok(node),
            }
        }
        Err("its nodes form a cycle".into())
    }

    /// The constant of an `Add` of a bias, and the product that it is added to.
    fn bias_of_add(&self, add: &'a NodeProto) -> Result<(&'a str, &'a NodeProto), String> {
        for (value, constant) in [(0, 1), (1, 0)] {
            let (Some(value), Some(constant)) = (add.input.get(value), add.input.get(constant)) else { continue };
            if let (Some(product), true) = (self.producers.get(value.as_str()), self.reals(constant).is_some()) {
                return Ok((constant, product));
            }
        }
        Err(format!("{} adds no constant", described(add)))
    }

    /// The elements of a constant as reals: of float32, or dequantized.
    fn reals(&self, name: &str) -> Option<Vec<f32>> {
        self.constants.floats(name).or_else(|| Some(self.constants.weights::<i32>(self.producers.get(name)?)?.reals()))
    }

    /// The node that pools what a product reads, and the quantization of the pooled tensor nearest to the product.
    fn pooling(&self, read: &'a str) -> Result<(&'a NodeProto, Option<Quantization>), String> {
        let node = self.before(read, is_plain)?;
        let is_pooling = match node.op_type.as_str() {
            "GlobalAveragePool" => true,
            "AveragePool" => integers(node, "pads").iter().all(|&pad| pad == 0),
            "ReduceMean" => {
                let given = node.input.get(1).filter(|name| !name.is_empty());
                let mut axes = match given {
                    Some(name) => self.constants.int64s(name).ok_or("the axes of its mean are no constant")?,
                    None => integers(node, "axes").to_vec(),
                };
                axes.sort_unstable();
                axes == [2, 3] || axes == [-2, -1]
            }
            _ => false,
        };
        if !is_pooling {
            return Err(format!("its product reads the result of {}, no such mean", described(node)));
        }
        let dequantize = self.before(read, |node| is_plain(node) && node.op_type != "DequantizeLinear")?;
        let quantization = Some(dequantize).filter(|node| node.op_type == "DequantizeLinear");
        Ok((node, quantization.and_then(|node| self.constants.activation(node))))
    }

    /// Checks that a product is one with plain weights of these dimensions. Whether they are channels × labels, and not
    /// labels × channels.
    fn check_product(product: &NodeProto, dims: &[usize]) -> Result<bool, String> {
        let number = |name: &str, absent: f32| {
            product.attribute.iter().find(|attribute| attribute.name == name).map_or(absent, |attribute| attribute.f)
        };
        let flag = |name: &str| product.attribute.iter().any(|attribute| attribute.name == name && attribute.i != 0);
        let is_one = |name: &str| number(name, 1.0).to_bits() == 1.0_f32.to_bits();
        match (product.op_type.as_str(), dims) {
            ("Gemm", [_, _]) if is_one("alpha") && is_one("beta") && !flag("transA") => Ok(!flag("transB")),
            ("Gemm", [_, _]) => Err(format!("{} has alpha, beta or transA", described(product))),
            ("MatMul", [_, _]) => Ok(true),
            ("Conv", [_, _, 1, 1] | [_, _, 1]) => {
                let group = product.attribute.iter().find(|attribute| attribute.name == "group").map_or(1, |a| a.i);
                let pads = integers(product, "pads").iter().all(|&pad| pad == 0);
                if group == 1 && pads { Ok(false) } else { Err(format!("{} has groups or pads", described(product))) }
            }
            _ => Err(format!("the weights of {} are of shape {dims:?}", described(product))),
        }
    }

    /// Checks that an `AveragePool` whose result a product reads has one pixel: what is flattened has as many elements
    /// as the features have channels.
    fn check_whole_map(&self, product: &NodeProto, features: &str, channels: usize) -> Result<(), String> {
        let made = self.before(features, |node| KEEPS_CHANNELS.contains(&node.op_type.as_str()))?;
        let known = made.input.get(1).filter(|_| made.op_type == "Conv");
        let known = known.and_then(|name| self.weights(name).ok()).map(|(_, weights)| weights.dims()[0]);
        if product.op_type != "Conv" && known == Some(channels) {
            return Ok(());
        }
        Err("whether its AveragePool has the size of the map is not known; use a GlobalAveragePool".into())
    }

    /// The initializer of a product's weights, and their values.
    fn weights(&self, name: &'a str) -> Result<(&'a str, HeadWeights), String> {
        if let (Some(values), Some(dims)) = (self.constants.floats(name), self.constants.dims(name)) {
            let dims: Vec<usize> = dims.iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect();
            if values.is_empty() || dims.iter().try_fold(1_usize, |n, &dim| n.checked_mul(dim)) != Some(values.len()) {
                return Err(format!("the weights \"{name}\" are no whole tensor"));
            }
            return Ok((name, HeadWeights::Floats { dims, values }));
        }
        let producer = self.producers.get(name).copied();
        let weights = producer.and_then(|node| Some((node.input.first()?, self.constants.weights::<i16>(node)?)));
        let (initializer, weights) = weights.ok_or_else(|| format!("its weights \"{name}\" are no constant"))?;
        Ok((initializer, HeadWeights::Integers(weights)))
    }

    /// The bias of each label. Where the sums are integers of these units, it is rounded to them, as in a program.
    fn bias(&self, name: &str, labels: usize, units: Option<&[f32]>) -> Result<Vec<f32>, String> {
        let reals = self.reals(name).ok_or_else(|| format!("its bias \"{name}\" is no constant"))?;
        if reals.len() != labels && reals.len() != 1 {
            return Err("a bias that is not one number a label".into());
        }
        let Some(units) = units else { return Ok((0..labels).map(|label| reals[label % reals.len()]).collect()) };
        let integers = self.producers.get(name).and_then(|node| self.constants.weights::<i32>(node));
        let bias = integer_bias(integers, || Some(reals), units)?;
        Ok(bias.into_iter().zip(units).map(|(sum, &unit)| (f64::from(sum) * f64::from(unit)) as f32).collect())
    }

    /// A name that the tensor has in the file: its own, or that of the integers that it is made of.
    fn in_file(&self, name: &str) -> Result<String, String> {
        if self.names.contains(name) {
            return Ok(name.to_owned());
        }
        let integers = self.producers.get(name).filter(|node| node.op_type == "DequantizeLinear");
        match integers.and_then(|node| node.input.first()).filter(|name| self.names.contains(name.as_str())) {
            Some(integers) => Ok(integers.clone()),
            None => Err("what it pools is the graph's input".into()),
        }
    }
}

/// The weights of a head as they are in the graph.
enum HeadWeights {
    Floats { dims: Vec<usize>, values: Vec<f32> },
    Integers(Weights<i16>),
}

impl HeadWeights {
    fn dims(&self) -> &[usize] {
        match self {
            HeadWeights::Floats { dims, .. } => dims,
            HeadWeights::Integers(weights) => &weights.dims,
        }
    }

    /// The numbers of labels and of channels, of weights with at least two axes.
    fn labels_and_channels(&self, is_transposed: bool) -> [usize; 2] {
        let [first, second] = [self.dims()[0], self.dims()[1]];
        if is_transposed { [second, first] } else { [first, second] }
    }

    /// The scale of each label; none of floats, or where scales do not lie along the labels.
    fn scales(&self, is_transposed: bool) -> Option<Vec<f32>> {
        let HeadWeights::Integers(weights) = self else { return None };
        let [labels, _] = self.labels_and_channels(is_transposed);
        match weights.scales[..] {
            [scale] => Some(vec![scale; labels]),
            _ => (weights.axis == usize::from(is_transposed)).then(|| weights.scales.clone()),
        }
    }

    /// The reals, labels × channels.
    fn reals(&self, is_transposed: bool) -> Vec<f32> {
        let values = match self {
            HeadWeights::Floats { values, .. } => values.clone(),
            HeadWeights::Integers(weights) => weights.reals(),
        };
        self.in_order(values, is_transposed)
    }

    /// The integers, labels × channels, with the scale of each label; none of floats.
    fn integers(&self, is_transposed: bool, scales: Vec<f32>) -> Option<IntegerWeights> {
        let HeadWeights::Integers(weights) = self else { return None };
        Some(IntegerWeights { weights: self.in_order(weights.values.clone(), is_transposed), scales })
    }

    /// Values in the order of the graph as labels × channels.
    fn in_order<T: Copy>(&self, values: Vec<T>, is_transposed: bool) -> Vec<T> {
        if !is_transposed {
            return values;
        }
        let [labels, _] = self.labels_and_channels(is_transposed);
        (0..labels).flat_map(|label| values[label..].iter().step_by(labels).copied()).collect()
    }
}

/// The integers of an attribute that is a list.
fn integers<'n>(node: &'n NodeProto, name: &str) -> &'n [i64] {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(&[], |attribute| &attribute.ints)
}

/// A node, as messages name it.
fn described(node: &NodeProto) -> String {
    format!("operator {} at node \"{}\"", full_name(node), node_name(node))
}
