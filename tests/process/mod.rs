//! The command `bedside` as a process.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub(crate) fn bedside(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bedside")).args(arguments).output().expect("the command starts")
}

/// The same in another folder.
#[allow(dead_code, reason = "not every test that has this module runs elsewhere")]
pub(crate) fn bedside_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bedside"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

/// The same with a pipe as standard input, which holds this text.
#[allow(dead_code, reason = "not every test that has this module writes to a pipe")]
pub(crate) fn bedside_reading(text: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedside"));
    let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    // It may end without having read all of it.
    let _ = child.stdin.take().expect("it is piped").write_all(text.as_bytes());
    child.wait_with_output().expect("the command ends")
}

/// The same, ended by the system where it writes beyond so many bytes of a file, as where the power fails.
#[cfg(unix)]
#[allow(dead_code, reason = "not every test that has this module ends the command")]
pub(crate) fn bedside_ended_after(bytes: u64, arguments: &[&str]) -> Output {
    // The shell's unit, by POSIX.
    let limit = format!("ulimit -f {} && exec \"$0\" \"$@\"", bytes / 512);
    let mut command = Command::new("sh");
    let command = command.args(["-c", &limit, env!("CARGO_BIN_EXE_bedside")]).args(arguments);
    command.output().expect("the shell starts")
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
