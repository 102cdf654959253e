//! What the steps of a program are, for people.

use std::fmt::Write as _;

use crate::program::{Convolution, Program, Step};

/// One step of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The operation, such as `convolution 3×3, each channel by itself`.
    pub operation: String,
    /// The tensor of the graph that the step computes, or computes a part of.
    pub tensor: String,
    /// The output's batch, height, width and channels.
    pub shape: [usize; 4],
}

impl Description {
    pub(super) fn of(program: &Program, step: &Step) -> Description {
        let mut operation = step.operation().to_owned();
        if let Step::Convolution(Convolution { window, groups, from, .. }) = step {
            let [height, width] = window.kernel;
            let _ = write!(operation, " {height}×{width}");
            if window.stride != [1, 1] {
                let _ = write!(operation, ", stride {}", window.stride[0].max(window.stride[1]));
            }
            match *groups {
                1 => {}
                groups if groups == program.tensors[from.0].shape[3] => operation.push_str(", each channel by itself"),
                groups => {
                    let _ = write!(operation, ", {groups} groups");
                }
            }
        }
        let to = step.output().0;
        Description { operation, tensor: program.names[to].clone(), shape: program.tensors[to].shape }
    }
}
