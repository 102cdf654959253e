//! The indirection buffer of the depthwise kernels that go tap by tap.

use crate::arithmetic::Window;
use crate::kernels::DepthwiseInput;

/// The maximum number of taps: the 49 of a 7×7 kernel, rounded up to an even number.
pub(super) const MAX_TAPS: usize = 50;

/// The addresses of the input pixels under the taps of one output pixel after another, along a line of the output.
pub(super) struct Taps<'a> {
    input: &'a DepthwiseInput<'a>,
    window: &'a Window,
    channels: usize,
    /// The line of the output.
    y: usize,
    /// The number of taps.
    count: usize,
    /// For each tap, the input pixel under it, or the pixel of the padding. Entries beyond the taps are the padding.
    pixels: [*const u8; MAX_TAPS],
    /// The distance in bytes that each tap moves from one output to the next.
    steps: [usize; MAX_TAPS],
    /// Whether all taps of the current output lie inside the input horizontally.
    is_inside: bool,
}

impl<'a> Taps<'a> {
    /// The taps of line `y` of the output. [`DepthwiseInput::check`] must hold for these channels, the window and `y`.
    /// Its window has at most [`MAX_TAPS`] taps.
    #[inline]
    pub(super) fn new(input: &'a DepthwiseInput<'a>, window: &'a Window, channels: usize, y: usize) -> Taps<'a> {
        let pixels = [input.padding.as_ptr(); MAX_TAPS];
        let count = window.kernel[0] * window.kernel[1];
        Taps { input, window, channels, y, count, pixels, steps: [0; MAX_TAPS], is_inside: false }
    }

    /// The addresses for output pixel `x`, an even number of them: where the number of taps is odd, the padding's is
    /// the last. Calls go from the first pixel of the line to its last, one by one.
    ///
    /// Each address is that of a pixel, of the input or of the padding: it is taken from a slice that begins there.
    /// Where it moves on by a step, all taps of this output lie inside the input horizontally, as those of the previous
    /// output did, in the same lines. So behind each there are the bytes of all channels, and those that
    /// [`DepthwiseInput::check`] found behind them.
    #[inline]
    pub(super) fn at(&mut self, x: usize) -> &[*const u8] {
        let was_inside = self.is_inside;
        self.is_inside = self.window.is_inside(1, x, self.input.width);
        if was_inside && self.is_inside {
            for (pixel, step) in self.pixels[..self.count].iter_mut().zip(&self.steps) {
                *pixel = pixel.wrapping_add(*step);
            }
        } else {
            self.locate(x);
        }
        &self.pixels[..self.count.next_multiple_of(2)]
    }

    /// Finds the pixel under each tap of output pixel `x`, and its distance to the one under the same tap of the next.
    fn locate(&mut self, x: usize) {
        let Taps { input, window, channels, .. } = *self;
        let ((down, top), (across, left)) = (window.taps(0, self.y, input.height), window.taps(1, x, input.width));
        let [kernel_height, kernel_width] = window.kernel;
        for tap_y in 0..kernel_height {
            for tap_x in 0..kernel_width {
                let tap = tap_y * kernel_width + tap_x;
                (self.pixels[tap], self.steps[tap]) = if down.contains(&tap_y) && across.contains(&tap_x) {
                    let y = window.position(0, top, tap_y);
                    let x = window.position(1, left, tap_x);
                    (input.bytes[(y * input.width + x) * channels..].as_ptr(), window.stride[1] * channels)
                } else {
                    (input.padding.as_ptr(), 0)
                };
            }
        }
    }
}
