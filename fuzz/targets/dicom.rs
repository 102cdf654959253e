//! DICOM files, up to the input tensor of a graph. The last bytes choose the frame, whether all of it, and the window.

#![no_main]

use bedside::manifest::{Color, Input, Resize, ResizePolicy};
use bedside::{Image, Limits, Window};
use bedside_engine::Layout;
use fuzz::{Random, Tail, dicom, written};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// Limits far below the defaults, with which a sound picture may take seconds.
const LIMITS: Limits = Limits::new().max_declared_pixels(1 << 20).max_decoded_bytes(8 << 20);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let result = dicom::changed(&data[..size], max_size, &mut Random::new(seed));
    written(&result, data, max_size)
});

fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| run(data)));

fn run(data: &[u8]) {
    let mut tail = Tail::of(data);
    let frame = u32::from(tail.byte() % 4);
    let is_whole = tail.byte() % 4 == 0;
    let window = match tail.byte() % 4 {
        0 => Window::Number(u32::from(tail.byte() % 4)),
        1 => Window::Values { center: f64::from(tail.ratio()) * 4096.0, width: f64::from(tail.byte()) * 16.0 },
        _ => Window::First,
    };
    let image = Image::from_bytes(data);
    let frames = image.frames();
    let image = image.frame(frame).window(window);
    let image = if is_whole { image.whole() } else { image };
    let input = Input::new(Color::Rgb, (16, 16), Resize::new(ResizePolicy::Stretch), vec![0.0; 3], vec![1.0; 3]);
    if let Ok(tensor) = bedside::fuzzing::input_tensor(&image, None, &input, Layout::Nchw, &LIMITS) {
        assert!(frames.is_ok_and(|frames| frame < frames), "a frame that is not there");
        let values = tensor.as_f32().expect("floats");
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
    }
}
