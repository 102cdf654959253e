//! Convolutions by indirect GEMM: windows are multiplied in place. An indirection buffer holds the offset of each group
//! of four inputs from the window's first byte. The buffer is the same for all windows. Where windows reach into
//! padding, they are read from a padded copy of the input.

use super::blocks::{self, ChannelBlock};
use super::geometry::Geometry;
use crate::executable::workspace::ThreadScratch;
use crate::kernels::{Gemm, Kernels, Lines, Matrix, TAIL_PADDING};
use crate::threads::StepThreads;

/// The layout in memory of the inputs under a window.
#[derive(Debug)]
pub(super) struct WindowLayout {
    /// Whether windows reach beyond the input, so that they are read from a padded copy of it.
    pub(super) is_padded: bool,
    /// The height and width of the input, or of its padded copy.
    height: usize,
    width: usize,
    /// The length of each contiguous run of inputs, in bytes: a line of the kernel, or the group's channels of one tap.
    run: usize,
    /// The offset of each run from the window's first byte.
    runs: Vec<usize>,
}

impl WindowLayout {
    pub(super) fn new(geometry: &Geometry) -> WindowLayout {
        let Geometry { window, output, group_inputs, .. } = geometry;
        let [_, height, width, channels] = geometry.input;
        let reach = |axis: usize| {
            (output[1 + axis] - 1) * window.stride[axis] + (window.kernel[axis] - 1) * window.dilation[axis] + 1
        };
        let is_padded = window.pad != [0, 0] || reach(0) > height || reach(1) > width;
        let (height, width) = if is_padded { (reach(0), reach(1)) } else { (height, width) };
        let lines = (0..window.kernel[0]).map(|tap| tap * window.dilation[0] * width * channels);
        let (run, runs) = if geometry.has_whole_lines() {
            (window.kernel[1] * group_inputs, lines.collect())
        } else {
            let taps = (0..window.kernel[1]).map(|tap| tap * window.dilation[1] * channels);
            (*group_inputs, lines.flat_map(|line| taps.clone().map(move |tap| line + tap)).collect())
        };
        WindowLayout { is_padded, height, width, run, runs }
    }

    /// Whether the padded copy of an input of this shape has at most 4 times as many pixels as it, and 1024 more.
    pub(super) fn has_little_padding(&self, [_, height, width, _]: [usize; 4]) -> bool {
        self.height * self.width <= 4 * height * width + 1024
    }

    /// Packs `matrix` for windows of this layout. The weights of each run are padded with zeros to a multiple of four.
    /// The bytes under these zeros are those that follow the run in the image or in its tail padding. Returns None
    /// where the kernels have no indirect GEMM.
    pub(super) fn gemm(&self, kernels: &dyn Kernels, matrix: &Matrix<'_>) -> Option<Box<dyn Gemm>> {
        let padded = self.run.next_multiple_of(4);
        let groups = (0..padded).step_by(4);
        let offsets: Vec<u32> =
            self.runs.iter().flat_map(|run| groups.clone().map(move |at| (run + at) as u32)).collect();
        let mut weights = vec![0; matrix.rows * self.runs.len() * padded];
        for (to, from) in weights.chunks_exact_mut(padded).zip(matrix.weights.chunks_exact(self.run)) {
            to[..self.run].copy_from_slice(from);
        }
        let columns = self.runs.len() * padded;
        kernels.indirect_gemm(&Matrix { columns, weights: &weights, ..*matrix }, &offsets)
    }

    /// Writes the padded copy of an image to `to`, which gets [`TAIL_PADDING`] more bytes.
    pub(super) fn pad(
        &self,
        geometry: &Geometry,
        image: &[u8],
        to: &mut Vec<u8>,
        threads: StepThreads<'_>,
        scratch: &mut [ThreadScratch],
    ) {
        let Geometry { zero_point, .. } = *geometry;
        let [_, height, width, channels] = geometry.input;
        let [top, left] = geometry.window.pad;
        let line_bytes = self.width * channels;
        // Pixels of each line of the image that windows reach.
        let pixels = width.min(self.width - left.min(self.width));
        let length = self.height * line_bytes;
        to.resize(length + TAIL_PADDING, 0);
        threads.for_each(threads.parts(&mut to[..length], line_bytes), scratch, |(first, to), _| {
            for (y, to) in (first..).zip(to.chunks_exact_mut(line_bytes)) {
                let Some(y) = y.checked_sub(top).filter(|&y| y < height) else {
                    to.fill(zero_point);
                    continue;
                };
                let (before, others) = to.split_at_mut((left * channels).min(line_bytes));
                let (inside, after) = others.split_at_mut(pixels * channels);
                before.fill(zero_point);
                inside.copy_from_slice(&image[y * width * channels..][..pixels * channels]);
                after.fill(zero_point);
            }
        });
    }

    /// Computes lines of an image's output, from line `first` on, for the channels of these blocks. `to` holds the
    /// lines, dense. They are computed in pieces of about `cache` bytes of input and output together, or as many as
    /// there are weights where that is more. `done` is called with each piece of the output.
    pub(super) fn multiply(
        &self,
        geometry: &Geometry,
        blocks: &[ChannelBlock],
        (image, first): (&[u8], usize),
        to: &mut [u8],
        (cache, done): (usize, impl Fn(&mut [u8])),
    ) {
        let channels = geometry.input[3];
        let [_, out_height, out_width, _] = geometry.output;
        let outputs = blocks::channels(blocks);
        let [stride_height, stride_width] = geometry.window.stride;
        let (row, stride) = (out_width * outputs.len(), self.width * channels * stride_height);
        let weights = geometry.columns() * outputs.len();
        let lines = (cache.max(weights) / (stride + row)).clamp(1, out_height);
        for (y, to) in (first..).step_by(lines).zip(to.chunks_mut(lines * row)) {
            let lines = Lines { count: to.len() / row, stride, pixels: out_width, step: stride_width * channels };
            for block in blocks {
                let to = &mut to[block.outputs.start - outputs.start..];
                block.gemm.lines(&image[y * stride + block.input..], lines, to, outputs.len());
            }
            done(to);
        }
    }
}
