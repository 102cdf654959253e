//! The outermost layer of an ONNX file: the fields of `ModelProto`, found without decoding their contents.
//!
//! The hash of a graph is that of its bytes in the file. Decoding and encoding again would lose fields that this
//! version does not know. (Packing a model does encode it again; the hash is then that of the bytes that it wrote.)
//! Wire types are those of Protocol Buffers ("Encoding", protobuf.dev).
//!
//! `onnx/graph.rs` decodes the contents. A build without the importer only tells an ONNX file from other files.

use std::ops::Range;

use crate::{Error, Result, foreign};

/// The number of the field `ModelProto.graph` in `onnx.proto`.
const GRAPH: u64 = 7;

// The wire types of ONNX's fields. Groups (3 and 4) are not among them.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED32: u64 = 5;

/// The range in `file` of the bytes of the `GraphProto`.
///
/// # Errors
/// [`Error::Malformed`] where `file` is no `ModelProto`, or has no graph or more than one; [`Error::Unsupported`] where it is
/// known to be something else.
pub(crate) fn graph_span(file: &[u8]) -> Result<Range<usize>> {
    let mut graph = None;
    let mut at = 0;
    while at < file.len() {
        let (field, body) = field_at(file, at).ok_or_else(|| not_onnx(file))?;
        if body.end > file.len() {
            return Err(cut_short(file, field, body.end));
        }
        at = body.end;
        if field == GRAPH && graph.replace(body).is_some() {
            return Err(Error::Malformed("this file has more than one ONNX graph at its top".into()));
        }
    }
    graph.ok_or_else(|| not_onnx(file))
}

/// The numbers of the fields of a message, in their order; `None` where its bytes are no fields to their end.
pub(crate) fn fields(message: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = vec![];
    let mut at = 0;
    while at < message.len() {
        let (number, body) = field_at(message, at).filter(|(_, body)| body.end <= message.len())?;
        numbers.push(number);
        at = body.end;
    }
    Some(numbers)
}

fn not_onnx(file: &[u8]) -> Error {
    match foreign::file(file) {
        Some(what) => Error::Unsupported(what),
        None if file.is_empty() => {
            Error::Malformed("an empty file is not an ONNX model; copy or download the model again".into())
        }
        None => Error::Malformed(
            "this is not an ONNX model, or a truncated one; give a .onnx file as its exporter wrote it".into(),
        ),
    }
}

/// The error of a file whose field should end at `end`, behind the file's end. Only of a graph, behind `ir_version` (field 1),
/// it is sure that the file is ONNX.
fn cut_short(file: &[u8], field: u64, end: usize) -> Error {
    if field != GRAPH || file[0] != 1 << 3 {
        return not_onnx(file);
    }
    Error::Malformed(format!(
        "the ONNX model is cut short: it ends at byte {} of {end} or more; copy or download it again",
        file.len()
    ))
}

/// The field at offset `at`: its number, and the range of its body, whose end may be behind the file's. None where it is no valid
/// field.
fn field_at(file: &[u8], at: usize) -> Option<(u64, Range<usize>)> {
    let (key, mut body) = varint(file, at)?;
    let end = match key & 7 {
        VARINT => varint(file, body)?.1,
        FIXED64 => body + 8,
        FIXED32 => body + 4,
        LENGTH_DELIMITED => {
            let (length, start) = varint(file, body)?;
            body = start;
            start.checked_add(usize::try_from(length).ok()?)?
        }
        _ => return None,
    };
    Some((key >> 3, body..end))
}

/// The varint at offset `at`, and the offset after it. None where it is longer than 64 bits or than the file.
fn varint(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value, at));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand from the encoding's description: `ir_version` 8 (field 1, varint), `producer_name` "ab"
    /// (field 2), `graph` with three bytes (field 7).
    const MODEL: [u8; 11] = [0x08, 0x08, 0x12, 0x02, b'a', b'b', 0x3a, 0x03, 0x12, 0x01, b'g'];

    #[test]
    fn graph_span_finds_the_graph_after_other_fields() {
        assert_eq!(graph_span(&MODEL).expect("sound"), 8..11);
    }

    #[test]
    fn graph_span_refuses_every_truncation() {
        for end in 0..MODEL.len() {
            assert!(matches!(graph_span(&MODEL[..end]), Err(Error::Malformed(_))), "{end}");
        }
    }

    #[test]
    fn graph_span_says_where_a_graph_is_cut_short() {
        let cut = |end: usize| graph_span(&MODEL[..end]).expect_err("cut").to_string();
        assert!(cut(9).contains("it ends at byte 9 of 11 or more"), "{}", cut(9));
        // Before the graph's length, nothing says that it is ONNX.
        assert!(!cut(7).contains("ends at byte"), "{}", cut(7));
    }

    #[test]
    fn graph_span_refuses_a_length_beyond_the_file() {
        let huge = [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(graph_span(&huge).is_err());
        assert!(graph_span(b"This is a text file named model.onnx\n").is_err());
    }

    #[test]
    fn graph_span_refuses_two_graphs() {
        let twice = [&MODEL[..], &MODEL[6..]].concat();
        assert!(matches!(graph_span(&twice), Err(Error::Malformed(m)) if m.contains("more than one")));
    }
}
