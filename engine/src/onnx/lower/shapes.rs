//! Lowers operators that copy elements and compute nothing: reshape, transpose, concat, pad.
//!
//! Bytes are channels last in a program, and ONNX defines these operators row-major. So a reshape of bytes goes through
//! a row-major copy ([`Lowering::planar_copy`]), unless both layouts are the same.

use std::rc::Rc;

use tract_onnx::pb::NodeProto;

use super::attributes::Attributes;
use super::value::{Clamp, Deferred, Value, ValueKind, by_program_axis, channels_last, row_major, strides_of_axes};
use super::{Lowering, Reason};
use crate::program::{Fill, Step, StridedCopy, TensorId, dense_strides};

impl<'a> Lowering<'a> {
    /// `Flatten`, `Reshape`, `Squeeze` and `Unsqueeze`.
    pub(super) fn reshape(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let shape = self.new_shape(node, attributes, &input.shape)?;
        if shape.iter().product::<usize>() != input.shape.iter().product::<usize>() {
            return Err("a shape of another number of elements".into());
        }
        self.rearranged(input, shape.clone(), |lowering, tensor, from| {
            let planar = lowering.planar_copy(tensor, from)?;
            lowering.channels_last_copy(planar, &shape)
        })
    }

    /// The shape that a reshaping operator gives a value of shape `from`.
    fn new_shape(&self, node: &NodeProto, attributes: &Attributes<'_>, from: &[usize]) -> Result<Vec<usize>, Reason> {
        let given = |input: usize, name: &str| match node.input.get(input).filter(|name| !name.is_empty()) {
            Some(name) => self.int64s(name).ok_or_else(|| format!("\"{name}\" is not constant")),
            None => Ok(attributes.integers(name).unwrap_or_default().to_vec()),
        };
        match node.op_type.as_str() {
            "Flatten" => {
                let axis = attributes.integer("axis", 1);
                let axis = if axis == from.len() as i64 { from.len() } else { axes(&[axis], from.len())?[0] };
                Ok(vec![from[..axis].iter().product(), from[axis..].iter().product()])
            }
            "Squeeze" => {
                let mut removed = axes(&given(1, "axes")?, from.len())?;
                if removed.is_empty() {
                    removed = (0..from.len()).filter(|&axis| from[axis] == 1).collect();
                }
                Ok((0..from.len()).filter(|axis| !removed.contains(axis)).map(|axis| from[axis]).collect())
            }
            "Unsqueeze" => {
                let given = given(1, "axes")?;
                let new = axes(&given, from.len() + given.len())?;
                let mut old = from.iter();
                let total = from.len() + new.len();
                let length = |axis| if new.contains(&axis) { Some(1) } else { old.next().copied() };
                (0..total).map(length).collect::<Option<_>>().ok_or_else(|| "an axis twice".into())
            }
            _ => reshaped(from, &given(1, "shape")?, attributes.integer("allowzero", 0) != 0),
        }
    }

    /// `Transpose`.
    pub(super) fn transpose(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let order: Vec<usize> = match attributes.integers("perm") {
            Some(order) => axes(order, input.shape.len())?,
            None => (0..input.shape.len()).rev().collect(),
        };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if sorted != (0..input.shape.len()).collect::<Vec<_>>() {
            return Err("perm is not an order of the axes".into());
        }
        let shape: Vec<usize> = order.iter().map(|&axis| input.shape[axis]).collect();
        if let ValueKind::Floats { .. } | ValueKind::Deferred { .. } = input.kind {
            let (tensor, strides) = self.in_memory(&input)?;
            let strides = order.iter().map(|&axis| strides[axis]).collect();
            return Ok(Value { shape, kind: ValueKind::Floats { tensor, strides } });
        }
        self.rearranged(input, shape.clone(), |lowering, tensor, from| {
            let strides = strides_of_axes(from);
            let read: Vec<usize> = order.iter().map(|&axis| strides[axis]).collect();
            lowering.copied(tensor, &read, &shape)
        })
    }

    /// `Concat`, of integers at once, of reals deferred: each part is then quantized by itself to the scale of the
    /// whole. Without the attribute, the axis is that of opsets before 4.
    pub(super) fn concat(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let parts: Vec<Value> = (0..node.input.len()).map(|input| self.value(node, input)).collect::<Result<_, _>>()?;
        let first = parts.first().ok_or("nothing to join")?;
        let axis = axes(&[attributes.integer("axis", 1)], first.shape.len())?[0];
        let mut shape = first.shape.clone();
        shape[axis] = parts.iter().map(|part| part.shape.get(axis).copied().unwrap_or(0)).sum();
        let alike = |part: &Value| {
            part.shape.len() == shape.len() && (0..shape.len()).all(|at| at == axis || part.shape[at] == shape[at])
        };
        if !parts.iter().all(alike) {
            return Err("parts that do not go together".into());
        }
        if let ValueKind::Integers { offset, .. } = first.kind {
            let mut tensors = Vec::with_capacity(parts.len());
            for part in &parts {
                match part.kind {
                    ValueKind::Integers { tensor, offset: other } if other == offset => {
                        tensors.push((tensor, &part.shape[..]));
                    }
                    _ => return Err("parts that do not go together".into()),
                }
            }
            let tensor = self.concatenated(&tensors, axis, &shape)?;
            return Ok(Value { shape, kind: ValueKind::Integers { tensor, offset } });
        }
        let is_concatenation = |part: &Value| {
            matches!(
                &part.kind,
                ValueKind::Deferred { operator, .. } if matches!(**operator, Deferred::Concatenation { .. })
            )
        };
        if parts.iter().any(is_concatenation) {
            return Err("a part that is a Concat itself, which nothing rounds".into());
        }
        let operator = Rc::new(Deferred::Concatenation { parts, axis });
        Ok(Value { shape, kind: ValueKind::Deferred { operator, clamp: Clamp::NONE } })
    }

    /// Adds the steps that concatenate tensors of bytes, each with its shape, along an axis. Shapes and axis are in the
    /// graph's order of axes.
    pub(super) fn concatenated(
        &mut self,
        parts: &[(TensorId, &[usize])],
        axis: usize,
        shape: &[usize],
    ) -> Result<TensorId, Reason> {
        let to = self.bytes(shape)?;
        let write = dense_strides(channels_last(shape)?);
        let axis_stride = strides_of_axes(shape)[axis];
        let mut start = 0;
        for &(from, part) in parts {
            let read = (0, dense_strides(channels_last(part)?));
            let step = StridedCopy { from, to, shape: channels_last(part)?, read, write: (start * axis_stride, write) };
            self.step(Step::StridedCopy(step));
            start += part[axis];
        }
        Ok(to)
    }

    /// `Pad` with a constant.
    pub(super) fn pad(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        if attributes.text("mode").unwrap_or("constant") != "constant" || node.input.len() > 3 {
            return Err("other than constant padding of all axes".into());
        }
        let pads = match node.input.get(1) {
            Some(name) => self.int64s(name).ok_or("its pads are not constant")?,
            None => attributes.integers("pads").unwrap_or_default().to_vec(),
        };
        let rank = input.shape.len();
        let pads: Vec<usize> =
            pads.iter().map(|&pad| usize::try_from(pad).map_err(|_| "negative pads")).collect::<Result<_, _>>()?;
        if pads.len() != 2 * rank {
            return Err("pads that are not two an axis".into());
        }
        let byte = self.padding(node, attributes, &input.kind)?;
        let shape: Vec<usize> = (0..rank).map(|axis| pads[axis] + input.shape[axis] + pads[rank + axis]).collect();
        self.rearranged(input, shape.clone(), |lowering, from, inner| {
            let to = lowering.bytes(&shape)?;
            lowering.step(Step::Fill(Fill { to, value: byte }));
            let start = strides_of_axes(&shape).iter().zip(&pads).map(|(stride, pad)| stride * pad).sum();
            let read = (0, dense_strides(channels_last(inner)?));
            let write = (start, dense_strides(channels_last(&shape)?));
            lowering.step(Step::StridedCopy(StridedCopy { from, to, shape: channels_last(inner)?, read, write }));
            Ok(to)
        })
    }

    /// The byte that a `Pad` of an input of this kind pads with: one that stands for exactly the value of the padding.
    fn padding(&self, node: &NodeProto, attributes: &Attributes<'_>, input: &ValueKind) -> Result<u8, Reason> {
        let given = node.input.get(2).filter(|name| !name.is_empty());
        match (input, given) {
            (ValueKind::Integers { offset, .. }, Some(name)) => {
                let (values, _) = self.constants.integers::<i32>(name).ok_or("its value is not constant")?;
                let [value] = values[..] else { return Err("more than one value".into()) };
                let byte = value.checked_add(i32::from(*offset)).and_then(|byte| u8::try_from(byte).ok());
                byte.ok_or_else(|| "padding that no byte stands for".into())
            }
            (ValueKind::Integers { offset, .. }, None) => Ok(*offset),
            (ValueKind::Pointwise { function, .. }, given) => {
                let value = match given {
                    Some(name) => self.number(name).ok_or("its value is not constant")?,
                    None => attributes.float("value", 0.0),
                };
                // Both zeros compare as +0.
                let is_value = |real: &f32| (real + 0.0).to_bits() == (value + 0.0).to_bits();
                Ok(function.values.iter().position(is_value).ok_or("padding that no byte stands for")? as u8)
            }
            _ => Err("its input is not quantized".into()),
        }
    }

    /// The elements of a value, arranged in another shape. `arrange` gets a tensor of bytes and its shape, and adds the
    /// steps that arrange it. A value in floats is only given the shape, so it must keep its row-major order.
    fn rearranged(
        &mut self,
        value: Value,
        shape: Vec<usize>,
        arrange: impl Fn(&mut Self, TensorId, &[usize]) -> Result<TensorId, Reason>,
    ) -> Result<Value, Reason> {
        let kind = match value.kind {
            ValueKind::Integers { tensor, offset } => {
                ValueKind::Integers { tensor: arrange(self, tensor, &value.shape)?, offset }
            }
            ValueKind::Pointwise { input, function } => {
                ValueKind::Pointwise { input: arrange(self, input, &value.shape)?, function }
            }
            // `reshape` alone comes here with floats, and keeps their order.
            ValueKind::Deferred { .. } | ValueKind::Floats { .. } => {
                ValueKind::Floats { tensor: self.floats(&value)?, strides: row_major(&shape) }
            }
        };
        Ok(Value { shape, kind })
    }

    /// The bytes of a channels-last tensor in row-major order of the graph's axes (channels before height and width).
    /// It adds no step where both orders are the same.
    pub(super) fn planar_copy(&mut self, tensor: TensorId, shape: &[usize]) -> Result<TensorId, Reason> {
        if is_planar(shape) {
            return Ok(tensor);
        }
        let count = shape.iter().product();
        let to = self.bytes(&[count])?;
        let step = StridedCopy {
            from: tensor,
            to,
            shape: channels_last(shape)?,
            read: (0, dense_strides(channels_last(shape)?)),
            write: (0, by_program_axis(&row_major(shape), 0)?),
        };
        self.step(Step::StridedCopy(step));
        Ok(to)
    }

    /// The bytes of a row-major tensor of this shape in channels-last order. A row-major tensor whose shape in the
    /// program is that of the result is in that order already.
    pub(super) fn channels_last_copy(&mut self, tensor: TensorId, shape: &[usize]) -> Result<TensorId, Reason> {
        if self.program.tensors[tensor.0].shape == channels_last(shape)? {
            return Ok(tensor);
        }
        self.copied(tensor, &row_major(shape), shape)
    }

    /// Adds the step that copies `from` to a dense channels-last tensor of this shape. `read` has the stride in `from`
    /// of each of the graph's axes.
    fn copied(&mut self, from: TensorId, read: &[usize], shape: &[usize]) -> Result<TensorId, Reason> {
        let to = self.bytes(shape)?;
        let lengths = channels_last(shape)?;
        let step = StridedCopy {
            from,
            to,
            shape: lengths,
            read: (0, by_program_axis(read, 0)?),
            write: (0, dense_strides(lengths)),
        };
        self.step(Step::StridedCopy(step));
        Ok(to)
    }
}

/// Whether a tensor has the same layout row-major in the graph's order of axes and channels last.
pub(super) fn is_planar(shape: &[usize]) -> bool {
    match *shape {
        [_, channels, ref lengths @ ..] => channels == 1 || lengths.iter().product::<usize>() == 1,
        _ => true,
    }
}

/// Axes as indices, where negative ones count from the end.
///
/// # Errors
/// An axis is out of range.
pub(super) fn axes(given: &[i64], rank: usize) -> Result<Vec<usize>, Reason> {
    let axis = |&axis: &i64| {
        let index = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(index).ok().filter(|&axis| axis < rank).ok_or_else(|| format!("no axis {axis}"))
    };
    given.iter().map(axis).collect()
}

/// The shape that a `Reshape` gives: one length may be -1, and is then computed; a length of 0 is that of `from`,
/// unless `zero_is_zero`.
fn reshaped(from: &[usize], given: &[i64], zero_is_zero: bool) -> Result<Vec<usize>, Reason> {
    let mut shape = Vec::with_capacity(given.len());
    let mut open = None;
    for (axis, &length) in given.iter().enumerate() {
        shape.push(match length {
            -1 if open.replace(axis).is_none() => 1,
            0 if !zero_is_zero => *from.get(axis).ok_or("a length taken over from nowhere")?,
            length => usize::try_from(length).map_err(|_| "a negative length")?,
        });
    }
    if let Some(axis) = open {
        let known: usize = shape.iter().product();
        shape[axis] = from.iter().product::<usize>().checked_div(known).ok_or("a length of zero")?;
    }
    Ok(shape)
}
