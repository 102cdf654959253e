//! Numbers of float16 (IEEE 754 binary16): a sign, five bits of exponent, ten of fraction.

/// The value of a float16, which float64 has exactly.
pub(super) fn f16_to_f64(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => libm::ldexp(fraction, -24),
        0x1f if fraction > 0.0 => f64::NAN,
        0x1f => f64::INFINITY,
        _ => libm::ldexp(fraction + 1024.0, exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// The nearest float16, ties to even. Infinity beyond 65519, where the next one would be.
pub(super) fn f64_to_f16(value: f64) -> u16 {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return sign | 0x7e00;
    }
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    // The spacing of float16 at this magnitude is 2 to the power of the exponent less 10; below 2^-14 it stays at 2^-24.
    let exponent = libm::ilogb(magnitude).max(-14);
    let multiple = libm::rint(libm::ldexp(magnitude, 10 - exponent)) as u16;
    // A multiple of 2048 carries into the exponent, and one below 1024 is subnormal. Sums have both right.
    sign | (((exponent + 14) as u16) << 10).wrapping_add(multiple)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of numpy: `np.float16(x).view(np.uint16)`.
    #[test]
    fn f64_to_f16_rounds_to_nearest_even() {
        for (value, bits) in [
            (0.0, 0x0000),
            (-0.0, 0x8000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (0.1, 0x2e66),
            (65504.0, 0x7bff),
            (65519.999, 0x7bff),
            (65520.0, 0x7c00),
            (1.0 + 0.000_488_281_25, 0x3c00),
            (1.0 + 3.0 * 0.000_488_281_25, 0x3c02),
            (2047.9999, 0x6800),
            (6.103_515_625e-5, 0x0400),
            (6.1e-5, 0x03ff),
            (5.960_464_477_539_063e-8, 0x0001),
            (2.980_232_238_769_531_2e-8, 0x0000),
            (2.98e-8 * 1.01, 0x0001),
            (1e-30, 0x0000),
            (f64::INFINITY, 0x7c00),
            (f64::NAN, 0x7e00),
        ] {
            assert_eq!(f64_to_f16(value), bits, "{value}");
        }
    }

    #[test]
    fn f16_survives_widening_and_rounding() {
        for bits in (0..=u16::MAX).filter(|bits| bits & 0x7fff <= 0x7c00) {
            assert_eq!(f64_to_f16(f16_to_f64(bits)), bits);
        }
        assert!(f16_to_f64(0x7c01).is_nan());
    }
}
