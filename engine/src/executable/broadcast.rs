//! The steps that combine two tensors element by element, of which either may have one element along an axis for all elements
//! of the other.

use super::work::{self, CACHE_LINE};
use super::workspace::ThreadScratch;
use crate::program::dense_strides;
use crate::threads::Threads;

/// Calls `operation` with elements of two tensors and room for as many results, until all of `to` is written.
pub(super) fn combine(
    [(a, a_shape), (b, b_shape)]: [(&[u8], [usize; 4]); 2],
    (shape, to): ([usize; 4], &mut [u8]),
    threads: &Threads,
    scratch: &mut [ThreadScratch],
    operation: impl Fn(&[u8], &[u8], &mut [u8]) + Sync,
) {
    let [_, height, width, channels] = shape;
    let threads = threads.for_work(to.len() as u64 * work::COMBINED);
    if a_shape == b_shape {
        return threads.for_each(threads.parts(to, CACHE_LINE), scratch, |(at, to), _| {
            let range = at * CACHE_LINE..at * CACHE_LINE + to.len();
            operation(&a[range.clone()], &b[range], to);
        });
    }
    let at = |shape: [usize; 4], index: [usize; 3]| {
        let strides = dense_strides(shape);
        (0..3).map(|axis| if shape[axis] == 1 { 0 } else { index[axis] * strides[axis] }).sum::<usize>()
    };
    threads.for_each(threads.parts(to, width * channels), scratch, |(first, to), scratch| {
        scratch.bytes.resize(2 * channels, 0);
        let (left, right) = scratch.bytes.split_at_mut(channels);
        for (line, to) in (first..).zip(to.chunks_exact_mut(width * channels)) {
            let (n, y) = (line / height, line % height);
            for (x, to) in to.chunks_exact_mut(channels).enumerate() {
                let a = pixel(&a[at(a_shape, [n, y, x])..], a_shape[3], left);
                let b = pixel(&b[at(b_shape, [n, y, x])..], b_shape[3], right);
                operation(a, b, to);
            }
        }
    });
}

/// The channels of the pixel that `bytes` begin with, as many as `spread` has: one channel for all of them is spread over it.
fn pixel<'a>(bytes: &'a [u8], channels: usize, spread: &'a mut [u8]) -> &'a [u8] {
    if channels == spread.len() {
        return &bytes[..channels];
    }
    spread.fill(bytes[0]);
    spread
}
