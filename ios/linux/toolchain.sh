#!/usr/bin/env bash
# Installs Swift 6.0 for Linux into a folder: a small Debian trixie with its package `swiftlang`. 3.3 GB, 4 minutes.
#
#   ios/linux/toolchain.sh FOLDER
#
# Needs root, debootstrap and the network. Running it again is free. `ios/linux/test.sh` uses what it installs.
set -euo pipefail

die() { echo "toolchain.sh: $*" >&2; exit 1; }

[ $# -eq 1 ] || die "give the folder to install into: ios/linux/toolchain.sh FOLDER"
[ "$(id -u)" -eq 0 ] || die "debootstrap and chroot need root; run it as root"

# Mounts made from here on are in a namespace of this process: they end with it, however it ends.
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

# A run that was cut off leaves a folder that debootstrap or apt can go on with; dpkg's state tells them how far it is.
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
