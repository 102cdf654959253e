//! C: the functions and types of `bedside.h`, which cbindgen writes from this folder, documentation included. They have
//! the names that they have in C.
//!
//! Every function checks its arguments: a null pointer, a freed handle, a text that is not UTF-8 and a number that no
//! enumeration has are errors. A handle is a number that looks like a pointer (`handle`); nothing reads what is at it.
//! Structs that a caller gives begin with their size (`sized`), so that they can grow. A text goes into a buffer of the
//! caller (`text`). Each function that reads a part of an object is written out, because cbindgen sees no functions that
//! macros make.

#![allow(non_camel_case_types, reason = "the names are those of C")]
#![allow(unsafe_code, reason = "memory of the caller, as each function's documentation says")]
#![allow(clippy::missing_safety_doc, reason = "the page of the C border states what holds for all pointers")]
#![allow(clippy::doc_markdown, reason = "the documentation is C's")]

pub mod cancel;
pub mod classifier;
pub mod explain;
pub mod frame;
mod handle;
pub mod image;
pub mod logger;
pub mod manifest;
pub mod options;
pub mod query;
pub mod reasons;
pub mod report;
mod sized;
pub mod status;
mod text;

use std::ffi::c_char;

/// The version of the library, as "0.1.0": a text that lives as long as the process.
#[unsafe(no_mangle)]
pub extern "C" fn bedside_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
