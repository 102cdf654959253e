//! The beginning of a file (PS3.10 section 7): a preamble and the meta information, or, in old files, the data set at once.

use super::error::malformed;
use super::header::{Collector, Header};
use super::source::{Reader, Source};
use super::syntax::{Encoding, Syntax};
use super::tags;
use super::walk::{Visitor, header};
use crate::{Error, ErrorKind, Result};

/// As many bytes of a file as it takes to tell what it is.
pub(crate) const HEAD: usize = 140;
/// The bytes of the preamble, of any content, before the prefix.
const PREAMBLE: usize = 128;

/// Whether this is DICOM. `bytes` are the beginning of a file, at least [`HEAD`] bytes where it has as many.
///
/// With a preamble it has `DICM` after 128 bytes of any content, which can be another format's header, and then an element:
/// that tells it from a picture that has these letters by chance. Without one it begins with an element of group 2 or 8.
pub(crate) fn is_dicom(bytes: &[u8]) -> bool {
    let has_prefix = bytes.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM");
    (has_prefix && first_element(&bytes[PREAMBLE + 4..]).is_some()) || first_element(bytes).is_some()
}

/// The encoding of the element that the bytes begin with, if it is one of those that files begin with.
fn first_element(bytes: &[u8]) -> Option<Encoding> {
    let (tag, rest) = bytes.split_at_checked(4)?;
    let (vr, length) = (rest.get(..2)?, rest.get(..4)?);
    let has_vr = matches!(
        vr,
        [b'U', b'L' | b'I' | b'S' | b'N']
            | [b'O', b'B']
            | [b'C', b'S']
            | [b'D', b'A' | b'T']
            | [b'T', b'M']
            | [b'S', b'H' | b'Q' | b'T']
            | [b'L', b'O' | b'T']
            | [b'P', b'N']
    );
    match tag {
        [2 | 8, 0, 0..=0x90, 0] if has_vr => Some(Encoding::EXPLICIT),
        [0, 8, 0, 0..=0x90] if has_vr => Some(Encoding::BIG_ENDIAN),
        // A length of an even number of bytes, which are few.
        [2 | 8, 0, 0..=0x90, 0] if matches!(length, [0..=64, 0, 0, 0]) && length[0].is_multiple_of(2) => {
            Some(Encoding::IMPLICIT)
        }
        _ => None,
    }
}

/// Where the data set begins, and how it is encoded.
pub(super) fn data_set(source: &Source<'_>) -> Result<(u64, Syntax)> {
    if let Source::Inflated(_) = source {
        return Ok((0, Syntax::native(Encoding::EXPLICIT)));
    }
    let start = if has_prefix(source)? { PREAMBLE as u64 + 4 } else { 0 };
    let head = source.bytes(tags::TRANSFER_SYNTAX, start, (source.length() - start).min(8))?;
    if !matches!(head[..], [2, 0, ..]) {
        let encoding = first_element(&head).ok_or_else(|| malformed(tags::TRANSFER_SYNTAX, "is missing"))?;
        return Ok((start, Syntax::native(encoding)));
    }
    // The meta information is explicit; some old writers' is not.
    let encoding = first_element(&head).unwrap_or(Encoding::EXPLICIT);
    let (end, header) = meta_information(source, start, encoding)?;
    let uid = header.transfer_syntax.ok_or_else(|| malformed(tags::TRANSFER_SYNTAX, "is missing"))?;
    Ok((end, Syntax::of(&uid)?))
}

/// Where the deflated data set of a file begins; `None` where it is not deflated.
pub(super) fn deflated(source: &Source<'_>) -> Result<Option<u64>> {
    let (start, syntax) = data_set(source)?;
    Ok(syntax.is_deflated.then_some(start))
}

fn has_prefix(source: &Source<'_>) -> Result<bool> {
    if source.length() < PREAMBLE as u64 + 4 {
        return Ok(false);
    }
    Ok(*source.bytes(tags::TRANSFER_SYNTAX, PREAMBLE as u64, 4)? == *b"DICM")
}

/// The elements of group 2, and where they end. The group's length is not relied on.
fn meta_information(source: &Source<'_>, start: u64, encoding: Encoding) -> Result<(u64, Header)> {
    let mut reader = Reader::new(source, start);
    let mut collector = Collector::new(0);
    while !reader.is_at_end() {
        let at = reader.position();
        let group: [u8; 2] = reader.array()?;
        reader.go_to(at)?;
        if group != [2, 0] {
            return Ok((at, collector.header));
        }
        let element = header(&mut reader, encoding)?;
        let length = element.length.ok_or_else(|| malformed(element.tag, "has no length"))?;
        let end = reader.position() + length;
        collector.element(&[], &element, &mut reader)?;
        reader.go_to(end)?;
    }
    Err(Error::new(
        ErrorKind::MalformedImage,
        "DICOM: the file ends after its meta information; copy or export it again",
    ))
}
