//! R8, which shrinks and renames the classes that an app ships, under Bedside's keep rules.

use anyhow::Result;

use crate::step::Step;

/// Bedside's keep rules, which the jars and the AAR carry.
pub(crate) const RULES: [&str; 2] = [
    "bindings/kotlin/src/main/resources/META-INF/proguard/bedside-kotlin.pro",
    "bindings/java/src/main/resources/META-INF/proguard/bedside-jni.pro",
];

/// One run of R8.
pub(crate) struct Shrink<'a> {
    /// The class path of R8 itself.
    pub r8: &'a str,
    /// Options of the output, such as `--classfile` or `--min-api`.
    pub options: &'a [&'a str],
    /// Jars or JDKs with classes that the inputs refer to and that exist where the output runs.
    pub libraries: &'a [&'a str],
    /// Files of rules besides [`RULES`]. R8 itself, unlike the Android Gradle plugin, does not read rules from jars.
    pub rules: &'a [&'a str],
    /// The jars to shrink.
    pub inputs: &'a [&'a str],
    /// The path of the output.
    pub output: &'a str,
}

impl Shrink<'_> {
    /// Runs R8 in release mode.
    pub(crate) fn run(&self) -> Result<()> {
        let step = Step::new("java -Xmx1500m -cp").arg(self.r8).arg("com.android.tools.r8.R8").arg("--release");
        let step = self.options.iter().fold(step, |step, option| step.arg(option));
        let step = self.libraries.iter().fold(step, |step, jar| step.arg("--lib").arg(jar));
        let step = RULES.iter().chain(self.rules).fold(step, |step, rules| step.arg("--pg-conf").arg(rules));
        let step = step.arg("--output").arg(self.output);
        self.inputs.iter().fold(step, |step, input| step.arg(input)).quiet("already exists").run().map(drop)
    }
}
