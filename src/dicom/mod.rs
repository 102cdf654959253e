//! DICOM files (PS3.5, PS3.10): the pixels of one frame, as a viewer shows them.
//!
//! A file is untrusted. Nothing is allocated that its length or the limits don't bound, nothing recurses, and of what it says
//! of a person nothing is taken. `display` states how stored values become shown ones.

mod codec;
mod display;
mod error;
mod fragments;
mod header;
mod lut;
mod native;
mod pixels;
mod preamble;
mod source;
mod syntax;
mod tags;
#[cfg(test)]
mod tests;
mod ultrasound;
mod walk;

use std::borrow::Cow;

use crate::image::Facts;
use crate::{Error, ErrorKind, Limits, Result, Window};

use display::{Color, GreyTable, rgb_of_ybr};
use error::{malformed, not_read};
use header::{Collector, Header};
use pixels::{Layout, Samples};
use source::Reader;
use syntax::{Coding, Syntax};
use walk::Element;

pub(crate) use preamble::{HEAD, is_dicom};
pub(crate) use source::{OpenFile, Source};
use ultrasound::Area;

/// The most bytes of a data set that is deflated, which is read into memory as a whole.
const MAX_INFLATED: u64 = 48 << 20;

/// A frame as it is shown: rows from the top, without padding.
pub(crate) struct Shown {
    /// In pixels.
    pub(crate) size: (u32, u32),
    /// Whether a pixel has red, green and blue; else it is grey. 8 bits each.
    pub(crate) is_color: bool,
    pub(crate) pixels: Vec<u8>,
    /// The part that is looked at: tissue, of an ultrasound frame.
    pub(crate) area: Area,
    pub(crate) facts: Facts,
}

/// What is chosen of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Choice {
    /// The frame, from 0.
    pub(crate) frame: u64,
    pub(crate) window: Window,
    /// Whether an ultrasound frame is looked at as a whole.
    pub(crate) is_whole: bool,
}

/// The number of frames of a file, at least 1.
///
/// # Errors
/// As [`frame`].
pub(crate) fn frames(source: Source<'_>, limits: &Limits) -> Result<u64> {
    let inflated = inflated(&source, limits)?;
    Ok(File::read(inflated.as_ref().unwrap_or(&source), 0)?.layout.frames)
}

/// The chosen frame of a file. `check` is asked whether a frame of a size (width, height) may take so many bytes to
/// decode, before memory is allocated for it.
///
/// # Errors
/// [`ErrorKind::UnsupportedImage`], [`ErrorKind::MalformedImage`], [`ErrorKind::TooLarge`], and
/// [`ErrorKind::InvalidQuery`] for a frame or a window that the file does not have.
pub(crate) fn frame(
    source: Source<'_>,
    choice: Choice,
    limits: &Limits,
    check: impl Fn((u32, u32), u64) -> Result<()>,
) -> Result<Shown> {
    let inflated = inflated(&source, limits)?;
    File::read(inflated.as_ref().unwrap_or(&source), choice.frame)?.frame(choice, check)
}

/// A file up to its pixels.
struct File<'s> {
    source: &'s Source<'s>,
    syntax: Syntax,
    header: Header,
    layout: Layout,
    pixels: Element,
    /// Where the value of the pixels begins.
    at: u64,
}

impl<'s> File<'s> {
    /// Reads what a file says of its pixels, and of frame `frame` what is its own.
    fn read(source: &'s Source<'s>, frame: u64) -> Result<File<'s>> {
        let (start, syntax) = preamble::data_set(source)?;
        let mut reader = Reader::new(source, start);
        let mut collector = Collector::new(frame);
        let pixels = walk::walk(&mut reader, syntax.encoding, &mut collector)?;
        let header = collector.header;
        let Some(pixels) = pixels else { return Err(without_pixels(&header)) };
        if pixels.tag != tags::PIXELS {
            return Err(not_read(format!("{} is", pixels.tag)));
        }
        let layout = Layout::of(&header)?;
        Ok(File { source, syntax, header, layout, pixels, at: reader.position() })
    }

    fn frame(&self, choice: Choice, check: impl Fn((u32, u32), u64) -> Result<()>) -> Result<Shown> {
        let Choice { frame: number, window, is_whole } = choice;
        let Layout { size, frames, .. } = self.layout;
        if number >= frames {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                format!("frame {number}: the file has {frames}, which are numbered from 0"),
            ));
        }
        let is_color = !matches!(self.layout.color, Color::Grey { .. });
        let shown = self.layout.pixels() * if is_color { 3 } else { 1 };
        // The frame's compressed bytes, its samples and what a decoder takes beside, then the shown and the upright picture.
        let samples = self.layout.pixels() * u64::from(self.layout.channels);
        let decoder = match (self.pixels.length, self.syntax.coding) {
            (Some(_), _) | (None, Coding::Native) => 0,
            (None, Coding::Jpeg2000) => 16 * samples,
            (None, _) => 6 * samples,
        };
        check(size, shown + decoder + self.layout.pixels() * 3)?;

        let shader = Shader::of(&self.header, &self.layout, window)?;
        let mut pixels = Vec::with_capacity(shown as usize);
        match self.pixels.length {
            Some(length) if self.syntax.coding == Coding::Native => {
                native::read(self.source, &self.layout, (self.pixels, self.at, length), number, |samples| {
                    shader.add(samples, false, &mut pixels);
                })?;
            }
            Some(_) => return Err(malformed(tags::PIXELS, "is not in fragments, as its transfer syntax says")),
            None if !self.syntax.is_encapsulated() => {
                return Err(malformed(tags::PIXELS, "has no length, as its transfer syntax needs"));
            }
            None => {
                let mut reader = Reader::new(self.source, self.at);
                reader.tag = Some(tags::PIXELS);
                let offsets = &self.header.offsets;
                let bytes = fragments::frame(self.source, reader, self.syntax.coding, (number, frames), offsets)?;
                codec::read(self.syntax.coding, &bytes, &self.layout, |samples, is_rgb| {
                    shader.add(samples, is_rgb, &mut pixels);
                })?;
            }
        }
        if pixels.len() as u64 != shown {
            return Err(malformed(tags::PIXELS, "has an odd number of pixels, in pairs"));
        }
        let (facts, area) = (Facts::default(), [0, 0, size.0, size.1]);
        let mut shown = Shown { size, is_color, pixels, area, facts };
        let region = if is_whole { None } else { ultrasound::stated(&self.header, size) };
        shown.facts = self.header.facts(region.map(|(_, region, _)| region));
        if let Some((area, _, has_others)) = region {
            shown.area = area;
            shown.facts.has_other_region = has_others;
        } else if !is_whole && ultrasound::is_ultrasound(&self.header) {
            shown.area = ultrasound::found(&shown).unwrap_or(area);
        }
        Ok(shown)
    }
}

/// Makes shown pixels of samples.
enum Shader<'a> {
    Grey(GreyTable),
    Color(&'a Layout),
}

impl<'a> Shader<'a> {
    fn of(header: &Header, layout: &'a Layout, window: Window) -> Result<Shader<'a>> {
        match layout.color {
            Color::Grey { is_inverted } => Ok(Shader::Grey(GreyTable::of(header, layout.cells, is_inverted, window)?)),
            _ if window != Window::First => {
                Err(Error::new(ErrorKind::InvalidQuery, "window: the picture is in colour, which has none"))
            }
            _ => Ok(Shader::Color(layout)),
        }
    }

    /// Adds the shown pixels of samples: stored bits, pixel by pixel. `is_rgb` says that they are red, green and blue
    /// whatever the data set says.
    fn add(&self, samples: Samples<'_>, is_rgb: bool, pixels: &mut Vec<u8>) {
        match samples {
            Samples::Bytes(bytes) if self.is_identity(is_rgb) => pixels.extend_from_slice(bytes),
            Samples::Bytes(bytes) => self.add_bits(bytes, is_rgb, pixels),
            Samples::Words(words) => self.add_bits(words, is_rgb, pixels),
        }
    }

    /// Whether each sample of 8 bits is shown as it is.
    fn is_identity(&self, is_rgb: bool) -> bool {
        match self {
            Shader::Grey(table) => table.is_identity,
            Shader::Color(layout) => match layout.color {
                Color::Rgb => true,
                Color::Ybr { .. } => is_rgb,
                Color::Grey { .. } | Color::Palette(_) => false,
            },
        }
    }

    fn add_bits<T: Copy + Into<u16>>(&self, samples: &[T], is_rgb: bool, pixels: &mut Vec<u8>) {
        match self {
            Shader::Grey(table) => pixels.extend(samples.iter().map(|&bits| table.shown(bits.into()))),
            Shader::Color(Layout { color: Color::Palette(palette), cells, .. }) => {
                for &bits in samples {
                    pixels.extend_from_slice(&palette.color(cells.value(bits.into())));
                }
            }
            Shader::Color(Layout { color: Color::Ybr { is_partial }, .. }) if !is_rgb => {
                for pixel in samples.chunks_exact(3) {
                    let pixel = [pixel[0], pixel[1], pixel[2]].map(|bits| bits.into() as u8);
                    pixels.extend_from_slice(&rgb_of_ybr(pixel, *is_partial));
                }
            }
            Shader::Color(layout) => {
                let max = u32::from(layout.cells.mask());
                pixels.extend(samples.iter().map(|&bits| ((u32::from(bits.into()) * 255 + max / 2) / max) as u8));
            }
        }
    }
}

/// The data set of a file that is deflated, after its preamble; `None` where it is not.
fn inflated<'a>(source: &Source<'_>, limits: &Limits) -> Result<Option<Source<'a>>> {
    let Some(start) = preamble::deflated(source)? else { return Ok(None) };
    let bytes = source.bytes(tags::TRANSFER_SYNTAX, start, source.length() - start)?;
    let max = usize::try_from(limits.max_decoded_bytes.min(MAX_INFLATED)).unwrap_or(usize::MAX);
    match miniz_oxide::inflate::decompress_to_vec_with_limit(&bytes, max) {
        Ok(bytes) => Ok(Some(Source::Inflated(Cow::Owned(bytes)))),
        Err(error) if error.status == miniz_oxide::inflate::TINFLStatus::HasMoreOutput => Err(Error::new(
            ErrorKind::TooLarge,
            format!("DICOM: the deflated data set has more than {max} bytes; export the frame as PNG"),
        )),
        Err(_) => Err(error::damaged("the deflated data set")),
    }
}

/// The error of a file that holds no picture.
fn without_pixels(header: &Header) -> Error {
    let class = header.sop_class.as_deref().unwrap_or_default();
    let what = match class.strip_prefix("1.2.840.10008.").unwrap_or_default() {
        _ if header.is_directory => "a DICOMDIR, which lists other files, is",
        class if class.starts_with("5.1.4.1.1.88.") => "a structured report is",
        class if class.starts_with("5.1.4.1.1.9.") => "a waveform is",
        class if class.starts_with("5.1.4.1.1.104.") => "a document (PDF, CDA, STL) in DICOM is",
        class if class.starts_with("5.1.4.1.1.481.") => "a plan or a record of radiotherapy is",
        class if class.starts_with("5.1.4.1.1.11.") => "a presentation state is",
        "5.1.4.1.1.66" | "5.1.4.1.1.66.1" | "5.1.4.1.1.66.2" => "a registration or raw data is",
        _ => {
            return Error::new(
                ErrorKind::UnsupportedImage,
                format!("DICOM: the file has no {}, so no picture; open the file that has it", tags::PIXELS),
            );
        }
    };
    Error::new(ErrorKind::UnsupportedImage, format!("DICOM: {what} no picture; open the file that has the picture"))
}
