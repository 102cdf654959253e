//! Proof of what the processor has. A value of a type here exists only where its `detect` found the instructions, so that
//! whoever holds one may call functions that need them, and execute assembly of them.
//!
//! The standard library's detection is right on all systems that matter: it asks `getauxval` for `AT_HWCAP` and
//! `AT_HWCAP2` on Linux and on Android alike (Rust 1.91, `std_detect`, `os/linux/auxvec.rs`), and `sysctlbyname` on
//! Apple's.

use std::arch::is_aarch64_feature_detected;

/// The processor has NEON (`FEAT_AdvSIMD`), as every one does that the standard library is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Neon> {
        is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

/// The processor has dot products (`FEAT_DotProd`): `sdot`, four signed bytes a lane. And NEON.
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

/// The processor has 8-bit matrix products (`FEAT_I8MM`): `usmmla`, blocks of two rows by two outputs, and `usdot`,
/// unsigned bytes. And dot products and NEON.
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
