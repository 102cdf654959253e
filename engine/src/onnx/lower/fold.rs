//! Constant folding of integers: shapes, axes and indices that exporters compute in the graph. Only int64 tensors of at
//! most one axis are folded, so axes that ONNX's operators name are not looked at: there is one.

use tract_onnx::pb::NodeProto;

use super::Lowering;
use super::attributes::Attributes;
use super::shapes::axes;

/// The maximum length of a list. Shapes and axes are far shorter, but each `Concat` of a hostile graph could double a
/// list.
const MAX_LENGTH: usize = 1024;

/// A tensor of integers of at most one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IntegerTensor {
    pub(super) values: Vec<i64>,
    /// Whether it has one axis; otherwise it is a scalar.
    pub(super) is_list: bool,
}

impl Lowering<'_> {
    /// The integers of an int64 tensor that is known when the graph is lowered: a constant, or folded.
    pub(super) fn int64s(&self, name: &str) -> Option<Vec<i64>> {
        self.numbers(name).map(|numbers| numbers.values)
    }

    fn numbers(&self, name: &str) -> Option<IntegerTensor> {
        if let Some(numbers) = self.folded.get(name) {
            return Some(numbers.clone());
        }
        let is_list = match self.constants.dims(name)? {
            [] => false,
            [_] => true,
            _ => return None,
        };
        Some(IntegerTensor { values: self.constants.int64s(name)?, is_list })
    }

    /// The result of a node that depends on known integers and on shapes alone, where it has at most one axis and
    /// [`MAX_LENGTH`] elements.
    pub(super) fn fold(&self, node: &NodeProto) -> Option<IntegerTensor> {
        self.evaluated(node).filter(|numbers| numbers.values.len() <= MAX_LENGTH)
    }

    /// As [`Lowering::fold`], for a result of any length.
    fn evaluated(&self, node: &NodeProto) -> Option<IntegerTensor> {
        let attributes = Attributes::of(node);
        let list = |values: Vec<i64>| Some(IntegerTensor { values, is_list: true });
        if node.op_type == "Shape" {
            let shape: Vec<i64> =
                self.values.get(node.input.first()?.as_str())?.shape.iter().map(|&n| n as i64).collect();
            let rank = shape.len() as i64;
            let index = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize;
            let (start, end) = (index(attributes.integer("start", 0)), index(attributes.integer("end", rank)));
            return list(shape.get(start..end).unwrap_or_default().to_vec());
        }
        let first = self.numbers(node.input.first()?)?;
        let values = &first.values;
        let second = || self.numbers(node.input.get(1)?);
        let arithmetic = |operation: fn(i64, i64) -> Option<i64>| {
            let second = second()?;
            let count = values.len().max(second.values.len());
            let fits = [values.len(), second.values.len()].iter().all(|&length| length == count || length == 1);
            let at = |list: &[i64], at: usize| list[at % list.len()];
            let values = (0..if fits { count } else { 0 }).map(|n| operation(at(values, n), at(&second.values, n)));
            Some(IntegerTensor { values: values.collect::<Option<_>>()?, is_list: first.is_list || second.is_list })
        };
        match node.op_type.as_str() {
            "Identity" => Some(first),
            // 7 is int64.
            "Cast" if attributes.integer("to", 0) == 7 => Some(first),
            "Unsqueeze" if !first.is_list => list(first.values),
            "Reshape" if second()?.values.len() == 1 => list(first.values),
            "Squeeze" => Some(IntegerTensor { is_list: first.values.len() != 1, values: first.values }),
            "Add" => arithmetic(i64::checked_add),
            "Sub" => arithmetic(i64::checked_sub),
            "Mul" => arithmetic(i64::checked_mul),
            "Div" => arithmetic(i64::checked_div),
            "Concat" => {
                let mut all = Vec::new();
                for name in &node.input {
                    all.extend(self.int64s(name)?);
                    if all.len() > MAX_LENGTH {
                        return None;
                    }
                }
                list(all)
            }
            "Gather" => {
                let indices = second()?;
                let positions = axes(&indices.values, values.len()).ok()?;
                let values = positions.iter().map(|&at| values[at]).collect();
                Some(IntegerTensor { values, is_list: indices.is_list })
            }
            "Slice" => {
                let bound = |input: usize| self.int64s(node.input.get(input)?)?.first().copied();
                if node.input.len() > 4 && bound(4) != Some(1) || node.input.len() > 3 && bound(3) != Some(0) {
                    return None;
                }
                let length = values.len() as i64;
                let index = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length) as usize;
                list(values.get(index(bound(1)?)..index(bound(2)?)).unwrap_or_default().to_vec())
            }
            _ => None,
        }
    }
}
