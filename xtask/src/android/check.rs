//! Checks of the library and the app by Android's own tools and rules.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::symlink;

use anyhow::{Context, Result, ensure};
use zip::{CompressionMethod, ZipArchive};

use super::abis::{ABIS, MIN_API, TARGET_API};
use super::compile::{libraries, sources};
use super::folders::{folder, out};
use super::tools::Tools;
use crate::root;
use crate::step::Step;

/// The maximum size of an APK for one ABI, with all models, in bytes.
const MAX_APK_BYTES: u64 = 20_000_000;

/// Fails where the library refers to a class or method that the minimum API level lacks. The app may refer to such,
/// after a check of the API level, which lint understands.
pub(crate) fn min_sdk(tools: &Tools) -> Result<()> {
    let checker = tools.class_path(&["sniffer"])?;
    let signature = tools.file("sniffer", "gummy-bears")?;
    let (library, others) = (out("library.jar"), tools.class_path(&["libraries"])?);
    let step = Step::new("java -cp").arg(&checker).arg("android/tools/MinSdk.java").arg(&signature).arg(&library);
    others.split(':').fold(step, Step::arg).run().map(drop)
}

/// Runs Android lint, and fails on errors and warnings.
pub(crate) fn lint(tools: &Tools) -> Result<()> {
    let sdk = folder().join("sdk");
    let platform = sdk.join("platforms/android-35");
    super::folders::clear("sdk/platforms/android-35")?;
    symlink(tools.file("framework", "android-all")?, platform.join("android.jar"))?;
    fs::write(
        platform.join("source.properties"),
        "Pkg.Desc=Android SDK Platform 15\nPlatform.Version=15\nPkg.Revision=2\nAndroidVersion.ApiLevel=35\n\
         Layoutlib.Api=15\nLayoutlib.Revision=1\n",
    )?;
    fs::write(platform.join("build.prop"), "ro.build.version.sdk=35\n")?;
    // Lint expects the class `R` apart from the app's own classes.
    let resources = out("resources.jar");
    let mut step = Step::new("jar --create --file").arg(&resources);
    let (classes, names) = (out("app"), resource_classes()?);
    for name in &names {
        step = step.arg("-C").arg(&classes).arg(name);
    }
    step.run()?;
    // Not named `lint.xml`, which lint would read as its settings.
    let (project, linter) = (out("lint-project.xml"), tools.class_path(&["lint"])?);
    fs::write(&project, lint_project(tools)?)?;
    let sdk = sdk.display().to_string();
    Step::new("java -Xmx2g -cp")
        .arg(&linter)
        .arg("com.android.tools.lint.Main")
        .arg("--project")
        .arg(&project)
        .arg("--sdk-home")
        .arg(&sdk)
        .arg("--offline")
        .arg("--exitcode")
        .arg("-Werror")
        // The merged manifest has the version; the source manifest does not.
        .arg("--disable")
        .arg("MissingVersion")
        .run()
        .map(drop)
}

/// The description of the app that lint reads, as the Android Gradle plugin writes it.
fn lint_project(tools: &Tools) -> Result<String> {
    let app = root().join("android/app");
    let main = app.join("src/main");
    let mut kotlin = Vec::new();
    sources(&main.join("kotlin"), "kt", &mut kotlin)?;
    let mut project = format!("<project><sdk dir=\"{}\"/><root dir=\"{}\"/>\n", out("sdk"), app.display());
    let sdks =
        format!("compile-sdk-version=\"{TARGET_API}\" minSdkVersion=\"{MIN_API}\" targetSdkVersion=\"{TARGET_API}\"");
    writeln!(project, "<module name=\"app\" android=\"true\" library=\"false\" {sdks} desugar=\"full\">")?;
    writeln!(project, "<manifest file=\"{}\"/>", main.join("AndroidManifest.xml").display())?;
    writeln!(project, "<merged-manifest file=\"{}\"/>", out("app.xml"))?;
    writeln!(project, "<resource file=\"{}\"/>", main.join("res").display())?;
    for file in kotlin {
        writeln!(project, "<src file=\"{file}\"/>")?;
    }
    writeln!(project, "<classes dir=\"{}\"/><classpath jar=\"{}\"/>", out("app"), out("library.jar"))?;
    for jar in libraries(tools)?.split(':').chain([out("resources.jar").as_str()]) {
        writeln!(project, "<classpath jar=\"{jar}\"/>")?;
    }
    Ok(project + "</module></project>\n")
}

/// The class files of `R`, relative to the folder of the app's classes.
fn resource_classes() -> Result<Vec<String>> {
    let package = "dev/bedside/demo";
    let mut names = Vec::new();
    for entry in fs::read_dir(folder().join("app").join(package))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == "R.class" || name.starts_with("R$") {
            names.push(format!("{package}/{name}"));
        }
    }
    Ok(names)
}

/// Checks the size, the ABIs, the manifest and the models of the finished APKs, and that their libraries can be mapped.
pub(crate) fn apks(tools: &Tools) -> Result<()> {
    for abi in &ABIS {
        let (apk, badging) = badging(tools, abi.name)?;
        let bytes = fs::metadata(&apk)?.len();
        ensure!(bytes <= MAX_APK_BYTES, "{apk}: {bytes} bytes, more than {MAX_APK_BYTES}");
        ensure!(badging.contains(&format!("native-code: '{}'", abi.name)), "{apk}: is not for {} alone", abi.name);
    }
    let (apk, badging) = badging(tools, "universal")?;
    for abi in &ABIS {
        ensure!(badging.contains(&format!("'{}'", abi.name)), "{apk}: lacks {}", abi.name);
    }
    Ok(())
}

/// The models that the app opens, by their paths among its assets.
fn models() -> Result<Vec<String>> {
    let path = root().join("android/app/src/main/kotlin/dev/bedside/demo/Task.kt");
    let source = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let names = source.lines().filter_map(|line| line.trim().strip_prefix("model = \"")?.strip_suffix("\","));
    let names: Vec<String> = names.map(str::to_owned).collect();
    ensure!(!names.is_empty(), "{}: names no model", path.display());
    Ok(names)
}

/// The path of an APK and aapt2's description of it. Fails where a check that holds for every APK fails.
fn badging(tools: &Tools, name: &str) -> Result<(String, String)> {
    let (aapt2, apk) = (tools.folder("aapt2"), out(&format!("bedside-{name}.apk")));
    let badging = Step::new(&aapt2).arg("dump").arg("badging").arg(&apk).output()?;
    ensure!(!badging.contains("uses-permission"), "{apk}: asks for a permission");
    let sdks = [format!("minSdkVersion:'{MIN_API}'"), format!("targetSdkVersion:'{TARGET_API}'")];
    for wanted in sdks.iter().map(String::as_str).chain(["application-label-uk:"]) {
        ensure!(badging.contains(wanted), "{apk}: lacks {wanted}");
    }
    let manifest = Step::new(&aapt2).words("dump xmltree --file AndroidManifest.xml").arg(&apk).output()?;
    let stored = manifest.lines().any(|line| line.contains("extractNativeLibs") && line.ends_with("=false"));
    ensure!(stored, "{apk}: a phone would unpack its libraries");
    let mut archive = ZipArchive::new(File::open(&apk)?)?;
    for model in models()? {
        ensure!(archive.by_name(&format!("assets/{model}")).is_ok(), "{apk}: lacks {model}, which the app opens");
    }
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        let name = entry.name()?.into_owned();
        let start = entry.data_start().context("a file in an archive begins somewhere")?;
        let mapped = entry.compression() == CompressionMethod::Stored && start % 16384 == 0;
        ensure!(!name.starts_with("lib/") || mapped, "{apk}: {name} can't be mapped where it lies");
    }
    Ok((apk, badging))
}
