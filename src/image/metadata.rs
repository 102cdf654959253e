//! The orientation in the metadata of containers: that of EXIF, or of XMP where EXIF states none.
//!
//! Where two blocks contradict each other, the one is used that Pillow's `ImageOps.exif_transpose` uses.

use std::borrow::Cow;

use ::image::ImageFormat;

use super::exif::{self, Stored};
use super::format::Format;
use super::orientation::Orientation;

/// The maximum size in bytes of a block that is joined from segments or read from text: that of a text that Pillow
/// inflates (`MAX_TEXT_CHUNK` in its `PngImagePlugin`).
const MAX_BLOCK: usize = 1 << 20;

/// The orientation of the pixels of an encoded picture. Damaged metadata is no error: where it can't be read, the
/// picture is upright.
pub(super) fn orientation(format: Format, bytes: &[u8]) -> Orientation {
    let Metadata { exif, xmp } = match format {
        // Its frames are upright.
        #[cfg(feature = "dicom")]
        Format::Dicom => return Orientation::default(),
        Format::Jpeg => of_jpeg(bytes),
        Format::Other(ImageFormat::Png) => of_png(bytes),
        Format::Other(ImageFormat::WebP) => of_webp(bytes),
        Format::Other(ImageFormat::Tiff) => Metadata { exif: Some(bytes.into()), xmp: exif::xmp(bytes).map(Cow::from) },
        Format::Other(_) => Metadata::default(),
    };
    match exif.map_or(Stored::Absent, |block| exif::orientation(&block)) {
        Stored::Value(value) => Orientation::from_exif(value),
        Stored::Absent => {
            xmp.and_then(|packet| in_xmp(&packet)).map_or_else(Orientation::default, Orientation::from_exif)
        }
    }
}

/// The metadata blocks of a file.
#[derive(Default)]
struct Metadata<'a> {
    /// A TIFF structure, with or without the prefix of an EXIF block.
    exif: Option<Cow<'a, [u8]>>,
    /// An XMP packet, which is XML.
    xmp: Option<Cow<'a, [u8]>>,
}

/// The digit of `tiff:Orientation`, an attribute or an element, in an XMP packet (XMP specification, part 2, 3.3). The
/// packet is searched as text, as Pillow does, so an attribute in single quotes is not found.
fn in_xmp(packet: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    let names = packet.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    names.map(|(at, _)| &packet[at + NAME.len()..]).find_map(|value| match value {
        [b'=', b'"', digit @ b'0'..=b'9', ..] | [b'>', digit @ b'0'..=b'9', ..] => Some(digit - b'0'),
        _ => None,
    })
}

/// The blocks in the APP1 segments before the first scan of a JPEG (EXIF 2.32, 4.5.5; XMP specification, part 3,
/// 1.1.3). An EXIF block that is longer than a segment continues in the next APP1 segment.
fn of_jpeg(bytes: &[u8]) -> Metadata<'_> {
    let mut found = Metadata::default();
    let mut remaining = bytes;
    while let Some((marker, after)) = next_marker(remaining) {
        remaining = match marker {
            // Start of scan.
            0xDA => break,
            // Without a length: TEM, the restarts, start and end of image.
            0x01 | 0xD0..=0xD9 => after,
            _ => {
                let Some((body, after)) = segment(after) else { break };
                if marker == 0xE1 {
                    if let Some(block) = body.strip_prefix(b"Exif\0\0") {
                        match &mut found.exif {
                            Some(exif) if exif.len() + block.len() > MAX_BLOCK => {}
                            Some(exif) => exif.to_mut().extend_from_slice(block),
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

/// The code of the next marker, and the bytes after it.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let at = bytes.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF))?;
    Some((bytes[at + 1], &bytes[at + 2..]))
}

/// The body of a segment, and the bytes after it. The length field includes its own two bytes.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, remaining) = bytes.split_first_chunk()?;
    remaining.split_at_checked(usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
}

/// The blocks of a PNG (ISO/IEC 15948, 11.3): the chunk eXIf, the text `exif`, or the text in hexadecimal that
/// `ImageMagick` writes instead; and the text with XMP. They are read before and after the pixels, but not after the
/// first frame of an animation. Of several of a kind the last one is used. A chunk with a wrong checksum is ignored.
fn of_png(bytes: &[u8]) -> Metadata<'_> {
    let (mut exif, mut profile, mut xmp) = (None, None, None);
    let (mut is_animated, mut has_pixels) = (false, false);
    let mut remaining = bytes.get(8..).unwrap_or_default();
    while let Some((named, checksum, after)) = png_chunk(remaining) {
        remaining = after;
        let Some((kind, body)) = named.split_first_chunk() else { continue };
        match kind {
            b"IEND" => break,
            b"fcTL" if is_animated && has_pixels => break,
            b"IDAT" => has_pixels = true,
            // The body begins with the number of frames.
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
            // Some programs write the block itself as uncompressed text.
            b"exif" if kind == b"tEXt" => exif = Some(text.value),
            b"Raw profile type exif" => profile = Some(text),
            b"XML:com.adobe.xmp" => xmp = Some(text),
            _ => {}
        }
    }
    // Only one text of each kind is inflated, so that a file of many compressed texts takes no longer than one of two.
    let profile = profile.filter(|_| exif.is_none()).and_then(|text| raw_profile(&text.read()?));
    Metadata { exif: exif.map(Cow::from).or(profile.map(Cow::from)), xmp: xmp.and_then(|text| text.read()) }
}

/// The number of significant bits of a grey PNG's samples, where it has the chunk `sBIT` before its pixels: 1 to 16.
pub(super) fn significant_bits(bytes: &[u8]) -> Option<u8> {
    let mut remaining = bytes.get(8..)?;
    while let Some((named, checksum, after)) = png_chunk(remaining) {
        remaining = after;
        match named {
            [b'I', b'D', b'A', b'T', ..] => return None,
            [b's', b'B', b'I', b'T', bits @ 1..=16, ..] if crc32fast::hash(named) == checksum => return Some(*bits),
            _ => {}
        }
    }
    None
}

/// A chunk's type together with its body, their checksum, and the bytes after the chunk.
fn png_chunk(bytes: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let (length, remaining) = bytes.split_first_chunk()?;
    let (named, remaining) = remaining.split_at_checked((u32::from_be_bytes(*length) as usize).checked_add(4)?)?;
    let (checksum, remaining) = remaining.split_first_chunk()?;
    Some((named, u32::from_be_bytes(*checksum), remaining))
}

/// The text of a PNG chunk.
struct Text<'a> {
    keyword: &'a [u8],
    value: &'a [u8],
    /// Whether the value is a zlib stream.
    compressed: bool,
}

impl<'a> Text<'a> {
    /// The text in the body of a chunk tEXt, zTXt or iTXt. `None` for other chunks and unknown compression methods.
    fn of(kind: [u8; 4], body: &'a [u8]) -> Option<Text<'a>> {
        let (keyword, remaining) = split_at_zero(body)?;
        let (compressed, value) = match (&kind, remaining) {
            (b"tEXt", value) => (false, value),
            (b"zTXt", [0, value @ ..]) => (true, value),
            (b"iTXt", [compressed, method, remaining @ ..]) if *compressed == 0 || *method == 0 => {
                let (_language, remaining) = split_at_zero(remaining)?;
                let (_translated, value) = split_at_zero(remaining)?;
                (*compressed != 0, value)
            }
            _ => return None,
        };
        Some(Text { keyword, value, compressed })
    }

    /// The value, inflated where it is compressed. A truncated stream gives what it has. `None` where inflating fails
    /// or gives more than [`MAX_BLOCK`] bytes.
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

/// The bytes before and after the first zero.
fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..zero], &bytes[zero + 1..]))
}

/// The block of `ImageMagick`'s raw profile: hexadecimal digits after three lines (an empty one, the name, the length).
fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > MAX_BLOCK {
        return None;
    }
    let digits = text.splitn(4, |&byte| byte == b'\n').nth(3).unwrap_or_default();
    let digits = digits.iter().filter(|byte| !byte.is_ascii_whitespace());
    let values: Vec<u8> = digits.map(|&digit| Some(char::from(digit).to_digit(16)? as u8)).collect::<Option<_>>()?;
    values.len().is_multiple_of(2).then(|| values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The flags of an extended WebP for chunks of EXIF and XMP (RFC 9649, 2.7), and the offset of the flags in the file.
const EXIF_FLAG: u8 = 0x08;
const XMP_FLAG: u8 = 0x04;
const FLAGS_OFFSET: usize = 20;

/// The chunks EXIF and XMP of an extended WebP, each where its flag is set. Of several of a kind the first one is used.
fn of_webp(bytes: &[u8]) -> Metadata<'_> {
    let mut found = Metadata::default();
    let declared = bytes.get(4..8).map_or(0, |length| u32::from_le_bytes([length[0], length[1], length[2], length[3]]));
    let end = bytes.len().min((declared as usize).saturating_add(8));
    let chunks = bytes.get(12..end).unwrap_or_default();
    let Some((b"VP8X", [flags, ..], mut remaining)) = riff_chunk(chunks) else { return found };
    while let Some((kind, body, after)) = riff_chunk(remaining) {
        remaining = after;
        match kind {
            b"EXIF" if flags & EXIF_FLAG != 0 => _ = found.exif.get_or_insert(body.into()),
            b"XMP " if flags & XMP_FLAG != 0 => _ = found.xmp.get_or_insert(body.into()),
            _ => {}
        }
    }
    found
}

/// The bytes of a WebP, with the flags of EXIF and XMP cleared where the chunks are missing. The decoder refuses a file
/// whose chunk was removed and whose flag was not. Other files are borrowed without a copy.
pub(super) fn webp_as_announced(bytes: &[u8]) -> Cow<'_, [u8]> {
    let found = of_webp(bytes);
    let missing = if found.exif.is_none() { EXIF_FLAG } else { 0 } | if found.xmp.is_none() { XMP_FLAG } else { 0 };
    match bytes.get(12..=FLAGS_OFFSET) {
        Some([b'V', b'P', b'8', b'X', .., flags]) if flags & missing != 0 => {
            let mut bytes = bytes.to_owned();
            bytes[FLAGS_OFFSET] &= !missing;
            bytes.into()
        }
        _ => bytes.into(),
    }
}

/// A chunk's type and body, and the bytes after it and after the byte that pads its length to an even number.
fn riff_chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (kind, remaining) = bytes.split_first_chunk()?;
    let (length, remaining) = remaining.split_first_chunk()?;
    let (body, remaining) = remaining.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let padding = body.len() % 2;
    Some((kind, body, remaining.get(padding..).unwrap_or_default()))
}
