//! Packs class files, native libraries and resources into the AAR and the signed APKs.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::abis::{self, ABIS};
use super::folders::{app_natives, folder, natives, out};
use super::tools::Tools;
use crate::r8::RULES;
use crate::r8::Shrink;
use crate::root;
use crate::step::{Step, jdk};

/// The app's keep rules for R8.
pub(crate) const APP_RULES: &str = "android/app/proguard-rules.pro";

/// The password of the key that [`key`] makes, which signs APKs for tests only.
const PASSWORD: &str = "android";

/// Writes `library.jar` and `app.jar`.
pub(crate) fn jars() -> Result<()> {
    for name in ["library", "app"] {
        let mut jar = Archive::create(&format!("{name}.jar"))?;
        jar.add_folder("", &folder().join(name), CompressionMethod::Deflated)?;
        jar.finish()?;
    }
    Ok(())
}

/// Writes `bedside.aar`.
pub(crate) fn aar() -> Result<()> {
    let mut aar = Archive::create("bedside.aar")?;
    aar.add("AndroidManifest.xml", &fs::read(folder().join("library.xml"))?, CompressionMethod::Deflated)?;
    aar.add("classes.jar", &fs::read(folder().join("library.jar"))?, CompressionMethod::Deflated)?;
    aar.add("R.txt", b"", CompressionMethod::Stored)?;
    let mut rules = Vec::new();
    for file in RULES {
        rules.extend(fs::read(root().join(file)).with_context(|| file)?);
    }
    aar.add("proguard.txt", &rules, CompressionMethod::Deflated)?;
    aar.add_folder("jni/", &natives(), CompressionMethod::Deflated)?;
    aar.finish()
}

/// Writes `dex.zip`, which holds `classes.dex`: the app, the library and their dependencies, shrunk by R8.
pub(crate) fn dex(tools: &Tools) -> Result<()> {
    let (shrinker, map) = (tools.class_path(&["shrinker"])?, out("mapping.txt"));
    let minimum = abis::MIN_API.to_string();
    let (framework, resources) = (tools.file("framework", "android-all")?, out("resources.pro"));
    let (app, library, others) = (out("app.jar"), out("library.jar"), tools.class_path(&["libraries"])?);
    Shrink {
        r8: &shrinker,
        options: &["--min-api", &minimum, "--pg-map-output", &map],
        // The framework's jar lacks most of the package `java`, so the JDK is used too. Lint reports classes of the JDK
        // that Android lacks.
        libraries: &[&framework, &jdk()?],
        rules: &[APP_RULES, &resources],
        inputs: &others.split(':').chain([app.as_str(), library.as_str()]).collect::<Vec<_>>(),
        output: &out("dex.zip"),
    }
    .run()
}

/// Writes `bedside-ABI.apk` for each ABI, and `bedside-universal.apk`, signed with a key for tests.
pub(crate) fn apks(tools: &Tools) -> Result<()> {
    let key = key()?;
    let all: Vec<&str> = ABIS.iter().map(|abi| abi.name).collect();
    let one_each = ABIS.iter().map(|abi| (abi.name, vec![abi.name]));
    for (name, holds) in one_each.chain([("universal", all)]) {
        let (unsigned, signed) = (format!("bedside-{name}.unsigned.apk"), out(&format!("bedside-{name}.apk")));
        apk(tools, &unsigned, &holds)?;
        let (tool, unsigned) = (tools.class_path(&["signer"])?, out(&unsigned));
        let step = Step::new("java -cp").arg(&tool).arg("android/tools/Sign.java").arg(&key).arg(PASSWORD);
        step.arg("bedside").arg(&unsigned).arg(&signed).run()?;
        fs::remove_file(&unsigned)?;
        eprintln!("{signed}: {:.1} MB", fs::metadata(&signed)?.len() as f64 / 1e6);
    }
    Ok(())
}

fn apk(tools: &Tools, name: &str, abis: &[&str]) -> Result<()> {
    let mut apk = Archive::create(name)?;
    apk.add_archive(&folder().join("resources.apk"), |_| true)?;
    // Of the other entries, only those that service loaders read at run time are needed.
    apk.add_archive(&folder().join("dex.zip"), |name| {
        name.starts_with("classes") || name.starts_with("META-INF/services/")
    })?;
    for abi in abis {
        let jna = Path::new(&tools.folder("jna-android")).join("jni").join(abi).join("libjnidispatch.so");
        for library in [app_natives().join(abi).join("libbedside.so"), jna] {
            let file = library.file_name().context("a library has a name")?.to_string_lossy().into_owned();
            // Stored uncompressed, so that Android maps it from the APK instead of unpacking a second copy.
            apk.add(&format!("lib/{abi}/{file}"), &fs::read(&library)?, CompressionMethod::Stored)?;
        }
    }
    apk.finish()
}

/// The path of the key store for tests, which is made where it is missing.
fn key() -> Result<String> {
    let key = out("key.p12");
    if !Path::new(&key).exists() {
        let words = "-genkeypair -storetype PKCS12 -alias bedside -keyalg EC -groupname secp256r1 -validity 10000";
        let step = Step::new("keytool").words(words).arg("-dname").arg("CN=to try the app with");
        step.arg("-storepass").arg(PASSWORD).arg("-keystore").arg(&key).run()?;
    }
    Ok(key)
}

/// A zip file whose bytes depend on its content only.
struct Archive(ZipWriter<File>);

impl Archive {
    fn create(name: &str) -> Result<Archive> {
        let path = folder().join(name);
        Ok(Archive(ZipWriter::new(File::create(&path).with_context(|| path.display().to_string())?)))
    }

    fn add(&mut self, name: &str, content: &[u8], method: CompressionMethod) -> Result<()> {
        let options =
            SimpleFileOptions::default().compression_method(method).last_modified_time(zip::DateTime::default());
        self.0.start_file(name, options)?;
        std::io::Write::write_all(&mut self.0, content)?;
        Ok(())
    }

    /// Adds all files below a folder, in order, under a prefix that is empty or ends with a slash.
    fn add_folder(&mut self, prefix: &str, folder: &Path, method: CompressionMethod) -> Result<()> {
        let mut entries: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        for path in entries {
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                self.add_folder(&format!("{name}/"), &path, method)?;
            } else {
                self.add(&name, &fs::read(&path)?, method)?;
            }
        }
        Ok(())
    }

    /// Copies the wanted entries of another archive without recompressing them.
    fn add_archive(&mut self, path: &Path, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let mut archive = ZipArchive::new(File::open(path).with_context(|| path.display().to_string())?)?;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index)?;
            if wanted(&entry.name()?) {
                self.0.raw_copy_file(entry)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        self.0.finish()?;
        Ok(())
    }
}
