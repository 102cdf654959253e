//! The native library for iOS devices and simulators, `ios/BedsideFFI.xcframework`, built on any machine.
//!
//! Static libraries need no linker and so no Mac: rustc compiles Rust, and zig compiles C and assembly. Their imports
//! are compared with Apple's list of the names in `libSystem`, which zig ships for macOS. A name that only macOS has
//! passes this check, and fails to link on a Mac.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use object::macho::{CPU_SUBTYPE_ARM64_ALL, CPU_SUBTYPE_X86_64_ALL, CPU_TYPE_ARM64, CPU_TYPE_X86_64, FAT_MAGIC};
use object::macho::{LC_VERSION_MIN_IPHONEOS, PLATFORM_IOS, PLATFORM_IOSSIMULATOR};
use object::read::archive::ArchiveFile;
use object::read::macho::{LoadCommandVariant, MachOFile64};
use object::{Endianness, Object, ObjectSymbol};

use crate::prepared;
use crate::root;
use crate::step::{Step, zig};

/// The minimum iOS version, as in `ios/Package.swift`.
const MIN_IOS: &str = "16.0";

/// A kind of device or simulator that a library is built for.
struct Machine {
    /// Rust's target triple.
    target: &'static str,
    /// Zig's target, with [`MIN_IOS`].
    zig: &'static str,
    /// Mach-O's CPU type and subtype.
    cpu: (u32, u32),
    /// Mach-O's platform.
    platform: u32,
}

const PHONE: Machine = Machine {
    target: "aarch64-apple-ios",
    zig: "aarch64-ios.16.0",
    cpu: (CPU_TYPE_ARM64.0, CPU_SUBTYPE_ARM64_ALL.0),
    platform: PLATFORM_IOS.0,
};
const SIMULATORS: [Machine; 2] = [
    Machine {
        target: "aarch64-apple-ios-sim",
        zig: "aarch64-ios.16.0-simulator",
        cpu: (CPU_TYPE_ARM64.0, CPU_SUBTYPE_ARM64_ALL.0),
        platform: PLATFORM_IOSSIMULATOR.0,
    },
    Machine {
        target: "x86_64-apple-ios",
        zig: "x86_64-ios.16.0-simulator",
        cpu: (CPU_TYPE_X86_64.0, CPU_SUBTYPE_X86_64_ALL.0),
        platform: PLATFORM_IOSSIMULATOR.0,
    },
];

/// The functions whose use Apple requires a reason for in the privacy manifest, by category.
const REASONED: [(&str, &[&str]); 4] = [
    (
        "NSPrivacyAccessedAPICategoryFileTimestamp",
        &[
            "_stat",
            "_fstat",
            "_lstat",
            "_fstatat",
            "_getattrlist",
            "_fgetattrlist",
            "_getattrlistat",
            "_getattrlistbulk",
        ],
    ),
    ("NSPrivacyAccessedAPICategorySystemBootTime", &["_mach_absolute_time"]),
    ("NSPrivacyAccessedAPICategoryDiskSpace", &["_statfs", "_fstatfs", "_statvfs", "_fstatvfs"]),
    ("NSPrivacyAccessedAPICategoryUserDefaults", &["_CFPreferencesCopyAppValue"]),
];

/// What the framework is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// The Swift package.
    Package,
    /// The app, which carries prepared models and needs no importer.
    App,
}

impl For {
    fn features(self) -> &'static str {
        match self {
            Self::Package => "onnx,tiff,webp,dicom,uniffi",
            Self::App => "tiff,webp,dicom,uniffi",
        }
    }
}

/// Builds and checks all slices, and puts the framework where `ios/Package.swift` expects it. The app's models are prepared
/// beside it.
pub(crate) fn build(of: For) -> Result<()> {
    if of == For::App {
        prepared::models()?;
    }
    let (zig, features) = (zig()?, of.features());
    let phone = library(&PHONE, features, &zig)?;
    let simulators = SIMULATORS.iter().map(|machine| library(machine, features, &zig)).collect::<Result<Vec<_>>>()?;
    let simulator = fat(&SIMULATORS.iter().map(|machine| machine.cpu).zip(&simulators).collect::<Vec<_>>())?;

    let framework = folder().join("BedsideFFI.xcframework");
    if framework.exists() {
        fs::remove_dir_all(&framework)?;
    }
    for (slice, library) in [("ios-arm64", &phone), ("ios-arm64_x86_64-simulator", &simulator)] {
        // In a folder with the module's name, because Xcode copies the headers of all frameworks into one folder.
        let headers = framework.join(slice).join("Headers/BedsideFFI");
        fs::create_dir_all(&headers)?;
        fs::write(framework.join(slice).join("libbedside.a"), library)?;
        fs::copy(root().join("ios/Sources/BedsideFFI/BedsideFFI.h"), headers.join("BedsideFFI.h"))?;
        fs::copy(root().join("ios/native/module.modulemap"), headers.join("module.modulemap"))?;
        eprintln!("{slice}: {:.1} MB before Xcode drops unused code", library.len() as f64 / 1e6);
    }
    fs::copy(root().join("ios/native/Info.plist"), framework.join("Info.plist"))?;

    let target = root().join("ios/BedsideFFI.xcframework");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    fs::rename(&framework, &target)?;
    eprintln!("\n{} is what ios/Package.swift takes.", target.display());
    Ok(())
}

/// The target folder, separate from that of builds for this machine, because other flags would rebuild everything.
fn folder() -> PathBuf {
    root().join("target/ios")
}

/// Builds and checks the static library for one machine, and returns its bytes.
fn library(machine: &Machine, features: &str, zig: &Path) -> Result<Vec<u8>> {
    let variable = machine.target.replace('-', "_");
    let (compiler, archiver) = (format!("CC_{variable}"), format!("AR_{variable}"));
    let (zig_compiler, zig_archiver) =
        (format!("{} cc -fPIC -target {}", zig.display(), machine.zig), format!("{} ar", zig.display()));
    let folder = folder().display().to_string();
    let mut step = Step::new("cargo rustc --locked --profile phone --package bedside-bindings --lib")
        .words("--crate-type staticlib --no-default-features --features")
        .arg(features)
        .arg("--target")
        .arg(machine.target)
        .arg("--target-dir")
        .arg(&folder)
        .env("IPHONEOS_DEPLOYMENT_TARGET", MIN_IOS)
        // The default flags of the crate `cc` need Apple's SDK.
        .env("CRATE_CC_NO_DEFAULTS", "1")
        .env(&compiler, &zig_compiler)
        .env(&archiver, &zig_archiver);
    if Step::new("rustup target add").arg(machine.target).run().is_err() {
        // Some mirrors lack the simulators' standard libraries, which are then built from source.
        Step::new("rustup component add rust-src").run()?;
        step = step.words("-Z build-std=std,panic_unwind").env("RUSTC_BOOTSTRAP", "1");
    }
    step.run()?;
    let path = Path::new(&folder).join(machine.target).join("phone/libbedside.a");
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    check(machine, &bytes, zig).with_context(|| path.display().to_string())?;
    Ok(bytes)
}

/// Checks what Xcode's linker would need: the library defines every function of the header, its objects are for this
/// machine and no newer iOS than [`MIN_IOS`], and every import is in `libSystem` and, where Apple requires a reason,
/// has its category in the privacy manifest.
fn check(machine: &Machine, library: &[u8], zig: &Path) -> Result<()> {
    let (mut defined, mut imported) = (BTreeSet::new(), BTreeSet::new());
    let archive = ArchiveFile::parse(library)?;
    for member in archive.members() {
        let member = member?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let object = MachOFile64::<Endianness>::parse(member.data(library)?).with_context(|| name.clone())?;
        check_platform(machine, &object).with_context(|| name)?;
        for symbol in object.symbols().filter(|symbol| symbol.is_global() || symbol.is_undefined()) {
            let names = if symbol.is_undefined() { &mut imported } else { &mut defined };
            names.insert(symbol.name()?.to_owned());
        }
    }
    let header = fs::read_to_string(root().join("ios/Sources/BedsideFFI/BedsideFFI.h"))?;
    let declared: Vec<&str> = words(&header).filter(|word| is_function(word)).collect();
    ensure!(declared.len() > 20, "BedsideFFI.h declares {} functions only", declared.len());
    for function in declared {
        ensure!(defined.contains(&format!("_{function}")), "{function} is in BedsideFFI.h and not in the library");
    }

    let list = zig.parent().context("zig lies in a folder")?.join("lib/libc/darwin/libSystem.tbd");
    let system = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    let system: BTreeSet<&str> = words(&system).collect();
    let manifest = fs::read_to_string(root().join("ios/DemoApp/DemoApp/PrivacyInfo.xcprivacy"))?;
    for import in imported.difference(&defined) {
        ensure!(system.contains(import.as_str()), "{import} is imported, and Apple's libSystem does not have it");
        for (category, functions) in REASONED {
            let declared = !functions.contains(&import.as_str()) || manifest.contains(category);
            ensure!(declared, "{import} is imported, and PrivacyInfo.xcprivacy says nothing of {category}");
        }
    }
    Ok(())
}

/// Fails where an object is for another platform, or for a newer iOS than [`MIN_IOS`].
fn check_platform(machine: &Machine, object: &MachOFile64<'_, Endianness>) -> Result<()> {
    let endian = Endianness::Little;
    let (major, minor) = MIN_IOS.split_once('.').context("a version has two parts")?;
    let newest = major.parse::<u32>()? << 16 | minor.parse::<u32>()? << 8;
    let mut platforms = Vec::new();
    let mut commands = object.macho_load_commands()?;
    while let Some(command) = commands.next()? {
        let (platform, minimum) = match command.variant()? {
            LoadCommandVariant::BuildVersion(version, _) => {
                (version.platform.get(endian).0, version.minos.get(endian).0)
            }
            // The load command of objects for devices before iOS 12, which Rust's standard library still has.
            LoadCommandVariant::VersionMin(version) if command.cmd() == LC_VERSION_MIN_IPHONEOS => {
                (PLATFORM_IOS.0, version.version.get(endian).0)
            }
            _ => continue,
        };
        platforms.push(platform);
        ensure!(minimum <= newest, "is for iOS {}.{} and newer", minimum >> 16, minimum >> 8 & 0xff);
    }
    ensure!(platforms == [machine.platform], "is for the platforms {platforms:?}, not for {}", machine.platform);
    Ok(())
}

/// The words of a text, split at every character that no symbol has.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_$.".contains(letter))
        .filter(|word| !word.is_empty())
}

/// Whether a word of the header is the name of one of UniFFI's functions.
fn is_function(word: &str) -> bool {
    let prefixes = ["uniffi_bedside_fn_", "uniffi_bedside_checksum_", "ffi_bedside_"];
    prefixes.iter().any(|prefix| word.starts_with(prefix))
}

/// A fat Mach-O file that holds the libraries of several processors, as `lipo -create` makes it.
fn fat(parts: &[((u32, u32), &Vec<u8>)]) -> Result<Vec<u8>> {
    // The exponent of the alignment: each library begins at a multiple of 2^14 bytes, the largest page size.
    const ALIGNMENT: u32 = 14;
    let aligned = |length: usize| length.next_multiple_of(1 << ALIGNMENT);
    let mut header = [FAT_MAGIC, u32::try_from(parts.len())?].map(u32::to_be_bytes).concat();
    let mut body = Vec::new();
    let start = aligned(header.len() + 20 * parts.len());
    for ((cpu, kind), library) in parts {
        body.resize(aligned(body.len()), 0);
        let (offset, length) = (u32::try_from(start + body.len())?, u32::try_from(library.len())?);
        header.extend([*cpu, *kind, offset, length, ALIGNMENT].map(u32::to_be_bytes).concat());
        body.extend_from_slice(library);
    }
    header.resize(start, 0);
    Ok([header, body].concat())
}

#[cfg(test)]
mod tests {
    use object::Architecture;
    use object::read::macho::MachOFatFile32;

    use super::*;

    #[test]
    fn fat_file_holds_the_library_of_each_processor() {
        let (one, other) = (vec![1_u8; 20_000], vec![2_u8; 5]);
        let file = fat(&[(SIMULATORS[0].cpu, &one), (SIMULATORS[1].cpu, &other)]).expect("small");
        let parsed = MachOFatFile32::parse(&*file).expect("a fat file");
        let parts: Vec<_> = parsed
            .arches()
            .iter()
            .map(|part| {
                (object::read::macho::FatArch::architecture(part), object::read::macho::FatArch::data(part, &*file))
            })
            .collect();
        assert_eq!(parts, [(Architecture::Aarch64, Ok(&one[..])), (Architecture::X86_64, Ok(&other[..]))]);
    }
}
