//! The limits of a picture's quality, as the manifest has them under `calibration.quality`.

use serde::{Deserialize, Serialize};

use super::check::ensure;
use crate::Result;

/// The limits that the measures of a picture's [`Quality`](crate::Quality) must keep. A measure without a limit refuses
/// nothing.
///
/// Each measure has a limit on one side only: `focus`, `contrast` and `size` a `min`, `dark` and `bright` a `max`.
///
/// ```
/// use bedside::manifest::{ColorMeant, Limit, QualityLimits};
///
/// let mut limits = QualityLimits::default();
/// limits.focus = Some(Limit::min(0.26));
/// limits.dark = Some(Limit::max(0.75));
/// limits.color = Some(ColorMeant::Rgb);
/// assert_eq!(limits.bright, None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QualityLimits {
    /// The `min` of [`Quality::focus`](crate::Quality::focus), at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Limit>,
    /// The `max` of [`Quality::dark`](crate::Quality::dark), 0…1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dark: Option<Limit>,
    /// The `max` of [`Quality::bright`](crate::Quality::bright), 0…1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bright: Option<Limit>,
    /// The `min` of [`Quality::contrast`](crate::Quality::contrast), 0…1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contrast: Option<Limit>,
    /// The `min` of [`Quality::size`](crate::Quality::size), at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Limit>,
    /// The colours that the model was made for. The limits of [`Quality::color`](crate::Quality::color) follow from it
    /// ([`ColorMeant::limit`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorMeant>,
}

/// The values that a measure may have, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limit {
    /// The least value, a finite number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f32>,
    /// The greatest value, a finite number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f32>,
}

impl Limit {
    /// Values of at least this one.
    #[must_use]
    pub const fn min(value: f32) -> Limit {
        Limit { min: Some(value), max: None }
    }

    /// Values of at most this one.
    #[must_use]
    pub const fn max(value: f32) -> Limit {
        Limit { min: None, max: Some(value) }
    }

    /// Whether a value is within the limit.
    ///
    /// ```
    /// use bedside::manifest::Limit;
    ///
    /// assert!(Limit::min(0.25).admits(0.25) && !Limit::min(0.25).admits(0.24));
    /// assert!(Limit::max(0.75).admits(0.75) && !Limit::max(0.75).admits(0.76));
    /// ```
    #[must_use]
    pub fn admits(&self, value: f32) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// The colours that a model was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColorMeant {
    /// Pictures in colour: one without is refused.
    Rgb,
    /// Grey pictures: a coloured one is refused.
    Gray,
}

impl ColorMeant {
    /// The least chroma of a pixel that counts as coloured, in levels of 0…255: 24 where colour is meant, so that a tint
    /// over a grey picture isn't one, and 8 where grey is meant, so that it is.
    ///
    /// Chroma is max(R, G, B) − min(R, G, B). `docs/notes/2026-11-quality.md` has the measurements behind both values.
    #[must_use]
    pub fn chroma(self) -> u8 {
        match self {
            ColorMeant::Rgb => 24,
            ColorMeant::Gray => 8,
        }
    }

    /// The limit of [`Quality::color`](crate::Quality::color), the share of coloured pixels: at least 0.005 where colour
    /// is meant, at most 0.05 where grey is meant.
    #[must_use]
    pub fn limit(self) -> Limit {
        match self {
            ColorMeant::Rgb => Limit::min(0.005),
            ColorMeant::Gray => Limit::max(0.05),
        }
    }
}

/// The side on which a measure has its limit.
#[derive(Clone, Copy)]
enum Side {
    Min,
    Max,
}

/// Checks the limits. A limit on the wrong side is refused: no picture is too sharp.
pub(super) fn check_quality(limits: &QualityLimits) -> Result<()> {
    for (name, limit, side, highest) in [
        ("focus", limits.focus, Side::Min, f32::MAX),
        ("dark", limits.dark, Side::Max, 1.0),
        ("bright", limits.bright, Side::Max, 1.0),
        ("contrast", limits.contrast, Side::Min, 1.0),
        ("size", limits.size, Side::Min, f32::MAX),
    ] {
        let Some(limit) = limit else { continue };
        let field = format!("calibration.quality.{name}");
        let (wanted, value, other) = match side {
            Side::Min => ("min", limit.min, limit.max),
            Side::Max => ("max", limit.max, limit.min),
        };
        ensure(other.is_none(), &field, &format!("takes a `{wanted}` only"))?;
        let Some(value) = value else { return ensure(false, &field, &format!("has no `{wanted}`")) };
        let range = if highest <= 1.0 { "0 to 1" } else { "0 or more" };
        ensure(
            (0.0..=highest).contains(&value),
            &format!("{field}.{wanted}"),
            &format!("is {value}; give a number, {range}"),
        )?;
    }
    Ok(())
}
