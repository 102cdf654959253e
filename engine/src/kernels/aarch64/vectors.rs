//! Vectors made from arrays, and the store of a vector's first bytes.

use std::arch::aarch64::{float32x4_t, int8x16_t, int16x8_t, int32x4_t, uint8x16_t, vst1q_u8};
use std::mem::transmute;

/// Defines functions that make a vector of an array.
macro_rules! from_arrays {
    ($($(#[$doc:meta])* fn $name:ident($array:ty) -> $vector:ty;)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(values: $array) -> $vector {
            // SAFETY: both types have 16 bytes, and a vector may have any bits.
            unsafe { transmute::<$array, $vector>(values) }
        }
    )*};
}

from_arrays! {
    /// A vector of these bytes.
    fn bytes([u8; 16]) -> uint8x16_t;
    /// A vector of these signed bytes.
    fn signed_bytes([i8; 16]) -> int8x16_t;
    /// A vector of these 16-bit integers.
    fn short_integers([i16; 8]) -> int16x8_t;
    /// A vector of these integers.
    fn integers([i32; 4]) -> int32x4_t;
    /// A vector of these floats.
    fn floats([f32; 4]) -> float32x4_t;
}

/// Writes the first `count` bytes of a vector, 16 at most.
///
/// # Safety
/// The processor must have NEON. `count` must be at most 16. `count` bytes from `to` on are written and must be
/// writable; no other byte is accessed.
#[inline(always)]
pub(super) unsafe fn store(bytes: uint8x16_t, to: *mut u8, count: usize) {
    // SAFETY: the processor has NEON. Each arm writes `count` bytes from `to` on, which are writable, of any alignment.
    // It takes them from the 16 bytes of the vector, and `count` is at most 16. Any bits of a vector are valid bytes.
    unsafe {
        match count {
            16 => vst1q_u8(to, bytes),
            8 => to.cast::<[u8; 8]>().write_unaligned(transmute::<uint8x16_t, [[u8; 8]; 2]>(bytes)[0]),
            _ => {
                let all = transmute::<uint8x16_t, [u8; 16]>(bytes);
                to.copy_from_nonoverlapping(all.as_ptr(), count);
            }
        }
    }
}
