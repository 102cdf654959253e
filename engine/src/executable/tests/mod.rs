//! Executables compared with one another: on any number of threads, and with all sets of kernels.

pub(crate) mod network;
mod threads;
