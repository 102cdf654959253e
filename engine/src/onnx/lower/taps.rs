//! Finds the tensors of taps in a lowered program. A program has no steps for taps: what it does not compute anyway
//! can't be tapped, and the error names tensors nearby that can.

use std::collections::HashSet;

use super::value::{QuantizedTensor, ValueKind};
use super::{Lowering, Reason};
use crate::onnx::taps::{Neighbours, Tapped};
use crate::program::{self, Step, TensorId, UncheckedProgram};
use crate::signature::Tap;
use tract_onnx::pb::GraphProto;

impl<'a> Lowering<'a> {
    /// The taps of `program`, which is what was lowered, optimized.
    ///
    /// # Errors
    /// The first tap that the program has no tensor of, with the reason.
    pub(super) fn taps<'t>(
        &self,
        graph: &'a GraphProto,
        program: &UncheckedProgram,
        taps: &'t [Tap],
    ) -> Result<Vec<program::Tap>, (&'t Tap, Reason)> {
        if taps.is_empty() {
            return Ok(vec![]);
        }
        let neighbours = Neighbours::of(graph);
        let computed: HashSet<TensorId> = program.steps.iter().map(Step::output).collect();
        let found = |tap: &'t Tap| {
            // The names of the graph live as long as it does.
            let name = graph.node.iter().flat_map(|node| &node.output).find(|name| **name == tap.name);
            let name = name.ok_or_else(|| (tap, "the graph has no tensor of this name".into()))?;
            let tensor = self.tapped(&neighbours, name).map_err(|reason| (tap, reason))?;
            let Some((tensor, shape)) = tensor.filter(|(tensor, _)| computed.contains(&tensor.tensor)) else {
                let can_be_tapped = |name: &'a str| {
                    let tensor = self.tapped(&neighbours, name).ok().flatten();
                    tensor.is_some_and(|(tensor, shape)| {
                        computed.contains(&tensor.tensor) && program_tap(tap, tensor, shape).is_ok()
                    })
                };
                return Err((tap, fused(&neighbours.nearby(name, can_be_tapped))));
            };
            program_tap(tap, tensor, shape).map_err(|reason| (tap, reason))
        };
        taps.iter().map(found).collect()
    }

    /// The tensor of bytes that holds a tensor of the graph, and its shape in the graph; none where there are no such
    /// bytes.
    fn tapped(
        &self,
        neighbours: &Neighbours<'a>,
        name: &'a str,
    ) -> Result<Option<(QuantizedTensor, Vec<usize>)>, Reason> {
        let (value, tensor) = match neighbours.tapped(name)? {
            Tapped::Integers(name, node) => {
                let Some(value) = self.values.get(name) else { return Ok(None) };
                let affine = self.affine(node)?;
                match value.kind {
                    ValueKind::Integers { tensor, offset } if offset == affine.offset => {
                        (value, QuantizedTensor { tensor, affine })
                    }
                    _ => return Ok(None),
                }
            }
            Tapped::Other(name) => match self.values.get(name).map(|value| (value, value.quantized_tensor())) {
                Some((value, Ok(tensor))) => (value, tensor),
                _ => return Ok(None),
            },
        };
        Ok(Some((tensor, value.shape.clone())))
    }
}

/// The tap of a tensor of bytes.
fn program_tap(tap: &Tap, tensor: QuantizedTensor, shape: Vec<usize>) -> Result<program::Tap, Reason> {
    let QuantizedTensor { tensor, affine } = tensor;
    let found = program::Tap { tensor, shape, scale: affine.scale, zero_point: affine.zero_point, kind: tap.kind };
    match found.program_shape() {
        Some(_) => Ok(found),
        None => Err(shape_reason(&found.shape)),
    }
}

/// Why a tensor of this shape can't be tapped.
pub(crate) fn shape_reason(shape: &[usize]) -> Reason {
    format!("its shape is {shape:?}; a batch of 1 and channels are wanted, and at most two axes behind them")
}

/// The reason of a tensor that is not computed.
fn fused(nearby: &[&str]) -> Reason {
    let instead = match nearby {
        [] => "no tensor near it can be tapped either".to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("near it these can be tapped: {}", names.join(", "))
        }
    };
    format!("no step computes it by itself, it is fused into another one; {instead}")
}
