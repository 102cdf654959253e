//! The assignment of a program's tensors to buffers. Tensors whose lifetimes do not overlap share one. The buffers
//! themselves are those of a workspace (`executable/workspace.rs`).

use super::{Element, TensorId, UncheckedProgram};

/// The buffer of each tensor, and the length of each buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BufferPlan {
    /// The index of each tensor's buffer; `usize::MAX` for a tensor that is no input and that no step writes.
    pub(crate) buffer_of: Vec<usize>,
    /// The element type of each buffer, and its length in elements, without tail padding.
    pub(crate) lengths: Vec<(Element, usize)>,
}

impl BufferPlan {
    /// Assigns each tensor the free buffer of its element type whose length is closest to its own, which grows where it
    /// is shorter, or a new one. A buffer is free again after the last step that reads or writes its tensor; the
    /// buffers of outputs stay taken.
    pub(super) fn of(program: &UncheckedProgram) -> BufferPlan {
        let last_use = last_uses(program);
        let mut plan = BufferPlan { buffer_of: vec![usize::MAX; program.tensors.len()], lengths: vec![] };
        let mut free: Vec<usize> = vec![];
        for &input in &program.inputs {
            plan.assign(program, input, &mut free);
        }
        for (number, step) in program.steps.iter().enumerate() {
            let output = step.output();
            if plan.buffer_of[output.0] == usize::MAX {
                plan.assign(program, output, &mut free);
            }
            let mut ended: Vec<TensorId> = step.inputs();
            ended.push(output);
            ended.sort();
            ended.dedup();
            free.extend(ended.iter().filter(|id| last_use[id.0] == number).map(|id| plan.buffer_of[id.0]));
        }
        plan
    }

    /// The size of all buffers, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.lengths.iter().map(|&(element, length)| element.bytes_of(length)).sum()
    }

    /// Takes a buffer for a tensor from `free`, or makes one.
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
        self.buffer_of[tensor.0] = buffer;
    }
}

/// The number of the last step that reads or writes each tensor. For outputs, which must outlive all steps, and for
/// tensors of no step it is `usize::MAX`.
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
