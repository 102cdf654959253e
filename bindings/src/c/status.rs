//! How a call ended: the status that it returns, and the message that it writes into the caller's struct.

use std::ffi::c_char;
use std::mem::offset_of;

use bedside::{Error, ErrorKind};

use super::sized::{self, LeadingSize};
use crate::guard::guarded;

/// The bytes of a message, its terminating zero included. Of a longer message, the middle is left out.
pub const BEDSIDE_MESSAGE_CAPACITY: usize = 1024;

/// How a call ended. The numbers stay as they are; later versions may add others.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum bedside_status {
    /// The call succeeded.
    BEDSIDE_STATUS_OK = 0,
    /// A file can't be read.
    BEDSIDE_STATUS_IO = 1,
    /// The picture has a format, or a variant of one, that is not decoded.
    BEDSIDE_STATUS_UNSUPPORTED_IMAGE = 2,
    /// The picture is damaged, or its bytes do not fit the frame's format.
    BEDSIDE_STATUS_MALFORMED_IMAGE = 3,
    /// A picture or a model exceeds a limit of the options or a fixed one.
    BEDSIDE_STATUS_TOO_LARGE = 4,
    /// The file is neither an ONNX model nor a prepared one, or it is damaged.
    BEDSIDE_STATUS_MALFORMED_MODEL = 5,
    /// The model is sound but needs something that is not supported.
    BEDSIDE_STATUS_UNSUPPORTED_MODEL = 6,
    /// There is no manifest, or it has a wrong value, or it does not fit the graph.
    BEDSIDE_STATUS_INVALID_MANIFEST = 7,
    /// A field of the query or an answer does not fit the model.
    BEDSIDE_STATUS_INVALID_QUERY = 8,
    /// The query's cancel handle was used.
    BEDSIDE_STATUS_CANCELLED = 9,
    /// The golden sample failed: do not use the model on this device.
    BEDSIDE_STATUS_SELF_TEST = 10,
    /// There is a defect in Bedside, a panic among them: please report it.
    BEDSIDE_STATUS_INTERNAL = 11,
    /// An argument is null, has a wrong size, is not UTF-8, is out of range, or has an unknown number.
    BEDSIDE_STATUS_INVALID_ARGUMENT = 100,
    /// A handle is null, was freed, was never given, or belongs to another type.
    BEDSIDE_STATUS_INVALID_HANDLE = 101,
    /// The caller's buffer is too small. The length that the call gives says how large it must be.
    BEDSIDE_STATUS_BUFFER_TOO_SMALL = 102,
    /// There is nothing of what was asked for: an index beyond the end, or a part that the report does not have.
    BEDSIDE_STATUS_ABSENT = 103,
}

use bedside_status as Status;

/// Why a call failed. Call bedside_error_init on it once. A call that fails writes its status and message, and a call
/// that succeeds leaves it as it is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_error {
    /// sizeof(bedside_error), which bedside_error_init sets.
    pub size: usize,
    /// A bedside_status.
    pub status: i32,
    /// What was wrong, where, and what to do: English, UTF-8, terminated by zero. Of a longer one, start and end. It may contain file names, and never
    /// anything of a picture or a result.
    pub message: [c_char; BEDSIDE_MESSAGE_CAPACITY],
}

// SAFETY: `repr(C)`, it begins with its size, and all bytes are valid in every field.
unsafe impl LeadingSize for bedside_error {
    const FIRST: usize = offset_of!(bedside_error, message) + size_of::<[c_char; BEDSIDE_MESSAGE_CAPACITY]>();

    fn initial() -> bedside_error {
        bedside_error { size: size_of::<bedside_error>(), status: Status::BEDSIDE_STATUS_OK as i32, message: [0; _] }
    }
}

/// Sets the status to BEDSIDE_STATUS_OK and the message to "". `size` is sizeof(bedside_error).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_error_init(error: *mut bedside_error, size: usize) -> bedside_status {
    // SAFETY: the caller gives null or a struct of this size.
    unsafe { sized::initialize(error, size) }
}

/// Why a call of this border fails.
pub(super) enum Failure {
    /// An error of the library.
    Error(Error),
    /// A fault in the call itself: one of the statuses from 100 on, and what is wrong.
    Call(Status, String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

impl Failure {
    /// An argument that is not valid; the message begins with its name.
    pub(super) fn argument(message: impl Into<String>) -> Failure {
        Failure::Call(Status::BEDSIDE_STATUS_INVALID_ARGUMENT, message.into())
    }

    /// An argument that is null.
    pub(super) fn null(name: &str) -> Failure {
        Failure::argument(format!("{name} is null"))
    }

    /// Something that is not there.
    pub(super) fn absent(what: &str) -> Failure {
        Failure::Call(Status::BEDSIDE_STATUS_ABSENT, format!("there is no {what}"))
    }

    fn status(&self) -> Status {
        match self {
            Failure::Error(error) => status_of(error.kind()),
            Failure::Call(status, _) => *status,
        }
    }
}

pub(super) type Outcome<T = ()> = Result<T, Failure>;

/// Runs a call and returns its status. A panic becomes [`ErrorKind::Internal`].
///
/// # Safety
/// `error` is null, or points to a struct that begins with its size.
pub(super) unsafe fn answered(error: *mut bedside_error, call: impl FnOnce() -> Outcome) -> Status {
    let Err(failure) = guarded(|| Ok(call())).map_err(Failure::from).flatten() else {
        return Status::BEDSIDE_STATUS_OK;
    };
    let status = failure.status();
    if !error.is_null() {
        let mut written = bedside_error { status: status as i32, ..bedside_error::initial() };
        match failure {
            Failure::Error(found) => write_message(&mut written.message, &found.to_string()),
            Failure::Call(_, message) => write_message(&mut written.message, &message),
        }
        // SAFETY: as the caller promises. A struct whose size is not set is left as it is.
        let _ = unsafe { sized::write(error, written, "error") };
    }
    status
}

/// Runs a call that fails for nothing but its arguments, and returns its status.
pub(super) fn without_message(call: impl FnOnce() -> Outcome) -> Status {
    // SAFETY: null is allowed.
    unsafe { answered(std::ptr::null_mut(), call) }
}

/// Writes a text, which ends at its first zero, and a terminating zero. Of a longer one, its start, `…`, and its end: a
/// message begins with a file's name, which may be long, and ends with what was wrong.
fn write_message(message: &mut [c_char; BEDSIDE_MESSAGE_CAPACITY], text: &str) {
    const ROOM: usize = BEDSIDE_MESSAGE_CAPACITY - 1;
    let text = text.split('\0').next().unwrap_or_default();
    let parts = if text.len() <= ROOM {
        [text, "", ""]
    } else {
        let start = &text[..text.floor_char_boundary(ROOM / 2)];
        let left = ROOM - start.len() - "…".len();
        [start, "…", &text[text.ceil_char_boundary(text.len() - left)..]]
    };
    let bytes = parts.into_iter().flat_map(str::bytes).chain([0]);
    message.iter_mut().zip(bytes).for_each(|(to, from)| *to = from as c_char);
}

/// The status of a kind of error.
fn status_of(kind: ErrorKind) -> Status {
    match kind {
        ErrorKind::Io => Status::BEDSIDE_STATUS_IO,
        ErrorKind::UnsupportedImage => Status::BEDSIDE_STATUS_UNSUPPORTED_IMAGE,
        ErrorKind::MalformedImage => Status::BEDSIDE_STATUS_MALFORMED_IMAGE,
        ErrorKind::TooLarge => Status::BEDSIDE_STATUS_TOO_LARGE,
        ErrorKind::MalformedModel => Status::BEDSIDE_STATUS_MALFORMED_MODEL,
        ErrorKind::UnsupportedModel => Status::BEDSIDE_STATUS_UNSUPPORTED_MODEL,
        ErrorKind::InvalidManifest => Status::BEDSIDE_STATUS_INVALID_MANIFEST,
        ErrorKind::InvalidQuery => Status::BEDSIDE_STATUS_INVALID_QUERY,
        ErrorKind::Cancelled => Status::BEDSIDE_STATUS_CANCELLED,
        ErrorKind::SelfTest => Status::BEDSIDE_STATUS_SELF_TEST,
        ErrorKind::Internal => Status::BEDSIDE_STATUS_INTERNAL,
        other => unreachable!("the error kind {} is not known to the border: a test compares", other.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_kind_has_the_status_of_its_place() {
        for (index, &kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(status_of(kind) as usize, index + 1, "{}", kind.as_str());
        }
    }

    /// The text up to the first zero.
    fn written(message: &[c_char]) -> String {
        let bytes: Vec<u8> = message.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
        String::from_utf8(bytes).expect("whole characters")
    }

    #[test]
    fn long_message_keeps_its_start_and_its_end_in_whole_characters() {
        let mut message = [1; BEDSIDE_MESSAGE_CAPACITY];
        write_message(&mut message, &format!("{}: no such file", "ї".repeat(BEDSIDE_MESSAGE_CAPACITY)));
        // 1,023 bytes: half of them are 255 whole characters, 3 are `…`, and of the other 510 are 14 the end.
        assert_eq!(written(&message), format!("{}…{}: no such file", "ї".repeat(255), "ї".repeat(248)));
        write_message(&mut message, &"a".repeat(BEDSIDE_MESSAGE_CAPACITY - 1));
        assert_eq!(written(&message), "a".repeat(BEDSIDE_MESSAGE_CAPACITY - 1));
    }

    #[test]
    fn message_ends_at_a_zero() {
        let mut message = [1; BEDSIDE_MESSAGE_CAPACITY];
        write_message(&mut message, "a\0b");
        assert_eq!(written(&message), "a");
    }
}
