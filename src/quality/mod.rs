//! The quality gate: measures of a picture before the graph runs, and the reasons to refuse it that they give.
//!
//! All but the size are measured on the model's input, before normalisation: what the network sees, whatever the scale
//! at which the picture was decoded. `docs/notes/2026-11-quality.md` compares the formulas with others, and
//! `docs/decisions/0023-quality-at-input-size.md` says why no larger picture is measured. The limits are the manifest's
//! ([`QualityLimits`](crate::manifest::QualityLimits)).

mod color;
mod focus;
mod gate;
#[cfg(test)]
mod tests;
mod warning;

use serde::{Deserialize, Serialize};

use crate::image::Picture;
use crate::manifest::{Color, ColorMeant, Input};
use crate::preprocess::{Area, ModelInput, filled, luma, shown, wipe};

pub(crate) use gate::quality_reasons;
pub(crate) use warning::warnings;
pub use warning::{Warning, WarningKind};

/// The luma from which on a pixel counts as overexposed, in levels of 0…255.
const BRIGHT: usize = 250;

/// Measures of a picture, or of the query's region of it. All are ratios without a unit, finite, and at least 0.
///
/// Y is ITU-R BT.601 luma of the model's input before normalisation, in whole levels of 0…255. The bars of the resize
/// policy `letterbox` don't count. The same picture gives each measure within 10 % of its value, or within 0.02 where that
/// is more, as a file at any scale of decoding, as a camera frame, and as a region of a larger picture.
///
/// ```
/// # if cfg!(not(feature = "onnx")) { return Ok(()); }
/// use bedside::{Answer, Classifier, Image, Options, Query};
///
/// let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
/// let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);
/// let report = classifier.classify(&Image::open("models/samples/ISIC_0012258.jpg")?, &query)?;
/// let quality = report.quality.expect("the picture was decoded");
/// assert!(quality.focus > 0.26 && quality.dark < 0.75);
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quality {
    /// How fine the detail is: from 0, 0.3 to 0.9 in most sharp photos, and about 1.7 for noise alone. Low where the picture
    /// is out of focus.
    ///
    /// It is Σ|a − 2b + c| / Σ(|c − a| + 8) over each three neighbours a, b, c of a row or a column, in the middle half of
    /// the rows and columns of the input at half size, whose cells are the sums of Y over 2×2 pixels. It joins the
    /// Laplacian and the gradient of Pertuz, Puig and Garcia 2013.
    pub focus: f32,
    /// 1 − p / 255, 0…1, where p is the 95th percentile of Y: the least level that at least 95 % of the pixels don't
    /// exceed. High where even the brightest part is dark.
    pub dark: f32,
    /// The share of pixels, 0…1, with a Y of at least 250.
    pub bright: f32,
    /// The standard deviation of Y over 127.5, 0…1.
    pub contrast: f32,
    /// The share of coloured pixels, 0…1: those whose chroma, max(R, G, B) − min(R, G, B), is at least 8 where the
    /// manifest's `calibration.quality.color` is `gray`, and else at least 24.
    ///
    /// A model with a grey input sees no colour. For it, this is measured on the picture: on the means of 4×4 samples in
    /// each cell of a grid that has half of the input's width and height.
    pub color: f32,
    /// The width of the region over the input's width, or the height over the height where that is less, in pixels of the
    /// source: of the file or frame before any scaling. Above 0.
    pub size: f32,
}

/// The memory of a measurement, which a later one uses again.
#[derive(Debug, Default)]
pub(crate) struct QualityBuffers {
    /// The luma of the area that is measured.
    levels: Vec<u8>,
    /// The luma at half size.
    cells: Vec<i32>,
    /// The columns and rows of the picture that are sampled for colour.
    columns: Vec<usize>,
    rows: Vec<usize>,
}

impl QualityBuffers {
    /// The bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        let positions = (self.columns.capacity() + self.rows.capacity()) * size_of::<usize>();
        self.levels.capacity() + self.cells.capacity() * 4 + positions
    }

    /// Overwrites what is left of a picture with zeros.
    pub(crate) fn wipe(&mut self) {
        wipe(&mut self.levels);
        wipe(&mut self.cells);
    }
}

/// Measures a picture and the input that was made of it. `input` is the manifest's description of the input, `meant` the
/// colours that the manifest states.
pub(crate) fn measure(
    picture: &Picture,
    model_input: &ModelInput,
    input: &Input,
    meant: Option<ColorMeant>,
    buffers: &mut QualityBuffers,
) -> Quality {
    let QualityBuffers { levels, cells, columns, rows: sampled_rows } = buffers;
    let size = (picture.width, picture.height);
    let area = filled(size, input);
    let chroma = meant.unwrap_or(ColorMeant::Rgb).chroma();
    levels.clear();
    let coloured = match input.color {
        Color::Rgb => of_pixels(model_input, area, chroma, levels, |&pixel| pixel),
        Color::Bgr => of_pixels(model_input, area, chroma, levels, |&[b, g, r]| [r, g, b]),
        Color::Gray => {
            levels.extend(rows::<1>(model_input, area).flatten().map(|&[level]| level));
            let cells = (area.width / 2, area.height / 2);
            color::of_picture(picture, shown(size, input), cells, chroma, (columns, sampled_rows))
        }
    };
    let luma = Luma { width: area.width as usize, levels };
    let Levels { dark, bright, contrast } = luma.measured();
    let (width, height) = picture.source_size;
    let ratio = |source: u32, input: u32| f64::from(source) / f64::from(input);
    Quality {
        focus: focus::of(&luma, cells) as f32,
        dark: dark as f32,
        bright: bright as f32,
        contrast: contrast as f32,
        color: coloured as f32,
        size: ratio(width, input.width).min(ratio(height, input.height)) as f32,
    }
}

/// Adds the luma of an area of an input of three channels to `levels`, and returns its share of pixels of at least
/// `chroma`. `rgb` gives a pixel's red, green and blue.
fn of_pixels(
    model_input: &ModelInput,
    area: Area,
    chroma: u8,
    levels: &mut Vec<u8>,
    rgb: impl Fn(&[u8; 3]) -> [u8; 3],
) -> f64 {
    let mut coloured = 0u64;
    for row in rows::<3>(model_input, area) {
        coloured += row.iter().filter(|pixel| color::chroma(**pixel) >= chroma).count() as u64;
        levels.extend(row.iter().map(|pixel| luma(rgb(pixel))));
    }
    coloured as f64 / levels.len() as f64
}

/// The rows of an area of an input of `CHANNELS` channels.
fn rows<const CHANNELS: usize>(model_input: &ModelInput, area: Area) -> impl Iterator<Item = &[[u8; CHANNELS]]> {
    let (pixels, _) = model_input.pixels.as_chunks::<CHANNELS>();
    let (left, width) = (area.left as usize, area.width as usize);
    let rows = pixels.chunks_exact(model_input.width as usize).skip(area.top as usize).take(area.height as usize);
    rows.map(move |row| &row[left..left + width])
}

/// The luma of an area, in rows from the top.
struct Luma<'a> {
    width: usize,
    levels: &'a [u8],
}

/// What follows from how often each level occurs.
struct Levels {
    dark: f64,
    bright: f64,
    contrast: f64,
}

impl Luma<'_> {
    fn measured(&self) -> Levels {
        let mut counts = [0u64; 256];
        for &level in self.levels {
            counts[usize::from(level)] += 1;
        }
        let pixels = self.levels.len() as u64;
        let mut seen = 0;
        let percentile = counts.iter().position(|count| {
            seen += count;
            100 * seen >= 95 * pixels
        });
        let percentile = percentile.expect("the counts of all levels sum to the number of pixels");
        let moment = |power: u32| -> u128 {
            (0u128..).zip(&counts).map(|(level, &count)| u128::from(count) * level.pow(power)).sum()
        };
        // n² times the variance: of whole numbers, so that no rounding cancels.
        let spread = u128::from(pixels) * moment(2) - moment(1) * moment(1);
        let pixels = pixels as f64;
        Levels {
            dark: 1.0 - percentile as f64 / 255.0,
            bright: counts[BRIGHT..].iter().sum::<u64>() as f64 / pixels,
            contrast: libm::sqrt(spread as f64) / pixels / 127.5,
        }
    }
}
