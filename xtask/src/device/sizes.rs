//! The sizes of what devices carry, which are recorded: growth that nobody looked at fails.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};

use super::MACHINES;
use super::package::unpacked;
use crate::root;

/// The recorded sizes: a line for each file, with its bytes.
const RECORD: &str = "xtask/device-sizes.txt";
/// The files whose size is recorded, by their paths in the tarball.
const FILES: [&str; 2] = ["bin/bedside", "lib/libbedside.so"];
/// How much larger than recorded a file may be, in percent.
const MAX_GROWTH: u64 = 3;
/// The maximum size of the library, in bytes.
const MAX_LIBRARY: u64 = 2_300_000;

/// Fails where a file is larger than recorded by more than [`MAX_GROWTH`] percent, or the library too large. Writes the
/// sizes of now to the record, so that a change of it shows in the commit.
pub(super) fn check() -> Result<()> {
    let path = root().join(RECORD);
    let record = fs::read_to_string(&path).unwrap_or_default();
    let mut now = String::new();
    let mut grown = Vec::new();
    for machine in &MACHINES {
        for file in FILES {
            let size = fs::metadata(unpacked(machine).join(file)).with_context(|| file.to_owned())?.len();
            let name = format!("{} {file}", machine.name);
            writeln!(now, "{name} {size}")?;
            let recorded = record.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse::<u64>().ok());
            if recorded.is_some_and(|recorded| size * 100 > recorded * (100 + MAX_GROWTH)) {
                grown.push(format!("{name} has {size} bytes, recorded are {}", recorded.unwrap_or(0)));
            }
            let is_small = !file.starts_with("lib/") || size <= MAX_LIBRARY;
            ensure!(is_small, "{name} has {size} bytes; a device's library may have {MAX_LIBRARY}");
        }
    }
    ensure!(grown.is_empty(), "{}; remove their lines from {RECORD} if this must be", grown.join("; "));
    eprint!("\n{now}");
    Ok(fs::write(path, now)?)
}
