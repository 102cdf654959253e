//! The library's log, for a function of the caller.

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use log::{Level, LevelFilter};

use super::frame::chosen;
use super::status::{Outcome, answered, bedside_error, bedside_status};
use crate::sink;

/// The severity of a log record.
#[repr(i32)]
#[derive(Debug, Clone, Copy)]
pub enum bedside_log_level {
    /// Something failed.
    BEDSIDE_LOG_LEVEL_ERROR = 1,
    /// Something is amiss but not fatal, such as an unknown field in a manifest.
    BEDSIDE_LOG_LEVEL_WARN = 2,
    /// An event that happens now and then.
    BEDSIDE_LOG_LEVEL_INFO = 3,
    /// An event that happens once for each opened model.
    BEDSIDE_LOG_LEVEL_DEBUG = 4,
    /// An event that happens once for each stage of a classification.
    BEDSIDE_LOG_LEVEL_TRACE = 5,
}

/// Receives one record of the library's log: `level` is a bedside_log_level, `target` the module that logs. Both texts
/// end with zero and live until it returns. It may be called from any thread, and from several at once, and may call the
/// library. It must return: no exception of C++ and no longjmp may leave it.
pub type bedside_log_function =
    Option<unsafe extern "C" fn(context: *mut c_void, level: i32, target: *const c_char, message: *const c_char)>;

/// The caller's pointer, which is handed back to his function on any thread.
#[derive(Clone, Copy)]
struct Context(*mut c_void);

// SAFETY: the library does not read what is at the pointer, and the caller promises that his function may be called from
// any thread.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    fn pointer(self) -> *mut c_void {
        self.0
    }
}

/// Sends records of the library's log to a function, which replaces the previous one: those of this bedside_log_level and
/// of graver ones. Null drops the records, as before the first call, whatever `level` is. `context` is handed to the function and is not read. Both must stay
/// valid for the rest of the process, because a thread may be in the function when another one is set. Pictures and
/// results are never in the log. In a Rust program with its own logger, that logger keeps the log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_set_logger(
    function: bedside_log_function,
    context: *mut c_void,
    level: i32,
    error: *mut bedside_error,
) -> bedside_status {
    let context = Context(context);
    let call = || {
        let level = if function.is_some() { level_filter(level)? } else { LevelFilter::Off };
        sink::set(
            function.map(|function| -> sink::Sink {
                Arc::new(move |level: Level, target: &str, message: &str| {
                    let [target, message] = [target, message].map(terminated);
                    // SAFETY: the caller promises that his function may be called with his context.
                    unsafe { function(context.pointer(), level as i32, target.as_ptr(), message.as_ptr()) };
                })
            }),
            level,
        );
        Ok(())
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

/// The text up to its first zero, if there is one.
fn terminated(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

fn level_filter(level: i32) -> Outcome<LevelFilter> {
    let levels = [
        (bedside_log_level::BEDSIDE_LOG_LEVEL_ERROR as i32, LevelFilter::Error),
        (bedside_log_level::BEDSIDE_LOG_LEVEL_WARN as i32, LevelFilter::Warn),
        (bedside_log_level::BEDSIDE_LOG_LEVEL_INFO as i32, LevelFilter::Info),
        (bedside_log_level::BEDSIDE_LOG_LEVEL_DEBUG as i32, LevelFilter::Debug),
        (bedside_log_level::BEDSIDE_LOG_LEVEL_TRACE as i32, LevelFilter::Trace),
    ];
    chosen("level", "bedside_log_level", level, &levels)
}
