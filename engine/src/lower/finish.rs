//! Where what waits is computed: to bytes, or to floats.

use super::shapes::is_planar;
use super::value::{Affine, Carried, Clamp, Kind, Products, Value, Waiting, by_program_axis, channels_last, row_major};
use super::{Lowering, Reason};
use crate::program::{
    Add, AddRule, Convolution, Element, Lookup, Multiply, MultiplyRule, Pool, PoolKind, Quantize, Rounding, Step,
    Table, TensorId, Window,
};

impl Lowering<'_> {
    /// A value as bytes.
    pub(super) fn quantized(&mut self, value: &Value, to: Affine) -> Result<TensorId, Reason> {
        match &value.kind {
            Kind::Integers { .. } => Err("quantizes integers".into()),
            Kind::Pointwise { of, function } => {
                self.looked_up(*of, function.values.map(|real| to.byte(real)), &value.shape)
            }
            Kind::Waiting { what, clamp } => self.rounded(what, *clamp, to, &value.shape),
            Kind::Floats { tensor, strides } => {
                let step = Quantize {
                    from: *tensor,
                    to: self.bytes(&value.shape)?,
                    strides: by_program_axis(strides, 0)?,
                    scale: to.scale,
                    zero: to.zero,
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

    fn rounded(&mut self, what: &Waiting, clamp: Clamp, to: Affine, shape: &[usize]) -> Result<TensorId, Reason> {
        if let Waiting::Concatenation { parts, axis } = what {
            if clamp != Clamp::NONE {
                return Err("a bound behind Concat".into());
            }
            let tensors: Vec<TensorId> = parts.iter().map(|part| self.quantized(part, to)).collect::<Result<_, _>>()?;
            let parts: Vec<_> =
                tensors.into_iter().zip(parts).map(|(tensor, part)| (tensor, &part.shape[..])).collect();
            return self.joined(&parts, *axis, shape);
        }
        let tensor = self.bytes(shape)?;
        let (least, most) = clamp.bytes(to);
        let byte = Rounding::Byte { zero: to.zero, least, most, table: None };
        let step = match what {
            Waiting::Convolution(products) => {
                let multiplier = |scale: &f32| products.from.affine.scale * scale / to.scale;
                products.step(tensor, products.scales.iter().map(multiplier).collect(), byte)?
            }
            Waiting::Sum(terms) => {
                let rule = sum_rule(terms, to, least, most)?;
                Step::Add(Add { from: terms.map(|term| term.tensor), to: tensor, rule })
            }
            Waiting::Product(factors) => {
                let [a, b] = factors.map(|factor| factor.affine);
                let multiplier = a.scale * b.scale / to.scale;
                finite(&[multiplier])?;
                let rule = MultiplyRule { zeros: [a.zero, b.zero], multiplier, zero: to.zero, least, most };
                Step::Multiply(Multiply { from: factors.map(|factor| factor.tensor), to: tensor, rule })
            }
            Waiting::Mean { of, window, with_padding } => mean(*of, tensor, window, *with_padding, to.scale, byte)?,
            Waiting::Concatenation { .. } => unreachable!("joined above"),
        };
        if let Step::Add(step) = &step {
            let alike =
                step.from.iter().all(|id| self.program.tensors[id.0].shape == self.program.tensors[tensor.0].shape);
            if !alike {
                return Err("a sum of tensors of unlike shapes".into());
            }
        }
        self.step(step);
        Ok(tensor)
    }

    /// A value as floats in the graph's order.
    pub(super) fn floats(&mut self, value: &Value) -> Result<TensorId, Reason> {
        if let Kind::Floats { tensor, strides } = &value.kind {
            let in_order = *strides == row_major(&value.shape);
            return if in_order { Ok(*tensor) } else { Err("floats in another order".into()) };
        }
        if !is_planar(&value.shape) {
            return Err("a picture of floats".into());
        }
        let shape = channels_last(&value.shape)?;
        let to = self.tensor(Element::Float, shape);
        let step = match &value.kind {
            Kind::Pointwise { of, function } => {
                Step::Lookup(Lookup { from: *of, to, table: Table::Floats(Box::new(function.values)) })
            }
            Kind::Waiting { what, clamp } if *clamp == Clamp::NONE => match &**what {
                Waiting::Convolution(products) => {
                    let multiplier = |scale: &f32| products.from.affine.scale * scale;
                    products.step(to, products.scales.iter().map(multiplier).collect(), Rounding::Float)?
                }
                Waiting::Mean { of, window, with_padding } => {
                    mean(*of, to, window, *with_padding, 1.0, Rounding::Float)?
                }
                _ => return Err("its result is not quantized".into()),
            },
            _ => return Err("its result is not quantized".into()),
        };
        self.step(step);
        Ok(to)
    }
}

impl Products {
    fn step(&self, to: TensorId, multipliers: Vec<f32>, result: Rounding) -> Result<Step, Reason> {
        finite(&multipliers)?;
        Ok(Step::Convolution(Convolution {
            from: self.from.tensor,
            to,
            zero: self.from.affine.zero,
            window: self.window.clone(),
            groups: self.groups,
            weights: self.weights.clone(),
            bias: self.bias.clone(),
            multipliers,
            result,
        }))
    }
}

/// As ONNX Runtime's `QLinearAdd` has it: what is stored times its share, the zero points' part in one number.
fn sum_rule(terms: &[Carried; 2], to: Affine, least: u8, most: u8) -> Result<AddRule, Reason> {
    let [a, b] = terms.map(|term| term.affine);
    let stored = |affine: Affine| f32::from(affine.zero) - f32::from(affine.shift);
    let (a_share, b_share) = (a.scale / to.scale, b.scale / to.scale);
    let zeros = a_share.mul_add(stored(a), b_share * stored(b));
    let fixed = stored(to) - zeros;
    finite(&[a_share, b_share, fixed])?;
    Ok(AddRule { shifts: [a.shift, b.shift], shares: [a_share, b_share], fixed, shift: to.shift, least, most })
}

fn mean(
    of: Carried,
    to: TensorId,
    window: &Window,
    with_padding: bool,
    divisor: f32,
    result: Rounding,
) -> Result<Step, Reason> {
    finite(&[of.affine.scale / divisor])?;
    let kind = PoolKind::Mean { zero: of.affine.zero, scale: of.affine.scale, divisor, with_padding, result };
    Ok(Step::Pool(Pool { from: of.tensor, to, window: window.clone(), kind }))
}

/// Scales may be anything.
fn finite(numbers: &[f32]) -> Result<(), Reason> {
    if numbers.iter().all(|number| number.is_finite()) { Ok(()) } else { Err("scales beyond what floats hold".into()) }
}
