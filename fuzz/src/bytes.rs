//! Bytes in the forms in which libFuzzer passes them.

/// The bytes as libFuzzer's own mutators change them, at most `max_len` of them. The mutators accept empty input, but
/// not a `max_len` of 0, which gives no bytes.
pub fn mutated(bytes: &[u8], max_len: usize) -> Vec<u8> {
    if max_len == 0 {
        return Vec::new();
    }
    let mut buffer = bytes.to_vec();
    buffer.resize(max_len.max(bytes.len()), 0);
    let length = libfuzzer_sys::fuzzer_mutate(&mut buffer, bytes.len(), max_len);
    buffer.truncate(length);
    buffer
}

/// Copies a mutator's result to the start of `data` and returns its length; 0 where it is longer than `max_len`, upon
/// which libFuzzer tries again.
pub fn written(result: &[u8], data: &mut [u8], max_len: usize) -> usize {
    if result.len() > max_len {
        return 0;
    }
    data[..result.len()].copy_from_slice(result);
    result.len()
}

/// Numbers that are taken from the end of an input. The bytes before them are a whole file, because decoders ignore
/// bytes after a picture.
pub struct Tail<'a>(&'a [u8]);

impl<'a> Tail<'a> {
    pub fn of(data: &'a [u8]) -> Tail<'a> {
        Tail(data)
    }

    /// The next byte from the end; 0 where none is left.
    pub fn byte(&mut self) -> u8 {
        let Some((last, remaining)) = self.0.split_last() else { return 0 };
        self.0 = remaining;
        *last
    }

    /// A number from 0 to 1, made of one byte.
    pub fn ratio(&mut self) -> f32 {
        f32::from(self.byte()) / 255.0
    }
}
