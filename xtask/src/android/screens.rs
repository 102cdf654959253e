//! Runs the app's tests under Robolectric, with the shipped models and this machine's library.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::compile::{java, kotlin, libraries, sources};
use super::folders::{clear, folder, out};
use super::package::APP_RULES;
use super::tools::Tools;
use crate::bindings::built;
use crate::r8::Shrink;
use crate::root;
use crate::step::{Step, jdk};

/// The maximum API level of the tests. A JVM can load a native library for one API level only, so each level has its
/// own run.
const NEWEST: &str = "35";
/// The minimum API level of the tests.
const OLDEST: &str = "24";
/// The folder of the tests' sources.
const TESTS: &str = "android/app/src/test";
/// The test that draws the screens into the folder that the property `bedside.screenshots` names.
const DRAWING: &str = "dev.bedside.demo.ScreenshotsTest";
/// The test of the functions that the library has on Android only.
const LIBRARY: &str = "dev.bedside.demo.LibraryTest";
/// The folder of the committed pictures of screens.
const PICTURES: &str = "docs/screenshots/android";

/// Runs all tests on [`NEWEST`], and those of the library on [`OLDEST`].
pub(crate) fn test(tools: &Tools) -> Result<()> {
    compile(tools)?;
    clear("screenshots")?;
    run(tools, &as_compiled(), NEWEST, &tests()?, &out("screenshots"))?;
    // The drawing test passes without drawing where the folder is missing.
    let drawn = fs::read_dir(folder().join("screenshots"))?.count();
    ensure!(drawn > 0, "{DRAWING} drew no screen");
    run(tools, &as_compiled(), OLDEST, &[LIBRARY.to_owned()], &out("screenshots"))
}

/// Runs all tests on the shrunk classes, and compares the screens with those of `test`, which must have run before.
pub(crate) fn test_shrunk(tools: &Tools) -> Result<()> {
    shrink(tools)?;
    clear("screenshots-shrunk")?;
    run(tools, &out("shrunk.jar"), NEWEST, &tests()?, &out("screenshots-shrunk"))?;
    compare(&folder().join("screenshots"), &folder().join("screenshots-shrunk"))
}

/// Draws the screens into [`PICTURES`].
pub(crate) fn draw(tools: &Tools) -> Result<()> {
    compile(tools)?;
    let pictures = root().join(PICTURES);
    if pictures.exists() {
        fs::remove_dir_all(&pictures)?;
    }
    fs::create_dir_all(&pictures)?;
    run(tools, &as_compiled(), NEWEST, &[DRAWING.to_owned()], &pictures.display().to_string())
}

/// The class path of the app and the library as compiled, not shrunk.
fn as_compiled() -> String {
    format!("{}:{}", out("app"), out("library"))
}

/// Compiles the tests, and writes the properties file that names the app's resources to Robolectric.
fn compile(tools: &Tools) -> Result<()> {
    clear("test")?;
    let stubs = format!("{TESTS}/java");
    java(&[&stubs], &libraries(tools)?, "test")?;
    let app = format!("{}:{}:{}", out("test"), out("app"), out("library"));
    let against = format!("{app}:{}:{}", tools.class_path(&["robolectric", "accessibility"])?, libraries(tools)?);
    let kotlin_sources = format!("{TESTS}/kotlin");
    // Tests may use the app's internal declarations.
    let flags = format!("-jvm-target 17 -nowarn -Xfriend-paths={}", out("app"));
    kotlin(tools, &[&kotlin_sources], &against, "test", &flags)?;
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
    Ok(())
}

/// The names of the test classes.
fn tests() -> Result<Vec<String>> {
    let mut files = Vec::new();
    sources(&root().join(TESTS).join("kotlin"), "kt", &mut files)?;
    let names =
        files.iter().filter_map(|file| Path::new(file).file_stem()?.to_str()?.strip_suffix("Test").map(str::to_owned));
    let tests: Vec<String> = names.map(|name| format!("dev.bedside.demo.{name}Test")).collect();
    ensure!(!tests.is_empty(), "{TESTS} holds no tests");
    Ok(tests)
}

/// Runs those tests that ask for API level `api`, on the classes `app`. Pictures of the screens go to the folder
/// `pictures`.
fn run(tools: &Tools, app: &str, api: &str, tests: &[String], pictures: &str) -> Result<()> {
    let class_path = format!(
        "{app}:{}:{}:{}",
        out("test"),
        tools.class_path(&["robolectric", "accessibility", "libraries"])?,
        tools.file("framework", "android-all")?
    );
    let built = built().display().to_string();
    let properties = [
        format!("-Djna.library.path={built}"),
        format!("-Dbedside.library.dir={built}"),
        format!("-Dbedside.root={}", root().display()),
        format!("-Dbedside.screenshots={pictures}"),
        format!("-Dbedside.command={built}/bedside"),
        // Robolectric's ParcelFileDescriptor reads a file descriptor's number.
        "--add-opens=java.base/java.io=ALL-UNNAMED".into(),
        "-Drobolectric.offline=true".into(),
        format!("-Drobolectric.dependency.dir={}", tools.folder("frameworks")),
        format!("-Drobolectric.enabledSdks={api}"),
        "-Drobolectric.pixelCopyRenderMode=hardware".into(),
    ];
    let step = properties.iter().fold(Step::new("java -Xmx2g"), |step, property| step.arg(property));
    let step = step.arg("-cp").arg(&class_path).arg("org.junit.runner.JUnitCore");
    tests.iter().fold(step, |step, test| step.arg(test)).run().map(drop)
}

/// Writes `shrunk.jar`: the app and the library, shrunk by R8 to class files, which a JVM can run. Declarations that
/// the tests refer to are kept.
fn shrink(tools: &Tools) -> Result<()> {
    let (shrinker, to, jdk) = (tools.class_path(&["shrinker"])?, out("shrunk.jar"), jdk()?);
    let (app, library, tests, resources) = (out("app.jar"), out("library.jar"), out("test.jar"), out("resources.pro"));
    let (used, against) = (out("used-by-tests.pro"), libraries(tools)?);
    let annotations = tools.file("kotlin", "annotations-")?;
    let with_tests = tools.class_path(&["robolectric", "accessibility"])?;
    let rules = out("shrunk.pro");
    fs::write(&rules, "-dontobfuscate\n-keep class dev.bedside.demo.R$* { *; }\n")?;
    Step::new("jar --create --file").arg(&tests).arg("-C").arg(&out("test")).arg(".").run()?;

    let class = "com.android.tools.r8.tracereferences.TraceReferences";
    let mut step = Step::new("java -Xmx1500m -cp").arg(&shrinker).arg(class).arg("--keep-rules");
    for library in against.split(':').chain([jdk.as_str()]).chain(with_tests.split(':')).chain([annotations.as_str()]) {
        step = step.arg("--lib").arg(library);
    }
    let step = step.arg("--target").arg(&app).arg("--target").arg(&library).arg("--source").arg(&tests);
    step.arg("--output").arg(&used).run()?;

    Shrink {
        r8: &shrinker,
        options: &["--classfile"],
        libraries: &against.split(':').chain([jdk.as_str()]).collect::<Vec<_>>(),
        rules: &[APP_RULES, &resources, &rules, &used],
        inputs: &[&app, &library],
        output: &to,
    }
    .run()
}

/// Fails where a screen of the shrunk app looks different, or where only one of both apps has it.
fn compare(one: &Path, other: &Path) -> Result<()> {
    let mut count = 0;
    ensure!(fs::read_dir(one)?.count() == fs::read_dir(other)?.count(), "the shrunk app has other screens");
    for entry in fs::read_dir(one)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_owned();
        ensure!(fs::read(&path)? == fs::read(other.join(&name))?, "{} differs once shrunk", name.display());
        count += 1;
    }
    ensure!(count > 0, "no screens were drawn");
    Ok(())
}
