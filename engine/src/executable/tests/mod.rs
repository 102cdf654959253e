//! The executable held against itself: on threads, by all sets of kernels, over a whole network.

pub(crate) mod network;
mod threads;
