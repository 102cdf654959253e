//! From 32-bit sums to bytes, in registers.

use std::arch::aarch64::{
    float32x4_t, int32x4_t, uint8x16_t, vaddq_s16, vcombine_s16, vcvtnq_s32_f32, vcvtq_f32_s32, vdupq_n_s16,
    vdupq_n_u8, vmaxq_u8, vminq_u8, vmulq_f32, vqaddq_s16, vqmovn_s32, vqmovun_high_s16, vqmovun_s16,
    vreinterpretq_s16_s32, vuzp1q_s16,
};

use crate::arithmetic::OutputStage;
use crate::program::weights::magnitude;

/// How numbers that are rounded to 32 bits become bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes {
    zero_point: u8,
    min: u8,
    max: u8,
    /// Whether no number is too large for 16 bits with the zero point added.
    seven_bit: bool,
}

impl Bytes {
    /// Whether all bytes are allowed and no number is too large for 16 bits, so that there's less to do.
    pub(super) fn are_plain(self) -> bool {
        self.seven_bit && self.min == 0 && self.max == 255
    }
}

/// The largest number that is known to stay within 16 bits with a zero point added, and with some room for rounding.
const NARROW: f64 = 32_000.0;

impl Bytes {
    pub(super) fn new(zero_point: u8, min: u8, max: u8) -> Bytes {
        Bytes { zero_point, min, max, seven_bit: false }
    }

    /// The same, where no number is larger than `largest`, below zero or above.
    pub(super) fn up_to(self, largest: f64) -> Bytes {
        Bytes { seven_bit: largest < NARROW, ..self }
    }

    /// For sums of products of bytes and weights, with what they start from and what they are multiplied by, by output.
    pub(super) fn of(output_stage: &OutputStage, weights: &[i16], bias: &[i32], multipliers: &[f32]) -> Bytes {
        let OutputStage::Byte { zero_point, min, max, .. } = *output_stage else { return Bytes::new(0, 0, 255) };
        let products = weights.len() / bias.len().max(1);
        let largest =
            weights.chunks_exact(products.max(1)).zip(bias).zip(multipliers).map(|((row, &bias), &multiplier)| {
                (255 * magnitude(row) + i64::from(bias).abs()) as f64 * f64::from(multiplier.abs())
            });
        Bytes::new(zero_point, min, max).up_to(largest.fold(0.0, f64::max))
    }

    /// Sixteen sums to bytes: `round(clamp(sum * multiplier)) + zero_point`. `PLAIN` says that the bytes [are](Bytes::are_plain).
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn round<const PLAIN: bool>(self, sums: [int32x4_t; 4], multipliers: [float32x4_t; 4]) -> uint8x16_t {
        self.pack::<PLAIN>([
            vmulq_f32(vcvtq_f32_s32(sums[0]), multipliers[0]),
            vmulq_f32(vcvtq_f32_s32(sums[1]), multipliers[1]),
            vmulq_f32(vcvtq_f32_s32(sums[2]), multipliers[2]),
            vmulq_f32(vcvtq_f32_s32(sums[3]), multipliers[3]),
        ])
    }

    /// Sixteen floats to bytes.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn pack<const PLAIN: bool>(self, values: [float32x4_t; 4]) -> uint8x16_t {
        // To the nearest, ties to even; what 32 bits can't hold saturates.
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
