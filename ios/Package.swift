// swift-tools-version:6.0
// Bedside for Swift: generated and hand-written sources over the native library `libbedside`.
//
// On Apple platforms the native library is BedsideFFI.xcframework beside this file, which `cargo xtask ios` makes. On
// Linux the linker finds it: `swift build -Xlinker -L/folder/of/libbedside.so`, as `linux/test.sh` does.

import PackageDescription

#if os(Linux)
let native = Target.systemLibrary(name: "BedsideFFI", path: "Sources/BedsideFFI")
#else
let native = Target.binaryTarget(name: "BedsideFFI", path: "BedsideFFI.xcframework")
#endif

let package = Package(
    name: "Bedside",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Bedside", targets: ["Bedside"])],
    targets: [
        native,
        .target(name: "Bedside", dependencies: ["BedsideFFI"]),
        .testTarget(name: "BedsideTests", dependencies: ["Bedside"]),
    ]
)
