//! The memory that one run of a program works in. `program/buffers.rs` plans the buffers; the executable keeps
//! workspaces for later runs.

use crossbeam_utils::CachePadded;

use crate::kernels::TAIL_PADDING;
use crate::program::Element;
use crate::threads::Split;

/// The buffers of one run, and its scratch memory.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) buffers: Vec<Buffer>,
    pub(super) scratch: Scratch,
}

impl Workspace {
    /// Buffers of these element types and lengths in elements, and scratch memory for `threads` threads. Buffers of
    /// bytes have [`TAIL_PADDING`] more bytes, which kernels may read.
    pub(super) fn new(lengths: &[(Element, usize)], threads: usize) -> Workspace {
        let buffer = |&(element, length): &(Element, usize)| match element {
            Element::Byte => Buffer::Bytes(vec![0; length + TAIL_PADDING]),
            Element::Float => Buffer::Floats(vec![0.0; length]),
        };
        Workspace { buffers: lengths.iter().map(buffer).collect(), scratch: Scratch::for_threads(threads) }
    }
}

/// The memory that a step needs besides its inputs and its output. Its contents are unspecified when a step begins.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// What all threads of a step read: a pixel of padding, or the padded copy of an image.
    pub(super) shared: Vec<u8>,
    /// The sums of a mean over a whole image: those of each part of its lines.
    pub(super) sums: Vec<i32>,
    /// One for each thread.
    pub(super) per_thread: Vec<ThreadScratch>,
}

impl Scratch {
    pub(super) fn for_threads(count: usize) -> Scratch {
        Scratch { per_thread: (0..count).map(|_| ThreadScratch::default()).collect(), ..Scratch::default() }
    }
}

/// The scratch memory of one thread, on cache lines of its own.
pub(super) type ThreadScratch = CachePadded<ThreadBuffers>;

/// What a step needs on one thread. The vectors keep their capacity from step to step and from run to run, so that a
/// warm run allocates nothing.
#[derive(Debug, Default)]
pub(super) struct ThreadBuffers {
    pub(super) bytes: Vec<u8>,
    pub(super) floats: Vec<f32>,
    pub(super) sums: Vec<i32>,
}

/// The memory of tensors of one element type, of which it holds one at a time.
#[derive(Debug)]
pub(super) enum Buffer {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer::Bytes(vec![])
    }
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        let Buffer::Bytes(bytes) = self else { unreachable!("a buffer holds tensors of one element type") };
        bytes
    }

    pub(super) fn floats(&self) -> &[f32] {
        let Buffer::Floats(floats) = self else { unreachable!("a buffer holds tensors of one element type") };
        floats
    }
}

/// The output of a step, or a part of it.
#[derive(Debug)]
pub(super) enum Output<'a> {
    Bytes(&'a mut [u8]),
    Floats(&'a mut [f32]),
}

impl Default for Output<'_> {
    fn default() -> Self {
        Output::Bytes(&mut [])
    }
}

impl Split for Output<'_> {
    fn len(&self) -> usize {
        match self {
            Output::Bytes(bytes) => bytes.len(),
            Output::Floats(floats) => floats.len(),
        }
    }

    fn split_at(self, at: usize) -> (Self, Self) {
        match self {
            Output::Bytes(bytes) => {
                let (left, right) = bytes.split_at_mut(at);
                (Output::Bytes(left), Output::Bytes(right))
            }
            Output::Floats(floats) => {
                let (left, right) = floats.split_at_mut(at);
                (Output::Floats(left), Output::Floats(right))
            }
        }
    }
}
