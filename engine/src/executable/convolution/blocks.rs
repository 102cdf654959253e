//! Blocks of output channels: those of a group, or, where threads share the channels of one group, those of a part.

use std::ops::Range;

use crate::executable::workspace::{Output, ThreadScratch};
use crate::kernels::Gemm;
use crate::program::Element;
use crate::threads::{Mutex, Split as _, StepThreads, lock};

/// Blocks that threads share are multiples of so many channels: half of the widest tile.
const BLOCK_OUTPUTS: usize = 16;

/// A block of output channels, with their packed weights.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) gemm: Box<dyn Gemm>,
    /// The first input channel.
    pub(super) input: usize,
    pub(super) outputs: Range<usize>,
}

/// The output channels of each group.
pub(super) fn of_groups(outputs: usize, groups: usize) -> Vec<Range<usize>> {
    let size = outputs / groups;
    (0..groups).map(|group| group * size..(group + 1) * size).collect()
}

/// The output channels of each part for several threads. Threads take parts from both ends, so the smallest are in the middle.
pub(super) fn of_threads(outputs: usize, threads: StepThreads<'_>) -> Vec<Range<usize>> {
    let (mut start, mut end) = (0, outputs.div_ceil(BLOCK_OUTPUTS));
    let (mut first, mut last) = (vec![], vec![]);
    for (number, size) in threads.sizes(end).enumerate() {
        if number % 2 == 0 {
            first.push(start..start + size);
            start += size;
        } else {
            last.push(end - size..end);
            end -= size;
        }
    }
    let channels = |blocks: Range<usize>| blocks.start * BLOCK_OUTPUTS..outputs.min(blocks.end * BLOCK_OUTPUTS);
    first.into_iter().chain(last.into_iter().rev()).map(channels).collect()
}

/// The output channels of neighbouring blocks.
pub(super) fn channels(blocks: &[Block]) -> Range<usize> {
    let ends = blocks.first().zip(blocks.last()).map(|(first, last)| first.outputs.start..last.outputs.end);
    ends.unwrap_or_default()
}

/// Has threads share blocks: `multiply` computes the outputs of some blocks into a dense buffer, which is then copied to
/// `to`. One thread copies at a time, which takes a small part of the time in which the outputs are computed.
pub(super) fn for_each(
    blocks: &[Block],
    (to, element, outputs): (Output<'_>, Element, usize),
    threads: StepThreads<'_>,
    scratch: &mut [ThreadScratch],
    multiply: impl Fn(&[Block], &mut Output<'_>) + Sync,
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
            (Output::Bytes(from), Output::Bytes(to)) => put(from, to, channels, outputs),
            (Output::Floats(from), Output::Floats(to)) => put(from, to, channels, outputs),
            _ => unreachable!("blocks give what the output is made of"),
        }
    });
}

/// Copies some channels of each pixel to their place among all.
fn put<T: Copy>(from: &[T], to: &mut [T], channels: Range<usize>, outputs: usize) {
    for (from, to) in from.chunks_exact(channels.len()).zip(to.chunks_exact_mut(outputs)) {
        to[channels.clone()].copy_from_slice(from);
    }
}
