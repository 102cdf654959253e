//! The wire format of requests and replies: a byte array of numbers and strings, big-endian and without names, in an
//! order that both sides know. `Request.java` writes what `Reader` reads; `Reply.java` reads what `Writer` writes.

use bedside::{Error, ErrorKind, Result};

/// The version of the native methods, requests and replies: the 32-bit FNV-1a hash of `bindings/wire.txt`, which lists
/// the methods and has a sample of each request and reply. `Native.java` has the same number, and refuses a library
/// with another.
pub(super) const PROTOCOL: i32 = hash(include_bytes!("../../wire.txt"));

/// The 32-bit FNV-1a hash (Fowler, Noll and Vo) of a text without its carriage returns, which Git adds on Windows.
const fn hash(text: &[u8]) -> i32 {
    let (mut hash, mut i) = (0x811c_9dc5_u32, 0);
    while i < text.len() {
        if text[i] != b'\r' {
            hash = (hash ^ text[i] as u32).wrapping_mul(0x0100_0193);
        }
        i += 1;
    }
    hash.cast_signed()
}

/// Reads a request. A request that is too short, too long or not UTF-8 is a fault of the bindings:
/// [`ErrorKind::Internal`].
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        Ok(self.byte()? != 0)
    }

    /// A Java `int` that holds a size. Below 0 it is an [`ErrorKind::InvalidQuery`] with the name of the size.
    pub(super) fn size(&mut self, name: &str) -> Result<u32> {
        let value = i32::from_be_bytes(self.take()?);
        u32::try_from(value)
            .map_err(|_| Error::new(ErrorKind::InvalidQuery, format!("{name} is {value}; give 0 or more")))
    }

    /// A Java `long` that holds a size, as [`size`](Reader::size).
    pub(super) fn long_size(&mut self, name: &str) -> Result<u64> {
        let value = i64::from_be_bytes(self.take()?);
        u64::try_from(value)
            .map_err(|_| Error::new(ErrorKind::InvalidQuery, format!("{name} is {value}; give 0 or more")))
    }

    pub(super) fn float(&mut self) -> Result<f32> {
        Ok(f32::from_be_bytes(self.take()?))
    }

    pub(super) fn double(&mut self) -> Result<f64> {
        Ok(f64::from_be_bytes(self.take()?))
    }

    /// A string: its length in bytes, then UTF-8.
    pub(super) fn string(&mut self) -> Result<String> {
        let length = u32::from_be_bytes(self.take()?) as usize;
        let (text, remaining) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = remaining;
        String::from_utf8(text.to_vec()).map_err(|_| malformed())
    }

    /// An optional value: a flag, then the value where the flag is set.
    pub(super) fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A list: its length, then its items. The length allocates nothing, since the request may be shorter.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = u32::from_be_bytes(self.take()?);
        (0..count).map(|_| read(self)).collect()
    }

    /// Fails where bytes of the request are left.
    pub(super) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(malformed()) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, remaining) = self.0.split_first_chunk::<N>().ok_or_else(malformed)?;
        self.0 = remaining;
        Ok(*bytes)
    }
}

fn malformed() -> Error {
    Error::new(ErrorKind::Internal, "a request of the Java side is malformed: are jar and library of one version?")
}

/// Writes a reply.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, value: u8) -> &mut Writer {
        self.0.push(value);
        self
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut Writer {
        self.byte(value.into())
    }

    /// A Java `int` that holds a size.
    pub(super) fn int(&mut self, value: u32) -> &mut Writer {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn long(&mut self, value: i64) -> &mut Writer {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn float(&mut self, value: f32) -> &mut Writer {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn double(&mut self, value: f64) -> &mut Writer {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn string(&mut self, text: &str) -> &mut Writer {
        self.bytes(text.as_bytes())
    }

    /// Bytes after their number.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Writer {
        self.count(bytes.len());
        self.0.extend(bytes);
        self
    }

    /// An optional value: a flag, then the value where there is one.
    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) -> &mut Writer {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
        self
    }

    pub(super) fn list<T>(&mut self, values: &[T], write: impl Fn(&mut Writer, &T)) -> &mut Writer {
        self.count(values.len());
        for value in values {
            write(self, value);
        }
        self
    }

    /// The bytes of the reply; the writer is empty afterwards.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    fn count(&mut self, count: usize) {
        let count = i32::try_from(count).expect("a list or a text of a reply has fewer than 2^31 parts");
        self.0.extend(count.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_refuses_requests_of_wrong_length() {
        let sound = [0, 0, 0, 2, b'u', b'k'];
        let mut reader = Reader::new(&sound);
        assert_eq!(reader.string().expect("sound"), "uk");
        assert!(reader.end().is_ok());
        for length in 0..sound.len() {
            assert!(Reader::new(&sound[..length]).string().is_err(), "{length}");
        }
        assert!(Reader::new(&[1]).end().is_err());
        assert!(Reader::new(&[0xFF; 8]).list(Reader::byte).is_err());
    }

    #[test]
    fn hash_matches_the_fnv_1a_test_vectors() {
        // From the test vectors of draft-eastlake-fnv, for 32 bits.
        for (text, wanted) in [(&b""[..], 0x811c_9dc5_u32), (b"a", 0xe40c_292c), (b"foobar", 0xbf9c_f968)] {
            assert_eq!(hash(text).cast_unsigned(), wanted);
        }
        assert_eq!(hash(b"foo\r\nbar"), hash(b"foo\nbar"));
    }

    #[test]
    fn size_below_zero_is_an_error_that_names_it() {
        let error = Reader::new(&(-1i32).to_be_bytes()).size("width").expect_err("below zero");
        assert_eq!(error.to_string(), "width is -1; give 0 or more");
    }
}
