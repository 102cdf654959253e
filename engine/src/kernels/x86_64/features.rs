//! Proof of the processor's instruction sets. A value of a type of this module exists only where its `detect` found the
//! instructions, so that code with such a value may call functions that need them.

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
