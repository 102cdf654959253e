//! The bytes of a file: in memory, or on the disk, of which a part is read at a time.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use super::error::malformed;
use super::tags::Tag;
use crate::{Error, ErrorKind, Result};

/// The bytes of a file.
pub(crate) enum Source<'a> {
    Bytes(Cow<'a, [u8]>),
    File(&'a OpenFile),
    /// The data set of a file that was deflated.
    Inflated(Cow<'a, [u8]>),
}

/// A file that was opened and is read by parts. Its length is that of when it was opened.
pub(crate) struct OpenFile {
    file: Mutex<File>,
    pub(crate) length: u64,
}

impl OpenFile {
    pub(crate) fn new(file: File, length: u64) -> OpenFile {
        OpenFile { file: Mutex::new(file), length }
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(into)
    }
}

impl Source<'_> {
    pub(super) fn length(&self) -> u64 {
        match self {
            Source::Bytes(bytes) | Source::Inflated(bytes) => bytes.len() as u64,
            Source::File(file) => file.length,
        }
    }

    /// Fills `into` with the bytes from `at` on, which must be inside the source.
    fn read(&self, at: u64, into: &mut [u8]) -> Result<()> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::new(ErrorKind::Io, "the file became shorter while it was read; open it again")
            }
            _ => Error::new(ErrorKind::Io, format!("the file can't be read: {error}")).caused_by(error),
        };
        match self {
            Source::Bytes(bytes) | Source::Inflated(bytes) => {
                into.copy_from_slice(&bytes[at as usize..][..into.len()]);
                Ok(())
            }
            Source::File(file) => file.read(at, into).map_err(failed),
        }
    }

    /// The bytes from `at` on, which `tag` says to be there.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`] where the source ends before.
    pub(super) fn bytes(&self, tag: Tag, at: u64, length: u64) -> Result<Cow<'_, [u8]>> {
        if at.checked_add(length).is_none_or(|end| end > self.length()) {
            return Err(malformed(tag, "ends after the file does"));
        }
        match self {
            Source::Bytes(bytes) | Source::Inflated(bytes) => {
                Ok(Cow::Borrowed(&bytes[at as usize..][..length as usize]))
            }
            Source::File(_) => {
                let mut bytes = vec![0; length as usize];
                self.read(at, &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

/// The most bytes that a reader takes from its source at once.
const WINDOW: u64 = 4096;

/// Reads elements from a source, one after the other.
pub(super) struct Reader<'s> {
    source: &'s Source<'s>,
    position: u64,
    /// What was read last: the bytes of the source from `start` on.
    window: Vec<u8>,
    start: u64,
    /// The element that was begun last, for messages.
    pub(super) tag: Option<Tag>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s Source<'s>, position: u64) -> Reader<'s> {
        Reader { source, position, window: Vec::new(), start: 0, tag: None }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn length(&self) -> u64 {
        self.source.length()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.position >= self.source.length()
    }

    /// Goes to a place in the file.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`] where it is after the end.
    pub(super) fn go_to(&mut self, position: u64) -> Result<()> {
        if position > self.source.length() {
            return Err(self.ends());
        }
        self.position = position;
        Ok(())
    }

    /// Leaves out so many bytes.
    pub(super) fn skip(&mut self, length: u64) -> Result<()> {
        let end = self.position.checked_add(length).ok_or_else(|| self.ends())?;
        self.go_to(end)
    }

    /// The next `N` bytes, at most 16.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let end = self.position + N as u64;
        if end > self.source.length() {
            return Err(self.ends());
        }
        if self.position < self.start || end > self.start + self.window.len() as u64 {
            let length = WINDOW.min(self.source.length() - self.position);
            self.window.resize(length as usize, 0);
            self.source.read(self.position, &mut self.window)?;
            self.start = self.position;
        }
        let from = (self.position - self.start) as usize;
        self.position = end;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.window[from..from + N]);
        Ok(bytes)
    }

    /// The next `length` bytes.
    pub(super) fn bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        if self.source.length() - self.position < length {
            return Err(self.ends());
        }
        let mut bytes = vec![0; length as usize];
        self.source.read(self.position, &mut bytes)?;
        self.position += length;
        Ok(bytes)
    }

    fn ends(&self) -> Error {
        match self.tag {
            Some(tag) => malformed(tag, "ends after the file does"),
            None => Error::new(
                ErrorKind::MalformedImage,
                "DICOM: the file ends before its first element does; copy or export the file again",
            ),
        }
    }
}
