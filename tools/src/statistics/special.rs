//! Special functions: the regularized incomplete beta function and its inverse, log-gamma, and quantiles of the normal
//! and of Student's distribution.
//!
//! Log-gamma and the error function are those of `libm`. The incomplete beta function is written here, as no crate that
//! was looked at can be relied on for numbers of pictures. That of `statrs` 0.19.1 gives up its continued fraction after
//! 140 terms, so that it is wrong by 2 % at shapes of 10⁶, and below 0 at 10⁸ (its issue 434); its inverse panics, does
//! not return, or stays constant for some small arguments (its issue 435). That of `puruspe` 0.4.4 is 0 where it should
//! be ½, at equal shapes above 3000. An inverse here halves the interval until two neighbouring floats are left: it
//! always ends, and it is as exact as the function that it inverts.

use super::{Confidence, Undefined};

/// The largest shape that the incomplete beta function takes: the continued fraction needs in the order of √shape
/// terms.
const MAX_SHAPE: f64 = 1e10;

/// More terms of the continued fraction than shapes of [`MAX_SHAPE`] need.
const MAX_TERMS: u32 = 2_000_000;

/// How near to 1 a factor of the continued fraction must come: one and a half steps of an f64 next to 1.
const FACTOR_TOLERANCE: f64 = 3.4e-16;

/// Half the logarithm of 2π.
const HALF_LN_2_PI: f64 = 0.918_938_533_204_672_8;

/// The logarithm of the gamma function, ln Γ(x), for x above 0.
///
/// It is `libm`'s `lgamma` (the algorithm of FreeBSD's msun).
///
/// # Errors
/// [`Undefined::OutOfRange`] where x is not above 0 or not finite.
///
/// ```
/// use bedside_tools::statistics::special::ln_gamma;
///
/// // Γ(5) = 4! = 24.
/// assert!((ln_gamma(5.0)? - f64::ln(24.0)).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn ln_gamma(x: f64) -> Result<f64, Undefined> {
    if x > 0.0 && x.is_finite() { Ok(libm::lgamma(x)) } else { Err(Undefined::OutOfRange("x")) }
}

/// The regularized incomplete beta function, `I_x(a, b)` = ∫₀ˣ tᵃ⁻¹ (1 − t)ᵇ⁻¹ dt / B(a, b), between 0 and 1.
///
/// It is the distribution function of Beta(a, b) at x. For whole k and n, `I_p(k, n − k + 1)` is the probability of at
/// least k successes among n, each of probability p (DLMF 8.17.5).
///
/// By the continued fraction of DiDonato and Morris (1992, ACM Trans. Math. Softw. 18:360, BFRAC), evaluated as Lentz
/// did (Thompson and Barnett 1986, Journal of Computational Physics 64:490), and 1 − I₁₋ₓ(b, a) for x from
/// (a + 1)/(a + b + 2) on. The factor before it is computed from deviations from the mean, so that it keeps its digits
/// for large shapes (Loader 2000, "Fast and accurate computation of binomial probabilities").
///
/// # Errors
/// [`Undefined::OutOfRange`] where a or b is not above 0 and at most 10¹⁰, or x is not 0…1. [`Undefined::NotConverged`]
/// where the continued fraction does not come to rest, which has not been seen.
///
/// ```
/// use bedside_tools::statistics::special::regularized_beta;
///
/// // At least 1 of 2 coins is a head: 3/4.
/// assert!((regularized_beta(1.0, 2.0, 0.5)? - 0.75).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn regularized_beta(a: f64, b: f64, x: f64) -> Result<f64, Undefined> {
    check_shapes(a, b)?;
    if !(0.0..=1.0).contains(&x) {
        return Err(Undefined::OutOfRange("x"));
    }
    beta_below(a, b, x)
}

/// The inverse of [`regularized_beta`]: the smallest f64 x, 0…1, whose `I_x(a, b)` is at least p. It is the quantile of
/// Beta(a, b).
///
/// # Errors
/// As [`regularized_beta`], and [`Undefined::OutOfRange`] where p is not 0…1.
///
/// ```
/// use bedside_tools::statistics::special::inverse_regularized_beta;
///
/// assert!((inverse_regularized_beta(1.0, 2.0, 0.75)? - 0.5).abs() < 1e-15);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn inverse_regularized_beta(a: f64, b: f64, p: f64) -> Result<f64, Undefined> {
    check_shapes(a, b)?;
    if !(0.0..=1.0).contains(&p) {
        return Err(Undefined::OutOfRange("p"));
    }
    let mut failed = None;
    let x = first_where(0.0, 1.0, |x| match beta_below(a, b, x) {
        Ok(below) => below >= p,
        Err(error) => {
            failed = Some(error);
            true
        }
    });
    failed.map_or(Ok(x), Err)
}

/// The quantile of the standard normal distribution, Φ⁻¹(p), for p above 0 and below 1.
///
/// It inverts Φ(z) = ½ erfc(−z/√2), with `libm`'s `erfc`.
///
/// # Errors
/// [`Undefined::OutOfRange`] where p is not above 0 and below 1.
///
/// ```
/// use bedside_tools::statistics::special::normal_quantile;
///
/// assert!((normal_quantile(0.975)? - 1.959963984540054).abs() < 1e-14);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn normal_quantile(p: f64) -> Result<f64, Undefined> {
    if !(p > 0.0 && p < 1.0) {
        return Err(Undefined::OutOfRange("p"));
    }
    Ok(if p < 0.5 { -upper_normal_quantile(p) } else { upper_normal_quantile(1.0 - p) })
}

/// The quantile t of Student's distribution for a two-sided interval: a fraction `confidence` of the distribution with
/// this many degrees of freedom lies between −t and t.
///
/// By `I_y(½, ν/2)` = `confidence` for y = t²/(ν + t²) (Abramowitz and Stegun 1964, 26.7.1).
///
/// # Errors
/// [`Undefined::OutOfRange`] where there are no degrees of freedom, or more than 10¹⁰.
///
/// ```
/// use bedside_tools::statistics::Confidence;
/// use bedside_tools::statistics::special::student_quantile;
///
/// assert!((student_quantile(Confidence::P95, 10)? - 2.228).abs() < 5e-4);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn student_quantile(confidence: Confidence, degrees_of_freedom: u64) -> Result<f64, Undefined> {
    let degrees = degrees_of_freedom as f64;
    let y = inverse_regularized_beta(0.5, degrees / 2.0, confidence.level())
        .map_err(|_| Undefined::OutOfRange("degrees of freedom"))?;
    Ok((degrees * y / (1.0 - y)).sqrt())
}

/// The z of 0 or above over which at most this much of the standard normal distribution lies. `tail` is above 0 and at
/// most ½.
pub(super) fn upper_normal_quantile(tail: f64) -> f64 {
    // erfc underflows before 40.
    first_where(0.0, 40.0, |z| 0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2) <= tail)
}

/// How likely a standard normal value is to be as far from 0 as z, on either side.
pub(super) fn two_sided_p_value(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// The smallest f64 from `lower`, 0 or above, to `upper` for which a condition holds that holds from some value on;
/// `upper` where it does not hold below it.
///
/// The bits of floats that are not negative are in the order of their values, so that halving between bits ends after
/// at most 63 steps, and finds values next to 0 as exactly as others.
fn first_where(lower: f64, upper: f64, mut holds: impl FnMut(f64) -> bool) -> f64 {
    if holds(lower) {
        return lower;
    }
    let (mut below, mut from) = (lower.to_bits(), upper.to_bits());
    while from - below > 1 {
        let middle = below + (from - below) / 2;
        if holds(f64::from_bits(middle)) {
            from = middle;
        } else {
            below = middle;
        }
    }
    f64::from_bits(from)
}

fn check_shapes(a: f64, b: f64) -> Result<(), Undefined> {
    for (shape, name) in [(a, "a"), (b, "b")] {
        if !(shape > 0.0 && shape <= MAX_SHAPE) {
            return Err(Undefined::OutOfRange(name));
        }
    }
    Ok(())
}

/// `I_x(a, b)` of checked arguments.
fn beta_below(a: f64, b: f64, x: f64) -> Result<f64, Undefined> {
    let y = 1.0 - x;
    if x == 0.0 || y == 0.0 {
        return Ok(x);
    }
    // The continued fraction converges fast on this side of the mean alone.
    let is_below_mean = x < (a + 1.0) / (a + b + 2.0);
    let value = if is_below_mean {
        beta_power(a, b, x, y) * continued_fraction(a, b, x, y)?
    } else {
        1.0 - beta_power(b, a, y, x) * continued_fraction(b, a, y, x)?
    };
    Ok(value.clamp(0.0, 1.0))
}

/// xᵃ yᵇ / B(a, b) for y = 1 − x.
///
/// With Stirling's formula for each gamma function, all large terms cancel but for the deviations of x and y from their
/// means, a/(a + b) and b/(a + b).
fn beta_power(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let sum = a + b;
    let deviation = deviation(a, b, x, y);
    let exponent =
        a * ln_minus(deviation / a, x * sum / a) + b * ln_minus(-deviation / b, y * sum / b) + stirling_error(sum)
            - stirling_error(a)
            - stirling_error(b);
    // The root of a quotient: a · b may be larger than any f64 next to a small sum.
    (a / sum * b / std::f64::consts::TAU).sqrt() * libm::exp(exponent)
}

/// (a + b) x − a for y = 1 − x, from the one of x and y whose mean is the smaller: it has more digits.
fn deviation(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if a > b { b - (a + b) * y } else { (a + b) * x - a }
}

/// ln(1 + u) − u, where `one_plus` is 1 + u, without the cancellation that a small u brings.
fn ln_minus(u: f64, one_plus: f64) -> f64 {
    if u.abs() > 0.5 {
        return libm::log(one_plus) - u;
    }
    // ln(1 + u) = 2 (r + r³/3 + r⁵/5 + …) for r = u/(2 + u), and 2r − u = −u r.
    let r = u / (2.0 + u);
    let square = r * r;
    let mut power = 2.0 * r * square;
    let mut sum = 0.0;
    let mut divisor = 3.0;
    while power.abs() > 1e-18 * u * u {
        sum += power / divisor;
        power *= square;
        divisor += 2.0;
    }
    sum - u * r
}

/// What Stirling's formula lacks: ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π).
fn stirling_error(x: f64) -> f64 {
    if x < 10.0 {
        return libm::lgamma(x) - ((x - 0.5) * libm::log(x) - x + HALF_LN_2_PI);
    }
    // DLMF 5.11.1, up to x⁻¹¹.
    let square = 1.0 / (x * x);
    let terms = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    terms.iter().rev().fold(0.0, |sum, term| sum * square + term) / x
}

/// The continued fraction 1/(β₀ + α₁/(β₁ + α₂/(β₂ + …))) of `I_x(a, b)`, whose terms need no difference of nearly equal
/// numbers, for 1 + λ above 0.
#[expect(clippy::many_single_char_names, reason = "they are the names of the formula")]
fn continued_fraction(a: f64, b: f64, x: f64, y: f64) -> Result<f64, Undefined> {
    // A denominator of 0 is set to this, as Thompson and Barnett do.
    let not_zero = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let lambda = -deviation(a, b, x, y);
    let mut value = a / (a + 1.0) * (lambda + 1.0);
    let (mut numerators, mut denominators) = (value, 0.0);
    for term in 1..=MAX_TERMS {
        let n = f64::from(term);
        let common = n * (b - n) * x / (a + 2.0 * n - 1.0);
        let alpha = (a + n - 1.0) / (a + 2.0 * n - 1.0) * (a + b + n - 1.0) * x * common;
        let beta = n + common + (a + n) / (a + 2.0 * n + 1.0) * (lambda + 1.0 + n * (1.0 + y));
        denominators = 1.0 / not_zero(beta + alpha * denominators);
        numerators = not_zero(beta + alpha / numerators);
        let factor = numerators * denominators;
        value *= factor;
        if (factor - 1.0).abs() < FACTOR_TOLERANCE {
            return Ok(1.0 / value);
        }
    }
    Err(Undefined::NotConverged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn beta(a: f64, b: f64, x: f64) -> f64 {
        regularized_beta(a, b, x).expect("in range")
    }

    /// P(X ≥ k) of n coins of probability p, summed term by term from products of quotients.
    fn at_least(k: u64, n: u64, p: f64) -> f64 {
        (k..=n)
            .map(|i| {
                (0..i).map(|j| (n - j) as f64 / (i - j) as f64 * p).product::<f64>() * (1.0 - p).powi((n - i) as i32)
            })
            .sum()
    }

    #[test]
    fn regularized_beta_of_whole_shapes_is_a_polynomial() {
        // I_x(2, 3) = 6x² − 8x³ + 3x⁴.
        for x in [0.0, 0.01, 0.25, 0.5, 0.9, 1.0f64] {
            let expected = 6.0 * x.powi(2) - 8.0 * x.powi(3) + 3.0 * x.powi(4);
            assert!((beta(2.0, 3.0, x) - expected).abs() < 1e-15, "{x}");
        }
    }

    #[test]
    fn regularized_beta_of_one_half_is_the_arcsine_law() {
        // I_x(½, ½) = 2/π · arcsin √x.
        for x in [1e-12, 0.1, 0.5, 0.75, 0.999f64] {
            let expected = 2.0 / std::f64::consts::PI * x.sqrt().asin();
            assert!((beta(0.5, 0.5, x) / expected - 1.0).abs() < 1e-13, "{x}");
        }
    }

    #[test]
    fn regularized_beta_of_equal_shapes_is_one_half_in_the_middle() {
        // By symmetry. statrs 0.19.1 gives 0.4912 for 10⁶, and −1.1 for 10⁸.
        for shape in [1e-3, 1.0, 1e2, 1e4, 1e6, 1e8, 1e10] {
            assert!((beta(shape, shape, 0.5) - 0.5).abs() < 1e-9, "{shape}: {}", beta(shape, shape, 0.5));
        }
    }

    #[test]
    fn regularized_beta_refuses_what_has_no_value() {
        for shape in [0.0, -1.0, 1e11, f64::NAN, f64::INFINITY] {
            assert_eq!(regularized_beta(shape, 1.0, 0.5), Err(Undefined::OutOfRange("a")));
            assert_eq!(regularized_beta(1.0, shape, 0.5), Err(Undefined::OutOfRange("b")));
        }
        assert_eq!(regularized_beta(1.0, 1.0, f64::NAN), Err(Undefined::OutOfRange("x")));
        assert_eq!(inverse_regularized_beta(1.0, 1.0, 1.5), Err(Undefined::OutOfRange("p")));
        assert_eq!(ln_gamma(0.0), Err(Undefined::OutOfRange("x")));
        assert_eq!(normal_quantile(1.0), Err(Undefined::OutOfRange("p")));
        assert!(student_quantile(Confidence::P95, 0).is_err());
    }

    #[test]
    fn inverse_regularized_beta_ends_for_tiny_probabilities() {
        // Near 0, I_x(200, 2) is 201 x²⁰⁰ − 200 x²⁰¹; statrs 0.19.1 does not return for this one.
        let x = inverse_regularized_beta(200.0, 2.0, 1e-60).expect("in range");
        assert!((201.0 * x.powi(200) - 200.0 * x.powi(201)).log10() + 60.0 < 1e-9, "{x}");
        // I_x(1, 1) = x, down to the smallest numbers.
        assert_eq!(inverse_regularized_beta(1.0, 1.0, 0.0), Ok(0.0));
        let tiny = inverse_regularized_beta(1.0, 1.0, 1e-300).expect("in range");
        assert!((tiny / 1e-300 - 1.0).abs() < 1e-12, "{tiny:e}");
    }

    #[test]
    fn normal_quantile_has_the_values_of_the_table() {
        // Abramowitz and Stegun 1964, table 26.5 and 26.6, and symmetry.
        let table =
            [(0.5, 0.0), (0.9, 1.281_551_57), (0.95, 1.644_853_63), (0.99, 2.326_347_87), (0.999, 3.090_232_31)];
        for (p, z) in table {
            assert!((normal_quantile(p).expect("in range") - z).abs() < 5e-9, "{p}");
            assert!((normal_quantile(1.0 - p).expect("in range") + z).abs() < 5e-9, "{p}");
        }
    }

    #[test]
    fn student_quantile_has_the_values_of_the_table() {
        // Abramowitz and Stegun 1964, table 26.10. For 1 degree it is tan(0.95 · π/2).
        for (degrees, t) in [(1, 12.706), (2, 4.303), (5, 2.571), (30, 2.042), (120, 1.980), (1_000_000_000, 1.960)] {
            assert!((student_quantile(Confidence::P95, degrees).expect("in range") - t).abs() < 5e-4, "{degrees}");
        }
        let cauchy = (0.95 * std::f64::consts::FRAC_PI_2).tan();
        assert!((student_quantile(Confidence::P95, 1).expect("in range") / cauchy - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn regularized_beta_is_the_tail_of_the_binomial(n in 1u64..60, share in 0.0..1.0f64, p in 0.0..1.0f64) {
            let k = 1 + (share * n as f64) as u64;
            let found = beta(k as f64, (n - k + 1) as f64, p);
            prop_assert!((found - at_least(k, n, p)).abs() < 1e-12, "{found} of {k}, {n}, {p}");
        }

        #[test]
        fn regularized_beta_is_symmetric(a in 0.01..1e6f64, b in 0.01..1e6f64, eighths in 0u32..=1 << 20) {
            // 1 − x must be exact.
            let x = f64::from(eighths) / f64::from(1u32 << 20);
            prop_assert!((beta(a, b, x) + beta(b, a, 1.0 - x) - 1.0).abs() < 1e-12);
        }

        #[test]
        fn inverse_regularized_beta_inverts(a in 0.1..1e4f64, b in 0.1..1e4f64, p in 0.001..0.999f64) {
            let x = inverse_regularized_beta(a, b, p).expect("in range");
            // Next to 1, the step from one float to the next is a large part of 1 − x.
            prop_assume!(x < 0.999_999);
            prop_assert!((beta(a, b, x) - p).abs() < 1e-9, "{x}");
        }

        #[test]
        fn normal_quantile_inverts(z in -8.0..3.0f64) {
            let p = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
            prop_assert!((normal_quantile(p).expect("in range") - z).abs() < 1e-9);
        }
    }
}
