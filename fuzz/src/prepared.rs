//! Prepared models whose head is right whatever happened to what follows it. `engine/src/prepared/mod.rs` says how a file
//! begins.

use sha2::{Digest, Sha256};

use crate::bytes::mutated;
use crate::random::Random;

/// Where the checksum stands, and where what it is of begins.
const SUM_AT: usize = 12;
const CONTENT_AT: usize = 44;

/// Changes a prepared model and computes its checksum anew.
pub fn mutate(file: &[u8], most: usize, seed: u32) -> Vec<u8> {
    let mut random = Random::new(seed);
    if file.len() < CONTENT_AT || random.once_in(200) {
        return mutated(file, most);
    }
    let (head, content) = file.split_at(CONTENT_AT);
    let mut content = content.to_vec();
    if random.once_in(3) {
        content = mutated(&content, most.saturating_sub(CONTENT_AT));
    } else {
        for _ in 0..=random.below(3) {
            change_number(&mut content, &mut random);
        }
    }
    sealed(head, &content)
}

/// The first part of one and the second of another.
pub fn joined(one: &[u8], other: &[u8], seed: u32) -> Vec<u8> {
    if one.len() < CONTENT_AT || other.len() < CONTENT_AT {
        return one.to_vec();
    }
    let mut random = Random::new(seed);
    let (head, one) = one.split_at(CONTENT_AT);
    let other = &other[CONTENT_AT..];
    // At the same place mostly: both are likely to be of one origin.
    let at = random.below(one.len() + 1);
    let from = if random.once_in(4) { random.below(other.len() + 1) } else { at.min(other.len()) };
    sealed(head, &[&one[..at], &other[from..]].concat())
}

/// The head with the checksum of the content, and the content.
pub fn sealed(head: &[u8], content: &[u8]) -> Vec<u8> {
    let mut file = [head, content].concat();
    file[SUM_AT..CONTENT_AT].copy_from_slice(&Sha256::digest(content));
    file
}

/// Most of what a file says are words of four bytes, at any place: names have any length.
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
