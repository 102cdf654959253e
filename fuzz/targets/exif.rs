//! EXIF, as every container carries it, and the picture turned by it.

#![no_main]

use bedside::manifest::{Color, Filter, Input, Resize, ResizePolicy};
use bedside::{Image, Limits};
use bedside_engine::Layout;
use fuzz::containers;
use libfuzzer_sys::fuzz_target;

/// The most that a JPEG's segment holds beside its length and what marks it as EXIF.
const MOST: usize = 65_535 - 8;

fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| run(data)));

fn run(exif: &[u8]) {
    if exif.len() > MOST {
        return;
    }
    let input = Input {
        tensor: None,
        color: Color::Gray,
        width: 2,
        height: 2,
        resize: Resize { policy: ResizePolicy::Stretch, shorter_side: None, filter: Filter::Bilinear, fill: None },
        mean: vec![0.0],
        std: vec![1.0],
    };
    for file in [containers::jpeg(exif), containers::png(exif), containers::webp(exif)] {
        bedside::fuzzing::input_tensor(&Image::from_bytes(file), None, &input, Layout::Nchw, &Limits::default())
            .expect("a picture is sound whatever its EXIF says");
    }
    // A TIFF is its own EXIF.
    let tiff = Image::from_bytes(exif);
    let limits = Limits { max_declared_pixels: 1 << 16, max_decoded_bytes: 1 << 20, ..Limits::default() };
    let _ = bedside::fuzzing::input_tensor(&tiff, None, &input, Layout::Nchw, &limits);
}
