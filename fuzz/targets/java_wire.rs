//! The wire format between Java and the library, in both directions: requests of any bytes, and replies that are read
//! back as `Reply.java` reads them.
//!
//! The library that Java loads can't be linked, so its modules of the wire format are compiled into this target.

#![no_main]
#![allow(dead_code, reason = "the modules serve a whole library")]

#[path = "../../bindings/src/frame.rs"]
mod frame;
#[path = "java_wire/java.rs"]
mod java;

libfuzzer_sys::fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| java::both_ways(data)));
