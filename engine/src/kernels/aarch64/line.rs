//! The part of a depthwise convolution's input that the windows of one output line lie over.

use std::array::from_fn;

use crate::arithmetic::Window;
use crate::kernels::DepthwiseInput;

/// The `N` rows that windows of `N` rows, with a vertical dilation of 1, lie over. [`DepthwiseInput::check`] has
/// accepted the input: there are [`TAIL_PADDING`](crate::kernels::TAIL_PADDING) bytes behind all channels of each
/// pixel, and of the padding.
pub(super) struct Line<'a, const N: usize> {
    /// For each row the address of its first pixel, and the bytes from one pixel to the next. A row outside of the
    /// input is the padding's pixel with a step of 0.
    pub(super) rows: [(*const u8, usize); N],
    /// A pixel of the padding.
    padding: &'a [u8],
    /// Pixels of a row of the input.
    width: usize,
    /// Columns of padding left of the input.
    pub(super) pad: usize,
    /// The window's horizontal stride, in pixels.
    pub(super) stride: usize,
}

impl<const N: usize> Line<'_, N> {
    /// The part of the input under the windows of output line `y`.
    pub(super) fn new<'a>(input: &DepthwiseInput<'a>, window: &Window, y: usize, channels: usize) -> Line<'a, N> {
        let (down, top) = window.taps(0, y, input.height);
        let row = |tap: usize| {
            if !down.contains(&tap) {
                return (input.padding.as_ptr(), 0);
            }
            let y = (top + tap as isize) as usize;
            (input.bytes[y * input.width * channels..].as_ptr(), channels)
        };
        Line {
            rows: from_fn(row),
            padding: input.padding,
            width: input.width,
            pad: window.pad[1],
            stride: window.stride[1],
        }
    }

    /// Loads the column that is `at` columns right of the first window's first column. A column outside of the input is
    /// padding. `load` gets the address of channel `first` of each pixel of the column. Where `first` is below the
    /// number of channels, 16 bytes from each address on are readable.
    #[inline(always)]
    pub(super) fn column<C>(&self, at: usize, first: usize, load: impl Fn([*const u8; N]) -> C) -> C {
        let x = at.wrapping_sub(self.pad);
        if x < self.width {
            load(self.rows.map(|(row, step)| row.wrapping_add(x * step + first)))
        } else {
            load([self.padding[first..].as_ptr(); N])
        }
    }

    /// The number of windows of `N` columns, from the first on, whose last column is not right of the input.
    pub(super) fn ending_inside(&self) -> usize {
        (self.width + self.pad).saturating_sub(N - 1).div_ceil(self.stride)
    }
}
