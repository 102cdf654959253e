//! Which tensors of a program share a buffer.

use super::{Element, TensorId, UncheckedProgram};

/// A buffer for each tensor, and the length that each buffer must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BufferPlan {
    pub(crate) of: Vec<usize>,
    pub(crate) lengths: Vec<(Element, usize)>,
}

impl BufferPlan {
    /// Gives every tensor the free buffer that is least too small, or too large, for it. A buffer is free again after the last
    /// step that reads its tensor; the outputs' never are.
    pub(super) fn of(program: &UncheckedProgram) -> BufferPlan {
        let last_use = last_uses(program);
        let mut plan = BufferPlan { of: vec![usize::MAX; program.tensors.len()], lengths: vec![] };
        let mut free: Vec<usize> = vec![];
        for &input in &program.inputs {
            plan.assign(program, input, &mut free);
        }
        for (number, step) in program.steps.iter().enumerate() {
            let output = step.output();
            if plan.of[output.0] == usize::MAX {
                plan.assign(program, output, &mut free);
            }
            let mut ended: Vec<TensorId> = step.inputs();
            ended.push(output);
            ended.sort();
            ended.dedup();
            free.extend(ended.iter().filter(|id| last_use[id.0] == number).map(|id| plan.of[id.0]));
        }
        plan
    }

    /// The bytes of all buffers.
    pub(super) fn bytes(&self) -> u64 {
        self.lengths.iter().map(|&(element, length)| element.bytes_of(length)).sum()
    }

    fn assign(&mut self, program: &UncheckedProgram, tensor: TensorId, free: &mut Vec<usize>) {
        let kind = &program.tensors[tensor.0];
        let length = kind.len();
        let best = (0..free.len())
            .filter(|&at| self.lengths[free[at]].0 == kind.element)
            .min_by_key(|&at| self.lengths[free[at]].1.abs_diff(length));
        let buffer = best.map_or(self.lengths.len(), |at| free.swap_remove(at));
        if buffer == self.lengths.len() {
            self.lengths.push((kind.element, 0));
        }
        self.lengths[buffer].1 = self.lengths[buffer].1.max(length);
        self.of[tensor.0] = buffer;
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
