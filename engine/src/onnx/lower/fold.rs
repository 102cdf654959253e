//! Whole numbers that are known when a graph is lowered: shapes, axes and indices, as exporters compute them in the graph.

use tract_onnx::pb::NodeProto;

use super::Lowering;
use super::attributes::Attributes;
use super::shapes::axes;

/// The longest list: shapes and axes are far shorter, and a few nodes could double one without end.
const MAX: usize = 1024;

/// A tensor of whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) values: Vec<i64>,
    /// A list, or a single number.
    pub(super) is_list: bool,
}

impl Lowering<'_> {
    /// The whole numbers of a tensor.
    pub(super) fn longs(&self, name: &str) -> Option<Vec<i64>> {
        self.numbers(name).map(|numbers| numbers.values)
    }

    fn numbers(&self, name: &str) -> Option<Numbers> {
        if let Some(numbers) = self.folded.get(name) {
            return Some(numbers.clone());
        }
        let is_list = match self.constants.dims(name)? {
            [] => false,
            [_] => true,
            _ => return None,
        };
        Some(Numbers { values: self.constants.longs(name)?, is_list })
    }

    /// What a node computes from nothing but known whole numbers and shapes, where it is a number or a list of them.
    pub(super) fn fold(&self, node: &NodeProto) -> Option<Numbers> {
        self.folded_now(node).filter(|numbers| numbers.values.len() <= MAX)
    }

    fn folded_now(&self, node: &NodeProto) -> Option<Numbers> {
        let attributes = Attributes::of(node);
        let list = |values: Vec<i64>| Some(Numbers { values, is_list: true });
        if node.op_type == "Shape" {
            let shape: Vec<i64> =
                self.values.get(node.input.first()?.as_str())?.shape.iter().map(|&n| n as i64).collect();
            let rank = shape.len() as i64;
            let place = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize;
            let (start, end) = (place(attributes.integer("start", 0)), place(attributes.integer("end", rank)));
            return list(shape.get(start..end).unwrap_or_default().to_vec());
        }
        let first = self.numbers(node.input.first()?)?;
        let values = &first.values;
        let second = || self.numbers(node.input.get(1)?);
        let arithmetic = |operation: fn(i64, i64) -> Option<i64>| {
            let second = second()?;
            let count = values.len().max(second.values.len());
            let alike = [values.len(), second.values.len()].iter().all(|&length| length == count || length == 1);
            let at = |list: &[i64], at: usize| list[at % list.len()];
            let values = (0..if alike { count } else { 0 }).map(|n| operation(at(values, n), at(&second.values, n)));
            Some(Numbers { values: values.collect::<Option<_>>()?, is_list: first.is_list || second.is_list })
        };
        match node.op_type.as_str() {
            "Identity" => Some(first),
            "Cast" if attributes.integer("to", 0) == 7 => Some(first),
            "Unsqueeze" if !first.is_list => list(first.values),
            "Reshape" if second()?.values.len() == 1 => list(first.values),
            "Squeeze" => Some(Numbers { is_list: first.values.len() != 1, values: first.values }),
            "Add" => arithmetic(i64::checked_add),
            "Sub" => arithmetic(i64::checked_sub),
            "Mul" => arithmetic(i64::checked_mul),
            "Div" => arithmetic(i64::checked_div),
            "Concat" => {
                let mut all = Vec::new();
                for name in &node.input {
                    all.extend(self.longs(name)?);
                    if all.len() > MAX {
                        return None;
                    }
                }
                list(all)
            }
            "Gather" => {
                let indices = second()?;
                let offsets = axes(&indices.values, values.len()).ok()?;
                Some(Numbers { values: offsets.iter().map(|&at| values[at]).collect(), is_list: indices.is_list })
            }
            "Slice" => {
                let bound = |input: usize| self.longs(node.input.get(input)?)?.first().copied();
                if node.input.len() > 4 && bound(4) != Some(1) || node.input.len() > 3 && bound(3) != Some(0) {
                    return None;
                }
                let length = values.len() as i64;
                let place = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length) as usize;
                list(values.get(place(bound(1)?)..place(bound(2)?)).unwrap_or_default().to_vec())
            }
            _ => None,
        }
    }
}
