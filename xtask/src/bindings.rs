//! `libbedside` and its other languages: the library built and looked at, the generated sources held against what is
//! committed, Kotlin and Java tested, and the Maven repository that an app builds from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::skipped::{Skips, forget_reports};
use crate::step::{Step, require, tool};
use crate::{consumer, mend, root};

/// UniFFI's version, the same as in `bindings/Cargo.toml`.
const UNIFFI: &str = "0.32.2";

/// The native library's file name, and the folder in which a jar has it (JNA's names).
const LIBRARY: &str = if cfg!(target_os = "macos") { "libbedside.dylib" } else { "libbedside.so" };
const PLATFORM: &str = match (cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
    (false, false) => "linux-x86-64",
    (false, true) => "linux-aarch64",
    (true, false) => "darwin-x86-64",
    (true, true) => "darwin-aarch64",
};

/// What UniFFI writes, by its name in a folder of its own, and where it is committed.
const GENERATED: [(&str, &str); 3] = [
    ("dev/bedside/bedside.kt", "bindings/kotlin/src/generated/kotlin/dev/bedside/bedside.kt"),
    ("Bedside.swift", "ios/Sources/Bedside/Generated/Bedside.swift"),
    ("BedsideFFI.h", "ios/Sources/BedsideFFI/BedsideFFI.h"),
];

/// The objects that cross UniFFI's border; all else is a value.
const OBJECTS: [&str; 3] = ["CancelHandle", "Classifier", "Image"];

/// Writes the generated sources anew.
pub(crate) fn write() -> Result<()> {
    let folder = generate(&shipped()?)?;
    for (name, place) in GENERATED {
        let place = root().join(place);
        fs::create_dir_all(place.parent().expect("a file in a folder"))?;
        fs::copy(folder.join(name), &place).with_context(|| format!("{}: not written", place.display()))?;
    }
    Ok(())
}

/// Builds the libraries, looks at their symbols, and runs what Kotlin and Java have to say about them.
pub(crate) fn test(skips: &mut Skips) -> Result<()> {
    require("mvn", "Maven 3.8 and a JDK 17; on Debian: apt-get install maven openjdk-17-jdk-headless")?;
    let panicking = panicking()?;
    let library = shipped()?;
    ensure!(probes(&exported(&panicking)?) == 2, "the test's library lacks the switches that provoke panics");
    check_generated(&library)?;
    forget_reports()?;
    maven(&["verify"])?;
    skips.read_reports()?;
    let folder = panicking.parent().expect("a file in a folder").display();
    let folder = format!("-Dbedside.library.dir={folder}");
    maven(&["verify", &folder, "-Dbedside.test.panic=true", "-Dtest=*Panic*"])?;
    skips.read_reports()
}

/// Puts jars, sources, documentation and checksums into `target/maven-repository`.
pub(crate) fn publish() -> Result<()> {
    require("mvn", "Maven 3.8 and a JDK 17")?;
    shipped()?;
    let repository = root().join("target/maven-repository");
    if repository.exists() {
        fs::remove_dir_all(&repository)?;
    }
    let to = format!("-DaltDeploymentRepository=local::file:{}", repository.display());
    maven(&["deploy", "-DskipTests", &to])?;
    let documented = repository.join("dev/bedside/bedside-kotlin/0.1.0/bedside-kotlin-0.1.0-javadoc.jar");
    let pages = Step::new("jar --list --file").arg(&documented.display().to_string()).output()?;
    // Dokka passes over folders that are not there.
    ensure!(pages.contains("/-classifier/index.html"), "{}: has no pages", documented.display());
    consumer::check()?;
    eprintln!("\n{} is a Maven repository; docs/kotlin.md and docs/java.md say how to use it.", repository.display());
    Ok(())
}

/// Measures memory with the shipped model and the shipped library, for long.
pub(crate) fn soak() -> Result<()> {
    shipped()?;
    // Both languages at once, each in a process of its own.
    maven(&["verify", "--threads=2", "-Dtest=MemoryTest", "-Dbedside.soak=true"])
}

/// The library as it is shipped, with the command line beside it, and laid out for the jar that carries it.
pub(crate) fn shipped() -> Result<PathBuf> {
    let library = build(&[])?;
    check_symbols(&library)?;
    let folder = native_folder().join(PLATFORM);
    fs::create_dir_all(&folder)?;
    // Its symbol table is of use in the build only.
    let stripped = folder.join(LIBRARY).display().to_string();
    Step::new("strip -o").arg(&stripped).arg(&library.display().to_string()).run()?;
    Ok(library)
}

/// The library with the switch that provokes panics, in a folder of its own.
fn panicking() -> Result<PathBuf> {
    let built = build(&["--features", "bedside-bindings/test-panic"])?;
    let library = root().join("target/test-panic").join(LIBRARY);
    fs::create_dir_all(library.parent().expect("a file in a folder"))?;
    fs::copy(built, &library)?;
    Ok(library)
}

fn build(options: &[&str]) -> Result<PathBuf> {
    let step = Step::new("cargo build --locked --release --workspace");
    options.iter().fold(step, |step, option| step.arg(option)).run()?;
    Ok(built().join(LIBRARY))
}

/// Where the library and the command line are.
pub(crate) fn built() -> PathBuf {
    root().join("target/release")
}

/// Both borders lead into one engine, and the switch for panics is not in the library.
fn check_symbols(library: &Path) -> Result<()> {
    let exported = exported(library)?;
    let methods = fs::read_to_string(root().join("bindings/wire.txt"))?;
    // The last of them is called by the library.
    let methods = methods.lines().filter_map(|line| line.strip_prefix("method ")?.split_once(' '));
    for (method, _) in methods.filter(|(method, _)| *method != "log") {
        let symbol = format!(" Java_dev_bedside_jni_Native_{method}\n");
        ensure!(exported.contains(&symbol), "{LIBRARY} lacks the native method {method}");
    }
    ensure!(exported.contains(" uniffi_bedside_fn_method_classifier_classify\n"), "{LIBRARY} lacks UniFFI's border");
    ensure!(probes(&exported) == 0, "{LIBRARY} has the switch that provokes panics");
    let all = Step::new("nm --demangle").arg(&library.display().to_string()).output()?;
    let engines = all.lines().filter(|line| line.ends_with(" bedside_engine::engine::Engine::build")).count();
    ensure!(engines == 1, "{LIBRARY} has {engines} engines");
    Ok(())
}

fn exported(library: &Path) -> Result<String> {
    Step::new("nm --dynamic --defined-only").arg(&library.display().to_string()).output()
}

/// How many of these symbols are the switch that provokes panics, of which each border has its own.
fn probes(symbols: &str) -> usize {
    let is_probe = |line: &&str| line.to_lowercase().contains("panicprobe") || line.contains("bedside_test_panic");
    symbols.lines().filter(is_probe).count()
}

/// Fails where the committed sources are not what UniFFI writes now.
fn check_generated(library: &Path) -> Result<()> {
    let folder = generate(library)?;
    for (name, place) in GENERATED {
        let (now, committed) = (fs::read(folder.join(name))?, fs::read(root().join(place)).unwrap_or_default());
        if now != committed {
            bail!("{place} is not what UniFFI writes now; run `cargo xtask bindings` and commit it");
        }
    }
    Ok(())
}

/// Runs UniFFI's generators and gives the folder with their files.
fn generate(library: &Path) -> Result<PathBuf> {
    let bindgen = tool("uniffi", UNIFFI, &["uniffi-bindgen", "uniffi-bindgen-swift"], &["--features", "cli"])?;
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
    let [kotlin, swift] = [GENERATED[0].0, GENERATED[1].0].map(|name| folder.join(name));
    fs::write(&kotlin, mend::kotlin(&mend::mismatch(&fs::read_to_string(&kotlin)?)?, &OBJECTS)?)?;
    fs::write(&swift, mend::mismatch(&fs::read_to_string(&swift)?)?)?;
    Ok(folder)
}

/// Compiles the Kotlin and the Java side with their tests, among which the programs of `benches/border/` are.
pub(crate) fn compile_for_jvm() -> Result<()> {
    maven(&["test-compile", "-DskipTests"])
}

/// What a module and its tests need on the class path of a JVM.
pub(crate) fn class_path(module: &str) -> Result<String> {
    let built = root().join("target/maven").join(module);
    let list = built.join("class-path");
    let output = format!("-Dmdep.outputFile={}", list.display());
    let goals = ["test-compile", "dependency:build-classpath", &output, "--projects", module, "--also-make"];
    maven(&goals)?;
    let others = fs::read_to_string(&list)?;
    Ok(format!("{}:{}:{}", built.join("test-classes").display(), built.join("classes").display(), others.trim()))
}

/// Runs Maven on all modules, with the shipped library; what an argument says again is as it says last.
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

fn native_folder() -> PathBuf {
    root().join("target/native")
}
