//! The overlay of a heatmap: the picture in grey, the evidence in colours over it, and a legend below.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::colors::color;
use super::font::{ADVANCE, LINE, dots, wrapped};
use super::{ExplainMethod, Heatmap, png};
use crate::image::{Picture, Placement, decode_placed};
use crate::manifest::{Color, Input, Resize, ResizePolicy};
use crate::preprocess::preprocessed;
use crate::words::ENGLISH;
use crate::{Error, ErrorKind, Image, Limits, Result};

/// How large a picture is drawn.
pub(super) struct Extent {
    /// The width and height that it is decoded for.
    pub(super) decoded: (u32, u32),
    /// The maximum width and height, in pixels.
    pub(super) bounds: (u32, u32),
    /// How many times a small picture is enlarged at most.
    pub(super) max_enlargement: f64,
}

/// A picture that is drawn: rows of RGB pixels, 8 bits each.
pub(super) struct Drawing {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgb: Vec<u8>,
}

/// The maximum side of an overlay, in pixels.
const MAX_SIDE: u32 = 1024;

/// The picture of an overlay, above the legend.
const EXTENT: Extent =
    Extent { decoded: (MAX_SIDE / 2, MAX_SIDE / 2), bounds: (MAX_SIDE, MAX_SIDE - LEGEND), max_enlargement: 4.0 };

/// The height of the legend, in pixels.
pub(super) const LEGEND: u32 = 160;

/// The minimum width of an overlay, in pixels: that of the legend.
const MIN_WIDTH: u32 = 640;

/// The number of colours that the evidence is drawn in.
const COLORS: usize = 256;

/// The distance of the legend from the edges, in pixels.
const MARGIN: usize = 14;

/// The height of the bar of colours, in pixels.
const BAR: usize = 16;

/// The pixels for each dot of the font.
const DOT: usize = 2;

/// The evidence at the end of the scale, in logits, is the largest value but at least this: a factor of e in the odds.
/// Without it, the least evidence would be drawn as the strongest.
const MIN_SCALE: f64 = 1.0;

/// How much of a colour covers the picture where the evidence is strongest.
const MAX_OPACITY: f64 = 0.6;

/// The part of the scale over which colours come in.
const FADE: f64 = 0.35;

/// Dark grey, the background of the legend.
const BACKGROUND: [u8; 3] = [24; 3];

/// Light grey, the text.
const TEXT: [u8; 3] = [225; 3];

/// The grey on which the bar of colours is drawn.
const BAR_GREY: u8 = 128;

impl Heatmap {
    /// Draws the heatmap over its picture: a PNG of at most 1024 pixels a side, upright, in 8-bit RGB.
    ///
    /// The picture is grey, and what speaks for the label is coloured, the more the lighter; what speaks against it is
    /// not drawn. The scale in the legend goes from 0 to [`max`](Heatmap::max), and at least to 1 logit, so that little
    /// evidence is drawn as little. Where there is no evidence, the legend says so. What the network did not see is
    /// dark. The legend has the label's id and the notice in English.
    ///
    /// `image` must be the picture that was classified, with the same rotation and mirroring.
    ///
    /// ```
    /// # if cfg!(not(feature = "onnx")) { return Ok(()); }
    /// use bedside::{Answer, Classifier, Explain, ExplainMethod, Image, Options, Query};
    ///
    /// # fn explained() -> bedside::Result<()> {
    /// let classifier = Classifier::open("model.onnx", Options::new())?;
    /// let image = Image::open("lesion.jpg")?;
    /// let report = classifier.classify(&image, &Query::new().explain(Explain::new()))?;
    /// if let Some(heatmap) = report.heatmap {
    ///     std::fs::write("heatmap.png", heatmap.overlay(&image)?).expect("a place to write to");
    /// }
    /// # Ok(())
    /// # }
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidQuery`] where the picture has another size than the classified one, or the fields are not
    ///   those of a heatmap;
    /// - as [`Classifier::classify`](crate::Classifier::classify) has where the picture can't be decoded, within the
    ///   default [`Limits`].
    pub fn overlay(&self, image: &Image<'_>) -> Result<Vec<u8>> {
        let Drawing { width, height, rgb } = self.drawn(image, &EXTENT)?;
        let mut canvas = Canvas::new(width.max(MIN_WIDTH), height + LEGEND);
        canvas.place(((canvas.width - width as usize) / 2, 0), width, &rgb);
        self.draw_legend(&mut canvas, height as usize);
        Ok(png::encoded(canvas.width as u32, &canvas.rgb))
    }

    /// The picture in grey with the evidence in colours over it, without a legend.
    ///
    /// # Errors
    /// As [`overlay`](Heatmap::overlay).
    pub(super) fn drawn(&self, image: &Image<'_>, extent: &Extent) -> Result<Drawing> {
        let to_grid = self.to_grid()?;
        let (picture, placement) = decoded(image, extent.decoded)?;
        let stored = [placement.stored.0, placement.stored.1];
        if stored != self.picture {
            let ([width, height], [given_width, given_height]) = (self.picture, stored);
            let problem = format!(
                "heatmap: it is of a picture of {width}×{height} pixels, and this one has {given_width}×{given_height}"
            );
            return Err(Error::new(ErrorKind::InvalidQuery, problem));
        }
        let mut drawing = resized(&picture, Color::Gray, extent);
        let (paint, scale) = (Paint::new(), self.scale());
        let step = |length: u32, drawn: u32| f64::from(length) / f64::from(drawn);
        let (x_step, y_step) = (step(picture.width, drawing.width), step(picture.height, drawing.height));
        for (y, row) in (0u32..).zip(drawing.rgb.chunks_exact_mut(drawing.width as usize * 3)) {
            for (x, pixel) in (0u32..).zip(row.chunks_exact_mut(3)) {
                let decoded = ((f64::from(x) + 0.5) * x_step, (f64::from(y) + 0.5) * y_step);
                let stored = placement.to_stored.apply(decoded);
                if self.has_seen(stored) {
                    paint.over(pixel, self.at(to_grid.apply(stored)) / scale);
                } else {
                    for value in pixel.iter_mut() {
                        *value /= 3;
                    }
                }
            }
        }
        Ok(drawing)
    }

    /// The evidence at the end of the scale, in logits.
    fn scale(&self) -> f64 {
        f64::from(self.max).max(MIN_SCALE)
    }

    /// Whether the network saw a point of the stored picture.
    fn has_seen(&self, (x, y): (f64, f64)) -> bool {
        let [left, top, right, bottom] = self.seen;
        (left..=right).contains(&x) && (top..=bottom).contains(&y)
    }

    /// Draws the legend below the row `top`.
    fn draw_legend(&self, canvas: &mut Canvas, top: usize) {
        let (paint, scale) = (Paint::new(), self.scale());
        let (left, right) = (MARGIN, canvas.width - MARGIN);
        let columns = (right - left) / (ADVANCE * DOT);
        let mut y = top + MARGIN;
        if self.evidence {
            for x in left..right {
                let mut pixel = [BAR_GREY; 3];
                paint.over(&mut pixel, (x - left) as f64 / (right - left - 1) as f64);
                canvas.fill((x, y), (1, BAR), pixel);
            }
            y += BAR + 4;
            let ends = ["0".to_owned(), format!("{} logits", rounded(scale))];
            canvas.write((left, y), TEXT, &ends[0]);
            canvas.write((right.saturating_sub(ends[1].len() * ADVANCE * DOT), y), TEXT, &ends[1]);
            y += LINE * DOT;
        }
        let method = match self.method {
            ExplainMethod::ClassActivation => "class activation",
            ExplainMethod::Occlusion => "occlusion",
        };
        let subject = if self.evidence { "Evidence for" } else { "No evidence for" };
        let lines = wrapped(&format!("{subject} {} ({method})", self.label), columns).into_iter().take(2);
        for line in lines.chain(wrapped(ENGLISH.app_notice, columns)) {
            canvas.write((left, y), TEXT, &line);
            y += LINE * DOT;
        }
    }
}

/// The colours of evidence from 0 to the end of the scale.
struct Paint([[u8; 3]; COLORS]);

impl Paint {
    fn new() -> Paint {
        Paint(std::array::from_fn(|index| color(index as f64 / (COLORS - 1) as f64)))
    }

    /// Blends the colour of some evidence over a pixel; `evidence` is a part of the scale, and none where it is not above 0.
    fn over(&self, pixel: &mut [u8], evidence: f64) {
        if evidence > 0.0 {
            let opacity = MAX_OPACITY * (evidence / FADE).min(1.0);
            let color = self.0[(evidence.min(1.0) * (COLORS - 1) as f64).round() as usize];
            for (value, color) in pixel.iter_mut().zip(color) {
                *value = (f64::from(*value) * (1.0 - opacity) + f64::from(color) * opacity).round() as u8;
            }
        }
    }
}

/// A number of logits with two significant digits.
fn rounded(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.1}")
    } else if value < 1e6 {
        format!("{value:.0}")
    } else {
        format!("{value:.1e}")
    }
}

/// Decodes the whole picture, at a scale that is large enough for an input of this size.
pub(super) fn decoded(image: &Image<'_>, size: (u32, u32)) -> Result<(Picture, Placement)> {
    // As in `Classifier::classify`: a panic of a decoder must not end the app.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_placed(image, None, size, &Limits::default(), Vec::new())));
    let decoded = decoded.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Internal, "the decoder gave up on this picture; copy or export it again"))
    });
    decoded.map_err(|error| match image.name() {
        Some(name) => error.in_file(Path::new(name)),
        None => error,
    })
}

impl Image<'_> {
    /// The picture as it is looked at, upright, as a PNG in 8-bit RGB: of a DICOM file the chosen frame as it is shown, and of
    /// an ultrasound frame the part that is looked at. It is reduced to at most `max_side` pixels a side, and not enlarged.
    ///
    /// ```
    /// let image = bedside::Image::open("models/samples/ISIC_0012258.jpg")?;
    /// let png = image.shown(256)?;
    /// assert!(png.starts_with(b"\x89PNG"));
    /// # Ok::<(), bedside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`] where `max_side` is 0; as [`Classifier::classify`](crate::Classifier::classify) has where
    /// the picture can't be decoded, within the default [`Limits`].
    pub fn shown(&self, max_side: u32) -> Result<Vec<u8>> {
        if max_side == 0 {
            return Err(Error::new(ErrorKind::InvalidQuery, "max_side: 0; give the pixels of a side, 1 or more"));
        }
        let (picture, _) = decoded(self, (max_side, max_side))?;
        if picture.width.max(picture.height) <= max_side {
            return Ok(png::encoded(picture.width, &picture.rgb));
        }
        let bounds = (max_side, max_side);
        let drawing = resized(&picture, Color::Rgb, &Extent { decoded: bounds, bounds, max_enlargement: 1.0 });
        Ok(png::encoded(drawing.width, &drawing.rgb))
    }
}

/// The picture at the largest size in the bounds with its aspect ratio. In grey, red, green and blue are equal.
pub(super) fn resized(picture: &Picture, color: Color, extent: &Extent) -> Drawing {
    let (width, height) = fitted((picture.width, picture.height), extent);
    let channels = color.channels();
    let resize = Resize::new(ResizePolicy::Stretch);
    let input = Input::new(color, (width, height), resize, vec![0.0; channels], vec![1.0; channels]);
    let pixels = preprocessed(picture, &input).pixels;
    let rgb = if channels == 1 { pixels.into_iter().flat_map(|value| [value; 3]).collect() } else { pixels };
    Drawing { width, height, rgb }
}

/// The largest size inside of the bounds with the aspect ratio of `size`, at least one pixel wide and high, and enlarged
/// no more than is allowed.
fn fitted((width, height): (u32, u32), extent: &Extent) -> (u32, u32) {
    let bounds = extent.bounds;
    let scale = (f64::from(bounds.0) / f64::from(width)).min(f64::from(bounds.1) / f64::from(height));
    let scale = scale.min(extent.max_enlargement);
    let side = |length: u32, bound: u32| ((f64::from(length) * scale).round() as u32).clamp(1, bound);
    (side(width, bounds.0), side(height, bounds.1))
}

/// An RGB raster to draw on. What lies outside of it is not drawn.
struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Canvas {
        let (width, height) = (width as usize, height as usize);
        Canvas { width, height, rgb: BACKGROUND.repeat(width * height) }
    }

    /// Copies rows of `width` RGB pixels to the position of their top left corner.
    fn place(&mut self, (left, top): (usize, usize), width: u32, pixels: &[u8]) {
        let row_len = width as usize * 3;
        let rows = self.rgb.chunks_exact_mut(self.width * 3).skip(top);
        for (to, from) in rows.zip(pixels.chunks_exact(row_len)) {
            to[left * 3..left * 3 + row_len].copy_from_slice(from);
        }
    }

    /// Fills a rectangle of a size (width, height).
    fn fill(&mut self, (left, top): (usize, usize), (width, height): (usize, usize), color: [u8; 3]) {
        for y in top..(top + height).min(self.height) {
            for x in left..(left + width).min(self.width) {
                let start = (y * self.width + x) * 3;
                self.rgb[start..start + 3].copy_from_slice(&color);
            }
        }
    }

    /// Writes a line of text from its top left corner.
    fn write(&mut self, (left, top): (usize, usize), color: [u8; 3], text: &str) {
        for (x, y) in dots(text) {
            self.fill((left + x * DOT, top + y * DOT), (DOT, DOT), color);
        }
    }
}
