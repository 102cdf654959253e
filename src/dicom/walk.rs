//! The walk over the elements of a data set (PS3.5 section 7), which finds the pixels at its end.
//!
//! It goes through sequences without recursion, and allocates nothing that grows with the file: hostile files are as
//! cheap as others.

use super::error::malformed;
use super::source::Reader;
use super::syntax::Encoding;
use super::tags::{self, Tag};
use crate::Result;

/// The most sequences that may lie within each other.
const MAX_DEPTH: usize = 32;

/// An element's header. The reader stands at its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    pub(super) tag: Tag,
    /// Its value representation; zeros where the encoding states none.
    pub(super) vr: [u8; 2],
    /// The bytes of its value. `None` where a delimiter ends it.
    pub(super) length: Option<u64>,
    pub(super) encoding: Encoding,
}

/// What a walk tells of.
pub(super) trait Visitor {
    /// Whether the elements in this sequence are wanted. `path` are the sequences that it lies in.
    fn enters(&self, path: &[Tag], sequence: Tag) -> bool;

    /// An item of a wanted sequence begins. The last tag of `path` is the sequence.
    fn item(&mut self, path: &[Tag]) -> Result<()>;

    /// An element that is no sequence. What is not read of its value is left out.
    fn element(&mut self, path: &[Tag], element: &Element, reader: &mut Reader<'_>) -> Result<()>;
}

/// A sequence or an item that the walk is in.
struct Level {
    is_item: bool,
    /// Where it ends; `None` where a delimiter ends it.
    end: Option<u64>,
    encoding: Encoding,
    is_wanted: bool,
}

/// Visits the elements from the reader's position on, to the pixels or to the end of the file. Returns the header of the
/// pixels, at whose value the reader then stands.
pub(super) fn walk(reader: &mut Reader<'_>, encoding: Encoding, visitor: &mut impl Visitor) -> Result<Option<Element>> {
    let mut levels: Vec<Level> = Vec::new();
    // The tags of the sequences among them.
    let mut path: Vec<Tag> = Vec::new();
    loop {
        while let Some(Level { end: Some(end), is_item, .. }) = levels.last() {
            if reader.position() < *end {
                break;
            }
            if reader.position() > *end {
                return Err(malformed(path[path.len() - 1], "is shorter than what it holds"));
            }
            if !is_item {
                path.pop();
            }
            levels.pop();
        }
        if levels.is_empty() && reader.is_at_end() {
            return Ok(None);
        }
        let encoding = levels.last().map_or(encoding, |level| level.encoding);
        let element = header(reader, encoding)?;
        let is_in_sequence = levels.last().is_some_and(|level| !level.is_item);
        match element.tag {
            tags::ITEM if is_in_sequence => {
                let is_wanted = levels.last().is_some_and(|level| level.is_wanted);
                if is_wanted {
                    visitor.item(&path)?;
                } else if let Some(length) = element.length {
                    reader.skip(length)?;
                    continue;
                }
                let end = end(reader, &element)?;
                levels.push(Level { is_item: true, end, encoding, is_wanted });
            }
            tags::ITEM_END if levels.last().is_some_and(|level| level.is_item) => drop(levels.pop()),
            tags::SEQUENCE_END if is_in_sequence => {
                levels.pop();
                path.pop();
            }
            tags::ITEM | tags::ITEM_END | tags::SEQUENCE_END => {
                return Err(malformed(element.tag, "lies where none belongs"));
            }
            tag if is_in_sequence => return Err(malformed(tag, "is not an item of a sequence")),
            tags::PIXELS | tags::FLOAT_PIXELS | tags::DOUBLE_PIXELS if levels.is_empty() => return Ok(Some(element)),
            tag if is_sequence(&element, visitor.enters(&path, tag)) => {
                let is_wanted = levels.last().is_none_or(|level| level.is_wanted) && visitor.enters(&path, tag);
                if let (false, Some(length)) = (is_wanted, element.length) {
                    reader.skip(length)?;
                    continue;
                }
                if path.len() == MAX_DEPTH {
                    return Err(malformed(tag, format!("lies in more than {MAX_DEPTH} sequences")));
                }
                let end = end(reader, &element)?;
                // What is unknown and has no length is encoded so (PS3.5 6.2.2, note 4).
                let encoding = if &element.vr == b"UN" { Encoding::IMPLICIT } else { encoding };
                path.push(tag);
                levels.push(Level { is_item: false, end, encoding, is_wanted });
            }
            tag => {
                let Some(length) = element.length else { return Err(malformed(tag, "has no length")) };
                let after = reader.position() + length;
                if levels.last().is_none_or(|level| level.is_wanted) {
                    if after > reader.length() {
                        return Err(malformed(tag, "ends after the file does"));
                    }
                    visitor.element(&path, &element, reader)?;
                }
                reader.go_to(after)?;
            }
        }
    }
}

/// Reads the header of an element.
pub(super) fn header(reader: &mut Reader<'_>, encoding: Encoding) -> Result<Element> {
    let bytes: [u8; 4] = reader.array()?;
    let [group, number] = [[bytes[0], bytes[1]], [bytes[2], bytes[3]]].map(|half| u32::from(encoding.u16(half)));
    let tag = Tag(group << 16 | number);
    reader.tag = Some(tag);
    let is_delimiter = matches!(tag, tags::ITEM | tags::ITEM_END | tags::SEQUENCE_END);
    let mut vr = [0; 2];
    let mut is_long = true;
    if !encoding.is_implicit && !is_delimiter {
        vr = reader.array()?;
        if !vr.iter().all(u8::is_ascii_uppercase) {
            return Err(malformed(tag, "has no value representation"));
        }
        is_long = matches!(
            &vr,
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV"
        );
        if is_long {
            reader.skip(2)?;
        }
    }
    let length = if is_long { encoding.u32(reader.array()?) } else { u32::from(encoding.u16(reader.array()?)) };
    let length = (!is_long || length != u32::MAX).then_some(u64::from(length));
    Ok(Element { tag, vr, length, encoding })
}

/// Whether an element is a sequence. An encoding without value representations says so of those alone that have no
/// length; `is_known` that it is one of those that are wanted.
fn is_sequence(element: &Element, is_known: bool) -> bool {
    match &element.vr {
        b"SQ" => true,
        // Without a length: what is unknown, or the fragments of a picture within the data set, as of an icon.
        b"UN" | b"OB" | b"OW" => element.length.is_none(),
        [0, 0] => element.length.is_none() || is_known,
        _ => false,
    }
}

/// Where an element ends, of which the reader stands at the value.
fn end(reader: &Reader<'_>, element: &Element) -> Result<Option<u64>> {
    let end = element.length.map(|length| reader.position() + length);
    if end.is_some_and(|end| end > reader.length()) {
        return Err(malformed(element.tag, "ends after the file does"));
    }
    Ok(end)
}
