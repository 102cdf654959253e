//! Descriptions of a program's steps, for people: `bedside inspect` and `bedside bench --profile` print them.

use std::fmt::Write as _;

use crate::program::{Convolution, Program, Step};

/// A description of one step of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The operation in words, such as `convolution 3×3, stride 2, each channel by itself`. The text is for people: it
    /// may change between versions. Its first word is the kind of the step.
    pub operation: String,
    /// The name of the tensor of the graph that the step computes, or that it computes a part of or an intermediate
    /// result for.
    pub tensor: String,
    /// The shape of the step's output: batch, height, width, channels.
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
