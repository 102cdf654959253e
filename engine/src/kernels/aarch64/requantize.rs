//! Requantization in registers: 32-bit sums, or floats, to bytes.

use std::arch::aarch64::{
    float32x4_t, int32x4_t, uint8x16_t, vaddq_s16, vcombine_s16, vcvtnq_s32_f32, vcvtq_f32_s32, vdupq_n_s16,
    vdupq_n_u8, vmaxq_u8, vminq_u8, vmulq_f32, vqaddq_s16, vqmovn_s32, vqmovun_high_s16, vqmovun_s16,
    vreinterpretq_s16_s32, vuzp1q_s16,
};

use crate::arithmetic::OutputStage;
use crate::program::weights::magnitude;

/// How a float `x` becomes a byte: `round(clamp(x)) + zero_point`, where the clamp keeps the byte between `min` and
/// `max`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requantize {
    zero_point: u8,
    min: u8,
    max: u8,
    /// Whether every rounded number fits in 16 bits after the zero point is added.
    fits_16_bits: bool,
}

impl Requantize {
    /// Whether `min` and `max` exclude no byte and no number needs saturation at 16 bits. Then `PLAIN` may be true,
    /// which takes fewer instructions.
    pub(super) fn is_plain(self) -> bool {
        self.fits_16_bits && self.min == 0 && self.max == 255
    }
}

/// Numbers of a magnitude below this fit in 16 bits after a zero point is added. The exact bound is 2¹⁵ - 1 - 255 =
/// 32,512; the difference is a margin for rounding.
const MAX_16_BIT_MAGNITUDE: f64 = 32_000.0;

impl Requantize {
    /// Makes no assumption about the magnitude of the numbers.
    pub(super) fn new(zero_point: u8, min: u8, max: u8) -> Requantize {
        Requantize { zero_point, min, max, fits_16_bits: false }
    }

    /// The same for numbers whose magnitude is at most `magnitude`.
    pub(super) fn with_max_magnitude(self, magnitude: f64) -> Requantize {
        Requantize { fits_16_bits: magnitude < MAX_16_BIT_MAGNITUDE, ..self }
    }

    /// For the sums of a product or convolution, multiplied by their output's multiplier. `bias` and `multipliers` have
    /// one number for each output, and `weights` equally many for each, one output after the other. The sums are the
    /// bias plus products of unsigned bytes with these weights. With [`OutputStage::Float`] the result is not to be
    /// used.
    pub(super) fn for_sums(
        output_stage: &OutputStage,
        weights: &[i16],
        bias: &[i32],
        multipliers: &[f32],
    ) -> Requantize {
        let OutputStage::Byte { zero_point, min, max, .. } = *output_stage else { return Requantize::new(0, 0, 255) };
        let products = weights.len() / bias.len().max(1);
        let magnitudes =
            weights.chunks_exact(products.max(1)).zip(bias).zip(multipliers).map(|((row, &bias), &multiplier)| {
                (255 * magnitude(row) + i64::from(bias).abs()) as f64 * f64::from(multiplier.abs())
            });
        Requantize::new(zero_point, min, max).with_max_magnitude(magnitudes.fold(0.0, f64::max))
    }

    /// Sixteen sums to bytes: `round(clamp(sum * multiplier)) + zero_point`. `PLAIN` requires
    /// [`is_plain`](Requantize::is_plain).
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn apply<const PLAIN: bool>(self, sums: [int32x4_t; 4], multipliers: [float32x4_t; 4]) -> uint8x16_t {
        self.pack::<PLAIN>([
            vmulq_f32(vcvtq_f32_s32(sums[0]), multipliers[0]),
            vmulq_f32(vcvtq_f32_s32(sums[1]), multipliers[1]),
            vmulq_f32(vcvtq_f32_s32(sums[2]), multipliers[2]),
            vmulq_f32(vcvtq_f32_s32(sums[3]), multipliers[3]),
        ])
    }

    /// Sixteen floats to bytes: `round(clamp(x)) + zero_point`. `PLAIN` requires [`is_plain`](Requantize::is_plain).
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn pack<const PLAIN: bool>(self, values: [float32x4_t; 4]) -> uint8x16_t {
        // The conversion rounds to nearest, ties to even, and saturates at 32 bits.
        let [a, b, c, d] = values.map(|value| vcvtnq_s32_f32(value));
        let zero_point = vdupq_n_s16(i16::from(self.zero_point));
        let [low, high] = if PLAIN {
            [(a, b), (c, d)]
                .map(|(a, b)| vaddq_s16(vuzp1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)), zero_point))
        } else {
            [(a, b), (c, d)].map(|(a, b)| vqaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), zero_point))
        };
        let bytes = vqmovun_high_s16(vqmovun_s16(low), high);
        if PLAIN {
            return bytes;
        }
        vminq_u8(vmaxq_u8(bytes, vdupq_n_u8(self.min)), vdupq_n_u8(self.max))
    }
}
