#!/usr/bin/env bash
# Tests the Swift side on Linux: the package's tests, those of the demo app's core, the sources for Apple's frameworks
# and the demo app's views against stand-ins, and the quickstart.
#
#   ios/linux/test.sh LIBRARY_DIR TOOLCHAIN_DIR
#
# LIBRARY_DIR holds libbedside.so and the command `bedside` of the same build; TOOLCHAIN_DIR is what
# `ios/linux/toolchain.sh` installed. Needs root, for chroot. What it builds lies in target/swift.
#
# BEDSIDE_COMMAND=FILE     the command, where it lies elsewhere
# BEDSIDE_TEST_PANIC=1     the library was built with the feature test-panic: only what provokes panics is run
# BEDSIDE_SOAK=1           the memory tests of the shipped model too
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

# What the command says, for the tests to hold their results against.
command=$(realpath -e -- "${BEDSIDE_COMMAND:-$library/bedside}") || die "no command bedside there; set BEDSIDE_COMMAND"
cd "$here/../.."
built=target/swift
mkdir -p "$built"
classify() { "$command" classify "$@"; }
skin=(--model models/skin-lesion/model.onnx --answer dermatoscope=yes)
chest=(--model models/chest-xray/model.onnx --answer age=3 --answer frontal_file=yes)
{
    classify "${skin[@]}" --json models/samples/*.jpg
    classify "${chest[@]}" --json models/samples/*.jpeg
} > "$built/expected.jsonl"
classify "${skin[@]}" models/samples/ISIC_0012258.jpg > "$built/quickstart.expected"

echo "== the package's tests"
swift_test ios package

echo "== the tests of the demo app's core"
swift_test ios/DemoApp/Core demo

echo "== the sources for Apple's frameworks, against stand-ins"
inside ios/linux/stand-ins/check.sh target/swift/stand-ins

echo "== the quickstart, as it stands"
"$here/run.sh" "$library" "$toolchain" docs/quickstart/Quickstart.swift > "$built/quickstart.printed"
diff <(grep -v '^  Time ' "$built/quickstart.expected") <(grep -v '^  Time ' "$built/quickstart.printed") \
    || die "docs/quickstart/Quickstart.swift does not print what bedside classify prints"

echo "test.sh: all passed"
