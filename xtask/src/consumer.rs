//! Checks the Maven repository as an app uses it: compiles and runs the quickstarts with nothing but the published
//! artifacts, on the class path, on the module path, and shrunk by R8.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::r8::Shrink;
use crate::root;
use crate::step::{Step, jdk};
use crate::versions::VERSION;

/// The command of `bedside` that prints what both quickstarts print.
const COMMAND: &str = "classify models/samples/ISIC_0012258.jpg --model models/skin-lesion/model.onnx \
                       --answer dermatoscope=yes --answer mole_like=yes";

/// Fails where a quickstart prints something else than [`COMMAND`].
pub(crate) fn check() -> Result<()> {
    let maven = "mvn --batch-mode --quiet --file bindings/consumer/pom.xml";
    // Maven would otherwise reuse the artifacts of an earlier repository with the same version.
    let artifacts = "-DmanualIncludes=dev.bedside:bedside-kotlin,dev.bedside:bedside-jni,dev.bedside:bedside-native";
    Step::new(maven).arg("dependency:purge-local-repository").arg(artifacts).arg("-DreResolve=false").run()?;
    Step::new(maven).arg("clean").arg("compile").run()?;

    let expected = without_times(&Step::new("target/release/bedside").words(COMMAND).output()?);
    ensure!(expected.len() > 5, "`bedside {COMMAND}` printed too little: {expected:?}");
    let check_output = |program: &Step<'_>| check_output(program, &expected);
    let classes = built().join("classes").display().to_string();
    let libraries = built().join("libraries").display().to_string();
    let class_path = format!("{classes}:{libraries}/*");
    for program in ["QuickstartKt", "Quickstart"] {
        check_output(&Step::new("java -cp").arg(&class_path).arg(program))?;
    }
    let modules = "--add-modules=dev.bedside.jni,dev.bedside.library";
    let jars = ["bedside-jni", "bedside-native"].map(|name| format!("{libraries}/{name}-{VERSION}.jar")).join(":");
    check_output(&Step::new("java -p").arg(&jars).arg(modules).arg("-cp").arg(&classes).arg("Quickstart"))?;

    let shrunk = shrink(&classes)?;
    let native = format!("{shrunk}:{libraries}/bedside-native-{VERSION}.jar");
    for program in ["QuickstartKt", "Quickstart"] {
        check_output(&Step::new("java -cp").arg(&native).arg(program))?;
    }
    Ok(())
}

/// Shrinks everything but the native library with R8, under the rules that the jars carry, and returns the jar's path.
fn shrink(classes: &str) -> Result<String> {
    let (shrinker, shrunk) =
        (built().join("r8.jar").display().to_string(), built().join("shrunk.jar").display().to_string());
    let app = built().join("app.jar").display().to_string();
    Step::new("jar --create --file").arg(&app).arg("-C").arg(classes).arg(".").run()?;
    let mut inputs = vec![app];
    for entry in fs::read_dir(built().join("libraries"))? {
        let path = entry?.path().display().to_string();
        if !path.contains("bedside-native") {
            inputs.push(path);
        }
    }
    Shrink {
        r8: &shrinker,
        options: &["--classfile"],
        libraries: &[&jdk()?],
        rules: &["bindings/consumer/rules.pro"],
        inputs: &inputs.iter().map(String::as_str).collect::<Vec<_>>(),
        output: &shrunk,
    }
    .run()?;
    Ok(shrunk)
}

/// Fails where a program prints other lines than `expected`.
fn check_output(program: &Step<'_>, expected: &[String]) -> Result<()> {
    eprintln!("\n=== {program}");
    let printed = without_times(&program.output()?);
    ensure!(printed == expected, "{program} prints {printed:#?} instead of {expected:#?}");
    Ok(())
}

/// The printed lines without those of times, which differ in each run.
fn without_times(printed: &str) -> Vec<String> {
    printed.lines().filter(|line| !line.starts_with("  Time ")).map(str::to_owned).collect()
}

fn built() -> PathBuf {
    root().join("target/maven/consumer")
}
