//! Compiles sources to class files and resources: the library, then the app.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::abis::{MIN_API, TARGET_API};
use super::folders::{clear, out};
use super::tools::Tools;
use crate::prepared;
use crate::root;
use crate::step::Step;

/// The folders of the library's Kotlin sources; most are those of the library for the JVM.
const LIBRARY_KOTLIN: [&str; 3] =
    ["bindings/kotlin/src/generated/kotlin", "bindings/kotlin/src/main/kotlin", "android/bedside/src/main/kotlin"];
/// The folders of the library's Java sources.
const LIBRARY_JAVA: [&str; 2] = ["bindings/java/src/main/java", "android/bedside/src/main/java"];

/// The class path that the library and the app are compiled against.
pub(crate) fn libraries(tools: &Tools) -> Result<String> {
    tools.class_path(&["libraries", "framework"])
}

/// Compiles the library's classes into `library/`, and writes its manifest, `library.xml`.
pub(crate) fn library(tools: &Tools) -> Result<()> {
    clear("library")?;
    let against = libraries(tools)?;
    let sources: Vec<&str> = LIBRARY_KOTLIN.iter().chain(&LIBRARY_JAVA).copied().collect();
    kotlin(tools, &sources, &against, "library", "-jvm-target 1.8 -module-name bedside")?;
    java(&LIBRARY_JAVA, &format!("{}:{against}", out("library")), "library")?;
    let (manifest, merged) = (path("android/bedside/src/main/AndroidManifest.xml"), out("library.xml"));
    merge(tools, &["--main", &manifest, "--out", &merged], "dev.bedside")
}

/// Compiles the app's classes into `app/`, and writes `resources.apk` and the merged manifest, `app.xml`.
pub(crate) fn app(tools: &Tools, version: &str) -> Result<()> {
    clear("app")?;
    let (manifest, library, merged) =
        (path("android/app/src/main/AndroidManifest.xml"), out("library.xml"), out("app.xml"));
    let (target, name) = (format!("TARGET_SDK_VERSION={TARGET_API}"), format!("VERSION_NAME={version}"));
    let properties = ["--property", &target, "--property", "VERSION_CODE=1", "--property", &name];
    // The Android Gradle plugin does the same where native libraries are stored uncompressed.
    let overlay = out("overlay.xml");
    fs::write(
        &overlay,
        "<manifest xmlns:android=\"http://schemas.android.com/apk/res/android\">\n  \
         <application android:extractNativeLibs=\"false\" />\n</manifest>\n",
    )?;
    let files = ["--main", &manifest, "--overlays", &overlay, "--libs", &library, "--out", &merged];
    let arguments = [&files[..], &properties].concat();
    merge(tools, &arguments, "dev.bedside.demo")?;
    resources(tools)?;
    let against = format!("{}:{}:{}", out("app"), out("library"), libraries(tools)?);
    java(&[&out("generated")], &against, "app")?;
    kotlin(tools, &["android/app/src/main/kotlin"], &against, "app", "-jvm-target 1.8 -module-name app")
}

/// Packs resources and prepared models into `resources.apk`, and generates the Java class `R` and the keep rules of resources.
fn resources(tools: &Tools) -> Result<()> {
    clear("generated")?;
    let assets = prepared::models()?.display().to_string();
    let (aapt2, compiled, packed) = (tools.folder("aapt2"), out("resources.zip"), out("resources.apk"));
    let (resources, manifest) = (path("android/app/src/main/res"), out("app.xml"));
    Step::new(&aapt2).arg("compile").arg("--dir").arg(&resources).arg("-o").arg(&compiled).run()?;
    Step::new(&aapt2)
        .arg("link")
        .arg("-I")
        .arg(&tools.folder("framework-res.apk"))
        .arg("--manifest")
        .arg(&manifest)
        .arg("--java")
        .arg(&out("generated"))
        .arg("--proguard")
        .arg(&out("resources.pro"))
        .arg("-A")
        .arg(&assets)
        .arg("-o")
        .arg(&packed)
        .arg(&compiled)
        // aapt2 warns about each file of the framework, because `framework-res.apk` leaves them out.
        .quiet("is a file reference to")
        .run()
        .map(drop)
}

/// Compiles Kotlin sources against a class path into the folder `to`. `flags` must name the Java version, which the
/// framework's jar does not determine.
pub(crate) fn kotlin(tools: &Tools, sources: &[&str], against: &str, to: &str, flags: &str) -> Result<()> {
    let (compiler, to) = (tools.class_path(&["kotlin"])?, out(to));
    let step = Step::new("java -Xmx1g -cp").arg(&compiler).arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
    // The framework's jar marks results as nullable that the real one does not.
    let step = step.words("-no-stdlib -no-reflect -Xnullability-annotations=@android.annotation:ignore").words(flags);
    let step = step.arg("-cp").arg(against).arg("-d").arg(&to);
    sources.iter().fold(step, |step, source| step.arg(source)).run().map(drop)
}

/// Compiles the Java sources below these folders, for Java 8.
pub(crate) fn java(folders: &[&str], against: &str, to: &str) -> Result<()> {
    let mut files = Vec::new();
    for folder in folders {
        sources(&root().join(folder), "java", &mut files)?;
    }
    let to = out(to);
    let step = Step::new("javac --release 8 -Xlint:-options -encoding UTF-8 -nowarn");
    let step = step.arg("-cp").arg(against).arg("-d").arg(&to);
    files.iter().fold(step, |step, file| step.arg(file)).run().map(drop)
}

/// Merges manifests, as the Android Gradle plugin does.
fn merge(tools: &Tools, arguments: &[&str], package: &str) -> Result<()> {
    let (merger, package) = (tools.class_path(&["merger"])?, format!("PACKAGE={package}"));
    let minimum = format!("MIN_SDK_VERSION={MIN_API}");
    let step = Step::new("java -cp").arg(&merger).arg("com.android.manifmerger.Merger");
    let step = arguments.iter().fold(step, |step, argument| step.arg(argument));
    step.arg("--property").arg(&package).arg("--property").arg(&minimum).run().map(drop)
}

/// Adds the paths of all files with this extension below a folder to `found`, in order.
pub(crate) fn sources(folder: &Path, extension: &str, found: &mut Vec<String>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, extension, found)?;
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path.display().to_string());
        }
    }
    Ok(())
}

/// A path below the workspace's folder, as an argument.
fn path(name: &str) -> String {
    root().join(name).display().to_string()
}
