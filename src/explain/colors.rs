//! A perceptually uniform colour map: equal steps of evidence are equal distances in CIELAB (CIE 15:2004, 8.2.1), and
//! more evidence is lighter, so that it reads in print and without colour vision.

/// The corners of the map's path through CIELAB, as (L*, a*, b*): from indigo over magenta and orange to yellow, inside
/// of sRGB.
const PATH: [[f64; 3]; 5] =
    [[18.0, 30.0, -42.0], [36.0, 55.0, -25.0], [54.0, 62.0, 24.0], [74.0, 26.0, 66.0], [91.0, -7.0, 60.0]];

/// The white of sRGB, D65, in CIEXYZ (IEC 61966-2-1).
const WHITE: [f64; 3] = [0.950_47, 1.0, 1.088_83];

/// The colour, in sRGB, at 0…1 of the path's length; a position outside is clamped, and one that is no number counts as
/// 0.
pub(super) fn color(position: f64) -> [u8; 3] {
    let lengths: Vec<f64> = PATH.windows(2).map(|ends| distance(ends[0], ends[1])).collect();
    let position = if position > 0.0 { position.min(1.0) } else { 0.0 };
    let mut remaining = position * lengths.iter().sum::<f64>();
    let mut lab = PATH[PATH.len() - 1];
    for (ends, length) in PATH.windows(2).zip(lengths) {
        if remaining <= length {
            lab = std::array::from_fn(|i| ends[0][i] + (ends[1][i] - ends[0][i]) * (remaining / length));
            break;
        }
        remaining -= length;
    }
    srgb(lab).map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8)
}

/// The distance of two colours in CIELAB, ΔE*ab.
fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    libm::sqrt(a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum())
}

/// A colour of CIELAB in sRGB, 0…1 where it is inside.
#[allow(clippy::many_single_char_names, reason = "CIELAB and XYZ are called so")]
fn srgb([lightness, a, b]: [f64; 3]) -> [f64; 3] {
    let y = (lightness + 16.0) / 116.0;
    let linear = |value: f64| {
        if value > 6.0 / 29.0 {
            value * value * value
        } else {
            (value - 4.0 / 29.0) * 3.0 * (6.0 / 29.0) * (6.0 / 29.0)
        }
    };
    let [x, y, z] = [(y + a / 500.0, WHITE[0]), (y, WHITE[1]), (y - b / 200.0, WHITE[2])]
        .map(|(value, white)| linear(value) * white);
    // IEC 61966-2-1, Amendment 1.
    let rgb = [
        3.240_625_5 * x - 1.537_208 * y - 0.498_628_6 * z,
        -0.968_930_7 * x + 1.875_756_1 * y + 0.041_517_5 * z,
        0.055_710_1 * x - 0.204_021_1 * y + 1.056_995_9 * z,
    ];
    rgb.map(|value| if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * libm::pow(value, 1.0 / 2.4) - 0.055 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A colour of sRGB in CIELAB: the definitions, from sRGB to CIEXYZ to CIELAB.
    #[allow(clippy::many_single_char_names, reason = "CIELAB and XYZ are called so")]
    fn lab(rgb: [u8; 3]) -> [f64; 3] {
        let [r, g, b] = rgb.map(|byte| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        let xyz = [
            0.4124 * r + 0.3576 * g + 0.1805 * b,
            0.2126 * r + 0.7152 * g + 0.0722 * b,
            0.0193 * r + 0.1192 * g + 0.9505 * b,
        ];
        let [x, y, z]: [f64; 3] = std::array::from_fn(|i| {
            let value: f64 = xyz[i] / WHITE[i];
            if value > 216.0 / 24389.0 { value.cbrt() } else { (24389.0 / 27.0 * value + 16.0) / 116.0 }
        });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn srgb_has_the_primaries() {
        // Lindbloom's values of sRGB's primaries in CIELAB, D65.
        for (expected, given) in [
            ([255.0, 0.0, 0.0], [53.24, 80.09, 67.20]),
            ([0.0, 255.0, 0.0], [87.73, -86.18, 83.18]),
            ([0.0, 0.0, 255.0], [32.30, 79.19, -107.86]),
            ([255.0; 3], [100.0, 0.0, 0.0]),
        ] {
            let found = srgb(given).map(|value| value * 255.0);
            assert!(
                found.iter().zip(expected).all(|(f, e): (&f64, f64)| (f - e).abs() < 1.0),
                "{found:?} {expected:?}"
            );
        }
    }

    #[test]
    fn color_is_inside_of_srgb_at_all_positions() {
        for corner in PATH {
            let found = srgb(corner);
            assert!(found.iter().all(|value| (-0.002..=1.002).contains(value)), "{corner:?} {found:?}");
        }
    }

    #[test]
    fn color_takes_equal_steps_and_gets_lighter() {
        let steps = 32;
        let colors: Vec<[f64; 3]> = (0..=steps).map(|i| lab(color(f64::from(i) / f64::from(steps)))).collect();
        let distances: Vec<f64> = colors.windows(2).map(|pair| distance(pair[0], pair[1])).collect();
        let mean = distances.iter().sum::<f64>() / f64::from(steps);
        // Rounding to bytes moves a colour by less than one unit; a step over a corner is shorter.
        assert!(distances.iter().all(|d| (d - mean).abs() < 0.25 * mean), "{distances:?}");
        assert!(colors.windows(2).all(|pair| pair[1][0] > pair[0][0]), "{colors:?}");
    }

    #[test]
    fn color_clamps_what_is_no_position() {
        assert_eq!(color(f64::NAN), color(0.0));
        assert_eq!(color(-3.0), color(0.0));
        assert_eq!(color(f64::INFINITY), color(1.0));
    }
}
