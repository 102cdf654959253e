//! The library's log.

use std::sync::Arc;

use crate::guard::guarded;
use crate::sink;

use super::BedsideError;

/// How much a record of the log matters.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is amiss but not fatal, such as an unknown field in a manifest.
    Warn,
    /// What happens now and then.
    Info,
    /// What happens once a model.
    Debug,
    /// What happens once a stage of a picture.
    Trace,
}

/// What a logger may throw: it is lost. The library's own error can be thrown by the library only.
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

/// Receives the library's log. What happened, never whose it was: pictures and results are not in it.
#[uniffi::export(callback_interface)]
pub trait Logger: Send + Sync {
    /// One record. May be called from any thread, and several at once; what it throws is lost.
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), LoggerError>;
}

/// Sends the library's log, from this level up (`Warn` unless given), to `logger`, in the place of the one before.
/// Without a logger the log goes nowhere, as before the first. In a program that is itself in Rust and has a logger of its
/// own, that one keeps the log and its level, and this changes nothing.
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
        // A record that can't be delivered is lost: there is no other place to say so.
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
