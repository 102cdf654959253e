//! What all commands print alike: failures, warnings, labelled lines.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anstyle::Style;
use bedside::{Error, ErrorKind};

/// The style of headings and of what is most important.
pub(crate) const BOLD: Style = Style::new().bold();

/// The style of what is least important.
pub(crate) const DIM: Style = Style::new().dimmed();

/// How a command ended, where not well.
pub(crate) enum Failure {
    /// Something failed: status 1.
    Failed(String),
    /// What was asked makes no sense: status 2.
    Usage(String),
    /// Something failed and has been reported already: status 1.
    Reported,
    /// Nobody reads the output any more: status 0, as other tools do it.
    Closed,
}

impl Failure {
    /// Tells the user, and gives the exit status.
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
        Error::from(error).into()
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

/// A line on standard error. One that can't be written is lost: there is no other place to say so.
pub(crate) fn complain(level: &str, message: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{BOLD}{level}:{BOLD:#} {message}");
}

/// A line of a heading and what it is about.
pub(crate) fn line(out: &mut impl Write, heading: &str, text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(out, "  {DIM}{heading:<15}{DIM:#} {text}")
}

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Keeps a panic's place and message, for the error that it becomes.
pub(crate) fn remember_panic(words: &str) {
    words.clone_into(&mut LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner));
}

/// The place and message of the last panic, on one line.
pub(crate) fn last_panic() -> String {
    LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).replace('\n', " ")
}

/// Shows the library's warnings, and those of no other.
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
