//! A mutator whose results stay ONNX models: it changes fields, nodes and tensors of a decoded model. A changed model
//! may contradict itself, and the engine must then refuse it.

use bedside::manifest::METADATA_KEY;
use bedside_engine::Graph;
use prost::Message;
use serde_json::Value as Json;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto, ValueInfoProto,
};

use crate::bytes::mutated;
use crate::random::Random;
use crate::{fitting, json};

/// The operators that a node may get: those that are lowered to programs, those that tract runs, and one that does not
/// exist.
const OPERATORS: &[&str] = &[
    "Abs",
    "Add",
    "ArgMax",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "ConvInteger",
    "ConvTranspose",
    "CumSum",
    "DepthToSpace",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "DynamicQuantizeLinear",
    "Einsum",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "LRN",
    "LSTM",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "Loop",
    "MatMul",
    "MatMulInteger",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Neg",
    "NonZero",
    "Pad",
    "Pow",
    "QGemm",
    "QLinearAdd",
    "QLinearAveragePool",
    "QLinearConcat",
    "QLinearConv",
    "QLinearGlobalAveragePool",
    "QLinearLeakyRelu",
    "QLinearMatMul",
    "QLinearMul",
    "QLinearSigmoid",
    "QLinearSoftmax",
    "QuantizeLinear",
    "Range",
    "Reciprocal",
    "ReduceMax",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Resize",
    "Round",
    "ScatterND",
    "Shape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "SpaceToDepth",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "Tile",
    "TopK",
    "Transpose",
    "Unsqueeze",
    "Upsample",
    "Where",
    "NoSuchOperator",
];

/// Operators with one input, which can be put between any two nodes.
const OF_ONE: &[&str] = &[
    "Abs",
    "Clip",
    "DequantizeLinear",
    "Dropout",
    "Elu",
    "Erf",
    "Exp",
    "Flatten",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Neg",
    "QuantizeLinear",
    "Relu",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Transpose",
];

/// The attributes that a node may get.
const ATTRIBUTES: &[&str] = &[
    "allowzero",
    "alpha",
    "approximate",
    "auto_pad",
    "axes",
    "axis",
    "beta",
    "block_size",
    "blocksize",
    "ceil_mode",
    "channels_last",
    "count_include_pad",
    "dilations",
    "end",
    "ends",
    "epsilon",
    "gamma",
    "group",
    "keepdims",
    "kernel_shape",
    "mode",
    "noop_with_empty_axes",
    "num_outputs",
    "output_dtype",
    "output_padding",
    "output_shape",
    "pads",
    "perm",
    "repeats",
    "saturate",
    "select_last_index",
    "shape",
    "split",
    "start",
    "starts",
    "steps",
    "storage_order",
    "strides",
    "to",
    "transA",
    "transB",
    "value",
    "value_float",
    "value_floats",
    "value_int",
    "value_ints",
];

/// The operator domains that a node may get.
const DOMAINS: &[&str] = &["", "ai.onnx", "com.microsoft", "org.example"];

/// The maximum length to which lists are extended: one more than the pads of four axes. Longer ones reach no other
/// code.
const MAX_LIST: usize = 9;

/// Changes a model. Once in 32 times, and where the file is no model with a graph, changes its bytes instead.
pub fn mutate(file: &[u8], max_len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random::new(seed);
    let decoded = ModelProto::decode(file).ok().filter(|model| model.graph.is_some());
    let Some(mut model) = decoded.filter(|_| !random.once_in(32)) else { return mutated(file, max_len) };
    for _ in 0..=random.below(4) {
        change(&mut model, &mut random);
    }
    model.encode_to_vec()
}

fn change(model: &mut ModelProto, random: &mut Random) {
    match random.below(40) {
        0 => change_manifest(model, random),
        1 => {
            if let Some(set) = random.of_mut(&mut model.opset_import) {
                set.version = random.below(26) as i64;
            }
        }
        _ => change_graph(model.graph.as_mut().expect("a model with a graph"), random),
    }
}

/// Changes the model's manifest, or makes one that fits the graph and changes that. One time in three the model is left
/// without a manifest.
fn change_manifest(model: &mut ModelProto, random: &mut Random) {
    let old = model.metadata_props.iter().find(|entry| entry.key == METADATA_KEY);
    let old = old.and_then(|entry| serde_json::from_str::<Json>(&entry.value).ok());
    let fitting = || Graph::from_bytes(&model.encode_to_vec()).ok().map(|graph| fitting::manifest(&graph));
    let Some(mut manifest) = old.filter(|_| !random.once_in(3)).or_else(fitting) else { return };
    json::change(&mut manifest, random);
    model.metadata_props.retain(|entry| entry.key != METADATA_KEY);
    if !random.once_in(3) {
        let entry = StringStringEntryProto { key: METADATA_KEY.into(), value: manifest.to_string() };
        model.metadata_props.push(entry);
    }
}

fn change_graph(graph: &mut GraphProto, random: &mut Random) {
    let names = names(graph);
    match random.below(16) {
        0..=2 => {
            if let Some(node) = random.of_mut(&mut graph.node) {
                change_attributes(node, random);
            }
        }
        3 | 4 => {
            if let Some(node) = random.of_mut(&mut graph.node) {
                change_node(node, &names, random);
            }
        }
        5 => put_between(graph, random),
        6 => change_nodes(graph, random),
        7 | 8 | 9 => {
            if let Some(tensor) = random.of_mut(&mut graph.initializer) {
                change_tensor(tensor, random);
            }
        }
        10 => share_tensor(graph, random),
        11 | 12 => {
            let infos = if random.once_in(3) { &mut graph.output } else { &mut graph.input };
            if let Some(info) = random.of_mut(infos) {
                change_info(info, &names, random);
            }
        }
        13 => {
            let infos = if random.once_in(2) { &mut graph.output } else { &mut graph.input };
            match random.of(infos).cloned() {
                Some(mut info) if random.once_in(2) => {
                    info.name = random.of(&names).cloned().unwrap_or_default();
                    infos.push(info);
                }
                _ => drop(infos.pop()),
            }
        }
        // Inputs are swapped because lowering checks the parameters of quantization most closely.
        14 => swap_inputs(graph, random),
        _ => {
            if let Some(node) = random.of_mut(&mut graph.node)
                && let Some(input) = random.of_mut(&mut node.input)
            {
                *input = random.of(&names).cloned().unwrap_or_default();
            }
        }
    }
}

/// The names of all tensors of a graph.
fn names(graph: &GraphProto) -> Vec<String> {
    let inputs = graph.input.iter().map(|info| &info.name);
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    inputs.chain(constants).chain(graph.node.iter().flat_map(|node| &node.output)).cloned().collect()
}

fn change_node(node: &mut NodeProto, names: &[String], random: &mut Random) {
    match random.below(8) {
        0..=2 => node.op_type = (*random.of(OPERATORS).expect("some")).into(),
        3 => node.domain = (*random.of(DOMAINS).expect("some")).into(),
        4 => node.input.push(if random.once_in(3) {
            String::new()
        } else {
            random.of(names).cloned().unwrap_or_default()
        }),
        5 => drop(node.input.pop()),
        6 => node.output.push(if random.once_in(2) { String::new() } else { format!("{}'", node.output.len()) }),
        _ => {
            if let Some(input) = random.of_mut(&mut node.input) {
                input.clear();
            }
        }
    }
}

fn change_attributes(node: &mut NodeProto, random: &mut Random) {
    let at = random.below(node.attribute.len());
    match random.below(8) {
        0 if !node.attribute.is_empty() => drop(node.attribute.remove(at)),
        1 | 2 => {
            let name = *random.of(ATTRIBUTES).expect("some");
            node.attribute.retain(|attribute| attribute.name != name);
            node.attribute.push(any_attribute(name, random));
        }
        _ => {
            if let Some(attribute) = node.attribute.get_mut(at) {
                change_attribute(attribute, random);
            }
        }
    }
}

/// Values of `AttributeProto.type`.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const FLOATS: i32 = 6;
const INTS: i32 = 7;

/// A new attribute of a random type, mostly of numbers.
fn any_attribute(name: &str, random: &mut Random) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.into(), ..AttributeProto::default() };
    let count = random.below(5);
    attribute.r#type = *random.of(&[INTS, INTS, INT, INT, FLOAT, FLOATS, STRING]).expect("some");
    match attribute.r#type {
        FLOAT => attribute.f = random.float(0.5),
        INT => attribute.i = random.number(1),
        STRING => {
            attribute.s = random
                .of(&["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "edge", "tanh"])
                .map(|s| s.as_bytes().to_vec())
                .expect("some")
        }
        FLOATS => attribute.floats = (0..count).map(|_| random.float(0.5)).collect(),
        _ => attribute.ints = (0..count).map(|_| random.number(1)).collect(),
    }
    attribute
}

fn change_attribute(attribute: &mut AttributeProto, random: &mut Random) {
    if let Some(tensor) = &mut attribute.t {
        return change_tensor(tensor, random);
    }
    if !attribute.ints.is_empty() {
        return change_numbers(&mut attribute.ints, random, Random::number);
    }
    if !attribute.floats.is_empty() {
        return change_numbers(&mut attribute.floats, random, Random::float);
    }
    match random.below(8) {
        0 => attribute.r#type = random.below(16) as i32,
        1 => attribute.name = (*random.of(ATTRIBUTES).expect("some")).into(),
        2 | 3 => attribute.f = random.float(attribute.f),
        4 if !attribute.s.is_empty() => attribute.s = mutated(&attribute.s, attribute.s.len() + 4),
        _ => attribute.i = random.number(attribute.i),
    }
}

fn change_numbers<T: Copy>(numbers: &mut Vec<T>, random: &mut Random, other: fn(&mut Random, T) -> T) {
    let at = random.below(numbers.len());
    match random.below(6) {
        0 => drop(numbers.pop()),
        1 if !numbers.is_empty() && numbers.len() < MAX_LIST => numbers.push(numbers[at]),
        2 if !numbers.is_empty() => numbers.swap(0, at),
        _ => {
            if let Some(number) = numbers.get_mut(at) {
                *number = other(random, *number);
            }
        }
    }
}

fn change_tensor(tensor: &mut TensorProto, random: &mut Random) {
    match random.below(10) {
        0 | 1 => change_numbers(&mut tensor.dims, random, Random::number),
        2 if tensor.dims.len() > 1 => {
            let at = random.below(tensor.dims.len());
            tensor.dims.swap(0, at);
        }
        3 => tensor.data_type = random.below(24) as i32,
        4 => tensor.dims.push(1),
        5 => drop(tensor.raw_data.pop()),
        6 => {
            let length = tensor.raw_data.len();
            tensor.raw_data = mutated(&tensor.raw_data, length);
        }
        _ => change_values(tensor, random),
    }
}

/// Changes one value of a tensor, in whichever field the tensor stores its values.
fn change_values(tensor: &mut TensorProto, random: &mut Random) {
    if !tensor.float_data.is_empty() {
        return change_numbers(&mut tensor.float_data, random, Random::float);
    }
    if !tensor.int64_data.is_empty() {
        return change_numbers(&mut tensor.int64_data, random, Random::number);
    }
    if !tensor.int32_data.is_empty() {
        return change_numbers(&mut tensor.int32_data, random, |random, near| random.number(near.into()) as i32);
    }
    // In `TensorProto.DataType`, 1 is float, 6 int32 and 7 int64. Other types are changed byte by byte.
    let width = match tensor.data_type {
        1 | 6 => 4,
        7 => 8,
        _ => 1,
    };
    let at = random.below(tensor.raw_data.len() / width) * width;
    let Some(value) = tensor.raw_data.get_mut(at..at + width) else { return };
    match tensor.data_type {
        1 => {
            let near = f32::from_le_bytes(value.try_into().expect("four bytes"));
            value.copy_from_slice(&random.float(near).to_le_bytes());
        }
        6 => {
            let near = i32::from_le_bytes(value.try_into().expect("four bytes"));
            value.copy_from_slice(&(random.number(near.into()) as i32).to_le_bytes());
        }
        7 => {
            let near = i64::from_le_bytes(value.try_into().expect("eight bytes"));
            value.copy_from_slice(&random.number(near).to_le_bytes());
        }
        _ => value[0] = random.number(value[0].into()) as u8,
    }
}

/// Gives a tensor the shape or the contents of another tensor.
fn share_tensor(graph: &mut GraphProto, random: &mut Random) {
    let Some(other) = random.of(&graph.initializer).cloned() else { return };
    let Some(tensor) = random.of_mut(&mut graph.initializer) else { return };
    match random.below(3) {
        0 => tensor.dims = other.dims,
        1 => *tensor = TensorProto { name: tensor.name.clone(), ..other },
        _ => (tensor.data_type, tensor.raw_data) = (other.data_type, other.raw_data),
    }
}

fn change_info(info: &mut ValueInfoProto, names: &[String], random: &mut Random) {
    if random.once_in(8) {
        info.name = random.of(names).cloned().unwrap_or_default();
    }
    let Some(Type::TensorType(tensor)) = info.r#type.as_mut().and_then(|kind| kind.value.as_mut()) else { return };
    let dims = tensor.shape.as_mut().map(|shape| &mut shape.dim);
    match (random.below(8), dims) {
        (0, _) => tensor.elem_type = random.below(12) as i32,
        (1, _) => tensor.shape = None,
        (2, Some(dims)) => drop(dims.pop()),
        (3, Some(dims)) if dims.len() < MAX_LIST => dims.push(Default::default()),
        (_, Some(dims)) => {
            let Some(dim) = random.of_mut(dims) else { return };
            dim.value = match &dim.value {
                Some(Length::DimValue(length)) if !random.once_in(4) => Some(Length::DimValue(random.number(*length))),
                None if random.once_in(2) => Some(Length::DimValue(1)),
                _ => Some(Length::DimParam("n".into())),
            };
        }
        _ => {}
    }
}

/// Inserts a node between a tensor and a node that reads it.
fn put_between(graph: &mut GraphProto, random: &mut Random) {
    let fresh = format!("between {}", graph.node.len());
    let at = random.below(graph.node.len());
    let Some(node) = graph.node.get_mut(at) else { return };
    let Some(input) = random.of_mut(&mut node.input) else { return };
    let read = std::mem::replace(input, fresh.clone());
    let op_type = *random.of(OF_ONE).expect("some");
    let mut input = vec![read];
    if op_type.ends_with("Linear") {
        let like = graph.node.iter().find(|node| node.op_type == op_type);
        input.extend(like.into_iter().flat_map(|node| node.input.iter().skip(1).cloned()));
    }
    let node = NodeProto { input, output: vec![fresh], op_type: op_type.into(), ..NodeProto::default() };
    graph.node.insert(at, node);
}

fn change_nodes(graph: &mut GraphProto, random: &mut Random) {
    let at = random.below(graph.node.len());
    match random.below(4) {
        0 if !graph.node.is_empty() => {
            // The readers of the removed node's output read its input instead.
            let node = graph.node.remove(at);
            let (Some(from), Some(to)) = (node.input.first(), node.output.first()) else { return };
            let readers = graph.node.iter_mut().flat_map(|node| &mut node.input);
            readers.filter(|input| *input == to).for_each(|input| input.clone_from(from));
        }
        1 if graph.node.len() > 1 => graph.node.swap(0, at),
        _ if graph.node.len() < 200 => {
            let Some(mut node) = graph.node.get(at).cloned() else { return };
            for output in &mut node.output {
                *output = format!("{output} again {}", graph.node.len());
            }
            graph.node.push(node);
        }
        _ => {}
    }
}

/// Gives a node an input of another node with the same operator, at the same index.
fn swap_inputs(graph: &mut GraphProto, random: &mut Random) {
    let Some(one) = random.of(&graph.node).cloned() else { return };
    let others: Vec<usize> = (0..graph.node.len()).filter(|&at| graph.node[at].op_type == one.op_type).collect();
    let Some(&other) = random.of(&others) else { return };
    let index = random.below(one.input.len());
    if let (Some(from), Some(to)) = (one.input.get(index), graph.node[other].input.get_mut(index)) {
        to.clone_from(from);
    }
}
