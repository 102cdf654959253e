//! From stored values to shown ones, 8 bits each.
//!
//! The one place that states the order of the standard's pipeline (PS3.3 C.11, PS3.4 N.2):
//!
//! 1. the modality table, or the rescale slope and intercept;
//! 2. the VOI table, or the window: linear, linear exact or sigmoid; without either the whole range of what can be stored;
//! 3. inversion, of MONOCHROME1;
//! 4. 8 bits, rounded to the nearest.
//!
//! Padding is black. Overlays are not drawn. A picture has at most 65,536 stored values, so that the steps are taken once for
//! each of them.

use super::error::{malformed, not_read};
use super::header::{FrameValues, Header, Voi};
use super::lut::{Lut, Palette};
use super::pixels::Cells;
use super::tags;
use crate::image::{linear, valid as window_is_valid};
use crate::{Error, ErrorKind, Result, Window};

/// The shown value of the bits of each stored one of a grey picture, and 0 of those that are not stored.
pub(super) struct GreyTable {
    values: Box<[u8; 1 << 16]>,
    /// Whether each byte is shown as it is.
    pub(super) is_identity: bool,
}

impl GreyTable {
    /// The shown value of stored bits.
    pub(super) fn shown(&self, bits: u16) -> u8 {
        self.values[usize::from(bits)]
    }

    /// The table of a picture. `is_inverted` says whether it is MONOCHROME1.
    pub(super) fn of(header: &Header, cells: Cells, is_inverted: bool, window: Window) -> Result<GreyTable> {
        let values = |of: fn(&FrameValues) -> bool| if of(&header.own) { &header.own } else { &header.shared };
        let modality = &values(|own| own.modality.slope.is_some() || own.modality.lut.is_some()).modality;
        let voi = &values(|own| !own.voi.centers.is_empty() || !own.voi.luts.is_empty()).voi;

        let modality = if let Some(lut) = &modality.lut {
            Modality::Table(Lut::of(lut, cells.is_signed, tags::MODALITY_LUT)?)
        } else {
            let (slope, intercept) = (modality.slope.unwrap_or(1.0), modality.intercept.unwrap_or(0.0));
            if slope == 0.0 {
                return Err(malformed(tags::SLOPE, "is 0"));
            }
            Modality::Rescale { slope, intercept }
        };
        let range = modality.range(cells);
        let shown = Shown::of(voi, window, range)?;
        let padding = padding(header, cells);
        let value = |bits: u16| {
            let stored = cells.value(bits);
            if padding.is_some_and(|(low, high)| (low..=high).contains(&stored)) {
                return 0;
            }
            let part = shown.part(modality.of(f64::from(stored)));
            let part = if is_inverted { 1.0 - part } else { part };
            (part * 255.0 + 0.5).floor() as u8
        };
        let mut table: Vec<u8> = (0..=cells.mask()).map(value).collect();
        let is_identity = table.iter().copied().eq(0..=u8::MAX);
        table.resize(1 << 16, 0);
        let values = table.try_into().expect("as many as there are bits of 16");
        Ok(GreyTable { values, is_identity })
    }
}

/// The stored values that mean that there is no picture there, from the first to the last (PS3.3 C.7.5.1.1.2).
fn padding(header: &Header, cells: Cells) -> Option<(i32, i32)> {
    let value = |bits: u16| if cells.is_signed { i32::from(bits.cast_signed()) } else { i32::from(bits) };
    let first = value(header.padding?);
    let last = header.padding_limit.map_or(first, value);
    Some((first.min(last), first.max(last)))
}

/// The first step.
enum Modality {
    Table(Lut),
    Rescale { slope: f64, intercept: f64 },
}

impl Modality {
    fn of(&self, stored: f64) -> f64 {
        match self {
            Modality::Table(lut) => f64::from(lut.get(stored)),
            Modality::Rescale { slope, intercept } => stored * slope + intercept,
        }
    }

    /// The least and the largest value that can come of it.
    fn range(&self, cells: Cells) -> (f64, f64) {
        match self {
            Modality::Table(lut) => (0.0, f64::from(lut.max)),
            Modality::Rescale { .. } => {
                let (a, b) = cells.range();
                let (a, b) = (self.of(f64::from(a)), self.of(f64::from(b)));
                (a.min(b), a.max(b))
            }
        }
    }
}

/// The second step: the part of the way from black to white, 0 to 1, of a value.
enum Shown {
    All { low: f64, high: f64 },
    Table(Lut),
    Linear { center: f64, width: f64 },
    LinearExact { center: f64, width: f64 },
    Sigmoid { center: f64, width: f64 },
}

impl Shown {
    /// What a choice says of a file's tables and windows.
    fn of(voi: &Voi, window: Window, (low, high): (f64, f64)) -> Result<Shown> {
        let number = match window {
            Window::Values { center, width } => {
                window_is_valid(center, width)?;
                return Ok(Shown::Linear { center, width });
            }
            Window::First => 0,
            Window::Number(number) => number as usize,
        };
        let windows = voi.centers.len().min(voi.widths.len());
        if let Some(raw) = voi.luts.get(number) {
            // The values that the table is for may be below 0 where what it is applied to may be.
            return Ok(Shown::Table(Lut::of(raw, low < 0.0, tags::VOI_LUT)?));
        }
        let index = number - voi.luts.len();
        if index < windows {
            let (center, width) = (voi.centers[index], voi.widths[index]);
            // Zeros are what some writers have for none.
            if window != Window::First || (center, width) != (0.0, 0.0) {
                return Shown::window(voi, center, width);
            }
        }
        if let Window::Number(number) = window {
            let has = voi.luts.len() + windows;
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                format!("window {number}: the file has {has} of them, which are numbered from 0"),
            ));
        }
        Ok(Shown::All { low, high })
    }

    fn window(voi: &Voi, center: f64, width: f64) -> Result<Shown> {
        let function = voi.function.as_deref().unwrap_or("");
        let is_positive = if matches!(function, "" | "LINEAR") { width >= 1.0 } else { width > 0.0 };
        if !is_positive {
            return Err(malformed(
                tags::WINDOW_WIDTH,
                format!("is {width}: choose a window with a center and a width"),
            ));
        }
        match function {
            "" | "LINEAR" => Ok(Shown::Linear { center, width }),
            "LINEAR_EXACT" => Ok(Shown::LinearExact { center, width }),
            "SIGMOID" => Ok(Shown::Sigmoid { center, width }),
            _ => Err(not_read(format!("a {} beside LINEAR, LINEAR_EXACT and SIGMOID is", tags::VOI_FUNCTION))),
        }
    }

    /// PS3.3 C.11.2.1.1, C.11.2.1.2.1, C.11.2.1.3.2 and C.11.2.1.3.1.
    fn part(&self, value: f64) -> f64 {
        match *self {
            Shown::All { low, high } => (value - low) / (high - low),
            Shown::Table(ref lut) => (f64::from(lut.get(value)) / f64::from(lut.max)).min(1.0),
            Shown::Linear { center, width } => linear(value, center, width),
            Shown::LinearExact { center, width } => ((value - center) / width + 0.5).clamp(0.0, 1.0),
            Shown::Sigmoid { center, width } => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
        }
    }
}

/// How the samples of a pixel become its colour.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Color {
    /// MONOCHROME1 where inverted, else MONOCHROME2.
    Grey {
        is_inverted: bool,
    },
    Palette(Palette),
    Rgb,
    /// Luminance and two differences of colour, of the whole range or of the part that studios use.
    Ybr {
        is_partial: bool,
    },
}

/// Red, green and blue (PS3.3 C.7.6.3.1.2) of 8-bit samples.
pub(super) fn rgb_of_ybr([y, b, r]: [u8; 3], is_partial: bool) -> [u8; 3] {
    let [y, b, r] = [f32::from(y), f32::from(b) - 128.0, f32::from(r) - 128.0];
    let exact = if is_partial {
        let y = 1.164_383 * (y - 16.0);
        [y + 1.596_027 * r, y - 0.391_762 * b - 0.812_968 * r, y + 2.017_232 * b]
    } else {
        [y + 1.402 * r, y - 0.344_136 * b - 0.714_136 * r, y + 1.772 * b]
    };
    exact.map(|value| value.round().clamp(0.0, 255.0) as u8)
}
