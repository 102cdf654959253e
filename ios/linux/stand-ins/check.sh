#!/usr/bin/env bash
# Compiles Bedside's sources with stand-ins for Core Graphics, ImageIO, UIKit and Core Video, so that the parts behind
# `#if canImport` are compiled too, and runs Check.swift over them. Called by test.sh inside the toolchain.
#
#   ios/linux/stand-ins/check.sh FOLDER
set -euo pipefail
here=$(dirname "$0")
mkdir -p "$1"
for module in CoreGraphics ImageIO UIKit CoreVideo; do
    swiftc -swift-version 6 -emit-module -emit-library -static -parse-as-library -module-name "$module" -I "$1" \
        -emit-module-path "$1/$module.swiftmodule" -o "$1/lib$module.a" "$here/$module.swift"
done
cp "$here/Check.swift" "$1/main.swift"
swiftc -swift-version 6 -module-name Bedside -I "$1" -L "$1" \
    -Xcc -fmodule-map-file="$PWD/ios/Sources/BedsideFFI/module.modulemap" \
    ios/Sources/Bedside/Generated/*.swift ios/Sources/Bedside/*.swift "$1/main.swift" \
    -lUIKit -lCoreVideo -lImageIO -lCoreGraphics -L/library -lbedside -o "$1/check"
"$1/check"
