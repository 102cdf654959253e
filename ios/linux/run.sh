#!/usr/bin/env bash
# Builds one Swift file as a user would, optimised, in a package of its own that depends on ios/. Then it runs the program
# in the root of the repository. Standard output has only what the program prints.
#
#   ios/linux/run.sh LIBRARY_DIR TOOLCHAIN_DIR FILE.swift [ARGUMENT...]
#
# The folders are those of `ios/linux/inside.sh`. BEDSIDE_PRELOAD=FILE names a library that is preloaded into the program
# only.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "run.sh: give two folders and a file: ios/linux/run.sh LIBRARY_DIR TOOLCHAIN_DIR FILE.swift" >&2
    exit 1
fi

here=$(realpath -- "$(dirname "$0")")
inside=("$here/inside.sh" "$1" "$2")
package=$here/../../target/swift/program
mkdir -p "$package/Sources/Program"
# One run at a time holds the lock, because all runs use the same package.
exec 9> "$package/lock"
flock 9
# An unchanged file keeps its modification time, so that it is not built again.
cmp -s "$3" "$package/Sources/Program/main.swift" || cp "$3" "$package/Sources/Program/main.swift"
shift 3
cat > "$package/Package.swift.new" <<'PACKAGE'
// swift-tools-version:6.0
import PackageDescription

let package = Package(
    name: "Program",
    platforms: [.iOS(.v16), .macOS(.v13)],
    dependencies: [.package(path: "/bedside/ios")],
    targets: [.executableTarget(name: "Program", dependencies: [.product(name: "Bedside", package: "ios")])]
)
PACKAGE
cmp -s "$package/Package.swift.new" "$package/Package.swift" || cp "$package/Package.swift.new" "$package/Package.swift"

"${inside[@]}" swift build --configuration release --package-path target/swift/program -Xlinker -L/library >&2

preload=()
if [ -n "${BEDSIDE_PRELOAD:-}" ]; then
    cp "$BEDSIDE_PRELOAD" "$package/preload.so"
    preload=(env LD_PRELOAD=/bedside/target/swift/program/preload.so)
fi
exec "${inside[@]}" "${preload[@]}" target/swift/program/.build/release/Program "$@"
