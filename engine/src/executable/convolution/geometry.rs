//! The geometry of a convolution: its window and the shapes of its input and output.

use crate::arithmetic::Window;

/// How the windows of a convolution lie over its input.
#[derive(Debug)]
pub(super) struct Geometry {
    pub(super) window: Window,
    /// The input's zero point, which is the value of the padding.
    pub(super) zero_point: u8,
    /// The number of input channels of a group.
    pub(super) group_inputs: usize,
    /// The shape of the input: batch, height, width, channels.
    pub(super) input: [usize; 4],
    /// The shape of the output, in the same order.
    pub(super) output: [usize; 4],
}

impl Geometry {
    /// The number of taps of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.window.kernel.iter().product()
    }

    /// The number of input bytes of one output: the columns of the matrix product.
    pub(super) fn columns(&self) -> usize {
        self.taps() * self.group_inputs
    }

    /// Whether each output pixel is computed from the input pixel at the same position, so that the rows of the product
    /// are the pixels of the input. Padding at the end can make a pointwise convolution's output larger than its input.
    pub(super) fn is_direct(&self) -> bool {
        self.window.is_pointwise() && self.input[..3] == self.output[..3]
    }

    /// Whether the taps of one line of the kernel read contiguous bytes of the input.
    pub(super) fn has_whole_lines(&self) -> bool {
        self.window.dilation[1] == 1 && self.group_inputs == self.input[3]
    }
}
