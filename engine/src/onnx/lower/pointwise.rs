//! Quantizing, and operators that take each element by itself: functions of a byte, sums and products of two tensors.

use std::rc::Rc;

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::attributes::Attributes;
use super::value::{Affine, Clamp, Deferred, Function, Kind, QuantizedTensor, Value};
use super::{Lowering, Reason};
use crate::program::TensorId;

impl<'a> Lowering<'a> {
    pub(super) fn quantize_linear(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let to = self.affine(node)?;
        let value = self.value_or_fallback(node)?;
        let tensor = self.quantized(&value, to)?;
        Ok(Value { shape: value.shape, kind: Kind::Integers { tensor, offset: to.offset } })
    }

    pub(super) fn dequantize_linear(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let from = self.affine(node)?;
        let value = self.value_or_fallback(node)?;
        match value.kind {
            Kind::Integers { tensor, offset } if offset == from.offset => {
                let function = Rc::new(from.function());
                Ok(Value { shape: value.shape, kind: Kind::Pointwise { of: tensor, function } })
            }
            _ => Err("its input is not what its zero point's type says".into()),
        }
    }

    /// A `Cast` to float32 of what stands for reals already, or of integers.
    pub(super) fn cast(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        if attributes.integer("to", 0) != DataType::Float as i64 {
            return Err("a cast to other than float32".into());
        }
        let value = self.value(node, 0)?;
        let Kind::Integers { tensor, offset } = value.kind else { return Ok(value) };
        let function = Rc::new(Affine { scale: 1.0, zero_point: offset, offset }.function());
        Ok(Value { shape: value.shape, kind: Kind::Pointwise { of: tensor, function } })
    }

    fn affine(&self, node: &NodeProto) -> Result<Affine, Reason> {
        let activation = self.constants.activation(node);
        activation.and_then(Affine::of).ok_or_else(|| "not one scale and one 8-bit zero point, both constant".into())
    }

    /// A function of one tensor.
    pub(super) fn unary(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let function = function(&node.op_type, attributes).ok_or(match node.op_type.as_str() {
            "DynamicQuantizeLinear" => "its scale is known only when it runs",
            "ConvInteger" | "MatMulInteger" => "its input's scale is known only when it runs",
            _ => "not served in 8 bits",
        })?;
        self.map(&self.value(node, 0)?, function)
    }

    /// Keeps reals within bounds.
    pub(super) fn clip(&mut self, node: &NodeProto, low: Option<f32>, high: Option<f32>) -> Result<Value, Reason> {
        let high = high.unwrap_or(f32::INFINITY);
        // Where the bounds are the wrong way round, the upper one holds.
        let clamp = Clamp { low: low.unwrap_or(f32::NEG_INFINITY).min(high), high };
        let value = self.value(node, 0)?;
        match value.kind {
            Kind::Deferred { what, clamp: before } => {
                Ok(Value { shape: value.shape, kind: Kind::Deferred { what, clamp: before.and(clamp) } })
            }
            // As the specification has it: min(max(x, low), high).
            _ => self.map(&value, |x| x.max(clamp.low).min(clamp.high)),
        }
    }

    /// The bounds of a `Clip`, which are attributes or inputs.
    pub(super) fn bounds(
        &self,
        node: &NodeProto,
        attributes: &Attributes<'_>,
    ) -> Result<(Option<f32>, Option<f32>), Reason> {
        let bound = |input: usize, name: &str| match node.input.get(input).filter(|name| !name.is_empty()) {
            None => Ok(attributes.optional_float(name)),
            Some(input) => self.number(input).map(Some).ok_or_else(|| format!("its bound \"{input}\" is not constant")),
        };
        Ok((bound(1, "min")?, bound(2, "max")?))
    }

    /// A constant of one element, as it is or dequantized.
    pub(super) fn number(&self, name: &str) -> Option<f32> {
        let single = |values: Vec<f32>| <[f32; 1]>::try_from(values).ok().map(|[value]| value);
        if let Some(values) = self.constants.floats(name) {
            return single(values);
        }
        single(self.constants.weights::<i32>(self.makers.get(name)?)?.reals())
    }

    pub(super) fn sum(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        if let Some(value) = self.with_bias(node)? {
            return Ok(value);
        }
        self.binary(node, |a, b| a + b, Deferred::Sum)
    }

    pub(super) fn product(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        self.binary(node, |a, b| a * b, Deferred::Product)
    }

    /// `Sub`, `Div`, `Max` or `Min` of a tensor and a number, or of two functions of one tensor.
    pub(super) fn of_two(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let operation: fn(f32, f32) -> f32 = match node.op_type.as_str() {
            "Sub" => |a, b| a - b,
            "Div" => |a, b| a / b,
            "Max" => f32::max,
            _ => f32::min,
        };
        let [left, right] = &node.input[..] else { return Err("not two inputs".into()) };
        if let Some(number) = self.number(right) {
            return self.map(&self.value(node, 0)?, |x| operation(x, number));
        }
        if let Some(number) = self.number(left) {
            return self.map(&self.value(node, 1)?, |x| operation(number, x));
        }
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        self.of_one_tensor(&a, &b, operation).ok_or_else(|| "two tensors that are no functions of one".into())
    }

    /// Two tensors, of which one may be a number, or both functions of one.
    fn binary(
        &mut self,
        node: &NodeProto,
        operation: impl Fn(f32, f32) -> f32,
        deferred: impl Fn([QuantizedTensor; 2]) -> Deferred,
    ) -> Result<Value, Reason> {
        let [left, right] = &node.input[..] else { return Err("not two inputs".into()) };
        if let Some(number) = self.number(right) {
            return self.map(&self.value(node, 0)?, |x| operation(x, number));
        }
        if let Some(number) = self.number(left) {
            return self.map(&self.value(node, 1)?, |x| operation(number, x));
        }
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        // What is stored waits for a rule of its own.
        if let (Ok(carried_a), Ok(carried_b)) = (a.quantized_tensor(), b.quantized_tensor()) {
            if a.shape.len() != b.shape.len() {
                return Err("tensors of unlike numbers of axes".into());
            }
            let shape = broadcast(&a.shape, &b.shape).ok_or("shapes that do not go together")?;
            let what = Rc::new(deferred([carried_a, carried_b]));
            return Ok(Value { shape, kind: Kind::Deferred { what, clamp: Clamp::NONE } });
        }
        self.of_one_tensor(&a, &b, operation).ok_or_else(|| "an operator between this and its DequantizeLinear".into())
    }

    /// Both as functions of the bytes that both come from.
    fn of_one_tensor(&self, a: &Value, b: &Value, operation: impl Fn(f32, f32) -> f32) -> Option<Value> {
        if a.shape != b.shape {
            return None;
        }
        let (a, b) = (self.pointwise(a)?, self.pointwise(b)?);
        let (Kind::Pointwise { of: a_of, function: f }, Kind::Pointwise { of: b_of, function: g }) = (&a.kind, &b.kind)
        else {
            return None;
        };
        let (of, [a_table, b_table]) = self.common_origin([*a_of, *b_of])?;
        let at = |byte: usize| operation(f.values[usize::from(a_table[byte])], g.values[usize::from(b_table[byte])]);
        let function = Rc::new(Function { values: std::array::from_fn(at), affine: None });
        Some(Value { shape: a.shape.clone(), kind: Kind::Pointwise { of, function } })
    }

    /// The tensor that both are functions of, with the functions.
    pub(super) fn common_origin(&self, tensors: [TensorId; 2]) -> Option<(TensorId, [[u8; 256]; 2])> {
        let [a_origins, b_origins] = tensors.map(|tensor| self.origins(tensor));
        let (of, a_table) = a_origins.iter().find(|(of, _)| b_origins.iter().any(|(other, _)| of == other))?;
        let (_, b_table) = b_origins.iter().find(|(other, _)| of == other)?;
        Some((*of, [*a_table, *b_table]))
    }

    /// A value as a function of bytes, where it is one: also a sum or product that nothing has rounded yet.
    pub(super) fn pointwise(&self, value: &Value) -> Option<Value> {
        let (what, clamp) = match &value.kind {
            Kind::Pointwise { .. } => return Some(value.clone()),
            Kind::Deferred { what, clamp } => (what, clamp),
            _ => return None,
        };
        let (quantized_tensor, operation): (_, fn(f32, f32) -> f32) = match &**what {
            Deferred::Sum(terms) => (terms, |a, b| a + b),
            Deferred::Product(factors) => (factors, |a, b| a * b),
            _ => return None,
        };
        let (of, tables) = self.common_origin(quantized_tensor.map(|quantized_tensor| quantized_tensor.tensor))?;
        let [f, g] = quantized_tensor.map(|quantized_tensor| quantized_tensor.affine.function());
        let real =
            |byte: usize| operation(f.values[usize::from(tables[0][byte])], g.values[usize::from(tables[1][byte])]);
        let values = std::array::from_fn(|byte| real(byte).max(clamp.low).min(clamp.high));
        let function = Rc::new(Function { values, affine: None });
        Some(Value { shape: value.shape.clone(), kind: Kind::Pointwise { of, function } })
    }

    /// The tensors that a tensor is a function of, itself first, each with the function.
    fn origins(&self, tensor: TensorId) -> Vec<(TensorId, [u8; 256])> {
        let mut origins = vec![(tensor, std::array::from_fn(|byte| byte as u8))];
        while let Some((base, table)) = self.derived.get(&origins[origins.len() - 1].0) {
            let outer = origins[origins.len() - 1].1;
            origins.push((*base, std::array::from_fn(|byte| outer[usize::from(table[byte])])));
        }
        origins
    }

    /// A function of what is a function of bytes.
    fn map(&self, value: &Value, function: impl Fn(f32) -> f32) -> Result<Value, Reason> {
        let value = self.pointwise(value).ok_or("what it reads is not quantized")?;
        let Kind::Pointwise { of, function: inner } = value.kind else { unreachable!("made so") };
        let function = Rc::new(Function { values: inner.values.map(function), affine: None });
        Ok(Value { shape: value.shape, kind: Kind::Pointwise { of, function } })
    }
}

/// What an operator does to one number. Transcendental functions are computed in f64 and rounded once, so that they are
/// the same everywhere.
fn function(operator: &str, attributes: &Attributes<'_>) -> Option<Box<dyn Fn(f32) -> f32>> {
    let exact =
        |function: fn(f64) -> f64| -> Box<dyn Fn(f32) -> f32> { Box::new(move |x| function(f64::from(x)) as f32) };
    let alpha = |absent| attributes.float("alpha", absent);
    let beta = |absent| attributes.float("beta", absent);
    Some(match operator {
        "Sigmoid" => exact(|x| 1.0 / (1.0 + libm::exp(-x))),
        "Tanh" => exact(libm::tanh),
        "Exp" => exact(libm::exp),
        "Erf" => exact(libm::erf),
        // log(1 + exp(x)), where neither is too large.
        "Softplus" => exact(|x| x.max(0.0) + libm::log1p(libm::exp(-x.abs()))),
        "HardSigmoid" => {
            let (alpha, beta) = (alpha(0.2), beta(0.5));
            Box::new(move |x| hard_sigmoid(x, alpha, beta))
        }
        "HardSwish" => Box::new(|x| x * hard_sigmoid(x, 1.0 / 6.0, 0.5)),
        "LeakyRelu" => {
            let alpha = alpha(0.01);
            Box::new(move |x| if x < 0.0 { alpha * x } else { x })
        }
        "Elu" => {
            let alpha = f64::from(alpha(1.0));
            Box::new(move |x| if x < 0.0 { (alpha * libm::expm1(f64::from(x))) as f32 } else { x })
        }
        "Neg" => Box::new(|x| -x),
        "Abs" => Box::new(f32::abs),
        _ => return None,
    })
}

fn hard_sigmoid(x: f32, alpha: f32, beta: f32) -> f32 {
    (alpha * x + beta).clamp(0.0, 1.0)
}

/// The shape of an operation on two tensors of as many axes: an axis of length 1 goes with any.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let axis = |(&a, &b): (&usize, &usize)| match (a, b) {
        (1, other) | (other, 1) => Some(other),
        (a, b) => (a == b).then_some(a),
    };
    a.iter().zip(b).map(axis).collect()
}
