//! From an upright picture to the numbers that a graph takes: resized, channels in order, normalised.
//!
//! Bilinear resizing gives what Pillow's `resize(size, BILINEAR)` gives, within one grey level, which is what models
//! were trained and calibrated on. Grey is made before resizing, as by Pillow's `convert("L").resize(…)`.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use fast_image_resize::images::{Image as Target, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::image::Picture;
use crate::manifest::{Color, Filter, Input, ResizePolicy};
use crate::{Error, Result};

/// Where a tensor's channels stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One plane a channel.
    Nchw,
    /// The channels of a pixel side by side.
    Nhwc,
}

/// A picture at the input's size, its channels in the input's order, not yet normalised.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 3, or 1 for grey.
    pub(crate) channels: usize,
    /// Row by row, the channels of a pixel side by side.
    pub(crate) pixels: Vec<u8>,
}

impl Prepared {
    /// (v / 255 - mean) / std for each value v of each channel, as torchvision's `ToTensor` and `Normalize` compute it.
    /// `mean` and `std` have one value a channel.
    pub(crate) fn to_f32(&self, layout: Layout, mean: &[f32], std: &[f32]) -> Vec<f32> {
        let tables: Vec<[f32; 256]> = mean.iter().zip(std).map(|(&mean, &std)| normalised(mean, std)).collect();
        self.arranged(layout, |channel, value| tables[channel][usize::from(value)])
    }

    /// The values as they are, for graphs that normalise themselves.
    pub(crate) fn to_u8(&self, layout: Layout) -> Vec<u8> {
        self.arranged(layout, |_, value| value)
    }

    fn arranged<T>(&self, layout: Layout, value: impl Fn(usize, u8) -> T) -> Vec<T> {
        let channels = self.channels;
        match layout {
            Layout::Nhwc => self
                .pixels
                .chunks_exact(channels)
                .flatten()
                .zip((0..channels).cycle())
                .map(|(&v, c)| value(c, v))
                .collect(),
            Layout::Nchw => (0..channels)
                .flat_map(|c| self.pixels[c..].iter().step_by(channels).map(move |&v| (c, v)))
                .map(|(c, v)| value(c, v))
                .collect(),
        }
    }
}

/// What each of the 256 values becomes.
fn normalised(mean: f32, std: f32) -> [f32; 256] {
    std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std)
}

/// Brings a picture to the input's size, by the input's policy.
///
/// # Errors
/// [`Error::Internal`] where the resizer refuses.
pub(crate) fn prepare(picture: &Picture, input: &Input) -> Result<Prepared> {
    let source = Raster::of(picture, input.color);
    let size = (input.width, input.height);
    let mut pixels = match input.resize.policy {
        ResizePolicy::Stretch => source.resized(source.whole(), size, input.resize.filter)?,
        ResizePolicy::Crop => {
            let shorter_side = input.resize.shorter_side.unwrap_or(size.0.max(size.1));
            source.resized(source.middle(shorter_side, size), size, input.resize.filter)?
        }
        ResizePolicy::Letterbox => source.letterboxed(size, input.resize.fill.unwrap_or(0), input.resize.filter)?,
    };
    if input.color == Color::Bgr {
        pixels.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
    }
    Ok(Prepared { width: input.width, height: input.height, channels: input.color.channels(), pixels })
}

/// Pixels to be resized, in as many channels as the model has.
struct Raster<'a> {
    width: u32,
    height: u32,
    pixel: PixelType,
    data: Cow<'a, [u8]>,
}

/// A part of a raster; its borders may lie between pixels.
#[derive(Debug, Clone, Copy)]
struct Window {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl<'a> Raster<'a> {
    fn of(picture: &'a Picture, color: Color) -> Raster<'a> {
        let (pixel, data) = match color {
            Color::Rgb | Color::Bgr => (PixelType::U8x3, Cow::Borrowed(picture.rgb.as_slice())),
            Color::Gray => (PixelType::U8, Cow::Owned(picture.rgb.chunks_exact(3).map(luma).collect())),
        };
        Raster { width: picture.width, height: picture.height, pixel, data }
    }

    fn whole(&self) -> Window {
        Window { left: 0.0, top: 0.0, width: f64::from(self.width), height: f64::from(self.height) }
    }

    /// What torchvision's `Resize(shorter_side)` and `CenterCrop(size)` leave: the part that is cut out of the resized
    /// picture, in this one's coordinates. Nothing outside of it is ever resized.
    fn middle(&self, shorter_side: u32, size: (u32, u32)) -> Window {
        let (width, height) = resized_by_shorter_side((self.width, self.height), shorter_side);
        let scale = (f64::from(self.width) / width as f64, f64::from(self.height) / height as f64);
        Window {
            left: half_to_even(width.saturating_sub(size.0.into())) as f64 * scale.0,
            top: half_to_even(height.saturating_sub(size.1.into())) as f64 * scale.1,
            width: f64::from(size.0) * scale.0,
            height: f64::from(size.1) * scale.1,
        }
    }

    /// Fits all of the raster inside `size`, with bars of one level: Pillow's `ImageOps.pad`, but never thinner than a
    /// pixel.
    fn letterboxed(&self, size: (u32, u32), fill: u8, filter: Filter) -> Result<Vec<u8>> {
        let inner = contained((self.width, self.height), size);
        let fitted = self.resized(self.whole(), inner, filter)?;
        if inner == size {
            return Ok(fitted);
        }
        let channels = self.pixel.size();
        let left = half_to_even(u64::from(size.0 - inner.0)) as usize;
        let top = half_to_even(u64::from(size.1 - inner.1)) as usize;
        let (row, inner_row) = (size.0 as usize * channels, inner.0 as usize * channels);
        let mut pixels = vec![fill; row * size.1 as usize];
        for (into, from) in pixels.chunks_exact_mut(row).skip(top).zip(fitted.chunks_exact(inner_row)) {
            into[left * channels..left * channels + inner_row].copy_from_slice(from);
        }
        Ok(pixels)
    }

    /// A part of the raster at another size.
    fn resized(&self, window: Window, size: (u32, u32), filter: Filter) -> Result<Vec<u8>> {
        // The resizer goes down the columns first and keeps all of them at the new height in between, which a wide, low
        // picture would make far larger than itself: such a one is brought to its width first.
        if window.width * f64::from(size.1) > WIDE * f64::from(self.height) * f64::from(size.0) {
            let rows = Window { top: 0.0, height: f64::from(self.height), ..window };
            let narrow = (size.0, self.height);
            let data = Cow::Owned(self.convolved(rows, narrow, filter)?);
            let narrowed = Raster { width: narrow.0, height: narrow.1, pixel: self.pixel, data };
            let columns = Window { left: 0.0, width: f64::from(size.0), ..window };
            return narrowed.convolved(columns, size, filter);
        }
        self.convolved(window, size, filter)
    }

    fn convolved(&self, window: Window, size: (u32, u32), filter: Filter) -> Result<Vec<u8>> {
        let Filter::Bilinear = filter;
        let window = self.inside(window);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(window.left, window.top, window.width, window.height)
            .use_alpha(false);
        let refused = |error: &dyn std::fmt::Display| Error::Internal(format!("resize: {error}"));
        let mut pixels = vec![0; size.0 as usize * size.1 as usize * self.pixel.size()];
        let source = ImageRef::new(self.width, self.height, &self.data, self.pixel).map_err(|error| refused(&error))?;
        let mut target =
            Target::from_slice_u8(size.0, size.1, &mut pixels, self.pixel).map_err(|error| refused(&error))?;
        Resizer::new().resize(&source, &mut target, &options).map_err(|error| refused(&error))?;
        Ok(pixels)
    }

    /// The window without what rounding put over the edge.
    fn inside(&self, window: Window) -> Window {
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        Window {
            width: within(window.left, window.width, width),
            height: within(window.top, window.height, height),
            ..window
        }
    }
}

/// How many times larger the in-between picture may be when columns go first.
const WIDE: f64 = 4.0;

/// The length from `start`, or the longest that ends at `end`.
fn within(start: f64, length: f64, end: f64) -> f64 {
    if start + length <= end { length } else { end - start }
}

/// ITU-R 601 luma in steps of 2⁻¹⁶, as Pillow's `convert("L")`.
fn luma(rgb: &[u8]) -> u8 {
    ((u32::from(rgb[0]) * 19595 + u32::from(rgb[1]) * 38470 + u32::from(rgb[2]) * 7471 + 0x8000) >> 16) as u8
}

/// Width and height with the shorter side brought to `shorter_side` and the other cut to a whole pixel, as
/// torchvision's `Resize` has it.
fn resized_by_shorter_side((width, height): (u32, u32), shorter_side: u32) -> (u64, u64) {
    let (width, height, side) = (u64::from(width), u64::from(height), u64::from(shorter_side));
    if width <= height { (side, side * height / width) } else { (side * width / height, side) }
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
fn half_to_even(margin: u64) -> u64 {
    let half = margin / 2;
    half + (margin % 2) * (half % 2)
}
