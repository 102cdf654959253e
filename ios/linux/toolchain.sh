#!/usr/bin/env bash
# Installs Swift 6.0 for Linux into a folder: a minimal Debian trixie with its package `swiftlang`. It takes 3.3 GB and 4
# minutes.
#
#   ios/linux/toolchain.sh FOLDER
#
# It needs root, debootstrap and the network. If Swift is installed in the folder, it does nothing. `ios/linux/test.sh` uses
# the folder.
set -euo pipefail

die() { echo "toolchain.sh: $*" >&2; exit 1; }

[ $# -eq 1 ] || die "give the folder to install into: ios/linux/toolchain.sh FOLDER"
[ "$(id -u)" -eq 0 ] || die "debootstrap and chroot need root; run it as root"

# The mounts below are in a mount namespace of this process, so that they end with it.
if [ -z "${BEDSIDE_TOOLCHAIN_NAMESPACE:-}" ]; then
    exec env BEDSIDE_TOOLCHAIN_NAMESPACE=1 unshare --mount --propagation private -- "$0" "$@"
fi

root=$(realpath -m -- "$1")
[ "$root" != / ] || die "/ is this machine's own root; give an empty folder"

swift_version() { chroot "$root" /usr/bin/swiftc --version 2>/dev/null | grep -o 'Swift version [0-9.]*' || true; }

if [ -e "$root/bedside-toolchain" ]; then
    echo "$root has $(cat "$root/bedside-toolchain") already"
    exit 0
fi

command -v debootstrap >/dev/null || die "debootstrap is missing; apt-get install debootstrap"
mkdir -p "$root"
free=$(df --output=avail -k -- "$root" | tail -1)
[ "$free" -gt 5000000 ] || die "$root has $((free / 1000000)) GB left; 5 GB are needed"

# After an interrupted run, debootstrap and apt continue in the folder by dpkg's state.
if [ ! -e "$root/etc/debian_version" ] || [ -d "$root/debootstrap" ]; then
    debootstrap --variant=minbase trixie "$root" || die "debootstrap failed; see $root/debootstrap/debootstrap.log"
fi

mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
in_root() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
in_root dpkg --configure -a
in_root apt-get update
in_root apt-get install -y --no-install-recommends swiftlang libc6-dev libstdc++-14-dev \
    || die "apt-get could not install swiftlang"
in_root apt-get clean

version=$(swift_version)
case $version in
    "Swift version 6."*) echo "$version" > "$root/bedside-toolchain" ;;
    *) die "swiftc in $root does not run, or is not Swift 6: ${version:-no answer}" ;;
esac
echo "$root has $version"
