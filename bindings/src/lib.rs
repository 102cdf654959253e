//! `libbedside`: the API of the crate `bedside` for Kotlin, Swift and Java, with the names, defaults and errors that it
//! has in Rust.
//!
//! The library has two borders: `kotlin_swift`, behind the feature `uniffi`, and `java`, behind the feature `jni`. Both
//! use `frame` (a picture in borrowed bytes), `picture` (a picture that the library keeps), `guard` (panics become
//! errors) and `sink` (the log). Every call can fail, and no panic crosses a border.

mod frame;
mod guard;
#[cfg(feature = "jni")]
pub mod java;
#[cfg(feature = "uniffi")]
pub mod kotlin_swift;
#[cfg(test)]
mod names;
#[cfg(test)]
mod pages;
mod picture;
mod sink;

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!("bedside");
