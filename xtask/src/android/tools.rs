//! The tools and libraries that build and test the Android parts: those of `android/tools/`, in `target/android/tools`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::root;
use crate::step::{Step, require};

/// The tools whose output is shipped, with the SHA-256 of the files that were examined when their versions were pinned.
const CHECKED: [(&str, &str); 3] = [
    ("shrinker/r8-9.5.28.jar", "38a9ffaaebbd17d1514e3ecbff5a85b989bb13c551b9e224c7409514eea84ff5"),
    ("signer/apksig-9.5.0.jar", "7ae2e5980c77d853e3513074ee7c822bbdcdcde1668889d17faa7fe8bc8aa821"),
    ("aapt2", "df312db814c018019b2b79a993b041b738d7b76f4a8f28da25bc874a026368cc"),
];

/// The folder of the tools, with a subfolder for each set of `android/tools`.
pub(crate) struct Tools(PathBuf);

impl Tools {
    /// Fetches all tools, unless those of the present versions are there.
    pub(crate) fn fetch() -> Result<Tools> {
        require("mvn", "Maven 3.8 and a JDK 17")?;
        let tools = Tools(root().join("target/android/tools"));
        let (stamp, wanted) = (tools.0.join("versions"), versions()?);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(tools);
        }
        if tools.0.exists() {
            fs::remove_dir_all(&tools.0)?;
        }
        let folder = format!("-Dbedside.tools={}", tools.0.display());
        Step::new("mvn --batch-mode --quiet --file android/tools/pom.xml package").arg(&folder).run()?;
        tools.unpack()?;
        tools.check_sums()?;
        fs::write(stamp, wanted)?;
        Ok(tools)
    }

    /// The path of the file of a set whose name starts with `start`.
    pub(crate) fn file(&self, set: &str, start: &str) -> Result<String> {
        let found = self.files(set)?.into_iter().find(|path| file_name(path).starts_with(start));
        found.map(|path| path.display().to_string()).with_context(|| format!("no {start} among the tools' {set}"))
    }

    /// The paths of all jars of these sets, separated by colons.
    pub(crate) fn class_path(&self, sets: &[&str]) -> Result<String> {
        let mut jars = Vec::new();
        for set in sets {
            jars.extend(self.files(set)?.iter().filter(|path| is(path, "jar")).map(|path| path.display().to_string()));
        }
        Ok(jars.join(":"))
    }

    /// The path of a set's folder, or of another entry of the tools' folder.
    pub(crate) fn folder(&self, set: &str) -> String {
        self.0.join(set).display().to_string()
    }

    fn files(&self, set: &str) -> Result<Vec<PathBuf>> {
        let folder = self.0.join(set);
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        Ok(files)
    }

    /// Extracts the entries of archives that tools need as files.
    fn unpack(&self) -> Result<()> {
        for set in ["accessibility", "jna-android", "robolectric"] {
            for aar in self.files(set)?.iter().filter(|path| is(path, "aar")) {
                entry(aar, "classes.jar", &aar.with_extension("jar"))?;
            }
        }
        let jna = self.file("jna-android", "jna-5")?.replace(".jar", ".aar");
        for abi in &super::abis::ABIS {
            let library = format!("jni/{}/libjnidispatch.so", abi.name);
            entry(Path::new(&jna), &library, &self.0.join("jna-android").join(&library))?;
        }
        let aapt2 = self.0.join("aapt2");
        entry(Path::new(&self.file("resources", "apktool")?), "prebuilt/linux/aapt2", &aapt2)?;
        fs::set_permissions(&aapt2, fs::Permissions::from_mode(0o755))?;
        self.framework_resources()
    }

    /// Writes `framework-res.apk`, the framework's resources without its classes, which aapt2 links against.
    fn framework_resources(&self) -> Result<()> {
        let mut framework = ZipArchive::new(File::open(self.file("framework", "android-all")?)?)?;
        let mut small = zip::ZipWriter::new(File::create(self.0.join("framework-res.apk"))?);
        for name in ["resources.arsc", "AndroidManifest.xml"] {
            small.raw_copy_file(framework.by_name(name)?)?;
        }
        small.finish()?;
        Ok(())
    }

    fn check_sums(&self) -> Result<()> {
        for (name, wanted) in CHECKED {
            let found = hex(&Sha256::digest(fs::read(self.0.join(name))?));
            ensure!(found == wanted, "{name} has the SHA-256 {found}, which is not what was pinned");
        }
        Ok(())
    }
}

/// The text of all POMs of `android/tools`, which list what is fetched.
fn versions() -> Result<String> {
    let folder = root().join("android/tools");
    let mut poms = vec![folder.join("pom.xml")];
    for entry in fs::read_dir(&folder)? {
        let pom = entry?.path().join("pom.xml");
        if pom.is_file() {
            poms.push(pom);
        }
    }
    poms.sort();
    poms.iter().map(|pom| fs::read_to_string(pom).with_context(|| pom.display().to_string())).collect()
}

/// Copies one entry of an archive to a file.
fn entry(archive: &Path, name: &str, to: &Path) -> Result<()> {
    let mut archive_file = ZipArchive::new(File::open(archive)?)?;
    let mut bytes = Vec::new();
    let read = archive_file.by_name(name).map(|mut entry| entry.read_to_end(&mut bytes));
    read.with_context(|| format!("{}: {name}", archive.display()))??;
    fs::create_dir_all(to.parent().context("a file in a folder")?)?;
    File::create(to)?.write_all(&bytes)?;
    Ok(())
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
