//! Proof of the processor's instruction sets. A value of a type of this module exists only where its `detect` found the
//! instructions, so that code with such a value may call functions that need them.
#![allow(unsafe_code, reason = "a trait that kernels rely on as proof of an instruction")]

/// The processor has SSE4.1, and so the sets that precede it, SSSE3 among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sse41(());

impl Sse41 {
    pub(super) fn detect() -> Option<Sse41> {
        is_x86_feature_detected!("sse4.1").then_some(Sse41(()))
    }
}

/// The processor has AVX2 and FMA, and so the sets that precede them, SSE4.2 and AVX.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Avx2(()))
    }
}

/// How `vpdpbusd` of 256 bits is encoded. A value is proof that the processor has the instruction in this encoding.
///
/// # Safety
/// An implementation guarantees that a value exists only where the processor has the instruction in the encoding that
/// [`Encoding::IS_VEX`] says.
pub(super) unsafe trait Encoding: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// Whether the encoding is VEX, that of AVX-VNNI, and not EVEX, that of AVX-512.
    const IS_VEX: bool;
}

/// The processor has AVX-VNNI.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vex(());

impl Vex {
    pub(super) fn detect() -> Option<Vex> {
        is_x86_feature_detected!("avxvnni").then_some(Vex(()))
    }
}

// SAFETY: AVX-VNNI is `vpdpbusd` of 128 and 256 bits with the prefix VEX, and a value exists only where it was found.
unsafe impl Encoding for Vex {
    const IS_VEX: bool = true;
}

/// The processor has AVX-512 VNNI, and AVX-512 VL, which has its instructions on 256 bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evex(());

impl Evex {
    pub(super) fn detect() -> Option<Evex> {
        (is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl")).then_some(Evex(()))
    }
}

// SAFETY: AVX-512 VNNI with VL has `vpdpbusd` of 256 bits with the prefix EVEX, and a value exists only where both were
// found.
unsafe impl Encoding for Evex {
    const IS_VEX: bool = false;
}

/// The processor has AVX-512 F, BW, VL and VNNI.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512Vnni(());

impl Avx512Vnni {
    pub(super) fn detect() -> Option<Avx512Vnni> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        has.then_some(Avx512Vnni(()))
    }
}

/// The processor has AVX-512 VBMI, the permutations of bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512Vbmi(());

impl Avx512Vbmi {
    pub(super) fn detect() -> Option<Avx512Vbmi> {
        is_x86_feature_detected!("avx512vbmi").then_some(Avx512Vbmi(()))
    }
}
