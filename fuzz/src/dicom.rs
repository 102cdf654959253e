//! A mutator that keeps a DICOM file a list of elements, explicit and little-endian, behind its preamble.

use crate::{Random, mutated};

/// Where the first element begins: after the preamble and its prefix.
const START: usize = 132;

/// The transfer syntaxes that are read, and some that are not.
const SYNTAXES: [&str; 14] = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.110",
];

/// An element, without its length.
#[derive(Clone)]
struct Element {
    tag: [u8; 4],
    vr: [u8; 2],
    /// A length that is not the value's, if there is one.
    length: Option<u32>,
    value: Vec<u8>,
}

fn is_long(vr: [u8; 2]) -> bool {
    matches!(&vr, b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"UC" | b"UN" | b"UR" | b"UT")
}

/// The elements of a file, of which the last may hold the rest of the bytes. `None` where it is none of this form.
fn elements(file: &[u8]) -> Option<Vec<Element>> {
    let mut rest = file.get(START..)?;
    let mut elements = Vec::new();
    while let [a, b, c, d, e, f, after @ ..] = rest {
        let (tag, vr) = ([*a, *b, *c, *d], [*e, *f]);
        let (length, value) = if is_long(vr) {
            let (length, value) = after.get(2..)?.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*length), value)
        } else {
            let (length, value) = after.split_first_chunk::<2>()?;
            (u32::from(u16::from_le_bytes(*length)), value)
        };
        let (own, wrong) = match value.split_at_checked(length as usize) {
            Some((own, after)) => {
                rest = after;
                (own, None)
            }
            None => {
                rest = &[];
                (value, Some(length))
            }
        };
        elements.push(Element { tag, vr, length: wrong, value: own.to_vec() });
    }
    (!elements.is_empty()).then_some(elements)
}

fn file(preamble: &[u8], elements: &[Element]) -> Vec<u8> {
    let mut file = preamble.to_vec();
    for Element { tag, vr, length, value } in elements {
        file.extend(tag);
        file.extend(vr);
        let length = length.unwrap_or(value.len() as u32);
        if is_long(*vr) {
            file.extend([0, 0]);
            file.extend(length.to_le_bytes());
        } else {
            file.extend((length as u16).to_le_bytes());
        }
        file.extend(value);
    }
    file
}

/// The file with a change in one of its elements, or among its bytes.
pub fn changed(bytes: &[u8], max_len: usize, random: &mut Random) -> Vec<u8> {
    let Some(mut elements) = elements(bytes).filter(|_| !random.once_in(4)) else { return mutated(bytes, max_len) };
    let index = random.below(elements.len());
    let element = &mut elements[index];
    match random.below(8) {
        0 | 1 => element.value = mutated(&element.value, (element.value.len() + 16).min(max_len)),
        2 => {
            let near = element.value.first_chunk().map_or(0, |number| i64::from(u16::from_le_bytes(*number)));
            let number = (random.number(near) as u16).to_le_bytes();
            element.value.splice(..element.value.len().min(2), number);
        }
        3 => element.length = Some(random.number(element.value.len() as i64) as u32),
        4 => element.tag = mutated(&element.tag, 4).try_into().unwrap_or(element.tag),
        5 => {
            let copy = element.clone();
            let place = random.below(elements.len() + 1);
            elements.insert(place, copy);
        }
        6 => drop(elements.remove(index)),
        _ => {
            let syntax = random.of(&SYNTAXES).copied().unwrap_or_default();
            if let Some(element) = elements.iter_mut().find(|element| element.tag == [2, 0, 16, 0]) {
                element.value = syntax.as_bytes().to_vec();
            }
        }
    }
    file(&bytes[..START], &elements)
}
