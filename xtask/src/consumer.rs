//! The Maven repository as somebody sees it who builds from it: the quickstarts, compiled and run with nothing but what
//! is published, on the class path, on the module path, and shrunk by R8.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::r8::Shrink;
use crate::root;
use crate::step::{Step, jdk};

/// What both quickstarts do, asked of the command line.
const COMMAND: &str =
    "classify models/samples/ISIC_0012258.jpg --model models/skin-lesion/model.onnx --answer dermatoscope=yes";

pub(crate) fn check() -> Result<()> {
    let maven = "mvn --batch-mode --quiet --file bindings/consumer/pom.xml";
    // Else Maven would take what it had from an earlier repository under the same version.
    let ours = "-DmanualIncludes=dev.bedside:bedside-kotlin,dev.bedside:bedside-jni,dev.bedside:bedside-native";
    Step::new(maven).arg("dependency:purge-local-repository").arg(ours).arg("-DreResolve=false").run()?;
    Step::new(maven).arg("clean").arg("compile").run()?;

    let wanted = without_times(&Step::new("target/release/bedside").words(COMMAND).output()?);
    ensure!(wanted.len() > 5, "`bedside {COMMAND}` printed too little: {wanted:?}");
    let same = |program: &Step<'_>| same(program, &wanted);
    let classes = built().join("classes").display().to_string();
    let libraries = built().join("libraries").display().to_string();
    let class_path = format!("{classes}:{libraries}/*");
    for program in ["QuickstartKt", "Quickstart"] {
        same(&Step::new("java -cp").arg(&class_path).arg(program))?;
    }
    let modules = "--add-modules=dev.bedside.jni,dev.bedside.library";
    let jars = ["bedside-jni", "bedside-native"].map(|name| format!("{libraries}/{name}-0.1.0.jar")).join(":");
    same(&Step::new("java -p").arg(&jars).arg(modules).arg("-cp").arg(&classes).arg("Quickstart"))?;

    let shrunk = shrink(&classes)?;
    let native = format!("{shrunk}:{libraries}/bedside-native-0.1.0.jar");
    for program in ["QuickstartKt", "Quickstart"] {
        same(&Step::new("java -cp").arg(&native).arg(program))?;
    }
    Ok(())
}

/// Everything but the native library as R8 leaves it, renamed and cut, under the rules that come in the jars.
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

/// Fails where a program does not print these lines.
fn same(program: &Step<'_>, wanted: &[String]) -> Result<()> {
    eprintln!("\n=== {program}");
    let printed = without_times(&program.output()?);
    ensure!(printed == wanted, "{program} prints {printed:#?} instead of {wanted:#?}");
    Ok(())
}

/// What was printed, but for the lines that differ each time.
fn without_times(printed: &str) -> Vec<String> {
    printed.lines().filter(|line| !line.starts_with("  Time ")).map(str::to_owned).collect()
}

fn built() -> PathBuf {
    root().join("target/maven/consumer")
}
