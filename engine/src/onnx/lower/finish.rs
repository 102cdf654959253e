//! Where what waits is computed: to bytes, or to floats.

use super::value::{
    Affine, Clamp, Deferred, Function, Kind, Products, QuantizedTensor, Value, by_program_axis, channels_last,
    row_major, strides_of_axes,
};
use super::{Lowering, Reason};
use crate::arithmetic::{AddRule, MultiplyRule, OutputStage, Window};
use crate::kernels::portable;
use crate::program::{
    Add, Convolution, Element, Lookup, Multiply, Pooling, PoolingKind, Quantize, Step, StridedCopy, Table, TensorId,
};

impl Lowering<'_> {
    /// A value as bytes.
    pub(super) fn quantized(&mut self, value: &Value, to: Affine) -> Result<TensorId, Reason> {
        match &value.kind {
            Kind::Integers { .. } => Err("quantizes integers".into()),
            Kind::Pointwise { of, function } => {
                self.looked_up(*of, function.values.map(|real| to.byte(real)), &value.shape)
            }
            Kind::Deferred { what, clamp } => self.rounded(what, *clamp, to, &value.shape),
            Kind::Floats { tensor, strides } => {
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

    /// A function of bytes to bytes.
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

    fn rounded(&mut self, what: &Deferred, clamp: Clamp, to: Affine, shape: &[usize]) -> Result<TensorId, Reason> {
        if let Deferred::Concatenation { parts, axis } = what {
            if clamp != Clamp::NONE {
                return Err("a bound behind Concat".into());
            }
            let tensors: Vec<TensorId> = parts.iter().map(|part| self.quantized(part, to)).collect::<Result<_, _>>()?;
            let parts: Vec<_> =
                tensors.into_iter().zip(parts).map(|(tensor, part)| (tensor, &part.shape[..])).collect();
            return self.joined(&parts, *axis, shape);
        }
        let tensor = self.bytes(shape)?;
        let (min, max) = clamp.bytes(to);
        let byte = OutputStage::Byte { zero_point: to.zero_point, min, max, table: None };
        let step = match what {
            Deferred::Convolution(products) => {
                self.spend(products.weights.len())?;
                let multiplier = |scale: &f32| products.from.affine.scale * scale / to.scale;
                products.step(tensor, products.scales.iter().map(multiplier).collect(), byte)?
            }
            Deferred::Sum(terms) => {
                let rule = sum_rule(terms, to, min, max)?;
                if let Some((of, [a, b])) = self.common_origin(terms.map(|term| term.tensor)) {
                    let mut table = [0; 256];
                    portable().add(&rule, &a, &b, &mut table);
                    return self.looked_up(of, table, shape);
                }
                Step::Add(Add { from: terms.map(|term| term.tensor), to: tensor, rule })
            }
            Deferred::Product(factors) => {
                let [a, b] = factors.map(|factor| factor.affine);
                let multiplier = a.scale * b.scale / to.scale;
                finite(&[multiplier])?;
                let (addend, offset) = (stored_zero(to), to.offset);
                // As ONNX Runtime's `QLinearMul` has it: the zero point is added before the product is rounded to a byte.
                let rule = MultiplyRule {
                    zero_points: [a.zero_point, b.zero_point],
                    multiplier,
                    addend,
                    output_offset: offset,
                    min,
                    max,
                };
                if let Some((of, [a, b])) = self.common_origin(factors.map(|factor| factor.tensor)) {
                    let mut table = [0; 256];
                    portable().multiply(&rule, &a, &b, &mut table);
                    return self.looked_up(of, table, shape);
                }
                Step::Multiply(Multiply { from: factors.map(|factor| factor.tensor), to: tensor, rule })
            }
            Deferred::Mean { of, window, with_padding } => mean(*of, tensor, window, *with_padding, to.scale, byte)?,
            Deferred::Concatenation { .. } => unreachable!("joined above"),
        };
        self.step(step);
        Ok(tensor)
    }

    /// A value as floats in the graph's order.
    pub(super) fn floats(&mut self, value: &Value) -> Result<TensorId, Reason> {
        if let Kind::Pointwise { of, function } = &value.kind {
            let from = self.planar(*of, &value.shape)?;
            return Ok(self.looked_up_reals(from, function));
        }
        let (from, strides) = self.in_memory(value)?;
        if lies_alike(&value.shape, &strides, &row_major(&value.shape)) {
            return Ok(from);
        }
        let to = self.tensor(Element::Float, [1, 1, 1, value.shape.iter().product()]);
        let write = (0, by_program_axis(&row_major(&value.shape), 0)?);
        let (shape, read) = (channels_last(&value.shape)?, (0, by_program_axis(&strides, 0)?));
        self.step(Step::StridedCopy(StridedCopy { from, to, shape, read, write }));
        Ok(to)
    }

    /// A value as floats in any order: with how far apart neighbours along each of the graph's axes are.
    pub(super) fn in_memory(&mut self, value: &Value) -> Result<(TensorId, Vec<usize>), Reason> {
        let strides = strides_of_axes(&value.shape);
        let (what, clamp) = match &value.kind {
            Kind::Floats { tensor, strides } => return Ok((*tensor, strides.clone())),
            Kind::Pointwise { of, function } => return Ok((self.looked_up_reals(*of, function), strides)),
            Kind::Deferred { what, clamp } => (what, clamp),
            Kind::Integers { .. } => return Err("integers where reals are wanted".into()),
        };
        if let Some(value) = self.pointwise(value) {
            return self.in_memory(&value);
        }
        if *clamp != Clamp::NONE {
            return Err("its result is not quantized".into());
        }
        let shape = channels_last(&value.shape)?;
        let to = self.tensor(Element::Float, shape);
        let step = match &**what {
            Deferred::Convolution(products) => {
                self.spend(products.weights.len())?;
                let multiplier = |scale: &f32| products.from.affine.scale * scale;
                products.step(to, products.scales.iter().map(multiplier).collect(), OutputStage::Float)?
            }
            Deferred::Mean { of, window, with_padding } => {
                mean(*of, to, window, *with_padding, 1.0, OutputStage::Float)?
            }
            _ => return Err("its result is not quantized".into()),
        };
        self.step(step);
        Ok((to, strides))
    }

    /// What bytes stand for, in their order.
    fn looked_up_reals(&mut self, from: TensorId, function: &Function) -> TensorId {
        let to = self.tensor(Element::Float, self.program.tensors[from.0].shape);
        let table = Table::Floats(Box::new(function.values));
        self.step(Step::Lookup(Lookup { from, to, table }));
        to
    }
}

/// Whether two ways of lying in memory are the same but for axes of one element.
fn lies_alike(shape: &[usize], one: &[usize], other: &[usize]) -> bool {
    (0..shape.len()).all(|axis| shape[axis] == 1 || one[axis] == other[axis])
}

impl Products {
    fn step(&self, to: TensorId, multipliers: Vec<f32>, result: OutputStage) -> Result<Step, Reason> {
        finite(&multipliers)?;
        Ok(Step::Convolution(Convolution {
            from: self.from.tensor,
            to,
            zero_point: self.from.affine.zero_point,
            window: self.window.clone(),
            groups: self.groups,
            weights: self.weights.to_vec(),
            bias: self.bias.clone(),
            multipliers,
            result,
        }))
    }
}

/// The zero point as the graph has it, signed or not.
fn stored_zero(affine: Affine) -> f32 {
    f32::from(affine.zero_point) - f32::from(affine.offset)
}

/// As ONNX Runtime's `QLinearAdd` has it: what is stored times its share, the zero points' part in one number.
fn sum_rule(terms: &[QuantizedTensor; 2], to: Affine, min: u8, max: u8) -> Result<AddRule, Reason> {
    let [a, b] = terms.map(|term| term.affine);
    let (a_ratio, b_ratio) = (a.scale / to.scale, b.scale / to.scale);
    let zero_points = a_ratio.mul_add(stored_zero(a), b_ratio * stored_zero(b));
    let addend = stored_zero(to) - zero_points;
    finite(&[a_ratio, b_ratio, addend])?;
    Ok(AddRule {
        input_offsets: [a.offset, b.offset],
        scale_ratios: [a_ratio, b_ratio],
        addend,
        output_offset: to.offset,
        min,
        max,
    })
}

fn mean(
    of: QuantizedTensor,
    to: TensorId,
    window: &Window,
    with_padding: bool,
    divisor: f32,
    result: OutputStage,
) -> Result<Step, Reason> {
    finite(&[of.affine.scale / divisor])?;
    let kind =
        PoolingKind::Mean { zero_point: of.affine.zero_point, scale: of.affine.scale, divisor, with_padding, result };
    Ok(Step::Pooling(Pooling { from: of.tensor, to, window: window.clone(), kind }))
}

/// Scales may be anything.
fn finite(numbers: &[f32]) -> Result<(), Reason> {
    if numbers.iter().all(|number| number.is_finite()) { Ok(()) } else { Err("scales beyond what floats hold".into()) }
}
