//! The app's tests under Robolectric, with real models and the library of this machine.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::compile::{clear, folder, java, kotlin, libraries, out, sources};
use super::package::{APP_RULES, RULES};
use super::tools::Tools;
use crate::root;
use crate::step::{Step, jdk};

/// The Androids that tests run on.
const APIS: &str = "24,26,34,35";
const TESTS: &str = "android/app/src/test";
/// Draws the screens into the folder that the property `bedside.screenshots` names.
const DRAWING: &str = "dev.bedside.demo.ScreenshotsTest";
const PICTURES: &str = "docs/screenshots/android";

pub(crate) fn test(tools: &Tools) -> Result<()> {
    let tests = compile(tools)?;
    let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
    run(tools, &format!("{}:{}", out("app"), out("library")), &tests, &out("screenshots"))?;
    shrink(tools)?;
    run(tools, &out("shrunk.jar"), &tests, &out("screenshots-shrunk"))?;
    same(&folder().join("screenshots"), &folder().join("screenshots-shrunk"))
}

pub(crate) fn draw(tools: &Tools) -> Result<()> {
    compile(tools)?;
    let to = root().join(PICTURES).display().to_string();
    run(tools, &format!("{}:{}", out("app"), out("library")), &[DRAWING], &to)
}

/// Compiles the tests and gives the names of their classes.
fn compile(tools: &Tools) -> Result<Vec<String>> {
    clear("test")?;
    let stubs = format!("{TESTS}/java");
    java(&[&stubs], &libraries(tools)?, "test")?;
    let app = format!("{}:{}:{}", out("test"), out("app"), out("library"));
    let against = format!("{app}:{}:{}", tools.class_path(&["robolectric", "accessibility"])?, libraries(tools)?);
    let kotlin_sources = format!("{TESTS}/kotlin");
    kotlin(tools, &[&kotlin_sources], &against, "test", &["-Xfriend-paths", &out("app")])?;
    let properties = folder().join("test/com/android/tools");
    fs::create_dir_all(&properties)?;
    fs::write(
        properties.join("test_config.properties"),
        format!(
            "android_resource_apk={}\nandroid_merged_manifest={}\nandroid_custom_package=dev.bedside.demo\n",
            out("resources.apk"),
            out("app.xml")
        ),
    )?;
    let mut files = Vec::new();
    sources(&root().join(TESTS).join("kotlin"), "kt", &mut files)?;
    let names =
        files.iter().filter_map(|file| Path::new(file).file_stem()?.to_str()?.strip_suffix("Test").map(str::to_owned));
    let tests: Vec<String> = names.map(|name| format!("dev.bedside.demo.{name}Test")).collect();
    ensure!(!tests.is_empty(), "{TESTS} holds no tests");
    Ok(tests)
}

/// Runs tests of the app in these classes; pictures of the screens go to `pictures`.
fn run(tools: &Tools, app: &str, tests: &[&str], pictures: &str) -> Result<()> {
    fs::create_dir_all(pictures)?;
    let class_path = format!(
        "{app}:{}:{}:{}",
        out("test"),
        tools.class_path(&["robolectric", "accessibility", "libraries"])?,
        tools.file("framework", "android-all")?
    );
    let release = root().join("target/release").display().to_string();
    let properties = [
        format!("-Djna.library.path={release}"),
        format!("-Dbedside.library.dir={release}"),
        format!("-Dbedside.root={}", root().display()),
        format!("-Dbedside.screenshots={pictures}"),
        "-Drobolectric.offline=true".into(),
        format!("-Drobolectric.dependency.dir={}", tools.folder("frameworks")),
        format!("-Drobolectric.enabledSdks={APIS}"),
        "-Drobolectric.pixelCopyRenderMode=hardware".into(),
    ];
    let step = properties.iter().fold(Step::new("java -Xmx2g"), |step, property| step.arg(property));
    let step = step.arg("-cp").arg(&class_path).arg("org.junit.runner.JUnitCore");
    tests.iter().fold(step, |step, test| step.arg(test)).run().map(drop)
}

/// `shrunk.jar`: what R8 leaves of app and library, as class files, which a JVM can run.
fn shrink(tools: &Tools) -> Result<()> {
    let (shrinker, to, jdk) = (tools.class_path(&["shrinker"])?, out("shrunk.jar"), jdk()?);
    let rules = folder().join("shrunk.pro");
    // Tests call the app by its names.
    fs::write(&rules, "-dontobfuscate\n-keep class dev.bedside.demo.R$* { *; }\n")?;
    let (rules, resources) = (rules.display().to_string(), out("resources.pro"));
    let against = libraries(tools)?;
    let step = Step::new("java -Xmx1500m -cp").arg(&shrinker).arg("com.android.tools.r8.R8").arg("--release");
    let step = step.arg("--classfile").arg("--lib").arg(&jdk);
    let step = against.split(':').fold(step, |step, library| step.arg("--lib").arg(library));
    let step = RULES.iter().fold(step, |step, file| step.arg("--pg-conf").arg(file));
    let step = step.arg("--pg-conf").arg(APP_RULES).arg("--pg-conf").arg(&resources).arg("--pg-conf").arg(&rules);
    let (app, library) = (out("app.jar"), out("library.jar"));
    step.arg("--output").arg(&to).arg(&app).arg(&library).quiet("already exists").run().map(drop)
}

/// Fails where a screen of the shrunk app looks different.
fn same(one: &Path, other: &Path) -> Result<()> {
    let mut count = 0;
    for entry in fs::read_dir(one)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_owned();
        ensure!(fs::read(&path)? == fs::read(other.join(&name))?, "{} differs once shrunk", name.display());
        count += 1;
    }
    ensure!(count > 0, "no screens were drawn");
    Ok(())
}
