//! Output that all subcommands have in common: failures, warnings, labelled lines.

use std::fmt::Display;
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
    let _ = writeln!(anstream::stderr().lock(), "{BOLD}{level}:{BOLD:#} {}", plain(message));
}

/// Writes a line of a heading and a text.
pub(crate) fn line(out: &mut impl Write, heading: &str, text: impl Display) -> io::Result<()> {
    styled_line(out, &plain(heading), plain(text))
}

/// The same with a text that has styles: names in it must be [`plain`].
pub(crate) fn styled_line(out: &mut impl Write, heading: &str, text: impl Display) -> io::Result<()> {
    writeln!(out, "  {DIM}{heading:<15}{DIM:#} {text}")
}

/// A text on one line of a terminal. Names of files, sources, columns and labels may have characters that move the
/// cursor, begin another line or turn the direction of writing: those are escaped, such as `\n` and `\u{1b}`.
pub(crate) fn plain(text: impl Display) -> String {
    let mut plain = String::new();
    for character in text.to_string().chars() {
        if character.is_control() || is_line_break(character) || is_bidirectional(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// The same of a text of several lines.
pub(crate) fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// Whether a character ends a line and is no control character (Unicode 16, UAX #14: the classes BK and NL).
fn is_line_break(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether a character is one of the marks of Unicode's bidirectional algorithm (UAX #9, table 1).
fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_on_its_line_and_in_its_direction() {
        for (text, expected) in [
            ("Мітка α/1.jpg", "Мітка α/1.jpg"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[2Jx\u{7}\u{9b}", "\\u{1b}[2Jx\\u{7}\\u{9b}"),
            ("gpj.\u{202e}exe\u{2066}\u{200f}", "gpj.\\u{202e}exe\\u{2066}\\u{200f}"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(plain_lines("a\u{1b}\nb"), "a\\u{1b}\nb");
    }
}
