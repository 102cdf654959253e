//! Bounded reading of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::{Error, Result, foreign};

/// The bytes of a model file.
///
/// # Errors
/// [`Error::TooLarge`] where there are more than `max_bytes`; [`Error::Unsupported`] for a folder that is a model of another kind;
/// [`Error::Io`].
pub(crate) fn model_bytes(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    read_bounded(path, max_bytes).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => Error::TooLarge(format!("the model has {source}")),
        io::ErrorKind::IsADirectory => match foreign::folder(path) {
            Some(what) => Error::Unsupported(what),
            None => Error::Io { path: path.to_owned(), source },
        },
        _ => Error::Io { path: path.to_owned(), source },
    })
}

/// All bytes of a file, at most `max_bytes`. Pipes and devices are read to their end, which can block.
///
/// # Errors
/// [`IsADirectory`](io::ErrorKind::IsADirectory) for a folder; [`FileTooLarge`](io::ErrorKind::FileTooLarge) where
/// there are more bytes, even if the file system states fewer, with the size and the limit as its text ("17 bytes; the
/// limit is 16"); any error of the operating system.
pub fn read_bounded(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let stated = metadata.len();
    let mut bytes = Vec::new();
    if stated <= max_bytes {
        // One byte more, so that the last read finds the end of the file without growing the buffer.
        bytes.try_reserve_exact(usize::try_from(stated).unwrap_or(usize::MAX).saturating_add(1))?;
        file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    let size = stated.max(bytes.len() as u64);
    if size > max_bytes {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} bytes; the limit is {max_bytes}")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Linux states a length of 0 for files whose contents it generates when they are read.
    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
    fn read_bounded_enforces_the_limit_on_a_file_of_stated_length_zero() {
        let path = Path::new("/proc/self/status");
        assert_eq!(fs::metadata(path).expect("there").len(), 0);
        let error = read_bounded(path, 16).expect_err("longer");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "17 bytes; the limit is 16");
        assert!(read_bounded(path, u64::MAX).expect("readable").starts_with(b"Name:"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
    fn read_bounded_reads_a_file_of_exactly_the_limit() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let whole = fs::read(path).expect("readable");
        let size = whole.len() as u64;
        assert_eq!(read_bounded(path, size).expect("within"), whole);
        let error = read_bounded(path, size - 1).expect_err("longer");
        assert_eq!(error.to_string(), format!("{size} bytes; the limit is {}", size - 1));
        let folder = path.parent().expect("a folder");
        assert_eq!(read_bounded(folder, size).expect_err("a folder").kind(), io::ErrorKind::IsADirectory);
    }
}
