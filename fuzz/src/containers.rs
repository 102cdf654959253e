//! EXIF in each container that can carry it, around the smallest picture of that format.

use std::sync::LazyLock;

/// A JPEG with these bytes as the EXIF of its first segment.
pub fn jpeg(exif: &[u8]) -> Vec<u8> {
    let sound = include_bytes!("../../tests/golden/image/exif/1.jpg");
    let length = (2 + 6 + exif.len() as u16).to_be_bytes();
    [&sound[..2], &[0xff, 0xe1], &length, b"Exif\0\0", exif, after_segment(&sound[2..])].concat()
}

/// What follows the segments of applications (APP0 to APP15).
fn after_segment(jpeg: &[u8]) -> &[u8] {
    match jpeg {
        [0xff, 0xe0..=0xef, high, low, ..] => {
            after_segment(&jpeg[2 + usize::from(u16::from_be_bytes([*high, *low]))..])
        }
        _ => jpeg,
    }
}

/// A PNG with these bytes as its `eXIf` chunk.
pub fn png(exif: &[u8]) -> Vec<u8> {
    let sound = include_bytes!("../../tests/golden/image/exif/1.png");
    // Signature and IHDR.
    let head = 8 + 12 + 13;
    let mut file = sound[..head].to_vec();
    file.extend(chunk(b"eXIf", exif));
    let mut rest = &sound[head..];
    while let [a, b, c, d, name @ ..] = rest {
        let length = 12 + u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if !name.starts_with(b"eXIf") {
            file.extend(&rest[..length]);
        }
        rest = &rest[length..];
    }
    file
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [&name[..], body].concat();
    [&(body.len() as u32).to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
}

/// The checksum of PNG chunks (ISO/IEC 15948, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
        std::array::from_fn(|byte| {
            (0..8).fold(byte as u32, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        })
    });
    !bytes.iter().fold(u32::MAX, |crc, &byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// A WebP with these bytes as its `EXIF` chunk.
pub fn webp(exif: &[u8]) -> Vec<u8> {
    let sound = include_bytes!("../../tests/golden/image/exif/1.webp");
    let mut body = b"WEBP".to_vec();
    let mut rest = &sound[12..];
    while let [name @ .., _, _, _, _] = &rest[..8.min(rest.len())] {
        let length = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
        let whole = (8 + length + length % 2).min(rest.len());
        if name == b"EXIF" {
            body.extend(b"EXIF");
            body.extend((exif.len() as u32).to_le_bytes());
            body.extend(exif);
            body.extend(vec![0; exif.len() % 2]);
        } else {
            body.extend(&rest[..whole]);
        }
        rest = &rest[whole..];
    }
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}
