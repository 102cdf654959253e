//! Copies of sound pictures that are spoiled on purpose: what limits of quality refuse of them shows what they are worth.

use bedside::manifest::ColorMeant;
use bedside::{Classifier, Image, Quality, tools};
use image::RgbImage;
use image::imageops::fast_blur;

use crate::output::Failure;

/// A way to spoil a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spoiling {
    /// Gaussian blur whose deviation is this many thousandths of the shorter side.
    Blur(u32),
    /// The light of each pixel is multiplied by it.
    Light(f64),
    /// The distance of each level from the middle is divided by five.
    Pale,
    /// Each pixel has its luma alone.
    NoColor,
    /// Blue is halved.
    Tint,
}

/// What is done, in the words of the page. A blur of seven thousandths is 1.5 pixels of an input of 224.
const ALWAYS: &[(&str, Spoiling)] = &[
    ("a little out of focus", Spoiling::Blur(7)),
    ("out of focus", Spoiling::Blur(14)),
    ("a quarter of the light", Spoiling::Light(0.25)),
    ("an eighth of the light", Spoiling::Light(0.125)),
    ("four times the light", Spoiling::Light(4.0)),
    ("a fifth of the contrast", Spoiling::Pale),
];

/// The measures of a picture's spoiled copies, in the order of their names. The colours are those that the model's pictures
/// are meant to have.
pub(super) fn copies(
    classifier: &Classifier,
    image: &Image<'_>,
    meant: Option<ColorMeant>,
) -> Result<Vec<(&'static str, Quality)>, Failure> {
    let (width, height, rgb) = tools::pixels(classifier, image)?;
    let picture = RgbImage::from_raw(width, height, rgb).expect("three bytes a pixel");
    let of_color = match meant {
        Some(ColorMeant::Gray) => Some(("tinted", Spoiling::Tint)),
        Some(ColorMeant::Rgb) => Some(("without colour", Spoiling::NoColor)),
        _ => None,
    };
    let measured = |&(name, spoiling): &(&'static str, Spoiling)| {
        let copy = spoiling.of(&picture).into_raw();
        let copy = Image::rgb8(width, height, width as usize * 3, copy)?;
        Ok((name, tools::quality(classifier, &copy, meant)?))
    };
    ALWAYS.iter().chain(&of_color).map(measured).collect()
}

impl Spoiling {
    fn of(self, picture: &RgbImage) -> RgbImage {
        let mut copy = picture.clone();
        match self {
            Self::Blur(thousandths) => {
                let side = f64::from(picture.width().min(picture.height()));
                return fast_blur(picture, (side * f64::from(thousandths) / 1000.0) as f32);
            }
            Self::Light(factor) => {
                let levels: Vec<u8> = (0..=255).map(|level| encoded(linear(level) * factor)).collect();
                copy.iter_mut().for_each(|level| *level = levels[usize::from(*level)]);
            }
            // 102 to 153.
            Self::Pale => copy.iter_mut().for_each(|level| *level = 102 + *level / 5),
            Self::NoColor => copy.pixels_mut().for_each(|pixel| {
                let [r, g, b] = pixel.0.map(u32::from);
                // ITU-R BT.601.
                pixel.0 = [((299 * r + 587 * g + 114 * b + 500) / 1000) as u8; 3];
            }),
            Self::Tint => copy.pixels_mut().for_each(|pixel| pixel.0[2] /= 2),
        }
        copy
    }
}

/// The light of a level of sRGB (IEC 61966-2-1), 0…1.
fn linear(level: u8) -> f64 {
    let value = f64::from(level) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// The level of a light, which is at most 255.
fn encoded(light: f64) -> u8 {
    let value = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (value.min(1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn of(spoiling: Spoiling, pixel: [u8; 3]) -> [u8; 3] {
        spoiling.of(&RgbImage::from_pixel(8, 8, Rgb(pixel))).get_pixel(3, 3).0
    }

    /// By hand: the light of level 188 is half of white's, and that of 137 a quarter; 0.299 · 200 + 0.587 · 100 = 118.5.
    #[test]
    fn spoilings_change_levels_as_they_say() {
        assert_eq!(of(Spoiling::Light(0.25), [255, 0, 255]), [137, 0, 137]);
        assert_eq!(of(Spoiling::Light(4.0), [137, 188, 3]), [255, 255, 12]);
        assert_eq!(of(Spoiling::Pale, [0, 255, 100]), [102, 153, 122]);
        assert_eq!(of(Spoiling::NoColor, [200, 100, 0]), [119; 3]);
        assert_eq!(of(Spoiling::Tint, [200, 100, 50]), [200, 100, 25]);
        assert_eq!(of(Spoiling::Blur(14), [9, 80, 200]), [9, 80, 200]);
    }

    /// The variance of an edge's derivative is that of the blur: 1000 pixels · 14/1000 = 14 pixels.
    #[test]
    fn blur_has_the_deviation_that_it_says() {
        let edge = RgbImage::from_fn(1000, 1000, |x, _| if x < 500 { Rgb([0; 3]) } else { Rgb([250; 3]) });
        let blurred = Spoiling::Blur(14).of(&edge);
        let level = |x: u32| f64::from(blurred.get_pixel(x, 500).0[0]) / 250.0;
        let variance: f64 = (400..600).map(|x| (level(x + 1) - level(x)) * (f64::from(x) + 1.0 - 500.0).powi(2)).sum();
        assert!((variance.sqrt() - 14.0).abs() < 1.0, "{}", variance.sqrt());
    }
}
