//! Ranges of a convolution's weights and of their sums. The check of a program, the lowering and the packing of kernels
//! ask for them.
//!
//! The functions go through all weights without an early return, so that the compiler can vectorize their loops: a
//! network has millions of weights.

/// Whether all weights are signed bytes, from -128 to 127.
pub(crate) fn fit_i8(weights: &[i16]) -> bool {
    weights.iter().fold(true, |all, &weight| all & (i16::from(weight as i8) == weight))
}

/// Whether all weights are differences of two bytes, from -255 to 255.
pub(crate) fn fit_9_bits(weights: &[i16]) -> bool {
    let (min, max) = weights.iter().fold((0, 0), |(min, max), &weight| (weight.min(min), weight.max(max)));
    min >= -255 && max <= 255
}

/// The sum of the magnitudes of weights from -255 to 255.
pub(crate) fn magnitude(weights: &[i16]) -> i64 {
    // 256 · 255 fits 16 bits.
    let chunk_sum = |chunk: &[i16]| chunk.iter().fold(0_u16, |sum, weight| sum.wrapping_add(weight.unsigned_abs()));
    weights.chunks(256).map(|chunk| i64::from(chunk_sum(chunk))).sum()
}

/// The sum of weights from -255 to 255, which must fit 32 bits.
pub(crate) fn sum(weights: &[i16]) -> i32 {
    // 128 · 255 fits 15 bits and a sign.
    let chunk_sum = |chunk: &[i16]| chunk.iter().fold(0_i16, |sum, &weight| sum.wrapping_add(weight));
    weights.chunks(128).map(|chunk| i32::from(chunk_sum(chunk))).sum()
}

/// Whether no sum of products of bytes with the weights of one output can exceed 32 bits, with the zero point's part in
/// it and without the bias. Each output has `columns` weights, from -255 to 255.
pub(crate) fn sums_fit(weights: &[i16], columns: usize) -> bool {
    // The factor 2 is for the products of the bytes and for those of the zero point, which are added to the bias.
    let fits = |magnitude: i64| 2 * 255 * magnitude <= i64::from(i32::MAX);
    columns <= MAX_COLUMNS_OF_ANY_WEIGHTS || weights.chunks_exact(columns).all(|row| fits(magnitude(row)))
}

/// The maximum number of columns with which sums fit, whatever the weights are: 2 · 255 · 255 · 16,512 = 2,147,385,600.
const MAX_COLUMNS_OF_ANY_WEIGHTS: usize = 16_512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_i8_and_have_nine_bits_are_exact_at_their_ends() {
        assert!(fit_i8(&[-128, 0, 127]) && fit_i8(&[]));
        assert!(!fit_i8(&[0, 128]) && !fit_i8(&[-129, 0]));
        assert!(fit_9_bits(&[-255, 255]));
        assert!(!fit_9_bits(&[256, 0]) && !fit_9_bits(&[0, i16::MIN]));
    }

    #[test]
    fn magnitude_and_sum_do_not_wrap() {
        // The extreme weights, and more of them than a chunk that is added in 16 bits.
        assert_eq!(magnitude(&[-255; 1000]), 255_000);
        assert_eq!(sum(&[-255; 1000]), -255_000);
        assert_eq!(sum(&[255; 1000]), 255_000);
        assert_eq!((magnitude(&[-3, 4]), sum(&[-3, 4])), (7, 1));
    }

    #[test]
    fn sums_fit_is_exact_at_32_bits() {
        // 2 · 255 · 4,210,752 = 2,147,483,520, and 2³¹ − 1 is 127 more.
        const MAX: usize = MAX_COLUMNS_OF_ANY_WEIGHTS;
        let mut weights = vec![255; MAX];
        assert!(sums_fit(&weights, MAX) && !sums_fit(&vec![255; MAX + 1], MAX + 1));
        weights.push(192);
        let columns = weights.len();
        assert!(sums_fit(&weights, columns));
        weights[columns - 1] = 193;
        assert!(!sums_fit(&weights, columns));
        assert!(sums_fit(&weights, 1));
    }
}
