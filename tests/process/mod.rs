//! The command `bedside` as a process.

use std::path::Path;
use std::process::{Command, Output};

pub(crate) fn bedside(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bedside")).args(arguments).output().expect("the command starts")
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Fails where the command exited with another status, or where a panic's message reached the user.
pub(crate) fn exited(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}\n{}", out(output), err(output));
    for words in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
        assert!(!err(output).contains(words), "{}", err(output));
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
