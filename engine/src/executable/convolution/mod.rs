//! Convolutions, packed for the kernels: depthwise, or as matrix products. This module chooses among the ways, and cuts
//! a step into parts for threads and into pieces for the cache; the kernels multiply.
//!
//! The rows of a product are the pixels of the input where the convolution is pointwise (direct), windows that are read
//! in place where the kernels have an indirect GEMM (`indirect.rs`), and copies of windows elsewhere (`im2col.rs`).

mod blocks;
mod geometry;
mod im2col;
mod indirect;
#[cfg(test)]
mod tests;

use blocks::ChannelBlock;
use geometry::Geometry;
use im2col::im2col;
use indirect::WindowLayout;

use super::work;
use super::workspace::{Output, Scratch};
use crate::arithmetic::OutputStage;
use crate::kernels::{Depthwise, DepthwiseInput, DepthwiseWeights, Gemm, Kernels, Matrix, TAIL_PADDING};
use crate::program::{Convolution, Element, TensorId, TensorType, weights};
use crate::threads::{Split as _, StepThreads, Threads};

/// How many bytes of rows and outputs are processed at a time: most of a first-level cache.
const CACHE_BYTES: usize = 24 << 10;

/// Blocks of rows have multiples of this many rows, so that tiles of 4, 7 and 14 rows leave no remainder.
const BLOCK_ROWS: usize = 28;

/// Parts for threads have multiples of this many pixels: the rows of the tallest tile, that of AVX-512 with VNNI, and
/// of two tiles of seven rows.
const PART_PIXELS: usize = 14;

/// The minimum ratio of weights to output elements at which the output channels are divided among threads instead of
/// the pixels, so that no thread reads all weights.
const WEIGHTS_FOR_EACH_OUTPUT: usize = 64;

/// A convolution with its weights packed for the kernels.
#[derive(Debug)]
pub(super) struct PackedConvolution {
    pub(super) from: TensorId,
    pub(super) to: TensorId,
    geometry: Geometry,
    /// The element type of the output.
    element: Element,
    /// The table of the output stage, which kernels leave to this module.
    table: Option<Box<[u8; 256]>>,
    kernels: &'static dyn Kernels,
    weights: PackedWeights,
    /// The cost of the step, in multiply-adds of a matrix product.
    work: u64,
    /// Whether output channels are divided among threads, and not pixels.
    by_channels: bool,
}

/// The packed weights, for one of the algorithms.
#[derive(Debug)]
enum PackedWeights {
    Depthwise(Box<dyn Depthwise>),
    /// For rows that are contiguous: pixels of the input, or rows of im2col.
    Gemm(Vec<ChannelBlock>),
    /// For windows that are read in place.
    Indirect(WindowLayout, Vec<ChannelBlock>),
}

impl PackedConvolution {
    /// Packs a convolution from a tensor of kind `from` to one of kind `to`. `threads` are those that will run it.
    pub(super) fn new(
        step: &Convolution,
        from: &TensorType,
        to: &TensorType,
        kernels: &'static dyn Kernels,
        threads: &Threads,
    ) -> PackedConvolution {
        let geometry = Geometry {
            window: step.window.clone(),
            zero_point: step.zero_point,
            group_inputs: from.shape[3] / step.groups,
            input: from.shape,
            output: to.shape,
        };
        let table = match &step.output_stage {
            OutputStage::Byte { table, .. } => table.clone(),
            OutputStage::Float => None,
        };
        let is_depthwise = step.is_depthwise(from, to);
        let products = to.len() as u64 * geometry.columns() as u64;
        let work = if is_depthwise { products * work::DEPTHWISE } else { products };
        let (weights, by_channels) = if is_depthwise {
            (PackedWeights::Depthwise(pack_depthwise(step, &geometry, kernels)), false)
        } else {
            pack_products(step, &geometry, kernels, threads.for_work(work))
        };
        PackedConvolution {
            from: step.from,
            to: step.to,
            geometry,
            element: to.element,
            table,
            kernels,
            weights,
            work,
            by_channels,
        }
    }

    /// Computes the output. `from` has [`TAIL_PADDING`] bytes after the input, and `to` is as long as the output.
    pub(super) fn run(&self, from: &[u8], to: Output<'_>, threads: &Threads, scratch: &mut Scratch) {
        let threads = threads.for_work(self.work);
        let outputs = self.geometry.output[3];
        match (&self.weights, to) {
            (PackedWeights::Depthwise(kernel), Output::Bytes(to)) => {
                self.depthwise(kernel.as_ref(), from, to, threads, scratch);
            }
            (PackedWeights::Gemm(blocks), to) if self.by_channels => {
                let to = (to, self.element, outputs);
                // Only direct products are divided by channels, so the rows of im2col stay empty.
                blocks::for_each(blocks, to, threads, &mut scratch.per_thread, |blocks, to| {
                    self.multiply(blocks, from, 0, to, &mut vec![]);
                });
            }
            (PackedWeights::Gemm(blocks), to) => {
                let parts = threads.parts(to, PART_PIXELS * outputs);
                threads.for_each(parts, &mut scratch.per_thread, |(at, mut to), scratch| {
                    self.multiply(blocks, from, at * PART_PIXELS, &mut to, &mut scratch.bytes);
                });
            }
            (PackedWeights::Indirect(layout, blocks), Output::Bytes(to)) => {
                self.indirect((layout, blocks), from, to, threads, scratch);
            }
            (PackedWeights::Depthwise(_) | PackedWeights::Indirect(..), Output::Floats(_)) => {
                unreachable!("only direct products and im2col give floats")
            }
        }
    }

    /// Computes a depthwise convolution, line by line.
    fn depthwise(
        &self,
        kernel: &dyn Depthwise,
        from: &[u8],
        to: &mut [u8],
        threads: StepThreads<'_>,
        scratch: &mut Scratch,
    ) {
        let [_, height, width, channels] = self.geometry.input;
        let [_, out_height, out_width, _] = self.geometry.output;
        let Scratch { shared: padding, per_thread, .. } = scratch;
        padding.clear();
        padding.resize(channels + TAIL_PADDING, self.geometry.zero_point);
        let row = out_width * channels;
        threads.for_each(threads.parts(to, row), per_thread, |(first, to), _| {
            for (line, to) in (first..).zip(to.chunks_exact_mut(row)) {
                let bytes = &from[line / out_height * height * width * channels..];
                let input = DepthwiseInput { bytes, height, width, padding };
                kernel.row(&input, line % out_height, to);
                self.look_up(to);
            }
        });
    }

    /// Computes a convolution by indirect GEMM, image by image.
    fn indirect(
        &self,
        (layout, blocks): (&WindowLayout, &[ChannelBlock]),
        from: &[u8],
        to: &mut [u8],
        threads: StepThreads<'_>,
        scratch: &mut Scratch,
    ) {
        let geometry = &self.geometry;
        let [_, height, width, channels] = geometry.input;
        let [_, out_height, out_width, outputs] = geometry.output;
        let Scratch { shared, per_thread, .. } = scratch;
        let finish = (CACHE_BYTES, |to: &mut [u8]| self.look_up(to));
        for (n, to) in to.chunks_exact_mut(out_height * out_width * outputs).enumerate() {
            let mut image = &from[n * height * width * channels..];
            if layout.is_padded {
                layout.pad(geometry, image, shared, threads, per_thread);
                image = shared;
            }
            if self.by_channels {
                let to = (Output::Bytes(to), self.element, outputs);
                blocks::for_each(blocks, to, threads, per_thread, |blocks, to| {
                    let Output::Bytes(to) = to else { unreachable!("indirect products give bytes") };
                    layout.multiply(geometry, blocks, (image, 0), to, finish);
                });
            } else {
                threads.for_each(threads.parts(to, out_width * outputs), per_thread, |(first, to), _| {
                    layout.multiply(geometry, blocks, (image, first), to, finish);
                });
            }
        }
    }

    /// Computes pixels of the output, counted over all images, from pixel `first` on, for the channels of these blocks.
    /// `to` holds the pixels, dense. `im2col_rows` is scratch memory, which direct products do not use.
    fn multiply(
        &self,
        blocks: &[ChannelBlock],
        from: &[u8],
        first: usize,
        to: &mut Output<'_>,
        im2col_rows: &mut Vec<u8>,
    ) {
        let inputs = self.geometry.input[3];
        let outputs = blocks::channels(blocks);
        let columns = self.geometry.columns();
        let pixels = to.len() / outputs.len();
        // Where the weights exceed the cache, a block of rows takes as many bytes as they do, so that weights are read
        // less often.
        let bytes = CACHE_BYTES.max(columns * outputs.len());
        let block_rows = (bytes / (columns + outputs.len()) / BLOCK_ROWS).max(1) * BLOCK_ROWS;
        let is_direct = self.geometry.is_direct();
        if !is_direct {
            let length = block_rows.min(pixels) * columns + TAIL_PADDING;
            im2col_rows.resize(im2col_rows.len().max(length), 0);
        }
        for start in (0..pixels).step_by(block_rows) {
            let end = (start + block_rows).min(pixels);
            for block in blocks {
                let (rows, stride) = if is_direct {
                    (&from[(first + start) * inputs + block.input..], inputs)
                } else {
                    im2col(&self.geometry, from, block.input, first + start..first + end, im2col_rows);
                    (&im2col_rows[..], columns)
                };
                let at = start * outputs.len() + block.outputs.start - outputs.start;
                match to {
                    Output::Bytes(to) => block.gemm.bytes(rows, stride, end - start, &mut to[at..], outputs.len()),
                    Output::Floats(to) => block.gemm.floats(rows, stride, end - start, &mut to[at..], outputs.len()),
                }
            }
            if let Output::Bytes(to) = &mut *to {
                self.look_up(&mut to[start * outputs.len()..end * outputs.len()]);
            }
        }
    }

    /// Replaces each byte by its entry in the table of the output stage, if there is one.
    fn look_up(&self, bytes: &mut [u8]) {
        if let Some(table) = &self.table {
            self.kernels.lookup_in_place(table, bytes);
        }
    }
}

fn pack_depthwise(step: &Convolution, geometry: &Geometry, kernels: &dyn Kernels) -> Box<dyn Depthwise> {
    let weights = DepthwiseWeights {
        channels: geometry.output[3],
        taps: geometry.taps(),
        weights: &step.weights,
        bias: &bias_with_zero_point(step),
        multipliers: &step.multipliers,
        output_stage: &step.output_stage,
    };
    kernels.depthwise(&weights, &step.window)
}

/// Packs the weights of all blocks. Also returns whether channels are divided among threads.
fn pack_products(
    step: &Convolution,
    geometry: &Geometry,
    kernels: &'static dyn Kernels,
    threads: StepThreads<'_>,
) -> (PackedWeights, bool) {
    let outputs = geometry.output[3];
    let group_outputs = outputs / step.groups;
    let (columns, bias) = (geometry.columns(), bias_with_zero_point(step));
    let pack = |channels: std::ops::Range<usize>, gemm: &dyn Fn(&Matrix<'_>) -> Option<Box<dyn Gemm>>| {
        let gemm = gemm(&Matrix {
            rows: channels.len(),
            columns,
            zero_point: step.zero_point,
            weights: &step.weights[channels.start * columns..channels.end * columns],
            bias: &bias[channels.clone()],
            multipliers: &step.multipliers[channels.clone()],
            output_stage: &step.output_stage,
        })?;
        Some(ChannelBlock { gemm, input: channels.start / group_outputs * geometry.group_inputs, outputs: channels })
    };
    let ranges = |by_channels: bool| {
        if by_channels { blocks::of_threads(outputs, threads) } else { blocks::of_groups(outputs, step.groups) }
    };
    let pixels: usize = geometry.output[..3].iter().product();
    let by_channels = step.groups == 1 && threads.is_parallel() && columns >= WEIGHTS_FOR_EACH_OUTPUT * pixels;
    let is_direct = geometry.is_direct();
    let layout = WindowLayout::new(geometry);
    if !is_direct && step.output_stage != OutputStage::Float && layout.has_little_padding(geometry.input) {
        let packed = |channels| pack(channels, &|matrix| layout.gemm(kernels, matrix));
        if let Some(blocks) = ranges(by_channels).into_iter().map(packed).collect() {
            return (PackedWeights::Indirect(layout, blocks), by_channels);
        }
    }
    // im2col runs once for all channels: with the channels divided, each thread would repeat it.
    let by_channels = by_channels && is_direct;
    let packed = |channels| pack(channels, &|matrix| Some(kernels.gemm(matrix)));
    (PackedWeights::Gemm(ranges(by_channels).into_iter().filter_map(packed).collect()), by_channels)
}

/// The bias of each output channel less the zero point times the sum of the channel's weights, so that kernels multiply
/// bytes as they are. Padding has the value of the zero point, so the correction is the same for all pixels.
fn bias_with_zero_point(step: &Convolution) -> Vec<i32> {
    let columns = step.weights.len() / step.bias.len();
    let zero_point = i32::from(step.zero_point);
    let rows = step.weights.chunks_exact(columns);
    let bias = step.bias.iter().zip(rows);
    bias.map(|(&bias, row)| bias.wrapping_sub(zero_point.wrapping_mul(weights::sum(row)))).collect()
}
