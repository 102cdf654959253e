#!/usr/bin/env bash
# Compiles Bedside's sources with stand-ins for Core Graphics, ImageIO, UIKit and Core Video, so that the parts behind
# `#if canImport` are compiled too, and runs Check.swift, which tests them. Then it compiles the demo app's views against
# stand-ins for SwiftUI and other frameworks. test.sh calls it inside the toolchain. FOLDER gets the build output.
#
#   ios/linux/stand-ins/check.sh FOLDER
set -euo pipefail
here=$(dirname "$0")
mkdir -p "$1"
swift_6() { swiftc -swift-version 6 -I "$1" "${@:2}"; }
map=(-Xcc -fmodule-map-file="$PWD/ios/Sources/BedsideFFI/module.modulemap")
bedside=(ios/Sources/Bedside/Generated/*.swift ios/Sources/Bedside/*.swift)

for module in CoreGraphics ImageIO UIKit CoreVideo; do
    swift_6 "$1" -emit-module -emit-library -static -parse-as-library -module-name "$module" \
        -emit-module-path "$1/$module.swiftmodule" -o "$1/lib$module.a" "$here/$module.swift"
done
cp "$here/Check.swift" "$1/main.swift"
swift_6 "$1" -module-name Bedside -L "$1" "${map[@]}" "${bedside[@]}" "$1/main.swift" \
    -lUIKit -lCoreVideo -lImageIO -lCoreGraphics -L/library -lbedside -o "$1/check"
"$1/check"

echo "== the demo app's views, against stand-ins"
for module in UniformTypeIdentifiers AVFoundation PDFKit SwiftUI PhotosUI; do
    swift_6 "$1" -emit-module -parse-as-library -module-name "$module" \
        -emit-module-path "$1/$module.swiftmodule" "$here/$module.swift"
done
swift_6 "$1" -emit-module -parse-as-library -module-name Bedside "${map[@]}" \
    -emit-module-path "$1/Bedside.swiftmodule" "${bedside[@]}"
swift_6 "$1" -emit-module -parse-as-library -module-name BedsideDemoCore "${map[@]}" \
    -emit-module-path "$1/BedsideDemoCore.swiftmodule" ios/DemoApp/Core/Sources/BedsideDemoCore/*.swift
# The compiler checks isolation after types, so object code is made.
swift_6 "$1" -c -whole-module-optimization -parse-as-library -module-name BedsideDemo -warnings-as-errors "${map[@]}" \
    ios/DemoApp/DemoApp/*.swift -o "$1/BedsideDemo.o"
echo "ok      $(ls ios/DemoApp/DemoApp/*.swift | wc -l) files"
