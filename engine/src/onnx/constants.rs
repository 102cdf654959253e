//! Reads the constants of a graph: scales, zero points, weights. It also quantizes constants that the graph quantizes.
//! What shapes and types an operator needs is left to the callers.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

/// The quantization of an activation: `real = scale * (q - zero_point)`, with the graph's own integers `q`, signed or
/// unsigned, from `min` to `max`. `lower/` has them as unsigned bytes (`Affine`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantization {
    pub(crate) scale: f32,
    pub(crate) zero_point: i32,
    pub(crate) min: i32,
    pub(crate) max: i32,
}

impl Quantization {
    /// The minimum and the maximum of `q - zero_point`.
    pub(crate) fn zero_centered_range(&self) -> [f32; 2] {
        [(self.min - self.zero_point) as f32, (self.max - self.zero_point) as f32]
    }

    /// The maximum magnitude of `q - zero_point`.
    pub(crate) fn max_magnitude(&self) -> u64 {
        u64::from((self.min - self.zero_point).unsigned_abs().max((self.max - self.zero_point).unsigned_abs()))
    }
}

/// The type that holds the integers of a constant: `i32`, or `i16`, which is enough for 8-bit integers less their zero
/// point.
pub(crate) trait Integer: Copy + From<u8> + From<i8> + TryFrom<i32> + Into<i32> {
    /// `self - zero_point`. It saturates for constants of int32 alone: 8-bit integers never reach the limits.
    fn minus_zero_point(self, zero_point: Self) -> Self;
}

impl Integer for i16 {
    fn minus_zero_point(self, zero_point: i16) -> i16 {
        self.saturating_sub(zero_point)
    }
}

impl Integer for i32 {
    fn minus_zero_point(self, zero_point: i32) -> i32 {
        self.saturating_sub(zero_point)
    }
}

/// Quantized weights, or a quantized bias: `real = scale * value`.
#[derive(Debug, Clone)]
pub(crate) struct Weights<T> {
    pub(crate) dims: Vec<usize>,
    /// Integers less their zero point, in row-major order.
    pub(crate) values: Vec<T>,
    /// One scale for each slice along `axis`, or one for all.
    pub(crate) scales: Vec<f32>,
    /// The axis that the scales lie along.
    pub(crate) axis: usize,
}

impl Weights<i32> {
    /// Whether the scale of each value is this one, up to rounding: whether a bias is in the units of the accumulators.
    /// Exporters round the product of the two scales in their own ways, so a relative difference of 10⁻⁵ is allowed.
    pub(crate) fn has_scales(&self, scales: impl Iterator<Item = f32>) -> bool {
        scales.enumerate().all(|(channel, scale)| (self.scale(channel) - scale).abs() <= scale * 1e-5)
    }
}

impl<T: Integer> Weights<T> {
    /// The scale of a slice along the axis.
    pub(crate) fn scale(&self, slice: usize) -> f32 {
        self.scales[slice % self.scales.len()]
    }

    /// The weights as reals.
    pub(crate) fn reals(&self) -> Vec<f32> {
        let inner: usize = self.dims.iter().skip(self.axis + 1).product();
        let slices = self.dims.get(self.axis).copied().unwrap_or(1);
        self.values
            .iter()
            .enumerate()
            .map(|(at, &value)| value.into() as f32 * self.scale(at / inner % slices))
            .collect()
    }
}

/// A graph's initializers, and the tensors of its `Constant` nodes, by tensor name. A `Constant` with an attribute
/// other than `value`, such as `value_float`, is not among them.
pub(crate) struct Constants<'a>(HashMap<&'a str, &'a TensorProto>);

impl<'a> Constants<'a> {
    pub(crate) fn of(graph: &'a GraphProto) -> Constants<'a> {
        let nodes = graph.node.iter().filter(|node| node.op_type == "Constant");
        let value = |node: &'a NodeProto| node.attribute.iter().find(|a| a.name == "value")?.t.as_ref();
        let made = nodes.filter_map(|node| Some((node.output.first()?.as_str(), value(node)?)));
        Constants(graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).chain(made).collect())
    }

    /// The quantization of a `QuantizeLinear` or `DequantizeLinear` node. None unless it has one constant scale,
    /// positive and normal, and at most one constant 8-bit zero point. Without a zero point the integers are uint8
    /// (ONNX, `QuantizeLinear`), unless `output_dtype` says otherwise. A `DequantizeLinear` of int8 without a zero
    /// point is taken for uint8 too, so callers must compare the type of its input.
    pub(crate) fn activation(&self, node: &NodeProto) -> Option<Quantization> {
        let [scale] = self.floats(node.input.get(1)?)?[..] else { return None };
        let (zero_point, kind) = match zero_point(node) {
            None if node.attribute.iter().any(|a| a.name == "output_dtype" && a.i != 0) => return None,
            None => (0, DataType::Uint8),
            Some(name) => {
                let (zero_points, kind) = self.integers::<i32>(name)?;
                let [zero_point] = zero_points[..] else { return None };
                (zero_point, kind)
            }
        };
        let (min, max) = match kind {
            DataType::Uint8 => (0, 255),
            DataType::Int8 => (-128, 127),
            _ => return None,
        };
        (scale.is_normal() && scale > 0.0).then_some(Quantization { scale, zero_point, min, max })
    }

    /// The lengths of a constant's axes.
    pub(crate) fn dims(&self, name: &str) -> Option<&[i64]> {
        Some(&self.0.get(name)?.dims)
    }

    /// Whether a tensor is a constant.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The weights that a `DequantizeLinear` node makes from a constant, with scales along an axis or one scale. The
    /// axis is 1 where the node states none (ONNX, `DequantizeLinear`). None for other nodes, and where an input is not
    /// constant, a shape does not fit, or scales are per block. Scales are not checked: they may be zero, negative or
    /// no number.
    pub(crate) fn weights<T: Integer>(&self, node: &NodeProto) -> Option<Weights<T>> {
        if node.op_type != "DequantizeLinear" {
            return None;
        }
        let tensor = self.0.get(node.input.first()?.as_str())?;
        let (mut values, _) = self.integers::<T>(node.input.first()?)?;
        let scales = self.floats(node.input.get(1)?)?;
        let dims: Vec<usize> = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect::<Option<_>>()?;
        let axis = node.attribute.iter().find(|a| a.name == "axis").map_or(1, |a| a.i);
        let axis = usize::try_from(if axis < 0 { axis + dims.len() as i64 } else { axis }).ok()?;
        let in_blocks = node.attribute.iter().any(|a| a.name == "block_size" && a.i != 0);
        let by_slice = !in_blocks && dims.get(axis) == Some(&scales.len());
        let count = dims.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim))?;
        if values.is_empty() || values.len() != count || scales.len() != 1 && !by_slice {
            return None;
        }
        if let Some(name) = zero_point(node) {
            let (zero_points, _) = self.integers::<T>(name)?;
            if zero_points.len() != 1 && (in_blocks || dims.get(axis) != Some(&zero_points.len())) {
                return None;
            }
            let slice = if zero_points.len() == 1 { count } else { dims.iter().skip(axis + 1).product() };
            for (values, &zero_point) in values.chunks_mut(slice).zip(zero_points.iter().cycle()) {
                for value in values {
                    *value = value.minus_zero_point(zero_point);
                }
            }
        }
        Some(Weights { dims, values, scales, axis })
    }

    /// The elements of an int64 constant, such as a shape or axes.
    pub(crate) fn int64s(&self, name: &str) -> Option<Vec<i64>> {
        let tensor = self.0.get(name).filter(|tensor| tensor.data_type == DataType::Int64 as i32)?;
        Some(int64s(tensor).collect())
    }

    /// The elements of a float32 constant.
    pub(crate) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        let tensor = self.0.get(name).filter(|tensor| tensor.data_type == DataType::Float as i32)?;
        if tensor.raw_data.is_empty() {
            return Some(tensor.float_data.clone());
        }
        Some(tensor.raw_data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// The elements of a uint8, int8 or int32 constant, and its type. None where a value is out of the range of its
    /// type or of `T`.
    pub(crate) fn integers<T: Integer>(&self, name: &str) -> Option<(Vec<T>, DataType)> {
        let tensor = self.0.get(name)?;
        let raw = &tensor.raw_data;
        let kind = DataType::try_from(tensor.data_type).ok()?;
        if !matches!(kind, DataType::Uint8 | DataType::Int8 | DataType::Int32) {
            return None;
        }
        // `int32_data` may hold values out of the range of the type, which importers truncate in different ways.
        let range = match kind {
            DataType::Uint8 => 0..=255,
            DataType::Int8 => -128..=127,
            _ => i32::MIN..=i32::MAX,
        };
        let checked = |value: i32| T::try_from(value).ok().filter(|_| range.contains(&value));
        let values = match kind {
            _ if raw.is_empty() => tensor.int32_data.iter().map(|&value| checked(value)).collect::<Option<_>>()?,
            DataType::Uint8 => raw.iter().map(|&byte| T::from(byte)).collect(),
            DataType::Int8 => raw.iter().map(|&byte| T::from(byte.cast_signed())).collect(),
            _ => raw.as_chunks().0.iter().map(|&bytes| checked(i32::from_le_bytes(bytes))).collect::<Option<_>>()?,
        };
        Some((values, kind))
    }
}

/// The values of an int64 tensor, from whichever of its two fields holds them.
pub(crate) fn int64s(tensor: &TensorProto) -> impl Iterator<Item = i64> {
    let raw = tensor.raw_data.chunks_exact(8).map(|bytes| bytes.iter().rev().fold(0, |n, &b| n << 8 | i64::from(b)));
    tensor.int64_data.iter().copied().chain(raw)
}

/// The name of a quantizing node's zero point, where it has one.
fn zero_point(node: &NodeProto) -> Option<&str> {
    node.input.get(2).map(String::as_str).filter(|name| !name.is_empty())
}

/// Replaces each `QuantizeLinear` of constants by its result. Exporters of fake-quantized networks write float weights
/// followed by a `QuantizeLinear`.
pub(crate) fn quantize_constants(graph: &mut GraphProto) {
    let constants = Constants::of(graph);
    let stored: HashMap<String, TensorProto> = graph
        .node
        .iter()
        .filter(|node| node.op_type == "QuantizeLinear")
        .filter_map(|node| Some((node.output.first()?.clone(), constants.quantized(node)?)))
        .collect();
    graph.node.retain(|node| !node.output.first().is_some_and(|name| stored.contains_key(name)));
    let mut stored: Vec<TensorProto> = stored.into_values().collect();
    stored.sort_by(|a, b| a.name.cmp(&b.name));
    graph.initializer.extend(stored);
}

impl Constants<'_> {
    /// The result of a `QuantizeLinear` of constants, `round(clamp(x / scale)) + zero_point`, with scales along an axis
    /// or one scale. None where an input is not constant, a shape does not fit, or scales are per block.
    fn quantized(&self, node: &NodeProto) -> Option<TensorProto> {
        let input = self.0.get(node.input.first()?.as_str())?;
        let (values, scales) = (self.floats(node.input.first()?)?, self.floats(node.input.get(1)?)?);
        let (zero_points, kind) = match zero_point(node) {
            Some(name) => self.integers::<i32>(name)?,
            None if node.attribute.iter().any(|a| a.name == "output_dtype" && a.i != 0) => return None,
            None => (vec![0; scales.len()], DataType::Uint8),
        };
        let (min, max) = match kind {
            DataType::Uint8 => (0.0, 255.0),
            DataType::Int8 => (-128.0, 127.0),
            _ => return None,
        };
        let dims: Vec<usize> = input.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect::<Option<_>>()?;
        let axis = node.attribute.iter().find(|a| a.name == "axis").map_or(1, |a| a.i);
        let axis = usize::try_from(if axis < 0 { axis + dims.len() as i64 } else { axis }).ok()?;
        let in_blocks = node.attribute.iter().any(|a| a.name == "block_size" && a.i != 0);
        let count = dims.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim))?;
        let fits = scales.len() == 1 || dims.get(axis) == Some(&scales.len());
        if in_blocks || !fits || zero_points.len() != scales.len() || values.len() != count {
            return None;
        }
        let inner: usize = dims.iter().skip(axis + 1).product();
        let byte = |(at, value): (usize, f32)| {
            let slice = at / inner.max(1) % scales.len();
            let zero_point = zero_points[slice] as f32;
            let rounded =
                (value / scales[slice]).clamp(min - zero_point, max - zero_point).round_ties_even() + zero_point;
            if kind == DataType::Int8 { rounded as i8 as u8 } else { rounded as u8 }
        };
        Some(TensorProto {
            name: node.output.first()?.clone(),
            dims: input.dims.clone(),
            data_type: kind as i32,
            raw_data: values.into_iter().enumerate().map(byte).collect(),
            ..TensorProto::default()
        })
    }
}
