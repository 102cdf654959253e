//! The constants of a graph: scales, zero points, weights.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

/// How one activation is quantized: `real = scale * (q - zero_point)`, with `q` from `min` to `max`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Activation {
    pub(crate) scale: f32,
    pub(crate) zero_point: i32,
    pub(crate) min: i32,
    pub(crate) max: i32,
}

impl Activation {
    /// The least and the greatest of the whole numbers that are carried.
    pub(crate) fn offsets(&self) -> [f32; 2] {
        [(self.min - self.zero_point) as f32, (self.max - self.zero_point) as f32]
    }

    /// The largest magnitude that is carried.
    pub(crate) fn reach(&self) -> u64 {
        u64::from((self.min - self.zero_point).unsigned_abs().max((self.max - self.zero_point).unsigned_abs()))
    }
}

/// What the whole numbers of a constant are held in: 16 bits, for those that were given in 8, or 32.
pub(crate) trait Whole: Copy + From<u8> + From<i8> + TryFrom<i32> + Into<i32> {
    /// The difference, or the nearest number to it that there is.
    fn less(self, zero_point: Self) -> Self;
}

impl Whole for i16 {
    fn less(self, zero_point: i16) -> i16 {
        self.saturating_sub(zero_point)
    }
}

impl Whole for i32 {
    fn less(self, zero_point: i32) -> i32 {
        self.saturating_sub(zero_point)
    }
}

/// Whole-number weights with their scales.
#[derive(Debug, Clone)]
pub(crate) struct Weights<T> {
    pub(crate) dims: Vec<usize>,
    /// Less the zero point.
    pub(crate) values: Vec<T>,
    /// One a slice of the axis, or one for all.
    pub(crate) scales: Vec<f32>,
    pub(crate) axis: usize,
}

impl<T: Whole> Weights<T> {
    /// The scale of a slice of the axis.
    pub(crate) fn scale(&self, slice: usize) -> f32 {
        self.scales[slice % self.scales.len()]
    }

    /// What they stand for.
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

/// A graph's initializers and `Constant` nodes by name.
pub(crate) struct Constants<'a>(HashMap<&'a str, &'a TensorProto>);

impl<'a> Constants<'a> {
    pub(crate) fn of(graph: &'a GraphProto) -> Constants<'a> {
        let nodes = graph.node.iter().filter(|node| node.op_type == "Constant");
        let value = |node: &'a NodeProto| node.attribute.iter().find(|a| a.name == "value")?.t.as_ref();
        let made = nodes.filter_map(|node| Some((node.output.first()?.as_str(), value(node)?)));
        Constants(graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).chain(made).collect())
    }

    /// The quantization of an activation by a `QuantizeLinear` or `DequantizeLinear`: one scale, one zero point.
    pub(crate) fn activation(&self, node: &NodeProto) -> Option<Activation> {
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
        (scale.is_normal() && scale > 0.0).then_some(Activation { scale, zero_point, min, max })
    }

    /// The lengths of a constant's axes.
    pub(crate) fn dims(&self, name: &str) -> Option<&[i64]> {
        Some(&self.0.get(name)?.dims)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What a `DequantizeLinear` makes of constants, scaled along an axis or as a whole.
    pub(crate) fn weights<T: Whole>(&self, node: &NodeProto) -> Option<Weights<T>> {
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
                    *value = value.less(zero_point);
                }
            }
        }
        Some(Weights { dims, values, scales, axis })
    }

    /// The elements of a constant of 64-bit integers: a shape, axes.
    pub(crate) fn longs(&self, name: &str) -> Option<Vec<i64>> {
        let tensor = self.0.get(name).filter(|tensor| tensor.data_type == DataType::Int64 as i32)?;
        Some(longs(tensor).collect())
    }

    /// The elements of a constant of floats.
    pub(crate) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        let tensor = self.0.get(name).filter(|tensor| tensor.data_type == DataType::Float as i32)?;
        if tensor.raw_data.is_empty() {
            return Some(tensor.float_data.clone());
        }
        Some(tensor.raw_data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// The elements of a constant of 8-bit or 32-bit integers, as far as `T` holds them.
    pub(crate) fn integers<T: Whole>(&self, name: &str) -> Option<(Vec<T>, DataType)> {
        let tensor = self.0.get(name)?;
        let raw = &tensor.raw_data;
        let kind = DataType::try_from(tensor.data_type).ok()?;
        if !matches!(kind, DataType::Uint8 | DataType::Int8 | DataType::Int32) {
            return None;
        }
        // Importers narrow what is out of range, each in its way.
        let range = match kind {
            DataType::Uint8 => 0..=255,
            DataType::Int8 => -128..=127,
            _ => i32::MIN..=i32::MAX,
        };
        let held = |value: i32| T::try_from(value).ok().filter(|_| range.contains(&value));
        let values = match kind {
            _ if raw.is_empty() => tensor.int32_data.iter().map(|&value| held(value)).collect::<Option<_>>()?,
            DataType::Uint8 => raw.iter().map(|&byte| T::from(byte)).collect(),
            DataType::Int8 => raw.iter().map(|&byte| T::from(byte.cast_signed())).collect(),
            _ => raw.as_chunks().0.iter().map(|&bytes| held(i32::from_le_bytes(bytes))).collect::<Option<_>>()?,
        };
        Some((values, kind))
    }
}

/// The values of an int64 tensor, in whichever of its two fields they stand.
pub(crate) fn longs(tensor: &TensorProto) -> impl Iterator<Item = i64> {
    let raw = tensor.raw_data.chunks_exact(8).map(|bytes| bytes.iter().rev().fold(0, |n, &b| n << 8 | i64::from(b)));
    tensor.int64_data.iter().copied().chain(raw)
}

/// The name of the zero point, where a node has one.
fn zero_point(node: &NodeProto) -> Option<&str> {
    node.input.get(2).map(String::as_str).filter(|name| !name.is_empty())
}

/// Quantizes constants once: exporters of fake-quantized networks leave float weights behind a `QuantizeLinear`.
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
    /// What a `QuantizeLinear` makes of constants: `round(clamp(x / scale)) + zero_point`, scaled along an axis or as a whole.
    fn quantized(&self, node: &NodeProto) -> Option<TensorProto> {
        let of = self.0.get(node.input.first()?.as_str())?;
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
        let dims: Vec<usize> = of.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect::<Option<_>>()?;
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
            dims: of.dims.clone(),
            data_type: kind as i32,
            raw_data: values.into_iter().enumerate().map(byte).collect(),
            ..TensorProto::default()
        })
    }
}
