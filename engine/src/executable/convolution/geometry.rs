//! The shapes of a convolution.

use crate::arithmetic::Window;

/// How the windows of a convolution lie over its input.
#[derive(Debug)]
pub(super) struct Geometry {
    pub(super) window: Window,
    /// The input's zero point, which is the value of the padding.
    pub(super) zero_point: u8,
    /// Input channels of a group.
    pub(super) group_inputs: usize,
    /// Batch, height, width and channels of the input.
    pub(super) input: [usize; 4],
    /// The same of the output.
    pub(super) output: [usize; 4],
}

impl Geometry {
    pub(super) fn taps(&self) -> usize {
        self.window.kernel.iter().product()
    }

    /// The inputs of one output: the columns of the matrix product.
    pub(super) fn columns(&self) -> usize {
        self.taps() * self.group_inputs
    }

    /// Whether each output is computed from the one input pixel at its own position, so that rows of the product are pixels
    /// of the input. Padding may make a pointwise convolution's output larger than its input.
    pub(super) fn is_direct(&self) -> bool {
        self.window.is_pointwise() && self.input[..3] == self.output[..3]
    }

    /// Whether neighbours along a line of the input are neighbours in a row of the product.
    pub(super) fn has_whole_lines(&self) -> bool {
        self.window.dilation[1] == 1 && self.group_inputs == self.input[3]
    }
}
