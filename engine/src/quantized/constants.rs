//! The constants of a graph: scales, zero points, weights.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

/// How one activation is quantized: `real = scale * (q - zero)`, with `q` from `least` to `most`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Activation {
    pub(super) scale: f32,
    pub(super) zero: i32,
    pub(super) least: i32,
    pub(super) most: i32,
}

impl Activation {
    /// The least and the greatest of the whole numbers that are carried.
    pub(super) fn offsets(&self) -> [f32; 2] {
        [(self.least - self.zero) as f32, (self.most - self.zero) as f32]
    }

    /// The largest magnitude that is carried.
    pub(super) fn reach(&self) -> u64 {
        u64::from((self.least - self.zero).unsigned_abs().max((self.most - self.zero).unsigned_abs()))
    }
}

/// Whole-number weights with their scales.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) dims: Vec<i64>,
    /// Less the zero point.
    pub(super) values: Vec<i32>,
    /// One a slice of the first axis, or one for all.
    pub(super) scales: Vec<f32>,
}

impl Weights {
    /// The scale of a slice of the first axis.
    pub(super) fn scale(&self, slice: usize) -> f32 {
        self.scales[slice % self.scales.len()]
    }
}

/// A graph's initializers and `Constant` nodes by name.
pub(super) struct Constants<'a>(HashMap<&'a str, &'a TensorProto>);

impl<'a> Constants<'a> {
    pub(super) fn of(graph: &'a GraphProto) -> Constants<'a> {
        let nodes = graph.node.iter().filter(|node| node.op_type == "Constant");
        let value = |node: &'a NodeProto| node.attribute.iter().find(|a| a.name == "value")?.t.as_ref();
        let made = nodes.filter_map(|node| Some((node.output.first()?.as_str(), value(node)?)));
        Constants(graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).chain(made).collect())
    }

    /// The quantization of an activation by a `QuantizeLinear` or `DequantizeLinear`: one scale, one zero point.
    pub(super) fn activation(&self, node: &NodeProto) -> Option<Activation> {
        let [scale] = self.floats(node.input.get(1)?)?[..] else { return None };
        let (zero, kind) = match zero_point(node) {
            None if node.attribute.iter().any(|a| a.name == "output_dtype" && a.i != 0) => return None,
            None => (0, DataType::Uint8),
            Some(name) => {
                let (zeros, kind) = self.integers(name)?;
                let [zero] = zeros[..] else { return None };
                (zero, kind)
            }
        };
        let (least, most) = match kind {
            DataType::Uint8 => (0, 255),
            DataType::Int8 => (-128, 127),
            _ => return None,
        };
        (scale.is_normal() && scale > 0.0).then_some(Activation { scale, zero, least, most })
    }

    /// What a `DequantizeLinear` makes of constants, scaled along the first axis or as a whole.
    pub(super) fn weights(&self, node: &NodeProto) -> Option<Weights> {
        if node.op_type != "DequantizeLinear" {
            return None;
        }
        let tensor = self.0.get(node.input.first()?.as_str())?;
        let (mut values, _) = self.integers(node.input.first()?)?;
        let scales = self.floats(node.input.get(1)?)?;
        let axis = node.attribute.iter().find(|a| a.name == "axis").map_or(1, |a| a.i);
        let slices = usize::try_from(*tensor.dims.first()?).ok()?;
        let in_blocks = node.attribute.iter().any(|a| a.name == "block_size" && a.i != 0);
        let by_slice = axis == 0 && scales.len() == slices && !in_blocks;
        if values.is_empty() || slices == 0 || values.len() % slices != 0 || scales.len() != 1 && !by_slice {
            return None;
        }
        if let Some(name) = zero_point(node) {
            let (zeros, _) = self.integers(name)?;
            if zeros.len() != scales.len() {
                return None;
            }
            let slice = values.len() / zeros.len();
            for (values, zero) in values.chunks_exact_mut(slice).zip(zeros) {
                for value in values {
                    *value = value.saturating_sub(zero);
                }
            }
        }
        Some(Weights { dims: tensor.dims.clone(), values, scales })
    }

    fn floats(&self, name: &str) -> Option<Vec<f32>> {
        let tensor = self.0.get(name).filter(|tensor| tensor.data_type == DataType::Float as i32)?;
        if tensor.raw_data.is_empty() {
            return Some(tensor.float_data.clone());
        }
        Some(tensor.raw_data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    fn integers(&self, name: &str) -> Option<(Vec<i32>, DataType)> {
        let tensor = self.0.get(name)?;
        let raw = &tensor.raw_data;
        let kind = DataType::try_from(tensor.data_type).ok()?;
        if !matches!(kind, DataType::Uint8 | DataType::Int8 | DataType::Int32) {
            return None;
        }
        let range = match kind {
            DataType::Uint8 => 0..=255,
            DataType::Int8 => -128..=127,
            _ => i32::MIN..=i32::MAX,
        };
        let values: Vec<i32> = match kind {
            _ if raw.is_empty() => tensor.int32_data.clone(),
            DataType::Uint8 => raw.iter().map(|&b| i32::from(b)).collect(),
            DataType::Int8 => raw.iter().map(|&b| i32::from(b as i8)).collect(),
            _ => raw.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        };
        // Importers narrow what is out of range, each in its way.
        values.iter().all(|value| range.contains(value)).then_some((values, kind))
    }
}

/// The name of the zero point, where a node has one.
fn zero_point(node: &NodeProto) -> Option<&str> {
    node.input.get(2).map(String::as_str).filter(|name| !name.is_empty())
}
