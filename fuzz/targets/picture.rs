//! Encoded pictures and frames of pixels, up to the input tensor of a graph.
//!
//! The fuzzer's input is an encoded picture or, after the byte `F`, a frame. Its last bytes, which decoders ignore,
//! choose the region, the rotation and the model's input.

#![no_main]

use bedside::manifest::{Color, Input, Resize, ResizePolicy};
use bedside::{Image, Limits, Plane, Region, Result, Rotation, Yuv420, YuvMatrix, YuvRange};
use bedside_engine::Layout;
use fuzz::Tail;
use libfuzzer_sys::fuzz_target;

/// Limits far below the defaults, with which a sound picture may take seconds.
const LIMITS: Limits = Limits::new().max_declared_pixels(1 << 20).max_decoded_bytes(8 << 20);

fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| run(data)));

fn run(data: &[u8]) {
    let mut tail = Tail::of(data);
    let input = input(&mut tail);
    let region =
        Region::new(tail.ratio(), tail.ratio(), tail.ratio(), tail.ratio()).ok().filter(|_| tail.byte() & 1 == 1);
    let choice = tail.byte();
    let rotation = [Rotation::Upright, Rotation::Clockwise90, Rotation::Clockwise180, Rotation::Clockwise270];
    let image = match data.split_first() {
        Some((b'F', frame)) => frame_of(frame),
        _ => Ok(Image::from_bytes(data)),
    };
    let Ok(image) = image else { return };
    let image = image.rotated(rotation[usize::from(choice & 3)]);
    let image = if choice & 4 == 4 { image.mirrored() } else { image };
    let layout = if choice & 8 == 8 { Layout::Nhwc } else { Layout::Nchw };
    if let Ok(tensor) = bedside::fuzzing::input_tensor(&image, region, &input, layout, &LIMITS) {
        assert_eq!(tensor.shape().len(), 4);
        let values = tensor.as_f32().expect("floats");
        // Bytes scaled to 0…1, minus a mean of 0…1, divided by a standard deviation of at least 1/255. 256 leaves room
        // for rounding.
        assert!(values.iter().all(|value| value.abs() <= 256.0));
    }
}

/// The description of a model's input.
fn input(tail: &mut Tail<'_>) -> Input {
    let side = |tail: &mut Tail<'_>| u32::from(tail.byte() % 96) + 1;
    let (width, height) = (side(tail), side(tail));
    let color = [Color::Rgb, Color::Bgr, Color::Gray][usize::from(tail.byte() % 3)];
    let policy = [ResizePolicy::Stretch, ResizePolicy::Crop, ResizePolicy::Letterbox][usize::from(tail.byte() % 3)];
    let more = tail.byte();
    let shorter_side =
        (policy == ResizePolicy::Crop && more & 1 == 1).then(|| width.max(height) + u32::from(tail.byte()) * 16);
    let fill = (policy == ResizePolicy::Letterbox).then_some(more);
    let mut resize = Resize::new(policy);
    (resize.shorter_side, resize.fill) = (shorter_side, fill);
    let mean = (0..color.channels()).map(|_| tail.ratio()).collect();
    let std = (0..color.channels()).map(|_| (tail.ratio() + 1.0 / 255.0).min(1.0)).collect();
    Input::new(color, (width, height), resize, mean, std)
}

/// A frame from bytes: its layout, sides and strides, then its pixels.
fn frame_of(bytes: &[u8]) -> Result<Image<'_>> {
    let mut numbers = bytes.iter().map(|&byte| usize::from(byte));
    let mut next = || numbers.next().unwrap_or(0);
    let (kind, width, height, stride) = (next(), next() as u32, next() as u32, next() * 4);
    let strides: [usize; 4] = std::array::from_fn(|_| next());
    let data = bytes.get(8..).unwrap_or_default();
    match kind % 5 {
        0 => Image::rgb8(width, height, stride, data),
        1 => Image::rgba8(width, height, stride, data),
        2 => Image::bgra8(width, height, stride, data),
        3 => Image::gray8(width, height, stride, data),
        _ => {
            let plane = |part: usize, row_stride, pixel_stride| {
                let third = data.len() / 3;
                Plane { data: &data[part * third..(part + 1) * third], row_stride, pixel_stride }
            };
            let [u_row, u_pixel, v_row, v_pixel] = strides;
            Image::yuv420(Yuv420 {
                width,
                height,
                y: plane(0, stride, 1 + kind / 5 % 3),
                u: plane(1, u_row, u_pixel),
                v: plane(2, v_row, v_pixel),
                matrix: if kind & 64 == 0 { YuvMatrix::Bt601 } else { YuvMatrix::Bt709 },
                range: if kind & 128 == 0 { YuvRange::Limited } else { YuvRange::Full },
            })
        }
    }
}
