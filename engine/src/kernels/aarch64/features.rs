//! Types whose values prove which instructions the processor has. A value exists only where its `detect` found the
//! instructions, so code that holds a value may call functions that need them and execute assembly with them.
//!
//! Detection is that of the standard library, which reads `AT_HWCAP` and `AT_HWCAP2` by `getauxval` on Linux and on
//! Android (Rust 1.91, `std_detect`, `os/linux/auxvec.rs`), and `sysctlbyname` on Apple's systems.

use std::arch::aarch64::{uint8x16_t, vdupq_n_u8, vsubq_u8};
use std::arch::is_aarch64_feature_detected;

/// The instructions that one set of kernels multiplies with. A value is proof of them.
///
/// # Safety
/// An implementation guarantees that a value exists only where the processor has NEON.
pub(super) unsafe trait InstructionSet: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// What [`InstructionSet::offset_input`] subtracts from a tensor's byte: 0 where the instructions multiply unsigned
    /// bytes, 128 where they multiply signed ones. The bias of a sum compensates for it.
    const INPUT_OFFSET: u8;

    /// Converts a tensor's bytes to the operand of a product: bytes minus [`InstructionSet::INPUT_OFFSET`], signed ones
    /// where that is 128.
    #[inline(always)]
    fn offset_input(self, bytes: uint8x16_t) -> uint8x16_t {
        // With an offset of 0 the compiler leaves the instruction out.
        // SAFETY: the processor has NEON, as `self` exists; only registers are accessed.
        unsafe { vsubq_u8(bytes, vdupq_n_u8(Self::INPUT_OFFSET)) }
    }
}

/// Proof of NEON (`FEAT_AdvSIMD`), which every processor has for which the standard library is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Neon> {
        is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

// SAFETY: `detect` makes a value only where it finds NEON.
unsafe impl InstructionSet for Neon {
    const INPUT_OFFSET: u8 = 128;
}

/// Proof of dot products (`FEAT_DotProd`) and of NEON. `sdot` multiplies four signed bytes in each 32-bit lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct DotProducts(());

impl DotProducts {
    pub(super) fn detect() -> Option<DotProducts> {
        Neon::detect().filter(|_| is_aarch64_feature_detected!("dotprod")).map(|_| DotProducts(()))
    }
}

// SAFETY: `detect` makes a value only where it finds NEON too.
unsafe impl InstructionSet for DotProducts {
    const INPUT_OFFSET: u8 = 128;
}

/// Proof of 8-bit matrix products (`FEAT_I8MM`), of dot products and of NEON. `usmmla` multiplies two rows of eight
/// unsigned bytes with two outputs' signed weights, and `usdot` is `sdot` for unsigned bytes and signed weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatrixProducts(());

impl MatrixProducts {
    pub(super) fn detect() -> Option<MatrixProducts> {
        DotProducts::detect().filter(|_| is_aarch64_feature_detected!("i8mm")).map(|_| MatrixProducts(()))
    }
}

// SAFETY: `detect` makes a value only where it finds NEON too.
unsafe impl InstructionSet for MatrixProducts {
    const INPUT_OFFSET: u8 = 0;
}
