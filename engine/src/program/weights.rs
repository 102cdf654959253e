//! What weights can come to, told from all of them before they are used.
//!
//! A network has millions, and no question stops at the first that answers it: processors take many of them at a time.

/// Whether all are signed bytes.
pub(crate) fn are_bytes(weights: &[i16]) -> bool {
    weights.iter().fold(true, |all, &weight| all & (i16::from(weight as i8) == weight))
}

/// Whether all are differences of bytes.
pub(crate) fn have_nine_bits(weights: &[i16]) -> bool {
    let (min, max) = weights.iter().fold((0, 0), |(min, max), &weight| (weight.min(min), weight.max(max)));
    min >= -255 && max <= 255
}

/// The sum of the magnitudes of weights of nine bits.
pub(crate) fn magnitude(weights: &[i16]) -> i64 {
    // Sixteen bits hold those of so many.
    let some = |weights: &[i16]| weights.iter().fold(0_u16, |sum, weight| sum.wrapping_add(weight.unsigned_abs()));
    weights.chunks(256).map(|weights| i64::from(some(weights))).sum()
}

/// The sum of weights of nine bits, which fits 32.
pub(crate) fn sum(weights: &[i16]) -> i32 {
    // As above.
    let some = |weights: &[i16]| weights.iter().fold(0_i16, |sum, &weight| sum.wrapping_add(weight));
    weights.chunks(128).map(|weights| i32::from(some(weights))).sum()
}

/// Whether no sum of products of bytes with the weights of an output, so many of nine bits each, can pass 32 bits.
pub(crate) fn sums_fit(weights: &[i16], each: usize) -> bool {
    // Once for the bytes, once for the zero point, which the bias takes in.
    let fits = |magnitude: i64| 2 * 255 * magnitude <= i64::from(i32::MAX);
    // Whatever so few are, they fit.
    each <= FEW || weights.chunks_exact(each).all(|weights| fits(magnitude(weights)))
}

/// How many weights of nine bits have sums that always fit: 2 · 255 · 255 · 16,512 = 2,147,385,600.
const FEW: usize = 16_512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_told_apart() {
        assert!(are_bytes(&[-128, 0, 127]) && are_bytes(&[]));
        assert!(!are_bytes(&[0, 128]) && !are_bytes(&[-129, 0]));
        assert!(have_nine_bits(&[-255, 255]));
        assert!(!have_nine_bits(&[256, 0]) && !have_nine_bits(&[0, i16::MIN]));
    }

    #[test]
    fn sums_do_not_wrap() {
        // The greatest, and more of them than the parts that are added in 16 bits.
        assert_eq!(magnitude(&[-255; 1000]), 255_000);
        assert_eq!(sum(&[-255; 1000]), -255_000);
        assert_eq!(sum(&[255; 1000]), 255_000);
        assert_eq!((magnitude(&[-3, 4]), sum(&[-3, 4])), (7, 1));
    }

    #[test]
    fn sums_fit_up_to_32_bits() {
        // 2 · 255 · 4,210,752 = 2,147,483,520, and 2³¹ − 1 is 127 more.
        let mut weights = vec![255; FEW];
        assert!(sums_fit(&weights, FEW) && !sums_fit(&vec![255; FEW + 1], FEW + 1));
        weights.push(192);
        let each = weights.len();
        assert!(sums_fit(&weights, each));
        weights[each - 1] = 193;
        assert!(!sums_fit(&weights, each));
        assert!(sums_fit(&weights, 1));
    }
}
