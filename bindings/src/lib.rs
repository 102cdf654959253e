//! `libbedside`: the API of the crate `bedside` for Kotlin, Swift, Java and C, with the names, defaults and errors that it
//! has in Rust.
//!
//! The library has three borders: `kotlin_swift`, behind the feature `uniffi`; `java`, behind the feature `jni`; and `c`,
//! behind the feature `c`. All use `frame` (a picture in borrowed bytes), `picture` (a picture that the library keeps),
//! `guard` (panics become errors) and `sink` (the log); Java and C hold objects by number (`handles`). Every call can
//! fail, and no panic crosses a border.

#[cfg(feature = "c")]
pub mod c;
mod frame;
mod guard;
#[cfg(any(feature = "jni", feature = "c"))]
mod handles;
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
