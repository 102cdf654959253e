//! What the containers keep beside the pixels, as far as it says how these lie: EXIF, and Adobe's XMP where EXIF says
//! nothing of it.
//!
//! Where two blocks contradict each other, the one counts that counts for Pillow's `ImageOps.exif_transpose`.

use std::borrow::Cow;

use ::image::ImageFormat;

use super::exif::{self, Stored};
use super::format::Format;
use super::orientation::Orientation;

/// The longest block that is put together here, of segments or from text, in bytes: as much text as Pillow inflates.
const MAX_BLOCK: usize = 1 << 20;

/// How the pixels of an encoded picture lie. Damage never is an error: a picture whose metadata can't be read is taken as
/// upright.
pub(super) fn orientation(format: Format, bytes: &[u8]) -> Orientation {
    let Metadata { exif, xmp } = match format {
        Format::Jpeg => of_jpeg(bytes),
        Format::Other(ImageFormat::Png) => of_png(bytes),
        Format::Other(ImageFormat::WebP) => of_webp(bytes),
        Format::Other(ImageFormat::Tiff) => Metadata { exif: Some(bytes.into()), xmp: exif::xmp(bytes).map(Cow::from) },
        Format::Other(_) => Metadata::default(),
    };
    match exif.map_or(Stored::Silent, |block| exif::orientation(&block)) {
        Stored::Value(value) => Orientation::from_exif(value),
        Stored::Silent => {
            xmp.and_then(|packet| in_xmp(&packet)).map_or_else(Orientation::default, Orientation::from_exif)
        }
    }
}

/// The blocks of a file.
#[derive(Default)]
struct Metadata<'a> {
    /// A TIFF structure, behind a prefix or not.
    exif: Option<Cow<'a, [u8]>>,
    /// A packet of XML.
    xmp: Option<Cow<'a, [u8]>>,
}

/// The digit of `tiff:Orientation` in an XMP packet (XMP specification, part 2, 3.3), as an attribute or an element.
fn in_xmp(packet: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    let names = packet.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    names.map(|(at, _)| &packet[at + NAME.len()..]).find_map(|rest| match rest {
        [b'=', b'"', digit @ b'0'..=b'9', ..] | [b'>', digit @ b'0'..=b'9', ..] => Some(digit - b'0'),
        _ => None,
    })
}

/// The segments APP1 before the first scan (EXIF 2.32, 4.5.5; XMP specification, part 3, 1.1.3). EXIF that is longer than
/// a segment goes on in the next.
fn of_jpeg(bytes: &[u8]) -> Metadata<'_> {
    let mut found = Metadata::default();
    let mut rest = bytes;
    while let Some((marker, after)) = next_marker(rest) {
        rest = match marker {
            // Start of scan.
            0xDA => break,
            // Without a length: TEM, the restarts, start and end of image.
            0x01 | 0xD0..=0xD9 => after,
            _ => {
                let Some((body, after)) = segment(after) else { break };
                if marker == 0xE1 {
                    if let Some(block) = body.strip_prefix(b"Exif\0\0") {
                        match &mut found.exif {
                            Some(begun) if begun.len() + block.len() > MAX_BLOCK => {}
                            Some(begun) => begun.to_mut().extend_from_slice(block),
                            None => found.exif = Some(block.into()),
                        }
                    } else if let Some(packet) = body.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                        found.xmp = Some(packet.into());
                    }
                }
                after
            }
        };
    }
    found
}

/// The next marker's code, and what follows it.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let at = bytes.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF))?;
    Some((bytes[at + 1], &bytes[at + 2..]))
}

/// A segment's body, and what follows it. The length counts itself.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
}

/// PNG's chunk eXIf, or the text in hexadecimal that `ImageMagick` writes instead (ISO/IEC 15948, 11.3), before the
/// pixels or after, but not behind the first frame of an animation. The last of a kind counts; a chunk whose checksum is
/// wrong does not.
fn of_png(bytes: &[u8]) -> Metadata<'_> {
    let (mut exif, mut profile, mut xmp) = (None, None, None);
    let (mut is_animated, mut has_pixels) = (false, false);
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some((named, checksum, after)) = png_chunk(rest) {
        rest = after;
        let Some((kind, body)) = named.split_first_chunk() else { continue };
        match kind {
            b"IEND" => break,
            b"fcTL" if is_animated && has_pixels => break,
            b"IDAT" => has_pixels = true,
            // The number of frames comes first.
            b"acTL" => is_animated = body.first_chunk().is_some_and(|frames| u32::from_be_bytes(*frames) > 1),
            _ => {}
        }
        let (b"eXIf" | b"tEXt" | b"zTXt" | b"iTXt") = kind else { continue };
        if crc32fast::hash(named) != checksum {
            continue;
        }
        if kind == b"eXIf" {
            exif = Some(body);
        }
        let Some(text) = Text::of(*kind, body) else { continue };
        match text.keyword {
            // Some programs write the block itself as text.
            b"exif" if kind == b"tEXt" => exif = Some(text.value),
            b"Raw profile type exif" => profile = Some(text),
            b"XML:com.adobe.xmp" => xmp = Some(text),
            _ => {}
        }
    }
    // Inflated last, and one of each kind only: a file of such texts takes no longer than one.
    let profile = profile.filter(|_| exif.is_none()).and_then(|text| raw_profile(&text.read()?));
    Metadata { exif: exif.map(Cow::from).or(profile.map(Cow::from)), xmp: xmp.and_then(|text| text.read()) }
}

/// A chunk's kind with its body, their checksum, and what follows it.
fn png_chunk(bytes: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (named, rest) = rest.split_at_checked((u32::from_be_bytes(*length) as usize).checked_add(4)?)?;
    let (checksum, rest) = rest.split_first_chunk()?;
    Some((named, u32::from_be_bytes(*checksum), rest))
}

/// Text of a PNG.
struct Text<'a> {
    keyword: &'a [u8],
    value: &'a [u8],
    /// The value is zlib's.
    compressed: bool,
}

impl<'a> Text<'a> {
    fn of(kind: [u8; 4], body: &'a [u8]) -> Option<Text<'a>> {
        let (keyword, rest) = split_at_zero(body)?;
        let (compressed, value) = match (&kind, rest) {
            (b"tEXt", value) => (false, value),
            (b"zTXt", [0, value @ ..]) => (true, value),
            (b"iTXt", [compressed, method, rest @ ..]) if *compressed == 0 || *method == 0 => {
                let (_language, rest) = split_at_zero(rest)?;
                let (_translated, value) = split_at_zero(rest)?;
                (*compressed != 0, value)
            }
            _ => return None,
        };
        Some(Text { keyword, value, compressed })
    }

    /// The value, inflated; none where that fails. What is left of a value that was cut off is read.
    fn read(&self) -> Option<Cow<'a, [u8]>> {
        if !self.compressed {
            return Some(self.value.into());
        }
        let mut text = vec![0; MAX_BLOCK + 1];
        let (_, length) = fdeflate::Decompressor::new().read(self.value, &mut text, 0, false).ok()?;
        text.truncate(length);
        (length <= MAX_BLOCK).then_some(text.into())
    }
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..zero], &bytes[zero + 1..]))
}

/// A block in hexadecimal, after three lines: an empty one, its name, its length.
fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > MAX_BLOCK {
        return None;
    }
    let digits = text.splitn(4, |&byte| byte == b'\n').nth(3).unwrap_or_default();
    let digits = digits.iter().filter(|byte| !byte.is_ascii_whitespace());
    let values: Vec<u8> = digits.map(|&digit| Some(char::from(digit).to_digit(16)? as u8)).collect::<Option<_>>()?;
    values.len().is_multiple_of(2).then(|| values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The flags of an extended WebP that announce EXIF and XMP (RFC 9649, 2.7), and where they stand.
const EXIF_FLAG: u8 = 0x08;
const XMP_FLAG: u8 = 0x04;
const FLAGS_AT: usize = 20;

/// The chunks EXIF and XMP of an extended file, each where it is announced. The first of a kind counts.
fn of_webp(bytes: &[u8]) -> Metadata<'_> {
    let mut found = Metadata::default();
    let declared = bytes.get(4..8).map_or(0, |length| u32::from_le_bytes([length[0], length[1], length[2], length[3]]));
    let end = bytes.len().min((declared as usize).saturating_add(8));
    let chunks = bytes.get(12..end).unwrap_or_default();
    let Some((b"VP8X", [flags, ..], mut rest)) = riff_chunk(chunks) else { return found };
    while let Some((kind, body, after)) = riff_chunk(rest) {
        rest = after;
        match kind {
            b"EXIF" if flags & EXIF_FLAG != 0 => _ = found.exif.get_or_insert(body.into()),
            b"XMP " if flags & XMP_FLAG != 0 => _ = found.xmp.get_or_insert(body.into()),
            _ => {}
        }
    }
    found
}

/// A WebP without the announcement of EXIF or XMP that is not there: a program took it out and left the flag. The decoder
/// refuses such a file; a copy is made of no other.
pub(super) fn webp_as_announced(bytes: &[u8]) -> Cow<'_, [u8]> {
    let found = of_webp(bytes);
    let missing = if found.exif.is_none() { EXIF_FLAG } else { 0 } | if found.xmp.is_none() { XMP_FLAG } else { 0 };
    match bytes.get(12..=FLAGS_AT) {
        Some([b'V', b'P', b'8', b'X', .., flags]) if flags & missing != 0 => {
            let mut bytes = bytes.to_owned();
            bytes[FLAGS_AT] &= !missing;
            bytes.into()
        }
        _ => bytes.into(),
    }
}

/// A chunk's kind and body, and what follows it and the byte that makes its length even.
fn riff_chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let padding = body.len() % 2;
    Some((kind, body, rest.get(padding..).unwrap_or_default()))
}
