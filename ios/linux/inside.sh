#!/usr/bin/env bash
# Runs a command inside the Swift toolchain, in the root of the repository. The repository is mounted at /bedside,
# read-only except for target/swift. The folder of the native library is mounted at /library.
#
#   ios/linux/inside.sh LIBRARY_DIR TOOLCHAIN_DIR COMMAND [ARGUMENT...]
#
# TOOLCHAIN_DIR is what `ios/linux/toolchain.sh` installed. Needs root, for chroot.
set -euo pipefail

die() { echo "inside.sh: $*" >&2; exit 1; }

[ $# -ge 3 ] || die "give two folders and a command: ios/linux/inside.sh LIBRARY_DIR TOOLCHAIN_DIR COMMAND"
[ "$(id -u)" -eq 0 ] || die "chroot needs root; run it as root"

# The mounts below are in a mount namespace of this process, so that they end with it.
if [ -z "${BEDSIDE_NAMESPACE:-}" ]; then
    exec env BEDSIDE_NAMESPACE=1 unshare --mount --propagation private -- "$0" "$@"
fi

repository=$(realpath -- "$(dirname "$0")/../..")
library=$(realpath -e -- "$1") || die "$1: no such folder"
toolchain=$(realpath -e -- "$2") || die "$2: no such folder; run ios/linux/toolchain.sh $2"
shift 2

[ -f "$library/libbedside.so" ] || die "$library has no libbedside.so; run cargo build --workspace"
[ -f "$toolchain/bedside-toolchain" ] || die "$toolchain has no Swift; run ios/linux/toolchain.sh $toolchain"

mkdir -p "$repository/target/swift" "$toolchain/bedside" "$toolchain/library"
mount --bind /proc "$toolchain/proc"
mount --bind /dev "$toolchain/dev"
mount --bind "$library" "$toolchain/library"
mount --bind "$repository" "$toolchain/bedside"
mount -o remount,bind,ro "$toolchain/bedside"
mount --bind "$repository/target/swift" "$toolchain/bedside/target/swift"

exec chroot "$toolchain" /usr/bin/env -i \
    PATH=/usr/bin:/bin HOME=/bedside/target/swift/home LC_ALL=C.UTF-8 LD_LIBRARY_PATH=/library BEDSIDE_ROOT=/bedside \
    BEDSIDE_TEST_PANIC="${BEDSIDE_TEST_PANIC:-}" BEDSIDE_SOAK="${BEDSIDE_SOAK:-}" \
    /bin/sh -c 'cd /bedside && exec "$@"' sh "$@"
