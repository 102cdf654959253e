//! A convolution, packed for its kernels: depthwise, or matrix products over gathered pixels.

use std::ops::Range;

use super::crew::lock;
use super::executable::{Output, Own, Scratch};
use super::parts::{Cut, Hands, Threads};
use super::sync::Mutex;
use super::{Convolution, Element, Rounding, TensorId, TensorKind, Window, weights};
use crate::kernels::{Depthwise, Filters, Gemm, Kernels, Lines, Matrix, Picture, SLACK};

/// How many bytes of pixels and of results are worked on before the next: most of a first-level cache.
const BLOCK_BYTES: usize = 24 << 10;

/// What blocks of pixels are multiples of, so that kernels that take four or seven at a time have no rest.
const BLOCK_PIXELS: usize = 28;

/// What parts for several threads are multiples of, in pixels.
const PART_PIXELS: usize = 14;

/// What blocks of output channels for several threads are multiples of: half of the widest tile.
const BLOCK_OUTPUTS: usize = 16;

/// From how many times as many weights as results on threads share channels, so that none reads all weights.
const HEAVY: usize = 64;

/// How much longer than a multiply-add of a matrix product one of a depthwise filter takes.
const DEPTHWISE: u64 = 4;

#[derive(Debug)]
pub(super) struct PackedConvolution {
    pub(super) from: TensorId,
    pub(super) to: TensorId,
    zero: u8,
    window: Window,
    /// Input channels of a group.
    group_inputs: usize,
    input: [usize; 4],
    output: [usize; 4],
    element: Element,
    table: Option<Box<[u8; 256]>>,
    kernels: &'static dyn Kernels,
    kernel: Kernel,
    /// In multiply-adds of a matrix product.
    work: u64,
    /// Whether threads share output channels, not pixels.
    by_channels: bool,
}

#[derive(Debug)]
enum Kernel {
    Depthwise(Box<dyn Depthwise>),
    /// Products with rows that lie ready, or are gathered.
    Gemm(Vec<Block>),
    /// The same, over windows as they lie in the picture.
    Windows(Layout, Vec<Block>),
}

/// Some of the output channels: those of a group, or, where threads share them, of a part of it.
#[derive(Debug)]
struct Block {
    gemm: Box<dyn Gemm>,
    /// The first input channel.
    input: usize,
    outputs: Range<usize>,
}

impl PackedConvolution {
    pub(super) fn new(
        step: &Convolution,
        from: &TensorKind,
        to: &TensorKind,
        kernels: &'static dyn Kernels,
        threads: &Threads,
    ) -> PackedConvolution {
        let (inputs, outputs) = (from.shape[3], to.shape[3]);
        let taps: usize = step.window.kernel.iter().product();
        let table = match &step.result {
            Rounding::Byte { table, .. } => table.clone(),
            Rounding::Float => None,
        };
        let bias = step.bias_with_zero();
        let group_inputs = inputs / step.groups;
        let is_depthwise = step.is_depthwise(from, to);
        let products = to.len() as u64 * (taps * group_inputs) as u64;
        let work = if is_depthwise { products * DEPTHWISE } else { products };
        let (kernel, by_channels) = if is_depthwise {
            let filters = Filters {
                channels: outputs,
                taps,
                weights: &step.weights,
                bias: &bias,
                multipliers: &step.multipliers,
                rounding: &step.result,
            };
            (Kernel::Depthwise(kernels.depthwise_in(&filters, &step.window)), false)
        } else {
            let matrix = Matrix {
                rows: outputs,
                columns: taps * group_inputs,
                zero: step.zero,
                weights: &step.weights,
                bias: &bias,
                multipliers: &step.multipliers,
                rounding: &step.result,
            };
            pack_products(step, &matrix, [from.shape, to.shape], kernels, threads.for_work(work))
        };
        PackedConvolution {
            from: step.from,
            to: step.to,
            zero: step.zero,
            window: step.window.clone(),
            group_inputs,
            input: from.shape,
            output: to.shape,
            element: to.element,
            table,
            kernels,
            kernel,
            work,
            by_channels,
        }
    }

    pub(super) fn run(&self, from: &[u8], to: Output<'_>, threads: &Threads, scratch: &mut Scratch) {
        let hands = threads.for_work(self.work);
        match (&self.kernel, to) {
            (Kernel::Depthwise(kernel), Output::Bytes(to)) => self.depthwise(kernel.as_ref(), from, to, hands, scratch),
            (Kernel::Gemm(blocks), to) if self.by_channels => {
                self.channels(blocks, to, hands, &mut scratch.own, |blocks, to| {
                    self.products(blocks, from, 0, to, &mut vec![]);
                });
            }
            (Kernel::Gemm(blocks), to) => {
                let parts = hands.parts(to, PART_PIXELS * self.output[3]);
                hands.each(parts, &mut scratch.own, |(at, mut to), own| {
                    self.products(blocks, from, at * PART_PIXELS, &mut to, &mut own.bytes);
                });
            }
            (Kernel::Windows(layout, blocks), Output::Bytes(to)) => {
                self.windows(layout, blocks, from, to, hands, scratch);
            }
            (Kernel::Depthwise(_) | Kernel::Windows(..), Output::Floats(_)) => {
                unreachable!("floats are made by products")
            }
        }
    }

    fn depthwise(&self, kernel: &dyn Depthwise, from: &[u8], to: &mut [u8], hands: Hands<'_>, scratch: &mut Scratch) {
        let [_, height, width, channels] = self.input;
        let [_, out_height, out_width, _] = self.output;
        let Scratch { shared: padding, own, .. } = scratch;
        padding.clear();
        padding.resize(channels + SLACK, self.zero);
        let row = out_width * channels;
        hands.each(hands.parts(to, row), own, |(first, to), _| {
            for (line, to) in (first..).zip(to.chunks_exact_mut(row)) {
                let bytes = &from[line / out_height * height * width * channels..];
                let picture = Picture { bytes, height, width, padding };
                kernel.row(&picture, line % out_height, to);
                if let Some(table) = &self.table {
                    self.kernels.lookup_in_place(table, to);
                }
            }
        });
    }

    /// Each of the blocks by itself, and its results then to their place. That they are copied, by one thread at a time, takes
    /// a small part of the time in which they are made.
    fn channels(
        &self,
        blocks: &[Block],
        to: Output<'_>,
        hands: Hands<'_>,
        own: &mut [Own],
        multiply: impl Fn(&[Block], &mut Output<'_>) + Sync,
    ) {
        let outputs = self.output[3];
        let pixels = to.len() / outputs;
        let to = Mutex::new(to);
        hands.each(blocks.chunks(1), own, |blocks, Own { bytes, floats, .. }| {
            let channels = span(blocks);
            let length = pixels * channels.len();
            let mut results = match self.element {
                Element::Byte => {
                    bytes.resize(length, 0);
                    Output::Bytes(bytes)
                }
                Element::Float => {
                    floats.resize(length, 0.0);
                    Output::Floats(floats)
                }
            };
            multiply(blocks, &mut results);
            match (results, &mut *lock(&to)) {
                (Output::Bytes(results), Output::Bytes(to)) => put(results, to, channels, outputs),
                (Output::Floats(results), Output::Floats(to)) => put(results, to, channels, outputs),
                _ => unreachable!("results are what their tensor is made of"),
            }
        });
    }

    /// Windows multiplied where they lie: in the picture, or, where they reach beyond it, in a copy with a border.
    fn windows(
        &self,
        layout: &Layout,
        blocks: &[Block],
        from: &[u8],
        to: &mut [u8],
        hands: Hands<'_>,
        scratch: &mut Scratch,
    ) {
        let [_, height, width, channels] = self.input;
        let [_, out_height, out_width, outputs] = self.output;
        let Scratch { shared, own, .. } = scratch;
        for (n, to) in to.chunks_exact_mut(out_height * out_width * outputs).enumerate() {
            let mut picture = &from[n * height * width * channels..];
            if layout.bordered {
                self.copy_with_border(picture, layout, shared, hands, own);
                picture = shared;
            }
            if self.by_channels {
                self.channels(blocks, Output::Bytes(to), hands, own, |blocks, to| {
                    let Output::Bytes(to) = to else { unreachable!("windows make bytes") };
                    self.lines(layout, blocks, picture, 0, to);
                });
            } else {
                hands.each(hands.parts(to, out_width * outputs), own, |(first, to), _| {
                    self.lines(layout, blocks, picture, first, to);
                });
            }
        }
    }

    /// Lines of the result from `first` on, as many as `to` has, and the channels of these blocks alone.
    fn lines(&self, layout: &Layout, blocks: &[Block], picture: &[u8], first: usize, to: &mut [u8]) {
        let channels = self.input[3];
        let [_, out_height, out_width, _] = self.output;
        let outputs = span(blocks);
        let (row, stride) = (out_width * outputs.len(), layout.width * channels * self.window.stride[0]);
        let weights = self.window.kernel.iter().product::<usize>() * self.group_inputs * outputs.len();
        let block = (BLOCK_BYTES.max(weights) / (stride + row)).clamp(1, out_height);
        for (y, to) in (first..).step_by(block).zip(to.chunks_mut(block * row)) {
            let lines =
                Lines { count: to.len() / row, stride, pixels: out_width, step: self.window.stride[1] * channels };
            for block in blocks {
                let to = &mut to[block.outputs.start - outputs.start..];
                block.gemm.lines(&picture[y * stride + block.input..], lines, to, outputs.len());
            }
            if let Some(table) = &self.table {
                self.kernels.lookup_in_place(table, to);
            }
        }
    }

    /// As much of the picture as windows lie on, and what they find around it.
    fn copy_with_border(&self, picture: &[u8], layout: &Layout, to: &mut Vec<u8>, hands: Hands<'_>, own: &mut [Own]) {
        let [_, height, width, channels] = self.input;
        let [top, left] = self.window.pad;
        let line_bytes = layout.width * channels;
        let pixels = width.min(layout.width - left.min(layout.width));
        let length = layout.height * line_bytes;
        to.resize(length + SLACK, 0);
        hands.each(hands.parts(&mut to[..length], line_bytes), own, |(first, to), _| {
            for (y, to) in (first..).zip(to.chunks_exact_mut(line_bytes)) {
                let Some(y) = y.checked_sub(top).filter(|&y| y < height) else {
                    to.fill(self.zero);
                    continue;
                };
                let (before, rest) = to.split_at_mut((left * channels).min(line_bytes));
                let (inside, behind) = rest.split_at_mut(pixels * channels);
                before.fill(self.zero);
                inside.copy_from_slice(&picture[y * width * channels..][..pixels * channels]);
                behind.fill(self.zero);
            }
        });
    }

    /// Pixels of the result from `first` on, as many as `to` has, and the channels of these blocks alone. Block by block of
    /// pixels: gathered, if they don't lie ready, and multiplied.
    fn products(&self, blocks: &[Block], from: &[u8], first: usize, to: &mut Output<'_>, gathered: &mut Vec<u8>) {
        let outputs = span(blocks);
        let columns = self.window.kernel.iter().product::<usize>() * self.group_inputs;
        let pixels = to.len() / outputs.len();
        // Weights that are larger than that are not read again for each block.
        let bytes = BLOCK_BYTES.max(columns * outputs.len());
        let block = (bytes / (columns + outputs.len()) / BLOCK_PIXELS).max(1) * BLOCK_PIXELS;
        let lies_ready = lies_ready(&self.window, self.input, self.output);
        if !lies_ready {
            gathered.resize(gathered.len().max(block.min(pixels) * columns + SLACK), 0);
        }
        for start in (0..pixels).step_by(block) {
            let end = (start + block).min(pixels);
            for block in blocks {
                let (rows, stride) = if lies_ready {
                    (&from[(first + start) * self.input[3] + block.input..], self.input[3])
                } else {
                    self.gather(from, block.input, first + start..first + end, gathered);
                    (&gathered[..], columns)
                };
                let at = start * outputs.len() + block.outputs.start - outputs.start;
                match to {
                    Output::Bytes(to) => block.gemm.bytes(rows, stride, end - start, &mut to[at..], outputs.len()),
                    Output::Floats(to) => block.gemm.floats(rows, stride, end - start, &mut to[at..], outputs.len()),
                }
            }
            if let (Some(table), Output::Bytes(to)) = (&self.table, &mut *to) {
                self.kernels.lookup_in_place(table, &mut to[start * outputs.len()..end * outputs.len()]);
            }
        }
    }

    /// Writes the bytes under the window of each output pixel, one row a pixel, and up to a [`CHUNK`] behind the last.
    fn gather(&self, from: &[u8], first: usize, pixels: Range<usize>, rows: &mut [u8]) {
        let inputs = self.group_inputs;
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

/// Packs products with `matrix`, which has the weights of all groups; and says whether threads share its channels.
fn pack_products(
    step: &Convolution,
    matrix: &Matrix<'_>,
    [input, output]: [[usize; 4]; 2],
    kernels: &'static dyn Kernels,
    hands: Hands<'_>,
) -> (Kernel, bool) {
    let (columns, inputs, outputs) = (matrix.columns, input[3] / step.groups, matrix.rows / step.groups);
    let pack = |channels: Range<usize>, gemm: &dyn Fn(&Matrix<'_>) -> Option<Box<dyn Gemm>>| {
        let gemm = gemm(&Matrix {
            rows: channels.len(),
            weights: &matrix.weights[channels.start * columns..channels.end * columns],
            bias: &matrix.bias[channels.clone()],
            multipliers: &matrix.multipliers[channels.clone()],
            ..*matrix
        })?;
        Some(Block { gemm, input: channels.start / outputs * inputs, outputs: channels })
    };
    let pixels: usize = output[..3].iter().product();
    let by_channels = step.groups == 1 && hands.are_several() && columns >= HEAVY * pixels;
    let lies_ready = lies_ready(&step.window, input, output);
    let layout = Layout::of(&step.window, step.groups, input, output);
    if !lies_ready && step.result != Rounding::Float && layout.is_small_beside(input) {
        let ranges = if by_channels { shares(matrix.rows, hands) } else { groups(matrix.rows, step.groups) };
        let packed = |channels| pack(channels, &|matrix| layout.gemm(kernels, matrix));
        if let Some(blocks) = ranges.into_iter().map(packed).collect() {
            return (Kernel::Windows(layout, blocks), by_channels);
        }
    }
    // What is gathered is gathered once for all channels.
    let by_channels = by_channels && lies_ready;
    let ranges = if by_channels { shares(matrix.rows, hands) } else { groups(matrix.rows, step.groups) };
    let packed = |channels| pack(channels, &|matrix| Some(kernels.gemm(matrix)));
    (Kernel::Gemm(ranges.into_iter().filter_map(packed).collect()), by_channels)
}

/// The output channels of each group.
fn groups(outputs: usize, groups: usize) -> Vec<Range<usize>> {
    let size = outputs / groups;
    (0..groups).map(|group| group * size..(group + 1) * size).collect()
}

/// The output channels of each part for several threads, which take them from both ends: the smallest are in the middle.
fn shares(outputs: usize, hands: Hands<'_>) -> Vec<Range<usize>> {
    let (mut start, mut end) = (0, outputs.div_ceil(BLOCK_OUTPUTS));
    let (mut before, mut behind) = (vec![], vec![]);
    for (number, size) in hands.sizes(end).enumerate() {
        if number % 2 == 0 {
            before.push(start..start + size);
            start += size;
        } else {
            behind.push(end - size..end);
            end -= size;
        }
    }
    let channels = |blocks: Range<usize>| blocks.start * BLOCK_OUTPUTS..outputs.min(blocks.end * BLOCK_OUTPUTS);
    before.into_iter().chain(behind.into_iter().rev()).map(channels).collect()
}

/// The output channels of neighbouring blocks.
fn span(blocks: &[Block]) -> Range<usize> {
    let ends = blocks.first().zip(blocks.last()).map(|(first, last)| first.outputs.start..last.outputs.end);
    ends.unwrap_or_default()
}

/// Puts results of some channels where those of all are.
fn put<T: Copy>(results: &[T], to: &mut [T], channels: Range<usize>, outputs: usize) {
    for (from, to) in results.chunks_exact(channels.len()).zip(to.chunks_exact_mut(outputs)) {
        to[channels.clone()].copy_from_slice(from);
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
    /// Whether each channel has one filter of its own and becomes bytes: all of them are packed together.
    pub(super) fn is_depthwise(&self, from: &TensorKind, to: &TensorKind) -> bool {
        self.groups == from.shape[3] && from.shape[3] == to.shape[3] && self.result != Rounding::Float
    }

    /// The bias less what the zero point adds to every sum; padding has its value, so that all sums have it alike.
    fn bias_with_zero(&self) -> Vec<i32> {
        let columns = self.weights.len() / self.bias.len();
        let zero = i32::from(self.zero);
        let rows = self.weights.chunks_exact(columns);
        self.bias.iter().zip(rows).map(|(&bias, row)| bias.wrapping_sub(zero.wrapping_mul(weights::sum(row)))).collect()
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
        for (case, channels) in (0..if cfg!(miri) { 3 } else { 60 }).zip(CHANNELS.into_iter().cycle()) {
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
                for count in [1, 3] {
                    let threads = Threads::eager(count);
                    let packed = PackedConvolution::new(&step, &from_kind, &to_kind, kernels, &threads);
                    let mut to = vec![0; output.iter().product()];
                    packed.run(&from, Output::Bytes(&mut to), &threads, &mut Scratch::for_threads(count));
                    let name = kernels.name();
                    assert_eq!(to, by_definition(&step, &from, input, output), "{name}, {count} threads, case {case}");
                }
            }
        }
    }
}
