//! Blocks of output channels with packed weights: a block for each group, or, where the channels of one group are
//! divided among threads, a block for each part. How a block is multiplied is left to the caller.

use std::ops::Range;

use crate::executable::workspace::{Output, ThreadScratch};
use crate::kernels::Gemm;
use crate::program::Element;
use crate::threads::{Mutex, Split as _, StepThreads, lock};

/// Blocks for threads have multiples of this many output channels, but for the last: half of the widest tile, that of
/// AVX-512 with VNNI.
const BLOCK_OUTPUTS: usize = 16;

/// A block of output channels with their packed weights.
#[derive(Debug)]
pub(super) struct ChannelBlock {
    pub(super) gemm: Box<dyn Gemm>,
    /// The first input channel that the block reads.
    pub(super) input: usize,
    /// The output channels.
    pub(super) outputs: Range<usize>,
}

/// The output channels of each group.
pub(super) fn of_groups(outputs: usize, groups: usize) -> Vec<Range<usize>> {
    let size = outputs / groups;
    (0..groups).map(|group| group * size..(group + 1) * size).collect()
}

/// The output channels of each part for several threads, in ascending order. [`StepThreads::sizes`] gives the larger
/// parts first. Threads take parts from both ends, so the smallest parts are in the middle.
pub(super) fn of_threads(outputs: usize, threads: StepThreads<'_>) -> Vec<Range<usize>> {
    let (mut start, mut end) = (0, outputs.div_ceil(BLOCK_OUTPUTS));
    let (mut from_start, mut from_end) = (vec![], vec![]);
    for (number, size) in threads.sizes(end).enumerate() {
        if number % 2 == 0 {
            from_start.push(start..start + size);
            start += size;
        } else {
            from_end.push(end - size..end);
            end -= size;
        }
    }
    let channels = |blocks: Range<usize>| blocks.start * BLOCK_OUTPUTS..outputs.min(blocks.end * BLOCK_OUTPUTS);
    from_start.into_iter().chain(from_end.into_iter().rev()).map(channels).collect()
}

/// The output channels of consecutive blocks.
pub(super) fn channels(blocks: &[ChannelBlock]) -> Range<usize> {
    let ends = blocks.first().zip(blocks.last()).map(|(first, last)| first.outputs.start..last.outputs.end);
    ends.unwrap_or_default()
}

/// Divides the blocks among threads. `multiply` computes the outputs of a block into a dense buffer, which is then
/// copied to `to`: the whole output, of this element type and with `outputs` channels. One thread copies at a time; a
/// copy takes much less time than the computation.
pub(super) fn for_each(
    blocks: &[ChannelBlock],
    (to, element, outputs): (Output<'_>, Element, usize),
    threads: StepThreads<'_>,
    scratch: &mut [ThreadScratch],
    multiply: impl Fn(&[ChannelBlock], &mut Output<'_>) + Sync,
) {
    let pixels = to.len() / outputs;
    let to = Mutex::new(to);
    threads.for_each(blocks.chunks(1), scratch, |blocks, scratch| {
        let channels = channels(blocks);
        let length = pixels * channels.len();
        let mut computed = match element {
            Element::Byte => {
                scratch.bytes.resize(length, 0);
                Output::Bytes(&mut scratch.bytes)
            }
            Element::Float => {
                scratch.floats.resize(length, 0.0);
                Output::Floats(&mut scratch.floats)
            }
        };
        multiply(blocks, &mut computed);
        match (computed, &mut *lock(&to)) {
            (Output::Bytes(from), Output::Bytes(to)) => copy_channels(from, to, channels, outputs),
            (Output::Floats(from), Output::Floats(to)) => copy_channels(from, to, channels, outputs),
            _ => unreachable!("blocks give the elements of the output"),
        }
    });
}

/// Copies these channels of each pixel, dense in `from`, into pixels of `outputs` channels.
fn copy_channels<T: Copy>(from: &[T], to: &mut [T], channels: Range<usize>, outputs: usize) {
    for (from, to) in from.chunks_exact(channels.len()).zip(to.chunks_exact_mut(outputs)) {
        to[channels.clone()].copy_from_slice(from);
    }
}
