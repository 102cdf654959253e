//! Output that all subcommands have in common: failures, warnings, labelled lines.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anstyle::Style;
use bedside::{Error, ErrorKind, tools};

/// The style of headings and of important text.
pub(crate) const BOLD: Style = Style::new().bold();

/// The style of unimportant text.
pub(crate) const DIM: Style = Style::new().dimmed();

/// How a command ended that did not succeed.
pub(crate) enum Failure {
    /// Something failed: status 1.
    Failed(String),
    /// Wrong usage: status 2.
    Usage(String),
    /// Something failed and has been reported already: status 1.
    Reported,
    /// The reader of the output has closed it: status 0, as in other tools.
    Closed,
}

impl Failure {
    /// Prints the failure and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Failure::Failed(message) => {
                complain("error", &message);
                ExitCode::from(1)
            }
            Failure::Usage(message) => {
                complain("error", &message);
                ExitCode::from(2)
            }
            Failure::Reported => ExitCode::from(1),
            Failure::Closed => ExitCode::SUCCESS,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error.kind() {
            ErrorKind::InvalidQuery => Failure::Usage(error.to_string()),
            _ => Failure::Failed(error.to_string()),
        }
    }
}

impl From<bedside_engine::Error> for Failure {
    fn from(error: bedside_engine::Error) -> Failure {
        tools::engine_error(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Failed(format!("standard output: {error}")),
        }
    }
}

/// Prints a line on standard error. A line that can't be written is lost, because there is no other place to report it.
pub(crate) fn complain(level: &str, message: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{BOLD}{level}:{BOLD:#} {message}");
}

/// Writes a line of a heading and a text.
pub(crate) fn line(out: &mut impl Write, heading: &str, text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(out, "  {DIM}{heading:<15}{DIM:#} {text}")
}

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Keeps the location and the message of a panic for [`last_panic`].
pub(crate) fn remember_panic(words: &str) {
    words.clone_into(&mut LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner));
}

/// The location and the message of the last panic, on one line.
pub(crate) fn last_panic() -> String {
    LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).replace('\n', " ")
}

/// Prints the warnings of Bedside's own crates on standard error, and those of no other crate.
pub(crate) fn install_log() {
    static LOG: Log = Log;
    if log::set_logger(&LOG).is_ok() {
        log::set_max_level(log::LevelFilter::Warn);
    }
}

struct Log;

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn && metadata.target().starts_with("bedside")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            complain(&record.level().as_str().to_lowercase(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}
