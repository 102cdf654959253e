//! The operators that a rewritten graph has in place of quantizing ones. Each computes in float32 what ONNX Runtime
//! computes, in its order; rounding is to the nearest, ties to even.

use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::broadcast::multi_broadcast;
use tract_onnx::tract_core::ndarray::Zip;
use tract_onnx::tract_core::ops::cast::cast;
#[allow(clippy::wildcard_imports, reason = "tract's own prelude for writing operators")]
use tract_onnx::tract_hir::internal::*;

use crate::kernels::fused;
use crate::onnx::panics::ours;

/// Real numbers to whole ones.
pub(super) const QUANTIZE: &str = "BedsideQuantize";
/// The whole-number sums of a convolution to the next activation.
pub(super) const REQUANTIZE: &str = "BedsideRequantize";
/// Two activations to their sum.
pub(super) const ADD: &str = "BedsideAdd";
/// The attribute with the numbers of an operator: the least and the greatest result, then what its variant of
/// [`Rounding`] has, in its order.
pub(super) const PARAMETERS: &str = "parameters";

/// Gives the importer the operators that [`super::keep_activations_whole`] puts into graphs.
pub(crate) fn register(operators: &mut OnnxOpRegister) {
    for name in [QUANTIZE, REQUANTIZE, ADD] {
        operators.insert(name, parse);
    }
}

fn parse(_: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    ours(|| Ok((expand(rounded(node)?), vec![])))
}

fn rounded(node: &NodeProto) -> TractResult<Rounded> {
    let parameters = node.attribute.iter().find(|a| a.name == PARAMETERS).map_or(&[][..], |a| &a.floats[..]);
    let (rounding, min, max) = match (node.op_type.as_str(), parameters) {
        (QUANTIZE, &[min, max, scale]) => (Rounding::Quantize { scale }, min, max),
        (REQUANTIZE, &[min, max, ref multipliers @ ..]) => {
            (Rounding::Requantize { multipliers: multipliers.to_vec() }, min, max)
        }
        (ADD, &[min, max, a_zero, b_zero, a_ratio, b_ratio, addend, zero_point]) => {
            (Rounding::Add { a_zero, b_zero, a_ratio, b_ratio, addend, zero_point }, min, max)
        }
        _ => bail!("{} has no such parameters", node.op_type),
    };
    Ok(Rounded { rounding, min, max })
}

/// Something that ends in rounding and clamping.
#[derive(Debug, Clone, PartialEq)]
struct Rounded {
    rounding: Rounding,
    min: f32,
    max: f32,
}

/// Nothing here compares unequal to itself: all numbers are finite.
impl Eq for Rounded {}

#[derive(Debug, Clone, PartialEq)]
enum Rounding {
    /// x / scale
    Quantize { scale: f32 },
    /// Sums times their channel's multiplier; channels are the second axis.
    Requantize { multipliers: Vec<f32> },
    /// `(a + a_zero) * a_ratio + ((b + b_zero) * b_ratio + addend)`, each product added before rounding (as by a fused
    /// multiply-add), then less `zero_point`.
    Add { a_zero: f32, b_zero: f32, a_ratio: f32, b_ratio: f32, addend: f32, zero_point: f32 },
}

impl Rounded {
    fn inputs(&self) -> usize {
        if matches!(self.rounding, Rounding::Add { .. }) { 2 } else { 1 }
    }

    fn round(&self, value: f32) -> f32 {
        nearest(value.max(self.min).min(self.max))
    }

    fn added(&self, a: f32, b: f32) -> f32 {
        let Rounding::Add { a_zero, b_zero, a_ratio, b_ratio, addend, zero_point } = self.rounding else { return 0.0 };
        let with_b = fused(b + b_zero, b_ratio, addend);
        self.round(fused(a + a_zero, a_ratio, with_b)) - zero_point
    }
}

/// A whole number, up to 2²² of magnitude: adding 1.5 · 2²³ leaves no place for a fraction.
fn nearest(value: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT) - SHIFT
}

impl Op for Rounded {
    fn name(&self) -> StaticName {
        match self.rounding {
            Rounding::Quantize { .. } => QUANTIZE.into(),
            Rounding::Requantize { .. } => REQUANTIZE.into(),
            Rounding::Add { .. } => ADD.into(),
        }
    }

    op_as_typed_op!();
}

impl EvalOp for Rounded {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        ours(|| self.computed(inputs))
    }
}

impl Rounded {
    fn computed(&self, mut inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut first = inputs.remove(0).into_tensor();
        match &self.rounding {
            Rounding::Quantize { scale } => {
                let mut view = first.try_as_plain_ram_mut()?;
                for value in view.as_slice_mut::<f32>()? {
                    *value = self.round(*value / scale);
                }
            }
            Rounding::Requantize { multipliers } => {
                let plane: usize = first.shape()[2..].iter().product();
                let mut view = first.try_as_plain_ram_mut()?;
                let values = view.as_slice_mut::<f32>()?;
                for (values, multiplier) in values.chunks_exact_mut(plane.max(1)).zip(multipliers.iter().cycle()) {
                    for value in values {
                        *value = self.round(*value * multiplier);
                    }
                }
            }
            Rounding::Add { .. } => {
                let second = inputs.remove(0);
                let shape = multi_broadcast(&[first.shape(), second.shape()])?;
                if first.shape() != &shape[..] {
                    first = first.broadcast_to_shape(&shape)?;
                }
                let (mut sums, terms) = (first.try_as_plain_ram_mut()?, second.try_as_plain_ram()?);
                let (mut sums, terms) = (sums.to_array_view_mut::<f32>()?, terms.to_array_view::<f32>()?);
                let terms = terms.broadcast(&shape[..]).context("shapes that go together")?;
                Zip::from(&mut sums).and(terms).for_each(|sum, &term| *sum = self.added(*sum, term));
            }
        }
        Ok(tvec!(first.into_tvalue()))
    }
}

impl TypedOp for Rounded {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ours(|| {
            let shapes: TVec<_> = inputs.iter().map(|fact| fact.shape.to_tvec()).collect();
            Ok(tvec!(f32::fact(multi_broadcast(&shapes)?)))
        })
    }

    as_op!();
}

impl Expansion for Rounded {
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
            // Only what is quantized first may be other than float32: integers and float16 are legal there.
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
#[expect(clippy::float_cmp, reason = "equal to the bit is what is promised")]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_even_neighbour() {
        // IEEE 754, 4.3.1: round to nearest, ties to even.
        for (value, rounded) in [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, 0.0), (-1.5, -2.0), (254.5, 254.0)] {
            assert_eq!(nearest(value), rounded, "{value}");
        }
        assert_eq!(nearest(2.499_999_8), 2.0);
        assert_eq!(nearest(2.500_000_2), 3.0);
    }
}
