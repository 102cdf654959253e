//! Preprocessing: resizes an upright picture to a model's input, orders its channels, and gives the tables that
//! normalise its bytes.
//!
//! Each resize policy gives the bytes of Pillow and torchvision to the bit, since models are trained and calibrated on
//! them. A grey input is converted before it is resized, as by Pillow's `convert("L").resize(…)`.

mod fit;
mod resize;
#[cfg(test)]
mod tests;

use bedside_engine::{Layout, Pixels};

use crate::image::Picture;
use crate::manifest::{Color, Filter, Input, ResizePolicy};
use fit::Fit;
pub(crate) use fit::{Area, filled, shown, to_picture};
pub(crate) use resize::ResizeBuffers;
use resize::{Axis, resize};

/// A picture at the input's size, with its channels in the input's order, before normalisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ModelInput {
    /// In pixels.
    pub(crate) width: u32,
    /// In pixels.
    pub(crate) height: u32,
    /// 3, or 1 for grey.
    pub(crate) channels: usize,
    /// `height` × `width` × `channels` bytes: rows from the top, the channels of a pixel adjacent.
    pub(crate) pixels: Vec<u8>,
}

impl ModelInput {
    /// A black input.
    pub(crate) fn black(input: &Input) -> ModelInput {
        let (width, height, channels) = (input.width, input.height, input.color.channels());
        ModelInput { width, height, channels, pixels: vec![0; width as usize * height as usize * channels] }
    }

    /// The pixels for the engine. `values` has the normalised value of each byte, one table for each channel; it is
    /// `None` for a graph whose input is bytes.
    pub(crate) fn pixels<'a>(&'a self, layout: Layout, values: Option<&'a [[f32; 256]]>) -> Pixels<'a> {
        Pixels { bytes: &self.pixels, channels: self.channels, values, layout }
    }
}

/// A table for each channel, with (v / 255 - mean) / std in float32 for each byte v, as torchvision's `ToTensor` and
/// `Normalize` compute it. `mean` and `std` have one value for each channel.
pub(crate) fn normalised(mean: &[f32], std: &[f32]) -> Vec<[f32; 256]> {
    let channel = |(&mean, &std): (&f32, &f32)| std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std);
    mean.iter().zip(std).map(channel).collect()
}

/// The memory of preprocessing, which a later picture uses again.
#[derive(Debug, Default)]
pub(crate) struct PreprocessBuffers {
    resize: ResizeBuffers,
    /// The luma of the picture, for a grey input.
    luma: Vec<u8>,
    /// The resized picture, where there are bars around it.
    fitted: Vec<u8>,
}

impl PreprocessBuffers {
    /// The bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.resize.bytes() + self.luma.capacity() + self.fitted.capacity()
    }

    /// Overwrites what is left of a picture with zeros.
    pub(crate) fn wipe(&mut self) {
        self.resize.wipe();
        wipe(&mut self.luma);
        wipe(&mut self.fitted);
    }
}

/// Overwrites all memory of a vector with zeros: it is as long as its capacity then.
pub(crate) fn wipe<T: Copy + Default>(values: &mut Vec<T>) {
    values.clear();
    values.resize(values.capacity(), T::default());
}

/// Resizes a picture to the input's size by the input's policy, with its channels in the input's order.
pub(crate) fn preprocess(picture: &Picture, input: &Input, buffers: &mut PreprocessBuffers, to: &mut ModelInput) {
    let PreprocessBuffers { resize, luma, fitted } = buffers;
    let source = Raster::of(picture, input, luma);
    let fit = Fit::of((picture.width, picture.height), input);
    let size = (input.width, input.height);
    let pixels = &mut to.pixels;
    match input.resize.policy {
        ResizePolicy::Stretch => source.stretch(fit.resized, resize, pixels),
        ResizePolicy::Crop => source.center_crop(fit, size, resize, pixels),
        ResizePolicy::Letterbox if fit.resized == size => source.stretch(size, resize, pixels),
        ResizePolicy::Letterbox => {
            source.stretch(fit.resized, resize, fitted);
            letterbox(fitted, fit, size, source.channels, input.resize.fill.unwrap_or(0), pixels);
        }
    }
    if input.color == Color::Bgr {
        pixels.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
    }
    (to.width, to.height, to.channels) = (input.width, input.height, input.color.channels());
}

/// As [`preprocess`], in memory of its own.
pub(crate) fn preprocessed(picture: &Picture, input: &Input) -> ModelInput {
    let mut to = ModelInput::default();
    preprocess(picture, input, &mut PreprocessBuffers::default(), &mut to);
    to
}

/// Pixels to be resized, with the number of channels of the input: rows from the top, the channels of a pixel adjacent.
struct Raster<'a> {
    width: u32,
    height: u32,
    channels: usize,
    filter: Filter,
    data: &'a [u8],
}

impl<'a> Raster<'a> {
    /// A picture's pixels, which are borrowed for three channels and converted for grey. For BGR they are in RGB order.
    fn of(picture: &'a Picture, input: &Input, levels: &'a mut Vec<u8>) -> Raster<'a> {
        let data = match input.color {
            Color::Rgb | Color::Bgr => picture.rgb.as_slice(),
            Color::Gray => {
                levels.clear();
                levels.reserve_exact(picture.rgb.len() / 3);
                levels.extend(picture.rgb.as_chunks::<3>().0.iter().map(|&rgb| luma(rgb)));
                levels
            }
        };
        let (width, height) = (picture.width, picture.height);
        Raster { width, height, channels: input.color.channels(), filter: input.resize.filter, data }
    }

    /// Resizes the whole raster, without keeping its aspect ratio.
    fn stretch(&self, (width, height): (u32, u32), buffers: &mut ResizeBuffers, to: &mut Vec<u8>) {
        self.resize(&Axis::whole(self.width, width), &Axis::whole(self.height, height), buffers, to);
    }

    /// torchvision's `Resize(shorter_side)` and `CenterCrop(size)`. Only the pixels of the crop are computed.
    fn center_crop(
        &self,
        Fit { resized, crop, .. }: Fit,
        (width, height): (u32, u32),
        buffers: &mut ResizeBuffers,
        to: &mut Vec<u8>,
    ) {
        let center = |length, resized, start, size| Axis { length, resized, kept: start..start + size };
        let horizontal = center(self.width, resized.0, crop.0, width);
        self.resize(&horizontal, &center(self.height, resized.1, crop.1, height), buffers, to);
    }

    fn resize(&self, horizontal: &Axis, vertical: &Axis, buffers: &mut ResizeBuffers, to: &mut Vec<u8>) {
        match self.channels {
            1 => resize::<1>(self.data, (horizontal, vertical), self.filter, buffers, to),
            _ => resize::<3>(self.data, (horizontal, vertical), self.filter, buffers, to),
        }
    }
}

/// Centres a resized picture between bars of the level `fill`: Pillow's `ImageOps.pad`, but at least one pixel wide and
/// high. `size` is the width and height of the result.
fn letterbox(fitted: &[u8], fit: Fit, size: (u32, u32), channels: usize, fill: u8, to: &mut Vec<u8>) {
    let (left, top) = (fit.bars.0 as usize * channels, fit.bars.1 as usize);
    let (row_len, inner_row_len) = (size.0 as usize * channels, fit.resized.0 as usize * channels);
    to.clear();
    to.resize(row_len * size.1 as usize, fill);
    for (to, from) in to.chunks_exact_mut(row_len).skip(top).zip(fitted.chunks_exact(inner_row_len)) {
        to[left..left + inner_row_len].copy_from_slice(from);
    }
}

/// The ITU-R 601 luma of an RGB pixel with 16 fractional bits, as Pillow's `convert("L")` computes it.
pub(crate) fn luma(rgb: [u8; 3]) -> u8 {
    ((u32::from(rgb[0]) * 19595 + u32::from(rgb[1]) * 38470 + u32::from(rgb[2]) * 7471 + 0x8000) >> 16) as u8
}

/// The width and height that keep the aspect ratio and have `shorter_side` as the shorter one; the other is rounded
/// down, as in torchvision's `Resize`. Sides and `shorter_side` are at most 65,535, so that their product is below 2³².
fn resized_by_shorter_side((width, height): (u32, u32), shorter_side: u32) -> (u32, u32) {
    if width <= height {
        (shorter_side, shorter_side * height / width)
    } else {
        (shorter_side * width / height, shorter_side)
    }
}

/// The largest size inside `size` that keeps the aspect ratio, at least one pixel wide and high: Pillow's
/// `ImageOps.contain`.
fn contained((width, height): (u32, u32), size: (u32, u32)) -> (u32, u32) {
    let (width, height) = (f64::from(width), f64::from(height));
    let rounded = |length: f64, max: u32| (length.round_ties_even() as u32).clamp(1, max);
    if width / height > f64::from(size.0) / f64::from(size.1) {
        (size.0, rounded(height / width * f64::from(size.0), size.1))
    } else {
        (rounded(width / height * f64::from(size.1), size.0), size.1)
    }
}

/// Half of a margin, with ties rounded to even: Python's `round(margin / 2)`.
fn half_to_even(margin: u32) -> u32 {
    let half = margin / 2;
    half + (margin % 2) * (half % 2)
}
