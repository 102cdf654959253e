//! Proof that the processor has NEON.

use std::ffi::c_ulong;

/// The keys and the bit of Linux' auxiliary vector (`uapi/linux/auxvec.h`, `uapi/asm/hwcap.h` of the architecture).
const AT_HWCAP: c_ulong = 16;
const HWCAP_NEON: c_ulong = 1 << 12;

unsafe extern "C" {
    /// A value of the auxiliary vector, or 0 where there is none. glibc, musl and Android's libc (from API level 18 on)
    /// have it.
    safe fn getauxval(key: c_ulong) -> c_ulong;
}

/// The processor has NEON, and so 32 vector registers of 64 bits. A value exists only where `detect` found it. The
/// standard library's own detection is not stable on 32-bit ARM.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Neon> {
        (getauxval(AT_HWCAP) & HWCAP_NEON != 0).then_some(Neon(()))
    }
}
