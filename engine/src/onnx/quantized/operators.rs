//! The operators that replace quantizing ones in a rewritten graph, for tract to run. Each computes in float32, in the
//! order of operations of ONNX Runtime, and rounds to the nearest integer, ties to even. `rewrite.rs` puts them into
//! the graph and computes their parameters.

use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::broadcast::multi_broadcast;
use tract_onnx::tract_core::ndarray::Zip;
use tract_onnx::tract_core::ops::cast::cast;
#[allow(clippy::wildcard_imports, reason = "tract's own prelude for writing operators")]
use tract_onnx::tract_hir::internal::*;

use crate::kernels::fused;
use crate::onnx::panics::engine_code;

/// Quantizes a real tensor.
pub(super) const QUANTIZE: &str = "BedsideQuantize";
/// Requantizes the integer sums of a convolution.
pub(super) const REQUANTIZE: &str = "BedsideRequantize";
/// Adds two quantized activations and requantizes the sum.
pub(super) const ADD: &str = "BedsideAdd";
/// The attribute that holds the parameters of an operator: `min` and `max` of its [`QuantizingOperator`], then the
/// fields of its [`OperatorKind`] in their order.
pub(super) const PARAMETERS: &str = "parameters";

/// Registers the operators of [`super::rewrite_quantized_activations`] with the importer.
pub(crate) fn register(operators: &mut OnnxOpRegister) {
    for name in [QUANTIZE, REQUANTIZE, ADD] {
        operators.insert(name, parse);
    }
}

fn parse(_: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    engine_code(|| Ok((expand(quantizing_operator(node)?), vec![])))
}

fn quantizing_operator(node: &NodeProto) -> TractResult<QuantizingOperator> {
    let parameters = node.attribute.iter().find(|a| a.name == PARAMETERS).map_or(&[][..], |a| &a.floats[..]);
    let (kind, min, max) = match (node.op_type.as_str(), parameters) {
        (QUANTIZE, &[min, max, scale]) => (OperatorKind::Quantize { scale }, min, max),
        (REQUANTIZE, &[min, max, ref multipliers @ ..]) => {
            (OperatorKind::Requantize { multipliers: multipliers.to_vec() }, min, max)
        }
        (ADD, &[min, max, a_zero_point, b_zero_point, a_ratio, b_ratio, addend, zero_point]) => {
            (OperatorKind::Add { a_zero_point, b_zero_point, a_ratio, b_ratio, addend, zero_point }, min, max)
        }
        _ => bail!("{} has no such parameters", node.op_type),
    };
    Ok(QuantizingOperator { kind, min, max })
}

/// An operator that clamps its result to `min..=max` and rounds it to an integer.
#[derive(Debug, Clone, PartialEq)]
struct QuantizingOperator {
    kind: OperatorKind,
    min: f32,
    max: f32,
}

/// All parameters are finite (`rewrite.rs` checks it), so every value equals itself.
impl Eq for QuantizingOperator {}

/// What an operator computes before it clamps and rounds.
#[derive(Debug, Clone, PartialEq)]
enum OperatorKind {
    /// `x / scale`
    Quantize { scale: f32 },
    /// `sum * multipliers[channel]`; channels are the second axis, and there is one multiplier for each.
    Requantize { multipliers: Vec<f32> },
    /// `fma(a + a_zero_point, a_ratio, fma(b + b_zero_point, b_ratio, addend))`. The zero points are added because ONNX
    /// Runtime adds stored integers. `min` and `max` bound a stored integer too, and `zero_point` is subtracted after
    /// the result is clamped and rounded.
    Add { a_zero_point: f32, b_zero_point: f32, a_ratio: f32, b_ratio: f32, addend: f32, zero_point: f32 },
}

impl QuantizingOperator {
    /// The number of inputs.
    fn inputs(&self) -> usize {
        if matches!(self.kind, OperatorKind::Add { .. }) { 2 } else { 1 }
    }

    /// Clamps a value and rounds it.
    fn round(&self, value: f32) -> f32 {
        round_ties_to_even(value.max(self.min).min(self.max))
    }

    /// The quantized sum of two elements; 0 for operators that are no sum.
    fn quantized_sum(&self, a: f32, b: f32) -> f32 {
        let OperatorKind::Add { a_zero_point, b_zero_point, a_ratio, b_ratio, addend, zero_point } = self.kind else {
            return 0.0;
        };
        let with_b = fused(b + b_zero_point, b_ratio, addend);
        self.round(fused(a + a_zero_point, a_ratio, with_b)) - zero_point
    }
}

/// Rounds a value of magnitude up to 2²² to an integer, ties to even. After the magic bias 1.5 · 2²³ is added, the
/// float has no bits for a fraction.
fn round_ties_to_even(value: f32) -> f32 {
    const MAGIC_BIAS: f32 = 12_582_912.0;
    (value + MAGIC_BIAS) - MAGIC_BIAS
}

impl Op for QuantizingOperator {
    fn name(&self) -> StaticName {
        match self.kind {
            OperatorKind::Quantize { .. } => QUANTIZE.into(),
            OperatorKind::Requantize { .. } => REQUANTIZE.into(),
            OperatorKind::Add { .. } => ADD.into(),
        }
    }

    op_as_typed_op!();
}

impl EvalOp for QuantizingOperator {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        engine_code(|| self.evaluated(inputs))
    }
}

impl QuantizingOperator {
    fn evaluated(&self, mut inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut first = inputs.remove(0).into_tensor();
        match &self.kind {
            OperatorKind::Quantize { scale } => {
                let mut view = first.try_as_plain_ram_mut()?;
                for value in view.as_slice_mut::<f32>()? {
                    *value = self.round(*value / scale);
                }
            }
            OperatorKind::Requantize { multipliers } => {
                let plane: usize = first.shape()[2..].iter().product();
                let mut view = first.try_as_plain_ram_mut()?;
                let values = view.as_slice_mut::<f32>()?;
                for (values, multiplier) in values.chunks_exact_mut(plane.max(1)).zip(multipliers.iter().cycle()) {
                    for value in values {
                        *value = self.round(*value * multiplier);
                    }
                }
            }
            OperatorKind::Add { .. } => {
                let second = inputs.remove(0);
                let shape = multi_broadcast(&[first.shape(), second.shape()])?;
                if first.shape() != &shape[..] {
                    first = first.broadcast_to_shape(&shape)?;
                }
                let (mut sums, terms) = (first.try_as_plain_ram_mut()?, second.try_as_plain_ram()?);
                let (mut sums, terms) = (sums.to_array_view_mut::<f32>()?, terms.to_array_view::<f32>()?);
                let terms = terms.broadcast(&shape[..]).context("shapes that go together")?;
                Zip::from(&mut sums).and(terms).for_each(|sum, &term| *sum = self.quantized_sum(*sum, term));
            }
        }
        Ok(tvec!(first.into_tvalue()))
    }
}

impl TypedOp for QuantizingOperator {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        engine_code(|| {
            let shapes: TVec<_> = inputs.iter().map(|fact| fact.shape.to_tvec()).collect();
            Ok(tvec!(f32::fact(multi_broadcast(&shapes)?)))
        })
    }

    as_op!();
}

impl Expansion for QuantizingOperator {
    fn name(&self) -> StaticName {
        Op::name(self)
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, self.inputs())?;
        check_output_arity(outputs, 1)?;
        solver.equals(&outputs[0].datum_type, f32::datum_type())?;
        match inputs {
            [a, b] => solver.given_2(&a.shape, &b.shape, move |solver, a, b| {
                solver.equals(&outputs[0].shape, ShapeFactoid::from(multi_broadcast(&[a, b])?))
            }),
            _ => solver.equals(&outputs[0].shape, &inputs[0].shape),
        }
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut floats = tvec!();
        for (number, &input) in inputs.iter().enumerate() {
            // Only the input of QUANTIZE may have another type than float32: integers and float16 are legal there.
            let input = match model.outlet_fact(input)?.datum_type {
                DatumType::F32 => input,
                _ => model.wire_node(format!("{prefix}.cast.{number}"), cast(DatumType::F32), &[input])?[0],
            };
            floats.push(input);
        }
        model.wire_node(prefix, self.clone(), &floats)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "results must be equal bit by bit")]
mod tests {
    use super::*;

    #[test]
    fn round_ties_to_even_rounds_to_nearest_even() {
        // IEEE 754, 4.3.1: round to nearest, ties to even.
        for (value, rounded) in [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, 0.0), (-1.5, -2.0), (254.5, 254.0)] {
            assert_eq!(round_ties_to_even(value), rounded, "{value}");
        }
        assert_eq!(round_ties_to_even(2.499_999_8), 2.0);
        assert_eq!(round_ties_to_even(2.500_000_2), 3.0);
    }
}
