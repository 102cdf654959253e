//! A convolution, packed for its kernels: depthwise, or as a matrix product.
//!
//! The rows of a product are pixels of the input where the convolution is pointwise (`direct`), windows as they lie in the
//! input where the kernels have an indirect product (`indirect.rs`), and copies of windows elsewhere (`im2col.rs`).

mod blocks;
mod geometry;
mod im2col;
mod indirect;
#[cfg(test)]
mod tests;

use blocks::Block;
use geometry::Geometry;
use im2col::im2col;
use indirect::WindowLayout;

use super::work;
use super::workspace::{Output, Scratch};
use crate::arithmetic::OutputStage;
use crate::kernels::{Depthwise, DepthwiseInput, DepthwiseWeights, Gemm, Kernels, Matrix, TAIL_PADDING};
use crate::program::{Convolution, Element, TensorId, TensorKind, weights};
use crate::threads::{Split as _, StepThreads, Threads};

/// How many bytes of rows and outputs are worked on at a time: most of a first-level cache.
const CACHE_BYTES: usize = 24 << 10;

/// Blocks of rows are multiples of this, so that kernels that take four or seven at a time have none left over.
const BLOCK_ROWS: usize = 28;

/// Parts for several threads are multiples of so many pixels.
const PART_PIXELS: usize = 14;

/// How many times as many weights as outputs there must be for threads to share channels, so that no thread reads all
/// weights.
const WEIGHTS_FOR_EACH_OUTPUT: usize = 64;

#[derive(Debug)]
pub(super) struct PackedConvolution {
    pub(super) from: TensorId,
    pub(super) to: TensorId,
    geometry: Geometry,
    element: Element,
    table: Option<Box<[u8; 256]>>,
    kernels: &'static dyn Kernels,
    packed: Packed,
    /// In multiply-adds of a matrix product.
    work: u64,
    /// Whether threads share output channels, and not pixels.
    by_channels: bool,
}

#[derive(Debug)]
enum Packed {
    Depthwise(Box<dyn Depthwise>),
    /// Products with rows that lie in one piece, in the input or as im2col writes them.
    Gemm(Vec<Block>),
    /// Products over windows as they lie in the input.
    Indirect(WindowLayout, Vec<Block>),
}

impl PackedConvolution {
    pub(super) fn new(
        step: &Convolution,
        from: &TensorKind,
        to: &TensorKind,
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
        let table = match &step.result {
            OutputStage::Byte { table, .. } => table.clone(),
            OutputStage::Float => None,
        };
        let is_depthwise = step.is_depthwise(from, to);
        let products = to.len() as u64 * geometry.columns() as u64;
        let work = if is_depthwise { products * work::DEPTHWISE } else { products };
        let (packed, by_channels) = if is_depthwise {
            (Packed::Depthwise(pack_depthwise(step, &geometry, kernels)), false)
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
            packed,
            work,
            by_channels,
        }
    }

    pub(super) fn run(&self, from: &[u8], to: Output<'_>, threads: &Threads, scratch: &mut Scratch) {
        let threads = threads.for_work(self.work);
        let outputs = self.geometry.output[3];
        match (&self.packed, to) {
            (Packed::Depthwise(kernel), Output::Bytes(to)) => {
                self.depthwise(kernel.as_ref(), from, to, threads, scratch);
            }
            (Packed::Gemm(blocks), to) if self.by_channels => {
                let to = (to, self.element, outputs);
                blocks::for_each(blocks, to, threads, &mut scratch.per_thread, |blocks, to| {
                    self.multiply(blocks, from, 0, to, &mut vec![]);
                });
            }
            (Packed::Gemm(blocks), to) => {
                let parts = threads.parts(to, PART_PIXELS * outputs);
                threads.for_each(parts, &mut scratch.per_thread, |(at, mut to), scratch| {
                    self.multiply(blocks, from, at * PART_PIXELS, &mut to, &mut scratch.bytes);
                });
            }
            (Packed::Indirect(layout, blocks), Output::Bytes(to)) => {
                self.multiply_in_place((layout, blocks), from, to, threads, scratch);
            }
            (Packed::Depthwise(_) | Packed::Indirect(..), Output::Floats(_)) => {
                unreachable!("floats are outputs of products alone")
            }
        }
    }

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

    /// Multiplies windows where they lie.
    fn multiply_in_place(
        &self,
        (layout, blocks): (&WindowLayout, &[Block]),
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

    /// Computes pixels of the output, from pixel `first` on and as many as `to` has, for the channels of these blocks.
    /// `columns` is memory for im2col.
    fn multiply(&self, blocks: &[Block], from: &[u8], first: usize, to: &mut Output<'_>, im2col_rows: &mut Vec<u8>) {
        let inputs = self.geometry.input[3];
        let outputs = blocks::channels(blocks);
        let columns = self.geometry.columns();
        let pixels = to.len() / outputs.len();
        // Weights that are more than the cache holds are not read again for each block.
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

    /// Replaces bytes by their entries of the output stage's table, if it has one.
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
        output_stage: &step.result,
    };
    kernels.depthwise(&weights, &step.window)
}

/// Packs the weights of all blocks. Returns whether threads share channels, too.
fn pack_products(
    step: &Convolution,
    geometry: &Geometry,
    kernels: &'static dyn Kernels,
    threads: StepThreads<'_>,
) -> (Packed, bool) {
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
            output_stage: &step.result,
        })?;
        Some(Block { gemm, input: channels.start / group_outputs * geometry.group_inputs, outputs: channels })
    };
    let ranges = |by_channels: bool| {
        if by_channels { blocks::of_threads(outputs, threads) } else { blocks::of_groups(outputs, step.groups) }
    };
    let pixels: usize = geometry.output[..3].iter().product();
    let by_channels = step.groups == 1 && threads.is_parallel() && columns >= WEIGHTS_FOR_EACH_OUTPUT * pixels;
    let is_direct = geometry.is_direct();
    let layout = WindowLayout::new(geometry);
    if !is_direct && step.result != OutputStage::Float && layout.is_small_beside(geometry.input) {
        let packed = |channels| pack(channels, &|matrix| layout.gemm(kernels, matrix));
        if let Some(blocks) = ranges(by_channels).into_iter().map(packed).collect() {
            return (Packed::Indirect(layout, blocks), by_channels);
        }
    }
    // im2col is done once for all channels.
    let by_channels = by_channels && is_direct;
    let packed = |channels| pack(channels, &|matrix| Some(kernels.gemm(matrix)));
    (Packed::Gemm(ranges(by_channels).into_iter().filter_map(packed).collect()), by_channels)
}

/// The bias less what the zero point adds to every sum. The padding is the zero point, so it adds the same to all sums.
fn bias_with_zero_point(step: &Convolution) -> Vec<i32> {
    let columns = step.weights.len() / step.bias.len();
    let zero_point = i32::from(step.zero_point);
    let rows = step.weights.chunks_exact(columns);
    let bias = step.bias.iter().zip(rows);
    bias.map(|(&bias, row)| bias.wrapping_sub(zero_point.wrapping_mul(weights::sum(row)))).collect()
}
