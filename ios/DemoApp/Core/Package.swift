// swift-tools-version:6.0
// All of the demo app except its views. `ios/linux/test.sh` builds and tests it on Linux.

import PackageDescription

let package = Package(
    name: "BedsideDemoCore",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "BedsideDemoCore", targets: ["BedsideDemoCore"])],
    dependencies: [.package(path: "../..")],
    targets: [
        .target(name: "BedsideDemoCore", dependencies: [.product(name: "Bedside", package: "ios")]),
        .testTarget(
            name: "BedsideDemoCoreTests",
            dependencies: ["BedsideDemoCore", .product(name: "Bedside", package: "ios")]),
    ]
)
