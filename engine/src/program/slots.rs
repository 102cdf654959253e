//! Which tensors of a program share memory.

use super::{Element, TensorId, UncheckedProgram};

/// A slot for each tensor, and the length that each slot must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Slots {
    pub(super) of: Vec<usize>,
    pub(super) lengths: Vec<(Element, usize)>,
}

impl Slots {
    /// Gives every tensor the free slot that is least too small, or too large, for it. A slot is free again after the last
    /// step that reads its tensor; the outputs' never are.
    pub(super) fn of(program: &UncheckedProgram) -> Slots {
        let last_use = last_uses(program);
        let mut slots = Slots { of: vec![usize::MAX; program.tensors.len()], lengths: vec![] };
        let mut free: Vec<usize> = vec![];
        for &input in &program.inputs {
            slots.assign(program, input, &mut free);
        }
        for (number, step) in program.steps.iter().enumerate() {
            let output = step.output();
            if slots.of[output.0] == usize::MAX {
                slots.assign(program, output, &mut free);
            }
            let mut ended: Vec<TensorId> = step.inputs();
            ended.push(output);
            ended.sort();
            ended.dedup();
            free.extend(ended.iter().filter(|id| last_use[id.0] == number).map(|id| slots.of[id.0]));
        }
        slots
    }

    /// What all slots take together.
    pub(super) fn bytes(&self) -> u64 {
        self.lengths.iter().map(|&(element, length)| element.bytes_of(length)).sum()
    }

    fn assign(&mut self, program: &UncheckedProgram, tensor: TensorId, free: &mut Vec<usize>) {
        let kind = &program.tensors[tensor.0];
        let length = kind.len();
        let best = (0..free.len())
            .filter(|&at| self.lengths[free[at]].0 == kind.element)
            .min_by_key(|&at| self.lengths[free[at]].1.abs_diff(length));
        let slot = best.map_or(self.lengths.len(), |at| free.swap_remove(at));
        if slot == self.lengths.len() {
            self.lengths.push((kind.element, 0));
        }
        self.lengths[slot].1 = self.lengths[slot].1.max(length);
        self.of[tensor.0] = slot;
    }
}

/// The number of the last step that touches each tensor.
fn last_uses(program: &UncheckedProgram) -> Vec<usize> {
    let mut last = vec![usize::MAX; program.tensors.len()];
    for (number, step) in program.steps.iter().enumerate() {
        for id in step.inputs().into_iter().chain([step.output()]) {
            last[id.0] = number;
        }
    }
    for (id, _) in &program.outputs {
        last[id.0] = usize::MAX;
    }
    last
}
