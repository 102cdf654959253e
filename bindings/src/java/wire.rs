//! What goes over the border in one piece: a byte array of numbers and strings, big-endian, in the order in which both
//! sides name them. `Request.java` writes what `Reader` reads; `Reply.java` reads what `Writer` writes.

use bedside::{Error, Result};

/// Which form this is of native methods, requests and replies: the 32-bit FNV-1a hash of `bindings/wire.txt`, which has a
/// sample of each. `Native.java` has the same number, and refuses a library of another.
pub(super) const PROTOCOL: i32 = hash(include_bytes!("../../wire.txt"));

/// FNV-1a (Fowler, Noll and Vo), without carriage returns: Git puts them into text on Windows.
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

/// Reads a request. One that ends too early or goes on too long is a fault of the bindings themselves.
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

    /// A Java `int` that stands for a size: below 0 is an error that says so.
    pub(super) fn size(&mut self, name: &str) -> Result<u32> {
        let value = i32::from_be_bytes(self.take()?);
        u32::try_from(value).map_err(|_| Error::InvalidQuery(format!("{name} is {value}; give 0 or more")))
    }

    /// A Java `long` that stands for a size.
    pub(super) fn long_size(&mut self, name: &str) -> Result<u64> {
        let value = i64::from_be_bytes(self.take()?);
        u64::try_from(value).map_err(|_| Error::InvalidQuery(format!("{name} is {value}; give 0 or more")))
    }

    pub(super) fn float(&mut self) -> Result<f32> {
        Ok(f32::from_be_bytes(self.take()?))
    }

    pub(super) fn double(&mut self) -> Result<f64> {
        Ok(f64::from_be_bytes(self.take()?))
    }

    pub(super) fn string(&mut self) -> Result<String> {
        let length = u32::from_be_bytes(self.take()?) as usize;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| malformed())
    }

    /// A value that may be left out.
    pub(super) fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = u32::from_be_bytes(self.take()?);
        (0..count).map(|_| read(self)).collect()
    }

    /// The request's end.
    pub(super) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(malformed()) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(*bytes)
    }
}

fn malformed() -> Error {
    Error::Internal("a request of the Java side is malformed: are jar and library of one version?".into())
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
        self.count(text.len());
        self.0.extend(text.as_bytes());
        self
    }

    /// A value that may be left out.
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

    /// The reply as it goes over: first how the call ended.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    fn count(&mut self, count: usize) {
        let count = i32::try_from(count).expect("no list or text of a reply has two thousand million parts");
        self.0.extend(count.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_ends_too_early_or_goes_on_too_long_is_an_error() {
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
    fn the_hash_is_fnv_1a() {
        // From the test vectors of draft-eastlake-fnv, for 32 bits.
        for (text, wanted) in [(&b""[..], 0x811c_9dc5_u32), (b"a", 0xe40c_292c), (b"foobar", 0xbf9c_f968)] {
            assert_eq!(hash(text).cast_unsigned(), wanted);
        }
        assert_eq!(hash(b"foo\r\nbar"), hash(b"foo\nbar"));
    }

    #[test]
    fn a_size_below_zero_is_an_error_that_names_it() {
        let error = Reader::new(&(-1i32).to_be_bytes()).size("width").expect_err("below zero");
        assert_eq!(error.to_string(), "width is -1; give 0 or more");
    }
}
