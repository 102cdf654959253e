//! The limits of picture quality, from the measures of sound pictures.
//!
//! Each limit lies a tenth beyond the value that 0.1 % of the sound pictures exceed: the same picture decoded or saved
//! otherwise measures up to a tenth more or less. `dark` and `bright` are never stricter than 0.75 and 0.10, as a limit
//! on darkness that was fitted on light skin is a limit on skin (docs/notes/2026-11-quality.md). What the limits refuse
//! is counted on the same pictures, and must be at most 0.5 % of them. `size` is never stricter than 0.5. Colours are
//! those that are stated, and else `rgb` where all sound pictures have some. What the limits refuse of spoiled
//! copies says what they are worth.

use serde::Serialize;

use crate::statistics::proportion::Proportion;
use crate::statistics::{Confidence, Interval, Undefined, largest_rank};

/// The share of sound pictures that may be refused.
pub const MAX_REFUSED: f64 = 0.005;

/// With fewer pictures no limits are fitted: too little is known of the ends.
pub const MIN_PICTURES: usize = 200;

/// The share of sound pictures beyond which a limit looks.
const BEYOND: f64 = 0.001;

/// How far beyond that value a limit lies, as a share of it.
const MARGIN: f64 = 0.1;

/// The strictest limit of `dark`.
const MIN_DARK: f64 = 0.75;

/// The strictest limit of `bright`.
const MIN_BRIGHT: f64 = 0.1;

/// The strictest limit of the size: a picture of half the input's size is enlarged twofold.
const MAX_SIZE: f64 = 0.5;

/// The share of coloured pixels from which on a picture counts as coloured, as the library has it: it refuses less where
/// colours are meant.
const MIN_COLOR: f64 = 0.005;

/// The share of coloured pixels up to which a picture counts as grey, as the library has it: it refuses more where grey is
/// meant.
const MAX_GRAY: f64 = 0.05;

/// The measures of one picture, as the library reports them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// How sharp it is.
    pub focus: f64,
    /// How dark, 0 to 1.
    pub dark: f64,
    /// The overexposed share, 0 to 1.
    pub bright: f64,
    /// The contrast, 0 to 1.
    pub contrast: f64,
    /// The source's size over the input's.
    pub size: f64,
    /// The share of coloured pixels, 0 to 1, by the chroma that the library takes for the colours that are meant.
    pub color: f64,
}

/// The colours that a model's pictures have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meant {
    /// Colours.
    Rgb,
    /// None.
    Gray,
}

/// Limits: of `focus`, `contrast` and `size` the lowest values, of `dark` and `bright` the highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limits {
    /// The lowest focus.
    pub focus: f64,
    /// The highest darkness.
    pub dark: f64,
    /// The highest overexposed share.
    pub bright: f64,
    /// The lowest contrast.
    pub contrast: f64,
    /// The lowest size.
    pub size: f64,
    /// The colours that are meant; none where nothing is stated and some pictures have no colours.
    pub color: Option<Meant>,
}

impl Limits {
    /// Whether a picture is beyond one of them.
    #[must_use]
    pub fn refuse(&self, measures: &Measures) -> bool {
        measures.focus < self.focus
            || measures.dark > self.dark
            || measures.bright > self.bright
            || measures.contrast < self.contrast
            || measures.size < self.size
            || match self.color {
                Some(Meant::Rgb) => measures.color < MIN_COLOR,
                Some(Meant::Gray) => measures.color > MAX_GRAY,
                None => false,
            }
    }
}

/// Limits, and how many pictures they refuse.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedQuality {
    /// The limits.
    pub limits: Limits,
    /// The sound pictures that they were fitted on.
    pub pictures: u64,
    /// Those that they refuse.
    pub refused: u64,
    /// The share, with 95 % (Clopper and Pearson).
    pub interval: Interval,
    /// For each way of spoiling a picture, the copies and those that are refused.
    pub copies: Vec<Copies>,
}

/// Spoiled copies of sound pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copies {
    /// How they were spoiled.
    pub name: String,
    /// How many there are.
    pub pictures: u64,
    /// How many of them are refused.
    pub refused: u64,
}

/// Fits limits on sound pictures, and counts what they refuse of those and of spoiled copies. `stated` are the colours that
/// are meant, where that is said.
///
/// # Errors
/// [`Undefined::TooFew`] for fewer than [`MIN_PICTURES`] pictures, [`Undefined::OutOfRange`] where a measure is not a
/// finite number, or where more than [`MAX_REFUSED`] of the sound pictures are refused.
pub fn fit(
    sound: &[Measures],
    stated: Option<Meant>,
    copies: &[(String, Vec<Measures>)],
) -> Result<FittedQuality, Undefined> {
    if sound.len() < MIN_PICTURES {
        return Err(Undefined::TooFew);
    }
    let limits = Limits {
        focus: lower(sound, |m| m.focus)?,
        dark: upper(sound, |m| m.dark)?.max(MIN_DARK),
        bright: upper(sound, |m| m.bright)?.max(MIN_BRIGHT),
        contrast: lower(sound, |m| m.contrast)?,
        size: lower(sound, |m| m.size)?.min(MAX_SIZE),
        color: meant(sound, stated),
    };
    let count = |pictures: &[Measures]| pictures.iter().filter(|m| limits.refuse(m)).count() as u64;
    let share = Proportion::new(count(sound), sound.len() as u64)?;
    if share.value() > MAX_REFUSED {
        return Err(Undefined::OutOfRange("share of sound pictures that the limits refuse"));
    }
    let copies = copies.iter().map(|(name, pictures)| Copies {
        name: name.clone(),
        pictures: pictures.len() as u64,
        refused: count(pictures),
    });
    Ok(FittedQuality {
        limits,
        pictures: share.cases(),
        refused: share.count(),
        interval: share.clopper_pearson(Confidence::P95),
        copies: copies.collect(),
    })
}

/// What is stated; where nothing is, colour if all sound pictures have it. That grey is meant can't be
/// told then, since colour was measured by the chroma for coloured pictures.
#[must_use]
pub fn meant(sound: &[Measures], stated: Option<Meant>) -> Option<Meant> {
    stated.or_else(|| sound.iter().all(|m| m.color >= MIN_COLOR).then_some(Meant::Rgb))
}

fn lower(sound: &[Measures], of: impl Fn(&Measures) -> f64) -> Result<f64, Undefined> {
    let values = ascending(sound, of)?;
    let value = values[largest_rank(values.len(), BEYOND).min(values.len() - 1)];
    Ok(digits((value * (1.0 - MARGIN)).max(0.0), libm::floor))
}

fn upper(sound: &[Measures], of: impl Fn(&Measures) -> f64) -> Result<f64, Undefined> {
    let values = ascending(sound, of)?;
    let value = values[values.len() - 1 - largest_rank(values.len(), BEYOND).min(values.len() - 1)];
    Ok(digits((value * (1.0 + MARGIN)).min(1.0), libm::ceil))
}

fn ascending(sound: &[Measures], of: impl Fn(&Measures) -> f64) -> Result<Vec<f64>, Undefined> {
    let mut values: Vec<f64> = sound.iter().map(of).collect();
    if !values.iter().all(|v| v.is_finite()) {
        return Err(Undefined::OutOfRange("measure"));
    }
    values.sort_by(f64::total_cmp);
    Ok(values)
}

/// Three digits after the point, away from the sound pictures.
fn digits(value: f64, round: impl Fn(f64) -> f64) -> f64 {
    round(value * 1000.0) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2,000 pictures whose measures are spread evenly: focus 0.3 to 0.7, dark 0 to 0.6, bright 0 to 0.2, contrast 0.1
    /// to 0.5.
    fn sound() -> Vec<Measures> {
        let at = |i: u32| f64::from(i) / 1999.0;
        let of = |i: u32| Measures {
            focus: 0.3 + 0.4 * at(i),
            dark: 0.6 * at(i),
            bright: 0.2 * at(i),
            contrast: 0.1 + 0.4 * at(i),
            size: 1.0 + at(i),
            color: 0.2,
        };
        (0..2000).map(of).collect()
    }

    #[test]
    fn limits_lie_a_tenth_beyond_0_1_percent() {
        let dark = Measures { dark: 0.9, ..sound()[7] };
        let copies = [("dark".to_owned(), vec![dark, sound()[7]])];
        let found = fit(&sound(), None, &copies).expect("there are enough");
        // The third of 2,000: 0.3 + 0.4 · 2/1999 = 0.3004, and 0.2 · 1997/1999 = 0.1998.
        let (size, color) = (0.5, Some(Meant::Rgb));
        assert_eq!(found.limits, Limits { focus: 0.27, dark: 0.75, bright: 0.22, contrast: 0.09, size, color });
        assert_eq!((found.refused, found.pictures), (0, 2000));
        assert_eq!(found.copies, [Copies { name: "dark".to_owned(), pictures: 2, refused: 1 }]);
    }

    #[test]
    fn limits_keep_the_colours_that_are_stated_and_count_what_they_refuse() {
        let mut tinted = sound();
        for measures in &mut tinted {
            measures.color = 0.04;
        }
        (tinted[0].color, tinted[1].color) = (0.06, 0.0);
        let found = fit(&tinted, Some(Meant::Gray), &[]).expect("two of 2,000 may be refused");
        assert_eq!((found.limits.color, found.refused), (Some(Meant::Gray), 1));
        assert_eq!(fit(&tinted, None, &[]).expect("sound").limits.color, None);
        for measures in &mut tinted {
            measures.color = 0.06;
        }
        assert!(fit(&tinted, Some(Meant::Gray), &[]).is_err(), "all are refused");
    }

    #[test]
    fn limits_of_few_pictures_or_of_unsound_ones_are_refused() {
        assert_eq!(fit(&sound()[..199], None, &[]), Err(Undefined::TooFew));
        let mut broken = sound();
        broken[3].focus = f64::NAN;
        assert_eq!(fit(&broken, None, &[]), Err(Undefined::OutOfRange("measure")));
    }
}
