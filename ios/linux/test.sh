#!/usr/bin/env bash
# Tests the Swift package and the demo app on Linux. It runs the tests of the package and of the demo app's core. It compiles
# the sources for Apple's frameworks and the demo app's views against stand-ins. It compares the output of the quickstart
# with that of the command.
#
#   ios/linux/test.sh LIBRARY_DIR TOOLCHAIN_DIR
#
# The models of the app must have been prepared, by `cargo xtask models`.
#
# LIBRARY_DIR holds libbedside.so and the command `bedside` of the same build. TOOLCHAIN_DIR is what
# `ios/linux/toolchain.sh` installed. It needs root, for chroot. Its build output is in target/swift.
#
# BEDSIDE_COMMAND=FILE     the path of the command, if it is not in LIBRARY_DIR
# BEDSIDE_TEST_PANIC=1     runs only the tests that provoke panics; the library was built with the feature test-panic
# BEDSIDE_SOAK=1           runs the memory tests of the shipped model too
set -euo pipefail

die() { echo "test.sh: $*" >&2; exit 1; }

[ $# -eq 2 ] || die "give two folders: ios/linux/test.sh LIBRARY_DIR TOOLCHAIN_DIR"

here=$(realpath -- "$(dirname "$0")")
library=$(realpath -- "$1") toolchain=$(realpath -- "$2")
inside() { "$here/inside.sh" "$library" "$toolchain" "$@"; }
swift_test() {
    inside env BEDSIDE_EXPECTED=/bedside/target/swift/expected.jsonl \
        stdbuf -oL swift test --package-path "$1" --scratch-path "target/swift/$2" -Xlinker -L/library "${@:3}"
}

if [ "${BEDSIDE_TEST_PANIC:-}" = 1 ]; then
    swift_test ios package --filter PanicTests
    exit
fi

# The command's results, which the tests expect.
command=$(realpath -e -- "${BEDSIDE_COMMAND:-$library/bedside}") || die "no command bedside there; set BEDSIDE_COMMAND"
cd "$here/../.."
built=target/swift
mkdir -p "$built"
ios/expected.sh "$command" > "$built/expected.jsonl"
ios/expected.sh "$command" --lang uk > "$built/expected.jsonl.uk"
"$command" classify --model models/skin-lesion/model.onnx --answer dermatoscope=yes --answer mole_like=yes \
    models/samples/ISIC_0012258.jpg > "$built/quickstart.expected"

echo "== the package's tests"
swift_test ios package

echo "== the tests of the demo app's core"
swift_test ios/DemoApp/Core demo

echo "== the sources for Apple's frameworks, against stand-ins"
inside ios/linux/stand-ins/check.sh target/swift/stand-ins

echo "== the quickstart, unchanged"
"$here/run.sh" "$library" "$toolchain" docs/quickstart/Quickstart.swift > "$built/quickstart.printed"
diff <(grep -v '^  Time ' "$built/quickstart.expected") <(grep -v '^  Time ' "$built/quickstart.printed") \
    || die "docs/quickstart/Quickstart.swift does not print what bedside classify prints"

echo "test.sh: all passed"
