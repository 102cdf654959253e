//! The Android ABIs that the library is built for.

/// The minimum Android API level of the library and the app.
pub(crate) const MIN_API: u32 = 24;

/// The version of Android that the app is made and tested for.
pub(crate) const TARGET_API: u32 = 35;

/// An ABI.
pub(crate) struct Abi {
    /// Android's name, which is also that of the library's folder.
    pub name: &'static str,
    /// Rust's target triple.
    pub target: &'static str,
    /// Zig's target, one of musl, because zig ships no C library for Android.
    pub zig: &'static str,
    /// The minimum alignment of the library's segments, in bytes. Only 64-bit devices have pages of 16 KiB.
    pub pages: u64,
    /// Zig's target for the C and assembly of tract's kernels. On 32 bits, zig has NEON under the hard-float calling
    /// convention only, which Android does not use; a kernel that takes one pointer is called the same way under both.
    pub assembler: &'static str,
}

/// All ABIs; the first is that of 64-bit phones.
pub(crate) const ABIS: [Abi; 3] = [
    Abi {
        name: "arm64-v8a",
        target: "aarch64-linux-android",
        pages: 16384,
        zig: "aarch64-linux-musl",
        assembler: "aarch64-linux-musl",
    },
    Abi {
        name: "armeabi-v7a",
        target: "armv7-linux-androideabi",
        pages: 4096,
        zig: "arm-linux-musleabi",
        assembler: "arm-linux-musleabihf -mcpu=cortex_a7",
    },
    Abi {
        name: "x86_64",
        target: "x86_64-linux-android",
        pages: 16384,
        zig: "x86_64-linux-musl",
        assembler: "x86_64-linux-musl",
    },
];
