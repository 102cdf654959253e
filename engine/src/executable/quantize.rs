//! The quantization of a tensor of floats, or of pixels that are given in place of the input. The kernels quantize;
//! this module brings elements into the order of the output.

use super::work::{self, CACHE_LINE};
use super::workspace::ThreadScratch;
use crate::kernels::Kernels;
use crate::pixels::Pixels;
use crate::program::{Quantize, dense_strides};
use crate::threads::Threads;

/// The maximum number of channels of pixels that can be quantized by tables. The tables are on the stack.
pub(super) const MAX_CHANNELS: usize = 4;

/// Quantizes floats to the tensor `to` of shape `shape`. The floats are read with the strides of the step.
pub(super) fn quantize(
    step: &Quantize,
    from: &[f32],
    (shape, to): ([usize; 4], &mut [u8]),
    (kernels, threads): (&dyn Kernels, &Threads),
    scratch: &mut [ThreadScratch],
) {
    let [_, _, width, channels] = shape;
    let threads = threads.for_work(to.len() as u64 * work::QUANTIZE);
    if step.strides[3] == 1 && step.strides == dense_strides(shape) {
        return threads.for_each(threads.parts(to, CACHE_LINE), scratch, |(at, to), _| {
            kernels.quantize(&from[at * CACHE_LINE..][..to.len()], step.scale, step.zero_point, to);
        });
    }
    threads.for_each(threads.parts(to, width * channels), scratch, |(first, to), scratch| {
        for (line, to) in (first..).zip(to.chunks_exact_mut(width * channels)) {
            if channels == 3 && step.strides[2] == 1 {
                line_of_planes(step, from, (shape, line), to, kernels, &mut scratch.bytes);
            } else {
                line_by_channels(step, from, (shape, line), to, kernels, scratch);
            }
        }
    });
}

/// Quantizes pixels by a table for each channel, which maps a byte to its quantized value. Where all tables are equal,
/// one lookup covers all channels. The pixels must lie in the order of `to`.
pub(super) fn quantize_pixels(
    step: &Quantize,
    pixels: &Pixels<'_>,
    to: &mut [u8],
    (kernels, threads): (&dyn Kernels, &Threads),
    scratch: &mut [ThreadScratch],
) {
    let from = pixels.bytes;
    let mut tables = [[0; 256]; MAX_CHANNELS];
    let tables = &mut tables[..pixels.channels];
    for (table, values) in tables.iter_mut().zip(pixels.values.unwrap_or_default()) {
        kernels.quantize(values, step.scale, step.zero_point, table);
    }
    let threads = threads.for_work(to.len() as u64 * work::LOOKUP);
    if tables.iter().all(|table| *table == tables[0]) {
        return threads.for_each(threads.parts(to, CACHE_LINE), scratch, |(at, to), _| {
            kernels.lookup(&tables[0], &from[at * CACHE_LINE..][..to.len()], to);
        });
    }
    // Units of whole pixels and whole cache lines.
    let unit = CACHE_LINE * tables.len();
    threads.for_each(threads.parts(to, unit), scratch, |(at, to), _| {
        let from = from[at * unit..].chunks_exact(tables.len());
        for (to, from) in to.chunks_exact_mut(tables.len()).zip(from) {
            for ((to, &from), table) in to.iter_mut().zip(from).zip(&*tables) {
                *to = table[usize::from(from)];
            }
        }
    });
}

/// Quantizes one line of the output, one channel after the other, so that planes of floats are read in order. `line`
/// counts the lines of all images.
fn line_by_channels(
    step: &Quantize,
    from: &[f32],
    (shape, line): ([usize; 4], usize),
    to: &mut [u8],
    kernels: &dyn Kernels,
    scratch: &mut ThreadScratch,
) {
    let [_, height, width, channels] = shape;
    let [batch_stride, height_stride, width_stride, channel_stride] = step.strides;
    let scratch = &mut **scratch;
    let (bytes, floats) = (&mut scratch.bytes, &mut scratch.floats);
    bytes.resize(width, 0);
    floats.resize(width, 0.0);
    for channel in 0..channels {
        let start = line / height * batch_stride + line % height * height_stride + channel * channel_stride;
        let values = if width_stride == 1 {
            &from[start..start + width]
        } else {
            for (x, value) in floats.iter_mut().enumerate() {
                *value = from[start + x * width_stride];
            }
            &*floats
        };
        kernels.quantize(values, step.scale, step.zero_point, bytes);
        for (to, &byte) in to[channel..].iter_mut().step_by(channels).zip(&*bytes) {
            *to = byte;
        }
    }
}

/// Quantizes one line of three planes, the layout of color images in most graphs.
fn line_of_planes(
    step: &Quantize,
    from: &[f32],
    (shape, line): ([usize; 4], usize),
    to: &mut [u8],
    kernels: &dyn Kernels,
    bytes: &mut Vec<u8>,
) {
    let [_, height, width, _] = shape;
    let [batch_stride, height_stride, _, channel_stride] = step.strides;
    bytes.resize(3 * width, 0);
    let start = line / height * batch_stride + line % height * height_stride;
    for (channel, bytes) in bytes.chunks_exact_mut(width).enumerate() {
        kernels.quantize(&from[start + channel * channel_stride..][..width], step.scale, step.zero_point, bytes);
    }
    let (first, others) = bytes.split_at(width);
    let (second, third) = others.split_at(width);
    kernels.interleave([first, second, third], to);
}
