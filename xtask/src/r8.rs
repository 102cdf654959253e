//! R8, which cuts and renames what an app ships, under the rules that Bedside comes with.

use anyhow::Result;

use crate::step::Step;

/// What shrinkers must keep; the jars and the AAR carry it.
pub(crate) const RULES: [&str; 2] = [
    "bindings/kotlin/src/main/resources/META-INF/proguard/bedside-kotlin.pro",
    "bindings/java/src/main/resources/META-INF/proguard/bedside-jni.pro",
];

/// One run of R8.
pub(crate) struct Shrink<'a> {
    /// Where R8 itself is.
    pub r8: &'a str,
    /// What it is to write: class files or Android's.
    pub options: &'a [&'a str],
    /// What the inputs refer to besides each other: what is there where they run.
    pub libraries: &'a [&'a str],
    /// Rules besides Bedside's own. R8 itself, unlike Android's build, does not look for rules in jars.
    pub rules: &'a [&'a str],
    pub inputs: &'a [&'a str],
    pub output: &'a str,
}

impl Shrink<'_> {
    pub(crate) fn run(&self) -> Result<()> {
        let step = Step::new("java -Xmx1500m -cp").arg(self.r8).arg("com.android.tools.r8.R8").arg("--release");
        let step = self.options.iter().fold(step, |step, option| step.arg(option));
        let step = self.libraries.iter().fold(step, |step, jar| step.arg("--lib").arg(jar));
        let step = RULES.iter().chain(self.rules).fold(step, |step, rules| step.arg("--pg-conf").arg(rules));
        let step = step.arg("--output").arg(self.output);
        self.inputs.iter().fold(step, |step, input| step.arg(input)).quiet("already exists").run().map(drop)
    }
}
