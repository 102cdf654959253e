//! Commands for which QEMU runs every program for ARM that they start. It is registered with the kernel (`binfmt_misc`) in a
//! namespace of the command alone, so that the machine's own settings stay as they are. Needs Linux 6.7 or later.

use anyhow::Result;

use crate::step::require;

/// What runs a shell script in the namespace: its text follows, after [`REGISTER`].
pub(crate) const NAMESPACE: &str = "unshare --map-root-user --mount --pid --fork sh -e -c";

/// The first lines of the script. A program is recognised by the first bytes of its file: its class and its machine. With `F`
/// the kernel keeps the emulator open, which is therefore found in any root.
pub(crate) const REGISTER: &str = r"
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || { echo 'programs can only be registered on Linux 6.7 or later' >&2; exit 1; }
register() {
    printf '%s' ':'$1':M::\x7fELF\x0'$2'\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x'$3'\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/'$1'-static:F' \
        > /proc/sys/fs/binfmt_misc/register
}
register qemu-aarch64 2 b7
register qemu-arm 1 28
";

/// Fails where an emulator is missing.
pub(crate) fn require_tools() -> Result<()> {
    for emulator in ["/usr/bin/qemu-aarch64-static", "/usr/bin/qemu-arm-static"] {
        require(emulator, "on Debian: apt-get install qemu-user-static")?;
    }
    Ok(())
}
