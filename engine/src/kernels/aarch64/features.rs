//! Types whose values prove which instructions the processor has. A value exists only where its `detect` found the
//! instructions, so code that holds a value may call functions that need them and execute assembly with them.
//!
//! Detection is that of the standard library, which reads `AT_HWCAP` and `AT_HWCAP2` by `getauxval` on Linux and on
//! Android (Rust 1.91, `std_detect`, `os/linux/auxvec.rs`), and `sysctlbyname` on Apple's systems.

use std::arch::is_aarch64_feature_detected;

/// Proof of NEON (`FEAT_AdvSIMD`), which every processor has for which the standard library is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Neon> {
        is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

/// Proof of dot products (`FEAT_DotProd`) and of NEON. `sdot` multiplies four signed bytes in each 32-bit lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct DotProducts(Neon);

impl DotProducts {
    pub(super) fn detect() -> Option<DotProducts> {
        Neon::detect().filter(|_| is_aarch64_feature_detected!("dotprod")).map(DotProducts)
    }

    pub(super) fn neon(self) -> Neon {
        self.0
    }
}

/// Proof of 8-bit matrix products (`FEAT_I8MM`), of dot products and of NEON. `usmmla` multiplies two rows of eight
/// unsigned bytes with two outputs' signed weights, and `usdot` is `sdot` for unsigned bytes and signed weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatrixProducts(DotProducts);

impl MatrixProducts {
    pub(super) fn detect() -> Option<MatrixProducts> {
        DotProducts::detect().filter(|_| is_aarch64_feature_detected!("i8mm")).map(MatrixProducts)
    }

    pub(super) fn neon(self) -> Neon {
        self.0.neon()
    }
}
