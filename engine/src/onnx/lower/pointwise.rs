//! Lowers quantizing and elementwise operators: functions of a byte, sums and products of two tensors. Sums with a bias
//! go to `products.rs`.

use std::rc::Rc;

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::attributes::Attributes;
use super::value::{Affine, Clamp, Deferred, Function, QuantizedTensor, Value, ValueKind};
use super::{Lowering, Reason};
use crate::program::TensorId;

impl<'a> Lowering<'a> {
    /// `QuantizeLinear`. It and `DequantizeLinear` alone import tensors from tract; all other operators work on lowered
    /// ones.
    pub(super) fn quantize_linear(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let to = self.affine(node)?;
        let value = self.value_or_import(node)?;
        let tensor = self.quantized(&value, to)?;
        Ok(Value { shape: value.shape, kind: ValueKind::Integers { tensor, offset: to.offset } })
    }

    /// `DequantizeLinear`.
    pub(super) fn dequantize_linear(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        let from = self.affine(node)?;
        let value = self.value_or_import(node)?;
        match value.kind {
            ValueKind::Integers { tensor, offset } if offset == from.offset => {
                let function = Rc::new(from.function());
                Ok(Value { shape: value.shape, kind: ValueKind::Pointwise { input: tensor, function } })
            }
            _ => Err("its input is not what its zero point's type says".into()),
        }
    }

    /// `Cast` to float32, of reals or of integers.
    pub(super) fn cast(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        if attributes.integer("to", 0) != DataType::Float as i64 {
            return Err("a cast to other than float32".into());
        }
        let value = self.value(node, 0)?;
        let ValueKind::Integers { tensor, offset } = value.kind else { return Ok(value) };
        let function = Rc::new(Affine { scale: 1.0, zero_point: offset, offset }.function());
        Ok(Value { shape: value.shape, kind: ValueKind::Pointwise { input: tensor, function } })
    }

    /// The quantization of a `QuantizeLinear` or `DequantizeLinear`.
    pub(super) fn affine(&self, node: &NodeProto) -> Result<Affine, Reason> {
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

    /// `Relu` and `Clip`: clamps reals.
    pub(super) fn clip(&mut self, node: &NodeProto, low: Option<f32>, high: Option<f32>) -> Result<Value, Reason> {
        let high = high.unwrap_or(f32::INFINITY);
        // Where low exceeds high, all results are high.
        let clamp = Clamp { low: low.unwrap_or(f32::NEG_INFINITY).min(high), high };
        let value = self.value(node, 0)?;
        match value.kind {
            ValueKind::Deferred { operator, clamp: before } => {
                Ok(Value { shape: value.shape, kind: ValueKind::Deferred { operator, clamp: before.and(clamp) } })
            }
            // The definition in ONNX: min(max(x, low), high).
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

    /// A constant of one element and any number of axes, in float32 or dequantized.
    pub(super) fn number(&self, name: &str) -> Option<f32> {
        let single = |values: Vec<f32>| <[f32; 1]>::try_from(values).ok().map(|[value]| value);
        if let Some(values) = self.constants.floats(name) {
            return single(values);
        }
        single(self.constants.weights::<i32>(self.producers.get(name)?)?.reals())
    }

    /// `Add`.
    pub(super) fn sum(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        if let Some(value) = self.with_bias(node)? {
            return Ok(value);
        }
        self.sum_or_product(node, |a, b| a + b, Deferred::Sum)
    }

    /// `Mul`.
    pub(super) fn product(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        self.sum_or_product(node, |a, b| a * b, Deferred::Product)
    }

    /// `Sub`, `Div`, `Max` or `Min` of a tensor and a number, or of two functions of one tensor.
    pub(super) fn binary_function(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
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
        self.combined_function(&a, &b, operation).ok_or_else(|| "two tensors that are no functions of one".into())
    }

    /// `Add` or `Mul`: of a tensor and a number, of two quantized tensors (deferred), or of two functions of one
    /// tensor.
    fn sum_or_product(
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
        // The sum or product of two quantized tensors has its own requantization, so it is deferred.
        if let (Ok(quantized_a), Ok(quantized_b)) = (a.quantized_tensor(), b.quantized_tensor()) {
            if a.shape.len() != b.shape.len() {
                return Err("tensors of unlike numbers of axes".into());
            }
            let shape = broadcast(&a.shape, &b.shape).ok_or("shapes that do not go together")?;
            let operator = Rc::new(deferred([quantized_a, quantized_b]));
            return Ok(Value { shape, kind: ValueKind::Deferred { operator, clamp: Clamp::NONE } });
        }
        self.combined_function(&a, &b, operation)
            .ok_or_else(|| "an operator between this and its DequantizeLinear".into())
    }

    /// An operation on two values as one function of a byte, where both are functions of the same tensor of bytes.
    fn combined_function(&self, a: &Value, b: &Value, operation: impl Fn(f32, f32) -> f32) -> Option<Value> {
        if a.shape != b.shape {
            return None;
        }
        let (a, b) = (self.pointwise(a)?, self.pointwise(b)?);
        let (
            ValueKind::Pointwise { input: a_input, function: f },
            ValueKind::Pointwise { input: b_input, function: g },
        ) = (&a.kind, &b.kind)
        else {
            return None;
        };
        let (input, [a_table, b_table]) = self.common_origin([*a_input, *b_input])?;
        let at = |byte: usize| operation(f.values[usize::from(a_table[byte])], g.values[usize::from(b_table[byte])]);
        let function = Rc::new(Function { values: std::array::from_fn(at), affine: None });
        Some(Value { shape: a.shape.clone(), kind: ValueKind::Pointwise { input, function } })
    }

    /// The tensor of bytes that both tensors are functions of, with the tables of the two functions. It is the one with
    /// the fewest lookups between it and the first tensor.
    pub(super) fn common_origin(&self, tensors: [TensorId; 2]) -> Option<(TensorId, [[u8; 256]; 2])> {
        let [a_origins, b_origins] = tensors.map(|tensor| self.origins(tensor));
        let (origin, a_table) = a_origins.iter().find(|(a, _)| b_origins.iter().any(|(b, _)| a == b))?;
        let (_, b_table) = b_origins.iter().find(|(b, _)| origin == b)?;
        Some((*origin, [*a_table, *b_table]))
    }

    /// A value as a function of a byte, where it is one. A deferred sum or product of two functions of one tensor is
    /// one too.
    pub(super) fn pointwise(&self, value: &Value) -> Option<Value> {
        let (operator, clamp) = match &value.kind {
            ValueKind::Pointwise { .. } => return Some(value.clone()),
            ValueKind::Deferred { operator, clamp } => (operator, clamp),
            _ => return None,
        };
        let (tensors, operation): (_, fn(f32, f32) -> f32) = match &**operator {
            Deferred::Sum(terms) => (terms, |a, b| a + b),
            Deferred::Product(factors) => (factors, |a, b| a * b),
            _ => return None,
        };
        let (input, tables) = self.common_origin(tensors.map(|tensor| tensor.tensor))?;
        let [f, g] = tensors.map(|tensor| tensor.affine.function());
        let real =
            |byte: usize| operation(f.values[usize::from(tables[0][byte])], g.values[usize::from(tables[1][byte])]);
        let values = std::array::from_fn(|byte| real(byte).max(clamp.low).min(clamp.high));
        let function = Rc::new(Function { values, affine: None });
        Some(Value { shape: value.shape.clone(), kind: ValueKind::Pointwise { input, function } })
    }

    /// The tensors of bytes that a tensor is a function of, itself first, each with the table of the function.
    fn origins(&self, tensor: TensorId) -> Vec<(TensorId, [u8; 256])> {
        let mut origins = vec![(tensor, std::array::from_fn(|byte| byte as u8))];
        while let Some((base, table)) = self.derived.get(&origins[origins.len() - 1].0) {
            let outer = origins[origins.len() - 1].1;
            origins.push((*base, std::array::from_fn(|byte| outer[usize::from(table[byte])])));
        }
        origins
    }

    /// The composition of `function` with a value that is a function of a byte.
    fn map(&self, value: &Value, function: impl Fn(f32) -> f32) -> Result<Value, Reason> {
        let value = self.pointwise(value).ok_or("what it reads is not quantized")?;
        let ValueKind::Pointwise { input, function: inner } = value.kind else {
            unreachable!("pointwise() returns no other kind")
        };
        let function = Rc::new(Function { values: inner.values.map(function), affine: None });
        Ok(Value { shape: value.shape, kind: ValueKind::Pointwise { input, function } })
    }
}

/// The function of a unary operator; none where the operator has none. Defaults of `alpha` and `beta` are ONNX's.
/// Transcendental functions are computed in f64 by `libm` and rounded to f32 once, so that all platforms have the same
/// results.
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
        // log(1 + exp(x)), in a form that does not overflow.
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

/// `clamp(alpha * x + beta)` to 0 to 1.
fn hard_sigmoid(x: f32, alpha: f32, beta: f32) -> f32 {
    (alpha * x + beta).clamp(0.0, 1.0)
}

/// The broadcast shape of two tensors of the same number of axes; none where two lengths differ and neither is 1.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let axis = |(&a, &b): (&usize, &usize)| match (a, b) {
        (1, other) | (other, 1) => Some(other),
        (a, b) => (a == b).then_some(a),
    };
    a.iter().zip(b).map(axis).collect()
}
