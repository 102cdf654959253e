//! The library's log, for a logger of the other language.

use std::sync::Arc;

use crate::guard::guarded;
use crate::sink;

use super::BedsideError;

/// The severity of a log record.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is amiss but not fatal, such as an unknown field in a manifest.
    Warn,
    /// An event that happens now and then.
    Info,
    /// An event that happens once for each opened model.
    Debug,
    /// An event that happens once for each stage of a classification.
    Trace,
}

/// The error that a logger may throw; it is ignored. A logger can't throw the library's own error.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum LoggerError {
    /// The record was not taken.
    #[error("{reason}")]
    Failed {
        /// Why.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for LoggerError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> LoggerError {
        LoggerError::Failed { reason: error.reason }
    }
}

/// Receives the library's log. Pictures and results are never in it.
#[uniffi::export(callback_interface)]
pub trait Logger: Send + Sync {
    /// Receives one record. `target` is the module that logs. May be called from any thread, and from several at once;
    /// an error that it throws is ignored.
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), LoggerError>;
}

/// Sends the records of the library's log from this level up (`Warn` unless given) to `logger`, which replaces the
/// previous one. Without a logger the records are dropped, as before the first call. In a program in Rust with its own
/// logger, that logger keeps the log and its level, and this changes nothing.
#[uniffi::export(default(level = None))]
pub fn set_logger(logger: Option<Box<dyn Logger>>, level: Option<LogLevel>) -> Result<(), BedsideError> {
    let level = level.unwrap_or(LogLevel::Warn).into();
    Ok(guarded(|| {
        sink::set(logger.map(sink_of), level);
        Ok(())
    })?)
}

fn sink_of(logger: Box<dyn Logger>) -> sink::Sink {
    Arc::new(move |level, target, message| {
        // A record that can't be delivered is lost, because there is no other place to report it.
        let _ = logger.log(level.into(), target.into(), message.into());
    })
}

impl From<LogLevel> for log::LevelFilter {
    fn from(level: LogLevel) -> log::LevelFilter {
        match level {
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}

impl From<log::Level> for LogLevel {
    fn from(level: log::Level) -> LogLevel {
        match level {
            log::Level::Error => LogLevel::Error,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Info => LogLevel::Info,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Trace => LogLevel::Trace,
        }
    }
}
