//! Vectors of the library `CharLS`, and of an encoder in Python where that has faults (`tests/golden/dicom/jpeg-ls/make_jpeg_ls.py`).

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::*;

/// One vector of `jpeg-ls.json`, which holds one on each line.
struct Vector {
    name: String,
    stream: Vec<u8>,
    size: [u32; 4],
    sha256: String,
}

/// The text in a line of JSON between `start` and `end`.
fn between<'a>(line: &'a str, start: &str, end: &str) -> &'a str {
    let rest = &line[line.find(start).expect("the key") + start.len()..];
    &rest[..rest.find(end).expect("the value's end")]
}

fn vectors() -> Vec<Vector> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/dicom/jpeg-ls");
    let streams = std::fs::read(format!("{folder}/jpeg-ls.bin")).expect("the streams");
    let index = std::fs::read_to_string(format!("{folder}/jpeg-ls.json")).expect("the index");
    let number = |text: &str| text.parse::<u32>().expect("a number");
    let mut start = 0;
    let vector = |line: &str| {
        let end = start + number(between(line, "\"length\":", ",")) as usize;
        let size: Vec<u32> = between(line, "\"size\":[", "]").split(',').map(number).collect();
        let stream = streams[start..end].to_vec();
        start = end;
        Vector {
            name: between(line, "\"name\":\"", "\"").into(),
            stream,
            size: size.try_into().expect("four numbers"),
            sha256: between(line, "\"sha256\":\"", "\"").into(),
        }
    };
    index.lines().filter(|line| line.starts_with('{')).map(vector).collect()
}

/// The bytes of a hash in hexadecimal.
fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u32> = hexadecimal.chars().map(|digit| digit.to_digit(16).expect("a digit")).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn refusal(bytes: &[u8]) -> String {
    decode(bytes, 1 << 33).expect_err("a refusal")
}

/// A small pseudo-random generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }
}

#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn vectors_decode_to_the_samples_of_charls() {
    let vectors = vectors();
    assert!(!vectors.is_empty());
    let mut wrong = Vec::new();
    for vector in &vectors {
        let fault = match decode(&vector.stream, 1 << 26) {
            Err(fault) => Some(fault),
            Ok(raster) => {
                let bytes: Vec<u8> = raster.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                let size = [raster.width, raster.height, raster.components as u32, raster.bits.into()];
                let same = size == vector.size && Sha256::digest(&bytes)[..] == bytes_of(&vector.sha256)[..];
                (!same).then(|| "other samples".into())
            }
        };
        wrong.extend(fault.map(|fault| format!("{}: {fault}", vector.name)));
    }
    println!("{} vectors", vectors.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn truncations_are_errors() {
    for vector in vectors().iter().filter(|vector| vector.stream.len() < 600) {
        // Without its last marker a stream is whole, and with the last bits of padding, too.
        for end in (0..vector.stream.len() - 4).rev().step_by(3) {
            assert!(decode(&vector.stream[..end], 1 << 26).is_err(), "{} cut at {end}", vector.name);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn damaged_streams_neither_panic_nor_hang() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut errors, mut tries, mut longest) = (0, 0, Duration::ZERO);
    for vector in vectors() {
        for _ in 0..8 {
            let mut stream = vector.stream.clone();
            for _ in 0..=random.below(3) {
                let at =
                    if random.below(4) == 0 { random.below(stream.len().min(60)) } else { random.below(stream.len()) };
                match random.below(5) {
                    0 => stream[at] ^= 1 << random.below(8),
                    1 => stream[at] = random.below(256) as u8,
                    2 => stream[at] = 0xFF,
                    3 => stream.truncate(at.max(1)),
                    _ => stream.insert(at, random.below(256) as u8),
                }
            }
            let start = Instant::now();
            let result = decode(&stream, 1 << 24);
            longest = longest.max(start.elapsed());
            tries += 1;
            match result {
                Err(_) => errors += 1,
                Ok(raster) => {
                    let count = raster.width as usize * raster.height as usize * raster.components;
                    assert_eq!(raster.samples.len(), count, "{}", vector.name);
                    assert!(raster.samples.iter().all(|&sample| sample >> (raster.bits - 1) < 2), "{}", vector.name);
                }
            }
        }
    }
    println!("{tries} damaged streams, {errors} refused, the longest took {longest:?}");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

/// A stream of a frame header of `frame`, further segments, a scan of one component and the data of a flat image.
fn stream(frame: &[u8], more: &[u8], scan: &[u8], data: &[u8]) -> Vec<u8> {
    let length = |content: &[u8]| [0, content.len() as u8 + 2];
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xF7];
    out.extend(length(frame).iter().chain(frame).chain(more));
    out.extend([0xFF, 0xDA].iter().chain(&length(scan)).chain(scan).chain(data).chain(&[0xFF, 0xD9]));
    out
}

const FRAME: [u8; 9] = [8, 0, 2, 0, 2, 1, 1, 0x11, 0];
const SCAN: [u8; 6] = [1, 1, 0, 0, 0, 0];

#[test]
fn small_flat_image_decodes() {
    let raster = decode(&stream(&FRAME, &[], &SCAN, &[0xF0]), 4).expect("four zeros");
    assert_eq!((raster.samples, raster.width, raster.height, raster.bits), (vec![0; 4], 2, 2, 8));
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let frame = |at: usize, value: u8| {
        let mut frame = FRAME;
        frame[at] = value;
        refusal(&stream(&frame, &[], &SCAN, &[0xF0]))
    };
    let scan = |at: usize, value: u8| {
        let mut scan = SCAN;
        scan[at] = value;
        refusal(&stream(&FRAME, &[], &scan, &[0xF0]))
    };
    let more = |segment: &[u8]| refusal(&stream(&FRAME, segment, &SCAN, &[0xF0]));
    assert_eq!(frame(0, 17), "JPEG-LS: a precision of 17 bits is not one of 2 to 16");
    assert_eq!(frame(2, 0), "JPEG-LS: a number of lines left to DNL or to oversize dimensions is not supported");
    assert_eq!(frame(4, 0), "JPEG-LS: a width left to oversize dimensions is not supported");
    assert_eq!(frame(5, 5), "JPEG-LS: 5 components are not supported, only 1 to 4");
    assert_eq!(frame(5, 2), "JPEG-LS: the frame header's length does not fit its components");
    assert_eq!(frame(1, 1), "JPEG-LS: the stream's last 13 bytes can't hold 2 by 258 pixels");
    assert_eq!(scan(1, 2), "JPEG-LS: a scan names component 2, which the frame lacks");
    assert_eq!(scan(2, 1), "JPEG-LS: mapping tables are not supported");
    assert_eq!(scan(3, 200), "JPEG-LS: NEAR is 200, more than half of MAXVAL");
    assert_eq!(scan(4, 3), "JPEG-LS: the interleave mode 3 is not one of 0 to 2");
    assert_eq!(scan(5, 1), "JPEG-LS: point transforms are not supported");
    assert_eq!(more(&[0xFF, 0xF8, 0, 4, 2, 0]), "JPEG-LS: mapping tables are not supported");
    assert_eq!(more(&[0xFF, 0xF8, 0, 4, 4, 0]), "JPEG-LS: oversize image dimensions (LSE 4) are not supported");
    assert_eq!(more(&[0xFF, 0xF8, 0, 3, 9]), "JPEG-LS: an LSE segment of type 9 is not supported");
    assert_eq!(more(&[0xFF, 0xDC, 0, 4, 0, 2]), "JPEG-LS: a number of lines given by a DNL segment is not supported");
    assert_eq!(more(b"\xFF\xE8\0\x07mrfx\x04"), "JPEG-LS: the colour transform 4 is not supported");
    let hp = "JPEG-LS: the HP colour transform 1 is supported only for 3 interleaved components of 8 or 16 bits";
    assert_eq!(more(b"\xFF\xE8\0\x07mrfx\x01"), hp);
    assert_eq!(refusal(&[0xFF, 0xD8, 0xFF, 0xC3]), "JPEG-LS: the frame is of ordinary JPEG (SOF3), not JPEG-LS");
    assert_eq!(refusal(&[0xFF, 0xD8, 0xFF, 0xF7, 0, 11, 8]), "JPEG-LS: the frame header ends early");
    assert_eq!(refusal(b"JUNK"), "JPEG-LS: the stream does not start with an SOI marker");
    let limit = decode(&stream(&FRAME, &[], &SCAN, &[0xF0]), 3).expect_err("a refusal");
    assert_eq!(limit, "JPEG-LS: 2 by 2 samples of 1 components are more than the limit allows");
}

#[test]
fn a_short_stream_of_a_huge_frame_is_refused_at_once() {
    let huge = [16, 0xFF, 0xFF, 0xFF, 0xFF, 1, 1, 0x11, 0];
    let start = Instant::now();
    let fault = refusal(&stream(&huge, &[], &SCAN, &[0x55; 66]));
    assert!(fault.ends_with("bytes can't hold 65535 by 65535 pixels"), "{fault}");
    assert!(start.elapsed() < Duration::from_millis(100));
}

#[test]
fn data_that_do_not_fit_their_samples_are_refused() {
    let data = |data: &[u8]| refusal(&stream(&FRAME, &[], &SCAN, data));
    assert_eq!(data(&[]), "JPEG-LS: the coded data end before the last sample");
    assert_eq!(data(&[0xF0, 0, 0, 0]), "JPEG-LS: a scan or restart interval holds more data than its samples take");
    assert_eq!(data(&[0, 0, 0, 0, 0, 0, 0, 0, 0]), "JPEG-LS: a Golomb code is longer than its limit");
    let restart = refusal(&stream(&FRAME, &[0xFF, 0xDD, 0, 4, 0, 1], &SCAN, &[0xC0, 0xFF, 0xD1, 0xC0]));
    assert_eq!(restart, "JPEG-LS: the marker RST0 is missing before line 1");
    let fine = stream(&FRAME, &[0xFF, 0xDD, 0, 4, 0, 1], &SCAN, &[0xC0, 0xFF, 0xD0, 0xC0]);
    assert_eq!(decode(&fine, 4).map(|raster| raster.samples), Ok(vec![0; 4]));
}
