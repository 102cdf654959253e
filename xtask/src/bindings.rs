//! `libbedside` and its bindings: builds the library and checks its symbols, compares the generated sources with the
//! committed ones, tests C, Kotlin and Java, and makes the Maven repository that apps build from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::skipped::{Skips, forget_reports};
use crate::step::{Step, require, tool};
use crate::versions::VERSION;
use crate::{c, consumer, root, uniffi_fixes};

/// The native library's file name.
const LIBRARY: &str = if cfg!(target_os = "macos") { "libbedside.dylib" } else { "libbedside.so" };
/// The library's folder inside a jar, by JNA's names of platforms.
const PLATFORM: &str = match (cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
    (false, false) => "linux-x86-64",
    (false, true) => "linux-aarch64",
    (true, false) => "darwin-x86-64",
    (true, true) => "darwin-aarch64",
};

/// The files that UniFFI generates: the path below its output folder, and the path of the committed file.
const GENERATED: [(&str, &str); 3] = [
    ("dev/bedside/bedside.kt", "bindings/kotlin/src/generated/kotlin/dev/bedside/bedside.kt"),
    ("Bedside.swift", "ios/Sources/Bedside/Generated/Bedside.swift"),
    ("BedsideFFI.h", "ios/Sources/BedsideFFI/BedsideFFI.h"),
];

/// The objects that UniFFI exports; every other type is passed by value.
const OBJECTS: [&str; 3] = ["CancelHandle", "Classifier", "Image"];

/// Regenerates the committed sources.
pub(crate) fn write() -> Result<()> {
    let folder = generate(&shipped()?)?;
    for (name, path) in GENERATED {
        let path = root().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder"))?;
        fs::copy(folder.join(name), &path).with_context(|| format!("{}: not written", path.display()))?;
    }
    c::write()
}

/// Builds the libraries, checks their symbols and the generated sources, and runs the tests of C, Kotlin and Java.
pub(crate) fn test(skips: &mut Skips) -> Result<()> {
    require("mvn", "Maven 3.8 and a JDK 17; on Debian: apt-get install maven openjdk-17-jdk-headless")?;
    let panicking = test_c()?;
    check_generated(&built().join(LIBRARY))?;
    forget_reports()?;
    maven(&["verify"])?;
    skips.read_reports()?;
    let folder = format!("-Dbedside.library.dir={}", panicking.display());
    maven(&["verify", &folder, "-Dbedside.test.panic=true", "-Dtest=*Panic*"])?;
    skips.read_reports()
}

/// Builds the libraries, checks their symbols, and runs the tests of C. Returns the folder of the library that has the
/// switches that provoke panics.
pub(crate) fn test_c() -> Result<PathBuf> {
    let panicking = panicking()?;
    ensure!(probes(&exported(&panicking)?) == 2, "the test's library lacks the switches that provoke panics");
    shipped()?;
    let folder = panicking.parent().expect("a file in a folder");
    c::test(folder)?;
    Ok(folder.to_owned())
}

/// Puts jars, sources, documentation and checksums into `target/maven-repository`, and runs the quickstarts from it.
pub(crate) fn publish() -> Result<()> {
    require("mvn", "Maven 3.8 and a JDK 17")?;
    shipped()?;
    let repository = root().join("target/maven-repository");
    if repository.exists() {
        fs::remove_dir_all(&repository)?;
    }
    let to = format!("-DaltDeploymentRepository=local::file:{}", repository.display());
    maven(&["deploy", "-DskipTests", &to])?;
    let documented = format!("dev/bedside/bedside-kotlin/{VERSION}/bedside-kotlin-{VERSION}-javadoc.jar");
    let documented = repository.join(documented);
    let pages = Step::new("jar --list --file").arg(&documented.display().to_string()).output()?;
    // Dokka ignores a missing source folder without an error.
    ensure!(pages.contains("/-classifier/index.html"), "{}: has no pages", documented.display());
    consumer::check()?;
    eprintln!("\n{} is a Maven repository; docs/kotlin.md and docs/java.md say how to use it.", repository.display());
    Ok(())
}

/// Runs the long memory tests with the shipped model and the shipped library.
pub(crate) fn soak() -> Result<()> {
    shipped()?;
    // Kotlin and Java run at once, each in its own process.
    maven(&["verify", "--threads=2", "-Dtest=MemoryTest", "-Dbedside.soak=true"])
}

/// Builds the library and the command line as they ship, checks the library's symbols, and puts a stripped copy where
/// the jar's build takes it. Returns the path of the unstripped library.
pub(crate) fn shipped() -> Result<PathBuf> {
    let library = build(&[])?;
    check_symbols(&library)?;
    let folder = native_folder().join(PLATFORM);
    fs::create_dir_all(&folder)?;
    // Only the checks of this build need the symbol table.
    let stripped = folder.join(LIBRARY).display().to_string();
    Step::new("strip -o").arg(&stripped).arg(&library.display().to_string()).run()?;
    Ok(library)
}

/// Builds the library with the switch that provokes panics (feature `test-panic`), and with a field more in two structs of
/// C (`test-later`). Copies it into its own folder, and returns the path of the copy.
fn panicking() -> Result<PathBuf> {
    let built = build(&["--features", "bedside-bindings/test-panic,bedside-bindings/test-later"])?;
    let library = root().join("target/test-panic").join(LIBRARY);
    fs::create_dir_all(library.parent().expect("a file in a folder"))?;
    fs::copy(built, &library)?;
    Ok(library)
}

/// Builds the library and the command line as they ship.
pub(crate) fn release() -> Result<()> {
    build(&[]).map(drop)
}

fn build(options: &[&str]) -> Result<PathBuf> {
    let step = Step::new("cargo build --locked --release --workspace");
    options.iter().fold(step, |step, option| step.arg(option)).run()?;
    Ok(built().join(LIBRARY))
}

/// The folder of the library and the command line.
pub(crate) fn built() -> PathBuf {
    root().join("target/release")
}

/// Fails where the library lacks a function of a border (JNI or UniFFI), holds more than one copy of the engine, or has
/// the switch that provokes panics.
fn check_symbols(library: &Path) -> Result<()> {
    let exported = exported(library)?;
    let methods = fs::read_to_string(root().join("bindings/wire.txt"))?;
    // `log` is the method that the library calls; all others are called by Java.
    let methods = methods.lines().filter_map(|line| line.strip_prefix("method ")?.split_once(' '));
    for (method, _) in methods.filter(|(method, _)| *method != "log") {
        let symbol = format!(" Java_dev_bedside_jni_Native_{method}\n");
        ensure!(exported.contains(&symbol), "{LIBRARY} lacks the native method {method}");
    }
    ensure!(exported.contains(" uniffi_bedside_fn_method_classifier_classify\n"), "{LIBRARY} lacks UniFFI's border");
    for function in c::functions()? {
        ensure!(exported.contains(&format!(" {function}\n")), "{LIBRARY} lacks the C function {function}");
    }
    ensure!(probes(&exported) == 0, "{LIBRARY} has the switch that provokes panics");
    let all = Step::new("nm --demangle").arg(&library.display().to_string()).output()?;
    // Each copy of the engine has one of this static, which can't be inlined.
    let engines = all.lines().filter(|line| line.ends_with(" bedside_engine::threads::processors::PROCESSORS")).count();
    ensure!(engines == 1, "{LIBRARY} has {engines} engines");
    Ok(())
}

/// The dynamic symbols that a library defines, as `nm` prints them.
fn exported(library: &Path) -> Result<String> {
    Step::new("nm --dynamic --defined-only").arg(&library.display().to_string()).output()
}

/// The number of symbols that switch panics on; each border has one.
fn probes(symbols: &str) -> usize {
    let is_probe = |line: &&str| line.to_lowercase().contains("panicprobe") || line.contains("bedside_test_panic");
    symbols.lines().filter(is_probe).count()
}

/// Fails where a committed source is not what UniFFI generates now.
fn check_generated(library: &Path) -> Result<()> {
    let folder = generate(library)?;
    for (name, path) in GENERATED {
        let (now, committed) = (fs::read(folder.join(name))?, fs::read(root().join(path)).unwrap_or_default());
        if now != committed {
            bail!("{path} is not what UniFFI writes now; run `cargo xtask bindings` and commit it");
        }
    }
    Ok(())
}

/// Runs UniFFI's generators, applies the fixes of [`uniffi_fixes`], and returns the folder of the files.
fn generate(library: &Path) -> Result<PathBuf> {
    let bindgen = tool(
        "uniffi",
        &locked_version("uniffi")?,
        &["uniffi-bindgen", "uniffi-bindgen-swift"],
        &["--features", "cli"],
    )?;
    let (library, folder) = (library.display().to_string(), root().join("target/generated"));
    let to = folder.display().to_string();
    let kotlin = bindgen[0].display().to_string();
    Step::new(&kotlin)
        .arg("generate")
        .arg(&library)
        .arg("--language=kotlin")
        .arg("--no-format")
        .arg("--out-dir")
        .arg(&to)
        .run()?;
    let swift = bindgen[1].display().to_string();
    for part in ["--swift-sources", "--headers"] {
        Step::new(&swift).arg(part).arg("--module-name=BedsideFFI").arg(&library).arg(&to).run()?;
    }
    let [kotlin, swift, header] = GENERATED.map(|(name, _)| folder.join(name));
    let written = |path| uniffi_fixes::banner(&fs::read_to_string(path)?);
    fs::write(&kotlin, uniffi_fixes::kotlin(&uniffi_fixes::mismatch(&written(&kotlin)?)?, &OBJECTS)?)?;
    fs::write(&swift, uniffi_fixes::mismatch(&written(&swift)?)?)?;
    fs::write(&header, written(&header)?)?;
    Ok(folder)
}

/// The version of a crate in `Cargo.lock`.
fn locked_version(name: &str) -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let (_, after) = lock
        .split_once(&format!("\nname = \"{name}\"\nversion = \""))
        .with_context(|| format!("Cargo.lock has no {name}"))?;
    Ok(after.split('"').next().unwrap_or_default().to_owned())
}

/// Compiles Kotlin and Java with their tests; the programs of `benches/border/` are among the tests' sources.
pub(crate) fn compile_for_jvm() -> Result<()> {
    maven(&["test-compile", "-DskipTests"])
}

/// The class path of a module's tests: their classes, the module's, and their dependencies, separated by colons.
pub(crate) fn class_path(module: &str) -> Result<String> {
    let built = root().join("target/maven").join(module);
    let list = built.join("class-path");
    let output = format!("-Dmdep.outputFile={}", list.display());
    let goals = ["test-compile", "dependency:build-classpath", &output, "--projects", module, "--also-make"];
    maven(&goals)?;
    let others = fs::read_to_string(&list)?;
    Ok(format!("{}:{}:{}", built.join("test-classes").display(), built.join("classes").display(), others.trim()))
}

/// Runs Maven on all modules with the shipped library. A property in `arguments` overrides the one that is set here.
fn maven(arguments: &[&str]) -> Result<()> {
    let properties = [
        format!("-Dbedside.native.dir={}", native_folder().display()),
        format!("-Dbedside.library.dir={}", built().display()),
        format!("-Dbedside.command={}", built().join("bedside").display()),
    ];
    let step = Step::new("mvn --batch-mode --quiet --file bindings/pom.xml");
    let step = properties.iter().fold(step, |step, property| step.arg(property));
    arguments.iter().fold(step, |step, argument| step.arg(argument)).run().map(drop)
}

/// The folder from which the jar takes the native libraries, one subfolder for each platform.
fn native_folder() -> PathBuf {
    root().join("target/native")
}
