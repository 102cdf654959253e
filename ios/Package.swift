// swift-tools-version:6.0
// Bedside for Swift: generated sources and glue over the native library `libbedside`.
//
// On Apple platforms the native library comes as BedsideFFI.xcframework, beside this file, made by `cargo xtask ios`.
// On Linux it is found by the linker: `swift build -Xlinker -L/folder/of/libbedside.so`; `linux/test.sh` does that.

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
