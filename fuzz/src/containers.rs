//! EXIF in each container that can carry it, with a picture of two by three pixels.

use std::sync::LazyLock;

/// A JPEG with these bytes as the EXIF of its first segment.
pub fn jpeg(exif: &[u8]) -> Vec<u8> {
    let sound = include_bytes!("containers/tiny.jpg");
    // The length of a segment counts its own two bytes and the six of `Exif\0\0`.
    let length = (2 + 6 + exif.len() as u16).to_be_bytes();
    [&sound[..2], &[0xff, 0xe1], &length, b"Exif\0\0", exif, &sound[2..]].concat()
}

/// A PNG with these bytes as its `eXIf` chunk.
pub fn png(exif: &[u8]) -> Vec<u8> {
    let sound = include_bytes!("containers/tiny.png");
    // Signature and IHDR.
    let (head, tail) = sound.split_at(8 + 12 + 13);
    [head, &chunk(b"eXIf", exif), tail].concat()
}

/// A chunk of a PNG: its length, name, body and checksum.
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
    let sound = include_bytes!("containers/tiny.webp");
    // The extended form: the flag for EXIF, and the width and the height minus one.
    let head = [8, 0, 0, 0, 1, 0, 0, 2, 0, 0];
    let length = (exif.len() as u32).to_le_bytes();
    let padding = &[0][..exif.len() % 2];
    let body =
        [b"WEBPVP8X", &(head.len() as u32).to_le_bytes()[..], &head, &sound[12..], b"EXIF", &length, exif, padding]
            .concat();
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}
