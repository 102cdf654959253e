//! The kinds of phones that the library is built for.

/// The oldest Android that the library runs on.
pub(crate) const MIN_API: u32 = 24;

/// One kind of phone.
pub(crate) struct Abi {
    /// Android's name, which is also the folder's.
    pub name: &'static str,
    /// Rust's.
    pub target: &'static str,
    /// What Zig compiles as, which has no word for Android.
    pub zig: &'static str,
    /// The least alignment of its segments: phones with pages of 16 KiB are 64-bit ones.
    pub pages: u64,
    /// How it assembles tract's kernels. On 32 bits it has NEON under the other calling convention only, which a kernel
    /// that takes one pointer does not notice.
    pub assembler: &'static str,
}

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
