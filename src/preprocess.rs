//! From an upright picture to the bytes that a graph takes, and what they stand for: resized, channels in order, normalised.
//!
//! Every policy gives the bytes that Pillow and torchvision give, which is what models were trained and calibrated on.
//! Grey is made before resizing, as by Pillow's `convert("L").resize(…)`.

mod resize;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bedside_engine::{Layout, Pixels};

use crate::image::Picture;
use crate::manifest::{Color, Filter, Input, ResizePolicy};
use resize::{Axis, resize};

/// A picture at the input's size, its channels in the input's order, not yet normalised.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ModelInput {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 3, or 1 for grey.
    pub(crate) channels: usize,
    /// Row by row, the channels of a pixel side by side.
    pub(crate) pixels: Vec<u8>,
}

impl ModelInput {
    /// A black picture of the input's size.
    pub(crate) fn black(input: &Input) -> ModelInput {
        let (width, height, channels) = (input.width, input.height, input.color.channels());
        ModelInput { width, height, channels, pixels: vec![0; width as usize * height as usize * channels] }
    }

    /// As the graph takes it: with what the bytes of each channel stand for, or as they are.
    pub(crate) fn pixels<'a>(&'a self, layout: Layout, values: Option<&'a [[f32; 256]]>) -> Pixels<'a> {
        Pixels { bytes: &self.pixels, channels: self.channels, values, layout }
    }
}

/// (v / 255 - mean) / std for each value v of each channel, as torchvision's `ToTensor` and `Normalize` compute it.
/// `mean` and `std` have one value a channel.
pub(crate) fn normalised(mean: &[f32], std: &[f32]) -> Vec<[f32; 256]> {
    let channel = |(&mean, &std): (&f32, &f32)| std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std);
    mean.iter().zip(std).map(channel).collect()
}

/// Brings a picture to the input's size, by the input's policy.
pub(crate) fn preprocess(picture: &Picture, input: &Input) -> ModelInput {
    let source = Raster::of(picture, input.color);
    let size = (input.width, input.height);
    let Filter::Bilinear = input.resize.filter;
    let mut pixels = match input.resize.policy {
        ResizePolicy::Stretch => source.stretched(size),
        ResizePolicy::Crop => source.middle(input.resize.shorter_side.unwrap_or(size.0.max(size.1)), size),
        ResizePolicy::Letterbox => source.letterboxed(size, input.resize.fill.unwrap_or(0)),
    };
    if input.color == Color::Bgr {
        pixels.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
    }
    ModelInput { width: input.width, height: input.height, channels: input.color.channels(), pixels }
}

/// Pixels to be resized, in as many channels as the model has.
struct Raster<'a> {
    width: u32,
    height: u32,
    channels: usize,
    data: Cow<'a, [u8]>,
}

impl<'a> Raster<'a> {
    fn of(picture: &'a Picture, color: Color) -> Raster<'a> {
        let data = match color {
            Color::Rgb | Color::Bgr => Cow::Borrowed(picture.rgb.as_slice()),
            Color::Gray => Cow::Owned(picture.rgb.chunks_exact(3).map(luma).collect()),
        };
        Raster { width: picture.width, height: picture.height, channels: color.channels(), data }
    }

    fn stretched(&self, (width, height): (u32, u32)) -> Vec<u8> {
        self.resized(&Axis::whole(self.width, width), &Axis::whole(self.height, height))
    }

    /// torchvision's `Resize(shorter_side)` and `CenterCrop(size)`. Nothing outside of the middle is ever resized.
    fn middle(&self, shorter_side: u32, (width, height): (u32, u32)) -> Vec<u8> {
        let resized = resized_by_shorter_side((self.width, self.height), shorter_side);
        let middle = |length, resized: u32, size| {
            let start = half_to_even(resized - size);
            Axis { length, resized, kept: start..start + size }
        };
        self.resized(&middle(self.width, resized.0, width), &middle(self.height, resized.1, height))
    }

    /// Fits all of the raster inside `size`, with bars of one level: Pillow's `ImageOps.pad`, but never thinner than a
    /// pixel.
    fn letterboxed(&self, size: (u32, u32), fill: u8) -> Vec<u8> {
        let inner = contained((self.width, self.height), size);
        let fitted = self.stretched(inner);
        if inner == size {
            return fitted;
        }
        let left = half_to_even(size.0 - inner.0) as usize;
        let top = half_to_even(size.1 - inner.1) as usize;
        let (row, inner_row) = (size.0 as usize * self.channels, inner.0 as usize * self.channels);
        let mut pixels = vec![fill; row * size.1 as usize];
        for (into, from) in pixels.chunks_exact_mut(row).skip(top).zip(fitted.chunks_exact(inner_row)) {
            into[left * self.channels..left * self.channels + inner_row].copy_from_slice(from);
        }
        pixels
    }

    fn resized(&self, across: &Axis, down: &Axis) -> Vec<u8> {
        match self.channels {
            1 => resize::<1>(&self.data, across, down),
            _ => resize::<3>(&self.data, across, down),
        }
    }
}

/// ITU-R 601 luma in steps of 2⁻¹⁶, as Pillow's `convert("L")`.
fn luma(rgb: &[u8]) -> u8 {
    ((u32::from(rgb[0]) * 19595 + u32::from(rgb[1]) * 38470 + u32::from(rgb[2]) * 7471 + 0x8000) >> 16) as u8
}

/// Width and height with the shorter side brought to `shorter_side` and the other cut to a whole pixel, as
/// torchvision's `Resize` has it. Sides and `shorter_side` are at most 65,535, and so their product is below 2³².
fn resized_by_shorter_side((width, height): (u32, u32), shorter_side: u32) -> (u32, u32) {
    if width <= height {
        (shorter_side, shorter_side * height / width)
    } else {
        (shorter_side * width / height, shorter_side)
    }
}

/// The size, at most `size` and at least a pixel each way, that keeps the aspect ratio: Pillow's `ImageOps.contain`.
fn contained((width, height): (u32, u32), size: (u32, u32)) -> (u32, u32) {
    let (width, height) = (f64::from(width), f64::from(height));
    let rounded = |length: f64, most: u32| (length.round_ties_even() as u32).clamp(1, most);
    if width / height > f64::from(size.0) / f64::from(size.1) {
        (size.0, rounded(height / width * f64::from(size.0), size.1))
    } else {
        (rounded(width / height * f64::from(size.1), size.0), size.1)
    }
}

/// Half of a margin, a half pixel rounded to the even neighbour: Python's `round(margin / 2)`.
fn half_to_even(margin: u32) -> u32 {
    let half = margin / 2;
    half + (margin % 2) * (half % 2)
}
