//! Elementwise steps of two tensors, with broadcasting: an axis of length 1 of either tensor is repeated along the axis
//! of the other. What is computed of two elements is left to the kernels.

use super::work::{self, CACHE_LINE};
use super::workspace::ThreadScratch;
use crate::program::dense_strides;
use crate::threads::Threads;

/// Computes an elementwise operation of `a` and `b`, with shapes `a_shape` and `b_shape`, into `to`, whose shape is
/// `shape`. `operation` is called with equally long pieces of the inputs and of the output, until all of `to` is
/// written.
pub(super) fn combine(
    [(a, a_shape), (b, b_shape)]: [(&[u8], [usize; 4]); 2],
    (shape, to): ([usize; 4], &mut [u8]),
    threads: &Threads,
    scratch: &mut [ThreadScratch],
    operation: impl Fn(&[u8], &[u8], &mut [u8]) + Sync,
) {
    let [_, height, width, channels] = shape;
    let threads = threads.for_work(to.len() as u64 * work::ADD_OR_MULTIPLY);
    if a_shape == b_shape {
        return threads.for_each(threads.parts(to, CACHE_LINE), scratch, |(at, to), _| {
            let range = at * CACHE_LINE..at * CACHE_LINE + to.len();
            operation(&a[range.clone()], &b[range], to);
        });
    }
    let offset = |shape: [usize; 4], index: [usize; 3]| {
        let strides = dense_strides(shape);
        (0..3).map(|axis| if shape[axis] == 1 { 0 } else { index[axis] * strides[axis] }).sum::<usize>()
    };
    threads.for_each(threads.parts(to, width * channels), scratch, |(first, to), scratch| {
        scratch.bytes.resize(2 * channels, 0);
        let (left, right) = scratch.bytes.split_at_mut(channels);
        for (line, to) in (first..).zip(to.chunks_exact_mut(width * channels)) {
            let (n, y) = (line / height, line % height);
            for (x, to) in to.chunks_exact_mut(channels).enumerate() {
                let a = channels_at(&a[offset(a_shape, [n, y, x])..], a_shape[3], left);
                let b = channels_at(&b[offset(b_shape, [n, y, x])..], b_shape[3], right);
                operation(a, b, to);
            }
        }
    });
}

/// The channels of the pixel that starts at `bytes`, as many as `repeated` has. A pixel with only one channel is
/// repeated in `repeated`.
fn channels_at<'a>(bytes: &'a [u8], channels: usize, repeated: &'a mut [u8]) -> &'a [u8] {
    if channels == repeated.len() {
        return &bytes[..channels];
    }
    repeated.fill(bytes[0]);
    repeated
}
