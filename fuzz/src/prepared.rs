//! A mutator of prepared models that changes the content and recomputes the checksum in the header, without which no
//! content would be read. `engine/src/prepared/mod.rs` describes the header.

use sha2::{Digest, Sha256};

use crate::bytes::mutated;
use crate::random::Random;

/// The offset of the checksum, in bytes.
const SUM_AT: usize = 12;
/// The offset of the content that the checksum covers, in bytes.
const CONTENT_AT: usize = 44;

/// Changes the content of a prepared model and recomputes its checksum. Once in 200 times, and where the file is
/// shorter than a header, changes any bytes instead.
pub fn mutate(file: &[u8], max_len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random::new(seed);
    if file.len() < CONTENT_AT || random.once_in(200) {
        return mutated(file, max_len);
    }
    let (head, content) = file.split_at(CONTENT_AT);
    let mut content = content.to_vec();
    if random.once_in(3) {
        content = mutated(&content, max_len.saturating_sub(CONTENT_AT));
    } else {
        for _ in 0..=random.below(3) {
            change_number(&mut content, &mut random);
        }
    }
    sealed(head, &content)
}

/// A model whose content is the first part of one model's and the last part of another's.
pub fn joined(one: &[u8], other: &[u8], seed: u32) -> Vec<u8> {
    if one.len() < CONTENT_AT || other.len() < CONTENT_AT {
        return one.to_vec();
    }
    let mut random = Random::new(seed);
    let (head, one) = one.split_at(CONTENT_AT);
    let other = &other[CONTENT_AT..];
    // Mostly at the same offset, because both are likely to come from one model.
    let at = random.below(one.len() + 1);
    let from = if random.once_in(4) { random.below(other.len() + 1) } else { at.min(other.len()) };
    sealed(head, &[&one[..at], &other[from..]].concat())
}

/// A file: the header `head` with the checksum of `content`, and the content.
pub fn sealed(head: &[u8], content: &[u8]) -> Vec<u8> {
    let mut file = [head, content].concat();
    file[SUM_AT..CONTENT_AT].copy_from_slice(&Sha256::digest(content));
    file
}

/// Changes four bytes at a random offset. Most fields are words of four bytes, which are not aligned, because names
/// have any length.
fn change_number(content: &mut [u8], random: &mut Random) {
    let Some(last) = content.len().checked_sub(4) else { return };
    let at = random.below(last + 1);
    let word = <[u8; 4]>::try_from(&content[at..at + 4]).expect("four bytes");
    let changed = match random.below(6) {
        0 => random.float(f32::from_le_bytes(word)).to_le_bytes(),
        1 => {
            let mut word = word;
            word[0] = random.number(word[0].into()) as u8;
            word
        }
        _ => (random.number(u32::from_le_bytes(word).into()) as u32).to_le_bytes(),
    };
    content[at..at + 4].copy_from_slice(&changed);
}
