//! `libbedside`: the API of the crate `bedside` for other languages. Types and glue; what Kotlin, Swift and Java can do,
//! Rust can do, by the same names, with the same defaults and errors.
//!
//! Two borders lead into the one library, each a feature: `kotlin_swift` (UniFFI) and `java` (JNI). What both need
//! stands beside them: `frame` makes a picture of borrowed bytes, `picture` keeps one, `guard` turns panics into errors, `sink` carries the
//! log. Every call is fallible, and no panic crosses.

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
