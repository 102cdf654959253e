//! Turns recorded and deferred values into steps, whose outputs are bytes or floats. It has the order of the arithmetic
//! of `docs/engine.md`, as far as the lowering fixes it; the kernels fix the rest.

use super::value::{
    Affine, Clamp, Deferred, DeferredConvolution, Function, QuantizedTensor, Value, ValueKind, by_program_axis,
    channels_last, row_major, strides_of_axes,
};
use super::{Lowering, Reason};
use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::kernels::portable;
use crate::program::{
    Add, Convolution, Element, Lookup, Multiply, Pooling, PoolingKind, Quantize, Step, StridedCopy, Table, TensorId,
};

impl Lowering<'_> {
    /// Adds the steps that quantize a value to `to`. Returns the tensor of bytes.
    pub(super) fn quantized(&mut self, value: &Value, to: Affine) -> Result<TensorId, Reason> {
        match &value.kind {
            ValueKind::Integers { .. } => Err("quantizes integers".into()),
            ValueKind::Pointwise { input, function } => {
                self.looked_up(*input, function.values.map(|real| to.byte(real)), &value.shape)
            }
            ValueKind::Deferred { operator, clamp } => self.requantized(operator, *clamp, to, &value.shape),
            ValueKind::Floats { tensor, strides } => {
                let step = Quantize {
                    from: *tensor,
                    to: self.bytes(&value.shape)?,
                    strides: by_program_axis(strides, 0)?,
                    scale: to.scale,
                    zero_point: to.zero_point,
                };
                let tensor = step.to;
                self.step(Step::Quantize(step));
                Ok(tensor)
            }
        }
    }

    /// The table lookup of each byte of `from`, as a tensor of a value of this shape. The identity needs no step.
    fn looked_up(&mut self, from: TensorId, table: [u8; 256], shape: &[usize]) -> Result<TensorId, Reason> {
        if (0..=255_u8).all(|byte| table[usize::from(byte)] == byte) {
            return Ok(from);
        }
        let to = self.bytes(shape)?;
        let table = Box::new(table);
        self.derived.insert(to, (from, table.clone()));
        self.step(Step::Lookup(Lookup { from, to, table: Table::Bytes(table) }));
        Ok(to)
    }

    /// Adds the step of a deferred operator, with its requantization to `to`. Returns the tensor of bytes.
    fn requantized(
        &mut self,
        operator: &Deferred,
        clamp: Clamp,
        to: Affine,
        shape: &[usize],
    ) -> Result<TensorId, Reason> {
        if let Deferred::Concatenation { parts, axis } = operator {
            if clamp != Clamp::NONE {
                return Err("a bound behind Concat".into());
            }
            let tensors: Vec<TensorId> = parts.iter().map(|part| self.quantized(part, to)).collect::<Result<_, _>>()?;
            let parts: Vec<_> =
                tensors.into_iter().zip(parts).map(|(tensor, part)| (tensor, &part.shape[..])).collect();
            return self.concatenated(&parts, *axis, shape);
        }
        let tensor = self.bytes(shape)?;
        let (min, max) = clamp.bytes(to);
        let byte = OutputStage::Byte { zero_point: to.zero_point, min, max, table: None };
        let step = match operator {
            Deferred::Convolution(products) => {
                self.reserve_weights(products.weights.len())?;
                let multiplier = |scale: &f32| products.from.affine.scale * scale / to.scale;
                products.step(tensor, products.scales.iter().map(multiplier).collect(), byte)?
            }
            Deferred::Sum(terms) => {
                let rule = sum_rule(terms, to, min, max)?;
                // The portable kernel makes the table, so that its bytes are those of the step.
                if let Some((origin, [a, b])) = self.common_origin(terms.map(|term| term.tensor)) {
                    let mut table = [0; 256];
                    portable().add(&rule, &a, &b, &mut table);
                    return self.looked_up(origin, table, shape);
                }
                Step::Add(Add { from: terms.map(|term| term.tensor), to: tensor, rule })
            }
            Deferred::Product(factors) => {
                let [a, b] = factors.map(|factor| factor.affine);
                let multiplier = a.scale * b.scale / to.scale;
                check_finite(&[multiplier])?;
                let (addend, offset) = (graph_zero_point(to), to.offset);
                // The order of ONNX Runtime's `QLinearMul`: the zero point is added before the product is rounded.
                let rule = MultiplyRule {
                    zero_points: [a.zero_point, b.zero_point],
                    multiplier,
                    addend,
                    output_offset: offset,
                    min,
                    max,
                };
                if let Some((origin, [a, b])) = self.common_origin(factors.map(|factor| factor.tensor)) {
                    let mut table = [0; 256];
                    portable().multiply(&rule, &a, &b, &mut table);
                    return self.looked_up(origin, table, shape);
                }
                Step::Multiply(Multiply { from: factors.map(|factor| factor.tensor), to: tensor, rule })
            }
            Deferred::Mean { input, window, count_include_pad } => {
                mean(*input, tensor, window, *count_include_pad, to.scale, byte)?
            }
            Deferred::Concatenation { .. } => unreachable!("concatenated above"),
        };
        self.step(step);
        Ok(tensor)
    }

    /// Adds the steps that compute a value as floats, row-major in the graph's order of axes. Returns the tensor.
    pub(super) fn floats(&mut self, value: &Value) -> Result<TensorId, Reason> {
        if let ValueKind::Pointwise { input, function } = &value.kind {
            let from = self.planar_copy(*input, &value.shape)?;
            return Ok(self.looked_up_reals(from, function));
        }
        let (from, strides) = self.in_memory(value)?;
        if has_same_layout(&value.shape, &strides, &row_major(&value.shape)) {
            return Ok(from);
        }
        let to = self.tensor(Element::Float, [1, 1, 1, value.shape.iter().product()]);
        let write = (0, by_program_axis(&row_major(&value.shape), 0)?);
        let (shape, read) = (channels_last(&value.shape)?, (0, by_program_axis(&strides, 0)?));
        self.step(Step::StridedCopy(StridedCopy { from, to, shape, read, write }));
        Ok(to)
    }

    /// Adds the steps that compute a value as floats in any layout. Returns the tensor, and the stride of each of the
    /// graph's axes.
    pub(super) fn in_memory(&mut self, value: &Value) -> Result<(TensorId, Vec<usize>), Reason> {
        let strides = strides_of_axes(&value.shape);
        let (operator, clamp) = match &value.kind {
            ValueKind::Floats { tensor, strides } => return Ok((*tensor, strides.clone())),
            ValueKind::Pointwise { input, function } => return Ok((self.looked_up_reals(*input, function), strides)),
            ValueKind::Deferred { operator, clamp } => (operator, clamp),
            ValueKind::Integers { .. } => return Err("integers where reals are wanted".into()),
        };
        if let Some(value) = self.pointwise(value) {
            return self.in_memory(&value);
        }
        if *clamp != Clamp::NONE {
            return Err("its result is not quantized".into());
        }
        let shape = channels_last(&value.shape)?;
        let to = self.tensor(Element::Float, shape);
        let step = match &**operator {
            Deferred::Convolution(products) => {
                self.reserve_weights(products.weights.len())?;
                let multiplier = |scale: &f32| products.from.affine.scale * scale;
                products.step(to, products.scales.iter().map(multiplier).collect(), OutputStage::Float)?
            }
            Deferred::Mean { input, window, count_include_pad } => {
                mean(*input, to, window, *count_include_pad, 1.0, OutputStage::Float)?
            }
            _ => return Err("its result is not quantized".into()),
        };
        self.step(step);
        Ok((to, strides))
    }

    /// The lookup of the real of each byte, in the layout of the bytes.
    fn looked_up_reals(&mut self, from: TensorId, function: &Function) -> TensorId {
        let to = self.tensor(Element::Float, self.program.tensors[from.0].shape);
        let table = Table::Floats(Box::new(function.values));
        self.step(Step::Lookup(Lookup { from, to, table }));
        to
    }
}

/// Whether strides give the same layout: those of axes of one element do not count.
fn has_same_layout(shape: &[usize], one: &[usize], other: &[usize]) -> bool {
    (0..shape.len()).all(|axis| shape[axis] == 1 || one[axis] == other[axis])
}

impl DeferredConvolution {
    /// The convolution as a step with this output stage.
    fn step(&self, to: TensorId, multipliers: Vec<f32>, output_stage: OutputStage) -> Result<Step, Reason> {
        check_finite(&multipliers)?;
        Ok(Step::Convolution(Convolution {
            from: self.from.tensor,
            to,
            zero_point: self.from.affine.zero_point,
            window: self.window.clone(),
            groups: self.groups,
            weights: self.weights.to_vec(),
            bias: self.bias.clone(),
            multipliers,
            output_stage,
        }))
    }
}

/// The zero point in the graph's own integers, signed or unsigned.
fn graph_zero_point(affine: Affine) -> f32 {
    f32::from(affine.zero_point) - f32::from(affine.offset)
}

/// The parameters of a sum, in the order of ONNX Runtime's `QLinearAdd`: each stored integer times its scale ratio,
/// with all zero points in one addend.
fn sum_rule(terms: &[QuantizedTensor; 2], to: Affine, min: u8, max: u8) -> Result<AddRule, Reason> {
    let [a, b] = terms.map(|term| term.affine);
    let affine = |affine: Affine| (affine.scale, graph_zero_point(affine));
    let (scale_ratios, addend) = AddRule::factors([affine(a), affine(b)], affine(to));
    check_finite(&[scale_ratios[0], scale_ratios[1], addend])?;
    Ok(AddRule { input_offsets: [a.offset, b.offset], scale_ratios, addend, output_offset: to.offset, min, max })
}

/// A mean in windows as a step. Its result is divided by `output_scale`: the scale of the output, or 1 where that is
/// floats.
fn mean(
    input: QuantizedTensor,
    to: TensorId,
    window: &Window,
    count_include_pad: bool,
    output_scale: f32,
    output_stage: OutputStage,
) -> Result<Step, Reason> {
    check_finite(&[input.affine.scale / output_scale])?;
    let kind = PoolingKind::Mean {
        zero_point: input.affine.zero_point,
        input_scale: input.affine.scale,
        output_scale,
        count_include_pad,
        output_stage,
    };
    Ok(Step::Pooling(Pooling { from: input.tensor, to, window: window.clone(), kind }))
}

/// Checks that numbers computed from scales are finite.
fn check_finite(numbers: &[f32]) -> Result<(), Reason> {
    if numbers.iter().all(|number| number.is_finite()) { Ok(()) } else { Err("scales beyond what floats hold".into()) }
}
