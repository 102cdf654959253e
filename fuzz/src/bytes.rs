//! Bytes as libFuzzer hands them over.

/// What libFuzzer's own mutators make of these bytes, at most `most` of them. They make something of nothing, but nothing of
/// no room.
pub fn mutated(bytes: &[u8], most: usize) -> Vec<u8> {
    if most == 0 {
        return Vec::new();
    }
    let mut room = bytes.to_vec();
    room.resize(most.max(bytes.len()), 0);
    let length = libfuzzer_sys::fuzzer_mutate(&mut room, bytes.len(), most);
    room.truncate(length);
    room
}

/// Puts a mutator's result where libFuzzer wants it, and gives its length; 0 where it is too long, upon which libFuzzer
/// tries again.
pub fn written(result: &[u8], data: &mut [u8], most: usize) -> usize {
    if result.len() > most {
        return 0;
    }
    data[..result.len()].copy_from_slice(result);
    result.len()
}

/// Numbers taken from the end of an input, so that what stands before them is a whole file: decoders pass over what
/// follows a picture.
pub struct Tail<'a>(&'a [u8]);

impl<'a> Tail<'a> {
    pub fn of(data: &'a [u8]) -> Tail<'a> {
        Tail(data)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((last, rest)) = self.0.split_last() else { return 0 };
        self.0 = rest;
        *last
    }

    /// 0…1.
    pub fn share(&mut self) -> f32 {
        f32::from(self.byte()) / 255.0
    }
}
