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
const FILES: [&str; 4] = ["bin/bedside", "lib/libbedside.so", "lib/libbedside.a", "lib/musl/libbedside.a"];
/// How much larger than recorded a file may be, in percent.
const MAX_GROWTH: u64 = 3;
/// The maximum size of the library, in bytes. Without DICOM it is a third of a megabyte smaller.
const MAX_LIBRARY: u64 = 2_400_000;

/// Fails where a file is larger than recorded by more than [`MAX_GROWTH`] percent, or the library too large. With `record`,
/// writes the sizes of now to the record instead of comparing them.
pub(super) fn check(record_now: bool) -> Result<()> {
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
            match recorded {
                Some(recorded) if size * 100 <= recorded * (100 + MAX_GROWTH) => {}
                _ => grown.push(format!("{name} has {size} bytes, recorded are {}", recorded.unwrap_or(0))),
            }
            let is_small = file != "lib/libbedside.so" || size <= MAX_LIBRARY;
            ensure!(is_small, "{name} has {size} bytes; a device's library may have {MAX_LIBRARY}");
        }
    }
    eprint!("\n{now}");
    if record_now {
        return Ok(fs::write(path, now)?);
    }
    ensure!(grown.is_empty(), "{}; `cargo xtask device --record` accepts it", grown.join("; "));
    Ok(())
}
