//! A convolution, packed for its kernels: depthwise, or matrix products over gathered pixels.

use std::ops::Range;

use super::executable::Output;
use super::{Convolution, Rounding, TensorId, TensorKind, Window};
use crate::kernels::{Depthwise, Filters, Gemm, Kernels, Lines, Matrix, Picture, SLACK};

/// How many bytes of pixels and of results are worked on before the next: most of a first-level cache.
const BLOCK_BYTES: usize = 24 << 10;

/// What blocks of pixels are multiples of, so that kernels that take four or seven at a time have no rest.
const BLOCK_PIXELS: usize = 28;

#[derive(Debug)]
pub(super) struct PackedConvolution {
    pub(super) from: TensorId,
    pub(super) to: TensorId,
    zero: u8,
    window: Window,
    input: [usize; 4],
    output: [usize; 4],
    table: Option<Box<[u8; 256]>>,
    kernels: &'static dyn Kernels,
    kernel: Kernel,
}

#[derive(Debug)]
enum Kernel {
    Depthwise(Box<dyn Depthwise>),
    /// One matrix a group.
    Gemm(Vec<Box<dyn Gemm>>),
    /// The same, over windows as they lie in the picture.
    Windows(Layout, Vec<Box<dyn Gemm>>),
}

impl PackedConvolution {
    pub(super) fn new(
        step: &Convolution,
        from: &TensorKind,
        to: &TensorKind,
        kernels: &'static dyn Kernels,
    ) -> PackedConvolution {
        let (inputs, outputs) = (from.shape[3], to.shape[3]);
        let taps: usize = step.window.kernel.iter().product();
        let table = match &step.result {
            Rounding::Byte { table, .. } => table.clone(),
            Rounding::Float => None,
        };
        let bias = step.bias_with_zero();
        let kernel = if step.groups == inputs && inputs == outputs && step.result != Rounding::Float {
            Kernel::Depthwise(kernels.depthwise_in(
                &Filters {
                    channels: outputs,
                    taps,
                    weights: &step.weights,
                    bias: &bias,
                    multipliers: &step.multipliers,
                    rounding: &step.result,
                },
                &step.window,
            ))
        } else {
            let rows = outputs / step.groups;
            let columns = taps * inputs / step.groups;
            let matrix = |group: usize| {
                let outputs = group * rows..(group + 1) * rows;
                Matrix {
                    rows,
                    columns,
                    weights: &step.weights[outputs.start * columns..outputs.end * columns],
                    bias: &bias[outputs.clone()],
                    multipliers: &step.multipliers[outputs],
                    rounding: &step.result,
                }
            };
            let layout = Layout::of(&step.window, step.groups, from.shape, to.shape);
            let in_place = !lies_ready(&step.window, from.shape, to.shape)
                && step.result != Rounding::Float
                && layout.is_small_beside(from.shape);
            let windows = || (0..step.groups).map(|group| layout.gemm(kernels, &matrix(group))).collect::<Option<_>>();
            match in_place.then(windows).flatten() {
                Some(gemms) => Kernel::Windows(layout, gemms),
                None => Kernel::Gemm((0..step.groups).map(|group| kernels.gemm(&matrix(group))).collect()),
            }
        };
        PackedConvolution {
            from: step.from,
            to: step.to,
            zero: step.zero,
            window: step.window.clone(),
            input: from.shape,
            output: to.shape,
            table,
            kernels,
            kernel,
        }
    }

    pub(super) fn run(&self, from: &[u8], to: &mut Output<'_>, scratch: &mut Vec<u8>) {
        match (&self.kernel, to) {
            (Kernel::Depthwise(kernel), Output::Bytes(to)) => self.depthwise(kernel.as_ref(), from, to, scratch),
            (Kernel::Gemm(kernels), to) => self.products(kernels, from, to, scratch),
            (Kernel::Windows(layout, kernels), Output::Bytes(to)) => self.windows(layout, kernels, from, to, scratch),
            (Kernel::Depthwise(_) | Kernel::Windows(..), Output::Floats(_)) => {
                unreachable!("floats are made by products")
            }
        }
    }

    fn depthwise(&self, kernel: &dyn Depthwise, from: &[u8], to: &mut [u8], scratch: &mut Vec<u8>) {
        let [batch, height, width, channels] = self.input;
        let [_, out_height, out_width, _] = self.output;
        scratch.clear();
        scratch.resize(channels + SLACK, self.zero);
        for n in 0..batch {
            let picture = Picture { bytes: &from[n * height * width * channels..], height, width, padding: scratch };
            let rows = to[n * out_height * out_width * channels..].chunks_exact_mut(out_width * channels);
            for (y, row) in rows.take(out_height).enumerate() {
                kernel.row(&picture, &self.window, y, row);
                if let Some(table) = &self.table {
                    self.kernels.lookup_in_place(table, row);
                }
            }
        }
    }

    /// Windows multiplied where they lie: in the picture, or, where they reach beyond it, in a copy with a border.
    fn windows(&self, layout: &Layout, kernels: &[Box<dyn Gemm>], from: &[u8], to: &mut [u8], scratch: &mut Vec<u8>) {
        let [batch, height, width, channels] = self.input;
        let [_, out_height, out_width, outputs] = self.output;
        let line_bytes = layout.width * channels;
        let weights = self.window.kernel.iter().product::<usize>() * channels / kernels.len() * outputs;
        let line_work = line_bytes * self.window.stride[0] + out_width * outputs;
        let block = (BLOCK_BYTES.max(weights) / line_work).clamp(1, out_height);
        for n in 0..batch {
            let picture = &from[n * height * width * channels..];
            if layout.bordered {
                self.copy_with_border(picture, layout, scratch);
            }
            let picture = if layout.bordered { &scratch[..] } else { picture };
            for y in (0..out_height).step_by(block) {
                let count = block.min(out_height - y);
                let lines = Lines {
                    count,
                    stride: line_bytes * self.window.stride[0],
                    pixels: out_width,
                    step: self.window.stride[1] * channels,
                };
                let to = &mut to[(n * out_height + y) * out_width * outputs..][..count * out_width * outputs];
                for (group, kernel) in kernels.iter().enumerate() {
                    let from = &picture[y * lines.stride + group * channels / kernels.len()..];
                    kernel.lines(from, lines, &mut to[group * outputs / kernels.len()..], outputs);
                }
                if let Some(table) = &self.table {
                    self.kernels.lookup_in_place(table, to);
                }
            }
        }
    }

    /// As much of the picture as windows lie on, and what they find around it.
    fn copy_with_border(&self, picture: &[u8], layout: &Layout, to: &mut Vec<u8>) {
        let [_, height, width, channels] = self.input;
        let [top, left] = self.window.pad;
        let line_bytes = layout.width * channels;
        to.resize(layout.height * line_bytes + SLACK, 0);
        for (y, to) in to.chunks_exact_mut(line_bytes).take(layout.height).enumerate() {
            let Some(y) = y.checked_sub(top).filter(|&y| y < height) else {
                to.fill(self.zero);
                continue;
            };
            let pixels = width.min(layout.width - left.min(layout.width));
            let (before, rest) = to.split_at_mut((left * channels).min(line_bytes));
            let (inside, behind) = rest.split_at_mut(pixels * channels);
            before.fill(self.zero);
            inside.copy_from_slice(&picture[y * width * channels..][..pixels * channels]);
            behind.fill(self.zero);
        }
    }

    /// Block by block of pixels: gathered, if they don't lie ready, and multiplied.
    fn products(&self, kernels: &[Box<dyn Gemm>], from: &[u8], to: &mut Output<'_>, scratch: &mut Vec<u8>) {
        let [batch, out_height, out_width, outputs] = self.output;
        let inputs = self.input[3] / kernels.len();
        let columns = self.window.kernel.iter().product::<usize>() * inputs;
        let pixels = batch * out_height * out_width;
        // Weights that are larger than that are not read again for each block.
        let bytes = BLOCK_BYTES.max(columns * outputs);
        let block = (bytes / (columns + outputs) / BLOCK_PIXELS).max(1) * BLOCK_PIXELS;
        let lies_ready = lies_ready(&self.window, self.input, self.output);
        if !lies_ready {
            scratch.resize(block * columns + SLACK, 0);
        }
        let group_outputs = outputs / kernels.len();
        let mut start = 0;
        while start < pixels {
            let end = (start + block).min(pixels);
            for (group, kernel) in kernels.iter().enumerate() {
                let (rows, stride) = if lies_ready {
                    (&from[start * self.input[3] + group * inputs..], self.input[3])
                } else {
                    self.gather(from, group * inputs, inputs, start..end, scratch);
                    (&scratch[..], columns)
                };
                let (at, count) = (start * outputs + group * group_outputs, end - start);
                match to {
                    Output::Bytes(to) => kernel.bytes(rows, stride, count, &mut to[at..], outputs),
                    Output::Floats(to) => kernel.floats(rows, stride, count, &mut to[at..], outputs),
                }
            }
            if let (Some(table), Output::Bytes(to)) = (&self.table, &mut *to) {
                self.kernels.lookup_in_place(table, &mut to[start * outputs..end * outputs]);
            }
            start = end;
        }
    }

    /// Writes the bytes under the window of each output pixel, one row a pixel, and up to a [`CHUNK`] behind the last.
    fn gather(&self, from: &[u8], first: usize, inputs: usize, pixels: Range<usize>, rows: &mut [u8]) {
        let [_, height, width, channels] = self.input;
        let [_, out_height, out_width, _] = self.output;
        let [kernel_height, kernel_width] = self.window.kernel;
        let columns = kernel_height * kernel_width * inputs;
        // Neighbours in the picture are neighbours in the row.
        let by_lines = self.window.dilation[1] == 1 && inputs == channels;
        let mut row = 0;
        let mut pixel = pixels.start;
        while pixel < pixels.end {
            let (line, start) = (pixel / out_width, pixel % out_width);
            let end = out_width.min(start + pixels.end - pixel);
            let (n, y) = (line / out_height, line % out_height);
            let whole_down = self.window.is_inside(0, y, height);
            for x in start..end {
                let to = &mut rows[row..];
                if by_lines && whole_down && self.window.is_inside(1, x, width) {
                    let top = y * self.window.stride[0] - self.window.pad[0];
                    let left = x * self.window.stride[1] - self.window.pad[1];
                    let length = kernel_width * inputs;
                    for tap in 0..kernel_height {
                        let line = n * height + top + tap * self.window.dilation[0];
                        copy_ahead(&from[(line * width + left) * channels..], &mut to[tap * length..], length);
                    }
                } else {
                    self.gather_at(from, first, [n, y, x], &mut to[..columns]);
                }
                row += columns;
            }
            pixel += end - start;
        }
    }

    /// The bytes under the window of one output pixel, some of which may lie in the padding.
    fn gather_at(&self, from: &[u8], first: usize, [n, y, x]: [usize; 3], row: &mut [u8]) {
        let [_, height, width, channels] = self.input;
        let [kernel_height, kernel_width] = self.window.kernel;
        let inputs = row.len() / (kernel_height * kernel_width);
        let dilation = self.window.dilation;
        let (down, top) = self.window.taps(0, y, height);
        let (across, left) = self.window.taps(1, x, width);
        if down.len() < kernel_height || across.len() < kernel_width {
            row.fill(self.zero);
        }
        for tap_y in down {
            let line = n * height + (top + (tap_y * dilation[0]) as isize) as usize;
            for tap_x in across.clone() {
                let x = (left + (tap_x * dilation[1]) as isize) as usize;
                let to = &mut row[(tap_y * kernel_width + tap_x) * inputs..][..inputs];
                to.copy_from_slice(&from[(line * width + x) * channels + first..][..inputs]);
            }
        }
    }
}

/// Whether each output is made of the one pixel at its place. Padding may make outputs of pixels that aren't there.
fn lies_ready(window: &Window, input: [usize; 4], output: [usize; 4]) -> bool {
    window.is_pointwise() && input[..3] == output[..3]
}

/// Where the bytes under a window lie, from its first on.
#[derive(Debug)]
struct Layout {
    /// Whether windows reach beyond the picture, so that they lie on a copy with a border.
    bordered: bool,
    /// The picture's, or the copy's.
    height: usize,
    width: usize,
    /// Bytes that follow one another, and where each run of them starts.
    run: usize,
    runs: Vec<usize>,
}

impl Layout {
    fn of(window: &Window, groups: usize, input: [usize; 4], output: [usize; 4]) -> Layout {
        let [_, height, width, channels] = input;
        let inputs = channels / groups;
        let reach = |axis: usize| {
            (output[1 + axis] - 1) * window.stride[axis] + (window.kernel[axis] - 1) * window.dilation[axis] + 1
        };
        let bordered = window.pad != [0, 0] || reach(0) > height || reach(1) > width;
        let (height, width) = if bordered { (reach(0), reach(1)) } else { (height, width) };
        let lines = (0..window.kernel[0]).map(|tap| tap * window.dilation[0] * width * channels);
        // Neighbours in the picture are neighbours in the window.
        let (run, runs) = if window.dilation[1] == 1 && inputs == channels {
            (window.kernel[1] * inputs, lines.collect())
        } else {
            let places = (0..window.kernel[1]).map(|tap| tap * window.dilation[1] * channels);
            (inputs, lines.flat_map(|line| places.clone().map(move |place| line + place)).collect())
        };
        Layout { bordered, height, width, run, runs }
    }

    /// Whether a copy with a border is not much larger than the picture.
    fn is_small_beside(&self, [_, height, width, _]: [usize; 4]) -> bool {
        self.height * self.width <= 4 * height * width + 1024
    }

    /// The kernel for these windows: each run's weights filled up to whole groups of four.
    fn gemm(&self, kernels: &dyn Kernels, matrix: &Matrix<'_>) -> Option<Box<dyn Gemm>> {
        let filled = self.run.next_multiple_of(4);
        let groups = (0..filled).step_by(4);
        let places: Vec<u32> =
            self.runs.iter().flat_map(|run| groups.clone().map(move |at| (run + at) as u32)).collect();
        let mut weights = vec![0; matrix.rows * self.runs.len() * filled];
        for (to, from) in weights.chunks_exact_mut(filled).zip(matrix.weights.chunks_exact(self.run)) {
            to[..self.run].copy_from_slice(from);
        }
        let columns = self.runs.len() * filled;
        kernels.gemm_at(&Matrix { columns, weights: &weights, ..*matrix }, &places)
    }
}

/// What is copied at once where little is to be copied.
const CHUNK: usize = 16;

/// Copies `length` bytes; where it's no more than a [`CHUNK`], and both have so many, a whole one, whose end is for the next
/// to write over.
fn copy_ahead(from: &[u8], to: &mut [u8], length: usize) {
    match (from.first_chunk::<CHUNK>(), to.first_chunk_mut::<CHUNK>()) {
        (Some(from), Some(to)) if length <= CHUNK => *to = *from,
        _ => to[..length].copy_from_slice(&from[..length]),
    }
}

impl Convolution {
    /// The bias less what the zero point adds to every sum; padding has its value, so that all sums have it alike.
    fn bias_with_zero(&self) -> Vec<i32> {
        let columns = self.weights.len() / self.bias.len();
        let zero = i32::from(self.zero);
        let sums = self.weights.chunks_exact(columns).map(|row| row.iter().map(|&w| i32::from(w)).sum::<i32>());
        self.bias.iter().zip(sums).map(|(&bias, sum)| bias.wrapping_sub(zero.wrapping_mul(sum))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::available;
    use crate::program::Element;

    /// Channels of the pictures below: fewer and more than a chunk holds in a window's line.
    const CHANNELS: [usize; 3] = [1, 3, 7];

    /// The convolution as ONNX defines it, one product after the other, for a bias of 5 and a multiplier of 1/64.
    fn by_definition(step: &Convolution, from: &[u8], input: [usize; 4], output: [usize; 4]) -> Vec<u8> {
        let [_, height, width, channels] = input;
        let ([_, out_height, out_width, outputs], [kernel_height, kernel_width]) = (output, step.window.kernel);
        let mut results = vec![];
        for (y, x, o) in
            (0..out_height).flat_map(|y| (0..out_width).flat_map(move |x| (0..outputs).map(move |o| (y, x, o))))
        {
            let mut sum = 5;
            for (tap_y, tap_x) in (0..kernel_height).flat_map(|y| (0..kernel_width).map(move |x| (y, x))) {
                let place = |axis: usize, at: usize, tap: usize| {
                    (at * step.window.stride[axis] + tap * step.window.dilation[axis])
                        .wrapping_sub(step.window.pad[axis])
                };
                let (row, column) = (place(0, y, tap_y), place(1, x, tap_x));
                if row >= height || column >= width {
                    continue;
                }
                for c in 0..channels {
                    let byte = i32::from(from[(row * width + column) * channels + c]) - i32::from(step.zero);
                    let weight = step.weights[((o * kernel_height + tap_y) * kernel_width + tap_x) * channels + c];
                    sum += byte * i32::from(weight);
                }
            }
            let value = (f64::from(sum) / 64.0).round_ties_even() + 100.0;
            results.push(value.clamp(0.0, 255.0) as u8);
        }
        results
    }

    #[test]
    fn windows_are_gathered_as_onnx_defines_them() {
        for (case, channels) in (0..60).zip(CHANNELS.into_iter().cycle()) {
            let pick = |salt: usize, most: usize| (case * 7 + salt * 5 + case / 3) % (most + 1);
            let window = Window {
                kernel: [1 + pick(0, 3), 1 + pick(1, 3)],
                stride: [1 + pick(2, 2), 1 + pick(3, 1)],
                dilation: [1 + pick(4, 1), 1 + pick(5, 1)],
                pad: [pick(6, 2), pick(7, 2)],
            };
            let input = [1, 9 + pick(8, 3), 8 + pick(9, 4), channels];
            let length = |axis: usize| {
                let reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
                (input[axis + 1] + 2 * window.pad[axis] - reach) / window.stride[axis] + 1
            };
            let output = [1, length(0), length(1), 2];
            let taps = window.kernel[0] * window.kernel[1];
            let step = Convolution {
                from: TensorId(0),
                to: TensorId(1),
                zero: 50,
                groups: 1,
                weights: (0..2 * taps * channels).map(|at| (at * 37 % 61) as i16 - 30).collect(),
                bias: vec![5; 2],
                multipliers: vec![1.0 / 64.0; 2],
                result: Rounding::Byte { zero: 100, least: 0, most: 255, table: None },
                window,
            };
            let bytes = input.iter().product::<usize>();
            let from: Vec<u8> = (0..bytes + SLACK).map(|at| (at * at % 251) as u8).collect();
            let [from_kind, to_kind] = [input, output].map(|shape| TensorKind { element: Element::Byte, shape });
            for kernels in available() {
                let packed = PackedConvolution::new(&step, &from_kind, &to_kind, kernels);
                let mut to = vec![0; output.iter().product()];
                packed.run(&from, &mut Output::Bytes(&mut to), &mut vec![]);
                assert_eq!(to, by_definition(&step, &from, input, output), "{}, case {case}", kernels.name());
            }
        }
    }
}
