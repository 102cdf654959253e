//! Tests of pixels and camera frames.

use proptest::prelude::*;

use super::{FULL, cropped, differences, golden, reference, region};
use crate::image::{Image, Picture, Plane, Rotation, Yuv420, YuvMatrix, YuvRange, decode};
use crate::{ErrorKind, Limits, Result};

/// The width and height of the golden frames.
const SIZE: (u32, u32) = (37, 23);

/// The matrices and ranges, each with the reference of the golden frames converted by it.
const CONVERSIONS: [(YuvMatrix, YuvRange, &str); 4] = [
    (YuvMatrix::Bt601, YuvRange::Limited, "yuv/bt601-limited.ppm"),
    (YuvMatrix::Bt601, YuvRange::Full, "yuv/bt601-full.ppm"),
    (YuvMatrix::Bt709, YuvRange::Limited, "yuv/bt709-limited.ppm"),
    (YuvMatrix::Bt709, YuvRange::Full, "yuv/bt709-full.ppm"),
];

/// A frame, decoded with the default limits.
fn decoded_frame(image: &Image<'_>) -> Picture {
    decode(image, None, FULL, &Limits::default()).expect("a sound frame")
}

/// Asserts that a frame of [`SIZE`] differs from a reference by at most one level.
fn assert_within_one_level(frame: Yuv420<'_>, wanted: &str) {
    let found = decoded_frame(&Image::yuv420(frame).expect("a sound frame"));
    let wanted_picture = reference(wanted);
    assert_eq!((found.width, found.height), SIZE);
    let (max, mean) = differences(&found.rgb, &wanted_picture.rgb);
    println!("{wanted}: maximum difference {max}, mean {mean:.5}");
    assert!(max <= 1, "{wanted}: differs by {max}");
}

#[test]
fn yuv420_converts_i420_nv12_and_nv21_by_the_standards_matrices() {
    let (i420, nv12, nv21) = (golden("yuv/i420.bin"), golden("yuv/nv12.bin"), golden("yuv/nv21.bin"));
    for (matrix, range, wanted) in CONVERSIONS {
        let (width, height) = SIZE;
        let sound = "a buffer of the right length";
        assert_within_one_level(Yuv420::i420(width, height, &i420, matrix, range).expect(sound), wanted);
        assert_within_one_level(Yuv420::nv12(width, height, &nv12, matrix, range).expect(sound), wanted);
        assert_within_one_level(Yuv420::nv21(width, height, &nv21, matrix, range).expect(sound), wanted);
    }
}

/// Samples with other strides, and other bytes in the padding. The last row ends with its last sample.
fn spread(samples: &[u8], columns: usize, row_stride: usize, pixel_stride: usize) -> Vec<u8> {
    let rows = samples.len() / columns;
    let mut data = vec![0xA5; (rows - 1) * row_stride + (columns - 1) * pixel_stride + 1];
    for (i, &sample) in samples.iter().enumerate() {
        data[i / columns * row_stride + i % columns * pixel_stride] = sample;
    }
    data
}

#[test]
fn yuv420_reads_planes_across_their_strides() {
    let i420 = golden("yuv/i420.bin");
    let (y, chroma) = i420.split_at(37 * 23);
    let (u, v) = chroma.split_at(19 * 12);
    let (y, u, v) = (spread(y, 37, 64, 1), spread(u, 19, 64, 2), spread(v, 19, 70, 3));
    for (matrix, range, wanted) in CONVERSIONS {
        let frame = Yuv420 {
            width: 37,
            height: 23,
            y: Plane { data: &y, row_stride: 64, pixel_stride: 1 },
            u: Plane { data: &u, row_stride: 64, pixel_stride: 2 },
            v: Plane { data: &v, row_stride: 70, pixel_stride: 3 },
            matrix,
            range,
        };
        assert_within_one_level(frame, wanted);
    }
}

#[test]
fn yuv420_maps_black_and_white_of_both_ranges_to_0_and_255() {
    let frame = |y: u8| [vec![y; 4], vec![128; 2]].concat();
    for (range, black, white) in [(YuvRange::Limited, 16, 235), (YuvRange::Full, 0, 255)] {
        for (y, wanted) in [(black, 0), (white, 255)] {
            let data = frame(y);
            let frame = Yuv420::i420(2, 2, &data, YuvMatrix::Bt709, range).expect("6 bytes for 2×2");
            assert_eq!(decoded_frame(&Image::yuv420(frame).expect("sound")).rgb, vec![wanted; 12]);
        }
    }
}

/// RGB pixels whose channels are the column, the row, and the sum of both.
fn numbered(width: u32, height: u32) -> Vec<u8> {
    (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, (x + y) as u8])).collect()
}

#[test]
fn packed_pixels_are_read_across_their_row_stride() {
    let rgb = numbered(5, 3);
    let grey: Vec<u8> = (0..15).collect();
    let rgba: Vec<u8> = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    let bgra: Vec<u8> = rgb.chunks_exact(3).flat_map(|p| [p[2], p[1], p[0], 255]).collect();
    let wanted = Picture::at_full_size(5, 3, rgb.clone());
    assert_eq!(decoded_frame(&Image::bgra8(5, 3, 20, bgra.as_slice()).expect("sound")), wanted);
    assert_eq!(decoded_frame(&Image::rgb8(5, 3, 15, rgb.as_slice()).expect("sound")), wanted);
    assert_eq!(decoded_frame(&Image::rgba8(5, 3, 20, rgba.as_slice()).expect("sound")), wanted);
    assert_eq!(decoded_frame(&Image::rgb8(5, 3, 22, spread_rows(&rgb, 15, 22)).expect("sound")), wanted);
    assert_eq!(decoded_frame(&Image::rgba8(5, 3, 32, spread_rows(&rgba, 20, 32)).expect("sound")), wanted);
    let found = decoded_frame(&Image::gray8(5, 3, 8, spread_rows(&grey, 5, 8)).expect("sound"));
    assert_eq!(found.rgb, grey.iter().flat_map(|&v| [v; 3]).collect::<Vec<u8>>());
}

/// Rows of `row` bytes with the row stride `stride`, and other bytes in the padding.
fn spread_rows(data: &[u8], row: usize, stride: usize) -> Vec<u8> {
    let mut spread: Vec<u8> = data.chunks_exact(row).flat_map(|r| [r, &vec![0xA5; stride - row]].concat()).collect();
    spread.truncate(spread.len() - (stride - row));
    spread
}

#[test]
fn rgba8_blends_over_white() {
    let rgba = [10, 20, 30, 0, 10, 20, 30, 255, 0, 100, 200, 51];
    // A fifth of the colour and four fifths of white: 204, 224, 244.
    let wanted = [255, 255, 255, 10, 20, 30, 204, 224, 244];
    assert_eq!(decoded_frame(&Image::rgba8(3, 1, 12, rgba.as_slice()).expect("sound")).rgb, wanted);
}

#[test]
fn image_rotates_first_and_mirrors_after() {
    // a b     c a        a c
    // c d  →  d b  and   b d  mirrored
    let grey = [1, 2, 3, 4];
    let frame = || Image::gray8(2, 2, 2, grey.as_slice()).expect("sound");
    let levels = |image: Image<'_>| decoded_frame(&image).rgb.chunks_exact(3).map(|p| p[0]).collect::<Vec<u8>>();
    assert_eq!(levels(frame()), [1, 2, 3, 4]);
    assert_eq!(levels(frame().rotated(Rotation::Clockwise90)), [3, 1, 4, 2]);
    assert_eq!(levels(frame().rotated(Rotation::Clockwise180)), [4, 3, 2, 1]);
    assert_eq!(levels(frame().rotated(Rotation::Clockwise270)), [2, 4, 1, 3]);
    assert_eq!(levels(frame().mirrored()), [2, 1, 4, 3]);
    assert_eq!(levels(frame().mirrored().rotated(Rotation::Clockwise90)), [1, 3, 2, 4]);
    assert_eq!(levels(frame().mirrored().mirrored()), [1, 2, 3, 4]);
}

#[test]
fn decode_crops_a_region_from_the_upright_frame() {
    let nv21 = golden("yuv/nv21.bin");
    let frame = Yuv420::nv21(37, 23, &nv21, YuvMatrix::Bt601, YuvRange::Full).expect("sound");
    let image = Image::yuv420(frame).expect("sound").rotated(Rotation::Clockwise270).mirrored();
    let whole = decoded_frame(&image);
    assert_eq!((whole.width, whole.height), (23, 37));
    let part = (4, 9, 13, 21);
    let found = decode(&image, Some(region(part, (23, 37))), FULL, &Limits::default()).expect("sound");
    assert_eq!(found, cropped(&whole, part));
}

#[test]
fn image_refuses_buffers_that_do_not_fit_the_size() {
    let malformed = |made: Result<Image<'_>>, part: &str| match made {
        Err(error) if error.kind() == ErrorKind::MalformedImage => assert!(error.message().contains(part), "{error}"),
        other => panic!("{part}: {other:?}"),
    };
    let bytes = [0; 100];
    malformed(Image::rgb8(0, 5, 15, bytes.as_slice()), "no pixels");
    malformed(Image::gray8(5, 0, 15, bytes.as_slice()), "no pixels");
    malformed(Image::rgb8(5, 5, 14, bytes.as_slice()), "row stride of 14");
    malformed(Image::rgb8(5, 7, 15, bytes.as_slice()), "105 are needed");
    malformed(Image::rgba8(u32::MAX, u32::MAX, usize::MAX, bytes.as_slice()), "too few");
    malformed(Image::rgba8(1, u32::MAX, usize::MAX / 2, bytes.as_slice()), "more than this machine can address");
    let short = |size: (u32, u32)| {
        Yuv420::nv12(size.0, size.1, &bytes, YuvMatrix::Bt601, YuvRange::Full).and_then(Image::yuv420)
    };
    malformed(short((9, 9)), "needs 131 bytes");
    malformed(short((u32::MAX, u32::MAX)), "needs");
    malformed(short((0, 4)), "no pixels");
    let plane = Plane { data: &bytes, row_stride: 5, pixel_stride: 0 };
    let frame =
        Yuv420 { width: 5, height: 5, y: plane, u: plane, v: plane, matrix: YuvMatrix::Bt601, range: YuvRange::Full };
    malformed(Image::yuv420(frame), "pixel stride of 0");
}

#[test]
fn debug_of_a_frame_shows_no_pixels() {
    let image = Image::gray8(2, 1, 2, [201, 202].as_slice()).expect("sound");
    let frame = Yuv420::i420(1, 1, &[201, 202, 203], YuvMatrix::Bt601, YuvRange::Full).expect("sound");
    for shown in [format!("{image:?}"), format!("{frame:?}"), format!("{:?}", Image::from_bytes([201, 202].as_slice()))]
    {
        assert!(!shown.contains("201"), "{shown}");
    }
}

fn rotations() -> impl Strategy<Value = Rotation> {
    prop_oneof![
        Just(Rotation::Upright),
        Just(Rotation::Clockwise90),
        Just(Rotation::Clockwise180),
        Just(Rotation::Clockwise270)
    ]
}

proptest! {
    #[test]
    fn packed_pixels_of_any_size_are_decoded_or_refused(
        (width, height) in (0u32..9, 0u32..9),
        row_stride in 0usize..40,
        len in 0usize..300,
        rotation in rotations(),
        edges in (0.0f32..0.9, 0.0f32..0.9, 0.01f32..1.0, 0.01f32..1.0),
    ) {
        let pixels = vec![7; len];
        let region = crate::Region::new(edges.0, edges.1, edges.2, edges.3).ok();
        let sound = [
            Image::rgb8(width, height, row_stride, pixels.as_slice()),
            Image::rgba8(width, height, row_stride, pixels.as_slice()),
            Image::gray8(width, height, row_stride, pixels.as_slice()),
        ];
        for image in sound.into_iter().flatten() {
            let picture = decode(&image.rotated(rotation), region, FULL, &Limits::default()).expect("sound");
            prop_assert_eq!(picture.rgb.len(), picture.width as usize * picture.height as usize * 3);
            prop_assert!(!picture.rgb.is_empty());
        }
    }

    #[test]
    fn yuv420_planes_of_any_size_are_decoded_or_refused(
        (width, height) in (0u32..9, 0u32..9),
        strides in proptest::array::uniform3((0usize..24, 0usize..4)),
        lengths in proptest::array::uniform3(0usize..200),
        rotation in rotations(),
    ) {
        let data: Vec<Vec<u8>> = lengths.iter().map(|&len| vec![7; len]).collect();
        let plane = |i: usize| Plane { data: &data[i], row_stride: strides[i].0, pixel_stride: strides[i].1 };
        let (matrix, range) = (YuvMatrix::Bt709, YuvRange::Limited);
        let frame = Yuv420 { width, height, y: plane(0), u: plane(1), v: plane(2), matrix, range };
        if let Ok(image) = Image::yuv420(frame) {
            let picture = decode(&image.rotated(rotation), None, FULL, &Limits::default()).expect("sound");
            prop_assert_eq!(picture.rgb.len(), (width * height * 3) as usize);
        }
        let sound = [
            Yuv420::i420(width, height, &data[0], matrix, range),
            Yuv420::nv12(width, height, &data[0], matrix, range),
            Yuv420::nv21(width, height, &data[0], matrix, range),
        ];
        for image in sound.into_iter().flatten().flat_map(Image::yuv420) {
            decode(&image, None, FULL, &Limits::default()).expect("sound");
        }
    }
}
