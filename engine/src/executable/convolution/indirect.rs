//! Windows multiplied where they lie: an indirection buffer says at which offset from a window's first byte each group of
//! four inputs starts. Windows that reach into the padding lie on a copy of the input that has the padding.

use super::blocks::{self, Block};
use super::geometry::Geometry;
use crate::executable::workspace::ThreadScratch;
use crate::kernels::{Gemm, Kernels, Lines, Matrix, TAIL_PADDING};
use crate::threads::StepThreads;

/// The inputs under a window, as they lie in memory.
#[derive(Debug)]
pub(super) struct WindowLayout {
    /// Whether windows reach beyond the input, and so lie on a padded copy of it.
    pub(super) is_padded: bool,
    /// Those of the input, or of its padded copy.
    height: usize,
    width: usize,
    /// How many bytes lie in one piece, and the offset of each such piece.
    run: usize,
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

    /// Whether a padded copy is not much larger than the input.
    pub(super) fn is_small_beside(&self, [_, height, width, _]: [usize; 4]) -> bool {
        self.height * self.width <= 4 * height * width + 1024
    }

    /// Packs `matrix` for these windows: the weights of each run are filled up with zeros to whole groups of four. None where
    /// the kernels have no indirect product.
    pub(super) fn gemm(&self, kernels: &dyn Kernels, matrix: &Matrix<'_>) -> Option<Box<dyn Gemm>> {
        let filled = self.run.next_multiple_of(4);
        let groups = (0..filled).step_by(4);
        let offsets: Vec<u32> =
            self.runs.iter().flat_map(|run| groups.clone().map(move |at| (run + at) as u32)).collect();
        let mut weights = vec![0; matrix.rows * self.runs.len() * filled];
        for (to, from) in weights.chunks_exact_mut(filled).zip(matrix.weights.chunks_exact(self.run)) {
            to[..self.run].copy_from_slice(from);
        }
        let columns = self.runs.len() * filled;
        kernels.indirect_gemm(&Matrix { columns, weights: &weights, ..*matrix }, &offsets)
    }

    /// Copies as much of an image as windows lie on, with the padding around it.
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
                let (inside, behind) = others.split_at_mut(pixels * channels);
                before.fill(zero_point);
                inside.copy_from_slice(&image[y * width * channels..][..pixels * channels]);
                behind.fill(zero_point);
            }
        });
    }

    /// Computes lines of the output, from line `first` of an image on and as many as `to` has, for the channels of these
    /// blocks. `cache` is how many bytes of the input and the output are worked on at a time; `done` is called with each such
    /// piece of the output.
    pub(super) fn multiply(
        &self,
        geometry: &Geometry,
        blocks: &[Block],
        (image, first): (&[u8], usize),
        to: &mut [u8],
        (cache, done): (usize, impl Fn(&mut [u8])),
    ) {
        let channels = geometry.input[3];
        let [_, out_height, out_width, _] = geometry.output;
        let outputs = blocks::channels(blocks);
        let [down, across] = geometry.window.stride;
        let (row, stride) = (out_width * outputs.len(), self.width * channels * down);
        let weights = geometry.columns() * outputs.len();
        let lines = (cache.max(weights) / (stride + row)).clamp(1, out_height);
        for (y, to) in (first..).step_by(lines).zip(to.chunks_mut(lines * row)) {
            let lines = Lines { count: to.len() / row, stride, pixels: out_width, step: across * channels };
            for block in blocks {
                let to = &mut to[block.outputs.start - outputs.start..];
                block.gemm.lines(&image[y * stride + block.input..], lines, to, outputs.len());
            }
            done(to);
        }
    }
}
